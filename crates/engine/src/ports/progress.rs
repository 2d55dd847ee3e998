//! How far a job is: counters that it raises and a terminal reads.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::model::RunId;

/// Counters of a running job; cheap to raise, read by whoever shows them.
#[derive(Debug, Default)]
pub struct Progress {
    run: OnceLock<RunId>,
    tables: [AtomicU64; 2],
    bytes: [AtomicU64; 2],
    rows: AtomicU64,
}

impl Progress {
    /// The job has begun, as this run.
    pub fn begin(&self, run: &RunId) {
        let _ = self.run.set(run.clone());
    }

    /// The run, once it has begun: what a log needs to be found by.
    pub fn run(&self) -> Option<RunId> {
        self.run.get().cloned()
    }

    /// Says how much there is to do; bytes may be an estimate.
    pub fn expect(&self, tables: u64, bytes: u64) {
        self.tables[1].store(tables, Relaxed);
        self.bytes[1].store(bytes, Relaxed);
    }

    /// One more table is done.
    pub fn table_done(&self) {
        self.tables[0].fetch_add(1, Relaxed);
    }

    /// So many more rows and raw bytes are done.
    pub fn rows_done(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Relaxed);
        self.bytes[0].fetch_add(bytes, Relaxed);
    }

    /// Tables done and expected.
    pub fn tables(&self) -> (u64, u64) {
        (self.tables[0].load(Relaxed), self.tables[1].load(Relaxed))
    }

    /// Raw bytes done and expected.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes[0].load(Relaxed), self.bytes[1].load(Relaxed))
    }

    /// Rows done.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }
}
