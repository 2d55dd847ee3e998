//! The accounts of a server, as its administrator sees and makes them.

use async_trait::async_trait;

use super::{Clock, SourceError};
use crate::model::{AccountName, Held, SourceIdentity, Survey};

/// The server, as it matters for accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Premises {
    /// The server and the administrator's own account; of rows nothing is known if there is no database.
    pub survey: Survey,
    /// Is the database there?
    pub has_database: bool,
    /// Do `%` and `_` stand for others in the names of databases that privileges are given on?
    pub takes_patterns: bool,
}

/// An account that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// What it may do by itself, without roles.
    pub grants: Vec<Held>,
    /// Does it log in over TLS only? `None` if the server does not tell.
    pub requires_tls: Option<bool>,
    /// The plug-in that it logs in with, if the server tells.
    pub plugin: Option<String>,
}

/// An administrator's view of a server, and hand.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The database that the accounts are for.
    fn identity(&self) -> SourceIdentity;

    /// Looks at the server and changes nothing; `clock` is read around the question for the server's time.
    async fn premises(&self, clock: &dyn Clock) -> Result<Premises, SourceError>;

    /// Looks at an account; `None` if there is no such one.
    async fn find(&self, account: &AccountName) -> Result<Option<Holder>, SourceError>;

    /// Runs one statement, `action` in words. The statement may hold a password: no error shows a part of it.
    async fn run(&self, action: &str, statement: &str) -> Result<(), SourceError>;
}
