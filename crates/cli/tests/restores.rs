//! Restores over the live database: wholly restored or wholly as it was, and undone.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use crate::support::{
    Database, Rows, Server, Tool, Workspace, assert_equal, duration, oracle, server::ident,
};
use serde_json::Value;

on_each_server!(
    a_ruined_database_comes_back_and_goes_again,
    one_table_comes_back_and_its_children_find_it,
    tables_that_point_at_each_other_come_back_together,
    one_tenant_comes_back_and_no_other_is_touched,
    writers_of_other_tenants_lose_nothing,
    a_writer_of_the_same_tenant_comes_before_or_after,
    what_only_grows_is_merged_and_sessions_stay,
    a_staged_restore_waits_until_it_is_promoted,
    nothing_is_replaced_without_the_word,
    a_plan_says_what_would_change_and_changes_nothing,
    a_plan_names_the_rights_that_are_missing,
    a_row_that_would_point_nowhere_stops_it,
    readers_never_see_a_mixture,
    heavy_killed_at_every_moment,
);

/// Patients of two tenants, with everything that makes moving tables hard.
const CLINIC: &str = r"
CREATE TABLE tenants (id INT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB;
CREATE TABLE users (id INT PRIMARY KEY, tenant_id INT NOT NULL, name VARCHAR(40), boss INT,
  KEY (tenant_id), KEY (boss),
  CONSTRAINT users_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT users_boss FOREIGN KEY (boss) REFERENCES users (id)) ENGINE=InnoDB;
CREATE TABLE patients (id INT PRIMARY KEY, tenant_id INT NOT NULL, doctor INT, notes TEXT, visits INT DEFAULT 0,
  last_visit INT, KEY (tenant_id),
  CONSTRAINT patients_doctor FOREIGN KEY (doctor) REFERENCES users (id)) ENGINE=InnoDB;
CREATE TABLE visits (id INT PRIMARY KEY, tenant_id INT NOT NULL, patient INT NOT NULL, amount DECIMAL(15,6),
  KEY (tenant_id),
  CONSTRAINT visits_patient FOREIGN KEY (patient) REFERENCES patients (id)) ENGINE=InnoDB;
ALTER TABLE patients ADD CONSTRAINT patients_last FOREIGN KEY (last_visit) REFERENCES visits (id);
CREATE TABLE items (id INT PRIMARY KEY, visit INT NOT NULL, what JSON,
  CONSTRAINT items_visit FOREIGN KEY (visit) REFERENCES visits (id)) ENGINE=InnoDB;
CREATE TABLE audit_log (id INT PRIMARY KEY, tenant_id INT, entry VARCHAR(80),
  CONSTRAINT audit_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)) ENGINE=InnoDB;
CREATE TABLE user_sessions (id INT PRIMARY KEY, user_id INT,
  CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE=InnoDB;
INSERT INTO tenants VALUES (7, 'Sete'), (8, 'Oito');
INSERT INTO users VALUES (1, 7, 'Ana', NULL), (2, 7, 'Bia', 1), (3, 8, 'Caio', 3);
INSERT INTO patients (id, tenant_id, doctor, notes) VALUES
  (10, 7, 1, 'it''s \\ fine\n'), (11, 7, 2, NULL), (20, 8, 3, 'ção');
INSERT INTO visits VALUES (100, 7, 10, 1.5), (101, 7, 11, 2.25), (200, 8, 20, 3);
UPDATE patients SET last_visit = 100 WHERE id = 10;
INSERT INTO items VALUES (1000, 100, '{}'), (1001, 101, '[]'), (2000, 200, 'null');
INSERT INTO audit_log VALUES (1, 7, 'first'), (2, 8, 'second');
INSERT INTO user_sessions VALUES (1, 1), (2, 3);
CREATE VIEW busy AS SELECT p.id, COUNT(*) AS n FROM patients p JOIN visits v ON v.patient = p.id GROUP BY p.id;
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;
CREATE TRIGGER visits_count AFTER INSERT ON visits FOR EACH ROW UPDATE patients SET visits = visits + 1 WHERE id = NEW.patient;
CREATE TRIGGER patients_audit BEFORE UPDATE ON patients FOR EACH ROW SET NEW.notes = CONCAT(COALESCE(NEW.notes, ''), '!');
";

fn clinic(server: &Server) -> Database<'_> {
    let live = server.database("clinic");
    server.sql(&live.name, CLINIC);
    live
}

fn replace(tool: &Tool, more: &[&str]) -> Value {
    tool.json(&[&["restore", "latest", "--in-place", "--confirm", "RESTAURAR"], more].concat())
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or_else(|| panic!("no {name} in {document:#}"))
}

/// The live database is what this backup holds.
#[track_caller]
fn assert_is(server: &Server, tool: &Tool, live: &Database<'_>, backup: &str) {
    let copy = server.absent("copy");
    tool.restore(backup, &copy);
    assert_equal(server, &copy.name, &live.name, Rows::Ordered);
    copy.remove();
}

/// Databases that a restore made beside the live one.
fn beside(server: &Server, live: &Database<'_>, kind: &str) -> Vec<String> {
    let pattern = format!("{}\\_\\_{kind}\\_%", live.name.replace('_', "\\_"));
    let query = format!(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{pattern}'"
    );
    server.sql("mysql", query).lines().map(str::to_owned).collect()
}

fn drop_beside(server: &Server, live: &Database<'_>) {
    for kind in ["restore", "before"] {
        for name in beside(server, live, kind) {
            server.sql("mysql", format!("DROP DATABASE {}", ident(&name)));
        }
    }
}

fn a_ruined_database_comes_back_and_goes_again(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live);
    let good = tool.backup();
    server.sql(
        &live.name,
        "DELETE FROM items; UPDATE patients SET notes = 'ruined'; SET foreign_key_checks = 0; DROP TABLE visits; \
         CREATE TABLE novel (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO novel VALUES (1); DROP VIEW busy; \
         DROP TRIGGER patients_audit; DROP FUNCTION twice; \
         CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 3 * x; \
         CREATE TRIGGER other AFTER DELETE ON items FOR EACH ROW SET @gone = OLD.id",
    );
    let record = replace(&tool, &[]);
    assert_eq!(text(&record, "stage"), "restored");
    assert_is(server, &tool, &live, &good);
    let ruined = text(&record, "safety_backup");
    assert_eq!(server.value(&live.name, "SELECT twice(2)"), "4");
    // Triggers work, and foreign keys hold.
    server.sql(&live.name, "INSERT INTO visits VALUES (300, 8, 20, 1)");
    assert_eq!(server.value(&live.name, "SELECT visits FROM patients WHERE id = 20"), "1");
    assert!(server.try_sql(Some(&live.name), "INSERT INTO visits VALUES (301, 8, 99, 1)").is_err());
    server.sql(&live.name, "DELETE FROM visits WHERE id = 300");

    let restore = text(&record, "restore");
    let undone = tool.json(&["undo", restore]);
    assert_eq!(text(&undone, "stage"), "undone");
    assert_is(server, &tool, &live, ruined);

    let again = tool.json(&["promote", restore, "--confirm", "RESTAURAR"]);
    assert_eq!(text(&again, "stage"), "restored");
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM visits"), "3");
    drop_beside(server, &live);
}

fn one_table_comes_back_and_its_children_find_it(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live);
    let good = tool.backup();
    server.sql(&live.name, "UPDATE patients SET notes = 'ruined'");
    let record = replace(&tool, &["--table", "patients"]);
    assert_eq!(record["verified"].as_array().expect("a list").len(), 1);
    assert_is(server, &tool, &live, &good);
    drop_beside(server, &live);
    // Children of the old table are led to the new one, or they would point at a table that is gone.
    assert!(server.try_sql(Some(&live.name), "INSERT INTO visits VALUES (301, 8, 99, 1)").is_err());
    server.sql(&live.name, "INSERT INTO visits VALUES (301, 8, 20, 1)");
}

/// Foreign keys in a circle and onto the table itself, children that stay, and a view of a view.
fn tables_that_point_at_each_other_come_back_together(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    server.sql(
        &live.name,
        "ALTER TABLE patients ADD COLUMN guardian INT, ADD CONSTRAINT patients_guardian FOREIGN KEY (guardian) \
           REFERENCES patients (id) ON DELETE SET NULL; UPDATE patients SET guardian = 11 WHERE id IN (10, 11); \
         CREATE VIEW busiest AS SELECT MAX(n) AS n FROM busy",
    );
    let tool = workspace.tool(server, &live);
    let good = tool.backup();
    server.sql(
        &live.name,
        "UPDATE patients SET notes = 'ruined', last_visit = NULL, guardian = NULL; UPDATE visits SET amount = 0",
    );
    let record = replace(&tool, &["--table", "patients", "--table", "visits"]);
    assert_is(server, &tool, &live, &good);
    drop_beside(server, &live);
    assert_eq!(server.value(&live.name, "SELECT n FROM busiest"), "1");
    for (refused, key) in [
        ("UPDATE patients SET last_visit = 99 WHERE id = 10", "patients_last"),
        ("UPDATE patients SET guardian = 99 WHERE id = 10", "patients_guardian"),
        ("UPDATE patients SET doctor = 99 WHERE id = 10", "patients_doctor"),
        ("UPDATE visits SET patient = 99 WHERE id = 100", "visits_patient"),
        ("UPDATE items SET visit = 99 WHERE id = 1000", "items_visit"),
    ] {
        let error = server.try_sql(Some(&live.name), refused).expect_err(key);
        assert!(error.contains(key), "{error}");
    }
    assert!(!record["warnings"].to_string().contains("foreign key"), "{record:#}");
}

fn one_tenant_comes_back_and_no_other_is_touched(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live).with("GORGEN_TENANT_COLUMN", "tenant_id");
    let tool = tool.with("GORGEN_APPEND_ONLY", "audit_log");
    tool.backup();
    let good = server.absent("good");
    tool.restore("latest", &good);
    server.sql(
        &live.name,
        "UPDATE patients SET notes = 'ruined'; DELETE FROM items; DELETE FROM audit_log WHERE id = 1; \
         INSERT INTO audit_log VALUES (3, 7, 'later'); UPDATE visits SET amount = 0",
    );
    let eight = |database: &str| {
        ["patients WHERE tenant_id = 8", "visits WHERE tenant_id = 8", "items WHERE visit = 200"]
            .map(|rows| server.sql(database, format!("SELECT * FROM {rows} ORDER BY id")))
    };
    let seven = |database: &str| {
        ["patients WHERE tenant_id = 7", "visits WHERE tenant_id = 7", "items WHERE visit < 200"]
            .map(|rows| server.sql(database, format!("SELECT * FROM {rows} ORDER BY id")))
    };
    let (others, ruined) = (eight(&live.name), seven(&live.name));
    let record = replace(&tool, &["--tenant", "7"]);
    assert_eq!(text(&record, "stage"), "restored");
    assert_eq!(seven(&live.name), seven(&good.name));
    assert_eq!(eight(&live.name), others, "another tenant's rows were touched");
    let log = "SELECT GROUP_CONCAT(id ORDER BY id) FROM audit_log";
    assert_eq!(
        server.value(&live.name, log),
        "1,2,3",
        "later entries survive, lost ones come back"
    );
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("table tenants is not covered"), "{warnings}");
    let triggers =
        "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()";
    assert_eq!(server.value(&live.name, triggers), "2");

    tool.json(&["undo", text(&record, "restore")]);
    assert_eq!(seven(&live.name), ruined);
    assert_eq!(eight(&live.name), others);
    drop_beside(server, &live);
}

/// What a writer did and was told to be done: numbers of rows that it added, in order, and the last one it took away.
struct Written {
    added: Vec<u32>,
    removed: u32,
}

/// Adds visits of a patient, each in place of the one before, one statement a time, until it is told to stop.
fn keep_writing(
    server: &Server,
    database: &str,
    (tenant, patient): (u32, u32),
    first: u32,
    stop: &AtomicBool,
    removes: bool,
) -> Written {
    let mut written = Written { added: Vec::new(), removed: 0 };
    for id in first.. {
        if stop.load(Relaxed) {
            break;
        }
        let add = format!("INSERT INTO visits VALUES ({id}, {tenant}, {patient}, {id})");
        if server.try_sql(Some(database), add).is_ok() {
            written.added.push(id);
        }
        let remove = format!("DELETE FROM visits WHERE id = {}", id - 1);
        if removes && id > first && server.try_sql(Some(database), remove).is_ok() {
            written.removed = id - 1;
        }
    }
    written
}

/// Restores tenant 7 a few times while `write` is at work.
fn restored_beside<T: Send>(tool: &Tool, write: impl Fn(&AtomicBool) -> T + Sync) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&stop));
        let restored: Vec<_> = (0..3)
            .map(|_| {
                let word = ["restore", "latest", "--in-place", "--confirm", "RESTAURAR"];
                tool.run(&[&word[..], &["--tenant", "7", "--no-safety-backup", "--json"]].concat())
            })
            .collect();
        std::thread::sleep(Duration::from_millis(200));
        stop.store(true, Relaxed);
        let written = writing.join().expect("no panic");
        for outcome in restored {
            outcome.succeeded(&["restore", "--tenant"]);
        }
        written
    })
}

/// With triggers the tables are locked for a moment, without them only rows are: both ways.
fn writers_of_other_tenants_lose_nothing(server: &Server) {
    for triggers in [true, false] {
        let (workspace, live) = (Workspace::new(), clinic(server));
        if !triggers {
            server.sql(&live.name, "DROP TRIGGER visits_count; DROP TRIGGER patients_audit");
        }
        let tool = workspace.tool(server, &live).with("GORGEN_TENANT_COLUMN", "tenant_id");
        tool.backup();
        let seven = "SELECT * FROM patients WHERE tenant_id = 7 ORDER BY id; \
            SELECT * FROM visits WHERE tenant_id = 7 ORDER BY id; SELECT * FROM items WHERE visit < 200 ORDER BY id";
        let good = server.sql(&live.name, seven);
        let eight = "SELECT id, doctor, notes FROM patients WHERE tenant_id = 8; SELECT * FROM items WHERE visit = 200";
        let others = server.sql(&live.name, eight);
        server.sql(
            &live.name,
            "DELETE FROM items WHERE id < 2000; UPDATE visits SET amount = 0 WHERE tenant_id = 7",
        );
        let written = restored_beside(&tool, |stop| {
            keep_writing(server, &live.name, (8, 20), 1000, stop, true)
        });
        assert_eq!(server.sql(&live.name, seven), good);
        let left = server.sql(&live.name, "SELECT id FROM visits WHERE id >= 1000 ORDER BY id");
        let expected = written.added.iter().filter(|id| **id > written.removed);
        let expected: Vec<_> = expected.map(ToString::to_string).collect();
        assert_eq!(
            left.lines().collect::<Vec<_>>(),
            expected,
            "{} were written",
            written.added.len()
        );
        assert!(written.added.len() > 5, "it was kept away: {:?}", written.added);
        assert_eq!(
            server.sql(&live.name, "SELECT amount FROM visits WHERE id = 200"),
            "3.000000\n"
        );
        if triggers {
            let counted = server.value(&live.name, "SELECT visits FROM patients WHERE id = 20");
            assert_eq!(counted, written.added.len().to_string(), "a trigger did not fire");
        } else {
            assert_eq!(server.sql(&live.name, eight), others);
        }
        drop_beside(server, &live);
    }
}

/// What the tenant wrote before is replaced, what it writes after stays: never some of what it wrote in between.
fn a_writer_of_the_same_tenant_comes_before_or_after(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live).with("GORGEN_TENANT_COLUMN", "tenant_id");
    tool.backup();
    let written =
        restored_beside(&tool, |stop| keep_writing(server, &live.name, (7, 10), 1000, stop, false));
    let left = server.sql(&live.name, "SELECT id FROM visits WHERE id >= 1000 ORDER BY id");
    let left: Vec<u32> = left.lines().map(|id| id.parse().expect("a number")).collect();
    assert!(written.added.ends_with(&left), "{left:?} is no end of {:?}", written.added);
    assert!(!left.is_empty() && left.len() < written.added.len(), "{left:?}");
    // The trigger counted those that came after, and no others.
    let counted = server.value(&live.name, "SELECT visits FROM patients WHERE id = 10");
    assert_eq!(counted, left.len().to_string());
    drop_beside(server, &live);
}

fn what_only_grows_is_merged_and_sessions_stay(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace
        .tool(server, &live)
        .with("GORGEN_APPEND_ONLY", "audit_log")
        .with("GORGEN_RESTORE_SKIP", "user_sessions");
    tool.backup();
    server.sql(
        &live.name,
        "DELETE FROM audit_log WHERE id = 1; INSERT INTO audit_log VALUES (3, 7, 'later'); \
         INSERT INTO users VALUES (4, 7, 'Dora', NULL); INSERT INTO user_sessions VALUES (3, 4); DELETE FROM items",
    );
    let record = replace(&tool, &[]);
    let log = "SELECT GROUP_CONCAT(id ORDER BY id) FROM audit_log";
    assert_eq!(server.value(&live.name, log), "1,2,3");
    let sessions = "SELECT GROUP_CONCAT(id ORDER BY id) FROM user_sessions";
    assert_eq!(server.value(&live.name, sessions), "1,2,3");
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM items"), "3");
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("1 rows of table user_sessions, which stays as it is"), "{warnings}");
    assert!(warnings.contains("1 rows of table audit_log that were gone came back"), "{warnings}");
    // What is left of it beside the live database is in nobody's way.
    replace(&tool, &[]);
    assert_eq!(server.value(&live.name, log), "1,2,3");
    drop_beside(server, &live);
}

fn a_staged_restore_waits_until_it_is_promoted(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live);
    let good = tool.backup();
    server.sql(&live.name, "DELETE FROM items");
    let ruined = tool.backup();
    let staged = tool.json(&["restore", &good, "--stage"]);
    assert_eq!(text(&staged, "stage"), "staged");
    assert_is(server, &tool, &live, &ruined);
    let restore = text(&staged, "restore");
    let status = tool.json(&["status"]);
    let advice = text(&status["restores"][0], "what_to_do");
    assert!(advice.contains(&format!("promote {restore}")), "{advice}");

    let promoted = tool.json(&["promote", restore, "--confirm", "RESTAURAR"]);
    assert_eq!(text(&promoted, "stage"), "restored");
    assert_is(server, &tool, &live, &good);

    let other = tool.json(&["restore", &ruined, "--stage"]);
    let cancelled = tool.json(&["cancel", text(&other, "restore")]);
    assert_eq!(text(&cancelled, "stage"), "cancelled");
    assert_is(server, &tool, &live, &good);
    drop_beside(server, &live);
}

fn nothing_is_replaced_without_the_word(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live);
    tool.backup();
    for args in [&["--in-place"][..], &["--in-place", "--confirm", "sim"]] {
        let refused = tool.run(&[&["restore", "latest"], args].concat()).failed(4);
        refused.says(&["expected --confirm RESTAURAR"]);
    }
    assert_eq!(workspace.objects("restores/"), Vec::<String>::new());
}

fn a_plan_says_what_would_change_and_changes_nothing(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live).with("GORGEN_APPEND_ONLY", "audit_log");
    tool.backup();
    server.sql(
        &live.name,
        "DELETE FROM items WHERE id = 2000; UPDATE items SET what = '1' WHERE id = 1000; \
         INSERT INTO items VALUES (3000, 200, '2'), (3001, 200, '3'); CREATE TABLE novel (id INT PRIMARY KEY); \
         DROP VIEW busy; DROP TABLE user_sessions; ALTER TABLE tenants ADD COLUMN city VARCHAR(40)",
    );
    let (objects, content) =
        (workspace.objects(""), oracle::dump(server, &live.name, Rows::Ordered));
    let plan = tool.json(&["restore", "latest", "--in-place", "--dry-run"]);
    assert_eq!(workspace.objects(""), objects);
    assert_eq!(oracle::dump(server, &live.name, Rows::Ordered), content);
    let table = |name: &str| {
        let tables = plan["tables"].as_array().expect("a list").iter();
        tables.clone().find(|table| table["table"] == name).expect("it is in the plan").clone()
    };
    let items = serde_json::json!({ "added": 2, "missing": 1, "different": 1 });
    assert_eq!(table("items")["difference"], items);
    assert_eq!(
        (table("items")["rows_now"].as_u64(), table("items")["rows_in_backup"].as_u64()),
        (Some(4), Some(3))
    );
    for (name, change) in [
        ("items", "replaced"),
        ("audit_log", "merged"),
        ("novel", "set-aside"),
        ("user_sessions", "brought-back"),
    ] {
        assert_eq!(table(name)["change"], change, "{name}");
    }
    assert_eq!(table("tenants")["defined_otherwise"], true);
    assert_eq!(table("users")["defined_otherwise"], false);
    assert_eq!(plan["objects"], serde_json::json!(["view busy is brought back"]));
    assert_eq!(plan["blocked_by"], serde_json::json!([]));
}

fn a_plan_names_the_rights_that_are_missing(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    workspace.tool(server, &live).backup();
    let (user, password) = (format!("half_{}", std::process::id()), "for-nobody-else-77");
    let reads =
        format!("SELECT, SHOW VIEW, TRIGGER, EVENT, INSERT, EXECUTE ON {}.*", ident(&live.name));
    let beside = format!("ALL ON `{}\\_\\_%`.*", live.name.replace('_', "\\_"));
    let routines = if server.is_mariadb() { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    server.account(&user, password, &[&reads, &beside, routines]);
    let url = server.url_as(&user, password, &live.name);
    let tool = workspace.tool(server, &live).with("GORGEN_DATABASE_URL", url);
    let plan = tool.json(&["restore", "latest", "--in-place", "--dry-run"]);
    let reasons = plan["blocked_by"].to_string();
    for missing in ["CREATE, ALTER, DROP", "LOCK TABLES", "run as an administrator: GRANT"] {
        assert!(reasons.contains(missing), "{missing}: {reasons}");
    }
    assert!(!reasons.contains(&format!("{}__restore_", live.name)), "{reasons}");
}

fn a_row_that_would_point_nowhere_stops_it(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live);
    tool.backup();
    server.sql(
        &live.name,
        "INSERT INTO visits VALUES (300, 8, 20, 1); INSERT INTO items VALUES (3000, 300, '1')",
    );
    let ruined = tool.backup();
    let args = ["restore", "latest", "--in-place", "--confirm", "RESTAURAR", "--table", "visits"];
    let first = workspace.objects("manifests/")[0].clone();
    let first = first.trim_start_matches("manifests/").trim_end_matches(".manifest");
    let mut refused = args;
    refused[1] = first;
    tool.run(&refused)
        .failed(4)
        .says(&["1 rows of table items, which stays as it is", "items_visit"]);
    assert_is(server, &tool, &live, &ruined);
    assert_eq!(beside(server, &live, "restore"), Vec::<String>::new());
    assert_eq!(beside(server, &live, "before"), Vec::<String>::new());
    let accepted = tool.json(&[&refused[..], &["--accept-orphans"]].concat());
    assert_eq!(text(&accepted, "stage"), "restored");
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM visits"), "3");
    drop_beside(server, &live);
}

/// The clinic of the bench, in small: more rows than one statement, one pack or one reader takes, and every kind of
/// table that the real one has. Its generator needs MariaDB.
#[test]
fn a_clinic_of_some_size_comes_back() {
    let Some(server) =
        Server::of_the_laboratory(crate::support::Flavor::MariaDb, "a_clinic_comes_back")
    else {
        return;
    };
    let (workspace, live) = (Workspace::new(), server.absent("clinica"));
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/../../local/clinic.py");
    let socket = crate::support::server::needed("TEST_MARIADB_SOCKET");
    let mut fill = Command::new("python3");
    fill.args([
        generator,
        "fill",
        "--socket",
        &socket,
        "--database",
        &live.name,
        "--size-mb",
        "20",
    ]);
    assert!(fill.stdout(Stdio::null()).status().expect("python3 runs").success());
    let tool = workspace.tool(&server, &live).with("GORGEN_TENANT_COLUMN", "tenant_id");
    let good = tool.backup();
    let content = || oracle::dump(&server, &live.name, Rows::Unordered);
    let before = content();
    server.sql(
        &live.name,
        "SET foreign_key_checks = 0; DELETE FROM evolucoes LIMIT 1000; DROP TABLE audit_log",
    );
    let ruined = content();
    let record = replace(&tool, &["--no-safety-backup"]);
    assert_eq!(text(&record, "backup"), good);
    assert!(content() == before, "it is not what it was");
    tool.json(&["undo", text(&record, "restore")]);
    assert!(content() == ruined, "it is not what it was before the restore");
    drop_beside(&server, &live);
}

/// While tables change places, whoever reads two of them in one transaction reads both old or both new. A writer
/// never meets a table without its trigger.
fn readers_never_see_a_mixture(server: &Server) {
    let (workspace, live) = (Workspace::new(), server.database("mixture"));
    server.sql(
        &live.name,
        "CREATE TABLE a (id INT PRIMARY KEY, state VARCHAR(9)) ENGINE=InnoDB; \
         CREATE TABLE b (id INT PRIMARY KEY, state VARCHAR(9)) ENGINE=InnoDB; \
         CREATE TABLE counted (id INT PRIMARY KEY, n INT) ENGINE=InnoDB; \
         CREATE TABLE counts (id INT PRIMARY KEY AUTO_INCREMENT, n INT) ENGINE=InnoDB; \
         INSERT INTO a VALUES (1, 'new'); INSERT INTO b VALUES (1, 'new'); INSERT INTO counted VALUES (1, 0); \
         CREATE TRIGGER counting BEFORE UPDATE ON counted FOR EACH ROW SET NEW.n = OLD.n + 1",
    );
    let tool = workspace.tool(server, &live).with("GORGEN_RESTORE_SKIP", "counts");
    let good = tool.backup();
    server.sql(&live.name, "UPDATE a SET state = 'old'; UPDATE b SET state = 'old'");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let reads = "SELECT CONCAT(a.state, b.state) FROM a JOIN b USING (id)";
    let read = || {
        let (mut seen, mut rounds) = (std::collections::BTreeSet::new(), 0);
        while !stop.load(std::sync::atomic::Ordering::Relaxed) || rounds == 0 {
            let text = format!("{reads};").repeat(50);
            seen.extend(server.sql(&live.name, text).lines().map(str::to_owned));
            rounds += 1;
        }
        seen
    };
    // Each write sets a number that the trigger makes one more than before: 77 would be a write without it.
    let write = || {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            let round = "UPDATE counted SET n = -77; INSERT INTO counts (n) SELECT n FROM counted;";
            server.sql(&live.name, round.repeat(20));
        }
    };
    let seen = std::thread::scope(|scope| {
        let (reading, writing) = (scope.spawn(read), scope.spawn(write));
        for _ in 0..3 {
            let restore = ["restore", &good, "--in-place", "--confirm", "RESTAURAR"];
            let record = tool.json(&[&restore[..], &["--no-safety-backup"]].concat());
            tool.json(&["undo", text(&record, "restore")]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writing.join().expect("no panic");
        reading.join().expect("no panic")
    });
    let expected = ["newnew", "oldold"].map(str::to_owned);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM counts WHERE n = -77"), "0");
    drop_beside(server, &live);
}

/// Restores that are killed at moments within the time that one takes, and at most so many more if all of them were too slow.
const ROUNDS: u32 = 16;
const MOST_ROUNDS: u32 = 4 * ROUNDS;

/// `kill -9` at moments spread over the time that a restore takes: the live tables are wholly old or wholly
/// restored, `status` says what to do, and doing it leaves nothing behind.
fn heavy_killed_at_every_moment(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = workspace.tool(server, &live).with("GORGEN_LOCK_LEASE", "1");
    let good = tool.backup();
    let ruin = "UPDATE visits SET amount = 0; DELETE FROM items; DROP VIEW IF EXISTS busy";
    let content = || oracle::dump(server, &live.name, Rows::Ordered);
    let restored = content();
    server.sql(&live.name, ruin);
    let ruined = content();
    let args = ["restore", &good, "--in-place", "--confirm", "RESTAURAR", "--no-safety-backup"];
    let whole = duration(|| drop(tool.ok(&args)));
    let mut ends = [0, 0];
    for round in 0..MOST_ROUNDS {
        // The machine may be busier now than it was for the one that was measured.
        if round >= ROUNDS && ends[1] > 0 {
            break;
        }
        server.sql(&live.name, ruin);
        let running = tool.start(&args);
        std::thread::sleep(whole * round / ROUNDS);
        running.kill();
        for record in tool.json(&["status"])["restores"].as_array().expect("a list") {
            let open = ["requested", "loading", "staged", "promoting"];
            if open.contains(&text(record, "stage")) {
                settle(&tool, text(record, "restore"));
            }
        }
        let now = content();
        assert!(now == ruined || now == restored, "round {round}: neither old nor restored");
        ends[usize::from(now == restored)] += 1;
        assert_eq!(beside(server, &live, "restore").len(), beside(server, &live, "before").len());
        drop_beside(server, &live);
    }
    assert!(ends.iter().all(|count| *count > 0), "killed too early, or too late: {ends:?}");
    tool.verify_clean();
}

/// Takes a restore back, or finishes it, as soon as the lock of the dead run lets it.
fn settle(tool: &Tool, restore: &str) {
    loop {
        let outcome = tool.run(&["cancel", restore, "--json"]);
        if outcome.code() != 4 {
            outcome.succeeded(&["cancel"]);
            return;
        }
        outcome.says(&["locked by run"]);
        std::thread::sleep(Duration::from_millis(100));
    }
}
