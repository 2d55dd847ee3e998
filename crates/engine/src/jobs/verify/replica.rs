//! The replica, held against the vault object by object, and looked through with its own region's keys.
//!
//! A copy takes its time: what was written a moment ago may be on its way. Objects that are only in the
//! replica are no problem, since what is removed from the vault stays there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Reading,
    blame::{Findings, describe},
    check::Check,
};
use crate::{
    jobs::{Error, KeyChest, World, backups, record::chain},
    model::{KeyId, ObjectName, PackId, RunId, prefix},
    ports::{Keyring, Vault, VaultError},
    records::identity::VaultIdentity,
};

/// A copy that takes longer than this is late.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Checksums that are asked for at once.
const PARALLEL_QUESTIONS: usize = 8;

/// Where objects are that never change once they are written.
const IMMUTABLE: [&str; 6] =
    [prefix::PACKS, prefix::MANIFESTS, prefix::KEYS, prefix::RUNS, prefix::AUDIT, prefix::REPORTS];

/// The vault's copy in another region, or on another disk.
#[derive(Clone)]
pub struct Replica {
    /// Where it is.
    pub vault: Arc<dyn Vault>,
    /// What opens its keys there.
    pub keyring: Arc<dyn Keyring>,
}

impl Replica {
    /// The world with the replica in the place of the vault.
    pub fn world(&self, world: &World) -> World {
        World {
            vault: Arc::clone(&self.vault),
            keyring: Arc::clone(&self.keyring),
            ..world.clone()
        }
    }
}

/// How the replica is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaReport {
    /// The replica, as settings name it.
    pub vault: String,
    /// Objects that it holds.
    pub objects: u64,
    /// Their sizes, in bytes.
    pub bytes: u64,
    /// Objects that should be there and are not.
    pub missing: u64,
    /// Other problems.
    pub damaged: u64,
    /// Objects that are not there yet, and not late.
    pub waiting: u64,
    /// Objects that are no longer in the vault.
    pub only_there: u64,
    /// Objects whose checksums were found equal without reading them here.
    pub checksums_equal: u64,
    /// Chunks of it that were read, opened and hashed again.
    pub chunks_read: u64,
    /// The newest backup that is wholly there.
    pub newest_backup: Option<RunId>,
    /// How much older it is than the newest backup of the vault, in seconds; not known of a replica that
    /// can't be looked at.
    pub behind_seconds: Option<u64>,
    /// Everything that is not as it should be.
    pub problems: Vec<Problem>,
}

/// What was seen of a replica.
pub(super) struct Seen {
    vault: String,
    sizes: BTreeMap<ObjectName, u64>,
    missing: BTreeSet<ObjectName>,
    waiting: BTreeSet<ObjectName>,
    findings: Findings,
    checksums_equal: u64,
    chunks_read: u64,
    /// Why it could not be looked at.
    failure: Option<String>,
}

/// Looks through the replica of a vault that was looked through.
pub(super) async fn look_through(
    world: &World,
    source: &Check<'_>,
    identity: &VaultIdentity,
    replica: &Replica,
    reading: Reading,
) -> Seen {
    let there = replica.world(world);
    let mut seen = Seen {
        vault: there.vault.describe(),
        sizes: BTreeMap::new(),
        missing: BTreeSet::new(),
        waiting: BTreeSet::new(),
        findings: Findings::default(),
        checksums_equal: 0,
        chunks_read: 0,
        failure: None,
    };
    if let Err(error) = seen.look(world, &there, source, identity, reading).await {
        seen.failure = Some(chain(&error).join(": "));
    }
    seen
}

impl Seen {
    async fn look(
        &mut self,
        world: &World,
        there: &World,
        source: &Check<'_>,
        identity: &VaultIdentity,
        reading: Reading,
    ) -> Result<(), Error> {
        let objects = there.vault.list("").await?;
        self.sizes = objects.into_iter().map(|object| (object.name, object.size)).collect();
        self.compare(world.clock.now(), source, identity);
        let found = match backups::identity(&*there.vault).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(Error::Damaged { name, source: what }) => {
                self.findings.add(&name, describe(&what), source.backups.iter().cloned());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if found.vault != identity.vault {
            let what =
                format!("the replica is of vault {}, not of {}", found.vault, identity.vault);
            self.findings.add(&ObjectName::identity(), what, []);
            return Ok(());
        }
        self.open(there, source, identity, reading).await?;
        self.compare_checksums(world, there, source, reading).await
    }

    /// What the listings tell: objects that are missing, or of another size.
    fn compare(&mut self, now: Timestamp, source: &Check<'_>, identity: &VaultIdentity) {
        let is_late = |at: Timestamp| now.duration_since(at) > TOLERANCE;
        for (name, size) in &source.sizes {
            match self.sizes.get(name) {
                Some(there) if there == size || !is_immutable(name) => {}
                Some(there) => {
                    let what = format!("expected {size} bytes, found {there}");
                    self.findings.add(name, what, source.backups_of(name));
                }
                None if written(name, source, identity).is_some_and(is_late) => {
                    self.missing.insert(name.clone());
                }
                None => _ = self.waiting.insert(name.clone()),
            }
        }
    }

    /// Looks through the backups that are wholly there, with the keys of the replica's region.
    async fn open(
        &mut self,
        there: &World,
        source: &Check<'_>,
        identity: &VaultIdentity,
        reading: Reading,
    ) -> Result<(), Error> {
        let keys = KeyChest::open(there, identity.vault).await?;
        let lacks_keys = source
            .sizes
            .keys()
            .any(|name| name.as_str().starts_with(prefix::KEYS) && !self.sizes.contains_key(name));
        let whole = source.backups.iter().filter(|backup| self.has_all(source, backup)).cloned();
        let whole = whole.collect();
        // A pack that belongs to no backup there may need a key that is on its way.
        let mut check = Check::of(there, keys, self.sizes.clone(), whole, !lacks_keys);
        check.records().await?;
        check.manifests().await?;
        if reading != Reading::None {
            check.data(reading).await?;
        }
        self.chunks_read = check.read().0;
        let is_here_too = |blamed: &str| {
            let folder = blamed.trim_end_matches('*');
            source.sizes.keys().any(|name| {
                let is_it = name.as_str() == blamed
                    || (folder != blamed && name.as_str().starts_with(folder));
                is_it && self.sizes.contains_key(name)
            })
        };
        check.findings.retain(is_here_too);
        self.findings.join(check.findings);
        Ok(())
    }

    /// Asks both stores for checksums: of what is small, and of the packs whose turn it is.
    async fn compare_checksums(
        &mut self,
        world: &World,
        there: &World,
        source: &Check<'_>,
        reading: Reading,
    ) -> Result<(), Error> {
        let is_asked_for = |name: &&ObjectName| {
            let pack: Option<PackId> = pack_of(name);
            let is_due = pack.is_none_or(|pack| reading.includes(&pack));
            let is_kept = [prefix::PACKS, prefix::MANIFESTS, prefix::KEYS]
                .iter()
                .any(|folder| name.as_str().starts_with(folder));
            let is_good = !source.findings.blames(name) && !self.findings.blames(name);
            is_kept && is_due && is_good && self.sizes.contains_key(*name)
        };
        let names: Vec<_> = source.sizes.keys().filter(is_asked_for).cloned().collect();
        let answers: Vec<_> = stream::iter(names)
            .map(async |name| {
                let (here, there) =
                    tokio::join!(checksum(&*world.vault, &name), checksum(&*there.vault, &name));
                Ok::<_, Error>((name, here?, there?))
            })
            .buffer_unordered(PARALLEL_QUESTIONS)
            .try_collect()
            .await?;
        for (name, here, there) in answers {
            match (here, there) {
                (Some(here), Some(there)) if here == there => self.checksums_equal += 1,
                (Some(_), Some(_)) => {
                    let what = "holds something else than in the vault";
                    self.findings.add(&name, what, source.backups_of(&name));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn has_all(&self, source: &Check<'_>, backup: &RunId) -> bool {
        let parts = source.parts.get(backup).into_iter().flatten();
        parts.into_iter().all(|part| {
            let size = self.sizes.get(part);
            // What the vault itself lacks may be whole here.
            size.is_some() && source.sizes.get(part).is_none_or(|here| size == Some(here))
        })
    }

    /// Tells what was seen, but for what is no longer in the vault by now.
    pub(super) fn into_report(
        mut self,
        world: &World,
        source: &Check<'_>,
        left: &BTreeSet<ObjectName>,
    ) -> ReplicaReport {
        self.missing.retain(|name| left.contains(name));
        self.waiting.retain(|name| left.contains(name));
        self.findings.retain(|blamed| {
            blamed.ends_with('*') || left.iter().any(|name| name.as_str() == blamed)
        });
        if self.sizes.is_empty() && self.failure.is_none() && !self.missing.is_empty() {
            let what = "the replica is empty";
            self.findings.add(&self.vault, what, source.backups.iter().cloned());
        }
        if let Some(failure) = &self.failure {
            self.findings.add(&self.vault, format!("cannot be checked: {failure}"), []);
        }
        let newest = self.newest_whole(source);
        let behind_seconds = match &self.failure {
            Some(_) => None,
            None => Some(behind(world, source, newest.as_ref())),
        };
        let damaged = self.findings.len() as u64;
        for name in self.missing.iter().filter(|_| !self.sizes.is_empty()) {
            self.findings.add(name, "missing", source.backups_of(name));
        }
        ReplicaReport {
            objects: self.sizes.len() as u64,
            bytes: self.sizes.values().sum(),
            missing: self.missing.len() as u64,
            damaged,
            waiting: self.waiting.len() as u64,
            only_there: self.sizes.keys().filter(|name| !left.contains(*name)).count() as u64,
            checksums_equal: self.checksums_equal,
            chunks_read: self.chunks_read,
            newest_backup: newest,
            behind_seconds,
            problems: self.findings.into_problems(),
            vault: self.vault,
        }
    }

    fn newest_whole(&self, source: &Check<'_>) -> Option<RunId> {
        let is_whole = |backup: &&RunId| {
            let mut parts = source.parts.get(*backup).into_iter().flatten();
            self.has_all(source, backup) && !parts.any(|part| self.findings.blames(part))
        };
        let backups = source.backups.iter().filter(|backup| source.headers.contains_key(*backup));
        backups.rev().find(is_whole).cloned()
    }
}

async fn checksum(vault: &dyn Vault, name: &ObjectName) -> Result<Option<String>, VaultError> {
    match vault.checksum(name).await {
        // It was removed since it was listed.
        Err(VaultError::Missing { .. }) => Ok(None),
        answer => answer,
    }
}

/// By how many seconds the newest backup that is wholly there is older than the newest one; without any,
/// since when there has been something to copy.
fn behind(world: &World, source: &Check<'_>, newest: Option<&RunId>) -> u64 {
    let shows = |backup: &RunId| source.headers.get(backup).map(|header| header.snapshot);
    let of_all = source.headers.values().map(|header| header.snapshot);
    let (from, until) = match newest.and_then(shows) {
        Some(there) => (Some(there), of_all.max()),
        None => (of_all.min(), Some(world.clock.now())),
    };
    let (Some(from), Some(until)) = (from, until) else { return 0 };
    u64::try_from(until.duration_since(from).as_secs()).unwrap_or_default()
}

pub(super) fn is_immutable(name: &ObjectName) -> bool {
    IMMUTABLE.iter().any(|folder| name.as_str().starts_with(folder))
}

fn pack_of(name: &ObjectName) -> Option<PackId> {
    name.stem(prefix::PACKS, ".pack")?.parse().ok()
}

/// When an object was written at the latest; `None` if its name does not tell, or nobody needs it.
fn written(name: &ObjectName, source: &Check<'_>, identity: &VaultIdentity) -> Option<Timestamp> {
    let ended = |backup: &RunId| match source.headers.get(backup) {
        Some(header) => Some(header.ended),
        None => backup.started(),
    };
    if *name == ObjectName::identity() {
        return Some(identity.created);
    }
    if let Some(pack) = pack_of(name) {
        return source.needing(&pack).filter_map(ended).min();
    }
    if let Some(id) = name.stem(prefix::MANIFESTS, ".manifest") {
        return ended(&id.parse().ok()?);
    }
    if let Some(id) = name.stem(prefix::KEYS, ".json") {
        return id.parse::<KeyId>().ok()?.created();
    }
    if let Some(id) = name.stem(prefix::RUNS, ".json") {
        let run = id.parse().ok()?;
        return source.ends.get(&run).copied().or_else(|| run.started());
    }
    if let Some(report) = name.as_str().strip_prefix(prefix::REPORTS) {
        let (_, file) = report.split_once('/')?;
        return file.split_once('.')?.0.parse::<RunId>().ok()?.started();
    }
    let records = [prefix::RESTORES, prefix::AUDIT];
    let id = records.iter().find_map(|folder| name.stem(folder, ".json"))?;
    id.parse::<RunId>().ok()?.started()
}
