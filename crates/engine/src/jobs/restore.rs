//! A restore into a new or empty database: definitions, rows, keys, objects, and then the proof.
//!
//! Nothing is believed because it was loaded: every table is read back and its digest compared with the
//! backup's. If anything fails the database is as it was before: absent, or empty.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use super::{
    Error, Fetcher, KeyChest, World, backups, deadline::within, fetch::Stretch, record, record::Run,
};
use crate::{
    model::{
        Catalog, CharsetContext, Flavor, Relation, RunId, SourceIdentity, StoredObject,
        StoredObjectKind, Table, VaultId,
    },
    policy::compatibility,
    ports::{Loader, Reader, Target, TargetError, TargetInfo, TargetState},
    records::{
        manifest::{Manifest, TablePart},
        run::Job,
    },
    stages::{
        definition::{self, Definers},
        rows::{Digest, RowBatch},
    },
};

/// Chunks that wait, fetched and opened, for a loader.
const FETCHED_AHEAD: usize = 1;

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

pub(super) async fn restore(
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
    let chosen = Arc::new(choose(&backup, manifest, request)?);
    let state = refuse_full_target(target).await?;
    let info = target.info().await?;
    let work = Work { world, target, info, request, chosen, fetcher: Fetcher::new(world, keys) };
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

/// What of a backup is to be restored.
pub(super) struct Chosen {
    pub(super) catalog: Catalog,
    pub(super) parts: Vec<TablePart>,
    left_out: Vec<String>,
}

/// Leaves of the manifest what was asked for: with tables named, only these and their triggers.
pub(super) fn choose(
    backup: &RunId,
    manifest: Manifest,
    request: &Request,
) -> Result<Chosen, Error> {
    let Manifest { mut catalog, tables: mut parts, .. } = manifest;
    let mut left_out = Vec::new();
    if request.tables.is_empty() {
        return Ok(Chosen { catalog, parts, left_out });
    }
    if let Some(table) =
        request.tables.iter().find(|name| !catalog.tables.iter().any(|t| t.name == **name))
    {
        let known: Vec<_> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
        let known = known.join(", ");
        return Err(Error::NoSuchTable { table: table.clone(), backup: backup.clone(), known });
    }
    let wanted = |name: &str| request.tables.iter().any(|table| table == name);
    catalog.tables.retain(|table| wanted(&table.name));
    parts.retain(|part| wanted(&part.table));
    catalog.objects.retain(|object| {
        let keep = object.kind == StoredObjectKind::Sequence
            || object.table.as_deref().is_some_and(wanted);
        if !keep && object.table.is_none() {
            left_out.push(format!(
                "{} {} was not restored: only tables were asked for",
                object.kind.keyword().to_lowercase(),
                object.name
            ));
        }
        keep
    });
    Ok(Chosen { catalog, parts, left_out })
}

async fn refuse_full_target(target: &dyn Target) -> Result<TargetState, Error> {
    let state = target.state().await?;
    if let TargetState::Holds(objects) = state {
        let database = target.source().identity().database;
        return Err(Error::TargetNotEmpty { database, objects });
    }
    Ok(state)
}

struct Work<'a> {
    world: &'a World,
    target: &'a dyn Target,
    info: TargetInfo,
    request: &'a Request,
    chosen: Arc<Chosen>,
    fetcher: Fetcher,
}

type Filled = (Vec<RestoredTable>, Vec<Phase>, Vec<String>);

impl Work<'_> {
    fn refuse_incompatible_target(&self) -> Result<(), Error> {
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
        self.create_tables(state).await?;
        watch.lap("create tables");
        self.load_rows().await?;
        watch.lap("load rows");
        self.add_keys(&mut warnings).await?;
        watch.lap("build keys");
        let tables = self.read_back().await?;
        self.look_for_orphans(&mut warnings).await?;
        watch.lap("verify");
        self.create_objects(&mut warnings).await?;
        watch.lap("create views, triggers and routines");
        Ok((tables, watch.phases, warnings))
    }

    async fn create_tables(&self, state: TargetState) -> Result<(), Error> {
        let catalog = &self.chosen.catalog;
        if state == TargetState::Absent {
            self.create_database().await?;
        }
        for sequence in self.objects_of(StoredObjectKind::Sequence) {
            self.create_object(sequence).await?;
        }
        for table in &catalog.tables {
            let create = definition::split(&table.ddl).create;
            let ddl = definition::without_database(&create, &catalog.database);
            let ddl = self.with_plain_literals(&self.with_mapped_collations(&ddl));
            self.execute(&format!("create table {}", table.name), &ddl).await?;
        }
        Ok(())
    }

    async fn create_database(&self) -> Result<(), Error> {
        let catalog = &self.chosen.catalog;
        let collation = self.mapped(&catalog.collation);
        let charset =
            if collation == catalog.collation { &catalog.charset } else { charset_of(collation) };
        Ok(self.target.create_database(charset, collation).await?)
    }

    /// Loads all rows, with several connections at once.
    async fn load_rows(&self) -> Result<(), Error> {
        let bytes = self.chosen.parts.iter().map(|part| part.digest().bytes).sum();
        let connections = self.request.connections.max(1);
        let lanes = Arc::new(Mutex::new(lanes(&self.chosen, connections)?));
        let left = Arc::new(lanes_left(&self.chosen, &*lanes.lock().await));
        let with_rows = left.iter().filter(|left| left.load(Relaxed) > 0).count();
        self.world.progress.expect(with_rows as u64, bytes);
        let mut work = JoinSet::new();
        for _ in 0..connections {
            let loading = Loading {
                left: Arc::clone(&left),
                world: self.world.clone(),
                fetcher: self.fetcher.clone(),
                chosen: Arc::clone(&self.chosen),
                lanes: Arc::clone(&lanes),
                loader: self.target.loader().await?,
            };
            work.spawn(loading.run());
        }
        while let Some(done) = work.join_next().await {
            done.map_err(|_| Error::Internal("a loader stopped"))??;
        }
        Ok(())
    }

    /// Secondary keys of all tables, and only then foreign keys, which may need keys of other tables.
    async fn add_keys(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        let tables = &self.chosen.catalog.tables;
        let build = tables.iter().map(async |table| {
            let keys = definition::split(&table.ddl).keys;
            self.alter(table, "build the keys of", &keys).await
        });
        stream::iter(build)
            .buffer_unordered(self.request.connections.max(1))
            .try_collect::<()>()
            .await?;
        for table in tables {
            let mut foreign_keys = definition::split(&table.ddl).foreign_keys;
            for relation in self.relations_outwards(table) {
                let name = format!("CONSTRAINT {} ", quoted(&relation.name));
                foreign_keys.retain(|clause| !clause.starts_with(&name));
                warnings.push(format!(
                    "foreign key {} of table {} was not restored: table {} was not asked for",
                    relation.name, table.name, relation.parent
                ));
            }
            self.alter(table, "add the foreign keys of", &foreign_keys).await?;
        }
        Ok(())
    }

    async fn alter(&self, table: &Table, what: &str, clauses: &[String]) -> Result<(), Error> {
        if clauses.is_empty() {
            return Ok(());
        }
        let added: Vec<_> = clauses.iter().map(|clause| format!("ADD {clause}")).collect();
        let statement = format!("ALTER TABLE {} {}", quoted(&table.name), added.join(", "));
        self.execute(&format!("{what} table {}", table.name), &statement).await
    }

    /// Foreign keys to tables of this database that are not being restored.
    fn relations_outwards<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = &'a Relation> {
        let known: BTreeSet<_> =
            self.chosen.catalog.tables.iter().map(|table| table.name.as_str()).collect();
        let whole = self.request.tables.is_empty();
        table.relations.iter().filter(move |relation| {
            !whole
                && relation.parent_database.is_none()
                && !known.contains(relation.parent.as_str())
        })
    }

    /// Reads every table back and compares it with the backup.
    async fn read_back(&self) -> Result<Vec<RestoredTable>, Error> {
        let snapshot = self.target.source().snapshot(self.request.connections).await?;
        let queue: VecDeque<usize> = (0..self.chosen.parts.len()).collect();
        let queue = Arc::new(Mutex::new(queue));
        let mut work = JoinSet::new();
        for reader in snapshot.readers {
            work.spawn(digest_from_queue(reader, Arc::clone(&self.chosen), Arc::clone(&queue)));
        }
        let mut found = BTreeMap::new();
        while let Some(done) = work.join_next().await {
            found.extend(done.map_err(|_| Error::Internal("a reader stopped"))??);
        }
        self.compare(&found)
    }

    fn compare(&self, found: &BTreeMap<usize, Digest>) -> Result<Vec<RestoredTable>, Error> {
        let (mut tables, mut differences) = (Vec::new(), Vec::new());
        for (place, part) in self.chosen.parts.iter().enumerate() {
            let expected = part.digest();
            match found.get(&place) {
                Some(digest) if *digest == expected => {
                    tables.push(RestoredTable { table: part.table.clone(), digest: *digest });
                }
                Some(digest) => differences.push(difference(&part.table, &expected, digest)),
                None => return Err(Error::Internal("a table was not read back")),
            }
        }
        if differences.is_empty() { Ok(tables) } else { Err(Error::Mismatch { differences }) }
    }

    /// Rows that point nowhere were so in the source as well, since all digests are equal; they are still news.
    async fn look_for_orphans(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        for table in &self.chosen.catalog.tables {
            let outwards: BTreeSet<_> =
                self.relations_outwards(table).map(|relation| &relation.name).collect();
            for relation in
                table.relations.iter().filter(|relation| !outwards.contains(&relation.name))
            {
                let orphans = self.target.orphans(&table.name, relation).await?;
                if orphans > 0 {
                    warnings.push(format!(
                        "{orphans} rows of table {} point at no row of {} (foreign key {}), in the backup as well",
                        table.name, relation.parent, relation.name
                    ));
                }
            }
        }
        Ok(())
    }

    async fn create_objects(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        for kind in [StoredObjectKind::Function, StoredObjectKind::Procedure] {
            for routine in self.objects_of(kind) {
                self.create_object(routine).await?;
            }
        }
        self.create_views(warnings).await?;
        for kind in [StoredObjectKind::Trigger, StoredObjectKind::Event] {
            for object in self.objects_of(kind) {
                self.create_object(object).await?;
            }
        }
        Ok(())
    }

    /// Views may need each other: rounds, until a round makes none. What is left was invalid in the source.
    async fn create_views(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        let mut waiting: Vec<_> = self.objects_of(StoredObjectKind::View).collect();
        while !waiting.is_empty() {
            let (before, mut failed) = (waiting.len(), Vec::new());
            for view in waiting {
                match self.create_object(view).await {
                    Ok(()) => {}
                    Err(error @ Error::Target(TargetError::Refused { .. })) => {
                        failed.push((view, error));
                    }
                    Err(error) => return Err(error),
                }
            }
            if failed.len() == before {
                warnings.extend(failed.iter().map(|(view, error)| {
                    let causes =
                        std::iter::successors(std::error::Error::source(error), |e| e.source());
                    let why = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
                    if self.is_of_one_kind() {
                        format!("view {} is invalid and was not restored: {why}", view.name)
                    } else {
                        format!(
                            "view {} is not what {} takes, and was not restored: {why}",
                            view.name,
                            compatibility::name_of(&self.info)
                        )
                    }
                }));
                return Ok(());
            }
            waiting = failed.into_iter().map(|(view, _)| view).collect();
        }
        Ok(())
    }

    fn objects_of(&self, kind: StoredObjectKind) -> impl Iterator<Item = &StoredObject> {
        self.chosen.catalog.objects.iter().filter(move |object| object.kind == kind)
    }

    async fn create_object(&self, object: &StoredObject) -> Result<(), Error> {
        let action = format!("create {} {}", object.kind.keyword().to_lowercase(), object.name);
        let ddl = self.request.definers.apply(&object.ddl, object.definer.as_deref());
        let ddl = self.with_mapped_collations(&ddl);
        let context = self.with_mapped_context(&object.context);
        self.target.execute(&action, &ddl, &context).await?;
        if let Some(after) = &object.after {
            self.target.execute(&action, after, &context).await?;
        }
        Ok(())
    }

    async fn execute(&self, action: &str, statement: &str) -> Result<(), Error> {
        Ok(self.target.execute(action, statement, &CharsetContext::default()).await?)
    }

    fn mapped<'a>(&'a self, collation: &'a str) -> &'a str {
        self.request.collations.get(collation).map_or(collation, String::as_str)
    }

    fn with_mapped_collations(&self, ddl: &str) -> String {
        let mapped = self.request.collations.iter();
        mapped.fold(ddl.to_owned(), |ddl, (from, to)| definition::replace_word(&ddl, from, to))
    }

    fn with_mapped_context(&self, context: &CharsetContext) -> CharsetContext {
        let mapped = |collation: &Option<String>| {
            collation.as_deref().map(|collation| self.mapped(collation).to_owned())
        };
        CharsetContext {
            collation_connection: mapped(&context.collation_connection),
            database_collation: mapped(&context.database_collation),
            ..context.clone()
        }
    }

    /// MySQL shows literals with their character set before them. Of such a one MariaDB keeps the bytes beyond ASCII,
    /// in a computed column, a default or a check, as text: `\xC2` would be four characters. Tables are made by a
    /// session of that character set, for which the literal alone is the same.
    fn with_plain_literals(&self, ddl: &str) -> String {
        match self.info.server.flavor {
            Flavor::MariaDb if !self.is_of_one_kind() => {
                definition::replace_word(ddl, "_utf8mb4", "")
            }
            _ => ddl.to_owned(),
        }
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

/// Stretches of one table that one connection loads, in order.
struct Lane {
    place: usize,
    stretches: Vec<Stretch>,
}

impl Lane {
    fn bytes(&self) -> u64 {
        self.stretches
            .iter()
            .flat_map(|stretch| &stretch.chunks)
            .map(|chunk| u64::from(chunk.raw))
            .sum()
    }
}

/// Divides the work: a table with a key between all connections, one without as a whole, so that its rows
/// keep their order. The largest lanes come first.
fn lanes(chosen: &Chosen, connections: usize) -> Result<VecDeque<Lane>, Error> {
    let mut lanes = Vec::new();
    for (place, (table, part)) in chosen.catalog.tables.iter().zip(&chosen.parts).enumerate() {
        let stretches = Fetcher::stretches(part)?;
        let parts = if table.key.is_empty() { 1 } else { connections };
        let length = stretches.len().div_ceil(parts).max(1);
        lanes.extend(stretches.chunks(length).map(|part| Lane { place, stretches: part.to_vec() }));
    }
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.bytes()));
    Ok(lanes.into())
}

fn lanes_left(chosen: &Chosen, lanes: &VecDeque<Lane>) -> Vec<AtomicUsize> {
    let count = |place| lanes.iter().filter(|lane| lane.place == place).count();
    (0..chosen.parts.len()).map(|place| AtomicUsize::new(count(place))).collect()
}

struct Loading {
    world: World,
    fetcher: Fetcher,
    chosen: Arc<Chosen>,
    lanes: Arc<Mutex<VecDeque<Lane>>>,
    /// Lanes of each table that are not loaded yet.
    left: Arc<Vec<AtomicUsize>>,
    loader: Box<dyn Loader>,
}

impl Loading {
    async fn run(mut self) -> Result<(), Error> {
        loop {
            let next = self.lanes.lock().await.pop_front();
            let Some(lane) = next else { return Ok(()) };
            let place = lane.place;
            self.lane(lane).await?;
            if self.left[place].fetch_sub(1, Relaxed) == 1 {
                self.world.progress.table_done();
            }
        }
    }

    /// Fetches ahead while the server is busy with what it has.
    async fn lane(&mut self, lane: Lane) -> Result<(), Error> {
        let place = lane.place;
        let (sender, mut opened) = mpsc::channel(FETCHED_AHEAD);
        let fetcher = self.fetcher.clone();
        let chosen = Arc::clone(&self.chosen);
        let mut fetching = JoinSet::new();
        fetching.spawn(async move {
            let part = &chosen.parts[lane.place];
            for stretch in &lane.stretches {
                let rows = fetcher.rows(part, stretch).await?;
                for (chunk, rows) in stretch.chunks.iter().zip(rows) {
                    if sender.send((rows, u64::from(chunk.rows))).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Ok::<_, Error>(())
        });
        while let Some((rows, count)) = opened.recv().await {
            self.loader.load(&self.chosen.catalog.tables[place], &rows, count).await?;
            self.world.progress.rows_done(count, rows.len() as u64);
        }
        while let Some(done) = fetching.join_next().await {
            done.map_err(|_| Error::Internal("a fetcher stopped"))??;
        }
        Ok(())
    }
}

async fn digest_from_queue(
    mut reader: Box<dyn Reader>,
    chosen: Arc<Chosen>,
    queue: Arc<Mutex<VecDeque<usize>>>,
) -> Result<Vec<(usize, Digest)>, Error> {
    let mut found = Vec::new();
    loop {
        let next = queue.lock().await.pop_front();
        let Some(place) = next else { return Ok(found) };
        found.push((place, digest(&mut *reader, &chosen.catalog.tables[place]).await?));
    }
}

async fn digest(reader: &mut dyn Reader, table: &Table) -> Result<Digest, Error> {
    let (sender, mut batches) = mpsc::channel::<RowBatch>(4);
    let add_up = async {
        let mut digest = Digest::default();
        while let Some(batch) = batches.recv().await {
            batch.rows().for_each(|row| digest.add(row));
        }
        digest
    };
    let (read, digest) = tokio::join!(reader.read(table, sender), add_up);
    read?;
    Ok(digest)
}

fn difference(table: &str, expected: &Digest, found: &Digest) -> String {
    if expected.rows == found.rows {
        format!(
            "table {table}: all {} rows are there, but not all have the content that was backed up",
            found.rows
        )
    } else {
        format!("table {table}: {} rows were backed up, {} are there", expected.rows, found.rows)
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The character set that a collation belongs to: the first part of its name.
fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// Measures phases by the world's clock.
struct Watch<'a> {
    world: &'a World,
    last: Timestamp,
    phases: Vec<Phase>,
}

impl<'a> Watch<'a> {
    fn start(world: &'a World) -> Self {
        Self { world, last: world.clock.now(), phases: Vec::new() }
    }

    fn lap(&mut self, name: &str) {
        let now = self.world.clock.now();
        let passed: SignedDuration = now.duration_since(self.last);
        self.phases.push(Phase { name: name.to_owned(), seconds: passed.as_secs_f64() });
        self.last = now;
    }
}
