//! Restores.

use utoipa::ToSchema;

use super::Database;

/// A restore was asked for, or something of it.
#[derive(ToSchema)]
pub(crate) struct Requested {
    restore: String,
    /// How far it was at that moment.
    stage: Stage,
}

/// How far a restore is.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Stage {
    Requested,
    Planned,
    Loading,
    Staged,
    Promoting,
    Restored,
    Undoing,
    Undone,
    Cancelled,
    Failed,
    Other,
}

/// Which rows the live tables hold.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum Live {
    Untouched,
    Restored,
    Unknown,
}

/// What was asked for.
#[derive(ToSchema)]
pub(crate) struct Wish {
    backup: String,
    destination: Destination,
    /// Only these tables.
    #[schema(nullable = false)]
    tables: Option<Vec<String>>,
    /// Only this tenant's rows.
    #[schema(nullable = false)]
    tenant: Option<String>,
    no_safety_backup: bool,
    accept_orphans: bool,
    dry_run: bool,
}

/// Where a restore goes.
#[derive(ToSchema)]
pub(crate) struct Destination {
    to: To,
    /// In place: stop when all is loaded and verified beside the live tables.
    #[schema(nullable = false)]
    stage_only: Option<bool>,
    /// Another database: its name.
    #[schema(nullable = false)]
    database: Option<String>,
    /// Another database: on the throw-away server.
    #[schema(nullable = false)]
    on_scratch: Option<bool>,
}

/// In place of the live tables, or into another database.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum To {
    InPlace,
    Database,
}

/// How far loading is.
#[derive(ToSchema)]
pub(crate) struct Progress {
    tables: u64,
    tables_done: u64,
    rows: u64,
    rows_done: u64,
    bytes: u64,
    bytes_done: u64,
}

/// A page of the restores.
#[derive(ToSchema)]
pub(crate) struct Restores {
    restores: Vec<RestoreLine>,
    /// Where the next page goes on, if there is one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A restore in short; a record that can't be read has a `problem` and nothing else.
#[derive(ToSchema)]
pub(crate) struct RestoreLine {
    restore: String,
    #[schema(nullable = false)]
    stage: Option<Stage>,
    #[schema(nullable = false)]
    live: Option<Live>,
    #[schema(nullable = false)]
    wish: Option<Wish>,
    /// Who asked.
    asked_by: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    requested: Option<String>,
    #[schema(format = DateTime, nullable = false)]
    updated: Option<String>,
    #[schema(nullable = false)]
    progress: Option<Progress>,
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// A restore over its whole life. Later versions may say more.
#[derive(ToSchema)]
pub(crate) struct Restore {
    restore: String,
    wish: Wish,
    /// Who asked.
    #[schema(nullable = false)]
    asked_by: Option<String>,
    stage: Stage,
    live: Live,
    #[schema(format = DateTime)]
    requested: String,
    #[schema(format = DateTime)]
    updated: String,
    /// The backup that `wish.backup` meant.
    #[schema(nullable = false)]
    backup: Option<String>,
    /// Where it goes.
    #[schema(nullable = false)]
    target: Option<Database>,
    /// The database it is loaded into, beside the live one.
    #[schema(nullable = false)]
    staging: Option<String>,
    /// The database that keeps the old tables.
    #[schema(nullable = false)]
    before: Option<String>,
    /// The backup that was made of the live tables before they were touched.
    #[schema(nullable = false)]
    safety_backup: Option<String>,
    /// Until when `undo` is promised.
    #[schema(format = DateTime, nullable = false)]
    undo_until: Option<String>,
    /// Tables that are not restored, as settings want it; they stay as they are.
    #[schema(nullable = false)]
    kept: Option<Vec<String>>,
    /// Tables whose rows are not restored and that are not there: they come back empty.
    #[schema(nullable = false)]
    emptied: Option<Vec<String>>,
    /// Tables that only get the rows that they lack.
    #[schema(nullable = false)]
    merged: Option<Vec<String>>,
    /// How often tables changed places, or were about to.
    journals: u32,
    /// Which of these was the last promotion.
    promotion: u32,
    /// The old tables were dropped: there is no undo.
    dropped: bool,
    /// What the plan found.
    #[schema(value_type = Option<Object>, nullable = false)]
    plan: Option<String>,
    progress: Progress,
    /// The tables that were read back, equal to the backup.
    #[schema(nullable = false)]
    verified: Option<Vec<Verified>>,
    /// How long each step took, in order.
    #[schema(nullable = false)]
    laps: Option<Vec<Lap>>,
    /// What is not as one might expect, each a sentence.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The last error and its causes, one a line.
    #[schema(nullable = false)]
    error: Option<Vec<String>>,
}

/// A table that was read back.
#[derive(ToSchema)]
pub(crate) struct Verified {
    table: String,
    digest: Digest,
}

/// What a table's rows come down to.
#[derive(ToSchema)]
pub(crate) struct Digest {
    rows: u64,
    bytes: u64,
    sum: String,
}

/// How long a step took.
#[derive(ToSchema)]
pub(crate) struct Lap {
    name: String,
    #[schema(format = DateTime)]
    ended: String,
    seconds: f64,
}
