//! The OpenAPI document of this API: made of the routes, and served by it.

use axum::{Extension, response::Response};
use utoipa::{
    OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use crate::{answer, caller::Known, page::Plain, problem::Problem, schema};

const SCHEME: &str = "token";

/// The OpenAPI document of this API.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "document",
    responses((status = 200, body = Object), schema::AnyProblem),
)]
pub(super) async fn show(
    _: Known,
    _: Plain,
    Extension(document): Extension<utoipa::openapi::OpenApi>,
) -> Result<Response, Problem> {
    Ok(answer::found(&document))
}

/// Besides the paths.
#[derive(OpenApi)]
#[openapi(info(
    title = "gorgen-backup",
    description = "Backups of the clinic's database: what there is, what ran, and restoring it. \
        Every call that changes something is recorded.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct Head;

/// The document, with what does not come from the routes.
pub(super) fn complete(mut paths: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let head = Head::openapi();
    paths.info = head.info;
    let mut scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    scheme.description = Some("A token of the issuer that this API was deployed with".to_owned());
    paths
        .components
        .get_or_insert_default()
        .add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    paths.security = Some(vec![SecurityRequirement::new(SCHEME, [""; 0])]);
    paths
}
