//! `restores/<id>.json`: one restore over its whole life, from the request to the end of its old tables.
//!
//! It is the journal as well: what can't be undone by dropping the staging database is written here before
//! it is done, so that a restore which was cut off anywhere is finished or taken back by running it again.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, read_json, write_json};
use crate::{
    error::FormatError,
    model::{RunId, SourceIdentity},
    stages::rows::Digest,
};

/// Where a restore goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "to", deny_unknown_fields)]
pub enum Destination {
    /// In place of the live tables.
    InPlace {
        /// Stop when all is loaded and verified beside them; `promote` goes on.
        #[serde(default)]
        stage_only: bool,
    },
    /// Into another database, new or empty.
    Database {
        /// Its name.
        database: String,
        /// On the scratch server instead of the protected one.
        #[serde(default)]
        on_scratch: bool,
    },
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The backup, by its id or `latest`.
    pub backup: String,
    /// Where to.
    pub destination: Destination,
    /// Only these tables; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Only the rows of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Go on without a backup of what is there now.
    #[serde(default)]
    pub no_safety_backup: bool,
    /// Go on although rows would point at rows that are not there.
    #[serde(default)]
    pub accept_orphans: bool,
    /// Only plan: change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// How far a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Asked for; nothing was done yet.
    Requested,
    /// It was only a plan, and there it is.
    Planned,
    /// Loading beside the live tables, which are as they were.
    Loading,
    /// Loaded and verified beside the live tables, which are as they were.
    Staged,
    /// Being put in the place of the live tables: they are wholly old or wholly restored.
    Promoting,
    /// The live tables are the restored ones; undo is possible while the old ones are kept.
    Restored,
    /// Being taken back.
    Undoing,
    /// Taken back: the live tables are the old ones again.
    Undone,
    /// Taken back before it changed anything, as somebody wished.
    Cancelled,
    /// It failed; the live tables are as they were, and nothing is left beside them.
    Failed,
    /// A stage that a later version knows.
    #[serde(other)]
    Other,
}

impl Stage {
    /// Is nothing going on any more, and nothing left to finish?
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Requested | Self::Loading | Self::Promoting | Self::Undoing)
    }

    /// The word used in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Planned => "planned",
            Self::Loading => "loading",
            Self::Staged => "staged",
            Self::Promoting => "promoting",
            Self::Restored => "restored",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }
}

/// Which rows the live tables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Live {
    /// Those from before the restore.
    Untouched,
    /// Those of the backup.
    Restored,
    /// Not known from here: `status` asks the database.
    Unknown,
}

/// How far the loading is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Tables to load.
    pub tables: u64,
    /// Tables that are loaded and read back.
    pub tables_done: u64,
    /// Rows to load.
    pub rows: u64,
    /// Rows that are loaded and read back.
    pub rows_done: u64,
    /// Bytes to load.
    pub bytes: u64,
    /// Bytes that are loaded and read back.
    pub bytes_done: u64,
}

/// One table that was loaded and read back, equal to what the backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The table.
    pub table: String,
    /// What was read back.
    pub digest: Digest,
}

/// How long one step took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lap {
    /// What was done.
    pub name: String,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub seconds: f64,
}

/// A restore. Later versions may say more in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestoreRecord {
    format: u32,
    /// The restore.
    pub restore: RunId,
    /// What was asked for.
    pub wish: Wish,
    /// Who asked, as the caller is known; nobody if a person at the command line did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked_by: Option<String>,
    /// How far it is.
    pub stage: Stage,
    /// Which rows the live tables hold.
    pub live: Live,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When this record was last changed.
    pub updated: Timestamp,
    /// The backup that `wish.backup` meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub backup: Option<RunId>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<SourceIdentity>,
    /// The database it is loaded into, beside the live one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub staging: Option<String>,
    /// The database that keeps the old tables.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<String>,
    /// The backup that was made of the live tables before they were touched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub safety_backup: Option<RunId>,
    /// Until when `undo` is promised; later the old tables may be gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undo_until: Option<Timestamp>,
    /// Tables that are not restored, as settings want it; they stay as they are.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub kept: Vec<String>,
    /// Tables whose rows are not restored and that are not there: they come back empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub emptied: Vec<String>,
    /// Tables that only get the rows that they lack.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub merged: Vec<String>,
    /// How often tables changed places, or were about to: the number of the last journal.
    #[serde(default)]
    pub journals: u32,
    /// The number of the journal of the last promotion.
    #[serde(default)]
    pub promotion: u32,
    /// The old tables were dropped: there is no way back but another restore.
    #[serde(default)]
    pub dropped: bool,
    /// What the plan found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan: Option<serde_json::Value>,
    /// How far loading is.
    #[serde(default)]
    pub progress: Progress,
    /// The tables that were proved equal to the backup.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub verified: Vec<Verified>,
    /// How long each step took, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub laps: Vec<Lap>,
    /// What is not as one might expect, each a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// The last error and its causes, one a line.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub error: Vec<String>,
}

impl RestoreRecord {
    /// A restore that was asked for at `now`.
    pub fn new(restore: RunId, wish: Wish, asked_by: Option<String>, now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            restore,
            wish,
            asked_by,
            stage: Stage::Requested,
            live: Live::Untouched,
            requested: now,
            updated: now,
            backup: None,
            target: None,
            staging: None,
            before: None,
            safety_backup: None,
            undo_until: None,
            kept: Vec::new(),
            emptied: Vec::new(),
            merged: Vec::new(),
            journals: 0,
            promotion: 0,
            dropped: false,
            plan: None,
            progress: Progress::default(),
            verified: Vec::new(),
            laps: Vec::new(),
            warnings: Vec::new(),
            error: Vec::new(),
        }
    }

    /// Is it changing, or about to change, the live database?
    pub fn is_at_work(&self) -> bool {
        matches!(self.stage, Stage::Loading | Stage::Promoting | Stage::Undoing)
            && matches!(self.wish.destination, Destination::InPlace { .. })
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
