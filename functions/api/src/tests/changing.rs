//! What can be begun, what it begins, and what the trail says of it.

use gorgen_engine::{
    jobs::restores,
    model::RunId,
    records::{
        audit::Verdict,
        restore::{Destination, Stage, Wish},
    },
    testing::Fault,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::house::{ADMIN, House, MASTER, NOBODY, Reply};

fn restore_of(reply: &Reply) -> RunId {
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.body["restore"].as_str().unwrap().parse().unwrap()
}

/// What a body is understood as.
async fn wish(house: &House, body: Value) -> Wish {
    let id = restore_of(&house.post("/v1/restores", &body).await);
    house.change(&id, |record| record.stage = Stage::Cancelled).await;
    restores::find(&house.vault, &id).await.unwrap().wish
}

#[tokio::test]
async fn a_restore_is_written_down_then_begun() {
    let house = House::with_backups(1).await;
    let wanted = json!({
        "backup": "latest", "mode": "in-place", "confirm": "RESTAURAR", "tenant": "7",
        "tables": ["pacientes"], "safety_backup": false, "accept_orphans": true,
    });
    let asked = house.post("/v1/restores", &wanted).await;
    let id = restore_of(&asked);
    assert_eq!(asked.body, json!({ "restore": id, "stage": "requested" }));
    assert_eq!(asked.headers["location"], format!("/v1/restores/{id}"));
    let record = restores::find(&house.vault, &id).await.unwrap();
    assert_eq!(
        (record.stage, record.asked_by.as_deref()),
        (Stage::Requested, Some("maria@clinica.example"))
    );
    assert_eq!(
        record.wish,
        Wish {
            backup: "latest".to_owned(),
            destination: Destination::InPlace { stage_only: false },
            tables: vec!["pacientes".to_owned()],
            tenant: Some("7".to_owned()),
            no_safety_backup: true,
            accept_orphans: true,
            dry_run: false,
        }
    );
    let begun = format!(r#"start {id}-restore {{"action":"restore","restore":"{id}"}}"#);
    assert_eq!(house.take_asked(), [begun]);
    let [kept] = &house.trail()[..] else { panic!("one record") };
    assert_eq!(
        (kept.action.as_str(), kept.verdict, kept.status),
        ("POST /v1/restores", Verdict::Allowed, 202)
    );
    assert_eq!(kept.request, Some(wanted));
    assert_eq!((kept.about.as_deref(), &kept.reason), (Some(id.as_str()), &None));
    let caller = serde_json::to_value(&kept.caller).unwrap();
    assert_eq!(
        caller,
        json!({
            "subject": "5a1e", "name": "maria@clinica.example", "roles": ["staff", "admin_master"],
            "address": "203.0.113.7", "agent": "curl/8",
        })
    );
}

#[tokio::test]
async fn every_mode_is_the_wish_it_stands_for() {
    let house = House::with_backups(1).await;
    let to = async |body| {
        let wish = wish(&house, body).await;
        (wish.destination, wish.dry_run, wish.no_safety_backup)
    };
    let in_place = |stage_only| Destination::InPlace { stage_only };
    let database =
        |on_scratch| Destination::Database { database: "passado".to_owned(), on_scratch };
    for (body, destination, dry_run) in [
        (json!({ "mode": "in-place", "confirm": "RESTAURAR" }), in_place(false), false),
        (json!({ "mode": "stage" }), in_place(true), false),
        (json!({ "mode": "plan" }), in_place(false), true),
        (json!({ "mode": "plan", "database": "passado" }), database(false), true),
        (json!({ "mode": "database", "database": "passado" }), database(false), false),
        (
            json!({ "mode": "database", "database": "passado", "server": "primary" }),
            database(false),
            false,
        ),
        (
            json!({ "mode": "database", "database": "passado", "server": "scratch" }),
            database(true),
            false,
        ),
    ] {
        let mut body = body;
        body["backup"] = json!("latest");
        assert_eq!(to(body.clone()).await, (destination, dry_run, false), "{body}");
    }
}

#[tokio::test]
async fn a_restore_goes_on_from_the_stages_where_it_can() {
    let house = House::with_backups(1).await;
    let confirmed = json!({ "confirm": "RESTAURAR" });
    for (action, possible) in [
        ("promote", vec![Stage::Staged, Stage::Promoting, Stage::Undone]),
        ("undo", vec![Stage::Restored, Stage::Undoing]),
        ("cancel", vec![Stage::Requested, Stage::Loading, Stage::Staged]),
    ] {
        let body = if action == "cancel" { json!({}) } else { confirmed.clone() };
        for stage in [
            Stage::Requested,
            Stage::Planned,
            Stage::Loading,
            Stage::Staged,
            Stage::Promoting,
            Stage::Restored,
            Stage::Undoing,
            Stage::Undone,
            Stage::Cancelled,
            Stage::Failed,
        ] {
            let id = house.restore_at(stage).await;
            let path = format!("/v1/restores/{id}/{action}");
            let reply = house.post(&path, &body).await;
            let asked = house.take_asked();
            if possible.contains(&stage) {
                assert_eq!(restore_of(&reply), id);
                assert!(asked[0].starts_with(&format!("start {id}-{action}-2026")), "{asked:?}");
                assert!(
                    asked[0].ends_with(&format!(r#"{{"action":"{action}","restore":"{id}"}}"#))
                );
                assert!(
                    asked[0].split(' ').nth(1).unwrap().len() <= 80,
                    "the longest name of an execution"
                );
                let again = house.post(&path, &body).await;
                assert_eq!(again.status, 202);
                assert_ne!(house.take_asked(), asked, "another execution");
            } else {
                assert_eq!(reply.status, 409, "{action} at {stage:?}");
                assert!(
                    reply.detail().contains(&format!("is {}: {action}", stage.as_str())),
                    "{reply:?}"
                );
                assert!(asked.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn what_was_dropped_is_not_undone() {
    let house = House::with_backups(1).await;
    let id = house.restore_at(Stage::Restored).await;
    let (path, body) = (format!("/v1/restores/{id}/undo"), json!({ "confirm": "RESTAURAR" }));
    house.change(&id, |record| record.dropped = true).await;
    let reply = house.post(&path, &body).await;
    assert_eq!(reply.status, 409);
    assert!(reply.detail().contains("its old tables were dropped"), "{reply:?}");
    let elsewhere = Destination::Database { database: "passado".to_owned(), on_scratch: false };
    house.change(&id, |record| record.wish.destination = elsewhere.clone()).await;
    let reply = house.post(&path, &body).await;
    assert_eq!(reply.status, 409);
    assert!(reply.detail().contains("a database of its own"), "{reply:?}");
    assert!(house.take_asked().is_empty());
}

#[tokio::test]
async fn jobs_are_started_with_what_they_take() {
    let house = House::with_backups(1).await;
    for (body, asked) in [
        (json!({ "job": "backup" }), "invoke backup {}"),
        (json!({ "job": "verify" }), "invoke verify {}"),
        (
            json!({ "job": "verify", "backup": "latest", "read_data": true }),
            r#"invoke verify {"backup":"latest","read_data":true}"#,
        ),
        (json!({ "job": "report", "month": "2026-10" }), r#"invoke report {"month":"2026-10"}"#),
        (json!({ "job": "cleanup" }), "invoke cleanup {}"),
    ] {
        let reply = house.post("/v1/runs", &body).await;
        assert_eq!((reply.status, &reply.body["job"]), (202, &body["job"]), "{reply:?}");
        assert_eq!(house.take_asked(), [asked]);
    }
    // Nothing to choose, so nothing to send.
    let reply = house.send(ADMIN, "POST", "/v1/backups", &[], None).await;
    assert_eq!(reply.status, 202);
    assert_eq!(house.take_asked(), ["invoke backup {}"]);
    assert_eq!(house.post("/v1/backups", &Value::Null).await.status, 202);
    let abouts: Vec<_> = house.trail().into_iter().filter_map(|record| record.about).collect();
    assert_eq!(abouts.iter().filter(|about| *about == "backup").count(), 3);
}

#[tokio::test]
async fn a_restore_test_is_taken_through_its_steps_and_the_same_request_is_one_test() {
    let house = House::with_backups(1).await;
    let body = json!({ "job": "restore-test", "backup": "latest" });
    for _ in 0..2 {
        let reply = house.post_once("/v1/runs", "once", &body).await;
        assert_eq!((reply.status, &reply.body["job"]), (202, &body["job"]), "{reply:?}");
    }
    let asked = house.take_asked();
    let [started] = asked.as_slice() else { panic!("{asked:?}") };
    let input = started.strip_prefix("start ").unwrap().split_once("-restore-test ").unwrap().1;
    assert_eq!(input, r#"{"backup":"latest"}"#);
    let reply = house.post("/v1/runs", &json!({ "job": "restore-test", "backup": null })).await;
    assert_eq!(reply.status, 202);
    assert!(house.take_asked()[0].ends_with("-restore-test {}"));
}

#[tokio::test]
async fn a_schedule_is_switched_and_shown_as_it_is_then() {
    let house = House::new();
    let switch = async |enabled: bool| {
        house.ask(MASTER, "PATCH", "/v1/schedules/backup", &json!({ "enabled": enabled })).await
    };
    let off = switch(false).await;
    assert_eq!(
        (off.status, &off.body["enabled"], &off.body["next"]),
        (200, &json!(false), &Value::Null)
    );
    let on = switch(true).await;
    assert_eq!((on.status, &on.body["next"]), (200, &json!("2026-11-24T06:00:00Z")));
    assert_eq!(
        house.take_asked(),
        ["switch gorgen-prod-backup false", "switch gorgen-prod-backup true"]
    );
    assert_eq!(house.take_trail(), ["PATCH /v1/schedules/backup allowed 200"; 2]);
}

/// Every call that changes something, each with what it needs to be allowed.
async fn changes(house: &House) -> Vec<(&'static str, String, Value, bool)> {
    let staged = house.restore_at(Stage::Staged).await;
    let restored = house.restore_at(Stage::Restored).await;
    let confirmed = json!({ "confirm": "RESTAURAR" });
    vec![
        ("POST", "/v1/backups".to_owned(), json!({}), true),
        ("POST", "/v1/runs".to_owned(), json!({ "job": "backup" }), true),
        ("POST", "/v1/runs".to_owned(), json!({ "job": "verify" }), true),
        ("POST", "/v1/runs".to_owned(), json!({ "job": "report" }), true),
        ("POST", "/v1/runs".to_owned(), json!({ "job": "restore-test" }), true),
        ("POST", "/v1/runs".to_owned(), json!({ "job": "cleanup" }), false),
        ("POST", "/v1/restores".to_owned(), json!({ "backup": "latest", "mode": "plan" }), false),
        ("POST", format!("/v1/restores/{staged}/promote"), confirmed.clone(), false),
        ("POST", format!("/v1/restores/{restored}/undo"), confirmed, false),
        ("POST", format!("/v1/restores/{staged}/cancel"), json!({}), false),
        ("PATCH", "/v1/schedules/backup".to_owned(), json!({ "enabled": false }), false),
    ]
}

#[tokio::test]
async fn every_change_needs_its_role_and_is_recorded_whatever_comes_of_it() {
    let house = House::with_backups(1).await;
    for (method, path, body, admin_may) in changes(&house).await {
        let success = if method == "PATCH" { 200 } else { 202 };
        for (roles, may) in [(NOBODY, false), (ADMIN, admin_may), (MASTER, true)] {
            let (objects, call) = (house.vault.objects().len(), format!("{method} {path}"));
            let reply = house.ask(roles, method, &path, &body).await;
            if may {
                assert_eq!(reply.status, success, "{call} by {roles}: {reply:?}");
                assert_eq!(house.take_asked().len(), 1);
                assert_eq!(house.take_trail(), [format!("{call} allowed {success}")]);
            } else {
                assert_eq!(reply.status, 403, "{call} by {roles}: {reply:?}");
                assert!(reply.detail().starts_with("this needs the role admin"));
                assert!(house.take_asked().is_empty());
                assert_eq!(house.take_trail(), [format!("{call} refused 403")]);
                assert_eq!(house.vault.objects().len(), objects);
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_begun() {
    let house = House::with_backups(1).await;
    for (method, path, body, _) in changes(&house).await {
        let before = house.vault.objects();
        // The trail is the first thing that is written.
        *house.fault.lock().unwrap() = Some((1, Fault::Outage));
        let reply = house.ask(MASTER, method, &path, &body).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(reply.detail().contains("could not be recorded"), "{reply:?}");
        assert!(house.take_asked().is_empty(), "{method} {path}");
        assert_eq!(house.vault.objects(), before);
        // Nor is a refusal given that nobody could read of.
        *house.fault.lock().unwrap() = Some((1, Fault::Outage));
        assert_eq!(house.ask(NOBODY, method, &path, &body).await.status, 503);
    }
}

#[tokio::test]
async fn what_fails_is_recorded_as_allowed_and_then_as_failed() {
    let mut house = House::with_backups(1).await;
    let changes = changes(&house).await;
    for (fails, bare, status) in
        [(Some(true), false, 503), (Some(false), false, 500), (None, true, 500)]
    {
        (*house.aws.fails.lock().unwrap(), house.bare) = (fails, bare);
        for (method, path, body, _) in &changes {
            let reply = house.ask(MASTER, method, path, body).await;
            assert_eq!(reply.status, status, "{reply:?}");
            let told = reply.body.to_string();
            assert!(!told.contains("arn:") && !told.contains("GORGEN"), "{told}");
            let success = if *method == "PATCH" { 200 } else { 202 };
            let failed = format!("{method} {path} failed {status}");
            // Without its settings a schedule is not even looked for.
            if bare && *method == "PATCH" {
                assert_eq!(house.take_trail(), [failed]);
            } else {
                assert_eq!(
                    house.take_trail(),
                    [format!("{method} {path} allowed {success}"), failed]
                );
            }
        }
    }
}

#[tokio::test]
async fn beside_a_restore_at_work_no_other_is_begun() {
    let house = House::with_backups(1).await;
    let other = house.restore_at(Stage::Requested).await;
    let modes = [
        (json!({ "mode": "in-place", "confirm": "RESTAURAR" }), 409),
        (json!({ "mode": "stage" }), 409),
        (json!({ "mode": "plan" }), 202),
        (json!({ "mode": "database", "database": "passado" }), 202),
    ];
    for stage in [Stage::Requested, Stage::Loading, Stage::Promoting, Stage::Undoing] {
        house.change(&other, |record| record.stage = stage).await;
        for (mut body, status) in modes.clone() {
            body["backup"] = json!("latest");
            let reply = house.post("/v1/restores", &body).await;
            assert_eq!(reply.status, status, "beside one {stage:?}: {body}");
            if status == 409 {
                let told = format!("restore {other} is in the way, it is {}. ", stage.as_str());
                assert!(reply.detail().starts_with(&told), "{reply:?}");
                assert_eq!(house.take_trail(), ["POST /v1/restores refused 409"]);
            }
            house.take_trail();
        }
    }
    assert_eq!(house.take_asked().len(), 8);
    // What never began is not waited for; what was cut off has to be finished first.
    house.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(
        house.post("/v1/restores", &json!({ "backup": "latest", "mode": "stage" })).await.status,
        409
    );
    let id = house.restore_at(Stage::Requested).await;
    house.change(&other, |record| record.stage = Stage::Failed).await;
    house.clock.advance(SignedDuration::from_mins(61));
    let begun = house.post("/v1/restores", &json!({ "backup": "latest", "mode": "stage" })).await;
    assert_ne!(restore_of(&begun), id);
}

#[tokio::test]
async fn a_restore_that_aws_refuses_to_start_has_failed_and_is_in_nobodys_way() {
    let house = House::with_backups(1).await;
    let wish = json!({ "backup": "latest", "mode": "stage" });
    *house.aws.fails.lock().unwrap() = Some(false);
    assert_eq!(house.post_once("/v1/restores", "k1", &wish).await.status, 500);
    let [id] = &restores::ids(&house.vault).await.unwrap()[..] else { panic!("one restore") };
    let record = restores::find(&house.vault, id).await.unwrap();
    assert_eq!(record.stage, Stage::Failed);
    assert_eq!(record.error, ["the state machine of restores could not be started"]);
    *house.aws.fails.lock().unwrap() = None;
    house.clock.advance(SignedDuration::from_secs(1));
    let again = house.post_once("/v1/restores", "k1", &wish).await;
    assert_ne!(restore_of(&again), *id, "under the same key, as another");
    assert_eq!(house.post_once("/v1/restores", "k1", &wish).await, again);
}

#[tokio::test]
async fn a_change_to_what_is_no_text_is_refused_like_any_other() {
    let house = House::with_backups(1).await;
    let confirmed = json!({ "confirm": "RESTAURAR" });
    for (method, path, body, status) in [
        ("POST", "/v1/restores/%FF/promote", &confirmed, 400),
        ("POST", "/v1/restores/%FF/undo", &confirmed, 400),
        ("POST", "/v1/restores/%FF/cancel", &json!({}), 400),
        ("PATCH", "/v1/schedules/%FF", &json!({ "enabled": true }), 404),
    ] {
        for (roles, status) in [(NOBODY, 403), (ADMIN, 403), (MASTER, status)] {
            let reply = house.ask(roles, method, path, body).await;
            assert_eq!(reply.status, status, "{reply:?}");
            assert_eq!(house.take_trail(), [format!("{method} {path} refused {status}")]);
        }
    }
}

#[tokio::test]
async fn a_restore_that_could_not_be_written_down_is_not_started() {
    let house = House::with_backups(1).await;
    *house.fault.lock().unwrap() = Some((2, Fault::Before));
    let reply = house.post("/v1/restores", &json!({ "backup": "latest", "mode": "stage" })).await;
    assert_eq!(reply.status, 503);
    assert!(house.take_asked().is_empty());
    assert_eq!(
        house.take_trail(),
        ["POST /v1/restores allowed 202", "POST /v1/restores failed 503"]
    );
}
