//! One vault, looked through: its records, its manifests and all they name, and what its packs hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Reading,
    blame::{Findings, blame, describe, lost_key_of},
    packs::{PackContent, naming_problem, read_pack},
};
use crate::{
    error::FormatError,
    jobs::{Error, KeyChest, World, backups, keys},
    model::{KeyId, ObjectName, PackId, RunId, prefix},
    policy::shares::Share,
    ports::VaultError,
    records::{
        audit::AuditRecord,
        cleanup::CleanupRecord,
        key::KeyRecord,
        lock::Lease,
        manifest::{Header, Manifest},
        pin::PinRecord,
        report::ReportRecord,
        request::RequestRecord,
        restore::RestoreRecord,
        run::{Job, Outcome, RunRecord},
    },
    stages::pack::Entry,
};

/// Small objects that are read at once.
const PARALLEL_RECORDS: usize = 8;

/// Where records are.
const RECORDS: [&str; 8] = [
    prefix::RUNS,
    prefix::KEYS,
    prefix::RESTORES,
    prefix::AUDIT,
    prefix::REQUESTS,
    prefix::CLEANUPS,
    prefix::PINS,
    prefix::REPORTS,
];

/// Packs that are read and checked at once.
const PARALLEL_PACKS: usize = 3;

/// Which backups need a chunk, as places in the list of backups.
type Needs = HashMap<Entry, BTreeSet<usize>>;

/// A vault that is being looked through, and what was found so far.
pub(super) struct Check<'a> {
    world: &'a World,
    keys: KeyChest,
    pub(super) sizes: BTreeMap<ObjectName, u64>,
    pub(super) backups: Vec<RunId>,
    /// Is it all that is checked, and not one backup?
    everything: bool,
    needs: BTreeMap<PackId, Needs>,
    /// The objects that each backup is made of.
    pub(super) parts: BTreeMap<RunId, BTreeSet<ObjectName>>,
    /// The headers of manifests that could be opened.
    pub(super) headers: BTreeMap<RunId, Header>,
    /// When runs ended, by their records.
    pub(super) ends: BTreeMap<RunId, Timestamp>,
    /// Shares that earlier verifications read, oldest first.
    pub(super) shares_read: Vec<Share>,
    /// Backups that a cleanup dropped.
    dropped: BTreeSet<RunId>,
    pub(super) findings: Findings,
    pub(super) chunks_read: u64,
    raw_bytes_read: u64,
}

impl<'a> Check<'a> {
    /// A check of all, or of one backup.
    pub(super) async fn new(
        world: &'a World,
        keys: KeyChest,
        only: Option<&RunId>,
    ) -> Result<Self, Error> {
        let objects = world.vault.list("").await?;
        let backups = match only {
            Some(id) => vec![id.clone()],
            None => backups::ids(&*world.vault).await?,
        };
        let sizes = objects.into_iter().map(|object| (object.name, object.size)).collect();
        Ok(Self::of(world, keys, sizes, backups, only.is_none()))
    }

    /// A check of these objects and backups.
    pub(super) fn of(
        world: &'a World,
        keys: KeyChest,
        sizes: BTreeMap<ObjectName, u64>,
        backups: Vec<RunId>,
        everything: bool,
    ) -> Self {
        Self {
            world,
            keys,
            sizes,
            backups,
            everything,
            needs: BTreeMap::new(),
            parts: BTreeMap::new(),
            headers: BTreeMap::new(),
            ends: BTreeMap::new(),
            shares_read: Vec::new(),
            dropped: BTreeSet::new(),
            findings: Findings::default(),
            chunks_read: 0,
            raw_bytes_read: 0,
        }
    }

    /// Records of every kind: whole, and no successful backup is without its manifest.
    pub(super) async fn records(&mut self) -> Result<(), Error> {
        let is_record = |name: &&ObjectName| {
            let in_folder = RECORDS.iter().any(|folder| name.stem(folder, ".json").is_some());
            in_folder || **name == ObjectName::lock() || **name == ObjectName::restore_lock()
        };
        let names: Vec<_> = self.sizes.keys().filter(is_record).cloned().collect();
        let vault = &*self.world.vault;
        let records: Vec<(ObjectName, Option<Bytes>)> = stream::iter(names)
            .map(async |name| match vault.get(&name).await {
                Ok(bytes) => Ok((name, Some(bytes))),
                // It was removed since it was listed; who needs it will miss it.
                Err(VaultError::Missing { .. }) => Ok((name, None)),
                Err(error) => Err(Error::from(error)),
            })
            .buffered(PARALLEL_RECORDS)
            .try_collect()
            .await?;
        let mut made = Vec::new();
        for (name, bytes) in records {
            let Some(bytes) = bytes else { continue };
            if let Err(error) = self.record(&name, &bytes, &mut made) {
                self.problem(&name, describe(&error), []);
            }
        }
        for backup in &made {
            self.expect_manifest(backup);
        }
        Ok(())
    }

    fn record(
        &mut self,
        name: &ObjectName,
        bytes: &[u8],
        made: &mut Vec<RunId>,
    ) -> Result<(), FormatError> {
        if let Some(id) = name.stem(prefix::RUNS, ".json") {
            let record = RunRecord::read(bytes)?;
            if record.run.as_str() == id {
                self.run_record(record, made);
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
        } else if let Some(id) = name.stem(prefix::CLEANUPS, ".json") {
            let record = CleanupRecord::read(bytes)?;
            if record.run.as_str() == id {
                self.dropped.extend(record.dropped.into_iter().map(|dropped| dropped.backup));
            } else {
                self.problem(name, "the record is of another cleanup", []);
            }
        } else if let Some(id) = name.stem(prefix::PINS, ".json") {
            if PinRecord::read(bytes)?.backup.as_str() != id {
                self.problem(name, "the record is of another backup", []);
            }
        } else if let Some(id) = name.stem(prefix::REPORTS, ".json") {
            let (record, _) = ReportRecord::read(bytes)?;
            if id.split_once('/').is_none_or(|(_, run)| record.run.as_str() != run) {
                self.problem(name, "the record is of another report", []);
            }
        } else if name.stem(prefix::REQUESTS, ".json").is_some() {
            RequestRecord::read(bytes)?;
        } else {
            Lease::read(bytes)?;
        }
        Ok(())
    }

    fn run_record(&mut self, record: RunRecord, made: &mut Vec<RunId>) {
        let succeeded = record.outcome == Outcome::Succeeded;
        match (record.job, record.summary) {
            (Job::Backup | Job::Import, _) if succeeded => made.push(record.run.clone()),
            (Job::Verify, Some(summary)) if succeeded => {
                let read = ReadBefore::deserialize(summary).ok();
                self.shares_read.extend(read.and_then(|read| read.share));
            }
            _ => {}
        }
        self.ends.insert(record.run, record.ended);
    }

    fn expect_manifest(&mut self, backup: &RunId) {
        let manifest = ObjectName::manifest(backup);
        let wanted = self.everything || self.backups.contains(backup);
        let is_lost = !self.sizes.contains_key(&manifest) && !self.dropped.contains(backup);
        if wanted && is_lost {
            self.problem(&manifest, "missing", [backup.clone()]);
        }
    }

    /// Manifests open, and all that they name exists.
    pub(super) async fn manifests(&mut self) -> Result<(), Error> {
        for place in 0..self.backups.len() {
            let id = self.backups[place].clone();
            self.parts.entry(id.clone()).or_default().insert(ObjectName::manifest(&id));
            match backups::open(self.world, &self.keys, &id).await {
                Ok((header, manifest)) => {
                    self.part(&id, ObjectName::key(&header.key));
                    self.headers.insert(id.clone(), header);
                    self.manifest(place, &id, &manifest).await?;
                }
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
            self.part(id, name.clone());
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
                    self.findings.add_harmless(problem, [id.clone()]);
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

    fn part(&mut self, backup: &RunId, object: ObjectName) {
        self.parts.entry(backup.clone()).or_default().insert(object);
    }

    async fn key(&mut self, key: &KeyId, backup: &RunId) -> Result<(), Error> {
        self.part(backup, ObjectName::key(key));
        match self.keys.sealing(key).await {
            // What somebody wanted gone is not missing.
            Ok(_) | Err(Error::Erased { .. }) => {}
            Err(error) => {
                let (object, what) = blame(error)?;
                self.problem(&object, what, [backup.clone()]);
            }
        }
        Ok(())
    }

    /// Every byte of the packs that are to be read, needed or not, is what was written.
    pub(super) async fn data(&mut self, reading: Reading) -> Result<(), Error> {
        let ids: Vec<PackId> = self
            .sizes
            .keys()
            .filter_map(|name| name.stem(prefix::PACKS, ".pack")?.parse().ok())
            .filter(|id| reading.includes(id))
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
        let needed_by: BTreeSet<_> =
            needs.values().flatten().map(|&place| self.backups[place].clone()).collect();
        for key_problem in content.keys {
            self.findings.add_harmless(key_problem, needed_by.clone());
        }
        if content.is_gone && needs.is_empty() {
            // Nobody needed it, and it was swept away since it was listed.
            return;
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
        self.findings.add(object, what, backups);
    }

    /// Forgets what concerns backups that were dropped since they were listed.
    pub(super) fn forget_dropped(&mut self, left: &BTreeSet<ObjectName>) {
        let is_gone = |backup: &&RunId| {
            let manifest = ObjectName::manifest(backup);
            self.sizes.contains_key(&manifest) && !left.contains(&manifest)
        };
        let gone: BTreeSet<_> = self.backups.iter().filter(is_gone).cloned().collect();
        self.findings.forget(&gone);
        self.parts.retain(|backup, _| !gone.contains(backup));
        self.headers.retain(|backup, _| !gone.contains(backup));
        // What is needed names backups by their places, and is not looked at any more.
        self.backups.retain(|backup| !gone.contains(backup));
    }

    /// The backups that need a pack.
    pub(super) fn needing(&self, pack: &PackId) -> impl Iterator<Item = &RunId> {
        let places = self.needs.get(pack).into_iter().flat_map(HashMap::values).flatten();
        places.filter_map(|&place| self.backups.get(place))
    }

    /// The backups that are made of this object, among others.
    pub(super) fn backups_of(&self, object: &ObjectName) -> Vec<RunId> {
        let made_of_it = self.parts.iter().filter(|(_, parts)| parts.contains(object));
        made_of_it.map(|(backup, _)| backup.clone()).collect()
    }

    /// Packs that no checked backup needs.
    pub(super) fn unreferenced_packs(&self) -> u64 {
        let is_spare = |name: &&ObjectName| {
            let id = name.stem(prefix::PACKS, ".pack").and_then(|stem| stem.parse().ok());
            id.is_some_and(|id: PackId| !self.needs.contains_key(&id))
        };
        self.sizes.keys().filter(is_spare).count() as u64
    }

    /// Chunks that were read, and their raw bytes.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.chunks_read, self.raw_bytes_read)
    }
}

/// What earlier verifications say of themselves.
#[derive(Deserialize)]
struct ReadBefore {
    #[serde(default)]
    share: Option<Share>,
}
