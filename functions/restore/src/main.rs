//! The function `restore`: a backup into a new database beside the live one, every table proved equal.
//!
//! Without `into` it only plans: what would be restored where, and what stands in the way. With `restore` and
//! `step` it takes one step of a restore that was asked for, as the state machine wants it.

mod steps;

use gorgen_engine::{
    jobs::{
        plan,
        restore::{self, Report, Request},
    },
    model::restored_name,
    records::run::Job,
};
use gorgen_function::{Call, Failure, Metric, Shell, serve};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Restore, answer).await
}

/// What to restore.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// The backup, an id or `latest`.
    #[serde(default = "latest")]
    backup: String,
    /// The database to restore into, new or empty; without it nothing is restored, only planned.
    into: Option<String>,
    /// Only these tables; all if left out.
    #[serde(default)]
    tables: Vec<String>,
}

fn latest() -> String {
    "latest".to_owned()
}

async fn answer(shell: &Shell, call: Call<Map<String, Value>>) -> Result<Value, Failure> {
    if call.event.contains_key("step") {
        return steps::take(shell, call.reread()?).await;
    }
    let Event { backup, into, tables } = call.reread()?.event;
    let world = shell.world().await?;
    let request = Request {
        tables,
        connections: shell.settings().readers(),
        deadline: shell.deadline(),
        ..Request::default()
    };
    let Some(into) = into else {
        let target = shell.beside(restored_name).await?;
        let plan = plan::run(&world, &target, &backup, &request).await?;
        return Ok(json!({ "plan": plan }));
    };
    let target = shell.beside(|_| into).await?;
    let summary = Summary::of(restore::run(&world, &target, &backup, &request).await?);
    shell.measure(Metric::RestoreSeconds, summary.seconds);
    Ok(json!({ "restored": summary }))
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    run: String,
    backup: String,
    into: String,
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    seconds: f64,
    warnings: Vec<String>,
}

impl Summary {
    fn of(report: Report) -> Self {
        Self {
            run: report.run.to_string(),
            backup: report.backup.to_string(),
            into: report.target.database,
            tables: report.tables.len() as u64,
            rows: report.rows,
            raw_bytes: report.raw_bytes,
            seconds: report.ended.duration_since(report.started).as_secs_f64(),
            warnings: report.warnings,
        }
    }
}
