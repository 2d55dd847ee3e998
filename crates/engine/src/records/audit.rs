//! `audit/<id>.json`: one call that changes something, or would have: who, when, from where, what, and the answer.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId};

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// As the issuer of the token knows the caller (`sub`), or the account of the machine.
    pub subject: String,
    /// A name that people know, if the token tells one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The roles the caller has.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The address the call came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The program the call came from, as it calls itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was done, or begun.
    Allowed,
    /// The caller may not do this, or did not confirm it.
    Refused,
    /// It was allowed, but could not be done.
    Failed,
    /// Something that a later version knows.
    #[serde(other)]
    Other,
}

/// The record of a call, written once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    format: u32,
    /// The entry; its time is the call's.
    pub entry: RunId,
    /// When the call came.
    pub at: Timestamp,
    /// Who called.
    pub caller: Caller,
    /// What was wanted, as `POST /v1/restores`.
    pub action: String,
    /// What exactly: the request, without secrets; it never holds rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<serde_json::Value>,
    /// What became of it.
    pub verdict: Verdict,
    /// The status of the answer.
    pub status: u16,
    /// What the caller was told, if it was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The restore or run that it began or is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub about: Option<String>,
}

impl AuditRecord {
    /// A record of a call at `at`.
    pub fn new(
        entry: RunId,
        at: Timestamp,
        caller: Caller,
        action: String,
        verdict: Verdict,
        status: u16,
    ) -> Self {
        Self {
            format: FORMAT,
            entry,
            at,
            caller,
            action,
            request: None,
            verdict,
            status,
            reason: None,
            about: None,
        }
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
