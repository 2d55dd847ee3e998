//! The same request sent again: done once under one key.

use gorgen_engine::{records::restore::Stage, testing::Fault};
use jiff::SignedDuration;
use serde_json::json;

use super::house::{ADMIN, House};

const PLAN: &str = "/v1/restores";

#[tokio::test]
async fn under_one_key_a_request_is_done_once_and_answered_alike() {
    let house = House::with_backups(1).await;
    let wish = json!({ "backup": "latest", "mode": "plan" });
    let first = house.post_once(PLAN, "k1", &wish).await;
    assert_eq!(first.status, 202);
    assert_eq!(house.take_asked().len(), 1);
    house.clock.advance(SignedDuration::from_hours(100));
    let second = house.post_once(PLAN, "k1", &wish).await;
    assert_eq!(second, first);
    assert!(house.take_asked().is_empty());
    let trail = house.trail();
    assert_eq!((trail[0].about.clone(), trail[0].reason.clone()), (trail[1].about.clone(), None));
    assert!(trail[1].reason.as_deref().unwrap().contains("nothing was done anew"));

    let other = house.post_once(PLAN, "k1", &json!({ "backup": "latest", "mode": "stage" })).await;
    assert_eq!(other.status, 422);
    assert!(other.detail().contains("was used for a request with another body"));
    let another = house.post_once(PLAN, "k2", &wish).await;
    assert_ne!(another.body, first.body);
    let elsewhere = house.post_once("/v1/runs", "k1", &json!({ "job": "backup" })).await;
    assert_eq!(elsewhere.status, 202, "a key is of its route");
    let headers = [("idempotency-key", "k1")];
    let mut asked = house.take_asked().len();
    assert_eq!(house.send(ADMIN, "POST", "/v1/backups", &headers, None).await.status, 202);
    asked += house.take_asked().len();
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn a_key_is_of_its_caller() {
    let house = House::with_backups(1).await;
    let mut event = super::house::event("[admin]", "POST", "/v1/backups");
    event["headers"]["idempotency-key"] = json!("k1");
    for subject in ["maria", "joao", "maria"] {
        event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = json!(subject);
        assert_eq!(house.send_event(event.clone()).await.unwrap().status, 202);
    }
    assert_eq!(house.take_asked().len(), 2);
}

#[tokio::test]
async fn a_promotion_under_one_key_is_one_although_the_stage_went_on() {
    let house = House::with_backups(1).await;
    let id = house.restore_at(Stage::Staged).await;
    let (path, body) = (format!("/v1/restores/{id}/promote"), json!({ "confirm": "RESTAURAR" }));
    let first = house.post_once(&path, "k1", &body).await;
    house.change(&id, |record| record.stage = Stage::Restored).await;
    assert_eq!(house.post_once(&path, "k1", &body).await, first);
    assert_eq!(house.take_asked().len(), 1);
    assert_eq!(house.post_once(&path, "k2", &body).await.status, 409);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let house = House::with_backups(1).await;
    let id = house.restore_at(Stage::Loading).await;
    let (path, body) = (format!("/v1/restores/{id}/promote"), json!({ "confirm": "RESTAURAR" }));
    assert_eq!(house.post_once(&path, "k1", &body).await.status, 409);
    house.change(&id, |record| record.stage = Stage::Staged).await;
    assert_eq!(house.post_once(&path, "k1", &body).await.status, 202);
}

#[tokio::test]
async fn what_failed_is_begun_again_as_the_same() {
    let house = House::with_backups(1).await;
    let wish = json!({ "backup": "latest", "mode": "stage" });
    *house.aws.fails.lock().unwrap() = Some(true);
    assert_eq!(house.post_once(PLAN, "k1", &wish).await.status, 503);
    let failed = house.take_asked();
    *house.aws.fails.lock().unwrap() = None;
    house.clock.advance(SignedDuration::from_secs(1));
    let reply = house.post_once(PLAN, "k1", &wish).await;
    assert_eq!(reply.status, 202);
    assert_eq!(house.take_asked(), failed, "the same restore, the same execution");
    let listed = house.get(PLAN).await;
    assert_eq!(listed.body["restores"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whatever_write_is_lost_a_request_with_a_key_begins_one_restore() {
    let wish = json!({ "backup": "latest", "mode": "stage" });
    for fault in [Fault::Before, Fault::After, Fault::Outage] {
        for nth in 1..=5 {
            let house = House::with_backups(1).await;
            *house.fault.lock().unwrap() = Some((nth, fault));
            let first = house.post_once(PLAN, "k1", &wish).await;
            // Longer than anybody works on a request.
            house.clock.advance(SignedDuration::from_mins(2));
            let second = house.post_once(PLAN, "k1", &wish).await;
            assert_eq!(second.status, 202, "{fault:?} at {nth}: {second:?}");
            assert!(matches!(first.status, 202 | 409 | 503), "{fault:?} at {nth}: {first:?}");
            let mut asked = house.take_asked();
            asked.dedup();
            assert_eq!(
                asked.len(),
                1,
                "{fault:?} at {nth}: one execution, however often it is started"
            );
            let listed = house.get(PLAN).await;
            assert_eq!(listed.body["restores"].as_array().unwrap().len(), 1, "{fault:?} at {nth}");
            if first.status == 202 {
                assert_eq!(first, second);
            }
        }
    }
}

#[tokio::test]
async fn while_one_is_at_work_the_other_is_told_to_wait() {
    let house = House::with_backups(1).await;
    let wish = json!({ "backup": "latest", "mode": "stage" });
    // The answer is not kept: as if the first had not come so far yet.
    *house.fault.lock().unwrap() = Some((4, Fault::Before));
    assert_eq!(house.post_once(PLAN, "k1", &wish).await.status, 202);
    let busy = house.post_once(PLAN, "k1", &wish).await;
    assert_eq!(busy.status, 409);
    assert!(busy.detail().contains("is being worked on"), "{busy:?}");
    house.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(house.post_once(PLAN, "k1", &wish).await.status, 202);
}
