//! The function `report`: a month of backups, tests and failures, told without a key and kept as data and as a page;
//! and, when a schedule asks for it, the reminder of what a person has to do.

use gorgen_engine::{
    jobs::report::{self, Proof, Report, Told},
    policy::month::Month,
    records::run::Job,
};
use gorgen_function::{Call, ErrorType, Failure, History, Metric, Shell, serve};
use gorgen_words as words;
use serde::{Deserialize, Serialize};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Report, tell).await
}

/// What to report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// The month, as `2026-10`; the last one if left out.
    month: Option<String>,
    /// Only remind people of this, and report nothing.
    remind: Option<Reminder>,
}

/// What there is to remind of: `gorgen_words` has the words for it, by the same name.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Reminder {
    OfflineCopy,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Summary {
    Report(Box<Told>),
    /// The notice, which goes out as after any run, is all there is to it.
    Reminded {
        reminder: Reminder,
    },
}

async fn tell(shell: &Shell, call: Call<Event>) -> Result<Summary, Failure> {
    match call.event {
        Event { remind: None, .. } => Ok(Summary::Report(Box::new(report(shell, call).await?))),
        Event { remind: Some(reminder), month: None } => Ok(Summary::Reminded { reminder }),
        Event { remind: Some(_), month: Some(_) } => {
            let both = "month, remind: expected one of them, got both";
            Err(Failure::new(ErrorType::InvalidEvent, both))
        }
    }
}

async fn report(shell: &Shell, call: Call<Event>) -> Result<Told, Failure> {
    let month = call.event.month.map(|text| text.parse::<Month>()).transpose();
    let month =
        month.map_err(|error| Failure::new(ErrorType::InvalidEvent, format!("month: {error}")))?;
    let world = shell.world_without_keys().await?;
    if let Some(age) = History::of(&*world.vault).await?.age(shell.now()) {
        shell.measure(Metric::LastGoodBackupAgeSeconds, age);
    }
    let (zone, language) = (shell.settings().timezone(), shell.settings().language());
    let page = |report: &Report, proof: &Proof| words::report::page(report, proof, language);
    Ok(report::run(&world, month, &zone, call.scheduled, &page).await?)
}
