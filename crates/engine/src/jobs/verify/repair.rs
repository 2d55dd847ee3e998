//! Repair: what is missing or damaged on one side is copied from the other, where it is whole; and packs that are whole
//! on neither are put together again from the database.
//!
//! No copy is believed: it must open on the side that it comes from, and again on the side that it went to, with
//! that side's keys. Records that are replaced as time goes on are left to the operator.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Problem, Replica, Report, Request,
    blame::{blame, describe},
    check::Check,
    packs::read_pack,
    remake::{Database, Remade, remake},
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
    /// Where it was missing or damaged.
    pub place: Place,
    /// Where it came from.
    pub from: Origin,
    /// Whether a damaged object was replaced, or one that was missing was put.
    pub was_there: bool,
}

/// Where something whole was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The vault.
    Vault,
    /// Its copy.
    Replica,
    /// The rows themselves, and what was left of the object.
    Database,
}

impl Origin {
    /// The word used in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Replica => "replica",
            Self::Database => "database",
        }
    }
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

/// Where what is missing or damaged may be had. Without any of them a repair only verifies.
#[derive(Default)]
pub struct Remedies<'a> {
    /// The vault's copy, and what may replace damaged objects in it.
    pub replica: Option<(&'a Replica, &'a dyn Mender)>,
    /// The database, if its rows may be read again.
    pub database: Option<Database<'a>>,
}

/// Verifies all, with data, repairs what it can, and verifies again: the report tells what was done, what could
/// not be done, and what is wrong still. `mender` may replace damaged objects in the vault.
///
/// # Errors
/// If verifying was not possible, or the database could not be read again.
pub async fn repair(
    world: &World,
    mender: &dyn Mender,
    remedies: &Remedies<'_>,
) -> Result<Report, Error> {
    let run = Run::start(world, None);
    let there = remedies.replica.map(|(replica, _)| replica.world(world));
    let mut repairs = Repairs::new(world, there.as_ref(), mender, remedies);
    repairs.identity().await?;
    let identity = backups::existing_identity(&*world.vault).await?;
    let result = repairs.all(&identity, &run).await;
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

impl Side<'_> {
    fn other_place(&self) -> Origin {
        match self.place {
            Place::Vault => Origin::Replica,
            Place::Replica => Origin::Vault,
        }
    }
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
    world: &'a World,
    mender: &'a dyn Mender,
    remedies: &'a Remedies<'a>,
    /// The vault and its copy, if it has one.
    sides: Option<[Side<'a>; 2]>,
    repaired: Vec<Repaired>,
    not_repaired: Vec<NotRepaired>,
}

impl<'a> Repairs<'a> {
    fn new(
        world: &'a World,
        there: Option<&'a World>,
        mender: &'a dyn Mender,
        remedies: &'a Remedies<'a>,
    ) -> Self {
        let sides = there.zip(remedies.replica).map(|(there, (_, its_mender))| {
            let vault = Side { place: Place::Vault, broken: world, mender, other: there };
            let replica =
                Side { place: Place::Replica, broken: there, mender: its_mender, other: world };
            [vault, replica]
        });
        Self { world, mender, remedies, sides, repaired: Vec::new(), not_repaired: Vec::new() }
    }

    /// The vault's identity comes first: without it nothing else can be looked at.
    async fn identity(&mut self) -> Result<(), Error> {
        let name = ObjectName::identity();
        let found = backups::existing_identity(&*self.world.vault).await;
        let Some([vault, _]) = self.sides else { return found.map(drop) };
        let is_lost = match &found {
            Err(Error::Damaged { .. } | Error::Vault(VaultError::Missing { .. })) => true,
            Err(Error::NoVault { .. }) => false,
            _ => return found.map(drop),
        };
        let theirs = backups::identity(&*vault.other.vault).await?;
        match theirs.filter(|_| is_lost) {
            Some(identity) => self.object(vault, identity.vault, &name).await,
            None => found.map(drop),
        }
    }

    async fn all(mut self, identity: &VaultIdentity, run: &Run) -> Result<Report, Error> {
        // Damage hides damage: behind a key that is lost nothing can be looked at. Keys are therefore first.
        let mut found = self.look(identity, run).await?;
        found = self.copy(prefix::KEYS, found, identity, run).await?;
        found = self.copy("", found, identity, run).await?;
        if self.remake(&found, identity.vault).await? {
            found = self.look(identity, run).await?;
            found = self.copy("", found, identity, run).await?;
        }
        let Self { repaired, not_repaired, .. } = self;
        Ok(Report { repaired, not_repaired, ..found })
    }

    /// What is wrong.
    async fn look(&self, identity: &VaultIdentity, run: &Run) -> Result<Report, Error> {
        let reading = Request { read_data: true, ..Request::default() };
        let replica = self.remedies.replica.map(|(replica, _)| replica);
        verify(self.world, replica, identity, &reading, run).await
    }

    /// Copies what was found wrong in this folder between the two places, and gives what is wrong then.
    async fn copy(
        &mut self,
        folder: &str,
        found: Report,
        identity: &VaultIdentity,
        run: &Run,
    ) -> Result<Report, Error> {
        let Some([vault, other]) = self.sides else { return Ok(found) };
        let before = self.repaired.len();
        let theirs = found.replica.as_ref().map(|replica| replica.problems.as_slice());
        self.side(vault, identity.vault, &found.problems, folder).await?;
        self.side(other, identity.vault, theirs.unwrap_or_default(), folder).await?;
        if found.replica.as_ref().is_some_and(|replica| replica.objects == 0) {
            self.whole_replica(other, identity.vault, folder).await?;
        }
        if self.repaired.len() == before { Ok(found) } else { self.look(identity, run).await }
    }

    /// Puts packs together that are whole in neither place; whether there were any.
    async fn remake(&mut self, left: &Report, vault: VaultId) -> Result<bool, Error> {
        let Some(database) = &self.remedies.database else { return Ok(false) };
        let names = left.problems.iter().filter_map(|problem| {
            id_of::<PackId>(&ObjectName::from_listing(&problem.object)?, prefix::PACKS, ".pack")
        });
        let packs: BTreeSet<_> = names.collect();
        if packs.is_empty() {
            return Ok(false);
        }
        let keys = KeyChest::open(self.world, vault).await?;
        let other = self.sides.map(|[vault, _]| vault.other);
        for (pack, remade) in
            remake(self.world, &keys, other, self.mender, database, &packs).await?
        {
            let (object, place) = (ObjectName::pack(&pack).to_string(), Place::Vault);
            match remade {
                Remade::Whole { was_there } => {
                    // The copy that was of no use may be mended now.
                    self.not_repaired.retain(|not| not.object != object);
                    let from = Origin::Database;
                    self.repaired.push(Repaired { object, place, from, was_there });
                }
                Remade::Not(why) => {
                    self.not_repaired.retain(|not| not.object != object || not.place != place);
                    self.not_repaired.push(NotRepaired { object, place, why });
                }
            }
        }
        Ok(true)
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
    async fn whole_replica(
        &mut self,
        side: Side<'a>,
        vault: VaultId,
        folder: &str,
    ) -> Result<(), Error> {
        for object in side.other.vault.list(folder).await? {
            if is_repairable(&object.name) {
                self.object(side, vault, &object.name).await?;
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
                let from = side.other_place();
                self.repaired.push(Repaired { object, place, from, was_there });
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
        Ok(()) | Err(Error::Erased { .. }) => Ok(None),
        Err(Error::Damaged { source, .. }) => Ok(Some(describe(&source))),
        Err(error) => blame(error).map(|(object, what)| Some(format!("{object}: {what}"))),
    }
}

fn id_of<T: std::str::FromStr>(name: &ObjectName, folder: &str, ending: &str) -> Option<T> {
    name.stem(folder, ending)?.parse().ok()
}
