//! Notices to people: handed to a topic of Amazon SNS, which mails them to whoever subscribed.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sns::{Client, config::Builder};

use crate::aws::{Aws, AwsError, arn::Arn};

/// A function that has ended its work has half a minute left: what takes longer would never be told.
const ATTEMPT: Duration = Duration::from_secs(4);
const ATTEMPTS: u32 = 2;

/// Why nobody was told. It is unknown whether somebody was, unless AWS answered.
#[derive(Debug, thiserror::Error)]
#[error("cannot send a notice to {topic}")]
pub struct NoticeError {
    /// Where it should have gone.
    topic: String,
    /// What AWS said.
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands a notice over, and does not wait until it is read. `Ok` means that it will be delivered to everybody who
    /// subscribed, perhaps twice; handed over twice it is delivered twice.
    ///
    /// # Errors
    /// If it was not taken, within ten seconds. The subject must be ASCII, one line of less than 100 characters.
    async fn send(&self, subject: &str, text: &str) -> Result<(), NoticeError>;
}

/// A topic of Amazon SNS.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    arn: String,
}

impl SnsTopic {
    /// The topic of this ARN, in the region that it names.
    pub async fn open(arn: &str, aws: &Aws) -> Self {
        let region = Arn::parse(arn).map(|parts| parts.region).unwrap_or_default();
        let timeouts =
            TimeoutConfig::builder().connect_timeout(ATTEMPT).operation_attempt_timeout(ATTEMPT);
        let config = Builder::from(&aws.config_in(region).await)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts.build());
        Self { client: Client::from_conf(config.build()), arn: arn.to_owned() }
    }
}

#[async_trait]
impl Notifier for SnsTopic {
    async fn send(&self, subject: &str, text: &str) -> Result<(), NoticeError> {
        let request = self.client.publish().topic_arn(&self.arn).subject(subject).message(text);
        let sent = request.send().await;
        sent.map(drop).map_err(|error| NoticeError {
            topic: self.arn.clone(),
            source: Box::new(AwsError::from(error)),
        })
    }
}

/// What a server called the error that lies behind this one: a number or a word out of its own list, and so nothing of
/// what it said about rows.
pub fn code_behind(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|cause| {
        let aws = cause.downcast_ref::<AwsError>().and_then(AwsError::code);
        aws.map(|code| format!("AWS {code}")).or_else(|| mysql_code(cause))
    })
}

#[cfg(feature = "mysql")]
fn mysql_code(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    use crate::mysql::MySqlError;
    match cause.downcast_ref::<MySqlError>()? {
        MySqlError::Server { code, .. } | MySqlError::Altered { code, .. } => {
            Some(format!("MySQL {code}"))
        }
        _ => None,
    }
}

#[cfg(not(feature = "mysql"))]
fn mysql_code(_cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    None
}
