//! A restore into a new or empty database: definitions, rows, keys, objects, and then the proof.
//!
//! Nothing is believed because it was loaded: every table is read back and its digest compared with the
//! backup's. If anything fails the database is as it was before: absent, or empty.

pub(super) mod choice;
pub(super) mod definitions;
mod load;
mod proof;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(super) use choice::{Chosen, choose};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Error, Fetcher, KeyChest, World, backups, deadline::within, record, record::Run};
use crate::{
    model::{RunId, SourceIdentity, VaultId},
    policy::compatibility,
    ports::{Target, TargetInfo, TargetState},
    records::run::Job,
    stages::{definition::Definers, rows::Digest},
};

/// What to restore, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only these tables; all, with views, routines and events, if empty.
    pub tables: Vec<String>,
    /// Connections that load, and read back.
    pub connections: usize,
    /// Collations to replace in definitions, for a server that does not know them.
    pub collations: BTreeMap<String, String>,
    /// What to do with the definers of views, triggers, routines and events.
    pub definers: Definers,
    /// When to stop and leave the target as it was, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
}

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The restore.
    pub restore: RunId,
    /// The run; the same id.
    pub run: RunId,
    /// The backup that was restored.
    pub backup: RunId,
    /// Where it was restored to.
    pub target: SourceIdentity,
    /// When the run started.
    pub started: Timestamp,
    /// When it ended, all verified.
    pub ended: Timestamp,
    /// Each table, with the rows and bytes that were read back and found equal.
    pub tables: Vec<RestoredTable>,
    /// Rows of all tables.
    pub rows: u64,
    /// Raw bytes of all tables.
    pub raw_bytes: u64,
    /// How long each phase took.
    pub phases: Vec<Phase>,
    /// What was left out or is not as one might expect, each a sentence.
    pub warnings: Vec<String>,
}

/// One table, restored and proved equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredTable {
    /// The table.
    pub table: String,
    /// What was read back, equal to what the backup holds.
    pub digest: Digest,
}

/// How long one phase of a job took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// Restores a backup.
///
/// # Errors
/// Whatever the error, the target is as it was: absent or empty.
pub async fn run(
    world: &World,
    target: &dyn Target,
    backup: &str,
    request: &Request,
) -> Result<Report, Error> {
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let run = Run::start(world, None);
    let identity = target.source().identity();
    let result = restore(world, vault, target, backup, request, &run).await;
    let recorded = record::ended(world, &run, Job::Restore, &identity, &result).await;
    let report = result?;
    recorded?;
    Ok(report)
}

async fn restore(
    world: &World,
    vault: VaultId,
    target: &dyn Target,
    backup: &str,
    request: &Request,
    run: &Run,
) -> Result<Report, Error> {
    let backup = backups::find(&*world.vault, backup).await?;
    let keys = Arc::new(KeyChest::open(world, vault).await?);
    let (_, manifest) = backups::open(world, &keys, &backup).await?;
    let mut chosen = choose(&backup, manifest, &request.tables)?;
    chosen.leave_out_erased(&keys).await?;
    let state = refuse_full_target(target).await?;
    let info = target.info().await?;
    let work = Work {
        world,
        target,
        info,
        request,
        chosen: Arc::new(chosen),
        fetcher: Fetcher::new(world, keys),
        home: None,
    };
    work.refuse_incompatible_target()?;
    let filled = within(world, request.deadline, work.fill(state)).await.flatten();
    let (tables, phases, warnings) = match filled {
        Ok(filled) => filled,
        Err(failure) => return Err(work.leave_as_it_was(state, failure).await),
    };
    Ok(Report {
        restore: run.id.clone(),
        run: run.id.clone(),
        backup,
        target: target.source().identity(),
        started: run.started,
        ended: world.clock.now(),
        rows: tables.iter().map(|table| table.digest.rows).sum(),
        raw_bytes: tables.iter().map(|table| table.digest.bytes).sum(),
        tables,
        phases,
        warnings,
    })
}

async fn refuse_full_target(target: &dyn Target) -> Result<TargetState, Error> {
    let state = target.state().await?;
    if let TargetState::Holds(objects) = state {
        let database = target.source().identity().database;
        return Err(Error::TargetNotEmpty { database, objects });
    }
    Ok(state)
}

/// What a restore works with, be it of all tables or of some of them.
pub(super) struct Work<'a> {
    pub(super) world: &'a World,
    /// The database that is loaded.
    pub(super) target: &'a dyn Target,
    pub(super) info: TargetInfo,
    pub(super) request: &'a Request,
    pub(super) chosen: Arc<Chosen>,
    pub(super) fetcher: Fetcher,
    /// Where the tables will be moved; they stay in the target without it.
    pub(super) home: Option<Home>,
}

/// A database that tables will be moved into: what they name without a database is meant to be there.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// The database.
    pub(super) database: String,
    /// Tables there that stay when the others are replaced.
    pub(super) stay: BTreeSet<String>,
}

type Filled = (Vec<RestoredTable>, Vec<Phase>, Vec<String>);

impl Work<'_> {
    pub(super) fn refuse_incompatible_target(&self) -> Result<(), Error> {
        let (catalog, info) = (&self.chosen.catalog, &self.info);
        let tables: Vec<_> = catalog.tables.iter().collect();
        let problems = compatibility::problems(catalog, &tables, info, &self.request.collations);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Incompatible { target: compatibility::name_of(info), problems })
        }
    }

    /// Is the target the kind of server that was backed up?
    fn is_of_one_kind(&self) -> bool {
        self.chosen.catalog.server.flavor == self.info.server.flavor
    }

    /// The restore proper, phase by phase.
    async fn fill(&self, state: TargetState) -> Result<Filled, Error> {
        let mut watch = Watch::start(self.world);
        let mut warnings = self.chosen.left_out.clone();
        if state == TargetState::Absent {
            self.create_database().await?;
        }
        self.create_sequences().await?;
        self.create_tables().await?;
        watch.lap("create tables");
        self.load_rows().await?;
        watch.lap("load rows");
        self.add_secondary_keys().await?;
        self.add_foreign_keys(|_| true, &mut warnings).await?;
        watch.lap("build keys");
        let tables = self.read_back().await?;
        self.look_for_orphans(&mut warnings).await?;
        watch.lap("verify");
        self.create_objects(&mut warnings).await?;
        watch.lap("create views, triggers and routines");
        Ok((tables, watch.phases, warnings))
    }

    /// Gives the failure back, with what went wrong in cleaning up after it.
    async fn leave_as_it_was(&self, before: TargetState, failure: Error) -> Error {
        match self.empty(before).await {
            Ok(()) => failure,
            Err(cleanup) => {
                Error::NotCleanedUp { failure: Box::new(failure), cleanup: Box::new(cleanup) }
            }
        }
    }

    async fn empty(&self, before: TargetState) -> Result<(), Error> {
        if self.target.state().await? != TargetState::Absent {
            self.target.drop_database().await?;
        }
        if before == TargetState::Empty {
            self.create_database().await?;
        }
        Ok(())
    }
}

/// Measures phases by the world's clock.
pub(super) struct Watch<'a> {
    world: &'a World,
    last: Timestamp,
    pub(super) phases: Vec<Phase>,
}

impl<'a> Watch<'a> {
    pub(super) fn start(world: &'a World) -> Self {
        Self::since(world, world.clock.now())
    }

    pub(super) fn since(world: &'a World, last: Timestamp) -> Self {
        Self { world, last, phases: Vec::new() }
    }

    pub(super) fn lap(&mut self, name: &str) {
        let (name, seconds) = (name.to_owned(), self.seconds());
        self.phases.push(Phase { name, seconds });
    }

    /// How long it was since this was asked, or a lap ended, before.
    pub(super) fn seconds(&mut self) -> f64 {
        let now = self.world.clock.now();
        let passed: SignedDuration = now.duration_since(self.last);
        self.last = now;
        passed.as_secs_f64()
    }
}
