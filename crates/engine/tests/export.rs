//! An export holds every row of a backup and says when it does not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::support::{Clinic, noise};
use gorgen_engine::{
    Error, Kind,
    jobs::export::{self, Layout, Report},
    model::{CharsetContext, StoredObject, StoredObjectKind, ValueKind, prefix},
    ports::{FileWriter, Files, FilesError},
    testing::{row, table},
};

/// A folder in memory, which fails at a file of this name.
#[derive(Clone, Default)]
pub(crate) struct MemoryFiles {
    finished: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    failing: Option<&'static str>,
}

struct MemoryFile {
    files: MemoryFiles,
    name: String,
    content: Vec<u8>,
}

impl MemoryFiles {
    fn failing(name: &'static str) -> Self {
        Self { failing: Some(name), ..Self::default() }
    }

    fn all(&self) -> BTreeMap<String, String> {
        let files = self.finished.lock().unwrap();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        files.iter().map(|(name, bytes)| (name.clone(), text(bytes))).collect()
    }

    fn text(&self, name: &str) -> String {
        let all = self.all();
        all.get(name).unwrap_or_else(|| panic!("{name} among {:?}", all.keys())).clone()
    }
}

impl Files for MemoryFiles {
    fn open(&self) -> Result<(), FilesError> {
        if self.all().is_empty() {
            Ok(())
        } else {
            Err(FilesError::NotEmpty { folder: "memory".to_owned() })
        }
    }

    fn create(&self, name: &str) -> Result<Box<dyn FileWriter>, FilesError> {
        Ok(Box::new(MemoryFile { files: self.clone(), name: name.to_owned(), content: Vec::new() }))
    }
}

impl FileWriter for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        if self.files.failing == Some(self.name.as_str()) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(FilesError::Write { file: self.name.clone(), source });
        }
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), FilesError> {
        let Self { files, name, content } = *self;
        let earlier = files.finished.lock().unwrap().insert(name, content);
        assert_eq!(earlier, None, "names come once each");
        Ok(())
    }
}

fn object(kind: StoredObjectKind, name: &str, ddl: &str) -> StoredObject {
    StoredObject {
        kind,
        name: name.to_owned(),
        table: (kind == StoredObjectKind::Trigger).then(|| "pacientes".to_owned()),
        ddl: ddl.to_owned(),
        definer: None,
        context: CharsetContext::default(),
        after: (kind == StoredObjectKind::Sequence).then(|| format!("DO SETVAL(`{name}`, 7, 0)")),
    }
}

/// The clinic, with odd names and an object of every kind.
fn clinic() -> Clinic {
    let clinic = Clinic::new();
    clinic.source.define(table("a.b/c", &[("x", ValueKind::Bytes)], &[]));
    clinic.source.insert("a.b/c", [row(&[Some("\0\u{1}")])]);
    clinic.source.define(table("vazia", &[("id", ValueKind::Number)], &["id"]));
    for object in [
        object(StoredObjectKind::Sequence, "numeros", "CREATE SEQUENCE `numeros`"),
        object(
            StoredObjectKind::Procedure,
            "limpar",
            "CREATE PROCEDURE `limpar`() BEGIN\nSELECT 1;\nEND",
        ),
        object(StoredObjectKind::View, "lista", "CREATE VIEW `lista` AS select 1 AS `um`"),
        object(
            StoredObjectKind::Trigger,
            "t",
            "CREATE TRIGGER `t` BEFORE INSERT ON `pacientes` FOR EACH ROW SET @a = 1",
        ),
        object(
            StoredObjectKind::Event,
            "noite",
            "CREATE EVENT `noite` ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        ),
    ] {
        clinic.source.define_object(object);
    }
    clinic
}

async fn try_export(clinic: &Clinic, files: &MemoryFiles, layout: Layout) -> Result<Report, Error> {
    export::run(&clinic.world(), Arc::new(files.clone()), "latest", layout).await
}

async fn exported(clinic: &Clinic, layout: Layout) -> (Report, MemoryFiles) {
    let files = MemoryFiles::default();
    clinic.backup().await;
    let report = try_export(clinic, &files, layout).await.expect("an export");
    (report, files)
}

#[tokio::test]
async fn one_file_holds_all_in_the_order_in_which_it_can_be_loaded() {
    let (report, files) = exported(&clinic(), Layout::Sql).await;
    assert_eq!(report.files, ["clinica.sql"]);
    assert_eq!((report.tables, report.rows), (4, 8));
    let text = files.text("clinica.sql");
    assert_eq!(text.len() as u64, report.bytes);
    let order = [
        "-- Backup ",
        "mariadb --binary-mode --comments DATABASE < clinica.sql",
        "SET NAMES utf8mb4;",
        "ALTER DATABASE CHARACTER SET = 'utf8mb4' COLLATE = 'utf8mb4_bin';",
        "CREATE SEQUENCE `numeros`\n;\nDO SETVAL(`numeros`, 7, 0);",
        "CREATE TABLE `a.b/c`",
        "CREATE TABLE `vazia`",
        "INSERT INTO `a.b/c` (`x`) VALUES(0x0001);\n",
        "INSERT INTO `cid` (`codigo`) VALUES('A00')\n,('B01')\n,('A00');\n",
        "_utf8mb4'Caê')",
        "DELIMITER ;;\nCREATE PROCEDURE `limpar`() BEGIN\nSELECT 1;\nEND\n;;\nDELIMITER ;\n",
        "CREATE TRIGGER `t`",
        "CREATE EVENT `noite`",
        "CREATE VIEW `lista` AS SELECT 1 AS `um`;",
        "DROP VIEW IF EXISTS `lista`;",
        "CREATE VIEW `lista` AS select 1 AS `um`\n;",
        "foreign_key_checks = @gorgen_foreign_key_checks",
        "-- Complete: 4 tables, 8 rows\n",
    ];
    let mut rest = text.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} in {rest}"));
        rest = &rest[at + part.len()..];
    }
    assert_eq!(rest, "");
    assert!(!text.contains("INSERT INTO `vazia`") && !text.contains("sandbox"));
}

#[tokio::test]
async fn a_folder_has_the_files_that_myloader_looks_for() {
    let (report, files) = exported(&clinic(), Layout::MyDumper).await;
    let names: Vec<_> = files.all().into_keys().collect();
    assert_eq!(
        names,
        [
            "clinica-schema-create.sql",
            "clinica-schema-post.sql",
            "clinica.a%2Eb%2Fc-schema.sql",
            "clinica.a%2Eb%2Fc.00000.sql",
            "clinica.cid-schema.sql",
            "clinica.cid.00000.sql",
            "clinica.lista-schema-view.sql",
            "clinica.lista-schema.sql",
            "clinica.numeros-schema-sequence.sql",
            "clinica.pacientes-schema-triggers.sql",
            "clinica.pacientes-schema.sql",
            "clinica.pacientes.00000.sql",
            "clinica.vazia-schema.sql",
            "metadata",
        ]
    );
    assert_eq!(report.files.last().map(String::as_str), Some("metadata"));
    let metadata = files.text("metadata");
    for part in [
        "[config]\nquote-character = BACKTICK\n",
        "\n[`clinica`.`a%2Eb%2Fc`]\nreal_table_name=a.b/c\nrows = 1\n",
        "\n[`clinica`.`numeros`]\nreal_table_name=numeros\nis_sequence = 1\n",
        "\n[`clinica`.`lista`]\nreal_table_name=lista\nis_view = 1\n",
        "# GTID: 0-1-1\n",
    ] {
        assert!(metadata.contains(part), "{part} in {metadata}");
    }
    let post = files.text("clinica-schema-post.sql");
    assert!(post.contains("BEGIN\nSELECT 1; \nEND\n;;\n"), "{post}");
    assert!(report.warnings[0].contains("a space was put behind such a `;` in procedure limpar"));
}

/// Later loaders run what begins with `/*!` again elsewhere, and end at such a statement after another one.
#[tokio::test]
async fn what_comes_first_in_a_file_comes_nowhere_else() {
    let (_, files) = exported(&clinic(), Layout::MyDumper).await;
    for (name, text) in files.all().into_iter().filter(|(name, _)| name != "metadata") {
        let lines: Vec<_> = text.lines().collect();
        let heads = lines.iter().take_while(|line| line.starts_with("/*!")).count();
        assert_eq!(heads, 4, "{name}");
        assert!(!lines[heads..].iter().any(|line| line.starts_with("/*!")), "{name}");
        assert!(text.ends_with(";\n"), "{name}");
    }
}

#[tokio::test]
async fn rows_of_many_files_and_chunks_are_all_there() {
    let clinic = Clinic::empty();
    clinic.source.define(table(
        "fotos",
        &[("id", ValueKind::Number), ("dados", ValueKind::Bytes)],
        &["id"],
    ));
    let photo = |id: u64| {
        let mut bytes = row(&[Some(&id.to_string())]);
        gorgen_engine::stages::rows::put_value(&mut bytes, &noise(id, 700_000));
        bytes
    };
    clinic.source.insert("fotos", (0..60).map(photo));
    let (report, files) = exported(&clinic, Layout::MyDumper).await;
    assert_eq!(report.rows, 60);
    let data: Vec<_> =
        files.all().into_iter().filter(|(name, _)| name.starts_with("clinica.fotos.")).collect();
    assert_eq!(data.len(), 2, "84 MB of hex in files of 64 MiB");
    for (_, text) in &data {
        assert!(text.len() <= 64 << 20 && text.starts_with("/*!"));
    }
    let ids = data.iter().flat_map(|(_, text)| text.split("VALUES(").skip(1));
    let ids: Vec<u64> = ids.map(|rest| rest.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn any_damage_ends_an_export_before_it_looks_whole() {
    let clinic = clinic();
    clinic.backup().await;
    let pack = clinic.objects(prefix::PACKS).remove(0);
    let backup = clinic.backups().await.remove(0);
    let parts = clinic.manifest(&backup).await.tables;
    let chunks = parts.iter().flat_map(|part| &part.groups).flat_map(|group| &group.chunks);
    let places: Vec<_> = chunks.map(|chunk| chunk.offset as usize + 5).collect();
    assert!(places.len() >= 3);
    for at in places {
        clinic.vault.corrupt(&pack, |bytes| bytes[at] ^= 1);
        for (layout, last) in [(Layout::Sql, "clinica.sql"), (Layout::MyDumper, "metadata")] {
            let files = MemoryFiles::default();
            let error = try_export(&clinic, &files, layout).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Integrity, "{error}");
            assert!(error.to_string().contains(pack.as_str()), "{error}");
            assert!(!files.all().contains_key(last));
        }
        clinic.vault.corrupt(&pack, |bytes| bytes[at] ^= 1);
    }
}

#[tokio::test]
async fn a_full_disk_and_a_full_folder_end_an_export() {
    let clinic = clinic();
    let (_, full) = exported(&clinic, Layout::Sql).await;
    let error = try_export(&clinic, &full, Layout::Sql).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Refused, "folder memory is not empty".to_owned())
    );
    for (layout, name) in [
        (Layout::Sql, "clinica.sql"),
        (Layout::MyDumper, "clinica.cid.00000.sql"),
        (Layout::MyDumper, "metadata"),
    ] {
        let files = MemoryFiles::failing(name);
        let error = try_export(&clinic, &files, layout).await.unwrap_err();
        assert!(matches!(error, Error::Files(FilesError::Write { .. })), "{error}");
        assert_eq!(error.kind(), Kind::Failed);
    }
}
