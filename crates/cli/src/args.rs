//! The command line, as clap reads it.

#![expect(clippy::doc_markdown, reason = "clap prints these texts as they are, as help")]

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use gorgen_engine::stages::definition::Definers;

/// Backs up a MySQL database into an encrypted vault and restores it exactly.
///
/// Settings come from the environment: GORGEN_DATABASE_URL, GORGEN_VAULT, GORGEN_KEYRING and others
/// (see the README). Exit status: 0 done; 1 failed; 2 usage or settings; 3 integrity problem found;
/// 4 refused (lock held, target not empty, foreign vault).
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
    /// Restore a backup into a new or empty database, and prove it equal
    Restore(Restore),
    /// Write a backup as files that other tools load
    Export(Export),
    /// Check settings, database, vault and keyring, and say what to do
    Doctor,
    /// Keys
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
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Restore {
    /// The backup's id, or `latest`
    pub(crate) id: String,
    /// The database to restore into, new or empty, on the server of GORGEN_DATABASE_URL
    #[arg(long, value_name = "DATABASE", value_parser = database)]
    pub(crate) into: String,
    /// Only this table (may be repeated)
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// Use another collation in place of one that the server does not know (may be repeated)
    #[arg(long = "map-collation", value_name = "FROM=TO", value_parser = mapping)]
    pub(crate) collations: Vec<(String, String)>,
    /// Whom views, triggers, routines and events run as: keep, strip (whoever restores), or user@host
    #[arg(long, value_name = "WHO", default_value = "keep", value_parser = definers)]
    pub(crate) definer: Definers,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// The backup's id, or `latest`
    pub(crate) id: String,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// The folder to write into, new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A folder as mydumper writes it, for myloader
    Mydumper,
    /// One SQL file, for the mysql or mariadb client
    Sql,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a new key file, for GORGEN_KEYRING=file:///path; keep a copy of it in a safe place
    Create {
        /// The file to write; it must not exist
        path: PathBuf,
    },
}

/// MySQL's limit, in characters.
const LONGEST_NAME: usize = 64;

fn database(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=LONGEST_NAME => Ok(text.to_owned()),
        length => Err(format!("expected a name of 1 to {LONGEST_NAME} characters, got {length}")),
    }
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
