//! The SDK's configuration.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
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

impl Aws {
    /// AWS as this configuration says: an emulator's, in tests.
    pub fn with_config(config: SdkConfig) -> Self {
        Self { config: Arc::new(OnceCell::new_with(Some(config))) }
    }

    /// The configuration; loaded if this is the first call.
    pub(crate) async fn config(&self) -> Result<&SdkConfig, NoRegion> {
        let config = self.config.get_or_init(load).await;
        if config.region().is_some() { Ok(config) } else { Err(NoRegion) }
    }

    /// AWS in another region.
    pub(crate) async fn in_region(&self, region: &str) -> Self {
        Self::with_config(self.config_in(region).await)
    }

    /// The configuration for one region.
    pub(crate) async fn config_in(&self, region: &str) -> SdkConfig {
        let config = self.config.get_or_init(load).await;
        config.to_builder().region(Region::new(region.to_owned())).build()
    }
}

async fn load() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ANSWER)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    aws_config::defaults(behavior())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .load()
        .await
}
