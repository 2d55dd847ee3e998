//! Large pieces of memory that are used again.
//!
//! Getting megabytes from the system for each chunk, and giving them back, costs time; and allocators keep more of
//! them than are ever in use, so that memory would grow with the number of threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Room of a new piece: so large that allocators grow it by moving pages, not bytes.
const FIRST: usize = 512 << 10;

/// Empty pieces of memory of one use.
#[derive(Debug)]
pub struct Spare {
    largest: usize,
    pieces: Mutex<Vec<Vec<u8>>>,
}

impl Spare {
    /// None yet. Of a piece that grows beyond `largest` bytes no more than these will be kept.
    pub fn new(largest: usize) -> Self {
        Self { largest, pieces: Mutex::default() }
    }

    /// An empty piece, with the room it had when it was given back.
    pub fn take(&self) -> Vec<u8> {
        self.pieces().pop().unwrap_or_else(|| Vec::with_capacity(FIRST))
    }

    /// Gives a piece back, whatever it holds.
    pub fn give_back(&self, mut piece: Vec<u8>) {
        piece.clear();
        piece.shrink_to(self.largest);
        self.pieces().push(piece);
    }

    fn pieces(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_empty_and_not_too_large() {
        let spare = Spare::new(2000);
        spare.give_back(vec![1; 1000]);
        assert_eq!(spare.take(), [0; 0]);
        spare.give_back(Vec::with_capacity(9000));
        let piece = spare.take();
        assert!(piece.is_empty() && (2000..9000).contains(&piece.capacity()));
    }
}
