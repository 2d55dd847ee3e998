//! What conformity is judged by, taken from records.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Records,
    lines::{BackupLine, State, VerificationLine},
    tell,
};
use crate::{
    policy::{
        conformity::{BackupFact, Facts, RunFact, TestFact, VerificationFact},
        month::Month,
        shares::Share,
    },
    records::run::{Outcome, RunRecord},
};

pub(super) fn facts(
    records: &Records,
    backups: &[BackupLine],
    month: Month,
    zone: &TimeZone,
    now: Timestamp,
) -> Facts {
    let (from, until) = month.span(zone);
    // Data keys last for a month of Greenwich, wherever the clinic is.
    let (keys_from, keys_until) = month.span(&TimeZone::UTC);
    let keys = records.keys.iter().map(|record| &record.key).filter(|key| {
        key.created().is_some_and(|created| (keys_from..keys_until).contains(&created))
    });
    let checks = records.runs.iter().filter_map(tell::verification);
    let tests = records.runs.iter().filter_map(tell::test).filter(|test| test.passed);
    Facts {
        from,
        until,
        now,
        began: records.identity.created,
        zone: zone.clone(),
        backups: backups.iter().map(backup).collect(),
        runs: records.runs.iter().map(run).collect(),
        tests: tests
            .map(|test| TestFact { run: test.run, started: test.started, seconds: test.seconds })
            .collect(),
        verifications: checks.filter(|check| check.completed).map(verification).collect(),
        keys_made: keys.cloned().collect(),
    }
}

fn backup(line: &BackupLine) -> BackupFact {
    BackupFact {
        backup: line.backup.clone(),
        snapshot: line.snapshot,
        seconds: line.seconds,
        raw_bytes: line.raw_bytes,
        lost: matches!(line.state, State::Lost | State::Unreadable),
        kept: line.state == State::Kept,
    }
}

fn run(record: &RunRecord) -> RunFact {
    RunFact {
        run: record.run.clone(),
        job: record.job,
        started: record.started,
        succeeded: record.outcome == Outcome::Succeeded,
    }
}

fn verification(line: VerificationLine) -> VerificationFact {
    let shares = match (line.read_data, line.share) {
        (false, _) => Vec::new(),
        (true, Some(share)) => vec![share],
        (true, None) => Share::all().collect(),
    };
    let in_replica = line.replica.as_ref().map_or(0, |replica| replica.problems);
    VerificationFact {
        run: line.run,
        started: line.started,
        shares: shares.into_iter().collect(),
        problems: line.problems + in_replica,
        replica_lacks: line.replica.as_ref().map(|replica| replica.missing + replica.damaged),
        replica_behind: line.replica.and_then(|replica| replica.behind_seconds),
    }
}
