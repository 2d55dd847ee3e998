//! What an export holds equals what was backed up, once the servers' own programs have loaded it.
//!
//! On MariaDB a folder is loaded by Debian's myloader 0.10, which can't log in to MySQL 9: there, and once more
//! on MariaDB, the plain client loads it file by file.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{
    Rows, Server, Workspace, assert_equal,
    oracle::dump,
    server::{Database, needed},
};
use serde_json::{Value, json};

on_each_server!(
    numbers,
    times,
    texts,
    keys,
    columns,
    relations,
    layouts,
    programs,
    names,
    names_with_line_ends,
    line_ends_of_programs,
    an_empty_database,
    a_large_row,
    a_damaged_vault_gives_no_whole_export,
    folders_that_hold_something_are_refused,
);

fn numbers(server: &Server) {
    comes_back(server, "numbers");
}

fn times(server: &Server) {
    comes_back(server, "times");
}

fn texts(server: &Server) {
    comes_back(server, "texts");
}

fn keys(server: &Server) {
    comes_back(server, "keys");
}

fn columns(server: &Server) {
    if !server.is_mariadb() {
        return comes_back(server, "columns");
    }
    let source = server.database("e2e_columns");
    server.load_fixture(&source.name, "columns");
    let exports = Exports::of(server, &source);
    exports.come_back_by_client(server, &source);
    // Debian's myloader makes sequences too late for the defaults that draw from them, and the export says so.
    let warnings = exports.warnings("mydumper").join("\n");
    assert!(
        warnings.contains("sequence invoice_numbers, which myloader before 0.15"),
        "{warnings}"
    );
}

fn relations(server: &Server) {
    comes_back(server, "relations");
}

fn layouts(server: &Server) {
    comes_back(server, "layout");
}

fn programs(server: &Server) {
    server.make_owner();
    comes_back(server, "programs");
}

/// Tables, columns and programs with odd names, in a database with an odd name.
fn names(server: &Server) {
    let source = server.database("clínica `do` Zé 100%/v.2");
    server.load_fixture(&source.name, "names");
    let exports = Exports::of(server, &source);
    let [file] = exports.files("sql").try_into().expect("one file");
    assert!(file.starts_with("cl%C3%ADnica%20%60do%60%20Z%C3%A9%20100%25%2Fv%2E2_"), "{file}");
    let folder = exports.files("mydumper");
    assert!(folder.contains(&"mydumper_0.in%2Fout-schema.sql".to_owned()), "{folder:?}");
    assert!(
        exports.warnings("mydumper").iter().any(|warning| warning.contains("myloader -B NAME"))
    );
    exports.come_back(server, &source);
}

/// Names that the dump programs of the servers stumble over.
fn names_with_line_ends(server: &Server) {
    let source = server.database("e2e \\back\nslash");
    server.sql(
        &source.name,
        "CREATE TABLE `two\nlines` (`co\nlumn` INT NOT NULL PRIMARY KEY, `tab\there` INT); INSERT INTO `two\nlines` VALUES (1, 2);
         CREATE VIEW `v\n1` AS SELECT `co\nlumn` FROM `two\nlines`;
         CREATE TRIGGER `t\n1` BEFORE DELETE ON `two\nlines` FOR EACH ROW SET @a = OLD.`co\nlumn`",
    );
    let exports = Exports::of(server, &source);
    assert!(exports.files("mydumper").contains(&"mydumper_0.two%0Alines-schema.sql".to_owned()));
    let script = "SHOW CREATE TABLE `two\nlines`; SELECT * FROM `v\n1`; SELECT * FROM `two\nlines`; DELETE FROM `two\nlines`; SELECT @a";
    let expected = server.sql(&source.name, script);
    for loaded in [exports.load_file(server), exports.load_folder(server)] {
        assert_eq!(server.sql(&loaded.name, script), expected);
    }
}

/// A body keeps its line ends, and what stands in its strings.
fn line_ends_of_programs(server: &Server) {
    let source = server.database("e2e line ends");
    let body = "BEGIN\r\n  SET @a = 'x;\r\ny';\r\nEND";
    // Through the server: a client would drop carriage returns.
    let create = format!("CREATE PROCEDURE windows() {body}");
    let made =
        client(server, &source.name, &["--binary-mode", "--delimiter=//"], create.as_bytes());
    assert_eq!(made, Ok(String::new()));
    server.sql(
        &source.name,
        "DELIMITER //\nCREATE PROCEDURE strings() BEGIN\n  SELECT 'one;\ntwo' AS a; # it's;\n  SELECT \";\n\" AS b;\nEND //\n\
         SET sql_mode = 'NO_BACKSLASH_ESCAPES' //\nCREATE PROCEDURE bare() BEGIN\n  SELECT '\\;\n' AS c;\nEND //",
    );
    let exports = Exports::of(server, &source);
    assert!(
        exports
            .warnings("sql")
            .iter()
            .any(|warning| warning.contains("windows") && warning.contains("--binary-mode"))
    );
    let spaced = exports.warnings("mydumper").join("\n");
    assert!(spaced.contains("a space was put") && spaced.contains("procedure strings"), "{spaced}");

    let loaded = exports.load_file(server);
    assert_equal(server, &source.name, &loaded.name, Rows::Ordered);
    let loaded = exports.load_folder(server);
    let definition = "SELECT HEX(ROUTINE_DEFINITION) FROM information_schema.ROUTINES \
        WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME = 'windows'";
    assert_eq!(server.value(&loaded.name, definition), server.value(&source.name, definition));
    for (call, printed) in [("strings", "one;\\ntwo\n;\\n\n"), ("bare", "\\\\;\\n\n")] {
        for name in [&source.name, &loaded.name] {
            assert_eq!(server.sql(name, format!("CALL {call}()")), printed, "{call} in {name}");
        }
    }
}

fn an_empty_database(server: &Server) {
    let source = server.database_as("e2e_nothing", "CHARACTER SET latin1 COLLATE latin1_bin");
    let exports = Exports::of(server, &source);
    assert_eq!(
        exports.files("mydumper"),
        [format!("{}-schema-create.sql", source.name), "metadata".to_owned()]
    );
    let loaded = exports.load_file(server);
    assert_equal_defaults(server, &source, &loaded);
}

/// A value of 20 MB, among rows that share statements.
fn a_large_row(server: &Server) {
    let source = server.database("e2e_large");
    server.sql(
        &source.name,
        "CREATE TABLE large (id INT NOT NULL PRIMARY KEY, v LONGBLOB, w LONGTEXT);
         INSERT INTO large SELECT seq.i, REPEAT(CHAR(seq.i % 256), 9000), REPEAT('\\'\\n', 500) FROM
           (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) SELECT i FROM n) seq;
         UPDATE large SET v = REPEAT(UNHEX('00270A5CFF'), 4000000) WHERE id = 300",
    );
    Exports::of(server, &source).come_back(server, &source);
}

/// Without one byte of it, a backup is not exported as if nothing were missing.
fn a_damaged_vault_gives_no_whole_export(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e_damaged"));
    server.sql(&source.name, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    workspace.tool(server, &source).backup();
    let pack = workspace.objects("packs/").remove(0);
    let path = workspace.object(&pack);
    let mut bytes = fs::read(&path).expect("a pack");
    bytes[30] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the owner may");
    fs::write(&path, bytes).expect("the owner may");
    for (format, last) in [("sql", "e2e_damaged.sql"), ("mydumper", "metadata")] {
        let folder = workspace.path().join(format);
        let outcome = workspace
            .keeper()
            .run(&["export", "latest", "--format", format, "--to", text(&folder)])
            .failed(3);
        assert!(outcome.stderr.contains(&format!("{pack} is damaged")), "{}", outcome.stderr);
        assert!(!folder.join(last).exists());
    }
}

fn folders_that_hold_something_are_refused(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e_full"));
    server.sql(&source.name, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY)");
    workspace.tool(server, &source).backup();
    let folder = workspace.path().join("new/folder");
    let export = ["export", "latest", "--format", "sql", "--to", text(&folder)];
    let shown = workspace.keeper().ok(&export).stdout;
    assert!(shown.contains("1 tables, 0 rows") && shown.contains("not encrypted"), "{shown}");
    let again = workspace.keeper().run(&export).failed(4);
    assert!(
        again.stderr.contains("is not empty") && again.stderr.contains("export into a new folder"),
        "{}",
        again.stderr
    );
    let unknown = ["export", "20260101T000000Z-00000000", "--format", "sql", "--to", text(&folder)];
    assert!(workspace.keeper().run(&unknown).failed(1).stderr.contains("there is no backup"));
}

/// Backs up a database with this fixture, exports it both ways, loads both: nothing may differ.
fn comes_back(server: &Server, fixture: &str) {
    let source = server.database(&format!("e2e_{fixture}"));
    server.load_fixture(&source.name, fixture);
    Exports::of(server, &source).come_back(server, &source);
}

/// One backup in both formats.
struct Exports {
    workspace: Workspace,
    reports: Value,
}

impl Exports {
    fn of(server: &Server, source: &Database<'_>) -> Self {
        let workspace = Workspace::new();
        let id = workspace.tool(server, source).backup();
        let reports = ["sql", "mydumper"].map(|format| {
            let folder = workspace.path().join(format);
            let export = ["export", &id, "--format", format, "--to", text(&folder)];
            (format.to_owned(), workspace.keeper().json(&export))
        });
        let exports = Self { reports: Value::Object(reports.into_iter().collect()), workspace };
        for format in ["sql", "mydumper"] {
            exports.matches_its_report(format);
        }
        exports
    }

    /// The files that the report names are there, no others are, and only their owner reads them.
    fn matches_its_report(&self, format: &str) {
        let mut named = self.files(format);
        named.sort();
        let entries = fs::read_dir(self.folder(format))
            .expect("a folder")
            .map(|entry| entry.expect("an entry"));
        let (mut found, mut bytes) = (Vec::new(), 0);
        for entry in entries {
            let metadata = entry.metadata().expect("metadata");
            assert_eq!(metadata.permissions().mode() & 0o77, 0);
            bytes += metadata.len();
            found.push(entry.file_name().into_string().expect("ASCII"));
        }
        found.sort();
        assert_eq!(named, found);
        assert_eq!(self.reports[format]["bytes"], json!(bytes));
    }

    fn folder(&self, format: &str) -> PathBuf {
        self.workspace.path().join(format)
    }

    fn files(&self, format: &str) -> Vec<String> {
        texts_of(&self.reports[format]["files"])
    }

    fn warnings(&self, format: &str) -> Vec<String> {
        texts_of(&self.reports[format]["warnings"])
    }

    /// Loads both, and compares them with the source.
    fn come_back(&self, server: &Server, source: &Database<'_>) {
        self.come_back_by_client(server, source);
        if server.is_mariadb() {
            let loaded = server.database("e2e_loaded");
            myloader(server, &["-B", &loaded.name], &self.folder("mydumper"))
                .expect("myloader loads it");
            assert_like(server, source, &loaded);
            self.loads_under_its_own_name(server, source);
        }
    }

    fn come_back_by_client(&self, server: &Server, source: &Database<'_>) {
        let loaded = self.load_file(server);
        assert_equal(server, &source.name, &loaded.name, Rows::Ordered);
        drop(loaded);
        let loaded = self.load_folder(server);
        assert_like(server, source, &loaded);
    }

    /// With no database named, myloader makes the one that was backed up.
    fn loads_under_its_own_name(&self, server: &Server, source: &Database<'_>) {
        if self.files("mydumper")[0].starts_with("mydumper_") {
            return;
        }
        let (expected, defaults) =
            (dump(server, &source.name, Rows::Ordered), defaults(server, source));
        source.remove();
        myloader(server, &[], &self.folder("mydumper")).expect("myloader loads it");
        assert_lines(&spaceless(expected), &spaceless(dump(server, &source.name, Rows::Ordered)));
        assert_eq!(defaults, self::defaults(server, source));
    }

    /// As the head of the file says.
    fn load_file<'a>(&self, server: &'a Server) -> Database<'a> {
        let loaded = server.database_as("e2e_loaded", "CHARACTER SET latin1");
        let [name] = self.files("sql").try_into().expect("one file");
        let file = fs::read(self.folder("sql").join(name)).expect("a file");
        let said = client(server, &loaded.name, &["--binary-mode", "--comments"], &file);
        assert_eq!(said, Ok(String::new()));
        loaded
    }

    /// As `metadata` says, with the plain client.
    fn load_folder<'a>(&self, server: &'a Server) -> Database<'a> {
        let loaded = server.database("e2e_loaded");
        let files = self.files("mydumper");
        let stages = [
            ("-schema-sequence.sql", ";"),
            ("-schema.sql", ";"),
            (ROWS, ";"),
            ("-schema-post.sql", ";;"),
            ("-schema-view.sql", ";"),
            ("-schema-triggers.sql", ";;"),
        ];
        for (stage, delimiter) in stages {
            let delimiter = format!("--delimiter={delimiter}");
            for name in files.iter().filter(|name| is_of(stage, name)) {
                let file = fs::read(self.folder("mydumper").join(name)).expect("a file");
                let options = ["--binary-mode", "--comments", &delimiter];
                let said = client(server, &loaded.name, &options, &file);
                assert_eq!(said, Ok(String::new()), "{name}");
            }
        }
        loaded
    }
}

/// The files that are of no other kind.
const ROWS: &str = "";

fn is_of(stage: &str, name: &str) -> bool {
    if stage == ROWS {
        !name.contains("-schema") && name != "metadata"
    } else {
        name.ends_with(stage)
    }
}

/// Feeds a client, whose settings are its own.
fn client(
    server: &Server,
    database: &str,
    options: &[&str],
    input: &[u8],
) -> Result<String, String> {
    let mut command = if server.is_mariadb() {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--host=127.0.0.1", "--user=root", "--port", server.port()]);
        command
    } else {
        Command::new(needed("TEST_MYSQL_CLIENT"))
    };
    let child = command
        .args(["--batch", "--skip-column-names", "--max-allowed-packet=256M"])
        .args(options)
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("the client runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || std::io::Write::write_all(&mut stdin, input));
        child.wait_with_output().expect("the client ends")
    });
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Loads a folder with Debian's myloader, which must find nothing to complain about.
fn myloader(server: &Server, options: &[&str], folder: &Path) -> Result<(), String> {
    let output = Command::new("myloader")
        .args([
            "--host=127.0.0.1",
            "--user=root",
            "--port",
            server.port(),
            "--threads=2",
            "--directory",
            text(folder),
        ])
        .args(options)
        .output()
        .expect("myloader runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said) }
}

/// Equal but for the spaces that myloader needs in bodies.
#[track_caller]
fn assert_like(server: &Server, source: &Database<'_>, loaded: &Database<'_>) {
    let [expected, found] =
        [source, loaded].map(|database| spaceless(dump(server, &database.name, Rows::Ordered)));
    assert!(!expected.is_empty(), "an oracle that compares nothing");
    assert_lines(&expected, &found);
    assert_equal_defaults(server, source, loaded);
}

fn spaceless(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| line.strip_suffix("; ").map_or(line.clone(), |rest| format!("{rest};")))
        .collect()
}

#[track_caller]
fn assert_lines(expected: &[String], found: &[String]) {
    let short = |line: Option<&String>| {
        line.map_or("(no line)".to_owned(), |line| line.chars().take(2000).collect())
    };
    for place in 0..expected.len().max(found.len()) {
        assert!(
            expected.get(place) == found.get(place),
            "line {place} is\n{}\nand not\n{}",
            short(found.get(place)),
            short(expected.get(place))
        );
    }
}

#[track_caller]
fn assert_equal_defaults(server: &Server, source: &Database<'_>, loaded: &Database<'_>) {
    assert_eq!(defaults(server, source), defaults(server, loaded));
}

fn defaults(server: &Server, database: &Database<'_>) -> String {
    server.value(&database.name, "SELECT @@character_set_database, @@collation_database")
}

fn texts_of(list: &Value) -> Vec<String> {
    let texts = list.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
