//! How things are, and schedules.

use utoipa::ToSchema;

use super::{Job, Live, Outcome, Stage};

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
