//! Made-up histories of a vault: the raw JSON of its records, and nothing else.

use bytes::Bytes;
use gorgen_engine::{model::ObjectName, ports::Vault};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;
const VAULT: &str = "00112233445566778899aabbccddeeff";

/// A vault's history, and the month of it that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) zone: &'static str,
    pub(crate) month: &'static str,
    pub(crate) now: Timestamp,
    pub(crate) began: Timestamp,
    /// In the order of their ids, as all that follows.
    pub(crate) runs: Vec<Value>,
    pub(crate) headers: Vec<Value>,
    /// Backups whose manifests are there and can't be read.
    pub(crate) damaged: Vec<String>,
    pub(crate) cleanups: Vec<Value>,
    pub(crate) restores: Vec<Value>,
    pub(crate) audit: Vec<Value>,
    pub(crate) pins: Vec<Value>,
    pub(crate) keys: Vec<Value>,
}

impl History {
    pub(crate) fn zone(&self) -> TimeZone {
        TimeZone::get(self.zone).unwrap()
    }

    /// Puts all of it into a vault.
    pub(crate) async fn write(&self, vault: &dyn Vault) {
        let identity =
            json!({ "format": 1, "vault": VAULT, "source": source(), "created": self.began });
        put(vault, "vault.json", record(&identity)).await;
        for (folder, member, records) in [
            ("runs", "run", &self.runs),
            ("cleanups", "run", &self.cleanups),
            ("restores", "restore", &self.restores),
            ("audit", "entry", &self.audit),
            ("pins", "backup", &self.pins),
            ("keys", "key", &self.keys),
        ] {
            for value in records {
                let id = value[member].as_str().unwrap();
                put(vault, &format!("{folder}/{id}.json"), record(value)).await;
            }
        }
        for header in &self.headers {
            let id = header["backup"].as_str().unwrap();
            put(vault, &format!("manifests/{id}.manifest"), manifest(header)).await;
        }
        for id in &self.damaged {
            let nothing = Bytes::from_static(b"nothing that was a manifest");
            put(vault, &format!("manifests/{id}.manifest"), nothing).await;
        }
    }
}

async fn put(vault: &dyn Vault, name: &str, bytes: Bytes) {
    vault.put(&ObjectName::from_listing(name).unwrap(), bytes).await.unwrap();
}

/// As docs/format.md says.
fn record(value: &Value) -> Bytes {
    let text = value.to_string();
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("{{\"sha256\":\"{}\",\"record\":{text}}}\n", hex::encode(sum)).into()
}

fn manifest(header: &Value) -> Bytes {
    let text = header.to_string();
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"GORGENM1", &length[..], text.as_bytes(), b"sealed"].concat().into()
}

fn source() -> Value {
    json!({ "server": "db:3306", "database": "clinica" })
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// When something happened, in seconds from the first midnight of the month there: often just beside a day's or the
/// month's ends, where mistakes are made.
fn moment(days: i64) -> impl Strategy<Value = (i64, i32)> {
    let at = prop_oneof![
        4 => -7 * DAY..34 * DAY,
        2 => (-7_i64..34, -2_i64..3).prop_map(|(day, second)| day * DAY + second),
        1 => -3_i64..3,
        2 => (-4_i64 * 3600..3 * 3600).prop_map(move |second| days * DAY + second),
        1 => (-3_i64..3).prop_map(move |second| days * DAY + second),
    ];
    (at, select(vec![0, 0, 250_000_000]))
}

/// What becomes of a run, and of what it made.
#[derive(Debug, Clone)]
struct Event {
    at: (i64, i32),
    /// Milliseconds.
    took: i64,
    job: usize,
    outcome: &'static str,
    numbers: [u64; 8],
    choices: [u8; 4],
}

fn event(days: i64) -> impl Strategy<Value = Event> {
    let took = prop_oneof![
        0_i64..5_000_000,
        Just(1_800_000),
        Just(1_799_999),
        Just(14_400_000),
        0_i64..20_000_000
    ];
    let outcome = select(vec!["succeeded", "succeeded", "succeeded", "failed", "died", "paused"]);
    (moment(days), took, 0..JOBS.len(), outcome, any::<[u32; 8]>(), any::<[u8; 4]>()).prop_map(
        |(at, took, job, outcome, numbers, choices)| {
            let numbers = numbers.map(u64::from);
            Event { at, took, job, outcome, numbers, choices }
        },
    )
}

const JOBS: [&str; 10] = [
    "backup",
    "backup",
    "backup",
    "verify",
    "restore-test",
    "cleanup",
    "erase",
    "restore",
    "report",
    "prune",
];

/// A regular day: what a schedule starts on each.
fn regular(days: i64) -> impl Strategy<Value = Vec<Event>> {
    (any::<bool>(), select(vec![2_i64, 3, 23]), vec(0_usize..40, 0..3)).prop_map(
        move |(is_on, hour, missed)| {
            let all = -7..=days;
            let kept =
                all.filter(|day| is_on && !missed.contains(&usize::try_from(*day).unwrap_or(99)));
            kept.flat_map(move |day| {
                let plain = |job, offset, numbers| Event {
                    at: (day * DAY + hour * 3600 + offset, 0),
                    took: 60_000 + day * 1000,
                    job,
                    outcome: "succeeded",
                    numbers,
                    choices: [9, 9, 9, 9],
                };
                let size = u64::try_from(1_000_000 + day * 1000).unwrap();
                let mut events =
                    vec![plain(0, 0, [7, size, size, size, size, 0, 0, 0]), plain(5, 600, [0; 8])];
                if day.rem_euclid(7) == 3 {
                    events.push(plain(4, 1200, [1; 8]));
                    events.push(plain(
                        3,
                        1800,
                        [u64::try_from(day.div_euclid(7) + 8).unwrap(), 0, 0, 0, 0, 0, 0, 0],
                    ));
                }
                events
            })
            .collect()
        },
    )
}

const MONTHS: [(&str, &str); 8] = [
    ("2026-11", "America/Sao_Paulo"),
    ("2026-02", "America/Sao_Paulo"),
    // Summer time began and ended within these.
    ("2018-11", "America/Sao_Paulo"),
    ("2018-02", "America/Sao_Paulo"),
    ("2026-10", "Europe/Berlin"),
    ("2024-02", "Pacific/Auckland"),
    ("2026-12", "Pacific/Honolulu"),
    ("2026-08", "UTC"),
];

/// Any history.
pub(crate) fn history() -> impl Strategy<Value = History> {
    select(MONTHS.to_vec()).prop_flat_map(|(month, zone)| {
        let first: Date = format!("{month}-01").parse().unwrap();
        let days = i64::from(first.days_in_month());
        let start = first.to_zoned_datetime(TimeZone::get(zone).unwrap()).unwrap().timestamp();
        let now = prop_oneof![2 => Just(days * DAY + 5 * 3600), 1 => -DAY..50 * DAY];
        let began = prop_oneof![3 => Just(-200 * DAY), 1 => -10 * DAY..40 * DAY];
        let more = (
            vec(moment(days), 0..6),
            vec(moment(days), 0..6),
            vec((moment(days), 0_usize..3, any::<bool>()), 0..6),
            vec(any::<u8>(), 0..4),
        );
        (now, began, regular(days), vec(event(days), 0..25), more).prop_map(
            move |(now, began, regular, mut events, (restores, audit, keys, pins))| {
                let at = |(seconds, nanos): (i64, i32)| start + SignedDuration::new(seconds, nanos);
                events.extend(regular);
                events.sort_by_key(|event| event.at);
                let mut history = History {
                    zone,
                    month,
                    now: at((now, 0)),
                    began: at((began, 0)),
                    runs: Vec::new(),
                    headers: Vec::new(),
                    damaged: Vec::new(),
                    cleanups: Vec::new(),
                    restores: Vec::new(),
                    audit: Vec::new(),
                    pins: Vec::new(),
                    keys: Vec::new(),
                };
                for (number, event) in events.iter().enumerate() {
                    let started = at(event.at);
                    let id = format!("{}-{number:08x}", stamp(started));
                    history.add(event, &id, started);
                }
                history.restores = numbered(restores.into_iter().map(at), "restore", restore);
                history.audit = numbered(audit.into_iter().map(at), "entry", call);
                history.keys = keys
                    .into_iter()
                    .enumerate()
                    .map(|(number, (made, purpose, two))| key(number, at(made), purpose, two))
                    .collect();
                history.keys.sort_by_key(|key| key["key"].as_str().unwrap().to_owned());
                history.pin(&pins);
                history
            },
        )
    })
}

/// Records of so many moments, in the order of their ids.
fn numbered(
    moments: impl Iterator<Item = Timestamp>,
    member: &str,
    make: fn(usize, Timestamp) -> Value,
) -> Vec<Value> {
    let mut moments: Vec<_> = moments.collect();
    moments.sort();
    let numbers = moments.into_iter().enumerate();
    numbers
        .map(|(number, at)| {
            let mut record = make(number, at);
            record["format"] = json!(1);
            record[member] = json!(format!("{}-{number:08x}", stamp(at)));
            record
        })
        .collect()
}

fn restore(number: usize, at: Timestamp) -> Value {
    let destination = if number.is_multiple_of(2) {
        json!({ "to": "in-place", "stage_only": false })
    } else {
        json!({ "to": "database", "database": format!("copia_{number}"), "on_scratch": false })
    };
    json!({
        "asked_by": (number > 0).then_some("Ana"), "stage": if number == 2 { "failed" } else { "restored" },
        "wish": { "backup": "latest", "destination": destination, "tables": ["agenda"], "dry_run": number == 3 },
        "live": "restored", "requested": at, "updated": at,
    })
}

fn call(number: usize, at: Timestamp) -> Value {
    let (verdict, status) = [("allowed", 202), ("refused", 403), ("failed", 503)][number % 3];
    json!({
        "at": at, "action": "POST /v1/backups", "verdict": verdict, "status": status,
        "caller": { "subject": "5a1e", "roles": ["admin"], "address": "203.0.113.7" },
    })
}

fn key(number: usize, at: Timestamp, purpose: usize, by_two: bool) -> Value {
    let purpose = ["manifest", "rows", "naming"][purpose];
    let scope = if purpose == "manifest" || number.is_multiple_of(2) { "shared" } else { "t-7" };
    let mut wrapped = vec![json!({ "by": "kms", "wrapping_key": "arn:one", "ciphertext": "AAAA" })];
    if by_two {
        wrapped.push(json!({ "by": "file", "wrapping_key": "00ff", "ciphertext": "AAAA" }));
    }
    json!({
        "format": 1, "key": format!("{purpose}.{scope}.{}-{number:08x}", stamp(at)), "vault": VAULT,
        "check": VAULT, "wrapped": wrapped,
    })
}

impl History {
    fn add(&mut self, event: &Event, id: &str, started: Timestamp) {
        let job = JOBS[event.job];
        let ended = started + SignedDuration::from_millis(event.took);
        let mut record = json!({
            "format": 1, "run": id, "job": job, "outcome": event.outcome, "started": started, "ended": ended,
            "source": source(),
        });
        if event.outcome == "succeeded" {
            record["summary"] = self.summary(event, id, started, ended);
        } else {
            record["error"] = json!([format!("{job} did not end well"), "because"]);
        }
        self.runs.push(record);
    }

    fn summary(&mut self, event: &Event, id: &str, started: Timestamp, ended: Timestamp) -> Value {
        let [one, two, three, four, five, six, seven, eight] = event.numbers;
        let [first, second, third, _] = event.choices;
        let list = |length: u64| {
            vec![json!({ "what": "something" }); usize::try_from(length % 5).unwrap()]
        };
        match JOBS[event.job] {
            "backup" => {
                let snapshot =
                    started + SignedDuration::from_millis(i64::try_from(one % 4000).unwrap());
                let totals = json!({
                    "tables": one % 90, "rows": two, "chunks": three, "raw_bytes": three, "stored_bytes": four, "new_bytes": five,
                });
                match first % 10 {
                    0 => {} // lost
                    1 => self.damaged.push(id.to_owned()),
                    2 | 3 => self.drop_it(id, started + 90.hours()),
                    _ => self.headers.push(json!({
                        "format": 1, "backup": id, "vault": VAULT, "source": source(), "started": started,
                        "snapshot": snapshot, "ended": ended, "totals": totals,
                        "key": "manifest.shared.20261101T060000Z-11223344", "body": 1000, "tool": "gorgen-backup 0.1.0",
                    })),
                }
                let mut told = totals;
                // As a later version might.
                told["more"] = json!(7);
                json!({ "backup": id, "snapshot": snapshot, "totals": told, "more": true })
            }
            "verify" => {
                // Of regular ones nothing is wrong.
                let is_regular = first == 9;
                let behind = [0, 86_399, 86_400, six % 200_000][usize::from(third % 4)];
                let replica = json!({
                    "objects": four, "missing": five % 3, "damaged": six % 2, "waiting": seven % 9,
                    "newest_backup": id, "behind_seconds": if is_regular { 0 } else { behind }, "problems": list(eight),
                });
                let whole = json!({
                    "objects": four, "missing": 0, "damaged": 0, "waiting": 0, "newest_backup": null,
                    "behind_seconds": if is_regular { json!(0) } else { Value::Null }, "problems": [],
                });
                let share = match second % 5 {
                    0 => Value::Null,
                    1 => json!({ "number": 1, "of": 8 }),
                    _ => json!({ "number": one % 4 + 1, "of": 4 }),
                };
                let share =
                    if is_regular { json!({ "number": one % 4 + 1, "of": 4 }) } else { share };
                json!({
                    "backups": list(two), "objects": two, "raw_bytes_read": three, "read_data": is_regular || third % 3 > 0,
                    "share": share, "problems": if is_regular || first % 2 == 0 { vec![] } else { list(four) },
                    "repaired": list(five),
                    "replica": if is_regular { whole } else { [replica, whole, Value::Null][usize::from(first % 3)].clone() },
                })
            }
            "restore-test" => {
                let phases = |names: &[&str]| -> Vec<Value> {
                    names
                        .iter()
                        .map(|name| json!({ "name": name, "seconds": (one % 100) as f64 / 4.0 }))
                        .collect()
                };
                let restore = json!({
                    "backup": id, "tables": list(two), "rows": three, "phases": phases(&["load"]),
                });
                let seconds =
                    [100.5, 14_399.9, 14_400.0, (six % 20_000) as f64][usize::from(second % 4)];
                match first % 3 {
                    // As they were told before they had turns.
                    0 if first != 9 => json!({ "restore": restore, "foreign_keys": four }),
                    _ => json!({
                        "turn": { "pick": "random", "place": "replica" }, "restore": restore, "foreign_keys": four,
                        "objects": five, "views": six, "phases": phases(&["open", "load", "prove"]),
                        "seconds": if first == 9 { 100.5 } else { seconds },
                    }),
                }
            }
            "cleanup" => json!({
                "rules": if first % 4 == 0 { "" } else { "daily=30" }, "kept": list(one), "dropped": list(two),
                "removed": { "objects": three, "bytes": four }, "still_locked": { "objects": five, "bytes": six },
                "locks_extended": seven, "problems": list(eight),
            }),
            "erase" => json!({
                "tenant": format!("t-{}", one % 9), "keys": list(two), "backups": list(three),
                "locked": (0..four % 3).map(|one| match first % 3 {
                    0 => json!({ "until": null }),
                    _ => json!({ "until": format!("2026-12-0{}T00:00:00Z", one + 1) }),
                }).collect::<Vec<_>>(),
            }),
            _ => Value::Null,
        }
    }

    /// A cleanup's word that it drops a backup.
    fn drop_it(&mut self, backup: &str, at: Timestamp) {
        let run = format!(
            "{}-{:08x}",
            stamp(at),
            0xdddd_0000_u32 + u32::try_from(self.cleanups.len()).unwrap()
        );
        self.cleanups.push(json!({
            "format": 1, "run": run, "at": at, "rules": "daily=30", "dropped": [{ "backup": backup, "why": "no rule keeps it" }],
        }));
    }

    /// Pins some of the backups that are there; every third one was taken back.
    fn pin(&mut self, which: &[u8]) {
        for (number, place) in which.iter().enumerate() {
            let Some(header) = self.headers.get(usize::from(*place) % self.headers.len().max(1))
            else {
                return;
            };
            let (id, since) = (header["backup"].clone(), header["ended"].clone());
            if self.pins.iter().all(|pin| pin["backup"] != id) {
                self.pins.push(json!({ "format": 1, "backup": id, "pinned": number % 3 != 2, "since": since, "reason": "mudança" }));
            }
        }
        self.pins.sort_by_key(|pin| pin["backup"].as_str().unwrap().to_owned());
    }
}
