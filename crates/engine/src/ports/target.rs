//! A database that is being restored into.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Reader, Source, SourceError};
use crate::model::{CharsetContext, Relation, ServerInfo, Table};

/// Why the target did not take what it was given.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The server can't be reached, the connection broke, or it can't be read back.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The server refused a statement.
    #[error("the target database refused to {action}")]
    Refused {
        /// What was tried, e.g. `create table pacientes`.
        action: String,
        /// The server's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Others use the tables that a statement needs for itself.
    #[error("the target database could not {action}: other sessions use its tables")]
    Busy {
        /// What was tried.
        action: String,
        /// The server's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Fewer or more rows arrived than were sent.
    #[error("table {table}: {expected} rows were sent, the server stored {stored}")]
    RowsLost {
        /// The table.
        table: String,
        /// Rows sent.
        expected: u64,
        /// Rows the server says it stored.
        stored: u64,
    },
    /// One row is larger than the server accepts.
    #[error(
        "table {table}: a row needs a packet of {needed} bytes, the target's max_allowed_packet is {allowed}"
    )]
    RowTooLarge {
        /// The table.
        table: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        allowed: u64,
    },
}

/// Whether the database to restore into is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// No such database.
    Absent,
    /// It exists and holds nothing.
    Empty,
    /// It holds this many tables, views, routines and events.
    Holds(u64),
}

/// What the target can take.
#[derive(Debug, Clone)]
pub struct TargetInfo {
    /// The server.
    pub server: ServerInfo,
    /// Collations it knows.
    pub collations: BTreeSet<String>,
    /// Largest statement or row it takes, in bytes.
    pub max_allowed_packet: u64,
    /// Whether it takes `LOAD DATA LOCAL`.
    pub local_infile: bool,
}

/// A database server, and the name of one database on it that is being restored into.
#[async_trait]
pub trait Target: Send + Sync {
    /// What the server can take.
    async fn info(&self) -> Result<TargetInfo, TargetError>;

    /// Whether the database is there and empty.
    async fn state(&self) -> Result<TargetState, TargetError>;

    /// Makes the database.
    async fn create_database(&self, charset: &str, collation: &str) -> Result<(), TargetError>;

    /// Drops the database with all it holds.
    async fn drop_database(&self) -> Result<(), TargetError>;

    /// Runs one statement inside the database, with foreign key checks off, under `context`.
    async fn execute(
        &self,
        action: &str,
        statement: &str,
        context: &CharsetContext,
    ) -> Result<(), TargetError>;

    /// A connection that loads rows. Each takes part in no transaction with the others.
    async fn loader(&self) -> Result<Box<dyn Loader>, TargetError>;

    /// A connection that reads what was loaded, outside any snapshot: nobody else may write it.
    async fn reader(&self) -> Result<Box<dyn Reader>, TargetError>;

    /// How many rows of `table` point at no row through `relation`.
    async fn orphans(&self, table: &str, relation: &Relation) -> Result<u64, TargetError>;

    /// Why a view can't be selected from, as the server tells it; `None` if it can.
    async fn try_view(&self, view: &str) -> Result<Option<String>, TargetError>;

    /// The same database as a source, to read back what was loaded.
    fn source(&self) -> &dyn Source;
}

/// One connection that loads rows.
#[async_trait]
pub trait Loader: Send {
    /// Stores `count` canonical rows of `table`: all of them, or an error. Duplicates of keyless tables
    /// are kept; values are stored as they are, whatever the server's mode would make of them.
    async fn load(&mut self, table: &Table, rows: &[u8], count: u64) -> Result<(), TargetError>;
}
