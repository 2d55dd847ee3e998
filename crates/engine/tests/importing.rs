//! Backups made of other files than the source's own: marked, kept by their pin alone, and never taken for the source's backups.

use std::sync::Arc;

use async_trait::async_trait;
use gorgen_engine::{
    Error, Kind,
    jobs::{
        backup::{self, Report},
        backups,
        cleanup::{self, Request},
        custody::Custody,
        pins, report, restore_test, restores,
        staged::{self, Rules, Servers},
        status,
    },
    model::{Allowed, ObjectName, RunId, SourceIdentity},
    policy::retention,
    ports::{
        Clock, Contents, Reference, Room, Server, Session, Source, Target, TargetError, Vault,
    },
    records::{
        imported::{Imported, ImportedFile},
        manifest::Header,
        pin::PinRecord,
        restore::{Destination, RestoreRecord, Wish},
        run::{Job, Outcome},
    },
    testing::{FailingVault, FakeSource, Fault},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::support::{Clinic, content, patient, patients, request, tested::scratch_for};

const KEPT: retention::Rules =
    retention::Rules { daily: 1, weekly: 0, monthly: 0, yearly: 0, last: 0, within: 0 };

/// Long before anything else of these tests.
fn made() -> Timestamp {
    "2026-01-16T06:00:01.234Z".parse().unwrap()
}

fn of_files() -> Imported {
    Imported {
        tenant: "1".to_owned(),
        created: made(),
        files: vec![ImportedFile { name: "full.json.gz.enc".to_owned(), sha256: "00".repeat(32) }],
        notes: vec!["UTC was taken for their time zone".to_owned()],
    }
}

/// A tenant's rows, as files had them.
fn files() -> FakeSource {
    let files = FakeSource::new("clinica");
    files.define(patients());
    files.insert("pacientes", [patient(1, 1, "Ana, como era")]);
    files
}

async fn import(clinic: &Clinic) -> Report {
    clinic.pass_a_minute();
    let imported = backup::import(&clinic.world(), &files(), &request(), &of_files()).await;
    imported.expect("an import")
}

async fn header(clinic: &Clinic, id: &RunId) -> Header {
    backups::header(&clinic.vault, id).await.unwrap().unwrap()
}

async fn clean(clinic: &Clinic) -> cleanup::Report {
    let custody =
        Custody { locks: Arc::new(clinic.vault.clone()), rules: KEPT, zone: TimeZone::UTC };
    cleanup::run(&clinic.world(), &custody, &clinic.vault, &Request::default()).await.unwrap()
}

#[tokio::test]
async fn an_import_says_what_it_is_and_can_be_restored() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let report = import(&clinic).await;
    assert_eq!(report.snapshot, made());
    assert_eq!(report.warnings, of_files().notes);
    let header = header(&clinic, &report.backup).await;
    assert_eq!((header.imported, header.snapshot), (Some(of_files()), made()));
    let record = clinic.records().pop().unwrap();
    assert_eq!(
        (record.run, record.job, record.outcome),
        (report.run, Job::Import, Outcome::Succeeded)
    );
    let (pin, _) = clinic.vault.read(&ObjectName::pin(&report.backup)).await.unwrap().unwrap();
    let pin = PinRecord::read(&pin).unwrap();
    assert!(pin.pinned);
    assert_eq!(pin.reason.unwrap(), "imported from full.json.gz.enc");
    assert!(clinic.restored(&report.backup).await == content(&files()));
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test]
async fn an_import_is_never_the_newest_backup() {
    let clinic = Clinic::new();
    import(&clinic).await;
    let missing = backups::find(&clinic.vault, "latest").await.unwrap_err();
    assert!(matches!(missing, Error::NoSuchBackup { .. }), "{missing}");
    assert_eq!(backups::newest(&clinic.vault).await.unwrap(), None);
    let own = clinic.backup().await.backup;
    let imported = import(&clinic).await.backup;
    assert!(imported > own, "ids tell the order of writing");
    assert_eq!(backups::find(&clinic.vault, "latest").await.unwrap(), own);
    assert_eq!(backups::own(&clinic.vault).await.unwrap(), std::slice::from_ref(&own));
    assert_eq!(backups::find(&clinic.vault, imported.as_str()).await.unwrap(), imported);
    let status = status::of(&clinic.vault, clinic.clock.now()).await.unwrap();
    assert_eq!(status.newest_backup.unwrap().backup, own);
    assert_eq!(status.problems, Vec::<String>::new(), "its size and its age are nobody's trend");
}

#[tokio::test]
async fn the_next_backup_builds_on_the_last_one_of_the_source() {
    let clinic = Clinic::new();
    clinic.backup().await;
    import(&clinic).await;
    assert_eq!(clinic.backup().await.totals.new_bytes, 0, "all of it was there");
}

#[tokio::test]
async fn only_its_pin_keeps_it_and_it_takes_nobody_s_place() {
    let clinic = Clinic::new();
    let first = clinic.backup().await.backup;
    let imported = import(&clinic).await.backup;
    clinic.clock.advance(SignedDuration::from_hours(24));
    let second = clinic.backup().await.backup;
    let report = clean(&clinic).await;
    let kept: Vec<_> =
        report.kept.iter().map(|kept| (kept.backup.clone(), kept.why.join(", "))).collect();
    assert_eq!(kept[0], (imported.clone(), "pinned".to_owned()));
    assert_eq!(kept[1].0, second);
    assert_eq!(report.dropped.iter().map(|one| one.backup.clone()).collect::<Vec<_>>(), [first]);
    assert!(clinic.restored(&imported).await == content(&files()));

    pins::set(&clinic.world(), imported.as_str(), false, None).await.unwrap();
    let report = clean(&clinic).await;
    let dropped = &report.dropped[0];
    assert_eq!(
        (&dropped.backup, dropped.why.as_str()),
        (&imported, "it was imported, and nobody asks to keep it any more")
    );
    assert_eq!(clinic.backups().await, [second]);
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test]
async fn packs_that_the_next_backup_may_build_on_stay_beside_a_younger_import() {
    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.source.insert("pacientes", (50..90).map(|id| patient(id, id % 2, "Nova")));
    // A backup whose manifest can't be written leaves its packs to the next one.
    let vault = FailingVault::new(Arc::new(clinic.vault.clone()), 3, Fault::Outage);
    let world = clinic.world_with(Arc::new(vault));
    backup::run(&world, &clinic.source, &request()).await.unwrap_err();
    clinic.outlast_locks();
    import(&clinic).await;
    clinic.clock.advance(SignedDuration::from_hours(24 * 90));
    assert_eq!(clean(&clinic).await.removed.objects, 0);
    assert_eq!(clinic.backup().await.totals.new_bytes, 0, "all was there");
}

#[tokio::test]
async fn a_test_of_it_would_prove_nothing() {
    let clinic = Clinic::new();
    let imported = import(&clinic).await.backup;
    let own = clinic.backup().await.backup;
    let (scratch, _) = scratch_for(&clinic);
    let named = restore_test::Request {
        backup: Some(imported.to_string()),
        ..restore_test::Request::default()
    };
    let refused = restore_test::run(&clinic.world(), None, &scratch, &named).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert!(refused.to_string().contains("was imported"), "{refused}");
    for _ in 0..4 {
        clinic.pass_a_minute();
        let request = restore_test::Request::default();
        let report = restore_test::run(&clinic.world(), None, &scratch, &request).await.unwrap();
        assert_eq!(report.restore.backup, own);
    }
}

#[tokio::test]
async fn a_month_s_report_counts_it_as_no_backup() {
    let clinic = Clinic::new();
    let own = clinic.backup().await.backup;
    import(&clinic).await;
    let month = "2026-11".parse().unwrap();
    let told =
        report::look(&clinic.vault, month, &TimeZone::UTC, clinic.clock.now()).await.unwrap();
    assert_eq!(told.backups.iter().map(|line| line.backup.clone()).collect::<Vec<_>>(), [own]);
    let imports = told.runs.iter().filter(|tally| tally.job == Job::Import);
    assert_eq!(imports.map(|tally| tally.succeeded).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_header_without_an_import_is_as_it_always_was() {
    let golden = include_bytes!("golden/v1/manifests/20261201T060100Z-9d271da9.manifest");
    let header = Header::read(golden).unwrap();
    assert_eq!(header.imported, None);
    assert!(!serde_json::to_string(&header).unwrap().contains("imported"));
}

#[tokio::test]
async fn whole_tables_of_one_tenant_are_not_put_in_everybody_s_place() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let imported = import(&clinic).await.backup;
    let wish = |tenant: Option<&str>, destination| Wish {
        backup: imported.to_string(),
        destination,
        tables: Vec::new(),
        tenant: tenant.map(str::to_owned),
        no_safety_backup: false,
        accept_orphans: false,
        dry_run: false,
    };
    let in_place = Destination::InPlace { stage_only: false };
    let staged = Destination::InPlace { stage_only: true };
    for (tenant, destination) in [(None, &in_place), (None, &staged), (Some("2"), &in_place)] {
        let refused = begin(&clinic, wish(tenant, destination.clone())).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Refused);
        let reason = refused.to_string();
        assert!(reason.contains("holds rows of tenant 1 alone"), "{reason}");
        assert!(reason.contains("--tenant 1"), "{reason}");
    }
    let begun = begin(&clinic, wish(Some("1"), in_place)).await.unwrap();
    assert_eq!(begun.backup.unwrap(), imported);
    let elsewhere = Destination::Database { database: "copia".to_owned(), on_scratch: false };
    let begun = begin(&clinic, wish(None, elsewhere)).await.unwrap();
    assert_eq!(begun.backup.unwrap(), imported);
}

async fn begin(clinic: &Clinic, wish: Wish) -> Result<RestoreRecord, Error> {
    clinic.pass_a_minute();
    let (world, server) = (clinic.world(), NamedServer(clinic.source.identity()));
    let servers = Servers { primary: &server, scratch: None };
    let rules = Rules { tenant_column: Some("clinica_id".to_owned()), ..Rules::default() };
    let asked = restores::request(&world, wish, None).await?;
    let begun = staged::begin(&world, servers, &rules, &asked.restore).await;
    // The next one is not to meet this one at work.
    restores::not_begun(&world, &asked.restore, "a test").await?;
    begun
}

/// A server of which no more is asked than which database it is.
struct NamedServer(SourceIdentity);

#[async_trait]
impl Server for NamedServer {
    fn live(&self) -> SourceIdentity {
        self.0.clone()
    }

    fn database(&self, _: &str) -> Arc<dyn Target> {
        unreachable!("nothing is restored")
    }

    async fn session(&self, _: &str) -> Result<Box<dyn Session>, TargetError> {
        unreachable!("nothing is restored")
    }

    async fn sole_session(&self, _: &str) -> Result<Box<dyn Session>, TargetError> {
        unreachable!("nothing is restored")
    }

    async fn contents(&self, _: &str) -> Result<Contents, TargetError> {
        unreachable!("nothing is restored")
    }

    async fn references(&self, _: &str) -> Result<Vec<Reference>, TargetError> {
        unreachable!("nothing is restored")
    }

    async fn allowed(&self, _: &str) -> Result<Allowed, TargetError> {
        unreachable!("nothing is restored")
    }

    async fn room(&self, _: &str) -> Result<Room, TargetError> {
        unreachable!("nothing is restored")
    }
}
