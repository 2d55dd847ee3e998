//! Every data key under another wrapping key, without touching one chunk.
//!
//! First each key gets its new wrappings beside the old ones, and is read back from the vault and opened with them. Only when that
//! is done for all of them do the old wrappings go, so that whatever cuts it off, every key opens with the old keyring or with both.
//! Run again, it goes on where it was.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::{ids, open, open_wrapping, parse, unwritable};
use crate::{
    jobs::{Error, World, backups, doctor::told},
    model::{KeyId, KeyPurpose, ObjectName, Scope, VaultId},
    ports::{DataKey, KeyContext, Keyring, KeyringError, Revision, VaultError, WrappedKey, random},
    records::key::KeyRecord,
};

const PARALLEL_KEYS: usize = 8;

/// What became of the data keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The keyring that opens them now.
    pub keyring: String,
    /// How many there are that were not erased.
    pub keys: u64,
    /// How many got a new wrapping.
    pub rewrapped: u64,
    /// How many lost an old one.
    pub released: u64,
    /// Keys that no keyring at hand opens: they are as they were.
    pub unopened: Vec<Unopened>,
}

/// A key that does not open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unopened {
    /// The key.
    pub key: KeyId,
    /// Why.
    pub why: String,
}

/// Wraps every data key with `to`, and forgets what the world's keyring and older keys of the same kind wrapped.
///
/// # Errors
/// If anything but a key that does not open stands in the way. No key opens with less than before, or with `to` alone.
pub async fn run(world: &World, to: &dyn Keyring) -> Result<Report, Error> {
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let work = Rewrapping { world, to, vault, names: names(world, to, vault).await? };
    let mut report =
        Report { keyring: to.describe(), keys: 0, rewrapped: 0, released: 0, unopened: Vec::new() };
    let mut wrapped = BTreeSet::new();
    // A backup that runs meanwhile may make keys: they are found at the next look.
    loop {
        let found = ids(&*world.vault).await?;
        let new: Vec<KeyId> = found.difference(&wrapped).cloned().collect();
        if new.is_empty() {
            break;
        }
        report.keys += new.len() as u64;
        for outcome in all(&new, |id| work.wrap(id)).await? {
            match outcome {
                Wrapped::Anew => report.rewrapped += 1,
                Wrapped::Already => {}
                Wrapped::Erased => report.keys -= 1,
                Wrapped::Not(unopened) => report.unopened.push(unopened),
            }
        }
        wrapped.extend(new);
    }
    report.unopened.sort_unstable();
    let lost: BTreeSet<_> = report.unopened.iter().map(|unopened| &unopened.key).collect();
    let opened: Vec<KeyId> = wrapped.iter().filter(|id| !lost.contains(id)).cloned().collect();
    let released = all(&opened, |id| work.release(id)).await?;
    report.released = released.into_iter().filter(|released| *released).count() as u64;
    Ok(report)
}

/// Does this for each key, several at once.
async fn all<'a, T, F: Future<Output = Result<T, Error>>>(
    keys: &'a [KeyId],
    what: impl Fn(&'a KeyId) -> F,
) -> Result<Vec<T>, Error> {
    let work: Vec<F> = keys.iter().map(what).collect();
    stream::iter(work).buffer_unordered(PARALLEL_KEYS).try_collect().await
}

enum Wrapped {
    Anew,
    Already,
    Erased,
    Not(Unopened),
}

/// By what a wrapping was made: the kind of keyring, and which key of it.
type Name = (String, String);

fn name_of(wrapped: &WrappedKey) -> Name {
    (wrapped.by.clone(), wrapped.wrapping_key.clone())
}

/// By what this keyring wraps, as it shows with a key that is kept nowhere.
async fn names(world: &World, to: &dyn Keyring, vault: VaultId) -> Result<BTreeSet<Name>, Error> {
    let now = world.clock.now();
    let key = KeyId::new(KeyPurpose::Manifest, Scope::Shared, now, random(&*world.entropy));
    let context = KeyContext { vault, key };
    let (_, wrapped) = to.generate(&context).await?;
    Ok(wrapped.iter().map(name_of).collect())
}

struct Rewrapping<'a> {
    world: &'a World,
    to: &'a dyn Keyring,
    vault: VaultId,
    /// By what `to` wraps.
    names: BTreeSet<Name>,
}

impl Rewrapping<'_> {
    /// Gives the key its new wrappings, and opens it with them as they are stored.
    async fn wrap(&self, id: &KeyId) -> Result<Wrapped, Error> {
        let not = |why| Ok(Wrapped::Not(Unopened { key: id.clone(), why }));
        let (record, revision) = match self.read(id).await {
            Err(error @ Error::Damaged { .. }) => return not(told(&error)),
            read => read?,
        };
        if record.erased.is_some() {
            return Ok(Wrapped::Erased);
        }
        let key = match self.open(&record).await {
            Ok(key) => key,
            Err(error) if error.is_retryable() => return Err(error.into()),
            Err(error) => return not(told(&error)),
        };
        if self.has_all(&record, &key).await {
            return Ok(Wrapped::Already);
        }
        let context = KeyContext { vault: self.vault, key: id.clone() };
        let mut wrapped = self.to.wrap(&key, &context).await?;
        wrapped.extend(record.wrapped.iter().filter(|old| !self.is_new(old)).cloned());
        self.store(&record.with_wrappings(wrapped), &revision).await?;
        let (stored, _) = self.read(id).await?;
        if self.has_all(&stored, &key).await {
            return Ok(Wrapped::Anew);
        }
        let keyring = self.to.describe();
        Err(KeyringError::DoesNotOpen { key: id.clone(), keyring, source: None }.into())
    }

    /// The key, by the old keyring or, where what that made is gone already, by the new one.
    async fn open(&self, record: &KeyRecord) -> Result<DataKey, KeyringError> {
        match open(&*self.world.keyring, record).await {
            Err(refusal) => open(self.to, record).await.map_err(|_| refusal),
            opened => opened,
        }
    }

    /// Has the record every wrapping that it should have, and do those that can be opened here give this key?
    async fn has_all(&self, record: &KeyRecord, key: &DataKey) -> bool {
        let new = record.wrapped.iter().filter(|wrapped| self.is_new(wrapped));
        let mut there = BTreeSet::new();
        for wrapped in new {
            if self.to.opens(wrapped) {
                let opened = open_wrapping(self.to, record, wrapped).await;
                if !opened.is_ok_and(|opened| opened.bytes() == key.bytes()) {
                    return false;
                }
            }
            there.insert(name_of(wrapped));
        }
        there == self.names
    }

    /// Takes the old wrappings away; `true` if there were any.
    async fn release(&self, id: &KeyId) -> Result<bool, Error> {
        let (record, revision) = self.read(id).await?;
        let kept: Vec<_> =
            record.wrapped.iter().filter(|wrapped| !self.is_old(wrapped)).cloned().collect();
        if kept.len() == record.wrapped.len() {
            return Ok(false);
        }
        self.store(&record.with_wrappings(kept), &revision).await?;
        Ok(true)
    }

    fn is_new(&self, wrapped: &WrappedKey) -> bool {
        self.names.contains(&name_of(wrapped))
    }

    /// Is this wrapping one that the new ones stand in the place of?
    fn is_old(&self, wrapped: &WrappedKey) -> bool {
        let of_our_kind = self.names.iter().any(|(by, _)| *by == wrapped.by);
        !self.is_new(wrapped) && (of_our_kind || self.world.keyring.opens(wrapped))
    }

    async fn read(&self, id: &KeyId) -> Result<(KeyRecord, Revision), Error> {
        let (vault, name) = (&self.world.vault, ObjectName::key(id));
        let Some((bytes, revision)) = vault.read(&name).await? else {
            return Err(VaultError::Missing { name, vault: vault.describe() }.into());
        };
        Ok((parse(&bytes, self.vault, id)?, revision))
    }

    async fn store(&self, record: &KeyRecord, revision: &Revision) -> Result<(), Error> {
        let content = record.write().map_err(|source| unwritable(&record.key, source))?;
        let name = ObjectName::key(&record.key);
        self.world.vault.swap(&name, Some(revision), content).await?;
        Ok(())
    }
}
