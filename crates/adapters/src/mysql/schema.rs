//! A database by its name, and what is in it by name and kind.

use gorgen_engine::{
    model::{Catalog, Flavor},
    ports::SourceError,
};

use super::{
    connect::{Answer, Session},
    names::literal,
};

/// A database by the name that the server knows it by.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) charset: String,
    pub(super) collation: String,
    /// Does the server show every character of a column's default?
    pub(super) shows_defaults_whole: bool,
}

impl Schema {
    /// Finds the database, if it is there; its name may differ in case where the server does not mind.
    pub(super) async fn find(session: &mut Session) -> Result<Option<Self>, SourceError> {
        let database = session.identity().database.clone();
        let query = format!(
            "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, @@lower_case_table_names \
             FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
            literal(&database)
        );
        let found = session.answers("find the database", &query).await?;
        let exact = found.iter().find(|row| row.get(0) == Some(database.as_str()));
        let row = exact.or_else(|| found.iter().find(|row| row.number(3) != 0));
        Ok(row.map(|row| Self {
            name: row.text(0),
            charset: row.text(1),
            collation: row.text(2),
            shows_defaults_whole: session.flavor() != Flavor::MariaDb,
        }))
    }

    /// Finds the database, which must be there.
    pub(super) async fn find_existing(session: &mut Session) -> Result<Self, SourceError> {
        let found = Self::find(session).await?;
        let (identity, user) = (session.identity().clone(), session.user().to_owned());
        found.ok_or(SourceError::NoDatabase { identity, user })
    }

    /// Asks a table of `information_schema` about this database, and about no other that is spelled alike.
    pub(super) async fn ask(
        &self,
        session: &mut Session,
        table: &str,
        columns: &str,
        tail: &str,
    ) -> Result<Vec<Answer>, SourceError> {
        let schema = match table {
            "ROUTINES" => "ROUTINE_SCHEMA",
            "TRIGGERS" => "TRIGGER_SCHEMA",
            "EVENTS" => "EVENT_SCHEMA",
            "LIBRARIES" => "LIBRARY_SCHEMA",
            _ => "TABLE_SCHEMA",
        };
        let query = format!(
            "SELECT {columns}, {schema} FROM information_schema.{table} WHERE {schema} = {} {tail}",
            literal(&self.name)
        );
        let mut rows = session.answers(&format!("list {}", table.to_lowercase()), &query).await?;
        rows.retain(|row| row.last() == Some(self.name.as_str()));
        Ok(rows)
    }
}

/// All that is called a table, by kind.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) tables: Vec<ListedTable>,
    pub(super) views: Vec<String>,
    pub(super) sequences: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A table that has rows.
pub(super) struct ListedTable {
    pub(super) name: String,
    pub(super) engine: Option<String>,
    pub(super) collation: Option<String>,
    /// As the server estimates.
    pub(super) bytes: u64,
}

impl Listed {
    /// Asks what there is.
    pub(super) async fn read(session: &mut Session, schema: &Schema) -> Result<Self, SourceError> {
        let columns = "TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, DATA_LENGTH, TABLE_COMMENT";
        let rows = schema.ask(session, "TABLES", columns, "ORDER BY TABLE_NAME").await?;
        let mut listed = Self::default();
        for row in &rows {
            let (name, kind) = (row.text(0), row.get(1).unwrap_or_default());
            match kind {
                "BASE TABLE" => listed.tables.push(ListedTable::of(row)),
                "SYSTEM VERSIONED" => {
                    listed.tables.push(ListedTable::of(row));
                    listed.warnings.push(format!(
                        "table {name} keeps a history of its rows (system versioning); the history is not backed up"
                    ));
                }
                "VIEW" | "SYSTEM VIEW" => {
                    // In the place of a view's comment stands what is wrong with it.
                    if row.get(5).is_some_and(|comment| comment.contains("invalid")) {
                        listed.warnings.push(Catalog::invalid_view(&name));
                    }
                    listed.views.push(name);
                }
                "SEQUENCE" => listed.sequences.push(name),
                _ => listed.warnings.push(format!("{name} is a {kind} and is not backed up")),
            }
        }
        Ok(listed)
    }

    /// Tables whose rows do not stand still in a snapshot.
    pub(super) async fn unsteady(&self, session: &mut Session) -> Result<Vec<String>, SourceError> {
        let query = "SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'";
        let steady = session.answers("list storage engines", query).await?;
        let is_steady = |engine: &str| {
            steady
                .iter()
                .any(|row| row.get(0).is_some_and(|name| name.eq_ignore_ascii_case(engine)))
        };
        let unsteady = self.tables.iter().filter_map(|table| {
            let engine = table.engine.as_deref().filter(|engine| !is_steady(engine))?;
            Some(format!(
                "table {} has the engine {engine}, which knows no snapshots: its rows are those of the moment at \
                 which they were read",
                table.name
            ))
        });
        Ok(unsteady.collect())
    }
}

impl ListedTable {
    fn of(row: &Answer) -> Self {
        Self {
            name: row.text(0),
            engine: row.get(2).map(str::to_owned),
            collation: row.get(3).map(str::to_owned),
            bytes: row.number(4),
        }
    }
}
