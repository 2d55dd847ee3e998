//! A restore test: a backup is restored into a throw-away database, proved equal, timed, and dropped.
//!
//! What a restore proves is in [`super::restore`]; beyond it a test compares every definition, tries every view,
//! and follows every foreign key. The scratch database is gone afterwards, whatever happened; one that could not be
//! dropped makes the test a failure.

mod choice;
mod proof;
mod sweep;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{choice::Choice, proof::Proof, sweep::Swept};
use super::{
    Error, KeyChest, World, backups,
    deadline::within,
    record,
    record::Run,
    restore,
    restore::{Phase, Watch},
    runs,
    verify::Replica,
};
use crate::{
    model::{Place, RunId, ServerInfo, VaultId},
    policy::{rotation::Turn, scratch as names},
    ports::{Scratch, Target},
    records::{
        identity::VaultIdentity,
        manifest::{Header, Manifest},
        run::Job,
    },
    stages::definition::Definers,
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
    let identity = identity(world, replica, request.place).await?;
    if let Some(report) = runs::done::<Report>(world, Job::RestoreTest, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let run = Run::start(world, request.scheduled);
    let mut chosen = None;
    let test = Test { world, replica, scratch, request, run: &run, vault: identity.vault };
    let result = test.choose_and_prove(&mut chosen).await;
    let about = chosen
        .map(|Choice { backup, turn, why }| json!({ "backup": backup, "turn": turn, "why": why }));
    let recorded = async {
        // Nothing is written where there is no vault: it may be what was lost.
        backups::existing_identity(&*world.vault).await?;
        let job = Job::RestoreTest;
        record::ended_about(world, &run, job, &identity.source, &result, about).await
    };
    let recorded = recorded.await;
    let report = result?;
    recorded.map_err(|source| Error::NotRecorded {
        backup: report.restore.backup.clone(),
        source: Box::new(source),
    })?;
    Ok(report)
}

/// Whose vault it is. When the copy is asked for by name the vault may be what was lost: then its copy tells.
async fn identity(
    world: &World,
    replica: Option<&Replica>,
    place: Option<Place>,
) -> Result<VaultIdentity, Error> {
    if place != Some(Place::Replica) {
        return backups::existing_identity(&*world.vault).await;
    }
    let replica = replica.ok_or(Error::NoReplica)?;
    let copy = backups::existing_identity(&*replica.vault).await?;
    if let Ok(Some(identity)) = backups::identity(&*world.vault).await {
        require_copy(replica, &copy, identity.vault)?;
    }
    Ok(copy)
}

fn require_copy(replica: &Replica, copy: &VaultIdentity, vault: VaultId) -> Result<(), Error> {
    if copy.vault == vault {
        return Ok(());
    }
    Err(Error::NotACopy { replica: replica.vault.describe(), owner: copy.vault, vault })
}

/// One test.
struct Test<'a> {
    world: &'a World,
    replica: Option<&'a Replica>,
    scratch: &'a dyn Scratch,
    request: &'a Request,
    run: &'a Run,
    vault: VaultId,
}

impl Test<'_> {
    /// The whole test. What was chosen is told also if it fails.
    async fn choose_and_prove(&self, chosen: &mut Option<Choice>) -> Result<Report, Error> {
        let Swept { dropped, left } = sweep::sweep(self).await?;
        let choice = choice::choose(self).await?;
        *chosen = Some(choice.clone());
        let report = self.prove(choice).await?;
        match left {
            None => Ok(Report { swept: dropped, ..report }),
            Some((database, source)) => Err(not_dropped(&report.restore.backup, database, source)),
        }
    }

    /// The world with the chosen place in the vault's.
    async fn reading(&self, place: Place) -> Result<World, Error> {
        if place == Place::Vault {
            return Ok(self.world.clone());
        }
        let replica = self.replica.ok_or(Error::NoReplica)?;
        let copy = backups::existing_identity(&*replica.vault).await?;
        require_copy(replica, &copy, self.vault)?;
        let Replica { vault, keyring } = replica;
        Ok(World { vault: vault.clone(), keyring: keyring.clone(), ..self.world.clone() })
    }

    async fn prove(&self, choice: Choice) -> Result<Report, Error> {
        let started = self.world.clock.now();
        let mut watch = Watch::start(self.world);
        let world = self.reading(choice.turn.place).await?;
        let keys = Arc::new(KeyChest::open(&world, self.vault).await?);
        let (header, manifest) = backups::open(&world, &keys, &choice.backup).await?;
        refuse_nothing(&header, &manifest)?;
        watch.lap("open the backup");

        let prefix = self.scratch.prefix();
        let name = names::name(&prefix, self.vault, &self.run.id)
            .ok_or(Error::ScratchName { longest: names::LONGEST_PREFIX, name: prefix })?;
        let target = self.scratch.database(&name);
        let catalog = manifest.catalog.clone();
        // A restore that fails leaves nothing behind: dropping is needed after one that succeeded.
        let restore = self.restore(&world, &keys, &choice.backup, manifest, &*target).await?;
        watch.skip();
        let proving = proof::prove(&*target, &header, &catalog, &restore, &mut watch);
        let proved = within(self.world, self.request.deadline, proving).await.flatten();
        let proved_at = self.world.clock.now();
        let dropped = target.drop_database().await;
        watch.lap("drop the scratch database");
        let Proof { scratch, foreign_keys, objects, views, invalid_views } = match (proved, dropped)
        {
            (Ok(proof), Ok(())) => proof,
            (Ok(_), Err(error)) => return Err(not_dropped(&choice.backup, name, error.into())),
            (Err(failure), Ok(())) => return Err(failure),
            (Err(failure), Err(cleanup)) => {
                let (failure, cleanup) = (Box::new(failure), Box::new(cleanup.into()));
                return Err(Error::NotCleanedUp { failure, cleanup });
            }
        };
        Ok(Report {
            run: self.run.id.clone(),
            turn: Some(choice.turn),
            why: choice.why,
            backup_age_seconds: started.duration_since(header.snapshot).as_secs(),
            scratch: Some(scratch),
            phases: in_order(watch.phases, &restore.phases),
            restore,
            foreign_keys,
            objects,
            views,
            invalid_views,
            not_covered: catalog.warnings,
            swept: Vec::new(),
            seconds: proved_at.duration_since(started).as_secs_f64(),
            already_done: false,
        })
    }

    async fn restore(
        &self,
        world: &World,
        keys: &Arc<KeyChest>,
        backup: &RunId,
        manifest: Manifest,
        target: &dyn Target,
    ) -> Result<restore::Report, Error> {
        let how = restore::Request {
            connections: self.request.connections,
            deadline: self.request.deadline,
            // The scratch server need not know whom the source's views and routines run as.
            definers: Definers::Strip,
            ..restore::Request::default()
        };
        let opened = restore::Opened { backup, keys, manifest };
        restore::restore_opened(world, opened, target, &how, self.run).await
    }
}

fn not_dropped(backup: &RunId, database: String, source: Error) -> Error {
    Error::ScratchLeft { backup: backup.clone(), database, source: Box::new(source) }
}

/// A test of nothing proves nothing.
fn refuse_nothing(header: &Header, manifest: &Manifest) -> Result<(), Error> {
    let backup = header.backup.clone();
    if manifest.tables.is_empty() {
        return Err(Error::NothingTested { backup, what: "table" });
    }
    if manifest.tables.iter().all(|part| part.digest().rows == 0) {
        return Err(Error::NothingTested { backup, what: "row" });
    }
    Ok(())
}

/// The restore's phases after the first of the test's own.
fn in_order(mut own: Vec<Phase>, of_restore: &[Phase]) -> Vec<Phase> {
    let at = own.len().min(1);
    own.splice(at..at, of_restore.iter().cloned());
    own
}
