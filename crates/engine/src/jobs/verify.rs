//! Verification: is everything there that the backups need, and is it what was written?
//!
//! Without reading data it is a matter of listings: every pack and key that a manifest names exists, with
//! the right size. With data, every byte of the packs that are read is authenticated, decompressed and
//! hashed again: of all, or of the share whose turn it is. The replica is held against the vault object by
//! object, and looked through like it.

mod blame;
mod check;
mod packs;
mod remake;
mod repair;
mod replica;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use self::blame::blame;
use self::check::Check;
pub use self::{
    remake::Database,
    repair::{NotRepaired, Origin, Place, Remedies, Repaired, repair},
    replica::{Replica, ReplicaReport},
};
use super::{Error, KeyChest, World, backups, deadline::within, record, record::Run, runs};
use crate::{
    model::{PackId, RunId},
    policy::shares::Share,
    records::{identity::VaultIdentity, run::Job},
};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Backups that were checked.
    pub backups: Vec<RunId>,
    /// Objects looked at.
    pub objects: u64,
    /// Their sizes, in bytes.
    pub bytes: u64,
    /// Packs that no checked backup needs: of runs that were cut off, or of dropped backups.
    pub unreferenced_packs: u64,
    /// Whether data was read.
    pub read_data: bool,
    /// Which share of the data was read; none if all was, or nothing.
    #[serde(default)]
    pub share: Option<Share>,
    /// Chunks that were read, opened and hashed again.
    pub chunks_read: u64,
    /// Raw bytes of these chunks.
    pub raw_bytes_read: u64,
    /// Everything that is not as it should be; empty if all is well.
    pub problems: Vec<Problem>,
    /// How the replica is, if there is one and all was verified.
    #[serde(default)]
    pub replica: Option<ReplicaReport>,
    /// What a repair made whole.
    #[serde(default)]
    pub repaired: Vec<Repaired>,
    /// What a repair could not make whole.
    #[serde(default)]
    pub not_repaired: Vec<NotRepaired>,
    /// An earlier run verified for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

impl Report {
    /// Everything that is not as it should be, here and in the replica.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(self.replica.iter().flat_map(|replica| &replica.problems))
    }

    /// Is all as it should be?
    pub fn is_well(&self) -> bool {
        self.all_problems().next().is_none()
    }
}

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only this backup; all, and what belongs to none, if left out.
    pub only: Option<RunId>,
    /// Read all data, instead of looking whether it is there.
    pub read_data: bool,
    /// Read the share of the data whose turn it is; of one backup, all.
    pub read_share: bool,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this was scheduled for; it is done once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
}

/// One object that is missing or damaged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The object's name.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
    /// The backups that can't be restored whole because of it.
    pub backups: Vec<RunId>,
}

/// Which packs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    None,
    Share(Share),
    All,
}

impl Reading {
    fn of(request: &Request, shares_read: &[Share]) -> Self {
        if request.read_data || (request.read_share && request.only.is_some()) {
            Self::All
        } else if request.read_share {
            Self::Share(Share::next(shares_read))
        } else {
            Self::None
        }
    }

    fn includes(self, pack: &PackId) -> bool {
        match self {
            Self::None => false,
            Self::Share(share) => share.holds(pack),
            Self::All => true,
        }
    }

    fn share(self) -> Option<Share> {
        if let Self::Share(share) = self { Some(share) } else { None }
    }
}

/// Verifies one backup, or all, without a replica.
///
/// # Errors
/// Only if verifying was not possible: what is wrong with the vault is in the report.
pub async fn run(world: &World, request: &Request) -> Result<Report, Error> {
    with_replica(world, None, request).await
}

/// Verifies one backup, or all and the replica.
///
/// # Errors
/// Only if verifying was not possible: what is wrong with the vault is in the report, and so is a replica
/// that can't be reached.
pub async fn with_replica(
    world: &World,
    replica: Option<&Replica>,
    request: &Request,
) -> Result<Report, Error> {
    let run = Run::start(world, request.scheduled);
    let identity = backups::existing_identity(&*world.vault).await?;
    if let Some(report) = runs::done::<Report>(world, Job::Verify, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let result = verify(world, replica, &identity, request, &run);
    let result = within(world, request.deadline, result).await.flatten();
    record::ended(world, &run, Job::Verify, &identity.source, &result).await?;
    result
}

async fn verify(
    world: &World,
    replica: Option<&Replica>,
    identity: &VaultIdentity,
    request: &Request,
    run: &Run,
) -> Result<Report, Error> {
    let keys = KeyChest::open(world, identity.vault).await?;
    let mut check = Check::new(world, keys, request.only.as_ref()).await?;
    check.records().await?;
    check.manifests().await?;
    let reading = Reading::of(request, &check.shares_read);
    if reading != Reading::None {
        check.data(reading).await?;
    }
    let replica = match replica.filter(|_| request.only.is_none()) {
        Some(replica) => {
            Some(replica::look_through(world, &check, identity, replica, reading).await)
        }
        None => None,
    };
    let left: BTreeSet<_> =
        world.vault.list("").await?.into_iter().map(|object| object.name).collect();
    check.forget_dropped(&left);
    let replica = replica.map(|seen| seen.into_report(world, &check, &left));
    Ok(report(world, check, replica, reading, run))
}

fn report(
    world: &World,
    check: Check<'_>,
    replica: Option<ReplicaReport>,
    reading: Reading,
    run: &Run,
) -> Report {
    let (chunks_read, raw_bytes_read) = check.read();
    Report {
        started: run.started,
        run: run.id.clone(),
        ended: world.clock.now(),
        objects: check.sizes.len() as u64,
        bytes: check.sizes.values().sum(),
        unreferenced_packs: check.unreferenced_packs(),
        backups: check.backups,
        read_data: reading != Reading::None,
        share: reading.share(),
        chunks_read,
        raw_bytes_read,
        problems: check.findings.into_problems(),
        replica,
        repaired: Vec::new(),
        not_repaired: Vec::new(),
        already_done: false,
    }
}
