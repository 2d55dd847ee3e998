//! Backups.

use utoipa::ToSchema;

/// A page of the backups.
#[derive(ToSchema)]
pub(crate) struct Backups {
    backups: Vec<Backup>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A backup, as its header tells; a header that can't be read has a `problem` and nothing else.
#[derive(ToSchema)]
pub(crate) struct Backup {
    #[schema(example = "20261123T060000Z-4f2a91c3")]
    backup: String,
    /// The moment whose data it shows.
    #[schema(format = DateTime, nullable = false)]
    snapshot: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    started: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    ended: Option<String>,
    #[schema(nullable = false)]
    tables: Option<u64>,
    #[schema(nullable = false)]
    rows: Option<u64>,
    /// Bytes of its rows.
    #[schema(nullable = false)]
    raw_bytes: Option<u64>,
    /// Bytes of the sealed chunks that make it up.
    #[schema(nullable = false)]
    stored_bytes: Option<u64>,
    /// Bytes of these that were not there before.
    #[schema(nullable = false)]
    new_bytes: Option<u64>,
    /// `true` if it was made of another program's files and holds one tenant's rows alone; absent otherwise.
    #[schema(nullable = false)]
    imported: Option<bool>,
    #[schema(nullable = false)]
    problem: Option<String>,
}
