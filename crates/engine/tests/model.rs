//! Random histories of a database and its vault, held against a map: whatever happened, every backup gives
//! back what the database held when it was made.

use std::{collections::BTreeMap, sync::Arc};

use crate::support::{Clinic, Content, request};
use gorgen_engine::{
    jobs::backup,
    model::{RunId, Table, ValueKind},
    testing::{FailingVault, Fault, row, table},
};
use jiff::SignedDuration;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

/// Tables that there may be: with a key, with a key of text, and with none.
const TABLES: [&str; 3] = ["pacientes", "notas", "log"];

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    /// Rows are added or replaced.
    Put {
        table: usize,
        from: u32,
        rows: u32,
        tenant: Option<u8>,
        length: usize,
    },
    /// A row goes.
    Delete {
        table: usize,
        id: u32,
    },
    /// A table goes with all its rows, or comes back without any.
    Drop {
        table: usize,
    },
    /// The next backup is in another month.
    MonthPasses,
    Backup,
    /// A backup whose write of this number fails.
    CrashedBackup {
        write: u64,
        fault: Fault,
    },
    /// A backup that is given up in the middle, for a broken connection.
    BrokenBackup {
        table: usize,
        after: usize,
    },
    /// One of the backups so far, by a number that is taken modulo theirs.
    Restore(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let table = 0..TABLES.len();
    let tenant = prop::option::of(0..3_u8);
    // Some rows are so large that a few of them make a chunk.
    let length = prop_oneof![4 => 0..40_usize, 1 => 200_000..700_000_usize];
    let fault = prop_oneof![Just(Fault::Before), Just(Fault::After), Just(Fault::Outage)];
    prop_oneof![
        6 => (table.clone(), 0..12_u32, 1..4_u32, tenant, length).prop_map(
            |(table, from, rows, tenant, length)| Event::Put { table, from, rows, tenant, length }
        ),
        3 => (table.clone(), 0..15_u32).prop_map(|(table, id)| Event::Delete { table, id }),
        1 => table.clone().prop_map(|table| Event::Drop { table }),
        1 => Just(Event::MonthPasses),
        4 => Just(Event::Backup),
        2 => (1..20_u64, fault).prop_map(|(write, fault)| Event::CrashedBackup { write, fault }),
        1 => (table, 0..4_usize).prop_map(|(table, after)| Event::BrokenBackup { table, after }),
        2 => any::<usize>().prop_map(Event::Restore),
    ]
}

fn definition(name: &str) -> Table {
    let id = if name == "notas" { ValueKind::Text } else { ValueKind::Number };
    let columns = [("id", id), ("clinica_id", ValueKind::Number), ("texto", ValueKind::Text)];
    table(name, &columns, if name == "log" { &[] } else { &["id"] })
}

/// The database as a map, and what each backup must give back.
struct Model {
    clinic: Clinic,
    tables: BTreeMap<&'static str, BTreeMap<u32, Vec<u8>>>,
    backups: BTreeMap<RunId, Content>,
}

impl Model {
    fn new() -> Self {
        let mut model =
            Self { clinic: Clinic::empty(), tables: BTreeMap::new(), backups: BTreeMap::new() };
        for name in TABLES {
            model.define(name);
        }
        model
    }

    fn define(&mut self, name: &'static str) {
        self.clinic.source.define(definition(name));
        self.tables.insert(name, BTreeMap::new());
    }

    fn content(&self) -> Content {
        let sorted = |(name, rows): (&&str, &BTreeMap<u32, Vec<u8>>)| {
            let mut rows: Vec<_> = rows.values().cloned().collect();
            rows.sort();
            ((*name).to_owned(), rows)
        };
        self.tables.iter().map(sorted).collect()
    }

    /// Brings the rows of a table into the database.
    fn write(&self, name: &str) {
        let rows = self.tables[name].values().cloned().collect();
        self.clinic.source.change(name, |kept| *kept = rows);
    }

    async fn happen(&mut self, event: Event) {
        match event {
            Event::Put { table, from, rows, tenant, length } => {
                let Some(kept) = self.tables.get_mut(TABLES[table]) else { return };
                let tenant = tenant.map(|tenant| tenant.to_string());
                for id in from..from + rows {
                    let text = format!("{id} ").repeat(length / 3 + 1);
                    kept.insert(id, row(&[Some(&id.to_string()), tenant.as_deref(), Some(&text)]));
                }
                self.write(TABLES[table]);
            }
            Event::Delete { table, id } => {
                let Some(kept) = self.tables.get_mut(TABLES[table]) else { return };
                kept.remove(&id);
                self.write(TABLES[table]);
            }
            Event::Drop { table } => {
                let name = TABLES[table];
                if self.tables.remove(name).is_some() {
                    self.clinic.source.drop_table(name);
                } else {
                    self.define(name);
                }
            }
            Event::MonthPasses => self.clinic.clock.advance(SignedDuration::from_hours(31 * 24)),
            Event::Backup => self.backup().await,
            Event::CrashedBackup { write, fault } => self.crash(write, fault).await,
            Event::BrokenBackup { table, after } => {
                let name = TABLES[table];
                self.clinic.source.fail_read(name, Some(after));
                let broken = self.clinic.try_backup().await;
                assert_eq!(broken.is_err(), self.tables.contains_key(name));
                self.clinic.source.fail_read(name, None);
                self.take_down().await;
            }
            Event::Restore(number) => {
                let backup = self.backups.keys().nth(number % self.backups.len().max(1));
                if let Some(backup) = backup {
                    self.restore(backup).await;
                }
            }
        }
    }

    /// A backup, and a second one that finds nothing new.
    async fn backup(&mut self) {
        let report = self.clinic.backup().await;
        self.backups.insert(report.backup, self.content());
        let again = self.clinic.backup().await;
        assert_eq!(again.totals.new_bytes, 0, "nothing changed");
        self.backups.insert(again.backup, self.content());
    }

    async fn crash(&mut self, write: u64, fault: Fault) {
        self.clinic.pass_a_minute();
        let vault = FailingVault::new(Arc::new(self.clinic.vault.clone()), write, fault);
        let world = self.clinic.world_with(Arc::new(vault.clone()));
        let result = backup::run(&world, &self.clinic.source, &request()).await;
        assert_eq!(result.is_err(), vault.writes() >= write);
        self.clinic.outlast_locks();
        self.take_down().await;
    }

    /// A run that failed may have made a backup: if its last words were lost, or it failed after the manifest.
    async fn take_down(&mut self) {
        let (content, backups) = (self.content(), self.clinic.backups().await);
        assert!(backups.len() <= self.backups.len() + 1);
        for backup in backups {
            self.backups.entry(backup).or_insert_with(|| content.clone());
        }
    }

    async fn restore(&self, backup: &RunId) {
        let restored = self.clinic.restored(backup).await;
        // Not `assert_eq`, which would print rows of half a megabyte.
        assert!(restored == self.backups[backup], "{backup} gives back something else");
    }

    /// All that was kept is as it was.
    async fn end(&mut self) {
        self.backup().await;
        assert!(self.clinic.backups().await.iter().eq(self.backups.keys()));
        for backup in self.backups.keys() {
            self.restore(backup).await;
        }
        assert_eq!(self.clinic.verify().await.problems, []);
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 60,
        rng_seed: RngSeed::Fixed(20_261_123),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn every_backup_gives_back_what_was_there(events in prop::collection::vec(event(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new();
            for event in events {
                model.happen(event).await;
            }
            model.end().await;
        });
    }
}
