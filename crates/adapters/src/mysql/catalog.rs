//! What a database holds, but for its rows.
//!
//! A few questions to `information_schema` about all tables at once, then one `SHOW CREATE` for each: two
//! thousand tables are two thousand and some questions, not ten thousand.

use gorgen_engine::{
    model::{Catalog, Flavor, Table},
    ports::SourceError,
};

use super::{
    columns::{self, Columns},
    connect::{Answer, Session},
    keys,
    names::{ident, literal, qualified},
    objects, privileges,
};

/// A database by the name that the server knows it by.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    charset: String,
    collation: String,
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

/// Names of all tables that have rows.
pub(super) async fn table_names(session: &mut Session) -> Result<Vec<String>, SourceError> {
    let schema = Schema::find_existing(session).await?;
    let listed = Listed::read(session, &schema).await?;
    Ok(listed.tables.into_iter().map(|table| table.name).collect())
}

/// Reads everything.
pub(super) async fn read(session: &mut Session) -> Result<Catalog, SourceError> {
    let schema = Schema::find_existing(session).await?;
    privileges::require_sight(session, &schema.name).await?;
    // Views of the current database are shown without its name, so that they can be made in another one.
    session.run("use the database", &format!("USE {}", ident(&schema.name))).await?;

    let listed = Listed::read(session, &schema).await?;
    let (tables, mut warnings) = read_tables(session, &schema, &listed).await?;
    let objects = objects::read(session, &schema, &listed, &mut warnings).await?;
    Ok(Catalog {
        server: session.server.clone(),
        database: session.identity().database.clone(),
        charset: schema.charset,
        collation: schema.collation,
        tables,
        objects,
        warnings,
    })
}

/// All that is called a table, by kind.
#[derive(Default)]
pub(super) struct Listed {
    tables: Vec<ListedTable>,
    pub(super) views: Vec<String>,
    pub(super) sequences: Vec<String>,
    warnings: Vec<String>,
}

struct ListedTable {
    name: String,
    engine: Option<String>,
    collation: Option<String>,
    bytes: u64,
}

impl Listed {
    async fn read(session: &mut Session, schema: &Schema) -> Result<Self, SourceError> {
        let columns = "TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, DATA_LENGTH";
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
                "VIEW" | "SYSTEM VIEW" => listed.views.push(name),
                "SEQUENCE" => listed.sequences.push(name),
                _ => listed.warnings.push(format!("{name} is a {kind} and is not backed up")),
            }
        }
        Ok(listed)
    }

    /// Tables whose rows do not stand still in a snapshot.
    async fn unsteady(&self, session: &mut Session) -> Result<Vec<String>, SourceError> {
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

async fn read_tables(
    session: &mut Session,
    schema: &Schema,
    listed: &Listed,
) -> Result<(Vec<Table>, Vec<String>), SourceError> {
    let mut warnings = listed.warnings.clone();
    warnings.extend(listed.unsteady(session).await?);
    let Columns { of: mut columns, warnings: doubts } = columns::read(session, schema).await?;
    warnings.extend(doubts);
    let unique = keys::read_unique(session, schema).await?;
    let mut relations = keys::read_relations(session, schema).await?;

    let mut tables = Vec::with_capacity(listed.tables.len());
    for table in &listed.tables {
        let ddl = definition(session, schema, &table.name).await?;
        let columns = columns.remove(&table.name).unwrap_or_default();
        if columns.is_empty() {
            return Err(without_columns(&table.name, &ddl));
        }
        let keys = unique.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        let key = keys::choose(keys, &columns, &ddl);
        tables.push(Table {
            name: table.name.clone(),
            key: key.map(|key| key.columns.clone()).unwrap_or_default(),
            key_index: key.map(|key| key.index.clone()),
            ddl,
            collation: table.collation.clone(),
            engine: table.engine.clone(),
            columns,
            relations: relations.remove(&table.name).unwrap_or_default(),
            estimated_bytes: table.bytes,
        });
    }
    Ok((tables, warnings))
}

/// A table that came or went since the columns were listed has none in the list.
fn without_columns(table: &str, ddl: &str) -> SourceError {
    if ddl.contains(" GENERATED ALWAYS AS ") {
        let what = format!("table {table} has no stored column: all are computed");
        SourceError::Unexpected { what }
    } else {
        SourceError::DefinitionChanged { what: format!("table {table}") }
    }
}

async fn definition(
    session: &mut Session,
    schema: &Schema,
    table: &str,
) -> Result<String, SourceError> {
    let what = format!("table {table}");
    let query = format!("SHOW CREATE TABLE {}", qualified(&schema.name, table));
    let rows = session.answers_about(&what, &query).await?;
    let ddl = rows.first().and_then(|row| row.get(1));
    ddl.map(str::to_owned)
        .ok_or_else(|| SourceError::Unexpected { what: format!("{what} has no definition") })
}
