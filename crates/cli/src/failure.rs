//! Why the program failed, with its exit status.

use std::{error::Error as StdError, io, process::ExitCode};

use gorgen_adapters::{credentials::CredentialsError, settings::SettingsError};
use gorgen_engine::{Error, Kind, model::AccountName};
use serde_json::{Value, json};

/// Anything that ends the program without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Settings are missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database's account is not known.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A job failed.
    #[error(transparent)]
    Job(#[from] Error),
    /// Files of the program before this one can't be imported.
    #[error(transparent)]
    Legacy(#[from] gorgen_legacy::Error),
    /// Vault or keyring can't be opened, and what is to be done about it depends on where it is.
    #[error("{error}")]
    Unopened {
        /// Why.
        #[source]
        error: Box<Error>,
        /// What to do.
        remedy: String,
    },
    /// The word that must be typed was not.
    #[error("{what}, which must be confirmed: expected --confirm {expected}, got {given}")]
    NotConfirmed {
        /// What would happen, e.g. `the live tables are to be replaced`.
        what: String,
        /// The word.
        expected: String,
        /// What was typed.
        given: String,
    },
    /// Two accounts that must be two are one.
    #[error("the accounts for {one} and {other} must be two, got {account} for both")]
    SameAccount {
        /// What the one is for.
        one: &'static str,
        /// What the other is for.
        other: &'static str,
        /// The account.
        account: AccountName,
    },
    /// Restore tests would work too near the protected database.
    #[error(
        "an account for databases whose names begin with {scratch}_ would reach what belongs to {database}: give another \
         --scratch-database"
    )]
    TooNear {
        /// What names of their databases would begin with.
        scratch: String,
        /// The protected database.
        database: String,
    },
    /// A file of this machine.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Failure {
    /// A failure to do something with a file.
    pub(crate) fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io { action: action.into(), source }
    }

    /// A failure to open vault or keyring.
    pub(crate) fn unopened(error: impl Into<Error>, remedy: impl Into<String>) -> Self {
        Self::Unopened { error: Box::new(error.into()), remedy: remedy.into() }
    }

    /// The exit status that stands for it.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_) | Self::SameAccount { .. } | Self::TooNear { .. } => 2,
            Self::NotConfirmed { .. } => 4,
            Self::Credentials(_) | Self::Io { .. } => 1,
            Self::Job(error) => of_kind(error.kind()),
            Self::Legacy(error) => of_kind(error.kind()),
            Self::Unopened { error, .. } => of_kind(error.kind()),
        })
    }

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Job(error) => error.hint(),
            Self::Credentials(error) => Some(error.hint().to_owned()),
            Self::Legacy(error) => error.hint().map(str::to_owned),
            Self::Unopened { remedy, .. } => Some(remedy.clone()),
            Self::Settings(_)
            | Self::NotConfirmed { .. }
            | Self::SameAccount { .. }
            | Self::TooNear { .. }
            | Self::Io { .. } => None,
        }
    }

    /// What lies behind it, outermost first; nothing twice.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut shown = self.to_string();
        for cause in std::iter::successors(self.source(), |&error| error.source()) {
            let text = cause.to_string();
            if text != shown && !shown.ends_with(&text) {
                causes.push(text.clone());
                shown = text;
            }
        }
        causes
    }

    /// The failure as a JSON document.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "error": { "message": self.to_string(), "causes": self.causes(), "hint": self.hint() } })
    }
}

fn of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => 1,
        Kind::Integrity => 3,
        Kind::Refused => 4,
    }
}
