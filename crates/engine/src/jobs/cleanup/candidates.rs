//! What retention must know of each backup: gathered from the records of the vault, without opening anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    jobs::{Error, World, backups, pins, restores, runs},
    model::RunId,
    policy::retention::{Candidate, State},
    records::{
        restore::{RestoreRecord, Stage},
        run::{Job, Outcome, RunRecord},
    },
};

/// Every verification looks at every backup, so that recent ones tell all.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(100 * 24);

/// All backups, and what stood in the way of knowing more of them, each a sentence.
pub(super) async fn all(
    world: &World,
    now: Timestamp,
) -> Result<(Vec<Candidate>, Vec<String>), Error> {
    let vault = &*world.vault;
    let mut problems = Vec::new();
    let pinned = pins::pinned(vault).await?;
    let imported = backups::imported(vault).await?;
    let in_use = in_use(world, &mut problems).await?;
    let known = known(world, now).await?;
    let candidates = backups::ids(vault).await?.into_iter().map(|backup| Candidate {
        state: known.states.get(&backup).copied().unwrap_or(State::Unverified),
        tested: known.tested.contains(&backup),
        imported: imported.contains(&backup),
        pinned: pinned.contains(&backup),
        in_use: in_use.contains(&backup),
        ..Candidate::new(backup)
    });
    Ok((candidates.collect(), problems))
}

/// The backups that must stay by somebody's wish or work, as it is at this moment.
pub(super) async fn claimed(world: &World) -> Result<BTreeSet<RunId>, Error> {
    let mut claimed = in_use(world, &mut Vec::new()).await?;
    claimed.extend(pins::pinned(&*world.vault).await?);
    Ok(claimed)
}

/// The backups that restores which are not at their end are made of.
async fn in_use(world: &World, problems: &mut Vec<String>) -> Result<BTreeSet<RunId>, Error> {
    let mut in_use = BTreeSet::new();
    for id in restores::ids(&*world.vault).await? {
        match restores::find(&*world.vault, &id).await {
            Ok(record) if is_unfinished(&record) => in_use.extend(record.backup),
            Ok(_) => {}
            Err(Error::Damaged { name, .. }) => {
                problems.push(format!("{name} is damaged: which backup it restores is not known"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(in_use)
}

fn is_unfinished(record: &RestoreRecord) -> bool {
    !record.stage.is_settled() || record.stage == Stage::Staged
}

#[derive(Default)]
struct Known {
    states: BTreeMap<RunId, State>,
    tested: BTreeSet<RunId>,
}

/// What verifications and restore tests found.
async fn known(world: &World, now: Timestamp) -> Result<Known, Error> {
    let since = now.saturating_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    let mut known = Known::default();
    for record in runs::readable_between(&*world.vault, since, Timestamp::MAX).await? {
        if record.outcome == Outcome::Succeeded {
            known.learn(record);
        }
    }
    Ok(known)
}

impl Known {
    fn learn(&mut self, record: RunRecord) {
        let Some(summary) = record.summary else { return };
        match record.job {
            Job::Verify => {
                if let Ok(verified) = serde_json::from_value(summary) {
                    self.verified(verified);
                }
            }
            Job::RestoreTest => {
                if let Ok(Tested { restore }) = serde_json::from_value(summary) {
                    self.states.insert(restore.backup.clone(), State::Good);
                    self.tested.insert(restore.backup);
                }
            }
            _ => {}
        }
    }

    /// Damage that was found by reading is only taken back by reading everything again.
    fn verified(&mut self, verified: Verified) {
        let hurt: BTreeSet<_> =
            verified.problems.into_iter().flat_map(|problem| problem.backups).collect();
        let read_all = verified.read_data && verified.share.is_none();
        for backup in verified.backups {
            let state = self.states.entry(backup.clone()).or_insert(State::Unverified);
            if hurt.contains(&backup) {
                *state = State::Damaged;
            } else if *state > State::Damaged || read_all {
                *state = State::Good;
            }
        }
    }
}

/// Of what a verification reports, what matters here.
#[derive(Deserialize)]
struct Verified {
    backups: Vec<RunId>,
    #[serde(default)]
    read_data: bool,
    #[serde(default)]
    share: Option<serde_json::Value>,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    backups: Vec<RunId>,
}

/// Of what a restore test reports, what matters here.
#[derive(Deserialize)]
struct Tested {
    restore: Restored,
}

#[derive(Deserialize)]
struct Restored {
    backup: RunId,
}
