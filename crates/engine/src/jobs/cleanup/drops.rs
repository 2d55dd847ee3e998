//! Dropping backups: what goes is written down, then it goes.

use super::{Dropped, candidates};
use crate::{
    jobs::{Error, World, record::Run},
    model::ObjectName,
    ports::{Removal, Remover},
    records::cleanup::CleanupRecord,
};

/// Drops backups, oldest first, and says which; not those that were pinned, used or locked since the plan was made.
pub(super) async fn carry_out(
    world: &World,
    remover: &dyn Remover,
    run: &Run,
    rules: &str,
    mut planned: Vec<Dropped>,
) -> Result<Vec<Dropped>, Error> {
    if planned.is_empty() {
        return Ok(planned);
    }
    let claimed = candidates::claimed(world).await?;
    planned.retain(|one| !claimed.contains(&one.backup));
    let record =
        CleanupRecord::new(run.id.clone(), world.clock.now(), rules.to_owned(), planned.clone());
    let name = ObjectName::cleanup(&run.id);
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    world.vault.put(&name, content).await?;
    let mut dropped = Vec::new();
    for one in planned {
        if remover.remove(&ObjectName::manifest(&one.backup)).await? == Removal::Done {
            dropped.push(one);
        }
    }
    Ok(dropped)
}
