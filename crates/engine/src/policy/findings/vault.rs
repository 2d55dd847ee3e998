//! The vault: whose it is, how old its newest backup is, and how the last runs ended.

use jiff::{SignedDuration, Timestamp};

use super::{
    Finding, counted,
    server::{spelled, to_the_second},
};
use crate::{
    model::{RunId, SourceIdentity},
    records::{
        identity::VaultIdentity,
        lock::Lease,
        run::{Job, Outcome, RunRecord},
    },
};

/// A daily backup, and two hours for it to run: what the alarm of a missing backup waits too.
const FRESH: SignedDuration = SignedDuration::from_hours(26);
/// Two days' backups are missing.
const STALE: SignedDuration = SignedDuration::from_hours(48);
/// Clocks of those who write backups and who look at them differ by no more.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

const BACK_UP: &str = "make one now: gorgen-backup backup";

/// The vault answers.
pub fn reached(vault: &str, backups: usize) -> Finding {
    let held = match backups {
        0 => "no backup yet".to_owned(),
        some => counted(some, "backup"),
    };
    Finding::ok("vault", format!("{vault} holds {held}"))
}

/// Is it this source's vault? `source` is `None` if it is not known which source is meant.
pub fn owner(
    identity: Option<&VaultIdentity>,
    source: Option<&SourceIdentity>,
    backups: usize,
) -> Finding {
    let check = "vault-owner";
    let Some(identity) = identity else {
        if backups == 0 {
            return Finding::ok(
                check,
                "nobody's yet: it is the database's whose backup comes first",
            );
        }
        let fact =
            format!("vault.json is missing, although there are {}", counted(backups, "backup"));
        return Finding::problem(
            check,
            fact,
            "bring vault.json back from a copy of the vault: without it no backup is opened",
        );
    };
    match source {
        Some(source) if *source != identity.source => Finding::problem(
            check,
            format!("the vault belongs to {}, not to {source}", identity.source),
            "check GORGEN_VAULT and GORGEN_DATABASE_URL; if the database moved, run once: gorgen-backup backup --adopt",
        ),
        _ => Finding::ok(check, format!("it belongs to {}", identity.source)),
    }
}

/// How old is the newest backup? `newest` is its id and the moment it shows.
pub fn last_backup(newest: Option<(&RunId, Timestamp)>, now: Timestamp) -> Finding {
    let check = "last-backup";
    let Some((id, at)) = newest else {
        return Finding::warning(check, "there is no backup yet", BACK_UP);
    };
    let age = now.duration_since(at);
    let fact = format!(
        "{id} is {} old (of {})",
        spelled(age.max(SignedDuration::ZERO)),
        to_the_second(at)
    );
    if age < -CLOCKS {
        let fact = format!("{id} is of {}, which is in the future", to_the_second(at));
        return Finding::warning(
            check,
            fact,
            "one of the clocks is wrong: this machine's, or that of the one who made the backup",
        );
    }
    if age < FRESH {
        return Finding::ok(check, fact);
    }
    let remedy = format!("{BACK_UP}; then see why its schedule made none");
    if age < STALE {
        Finding::warning(check, fact, remedy)
    } else {
        Finding::problem(check, fact, remedy)
    }
}

/// How the last run of each job ended, as far as there was one. Any order will do.
pub fn last_runs(records: &[RunRecord]) -> Vec<Finding> {
    let latest =
        |job| records.iter().filter(|record| record.job == job).max_by_key(|record| record.ended);
    [(Job::Backup, "last-backup-run"), (Job::Restore, "last-restore"), (Job::Verify, "last-verify")]
        .into_iter()
        .filter_map(|(job, check)| latest(job).map(|record| last_run(check, record)))
        .collect()
}

fn last_run(check: &'static str, record: &RunRecord) -> Finding {
    let ended = format!("run {} of {}", record.run, to_the_second(record.started));
    let failed = match record.outcome {
        Outcome::Succeeded => return Finding::ok(check, format!("{ended} succeeded")),
        Outcome::Failed => format!("{ended} failed: {}", record.error.join(": ")),
        Outcome::Died => format!("{ended} was cut off"),
        Outcome::Other => format!("{ended} ended in a way that this version does not know"),
    };
    match record.job {
        Job::Backup => {
            Finding::problem(check, failed, format!("see to what it says, then {BACK_UP}"))
        }
        Job::Restore | Job::Report | Job::Cleanup | Job::Import | Job::Erase | Job::Other => {
            Finding::warning(check, failed, "if what it was to do is still wanted, run it again")
        }
        Job::Verify | Job::RestoreTest => {
            Finding::problem(check, failed, "run gorgen-backup verify --read-data")
        }
    }
}

/// Does a run hold the lock, or did one die with it?
pub fn lock(lease: Option<&Lease>, now: Timestamp) -> Option<Finding> {
    let (check, lease) = ("vault-lock", lease.filter(|lease| !lease.released)?);
    Some(if lease.is_free(now) {
        let fact = format!("run {} ended without giving its lock back: it was cut off", lease.run);
        Finding::warning(
            check,
            fact,
            "the next backup takes the lock over and goes on; make it now: gorgen-backup backup",
        )
    } else {
        Finding::ok(check, format!("run {} is writing a backup now", lease.run))
    })
}
