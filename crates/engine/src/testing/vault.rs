//! A vault in memory.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::lock;
use crate::{
    model::ObjectName,
    ports::{Copied, ObjectInfo, Revision, Vault, VaultError},
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
}

impl Content {
    fn write(&mut self, name: &ObjectName, content: Bytes) -> Revision {
        self.writes += 1;
        let revision = Revision(self.writes.to_string());
        self.objects.insert(name.clone(), (content, revision.clone()));
        revision
    }
}

impl MemoryVault {
    /// An empty vault.
    pub fn new() -> Self {
        Self::default()
    }

    /// All objects with their content, by name.
    pub fn objects(&self) -> BTreeMap<ObjectName, Bytes> {
        let content = lock(&self.0);
        content.objects.iter().map(|(name, (bytes, _))| (name.clone(), bytes.clone())).collect()
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
    pub fn remove(&self, name: &ObjectName) {
        let removed = lock(&self.0).objects.remove(name);
        assert!(removed.is_some(), "no object {name} to remove");
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

    async fn copied(&self, name: &ObjectName) -> Result<Option<Copied>, VaultError> {
        Ok(lock(&self.0).copies.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vault_contract;

    #[tokio::test]
    async fn a_vault_in_memory_keeps_the_contract() {
        vault_contract(&MemoryVault::new()).await;
    }

    #[tokio::test]
    async fn damage_is_seen_through_every_clone() {
        let vault = MemoryVault::new();
        let name = ObjectName::identity();
        vault.put(&name, Bytes::from_static(b"ab")).await.unwrap();
        vault.clone().corrupt(&name, |bytes| bytes[0] ^= 1);
        assert_eq!(vault.objects()[&name], "`b");
        vault.clone().remove(&name);
        assert!(vault.objects().is_empty());
    }
}
