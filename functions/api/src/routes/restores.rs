//! Restores: asked for, watched, promoted, undone, cancelled.

use async_trait::async_trait;
use axum::{extract::State, http::StatusCode, response::Response};
use futures::{StreamExt, TryStreamExt, stream};
use gorgen_engine::{
    Error,
    jobs::restores,
    model::RunId,
    policy::advice,
    ports::Vault,
    records::{
        request::Answer,
        restore::{Destination, RestoreRecord, Stage, Wish},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::runs::{existing_backup, without_format};
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

/// What a person types to have live data replaced.
const CONFIRMATION: &str = "RESTAURAR";
/// MySQL's limit, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_TENANT: usize = 255;
const MOST_TABLES: usize = 1000;

/// The restores, the newest first, in short.
#[utoipa::path(
    get, path = "/v1/restores", operation_id = "list_restores", tag = "restores", params(schema::Paging),
    responses((status = 200, description = "A page of the restores", body = schema::Restores), schema::AnyProblem),
)]
pub(super) async fn list(
    State(api): State<Shared>,
    _: Admin,
    page: Page,
) -> Result<Response, Problem> {
    let vault = &*api.world.vault;
    let (chosen, next) = page.choose(restores::ids(vault).await?);
    let reads = chosen.into_iter().map(async |id: RunId| restore(vault, &id).await);
    let items: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    Ok(answer::found(&listed("restores", &items, next.as_ref())))
}

/// One restore: its state, progress, plan, verification and timings.
#[utoipa::path(
    get, path = "/v1/restores/{id}", operation_id = "show_restore", tag = "restores", params(schema::Id),
    responses((status = 200, description = "The restore", body = schema::Restore), schema::AnyProblem, schema::NotFound),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    Which(which): Which,
    _: Plain,
) -> Result<Response, Problem> {
    let record = restores::find(&*api.world.vault, &id(&which)?).await?;
    without_format(&record).map(|record| answer::found(&record))
}

/// Asks for a restore: in place of the live data, beside it, into another database, or only as a plan.
#[utoipa::path(
    post, path = "/v1/restores", operation_id = "ask_for_restore", tag = "restores", params(schema::IdempotencyKey),
    request_body(content = NewRestore),
    responses(
        (status = 202, description = "The restore was asked for", body = schema::Requested, headers(("Location" = String, description = "The restore"))),
        schema::AnyProblem, schema::BodyProblem, schema::Conflict,
    ),
)]
pub(super) async fn ask(
    State(api): State<Shared>,
    ask: Ask<NewRestore>,
) -> Result<Response, Problem> {
    change(&api, ask, "").await
}

/// Puts a restore that was loaded and verified beside the live data, or that was undone, in its place; or completes that.
#[utoipa::path(
    post, path = "/v1/restores/{id}/promote", operation_id = "promote_restore", tag = "restores", params(schema::Id, schema::IdempotencyKey),
    request_body(content = Confirmation),
    responses(
        (status = 202, description = "It begins", body = schema::Requested, headers(("Location" = String, description = "The restore"))),
        schema::AnyProblem, schema::BodyProblem, schema::Conflict, schema::NotFound,
    ),
)]
pub(super) async fn promote(
    State(api): State<Shared>,
    Which(which): Which,
    ask: Ask<Promote>,
) -> Result<Response, Problem> {
    change(&api, ask, &which).await
}

/// Puts the old live data back in its place, or completes that.
#[utoipa::path(
    post, path = "/v1/restores/{id}/undo", operation_id = "undo_restore", tag = "restores", params(schema::Id, schema::IdempotencyKey),
    request_body(content = Confirmation),
    responses(
        (status = 202, description = "It begins", body = schema::Requested, headers(("Location" = String, description = "The restore"))),
        schema::AnyProblem, schema::BodyProblem, schema::Conflict, schema::NotFound,
    ),
)]
pub(super) async fn undo(
    State(api): State<Shared>,
    Which(which): Which,
    ask: Ask<Undo>,
) -> Result<Response, Problem> {
    change(&api, ask, &which).await
}

/// Gives up a restore that has not touched the live data, and removes what it loaded.
#[utoipa::path(
    post, path = "/v1/restores/{id}/cancel", operation_id = "cancel_restore", tag = "restores", params(schema::Id, schema::IdempotencyKey),
    request_body(content = Option<Cancel>),
    responses(
        (status = 202, description = "It begins", body = schema::Requested, headers(("Location" = String, description = "The restore"))),
        schema::AnyProblem, schema::BodyProblem, schema::Conflict, schema::NotFound,
    ),
)]
pub(super) async fn cancel(
    State(api): State<Shared>,
    Which(which): Which,
    ask: Ask<Cancel>,
) -> Result<Response, Problem> {
    change(&api, ask, &which).await
}

/// What a restore does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Replaces the live data, once all is loaded beside it and verified. Needs `confirm`.
    InPlace,
    /// Stops when all is loaded beside the live data and verified; `promote` goes on.
    Stage,
    /// Restores into another database, which `database` names.
    Database,
    /// Changes nothing, and tells what would change.
    Plan,
}

/// On which server another database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Server {
    /// The protected one.
    Primary,
    /// The throw-away one.
    Scratch,
}

/// What is to be restored, and where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRestore {
    /// The backup, by its id or as `latest`.
    #[schema(example = "latest")]
    backup: String,
    mode: Mode,
    /// Another database, new or empty: for the mode `database`, and for a plan of it.
    #[schema(min_length = 1, max_length = 64)]
    database: Option<String>,
    /// The server of that database; `primary` without it.
    server: Option<Server>,
    /// Only these tables; all if it is empty.
    #[serde(default)]
    #[schema(max_items = 1000)]
    tables: Vec<String>,
    /// Only the rows of this tenant.
    #[schema(min_length = 1, max_length = 255)]
    tenant: Option<String>,
    /// Back up first what is there now.
    #[serde(default = "yes")]
    #[schema(default = true)]
    safety_backup: bool,
    /// Go on although rows would point at rows that are not there.
    #[serde(default)]
    #[schema(default = false)]
    accept_orphans: bool,
    /// `RESTAURAR`, for the mode `in-place`.
    #[schema(example = "RESTAURAR")]
    confirm: Option<String>,
}

fn yes() -> bool {
    true
}

impl NewRestore {
    /// The wish, if it makes sense.
    fn wish(&self) -> Result<Wish, Problem> {
        let elsewhere = self.database.is_some() || self.server.is_some();
        if elsewhere && !matches!(self.mode, Mode::Database | Mode::Plan) {
            return Err(Problem::unprocessable(
                "database, server: they are for the modes database and plan",
            ));
        }
        if self.database.is_none() && (self.mode == Mode::Database || self.server.is_some()) {
            return Err(Problem::unprocessable("database: missing; where is it to go?"));
        }
        if let Some(name) = &self.database {
            sized("database", name, LONGEST_NAME)?;
        }
        if let Some(tenant) = &self.tenant {
            sized("tenant", tenant, LONGEST_TENANT)?;
        }
        if self.tables.len() > MOST_TABLES {
            return Err(Problem::unprocessable(format!("tables: more than {MOST_TABLES}")));
        }
        for (place, table) in self.tables.iter().enumerate() {
            sized("tables", table, LONGEST_NAME)?;
            if self.tables[..place].contains(table) {
                return Err(Problem::unprocessable(format!("tables: {table:?} is there twice")));
            }
        }
        if self.mode == Mode::InPlace {
            confirmed(self.confirm.as_deref())?;
        }
        let destination = match &self.database {
            Some(database) => Destination::Database {
                database: database.clone(),
                on_scratch: self.server == Some(Server::Scratch),
            },
            None => Destination::InPlace { stage_only: self.mode == Mode::Stage },
        };
        Ok(Wish {
            backup: self.backup.clone(),
            destination,
            tables: self.tables.clone(),
            tenant: self.tenant.clone(),
            no_safety_backup: !self.safety_backup,
            accept_orphans: self.accept_orphans,
            dry_run: self.mode == Mode::Plan,
        })
    }
}

fn sized(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let detail = format!("{field}: expected 1 to {most} characters without control characters");
    Err(Problem::unprocessable(detail))
}

fn confirmed(given: Option<&str>) -> Result<(), Problem> {
    if given == Some(CONFIRMATION) {
        return Ok(());
    }
    let detail =
        format!("confirm: this replaces live data; to go on, send \"confirm\": \"{CONFIRMATION}\"");
    Err(Problem::unprocessable(detail))
}

#[async_trait]
impl Change for NewRestore {
    const LEAST: Role = Role::Master;

    async fn decide(
        &self,
        api: &Api,
        _: &str,
        caller: &Caller,
        id: &RunId,
    ) -> Result<Deed, Problem> {
        let wish = self.wish()?;
        existing_backup(api, &wish.backup).await?;
        if matches!(wish.destination, Destination::InPlace { .. }) && !wish.dry_run {
            nothing_in_the_way(api, id).await?;
        }
        let asked_by = caller.told.name.clone().unwrap_or_else(|| caller.told.subject.clone());
        let input = json!({ "restore": id, "action": "restore" });
        let step = Step::Restore { id: id.clone(), wish, asked_by, input };
        Ok(accepted(id, Stage::Requested, step))
    }
}

/// Said by whoever has live data replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// `RESTAURAR`.
    #[schema(example = "RESTAURAR")]
    confirm: String,
}

/// Confirmed: the restored data goes live.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Promote(Confirmation);

/// Confirmed: the old data goes live again.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Undo(Confirmation);

/// Nothing to choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {}

#[async_trait]
impl Change for Promote {
    const LEAST: Role = Role::Master;

    async fn decide(
        &self,
        api: &Api,
        target: &str,
        _: &Caller,
        id: &RunId,
    ) -> Result<Deed, Problem> {
        confirmed(Some(&self.0.confirm))?;
        let stages = [Stage::Staged, Stage::Promoting, Stage::Undone];
        on_its_way(api, target, "promote", &stages, "staged, promoting or undone", id).await
    }
}

#[async_trait]
impl Change for Undo {
    const LEAST: Role = Role::Master;

    async fn decide(
        &self,
        api: &Api,
        target: &str,
        _: &Caller,
        id: &RunId,
    ) -> Result<Deed, Problem> {
        confirmed(Some(&self.0.confirm))?;
        let stages = [Stage::Restored, Stage::Undoing];
        let deed = on_its_way(api, target, "undo", &stages, "restored or undoing", id).await?;
        let record = existing(api, target).await?;
        let gone = match record.wish.destination {
            Destination::Database { .. } => "it went into a database of its own: drop that instead",
            Destination::InPlace { .. } if record.dropped => {
                "its old tables were dropped: restore another backup"
            }
            Destination::InPlace { .. } => return Ok(deed),
        };
        Err(Problem::conflict(format!("restore {target} can't be undone: {gone}")))
    }
}

#[async_trait]
impl Change for Cancel {
    const LEAST: Role = Role::Master;

    async fn decide(
        &self,
        api: &Api,
        target: &str,
        _: &Caller,
        id: &RunId,
    ) -> Result<Deed, Problem> {
        let stages = [Stage::Requested, Stage::Loading, Stage::Staged];
        on_its_way(api, target, "cancel", &stages, "requested, loading or staged", id).await
    }
}

/// Refuses what the function `restore` would refuse later: two restores of the live database at once.
async fn nothing_in_the_way(api: &Api, id: &RunId) -> Result<(), Problem> {
    let now = api.world.clock.now();
    let Some(other) = restores::in_the_way(&*api.world.vault, id, now).await? else {
        return Ok(());
    };
    let advice = advice::of_restore(&other, now).unwrap_or_default();
    let (other, stage) = (other.restore, other.stage.as_str());
    Err(Problem::conflict(format!("restore {other} is in the way, it is {stage}. {advice}")))
}

async fn existing(api: &Api, which: &str) -> Result<RestoreRecord, Problem> {
    Ok(restores::find(&*api.world.vault, &id(which)?).await?)
}

/// Has the state machine act upon a restore that is at one of these stages.
async fn on_its_way(
    api: &Api,
    which: &str,
    action: &'static str,
    stages: &[Stage],
    possible: &'static str,
    change: &RunId,
) -> Result<Deed, Problem> {
    let RestoreRecord { restore, stage, .. } = existing(api, which).await?;
    if !stages.contains(&stage) {
        let stage = stage.as_str();
        return Err(Error::WrongStage { restore, stage, action, possible }.into());
    }
    // Another execution each time: after a promote that was undone there can be another promote.
    let execution = format!("{restore}-{action}-{change}");
    let input = json!({ "restore": restore, "action": action });
    Ok(accepted(&restore, stage, Step::Machine { execution, input }))
}

fn accepted(restore: &RunId, stage: Stage, step: Step) -> Deed {
    let answer = Answer {
        status: StatusCode::ACCEPTED.as_u16(),
        location: Some(format!("/v1/restores/{restore}")),
        body: json!({ "restore": restore, "stage": stage }),
    };
    Deed { step, answer, about: Some(restore.to_string()) }
}

/// A restore as a list shows it.
async fn restore(vault: &dyn Vault, id: &RunId) -> Result<Value, Error> {
    Ok(match restores::find(vault, id).await {
        Ok(record) => json!({
            "restore": record.restore,
            "stage": record.stage,
            "live": record.live,
            "wish": record.wish,
            "asked_by": record.asked_by,
            "requested": record.requested,
            "updated": record.updated,
            "progress": record.progress,
        }),
        Err(Error::Damaged { source, .. }) => {
            json!({ "restore": id, "problem": source.to_string() })
        }
        Err(error) => return Err(error),
    })
}
