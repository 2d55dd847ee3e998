//! Putting a whole object in the place of a damaged one.
//!
//! It is no part of [`super::Vault`]: no job may replace what is written once, but for a repair that an operator
//! asks for by hand.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Revision, VaultError};
use crate::model::ObjectName;

/// Replaces damaged objects.
#[async_trait]
pub trait Mender: Send + Sync {
    /// Puts `content` in the place of the object, if it still is `damaged`; a store that keeps versions keeps
    /// the damaged one.
    ///
    /// # Errors
    /// [`VaultError::Changed`] if it is not, or is gone, and the object is untouched.
    async fn replace(
        &self,
        name: &ObjectName,
        damaged: &Revision,
        content: Bytes,
    ) -> Result<(), VaultError>;
}
