//! The schedules of the jobs.

use async_trait::async_trait;
use aws_sdk_scheduler::{Client, operation::get_schedule::GetScheduleOutput, types::ScheduleState};
use futures::{StreamExt, TryStreamExt, stream};
pub use gorgen_engine::model::deployed::Schedule;

use super::ControlError;
use crate::aws::{Aws, AwsError};

const NOT_FOUND: &str = "ResourceNotFoundException";
const PARALLEL_READS: usize = 8;

/// The schedules of one group.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// All of them, by name.
    async fn list(&self) -> Result<Vec<Schedule>, ControlError>;

    /// One of them.
    ///
    /// # Errors
    /// [`ControlError::NoSuchSchedule`] if there is none.
    async fn find(&self, name: &str) -> Result<Schedule, ControlError>;

    /// Enables or disables one, and leaves all else of it as it is.
    ///
    /// # Errors
    /// [`ControlError::NoSuchSchedule`] if there is none.
    async fn switch(&self, name: &str, enabled: bool) -> Result<Schedule, ControlError>;
}

/// Schedules of Amazon `EventBridge` Scheduler.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
    group: String,
}

impl EventBridge {
    /// The schedules of this group.
    pub async fn open(group: &str, aws: &Aws) -> Result<Self, ControlError> {
        let config = aws.config().await;
        let config =
            config.map_err(|error| ControlError::no_region("look for schedules", error))?;
        Ok(Self { client: Client::new(config), group: group.to_owned() })
    }

    async fn read(&self, name: &str) -> Result<GetScheduleOutput, ControlError> {
        let request = self.client.get_schedule().group_name(&self.group).name(name);
        request.send().await.map_err(|error| self.failed("read", name, error.into()))
    }

    fn failed(&self, what: &str, name: &str, error: AwsError) -> ControlError {
        if error.code() == Some(NOT_FOUND) {
            return ControlError::NoSuchSchedule {
                name: name.to_owned(),
                group: self.group.clone(),
            };
        }
        ControlError::failed(format!("{what} the schedule {name}"), error)
    }
}

#[async_trait]
impl Schedules for EventBridge {
    async fn list(&self) -> Result<Vec<Schedule>, ControlError> {
        let request = self.client.list_schedules().group_name(&self.group);
        let mut pages = request.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ControlError::failed(format!("list the schedules of {}", self.group), error.into())
            })?;
            names.extend(page.schedules.into_iter().filter_map(|schedule| schedule.name));
        }
        names.sort();
        let reads = names.into_iter().map(async |name: String| self.find(&name).await);
        stream::iter(reads).buffered(PARALLEL_READS).try_collect().await
    }

    async fn find(&self, name: &str) -> Result<Schedule, ControlError> {
        Ok(told(name, &self.read(name).await?))
    }

    async fn switch(&self, name: &str, enabled: bool) -> Result<Schedule, ControlError> {
        let found = self.read(name).await?;
        let before = told(name, &found);
        if before.enabled == enabled {
            return Ok(before);
        }
        // The service sets whatever is left out to its default.
        let state = if enabled { ScheduleState::Enabled } else { ScheduleState::Disabled };
        let request = self.client.update_schedule().name(name).group_name(&self.group).state(state);
        let answer = request
            .set_schedule_expression(found.schedule_expression)
            .set_schedule_expression_timezone(found.schedule_expression_timezone)
            .set_start_date(found.start_date)
            .set_end_date(found.end_date)
            .set_description(found.description)
            .set_kms_key_arn(found.kms_key_arn)
            .set_target(found.target)
            .set_flexible_time_window(found.flexible_time_window)
            .set_action_after_completion(found.action_after_completion)
            .send()
            .await;
        answer.map_err(|error| self.failed("switch", name, error.into()))?;
        Ok(Schedule { enabled, ..before })
    }
}

fn told(name: &str, found: &GetScheduleOutput) -> Schedule {
    Schedule {
        name: name.to_owned(),
        expression: found.schedule_expression.clone().unwrap_or_default(),
        // What the service does without one.
        time_zone: found.schedule_expression_timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        enabled: found.state != Some(ScheduleState::Disabled),
    }
}
