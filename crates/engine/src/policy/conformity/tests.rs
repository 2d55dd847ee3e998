use jiff::ToSpan;

use super::*;
use crate::model::{KeyPurpose, Scope};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// At this hour of Greenwich on this day of November 2026; days before the first are of October.
fn at(day: i64, hour: i64) -> Timestamp {
    moment("2026-11-01T00:00:00Z") + SignedDuration::from_hours((day - 1) * 24 + hour)
}

fn id(at: Timestamp) -> RunId {
    RunId::new(at, [1; 4])
}

fn backup(day: i64) -> BackupFact {
    let snapshot = at(day, 6);
    BackupFact {
        backup: id(snapshot),
        snapshot,
        seconds: 60.0,
        raw_bytes: 1000,
        lost: false,
        kept: true,
    }
}

fn run(job: Job, started: Timestamp, succeeded: bool) -> RunFact {
    RunFact { run: id(started), job, started, succeeded }
}

fn test(day: i64) -> TestFact {
    TestFact { run: id(at(day, 7)), started: at(day, 7), seconds: 200.0 }
}

fn check(day: i64, number: u8) -> VerificationFact {
    VerificationFact {
        run: id(at(day, 9)),
        started: at(day, 9),
        shares: [Share { number, of: 4 }].into(),
        problems: 0,
        replica_lacks: Some(0),
        replica_behind: Some(0),
    }
}

/// A November in which all was as it should be, judged on the first of December.
fn good() -> Facts {
    Facts {
        from: moment("2026-11-01T03:00:00Z"),
        until: moment("2026-12-01T03:00:00Z"),
        now: moment("2026-12-01T08:00:00Z"),
        began: moment("2026-05-02T06:00:00Z"),
        zone: TimeZone::get("America/Sao_Paulo").unwrap(),
        backups: (-6..=31).map(backup).collect(),
        runs: (-6..=31).map(|day| run(Job::Cleanup, at(day, 5), true)).collect(),
        tests: [1, 8, 15, 22, 29].map(test).into(),
        verifications: vec![
            check(-5, 4),
            check(2, 1),
            check(9, 2),
            check(16, 3),
            check(23, 4),
            check(30, 1),
        ],
        keys_made: vec![KeyId::new(KeyPurpose::Manifest, Scope::Shared, at(1, 6), [2; 4])],
    }
}

fn judged(facts: &Facts, rule: Rule) -> Line {
    judge(facts).into_iter().find(|line| line.rule == rule).unwrap()
}

fn not_met(facts: &Facts) -> Vec<Rule> {
    Summary::of(&judge(facts)).not_met
}

#[test]
fn a_good_month_meets_every_rule() {
    let lines = judge(&good());
    assert_eq!(Summary::of(&lines), Summary { met: 15, not_met: Vec::new(), not_applicable: 0 });
    let line = judged(&good(), Rule::DailyBackup);
    assert_eq!((line.limit, line.measured), (Amount::Days(30), Some(Amount::Days(30))));
    assert_eq!(judged(&good(), Rule::WeeklyRestoreTest).limit, Amount::Weeks(5));
}

#[test]
fn a_day_without_a_backup_is_named_by_the_clinics_calendar() {
    let mut facts = good();
    // In Greenwich it is the 18th, in the clinic still the 17th.
    facts.backups.retain(|backup| backup.snapshot != at(17, 6));
    facts.backups.push(BackupFact { snapshot: at(18, 2), ..backup(17) });
    assert_eq!(judged(&facts, Rule::DailyBackup).verdict, Verdict::Met);
    facts.backups.retain(|backup| backup.snapshot != at(18, 2));
    let line = judged(&facts, Rule::DailyBackup);
    assert_eq!((line.verdict, line.days), (Verdict::NotMet, vec!["2026-11-17".parse().unwrap()]));
    assert_eq!(not_met(&facts), [Rule::DailyBackup]);
}

#[test]
fn each_rule_is_broken_by_what_it_is_about_and_by_nothing_else() {
    let broken = |change: &dyn Fn(&mut Facts)| {
        let mut facts = good();
        change(&mut facts);
        not_met(&facts)
    };
    let last = |facts: &mut Facts, at_least: usize| facts.backups.len() - at_least;
    assert_eq!(broken(&|facts| facts.backups[20].seconds = 1800.0), [Rule::BackupTime]);
    assert_eq!(broken(&|facts| facts.backups[20].seconds = 1799.9), []);
    assert_eq!(
        broken(&|facts| {
            let at = last(facts, 2);
            facts.backups[at].raw_bytes = 1301;
        }),
        [Rule::SteadySize]
    );
    assert_eq!(
        broken(&|facts| {
            let at = last(facts, 2);
            facts.backups[at].raw_bytes = 1300;
        }),
        []
    );
    assert_eq!(
        broken(&|facts| facts.backups[20].lost = true),
        [Rule::DailyBackup, Rule::NothingLost]
    );
    assert_eq!(
        broken(&|facts| facts.backups.retain(|backup| backup.snapshot < at(30, 0))),
        [Rule::DailyBackup, Rule::NewestBackup]
    );
    assert_eq!(
        broken(&|facts| facts.tests.retain(|test| test.started != at(15, 7))),
        [Rule::WeeklyRestoreTest]
    );
    assert_eq!(broken(&|facts| facts.tests[2].seconds = 14_400.0), [Rule::RecoveryTime]);
    assert_eq!(
        broken(&|facts| facts.verifications.retain(|check| check.started != at(9, 9))),
        [Rule::WeeklyVerification, Rule::AllDataRead]
    );
    assert_eq!(broken(&|facts| facts.verifications[2].problems = 1), [Rule::NoDamage]);
    assert_eq!(
        broken(&|facts| facts.verifications[2].replica_lacks = Some(1)),
        [Rule::ReplicaComplete]
    );
    assert_eq!(
        broken(&|facts| facts.verifications[2].replica_behind = Some(86_400)),
        [Rule::ReplicaLag]
    );
    assert_eq!(
        broken(&|facts| facts.runs.retain(|run| run.started != at(11, 5))),
        [Rule::DailyCleanup]
    );
    assert_eq!(broken(&|facts| facts.keys_made.clear()), [Rule::KeysRotated]);
    assert_eq!(
        broken(&|facts| facts.runs.push(run(Job::Backup, at(11, 6), false))),
        [Rule::FailuresMadeUp]
    );
}

#[test]
fn a_failure_is_made_up_for_by_the_same_job_within_a_day() {
    let with = |job, hours: i64| {
        let mut facts = good();
        facts.runs.push(run(Job::Backup, at(11, 6), false));
        facts.runs.push(run(job, at(11, 6 + hours), true));
        judged(&facts, Rule::FailuresMadeUp).verdict
    };
    assert_eq!(with(Job::Backup, 24), Verdict::Met);
    assert_eq!(with(Job::Backup, 25), Verdict::NotMet);
    assert_eq!(with(Job::Verify, 1), Verdict::NotMet);
    let mut facts = good();
    facts.runs.push(run(Job::Restore, at(11, 6), false));
    assert_eq!(judged(&facts, Rule::FailuresMadeUp).verdict, Verdict::Met, "a person asked for it");
    facts.runs.push(run(Job::Backup, at(30, 23), false));
    assert_eq!(judged(&facts, Rule::FailuresMadeUp).verdict, Verdict::Met, "there is time left");
}

#[test]
fn a_month_is_judged_from_the_vaults_beginning_and_up_to_yesterday() {
    let mut facts = good();
    (facts.began, facts.now) = (at(11, 6), at(20, 15));
    facts.backups.retain(|backup| (at(11, 0)..at(20, 0)).contains(&backup.snapshot));
    facts.runs.retain(|run| (at(12, 0)..at(20, 0)).contains(&run.started));
    facts.tests.clear();
    facts.verifications.clear();
    let limit = |rule| judged(&facts, rule).limit;
    assert_eq!(limit(Rule::DailyBackup), Amount::Days(9), "the 11th to the 19th");
    assert_eq!(
        limit(Rule::DailyCleanup),
        Amount::Days(8),
        "at 02:00 of the first day there was none"
    );
    let line = judged(&facts, Rule::WeeklyRestoreTest);
    assert_eq!(
        (line.limit, line.verdict),
        (Amount::Weeks(0), Verdict::NotApplicable),
        "no whole week yet"
    );
    assert_eq!(judged(&facts, Rule::AllDataRead).verdict, Verdict::NotApplicable);
    let newest = judged(&facts, Rule::NewestBackup);
    assert_eq!(newest.verdict, Verdict::NotMet, "the one of the 20th is missing, by the afternoon");
}

#[test]
fn a_month_before_the_vault_began_is_not_judged() {
    let mut facts = good();
    facts.began = at(40, 0);
    (facts.backups, facts.runs, facts.tests) = Default::default();
    (facts.verifications, facts.keys_made) = Default::default();
    let summary = Summary::of(&judge(&facts));
    assert_eq!((summary.met, summary.not_met), (0, Vec::new()));
}

#[test]
fn a_week_is_of_the_month_that_its_sunday_lies_in() {
    let mut facts = good();
    facts.tests = [1, 8, 15, 22, 24].map(test).into();
    let line = judged(&facts, Rule::WeeklyRestoreTest);
    let monday: Date = "2026-11-23".parse().unwrap();
    assert_eq!(
        line.verdict,
        Verdict::Met,
        "on Tuesday, of the week of {monday} to {}",
        monday + 6.days()
    );
    facts.tests.pop();
    assert_eq!(judged(&facts, Rule::WeeklyRestoreTest).days, [monday]);
}
