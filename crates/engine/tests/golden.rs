//! A vault of format version 1 that was made once, and must be readable for ever.
//!
//! It lies in `tests/golden/v1`, an object a file. Only a change of the format before its first release
//! may replace it:
//!
//! ```text
//! cargo test -p gorgen-engine --features testing --test engine -- --ignored golden::regenerate
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::support::{Clinic, Content, content, reading, request, restoring};
use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use gorgen_engine::{
    jobs::{World, backup, backups, restore, verify},
    model::{
        CharsetContext, ObjectName, Relation, StoredObject, StoredObjectKind, Table, ValueKind,
    },
    ports::{DataKey, Entropy, KeyContext, Keyring, KeyringError, Vault, WrappedKey},
    stages::rows::put_value,
    testing::{FakeSource, FakeTarget, SeededEntropy, row, table},
};
use jiff::SignedDuration;

/// When its backups were made.
const MADE: [&str; 2] = ["2026-11-23T06:01:00Z", "2026-12-01T06:01:00Z"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// Keeps data keys in clear: what is to last for ever here is the format, not the secret.
struct ClearKeyring;

#[async_trait]
impl Keyring for ClearKeyring {
    fn describe(&self) -> String {
        "clear".to_owned()
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        wrapped.by == "clear"
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        let mut key = [0; 32];
        SeededEntropy::new(context.key.to_string().bytes().map(u64::from).sum()).fill(&mut key);
        let key = DataKey::new(key);
        let wrapped = self.wrap(&key, context).await?;
        Ok((key, wrapped))
    }

    async fn wrap(&self, key: &DataKey, _: &KeyContext) -> Result<Vec<WrappedKey>, KeyringError> {
        Ok(vec![WrappedKey {
            by: "clear".to_owned(),
            wrapping_key: "none".to_owned(),
            ciphertext: BASE64_STANDARD.encode(key.bytes()),
        }])
    }

    async fn unwrap(&self, wrapped: &WrappedKey, _: &KeyContext) -> Result<DataKey, KeyringError> {
        let bytes = BASE64_STANDARD.decode(&wrapped.ciphertext).expect("base64");
        Ok(DataKey::new(bytes.try_into().expect("32 bytes")))
    }
}

fn world(clinic: &Clinic) -> World {
    World {
        keyring: Arc::new(ClearKeyring),
        tool: "gorgen-backup 0.1.0".to_owned(),
        ..clinic.world()
    }
}

fn patients() -> Table {
    let columns = [
        ("id", ValueKind::Number),
        ("clinica_id", ValueKind::Text),
        ("nome", ValueKind::Text),
        ("foto", ValueKind::Bytes),
    ];
    let mut patients = table("pacientes", &columns, &["id"]);
    patients.relations.push(Relation {
        name: "fk_mae".to_owned(),
        columns: vec!["mae_id".to_owned()],
        parent_database: Some("outra".to_owned()),
        parent: "pacientes".to_owned(),
        parent_columns: vec!["id".to_owned()],
    });
    patients
}

fn patient(id: &str, clinic: Option<&str>, name: &str, photo: Option<&[u8]>) -> Vec<u8> {
    let mut patient = row(&[Some(id), clinic, Some(name)]);
    match photo {
        Some(photo) => put_value(&mut patient, photo),
        None => patient.push(0xfb),
    }
    patient
}

fn trigger() -> StoredObject {
    StoredObject {
        kind: StoredObjectKind::Trigger,
        name: "auditar".to_owned(),
        table: Some("pacientes".to_owned()),
        ddl: "CREATE DEFINER=`ana`@`%` TRIGGER `auditar` BEFORE INSERT ON `pacientes` FOR EACH ROW SET @a = 1".to_owned(),
        definer: Some("ana@%".to_owned()),
        context: CharsetContext {
            sql_mode: Some("STRICT_TRANS_TABLES".to_owned()),
            character_set_client: Some("utf8mb4".to_owned()),
            collation_connection: Some("utf8mb4_bin".to_owned()),
            database_collation: Some("utf8mb4_bin".to_owned()),
            time_zone: None,
        },
        after: None,
    }
}

/// What the database held at the first backup, and at the second.
fn sources() -> [FakeSource; 2] {
    let every_byte: Vec<u8> = (0..=255).collect();
    let long = vec![b'x'; 70_000];
    let first = vec![
        patient("-1", Some("1"), "Ana 😀", Some(&every_byte)),
        patient("2", Some("São Paulo/2"), "", Some(b"")),
        patient("10", Some("1"), "Caê\n'\"\\", None),
        patient("11", None, "ninguém", Some(&long)),
    ];
    let mut second = first.clone();
    second[2] = patient("10", Some("1"), "Caetano", None);
    second.push(patient("12", Some("São Paulo/2"), "Nova", None));
    [first, second].map(|rows| {
        let source = FakeSource::new("clinica");
        source.define(patients());
        source.define(table("cid", &[("codigo", ValueKind::Text)], &[]));
        source.define_object(trigger());
        source.insert("cid", [row(&[Some("A00")]), row(&[None]), row(&[Some("A00")])]);
        source.insert("pacientes", rows);
        source
    })
}

/// Puts the vault's objects into memory, at a time after they were made.
async fn golden() -> Clinic {
    let clinic = Clinic::empty();
    clinic.clock.set("2027-01-01T06:00:00Z".parse().unwrap());
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(folder()).expect("a path in the folder");
            let parts: Vec<_> = relative.iter().map(|part| part.to_str().expect("ASCII")).collect();
            let name = ObjectName::from_listing(&parts.join("/")).expect("the name of an object");
            let bytes = fs::read(path).expect("an object");
            clinic.vault.put(&name, bytes.into()).await.expect("a free name");
        }
    }
    clinic
}

#[tokio::test]
async fn it_is_listed() {
    let clinic = golden().await;
    let listed = backups::list(&clinic.vault).await.unwrap();
    let headers: Vec<_> = listed.into_iter().map(|listed| listed.header.unwrap()).collect();
    let made: Vec<_> = headers.iter().map(|header| header.started.to_string()).collect();
    assert_eq!(made, MADE);
    let rows: Vec<_> =
        headers.iter().map(|header| (header.totals.tables, header.totals.rows)).collect();
    assert_eq!(rows, [(2, 7), (2, 8)]);
    for header in headers {
        assert_eq!(header.source.to_string(), "clinica at memory:3306");
        assert_eq!(header.tool, "gorgen-backup 0.1.0");
    }
}

#[tokio::test]
async fn it_is_whole() {
    let clinic = golden().await;
    let report = verify::run(&world(&clinic), &reading()).await.unwrap();
    assert_eq!(report.problems, []);
    assert_eq!((report.backups.len(), report.unreferenced_packs), (2, 0));
    assert_eq!(report.chunks_read, 6, "four of the first backup, two of the second");
}

#[tokio::test]
async fn it_gives_back_what_was_there() {
    let clinic = golden().await;
    let backups = clinic.backups().await;
    assert_eq!(backups.len(), 2);
    for (backup, source) in backups.iter().zip(sources()) {
        let target = FakeTarget::new("copia");
        let report =
            restore::run(&world(&clinic), &target, backup.as_str(), &restoring()).await.unwrap();
        assert_eq!(report.warnings, [""; 0]);
        let (restored, expected): (Content, Content) =
            (content(target.content()), content(&source));
        assert!(restored == expected, "{backup} gives back something else");
        assert!(target.statements().contains(&trigger().ddl));
        let catalog = crate::support::catalog(&source).await;
        for table in &catalog.tables {
            assert!(target.statements().contains(&table.ddl));
        }
    }
}

/// Rows are spelled, cut and named as they were: a backup of the same rows finds all chunks there.
#[tokio::test]
async fn a_backup_builds_upon_it() {
    let clinic = golden().await;
    let [_, source] = sources();
    let report = backup::run(&world(&clinic), &source, &request()).await.unwrap();
    assert_eq!((report.totals.rows, report.totals.new_bytes), (8, 0));
}

#[tokio::test]
#[ignore = "replaces the vault that must stay readable for ever"]
async fn regenerate() {
    let clinic = Clinic::empty();
    for (made, source) in MADE.iter().zip(sources()) {
        clinic.clock.set(made.parse().unwrap());
        backup::run(&world(&clinic), &source, &request()).await.unwrap();
        clinic.clock.advance(SignedDuration::from_secs(1));
    }
    if folder().exists() {
        fs::remove_dir_all(folder()).unwrap();
    }
    for (name, bytes) in clinic.vault.objects() {
        let path = folder().join(name.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
