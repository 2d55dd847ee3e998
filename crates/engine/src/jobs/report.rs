//! The report of a month: what ran, what came of it, and what there is.
//!
//! All of it comes from the records of runs and the headers of backups: no key is needed, no row is read.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Error, World, backups, record, record::Run, runs};
use crate::{
    model::{RunId, SourceIdentity},
    policy::month::Month,
    ports::Vault,
    records::{
        manifest::Header,
        run::{Job, Outcome, RunRecord},
    },
};

/// A month, told by what the vault knows of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The month.
    pub month: Month,
    /// The calendar it is reckoned by.
    pub time_zone: String,
    /// The source.
    pub source: SourceIdentity,
    /// When it begins.
    pub from: Timestamp,
    /// When the next month begins.
    pub until: Timestamp,
    /// How runs ended, by job.
    pub runs: Vec<Tally>,
    /// Backups of the month that are in the vault, oldest first.
    pub backups: Vec<BackupLine>,
    /// Restore tests, oldest first.
    pub restore_tests: Vec<TestLine>,
    /// Runs that did not end well, oldest first.
    pub failures: Vec<FailureLine>,
    /// Backups in the vault at the time of the report, of all months.
    pub backups_kept: u64,
    /// Headers that can't be read: `verify` tells more.
    pub unreadable: Vec<String>,
    /// The moment that the newest backup shows, at the time of the report.
    pub newest: Option<Timestamp>,
}

/// How the runs of one job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The job.
    pub job: Job,
    /// Runs that did what they should.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were cut off.
    pub died: u64,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupLine {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rows.
    pub rows: u64,
    /// Bytes of the canonical rows.
    pub raw_bytes: u64,
    /// Bytes of the sealed chunks that make it up.
    pub stored_bytes: u64,
    /// Bytes of these that were not there before.
    pub new_bytes: u64,
}

/// One restore test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestLine {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Whether the backup came back equal.
    pub passed: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// One run that did not end well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureLine {
    /// The run.
    pub run: RunId,
    /// The job.
    pub job: Job,
    /// When it started.
    pub started: Timestamp,
    /// The error and its causes.
    pub error: Vec<String>,
}

/// Tells a month, the one before this if none is named, and records that it was told.
///
/// # Errors
/// If the vault can't be read, or a record of the month is damaged.
pub async fn run(
    world: &World,
    month: Option<Month>,
    zone: &TimeZone,
    scheduled: Option<Timestamp>,
) -> Result<Report, Error> {
    let identity = backups::existing_identity(&*world.vault).await?;
    let run = Run::start(world, scheduled);
    let month = month.unwrap_or_else(|| Month::before(scheduled.unwrap_or(run.started), zone));
    let result = tell(&*world.vault, month, zone, identity.source.clone()).await;
    record::ended(world, &run, Job::Report, &identity.source, &result).await?;
    result
}

/// Tells a month without a record that it was told.
///
/// # Errors
/// If the vault can't be read, or a record of the month is damaged.
pub async fn look(vault: &dyn Vault, month: Month, zone: &TimeZone) -> Result<Report, Error> {
    let identity = backups::existing_identity(vault).await?;
    tell(vault, month, zone, identity.source).await
}

async fn tell(
    vault: &dyn Vault,
    month: Month,
    zone: &TimeZone,
    source: SourceIdentity,
) -> Result<Report, Error> {
    let (from, until) = month.span(zone);
    let records = runs::between(vault, from, until).await?;
    let (mut headers, mut unreadable) = (Vec::new(), Vec::new());
    for listed in backups::list(vault).await? {
        match listed.header {
            Ok(header) => headers.push(header),
            Err(error) => unreadable.push(format!("{}: {error}", listed.name)),
        }
    }
    let of_month = headers.iter().filter(|header| (from..until).contains(&header.started));
    Ok(Report {
        month,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        source,
        from,
        until,
        runs: tally(&records),
        backups: of_month.map(backup_line).collect(),
        restore_tests: records.iter().filter_map(test_line).collect(),
        failures: records.iter().filter_map(failure_line).collect(),
        backups_kept: headers.len() as u64,
        unreadable,
        newest: headers.last().map(|header| header.snapshot),
    })
}

fn tally(records: &[RunRecord]) -> Vec<Tally> {
    let mut tallies = BTreeMap::new();
    for record in records {
        let none = Tally { job: record.job, succeeded: 0, failed: 0, died: 0 };
        let tally = tallies.entry(record.job).or_insert(none);
        match record.outcome {
            Outcome::Succeeded => tally.succeeded += 1,
            Outcome::Died => tally.died += 1,
            Outcome::Failed | Outcome::Other => tally.failed += 1,
        }
    }
    tallies.into_values().collect()
}

fn backup_line(header: &Header) -> BackupLine {
    BackupLine {
        backup: header.backup.clone(),
        snapshot: header.snapshot,
        seconds: header.ended.duration_since(header.started).as_secs_f64(),
        rows: header.totals.rows,
        raw_bytes: header.totals.raw_bytes,
        stored_bytes: header.totals.stored_bytes,
        new_bytes: header.totals.new_bytes,
    }
}

fn test_line(record: &RunRecord) -> Option<TestLine> {
    (record.job == Job::RestoreTest).then(|| TestLine {
        run: record.run.clone(),
        started: record.started,
        passed: record.outcome == Outcome::Succeeded,
        seconds: record.ended.duration_since(record.started).as_secs_f64(),
    })
}

fn failure_line(record: &RunRecord) -> Option<FailureLine> {
    (record.outcome != Outcome::Succeeded).then(|| FailureLine {
        run: record.run.clone(),
        job: record.job,
        started: record.started,
        error: record.error.clone(),
    })
}
