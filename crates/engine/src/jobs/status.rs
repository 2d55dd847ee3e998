//! How a vault is: what ran last, how old the newest backup is, which restores are not at their end, what is wrong.
//!
//! No key is needed, and nothing is proved: `verify` does that.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Error, backups, restores, runs};
use crate::{
    model::RunId,
    policy::{advice, trend},
    ports::Vault,
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
    /// The newest backup whose header can be read.
    pub newest_backup: Option<NewestBackup>,
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
    let ids = backups::ids(vault).await?;
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
    let restores = unfinished(vault, now, &mut problems).await?;
    Ok(Status {
        now,
        newest_backup: newest.map(|header| NewestBackup {
            backup: header.backup.clone(),
            snapshot: header.snapshot,
            age_seconds: now.duration_since(header.snapshot).as_secs(),
        }),
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
