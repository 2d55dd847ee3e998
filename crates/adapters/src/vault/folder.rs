//! A vault in a folder: each object is a file of its name below it, durable once written.
//!
//! Names that begin with a dot are the vault's own: temporary files, and guards under whose lock objects
//! are swapped. The lock holds between processes of one machine, and over network file systems that carry
//! file locks.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_lc_rs::digest;
use bytes::Bytes;
use gorgen_engine::{
    model::ObjectName,
    ports::{Locks, Mender, ObjectInfo, Removal, Remover, Revision, Vault, VaultError},
};
use jiff::Timestamp;
use tokio::task;

use crate::disk;

/// Bytes of a file that are hashed at once.
const HASHED_AT_ONCE: usize = 1 << 20;

/// A vault in a folder, which is made when the first object is written.
#[derive(Debug, Clone)]
pub struct FolderVault {
    root: PathBuf,
    /// Folders that were cleared of what a crash left.
    cleared: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl FolderVault {
    /// The vault in this folder, given as an absolute path.
    pub fn new(root: PathBuf) -> Self {
        Self { root, cleared: Arc::default() }
    }

    fn path(&self, name: &ObjectName) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// Does blocking work on a thread of its own, and says what it was if it fails.
    async fn run<T: Send + 'static>(
        &self,
        action: String,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let vault = self.clone();
        let outcome = task::spawn_blocking(move || work(&vault)).await;
        let outcome = outcome.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
        outcome.map_err(|error| self.failed(action, error))
    }

    fn failed(&self, action: String, error: io::Error) -> VaultError {
        let may_pass = [ErrorKind::Interrupted, ErrorKind::TimedOut, ErrorKind::ResourceBusy];
        VaultError::Failed {
            action,
            vault: self.describe(),
            retryable: may_pass.contains(&error.kind()),
            source: Box::new(error),
        }
    }

    fn missing(&self, name: &ObjectName) -> VaultError {
        VaultError::Missing { name: name.clone(), vault: self.describe() }
    }

    fn create(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        disk::make_folder(path.parent().unwrap_or(&self.root))?;
        disk::create(path, content, disk::MODE_SHARED)?;
        self.clear_once(path);
        Ok(())
    }

    /// Removes what crashes left beside a file that was just written, the first time in each folder.
    fn clear_once(&self, fresh: &Path) {
        let folder = fresh.parent().unwrap_or(&self.root).to_owned();
        let mut cleared = self.cleared.lock().unwrap_or_else(PoisonError::into_inner);
        if cleared.insert(folder) {
            // What stays is not listed and does no harm, so that a failure is none of the write's.
            let _ = disk::remove_left_overs(fresh);
        }
    }

    /// Everything below `folder` whose name starts with `prefix`.
    fn collect(&self, folder: &Path, prefix: &str, found: &mut Vec<ObjectInfo>) -> io::Result<()> {
        let Some(entries) = unless_gone(fs::read_dir(folder))? else {
            return Ok(());
        };
        for entry in entries {
            let path = entry?.path();
            let Some(name) = self.name_of(&path) else {
                continue;
            };
            let Some(metadata) = unless_gone(fs::metadata(&path))? else {
                continue;
            };
            if metadata.is_dir() {
                if could_hold(name.as_str(), prefix) {
                    self.collect(&path, prefix, found)?;
                }
            } else if name.as_str().starts_with(prefix) {
                found.push(ObjectInfo { name, size: metadata.len() });
            }
        }
        Ok(())
    }

    /// The name of the object at this path; none for what is not ours, and for our own temporary files.
    fn name_of(&self, path: &Path) -> Option<ObjectName> {
        let name = path.strip_prefix(&self.root).ok()?.to_str()?;
        let is_hidden = path.file_name()?.to_str().is_none_or(disk::is_hidden);
        if is_hidden { None } else { ObjectName::from_listing(name) }
    }

    /// Replaces the object if it still is what was expected; `None` if it is not.
    fn swap_guarded(
        &self,
        path: &Path,
        expected: Option<&Revision>,
        content: &[u8],
    ) -> io::Result<Option<Revision>> {
        disk::make_folder(path.parent().unwrap_or(&self.root))?;
        let _guard = disk::guard(path)?;
        let current = unless_gone(fs::read(path))?.map(|content| revision(&content));
        if current.as_ref() != expected {
            return Ok(None);
        }
        disk::replace(path, content, disk::MODE_SHARED)?;
        self.clear_once(path);
        Ok(Some(revision(content)))
    }
}

#[async_trait]
impl Vault for FolderVault {
    fn describe(&self) -> String {
        format!("file://{}", self.root.display())
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        let path = self.path(name);
        let put =
            self.run(format!("write {name}"), move |vault| match vault.create(&path, &content) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                created => created.map(|()| true),
            });
        if put.await? {
            Ok(())
        } else {
            Err(VaultError::Exists { name: name.clone(), vault: self.describe() })
        }
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        let path = self.path(name);
        let read = self.run(format!("read {name}"), move |_| unless_gone(fs::read(path)));
        read.await?.map(Bytes::from).ok_or_else(|| self.missing(name))
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        let path = self.path(name);
        let read =
            self.run(format!("read {name}"), move |_| unless_gone(read_range(&path, &range)));
        read.await?.map(Bytes::from).ok_or_else(|| self.missing(name))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        let owned = prefix.to_owned();
        self.run(format!("list {prefix:?}"), move |vault| {
            let mut found = Vec::new();
            let folder = owned.rsplit_once('/').map_or("", |(folder, _)| folder);
            vault.collect(&vault.root.join(folder), &owned, &mut found)?;
            found.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(found)
        })
        .await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        match self.get(name).await {
            Ok(content) => {
                let revision = revision(&content);
                Ok(Some((content, revision)))
            }
            Err(VaultError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        let (path, expected) = (self.path(name), expected.cloned());
        let swapped = self.run(format!("write {name}"), move |vault| {
            vault.swap_guarded(&path, expected.as_ref(), &content)
        });
        let changed = || VaultError::Changed { name: name.clone(), vault: self.describe() };
        swapped.await?.ok_or_else(changed)
    }

    async fn checksum(&self, name: &ObjectName) -> Result<Option<String>, VaultError> {
        let path = self.path(name);
        let hashed = self.run(format!("read {name}"), move |_| unless_gone(sha256_of(&path)));
        hashed.await?.map(Some).ok_or_else(|| self.missing(name))
    }
}

#[async_trait]
impl Mender for FolderVault {
    async fn replace(
        &self,
        name: &ObjectName,
        damaged: &Revision,
        content: Bytes,
    ) -> Result<(), VaultError> {
        self.swap(name, Some(damaged), content).await.map(drop)
    }
}

/// SHA-256 of a file, as vaults tell it.
fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut part = vec![0; HASHED_AT_ONCE];
    loop {
        let length = file.read(&mut part)?;
        if length == 0 {
            return Ok(format!("sha256:{}", hex::encode(hash.finish())));
        }
        hash.update(&part[..length]);
    }
}

/// A folder locks nothing: who may write it may empty it.
#[async_trait]
impl Locks for FolderVault {
    async fn are_kept(&self) -> Result<bool, VaultError> {
        Ok(false)
    }

    async fn locked_until(&self, _name: &ObjectName) -> Result<Option<Timestamp>, VaultError> {
        Ok(None)
    }

    async fn lock_until(&self, _name: &ObjectName, _until: Timestamp) -> Result<(), VaultError> {
        Ok(())
    }
}

#[async_trait]
impl Remover for FolderVault {
    async fn remove(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        let path = self.path(name);
        let removed = self.run(format!("remove {name}"), move |_| unless_gone(disk::remove(&path)));
        removed.await.map(|_| Removal::Done)
    }

    async fn remove_older(&self, _name: &ObjectName) -> Result<Removal, VaultError> {
        Ok(Removal::Done)
    }

    async fn give_up_uploads(&self, _before: Timestamp) -> Result<u64, VaultError> {
        Ok(0)
    }
}

/// SHA-256 of the content.
fn revision(content: &[u8]) -> Revision {
    Revision(hex::encode(digest::digest(&digest::SHA256, content)))
}

/// `None` for what does not exist, or is none of a vault's because a part of its path is a file.
fn unless_gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read_range(path: &Path, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let end = range.end.min(file.metadata()?.len());
    let length = end.saturating_sub(range.start);
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.seek(SeekFrom::Start(range.start.min(end)))?;
    file.take(length).read_to_end(&mut content)?;
    Ok(content)
}

/// Can names below this folder start with the prefix?
fn could_hold(folder: &str, prefix: &str) -> bool {
    let folder = format!("{folder}/");
    folder.starts_with(prefix) || prefix.starts_with(&folder)
}

#[cfg(test)]
mod tests;
