//! The function `api`: what the vault holds, over HTTP, behind the authorizer of the API Gateway.
//!
//! It reads headers and records, for which no key is needed, and can open no row. What changes something
//! is not here yet.

mod answer;
mod page;
mod routes;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use gorgen_function::{Call, ErrorType, Failure, Shell, serve_requests};
use serde_json::{Map, Value};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve_requests(respond).await
}

/// A request of the gateway; `{}`, from the console, asks for the list of backups.
async fn respond(
    shell: &Shell,
    call: Call<Map<String, Value>>,
) -> Result<ApiGatewayV2httpResponse, Failure> {
    let (method, path, query) = if call.event.is_empty() {
        ("GET".to_owned(), routes::BACKUPS.to_owned(), page::Query::default())
    } else {
        let request = read(call.event)?;
        let query = request.query_string_parameters.iter();
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let http = request.request_context.http;
        (http.method.to_string(), request.raw_path.unwrap_or_default(), query)
    };
    let vault = shell.vault().await?;
    Ok(routes::answer(&*vault, &method, &path, &query).await.into_response())
}

fn read(event: Map<String, Value>) -> Result<ApiGatewayV2httpRequest, Failure> {
    if !event.contains_key("requestContext") {
        let message = "expected a request of an HTTP API (payload version 2.0), or {}";
        return Err(Failure::new(ErrorType::InvalidEvent, message));
    }
    serde_json::from_value(Value::Object(event)).map_err(|error| {
        Failure::new(ErrorType::InvalidEvent, format!("not a request of an HTTP API: {error}"))
    })
}
