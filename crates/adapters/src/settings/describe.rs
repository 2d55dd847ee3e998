//! `docs/settings.md` and `.env.example`, written from the settings themselves: a setting that is not described here does not
//! compile, an example that is not accepted fails, and so does a page that is not what is written here.
//!
//! After a change: `cargo test -p gorgen-adapters --lib -- --ignored settings::describe`

use std::{
    fmt::{self, Write},
    fs,
    path::{Path, PathBuf},
};

use super::{Setting, Settings};

/// Settings that are read together.
struct Group {
    title: &'static str,
    about: &'static str,
    settings: &'static [Setting],
}

const GROUPS: [Group; 7] = [
    Group {
        title: "What every backup needs",
        about: "The database, where its backups go, and what their keys are wrapped with. A command that lacks one of them says so.",
        settings: &[
            Setting::DatabaseUrl,
            Setting::DatabaseSecret,
            Setting::Vault,
            Setting::Keyring,
            Setting::OfflineRecipient,
        ],
    },
    Group {
        title: "The copy, and where restores are tested",
        about: "Without a replica nothing is checked there; without a scratch server `restore-test` has nowhere to restore to.",
        settings: &[
            Setting::ReplicaVault,
            Setting::ReplicaKeyring,
            Setting::ScratchUrl,
            Setting::ScratchSecret,
        ],
    },
    Group {
        title: "Whose rows they are, and what a restore in place does with them",
        about: "",
        settings: &[
            Setting::TenantColumn,
            Setting::TenantPaths,
            Setting::AppendOnly,
            Setting::RestoreSkip,
            Setting::UndoHours,
        ],
    },
    Group {
        title: "How long backups are kept, and how people are told",
        about: "",
        settings: &[
            Setting::Retention,
            Setting::TimeZone,
            Setting::Lang,
            Setting::NoticeTopic,
            Setting::Notices,
        ],
    },
    Group {
        title: "For importing the files of the program before this one",
        about: "`import-legacy` alone reads it.",
        settings: &[Setting::LegacySecret],
    },
    Group {
        title: "For tuning, which nobody should need",
        about: "",
        settings: &[Setting::Readers, Setting::LockLease],
    },
    Group {
        title: "The API's",
        about: "The stacks set them; the command line has no use for them.",
        settings: &[
            Setting::RestoreMachine,
            Setting::RestoreTestMachine,
            Setting::JobFunctions,
            Setting::ScheduleGroup,
            Setting::RoleClaim,
            Setting::AdminRole,
            Setting::MasterRole,
        ],
    },
];

/// What a setting is for.
fn about(setting: Setting) -> &'static str {
    match setting {
        Setting::DatabaseUrl => {
            "The database to back up, or on whose server to restore. TLS is required unless it is on this machine (`tls=off`, `tls=required` say \
             otherwise); `ca=rds` trusts Amazon RDS's authorities, `auth=rds-iam` takes a token of IAM for the password."
        }
        Setting::DatabaseSecret => {
            "A secret with that database's account, as RDS makes it: `username`, `password`, also `host`, `port`, `dbname`. It fills in what \
             the URL leaves out, as in `mysql://host/database?ca=rds`."
        }
        Setting::Vault => "Where backups are kept: one vault is of one database.",
        Setting::Keyring => {
            "What wraps the keys of backups. Without it no backup opens: a key file needs a copy where the vault is not."
        }
        Setting::OfflineRecipient => {
            "Every data key is wrapped for this recipient as well: its identity, made by `age-keygen` and kept in a safe, opens the vault without \
             AWS and without the keyring. `keys rewrap` adds it to keys that are there already."
        }
        Setting::ReplicaVault => {
            "The vault's copy, which `verify` holds against it and `restore-test` restores from by turns; `?region=us-east-1` after it if it \
             is in another region than AWS's own settings name."
        }
        Setting::ReplicaKeyring => {
            "What opens the keys there, as the replica of a multi-Region key in the replica's region."
        }
        Setting::ScratchUrl => {
            "A server that restore tests may write to. Names of their databases begin with the one given here, of at most 25 characters, which the account \
             makes and drops; `prepare` makes such an account."
        }
        Setting::ScratchSecret => "A secret with that server's account.",
        Setting::TenantColumn => {
            "The column that tells whose a row is, in the tables that have it: each tenant gets keys of its own, and can be restored alone."
        }
        Setting::TenantPaths => {
            "Whose the rows of other tables are, where no foreign key tells or several might."
        }
        Setting::AppendOnly => {
            "Tables that only grow: a restore in place gives back the rows that are gone and keeps later ones."
        }
        Setting::RestoreSkip => "Tables that a restore in place leaves as they are.",
        Setting::UndoHours => "For how many hours `undo` is promised.",
        Setting::Retention => {
            "Of how many days, weeks, months and years the first backup is kept, how many of the last ones, and all of how many days. What is \
             not named is as by default."
        }
        Setting::TimeZone => "Where days and months begin.",
        Setting::Lang => "The language of reports and notices.",
        Setting::NoticeTopic => {
            "The topic by which the functions tell people how runs ended: [what and when](notices.md)."
        }
        Setting::Notices => "Which notices are sent; `all` also tells what went well.",
        Setting::Readers => {
            "Connections that read or load at once. A backup uses more than one only where one snapshot for all of them can be proved."
        }
        Setting::LockLease => "After how many seconds a run that died no longer blocks others.",
        Setting::LegacySecret => "The JWT secret that the app had when its old files were made.",
        Setting::RestoreMachine => "The state machine that takes restores through their steps.",
        Setting::RestoreTestMachine => "The one that takes restore tests through theirs.",
        Setting::JobFunctions => "What the names of the functions begin with that the API starts.",
        Setting::ScheduleGroup => "The group of the schedules that it shows and switches.",
        Setting::RoleClaim => "The claim of a token that holds the caller's roles.",
        Setting::AdminRole => "The role that sees all and starts backups.",
        Setting::MasterRole => "The role that also restores.",
    }
}

/// What is so if it is not set.
fn default(setting: Setting) -> String {
    let usual = Settings::from_pairs([]).expect("no settings are good settings");
    let none = |what: &str| format!("none; {what}");
    let code = |value: &dyn fmt::Display| format!("`{value}`");
    match setting {
        Setting::DatabaseUrl => {
            none("needed by what reads or writes the database, unless the secret says all")
        }
        Setting::DatabaseSecret | Setting::ScratchSecret => none("the URL has user and password"),
        Setting::Vault | Setting::Keyring => none("needed"),
        Setting::OfflineRecipient => none("only the keyring opens"),
        Setting::ReplicaVault => none("there is no copy"),
        Setting::ReplicaKeyring => code(&Setting::Keyring),
        Setting::ScratchUrl => none("needed by `restore-test`, unless the secret says all"),
        Setting::TenantColumn => none("all rows have one key"),
        Setting::TenantPaths => none("foreign keys tell"),
        Setting::AppendOnly | Setting::RestoreSkip => none("no table"),
        Setting::UndoHours => code(&usual.undo.as_hours()),
        Setting::Retention => code(&usual.retention),
        Setting::TimeZone => code(&usual.time_zone.iana_name().expect("a name")),
        Setting::Lang => code(&usual.language.tag()),
        Setting::NoticeTopic => none("nobody is told"),
        Setting::Notices => code(&"problems"),
        Setting::Readers => "one a core, at most 4".to_owned(),
        Setting::LockLease => code(&usual.lock_lease.as_secs()),
        Setting::LegacySecret => none("the one that the old program had by itself is tried"),
        Setting::RestoreMachine | Setting::RestoreTestMachine => none("the API cannot start them"),
        Setting::JobFunctions => none("the API cannot start jobs"),
        Setting::ScheduleGroup => none("the API shows no schedules"),
        Setting::RoleClaim => code(&usual.api.role_claim),
        Setting::AdminRole => code(&usual.api.admin_role),
        Setting::MasterRole => code(&usual.api.master_role),
    }
}

/// A value that is accepted.
fn example(setting: Setting) -> &'static str {
    match setting {
        Setting::DatabaseUrl => "mysql://backup:password@db.example:3306/clinica",
        Setting::DatabaseSecret => {
            "arn:aws:secretsmanager:sa-east-1:111122223333:secret:gorgen/prod/backup-AbCdEf"
        }
        Setting::Vault => "s3://clinica-backups/clinica",
        Setting::Keyring => "kms:alias/gorgen",
        Setting::OfflineRecipient => {
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
        }
        Setting::ReplicaVault => "s3://clinica-backups-replica/clinica?region=us-east-1",
        Setting::ReplicaKeyring => {
            "kms:arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
        }
        Setting::ScratchUrl => "mysql://tester:password@scratch.example:3306/clinica_test",
        Setting::ScratchSecret => "gorgen/prod/scratch",
        Setting::TenantColumn => "tenant_id",
        Setting::TenantPaths => "trocas.user_id=users.id",
        Setting::AppendOnly => "audit_log",
        Setting::RestoreSkip => "user_sessions,password_reset_tokens",
        Setting::UndoHours => "72",
        Setting::Retention => "daily=30,weekly=12,monthly=12,yearly=20",
        Setting::TimeZone => "America/Sao_Paulo",
        Setting::Lang => "pt-BR",
        Setting::NoticeTopic => "arn:aws:sns:sa-east-1:111122223333:gorgen-prod-alarms",
        Setting::Notices => "problems",
        Setting::Readers => "2",
        Setting::LockLease => "60",
        Setting::LegacySecret => "the-secret-of-that-time",
        Setting::RestoreMachine => {
            "arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore"
        }
        Setting::RestoreTestMachine => {
            "arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore-test"
        }
        Setting::JobFunctions => "gorgen-prod-",
        Setting::ScheduleGroup => "gorgen-prod-jobs",
        Setting::RoleClaim => "cognito:groups",
        Setting::AdminRole => "admin",
        Setting::MasterRole => "admin_master",
    }
}

fn page() -> Result<String, fmt::Error> {
    let mut page = String::from(
        "# Settings\n\n\
         <!-- Written from the code by crates/adapters/src/settings/describe.rs: change it there. -->\n\n\
         Environment variables, the same for the command line and for every function. An unknown `GORGEN_` name or a value that is not \
         accepted is an error that names the setting, what was given and what is accepted; all that is wrong is told at once. On the \
         command line `--vault`, `--keyring` and `--readers` go before the environment. [`.env.example`](../.env.example) has all of them, \
         to fill in.\n",
    );
    for group in &GROUPS {
        write!(page, "\n## {}\n\n", group.title)?;
        if !group.about.is_empty() {
            write!(page, "{}\n\n", group.about)?;
        }
        page.push_str("| setting | what | accepts | default |\n|---|---|---|---|\n");
        for &setting in group.settings {
            let accepts = setting.expected().replace('|', "\\|");
            writeln!(
                page,
                "| `{setting}` | {} | {accepts} | {} |",
                about(setting),
                default(setting)
            )?;
        }
    }
    Ok(page)
}

fn env_example() -> Result<String, fmt::Error> {
    let mut file = String::from(
        "# Settings of gorgen-backup: take the # away from those that you need. docs/settings.md says more.\n\
         # Written from the code by crates/adapters/src/settings/describe.rs: change it there.\n",
    );
    for group in &GROUPS {
        write!(file, "\n# {}\n", group.title)?;
        for &setting in group.settings {
            write!(
                file,
                "\n# {}\n# Default: {}\n#{setting}='{}'\n",
                about(setting)
                    .replace('`', "")
                    .replace("[what and when](notices.md)", "docs/notices.md"),
                default(setting).replace('`', ""),
                example(setting)
            )?;
        }
    }
    Ok(file)
}

fn files() -> [(PathBuf, String); 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    [
        (root.join("docs/settings.md"), page().expect("a page")),
        (root.join(".env.example"), env_example().expect("a file")),
    ]
}

#[test]
fn the_page_and_the_example_are_as_the_code_says() {
    for (path, written) in files() {
        let there = fs::read_to_string(&path).expect("a file that is kept");
        assert!(there == written, "{} is not what the code says: write it anew", path.display());
    }
}

#[test]
#[ignore = "writes the page and the example"]
fn write_them() {
    for (path, written) in files() {
        fs::write(path, written).expect("written");
    }
}

#[test]
fn every_setting_is_described_once() {
    let mut described: Vec<_> = GROUPS.iter().flat_map(|group| group.settings).copied().collect();
    described.sort_unstable();
    assert_eq!(described, Setting::ALL);
}

#[test]
fn every_example_is_accepted() {
    for setting in Setting::ALL {
        let given = (setting.name().to_owned(), example(setting).to_owned());
        // A secret's URL may stand alone; a URL with a password and a secret would contradict each other.
        let read = Settings::from_pairs([given]);
        assert!(read.is_ok(), "{setting}: {read:?}");
    }
}
