//! What is wrong with a request, and how it is told.

use std::fmt::Write;

use serde_json::{Value, json};

use super::house::{ADMIN, House, MASTER, NOBODY, Reply, event};

const NONE: &str = "20200101T000000Z-00000000";

/// Status and detail of problems, a line each, for a snapshot.
struct Told(String);

impl Told {
    fn add(&mut self, asked: &str, reply: &Reply) {
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert_eq!(reply.body["type"], "about:blank");
        assert_eq!(reply.body["status"], reply.status);
        let title = reply.body["title"].as_str().unwrap();
        writeln!(self.0, "{asked}\n    {} {title}: {}", reply.status, reply.detail()).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_told() {
    let house = House::with_backups(1).await;
    let mut told = Told(String::new());
    for path in [
        "/",
        "/v1/nothing",
        "/v1/backups/",
        "/v1/backups?limit=0",
        "/v1/backups?limit=101",
        "/v1/backups?limit=1&limit=2",
        "/v1/backups?page=2",
        "/v1/runs?before=x",
        "/v1/status?verbose",
        "/v1/backups/x",
        &format!("/v1/backups/{NONE}"),
        "/v1/runs/x",
        &format!("/v1/runs/{NONE}"),
        "/v1/restores/latest",
        &format!("/v1/restores/{NONE}"),
        "/v1/restores/%FF",
        "/v1/restores/é \"<",
        "/v1/reports/october",
    ] {
        told.add(&format!("GET {path}"), &house.get(path).await);
    }
    for (method, path) in
        [("DELETE", "/v1/backups"), ("POST", "/v1/status"), ("PUT", "/v1/schedules/backup")]
    {
        let reply = house.send(MASTER, method, path, &[], None).await;
        assert!(reply.headers["allow"].is_string());
        told.add(&format!("{method} {path}"), &reply);
    }
    insta::assert_snapshot!(told.0);
    assert!(house.trail().is_empty(), "nothing was to be changed");
}

#[tokio::test]
async fn a_body_that_cannot_be_is_told_and_recorded() {
    let house = House::with_backups(1).await;
    let mut told = Told(String::new());
    let json_kind = ("content-type", "application/json");
    let large = format!("{{\"backup\":\"{}\"}}", "x".repeat(16 * 1024));
    let deep = "[".repeat(500);
    for (what, headers, body) in [
        ("no body", vec![], None),
        ("nothing in it", vec![json_kind], Some("")),
        ("a body without a kind", vec![], Some("{}")),
        ("a form", vec![("content-type", "application/x-www-form-urlencoded")], Some("a=1")),
        ("half", vec![json_kind], Some("{\"backup\":")),
        ("a list", vec![json_kind], Some("[\"latest\",\"plan\"]")),
        ("nothing", vec![json_kind], Some("null")),
        ("too deep", vec![json_kind], Some(deep.as_str())),
        ("too large", vec![json_kind], Some(large.as_str())),
        (
            "a bad key",
            vec![json_kind, ("idempotency-key", "a b")],
            Some("{\"backup\":\"latest\",\"mode\":\"plan\"}"),
        ),
        (
            "an odd key",
            vec![json_kind, ("idempotency-key", "ção")],
            Some("{\"backup\":\"latest\",\"mode\":\"plan\"}"),
        ),
    ] {
        let reply = house.send(MASTER, "POST", "/v1/restores", &headers, body).await;
        told.add(what, &reply);
        assert_eq!(house.take_trail(), [format!("POST /v1/restores refused {}", reply.status)]);
    }
    let reply = house.ask(MASTER, "POST", "/v1/restores?dry_run=1", &json!({})).await;
    told.add("a parameter", &reply);
    insta::assert_snapshot!(told.0);
    assert!(house.take_asked().is_empty());
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_told_and_recorded() {
    let house = House::with_backups(1).await;
    let mut told = Told(String::new());
    let long = "x".repeat(65);
    let many: Vec<_> = (0..1001).map(|number| format!("t{number}")).collect();
    let restores = [
        json!({}),
        json!({ "backup": "latest" }),
        json!({ "backup": "latest", "mode": "replace" }),
        json!({ "backup": "latest", "mode": "plan", "dryrun": true }),
        json!({ "backup": "newest", "mode": "plan" }),
        json!({ "backup": NONE, "mode": "plan" }),
        json!({ "backup": "latest", "mode": "in-place" }),
        json!({ "backup": "latest", "mode": "in-place", "confirm": "restaurar" }),
        json!({ "backup": "latest", "mode": "in-place", "confirm": "RESTAURAR", "database": "x" }),
        json!({ "backup": "latest", "mode": "stage", "server": "scratch" }),
        json!({ "backup": "latest", "mode": "plan", "server": "scratch" }),
        json!({ "backup": "latest", "mode": "database" }),
        json!({ "backup": "latest", "mode": "database", "database": "" }),
        json!({ "backup": "latest", "mode": "database", "database": long }),
        json!({ "backup": "latest", "mode": "database", "database": "x\u{0}" }),
        json!({ "backup": "latest", "mode": "plan", "tenant": "" }),
        json!({ "backup": "latest", "mode": "plan", "tables": ["a", "b", "a"] }),
        json!({ "backup": "latest", "mode": "plan", "tables": [""] }),
        json!({ "backup": "latest", "mode": "plan", "tables": many }),
        json!({ "backup": "latest", "mode": "plan", "safety_backup": "no" }),
    ];
    for body in restores {
        let reply = house.post("/v1/restores", &body).await;
        let shown: String = body.to_string().chars().take(90).collect();
        told.add(&format!("restores {shown}"), &reply);
        assert_eq!(house.take_trail(), ["POST /v1/restores refused 422"]);
    }
    for body in [
        json!({ "job": "restore" }),
        json!({ "job": "backup", "month": "2026-10" }),
        json!({ "job": "report", "read_data": true }),
        json!({ "job": "report", "month": "october" }),
        json!({ "job": "verify", "backup": NONE }),
    ] {
        told.add(&format!("runs {body}"), &house.post("/v1/runs", &body).await);
        assert_eq!(house.take_trail(), ["POST /v1/runs refused 422"]);
    }
    told.add("backups", &house.post("/v1/backups", &json!({ "tables": ["x"] })).await);
    let promote = format!("/v1/restores/{NONE}/promote");
    for body in [json!({}), json!({ "confirm": "yes" }), json!({ "confirm": "RESTAURAR" })] {
        told.add(&format!("promote {body}"), &house.post(&promote, &body).await);
    }
    told.add("cancel", &house.post("/v1/restores/x/cancel", &json!({})).await);
    for name in ["none", "a b", "..", &long] {
        let path = format!("/v1/schedules/{name}");
        told.add(
            &format!("schedule {name}"),
            &house.ask(MASTER, "PATCH", &path, &json!({ "enabled": true })).await,
        );
    }
    insta::assert_snapshot!(told.0);
    assert!(house.take_asked().is_empty());
    assert!(house.vault.objects().keys().all(|name| !name.as_str().starts_with("restores/")));
}

#[tokio::test]
async fn a_refusal_by_role_comes_before_any_other_and_is_recorded_with_what_was_wanted() {
    let house = House::with_backups(1).await;
    let wanted = json!({ "backup": NONE, "mode": "in-place" });
    assert_eq!(house.ask(ADMIN, "POST", "/v1/restores", &wanted).await.status, 403);
    assert_eq!(house.trail()[0].request, Some(wanted));
    assert_eq!(house.trail()[0].reason.as_deref(), Some("this needs the role admin_master"));
    house.take_trail();
    assert_eq!(
        house.ask(NOBODY, "POST", "/v1/restores", &json!({ "secret": 1 })).await.status,
        403
    );
    assert_eq!(house.trail()[0].request, None, "what is not understood is not kept");
}

#[tokio::test]
async fn every_look_needs_a_role_but_that_at_the_document() {
    let house = House::with_backups(1).await;
    let paths: Vec<_> =
        house.document.operations().into_iter().filter(|(method, ..)| method == "GET").collect();
    assert_eq!(paths.len(), 11);
    for (_, path, _) in paths {
        let path = path.replace("{month}", "2026-11").replace("{id}", NONE);
        let open = path == "/v1/openapi.json";
        let refused = house.send(NOBODY, "GET", &path, &[], None).await;
        assert_eq!(refused.status, if open { 200 } else { 403 }, "{path}");
        for roles in [ADMIN, MASTER] {
            let reply = house.send(roles, "GET", &path, &[], None).await;
            assert!(matches!(reply.status, 200 | 404), "{path} by {roles}: {reply:?}");
        }
    }
    assert!(house.trail().is_empty());
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let house = House::with_backups(1).await;
    for (method, path, _) in house.document.operations() {
        let path =
            path.replace("{month}", "2026-11").replace("{id}", NONE).replace("{name}", "backup");
        for authorizer in [
            Value::Null,
            json!({ "jwt": { "claims": { "cognito:groups": MASTER } } }),
            json!({ "lambda": {} }),
        ] {
            let mut event = event(MASTER, &method, &path);
            event["requestContext"]["authorizer"] = authorizer;
            let reply = house.send_event(event).await.unwrap();
            assert_eq!(
                (reply.status, &reply.headers["www-authenticate"]),
                (401, &json!("Bearer")),
                "{method} {path}"
            );
        }
    }
    assert!(house.trail().is_empty() && house.take_asked().is_empty());
}

#[tokio::test]
async fn a_long_text_of_the_callers_is_not_sent_back_whole() {
    let house = House::with_backups(1).await;
    let long = "é".repeat(5000);
    let reply = house.post("/v1/restores", &json!({ "backup": long, "mode": "plan" })).await;
    assert_eq!((reply.status, reply.detail().chars().count()), (422, 501));
    let reply = house.get(&format!("/v1/{long}")).await;
    assert_eq!((reply.status, reply.detail().chars().count()), (404, 501));
}
