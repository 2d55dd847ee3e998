//! What the API starts and switches: the state machine, the functions, the schedules.

use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    Target,
};
use gorgen_adapters::control::{
    ControlError, EventBridge, JobFunctions, LambdaFunctions, Schedule, Schedules, StateMachine,
    StepFunctions,
};
use gorgen_engine::records::run::Job;
use serde_json::json;

use crate::{
    emulator::{aws, chain, config, endpoint, fresh_name},
    proxy::{Fault, Proxy},
};

const ROLE: &str = "arn:aws:iam::000000000000:role/gorgen-test";
const QUEUE: &str = "arn:aws:sqs:sa-east-1:000000000000:gorgen-test-dead";
const FUNCTION: &str = "arn:aws:lambda:sa-east-1:000000000000:function:gorgen-test-backup";
const INPUT: &str = r#"{"scheduled":"<aws.scheduler.scheduled-time>"}"#;
const JSON: &str = "application/x-amz-json-1.0";

/// A machine that does nothing, by its ARN.
async fn machine(client: &aws_sdk_sfn::Client) -> String {
    let nothing = json!({ "StartAt": "End", "States": { "End": { "Type": "Succeed" } } });
    let request = client.create_state_machine().name(fresh_name("gorgen-restore")).role_arn(ROLE);
    request.definition(nothing.to_string()).send().await.unwrap().state_machine_arn
}

#[tokio::test]
async fn an_execution_is_started_with_its_input_and_once() {
    let client = aws_sdk_sfn::Client::new(&config(&endpoint()).await);
    let arn = machine(&client).await;
    let aws = aws(&endpoint()).await;
    let machine = StepFunctions::open(&arn, &aws).await.unwrap();
    let input = json!({ "restore": "20261123T060000Z-4f2a91c3", "action": "restore" });
    for _ in 0..3 {
        machine.start("20261123T060000Z-4f2a91c3-restore", &input).await.unwrap();
    }
    let listed = client.list_executions().state_machine_arn(&arn).send().await.unwrap();
    let [execution] = &listed.executions[..] else { panic!("{:?}", listed.executions) };
    assert_eq!(execution.name, "20261123T060000Z-4f2a91c3-restore");
    let told = client.describe_execution().execution_arn(&execution.execution_arn);
    let told = told.send().await.unwrap().input.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), input);
}

#[tokio::test]
async fn an_execution_that_ended_is_not_begun_again() {
    let exists = r#"{"__type":"ExecutionAlreadyExists","message":"Execution Already Exists: 'x'"}"#;
    let proxy = Proxy::start("POST", &[Fault::Answer("400 Bad Request", JSON, exists)]);
    let arn = "arn:aws:states:sa-east-1:000000000000:stateMachine:gorgen-restore";
    let machine = StepFunctions::open(arn, &aws(&proxy.endpoint).await).await.unwrap();
    machine.start("x-restore", &json!({})).await.unwrap();
    assert_eq!(proxy.seen(), 1);
}

#[tokio::test]
async fn a_machine_that_is_not_there_cannot_be_started_later_either() {
    let arn = "arn:aws:states:sa-east-1:000000000000:stateMachine:gorgen-none";
    let machine = StepFunctions::open(arn, &aws(&endpoint()).await).await.unwrap();
    let error = machine.start("x-restore", &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot start x-restore");
    assert!(!error.is_retryable() && chain(&error).contains("StateMachine"), "{}", chain(&error));
    let machine = StepFunctions::open(arn, &aws("http://127.0.0.1:1").await).await.unwrap();
    let error = machine.start("x-restore", &json!({})).await.unwrap_err();
    assert!(error.is_retryable(), "{}", chain(&error));
}

#[tokio::test]
async fn a_job_is_handed_its_event_and_not_waited_for() {
    let proxy = Proxy::start("POST", &[Fault::Answer("202 Accepted", "application/json", "")]);
    let aws = aws(&proxy.endpoint).await;
    let functions = LambdaFunctions::open("gorgen-test-", &aws).await.unwrap();
    functions.start(Job::RestoreTest, &json!({ "backup": "latest" })).await.unwrap();
    let [request] = &proxy.requests()[..] else { panic!("one request") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /2015-03-31/functions/gorgen-test-restore-test/invocations "));
    assert!(head.contains("\r\nx-amz-invocation-type: event"), "{head}");
    assert_eq!(body, r#"{"backup":"latest"}"#);
}

#[tokio::test]
async fn a_function_is_found_by_its_prefix_and_its_job() {
    let client = aws_sdk_lambda::Client::new(&config(&endpoint()).await);
    let prefix = fresh_name("gorgen") + "-";
    let functions = LambdaFunctions::open(&prefix, &aws(&endpoint()).await).await.unwrap();
    let error = functions.start(Job::Verify, &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot invoke {prefix}verify"));
    assert!(!error.is_retryable(), "{}", chain(&error));
    let made = client.create_function().function_name(format!("{prefix}verify")).role(ROLE);
    let code = FunctionCode::builder().zip_file(aws_sdk_lambda::primitives::Blob::new(EMPTY_ZIP));
    let made = made.runtime(Runtime::Providedal2023).handler("bootstrap").code(code.build());
    made.send().await.unwrap();
    functions.start(Job::Verify, &json!({})).await.unwrap_or_else(|error| {
        panic!("{}", chain(&error));
    });
}

/// An archive without files.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A group with one schedule in it that uses all that a schedule can have.
async fn group_with(client: &aws_sdk_scheduler::Client, names: &[&str]) -> String {
    let group = fresh_name("gorgen-jobs");
    client.create_schedule_group().name(&group).send().await.unwrap();
    for name in names {
        let target = Target::builder().arn(FUNCTION).role_arn(ROLE).input(INPUT);
        let retries = RetryPolicy::builder().maximum_retry_attempts(7);
        let target = target
            .retry_policy(retries.maximum_event_age_in_seconds(3600).build())
            .dead_letter_config(DeadLetterConfig::builder().arn(QUEUE).build());
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Flexible);
        let made = client
            .create_schedule()
            .name(*name)
            .group_name(&group)
            .description("Every night")
            .schedule_expression("cron(0 3 * * ? *)")
            .schedule_expression_timezone("America/Sao_Paulo")
            .target(target.build().unwrap())
            .flexible_time_window(window.maximum_window_in_minutes(5).build().unwrap());
        made.state(ScheduleState::Enabled).send().await.unwrap();
    }
    group
}

#[tokio::test]
async fn schedules_are_listed_by_name_as_they_are() {
    let client = aws_sdk_scheduler::Client::new(&config(&endpoint()).await);
    let group = group_with(&client, &["b", "a", "c"]).await;
    let schedules = EventBridge::open(&group, &aws(&endpoint()).await).await.unwrap();
    let listed = schedules.list().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let expected = |name: &str| Schedule {
        name: name.to_owned(),
        expression: "cron(0 3 * * ? *)".to_owned(),
        time_zone: "America/Sao_Paulo".to_owned(),
        enabled: true,
    };
    assert_eq!(listed, ["a", "b", "c"].map(expected));
    assert_eq!(schedules.find("b").await.unwrap(), expected("b"));
}

#[tokio::test]
async fn a_switched_schedule_keeps_all_else() {
    let client = aws_sdk_scheduler::Client::new(&config(&endpoint()).await);
    let group = group_with(&client, &["backup", "other"]).await;
    let schedules = EventBridge::open(&group, &aws(&endpoint()).await).await.unwrap();
    let read = async |name: &str| {
        client.get_schedule().group_name(&group).name(name).send().await.unwrap()
    };
    let (before, other) = (read("backup").await, read("other").await);
    for enabled in [false, false, true] {
        let switched = schedules.switch("backup", enabled).await;
        let switched = switched.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!((switched.enabled, switched.time_zone.as_str()), (enabled, "America/Sao_Paulo"));
        let after = read("backup").await;
        let state = if enabled { ScheduleState::Enabled } else { ScheduleState::Disabled };
        assert_eq!(after.state, Some(state));
        assert_eq!(after.target, before.target);
        let target = after.target.unwrap();
        assert_eq!((target.arn.as_str(), target.role_arn.as_str()), (FUNCTION, ROLE));
        assert_eq!(target.input.as_deref(), Some(INPUT));
        assert_eq!(target.retry_policy.unwrap().maximum_retry_attempts, Some(7));
        assert_eq!(target.dead_letter_config.unwrap().arn.as_deref(), Some(QUEUE));
        assert_eq!(after.schedule_expression, before.schedule_expression);
        assert_eq!(after.schedule_expression_timezone.as_deref(), Some("America/Sao_Paulo"));
        assert_eq!(after.description.as_deref(), Some("Every night"));
        let window = after.flexible_time_window.unwrap();
        assert_eq!(window.mode, FlexibleTimeWindowMode::Flexible);
        assert_eq!(window.maximum_window_in_minutes, Some(5));
    }
    assert_eq!(read("other").await.state, other.state, "the other one is as it was");
}

#[tokio::test]
async fn a_schedule_that_is_not_there_is_said_to_be_missing() {
    let client = aws_sdk_scheduler::Client::new(&config(&endpoint()).await);
    let group = group_with(&client, &["backup"]).await;
    let schedules = EventBridge::open(&group, &aws(&endpoint()).await).await.unwrap();
    for error in [
        schedules.find("none").await.unwrap_err(),
        schedules.switch("none", false).await.unwrap_err(),
    ] {
        assert!(matches!(error, ControlError::NoSuchSchedule { .. }), "{}", chain(&error));
        assert_eq!(error.to_string(), format!("there is no schedule none in the group {group}"));
        assert!(!error.is_retryable());
    }
}
