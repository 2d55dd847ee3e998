//! The protected database, read in one consistent snapshot.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use crate::{
    model::{Catalog, Position, SourceIdentity, Table},
    stages::rows::RowBatch,
};

/// Why the source did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The server can't be reached, or the connection broke.
    #[error("cannot reach the database {identity}")]
    Unreachable {
        /// The source.
        identity: SourceIdentity,
        /// The driver's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server is there, but TLS with it can't be agreed on.
    #[error("cannot agree on TLS with the database {identity}")]
    Tls {
        /// The source.
        identity: SourceIdentity,
        /// The driver's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is nothing to log in with.
    #[error("cannot log in to the database {identity} as {user}")]
    Credentials {
        /// The source.
        identity: SourceIdentity,
        /// The account's name.
        user: String,
        /// May there be something later?
        retryable: bool,
        /// Why there is nothing.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server does not let the account in.
    #[error("the database {identity} refused to let {user} in")]
    Login {
        /// The source.
        identity: SourceIdentity,
        /// The account's name.
        user: String,
        /// The server's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server has no such database, or the account may not see it.
    #[error("there is no database {} at {} that {user} may see", identity.database, identity.server)]
    NoDatabase {
        /// The source.
        identity: SourceIdentity,
        /// The account's name.
        user: String,
    },
    /// The server answered with an error.
    #[error("the database refused to {action}")]
    Refused {
        /// What was tried, e.g. `read table pacientes`.
        action: String,
        /// The server's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A definition changed under the snapshot: what was read is not one state.
    #[error("{what} changed while the backup ran")]
    DefinitionChanged {
        /// The table or object.
        what: String,
    },
    /// The server sent something that can't be what it claims to be.
    #[error("unexpected answer from the database: {what}")]
    Unexpected {
        /// What was expected, and what came.
        what: String,
    },
}

impl SourceError {
    /// May the same call succeed later?
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::DefinitionChanged { .. } => true,
            Self::Credentials { retryable, .. } => *retryable,
            _ => false,
        }
    }
}

/// How it is known that all rows come from one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// One connection, one transaction.
    SingleTransaction,
    /// Several transactions, begun while no table could be written.
    LockedStart,
    /// Several sessions that read as of the same timestamp.
    SameTimestamp,
    /// Not at all: the rows come from files of a program that did not see to it.
    Unknown,
}

/// A database that can be backed up.
#[async_trait]
pub trait Source: Send + Sync {
    /// Which database this is.
    fn identity(&self) -> SourceIdentity;

    /// Is the database there, and may this account see all of it?
    async fn check(&self) -> Result<(), SourceError>;

    /// What the database holds now, outside any snapshot.
    async fn catalog(&self) -> Result<Catalog, SourceError>;

    /// What the database holds now, but for what the snapshot that had this catalog held still from before it began until
    /// it ended: that is as it was then, and need not be asked for again.
    async fn catalog_since(&self, snapshot: &Catalog) -> Result<Catalog, SourceError>;

    /// One consistent snapshot, with up to `readers` readers that all see the same moment; fewer where
    /// that can't be proved. The catalog was read before the snapshot began.
    async fn snapshot(&self, readers: usize) -> Result<Snapshot, SourceError>;
}

/// A consistent view of the database at one moment; it ends when the readers are dropped.
pub struct Snapshot {
    /// What the database held just before the snapshot began.
    pub catalog: Catalog,
    /// Where the snapshot stands in the server's history.
    pub position: Position,
    /// How it is known to be one moment.
    pub consistency: Consistency,
    /// At least one reader.
    pub readers: Vec<Box<dyn Reader>>,
}

/// One connection that reads tables of a snapshot, one after the other.
#[async_trait]
pub trait Reader: Send {
    /// Sends every row of `table` in the order of its key, as canonical rows in batches of some 256 KiB.
    ///
    /// `Ok` means that the server said that this was the last row: anything else, a lost connection
    /// among it, is an error and what was sent is no table. Stops early, with `Ok`, only if the
    /// receiver is gone.
    async fn read(&mut self, table: &Table, rows: Sender<RowBatch>) -> Result<(), SourceError>;
}
