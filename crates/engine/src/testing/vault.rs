//! A vault in memory.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use aws_lc_rs::digest;
use bytes::Bytes;
use jiff::Timestamp;

use super::{FixedClock, lock};
use crate::{
    model::ObjectName,
    ports::{
        Clock, Copied, Locks, Mender, ObjectInfo, Removal, Remover, Revision, Vault, VaultError,
    },
};

const DESCRIPTION: &str = "memory:";

/// A vault in memory; clones share its objects.
#[derive(Debug, Clone, Default)]
pub struct MemoryVault(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    objects: BTreeMap<ObjectName, (Bytes, Revision)>,
    writes: u64,
    copies: BTreeMap<ObjectName, Copied>,
    /// Tells when a lock ends; without it there are none.
    clock: Option<FixedClock>,
    locks: BTreeMap<ObjectName, Timestamp>,
    /// What was replaced, where versions are kept because they are locked, the oldest first, and until when each is.
    older: BTreeMap<ObjectName, Vec<(Bytes, Option<Timestamp>)>>,
    lock_calls: u64,
}

impl Content {
    fn write(&mut self, name: &ObjectName, content: Bytes) -> Revision {
        self.writes += 1;
        let revision = Revision(self.writes.to_string());
        let older = self.objects.insert(name.clone(), (content, revision.clone()));
        if let Some((older, _)) = older.filter(|_| self.clock.is_some()) {
            let locked = self.locks.remove(name);
            self.older.entry(name.clone()).or_default().push((older, locked));
        }
        revision
    }
}

impl MemoryVault {
    /// An empty vault.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty vault that locks objects, by this clock.
    pub fn with_locks(clock: FixedClock) -> Self {
        let content = Content { clock: Some(clock), ..Content::default() };
        Self(Arc::new(Mutex::new(content)))
    }

    /// How often a lock was set or made longer.
    pub fn lock_calls(&self) -> u64 {
        lock(&self.0).lock_calls
    }

    /// All objects with their content, by name.
    pub fn objects(&self) -> BTreeMap<ObjectName, Bytes> {
        let content = lock(&self.0);
        content.objects.iter().map(|(name, (bytes, _))| (name.clone(), bytes.clone())).collect()
    }

    /// Older versions of objects, as far as they were not removed.
    pub fn older(&self) -> BTreeMap<ObjectName, Vec<Bytes>> {
        let content = lock(&self.0);
        let bytes = |versions: &Vec<(Bytes, _)>| versions.iter().map(|(b, _)| b.clone()).collect();
        content.older.iter().map(|(name, older)| (name.clone(), bytes(older))).collect()
    }

    /// Damages an object behind the vault's back.
    pub fn corrupt(&self, name: &ObjectName, damage: impl FnOnce(&mut Vec<u8>)) {
        let mut content = lock(&self.0);
        let found = content.objects.get(name);
        let mut bytes = found.expect("an object to damage").0.to_vec();
        damage(&mut bytes);
        content.write(name, bytes.into());
    }

    /// Has the store say this of its copy of an object.
    pub fn set_copied(&self, name: &ObjectName, copied: Copied) {
        lock(&self.0).copies.insert(name.clone(), copied);
    }

    /// Takes an object away behind the vault's back.
    pub fn lose(&self, name: &ObjectName) {
        let removed = lock(&self.0).objects.remove(name);
        assert!(removed.is_some(), "no object {name} to lose");
    }
}

#[async_trait]
impl Vault for MemoryVault {
    fn describe(&self) -> String {
        DESCRIPTION.to_owned()
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        let mut kept = lock(&self.0);
        if kept.objects.contains_key(name) {
            return Err(VaultError::Exists { name: name.clone(), vault: self.describe() });
        }
        kept.write(name, content);
        Ok(())
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        let found = self.read(name).await?;
        let missing = || VaultError::Missing { name: name.clone(), vault: self.describe() };
        found.map(|(bytes, _)| bytes).ok_or_else(missing)
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        let whole = self.get(name).await?;
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
        let (start, end) = (within(range.start), within(range.end));
        Ok(whole.slice(start..end.max(start)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        let content = lock(&self.0);
        let listed =
            content.objects.iter().filter(|(name, _)| name.as_str().starts_with(prefix)).map(
                |(name, (bytes, _))| ObjectInfo { name: name.clone(), size: bytes.len() as u64 },
            );
        Ok(listed.collect())
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        Ok(lock(&self.0).objects.get(name).cloned())
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        let mut kept = lock(&self.0);
        if kept.objects.get(name).map(|(_, revision)| revision) != expected {
            return Err(VaultError::Changed { name: name.clone(), vault: self.describe() });
        }
        Ok(kept.write(name, content))
    }

    async fn checksum(&self, name: &ObjectName) -> Result<Option<String>, VaultError> {
        let hash = digest::digest(&digest::SHA256, &self.get(name).await?);
        Ok(Some(format!("sha256:{}", hex::encode(hash))))
    }

    async fn copied(&self, name: &ObjectName) -> Result<Option<Copied>, VaultError> {
        Ok(lock(&self.0).copies.get(name).copied())
    }
}

impl Content {
    /// Until when an object is locked that is there.
    fn lock_of(&self, name: &ObjectName) -> Result<Option<Timestamp>, VaultError> {
        let Some(clock) = &self.clock else { return Ok(None) };
        if !self.objects.contains_key(name) {
            return Err(VaultError::Missing { name: name.clone(), vault: DESCRIPTION.to_owned() });
        }
        Ok(self.locks.get(name).copied().filter(|until| *until > clock.now()))
    }
}

#[async_trait]
impl Locks for MemoryVault {
    async fn are_kept(&self) -> Result<bool, VaultError> {
        Ok(lock(&self.0).clock.is_some())
    }

    async fn locked_until(&self, name: &ObjectName) -> Result<Option<Timestamp>, VaultError> {
        lock(&self.0).lock_of(name)
    }

    async fn lock_until(&self, name: &ObjectName, until: Timestamp) -> Result<(), VaultError> {
        let mut content = lock(&self.0);
        if content.clock.is_none() {
            return Ok(());
        }
        if content.lock_of(name)?.is_some_and(|locked| locked > until) {
            return Err(VaultError::Failed {
                action: format!("lock {name}"),
                vault: self.describe(),
                retryable: false,
                source: "a lock can't be shortened".into(),
            });
        }
        content.lock_calls += 1;
        content.locks.insert(name.clone(), until);
        Ok(())
    }
}

#[async_trait]
impl Remover for MemoryVault {
    async fn remove(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        let mut content = lock(&self.0);
        if let Ok(Some(until)) = content.lock_of(name) {
            return Ok(Removal::Locked(Some(until)));
        }
        content.objects.remove(name);
        content.locks.remove(name);
        content.older.remove(name);
        Ok(Removal::Done)
    }

    async fn remove_older(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        let mut content = lock(&self.0);
        let now = content.clock.as_ref().map(Clock::now);
        let Some(older) = content.older.get_mut(name) else { return Ok(Removal::Done) };
        older.retain(|(_, locked)| *locked > now);
        let last = older.iter().filter_map(|(_, locked)| *locked).max();
        Ok(last.map_or(Removal::Done, |until| Removal::Locked(Some(until))))
    }

    async fn give_up_uploads(&self, _before: Timestamp) -> Result<u64, VaultError> {
        Ok(0)
    }
}

#[async_trait]
impl Mender for MemoryVault {
    async fn replace(
        &self,
        name: &ObjectName,
        damaged: &Revision,
        content: Bytes,
    ) -> Result<(), VaultError> {
        self.swap(name, Some(damaged), content).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{locks_contract, remover_contract, vault_contract};

    #[tokio::test]
    async fn a_vault_in_memory_keeps_the_contract() {
        vault_contract(&MemoryVault::new()).await;
    }

    #[tokio::test]
    async fn objects_are_removed_unless_they_are_locked() {
        let vault = MemoryVault::new();
        remover_contract(&vault, &vault).await;
        let clock = FixedClock::at("2026-11-24T03:00:00Z");
        let vault = MemoryVault::with_locks(clock.clone());
        remover_contract(&vault, &vault).await;
        locks_contract(&vault, &vault, &vault, clock.now()).await;
    }

    #[tokio::test]
    async fn damage_is_seen_through_every_clone() {
        let vault = MemoryVault::new();
        let name = ObjectName::identity();
        vault.put(&name, Bytes::from_static(b"ab")).await.unwrap();
        vault.clone().corrupt(&name, |bytes| bytes[0] ^= 1);
        assert_eq!(vault.objects()[&name], "`b");
        vault.clone().lose(&name);
        assert!(vault.objects().is_empty());
    }
}
