//! A verification reads a share of the data at a time, and is not misled by a cleanup at work beside it.

use std::{collections::BTreeSet, sync::Arc};

use crate::support::{Clinic, Moment, WaitingVault, patient, reading};
use gorgen_engine::{
    jobs::verify::{self, Request},
    model::{ObjectName, RunId, prefix},
    policy::shares::Share,
    ports::{Entropy, Vault},
    records::cleanup::{CleanupRecord, Dropped},
    testing::SeededEntropy,
};

const WEEKLY: Request =
    Request { only: None, read_data: false, read_share: true, deadline: None, scheduled: None };

/// A clinic with many backups, each with a pack of its own.
async fn many_packs() -> Clinic {
    let clinic = Clinic::new();
    for number in 0..12 {
        clinic.source.change("pacientes", |rows| rows[0] = patient(1, 1, &format!("Ana {number}")));
        clinic.backup().await;
    }
    assert_eq!(clinic.objects(prefix::PACKS).len(), 12);
    clinic
}

async fn weekly(clinic: &Clinic) -> verify::Report {
    clinic.pass_a_minute();
    verify::run(&clinic.world(), &WEEKLY).await.expect("a verification")
}

#[tokio::test]
async fn four_weeks_read_all_each_another_share() {
    let clinic = many_packs().await;
    let all = clinic.verify().await.chunks_read;
    let (mut shares, mut chunks) = (BTreeSet::new(), 0);
    for _ in 0..4 {
        let report = weekly(&clinic).await;
        assert_eq!((report.problems.as_slice(), report.read_data), (&[][..], true));
        assert!(report.chunks_read < all, "a part of all");
        shares.insert(report.share.expect("a share"));
        chunks += report.chunks_read;
    }
    assert_eq!(shares, Share::all().collect());
    assert_eq!(chunks, all);
}

#[tokio::test]
async fn a_week_that_failed_is_made_up_for() {
    let clinic = many_packs().await;
    let first = weekly(&clinic).await.share.expect("a share");
    clinic.pass_a_minute();
    let late = Request { deadline: Some("2026-01-01T00:00:00Z".parse().unwrap()), ..WEEKLY };
    verify::run(&clinic.world(), &late).await.unwrap_err();
    // What only looks, or reads all, or one backup, does not count as a share.
    verify::run(&clinic.world(), &Request::default()).await.unwrap();
    clinic.verify().await;
    let second = weekly(&clinic).await.share.expect("a share");
    assert_eq!([first.number, second.number], [1, 2]);
    let only = clinic.backups().await.pop();
    let report = verify::run(&clinic.world(), &Request { only, ..WEEKLY }).await.unwrap();
    assert_eq!((report.share, report.read_data), (None, true));
    assert_eq!(weekly(&clinic).await.share.expect("a share").number, 3);
}

#[tokio::test]
async fn damage_is_found_in_the_week_of_its_share() {
    let clinic = many_packs().await;
    let damaged = clinic.objects(prefix::PACKS).pop().expect("a pack");
    clinic.vault.corrupt(&damaged, |bytes| bytes[20] ^= 1);
    let mut found = Vec::new();
    for _ in 0..4 {
        let report = weekly(&clinic).await;
        found.extend(report.problems.into_iter().map(|problem| problem.object));
    }
    assert_eq!(found, [damaged.as_str()]);
}

/// The vault from which, when this object is about to be read, these are removed.
fn sweeping(clinic: &Clinic, at: ObjectName, swept: Vec<ObjectName>) -> WaitingVault {
    let vault = clinic.vault.clone();
    WaitingVault::new(Arc::new(clinic.vault.clone()), move |moment, name| {
        if moment == Moment::Get && *name == at {
            for object in swept.iter().filter(|object| vault.objects().contains_key(object)) {
                vault.lose(object);
            }
        }
        Box::pin(async {})
    })
}

/// The manifest of the first backup, and what it alone needs.
async fn first_backup(clinic: &Clinic) -> (ObjectName, Vec<ObjectName>) {
    let backups = clinic.backups().await;
    let mut parts = BTreeSet::new();
    for (place, backup) in backups.iter().enumerate() {
        let names = clinic.manifest(backup).await.packs;
        let names: BTreeSet<_> = names.iter().map(|(pack, _)| ObjectName::pack(pack)).collect();
        parts = if place == 0 { names } else { &parts - &names };
    }
    (ObjectName::manifest(&backups[0]), parts.into_iter().collect())
}

/// Two backups that share nothing.
async fn two_apart() -> Clinic {
    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.source.change("pacientes", |rows| {
        *rows = (20..24).map(|id| patient(id, id % 2, "Eva")).collect();
    });
    clinic.source.change("cid", |rows| rows.truncate(1));
    clinic.backup().await;
    clinic
}

#[tokio::test]
async fn a_backup_that_is_dropped_meanwhile_is_no_false_alarm() {
    for at_pack in [false, true] {
        let clinic = two_apart().await;
        let (manifest, mut swept) = first_backup(&clinic).await;
        assert!(!swept.is_empty());
        let at = if at_pack { swept[0].clone() } else { manifest.clone() };
        swept.push(manifest);
        clinic.pass_a_minute();
        let world = clinic.world_with(Arc::new(sweeping(&clinic, at, swept)));
        let report = verify::run(&world, &reading()).await.unwrap();
        assert_eq!(report.problems, [], "at a pack: {at_pack}");
        assert_eq!(report.backups, clinic.backups().await);
    }
}

#[tokio::test]
async fn a_pack_that_goes_while_its_backup_stays_is_an_alarm() {
    let clinic = two_apart().await;
    let (_, swept) = first_backup(&clinic).await;
    clinic.pass_a_minute();
    let world = clinic.world_with(Arc::new(sweeping(&clinic, swept[0].clone(), swept.clone())));
    let report = verify::run(&world, &reading()).await.unwrap();
    let found: Vec<_> = report.problems.iter().map(|problem| problem.object.as_str()).collect();
    assert_eq!(found, swept.iter().map(ObjectName::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_backup_that_a_cleanup_dropped_is_not_missed() {
    let clinic = two_apart().await;
    let dropped: RunId = clinic.backups().await.remove(0);
    clinic.vault.lose(&ObjectName::manifest(&dropped));
    assert_eq!(clinic.verify().await.problems.len(), 1, "nobody said that it was dropped");
    let now = clinic.world().clock.now();
    let mut random = [0; 4];
    SeededEntropy::new(3).fill(&mut random);
    let run = RunId::new(now, random);
    let dropped = Dropped { backup: dropped, why: "older than 30 days".to_owned() };
    let record = CleanupRecord::new(run.clone(), now, "daily=1".to_owned(), vec![dropped]);
    clinic.vault.put(&ObjectName::cleanup(&run), record.write().unwrap()).await.unwrap();
    assert_eq!(clinic.verify().await.problems, []);
}
