//! Cleanup by the binary: what goes and what stays, said before it is done; and what restores leave in the database.

use std::{fs, path::PathBuf};

use crate::support::{Database, Server, Tool, Workspace, shown::Shown};
use gorgen_engine::records::restore::RestoreRecord;
use jiff::SignedDuration;

on_each_server!(
    what_goes_is_said_and_then_done,
    old_tables_go_when_undo_has_ended,
    what_was_loaded_by_a_restore_that_died_goes,
);

const TABLE: &str = "CREATE TABLE pacientes (id INT PRIMARY KEY, nome VARCHAR(40)) ENGINE=InnoDB; \
                     INSERT INTO pacientes VALUES (1, 'Ana'), (2, 'Beto')";

fn clinic<'a>(server: &'a Server, workspace: &Workspace) -> (Database<'a>, Tool) {
    let live = server.database("clinic");
    server.sql(&live.name, TABLE);
    // All of one day, as tests are: its first and its last.
    let tool = workspace
        .tool(server, &live)
        .with("GORGEN_RETENTION", "daily=1,weekly=0,monthly=0,yearly=0,last=0,within=0");
    (live, tool)
}

fn what_goes_is_said_and_then_done(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    let mut made = Vec::new();
    for id in 10..16 {
        server.sql(&live.name, format!("INSERT INTO pacientes VALUES ({id}, 'x')"));
        made.push(tool.backup());
    }
    tool.ok(&["pin", &made[1], "--reason", "processo 7"]);
    tool.ok(&["pin", &made[2]]);
    let unpinned = tool.ok(&["unpin", &made[2]]);
    let shown = Shown::new(&workspace).hiding(live.name.clone(), "[DB]");
    insta::assert_snapshot!(shown.text(&unpinned.stdout), @"backup [ID] is kept only as the rules say");

    let said = tool.json(&["cleanup", "--dry-run"]);
    let dropped = |said: &serde_json::Value| -> Vec<String> {
        let all = said["dropped"].as_array().expect("a list");
        all.iter().map(|one| one["backup"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(dropped(&said), made[2..5]);
    assert_eq!(workspace.backups(), 6, "a plan changes nothing");
    let refused = tool.run(&["cleanup", "--confirm", "2"]).failed(4);
    insta::assert_snapshot!(shown.failure(&refused), @r"
    exit status 4
    error: 3 of 6 backups would be dropped, and 2 were confirmed
      what to do: read `gorgen-backup cleanup --dry-run`; if all of these may go: gorgen-backup cleanup --confirm 3
    ");
    assert_eq!(workspace.backups(), 6);

    let done = tool.ok(&["cleanup"]);
    let text = shown.text(&done.stdout);
    let day = &made[0][..8];
    let day = format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..8]);
    // The clinic's day may be the one before.
    let is_day = |line: &str| line.replace(&day, "[DAY]");
    let text: Vec<_> = text.lines().map(is_day).collect();
    assert_eq!(text.iter().filter(|line| line.starts_with("keep")).count(), 3);
    assert_eq!(text.iter().filter(|line| line.starts_with("drop")).count(), 3);
    let summary = &text[6..];
    insta::assert_snapshot!(summary.join("\n"), @r"
    3 backups kept, 3 dropped (rules daily=1,weekly=0,monthly=0,yearly=0,last=0,within=0)
      removed  0 objects that nothing needs, 0 B
    ");
    assert_eq!(workspace.backups(), 3);
    tool.ok(&["verify", "--read-data"]);
    for kept in [&made[0], &made[1], &made[5]] {
        let copy = server.absent("copy");
        tool.restore(kept, &copy);
        copy.remove();
    }
    let gone = tool.run(&["show", &made[3]]).failed(1);
    assert!(gone.stderr.contains("there is no backup"), "{}", gone.stderr);
}

/// The record of the only restore.
fn the_restore(workspace: &Workspace) -> (PathBuf, RestoreRecord) {
    let mut read = workspace.objects("restores/").into_iter().filter_map(|name| {
        let path = workspace.object(&name);
        let record = RestoreRecord::read(&fs::read(&path).expect("a file")).ok()?;
        Some((path, record))
    });
    read.next().expect("a restore")
}

/// Makes a restore older than it is.
fn age(workspace: &Workspace, hours: i64) -> String {
    let (path, mut record) = the_restore(workspace);
    record.updated -= SignedDuration::from_hours(hours);
    record.undo_until = record.undo_until.map(|until| until - SignedDuration::from_hours(hours));
    fs::write(&path, record.write().unwrap()).unwrap();
    record.restore.to_string()
}

/// The databases beside the live one.
fn beside(server: &Server, live: &Database<'_>) -> usize {
    let query = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE";
    server.value("", &format!("{query} '{}\\_\\_%'", live.name)).parse().expect("a number")
}

fn old_tables_go_when_undo_has_ended(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    tool.backup();
    server.sql(&live.name, "DELETE FROM pacientes");
    tool.ok(&["restore", "latest", "--in-place", "--confirm", "RESTAURAR"]);
    assert!(beside(server, &live) >= 1);

    age(&workspace, 71);
    let waiting = tool.json(&["cleanup"]);
    assert_eq!(waiting["databases"]["waiting"].as_array().expect("a list").len(), 1);
    assert!(beside(server, &live) >= 1, "undo is promised for another hour");
    let restore = age(&workspace, 2);
    let planned = tool.json(&["cleanup", "--dry-run"]);
    assert_eq!(planned["databases"]["dropped"][0]["restore"], restore);
    assert!(beside(server, &live) >= 1, "a plan drops nothing");
    let done = tool.json(&["cleanup"]);
    assert_eq!(done["databases"]["dropped"], planned["databases"]["dropped"]);
    assert_eq!(beside(server, &live), 0);
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM pacientes"), "2");

    let late = tool.run(&["undo", &restore]).failed(4);
    assert!(late.stderr.contains("its old tables were dropped"), "{}", late.stderr);
    let again = tool.json(&["cleanup"]);
    assert_eq!(again["databases"]["dropped"].as_array().expect("a list").len(), 0);
}

fn what_was_loaded_by_a_restore_that_died_goes(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    tool.backup();
    tool.ok(&["restore", "latest", "--stage"]);
    // As one looks that was killed while it loaded.
    let (path, mut record) = the_restore(&workspace);
    record.stage = gorgen_engine::records::restore::Stage::Loading;
    fs::write(&path, record.write().unwrap()).unwrap();
    assert_eq!(beside(server, &live), 1);
    tool.ok(&["cleanup"]);
    assert_eq!(beside(server, &live), 1, "it may be alive");
    let restore = age(&workspace, 25);
    let done = tool.json(&["cleanup"]);
    assert_eq!(done["databases"]["taken_back"][0], restore);
    assert_eq!(beside(server, &live), 0);
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM pacientes"), "2");
    let status = tool.json(&["status"]);
    assert_eq!(status["restores"][0]["stage"], "failed");
}
