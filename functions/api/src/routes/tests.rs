use std::sync::Arc;

use gorgen_engine::{
    jobs::{World, backup},
    model::ValueKind,
    ports::{Progress, VaultError},
    testing::{FakeSource, FixedClock, MemoryKeyring, MemoryVault, SeededEntropy, row, table},
};
use jiff::SignedDuration;

use super::*;

/// A vault with so many backups of a small clinic.
async fn vault(backups: u32) -> MemoryVault {
    let source = FakeSource::new("clinica");
    source.define(table("pacientes", &[("id", ValueKind::Number)], &["id"]));
    source.insert("pacientes", [row(&[Some("1")])]);
    let (vault, clock) = (MemoryVault::new(), FixedClock::at("2026-11-23T06:00:00Z"));
    let world = World {
        vault: Arc::new(vault.clone()),
        keyring: Arc::new(MemoryKeyring::new("one", 1)),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(7)),
        progress: Arc::new(Progress::default()),
        tool: "gorgen-backup 0.0.0".to_owned(),
    };
    let request = backup::Request {
        tenant_column: None,
        readers: 1,
        lease: std::time::Duration::from_mins(1),
        deadline: None,
        scheduled: None,
        adopt: false,
    };
    for _ in 0..backups {
        backup::run(&world, &source, &request).await.unwrap();
        clock.advance(SignedDuration::from_hours(24));
    }
    vault
}

async fn get(vault: &MemoryVault, path: &str) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    answer(vault, "GET", path, &query).await
}

fn ids(answer: &Answer, list: &str, id: &str) -> Vec<String> {
    let items = answer.body[list].as_array().unwrap();
    items.iter().map(|item| item[id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn backups_are_listed_the_newest_first_a_page_at_a_time() {
    let vault = vault(3).await;
    let all = get(&vault, "/v1/backups").await;
    assert_eq!((all.status, all.body["backups"][0]["rows"].as_u64()), (200, Some(1)));
    assert_eq!(all.body["next"], Value::Null);
    let all = ids(&all, "backups", "backup");
    assert!(all.is_sorted_by(|a, b| a > b) && all.len() == 3, "{all:?}");

    let first = get(&vault, "/v1/backups?limit=2").await;
    assert_eq!(ids(&first, "backups", "backup"), all[..2]);
    let next = first.body["next"].as_str().unwrap();
    let rest = get(&vault, &format!("/v1/backups?limit=2&before={next}")).await;
    assert_eq!(ids(&rest, "backups", "backup"), all[2..]);
    assert_eq!(rest.body["next"], Value::Null);

    let one = get(&vault, &format!("/v1/backups/{}", all[1])).await;
    assert_eq!((one.status, one.body["backup"].as_str()), (200, Some(all[1].as_str())));
    assert_eq!(get(&vault, "/v1/backups/latest").await.body["backup"], all[0].as_str());
}

#[tokio::test]
async fn runs_are_listed_and_shown() {
    let vault = vault(1).await;
    let runs = get(&vault, "/v1/runs").await;
    assert_eq!(runs.body["runs"][0]["outcome"], "succeeded");
    let run = get(&vault, &format!("/v1/runs/{}", ids(&runs, "runs", "run")[0])).await;
    assert_eq!(run.body["summary"]["totals"]["rows"], 1);
}

#[tokio::test]
async fn what_is_wrong_is_a_problem_that_says_so() {
    let vault = vault(1).await;
    for (path, status, detail) in [
        ("/v1/nothing", 404, "there is no /v1/nothing"),
        ("/", 404, "there is no /"),
        ("/v1/backups?limit=0", 400, "limit: expected a number from 1 to 100, got \"0\""),
        ("/v1/backups?page=2", 400, "unknown parameter \"page\" (there are limit, before)"),
        (
            "/v1/runs/x",
            400,
            "not a backup or run id: \"x\" (expected the form 20261123T060000Z-4f2a91c3)",
        ),
    ] {
        let problem = get(&vault, path).await;
        assert_eq!((problem.status, problem.body["detail"].as_str()), (status, Some(detail)));
    }
    let posted = answer(&vault, "POST", "/v1/backups", &Query::new()).await;
    assert_eq!(posted.status, 405);
    let strange = get(&vault, "/v1/backups/20200101T000000Z-00000000").await;
    assert_eq!(strange.status, 404);
    let response = strange.into_response();
    assert_eq!(response.headers["content-type"], "application/problem+json");
}

#[test]
fn a_failing_vault_is_not_described_to_the_caller() {
    for (retryable, status) in [(true, 503), (false, 500)] {
        let source = Box::new(std::io::Error::other("access denied for role x"));
        let (action, vault) = ("list packs/".to_owned(), "s3://vault".to_owned());
        let failed = VaultError::Failed { action, vault, retryable, source };
        let answer = Answer::failed(failed.into());
        assert_eq!(answer.status, status);
        let text = answer.body.to_string();
        assert!(!text.contains("s3://") && !text.contains("role"), "{text}");
    }
}
