//! `doctor` on real servers: all well, and one thing wrong at a time. It names what is wrong and what to do, never fails
//! itself, and never shows a secret.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::{
    Database, Flavor, Outcome, PASSWORD, Server, Tool, Workspace,
    server::{ident, percent},
    shown::Shown,
};
use serde_json::Value;

on_each_server!(
    all_is_well_once_there_is_a_backup,
    missing_privileges_are_named,
    roles_count_once_they_are_active,
    restores_need_more_than_backups,
    routines_of_others_are_not_forgotten,
    wrong_passwords_are_not_shown,
    a_missing_database_is_told_from_a_missing_server,
    what_a_snapshot_does_not_cover_is_named,
    the_last_run_failed,
    another_databases_vault,
    heavy_a_server_with_other_settings,
);

/// One table, one view, one trigger, one procedure.
const CONTENT: &str = "
    CREATE TABLE pacientes (id INT PRIMARY KEY, nome VARCHAR(80), nota TEXT CHARACTER SET utf16);
    INSERT INTO pacientes VALUES (1, 'Maria de Lourdes', 'x');
    CREATE VIEW nomes AS SELECT nome FROM pacientes;
    CREATE TRIGGER aparar BEFORE INSERT ON pacientes FOR EACH ROW SET NEW.nome = TRIM(NEW.nome);
    CREATE PROCEDURE contar() SELECT COUNT(*) FROM pacientes;";

/// What a backup needs in its database.
const READING: &str = "SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES";

/// What lets an account see procedures and functions that others made.
fn routines(server: &Server) -> &'static str {
    if server.is_mariadb() { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" }
}

fn clinic(server: &Server) -> Database<'_> {
    let database = server.database("doctor");
    server.sql(&database.name, CONTENT);
    database
}

/// The tool, with a number of readers that does not depend on the machine.
fn tool(workspace: &Workspace, server: &Server, database: &Database<'_>) -> Tool {
    workspace.tool(server, database).with("GORGEN_READERS", "2")
}

/// The tool as an account that was made for it.
fn tool_as(user: &str, workspace: &Workspace, server: &Server, database: &Database<'_>) -> Tool {
    tool(workspace, server, database)
        .with("GORGEN_DATABASE_URL", server.url_as(user, PASSWORD, &database.name))
}

/// An account with its own name on each run, so that no grants are left of another one.
fn account(server: &Server, name: &str, grants: &[String]) -> String {
    let user = format!("{name}_{}", std::process::id());
    let grants: Vec<_> = grants.iter().map(String::as_str).collect();
    server.account(&user, PASSWORD, &grants);
    user
}

/// What was found, from the one JSON document.
struct Found(Value);

impl Found {
    #[track_caller]
    fn by(tool: &Tool, code: i32) -> Self {
        let outcome = tool.run(&["doctor", "--json"]).failed(code);
        Self::of(&outcome)
    }

    #[track_caller]
    fn of(outcome: &Outcome) -> Self {
        assert_eq!(outcome.stderr, "", "what is wrong belongs into the findings");
        assert!(!outcome.stdout.contains("Maria de Lourdes"));
        let document = outcome.document();
        assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["findings"]);
        Self(document["findings"].clone())
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.0.as_array().unwrap().iter()
    }

    #[track_caller]
    fn finding(&self, check: &str) -> &Value {
        let mut found = self.all().filter(|finding| finding["check"] == check);
        let finding = found.next().unwrap_or_else(|| panic!("no {check} in {:#}", self.0));
        assert!(found.next().is_none(), "{check} twice");
        finding
    }

    /// `status: fact -> remedy`
    #[track_caller]
    fn text(&self, check: &str) -> String {
        let finding = self.finding(check);
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {} -> {}", text("status"), text("fact"), text("remedy"))
    }

    #[track_caller]
    fn assert_says(&self, check: &str, parts: &[&str]) {
        let text = self.text(check);
        for part in parts {
            assert!(text.contains(part), "{check} does not say {part:?}: {text}");
        }
    }

    /// Checks with this status, without those that were not made.
    fn checks(&self, status: &str) -> Vec<&str> {
        let of = |finding: &&Value| finding["status"] == status && !is_skipped(finding);
        self.all().filter(of).map(|finding| finding["check"].as_str().unwrap()).collect()
    }

    fn skipped(&self) -> Vec<&str> {
        self.all()
            .filter(|finding| is_skipped(finding))
            .map(|finding| finding["check"].as_str().unwrap())
            .collect()
    }
}

fn is_skipped(finding: &Value) -> bool {
    finding["fact"].as_str().unwrap().starts_with("not checked")
}

/// The text for people, without the lines of settings.
fn shown(
    workspace: &Workspace,
    server: &Server,
    database: &Database<'_>,
    outcome: &Outcome,
) -> String {
    let text = Shown::new(workspace)
        .server(server)
        .hiding(&database.name, "[DATABASE]")
        .text(&outcome.stdout);
    let lines = text.lines().filter(|line| !line.contains("GORGEN_") || line.starts_with(' '));
    lines.collect::<Vec<_>>().join("\n")
}

fn all_is_well_once_there_is_a_backup(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let tool = tool(&workspace, server, &database);
    let outcome = tool.run(&["doctor"]).failed(0);
    let text = shown(&workspace, server, &database, &outcome);
    match server.flavor {
        Flavor::MariaDb => insta::assert_snapshot!(text, @r"
    ok       database              MariaDB [VERSION] answers root@localhost, within this machine
    ok       clock                 the database server and this machine agree on the time
    ok       backup-privileges     root@localhost may read all that [DATABASE] holds
    ok       snapshot              up to 2 connections begun under a short read lock, else one connection in one transaction
    ok       binlog-position       a backup knows its place in the binary log
    ok       max-allowed-packet    256 MiB, and by the server's estimates no row is larger
    ok       local-infile          LOAD DATA LOCAL is on: restores load rows the quick way
    ok       restore-privileges    root@localhost may restore into [DATABASE]_restored
    ok       restore-definers      views, triggers, routines and events can be restored with the definers they have
    ok       restore-routines      functions and triggers can be made
    ok       definitions           1 table, 1 view, 1 trigger, 1 procedure: all definitions can be read
    ok       engines               every table takes part in a snapshot
    ok       keys                  every table has a primary or unique key
    ok       character-sets        text columns: 1 utf16, 1 utf8mb4
    ok       vault                 file://[FOLDER]/vault holds no backup yet
    ok       vault-writable        a probe was written and read back
    ok       vault-owner           nobody's yet: it is the database's whose backup comes first
    warning  last-backup           there is no backup yet
             what to do: make one now: gorgen-backup backup
    ok       keyring               file://[FOLDER]/key makes keys and opens them (the vault has none to try)
    no problem, 1 warning (last-backup), 27 ok
    "),
        Flavor::MySql => insta::assert_snapshot!(text, @r"
    ok       database              MySQL [VERSION] answers root@localhost, within this machine
    ok       clock                 the database server and this machine agree on the time
    ok       backup-privileges     root@localhost may read all that [DATABASE] holds
    ok       snapshot              up to 2 connections begun under a short read lock, else one connection in one transaction
    ok       binlog-position       a backup knows its place in the binary log
    ok       max-allowed-packet    256 MiB, and by the server's estimates no row is larger
    ok       local-infile          LOAD DATA LOCAL is on: restores load rows the quick way
    ok       restore-privileges    root@localhost may restore into [DATABASE]_restored
    ok       restore-definers      views, triggers, routines and events can be restored with the definers they have
    ok       restore-routines      functions and triggers can be made
    ok       definitions           1 table, 1 view, 1 trigger, 1 procedure: all definitions can be read
    ok       engines               every table takes part in a snapshot
    ok       keys                  every table has a primary or unique key
    ok       character-sets        text columns: 1 utf16, 1 utf8mb4
    ok       vault                 file://[FOLDER]/vault holds no backup yet
    ok       vault-writable        a probe was written and read back
    ok       vault-owner           nobody's yet: it is the database's whose backup comes first
    warning  last-backup           there is no backup yet
             what to do: make one now: gorgen-backup backup
    ok       keyring               file://[FOLDER]/key makes keys and opens them (the vault has none to try)
    no problem, 1 warning (last-backup), 27 ok
    "),
    }
    assert_eq!(
        workspace.objects(""),
        ["locks/doctor.json"],
        "it leaves its probe, and nothing else"
    );

    let id = tool.backup();
    let found = Found::by(&tool, 0);
    assert_eq!(found.checks("warning"), [""; 0]);
    assert_eq!(found.checks("problem"), [""; 0]);
    assert_eq!(found.skipped(), [""; 0]);
    found.assert_says("last-backup", &[&id]);
    found.assert_says("last-backup-run", &[&id, "succeeded"]);
    found.assert_says("keyring", &["opens the newest key of the vault"]);
    for finding in found.all() {
        let fields: Vec<_> = finding.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["check", "fact", "remedy", "status"]);
        assert_eq!(finding["remedy"], Value::Null, "{finding}");
    }
}

fn missing_privileges_are_named(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let user = account(server, "pouco", &[format!("SELECT ON {}.*", ident(&database.name))]);
    let tool = tool_as(&user, &workspace, server, &database);
    let found = Found::by(&tool, 1);
    assert_eq!(found.checks("problem"), ["backup-privileges"]);
    let routines = format!("GRANT {} TO", routines(server));
    let reading =
        format!("GRANT SHOW VIEW, TRIGGER, EVENT ON {}.* TO '{user}'@'%';", ident(&database.name));
    found.assert_says(
        "backup-privileges",
        &["lacks SHOW VIEW, TRIGGER, EVENT, S", &reading, &routines],
    );
    found.assert_says("snapshot", &["warning", "lacks LOCK TABLES", "GRANT LOCK TABLES ON"]);
    found.assert_says(
        "restore-privileges",
        &["warning", "for backups only", "REFERENCES", "CREATE ROUTINE"],
    );
    if !server.is_mariadb() {
        found.assert_says("binlog-position", &["warning", "GRANT REPLICATION CLIENT ON *.* TO"]);
    }
    assert_eq!(
        found.skipped(),
        [
            "restore-definers",
            "restore-routines",
            "definitions",
            "engines",
            "keys",
            "character-sets"
        ]
    );

    // What it says to do helps.
    let remedy = |check: &str| {
        let finding = found.finding(check)["remedy"].as_str().unwrap_or_default().to_owned();
        finding.strip_prefix("run as an administrator: ").unwrap_or_default().to_owned()
    };
    for check in ["backup-privileges", "snapshot", "binlog-position"] {
        server.sql("", remedy(check));
    }
    let found = Found::by(&tool, 0);
    assert_eq!(found.checks("warning"), ["restore-privileges", "last-backup"]);
    found.assert_says("definitions", &["1 table, 1 view, 1 trigger, 1 procedure"]);
    tool.backup();
}

fn roles_count_once_they_are_active(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let role = format!("leitura_{}", std::process::id());
    let user = account(server, "papel", &[format!("SELECT ON {}.*", ident(&database.name))]);
    let routines = routines(server);
    server.sql(
        "",
        format!(
            "CREATE ROLE {role}; GRANT {READING} ON {}.* TO {role}; GRANT {routines} TO {role}; \
             GRANT {role} TO '{user}'@'%'",
            ident(&database.name)
        ),
    );
    let tool = tool_as(&user, &workspace, server, &database);
    let activation = if server.is_mariadb() {
        "SET DEFAULT ROLE the_role FOR"
    } else {
        "SET DEFAULT ROLE ALL TO"
    };
    Found::by(&tool, 1).assert_says("backup-privileges", &["problem", activation]);

    let activation = if server.is_mariadb() {
        format!("SET DEFAULT ROLE {role} FOR '{user}'@'%'")
    } else {
        format!("SET DEFAULT ROLE ALL TO '{user}'@'%'")
    };
    server.sql("", activation);
    Found::by(&tool, 0).assert_says("backup-privileges", &["ok", "may read all"]);
}

fn restores_need_more_than_backups(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let user = account(
        server,
        "restaura",
        &[
            format!("{READING} ON {}.*", ident(&database.name)),
            routines(server).to_owned(),
            "SELECT, INSERT, CREATE, DROP, ALTER, INDEX, CREATE VIEW, CREATE ROUTINE, TRIGGER ON `doctor%`.*".to_owned(),
        ],
    );
    let tool = tool_as(&user, &workspace, server, &database);
    Found::by(&tool, 0).assert_says(
        "restore-privileges",
        &["warning", "as it lacks REFERENCES, EVENT", "GRANT REFERENCES, EVENT ON"],
    );
    server.sql("", format!("GRANT REFERENCES, EVENT ON `doctor%`.* TO '{user}'@'%'"));
    let found = Found::by(&tool, 0);
    found.assert_says("restore-privileges", &["ok"]);
    let definers =
        if server.is_mariadb() { "GRANT SET USER ON" } else { "GRANT SET_ANY_DEFINER ON" };
    found.assert_says("restore-definers", &["warning", "--definer strip", definers]);
}

fn routines_of_others_are_not_forgotten(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let grant = format!("{READING}, EXECUTE ON {}.*", ident(&database.name));
    let user = account(server, "executa", &[grant]);
    let found = Found::by(&tool_as(&user, &workspace, server, &database), 1);
    assert_eq!(found.checks("problem"), ["definitions"]);
    found.assert_says("definitions", &["procedure contar", "lacks the privilege", "run GRANT"]);
    assert_eq!(
        found.skipped(),
        ["restore-definers", "restore-routines", "engines", "keys", "character-sets"]
    );
}

fn wrong_passwords_are_not_shown(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let user = account(server, "erra", &[]);
    let url = server.url_as(&user, &format!("{PASSWORD}x"), &database.name);
    let outcome = tool(&workspace, server, &database)
        .with("GORGEN_DATABASE_URL", url)
        .run(&["doctor"])
        .failed(1);
    let text = shown(&workspace, server, &database, &outcome).replace(&user, "[USER]");
    insta::assert_snapshot!(text, @"
    problem  database              the database [DATABASE] at 127.0.0.1:[PORT] refused to let [USER] in: Access denied for user '[USER]'@'localhost' (using password: YES) (error 1045)
             what to do: check user and password in GORGEN_DATABASE_URL (special characters as % and two hex digits) or in its secret, and that the account may come from this machine; with auth=rds-iam, that IAM allows rds-db:connect for it
    warning  not checked           clock, backup-privileges, snapshot, binlog-position, max-allowed-packet, local-infile, restore-privileges, restore-definers, restore-routines, definitions, engines, keys, character-sets
             what to do: see to database first
    ok       vault                 file://[FOLDER]/vault holds no backup yet
    ok       vault-writable        a probe was written and read back
    ok       vault-owner           nobody's yet: it is the database's whose backup comes first
    warning  last-backup           there is no backup yet
             what to do: make one now: gorgen-backup backup
    ok       keyring               file://[FOLDER]/key makes keys and opens them (the vault has none to try)
    1 problem (database), 1 warning (last-backup), 13 not checked, 13 ok
    ");
}

fn a_missing_database_is_told_from_a_missing_server(server: &Server) {
    let (workspace, database) = (Workspace::new(), server.absent("doctor"));
    let tool = tool(&workspace, server, &database);
    let found = Found::by(&tool, 1);
    assert_eq!(found.checks("problem"), ["database"]);
    found.assert_says(
        "database",
        &["there is no database", &database.name, "check the database's name"],
    );

    let nobody = format!("mysql://root:{}@127.0.0.1:1/clinica", percent(PASSWORD));
    let found = Found::by(&tool.with("GORGEN_DATABASE_URL", nobody), 1);
    found
        .assert_says("database", &["cannot reach the database clinica at 127.0.0.1:1", "firewall"]);
    assert!(found.skipped().contains(&"backup-privileges"));
    found.assert_says("keyring", &["ok"]);
}

fn what_a_snapshot_does_not_cover_is_named(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    server.sql(&database.name, "CREATE TABLE solta (x INT) ENGINE = MyISAM");
    let tool = tool(&workspace, server, &database).with("GORGEN_TENANT_COLUMN", "clinica_id");
    let found = Found::by(&tool, 0);
    assert_eq!(found.checks("warning"), ["engines", "keys", "tenant-column", "last-backup"]);
    found.assert_says("engines", &["solta (MyISAM)", "ENGINE = InnoDB"]);
    found.assert_says("keys", &["solta", "primary key"]);
    found.assert_says("tenant-column", &["no table has the column clinica_id"]);
    found.assert_says("character-sets", &["1 utf16", "1 utf8mb4"]);
}

fn the_last_run_failed(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    let user = account(server, "falha", &[format!("SELECT ON {}.*", ident(&database.name))]);
    let tool = tool(&workspace, server, &database);
    tool.backup();
    tool_as(&user, &workspace, server, &database).run(&["backup"]).failed(1);
    let found = Found::by(&tool, 1);
    assert_eq!(found.checks("problem"), ["last-backup-run"]);
    found.assert_says("last-backup-run", &["failed: ", "privilege", "gorgen-backup backup"]);
    tool.backup();
    assert_eq!(Found::by(&tool, 0).checks("problem"), [""; 0]);
}

fn another_databases_vault(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server));
    tool(&workspace, server, &database).backup();
    let other = clinic(server);
    let found = Found::by(&tool(&workspace, server, &other), 1);
    assert_eq!(found.checks("problem"), ["vault-owner"]);
    found.assert_says("vault-owner", &[&database.name, &other.name, "--adopt", "GORGEN_VAULT"]);
}

fn heavy_a_server_with_other_settings(server: &Server) {
    let options =
        ["--local-infile=0", "--log-bin-trust-function-creators=0", "--max-allowed-packet=1M"];
    let Some(server) = Server::private(server.flavor, "doctor", &options) else { return };
    let (workspace, database) = (Workspace::new(), clinic(&server));
    server.sql(
        &database.name,
        "CREATE TABLE anexos (id INT PRIMARY KEY, arquivo LONGBLOB);
         INSERT INTO anexos SELECT id, REPEAT('x', 300000) FROM pacientes;
         INSERT INTO anexos SELECT id + 1, arquivo FROM anexos;
         INSERT INTO anexos SELECT id + 2, arquivo FROM anexos;
         ANALYZE TABLE anexos;",
    );
    let user = account(
        &server,
        "tudo",
        &["SELECT, INSERT, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, \
        CREATE ROUTINE, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.*"
            .to_owned()],
    );
    let found = Found::by(&tool_as(&user, &workspace, &server, &database), 0);
    found.assert_says("local-infile", &["warning", "SET GLOBAL local_infile = ON"]);
    found.assert_says("restore-routines", &["warning", "log_bin_trust_function_creators"]);
    found.assert_says(
        "max-allowed-packet",
        &["warning", "1 MiB; a row could be larger in anexos", "64M"],
    );
}

/// The tool with vault and keyring, on a database that is not there: for what needs no server.
fn without_server(workspace: &Workspace) -> Tool {
    workspace
        .keeper()
        .with("GORGEN_READERS", "2")
        .with("GORGEN_DATABASE_URL", "mysql://root@127.0.0.1:1/clinica")
}

#[test]
fn without_settings_it_says_which_are_needed() {
    let workspace = Workspace::new();
    let outcome = workspace.bare().with("GORGEN_READERS", "2").run(&["doctor"]).failed(1);
    insta::assert_snapshot!(outcome.stdout, @r"
    problem  GORGEN_DATABASE_URL   not set
             what to do: set it to mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %)
    problem  GORGEN_VAULT          not set
             what to do: set it to file:///folder or s3://bucket/prefix
    problem  GORGEN_KEYRING        not set
             what to do: set it to file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity
    ok       GORGEN_TENANT_COLUMN  not set: backups are not divided by tenant
    ok       GORGEN_TIMEZONE       America/Sao_Paulo
    ok       GORGEN_LANG           pt-BR
    ok       GORGEN_RETENTION      daily=30,weekly=12,monthly=12,yearly=20,last=3,within=2
    ok       GORGEN_LOCK_LEASE     60 s
    ok       GORGEN_READERS        2
    warning  not checked           database, clock, backup-privileges, snapshot, binlog-position, max-allowed-packet, local-infile, restore-privileges, restore-definers, restore-routines, definitions, engines, keys, character-sets
             what to do: see to GORGEN_DATABASE_URL first
    warning  not checked           vault, vault-writable, vault-owner, last-backup, last-backup-run
             what to do: see to GORGEN_VAULT first
    warning  keyring               not checked: it needs GORGEN_KEYRING
             what to do: see to GORGEN_KEYRING first
    3 problems (GORGEN_DATABASE_URL, GORGEN_VAULT, GORGEN_KEYRING), no warning, 20 not checked, 6 ok
    ");
}

#[test]
fn settings_that_are_wrong_are_findings_and_the_others_are_used() {
    let workspace = Workspace::new();
    let outcome = without_server(&workspace)
        .with("GORGEN_VALT", "x")
        .with("GORGEN_LOCK_LEASE", "soon")
        .with("GORGEN_DATABASE_URL", format!("mysql://root:{PASSWORD}/clinica"))
        .run(&["doctor"])
        .failed(1);
    insta::assert_snapshot!(Shown::new(&workspace).text(&outcome.stdout), @r#"
    problem  settings              GORGEN_VALT: no such setting (did you mean GORGEN_VAULT?)
             what to do: correct the name or take it away: every other command refuses to run
    problem  GORGEN_DATABASE_URL   expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)
             what to do: correct it: every other command refuses to run
    ok       GORGEN_VAULT          file://[FOLDER]/vault
    ok       GORGEN_KEYRING        file://[FOLDER]/key
    ok       GORGEN_TENANT_COLUMN  not set: backups are not divided by tenant
    ok       GORGEN_TIMEZONE       America/Sao_Paulo
    ok       GORGEN_LANG           pt-BR
    ok       GORGEN_RETENTION      daily=30,weekly=12,monthly=12,yearly=20,last=3,within=2
    problem  GORGEN_LOCK_LEASE     expected a number of seconds from 1 to 3600, got "soon"
             what to do: correct it: every other command refuses to run
    ok       GORGEN_READERS        2
    warning  not checked           database, clock, backup-privileges, snapshot, binlog-position, max-allowed-packet, local-infile, restore-privileges, restore-definers, restore-routines, definitions, engines, keys, character-sets
             what to do: see to GORGEN_DATABASE_URL first
    ok       vault                 file://[FOLDER]/vault holds no backup yet
    ok       vault-writable        a probe was written and read back
    ok       vault-owner           nobody's yet: it is the database's whose backup comes first
    warning  last-backup           there is no backup yet
             what to do: make one now: gorgen-backup backup
    ok       keyring               file://[FOLDER]/key makes keys and opens them (the vault has none to try)
    3 problems (settings, GORGEN_DATABASE_URL, GORGEN_LOCK_LEASE), 1 warning (last-backup), 14 not checked, 11 ok
    "#);
}

#[test]
fn an_unencrypted_way_to_another_machine_is_warned_about() {
    // Nothing answers there: the address is kept for documentation.
    let url = "mysql://root@192.0.2.1:1/clinica?tls=off";
    let workspace = Workspace::new();
    let found = Found::by(
        &workspace.bare().with("GORGEN_DATABASE_URL", url.replace("192.0.2.1", "0.0.0.0")),
        1,
    );
    found.assert_says("GORGEN_DATABASE_URL", &["warning", "in the clear", "tls=off"]);
}

#[test]
fn a_key_file_that_is_missing_or_open_to_others() {
    let workspace = Workspace::new();
    let tool = without_server(&workspace);
    let keyring = |found: &Found| Shown::new(&workspace).text(&found.text("keyring"));
    fs::set_permissions(workspace.key_file(), fs::Permissions::from_mode(0o640)).unwrap();
    insta::assert_snapshot!(keyring(&Found::by(&tool, 1)), @"problem: cannot use file://[FOLDER]/key: others than its owner have access to it (mode 0640): run chmod 600 [FOLDER]/key -> chmod 600 [FOLDER]/key");
    fs::write(workspace.key_file(), "no key").unwrap();
    fs::set_permissions(workspace.key_file(), fs::Permissions::from_mode(0o600)).unwrap();
    insta::assert_snapshot!(keyring(&Found::by(&tool, 1)), @"problem: cannot use file://[FOLDER]/key: it is no key file, or damaged -> see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it back from its safe copy");
    fs::remove_file(workspace.key_file()).unwrap();
    insta::assert_snapshot!(keyring(&Found::by(&tool, 1)), @"problem: cannot use file://[FOLDER]/key: it cannot be read: No such file or directory (os error 2) -> bring the key file back from its safe copy, or correct GORGEN_KEYRING; only if there is no backup yet, make one: gorgen-backup keys create [FOLDER]/key");
}

#[test]
fn a_vault_that_takes_no_writes() {
    let workspace = Workspace::new();
    fs::write(workspace.path().join("file"), "in the way").unwrap();
    let tool = without_server(&workspace)
        .with("GORGEN_VAULT", format!("file://{}/file/vault", workspace.path().display()));
    let found = Found::by(&tool, 1);
    assert_eq!(found.checks("problem"), ["database", "vault-writable"]);
    insta::assert_snapshot!(Shown::new(&workspace).text(&found.text("vault-writable")), @"problem: cannot write locks/doctor.json in file://[FOLDER]/file/vault: not a directory -> see that the folder in GORGEN_VAULT is right and its disk mounted and not full, and that this account may read and write it");
}

#[test]
fn usage_is_the_only_thing_it_fails_for() {
    let outcome = Workspace::new().bare().run(&["doctor", "--into", "x"]).failed(2);
    assert_eq!(outcome.stdout, "");
}
