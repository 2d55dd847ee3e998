//! Shares of the data: a verification reads one, the one that was read longest ago.
//!
//! A week that is missed, or fails, delays a share and never skips one.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::model::PackId;

/// Read weekly, all is read within a month.
const SHARES: u8 = 4;

/// One of the parts that all packs are divided into, by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Which one, counted from 1.
    pub number: u8,
    /// How many there are.
    pub of: u8,
}

impl Share {
    /// Every share.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=SHARES).map(|number| Self { number, of: SHARES })
    }

    /// The share to read now, given those that were read, oldest first: one that never was, or else the
    /// one that was read longest ago. What was read when there were more or fewer shares does not count.
    pub fn next(read: &[Self]) -> Self {
        let last_read = |share: &Self| read.iter().rposition(|past| past == share);
        Self::all().min_by_key(last_read).unwrap_or(Self { number: 1, of: SHARES })
    }

    /// Is the pack in this share? It always is in the same one.
    pub fn holds(self, pack: &PackId) -> bool {
        let hash = digest::digest(&digest::SHA256, pack.to_string().as_bytes());
        let first = hash.as_ref().first().copied().unwrap_or_default();
        first % self.of.max(1) + 1 == self.number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::RunId;

    fn share(number: u8) -> Share {
        Share { number, of: SHARES }
    }

    #[test]
    fn the_share_that_waited_longest_is_next() {
        for (read, next) in [
            (&[][..], 1),
            (&[1], 2),
            (&[1, 2, 3], 4),
            (&[1, 2, 3, 4], 1),
            (&[4, 1, 2, 3], 4),
            (&[1, 2, 3, 4, 1, 1, 3], 2),
            (&[2, 2], 1),
        ] {
            let read: Vec<_> = read.iter().map(|&number| share(number)).collect();
            assert_eq!(Share::next(&read), share(next), "{read:?}");
        }
        assert_eq!(Share::next(&[Share { number: 1, of: 7 }]), share(1), "another division");
    }

    #[test]
    fn every_pack_is_in_one_share_and_no_share_is_much_larger() {
        let run: RunId = "20261123T060000Z-4f2a91c3".parse().unwrap();
        let packs: Vec<_> = (1..=4000).map(|number| PackId::new(run.clone(), number)).collect();
        for pack in &packs {
            assert_eq!(Share::all().filter(|share| share.holds(pack)).count(), 1, "{pack}");
        }
        for share in Share::all() {
            let held = packs.iter().filter(|pack| share.holds(pack)).count();
            assert!((850..=1150).contains(&held), "{held} packs in {share:?}");
        }
        let first: PackId = "20261123T060000Z-4f2a91c3-000001".parse().unwrap();
        assert!(share(4).holds(&first), "it stays where it was in older versions");
    }

    proptest! {
        /// Weekly runs, some of which fail and leave no share read, after any history.
        #[test]
        fn four_runs_that_succeed_read_everything(
            before in prop::collection::vec(1..=SHARES, 0..12),
            succeeds in prop::collection::vec(any::<bool>(), 4..40),
        ) {
            let mut read: Vec<_> = before.into_iter().map(share).collect();
            let begin = read.len();
            for _ in succeeds.iter().filter(|succeeds| **succeeds) {
                read.push(Share::next(&read));
            }
            for four in read[begin..].windows(usize::from(SHARES)) {
                let mut numbers: Vec<_> = four.iter().map(|share| share.number).collect();
                numbers.sort_unstable();
                prop_assert_eq!(numbers, vec![1, 2, 3, 4]);
            }
        }
    }
}
