//! `docs/api.md`, held to the OpenAPI document: its calls are calls of the API, and its answers what they are answered.

use gorgen_engine::records::audit::AuditRecord;
use serde_json::Value;

use super::{conformance::Document, house::House};

const MANUAL: &str = include_str!("../../../../docs/api.md");

/// The blocks of a kind of code, with what stands between each and the next.
fn blocks(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let start = format!("```{kind}\n");
    let blocks = MANUAL.match_indices(&start).map(|(at, _)| at + start.len()).collect::<Vec<_>>();
    blocks.into_iter().map(|at| MANUAL[at..].split_once("```").unwrap())
}

/// A call by curl: method, path without its query, and body.
fn call(command: &str) -> (&str, &str, Option<Value>) {
    let (_, path) = command.split_once("\"$API").unwrap();
    let path = path.split(['"', '?']).next().unwrap();
    let after = |flag| command.split_once(flag).map(|(_, rest)| rest);
    let body = after("--json '").and_then(|rest| rest.split('\'').next());
    let method = match (after("-X "), body) {
        (Some(rest), _) => rest.split(' ').next().unwrap(),
        (None, Some(_)) => "POST",
        (None, None) => "GET",
    };
    (method, path, body.map(|text| serde_json::from_str(text).unwrap()))
}

fn schema<'a>(document: &'a Document, pointer: &str) -> &'a Value {
    document.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

#[test]
fn every_operation_is_shown_by_a_call_and_its_answer() {
    let House { document, .. } = House::new();
    let mut shown: Vec<_> =
        document.operations().iter().map(|(.., what)| &what["operationId"]).collect();
    for (command, after) in blocks("sh").filter(|(command, _)| command.starts_with("curl")) {
        let (method, path, body) = call(command);
        let operation = document.operation(method, path).unwrap_or_else(|| panic!("{command}"));
        shown.retain(|name| **name != operation["operationId"]);
        if let Some(body) = body {
            let expected = &operation["requestBody"]["content"]["application/json"]["schema"];
            let wrong = document.differences(expected, &body, "");
            assert!(wrong.is_empty(), "{command}{wrong:#?}");
        }
        let Some(answer) = after.strip_prefix("\n```json\n") else {
            let is_json = operation["responses"]["200"]["content"]["application/json"].is_object();
            assert!(path == "/v1/openapi.json" || !is_json, "{command} has no answer");
            continue;
        };
        let answer = serde_json::from_str(answer.split("```").next().unwrap()).unwrap();
        let responses = operation["responses"].as_object().unwrap();
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        let wrong =
            document.differences(&good["content"]["application/json"]["schema"], &answer, "");
        assert!(wrong.is_empty(), "{command}{wrong:#?}");
    }
    assert_eq!(shown, Vec::<&Value>::new(), "not shown");
}

#[test]
fn the_problem_and_the_record_shown_are_such() {
    let House { document, .. } = House::new();
    let (problem, _) = blocks("json problem").next().unwrap();
    let problem = serde_json::from_str(problem).unwrap();
    let wrong =
        document.differences(schema(&document, "/components/schemas/Problem"), &problem, "");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (record, _) = blocks("json audit").next().unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    let read: AuditRecord = serde_json::from_value(record.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), record);
}
