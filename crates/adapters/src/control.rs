//! What the api starts and switches in AWS: the state machines, the functions of jobs, and their schedules.

mod error;
mod functions;
mod machine;
mod schedules;

pub use error::ControlError;
pub use functions::{JobFunctions, LambdaFunctions};
pub use machine::{StateMachine, StepFunctions};
pub use schedules::{EventBridge, Schedule, Schedules};
