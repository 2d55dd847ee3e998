//! One tenant's keys destroyed: no backup gives its rows any more, and every other tenant's come back as before.

use std::{collections::BTreeSet, sync::Arc};

use gorgen_engine::{
    Error,
    jobs::{
        World, backup,
        custody::Custody,
        export::{self, Layout},
        keys::{
            erase::{self, Place, Report, Request},
            rewrap, rotate, status,
        },
        package, verify,
    },
    model::{KeyId, ObjectName, RunId, Scope, prefix},
    policy::retention::Rules,
    ports::{Clock, KeyContext, Locks, Vault},
    records::{
        key::KeyRecord,
        lock::Lease,
        run::{Job, Outcome},
    },
    stages::{
        compress::decompress,
        seal::{Binding, SealingKey},
    },
    testing::{FailingVault, Fault, FixedClock, MemoryVault},
};
use jiff::{SignedDuration, tz::TimeZone};

use crate::{
    export::MemoryFiles,
    support::{Clinic, Content, LEASE, content, patient, reading, request},
};

/// Of the two tenants the one whose rows go.
const GONE: &str = "1";

fn asking() -> Request {
    Request {
        tenant: GONE.to_owned(),
        tenant_column: "clinica_id".to_owned(),
        lease: LEASE,
        dry_run: false,
    }
}

async fn try_erase(clinic: &Clinic) -> Result<Report, Error> {
    clinic.pass_a_minute();
    let place = Place { vault: &clinic.vault, remover: &clinic.vault };
    erase::run(&clinic.world(), place, None, &asking()).await
}

async fn erase(clinic: &Clinic) -> Report {
    try_erase(clinic).await.expect("an erasure")
}

/// What is left of a database when the tenant's patients are gone.
fn without(mut content: Content) -> Content {
    content.entry("pacientes".to_owned()).or_default().retain(is_of_others);
    content
}

fn is_of_others(row: &Vec<u8>) -> bool {
    *row != patient(1, 1, "Ana") && *row != patient(3, 1, "Caê")
}

/// Is the text in any chunk that any of the keys opens, in whatever version an object was ever kept?
async fn is_found(clinic: &Clinic, text: &str) -> bool {
    let world = clinic.world();
    let mut keys = Vec::new();
    let versions = clinic.vault.older().into_values().flatten();
    let newest = clinic.vault.objects().into_iter();
    for bytes in versions.chain(newest.map(|(_, bytes)| bytes)) {
        let Ok(record) = KeyRecord::read(&bytes) else { continue };
        for wrapped in &record.wrapped {
            let context = KeyContext { vault: record.vault, key: record.key.clone() };
            let key = world.keyring.unwrap(wrapped, &context).await.expect("an open key");
            keys.push((record.vault, SealingKey::new(record.key.clone(), &key)));
        }
    }
    for id in clinic.backups().await {
        let manifest = clinic.manifest(&id).await;
        for part in &manifest.tables {
            for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
                let pack = part.pack_of(chunk).expect("a pack");
                let pack = &clinic.vault.objects()[&ObjectName::pack(pack)];
                let place = chunk.offset as usize..(chunk.offset + chunk.length) as usize;
                for (vault, key) in &keys {
                    let name = chunk.chunk.to_string();
                    let binding =
                        Binding { vault: *vault, kind: "chunk", name: &name, beside: &[] };
                    let opened = key.open(&pack[place.clone()], binding);
                    let Ok(frame) = opened else { continue };
                    let rows = decompress(&frame, chunk.raw as usize).expect("rows");
                    if rows.windows(text.len()).any(|bytes| bytes == text.as_bytes()) {
                        return true;
                    }
                }
            }
        }
    }
    false
}

#[tokio::test]
async fn no_backup_gives_the_rows_of_who_was_erased_and_all_others_come_back() {
    let clinic = Clinic::new();
    let first = clinic.backup().await.backup;
    let before = clinic.restored(&first).await;
    clinic.source.insert("pacientes", [patient(8, 0, "Olga")]);
    let second = clinic.backup().await.backup;
    assert!(is_found(&clinic, "Ana").await && is_found(&clinic, "Beto").await);

    let report = erase(&clinic).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.tenant, Scope::tenant(GONE));
    assert_eq!(report.keys.len(), 2, "of rows, and of names");
    assert_eq!(
        report.backups.iter().map(|held| (&held.backup, held.rows)).collect::<Vec<_>>(),
        [(&first, 2), (&second, 2)]
    );
    assert_eq!(
        (report.in_newest, report.not_covered.as_slice()),
        (2, ["cid".to_owned()].as_slice())
    );

    for marker in ["Ana", "Caê"] {
        assert!(!is_found(&clinic, marker).await, "{marker}");
    }
    for marker in ["Beto", "Davi", "Olga", "A00"] {
        assert!(is_found(&clinic, marker).await, "{marker}");
    }
    assert_eq!(clinic.restored(&first).await, without(before));
    let (target, restored) = clinic.try_restore("latest").await;
    assert_eq!(content(target.content()), without(content(&clinic.source)));
    let restored = restored.expect("a restore");
    let erased_at = &report.ended;
    assert_eq!(
        restored.warnings,
        [format!(
            "2 rows of tenant 1 in 1 tables were left out: their keys were erased at {erased_at}"
        )]
    );
    let verified = clinic.verify().await;
    assert!(verified.is_well(), "{:?}", verified.problems);
}

#[tokio::test]
async fn every_job_reads_what_is_left() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await.backup;
    erase(&clinic).await;

    let told = status::run(&clinic.world()).await.expect("a status");
    assert!(told.all_open(), "{told:?}");
    let erased = told.keys.iter().filter(|key| key.erased.is_some());
    assert!(erased.clone().count() == 2 && erased.clone().all(|key| !key.current));

    let rewrapped = rewrap::run(&clinic.world(), &clinic.keyring).await.expect("a rewrap");
    assert!(rewrapped.unopened.is_empty());
    assert_eq!(rewrapped.keys, told.keys.len() as u64 - 2);
    let rotated = rotate::run(&clinic.world()).await.expect("a rotation").keys;
    assert!(rotated.iter().all(|key| *key.scope() != Scope::tenant(GONE)), "{rotated:?}");
    assert_eq!(rotated.len(), 3, "manifests, and rows of the other tenant and of none");

    let files = MemoryFiles::default();
    let exported =
        export::run(&clinic.world(), Arc::new(files.clone()), backup.as_str(), Layout::Sql)
            .await
            .expect("an export");
    assert_eq!(exported.rows, 5);
    assert!(exported.warnings.iter().any(|told| told.contains("2 rows of tenant 1")));

    let copy = MemoryVault::new();
    package::run(&clinic.world(), Arc::new(copy.clone()), backup.as_str())
        .await
        .expect("a package");
    let world = World { vault: Arc::new(copy), ..clinic.world() };
    let verified = verify::run(&world, &reading()).await.expect("a verification");
    assert!(verified.is_well());
}

#[tokio::test]
async fn rows_that_are_stored_again_get_keys_of_their_own() {
    let clinic = Clinic::new();
    let first = clinic.backup().await.backup;
    let erased: BTreeSet<KeyId> = erase(&clinic).await.keys.into_iter().collect();

    let second = clinic.backup().await.backup;
    assert_eq!(
        clinic.restored(&second).await,
        content(&clinic.source),
        "they came back by the database"
    );
    assert_eq!(clinic.restored(&first).await, without(content(&clinic.source)));
    let manifest = clinic.manifest(&second).await;
    assert!(manifest.tables.iter().flat_map(|part| &part.keys).all(|key| !erased.contains(key)));
    assert!(clinic.verify().await.is_well());

    clinic.source.change("pacientes", |rows| rows.retain(is_of_others));
    let again = erase(&clinic).await;
    assert_eq!((again.keys.len(), again.erased_before), (4, 2));
    assert!(!is_found(&clinic, "Ana").await);
    let third = clinic.backup().await.backup;
    assert_eq!(clinic.restored(&third).await, content(&clinic.source));
    assert!(clinic.verify().await.is_well());
}

#[tokio::test]
async fn it_goes_on_where_it_was_cut_off() {
    let model = Clinic::new();
    model.backup().await;
    for last in 1..8 {
        for fault in [Fault::Before, Fault::After, Fault::Outage] {
            let clinic = model.with_copied_vault().await;
            clinic.pass_a_minute();
            let failing = FailingVault::new(Arc::new(clinic.vault.clone()), last, fault);
            let world = clinic.world_with(Arc::new(failing.clone()));
            let place = Place { vault: &failing, remover: &clinic.vault };
            let cut_off = erase::run(&world, place, None, &asking()).await;
            clinic.outlast_locks();
            // Each of the others' rows come back whatever happened.
            let (target, restored) = clinic.try_restore("latest").await;
            restored.expect("a restore");
            let there = content(target.content());
            assert!(there == content(&clinic.source) || there == without(content(&clinic.source)));
            assert!(clinic.verify().await.is_well(), "{last} {fault:?}");
            let report = erase(&clinic).await;
            assert!(report.is_complete(), "{last} {fault:?}");
            assert!(!is_found(&clinic, "Ana").await, "{last} {fault:?}: {cut_off:?}");
        }
    }
}

#[tokio::test]
async fn what_is_locked_is_told_with_its_date_and_goes_when_it_may() {
    let clock = FixedClock::at("2026-11-23T06:00:00Z");
    let clinic = Clinic { vault: MemoryVault::with_locks(clock.clone()), clock, ..Clinic::new() };
    let custody = Custody {
        locks: Arc::new(clinic.vault.clone()),
        rules: Rules::default(),
        zone: TimeZone::UTC,
    };
    clinic.pass_a_minute();
    let locking = backup::Request { custody: Some(custody), ..request() };
    backup::run(&clinic.world(), &clinic.source, &locking).await.expect("a backup");
    let until = clinic.clock.now() + (SignedDuration::from_hours(48));
    for name in clinic.objects(prefix::KEYS) {
        clinic.vault.lock_until(&name, until).await.expect("a lock");
    }

    let report = erase(&clinic).await;
    assert!(!report.is_complete());
    assert_eq!(report.locked.len(), report.keys.len());
    assert!(report.locked.iter().all(|locked| locked.until == Some(until)), "{report:?}");
    assert!(is_found(&clinic, "Ana").await, "an older version of the key still opens it");
    let (target, restored) = clinic.try_restore("latest").await;
    restored.expect("a restore");
    assert_eq!(content(target.content()), without(content(&clinic.source)), "but no job reads it");

    clinic.clock.advance(SignedDuration::from_hours(49));
    let report = erase(&clinic).await;
    assert!(report.is_complete() && report.erased_before == 2);
    assert!(!is_found(&clinic, "Ana").await);
}

#[tokio::test]
async fn the_replica_loses_its_keys_too() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let copy = clinic.with_copied_vault().await;
    let lacking = clinic.with_copied_vault().await;
    let lost = ObjectName::key(&erase(&clinic.with_copied_vault().await).await.keys[0]);
    lacking.vault.lose(&lost);

    for (replica, is_complete) in [(&lacking, false), (&copy, true)] {
        clinic.pass_a_minute();
        let there = Place { vault: &replica.vault, remover: &replica.vault };
        let here = Place { vault: &clinic.vault, remover: &clinic.vault };
        let report = erase::run(&clinic.world(), here, Some(there), &asking()).await;
        let report = report.expect("an erasure");
        assert_eq!(report.is_complete(), is_complete, "{report:?}");
        let not_there: Vec<_> =
            report.not_there.iter().map(|one| ObjectName::key(&one.key)).collect();
        assert_eq!(not_there, if is_complete { vec![] } else { vec![lost.clone()] });
        assert!(!is_found(replica, "Ana").await);
    }
    assert!(!is_found(&clinic, "Ana").await);
}

#[tokio::test]
async fn what_keys_have_no_hold_on_is_told() {
    let clinic = Clinic::new();
    clinic.pass_a_minute();
    let undivided = backup::Request { tenant_column: None, ..request() };
    let before = backup::run(&clinic.world(), &clinic.source, &undivided).await;
    let before = before.expect("a backup").backup;
    let after = clinic.backup().await.backup;

    clinic.pass_a_minute();
    let place = Place { vault: &clinic.vault, remover: &clinic.vault };
    let plan = Request { dry_run: true, ..asking() };
    let objects = clinic.vault.objects();
    let planned = erase::run(&clinic.world(), place, None, &plan).await.expect("a plan");
    assert_eq!(clinic.vault.objects(), objects, "a plan leaves no trace");
    assert_eq!(planned.undivided, std::slice::from_ref(&before));
    assert!(!planned.is_complete());
    assert_eq!(planned.backups.len(), 1);
    assert_eq!(planned.backups[0].backup, after);

    let nobody = Request { tenant: "4".to_owned(), ..asking() };
    let none = erase::run(&clinic.world(), place, None, &nobody).await.expect_err("no such tenant");
    assert_eq!(none.to_string(), "memory: holds no key of a tenant \"4\"");
}

#[tokio::test]
async fn it_is_recorded_and_waits_for_no_backup() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let report = erase(&clinic).await;
    let records = clinic.records();
    let record = records.iter().find(|record| record.run == report.run).expect("a record");
    assert_eq!((record.job, record.outcome), (Job::Erase, Outcome::Succeeded));
    let told: Report = serde_json::from_value(record.summary.clone().expect("a summary")).unwrap();
    assert_eq!(told, report);
    for key in &report.keys {
        let record = KeyRecord::read(&clinic.vault.objects()[&ObjectName::key(key)]).unwrap();
        assert!(record.wrapped.is_empty());
        assert_eq!(record.erased.expect("a mark").run, report.run);
    }

    let run: RunId = "20261123T061500Z-0c0ffee0".parse().unwrap();
    let until = clinic.clock.now() + (SignedDuration::from_mins(5));
    let lease = Lease::held(run, Job::Backup, until);
    let (_, revision) = clinic.vault.read(&ObjectName::lock()).await.unwrap().unwrap();
    clinic.vault.swap(&ObjectName::lock(), Some(&revision), lease.write().unwrap()).await.unwrap();
    let locked = try_erase(&clinic).await.expect_err("a backup runs");
    assert!(matches!(locked, Error::Locked { .. }), "{locked:?}");
}
