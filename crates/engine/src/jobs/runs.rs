//! The records of past runs: listed, and asked whether a scheduled job is done already.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::{Error, World};
use crate::{
    model::{ObjectName, RunId, prefix},
    ports::{Vault, VaultError},
    records::run::{Job, Outcome, RunRecord},
};

const PARALLEL_READS: usize = 8;

/// Runs that were started for a moment are looked for so long after it: no schedule tries for longer.
const LATEST: SignedDuration = SignedDuration::from_hours(48);

/// The ids of all runs that have a record, oldest first.
pub async fn ids(vault: &dyn Vault) -> Result<Vec<RunId>, Error> {
    let objects = vault.list(prefix::RUNS).await?;
    let stems = objects.iter().filter_map(|object| object.name.stem(prefix::RUNS, ".json"));
    Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
}

/// The record of one run.
///
/// # Errors
/// [`Error::NoSuchRun`] if there is none, [`Error::Damaged`] if it is not what was written.
pub async fn find(vault: &dyn Vault, id: &RunId) -> Result<RunRecord, Error> {
    match read(vault, id).await {
        Err(Error::Vault(VaultError::Missing { .. })) => {
            Err(Error::NoSuchRun { id: id.to_string(), vault: vault.describe() })
        }
        other => other,
    }
}

/// The records of runs that started from `from` on and before `until`, oldest first.
pub async fn between(
    vault: &dyn Vault,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<RunRecord>, Error> {
    let ids = ids(vault).await?.into_iter();
    let wanted = ids.filter(|id| id.started().is_some_and(|at| from <= at && at < until));
    let reads = wanted.map(async |id| read(vault, &id).await);
    stream::iter(reads).buffered(PARALLEL_READS).try_collect().await
}

/// The same, without those that are damaged, which `verify` tells of.
pub async fn readable_between(
    vault: &dyn Vault,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<RunRecord>, Error> {
    let ids = ids(vault).await?.into_iter();
    let wanted = ids.filter(|id| id.started().is_some_and(|at| from <= at && at < until));
    let reads = wanted.map(async |id| match read(vault, &id).await {
        Ok(record) => Ok(Some(record)),
        Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    Ok(read.into_iter().flatten().collect())
}

/// What a job reported that was started for this moment and succeeded; `None` if there is no such run, or
/// if the job was not scheduled.
pub async fn done<T: DeserializeOwned>(
    world: &World,
    job: Job,
    scheduled: Option<Timestamp>,
) -> Result<Option<T>, Error> {
    let Some(moment) = scheduled else { return Ok(None) };
    let until = moment.saturating_add(LATEST).map_err(|_| Error::Internal("no such time"))?;
    // An id tells whole seconds.
    let from = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    let records = between(&*world.vault, from, until).await?;
    let ours = records.into_iter().find(|record| {
        record.job == job
            && record.scheduled == Some(moment)
            && record.outcome == Outcome::Succeeded
    });
    Ok(ours.and_then(|record| serde_json::from_value(record.summary?).ok()))
}

async fn read(vault: &dyn Vault, id: &RunId) -> Result<RunRecord, Error> {
    let name = ObjectName::run(id);
    let bytes = vault.get(&name).await?;
    RunRecord::read(&bytes).map_err(|source| Error::Damaged { name, source })
}
