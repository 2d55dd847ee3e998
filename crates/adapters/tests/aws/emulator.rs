//! The emulator, and what a test makes there for itself.

use std::{
    error::Error,
    process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use gorgen_adapters::aws::Aws;

pub(crate) const REGION: &str = "sa-east-1";

/// Where the emulator is.
#[expect(clippy::disallowed_methods, reason = "the test is its own edge")]
pub(crate) fn endpoint() -> String {
    std::env::var("TEST_S3_ENDPOINT").expect(
        "TEST_S3_ENDPOINT is not set: run the tests by `make test`, or by \
         `python3 local/lab.py run --emulator -- cargo test -p gorgen-adapters`",
    )
}

/// The SDK, sent to this endpoint.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .load()
        .await
}

pub(crate) async fn aws(endpoint: &str) -> Aws {
    Aws::with_config(config(endpoint).await)
}

/// A name that no other test has.
pub(crate) fn fresh_name(start: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{start}-{}-{}", process::id(), NUMBER.fetch_add(1, Relaxed))
}

/// The error and its causes, as a program prints them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
