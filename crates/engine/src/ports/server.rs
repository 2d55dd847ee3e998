//! The server of the protected database, where a restore also has databases of its own beside it.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use super::{Target, TargetError};
use crate::model::{Allowed, CharsetContext, Relation, SourceIdentity};

/// A foreign key, and the table that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Database of the table that has it.
    pub database: String,
    /// The table that has it.
    pub table: String,
    /// The key.
    pub relation: Relation,
}

/// Names of what a database holds, as far as restores move or rename it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Tables and sequences.
    pub tables: BTreeSet<String>,
    /// Foreign keys: table and key.
    pub foreign_keys: BTreeSet<(String, String)>,
    /// Triggers: table and trigger.
    pub triggers: BTreeSet<(String, String)>,
}

/// How much room a database takes and how much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes of its tables and their keys, by the server's estimate.
    pub used: u64,
    /// Bytes that are free where the server keeps its data; most servers do not tell.
    pub free: Option<u64>,
}

/// A server with the protected database.
#[async_trait]
pub trait Server: Send + Sync {
    /// The protected database.
    fn live(&self) -> SourceIdentity;

    /// A database of this name, there or not. Its statements wait for tables that are in use only as long as
    /// the application can bear that others wait behind them.
    fn database(&self, name: &str) -> Arc<dyn Target>;

    /// A connection of its own, inside this database.
    async fn session(&self, database: &str) -> Result<Box<dyn Session>, TargetError>;

    /// The same, and no other of these is at work on the server. One whose client is gone may still carry out
    /// its last statement there: it is waited for, and ended if that takes more than some seconds.
    ///
    /// # Errors
    /// [`TargetError::Busy`] if it does not end.
    async fn sole_session(&self, database: &str) -> Result<Box<dyn Session>, TargetError>;

    /// Names of what a database holds; nothing if there is no such database.
    async fn contents(&self, database: &str) -> Result<Contents, TargetError>;

    /// Every foreign key on the server that leads into this database, from wherever.
    async fn references(&self, database: &str) -> Result<Vec<Reference>, TargetError>;

    /// What the account may do in this database, there or not.
    async fn allowed(&self, database: &str) -> Result<Allowed, TargetError>;

    /// How much room this database takes.
    async fn room(&self, database: &str) -> Result<Room, TargetError>;
}

/// One connection. A transaction or a lock that it begins ends with it. Foreign keys are not checked, and
/// values are stored as they are.
#[async_trait]
pub trait Session: Send {
    /// Runs one statement under `context`, and gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`TargetError::Busy`] if it would have had to wait too long for others.
    async fn execute(
        &mut self,
        action: &str,
        statement: &str,
        context: &CharsetContext,
    ) -> Result<u64, TargetError>;

    /// Asks for one number; 0 for none.
    async fn number(&mut self, action: &str, query: &str) -> Result<u64, TargetError>;
}
