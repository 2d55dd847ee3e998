//! The command line, as clap reads it.

#![expect(clippy::doc_markdown, reason = "clap prints these texts as they are, as help")]

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use gorgen_adapters::settings::{BadValue, KeyringUrl};
use gorgen_engine::{
    model::AccountName,
    policy::{month::Month, prepare, scratch},
    stages::definition::Definers,
};

/// Backs up a MySQL database into an encrypted vault and restores it exactly.
///
/// Settings come from the environment: GORGEN_DATABASE_URL, GORGEN_VAULT, GORGEN_KEYRING and others
/// (see docs/settings.md). Exit status: 0 done; 1 failed; 2 usage or settings; 3 integrity problem found;
/// 4 refused (lock held, target not empty, foreign vault, too much to drop).
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, ClapArgs)]
pub(crate) struct Options {
    /// Print one JSON document on stdout instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where backups are kept, file:///dir or s3://bucket/prefix (overrides GORGEN_VAULT)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) vault: Option<String>,
    /// What wraps their keys, file:///path or kms: and a key ARN or alias (overrides GORGEN_KEYRING)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) keyring: Option<String>,
    /// Connections that read or load at once (overrides GORGEN_READERS)
    #[arg(long, global = true, value_name = "N")]
    pub(crate) readers: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Back up the database
    Backup(Backup),
    /// List the backups there are, oldest first; needs no key
    List,
    /// Show what one backup holds
    Show(Which),
    /// Check that everything the backups need is there; exit status 3 if not
    Verify(Verify),
    /// Restore a backup over the live database or into another one, and prove it equal
    Restore(Box<Restore>),
    /// Restore a backup into a throw-away database on the server of GORGEN_SCRATCH_URL, prove it equal, and drop it
    RestoreTest(RestoreTest),
    /// Put a restore that was only staged, or cut off, in the place of the live tables
    Promote(Promote),
    /// Give the old tables of a restore their places back
    Undo(OfRestore),
    /// Take back a restore that has not changed the live tables
    Cancel(OfRestore),
    /// What was restored, what is not finished, and what to do about it
    Status,
    /// Drop the backups that GORGEN_RETENTION no longer keeps, and old tables of restores whose undo has ended
    Cleanup(Cleanup),
    /// Keep a backup until it is unpinned, whatever the rules say
    Pin(Pin),
    /// Keep a backup only as the rules say
    Unpin(Unpin),
    /// Tell a month, as a page and as data, and whether all was as promised; needs no key
    Report(Report),
    /// Write a backup as files that other tools load, or as an encrypted package that needs no cloud
    Export(Export),
    /// Make a backup of files of the program before this one, typed by the live database's tables
    ImportLegacy(ImportLegacy),
    /// Check settings, database, vault and keyring, or with --aws all that is deployed, and say what to do
    Doctor(Doctor),
    /// Make the accounts that backups, restores and restore tests log in with, each with no more rights than it needs
    ///
    /// Connects as GORGEN_DATABASE_URL says, which for this command is an administrator's account. May be run again: accounts
    /// that are there keep their passwords, rights that are missing are given, and nothing is taken away.
    Prepare(Box<Prepare>),
    /// The keys of backups: make a key file, look at data keys, replace them, wrap them anew
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Which {
    /// The backup's id, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) id: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Backup {
    /// Take over a vault that was made for this database at another address
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    /// Only this backup, an id or `latest`; all if left out
    pub(crate) id: Option<String>,
    /// Read, authenticate and hash again all data, instead of looking only whether it is there
    #[arg(long)]
    pub(crate) read_data: bool,
    /// The same for a quarter of the data, the one that was read longest ago
    #[arg(long, conflicts_with_all = ["id", "read_data"])]
    pub(crate) read_share: bool,
    /// Read all, and put what is missing or damaged right: from the replica, or to it, where the other copy is whole, and
    /// from the database, where its rows are as they were
    #[arg(long, conflicts_with_all = ["id", "read_share"])]
    pub(crate) repair: bool,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(group = clap::ArgGroup::new("where").required(true).args(["into", "in_place", "stage"]))]
pub(crate) struct Restore {
    /// The backup's id, or `latest`
    pub(crate) id: String,
    /// Into this database, new or empty, on the server of GORGEN_DATABASE_URL
    #[arg(long, value_name = "DATABASE", value_parser = database)]
    pub(crate) into: Option<String>,
    /// With --into: on the server of GORGEN_SCRATCH_URL instead
    #[arg(long, requires = "into")]
    pub(crate) on_scratch: bool,
    /// In the place of the live tables: loaded beside them, proved, swapped in at once, and undone by `undo`
    #[arg(long)]
    pub(crate) in_place: bool,
    /// Beside the live tables only; `promote` puts them in their place
    #[arg(long)]
    pub(crate) stage: bool,
    /// With --in-place: RESTAURAR, to say that the live tables are to be replaced
    #[arg(long, value_name = "WORD")]
    pub(crate) confirm: Option<String>,
    /// Only say what would be restored, and what stands in the way
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only this table (may be repeated)
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// Only this tenant's rows, in one transaction; with --in-place or --stage
    #[arg(long, value_name = "TENANT", conflicts_with = "into")]
    pub(crate) tenant: Option<String>,
    /// Replace the live tables without backing them up first
    #[arg(long, conflicts_with = "into")]
    pub(crate) no_safety_backup: bool,
    /// Go on although rows would point at rows that are not there
    #[arg(long, conflicts_with = "into")]
    pub(crate) accept_orphans: bool,
    /// Use another collation in place of one that the server does not know (may be repeated)
    #[arg(long = "map-collation", value_name = "FROM=TO", value_parser = mapping)]
    pub(crate) collations: Vec<(String, String)>,
    /// Whom views, triggers, routines and events run as: keep, strip (whoever restores), or user@host
    #[arg(long, value_name = "WHO", default_value = "keep", value_parser = definers)]
    pub(crate) definer: Definers,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RestoreTest {
    /// The backup's id, or `latest`; by turns the newest and a random one of the last 30 days, if left out
    pub(crate) id: Option<String>,
    /// Where to read it; by turns, if left out, or the vault for a backup that is named
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) from: Option<From>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// The vault
    Vault,
    /// Its copy, GORGEN_REPLICA_VAULT
    Replica,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Promote {
    /// The restore's id, as `status` shows it
    pub(crate) id: String,
    /// RESTAURAR, to say that the live tables are to be replaced
    #[arg(long, value_name = "WORD")]
    pub(crate) confirm: Option<String>,
    /// Replace the live tables without backing them up first
    #[arg(long)]
    pub(crate) no_safety_backup: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OfRestore {
    /// The restore's id, as `status` shows it
    pub(crate) id: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Cleanup {
    /// Only say what would be kept and dropped, and why
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The number of backups that may go, as --dry-run told it; up to 10 go without
    #[arg(long, value_name = "N")]
    pub(crate) confirm: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Report {
    /// The month, e.g. 2026-10; the last one if left out
    #[arg(long, value_name = "YYYY-MM")]
    pub(crate) month: Option<Month>,
    /// Write the page here as well; the file must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Pin {
    /// The backup's id, or `latest`
    pub(crate) id: String,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Unpin {
    /// The backup's id
    pub(crate) id: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Look at what the stacks of this environment made, e.g. prod, in the account and region of AWS's own settings; none of
    /// GORGEN_ is needed
    #[arg(long, value_name = "ENVIRONMENT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) aws: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// The backup's id, or `latest`
    pub(crate) id: String,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// The folder to write into, new or empty; for offline also one that holds earlier packages
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportLegacy {
    /// A full or offline file, and any incremental ones that go on from it
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Whose files they are, where they are encrypted and do not lie in a folder tenant_N
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    pub(crate) tenant: Option<String>,
    /// Only read the files, and say what would be imported
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A folder as mydumper writes it, for myloader
    Mydumper,
    /// One SQL file, for the mysql or mariadb client
    Sql,
    /// A package for a drive in a safe: sealed as it is, opened without a cloud, and resumed if it was cut off
    Offline,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Prepare {
    /// Only print the statements and the settings, for somebody else to run; changes nothing
    #[arg(long, conflicts_with_all = ["check", "to", "new_passwords"])]
    pub(crate) print: bool,
    /// Only say what is missing; exit status 1 if anything that is needed is
    #[arg(long, conflicts_with_all = ["to", "new_passwords"])]
    pub(crate) check: bool,
    /// With --print: the server's kind, so that it is not asked
    #[arg(long, value_enum, value_name = "KIND", requires = "print")]
    pub(crate) server: Option<ServerKind>,
    /// Only this account (may be repeated); all three if left out
    #[arg(long = "only", value_enum, value_name = "ACCOUNT")]
    pub(crate) only: Vec<Account>,
    /// The account for backups; gorgen_backup@% if left out
    #[arg(long, value_name = "USER@HOST")]
    pub(crate) backup_user: Option<AccountName>,
    /// The account for restores; gorgen_restore@% if left out
    #[arg(long, value_name = "USER@HOST")]
    pub(crate) restore_user: Option<AccountName>,
    /// The account for restore tests; gorgen_scratch@% if left out
    #[arg(long, value_name = "USER@HOST")]
    pub(crate) scratch_user: Option<AccountName>,
    /// What names of databases of restore tests begin with
    #[arg(long, value_name = "NAME", default_value = prepare::SCRATCH, value_parser = scratch_database)]
    pub(crate) scratch_database: String,
    /// How accounts log in; with a password that is made up, if left out
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["tls", "new_passwords"])]
    pub(crate) auth: Option<Auth>,
    /// Whether accounts must log in over TLS; as GORGEN_DATABASE_URL does, if left out
    #[arg(long, value_enum, value_name = "WHETHER")]
    pub(crate) tls: Option<TlsFor>,
    /// Let the accounts for backups and restores read all databases, which on MySQL shows them procedures and functions: for
    /// administrators that may not give SHOW_ROUTINE, as on Amazon RDS
    #[arg(long)]
    pub(crate) read_all: bool,
    /// Give accounts that are there new passwords as well
    #[arg(long)]
    pub(crate) new_passwords: bool,
    /// Write the settings, with the passwords, here instead of showing them; the file must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerKind {
    /// MySQL 8.2 or later, also on Amazon RDS
    Mysql,
    /// MySQL 8.0 or 8.1, also on Amazon RDS
    #[value(name = "mysql-8.0")]
    Mysql80,
    /// MariaDB 10.5 or later, also on Amazon RDS
    Mariadb,
    /// TiDB
    Tidb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Account {
    /// For backups
    Backup,
    /// For restores
    Restore,
    /// For restore tests
    Scratch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// By RDS IAM authentication, without a password
    RdsIam,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsFor {
    /// Over TLS only
    Required,
    /// However they like
    Off,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a new key file, for GORGEN_KEYRING=file:///path; keep a copy of it in a safe place
    Create {
        /// The file to write; it must not exist
        path: PathBuf,
    },
    /// Which data keys there are, what wraps each, whether it opens, and which backups need it; exit status 3 if one
    /// does not open
    Status,
    /// Seal with new data keys from now on, before the month ends; backups that exist are left as they are
    Rotate,
    /// Wrap every data key anew, prove that it opens, and only then forget what wrapped it before
    Rewrap(Rewrap),
    /// Destroy the data keys of one tenant, so that no backup gives its rows any more; exit status 3 if something is left that
    /// does
    Erase(Erase),
    /// Prove that an offline identity, without anything else, opens every backup; exit status 3 if it does not
    Drill(Drill),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rewrap {
    /// The keyring that is to open them, file:///path or kms: and a key ARN or alias; the present one if left out, as after
    /// GORGEN_OFFLINE_RECIPIENT was set
    #[arg(long, value_name = "URL", value_parser = keyring)]
    pub(crate) to: Option<KeyringUrl>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Erase {
    /// The tenant, as the tenant column holds it
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: String,
    /// ERASE and the tenant, as in "ERASE 7", to say that nothing brings these rows back
    #[arg(long, value_name = "WORDS")]
    pub(crate) confirm: Option<String>,
    /// Only say what would be erased, and what would not
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Drill {
    /// The file with the identity, as age-keygen writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: PathBuf,
}

fn keyring(text: &str) -> Result<KeyringUrl, String> {
    text.parse().map_err(|error: BadValue| error.to_string())
}

/// MySQL's limit, in characters.
const LONGEST_NAME: usize = 64;

fn scratch_database(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=scratch::LONGEST_PREFIX => Ok(text.to_owned()),
        length => Err(format!(
            "expected a name of 1 to {} characters, got {length}",
            scratch::LONGEST_PREFIX
        )),
    }
}

fn database(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=LONGEST_NAME => Ok(text.to_owned()),
        length => Err(format!("expected a name of 1 to {LONGEST_NAME} characters, got {length}")),
    }
}

fn tenant(text: &str) -> Result<String, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.to_owned()).ok_or_else(|| "expected the number of a tenant".to_owned())
}

fn mapping(text: &str) -> Result<(String, String), String> {
    let names = text.split_once('=').filter(|(from, to)| !from.is_empty() && !to.is_empty());
    let (from, to) = names.ok_or_else(|| "expected FROM=TO, two collations".to_owned())?;
    Ok((from.to_owned(), to.to_owned()))
}

fn definers(text: &str) -> Result<Definers, String> {
    match text {
        "keep" => Ok(Definers::Keep),
        "strip" => Ok(Definers::Strip),
        account if account.contains('@') => Ok(Definers::Replace(account.to_owned())),
        _ => Err("expected keep, strip, or an account as user@host".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNBOOK: &str = include_str!("../../../docs/operations.md");
    const README: &str = include_str!("../../../README.md");

    /// The commands in the blocks of a document, as a shell would hand them on; options in brackets are none.
    fn commands(document: &str) -> impl Iterator<Item = Vec<String>> {
        let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(str::lines).filter(|line| line.starts_with("gorgen-backup "));
        lines.map(|line| {
            let words = shlex::split(line).unwrap_or_else(|| panic!("a quote is open: {line}"));
            words.into_iter().collect()
        })
    }

    #[test]
    fn every_command_of_the_documents_is_one() {
        for (document, least) in [(RUNBOOK, 40), (README, 20)] {
            let mut found = 0;
            for words in commands(document) {
                let parsed = Args::try_parse_from(&words);
                assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
                found += 1;
            }
            assert!(found >= least, "{found} commands");
        }
    }
}
