//! A backup: the whole database, as it was at one moment, into the vault.
//!
//! Lock the vault, take a snapshot, read every table into chunks, make sure that no definition changed
//! meanwhile, and only then write the manifest: a backup exists from that moment on, or not at all.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, task::JoinSet};

use super::{
    Error, KeyChest, World, backups, custody::Custody, deadline::within, lock::Lock, pins, record,
    record::Run, runs, store::ChunkStore, table::TableJob,
};
use crate::{
    model::{Catalog, KeyPurpose, ObjectName, Position, RunId, Scope, SourceIdentity, VaultId},
    policy::coverage,
    ports::{Consistency, Reader, Snapshot, Source, SourceError, random},
    records::{
        identity::VaultIdentity,
        imported::Imported,
        manifest::{Header, HeaderFacts, Manifest, TablePart, Totals},
        run::Job,
    },
    stages::definition,
};

/// How often a backup is begun anew when definitions change under it.
const ATTEMPTS: u32 = 3;

/// What a backup is told besides where everything is.
#[derive(Debug, Clone)]
pub struct Request {
    /// The column that says whose row it is, in the tables that have it.
    pub tenant_column: Option<String>,
    /// Connections to read with, where one snapshot can be proved for all of them.
    pub readers: usize,
    /// How long the lock is held without renewal.
    pub lease: Duration,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this backup was scheduled for; it is made once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
    /// Take over a vault that was made for a database at another address.
    pub adopt: bool,
    /// What locks the backup for as long as the rules will keep it; without it, nothing does.
    pub custody: Option<Custody>,
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The backup.
    pub backup: RunId,
    /// The run that made it; the same id.
    pub run: RunId,
    /// What was backed up.
    pub source: SourceIdentity,
    /// When the run started.
    pub started: Timestamp,
    /// The moment that the backup shows.
    pub snapshot: Timestamp,
    /// When all was stored.
    pub ended: Timestamp,
    /// Rows and bytes.
    pub totals: Totals,
    /// How it is known that all rows come from one moment.
    pub consistency: Consistency,
    /// Connections that read.
    pub readers: usize,
    /// How many times it was begun; more than once if definitions changed.
    pub attempts: u32,
    /// What is there but not covered, each a sentence.
    pub warnings: Vec<String>,
    /// Until when nobody can remove it; none if nothing locks it.
    #[serde(default)]
    pub locked_until: Option<Timestamp>,
    /// An earlier run made this backup for the same schedule; this one changed nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// Makes a backup.
///
/// # Errors
/// Whatever the error, no manifest was written: the backup does not exist. What was stored before it is
/// found and used by the next backup.
pub async fn run(world: &World, source: &dyn Source, request: &Request) -> Result<Report, Error> {
    make(world, source, request, None).await
}

/// Makes a backup of what another program's files hold, as `source` gives it, and pins it, since no rule keeps it.
///
/// # Errors
/// As [`run`].
pub async fn import(
    world: &World,
    source: &dyn Source,
    request: &Request,
    imported: &Imported,
) -> Result<Report, Error> {
    make(world, source, request, Some(imported)).await
}

async fn make(
    world: &World,
    source: &dyn Source,
    request: &Request,
    imported: Option<&Imported>,
) -> Result<Report, Error> {
    let job = if imported.is_some() { Job::Import } else { Job::Backup };
    let run = start(world, request.scheduled).await?;
    check_owner(world, source, request).await?;
    let lock = Lock::acquire(world, ObjectName::lock(), &run.id, job, request.lease).await?;
    record::died(world, lock.died.as_ref()).await?;
    // Asked under the lock: of two runs for one moment the second sees what the first has done.
    if let Some(report) = runs::done::<Report>(world, job, request.scheduled).await? {
        lock.release().await?;
        return Ok(Report { already_done: true, ..report });
    }

    let result = back_up(world, source, request, imported, &run, &lock).await;

    let recorded = record::ended(world, &run, job, &source.identity(), &result).await;
    let released = lock.release().await;
    let report = result?;
    recorded.and(released)?;
    Ok(report)
}

/// A run whose id is greater than every backup's, whatever the clock says: ids order backups.
async fn start(world: &World, scheduled: Option<Timestamp>) -> Result<Run, Error> {
    let started = world.clock.now();
    let newest = backups::ids(&*world.vault).await?.pop();
    let id = RunId::after(newest.as_ref(), started, random(&*world.entropy));
    Ok(Run::new(world, id, started, scheduled))
}

/// Begins anew when a definition changes, a few times.
async fn back_up(
    world: &World,
    source: &dyn Source,
    request: &Request,
    imported: Option<&Imported>,
    run: &Run,
    lock: &Lock,
) -> Result<Report, Error> {
    let vault = establish_vault(world, source, request).await?;
    let keys = KeyChest::open(world, vault).await?;
    let store = Arc::new(ChunkStore::open(world, keys, run.id.clone()).await?);
    let mut attempts = 1;
    loop {
        match attempt(world, source, request, imported, run, lock, &store).await {
            Err(Error::Source(SourceError::DefinitionChanged { what })) => {
                if attempts == ATTEMPTS {
                    return Err(Error::Unstable { what, attempts });
                }
                attempts += 1;
            }
            other => return other.map(|report| Report { attempts, ..report }),
        }
    }
}

async fn attempt(
    world: &World,
    source: &dyn Source,
    request: &Request,
    imported: Option<&Imported>,
    run: &Run,
    lock: &Lock,
    store: &Arc<ChunkStore>,
) -> Result<Report, Error> {
    let Snapshot { catalog, position, consistency, readers } =
        within(world, request.deadline, source.snapshot(request.readers)).await??;
    let snapshot = imported.map_or_else(|| world.clock.now(), |imported| imported.created);
    let (catalog, connections) = (Arc::new(catalog), readers.len());

    let tables = read_tables(world, request, &catalog, readers, store);
    let tables = within(world, request.deadline, tables).await.flatten();
    // What a job that ran out of time has read so far is kept, for the next one to build on.
    store.finish().await?;
    let tables = tables?;

    refuse_changed_definitions(&catalog, &source.catalog_since(&catalog).await?)?;
    let mut warnings = coverage::warnings(&catalog, request.tenant_column.as_deref());
    warnings.extend(imported.into_iter().flat_map(|imported| imported.notes.iter().cloned()));
    let catalog = Arc::unwrap_or_clone(catalog);
    let manifest = assemble(catalog, position, consistency, tables, store)?;
    let totals = manifest.totals(store.new_bytes());
    lock.confirm().await?;

    let facts = HeaderFacts {
        backup: run.id.clone(),
        vault: store.keys().vault(),
        source: source.identity(),
        started: run.started,
        snapshot,
        ended: world.clock.now(),
        totals,
        tool: world.tool.clone(),
        imported: imported.cloned(),
    };
    if let Some(imported) = imported {
        let reason = format!("imported from {}", imported.names());
        pins::write(world, run.id.clone(), true, Some(reason)).await?;
    }
    let header = write_manifest(world, store.keys(), &manifest, facts).await?;
    let locked_until = match imported {
        Some(_) => None,
        None => lock_up(world, request, &header.backup, &manifest).await?,
    };
    Ok(Report { locked_until, ..report(header, consistency, connections, warnings) })
}

/// Reads all tables, the largest first, with as many readers as there are.
async fn read_tables(
    world: &World,
    request: &Request,
    catalog: &Arc<Catalog>,
    readers: Vec<Box<dyn Reader>>,
    store: &Arc<ChunkStore>,
) -> Result<Vec<TablePart>, Error> {
    let bytes = catalog.tables.iter().map(|table| table.estimated_bytes).sum();
    world.progress.expect(catalog.tables.len() as u64, bytes);
    let job =
        TableJob::new(world, Arc::clone(store), request.tenant_column.clone(), request.deadline);

    let mut work = JoinSet::new();
    let queue = Arc::new(Mutex::new(largest_first(catalog)));
    for reader in readers {
        work.spawn(read_from_queue(job.clone(), reader, Arc::clone(catalog), Arc::clone(&queue)));
    }
    let mut parts = BTreeMap::new();
    while let Some(done) = work.join_next().await {
        parts.extend(done.map_err(|_| Error::Internal("a reader stopped"))??);
    }
    Ok(parts.into_values().collect())
}

/// Places of the tables in the catalog, so that the longest work starts first.
fn largest_first(catalog: &Catalog) -> VecDeque<usize> {
    let mut places: Vec<_> = (0..catalog.tables.len()).collect();
    places.sort_by_key(|&place| Reverse(catalog.tables[place].estimated_bytes));
    places.into()
}

async fn read_from_queue(
    job: TableJob,
    mut reader: Box<dyn Reader>,
    catalog: Arc<Catalog>,
    queue: Arc<Mutex<VecDeque<usize>>>,
) -> Result<Vec<(usize, TablePart)>, Error> {
    let mut parts = Vec::new();
    loop {
        let next = queue.lock().await.pop_front();
        let Some(place) = next else { return Ok(parts) };
        parts.push((place, job.run(&mut *reader, &catalog.tables[place]).await?));
    }
}

/// A snapshot shows rows as they were, but definitions as they are: if one changed, the two may not fit.
fn refuse_changed_definitions(before: &Catalog, after: &Catalog) -> Result<(), Error> {
    match definition::first_change(before, after) {
        Some(what) => Err(SourceError::DefinitionChanged { what }.into()),
        None => Ok(()),
    }
}

fn assemble(
    mut catalog: Catalog,
    position: Position,
    consistency: Consistency,
    tables: Vec<TablePart>,
    store: &ChunkStore,
) -> Result<Manifest, Error> {
    let mut packs: Vec<_> = tables.iter().flat_map(|part| part.packs.iter().cloned()).collect();
    packs.sort();
    packs.dedup();
    let sized = packs.into_iter().map(|pack| {
        let size = store
            .size_of(&pack)
            .ok_or(Error::Internal("a chunk lies in a pack that was not stored"))?;
        Ok((pack, size))
    });
    let packs = sized.collect::<Result<_, Error>>()?;
    // Estimates were for the order of work: a manifest does not keep them.
    for table in &mut catalog.tables {
        table.estimated_bytes = 0;
    }
    Ok(Manifest { position, consistency, catalog, tables, packs })
}

async fn write_manifest(
    world: &World,
    keys: &KeyChest,
    manifest: &Manifest,
    facts: HeaderFacts,
) -> Result<Header, Error> {
    let name = ObjectName::manifest(&facts.backup);
    let key = keys.current(KeyPurpose::Manifest, &Scope::Shared).await?;
    let (header, object) = manifest
        .seal(facts, &key, &*world.entropy)
        .map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    let again = header.open(&object, &key);
    if again.as_ref().ok() != Some(manifest) {
        return Err(Error::Internal("the sealed manifest does not read back"));
    }
    world.vault.put(&name, object).await?;
    Ok(header)
}

/// Locks what was stored. Until then it is locked as its store locks everything.
async fn lock_up(
    world: &World,
    request: &Request,
    backup: &RunId,
    manifest: &Manifest,
) -> Result<Option<Timestamp>, Error> {
    let Some(custody) = &request.custody else { return Ok(None) };
    let locked = custody.hold_new(world, backup, manifest).await;
    locked.map_err(|source| Error::NotLocked { backup: backup.clone(), source: Box::new(source) })
}

/// Refuses a vault of another source before anything is touched.
async fn check_owner(world: &World, source: &dyn Source, request: &Request) -> Result<(), Error> {
    let given = source.identity();
    match backups::identity(&*world.vault).await? {
        Some(identity) if identity.source != given && !request.adopt => Err(Error::ForeignVault {
            vault: world.vault.describe(),
            owner: identity.source,
            given,
        }),
        _ => Ok(()),
    }
}

/// The vault's id; makes the vault if there is none, and hands it to the new owner if that was asked for.
async fn establish_vault(
    world: &World,
    source: &dyn Source,
    request: &Request,
) -> Result<VaultId, Error> {
    let name = ObjectName::identity();
    let found = world.vault.read(&name).await?;
    let (id, created, revision) = if let Some((bytes, revision)) = &found {
        let damaged = |source| Error::Damaged { name: name.clone(), source };
        let identity = VaultIdentity::read(bytes).map_err(damaged)?;
        if identity.source == source.identity() || !request.adopt {
            return Ok(identity.vault);
        }
        (identity.vault, identity.created, Some(revision))
    } else {
        backups::not_lost(&*world.vault).await?;
        (VaultId::new(random(&*world.entropy)), world.clock.now(), None)
    };
    // A slip in an address must not make the vault that of a database which is not there.
    source.check().await?;
    let identity = VaultIdentity::new(id, source.identity(), created);
    let content =
        identity.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    world.vault.swap(&name, revision, content).await?;
    Ok(id)
}

fn report(
    header: Header,
    consistency: Consistency,
    readers: usize,
    warnings: Vec<String>,
) -> Report {
    Report {
        run: header.backup.clone(),
        backup: header.backup,
        source: header.source,
        started: header.started,
        snapshot: header.snapshot,
        ended: header.ended,
        totals: header.totals,
        consistency,
        readers,
        attempts: 1,
        warnings,
        locked_until: None,
        already_done: false,
    }
}
