//! What a request asks to be changed: who asks, for what, and under which key. What is wrong with it is kept with it,
//! so that a refusal can be recorded like anything else.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, header},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, error::Category};

use crate::{
    api::Shared,
    caller::{Caller, Known},
    page::Plain,
    problem::Problem,
};

/// A wish is a page at most; a list of a thousand tables fits.
pub(crate) const LARGEST_BODY: usize = 16 * 1024;

const KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 128;
const JSON: &str = "application/json";

/// A request to change something.
#[derive(Debug)]
pub(crate) struct Ask<T> {
    pub(crate) caller: Caller,
    /// As `POST /v1/restores`.
    pub(crate) action: String,
    /// What is wanted, or why that can't be known.
    pub(crate) wish: Result<T, Problem>,
    /// What is wanted, for the trail; nothing if it was not understood.
    pub(crate) shown: Option<Value>,
    /// The request's own key, if it has one.
    pub(crate) key: Result<Option<String>, Problem>,
    pub(crate) body: Bytes,
}

impl<T: DeserializeOwned + Send> FromRequest<Shared> for Ask<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Shared) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Known(caller) = Known::from_request_parts(&mut parts, api).await?;
        let action = format!("{} {}", parts.method, parts.uri.path());
        let key = if parts.method == Method::POST { key(&parts.headers) } else { Ok(None) };
        let plain = Plain::from_request_parts(&mut parts, api).await;
        let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| {
            let detail = format!("the body is larger than {LARGEST_BODY} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        });
        let wish = match (&plain, &body) {
            (Err(problem), _) | (_, Err(problem)) => Err(problem.clone()),
            (Ok(_), Ok(body)) => read(&parts.headers, body),
        };
        let (wish, shown) = match wish {
            Ok((wish, shown)) => (Ok(wish), Some(shown)),
            Err(problem) => (Err(problem), None),
        };
        Ok(Self { caller, action, wish, shown, key, body: body.unwrap_or_default() })
    }
}

/// The wish in a body, which is a JSON object; no body is an empty one, and so is `null`.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<(T, Value), Problem> {
    let nothing: &[u8] = b"{}";
    let mut text = if body.is_empty() { nothing } else { body };
    if !body.is_empty() && !is_json(headers) {
        let detail = format!("the body must be {JSON}, and the header Content-Type say so");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let mut shown: Value = serde_json::from_slice(text).map_err(|error| unread(&error))?;
    if shown.is_null() {
        (text, shown) = (nothing, Value::Object(Map::new()));
    }
    if !shown.is_object() {
        return Err(Problem::unprocessable("the body must be a JSON object"));
    }
    let wish = serde_json::from_slice(text).map_err(|error| unread(&error))?;
    Ok((wish, shown))
}

fn unread(error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => {
            Problem::unprocessable(format!("the body is not what is expected: {error}"))
        }
        _ => Problem::bad_request(format!("the body is no JSON: {error}")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(JSON)
}

/// The key under which the request is done once.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(KEY) else { return Ok(None) };
    let text = given.to_str().ok().filter(|text| {
        (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    });
    let wrong = || {
        let detail =
            format!("Idempotency-Key: expected 1 to {LONGEST_KEY} visible ASCII characters");
        Problem::bad_request(detail)
    };
    text.map(|text| Some(text.to_owned())).ok_or_else(wrong)
}
