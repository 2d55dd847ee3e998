//! `runs/<id>.json`: what became of one execution of a job.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{
    error::FormatError,
    model::{RunId, SourceIdentity},
};

/// Which job ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// A backup.
    Backup,
    /// A restore.
    Restore,
    /// A verification.
    Verify,
    /// A restore into a throw-away database, to prove that a backup can be restored.
    RestoreTest,
    /// A month's report.
    Report,
    /// Dropping what is no longer kept.
    Cleanup,
    /// A backup made of another program's files.
    Import,
    /// The destruction of one tenant's data keys.
    Erase,
    /// A job that a later version knows.
    #[serde(other)]
    Other,
}

impl Job {
    /// The word used in records, metrics and names of functions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Verify => "verify",
            Self::RestoreTest => "restore-test",
            Self::Report => "report",
            Self::Cleanup => "cleanup",
            Self::Import => "import",
            Self::Erase => "erase",
            Self::Other => "other",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should.
    Succeeded,
    /// With an error, which the record holds.
    Failed,
    /// Not at all: it was cut off and left its lock behind, as a later run found.
    Died,
    /// In a way that a later version knows.
    #[serde(other)]
    Other,
}

/// The record of a run, written once when it ended. Later versions may say more in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    format: u32,
    /// The run; for a backup and an import also the backup's id.
    pub run: RunId,
    /// Which job.
    pub job: Job,
    /// How it ended.
    pub outcome: Outcome,
    /// The moment it was scheduled for, if a schedule started it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scheduled: Option<Timestamp>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended, or was found dead.
    pub ended: Timestamp,
    /// The source, where the job has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceIdentity>,
    /// The error and its causes, one a line.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub error: Vec<String>,
    /// The job's own summary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub summary: Option<serde_json::Value>,
}

impl RunRecord {
    /// A record without source, error or summary.
    pub fn new(
        run: RunId,
        job: Job,
        outcome: Outcome,
        started: Timestamp,
        ended: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT,
            run,
            job,
            outcome,
            scheduled: None,
            started,
            ended,
            source: None,
            error: Vec::new(),
            summary: None,
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
