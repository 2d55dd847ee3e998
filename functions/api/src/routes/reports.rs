//! A month, told.

use axum::{extract::State, response::Response};
use gorgen_engine::{jobs::report, policy::month::Month};

use crate::{
    answer,
    api::Shared,
    caller::Admin,
    page::{Plain, Which},
    problem::Problem,
    schema,
};

/// The report of a month: what ran, what came of it, and what there is.
#[utoipa::path(
    get, path = "/v1/reports/{month}", operation_id = "show_report", tag = "reports",
    params(("month" = String, Path, description = "The month", pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-10")),
    responses((status = 200, description = "The month", body = schema::Report), schema::AnyProblem, schema::NotFound),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    Which(month): Which,
    _: Plain,
) -> Result<Response, Problem> {
    let month = month.parse::<Month>();
    let month = month.map_err(|error| Problem::bad_request(error.to_string()))?;
    let (begins, _) = month.span(&api.zone);
    if begins > api.world.clock.now() {
        return Err(Problem::not_found(format!("{month} has not begun")));
    }
    Ok(answer::found(
        &report::look(&*api.world.vault, month, &api.zone, api.world.clock.now()).await?,
    ))
}
