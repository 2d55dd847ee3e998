//! A restore test: a backup is restored into a throw-away database, proved equal, timed, and dropped.
//!
//! What a restore proves is in [`super::restore`]. The scratch database is gone afterwards, whatever
//! happened; one that could not be dropped makes the test a failure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Error, KeyChest, World, backups, deadline::within, record, record::Run, restore, runs,
};
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
    /// Foreign keys through which every row points at a row that is there.
    #[serde(default)]
    pub foreign_keys: u64,
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
    let foreign_keys = check_foreign_keys(world, vault, scratch, &restore.backup);
    let foreign_keys = within(world, request.deadline, foreign_keys).await.flatten();
    scratch.drop_database().await?;
    let foreign_keys = foreign_keys?;
    if restore.tables.is_empty() {
        return Err(Error::NothingTested { backup: restore.backup });
    }
    let seconds = restore.ended.duration_since(restore.started).as_secs_f64();
    Ok(Report { run: run.id.clone(), restore, foreign_keys, seconds, already_done: false })
}

/// No row of the scratch database points at a row that is not there. How many foreign keys were looked at.
async fn check_foreign_keys(
    world: &World,
    vault: VaultId,
    scratch: &dyn Target,
    backup: &RunId,
) -> Result<u64, Error> {
    let keys = KeyChest::open(world, vault).await?;
    let (_, manifest) = backups::open(world, &keys, backup).await?;
    let tables = &manifest.catalog.tables;
    let (mut checked, mut dangling) = (0, Vec::new());
    for table in tables {
        for relation in &table.relations {
            let is_elsewhere = relation.parent_database.is_some();
            if is_elsewhere || !tables.iter().any(|parent| parent.name == relation.parent) {
                continue;
            }
            checked += 1;
            let rows = scratch.orphans(&table.name, relation).await?;
            if rows > 0 {
                let (table, key, parent) = (&table.name, &relation.name, &relation.parent);
                dangling.push(format!(
                    "{rows} rows of table {table} point at no row of {parent} (foreign key {key})"
                ));
            }
        }
    }
    if dangling.is_empty() { Ok(checked) } else { Err(Error::Dangling { rows: dangling }) }
}
