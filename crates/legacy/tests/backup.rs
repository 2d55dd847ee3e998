//! From files to a vault and back into a database, to the letter.

use std::{sync::Arc, time::Duration};

use gorgen_engine::{
    jobs::{World, backup, backups, restore, verify},
    ports::Progress,
    testing::{FakeSource, FakeTarget, FixedClock, MemoryKeyring, MemoryVault, SeededEntropy},
};

use crate::support::{FULL, INCREMENTAL, clinic, import_into, opened};

fn world(vault: &MemoryVault) -> World {
    World {
        vault: Arc::new(vault.clone()),
        keyring: Arc::new(MemoryKeyring::new("one", 1)),
        clock: Arc::new(FixedClock::at("2026-11-23T06:00:00Z")),
        entropy: Arc::new(SeededEntropy::new(7)),
        progress: Arc::new(Progress::default()),
        tool: "gorgen-backup 0.0.0".to_owned(),
    }
}

fn live() -> FakeSource {
    let live = FakeSource::new("clinica");
    clinic().tables.into_iter().for_each(|table| live.define(table));
    live
}

fn request() -> backup::Request {
    backup::Request {
        tenant_column: Some("tenant_id".to_owned()),
        readers: 2,
        lease: Duration::from_mins(10),
        deadline: None,
        scheduled: None,
        adopt: false,
        custody: None,
    }
}

#[tokio::test]
async fn imported_files_are_a_backup_that_restores_to_the_letter() {
    let (vault, live) = (MemoryVault::new(), live());
    let world = world(&vault);
    let files = [opened("full", FULL), opened("incremental", INCREMENTAL)];
    let import = import_into(&clinic(), &files).unwrap();
    let imported = import.imported().clone();
    let expected: Vec<_> = import.rows("pacientes").map(<[u8]>::to_vec).collect();
    let report =
        backup::import(&world, &import.into_source(live.clone()), &request(), &imported).await;
    let report = report.unwrap();
    assert_eq!((report.totals.tables, report.totals.rows), (3, 2));
    assert_eq!(report.warnings, imported.notes);

    let target = FakeTarget::new("copia");
    let restoring = restore::Request { connections: 2, ..restore::Request::default() };
    restore::run(&world, &target, report.backup.as_str(), &restoring).await.unwrap();
    assert_eq!(target.content().tables(), ["alergias", "audit_log", "pacientes"]);
    assert_eq!(target.content().rows("pacientes"), expected);
    let header = backups::header(&vault, &report.backup).await.unwrap().unwrap();
    assert_eq!(header.imported, Some(imported));
    let reading = verify::Request { read_data: true, ..verify::Request::default() };
    assert_eq!(verify::run(&world, &reading).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_database_that_changed_since_the_files_were_typed_is_no_place_for_them() {
    let (vault, live) = (MemoryVault::new(), live());
    let world = world(&vault);
    let import = import_into(&clinic(), &[opened("full", FULL)]).unwrap();
    let imported = import.imported().clone();
    let source = import.into_source(live.clone());
    live.drop_table("pacientes");
    let failed = backup::import(&world, &source, &request(), &imported).await.unwrap_err();
    assert!(
        failed.to_string().contains("table pacientes changed while the backup ran"),
        "{failed}"
    );
    assert!(backups::ids(&vault).await.unwrap().is_empty());
}
