//! `vault.json`: which vault this is, and which source it belongs to.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{
    error::FormatError,
    model::{SourceIdentity, VaultId},
};

/// The vault's identity, written once, by the first backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultIdentity {
    format: u32,
    /// The vault's own name.
    pub vault: VaultId,
    /// The source it belongs to.
    pub source: SourceIdentity,
    /// When it was made.
    pub created: Timestamp,
}

impl VaultIdentity {
    /// The identity of a new vault.
    pub fn new(vault: VaultId, source: SourceIdentity, created: Timestamp) -> Self {
        Self { format: FORMAT, vault, source, created }
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
