//! `reports/<month>/<run id>.json`: a month as it was told, with a digest that the page beside it names.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digested, FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId};

/// The record of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportRecord {
    format: u32,
    /// The run that told it.
    pub run: RunId,
    /// When it did.
    pub at: Timestamp,
    /// The month: what `jobs::report::Report` is written as.
    pub report: serde_json::Value,
}

impl ReportRecord {
    /// A new record.
    pub fn new(run: RunId, at: Timestamp, report: serde_json::Value) -> Self {
        Self { format: FORMAT, run, at, report }
    }

    /// Reads it, and gives the SHA-256 that it carries.
    ///
    /// # Errors
    /// If it is not what was written.
    pub fn read(bytes: &[u8]) -> Result<(Self, String), FormatError> {
        let record = read_json(bytes)?;
        let Digested { sha256, .. } = serde_json::from_slice(bytes)?;
        Ok((record, sha256))
    }

    /// Writes it, and gives the SHA-256 that it carries.
    ///
    /// # Errors
    /// If it can't be written as JSON.
    pub fn write(&self) -> Result<(Bytes, String), FormatError> {
        let bytes = write_json(self)?;
        let Digested { sha256, .. } = serde_json::from_slice(&bytes)?;
        Ok((bytes, sha256))
    }
}
