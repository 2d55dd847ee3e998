//! Answers: JSON, or a problem as RFC 9457 spells it.

use aws_lambda_events::{
    apigw::ApiGatewayV2httpResponse,
    encodings::Body,
    http::{HeaderMap, HeaderValue, header},
};
use gorgen_engine::Error;
use gorgen_function::{ErrorType, Failure};
use serde::Serialize;
use serde_json::{Value, json};

/// What goes back to the caller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    is_problem: bool,
}

impl Answer {
    /// What was asked for.
    pub(crate) fn found(body: &impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Self { status: 200, body, is_problem: false },
            Err(_) => {
                Self::problem(500, "Internal Server Error", "the answer could not be written")
            }
        }
    }

    /// Why there is nothing.
    pub(crate) fn problem(status: u16, title: &str, detail: impl Into<String>) -> Self {
        let body = json!({ "type": "about:blank", "title": title, "status": status, "detail": detail.into() });
        Self { status, body, is_problem: true }
    }

    /// A failure: what is not there is said, all else is for the log only.
    pub(crate) fn failed(error: Error) -> Self {
        let failure = Failure::from(error);
        match failure.kind {
            ErrorType::NotFound => Self::problem(404, "Not Found", failure.message),
            ErrorType::Unavailable => {
                failure.log();
                Self::problem(
                    503,
                    "Service Unavailable",
                    "the vault does not answer; try again later",
                )
            }
            _ => {
                failure.log();
                Self::problem(500, "Internal Server Error", "the function's log has the reason")
            }
        }
    }

    /// As the gateway wants it.
    pub(crate) fn into_response(self) -> ApiGatewayV2httpResponse {
        let kind = if self.is_problem { "application/problem+json" } else { "application/json" };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(self.status);
        response.headers = headers;
        response.body = Some(Body::Text(self.body.to_string()));
        response
    }
}
