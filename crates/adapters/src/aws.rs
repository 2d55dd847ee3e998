//! How AWS is reached: one configuration a process, loaded when it is first needed.
//!
//! Region, credentials and endpoints come from AWS's own settings (environment, profile, the function's
//! role). An endpoint override for everything, `AWS_ENDPOINT_URL`, makes S3 addresses path-style, as
//! emulators and stores other than Amazon's need them.

pub(crate) mod arn;
#[cfg(feature = "aws")]
mod error;
#[cfg(feature = "aws")]
pub(crate) mod rds;
#[cfg(feature = "aws")]
mod sdk;
#[cfg(feature = "aws")]
pub(crate) mod secrets;

#[cfg(feature = "aws")]
pub(crate) use error::{AwsError, NoRegion};

/// AWS as this process reaches it; clones share one configuration.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "aws"), derive(Default))]
pub struct Aws {
    #[cfg(feature = "aws")]
    config: std::sync::Arc<sdk::Config>,
}

#[cfg(not(feature = "aws"))]
impl Aws {
    /// AWS as its own settings say.
    pub fn new() -> Self {
        Self::default()
    }

    /// AWS in another region.
    #[expect(clippy::unused_async, reason = "called like the one with AWS")]
    pub(crate) async fn in_region(&self, _region: &str) -> Self {
        self.clone()
    }
}

/// The program was built without AWS.
#[cfg(not(feature = "aws"))]
#[derive(Debug, thiserror::Error)]
#[error("this program was built without AWS")]
pub(crate) struct NotBuiltIn;
