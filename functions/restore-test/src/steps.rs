//! One step of a test, as the state machine asks for it. Each can be asked for again.
//!
//! The machine carries what the steps say from one to the next: there is no other memory of a test that is at work. Only `end`
//! tells how the test ended, in metrics and in a notice.

use gorgen_engine::{
    Error,
    jobs::restore_test::{
        Chosen, Ended, Evidence, Loaded, Prepared, Proved, TestRun, steps::Steps,
    },
    records::run::{Outcome, RunRecord},
};
use gorgen_function::{Call, ErrorType, Failure, Metric, Part, Shell, StepError};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Asked, Summary, request};

/// A test that takes longer is given up, an hour before the machine itself would be ended: what is left then is enough for
/// the step that is at work, and for `end`.
const LONGEST: SignedDuration = SignedDuration::from_hours(5);

/// Which step of which execution, with what the steps before it said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    step: Step,
    execution: Execution,
    /// The execution's input: what to test, and the moment a schedule wanted it.
    asked: Option<Value>,
    chosen: Option<Chosen>,
    /// Which group of tables to load.
    group: Option<usize>,
    prepared: Option<Prepared>,
    loaded: Option<Vec<Loaded>>,
    proved: Option<Proved>,
    /// Why a step failed, as the state machine tells it.
    error: Option<StepError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    Choose,
    Prepare,
    Load,
    Prove,
    End,
}

/// The execution that a test is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Execution {
    name: String,
    started: Timestamp,
}

/// Takes the step, and says what the steps after it need.
pub(crate) async fn take(shell: &Shell, call: Call<Event>) -> Result<Value, Failure> {
    let event = call.event;
    let began = event.execution.started;
    let asked = Call::<Asked>::read(event.asked.clone().unwrap_or_default());
    let (asked, scheduled) = match asked {
        Ok(Call { event, scheduled }) => (event, scheduled),
        // A test that was asked for in wrong words ends as well.
        Err(_) if event.step == Step::End => (Asked::default(), None),
        Err(error) => return Err(error.into()),
    };
    if event.step == Step::End {
        shell.is(Part::Last { began, failure: None });
    }
    refuse_late(&event, shell.now())?;
    let (world, replica) = (shell.world().await?, shell.replica().await?);
    let scratch = shell.scratch().await?;
    let run = TestRun::of_execution(&event.execution.name, began, scheduled);
    let request = request(shell, asked, scheduled);
    let steps = Steps::of(&world, replica.as_ref(), &scratch, &request, &run);
    let chosen = event.chosen.as_ref();
    match event.step {
        Step::Choose => {
            let chosen = steps.choose().await?;
            Ok(json!({ "already_done": chosen.is_none(), "chosen": chosen }))
        }
        Step::Prepare => {
            let prepared = steps.prepare(given("chosen", chosen)?).await?;
            let numbers: Vec<_> = (0..prepared.groups).collect();
            Ok(json!({ "prepared": prepared, "group_numbers": numbers }))
        }
        Step::Load => {
            let group = given("group", event.group)?;
            Ok(json!(steps.load(given("chosen", chosen)?, group).await?))
        }
        Step::Prove => Ok(json!({ "proved": steps.prove(given("chosen", chosen)?).await? })),
        Step::End => {
            let (error, chosen) = (event.error.clone(), event.chosen.clone());
            let ended = steps.end(chosen.as_ref(), came_to(event)?).await?;
            Ok(told(shell, began, ended, error.as_ref()))
        }
    }
}

fn refuse_late(event: &Event, now: Timestamp) -> Result<(), Failure> {
    if event.step == Step::End || now.duration_since(event.execution.started) < LONGEST {
        return Ok(());
    }
    let hours = LONGEST.as_hours();
    Err(Failure::new(ErrorType::OutOfTime, format!("the test has taken longer than {hours} hours")))
}

fn given<T>(field: &str, value: Option<T>) -> Result<T, Failure> {
    let missing = || format!("{field}: expected what an earlier step said, got nothing");
    value.ok_or_else(|| Failure::new(ErrorType::InvalidEvent, missing()))
}

fn came_to(event: Event) -> Result<Result<Evidence, Error>, Failure> {
    if let Some(error) = event.error {
        return Ok(Err(Error::StepFailed { told: error.lines() }));
    }
    Ok(Ok(Evidence {
        prepared: given("prepared", event.prepared)?,
        loaded: given("loaded", event.loaded)?,
        proved: given("proved", event.proved)?,
    }))
}

/// What the machine ends with. That a test failed is no failure of this step: it would be taken again.
fn told(shell: &Shell, began: Timestamp, ended: Ended, error: Option<&StepError>) -> Value {
    match ended {
        Ended::Proved(report) => {
            shell.measure(Metric::RestoreSeconds, report.seconds);
            let mut told = serde_json::to_value(Summary::of(*report)).unwrap_or_default();
            told["outcome"] = json!(Outcome::Succeeded);
            told
        }
        Ended::Failed(failure) => {
            let mut failure = Failure::from(failure);
            if let Some(error) = error {
                failure.kind = error.kind();
            }
            let told = failed(error, failure.kind, &failure.message);
            failure.log();
            shell.is(Part::Last { began, failure: Some(failure) });
            told
        }
        Ended::Before(record) => {
            // Whoever wrote the record told it as well.
            shell.is(Part::Step);
            let RunRecord { outcome, error: lines, .. } = *record;
            match outcome {
                Outcome::Succeeded => json!({ "outcome": outcome }),
                _ => failed(error, ErrorType::Failed, &lines.join(": ")),
            }
        }
    }
}

fn failed(error: Option<&StepError>, kind: ErrorType, cause: &str) -> Value {
    let name = error.map_or(kind.name(), |error| &error.error);
    json!({ "outcome": Outcome::Failed, "error": name, "cause": cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(step: &str, more: &Value) -> Event {
        let mut event = json!({
            "step": step,
            "execution": { "name": "a", "started": "2026-11-29T07:00:00.123Z" },
        });
        let fields = event.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn a_test_is_given_up_after_hours_but_ends_whenever_that_is() {
        let at = |text: &str| text.parse().unwrap();
        let late = at("2026-11-29T12:00:01Z");
        let load = event("load", &json!({ "group": 1 }));
        assert!(refuse_late(&load, at("2026-11-29T12:00:00Z")).is_ok());
        let failure = refuse_late(&load, late).unwrap_err();
        assert_eq!(failure.to_string(), "OutOfTime: the test has taken longer than 5 hours");
        assert!(refuse_late(&event("end", &json!({})), late).is_ok());
    }

    #[test]
    fn an_end_without_an_error_has_all_that_the_steps_said() {
        let told = came_to(event("end", &json!({ "loaded": [] }))).unwrap_err();
        assert_eq!(told.kind, ErrorType::InvalidEvent);
        let cause = json!({ "errorType": "Integrity", "errorMessage": "packs/x is damaged" });
        let error = json!({ "Error": "Integrity", "Cause": cause.to_string() });
        let failed = came_to(event("end", &json!({ "error": error, "chosen": null }))).unwrap();
        assert_eq!(failed.unwrap_err().to_string(), "Integrity: packs/x is damaged");
    }
}
