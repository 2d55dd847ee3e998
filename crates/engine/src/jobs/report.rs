//! The report of a month: what ran, what came of it, what there is, and whether it is what was promised.
//!
//! All of it comes from records and the headers of backups: no key is needed, no row is read, and whoever has the
//! records can reckon every number again. It is kept in the vault as data with a digest, and as a page that names the
//! digest. How the page looks is the caller's business: the engine has no words for people.

mod facts;
mod gather;
mod kept;
mod lines;
mod tell;

use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use self::facts::facts;
pub use self::{
    gather::Records,
    kept::{Kept, Label, kept, kept_of},
    lines::{
        AuditLine, BackupLine, CleanupLine, DroppedBy, ErasureLine, FailureLine, KeyLine,
        PhaseLine, PinLine, ReplicaLine, RestoreLine, State, Tally, TestLine, VerificationLine,
    },
};
use super::{Error, World, backups, record, record::Run, runs};
use crate::{
    model::{ObjectName, RunId, SourceIdentity},
    policy::{
        conformity::{self, Line, Summary},
        month::Month,
    },
    ports::Vault,
    records::{report::ReportRecord, run::Job},
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
    /// When this was told; later than `until`, unless the month is not over.
    pub told: Timestamp,
    /// When the vault began.
    pub began: Timestamp,
    /// Whether it is what was promised, one line a rule.
    pub conformity: Vec<Line>,
    /// How runs ended, by job.
    pub runs: Vec<Tally>,
    /// Backups that were made in the month, those that were dropped since as well, oldest first.
    pub backups: Vec<BackupLine>,
    /// Restore tests, oldest first.
    pub restore_tests: Vec<TestLine>,
    /// Verifications, oldest first.
    pub verifications: Vec<VerificationLine>,
    /// Runs that did not end well, oldest first.
    pub failures: Vec<FailureLine>,
    /// Restores that were asked for, oldest first.
    pub restores: Vec<RestoreLine>,
    /// Calls that changed something, or would have, oldest first.
    pub audit: Vec<AuditLine>,
    /// Cleanups, oldest first.
    pub cleanups: Vec<CleanupLine>,
    /// Tenants that were erased from all backups, oldest first.
    pub erasures: Vec<ErasureLine>,
    /// Backups of all months that somebody asked to keep.
    pub pins: Vec<PinLine>,
    /// The data keys in the vault.
    pub keys: Vec<KeyLine>,
    /// The rules of retention that the newest cleanup went by.
    pub retention: Option<String>,
    /// Backups in the vault at the time of the report, of all months.
    pub backups_kept: u64,
    /// Headers and records that can't be read: `verify` tells more.
    pub unreadable: Vec<String>,
    /// The moment that the newest backup shows, at the time of the report.
    pub newest: Option<Timestamp>,
}

impl Report {
    /// The month, as these records tell it.
    pub fn of(records: &Records, month: Month, zone: &TimeZone, now: Timestamp) -> Self {
        let (from, until) = month.span(zone);
        let is_of_month = |at: Timestamp| (from..until).contains(&at);
        let of_month =
            || records.runs.iter().filter(|run| run.run.started().is_some_and(is_of_month));
        let all_backups = tell::backups(records);
        let facts = facts(records, &all_backups, month, zone, now);
        let cleanups: Vec<_> = of_month().filter_map(tell::cleanup).collect();
        let rules = cleanups.iter().rev().find(|cleanup| !cleanup.rules.is_empty());
        Self {
            month,
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            source: records.identity.source.clone(),
            from,
            until,
            told: now,
            began: records.identity.created,
            conformity: conformity::judge(&facts),
            runs: tell::tally(of_month()),
            restore_tests: of_month().filter_map(tell::test).collect(),
            verifications: of_month().filter_map(tell::verification).collect(),
            failures: of_month().filter_map(tell::failure).collect(),
            restores: records.restores.iter().map(tell::restore).collect(),
            audit: records.audit.iter().map(tell::call).collect(),
            erasures: of_month().filter_map(tell::erasure).collect(),
            retention: rules.map(|cleanup| cleanup.rules.clone()),
            cleanups,
            pins: tell::pins(records),
            keys: tell::keys(&records.keys, from, until),
            backups_kept: records.headers.len() as u64,
            unreadable: records.unreadable.clone(),
            newest: records.headers.last().map(|header| header.snapshot),
            backups: all_backups.into_iter().filter(|line| is_of_month(line.snapshot)).collect(),
        }
    }
}

/// What a page names, so that anybody can see which data it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The object that holds the data.
    pub object: String,
    /// The SHA-256 that the object carries of them.
    pub sha256: String,
}

/// Writes a report as a page for people.
pub type Page<'a> = &'a (dyn Fn(&Report, &Proof) -> String + Send + Sync);

/// A report in few words, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The run.
    pub run: RunId,
    /// The month.
    pub month: Month,
    /// The object that holds the data.
    pub report: String,
    /// The SHA-256 that it carries, which the page names.
    pub sha256: String,
    /// The object that is the page.
    pub page: String,
    /// The page's own SHA-256, so that nobody is shown another one.
    #[serde(default)]
    pub page_sha256: String,
    /// How many rules were kept, and which were not.
    pub conformity: Summary,
    /// How runs ended, by job.
    pub runs: Vec<Tally>,
    /// Backups that were made in the month.
    pub backups: u64,
    /// Runs that did not end well.
    pub failures: u64,
    /// Backups in the vault.
    pub backups_kept: u64,
    /// An earlier run told the month for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// Tells a month, the one before this if none is named, and keeps it in the vault.
///
/// # Errors
/// If the vault can't be read or written.
pub async fn run(
    world: &World,
    month: Option<Month>,
    zone: &TimeZone,
    scheduled: Option<Timestamp>,
    page: Page<'_>,
) -> Result<Told, Error> {
    let identity = backups::existing_identity(&*world.vault).await?;
    if let Some(told) = runs::done::<Told>(world, Job::Report, scheduled).await? {
        return Ok(Told { already_done: true, ..told });
    }
    let run = Run::start(world, scheduled);
    let month = month.unwrap_or_else(|| Month::before(scheduled.unwrap_or(run.started), zone));
    let result = tell_and_keep(world, month, zone, page, &run).await;
    record::ended(world, &run, Job::Report, &identity.source, &result).await?;
    result
}

async fn tell_and_keep(
    world: &World,
    month: Month,
    zone: &TimeZone,
    page: Page<'_>,
    run: &Run,
) -> Result<Told, Error> {
    let report = look(&*world.vault, month, zone, run.started).await?;
    let (proof, page_sha256) = keep(world, &report, page, run).await?;
    Ok(Told {
        run: run.id.clone(),
        month,
        report: proof.object,
        sha256: proof.sha256,
        page: ObjectName::report_page(&month.to_string(), &run.id).to_string(),
        page_sha256,
        conformity: Summary::of(&report.conformity),
        backups: report.backups.len() as u64,
        failures: report.failures.len() as u64,
        backups_kept: report.backups_kept,
        runs: report.runs,
        already_done: false,
    })
}

/// The data first: a page without them proves nothing. Gives what the page names, and the page's own SHA-256.
async fn keep(
    world: &World,
    report: &Report,
    page: Page<'_>,
    run: &Run,
) -> Result<(Proof, String), Error> {
    let month = report.month.to_string();
    let name = ObjectName::report(&month, &run.id);
    let unwritable = |source| Error::Unwritable { what: name.to_string(), source };
    let told = serde_json::to_value(report).map_err(|error| unwritable(error.into()))?;
    let record = ReportRecord::new(run.id.clone(), report.told, told);
    let (content, sha256) = record.write().map_err(unwritable)?;
    world.vault.put(&name, content).await?;
    let proof = Proof { object: name.to_string(), sha256 };
    let page = Bytes::from(page(report, &proof));
    let page_sha256 = kept::digest_of(&page);
    world.vault.put(&ObjectName::report_page(&month, &run.id), page).await?;
    Ok((proof, page_sha256))
}

/// Tells a month as it is known now, and keeps nothing.
///
/// # Errors
/// If the vault can't be read.
pub async fn look(
    vault: &dyn Vault,
    month: Month,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Report, Error> {
    let (from, until) = month.span(zone);
    let records = Records::read(vault, from, until).await?;
    Ok(Report::of(&records, month, zone, now))
}
