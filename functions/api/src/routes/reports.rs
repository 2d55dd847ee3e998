//! Months, told: as data at the moment of the call, and as the pages that are kept.

use axum::{extract::State, response::Response};
use futures::{StreamExt, TryStreamExt, stream};
use gorgen_engine::{
    Error, Kind,
    jobs::report::{self, Kept},
    policy::month::Month,
    ports::Vault,
};
use serde_json::{Value, json};

use crate::{
    answer,
    api::Shared,
    caller::Admin,
    page::{Page, Plain, Which, listed},
    problem::{Problem, unproved},
    schema,
};

/// Records of months with many calls in them are large.
const PARALLEL_READS: usize = 4;

/// The months that are kept, each with its newest report; the one that was told last comes first.
#[utoipa::path(
    get, path = "/v1/reports", operation_id = "list_reports", tag = "reports", params(schema::Paging),
    responses((status = 200, description = "A page of the reports", body = schema::Reports), schema::AnyProblem),
)]
pub(super) async fn list(
    State(api): State<Shared>,
    _: Admin,
    page: Page,
) -> Result<Response, Problem> {
    let vault = &*api.world.vault;
    let mut kept = report::kept(vault).await?;
    let (chosen, next) = page.choose(kept.iter().map(|kept| kept.run.clone()).collect());
    kept.reverse();
    kept.retain(|kept| chosen.contains(&kept.run));
    let reads = kept.into_iter().map(async |kept| line(vault, &kept).await);
    let items: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    Ok(answer::found(&listed("reports", &items, next.as_ref())))
}

/// The report of a month: what ran, what came of it, and what there is.
#[utoipa::path(
    get, path = "/v1/reports/{month}", operation_id = "show_report", tag = "reports", params(schema::MonthOfPath),
    responses((status = 200, description = "The month", body = schema::Report), schema::AnyProblem, schema::NotFound),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    Which(month): Which,
    _: Plain,
) -> Result<Response, Problem> {
    let month = named(&month)?;
    let (begins, _) = month.span(&api.zone);
    if begins > api.world.clock.now() {
        return Err(Problem::not_found(format!("{month} has not begun")));
    }
    Ok(answer::found(
        &report::look(&*api.world.vault, month, &api.zone, api.world.clock.now()).await?,
    ))
}

/// The page of a month for people, as the newest report of it was kept.
#[utoipa::path(
    get, path = "/v1/reports/{month}/page", operation_id = "show_report_page", tag = "reports",
    params(schema::MonthOfPath),
    responses(
        (status = 200, description = "The page, which needs nothing else", body = String, content_type = "text/html; charset=utf-8"),
        schema::AnyProblem,
        schema::NotFound,
    ),
)]
pub(super) async fn page(
    State(api): State<Shared>,
    _: Admin,
    Which(month): Which,
    _: Plain,
) -> Result<Response, Problem> {
    let month = named(&month)?;
    let vault = &*api.world.vault;
    let page = report::kept_of(vault, month).await?.page(vault).await;
    page.map(answer::page).map_err(|error| match error.kind() {
        Kind::Integrity => unproved(&format!("the page of {month}"), error),
        _ => error.into(),
    })
}

fn named(month: &str) -> Result<Month, Problem> {
    month.parse::<Month>().map_err(|error| Problem::bad_request(error.to_string()))
}

/// A report as a list shows it; one whose data are not what was kept has a problem.
async fn line(vault: &dyn Vault, kept: &Kept) -> Result<Value, Error> {
    let Kept { month, run, report, page } = kept;
    Ok(match kept.label(vault).await {
        Ok(label) => json!({
            "month": month,
            "run": run,
            "told": label.at,
            "sha256": label.sha256,
            "conformity": label.conformity,
            "data": report,
            "page": page,
        }),
        Err(error) if error.kind() == Kind::Integrity => {
            json!({ "month": month, "run": run, "problem": error.to_string() })
        }
        Err(error) => return Err(error),
    })
}
