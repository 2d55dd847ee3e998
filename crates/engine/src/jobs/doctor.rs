//! A look at all that a backup needs, before one is needed: each thing becomes a finding, and none an error.
//!
//! Ask the database, the vault and the keyring for facts, give the facts to [`crate::policy::findings`], and
//! go on where something does not work: what hangs on it is said to be not checked.

use std::{error::Error as StdError, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::timeout;

use super::{Error, KeyChest, World, backups, remedy, runs};
use crate::{
    model::{
        KeyId, KeyPurpose, ObjectName, Scope, SourceIdentity, Survey, VaultId, deployed::Deployed,
        prefix,
    },
    policy::findings::{
        Finding, Status, content, deployed as of_deployed, privileges, server, vault as of_vault,
    },
    ports::{
        Clock, Entropy, KeyContext, Keyring, KeyringError, Progress, Revision, Source, SourceError,
        Surveyor, Vault, VaultError, random,
    },
    records::{lock::Lease, run::RunRecord},
};

/// How long the database, the vault or the keyring may take for all that is asked of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a probe is tried again when another doctor wrote one at the same moment.
const PROBES: u32 = 5;

/// How many run records are looked at, from the newest, to find the last run of each job.
const RECENT_RUNS: usize = 20;

/// Ids of runs may be ahead of this machine's clock.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// What there is to look at.
pub struct Checkup<'a> {
    /// The protected database.
    pub database: Result<Database<'a>, Absent>,
    /// Where backups lie.
    pub vault: Result<Arc<dyn Vault>, Absent>,
    /// What wraps their keys.
    pub keyring: Result<Arc<dyn Keyring>, Absent>,
    /// The time here.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The column that says whose row it is.
    pub tenant_column: Option<&'a str>,
    /// Connections that a backup reads with.
    pub readers: usize,
}

/// The protected database, in the two ways it is asked.
#[derive(Clone, Copy)]
pub struct Database<'a> {
    /// As `doctor` asks it.
    pub surveyor: &'a dyn Surveyor,
    /// As a backup does.
    pub source: &'a dyn Source,
}

/// Why there is nothing to look at.
#[derive(Debug, Clone)]
pub enum Absent {
    /// This setting is not set, or not as it should be; that is a finding of its own.
    Setting(&'static str),
    /// It could not be opened.
    Unusable {
        /// Why.
        fact: String,
        /// What to do.
        remedy: String,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each thing that was looked at, in the order in which they hang on each other.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Does anything not work?
    pub fn has_problem(&self) -> bool {
        self.findings.iter().any(|finding| finding.status == Status::Problem)
    }
}

/// How the jobs of what is deployed went, by the records of runs in its vault: the last backup, verification and restore
/// test that succeeded, against their schedules.
pub async fn history(vault: &dyn Vault, deployed: &Deployed, clock: &dyn Clock) -> Vec<Finding> {
    let now = clock.now();
    let read = async {
        let from = now.saturating_sub(of_deployed::LOOKBACK).unwrap_or(Timestamp::MIN);
        let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        runs::readable_between(vault, from, until).await
    };
    match patiently(read).await {
        None => of_deployed::unseen_history("the vault gave no answer in time"),
        Some(Err(error)) => of_deployed::unseen_history(&told(&error)),
        Some(Ok(records)) => of_deployed::history(&records, deployed, now),
    }
}

/// Looks at everything, and changes nothing but the probe it writes into the vault.
pub async fn run(checkup: &Checkup<'_>) -> Report {
    let (database, vault) = tokio::join!(look_at_database(checkup), look_at_vault(checkup));
    let (vault, identity) = vault;
    let keyring = look_at_keyring(checkup, identity).await;
    Report { findings: [database, vault, vec![keyring]].concat() }
}

/// The checks of the database that come after a survey.
const SURVEYED: [&str; 10] = [
    "clock",
    "backup-privileges",
    "snapshot",
    "binlog-position",
    "max-allowed-packet",
    "local-infile",
    "restore-privileges",
    "restore-definers",
    "restore-routines",
    "definitions",
];

/// The checks of what the definitions say.
fn defined(checkup: &Checkup<'_>) -> impl Iterator<Item = &'static str> {
    let tenant_column = checkup.tenant_column.map(|_| "tenant-column");
    ["engines", "keys", "character-sets"].into_iter().chain(tenant_column)
}

async fn look_at_database(checkup: &Checkup<'_>) -> Vec<Finding> {
    let later = SURVEYED.into_iter().chain(defined(checkup));
    let Database { surveyor, source } = match &checkup.database {
        Ok(database) => *database,
        Err(absent) => return missing("database", absent, later),
    };
    let survey = match patiently(surveyor.survey(&*checkup.clock)).await {
        None => return failed(no_answer("database", remedy::OF_DATABASE), later),
        Some(Err(error)) => return failed(unsurveyed(&error), later),
        Some(Ok(survey)) => survey,
    };
    let database = surveyor.identity().database;
    let may_read = privileges::backup(&survey, &database);
    let definitions = if may_read.status == Status::Ok {
        look_at_definitions(checkup, source, &survey).await
    } else {
        skipped(["definitions"].into_iter().chain(defined(checkup)), may_read.check)
    };
    let mut findings = vec![
        server::answers(&survey),
        server::clock(survey.clock),
        may_read,
        server::snapshot(&survey, &database, checkup.readers),
        privileges::position(&survey, checkup.readers),
        server::packet(&survey),
        server::local_infile(&survey),
    ];
    findings.extend(who_restores(&survey, &database));
    findings.extend(definitions);
    findings
}

fn who_restores(survey: &Survey, database: &str) -> Vec<Finding> {
    let may_restore = privileges::restore(survey, database);
    if may_restore.status != Status::Ok {
        return failed(may_restore, ["restore-definers", "restore-routines"]);
    }
    vec![may_restore, privileges::definers(survey), privileges::function_creators(survey)]
}

async fn look_at_definitions(
    checkup: &Checkup<'_>,
    source: &dyn Source,
    survey: &Survey,
) -> Vec<Finding> {
    let catalog = match patiently(source.catalog()).await {
        None => return failed(no_answer("definitions", remedy::OF_DATABASE), defined(checkup)),
        Some(Err(error)) => {
            let remedy = "no backup can be made before the database shows it";
            let finding = Finding::problem("definitions", told(&error), remedy);
            return failed(finding, defined(checkup));
        }
        Some(Ok(catalog)) => catalog,
    };
    let mut findings = vec![
        content::definitions(&catalog),
        content::engines(&catalog),
        content::keys(&catalog),
        content::text(&catalog, &survey.collations),
    ];
    findings.extend(content::tenant_column(&catalog, checkup.tenant_column));
    findings.extend(content::doubts(&catalog));
    findings
}

fn unsurveyed(error: &SourceError) -> Finding {
    let remedy = match error {
        SourceError::Refused { .. } => None,
        _ => remedy::of_source(error),
    };
    let remedy = remedy.unwrap_or("see what the server's log says about it");
    Finding::problem("database", told(error), remedy)
}

/// The checks of a vault that come after it was reached.
const REACHED: [&str; 4] = ["vault-writable", "vault-owner", "last-backup", "last-backup-run"];

/// What was found, and the vault's identity if it has one.
async fn look_at_vault(checkup: &Checkup<'_>) -> (Vec<Finding>, Option<VaultId>) {
    let vault = match &checkup.vault {
        Ok(vault) => vault,
        Err(absent) => return (missing("vault", absent, REACHED), None),
    };
    match patiently(look_into_vault(checkup, &**vault)).await {
        Some(found) => found,
        None => (failed(no_answer("vault", remedy::of_vault(&vault.describe())), REACHED), None),
    }
}

async fn look_into_vault(
    checkup: &Checkup<'_>,
    vault: &dyn Vault,
) -> (Vec<Finding>, Option<VaultId>) {
    let remedy = remedy::of_vault(&vault.describe());
    let backups = match backups::ids(vault).await {
        Ok(ids) => ids,
        Err(error) => {
            let unreachable = Finding::problem("vault", told(&error), remedy);
            return (failed(unreachable, REACHED), None);
        }
    };
    let writable = match probe(checkup, vault).await {
        Ok(()) => Finding::ok("vault-writable", "a probe was written and read back"),
        Err(error) => Finding::problem("vault-writable", told(&error), remedy),
    };
    let now = checkup.clock.now();
    let database = checkup.database.as_ref().ok();
    let source = database.map(|database| database.source.identity());
    let (owner, identity) = owner(vault, source.as_ref(), backups.len()).await;
    let mut findings = vec![of_vault::reached(&vault.describe(), backups.len()), writable, owner];
    findings.extend(last_lock(vault, now).await);
    findings.push(last_backup(vault, now).await);
    findings.extend(last_runs(vault).await);
    (findings, identity)
}

/// Why a probe did not come back.
#[derive(Debug, thiserror::Error)]
enum ProbeError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{vault} gave back something else than was written to it")]
    Differs { vault: String },
}

/// Writes a random text, and reads it back.
async fn probe(checkup: &Checkup<'_>, vault: &dyn Vault) -> Result<(), ProbeError> {
    let name = ObjectName::probe();
    let text = hex::encode(random::<16>(&*checkup.entropy));
    let content =
        Bytes::from(format!("{{\"probe\":\"{text}\",\"at\":\"{}\"}}\n", checkup.clock.now()));
    for _ in 0..PROBES {
        let before: Option<Revision> = vault.read(&name).await?.map(|(_, revision)| revision);
        match vault.swap(&name, before.as_ref(), content.clone()).await {
            Ok(written) => {
                let back = vault.read(&name).await?;
                let is_ours = back.as_ref().is_some_and(|(bytes, _)| *bytes == content);
                // Another doctor may have written its own since: then the revision is another one too.
                let is_later = back.is_some_and(|(_, revision)| revision != written);
                if is_ours || is_later {
                    return Ok(());
                }
                return Err(ProbeError::Differs { vault: vault.describe() });
            }
            Err(VaultError::Changed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // Others wrote each time: it takes writes.
    Ok(())
}

async fn owner(
    vault: &dyn Vault,
    source: Option<&SourceIdentity>,
    backups: usize,
) -> (Finding, Option<VaultId>) {
    let identity = match backups::identity(vault).await {
        Ok(identity) => identity,
        Err(error) => {
            return (Finding::problem("vault-owner", told(&error), remedy::OF_LOST_IDENTITY), None);
        }
    };
    (of_vault::owner(identity.as_ref(), source, backups), identity.map(|identity| identity.vault))
}

async fn last_lock(vault: &dyn Vault, now: Timestamp) -> Option<Finding> {
    let (bytes, _) = vault.read(&ObjectName::lock()).await.ok()??;
    match Lease::read(&bytes) {
        Ok(lease) => of_vault::lock(Some(&lease), now),
        Err(source) => {
            let error = Error::Damaged { name: ObjectName::lock(), source };
            let remedy = "see that no backup runs, then take the object away";
            Some(Finding::problem("vault-lock", told(&error), remedy))
        }
    }
}

async fn last_backup(vault: &dyn Vault, now: Timestamp) -> Finding {
    let header = match backups::newest(vault).await {
        Ok(None) => return of_vault::last_backup(None, now),
        Ok(Some(id)) => backups::header(vault, &id).await.map(|header| (id, header)),
        Err(error) => Err(error),
    };
    match header {
        Ok((id, Ok(header))) => of_vault::last_backup(Some((&id, header.snapshot)), now),
        Ok((id, Err(source))) => {
            let error = Error::Damaged { name: ObjectName::manifest(&id), source };
            let remedy = "find out what else is damaged: gorgen-backup verify --read-data";
            Finding::problem("last-backup", told(&error), remedy)
        }
        Err(error) => {
            Finding::problem("last-backup", told(&error), remedy::of_vault(&vault.describe()))
        }
    }
}

/// Records that can't be read are passed over: `verify` names them.
async fn last_runs(vault: &dyn Vault) -> Vec<Finding> {
    let mut names: Vec<_> = vault
        .list(prefix::RUNS)
        .await
        .unwrap_or_default()
        .into_iter()
        .map(|object| object.name)
        .collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    let mut records = Vec::new();
    for name in names.iter().take(RECENT_RUNS) {
        let record = vault.get(name).await.ok().and_then(|bytes| RunRecord::read(&bytes).ok());
        records.extend(record);
    }
    of_vault::last_runs(&records)
}

async fn look_at_keyring(checkup: &Checkup<'_>, identity: Option<VaultId>) -> Finding {
    let keyring = match &checkup.keyring {
        Ok(keyring) => keyring,
        Err(Absent::Setting(setting)) => return Finding::skipped("keyring", setting),
        Err(Absent::Unusable { fact, remedy }) => return Finding::problem("keyring", fact, remedy),
    };
    match patiently(try_keyring(checkup, keyring, identity)).await {
        None => no_answer("keyring", remedy_of_keyring(&**keyring)),
        Some(Ok(fact)) => Finding::ok("keyring", format!("{} {fact}", keyring.describe())),
        Some(Err(error)) => {
            let hint = error.hint().unwrap_or_else(|| remedy_of_keyring(&**keyring).to_owned());
            Finding::problem("keyring", told(&error), hint)
        }
    }
}

fn remedy_of_keyring(keyring: &dyn Keyring) -> &'static str {
    remedy::of_keyring(&keyring.describe()).unwrap_or("check GORGEN_KEYRING")
}

/// Opens the newest key there is, and makes one that is kept nowhere.
async fn try_keyring(
    checkup: &Checkup<'_>,
    keyring: &Arc<dyn Keyring>,
    identity: Option<VaultId>,
) -> Result<&'static str, Error> {
    let opened = match (&checkup.vault, identity) {
        (Ok(vault), Some(identity)) => open_newest_key(checkup, vault, keyring, identity).await?,
        _ => false,
    };
    make_key(checkup, &**keyring, identity).await?;
    Ok(if opened {
        "opens the newest key of the vault, and makes new ones"
    } else {
        "makes keys and opens them (the vault has none to try)"
    })
}

/// Opens the newest key of manifests, which opens no row; false if there is none.
async fn open_newest_key(
    checkup: &Checkup<'_>,
    vault: &Arc<dyn Vault>,
    keyring: &Arc<dyn Keyring>,
    identity: VaultId,
) -> Result<bool, Error> {
    let listed = vault.list(prefix::KEYS).await?;
    let ids = listed
        .iter()
        .filter_map(|object| object.name.stem(prefix::KEYS, ".json")?.parse::<KeyId>().ok());
    let of_manifests = ids.filter(|id| id.purpose() == KeyPurpose::Manifest);
    let Some(newest) = of_manifests.max_by_key(KeyId::created) else {
        return Ok(false);
    };
    let world = World {
        vault: Arc::clone(vault),
        keyring: Arc::clone(keyring),
        clock: Arc::clone(&checkup.clock),
        entropy: Arc::clone(&checkup.entropy),
        progress: Arc::new(Progress::default()),
        tool: String::new(),
    };
    KeyChest::open(&world, identity).await?.sealing(&newest).await?;
    Ok(true)
}

async fn make_key(
    checkup: &Checkup<'_>,
    keyring: &dyn Keyring,
    identity: Option<VaultId>,
) -> Result<(), Error> {
    let vault = identity.unwrap_or_else(|| VaultId::new(random(&*checkup.entropy)));
    let key = KeyId::new(
        KeyPurpose::Manifest,
        Scope::Shared,
        checkup.clock.now(),
        random(&*checkup.entropy),
    );
    let context = KeyContext { vault, key };
    let (made, wrapped) = keyring.generate(&context).await?;
    for wrapped in wrapped.iter().filter(|wrapped| keyring.opens(wrapped)) {
        if made.bytes() == keyring.unwrap(wrapped, &context).await?.bytes() {
            return Ok(());
        }
    }
    let keyring = keyring.describe();
    Err(KeyringError::DoesNotOpen { key: context.key, keyring, source: None }.into())
}

/// A check without its subject, and those that come after it.
fn missing(
    check: &'static str,
    absent: &Absent,
    later: impl IntoIterator<Item = &'static str>,
) -> Vec<Finding> {
    match absent {
        Absent::Setting(setting) => skipped([check].into_iter().chain(later), setting),
        Absent::Unusable { fact, remedy } => failed(Finding::problem(check, fact, remedy), later),
    }
}

/// A finding, and those that can't be made because of it.
fn failed(finding: Finding, later: impl IntoIterator<Item = &'static str>) -> Vec<Finding> {
    let skipped = skipped(later, finding.check);
    [vec![finding], skipped].concat()
}

fn skipped(checks: impl IntoIterator<Item = &'static str>, needs: &str) -> Vec<Finding> {
    let skipped = checks.into_iter().map(|check| Finding::skipped(check, needs));
    skipped.collect()
}

fn no_answer(check: &'static str, remedy: &str) -> Finding {
    Finding::problem(check, format!("no answer within {} s", PATIENCE.as_secs()), remedy)
}

/// What it gives, unless it takes too long.
async fn patiently<T>(work: impl Future<Output = T>) -> Option<T> {
    timeout(PATIENCE, work).await.ok()
}

/// An error and its causes on one line; nothing twice.
pub(super) fn told(error: &dyn StdError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests;
