//! Runs, and starting them.

use utoipa::ToSchema;

use super::Database;

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
    Import,
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
