//! Restore tests step by step, as a machine takes them: each step may be lost, come twice, or fail, and `end` comes always.

use std::sync::Arc;

use crate::support::{
    Clinic,
    tested::{self, PREFIX, object, scratch_for},
};
use gorgen_engine::{
    Error,
    jobs::{
        World,
        restore_test::{self, Chosen, Ended, Evidence, Report, Request, TestRun, steps::Steps},
    },
    model::{ObjectName, RunId, StoredObjectKind, ValueKind},
    policy::scratch as names,
    ports::Target,
    records::run::{Job, Outcome},
    testing::{FailingVault, FakeScratch, FakeTarget, Fault, RowFault, row, table},
};
use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};

/// The clinic with a sequence, and a table that is large enough to be loaded by itself.
fn clinic() -> Clinic {
    let clinic = tested::clinic();
    clinic.source.define_object(object(StoredObjectKind::Sequence, "senhas"));
    let columns = [("id", ValueKind::Number), ("dados", ValueKind::Text)];
    clinic.source.define(table("arquivos", &columns, &["id"]));
    let files = (1_u8..=3).map(|id| {
        let letters = crate::support::noise(u64::from(id), 1 << 19);
        let letters: String = letters.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        row(&[Some(&id.to_string()), Some(&letters)])
    });
    clinic.source.insert("arquivos", files);
    clinic
}

/// Takes a test through its steps as the state machine does, with nothing between them but what they say.
struct Machine {
    world: World,
    scratch: FakeScratch,
    target: FakeTarget,
    request: Request,
    run: TestRun,
    /// How often each step is asked for.
    times: usize,
}

impl Machine {
    fn of(clinic: &Clinic) -> Self {
        clinic.pass_a_minute();
        let world = clinic.world();
        let (scratch, target) = scratch_for(clinic);
        let now = world.clock.now();
        let run = TestRun::of_execution("an-execution", now, Some(now));
        Self { world, scratch, target, request: Request::default(), run, times: 1 }
    }

    fn steps(&self) -> Steps<'_> {
        Steps::of(&self.world, None, &self.scratch, &self.request, &self.run)
    }

    /// Asks for a step, and hands on what it said as JSON.
    async fn ask<T: Serialize + DeserializeOwned>(
        &self,
        step: impl AsyncFn(Steps<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 1..self.times {
            step(self.steps()).await?;
        }
        let said = serde_json::to_string(&step(self.steps()).await?).unwrap();
        Ok(serde_json::from_str(&said).unwrap())
    }

    async fn choose(&self) -> Result<Chosen, Error> {
        Ok(self
            .ask(async |steps: Steps<'_>| steps.choose().await)
            .await?
            .expect("something to test"))
    }

    async fn prove(&self, chosen: &Chosen) -> Result<Evidence, Error> {
        let prepared = self.ask(async |steps: Steps<'_>| steps.prepare(chosen).await).await?;
        let mut loaded = Vec::new();
        for group in 0..prepared.groups {
            loaded.push(self.ask(async |steps: Steps<'_>| steps.load(chosen, group).await).await?);
        }
        let proved = self.ask(async |steps: Steps<'_>| steps.prove(chosen).await).await?;
        Ok(Evidence { prepared, loaded, proved })
    }

    /// All steps, and `end` whatever they came to.
    async fn run(&self) -> Ended {
        let chosen = self.choose().await;
        let came_to = match &chosen {
            Ok(chosen) => self.prove(chosen).await,
            Err(error) => Err(told(error)),
        };
        let came_to = came_to.map_err(|error| told(&error));
        let ended = self.steps().end(chosen.as_ref().ok(), came_to).await.unwrap();
        assert_eq!(self.scratch.names().await, Vec::<String>::new());
        ended
    }
}

/// An error as the machine hands it on.
fn told(error: &Error) -> Error {
    Error::StepFailed { told: crate::support::text_of(error).lines().map(str::to_owned).collect() }
}

#[track_caller]
fn proved(ended: Ended) -> Report {
    match ended {
        Ended::Proved(report) => *report,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn failed(ended: Ended) -> Error {
    match ended {
        Ended::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn last_outcome(clinic: &Clinic) -> Outcome {
    let record = clinic.records().pop().unwrap();
    assert_eq!(record.job, Job::RestoreTest);
    record.outcome
}

#[tokio::test]
async fn step_by_step_proves_the_same_as_all_at_once() {
    let clinic = clinic();
    clinic.backup().await;
    let (one, other) = (clinic.with_copied_vault().await, clinic.with_copied_vault().await);
    let machine = Machine::of(&one);
    let chosen = machine.choose().await.unwrap();
    assert!(machine.prove(&chosen).await.unwrap().loaded.len() > 1, "several groups");
    let by_steps = proved(machine.run().await);

    let (scratch, _) = scratch_for(&other);
    let asked = Request { scheduled: machine.run.scheduled, ..Request::default() };
    let at_once = restore_test::run(&other.world(), None, &scratch, &asked).await.unwrap();

    let run = |report: &Report| Report {
        run: machine.run.run.clone(),
        restore: restore_test_of(&machine.run.run, report),
        ..report.clone()
    };
    assert_eq!(run(&by_steps), run(&at_once));
    for (clinic, report) in [(&one, &by_steps), (&other, &at_once)] {
        let record = clinic.records().pop().unwrap();
        assert_eq!((&record.run, record.outcome), (&report.run, Outcome::Succeeded));
        assert_eq!((record.scheduled, record.started), (asked.scheduled, machine.run.started));
        let kept: Report = serde_json::from_value(record.summary.unwrap()).unwrap();
        assert_eq!(kept, *report);
    }
}

/// The restore that is part of a test, as if it were of this run.
fn restore_test_of(run: &RunId, report: &Report) -> gorgen_engine::jobs::restore::Report {
    let (restore, run) = (run.clone(), run.clone());
    gorgen_engine::jobs::restore::Report { restore, run, ..report.restore.clone() }
}

#[tokio::test]
async fn the_recovery_time_is_from_opening_the_backup_until_all_is_proved() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    let pass = |minutes| clinic.clock.advance(SignedDuration::from_mins(minutes));
    let chosen = machine.choose().await.unwrap();
    pass(10);
    let prepared = machine.steps().prepare(&chosen).await.unwrap();
    pass(20);
    let mut loaded = Vec::new();
    for group in 0..prepared.groups {
        loaded.push(machine.steps().load(&chosen, group).await.unwrap());
    }
    pass(30);
    let proved_now = machine.steps().prove(&chosen).await.unwrap();
    pass(40);
    let evidence = Evidence { prepared, loaded, proved: proved_now };
    let report = proved(machine.steps().end(Some(&chosen), Ok(evidence)).await.unwrap());
    assert!((report.seconds - 50.0 * 60.0).abs() < f64::EPSILON, "{}", report.seconds);
}

#[tokio::test]
async fn every_step_may_come_twice() {
    let clinic = clinic();
    clinic.backup().await;
    let once = proved(Machine::of(&clinic.with_copied_vault().await).run().await);
    let twice = proved(Machine { times: 2, ..Machine::of(&clinic) }.run().await);
    assert_eq!(twice.restore.tables, once.restore.tables);
    assert_eq!((twice.objects, twice.views, twice.foreign_keys), (4, 1, 1));
    assert_eq!(last_outcome(&clinic), Outcome::Succeeded);
}

#[tokio::test]
async fn a_step_that_was_lost_in_the_middle_is_taken_again() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    let chosen = machine.choose().await.unwrap();
    let prepared = machine.steps().prepare(&chosen).await.unwrap();
    let (mut loaded, mut lost) = (Vec::new(), 0);
    // The second load of the first group: what came before it is there by then.
    machine.target.fail_load(2);
    for group in 0..prepared.groups {
        let mut tried = machine.steps().load(&chosen, group).await;
        if tried.is_err() {
            lost += 1;
            let content = machine.target.content();
            let has_rows = |table: &String| !content.rows(table).is_empty();
            assert!(content.tables().iter().any(has_rows), "half of the group is there");
            tried = machine.steps().load(&chosen, group).await;
        }
        loaded.push(tried.unwrap());
    }
    assert_eq!(lost, 1);
    machine.target.break_at_statement("VIEW `agenda`");
    machine.steps().prove(&chosen).await.unwrap_err();
    machine.target.break_at_statement("no such statement");
    let proved_now = machine.steps().prove(&chosen).await.unwrap();
    let evidence = Evidence { prepared, loaded, proved: proved_now };
    let report = proved(machine.steps().end(Some(&chosen), Ok(evidence)).await.unwrap());
    assert_eq!((report.restore.tables.len(), report.objects), (3, 4));
}

#[tokio::test]
async fn a_failure_of_any_step_is_recorded_and_leaves_no_database() {
    type Spoil = fn(&Machine);
    let spoiled: [(&str, Spoil, bool); 5] = [
        ("list databases", |machine| machine.scratch.refuse_to_list(), false),
        ("create sequence", |machine| machine.target.fail_statement("SEQUENCE"), true),
        ("load table", |machine| machine.target.fail_load(2), true),
        (
            "table cid: 3 rows were backed up, 2 are there",
            |machine| machine.target.spoil_row("cid", RowFault::Lost),
            true,
        ),
        ("point at no row", |machine| machine.target.set_orphans("pacientes", 1), true),
    ];
    for (expected, spoil, was_chosen) in spoiled {
        let clinic = clinic();
        let backup = clinic.backup().await;
        let machine = Machine::of(&clinic);
        spoil(&machine);
        let error = failed(machine.run().await);
        assert!(matches!(error, Error::StepFailed { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(last_outcome(&clinic), Outcome::Failed);
        let record = clinic.records().pop().unwrap();
        assert!(record.error.join("").contains(expected), "{:?}", record.error);
        assert_eq!((&record.run, record.scheduled), (&machine.run.run, machine.run.scheduled));
        let tried = record.summary.map(|summary| summary["backup"].clone());
        let expected = was_chosen.then(|| serde_json::json!(backup.backup));
        assert_eq!(tried, expected, "what was tried is told as far as it is known");
    }
}

#[tokio::test]
async fn a_database_that_does_not_go_is_told_with_the_failure_or_is_one() {
    for fails in [true, false] {
        let clinic = clinic();
        clinic.backup().await;
        let machine = Machine::of(&clinic);
        let chosen = machine.choose().await.unwrap();
        let came_to = machine.prove(&chosen).await;
        machine.target.fail_drop();
        let lines = || vec!["Integrity".to_owned(), "it is damaged".to_owned()];
        let came_to = if fails { Err(Error::StepFailed { told: lines() }) } else { came_to };
        let error = failed(machine.steps().end(Some(&chosen), came_to).await.unwrap());
        let expected = if fails {
            "Integrity: it is damaged; and what was restored so far could not be removed"
        } else {
            "was restored and proved equal, but database scratch_"
        };
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(last_outcome(&clinic), Outcome::Failed);
    }
}

#[tokio::test]
async fn an_end_that_comes_again_changes_nothing() {
    for orphans in [0, 1] {
        let clinic = clinic();
        clinic.backup().await;
        let machine = Machine::of(&clinic);
        machine.target.set_orphans("pacientes", orphans);
        machine.run().await;
        let before = clinic.vault.objects();
        let chosen = machine.choose_again(&clinic).await;
        let other = Error::StepFailed { told: vec!["another".to_owned()] };
        let ended = machine.steps().end(Some(&chosen), Err(other)).await.unwrap();
        let Ended::Before(record) = ended else { panic!("{ended:?}") };
        assert_eq!(*record, clinic.records().pop().unwrap());
        assert_eq!(record.outcome == Outcome::Succeeded, orphans == 0);
        assert_eq!(clinic.vault.objects(), before);
    }
}

impl Machine {
    /// What was chosen, though the schedule was served.
    async fn choose_again(&self, clinic: &Clinic) -> Chosen {
        let run = TestRun { scheduled: None, ..self.run.clone() };
        let world = clinic.world();
        let steps = Steps::of(&world, None, &self.scratch, &self.request, &run);
        steps.choose().await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_record_that_was_not_written_is_written_when_end_comes_again() {
    for (fault, is_ended) in [(Fault::Before, false), (Fault::After, true)] {
        let clinic = clinic();
        clinic.backup().await;
        let failing = FailingVault::new(Arc::new(clinic.vault.clone()), 1, fault);
        let machine =
            Machine { world: clinic.world_with(Arc::new(failing)), ..Machine::of(&clinic) };
        let chosen = machine.choose().await.unwrap();
        let evidence = machine.prove(&chosen).await.unwrap();
        let end = async || machine.steps().end(Some(&chosen), Ok(evidence.clone())).await;
        match (is_ended, end().await) {
            (true, ended) => drop(proved(ended.unwrap())),
            (false, ended) => {
                assert!(ended.unwrap_err().is_retryable());
                assert_eq!(machine.scratch.names().await, Vec::<String>::new());
                proved(end().await.unwrap());
            }
        }
        assert_eq!(last_outcome(&clinic), Outcome::Succeeded);
        assert!(matches!(end().await, Ok(Ended::Before(_))));
    }
}

#[tokio::test]
async fn rows_do_not_stay_there_because_the_vault_is_out_of_reach() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    let chosen = machine.choose().await.unwrap();
    let evidence = machine.prove(&chosen).await.unwrap();
    assert_eq!(machine.scratch.names().await.len(), 1);
    clinic.vault.lose(&ObjectName::identity());
    machine.steps().end(Some(&chosen), Ok(evidence)).await.unwrap_err();
    assert_eq!(machine.scratch.names().await, Vec::<String>::new());
    assert_eq!(clinic.records().len(), 1, "the backup's");
}

#[tokio::test]
async fn a_test_that_did_not_compare_all_has_failed() {
    let spoil: [fn(&mut Evidence); 4] = [
        |evidence| evidence.loaded.truncate(1),
        |evidence| evidence.loaded.push(evidence.loaded[0].clone()),
        |evidence| evidence.loaded[0].rows -= 1,
        |evidence| evidence.loaded[0].raw_bytes += 1,
    ];
    for spoil in spoil {
        let clinic = clinic();
        clinic.backup().await;
        let machine = Machine::of(&clinic);
        let chosen = machine.choose().await.unwrap();
        let mut evidence = machine.prove(&chosen).await.unwrap();
        spoil(&mut evidence);
        let error = failed(machine.steps().end(Some(&chosen), Ok(evidence)).await.unwrap());
        assert!(error.to_string().contains("were compared"), "{error}");
        assert_eq!(last_outcome(&clinic), Outcome::Failed);
        assert_eq!(machine.scratch.names().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_test_of_nothing_fails() {
    let clinic = Clinic::empty();
    clinic.backup().await;
    let error = failed(Machine::of(&clinic).run().await);
    assert!(error.to_string().contains("holds no table"), "{error}");
    assert_eq!(last_outcome(&clinic), Outcome::Failed);
}

#[tokio::test]
async fn a_schedule_that_was_served_is_not_served_again() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    proved(machine.run().await);
    let run = TestRun::of_execution("another", machine.run.started, machine.run.scheduled);
    assert_ne!(run, machine.run);
    assert_eq!(Machine { run, ..machine }.steps().choose().await.unwrap(), None);
}

#[tokio::test]
async fn what_a_dead_test_left_goes_at_the_end_if_it_did_not_at_the_beginning() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    let vault = machine.choose().await.unwrap().vault;
    let dead = RunId::new(machine.run.started - SignedDuration::from_hours(20), [1; 4]);
    let name = names::name(PREFIX, vault, &dead).unwrap();
    let left = FakeTarget::new(&name);
    left.create_database("utf8mb4", "utf8mb4_bin").await.unwrap();
    left.fail_drop();
    machine.scratch.put(&name, left.clone());
    let mut chosen = machine.choose().await.unwrap();
    assert_eq!((&chosen.swept, &chosen.left), (&vec![], &vec![name.clone()]));
    left.allow_drop();
    // Whoever hands on other names drops nothing by that.
    chosen.left.push("clinica".to_owned());
    let live = FakeTarget::new("clinica");
    live.create_database("utf8mb4", "utf8mb4_bin").await.unwrap();
    machine.scratch.put("clinica", live);
    let evidence = machine.prove(&chosen).await.unwrap();
    let report = proved(machine.steps().end(Some(&chosen), Ok(evidence)).await.unwrap());
    assert_eq!(report.swept, [name]);
    assert_eq!(machine.scratch.names().await, ["clinica"]);
}

#[tokio::test]
async fn a_step_out_of_time_says_so() {
    let clinic = clinic();
    clinic.backup().await;
    let machine = Machine::of(&clinic);
    let chosen = machine.choose().await.unwrap();
    machine.steps().prepare(&chosen).await.unwrap();
    let request = Request { deadline: Some(machine.run.started), ..Request::default() };
    clinic.pass_a_minute();
    let machine = Machine { request, ..machine };
    let steps = machine.steps();
    for error in [
        steps.prepare(&chosen).await.unwrap_err(),
        steps.load(&chosen, 0).await.unwrap_err(),
        steps.prove(&chosen).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Deadline), "{error}");
    }
    let failure = told(&Error::Deadline);
    failed(steps.end(Some(&chosen), Err(failure)).await.unwrap());
    assert_eq!(machine.scratch.names().await, Vec::<String>::new());
}
