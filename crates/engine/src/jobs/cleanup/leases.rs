//! The lock of backups that a dead run left behind.

use crate::{
    jobs::{Error, World, record},
    model::{ObjectName, RunId},
    ports::VaultError,
    records::lock::Lease,
};

/// Gives back the lease of a run that died, and records its death; says which run, if there was one.
pub(super) async fn free(world: &World) -> Result<Option<RunId>, Error> {
    let name = ObjectName::lock();
    let Some((bytes, revision)) = world.vault.read(&name).await? else { return Ok(None) };
    let damaged = |source| Error::Damaged { name: name.clone(), source };
    let (lease, now) = (Lease::read(&bytes).map_err(damaged)?, world.clock.now());
    if lease.released || !lease.is_free(now) {
        return Ok(None);
    }
    let dead = lease.run.clone();
    record::died(world, Some(&lease)).await?;
    let unwritable = |source| Error::Unwritable { what: name.to_string(), source };
    let content = lease.given_back(now).write().map_err(unwritable)?;
    match world.vault.swap(&name, Some(&revision), content).await {
        // A backup has just taken it.
        Err(VaultError::Changed { .. }) => Ok(Some(dead)),
        other => other.map(|_| Some(dead)).map_err(Error::from),
    }
}
