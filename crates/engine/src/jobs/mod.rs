//! What can be done: each job is one story in its own file, told through [`crate::ports`].

pub mod audit;
pub mod backup;
pub mod backups;
pub mod cleanup;
pub mod custody;
mod deadline;
pub mod doctor;
mod erased;
mod error;
pub mod export;
mod fetch;
pub mod keys;
mod lock;
pub mod package;
pub mod pins;
pub mod plan;
pub mod prepare;
mod record;
mod remedy;
pub mod report;
pub mod requests;
pub mod restore;
pub mod restore_test;
pub mod restores;
pub mod runs;
pub mod staged;
pub mod status;
mod store;
mod suspects;
mod table;
pub mod verify;

use std::sync::Arc;

pub use error::{Error, Kind};
pub use fetch::Fetcher;
pub use keys::KeyChest;

use crate::ports::{Clock, Entropy, Keyring, Progress, Vault};

/// The world as every job needs it.
#[derive(Clone)]
pub struct World {
    /// Where backups lie.
    pub vault: Arc<dyn Vault>,
    /// What wraps their keys.
    pub keyring: Arc<dyn Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Raised as the job goes on.
    pub progress: Arc<Progress>,
    /// Name and version of this program, kept in manifests.
    pub tool: String,
}
