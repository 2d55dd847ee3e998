//! What a backup is: rows, chunks, seals, packs, manifests, and the jobs over them.
//!
//! The engine knows no AWS, no MySQL driver, no environment and no clock: all of these come in through
//! [`ports`]. Start reading at [`jobs::backup`].

pub mod error;
pub mod jobs;
pub mod model;
pub mod policy;
pub mod ports;
pub mod records;
pub mod stages;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use jobs::{Error, Kind};
