//! Schedules: switched on and off. All of them are shown by the status.

use async_trait::async_trait;
use axum::{extract::State, http::StatusCode, response::Response};
use gorgen_engine::{model::RunId, policy::timetable, records::request::Answer};
use gorgen_function::control::{ControlError, Schedule};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::{Api, Shared},
    ask::Ask,
    caller::{Caller, Role},
    change::{Change, Deed, Step, change},
    page::Which,
    problem::Problem,
    schema,
};

/// The service's limit.
const LONGEST_NAME: usize = 64;

/// Switches a schedule on or off; all else of it stays as it is.
#[utoipa::path(
    patch, path = "/v1/schedules/{name}", operation_id = "switch_schedule", tag = "status",
    params(("name" = String, Path, description = "The schedule, as the status names it", example = "verify")),
    request_body(content = Switched),
    responses((status = 200, description = "The schedule as it is now", body = schema::Schedule), schema::AnyProblem, schema::BodyProblem, schema::NotFound),
)]
pub(super) async fn switch(
    State(api): State<Shared>,
    Which(which): Which,
    ask: Ask<Switched>,
) -> Result<Response, Problem> {
    change(&api, ask, &which).await
}

/// Whether a schedule starts its job.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switched {
    enabled: bool,
}

#[async_trait]
impl Change for Switched {
    const LEAST: Role = Role::Master;

    async fn decide(
        &self,
        api: &Api,
        target: &str,
        _: &Caller,
        _: &RunId,
    ) -> Result<Deed, Problem> {
        let missing = || Problem::not_found(format!("there is no schedule {target}"));
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let full = format!("{}{target}", prefix(api));
        if target.is_empty() || full.len() > LONGEST_NAME || !target.bytes().all(is_letter) {
            return Err(missing());
        }
        let schedule = api.schedules()?.find(&full).await.map_err(|error| match error {
            ControlError::NoSuchSchedule { .. } => missing(),
            error @ ControlError::Failed { .. } => Problem::of_control(error, "the schedules"),
        })?;
        let schedule = Schedule { enabled: self.enabled, ..schedule };
        let body = told(api, &schedule, api.world.clock.now());
        Ok(Deed {
            step: Step::Switch { schedule: full, enabled: self.enabled },
            answer: Answer { status: StatusCode::OK.as_u16(), location: None, body },
            about: Some(target.to_owned()),
        })
    }
}

/// What the names of schedules begin with; the API leaves it out, as it is the same for all of an environment.
fn prefix(api: &Api) -> &str {
    api.settings.job_functions.as_deref().unwrap_or_default()
}

/// The name by which the API knows a schedule.
pub(super) fn short<'a>(api: &Api, schedule: &'a Schedule) -> &'a str {
    schedule.name.strip_prefix(prefix(api)).unwrap_or(&schedule.name)
}

/// A schedule, with the moment at which it will start its job.
pub(super) fn told(api: &Api, schedule: &Schedule, now: Timestamp) -> Value {
    let zone = TimeZone::get(&schedule.time_zone).ok();
    let next = zone.as_ref().filter(|_| schedule.enabled);
    let next = next.and_then(|zone| timetable::next(&schedule.expression, zone, now));
    let there = next.zip(zone).map(|(at, zone)| at.to_zoned_datetime(zone));
    json!({
        "name": short(api, schedule),
        "expression": schedule.expression,
        "time_zone": schedule.time_zone,
        "enabled": schedule.enabled,
        "next": next,
        "next_there": there.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
    })
}
