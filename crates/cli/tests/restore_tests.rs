//! Restore tests on real servers: what passes, what must not, and that no database is left behind.

use std::process;

use crate::support::{
    Database, Server, Tool, Workspace, passage::Fate, passage::Passage, server::ident,
};
use serde_json::Value;

on_each_server!(
    a_clinic_passes_from_both_places_in_turn,
    one_cell_that_differs_fails_it,
    a_table_that_goes_missing_fails_it,
    a_foreign_key_that_dangles_fails_it,
    an_invalid_view_is_told_and_one_that_breaks_fails_it,
    a_lost_connection_fails_it_and_the_next_one_cleans_up,
);

const CLINIC: &str = r"
CREATE TABLE patients (id INT PRIMARY KEY, name VARCHAR(40), KEY (name)) ENGINE=InnoDB;
CREATE TABLE visits (id INT PRIMARY KEY AUTO_INCREMENT, patient INT NOT NULL, amount DECIMAL(15,6),
  CONSTRAINT visits_patient FOREIGN KEY (patient) REFERENCES patients (id)) ENGINE=InnoDB;
INSERT INTO patients VALUES (1, 'Ana'), (2, 'Beto');
INSERT INTO visits VALUES (10, 1, 1.5), (11, 2, 2.25);
CREATE VIEW busy AS SELECT p.id, COUNT(*) AS n FROM patients p JOIN visits v ON v.patient = p.id GROUP BY p.id;
CREATE VIEW busiest AS SELECT MAX(n) AS n FROM busy;
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;
CREATE PROCEDURE forget() DELETE FROM visits;
CREATE TRIGGER visits_twice BEFORE INSERT ON visits FOR EACH ROW SET NEW.amount = NEW.amount + twice(0);
CREATE EVENT nightly ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM visits WHERE id < 0;
";

/// A backup of a clinic, and the tool with a scratch server whose databases begin with `prefix`.
struct Lab<'a> {
    server: &'a Server,
    workspace: Workspace,
    live: Database<'a>,
    prefix: String,
}

impl<'a> Lab<'a> {
    fn of(server: &'a Server, prefix: &str) -> Self {
        let (workspace, live) = (Workspace::new(), server.database("clinic"));
        server.sql(&live.name, CLINIC);
        Self { server, workspace, live, prefix: format!("{prefix}_{}", process::id()) }
    }

    fn tool(&self) -> Tool {
        let url = self.server.url(&self.prefix);
        self.workspace.tool(self.server, &self.live).with("GORGEN_SCRATCH_URL", url)
    }

    fn tool_through(&self, passage: &Passage) -> Tool {
        self.tool().with("GORGEN_SCRATCH_URL", passage.url(&self.prefix))
    }

    /// Names of the databases on the scratch server that begin with the prefix.
    fn left(&self) -> Vec<String> {
        let query = format!(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{}%'",
            self.prefix
        );
        self.server.sql("mysql", query).lines().map(str::to_owned).collect()
    }

    fn last_record(&self) -> Value {
        let records = self.workspace.objects("runs/").into_iter();
        let mut records = records.filter_map(|name| self.workspace.record(&name));
        // A backup may have begun within the same second.
        records.rfind(|record| record["job"] == "restore-test").expect("a test")
    }

    /// Holds the test where it is about to read a table back, does `meanwhile` in the scratch database, and gives
    /// what it fails with.
    fn spoiled(&self, meanwhile: impl FnOnce(&str)) -> String {
        let passage = Passage::to(self.server);
        passage.lay(Fate::Held, 0, |statement| {
            statement.starts_with("SELECT")
                && statement.contains("`visits`")
                && statement.contains("FROM")
        });
        let running = self.tool_through(&passage).start(&["restore-test"]);
        passage.wait_until_held();
        let left = self.left();
        assert_eq!(left.len(), 1, "{left:?}");
        meanwhile(&left[0]);
        passage.open();
        let outcome = running.outcome().failed(3);
        assert_eq!(self.left(), Vec::<String>::new());
        assert_eq!(self.last_record()["outcome"], "failed");
        outcome.stderr
    }
}

fn a_clinic_passes_from_both_places_in_turn(server: &Server) {
    let lab = Lab::of(server, "rt_turns");
    let replica = lab.workspace.path().join("replica");
    let tool = lab.tool();
    let backup = tool.backup();
    copy(&lab.workspace.vault(), &replica);
    let both = tool
        .clone()
        .with("GORGEN_REPLICA_VAULT", format!("file://{}", replica.display()))
        .with("GORGEN_REPLICA_KEYRING", format!("file://{}", lab.workspace.key_file().display()));
    let mut places = Vec::new();
    for _ in 0..2 {
        let report = both.json(&["restore-test"]);
        assert_eq!(report["restore"]["backup"], backup.as_str());
        assert_eq!(report["restore"]["rows"], 4);
        assert_eq!(
            (&report["foreign_keys"], &report["objects"], &report["views"]),
            (&1.into(), &6.into(), &2.into())
        );
        places.push(report["turn"]["place"].as_str().expect("a place").to_owned());
        assert_eq!(lab.last_record()["outcome"], "succeeded");
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    assert_eq!(places, ["vault", "replica"]);
    let shown = tool.ok(&["restore-test", &backup, "--from", "vault"]).stdout;
    assert!(
        shown.contains(&format!("backup {backup} from the vault: restored and proved equal in")),
        "{shown}"
    );
    assert!(shown.contains("visits"), "{shown}");
    tool.run(&["restore-test", "--from", "replica"]).failed(2).says(&["GORGEN_REPLICA_VAULT"]);
    tool.without("GORGEN_SCRATCH_URL")
        .run(&["restore-test"])
        .failed(2)
        .says(&["GORGEN_SCRATCH_URL"]);
    assert_eq!(lab.left(), Vec::<String>::new());
}

fn one_cell_that_differs_fails_it(server: &Server) {
    let lab = Lab::of(server, "rt_cell");
    lab.tool().backup();
    let said = lab.spoiled(|scratch| {
        server.sql(scratch, "UPDATE visits SET amount = amount + 0.000001 WHERE id = 11");
    });
    assert!(said.contains("table visits: all 2 rows are there, but not all"), "{said}");
}

fn a_table_that_goes_missing_fails_it(server: &Server) {
    let lab = Lab::of(server, "rt_table");
    let tool = lab.tool();
    tool.backup();
    let passage = Passage::to(server);
    passage.lay(Fate::Held, 0, |statement| {
        statement.starts_with("CREATE") && statement.contains("nightly")
    });
    let running = lab.tool_through(&passage).start(&["restore-test"]);
    passage.wait_until_held();
    server.sql(&lab.left()[0], "DROP VIEW busiest; DROP VIEW busy; DROP TABLE visits");
    passage.open();
    let outcome = running.outcome();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr.contains("visits"), "{}", outcome.stderr);
    assert_eq!(lab.left(), Vec::<String>::new());
}

fn a_foreign_key_that_dangles_fails_it(server: &Server) {
    let lab = Lab::of(server, "rt_key");
    server.sql(&lab.live.name, "SET foreign_key_checks = 0; INSERT INTO visits VALUES (12, 99, 1)");
    lab.tool().backup();
    let outcome = lab.tool().run(&["restore-test"]).failed(3);
    outcome
        .says(&["1 rows of table visits point at no row of patients (foreign key visits_patient)"]);
    assert_eq!(lab.left(), Vec::<String>::new());
}

fn an_invalid_view_is_told_and_one_that_breaks_fails_it(server: &Server) {
    let lab = Lab::of(server, "rt_view");
    server.sql(
        &lab.live.name,
        "CREATE TABLE gone (id INT); CREATE VIEW of_gone AS SELECT id FROM gone; DROP TABLE gone",
    );
    let tool = lab.tool();
    tool.backup();
    let report = tool.json(&["restore-test"]);
    assert_eq!(report["invalid_views"], serde_json::json!(["of_gone"]), "{report:#}");
    assert_eq!(report["views"], 2);

    let passage = Passage::to(server);
    passage.lay(Fate::Held, 0, |statement| {
        statement.starts_with("SELECT 1 FROM") && statement.contains("`busy`")
    });
    let running = lab.tool_through(&passage).start(&["restore-test"]);
    passage.wait_until_held();
    server.sql(&lab.left()[0], "SET foreign_key_checks = 0; DROP TABLE patients");
    passage.open();
    running.outcome().failed(3).says(&["view busy can't be used"]);
    assert_eq!(lab.left(), Vec::<String>::new());
}

fn a_lost_connection_fails_it_and_the_next_one_cleans_up(server: &Server) {
    let lab = Lab::of(server, "rt_lost");
    lab.tool().backup();
    let passage = Passage::to(server);
    passage.lay(Fate::Unreachable, 0, |statement| statement.contains("ADD KEY"));
    let outcome = lab.tool_through(&passage).run(&["restore-test"]);
    assert_eq!(outcome.code(), 1, "{}", outcome.stderr);
    let left = lab.left();
    assert_eq!(left.len(), 1, "nobody got through to drop it");
    // A database of the same server whose name only begins alike.
    let other = format!("{}_kept", lab.prefix);
    server.sql("mysql", format!("CREATE DATABASE {}", ident(&other)));
    let report = lab.tool().json(&["restore-test"]);
    assert_eq!(report["swept"], serde_json::json!(left));
    assert_eq!(lab.left(), [other.as_str()]);
    server.sql("mysql", format!("DROP DATABASE {}", ident(&other)));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
