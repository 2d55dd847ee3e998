//! The function `verify`: is everything there that the backups need, and is it what was written?
//!
//! A problem found is a failure of type `Integrity`, so that alarms hear of it.

use std::fmt::Write;

use gorgen_engine::{
    jobs::{
        backups,
        verify::{self, Problem, ReplicaReport, Report, Request},
    },
    model::RunId,
    policy::shares::Share,
    records::run::Job,
};
use gorgen_function::{Call, ErrorType, Failure, History, Metric, Shell, serve};
use serde::{Deserialize, Serialize};

/// Problems that are told in the error; the run's record has them all.
const MOST_TOLD: usize = 5;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Verify, check).await
}

/// What to verify.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// Only this backup, an id or `latest`; all if left out.
    backup: Option<String>,
    /// Read all data, instead of looking whether it is there.
    #[serde(default)]
    read_data: bool,
    /// Read the share of the data whose turn it is, as the schedule does.
    #[serde(default)]
    read_share: bool,
}

async fn check(shell: &Shell, call: Call<Event>) -> Result<Summary, Failure> {
    let world = shell.world().await?;
    let only = match &call.event.backup {
        Some(id) => Some(backups::find(&*world.vault, id).await?),
        None => None,
    };
    let request = Request {
        only,
        read_data: call.event.read_data,
        read_share: call.event.read_share,
        deadline: shell.deadline(),
        scheduled: call.scheduled,
    };
    let replica = shell.replica().await?;
    let report = verify::with_replica(&world, replica.as_ref(), &request).await?;
    shell.measure(Metric::ProblemsFound, report.problems.len() as f64);
    if let Some(replica) = &report.replica {
        shell.measure(Metric::ReplicaProblems, replica.problems.len() as f64);
        if let Some(behind) = replica.behind_seconds {
            shell.measure(Metric::ReplicaBehindSeconds, behind as f64);
        }
    }
    if let Some(age) = History::of(&*world.vault).await?.age(shell.now()) {
        shell.measure(Metric::LastGoodBackupAgeSeconds, age);
    }
    if report.is_well() {
        Ok(Summary::of(&report))
    } else {
        // Names of objects and what is wrong with each: nothing that rows hold.
        let told = tell(&report);
        Err(Failure::new(ErrorType::Integrity, told.clone()).telling(told))
    }
}

/// The first problems, and where the others are.
fn tell(report: &Report) -> String {
    let problems: Vec<_> = report.all_problems().collect();
    let mut text = format!("{} problems found (run {} lists all)", problems.len(), report.run);
    for (place, Problem { object, what, backups }) in problems.iter().take(MOST_TOLD).enumerate() {
        let hurt = backups.len();
        let object = if place < report.problems.len() {
            object.clone()
        } else {
            format!("in the replica, {object}")
        };
        // Writing into a text does not fail.
        let _ = write!(text, "; {object}: {what}, hurts {hurt} backups");
    }
    text
}

/// What a caller reads of it; all of it is in the run's record.
#[derive(Debug, Serialize)]
struct Summary {
    run: String,
    backups: u64,
    objects: u64,
    bytes: u64,
    read_data: bool,
    share: Option<Share>,
    chunks_read: u64,
    problems: u64,
    replica: Option<Replica>,
    seconds: f64,
    already_done: bool,
}

impl Summary {
    fn of(report: &Report) -> Self {
        Self {
            run: report.run.to_string(),
            backups: report.backups.len() as u64,
            objects: report.objects,
            bytes: report.bytes,
            read_data: report.read_data,
            share: report.share,
            chunks_read: report.chunks_read,
            problems: report.problems.len() as u64,
            replica: report.replica.as_ref().map(Replica::of),
            seconds: report.ended.duration_since(report.started).as_secs_f64(),
            already_done: report.already_done,
        }
    }
}

/// The replica in few words.
#[derive(Debug, Serialize)]
struct Replica {
    objects: u64,
    bytes: u64,
    waiting: u64,
    problems: u64,
    newest_backup: Option<RunId>,
    behind_seconds: Option<u64>,
}

impl Replica {
    fn of(report: &ReplicaReport) -> Self {
        Self {
            objects: report.objects,
            bytes: report.bytes,
            waiting: report.waiting,
            problems: report.problems.len() as u64,
            newest_backup: report.newest_backup.clone(),
            behind_seconds: report.behind_seconds,
        }
    }
}
