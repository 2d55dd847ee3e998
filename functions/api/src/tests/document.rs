//! The OpenAPI document: what it promises, and the copy for those who read it without calling.

use std::{collections::BTreeSet, fs};

use super::house::{House, NOBODY};

const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// The copy is made anew by `UPDATE=1 cargo test -p gorgen-function-api`; the test fails until it is looked at and kept.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is its own edge")]
async fn the_document_is_the_one_that_is_kept() {
    let house = House::new();
    let served = house.send(NOBODY, "GET", "/v1/openapi.json", &[], None).await;
    assert_eq!(served.status, 200);
    assert_eq!(served.body, house.document.0);
    let text = format!("{:#}\n", served.body);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(COPY, &text).unwrap();
    }
    let kept = fs::read_to_string(COPY).unwrap_or_default();
    assert!(kept == text, "docs/openapi.json is not the document: make it anew with UPDATE=1");
}

#[test]
fn every_operation_tells_its_statuses_and_who_may_call() {
    let house = House::new();
    let document = &house.document;
    assert!(document.0["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document.0["security"][0]["token"], serde_json::json!([]));
    assert_eq!(document.0["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    let operations = document.operations();
    assert_eq!(operations.len(), 18);
    let names: BTreeSet<_> =
        operations.iter().map(|(_, _, operation)| operation["operationId"].to_string()).collect();
    assert_eq!(names.len(), 18, "{names:?}");
    for (method, path, operation) in operations {
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = vec!["400", "401", "403", "429", "500", "503"];
        if method != "GET" {
            expected.extend(["413", "415", "422"]);
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = body["oneOf"][0]["$ref"].as_str().or(body["$ref"].as_str()).unwrap();
            let body = document.0.pointer(body.trim_start_matches('#')).unwrap();
            assert_eq!(body["additionalProperties"], false, "{method} {path}");
        }
        if method == "POST" {
            expected.push("409");
        }
        let names_one = path.contains('{');
        if names_one {
            expected.push("404");
        }
        let failures: Vec<_> = responses.keys().filter(|status| !status.starts_with('2')).collect();
        expected.sort_unstable();
        assert_eq!(failures, expected, "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
        let unsaid = responses.iter().find(|(_, response)| !response["description"].is_string());
        assert_eq!(unsaid, None, "{method} {path}");
        let parameters = operation["parameters"].as_array().map_or(0, Vec::len);
        let wanted = match (method.as_str(), path.matches('/').count()) {
            ("POST", _) => 1 + usize::from(names_one),
            (_, 2) if !path.contains("status") && !path.contains("json") => 2,
            _ => usize::from(names_one),
        };
        assert_eq!(parameters, wanted, "{method} {path}");
    }
}

#[test]
fn all_that_is_referred_to_is_there() {
    let house = House::new();
    let text = house.document.0.to_string();
    let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut number = 0;
    for place in references {
        assert!(house.document.0.pointer(place).is_some(), "{place}");
        number += 1;
    }
    assert!(number > 50, "{number}");
}
