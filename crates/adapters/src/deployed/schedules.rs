//! The schedules of the jobs.

use gorgen_engine::model::deployed::{Schedule, Seen, Unseen};

use super::{told, unseen};
use crate::{
    aws::{Aws, AwsError},
    control::{ControlError, EventBridge, Schedules},
};

/// All of the environment's.
pub(super) async fn look(environment: &str, aws: &Aws) -> Seen<Vec<Schedule>> {
    let group = format!("gorgen-{environment}-jobs");
    let opened = EventBridge::open(&group, aws).await.map_err(of_control)?;
    opened.list().await.map_err(of_control)
}

fn of_control(error: ControlError) -> Unseen {
    match error {
        ControlError::NoSuchSchedule { .. } => Unseen::Missing,
        ControlError::Failed { action, source, .. } => match source.downcast::<AwsError>() {
            Ok(error) => unseen(&error, "scheduler:ListSchedules and scheduler:GetSchedule"),
            Err(other) => Unseen::Failed(format!("cannot {action}: {}", told(&*other))),
        },
    }
}
