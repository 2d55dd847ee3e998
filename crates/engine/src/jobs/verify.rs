//! Verification: is everything there that the backups need, and is it what was written?
//!
//! Without reading data it is a matter of listings: every pack and key that a manifest names exists, with
//! the right size. With data every byte of every pack is read, authenticated, decompressed and hashed again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Error, KeyChest, World, backups, deadline::within, keys, record, record::Run, runs,
    store::blocking,
};
use crate::{
    error::FormatError,
    model::{KeyId, ObjectName, PackId, RunId, Scope, VaultId, prefix},
    ports::{KeyringError, VaultError},
    records::{
        audit::AuditRecord,
        identity::VaultIdentity,
        key::KeyRecord,
        lock::Lease,
        manifest::Manifest,
        request::RequestRecord,
        restore::RestoreRecord,
        run::{Job, Outcome, RunRecord},
    },
    stages::{
        compress::decompress,
        pack::{self, Entry, SealedContents},
        seal::{Binding, NamingKey, SealingKey},
    },
};

/// Small objects that are read at once.
const PARALLEL_RECORDS: usize = 8;

/// Where records are.
const RECORDS: [&str; 5] =
    [prefix::RUNS, prefix::KEYS, prefix::RESTORES, prefix::AUDIT, prefix::REQUESTS];

/// Packs that are read and checked at once.
const PARALLEL_PACKS: usize = 3;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Backups that were checked.
    pub backups: Vec<RunId>,
    /// Objects looked at.
    pub objects: u64,
    /// Their sizes, in bytes.
    pub bytes: u64,
    /// Packs that no checked backup needs: of runs that were cut off, or of dropped backups.
    pub unreferenced_packs: u64,
    /// Whether data was read.
    pub read_data: bool,
    /// Chunks that were read, opened and hashed again.
    pub chunks_read: u64,
    /// Raw bytes of these chunks.
    pub raw_bytes_read: u64,
    /// Everything that is not as it should be; empty if all is well.
    pub problems: Vec<Problem>,
    /// An earlier run verified for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only this backup; all, and what belongs to none, if left out.
    pub only: Option<RunId>,
    /// Read all data, instead of looking whether it is there.
    pub read_data: bool,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this was scheduled for; it is done once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
}

/// One object that is missing or damaged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The object's name.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
    /// The backups that can't be restored whole because of it.
    pub backups: Vec<RunId>,
}

/// Which backups need a chunk, as places in the list of backups.
type Needs = HashMap<Entry, BTreeSet<usize>>;

/// Verifies one backup, or all.
///
/// # Errors
/// Only if verifying was not possible: what is wrong with the vault is in the report.
pub async fn run(world: &World, request: &Request) -> Result<Report, Error> {
    let run = Run::start(world, request.scheduled);
    let identity = backups::existing_identity(&*world.vault).await?;
    if let Some(report) = runs::done::<Report>(world, Job::Verify, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let result = verify(world, &identity, request, &run);
    let result = within(world, request.deadline, result).await.flatten();
    record::ended(world, &run, Job::Verify, &identity.source, &result).await?;
    result
}

async fn verify(
    world: &World,
    identity: &VaultIdentity,
    request: &Request,
    run: &Run,
) -> Result<Report, Error> {
    let keys = KeyChest::open(world, identity.vault).await?;
    let mut check = Check::new(world, keys, request.only.as_ref()).await?;
    check.records().await?;
    check.manifests().await?;
    if request.read_data {
        check.data().await?;
    }
    Ok(check.into_report(run, request.read_data))
}

struct Check<'a> {
    world: &'a World,
    keys: KeyChest,
    sizes: BTreeMap<ObjectName, u64>,
    backups: Vec<RunId>,
    everything: bool,
    needs: BTreeMap<PackId, Needs>,
    problems: BTreeMap<(String, String), BTreeSet<RunId>>,
    chunks_read: u64,
    raw_bytes_read: u64,
}

impl<'a> Check<'a> {
    async fn new(world: &'a World, keys: KeyChest, only: Option<&RunId>) -> Result<Self, Error> {
        let objects = world.vault.list("").await?;
        let backups = match only {
            Some(id) => vec![id.clone()],
            None => backups::ids(&*world.vault).await?,
        };
        Ok(Self {
            world,
            keys,
            sizes: objects.into_iter().map(|object| (object.name, object.size)).collect(),
            backups,
            everything: only.is_none(),
            needs: BTreeMap::new(),
            problems: BTreeMap::new(),
            chunks_read: 0,
            raw_bytes_read: 0,
        })
    }

    /// Records of every kind: whole, and no successful backup is without its manifest.
    async fn records(&mut self) -> Result<(), Error> {
        let is_record = |name: &&ObjectName| {
            let in_folder = RECORDS.iter().any(|folder| name.stem(folder, ".json").is_some());
            in_folder || **name == ObjectName::lock() || **name == ObjectName::restore_lock()
        };
        let names: Vec<_> = self.sizes.keys().filter(is_record).cloned().collect();
        let vault = &*self.world.vault;
        let records: Vec<_> = stream::iter(names)
            .map(async |name| Ok::<_, Error>((vault.get(&name).await?, name)))
            .buffered(PARALLEL_RECORDS)
            .try_collect()
            .await?;
        for (bytes, name) in records {
            if let Err(error) = self.record(&name, &bytes) {
                self.problem(&name, describe(&error), []);
            }
        }
        Ok(())
    }

    fn record(&mut self, name: &ObjectName, bytes: &[u8]) -> Result<(), FormatError> {
        if let Some(id) = name.stem(prefix::RUNS, ".json") {
            let record = RunRecord::read(bytes)?;
            if record.run.as_str() == id {
                self.expect_manifest(&record);
            } else {
                self.problem(name, "the record is of another run", []);
            }
        } else if let Some(id) = name.stem(prefix::KEYS, ".json") {
            let record = KeyRecord::read(bytes)?;
            if record.key.to_string() != id || record.vault != self.keys.vault() {
                return Err(keys::of_another_key(id));
            }
        } else if let Some(id) = name.stem(prefix::RESTORES, ".json") {
            if RestoreRecord::read(bytes)?.restore.as_str() != id {
                self.problem(name, "the record is of another restore", []);
            }
        } else if let Some(id) = name.stem(prefix::AUDIT, ".json") {
            if AuditRecord::read(bytes)?.entry.as_str() != id {
                self.problem(name, "the record is of another call", []);
            }
        } else if name.stem(prefix::REQUESTS, ".json").is_some() {
            RequestRecord::read(bytes)?;
        } else {
            Lease::read(bytes)?;
        }
        Ok(())
    }

    fn expect_manifest(&mut self, record: &RunRecord) {
        let manifest = ObjectName::manifest(&record.run);
        let made_one = record.job == Job::Backup && record.outcome == Outcome::Succeeded;
        let wanted = self.everything || self.backups.contains(&record.run);
        if made_one && wanted && !self.sizes.contains_key(&manifest) {
            self.problem(&manifest, "missing", [record.run.clone()]);
        }
    }

    /// Manifests open, and all that they name exists.
    async fn manifests(&mut self) -> Result<(), Error> {
        for place in 0..self.backups.len() {
            let id = self.backups[place].clone();
            match backups::open(self.world, &self.keys, &id).await {
                Ok((_, manifest)) => self.manifest(place, &id, &manifest).await?,
                Err(error) => {
                    let name = ObjectName::manifest(&id);
                    if let Some(what) = lost_key_of(&name, &error) {
                        self.problem(&name, what, [id.clone()]);
                    }
                    let (object, what) = blame(error)?;
                    self.problem(&object, what, [id]);
                }
            }
        }
        Ok(())
    }

    async fn manifest(
        &mut self,
        place: usize,
        id: &RunId,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        for (pack, expected) in &manifest.packs {
            let name = ObjectName::pack(pack);
            match self.sizes.get(&name).copied() {
                None => self.problem(&name, "missing", [id.clone()]),
                Some(size) if size != *expected => {
                    self.problem(
                        &name,
                        format!("expected {expected} bytes, found {size}"),
                        [id.clone()],
                    );
                }
                Some(_) => {}
            }
        }
        for part in &manifest.tables {
            for key in &part.keys {
                self.key(key, id).await?;
            }
            for group in &part.groups {
                if let Some(problem) = naming_problem(&self.keys, &group.scope).await? {
                    self.problems.entry(problem).or_default();
                }
            }
            for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
                let (Some(pack), Some(key)) = (part.pack_of(chunk), part.key_of(chunk)) else {
                    return Err(Error::Internal(
                        "a manifest that does not list its packs and keys",
                    ));
                };
                let needs = self.needs.entry(pack.clone()).or_default();
                needs.entry(chunk.entry(key.clone())).or_default().insert(place);
            }
        }
        Ok(())
    }

    async fn key(&mut self, key: &KeyId, backup: &RunId) -> Result<(), Error> {
        if let Err(error) = self.keys.sealing(key).await {
            let (object, what) = blame(error)?;
            self.problem(&object, what, [backup.clone()]);
        }
        Ok(())
    }

    /// Every byte of every pack, needed or not, is what was written.
    async fn data(&mut self) -> Result<(), Error> {
        let ids: Vec<PackId> = self
            .sizes
            .keys()
            .filter_map(|name| name.stem(prefix::PACKS, ".pack")?.parse().ok())
            .filter(|id| self.everything || self.needs.contains_key(id))
            .collect();
        let (world, keys, needs) = (self.world, &self.keys, &self.needs);
        let checked: Vec<_> = stream::iter(ids)
            .map(async |id| {
                let needed = needs.get(&id).map(|needs| needs.keys().cloned().collect());
                let content = read_pack(world, keys, &id, needed.unwrap_or_default()).await?;
                Ok::<_, Error>((content, id))
            })
            .buffer_unordered(PARALLEL_PACKS)
            .try_collect()
            .await?;
        for (content, id) in checked {
            self.pack(&id, content);
        }
        Ok(())
    }

    fn pack(&mut self, id: &PackId, content: PackContent) {
        let name = ObjectName::pack(id);
        self.chunks_read += content.good.len() as u64;
        self.raw_bytes_read += content.good.iter().map(|entry| u64::from(entry.raw)).sum::<u64>();
        let needs = self.needs.get(id).cloned().unwrap_or_default();
        let hurt: BTreeSet<_> = needs
            .iter()
            .filter(|(entry, _)| !content.good.contains(*entry) && !content.locked.contains(*entry))
            .flat_map(|(_, backups)| backups.iter().map(|&place| self.backups[place].clone()))
            .collect();
        for key_problem in content.keys {
            self.problems.entry(key_problem).or_default();
        }
        if let Some(what) = content.damage {
            self.problem(&name, what, hurt);
        } else if !hurt.is_empty() {
            self.problem(&name, "does not hold the chunks that manifests look for in it", hurt);
        }
    }

    fn problem(
        &mut self,
        object: &ObjectName,
        what: impl Into<String>,
        backups: impl IntoIterator<Item = RunId>,
    ) {
        let key = (object.to_string(), what.into());
        self.problems.entry(key).or_default().extend(backups);
    }

    fn into_report(self, run: &Run, read_data: bool) -> Report {
        let is_spare = |name: &&ObjectName| {
            let id = name.stem(prefix::PACKS, ".pack").and_then(|stem| stem.parse().ok());
            id.is_some_and(|id: PackId| !self.needs.contains_key(&id))
        };
        let problems = self.problems.into_iter().map(|((object, what), backups)| Problem {
            object,
            what,
            backups: backups.into_iter().collect(),
        });
        Report {
            started: run.started,
            run: run.id.clone(),
            ended: self.world.clock.now(),
            objects: self.sizes.len() as u64,
            bytes: self.sizes.values().sum(),
            unreferenced_packs: self.sizes.keys().filter(is_spare).count() as u64,
            backups: self.backups,
            read_data,
            chunks_read: self.chunks_read,
            raw_bytes_read: self.raw_bytes_read,
            problems: problems.collect(),
            already_done: false,
        }
    }
}

/// What a pack turned out to hold.
#[derive(Default)]
struct PackContent {
    /// Chunks that are whole.
    good: BTreeSet<Entry>,
    /// Chunks whose key is lost, which says nothing of the pack.
    locked: BTreeSet<Entry>,
    /// What is wrong with the pack itself.
    damage: Option<String>,
    /// What is wrong with the keys it needs: the object, and what.
    keys: BTreeSet<(String, String)>,
}

async fn read_pack(
    world: &World,
    keys: &KeyChest,
    id: &PackId,
    needed: Vec<Entry>,
) -> Result<PackContent, Error> {
    let name = ObjectName::pack(id);
    let mut content = PackContent::default();
    let object = match world.vault.get(&name).await {
        Ok(object) => object,
        Err(VaultError::Missing { .. }) => {
            content.damage = Some("missing".to_owned());
            return Ok(content);
        }
        Err(error) => return Err(error.into()),
    };
    // A restore does not need the table of contents: if it is damaged, chunks may still be whole.
    let entries = match read_contents(keys, id, &object).await {
        Ok(entries) => entries,
        Err(error) => {
            content.damage = lost_key_of(&name, &error);
            content.blame(&name, error)?;
            needed
        }
    };
    for scope in entries.iter().map(|entry| entry.key.scope()).collect::<BTreeSet<_>>() {
        content.keys.extend(naming_problem(keys, scope).await?);
    }
    let mut broken = 0;
    for entry in entries {
        match open_entry(keys, &name, &entry, &object).await {
            Ok(()) => _ = content.good.insert(entry),
            Err(error) => {
                if content.blame(&name, error)? {
                    broken += 1;
                } else {
                    content.locked.insert(entry);
                }
            }
        }
    }
    if let Some(what) = content.damage.as_mut().filter(|_| broken > 1) {
        *what = format!("{what} (and {} more of its chunks)", broken - 1);
    }
    Ok(content)
}

impl PackContent {
    /// Takes down what an error says, and whether it says it of the pack and not of a key.
    fn blame(&mut self, pack: &ObjectName, error: Error) -> Result<bool, Error> {
        let (object, what) = blame(error)?;
        if object == *pack {
            self.damage.get_or_insert(what);
            return Ok(true);
        }
        self.keys.insert((object.to_string(), what));
        Ok(false)
    }
}

async fn read_contents(keys: &KeyChest, id: &PackId, object: &Bytes) -> Result<Vec<Entry>, Error> {
    let damaged = |source| Error::Damaged { name: ObjectName::pack(id), source };
    let sealed = SealedContents::find(object).map_err(damaged)?;
    let key = keys.sealing(&sealed.key).await?;
    let entries = sealed.open(keys.vault(), id, &key).map_err(damaged)?;
    pack::check_layout(object, &sealed, entries).map_err(damaged)
}

/// What is wrong with the key that names the chunks of this scope, if anything: its object, and what.
async fn naming_problem(keys: &KeyChest, scope: &Scope) -> Result<Option<(String, String)>, Error> {
    match keys.kept_naming(scope).await {
        Ok(Some(_)) => Ok(None),
        Ok(None) => {
            let object = format!("{}naming.{scope}.*", prefix::KEYS);
            Ok(Some((object, "missing".to_owned())))
        }
        Err(error) => blame(error).map(|(object, what)| Some((object.to_string(), what))),
    }
}

/// Opens a chunk, and hashes it again if its naming key is there.
async fn open_entry(
    keys: &KeyChest,
    name: &ObjectName,
    entry: &Entry,
    object: &Bytes,
) -> Result<(), Error> {
    let key = keys.sealing(&entry.key).await?;
    let naming = match keys.kept_naming(entry.key.scope()).await {
        Ok(naming) => naming,
        Err(error) => blame(error).map(|_| None)?,
    };
    let (start, end) = (u64::from(entry.offset), u64::from(entry.offset) + u64::from(entry.length));
    let sealed = if end <= object.len() as u64 {
        // Both fit in memory, as the object does.
        object.slice(usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0))
    } else {
        Bytes::new()
    };
    let (vault, entry) = (keys.vault(), entry.clone());
    let opened = blocking(move || open_and_hash(vault, &key, naming.as_deref(), &entry, &sealed));
    opened.await?.map_err(|source| Error::Damaged { name: name.clone(), source })
}

fn open_and_hash(
    vault: VaultId,
    key: &SealingKey,
    naming: Option<&NamingKey>,
    entry: &Entry,
    sealed: &[u8],
) -> Result<(), FormatError> {
    let name = entry.chunk.to_string();
    let binding = Binding { vault, kind: "chunk", name: &name, beside: &[] };
    let rows = decompress(&key.open(sealed, binding)?, entry.raw as usize)?;
    if naming.is_none_or(|naming| naming.name(&rows) == entry.chunk) {
        Ok(())
    } else {
        Err(FormatError::Content(name))
    }
}

/// Which key an object names in clear, if there is none of that name: the key may be lost, or the name damaged.
fn lost_key_of(object: &ObjectName, error: &Error) -> Option<String> {
    match error {
        Error::Vault(VaultError::Missing { name, .. }) if name != object => {
            Some(format!("cannot be opened: it names {name}, which is missing"))
        }
        _ => None,
    }
}

/// The object that an error is about, and what is wrong with it; an error about no object is passed on.
fn blame(error: Error) -> Result<(ObjectName, String), Error> {
    match error {
        Error::Damaged { name, source } => Ok((name, describe(&source))),
        Error::Vault(VaultError::Missing { name, .. }) => Ok((name, "missing".to_owned())),
        Error::Keyring(
            error @ (KeyringError::DoesNotOpen { .. } | KeyringError::NotForUs { .. }),
        ) => {
            let (KeyringError::DoesNotOpen { key, .. } | KeyringError::NotForUs { key, .. }) =
                &error
            else {
                return Err(error.into());
            };
            Ok((ObjectName::key(key), error.to_string()))
        }
        other => Err(other),
    }
}

fn describe(error: &FormatError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
