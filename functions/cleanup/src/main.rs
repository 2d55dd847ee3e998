//! The function `cleanup`: will drop what is no longer kept.
//!
//! Retention is not written yet. Until it is, this function refuses, and its schedule is disabled: a job
//! that did nothing must not look like one that did.

use gorgen_engine::records::run::Job;
use gorgen_function::{Call, ErrorType, Failure, Shell, serve};
use serde::Deserialize;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Job::Cleanup, clean_up).await
}

/// Nothing to choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {}

async fn clean_up(_shell: &Shell, _call: Call<Event>) -> Result<(), Failure> {
    let message = "this version does not drop old backups: nothing was deleted";
    Err(Failure::new(ErrorType::NotAvailable, message))
}
