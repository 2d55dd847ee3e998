//! Alarms, and whether anybody hears them.

use super::{DEPLOY, seen};
use crate::{
    model::deployed::{Alarm, Deployed, Watch},
    policy::findings::{Finding, counted, listed},
};

/// What the checks of a region are called, and the alarms without which a failure would stay unheard there.
struct Checks {
    listeners: &'static str,
    alarms: &'static str,
    needed: &'static [&'static str],
}

/// The first region, then the second.
const CHECKS: [Checks; 2] = [
    Checks {
        listeners: "alarm-listeners",
        alarms: "alarms",
        needed: &[
            "no-good-backup",
            "backup-failed",
            "backup-errors",
            "backups-damaged",
            "verify-failed",
            "restore-test-failed",
            "replication-failed",
            "dead-letters",
        ],
    },
    Checks {
        listeners: "replica-alarm-listeners",
        alarms: "replica-alarms",
        needed: &["replica-late", "replica-behind"],
    },
];

/// All that are made.
pub(super) fn checks() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().flat_map(|checks| [checks.listeners, checks.alarms])
}

pub(super) fn judge(deployed: &Deployed) -> Vec<Finding> {
    if deployed.watches.is_empty() {
        return checks().map(|check| Finding::skipped(check, super::functions::CHECK)).collect();
    }
    let watched = deployed.watches.iter().zip(&CHECKS);
    watched.flat_map(|(watch, checks)| of_region(deployed, watch, checks)).collect()
}

fn of_region(deployed: &Deployed, watch: &Watch, checks: &Checks) -> [Finding; 2] {
    [
        listeners(watch, checks.listeners),
        alarms(deployed, watch, checks).unwrap_or_else(|unseen| unseen),
    ]
}

fn listeners(watch: &Watch, check: &'static str) -> Finding {
    let listeners = match seen(&watch.listeners, check) {
        Ok(listeners) => listeners,
        Err(unseen) => return unseen,
    };
    let (confirmed, waiting): (Vec<_>, Vec<_>) =
        listeners.iter().partition(|listener| listener.is_confirmed);
    let waiting: Vec<_> = waiting.iter().map(|listener| listener.address.as_str()).collect();
    let confirm = "open the e-mail of AWS Notifications and follow its link; if it is older than three days, delete the \
                   subscription and deploy again";
    match (confirmed.len(), waiting.is_empty()) {
        (0, true) => {
            let fact = format!("nobody hears what goes wrong in {}", watch.region);
            Finding::problem(
                check,
                fact,
                "add addresses to notify in the environment's file, and deploy",
            )
        }
        (0, false) => {
            let fact = format!(
                "nobody hears what goes wrong in {}: not confirmed by {}",
                watch.region,
                listed(&waiting)
            );
            Finding::problem(check, fact, confirm)
        }
        (_, false) => {
            Finding::warning(check, format!("not confirmed by {}", listed(&waiting)), confirm)
        }
        (count, true) => Finding::ok(
            check,
            format!("{} confirmed in {}", counted(count, "subscription"), watch.region),
        ),
    }
}

fn alarms(deployed: &Deployed, watch: &Watch, checks: &Checks) -> Result<Finding, Finding> {
    let (check, alarms) = (checks.alarms, seen(&watch.alarms, checks.alarms)?);
    let full = |what: &str| format!("gorgen-{}-{what}", deployed.environment);
    let missing: Vec<_> = checks
        .needed
        .iter()
        .filter(|what| !alarms.iter().any(|alarm| alarm.name == full(what)))
        .copied()
        .collect();
    if !missing.is_empty() {
        let fact = format!("missing in {}: {}", watch.region, listed(&missing));
        return Ok(Finding::problem(check, fact, DEPLOY));
    }
    let names = |of: &dyn Fn(&Alarm) -> bool| -> Vec<&str> {
        alarms.iter().filter(|alarm| of(alarm)).map(|alarm| alarm.name.as_str()).collect()
    };
    let mute = names(&|alarm| !alarm.tells.contains(&watch.topic));
    if !mute.is_empty() {
        let fact = format!("nobody is told when they go off: {}", listed(&mute));
        return Ok(Finding::problem(check, fact, DEPLOY));
    }
    let ringing = names(&|alarm| alarm.is_ringing);
    Ok(if ringing.is_empty() {
        Finding::ok(
            check,
            format!("{} in {}, none is ringing", counted(alarms.len(), "alarm"), watch.region),
        )
    } else {
        let remedy = "read what each says (CloudWatch, or its e-mail), and do it";
        Finding::problem(check, format!("ringing: {}", listed(&ringing)), remedy)
    })
}
