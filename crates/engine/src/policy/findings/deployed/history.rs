//! What the schedules should have done, by the records of runs: the last success of each job is not older than its schedule.

use jiff::{SignedDuration, Timestamp};

use super::schedules;
use crate::{
    model::deployed::Deployed,
    policy::findings::{
        Finding,
        server::{spelled, to_the_second},
    },
    records::run::{Job, Outcome, RunRecord},
};

/// How far back runs are looked at: a month, and a few days for what is done once in it.
pub const LOOKBACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// What a job may take, tries that failed included, before its run counts as missed: what the alarm of a missing backup
/// waits, too.
const GRACE: SignedDuration = SignedDuration::from_hours(2);

/// How old a success may be where no schedule tells: the owner's schedules, and [`GRACE`].
const WEEKLY: SignedDuration = SignedDuration::from_hours(7 * 24 + 2);
const DAILY: SignedDuration = SignedDuration::from_hours(24 + 2);

/// A job that must have been done.
struct Expected {
    job: Job,
    check: &'static str,
    /// How old a success may be where no schedule tells.
    oldest: SignedDuration,
    /// The request to the API that has it done.
    request: &'static str,
}

const JOBS: [Expected; 3] = [
    Expected { job: Job::Backup, check: "last-backup", oldest: DAILY, request: "POST /v1/backups" },
    Expected {
        job: Job::Verify,
        check: "last-verify",
        oldest: WEEKLY,
        request: "POST /v1/runs {\"job\": \"verify\"}",
    },
    Expected {
        job: Job::RestoreTest,
        check: "last-restore-test",
        oldest: WEEKLY,
        request: "POST /v1/runs {\"job\": \"restore-test\"}",
    },
];

/// The last backup, verification and restore test that succeeded. `records` are those of the last [`LOOKBACK`], in any
/// order.
pub fn history(records: &[RunRecord], deployed: &Deployed, now: Timestamp) -> Vec<Finding> {
    JOBS.iter().map(|expected| expected.judge(records, deployed, now)).collect()
}

impl Expected {
    fn judge(&self, records: &[RunRecord], deployed: &Deployed, now: Timestamp) -> Finding {
        let of_job = || records.iter().filter(|record| record.job == self.job);
        let newest = of_job().max_by_key(|record| record.started);
        let succeeded = of_job().filter(|record| record.outcome == Outcome::Succeeded);
        let last = succeeded.max_by_key(|record| record.started);
        // Of what never succeeded, the first run of any job says since when there could have been one.
        let first = || records.iter().map(|record| record.started).min().unwrap_or(now);
        let since = last.map_or_else(first, |record| record.started);
        let due = self.due(deployed, since);
        let is_late = match due {
            Some(due) => now.duration_since(due) > GRACE,
            None => now.duration_since(since) > self.oldest,
        };
        let missing =
            if is_late && due.is_some() { ", and a scheduled one is missing" } else { "" };
        let failure = failure(newest);
        let fact = format!("{}{missing}{failure}", success(last, now));
        let remedy =
            format!("see what its log says, and have it done now: {} (docs/api.md)", self.request);
        if is_late {
            Finding::problem(self.check, fact, remedy)
        } else if last.is_none() || !failure.is_empty() {
            Finding::warning(self.check, fact, remedy)
        } else {
            Finding::ok(self.check, fact)
        }
    }

    /// When its schedule starts it next, after this moment.
    fn due(&self, deployed: &Deployed, after: Timestamp) -> Option<Timestamp> {
        let schedule = schedules::of(deployed, self.job.as_str()).filter(|it| it.enabled)?;
        schedules::next(schedule, after)
    }
}

fn success(last: Option<&RunRecord>, now: Timestamp) -> String {
    let Some(record) = last else {
        return format!("none succeeded in the last {} days", LOOKBACK.as_hours() / 24);
    };
    let age = spelled(now.duration_since(record.started).max(SignedDuration::ZERO));
    format!("run {} succeeded {age} ago (of {})", record.run, to_the_second(record.started))
}

/// `; run ... did not succeed: ...`, if the newest run of a job did not.
fn failure(newest: Option<&RunRecord>) -> String {
    let Some(record) = newest.filter(|record| record.outcome != Outcome::Succeeded) else {
        return String::new();
    };
    let why = record.error.first().map(|why| format!(": {why}")).unwrap_or_default();
    format!("; run {} did not succeed{why}", record.run)
}

/// The findings if no record could be read, for this reason.
pub fn unseen(reason: &str) -> Vec<Finding> {
    let remedy = "look as a role that may read the vault (one of breakGlass in the environment's file), or ask the API: \
                  GET /v1/status";
    let unread = JOBS.iter().map(|expected| {
        let fact = format!("not checked: {reason}");
        Finding::warning(expected.check, fact, remedy).not_looked_at()
    });
    unread.collect()
}
