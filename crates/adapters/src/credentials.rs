//! Databases' accounts: as the settings give them, out of a secret of AWS Secrets Manager, or by RDS IAM authentication.
//!
//! [`resolve`] is called once a run, so that a password which was changed since the last run is the new one. A
//! token of RDS lives for 15 minutes and is therefore made anew for each connection.

mod content;

#[cfg(not(feature = "aws"))]
use crate::aws::NotBuiltIn;
use crate::{
    aws::Aws,
    settings::{DatabaseUrl, SecretName},
};

pub use crate::settings::Database;

/// Why a database's account is not known.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// AWS did not give the secret.
    #[error("cannot read the secret {secret}: {reason}")]
    Unread {
        /// The secret.
        secret: SecretName,
        /// Why.
        reason: String,
        /// May it work later?
        retryable: bool,
        /// What AWS said.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The secret is not what RDS or a person would make for a database; nothing of it is shown.
    #[error("the secret {secret}: expected {}, got {given}", content::EXPECTED)]
    Malformed {
        /// The secret.
        secret: SecretName,
        /// What it is instead.
        given: String,
    },
    /// Neither the settings nor the secret say all that is needed.
    #[error("neither the secret {secret} nor the database's URL names {missing}")]
    Incomplete {
        /// The secret.
        secret: SecretName,
        /// What is missing, e.g. `a host`.
        missing: &'static str,
    },
    /// A token for RDS could not be made.
    #[error("cannot make a token to log in at {server} as {user}: {reason}")]
    Token {
        /// The database's server.
        server: String,
        /// The account.
        user: String,
        /// Why.
        reason: String,
        /// May it work later?
        retryable: bool,
        /// What was said about it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl CredentialsError {
    /// May the same call succeed later?
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unread { retryable, .. } | Self::Token { retryable, .. } => *retryable,
            Self::Malformed { .. } | Self::Incomplete { .. } => false,
        }
    }

    /// What the person who reads the error can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unread { .. } => {
                "see that GORGEN_DATABASE_SECRET (for restore tests GORGEN_SCRATCH_SECRET) names the right secret and \
                 region, that AWS credentials are set and not expired, and that they allow secretsmanager:GetSecretValue \
                 on it, and kms:Decrypt with its key if it has one of its own"
            }
            Self::Malformed { .. } => {
                "let RDS make the secret, or store {\"username\": .., \"password\": ..} in it"
            }
            Self::Incomplete { .. } => {
                "add it to GORGEN_DATABASE_URL (for restore tests GORGEN_SCRATCH_URL), or to the secret"
            }
            Self::Token { .. } => {
                "see that AWS credentials and region are set and the credentials not expired"
            }
        }
    }
}

/// What a database is connected to with, asking AWS for what the settings leave to it.
///
/// # Errors
/// If AWS does not give it, or it is not what was expected.
pub async fn resolve(database: &Database, aws: &Aws) -> Result<DatabaseUrl, CredentialsError> {
    match database {
        Database::Given(url) => Ok(url.clone()),
        Database::RdsIam(url) => with_tokens(url, aws).await,
        Database::InSecret { secret, known } => {
            let text = read(secret, aws).await?;
            content::fill_in(known, secret, text.expose())
        }
    }
}

#[cfg(feature = "aws")]
use crate::aws::{rds::with_tokens, secrets::read};

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "called like the one with AWS")]
async fn read(
    secret: &SecretName,
    _aws: &Aws,
) -> Result<crate::settings::Secret, CredentialsError> {
    let reason = NotBuiltIn.to_string();
    Err(CredentialsError::Unread { secret: secret.clone(), reason, retryable: false, source: None })
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "called like the one with AWS")]
async fn with_tokens(url: &DatabaseUrl, _aws: &Aws) -> Result<DatabaseUrl, CredentialsError> {
    Err(CredentialsError::Token {
        server: url.address.to_string(),
        user: url.user.clone(),
        reason: NotBuiltIn.to_string(),
        retryable: false,
        source: None,
    })
}
