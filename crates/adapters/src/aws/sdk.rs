//! The SDK's configuration.

use std::{fmt, sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::config::SharedCredentialsProvider;
use futures::future::{self, BoxFuture, FutureExt};
use tokio::sync::OnceCell;

use super::{Aws, NoRegion};

/// The SDK's defaults as of this date: newer ones are read before they are taken.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Attempts of one call, the first among them; the SDK waits longer before each.
const ATTEMPTS: u32 = 5;
const CONNECT: Duration = Duration::from_secs(5);
/// Until the answer begins: a pack was sent by then, on a line of some 2 Mbit/s.
const ANSWER: Duration = Duration::from_mins(2);
/// One attempt as a whole.
const ATTEMPT: Duration = Duration::from_mins(4);

/// The configuration of a process, or what makes it when it is first asked for.
pub(super) struct Config {
    made: OnceCell<SdkConfig>,
    make: fn() -> BoxFuture<'static, SdkConfig>,
}

impl Config {
    async fn get(&self) -> &SdkConfig {
        self.made.get_or_init(self.make).await
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("made", &self.made).finish_non_exhaustive()
    }
}

impl Default for Aws {
    fn default() -> Self {
        Self::new()
    }
}

impl Aws {
    /// AWS as its own settings say, wherever AWS's tools look for them: environment, profiles, the machine's role.
    pub fn new() -> Self {
        Self::made_by(|| found().boxed())
    }

    /// AWS as Lambda tells a function: region and role's credentials come in the environment. Nothing else is looked for, as
    /// there is nothing else, and what looks is large.
    pub fn of_lambda() -> Self {
        Self::made_by(|| future::ready(told()).boxed())
    }

    /// AWS as this configuration says: an emulator's, in tests.
    pub fn with_config(config: SdkConfig) -> Self {
        let aws = Self::of_lambda();
        let made = OnceCell::new_with(Some(config));
        Self { config: Arc::new(Config { made, make: aws.config.make }) }
    }

    fn made_by(make: fn() -> BoxFuture<'static, SdkConfig>) -> Self {
        Self { config: Arc::new(Config { made: OnceCell::new(), make }) }
    }

    /// The configuration; made if this is the first call.
    pub(crate) async fn config(&self) -> Result<&SdkConfig, NoRegion> {
        let config = self.config.get().await;
        if config.region().is_some() { Ok(config) } else { Err(NoRegion) }
    }

    /// AWS in another region.
    pub(crate) async fn in_region(&self, region: &str) -> Self {
        Self::with_config(self.config_in(region).await)
    }

    /// The configuration for one region.
    pub(crate) async fn config_in(&self, region: &str) -> SdkConfig {
        let config = self.config.get().await;
        config.to_builder().region(Region::new(region.to_owned())).build()
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ANSWER)
        .operation_attempt_timeout(ATTEMPT)
        .build()
}

async fn found() -> SdkConfig {
    let loader = aws_config::defaults(behavior());
    loader.retry_config(retries()).timeout_config(timeouts()).load().await
}

#[expect(clippy::disallowed_methods, reason = "the edge, where Lambda's environment is read once")]
fn told() -> SdkConfig {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    let mut config = SdkConfig::builder()
        .behavior_version(behavior())
        .region(variable("AWS_REGION").map(Region::new))
        .credentials_provider(credentials)
        .retry_config(retries())
        .timeout_config(timeouts());
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    config.build()
}
