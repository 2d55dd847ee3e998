//! How things are: schedules, last runs, the newest backup, restores under way, and what is wrong.

use axum::{extract::State, response::Response};
use gorgen_engine::jobs::status;
use gorgen_function::control::Schedule;
use serde_json::{Value, json};

use super::schedules::{short, told};
use crate::{
    answer,
    api::{Api, Shared},
    caller::Admin,
    page::Plain,
    problem::Problem,
    schema,
};

/// How things are, and what to do about it.
#[utoipa::path(
    get, path = "/v1/status", operation_id = "show_status", tag = "status",
    responses((status = 200, description = "How things are", body = schema::Status), schema::AnyProblem),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    _: Plain,
) -> Result<Response, Problem> {
    let now = api.world.clock.now();
    let mut status = status::of(&*api.world.vault, now).await?;
    let schedules = schedules(&api, &mut status.problems).await;
    let schedules: Option<Vec<Value>> =
        schedules.map(|all| all.iter().map(|schedule| told(&api, schedule, now)).collect());
    Ok(answer::found(&json!({
        "now": now,
        "time_zone": api.zone.iana_name(),
        "newest_backup": status.newest_backup,
        "replica": status.replica,
        "schedules": schedules,
        "last_runs": status.last_runs,
        "restores": status.restores,
        "problems": status.problems,
    })))
}

/// The schedules, if they can be read; the rest is told without them.
async fn schedules(api: &Api, problems: &mut Vec<String>) -> Option<Vec<Schedule>> {
    let listed = match api.schedules() {
        Ok(schedules) => {
            schedules.list().await.map_err(|error| Problem::of_control(error, "the schedules"))
        }
        Err(problem) => Err(problem),
    };
    let Ok(schedules) = listed else {
        problems.push("The schedules can't be read: the function's log has the reason.".to_owned());
        return None;
    };
    if schedules.is_empty() {
        problems.push("There are no schedules: no backup starts by itself.".to_owned());
    }
    for schedule in schedules.iter().filter(|schedule| !schedule.enabled) {
        problems.push(format!("The schedule {} is switched off.", short(api, schedule)));
    }
    Some(schedules)
}
