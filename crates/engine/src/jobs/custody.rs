//! Locks: what a backup needs can't be removed by anybody until the rules let the backup go.
//!
//! A lock is made longer only where what is left of it is too short, and never shorter.

use std::{collections::BTreeMap, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, tz::TimeZone};

use super::{Error, World, backups};
use crate::{
    model::{ObjectName, RunId},
    policy::retention::{self, Candidate, Need, Rules},
    ports::{Locks, VaultError},
    records::manifest::Manifest,
};

/// Calls at once: a lock is a small request.
const PARALLEL_CALLS: usize = 16;

/// What locks objects, and for how long backups are kept.
#[derive(Debug, Clone)]
pub struct Custody {
    /// The store's locks.
    pub locks: Arc<dyn Locks>,
    /// How many backups of each kind are kept.
    pub rules: Rules,
    /// By whose calendar.
    pub zone: TimeZone,
}

/// What is to be locked, and for how long.
pub(super) type Needs = BTreeMap<ObjectName, Need>;

impl Custody {
    /// Locks a backup that was just stored, and says until when; none if nothing locks it.
    pub(super) async fn hold_new(
        &self,
        world: &World,
        backup: &RunId,
        manifest: &Manifest,
    ) -> Result<Option<Timestamp>, Error> {
        if !self.locks.are_kept().await? {
            return Ok(None);
        }
        let others = backups::own(&*world.vault).await?.into_iter().filter(|id| id != backup);
        let others: Vec<_> = others.map(Candidate::new).collect();
        let until = retention::lock_of_new(backup, &others, &self.rules, &self.zone);
        if let Some(until) = until {
            let mut needs = Needs::new();
            add(&mut needs, backup, manifest, until, world.clock.now());
            self.hold(needs).await?;
        }
        Ok(until)
    }

    /// Makes the locks longer that are too short; says how many. What is missing is not its business.
    pub(super) async fn hold(&self, needs: Needs) -> Result<u64, Error> {
        let calls =
            needs.into_iter().map(async |(name, need)| match self.hold_one(&name, need).await {
                Err(VaultError::Missing { .. }) => Ok(false),
                other => other,
            });
        let calls = stream::iter(calls).buffer_unordered(PARALLEL_CALLS);
        let made_longer: Vec<bool> = calls.try_collect().await?;
        Ok(made_longer.into_iter().filter(|longer| *longer).count() as u64)
    }

    async fn hold_one(&self, name: &ObjectName, need: Need) -> Result<bool, VaultError> {
        let locked = self.locks.locked_until(name).await?;
        let is_short = locked.is_none_or(|until| until < need.at_least);
        if is_short {
            self.locks.lock_until(name, need.until).await?;
        }
        Ok(is_short)
    }
}

/// What a backup needs until then, besides its keys.
pub(super) fn add(
    needs: &mut Needs,
    backup: &RunId,
    manifest: &Manifest,
    until: Timestamp,
    now: Timestamp,
) {
    needs.insert(ObjectName::manifest(backup), Need::exactly(until));
    let need = Need::with_room(until, now);
    for (pack, _) in &manifest.packs {
        let longest = needs.entry(ObjectName::pack(pack)).or_insert(need);
        if need.at_least > longest.at_least {
            *longest = need;
        }
    }
}
