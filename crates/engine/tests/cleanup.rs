//! Cleanup: what the rules let go is removed, what anything needs stays, whatever else is at work.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::support::{Clinic, noise, patient, request, text_of};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use gorgen_engine::{
    Error,
    jobs::{
        backup,
        cleanup::{self, Report, Request},
        custody::Custody,
        pins, restores, verify,
    },
    model::{ObjectName, RunId, prefix},
    ports::{Clock, Locks, ObjectInfo, Revision, Vault, VaultError},
    records::{
        lock::Lease,
        restore::{Destination, Wish},
        run::{Job, Outcome},
    },
    testing::{FailingVault, Fault, MemoryVault},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Rules by which all but the two newest days go.
const TWO_DAYS: &str = "daily=2,weekly=0,monthly=0,yearly=0,last=0,within=0";

fn custody(clinic: &Clinic, rules: &str) -> Custody {
    Custody {
        locks: Arc::new(clinic.vault.clone()),
        rules: rules.parse().unwrap(),
        zone: TimeZone::UTC,
    }
}

async fn clean(clinic: &Clinic, rules: &str, request: &Request) -> Result<Report, Error> {
    clinic.pass_a_minute();
    cleanup::run(&clinic.world(), &custody(clinic, rules), &clinic.vault, request).await
}

fn a_day_passes(clinic: &Clinic) {
    clinic.clock.advance(SignedDuration::from_hours(24));
}

/// A backup a day, each with rows of its own that make a pack.
async fn days(clinic: &Clinic, count: u32) -> Vec<RunId> {
    let mut made = Vec::new();
    for day in 0..count {
        a_day_passes(clinic);
        grow(clinic, day);
        made.push(clinic.backup().await.backup);
    }
    made
}

fn grow(clinic: &Clinic, day: u32) {
    let text = format!("{:?}", noise(u64::from(day), 400));
    clinic.source.insert("pacientes", [patient(100 + day, 1, &text)]);
}

/// A clinic whose vault locks objects.
fn with_locks() -> Clinic {
    let clinic = Clinic::new();
    Clinic { vault: MemoryVault::with_locks(clinic.clock.clone()), ..clinic }
}

#[tokio::test]
async fn what_no_rule_keeps_goes_with_all_that_it_alone_needed() {
    let clinic = Clinic::new();
    let made = days(&clinic, 5).await;
    let before = clinic.objects(prefix::PACKS).len();
    let dry = Request { dry_run: true, ..Request::default() };
    let plan = clean(&clinic, TWO_DAYS, &dry).await.unwrap();
    assert_eq!(clinic.backups().await, made, "a plan changes nothing");
    assert_eq!(clinic.records().iter().filter(|run| run.job == Job::Cleanup).count(), 0);

    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    let dropped: Vec<_> = report.dropped.iter().map(|one| one.backup.clone()).collect();
    assert_eq!(dropped, made[..3]);
    assert_eq!(report.dropped, plan.dropped, "as it was planned");
    assert_eq!((report.kept.clone(), report.removed), (plan.kept, plan.removed));
    assert!(report.removed.objects > 0 && report.removed.bytes > 0);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(clinic.backups().await, made[3..]);
    assert_eq!(clinic.objects(prefix::PACKS).len() as u64, before as u64 - report.removed.objects);
    assert_eq!(clinic.verify().await.problems, []);
    assert!(clinic.restored(&made[4]).await == crate::support::content(&clinic.source));
    let record = clinic.records().into_iter().find(|run| run.job == Job::Cleanup).unwrap();
    assert_eq!(record.outcome, Outcome::Succeeded);
    let kept: Report = serde_json::from_value(record.summary.unwrap()).unwrap();
    assert_eq!(kept, report);
}

#[tokio::test]
async fn young_packs_that_nothing_names_are_left_alone() {
    let clinic = Clinic::new();
    days(&clinic, 1).await;
    // A run that was cut off, and one after it that needs nothing of it.
    let grown = clinic.source.rows("pacientes");
    grow(&clinic, 50);
    let vault = FailingVault::new(Arc::new(clinic.vault.clone()), 3, Fault::Outage);
    backup::run(&clinic.world_with(Arc::new(vault)), &clinic.source, &request()).await.unwrap_err();
    let orphans = clinic.objects(prefix::PACKS).len();
    assert_eq!(orphans, 2, "the test needs a pack that nothing names");
    clinic.source.change("pacientes", |rows| *rows = grown);
    clinic.outlast_locks();
    clinic.backup().await;

    assert_eq!(clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap().removed.objects, 0);
    assert_eq!(clinic.objects(prefix::PACKS).len(), 2);
    clinic.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap().removed.objects, 1);
    assert_eq!(clinic.objects(prefix::PACKS).len(), 1);
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test]
async fn packs_that_the_next_backup_may_build_on_stay_however_old_they_are() {
    let clinic = Clinic::new();
    days(&clinic, 1).await;
    grow(&clinic, 50);
    let vault = FailingVault::new(Arc::new(clinic.vault.clone()), 3, Fault::Outage);
    backup::run(&clinic.world_with(Arc::new(vault)), &clinic.source, &request()).await.unwrap_err();
    clinic.clock.advance(SignedDuration::from_hours(24 * 90));
    assert_eq!(clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap().removed.objects, 0);
    let next = clinic.backup().await;
    assert_eq!(next.totals.new_bytes, 0, "all was there");
}

#[tokio::test]
async fn more_than_a_few_go_only_when_that_number_was_said() {
    let clinic = Clinic::new();
    let made = days(&clinic, 14).await;
    let refused = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "12 of 14 backups would be dropped, more than one cleanup drops by itself"
    );
    assert_eq!(
        refused.hint().unwrap(),
        "read `gorgen-backup cleanup --dry-run`; if all of these may go: gorgen-backup cleanup --confirm 12"
    );
    assert_eq!(refused.kind(), gorgen_engine::jobs::Kind::Refused);
    let too_few = Request { confirmed: Some(11), ..Request::default() };
    let refused = clean(&clinic, TWO_DAYS, &too_few).await.unwrap_err();
    assert_eq!(refused.to_string(), "12 of 14 backups would be dropped, and 11 were confirmed");
    assert_eq!(clinic.backups().await, made);
    let said = Request { confirmed: Some(12), ..Request::default() };
    assert_eq!(clean(&clinic, TWO_DAYS, &said).await.unwrap().dropped.len(), 12);
}

#[tokio::test]
async fn what_is_pinned_or_being_restored_stays() {
    let clinic = Clinic::new();
    let made = days(&clinic, 6).await;
    let world = clinic.world();
    pins::set(&world, made[0].as_str(), true, Some("processo 7".to_owned())).await.unwrap();
    pins::set(&world, made[1].as_str(), true, None).await.unwrap();
    pins::set(&world, made[1].as_str(), false, None).await.unwrap();
    let wish = Wish {
        backup: made[2].to_string(),
        destination: Destination::Database { database: "copia".to_owned(), on_scratch: false },
        tables: Vec::new(),
        tenant: None,
        no_safety_backup: false,
        accept_orphans: false,
        dry_run: false,
    };
    let restore = restores::request(&world, wish, None).await.unwrap().restore;
    restores::update(&world, &restore, |record| {
        record.backup = Some(made[2].clone());
        Ok(())
    })
    .await
    .unwrap();
    clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    let left = [&made[0], &made[2], &made[4], &made[5]];
    assert!(clinic.backups().await.iter().eq(left));

    let unknown = pins::set(&world, "20200101T000000Z-00000000", true, None).await.unwrap_err();
    assert!(matches!(unknown, Error::NoSuchBackup { .. }));
    // A pin that can't be read is one.
    clinic.vault.corrupt(&ObjectName::pin(&made[0]), |bytes| bytes.truncate(9));
    restores::not_begun(&world, &restore, "no").await.unwrap();
    clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert!(clinic.backups().await.iter().eq([&made[0], &made[4], &made[5]]));
}

#[tokio::test]
async fn damage_that_verify_found_does_not_count_as_a_backup() {
    let clinic = Clinic::new();
    let made = days(&clinic, 4).await;
    let newest = clinic.manifest(&made[3]).await;
    let only_there = newest.packs.iter().max().unwrap();
    clinic.vault.corrupt(&ObjectName::pack(&only_there.0), |bytes| bytes[40] ^= 1);
    assert!(!clinic.verify().await.problems.is_empty());
    // To look whether all is there says nothing of what is in it.
    let listing = verify::run(&clinic.world(), &verify::Request::default()).await.unwrap();
    assert_eq!(listing.problems, []);
    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    let kept: Vec<_> =
        report.kept.iter().map(|one| (one.backup.clone(), one.why.join(", "))).collect();
    let day = |place: usize| made[place].started().unwrap().strftime("%Y-%m-%d").to_string();
    assert_eq!(
        kept,
        [
            (made[1].clone(), format!("first of {}", day(1))),
            (made[2].clone(), format!("first of {}, the newest, the newest good one", day(2))),
            (made[3].clone(), format!("first of {}, the newest", day(3))),
        ]
    );
}

#[tokio::test]
async fn while_a_backup_can_not_be_opened_nothing_goes_that_it_may_need() {
    let clinic = Clinic::new();
    let made = days(&clinic, 5).await;
    clinic.vault.corrupt(&ObjectName::manifest(&made[4]), |bytes| *bytes.last_mut().unwrap() ^= 1);
    let packs = clinic.objects(prefix::PACKS);
    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert_eq!(report.dropped.len(), 3);
    assert_eq!(
        report.problems,
        [format!("backup {} can't be opened: no pack that it may need is removed", made[4])]
    );
    assert_eq!(clinic.objects(prefix::PACKS), packs);
}

#[tokio::test]
async fn keys_go_with_the_last_of_what_they_sealed() {
    let clinic = Clinic::new();
    let rules = "daily=1,weekly=0,monthly=0,yearly=0,last=0,within=0";
    days(&clinic, 1).await;
    let first_keys = clinic.objects(prefix::KEYS);
    clinic.clock.advance(SignedDuration::from_hours(24 * 40));
    // Everything is new, so that nothing of the first month is needed.
    clinic
        .source
        .change("pacientes", |rows| *rows = vec![patient(1, 1, "outra"), patient(2, 0, "outro")]);
    clinic.source.change("cid", Vec::clear);
    let second = clinic.backup().await.backup;
    a_day_passes(&clinic);
    let report = clean(&clinic, rules, &Request::default()).await.unwrap();
    assert_eq!(clinic.backups().await, [second]);
    assert_eq!(clinic.objects(prefix::PACKS).len(), 1);
    let left = clinic.objects(prefix::KEYS);
    let gone: Vec<_> = first_keys.iter().filter(|key| !left.contains(key)).collect();
    assert!(gone.len() >= 3, "{gone:?}");
    assert!(gone.iter().all(|key| !key.as_str().contains("naming")), "{gone:?}");
    assert_eq!(report.removed.objects, 1 + gone.len() as u64);
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test]
async fn a_lease_of_the_dead_is_given_back_and_their_death_recorded() {
    let clinic = Clinic::new();
    days(&clinic, 1).await;
    let dead = RunId::new(clinic.clock.now(), [9; 4]);
    let until = clinic.clock.now() + SignedDuration::from_mins(2);
    let (_, revision) = clinic.vault.read(&ObjectName::lock()).await.unwrap().unwrap();
    let lease = Lease::held(dead.clone(), Job::Backup, until).write().unwrap();
    clinic.vault.swap(&ObjectName::lock(), Some(&revision), lease).await.unwrap();

    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert_eq!(report.lease_of_the_dead, None, "it may be alive");
    clinic.pass_a_minute();
    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert_eq!(report.lease_of_the_dead, Some(dead.clone()));
    let death = clinic.records().into_iter().find(|run| run.run == dead).unwrap();
    assert_eq!(death.outcome, Outcome::Died);
    let again = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert_eq!(again.lease_of_the_dead, None);
}

#[tokio::test]
async fn a_backup_is_locked_for_its_class_and_what_it_shares_only_where_that_is_too_short() {
    let clinic = with_locks();
    let rules = "daily=8,weekly=0,monthly=0,yearly=2,last=0,within=0";
    let custody = custody(&clinic, rules);
    let back_up = async || {
        a_day_passes(&clinic);
        let request = backup::Request { custody: Some(custody.clone()), ..request() };
        backup::run(&clinic.world(), &clinic.source, &request).await.unwrap()
    };
    let first = back_up().await;
    let in_days = |until: Option<Timestamp>| {
        until.map(|until| until.duration_since(clinic.clock.now()).as_hours() / 24)
    };
    assert_eq!(
        in_days(first.locked_until),
        Some(731),
        "the first of a year, one of which is a leap year"
    );
    let pack = &clinic.objects(prefix::PACKS)[0];
    let lock = async || in_days(clinic.vault.locked_until(pack).await.unwrap());
    assert_eq!(lock().await, Some(821), "with room");
    let calls = clinic.vault.lock_calls();
    assert_eq!(calls, 2, "the pack and the manifest");
    for _ in 0..5 {
        let next = back_up().await;
        assert_eq!(in_days(next.locked_until), Some(8));
    }
    assert_eq!(clinic.vault.lock_calls(), calls + 5, "each manifest, and no pack again");

    grow(&clinic, 1);
    back_up().await;
    let fresh = &clinic.objects(prefix::PACKS)[1];
    let lock = async || in_days(clinic.vault.locked_until(fresh).await.unwrap());
    assert_eq!(lock().await, Some(10));
    back_up().await;
    back_up().await;
    assert_eq!(lock().await, Some(8), "long enough, and so not touched");
    back_up().await;
    assert_eq!(lock().await, Some(10), "made longer when it had become too short");
}

#[tokio::test]
async fn what_is_locked_stays_and_is_expected_to() {
    let clinic = with_locks();
    let rules = "daily=4,weekly=0,monthly=0,yearly=0,last=0,within=0";
    let custody = custody(&clinic, rules);
    let mut made = Vec::new();
    for day in 0..4 {
        a_day_passes(&clinic);
        grow(&clinic, day);
        let request = backup::Request { custody: Some(custody.clone()), ..request() };
        made.push(backup::run(&clinic.world(), &clinic.source, &request).await.unwrap().backup);
    }
    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert!(report.dropped.is_empty() && report.problems.is_empty());
    assert!(report.kept[0].why[0].starts_with("locked until 2026-11-28T"), "{:?}", report.kept[0]);
    assert!(report.locks_extended > 0, "the keys");

    clinic.clock.advance(SignedDuration::from_hours(60));
    let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert_eq!(report.dropped.len(), 2);
    assert!(report.still_locked.objects > 0, "packs are locked a little longer");
    let (packs, unlock) = (clinic.objects(prefix::PACKS).len(), report.next_unlock.unwrap());
    clinic.clock.set(unlock);
    let later = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
    assert!(later.removed.objects > 0 && later.problems.is_empty());
    assert!(clinic.objects(prefix::PACKS).len() < packs);
    assert_eq!(clinic.verify().await.problems, []);
}

#[tokio::test]
async fn a_schedule_that_is_delivered_twice_cleans_up_once() {
    let clinic = Clinic::new();
    days(&clinic, 3).await;
    let request = Request { scheduled: Some(clinic.clock.now()), ..Request::default() };
    let first = clean(&clinic, TWO_DAYS, &request).await.unwrap();
    let again = clean(&clinic, TWO_DAYS, &request).await.unwrap();
    assert!(!first.already_done && again.already_done);
    assert_eq!(again.dropped, first.dropped);
    let late = Request { deadline: Some(Timestamp::MIN), ..Request::default() };
    let error = clean(&clinic, TWO_DAYS, &late).await.unwrap_err();
    assert!(text_of(&error).starts_with("the time limit is reached"), "{error}");
}

type Between = dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync;

/// A vault before whose calls something else happens.
#[derive(Clone)]
struct Interleaved {
    inner: MemoryVault,
    calls: Arc<AtomicU64>,
    between: Arc<Between>,
}

impl Interleaved {
    /// Before call number `nth`, counted from 1, `happen` happens, whole.
    fn new<F: Future<Output = ()> + Send + 'static>(
        inner: &MemoryVault,
        nth: u64,
        happen: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        let between = move |call: u64| -> BoxFuture<'static, ()> {
            if call == nth { Box::pin(happen()) } else { Box::pin(async {}) }
        };
        Self { inner: inner.clone(), calls: Arc::default(), between: Arc::new(between) }
    }

    async fn call(&self) {
        (self.between)(self.calls.fetch_add(1, SeqCst) + 1).await;
    }
}

#[async_trait]
impl Vault for Interleaved {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        self.call().await;
        self.inner.put(name, content).await
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        self.call().await;
        self.inner.get(name).await
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        self.call().await;
        self.inner.get_range(name, range).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        self.call().await;
        self.inner.list(prefix).await
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        self.call().await;
        self.inner.read(name).await
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        self.call().await;
        self.inner.swap(name, expected, content).await
    }
}

/// A vault that has everything for a cleanup to do, and whose next backup builds on what a run left that was cut off.
async fn crossing() -> Clinic {
    let clinic = Clinic::new();
    days(&clinic, 5).await;
    grow(&clinic, 50);
    let vault = FailingVault::new(Arc::new(clinic.vault.clone()), 3, Fault::Outage);
    backup::run(&clinic.world_with(Arc::new(vault)), &clinic.source, &request()).await.unwrap_err();
    clinic.clock.advance(SignedDuration::from_hours(72));
    // Some rows are again as they were in a backup that is about to go.
    clinic.source.change("pacientes", |rows| _ = rows.remove(4));
    clinic
}

async fn all_is_well(clinic: &Clinic) {
    assert_eq!(clinic.verify().await.problems, []);
    let newest = clinic.backups().await.pop().unwrap();
    assert!(clinic.restored(&newest).await == crate::support::content(&clinic.source));
}

/// A cleanup at every moment of a backup.
#[tokio::test]
async fn a_cleanup_in_the_midst_of_a_backup_takes_nothing_from_it() {
    let mut nth = 1;
    loop {
        let clinic = crossing().await;
        let other = clinic.clone();
        let vault = Interleaved::new(&clinic.vault, nth, move || {
            let clinic = other.clone();
            async move {
                let report = clean(&clinic, TWO_DAYS, &Request::default()).await.unwrap();
                assert!(report.dropped.len() >= 3, "the test needs something to drop");
                assert!(report.removed.objects > 0, "and to remove");
            }
        });
        let world = clinic.world_with(Arc::new(vault.clone()));
        backup::run(&world, &clinic.source, &request()).await.unwrap();
        all_is_well(&clinic).await;
        if vault.calls.load(SeqCst) < nth {
            break;
        }
        nth += 1;
    }
    assert!(nth > 20, "{nth} calls");
}

/// A backup at every moment of a cleanup, also between what it plans and what it does.
#[tokio::test]
async fn a_backup_in_the_midst_of_a_cleanup_is_whole() {
    let mut nth = 1;
    loop {
        let clinic = crossing().await;
        let other = clinic.clone();
        let vault = Interleaved::new(&clinic.vault, nth, move || {
            let clinic = other.clone();
            async move { drop(clinic.backup().await) }
        });
        let world = clinic.world_with(Arc::new(vault.clone()));
        let custody = custody(&clinic, TWO_DAYS);
        cleanup::run(&world, &custody, &clinic.vault, &Request::default()).await.unwrap();
        if vault.calls.load(SeqCst) < nth {
            break;
        }
        all_is_well(&clinic).await;
        nth += 1;
    }
    assert!(nth > 20, "{nth} calls");
}

/// A pin, at every moment of a cleanup, either came in time or too late; there is no half of a backup.
#[tokio::test]
async fn what_is_pinned_in_the_midst_of_a_cleanup_is_whole_or_gone() {
    let (mut nth, mut saved) = (1, 0);
    loop {
        let clinic = crossing().await;
        // Not the first one, whose pack holds what others need as well.
        let second = clinic.backups().await.remove(1);
        let (other, pinned) = (clinic.clone(), second.clone());
        let vault = Interleaved::new(&clinic.vault, nth, move || {
            let (clinic, second) = (other.clone(), pinned.clone());
            async move { drop(pins::set(&clinic.world(), second.as_str(), true, None).await) }
        });
        let world = clinic.world_with(Arc::new(vault.clone()));
        let custody = custody(&clinic, TWO_DAYS);
        cleanup::run(&world, &custody, &clinic.vault, &Request::default()).await.unwrap();
        saved += u64::from(clinic.backups().await.contains(&second));
        assert_eq!(clinic.verify().await.problems, []);
        if vault.calls.load(SeqCst) < nth {
            break;
        }
        nth += 1;
    }
    assert!(saved > 5, "{saved} of {nth} came in time");
}
