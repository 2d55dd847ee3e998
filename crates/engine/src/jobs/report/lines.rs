//! What a report tells, line by line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{RunId, Scope},
    policy::shares::Share,
    records::{
        audit::Verdict,
        restore::{Live, Stage},
        run::{Job, Outcome},
    },
};

/// How the runs of one job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The job.
    pub job: Job,
    /// Runs that did what they should.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were cut off.
    pub died: u64,
}

/// One backup that was made in the month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupLine {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Tables.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of the canonical rows.
    pub raw_bytes: u64,
    /// Bytes of the sealed chunks that make it up.
    pub stored_bytes: u64,
    /// Bytes of these that were not there before.
    pub new_bytes: u64,
    /// Whether it is in the vault.
    pub state: State,
    /// What dropped it, if a cleanup did.
    pub dropped: Option<DroppedBy>,
}

/// Where a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In the vault.
    Kept,
    /// Dropped by the rules.
    Dropped,
    /// Not in the vault, and no cleanup says that it dropped it.
    Lost,
    /// In the vault, with a header that can't be read.
    Unreadable,
}

/// What dropped a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DroppedBy {
    /// The cleanup.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The rules it went by.
    pub rules: String,
    /// Why, in its words.
    pub why: String,
}

/// One restore test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestLine {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Whether the backup came back equal.
    pub passed: bool,
    /// How long it took until all was proved, in seconds; the whole run, if it failed.
    pub seconds: f64,
    /// The backup, if the test came so far as to choose one.
    pub backup: Option<RunId>,
    /// Tables that came back equal.
    pub tables: u64,
    /// Rows of these.
    pub rows: u64,
    /// Foreign keys whose every row points at one that is there.
    pub foreign_keys: u64,
    /// Views, triggers, routines, events and sequences that are there as they were backed up.
    pub objects: u64,
    /// Views that could be selected from; they are among the objects.
    pub views: u64,
    /// Which backup had its turn, if that was said: `latest`, `random`, or `named` by whoever asked.
    pub pick: Option<String>,
    /// Where it was restored from, if that was said: `vault` or `replica`.
    pub place: Option<String>,
    /// How long each phase took, in order.
    pub phases: Vec<PhaseLine>,
}

/// One phase of a restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseLine {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// One verification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerificationLine {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Whether it came to its end.
    pub completed: bool,
    /// Backups that were checked.
    pub backups: u64,
    /// Objects looked at.
    pub objects: u64,
    /// Bytes of data that were read and proved.
    pub raw_bytes_read: u64,
    /// Whether data was read.
    pub read_data: bool,
    /// Which share of it; none if all was.
    pub share: Option<Share>,
    /// Objects that are not as they should be.
    pub problems: u64,
    /// Objects that a repair made whole.
    pub repaired: u64,
    /// How the replica was, if it was looked at.
    pub replica: Option<ReplicaLine>,
}

/// How the replica was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaLine {
    /// Objects that it held.
    pub objects: u64,
    /// Objects that it lacked.
    pub missing: u64,
    /// Other problems.
    pub damaged: u64,
    /// Objects that were on their way.
    pub waiting: u64,
    /// The newest backup that was wholly there.
    pub newest_backup: Option<RunId>,
    /// How much older it was than the newest of the vault, in seconds.
    pub behind_seconds: Option<u64>,
    /// All that was not as it should be.
    pub problems: u64,
}

/// One run that did not end well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureLine {
    /// The run.
    pub run: RunId,
    /// The job.
    pub job: Job,
    /// When it started.
    pub started: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// The error and its causes.
    pub error: Vec<String>,
}

/// One restore that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestoreLine {
    /// The restore.
    pub restore: RunId,
    /// When it was asked for.
    pub requested: Timestamp,
    /// Who asked, if that is known.
    pub asked_by: Option<String>,
    /// The backup, or what was asked for.
    pub backup: String,
    /// Into the live tables?
    pub in_place: bool,
    /// The database it went to, if another.
    pub database: Option<String>,
    /// Only these tables; all, if none is named.
    pub tables: Vec<String>,
    /// Only this tenant's rows.
    pub tenant: Option<String>,
    /// Whether it only planned.
    pub dry_run: bool,
    /// How far it came.
    pub stage: Stage,
    /// Whose rows the live tables hold.
    pub live: Live,
    /// Until when it can be undone.
    pub undo_until: Option<Timestamp>,
}

/// One call that changed something, or would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    /// The entry.
    pub entry: RunId,
    /// When.
    pub at: Timestamp,
    /// Who: the name, or else the subject of the token.
    pub who: String,
    /// From where: the address.
    pub address: Option<String>,
    /// With what.
    pub agent: Option<String>,
    /// What.
    pub action: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The status that was answered.
    pub status: u16,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The run, restore or schedule that it was about.
    pub about: Option<String>,
}

/// One tenant's erasure from all backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureLine {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Whether it came to its end.
    pub completed: bool,
    /// Whose rows; not known of a run that failed.
    pub tenant: Option<Scope>,
    /// Keys of the tenant.
    pub keys: u64,
    /// Backups that held rows of the tenant.
    pub backups: u64,
    /// Keys of which older versions were locked then.
    pub still_locked: u64,
    /// When the last of these locks ends.
    pub locked_until: Option<Timestamp>,
}

/// One cleanup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanupLine {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Whether it came to its end.
    pub completed: bool,
    /// The rules it went by.
    pub rules: String,
    /// Backups that it kept.
    pub kept: u64,
    /// Backups that it dropped.
    pub dropped: u64,
    /// Bytes that it removed.
    pub removed_bytes: u64,
    /// Objects that nothing needs and that are locked for some time yet.
    pub still_locked: u64,
    /// Locks that it made longer.
    pub locks_extended: u64,
    /// What was not as it should be.
    pub problems: u64,
}

/// One backup that somebody asked to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PinLine {
    /// The backup.
    pub backup: RunId,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// Data keys of one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// `manifest`, `rows` or `naming`.
    pub purpose: String,
    /// Keys that there are.
    pub keys: u64,
    /// For how many scopes: tenants, and what belongs to none.
    pub scopes: u64,
    /// Keys that were made in the month.
    pub made: u64,
    /// When the oldest was made.
    pub oldest: Option<Timestamp>,
    /// When the newest was.
    pub newest: Option<Timestamp>,
    /// The keys that wrap them.
    pub wrapped_by: Vec<String>,
}
