//! Problems, as RFC 9457 spells them. What happened inside is for the log; the caller reads what he can act upon.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gorgen_engine::Error;
use gorgen_function::{ErrorType, Failure, control::ControlError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer;

/// What a caller reads of a text that he sent himself.
const LONGEST_DETAIL: usize = 500;

/// Why there is no other answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// The name of the status.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
            detail.truncate(end);
            detail.push('…');
        }
        let title = status.canonical_reason().unwrap_or("Problem");
        Self { r#type: "about:blank", title, status: status.as_u16(), detail }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The path, a parameter or a header is not what it can be.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request is understood, and can't be done whatever there is.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request can't be done as things are now.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// A call to `what` did not come to its end.
    pub(crate) fn of_control(error: ControlError, what: &str) -> Self {
        let failure = Failure::from(error);
        failure.log();
        Self::failed(&failure, what)
    }

    /// Something that is needed was not to be had; it is in the log already, or will be.
    pub(crate) fn failed(failure: &Failure, what: &str) -> Self {
        if failure.kind.is_retryable() {
            let detail = format!("{what} did not answer; try again later");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        }
        let detail = format!("{what} could not be used; the function's log has the reason");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoVault { .. } => Self::not_found("the vault holds no backups yet"),
            Error::NoSuchBackup { id, .. } => Self::not_found(format!("there is no backup {id}")),
            Error::NoSuchRun { id, .. } => Self::not_found(format!(
                "there is no record of a run {id}; one at work has none yet"
            )),
            Error::NoSuchRestore { id, .. } => Self::not_found(format!("there is no restore {id}")),
            Error::NoSuchReport { month, .. } => {
                Self::not_found(format!("no report of {month} is kept"))
            }
            Error::WrongStage { .. } => Self::conflict(error.to_string()),
            _ => {
                let failure = Failure::from(error);
                failure.log();
                Self::failed(&failure, "the vault")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = answer::json(self.status(), &self);
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status() == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// What is kept is not what it was when it was kept: it is not shown, and the caller reads why.
pub(crate) fn unproved(what: &str, error: Error) -> Problem {
    let why = error.to_string();
    Failure::from(error).log();
    let detail = format!("{what} is not what was kept, and is not shown: {why}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// The kind of a failure that a caller could never have caused.
pub(crate) fn internal(detail: &str) -> Problem {
    Failure::new(ErrorType::Failed, detail).log();
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the answer could not be made; the function's log has the reason",
    )
}
