//! An error as Step Functions hands it on to a step that deals with it.

use serde::Deserialize;
use serde_json::Value;

use crate::ErrorType;

/// An error as Step Functions hands it on.
#[derive(Debug, Clone, Deserialize)]
pub struct StepError {
    /// The type of a function's failure, or a name of the service's own.
    #[serde(rename = "Error", default)]
    pub error: String,
    #[serde(rename = "Cause", default)]
    cause: String,
}

impl StepError {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorType {
        match self.error.as_str() {
            "States.Timeout" | "Sandbox.Timedout" => ErrorType::OutOfTime,
            name if name.starts_with("Lambda.") => ErrorType::Unavailable,
            name => ErrorType::of_name(name),
        }
    }

    /// What people read of it, if it says more than its name.
    pub fn message(&self) -> String {
        // A function's failure comes as JSON, whose message is what people read.
        let told = serde_json::from_str::<Value>(&self.cause).ok();
        let message = told.as_ref().and_then(|told| told["errorMessage"].as_str());
        message.unwrap_or(&self.cause).to_owned()
    }

    /// What goes into a record, one line each.
    pub fn lines(&self) -> Vec<String> {
        let lines = [self.error.clone(), self.message()];
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(error: &str, cause: &str) -> StepError {
        serde_json::from_value(json!({ "Error": error, "Cause": cause })).unwrap()
    }

    #[test]
    fn a_functions_failure_is_told_by_its_message_and_another_as_it_is() {
        let told = json!({ "errorType": "Integrity", "errorMessage": "packs/x is damaged" });
        let damaged = error("Integrity", &told.to_string());
        assert_eq!(damaged.lines(), ["Integrity", "packs/x is damaged"]);
        assert_eq!(error("States.Timeout", "").lines(), ["States.Timeout"]);
        assert_eq!(error("Sandbox.Timedout", "16 min").lines(), ["Sandbox.Timedout", "16 min"]);
    }

    #[test]
    fn it_is_of_a_kind_that_notices_know() {
        for (name, kind) in [
            ("Integrity", ErrorType::Integrity),
            ("OutOfTime", ErrorType::OutOfTime),
            ("States.Timeout", ErrorType::OutOfTime),
            ("Lambda.TooManyRequestsException", ErrorType::Unavailable),
            ("Runtime.ExitError", ErrorType::Failed),
        ] {
            assert_eq!(error(name, "").kind(), kind, "{name}");
        }
    }
}
