//! What breaks while a restore over the live database runs: a connection, a right, the room, a neighbour. The live
//! tables are wholly old or wholly restored, and it is said which, and what to do.

#![allow(clippy::print_stderr, reason = "a test says how often which outcome was met")]

use std::{collections::BTreeSet, process::Command, time::Duration};

use crate::support::{
    Database, Outcome, PASSWORD, Rows, Server, Tool, Workspace,
    middle::numbers,
    oracle,
    passage::{Fate, Passage},
    server::ident,
};
use serde_json::Value;

on_each_server!(
    a_connection_is_lost_at_every_step,
    a_connection_is_lost_while_it_makes_the_safety_backup,
    a_statement_of_a_lost_connection_is_waited_for,
    the_server_ends_the_connection_that_swaps,
    the_right_to_make_triggers_is_lost_before_the_swap,
    the_right_to_make_triggers_is_lost_at_the_swap,
    a_loaded_table_is_changed_before_it_is_promoted,
    a_loaded_table_is_dropped_at_the_last_moment,
    a_dead_restore_is_named_with_its_remedy,
    the_server_has_no_room,
    the_vault_takes_no_more,
);

/// A live database that was ruined after its backup, behind a way on which things happen.
struct Scene<'a> {
    server: &'a Server,
    workspace: Workspace,
    live: Database<'a>,
    passage: Passage,
    tool: Tool,
    backup: String,
    restored: Vec<String>,
    ruined: Vec<String>,
}

impl<'a> Scene<'a> {
    fn of(server: &'a Server) -> Self {
        let (workspace, live) = (Workspace::new(), server.database("clinic"));
        server.sql(&live.name, CLINIC);
        let passage = Passage::to(server);
        let tool = workspace
            .tool(server, &live)
            .with("GORGEN_DATABASE_URL", passage.url(&live.name))
            .with("GORGEN_READERS", "1")
            .with("GORGEN_LOCK_LEASE", "1")
            .with("GORGEN_APPEND_ONLY", "entries");
        let backup = tool.backup();
        let restored = oracle::dump(server, &live.name, Rows::Ordered);
        server.sql(&live.name, RUIN);
        let ruined = oracle::dump(server, &live.name, Rows::Ordered);
        assert_ne!(restored, ruined);
        Self { server, workspace, live, passage, tool, backup, restored, ruined }
    }

    fn restore(&self) -> [&str; 6] {
        let id = self.backup.as_str();
        ["restore", id, "--in-place", "--confirm", "RESTAURAR", "--no-safety-backup"]
    }

    /// Are the live tables the restored ones? They are these or the old ones, to the last byte.
    #[track_caller]
    fn is_restored(&self, what: &str) -> bool {
        let now = oracle::dump(self.server, &self.live.name, Rows::Ordered);
        if now != self.ruined && now != self.restored {
            let odd = |line: &&String| !self.ruined.contains(line) || !self.restored.contains(line);
            let odd: Vec<_> = now.iter().filter(odd).collect();
            panic!("{what}: neither old nor restored: {odd:#?}");
        }
        now == self.restored
    }

    fn beside(&self, kind: &str) -> Vec<String> {
        beside(self.server, &self.live, kind)
    }

    /// What `status` says of the restore that was asked for last.
    #[track_caller]
    fn last(&self) -> Value {
        let status = self.tool.json(&["status"]);
        let restores = status["restores"].as_array().expect("a list").iter();
        restores.max_by_key(|record| text(record, "requested")).expect("a restore").clone()
    }

    /// `status`, the database and what lies beside it agree, and nothing is left to be done.
    #[track_caller]
    fn assert_settled(&self, what: &str) {
        let (is_restored, last) = (self.is_restored(what), self.last());
        let (stage, live) = (text(&last, "stage"), text(&last, "live"));
        if is_restored {
            assert_eq!((stage, live), ("restored", "restored"), "{what}: {last:#}");
            assert_eq!(self.beside("before").len(), 1, "{what}: there is no way back");
        } else {
            assert!(matches!(stage, "failed" | "cancelled"), "{what}: {last:#}");
            assert_eq!(live, "untouched", "{what}: {last:#}");
            assert_eq!(self.beside(""), Vec::<String>::new(), "{what}: something is left");
        }
    }

    /// All as it was before the next fault.
    fn ruin_again(&self) {
        self.clean();
        self.server.sql(&self.live.name, RUIN);
        assert!(!self.is_restored("ruined again"));
    }

    /// One note of a patient, by which old and restored rows are told apart while not all is done.
    fn notes(&self) -> String {
        self.server.value(&self.live.name, "SELECT notes FROM patients WHERE id = 10")
    }

    /// Nothing is left on the server.
    fn clean(&self) {
        for name in self.beside("") {
            self.server.sql("", format!("DROP DATABASE {}", ident(&name)));
        }
    }

    /// Does what `status` says, its first command.
    #[track_caller]
    fn do_what_status_says(&self) {
        let last = self.last();
        let advice = text(&last, "what_to_do");
        let command = advice.split("gorgen-backup ").nth(1).expect("a command");
        let words: Vec<_> = command.split([' ', ',', ';']).collect();
        let length = if words.contains(&"--confirm") { 4 } else { 2 };
        retried(&self.tool, &words[..length]);
    }
}

/// Runs this as soon as the lock of a dead run lets it.
#[track_caller]
fn retried(tool: &Tool, args: &[&str]) {
    loop {
        let outcome = tool.run(&[args, &["--json"]].concat());
        if outcome.code() != 4 {
            outcome.succeeded(args);
            return;
        }
        outcome.says(&["locked by run"]);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or_else(|| panic!("no {name} in {document:#}"))
}

/// Databases that a restore made beside the live one.
fn beside(server: &Server, live: &Database<'_>, kind: &str) -> Vec<String> {
    let pattern = format!("{}\\_\\_{kind}%", live.name.replace('_', "\\_"));
    let query = format!(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{pattern}'"
    );
    server.sql("mysql", query).lines().map(str::to_owned).collect()
}

/// Does it change anything?
fn is_write(statement: &str) -> bool {
    let harmless = ["SELECT", "SET", "SHOW", "USE", "START", "LOAD DATA LOCAL INFILE 'probe'"];
    !harmless.iter().any(|start| statement.starts_with(start))
}

/// Does it put the restored tables in their places?
fn is_swap(statement: &str) -> bool {
    statement.starts_with("RENAME TABLE") && statement.contains("`patients` TO `")
}

/// Waits until the server is busy with such a statement of this test, and gives its connection.
fn wait_for_statement(scene: &Scene<'_>, pattern: &str) -> String {
    let (server, database) = (scene.server, &scene.live.name);
    let query = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{database}' AND INFO LIKE '{pattern}'"
    );
    let mut found = String::new();
    crate::support::wait_until(pattern, || {
        found = server.value("", &query);
        !found.is_empty()
    });
    found
}

/// What sort of step a statement is: its verb and its object, and the hidden names in it.
fn kind(statement: &str) -> String {
    let definer = statement.replace("ALGORITHM=UNDEFINED ", "");
    let words = definer.split_whitespace().filter(|word| !word.starts_with("DEFINER="));
    let verb = words.take(2).collect::<Vec<_>>().join(" ");
    let hidden = ["__restore_", "__before_", "__key_", "__trigger_", "__child_"];
    let hidden = hidden.iter().filter(|name| statement.contains(*name));
    hidden.fold(verb, |kind, name| format!("{kind} {name}"))
}

/// The connection breaks once at each kind of step that changes something: before the server gets it, before its
/// answer comes, or for good. The steps are shared between the kinds of servers. With
/// `TEST_EVERY_STATEMENT` in the environment it breaks at every single statement, in each of these ways.
fn a_connection_is_lost_at_every_step(server: &Server) {
    let scene = Scene::of(server);
    scene.passage.seen();
    scene.tool.ok(&scene.restore());
    let writes = scene.passage.seen().into_iter().filter(|statement| is_write(statement));
    let writes: Vec<_> = writes.collect();
    assert!(scene.is_restored("without a fault"));
    let swap = writes.iter().position(|statement| is_swap(statement)).expect("a swap");
    let is_thorough = crate::support::server::env("TEST_EVERY_STATEMENT").is_some();
    let fates = [Fate::Unsent, Fate::Unanswered, Fate::Unreachable];
    let (mut kinds, mut ends) = (BTreeSet::new(), [0, 0]);
    for (number, statement) in writes.iter().enumerate() {
        let turn = kinds.len();
        let is_new = kinds.insert(kind(statement));
        let is_ours = number == swap || (turn % 2 == 0) == server.is_mariadb();
        for fate in fates {
            let is_its_turn = fates[(turn / 2 + usize::from(server.is_mariadb())) % 3] == fate;
            if !(is_thorough || is_new && is_ours && is_its_turn) {
                continue;
            }
            let what = format!("{fate:?} at {statement:.80}");
            scene.ruin_again();
            scene.passage.lay(fate, number, is_write);
            let outcome = scene.tool.run(&scene.restore());
            assert!(scene.passage.open(), "{what}: it was never said: {}", outcome.stderr);
            if fate == Fate::Unreachable {
                outcome.failed(1).says(&["cannot reach", "gorgen-backup status"]);
                scene.do_what_status_says();
            }
            scene.assert_settled(&what);
            ends[usize::from(scene.is_restored(&what))] += 1;
        }
    }
    eprintln!("{} steps of {} kinds: {ends:?}", writes.len(), kinds.len());
    assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
}

fn a_connection_is_lost_while_it_makes_the_safety_backup(server: &Server) {
    let scene = Scene::of(server);
    let backups = scene.workspace.backups();
    let begins = |statement: &str| statement.starts_with("START TRANSACTION WITH CONSISTENT");
    scene.passage.lay(Fate::Unanswered, 0, begins);
    scene.tool.run(&scene.restore()[..5]).failed(1).says(&["cannot reach"]);
    assert!(scene.passage.open());
    assert_eq!(scene.workspace.backups(), backups);
    scene.assert_settled("without a safety backup");
    assert!(!scene.is_restored("without a safety backup"));
    scene.tool.ok(&scene.restore()[..5]);
    assert!(scene.is_restored("run again"));
    assert_eq!(scene.workspace.backups(), backups + 1);
    scene.clean();
}

/// Others use a table, so that the swap waits. The connection that asked for it is lost, but not the server's: if the
/// swap were taken for not done, and its tables removed, it would still come.
fn a_statement_of_a_lost_connection_is_waited_for(server: &Server) {
    let scene = Scene::of(server);
    scene.passage.lay(Fate::Abandoned, 0, is_swap);
    let uses = "START TRANSACTION; SELECT COUNT(*) FROM patients; DO SLEEP(2); COMMIT";
    let outcome = std::thread::scope(|scope| {
        let other = scope.spawn(|| server.sql(&scene.live.name, uses));
        wait_for_statement(&scene, "DO SLEEP(2)%");
        let outcome = scene.tool.run(&[&scene.restore()[..], &["--table", "patients"]].concat());
        other.join().expect("no panic");
        outcome
    });
    assert!(scene.passage.open());
    assert_eq!(outcome.code(), 0, "it had come so far that it was finished: {}", outcome.stderr);
    assert_eq!(text(&scene.last(), "live"), "restored");
    assert_eq!(scene.notes(), "well", "the record says otherwise");
    scene.clean();
}

/// An administrator who sees that everybody waits may end the connection.
fn the_server_ends_the_connection_that_swaps(server: &Server) {
    let scene = Scene::of(server);
    let uses = "START TRANSACTION; SELECT COUNT(*) FROM patients; DO SLEEP(60)";
    let outcome = std::thread::scope(|threads| {
        let other = threads.spawn(|| server.try_sql(Some(&scene.live.name), uses));
        let using = wait_for_statement(&scene, "DO SLEEP(60)%");
        let running = scene.tool.start(&scene.restore());
        let swapping = wait_for_statement(&scene, "RENAME TABLE % TO %patients%");
        server.sql("", format!("KILL CONNECTION {swapping}; KILL CONNECTION {using}"));
        let _ = other.join();
        running.outcome()
    });
    outcome.failed(1).says(&["cannot reach"]);
    scene.assert_settled("ended by the server");
    assert!(!scene.is_restored("ended by the server"));
    scene.tool.ok(&scene.restore());
    assert!(scene.is_restored("run again"));
    scene.clean();
}

/// An account of its own, whose rights are taken away while `at` is held.
fn with_less_rights(scene: &Scene<'_>, at: fn(&str) -> bool) -> (Tool, Outcome) {
    let (server, name) = (scene.server, format!("less_{}", std::process::id()));
    let account = format!("'{name}'@'%'");
    server.account(&name, PASSWORD, &["ALL ON *.*"]);
    let url = scene.passage.url_as(&name, PASSWORD, &scene.live.name);
    let tool = scene.tool.clone().with("GORGEN_DATABASE_URL", url);
    scene.passage.lay(Fate::Held, 0, at);
    let running = tool.start(&scene.restore());
    scene.passage.wait_until_held();
    server.sql("", format!("REVOKE TRIGGER ON *.* FROM {account}"));
    scene.passage.open();
    let outcome = running.outcome();
    server.sql("", format!("GRANT TRIGGER ON *.* TO {account}"));
    (tool, outcome)
}

fn the_right_to_make_triggers_is_lost_before_the_swap(server: &Server) {
    let scene = Scene::of(server);
    let enters =
        |statement: &str| statement.contains("TO `") && statement.contains("`.`__restore_");
    let (tool, outcome) = with_less_rights(&scene, enters);
    outcome.failed(1).says(&["create trigger visits_count", "gorgen-backup doctor"]);
    scene.assert_settled("before the swap");
    assert!(!scene.is_restored("before the swap"));
    tool.ok(&scene.restore());
    assert!(scene.is_restored("run again"));
    scene.clean();
}

fn the_right_to_make_triggers_is_lost_at_the_swap(server: &Server) {
    let scene = Scene::of(server);
    let (_tool, outcome) = with_less_rights(&scene, is_swap);
    outcome.failed(1).says(&["could not be taken back", "gorgen-backup status"]);
    let last = scene.last();
    assert_eq!((text(&last, "stage"), text(&last, "live")), ("promoting", "restored"));
    assert_eq!(scene.notes(), "well", "the record says otherwise");
    // The old triggers are gone with the old table; the new ones work, if under other names.
    let fires = "INSERT INTO visits VALUES (300, 11, 1); SELECT notes FROM patients WHERE id = 11; \
        DELETE FROM visits WHERE id = 300; UPDATE patients SET notes = 'ill' WHERE id = 11";
    assert_eq!(server.value(&scene.live.name, fires), "seen");
    scene.do_what_status_says();
    scene.assert_settled("at the swap");
    assert!(scene.is_restored("at the swap"));
    scene.clean();
}

/// Somebody looks at what is loaded, as they should, and touches it.
fn a_loaded_table_is_changed_before_it_is_promoted(server: &Server) {
    let scene = Scene::of(server);
    for (change, said) in [
        ("UPDATE patients SET notes = 'touched' WHERE id = 11", "table patients"),
        ("SET foreign_key_checks = 0; DROP TABLE visits", "table visits is gone"),
    ] {
        let staged = scene.tool.json(&["restore", &scene.backup, "--stage"]);
        server.sql(text(&staged, "staging"), change);
        let id = text(&staged, "restore");
        let promote = ["promote", id, "--confirm", "RESTAURAR", "--no-safety-backup"];
        scene.tool.run(&promote).failed(3).says(&[said]);
        assert!(!scene.is_restored(change));
        assert_eq!(text(&scene.last(), "stage"), "staged", "it can be looked at, and cancelled");
        scene.tool.ok(&["cancel", id]);
        scene.assert_settled(change);
    }
}

/// All of it, or one table that goes straight from one database to the other: that it is not where it was is no proof
/// that it arrived.
fn a_loaded_table_is_dropped_at_the_last_moment(server: &Server) {
    let scene = Scene::of(server);
    for more in [&[][..], &["--table", "patients"]] {
        scene.passage.lay(Fate::Held, 0, is_swap);
        let running = scene.tool.start(&[&scene.restore()[..], more].concat());
        scene.passage.wait_until_held();
        let staging = scene.beside("restore").pop().expect("a staging database");
        server.sql(&staging, "SET foreign_key_checks = 0; DROP TABLE patients");
        scene.passage.open();
        running.outcome().failed(1).says(&["put the tables in their places"]);
        scene.assert_settled("dropped");
        assert!(!scene.is_restored("dropped"));
    }
    scene.tool.ok(&scene.restore());
    assert!(scene.is_restored("run again"));
    scene.clean();
}

/// A restore that died while it loaded keeps others away: they say which one, and what to do.
fn a_dead_restore_is_named_with_its_remedy(server: &Server) {
    let scene = Scene::of(server);
    let loads = |statement: &str| statement.starts_with("LOAD DATA LOCAL INFILE 'rows'");
    scene.passage.lay(Fate::Held, 1, loads);
    let running = scene.tool.start(&scene.restore());
    scene.passage.wait_until_held();
    running.kill();
    scene.passage.open();
    let (dead, backups) = (scene.last(), scene.workspace.backups());
    assert_eq!((text(&dead, "stage"), text(&dead, "live")), ("loading", "untouched"));
    let id = text(&dead, "restore");
    let command = format!("gorgen-backup cancel {id}");
    assert!(text(&dead, "what_to_do").contains(&command));
    let refused = scene.tool.run(&scene.restore()[..5]).failed(4);
    refused.says(&[&format!("restore {id}"), "is loading", &command]);
    assert_eq!(scene.workspace.backups(), backups, "who is refused makes no safety backup");
    let shown = scene.tool.ok(&["status"]);
    assert!(shown.stdout.contains(&command), "{}", shown.stdout);

    retried(&scene.tool, &["cancel", id]);
    assert_eq!(scene.beside(""), Vec::<String>::new());
    scene.tool.ok(&scene.restore());
    assert!(scene.is_restored("after the dead one"));
    scene.clean();
}

/// All tables share a file that can't grow over its limit, as if the disk were full, and one fills it.
fn the_server_has_no_room(server: &Server) {
    let options = [
        "--innodb-file-per-table=0",
        "--innodb-autoextend-increment=1",
        "--innodb-data-file-path=ibdata1:12M:autoextend:max:60M",
    ];
    let Some(server) = Server::private(server.flavor, "the_server_has_no_room", &options) else {
        return;
    };
    let scene = Scene::of(&server);
    let samples = "(id INT PRIMARY KEY AUTO_INCREMENT, sample VARBINARY(1000)) ENGINE=InnoDB";
    let fill = |table: &str, rows| {
        let numbers = numbers(rows);
        let some =
            format!("INSERT INTO {table} (sample) SELECT RANDOM_BYTES(1000) FROM ({numbers}) n");
        server.try_sql(Some(&scene.live.name), some)
    };
    let tables = ["samples", "ballast"].map(|name| format!("CREATE TABLE {name} {samples};"));
    server.sql(&scene.live.name, tables.concat());
    fill("samples", 4000).expect("there is room");
    let good = scene.tool.backup();
    server.sql(&scene.live.name, "DELETE FROM samples WHERE id < 10");
    while fill("ballast", 1000).is_ok() {}
    let ruined = oracle::dump(&server, &scene.live.name, Rows::Ordered);
    let args = ["restore", &good, "--in-place", "--confirm", "RESTAURAR", "--no-safety-backup"];
    scene.tool.run(&args).failed(1).says(&["is full"]);
    assert!(oracle::dump(&server, &scene.live.name, Rows::Ordered) == ruined);
    let last = scene.last();
    assert_eq!((text(&last, "stage"), text(&last, "live")), ("failed", "untouched"));
    assert_eq!(scene.beside(""), Vec::<String>::new(), "what could not be loaded takes up room");

    server.sql("", "SET GLOBAL innodb_file_per_table = 1");
    scene.tool.ok(&args);
    assert_eq!(server.value(&scene.live.name, "SELECT COUNT(*) FROM samples"), "4000");
}

/// No file of the vault may grow larger than so many bytes: first not even the restore can be written down, then how
/// far it is, then what is about to change places.
fn the_vault_takes_no_more(server: &Server) {
    let scene = Scene::of(server);
    let mut failed = 0;
    for bytes in (0..).step_by(256) {
        let known = scene.workspace.objects("restores/").len();
        let mut shell = Command::new("bash");
        let args = scene.restore().join(" ");
        let limited = format!("trap '' XFSZ; exec prlimit --fsize={bytes} \"$GORGEN\" {args}");
        scene.tool.shell(shell.args(["-c", &limited]));
        let outcome = Outcome::of(shell.output().expect("bash runs"));
        if outcome.code() == 0 {
            break;
        }
        failed += 1;
        outcome.failed(1).says(&["File too large (os error 27)"]);
        if scene.workspace.objects("restores/").len() == known {
            assert_eq!(scene.beside(""), Vec::<String>::new());
            continue;
        }
        if scene.last()["what_to_do"]
            .as_str()
            .is_some_and(|advice| !advice.contains("takes it back, until"))
        {
            scene.do_what_status_says();
        }
        scene.assert_settled(&format!("at {bytes} bytes"));
        scene.ruin_again();
    }
    assert!(failed > 2, "only {failed} restores failed");
    assert!(scene.is_restored("with room"));
    scene.clean();
}

/// Few tables, with each thing that makes a swap take another step.
const CLINIC: &str = r"
CREATE TABLE patients (id INT PRIMARY KEY, notes TEXT, first_visit INT, guardian INT, KEY (guardian),
  CONSTRAINT patients_guardian FOREIGN KEY (guardian) REFERENCES patients (id)) ENGINE=InnoDB;
CREATE TABLE visits (id INT PRIMARY KEY, patient INT NOT NULL, amount DECIMAL(15,6),
  CONSTRAINT visits_patient FOREIGN KEY (patient) REFERENCES patients (id)) ENGINE=InnoDB;
ALTER TABLE patients ADD CONSTRAINT patients_first FOREIGN KEY (first_visit) REFERENCES visits (id);
CREATE TABLE entries (id INT PRIMARY KEY, patient INT, entry VARCHAR(80), KEY (patient),
  CONSTRAINT entries_patient FOREIGN KEY (patient) REFERENCES patients (id)) ENGINE=InnoDB;
INSERT INTO patients VALUES (10, 'well', NULL, 10), (11, 'ill', NULL, 10);
INSERT INTO visits VALUES (100, 10, 1.5), (101, 11, 2.25);
UPDATE patients SET first_visit = 100 WHERE id = 10;
INSERT INTO entries VALUES (1, 10, 'first'), (2, 11, 'second');
CREATE VIEW busy AS SELECT patient, COUNT(*) AS n FROM visits GROUP BY patient;
CREATE VIEW busier AS SELECT b.patient, p.notes FROM busy b JOIN patients p ON p.id = b.patient WHERE b.n > 0;
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;
CREATE TRIGGER visits_count AFTER INSERT ON `visits` FOR EACH ROW UPDATE patients SET notes = 'seen' WHERE id = NEW.patient;
CREATE TRIGGER entries_stay BEFORE UPDATE ON `entries` FOR EACH ROW SET NEW.entry = OLD.entry;
CREATE EVENT rest ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DISABLE DO SELECT 1;
";

const RUIN: &str = "UPDATE visits SET amount = 0; DELETE FROM entries WHERE id = 1; UPDATE patients SET notes = 'ruined'; \
  DROP VIEW IF EXISTS busier; DROP VIEW IF EXISTS busy; DROP FUNCTION IF EXISTS twice; \
  CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 3 * x; DROP EVENT IF EXISTS rest";
