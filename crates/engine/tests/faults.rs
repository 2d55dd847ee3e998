//! Whatever breaks in a backup, wherever: it says so, nothing half made counts, and the next backup succeeds.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{Clinic, Moment, WaitingVault, content, noise, patient, request, text_of};
use async_trait::async_trait;
use gorgen_engine::{
    Error, Kind,
    jobs::{World, backup},
    model::{
        Catalog, ObjectName, RunId, SourceIdentity, StoredObject, StoredObjectKind, Table,
        ValueKind, prefix,
    },
    ports::{Clock, Reader, Snapshot, Source, SourceError, Vault},
    records::run::Outcome,
    stages::rows::{RowBatch, put_value},
    testing::{FailingVault, FakeSource, Fault, FixedClock, row, table},
};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Semaphore, mpsc::Sender},
    time::sleep,
};

/// After the manifest come two writes: the run's record, and the lock given back.
const AFTER_MANIFEST: u64 = 2;

/// A clinic without a vault yet, and one with a backup that has changed since.
async fn clinics() -> [Clinic; 2] {
    let (fresh, changed) = (Clinic::new(), Clinic::new());
    changed.backup().await;
    changed.source.insert("pacientes", [patient(5, 2, "Eva")]);
    changed.pass_a_minute();
    [fresh, changed]
}

async fn run(world: &World, clinic: &Clinic) -> Result<backup::Report, Error> {
    backup::run(world, &clinic.source, &request()).await
}

/// How many writes a backup of this clinic makes, found in a copy of its vault.
async fn writes(clinic: &Clinic) -> u64 {
    let copy = clinic.with_copied_vault().await;
    let counting = FailingVault::new(Arc::new(copy.vault.clone()), 0, Fault::Before);
    run(&copy.world_with(Arc::new(counting.clone())), &copy)
        .await
        .expect("a backup without a fault");
    counting.writes()
}

/// The next backup succeeds, once no lock can be held, and all is well then.
async fn assert_recovers(clinic: &Clinic, what: &str) -> backup::Report {
    clinic.outlast_locks();
    let report = clinic
        .try_backup()
        .await
        .unwrap_or_else(|error| panic!("after {what}: {}", text_of(&error)));
    assert_eq!(clinic.restored(&report.backup).await, content(&clinic.source), "after {what}");
    assert_eq!(clinic.verify().await.problems, [], "after {what}");
    assert_eq!(clinic.backup().await.totals.new_bytes, 0, "after {what}");
    report
}

#[tokio::test]
async fn each_write_may_fail() {
    for fault in [Fault::Before, Fault::After, Fault::Outage] {
        for start in clinics().await {
            let writes = writes(&start).await;
            assert!(writes > 5, "a small backup makes {writes} writes");
            for nth in 1..=writes {
                fail_write(&start.with_copied_vault().await, nth, writes, fault).await;
            }
        }
    }
}

async fn fail_write(clinic: &Clinic, nth: u64, writes: u64, fault: Fault) {
    let what = format!("{fault:?} at write {nth} of {writes}");
    let before = clinic.backups().await.len();
    let failing = FailingVault::new(Arc::new(clinic.vault.clone()), nth, fault);
    let error = run(&clinic.world_with(Arc::new(failing)), clinic).await.expect_err(&what);

    let text = text_of(&error);
    let written = text
        .strip_prefix("cannot write ")
        .and_then(|rest| rest.strip_suffix(" in memory:\na fault that the test asked for"));
    let written = written.unwrap_or_else(|| panic!("{what}: {text:?} does not name the object"));
    assert!(ObjectName::from_listing(written).is_some(), "{what}: {written:?} is no object");
    assert!(error.is_retryable(), "{what}");
    assert_eq!(error.kind(), Kind::Failed, "{what}");

    // The manifest's own write is the only one after whose failure a backup may be there.
    let manifest = writes - AFTER_MANIFEST;
    let exists = nth > manifest || nth == manifest && fault == Fault::After;
    assert_eq!(clinic.backups().await.len() - before, usize::from(exists), "{what}");
    assert_eq!(written.starts_with(prefix::MANIFESTS), nth == manifest, "{what}: {written}");

    let kept = clinic.records().into_iter().find(|record| record.error.join("\n") == text);
    let could_record = nth > 1 && fault != Fault::Outage;
    assert_eq!(kept.is_some(), could_record && nth <= manifest, "{what}");
    assert!(kept.is_none_or(|record| record.outcome == Outcome::Failed));

    let packs = clinic.objects(prefix::PACKS).len();
    let next = assert_recovers(clinic, &what).await;
    if nth >= manifest {
        assert_eq!(next.totals.new_bytes, 0, "{what}: all was stored before the manifest");
        assert_eq!(clinic.objects(prefix::PACKS).len(), packs, "{what}");
    }
    if fault == Fault::Outage && nth > 1 && nth < writes {
        assert!(has_died(clinic), "{what}: a run without a record is found dead");
    }
}

fn has_died(clinic: &Clinic) -> bool {
    clinic.records().iter().any(|record| record.outcome == Outcome::Died)
}

/// As `kill -9` would, at each write: nothing after it is written, not even a record or the lock.
#[tokio::test]
async fn a_run_may_be_killed_at_each_write() {
    for start in clinics().await {
        let writes = writes(&start).await;
        for nth in 1..=writes {
            let clinic = start.with_copied_vault().await;
            let before = clinic.backups().await.len();
            let run = kill(&clinic, nth).await;
            let exists = nth > writes - AFTER_MANIFEST;
            assert_eq!(clinic.backups().await.len() - before, usize::from(exists), "write {nth}");

            let what = format!("a kill at write {nth} of {writes}");
            if nth > 1 {
                let error = clinic.try_backup().await.expect_err(&what);
                assert!(matches!(&error, Error::Locked { .. }), "{what}: {error}");
            }
            assert_recovers(&clinic, &what).await;
            let record =
                clinic.records().into_iter().find(|record| Some(&record.run) == run.as_ref());
            match nth {
                1 => assert!(record.is_none(), "it did not hold the lock, so nobody knows of it"),
                _ if nth == writes => assert_eq!(record.unwrap().outcome, Outcome::Succeeded),
                _ => {
                    let record = record.expect("a record of the dead run");
                    assert_eq!(record.outcome, Outcome::Died);
                    assert_eq!(record.error, ["the run ended without giving its lock back"]);
                }
            }
        }
    }
}

/// Kills a run before its `nth` write, and gives its id if it held the lock.
async fn kill(clinic: &Clinic, nth: u64) -> Option<RunId> {
    let (vault, stop) =
        WaitingVault::stopping(&clinic.vault, move |moment, _| moment == Moment::Write(nth));
    let (world, source) = (clinic.world_with(Arc::new(vault)), clinic.source.clone());
    let task = tokio::spawn(async move { backup::run(&world, &source, &request()).await });
    stop.reached().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let lock = clinic.vault.objects().remove(&ObjectName::lock())?;
    let lease = gorgen_engine::records::lock::Lease::read(&lock).unwrap();
    (!lease.released).then_some(lease.run)
}

#[tokio::test]
async fn a_source_may_break_after_each_row() {
    for rows in 0..=4 {
        let clinic = Clinic::new();
        clinic.source.fail_read("pacientes", Some(rows));
        let error = clinic.try_backup().await.unwrap_err();
        let text =
            "cannot reach the database clinica at memory:3306\na fault that the test asked for";
        assert_eq!(text_of(&error), text, "after {rows} rows");
        assert!(error.is_retryable());
        assert!(clinic.backups().await.is_empty());
        let record = clinic.records().pop().unwrap();
        assert_eq!((record.outcome, record.error.join("\n").as_str()), (Outcome::Failed, text));

        clinic.source.fail_read("pacientes", None);
        clinic.backup().await;
        assert_recovers(&clinic, "a broken source").await;
    }
}

/// Adds a table of so many large rows, which do not compress: each ten make a megabyte.
fn add_images(clinic: &Clinic, rows: u64) {
    let columns = [("id", ValueKind::Number), ("imagem", ValueKind::Bytes)];
    clinic.source.define(table("imagens", &columns, &["id"]));
    let image = |id: u64| {
        let mut image = row(&[Some(&id.to_string())]);
        put_value(&mut image, &noise(id, 100 << 10));
        image
    };
    clinic.source.insert("imagens", (0..rows).map(image));
}

#[tokio::test]
async fn what_a_broken_run_stored_is_used_by_the_next() {
    let clinic = Clinic::new();
    add_images(&clinic, 300);
    let whole = {
        let copy = clinic.with_copied_vault().await;
        copy.backup().await.totals.new_bytes
    };
    clinic.source.fail_read("imagens", Some(280));
    clinic.try_backup().await.unwrap_err();
    clinic.source.fail_read("imagens", None);
    let report = clinic.backup().await;
    assert!(report.totals.new_bytes > 0);
    assert!(report.totals.new_bytes < whole / 2, "{} of {whole}", report.totals.new_bytes);
    assert_recovers(&clinic, "a broken read").await;
}

/// A clock that moves on by a second whenever somebody looks at it.
struct TickingClock(FixedClock);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        self.0.advance(SignedDuration::from_secs(1));
        self.0.now()
    }
}

#[tokio::test]
async fn at_the_deadline_a_backup_stops_and_keeps_what_it_stored() {
    let clinic = Clinic::new();
    add_images(&clinic, 300);
    let whole = clinic.with_copied_vault().await.backup().await.totals.new_bytes;
    clinic.pass_a_minute();
    let deadline = clinic.clock.now() + SignedDuration::from_secs(100);
    let world = World { clock: Arc::new(TickingClock(clinic.clock.clone())), ..clinic.world() };
    let limited = backup::Request { deadline: Some(deadline), ..request() };
    let error = backup::run(&world, &clinic.source, &limited).await.unwrap_err();
    assert!(matches!(error, Error::Deadline), "{error}");
    assert!(error.is_retryable());
    assert!(clinic.clock.now() < deadline + SignedDuration::from_secs(10), "it stopped soon");
    assert!(clinic.backups().await.is_empty());
    let record = clinic.records().pop().unwrap();
    assert_eq!(record.outcome, Outcome::Failed);
    assert_eq!(record.error, [error.to_string()]);
    assert!(!clinic.objects(prefix::PACKS).is_empty());

    let report = clinic.backup().await;
    assert!(report.totals.new_bytes > 0);
    assert!(report.totals.new_bytes < whole * 3 / 4, "{} of {whole}", report.totals.new_bytes);
    assert_recovers(&clinic, "a deadline").await;
}

#[tokio::test]
async fn a_deadline_in_the_future_does_no_harm_and_one_in_the_past_stops_at_once() {
    let clinic = Clinic::new();
    let at = |seconds| Some(clinic.clock.now() + SignedDuration::from_secs(seconds));
    let past = backup::Request { deadline: at(0), ..request() };
    let error = backup::run(&clinic.world(), &clinic.source, &past).await.unwrap_err();
    assert!(matches!(error, Error::Deadline));
    let future = backup::Request { deadline: at(60), ..request() };
    backup::run(&clinic.world(), &clinic.source, &future).await.unwrap();
}

#[tokio::test]
async fn a_definition_that_changes_under_a_read_begins_the_backup_anew() {
    for changes in 1..=2 {
        let clinic = Clinic::new();
        clinic.source.redefine_during_read("pacientes", changes);
        let report = clinic.backup().await;
        assert_eq!(report.attempts, changes + 1);
        assert_eq!(clinic.source.snapshots(), u64::from(changes) + 1);
        let manifest = clinic.manifest(&report.backup).await;
        assert_eq!(
            manifest.catalog,
            crate::support::catalog(&clinic.source).await,
            "the last definition"
        );
        assert_eq!(clinic.restored(&report.backup).await, content(&clinic.source));
    }
}

#[tokio::test]
async fn definitions_that_keep_changing_are_given_up_on() {
    let clinic = Clinic::new();
    clinic.source.redefine_during_read("pacientes", 3);
    let error = clinic.try_backup().await.unwrap_err();
    assert!(matches!(error, Error::Unstable { attempts: 3, .. }), "{error}");
    assert_eq!(error.to_string(), "table pacientes changed while the backup ran, 3 times in a row");
    assert_eq!(error.hint().unwrap(), "run the backup when no schema migration is running");
    assert!(error.is_retryable());
    assert!(clinic.backups().await.is_empty());
    assert_eq!(clinic.records().pop().unwrap().error, [error.to_string()]);
    assert_recovers(&clinic, "changes of definitions").await;
}

/// What happens to a database behind a backup's back.
type Change = fn(&FakeSource);

/// A source before another, which changes definitions once all tables were read, and waits before some reads.
struct Meddling {
    source: FakeSource,
    changes: Mutex<Vec<Change>>,
    gates: Gates,
}

/// Reading `pacientes` begins, and reading `imagens` ends, once there is a permit.
#[derive(Clone)]
struct Gates {
    patients: Arc<Semaphore>,
    images: Arc<Semaphore>,
}

impl Gates {
    fn new(permits: usize) -> Self {
        Self {
            patients: Arc::new(Semaphore::new(permits)),
            images: Arc::new(Semaphore::new(permits)),
        }
    }
}

impl Meddling {
    fn new(source: &FakeSource) -> Self {
        Self { source: source.clone(), changes: Mutex::default(), gates: Gates::new(1) }
    }
}

#[async_trait]
impl Source for Meddling {
    fn identity(&self) -> SourceIdentity {
        self.source.identity()
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.source.check().await
    }

    async fn catalog(&self) -> Result<Catalog, SourceError> {
        self.source.catalog().await
    }

    async fn catalog_since(&self, snapshot: &Catalog) -> Result<Catalog, SourceError> {
        if let Some(change) = self.changes.lock().unwrap().pop() {
            change(&self.source);
        }
        self.source.catalog_since(snapshot).await
    }

    async fn snapshot(&self, readers: usize) -> Result<Snapshot, SourceError> {
        let mut snapshot = self.source.snapshot(readers).await?;
        for reader in &mut snapshot.readers {
            let gates = self.gates.clone();
            take_mut(reader, |inner| Box::new(GatedReader { inner, gates }));
        }
        Ok(snapshot)
    }
}

fn take_mut(slot: &mut Box<dyn Reader>, wrap: impl FnOnce(Box<dyn Reader>) -> Box<dyn Reader>) {
    struct Nothing;
    #[async_trait]
    impl Reader for Nothing {
        async fn read(&mut self, _: &Table, _: Sender<RowBatch>) -> Result<(), SourceError> {
            Ok(())
        }
    }
    *slot = wrap(std::mem::replace(slot, Box::new(Nothing)));
}

struct GatedReader {
    inner: Box<dyn Reader>,
    gates: Gates,
}

#[async_trait]
impl Reader for GatedReader {
    async fn read(&mut self, table: &Table, rows: Sender<RowBatch>) -> Result<(), SourceError> {
        if table.name == "pacientes" {
            drop(self.gates.patients.acquire().await);
        }
        let read = self.inner.read(table, rows.clone()).await;
        if table.name == "imagens" {
            drop(self.gates.images.acquire().await);
        }
        read
    }
}

/// Tables and objects are compared once more after the last row: what was read first may have changed since.
#[tokio::test]
async fn any_definition_that_changes_before_the_end_begins_the_backup_anew() {
    fn view(ddl: &str) -> StoredObject {
        StoredObject {
            kind: StoredObjectKind::View,
            name: "v".to_owned(),
            table: None,
            ddl: ddl.to_owned(),
            definer: None,
            context: gorgen_engine::model::CharsetContext::default(),
            after: None,
        }
    }
    let changes: [(&str, Change); 4] = [
        ("table cid", |source| source.drop_table("cid")),
        ("table nova", |source| {
            source.define(table("nova", &[("id", ValueKind::Number)], &["id"]));
        }),
        ("table pacientes", |source| {
            source.define(table("pacientes", &[("id", ValueKind::Number)], &["id"]));
        }),
        ("view v", |source| source.define_object(view("CREATE VIEW v AS SELECT 1"))),
    ];
    for (what, change) in changes {
        let clinic = Clinic::new();
        clinic.backup().await;
        clinic.pass_a_minute();
        let source = Meddling { changes: vec![change].into(), ..Meddling::new(&clinic.source) };
        let report = backup::run(&clinic.world(), &source, &request()).await.unwrap();
        assert_eq!(report.attempts, 2, "{what}");
        let manifest = clinic.manifest(&report.backup).await;
        assert_eq!(manifest.catalog, crate::support::catalog(&clinic.source).await, "{what}");
    }

    let clinic = Clinic::new();
    let counter: Change = |source| {
        let mut table = crate::support::patients();
        table.ddl.push_str(" AUTO_INCREMENT=9");
        source.define(table);
    };
    let source = Meddling { changes: vec![counter].into(), ..Meddling::new(&clinic.source) };
    let report = backup::run(&clinic.world(), &source, &request()).await.unwrap();
    assert_eq!(report.attempts, 1, "a counter that moves is no change of definition");

    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.pass_a_minute();
    let flip: Change = |source| {
        source.define_object(view(&format!("CREATE VIEW v AS SELECT {}", source.snapshots())));
    };
    let source = Meddling { changes: vec![flip; 3].into(), ..Meddling::new(&clinic.source) };
    let error = backup::run(&clinic.world(), &source, &request()).await.unwrap_err();
    assert_eq!(error.to_string(), "view v changed while the backup ran, 3 times in a row");
    assert_eq!(clinic.backups().await.len(), 1);
}

/// Begins a backup of many images with two readers. In the middle of it one reader finds that a
/// definition changed, while the other has read its last row but not done with it.
///
/// Time stands still, so a `sleep` ends once nothing moves any more.
async fn restart_in_the_middle(
    clinic: &Clinic,
    vault: Arc<dyn Vault>,
    then: impl FnOnce(),
) -> Result<backup::Report, Error> {
    clinic.source.redefine_during_read("pacientes", 1);
    let gates = Gates::new(0);
    let source = Meddling { gates: gates.clone(), ..Meddling::new(&clinic.source) };
    let world = clinic.world_with(vault);
    let request = backup::Request { readers: 2, ..request() };
    let task = tokio::spawn(async move { backup::run(&world, &source, &request).await });
    sleep(Duration::from_secs(1)).await;
    gates.patients.add_permits(1);
    sleep(Duration::from_secs(1)).await;
    gates.images.add_permits(1);
    then();
    task.await.expect("no panic")
}

/// The restart cancels a reader whose packs wait for the vault.
#[tokio::test(start_paused = true)]
async fn a_restart_loses_no_chunk_that_waited_to_be_stored() {
    let clinic = Clinic::new();
    add_images(&clinic, 600);
    let storing = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&storing);
    let vault = WaitingVault::new(Arc::new(clinic.vault.clone()), move |moment, name| {
        let is_pack = name.as_str().starts_with(prefix::PACKS);
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            if is_pack && matches!(moment, Moment::Write(_)) {
                drop(gate.acquire().await);
            }
        })
    });
    let result = restart_in_the_middle(&clinic, Arc::new(vault), || storing.add_permits(1)).await;
    let report = result.unwrap_or_else(|error| panic!("{}", text_of(&error)));
    assert_eq!(report.attempts, 2);
    assert!(clinic.restored(&report.backup).await == content(&clinic.source));
    assert_eq!(clinic.verify().await.problems, []);
}

/// The restart follows upon a pack that could not be stored, which the cancelled reader knew alone.
#[tokio::test(start_paused = true)]
async fn a_restart_stores_again_what_could_not_be_stored() {
    let clinic = Clinic::new();
    add_images(&clinic, 600);
    let writes = writes_in_order(&clinic).await;
    let (pack, _) = writes.iter().find(|(_, name)| name.starts_with(prefix::PACKS)).unwrap();
    let vault = FailingVault::new(Arc::new(clinic.vault.clone()), *pack, Fault::Before);
    let result = restart_in_the_middle(&clinic, Arc::new(vault), || {}).await;
    let report = result.unwrap_or_else(|error| panic!("{}", text_of(&error)));
    assert_eq!(report.attempts, 2);
    assert!(clinic.restored(&report.backup).await == content(&clinic.source));
    assert_eq!(clinic.verify().await.problems, []);
}

/// The numbers and names of the writes that a backup makes.
async fn writes_in_order(clinic: &Clinic) -> Vec<(u64, String)> {
    let copy = clinic.with_copied_vault().await;
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&written);
    let vault = WaitingVault::new(Arc::new(copy.vault.clone()), move |moment, name| {
        if let Moment::Write(number) = moment {
            log.lock().unwrap().push((number, name.to_string()));
        }
        Box::pin(async {})
    });
    run(&copy.world_with(Arc::new(vault)), &copy).await.expect("a backup");
    written.lock().unwrap().clone()
}
