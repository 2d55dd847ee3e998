//! Months, told; what is kept of them; and whether they were what was promised.

mod lines;

use utoipa::ToSchema;

use self::lines::{
    AuditLine, BackupLine, CleanupLine, ErasureLine, FailureLine, KeyLine, PinLine, RestoreOfMonth,
    Tally, TestLine, VerificationLine,
};
use super::Database;

/// A page of the reports that are kept.
#[derive(ToSchema)]
pub(crate) struct Reports {
    reports: Vec<KeptReport>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// The newest report of a month that is kept; one whose data are not what was kept has `month`, `run` and a `problem`.
#[derive(ToSchema)]
pub(crate) struct KeptReport {
    #[schema(example = "2026-10")]
    month: String,
    /// The run that told it.
    run: String,
    /// When it was told.
    #[schema(format = DateTime, nullable = false)]
    told: Option<String>,
    /// The SHA-256 that the data carry, and that the page names.
    #[schema(nullable = false)]
    sha256: Option<String>,
    /// Null if it was judged by rules that this version does not know.
    conformity: Option<ConformityOfMonth>,
    /// The object that holds the data.
    #[schema(nullable = false, example = "reports/2026-10/20261101T080000Z-4f2a91c3.json")]
    data: Option<String>,
    /// The object that is the page.
    #[schema(nullable = false, example = "reports/2026-10/20261101T080000Z-4f2a91c3.html")]
    page: Option<String>,
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// How many rules a month kept.
#[derive(ToSchema)]
pub(crate) struct ConformityOfMonth {
    met: u64,
    /// The rules that were not kept.
    #[schema(example = json!(["daily-backup"]))]
    not_met: Vec<String>,
    not_applicable: u64,
}

/// A month.
#[derive(ToSchema)]
pub(crate) struct Report {
    #[schema(example = "2026-10")]
    month: String,
    time_zone: String,
    source: Database,
    #[schema(format = DateTime)]
    from: String,
    /// When the next month begins.
    #[schema(format = DateTime)]
    until: String,
    /// The moment of this answer.
    #[schema(format = DateTime)]
    told: String,
    /// When the vault began.
    #[schema(format = DateTime)]
    began: String,
    /// Whether the month is what was promised, one line a rule.
    conformity: Vec<ConformityLine>,
    /// How runs ended, by job.
    runs: Vec<Tally>,
    /// Backups that were made in the month, those that were dropped since as well, oldest first.
    backups: Vec<BackupLine>,
    restore_tests: Vec<TestLine>,
    verifications: Vec<VerificationLine>,
    /// Runs that did not end well.
    failures: Vec<FailureLine>,
    /// Restores that were asked for.
    restores: Vec<RestoreOfMonth>,
    /// Calls that changed something, or would have.
    audit: Vec<AuditLine>,
    cleanups: Vec<CleanupLine>,
    /// Tenants that were erased from all backups.
    erasures: Vec<ErasureLine>,
    /// Backups of all months that somebody asked to keep.
    pins: Vec<PinLine>,
    /// Data keys in the vault, by purpose.
    keys: Vec<KeyLine>,
    /// The rules that the newest cleanup of the month went by.
    #[schema(required = true, example = "daily=30,weekly=12,monthly=12,yearly=20")]
    retention: Option<String>,
    /// Backups in the vault now, of all months.
    backups_kept: u64,
    /// Headers and records that can't be read.
    unreadable: Vec<String>,
    /// The moment that the newest backup shows.
    #[schema(format = DateTime, required = true)]
    newest: Option<String>,
}

/// A rule, judged.
#[derive(ToSchema)]
pub(crate) struct ConformityLine {
    #[schema(example = "daily-backup")]
    rule: String,
    verdict: RuleVerdict,
    /// What the rule demands.
    limit: Amount,
    /// What there was.
    #[schema(required = true)]
    measured: Option<Amount>,
    /// The days, or the Mondays of the weeks, on which it was not kept.
    #[schema(example = json!(["2026-10-17"]))]
    days: Vec<String>,
    /// Ids of runs, backups or keys that show it.
    evidence: Vec<String>,
}

/// Whether a rule was kept; `not-applicable` if there was nothing to judge.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum RuleVerdict {
    Met,
    NotMet,
    NotApplicable,
}

/// A limit, or what was measured.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "a schema, never a value")]
pub(crate) enum Amount {
    Seconds(f64),
    Percent(f64),
    Count(u64),
    Days(u64),
    Weeks(u64),
}
