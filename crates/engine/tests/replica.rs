//! The replica: what is missing there, late, damaged, of another vault or under another key is found, and
//! what is on its way is no alarm.

use std::sync::Arc;

use crate::support::{Clinic, patient, reading};
use bytes::Bytes;
use gorgen_engine::{
    jobs::verify::{self, Place, Remedies, Replica, ReplicaReport, Request},
    model::{ObjectName, prefix},
    ports::Vault,
    testing::{MemoryKeyring, MemoryVault, SeededEntropy},
};
use jiff::SignedDuration;

/// A clinic with two backups, and the copy of its vault in another region.
struct Pair {
    clinic: Clinic,
    copy: MemoryVault,
    keyring: MemoryKeyring,
}

impl Pair {
    async fn new() -> Self {
        let pair = Self::with_copy_of_first().await;
        pair.replicate().await;
        pair
    }

    /// The copy was made after the first backup, and stopped.
    async fn with_copy_of_first() -> Self {
        let clinic = Clinic::new();
        clinic.backup().await;
        let keyring = clinic.keyring.clone();
        let pair = Self { clinic, copy: MemoryVault::new(), keyring };
        pair.replicate().await;
        pair.clinic.clock.advance(SignedDuration::from_hours(24));
        pair.clinic.source.change("pacientes", |rows| rows[0] = patient(1, 1, "Ana Maria"));
        pair.clinic.backup().await;
        pair
    }

    async fn replicate(&self) {
        for (name, bytes) in self.clinic.vault.objects() {
            if !self.copy.objects().contains_key(&name) {
                self.copy.put(&name, bytes).await.expect("a free name");
            }
        }
    }

    fn an_hour_later(&self) {
        self.clinic.clock.advance(SignedDuration::from_hours(1));
    }

    async fn verify(&self, request: &Request) -> ReplicaReport {
        self.clinic.pass_a_minute();
        let replica =
            Replica { vault: Arc::new(self.copy.clone()), keyring: Arc::new(self.keyring.clone()) };
        let report = verify::with_replica(&self.clinic.world(), Some(&replica), request).await;
        let report = report.expect("a verification");
        assert_eq!(report.problems, [], "the vault itself is well");
        // What it just wrote would be late at the next verification.
        let record = ObjectName::run(&report.run);
        let _ = self.copy.put(&record, self.clinic.vault.objects()[&record].clone()).await;
        report.replica.expect("a replica")
    }

    /// Objects that backups are made of.
    fn parts(&self) -> Vec<ObjectName> {
        let folders = [prefix::MANIFESTS, prefix::PACKS, prefix::KEYS];
        folders.iter().flat_map(|folder| self.clinic.objects(folder)).collect()
    }
}

fn named(replica: &ReplicaReport) -> Vec<&str> {
    replica.problems.iter().map(|problem| problem.object.as_str()).collect()
}

#[tokio::test]
async fn all_is_well_with_a_replica_that_is_whole() {
    let pair = Pair::new().await;
    pair.an_hour_later();
    let before = pair.copy.objects();
    let report = pair.verify(&reading()).await;
    assert_eq!(report.problems, []);
    assert_eq!(report.objects, before.len() as u64);
    assert_eq!((report.missing, report.damaged, report.only_there), (0, 0, 0));
    assert_eq!(report.checksums_equal, pair.parts().len() as u64);
    assert_eq!(report.chunks_read, 4);
    assert_eq!(report.newest_backup, pair.clinic.backups().await.pop());
    assert_eq!(report.behind_seconds, Some(0));
    let written = pair.copy.objects().len() - before.len();
    assert_eq!(written, 1, "nothing is written there but the copy of the run's record");
}

#[tokio::test]
async fn without_data_the_packs_there_are_only_looked_at() {
    let pair = Pair::new().await;
    pair.an_hour_later();
    let report = pair.verify(&Request::default()).await;
    assert_eq!((report.chunks_read, report.problems.as_slice()), (0, &[][..]));
    let packs = pair.clinic.objects(prefix::PACKS).len();
    assert_eq!(report.checksums_equal, (pair.parts().len() - packs) as u64);
}

#[tokio::test]
async fn what_is_missing_there_is_on_its_way_at_first_and_then_late() {
    for object in Pair::new().await.parts() {
        let pair = Pair::new().await;
        pair.copy.lose(&object);
        if object.as_str().contains("20261124") {
            let report = pair.verify(&reading()).await;
            assert_eq!(named(&report), [""; 0], "{object} was written a minute ago");
            assert!(report.waiting > 0);
        }
        pair.an_hour_later();
        let report = pair.verify(&reading()).await;
        assert_eq!(named(&report), [object.as_str()]);
        assert_eq!((report.problems[0].what.as_str(), report.missing), ("missing", 1));
    }
}

#[tokio::test]
async fn a_truncated_or_grown_object_there_is_found() {
    for object in Pair::new().await.parts() {
        for grows in [false, true] {
            let pair = Pair::new().await;
            pair.an_hour_later();
            pair.copy.corrupt(&object, |bytes| {
                let size = bytes.len();
                bytes.resize(if grows { size + 1 } else { size / 2 }, b'x');
            });
            let report = pair.verify(&Request::default()).await;
            assert!(named(&report).contains(&object.as_str()), "{object}: {:?}", report.problems);
            assert_eq!(report.missing, 0);
            assert!(report.damaged > 0);
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_there_is_found() {
    let pair = Pair::new().await;
    pair.an_hour_later();
    for object in pair.parts() {
        let whole = pair.copy.objects()[&object].clone();
        for at in (0..whole.len()).step_by(97) {
            pair.copy.corrupt(&object, |bytes| bytes[at] ^= 1 << (at % 8));
            let report = pair.verify(&reading()).await;
            assert!(named(&report).contains(&object.as_str()), "byte {at} of {object}");
            pair.copy.corrupt(&object, |bytes| *bytes = whole.to_vec());
        }
    }
    assert_eq!(pair.verify(&reading()).await.problems, []);
}

#[tokio::test]
async fn swapped_objects_there_are_found() {
    for folder in [prefix::MANIFESTS, prefix::PACKS, prefix::KEYS] {
        let pair = Pair::new().await;
        pair.an_hour_later();
        let [one, other] = &pair.clinic.objects(folder)[..2] else { panic!("two in {folder}") };
        let content = pair.copy.objects();
        pair.copy.corrupt(one, |bytes| *bytes = content[other].to_vec());
        pair.copy.corrupt(other, |bytes| *bytes = content[one].to_vec());
        let report = pair.verify(&reading()).await;
        for object in [one, other] {
            assert!(named(&report).contains(&object.as_str()), "{object}: {:?}", report.problems);
        }
    }
}

#[tokio::test]
async fn keys_that_the_other_region_does_not_open_are_found() {
    let pair = Pair { keyring: MemoryKeyring::new("other", 1), ..Pair::new().await };
    pair.an_hour_later();
    let report = pair.verify(&Request::default()).await;
    let what = &report.problems[0].what;
    assert!(report.problems[0].object.starts_with("keys/manifest.shared."), "{report:?}");
    assert!(what.ends_with("is not wrapped for memory:other (it is wrapped for memory:one)"));
    assert_eq!(report.newest_backup, None);
}

#[tokio::test]
async fn a_replica_that_stopped_is_behind() {
    let pair = Pair::with_copy_of_first().await;
    let backups = pair.clinic.backups().await;
    pair.an_hour_later();
    let report = pair.verify(&reading()).await;
    assert!(named(&report).contains(&ObjectName::manifest(&backups[1]).as_str()));
    assert_eq!(report.newest_backup.as_ref(), Some(&backups[0]));
    assert_eq!(report.behind_seconds, Some(24 * 3600 + 60));
    assert!(report.problems.iter().all(|problem| problem.what == "missing"), "{report:?}");
}

#[tokio::test]
async fn a_replica_that_is_not_there_is_one_problem() {
    let pair = Pair { copy: MemoryVault::new(), ..Pair::new().await };
    pair.an_hour_later();
    let report = pair.verify(&reading()).await;
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].what, "the replica is empty");
    assert_eq!(report.problems[0].backups, pair.clinic.backups().await);
    assert_eq!((report.newest_backup, report.missing > 5), (None, true));
    assert_eq!(report.behind_seconds, Some(24 * 3600 + 60 + 3600 + 60));
}

#[tokio::test]
async fn the_replica_of_another_vault_is_none() {
    let other = Clinic { entropy: SeededEntropy::new(8), ..Clinic::new() };
    other.backup().await;
    let pair = Pair::new().await;
    let pair = Pair { copy: other.vault, ..pair };
    pair.an_hour_later();
    let report = pair.verify(&reading()).await;
    assert!(report.problems.iter().any(|problem| {
        problem.object == "vault.json" && problem.what.starts_with("the replica is of vault ")
    }));
}

/// A key that can't be used is no damage, but nothing is proved of the replica.
#[tokio::test]
async fn a_replica_that_cannot_be_opened_is_said_to_be_so() {
    let pair = Pair { keyring: MemoryKeyring::new("one", 1), ..Pair::new().await };
    pair.an_hour_later();
    pair.keyring.disable(true);
    let report = pair.verify(&reading()).await;
    let what = &report.problems[0].what;
    assert!(what.starts_with("cannot be checked: cannot use memory:one: the key is disabled"));
    assert_eq!(report.behind_seconds, None);
}

#[tokio::test]
async fn what_is_only_there_is_counted_and_no_problem() {
    let pair = Pair::new().await;
    pair.an_hour_later();
    let orphan: ObjectName = ObjectName::from_listing("packs/of-nobody.pack").unwrap();
    pair.copy.put(&orphan, Bytes::from_static(b"?")).await.unwrap();
    // A cleanup dropped the first backup here; there it stays.
    let first = pair.clinic.backups().await.remove(0);
    pair.clinic.vault.lose(&ObjectName::manifest(&first));
    pair.clinic.vault.lose(&ObjectName::run(&first));
    let report = pair.verify(&reading()).await;
    assert_eq!((report.problems.as_slice(), report.only_there), (&[][..], 3));
}

/// Locks and records that are replaced may differ for a while.
#[tokio::test]
async fn what_is_replaced_may_differ() {
    let pair = Pair::new().await;
    let lock = pair.copy.objects()[&ObjectName::lock()].clone();
    pair.copy.corrupt(&ObjectName::lock(), |bytes| bytes.push(b'\n'));
    assert_ne!(pair.copy.objects()[&ObjectName::lock()], lock);
    assert_eq!(pair.verify(&Request::default()).await.problems, []);
    pair.copy.lose(&ObjectName::lock());
    pair.an_hour_later();
    pair.replicate().await;
    pair.copy.lose(&ObjectName::lock());
    assert_eq!(pair.verify(&Request::default()).await.problems, []);
}

/// Repairs from either side.
async fn repair(pair: &Pair) -> verify::Report {
    pair.clinic.pass_a_minute();
    let replica =
        Replica { vault: Arc::new(pair.copy.clone()), keyring: Arc::new(pair.keyring.clone()) };
    let remedies = Remedies { replica: Some((&replica, &pair.copy)), ..Remedies::default() };
    let repair = verify::repair(&pair.clinic.world(), &pair.clinic.vault, &remedies).await;
    repair.expect("a repair")
}

#[tokio::test]
async fn what_is_missing_or_damaged_on_one_side_comes_from_the_other() {
    let mut objects = Pair::new().await.parts();
    objects.push(ObjectName::identity());
    for object in objects {
        for (place, is_removed) in [
            (Place::Vault, false),
            (Place::Vault, true),
            (Place::Replica, false),
            (Place::Replica, true),
        ] {
            let pair = Pair::new().await;
            pair.an_hour_later();
            let whole = pair.copy.objects()[&object].clone();
            let side = if place == Place::Vault { &pair.clinic.vault } else { &pair.copy };
            if is_removed {
                side.lose(&object);
            } else {
                side.corrupt(&object, |bytes| bytes[20] ^= 1);
            }
            let report = repair(&pair).await;
            let what = format!("{object} in {place:?}, removed {is_removed}: {report:#?}");
            assert!(report.is_well() && report.not_repaired.is_empty(), "{what}");
            let repaired: Vec<_> = report
                .repaired
                .iter()
                .map(|repaired| (repaired.object.as_str(), repaired.place, !repaired.was_there))
                .collect();
            assert_eq!(repaired, [(object.as_str(), place, is_removed)], "{what}");
            assert!(side.objects()[&object] == whole, "{what}");
        }
    }
}

#[tokio::test]
async fn what_neither_side_has_whole_is_said_and_not_made_worse() {
    for object in Pair::new().await.parts() {
        let pair = Pair::new().await;
        pair.an_hour_later();
        pair.clinic.vault.corrupt(&object, |bytes| bytes[20] ^= 1);
        pair.copy.corrupt(&object, |bytes| bytes[20] ^= 2);
        let before = (pair.clinic.vault.objects(), pair.copy.objects());
        let report = repair(&pair).await;
        assert!(!report.is_well(), "{object}");
        assert!(report.repaired.is_empty(), "{object}: {report:#?}");
        let named: Vec<_> = report.not_repaired.iter().map(|not| not.object.as_str()).collect();
        assert!(named.contains(&object.as_str()), "{object}: {report:#?}");
        for (side, before) in [(&pair.clinic.vault, before.0), (&pair.copy, before.1)] {
            assert!(side.objects()[&object] == before[&object], "{object} was changed");
        }
    }
}

#[tokio::test]
async fn a_replica_that_is_lost_is_made_anew() {
    let pair = Pair { copy: MemoryVault::new(), ..Pair::new().await };
    pair.an_hour_later();
    let report = repair(&pair).await;
    assert!(report.is_well(), "{report:#?}");
    assert!(report.repaired.iter().all(|repaired| repaired.place == Place::Replica));
    for object in pair.parts() {
        assert!(pair.copy.objects()[&object] == pair.clinic.vault.objects()[&object]);
    }
}

/// A copy that the other region's key does not open is not believed, whatever it looks like.
#[tokio::test]
async fn a_copy_that_does_not_open_there_is_not_believed() {
    let pair = Pair { keyring: MemoryKeyring::new("other", 1), ..Pair::new().await };
    pair.an_hour_later();
    let pack = pair.clinic.objects(prefix::PACKS)[0].clone();
    pair.clinic.vault.corrupt(&pack, |bytes| bytes[20] ^= 1);
    let damaged = pair.clinic.vault.objects()[&pack].clone();
    let report = repair(&pair).await;
    assert!(!report.is_well());
    let not: Vec<_> =
        report.not_repaired.iter().filter(|not| not.object == pack.as_str()).collect();
    assert!(not[0].why.starts_with("in the other place it is no better: "), "{not:?}");
    assert!(pair.clinic.vault.objects()[&pack] == damaged);
}
