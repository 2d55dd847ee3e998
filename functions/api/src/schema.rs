//! What requests and answers look like, for the OpenAPI document alone.
//!
//! Most answers are records of the vault as they are, or parts of them. The tests hold every answer they get to this.
#![expect(dead_code, reason = "read by the document's macros alone")]
#![expect(clippy::struct_field_names, reason = "the names are those of the answers")]

mod backups;
mod reports;
mod restores;
mod runs;
mod status;

use utoipa::{IntoParams, IntoResponses, ToSchema};

pub(crate) use self::{
    backups::{Backup, Backups},
    reports::{Report, Reports},
    restores::{Live, Requested, Restore, Restores, Stage},
    runs::{Job, Outcome, Run, Runs, Started},
    status::{Schedule, Status},
};
use crate::problem::Problem;

/// What can be wrong with any request.
#[derive(IntoResponses)]
pub(crate) enum AnyProblem {
    /// The path, a parameter or a header is not what it can be
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// There is no valid token; the gateway says so in a form of its own
    #[response(status = 401)]
    Unauthorized(GatewayProblem),
    /// The caller's roles do not allow it
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many calls for the moment; the gateway says so in a form of its own
    #[response(status = 429)]
    TooManyRequests(GatewayProblem),
    /// It failed; the function's log has the reason
    #[response(status = 500, content_type = "application/problem+json")]
    Failed(Problem),
    /// Something that is needed does not answer; it may later
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What can be wrong with a body.
#[derive(IntoResponses)]
pub(crate) enum BodyProblem {
    /// The body is larger than 16 KiB
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is no JSON by its Content-Type
    #[response(status = 415, content_type = "application/problem+json")]
    NoJson(Problem),
    /// The body is JSON, but asks for nothing that can be done; or the Idempotency-Key was used for another body
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}

/// It can't be done as things are now, or the same request is being worked on
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct Conflict(Problem);

/// What the path names is not there
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NotFound(Problem);

/// A problem as the gateway words it.
#[derive(ToSchema)]
pub(crate) struct GatewayProblem {
    message: String,
}

/// Which part of a list is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// So many at most.
    #[param(required = false, minimum = 1, maximum = 100, default = 50)]
    limit: u32,
    /// Only those older than this one: `next` of the page before.
    #[param(required = false, pattern = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$")]
    before: String,
}

/// The id in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct Id {
    /// An id, as a list shows it.
    #[param(pattern = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", example = "20261123T060000Z-4f2a91c3")]
    id: String,
}

/// The month in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct MonthOfPath {
    /// The month
    #[param(pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-10")]
    month: String,
}

/// A key of the request's own.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyKey {
    /// The same request with the same key is done once, and answered alike.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 128,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: String,
}

/// A database.
#[derive(ToSchema)]
pub(crate) struct Database {
    server: String,
    database: String,
}
