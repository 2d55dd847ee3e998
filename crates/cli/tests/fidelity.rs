//! What is restored equals what was backed up: every trap of MySQL, on real servers, by the server's own dump program.
//!
//! The fixtures in `sql/` are the traps; where a restored database must not only look right but behave so, the
//! test is here.

use std::fmt::Write as _;

use crate::support::{
    Rows, Server, Workspace, assert_equal,
    server::{Database, ident},
};

on_each_server!(
    numbers,
    floats_keep_every_bit,
    times,
    texts_and_bytes,
    keys_and_counters,
    columns_of_all_kinds,
    foreign_keys,
    names,
    names_that_others_stumble_over,
    layouts,
    programs,
    packages_are_named,
    histories_are_named,
    programs_behave_as_before,
    counters_go_on,
    stored_times_are_not_touched,
    invalid_views_are_named,
    programs_of_unknown_accounts,
    definers_are_stripped_or_replaced,
    some_tables_only,
    mapped_collations,
    tenants_and_keyless_tables,
    defaults_of_the_database,
    an_empty_database,
    deletes_and_changes_are_seen,
    a_row_of_20_mb,
    heavy_a_million_rows,
    heavy_a_server_with_other_defaults,
);

/// Backs up a database with this fixture and restores it: nothing may differ.
fn comes_back(server: &Server, fixtures: &[&str]) {
    let (workspace, source) = (Workspace::new(), server.database("e2e source"));
    for fixture in fixtures {
        server.load_fixture(&source.name, fixture);
    }
    round_trip(server, &workspace, &source, Rows::Ordered);
}

/// Backup, restore, comparison; gives the restored database.
fn round_trip<'a>(
    server: &'a Server,
    workspace: &Workspace,
    source: &Database<'_>,
    rows: Rows,
) -> Database<'a> {
    let target = server.absent("e2e target");
    let tool = workspace.tool(server, source);
    let id = tool.backup();
    tool.restore(&id, &target);
    assert_equal(server, &source.name, &target.name, rows);
    workspace.keeper().verify_clean();
    target
}

fn numbers(server: &Server) {
    comes_back(server, &["numbers"]);
}

/// The dump program shows six digits of a FLOAT: arithmetic shows the rest, and the sign of a zero.
fn floats_keep_every_bit(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e floats"));
    server.load_fixture(&source.name, "numbers");
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    let bits =
        "SELECT id, f * 1e0, f_u * 1e0, f_m * 1e0, d * 1e0, d_m * 1e0 FROM reals ORDER BY id";
    let (expected, found) = (server.sql(&source.name, bits), server.sql(&target.name, bits));
    assert!(expected.contains("\t33554430\t"), "the oracle shows all digits: {expected}");
    // MariaDB does not keep it.
    let signed = server.is_mariadb() || expected.contains("\t-0\t");
    assert!(signed, "the oracle shows the sign of zero: {expected}");
    assert_eq!(expected, found);
    for (value, column) in [
        ("16777216", "f"),
        ("0.10000000149011612", "f"),
        ("1.401298464324817e-45", "f"),
        ("5e-324", "d"),
    ] {
        let count = format!("SELECT COUNT(*) FROM reals WHERE {column} = {value}");
        assert_eq!(
            server.value(&target.name, &count),
            server.value(&source.name, &count),
            "{value}"
        );
    }
}

fn times(server: &Server) {
    comes_back(server, &["times"]);
}

fn texts_and_bytes(server: &Server) {
    comes_back(server, &["texts"]);
}

fn keys_and_counters(server: &Server) {
    comes_back(server, &["keys"]);
}

fn columns_of_all_kinds(server: &Server) {
    comes_back(server, &["columns"]);
}

/// Circles and self references come back, and a row that points nowhere is reported, not lost.
fn foreign_keys(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e relations"), server.absent("e2e relations"));
    server.load_fixture(&source.name, "relations");
    let tool = workspace.tool(server, &source);
    let report = tool.restore(&tool.backup(), &target);
    assert_equal(server, &source.name, &target.name, Rows::Ordered);
    let warnings: Vec<_> = report["warnings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|text| text.as_str())
        .collect();
    assert_eq!(warnings.len(), 2, "one a foreign key: {warnings:?}");
    for key in ["ch_1", "FOREIGN KEY `x` (,"] {
        let told =
            format!("1 rows of table children point at no row of parents (foreign key {key})");
        assert!(warnings.iter().any(|warning| warning.starts_with(&told)), "{key}: {warnings:?}");
    }
    let child = server.try_sql(Some(&target.name), "INSERT INTO children VALUES (6, 8, 'nobody')");
    assert!(child.is_err(), "the restored foreign keys are enforced");
}

/// Tables, columns, keys and programs with odd names, in a database with an odd name.
fn names(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("clínica `do` Zé 100%/v.2"));
    server.load_fixture(&source.name, "names");
    let tool = workspace.tool(server, &source);
    let (id, target) = (tool.backup(), server.absent("destino `do` Zé 100%/v.2"));
    tool.restore(&id, &target);
    assert_equal(server, &source.name, &target.name, Rows::Ordered);
    // Each table can be asked for by its name.
    for table in [
        "a.b",
        "100%",
        "in/out",
        "..",
        "tick`s",
        "quote's \"here\"",
        "back\\slash",
        "prontuário médico",
    ] {
        let alone = server.absent("e2e one");
        tool.ok(&["restore", &id, "--into", &alone.name, "--table", table]);
        let one = format!("SELECT COUNT(*) FROM {}", ident(table));
        assert_eq!(server.value(&alone.name, &one), "1", "{table}");
    }
    let shown = tool.ok(&["show", &id]).stdout;
    assert!(shown.contains("tick`s") && shown.contains("prontuário médico"), "{shown}");
}

/// Names that the dump programs of the servers stumble over.
fn names_that_others_stumble_over(server: &Server) {
    let (workspace, source, target) = (
        Workspace::new(),
        server.database("e2e \\back 'n \"slash"),
        server.absent("e2e \\0 'n \"tgt"),
    );
    server.sql(
        &source.name,
        "CREATE TABLE `two\nlines` (`co\nlumn` INT NOT NULL PRIMARY KEY, `tab\there` INT, KEY `k\r\n1` (`tab\there`)); INSERT INTO `two\nlines` VALUES (1, 2);
         CREATE VIEW `v\n1` AS SELECT `co\nlumn` FROM `two\nlines`;
         CREATE TRIGGER `t\n1` BEFORE DELETE ON `two\nlines` FOR EACH ROW SET @a = OLD.`co\nlumn`;",
    );
    let tool = workspace.tool(server, &source);
    tool.restore(&tool.backup(), &target);
    let script = "SHOW CREATE TABLE `two\nlines`; SELECT * FROM `v\n1`; SELECT * FROM `two\nlines`; DELETE FROM `two\nlines`; SELECT @a";
    assert_eq!(server.sql(&target.name, script), server.sql(&source.name, script));
}

fn layouts(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e layouts"));
    server.load_fixture(&source.name, "layout");
    let report = workspace.tool(server, &source).json(&["backup"]);
    let warnings = report["warnings"].to_string();
    for table in ["in_memory", "my_isam"] {
        assert!(
            warnings.contains(&format!("table {table} uses")),
            "no snapshot covers {table}: {warnings}"
        );
    }
    round_trip(server, &workspace, &source, Rows::Ordered);
}

fn programs(server: &Server) {
    server.make_owner();
    comes_back(server, &["programs"]);
}

/// What is not covered is said with every backup, never left out in silence.
fn packages_are_named(server: &Server) {
    if !server.is_mariadb() {
        return;
    }
    let (workspace, source) = (Workspace::new(), server.database("e2e packages"));
    server.load_fixture(&source.name, "packages");
    let warnings = workspace.tool(server, &source).json(&["backup"])["warnings"].clone();
    assert_eq!(
        warnings,
        serde_json::json!([
            "package parcel is not backed up",
            "package body parcel is not backed up"
        ])
    );
}

/// The versions that a row had are not part of a backup, and that is said; the rows of today are.
fn histories_are_named(server: &Server) {
    if !server.is_mariadb() {
        return;
    }
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e versions"), server.absent("e2e versions"));
    server.sql(
        &source.name,
        "CREATE TABLE versioned (id INT NOT NULL PRIMARY KEY, v VARCHAR(20), KEY v (v)) WITH SYSTEM VERSIONING;
         INSERT INTO versioned VALUES (1, 'first'), (2, 'stays'); UPDATE versioned SET v = 'second' WHERE id = 1; DELETE FROM versioned WHERE id = 2;
         CREATE TABLE explicit_columns (id INT NOT NULL PRIMARY KEY, v INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
           PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING; INSERT INTO explicit_columns (id, v) VALUES (1, 1);
         CREATE TABLE partly (id INT NOT NULL PRIMARY KEY, kept INT WITH SYSTEM VERSIONING, free INT); INSERT INTO partly VALUES (1, 1, 1); UPDATE partly SET kept = 2;",
    );
    let tool = workspace.tool(server, &source);
    let report = tool.json(&["backup"]);
    for table in ["versioned", "explicit_columns", "partly"] {
        let told = format!(
            "table {table} keeps a history of its rows (system versioning); the history is not backed up"
        );
        assert!(report["warnings"].to_string().contains(&told), "{report:#}");
    }
    tool.restore(report["backup"].as_str().expect("an id"), &target);
    let today = "SELECT * FROM versioned ORDER BY id; SELECT id, v FROM explicit_columns; SELECT * FROM partly;
        SHOW CREATE TABLE versioned; SHOW CREATE TABLE explicit_columns; SHOW CREATE TABLE partly";
    assert_eq!(server.sql(&target.name, today), server.sql(&source.name, today));
}

/// Triggers fire in their order, routines run under their modes, in the copy as in the source; and none fired
/// while the rows were loaded.
fn programs_behave_as_before(server: &Server) {
    server.make_owner();
    let (workspace, source) = (Workspace::new(), server.database("e2e behave"));
    server.load_fixture(&source.name, "programs");
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    assert_eq!(
        server.value(&target.name, "SELECT COUNT(*) FROM log"),
        "0",
        "no trigger fired while rows were loaded"
    );
    let script = "
        UPDATE base SET n = 1 WHERE id = 1;
        INSERT INTO base (id, name, n) VALUES (9, 'Nova', 5);
        DELETE FROM base WHERE id = 2;
        CALL ansi(@a); SET @q = 1; CALL busy(50, @q, @r);
        SELECT @a, @q, @r, twice(21), greeting('Ana');
        SELECT id, name, n, changed IS NULL FROM base ORDER BY id;
        SELECT what FROM log ORDER BY id;
        SELECT * FROM b_both ORDER BY 1; SELECT * FROM ansi_view ORDER BY 1; SELECT * FROM uses_function ORDER BY 1;
        SELECT EVENT_NAME, TIME_ZONE, STARTS, ENDS, EXECUTE_AT, STATUS, ON_COMPLETION, SQL_MODE FROM information_schema.EVENTS
          WHERE EVENT_SCHEMA = DATABASE() ORDER BY 1;";
    let (expected, found) = (server.sql(&source.name, script), server.sql(&target.name, script));
    assert!(expected.contains("a\\\\b") && expected.contains("olá, Ana"), "{expected}");
    assert_eq!(expected, found);
}

/// The next number is the one that the source would give.
fn counters_go_on(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e counters"));
    server.load_fixture(&source.name, "keys");
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    let script = "
        INSERT INTO zero_id (v) VALUES ('next'); SELECT LAST_INSERT_ID();
        INSERT INTO ahead (v) VALUES ('next'); SELECT LAST_INSERT_ID();
        INSERT INTO behind (v) VALUES ('next'); SELECT LAST_INSERT_ID();
        INSERT INTO unique_counter (v) VALUES ('next'); SELECT LAST_INSERT_ID();";
    let (expected, found) = (server.sql(&source.name, script), server.sql(&target.name, script));
    assert_eq!(expected, "8\n123456789012\n91\n6\n", "what the source itself does");
    assert_eq!(expected, found);
}

/// A time that a row would get when it is written anew stays the one that was stored.
fn stored_times_are_not_touched(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e stamped"));
    server.load_fixture(&source.name, "times");
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    let stored = server.value(
        &target.name,
        "SET time_zone = '+00:00'; SELECT changed, changed6 FROM stamped WHERE id = 1",
    );
    assert_eq!(stored, "2002-03-04 05:06:07\t2003-04-05 06:07:08.090807");
}

/// A view of what is no longer there can't be made; it is named when it is backed up or restored, and its text is kept.
fn invalid_views_are_named(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e invalid"), server.absent("e2e invalid"));
    server.sql(
        &source.name,
        "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, gone INT); CREATE TABLE dropped (id INT); INSERT INTO t VALUES (1, 2);
         CREATE VIEW a_fine AS SELECT id FROM t; CREATE VIEW b_broken AS SELECT * FROM dropped; CREATE VIEW c_broken AS SELECT gone FROM t;
         CREATE VIEW d_on_broken AS SELECT * FROM b_broken; CREATE VIEW e_fine AS SELECT id FROM a_fine;
         DROP TABLE dropped; ALTER TABLE t DROP COLUMN gone;",
    );
    let tool = workspace.tool(server, &source);
    let id = tool.backup();
    let report = tool.restore(&id, &target);
    let warnings = report["warnings"].to_string();
    for view in ["b_broken", "c_broken", "d_on_broken"] {
        assert!(
            warnings.contains(&format!("view {view} is invalid and was not restored")),
            "{warnings}"
        );
    }
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(3), "{warnings}");
    assert_eq!(server.value(&target.name, "SELECT * FROM e_fine"), "1");
    let shown = tool.json(&["show", &id]);
    assert!(
        shown["objects"].to_string().contains("b_broken"),
        "the backup holds it: {}",
        shown["objects"]
    );
}

/// Programs may belong to an account that is gone; they still come back as they were. Only a view on such a view can't
/// be made by any means (MariaDB does not even show the view itself in a form that it takes): it is named.
fn programs_of_unknown_accounts(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e nobody"), server.absent("e2e nobody"));
    let gone = format!("`já foi {}`@`10.0.0.%`", std::process::id());
    server.sql(
        &source.name,
        format!(
            "CREATE USER {gone}; GRANT ALL ON *.* TO {gone};
             CREATE TABLE t (id INT NOT NULL PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1);
             CREATE DEFINER={gone} VIEW v AS SELECT id FROM t;
             CREATE DEFINER={gone} TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 9;
             CREATE DEFINER={gone} PROCEDURE p() SELECT 1;
             CREATE DEFINER={gone} EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @a = 1;
             CREATE VIEW w AS SELECT id FROM v;
             DROP USER {gone};"
        ),
    );
    let tool = workspace.tool(server, &source);
    let report = tool.restore(&tool.backup(), &target);
    let whose = definers(server, &target);
    assert!(whose.matches("já foi").count() >= 3, "{whose}");
    let warnings = report["warnings"].as_array().expect("a list");
    let is_view =
        |text: &str| text.starts_with("view w is invalid") || text.starts_with("view v is invalid");
    assert!(warnings.iter().all(|warning| warning.as_str().is_some_and(is_view)), "{warnings:?}");
    assert_eq!(whose.lines().count() + warnings.len(), 5, "{whose} {warnings:?}");
}

/// Who the programs of a database run as.
fn definers(server: &Server, database: &Database<'_>) -> String {
    server.sql(
        &database.name,
        "SELECT CONCAT('view ', TABLE_NAME), DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()
         UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME), DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
         UNION ALL SELECT CONCAT('routine ', ROUTINE_NAME), DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
         UNION ALL SELECT CONCAT('event ', EVENT_NAME), DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()
         ORDER BY 1",
    )
}

fn definers_are_stripped_or_replaced(server: &Server) {
    server.make_owner();
    let (workspace, source) = (Workspace::new(), server.database("e2e definers"));
    server.load_fixture(&source.name, "programs");
    let tool = workspace.tool(server, &source);
    let id = tool.backup();
    server.sql("", "CREATE USER IF NOT EXISTS 'nova dona'@'localhost'; GRANT ALL ON *.* TO 'nova dona'@'localhost'");
    let before = definers(server, &source);
    assert!(before.contains("dona de tudo@localhost") && before.contains("root@"), "{before}");
    // `strip` gives everything to whoever restores; the tool connects over TCP.
    for (option, account) in [("strip", "root@"), ("nova dona@localhost", "nova dona@localhost")] {
        let target = server.absent("e2e definers");
        tool.ok(&["restore", &id, "--into", &target.name, "--definer", option]);
        let after = definers(server, &target);
        assert_eq!(after.lines().count(), before.lines().count(), "{after}");
        assert!(
            after
                .lines()
                .all(|line| line.split('\t').nth(1).is_some_and(|who| who.starts_with(account))),
            "{option}: {after}"
        );
    }
}

/// `--table` restores these tables with their rows and triggers, and says what it leaves out.
fn some_tables_only(server: &Server) {
    server.make_owner();
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e some"), server.absent("e2e some"));
    server.load_fixture(&source.name, "relations");
    server.load_fixture(&source.name, "programs");
    let tool = workspace.tool(server, &source);
    let id = tool.backup();
    let report = tool.json(&[
        "restore",
        &id,
        "--into",
        &target.name,
        "--table",
        "children",
        "--table",
        "base",
        "--table",
        "order",
    ]);
    let tables = server.sql(&target.name, "SHOW FULL TABLES");
    assert_eq!(tables, "base\tBASE TABLE\nchildren\tBASE TABLE\norder\tBASE TABLE\n");
    let rows = "SELECT * FROM children ORDER BY id; SELECT * FROM base ORDER BY id; SELECT * FROM `order` ORDER BY id;
        SELECT TRIGGER_NAME, ACTION_ORDER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1";
    assert_eq!(server.sql(&target.name, rows), server.sql(&source.name, rows));
    let warnings = report["warnings"].to_string();
    for text in [
        "foreign key ch_1 of table children was not restored: table parents was not asked for",
        "view m_middle was not restored: only tables were asked for",
        "procedure busy was not restored: only tables were asked for",
        "event e_zone was not restored: only tables were asked for",
    ] {
        assert!(warnings.contains(text), "{text}: {warnings}");
    }
    assert!(!warnings.contains("foreign key self"), "a table may point at itself: {warnings}");
}

/// `--map-collation` puts one collation in another's place, in the database, its tables and columns; the rows stay.
fn mapped_collations(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e mapped"));
    server.sql(
        &source.name,
        "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a VARCHAR(20), b VARCHAR(20) COLLATE utf8mb4_bin, c VARCHAR(40) DEFAULT 'utf8mb4_unicode_ci',
           d VARCHAR(20) COLLATE utf8mb4_unicode_ci GENERATED ALWAYS AS (a) STORED) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
         INSERT INTO t (id, a, b) VALUES (1, 'ção', 'ÇÃO'), (2, 'CAO', '🩺');
         CREATE VIEW v AS SELECT a COLLATE utf8mb4_unicode_ci AS x FROM t;",
    );
    let tool = workspace.tool(server, &source);
    let (id, target) = (tool.backup(), server.absent("e2e mapped"));
    tool.ok(&[
        "restore",
        &id,
        "--into",
        &target.name,
        "--map-collation",
        "utf8mb4_unicode_ci=utf8mb4_spanish_ci",
    ]);
    let collations = "SELECT COLUMN_NAME, COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'
        AND COLLATION_NAME IS NOT NULL ORDER BY 1; SELECT @@collation_database";
    let expected = "a\tutf8mb4_spanish_ci\nb\tutf8mb4_bin\nc\tutf8mb4_spanish_ci\nd\tutf8mb4_spanish_ci\nutf8mb4_spanish_ci\n";
    assert_eq!(server.sql(&target.name, collations), expected);
    let rows = "SELECT * FROM t ORDER BY id";
    assert_eq!(server.sql(&target.name, rows), server.sql(&source.name, rows));
    assert!(
        server.sql(&target.name, rows).contains("utf8mb4_unicode_ci"),
        "the text that looks like a collation stays"
    );
    assert!(server.sql(&target.name, "SHOW CREATE VIEW v").contains("utf8mb4_spanish_ci"));
}

/// Rows are grouped by tenant; keyless tables keep their duplicates, though not the order of tenants.
fn tenants_and_keyless_tables(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e tenants"), server.absent("e2e tenants"));
    let mut script = "CREATE TABLE keyless (what VARCHAR(20), Tenant_ID INT); CREATE TABLE keyed (id INT NOT NULL PRIMARY KEY, tenant_id VARCHAR(60), v TEXT);
        CREATE TABLE without (id INT NOT NULL PRIMARY KEY, v TEXT); INSERT INTO without VALUES (1, 'a');"
        .to_owned();
    for i in 0..300 {
        let tenant = ["NULL", "1", "2", "-3"][i % 4];
        let name = ["NULL", "''", "'ção/..'", "'Tenant One'"][i % 4];
        let _ = write!(
            script,
            "INSERT INTO keyless VALUES ('{}', {tenant}); INSERT INTO keyed VALUES ({i}, {name}, REPEAT('x', {i}));",
            i % 7
        );
    }
    server.sql(&source.name, script);
    let tool = workspace.tool(server, &source).with("GORGEN_TENANT_COLUMN", "tenant_id");
    let id = tool.backup();
    tool.restore(&id, &target);
    assert_equal(server, &source.name, &target.name, Rows::Unordered);
    let shown = tool.json(&["show", &id]);
    let tenants: Vec<_> = shown["tables"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|table| (table["table"].as_str(), table["tenants"].as_u64()))
        .collect();
    assert_eq!(
        tenants,
        [(Some("keyed"), Some(4)), (Some("keyless"), Some(4)), (Some("without"), Some(1))]
    );
    let wrong =
        workspace.tool(server, &source).with("GORGEN_TENANT_COLUMN", "inquilino").json(&["backup"]);
    assert!(
        wrong["warnings"].to_string().contains("no table has the tenant column inquilino"),
        "{wrong:#}"
    );
}

fn defaults_of_the_database(server: &Server) {
    let (workspace, source) = (
        Workspace::new(),
        server.database_as("e2e latin", "CHARACTER SET latin1 COLLATE latin1_bin"),
    );
    server.sql(&source.name, "CREATE TABLE t (a VARCHAR(10)); INSERT INTO t VALUES ('ção')");
    server.sql(&source.name, "CREATE PROCEDURE p(a VARCHAR(10)) SELECT a");
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    // Into a database that is there, and empty, and has other defaults.
    let empty = server.database_as("e2e empty", "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    let tool = workspace.tool(server, &source);
    tool.restore(&tool.backup(), &empty);
    let columns = "SHOW FULL COLUMNS FROM t; SELECT * FROM t";
    assert_eq!(server.sql(&empty.name, columns), server.sql(&target.name, columns));
}

fn an_empty_database(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e nothing"));
    let target = round_trip(server, &workspace, &source, Rows::Ordered);
    assert_eq!(server.sql(&target.name, "SHOW TABLES"), "");
}

/// Each backup shows its own moment, and the second one stores little that the first one has.
fn deletes_and_changes_are_seen(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e twice"));
    server.sql(
        &source.name,
        format!(
            "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARBINARY(200)) AS {}",
            numbers_up_to(60_000, "SHA2(i, 512)")
        ),
    );
    let (tool, copy) = (workspace.tool(server, &source), server.database("e2e copy"));
    let first = tool.json(&["backup"]);
    server.sql(
        &copy.name,
        format!(
            "CREATE TABLE t LIKE {0}.t; INSERT INTO t SELECT * FROM {0}.t",
            ident(&source.name)
        ),
    );
    let (unchanged, raw) =
        (tool.json(&["backup"]), first["totals"]["raw_bytes"].as_u64().expect("a number"));
    assert!(raw > 7_000_000, "{first:#}");
    assert_eq!(unchanged["totals"]["new_bytes"], 0, "{unchanged:#}");
    server.sql(&source.name, "DELETE FROM t WHERE id = 31415; UPDATE t SET v = 'changed' WHERE id = 59000; INSERT INTO t VALUES (70000, 'new')");
    let changed = tool.json(&["backup"]);
    assert_eq!(changed["totals"]["rows"], 60_000);
    let (new, all) = (
        changed["totals"]["new_bytes"].as_u64().unwrap_or(0),
        changed["totals"]["stored_bytes"].as_u64().unwrap_or(0),
    );
    assert!(0 < new && new < all, "{new} of {all} bytes are new");
    for (backup, equal) in [(&first, &copy), (&unchanged, &copy), (&changed, &source)] {
        let target = server.absent("e2e twice");
        tool.restore(backup["backup"].as_str().expect("an id"), &target);
        assert_equal(server, &equal.name, &target.name, Rows::Ordered);
    }
    workspace.keeper().verify_clean();
}

fn a_row_of_20_mb(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e large"));
    let all_bytes: String = (0..=255).fold(String::new(), |mut hex, byte: u8| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    server.sql(
        &source.name,
        format!(
            "CREATE TABLE large (id INT NOT NULL PRIMARY KEY, b LONGBLOB, t LONGTEXT CHARACTER SET utf8mb4);
             INSERT INTO large VALUES (1, 'small', 'small'), (2, REPEAT(x'{all_bytes}', 81920), NULL), (3, NULL, REPEAT('ação 🩺\\n', 1600000)),
               (4, REPEAT(x'{all_bytes}', 40960), REPEAT('é', 5242880)), (5, 'small', 'small');"
        ),
    );
    let sizes = "SELECT MAX(LENGTH(b)), MAX(LENGTH(t)) FROM large";
    assert_eq!(server.value(&source.name, sizes), "20971520\t19200000");
    round_trip(server, &workspace, &source, Rows::Ordered);
}

fn heavy_a_million_rows(server: &Server) {
    let (workspace, source) = (Workspace::new(), server.database("e2e million"));
    let rows =
        numbers_up_to(1_000_000, "CONCAT('paciente ', i) AS name, i % 97 AS n, i / 8e0 AS d");
    server.sql(&source.name, format!("CREATE TABLE million (id INT NOT NULL PRIMARY KEY, name VARCHAR(40), n INT, d DOUBLE, KEY n (n), UNIQUE KEY name (name)) AS {rows}"));
    assert_eq!(server.value(&source.name, "SELECT COUNT(*) FROM million"), "1000000");
    round_trip(server, &workspace, &source, Rows::Ordered);
}

/// Numbers from 0 as column `id`, and what is computed from `i`.
fn numbers_up_to(end: u32, columns: &str) -> String {
    let digits = "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    let columns =
        if columns.contains(" AS ") { columns.to_owned() } else { format!("{columns} AS v") };
    format!(
        "SELECT i AS id, {columns} FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS i
         FROM {digits} a, {digits} b, {digits} c, {digits} e, {digits} f, {digits} g) numbers WHERE i < {end}"
    )
}

/// A server whose administrator changed every default that a tool may trust: quotes, modes, time zone, packets,
/// and no `LOAD DATA LOCAL`. And a network so slow that the server would hang up.
fn heavy_a_server_with_other_defaults(shared: &Server) {
    let Some(server) = Server::private(shared.flavor, "heavy_a_server_with_other_defaults", &[])
    else {
        return;
    };
    for setting in [
        "local_infile = 0",
        "sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,PAD_CHAR_TO_FULL_LENGTH'",
        "time_zone = '-03:00'",
        "character_set_server = latin1",
        "collation_server = latin1_german1_ci",
        "net_write_timeout = 2",
        "group_concat_max_len = 4",
        "explicit_defaults_for_timestamp = 0",
        "wait_timeout = 3",
        "max_allowed_packet = 67108864",
    ] {
        server.sql("", format!("SET GLOBAL {setting}"));
    }
    server.make_owner();
    for fixture in
        ["numbers", "times", "texts", "keys", "columns", "relations", "names", "layout", "programs"]
    {
        let source = server.database("e2e other");
        let workspace = Workspace::new();
        server.load_fixture(&source.name, fixture);
        round_trip(&server, &workspace, &source, Rows::Ordered);
    }
    a_stalled_reader_is_not_cut_off(&server);
    rows_larger_than_the_packet(&server);
}

/// The tool is stopped for longer than the server waits for a client that does not read.
fn a_stalled_reader_is_not_cut_off(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e stalled"), server.absent("e2e stalled"));
    let rows = numbers_up_to(300_000, "REPEAT(SHA2(i, 256), 4)");
    server.sql(
        &source.name,
        format!("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(300)) AS {rows}"),
    );
    let tool = workspace.tool(server, &source);
    let mut running = tool.start(&["backup", "--json"]);
    crate::support::wait_until("the first pack is there", || {
        !workspace.objects("packs/").is_empty() || !running.is_running()
    });
    assert!(running.is_running(), "the table is too small to be caught in the middle");
    running.signal("STOP");
    std::thread::sleep(std::time::Duration::from_secs(6));
    running.signal("CONT");
    let report = running.outcome().succeeded(&["backup"]).document();
    tool.restore(report["backup"].as_str().expect("an id"), &target);
    assert_equal(server, &source.name, &target.name, Rows::Ordered);
}

/// A row that the target would not take is said before anything is loaded, or loaded all the same; never lost.
fn rows_larger_than_the_packet(server: &Server) {
    let (workspace, source, target) =
        (Workspace::new(), server.database("e2e packet"), server.absent("e2e packet"));
    server.sql(&source.name, "CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, b LONGBLOB); INSERT INTO wide VALUES (1, REPEAT(x'00ff', 3000000))");
    let tool = workspace.tool(server, &source);
    let id = tool.backup();
    server.sql("", "SET GLOBAL max_allowed_packet = 4194304");
    let refused = tool.run(&["restore", &id, "--into", &target.name]).failed(1);
    assert!(
        refused.stderr.contains("table wide") && refused.stderr.contains("max_allowed_packet"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        server.sql("", format!("SHOW DATABASES LIKE '{}'", target.name)),
        "",
        "nothing is left of it"
    );
    // Reading it back needs no less.
    server.sql("", "SET GLOBAL max_allowed_packet = 67108864");
    tool.restore(&id, &target);
}
