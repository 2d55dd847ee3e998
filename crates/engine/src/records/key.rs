//! `keys/<id>.json`: one data key, wrapped.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{
    error::FormatError,
    model::{KeyId, RunId, VaultId},
    ports::WrappedKey,
};

/// A wrapped data key, by which it can be opened as long as one of its wrapping keys is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    format: u32,
    /// The data key's id: what it is for and whose.
    pub key: KeyId,
    /// The vault it belongs to.
    pub vault: VaultId,
    /// Tells whether an unwrapped key is this one ([`crate::stages::seal::key_check`]).
    #[serde(with = "hex::serde")]
    pub check: [u8; 16],
    /// Its wrappings, each enough by itself.
    pub wrapped: Vec<WrappedKey>,
    /// That it was erased: it has no wrappings any more, and what it sealed is never read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub erased: Option<Erased>,
}

/// When a key was erased, and by which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
}

impl KeyRecord {
    /// The record of a new key.
    pub fn new(key: KeyId, vault: VaultId, check: [u8; 16], wrapped: Vec<WrappedKey>) -> Self {
        Self { format: FORMAT, key, vault, check, wrapped, erased: None }
    }

    /// The same key with these wrappings.
    #[must_use]
    pub fn with_wrappings(self, wrapped: Vec<WrappedKey>) -> Self {
        Self { wrapped, ..self }
    }

    /// What is left of the key once it is erased: nothing that opens it.
    #[must_use]
    pub fn erase(self, erased: Erased) -> Self {
        Self { wrapped: Vec::new(), erased: Some(erased), ..self }
    }

    /// The wrapping keys, for messages.
    pub fn wrapped_for(&self) -> String {
        let names =
            self.wrapped.iter().map(|wrapped| format!("{}:{}", wrapped.by, wrapped.wrapping_key));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Reads the record.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        read_json(bytes)
    }

    /// Writes the record.
    pub fn write(&self) -> Result<Bytes, FormatError> {
        write_json(self)
    }
}
