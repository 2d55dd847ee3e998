//! Which backup is tested, and where it is read.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{bench::Bench, sweep::sweep};
use crate::{
    jobs::{Error, backups, runs},
    model::{Place, RunId, VaultId},
    policy::rotation::{Pick, Turn, any_of_month},
    ports::{Vault, random},
    records::run::{Job, Outcome, RunRecord},
};

/// How far back tests are looked at: many more than there are turns.
const MEMORY: SignedDuration = SignedDuration::from_hours(26 * 7 * 24);

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Whose vault it is.
    pub vault: VaultId,
    /// The backup.
    pub backup: RunId,
    /// Which one that is, and where it is read.
    pub turn: Turn,
    /// Why this one, a sentence.
    pub why: String,
    /// Databases of dead tests that were dropped before.
    pub swept: Vec<String>,
    /// Those that could not be.
    pub left: Vec<String>,
}

/// Drops what dead tests left, and chooses what was asked for, and by turns what was left open.
pub(super) async fn choose(bench: Bench<'_>, vault: VaultId) -> Result<Chosen, Error> {
    let (swept, left) = sweep(bench, vault).await?;
    let (turn, why) = turn(bench).await?;
    let world = bench.reading(vault, turn.place).await?;
    let place = &*world.vault;
    let backup = match (&bench.request.backup, turn.pick) {
        (Some(asked), _) => own(place, backups::find(place, asked).await?).await?,
        (None, Pick::Random) => {
            let ids = backups::own(place).await?;
            let random = u64::from_le_bytes(random(&*world.entropy));
            match any_of_month(&ids, world.clock.now(), random) {
                Some(id) => id.clone(),
                None => backups::find(place, "latest").await?,
            }
        }
        (None, _) => backups::find(place, "latest").await?,
    };
    Ok(Chosen { vault, backup, turn, why, swept, left })
}

/// What was imported holds one tenant's rows and is no proof that the source's backups can be restored.
async fn own(place: &dyn Vault, backup: RunId) -> Result<RunId, Error> {
    if !backups::is_imported(place, &backup).await? {
        return Ok(backup);
    }
    let reason = format!(
        "backup {backup} was imported, and to restore it proves nothing of the others; look at it with restore --into"
    );
    Err(Error::Blocked { reasons: vec![reason] })
}

async fn turn(bench: Bench<'_>) -> Result<(Turn, String), Error> {
    if let Some(backup) = &bench.request.backup {
        let pick = if backup == "latest" { Pick::Latest } else { Pick::Named };
        let place = bench.request.place.unwrap_or(Place::Vault);
        return Ok((Turn { pick, place }, "it was asked for".to_owned()));
    }
    let places = match (bench.request.place, bench.replica) {
        (Some(place), _) => vec![place],
        (None, Some(_)) => vec![Place::Vault, Place::Replica],
        (None, None) => vec![Place::Vault],
    };
    let turn = Turn::next(&taken(bench).await?, &places);
    let what = match turn.pick {
        Pick::Random => "a random backup of the last 30 days",
        Pick::Latest | Pick::Named => "the newest backup",
    };
    let turn_of = format!("it was the turn of {what} from the {}", turn.place.as_str());
    let why = match (bench.request.place, bench.replica) {
        (Some(_), _) => format!("{turn_of}, which was asked for"),
        (None, Some(_)) => turn_of,
        (None, None) => format!("{turn_of}; no replica is set, so none is tested"),
    };
    Ok((turn, why))
}

/// The turns that were taken with success, oldest first.
async fn taken(bench: Bench<'_>) -> Result<Vec<Turn>, Error> {
    let now = bench.world.clock.now();
    let from = now.saturating_sub(MEMORY).unwrap_or(Timestamp::MIN);
    let records = runs::readable_between(&*bench.world.vault, from, Timestamp::MAX).await?;
    Ok(records.into_iter().filter_map(taken_by).collect())
}

fn taken_by(record: RunRecord) -> Option<Turn> {
    let succeeded = record.job == Job::RestoreTest && record.outcome == Outcome::Succeeded;
    let summary = record.summary.filter(|_| succeeded)?;
    serde_json::from_value(summary.get("turn")?.clone()).ok()
}
