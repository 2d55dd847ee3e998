use super::*;

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
    assert_eq!(
        settings.vault().unwrap_err().to_string(),
        "GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix"
    );
    let needs = [Setting::Vault, Setting::Keyring, Setting::Readers];
    assert_eq!(
        settings.require(&needs).unwrap_err().to_string(),
        "2 settings need attention:\n  \
         GORGEN_VAULT is not set: expected file:///folder or s3://bucket/prefix\n  \
         GORGEN_KEYRING is not set: expected file:///file, kms:alias/name, kms:<key id> or kms:<key arn>"
    );
}

#[test]
fn every_setting_is_read_and_the_last_value_counts() {
    let settings = read(&[
        ("GORGEN_DATABASE_URL", "mysql://gorgen:segredo@db.example/clinica"),
        ("GORGEN_VAULT", "file:///old"),
        ("GORGEN_KEYRING", "kms:alias/gorgen"),
        ("GORGEN_TENANT_COLUMN", "clinica_id"),
        ("GORGEN_LOCK_LEASE", "3600"),
        ("GORGEN_READERS", "1"),
        ("GORGEN_VAULT", "s3://vault/clinica"),
    ])
    .unwrap();
    assert_eq!(settings.database().unwrap().to_string(), "gorgen@db.example:3306/clinica");
    assert_eq!(settings.vault().unwrap().to_string(), "s3://vault/clinica");
    assert_eq!(settings.keyring().unwrap().to_string(), "kms:alias/gorgen");
    assert_eq!(settings.tenant_column(), Some("clinica_id"));
    assert_eq!(settings.lock_lease(), Duration::from_hours(1));
    assert_eq!(settings.readers(), 1);
    settings.require(&Setting::ALL).unwrap();
    assert!(!format!("{settings:?}").contains("segredo"));
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
         GORGEN_COLOUR_SCHEME: no such setting (there are GORGEN_DATABASE_URL, GORGEN_VAULT, GORGEN_KEYRING, \
         GORGEN_TENANT_COLUMN, GORGEN_LOCK_LEASE, GORGEN_READERS)\n  \
         GORGEN_DATABASE_URL: expected mysql://user:password@host:port/database (in user and password, `%` and two \
         hex digits stand for any of : / ? # [ ] @ %), got one that starts with postgres:\n  \
         GORGEN_VAULT: expected file:///folder or s3://bucket/prefix, got one that starts with ftp://\n  \
         GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id> or kms:<key arn>, got an empty text\n  \
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
            "GORGEN_TENANT_COLUMN",
            "",
            "GORGEN_TENANT_COLUMN: expected the name of a column, up to 64 characters, got an empty text",
        ),
        (
            "GORGEN_KEYRING",
            "c2VncmVkbyBzZWdyZWRv",
            "GORGEN_KEYRING: expected file:///file, kms:alias/name, kms:<key id> or kms:<key arn>, \
             got a text of another form",
        ),
    ] {
        assert_eq!(refusal(&[(name, value)]), expected);
    }
    let long = "ç".repeat(65);
    assert!(refusal(&[("GORGEN_TENANT_COLUMN", &long)]).ends_with(&format!("got \"{long}\"")));
    assert!(read(&[("GORGEN_TENANT_COLUMN", &long[2..])]).is_ok());
}
