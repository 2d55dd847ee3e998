//! Settings: read once, at the edge, from the environment's names; the same for every binary.
//!
//! All that is wrong is reported at once. What a job needs it asks for by name, so that a job that needs no
//! database runs without one. A password is kept in a [`Secret`], and no error shows a part of one.

mod address;
mod api;
mod database;
#[cfg(test)]
mod describe;
mod error;
mod keyring;
mod name;
mod notices;
mod path;
mod recipient;
mod secret;
mod secret_name;
mod vault;

use std::{collections::BTreeMap, ops::RangeInclusive, str::FromStr, thread, time::Duration};

use gorgen_engine::{
    jobs::staged,
    model::Language,
    policy::{retention::Rules, tenancy::DeclaredPath},
};
use jiff::{SignedDuration, tz::TimeZone};

pub use address::{Address, Authority, Tls};
pub use age::x25519::Recipient;
pub use api::ApiSettings;
use database::UrlParts;
pub use database::{Database, DatabaseUrl, Known};
pub use error::{BadValue, Problem, SettingsError};
pub use keyring::KeyringUrl;
pub use name::Setting;
pub use notices::Notices;
pub use secret::{Password, PasswordMaker, Secret};
pub use secret_name::SecretName;
pub use vault::VaultUrl;

/// Where clinics are that this was made for.
const DEFAULT_TIME_ZONE: &str = "America/Sao_Paulo";

/// How long a run that died blocks others, unless settings say otherwise.
const DEFAULT_LOCK_LEASE: Duration = Duration::from_mins(1);
const LOCK_LEASES: RangeInclusive<u64> = 1..=3600;

/// More connections than this gain nothing, and cost the database.
const MOST_DEFAULT_READERS: usize = 4;
const READERS: RangeInclusive<u64> = 1..=64;

/// How long the old tables of a restore are kept, unless settings say otherwise.
const DEFAULT_UNDO: SignedDuration = SignedDuration::from_hours(72);
const UNDO_HOURS: RangeInclusive<u64> = 1..=8760;

/// MySQL's limit, in characters.
const LONGEST_COLUMN_NAME: usize = 64;

/// All settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    database: Option<Database>,
    vault: Option<VaultUrl>,
    keyring: Option<KeyringUrl>,
    offline_recipient: Option<Recipient>,
    replica_vault: Option<VaultUrl>,
    replica_keyring: Option<KeyringUrl>,
    scratch: Option<Database>,
    tenant_column: Option<String>,
    append_only: Vec<String>,
    restore_skip: Vec<String>,
    tenant_paths: Vec<DeclaredPath>,
    undo: SignedDuration,
    time_zone: TimeZone,
    language: Language,
    retention: Rules,
    lock_lease: Duration,
    readers: usize,
    legacy_secret: Option<Secret>,
    notice_topic: Option<String>,
    notices: Notices,
    api: ApiSettings,
}

impl Settings {
    /// Reads names and values; of several values for one name the last counts, so that a command line's
    /// can follow the environment's. Names that do not begin with `GORGEN_` are not looked at.
    ///
    /// # Errors
    /// Every unknown name and every bad value.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut reading = Reading::of(pairs);
        let settings = reading.settings();
        reading.finish(settings)
    }

    /// The same, with what is wrong left out: enough to tell somebody that something is.
    pub fn as_far_as_good(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Reading::of(pairs).settings()
    }

    /// Checks that all of these are set, so that all that are not are named at once.
    ///
    /// # Errors
    /// Each of them that is not set.
    pub fn require(&self, settings: &[Setting]) -> Result<(), SettingsError> {
        let missing = settings.iter().filter(|&&setting| !self.is_set(setting));
        let problems: Vec<_> = missing.map(|&setting| Problem::Missing { setting }).collect();
        if problems.is_empty() { Ok(()) } else { Err(SettingsError { problems }) }
    }

    fn is_set(&self, setting: Setting) -> bool {
        match setting {
            Setting::DatabaseUrl => self.database.is_some(),
            Setting::DatabaseSecret => is_in_secret(self.database.as_ref()),
            Setting::ScratchUrl => self.scratch.is_some(),
            Setting::ScratchSecret => is_in_secret(self.scratch.as_ref()),
            Setting::Vault => self.vault.is_some(),
            Setting::Keyring => self.keyring.is_some(),
            Setting::OfflineRecipient => self.offline_recipient.is_some(),
            Setting::ReplicaVault => self.replica_vault.is_some(),
            Setting::ReplicaKeyring => self.replica_keyring.is_some(),
            Setting::TenantColumn => self.tenant_column.is_some(),
            Setting::LegacySecret => self.legacy_secret.is_some(),
            Setting::NoticeTopic => self.notice_topic.is_some(),
            Setting::RestoreMachine => self.api.restore_machine.is_some(),
            Setting::RestoreTestMachine => self.api.restore_test_machine.is_some(),
            Setting::JobFunctions => self.api.job_functions.is_some(),
            Setting::ScheduleGroup => self.api.schedule_group.is_some(),
            Setting::AppendOnly
            | Setting::RestoreSkip
            | Setting::TenantPaths
            | Setting::UndoHours
            | Setting::TimeZone
            | Setting::Lang
            | Setting::Retention
            | Setting::LockLease
            | Setting::Readers
            | Setting::Notices
            | Setting::RoleClaim
            | Setting::AdminRole
            | Setting::MasterRole => true,
        }
    }

    /// The database, `GORGEN_DATABASE_URL` or `GORGEN_DATABASE_SECRET` or both.
    pub fn database(&self) -> Result<&Database, SettingsError> {
        required(self.database.as_ref(), Setting::DatabaseUrl)
    }

    /// Where restores are tested, `GORGEN_SCRATCH_URL` or `GORGEN_SCRATCH_SECRET` or both.
    pub fn scratch(&self) -> Result<&Database, SettingsError> {
        required(self.scratch.as_ref(), Setting::ScratchUrl)
    }

    /// Where backups are kept, `GORGEN_VAULT`.
    pub fn vault(&self) -> Result<&VaultUrl, SettingsError> {
        required(self.vault.as_ref(), Setting::Vault)
    }

    /// What wraps their keys, `GORGEN_KEYRING`.
    pub fn keyring(&self) -> Result<&KeyringUrl, SettingsError> {
        required(self.keyring.as_ref(), Setting::Keyring)
    }

    /// For whom data keys are wrapped as well, `GORGEN_OFFLINE_RECIPIENT`; without it for nobody.
    pub fn offline_recipient(&self) -> Option<&Recipient> {
        self.offline_recipient.as_ref()
    }

    /// Where the vault's copy is, `GORGEN_REPLICA_VAULT`, and what opens its keys, `GORGEN_REPLICA_KEYRING`
    /// or else what opens the vault's; `None` if there is no copy.
    ///
    /// # Errors
    /// If there is a copy, and neither keyring is set.
    pub fn replica(&self) -> Result<Option<(&VaultUrl, &KeyringUrl)>, SettingsError> {
        let Some(vault) = &self.replica_vault else { return Ok(None) };
        let keyring = self.replica_keyring.as_ref().or(self.keyring.as_ref());
        Ok(Some((vault, required(keyring, Setting::ReplicaKeyring)?)))
    }

    /// The column that tells whose a row is, `GORGEN_TENANT_COLUMN`; without it all rows are everybody's.
    pub fn tenant_column(&self) -> Option<&str> {
        self.tenant_column.as_deref()
    }

    /// How restores are to be made: `GORGEN_APPEND_ONLY`, `GORGEN_RESTORE_SKIP`, `GORGEN_TENANT_PATHS`,
    /// `GORGEN_UNDO_HOURS`, and what they share with backups.
    pub fn restore_rules(&self) -> staged::Rules {
        staged::Rules {
            append_only: self.append_only.clone(),
            skip: self.restore_skip.clone(),
            tenant_column: self.tenant_column.clone(),
            tenant_paths: self.tenant_paths.clone(),
            undo: self.undo,
            connections: self.readers,
            lease: self.lock_lease,
            ..staged::Rules::default()
        }
    }

    /// Where days and months begin, `GORGEN_TIMEZONE`; São Paulo's time by default.
    pub fn timezone(&self) -> TimeZone {
        self.time_zone.clone()
    }

    /// The language of reports and notices, `GORGEN_LANG`; Portuguese by default.
    pub fn language(&self) -> Language {
        self.language
    }

    /// How many backups of each kind are kept, `GORGEN_RETENTION`.
    pub fn retention(&self) -> Rules {
        self.retention
    }

    /// How long a run that died blocks others, `GORGEN_LOCK_LEASE`; a minute by default.
    pub fn lock_lease(&self) -> Duration {
        self.lock_lease
    }

    /// How many connections read or load at once, `GORGEN_READERS`; by default one a core, up to four.
    pub fn readers(&self) -> usize {
        self.readers
    }

    /// The app's JWT secret, which files of the program before this one were encrypted under, `GORGEN_LEGACY_JWT_SECRET`.
    pub fn legacy_secret(&self) -> Option<&Secret> {
        self.legacy_secret.as_ref()
    }

    /// The topic that notices go to, `GORGEN_NOTICE_TOPIC`; without it nobody is told.
    pub fn notice_topic(&self) -> Option<&str> {
        self.notice_topic.as_deref()
    }

    /// Which notices are sent, `GORGEN_NOTICES`; problems by default.
    pub fn notices(&self) -> Notices {
        self.notices
    }

    /// What the api starts and switches, and whom it obeys.
    pub fn api(&self) -> &ApiSettings {
        &self.api
    }
}

fn is_in_secret(database: Option<&Database>) -> bool {
    matches!(database, Some(Database::InSecret { .. }))
}

fn required<T>(value: Option<&T>, setting: Setting) -> Result<&T, SettingsError> {
    value.ok_or_else(|| Problem::Missing { setting }.into())
}

/// Values that are being read, and what was found wrong so far.
struct Reading {
    values: BTreeMap<Setting, String>,
    problems: Vec<Problem>,
}

impl Reading {
    fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reading = Self { values: BTreeMap::new(), problems: Vec::new() };
        for (name, value) in pairs {
            if !name.to_uppercase().starts_with(name::PREFIX) {
                continue;
            }
            match Setting::of_name(&name) {
                Some(setting) => drop(reading.values.insert(setting, value)),
                None => reading.unknown(name),
            }
        }
        reading
    }

    /// All that is set; what can't be read is a problem, and as if it were not set.
    fn settings(&mut self) -> Settings {
        Settings {
            database: self.database(Setting::DatabaseUrl, Setting::DatabaseSecret),
            vault: self.parsed(Setting::Vault),
            keyring: self.parsed(Setting::Keyring),
            offline_recipient: self.checked(Setting::OfflineRecipient, recipient::recipient),
            replica_vault: self.parsed(Setting::ReplicaVault),
            replica_keyring: self.parsed(Setting::ReplicaKeyring),
            scratch: self.database(Setting::ScratchUrl, Setting::ScratchSecret),
            tenant_column: self.value(Setting::TenantColumn, column_name),
            append_only: self.value(Setting::AppendOnly, tables).unwrap_or_default(),
            restore_skip: self.value(Setting::RestoreSkip, tables).unwrap_or_default(),
            tenant_paths: self.value(Setting::TenantPaths, tenant_paths).unwrap_or_default(),
            undo: self
                .value(Setting::UndoHours, |text| number_in(text, &UNDO_HOURS))
                .and_then(|hours| i64::try_from(hours).ok())
                .map_or(DEFAULT_UNDO, SignedDuration::from_hours),
            time_zone: self
                .value(Setting::TimeZone, time_zone)
                .or_else(|| time_zone(DEFAULT_TIME_ZONE))
                .unwrap_or(TimeZone::UTC),
            language: self.value(Setting::Lang, Language::of_tag).unwrap_or_default(),
            retention: self.value(Setting::Retention, |text| text.parse().ok()).unwrap_or_default(),
            lock_lease: self
                .value(Setting::LockLease, |text| number_in(text, &LOCK_LEASES))
                .map_or(DEFAULT_LOCK_LEASE, Duration::from_secs),
            readers: self
                .value(Setting::Readers, |text| number_in(text, &READERS))
                .and_then(|readers| usize::try_from(readers).ok())
                .unwrap_or_else(default_readers),
            legacy_secret: self.checked(Setting::LegacySecret, |text| Ok(Secret::new(text))),
            notice_topic: self.value(Setting::NoticeTopic, notices::topic),
            notices: self.value(Setting::Notices, notices::which).unwrap_or_default(),
            api: self.api(),
        }
    }

    fn unknown(&mut self, name: String) {
        let nearest = Setting::nearest(&name);
        self.problems.push(Problem::Unknown { name, nearest });
    }

    /// A database, if its URL or its secret is set.
    fn database(&mut self, url: Setting, secret: Setting) -> Option<Database> {
        let is_set = [url, secret].iter().any(|setting| self.values.contains_key(setting));
        let problems = self.problems.len();
        let (parts, name) = (self.parsed::<UrlParts>(url), self.parsed(secret));
        if !is_set || self.problems.len() > problems {
            return None;
        }
        let database = Database::of(parts.unwrap_or_default(), name);
        database.map_err(|value| self.problems.push(Problem::Bad { setting: url, value })).ok()
    }

    fn api(&mut self) -> ApiSettings {
        let usual = ApiSettings::default();
        ApiSettings {
            restore_machine: self.value(Setting::RestoreMachine, api::machine),
            restore_test_machine: self.value(Setting::RestoreTestMachine, api::machine),
            job_functions: self.value(Setting::JobFunctions, api::functions),
            schedule_group: self.value(Setting::ScheduleGroup, api::group),
            role_claim: self.value(Setting::RoleClaim, api::claim).unwrap_or(usual.role_claim),
            admin_role: self.value(Setting::AdminRole, api::role).unwrap_or(usual.admin_role),
            master_role: self.value(Setting::MasterRole, api::role).unwrap_or(usual.master_role),
        }
    }

    fn parsed<T: FromStr<Err = BadValue>>(&mut self, setting: Setting) -> Option<T> {
        self.checked(setting, T::from_str)
    }

    /// A value that is no secret, so that it can be shown when it is not accepted.
    fn value<T>(&mut self, setting: Setting, accept: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.checked(setting, |text| {
            accept(text).ok_or_else(|| BadValue::new(setting.expected(), format!("{text:?}")))
        })
    }

    fn checked<T>(
        &mut self,
        setting: Setting,
        check: impl FnOnce(&str) -> Result<T, BadValue>,
    ) -> Option<T> {
        let text = self.values.remove(&setting)?;
        let checked = if text.is_empty() {
            Err(BadValue::new(setting.expected(), "an empty text"))
        } else {
            check(&text)
        };
        match checked {
            Ok(value) => Some(value),
            Err(value) => {
                self.problems.push(Problem::Bad { setting, value });
                None
            }
        }
    }

    fn finish(self, settings: Settings) -> Result<Settings, SettingsError> {
        let problems = self.problems;
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }
}

fn number_in(text: &str, accepted: &RangeInclusive<u64>) -> Option<u64> {
    text.parse().ok().filter(|number| accepted.contains(number))
}

fn time_zone(text: &str) -> Option<TimeZone> {
    TimeZone::get(text).ok()
}

/// Names with commas between them, none of them empty.
fn tables(text: &str) -> Option<Vec<String>> {
    let names = text.split(',').map(|name| Some(name.trim()).filter(|name| !name.is_empty()));
    names.map(|name| name.map(str::to_owned)).collect()
}

/// `table.column=parent.column` with commas between them.
fn tenant_paths(text: &str) -> Option<Vec<DeclaredPath>> {
    let place = |text: &str| {
        let (table, column) = text.trim().split_once('.')?;
        let is_name = |name: &str| !name.is_empty() && !name.contains('.');
        (is_name(table) && is_name(column)).then(|| (table.to_owned(), column.to_owned()))
    };
    let path = |text: &str| {
        let (own, other) = text.split_once('=')?;
        let ((table, column), (parent, parent_column)) = (place(own)?, place(other)?);
        Some(DeclaredPath { table, column, parent, parent_column })
    };
    text.split(',').map(path).collect()
}

fn column_name(text: &str) -> Option<String> {
    let fits = text.chars().count() <= LONGEST_COLUMN_NAME;
    fits.then(|| text.to_owned())
}

fn default_readers() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_DEFAULT_READERS))
}

#[cfg(test)]
mod tests;
