//! Stand-ins for the world, and contracts that every port's implementations are held to; for tests only.
//!
//! Fakes clone cheaply and share their content, so that a test keeps one end of what it gives to a job.

#![allow(
    clippy::missing_panics_doc,
    reason = "a panic is how a fake or a contract tells a test that it fails"
)]

mod ambient;
mod custody_contract;
mod failing_vault;
mod keyring;
mod keyring_contract;
mod scratch;
mod source;
mod table;
mod target;
mod vault;
mod vault_contract;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use ambient::{FixedClock, SeededEntropy};
pub use custody_contract::{locks_contract, remover_contract};
pub use failing_vault::{FailingVault, Fault};
pub use keyring::MemoryKeyring;
pub use keyring_contract::keyring_contract;
pub use scratch::FakeScratch;
pub use source::FakeSource;
pub use table::{row, table};
pub use target::{FakeTarget, RowFault};
pub use vault::MemoryVault;
pub use vault_contract::vault_contract;

/// Locks, also after a test panicked with the lock held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a fake fails with when it is told to.
#[derive(Debug, thiserror::Error)]
#[error("a fault that the test asked for")]
struct Injected;
