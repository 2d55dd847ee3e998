//! Packs that are whole nowhere are put together again from the database, as far as its rows are as they were; nothing
//! gets worse by it.

use std::sync::Arc;

use crate::support::{Clinic, Content, content, noise, patient};
use gorgen_engine::{
    jobs::verify::{self, Database, Origin, Place, Remedies, Repaired, Replica},
    model::{ObjectName, RunId, ValueKind, prefix},
    ports::Vault,
    testing::{MemoryVault, row, table},
};
use jiff::SignedDuration;
use proptest::prelude::*;

/// A clinic of two tenants with several chunks, the backups of three days, and what each of them holds.
struct Days {
    clinic: Clinic,
    made: Vec<(RunId, Content)>,
}

/// A text that makes a row of some 100 KB.
fn long(seed: u64) -> String {
    hex::encode(noise(seed, 50_000))
}

impl Days {
    async fn new() -> Self {
        let clinic = Clinic::new();
        let rows = (100..150).map(|id| patient(id, id % 2, &long(u64::from(id))));
        clinic.source.insert("pacientes", rows);
        let mut days = Self { clinic, made: Vec::new() };
        for day in 0..3 {
            days.clinic.clock.advance(SignedDuration::from_hours(24));
            // A table of its own each day, so that what earlier ones needed is there as it was.
            let name = ["dia_0", "dia_1", "dia_2"][day];
            days.clinic.source.define(table(name, &[("codigo", ValueKind::Text)], &["codigo"]));
            days.clinic.source.insert(name, [row(&[Some("A00")])]);
            days.back_up().await;
        }
        days
    }

    async fn back_up(&mut self) {
        let backup = self.clinic.backup().await.backup;
        self.made.push((backup, content(&self.clinic.source)));
    }

    fn packs(&self) -> Vec<ObjectName> {
        self.clinic.objects(prefix::PACKS)
    }

    async fn repair(&self, replica: Option<(&Replica, &MemoryVault)>) -> verify::Report {
        self.clinic.pass_a_minute();
        let remedies = Remedies {
            replica: replica.map(|(replica, mender)| (replica, mender as _)),
            database: Some(Database {
                source: &self.clinic.source,
                tenant_column: Some("clinica_id".to_owned()),
            }),
        };
        let repair = verify::repair(&self.clinic.world(), &self.clinic.vault, &remedies).await;
        repair.expect("a repair")
    }

    /// The backups that can be restored. What is restored is always what was backed up.
    async fn restorable(&self) -> Vec<bool> {
        let mut restorable = Vec::new();
        for (backup, expected) in &self.made {
            let (target, result) = self.clinic.try_restore(backup.as_str()).await;
            if result.is_ok() {
                assert!(content(target.content()) == *expected, "{backup}");
            }
            restorable.push(result.is_ok());
        }
        restorable
    }
}

/// Ways to damage a pack, by a number that says where.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flipped,
    Truncated,
    Missing,
}

fn damage(vault: &MemoryVault, pack: &ObjectName, how: Damage, place: usize) {
    match how {
        Damage::Flipped => vault.corrupt(pack, |bytes| {
            let at = place % bytes.len();
            bytes[at] ^= 1;
        }),
        Damage::Truncated => vault.corrupt(pack, |bytes| bytes.truncate(place % bytes.len())),
        Damage::Missing => vault.lose(pack),
    }
}

#[tokio::test]
async fn what_the_database_still_has_comes_back_in_its_place() {
    let packs = Days::new().await.packs();
    for (number, how) in (0..packs.len()).flat_map(|number| {
        [Damage::Flipped, Damage::Truncated, Damage::Missing].map(|how| (number, how))
    }) {
        let days = Days::new().await;
        let pack = &packs[number];
        let size = days.clinic.vault.objects()[pack].len();
        damage(&days.clinic.vault, pack, how, size / 2);
        assert!(days.restorable().await.contains(&false), "{pack} {how:?}");

        let report = days.repair(None).await;
        assert!(report.is_well() && report.not_repaired.is_empty(), "{pack} {how:?}: {report:#?}");
        let was_there = !matches!(how, Damage::Missing);
        let object = pack.to_string();
        let expected = Repaired { object, place: Place::Vault, from: Origin::Database, was_there };
        assert_eq!(report.repaired, [expected]);
        assert_eq!(days.clinic.vault.objects()[pack].len(), size);
        assert_eq!(days.restorable().await, [true; 3], "{pack} {how:?}");
    }
}

#[tokio::test]
async fn a_table_of_contents_is_made_anew() {
    let days = Days::new().await;
    let pack = &days.packs()[0];
    let end = days.clinic.vault.objects()[pack].len() - 60;
    damage(&days.clinic.vault, pack, Damage::Flipped, end);
    assert_eq!(days.restorable().await, [true; 3], "a restore does not need it");
    let report = days.repair(None).await;
    assert!(report.is_well(), "{report:#?}");
    assert_eq!(report.repaired.len(), 1);
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_said_and_the_rest_comes_back() {
    let days = Days::new().await;
    let pack = &days.packs()[0];
    damage(&days.clinic.vault, pack, Damage::Missing, 0);
    // All of one tenant's chunks in this pack are others now.
    days.clinic.source.change("pacientes", |rows| {
        let one = |row: &Vec<u8>| row[4..].starts_with(b"\x011");
        rows.retain(|row| !one(row));
    });
    let report = days.repair(None).await;
    assert!(!report.is_well());
    assert!(report.repaired.is_empty());
    let [not] = &report.not_repaired[..] else { panic!("{report:#?}") };
    assert_eq!((not.object.as_str(), not.place), (pack.as_str(), Place::Vault));
    assert!(
        not.why.starts_with("of ") && not.why.ends_with("as they were; these are back"),
        "{not:?}"
    );
    assert!(days.clinic.vault.objects().contains_key(pack), "what could be had is there");
    assert_eq!(days.restorable().await, [false; 3]);
}

#[tokio::test]
async fn what_nothing_is_left_of_is_not_written() {
    let days = Days::new().await;
    let pack = &days.packs()[0];
    damage(&days.clinic.vault, pack, Damage::Missing, 0);
    for table in days.clinic.source.tables() {
        days.clinic.source.change(&table, Vec::clear);
    }
    let report = days.repair(None).await;
    assert!(!report.is_well());
    assert!(!days.clinic.vault.objects().contains_key(pack));
    assert_eq!(report.not_repaired.len(), 1);
}

#[tokio::test]
async fn what_is_damaged_in_both_places_is_whole_in_both_again() {
    let days = Days::new().await;
    let copy = MemoryVault::new();
    for (name, bytes) in days.clinic.vault.objects() {
        copy.put(&name, bytes).await.unwrap();
    }
    days.clinic.clock.advance(SignedDuration::from_hours(1));
    let replica =
        Replica { vault: Arc::new(copy.clone()), keyring: Arc::new(days.clinic.keyring.clone()) };
    let pack = &days.packs()[0];
    damage(&days.clinic.vault, pack, Damage::Flipped, 70);
    damage(&copy, pack, Damage::Flipped, 3_000_000);
    let report = days.repair(Some((&replica, &copy))).await;
    assert!(report.is_well() && report.not_repaired.is_empty(), "{report:#?}");
    let from: Vec<_> = report.repaired.iter().map(|one| (one.place, one.from)).collect();
    assert_eq!(from, [(Place::Vault, Origin::Database), (Place::Replica, Origin::Vault)]);
    assert!(days.clinic.vault.objects()[pack] == copy.objects()[pack]);
    assert_eq!(days.restorable().await, [true; 3]);
}

#[tokio::test]
async fn a_manifest_and_a_key_are_not_made_anew() {
    let days = Days::new().await;
    for folder in [prefix::MANIFESTS, prefix::KEYS] {
        let clinic = days.clinic.with_copied_vault().await;
        let days = Days { clinic, made: days.made.clone() };
        let object = days.clinic.objects(folder)[0].clone();
        days.clinic.vault.lose(&object);
        let before = days.packs();
        let report = days.repair(None).await;
        assert!(!report.is_well(), "{object}");
        assert!(report.repaired.is_empty(), "{object}: {report:#?}");
        assert_eq!(days.packs(), before);
    }
}

fn damages() -> impl Strategy<Value = Vec<(usize, Damage, usize)>> {
    let how = prop_oneof![Just(Damage::Flipped), Just(Damage::Truncated), Just(Damage::Missing)];
    prop::collection::vec((any::<usize>(), how, any::<usize>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is damaged, and whatever has changed in the database since.
    #[test]
    fn a_repair_makes_nothing_worse(
        damages in damages(),
        changed in prop::collection::vec(0..50_usize, 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let days = Days::new().await;
            let packs = days.packs();
            for (pack, how, place) in damages {
                let pack = &packs[pack % packs.len()];
                if days.clinic.vault.objects().get(pack).is_some_and(|bytes| !bytes.is_empty()) {
                    damage(&days.clinic.vault, pack, how, place);
                }
            }
            days.clinic.source.change("pacientes", |rows| {
                for place in changed.clone() {
                    rows[place] = patient(u32::try_from(place).unwrap() + 1000, 1, "mudou");
                }
            });
            let before = days.restorable().await;
            let report = days.repair(None).await;
            let after = days.restorable().await;
            let worse = before.iter().zip(&after).any(|(before, after)| *before && !after);
            assert!(!worse, "{before:?} {after:?} {report:#?}");
            if changed.is_empty() {
                assert_eq!(after, [true; 3], "{report:#?}");
            }
            let again = days.repair(None).await;
            assert!(again.repaired.is_empty(), "what could be done is done at once: {again:#?}");
        });
    }
}
