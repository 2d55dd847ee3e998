//! New data keys before the month ends: what is sealed from now on is sealed with them.
//!
//! Backups that exist need the old ones as before, and nothing of them changes. Naming keys stay: with another one, equal rows would
//! no longer have equal names. Who was erased gets none.

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::KeyChest;
use crate::{
    jobs::{Error, World, backups},
    model::{KeyId, KeyPurpose},
};

const PARALLEL_KEYS: usize = 8;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The new keys, one for each purpose and scope that had one.
    pub keys: Vec<KeyId>,
}

/// Makes a new key for all that is sealed in this vault.
///
/// # Errors
/// Keys that were made before an error are used; running it again makes others.
pub async fn run(world: &World) -> Result<Report, Error> {
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let chest = KeyChest::open(world, vault).await?;
    let sealing = chest.kept.keys().filter(|(purpose, _)| *purpose != KeyPurpose::Naming);
    let made = sealing.map(async |(purpose, scope)| match chest.newest(*purpose, scope) {
        Some(newest) if chest.is_erased(newest).await? => Ok(None),
        _ => chest.replace(*purpose, scope).await.map(Some),
    });
    let made: Vec<_> = stream::iter(made.collect::<Vec<_>>())
        .buffer_unordered(PARALLEL_KEYS)
        .try_collect()
        .await?;
    let mut keys: Vec<_> = made.into_iter().flatten().collect();
    keys.sort_unstable();
    Ok(Report { keys })
}
