//! One tenant's rows, out of every backup at once: their data keys are destroyed, and what these sealed stays as noise.
//!
//! The record of each key loses its wrappings and says that it was erased, here and in the replica; then the versions of it go that
//! still have them, as far as they are not locked. From the first of these on, no job reads the tenant's rows again. Run again, it
//! goes on where it was, and takes away what was locked before.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeyChest, ids, parse, unwritable};
use crate::{
    jobs::{Error, World, backups, lock::Lock, record, record::Run, verify::blame},
    model::{KeyId, ObjectName, RunId, Scope, VaultId},
    ports::{Removal, Remover, Vault, VaultError},
    records::{key::Erased, manifest::Manifest, run::Job},
};

const PARALLEL_KEYS: usize = 8;
const PARALLEL_MANIFESTS: usize = 4;

/// Whose keys, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The tenant, as the tenant column holds it.
    pub tenant: String,
    /// The column that says whose row it is.
    pub tenant_column: String,
    /// How long the lock of backups is held without renewal.
    pub lease: std::time::Duration,
    /// Only say what would be erased.
    pub dry_run: bool,
}

/// A place where keys lie: the vault, or its replica.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Where their records are read and replaced.
    pub vault: &'a dyn Vault,
    /// What removes older versions of them.
    pub remover: &'a dyn Remover,
}

/// What was erased, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it only looked.
    pub dry_run: bool,
    /// Whose rows.
    pub tenant: Scope,
    /// The tenant's keys.
    pub keys: Vec<KeyId>,
    /// How many of them were erased before.
    pub erased_before: u64,
    /// The backups that hold rows which these keys seal, oldest first.
    pub backups: Vec<Held>,
    /// Tables that have no tenant column, of whose rows nobody knows whose they are: they stay as they are.
    pub not_covered: Vec<String>,
    /// Backups that were made without the tenant column, so that this tenant's rows lie among all others': they stay as they are.
    pub undivided: Vec<RunId>,
    /// Backups whose manifests do not open, so that nobody knows what they hold: `verify` tells why.
    pub unreadable: Vec<RunId>,
    /// Keys of which older versions, with what opens them, are locked in some place.
    pub locked: Vec<Locked>,
    /// Keys that a replica does not have yet, and of which an older version may still arrive.
    pub not_there: Vec<NotThere>,
    /// Rows of the tenant in the newest backup, which the next one stores again if they are still in the database.
    pub in_newest: u64,
}

impl Report {
    /// Is nothing left that opens the tenant's rows?
    pub fn is_complete(&self) -> bool {
        self.locked.is_empty()
            && self.not_there.is_empty()
            && self.undivided.is_empty()
            && self.unreadable.is_empty()
    }
}

/// Rows of the tenant in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The backup.
    pub backup: RunId,
    /// How many.
    pub rows: u64,
}

/// A key with older versions that can't be removed yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Locked {
    /// The vault or replica.
    pub place: String,
    /// The key.
    pub key: KeyId,
    /// Until when; `None` if somebody must lift a hold first.
    pub until: Option<Timestamp>,
}

/// A key that is not in a replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotThere {
    /// The replica.
    pub place: String,
    /// The key.
    pub key: KeyId,
}

/// Erases a tenant's keys in the vault and, if there is one, in its replica.
///
/// # Errors
/// [`Error::NoSuchTenant`] if the tenant has none. After any other error the same call goes on where this one was.
pub async fn run(
    world: &World,
    vault: Place<'_>,
    replica: Option<Place<'_>>,
    request: &Request,
) -> Result<Report, Error> {
    let identity = backups::existing_identity(&*world.vault).await?;
    let run = Run::start(world, None);
    let work = Erasing {
        world,
        vault: identity.vault,
        places: [Some(vault), replica].into_iter().flatten().collect(),
        scope: Scope::tenant(&request.tenant),
    };
    if request.dry_run {
        return work.plan(request, &run).await;
    }
    // A backup that runs meanwhile holds keys in memory, and would go on sealing with them.
    let lock = Lock::acquire(world, ObjectName::lock(), &run.id, Job::Erase, request.lease).await?;
    record::died(world, lock.died.as_ref()).await?;
    let result = work.erase(request, &run).await;
    let recorded = record::ended(world, &run, Job::Erase, &identity.source, &result).await;
    let released = lock.release().await;
    let report = result?;
    recorded.and(released)?;
    Ok(report)
}

struct Erasing<'a> {
    world: &'a World,
    vault: VaultId,
    /// The vault first.
    places: Vec<Place<'a>>,
    scope: Scope,
}

impl Erasing<'_> {
    async fn plan(&self, request: &Request, run: &Run) -> Result<Report, Error> {
        let mut keys = BTreeSet::new();
        for place in &self.places {
            let all = ids(place.vault).await?.into_iter();
            keys.extend(all.filter(|key| *key.scope() == self.scope));
        }
        if keys.is_empty() {
            let (tenant, vault) = (request.tenant.clone(), self.world.vault.describe());
            return Err(Error::NoSuchTenant { tenant, vault });
        }
        let mut report = Report {
            run: run.id.clone(),
            started: run.started,
            ended: self.world.clock.now(),
            dry_run: request.dry_run,
            tenant: self.scope.clone(),
            keys: keys.into_iter().collect(),
            erased_before: 0,
            backups: Vec::new(),
            not_covered: Vec::new(),
            undivided: Vec::new(),
            unreadable: Vec::new(),
            locked: Vec::new(),
            not_there: Vec::new(),
            in_newest: 0,
        };
        self.look_into_backups(&request.tenant_column, &mut report).await?;
        Ok(report)
    }

    /// What backups hold of the tenant that can still be read, and what these keys have no hold on.
    async fn look_into_backups(&self, column: &str, report: &mut Report) -> Result<(), Error> {
        let chest = KeyChest::open(self.world, self.vault).await?;
        let vault = &*self.world.vault;
        let newest = backups::newest(vault).await?;
        let opened = backups::ids(vault).await?.into_iter().map(async |id| {
            match backups::open(self.world, &chest, &id).await {
                Ok((_, manifest)) => Ok((id, Some(manifest))),
                Err(error) => blame(error).map(|_| (id, None)),
            }
        });
        let mut opened = stream::iter(opened).buffered(PARALLEL_MANIFESTS);
        let mut not_covered = BTreeSet::new();
        while let Some((id, manifest)) = opened.try_next().await? {
            let Some(manifest) = manifest else {
                report.unreadable.push(id);
                continue;
            };
            let rows = rows_of(&manifest, &self.scope);
            if rows > 0 {
                report.backups.push(Held { backup: id.clone(), rows });
            }
            if newest.as_ref() == Some(&id) {
                report.in_newest = rows;
            }
            let Others { without_column, undivided } = others(&manifest, column);
            not_covered.extend(without_column);
            if undivided {
                report.undivided.push(id);
            }
        }
        report.not_covered = not_covered.into_iter().collect();
        Ok(())
    }

    async fn erase(&self, request: &Request, run: &Run) -> Result<Report, Error> {
        let mut report = self.plan(request, run).await?;
        let erased = Erased { run: run.id.clone(), at: self.world.clock.now() };
        let mut found_erased: BTreeMap<KeyId, bool> = BTreeMap::new();
        // The vault itself may have let a key go that the replica still has; no version of that arrives any more.
        let here = ids(&*self.world.vault).await?;
        for (number, place) in self.places.iter().enumerate() {
            for (key, state) in self.take_wrappings(*place, &report.keys, &erased).await? {
                match state {
                    State::Erased { before } => {
                        let was = found_erased.entry(key).or_insert(true);
                        *was &= before;
                    }
                    State::NotThere if number == 0 || !here.contains(&key) => {}
                    State::NotThere => {
                        let place = place.vault.describe();
                        report.not_there.push(NotThere { place, key });
                    }
                }
            }
        }
        report.erased_before = found_erased.values().filter(|before| **before).count() as u64;
        for place in &self.places {
            report.locked.extend(self.remove_older(*place, &report.keys).await?);
        }
        report.locked.sort();
        report.not_there.sort();
        report.ended = self.world.clock.now();
        Ok(report)
    }

    /// The records of these keys lose what opens them.
    async fn take_wrappings(
        &self,
        place: Place<'_>,
        keys: &[KeyId],
        erased: &Erased,
    ) -> Result<Vec<(KeyId, State)>, Error> {
        let work = keys.iter().map(async |key| {
            let state = self.take_wrappings_of(place, key, erased).await?;
            Ok::<_, Error>((key.clone(), state))
        });
        let work = work.collect::<Vec<_>>();
        stream::iter(work).buffer_unordered(PARALLEL_KEYS).try_collect().await
    }

    async fn take_wrappings_of(
        &self,
        place: Place<'_>,
        key: &KeyId,
        erased: &Erased,
    ) -> Result<State, Error> {
        let name = ObjectName::key(key);
        let Some((bytes, revision)) = place.vault.read(&name).await? else {
            return Ok(State::NotThere);
        };
        let record = parse(&bytes, self.vault, key)?;
        if record.erased.is_some() {
            return Ok(State::Erased { before: true });
        }
        let content = record.erase(erased.clone()).write();
        let content = content.map_err(|source| unwritable(key, source))?;
        place.vault.swap(&name, Some(&revision), content).await?;
        Ok(State::Erased { before: false })
    }

    /// The versions go that still have what opens them; those that are locked are told.
    async fn remove_older(&self, place: Place<'_>, keys: &[KeyId]) -> Result<Vec<Locked>, Error> {
        let work = keys.iter().map(async |key| {
            let removal = place.remover.remove_older(&ObjectName::key(key)).await?;
            Ok::<_, VaultError>(match removal {
                Removal::Done => None,
                Removal::Locked(until) => {
                    Some(Locked { place: place.vault.describe(), key: key.clone(), until })
                }
            })
        });
        let work = work.collect::<Vec<_>>();
        let left: Vec<_> = stream::iter(work).buffer_unordered(PARALLEL_KEYS).try_collect().await?;
        Ok(left.into_iter().flatten().collect())
    }
}

enum State {
    Erased { before: bool },
    NotThere,
}

fn rows_of(manifest: &Manifest, scope: &Scope) -> u64 {
    let groups = manifest.tables.iter().flat_map(|part| &part.groups);
    groups.filter(|group| group.scope == *scope).map(|group| group.digest.rows).sum()
}

/// What a tenant's keys have no hold on in one backup.
struct Others {
    /// Tables that have no tenant column.
    without_column: Vec<String>,
    /// Was it made without the tenant column, though tables have it?
    undivided: bool,
}

fn others(manifest: &Manifest, column: &str) -> Others {
    let (mut without_column, mut undivided) = (Vec::new(), false);
    for (table, part) in manifest.catalog.tables.iter().zip(&manifest.tables) {
        let has_rows = part.groups.iter().any(|group| group.digest.rows > 0);
        let is_divided = part.groups.iter().any(|group| group.scope != Scope::Shared);
        let has_column = table.columns.iter().any(|one| one.name == column);
        match (has_rows, is_divided, has_column) {
            (true, false, true) => undivided = true,
            (true, false, false) => without_column.push(table.name.clone()),
            _ => {}
        }
    }
    Others { without_column, undivided }
}
