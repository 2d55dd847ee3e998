//! A restore in steps, over the live database or into another one: loaded beside it, proved, and only then put in its place, all at once.
//!
//! Each step can be run again, and by another process: what is done is found in the restore's record and in
//! the database itself. Until tables change places the live ones are as they were, and dropping the staging
//! database takes everything back. From then on the journal tells what is left to do.
//!
//! [`run`] takes all steps in one process. A machine that outlives processes takes them one by one.

mod choice;
mod cleaning;
mod journal;
mod loading;
mod merge;
mod objects;
mod planning;
mod promotion;
mod site;
mod swapping;
mod tenant;

use std::{collections::BTreeMap, time::Duration};

pub use cleaning::{Cleaned, OldTables, clean};
use jiff::{SignedDuration, Timestamp};
pub use loading::{Prepared, begin, load, prepare, verify};
pub use planning::{Change, Plan, TableChange, dry_run, plan};
pub use promotion::{discard, promote, undo, which_rows};

use super::{Error, World, backup, lock::Lock, record::chain, restores};
use crate::{
    model::{ObjectName, RunId},
    policy::tenancy::DeclaredPath,
    ports::{Server, Source},
    records::{
        restore::{Destination, RestoreRecord, Stage, Wish},
        run::Job,
    },
    stages::definition::Definers,
};

/// What settings say about restores.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Tables whose later rows must survive a restore: they only get the rows that they lack.
    pub append_only: Vec<String>,
    /// Tables that are not worth restoring: they stay as they are.
    pub skip: Vec<String>,
    /// The column that says whose row it is.
    pub tenant_column: Option<String>,
    /// Ways by which rows are a tenant's, where foreign keys do not tell or leave a doubt.
    pub tenant_paths: Vec<DeclaredPath>,
    /// How long the old tables are kept, so that a restore can be undone.
    pub undo: SignedDuration,
    /// Connections that load, and read back.
    pub connections: usize,
    /// How long the lock is held without renewal.
    pub lease: Duration,
    /// When to stop, for a step whose time is limited.
    pub deadline: Option<Timestamp>,
    /// Collations to replace in definitions, for a server that does not know them.
    pub collations: BTreeMap<String, String>,
    /// What to do with the definers of views, triggers, routines and events.
    pub definers: Definers,
}

/// The servers that a restore may write to.
#[derive(Clone, Copy)]
pub struct Servers<'a> {
    /// The one with the protected database.
    pub primary: &'a dyn Server,
    /// The one for throw-away databases.
    pub scratch: Option<&'a dyn Server>,
}

impl<'a> Servers<'a> {
    /// The server that this wish is about.
    fn of(self, wish: &Wish) -> Result<&'a dyn Server, Error> {
        match wish.destination {
            Destination::Database { on_scratch: true, .. } => {
                self.scratch.ok_or(Error::NoScratchServer)
            }
            _ => Ok(self.primary),
        }
    }
}

/// Takes all steps of a restore that was asked for, with a backup of the live database before it is touched.
///
/// # Errors
/// The live database is as it was, and nothing is left beside it, unless the error says otherwise.
pub async fn run(
    world: &World,
    servers: Servers<'_>,
    source: &dyn Source,
    safety: &backup::Request,
    rules: &Rules,
    wish: Wish,
    asked_by: Option<String>,
) -> Result<RestoreRecord, Error> {
    let asked = restores::request(world, wish, asked_by).await?;
    let done = steps(world, servers, source, safety, rules, &asked).await;
    match done {
        Ok(record) => Ok(record),
        Err(failure) => {
            match discard(world, servers, rules, &asked.restore, &chain(&failure)).await {
                // It had come so far that it was easier finished than taken back.
                Ok(record) if record.stage == Stage::Restored => Ok(record),
                Ok(_) => Err(failure),
                Err(cleanup) => Err(Error::Unsettled {
                    restore: asked.restore,
                    failure: Box::new(failure),
                    cleanup: Box::new(cleanup),
                }),
            }
        }
    }
}

async fn steps(
    world: &World,
    servers: Servers<'_>,
    source: &dyn Source,
    safety: &backup::Request,
    rules: &Rules,
    asked: &RestoreRecord,
) -> Result<RestoreRecord, Error> {
    let (id, wish) = (&asked.restore, &asked.wish);
    begin(world, servers, rules, id).await?;
    let stage_only = matches!(wish.destination, Destination::InPlace { stage_only: true });
    let in_place = matches!(wish.destination, Destination::InPlace { .. });
    let safety = if in_place && !stage_only && !wish.no_safety_backup {
        Some(backup::run(world, source, safety).await?.backup)
    } else {
        None
    };
    let prepared = prepare(world, servers, rules, id, safety).await?;
    for group in 0..prepared.groups {
        load(world, servers, rules, id, group).await?;
    }
    let verified = verify(world, servers, rules, id).await?;
    if stage_only { Ok(verified) } else { promote(world, servers, rules, id).await }
}

/// Notes which backup has the live tables as they were before a restore replaces them.
pub async fn note_safety_backup(world: &World, id: &RunId, backup: &RunId) -> Result<(), Error> {
    let note = |record: &mut RestoreRecord| {
        record.safety_backup = Some(backup.clone());
        Ok(())
    };
    restores::update(world, id, note).await.map(drop)
}

/// Takes the lock under which the live database is changed, by one restore at a time.
async fn lock(world: &World, rules: &Rules, restore: &RunId) -> Result<Lock, Error> {
    Lock::acquire(world, ObjectName::restore_lock(), restore, Job::Restore, rules.lease).await
}

/// Does this under the lock, whatever it comes to.
async fn locked<T>(
    world: &World,
    rules: &Rules,
    restore: &RunId,
    work: impl AsyncFnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let lock = lock(world, rules, restore).await?;
    let done = work().await;
    let released = lock.release().await;
    let done = done?;
    released?;
    Ok(done)
}
