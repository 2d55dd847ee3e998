//! Leaving a record of every run, whatever became of it.

use jiff::Timestamp;
use serde::Serialize;

use super::{Error, World};
use crate::{
    model::{ObjectName, RunId, SourceIdentity},
    ports::{VaultError, random},
    records::{
        lock::Lease,
        run::{Job, Outcome, RunRecord},
    },
};

/// One execution of a job.
pub(super) struct Run {
    pub(super) id: RunId,
    /// To the fraction of a second, which its id does not tell.
    pub(super) started: Timestamp,
    /// The moment it was scheduled for.
    pub(super) scheduled: Option<Timestamp>,
}

impl Run {
    /// A run that starts now.
    pub(super) fn start(world: &World, scheduled: Option<Timestamp>) -> Self {
        let started = world.clock.now();
        Self::new(world, RunId::new(started, random(&*world.entropy)), started, scheduled)
    }

    /// A run of this id.
    pub(super) fn new(
        world: &World,
        id: RunId,
        started: Timestamp,
        scheduled: Option<Timestamp>,
    ) -> Self {
        world.progress.begin(&id);
        Self { id, started, scheduled }
    }
}

/// Records how a run ended.
pub(super) async fn ended<T: Serialize>(
    world: &World,
    run: &Run,
    job: Job,
    source: &SourceIdentity,
    result: &Result<T, Error>,
) -> Result<(), Error> {
    ended_about(world, run, job, source, result, None).await
}

/// The same, with what a run that failed was `about`.
pub(super) async fn ended_about<T: Serialize>(
    world: &World,
    run: &Run,
    job: Job,
    source: &SourceIdentity,
    result: &Result<T, Error>,
    about: Option<serde_json::Value>,
) -> Result<(), Error> {
    let outcome = if result.is_ok() { Outcome::Succeeded } else { Outcome::Failed };
    let now = world.clock.now();
    let mut record = RunRecord::new(run.id.clone(), job, outcome, run.started, now);
    record.source = Some(source.clone());
    record.scheduled = run.scheduled;
    match result {
        Ok(summary) => record.summary = serde_json::to_value(summary).ok(),
        Err(error) => (record.error, record.summary) = (chain(error), about),
    }
    write(world, &record).await
}

/// Records that the run which left this lease behind died, if there is one and nobody has said it yet.
pub(super) async fn died(world: &World, lease: Option<&Lease>) -> Result<(), Error> {
    let Some(Lease { run, job, .. }) = lease else { return Ok(()) };
    let now = world.clock.now();
    let started = run.started().unwrap_or(now);
    let mut record = RunRecord::new(run.clone(), *job, Outcome::Died, started, now);
    record.error.push("the run ended without giving its lock back".to_owned());
    match write(world, &record).await {
        Err(Error::Vault(VaultError::Exists { .. })) => Ok(()),
        other => other,
    }
}

/// An error and its causes, one a line.
pub(super) fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect()
}

async fn write(world: &World, record: &RunRecord) -> Result<(), Error> {
    let name = ObjectName::run(&record.run);
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    Ok(world.vault.put(&name, content).await?)
}
