//! What a vault's keeper may do besides reading and writing: lock objects for longer, and remove them.
//!
//! These are no part of [`super::Vault`], so that a job which must not do one of them is not given it.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use super::VaultError;
use crate::model::ObjectName;

/// Holds objects against removal until a moment (S3's Object Lock). Not every store has such locks.
#[async_trait]
pub trait Locks: fmt::Debug + Send + Sync {
    /// Does the store lock objects at all? If not, [`Locks::lock_until`] does nothing.
    async fn are_kept(&self) -> Result<bool, VaultError>;

    /// Until when nobody can remove the object as it is now; `None` if anybody may who may remove objects.
    ///
    /// # Errors
    /// [`VaultError::Missing`] if there is no such object, where the store has locks.
    async fn locked_until(&self, name: &ObjectName) -> Result<Option<Timestamp>, VaultError>;

    /// Locks the object until then. A lock is never shortened: the store refuses that.
    ///
    /// # Errors
    /// As the store, and [`VaultError::Missing`] if there is no such object, where the store has locks.
    async fn lock_until(&self, name: &ObjectName, until: Timestamp) -> Result<(), VaultError>;
}

/// What became of an object that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone, with all its versions; or it was gone already.
    Done,
    /// It, or a version of it, is as it was: it is locked until then, or until somebody lifts a hold, if there is no such moment.
    Locked(Option<Timestamp>),
}

/// Removes objects.
#[async_trait]
pub trait Remover: Send + Sync {
    /// Removes an object with every version of it, or leaves it as it is because it is locked. After an error it is
    /// there or not, but never an older version in its place. Removing what is not there succeeds.
    async fn remove(&self, name: &ObjectName) -> Result<Removal, VaultError>;

    /// Removes every version of an object but the newest, as far as they are not locked; until when the last of those is that are,
    /// is in the answer. A store without versions has none to remove.
    async fn remove_older(&self, name: &ObjectName) -> Result<Removal, VaultError>;

    /// Gives up uploads in parts that were begun before then and never ended; says how many there were.
    async fn give_up_uploads(&self, before: Timestamp) -> Result<u64, VaultError>;
}
