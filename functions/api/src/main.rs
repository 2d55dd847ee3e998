//! The function `api`: what the vault holds, and restoring it, over HTTP, behind the authorizer of the API Gateway.
//!
//! It reads headers and records, for which no key is needed, and can open no row. It changes nothing itself: it
//! writes down what is wanted and by whom, and starts the functions and the state machine that do it.

mod answer;
mod api;
mod ask;
mod caller;
mod change;
mod gateway;
mod page;
mod problem;
mod routes;
mod schema;

use std::sync::Arc;

use axum::{Extension, Router};
use gorgen_function::{Call, ErrorType, Failure, Shell, serve_requests};
use lambda_runtime::Service;
use serde_json::{Map, Value, json};

use crate::api::{Api, Shared};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (router, document) = routes::routes();
    // Shared, as each route and each call has a copy of what the layer holds.
    let router = router.layer(Extension(Arc::new(document)));
    serve_requests(async |shell: &Shell, call: Call<Map<String, Value>>| {
        respond(&router, Api::of(shell).await?, call.event).await
    })
    .await
}

/// Answers a request of the gateway. `{}`, from the console, asks how things are: whoever may invoke the function may
/// see that, and changes nothing by it.
async fn respond(
    router: &Router<Shared>,
    api: Api,
    event: Map<String, Value>,
) -> Result<Value, Failure> {
    let event = if event.is_empty() { from_console(&api) } else { Value::Object(event) };
    let request = gateway::request(event)
        .map_err(|error| Failure::new(ErrorType::InvalidEvent, error.to_string()))?;
    let mut service = router.clone().with_state(Arc::new(api));
    let answered = service.call(request).await;
    let response = answered.unwrap_or_else(|never| match never {});
    let unread = |error: axum::Error| Failure::new(ErrorType::Failed, error.to_string());
    gateway::response(response).await.map_err(unread)
}

/// The request that `{}` stands for.
fn from_console(api: &Api) -> Value {
    let claims = json!({ "sub": "console", &api.settings.role_claim: api.settings.admin_role });
    json!({
        "rawPath": routes::STATUS,
        "requestContext": { "http": { "method": "GET" }, "authorizer": { "jwt": { "claims": claims } } },
    })
}

#[cfg(test)]
mod tests;
