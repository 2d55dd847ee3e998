//! A vault whose N-th write fails.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use bytes::Bytes;

use super::Injected;
use crate::{
    model::ObjectName,
    ports::{Copied, ObjectInfo, Revision, Vault, VaultError},
};

/// How a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Once, without effect.
    Before,
    /// Once, after it took effect: the answer was lost.
    After,
    /// Without effect, and so does every later write: the store is gone.
    Outage,
}

/// A vault over another, one of whose writes (puts and swaps, counted together) fails.
#[derive(Clone)]
pub struct FailingVault {
    inner: Arc<dyn Vault>,
    nth: u64,
    fault: Fault,
    writes: Arc<AtomicU64>,
}

impl FailingVault {
    /// The vault whose write number `nth`, counted from 1, fails; 0 fails none.
    pub fn new(inner: Arc<dyn Vault>, nth: u64, fault: Fault) -> Self {
        Self { inner, nth, fault, writes: Arc::default() }
    }

    /// How many writes were tried.
    pub fn writes(&self) -> u64 {
        self.writes.load(SeqCst)
    }

    /// Counts a write, and says how it fails if it does.
    fn next_fault(&self) -> Option<Fault> {
        let number = self.writes.fetch_add(1, SeqCst) + 1;
        let fails =
            number == self.nth || self.fault == Fault::Outage && self.nth != 0 && number > self.nth;
        fails.then_some(self.fault)
    }

    fn failed(&self, name: &ObjectName) -> VaultError {
        VaultError::Failed {
            action: format!("write {name}"),
            vault: self.describe(),
            retryable: true,
            source: Box::new(Injected),
        }
    }
}

#[async_trait]
impl Vault for FailingVault {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        match self.next_fault() {
            None => self.inner.put(name, content).await,
            Some(Fault::After) => {
                self.inner.put(name, content).await?;
                Err(self.failed(name))
            }
            Some(_) => Err(self.failed(name)),
        }
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        self.inner.get(name).await
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        self.inner.get_range(name, range).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        self.inner.list(prefix).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        self.inner.read(name).await
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        match self.next_fault() {
            None => self.inner.swap(name, expected, content).await,
            Some(Fault::After) => {
                self.inner.swap(name, expected, content).await?;
                Err(self.failed(name))
            }
            Some(_) => Err(self.failed(name)),
        }
    }

    async fn checksum(&self, name: &ObjectName) -> Result<Option<String>, VaultError> {
        self.inner.checksum(name).await
    }

    async fn copied(&self, name: &ObjectName) -> Result<Option<Copied>, VaultError> {
        self.inner.copied(name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryVault;

    async fn outcomes(fault: Fault) -> (Vec<bool>, usize) {
        let memory = MemoryVault::new();
        let vault = FailingVault::new(Arc::new(memory.clone()), 2, fault);
        let mut succeeded = Vec::new();
        for name in ["a", "b", "c"] {
            let name = ObjectName::from_listing(name).unwrap();
            succeeded.push(vault.put(&name, Bytes::new()).await.is_ok());
        }
        let swapped = vault.swap(&ObjectName::lock(), None, Bytes::new()).await;
        succeeded.push(swapped.is_ok());
        assert_eq!(vault.writes(), 4);
        (succeeded, memory.objects().len())
    }

    #[tokio::test]
    async fn the_nth_write_fails() {
        assert_eq!(outcomes(Fault::Before).await, (vec![true, false, true, true], 3));
        assert_eq!(outcomes(Fault::After).await, (vec![true, false, true, true], 4));
        assert_eq!(outcomes(Fault::Outage).await, (vec![true, false, false, false], 1));
    }
}
