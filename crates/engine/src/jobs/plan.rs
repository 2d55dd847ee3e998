//! The plan of a restore: what it would bring, where to, and what stands in its way. It changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Error, KeyChest, World, backups,
    restore::{Request, choose},
};
use crate::{
    model::{RunId, SourceIdentity},
    policy::compatibility,
    ports::{Target, TargetState},
    records::manifest::TablePart,
};

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// Where it would be restored to.
    pub target: SourceIdentity,
    /// Tables that would be restored.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Bytes of these rows.
    pub raw_bytes: u64,
    /// What stands in the way, each a sentence; a restore would be refused.
    pub blocked_by: Vec<String>,
}

/// Plans a restore.
///
/// # Errors
/// If the backup or the target can't be read; what stands in the way of a restore is in the plan.
pub async fn run(
    world: &World,
    target: &dyn Target,
    backup: &str,
    request: &Request,
) -> Result<Plan, Error> {
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let backup = backups::find(&*world.vault, backup).await?;
    let keys = KeyChest::open(world, vault).await?;
    let (header, manifest) = backups::open(world, &keys, &backup).await?;
    let mut chosen = choose(&backup, manifest, &request.tables)?;
    chosen.leave_out_erased(&keys).await?;
    let identity = target.source().identity();

    let mut blocked_by = Vec::new();
    if let TargetState::Holds(objects) = target.state().await? {
        let database = identity.database.clone();
        blocked_by.push(Error::TargetNotEmpty { database, objects }.to_string());
    }
    let tables: Vec<_> = chosen.catalog.tables.iter().collect();
    let info = target.info().await?;
    let problems = compatibility::problems(&chosen.catalog, &tables, &info, &request.collations);
    blocked_by.extend(problems);

    let digests = chosen.parts.iter().map(TablePart::digest);
    let (rows, raw_bytes) =
        digests.fold((0, 0), |(rows, bytes), digest| (rows + digest.rows, bytes + digest.bytes));
    Ok(Plan {
        backup,
        snapshot: header.snapshot,
        target: identity,
        tables: tables.len() as u64,
        rows,
        raw_bytes,
        blocked_by,
    })
}
