//! What can be seen.

use gorgen_engine::{
    jobs::{backups, report},
    model::{ObjectName, RunId, SourceIdentity},
    ports::Copied,
    records::restore::{Lap, Stage, Verified},
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::house::{ADMIN, House, Reply, event};

fn ids(reply: &Reply, list: &str, id: &str) -> Vec<String> {
    let items = reply.body[list].as_array().unwrap();
    items.iter().map(|item| item[id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_given_the_newest_first_a_page_at_a_time() {
    let house = House::with_backups(3).await;
    for _ in 0..3 {
        house.restore_at(Stage::Staged).await;
        house.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    for (list, id) in [("backups", "backup"), ("runs", "run"), ("restores", "restore")] {
        let all = house.get(&format!("/v1/{list}")).await;
        assert_eq!((all.status, &all.body["next"]), (200, &Value::Null));
        let all = ids(&all, list, id);
        assert!(all.is_sorted_by(|a, b| a > b) && all.len() == 3, "{all:?}");
        let first = house.get(&format!("/v1/{list}?limit=2")).await;
        assert_eq!(ids(&first, list, id), all[..2]);
        let next = first.body["next"].as_str().unwrap();
        let rest = house.get(&format!("/v1/{list}?limit=2&before={next}")).await;
        assert_eq!(ids(&rest, list, id), all[2..]);
        assert_eq!(rest.body["next"], Value::Null);
        let one = house.get(&format!("/v1/{list}/{}", all[1])).await;
        assert_eq!((one.status, one.body[id].as_str()), (200, Some(all[1].as_str())));
    }
    let latest = house.get("/v1/backups/latest").await;
    assert_eq!(latest.body["rows"], 1);
}

#[tokio::test]
async fn damaged_records_spoil_no_list() {
    let house = House::with_backups(1).await;
    let restore = house.restore_at(Stage::Staged).await;
    let backup: RunId = house.get("/v1/backups").await.body["backups"][0]["backup"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    for name in
        [ObjectName::restore(&restore), ObjectName::run(&backup), ObjectName::manifest(&backup)]
    {
        house.vault.corrupt(&name, |bytes| bytes[40] ^= 1);
    }
    for list in ["backups", "runs", "restores"] {
        let listed = house.get(&format!("/v1/{list}")).await;
        assert!(listed.body[list][0]["problem"].is_string(), "{listed:?}");
    }
    let status = house.get("/v1/status").await;
    let problems = status.body["problems"].to_string();
    for what in ["Backup 2026", "The record of run 2026", "The record of restore 2026"] {
        assert!(problems.contains(what), "{what}: {problems}");
    }
    assert_eq!(house.get(&format!("/v1/restores/{restore}")).await.status, 500);
}

#[tokio::test]
async fn a_restore_is_shown_with_all_that_is_known_of_it() {
    let house = House::with_backups(1).await;
    let id = house.restore_at(Stage::Restored).await;
    house
        .change(&id, |record| {
            let now = record.requested;
            let digest = json!({ "rows": 1, "bytes": 2, "sum": "0".repeat(32) });
            let digest = serde_json::from_value(digest).unwrap();
            record.asked_by = Some("maria".to_owned());
            record.backup = Some(record.restore.clone());
            record.safety_backup = Some(record.restore.clone());
            record.target = Some(SourceIdentity {
                server: "db:3306".to_owned(),
                database: "clinica".to_owned(),
            });
            record.staging = Some("clinica__restore_4f2a91c3".to_owned());
            record.before = Some("clinica__before_4f2a91c3".to_owned());
            record.undo_until = Some(now);
            record.plan = Some(json!({ "tables": [] }));
            record.verified = vec![Verified { table: "pacientes".to_owned(), digest }];
            record.laps = vec![Lap { name: "load".to_owned(), ended: now, seconds: 1.5 }];
            record.warnings = vec!["a view was left out".to_owned()];
            record.error = vec!["the connection was lost".to_owned()];
            record.kept = vec!["user_sessions".to_owned()];
            record.emptied = record.kept.clone();
            record.merged = vec!["audit_log".to_owned()];
            record.wish.tables = vec!["pacientes".to_owned()];
            record.wish.tenant = Some("7".to_owned());
        })
        .await;
    let shown = house.get(&format!("/v1/restores/{id}")).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body["verified"][0]["table"], "pacientes");
    assert_eq!(shown.body["format"], Value::Null);
}

#[tokio::test]
async fn the_status_tells_what_there_is_and_what_to_do() {
    let house = House::with_backups(2).await;
    let staged = house.restore_at(Stage::Staged).await;
    house.restore_at(Stage::Undone).await;
    let status = house.get("/v1/status").await.body;
    assert_eq!(status["newest_backup"]["age_seconds"], 24 * 3600);
    assert_eq!(status["last_runs"][0]["job"], "backup");
    assert_eq!(status["restores"].as_array().unwrap().len(), 1);
    assert_eq!(status["restores"][0]["restore"], staged.as_str());
    assert!(status["restores"][0]["advice"].as_str().unwrap().contains("promote it, or cancel it"));
    assert_eq!(
        status["schedules"],
        json!([
            {
                "name": "backup", "expression": "cron(0 3 * * ? *)", "time_zone": "America/Sao_Paulo",
                "enabled": true, "next": "2026-11-26T06:00:00Z", "next_there": "2026-11-26T03:00:00-03:00",
            },
            {
                "name": "cleanup", "expression": "cron(0 2 * * ? *)", "time_zone": "America/Sao_Paulo",
                "enabled": false, "next": null, "next_there": null,
            },
            {
                "name": "often", "expression": "rate(5 minutes)", "time_zone": "America/Sao_Paulo",
                "enabled": true, "next": null, "next_there": null,
            },
        ])
    );
    assert_eq!(status["problems"], json!(["The schedule cleanup is switched off."]));
}

#[tokio::test]
async fn the_status_tells_how_far_the_copy_in_the_second_region_is() {
    let house = House::with_backups(3).await;
    assert_eq!(house.get("/v1/status").await.body["replica"], Value::Null, "there is none");
    let ids = backups::ids(&house.vault).await.unwrap();
    let [first, second, third] = &ids[..] else { panic!("three backups") };
    let say = |id, copied| house.vault.set_copied(&ObjectName::manifest(id), copied);
    for id in &ids {
        say(id, Copied::Done);
    }
    let status = house.get("/v1/status").await.body;
    let replica = |state, newest, missing, behind| json!({ "state": state, "newest_backup": newest, "missing": missing, "behind_seconds": behind });
    assert_eq!(status["replica"], replica("complete", json!(third), json!([]), 0));
    let quiet = status["problems"].clone();

    say(third, Copied::Waiting);
    let status = house.get("/v1/status").await.body;
    assert_eq!(
        status["replica"],
        replica("behind", json!(second), json!([third]), 24 * 3600),
        "the last of them was made a day ago"
    );
    assert!(status["problems"].to_string().contains("is 1440 minutes behind"), "{status}");

    say(third, Copied::Done);
    say(first, Copied::Failed);
    let status = house.get("/v1/status").await.body;
    assert_eq!(status["replica"]["state"], "failed");
    assert!(status["problems"].to_string().contains(&format!("lacks backup {first}")), "{status}");
    assert_ne!(status["problems"], quiet);
}

#[tokio::test]
async fn the_status_is_told_without_what_does_not_answer() {
    let mut house = House::new();
    let status = house.get("/v1/status").await.body;
    assert_eq!(status["newest_backup"], Value::Null);
    assert_eq!(status["problems"][0], "There is no backup: start one.");
    *house.aws.fails.lock().unwrap() = Some(true);
    let unread = "The schedules can't be read: the function's log has the reason.";
    for bare in [false, true] {
        house.bare = bare;
        let status = house.get("/v1/status").await.body;
        assert_eq!(status["schedules"], Value::Null);
        assert!(status["problems"].as_array().unwrap().contains(&json!(unread)), "{status}");
    }
}

#[tokio::test]
async fn a_month_is_told_as_the_job_tells_it_and_leaves_no_run() {
    let house = House::with_backups(2).await;
    let objects = house.vault.objects().len();
    let told = house.get("/v1/reports/2026-11").await;
    assert_eq!(told.body["backups"].as_array().unwrap().len(), 2);
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let month = "2026-11".parse().unwrap();
    let expected =
        report::look(&house.vault, month, &zone, house.world().clock.now()).await.unwrap();
    assert_eq!(told.body, serde_json::to_value(expected).unwrap());
    assert_eq!(house.vault.objects().len(), objects);
    assert_eq!(house.get("/v1/reports/2026-12").await.detail(), "2026-12 has not begun");
    for month in ["2026-13", "2026-1", "x"] {
        assert_eq!(house.get(&format!("/v1/reports/{month}")).await.status, 400, "{month}");
    }
    assert_eq!(House::new().get("/v1/reports/2026-10").await.status, 404, "no vault yet");
}

#[tokio::test]
async fn an_empty_event_asks_how_things_are() {
    let house = House::with_backups(1).await;
    let asked = house.send_event(json!({})).await.unwrap();
    assert_eq!((asked.status, asked.body), (200, house.get("/v1/status").await.body));
}

#[tokio::test]
async fn the_events_of_the_console_are_understood() {
    let house = House::with_backups(1).await;
    for text in [
        include_str!("../../events/console.json"),
        include_str!("../../events/list-backups.json"),
        include_str!("../../events/plan-restore.json"),
    ] {
        let reply = house.send_event(serde_json::from_str(text).unwrap()).await.unwrap();
        assert!(reply.status < 300, "{reply:?}");
    }
}

#[tokio::test]
async fn an_event_that_is_no_request_is_said_to_be_none() {
    let house = House::new();
    let mut strange = event(ADMIN, "GET", "/v1/status");
    strange["requestContext"]["http"]["method"] = json!("G E T");
    for event in [json!({ "backup": "latest" }), json!({ "rawPath": "/" }), strange] {
        let failure = house.send_event(event).await.unwrap_err();
        assert_eq!(failure.kind, gorgen_function::ErrorType::InvalidEvent);
    }
}
