//! The report, made of records: nothing but arithmetic.
//!
//! What runs left as their summaries is read leniently: older ones lack members, later ones have more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Records,
    lines::{
        AuditLine, BackupLine, CleanupLine, DroppedBy, ErasureLine, FailureLine, KeyLine,
        PhaseLine, PinLine, ReplicaLine, RestoreLine, State, Tally, TestLine, VerificationLine,
    },
};
use crate::{
    model::{RunId, Scope},
    policy::shares::Share,
    records::{
        audit::AuditRecord,
        key::KeyRecord,
        manifest::Header,
        restore::{Destination, RestoreRecord},
        run::{Job, Outcome, RunRecord},
    },
};

pub(super) fn tally<'a>(runs: impl Iterator<Item = &'a RunRecord>) -> Vec<Tally> {
    let mut tallies = BTreeMap::new();
    for record in runs {
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

/// Backups that were made, by their headers and, of those whose manifests are gone, by the records of their runs.
pub(super) fn backups(records: &Records) -> Vec<BackupLine> {
    let kept = records.headers.iter().map(|header| (header.backup.clone(), of_header(header)));
    let mut lines: BTreeMap<RunId, BackupLine> = kept.collect();
    let made = records.runs.iter();
    let made = made.filter(|run| run.job == Job::Backup && run.outcome == Outcome::Succeeded);
    for run in made {
        lines.entry(run.run.clone()).or_insert_with(|| of_run(run, records));
    }
    lines.into_values().collect()
}

fn of_header(header: &Header) -> BackupLine {
    BackupLine {
        backup: header.backup.clone(),
        snapshot: header.snapshot,
        seconds: seconds(header.started, header.ended),
        tables: header.totals.tables,
        rows: header.totals.rows,
        raw_bytes: header.totals.raw_bytes,
        stored_bytes: header.totals.stored_bytes,
        new_bytes: header.totals.new_bytes,
        state: State::Kept,
        dropped: None,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BackupSummary {
    snapshot: Option<Timestamp>,
    totals: MadeTotals,
}

/// What a header's totals are, but that later versions may have more of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MadeTotals {
    tables: u64,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    new_bytes: u64,
}

fn of_run(run: &RunRecord, records: &Records) -> BackupLine {
    let BackupSummary { snapshot, totals } = summary(run);
    let dropped = dropped(&run.run, records);
    let state = match &dropped {
        Some(_) => State::Dropped,
        None if records.damaged_backups.contains(&run.run) => State::Unreadable,
        None => State::Lost,
    };
    BackupLine {
        backup: run.run.clone(),
        snapshot: snapshot.unwrap_or(run.started),
        seconds: seconds(run.started, run.ended),
        tables: totals.tables,
        rows: totals.rows,
        raw_bytes: totals.raw_bytes,
        stored_bytes: totals.stored_bytes,
        new_bytes: totals.new_bytes,
        state,
        dropped,
    }
}

fn dropped(backup: &RunId, records: &Records) -> Option<DroppedBy> {
    records.cleanups.iter().find_map(|cleanup| {
        let dropped = cleanup.dropped.iter().find(|dropped| dropped.backup == *backup)?;
        Some(DroppedBy {
            run: cleanup.run.clone(),
            at: cleanup.at,
            rules: cleanup.rules.clone(),
            why: dropped.why.clone(),
        })
    })
}

/// Of a test that failed: `backup` and `turn` alone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TestSummary {
    backup: Option<RunId>,
    turn: Option<TestedTurn>,
    restore: TestedRestore,
    foreign_keys: u64,
    objects: u64,
    views: u64,
    phases: Vec<PhaseLine>,
    seconds: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TestedTurn {
    pick: Option<String>,
    place: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TestedRestore {
    backup: Option<RunId>,
    tables: Vec<serde::de::IgnoredAny>,
    rows: u64,
    phases: Vec<PhaseLine>,
}

pub(super) fn test(run: &RunRecord) -> Option<TestLine> {
    if run.job != Job::RestoreTest {
        return None;
    }
    let told: TestSummary = summary(run);
    let TestedTurn { pick, place } = told.turn.unwrap_or_default();
    let restore = told.restore;
    Some(TestLine {
        run: run.run.clone(),
        started: run.started,
        passed: run.outcome == Outcome::Succeeded,
        seconds: told.seconds.unwrap_or_else(|| seconds(run.started, run.ended)),
        backup: restore.backup.or(told.backup),
        tables: restore.tables.len() as u64,
        rows: restore.rows,
        foreign_keys: told.foreign_keys,
        objects: told.objects,
        views: told.views,
        pick,
        place,
        // Older tests told the restore's alone.
        phases: if told.phases.is_empty() { restore.phases } else { told.phases },
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VerifySummary {
    backups: Vec<serde::de::IgnoredAny>,
    objects: u64,
    raw_bytes_read: u64,
    read_data: bool,
    share: Option<Share>,
    problems: Vec<serde::de::IgnoredAny>,
    repaired: Vec<serde::de::IgnoredAny>,
    replica: Option<ReplicaSummary>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReplicaSummary {
    objects: u64,
    missing: u64,
    damaged: u64,
    waiting: u64,
    newest_backup: Option<RunId>,
    behind_seconds: Option<u64>,
    problems: Vec<serde::de::IgnoredAny>,
}

pub(super) fn verification(run: &RunRecord) -> Option<VerificationLine> {
    if run.job != Job::Verify {
        return None;
    }
    let told: VerifySummary = summary(run);
    Some(VerificationLine {
        run: run.run.clone(),
        started: run.started,
        seconds: seconds(run.started, run.ended),
        completed: run.outcome == Outcome::Succeeded,
        backups: told.backups.len() as u64,
        objects: told.objects,
        raw_bytes_read: told.raw_bytes_read,
        read_data: told.read_data,
        share: told.share,
        problems: told.problems.len() as u64,
        repaired: told.repaired.len() as u64,
        replica: told.replica.map(replica),
    })
}

fn replica(told: ReplicaSummary) -> ReplicaLine {
    ReplicaLine {
        objects: told.objects,
        missing: told.missing,
        damaged: told.damaged,
        waiting: told.waiting,
        newest_backup: told.newest_backup,
        behind_seconds: told.behind_seconds,
        problems: told.problems.len() as u64,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CleanupSummary {
    rules: String,
    kept: Vec<serde::de::IgnoredAny>,
    dropped: Vec<serde::de::IgnoredAny>,
    removed: Sum,
    still_locked: Sum,
    locks_extended: u64,
    problems: Vec<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sum {
    objects: u64,
    bytes: u64,
}

pub(super) fn cleanup(run: &RunRecord) -> Option<CleanupLine> {
    if run.job != Job::Cleanup {
        return None;
    }
    let told: CleanupSummary = summary(run);
    Some(CleanupLine {
        run: run.run.clone(),
        started: run.started,
        completed: run.outcome == Outcome::Succeeded,
        rules: told.rules,
        kept: told.kept.len() as u64,
        dropped: told.dropped.len() as u64,
        removed_bytes: told.removed.bytes,
        still_locked: told.still_locked.objects,
        locks_extended: told.locks_extended,
        problems: told.problems.len() as u64,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErasureSummary {
    tenant: Option<Scope>,
    keys: Vec<serde::de::IgnoredAny>,
    backups: Vec<serde::de::IgnoredAny>,
    locked: Vec<Until>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Until {
    until: Option<Timestamp>,
}

pub(super) fn erasure(run: &RunRecord) -> Option<ErasureLine> {
    if run.job != Job::Erase {
        return None;
    }
    let told: ErasureSummary = summary(run);
    let ends: Option<Vec<Timestamp>> = told.locked.iter().map(|locked| locked.until).collect();
    Some(ErasureLine {
        run: run.run.clone(),
        started: run.started,
        completed: run.outcome == Outcome::Succeeded,
        tenant: told.tenant,
        keys: told.keys.len() as u64,
        backups: told.backups.len() as u64,
        still_locked: told.locked.len() as u64,
        locked_until: ends.and_then(|ends| ends.into_iter().max()),
    })
}

pub(super) fn failure(run: &RunRecord) -> Option<FailureLine> {
    (run.outcome != Outcome::Succeeded).then(|| FailureLine {
        run: run.run.clone(),
        job: run.job,
        started: run.started,
        outcome: run.outcome,
        error: run.error.clone(),
    })
}

pub(super) fn restore(record: &RestoreRecord) -> RestoreLine {
    let wish = &record.wish;
    let database = match &wish.destination {
        Destination::InPlace { .. } => None,
        Destination::Database { database, .. } => Some(database.clone()),
    };
    RestoreLine {
        restore: record.restore.clone(),
        requested: record.requested,
        asked_by: record.asked_by.clone(),
        backup: record.backup.as_ref().map_or_else(|| wish.backup.clone(), ToString::to_string),
        in_place: database.is_none(),
        database,
        tables: wish.tables.clone(),
        tenant: wish.tenant.clone(),
        dry_run: wish.dry_run,
        stage: record.stage,
        live: record.live,
        undo_until: record.undo_until,
    }
}

pub(super) fn call(record: &AuditRecord) -> AuditLine {
    let caller = &record.caller;
    AuditLine {
        entry: record.entry.clone(),
        at: record.at,
        who: caller.name.clone().unwrap_or_else(|| caller.subject.clone()),
        address: caller.address.clone(),
        agent: caller.agent.clone(),
        action: record.action.clone(),
        verdict: record.verdict,
        status: record.status,
        reason: record.reason.clone(),
        about: record.about.clone(),
    }
}

pub(super) fn pins(records: &Records) -> Vec<PinLine> {
    let pinned = records.pins.iter().filter(|pin| pin.pinned);
    let line = |pin: &crate::records::pin::PinRecord| PinLine {
        backup: pin.backup.clone(),
        since: pin.since,
        reason: pin.reason.clone(),
    };
    pinned.map(line).collect()
}

pub(super) fn keys(records: &[KeyRecord], from: Timestamp, until: Timestamp) -> Vec<KeyLine> {
    let mut by_purpose: BTreeMap<_, Vec<&KeyRecord>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.erased.is_none()) {
        by_purpose.entry(record.key.purpose()).or_default().push(record);
    }
    let line = |(purpose, keys): (crate::model::KeyPurpose, Vec<&KeyRecord>)| {
        let made = || keys.iter().filter_map(|record| record.key.created());
        let scopes: BTreeSet<_> = keys.iter().map(|record| record.key.scope()).collect();
        let wrapped = keys.iter().flat_map(|record| &record.wrapped);
        let by: BTreeSet<_> =
            wrapped.map(|wrapped| format!("{}:{}", wrapped.by, wrapped.wrapping_key)).collect();
        KeyLine {
            purpose: purpose.as_str().to_owned(),
            keys: keys.len() as u64,
            scopes: scopes.len() as u64,
            made: made().filter(|at| (from..until).contains(at)).count() as u64,
            oldest: made().min(),
            newest: made().max(),
            wrapped_by: by.into_iter().collect(),
        }
    };
    by_purpose.into_iter().map(line).collect()
}

fn summary<T: Default + for<'de> Deserialize<'de>>(run: &RunRecord) -> T {
    run.summary.as_ref().and_then(|told| T::deserialize(told).ok()).unwrap_or_default()
}

fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64()
}
