//! The function `restore-test`: a backup restored into a scratch database, proved equal, timed, and dropped.
//!
//! Without `step` it takes all steps at once; with it one of them, as the state machine wants it.

mod steps;

use gorgen_engine::{
    jobs::restore_test::{self, Report, Request},
    model::Place,
    policy::rotation::Turn,
    records::run::Job,
};
use gorgen_function::{Call, Failure, Metric, Part, Shell, serve};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::RestoreTest, answer).await
}

/// What to test.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The backup, an id or `latest`; whichever has its turn, if left out.
    backup: Option<String>,
    /// Where to read it, `vault` or `replica`; whichever has its turn, if left out.
    from: Option<Place>,
}

async fn answer(shell: &Shell, call: Call<Map<String, Value>>) -> Result<Value, Failure> {
    if call.event.contains_key("step") {
        shell.is(Part::Step);
        return steps::take(shell, call.reread()?).await;
    }
    let summary = test(shell, call.reread()?).await?;
    Ok(serde_json::to_value(summary).unwrap_or_default())
}

async fn test(shell: &Shell, call: Call<Asked>) -> Result<Summary, Failure> {
    let (world, replica) = (shell.world().await?, shell.replica().await?);
    let scratch = shell.scratch().await?;
    let request = request(shell, call.event, call.scheduled);
    let report = restore_test::run(&world, replica.as_ref(), &scratch, &request).await?;
    shell.measure(Metric::RestoreSeconds, report.seconds);
    Ok(Summary::of(report))
}

fn request(shell: &Shell, asked: Asked, scheduled: Option<Timestamp>) -> Request {
    Request {
        backup: asked.backup,
        place: asked.from,
        connections: shell.settings().readers(),
        deadline: shell.deadline(),
        scheduled,
    }
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    run: String,
    backup: String,
    turn: Option<Turn>,
    why: String,
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    foreign_keys: u64,
    objects: u64,
    seconds: f64,
    warnings: Vec<String>,
    swept: Vec<String>,
    already_done: bool,
}

impl Summary {
    fn of(report: Report) -> Self {
        let restore = report.restore;
        Self {
            run: report.run.to_string(),
            backup: restore.backup.to_string(),
            turn: report.turn,
            why: report.why,
            tables: restore.tables.len() as u64,
            rows: restore.rows,
            raw_bytes: restore.raw_bytes,
            foreign_keys: report.foreign_keys,
            objects: report.objects,
            seconds: report.seconds,
            warnings: restore.warnings.into_iter().chain(report.not_covered).collect(),
            swept: report.swept,
            already_done: report.already_done,
        }
    }
}
