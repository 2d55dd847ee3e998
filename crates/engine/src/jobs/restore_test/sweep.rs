//! What earlier tests of this vault left on the scratch server because they died.

use super::Test;
use crate::{
    jobs::{Error, runs},
    policy::scratch as names,
};

/// What became of the databases of dead tests.
#[derive(Default)]
pub(super) struct Swept {
    /// Those that were dropped.
    pub(super) dropped: Vec<String>,
    /// One that could not be, and why.
    pub(super) left: Option<(String, Error)>,
}

/// Drops the databases of tests that ended without dropping them. Only names that a test of this vault gives are
/// looked at.
pub(super) async fn sweep(test: &Test<'_>) -> Result<Swept, Error> {
    let (scratch, now) = (test.scratch, test.world.clock.now());
    let prefix = scratch.prefix();
    let mut swept = Swept::default();
    for name in scratch.databases().await? {
        let Some(run) = names::run_of(&name, &prefix, test.vault) else { continue };
        let has_ended = runs::find(&*test.world.vault, &run).await.is_ok();
        if !names::is_dead(&run, has_ended, now) {
            continue;
        }
        match scratch.database(&name).drop_database().await {
            Ok(()) => swept.dropped.push(name),
            Err(error) => swept.left = Some((name, error.into())),
        }
    }
    Ok(swept)
}
