//! The rules again, each as its sentence says it.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::{
    history::History,
    reckoned::{
        Auditor, Backup, HOUR, Key, between, length, moment, number, succeeded, text, took,
    },
};

impl Auditor<'_> {
    pub(crate) fn conformity(&self) -> Vec<Value> {
        vec![
            self.daily_backup(),
            self.newest_backup(),
            longest(
                "backup-time",
                0.5 * HOUR,
                self.backups().iter().map(|one| (one.id.clone(), one.seconds)).collect(),
            ),
            self.steady_size(),
            self.nothing_lost(),
            self.weekly("weekly-restore-test", "restore-test"),
            longest("recovery-time", 4.0 * HOUR, self.recovery_times()),
            self.weekly("weekly-verification", "verify"),
            self.all_data_read(),
            self.most("no-damage", |check| {
                let replica = &check["summary"]["replica"];
                Some(length(&check["summary"]["problems"]) + length(&replica["problems"]))
            }),
            self.most("replica-complete", |check| {
                let replica = &check["summary"]["replica"];
                replica
                    .is_object()
                    .then(|| number(&replica["missing"]) + number(&replica["damaged"]))
            }),
            longest("replica-lag", 24.0 * HOUR, self.lags()),
            self.failures_made_up(),
            self.daily_cleanup(),
            self.keys_rotated(),
        ]
    }

    fn daily_backup(&self) -> Value {
        let has = |day: &Date| {
            self.backups.iter().any(|backup| backup.is_good() && self.day(backup.snapshot) == *day)
        };
        every("daily-backup", "days", &self.days, has)
    }

    fn daily_cleanup(&self) -> Value {
        let began = self.day(self.history.began);
        let days: Vec<_> = self.days.iter().copied().filter(|day| *day != began).collect();
        let has = |day: &Date| {
            self.history.runs.iter().any(|run| {
                run["job"] == "cleanup"
                    && succeeded(run)
                    && self.day(moment(&run["started"])) == *day
            })
        };
        every("daily-cleanup", "days", &days, has)
    }

    /// Weeks by their Mondays: those whose Sundays can be judged, and that the vault saw whole.
    fn weekly(&self, rule: &str, job: &str) -> Value {
        let mut mondays = Vec::new();
        for day in &self.days {
            let mut monday = *day;
            if day.weekday() != Weekday::Sunday {
                continue;
            }
            for _ in 0..6 {
                monday = monday.yesterday().unwrap();
            }
            if monday >= self.day(self.history.began) {
                mondays.push(monday);
            }
        }
        let has = |monday: &Date| {
            let mut week = vec![*monday];
            for _ in 0..6 {
                week.push(week.last().unwrap().tomorrow().unwrap());
            }
            self.history.runs.iter().any(|run| {
                run["job"] == job
                    && succeeded(run)
                    && week.contains(&self.day(moment(&run["started"])))
            })
        };
        every(rule, "weeks", &mondays, has)
    }

    fn newest_backup(&self) -> Value {
        let History { now, began, .. } = *self.history;
        let end = now.min(self.until());
        let was_there = began < self.until() && self.from() < now;
        let mut newest: Option<&Backup> = None;
        for backup in self.backups.iter().filter(|backup| backup.is_good() && backup.snapshot < end)
        {
            if newest.is_none_or(|one| backup.snapshot >= one.snapshot) {
                newest = Some(backup);
            }
        }
        let age = newest.map(|newest| between(newest.snapshot, end));
        let kept = age.is_some_and(|age| age <= 24.0 * HOUR);
        let verdict = match (was_there, kept) {
            (false, _) => "not-applicable",
            (true, true) => "met",
            (true, false) => "not-met",
        };
        line(
            "newest-backup",
            verdict,
            json!({ "seconds": 24.0 * HOUR }),
            age.map_or(Value::Null, |age| json!({ "seconds": age })),
            &[],
            newest.map(|newest| newest.id.clone()).into_iter().collect(),
        )
    }

    fn recovery_times(&self) -> Vec<(String, f64)> {
        let tests = self.runs_of("restore-test").into_iter().filter(|run| succeeded(run));
        let time = |run: &Value| run["summary"]["seconds"].as_f64().unwrap_or_else(|| took(run));
        tests.map(|run| (text(&run["run"]), time(run))).collect()
    }

    /// Verifications of the month that came to their end.
    fn checks(&self) -> Vec<&Value> {
        self.runs_of("verify").into_iter().filter(|run| succeeded(run)).collect()
    }

    fn lags(&self) -> Vec<(String, f64)> {
        let mut lags = Vec::new();
        for check in self.checks() {
            if let Some(behind) = check["summary"]["replica"]["behind_seconds"].as_f64() {
                lags.push((text(&check["run"]), behind));
            }
        }
        lags
    }

    fn steady_size(&self) -> Value {
        let limit = json!({ "percent": 30.0 });
        let size = |backup: &Backup| number(&backup.totals["raw_bytes"]) as f64;
        let (mut worst, mut odd): (Option<(String, f64)>, Vec<String>) = (None, Vec::new());
        for backup in self.backups() {
            let mut sizes = Vec::new();
            for other in &self.backups {
                let before = between(other.snapshot, backup.snapshot);
                if before > 0.0 && before <= 7.0 * 24.0 * HOUR {
                    sizes.push(size(other));
                }
            }
            let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
            if sizes.is_empty() || mean == 0.0 {
                continue;
            }
            let percent = (size(backup) - mean).abs() / mean * 100.0;
            if percent > 30.0 {
                odd.push(backup.id.clone());
            }
            if worst.as_ref().is_none_or(|(_, most)| percent >= *most) {
                worst = Some((backup.id.clone(), percent));
            }
        }
        let Some((id, percent)) = worst else { return nothing("steady-size", limit) };
        let verdict = if odd.is_empty() { "met" } else { "not-met" };
        let evidence = if odd.is_empty() { vec![id] } else { odd };
        line("steady-size", verdict, limit, json!({ "percent": percent }), &[], evidence)
    }

    fn nothing_lost(&self) -> Value {
        let lost = self.backups().into_iter().filter(|backup| !backup.is_good());
        let lost = lost.map(|backup| backup.id.clone()).collect();
        none_of("nothing-lost", !self.backups().is_empty(), lost)
    }

    fn all_data_read(&self) -> Value {
        let (mut read, mut evidence) = (BTreeSet::new(), Vec::new());
        for check in self.checks() {
            let summary = &check["summary"];
            if summary["read_data"] != true {
                continue;
            }
            evidence.push(text(&check["run"]));
            match &summary["share"] {
                Value::Null => read.extend([1, 2, 3, 4]),
                share if share["of"] == 4 => {
                    read.insert(number(&share["number"]));
                }
                _ => {}
            }
        }
        let verdict = if read.len() == 4 {
            "met"
        } else if self.days.len() >= 28 {
            "not-met"
        } else {
            "not-applicable"
        };
        let counted = |count: usize| json!({ "count": count });
        line("all-data-read", verdict, counted(4), counted(read.len()), &[], evidence)
    }

    fn most(&self, rule: &str, count: fn(&Value) -> Option<u64>) -> Value {
        let (mut most, mut evidence) = (None, Vec::new());
        for check in self.checks() {
            let Some(count) = count(check) else { continue };
            most = most.max(Some(count));
            if count > 0 {
                evidence.push(text(&check["run"]));
            }
        }
        let Some(most) = most else { return nothing(rule, json!({ "count": 0 })) };
        let verdict = if most == 0 { "met" } else { "not-met" };
        line(rule, verdict, json!({ "count": 0 }), json!({ "count": most }), &[], evidence)
    }

    fn failures_made_up(&self) -> Value {
        let mut not = Vec::new();
        for failed in
            self.runs().into_iter().filter(|run| !succeeded(run) && run["job"] != "restore")
        {
            let started = moment(&failed["started"]);
            let made_up = self.history.runs.iter().any(|run| {
                let later = between(started, moment(&run["started"]));
                run["job"] == failed["job"]
                    && succeeded(run)
                    && (0.0..=24.0 * HOUR).contains(&later)
            });
            if !made_up && between(started, self.history.now) > 24.0 * HOUR {
                not.push(text(&failed["run"]));
            }
        }
        none_of("failures-made-up", !self.runs().is_empty(), not)
    }

    fn keys_rotated(&self) -> Value {
        let limit = json!({ "count": 1 });
        // Data keys last for a month of Greenwich.
        let keys: Vec<_> = self.history.keys.iter().map(Key::of).collect();
        let made =
            keys.iter().filter(|key| key.made.strftime("%Y-%m").to_string() == self.history.month);
        let made: Vec<_> = made.collect();
        let manifests = made.iter().filter(|key| key.purpose == "manifest");
        let evidence: Vec<_> = manifests.map(|key| key.id.clone()).collect();
        if evidence.is_empty() && !self.backups().iter().any(|backup| backup.state == "kept") {
            return nothing("keys-rotated", limit);
        }
        let verdict = if evidence.is_empty() { "not-met" } else { "met" };
        line("keys-rotated", verdict, limit, json!({ "count": made.len() }), &[], evidence)
    }
}

fn longest(rule: &str, limit: f64, times: Vec<(String, f64)>) -> Value {
    let limited = json!({ "seconds": limit });
    let mut worst: Option<(String, f64)> = None;
    for (id, seconds) in times {
        if worst.as_ref().is_none_or(|(_, longest)| seconds >= *longest) {
            worst = Some((id, seconds));
        }
    }
    let Some((id, seconds)) = worst else { return nothing(rule, limited) };
    let verdict = if seconds < limit { "met" } else { "not-met" };
    line(rule, verdict, limited, json!({ "seconds": seconds }), &[], vec![id])
}

#[expect(clippy::needless_pass_by_value, reason = "each is made for it")]
fn line(
    rule: &str,
    verdict: &str,
    limit: Value,
    measured: Value,
    days: &[Date],
    evidence: Vec<String>,
) -> Value {
    json!({
        "rule": rule, "verdict": verdict, "limit": limit, "measured": measured, "days": days, "evidence": evidence,
    })
}

fn nothing(rule: &str, limit: Value) -> Value {
    line(rule, "not-applicable", limit, Value::Null, &[], Vec::new())
}

fn every(rule: &str, unit: &str, all: &[Date], has: impl Fn(&Date) -> bool) -> Value {
    let amount = |count: usize| json!({ unit: count });
    if all.is_empty() {
        return nothing(rule, amount(0));
    }
    let missing: Vec<_> = all.iter().copied().filter(|day| !has(day)).collect();
    let verdict = if missing.is_empty() { "met" } else { "not-met" };
    let measured = amount(all.len() - missing.len());
    line(rule, verdict, amount(all.len()), measured, &missing, Vec::new())
}

fn none_of(rule: &str, can_be_judged: bool, found: Vec<String>) -> Value {
    let limit = json!({ "count": 0 });
    if !can_be_judged {
        return nothing(rule, limit);
    }
    let verdict = if found.is_empty() { "met" } else { "not-met" };
    line(rule, verdict, limit, json!({ "count": found.len() }), &[], found)
}
