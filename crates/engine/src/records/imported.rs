//! What a backup says that was made of files of another program, and not of a database.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an imported backup comes from. It holds the rows of one tenant, and of its tables alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Whose rows they are.
    pub tenant: String,
    /// When the newest of the files was made.
    pub created: Timestamp,
    /// The files, in the order in which they were made.
    pub files: Vec<ImportedFile>,
    /// What was left out, could not be represented or was assumed, each a sentence.
    pub notes: Vec<String>,
}

/// A file that a backup was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedFile {
    /// Its name, without folders.
    pub name: String,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Imported {
    /// The names of the files, for people.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.join(", ")
    }
}
