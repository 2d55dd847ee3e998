//! What the tests of jobs share: a made-up clinic with a vault of its own, and a vault that stops.

pub(crate) mod tested;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use gorgen_engine::{
    Error,
    jobs::{KeyChest, World, backup, backups, restore, verify},
    model::{ChunkId, ObjectName, RunId, Table, ValueKind, prefix},
    ports::{
        Entropy, ObjectInfo, Progress, Revision, Source, Target, TargetState, Vault, VaultError,
    },
    records::{
        manifest::{ChunkRef, Manifest, TablePart},
        run::RunRecord,
    },
    testing::{
        FakeSource, FakeTarget, FixedClock, MemoryKeyring, MemoryVault, SeededEntropy, row, table,
    },
};
use jiff::SignedDuration;
use tokio::sync::Notify;

/// How long a lock is held without renewal. In tests only the test's clock passes it.
pub(crate) const LEASE: Duration = Duration::from_mins(10);

/// A small clinic of two tenants, where its backups go, and the time there.
#[derive(Clone)]
pub(crate) struct Clinic {
    pub(crate) source: FakeSource,
    pub(crate) vault: MemoryVault,
    pub(crate) keyring: MemoryKeyring,
    pub(crate) clock: FixedClock,
    pub(crate) entropy: SeededEntropy,
}

/// All rows of a database by table, each table's in an order of no meaning.
pub(crate) type Content = BTreeMap<String, Vec<Vec<u8>>>;

impl Clinic {
    /// A database without tables, and a vault without objects.
    pub(crate) fn empty() -> Self {
        Self {
            source: FakeSource::new("clinica"),
            vault: MemoryVault::new(),
            keyring: MemoryKeyring::new("one", 1),
            clock: FixedClock::at("2026-11-23T06:00:00Z"),
            entropy: SeededEntropy::new(7),
        }
    }

    /// A few rows of two tenants, and rows that are nobody's.
    pub(crate) fn new() -> Self {
        let clinic = Self::empty();
        clinic.source.define(patients());
        clinic.source.define(table("cid", &[("codigo", ValueKind::Text)], &[]));
        let names = ["Ana", "Beto", "Caê", "Davi"];
        let rows = (1_u32..).zip(names).map(|(id, name)| patient(id, id % 2, name));
        clinic.source.insert("pacientes", rows);
        let codes = ["A00", "B01", "A00"].map(|code| row(&[Some(code)]));
        clinic.source.insert("cid", codes);
        clinic
    }

    /// The world with the clinic's vault.
    pub(crate) fn world(&self) -> World {
        self.world_with(Arc::new(self.vault.clone()))
    }

    /// The world with a vault that stands before the clinic's, or another.
    pub(crate) fn world_with(&self, vault: Arc<dyn Vault>) -> World {
        World {
            vault,
            keyring: Arc::new(self.keyring.clone()),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(self.entropy.clone()),
            progress: Arc::new(Progress::default()),
            tool: "gorgen-backup 0.0.0".to_owned(),
        }
    }

    /// Lets a minute pass.
    pub(crate) fn pass_a_minute(&self) {
        self.clock.advance(SignedDuration::from_mins(1));
    }

    /// Lets so much time pass that no lock of before is still held.
    pub(crate) fn outlast_locks(&self) {
        self.clock.advance(SignedDuration::try_from(LEASE).unwrap());
    }

    /// Makes a backup, a minute after whatever was before.
    pub(crate) async fn try_backup(&self) -> Result<backup::Report, Error> {
        self.pass_a_minute();
        backup::run(&self.world(), &self.source, &request()).await
    }

    /// Makes a backup, which must succeed.
    pub(crate) async fn backup(&self) -> backup::Report {
        self.try_backup().await.expect("a backup")
    }

    /// Verifies everything, with data.
    pub(crate) async fn verify(&self) -> verify::Report {
        self.pass_a_minute();
        verify::run(&self.world(), &reading()).await.expect("a verification")
    }

    /// Restores a backup into a new database.
    pub(crate) async fn try_restore(
        &self,
        backup: &str,
    ) -> (FakeTarget, Result<restore::Report, Error>) {
        self.pass_a_minute();
        let target = FakeTarget::new("copia");
        let result = restore::run(&self.world(), &target, backup, &restoring()).await;
        (target, result)
    }

    /// What a restore of a backup gives, which must succeed.
    pub(crate) async fn restored(&self, backup: &RunId) -> Content {
        let (target, result) = self.try_restore(backup.as_str()).await;
        result.expect("a restore");
        content(target.content())
    }

    /// A backup's manifest.
    pub(crate) async fn manifest(&self, backup: &RunId) -> Manifest {
        let world = self.world();
        let vault = backups::existing_identity(&*world.vault).await.expect("a vault").vault;
        let keys = KeyChest::open(&world, vault).await.expect("keys");
        backups::open(&world, &keys, backup).await.expect("a manifest").1
    }

    /// The ids of all backups.
    pub(crate) async fn backups(&self) -> Vec<RunId> {
        backups::ids(&self.vault).await.expect("a list")
    }

    /// The records of all runs, in the order of their ids.
    pub(crate) fn records(&self) -> Vec<RunRecord> {
        let objects = self.vault.objects();
        let runs = objects.iter().filter(|(name, _)| name.as_str().starts_with(prefix::RUNS));
        runs.map(|(_, bytes)| RunRecord::read(bytes).expect("a record")).collect()
    }

    /// Another clinic whose vault holds the same, to be damaged.
    pub(crate) async fn with_copied_vault(&self) -> Self {
        let vault = MemoryVault::new();
        for (name, bytes) in self.vault.objects() {
            vault.put(&name, bytes).await.expect("a free name");
        }
        Self { vault, ..self.clone() }
    }

    /// The vault's objects under this folder.
    pub(crate) fn objects(&self, folder: &str) -> Vec<ObjectName> {
        let all = self.vault.objects().into_keys();
        all.filter(|name| name.as_str().starts_with(folder)).collect()
    }
}

/// Patients, each of a clinic.
pub(crate) fn patients() -> Table {
    let columns =
        [("id", ValueKind::Number), ("clinica_id", ValueKind::Number), ("nome", ValueKind::Text)];
    table("pacientes", &columns, &["id"])
}

/// A row of [`patients`].
pub(crate) fn patient(id: u32, clinic: u32, name: &str) -> Vec<u8> {
    row(&[Some(&id.to_string()), Some(&clinic.to_string()), Some(name)])
}

/// So many bytes, which do not compress and depend on the seed alone.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SeededEntropy::new(seed).fill(&mut bytes);
    bytes
}

/// A backup of a database with tenants.
pub(crate) fn request() -> backup::Request {
    backup::Request {
        tenant_column: Some("clinica_id".to_owned()),
        readers: 1,
        lease: LEASE,
        deadline: None,
        scheduled: None,
        adopt: false,
        custody: None,
    }
}

/// A verification of everything, with data.
pub(crate) fn reading() -> verify::Request {
    verify::Request { read_data: true, ..verify::Request::default() }
}

/// A restore of everything.
pub(crate) fn restoring() -> restore::Request {
    restore::Request { connections: 2, ..restore::Request::default() }
}

/// Everything that a database holds.
pub(crate) fn content(database: &FakeSource) -> Content {
    let sorted = |table: String| {
        let mut rows = database.rows(&table);
        rows.sort();
        (table, rows)
    };
    database.tables().into_iter().map(sorted).collect()
}

/// Every chunk of a part.
pub(crate) fn chunks_of(part: &TablePart) -> impl Iterator<Item = &ChunkRef> {
    part.groups.iter().flat_map(|group| &group.chunks)
}

/// The names of all chunks of a backup.
pub(crate) fn chunks(manifest: &Manifest) -> BTreeSet<ChunkId> {
    manifest.tables.iter().flat_map(chunks_of).map(|chunk| chunk.chunk).collect()
}

/// An error and its causes, one a line, as a person reads them.
pub(crate) fn text_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether the target's database is there.
pub(crate) async fn state_of(target: &FakeTarget) -> TargetState {
    target.state().await.expect("an answer")
}

/// What a source tells of itself.
pub(crate) async fn catalog(source: &FakeSource) -> gorgen_engine::model::Catalog {
    source.catalog().await.expect("a catalog")
}

/// When a [`WaitingVault`] waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before an object is read.
    Get,
    /// Before a replaceable object is read.
    Read,
    /// Before a write takes effect; writes are numbered from 1.
    Write(u64),
    /// After a write took effect, before its answer is given.
    Written(u64),
}

type Wait = dyn Fn(Moment, &ObjectName) -> BoxFuture<'static, ()> + Send + Sync;

/// A vault that waits, where a test wants it to, while a run is in the middle of its work.
#[derive(Clone)]
pub(crate) struct WaitingVault {
    inner: Arc<dyn Vault>,
    writes: Arc<AtomicU64>,
    wait: Arc<Wait>,
}

impl WaitingVault {
    /// The vault that waits for what `wait` gives at each moment.
    pub(crate) fn new(
        inner: Arc<dyn Vault>,
        wait: impl Fn(Moment, &ObjectName) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, writes: Arc::default(), wait: Arc::new(wait) }
    }

    /// The vault that stops once, at this moment of the objects that `wanted` picks, until told to go on.
    pub(crate) fn stopping(
        inner: &MemoryVault,
        wanted: impl Fn(Moment, &ObjectName) -> bool + Send + Sync + 'static,
    ) -> (Self, Arc<Stop>) {
        let stop = Arc::new(Stop::default());
        let stopper = Arc::clone(&stop);
        let vault = Self::new(Arc::new(inner.clone()), move |moment, name| {
            if wanted(moment, name) && !stopper.used.swap(true, SeqCst) {
                let stop = Arc::clone(&stopper);
                Box::pin(async move { stop.wait().await })
            } else {
                Box::pin(async {})
            }
        });
        (vault, stop)
    }
}

/// Where a run stopped.
#[derive(Default)]
pub(crate) struct Stop {
    used: AtomicBool,
    reached: Notify,
    resume: Notify,
}

impl Stop {
    async fn wait(&self) {
        self.reached.notify_one();
        self.resume.notified().await;
    }

    /// Waits until the run is there.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the run go on.
    pub(crate) fn resume(&self) {
        self.resume.notify_one();
    }
}

#[async_trait]
impl Vault for WaitingVault {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        let number = self.writes.fetch_add(1, SeqCst) + 1;
        (self.wait)(Moment::Write(number), name).await;
        let written = self.inner.put(name, content).await;
        (self.wait)(Moment::Written(number), name).await;
        written
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        (self.wait)(Moment::Get, name).await;
        self.inner.get(name).await
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        self.inner.get_range(name, range).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        self.inner.list(prefix).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        (self.wait)(Moment::Read, name).await;
        self.inner.read(name).await
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        let number = self.writes.fetch_add(1, SeqCst) + 1;
        (self.wait)(Moment::Write(number), name).await;
        let written = self.inner.swap(name, expected, content).await;
        (self.wait)(Moment::Written(number), name).await;
        written
    }
}
