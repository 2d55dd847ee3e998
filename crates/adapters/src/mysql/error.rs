//! Errors of the connection and the server, in words that hold neither rows nor passwords.
//!
//! Server messages quote row values (`Duplicate entry 'maria@...' for key 'email'`). What a server says is
//! therefore shown whole only where no row can be in it; else only its names, or our own words for its code.

use std::{io, path::PathBuf};

use gorgen_engine::{
    model::SourceIdentity,
    ports::{SourceError, TargetError},
};

use super::wire;

/// What the connection or the server said.
#[derive(Debug, thiserror::Error)]
pub enum MySqlError {
    /// The server's own error.
    #[error("{message} (error {code})")]
    Server {
        /// Its code, e.g. 1045.
        code: u16,
        /// Its message, without row values.
        message: String,
    },
    /// The network.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// TLS could not be agreed on.
    #[error(transparent)]
    Tls(io::Error),
    /// The server does not speak TLS.
    #[error("the server does not speak TLS")]
    NoTls,
    /// The account logs in with something that is not known here.
    #[error("there is no such account, or it logs in with {plugin}, which is not supported")]
    Plugin {
        /// The server's plugin.
        plugin: String,
    },
    /// The account would send its password as it is, for others to hear.
    #[error("the account sends its password as it is, which only TLS makes safe")]
    Cleartext,
    /// An answer that is no answer to what was asked; its content is not shown.
    #[error("the server's answer was not understood")]
    Protocol,
    /// Nothing came.
    #[error("no answer within {seconds} s")]
    Timeout {
        /// How long was waited.
        seconds: u64,
    },
    /// A privilege is missing without which things would be left out silently.
    #[error("the account lacks the privilege {privilege}: {grant}")]
    Privilege {
        /// Which.
        privilege: &'static str,
        /// The statement that grants it.
        grant: String,
    },
    /// The authority that signs the server's certificate is not known.
    #[error("cannot read the certificates in {}", path.display())]
    Authority {
        /// The file that should name it.
        path: PathBuf,
        /// Why it can't be read.
        source: io::Error,
    },
    /// The server stored something else than it was sent.
    #[error("the server altered or refused values: {message} (warning {code})")]
    Altered {
        /// The warning's code.
        code: u16,
        /// What it is about, without row values.
        message: String,
    },
    /// The rows to load are not what the table's columns say.
    #[error("the rows do not fit the table's columns")]
    Rows,
}

/// How much of a server's message may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All but what may hold row values: the statement had none in it.
    Statement,
    /// Only names: rows were part of the statement.
    Rows,
}

/// Codes with which a server says that it, or the way to it, is not there now.
const UNREACHABLE: &[u16] = &[
    1040, // too many connections
    1053, // shutdown in progress
    1077, // normal shutdown
    1079, // shutdown complete
    1158, 1159, 1160, 1161, // network read and write
    1203, // too many connections of this user
    1205, // lock wait timeout
    1213, // deadlock
    1226, // resource limit of this user
    1927, // connection was killed (MariaDB)
    3168, // server is not yet ready
    4031, // idle for too long (MySQL)
];

/// Codes with which a server says that a definition is not what it was.
const CHANGED: &[u16] = &[
    1049, // unknown database
    1054, // unknown column
    1146, // no such table
    1176, // no such key
    1205, // a lock was not given in time: a definition is being changed
    1213, // deadlock, with a statement that changes definitions
    1305, // no such routine
    1347, // is not a view
    1360, // no such trigger
    1412, // table definition has changed
    1539, // no such event
    4089, // is not a sequence (MariaDB)
    4091, // unknown sequence (MariaDB)
];

/// Codes whose messages may hold a value even if the statement has none in it (`ALTER TABLE` reads rows).
const HOLDS_VALUES: &[u16] = &[
    1062, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1441, 1525, 1526, 1586, 1644, 1690, 1748,
    1859, 1918, 3140, 3141, 3156, 3903, 3904,
];

/// Codes whose messages never hold more than names.
const ONLY_NAMES: &[u16] = &[
    1005, 1021, 1030, 1036, 1044, 1045, 1048, 1053, 1054, 1114, 1136, 1142, 1143, 1146, 1148, 1153,
    1205, 1213, 1227, 1263, 1290, 1317, 1364, 1416, 1452, 1927, 3024, 3037, 3516, 3643, 3819, 3948,
    4025, 4166,
];

impl From<wire::Error> for MySqlError {
    fn from(error: wire::Error) -> Self {
        Self::shown(error, Shown::Statement)
    }
}

impl MySqlError {
    /// Takes over an error of the connection, with as much of a server's message as may be shown.
    pub(super) fn shown(error: wire::Error, shown: Shown) -> Self {
        match error {
            wire::Error::Server { code, message } => {
                Self::Server { code, message: without_values(code, &message, shown) }
            }
            wire::Error::Io(error) => Self::Io(error),
            wire::Error::Tls(error) => Self::Tls(error),
            wire::Error::NoTls => Self::NoTls,
            // Of an account that is not there, MySQL says that it logs in with any of its plugins.
            wire::Error::Plugin { plugin } => Self::Plugin { plugin },
            wire::Error::Cleartext => Self::Cleartext,
            wire::Error::Protocol => Self::Protocol,
        }
    }

    /// The code, if the server itself spoke.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Server { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// May the same statement succeed if it is only run again?
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self.code(), Some(1205 | 1213))
    }

    /// The port's error for something that was asked of `identity`; `what` names the object that is concerned.
    pub(super) fn source(self, identity: &SourceIdentity, action: &str, what: &str) -> SourceError {
        match self.code() {
            Some(code) if CHANGED.contains(&code) => {
                SourceError::DefinitionChanged { what: what.to_owned() }
            }
            _ => self.refused(identity, action),
        }
    }

    /// The port's error for a session that could not be opened.
    pub(super) fn login(self, identity: &SourceIdentity, user: &str) -> SourceError {
        if matches!(self, Self::Protocol) {
            // Something else listens there: the way to the database is not what it should be.
            return SourceError::Unreachable { identity: identity.clone(), source: self.into() };
        }
        match self.refused(identity, "log in") {
            SourceError::Refused { source, .. } => {
                SourceError::Login { identity: identity.clone(), user: user.to_owned(), source }
            }
            other => other,
        }
    }

    /// The port's error for something that no change of definitions can explain.
    pub(super) fn refused(self, identity: &SourceIdentity, action: &str) -> SourceError {
        let unreachable = match &self {
            Self::Tls(_) | Self::NoTls | Self::Authority { .. } => {
                return SourceError::Tls { identity: identity.clone(), source: self.into() };
            }
            // So does rustls report what it does not accept once TLS is there.
            Self::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                return SourceError::Tls { identity: identity.clone(), source: self.into() };
            }
            Self::Server { code, .. } => UNREACHABLE.contains(code),
            Self::Io(_) | Self::Timeout { .. } => true,
            Self::Plugin { .. }
            | Self::Cleartext
            | Self::Privilege { .. }
            | Self::Altered { .. }
            | Self::Rows => false,
            Self::Protocol => {
                return SourceError::Unexpected { what: format!("cannot {action}: {self}") };
            }
        };
        if unreachable {
            SourceError::Unreachable { identity: identity.clone(), source: self.into() }
        } else {
            SourceError::Refused { action: action.to_owned(), source: self.into() }
        }
    }

    /// The port's error for something that was asked of a target.
    pub(super) fn target(self, identity: &SourceIdentity, action: &str) -> TargetError {
        if self.is_conflict() {
            return TargetError::Busy { action: action.to_owned(), source: self.into() };
        }
        match self.refused(identity, action) {
            SourceError::Refused { action, source } => TargetError::Refused { action, source },
            other => TargetError::Source(other),
        }
    }
}

/// A server's message or warning without the row values in it.
pub(super) fn without_values(code: u16, message: &str, shown: Shown) -> String {
    let whole = match shown {
        Shown::Statement => !HOLDS_VALUES.contains(&code),
        Shown::Rows => ONLY_NAMES.contains(&code),
    };
    if whole {
        return message.to_owned();
    }
    let what = match code {
        1062 | 1586 | 1859 => "duplicate entry",
        1064 => "syntax error",
        // MariaDB stores the first rows of a table all at once, and then says no more than this.
        1180 => "all rows refused at once, as when a key is there twice",
        1264 | 1690 => "value out of range",
        1265 | 1406 => "value too long or not known to the column",
        1292 | 1366 | 1367 | 1411 | 1525 | 1918 => "value of the wrong kind",
        1300 => "bytes that are no text of that character set",
        1441 => "date or time out of range",
        1526 | 1748 => "no partition for a value",
        1644 => "raised by a trigger or routine",
        3140 | 3141 | 3156 | 3903 | 3904 => "invalid JSON",
        _ => "a value was refused",
    };
    // Values stand before these words, names after them.
    let names = [" for key ", " for column "].into_iter().find_map(|words| {
        let at = message.rfind(words)?;
        Some(&message[at..])
    });
    format!("{what}{}", names.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, message: &str) -> wire::Error {
        wire::Error::Server { code, message: message.to_owned() }
    }

    #[test]
    fn row_values_are_left_out_and_names_kept() {
        let shown =
            |code, message, shown| MySqlError::shown(server(code, message), shown).to_string();
        let duplicate = "Duplicate entry 'maria for key x' for key 'pacientes.email'";
        for how in [Shown::Statement, Shown::Rows] {
            let expected = "duplicate entry for key 'pacientes.email' (error 1062)";
            assert_eq!(shown(1062, duplicate, how), expected);
        }
        assert_eq!(
            shown(1366, "Incorrect integer value: 'segredo' for column 'c' at row 3", Shown::Rows),
            "value of the wrong kind for column 'c' at row 3 (error 1366)"
        );
        let syntax = "You have an error in your SQL syntax; ... near ''segredo','x')' at line 1";
        assert_eq!(shown(1064, syntax, Shown::Rows), "syntax error (error 1064)");
        assert_eq!(shown(9999, "novel 'segredo'", Shown::Rows), "a value was refused (error 9999)");
        assert_eq!(shown(9999, "novel", Shown::Statement), "novel (error 9999)");
    }

    #[test]
    fn codes_decide_what_kind_of_error_it_is() {
        let identity =
            SourceIdentity { server: "db:3306".to_owned(), database: "clinica".to_owned() };
        let error = |code| {
            MySqlError::from(server(code, "said")).source(&identity, "read table a", "table a")
        };
        assert!(
            matches!(error(1412), SourceError::DefinitionChanged { what } if what == "table a")
        );
        assert!(matches!(error(1927), SourceError::Unreachable { .. }));
        assert!(
            matches!(error(1045), SourceError::Refused { action, .. } if action == "read table a")
        );
    }

    #[test]
    fn what_keeps_a_session_from_being_opened_is_told_apart() {
        let identity =
            SourceIdentity { server: "db:3306".to_owned(), database: "clinica".to_owned() };
        let kind = |error: MySqlError| error.login(&identity, "gorgen");
        let denied = MySqlError::from(server(1045, "Access denied"));
        assert!(matches!(kind(denied), SourceError::Login { user, .. } if user == "gorgen"));
        let plugin = MySqlError::Plugin { plugin: "sha256_password".to_owned() };
        assert!(matches!(kind(plugin), SourceError::Login { .. }));
        let full = MySqlError::from(server(1040, "Too many connections"));
        assert!(matches!(kind(full), SourceError::Unreachable { .. }));
        for wire in [wire::Error::NoTls, wire::Error::Tls(io::Error::other("expired"))] {
            assert!(matches!(kind(wire.into()), SourceError::Tls { .. }));
        }
        // Once there is TLS, what it does not accept comes as an error of the stream.
        let alert = wire::Error::Io(io::ErrorKind::InvalidData.into());
        assert!(matches!(kind(alert.into()), SourceError::Tls { .. }));
        let lost = wire::Error::Io(io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(kind(lost.into()), SourceError::Unreachable { .. }));
        assert!(matches!(kind(wire::Error::Cleartext.into()), SourceError::Login { .. }));
        assert!(matches!(kind(wire::Error::Protocol.into()), SourceError::Unreachable { .. }));
        let later = MySqlError::from(wire::Error::Protocol).refused(&identity, "read table a");
        assert!(matches!(later, SourceError::Unexpected { .. }));
        let late = MySqlError::Timeout { seconds: 20 };
        assert!(matches!(kind(late), SourceError::Unreachable { .. }));
    }
}
