//! One step of a restore, as the state machine asks for it. Each can be asked for again.

use gorgen_engine::{
    Error,
    jobs::{
        World, restores,
        staged::{self, Rules, Servers},
    },
    model::RunId,
    records::restore::{Destination, RestoreRecord, Stage},
};
use gorgen_function::{Call, ErrorType, Failure, Shell, StepError};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which step of which restore.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Only the clean-up is of no restore, but of all.
    restore: Option<RunId>,
    step: Step,
    /// The backup that was made of the live tables before they are touched.
    safety_backup: Option<RunId>,
    /// Which group of tables to load.
    group: Option<usize>,
    /// Why the restore failed, as the state machine tells it.
    error: Option<StepError>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    Plan,
    Prepare,
    Load,
    Verify,
    Promote,
    Undo,
    Discard,
    CleanUp,
}

/// Takes the step, and says what the state machine needs to know to go on.
pub(crate) async fn take(shell: &Shell, call: Call<Event>) -> Result<Value, Failure> {
    let world = shell.world().await?;
    let (primary, scratch) = (shell.server().await?, shell.scratch_server().await?);
    let servers = Servers {
        primary: &primary,
        scratch: scratch.as_ref().map(|server| server as &dyn gorgen_engine::ports::Server),
    };
    let rules = Rules { deadline: shell.deadline(), ..shell.settings().restore_rules() };
    let Event { restore, step, safety_backup, group, error } = call.event;
    let Some(id) = restore else {
        return match step {
            Step::CleanUp => clean_up(&world, servers, &rules).await,
            _ => Err(Failure::new(ErrorType::InvalidEvent, "restore: expected an id, got nothing")),
        };
    };
    let record = match step {
        Step::Plan => return plan(&world, servers, &rules, &id).await,
        Step::Prepare => {
            let prepared = staged::prepare(&world, servers, &rules, &id, safety_backup).await?;
            let numbers: Vec<_> = (0..prepared.groups).collect();
            let mut said = said(&prepared.record);
            (said["groups"], said["group_numbers"]) = (json!(prepared.groups), json!(numbers));
            return Ok(said);
        }
        Step::Load => {
            let missing =
                || Failure::new(ErrorType::InvalidEvent, "group: expected a number, got nothing");
            let group = group.ok_or_else(missing)?;
            let record = staged::load(&world, servers, &rules, &id, group).await?;
            let mut said = said(&record);
            (said["group"], said["rows"]) = (json!(group), json!(record.progress.rows_done));
            return Ok(said);
        }
        Step::Verify => staged::verify(&world, servers, &rules, &id).await?,
        Step::Promote => {
            if let Some(backup) = &safety_backup {
                staged::note_safety_backup(&world, &id, backup).await?;
            }
            staged::promote(&world, servers, &rules, &id).await?
        }
        Step::Undo => staged::undo(&world, servers, &rules, &id).await?,
        Step::CleanUp => return clean_up(&world, servers, &rules).await,
        Step::Discard => {
            let lines = error.as_ref().map(StepError::lines).unwrap_or_default();
            staged::discard(&world, servers, &rules, &id, &lines).await?
        }
    };
    Ok(said(&record))
}

/// Drops what restores left beside the live database that nobody is promised any more.
async fn clean_up(world: &World, servers: Servers<'_>, rules: &Rules) -> Result<Value, Failure> {
    let cleaned = staged::clean(world, servers, rules, false).await?;
    if cleaned.problems.is_empty() {
        Ok(json!({ "cleaned_up": cleaned }))
    } else {
        Err(Failure::new(ErrorType::Failed, cleaned.problems.join("; ")))
    }
}

fn said(record: &RestoreRecord) -> Value {
    json!({ "restore": record.restore, "stage": record.stage })
}

/// Decides which backup it is, and looks for what stands in the way.
async fn plan(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<Value, Failure> {
    let record = staged::begin(world, servers, rules, id).await?;
    let plan = staged::plan(world, servers, rules, id).await?;
    let kept = serde_json::to_value(&plan).ok();
    let wish = record.wish.clone();
    let record = restores::update(world, id, |record| {
        record.plan.clone_from(&kept);
        if wish.dry_run {
            record.stage = Stage::Planned;
        }
        Ok(())
    })
    .await?;
    if !plan.blocked_by.is_empty() && !wish.dry_run {
        return Err(Error::Blocked { reasons: plan.blocked_by }.into());
    }
    let in_place = matches!(wish.destination, Destination::InPlace { .. });
    let stage_only = matches!(wish.destination, Destination::InPlace { stage_only: true });
    let kind = match (&wish.tenant, in_place) {
        (Some(_), _) => "tenant",
        (None, true) => "in-place",
        (None, false) => "database",
    };
    let mut said = said(&record);
    said["kind"] = json!(kind);
    said["blocked_by"] = json!(plan.blocked_by);
    (said["dry_run"], said["stage_only"]) = (json!(wish.dry_run), json!(stage_only));
    said["safety_backup"] = json!(in_place && !stage_only && !wish.no_safety_backup);
    Ok(said)
}
