//! The runbook as it stands: every line of it that begins with `gorgen-backup` is run, in its order, on real servers and the emulator.
//! Only what a reader would put in as well, ids, names and places, is put in here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    import_legacy,
    support::{Server, Tool, Workspace, aws::Aws, server::ident},
};

on_each_server!(every_line_of_the_runbook_does_what_it_says);

const RUNBOOK: &str = include_str!("../../../docs/operations.md");

/// The commands of each section, by its title.
fn sections() -> BTreeMap<&'static str, Vec<Vec<String>>> {
    let mut sections = BTreeMap::new();
    for section in RUNBOOK.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').expect("a title");
        let lines = text.lines().filter_map(|line| line.strip_prefix("gorgen-backup "));
        let commands: Vec<_> = lines.map(|line| shlex::split(line).expect("words")).collect();
        if !commands.is_empty() {
            sections.insert(title, commands);
        }
    }
    sections
}

/// What is run, and what a reader puts in.
struct Book {
    left: BTreeMap<&'static str, Vec<Vec<String>>>,
    names: Vec<(&'static str, String)>,
}

impl Book {
    fn put_in(&mut self, word: &'static str, value: impl Into<String>) {
        self.names.retain(|(known, _)| *known != word);
        self.names.push((word, value.into()));
    }

    /// Runs a section's commands; `before` may see to what each of them needs.
    fn run(&mut self, title: &str, tool: &Tool, before: impl Fn(&mut Self, &[String])) {
        self.run_to(0, title, tool, before);
    }

    /// The same, where they end with this status.
    fn run_to(
        &mut self,
        status: i32,
        title: &str,
        tool: &Tool,
        before: impl Fn(&mut Self, &[String]),
    ) {
        let commands = self.left.remove(title).unwrap_or_else(|| panic!("no section {title:?}"));
        for command in commands {
            before(self, &command);
            let words: Vec<String> = command
                .iter()
                .map(|word| {
                    let put_in = |word: String, (from, to): &(&str, String)| word.replace(from, to);
                    self.names.iter().fold(word.clone(), put_in)
                })
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let outcome = tool.run(&words);
            assert_eq!(outcome.code(), status, "{title}: {words:?}: {outcome:?}");
        }
    }
}

fn nothing(_: &mut Book, _: &[String]) {}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[expect(clippy::too_many_lines, reason = "one story, in the runbook's order")]
fn every_line_of_the_runbook_does_what_it_says(server: &Server) {
    let (aws, workspace) = (Aws::of_the_laboratory(), Workspace::new());
    let name = format!("ops-{}-{}", server.flavor.name(), std::process::id());
    let (alias, next) = (format!("alias/gorgen-{name}"), format!("alias/gorgen-new-{name}"));
    for alias in [&alias, &next] {
        aws.create_key(alias);
    }
    aws.create_bucket(&name);
    let live = import_legacy::clinic(server);
    import_legacy::fill(server, &live);
    let scratch = server.absent("ops scratch");
    let restored = server.absent("ops restored");
    let looked_at = server.absent("ops look");
    let (drive, safe) = (workspace.path().join("drive"), workspace.path().join("safe"));
    fs::create_dir(&safe).expect("a folder");
    let (identity, recipient) = identity(&safe);
    let tool = aws
        .reached_by(import_legacy::tool(server, &workspace, &live))
        .with("GORGEN_VAULT", format!("s3://{name}/clinic"))
        .with("GORGEN_KEYRING", format!("kms:{alias}"))
        .with("GORGEN_SCRATCH_URL", server.url(&scratch.name))
        .with("GORGEN_OFFLINE_RECIPIENT", recipient);
    let mut book = Book { left: sections(), names: Vec::new() };
    let in_workspace = |file: &str| workspace.path().join(file).display().to_string();
    book.put_in("accounts.env", in_workspace("accounts.env"));
    book.put_in("october.html", in_workspace("october.html"));
    book.put_in("/media/drive", drive.display().to_string());
    book.put_in("/media/safe/identity.txt", identity.display().to_string());
    book.put_in("kms:alias/gorgen-new", format!("kms:{next}"));
    book.put_in("clinica_look", &looked_at.name);

    book.run("The first deployment", &tool, nothing);
    book.put_in("ID", tool.backup());
    let month =
        tool.json(&["show", "latest"])["snapshot"].as_str().expect("a time")[..7].to_owned();
    book.put_in("2026-10", month);
    book.run("Every day, week and month", &tool, nothing);

    // Here nothing is deployed, and that is what it says; local/tests_cloud runs it where something is.
    book.run_to(1, "The whole system at one look", &tool, nothing);

    let last_restore = || {
        let status = tool.json(&["status"]);
        let all = status["restores"].as_array().expect("a list").iter();
        all.max_by_key(|restore| restore["restore"].to_string()).cloned()
    };
    let last_id = || told(&last_restore().expect("a restore")["restore"]);
    let ruin = || server.sql(&live.name, "UPDATE pacientes SET nome = 'ruined'");
    let at_night = |book: &mut Book, command: &[String]| match command[0].as_str() {
        // Three ways to do it: each begins where the one before it did.
        "restore" if command.contains(&"RESTAURAR".to_owned()) => {
            if let Some(last) = last_restore() {
                tool.json(&["undo", &last_id()]);
                for database in [&last["staging"], &last["before"]] {
                    let drop = format!("DROP DATABASE IF EXISTS {}", ident(&told(database)));
                    server.sql("mysql", drop);
                }
            }
            ruin();
        }
        "undo" => book.put_in("RESTORE", last_id()),
        // What these finish was left unfinished.
        "promote" | "cancel" => {
            tool.json(&["restore", "latest", "--stage"]);
            book.put_in("RESTORE", last_id());
        }
        _ => {}
    };
    let on_the_drive = import_legacy::rows_of(server, &live.name, 7);
    book.run("Something was deleted or overwritten: a restore at 3 a.m.", &tool, at_night);
    book.names.retain(|(word, _)| *word != "RESTORE");

    tool.backup();
    let rows = import_legacy::rows_of(server, &live.name, 7);
    let replica = format!("{name}-replica");
    aws.create_bucket(&replica);
    let replicate = || {
        for object in aws.objects(&name, "clinic/") {
            aws.put_object(&replica, &object, &aws.object(&name, &object));
        }
    };
    replicate();
    let second = tool.clone().with("GORGEN_VAULT", format!("s3://{replica}/clinic"));
    book.put_in("clinica", &restored.name);
    book.run("The first region is gone", &second, nothing);
    assert_eq!(import_legacy::rows_of(server, &restored.name, 7), rows);
    restored.remove();

    book.run("A KMS key is disabled, deleted, or no longer trusted", &tool, nothing);
    let tool = tool.with("GORGEN_KEYRING", format!("kms:{next}"));
    let with_replica = tool
        .clone()
        .with("GORGEN_REPLICA_VAULT", format!("s3://{replica}/clinic"))
        .with("GORGEN_REPLICA_KEYRING", format!("kms:{next}"));
    book.run("Ransomware, or an intruder in the account", &with_replica, nothing);

    let alone = workspace
        .tool(server, &live)
        .with("GORGEN_VAULT", url(&drive.join("vault")))
        .with("GORGEN_KEYRING", format!("age://{}", identity.display()));
    book.run("AWS is gone, or the account is", &alone, nothing);
    assert_eq!(import_legacy::rows_of(server, &restored.name, 7), on_the_drive);

    book.run("Somebody must keep a backup: legal hold", &tool, nothing);
    let file = import_legacy::file(&workspace, "full_2026-01-01.json.gz.enc", import_legacy::FULL);
    book.put_in("tenant_7/full_2026-01-01.json.gz.enc", file);
    let imported = |book: &mut Book, command: &[String]| {
        if command[0] == "restore" {
            let list = tool.json(&["list"]);
            let backups = list["backups"].as_array().expect("a list");
            let imported = backups.iter().find(|backup| backup["imported"].is_object());
            let id = imported.expect("an import")["backup"].as_str().expect("an id");
            book.put_in("ID", id);
        }
    };
    server.sql(&live.name, "DELETE FROM medidas");
    book.run("Old backups of the program before this one", &tool, imported);
    book.run("An upgrade", &tool, nothing);
    replicate();
    server.sql(&live.name, "SET foreign_key_checks = 0; DELETE FROM pacientes WHERE tenant_id = 7");
    book.run("A tenant must be erased", &with_replica, nothing);
    assert!(book.left.is_empty(), "sections that nobody runs: {:?}", book.left.keys());
}

/// A text in JSON.
fn told(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// An identity of age, made with its own tool as the runbook says, and its recipient.
fn identity(safe: &Path) -> (PathBuf, String) {
    let path = safe.join("identity.txt");
    let made = Command::new("age-keygen").arg("-o").arg(&path).output().expect("age-keygen");
    assert!(made.status.success());
    let told = Command::new("age-keygen").arg("-y").arg(&path).output().expect("age-keygen");
    (path, String::from_utf8(told.stdout).expect("text").trim().to_owned())
}
