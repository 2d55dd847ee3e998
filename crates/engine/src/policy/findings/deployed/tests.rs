//! One thing at a time is broken in a system that is well, and exactly that is found.

use super::*;
use crate::{
    model::{
        ClockReading, RunId,
        deployed::{
            Alarm, Bucket, CopyingRule, DefaultLock, Function, Listener, Schedule, Storage, Watch,
            WrappingKey,
        },
    },
    policy::findings::Status,
    records::run::{Job, Outcome, RunRecord},
};

const VERSION: &str = "0.1.0";
const NAMES: [&str; 7] =
    ["api", "backup", "cleanup", "report", "restore", "restore-test", "verify"];
const KEY: &str = "arn:aws:kms:sa-east-1:1:key/mrk-1";
const OTHER_HALF: &str = "arn:aws:kms:us-east-1:1:key/mrk-1";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Monday at noon, in São Paulo at nine.
fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

fn denial(action: &str, condition: Option<&str>) -> Statement {
    Statement {
        name: "No".to_owned(),
        denies: true,
        is_for_everybody: true,
        actions: vec![action.to_owned()],
        conditions: condition.into_iter().map(str::to_owned).collect(),
    }
}

fn bucket(name: &str, region: &str, key: &str) -> Bucket {
    let policy = vec![
        denial("s3:*", Some("aws:SecureTransport")),
        denial("s3:PutObject", Some("s3:x-amz-server-side-encryption")),
        denial("s3:PutObject", Some("s3:x-amz-server-side-encryption-aws-kms-key-id")),
        denial("s3:PutObject", Some("s3:if-none-match")),
        denial("s3:BypassGovernanceRetention", None),
        denial("s3:DeleteObjectVersion", Some("aws:PrincipalArn")),
        denial("s3:PutBucketObjectLockConfiguration", Some("aws:PrincipalArn")),
    ];
    Bucket {
        name: name.to_owned(),
        region: region.to_owned(),
        keeps_versions: Ok(true),
        lock: Ok(Some(DefaultLock { mode: "COMPLIANCE".to_owned(), days: 35 })),
        encrypted_with: Ok(Some(key.to_owned())),
        shuts_public_out: Ok(true),
        policy: Ok(policy),
        expiring_rules: Ok(Vec::new()),
        copying_rules: Ok(Vec::new()),
    }
}

fn key(arn: &str) -> WrappingKey {
    WrappingKey {
        arn: arn.to_owned(),
        state: "Enabled".to_owned(),
        replica_regions: vec!["us-east-1".to_owned()],
        rotates: Ok(true),
        policy: Ok(["kms:ScheduleKeyDeletion", "kms:DisableKey"]
            .map(|action| denial(action, None))
            .to_vec()),
    }
}

fn watch(region: &str, alarms: &[&str]) -> Watch {
    let topic = format!("arn:aws:sns:{region}:1:gorgen-prod-alarms");
    let alarm = |name: &&str| Alarm {
        name: format!("gorgen-prod-{name}"),
        is_ringing: false,
        tells: vec![topic.clone()],
    };
    let listener = Listener {
        protocol: "email".to_owned(),
        address: "dona@clinica.example".to_owned(),
        is_confirmed: true,
    };
    Watch {
        region: region.to_owned(),
        topic: topic.clone(),
        listeners: Ok(vec![listener]),
        alarms: Ok(alarms.iter().map(alarm).collect()),
    }
}

fn schedules() -> Vec<Schedule> {
    [
        ("backup", "cron(0 3 * * ? *)"),
        ("cleanup", "cron(0 2 * * ? *)"),
        ("old-tables", "cron(0 2 * * ? *)"),
        ("restore-test", "cron(0 4 ? * SUN *)"),
        ("verify", "cron(0 6 ? * MON *)"),
        ("report", "cron(0 5 1 * ? *)"),
        ("reminder", "cron(0 9 ? * SUN#1 *)"),
    ]
    .map(|(job, expression)| Schedule {
        name: format!("gorgen-prod-{job}"),
        expression: expression.to_owned(),
        time_zone: "America/Sao_Paulo".to_owned(),
        enabled: true,
    })
    .into()
}

fn well() -> Deployed {
    let function = Function {
        version: Some(VERSION.to_owned()),
        changed: Some(at("2026-11-01T10:00:00Z")),
        failure: None,
    };
    let mut vault = bucket("vault", "sa-east-1", KEY);
    vault.copying_rules = Ok(vec![CopyingRule { to: "replica".to_owned(), is_for_all: true }]);
    Deployed {
        environment: "prod".to_owned(),
        functions: NAMES.map(|name| (name, Ok(function.clone()))).into(),
        storage: Some(Storage {
            vault,
            replica: Some(bucket("replica", "us-east-1", OTHER_HALF)),
            key: Ok(key(KEY)),
            replica_key: Some(Ok(key(OTHER_HALF))),
            has_offline_recipient: true,
        }),
        schedules: Ok(schedules()),
        dead_letters: Ok(0),
        watches: vec![
            watch(
                "sa-east-1",
                &[
                    "no-good-backup",
                    "backup-failed",
                    "backup-errors",
                    "backups-damaged",
                    "verify-failed",
                    "restore-test-failed",
                    "replication-failed",
                    "dead-letters",
                ],
            ),
            watch("us-east-1", &["replica-late", "replica-behind"]),
        ],
        clock: Ok(ClockReading { before: now(), server: now(), after: now() }),
    }
}

/// What is not as it should be: check, status, fact.
fn amiss(findings: &[Finding]) -> Vec<(&'static str, Status, &str)> {
    let amiss = findings.iter().filter(|finding| finding.status != Status::Ok);
    amiss.map(|finding| (finding.check, finding.status, finding.fact.as_str())).collect()
}

/// Breaks one thing, and expects one finding.
#[track_caller]
fn finds(change: impl FnOnce(&mut Deployed), check: &str, status: Status, fact: &str) {
    let mut deployed = well();
    change(&mut deployed);
    let findings = judge(&deployed, VERSION, now());
    assert_eq!(amiss(&findings), [(check, status, fact)]);
    let remedies = findings.iter().filter(|finding| finding.remedy.is_some()).count();
    assert_eq!(remedies, 1, "exactly what is amiss says what to do");
}

/// Changes a bucket of the storage.
fn vault(deployed: &mut Deployed) -> &mut Bucket {
    &mut storage(deployed).vault
}

fn storage(deployed: &mut Deployed) -> &mut Storage {
    deployed.storage.as_mut().unwrap()
}

fn schedule<'a>(deployed: &'a mut Deployed, job: &str) -> &'a mut Schedule {
    let name = format!("gorgen-prod-{job}");
    let schedules = deployed.schedules.as_mut().unwrap();
    schedules.iter_mut().find(|schedule| schedule.name == name).unwrap()
}

#[test]
fn a_system_as_the_stacks_made_it_is_well() {
    let findings = judge(&well(), VERSION, now());
    assert_eq!(amiss(&findings), []);
    let fact = |check: &str| {
        let found = findings.iter().find(|finding| finding.check == check);
        found.map(|finding| finding.fact.as_str())
    };
    for (check, expected) in [
        ("functions", "7 functions of version 0.1.0, last changed 2026-11-01 10:00:00 UTC"),
        ("vault-versioning", "vault in sa-east-1 keeps versions of what is overwritten or deleted"),
        ("vault-object-lock", "what is written is locked for 35 days (COMPLIANCE)"),
        ("replication", "everything is copied to replica in us-east-1"),
        (
            "schedule-backup",
            "on: cron(0 3 * * ? *) in America/Sao_Paulo, next 2026-11-24 06:00:00 UTC",
        ),
        (
            "schedule-reminder",
            "on: cron(0 9 ? * SUN#1 *) in America/Sao_Paulo, next 2026-12-06 12:00:00 UTC",
        ),
        ("alarms", "8 alarms in sa-east-1, none is ringing"),
        ("alarm-listeners", "1 subscription confirmed in sa-east-1"),
        ("clock", "AWS and this machine agree on the time"),
    ] {
        assert_eq!(fact(check), Some(expected));
    }
}

#[test]
fn functions_that_are_missing_broken_or_of_another_version_are_found() {
    let check = "functions";
    finds(
        |it| _ = it.functions.insert("verify", Err(Unseen::Missing)),
        check,
        Status::Problem,
        "missing: verify",
    );
    let change = |it: &mut Deployed, name, of: &dyn Fn(&mut Function)| {
        of(it.functions.get_mut(name).unwrap().as_mut().unwrap());
    };
    finds(
        |it| change(it, "backup", &|of| of.failure = Some("its last update failed".to_owned())),
        check,
        Status::Problem,
        "backup: its last update failed",
    );
    finds(
        |it| change(it, "backup", &|of| of.version = Some("0.2.0".to_owned())),
        check,
        Status::Warning,
        "they are of different versions: 0.1.0, 0.2.0",
    );
    finds(
        |it| {
            for name in NAMES {
                change(it, name, &|of| of.version = Some("0.2.0".to_owned()));
            }
        },
        check,
        Status::Warning,
        "they are of version 0.2.0, this program is of 0.1.0",
    );
}

#[test]
fn an_environment_that_is_not_there_is_one_problem_and_the_rest_is_not_checked() {
    let mut deployed = well();
    deployed.functions.values_mut().for_each(|function| *function = Err(Unseen::Missing));
    (deployed.storage, deployed.watches) = (None, Vec::new());
    deployed.schedules = Err(Unseen::Missing);
    let findings = judge(&deployed, VERSION, now());
    let (first, later) = findings.split_first().unwrap();
    let fact = "no function of the environment \"prod\" is in this region";
    assert_eq!(amiss(std::slice::from_ref(first)), [("functions", Status::Problem, fact)]);
    assert!(later.iter().all(Finding::is_skipped));
    let checks = |findings: &[Finding]| findings.iter().map(|it| it.check).collect::<Vec<_>>();
    assert_eq!(checks(&findings), checks(&judge(&well(), VERSION, now())));
}

#[test]
fn a_bucket_that_was_loosened_is_found() {
    let problem = Status::Problem;
    finds(
        |it| vault(it).keeps_versions = Ok(false),
        "vault-versioning",
        problem,
        "vault does not keep versions: what is overwritten or deleted is gone",
    );
    finds(
        |it| vault(it).lock = Ok(None),
        "vault-object-lock",
        problem,
        "vault locks nothing: a backup can be removed as it is written",
    );
    finds(
        |it| storage(it).replica.as_mut().unwrap().lock = Ok(None),
        "replica-object-lock",
        problem,
        "replica locks nothing: a backup can be removed as it is written",
    );
    finds(
        |it| vault(it).encrypted_with = Ok(None),
        "vault-encryption",
        problem,
        "vault does not encrypt with a KMS key",
    );
    finds(
        |it| vault(it).encrypted_with = Ok(Some("arn:other".to_owned())),
        "vault-encryption",
        problem,
        "vault encrypts with arn:other, and the functions' key is arn:aws:kms:sa-east-1:1:key/mrk-1",
    );
    finds(
        |it| vault(it).shuts_public_out = Ok(false),
        "vault-public-access",
        problem,
        "vault does not block all that is public",
    );
    finds(
        |it| vault(it).expiring_rules = Ok(vec!["tidy-up".to_owned()]),
        "vault-lifecycle",
        problem,
        "rules end backups by age, whatever retention says: tidy-up",
    );
}

#[test]
fn each_denial_that_a_policy_lacks_is_named_and_so_is_what_it_allows() {
    for (index, open) in [
        "read and write without TLS (s3:*)",
        "encrypt without KMS (s3:PutObject)",
        "encrypt with another key (s3:PutObject)",
        "overwrite what is written once (s3:PutObject)",
        "shorten locks (s3:BypassGovernanceRetention)",
        "remove versions (s3:DeleteObjectVersion)",
        "loosen the bucket (s3:PutBucketObjectLockConfiguration)",
    ]
    .into_iter()
    .enumerate()
    {
        let fact = format!("it does not keep everybody from what nobody may: {open}");
        let policy = |it: &mut Deployed| vault(it).policy.as_mut().unwrap().remove(index);
        finds(|it| _ = policy(it), "vault-policy", Status::Problem, &fact);
        // A denial of one person, or under a condition that seldom holds, is none.
        let of_one =
            |it: &mut Deployed| vault(it).policy.as_mut().unwrap()[index].is_for_everybody = false;
        finds(of_one, "vault-policy", Status::Problem, &fact);
    }
    let seldom = |it: &mut Deployed| {
        vault(it).policy.as_mut().unwrap()[4].conditions = vec!["aws:CurrentTime".to_owned()];
    };
    finds(
        seldom,
        "vault-policy",
        Status::Problem,
        "it does not keep everybody from what nobody may: shorten locks (s3:BypassGovernanceRetention)",
    );
    let opened = |it: &mut Deployed| {
        let allowed = Statement { denies: false, ..denial("s3:GetObject", None) };
        vault(it).policy.as_mut().unwrap().push(allowed);
    };
    finds(
        opened,
        "vault-policy",
        Status::Problem,
        "it allows what the stacks do not: No (s3:GetObject)",
    );
}

#[test]
fn a_copy_that_is_not_made_or_goes_elsewhere_is_found() {
    let rules = |rules: Vec<(&str, bool)>| {
        let rule = |(to, is_for_all): (&str, bool)| CopyingRule { to: to.to_owned(), is_for_all };
        let rules = rules.into_iter().map(rule).collect();
        move |it: &mut Deployed| vault(it).copying_rules = Ok(rules)
    };
    let (check, problem) = ("replication", Status::Problem);
    finds(rules(vec![]), check, problem, "nothing is copied to another region");
    let elsewhere = "not everything is copied where it should be: ";
    finds(rules(vec![("thief", true)]), check, problem, &format!("{elsewhere}thief"));
    finds(rules(vec![("replica", false)]), check, problem, &format!("{elsewhere}replica"));
    let mut deployed = well();
    (storage(&mut deployed).replica, storage(&mut deployed).replica_key) = (None, None);
    let findings = judge(&deployed, VERSION, now());
    let fact = "everything is copied to replica, but no function says where that is, so the copy is not looked at";
    assert_eq!(amiss(&findings), [(check, Status::Warning, fact)]);
}

#[test]
fn a_key_that_is_lost_unguarded_or_alone_is_found() {
    fn first(it: &mut Deployed) -> &mut WrappingKey {
        storage(it).key.as_mut().unwrap()
    }
    finds(
        |it| first(it).state = "PendingDeletion".to_owned(),
        "key",
        Status::Problem,
        "arn:aws:kms:sa-east-1:1:key/mrk-1 is not enabled but PendingDeletion: no backup can be made or opened with it",
    );
    finds(
        |it| first(it).rotates = Ok(false),
        "key-rotation",
        Status::Warning,
        "KMS does not change its material",
    );
    finds(
        |it| _ = first(it).policy.as_mut().unwrap().pop(),
        "key-policy",
        Status::Warning,
        "it does not keep everybody from deleting or disabling the key, without which no backup opens",
    );
    finds(
        |it| first(it).replica_regions.clear(),
        "replica-key",
        Status::Problem,
        "arn:aws:kms:us-east-1:1:key/mrk-1 is not the other half of the key of the first region",
    );
    finds(
        |it| storage(it).has_offline_recipient = false,
        "offline-recipient",
        Status::Warning,
        "data keys are wrapped by KMS alone: without this AWS account no backup opens",
    );
    let mut deployed = well();
    storage(&mut deployed).replica_key = Some(Err(Unseen::Missing));
    let fact = "the key has no other half in us-east-1: the copy there can't be opened alone";
    let skipped = "not checked: it needs replica-key";
    assert_eq!(
        amiss(&judge(&deployed, VERSION, now())),
        [("replica-key", Status::Problem, fact), ("replica-key-policy", Status::Warning, skipped)]
    );
}

#[test]
fn a_schedule_that_starts_nothing_is_found() {
    finds(
        |it| schedule(it, "backup").enabled = false,
        "schedule-backup",
        Status::Problem,
        "it is off, so no backup is made",
    );
    finds(
        |it| schedule(it, "restore-test").enabled = false,
        "schedule-restore-test",
        Status::Warning,
        "it is off, so no restore is proven",
    );
    finds(
        |it| schedule(it, "verify").name.clear(),
        "schedule-verify",
        Status::Warning,
        "there is none, so damage is found only when a backup is needed",
    );
    finds(
        |it| schedule(it, "cleanup").expression = "cron(0 2 * * ? 2020)".to_owned(),
        "schedule-cleanup",
        Status::Warning,
        "cron(0 2 * * ? 2020) in America/Sao_Paulo never comes again, so nothing is let go, and locks are not renewed",
    );
    let mut deployed = well();
    schedule(&mut deployed, "report").expression = "rate(1 minute)".to_owned();
    assert_eq!(amiss(&judge(&deployed, VERSION, now())), []);
}

fn listeners(deployed: &mut Deployed) -> &mut Vec<Listener> {
    deployed.watches[0].listeners.as_mut().unwrap()
}

fn alarms(deployed: &mut Deployed) -> &mut Vec<Alarm> {
    deployed.watches[0].alarms.as_mut().unwrap()
}

#[test]
fn what_was_given_up_and_who_is_not_told_is_found() {
    finds(
        |it| it.dead_letters = Ok(2),
        "dead-letters",
        Status::Problem,
        "2 events were given up, each a job that was not done",
    );
    let check = "alarm-listeners";
    finds(
        |it| listeners(it).clear(),
        check,
        Status::Problem,
        "nobody hears what goes wrong in sa-east-1",
    );
    finds(
        |it| listeners(it)[0].is_confirmed = false,
        check,
        Status::Problem,
        "nobody hears what goes wrong in sa-east-1: not confirmed by dona@clinica.example",
    );
    let second = Listener {
        protocol: "email".to_owned(),
        address: "ti@clinica.example".to_owned(),
        is_confirmed: false,
    };
    finds(
        |it| listeners(it).push(second),
        check,
        Status::Warning,
        "not confirmed by ti@clinica.example",
    );
    finds(
        |it| alarms(it).retain(|alarm| alarm.name != "gorgen-prod-no-good-backup"),
        "alarms",
        Status::Problem,
        "missing in sa-east-1: no-good-backup",
    );
    finds(
        |it| alarms(it)[0].tells.clear(),
        "alarms",
        Status::Problem,
        "nobody is told when they go off: gorgen-prod-no-good-backup",
    );
    finds(
        |it| alarms(it)[1].is_ringing = true,
        "alarms",
        Status::Problem,
        "ringing: gorgen-prod-backup-failed",
    );
    finds(
        |it| _ = it.watches[1].alarms.as_mut().unwrap().pop(),
        "replica-alarms",
        Status::Problem,
        "missing in us-east-1: replica-behind",
    );
}

#[test]
fn what_may_not_be_seen_is_not_checked_and_names_the_right() {
    let mut deployed = well();
    deployed.dead_letters = Err(Unseen::Forbidden("sqs:GetQueueUrl"));
    let findings = judge(&deployed, VERSION, now());
    let found = findings.iter().find(|finding| finding.check == "dead-letters").unwrap();
    assert!(found.is_skipped() && found.status == Status::Warning);
    assert_eq!(found.fact, "not checked: it needs the right sqs:GetQueueUrl");
    finds(
        |it| _ = it.functions.insert("api", Err(Unseen::Forbidden("lambda:ListTags"))),
        "functions",
        Status::Problem,
        "nothing can be said without the right lambda:ListTags",
    );
    finds(
        |it| it.dead_letters = Err(Unseen::Failed("no answer in time".to_owned())),
        "dead-letters",
        Status::Problem,
        "AWS could not be asked: no answer in time",
    );
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    let wrong = at("2026-11-23T12:02:30Z");
    finds(
        |it| it.clock = Ok(ClockReading { before: now(), server: wrong, after: now() }),
        "clock",
        Status::Warning,
        "AWS's clock is 2 min ahead of this machine's (it shows 2026-11-23 12:02:30 UTC)",
    );
}

fn record(job: Job, started: &str, outcome: Outcome) -> RunRecord {
    let started = at(started);
    let mut record = RunRecord::new(RunId::new(started, [7; 4]), job, outcome, started, started);
    if outcome != Outcome::Succeeded {
        record.error = vec!["the server is gone".to_owned()];
    }
    record
}

/// Each job at its last time.
fn done() -> Vec<RunRecord> {
    vec![
        record(Job::Backup, "2026-11-23T06:00:01Z", Outcome::Succeeded),
        record(Job::RestoreTest, "2026-11-22T07:00:01Z", Outcome::Succeeded),
        record(Job::Verify, "2026-11-23T09:00:01Z", Outcome::Succeeded),
        record(Job::Cleanup, "2026-11-20T05:00:00Z", Outcome::Succeeded),
    ]
}

#[test]
fn jobs_that_were_done_at_their_times_are_fresh() {
    let findings = history(&done(), &well(), now());
    assert_eq!(amiss(&findings), []);
    assert_eq!(
        findings[0].fact,
        "run 20261123T060001Z-07070707 succeeded 5 h ago (of 2026-11-23 06:00:01 UTC)"
    );
    // The next restore test is due on Sunday at 07:00 UTC, and has two hours.
    let sunday = at("2026-11-29T08:59:00Z");
    assert_eq!(history(&done(), &well(), sunday)[2].status, Status::Ok);
    let later = at("2026-11-29T09:01:00Z");
    let stale = "run 20261122T070001Z-07070707 succeeded 7 days ago (of 2026-11-22 07:00:01 UTC), and a scheduled one is \
                 missing";
    let findings = history(&done(), &well(), later);
    assert_eq!(amiss(&findings[2..]), [("last-restore-test", Status::Problem, stale)]);
}

#[test]
fn a_job_that_failed_since_is_told_before_it_is_late() {
    let mut records = done();
    records.push(record(Job::Verify, "2026-11-23T11:00:00Z", Outcome::Failed));
    let fact = "run 20261123T090001Z-07070707 succeeded 2 h ago (of 2026-11-23 09:00:01 UTC); run \
                20261123T110000Z-07070707 did not succeed: the server is gone";
    let at_one = at("2026-11-23T11:30:00Z");
    let found = history(&records, &well(), at_one);
    assert_eq!(amiss(&found), [("last-verify", Status::Warning, fact)]);
}

#[test]
fn a_job_that_never_was_done_is_a_problem_once_its_time_has_passed() {
    let records: Vec<_> =
        done().into_iter().filter(|record| record.job != Job::RestoreTest).collect();
    let found = history(&records, &well(), now());
    let missing = "none succeeded in the last 35 days, and a scheduled one is missing";
    assert_eq!(amiss(&found), [("last-restore-test", Status::Problem, missing)]);
    // On the first day nothing was due yet.
    let deployed = well();
    let found = history(&[], &deployed, now());
    let none = "none succeeded in the last 35 days";
    let warned = |check| (check, Status::Warning, none);
    assert_eq!(
        amiss(&found),
        [warned("last-backup"), warned("last-verify"), warned("last-restore-test")]
    );
}

#[test]
fn where_no_schedule_tells_the_age_does() {
    let mut deployed = well();
    for job in ["backup", "verify", "restore-test"] {
        schedule(&mut deployed, job).expression = "rate(1 day)".to_owned();
    }
    assert_eq!(amiss(&history(&done(), &deployed, now())), []);
    let tuesday = at("2026-11-24T09:00:00Z");
    let found = history(&done(), &deployed, tuesday);
    assert_eq!(found[0].status, Status::Problem);
    assert_eq!(amiss(&found).len(), 1);
}

#[test]
fn a_vault_that_cannot_be_read_leaves_its_history_unchecked() {
    let found = unseen_history("cannot list runs/ in s3://vault");
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|finding| finding.is_skipped() && finding.status == Status::Warning));
    assert_eq!(found[0].fact, "not checked: cannot list runs/ in s3://vault");
}
