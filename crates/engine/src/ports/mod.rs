//! What the engine needs of the world, as narrow traits that state their guarantees.
//!
//! Adapters implement them; the fakes for tests live in [`crate::testing`] behind the `testing` feature.

mod accounts;
mod ambient;
mod custody;
mod files;
mod keyring;
mod mender;
mod progress;
mod scratch;
mod server;
mod source;
mod survey;
mod target;
mod vault;

pub use accounts::Accounts;
pub(crate) use ambient::random;
pub use ambient::{Clock, Entropy};
pub use custody::{Locks, Removal, Remover};
pub use files::{FileWriter, Files, FilesError};
pub use keyring::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey};
pub use mender::Mender;
pub use progress::Progress;
pub use scratch::Scratch;
pub use server::{Contents, Reference, Room, Server, Session};
pub use source::{Consistency, Reader, Snapshot, Source, SourceError};
pub use survey::Surveyor;
pub use target::{Loader, Target, TargetError, TargetInfo, TargetState};
pub use vault::{Copied, ObjectInfo, Revision, Vault, VaultError};
