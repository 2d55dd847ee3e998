//! Where restores are tested: a server for throw-away databases.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Target, TargetError};

/// A server for throw-away databases. Today it is one that settings name; one that is made for a single test and
/// thrown away after it would be another implementation.
#[async_trait]
pub trait Scratch: Send + Sync {
    /// What names of throw-away databases begin with; the account may make and drop such databases.
    fn prefix(&self) -> String;

    /// Names of the databases there, as far as the account may see them.
    async fn databases(&self) -> Result<Vec<String>, TargetError>;

    /// A database of this name, there or not.
    fn database(&self, name: &str) -> Arc<dyn Target>;
}
