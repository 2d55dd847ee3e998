//! A restore test: a backup is restored into a throw-away database, proved equal, timed, and dropped.
//!
//! What a restore proves is in [`super::restore`]; beyond it a test compares every definition, tries every view,
//! and follows every foreign key. The scratch database is gone afterwards, whatever happened; one that could not be
//! dropped makes the test a failure.
//!
//! [`run`] takes all steps in one process. A machine that outlives processes takes them one by one, as [`steps`] has
//! them, and hands on what each of them said.

mod bench;
mod choice;
mod ending;
mod evidence;
mod proof;
mod site;
pub mod steps;
mod sweep;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::{bench::Bench, choice::choose, site::Site};
pub use self::{
    choice::Chosen,
    ending::Ended,
    evidence::{Evidence, Loaded, Prepared, Proved, TestRun},
};
use super::{Error, World, deadline::within, restore, restore::Phase, runs, verify::Replica};
use crate::{
    model::{Place, RunId, ServerInfo, VaultId},
    policy::rotation::Turn,
    ports::Scratch,
    records::run::Job,
};

/// What to test.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The backup, by its id or `latest`; whichever has its turn, if left out.
    pub backup: Option<String>,
    /// Where it is read; if left out, whichever place has its turn, or the vault for a backup that is named.
    pub place: Option<Place>,
    /// Connections that load, and read back.
    pub connections: usize,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this was scheduled for; it is done once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
}

/// What a test proved. Records of older versions do not say all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// Which backup was taken, and where it was read.
    #[serde(default)]
    pub turn: Option<Turn>,
    /// Why this one, a sentence.
    #[serde(default)]
    pub why: String,
    /// How old the moment was that the backup shows, in seconds.
    #[serde(default)]
    pub backup_age_seconds: i64,
    /// The server it was restored on.
    #[serde(default)]
    pub scratch: Option<ServerInfo>,
    /// The restore, with each table's rows and digest as they were read back and found equal.
    pub restore: restore::Report,
    /// Foreign keys through which every row points at a row that is there.
    #[serde(default)]
    pub foreign_keys: u64,
    /// Views, triggers, routines, events and sequences that are there as they were backed up.
    #[serde(default)]
    pub objects: u64,
    /// Views that could be selected from; they are among the objects.
    #[serde(default)]
    pub views: u64,
    /// Views that could not be used when the backup was made, and are as useless now.
    #[serde(default)]
    pub invalid_views: Vec<String>,
    /// What the source has that no backup covers, as the backup says, each a sentence.
    #[serde(default)]
    pub not_covered: Vec<String>,
    /// Databases of earlier tests that died, dropped by this one.
    #[serde(default)]
    pub swept: Vec<String>,
    /// How long each phase took, in order.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// How long it took from opening the backup until all was proved, in seconds: the measured recovery time.
    pub seconds: f64,
    /// An earlier run tested for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// Tests a backup in a new database on the scratch server. The run's record is written into the vault, wherever the
/// backup was read.
///
/// # Errors
/// If the backup could not be restored and proved equal, if there was nothing to prove, if a scratch database, of
/// this test or of an earlier one, could not be dropped, or if the record could not be written.
pub async fn run(
    world: &World,
    replica: Option<&Replica>,
    scratch: &dyn Scratch,
    request: &Request,
) -> Result<Report, Error> {
    let bench = Bench { world, replica, scratch, request };
    let identity = bench.identity(request.place).await?;
    if let Some(report) = runs::done::<Report>(world, Job::RestoreTest, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let run = TestRun::start(world, request.scheduled);
    let mut chosen = None;
    let result = test(bench, identity.vault, &run, &mut chosen).await;
    let recorded = ending::record(bench, &run, &identity, chosen.as_ref(), &result).await;
    let report = result?;
    recorded.map_err(|source| Error::NotRecorded {
        backup: report.restore.backup.clone(),
        source: Box::new(source),
    })?;
    Ok(report)
}

/// The whole test. What was chosen is told also if it fails.
async fn test(
    bench: Bench<'_>,
    vault: VaultId,
    run: &TestRun,
    told: &mut Option<Chosen>,
) -> Result<Report, Error> {
    let chosen = &*told.insert(choose(bench, vault).await?);
    let opening = bench.world.clock.now();
    let site = Site::open(bench, vault, run, chosen).await?;
    let taken = async {
        let prepared = site.prepare(opening).await?;
        // One group, so that all tables are loaded at the same time.
        let loaded = vec![site.load(|_| true).await?];
        Ok(Evidence { prepared, loaded, proved: site.prove().await? })
    };
    let taken = within(bench.world, bench.request.deadline, taken).await.flatten();
    let report = taken.and_then(|evidence| site.report(run, chosen, evidence));
    ending::clear(bench, vault, run, chosen, report).await
}
