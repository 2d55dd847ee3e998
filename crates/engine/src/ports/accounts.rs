//! The accounts of a server, as its administrator sees and makes them.

use async_trait::async_trait;

use super::{Clock, SourceError};
use crate::model::{AccountName, Holder, Premises, SourceIdentity};

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
