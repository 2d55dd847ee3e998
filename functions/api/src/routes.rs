//! What can be asked for.

use futures::{StreamExt, TryStreamExt, stream};
use gorgen_engine::{
    Error,
    jobs::{backups, runs},
    model::RunId,
    ports::Vault,
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    page::{Page, Query},
};

/// The list of backups.
pub(crate) const BACKUPS: &str = "/v1/backups";

const PARALLEL_READS: usize = 8;

/// Answers a request.
pub(crate) async fn answer(vault: &dyn Vault, method: &str, path: &str, query: &Query) -> Answer {
    let parts: Vec<_> = path.trim_end_matches('/').split('/').skip(1).collect();
    let found = match (method, parts.as_slice()) {
        ("GET", ["v1", "backups"]) => list_backups(vault, query).await,
        ("GET", ["v1", "backups", id]) => show_backup(vault, id).await,
        ("GET", ["v1", "runs"]) => list_runs(vault, query).await,
        ("GET", ["v1", "runs", id]) => show_run(vault, id).await,
        (_, ["v1", "backups" | "runs"] | ["v1", "backups" | "runs", _]) => {
            Err(Answer::problem(405, "Method Not Allowed", format!("{path} takes only GET")))
        }
        _ => Err(Answer::problem(404, "Not Found", format!("there is no {path}"))),
    };
    found.unwrap_or_else(|problem| problem)
}

async fn list_backups(vault: &dyn Vault, query: &Query) -> Result<Answer, Answer> {
    let page = Page::of(query)?;
    let ids = backups::ids(vault).await.map_err(Answer::failed)?;
    let (chosen, more) = page.choose(ids);
    let read = chosen.iter().map(async |id| backup(vault, id).await);
    list("backups", &chosen, more, read).await
}

async fn list_runs(vault: &dyn Vault, query: &Query) -> Result<Answer, Answer> {
    let page = Page::of(query)?;
    let ids = runs::ids(vault).await.map_err(Answer::failed)?;
    let (chosen, more) = page.choose(ids);
    let read = chosen.iter().map(async |id| run(vault, id).await);
    list("runs", &chosen, more, read).await
}

/// A page of a list, with the id from which the next page goes on, if there is one.
async fn list(
    name: &str,
    ids: &[RunId],
    more: bool,
    items: impl Iterator<Item = impl Future<Output = Result<Value, Error>>>,
) -> Result<Answer, Answer> {
    let items: Vec<_> =
        stream::iter(items).buffered(PARALLEL_READS).try_collect().await.map_err(Answer::failed)?;
    let next = ids.last().filter(|_| more).map(ToString::to_string);
    Ok(Answer::found(&json!({ name: items, "next": next })))
}

async fn show_backup(vault: &dyn Vault, id: &str) -> Result<Answer, Answer> {
    let id = backups::find(vault, id).await.map_err(Answer::failed)?;
    Ok(Answer::found(&backup(vault, &id).await.map_err(Answer::failed)?))
}

async fn show_run(vault: &dyn Vault, id: &str) -> Result<Answer, Answer> {
    let id = id.parse::<RunId>();
    let id = id.map_err(|error| Answer::problem(400, "Bad Request", error.to_string()))?;
    let record = runs::find(vault, &id).await.map_err(Answer::failed)?;
    Ok(Answer::found(&record))
}

/// A backup by its header, which is not proved: `verify` does that.
async fn backup(vault: &dyn Vault, id: &RunId) -> Result<Value, Error> {
    Ok(match backups::header(vault, id).await? {
        Ok(header) => json!({
            "backup": header.backup,
            "snapshot": header.snapshot,
            "started": header.started,
            "ended": header.ended,
            "tables": header.totals.tables,
            "rows": header.totals.rows,
            "raw_bytes": header.totals.raw_bytes,
            "stored_bytes": header.totals.stored_bytes,
            "new_bytes": header.totals.new_bytes,
        }),
        Err(damage) => json!({ "backup": id, "problem": damage.to_string() }),
    })
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

#[cfg(test)]
mod tests;
