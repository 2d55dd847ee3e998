//! Runs: what jobs did, and starting them.

use async_trait::async_trait;
use axum::{extract::State, response::Response};
use futures::{StreamExt, TryStreamExt, stream};
use gorgen_engine::{
    Error,
    jobs::{backups, runs},
    model::RunId,
    policy::month::Month,
    ports::Vault,
    records::run::Job,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::backups::started;
use crate::{
    answer,
    api::{Api, Shared},
    ask::Ask,
    caller::{Admin, Caller, Role},
    change::{Change, Deed, Step, change},
    page::{Page, Plain, Which, id, listed},
    problem::{Problem, internal},
    schema,
};

const PARALLEL_READS: usize = 8;

/// The runs that have ended, the newest first, without their summaries.
#[utoipa::path(
    get, path = "/v1/runs", operation_id = "list_runs", tag = "runs", params(schema::Paging),
    responses((status = 200, description = "A page of the runs", body = schema::Runs), schema::AnyProblem),
)]
pub(super) async fn list(
    State(api): State<Shared>,
    _: Admin,
    page: Page,
) -> Result<Response, Problem> {
    let vault = &*api.world.vault;
    let (chosen, next) = page.choose(runs::ids(vault).await?);
    let reads = chosen.into_iter().map(async |id: RunId| run(vault, &id).await);
    let items: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    Ok(answer::found(&listed("runs", &items, next.as_ref())))
}

/// One run, with all that is known of it.
#[utoipa::path(
    get, path = "/v1/runs/{id}", operation_id = "show_run", tag = "runs", params(schema::Id),
    responses((status = 200, description = "The run", body = schema::Run), schema::AnyProblem, schema::NotFound),
)]
pub(super) async fn show(
    State(api): State<Shared>,
    _: Admin,
    Which(which): Which,
    _: Plain,
) -> Result<Response, Problem> {
    let record = runs::find(&*api.world.vault, &id(&which)?).await?;
    without_format(&record).map(|record| answer::found(&record))
}

/// Starts a job. A restore is asked for at `/v1/restores`.
#[utoipa::path(
    post, path = "/v1/runs", operation_id = "start_run", tag = "runs", params(schema::IdempotencyKey),
    request_body(content = NewRun),
    responses((status = 202, description = "The job was started", body = schema::Started), schema::AnyProblem, schema::BodyProblem, schema::Conflict),
)]
pub(super) async fn start(
    State(api): State<Shared>,
    ask: Ask<NewRun>,
) -> Result<Response, Problem> {
    change(&api, ask, "").await
}

/// Which job, and with what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    job: Startable,
    /// For `verify` and `restore-test`: which backup, by its id or as `latest`. Without it `verify` checks all backups,
    /// and `restore-test` takes whichever has its turn.
    backup: Option<String>,
    /// For `verify`: read all data, instead of looking whether it is there.
    read_data: Option<bool>,
    /// For `report`: the month; the last one without it.
    #[schema(example = "2026-10")]
    month: Option<String>,
}

/// The jobs that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Startable {
    Backup,
    Verify,
    RestoreTest,
    Report,
    Cleanup,
}

impl Startable {
    fn job(self) -> Job {
        match self {
            Self::Backup => Job::Backup,
            Self::Verify => Job::Verify,
            Self::RestoreTest => Job::RestoreTest,
            Self::Report => Job::Report,
            Self::Cleanup => Job::Cleanup,
        }
    }

    /// The parameters it takes.
    fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Backup | Self::Cleanup => &[],
            Self::Verify => &["backup", "read_data"],
            Self::RestoreTest => &["backup"],
            Self::Report => &["month"],
        }
    }
}

#[async_trait]
impl Change for NewRun {
    const LEAST: Role = Role::Admin;

    fn needs(&self) -> Role {
        // It is the one job that deletes.
        if self.job == Startable::Cleanup { Role::Master } else { Role::Admin }
    }

    async fn decide(&self, api: &Api, _: &str, _: &Caller, id: &RunId) -> Result<Deed, Problem> {
        let given = [
            ("backup", self.backup.clone().map(Value::from)),
            ("read_data", self.read_data.map(Value::from)),
            ("month", self.month.clone().map(Value::from)),
        ];
        let mut event = Map::new();
        for (name, value) in given {
            let Some(value) = value else { continue };
            if !self.job.takes().contains(&name) {
                let job = self.job.job().as_str();
                return Err(Problem::unprocessable(format!("{name}: {job} does not take it")));
            }
            event.insert(name.to_owned(), value);
        }
        if let Some(which) = &self.backup {
            existing_backup(api, which).await?;
        }
        if let Some(month) = &self.month {
            let month = month.parse::<Month>();
            month.map_err(|error| Problem::unprocessable(format!("month: {error}")))?;
        }
        let (job, input) = (self.job.job(), Value::Object(event));
        Ok(started(
            api,
            job,
            match self.job {
                Startable::RestoreTest => {
                    Step::RestoreTest { execution: format!("{id}-restore-test"), input }
                }
                _ => Step::Job { job, event: input },
            },
        ))
    }
}

/// The backup that a body names; that there is none is no matter of the path.
pub(super) async fn existing_backup(api: &Api, which: &str) -> Result<RunId, Problem> {
    let is_name = which == "latest" || which.parse::<RunId>().is_ok();
    if !is_name {
        let expected = "expected latest, or an id of the form 20261123T060000Z-4f2a91c3";
        return Err(Problem::unprocessable(format!("backup: {expected}, got {which:?}")));
    }
    match backups::find(&*api.world.vault, which).await {
        Err(Error::NoSuchBackup { .. } | Error::NoVault { .. }) => {
            Err(Problem::unprocessable(format!("backup: there is no backup {which}")))
        }
        other => Ok(other?),
    }
}

/// A record as it is, but for the version of the vault's format.
pub(super) fn without_format(record: &impl serde::Serialize) -> Result<Value, Problem> {
    let mut value = serde_json::to_value(record).map_err(|error| internal(&error.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("format");
    }
    Ok(value)
}

/// A run as a list shows it: without its summary.
async fn run(vault: &dyn Vault, id: &RunId) -> Result<Value, Error> {
    Ok(match runs::find(vault, id).await {
        Ok(record) => json!({
            "run": record.run,
            "job": record.job,
            "outcome": record.outcome,
            "scheduled": record.scheduled,
            "started": record.started,
            "ended": record.ended,
        }),
        Err(Error::Damaged { source, .. }) => json!({ "run": id, "problem": source.to_string() }),
        Err(error) => return Err(error),
    })
}
