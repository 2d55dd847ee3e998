//! Whose turn it is to be restored: the newest backup or any of the last month, from the vault or from its copy.
//!
//! The places take turns, and within each place the newest backup and a random one. What is next is told by the
//! tests that succeeded: one that failed is tried again, and a week that is missed delays a turn and never skips one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Place, RunId};

/// How old a backup may be that is picked at random.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which backup of those that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// The newest.
    Latest,
    /// A random one of the last 30 days.
    Random,
    /// The one that was asked for by its id.
    Named,
}

/// One turn: which backup, and where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Turn {
    /// Which backup.
    pub pick: Pick,
    /// Where it is read.
    pub place: Place,
}

/// The order of those that were never taken.
const TURNS: [Turn; 4] = [
    Turn { pick: Pick::Latest, place: Place::Vault },
    Turn { pick: Pick::Latest, place: Place::Replica },
    Turn { pick: Pick::Random, place: Place::Vault },
    Turn { pick: Pick::Random, place: Place::Replica },
];

impl Turn {
    /// The turn after those that were taken with success, oldest first: at another place than the last one, and
    /// there the one that was taken longest ago. Only one of `places`, which holds at least one.
    pub fn next(taken: &[Self], places: &[Place]) -> Self {
        let last_place = taken.last().map(|turn| turn.place);
        let last_taken = |turn: &Self| taken.iter().rposition(|past| past == turn);
        let possible = TURNS.into_iter().filter(|turn| places.contains(&turn.place));
        let next = possible.min_by_key(|turn| (Some(turn.place) == last_place, last_taken(turn)));
        next.unwrap_or(TURNS[0])
    }
}

/// One of the backups of the last 30 days, each with the same chance; the newest one if there is none that young.
/// They are given oldest first, and `random` is any number.
pub fn any_of_month(backups: &[RunId], now: Timestamp, random: u64) -> Option<&RunId> {
    let since = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let first = backups.partition_point(|id| id.started().is_none_or(|started| started < since));
    let young = &backups[first..];
    let count = u64::try_from(young.len()).ok().filter(|&count| count > 0);
    // That some of them are more likely by one in 2^60 does no harm.
    let place = count.and_then(|count| usize::try_from(random % count).ok());
    place.and_then(|place| young.get(place)).or_else(|| backups.last())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const BOTH: [Place; 2] = [Place::Vault, Place::Replica];

    fn id(day: u32) -> RunId {
        format!("202611{day:02}T060000Z-4f2a91c3").parse().unwrap()
    }

    #[test]
    fn four_weeks_show_every_combination() {
        let mut taken = Vec::new();
        for _ in 0..5 {
            taken.push(Turn::next(&taken, &BOTH));
        }
        assert_eq!(taken[..4], TURNS);
        assert_eq!(taken[4], TURNS[0]);
    }

    #[test]
    fn a_test_that_failed_is_tried_again() {
        let taken = [TURNS[0]];
        let next = Turn::next(&taken, &BOTH);
        assert_eq!(next, TURNS[1]);
        assert_eq!(Turn::next(&taken, &BOTH), next, "nothing was taken meanwhile");
    }

    #[test]
    fn without_a_replica_only_the_pick_alternates() {
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(Turn::next(&taken, &[Place::Vault]));
        }
        let picks: Vec<_> = taken.iter().map(|turn| turn.pick).collect();
        assert_eq!(picks, [Pick::Latest, Pick::Random, Pick::Latest, Pick::Random]);
        assert!(taken.iter().all(|turn| turn.place == Place::Vault));
    }

    #[test]
    fn a_random_backup_is_of_the_last_month() {
        let backups: Vec<_> = (1..=28).map(id).collect();
        let now = "2026-12-10T07:00:00Z".parse().unwrap();
        let picked: BTreeSet<_> =
            (0..1000).filter_map(|random| any_of_month(&backups, now, random)).collect();
        // The tenth was made 30 days and an hour ago.
        assert_eq!(picked, backups[10..].iter().collect());
        let much_later = "2027-12-10T07:00:00Z".parse().unwrap();
        assert_eq!(any_of_month(&backups, much_later, 5), backups.last());
        assert_eq!(any_of_month(&[], now, 5), None);
    }

    fn turn() -> impl Strategy<Value = Turn> {
        let picks = prop_oneof![Just(Pick::Latest), Just(Pick::Random), Just(Pick::Named)];
        let places = prop_oneof![Just(Place::Vault), Just(Place::Replica)];
        (picks, places).prop_map(|(pick, place)| Turn { pick, place })
    }

    proptest! {
        /// After any history, of whatever was asked for by hand.
        #[test]
        fn places_take_turns_and_all_combinations_come(
            mut taken in prop::collection::vec(turn(), 0..12),
            succeeds in prop::collection::vec(any::<bool>(), 8..60),
        ) {
            let begin = taken.len();
            for succeeds in succeeds {
                let next = Turn::next(&taken, &BOTH);
                prop_assert_ne!(Some(next.place), taken.last().map(|turn| turn.place));
                if succeeds {
                    taken.push(next);
                }
            }
            for four in taken[begin..].windows(4) {
                prop_assert_eq!(four.iter().collect::<BTreeSet<_>>().len(), 4, "{:?}", four);
            }
        }

        #[test]
        fn without_a_replica_none_is_asked_for(taken in prop::collection::vec(turn(), 0..12)) {
            prop_assert_eq!(Turn::next(&taken, &[Place::Vault]).place, Place::Vault);
        }
    }
}
