//! The backups.

use async_trait::async_trait;
use axum::{extract::State, http::StatusCode, response::Response};
use futures::{StreamExt, TryStreamExt, stream};
use gorgen_engine::{
    Error,
    jobs::backups,
    model::RunId,
    ports::Vault,
    records::{request::Answer, run::Job},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    answer,
    api::{Api, Shared},
    ask::Ask,
    caller::{Admin, Caller, Role},
    change::{Change, Deed, Step, change},
    page::{Page, Plain, Which, id, listed},
    problem::Problem,
    schema,
};

const PARALLEL_READS: usize = 8;

/// The backups, the newest first.
#[utoipa::path(
    get, path = "/v1/backups", operation_id = "list_backups", tag = "backups", params(schema::Paging),
    responses((status = 200, description = "A page of the backups", body = schema::Backups), schema::AnyProblem),
)]
pub(super) async fn list(
    State(api): State<Shared>,
    _: Admin,
    page: Page,
) -> Result<Response, Problem> {
    let vault = &*api.world.vault;
    let (chosen, next) = page.choose(backups::ids(vault).await?);
    let reads = chosen.into_iter().map(async |id: RunId| backup(vault, &id).await);
    let items: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    Ok(answer::found(&listed("backups", &items, next.as_ref())))
}

/// One backup, by its id or as `latest`.
#[utoipa::path(
    get, path = "/v1/backups/{id}", operation_id = "show_backup", tag = "backups",
    params(("id" = String, Path, description = "An id, or `latest`", example = "latest")),
    responses((status = 200, description = "The backup", body = schema::Backup), schema::AnyProblem, schema::NotFound),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    Which(which): Which,
    _: Plain,
) -> Result<Response, Problem> {
    if which != "latest" {
        id(&which)?;
    }
    let found = backups::find(&*api.world.vault, &which).await?;
    Ok(answer::found(&backup(&*api.world.vault, &found).await?))
}

/// Starts a backup. It is in the list of runs once it has ended.
#[utoipa::path(
    post, path = "/v1/backups", operation_id = "start_backup", tag = "backups", params(schema::IdempotencyKey),
    request_body(content = Option<NewBackup>),
    responses((status = 202, description = "The backup was started", body = schema::Started), schema::AnyProblem, schema::BodyProblem, schema::Conflict),
)]
pub(super) async fn start(
    State(api): State<Shared>,
    ask: Ask<NewBackup>,
) -> Result<Response, Problem> {
    change(&api, ask, "").await
}

/// Nothing to choose: a backup is always the whole database.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBackup {}

#[async_trait]
impl Change for NewBackup {
    const LEAST: Role = Role::Admin;

    async fn decide(&self, api: &Api, _: &str, _: &Caller, _: &RunId) -> Result<Deed, Problem> {
        let job = Job::Backup;
        Ok(started(api, job, Step::Job { job, event: json!({}) }))
    }
}

/// Starting a job, which tells nothing but that it was started.
pub(super) fn started(api: &Api, job: Job, step: Step) -> Deed {
    let body = json!({ "job": job, "requested": api.world.clock.now(), "runs": "/v1/runs" });
    Deed {
        step,
        answer: Answer { status: StatusCode::ACCEPTED.as_u16(), location: None, body },
        about: Some(job.as_str().to_owned()),
    }
}

/// A backup by its header, which is not proved: `verify` does that.
async fn backup(vault: &dyn Vault, id: &RunId) -> Result<Value, Error> {
    Ok(match backups::header(vault, id).await? {
        Ok(header) => {
            let mut shown = json!({
                "backup": header.backup,
                "snapshot": header.snapshot,
                "started": header.started,
                "ended": header.ended,
                "tables": header.totals.tables,
                "rows": header.totals.rows,
                "raw_bytes": header.totals.raw_bytes,
                "stored_bytes": header.totals.stored_bytes,
                "new_bytes": header.totals.new_bytes,
            });
            if header.imported.is_some() {
                shown["imported"] = json!(true);
            }
            shown
        }
        Err(damage) => json!({ "backup": id, "problem": damage.to_string() }),
    })
}
