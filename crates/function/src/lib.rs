//! What the Lambda functions share: each function is one engine job, and this is all that stands around it.
//!
//! [`serve`] reads the settings once per cold start, and then for every event: the event becomes a
//! [`Call`], the job runs, its summary goes back to the caller, its metrics into the log, and its failure
//! becomes an error of a stable type. What of that is news goes out as a notice. Start reading at `functions/backup`.

mod event;
mod failure;
mod history;
mod log;
mod memory;
mod metrics;
mod news;
mod notices;
mod part;
mod serve;
mod shell;
mod step_error;
mod told;

#[cfg(feature = "control")]
pub use gorgen_adapters::control;
pub use gorgen_adapters::settings::ApiSettings;

pub use event::{Call, EventError};
pub use failure::{ErrorType, Failure};
pub use history::History;
pub use metrics::{Measure, Metric, NAMESPACE};
pub use part::Part;
pub use serve::{serve, serve_requests};
pub use shell::Shell;
pub use step_error::StepError;
