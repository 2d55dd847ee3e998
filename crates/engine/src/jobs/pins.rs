//! Pins: backups that are kept until somebody says otherwise.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{Error, World, backups};
use crate::{
    model::{ObjectName, RunId, prefix},
    ports::Vault,
    records::pin::PinRecord,
};

const PARALLEL_READS: usize = 8;

/// Pins a backup, or unpins it; says what was written.
///
/// # Errors
/// [`Error::NoSuchBackup`] if there is none; [`Error::Vault`] if somebody else did the same at this moment.
pub async fn set(
    world: &World,
    backup: &str,
    pinned: bool,
    reason: Option<String>,
) -> Result<PinRecord, Error> {
    let backup = backups::find(&*world.vault, backup).await?;
    write(world, backup, pinned, reason).await
}

/// The same for a backup that need not be there yet.
pub(super) async fn write(
    world: &World,
    backup: RunId,
    pinned: bool,
    reason: Option<String>,
) -> Result<PinRecord, Error> {
    let name = ObjectName::pin(&backup);
    let found = world.vault.read(&name).await?;
    let record = PinRecord::new(backup, pinned, world.clock.now(), reason);
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    world.vault.swap(&name, found.as_ref().map(|(_, revision)| revision), content).await?;
    Ok(record)
}

/// Is this backup pinned? So is one whose pin can't be read: better kept than regretted.
async fn is_pinned(vault: &dyn Vault, backup: &RunId) -> Result<bool, Error> {
    let found = vault.read(&ObjectName::pin(backup)).await?;
    Ok(found.is_some_and(|(bytes, _)| PinRecord::read(&bytes).map_or(true, |pin| pin.pinned)))
}

/// All backups that are pinned.
pub async fn pinned(vault: &dyn Vault) -> Result<BTreeSet<RunId>, Error> {
    let objects = vault.list(prefix::PINS).await?;
    let ids =
        objects.iter().filter_map(|object| object.name.stem(prefix::PINS, ".json")?.parse().ok());
    let looks = ids.collect::<Vec<RunId>>().into_iter().map(async |id| {
        let pinned = is_pinned(vault, &id).await?;
        Ok::<_, Error>(pinned.then_some(id))
    });
    let pinned: Vec<_> = stream::iter(looks).buffered(PARALLEL_READS).try_collect().await?;
    Ok(pinned.into_iter().flatten().collect())
}
