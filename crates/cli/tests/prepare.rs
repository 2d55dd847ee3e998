//! `prepare` on real servers: the accounts that it makes do their part, and no more.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use crate::support::{
    Database, Outcome, PASSWORD, Rows, Server, Tool, Workspace, assert_equal, server::ident,
    shown::Shown,
};
use serde_json::Value;

on_each_server!(
    accounts_do_their_part_and_no_more,
    the_second_time_nothing_changes_unless_it_is_asked_for,
    printed_statements_do_the_same,
    what_is_missing_and_what_is_too_much_is_told,
    an_administrator_without_rights_is_told_what_was_tried,
    hostile_names_are_names,
    mistakes_are_named,
);

/// One of everything, made by an account of the application's.
const CONTENT: &str = "
    CREATE TABLE pacientes (id INT PRIMARY KEY, nome VARCHAR(80)) ENGINE=InnoDB;
    CREATE TABLE consultas (id INT PRIMARY KEY AUTO_INCREMENT, paciente INT NOT NULL, valor DECIMAL(15,6),
      CONSTRAINT consultas_paciente FOREIGN KEY (paciente) REFERENCES pacientes (id)) ENGINE=InnoDB;
    INSERT INTO pacientes VALUES (1, 'Maria de Lourdes'), (2, 'Beto');
    INSERT INTO consultas VALUES (10, 1, 1.5), (11, 2, 2.25);
    CREATE TABLE audit_log (id INT PRIMARY KEY, entry VARCHAR(80)) ENGINE=InnoDB;
    INSERT INTO audit_log VALUES (1, 'first');
    CREATE DEFINER=@APP@ FUNCTION dobro(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;
    CREATE DEFINER=@APP@ PROCEDURE contar() SELECT COUNT(*) FROM pacientes;
    CREATE DEFINER=@APP@ VIEW nomes AS SELECT p.id, COUNT(*) AS n FROM pacientes p JOIN consultas c ON c.paciente = p.id GROUP BY p.id;
    CREATE DEFINER=@APP@ TRIGGER aparar BEFORE INSERT ON pacientes FOR EACH ROW SET NEW.nome = TRIM(NEW.nome);
    CREATE DEFINER=@APP@ TRIGGER anotar AFTER INSERT ON audit_log FOR EACH ROW SET @last = NEW.id;
    CREATE DEFINER=@APP@ EVENT limpar ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM consultas WHERE id < 0;";

/// A clinic, accounts for it that nobody else has, and a vault.
struct Clinic<'a> {
    server: &'a Server,
    workspace: Workspace,
    live: Database<'a>,
    /// What tells the accounts of this clinic from others.
    number: String,
}

impl<'a> Clinic<'a> {
    fn on(server: &'a Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = format!("{}_{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let live = server.database("prep");
        let app = format!("'app_{number}'@'%'");
        server.sql("", format!("CREATE USER {app}; GRANT ALL ON {}.* TO {app}", ident(&live.name)));
        server.sql(&live.name, CONTENT.replace("@APP@", &app));
        Self { server, workspace: Workspace::new(), live, number }
    }

    /// The tool as an administrator.
    fn tool(&self) -> Tool {
        self.workspace.tool(self.server, &self.live).with("GORGEN_READERS", "2")
    }

    fn account(&self, role: &str) -> String {
        format!("{role}_{}", self.number)
    }

    fn scratch(&self) -> String {
        format!("s_{}", self.number)
    }

    /// Runs `prepare` for the accounts of this clinic.
    fn prepare(&self, more: &[&str]) -> Outcome {
        self.prepare_with(&self.tool(), more)
    }

    fn prepare_with(&self, tool: &Tool, more: &[&str]) -> Outcome {
        let [backup, restore, scratch] =
            ["backup", "restore", "scratch"].map(|it| self.account(it));
        let names = self.scratch();
        let args = [
            &["prepare", "--backup-user", &backup, "--restore-user", &restore][..],
            &["--scratch-user", &scratch, "--scratch-database", &names],
            more,
        ];
        tool.run(&args.concat())
    }

    /// Makes the accounts, and gives the settings: for backups, for restores, and for restore tests.
    #[track_caller]
    fn prepared(&self) -> [String; 3] {
        let document = self.prepare(&["--json"]).failed(0).document();
        let settings = document["settings"].as_array().expect("a list");
        let value = |at: usize| settings[at]["value"].as_str().expect("a URL").to_owned();
        [value(0), value(1), value(2)]
    }

    /// The tool as one of the accounts.
    fn tool_as(&self, url: &str) -> Tool {
        self.tool().with("GORGEN_DATABASE_URL", url)
    }

    /// What the server says to a statement of an account that logs in with this URL.
    fn try_as(&self, url: &str, statement: &str) -> Result<String, String> {
        let login = url.strip_prefix("mysql://").expect("a URL");
        let (user, rest) = login.split_once(':').expect("a user");
        let (password, _) = rest.split_once('@').expect("a password");
        let (program, args) = self.server.client_command();
        let output = Command::new(program)
            .args(args)
            .args(["--protocol=tcp", "--host=127.0.0.1", "--port", self.server.port()])
            .args(["--batch", "--skip-column-names", "--user", user, "--execute", statement])
            .arg(&self.live.name)
            .env("MYSQL_PWD", password)
            .output()
            .expect("the client runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// The database that a restore makes, dropped when the test ends.
    fn restored(&self) -> Database<'a> {
        let mut restored = self.server.absent("prep");
        restored.name = format!("{}_restored", self.live.name);
        restored
    }

    fn shown(&self) -> Shown {
        Shown::new(&self.workspace)
            .server(self.server)
            .hiding(self.live.name.replace('_', "\\_"), "[DATABASE]")
            .hiding(&self.live.name, "[DATABASE]")
            .hiding(&self.number, "[N]")
    }
}

impl Drop for Clinic<'_> {
    fn drop(&mut self) {
        let live = self.live.name.replace('_', "\\_");
        let query = format!(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{live}\\_%'"
        );
        for name in self.server.try_sql(None, query).unwrap_or_default().lines() {
            let _ = self.server.try_sql(None, format!("DROP DATABASE {}", ident(name)));
        }
        for role in ["app", "backup", "restore", "scratch"] {
            let account = self.account(role);
            let _ = self.server.try_sql(None, format!("DROP USER IF EXISTS '{account}'@'%'"));
        }
    }
}

/// Checks with this status among findings.
fn checks(document: &Value, status: &str) -> Vec<String> {
    let findings = document["findings"].as_array().expect("a list").iter();
    findings
        .filter(|finding| finding["status"] == status)
        .map(|finding| finding["check"].as_str().expect("a name").to_owned())
        .collect()
}

#[track_caller]
fn assert_all_is_there(outcome: &Outcome) {
    let document = outcome.document();
    for status in ["problem", "warning"] {
        assert_eq!(checks(&document, status), [""; 0], "{document:#}");
    }
}

fn accounts_do_their_part_and_no_more(server: &Server) {
    let clinic = Clinic::on(server);
    let missing = clinic.prepare(&["--check", "--json"]).failed(1).document();
    assert_eq!(
        checks(&missing, "problem"),
        ["backup-account", "restore-account", "scratch-account"]
    );
    let [backup, restore, scratch] = clinic.prepared();
    assert_all_is_there(&clinic.prepare(&["--check", "--json"]).failed(0));

    // The account for backups is all that backups need.
    let reading = clinic.tool_as(&backup);
    let found = reading.run(&["doctor", "--json"]).failed(0).document();
    assert_eq!(checks(&found, "problem"), [""; 0]);
    let amiss = checks(&found, "warning");
    let expected = ["restore-privileges", "restore-definers", "restore-routines", "last-backup"];
    assert_eq!(amiss, expected, "{found:#}");
    let id = reading.backup();
    for statement in [
        "INSERT INTO pacientes VALUES (3, 'x')",
        "UPDATE pacientes SET nome = 'x'",
        "DELETE FROM pacientes",
        "TRUNCATE TABLE consultas",
        "DROP TABLE consultas",
        "ALTER TABLE consultas ADD COLUMN x INT",
        "CREATE TABLE nova (id INT)",
        "CREATE VIEW outra AS SELECT 1",
        "CALL contar()",
        "CREATE DATABASE IF NOT EXISTS prep_outra",
    ] {
        let refused = clinic.try_as(&backup, statement).expect_err(statement);
        assert!(refused.contains("denied"), "{statement}: {refused}");
    }
    assert!(clinic.try_as(&backup, "SELECT nome FROM pacientes").is_ok(), "it reads");

    // The account for restores does all that they take: a copy, in place, and back.
    let writing = clinic.tool_as(&restore).with("GORGEN_APPEND_ONLY", "audit_log");
    let found = writing.run(&["doctor", "--json"]).failed(0).document();
    assert_eq!(checks(&found, "warning"), [""; 0], "{found:#}");
    let copy = clinic.restored();
    writing.restore(&id, &copy);
    assert_equal(server, &copy.name, &clinic.live.name, Rows::Ordered);
    server.sql(
        &clinic.live.name,
        // On MySQL only an account with SYSTEM_USER, as root has it, may take away what runs as root.
        "DELETE FROM consultas; UPDATE pacientes SET nome = 'ruined'; DROP PROCEDURE contar; DROP VIEW nomes; \
         CREATE DEFINER=@APP@ PROCEDURE contar() SELECT 1; DROP FUNCTION dobro; CREATE DEFINER=@APP@ PROCEDURE nova() SELECT 2; \
         DROP TRIGGER aparar; INSERT INTO audit_log VALUES (2, 'later')"
            .replace("@APP@", &format!("'{}'@'%'", clinic.account("app"))),
    );
    let args = ["restore", &id, "--in-place", "--confirm", "RESTAURAR"];
    let record = writing.json(&args);
    assert_eq!(record["stage"], "restored");
    server.sql(&clinic.live.name, "DELETE FROM audit_log WHERE id = 2");
    assert_equal(server, &copy.name, &clinic.live.name, Rows::Ordered);
    let restored = record["restore"].as_str().expect("an id");
    assert_eq!(writing.json(&["undo", restored])["stage"], "undone");
    assert_eq!(server.value(&clinic.live.name, "SELECT COUNT(*) FROM consultas"), "0");
    let refused = clinic.try_as(&restore, "CREATE DATABASE outra_clinica").expect_err("not there");
    assert!(refused.contains("denied"), "{refused}");

    // The one for restore tests sees nothing of the clinic.
    let tested = clinic.tool_as(&backup).with("GORGEN_SCRATCH_URL", &scratch);
    tested.json(&["restore-test", &id]);
    let refused = clinic.try_as(&scratch, "SELECT 1").expect_err("its database is not there");
    assert!(refused.contains("denied"), "{refused}");
}

fn the_second_time_nothing_changes_unless_it_is_asked_for(server: &Server) {
    let clinic = Clinic::on(server);
    let path = |name: &str| clinic.workspace.path().join(name);
    let to = |name: &str| path(name).to_str().expect("UTF-8").to_owned();
    let first = clinic.prepare(&["--to", &to("first")]).failed(0);
    let text = fs::read_to_string(path("first")).unwrap();
    let mode = fs::metadata(path("first")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let url = |line: &str, name: &str| {
        let value = line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\'')?;
        Some(value.to_owned())
    };
    let of_backup = |text: &str| text.lines().find_map(|line| url(line, "GORGEN_DATABASE_URL"));
    let backup = of_backup(&text).expect("a setting");
    let password = backup.split(['@', ':']).nth(2).expect("a password").to_owned();
    assert!(password.len() > 40, "{backup}");
    let secrets: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("://")?.1.split(['@', ':']).nth(1))
        .collect();
    assert_eq!(secrets.len(), 3, "{text}");
    for secret in secrets {
        assert!(!first.stdout.contains(secret), "{secret} is shown: {}", first.stdout);
    }
    assert_eq!(text.lines().filter(|line| line.contains("GORGEN_SCRATCH_URL='mysql:")).count(), 1);
    insta::allow_duplicates! {
    insta::assert_snapshot!(clinic.shown().text(&first.stdout), @r#"
    made     backup_[N]@%, which reads the database, for backups
    made     restore_[N]@%, which writes the database and those beside it, for restores
    made     scratch_[N]@%, which makes databases for restore tests, and drops them
    ok       backup-account        backup_[N]@% is there
    ok       backup-rights         backup_[N]@% may do all that its part takes (backup)
    ok       backup-excess         backup_[N]@% may do no more than that
    ok       restore-account       restore_[N]@% is there
    ok       restore-rights        restore_[N]@% may do all that its part takes (restore)
    ok       restore-excess        restore_[N]@% may do no more than that
    ok       scratch-account       scratch_[N]@% is there
    ok       scratch-rights        scratch_[N]@% may do all that its part takes (scratch)
    ok       scratch-excess        scratch_[N]@% may do no more than that
    ok       max-allowed-packet    256 MiB, and by the server's estimates no row is larger
    ok       local-infile          LOAD DATA LOCAL is on: restores load rows the quick way
    ok       restore-routines      functions and triggers can be made
    no problem, no warning, 12 ok
    wrote [FOLDER]/first: the settings, with the passwords; only its owner may read it
    "#);
    }
    clinic.tool_as(&backup).backup();

    let second = clinic.prepare(&["--to", &to("second")]).failed(0);
    assert!(second.stdout.contains("its password is as it was"), "{}", second.stdout);
    let text = fs::read_to_string(path("second")).unwrap();
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert!(!text.contains(&password), "{text}");
    clinic.tool_as(&backup).backup();

    clinic.prepare(&["--to", &to("second")]).failed(1).says(&["cannot create", "File exists"]);
    let third = clinic.prepare(&["--new-passwords", "--only", "backup", "--json"]).failed(0);
    let document = third.document();
    assert_eq!(document["accounts"][0]["access"], "renewed");
    let renewed = document["settings"][0]["value"].as_str().expect("a URL").to_owned();
    clinic.tool_as(&backup).run(&["backup"]).failed(1).says(&["refused to let"]);
    clinic.tool_as(&renewed).backup();
}

/// Runs a script after each `<PASSWORD>` in it became one.
fn run_script(server: &Server, script: &str) -> Result<String, String> {
    server.try_sql(None, script.replace("<PASSWORD>", "'somebody-else-s-9Z'"))
}

fn printed_statements_do_the_same(server: &Server) {
    let clinic = Clinic::on(server);
    let asked = clinic.prepare(&["--print"]).failed(0).stdout;
    assert!(server.try_sql(None, &asked).is_err(), "a password must be put in");
    for _ in 0..2 {
        run_script(server, &asked).unwrap_or_else(|error| panic!("{error}: {asked}"));
    }
    assert_all_is_there(&clinic.prepare(&["--check", "--json"]).failed(0));
    let kind = if server.is_mariadb() { "mariadb" } else { "mysql" };
    let unasked = ["--print", "--server", kind];
    // Nobody listens there.
    let nowhere = format!("mysql://nobody@127.0.0.1:1/{}", clinic.live.name);
    let tool = clinic.tool().with("GORGEN_DATABASE_URL", nowhere);
    let told = clinic.prepare_with(&tool, &unasked).failed(0).stdout;
    assert_eq!(
        told,
        asked
            .replace(&format!("root@{}", server.address), "nobody@127.0.0.1:1")
            .replace(&server.address, "127.0.0.1:1")
    );
    let document =
        clinic.prepare_with(&tool, &[&unasked[..], &["--json"]].concat()).failed(0).document();
    let statements = document["accounts"].as_array().expect("a list").iter();
    let statements =
        statements.flat_map(|account| account["statements"].as_array().expect("a list"));
    for statement in statements {
        let statement = statement.as_str().expect("a text");
        assert!(asked.lines().any(|line| line == statement), "{statement} is not in {asked}");
    }
    let backup = server.url_as(&clinic.account("backup"), "somebody-else-s-9Z", &clinic.live.name);
    clinic.tool_as(&backup).backup();
}

fn what_is_missing_and_what_is_too_much_is_told(server: &Server) {
    let clinic = Clinic::on(server);
    clinic.prepared();
    let live = ident(&clinic.live.name.replace('_', "\\_"));
    let (backup, restore) = (clinic.account("backup"), clinic.account("restore"));
    server.sql(
        "",
        format!(
            "REVOKE EVENT, LOCK TABLES ON {live}.* FROM '{backup}'@'%'; GRANT UPDATE ON {live}.* TO '{backup}'@'%'; \
             DROP USER '{restore}'@'%'"
        ),
    );
    let told = clinic.prepare(&["--check", "--only", "backup", "--only", "restore"]).failed(1);
    insta::allow_duplicates! {
    insta::assert_snapshot!(clinic.shown().text(&told.stdout), @r#"
    ok       backup-account        backup_[N]@% is there
    problem  backup-rights         backup_[N]@% lacks EVENT, LOCK TABLES on `[DATABASE]`.*
             what to do: run as an administrator: GRANT EVENT, LOCK TABLES ON `[DATABASE]`.* TO 'backup_[N]'@'%';
    warning  backup-excess         backup_[N]@% may do more than its part takes: UPDATE on `[DATABASE]`.*
             what to do: if nothing else needs it: REVOKE UPDATE ON `[DATABASE]`.* FROM 'backup_[N]'@'%';
    problem  restore-account       there is no account restore_[N]@%
             what to do: make it as an administrator: gorgen-backup prepare, or gorgen-backup prepare --print for the statements
    warning  not checked           restore-rights, restore-excess
             what to do: see to restore-account first
    ok       max-allowed-packet    256 MiB, and by the server's estimates no row is larger
    ok       local-infile          LOAD DATA LOCAL is on: restores load rows the quick way
    ok       restore-routines      functions and triggers can be made
    2 problems (backup-rights, restore-account), 1 warning (backup-excess), 2 not checked, 4 ok
    "#);
    }
    let again = clinic.prepare(&["--json"]).failed(0).document();
    let access: Vec<_> = again["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|account| account["access"].as_str().expect("a word"))
        .collect();
    assert_eq!(access, ["kept", "made", "kept"]);
    assert_eq!(checks(&again, "warning"), ["backup-excess"], "nothing is taken away");

    let open = clinic.prepare(&["--check", "--tls", "required"]).failed(0).stdout;
    assert_eq!(open.matches("may log in without TLS").count(), 3, "{open}");
    let closed = clinic.prepare(&["--tls", "required"]).failed(0).stdout;
    assert_eq!(closed.matches("logs in over TLS only").count(), 3, "{closed}");
}

fn an_administrator_without_rights_is_told_what_was_tried(server: &Server) {
    let clinic = Clinic::on(server);
    let user = format!("poor_{}", clinic.number);
    let reads = format!("SELECT ON {}.*", ident(&clinic.live.name));
    server.account(&user, PASSWORD, &[&reads, "SELECT ON mysql.*"]);
    let url = server.url_as(&user, PASSWORD, &clinic.live.name);
    let tool = clinic.tool_as(&url);
    let outcome = clinic.prepare_with(&tool, &[]).failed(1);
    for said in [
        "not made",
        "refused  CREATE USER",
        "because: the database refused to make the account",
        "CREATE USER privilege",
        "there is no account",
    ] {
        assert!(outcome.stdout.contains(said), "nothing of {said:?} in {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("mysql://"), "{}", outcome.stdout);

    // One that may make accounts and give away nothing.
    server.sql("", format!("GRANT CREATE USER ON *.* TO '{user}'@'%'"));
    let path = clinic.workspace.path().join("settings");
    let to = path.to_str().expect("UTF-8");
    let outcome = clinic.prepare_with(&tool, &["--json", "--to", to]).failed(1).document();
    assert_eq!(outcome["accounts"][0]["access"], "made");
    assert_eq!(outcome["settings"][0]["value"], Value::Null);
    let refused = outcome["accounts"][0]["refused"][0]["error"].as_str().expect("a text");
    assert!(refused.contains("its rights: "), "{refused}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("GORGEN_DATABASE_URL='mysql://backup_"), "{text}");

    // And one that may not even look.
    let blind = format!("blind_{}", clinic.number);
    server.account(&blind, PASSWORD, &[&reads]);
    let url = server.url_as(&blind, PASSWORD, &clinic.live.name);
    clinic
        .prepare_with(&clinic.tool_as(&url), &[])
        .failed(1)
        .says(&["refused to show what backup_", "may do"]);
    server.sql("", format!("DROP USER '{user}'@'%'; DROP USER '{blind}'@'%'"));
}

fn hostile_names_are_names(server: &Server) {
    let (workspace, mut live) = (Workspace::new(), server.absent("x"));
    let number = std::process::id();
    live.name = format!("a_%`'\\ {number}");
    server.sql("", format!("CREATE DATABASE {}", ident(&live.name)));
    server.sql(&live.name, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let tool = workspace.tool(server, &live);
    let user = format!("o'mal\\ley`{number}");
    let args = ["prepare", "--only", "backup", "--backup-user", &user];
    let document = tool.json(&args);
    assert_all_is_there(&tool.run(&[&args[..], &["--check", "--json"]].concat()).failed(0));
    let url = document["settings"][0]["value"].as_str().expect("a URL");
    tool.clone().with("GORGEN_DATABASE_URL", url).backup();
    // `_` and `%` stand for themselves.
    let other = format!("axyz`'\\ {number}");
    server.sql("", format!("CREATE DATABASE {}; CREATE TABLE {0}.t (id INT)", ident(&other)));
    let elsewhere = Workspace::new();
    let seen = elsewhere.keeper().with("GORGEN_DATABASE_URL", url.replace("a_%25", "axyz"));
    seen.run(&["backup"]).failed(1).says(&["there is no database"]);
    let spelled = user.replace('\\', "\\\\").replace('\'', "''");
    server.sql("", format!("DROP DATABASE {}; DROP USER '{spelled}'@'%'", ident(&other)));
}

fn mistakes_are_named(server: &Server) {
    let clinic = Clinic::on(server);
    let mut said = String::new();
    let near = clinic.live.name.rsplit_once('_').expect("a number").0;
    let shown = clinic.shown().hiding(near, "[NEAR]");
    let mut fails = |mistake: &str, args: &[&str]| {
        let outcome = clinic.tool().run(&[&["prepare"], args].concat());
        assert_ne!(outcome.code(), 0, "{mistake}: {}", outcome.stdout);
        said.extend(["# ", mistake, "\n", &shown.failure(&outcome), "\n"]);
    };
    let backup = clinic.account("backup");
    fails("one account for two", &["--backup-user", &backup, "--restore-user", &backup]);
    fails("too near", &["--scratch-database", near]);
    fails("the administrator's own", &["--backup-user", "root@localhost", "--only", "backup"]);
    fails("no user", &["--backup-user", "@localhost"]);
    fails("a long name", &["--scratch-database", &"x".repeat(26)]);
    fails("print and check", &["--print", "--check"]);
    fails("a file that can't be", &["--to", "/nowhere/settings"]);
    insta::allow_duplicates! {
    insta::assert_snapshot!(said, @r#"
    # one account for two
    exit status 2
    error: the accounts for backup and restore must be two, got backup_[N]@% for both

    # too near
    exit status 2
    error: an account for databases whose names begin with [NEAR]_ would reach what belongs to [DATABASE]: give another --scratch-database

    # the administrator's own
    exit status 4
    error: root@localhost is the administrator's own account, of which nothing is changed
      what to do: name another account: the administrator's is for making accounts alone

    # no user
    exit status 2
    error: invalid value '@localhost' for '--backup-user <USER@HOST>': expected a user of 1 to 32 characters, and after an @ the host that it comes from, of at most 60, as gorgen_backup@10.0.%; got "@localhost"

    For more information, try '--help'.

    # a long name
    exit status 2
    error: invalid value 'xxxxxxxxxxxxxxxxxxxxxxxxxx' for '--scratch-database <NAME>': expected a name of 1 to 25 characters, got 26

    For more information, try '--help'.

    # print and check
    exit status 2
    error: the argument '--print' cannot be used with '--check'

    Usage: gorgen-backup prepare --print

    For more information, try '--help'.

    # a file that can't be
    exit status 1
    error: cannot create /nowhere/settings
      because: No such file or directory (os error 2)
    "#);
    }
    let none = clinic.tool().with("GORGEN_DATABASE_URL", server.url("there_is_none"));
    let outcome = clinic.prepare_with(&none, &[]).failed(1);
    outcome.says(&["there is no database there_is_none"]);
    clinic.workspace.keeper().run(&["prepare"]).failed(2).says(&["GORGEN_DATABASE_URL is not set"]);
}
