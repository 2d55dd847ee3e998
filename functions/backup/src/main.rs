//! The function `backup`: the whole database, as it was at one moment, into the vault.
//!
//! A schedule starts it each night; `{}` from the console starts it by hand. A moment of the schedule is
//! backed up once, however often its event is delivered.

use gorgen_engine::{
    jobs::backup::{self, Report, Request},
    policy::trend,
    records::run::Job,
};
use gorgen_function::{Call, Failure, History, Metric, Shell, serve};
use serde::{Deserialize, Serialize};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Backup, back_up).await
}

/// Nothing to choose: a backup is always the whole database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {}

async fn back_up(shell: &Shell, call: Call<Event>) -> Result<Summary, Failure> {
    let world = shell.world().await?;
    let source = shell.source().await?;
    let history = History::of(&*world.vault).await?;
    if let Some(age) = history.age(shell.now()) {
        shell.measure(Metric::LastGoodBackupAgeSeconds, age);
    }
    let settings = shell.settings();
    let request = Request {
        tenant_column: settings.tenant_column().map(str::to_owned),
        readers: settings.readers(),
        lease: settings.lock_lease(),
        deadline: shell.deadline(),
        scheduled: call.scheduled,
        adopt: false,
        custody: Some(shell.custody().await?),
    };
    let report = backup::run(&world, &source, &request).await?;
    measure(shell, &history, &report);
    Ok(Summary::of(report))
}

fn measure(shell: &Shell, history: &History, report: &Report) {
    let totals = &report.totals;
    shell.measure(Metric::RowsRead, totals.rows as f64);
    shell.measure(Metric::BytesRead, totals.raw_bytes as f64);
    shell.measure(Metric::BytesStored, totals.stored_bytes as f64);
    shell.measure(Metric::BytesNew, totals.new_bytes as f64);
    let age = shell.now().duration_since(report.snapshot).as_secs_f64();
    shell.measure(Metric::LastGoodBackupAgeSeconds, age);
    let deviation = trend::deviation_percent(history.sizes(), report.snapshot, totals.raw_bytes);
    if let Some(percent) = deviation {
        shell.measure(Metric::SizeDeviationPercent, percent);
    }
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    backup: String,
    run: String,
    snapshot: String,
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    new_bytes: u64,
    seconds: f64,
    warnings: Vec<String>,
    already_done: bool,
}

impl Summary {
    fn of(report: Report) -> Self {
        Self {
            backup: report.backup.to_string(),
            run: report.run.to_string(),
            snapshot: report.snapshot.to_string(),
            tables: report.totals.tables,
            rows: report.totals.rows,
            raw_bytes: report.totals.raw_bytes,
            stored_bytes: report.totals.stored_bytes,
            new_bytes: report.totals.new_bytes,
            seconds: report.ended.duration_since(report.started).as_secs_f64(),
            warnings: report.warnings,
            already_done: report.already_done,
        }
    }
}
