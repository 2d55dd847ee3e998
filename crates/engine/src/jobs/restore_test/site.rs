//! A backup that was opened, beside the database that it is restored into.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Chosen, Evidence, Loaded, Prepared, Proved, Report, TestRun, bench::Bench, evidence::LOADING,
    proof, proof::Proof,
};
use crate::{
    jobs::{
        Error, Fetcher, KeyChest, World, backups, restore,
        restore::{RestoredTable, Watch, Work},
    },
    model::{RunId, StoredObjectKind, VaultId},
    policy::groups::groups,
    ports::{Target, TargetState},
    records::manifest::{Header, Totals},
    stages::definition::Definers,
};

pub(super) struct Site {
    /// With the place that is read in the vault's.
    world: World,
    keys: Arc<KeyChest>,
    header: Header,
    backup: Arc<restore::Chosen>,
    target: Arc<dyn Target>,
    how: restore::Request,
}

impl Site {
    /// Opens the backup, in which there must be something to prove.
    pub(super) async fn open(
        bench: Bench<'_>,
        vault: VaultId,
        run: &TestRun,
        chosen: &Chosen,
    ) -> Result<Self, Error> {
        let world = bench.reading(vault, chosen.turn.place).await?;
        let keys = Arc::new(KeyChest::open(&world, vault).await?);
        let (mut header, manifest) = backups::open(&world, &keys, &chosen.backup).await?;
        let mut backup = restore::choose(&chosen.backup, manifest, &[])?;
        for gone in backup.leave_out_erased(&keys).await? {
            header.totals.rows = header.totals.rows.saturating_sub(gone.rows);
            header.totals.raw_bytes = header.totals.raw_bytes.saturating_sub(gone.bytes);
        }
        refuse_nothing(&chosen.backup, &backup)?;
        let how = restore::Request {
            connections: bench.request.connections,
            // The scratch server need not know whom the source's views and routines run as.
            definers: Definers::Strip,
            ..restore::Request::default()
        };
        let target = bench.scratch.database(&bench.database_of(vault, &run.run)?);
        Ok(Self { world, keys, header, backup: Arc::new(backup), target, how })
    }

    async fn work(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Work<'_>, Error> {
        Ok(Work {
            world: &self.world,
            target: &*self.target,
            info: self.target.info().await?,
            request: &self.how,
            chosen: Arc::new(self.backup.only(is_wanted)),
            fetcher: Fetcher::new(&self.world, Arc::clone(&self.keys)),
            home: None,
        })
    }

    /// What each step loads; the same for the same backup.
    pub(super) fn groups(&self) -> Vec<Vec<&str>> {
        groups(self.backup.parts.iter().map(|part| (part.table.as_str(), part.digest().bytes)))
    }

    /// Makes the database, which may be there already, and its sequences.
    pub(super) async fn prepare(&self, opening: Timestamp) -> Result<Prepared, Error> {
        let mut watch = Watch::since(&self.world, opening);
        watch.lap("open the backup");
        let work = self.work(|_| true).await?;
        work.refuse_incompatible_target()?;
        if self.target.state().await? == TargetState::Absent {
            work.create_database().await?;
        } else {
            let there = self.target.source().catalog().await?.objects;
            work.drop_objects(&there, |kind| kind == StoredObjectKind::Sequence).await?;
        }
        work.create_sequences().await?;
        watch.lap(LOADING[0]);
        Ok(Prepared { opening, groups: self.groups().len(), phases: watch.phases })
    }

    /// Loads these tables, builds their keys, reads them back and compares them with the backup.
    pub(super) async fn load(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Loaded, Error> {
        let mut watch = Watch::start(&self.world);
        let work = self.work(is_wanted).await?;
        work.drop_tables().await?;
        work.create_tables().await?;
        let created = watch.seconds();
        work.load_rows().await?;
        let loaded = watch.seconds();
        work.add_secondary_keys().await?;
        let built = watch.seconds();
        let tables = work.read_back().await?;
        Ok(Loaded {
            tables: tables.len() as u64,
            rows: tables.iter().map(|table| table.digest.rows).sum(),
            raw_bytes: tables.iter().map(|table| table.digest.bytes).sum(),
            seconds: [created, loaded, built, watch.seconds()],
        })
    }

    /// Makes what tables need of each other, and all objects, and proves that nothing is missing.
    pub(super) async fn prove(&self) -> Result<Proved, Error> {
        let mut watch = Watch::start(&self.world);
        let mut warnings = self.backup.left_out.clone();
        let work = self.work(|_| true).await?;
        let there = self.target.source().catalog().await?;
        let has_keys = |name: &str| {
            there.tables.iter().any(|table| table.name == name && !table.relations.is_empty())
        };
        work.add_foreign_keys(|name| !has_keys(name), &mut warnings).await?;
        watch.lap(LOADING[2]);
        work.look_for_orphans(&mut warnings).await?;
        watch.lap(LOADING[3]);
        work.drop_objects(&there.objects, |kind| kind != StoredObjectKind::Sequence).await?;
        work.create_objects(&mut warnings).await?;
        watch.lap("create views, triggers and routines");
        let restored = self.world.clock.now();
        let restoring = std::mem::take(&mut watch.phases);
        let Proof { scratch, foreign_keys, objects, views, invalid_views } =
            proof::prove(&*self.target, &self.backup, &mut watch).await?;
        let (proved, proving) = (self.world.clock.now(), watch.phases);
        Ok(Proved {
            restored,
            proved,
            scratch,
            foreign_keys,
            objects,
            views,
            invalid_views,
            warnings,
            restoring,
            proving,
        })
    }

    /// What the test proved, if it proved all of the backup.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if not all that the backup says it has was compared.
    pub(super) fn report(
        &self,
        run: &TestRun,
        chosen: &Chosen,
        evidence: Evidence,
    ) -> Result<Report, Error> {
        refuse_part(&self.header.totals, &evidence)?;
        let (restoring, phases) = (evidence.restoring(), evidence.phases());
        let (_, rows, raw_bytes) = evidence.sums();
        let Evidence { prepared: Prepared { opening, .. }, proved, .. } = evidence;
        // Of all tables each was found to be what the manifest says of it.
        let equal = self.backup.parts.iter();
        let tables = equal
            .map(|part| RestoredTable { table: part.table.clone(), digest: part.digest() })
            .collect();
        Ok(Report {
            run: run.run.clone(),
            turn: Some(chosen.turn),
            why: chosen.why.clone(),
            backup_age_seconds: opening.duration_since(self.header.snapshot).as_secs(),
            scratch: Some(proved.scratch),
            restore: restore::Report {
                restore: run.run.clone(),
                run: run.run.clone(),
                backup: chosen.backup.clone(),
                target: self.target.source().identity(),
                started: run.started,
                ended: proved.restored,
                tables,
                rows,
                raw_bytes,
                phases: restoring,
                warnings: proved.warnings,
            },
            foreign_keys: proved.foreign_keys,
            objects: proved.objects,
            views: proved.views,
            invalid_views: proved.invalid_views,
            not_covered: self.backup.catalog.warnings.clone(),
            swept: chosen.swept.clone(),
            phases,
            seconds: proved.proved.duration_since(opening).as_secs_f64(),
            already_done: false,
        })
    }
}

/// A test of nothing proves nothing.
fn refuse_nothing(backup: &RunId, chosen: &restore::Chosen) -> Result<(), Error> {
    let lacks = |what| Err(Error::NothingTested { backup: backup.clone(), what });
    if chosen.parts.is_empty() {
        return lacks("table");
    }
    if chosen.parts.iter().all(|part| part.digest().rows == 0) {
        return lacks("row");
    }
    Ok(())
}

/// All that the backup says it has was compared, and not only some.
fn refuse_part(backup: &Totals, evidence: &Evidence) -> Result<(), Error> {
    let (tables, rows, bytes) = evidence.sums();
    if (backup.tables, backup.rows, backup.raw_bytes) == (tables, rows, bytes) {
        return Ok(());
    }
    let difference = format!(
        "{} tables with {} rows ({} bytes) were backed up, {tables} with {rows} ({bytes} bytes) were compared",
        backup.tables, backup.rows, backup.raw_bytes
    );
    Err(Error::Mismatch { differences: vec![difference] })
}
