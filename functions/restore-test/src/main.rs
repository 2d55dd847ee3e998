//! The function `restore-test`: a backup restored into a scratch database, proved equal, timed, and dropped.

use gorgen_engine::{
    jobs::restore_test::{self, Report, Request},
    records::run::Job,
};
use gorgen_function::{Call, Failure, Metric, Shell, serve};
use serde::{Deserialize, Serialize};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::RestoreTest, test).await
}

/// What to test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// The backup, an id or `latest`.
    #[serde(default = "latest")]
    backup: String,
}

fn latest() -> String {
    "latest".to_owned()
}

async fn test(shell: &Shell, call: Call<Event>) -> Result<Summary, Failure> {
    let world = shell.world().await?;
    // A database of its own for each test: what another left behind, or is at work in, is not touched.
    let second = shell.now().as_second();
    let scratch = shell.scratch(|name| format!("{name}_{second}")).await?;
    let request = Request {
        backup: call.event.backup,
        connections: shell.settings().readers(),
        deadline: shell.deadline(),
        scheduled: call.scheduled,
    };
    let report = restore_test::run(&world, &scratch, &request).await?;
    shell.measure(Metric::RestoreSeconds, report.seconds);
    Ok(Summary::of(report))
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    run: String,
    backup: String,
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    seconds: f64,
    warnings: Vec<String>,
    already_done: bool,
}

impl Summary {
    fn of(report: Report) -> Self {
        let restore = report.restore;
        Self {
            run: report.run.to_string(),
            backup: restore.backup.to_string(),
            tables: restore.tables.len() as u64,
            rows: restore.rows,
            raw_bytes: restore.raw_bytes,
            seconds: report.seconds,
            warnings: restore.warnings,
            already_done: report.already_done,
        }
    }
}
