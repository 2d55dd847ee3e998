use super::*;

const TOPIC: &str = "arn:aws:sns:sa-east-1:111122223333:gorgen-dev-alarms";
const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const MACHINE: &str = "arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-dev-restore";

fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    Settings::from_pairs(pairs.iter().map(owned))
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    read(pairs).unwrap_err().to_string()
}

#[test]
fn without_any_setting_the_defaults_hold_and_needs_are_named() {
    let settings = read(&[("PATH", "/bin"), ("AWS_REGION", "sa-east-1")]).unwrap();
    assert_eq!(settings.lock_lease(), Duration::from_mins(1));
    assert!((1..=4).contains(&settings.readers()));
    assert_eq!(settings.tenant_column(), None);
    let ApiSettings { role_claim, admin_role, master_role, .. } = settings.api();
    assert_eq!([role_claim, admin_role, master_role], ["cognito:groups", "admin", "admin_master"]);
    assert_eq!(settings.timezone().iana_name(), Some("America/Sao_Paulo"));
    assert_eq!(settings.language(), Language::Portuguese);
    assert_eq!((settings.notice_topic(), settings.notices()), (None, Notices::Problems));
    assert_eq!(
        settings.vault().unwrap_err().to_string(),
        "GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix"
    );
    let needs = [Setting::Vault, Setting::Keyring, Setting::Readers];
    assert_eq!(
        settings.require(&needs).unwrap_err().to_string(),
        "2 settings need attention:\n  \
         GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix\n  \
         GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity"
    );
}

#[test]
fn every_setting_is_read_and_the_last_value_counts() {
    let settings = read(&[
        ("GORGEN_DATABASE_URL", "mysql://gorgen@db.example/clinica"),
        ("GORGEN_DATABASE_SECRET", "gorgen/db"),
        ("GORGEN_SCRATCH_URL", "mysql://scratch.example/"),
        ("GORGEN_SCRATCH_SECRET", "gorgen/scratch"),
        ("GORGEN_TIMEZONE", "America/Manaus"),
        ("GORGEN_LANG", "en"),
        ("GORGEN_VAULT", "file:///old"),
        ("GORGEN_KEYRING", "kms:alias/gorgen"),
        ("GORGEN_OFFLINE_RECIPIENT", RECIPIENT),
        ("GORGEN_REPLICA_VAULT", "s3://copy/clinica?region=us-east-1"),
        ("GORGEN_REPLICA_KEYRING", "kms:alias/copy"),
        ("GORGEN_TENANT_COLUMN", "clinica_id"),
        ("GORGEN_APPEND_ONLY", "audit_log, acessos"),
        ("GORGEN_RESTORE_SKIP", "user_sessions"),
        ("GORGEN_TENANT_PATHS", "trocas.de=users.id, itens.pedido_id=pedidos.id"),
        ("GORGEN_UNDO_HOURS", "24"),
        ("GORGEN_RETENTION", "daily=7,yearly=5"),
        ("GORGEN_LOCK_LEASE", "3600"),
        ("GORGEN_READERS", "1"),
        ("GORGEN_LEGACY_JWT_SECRET", "segredo"),
        ("GORGEN_NOTICE_TOPIC", TOPIC),
        ("GORGEN_NOTICES", "all"),
        ("GORGEN_RESTORE_MACHINE", MACHINE),
        ("GORGEN_RESTORE_TEST_MACHINE", MACHINE),
        ("GORGEN_JOB_FUNCTIONS", "gorgen-dev-"),
        ("GORGEN_SCHEDULE_GROUP", "gorgen-dev-jobs"),
        ("GORGEN_ROLE_CLAIM", "https://clinica.example/roles"),
        ("GORGEN_ADMIN_ROLE", "backup.admin"),
        ("GORGEN_MASTER_ROLE", "backup.master"),
        ("GORGEN_VAULT", "s3://vault/clinica"),
    ])
    .unwrap();
    assert_eq!(
        settings.database().unwrap().to_string(),
        "gorgen@db.example:3306/clinica, the rest as the secret gorgen/db says"
    );
    assert_eq!(
        settings.scratch().unwrap().to_string(),
        "scratch.example:3306, the rest as the secret gorgen/scratch says"
    );
    assert_eq!(settings.timezone().iana_name(), Some("America/Manaus"));
    assert_eq!(settings.language(), Language::English);
    assert_eq!((settings.notice_topic(), settings.notices()), (Some(TOPIC), Notices::All));
    assert_eq!(settings.vault().unwrap().to_string(), "s3://vault/clinica");
    assert_eq!(settings.keyring().unwrap().to_string(), "kms:alias/gorgen");
    assert_eq!(settings.offline_recipient().unwrap().to_string(), RECIPIENT);
    let (replica, its_keyring) = settings.replica().unwrap().unwrap();
    assert_eq!(replica.to_string(), "s3://copy/clinica?region=us-east-1");
    assert_eq!(its_keyring.to_string(), "kms:alias/copy");
    assert_eq!(settings.tenant_column(), Some("clinica_id"));
    let rules = settings.restore_rules();
    assert_eq!(rules.append_only, ["audit_log", "acessos"]);
    assert_eq!(rules.skip, ["user_sessions"]);
    let path = |table: &str, column: &str, parent: &str| DeclaredPath {
        table: table.to_owned(),
        column: column.to_owned(),
        parent: parent.to_owned(),
        parent_column: "id".to_owned(),
    };
    let expected = [path("trocas", "de", "users"), path("itens", "pedido_id", "pedidos")];
    assert_eq!(rules.tenant_paths, expected);
    assert_eq!(rules.undo, SignedDuration::from_hours(24));
    assert_eq!(
        settings.retention().to_string(),
        "daily=7,weekly=12,monthly=12,yearly=5,last=3,within=2"
    );
    assert_eq!(settings.lock_lease(), Duration::from_hours(1));
    assert_eq!(settings.readers(), 1);
    assert_eq!(
        *settings.api(),
        ApiSettings {
            restore_machine: Some(MACHINE.to_owned()),
            restore_test_machine: Some(MACHINE.to_owned()),
            job_functions: Some("gorgen-dev-".to_owned()),
            schedule_group: Some("gorgen-dev-jobs".to_owned()),
            role_claim: "https://clinica.example/roles".to_owned(),
            admin_role: "backup.admin".to_owned(),
            master_role: "backup.master".to_owned(),
        }
    );
    settings.require(&Setting::ALL).unwrap();
}

#[test]
fn a_replica_is_opened_with_its_own_keyring_or_the_vaults() {
    assert_eq!(read(&[("GORGEN_KEYRING", "file:///k")]).unwrap().replica(), Ok(None));
    let replica = ("GORGEN_REPLICA_VAULT", "file:///copy");
    let settings = read(&[replica, ("GORGEN_KEYRING", "file:///k")]).unwrap();
    assert_eq!(settings.replica().unwrap().unwrap().1.to_string(), "file:///k");
    let settings = read(&[replica]).unwrap();
    let missing = settings.replica().unwrap_err().to_string();
    assert!(
        missing.starts_with("GORGEN_REPLICA_KEYRING is not set: expected file:///"),
        "{missing}"
    );
}

#[test]
fn a_database_is_given_by_its_url_its_secret_or_both() {
    let url = ("GORGEN_DATABASE_URL", "mysql://gorgen:segredo@db.example/clinica");
    let settings = read(&[url]).unwrap();
    assert_eq!(settings.database().unwrap().to_string(), "gorgen@db.example:3306/clinica");
    assert!(!format!("{settings:?}").contains("segredo"));
    assert!(settings.require(&[Setting::DatabaseSecret]).is_err());
    let settings = read(&[("GORGEN_DATABASE_SECRET", "gorgen/db")]).unwrap();
    assert_eq!(settings.database().unwrap().to_string(), "as the secret gorgen/db says");
    settings.require(&[Setting::DatabaseUrl, Setting::DatabaseSecret]).unwrap();
    let missing = settings.scratch().unwrap_err().to_string();
    assert!(missing.starts_with("GORGEN_SCRATCH_URL is not set: expected mysql://"), "{missing}");
    let both = refusal(&[url, ("GORGEN_DATABASE_SECRET", "gorgen/db")]);
    assert!(both.starts_with("GORGEN_DATABASE_URL: expected mysql://"), "{both}");
    assert!(both.ends_with("got one with a password, which a secret is to give"), "{both}");
    let without_user = refusal(&[("GORGEN_SCRATCH_URL", "mysql://db.example/x")]);
    assert!(without_user.starts_with("GORGEN_SCRATCH_URL: expected"), "{without_user}");
    // Of a secret that is refused, nothing is said about the URL that counted on it.
    assert_eq!(
        refusal(&[("GORGEN_SCRATCH_URL", "mysql://db/x"), ("GORGEN_SCRATCH_SECRET", "a:segredo")]),
        "GORGEN_SCRATCH_SECRET: expected the ARN or the name of a secret in AWS Secrets Manager, \
         got a text of another form"
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let problems = refusal(&[
        ("GORGEN_VALT", "file:///x"),
        ("gorgen_readers", "2"),
        ("GORGEN_COLOUR_SCHEME", "dark"),
        ("GORGEN_LOCK_LEASE", "0"),
        ("GORGEN_READERS", "many"),
        ("GORGEN_VAULT", "ftp://me:segredo@host/x"),
        ("GORGEN_KEYRING", ""),
        ("GORGEN_DATABASE_URL", "postgres://me:segredo@host/x"),
    ]);
    assert_eq!(
        problems,
        "8 settings need attention:\n  \
         GORGEN_VALT: no such setting (did you mean GORGEN_VAULT?)\n  \
         gorgen_readers: no such setting (did you mean GORGEN_READERS?)\n  \
         GORGEN_COLOUR_SCHEME: no such setting (there are GORGEN_DATABASE_URL, \
         GORGEN_DATABASE_SECRET, GORGEN_VAULT, GORGEN_KEYRING, GORGEN_OFFLINE_RECIPIENT, GORGEN_REPLICA_VAULT, \
         GORGEN_REPLICA_KEYRING, GORGEN_SCRATCH_URL, GORGEN_SCRATCH_SECRET, \
         GORGEN_TENANT_COLUMN, GORGEN_APPEND_ONLY, GORGEN_RESTORE_SKIP, GORGEN_TENANT_PATHS, GORGEN_UNDO_HOURS, \
         GORGEN_TIMEZONE, GORGEN_LANG, GORGEN_RETENTION, GORGEN_LOCK_LEASE, GORGEN_READERS, GORGEN_LEGACY_JWT_SECRET, GORGEN_NOTICE_TOPIC, GORGEN_NOTICES, \
         GORGEN_RESTORE_MACHINE, GORGEN_RESTORE_TEST_MACHINE, GORGEN_JOB_FUNCTIONS, \
         GORGEN_SCHEDULE_GROUP, GORGEN_ROLE_CLAIM, GORGEN_ADMIN_ROLE, GORGEN_MASTER_ROLE)\n  \
         GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two \
         hex digits stand for any of : / ? # [ ] @ %), got one that starts with postgres:\n  \
         GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got one that starts with ftp://\n  \
         GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got an empty text\n  \
         GORGEN_LOCK_LEASE: expected a number of seconds from 1 to 3600, got \"0\"\n  \
         GORGEN_READERS: expected a number of connections from 1 to 64, got \"many\""
    );
}

#[test]
fn one_problem_is_one_line() {
    for (name, value, expected) in [
        (
            "GORGEN_LOCK_LEASE",
            "3601",
            "GORGEN_LOCK_LEASE: expected a number of seconds from 1 to 3600, got \"3601\"",
        ),
        (
            "GORGEN_READERS",
            "65",
            "GORGEN_READERS: expected a number of connections from 1 to 64, got \"65\"",
        ),
        (
            "GORGEN_TIMEZONE",
            "Brasilia",
            "GORGEN_TIMEZONE: expected the name of a time zone, such as America/Sao_Paulo, got \"Brasilia\"",
        ),
        (
            "GORGEN_RETENTION",
            "daily=0",
            "GORGEN_RETENTION: expected how many are kept, as daily=30,weekly=12,monthly=12,yearly=20,last=3,within=2 \
             (daily at least 1), got \"daily=0\"",
        ),
        (
            "GORGEN_TENANT_COLUMN",
            "",
            "GORGEN_TENANT_COLUMN: expected the name of a column, up to 64 characters, got an empty text",
        ),
        (
            "GORGEN_RESTORE_MACHINE",
            "gorgen-dev-restore",
            "GORGEN_RESTORE_MACHINE: expected the ARN of a state machine of AWS Step Functions, got \"gorgen-dev-restore\"",
        ),
        (
            "GORGEN_JOB_FUNCTIONS",
            "arn:x",
            "GORGEN_JOB_FUNCTIONS: expected what the names of the job functions begin with, such as gorgen-prod-, got \"arn:x\"",
        ),
        (
            "GORGEN_SCHEDULE_GROUP",
            "a/b",
            "GORGEN_SCHEDULE_GROUP: expected the name of a group of schedules, such as gorgen-prod-jobs, got \"a/b\"",
        ),
        (
            "GORGEN_ROLE_CLAIM",
            "my groups",
            "GORGEN_ROLE_CLAIM: expected the name of a claim, such as cognito:groups, got \"my groups\"",
        ),
        (
            "GORGEN_MASTER_ROLE",
            "[admin]",
            "GORGEN_MASTER_ROLE: expected the name of a role, without spaces, commas or brackets, got \"[admin]\"",
        ),
        (
            "GORGEN_KEYRING",
            "c2VncmVkbyBzZWdyZWRv",
            "GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, \
             got a text of another form",
        ),
    ] {
        assert_eq!(refusal(&[(name, value)]), expected);
    }
    let long = "ç".repeat(65);
    assert!(refusal(&[("GORGEN_TENANT_COLUMN", &long)]).ends_with(&format!("got \"{long}\"")));
    assert!(read(&[("GORGEN_TENANT_COLUMN", &long[2..])]).is_ok());
}

#[test]
fn a_topic_is_one_that_can_send_e_mail() {
    for wrong in [
        "gorgen-alarms",
        "arn:aws:sqs:sa-east-1:111122223333:gorgen-alarms",
        "arn:aws:sns:sa-east-1:111122223333:",
        "arn:aws:sns::111122223333:gorgen-alarms",
        "arn:aws:sns:sa-east-1:111122223333:gorgen-alarms.fifo",
    ] {
        let refused = refusal(&[("GORGEN_NOTICE_TOPIC", wrong)]);
        assert!(refused.contains("GORGEN_NOTICE_TOPIC: expected the ARN of a topic"), "{refused}");
    }
    assert_eq!(
        refusal(&[("GORGEN_NOTICES", "none")]),
        "GORGEN_NOTICES: expected problems or all, got \"none\""
    );
}

#[test]
fn what_is_good_is_read_although_other_things_are_wrong() {
    let pairs = [("GORGEN_NOTICE_TOPIC", TOPIC), ("GORGEN_READERS", "many"), ("GORGEN_X", "y")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::as_far_as_good(pairs);
    assert_eq!(settings.notice_topic(), Some(TOPIC));
    assert!((1..=4).contains(&settings.readers()));
}
