//! A clock that a test sets, and randomness that a test can repeat.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::ports::{Clock, Entropy};

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<Timestamp>>);

impl FixedClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// A clock that shows this time, in RFC 3339.
    pub fn at(now: &str) -> Self {
        Self::new(now.parse().expect("a time in RFC 3339"))
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        *lock(&self.0) = now;
    }

    /// Moves the clock on.
    pub fn advance(&self, by: SignedDuration) {
        *lock(&self.0) += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// An endless stream of bytes that depends on the seed alone, and is fit for tests alone (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct SeededEntropy(Arc<Mutex<u64>>);

impl SeededEntropy {
    /// The stream with this seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = lock(&self.0);
        for bytes in buffer.chunks_mut(size_of::<u64>()) {
            let word = split_mix(&mut state).to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_only_when_it_is_told_to() {
        let clock = FixedClock::at("2026-11-23T06:00:00Z");
        let same = clock.clone();
        same.advance(SignedDuration::from_mins(1));
        assert_eq!(clock.now().to_string(), "2026-11-23T06:01:00Z");
        same.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn one_seed_gives_one_stream_which_does_not_repeat() {
        let (one, same, other) =
            (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        let mut drawn = [[0; 13]; 4];
        one.fill(&mut drawn[0]);
        same.fill(&mut drawn[1]);
        one.fill(&mut drawn[2]);
        other.fill(&mut drawn[3]);
        assert_eq!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], drawn[2]);
        assert_ne!(drawn[0], drawn[3]);
    }
}
