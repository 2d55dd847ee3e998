//! The server of the protected database, as the port `Server`.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use gorgen_engine::{
    model::{Allowed, CharsetContext, Relation, SourceIdentity},
    ports::{Contents, Reference, Room, Server, Session as SessionPort, Target, TargetError},
};

use super::{
    LoadBy,
    connect::{Answer, Session},
    context,
    names::{ident, literal},
    privileges::{Grants, account, grant_lines},
    target::MySqlTarget,
};
use crate::settings::DatabaseUrl;

/// How long a statement may wait for tables of the live database, in seconds: everybody who comes later waits
/// behind it.
const LIVE_WAIT: u32 = 4;

/// How long the statement of a lost connection is waited for, in seconds: somewhat longer than one waits for tables.
const LOST_PATIENCE: u32 = LIVE_WAIT + 2;
/// How long the server may take to end such a connection, in seconds: what it changed is rolled back.
const LOST_END: u32 = 60;

/// A server that speaks MySQL's protocol, with the protected database on it.
pub struct MySqlServer {
    url: DatabaseUrl,
}

impl MySqlServer {
    /// The server of the protected database at this address.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url }
    }

    async fn open(&self, database: &str) -> Result<Session, TargetError> {
        let mut session = Session::open(&self.url.with_database(database.to_owned())).await?;
        session.run("prepare the session", context::SETTINGS).await?;
        session.wait_for_locks(LIVE_WAIT).await?;
        Ok(session)
    }
}

#[async_trait]
impl Server for MySqlServer {
    fn live(&self) -> SourceIdentity {
        self.url.identity()
    }

    fn database(&self, name: &str) -> Arc<dyn Target> {
        let url = self.url.with_database(name.to_owned());
        Arc::new(if name == self.url.database {
            MySqlTarget::in_use(url, LIVE_WAIT)
        } else {
            MySqlTarget::new(url, LoadBy::default())
        })
    }

    async fn session(&self, database: &str) -> Result<Box<dyn SessionPort>, TargetError> {
        let mut session = self.open(database).await?;
        session.run("use the database", &format!("USE {}", ident(database))).await?;
        for wish in context::wishes(session.flavor()) {
            session.try_run(wish).await?;
        }
        Ok(Box::new(MySqlSession { session }))
    }

    async fn sole_session(&self, database: &str) -> Result<Box<dyn SessionPort>, TargetError> {
        let mut session = self.session(database).await?;
        let action = "wait until a lost connection has ended";
        // A lock of the server, which a connection holds until it ends. Its name has room for no more.
        let name = format!("CONCAT('gorgen.', SHA2({}, 224))", literal(&self.url.database));
        for wait in [LOST_PATIENCE, LOST_END] {
            if session.number(action, &format!("SELECT GET_LOCK({name}, {wait})")).await? == 1 {
                return Ok(session);
            }
            let holder = session.number(action, &format!("SELECT IS_USED_LOCK({name})")).await?;
            if holder > 0 {
                // It may end by itself in this very moment.
                let kill = format!("KILL CONNECTION {holder}");
                let _ = session.execute(action, &kill, &CharsetContext::default()).await;
            }
        }
        let source = "it is still at work on the server".into();
        Err(TargetError::Busy { action: action.to_owned(), source })
    }

    async fn contents(&self, database: &str) -> Result<Contents, TargetError> {
        let mut session = self.open(database).await?;
        let name = literal(database);
        let tables = format!(
            "SELECT TABLE_NAME, '', TABLE_SCHEMA FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = {name} AND TABLE_TYPE NOT LIKE '%VIEW%'"
        );
        let keys = format!(
            "SELECT TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_SCHEMA FROM information_schema.TABLE_CONSTRAINTS \
             WHERE CONSTRAINT_SCHEMA = {name} AND CONSTRAINT_TYPE = 'FOREIGN KEY'"
        );
        let triggers = format!(
            "SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, TRIGGER_SCHEMA FROM information_schema.TRIGGERS \
             WHERE TRIGGER_SCHEMA = {name}"
        );
        let mut listed = Vec::new();
        for query in [tables, keys, triggers] {
            let rows = session.answers("list what a database holds", &query).await?;
            let ours = of_database(rows, 2, database);
            listed.push(ours.iter().map(|row| (row.text(0), row.text(1))).collect::<BTreeSet<_>>());
        }
        session.close().await;
        let mut listed = listed.into_iter();
        let mut next = || listed.next().unwrap_or_default();
        let tables = next().into_iter().map(|(table, _)| table).collect();
        Ok(Contents { tables, foreign_keys: next(), triggers: next() })
    }

    async fn references(&self, database: &str) -> Result<Vec<Reference>, TargetError> {
        let mut session = self.open(database).await?;
        let query = format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, \
             REFERENCED_COLUMN_NAME, REFERENCED_TABLE_SCHEMA FROM information_schema.KEY_COLUMN_USAGE \
             WHERE REFERENCED_TABLE_SCHEMA = {} \
             ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
            literal(database)
        );
        let rows = session.answers("list foreign keys", &query).await?;
        session.close().await;
        let mut references: Vec<Reference> = Vec::new();
        for row in of_database(rows, 6, database) {
            let (schema, table, name) = (row.text(0), row.text(1), row.text(2));
            let is_last = references.last().is_some_and(|last| {
                last.database == schema && last.table == table && last.relation.name == name
            });
            if !is_last {
                let relation = Relation {
                    name,
                    columns: Vec::new(),
                    parent_database: Some(database.to_owned()),
                    parent: row.text(4),
                    parent_columns: Vec::new(),
                };
                references.push(Reference { database: schema, table, relation });
            }
            if let Some(reference) = references.last_mut() {
                reference.relation.columns.push(row.text(3));
                reference.relation.parent_columns.push(row.text(5));
            }
        }
        Ok(references)
    }

    async fn allowed(&self, database: &str) -> Result<Allowed, TargetError> {
        let mut session = self.open(database).await?;
        let account = account(&mut session).await?;
        let lines = grant_lines(&mut session).await?;
        session.close().await;
        let grants = Grants::parse(lines.iter().map(String::as_str));
        Ok(Allowed {
            account,
            on_server: grants.all_on(None),
            on_database: grants.all_on(Some((database, None))),
        })
    }

    async fn room(&self, database: &str) -> Result<Room, TargetError> {
        let mut session = self.open(database).await?;
        let query = format!(
            "SELECT CAST(COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS CHAR) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = {}",
            literal(database)
        );
        let used = session.answers("ask for the size of the database", &query).await?;
        // A plug-in of MariaDB; the partition that holds the data has the longest path that leads to it.
        let query = "SELECT CAST(Available * 1024 AS CHAR) FROM information_schema.DISKS \
             WHERE LOCATE(Path, @@datadir) = 1 ORDER BY CHAR_LENGTH(Path) DESC LIMIT 1";
        let free = session.answers_if_allowed(query).await?;
        session.close().await;
        let number = |rows: &[Answer]| rows.first().map(|row| row.number(0));
        Ok(Room { used: number(&used).unwrap_or_default(), free: number(&free) })
    }
}

/// Rows about this database, and about no other that is spelled alike, where the server tells them apart.
fn of_database(mut rows: Vec<Answer>, place: usize, database: &str) -> Vec<Answer> {
    if rows.iter().any(|row| row.get(place) == Some(database)) {
        rows.retain(|row| row.get(place) == Some(database));
    }
    rows
}

/// One connection, as the port `Session`.
struct MySqlSession {
    session: Session,
}

#[async_trait]
impl SessionPort for MySqlSession {
    async fn execute(
        &mut self,
        action: &str,
        statement: &str,
        context: &CharsetContext,
    ) -> Result<u64, TargetError> {
        context::run(&mut self.session, action, statement, context).await
    }

    async fn number(&mut self, action: &str, query: &str) -> Result<u64, TargetError> {
        let rows = self.session.answers(action, query).await?;
        Ok(rows.first().map(|row| row.number(0)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::{error::MySqlError, wire};

    #[test]
    fn conflicts_are_told_apart_from_refusals() {
        let message = "Lock wait timeout exceeded".to_owned();
        let error = wire::Error::Server { code: 1205, message };
        let identity = SourceIdentity { server: "db:3306".to_owned(), database: "c".to_owned() };
        let error = MySqlError::from(error).target(&identity, "swap the tables");
        assert!(matches!(error, TargetError::Busy { action, .. } if action == "swap the tables"));
    }
}
