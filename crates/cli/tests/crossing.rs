//! A backup of MySQL restored into MariaDB, and the other way: what both can hold is equal, row by row; what the other
//! can't hold is said before anything is made.
//!
//! The oracle asks both servers for every value in hexadecimal digits and knows nothing of the tool.

use std::fmt::Write as _;

use crate::support::{Database, Flavor, Server, Tool, Workspace, server::ident, shown::Shown};

on_each_server!(
    what_both_hold_is_equal,
    numbers_and_times_are_equal,
    documents_are_equal,
    programs_work_on_the_other_side,
    refused_before_anything_is_made,
);

/// A database on one kind of server, its backup, and the other kind of server.
struct Crossing<'a> {
    from: &'a Server,
    to: Server,
    source: Database<'a>,
    workspace: Workspace,
}

impl<'a> Crossing<'a> {
    /// Nothing, with a line that says so, where there is no other server.
    fn begin(from: &'a Server) -> Option<Self> {
        let other = if from.is_mariadb() { Flavor::MySql } else { Flavor::MariaDb };
        let to = Server::of_the_laboratory(other, "crossing")?;
        let source = from.database("crossing");
        Some(Self { from, to, source, workspace: Workspace::new() })
    }

    fn backup(&self) -> String {
        self.workspace.tool(self.from, &self.source).backup()
    }

    /// The tool on the other server, with the same vault.
    fn other_side(&self) -> Tool {
        self.workspace.keeper().with("GORGEN_DATABASE_URL", self.to.url("any"))
    }

    /// Backs up, restores on the other side, and compares every value.
    fn cross(&self, options: &[&str]) -> Database<'_> {
        let (id, target) = (self.backup(), self.to.absent("crossed"));
        let restore = ["restore", &id, "--into", &target.name];
        self.other_side().ok(&[&restore[..], options].concat());
        let (expected, found) = (rows(self.from, &self.source), rows(&self.to, &target));
        assert!(expected.len() > 3, "an oracle that compares nothing: {expected:?}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found);
        }
        assert_eq!(expected.len(), found.len());
        target
    }
}

/// Every row of every table as `table: values`, in an order that depends on nothing but them.
fn rows(server: &Server, database: &Database<'_>) -> Vec<String> {
    let columns = server.sql(
        &database.name,
        "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = DATABASE() ORDER BY BINARY TABLE_NAME, ORDINAL_POSITION",
    );
    let columns: Vec<Vec<&str>> = columns.lines().map(|line| line.split('\t').collect()).collect();
    let of_table = |same: &[Vec<&str>]| {
        let values: Vec<_> = same.iter().map(|column| spelled(column[1], column[2])).collect();
        let table = same[0][0];
        let query = format!("SELECT {} FROM {}", values.join(", "), ident(table));
        let rows = server.sql(&database.name, query);
        let mut rows: Vec<_> = rows.lines().map(|row| format!("{table}: {row}")).collect();
        rows.sort();
        rows
    };
    columns.chunk_by(|one, other| one[0] == other[0]).flat_map(of_table).collect()
}

/// A value as text that shows each bit of it, on either kind of server.
fn spelled(column: &str, data_type: &str) -> String {
    let column = ident(column);
    match data_type {
        "float" | "double" => format!("{column} * 1e0"),
        "bit" => format!("HEX(CAST({column} AS UNSIGNED))"),
        kind if kind.ends_with("blob") || kind.ends_with("binary") => format!("HEX({column})"),
        kind if kind.ends_with("text") && kind != "longtext" => format!("HEX({column})"),
        "varchar" | "char" => format!("HEX({column})"),
        // JSON is a LONGTEXT on MariaDB; enums and sets by their names.
        _ => format!("HEX(CAST({column} AS CHAR))"),
    }
}

/// Columns, keys and foreign keys, as far as both kinds of servers say them in the same words.
fn definitions(server: &Server, database: &Database<'_>) -> String {
    server.sql(
        &database.name,
        "SELECT TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME,
           IF(EXTRA LIKE '%GENERATED', EXTRA, '')
           FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY BINARY TABLE_NAME, ORDINAL_POSITION;
         SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART
           FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() ORDER BY BINARY TABLE_NAME, BINARY INDEX_NAME, SEQ_IN_INDEX;
         SELECT CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
           FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
           ORDER BY 1, ORDINAL_POSITION;
         SELECT CONSTRAINT_NAME, DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE();
         SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE();
         SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL ORDER BY 1",
    )
}

fn what_both_hold_is_equal(from: &Server) {
    let Some(crossing) = Crossing::begin(from) else { return };
    from.load_fixture(&crossing.source.name, "crossing");
    let target = crossing.cross(&[]);
    let expected = definitions(from, &crossing.source);
    assert!(
        expected.contains("filho_pai\tCASCADE") && expected.contains("by_double"),
        "{expected}"
    );
    assert_eq!(expected, definitions(&crossing.to, &target));
    // What they mean, too: the counter goes on, and constraints hold.
    let sql = |text: &str| crossing.to.try_sql(Some(&target.name), text);
    assert_eq!(
        sql("INSERT INTO filhos (preco) VALUES (3); SELECT LAST_INSERT_ID()").unwrap(),
        "77\n"
    );
    assert!(sql("INSERT INTO filhos (preco) VALUES (-1)").unwrap_err().contains("positivo"));
    assert!(sql("INSERT INTO filhos (pa, pb) VALUES (9, 'x')").unwrap_err().contains("filho_pai"));
}

/// Whole numbers, decimals, bits, floats to the last bit; zero dates, days that do not exist, and all fractions.
fn numbers_and_times_are_equal(from: &Server) {
    let Some(crossing) = Crossing::begin(from) else { return };
    from.load_fixture(&crossing.source.name, "numbers");
    from.load_fixture(&crossing.source.name, "times");
    if !from.is_mariadb() {
        // MariaDB does not keep the sign of a zero: that is seen, and nothing is left of the restore.
        let target = crossing.to.absent("zero");
        let id = crossing.backup();
        let args = ["restore", &id, "--into", &target.name];
        let refused = crossing.other_side().run(&args).failed(3);
        assert!(refused.stderr.contains("table reals: all "), "{}", refused.stderr);
        assert!(!target.exists());
        from.sql(
            &crossing.source.name,
            "UPDATE reals SET f = 0, d = 0, f_m = 0, d_m = 0 WHERE f = 0",
        );
    }
    crossing.cross(&[]);
}

/// MySQL's JSON is text with a check on MariaDB, and MariaDB's is that on MySQL.
fn documents_are_equal(from: &Server) {
    let Some(crossing) = Crossing::begin(from) else { return };
    from.sql(
        &crossing.source.name,
        r#"CREATE TABLE documentos (id INT NOT NULL PRIMARY KEY, j JSON);
           INSERT INTO documentos VALUES (1, '{"a": [1, 2.50, 1e100, "ação 😀"], "": null}'), (2, 'null'), (3, NULL),
             (4, '"a \\"quoted\\" \\\\ text"'), (5, '[]')"#,
    );
    let target = crossing.cross(&[]);
    let value = "SELECT JSON_UNQUOTE(JSON_EXTRACT(j, '$.a[3]')) FROM documentos WHERE id = 1";
    assert_eq!(crossing.to.value(&target.name, value), "ação 😀");
    let broken = "INSERT INTO documentos VALUES (9, '{')";
    assert!(crossing.to.try_sql(Some(&target.name), broken).is_err(), "it is still JSON");
}

/// Views, triggers and routines, made under the collation that a client of either side has by default.
fn programs_work_on_the_other_side(from: &Server) {
    let Some(crossing) = Crossing::begin(from) else { return };
    from.sql(
        &crossing.source.name,
        "CREATE TABLE pacientes (id INT NOT NULL PRIMARY KEY, nome VARCHAR(20)); INSERT INTO pacientes VALUES (1, ' Zé ');
         CREATE TABLE log (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, nome VARCHAR(20)); INSERT INTO log VALUES (5, 'a'), (6, '');
         CREATE VIEW nomes AS SELECT id, CONCAT('nº <', TRIM(nome), '>') AS nome FROM pacientes;
         CREATE TRIGGER anotar AFTER INSERT ON pacientes FOR EACH ROW INSERT INTO log (nome) VALUES (NEW.nome);
         CREATE FUNCTION dobro(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
         CREATE PROCEDURE quantos() SELECT COUNT(*) FROM pacientes;",
    );
    let collation = from.value(
        &crossing.source.name,
        "SELECT COLLATION_CONNECTION FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
    );
    let mapping = format!("{collation}=utf8mb4_unicode_ci");
    let options = ["--map-collation", &mapping];
    let is_known = crossing.to.value(
        "",
        &format!("SELECT COUNT(*) FROM information_schema.COLLATIONS WHERE COLLATION_NAME = '{collation}'"),
    );
    let target = crossing.cross(if is_known == "1" { &[] } else { &options });
    let to = &crossing.to;
    assert_eq!(to.value(&target.name, "SELECT nome FROM nomes"), "nº <Zé>");
    to.sql(&target.name, "INSERT INTO pacientes VALUES (2, 'Ana')");
    assert_eq!(to.value(&target.name, "SELECT nome FROM log ORDER BY id DESC LIMIT 1"), "Ana");
    assert_eq!(to.value(&target.name, "SELECT dobro(21)"), "42");
    assert_eq!(to.value(&target.name, "CALL quantos()"), "2");
}

/// What only one kind of server can hold, each alone in a database, and what is said on the other side.
const OF_MYSQL: &[(&str, &str)] = &[
    ("a collation", "CREATE TABLE t (id INT, nome VARCHAR(9)) COLLATE utf8mb4_0900_ai_ci"),
    (
        "a view under a collation",
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_as_cs; CREATE VIEW v AS SELECT 1 AS x",
    ),
    (
        "a trigger under a collation",
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_as_cs; CREATE TABLE t (id INT);
        CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.id = 1",
    ),
    (
        "an index of an expression",
        "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, j JSON, KEY k ((CAST(j ->> '$.n' AS SIGNED))))",
    ),
    ("a vector", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VECTOR(3))"),
];

const OF_MARIADB: &[(&str, &str)] = &[
    ("a UUID", "CREATE TABLE t (id UUID NOT NULL PRIMARY KEY, ip INET6)"),
    ("a collation", "CREATE TABLE t (id INT, nome VARCHAR(9)) COLLATE utf8mb4_uca1400_ai_ci"),
    ("a sequence", "CREATE SEQUENCE s"),
    ("history", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY) WITH SYSTEM VERSIONING"),
    ("a period", "CREATE TABLE t (id INT NOT NULL, a DATE, b DATE, PERIOD FOR p (a, b))"),
    ("a default", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, u VARCHAR(40) DEFAULT UUID())"),
    ("a default of a text", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, x TEXT DEFAULT 'x')"),
    ("an ignored index", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, x INT, KEY k (x) IGNORED)"),
];

fn refused_before_anything_is_made(from: &Server) {
    let contents = if from.is_mariadb() { OF_MARIADB } else { OF_MYSQL };
    let mut said = String::new();
    for (what, content) in contents {
        let Some(crossing) = Crossing::begin(from) else { return };
        from.sql(&crossing.source.name, content);
        let (id, target) = (crossing.backup(), crossing.to.absent("refused"));
        let args = ["restore", &id, "--into", &target.name];
        let refused = crossing.other_side().run(&args).failed(1);
        assert!(!target.exists(), "{what}: a refused restore leaves nothing");
        let shown = Shown::new(&crossing.workspace).server(&crossing.to);
        let _ = writeln!(said, "# {what}\n{}", shown.failure(&refused));
    }
    match from.flavor {
        Flavor::MariaDb => insta::assert_snapshot!(said, @"
        # a UUID
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: column t.id has the type uuid, which MySQL [VERSION] does not know; column t.ip has the type inet6, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a collation
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: table t has the collation utf8mb4_uca1400_ai_ci, which MySQL [VERSION] does not know; column t.nome has the collation utf8mb4_uca1400_ai_ci, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a sequence
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: sequence s: MySQL [VERSION] knows no sequences
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # history
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: table t is system-versioned, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a period
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: table t has a period, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a default
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: column t.u has a kind of default, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a default of a text
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: column t.x has a kind of default, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # an ignored index
        exit status 1
        error: MySQL [VERSION] cannot hold this backup: key k of table t is ignored, which MySQL [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO
        "),
        Flavor::MySql => insta::assert_snapshot!(said, @"
        # a collation
        exit status 1
        error: MariaDB [VERSION] cannot hold this backup: table t has the collation utf8mb4_0900_ai_ci, which MariaDB [VERSION] does not know; column t.nome has the collation utf8mb4_0900_ai_ci, which MariaDB [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a view under a collation
        exit status 1
        error: MariaDB [VERSION] cannot hold this backup: the session that made view v has the collation utf8mb4_0900_as_cs, which MariaDB [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a trigger under a collation
        exit status 1
        error: MariaDB [VERSION] cannot hold this backup: the session that made trigger r has the collation utf8mb4_0900_as_cs, which MariaDB [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # an index of an expression
        exit status 1
        error: MariaDB [VERSION] cannot hold this backup: key k of table t indexes an expression, which MariaDB [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO

        # a vector
        exit status 1
        error: MariaDB [VERSION] cannot hold this backup: column t.v has the type vector(3), which MariaDB [VERSION] does not know
          what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO
        "),
    }
}
