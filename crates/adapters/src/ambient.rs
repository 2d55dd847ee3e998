//! The machine's clock and randomness.

use aws_lc_rs::rand;
use gorgen_engine::ports::{Clock, Entropy};
use jiff::Timestamp;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's edge")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The machine's randomness, fit for keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// If the system has no randomness to give: no key or nonce may be made then.
    fn fill(&self, buffer: &mut [u8]) {
        assert!(
            rand::fill(buffer).is_ok(),
            "the system gives no random bytes: nothing can be encrypted safely"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_is_not_the_same_twice() {
        let mut drawn = [[0; 32]; 2];
        for buffer in &mut drawn {
            SystemEntropy.fill(buffer);
        }
        assert_ne!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], [0; 32]);
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let before = SystemClock.now();
        assert!(SystemClock.now() >= before);
    }
}
