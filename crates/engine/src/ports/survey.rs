//! What `doctor` asks of the database, besides what a backup asks.

use async_trait::async_trait;

use super::{Clock, SourceError};
use crate::model::{SourceIdentity, Survey};

/// A database that can be looked at without reading a row of it or changing anything.
#[async_trait]
pub trait Surveyor: Send + Sync {
    /// Which database this is.
    fn identity(&self) -> SourceIdentity;

    /// Looks at the server, the account and the database; `clock` is read around the question for the
    /// server's time.
    async fn survey(&self, clock: &dyn Clock) -> Result<Survey, SourceError>;
}
