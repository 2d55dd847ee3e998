//! API Gateway's requests (an HTTP API's payload, version 2.0) as HTTP, and answers as it wants them.
//!
//! Read leniently: a header or path that is no HTTP gets an answer like any other, and no claim can make the whole
//! unreadable.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::caller::Origin;

/// What can't stand in a path; a percent sign can.
const NO_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');
/// What can't stand in a query.
const NO_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Why an event is no request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoRequest {
    /// It is something else.
    #[error("expected a request of an HTTP API (payload version 2.0), or {{}}")]
    Other(#[source] serde_json::Error),
    /// Its method, path or body can't be.
    #[error("not a request of an HTTP API: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: Map<String, Value>,
    request_context: Context,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
    #[serde(default)]
    authorizer: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    source_ip: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
}

/// The request that the gateway was sent.
pub(crate) fn request(event: Value) -> Result<Request<Body>, NoRequest> {
    let event: Event = serde_json::from_value(event).map_err(NoRequest::Other)?;
    let malformed = |what: &dyn std::fmt::Display| NoRequest::Malformed(what.to_string());
    let Context { http, authorizer } = event.request_context;
    let claims = authorizer.as_ref().and_then(|authorizer| authorizer.pointer("/jwt/claims"));
    let origin = Origin {
        claims: claims.and_then(Value::as_object).cloned(),
        address: http.source_ip,
        agent: http.user_agent,
    };
    let body = match event.body {
        Some(text) if event.is_base64_encoded => {
            BASE64_STANDARD.decode(text).map_err(|error| malformed(&error))?
        }
        body => body.unwrap_or_default().into_bytes(),
    };
    let mut uri = utf8_percent_encode(&event.raw_path, NO_PATH).to_string();
    if !event.raw_query_string.is_empty() {
        uri.push('?');
        uri.extend(utf8_percent_encode(&event.raw_query_string, NO_QUERY));
    }
    let mut request = Request::builder()
        .method(http.method.as_str())
        .uri(uri.parse::<Uri>().map_err(|error| malformed(&error))?)
        .extension(origin)
        .body(Body::from(body))
        .map_err(|error| malformed(&error))?;
    *request.headers_mut() = headers(&event.headers);
    Ok(request)
}

/// The headers; one that no HTTP request could have is left out.
fn headers(given: &Map<String, Value>) -> HeaderMap {
    let pairs = given.iter().filter_map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_str()?.as_bytes()).ok()?;
        Some((name.parse::<HeaderName>().ok()?, value))
    });
    pairs.collect()
}

/// The answer as the gateway takes it.
pub(crate) async fn response(response: Response) -> Result<Value, axum::Error> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await?;
    let mut headers = Map::new();
    for (name, value) in &parts.headers {
        headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    headers.insert(header::CACHE_CONTROL.to_string(), "no-store".into());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS.to_string(), "nosniff".into());
    headers.remove(header::CONTENT_LENGTH.as_str());
    Ok(json!({
        "statusCode": parts.status.as_u16(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
        "isBase64Encoded": false,
    }))
}
