//! The state machines, which take a restore and a restore test through their steps.

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use serde_json::Value;

use super::ControlError;
use crate::aws::{Aws, AwsError, arn::Arn};

const EXISTS: &str = "ExecutionAlreadyExists";

/// Starts what takes a job through its steps.
#[async_trait]
pub trait StateMachine: Send + Sync {
    /// Starts an execution of this name. One that was started before counts, so that a repeated call starts nothing.
    async fn start(&self, execution: &str, input: &Value) -> Result<(), ControlError>;
}

/// A state machine of AWS Step Functions.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: Client,
    arn: String,
}

impl StepFunctions {
    /// The machine of this ARN, in its region.
    pub async fn open(arn: &str, aws: &Aws) -> Result<Self, ControlError> {
        let config = if let Some(parsed) = Arn::parse(arn) {
            aws.config_in(parsed.region).await
        } else {
            let config = aws.config().await;
            config.map_err(|error| ControlError::no_region("start a state machine", error))?.clone()
        };
        Ok(Self { client: Client::new(&config), arn: arn.to_owned() })
    }
}

#[async_trait]
impl StateMachine for StepFunctions {
    async fn start(&self, execution: &str, input: &Value) -> Result<(), ControlError> {
        let request = self.client.start_execution().state_machine_arn(&self.arn);
        let answer = request.name(execution).input(input.to_string()).send().await;
        match answer.map_err(AwsError::from) {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(EXISTS) => Ok(()),
            Err(error) => Err(ControlError::failed(format!("start {execution}"), error)),
        }
    }
}
