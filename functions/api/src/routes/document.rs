//! The OpenAPI document of this API: made of the routes, and served by it.

use std::sync::Arc;

use axum::{Extension, response::Response};
use utoipa::{
    OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use crate::{answer, caller::Known, page::Plain, problem::Problem, schema};

const SCHEME: &str = "token";

/// The OpenAPI document of this API.
#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "show_document", tag = "document",
    responses((status = 200, description = "The document", body = Object), schema::AnyProblem),
)]
pub(super) async fn show(
    _: Known,
    _: Plain,
    Extension(document): Extension<Arc<utoipa::openapi::OpenApi>>,
) -> Result<Response, Problem> {
    Ok(answer::found(&*document))
}

/// All but what comes from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "gorgen-backup",
        description = "Backups of the clinic's database: what there is, what ran, and restoring it. \
            Every call that changes something is recorded.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    // Those of problems; the others come with the routes that answer them.
    components(schemas(Problem, schema::GatewayProblem)),
)]
struct Head;

/// The document without its routes.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    let mut head = Head::openapi();
    let mut scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    scheme.description = Some("A token of the issuer that this API was deployed with".to_owned());
    head.components
        .get_or_insert_default()
        .add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    head.security = Some(vec![SecurityRequirement::new(SCHEME, [""; 0])]);
    head
}
