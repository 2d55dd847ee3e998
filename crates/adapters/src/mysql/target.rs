//! A database that is restored into, as the port `Target`.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gorgen_engine::{
    model::{CharsetContext, Relation},
    ports::{Loader, Reader, Source, SourceError, Target, TargetError, TargetInfo, TargetState},
};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    connect::{LOCK_WAIT, Session},
    context,
    error::MySqlError,
    loader::{LoadBy, MySqlLoader},
    names::{ident, literal, qualified},
    reader::MySqlReader,
    schema::Schema,
    source::MySqlSource,
};
use crate::settings::DatabaseUrl;

/// A database, there or not yet, on a server that speaks MySQL's protocol.
pub struct MySqlTarget {
    url: DatabaseUrl,
    source: MySqlSource,
    load_by: LoadBy,
    /// How long a statement waits for tables in use, in seconds.
    lock_wait: u32,
    /// Sessions that wait for the next statement.
    idle: Mutex<Vec<Session>>,
    /// Sessions within the database and under the settings of tables, which are the same for all: thousands should not cost
    /// thousands of statements that say so.
    for_tables: Mutex<Vec<Session>>,
    /// Held while the database has another default collation, for an object that was made under it.
    collation: AsyncMutex<()>,
}

impl MySqlTarget {
    /// The database at this address.
    pub fn new(url: DatabaseUrl, load_by: LoadBy) -> Self {
        let source = MySqlSource::new(url.clone());
        Self {
            url,
            source,
            load_by,
            lock_wait: LOCK_WAIT,
            idle: Mutex::default(),
            for_tables: Mutex::default(),
            collation: AsyncMutex::default(),
        }
    }

    /// The same, but for a database that others use: they wait behind statements that wait.
    pub(super) fn in_use(url: DatabaseUrl, lock_wait: u32) -> Self {
        Self { lock_wait, ..Self::new(url, LoadBy::default()) }
    }

    async fn session(&self) -> Result<Session, TargetError> {
        if let Some(session) = pop(&self.idle) {
            return Ok(session);
        }
        let mut session = Session::open(&self.url).await?;
        session.run("prepare the session", context::SETTINGS).await?;
        session.wait_for_locks(self.lock_wait).await?;
        for wish in context::wishes(session.flavor()) {
            session.try_run(wish).await?;
        }
        Ok(session)
    }

    fn keep(&self, session: Session) {
        push(&self.idle, session);
    }

    /// Runs a statement of ours, or a definition that has no settings of its own, within the database.
    async fn run_within(&self, action: &str, statement: &str) -> Result<(), TargetError> {
        let mut session = if let Some(session) = pop(&self.for_tables) {
            session
        } else {
            let mut session = self.session().await?;
            session.run(action, &format!("USE {}", ident(self.database()))).await?;
            context::stay(&mut session).await?;
            session
        };
        let done = session.conn.run(statement).await;
        let done =
            done.map_err(|error| MySqlError::from(error).target(&self.url.identity(), action));
        if is_of_use_after(&done) {
            push(&self.for_tables, session);
        }
        done
    }

    /// Runs one of our own statements, outside any database.
    async fn run(&self, action: &str, statement: &str) -> Result<(), TargetError> {
        // A database that was dropped is nobody's any more.
        self.for_tables.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut session = self.session().await?;
        let done = session.conn.run(statement).await;
        done.map_err(|error| MySqlError::from(error).target(&self.url.identity(), action))?;
        self.keep(session);
        Ok(())
    }

    fn database(&self) -> &str {
        &self.url.database
    }

    /// Runs a statement while the database has the collation that an object was made under.
    async fn run_under_collation(
        &self,
        session: &mut Session,
        action: &str,
        statement: &str,
        context: &CharsetContext,
        collation: &str,
    ) -> Result<(), TargetError> {
        let _others_wait = self.collation.lock().await;
        let current = session.answers(action, "SELECT @@collation_database").await?;
        let current = current.first().map(|row| row.text(0)).unwrap_or_default();
        if current == collation {
            return context::run(session, action, statement, context).await.map(drop);
        }
        let alter =
            |to: &str| format!("ALTER DATABASE {} COLLATE {}", ident(self.database()), literal(to));
        session.run(action, &alter(collation)).await?;
        let done = context::run(session, action, statement, context).await.map(drop);
        let back = session.run(action, &alter(&current)).await;
        done.and(back.map_err(TargetError::from))
    }
}

fn push(idle: &Mutex<Vec<Session>>, session: Session) {
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
}

fn pop(idle: &Mutex<Vec<Session>>) -> Option<Session> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// After an error of the server a session is what it was; a broken one is of no more use.
fn is_of_use_after(done: &Result<(), TargetError>) -> bool {
    !matches!(done, Err(TargetError::Source(_)))
}

#[async_trait]
impl Target for MySqlTarget {
    async fn info(&self) -> Result<TargetInfo, TargetError> {
        let mut session = self.session().await?;
        let packet = session
            .answers("ask for its packet size", "SELECT @@GLOBAL.max_allowed_packet")
            .await?;
        let info = TargetInfo {
            server: session.server.clone(),
            collations: collations(&mut session).await?,
            max_allowed_packet: packet.first().map(|row| row.number(0)).unwrap_or_default(),
            local_infile: super::load_data::is_allowed(&mut session).await?,
        };
        self.keep(session);
        Ok(info)
    }

    async fn state(&self) -> Result<TargetState, TargetError> {
        let mut session = self.session().await?;
        let state = match Schema::find(&mut session).await? {
            None => TargetState::Absent,
            Some(schema) => {
                let mut objects = 0;
                for (table, name) in [
                    ("TABLES", "TABLE_NAME"),
                    ("ROUTINES", "ROUTINE_NAME"),
                    ("EVENTS", "EVENT_NAME"),
                ] {
                    objects += schema.ask(&mut session, table, name, "").await?.len() as u64;
                }
                if objects == 0 { TargetState::Empty } else { TargetState::Holds(objects) }
            }
        };
        self.keep(session);
        Ok(state)
    }

    async fn create_database(&self, charset: &str, collation: &str) -> Result<(), TargetError> {
        let statement = format!(
            "CREATE DATABASE {} CHARACTER SET {} COLLATE {}",
            ident(self.database()),
            literal(charset),
            literal(collation)
        );
        self.run(&format!("create database {}", self.database()), &statement).await
    }

    async fn drop_database(&self) -> Result<(), TargetError> {
        let statement = format!("DROP DATABASE IF EXISTS {}", ident(self.database()));
        self.run(&format!("drop database {}", self.database()), &statement).await
    }

    async fn execute(
        &self,
        action: &str,
        statement: &str,
        context: &CharsetContext,
    ) -> Result<(), TargetError> {
        if *context == CharsetContext::default() {
            return self.run_within(action, statement).await;
        }
        let mut session = self.session().await?;
        session.run(action, &format!("USE {}", ident(self.database()))).await?;
        let done = match &context.database_collation {
            Some(collation) => {
                self.run_under_collation(&mut session, action, statement, context, collation).await
            }
            None => context::run(&mut session, action, statement, context).await.map(drop),
        };
        if is_of_use_after(&done) {
            self.keep(session);
        }
        done
    }

    async fn loader(&self) -> Result<Box<dyn Loader>, TargetError> {
        let session = Session::open(&self.url).await?;
        Ok(Box::new(MySqlLoader::new(session, self.load_by).await?))
    }

    async fn reader(&self) -> Result<Box<dyn Reader>, TargetError> {
        let session = Session::open(&self.url).await?;
        Ok(Box::new(MySqlReader::new(session, Arc::default()).await?))
    }

    async fn orphans(&self, table: &str, relation: &Relation) -> Result<u64, TargetError> {
        let mut session = self.session().await?;
        let query = orphans(self.database(), table, relation);
        let action =
            format!("look for rows of {table} that point nowhere through {}", relation.name);
        let count = session.answers(&action, &query).await?;
        self.keep(session);
        Ok(count.first().map(|row| row.number(0)).unwrap_or_default())
    }

    async fn try_view(&self, view: &str) -> Result<Option<String>, TargetError> {
        let mut session = self.session().await?;
        // Whatever the view names is looked up, and no row is read.
        let query = format!("SELECT 1 FROM {} LIMIT 0", qualified(self.database(), view));
        let tried = session.answers(&format!("select from view {view}"), &query).await;
        match tried {
            Ok(_) => {
                self.keep(session);
                Ok(None)
            }
            Err(SourceError::Refused { source, .. }) => {
                self.keep(session);
                Ok(Some(source.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn source(&self) -> &dyn Source {
        &self.source
    }
}

/// Collations by the name that definitions use. MariaDB has some that go with several character sets.
async fn collations(
    session: &mut Session,
) -> Result<std::collections::BTreeSet<String>, TargetError> {
    let queries = [
        "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY",
        "SELECT COLLATION_NAME FROM information_schema.COLLATIONS",
    ];
    let mut names = std::collections::BTreeSet::new();
    for query in queries {
        names.extend(session.answers_if_allowed(query).await?.iter().map(|row| row.text(0)));
    }
    Ok(names)
}

/// Counts rows whose key is not NULL in any part and leads to no row.
fn orphans(database: &str, table: &str, relation: &Relation) -> String {
    let parent =
        qualified(relation.parent_database.as_deref().unwrap_or(database), &relation.parent);
    let pairs = || relation.columns.iter().zip(&relation.parent_columns);
    let joined: Vec<_> =
        pairs().map(|(c, p)| format!("child.{} = parent.{}", ident(c), ident(p))).collect();
    let set: Vec<_> =
        relation.columns.iter().map(|c| format!("child.{} IS NOT NULL", ident(c))).collect();
    let unmatched = relation.parent_columns.first().map(|p| format!("parent.{} IS NULL", ident(p)));
    format!(
        "SELECT COUNT(*) FROM {} AS child LEFT JOIN {parent} AS parent ON {} WHERE {} AND {}",
        qualified(database, table),
        joined.join(" AND "),
        set.join(" AND "),
        unmatched.unwrap_or_default()
    )
}
