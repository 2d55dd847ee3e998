//! What a month is told by, line by line.

use utoipa::ToSchema;

use crate::schema::{Job, Live, Outcome, Stage};

/// How the runs of a job ended.
#[derive(ToSchema)]
pub(crate) struct Tally {
    job: Job,
    succeeded: u64,
    failed: u64,
    died: u64,
}

/// A backup of the month.
#[derive(ToSchema)]
pub(crate) struct BackupLine {
    backup: String,
    #[schema(format = DateTime)]
    snapshot: String,
    seconds: f64,
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    new_bytes: u64,
    state: BackupState,
    /// The cleanup that dropped it.
    #[schema(required = true)]
    dropped: Option<DroppedBy>,
}

/// Where a backup is; `lost` is gone although no cleanup dropped it.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum BackupState {
    Kept,
    Dropped,
    Lost,
    Unreadable,
}

/// What dropped a backup.
#[derive(ToSchema)]
pub(crate) struct DroppedBy {
    run: String,
    #[schema(format = DateTime)]
    at: String,
    rules: String,
    why: String,
}

/// A restore test.
#[derive(ToSchema)]
pub(crate) struct TestLine {
    run: String,
    #[schema(format = DateTime)]
    started: String,
    /// Whether the backup came back equal.
    passed: bool,
    seconds: f64,
    #[schema(required = true)]
    backup: Option<String>,
    tables: u64,
    rows: u64,
    /// Foreign keys whose every row points at one that is there.
    foreign_keys: u64,
    /// Views, triggers, routines, events and sequences that are there as they were backed up.
    objects: u64,
    /// Views that could be selected from; they are among the objects.
    views: u64,
    /// Which backup had its turn, if that is known: `latest`, `random`, or `named` by whoever asked.
    #[schema(required = true)]
    pick: Option<String>,
    /// Where it was restored from, `vault` or `replica`, if that is known.
    #[schema(required = true)]
    place: Option<String>,
    phases: Vec<PhaseLine>,
}

/// A phase of a restore.
#[derive(ToSchema)]
pub(crate) struct PhaseLine {
    name: String,
    seconds: f64,
}

/// A verification.
#[derive(ToSchema)]
pub(crate) struct VerificationLine {
    run: String,
    #[schema(format = DateTime)]
    started: String,
    seconds: f64,
    /// Whether it came to its end.
    completed: bool,
    backups: u64,
    objects: u64,
    raw_bytes_read: u64,
    read_data: bool,
    /// The share of the data that was read; none if all was, or nothing.
    #[schema(required = true)]
    share: Option<DataShare>,
    problems: u64,
    repaired: u64,
    #[schema(required = true)]
    replica: Option<ReplicaLine>,
}

/// A share of the data.
#[derive(ToSchema)]
pub(crate) struct DataShare {
    number: u8,
    of: u8,
}

/// How the copy in the second region was.
#[derive(ToSchema)]
pub(crate) struct ReplicaLine {
    objects: u64,
    missing: u64,
    damaged: u64,
    waiting: u64,
    #[schema(required = true)]
    newest_backup: Option<String>,
    #[schema(required = true)]
    behind_seconds: Option<u64>,
    problems: u64,
}

/// A run that did not end well.
#[derive(ToSchema)]
pub(crate) struct FailureLine {
    run: String,
    job: Job,
    #[schema(format = DateTime)]
    started: String,
    outcome: Outcome,
    error: Vec<String>,
}

/// A restore that was asked for in the month.
#[derive(ToSchema)]
pub(crate) struct RestoreOfMonth {
    restore: String,
    #[schema(format = DateTime)]
    requested: String,
    #[schema(required = true)]
    asked_by: Option<String>,
    backup: String,
    in_place: bool,
    #[schema(required = true)]
    database: Option<String>,
    tables: Vec<String>,
    #[schema(required = true)]
    tenant: Option<String>,
    dry_run: bool,
    stage: Stage,
    live: Live,
    #[schema(format = DateTime, required = true)]
    undo_until: Option<String>,
}

/// A call that changed something, or would have.
#[derive(ToSchema)]
pub(crate) struct AuditLine {
    entry: String,
    #[schema(format = DateTime)]
    at: String,
    who: String,
    #[schema(required = true)]
    address: Option<String>,
    #[schema(required = true)]
    agent: Option<String>,
    action: String,
    #[schema(example = "allowed")]
    verdict: String,
    status: u16,
    #[schema(required = true)]
    reason: Option<String>,
    #[schema(required = true)]
    about: Option<String>,
}

/// A cleanup.
#[derive(ToSchema)]
pub(crate) struct CleanupLine {
    run: String,
    #[schema(format = DateTime)]
    started: String,
    completed: bool,
    rules: String,
    kept: u64,
    dropped: u64,
    removed_bytes: u64,
    still_locked: u64,
    locks_extended: u64,
    problems: u64,
}

/// One tenant's erasure from all backups.
#[derive(ToSchema)]
pub(crate) struct ErasureLine {
    run: String,
    #[schema(format = DateTime)]
    started: String,
    completed: bool,
    /// `t-` and the tenant; not known of a run that failed.
    #[schema(required = true, example = "t-7")]
    tenant: Option<String>,
    /// Keys of the tenant.
    keys: u64,
    /// Backups that held rows of the tenant.
    backups: u64,
    /// Keys of which older versions were locked then.
    still_locked: u64,
    /// When the last of these locks ends.
    #[schema(format = DateTime, required = true)]
    locked_until: Option<String>,
}

/// A pinned backup.
#[derive(ToSchema)]
pub(crate) struct PinLine {
    backup: String,
    #[schema(format = DateTime)]
    since: String,
    #[schema(required = true)]
    reason: Option<String>,
}

/// Data keys of one purpose.
#[derive(ToSchema)]
pub(crate) struct KeyLine {
    #[schema(example = "rows")]
    purpose: String,
    keys: u64,
    /// Tenants, and what belongs to none.
    scopes: u64,
    made: u64,
    #[schema(format = DateTime, required = true)]
    oldest: Option<String>,
    #[schema(format = DateTime, required = true)]
    newest: Option<String>,
    wrapped_by: Vec<String>,
}
