//! Restores over the live database: wholly restored or wholly as it was, and undone.

use serde_json::Value;
use support::{Database, Rows, Server, Tool, Workspace, assert_equal, server::ident};

mod support;

on_each_server!(
    a_ruined_database_comes_back_and_goes_again,
    one_table_comes_back_and_its_children_find_it,
    one_tenant_comes_back_and_no_other_is_touched,
    what_only_grows_is_merged_and_sessions_stay,
    a_staged_restore_waits_until_it_is_promoted,
    nothing_is_replaced_without_the_word,
    a_row_that_would_point_nowhere_stops_it,
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
CREATE TABLE audit_log (id INT PRIMARY KEY, tenant_id INT, entry VARCHAR(80)) ENGINE=InnoDB;
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
