//! What a function is called with: `{}`, the Scheduler's input, an `EventBridge` event, or its own typed event.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The field that the Scheduler's input holds besides those of the function's own event.
const SCHEDULED_TIME: &str = "scheduled_time";

/// One call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<E> {
    /// What the caller asks for.
    pub event: E,
    /// The moment a schedule wanted this, if a schedule called. The same moment is served once.
    pub scheduled: Option<Timestamp>,
}

/// An event that is none of those this function takes.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not the kind of JSON that was expected.
    #[error("expected an event that is a JSON object, got {0}")]
    NoObject(&'static str),
    /// It looks like an `EventBridge` event, but is none.
    #[error("the event has a detail-type, but is no EventBridge event")]
    Envelope(#[source] serde_json::Error),
    /// The time is none.
    #[error("scheduled_time: expected a time as 2026-11-23T06:00:00Z, got {given}")]
    Time {
        /// What was given, as JSON.
        given: String,
    },
    /// A field is unknown, missing, or not what it should be.
    #[error("the event is not what this function takes")]
    Fields(#[source] serde_json::Error),
}

impl<E: DeserializeOwned> Call<E> {
    /// Reads an event.
    ///
    /// # Errors
    /// Whatever the function does not know is an error: a misspelt field must not be passed over.
    pub fn read(event: Value) -> Result<Self, EventError> {
        let (mut fields, occurred) = open_envelope(object(event)?)?;
        let scheduled = match fields.remove(SCHEDULED_TIME) {
            Some(given) => Some(time(&given)?),
            None => occurred,
        };
        let event = serde_json::from_value(Value::Object(fields)).map_err(EventError::Fields)?;
        Ok(Self { event, scheduled })
    }
}

impl Call<Map<String, Value>> {
    /// The same call, its event read as what its fields say it is.
    ///
    /// # Errors
    /// Whatever that kind of event does not know is an error.
    pub fn reread<E: DeserializeOwned>(self) -> Result<Call<E>, EventError> {
        let event =
            serde_json::from_value(Value::Object(self.event)).map_err(EventError::Fields)?;
        Ok(Call { event, scheduled: self.scheduled })
    }
}

fn object(event: Value) -> Result<Map<String, Value>, EventError> {
    Err(EventError::NoObject(match event {
        Value::Object(fields) => return Ok(fields),
        Value::Null => return Ok(Map::new()),
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    }))
}

/// The fields inside an `EventBridge` event, and when it occurred; other events are as they are.
fn open_envelope(
    fields: Map<String, Value>,
) -> Result<(Map<String, Value>, Option<Timestamp>), EventError> {
    if !fields.contains_key("detail-type") {
        return Ok((fields, None));
    }
    let envelope: EventBridgeEvent =
        serde_json::from_value(Value::Object(fields)).map_err(EventError::Envelope)?;
    let occurred = envelope.time.and_then(|time| Timestamp::from_second(time.timestamp()).ok());
    let detail = match envelope.detail {
        // The Scheduler's own event has its detail as text.
        Value::String(text) => serde_json::from_str(&text).map_err(EventError::Envelope)?,
        detail => detail,
    };
    Ok((object(detail)?, occurred))
}

fn time(given: &Value) -> Result<Timestamp, EventError> {
    let parsed = given.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| EventError::Time { given: given.to_string() })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Event {
        #[serde(default)]
        read_data: bool,
    }

    fn read(event: Value) -> Result<(bool, Option<String>), String> {
        let call = Call::<Event>::read(event).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            [Some(error.to_string()), cause].into_iter().flatten().collect::<Vec<_>>().join(": ")
        })?;
        Ok((call.event.read_data, call.scheduled.map(|time| time.to_string())))
    }

    #[test]
    fn every_caller_is_understood() {
        let six = || Some("2026-11-23T06:00:00Z".to_owned());
        assert_eq!(read(json!({})), Ok((false, None)), "the console");
        assert_eq!(read(Value::Null), Ok((false, None)), "a call without payload");
        assert_eq!(read(json!({ "scheduled_time": "2026-11-23T06:00:00Z" })), Ok((false, six())));
        assert_eq!(
            read(json!({ "read_data": true, "scheduled_time": "2026-11-23T03:00:00-03:00" })),
            Ok((true, six()))
        );
        let envelope = |detail: Value| {
            json!({
                "version": "0", "id": "b8d1", "detail-type": "Scheduled Event", "source": "aws.scheduler",
                "account": "111122223333", "time": "2026-11-23T06:00:00Z", "region": "sa-east-1",
                "resources": ["arn:aws:scheduler:sa-east-1:111122223333:schedule/default/backup"],
                "detail": detail,
            })
        };
        assert_eq!(read(envelope(json!("{}"))), Ok((false, six())));
        assert_eq!(read(envelope(json!({}))), Ok((false, six())));
        assert_eq!(read(envelope(json!({ "read_data": true }))), Ok((true, six())));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (event, expected) in [
            (json!([]), "expected an event that is a JSON object, got a list"),
            (
                json!({ "readdata": true }),
                "the event is not what this function takes: unknown field `readdata`, expected `read_data`",
            ),
            (
                json!({ "read_data": "yes" }),
                "the event is not what this function takes: invalid type: string \"yes\", expected a boolean",
            ),
            (
                json!({ "scheduled_time": "<aws.scheduler.scheduled-time>" }),
                "scheduled_time: expected a time as 2026-11-23T06:00:00Z, got \"<aws.scheduler.scheduled-time>\"",
            ),
            (
                json!({ "detail-type": "x" }),
                "the event has a detail-type, but is no EventBridge event: missing field `source`",
            ),
        ] {
            assert_eq!(read(event), Err(expected.to_owned()));
        }
    }
}
