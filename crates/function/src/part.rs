//! What part of its job a call is: a step of many says nothing of the job, neither that it succeeded nor that it failed.

use jiff::Timestamp;
use serde_json::Value;

use crate::Failure;

/// What part of its job a call is.
#[derive(Debug, Clone, Default)]
pub enum Part {
    /// All of it, if nobody says otherwise.
    #[default]
    Whole,
    /// A step, after which others come: neither a metric nor a notice tells how it ended.
    Step,
    /// The last step, which tells how the job ended.
    Last {
        /// When the job began.
        began: Timestamp,
        /// Why the job failed, though this step went well.
        failure: Option<Failure>,
    },
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobEnd<'a> {
    pub(crate) began: Timestamp,
    pub(crate) result: Result<&'a Value, &'a Failure>,
}

impl Part {
    /// How the job ended with this call, which began at `started` and came to `result`; nothing, if it goes on.
    pub(crate) fn end<'a>(
        &'a self,
        started: Timestamp,
        result: Result<&'a Value, &'a Failure>,
    ) -> Option<JobEnd<'a>> {
        match (self, result) {
            (Self::Whole, result) => Some(JobEnd { began: started, result }),
            (Self::Step, _) => None,
            (Self::Last { began, failure }, Ok(said)) => {
                Some(JobEnd { began: *began, result: failure.as_ref().map_or(Ok(said), Err) })
            }
            // The machine asks for it again.
            (Self::Last { .. }, Err(failure)) if failure.kind.is_retryable() => None,
            (Self::Last { began, .. }, result) => Some(JobEnd { began: *began, result }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorType;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn last(failure: Option<Failure>) -> Part {
        Part::Last { began: at("2026-11-29T07:00:00Z"), failure }
    }

    #[test]
    fn a_job_ends_with_its_last_step_and_with_no_other() {
        let (now, said) = (at("2026-11-29T09:00:00Z"), json!({ "outcome": "succeeded" }));
        let (away, damaged) = (
            Failure::new(ErrorType::Unavailable, "no answer"),
            Failure::new(ErrorType::Integrity, "damaged"),
        );
        let began = at("2026-11-29T07:00:00Z");
        let whole = |result| Some(JobEnd { began: now, result });
        assert_eq!(Part::default().end(now, Ok(&said)), whole(Ok(&said)));
        assert_eq!(Part::Whole.end(now, Err(&away)), whole(Err(&away)));
        for result in [Ok(&said), Err(&away), Err(&damaged)] {
            assert_eq!(Part::Step.end(now, result), None);
        }
        let ended = |result| Some(JobEnd { began, result });
        assert_eq!(last(None).end(now, Ok(&said)), ended(Ok(&said)));
        assert_eq!(last(Some(damaged.clone())).end(now, Ok(&said)), ended(Err(&damaged)));
        assert_eq!(last(None).end(now, Err(&damaged)), ended(Err(&damaged)), "not tried again");
        assert_eq!(last(None).end(now, Err(&away)), None, "tried again");
    }
}
