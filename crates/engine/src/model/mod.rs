//! The nouns of a backup: identifiers, the source's schema, who a row belongs to.
//!
//! Plain data with no I/O. Everything else in the engine may use it; it uses nothing of the engine.

pub mod deployed;
mod grants;
mod ids;
mod language;
mod names;
mod place;
mod schema;
mod scope;
mod survey;

pub use grants::{
    AccountName, AccountNameError, Grounds, Held, Holder, Premises, is_like, literal,
};
pub use ids::{ChunkId, KeyId, KeyPurpose, PackId, ParseIdError, RunId, VaultId};
pub use language::Language;
pub use names::{ObjectName, prefix};
pub use place::Place;
pub use schema::{
    Catalog, CharsetContext, Column, Flavor, Position, Relation, ServerInfo, StoredObject,
    StoredObjectKind, Table, ValueKind,
};
pub use scope::Scope;
pub use survey::{
    Allowed, BinaryLog, Channel, ClockReading, Privilege, Privileges, RowSize, Survey,
    restored_name,
};

/// Identity of a protected database: where it is reached and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceIdentity {
    /// `host:port`, or the path of the socket.
    pub server: String,
    /// Name of the database (schema).
    pub database: String,
}

impl std::fmt::Display for SourceIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.database, self.server)
    }
}
