//! Why something was not started or switched.

use crate::aws::{AwsError, NoRegion};

/// Why something was not started or switched. It is unknown whether it was, unless AWS answered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no schedule of this name in the group.
    #[error("there is no schedule {name} in the group {group}")]
    NoSuchSchedule {
        /// The schedule.
        name: String,
        /// The group.
        group: String,
    },
    /// AWS refused or failed.
    #[error("cannot {action}")]
    Failed {
        /// What was tried, e.g. `invoke gorgen-prod-backup`.
        action: String,
        /// May the same call succeed later?
        retryable: bool,
        /// What AWS said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ControlError {
    /// May the same call succeed later?
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Failed { retryable: true, .. })
    }

    pub(super) fn failed(action: impl Into<String>, error: AwsError) -> Self {
        let retryable = error.is_retryable();
        Self::Failed { action: action.into(), retryable, source: Box::new(error) }
    }

    pub(super) fn no_region(action: impl Into<String>, error: NoRegion) -> Self {
        Self::Failed { action: action.into(), retryable: false, source: Box::new(error) }
    }
}
