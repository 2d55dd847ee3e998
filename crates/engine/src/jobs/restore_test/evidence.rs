//! What the steps of a test hand on: small, for a machine carries it from one process to the next.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    jobs::{World, record::Run, restore::Phase},
    model::{RunId, ServerInfo},
};

/// The run that a test is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    /// Its id, from which the scratch database has its name.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// The moment it was scheduled for.
    pub scheduled: Option<Timestamp>,
}

impl TestRun {
    /// A run that starts now.
    pub(super) fn start(world: &World, scheduled: Option<Timestamp>) -> Self {
        let Run { id, started, scheduled } = Run::start(world, scheduled);
        Self { run: id, started, scheduled }
    }

    /// The run of a machine's execution: the same for each of its steps, without any of them having said it.
    pub fn of_execution(name: &str, started: Timestamp, scheduled: Option<Timestamp>) -> Self {
        let mut random = [0; 4];
        random.copy_from_slice(&digest(&SHA256, name.as_bytes()).as_ref()[..4]);
        Self { run: RunId::new(started, random), started, scheduled }
    }

    pub(super) fn as_run(&self, world: &World) -> Run {
        Run::new(world, self.run.clone(), self.started, self.scheduled)
    }
}

/// A scratch database, ready to be loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// When the backup began to be opened: from then on the recovery time counts.
    pub opening: Timestamp,
    /// How many groups of tables there are to load, each for itself.
    pub groups: usize,
    /// How long it took.
    pub phases: Vec<Phase>,
}

/// What the seconds of [`Loaded`] were needed for.
pub(super) const LOADING: [&str; 4] = ["create tables", "load rows", "build keys", "verify"];

/// Tables that were loaded, read back, and found equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Tables.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Bytes of the canonical rows.
    pub raw_bytes: u64,
    /// How long it took to create them, to load rows, to build keys, and to read all back.
    pub seconds: [f64; 4],
}

/// What was proved beyond rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proved {
    /// When the restore was whole, with its keys and objects.
    pub restored: Timestamp,
    /// When all was proved.
    pub proved: Timestamp,
    /// The server it was restored on.
    pub scratch: ServerInfo,
    /// Foreign keys through which every row points at a row that is there.
    pub foreign_keys: u64,
    /// Objects that are there as they were backed up.
    pub objects: u64,
    /// Views that could be selected from.
    pub views: u64,
    /// Views that could not be used when the backup was made, and are as useless now.
    pub invalid_views: Vec<String>,
    /// What was left out or is not as one might expect, each a sentence.
    pub warnings: Vec<String>,
    /// How long the rest of the restore took.
    pub restoring: Vec<Phase>,
    /// How long the proof took.
    pub proving: Vec<Phase>,
}

/// All that the steps of a test came to that went well.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The database, made.
    pub prepared: Prepared,
    /// Each group of tables.
    pub loaded: Vec<Loaded>,
    /// The proof.
    pub proved: Proved,
}

impl Evidence {
    /// Tables, rows and raw bytes of all groups.
    pub(super) fn sums(&self) -> (u64, u64, u64) {
        self.loaded.iter().fold((0, 0, 0), |(tables, rows, bytes), group| {
            (tables + group.tables, rows + group.rows, bytes + group.raw_bytes)
        })
    }

    /// The phases of the restore, those of one name added up.
    pub(super) fn restoring(&self) -> Vec<Phase> {
        let mut phases = Vec::new();
        // Opening the backup comes before the restore.
        let preparing = self.prepared.phases.iter().filter(|phase| LOADING.contains(&&*phase.name));
        preparing.for_each(|phase| add(&mut phases, &phase.name, phase.seconds));
        for group in &self.loaded {
            for (name, seconds) in LOADING.iter().zip(group.seconds) {
                add(&mut phases, name, seconds);
            }
        }
        self.proved.restoring.iter().for_each(|phase| add(&mut phases, &phase.name, phase.seconds));
        phases
    }

    /// All phases, in order.
    pub(super) fn phases(&self) -> Vec<Phase> {
        let opening = self.prepared.phases.iter().filter(|phase| !LOADING.contains(&&*phase.name));
        let mut phases: Vec<_> = opening.cloned().collect();
        phases.extend(self.restoring());
        phases.extend(self.proved.proving.iter().cloned());
        phases
    }
}

fn add(phases: &mut Vec<Phase>, name: &str, seconds: f64) {
    match phases.iter_mut().find(|phase| phase.name == name) {
        Some(phase) => phase.seconds += seconds,
        None => phases.push(Phase { name: name.to_owned(), seconds }),
    }
}
