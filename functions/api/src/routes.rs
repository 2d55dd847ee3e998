//! What can be asked for. Each route is documented where it is written, and that is what the OpenAPI document is made of.

mod backups;
mod document;
mod reports;
mod restores;
mod runs;
mod schedules;
mod status;

use axum::{
    Router,
    extract::Request,
    http::{Method, Uri},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{api::Shared, problem::Problem};

/// The way of `{}`: what an operator wants to know first.
pub(crate) const STATUS: &str = "/v1/status";

/// All routes, and the document that describes them.
pub(crate) fn routes() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    let (router, document) = OpenApiRouter::with_openapi(document::head())
        .routes(routes!(backups::list, backups::start))
        .routes(routes!(backups::show))
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::show))
        .routes(routes!(restores::list, restores::ask))
        .routes(routes!(restores::show))
        .routes(routes!(restores::promote))
        .routes(routes!(restores::undo))
        .routes(routes!(restores::cancel))
        .routes(routes!(status::show))
        .routes(routes!(schedules::switch))
        .routes(routes!(reports::list))
        .routes(routes!(reports::show))
        .routes(routes!(reports::page))
        .routes(routes!(document::show))
        .split_for_parts();
    let router = router.fallback(unknown).method_not_allowed_fallback(wrong_method);
    (router, document)
}

async fn unknown(uri: Uri) -> Response {
    Problem::not_found(format!("there is no {}", uri.path())).into_response()
}

async fn wrong_method(method: Method, request: Request) -> Response {
    let detail = format!("{} does not take {method}", request.uri().path());
    Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
