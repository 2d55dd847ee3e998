//! `requests/<sha-256>.json`: what became of a request that carried a key, so that a repetition of it is answered, not done again.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId};

/// What the caller was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where what was begun can be seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    /// The body.
    pub body: serde_json::Value,
}

/// A request with a key. Replaced only by compare-and-swap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    format: u32,
    /// What the request begins; the same when it is tried again.
    pub change: RunId,
    /// When it came, or came again after it had failed.
    pub at: Timestamp,
    /// The SHA-256 of its body, in hex.
    pub body: String,
    /// What was answered; absent while it is not known that all was begun.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<Answer>,
    /// It failed, and may be tried again at once.
    #[serde(default)]
    pub failed: bool,
}

impl RequestRecord {
    /// A request that came at `at` and is not answered yet.
    pub fn new(change: RunId, at: Timestamp, body: String) -> Self {
        Self { format: FORMAT, change, at, body, answer: None, failed: false }
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
