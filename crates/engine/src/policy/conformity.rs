//! Does a month conform to what was promised? One line a rule, each with its limit, what was measured, and the evidence.
//!
//! Only what can be judged is judged: from the day the vault began, to the end of the month or to yesterday, by the
//! clinic's calendar. A week counts in the month that its Sunday lies in, and only if the vault was there all of it.

mod calendar;
mod rules;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use self::calendar::Calendar;
use super::shares::Share;
use crate::{
    model::{KeyId, RunId},
    records::run::Job,
};

/// A backup takes less.
pub const BACKUP_TIME: SignedDuration = SignedDuration::from_mins(30);
/// A restore with all its proofs takes less (RTO).
pub const RECOVERY_TIME: SignedDuration = SignedDuration::from_hours(4);
/// No more is lost (RPO); also how far the replica may be behind.
pub const RECOVERY_POINT: SignedDuration = SignedDuration::from_hours(24);
/// A run that failed is made up for within so long.
pub const MADE_UP: SignedDuration = SignedDuration::from_hours(24);

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// There is a good backup of every day.
    DailyBackup,
    /// When the month ended, the newest good backup was not old.
    NewestBackup,
    /// Backups don't take long.
    BackupTime,
    /// No backup is much larger or smaller than those of the week before.
    SteadySize,
    /// Every backup that was made is there, or was dropped by the rules.
    NothingLost,
    /// A restore test passed in every week.
    WeeklyRestoreTest,
    /// A restore does not take long.
    RecoveryTime,
    /// The vault was verified in every week.
    WeeklyVerification,
    /// All data was read and proved within the month.
    AllDataRead,
    /// Verifications found nothing that is damaged or missing.
    NoDamage,
    /// The replica holds all it should.
    ReplicaComplete,
    /// The replica's newest backup is not older than the vault's by much.
    ReplicaLag,
    /// A job that failed succeeded soon after.
    FailuresMadeUp,
    /// The rules of retention were carried out every day.
    DailyCleanup,
    /// Data keys were replaced in the month.
    KeysRotated,
}

impl Rule {
    /// The rule's name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DailyBackup => "daily-backup",
            Self::NewestBackup => "newest-backup",
            Self::BackupTime => "backup-time",
            Self::SteadySize => "steady-size",
            Self::NothingLost => "nothing-lost",
            Self::WeeklyRestoreTest => "weekly-restore-test",
            Self::RecoveryTime => "recovery-time",
            Self::WeeklyVerification => "weekly-verification",
            Self::AllDataRead => "all-data-read",
            Self::NoDamage => "no-damage",
            Self::ReplicaComplete => "replica-complete",
            Self::ReplicaLag => "replica-lag",
            Self::FailuresMadeUp => "failures-made-up",
            Self::DailyCleanup => "daily-cleanup",
            Self::KeysRotated => "keys-rotated",
        }
    }
}

/// Whether a rule was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was.
    Met,
    /// It was not.
    NotMet,
    /// There was nothing to judge.
    NotApplicable,
}

/// A limit, or what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// A time, in seconds.
    Seconds(f64),
    /// A deviation.
    Percent(f64),
    /// So many.
    Count(u64),
    /// So many days.
    Days(u64),
    /// So many weeks.
    Weeks(u64),
}

/// One rule, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The rule.
    pub rule: Rule,
    /// Whether it was kept.
    pub verdict: Verdict,
    /// What it demands.
    pub limit: Amount,
    /// What there was; none if there was nothing to measure.
    pub measured: Option<Amount>,
    /// The days, or the Mondays of the weeks, on which it was not kept.
    pub days: Vec<Date>,
    /// Runs, backups or keys that show it: the worst of them, or those in which it was not kept.
    pub evidence: Vec<String>,
}

/// How many rules were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Rules that were kept.
    pub met: u64,
    /// Rules that were not.
    pub not_met: Vec<Rule>,
    /// Rules for which there was nothing to judge.
    pub not_applicable: u64,
}

impl Summary {
    /// The sum of these lines.
    pub fn of(lines: &[Line]) -> Self {
        let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count() as u64;
        let not_met = lines.iter().filter(|line| line.verdict == Verdict::NotMet);
        Self {
            met: count(Verdict::Met),
            not_met: not_met.map(|line| line.rule).collect(),
            not_applicable: count(Verdict::NotApplicable),
        }
    }
}

/// What a month is judged by; of the week before it as well, and of the day after.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the month begins.
    pub from: Timestamp,
    /// When the next one does.
    pub until: Timestamp,
    /// Now: what has not happened yet is not judged.
    pub now: Timestamp,
    /// When the vault began.
    pub began: Timestamp,
    /// The clinic's calendar.
    pub zone: TimeZone,
    /// Backups that were made, oldest first.
    pub backups: Vec<BackupFact>,
    /// Every other run, and backups that failed, oldest first.
    pub runs: Vec<RunFact>,
    /// Restore tests that passed.
    pub tests: Vec<TestFact>,
    /// Verifications of the whole vault.
    pub verifications: Vec<VerificationFact>,
    /// Keys that were made in the month.
    pub keys_made: Vec<KeyId>,
}

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct BackupFact {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Raw bytes.
    pub raw_bytes: u64,
    /// Whether its manifest is gone and no cleanup dropped it.
    pub lost: bool,
    /// Whether its manifest is there.
    pub kept: bool,
}

/// A run.
#[derive(Debug, Clone)]
pub struct RunFact {
    /// The run.
    pub run: RunId,
    /// The job.
    pub job: Job,
    /// When it started.
    pub started: Timestamp,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// A restore test that passed.
#[derive(Debug, Clone)]
pub struct TestFact {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// How long it took until all was proved.
    pub seconds: f64,
}

/// A verification of the whole vault.
#[derive(Debug, Clone)]
pub struct VerificationFact {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Shares of the data that it read.
    pub shares: BTreeSet<Share>,
    /// What was not as it should be, here and in the replica.
    pub problems: u64,
    /// What the replica lacked; none if no replica was looked at.
    pub replica_lacks: Option<u64>,
    /// How far the replica was behind, in seconds, if that is known.
    pub replica_behind: Option<u64>,
}

/// Judges a month.
pub fn judge(facts: &Facts) -> Vec<Line> {
    let calendar = Calendar::of(facts);
    let month = rules::Month { facts, calendar };
    vec![
        month.daily_backup(),
        month.newest_backup(),
        month.backup_time(),
        month.steady_size(),
        month.nothing_lost(),
        month.weekly_restore_test(),
        month.recovery_time(),
        month.weekly_verification(),
        month.all_data_read(),
        month.no_damage(),
        month.replica_complete(),
        month.replica_lag(),
        month.failures_made_up(),
        month.daily_cleanup(),
        month.keys_rotated(),
    ]
}

#[cfg(test)]
mod tests;
