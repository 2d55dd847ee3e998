//! What `doctor` asks of the database, besides what a backup asks.

use async_trait::async_trait;

use super::{Clock, SourceError};
use crate::model::{SourceIdentity, Survey};

/// Why the database could not be looked at, by what has to be done about it.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// There is no way to the server, or it does not answer.
    #[error(transparent)]
    Unreachable(SourceError),
    /// The server is there, but TLS with it can't be agreed on.
    #[error(transparent)]
    Tls(SourceError),
    /// It does not let the account in.
    #[error(transparent)]
    Login(SourceError),
    /// It has no such database, or the account may not see it.
    #[error(transparent)]
    NoDatabase(SourceError),
    /// It refused to answer a question.
    #[error(transparent)]
    Refused(SourceError),
}

/// A database that can be looked at without reading a row of it or changing anything.
#[async_trait]
pub trait Surveyor: Send + Sync {
    /// Which database this is.
    fn identity(&self) -> SourceIdentity;

    /// Looks at the server, the account and the database; `clock` is read around the question for the
    /// server's time.
    async fn survey(&self, clock: &dyn Clock) -> Result<Survey, SurveyError>;
}
