//! What requests and answers look like, for the OpenAPI document alone.
//!
//! Most answers are records of the vault as they are, or parts of them. The tests hold every answer they get to this.
#![expect(dead_code, reason = "read by the document's macros alone")]
#![expect(clippy::struct_field_names, reason = "the names are those of the answers")]

use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::problem::Problem;

/// What can be wrong with any request.
#[derive(IntoResponses)]
pub(crate) enum AnyProblem {
    /// The path, a parameter or a header is not what it can be
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// There is no valid token; the gateway says so in a form of its own
    #[response(status = 401)]
    Unauthorized(GatewayProblem),
    /// The caller's roles do not allow it
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many calls for the moment; the gateway says so in a form of its own
    #[response(status = 429)]
    TooManyRequests(GatewayProblem),
    /// It failed; the function's log has the reason
    #[response(status = 500, content_type = "application/problem+json")]
    Failed(Problem),
    /// Something that is needed does not answer; it may later
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What can be wrong with a body.
#[derive(IntoResponses)]
pub(crate) enum BodyProblem {
    /// The body is larger than 16 KiB
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is no JSON by its Content-Type
    #[response(status = 415, content_type = "application/problem+json")]
    NoJson(Problem),
    /// The body is JSON, but asks for nothing that can be done; or the Idempotency-Key was used for another body
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}

/// It can't be done as things are now, or the same request is being worked on
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct Conflict(Problem);

/// What the path names is not there
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NotFound(Problem);

/// A problem as the gateway words it.
#[derive(ToSchema)]
pub(crate) struct GatewayProblem {
    message: String,
}

/// Which part of a list is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// So many at most.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: u32,
    /// Only those older than this one: `next` of the page before.
    #[param(required = false, pattern = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$")]
    before: String,
}

/// The id in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct Id {
    /// An id, as a list shows it.
    #[param(pattern = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", example = "20261123T060000Z-4f2a91c3")]
    id: String,
}

/// A key of the request's own.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyKey {
    /// The same request with the same key is done once, and answered alike.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 128,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: String,
}

/// A page of the backups.
#[derive(ToSchema)]
pub(crate) struct Backups {
    backups: Vec<Backup>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A backup, as its header tells; a header that can't be read has a `problem` and nothing else.
#[derive(ToSchema)]
pub(crate) struct Backup {
    #[schema(example = "20261123T060000Z-4f2a91c3")]
    backup: String,
    /// The moment whose data it shows.
    #[schema(format = DateTime, nullable = false)]
    snapshot: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    started: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    ended: Option<String>,
    #[schema(nullable = false)]
    tables: Option<u64>,
    #[schema(nullable = false)]
    rows: Option<u64>,
    /// Bytes of its rows.
    #[schema(nullable = false)]
    raw_bytes: Option<u64>,
    /// Bytes of the sealed chunks that make it up.
    #[schema(nullable = false)]
    stored_bytes: Option<u64>,
    /// Bytes of these that were not there before.
    #[schema(nullable = false)]
    new_bytes: Option<u64>,
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// A job was started.
#[derive(ToSchema)]
pub(crate) struct Started {
    job: Job,
    #[schema(format = DateTime)]
    requested: String,
    /// Where it is listed once it has ended.
    #[schema(example = "/v1/runs")]
    runs: String,
}

/// A job.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Job {
    Backup,
    Restore,
    Verify,
    RestoreTest,
    Report,
    Cleanup,
    Other,
}

/// How a run ended; `died` is cut off, as a later run found.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Died,
    Other,
}

/// A page of the runs.
#[derive(ToSchema)]
pub(crate) struct Runs {
    runs: Vec<RunLine>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A run in short; a record that can't be read has a `problem` and nothing else.
#[derive(ToSchema)]
pub(crate) struct RunLine {
    run: String,
    #[schema(nullable = false)]
    job: Option<Job>,
    #[schema(nullable = false)]
    outcome: Option<Outcome>,
    /// The moment a schedule started it for.
    #[schema(format = DateTime)]
    scheduled: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    started: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    ended: Option<String>,
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// A run.
#[derive(ToSchema)]
pub(crate) struct Run {
    run: String,
    job: Job,
    outcome: Outcome,
    /// The moment a schedule started it for.
    #[schema(format = DateTime, nullable = false)]
    scheduled: Option<String>,
    #[schema(format = DateTime)]
    started: String,
    #[schema(format = DateTime)]
    ended: String,
    #[schema(nullable = false)]
    source: Option<Database>,
    /// The error and its causes, one a line.
    #[schema(nullable = false)]
    error: Option<Vec<String>>,
    /// The job's own summary.
    #[schema(value_type = Option<Object>, nullable = false)]
    summary: Option<String>,
}

/// A database.
#[derive(ToSchema)]
pub(crate) struct Database {
    server: String,
    database: String,
}

/// A restore was asked for, or something of it.
#[derive(ToSchema)]
pub(crate) struct Requested {
    restore: String,
    /// How far it was at that moment.
    stage: Stage,
}

/// How far a restore is.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Stage {
    Requested,
    Planned,
    Loading,
    Staged,
    Promoting,
    Restored,
    Undoing,
    Undone,
    Cancelled,
    Failed,
    Other,
}

/// Which rows the live tables hold.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Live {
    Untouched,
    Restored,
    Unknown,
}

/// What was asked for.
#[derive(ToSchema)]
pub(crate) struct Wish {
    backup: String,
    destination: Destination,
    /// Only these tables.
    #[schema(nullable = false)]
    tables: Option<Vec<String>>,
    /// Only this tenant's rows.
    #[schema(nullable = false)]
    tenant: Option<String>,
    no_safety_backup: bool,
    accept_orphans: bool,
    dry_run: bool,
}

/// Where a restore goes.
#[derive(ToSchema)]
pub(crate) struct Destination {
    to: To,
    /// In place: stop when all is loaded and verified beside the live tables.
    #[schema(nullable = false)]
    stage_only: Option<bool>,
    /// Another database: its name.
    #[schema(nullable = false)]
    database: Option<String>,
    /// Another database: on the throw-away server.
    #[schema(nullable = false)]
    on_scratch: Option<bool>,
}

/// In place of the live tables, or into another database.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum To {
    InPlace,
    Database,
}

/// How far loading is.
#[derive(ToSchema)]
pub(crate) struct Progress {
    tables: u64,
    tables_done: u64,
    rows: u64,
    rows_done: u64,
    bytes: u64,
    bytes_done: u64,
}

/// A page of the restores.
#[derive(ToSchema)]
pub(crate) struct Restores {
    restores: Vec<RestoreLine>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A restore in short; a record that can't be read has a `problem` and nothing else.
#[derive(ToSchema)]
pub(crate) struct RestoreLine {
    restore: String,
    #[schema(nullable = false)]
    stage: Option<Stage>,
    #[schema(nullable = false)]
    live: Option<Live>,
    #[schema(nullable = false)]
    wish: Option<Wish>,
    /// Who asked.
    asked_by: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    requested: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    updated: Option<String>,
    #[schema(nullable = false)]
    progress: Option<Progress>,
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// A restore over its whole life. Later versions may say more.
#[derive(ToSchema)]
pub(crate) struct Restore {
    restore: String,
    wish: Wish,
    /// Who asked.
    #[schema(nullable = false)]
    asked_by: Option<String>,
    stage: Stage,
    live: Live,
    #[schema(format = DateTime)]
    requested: String,
    #[schema(format = DateTime)]
    updated: String,
    /// The backup that `wish.backup` meant.
    #[schema(nullable = false)]
    backup: Option<String>,
    /// Where it goes.
    #[schema(nullable = false)]
    target: Option<Database>,
    /// The database it is loaded into, beside the live one.
    #[schema(nullable = false)]
    staging: Option<String>,
    /// The database that keeps the old tables.
    #[schema(nullable = false)]
    before: Option<String>,
    /// The backup that was made of the live tables before they were touched.
    #[schema(nullable = false)]
    safety_backup: Option<String>,
    /// Until when `undo` is promised.
    #[schema(format = DateTime, nullable = false)]
    undo_until: Option<String>,
    /// Tables that are not restored, as settings want it; they stay as they are.
    #[schema(nullable = false)]
    kept: Option<Vec<String>>,
    /// Tables whose rows are not restored and that are not there: they come back empty.
    #[schema(nullable = false)]
    emptied: Option<Vec<String>>,
    /// Tables that only get the rows that they lack.
    #[schema(nullable = false)]
    merged: Option<Vec<String>>,
    /// How often tables changed places, or were about to.
    journals: u32,
    /// Which of these was the last promotion.
    promotion: u32,
    /// The old tables were dropped: there is no undo.
    dropped: bool,
    /// What the plan found.
    #[schema(value_type = Option<Object>, nullable = false)]
    plan: Option<String>,
    progress: Progress,
    /// The tables that were read back, equal to the backup.
    #[schema(nullable = false)]
    verified: Option<Vec<Verified>>,
    /// How long each step took, in order.
    #[schema(nullable = false)]
    laps: Option<Vec<Lap>>,
    /// What is not as one might expect, each a sentence.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The last error and its causes, one a line.
    #[schema(nullable = false)]
    error: Option<Vec<String>>,
}

/// A table that was read back.
#[derive(ToSchema)]
pub(crate) struct Verified {
    table: String,
    digest: Digest,
}

/// What a table's rows come down to.
#[derive(ToSchema)]
pub(crate) struct Digest {
    rows: u64,
    bytes: u64,
    sum: String,
}

/// How long a step took.
#[derive(ToSchema)]
pub(crate) struct Lap {
    name: String,
    #[schema(format = DateTime)]
    ended: String,
    seconds: f64,
}

/// A schedule.
#[derive(ToSchema)]
pub(crate) struct Schedule {
    #[schema(example = "backup")]
    name: String,
    #[schema(example = "cron(0 3 * * ? *)")]
    expression: String,
    #[schema(example = "America/Sao_Paulo")]
    time_zone: String,
    enabled: bool,
    /// When it starts its job next; null if it is switched off, and for `rate(...)`, whose beginning is not known.
    #[schema(format = DateTime, required = true)]
    next: Option<String>,
    /// The same by the clocks of its time zone.
    #[schema(format = DateTime, required = true)]
    next_there: Option<String>,
}

/// How things are.
#[derive(ToSchema)]
pub(crate) struct Status {
    #[schema(format = DateTime)]
    now: String,
    /// Where days and months begin.
    #[schema(required = true)]
    time_zone: Option<String>,
    #[schema(required = true)]
    newest_backup: Option<NewestBackup>,
    /// The copy of the vault in the second region; null if there is none.
    #[schema(required = true)]
    replica: Option<Replica>,
    /// Null if they can't be read.
    #[schema(required = true)]
    schedules: Option<Vec<Schedule>>,
    /// The last run of each job in the last five weeks.
    last_runs: Vec<LastRun>,
    /// The restores that are not at their end.
    restores: Vec<Unfinished>,
    /// What is not as it should be, each a sentence.
    problems: Vec<String>,
}

/// The newest backup.
#[derive(ToSchema)]
pub(crate) struct NewestBackup {
    backup: String,
    /// The moment whose data it shows.
    #[schema(format = DateTime)]
    snapshot: String,
    age_seconds: i64,
}

/// The copy of the vault in the second region, as the store tells it of the manifests of the newest backups.
#[derive(ToSchema)]
pub(crate) struct Replica {
    state: ReplicaState,
    /// The newest backup whose manifest is there.
    #[schema(required = true)]
    newest_backup: Option<String>,
    /// The backups whose manifests are not there, the oldest first.
    missing: Vec<String>,
    /// How long ago the first of these ended; 0 if none is missing.
    behind_seconds: i64,
}

/// How a copy is; `failed` if the store gave something up.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum ReplicaState {
    Complete,
    Behind,
    Failed,
}

/// The last run of a job.
#[derive(ToSchema)]
pub(crate) struct LastRun {
    job: Job,
    run: String,
    outcome: Outcome,
    #[schema(format = DateTime)]
    started: String,
    #[schema(format = DateTime)]
    ended: String,
}

/// A restore that is not at its end.
#[derive(ToSchema)]
pub(crate) struct Unfinished {
    restore: String,
    stage: Stage,
    live: Live,
    #[schema(format = DateTime)]
    updated: String,
    /// What it is doing, or what to do.
    advice: String,
}

/// A month.
#[derive(ToSchema)]
pub(crate) struct Report {
    #[schema(example = "2026-10")]
    month: String,
    time_zone: String,
    source: Database,
    #[schema(format = DateTime)]
    from: String,
    /// When the next month begins.
    #[schema(format = DateTime)]
    until: String,
    /// The moment of this answer.
    #[schema(format = DateTime)]
    told: String,
    /// When the vault began.
    #[schema(format = DateTime)]
    began: String,
    /// Whether the month is what was promised, one line a rule.
    conformity: Vec<ConformityLine>,
    /// How runs ended, by job.
    runs: Vec<Tally>,
    /// Backups that were made in the month, those that were dropped since as well, oldest first.
    backups: Vec<BackupLine>,
    restore_tests: Vec<TestLine>,
    verifications: Vec<VerificationLine>,
    /// Runs that did not end well.
    failures: Vec<FailureLine>,
    /// Restores that were asked for.
    restores: Vec<RestoreOfMonth>,
    /// Calls that changed something, or would have.
    audit: Vec<AuditLine>,
    cleanups: Vec<CleanupLine>,
    /// Backups of all months that somebody asked to keep.
    pins: Vec<PinLine>,
    /// Data keys in the vault, by purpose.
    keys: Vec<KeyLine>,
    /// The rules that the newest cleanup of the month went by.
    #[schema(required = true, example = "daily=30,weekly=12,monthly=12,yearly=20")]
    retention: Option<String>,
    /// Backups in the vault now, of all months.
    backups_kept: u64,
    /// Headers and records that can't be read.
    unreadable: Vec<String>,
    /// The moment that the newest backup shows.
    #[schema(format = DateTime, required = true)]
    newest: Option<String>,
}

/// A rule, judged.
#[derive(ToSchema)]
pub(crate) struct ConformityLine {
    #[schema(example = "daily-backup")]
    rule: String,
    verdict: RuleVerdict,
    /// What the rule demands.
    limit: Amount,
    /// What there was.
    #[schema(required = true)]
    measured: Option<Amount>,
    /// The days, or the Mondays of the weeks, on which it was not kept.
    #[schema(example = json!(["2026-10-17"]))]
    days: Vec<String>,
    /// Ids of runs, backups or keys that show it.
    evidence: Vec<String>,
}

/// Whether a rule was kept; `not-applicable` if there was nothing to judge.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum RuleVerdict {
    Met,
    NotMet,
    NotApplicable,
}

/// A limit, or what was measured.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "a schema, never a value")]
pub(crate) enum Amount {
    Seconds(f64),
    Percent(f64),
    Count(u64),
    Days(u64),
    Weeks(u64),
}

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
