//! An offline package is whole, is of one vault, and goes on where it was cut off.

use std::sync::Arc;

use gorgen_engine::{
    Error, Kind,
    jobs::{World, package},
    model::{ObjectName, RunId, prefix},
    ports::Vault,
    testing::{FailingVault, Fault, MemoryVault},
};

use crate::support::{Clinic, patient};

async fn pack(
    clinic: &Clinic,
    package: &MemoryVault,
    backup: &RunId,
) -> Result<package::Report, Error> {
    clinic.pass_a_minute();
    package::run(&clinic.world(), Arc::new(package.clone()), backup.as_str()).await
}

/// The same clinic, with nothing but the package.
fn opened(clinic: &Clinic, package: &MemoryVault) -> Clinic {
    Clinic { vault: package.clone(), ..clinic.clone() }
}

#[tokio::test]
async fn a_package_restores_as_the_vault_does_and_holds_no_more_than_it_needs() {
    let clinic = Clinic::new();
    let first = clinic.backup().await.backup;
    clinic.source.insert("pacientes", [patient(9, 1, "Eva")]);
    let second = clinic.backup().await.backup;
    let usb = MemoryVault::new();

    let report = pack(&clinic, &usb, &first).await.expect("a package");
    assert_eq!(report.opened_by, ["memory:one"]);
    assert_eq!((report.objects, report.bytes), (report.copied_objects, report.copied_bytes));
    assert_eq!(report.sha256.len() as u64, report.objects);
    assert!(report.raw_bytes > 0);
    let alone = opened(&clinic, &usb);
    assert_eq!(alone.restored(&first).await, clinic.restored(&first).await);
    assert!(alone.verify().await.problems.is_empty());
    let packs = |clinic: &Clinic| clinic.objects(prefix::PACKS).len();
    assert!(packs(&alone) < packs(&clinic), "what the second backup added is not in it");
    for (name, bytes) in usb.objects() {
        let is_record_of_the_proof = name.as_str().starts_with(prefix::RUNS);
        assert!(is_record_of_the_proof || clinic.vault.objects()[&name] == bytes, "{name}");
    }

    // Next month, onto the same drive: only what is new.
    let next = pack(&clinic, &usb, &second).await.expect("a package");
    assert!(next.copied_objects < next.objects);
    assert_eq!(alone.restored(&second).await, clinic.restored(&second).await);
    let again = pack(&clinic, &usb, &second).await.expect("a package");
    assert_eq!((again.copied_objects, again.copied_bytes), (0, 0));
    assert_eq!(again.sha256, next.sha256);
}

#[tokio::test]
async fn what_the_medium_lost_is_written_anew() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await.backup;
    let usb = MemoryVault::new();
    pack(&clinic, &usb, &backup).await.expect("a package");
    let names: Vec<ObjectName> = usb.objects().into_keys().collect();
    for name in names.iter().filter(|name| !name.as_str().starts_with(prefix::RUNS)) {
        usb.corrupt(name, |bytes| bytes[0] ^= 1);
        let again = pack(&clinic, &usb, &backup).await;
        if *name == ObjectName::identity() {
            // It could be another vault's: nobody writes over it.
            assert!(matches!(again, Err(Error::Damaged { .. })), "{again:?}");
            usb.corrupt(name, |bytes| bytes[0] ^= 1);
            continue;
        }
        assert_eq!(again.expect("a package").copied_objects, 1, "{name}");
        assert_eq!(usb.objects()[name], clinic.vault.objects()[name]);
    }
}

#[tokio::test]
async fn a_package_that_is_cut_off_anywhere_goes_on_and_is_none_before() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await.backup;
    let mut cut_off = 0;
    for write in 1.. {
        let usb = MemoryVault::new();
        let failing = FailingVault::new(Arc::new(usb.clone()), write, Fault::Outage);
        let world: World = clinic.world();
        if package::run(&world, Arc::new(failing), backup.as_str()).await.is_ok() {
            break;
        }
        cut_off += 1;
        let report = pack(&clinic, &usb, &backup).await.expect("the rest");
        assert!(report.copied_objects <= report.objects);
        assert_eq!(
            opened(&clinic, &usb).restored(&backup).await,
            clinic.restored(&backup).await,
            "write {write}"
        );
    }
    assert!(cut_off > 5, "{cut_off}");
}

#[tokio::test]
async fn a_folder_of_another_vault_is_refused_untouched() {
    let (clinic, other) = (
        Clinic::new(),
        Clinic { entropy: gorgen_engine::testing::SeededEntropy::new(99), ..Clinic::new() },
    );
    let backup = clinic.backup().await.backup;
    let foreign = other.backup().await.backup;
    let usb = MemoryVault::new();
    pack(&other, &usb, &foreign).await.expect("a package");
    let before = usb.objects();
    let error = pack(&clinic, &usb, &backup).await.unwrap_err();
    assert!(matches!(error, Error::OtherPackage { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(usb.objects(), before);
}

#[tokio::test]
async fn what_opens_in_the_cloud_alone_is_no_package() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await.backup;
    // One key is enough to make all of it useless.
    let name =
        clinic.objects(prefix::KEYS).into_iter().find(|name| name.as_str().contains("rows.t-1"));
    let name = name.expect("a key");
    let (bytes, revision) = clinic.vault.read(&name).await.unwrap().unwrap();
    let mut record = gorgen_engine::records::key::KeyRecord::read(&bytes).unwrap();
    record.wrapped[0].by = "kms".to_owned();
    clinic.vault.swap(&name, Some(&revision), record.write().unwrap()).await.unwrap();

    let usb = MemoryVault::new();
    let error = pack(&clinic, &usb, &backup).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "backup {backup} opens with AWS KMS alone: a package of it would be of no use without AWS"
        )
    );
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.hint().is_some_and(|hint| hint.contains("gorgen-backup keys rewrap")));
    assert!(usb.objects().is_empty());
}
