//! Only one run at a time writes backups, and one that lost its lock writes nothing that counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{Clinic, LEASE, Moment, WaitingVault, content, request};
use futures::future::join_all;
use gorgen_engine::{
    Error, Kind,
    jobs::backup,
    model::{ObjectName, prefix},
    ports::Vault,
    records::{lock::Lease, run::Outcome},
};
use jiff::SignedDuration;
use tokio::{sync::Barrier, task::JoinHandle, time::sleep};

/// Runs that race for the lock.
const RACERS: usize = 16;

type Running = JoinHandle<Result<backup::Report, Error>>;

/// Starts a backup of the clinic by way of this vault.
fn start(clinic: &Clinic, vault: impl Vault + 'static) -> Running {
    let (world, source) = (clinic.world_with(Arc::new(vault)), clinic.source.clone());
    tokio::spawn(async move { backup::run(&world, &source, &request()).await })
}

fn is_pack(moment: Moment, name: &ObjectName) -> bool {
    matches!(moment, Moment::Write(_)) && name.as_str().starts_with(prefix::PACKS)
}

fn lease(clinic: &Clinic) -> Lease {
    Lease::read(&clinic.vault.objects()[&ObjectName::lock()]).expect("a lease")
}

#[tokio::test]
async fn of_two_backups_at_once_one_is_refused() {
    let clinic = Clinic::new();
    let (vault, stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let first = start(&clinic, vault);
    stop.reached().await;
    let held = lease(&clinic);

    let error = clinic.try_backup().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        format!("the vault is locked by run {} until 2026-11-23T06:10:00Z", held.run)
    );
    assert_eq!(
        error.hint().unwrap(),
        "wait for that run to end; if it died, its lock is free for the taking at 2026-11-23T06:10:00Z"
    );
    assert_eq!(lease(&clinic), held, "the lock is as it was");
    assert!(clinic.records().is_empty(), "what did not run leaves no record");

    stop.resume();
    let report = first.await.unwrap().unwrap();
    assert_eq!(report.backup, held.run);
    assert!(lease(&clinic).released);
    clinic.backup().await;
}

#[tokio::test]
async fn a_lock_is_given_back_also_after_a_failure() {
    let clinic = Clinic::new();
    clinic.source.fail_read("pacientes", Some(1));
    clinic.try_backup().await.unwrap_err();
    assert!(lease(&clinic).released);
    clinic.source.fail_read("pacientes", None);
    clinic.backup().await;
    assert!(clinic.records().iter().all(|record| record.outcome != Outcome::Died));
}

#[tokio::test]
async fn a_lock_is_taken_over_when_its_lease_is_over_and_not_before() {
    let clinic = Clinic::new();
    let (vault, stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let dead = start(&clinic, vault);
    stop.reached().await;
    dead.abort();
    let held = lease(&clinic);

    clinic.clock.set(held.until - SignedDuration::from_secs(1));
    let early = backup::run(&clinic.world(), &clinic.source, &request()).await;
    assert!(matches!(early, Err(Error::Locked { .. })));
    clinic.clock.set(held.until);
    let report = backup::run(&clinic.world(), &clinic.source, &request()).await.unwrap();

    let records = clinic.records();
    let outcomes: Vec<_> = records.iter().map(|record| (&record.run, record.outcome)).collect();
    assert_eq!(outcomes, [(&held.run, Outcome::Died), (&report.run, Outcome::Succeeded)]);
    assert_eq!(records[0].started, held.run.started().unwrap());
    assert_eq!(records[0].ended, held.until);
}

/// A run that slept through its lease (a suspended machine, say) finds the lock taken when it wakes up.
#[tokio::test]
async fn a_run_that_lost_its_lock_writes_no_manifest() {
    let clinic = Clinic::new();
    let (vault, stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let slow = start(&clinic, vault);
    stop.reached().await;
    let lost = lease(&clinic).run;
    clinic.outlast_locks();
    let other = clinic.backup().await;
    let lock_of_other = lease(&clinic);
    stop.resume();

    let error = slow.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::LockLost), "{error}");
    assert_eq!(clinic.backups().await, std::slice::from_ref(&other.backup));
    assert_eq!(lease(&clinic), lock_of_other, "the lock of the other is left alone");
    let record = clinic.records().into_iter().find(|record| record.run == lost).unwrap();
    assert_eq!(record.outcome, Outcome::Died, "as the run that took over has said");
    assert_eq!(clinic.restored(&other.backup).await, content(&clinic.source));
    assert_eq!(clinic.verify().await.problems, []);
}

/// The same while the other run is still at work.
#[tokio::test]
async fn a_run_that_lost_its_lock_leaves_the_other_run_in_peace() {
    let clinic = Clinic::new();
    let (vault, first_stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let first = start(&clinic, vault);
    first_stop.reached().await;
    clinic.outlast_locks();
    let (vault, second_stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let second = start(&clinic, vault);
    second_stop.reached().await;

    first_stop.resume();
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "this run lost its lock on the vault; nothing it wrote counts");
    let third = clinic.try_backup().await.unwrap_err();
    assert!(matches!(third, Error::Locked { .. }), "{third}");
    second_stop.resume();
    let report = second.await.unwrap().unwrap();
    assert_eq!(clinic.backups().await, [report.backup]);
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_runs_at_once_exactly_one_gets_the_lock() {
    for has_expired_lock in [false, true] {
        let clinic = Clinic::new();
        if has_expired_lock {
            let (vault, stop) = WaitingVault::stopping(&clinic.vault, is_pack);
            let dead = start(&clinic, vault);
            stop.reached().await;
            dead.abort();
            clinic.outlast_locks();
        }
        let outcomes = race(&clinic).await;
        let refused = |outcome: &Result<_, Error>| matches!(outcome, Err(Error::Locked { .. }));
        assert_eq!(outcomes.iter().filter(|outcome| refused(outcome)).count(), RACERS - 1);
        let report = outcomes.into_iter().find_map(Result::ok).expect("a winner");
        assert_eq!(clinic.backups().await, [report.backup]);
        assert_eq!(clinic.verify().await.problems, []);
    }
}

/// Runs that all have looked at the lock before any of them tries to take it.
async fn race(clinic: &Clinic) -> Vec<Result<backup::Report, Error>> {
    let (barrier, looks) = (Arc::new(Barrier::new(RACERS)), AtomicUsize::new(0));
    let vault = WaitingVault::new(Arc::new(clinic.vault.clone()), move |moment, name| {
        let looks = moment == Moment::Read
            && *name == ObjectName::lock()
            && looks.fetch_add(1, SeqCst) < RACERS;
        let barrier = Arc::clone(&barrier);
        Box::pin(async move {
            if looks {
                barrier.wait().await;
            }
        })
    });
    let runs = join_all((0..RACERS).map(|_| start(clinic, vault.clone()))).await;
    runs.into_iter().map(|run| run.expect("no panic")).collect()
}

/// (Time stands still, so a `sleep` ends once nothing else moves before it.)
#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_its_run_works() {
    let clinic = Clinic::new();
    let (vault, stop) = WaitingVault::stopping(&clinic.vault, is_pack);
    let run = start(&clinic, vault);
    stop.reached().await;
    let first = lease(&clinic);
    for _ in 0..3 {
        // Not at the very end of the lease: in time for a second try.
        clinic.clock.advance(SignedDuration::try_from(LEASE / 2).unwrap());
        sleep(LEASE / 2).await;
        let renewed = lease(&clinic);
        assert_eq!(renewed.run, first.run);
        assert!(renewed.until > clinic.world().clock.now(), "held until {}", renewed.until);
        assert!(matches!(clinic.try_backup().await, Err(Error::Locked { .. })));
    }
    stop.resume();
    run.await.unwrap().unwrap();
}

/// The answer to a renewal is still on its way when the run ends.
#[tokio::test(start_paused = true)]
async fn a_backup_that_ends_in_the_middle_of_a_renewal_succeeds() {
    let clinic = Clinic::new();
    let (packs, pack_stop) = WaitingVault::stopping(&clinic.vault, |moment, name| {
        matches!(moment, Moment::Written(_)) && name.as_str().starts_with(prefix::RUNS)
    });
    // A renewal takes effect, but its answer takes a second.
    let renewals = AtomicUsize::new(0);
    let vault = WaitingVault::new(Arc::new(packs), move |moment, name| {
        let is_late = matches!(moment, Moment::Written(_))
            && *name == ObjectName::lock()
            && renewals.fetch_add(1, SeqCst) == 2;
        Box::pin(async move {
            if is_late {
                sleep(Duration::from_secs(1)).await;
            }
        })
    });
    let run = start(&clinic, vault);
    pack_stop.reached().await;
    sleep(LEASE / 3 + Duration::from_millis(500)).await;
    pack_stop.resume();
    run.await.unwrap().expect("the manifest is written, and the lock ours to give back");
    assert!(lease(&clinic).released);
}
