//! The functions of the jobs.

use async_trait::async_trait;
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};
use gorgen_engine::records::run::Job;
use serde_json::Value;

use super::ControlError;
use crate::aws::{Aws, AwsError};

/// Starts jobs.
#[async_trait]
pub trait JobFunctions: Send + Sync {
    /// Hands the job an event, and does not wait for it. Handed over twice, it is done twice.
    async fn start(&self, job: Job, event: &Value) -> Result<(), ControlError>;
}

/// Functions of AWS Lambda, each named by a prefix and its job.
#[derive(Debug, Clone)]
pub struct LambdaFunctions {
    client: Client,
    prefix: String,
}

impl LambdaFunctions {
    /// The functions whose names begin so.
    pub async fn open(prefix: &str, aws: &Aws) -> Result<Self, ControlError> {
        let config = aws.config().await;
        let config = config.map_err(|error| ControlError::no_region("start a job", error))?;
        Ok(Self { client: Client::new(config), prefix: prefix.to_owned() })
    }
}

#[async_trait]
impl JobFunctions for LambdaFunctions {
    async fn start(&self, job: Job, event: &Value) -> Result<(), ControlError> {
        let function = format!("{}{}", self.prefix, job.as_str());
        let request = self.client.invoke().function_name(&function);
        let request = request.invocation_type(InvocationType::Event);
        let answer = request.payload(Blob::new(event.to_string())).send().await;
        let failed = |error| ControlError::failed(format!("invoke {function}"), error);
        answer.map(drop).map_err(|error| failed(AwsError::from(error)))
    }
}
