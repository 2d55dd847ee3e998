//! What starts the jobs, when it does so next, and what could not be done.

use jiff::{Timestamp, tz::TimeZone};

use super::{DEPLOY, seen};
use crate::{
    model::deployed::{Deployed, Schedule},
    policy::{
        findings::{Finding, counted, server::to_the_second},
        timetable,
    },
};

/// Each schedule, what it is called here, and what does not happen without it.
const SCHEDULES: [(&str, &str, &str); 7] = [
    ("backup", "schedule-backup", "no backup is made"),
    ("cleanup", "schedule-cleanup", "nothing is let go, and locks are not renewed"),
    ("restore-test", "schedule-restore-test", "no restore is proven"),
    ("verify", "schedule-verify", "damage is found only when a backup is needed"),
    ("report", "schedule-report", "no month is told"),
    ("reminder", "schedule-reminder", "nobody is reminded of the copy in the safe"),
    ("old-tables", "schedule-old-tables", "old tables of restores stay"),
];

const DEAD_LETTERS: &str = "dead-letters";

/// All that are made.
pub(super) fn checks() -> impl Iterator<Item = &'static str> {
    SCHEDULES.into_iter().map(|(_, check, _)| check).chain([DEAD_LETTERS])
}

/// What one schedule of an environment is called.
pub(super) fn of<'a>(deployed: &'a Deployed, job: &str) -> Option<&'a Schedule> {
    let name = format!("gorgen-{}-{job}", deployed.environment);
    deployed.schedules.as_ref().ok()?.iter().find(|schedule| schedule.name == name)
}

pub(super) fn judge(deployed: &Deployed, now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<_> = SCHEDULES
        .into_iter()
        .map(|(job, check, otherwise)| match seen(&deployed.schedules, check) {
            Ok(_) => schedule(check, of(deployed, job), otherwise, now),
            Err(unseen) => unseen,
        })
        .collect();
    findings.push(match seen(&deployed.dead_letters, DEAD_LETTERS) {
        Ok(count) => dead_letters(*count, &deployed.environment),
        Err(unseen) => unseen,
    });
    findings
}

fn schedule(
    check: &'static str,
    schedule: Option<&Schedule>,
    otherwise: &str,
    now: Timestamp,
) -> Finding {
    let Some(schedule) = schedule else {
        return amiss(check, format!("there is none, so {otherwise}"), DEPLOY);
    };
    let Schedule { expression, time_zone, .. } = schedule;
    if !schedule.enabled {
        let remedy = "switch it on (PATCH /v1/schedules/{name}, docs/api.md), and in the environment's file if it \
                      says off";
        return amiss(check, format!("it is off, so {otherwise}"), remedy);
    }
    if expression.starts_with("rate(") {
        return Finding::ok(check, format!("on: {expression}, counted from when it was made"));
    }
    let Some(next) = next(schedule, now) else {
        let fact = format!("{expression} in {time_zone} never comes again, so {otherwise}");
        return amiss(check, fact, "correct it in the environment's file, and deploy");
    };
    let next = to_the_second(next);
    Finding::ok(check, format!("on: {expression} in {time_zone}, next {next}"))
}

/// When a schedule that is on starts its job next, as far as that can be told.
pub(super) fn next(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&schedule.time_zone).ok()?;
    timetable::next(&schedule.expression, &zone, after)
}

/// Without backups nothing else counts.
fn amiss(check: &'static str, fact: String, remedy: &str) -> Finding {
    if check == SCHEDULES[0].1 {
        Finding::problem(check, fact, remedy)
    } else {
        Finding::warning(check, fact, remedy)
    }
}

fn dead_letters(count: u64, environment: &str) -> Finding {
    if count == 0 {
        return Finding::ok(DEAD_LETTERS, "no event was given up");
    }
    let verb = if count == 1 { "was" } else { "were" };
    let events = usize::try_from(count).unwrap_or(usize::MAX);
    let fact =
        format!("{} {verb} given up, each a job that was not done", counted(events, "event"));
    let remedy = format!(
        "read them (aws sqs receive-message, queue gorgen-{environment}-dead-letters), start again what is still wanted, \
         and delete them"
    );
    Finding::problem(DEAD_LETTERS, fact, remedy)
}
