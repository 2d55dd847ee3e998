//! `locks/backup.json`: the lease of the run that may write backups.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{error::FormatError, model::RunId, records::run::Job};

/// Who holds the lock, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    format: u32,
    /// The run that holds it.
    pub run: RunId,
    /// Which job that is.
    #[serde(default = "backup")]
    pub job: Job,
    /// Until when it is held, unless renewed. In the past once it was given back.
    pub until: Timestamp,
    /// Was it given back? Otherwise its run died, and left no record.
    pub released: bool,
}

/// What held locks before they said so.
const fn backup() -> Job {
    Job::Backup
}

impl Lease {
    /// A lease held until `until`.
    pub fn held(run: RunId, job: Job, until: Timestamp) -> Self {
        Self { format: FORMAT, run, job, until, released: false }
    }

    /// The same lease, given back at `now`.
    #[must_use]
    pub fn given_back(self, now: Timestamp) -> Self {
        Self { until: now, released: true, ..self }
    }

    /// May another run take it at `now`?
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.released || self.until <= now
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
