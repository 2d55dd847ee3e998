//! How every call that changes something goes: who may, what is wanted, what was answered before, the trail, the deed.
//!
//! The trail comes before the deed. A call that can't be recorded is not begun; one that was recorded as allowed and
//! then failed gets a second record that says so. A refusal is recorded too, before it is given.

use async_trait::async_trait;
use axum::{http::StatusCode, response::Response};
use gorgen_engine::{
    jobs::{
        audit::{self, Entry},
        requests::{self, Begun, Known, Request},
        restores,
    },
    model::RunId,
    records::{audit::Verdict, request::Answer, restore::Wish, run::Job},
};
use gorgen_function::{Failure, control::ControlError};
use serde_json::Value;

use crate::{
    answer,
    api::Api,
    ask::Ask,
    caller::{Caller, Role},
    problem::Problem,
};

const BUSY: &str = "a request with this Idempotency-Key is being worked on; ask again in a minute";
const OTHER_BODY: &str =
    "this Idempotency-Key was used for a request with another body; take a new one";
const NOT_BEGUN: &str = "the state machine of restores could not be started";
const ASKED_AGAIN: &str = "the same Idempotency-Key as before: nothing was done anew";

/// What a caller can wish for.
#[async_trait]
pub(crate) trait Change: Send + Sync {
    /// What every such wish needs.
    const LEAST: Role;

    /// What this one needs.
    fn needs(&self) -> Role {
        Self::LEAST
    }

    /// Looks whether it can be done, to what the path names, and how. `id` is the change's own.
    async fn decide(
        &self,
        api: &Api,
        target: &str,
        caller: &Caller,
        id: &RunId,
    ) -> Result<Deed, Problem>;
}

/// What is to be done, and what the caller is told once it was begun.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) step: Step,
    pub(crate) answer: Answer,
    /// The restore or job it is about.
    pub(crate) about: Option<String>,
}

/// The one step that changes something.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Write down that a restore is wanted, and start it.
    Restore { id: RunId, wish: Wish, asked_by: String, input: Value },
    /// Start an execution of the restores' state machine.
    Machine { execution: String, input: Value },
    /// Start a job.
    Job { job: Job, event: Value },
    /// Start an execution of the restore tests' state machine.
    RestoreTest { execution: String, input: Value },
    /// Enable or disable a schedule.
    Switch { schedule: String, enabled: bool },
}

/// What a call comes to, before anything was changed.
enum Decision {
    /// It was answered before.
    Again(Answer),
    /// It is to be done.
    Do(Box<Deed>, Option<Begun>),
}

/// Does what was asked for, if it may be done, and leaves its trail.
pub(crate) async fn change<C: Change>(
    api: &Api,
    ask: Ask<C>,
    target: &str,
) -> Result<Response, Problem> {
    match decide(api, &ask, target).await {
        Err(problem) => {
            let about = (!target.is_empty()).then(|| target.to_owned());
            keep(api, &ask, Outcome::of(&problem, about)).await?;
            Err(problem)
        }
        Ok(Decision::Again(answer)) => {
            keep(api, &ask, Outcome::again(&answer)).await?;
            Ok(answer::of_change(&answer))
        }
        Ok(Decision::Do(deed, begun)) => {
            if let Err(problem) = keep(api, &ask, Outcome::allowed(&deed)).await {
                let_go(api, begun, &problem).await;
                return Err(problem);
            }
            if let Err(problem) = deed.step.take(api).await {
                let_go(api, begun, &problem).await;
                // Unkept, which is in the log: that it was to be done is recorded, and the caller learns why it was not.
                let _ = keep(api, &ask, Outcome::of(&problem, deed.about)).await;
                return Err(problem);
            }
            if let Some(begun) = begun {
                // Unkept, the answer is made again when it is asked for: what was begun is not begun twice.
                let kept = requests::answered(&api.world, begun, deed.answer.clone()).await;
                log(kept);
            }
            Ok(answer::of_change(&deed.answer))
        }
    }
}

async fn decide<C: Change>(api: &Api, ask: &Ask<C>, target: &str) -> Result<Decision, Problem> {
    ask.caller.needs(C::LEAST)?;
    let wish = ask.wish.as_ref().map_err(Clone::clone)?;
    ask.caller.needs(wish.needs())?;
    let Some(key) = ask.key.as_ref().map_err(Clone::clone)? else {
        let id = api.new_id();
        let deed = wish.decide(api, target, &ask.caller, &id).await?;
        return Ok(Decision::Do(Box::new(deed), None));
    };
    let request = Request::new(&ask.caller.told.subject, &ask.action, key, &ask.body);
    let open = match requests::look_up(&api.world, &request).await? {
        Known::Answered(answer) => return Ok(Decision::Again(answer)),
        Known::OtherBody => return Err(Problem::unprocessable(OTHER_BODY)),
        Known::Busy => return Err(Problem::conflict(BUSY)),
        Known::Open(open) => open,
    };
    let id = open.change.clone().unwrap_or_else(|| api.new_id());
    let deed = wish.decide(api, target, &ask.caller, &id).await?;
    let begun = requests::begin(&api.world, request, open, id).await?;
    let begun = begun.ok_or_else(|| Problem::conflict(BUSY))?;
    Ok(Decision::Do(Box::new(deed), Some(begun)))
}

impl Step {
    async fn take(&self, api: &Api) -> Result<(), Problem> {
        match self {
            Self::Restore { id, wish, asked_by, input } => {
                let (machine, asked_by) = (api.restores()?, Some(asked_by.clone()));
                restores::request_as(&api.world, id.clone(), wish.clone(), asked_by).await?;
                let started = machine.start(&format!("{id}-restore"), input).await;
                if started.as_ref().is_err_and(|error| !error.is_retryable()) {
                    // Nobody is to wait for it. Unkept, it is found stuck later.
                    log(restores::not_begun(&api.world, id, NOT_BEGUN).await);
                }
                started.map_err(of_machine)
            }
            Self::Machine { execution, input } => {
                api.restores()?.start(execution, input).await.map_err(of_machine)
            }
            Self::Job { job, event } => {
                let started = api.jobs()?.start(*job, event).await;
                started.map_err(|error| Problem::of_control(error, "the job's function"))
            }
            Self::RestoreTest { execution, input } => {
                let started = api.restore_tests()?.start(execution, input).await;
                let failed =
                    |error| Problem::of_control(error, "the state machine of restore tests");
                started.map_err(failed)
            }
            Self::Switch { schedule, enabled } => {
                let switched = api.schedules()?.switch(schedule, *enabled).await;
                let failed = |error| Problem::of_control(error, "the schedules");
                switched.map(drop).map_err(failed)
            }
        }
    }
}

fn of_machine(error: ControlError) -> Problem {
    Problem::of_control(error, "the state machine of restores")
}

/// What the trail says of a call.
struct Outcome {
    verdict: Verdict,
    status: u16,
    reason: Option<String>,
    about: Option<String>,
}

impl Outcome {
    fn allowed(deed: &Deed) -> Self {
        let (status, about) = (deed.answer.status, deed.about.clone());
        Self { verdict: Verdict::Allowed, status, reason: None, about }
    }

    fn again(answer: &Answer) -> Self {
        let about = answer.body.get("restore").and_then(Value::as_str).map(str::to_owned);
        let reason = Some(ASKED_AGAIN.to_owned());
        Self { verdict: Verdict::Allowed, status: answer.status, reason, about }
    }

    fn of(problem: &Problem, about: Option<String>) -> Self {
        let failed = problem.status().is_server_error();
        let verdict = if failed { Verdict::Failed } else { Verdict::Refused };
        let reason = Some(problem.detail.clone());
        Self { verdict, status: problem.status().as_u16(), reason, about }
    }
}

async fn keep<C>(api: &Api, ask: &Ask<C>, outcome: Outcome) -> Result<(), Problem> {
    let entry = Entry {
        caller: ask.caller.told.clone(),
        action: ask.action.clone(),
        request: ask.shown.clone(),
        verdict: outcome.verdict,
        status: outcome.status,
        reason: outcome.reason,
        about: outcome.about,
    };
    let kept = audit::keep(&api.world, entry).await;
    kept.map(drop).map_err(|error| {
        Failure::from(error).log();
        let detail =
            "the call could not be recorded, and what is not recorded is not done; try again later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })
}

/// Lets the same request be tried again at once. Where it is not known what was begun, the same is begun again.
async fn let_go(api: &Api, begun: Option<Begun>, problem: &Problem) {
    let Some(begun) = begun else { return };
    let is_known = problem.status() != StatusCode::SERVICE_UNAVAILABLE;
    log(requests::failed(&api.world, begun, is_known.then(|| api.new_id())).await);
}

/// A failure that changes no answer.
fn log(result: Result<(), gorgen_engine::Error>) {
    if let Err(error) = result {
        Failure::from(error).log();
    }
}
