//! A restore test: a backup is restored into a throw-away database, proved equal, timed, and dropped.
//!
//! What a restore proves is in [`super::restore`]. The scratch database is gone afterwards, whatever
//! happened; one that could not be dropped makes the test a failure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, World, backups, record, record::Run, restore, runs};
use crate::{
    model::{RunId, VaultId},
    ports::Target,
    records::run::Job,
};

/// What to test.
#[derive(Debug, Clone)]
pub struct Request {
    /// The backup, by its id or `latest`.
    pub backup: String,
    /// Connections that load, and read back.
    pub connections: usize,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this was scheduled for; it is done once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
}

/// What a test proved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The restore, with each table's rows and digest as they were read back and found equal.
    pub restore: restore::Report,
    /// How long it took until all was verified, in seconds: the measured recovery time.
    pub seconds: f64,
    /// An earlier run tested for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// Tests a backup in the scratch database `scratch`, which must be new or empty.
///
/// # Errors
/// If the backup could not be restored and proved equal, or if the scratch database could not be dropped.
pub async fn run(world: &World, scratch: &dyn Target, request: &Request) -> Result<Report, Error> {
    let identity = backups::existing_identity(&*world.vault).await?;
    if let Some(report) = runs::done::<Report>(world, Job::RestoreTest, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let run = Run::start(world, request.scheduled);
    let result = test(world, identity.vault, scratch, request, &run).await;
    let recorded = record::ended(world, &run, Job::RestoreTest, &identity.source, &result).await;
    let report = result?;
    recorded?;
    Ok(report)
}

async fn test(
    world: &World,
    vault: VaultId,
    scratch: &dyn Target,
    request: &Request,
    run: &Run,
) -> Result<Report, Error> {
    let how = restore::Request {
        connections: request.connections,
        deadline: request.deadline,
        ..restore::Request::default()
    };
    // A restore that fails leaves nothing behind: dropping is needed after one that succeeded.
    let restore = restore::restore(world, vault, scratch, &request.backup, &how, run).await?;
    scratch.drop_database().await?;
    if restore.tables.is_empty() {
        return Err(Error::NothingTested { backup: restore.backup });
    }
    let seconds = restore.ended.duration_since(restore.started).as_secs_f64();
    Ok(Report { run: run.id.clone(), restore, seconds, already_done: false })
}
