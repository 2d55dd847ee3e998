//! Restore tests: what is chosen, what they prove, what makes them fail, and that nothing stays on the scratch server.

use std::sync::Arc;

use gorgen_engine::{
    Error, Kind,
    jobs::{
        World,
        restore_test::{self, Report, Request},
        verify::Replica,
    },
    model::{ObjectName, Place, RunId, VaultId},
    policy::{
        rotation::{Pick, Turn},
        scratch,
    },
    ports::{Target, TargetState, Vault},
    records::{
        identity::VaultIdentity,
        run::{Job, Outcome},
    },
    testing::{
        FailingVault, FakeScratch, FakeTarget, Fault, MemoryKeyring, MemoryVault, RowFault,
        SeededEntropy,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::support::{
    Clinic,
    tested::{PREFIX, clinic, scratch_for},
};

async fn test(clinic: &Clinic, asked: &Request) -> Result<Report, Error> {
    test_with(clinic, None, asked).await
}

async fn test_with(
    clinic: &Clinic,
    replica: Option<&Replica>,
    asked: &Request,
) -> Result<Report, Error> {
    clinic.pass_a_minute();
    let (scratch, _) = scratch_for(clinic);
    let tested = restore_test::run(&clinic.world(), replica, &scratch, asked).await;
    assert_eq!(scratch.names().await, Vec::<String>::new());
    tested
}

/// The clinic's replica: a copy of all that its vault holds now, and the same keys.
async fn replica_of(clinic: &Clinic) -> (MemoryVault, Replica) {
    let vault = MemoryVault::new();
    for (name, bytes) in clinic.vault.objects() {
        vault.put(&name, bytes).await.unwrap();
    }
    let replica =
        Replica { vault: Arc::new(vault.clone()), keyring: Arc::new(clinic.keyring.clone()) };
    (vault, replica)
}

#[tokio::test]
async fn it_proves_a_backup_and_keeps_the_evidence() {
    let clinic = clinic();
    let backup = clinic.backup().await;
    clinic.clock.advance(SignedDuration::from_hours(2));
    let report = test(&clinic, &Request::default()).await.unwrap();
    assert_eq!(report.restore.backup, backup.backup);
    assert_eq!(report.restore.rows, backup.totals.rows);
    assert_eq!((report.foreign_keys, report.objects, report.views), (1, 3, 1));
    assert_eq!(report.backup_age_seconds, 2 * 3600 + 60);
    assert_eq!(report.scratch.as_ref().unwrap().version, "10.11.19-MariaDB");
    assert_eq!(
        report.why,
        "it was the turn of the newest backup from the vault; no replica is set, so none is tested"
    );
    let phases: Vec<_> = report.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(
        phases,
        [
            "open the backup",
            "create tables",
            "load rows",
            "build keys",
            "verify",
            "create views, triggers and routines",
            "follow foreign keys",
            "compare definitions and try views",
            "drop the scratch database",
        ]
    );
    let record = clinic.records().pop().unwrap();
    assert_eq!((record.job, record.outcome), (Job::RestoreTest, Outcome::Succeeded));
    let kept: Report = serde_json::from_value(record.summary.unwrap()).unwrap();
    assert_eq!(kept, report);
}

#[tokio::test]
async fn a_test_that_is_delivered_twice_is_done_once() {
    let clinic = clinic();
    clinic.backup().await;
    let now = clinic.world().clock.now();
    let sunday = Request { scheduled: Some(now), ..Request::default() };
    let first = test(&clinic, &sunday).await.unwrap();
    let again = test(&clinic, &sunday).await.unwrap();
    assert_eq!(again, Report { already_done: true, ..first });
    assert_eq!(clinic.records().len(), 2, "a backup and one test");
}

/// What a test comes to when its scratch database is like this. It leaves none, and a record of its failure.
async fn failure(spoil: impl FnOnce(&FakeTarget)) -> Error {
    let clinic = clinic();
    let backup = clinic.backup().await;
    clinic.pass_a_minute();
    let (scratch, target) = scratch_for(&clinic);
    spoil(&target);
    let tested = restore_test::run(&clinic.world(), None, &scratch, &Request::default()).await;
    let error = tested.map(|report| report.phases).expect_err("a failure");
    assert_eq!(scratch.names().await, Vec::<String>::new());
    let record = clinic.records().pop().unwrap();
    assert_eq!((record.job, record.outcome), (Job::RestoreTest, Outcome::Failed));
    let summary = record.summary.unwrap();
    assert_eq!(summary["backup"], backup.backup.to_string(), "what was tried is told");
    assert_eq!(summary["turn"]["place"], "vault");
    error
}

#[track_caller]
fn assert_unequal(error: &Error, expected: &str) {
    assert_eq!(error.kind(), Kind::Integrity, "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn it_fails_when_one_cell_of_one_row_differs() {
    let error = failure(|scratch| scratch.spoil_row("pacientes", RowFault::Altered)).await;
    assert_unequal(&error, "table pacientes: all 4 rows are there, but not all");
}

#[tokio::test]
async fn it_fails_when_a_row_is_missing() {
    let error = failure(|scratch| scratch.spoil_row("cid", RowFault::Lost)).await;
    assert_unequal(&error, "table cid: 3 rows were backed up, 2 are there");
}

#[tokio::test]
async fn it_fails_when_a_foreign_key_dangles() {
    let error = failure(|scratch| scratch.set_orphans("pacientes", 2)).await;
    let expected = "2 rows of table pacientes point at no row of cid (foreign key paciente_cid)";
    assert_unequal(&error, expected);
}

#[tokio::test]
async fn it_fails_when_an_object_is_not_there() {
    for (name, expected) in [
        ("dobro", "function dobro is not there"),
        ("agenda", "view agenda is not there"),
        ("limpeza", "event limpeza is not there"),
    ] {
        assert_unequal(&failure(|scratch| scratch.forget(name)).await, expected);
    }
}

#[tokio::test]
async fn it_fails_when_a_view_is_refused_or_cannot_be_used() {
    let error = failure(|scratch| scratch.fail_statement("VIEW `agenda`")).await;
    assert_unequal(&error, "view agenda is not there");
    let error = failure(|scratch| scratch.break_view("agenda", "no such column")).await;
    assert_unequal(&error, "view agenda can't be used: no such column");
}

#[tokio::test]
async fn it_fails_when_a_routine_does_not_compile() {
    let error = failure(|scratch| scratch.fail_statement("FUNCTION `dobro`")).await;
    assert!(error.to_string().contains("create function dobro"), "{error}");
}

#[tokio::test]
async fn it_fails_when_the_scratch_server_is_out_of_reach() {
    let error = failure(|scratch| scratch.break_at_statement("pacientes")).await;
    assert!(error.to_string().contains(PREFIX), "{error}");
}

#[tokio::test]
async fn a_test_of_nothing_fails() {
    let clinic = Clinic::empty();
    clinic.backup().await;
    let error = test(&clinic, &Request::default()).await.unwrap_err();
    assert!(error.to_string().contains("holds no table"), "{error}");
    clinic.source.define(crate::support::patients());
    clinic.backup().await;
    let error = test(&clinic, &Request::default()).await.unwrap_err();
    assert!(error.to_string().contains("holds no row"), "{error}");
    assert!(
        clinic
            .records()
            .iter()
            .filter(|r| r.job == Job::RestoreTest)
            .all(|r| r.outcome == Outcome::Failed)
    );
}

#[tokio::test]
async fn a_test_out_of_time_leaves_no_scratch() {
    let clinic = clinic();
    clinic.backup().await;
    let late = Request { deadline: Some(Timestamp::MIN), ..Request::default() };
    let error = test(&clinic, &late).await.unwrap_err();
    assert!(matches!(error, Error::Deadline), "{error}");
}

#[tokio::test]
async fn a_scratch_that_cannot_be_dropped_fails_the_test_and_goes_with_the_next() {
    let clinic = clinic();
    let backup = clinic.backup().await;
    clinic.pass_a_minute();
    let (scratch, target) = scratch_for(&clinic);
    target.fail_drop();
    let asked = Request::default();
    let error = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap_err();
    let left = scratch.names().await;
    assert_eq!(left.len(), 1);
    assert!(
        error.to_string().starts_with(&format!(
            "backup {} was restored and proved equal, but database {} could not be dropped",
            backup.backup, left[0]
        )),
        "{error}"
    );
    assert_eq!(clinic.records().pop().unwrap().outcome, Outcome::Failed);

    // While it can't be dropped no test passes.
    clinic.pass_a_minute();
    scratch.prepare(FakeTarget::like(PREFIX, &clinic.source));
    let error = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap_err();
    assert!(matches!(&error, Error::ScratchLeft { database, .. } if *database == left[0]));

    clinic.pass_a_minute();
    target.allow_drop();
    scratch.prepare(FakeTarget::like(PREFIX, &clinic.source));
    let report = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap();
    assert_eq!(report.swept, left);
    assert_eq!(scratch.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn only_databases_of_dead_tests_of_this_vault_are_swept() {
    let clinic = clinic();
    clinic.backup().await;
    let vault = identity(&clinic.vault).await.vault;
    let (scratch, _) = scratch_for(&clinic);
    clinic.clock.advance(SignedDuration::from_hours(24));
    let now = clinic.world().clock.now();
    let of = |vault: VaultId, hours: i64| {
        let run = RunId::new(now - SignedDuration::from_hours(hours), [1, 2, 3, 4]);
        scratch::name(PREFIX, vault, &run).unwrap()
    };
    let (dead, at_work) = (of(vault, 13), of(vault, 1));
    let of_others = of(VaultId::new([7; 16]), 13);
    for name in [&dead, &at_work, &of_others, "clinica", PREFIX, &format!("{dead}_copy")] {
        let target = FakeTarget::new(name);
        target.create_database("utf8mb4", "utf8mb4_bin").await.unwrap();
        scratch.put(name, target);
    }
    let asked = Request::default();
    let report = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap();
    assert_eq!(report.swept, std::slice::from_ref(&dead));
    let mut expected =
        vec![at_work, of_others, "clinica".to_owned(), PREFIX.to_owned(), format!("{dead}_copy")];
    expected.sort();
    assert_eq!(scratch.names().await, expected);
}

#[tokio::test]
async fn a_scratch_server_that_does_not_say_what_it_holds_fails_the_test() {
    let clinic = clinic();
    clinic.backup().await;
    clinic.pass_a_minute();
    let (scratch, target) = scratch_for(&clinic);
    scratch.refuse_to_list();
    let asked = Request::default();
    let error = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap_err();
    assert!(error.to_string().contains("list databases"), "{error}");
    assert_eq!(target.state().await.unwrap(), TargetState::Absent);
    assert_eq!(clinic.records().pop().unwrap().outcome, Outcome::Failed);
}

#[tokio::test]
async fn places_take_turns_and_a_failure_is_tried_again() {
    let clinic = clinic();
    for _ in 0..3 {
        clinic.backup().await;
    }
    let (_, replica) = replica_of(&clinic).await;
    let mut turns = Vec::new();
    for week in 0..5 {
        if week == 2 {
            // The vault's third turn fails once: its place is not lost.
            clinic.pass_a_minute();
            let (scratch, target) = scratch_for(&clinic);
            target.set_orphans("pacientes", 1);
            let asked = Request::default();
            restore_test::run(&clinic.world(), Some(&replica), &scratch, &asked).await.unwrap_err();
        }
        let report = test_with(&clinic, Some(&replica), &Request::default()).await.unwrap();
        turns.push(report.turn.unwrap());
    }
    let turn = |pick, place| Turn { pick, place };
    assert_eq!(
        turns,
        [
            turn(Pick::Latest, Place::Vault),
            turn(Pick::Latest, Place::Replica),
            turn(Pick::Random, Place::Vault),
            turn(Pick::Random, Place::Replica),
            turn(Pick::Latest, Place::Vault),
        ]
    );
}

#[tokio::test]
async fn the_replica_is_read_alone_and_the_record_is_in_the_vault() {
    let clinic = clinic();
    let backup = clinic.backup().await;
    let (copy, replica) = replica_of(&clinic).await;
    let before = copy.objects();
    // Whatever reads a row of the vault fails.
    for name in
        clinic.vault.objects().into_keys().filter(|name| name.as_str().starts_with("packs/"))
    {
        clinic.vault.lose(&name);
    }
    let asked = Request { place: Some(Place::Replica), ..Request::default() };
    let report = test_with(&clinic, Some(&replica), &asked).await.unwrap();
    assert_eq!(report.restore.backup, backup.backup);
    assert_eq!(report.turn, Some(Turn { pick: Pick::Latest, place: Place::Replica }));
    assert_eq!(copy.objects(), before, "nothing is written there");
    assert_eq!(clinic.records().pop().unwrap().run, report.run);
    let of_vault = Request { place: Some(Place::Vault), ..asked };
    let error = test_with(&clinic, Some(&replica), &of_vault).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity, "the vault has no rows");
}

#[tokio::test]
async fn a_replica_that_is_damaged_or_opens_with_other_keys_fails_the_test() {
    let clinic = clinic();
    clinic.backup().await;
    let (copy, replica) = replica_of(&clinic).await;
    let asked = Request { place: Some(Place::Replica), ..Request::default() };
    let foreign = Replica { keyring: Arc::new(MemoryKeyring::new("two", 2)), ..replica.clone() };
    test_with(&clinic, Some(&foreign), &asked).await.unwrap_err();
    for name in copy.objects().into_keys().filter(|name| name.as_str().starts_with("packs/")) {
        copy.lose(&name);
    }
    let error = test_with(&clinic, Some(&replica), &asked).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity, "{error}");
    let error = test_with(&clinic, None, &asked).await.unwrap_err();
    assert!(matches!(error, Error::NoReplica), "{error}");
}

#[tokio::test]
async fn a_replica_of_another_vault_is_refused() {
    let (clinic, other) = (clinic(), Clinic { entropy: SeededEntropy::new(8), ..clinic() });
    clinic.backup().await;
    other.backup().await;
    let (_, replica) = replica_of(&other).await;
    let asked = Request { place: Some(Place::Replica), ..Request::default() };
    let error = test_with(&clinic, Some(&replica), &asked).await.unwrap_err();
    assert!(matches!(error, Error::NotACopy { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Refused);
}

#[tokio::test]
async fn when_the_vault_is_lost_the_replica_is_proved_and_the_missing_record_is_told() {
    let clinic = clinic();
    let backup = clinic.backup().await;
    let (_, replica) = replica_of(&clinic).await;
    let unwritable = FailingVault::new(Arc::new(clinic.vault.clone()), 1, Fault::Outage);
    let lost: [Arc<dyn Vault>; 2] = [Arc::new(unwritable), Arc::new(MemoryVault::new())];
    for vault in lost {
        clinic.pass_a_minute();
        let world = World { vault: Arc::clone(&vault), ..clinic.world() };
        let (scratch, _) = scratch_for(&clinic);
        let asked = Request {
            backup: Some("latest".to_owned()),
            place: Some(Place::Replica),
            ..Request::default()
        };
        let error = restore_test::run(&world, Some(&replica), &scratch, &asked).await.unwrap_err();
        let expected = format!(
            "backup {} was restored and proved equal, but the record of it could not be written",
            backup.backup
        );
        assert!(error.to_string().starts_with(&expected), "{}", crate::support::text_of(&error));
        assert_eq!(scratch.names().await, Vec::<String>::new());
        assert!(vault.list("runs/").await.unwrap().len() < 2, "no record where there is no vault");
    }
}

#[tokio::test]
async fn a_backup_that_is_asked_for_is_tested_and_takes_the_turn_of_none() {
    let clinic = clinic();
    let first = clinic.backup().await;
    clinic.backup().await;
    let asked = Request { backup: Some(first.backup.to_string()), ..Request::default() };
    let report = test(&clinic, &asked).await.unwrap();
    assert_eq!(report.restore.backup, first.backup);
    assert_eq!(report.turn, Some(Turn { pick: Pick::Named, place: Place::Vault }));
    let next = test(&clinic, &Request::default()).await.unwrap();
    assert_eq!(next.turn.unwrap().pick, Pick::Latest);
    let unknown = Request { backup: Some("20200101T000000Z-00000000".to_owned()), ..asked };
    let error = test(&clinic, &unknown).await.unwrap_err();
    assert!(matches!(error, Error::NoSuchBackup { .. }), "{error}");
}

#[tokio::test]
async fn a_name_that_leaves_no_room_for_the_tests_own_is_refused() {
    let clinic = clinic();
    clinic.backup().await;
    clinic.pass_a_minute();
    let scratch = FakeScratch::new(&"x".repeat(26));
    let asked = Request::default();
    let error = restore_test::run(&clinic.world(), None, &scratch, &asked).await.unwrap_err();
    assert!(error.to_string().contains("may have 25 characters"), "{error}");
}

async fn identity(vault: &MemoryVault) -> VaultIdentity {
    VaultIdentity::read(&vault.get(&ObjectName::identity()).await.unwrap()).unwrap()
}
