//! Answers that are no problems: JSON, and a page for people.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gorgen_engine::records::request::Answer;
use gorgen_words::report::CONTENT_SECURITY_POLICY;
use serde::Serialize;

use crate::problem::internal;

/// A body in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => internal(&format!("an answer is no JSON: {error}")).into_response(),
    }
}

/// What was asked for.
pub(crate) fn found(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// A page for people. The browser is told by a header as well what it may load for it: a header can't be within what
/// somebody smuggled into the page.
pub(crate) fn page(html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// What a change is answered with, now and when it is asked for again.
pub(crate) fn of_change(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = json(status, &answer.body);
    let location = answer.location.as_deref().and_then(|at| HeaderValue::from_str(at).ok());
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
