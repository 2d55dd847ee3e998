//! The rules, one function each.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    Amount, BACKUP_TIME, BackupFact, Facts, Line, MADE_UP, RECOVERY_POINT, RECOVERY_TIME, Rule,
    RunFact, Verdict, VerificationFact,
    calendar::{Calendar, monday},
};
use crate::{
    model::KeyPurpose,
    policy::{advice::ODD_PERCENT, shares::Share, trend},
    records::run::Job,
};

/// Shorter than that, a month can't be asked to have read all.
const A_MONTH_OF_DAYS: usize = 28;

pub(super) struct Month<'a> {
    pub(super) facts: &'a Facts,
    pub(super) calendar: Calendar,
}

impl Month<'_> {
    pub(super) fn daily_backup(&self) -> Line {
        let good = self.facts.backups.iter().filter(|backup| !backup.lost);
        let there = good.map(|backup| self.calendar.day(backup.snapshot)).collect();
        let days = self.calendar.days();
        every(Rule::DailyBackup, Calendar::without(days, &there), Amount::Days)
    }

    pub(super) fn daily_cleanup(&self) -> Line {
        let there = self.days_of(Job::Cleanup);
        let days = self.calendar.days_after_the_first();
        every(Rule::DailyCleanup, Calendar::without(days, &there), Amount::Days)
    }

    pub(super) fn weekly_restore_test(&self) -> Line {
        let tests = self.facts.tests.iter().map(|test| test.started);
        self.weekly(Rule::WeeklyRestoreTest, tests)
    }

    pub(super) fn weekly_verification(&self) -> Line {
        let verifications = self.facts.verifications.iter().map(|check| check.started);
        self.weekly(Rule::WeeklyVerification, verifications)
    }

    fn weekly(&self, rule: Rule, moments: impl Iterator<Item = Timestamp>) -> Line {
        let there = moments.map(|at| monday(self.calendar.day(at))).collect();
        every(rule, Calendar::without(self.calendar.weeks(), &there), Amount::Weeks)
    }

    pub(super) fn newest_backup(&self) -> Line {
        let end = self.facts.until.min(self.facts.now);
        let limit = Amount::Seconds(RECOVERY_POINT.as_secs_f64());
        let good = self.facts.backups.iter().filter(|backup| !backup.lost && backup.snapshot < end);
        let newest = good.max_by_key(|backup| backup.snapshot);
        let Some(newest) = newest else {
            // A vault without any backup conforms to nothing; one that did not exist yet is not judged.
            let verdict = self.if_there(Verdict::NotMet);
            return Line { verdict, ..nothing(Rule::NewestBackup, limit) };
        };
        let age = end.duration_since(newest.snapshot);
        Line {
            verdict: self.if_there(met(age <= RECOVERY_POINT)),
            measured: Some(Amount::Seconds(age.as_secs_f64())),
            evidence: vec![newest.backup.to_string()],
            ..nothing(Rule::NewestBackup, limit)
        }
    }

    pub(super) fn backup_time(&self) -> Line {
        let backups = self.backups().map(|backup| (backup.backup.to_string(), backup.seconds));
        longest(Rule::BackupTime, BACKUP_TIME, backups)
    }

    pub(super) fn recovery_time(&self) -> Line {
        let tests = self.facts.tests.iter().filter(|test| self.is_of_month(test.started));
        let tests = tests.map(|test| (test.run.to_string(), test.seconds));
        longest(Rule::RecoveryTime, RECOVERY_TIME, tests)
    }

    pub(super) fn steady_size(&self) -> Line {
        let limit = Amount::Percent(ODD_PERCENT);
        let sizes = || self.facts.backups.iter().map(|backup| (backup.snapshot, backup.raw_bytes));
        let deviation = |backup: &BackupFact| {
            let percent = trend::deviation_percent(sizes(), backup.snapshot, backup.raw_bytes)?;
            Some((backup.backup.to_string(), percent))
        };
        let deviations: Vec<_> = self.backups().filter_map(deviation).collect();
        let line = nothing(Rule::SteadySize, limit);
        let Some((worst, percent)) = worst(&deviations) else { return line };
        let odd = deviations.iter().filter(|(_, percent)| *percent > ODD_PERCENT);
        let odd: Vec<_> = odd.map(|(backup, _)| backup.clone()).collect();
        let verdict = met(odd.is_empty());
        let evidence = if odd.is_empty() { vec![worst] } else { odd };
        Line { verdict, measured: Some(Amount::Percent(percent)), evidence, ..line }
    }

    pub(super) fn nothing_lost(&self) -> Line {
        let line = nothing(Rule::NothingLost, Amount::Count(0));
        if self.backups().next().is_none() {
            return line;
        }
        let lost = self.backups().filter(|backup| backup.lost);
        none_of(line, lost.map(|backup| backup.backup.to_string()).collect())
    }

    pub(super) fn all_data_read(&self) -> Line {
        let all: BTreeSet<_> = Share::all().collect();
        let read: BTreeSet<_> =
            self.verifications().flat_map(|check| check.shares.clone()).collect();
        let done = all.intersection(&read).count();
        let is_whole = self.calendar.days().count() >= A_MONTH_OF_DAYS;
        let verdict = match (done == all.len(), is_whole) {
            (true, _) => Verdict::Met,
            (false, true) => Verdict::NotMet,
            (false, false) => Verdict::NotApplicable,
        };
        let with_data = self.verifications().filter(|check| !check.shares.is_empty());
        Line {
            verdict,
            measured: Some(Amount::Count(done as u64)),
            evidence: with_data.map(|check| check.run.to_string()).collect(),
            ..nothing(Rule::AllDataRead, Amount::Count(all.len() as u64))
        }
    }

    pub(super) fn no_damage(&self) -> Line {
        let line = nothing(Rule::NoDamage, Amount::Count(0));
        self.counted(line, |check| Some(check.problems))
    }

    pub(super) fn replica_complete(&self) -> Line {
        let line = nothing(Rule::ReplicaComplete, Amount::Count(0));
        self.counted(line, |check| check.replica_lacks)
    }

    /// What verifications counted that should not be there: the most of them, and where it was more than none.
    fn counted(&self, line: Line, count: impl Fn(&VerificationFact) -> Option<u64>) -> Line {
        let counts = || self.verifications().filter_map(|check| Some((check, count(check)?)));
        let Some(most) = counts().map(|(_, count)| count).max() else { return line };
        let bad = counts().filter(|(_, count)| *count > 0).map(|(check, _)| check.run.to_string());
        let measured = Some(Amount::Count(most));
        Line { verdict: met(most == 0), measured, evidence: bad.collect(), ..line }
    }

    pub(super) fn replica_lag(&self) -> Line {
        let lags = self.verifications().filter_map(|check| {
            Some((
                check.run.to_string(),
                SignedDuration::from_secs(seconds(check.replica_behind?)).as_secs_f64(),
            ))
        });
        longest(Rule::ReplicaLag, RECOVERY_POINT, lags)
    }

    /// Restores are not jobs of a schedule: whoever asked sees what became of it.
    pub(super) fn failures_made_up(&self) -> Line {
        let failed = self.facts.runs.iter().filter(|run| {
            !run.succeeded && run.job != Job::Restore && self.is_of_month(run.started)
        });
        let judged = failed.filter(|run| {
            self.made_up(run) || self.facts.now.duration_since(run.started) > MADE_UP
        });
        let not: Vec<_> =
            judged.filter(|run| !self.made_up(run)).map(|run| run.run.to_string()).collect();
        let line = nothing(Rule::FailuresMadeUp, Amount::Count(0));
        let ran = self.facts.runs.iter().any(|run| self.is_of_month(run.started));
        if ran { none_of(line, not) } else { line }
    }

    fn made_up(&self, failed: &RunFact) -> bool {
        self.facts.runs.iter().any(|run| {
            let later = run.started.duration_since(failed.started);
            run.job == failed.job
                && run.succeeded
                && later >= SignedDuration::ZERO
                && later <= MADE_UP
        })
    }

    pub(super) fn keys_rotated(&self) -> Line {
        let line = nothing(Rule::KeysRotated, Amount::Count(1));
        let of_manifests =
            self.facts.keys_made.iter().filter(|key| key.purpose() == KeyPurpose::Manifest);
        let made: Vec<_> = of_manifests.map(ToString::to_string).collect();
        // Keys go when the last backup goes that needs them.
        if made.is_empty() && !self.backups().any(|backup| backup.kept) {
            return line;
        }
        let measured = Some(Amount::Count(self.facts.keys_made.len() as u64));
        Line { verdict: met(!made.is_empty()), measured, evidence: made, ..line }
    }

    fn backups(&self) -> impl Iterator<Item = &BackupFact> {
        self.facts.backups.iter().filter(|backup| self.is_of_month(backup.snapshot))
    }

    fn verifications(&self) -> impl Iterator<Item = &VerificationFact> {
        self.facts.verifications.iter().filter(|check| self.is_of_month(check.started))
    }

    fn is_of_month(&self, at: Timestamp) -> bool {
        (self.facts.from..self.facts.until).contains(&at)
    }

    fn days_of(&self, job: Job) -> BTreeSet<Date> {
        let runs = self.facts.runs.iter().filter(|run| run.job == job && run.succeeded);
        runs.map(|run| self.calendar.day(run.started)).collect()
    }

    /// The verdict, if the vault was there in the month.
    fn if_there(&self, verdict: Verdict) -> Verdict {
        let was_there = self.facts.began < self.facts.until && self.facts.from < self.facts.now;
        if was_there { verdict } else { Verdict::NotApplicable }
    }
}

fn met(kept: bool) -> Verdict {
    if kept { Verdict::Met } else { Verdict::NotMet }
}

fn nothing(rule: Rule, limit: Amount) -> Line {
    let verdict = Verdict::NotApplicable;
    Line { rule, verdict, limit, measured: None, days: Vec::new(), evidence: Vec::new() }
}

/// A rule for every day, or every week.
fn every(rule: Rule, (all, missing): (u64, Vec<Date>), amount: fn(u64) -> Amount) -> Line {
    let line = nothing(rule, amount(all));
    if all == 0 {
        return line;
    }
    let measured = Some(amount(all - missing.len() as u64));
    Line { verdict: met(missing.is_empty()), measured, days: missing, ..line }
}

/// A rule for the longest of some times.
fn longest(rule: Rule, limit: SignedDuration, times: impl Iterator<Item = (String, f64)>) -> Line {
    let line = nothing(rule, Amount::Seconds(limit.as_secs_f64()));
    let times: Vec<_> = times.collect();
    let Some((run, seconds)) = worst(&times) else { return line };
    let verdict = met(seconds < limit.as_secs_f64());
    Line { verdict, measured: Some(Amount::Seconds(seconds)), evidence: vec![run], ..line }
}

fn worst(of: &[(String, f64)]) -> Option<(String, f64)> {
    of.iter().max_by(|one, other| one.1.total_cmp(&other.1)).cloned()
}

/// A rule that something does not happen.
fn none_of(line: Line, found: Vec<String>) -> Line {
    let measured = Some(Amount::Count(found.len() as u64));
    Line { verdict: met(found.is_empty()), measured, evidence: found, ..line }
}

fn seconds(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
