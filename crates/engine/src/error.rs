//! What can be wrong with stored bytes.

use crate::model::ParseIdError;

/// Bytes that are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Canonical rows that can't be read.
    #[error("damaged rows: {0}")]
    Rows(&'static str),
    /// A frame that can't be decompressed.
    #[error("damaged compression frame")]
    Compression(#[source] std::io::Error),
    /// Something is longer or shorter than it should be.
    #[error("expected {expected} bytes, got {given}")]
    Length {
        /// What it should be.
        expected: u64,
        /// What it is.
        given: u64,
    },
    /// A seal does not open: damage, another key, or it belongs elsewhere.
    #[error(
        "the seal of {kind} {name} does not open: damaged, swapped, or sealed with another key"
    )]
    Seal {
        /// What is sealed.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// No pack, or a truncated one.
    #[error("not a pack, or cut short")]
    Pack,
    /// No manifest, or a truncated one.
    #[error("not a manifest, or cut short")]
    Manifest,
    /// No journal, or a truncated one.
    #[error("not a journal, or cut short")]
    Journal,
    /// A chunk opened, but holds other rows than its name says.
    #[error("chunk {0} holds other rows than its name says")]
    Content(String),
    /// A record that is no JSON of its kind.
    #[error("damaged record")]
    Json(#[from] serde_json::Error),
    /// A record that was altered after it was written.
    #[error("the record's digest does not match its content")]
    Digest,
    /// A record of a later format.
    #[error("format version {given}; this program reads version {known}")]
    Version {
        /// The version found.
        given: u32,
        /// The version this program knows.
        known: u32,
    },
    /// A record with a malformed id.
    #[error(transparent)]
    Id(#[from] ParseIdError),
}
