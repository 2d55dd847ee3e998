//! Which data keys there are, what wraps each, whether it opens, and which backups need it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::{KeyChest, ids, open, read};
use crate::{
    jobs::{Error, World, backups, doctor::told},
    model::{KeyId, KeyPurpose, RunId, Scope, VaultId},
    policy::keys::is_current,
    ports::Keyring,
    records::manifest::Manifest,
};

const PARALLEL_KEYS: usize = 8;

/// The keys of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// When they were looked at.
    pub at: Timestamp,
    /// The keyring that they were opened with.
    pub keyring: String,
    /// What wraps them.
    pub wrapping_keys: Vec<WrappingKey>,
    /// The data keys, by purpose, scope and age.
    pub keys: Vec<Key>,
    /// How many backups there are.
    pub backups: u64,
    /// Those that can't be opened, or not wholly.
    pub lost: Vec<Lost>,
}

impl Report {
    /// Does every key open?
    pub fn all_open(&self) -> bool {
        self.lost.is_empty() && self.keys.iter().all(|key| key.problem.is_none())
    }
}

/// A key of KMS, a key file, or what else wraps data keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrappingKey {
    /// The kind of keyring.
    pub by: String,
    /// Which key of it.
    pub wrapping_key: String,
    /// How many data keys it wraps.
    pub keys: u64,
    /// Is it one that this keyring opens?
    pub ours: bool,
}

/// A data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Its id.
    pub key: KeyId,
    /// What it is for.
    pub purpose: &'static str,
    /// Whose rows it is for.
    pub scope: Scope,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Does it seal, or name, what is written from now on?
    pub current: bool,
    /// What wraps it, `<by>:<wrapping key>` each.
    pub wrapped_by: Vec<String>,
    /// How many backups need it. Of naming keys none does: backups are read without them.
    pub backups: u64,
    /// The newest of them.
    pub last_backup: Option<RunId>,
    /// When it was erased, if it was: nothing that it sealed is read again.
    pub erased: Option<Timestamp>,
    /// Why it does not open, if it should.
    pub problem: Option<String>,
}

/// A backup that can't be opened, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The backup.
    pub backup: RunId,
    /// The keys that it needs and that do not open.
    pub keys: Vec<KeyId>,
    /// Does its manifest not open, so that nothing of it can be read?
    pub wholly: bool,
}

/// Looks at every key and every backup's manifest, and changes nothing.
///
/// # Errors
/// If the vault can't be read, or a keyring may answer later. A key that does not open is no error, but told.
pub async fn run(world: &World) -> Result<Report, Error> {
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let found = ids(&*world.vault).await?;
    let looks = found.iter().map(|id| look(world, vault, id));
    let looks: Vec<_> = looks.collect();
    let looked: Vec<Looked> = stream::iter(looks).buffered(PARALLEL_KEYS).try_collect().await?;
    let unopened = looked.iter().filter(|looked| looked.problem.is_some());
    let unopened: BTreeSet<KeyId> = unopened.map(|looked| looked.id.clone()).collect();
    let backups = backups::ids(&*world.vault).await?;
    let (uses, lost) = uses(world, vault, &unopened, &found, &backups).await?;
    let at = world.clock.now();
    let left = looked.iter().filter(|looked| looked.erased.is_none());
    let in_use = in_use(left.map(|looked| &looked.id), at);
    let key = |looked: &Looked| {
        let needed_by = uses.get(&looked.id).map(Vec::as_slice).unwrap_or_default();
        Key {
            key: looked.id.clone(),
            purpose: looked.id.purpose().as_str(),
            scope: looked.id.scope().clone(),
            created: looked.id.created(),
            current: in_use.contains(&looked.id),
            wrapped_by: looked.wrapped.iter().map(|(by, key)| format!("{by}:{key}")).collect(),
            backups: needed_by.len() as u64,
            last_backup: needed_by.last().cloned(),
            erased: looked.erased,
            problem: looked.problem.clone(),
        }
    };
    Ok(Report {
        at,
        keyring: world.keyring.describe(),
        wrapping_keys: wrapping_keys(&looked),
        keys: looked.iter().map(key).collect(),
        backups: backups.len() as u64,
        lost,
    })
}

/// A key as it was found.
struct Looked {
    id: KeyId,
    /// The kinds of keyring and the keys that wrap it.
    wrapped: Vec<(String, String)>,
    /// Those among them that this keyring opens.
    ours: BTreeSet<(String, String)>,
    erased: Option<Timestamp>,
    problem: Option<String>,
}

async fn look(world: &World, vault: VaultId, id: &KeyId) -> Result<Looked, Error> {
    let keyring: &dyn Keyring = &*world.keyring;
    let nothing = |problem| Looked {
        id: id.clone(),
        wrapped: Vec::new(),
        ours: BTreeSet::new(),
        erased: None,
        problem: Some(problem),
    };
    let record = match read(&*world.vault, vault, id).await {
        Ok(record) => record,
        Err(error @ Error::Damaged { .. }) => return Ok(nothing(told(&error))),
        Err(error) => return Err(error),
    };
    let erased = record.erased.as_ref().map(|erased| erased.at);
    let problem = match open(keyring, &record).await {
        Ok(_) => None,
        Err(_) if erased.is_some() => None,
        Err(error) if error.is_retryable() => return Err(error.into()),
        Err(error) => Some(told(&error)),
    };
    let name = |by: &str, key: &str| (by.to_owned(), key.to_owned());
    let ours = record.wrapped.iter().filter(|wrapped| keyring.opens(wrapped));
    Ok(Looked {
        id: id.clone(),
        ours: ours.map(|wrapped| name(&wrapped.by, &wrapped.wrapping_key)).collect(),
        wrapped: record
            .wrapped
            .iter()
            .map(|wrapped| name(&wrapped.by, &wrapped.wrapping_key))
            .collect(),
        erased,
        problem,
    })
}

fn wrapping_keys(looked: &[Looked]) -> Vec<WrappingKey> {
    let mut counts = BTreeMap::<_, (u64, bool)>::new();
    for looked in looked {
        for name in &looked.wrapped {
            let (keys, ours) = counts.entry(name).or_default();
            *keys += 1;
            *ours |= looked.ours.contains(name);
        }
    }
    let of = |((by, key), (keys, ours)): (&(String, String), (u64, bool))| WrappingKey {
        by: by.clone(),
        wrapping_key: key.clone(),
        keys,
        ours,
    };
    counts.into_iter().map(of).collect()
}

/// The keys that a backup would use at this moment, if it ran now.
fn in_use<'a>(all: impl Iterator<Item = &'a KeyId>, now: Timestamp) -> BTreeSet<KeyId> {
    let all: Vec<&KeyId> = all.collect();
    let kinds =
        all.chunk_by(|one, next| (one.purpose(), one.scope()) == (next.purpose(), next.scope()));
    let in_use = kinds.filter_map(|kind| match kind {
        [oldest, ..] if oldest.purpose() == KeyPurpose::Naming => Some(*oldest),
        [.., newest] if is_current(newest, now) => Some(*newest),
        _ => None,
    });
    in_use.cloned().collect()
}

type Uses = BTreeMap<KeyId, Vec<RunId>>;

/// Which backups need each key, the oldest first, and those that can't be opened wholly.
async fn uses(
    world: &World,
    vault: VaultId,
    unopened: &BTreeSet<KeyId>,
    there: &BTreeSet<KeyId>,
    backups: &[RunId],
) -> Result<(Uses, Vec<Lost>), Error> {
    let chest = KeyChest::open(world, vault).await?;
    let (mut uses, mut lost) = (Uses::new(), Vec::new());
    let fails = |key: &KeyId| unopened.contains(key) || !there.contains(key);
    for backup in backups {
        // A header or manifest that is damaged is `verify`'s to tell.
        let Ok(header) = backups::header(&*world.vault, backup).await? else { continue };
        let mut needed = BTreeSet::from([header.key.clone()]);
        let sealed = fails(&header.key);
        if !sealed {
            match backups::open(world, &chest, backup).await {
                Ok((_, manifest)) => needed.extend(keys_of(&manifest)),
                Err(Error::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let failing: Vec<KeyId> = needed.iter().filter(|key| fails(key)).cloned().collect();
        if !failing.is_empty() {
            lost.push(Lost { backup: backup.clone(), keys: failing, wholly: sealed });
        }
        for key in needed {
            uses.entry(key).or_default().push(backup.clone());
        }
    }
    Ok((uses, lost))
}

fn keys_of(manifest: &Manifest) -> impl Iterator<Item = KeyId> {
    manifest.tables.iter().flat_map(|table| table.keys.iter().cloned())
}
