//! Made-up months, as the records that jobs would have left.

use gorgen_engine::{
    jobs::report::{Proof, Records, Report},
    policy::month::Month,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What nobody should be able to smuggle into a page.
pub(crate) const HOSTILE: &str = r#"<script>alert("x")</script>&'"#;

pub(crate) fn zone() -> TimeZone {
    TimeZone::get("America/Sao_Paulo").unwrap()
}

pub(crate) fn proof() -> Proof {
    Proof {
        object: "reports/2026-11/20261201T080000Z-0a1b2c3d.json".to_owned(),
        sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
    }
}

/// November 2026 as these records tell it, on the first of December.
pub(crate) fn report(records: &Records) -> Report {
    let month: Month = "2026-11".parse().unwrap();
    Report::of(records, month, &zone(), "2026-12-01T08:00:00Z".parse().unwrap())
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// So many days and hours after the beginning of the month in Greenwich.
fn at(day: i64, hour: i64, minute: i64) -> Timestamp {
    let first: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    first + SignedDuration::from_mins(((day - 1) * 24 + hour) * 60 + minute)
}

fn id(at: Timestamp) -> String {
    format!("{}-4f2a91c3", at.strftime("%Y%m%dT%H%M%SZ"))
}

fn source() -> Value {
    json!({ "server": "gorgen.sa-east-1.rds.amazonaws.com:3306", "database": "gorgen" })
}

fn run(job: &str, started: Timestamp, seconds: i64, outcome: &str, more: &Value) -> Value {
    let mut record = json!({
        "format": 1, "run": id(started), "job": job, "outcome": outcome, "started": started,
        "ended": started + SignedDuration::from_secs(seconds), "source": source(),
    });
    let more = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(more);
    record
}

/// A vault of which nothing is known but that it is there.
pub(crate) fn empty() -> Records {
    Records {
        identity: read(json!({
            "format": 1, "vault": "00112233445566778899aabbccddeeff", "source": source(), "created": at(-200, 6, 0),
        })),
        runs: Vec::new(),
        headers: Vec::new(),
        damaged_backups: Vec::new(),
        cleanups: Vec::new(),
        restores: Vec::new(),
        audit: Vec::new(),
        pins: Vec::new(),
        keys: Vec::new(),
        unreadable: Vec::new(),
    }
}

fn totals(day: i64) -> Value {
    let grown = u64::try_from(day + 20).unwrap();
    json!({
        "tables": 76, "rows": 1_204_000 + grown * 900, "chunks": 410, "raw_bytes": 512_000_000 + grown * 1_300_000,
        "stored_bytes": 148_000_000 + grown * 390_000, "new_bytes": 2_100_000 + (grown % 7) * 640_000,
    })
}

fn header(day: i64) -> Value {
    let started = at(day, 6, 0);
    json!({
        "format": 1, "backup": id(started), "vault": "00112233445566778899aabbccddeeff", "source": source(),
        "started": started, "snapshot": started + SignedDuration::from_secs(1),
        "ended": started + SignedDuration::from_secs(64 + day % 5 * 7), "totals": totals(day),
        "key": "manifest.shared.20261101T060000Z-11223344", "body": 1000, "tool": "gorgen-backup 0.1.0",
    })
}

fn backup(day: i64) -> Value {
    let started = at(day, 6, 0);
    let snapshot = started + SignedDuration::from_secs(1);
    let summary = json!({ "summary": { "snapshot": snapshot, "totals": totals(day) } });
    run("backup", started, 64 + day % 5 * 7, "succeeded", &summary)
}

fn cleanup(day: i64) -> Value {
    run(
        "cleanup",
        at(day, 5, 0),
        9,
        "succeeded",
        &json!({ "summary": {
            "rules": "daily=30,weekly=12,monthly=12,yearly=20", "kept": [1, 2, 3, 4], "dropped": [],
            "removed": { "objects": 4, "bytes": 12_400_000 }, "still_locked": { "objects": 11, "bytes": 1 },
            "locks_extended": 37, "problems": [],
        }}),
    )
}

fn test(day: i64) -> Value {
    let phases = [
        ("open the backup", 1.2),
        ("create tables", 2.0),
        ("load rows", 91.4),
        ("build keys", 19.0),
        ("verify", 41.0),
        ("create views, triggers and routines", 0.4),
        ("follow foreign keys", 8.5),
        ("compare definitions and try views", 1.1),
        ("drop the scratch database", 0.7),
    ];
    let phases = phases.map(|(name, seconds)| json!({ "name": name, "seconds": seconds }));
    let pick = if day % 3 == 0 { "random" } else { "latest" };
    let place = if day % 2 == 0 { "replica" } else { "vault" };
    run(
        "restore-test",
        at(day, 7, 0),
        190,
        "succeeded",
        &json!({ "summary": {
            "turn": { "pick": pick, "place": place },
            "restore": {
                "backup": id(at(day, 6, 0)), "tables": vec![0; 76], "rows": 1_229_000, "phases": phases[1..6],
            },
            "foreign_keys": 87, "objects": 31, "views": 12, "phases": phases, "seconds": 168.0 + day as f64,
        }}),
    )
}

fn check(day: i64, share: i64) -> Value {
    run(
        "verify",
        at(day, 9, 0),
        41,
        "succeeded",
        &json!({ "summary": {
            "backups": vec![0; 40], "objects": 1804, "raw_bytes_read": 131_000_000, "read_data": true,
            "share": { "number": share, "of": 4 }, "problems": [], "repaired": [],
            "replica": { "objects": 1804, "missing": 0, "damaged": 0, "waiting": 0, "newest_backup": id(at(day, 6, 0)),
                "behind_seconds": 0, "problems": [] },
        }}),
    )
}

fn key(purpose: &str, scope: &str, made: Timestamp) -> Value {
    json!({
        "format": 1, "key": format!("{purpose}.{scope}.{}-11223344", made.strftime("%Y%m%dT%H%M%SZ")),
        "vault": "00112233445566778899aabbccddeeff", "check": "00112233445566778899aabbccddeeff",
        "wrapped": [{ "by": "kms", "ciphertext": "AAAA",
            "wrapping_key": "arn:aws:kms:sa-east-1:111122223333:key/mrk-4f2a91c30a1b2c3d4e5f60718293a4b5" }],
    })
}

fn call(number: i64, action: &str, verdict: &str, status: u16) -> Value {
    let at = at(1 + number % 28, 13, number % 60);
    json!({
        "format": 1, "entry": id(at), "at": at, "action": action, "verdict": verdict, "status": status,
        "caller": { "subject": "8d1f", "name": "Ana Lúcia Prado", "roles": ["admin"], "address": "203.0.113.7",
            "agent": "Mozilla/5.0 (X11; Linux x86_64)" },
        "about": id(at),
    })
}

/// A month in which all went as it should, but for one backup that was made up for.
pub(crate) fn full() -> Records {
    let mut runs: Vec<Value> = (-7..=31).map(cleanup).chain((-7..=31).map(backup)).collect();
    runs.retain(|run| run["started"].as_str() != Some(&at(17, 6, 0).to_string()));
    let mut late = backup(17);
    let at_nine = at(17, 9, 0);
    late["run"] = json!(id(at_nine));
    late["summary"]["snapshot"] = json!(at_nine);
    runs.push(late);
    runs.push(run("backup", at(17, 6, 0), 31, "failed", &json!({ "error": [
        "the database can't be read", "connection to gorgen.sa-east-1.rds.amazonaws.com:3306 refused" ] })));
    runs.extend([1, 8, 15, 22, 29].map(test));
    runs.extend(
        [(-5, 4), (2, 1), (9, 2), (16, 3), (23, 4), (30, 1)].map(|(day, share)| check(day, share)),
    );
    let mut headers: Vec<_> = (3..=30).filter(|day| *day != 17).map(header).collect();
    headers.insert(14, {
        let mut header = header(17);
        header["backup"] = json!(id(at_nine));
        for member in ["started", "snapshot", "ended"] {
            header[member] =
                json!(at_nine + SignedDuration::from_secs(i64::from(member == "ended") * 70));
        }
        header
    });
    let dropped =
        |day| json!({ "backup": id(at(day, 6, 0)), "why": "no rule keeps it any longer" });
    Records {
        runs: runs.into_iter().map(read).collect(),
        headers: headers.into_iter().map(read).collect(),
        cleanups: vec![read(json!({
            "format": 1, "run": id(at(30, 5, 0)), "at": at(30, 5, 0), "rules": "daily=30,weekly=12,monthly=12,yearly=20",
            "dropped": (-7..=2).map(dropped).collect::<Vec<_>>(),
        }))],
        restores: vec![read(json!({
            "format": 1, "restore": id(at(12, 14, 3)), "asked_by": "Ana Lúcia Prado", "stage": "restored",
            "wish": { "backup": "latest", "destination": { "to": "in-place" }, "tables": ["agendamentos"] },
            "backup": id(at(12, 6, 0)), "live": "restored", "requested": at(12, 14, 3), "updated": at(12, 14, 9),
            "undo_until": at(19, 14, 9),
        }))],
        audit: (0..24)
            .map(|number| match number % 6 {
                5 => call(number, "POST /v1/restores", "refused", 403),
                3 => call(number, "PATCH /v1/schedules/backup", "allowed", 200),
                _ => call(number, "POST /v1/backups", "allowed", 202),
            })
            .map(read)
            .collect(),
        pins: vec![read(json!({
            "format": 1, "backup": id(at(9, 6, 0)), "pinned": true, "since": at(10, 14, 0),
            "reason": "antes da migração do convênio",
        }))],
        keys: ["shared", "t-1", "t-2", "t-7"]
            .into_iter()
            .flat_map(|scope| {
                [
                    key("rows", scope, at(1, 6, 0)),
                    key("rows", scope, at(-30, 6, 0)),
                    key("naming", scope, at(-200, 6, 0)),
                ]
            })
            .chain([
                key("manifest", "shared", at(1, 6, 0)),
                key("manifest", "shared", at(-30, 6, 0)),
            ])
            .map(read)
            .collect(),
        ..empty()
    }
}

/// The same month, with so many calls in it.
pub(crate) fn busy(calls: i64) -> Records {
    let calls = (0..calls).map(|number| match number % 7 {
        6 => call(number, "POST /v1/restores/20261112T140300Z-4f2a91c3/promote", "refused", 403),
        5 => call(number, "PATCH /v1/schedules/backup", "failed", 503),
        _ => call(number, "POST /v1/backups", "allowed", 202),
    });
    let calls = calls.zip(0..).map(|(mut call, number)| {
        let at = at(1, 8, 35 * number);
        (call["at"], call["entry"]) = (json!(at), json!(id(at)));
        call
    });
    Records { audit: calls.map(read).collect(), ..full() }
}

/// A month in which much went wrong, told by hostile names.
pub(crate) fn bad() -> Records {
    bad_by(HOSTILE)
}

/// The same, told by these names.
pub(crate) fn bad_by(hostile: &str) -> Records {
    let full = full();
    let mut broken = check(16, 3);
    broken["summary"]["problems"] =
        json!([{ "object": "packs/x.pack", "what": "missing", "backups": [] }]);
    broken["summary"]["replica"]["missing"] = json!(3);
    broken["summary"]["replica"]["behind_seconds"] = json!(183_600);
    let mut slow = test(8);
    slow["summary"]["seconds"] = json!(15_900.0);
    let fails = |day| {
        run(
            "backup",
            at(day, 6, 0),
            31,
            "failed",
            &json!({ "error": ["the database can't be read", hostile] }),
        )
    };
    let died = run(
        "backup",
        at(26, 6, 0),
        900,
        "died",
        &json!({ "error": ["the run ended without giving its lock back"] }),
    );
    let test_failed = run(
        "restore-test",
        at(22, 7, 0),
        71,
        "failed",
        &json!({
            "error": ["table consultas is not equal"],
            "summary": { "backup": id(at(20, 6, 0)), "turn": { "pick": "random", "place": "replica" }, "why": "it was its turn" },
        }),
    );
    let kept = (1..=20).filter(|day| *day != 9);
    let runs =
        kept.clone().map(backup).chain(kept.clone().map(cleanup)).chain((21..=25).map(fails));
    let mut audit: Vec<Value> =
        (0..3).map(|number| call(number, "POST /v1/restores", "refused", 403)).collect();
    audit[0]["caller"]["name"] = json!(hostile);
    audit[0]["caller"]["agent"] = json!(hostile);
    audit[1]["reason"] = json!(hostile);
    Records {
        identity: read(json!({
            "format": 1, "vault": "00112233445566778899aabbccddeeff", "created": at(-200, 6, 0),
            "source": { "server": "db:3306", "database": hostile },
        })),
        runs: runs.chain([broken, slow, died, test_failed]).map(read).collect(),
        headers: kept.filter(|day| *day != 7).map(header).map(read).collect(),
        restores: vec![read(json!({
            "format": 1, "restore": id(at(12, 14, 3)), "asked_by": hostile, "stage": "failed",
            "wish": { "backup": "latest", "destination": { "to": "in-place" }, "tables": [hostile], "tenant": hostile },
            "live": "untouched", "requested": at(12, 14, 3), "updated": at(12, 14, 9),
        }))],
        audit: audit.into_iter().map(read).collect(),
        pins: vec![read(json!({
            "format": 1, "backup": id(at(10, 6, 0)), "pinned": true, "since": at(10, 14, 0), "reason": hostile,
        }))],
        unreadable: vec![format!("manifests/{hostile}: its digest is wrong")],
        keys: full.keys,
        ..empty()
    }
}
