//! `cleanups/<run id>.json`: which backups a cleanup drops and why, written before the first of them goes.
//!
//! So a backup whose manifest is gone was either dropped by the rules, and here is which, or it was lost.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId};

/// A backup that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The backup.
    pub backup: RunId,
    /// Why nothing keeps it.
    pub why: String,
}

/// What one cleanup drops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupRecord {
    format: u32,
    /// The run of the cleanup.
    pub run: RunId,
    /// When this was decided.
    pub at: Timestamp,
    /// The rules it went by.
    pub rules: String,
    /// The backups, oldest first.
    pub dropped: Vec<Dropped>,
}

impl CleanupRecord {
    /// What this run drops.
    pub fn new(run: RunId, at: Timestamp, rules: String, dropped: Vec<Dropped>) -> Self {
        Self { format: FORMAT, run, at, rules, dropped }
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
