//! What of a failure may be told outside: an allow-list, as an e-mail goes where no log goes.
//!
//! A log holds an error with all its causes. A notice holds the engine's own sentence, where it is made of names, ids and
//! numbers, and of what a server said no more than its code. Sentences that repeat what a caller asked for, or that list what
//! was found in tables, are left out: the notice says where they are.

use gorgen_adapters::{
    credentials::CredentialsError,
    notices::code_behind,
    settings::{Problem, SettingsError},
};
use gorgen_engine::{
    Error,
    ports::{SourceError, TargetError},
};

/// What may be told of an engine's error.
pub(crate) fn of_engine(error: &Error) -> Option<String> {
    with_code(sentence(error), error)
}

/// What may be told of an account that could not be had: the secret's name.
pub(crate) fn of_credentials(error: &CredentialsError) -> Option<String> {
    with_code(Some(error.to_string()), error)
}

/// What may be told of settings: their names, never their values.
pub(crate) fn of_settings(error: &SettingsError) -> String {
    let names = error.problems.iter().map(|problem| match problem {
        Problem::Unknown { name, .. } => name.clone(),
        Problem::Bad { setting, .. } | Problem::Missing { setting } => setting.to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn with_code(
    sentence: Option<String>,
    error: &(dyn std::error::Error + 'static),
) -> Option<String> {
    match (sentence, code_behind(error)) {
        (Some(sentence), Some(code)) => Some(format!("{sentence} ({code})")),
        (sentence, code) => sentence.or(code),
    }
}

fn sentence(error: &Error) -> Option<String> {
    match error {
        Error::Locked { .. }
        | Error::LockLost
        | Error::ForeignVault { .. }
        | Error::NoVault { .. }
        | Error::WrongStage { .. }
        | Error::RestoreUnfinished { .. }
        | Error::OldTablesGone { .. }
        | Error::TooMuchToDrop { .. }
        | Error::NotLocked { .. }
        | Error::NoScratchServer
        | Error::Damaged { .. }
        | Error::Unwritable { .. }
        | Error::Unstable { .. }
        | Error::Deadline
        | Error::TargetNotEmpty { .. }
        | Error::Vault(_)
        | Error::Keyring(_)
        | Error::NothingTested { .. }
        | Error::Internal(_) => Some(error.to_string()),
        Error::Source(error) | Error::Target(TargetError::Source(error)) => Some(of_source(error)),
        // What was tried may name a tenant, which may be a person.
        Error::Target(TargetError::Refused { .. }) => {
            Some("the target database refused a statement".to_owned())
        }
        Error::Target(TargetError::Busy { .. }) => {
            Some("other sessions use the tables of the target database".to_owned())
        }
        Error::Target(error) => Some(error.to_string()),
        Error::NotCleanedUp { failure, .. } | Error::Unsettled { failure, .. } => sentence(failure),
        // Lists of what was found, and what a caller asked for.
        _ => None,
    }
}

fn of_source(error: &SourceError) -> String {
    match error {
        SourceError::Unexpected { .. } => "unexpected answer from the database".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use gorgen_adapters::mysql::MySqlError;

    use super::*;

    const MARKER: &str = "maria-da-silva-123";

    fn server(code: u16) -> Box<dyn std::error::Error + Send + Sync> {
        // As it would be, had the words without values forgotten this code.
        let message = format!("Duplicate entry '{MARKER}' for key 'cpf'");
        Box::new(MySqlError::Server { code, message })
    }

    fn marker() -> String {
        MARKER.to_owned()
    }

    #[test]
    fn of_what_a_server_says_only_its_number_is_told() {
        let action = format!("replace the rows of tenant {MARKER}");
        let refused = TargetError::Refused { action: action.clone(), source: server(1062) };
        assert_eq!(
            of_engine(&refused.into()).unwrap(),
            "the target database refused a statement (MySQL 1062)"
        );
        let refused = SourceError::Refused {
            action: "read table pacientes".to_owned(),
            source: server(1146),
        };
        assert_eq!(
            of_engine(&refused.into()).unwrap(),
            "the database refused to read table pacientes (MySQL 1146)"
        );
        let busy = TargetError::Busy { action, source: server(1205) };
        assert!(!of_engine(&busy.into()).unwrap().contains(MARKER));
    }

    #[test]
    fn what_was_found_in_tables_or_asked_for_is_not_told() {
        let restore = || "20261123T060000Z-4f2a91c3".parse().unwrap();
        for error in [
            Error::Mismatch { differences: vec![marker()] },
            Error::Dangling { rows: vec![marker()] },
            Error::Orphans { orphans: vec![marker()] },
            Error::Blocked { reasons: vec![marker()] },
            Error::Incompatible { target: marker(), problems: vec![marker()] },
            Error::NoSuchBackup { id: marker(), vault: "s3://v".to_owned() },
            Error::NoSuchTable { table: marker(), backup: restore(), known: marker() },
            Error::Source(SourceError::Unexpected { what: marker() }),
            Error::Unsettled {
                restore: restore(),
                failure: Box::new(Error::Mismatch { differences: vec![marker()] }),
                cleanup: Box::new(Error::Blocked { reasons: vec![marker()] }),
            },
        ] {
            let told = of_engine(&error).unwrap_or_default();
            assert!(!told.contains(MARKER), "{told}");
        }
    }

    #[test]
    fn of_wrong_settings_the_names_are_told() {
        let pairs = [("GORGEN_VALT", MARKER), ("GORGEN_READERS", MARKER)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let error = gorgen_adapters::settings::Settings::from_pairs(pairs).unwrap_err();
        let told = of_settings(&error);
        assert!(told.contains("GORGEN_VALT") && told.contains("GORGEN_READERS"), "{told}");
        assert!(!told.contains(MARKER));
    }
}
