//! Runs that a schedule starts, their limits in time, plans, and the month's report.

use crate::support::{Clinic, reading, request, restoring};
use gorgen_engine::{
    Error, Kind,
    jobs::{
        backup, plan,
        report::{self, Proof, Report},
        restore, restore_test, runs, verify,
    },
    model::{ObjectName, RunId},
    policy::month::Month,
    ports::{Target, TargetState},
    records::{
        report::ReportRecord,
        run::{Job, Outcome},
    },
    testing::{FakeScratch, FakeTarget},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn scheduled(text: &str) -> backup::Request {
    backup::Request { scheduled: Some(moment(text)), ..request() }
}

#[tokio::test]
async fn a_backup_that_is_delivered_twice_is_made_once() {
    let clinic = Clinic::new();
    let at_three = scheduled("2026-11-23T06:00:00Z");
    let first = backup::run(&clinic.world(), &clinic.source, &at_three).await.unwrap();
    assert!(!first.already_done);
    clinic.pass_a_minute();
    let again = backup::run(&clinic.world(), &clinic.source, &at_three).await.unwrap();
    assert_eq!(again, backup::Report { already_done: true, ..first.clone() });
    assert_eq!(clinic.backups().await.len(), 1);
    assert_eq!(clinic.records().len(), 1, "a run that did nothing leaves no record");
    assert_eq!(clinic.records()[0].scheduled, at_three.scheduled);

    let next_day = scheduled("2026-11-24T06:00:00Z");
    let next = backup::run(&clinic.world(), &clinic.source, &next_day).await.unwrap();
    assert!(!next.already_done);
    let by_hand = clinic.backup().await;
    assert!(!by_hand.already_done);
    assert_eq!(clinic.backups().await, [first.backup, next.backup, by_hand.backup]);
}

#[tokio::test]
async fn a_scheduled_backup_that_failed_is_made_by_the_retry() {
    let clinic = Clinic::new();
    let at_three = scheduled("2026-11-23T06:00:00Z");
    let late = backup::Request { deadline: Some(Timestamp::MIN), ..at_three.clone() };
    let failed = backup::run(&clinic.world(), &clinic.source, &late).await.unwrap_err();
    assert!(matches!(failed, Error::Deadline) && failed.is_retryable(), "{failed}");
    clinic.pass_a_minute();
    let retried = backup::run(&clinic.world(), &clinic.source, &at_three).await.unwrap();
    assert!(!retried.already_done);
    let outcomes: Vec<_> = clinic.records().iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Succeeded]);
    assert_eq!(clinic.restored(&retried.backup).await, crate::support::content(&clinic.source));
}

#[tokio::test]
async fn a_verification_for_one_moment_is_done_once() {
    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.pass_a_minute();
    let monday = verify::Request { scheduled: Some(moment("2026-11-23T09:00:00Z")), ..reading() };
    clinic.clock.advance(SignedDuration::from_hours(3));
    let first = verify::run(&clinic.world(), &monday).await.unwrap();
    let again = verify::run(&clinic.world(), &monday).await.unwrap();
    assert_eq!(again, verify::Report { already_done: true, ..first });
    // A backup for the same moment is another job.
    let backup = scheduled("2026-11-23T09:00:00Z");
    let backup = backup::run(&clinic.world(), &clinic.source, &backup).await.unwrap();
    assert!(!backup.already_done);
}

#[tokio::test]
async fn a_verification_without_time_left_is_no_verification() {
    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.pass_a_minute();
    let late = verify::Request { deadline: Some(Timestamp::MIN), ..reading() };
    let error = verify::run(&clinic.world(), &late).await.unwrap_err();
    assert!(matches!(error, Error::Deadline), "{error}");
    assert_eq!(clinic.records().last().unwrap().outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_plan_says_what_a_restore_would_do_and_changes_nothing() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await;
    let (world, before) = (clinic.world(), clinic.vault.objects());
    let target = FakeTarget::new("copia");
    let planned = plan::run(&world, &target, "latest", &restoring()).await.unwrap();
    assert_eq!((planned.backup, planned.snapshot), (backup.backup, backup.snapshot));
    assert_eq!((planned.tables, planned.rows), (2, backup.totals.rows));
    assert_eq!((planned.raw_bytes, planned.blocked_by), (backup.totals.raw_bytes, Vec::new()));
    let one = restore::Request { tables: vec!["cid".to_owned()], ..restoring() };
    let planned = plan::run(&world, &target, "latest", &one).await.unwrap();
    assert_eq!((planned.tables, planned.rows), (1, 3));
    assert_eq!(state(&target).await, TargetState::Absent);
    assert_eq!(clinic.vault.objects(), before);

    restore::run(&world, &target, "latest", &restoring()).await.unwrap();
    let planned = plan::run(&world, &target, "latest", &restoring()).await.unwrap();
    assert_eq!(
        planned.blocked_by,
        ["database copia is not empty: it holds 2 tables or other objects"]
    );
}

#[tokio::test]
async fn runs_are_found_by_their_id() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await;
    let vault = &clinic.vault;
    assert_eq!(runs::find(vault, &backup.run).await.unwrap().job, Job::Backup);
    let strange: RunId = "20200101T000000Z-00000000".parse().unwrap();
    let error = runs::find(vault, &strange).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Failed);
    assert_eq!(
        error.to_string(),
        "there is no record of run \"20200101T000000Z-00000000\" in memory:"
    );
}

#[tokio::test]
async fn a_report_tells_one_month_of_the_clinics_calendar() {
    let clinic = Clinic::new();
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let (world, source) = (clinic.world(), &clinic.source);
    let november = backup::run(&world, source, &request()).await.unwrap();
    let failed = backup::Request { deadline: Some(Timestamp::MIN), ..request() };
    backup::run(&world, source, &failed).await.unwrap_err();
    let (scratch, testing) = (FakeScratch::new("scratch"), restore_test::Request::default());
    scratch.prepare(FakeTarget::like("scratch", source));
    restore_test::run(&world, None, &scratch, &testing).await.unwrap();
    // Greenwich is in December, the clinic is not.
    clinic.clock.advance(
        "2026-12-01T02:00:00Z".parse::<Timestamp>().unwrap().duration_since(world.clock.now()),
    );
    let still_november = backup::run(&world, source, &request()).await.unwrap();
    clinic.clock.advance(SignedDuration::from_hours(6));
    let december = backup::run(&world, source, &request()).await.unwrap();

    let told = report::run(&world, None, &zone, None, &page).await.unwrap();
    assert_eq!(told.month.to_string(), "2026-11");
    let report = report::look(&*world.vault, told.month, &zone, world.clock.now()).await.unwrap();
    let backups: Vec<_> = report.backups.iter().map(|line| &line.backup).collect();
    assert_eq!(backups, [&november.backup, &still_november.backup]);
    assert_eq!(report.backups_kept, 3);
    assert_eq!(report.newest, Some(december.snapshot));
    let tallies: Vec<_> =
        report.runs.iter().map(|t| (t.job, t.succeeded, t.failed, t.died)).collect();
    assert_eq!(tallies, [(Job::Backup, 2, 1, 0), (Job::RestoreTest, 1, 0, 0)]);
    assert_eq!(report.failures.len(), 1);
    assert_eq!((report.restore_tests.len(), report.restore_tests[0].passed), (1, true));

    let named: Month = "2026-12".parse().unwrap();
    let report = report::look(&*world.vault, named, &zone, world.clock.now()).await.unwrap();
    assert_eq!(report.backups.len(), 1);
    assert_eq!(
        report.runs.iter().map(|tally| tally.job).collect::<Vec<_>>(),
        [Job::Backup, Job::Report]
    );
}

/// A page that says what it is of.
fn page(report: &Report, proof: &Proof) -> String {
    format!("{} {} {}", report.month, proof.object, proof.sha256)
}

#[tokio::test]
async fn a_report_is_kept_as_data_and_as_a_page_that_names_their_digest() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let world = clinic.world();
    let month: Month = "2026-11".parse().unwrap();
    let at_five = Some(moment("2026-12-01T08:00:00Z"));
    let told = report::run(&world, Some(month), &TimeZone::UTC, at_five, &page).await.unwrap();
    assert_eq!(told.report, format!("reports/2026-11/{}.json", told.run));
    assert_eq!(told.page, format!("reports/2026-11/{}.html", told.run));

    let get =
        async |name: &str| world.vault.get(&ObjectName::from_listing(name).unwrap()).await.unwrap();
    let (record, sha256) = ReportRecord::read(&get(&told.report).await).unwrap();
    assert_eq!(sha256, told.sha256);
    assert_eq!(record.run, told.run);
    let seen = report::look(&*world.vault, month, &TimeZone::UTC, record.at).await.unwrap();
    let mut kept = record.report.clone();
    // That the report itself ran is known only afterwards.
    kept["runs"] = serde_json::to_value(&seen.runs).unwrap();
    assert_eq!(kept, serde_json::to_value(&seen).unwrap());
    let on_page = String::from_utf8(get(&told.page).await.to_vec()).unwrap();
    assert_eq!(on_page, format!("2026-11 {} {}", told.report, told.sha256));
    let whole: serde_json::Value = serde_json::from_slice(&get(&told.report).await).unwrap();
    assert_eq!(whole["sha256"], told.sha256);

    let verified = verify::run(&world, &verify::Request::default()).await.unwrap();
    assert_eq!(verified.problems, []);
    let kept = report::kept(&*world.vault).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].month, &kept[0].run), (month, &told.run));
}

#[tokio::test]
async fn a_report_is_told_once_a_schedule_and_as_often_as_it_is_asked_for() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let world = clinic.world();
    let zone = TimeZone::UTC;
    let at_five = Some(world.clock.now());
    let told = report::run(&world, None, &zone, at_five, &page).await.unwrap();
    clinic.pass_a_minute();
    let again = report::run(&world, None, &zone, at_five, &page).await.unwrap();
    assert_eq!(again, report::Told { already_done: true, ..told.clone() });
    let by_hand = report::run(&world, Some(told.month), &zone, None, &page).await.unwrap();
    assert_ne!(by_hand.report, told.report);
    let kept = report::kept(&*world.vault).await.unwrap();
    assert_eq!(kept.iter().map(|kept| &kept.run).collect::<Vec<_>>(), [&by_hand.run], "the newest");
}

#[tokio::test]
async fn a_damaged_report_is_found_and_a_damaged_record_hides_no_report() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let world = clinic.world();
    let month: Month = "2026-11".parse().unwrap();
    let told = report::run(&world, Some(month), &TimeZone::UTC, None, &page).await.unwrap();
    clinic.vault.corrupt(&ObjectName::from_listing(&told.report).unwrap(), |bytes| bytes[90] ^= 1);
    let verified = verify::run(&world, &verify::Request::default()).await.unwrap();
    assert_eq!(verified.problems.len(), 1, "{:?}", verified.problems);
    assert_eq!(verified.problems[0].object, told.report);
    clinic.vault.corrupt(&ObjectName::run(&told.run), |bytes| bytes[90] ^= 1);
    let now = world.clock.now();
    let seen = report::look(&*world.vault, month, &TimeZone::UTC, now).await.unwrap();
    assert_eq!(seen.unreadable.len(), 1, "{:?}", seen.unreadable);
    assert!(seen.unreadable[0].starts_with(&format!("runs/{}.json: ", told.run)));
}

async fn state(scratch: &FakeTarget) -> TargetState {
    scratch.state().await.unwrap()
}
