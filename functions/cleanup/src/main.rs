//! The function `cleanup`: drops the backups that the rules no longer keep, and what nothing needs any more.
//!
//! It opens manifests, never rows. What restores left in the database is cleaned up by `restore`, the only function that
//! may write there.

use gorgen_engine::{
    jobs::cleanup::{self, Report, Request, Sum},
    model::RunId,
    records::run::Job,
};
use gorgen_function::{Call, Failure, Shell, serve};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Cleanup, clean_up).await
}

/// How to clean up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// Only plan: change nothing.
    #[serde(default)]
    dry_run: bool,
    /// So many backups may go, as the plan said; a few may without that.
    confirm: Option<u64>,
}

async fn clean_up(shell: &Shell, call: Call<Event>) -> Result<Summary, Failure> {
    let world = shell.world().await?;
    let (custody, remover) = (shell.custody().await?, shell.remover().await?);
    let request = Request {
        dry_run: call.event.dry_run,
        confirmed: call.event.confirm,
        deadline: shell.deadline(),
        scheduled: call.scheduled,
    };
    let report = cleanup::run(&world, &custody, &*remover, &request).await?;
    Ok(Summary::of(report))
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    run: String,
    dry_run: bool,
    rules: String,
    kept: u64,
    dropped: Vec<String>,
    removed: Sum,
    still_locked: Sum,
    next_unlock: Option<Timestamp>,
    locks_extended: u64,
    lease_of_the_dead: Option<RunId>,
    warnings: Vec<String>,
    already_done: bool,
}

impl Summary {
    fn of(report: Report) -> Self {
        Self {
            run: report.run.to_string(),
            dry_run: report.dry_run,
            rules: report.rules,
            kept: report.kept.len() as u64,
            dropped: report.dropped.iter().map(|one| one.backup.to_string()).collect(),
            removed: report.removed,
            still_locked: report.still_locked,
            next_unlock: report.next_unlock,
            locks_extended: report.locks_extended,
            lease_of_the_dead: report.lease_of_the_dead,
            warnings: report.problems,
            already_done: report.already_done,
        }
    }
}
