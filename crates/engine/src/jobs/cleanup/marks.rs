//! Which packs and keys are still needed, by the manifests that stay; and so, which may go.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    jobs::{
        Error, KeyChest, World, backups,
        custody::{self, Needs},
    },
    model::{KeyId, KeyPurpose, ObjectName, PackId, RunId, prefix},
    policy::{keys::may_have_sealed, retention::Verdict},
    ports::{ObjectInfo, VaultError},
    records::manifest::{Header, Manifest},
};

/// Manifests opened at once; each may be large.
const PARALLEL_MANIFESTS: usize = 4;

/// What nothing names is left alone for so long: a run that works on it may not have said so yet.
const GRACE: SignedDuration = SignedDuration::from_hours(48);

/// What the manifests say that stay.
#[derive(Default)]
pub(super) struct Marks {
    packs: BTreeSet<PackId>,
    /// All backups that stay.
    runs: BTreeSet<RunId>,
    /// The newest of the source's own that can be opened: the next one builds on it, and on packs that are younger.
    newest: Option<RunId>,
    /// Those of which it is not known what they need.
    pub(super) unreadable: BTreeSet<RunId>,
    /// How long what they need is to be locked.
    pub(super) needs: Needs,
}

impl Marks {
    /// Opens every manifest that stays.
    pub(super) async fn of(
        world: &World,
        keys: &KeyChest,
        verdicts: &[Verdict],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let staying = verdicts.iter().filter(|verdict| verdict.is_kept());
        let opened =
            staying.map(async |verdict| match backups::open(world, keys, &verdict.backup).await {
                Ok(opened) => Ok((verdict, Some(opened))),
                Err(Error::Vault(VaultError::Missing { .. }) | Error::Damaged { .. }) => {
                    Ok((verdict, None))
                }
                Err(error) => Err(error),
            });
        let mut marks = Self::default();
        let mut opened = stream::iter(opened.collect::<Vec<_>>()).buffered(PARALLEL_MANIFESTS);
        while let Some((verdict, opened)) = opened.try_next().await? {
            marks.mark(verdict, opened.as_ref(), now);
        }
        Ok(marks)
    }

    fn mark(&mut self, verdict: &Verdict, opened: Option<&(Header, Manifest)>, now: Timestamp) {
        self.runs.insert(verdict.backup.clone());
        let Some((header, manifest)) = opened else {
            self.unreadable.insert(verdict.backup.clone());
            return;
        };
        self.packs.extend(manifest.packs.iter().map(|(pack, _)| pack.clone()));
        if header.imported.is_none() {
            self.newest = self.newest.take().max(Some(verdict.backup.clone()));
        }
        if let Some(until) = verdict.lock_until {
            custody::add(&mut self.needs, &verdict.backup, manifest, until, now);
        }
    }

    /// The packs among these that nothing needs.
    pub(super) fn unused_packs(&self, objects: &[ObjectInfo], now: Timestamp) -> Vec<ObjectInfo> {
        let unused = objects
            .iter()
            .filter(|object| pack_of(&object.name).is_some_and(|pack| self.is_unused(&pack, now)));
        unused.cloned().collect()
    }

    /// The keys among these that sealed nothing of what stays: neither manifests nor any of these packs. The keys that
    /// name chunks outlive what they named.
    pub(super) fn unused_keys(
        &self,
        keys: &[ObjectInfo],
        staying_packs: &BTreeSet<ObjectName>,
        now: Timestamp,
    ) -> Vec<ObjectInfo> {
        let mut runs = self.runs.clone();
        runs.extend(staying_packs.iter().filter_map(pack_of).map(|pack| pack.run().clone()));
        let is_unused = |key: &KeyId| {
            key.purpose() != KeyPurpose::Naming
                && is_old(key.created(), now)
                && !runs.iter().any(|run| may_have_sealed(key, run))
        };
        let unused =
            keys.iter().filter(|object| key_of(&object.name).as_ref().is_some_and(is_unused));
        unused.cloned().collect()
    }

    /// A run builds on what the newest manifest names and on what is younger, and names nothing younger than itself.
    fn is_unused(&self, pack: &PackId, now: Timestamp) -> bool {
        let run = pack.run();
        !self.packs.contains(pack)
            && self.newest.as_ref().is_some_and(|newest| run <= newest)
            && self.unreadable.last().is_none_or(|unreadable| run > unreadable)
            && is_old(run.started(), now)
    }
}

fn is_old(made: Option<Timestamp>, now: Timestamp) -> bool {
    made.is_some_and(|made| now.duration_since(made) > GRACE)
}

fn pack_of(name: &ObjectName) -> Option<PackId> {
    name.stem(prefix::PACKS, ".pack")?.parse().ok()
}

fn key_of(name: &ObjectName) -> Option<KeyId> {
    name.stem(prefix::KEYS, ".json")?.parse().ok()
}
