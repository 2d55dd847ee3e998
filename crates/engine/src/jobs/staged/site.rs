//! What a step of a restore works with: the record, the backup, the databases.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Rules, Servers, choice};
use crate::{
    jobs::{
        Error, Fetcher, KeyChest, World, backups,
        restore::{self, Chosen, Home, Work, choose},
        restores,
    },
    model::{KeyId, ObjectName, RunId, SourceIdentity, StoredObjectKind, Table},
    policy::{swap::Names, tenancy::Tenancy},
    ports::{Server, Target, VaultError},
    records::{
        manifest::TablePart,
        restore::{Destination, Lap, RestoreRecord, Stage, Verified, Wish},
        run::{Job, Outcome, RunRecord},
    },
};

/// A restore at work, as one step sees it.
pub(super) struct Site<'a> {
    pub(super) world: &'a World,
    pub(super) server: &'a dyn Server,
    pub(super) rules: &'a Rules,
    pub(super) record: RestoreRecord,
    pub(super) names: Names,
    pub(super) keys: Arc<KeyChest>,
    /// The moment that the backup shows.
    pub(super) snapshot: Timestamp,
    /// The key that sealed the manifest, and seals what is as secret as it.
    pub(super) key: KeyId,
    /// All that is loaded: the tables, and the objects that come with them.
    pub(super) chosen: Arc<Chosen>,
    /// Whose rows are whose, if one tenant's are wanted.
    pub(super) tenancy: Option<Tenancy>,
    request: restore::Request,
}

impl<'a> Site<'a> {
    /// Opens the backup of a restore.
    pub(super) async fn open(
        world: &'a World,
        servers: Servers<'a>,
        rules: &'a Rules,
        id: &RunId,
    ) -> Result<Self, Error> {
        let record = restores::find(&*world.vault, id).await?;
        Self::of(world, servers, rules, record).await
    }

    /// The same for a restore that has no record in the vault: it can only be planned.
    pub(super) async fn of(
        world: &'a World,
        servers: Servers<'a>,
        rules: &'a Rules,
        record: RestoreRecord,
    ) -> Result<Self, Error> {
        let server = servers.of(&record.wish)?;
        let vault = backups::existing_identity(&*world.vault).await?.vault;
        let keys = Arc::new(KeyChest::open(world, vault).await?);
        let backup = record.backup.clone().ok_or(Error::Internal("a restore has no backup"))?;
        let (header, manifest) = backups::open(world, &keys, &backup).await?;
        let (mut chosen, tenancy) = match &record.wish.tenant {
            Some(name) => {
                let (chosen, tenancy) = choice::choose(manifest, rules, &record.wish, name)?;
                (chosen, Some(tenancy))
            }
            None => (choose(&backup, manifest, &record.wish.tables)?, None),
        };
        chosen.leave_out_erased(&keys).await?;
        let request = restore::Request {
            tables: record.wish.tables.clone(),
            connections: rules.connections,
            collations: rules.collations.clone(),
            definers: rules.definers.clone(),
            deadline: rules.deadline,
        };
        let names = names(server, &record.wish, &record.restore);
        let mut site = Self {
            world,
            server,
            rules,
            record,
            names,
            keys,
            snapshot: header.snapshot,
            key: header.key,
            chosen: Arc::new(chosen),
            tenancy,
            request,
        };
        site.leave_out_unwanted();
        Ok(site)
    }

    /// Is it over the live database?
    pub(super) fn is_in_place(&self) -> bool {
        is_in_place(&self.record.wish)
    }

    /// Did the loaded tables wait for somebody to look at them?
    pub(super) fn has_waited(&self) -> bool {
        self.record.wish.destination == Destination::InPlace { stage_only: true }
    }

    /// Are all tables wanted, so that the database is to be what the backup holds?
    pub(super) fn is_whole(&self) -> bool {
        self.record.wish.tables.is_empty() && self.record.wish.tenant.is_none()
    }

    /// The live database.
    pub(super) fn live(&self) -> SourceIdentity {
        self.server.live()
    }

    /// The database that is loaded.
    pub(super) fn staging(&self) -> Arc<dyn Target> {
        self.server.database(&self.names.staging)
    }

    /// What the settings keep from being restored is not loaded, or loaded without its rows.
    fn leave_out_unwanted(&mut self) {
        let (kept, emptied) = (self.record.kept.clone(), self.record.emptied.clone());
        let kept = |table: &str| kept.iter().any(|name| name == table);
        let emptied = |table: &str| emptied.iter().any(|name| name == table);
        let Chosen { mut catalog, mut parts, left_out, erased } = (*self.chosen).clone();
        catalog.tables.retain(|table| !kept(&table.name));
        catalog.objects.retain(|object| !object.table.as_deref().is_some_and(kept));
        parts.retain(|part| !kept(&part.table));
        for part in parts.iter_mut().filter(|part| emptied(&part.table)) {
            *part = TablePart::new(part.table.clone(), [], None);
        }
        self.chosen = Arc::new(Chosen { catalog, parts, left_out, erased });
    }

    /// Work on these tables of the staging database.
    pub(super) async fn work<'b>(
        &'b self,
        target: &'b dyn Target,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Work<'b>, Error> {
        Ok(Work {
            world: self.world,
            target,
            info: target.info().await?,
            request: &self.request,
            chosen: Arc::new(self.chosen.only(is_wanted)),
            fetcher: Fetcher::new(self.world, Arc::clone(&self.keys)),
            home: self.home(),
        })
    }

    /// Where the tables will be moved, and which of its tables they will find there.
    fn home(&self) -> Option<Home> {
        self.is_in_place().then(|| {
            let comes = |name: &str| self.replaced().any(|table| table.name == name);
            let all = self.chosen.catalog.tables.iter();
            let parents = all.flat_map(|table| &table.relations).map(|relation| &relation.parent);
            Home {
                database: self.live().database,
                stay: parents.filter(|parent| !comes(parent)).cloned().collect(),
            }
        })
    }

    /// The tables that take the place of live ones.
    pub(super) fn replaced(&self) -> impl Iterator<Item = &Table> {
        let merged = &self.record.merged;
        self.chosen.catalog.tables.iter().filter(move |table| !merged.contains(&table.name))
    }

    /// The sequences that take the place of live ones.
    pub(super) fn sequences(&self) -> Vec<&str> {
        let is_sequence = |kind| kind == StoredObjectKind::Sequence;
        let objects = self.chosen.catalog.objects.iter();
        let sequences = objects.filter(|object| is_sequence(object.kind));
        sequences.map(|object| object.name.as_str()).filter(|_| self.is_whole()).collect()
    }

    /// Changes the record.
    pub(super) async fn update(
        &mut self,
        change: impl Fn(&mut RestoreRecord) + Send + Sync,
    ) -> Result<(), Error> {
        let changed = restores::update(self.world, &self.record.restore, |record| {
            change(record);
            Ok(())
        });
        self.record = changed.await?;
        Ok(())
    }

    /// Refuses what is not possible at this stage.
    pub(super) fn require(
        &self,
        action: &'static str,
        possible: &'static str,
        stages: &[Stage],
    ) -> Result<(), Error> {
        require(&self.record, action, possible, stages)
    }

    /// Notes tables that were proved equal.
    pub(super) async fn note_verified(
        &mut self,
        tables: &[restore::RestoredTable],
    ) -> Result<(), Error> {
        self.update(|record| {
            for table in tables {
                if record.verified.iter().any(|known| known.table == table.table) {
                    continue;
                }
                record.progress.tables_done += 1;
                record.progress.rows_done += table.digest.rows;
                record.progress.bytes_done += table.digest.bytes;
                let (table, digest) = (table.table.clone(), table.digest);
                record.verified.push(Verified { table, digest });
            }
        })
        .await
    }
}

/// How long something took that is over now.
pub(super) fn lap(world: &World, name: &str, started: Timestamp) -> Lap {
    let ended = world.clock.now();
    let seconds = ended.duration_since(started).as_secs_f64();
    Lap { name: name.to_owned(), ended, seconds }
}

/// The databases that a restore works with.
pub(super) fn names(server: &dyn Server, wish: &Wish, id: &RunId) -> Names {
    let names = Names::of(&server.live().database, id);
    match &wish.destination {
        Destination::InPlace { .. } => names,
        Destination::Database { database, .. } => Names { staging: database.clone(), ..names },
    }
}

pub(super) fn is_in_place(wish: &Wish) -> bool {
    matches!(wish.destination, Destination::InPlace { .. })
}

pub(super) fn require(
    record: &RestoreRecord,
    action: &'static str,
    possible: &'static str,
    stages: &[Stage],
) -> Result<(), Error> {
    if stages.contains(&record.stage) {
        return Ok(());
    }
    let (restore, stage) = (record.restore.clone(), record.stage.as_str());
    Err(Error::WrongStage { restore, stage, action, possible })
}

/// Leaves the record of a run, once, when a restore has come to its first end.
pub(super) async fn record_end(world: &World, record: &RestoreRecord) -> Result<(), Error> {
    let failed = record.stage == Stage::Failed;
    let outcome = if failed { Outcome::Failed } else { Outcome::Succeeded };
    let (id, ended) = (record.restore.clone(), world.clock.now());
    let mut run = RunRecord::new(id, Job::Restore, outcome, record.requested, ended);
    run.source.clone_from(&record.target);
    run.error.clone_from(&record.error);
    run.summary = serde_json::to_value(record).ok();
    let name = ObjectName::run(&run.run);
    let content =
        run.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    match world.vault.put(&name, content).await {
        Err(VaultError::Exists { .. }) => Ok(()),
        other => Ok(other?),
    }
}
