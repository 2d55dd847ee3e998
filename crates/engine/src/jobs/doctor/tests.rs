use std::collections::BTreeSet;

use async_trait::async_trait;

use super::*;
use crate::{
    jobs::backup,
    model::{Channel, ClockReading, Flavor, Privilege, Privileges, ServerInfo, Survey, ValueKind},
    ports::SourceError,
    testing::{
        FailingVault, FakeSource, Fault, FixedClock, MemoryKeyring, MemoryVault, SeededEntropy,
        table,
    },
};

/// A surveyor of a good server, or of one that can't be reached.
struct FakeSurveyor {
    identity: SourceIdentity,
    privileges: BTreeSet<Privilege>,
    is_reachable: bool,
}

#[async_trait]
impl Surveyor for FakeSurveyor {
    fn identity(&self) -> SourceIdentity {
        self.identity.clone()
    }

    async fn survey(&self, clock: &dyn Clock) -> Result<Survey, SourceError> {
        if !self.is_reachable {
            let source = std::io::Error::other("connection refused").into();
            let identity = self.identity();
            return Err(SourceError::Unreachable { identity, source });
        }
        let (now, all) = (clock.now(), self.privileges.clone());
        Ok(Survey {
            server: ServerInfo { flavor: Flavor::MySql, version: "8.0.40".to_owned() },
            channel: Channel::Local,
            clock: ClockReading { before: now, server: now, after: now },
            privileges: Privileges {
                account: "gorgen@%".to_owned(),
                on_server: all.clone(),
                on_database: all.clone(),
                on_restored: all,
                reads_routine_table: false,
                has_idle_roles: false,
            },
            binary_log: None,
            max_allowed_packet: 64 << 20,
            local_infile: true,
            collations: [
                "utf8mb4_unicode_ci",
                "utf8mb4_0900_ai_ci",
                "utf8mb4_general_ci",
                "utf8mb4_bin",
            ]
            .map(str::to_owned)
            .into(),
            rows: Vec::new(),
        })
    }
}

/// A clinic with one table, a vault and a keyring in memory.
struct Clinic {
    source: FakeSource,
    surveyor: FakeSurveyor,
    vault: MemoryVault,
    keyring: MemoryKeyring,
    clock: FixedClock,
}

impl Clinic {
    fn new() -> Self {
        let source = FakeSource::new("clinica");
        source.define(table("pacientes", &[("id", ValueKind::Number)], &["id"]));
        let surveyor = FakeSurveyor {
            identity: source.identity(),
            privileges: Privilege::ALL.into_iter().collect(),
            is_reachable: true,
        };
        Self {
            source,
            surveyor,
            vault: MemoryVault::new(),
            keyring: MemoryKeyring::new("one", 1),
            clock: FixedClock::at("2026-11-23T03:00:00Z"),
        }
    }

    fn checkup(&self) -> Checkup<'_> {
        Checkup {
            database: Ok(Database { surveyor: &self.surveyor, source: &self.source }),
            vault: Ok(Arc::new(self.vault.clone())),
            keyring: Ok(Arc::new(self.keyring.clone())),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(7)),
            tenant_column: None,
            readers: 2,
        }
    }

    async fn back_up(&self) -> Result<backup::Report, Error> {
        let world = World {
            vault: Arc::new(self.vault.clone()),
            keyring: Arc::new(self.keyring.clone()),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(8)),
            progress: Arc::new(Progress::default()),
            tool: "test".to_owned(),
        };
        let request = backup::Request {
            tenant_column: None,
            readers: 1,
            lease: Duration::from_mins(1),
            deadline: None,
            scheduled: None,
            adopt: false,
            custody: None,
        };
        backup::run(&world, &self.source, &request).await
    }
}

/// The findings that are not ok, and were made: `check: fact`.
fn amiss(report: &Report) -> Vec<String> {
    let of = |finding: &&Finding| finding.status != Status::Ok && !finding.is_skipped();
    let amiss = report.findings.iter().filter(of);
    amiss
        .map(|finding| format!("{} {}: {}", finding.status.as_str(), finding.check, finding.fact))
        .collect()
}

fn skipped_checks(report: &Report) -> Vec<&'static str> {
    let skipped = report.findings.iter().filter(|finding| finding.is_skipped());
    skipped.map(|finding| finding.check).collect()
}

fn fact<'a>(report: &'a Report, check: &str) -> &'a str {
    let finding = report.findings.iter().find(|finding| finding.check == check);
    &finding.unwrap_or_else(|| panic!("no {check} in {report:#?}")).fact
}

#[tokio::test]
async fn all_is_well_once_there_is_a_backup() {
    let clinic = Clinic::new();
    let report = run(&clinic.checkup()).await;
    assert_eq!(amiss(&report), ["warning last-backup: there is no backup yet"]);
    assert!(!report.has_problem());
    assert_eq!(
        fact(&report, "keyring"),
        "memory:one makes keys and opens them (the vault has none to try)"
    );
    assert_eq!(clinic.vault.objects().len(), 1, "a probe, no key");

    clinic.back_up().await.unwrap();
    let objects = clinic.vault.objects().len();
    let report = run(&clinic.checkup()).await;
    assert_eq!(amiss(&report), [""; 0]);
    assert_eq!(skipped_checks(&report), [""; 0]);
    assert_eq!(fact(&report, "vault"), "memory: holds 1 backup");
    assert_eq!(fact(&report, "vault-owner"), "it belongs to clinica at memory:3306");
    assert!(fact(&report, "keyring").starts_with("memory:one opens the newest key"));
    assert!(fact(&report, "last-backup").contains(" is 0 s old "));
    assert_eq!(
        clinic.vault.objects().len(),
        objects,
        "the probe is replaced, and nothing else written"
    );
}

#[tokio::test]
async fn what_a_database_that_does_not_answer_would_tell_is_not_checked() {
    let mut clinic = Clinic::new();
    clinic.surveyor.is_reachable = false;
    clinic.back_up().await.unwrap();
    let checkup = Checkup { tenant_column: Some("clinica_id"), ..clinic.checkup() };
    let report = run(&checkup).await;
    let expected =
        "problem database: cannot reach the database clinica at memory:3306: connection refused";
    assert_eq!(amiss(&report), [expected]);
    let skipped = skipped_checks(&report);
    assert_eq!(skipped.len(), SURVEYED.len() + 4);
    assert!(skipped.contains(&"backup-privileges") && skipped.contains(&"tenant-column"));
    assert!(report.has_problem());
}

#[tokio::test]
async fn without_privileges_definitions_are_not_asked_for() {
    let mut clinic = Clinic::new();
    clinic.surveyor.privileges.remove(&Privilege::ShowView);
    clinic.surveyor.privileges.remove(&Privilege::Create);
    let report = run(&clinic.checkup()).await;
    assert_eq!(
        skipped_checks(&report),
        [
            "restore-definers",
            "restore-routines",
            "definitions",
            "engines",
            "keys",
            "character-sets"
        ]
    );
    assert!(fact(&report, "backup-privileges").contains("lacks SHOW VIEW"));
}

#[tokio::test]
async fn settings_that_are_missing_leave_nothing_to_look_at() {
    let clinic = Clinic::new();
    let checkup = Checkup {
        database: Err(Absent::Setting("GORGEN_DATABASE_URL")),
        vault: Err(Absent::Setting("GORGEN_VAULT")),
        keyring: Err(Absent::Unusable {
            fact: "no key file".to_owned(),
            remedy: "bring it".to_owned(),
        }),
        ..clinic.checkup()
    };
    let report = run(&checkup).await;
    assert_eq!(amiss(&report), ["problem keyring: no key file"]);
    assert_eq!(fact(&report, "clock"), "not checked: it needs GORGEN_DATABASE_URL");
    assert_eq!(fact(&report, "last-backup"), "not checked: it needs GORGEN_VAULT");
}

#[tokio::test]
async fn a_vault_that_takes_no_writes_is_still_read() {
    let clinic = Clinic::new();
    clinic.back_up().await.unwrap();
    let failing = FailingVault::new(Arc::new(clinic.vault.clone()), 1, Fault::Outage);
    let report = run(&Checkup { vault: Ok(Arc::new(failing)), ..clinic.checkup() }).await;
    let expected = "problem vault-writable: cannot write locks/doctor.json in memory:: a fault that the test asked for";
    assert_eq!(amiss(&report), [expected]);
    assert!(fact(&report, "last-backup").contains(" old "));
}

#[tokio::test]
async fn a_keyring_must_open_what_there_is_and_make_what_will_be() {
    let clinic = Clinic::new();
    clinic.back_up().await.unwrap();
    let other = Checkup { keyring: Ok(Arc::new(MemoryKeyring::new("two", 2))), ..clinic.checkup() };
    let report = run(&other).await;
    assert_eq!(amiss(&report).len(), 1);
    assert!(fact(&report, "keyring").contains("is not wrapped for memory:two"));
    let remedy = report.findings.iter().find(|finding| finding.check == "keyring").unwrap();
    assert!(
        remedy.remedy.as_ref().unwrap().contains("the keyring that the vault was written with")
    );

    clinic.keyring.disable(true);
    let report = run(&clinic.checkup()).await;
    let expected = "problem keyring: cannot use memory:one: the key is disabled: a fault that the test asked for";
    assert_eq!(amiss(&report), [expected]);
}

#[tokio::test]
async fn old_damaged_and_failed_backups_are_seen() {
    let clinic = Clinic::new();
    let id = clinic.back_up().await.unwrap().backup;
    clinic.clock.advance(jiff::SignedDuration::from_hours(30));
    clinic.source.fail_read("pacientes", Some(0));
    clinic.back_up().await.unwrap_err();
    let report = run(&clinic.checkup()).await;
    let amiss_now = amiss(&report);
    assert_eq!(amiss_now.len(), 2, "{amiss_now:#?}");
    assert!(amiss_now[0].starts_with("warning last-backup: ") && amiss_now[0].contains("30 h old"));
    assert!(
        amiss_now[1].starts_with("problem last-backup-run: ") && amiss_now[1].contains(" failed: ")
    );

    clinic.vault.corrupt(&ObjectName::manifest(&id), |bytes| bytes.truncate(20));
    clinic.vault.corrupt(&ObjectName::identity(), |bytes| bytes[20] ^= 1);
    clinic.vault.corrupt(&ObjectName::lock(), |bytes| bytes[20] ^= 1);
    let report = run(&clinic.checkup()).await;
    for check in ["vault-owner", "vault-lock", "last-backup"] {
        assert!(fact(&report, check).contains(" is damaged: "), "{check}: {report:#?}");
    }
}

#[tokio::test]
async fn another_databases_vault_is_seen() {
    let clinic = Clinic::new();
    clinic.back_up().await.unwrap();
    let other =
        Clinic { source: FakeSource::new("outra"), vault: clinic.vault.clone(), ..Clinic::new() };
    let report = run(&other.checkup()).await;
    assert_eq!(
        fact(&report, "vault-owner"),
        "the vault belongs to clinica at memory:3306, not to outra at memory:3306"
    );
    assert!(report.has_problem());
}
