//! What a restore test leaves, as the report reads it: held to the test's own report, so that the two can't drift apart.

use gorgen_engine::{
    jobs::{
        report::{self, TestLine},
        restore::Phase,
        restore_test,
    },
    model::{CharsetContext, Place, Relation, RunId, StoredObject, StoredObjectKind},
    policy::rotation::{Pick, Turn},
    records::run::{Job, Outcome, RunRecord},
    testing::{FakeScratch, FakeTarget, RowFault},
};
use jiff::{SignedDuration, tz::TimeZone};

use crate::support::{self, Clinic};

/// A clinic with a foreign key, a view and a function.
fn clinic() -> Clinic {
    let clinic = Clinic::new();
    let mut table = support::patients();
    table.relations.push(Relation {
        name: "paciente_cid".to_owned(),
        columns: vec!["nome".to_owned()],
        parent_database: None,
        parent: "cid".to_owned(),
        parent_columns: vec!["codigo".to_owned()],
    });
    clinic.source.define(table);
    for (kind, name) in [(StoredObjectKind::Function, "dobro"), (StoredObjectKind::View, "agenda")]
    {
        clinic.source.define_object(StoredObject {
            kind,
            name: name.to_owned(),
            table: None,
            ddl: format!("CREATE DEFINER=`app`@`%` {} `{name}`", kind.keyword()),
            definer: Some("app@%".to_owned()),
            context: CharsetContext::default(),
            after: None,
        });
    }
    clinic
}

async fn test(
    clinic: &Clinic,
    spoil: impl Fn(&FakeTarget),
) -> Result<restore_test::Report, gorgen_engine::Error> {
    clinic.pass_a_minute();
    let (scratch, target) =
        (FakeScratch::new("scratch"), FakeTarget::like("scratch", &clinic.source));
    spoil(&target);
    scratch.prepare(target);
    restore_test::run(&clinic.world(), None, &scratch, &restore_test::Request::default()).await
}

async fn told(clinic: &Clinic) -> Vec<TestLine> {
    let (month, now) = ("2026-11".parse().unwrap(), clinic.world().clock.now());
    report::look(&clinic.vault, month, &TimeZone::UTC, now).await.unwrap().restore_tests
}

fn names(phases: &[Phase]) -> Vec<(String, f64)> {
    phases.iter().map(|phase| (phase.name.clone(), phase.seconds)).collect()
}

/// Every number and word of a line is the test's own.
fn assert_same(line: &TestLine, test: &restore_test::Report) {
    assert_eq!(line.run, test.run);
    assert!(line.passed);
    assert_eq!(line.backup.as_ref(), Some(&test.restore.backup));
    assert_eq!(line.tables, test.restore.tables.len() as u64);
    assert_eq!(line.rows, test.restore.rows);
    let counts = (line.foreign_keys, line.objects, line.views);
    assert_eq!(counts, (test.foreign_keys, test.objects, test.views));
    let turn = test.turn.unwrap();
    let pick = serde_json::to_value(turn.pick).unwrap();
    assert_eq!(line.pick.as_deref(), pick.as_str());
    assert_eq!(line.place.as_deref(), Some(turn.place.as_str()));
    assert_eq!(line.seconds.to_bits(), test.seconds.to_bits());
    let phases: Vec<_> =
        line.phases.iter().map(|phase| (phase.name.clone(), phase.seconds)).collect();
    assert_eq!(phases, names(&test.phases));
}

#[tokio::test]
async fn a_report_tells_of_a_restore_test_what_the_test_told_of_itself() {
    let clinic = clinic();
    clinic.backup().await;
    let tested = test(&clinic, |_| ()).await.unwrap();
    assert_eq!((tested.foreign_keys, tested.objects, tested.views), (1, 2, 1));
    assert!(tested.phases.len() > tested.restore.phases.len());
    let lines = told(&clinic).await;
    assert_eq!(lines.len(), 1);
    assert_same(&lines[0], &tested);

    // And with a number of its own in each place.
    clinic.clock.advance(SignedDuration::from_hours(1));
    let now = clinic.world().clock.now();
    let other = restore_test::Report {
        run: RunId::new(now, [7; 4]),
        turn: Some(Turn { pick: Pick::Random, place: Place::Replica }),
        foreign_keys: 87,
        objects: 31,
        views: 12,
        seconds: 168.25,
        ..tested
    };
    let mut record =
        RunRecord::new(other.run.clone(), Job::RestoreTest, Outcome::Succeeded, now, now);
    record.summary = Some(serde_json::to_value(&other).unwrap());
    let name = gorgen_engine::model::ObjectName::run(&other.run);
    clinic.world().vault.put(&name, record.write().unwrap()).await.unwrap();
    let lines = told(&clinic).await;
    assert_same(&lines[1], &other);
}

#[tokio::test]
async fn a_report_tells_which_backup_a_restore_test_could_not_prove() {
    let clinic = clinic();
    let backup = clinic.backup().await;
    test(&clinic, |target| target.spoil_row("cid", RowFault::Lost)).await.unwrap_err();
    let lines = told(&clinic).await;
    assert_eq!(lines.len(), 1);
    let TestLine { passed, backup: of, pick, place, objects, .. } = &lines[0];
    assert!(!passed);
    assert_eq!(of.as_ref(), Some(&backup.backup));
    assert_eq!((pick.as_deref(), place.as_deref()), (Some("latest"), Some("vault")));
    assert_eq!(*objects, 0, "nothing was proved");
}
