//! Every mistake that can be made: the answer names the thing and says what to do, with the exit status of its kind.
//!
//! Each snapshot is a transcript: what is wrong, and what the tool said to it. That no answer holds a backtrace or
//! a word of a password is checked where outcomes are made, in `support/tool.rs`.

use std::{
    fmt::Write as _, fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, time::Duration,
};

use crate::support::{
    Database, Flavor, PASSWORD, Server, Tool, Workspace,
    server::{ident, percent},
    shown::Shown,
};

on_each_server!(
    bad_passwords,
    missing_privileges,
    tls_that_cannot_be,
    a_missing_database,
    a_table_of_computed_columns,
);

/// What was done wrong and what was said to it, one after the other.
struct Transcript {
    shown: Shown,
    text: String,
}

impl Transcript {
    fn of(workspace: &Workspace) -> Self {
        Self { shown: Shown::new(workspace), text: String::new() }
    }

    fn on(server: &Server, workspace: &Workspace, database: &Database<'_>) -> Self {
        let shown = Shown::new(workspace).server(server).hiding(&database.name, "[DATABASE]");
        Self { shown, text: String::new() }
    }

    /// Hides what changes from run to run.
    fn hiding(self, text: &str, name: &'static str) -> Self {
        Self { shown: self.shown.hiding(text, name), ..self }
    }

    /// Runs the tool, which must fail.
    #[track_caller]
    fn fails(&mut self, mistake: &str, tool: &Tool, args: &[&str]) {
        let outcome = tool.run(args);
        assert_ne!(outcome.code(), 0, "{mistake}: {}", outcome.stdout);
        let _ = writeln!(self.text, "# {mistake}\n{}", self.shown.failure(&outcome));
    }

    /// Gives a setting one value after the other.
    #[track_caller]
    fn values(&mut self, tool: &Tool, setting: &str, values: &[&str]) {
        for value in values {
            self.fails(&format!("{setting}={value}"), &tool.clone().with(setting, *value), BACKUP);
        }
    }
}

const BACKUP: &[&str] = &["backup"];

/// Vault and keyring as they should be, and a database where nothing listens.
fn nobody_there(workspace: &Workspace) -> Tool {
    workspace.keeper().with("GORGEN_DATABASE_URL", "mysql://root@127.0.0.1:1/clinica")
}

/// A database with a table, a view, a trigger, a procedure and an event.
fn clinic<'a>(server: &'a Server, name: &str) -> Database<'a> {
    let database = server.database(name);
    server.sql(
        &database.name,
        "CREATE TABLE pacientes (id INT PRIMARY KEY, nome VARCHAR(80));
         INSERT INTO pacientes VALUES (1, 'Maria de Lourdes');
         CREATE TABLE consultas (id INT PRIMARY KEY);
         CREATE VIEW nomes AS SELECT nome FROM pacientes;
         CREATE TRIGGER aparar BEFORE INSERT ON pacientes FOR EACH ROW SET NEW.nome = TRIM(NEW.nome);
         CREATE PROCEDURE contar() SELECT COUNT(*) FROM pacientes;
         CREATE EVENT limpar ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM consultas",
    );
    database
}

fn mariadb(test: &str) -> Server {
    Server::of_the_laboratory(Flavor::MariaDb, test).expect("MariaDB is always there")
}

/// A vault with one backup of a clinic, on MariaDB.
struct Kept<'a> {
    workspace: Workspace,
    database: Database<'a>,
    tool: Tool,
    id: String,
}

impl<'a> Kept<'a> {
    fn on(server: &'a Server, name: &str) -> Self {
        let (workspace, database) = (Workspace::new(), clinic(server, name));
        let tool = workspace.tool(server, &database);
        let id = tool.backup();
        Self { workspace, database, tool, id }
    }

    fn transcript(&self, server: &Server) -> Transcript {
        Transcript::on(server, &self.workspace, &self.database)
    }
}

/// The same bytes, but where this name stands they have another one of the same length.
fn with_another_name(bytes: &[u8], name: &str) -> Vec<u8> {
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes());
    let mut changed = bytes.to_vec();
    changed[at.expect("the name is there in clear")] ^= 1;
    changed
}

/// Makes one object of a vault's folder something else.
fn overwrite(workspace: &Workspace, prefix: &str, content: &[u8]) {
    fs::write(workspace.object(&the_only(workspace, prefix)), content).unwrap();
}

fn the_only(workspace: &Workspace, prefix: &str) -> String {
    let names = workspace.objects(prefix);
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].clone()
}

#[test]
fn no_settings() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let bare = workspace.bare();
    said.fails("backup", &bare, BACKUP);
    said.fails("list", &bare, &["list"]);
    said.fails("show", &bare, &["show"]);
    said.fails("verify", &bare, &["verify"]);
    said.fails("restore", &bare, &["restore", "latest", "--into", "x"]);
    said.fails("export", &bare, &["export", "latest", "--format", "sql", "--to", "x"]);
    insta::assert_snapshot!(said.text, @"
    # backup
    exit status 2
    error: 3 settings need attention:
      GORGEN_DATABASE_URL is not set: expected mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %)
      GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix
      GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity

    # list
    exit status 2
    error: GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix

    # show
    exit status 2
    error: 2 settings need attention:
      GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix
      GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity

    # verify
    exit status 2
    error: 2 settings need attention:
      GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix
      GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity

    # restore
    exit status 2
    error: 3 settings need attention:
      GORGEN_DATABASE_URL is not set: expected mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %)
      GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix
      GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity

    # export
    exit status 2
    error: 2 settings need attention:
      GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix
      GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity
    ");
}

#[test]
fn unknown_settings() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    said.fails("a slip", &tool.clone().with("GORGEN_VALT", "x"), BACKUP);
    said.fails("small letters", &tool.clone().with("gorgen_vault", "x"), BACKUP);
    said.fails("a stranger", &tool.with("GORGEN_PASSWORD", PASSWORD), BACKUP);
    insta::assert_snapshot!(said.text, @"
    # a slip
    exit status 2
    error: GORGEN_VALT: no such setting (did you mean GORGEN_VAULT?)

    # small letters
    exit status 2
    error: gorgen_vault: no such setting (did you mean GORGEN_VAULT?)

    # a stranger
    exit status 2
    error: GORGEN_PASSWORD: no such setting (there are GORGEN_DATABASE_URL, GORGEN_DATABASE_SECRET, GORGEN_VAULT, GORGEN_KEYRING, GORGEN_OFFLINE_RECIPIENT, GORGEN_REPLICA_VAULT, GORGEN_REPLICA_KEYRING, GORGEN_SCRATCH_URL, GORGEN_SCRATCH_SECRET, GORGEN_TENANT_COLUMN, GORGEN_APPEND_ONLY, GORGEN_RESTORE_SKIP, GORGEN_TENANT_PATHS, GORGEN_UNDO_HOURS, GORGEN_TIMEZONE, GORGEN_LANG, GORGEN_RETENTION, GORGEN_LOCK_LEASE, GORGEN_READERS, GORGEN_LEGACY_JWT_SECRET, GORGEN_NOTICE_TOPIC, GORGEN_NOTICES, GORGEN_RESTORE_MACHINE, GORGEN_RESTORE_TEST_MACHINE, GORGEN_JOB_FUNCTIONS, GORGEN_SCHEDULE_GROUP, GORGEN_ROLE_CLAIM, GORGEN_ADMIN_ROLE, GORGEN_MASTER_ROLE)
    ");
}

#[test]
fn several_settings_at_once() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = workspace
        .bare()
        .with("GORGEN_VALT", "x")
        .with("GORGEN_READERS", "many")
        .with("GORGEN_KEYRING", "key");
    said.fails("all are named", &tool, &["list"]);
    insta::assert_snapshot!(said.text, @r#"
    # all are named
    exit status 2
    error: 3 settings need attention:
      GORGEN_VALT: no such setting (did you mean GORGEN_VAULT?)
      GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a text of another form
      GORGEN_READERS: expected a number of connections from 1 to 64, got "many"
    "#);
}

#[test]
fn malformed_database_urls() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    let urls = [
        "",
        "clinica",
        "postgres://root@127.0.0.1/clinica",
        "mysql://127.0.0.1/clinica",
        "mysql://root@127.0.0.1",
        "mysql://root@127.0.0.1/",
        "mysql://root@127.0.0.1/a/b",
        "mysql://root@127.0.0.1:porta/clinica",
        "mysql://root@127.0.0.1:65536/clinica",
        "mysql://root@/clinica",
        "mysql://root@127.0.0.1/clinica?ssl=true",
        "mysql://root@127.0.0.1/clinica?tls=maybe",
        "mysql://root@127.0.0.1/clinica?ca=ca.pem",
        "mysql://root@127.0.0.1/clinica?tls=off&ca=/ca.pem",
        "mysql://root@/clinica?socket=/run/my.sock&tls=required",
        "mysql://root@127.0.0.1/clinica%ff",
    ];
    said.values(&tool, "GORGEN_DATABASE_URL", &urls);
    insta::assert_snapshot!(said.text, @r#"
    # GORGEN_DATABASE_URL=
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got an empty text

    # GORGEN_DATABASE_URL=clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (relative URL without a base)

    # GORGEN_DATABASE_URL=postgres://root@127.0.0.1/clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one that starts with postgres:

    # GORGEN_DATABASE_URL=mysql://127.0.0.1/clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one without a user

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one without a database

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one without a database

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/a/b
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one with a `/` in the database's name

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1:porta/clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1:65536/clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)

    # GORGEN_DATABASE_URL=mysql://root@/clinica
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (empty host)

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/clinica?ssl=true
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got the parameter "ssl"

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/clinica?tls=maybe
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got tls= and a word that is neither off nor required

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/clinica?ca=ca.pem
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got ca="ca.pem", no absolute path

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/clinica?tls=off&ca=/ca.pem
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got tls=off beside ca=

    # GORGEN_DATABASE_URL=mysql://root@/clinica?socket=/run/my.sock&tls=required
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got TLS for a socket, which has none

    # GORGEN_DATABASE_URL=mysql://root@127.0.0.1/clinica%ff
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got a database that is not UTF-8
    "#);
}

/// A password between the wrong characters breaks a URL in many places. None may show it.
#[test]
fn passwords_in_malformed_urls() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let encoded = percent(PASSWORD);
    let urls = [
        ("as it is", format!("mysql://root:{PASSWORD}@127.0.0.1:1/clinica")),
        ("its colon first", format!("mysql://root:12/{PASSWORD}@127.0.0.1:1/clinica")),
        ("without a host", format!("mysql://root:{encoded}/clinica")),
        ("without a database", format!("mysql://root:{encoded}@127.0.0.1")),
        ("as a parameter", format!("mysql://root@127.0.0.1/clinica?password={encoded}")),
        ("as a parameter's name", format!("mysql://root@127.0.0.1/clinica?{encoded}")),
        ("cut off by a ?", "mysql://root:x?Quati&Abacate=Xisto@127.0.0.1/clinica".to_owned()),
        ("behind the database", format!("mysql://root@127.0.0.1/clinica?tls={encoded}")),
        ("bad escapes", format!("mysql://root:%ff{encoded}@127.0.0.1/clinica")),
        ("a scheme of another", format!("postgres://root:{encoded}@127.0.0.1/clinica")),
    ];
    for (mistake, url) in urls {
        let tool = nobody_there(&workspace).with("GORGEN_DATABASE_URL", url);
        said.fails(mistake, &tool, BACKUP);
    }
    insta::assert_snapshot!(said.text, @r#"
    # as it is
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)

    # its colon first
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one without a user

    # without a host
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)

    # without a database
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one without a database

    # as a parameter
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got the parameter "password"

    # as a parameter's name
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got an unknown parameter

    # cut off by a ?
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got no URL (invalid port number)

    # behind the database
    exit status 2
    error: GORGEN_DATABASE_URL: expected after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock, joined by `&`, got tls= and a word that is neither off nor required

    # bad escapes
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got a password that is not UTF-8

    # a scheme of another
    exit status 2
    error: GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any of : / ? # [ ] @ %), got one that starts with postgres:
    "#);
}

#[test]
fn malformed_vaults_and_keyrings() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    let vaults = [
        "",
        "vault",
        "/srv/vault",
        "ftp://host/vault",
        "file://vault",
        "file:///",
        "file:///srv/vault?x",
        "s3://",
        "s3://UPPER/x",
        "s3://bucket/a//b",
    ];
    said.values(&tool, "GORGEN_VAULT", &vaults);
    let with_key = tool.clone().with("GORGEN_VAULT", format!("s3://key:{PASSWORD}@bucket/x"));
    said.fails("credentials in the vault", &with_key, BACKUP);
    said.values(&tool, "GORGEN_KEYRING", &["", "/srv/key", "file://key", "kms:gorgen", "gpg:me"]);
    let with_key = tool.clone().with("GORGEN_KEYRING", format!("file://{PASSWORD}"));
    said.fails("a key in place of the keyring", &with_key, BACKUP);
    said.fails("--vault", &tool, &["list", "--vault", "nowhere"]);
    insta::assert_snapshot!(said.text, @r#"
    # GORGEN_VAULT=
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got an empty text

    # GORGEN_VAULT=vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got a text that starts otherwise

    # GORGEN_VAULT=/srv/vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got a path without file:// before it

    # GORGEN_VAULT=ftp://host/vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got one that starts with ftp://

    # GORGEN_VAULT=file://vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got a file:// address whose third slash is missing

    # GORGEN_VAULT=file:///
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got the root folder

    # GORGEN_VAULT=file:///srv/vault?x
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got a path with a bare ? or # in it (write %3F or %23)

    # GORGEN_VAULT=s3://
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got the bucket "" (a bucket's name has 3 to 63 small letters, digits, dots and hyphens)

    # GORGEN_VAULT=s3://UPPER/x
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got the bucket "UPPER" (a bucket's name has 3 to 63 small letters, digits, dots and hyphens)

    # GORGEN_VAULT=s3://bucket/a//b
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got the prefix "a//b" (its parts have letters, digits and any of - _ . ! ' ( ) =, and are not . or ..)

    # credentials in the vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got an S3 address with credentials in it: they belong into AWS's own settings

    # GORGEN_KEYRING=
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got an empty text

    # GORGEN_KEYRING=/srv/key
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a path without file:// before it

    # GORGEN_KEYRING=file://key
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a file:// address whose third slash is missing

    # GORGEN_KEYRING=kms:gorgen
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a text of another form

    # GORGEN_KEYRING=gpg:me
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a text of another form

    # a key in place of the keyring
    exit status 2
    error: GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a file:// address whose third slash is missing

    # --vault
    exit status 2
    error: GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got a text that starts otherwise
    "#);
}

#[test]
fn malformed_numbers_and_names() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    said.values(&tool, "GORGEN_READERS", &["", "0", "65", "abc", "-1", "1.5"]);
    said.values(&tool, "GORGEN_LOCK_LEASE", &["0", "3601", "1m"]);
    said.values(&tool, "GORGEN_TENANT_COLUMN", &["", &"x".repeat(65)]);
    said.fails("--readers", &tool, &["backup", "--readers", "none"]);
    insta::assert_snapshot!(said.text, @r#"
    # GORGEN_READERS=
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got an empty text

    # GORGEN_READERS=0
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "0"

    # GORGEN_READERS=65
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "65"

    # GORGEN_READERS=abc
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "abc"

    # GORGEN_READERS=-1
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "-1"

    # GORGEN_READERS=1.5
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "1.5"

    # GORGEN_LOCK_LEASE=0
    exit status 2
    error: GORGEN_LOCK_LEASE: expected a number of seconds from 1 to 3600, got "0"

    # GORGEN_LOCK_LEASE=3601
    exit status 2
    error: GORGEN_LOCK_LEASE: expected a number of seconds from 1 to 3600, got "3601"

    # GORGEN_LOCK_LEASE=1m
    exit status 2
    error: GORGEN_LOCK_LEASE: expected a number of seconds from 1 to 3600, got "1m"

    # GORGEN_TENANT_COLUMN=
    exit status 2
    error: GORGEN_TENANT_COLUMN: expected the name of a column, up to 64 characters, got an empty text

    # GORGEN_TENANT_COLUMN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    exit status 2
    error: GORGEN_TENANT_COLUMN: expected the name of a column, up to 64 characters, got "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

    # --readers
    exit status 2
    error: GORGEN_READERS: expected a number of connections from 1 to 64, got "none"
    "#);
}

#[test]
fn wrong_usage() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    said.fails("unknown command", &tool, &["backups"]);
    said.fails("unknown flag", &tool, &["backup", "--fast"]);
    said.fails("no --into", &tool, &["restore", "latest"]);
    said.fails("no id", &tool, &["restore", "--into", "x"]);
    said.fails("no folder", &tool, &["export", "latest", "--format", "sql"]);
    said.fails("unknown format", &tool, &["export", "latest", "--format", "csv", "--to", "x"]);
    let restore = ["restore", "latest", "--into", "x"];
    said.fails("half a mapping", &tool, &[&restore[..], &["--map-collation", "a"]].concat());
    said.fails("no account", &tool, &[&restore[..], &["--definer", "root"]].concat());
    said.fails("no path", &tool, &["keys", "create"]);
    insta::assert_snapshot!(said.text, @"
    # unknown command
    exit status 2
    error: unrecognized subcommand 'backups'

      tip: a similar subcommand exists: 'backup'

    Usage: gorgen-backup [OPTIONS] <COMMAND>

    For more information, try '--help'.

    # unknown flag
    exit status 2
    error: unexpected argument '--fast' found

    Usage: gorgen-backup backup [OPTIONS]

    For more information, try '--help'.

    # no --into
    exit status 2
    error: the following required arguments were not provided:
      <--into <DATABASE>|--in-place|--stage>

    Usage: gorgen-backup restore <--into <DATABASE>|--in-place|--stage> <ID>

    For more information, try '--help'.

    # no id
    exit status 2
    error: the following required arguments were not provided:
      <ID>

    Usage: gorgen-backup restore <--into <DATABASE>|--in-place|--stage> <ID>

    For more information, try '--help'.

    # no folder
    exit status 2
    error: the following required arguments were not provided:
      --to <DIR>

    Usage: gorgen-backup export --format <FORMAT> --to <DIR> <ID>

    For more information, try '--help'.

    # unknown format
    exit status 2
    error: invalid value 'csv' for '--format <FORMAT>'
      [possible values: mydumper, sql, offline]

    For more information, try '--help'.

    # half a mapping
    exit status 2
    error: invalid value 'a' for '--map-collation <FROM=TO>': expected FROM=TO, two collations

    For more information, try '--help'.

    # no account
    exit status 2
    error: invalid value 'root' for '--definer <WHO>': expected keep, strip, or an account as user@host

    For more information, try '--help'.

    # no path
    exit status 2
    error: the following required arguments were not provided:
      <PATH>

    Usage: gorgen-backup keys create <PATH>

    For more information, try '--help'.
    ");
}

#[test]
fn no_command() {
    let outcome = Workspace::new().bare().run(&[]).failed(2);
    assert!(outcome.stderr.contains("Usage: gorgen-backup [OPTIONS] <COMMAND>"), "{outcome:?}");
}

#[test]
fn key_files() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let (tool, key) = (nobody_there(&workspace), workspace.key_file());
    let path = key.to_str().unwrap();
    said.fails("there already", &tool, &["keys", "create", path]);
    let nowhere = workspace.path().join("none/key");
    said.fails("no folder for it", &tool, &["keys", "create", nowhere.to_str().unwrap()]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    said.fails("others may read it", &tool, &["verify"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    for (mistake, content) in [
        ("something else", "-----BEGIN PRIVATE KEY-----"),
        ("of a later format", r#"{"format":2,"id":"00","key":"AAAA"}"#),
        (
            "damaged",
            r#"{"format":1,"id":"00","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
        ),
    ] {
        fs::write(&key, content).unwrap();
        said.fails(mistake, &tool, &["verify"]);
    }
    fs::remove_file(&key).unwrap();
    said.fails("missing", &tool, &["verify"]);
    fs::create_dir(&key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o700)).unwrap();
    said.fails("a folder", &tool, &["verify"]);
    insta::assert_snapshot!(said.text, @"
    # there already
    exit status 1
    error: cannot use file://[FOLDER]/key: there is a file already, and it is left as it is: name another one

    # no folder for it
    exit status 1
    error: cannot use file://[FOLDER]/none/key: it cannot be written (its folder must be there)
      because: No such file or directory (os error 2)

    # others may read it
    exit status 1
    error: cannot use file://[FOLDER]/key: others than its owner have access to it (mode 0644): run chmod 600 [FOLDER]/key
      what to do: chmod 600 [FOLDER]/key

    # something else
    exit status 1
    error: cannot use file://[FOLDER]/key: it is no key file, or damaged
      what to do: see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it back from its safe copy

    # of a later format
    exit status 1
    error: cannot use file://[FOLDER]/key: it is a key file of format 2; this program reads format 1
      what to do: see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it back from its safe copy

    # damaged
    exit status 1
    error: cannot use file://[FOLDER]/key: it is damaged: its key is not the one of its id
      what to do: see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it back from its safe copy

    # missing
    exit status 1
    error: cannot use file://[FOLDER]/key: it cannot be read
      because: No such file or directory (os error 2)
      what to do: bring the key file back from its safe copy, or correct GORGEN_KEYRING; only if there is no backup yet, make one: gorgen-backup keys create [FOLDER]/key

    # a folder
    exit status 1
    error: cannot use file://[FOLDER]/key: it cannot be read
      because: Is a directory (os error 21)
      what to do: see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it back from its safe copy
    ");
}

#[test]
fn vault_folders() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    said.fails("not there", &tool, &["list"]);
    said.fails("not there, latest", &tool, &["show", "latest"]);
    fs::create_dir_all(workspace.vault().join("photos")).unwrap();
    fs::write(workspace.vault().join("photos/cat.jpg"), "miau").unwrap();
    said.fails("other files", &tool, &["restore", "latest", "--into", "x"]);
    fs::remove_dir_all(workspace.vault()).unwrap();
    fs::write(workspace.vault(), "no folder").unwrap();
    said.fails("a file, list", &tool, &["list"]);
    said.fails("a file, backup", &tool, BACKUP);
    insta::assert_snapshot!(said.text, @"
    # not there
    exit status 1
    error: file://[FOLDER]/vault holds no backups
      what to do: check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`

    # not there, latest
    exit status 1
    error: file://[FOLDER]/vault holds no backups
      what to do: check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`

    # other files
    exit status 1
    error: file://[FOLDER]/vault holds no backups
      what to do: check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`

    # a file, list
    exit status 1
    error: file://[FOLDER]/vault holds no backups
      what to do: check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`

    # a file, backup
    exit status 1
    error: cannot write locks/backup.json in file://[FOLDER]/vault
      because: not a directory
      what to do: see that the folder in GORGEN_VAULT is right and its disk mounted and not full, and that this account may read and write it
    ");
}

#[test]
fn databases_that_cannot_be_reached() {
    let workspace = Workspace::new();
    let mut said = Transcript::of(&workspace);
    let tool = nobody_there(&workspace);
    said.fails("a closed port", &tool, BACKUP);
    let socket = "mysql://root@/clinica?socket=/nowhere/my.sock";
    said.fails("no socket", &tool.clone().with("GORGEN_DATABASE_URL", socket), BACKUP);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in other.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut said = said.hiding(&format!(":{port}"), ":[PORT]");
    let url = format!("mysql://root@127.0.0.1:{port}/clinica");
    said.fails("another service", &tool.clone().with("GORGEN_DATABASE_URL", url), BACKUP);
    assert_eq!(workspace.objects("vault.json"), [""; 0], "it is nobody's vault yet");
    insta::assert_snapshot!(said.text, @"
    # a closed port
    exit status 1
    error: cannot reach the database clinica at 127.0.0.1:1
      because: Connection refused (os error 111)
      what to do: see that the server runs, that host and port in GORGEN_DATABASE_URL are right, and that no firewall or security group stands between it and this machine

    # no socket
    exit status 1
    error: cannot reach the database clinica at /nowhere/my.sock
      because: No such file or directory (os error 2)
      what to do: see that the server runs, that host and port in GORGEN_DATABASE_URL are right, and that no firewall or security group stands between it and this machine

    # another service
    exit status 1
    error: cannot reach the database clinica at 127.0.0.1:[PORT]
      because: the server's answer was not understood
      what to do: see that the server runs, that host and port in GORGEN_DATABASE_URL are right, and that no firewall or security group stands between it and this machine
    ");
}

/// What the resolver says differs from machine to machine; it must be soon.
#[test]
fn a_host_without_an_address() {
    let workspace = Workspace::new();
    let url = format!("mysql://root:{}@db.invalid/clinica", percent(PASSWORD));
    let tool = nobody_there(&workspace).with("GORGEN_DATABASE_URL", url);
    let mut said = String::new();
    let passed = crate::support::duration(|| said = tool.run(BACKUP).failed(1).stderr);
    assert!(passed < Duration::from_secs(40), "{passed:?}");
    let lines: Vec<_> = said.lines().filter(|line| !line.contains("because:")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    error: cannot reach the database clinica at db.invalid:3306
      what to do: see that the server runs, that host and port in GORGEN_DATABASE_URL are right, and that no firewall or security group stands between it and this machine
    ");
}

fn bad_passwords(server: &Server) {
    let (workspace, database) = (Workspace::new(), server.database("bad"));
    let user = format!("senha_{}", std::process::id());
    server.account(&user, PASSWORD, &[]);
    let tool = workspace.tool(server, &database);
    let mut said = Transcript::on(server, &workspace, &database).hiding(&user, "[USER]");
    let wrong = format!("{PASSWORD}x");
    for (mistake, user, password) in
        [("a wrong password", &*user, &*wrong), ("no password", &user, "")]
    {
        let url = server.url_as(user, password, &database.name);
        said.fails(mistake, &tool.clone().with("GORGEN_DATABASE_URL", url), BACKUP);
    }
    insta::assert_snapshot!(said.text, @"
    # a wrong password
    exit status 1
    error: the database [DATABASE] at 127.0.0.1:[PORT] refused to let [USER] in
      because: Access denied for user '[USER]'@'localhost' (using password: YES) (error 1045)
      what to do: check user and password in GORGEN_DATABASE_URL (special characters as % and two hex digits) or in its secret, and that the account may come from this machine; with auth=rds-iam, that IAM allows rds-db:connect for it

    # no password
    exit status 1
    error: the database [DATABASE] at 127.0.0.1:[PORT] refused to let [USER] in
      because: Access denied for user '[USER]'@'localhost' (using password: NO) (error 1045)
      what to do: check user and password in GORGEN_DATABASE_URL (special characters as % and two hex digits) or in its secret, and that the account may come from this machine; with auth=rds-iam, that IAM allows rds-db:connect for it
    ");
}

fn a_missing_database(server: &Server) {
    let (workspace, database) = (Workspace::new(), server.absent("bad"));
    let mut said = Transcript::on(server, &workspace, &database);
    said.fails("backup", &workspace.tool(server, &database), BACKUP);
    insta::assert_snapshot!(said.text, @"
    # backup
    exit status 1
    error: there is no database [DATABASE] at 127.0.0.1:[PORT] that root may see
      what to do: check the database's name in GORGEN_DATABASE_URL; if it is right, grant the account SELECT on it, or make a role that has it the account's default role
    ");
}

/// It has rows, but nothing of them is stored: there is no backup that leaves it out silently.
fn a_table_of_computed_columns(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server, "e2e_computed"));
    server.sql(
        &database.name,
        "CREATE TABLE sempre (um INT AS (1)); INSERT INTO sempre VALUES (DEFAULT)",
    );
    let mut said = Transcript::on(server, &workspace, &database);
    said.fails("a table of computed columns", &workspace.tool(server, &database), BACKUP);
    insta::assert_snapshot!(said.text, @r"
    # a table of computed columns
    exit status 1
    error: unexpected answer from the database: table sempre has no stored column: all are computed
    ");
}

/// The laboratory's MariaDB has no TLS; MySQL has, with a certificate that nobody vouches for.
fn tls_that_cannot_be(server: &Server) {
    let (workspace, database) = (Workspace::new(), server.database("bad"));
    let mut said = Transcript::on(server, &workspace, &database);
    let url = server.url(&database.name);
    let junk = workspace.path().join("ca.pem");
    fs::write(&junk, "no certificate").unwrap();
    for (mistake, url) in [
        ("required", format!("{url}?tls=required")),
        ("required, as it is not this machine", url.replace("127.0.0.1", "0.0.0.0")),
        ("no such authority", format!("{url}?ca=/nowhere/ca.pem")),
        ("no authority", format!("{url}?ca={}", junk.display())),
    ] {
        let tool = workspace.keeper().with("GORGEN_DATABASE_URL", url);
        said.fails(mistake, &tool, BACKUP);
    }
    match server.flavor {
        Flavor::MariaDb => insta::assert_snapshot!(said.text, @"
        # required
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: the server does not speak TLS
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # required, as it is not this machine
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 0.0.0.0:[PORT]
          because: the server does not speak TLS
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # no such authority
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: cannot read the certificates in /nowhere/ca.pem
          because: No such file or directory (os error 2)
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # no authority
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: the server does not speak TLS
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off
        "),
        Flavor::MySql => insta::assert_snapshot!(said.text, @"
        # required
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: invalid peer certificate: UnknownIssuer
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # required, as it is not this machine
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 0.0.0.0:[PORT]
          because: invalid peer certificate: UnknownIssuer
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # no such authority
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: cannot read the certificates in /nowhere/ca.pem
          because: No such file or directory (os error 2)
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off

        # no authority
        exit status 1
        error: cannot agree on TLS with the database [DATABASE] at 127.0.0.1:[PORT]
          because: invalid peer certificate: BadEncoding
          what to do: trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off
        "),
    }
}

/// Each refusal names the privilege that is missing next; once all are given, the backup is made.
fn missing_privileges(server: &Server) {
    let (workspace, database) = (Workspace::new(), clinic(server, "bad"));
    let user = format!("pouco_{}", std::process::id());
    server.account(&user, PASSWORD, &[]);
    let url = server.url_as(&user, PASSWORD, &database.name);
    let tool = workspace.keeper().with("GORGEN_DATABASE_URL", url);
    let mut said = Transcript::on(server, &workspace, &database).hiding(&user, "[USER]");
    let everything = format!("{}.*", ident(&database.name));
    let routines = if server.is_mariadb() { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    said.fails("none at all", &tool, BACKUP);
    for (given, grant) in [
        ("SELECT on one table", format!("SELECT ON {}.pacientes", ident(&database.name))),
        ("SELECT", format!("SELECT ON {everything}")),
        ("and TRIGGER", format!("TRIGGER ON {everything}")),
        ("and EVENT", format!("EVENT ON {everything}")),
        ("and routines", routines.to_owned()),
    ] {
        server.sql("", format!("GRANT {grant} TO '{user}'@'%'"));
        said.fails(given, &tool, BACKUP);
    }
    server.sql("", format!("GRANT SHOW VIEW ON {everything} TO '{user}'@'%'"));
    let id = tool.backup();
    said.fails("a restore", &tool, &["restore", &id, "--into", "de_volta"]);
    match server.flavor {
        Flavor::MariaDb => insta::assert_snapshot!(said.text, @"
        # none at all
        exit status 1
        error: there is no database [DATABASE] at 127.0.0.1:[PORT] that [USER] may see
          what to do: check the database's name in GORGEN_DATABASE_URL; if it is right, grant the account SELECT on it, or make a role that has it the account's default role

        # SELECT on one table
        exit status 1
        error: the database refused to show all tables
          because: the account lacks the privilege SELECT: run GRANT SELECT ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # SELECT
        exit status 1
        error: the database refused to show all triggers
          because: the account lacks the privilege TRIGGER: run GRANT TRIGGER ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and TRIGGER
        exit status 1
        error: the database refused to show all events
          because: the account lacks the privilege EVENT: run GRANT EVENT ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and EVENT
        exit status 1
        error: the database refused to show all procedures and functions
          because: the account lacks the privilege SELECT: run GRANT SELECT ON mysql.proc
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and routines
        exit status 1
        error: the database refused to describe view nomes
          because: SHOW VIEW command denied to user '[USER]'@'localhost' for table `[DATABASE]`.`nomes` (error 1142)
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # a restore
        exit status 1
        error: the target database refused to create database de_volta
          because: Access denied for user '[USER]'@'%' to database 'de_volta' (error 1044)
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them
        "),
        Flavor::MySql => insta::assert_snapshot!(said.text, @"
        # none at all
        exit status 1
        error: there is no database [DATABASE] at 127.0.0.1:[PORT] that [USER] may see
          what to do: check the database's name in GORGEN_DATABASE_URL; if it is right, grant the account SELECT on it, or make a role that has it the account's default role

        # SELECT on one table
        exit status 1
        error: the database refused to show all tables
          because: the account lacks the privilege SELECT: run GRANT SELECT ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # SELECT
        exit status 1
        error: the database refused to show all triggers
          because: the account lacks the privilege TRIGGER: run GRANT TRIGGER ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and TRIGGER
        exit status 1
        error: the database refused to show all events
          because: the account lacks the privilege EVENT: run GRANT EVENT ON `[DATABASE]`.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and EVENT
        exit status 1
        error: the database refused to show all procedures and functions
          because: the account lacks the privilege SHOW_ROUTINE: run GRANT SHOW_ROUTINE ON *.*
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # and routines
        exit status 1
        error: the database refused to describe view nomes
          because: SHOW VIEW command denied to user '[USER]'@'localhost' for table 'nomes' (error 1142)
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them

        # a restore
        exit status 1
        error: the target database refused to create database de_volta
          because: Access denied for user '[USER]'@'%' to database 'de_volta' (error 1044)
          what to do: `gorgen-backup doctor` names every privilege that the account lacks, and the statements that grant them
        "),
    }
}

#[test]
fn backups_that_are_not_there() {
    let server = mariadb("backups_that_are_not_there");
    let kept = Kept::on(&server, "bad");
    let unknown = "20200101T000000Z-00000000";
    let mut said = kept.transcript(&server).hiding(unknown, "[UNKNOWN]");
    for args in [
        &["show", unknown][..],
        &["show", "yesterday"],
        &["show", "../vault"],
        &["show", ""],
        &["verify", unknown],
        &["restore", unknown, "--into", "x"],
        &["export", unknown, "--format", "sql", "--to", "/nowhere/x"],
    ] {
        said.fails(&args[..2].join(" "), &kept.tool, args);
    }
    insta::assert_snapshot!(said.text, @r#"
    # show 20200101T000000Z-00000000
    exit status 1
    error: there is no backup "[UNKNOWN]" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # show yesterday
    exit status 1
    error: there is no backup "yesterday" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # show ../vault
    exit status 1
    error: there is no backup "../vault" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # show 
    exit status 1
    error: there is no backup "" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # verify 20200101T000000Z-00000000
    exit status 1
    error: there is no backup "[UNKNOWN]" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # restore 20200101T000000Z-00000000
    exit status 1
    error: there is no backup "[UNKNOWN]" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # export 20200101T000000Z-00000000
    exit status 1
    error: there is no backup "[UNKNOWN]" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`
    "#);
}

#[test]
fn foreign_vaults() {
    let server = mariadb("foreign_vaults");
    let kept = Kept::on(&server, "bad");
    let other = clinic(&server, "other");
    let mut said = kept.transcript(&server).hiding(&other.name, "[OTHER]");
    said.fails("the vault of another", &kept.workspace.tool(&server, &other), BACKUP);
    insta::assert_snapshot!(said.text, @"
    # the vault of another
    exit status 4
    error: vault file://[FOLDER]/vault belongs to [DATABASE] at 127.0.0.1:[PORT], not to [OTHER] at 127.0.0.1:[PORT]
      what to do: check GORGEN_VAULT and GORGEN_DATABASE_URL; if the database moved, run `gorgen-backup backup --adopt` once
    ");
}

#[test]
fn targets_that_are_refused() {
    let server = mariadb("targets_that_are_refused");
    let kept = Kept::on(&server, "bad");
    let full = server.database("full");
    server.sql(&full.name, "CREATE TABLE t (id INT)");
    let absent = server.absent("absent");
    let mut said = kept.transcript(&server).hiding(&full.name, "[FULL]");
    let long = "x".repeat(65);
    for (mistake, into) in [
        ("into a full one", &*full.name),
        ("into the source", &*kept.database.name),
        ("into the server's own", "mysql"),
        ("into a view of the server", "information_schema"),
        ("into nothing", ""),
        ("into a name too long", &long),
    ] {
        said.fails(mistake, &kept.tool, &["restore", &kept.id, "--into", into]);
    }
    let restore = ["restore", &kept.id, "--into", &absent.name];
    for (mistake, option) in [
        ("an unknown table", ["--table", "Pacientes"]),
        ("a view as a table", ["--table", "nomes"]),
        ("an unknown collation", ["--map-collation", "utf8mb4_unicode_ci=utf8mb4_klingon_ci"]),
    ] {
        said.fails(mistake, &kept.tool, &[&restore[..], &option].concat());
    }
    assert!(!absent.exists(), "a refused restore leaves nothing");
    insta::assert_snapshot!(said.text, @r#"
    # into a full one
    exit status 4
    error: database [FULL] is not empty: it holds 1 tables or other objects
      what to do: restore beside it, into a new database: --into [FULL]_restored

    # into the source
    exit status 4
    error: database [DATABASE] is not empty: it holds 5 tables or other objects
      what to do: restore beside it, into a new database: --into [DATABASE]_restored

    # into the server's own
    exit status 4
    error: database mysql is not empty: it holds 33 tables or other objects
      what to do: restore beside it, into a new database: --into mysql_restored

    # into a view of the server
    exit status 4
    error: database information_schema is not empty: it holds 79 tables or other objects
      what to do: restore beside it, into a new database: --into information_schema_restored

    # into nothing
    exit status 2
    error: invalid value '' for '--into <DATABASE>': expected a name of 1 to 64 characters, got 0

    For more information, try '--help'.

    # into a name too long
    exit status 2
    error: invalid value 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' for '--into <DATABASE>': expected a name of 1 to 64 characters, got 65

    For more information, try '--help'.

    # an unknown table
    exit status 1
    error: backup [ID] has no table "Pacientes" (it has consultas, pacientes)
      what to do: give --table one of these, in small and capital letters as they stand here

    # a view as a table
    exit status 1
    error: backup [ID] has no table "nomes" (it has consultas, pacientes)
      what to do: give --table one of these, in small and capital letters as they stand here

    # an unknown collation
    exit status 1
    error: MariaDB [VERSION] cannot hold this backup: the database has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; table consultas has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; table pacientes has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; column pacientes.nome has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; the session that made procedure contar has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; the session that made trigger aparar has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know; the session that made event limpar has the collation utf8mb4_klingon_ci, which MariaDB [VERSION] does not know
      what to do: restore into a server of the kind and version that was backed up, or map collations with --map-collation FROM=TO
    "#);
}

#[test]
fn exports_that_are_refused() {
    let server = mariadb("exports_that_are_refused");
    let kept = Kept::on(&server, "bad");
    let mut said = kept.transcript(&server);
    let folder = kept.workspace.path().join("full");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note"), "mine").unwrap();
    let to = |path: &Path| path.to_str().unwrap().to_owned();
    for (mistake, to) in [
        ("into a full folder", to(&folder)),
        ("into a file", to(&folder.join("note"))),
        ("below a file", to(&folder.join("note/x"))),
    ] {
        said.fails(mistake, &kept.tool, &["export", &kept.id, "--format", "sql", "--to", &to]);
    }
    assert_eq!(fs::read_to_string(folder.join("note")).unwrap(), "mine");
    insta::assert_snapshot!(said.text, @"
    # into a full folder
    exit status 4
    error: folder [FOLDER]/full is not empty
      what to do: export into a new folder, or empty this one yourself

    # into a file
    exit status 1
    error: cannot write [FOLDER]/full/note
      because: not a directory
      what to do: give --to a folder that is new or empty and that this account may write, on a disk with room

    # below a file
    exit status 1
    error: cannot write [FOLDER]/full/note/x
      because: not a directory
      what to do: give --to a folder that is new or empty and that this account may write, on a disk with room
    ");
}

/// Each time one thing of a good vault is damaged or gone, and put back afterwards.
#[test]
fn damaged_vaults() {
    let server = mariadb("damaged_vaults");
    let kept = Kept::on(&server, "bad");
    let (workspace, tool, id) = (&kept.workspace, &kept.tool, &*kept.id);
    let key: serde_json::Value =
        serde_json::from_slice(&fs::read(workspace.key_file()).unwrap()).unwrap();
    let mut said = kept.transcript(&server).hiding(key["id"].as_str().unwrap(), "[KEY]");
    let restore = ["restore", id, "--into", "de_volta"];
    for (what, prefix) in [("manifest", "manifests/"), ("identity", "vault.json")] {
        let name = the_only(workspace, prefix);
        let good = fs::read(workspace.object(&name)).unwrap();
        overwrite(workspace, prefix, &with_another_name(&good, &kept.database.name));
        said.fails(&format!("another database's name in the {what}"), tool, &restore);
        overwrite(workspace, prefix, b"");
        said.fails(&format!("an empty {what}"), tool, &restore);
        fs::remove_file(workspace.object(&name)).unwrap();
        said.fails(&format!("no {what}"), tool, &restore);
        if what == "identity" {
            said.fails("no identity, and a new backup", tool, BACKUP);
        } else {
            said.fails("no backup left", tool, &["show", "latest"]);
        }
        fs::write(workspace.object(&name), &good).unwrap();
    }
    for prefix in ["keys/", "packs/"] {
        let hidden = workspace.path().join("hidden");
        let folder = workspace.object(prefix.trim_end_matches('/'));
        fs::rename(&folder, &hidden).unwrap();
        said.fails(&format!("no {prefix}"), tool, &restore);
        fs::rename(&hidden, &folder).unwrap();
    }
    let other = workspace.path().join("other_key");
    tool.ok(&["keys", "create", other.to_str().unwrap()]);
    let wrong_key = tool.clone().with("GORGEN_KEYRING", format!("file://{}", other.display()));
    said.fails("another key file", &wrong_key, &restore);
    said.fails("another key file, and a new backup", &wrong_key, BACKUP);
    tool.verify_clean();
    insta::assert_snapshot!(said.text, @r#"
    # another database's name in the manifest
    exit status 3
    error: manifests/[ID].manifest is damaged
      because: the seal of manifest [ID] does not open: damaged, swapped, or sealed with another key
      what to do: `gorgen-backup verify --read-data` names everything that is damaged and every backup it hurts

    # an empty manifest
    exit status 3
    error: manifests/[ID].manifest is damaged
      because: not a manifest, or cut short
      what to do: `gorgen-backup verify --read-data` names everything that is damaged and every backup it hurts

    # no manifest
    exit status 1
    error: there is no backup "[ID]" in file://[FOLDER]/vault
      what to do: give an id as `gorgen-backup list` shows them, or `latest`

    # no backup left
    exit status 1
    error: file://[FOLDER]/vault holds no backups
      what to do: check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`

    # another database's name in the identity
    exit status 3
    error: vault.json is damaged
      because: the record's digest does not match its content
      what to do: bring vault.json back from a copy of the vault: without it no backup is opened

    # an empty identity
    exit status 3
    error: vault.json is damaged
      because: damaged record
      because: EOF while parsing a value at line 1 column 0
      what to do: bring vault.json back from a copy of the vault: without it no backup is opened

    # no identity
    exit status 3
    error: vault.json is missing from file://[FOLDER]/vault
      what to do: bring vault.json back from a copy of the vault: without it no backup is opened

    # no identity, and a new backup
    exit status 3
    error: vault.json is missing from file://[FOLDER]/vault
      what to do: bring vault.json back from a copy of the vault: without it no backup is opened

    # no keys/
    exit status 3
    error: keys/manifest.shared.[ID].json is missing from file://[FOLDER]/vault
      what to do: bring it back from a copy of the vault; `gorgen-backup verify` names everything that is missing and every backup it hurts

    # no packs/
    exit status 3
    error: packs/[ID]-000001.pack is missing from file://[FOLDER]/vault
      what to do: bring it back from a copy of the vault; `gorgen-backup verify` names everything that is missing and every backup it hurts

    # another key file
    exit status 1
    error: data key manifest.shared.[ID] is not wrapped for file://[FOLDER]/other_key (it is wrapped for file:[KEY])
      what to do: GORGEN_KEYRING must name the keyring that the vault was written with

    # another key file, and a new backup
    exit status 1
    error: data key manifest.shared.[ID] is not wrapped for file://[FOLDER]/other_key (it is wrapped for file:[KEY])
      what to do: GORGEN_KEYRING must name the keyring that the vault was written with
    "#);
}

#[test]
fn failures_are_documents_too() {
    let workspace = Workspace::new();
    let outcome = nobody_there(&workspace).run(&["backup", "--json"]).failed(1);
    let document = outcome.document();
    insta::assert_snapshot!(format!("{document:#}"), @r#"
    {
      "error": {
        "causes": [
          "Connection refused (os error 111)"
        ],
        "hint": "see that the server runs, that host and port in GORGEN_DATABASE_URL are right, and that no firewall or security group stands between it and this machine",
        "message": "cannot reach the database clinica at 127.0.0.1:1"
      }
    }
    "#);
}
