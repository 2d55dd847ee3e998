//! Repair: what is missing or damaged on one side is copied from the other, where it is whole.
//!
//! No copy is believed: it must open on the side that it comes from, and again on the side that it went to, with
//! that side's keys. Records that are replaced as time goes on are left to the operator.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Problem, Replica, Report, Request,
    blame::{blame, describe},
    check::Check,
    packs::read_pack,
    replica::is_immutable,
    verify,
};
use crate::{
    jobs::{Error, KeyChest, World, backups, record, record::Run},
    model::{KeyId, ObjectName, PackId, VaultId, prefix},
    ports::{Mender, VaultError},
    records::{identity::VaultIdentity, run::Job},
};

pub use crate::model::Place;

/// An object that was repaired, and is whole now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// The object.
    pub object: String,
    /// Where it was missing or damaged; its copy came from the other place.
    pub place: Place,
    /// Whether a damaged object was replaced, or one that was missing was put.
    pub was_there: bool,
}

/// An object that could not be repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRepaired {
    /// The object.
    pub object: String,
    /// Where it is missing or damaged.
    pub place: Place,
    /// Why it could not be repaired.
    pub why: String,
}

/// What may replace damaged objects.
pub struct Menders {
    /// In the vault.
    pub vault: Arc<dyn Mender>,
    /// In the replica.
    pub replica: Arc<dyn Mender>,
}

/// Verifies all, with data, repairs what it can, and verifies again: the report tells what was done, what could
/// not be done, and what is wrong still.
///
/// # Errors
/// Only if verifying was not possible.
pub async fn repair(world: &World, replica: &Replica, menders: &Menders) -> Result<Report, Error> {
    let run = Run::start(world, None);
    let there = replica.world(world);
    let mut repairs = Repairs::new(world, &there, menders);
    repairs.identity().await?;
    let identity = backups::existing_identity(&*world.vault).await?;
    let result = repairs.all(replica, &identity, &run).await;
    record::ended(world, &run, Job::Verify, &identity.source, &result).await?;
    result
}

/// One of the two places while it is repaired from the other.
#[derive(Clone, Copy)]
struct Side<'a> {
    place: Place,
    broken: &'a World,
    mender: &'a dyn Mender,
    other: &'a World,
}

/// What became of one object.
enum Outcome {
    Repaired {
        was_there: bool,
    },
    /// Both places hold the same, which is whole: what was wrong lay elsewhere.
    Same,
    Not(String),
}

struct Repairs<'a> {
    vault: Side<'a>,
    replica: Side<'a>,
    repaired: Vec<Repaired>,
    not_repaired: Vec<NotRepaired>,
}

impl<'a> Repairs<'a> {
    fn new(world: &'a World, there: &'a World, menders: &'a Menders) -> Self {
        let vault =
            Side { place: Place::Vault, broken: world, mender: &*menders.vault, other: there };
        let replica =
            Side { place: Place::Replica, broken: there, mender: &*menders.replica, other: world };
        Self { vault, replica, repaired: Vec::new(), not_repaired: Vec::new() }
    }

    /// The vault's identity comes first: without it nothing else can be looked at.
    async fn identity(&mut self) -> Result<(), Error> {
        let name = ObjectName::identity();
        let found = backups::existing_identity(&*self.vault.broken.vault).await;
        let is_lost = match &found {
            Err(Error::Damaged { .. } | Error::Vault(VaultError::Missing { .. })) => true,
            Err(Error::NoVault { .. }) => false,
            _ => return found.map(drop),
        };
        let theirs = backups::identity(&*self.vault.other.vault).await?;
        match theirs.filter(|_| is_lost) {
            Some(identity) => self.object(self.vault, identity.vault, &name).await,
            None => found.map(drop),
        }
    }

    async fn all(
        mut self,
        replica: &Replica,
        identity: &VaultIdentity,
        run: &Run,
    ) -> Result<Report, Error> {
        let reading = Request { read_data: true, ..Request::default() };
        let world = self.vault.broken;
        // Damage hides damage: behind a key that is lost nothing can be looked at. Keys are therefore first.
        for folder in [prefix::KEYS, ""] {
            let found = verify(world, Some(replica), identity, &reading, run).await?;
            let theirs = found.replica.as_ref().map(|replica| replica.problems.as_slice());
            self.side(self.vault, identity.vault, &found.problems, folder).await?;
            self.side(self.replica, identity.vault, theirs.unwrap_or_default(), folder).await?;
            if found.replica.is_some_and(|replica| replica.objects == 0) {
                self.whole_replica(identity.vault, folder).await?;
            }
        }
        let left = verify(world, Some(replica), identity, &reading, run).await?;
        let Self { repaired, not_repaired, .. } = self;
        Ok(Report { repaired, not_repaired, ..left })
    }

    /// Repairs the objects of one side that are in this folder.
    async fn side(
        &mut self,
        side: Side<'a>,
        vault: VaultId,
        problems: &[Problem],
        folder: &str,
    ) -> Result<(), Error> {
        for problem in problems.iter().filter(|problem| problem.object.starts_with(folder)) {
            // No manifest names a key that names chunks: it may be any of a tenant's.
            if let Some(start) = problem.object.strip_suffix('*') {
                for object in side.other.vault.list(start).await? {
                    self.object(side, vault, &object.name).await?;
                }
            } else if let Some(name) = ObjectName::from_listing(&problem.object) {
                self.object(side, vault, &name).await?;
            }
        }
        Ok(())
    }

    /// Fills a replica that holds nothing.
    async fn whole_replica(&mut self, vault: VaultId, folder: &str) -> Result<(), Error> {
        for object in self.replica.other.vault.list(folder).await? {
            if is_repairable(&object.name) {
                self.object(self.replica, vault, &object.name).await?;
            }
        }
        Ok(())
    }

    async fn object(
        &mut self,
        side: Side<'a>,
        vault: VaultId,
        name: &ObjectName,
    ) -> Result<(), Error> {
        let is_known = |object: &str, place: Place| object == name.as_str() && place == side.place;
        if self.repaired.iter().any(|known| is_known(&known.object, known.place))
            || self.not_repaired.iter().any(|known| is_known(&known.object, known.place))
        {
            return Ok(());
        }
        let (object, place) = (name.to_string(), side.place);
        match copy(side, vault, name).await? {
            Outcome::Repaired { was_there } => {
                self.repaired.push(Repaired { object, place, was_there });
            }
            Outcome::Not(why) => self.not_repaired.push(NotRepaired { object, place, why }),
            Outcome::Same => {}
        }
        Ok(())
    }
}

/// Copies an object to the side where it is missing or damaged.
async fn copy(side: Side<'_>, vault: VaultId, name: &ObjectName) -> Result<Outcome, Error> {
    if !is_repairable(name) {
        let why = "it is replaced as time goes on, so that the other copy may be an older one";
        return Ok(Outcome::Not(why.to_owned()));
    }
    let content = match side.other.vault.get(name).await {
        Ok(content) => content,
        Err(VaultError::Missing { .. }) => {
            return Ok(Outcome::Not("the other place does not have it".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(what) = wrong_with(side.other, vault, name).await? {
        return Ok(Outcome::Not(format!("in the other place it is no better: {what}")));
    }
    let was_there = match side.broken.vault.read(name).await? {
        Some((there, _)) if there == content => return Ok(Outcome::Same),
        there => there.map(|(_, revision)| revision),
    };
    if let Err(error) = write(side, name, was_there.as_ref(), content.clone()).await {
        let lines = record::chain(&error);
        return Ok(Outcome::Not(format!("it could not be written: {}", lines.join(": "))));
    }
    if side.broken.vault.get(name).await? != content {
        return Ok(Outcome::Not("what was written did not come back as it was".to_owned()));
    }
    Ok(match wrong_with(side.broken, vault, name).await? {
        None => Outcome::Repaired { was_there: was_there.is_some() },
        Some(what) => Outcome::Not(format!("it was copied, and is not whole here: {what}")),
    })
}

async fn write(
    side: Side<'_>,
    name: &ObjectName,
    damaged: Option<&crate::ports::Revision>,
    content: Bytes,
) -> Result<(), VaultError> {
    match damaged {
        Some(damaged) => side.mender.replace(name, damaged, content).await,
        None => side.broken.vault.put(name, content).await,
    }
}

fn is_repairable(name: &ObjectName) -> bool {
    is_immutable(name) || *name == ObjectName::identity()
}

/// What is wrong with an object in this place, if anything: it must be whole and open with the keys of the place.
async fn wrong_with(
    world: &World,
    vault: VaultId,
    name: &ObjectName,
) -> Result<Option<String>, Error> {
    let keys = KeyChest::open(world, vault).await?;
    let opened = if let Some(id) = id_of::<PackId>(name, prefix::PACKS, ".pack") {
        let content = read_pack(world, &keys, &id, Vec::new()).await?;
        let of_keys = content.keys.into_iter().map(|(key, what)| format!("{key}: {what}")).next();
        return Ok(content.damage.or(of_keys));
    } else if let Some(id) = id_of(name, prefix::MANIFESTS, ".manifest") {
        backups::open(world, &keys, &id).await.map(drop)
    } else if let Some(id) = id_of::<KeyId>(name, prefix::KEYS, ".json") {
        keys.sealing(&id).await.map(drop)
    } else if *name == ObjectName::identity() {
        backups::existing_identity(&*world.vault).await.map(drop)
    } else {
        let sizes = [(name.clone(), 0)].into();
        let mut check = Check::of(world, keys, sizes, Vec::new(), false);
        check.records().await?;
        let problem = check.findings.into_problems().into_iter().next();
        return Ok(problem.map(|problem| problem.what));
    };
    match opened {
        Ok(()) => Ok(None),
        Err(Error::Damaged { source, .. }) => Ok(Some(describe(&source))),
        Err(error) => blame(error).map(|(object, what)| Some(format!("{object}: {what}"))),
    }
}

fn id_of<T: std::str::FromStr>(name: &ObjectName, folder: &str, ending: &str) -> Option<T> {
    name.stem(folder, ending)?.parse().ok()
}
