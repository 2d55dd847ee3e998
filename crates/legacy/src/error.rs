//! Why nothing was imported.

use gorgen_engine::Kind;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither an encrypted file nor a plain one.
    #[error("{file} is no backup file of the old program: {why}")]
    NotABackup {
        /// The file.
        file: String,
        /// What it lacks.
        why: &'static str,
    },
    /// The key of an encrypted file depends on whose it is, which its content tells only once it is open.
    #[error("{file} is encrypted, and nothing tells whose it is")]
    NoTenant {
        /// The file.
        file: String,
    },
    /// No secret that is known opens the file.
    #[error(
        "{file} does not open: it is damaged or cut short, or was not encrypted for tenant {tenant} {}",
        if *has_secret { "with this secret, nor with the old program's own" } else { "with the old program's own secret" }
    )]
    DoesNotOpen {
        /// The file.
        file: String,
        /// Whose it was said to be.
        tenant: String,
        /// Was a secret given?
        has_secret: bool,
    },
    /// The file opens, but is not what it should be.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The files can't become a backup of this database.
    #[error("the files can't be imported: {}", reasons.join("; "))]
    Refused {
        /// Each a sentence.
        reasons: Vec<String>,
    },
}

impl Error {
    /// A file that opens, but is not what it should be.
    pub(crate) fn damaged(file: &str, what: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), what: what.into() }
    }

    /// What can't be imported, for one reason.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reasons: vec![reason.into()] }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotABackup { .. } | Self::DoesNotOpen { .. } | Self::Damaged { .. } => {
                Kind::Integrity
            }
            Self::NoTenant { .. } | Self::Refused { .. } => Kind::Refused,
        }
    }

    /// What the person who reads the error can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoTenant { .. } => Some(
                "say it with --tenant N, or give the file with its folder, as backup/tenant_7/full_...json.gz.enc",
            ),
            Self::DoesNotOpen { has_secret: false, .. } => Some(
                "set GORGEN_LEGACY_JWT_SECRET to the JWT secret that the app had when the file was made",
            ),
            Self::DoesNotOpen { has_secret: true, .. } => Some(
                "check GORGEN_LEGACY_JWT_SECRET against the JWT secret that the app had when the file was made, and --tenant; \
                 if both are right, take another copy of the file",
            ),
            Self::Damaged { .. } => {
                Some("take another copy of the file: nothing of this one is used")
            }
            Self::NotABackup { .. } | Self::Refused { .. } => None,
        }
    }
}
