//! The restores of a vault: asked for, looked up, and kept up to date by whoever works on them.

use jiff::Timestamp;

use super::{Error, World, backups};
use crate::{
    model::{ObjectName, RunId, prefix},
    policy::advice,
    ports::{Revision, Vault, VaultError, random},
    records::restore::{Destination, RestoreRecord, Stage, Wish},
};

/// Several steps of one restore may record their progress at the same moment.
const ATTEMPTS: u32 = 50;

/// The ids of all restores, oldest first.
pub async fn ids(vault: &dyn Vault) -> Result<Vec<RunId>, Error> {
    let objects = vault.list(prefix::RESTORES).await?;
    let stems = objects.iter().filter_map(|object| object.name.stem(prefix::RESTORES, ".json"));
    Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
}

/// The record of one restore.
///
/// # Errors
/// [`Error::NoSuchRestore`] if there is none, [`Error::Damaged`] if it is not what was written.
pub async fn find(vault: &dyn Vault, id: &RunId) -> Result<RestoreRecord, Error> {
    Ok(read(vault, id).await?.0)
}

/// Every restore, oldest first.
pub async fn list(vault: &dyn Vault) -> Result<Vec<RestoreRecord>, Error> {
    let mut records = Vec::new();
    for id in ids(vault).await? {
        records.push(find(vault, &id).await?);
    }
    Ok(records)
}

/// The first restore but `id` that changes the live database or is about to: no other can be begun beside it. One that did
/// not begin is not waited for.
pub async fn in_the_way(
    vault: &dyn Vault,
    id: &RunId,
    now: Timestamp,
) -> Result<Option<RestoreRecord>, Error> {
    for other in ids(vault).await?.into_iter().filter(|other| other != id) {
        match find(vault, &other).await {
            Ok(record) if record.is_at_work() || is_about_to_begin(&record, now) => {
                return Ok(Some(record));
            }
            Ok(_) | Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_about_to_begin(record: &RestoreRecord, now: Timestamp) -> bool {
    let Wish { destination, dry_run, .. } = &record.wish;
    let touches_live_data = matches!(destination, Destination::InPlace { .. }) && !dry_run;
    record.stage == Stage::Requested && touches_live_data && !advice::is_stuck(record, now)
}

/// Writes down that a restore is wanted. Nothing is done yet.
pub async fn request(
    world: &World,
    wish: Wish,
    asked_by: Option<String>,
) -> Result<RestoreRecord, Error> {
    backups::existing_identity(&*world.vault).await?;
    let now = world.clock.now();
    let id = RunId::new(now, random(&*world.entropy));
    let record = RestoreRecord::new(id, wish, asked_by, now);
    write(world, &record, None).await?;
    Ok(record)
}

/// Writes down that a restore is wanted, under this id. It may have been written before: then that counts.
///
/// # Errors
/// As the vault; nothing is begun by it.
pub async fn request_as(
    world: &World,
    id: RunId,
    wish: Wish,
    asked_by: Option<String>,
) -> Result<(), Error> {
    backups::existing_identity(&*world.vault).await?;
    let record = RestoreRecord::new(id, wish, asked_by, world.clock.now());
    match write(world, &record, None).await {
        Err(Error::Vault(VaultError::Changed { .. })) => Ok(()),
        other => other,
    }
}

/// Writes down that a restore was not begun, and will not be.
pub async fn not_begun(world: &World, id: &RunId, reason: &str) -> Result<(), Error> {
    let changed = update(world, id, |record| {
        if record.stage == Stage::Requested {
            record.stage = Stage::Failed;
            record.error = vec![reason.to_owned()];
        }
        Ok(())
    });
    changed.await.map(drop)
}

/// Changes the record of a restore; `change` is asked again if somebody else changed it meanwhile.
pub async fn update(
    world: &World,
    id: &RunId,
    change: impl Fn(&mut RestoreRecord) -> Result<(), Error> + Send,
) -> Result<RestoreRecord, Error> {
    for _ in 0..ATTEMPTS {
        let (mut record, revision) = read(&*world.vault, id).await?;
        change(&mut record)?;
        record.updated = world.clock.now();
        match write(world, &record, Some(&revision)).await {
            Err(Error::Vault(VaultError::Changed { .. })) => {}
            other => return other.map(|()| record),
        }
    }
    Err(Error::Internal("a restore's record is never at rest"))
}

async fn read(vault: &dyn Vault, id: &RunId) -> Result<(RestoreRecord, Revision), Error> {
    let name = ObjectName::restore(id);
    let missing = || Error::NoSuchRestore { id: id.to_string(), vault: vault.describe() };
    let (bytes, revision) = vault.read(&name).await?.ok_or_else(missing)?;
    let record = RestoreRecord::read(&bytes);
    Ok((record.map_err(|source| Error::Damaged { name, source })?, revision))
}

async fn write(
    world: &World,
    record: &RestoreRecord,
    before: Option<&Revision>,
) -> Result<(), Error> {
    let name = ObjectName::restore(&record.restore);
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    world.vault.swap(&name, before, content).await?;
    Ok(())
}
