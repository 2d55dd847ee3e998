//! Packs that a verification found damaged: the next backup must not build on them, so that it is whole by itself.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Error, World, runs};
use crate::{
    model::{ObjectName, PackId, prefix},
    records::run::{Job, Outcome, RunRecord},
};

/// Verifications of so long ago are asked: shares come round within a month, and name again what is still damaged.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The packs of the vault that verifications named, and that no repair has made whole since.
///
/// That a later verification did not name a pack proves nothing: it may not have read it. To suspect one that was
/// mended by hand costs no more than to store its chunks again, once.
pub(super) async fn suspects(world: &World) -> Result<BTreeSet<PackId>, Error> {
    let now = world.clock.now();
    let since = now.saturating_sub(LOOKED_BACK).map_err(|_| Error::Internal("no such time"))?;
    let mut suspects = BTreeSet::new();
    for record in runs::readable_between(&*world.vault, since, jiff::Timestamp::MAX).await? {
        if let Some(Verified { problems, repaired }) = verified(record) {
            for Repaired { object, place } in repaired {
                if let Some(pack) = pack_of(&object).filter(|_| place == "vault") {
                    suspects.remove(&pack);
                }
            }
            suspects.extend(problems.iter().filter_map(|problem| pack_of(&problem.object)));
        }
    }
    Ok(suspects)
}

fn verified(record: RunRecord) -> Option<Verified> {
    let succeeded = record.job == Job::Verify && record.outcome == Outcome::Succeeded;
    record.summary.filter(|_| succeeded).and_then(|summary| serde_json::from_value(summary).ok())
}

fn pack_of(object: &str) -> Option<PackId> {
    ObjectName::from_listing(object)?.stem(prefix::PACKS, ".pack")?.parse().ok()
}

/// Of what a verification reports, what matters here.
#[derive(Deserialize)]
struct Verified {
    #[serde(default)]
    problems: Vec<Problem>,
    #[serde(default)]
    repaired: Vec<Repaired>,
}

#[derive(Deserialize)]
struct Problem {
    object: String,
}

#[derive(Deserialize)]
struct Repaired {
    object: String,
    place: String,
}
