//! Random years of backups, cleanups, pins and crashes, held against a map: what the rules keep is there and whole, what is
//! locked stays, and what is gone was let go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::support::{Clinic, Content, content, noise, patient, request};
use async_trait::async_trait;
use gorgen_engine::{
    jobs::{
        backup,
        cleanup::{self, Request},
        custody::Custody,
        pins,
    },
    model::{ObjectName, RunId, prefix},
    policy::retention::Rules,
    ports::{Clock, Locks, Removal, Remover, VaultError},
    testing::{FailingVault, Fault, MemoryVault},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

const RULES: Rules = Rules { daily: 4, weekly: 3, monthly: 3, yearly: 2, last: 2, within: 1 };

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    HoursPass(i64),
    Change(u64),
    Backup,
    /// A backup whose write of this number fails, and all after it.
    CrashedBackup(u64),
    Cleanup,
    /// A cleanup whose removal of this number fails, and all after it.
    CrashedCleanup(u64),
    /// One of the backups, by a number that is taken modulo theirs.
    Pin(usize),
    Unpin(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..60_i64).prop_map(Event::HoursPass),
        2 => (60..3000_i64).prop_map(Event::HoursPass),
        4 => any::<u64>().prop_map(Event::Change),
        8 => Just(Event::Backup),
        1 => (1..14_u64).prop_map(Event::CrashedBackup),
        4 => Just(Event::Cleanup),
        2 => (1..8_u64).prop_map(Event::CrashedCleanup),
        1 => any::<usize>().prop_map(Event::Pin),
        1 => any::<usize>().prop_map(Event::Unpin),
    ]
}

/// Removes until its time has come.
struct CrashingRemover {
    vault: MemoryVault,
    last: u64,
    removals: AtomicU64,
}

#[async_trait]
impl Remover for CrashingRemover {
    async fn remove(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        if self.removals.fetch_add(1, SeqCst) + 1 >= self.last {
            return Err(VaultError::Failed {
                action: format!("remove {name}"),
                vault: "memory:".to_owned(),
                retryable: true,
                source: "a crash".into(),
            });
        }
        Remover::remove(&self.vault, name).await
    }

    async fn remove_older(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        self.vault.remove_older(name).await
    }

    async fn give_up_uploads(&self, before: Timestamp) -> Result<u64, VaultError> {
        self.vault.give_up_uploads(before).await
    }
}

/// A vault, and what must be in it.
struct Model {
    clinic: Clinic,
    backups: BTreeMap<RunId, Content>,
    pinned: BTreeSet<RunId>,
    /// The locks as they were last seen.
    locks: BTreeMap<ObjectName, Timestamp>,
}

impl Model {
    fn new() -> Self {
        let clinic = Clinic::new();
        let vault = MemoryVault::with_locks(clinic.clock.clone());
        Self {
            clinic: Clinic { vault, ..clinic },
            backups: BTreeMap::new(),
            pinned: BTreeSet::new(),
            locks: BTreeMap::new(),
        }
    }

    fn custody(&self) -> Custody {
        Custody { locks: Arc::new(self.clinic.vault.clone()), rules: RULES, zone: TimeZone::UTC }
    }

    async fn happen(&mut self, event: Event) {
        self.clinic.pass_a_minute();
        match event {
            Event::HoursPass(hours) => {
                self.clinic.clock.advance(SignedDuration::from_hours(hours));
            }
            Event::Change(seed) => {
                let text = format!("{:?}", noise(seed, 60));
                let row = patient(u32::try_from(seed % 50).unwrap(), 1, &text);
                self.clinic.source.change("pacientes", |rows| {
                    if rows.len() > 20 {
                        rows.clear();
                    }
                    rows.retain(|kept| kept[..4] != row[..4]);
                    rows.push(row);
                });
            }
            Event::Backup => self.back_up(0).await,
            Event::CrashedBackup(write) => self.back_up(write).await,
            Event::Cleanup => self.clean_up(u64::MAX).await,
            Event::CrashedCleanup(last) => self.clean_up(last).await,
            Event::Pin(number) => self.pin(number, true).await,
            Event::Unpin(number) => self.pin(number, false).await,
        }
        self.look_at_locks().await;
    }

    async fn back_up(&mut self, failing: u64) {
        let vault = FailingVault::new(Arc::new(self.clinic.vault.clone()), failing, Fault::Outage);
        let request = backup::Request { custody: Some(self.custody()), ..request() };
        let world = self.clinic.world_with(Arc::new(vault));
        let made = backup::run(&world, &self.clinic.source, &request).await;
        assert!(made.is_ok() || failing > 0, "{made:?}");
        // One that failed may have come as far as its manifest.
        let there = content(&self.clinic.source);
        for id in self.clinic.backups().await {
            self.backups.entry(id).or_insert_with(|| there.clone());
        }
        self.clinic.outlast_locks();
    }

    async fn clean_up(&mut self, last: u64) {
        let expected = self.expected().await;
        let remover =
            CrashingRemover { vault: self.clinic.vault.clone(), last, removals: AtomicU64::new(0) };
        let request = Request { confirmed: Some(u64::MAX), ..Request::default() };
        let done = cleanup::run(&self.clinic.world(), &self.custody(), &remover, &request).await;
        assert!(done.is_ok() || last < u64::MAX, "{done:?}");
        let left: BTreeSet<_> = self.clinic.backups().await.into_iter().collect();
        assert!(expected.is_subset(&left), "gone, but to be kept: {expected:?} {left:?}");
        if done.is_ok() {
            assert_eq!(left, expected);
        }
        self.backups.retain(|id, _| left.contains(id));
        self.pinned.retain(|id| left.contains(id));
    }

    /// What the rules keep, told without the code that decides it.
    async fn expected(&self) -> BTreeSet<RunId> {
        let now = self.clinic.clock.now();
        let ids: Vec<_> = self.backups.keys().cloned().collect();
        let mut kept: BTreeSet<RunId> = self.pinned.clone();
        for (count, name) in [(4, "%Y-%m-%d"), (3, "%G-%V"), (3, "%Y-%m"), (2, "%Y")] {
            let mut firsts = BTreeMap::new();
            for id in &ids {
                let period = id.started().unwrap().strftime(name).to_string();
                firsts.entry(period).or_insert_with(|| id.clone());
            }
            kept.extend(firsts.into_values().rev().take(count));
        }
        kept.extend(ids.iter().rev().take(2).cloned());
        let yesterday = now - SignedDuration::from_hours(24);
        kept.extend(ids.iter().filter(|id| id.started().unwrap() >= yesterday).cloned());
        for id in &ids {
            if self.clinic.vault.locked_until(&ObjectName::manifest(id)).await.unwrap().is_some() {
                kept.insert(id.clone());
            }
        }
        kept
    }

    async fn pin(&mut self, number: usize, pinned: bool) {
        let ids: Vec<_> = self.backups.keys().collect();
        let id = ids[number % ids.len()].clone();
        pins::set(&self.clinic.world(), id.as_str(), pinned, None).await.unwrap();
        if pinned {
            self.pinned.insert(id)
        } else {
            self.pinned.remove(&id)
        };
    }

    /// No lock was made shorter, and nothing is gone whose lock had not ended.
    async fn look_at_locks(&mut self) {
        let now = self.clinic.clock.now();
        let mut seen = BTreeMap::new();
        for name in self.clinic.vault.objects().into_keys() {
            if let Some(until) = self.clinic.vault.locked_until(&name).await.unwrap() {
                seen.insert(name, until);
            }
        }
        for (name, until) in self.locks.iter().filter(|(_, until)| **until > now) {
            assert!(seen.get(name).is_some_and(|now_until| now_until >= until), "{name} {until}");
        }
        self.locks = seen;
    }

    /// All that is left gives back what was there, and nothing is left that nobody needs.
    async fn end(&mut self) {
        for (backup, content) in &self.backups {
            assert!(self.clinic.restored(backup).await == *content, "{backup}");
        }
        assert_eq!(self.clinic.verify().await.problems, []);
        self.back_up(0).await;
        self.clinic.clock.advance(SignedDuration::from_hours(24 * 365 * 3));
        for id in self.pinned.clone() {
            pins::set(&self.clinic.world(), id.as_str(), false, None).await.unwrap();
        }
        self.pinned.clear();
        self.back_up(0).await;
        self.clinic.clock.advance(SignedDuration::from_hours(24 * 365 * 3));
        self.clean_up(u64::MAX).await;
        let mut named = BTreeSet::new();
        for id in self.clinic.backups().await {
            let packs = self.clinic.manifest(&id).await.packs;
            named.extend(packs.into_iter().map(|(pack, _)| ObjectName::pack(&pack)));
        }
        let left: BTreeSet<_> = self.clinic.objects(prefix::PACKS).into_iter().collect();
        assert_eq!(left, named, "what nobody names is gone, once its lock has ended");
        assert_eq!(self.clinic.verify().await.problems, []);
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 200,
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn what_the_rules_keep_is_there_and_whole(events in prop::collection::vec(event(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new();
            model.happen(Event::Backup).await;
            for event in events {
                model.happen(event).await;
            }
            model.end().await;
        });
    }
}
