//! Which backup is tested, and where it is read.

use jiff::{SignedDuration, Timestamp};

use super::Test;
use crate::{
    jobs::{Error, backups, runs},
    model::{Place, RunId},
    policy::rotation::{Pick, Turn, any_of_month},
    ports::random,
    records::run::{Job, Outcome, RunRecord},
};

/// How far back tests are looked at: many more than there are turns.
const MEMORY: SignedDuration = SignedDuration::from_hours(26 * 7 * 24);

/// What is tested.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) backup: RunId,
    pub(super) turn: Turn,
    /// Why this one, a sentence.
    pub(super) why: String,
}

/// Chooses what was asked for, and by turns what was left open.
pub(super) async fn choose(test: &Test<'_>) -> Result<Choice, Error> {
    let (turn, why) = turn(test).await?;
    let world = test.reading(turn.place).await?;
    let vault = &*world.vault;
    let backup = match (&test.request.backup, turn.pick) {
        (Some(asked), _) => backups::find(vault, asked).await?,
        (None, Pick::Random) => {
            let ids = backups::ids(vault).await?;
            let random = u64::from_le_bytes(random(&*world.entropy));
            match any_of_month(&ids, world.clock.now(), random) {
                Some(id) => id.clone(),
                None => backups::find(vault, "latest").await?,
            }
        }
        (None, _) => backups::find(vault, "latest").await?,
    };
    Ok(Choice { backup, turn, why })
}

async fn turn(test: &Test<'_>) -> Result<(Turn, String), Error> {
    if let Some(backup) = &test.request.backup {
        let pick = if backup == "latest" { Pick::Latest } else { Pick::Named };
        let place = test.request.place.unwrap_or(Place::Vault);
        return Ok((Turn { pick, place }, "it was asked for".to_owned()));
    }
    let places = match (test.request.place, test.replica) {
        (Some(place), _) => vec![place],
        (None, Some(_)) => vec![Place::Vault, Place::Replica],
        (None, None) => vec![Place::Vault],
    };
    let turn = Turn::next(&taken(test).await?, &places);
    let what = match turn.pick {
        Pick::Random => "a random backup of the last 30 days",
        Pick::Latest | Pick::Named => "the newest backup",
    };
    let turn_of = format!("it was the turn of {what} from the {}", turn.place.as_str());
    let why = match (test.request.place, test.replica) {
        (Some(_), _) => format!("{turn_of}, which was asked for"),
        (None, Some(_)) => turn_of,
        (None, None) => format!("{turn_of}; no replica is set, so none is tested"),
    };
    Ok((turn, why))
}

/// The turns that were taken with success, oldest first.
async fn taken(test: &Test<'_>) -> Result<Vec<Turn>, Error> {
    let now = test.world.clock.now();
    let from = now.saturating_sub(MEMORY).unwrap_or(Timestamp::MIN);
    let records = runs::readable_between(&*test.world.vault, from, Timestamp::MAX).await?;
    Ok(records.into_iter().filter_map(taken_by).collect())
}

fn taken_by(record: RunRecord) -> Option<Turn> {
    let succeeded = record.job == Job::RestoreTest && record.outcome == Outcome::Succeeded;
    let summary = record.summary.filter(|_| succeeded)?;
    serde_json::from_value(summary.get("turn")?.clone()).ok()
}
