//! The object store that keeps a vault: a folder, a bucket, or memory in tests.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::model::ObjectName;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub name: ObjectName,
    /// Its size in bytes.
    pub size: u64,
}

/// One state of a replaceable object (an `ETag`, or a digest of the content): equal only if the object is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(pub String);

/// How far a copy is that the store itself makes elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It is there.
    Done,
    /// It is on its way.
    Waiting,
    /// The store gave up.
    Failed,
}

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no object of this name.
    #[error("{name} is missing from {vault}")]
    Missing {
        /// The object.
        name: ObjectName,
        /// The vault, as its settings name it.
        vault: String,
    },
    /// An immutable object of this name is there already.
    #[error("{name} already exists in {vault}")]
    Exists {
        /// The object.
        name: ObjectName,
        /// The vault.
        vault: String,
    },
    /// A replaceable object is no longer what the caller read: somebody else replaced it first.
    #[error("{name} in {vault} was changed by somebody else")]
    Changed {
        /// The object.
        name: ObjectName,
        /// The vault.
        vault: String,
    },
    /// The store refused or failed; `retryable` tells whether the same call may succeed later.
    #[error("cannot {action} in {vault}")]
    Failed {
        /// What was tried, e.g. `write packs/x.pack`.
        action: String,
        /// The vault.
        vault: String,
        /// May the same call succeed later?
        retryable: bool,
        /// The store's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl VaultError {
    /// May the same call succeed later?
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Failed { retryable: true, .. })
    }
}

/// A store of named objects.
///
/// Objects are written whole or not at all and are durable once a call returns `Ok`: a reader never sees a
/// part. After an error of a write it is unknown whether the object exists. A listing shows every object
/// whose write returned before the listing began. The only mutable objects are those written with
/// [`Vault::swap`]; there is no way to delete, so that a job that must not delete cannot.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The vault as settings name it, e.g. `s3://bucket/prefix`. Never holds a secret.
    fn describe(&self) -> String;

    /// Writes an immutable object.
    ///
    /// # Errors
    /// [`VaultError::Exists`] if the name is taken, whatever it holds; the object there is untouched.
    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError>;

    /// Reads a whole object.
    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError>;

    /// Reads `range` of an object, in bytes. A range that goes past the end gives what there is.
    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError>;

    /// Every object whose name starts with `prefix`, in the order of names.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError>;

    /// Reads a replaceable object together with its revision; `None` if there is none.
    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError>;

    /// Replaces an object only if it still is `expected` (`None`: only if there is none). Of several
    /// callers at once exactly one succeeds.
    ///
    /// # Errors
    /// [`VaultError::Changed`] if it is not, and the object is untouched.
    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError>;

    /// A checksum of the object's content, as the store knows it without sending the content; `None` if it knows
    /// none. Two answers of the same form (`sha256:` and hex digits) are equal only if the contents are. It tells
    /// of the object as the store believes it to be: what is read must be authenticated all the same.
    ///
    /// # Errors
    /// [`VaultError::Missing`] if there is no such object, where one is looked for.
    async fn checksum(&self, _name: &ObjectName) -> Result<Option<String>, VaultError> {
        Ok(None)
    }

    /// How far the store is with its own copy of this object; `None` if it makes none. What it says of one object says
    /// nothing of others.
    ///
    /// # Errors
    /// [`VaultError::Missing`] if there is no such object, where that is looked at.
    async fn copied(&self, _name: &ObjectName) -> Result<Option<Copied>, VaultError> {
        Ok(None)
    }
}
