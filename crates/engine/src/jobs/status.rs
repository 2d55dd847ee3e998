//! How a vault is: what ran last, how old the newest backup is, whether the store's own copy has it, which restores are
//! not at their end, what is wrong.
//!
//! No key is needed, and nothing is proved: `verify` does that.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Error, backups, restores, runs};
use crate::{
    model::{ObjectName, RunId},
    policy::{advice, trend},
    ports::{Copied, Vault, VaultError},
    records::{
        manifest::Header,
        restore::{Live, RestoreRecord, Stage},
        run::{Job, Outcome, RunRecord},
    },
};

/// Longer than a month, so that the last report is among the runs.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(35 * 24);
/// A week of backups, and some by hand.
const MOST_HEADERS: usize = 12;
const PARALLEL_READS: usize = 8;

/// How a vault is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// When this was so.
    pub now: Timestamp,
    /// The newest backup of the source whose header can be read.
    pub newest_backup: Option<NewestBackup>,
    /// The copy of the vault that the store makes elsewhere; none if it makes none.
    pub replica: Option<Replica>,
    /// The last run of each job in the last five weeks; a job without one is not there.
    pub last_runs: Vec<LastRun>,
    /// The restores that are not at their end, oldest first.
    pub restores: Vec<Unfinished>,
    /// What is not as it should be, each a sentence.
    pub problems: Vec<String>,
}

/// The newest backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewestBackup {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// How long ago that was.
    pub age_seconds: i64,
}

/// The copy of the vault that the store makes elsewhere, as the store tells it of the newest manifests. Packs are copied on
/// their own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replica {
    /// How it is.
    pub state: ReplicaState,
    /// The newest backup whose manifest is there.
    pub newest_backup: Option<RunId>,
    /// The backups whose manifests are not there, oldest first.
    pub missing: Vec<RunId>,
    /// How long ago the first of these ended.
    pub behind_seconds: i64,
}

/// How a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplicaState {
    /// It has all that was looked at.
    Complete,
    /// Something is on its way.
    Behind,
    /// The store gave something up.
    Failed,
}

/// The last run of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastRun {
    /// The job.
    pub job: Job,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// A restore that is not at its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unfinished {
    /// The restore.
    pub restore: RunId,
    /// How far it is.
    pub stage: Stage,
    /// Which rows the live tables hold.
    pub live: Live,
    /// When its record last changed.
    pub updated: Timestamp,
    /// What it is doing, or what a person is to do.
    pub advice: String,
}

/// Looks how a vault is. What can't be read is a problem, as far as the rest can be told without it.
///
/// # Errors
/// If the vault does not answer.
pub async fn of(vault: &dyn Vault, now: Timestamp) -> Result<Status, Error> {
    let mut problems = Vec::new();
    let ids = backups::own(vault).await?;
    let headers = newest_headers(vault, &ids, &mut problems).await?;
    let records = runs_since(vault, now, &mut problems).await?;
    let newest = headers.last();
    problems.extend(advice::of_backup(newest.map(|header| header.snapshot), now));
    problems.extend(advice::of_size(newest.and_then(|newest| {
        let sizes = headers.iter().map(|header| (header.snapshot, header.totals.raw_bytes));
        trend::deviation_percent(sizes, newest.snapshot, newest.totals.raw_bytes)
    })));
    let last: Vec<_> = advice::JOBS.iter().filter_map(|job| last_of(&records, *job)).collect();
    problems.extend(last.iter().filter_map(|record| advice::of_run(record)));
    let passed = records
        .iter()
        .rfind(|record| record.job == Job::RestoreTest && record.outcome == Outcome::Succeeded);
    let oldest = ids.first().and_then(RunId::started);
    problems.extend(advice::of_tests(passed.map(|record| record.ended), oldest, now));
    let replica = replica(vault, &headers, now, &mut problems).await?;
    let restores = unfinished(vault, now, &mut problems).await?;
    Ok(Status {
        now,
        newest_backup: newest.map(|header| NewestBackup {
            backup: header.backup.clone(),
            snapshot: header.snapshot,
            age_seconds: now.duration_since(header.snapshot).as_secs(),
        }),
        replica,
        last_runs: last.into_iter().map(LastRun::of).collect(),
        restores,
        problems,
    })
}

impl LastRun {
    fn of(record: &RunRecord) -> Self {
        Self {
            job: record.job,
            run: record.run.clone(),
            outcome: record.outcome,
            started: record.started,
            ended: record.ended,
        }
    }
}

fn last_of(oldest_first: &[RunRecord], job: Job) -> Option<&RunRecord> {
    oldest_first.iter().rfind(|record| record.job == job)
}

/// The headers of the newest backups that can be read, oldest first.
async fn newest_headers(
    vault: &dyn Vault,
    ids: &[RunId],
    problems: &mut Vec<String>,
) -> Result<Vec<Header>, Error> {
    let newest = ids[ids.len().saturating_sub(MOST_HEADERS)..].to_vec();
    let reads = newest.into_iter().map(async |id: RunId| {
        let header = backups::header(vault, &id).await?;
        Ok::<_, Error>(header.map_err(|_| id))
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    let mut headers = Vec::new();
    for header in read {
        match header {
            Ok(header) => headers.push(header),
            Err(id) => problems.push(format!("Backup {id} can't be read: verify tells more.")),
        }
    }
    Ok(headers)
}

/// How far the store is with its copy of these backups, oldest first.
async fn replica(
    vault: &dyn Vault,
    headers: &[Header],
    now: Timestamp,
    problems: &mut Vec<String>,
) -> Result<Option<Replica>, Error> {
    let ended = headers.iter().map(|header| (header.backup.clone(), header.ended));
    let looks =
        ended.collect::<Vec<_>>().into_iter().map(async |(backup, ended): (RunId, _)| match vault
            .copied(&ObjectName::manifest(&backup))
            .await
        {
            Err(VaultError::Missing { .. }) => Ok(None),
            told => Ok::<_, Error>(told?.map(|copied| (backup, ended, copied))),
        });
    let told: Vec<_> = stream::iter(looks).buffered(PARALLEL_READS).try_collect().await?;
    let told: Vec<(RunId, Timestamp, Copied)> = told.into_iter().flatten().collect();
    if told.is_empty() {
        return Ok(None);
    }
    let (there, missing): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(.., copied)| *copied == Copied::Done);
    let given_up = missing.iter().find(|(.., copied)| *copied == Copied::Failed);
    let behind = missing.first().map(|(_, ended, _)| now.duration_since(*ended));
    let state = match (given_up, behind) {
        (Some(_), _) => ReplicaState::Failed,
        (None, Some(_)) => ReplicaState::Behind,
        (None, None) => ReplicaState::Complete,
    };
    let behind = behind.unwrap_or_default();
    problems.extend(advice::of_replica(given_up.map(|(backup, ..)| backup), behind));
    Ok(Some(Replica {
        state,
        newest_backup: there.into_iter().next_back().map(|(backup, ..)| backup),
        missing: missing.into_iter().map(|(backup, ..)| backup).collect(),
        behind_seconds: behind.as_secs(),
    }))
}

/// The records of the last weeks that can be read, oldest first.
async fn runs_since(
    vault: &dyn Vault,
    now: Timestamp,
    problems: &mut Vec<String>,
) -> Result<Vec<RunRecord>, Error> {
    let ids = runs::ids(vault).await?.into_iter();
    let recent = ids
        .filter(|id| id.started().is_some_and(|started| now.duration_since(started) <= LOOKED_AT));
    let reads = recent.map(async |id: RunId| match runs::find(vault, &id).await {
        Ok(record) => Ok(Ok(record)),
        Err(Error::Damaged { .. }) => Ok(Err(id)),
        Err(error) => Err(error),
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    let mut records = Vec::new();
    for record in read {
        match record {
            Ok(record) => records.push(record),
            Err(id) => problems.push(format!("The record of run {id} is damaged.")),
        }
    }
    Ok(records)
}

/// The restores that are not at their end, oldest first.
async fn unfinished(
    vault: &dyn Vault,
    now: Timestamp,
    problems: &mut Vec<String>,
) -> Result<Vec<Unfinished>, Error> {
    let ids = restores::ids(vault).await?.into_iter();
    let reads = ids.map(async |id: RunId| match restores::find(vault, &id).await {
        Ok(record) => Ok(Ok(record)),
        Err(Error::Damaged { .. }) => Ok(Err(id)),
        Err(error) => Err(error),
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    let mut unfinished = Vec::new();
    for record in read {
        match record {
            Ok(record) => unfinished.extend(advised(record, now)),
            Err(id) => problems.push(format!("The record of restore {id} is damaged.")),
        }
    }
    Ok(unfinished)
}

fn advised(record: RestoreRecord, now: Timestamp) -> Option<Unfinished> {
    let advice = advice::of_restore(&record, now)?;
    let RestoreRecord { restore, stage, live, updated, .. } = record;
    Some(Unfinished { restore, stage, live, updated, advice })
}
