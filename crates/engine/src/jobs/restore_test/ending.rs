//! How a test ends, whatever became of it: its database is dropped, and its record written.

use serde_json::json;

use super::{Chosen, Report, TestRun, bench::Bench};
use crate::{
    jobs::{Error, backups, record, restore::Watch, runs},
    model::VaultId,
    policy::scratch as names,
    ports::{TargetState, VaultError},
    records::{
        identity::VaultIdentity,
        run::{Job, RunRecord},
    },
};

/// How a test ended.
#[derive(Debug)]
pub enum Ended {
    /// All was proved.
    Proved(Box<Report>),
    /// It was not, and this is why.
    Failed(Error),
    /// It had ended before, as this record says; nothing was done now.
    Before(Box<RunRecord>),
}

/// Drops the test's database, and those of dead tests that did not go before. A test that leaves one has failed.
pub(super) async fn clear(
    bench: Bench<'_>,
    vault: VaultId,
    run: &TestRun,
    chosen: &Chosen,
    result: Result<Report, Error>,
) -> Result<Report, Error> {
    let mut watch = Watch::start(bench.world);
    let own = bench.database_of(vault, &run.run)?;
    let dropped = drop_database(bench, &own).await;
    watch.lap("drop the scratch database");
    let left = |database: String, source| {
        let backup = chosen.backup.clone();
        Error::ScratchLeft { backup, database, source: Box::new(source) }
    };
    let mut report = match (result, dropped) {
        (Ok(report), Ok(())) => report,
        (Ok(_), Err(source)) => return Err(left(own, source)),
        (Err(failure), Ok(())) => return Err(failure),
        (Err(failure), Err(cleanup)) => {
            let (failure, cleanup) = (Box::new(failure), Box::new(cleanup));
            return Err(Error::NotCleanedUp { failure, cleanup });
        }
    };
    for database in of_dead_tests(bench, vault, chosen) {
        let dropped = drop_database(bench, database).await;
        dropped.map_err(|source| left(database.clone(), source))?;
        report.swept.push(database.clone());
    }
    report.phases.extend(watch.phases);
    Ok(report)
}

/// What was left when the test began; no name but one that a test of this vault gives.
fn of_dead_tests<'a>(
    bench: Bench<'_>,
    vault: VaultId,
    chosen: &'a Chosen,
) -> impl Iterator<Item = &'a String> {
    let prefix = bench.scratch.prefix();
    chosen.left.iter().filter(move |name| names::run_of(name, &prefix, vault).is_some())
}

async fn drop_database(bench: Bench<'_>, name: &str) -> Result<(), Error> {
    let target = bench.scratch.database(name);
    if target.state().await? != TargetState::Absent {
        target.drop_database().await?;
    }
    Ok(())
}

/// Writes the record into the vault. Nothing is written where there is no vault: it may be what was lost.
pub(super) async fn record(
    bench: Bench<'_>,
    run: &TestRun,
    identity: &VaultIdentity,
    chosen: Option<&Chosen>,
    result: &Result<Report, Error>,
) -> Result<(), Error> {
    let world = bench.world;
    backups::existing_identity(&*world.vault).await?;
    let about = chosen.map(
        |Chosen { backup, turn, why, .. }| json!({ "backup": backup, "turn": turn, "why": why }),
    );
    let (run, job) = (run.as_run(world), Job::RestoreTest);
    record::ended_about(world, &run, job, &identity.source, result, about).await
}

/// Writes the record unless there is one: then that is how the test ended.
pub(super) async fn record_once(
    bench: Bench<'_>,
    run: &TestRun,
    identity: &VaultIdentity,
    chosen: Option<&Chosen>,
    result: Result<Report, Error>,
) -> Result<Ended, Error> {
    if let Some(record) = recorded(bench, run).await? {
        return Ok(Ended::Before(Box::new(record)));
    }
    match record(bench, run, identity, chosen, &result).await {
        Ok(()) => {}
        Err(error @ Error::Vault(VaultError::Exists { .. })) => {
            let record = recorded(bench, run).await?.ok_or(error)?;
            return Ok(Ended::Before(Box::new(record)));
        }
        // It may have been written all the same; nobody would tell how the test ended if it were taken for another's.
        Err(error) => drop(recorded(bench, run).await?.ok_or(error)?),
    }
    Ok(match result {
        Ok(report) => Ended::Proved(Box::new(report)),
        Err(error) => Ended::Failed(error),
    })
}

async fn recorded(bench: Bench<'_>, run: &TestRun) -> Result<Option<RunRecord>, Error> {
    match runs::find(&*bench.world.vault, &run.run).await {
        Ok(record) => Ok(Some(record)),
        Err(Error::NoSuchRun { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
