//! The report again, from raw JSON, as an auditor with a pencil would: by dates on a wall calendar, counting and adding.
//!
//! Nothing of the report's own is used here, neither its types nor its rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::history::History;

/// The order in which jobs are told.
const JOBS: [&str; 8] =
    ["backup", "restore", "verify", "restore-test", "report", "cleanup", "erase", "other"];

pub(crate) const HOUR: f64 = 3600.0;

pub(crate) fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

pub(crate) fn length(value: &Value) -> u64 {
    value.as_array().map_or(0, |list| list.len() as u64)
}

/// Seconds from one moment to another.
pub(crate) fn between(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64()
}

pub(crate) fn took(run: &Value) -> f64 {
    between(moment(&run["started"]), moment(&run["ended"]))
}

pub(crate) fn succeeded(run: &Value) -> bool {
    run["outcome"] == "succeeded"
}

fn job_of(run: &Value) -> &str {
    let job = run["job"].as_str().unwrap();
    if JOBS.contains(&job) { job } else { "other" }
}

/// A backup as the auditor lists it.
#[derive(Clone)]
pub(crate) struct Backup {
    pub(crate) id: String,
    pub(crate) snapshot: Timestamp,
    pub(crate) seconds: f64,
    pub(crate) totals: Value,
    pub(crate) state: &'static str,
    dropped: Value,
}

impl Backup {
    pub(crate) fn is_good(&self) -> bool {
        self.state == "kept" || self.state == "dropped"
    }
}

pub(crate) struct Auditor<'a> {
    pub(crate) history: &'a History,
    zone: TimeZone,
    /// The days of the month that can be judged.
    pub(crate) days: Vec<Date>,
    pub(crate) backups: Vec<Backup>,
}

pub(crate) fn report(history: &History) -> Value {
    let zone = TimeZone::get(history.zone).unwrap();
    let first: Date = format!("{}-01", history.month).parse().unwrap();
    let on = |at: Timestamp| at.to_zoned_datetime(zone.clone()).date();
    let mut days = Vec::new();
    for day in 1..=first.days_in_month() {
        let day = Date::new(first.year(), first.month(), day).unwrap();
        if day >= on(history.began) && day < on(history.now) {
            days.push(day);
        }
    }
    let backups = backups(history);
    Auditor { history, zone, days, backups }.report()
}

/// All backups that the records tell of, by id.
fn backups(history: &History) -> Vec<Backup> {
    let mut found = BTreeMap::new();
    for header in &history.headers {
        let backup = Backup {
            id: text(&header["backup"]),
            snapshot: moment(&header["snapshot"]),
            seconds: took(header),
            totals: header["totals"].clone(),
            state: "kept",
            dropped: Value::Null,
        };
        found.insert(backup.id.clone(), backup);
    }
    for run in &history.runs {
        let id = text(&run["run"]);
        if run["job"] != "backup" || !succeeded(run) || found.contains_key(&id) {
            continue;
        }
        let mut dropped = Value::Null;
        for cleanup in &history.cleanups {
            for one in cleanup["dropped"].as_array().unwrap() {
                if one["backup"] == id.as_str() && dropped.is_null() {
                    dropped = json!({
                        "run": cleanup["run"], "at": cleanup["at"], "rules": cleanup["rules"], "why": one["why"],
                    });
                }
            }
        }
        let state = if !dropped.is_null() {
            "dropped"
        } else if history.damaged.contains(&id) {
            "unreadable"
        } else {
            "lost"
        };
        let summary = &run["summary"];
        let (snapshot, totals) = (moment(&summary["snapshot"]), summary["totals"].clone());
        found.insert(
            id.clone(),
            Backup { id, snapshot, seconds: took(run), totals, state, dropped },
        );
    }
    found.into_values().collect()
}

impl Auditor<'_> {
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// By the wall calendar, not by moments.
    pub(crate) fn is_of_month(&self, at: Timestamp) -> bool {
        self.day(at).strftime("%Y-%m").to_string() == self.history.month
    }

    pub(crate) fn runs(&self) -> Vec<&Value> {
        let runs = self.history.runs.iter();
        runs.filter(|run| self.is_of_month(moment(&run["started"]))).collect()
    }

    pub(crate) fn runs_of(&self, job: &str) -> Vec<&Value> {
        self.runs().into_iter().filter(|run| run["job"] == job).collect()
    }

    pub(crate) fn backups(&self) -> Vec<&Backup> {
        self.backups.iter().filter(|backup| self.is_of_month(backup.snapshot)).collect()
    }

    fn start_of(&self, day: Date) -> Timestamp {
        day.to_zoned_datetime(self.zone.clone()).unwrap().timestamp()
    }

    pub(crate) fn from(&self) -> Timestamp {
        self.start_of(format!("{}-01", self.history.month).parse().unwrap())
    }

    pub(crate) fn until(&self) -> Timestamp {
        let first: Date = format!("{}-01", self.history.month).parse().unwrap();
        let (year, month) = if first.month() == 12 {
            (first.year() + 1, 1)
        } else {
            (first.year(), first.month() + 1)
        };
        self.start_of(Date::new(year, month, 1).unwrap())
    }

    fn report(&self) -> Value {
        let history = self.history;
        let cleanups: Vec<Value> = self.runs_of("cleanup").into_iter().map(cleanup).collect();
        let rules = cleanups.iter().rev().map(|cleanup| &cleanup["rules"]);
        let retention = rules.into_iter().find(|rules| *rules != "");
        let damaged = history.damaged.iter();
        json!({
            "month": history.month,
            "time_zone": history.zone,
            "source": { "server": "db:3306", "database": "clinica" },
            "from": self.from(),
            "until": self.until(),
            "told": history.now,
            "began": history.began,
            "conformity": self.conformity(),
            "runs": self.tallies(),
            "backups": self.backups().into_iter().map(backup).collect::<Vec<_>>(),
            "restore_tests": self.runs_of("restore-test").into_iter().map(test).collect::<Vec<_>>(),
            "verifications": self.runs_of("verify").into_iter().map(check).collect::<Vec<_>>(),
            "failures": self.failures(),
            "restores": self.restores(),
            "audit": self.audit(),
            "cleanups": cleanups,
            "erasures": self.runs_of("erase").into_iter().map(erasure).collect::<Vec<_>>(),
            "pins": self.pins(),
            "keys": self.keys(),
            "retention": retention,
            "backups_kept": history.headers.len(),
            "unreadable": damaged.map(|id| format!("manifests/{id}.manifest: not a manifest, or cut short")).collect::<Vec<_>>(),
            "newest": history.headers.last().map(|header| &header["snapshot"]),
        })
    }

    fn tallies(&self) -> Vec<Value> {
        let mut told = Vec::new();
        for job in JOBS {
            let runs: Vec<_> = self.runs().into_iter().filter(|run| job_of(run) == job).collect();
            let count = |outcomes: &[&str]| {
                runs.iter()
                    .filter(|run| outcomes.contains(&run["outcome"].as_str().unwrap()))
                    .count()
            };
            if !runs.is_empty() {
                told.push(json!({
                    "job": job, "succeeded": count(&["succeeded"]), "failed": count(&["failed", "paused"]), "died": count(&["died"]),
                }));
            }
        }
        told
    }

    fn failures(&self) -> Vec<Value> {
        let failed = self.runs().into_iter().filter(|run| !succeeded(run));
        let line = |run: &Value| {
            let outcome =
                if run["outcome"] == "paused" { json!("other") } else { run["outcome"].clone() };
            json!({ "run": run["run"], "job": job_of(run), "started": run["started"], "outcome": outcome, "error": run["error"] })
        };
        failed.map(line).collect()
    }

    fn restores(&self) -> Vec<Value> {
        let asked = self.history.restores.iter();
        let asked = asked.filter(|restore| self.is_of_month(moment(&restore["requested"])));
        let line = |restore: &Value| {
            let wish = &restore["wish"];
            json!({
                "restore": restore["restore"], "requested": restore["requested"], "asked_by": restore["asked_by"], "backup": wish["backup"],
                "in_place": wish["destination"]["to"] == "in-place", "database": wish["destination"]["database"], "tables": wish["tables"],
                "tenant": null, "dry_run": wish["dry_run"], "stage": restore["stage"], "live": restore["live"], "undo_until": null,
            })
        };
        asked.map(line).collect()
    }

    fn audit(&self) -> Vec<Value> {
        let calls = self.history.audit.iter().filter(|call| self.is_of_month(moment(&call["at"])));
        let line = |call: &Value| {
            json!({
                "entry": call["entry"], "at": call["at"], "who": call["caller"]["subject"], "address": call["caller"]["address"],
                "agent": null, "action": call["action"], "verdict": call["verdict"], "status": call["status"], "reason": null, "about": null,
            })
        };
        calls.map(line).collect()
    }

    fn pins(&self) -> Vec<Value> {
        let pins = self.history.pins.iter().filter(|pin| pin["pinned"] == true);
        let line = |pin: &Value| json!({ "backup": pin["backup"], "since": pin["since"], "reason": pin["reason"] });
        pins.map(line).collect()
    }

    fn keys(&self) -> Vec<Value> {
        let mut told = Vec::new();
        for purpose in ["manifest", "rows", "naming"] {
            let keys: Vec<_> = self.history.keys.iter().map(Key::of).collect();
            let keys: Vec<_> = keys.into_iter().filter(|key| key.purpose == purpose).collect();
            if keys.is_empty() {
                continue;
            }
            let scopes: BTreeSet<_> = keys.iter().map(|key| &key.scope).collect();
            let by: BTreeSet<_> = keys.iter().flat_map(|key| key.wrapped_by.clone()).collect();
            told.push(json!({
                "purpose": purpose,
                "keys": keys.len(),
                "scopes": scopes.len(),
                "made": keys.iter().filter(|key| self.is_of_month(key.made)).count(),
                "oldest": keys.iter().map(|key| key.made).min(),
                "newest": keys.iter().map(|key| key.made).max(),
                "wrapped_by": by,
            }));
        }
        told
    }
}

pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) purpose: String,
    scope: String,
    pub(crate) made: Timestamp,
    wrapped_by: Vec<String>,
}

impl Key {
    /// `rows.t-7.20261101T060000Z-11223344`
    pub(crate) fn of(record: &Value) -> Self {
        let id = text(&record["key"]);
        let parts: Vec<_> = id.split('.').collect();
        let stamp = parts[2].split('-').next().unwrap();
        let made = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).unwrap();
        let wrapped = record["wrapped"].as_array().unwrap().iter();
        let wrapped =
            wrapped.map(|one| format!("{}:{}", text(&one["by"]), text(&one["wrapping_key"])));
        Self {
            purpose: parts[0].to_owned(),
            scope: parts[1].to_owned(),
            made: made.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp(),
            wrapped_by: wrapped.collect(),
            id: id.clone(),
        }
    }
}

fn backup(of: &Backup) -> Value {
    let totals = &of.totals;
    json!({
        "backup": of.id, "snapshot": of.snapshot, "seconds": of.seconds, "tables": totals["tables"], "rows": totals["rows"],
        "raw_bytes": totals["raw_bytes"], "stored_bytes": totals["stored_bytes"], "new_bytes": totals["new_bytes"],
        "state": of.state, "dropped": of.dropped,
    })
}

fn test(run: &Value) -> Value {
    let summary = &run["summary"];
    let restore = &summary["restore"];
    let phases =
        [&summary["phases"], &restore["phases"]].into_iter().find(|phases| phases.is_array());
    json!({
        "run": run["run"], "started": run["started"], "passed": succeeded(run),
        "seconds": summary["seconds"].as_f64().unwrap_or_else(|| took(run)), "backup": restore["backup"],
        "tables": length(&restore["tables"]), "rows": number(&restore["rows"]), "foreign_keys": number(&summary["foreign_keys"]),
        "objects": number(&summary["objects"]), "views": number(&summary["views"]), "pick": summary["turn"]["pick"],
        "place": summary["turn"]["place"], "phases": phases.unwrap_or(&json!([])),
    })
}

fn check(run: &Value) -> Value {
    let summary = &run["summary"];
    let replica = &summary["replica"];
    let replica = replica.is_object().then(|| {
        json!({
            "objects": number(&replica["objects"]), "missing": number(&replica["missing"]), "damaged": number(&replica["damaged"]),
            "waiting": number(&replica["waiting"]), "newest_backup": replica["newest_backup"],
            "behind_seconds": replica["behind_seconds"], "problems": length(&replica["problems"]),
        })
    });
    json!({
        "run": run["run"], "started": run["started"], "seconds": took(run), "completed": succeeded(run),
        "backups": length(&summary["backups"]), "objects": number(&summary["objects"]), "raw_bytes_read": number(&summary["raw_bytes_read"]),
        "read_data": summary["read_data"] == true, "share": summary["share"], "problems": length(&summary["problems"]),
        "repaired": length(&summary["repaired"]), "replica": replica,
    })
}

fn erasure(run: &Value) -> Value {
    let summary = &run["summary"];
    let locked = summary["locked"].as_array().cloned().unwrap_or_default();
    let ends = locked.iter().map(|locked| locked["until"].as_str());
    json!({
        "run": run["run"], "started": run["started"], "completed": succeeded(run), "tenant": summary["tenant"],
        "keys": length(&summary["keys"]), "backups": length(&summary["backups"]), "still_locked": locked.len(),
        "locked_until": ends.collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max()),
    })
}

fn cleanup(run: &Value) -> Value {
    let summary = &run["summary"];
    json!({
        "run": run["run"], "started": run["started"], "completed": succeeded(run), "rules": summary["rules"].as_str().unwrap_or(""),
        "kept": length(&summary["kept"]), "dropped": length(&summary["dropped"]), "removed_bytes": number(&summary["removed"]["bytes"]),
        "still_locked": number(&summary["still_locked"]["objects"]), "locks_extended": number(&summary["locks_extended"]),
        "problems": length(&summary["problems"]),
    })
}
