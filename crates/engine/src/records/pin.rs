//! `pins/<backup id>.json`: whether somebody asked to keep a backup, whatever the rules say.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId};

/// A wish to keep a backup, or that it was taken back. Replaced only by compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRecord {
    format: u32,
    /// The backup.
    pub backup: RunId,
    /// Is it to be kept?
    pub pinned: bool,
    /// Since when this is so.
    pub since: Timestamp,
    /// Why, in the words of whoever wished it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl PinRecord {
    /// What is wished of a backup from `since` on.
    pub fn new(backup: RunId, pinned: bool, since: Timestamp, reason: Option<String>) -> Self {
        Self { format: FORMAT, backup, pinned, since, reason }
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
