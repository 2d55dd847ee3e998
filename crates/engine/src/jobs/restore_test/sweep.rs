//! What earlier tests of this vault left on the scratch server because they died.

use super::bench::Bench;
use crate::{
    jobs::{Error, runs},
    model::VaultId,
    policy::scratch as names,
};

/// Drops the databases of tests that ended without dropping them, and tells which, and which could not be. Only names
/// that a test of this vault gives are looked at.
pub(super) async fn sweep(
    bench: Bench<'_>,
    vault: VaultId,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let (scratch, now) = (bench.scratch, bench.world.clock.now());
    let prefix = scratch.prefix();
    let (mut swept, mut left) = (Vec::new(), Vec::new());
    for name in scratch.databases().await? {
        let Some(run) = names::run_of(&name, &prefix, vault) else { continue };
        let has_ended = runs::find(&*bench.world.vault, &run).await.is_ok();
        if !names::is_dead(&run, has_ended, now) {
            continue;
        }
        let dropped = scratch.database(&name).drop_database().await;
        if dropped.is_ok() { swept.push(name) } else { left.push(name) }
    }
    Ok((swept, left))
}
