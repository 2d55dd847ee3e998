//! Why a function failed: an error type that never changes its name, and a message for the person on call.

use std::{error::Error as StdError, fmt};

#[cfg(feature = "control")]
use gorgen_adapters::control::ControlError;
use gorgen_adapters::{credentials::CredentialsError, settings::SettingsError};
use gorgen_engine::{Error, Kind, model::RunId, ports::VaultError};
use gorgen_words::notice::Cause;
use lambda_runtime::Diagnostic;

use crate::{EventError, told};

/// The kinds of failure that callers, retries and alarms can tell apart. The names are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// The event is none that the function takes.
    InvalidEvent,
    /// The function's settings are wrong: deploy it anew.
    InvalidSettings,
    /// Another run is at work; try again later.
    Locked,
    /// Refused, to protect something.
    Refused,
    /// What was asked for is not there.
    NotFound,
    /// Stored data is missing or damaged, or not what was backed up.
    Integrity,
    /// The time limit was reached; the next run goes on from here.
    OutOfTime,
    /// Something outside did not answer; try again later.
    Unavailable,
    /// Any other failure.
    Failed,
}

impl ErrorType {
    const ALL: [Self; 9] = [
        Self::InvalidEvent,
        Self::InvalidSettings,
        Self::Locked,
        Self::Refused,
        Self::NotFound,
        Self::Integrity,
        Self::OutOfTime,
        Self::Unavailable,
        Self::Failed,
    ];

    /// The kind of this name; [`Self::Failed`] for one that is not ours.
    pub(crate) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Failed)
    }

    /// The name, as `errorType` shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidEvent => "InvalidEvent",
            Self::InvalidSettings => "InvalidSettings",
            Self::Locked => "Locked",
            Self::Refused => "Refused",
            Self::NotFound => "NotFound",
            Self::Integrity => "Integrity",
            Self::OutOfTime => "OutOfTime",
            Self::Unavailable => "Unavailable",
            Self::Failed => "Failed",
        }
    }

    /// The same, as notices know it.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::InvalidEvent => Cause::InvalidEvent,
            Self::InvalidSettings => Cause::InvalidSettings,
            Self::Locked => Cause::Locked,
            Self::Refused => Cause::Refused,
            Self::NotFound => Cause::NotFound,
            Self::Integrity => Cause::Integrity,
            Self::OutOfTime => Cause::OutOfTime,
            Self::Unavailable => Cause::Unavailable,
            Self::Failed => Cause::Failed,
        }
    }

    /// May the same call succeed later, with nothing changed?
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Locked | Self::OutOfTime | Self::Unavailable)
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::Locked { .. } => Self::Locked,
            Error::Deadline => Self::OutOfTime,
            Error::NoVault { .. }
            | Error::NoSuchBackup { .. }
            | Error::NoSuchTable { .. }
            | Error::NoSuchRestore { .. }
            | Error::NoSuchReport { .. }
            | Error::NoSuchRun { .. } => Self::NotFound,
            Error::Vault(VaultError::Missing { .. }) => Self::Integrity,
            _ if error.kind() == Kind::Integrity => Self::Integrity,
            _ if error.kind() == Kind::Refused => Self::Refused,
            _ if error.is_retryable() => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: ErrorType,
    /// What happened, what lies behind it, and what to do. Holds no secret and no patient's data.
    pub message: String,
    /// What of it may leave the log, for notices: names, ids and numbers. Nothing, if it is not known to be no more.
    pub told: Option<String>,
    /// The run that holds the lock, where that is why.
    pub holder: Option<RunId>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), told: None, holder: None }
    }

    /// The same, with what of it may be told in a notice: names, ids and numbers, and nothing of what rows hold.
    #[must_use]
    pub fn telling(self, told: impl Into<String>) -> Self {
        Self { told: Some(told.into()), ..self }
    }

    /// Puts it into the log.
    pub fn log(&self) {
        lambda_runtime::tracing::error!(error_type = self.kind.name(), "{}", self.message);
    }

    /// A failure of this kind that an error tells.
    pub(crate) fn of(kind: ErrorType, error: &dyn StdError, hint: Option<String>) -> Self {
        let mut message = error.to_string();
        let causes = std::iter::successors(error.source(), |&error| error.source());
        for cause in causes.map(ToString::to_string) {
            if !message.ends_with(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        if let Some(hint) = hint {
            message.push_str("; ");
            message.push_str(&hint);
        }
        Self::new(kind, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let holder = match &error {
            Error::Locked { run, .. } => Some(run.clone()),
            _ => None,
        };
        let told = told::of_engine(&error);
        Self { told, holder, ..Self::of(ErrorType::of(&error), &error, error.hint()) }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let told = told::of_settings(&error);
        Self::of(ErrorType::InvalidSettings, &error, None).telling(told)
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        let kind = if error.is_retryable() { ErrorType::Unavailable } else { ErrorType::Failed };
        let told = told::of_credentials(&error);
        Self { told, ..Self::of(kind, &error, Some(error.hint().to_owned())) }
    }
}

#[cfg(feature = "control")]
impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let kind = match &error {
            ControlError::NoSuchSchedule { .. } => ErrorType::NotFound,
            _ if error.is_retryable() => ErrorType::Unavailable,
            ControlError::Failed { .. } => ErrorType::Failed,
        };
        Self::of(kind, &error, None)
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        Self::of(ErrorType::InvalidEvent, &error, None)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind.name().to_owned(), error_message: failure.message }
    }
}

#[cfg(test)]
mod tests {
    use gorgen_engine::model::ObjectName;

    use super::*;

    fn vault_failed(retryable: bool) -> Error {
        let source = std::io::Error::other("connection reset");
        Error::Vault(VaultError::Failed {
            action: "list packs/".to_owned(),
            vault: "s3://vault".to_owned(),
            retryable,
            source: Box::new(source),
        })
    }

    #[test]
    fn an_error_has_a_stable_type_and_its_causes() {
        let failure = Failure::from(vault_failed(true));
        assert_eq!(failure.kind, ErrorType::Unavailable);
        let message = "cannot list packs/ in s3://vault: connection reset";
        assert!(failure.message.starts_with(message), "{failure}");
        let diagnostic = Diagnostic::from(failure);
        assert_eq!(diagnostic.error_type, "Unavailable");
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        let missing = VaultError::Missing { name: ObjectName::identity(), vault: "x".to_owned() };
        for (error, kind, retryable) in [
            (vault_failed(false), ErrorType::Failed, false),
            (Error::Deadline, ErrorType::OutOfTime, true),
            (Error::Vault(missing), ErrorType::Integrity, false),
            (Error::NoVault { vault: "x".to_owned() }, ErrorType::NotFound, false),
            (Error::Mismatch { differences: vec![] }, ErrorType::Integrity, false),
            (Error::LockLost, ErrorType::Unavailable, true),
        ] {
            assert_eq!(ErrorType::of(&error), kind, "{error}");
            assert_eq!(kind.is_retryable(), retryable, "{error}");
        }
    }
}
