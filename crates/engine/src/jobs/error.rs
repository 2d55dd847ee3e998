//! Why a job failed, named so that the person who reads it can act.

use super::remedy;
use crate::{
    error::FormatError,
    model::{KeyId, ObjectName, RunId, SourceIdentity, VaultId, restored_name},
    ports::{FilesError, KeyringError, SourceError, TargetError, VaultError},
};

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another run writes backups of this source right now.
    #[error("the vault is locked by run {run} until {until}")]
    Locked {
        /// The run that holds the lock.
        run: RunId,
        /// Until when, unless it renews.
        until: jiff::Timestamp,
    },
    /// This run lost its lock to another while it worked.
    #[error("this run lost its lock on the vault; nothing it wrote counts")]
    LockLost,
    /// The vault belongs to another source.
    #[error("vault {vault} belongs to {owner}, not to {given}")]
    ForeignVault {
        /// The vault.
        vault: String,
        /// The source it belongs to.
        owner: SourceIdentity,
        /// The source that was given.
        given: SourceIdentity,
    },
    /// There is no vault here.
    #[error("{vault} holds no backups")]
    NoVault {
        /// The vault as settings name it.
        vault: String,
    },
    /// There is no such backup.
    #[error("there is no backup {id:?} in {vault}")]
    NoSuchBackup {
        /// What was asked for.
        id: String,
        /// The vault.
        vault: String,
    },
    /// There is no such run.
    #[error("there is no record of run {id:?} in {vault}")]
    NoSuchRun {
        /// What was asked for.
        id: String,
        /// The vault.
        vault: String,
    },
    /// There is no such restore.
    #[error("there is no restore {id:?} in {vault}")]
    NoSuchRestore {
        /// What was asked for.
        id: String,
        /// The vault.
        vault: String,
    },
    /// No report of this month is kept.
    #[error("no report of {month} is kept in {vault}")]
    NoSuchReport {
        /// The month.
        month: String,
        /// The vault.
        vault: String,
    },
    /// A page that is kept is not the one that was written of its data.
    #[error("the page {page} is not what was kept: {why}")]
    PageUnproved {
        /// The page.
        page: ObjectName,
        /// What is wrong.
        why: &'static str,
    },
    /// A restore is not at a stage from which this could be done.
    #[error("restore {restore} is {stage}: {action} is possible only when it is {possible}")]
    WrongStage {
        /// The restore.
        restore: RunId,
        /// How far it is.
        stage: &'static str,
        /// What was asked for.
        action: &'static str,
        /// When that is possible.
        possible: &'static str,
    },
    /// Another restore over the same database is not finished.
    #[error("restore {restore} of {target} is {stage}: only one at a time may change it")]
    RestoreUnfinished {
        /// The other restore.
        restore: RunId,
        /// The database.
        target: SourceIdentity,
        /// How far the other restore is.
        stage: &'static str,
    },
    /// Rows would point at rows that are not there.
    #[error("after this restore rows would point at rows that are not there: {}", orphans.join("; "))]
    Orphans {
        /// Each a number of rows, a table and a foreign key.
        orphans: Vec<String>,
    },
    /// What stands in the way of a restore, found before anything was changed.
    #[error("the restore is not possible: {}", reasons.join("; "))]
    Blocked {
        /// Each a sentence.
        reasons: Vec<String>,
    },
    /// The old tables of a restore are gone.
    #[error("restore {restore} cannot be undone: its old tables were dropped")]
    OldTablesGone {
        /// The restore.
        restore: RunId,
    },
    /// More backups would go than may without being told.
    #[error("{planned} of {all} backups would be dropped, {}", match confirmed {
        Some(confirmed) => format!("and {confirmed} were confirmed"),
        None => "more than one cleanup drops by itself".to_owned(),
    })]
    TooMuchToDrop {
        /// How many would go.
        planned: u64,
        /// How many there are.
        all: u64,
        /// How many were said to go.
        confirmed: Option<u64>,
    },
    /// A backup is stored, but its locks could not be made as long as they should be.
    #[error("backup {backup} is stored and whole, but could not be locked")]
    NotLocked {
        /// The backup.
        backup: RunId,
        /// Why.
        source: Box<Error>,
    },
    /// An account that is to be prepared is the one that prepares.
    #[error("{account} is the administrator's own account, of which nothing is changed")]
    OwnAccount {
        /// The account, `user@host`.
        account: String,
    },
    /// No scratch server is set.
    #[error("no scratch server is set")]
    NoScratchServer,
    /// The backup has no such table.
    #[error("backup {backup} has no table {table:?} (it has {known})")]
    NoSuchTable {
        /// What was asked for.
        table: String,
        /// The backup.
        backup: RunId,
        /// The tables it has.
        known: String,
    },
    /// An object of the vault is not what it should be.
    #[error("{name} is damaged")]
    Damaged {
        /// The object.
        name: ObjectName,
        /// What is wrong.
        source: FormatError,
    },
    /// A row of the source, or a record of ours, can't be spelled.
    #[error("cannot write {what}")]
    Unwritable {
        /// What.
        what: String,
        /// Why.
        source: FormatError,
    },
    /// The source's definitions kept changing.
    #[error("{what} changed while the backup ran, {attempts} times in a row")]
    Unstable {
        /// The table or object.
        what: String,
        /// How many times the backup was started.
        attempts: u32,
    },
    /// The time the job was given is over.
    #[error("the time limit is reached; what was stored is kept and used by the next backup")]
    Deadline,
    /// The database to restore into holds something.
    #[error("database {database} is not empty: it holds {objects} tables or other objects")]
    TargetNotEmpty {
        /// The database.
        database: String,
        /// What it holds.
        objects: u64,
    },
    /// The target can't hold what the backup holds.
    #[error("{target} cannot hold this backup: {}", problems.join("; "))]
    Incompatible {
        /// The target server.
        target: String,
        /// Each a table, a column and why.
        problems: Vec<String>,
    },
    /// What was restored is not what was backed up.
    #[error("the restored database differs from the backup: {}", differences.join("; "))]
    Mismatch {
        /// Each a table and how it differs.
        differences: Vec<String>,
    },
    /// What was restored and found equal has rows that point at rows that are not there, as the backup has.
    #[error("rows point at rows that are not there: {}", rows.join("; "))]
    Dangling {
        /// Each a number of rows, a table and a foreign key.
        rows: Vec<String>,
    },
    /// A restore failed, and what it had made so far could not be removed.
    #[error("{failure}; and what was restored so far could not be removed: {cleanup}")]
    NotCleanedUp {
        /// Why the restore failed.
        #[source]
        failure: Box<Error>,
        /// Why the database could not be emptied again.
        cleanup: Box<Error>,
    },
    /// A restore over the live database failed, and could be neither taken back nor finished.
    #[error("{failure}; and restore {restore} could not be taken back: {cleanup}")]
    Unsettled {
        /// The restore.
        restore: RunId,
        /// Why it failed.
        #[source]
        failure: Box<Error>,
        /// Why it could not be taken back.
        cleanup: Box<Error>,
    },
    /// What this key sealed was made unreadable for good.
    #[error("key {key} was erased at {at}, and nothing that it sealed can be read again")]
    Erased {
        /// The key.
        key: KeyId,
        /// When.
        at: jiff::Timestamp,
    },
    /// No backup holds rows of this tenant.
    #[error("{vault} holds no key of a tenant {tenant:?}")]
    NoSuchTenant {
        /// What was asked for.
        tenant: String,
        /// The vault.
        vault: String,
    },
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The files of an export.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A step failed in another process, which told this.
    #[error("{}", told.join(": "))]
    StepFailed {
        /// What it told, one a line.
        told: Vec<String>,
    },
    /// A restore test had nothing to compare.
    #[error("backup {backup} holds no {what}: its restore would prove nothing")]
    NothingTested {
        /// The backup.
        backup: RunId,
        /// What it lacks.
        what: &'static str,
    },
    /// A restore test proved a backup, and left a database behind.
    #[error(
        "backup {backup} was restored and proved equal, but database {database} could not be dropped from the scratch server"
    )]
    ScratchLeft {
        /// The backup.
        backup: RunId,
        /// The database, of this test or of an earlier one that died.
        database: String,
        /// Why.
        source: Box<Error>,
    },
    /// The databases of restore tests would have names that are too long.
    #[error(
        "the scratch database's name may have {longest} characters, for each test adds its own to it; got {name:?}"
    )]
    ScratchName {
        /// How many characters it may have.
        longest: usize,
        /// The name that was given.
        name: String,
    },
    /// A restore test proved a backup, but the vault did not take the record of it.
    #[error(
        "backup {backup} was restored and proved equal, but the record of it could not be written into the vault"
    )]
    NotRecorded {
        /// The backup.
        backup: RunId,
        /// Why.
        source: Box<Error>,
    },
    /// The replica was asked for, and none is set.
    #[error("no replica is set")]
    NoReplica,
    /// The replica is another vault's.
    #[error("replica {replica} is of vault {owner}, not of {vault}")]
    NotACopy {
        /// The replica.
        replica: String,
        /// The vault that it is a copy of.
        owner: VaultId,
        /// The vault it should be a copy of.
        vault: VaultId,
    },
    /// A backup that is to be opened without a cloud can't be.
    #[error(
        "backup {backup} opens with AWS KMS alone: a package of it would be of no use without AWS"
    )]
    NeedsCloud {
        /// The backup.
        backup: RunId,
    },
    /// The folder holds packages of another vault.
    #[error("{package} holds backups of vault {owner}, not of {vault}")]
    OtherPackage {
        /// The package.
        package: String,
        /// The vault that it is of.
        owner: VaultId,
        /// The vault it should be of.
        vault: VaultId,
    },
    /// What was written into a package does not read back as it should.
    #[error("{package} is not whole: {}", problems.join("; "))]
    PackageNotWhole {
        /// The package.
        package: String,
        /// Each an object and what is wrong with it.
        problems: Vec<String>,
    },
    /// A part of this program stopped without saying why: a defect of ours.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What kind of failure it is: decides the exit status and whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something did not work.
    Failed,
    /// Stored data is damaged or missing.
    Integrity,
    /// Refused, to protect something.
    Refused,
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Damaged { .. }
            | Self::PageUnproved { .. }
            | Self::PackageNotWhole { .. }
            | Self::Mismatch { .. }
            | Self::Dangling { .. }
            | Self::Vault(VaultError::Missing { .. })
            | Self::Keyring(KeyringError::DoesNotOpen { .. }) => Kind::Integrity,
            Self::NotCleanedUp { failure, .. } | Self::Unsettled { failure, .. } => failure.kind(),
            Self::Locked { .. }
            | Self::ForeignVault { .. }
            | Self::NotACopy { .. }
            | Self::NeedsCloud { .. }
            | Self::OtherPackage { .. }
            | Self::WrongStage { .. }
            | Self::RestoreUnfinished { .. }
            | Self::Orphans { .. }
            | Self::Blocked { .. }
            | Self::OldTablesGone { .. }
            | Self::OwnAccount { .. }
            | Self::Erased { .. }
            | Self::TooMuchToDrop { .. }
            | Self::TargetNotEmpty { .. }
            | Self::Files(FilesError::NotEmpty { .. }) => Kind::Refused,
            _ => Kind::Failed,
        }
    }

    /// May the same job succeed if it is run again as it is?
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Locked { .. }
            | Self::LockLost
            | Self::Unstable { .. }
            | Self::Deadline
            | Self::Target(TargetError::Busy { .. }) => true,
            Self::Vault(error) => error.is_retryable(),
            Self::Keyring(error) => error.is_retryable(),
            Self::Source(error) | Self::Target(TargetError::Source(error)) => error.is_retryable(),
            _ => false,
        }
    }

    /// What the person who reads the error can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Locked { until, .. } => format!(
                "wait for that run to end; if it died, its lock is free for the taking at {until}"
            ),
            Self::ForeignVault { .. } => "check GORGEN_VAULT and GORGEN_DATABASE_URL; if the \
                database moved, run `gorgen-backup backup --adopt` once"
                .to_owned(),
            Self::NoVault { .. } => {
                "check GORGEN_VAULT, or make the first backup with `gorgen-backup backup`".to_owned()
            }
            Self::NoSuchBackup { .. } => {
                "give an id as `gorgen-backup list` shows them, or `latest`".to_owned()
            }
            Self::NoSuchReport { .. } | Self::PageUnproved { .. } => remedy::OF_REPORT.to_owned(),
            Self::NoSuchTable { .. } => {
                "give --table one of these, in small and capital letters as they stand here".to_owned()
            }
            Self::NoSuchRestore { .. } | Self::WrongStage { .. } => {
                "`gorgen-backup status` shows every restore, and what can be done with it".to_owned()
            }
            Self::RestoreUnfinished { restore, stage: "undoing", .. } => format!(
                "wait for it; if nothing works on it any more: gorgen-backup undo {restore}"
            ),
            Self::RestoreUnfinished { restore, .. } => format!(
                "wait for it; if nothing works on it any more: gorgen-backup cancel {restore}"
            ),
            Self::Unsettled { .. } => "no table is half restored: `gorgen-backup status` tells which rows \
                the live tables hold, and what to do"
                .to_owned(),
            Self::Orphans { .. } => "restore these tables as well, or go on all the same with \
                --accept-orphans"
                .to_owned(),
            Self::OldTablesGone { .. } => {
                "restore the backup that was made before it, if there is one".to_owned()
            }
            Self::TooMuchToDrop { planned, .. } => format!(
                "read `gorgen-backup cleanup --dry-run`; if all of these may go: gorgen-backup cleanup --confirm {planned}"
            ),
            Self::NotLocked { .. } => "its objects are locked as the bucket locks all; `gorgen-backup cleanup` makes the \
                locks longer"
                .to_owned(),
            Self::Target(TargetError::Busy { .. }) => {
                "run it again when no long transaction is open on these tables".to_owned()
            }
            Self::Damaged { name, .. } | Self::Vault(VaultError::Missing { name, .. })
                if *name == ObjectName::identity() =>
            {
                remedy::OF_LOST_IDENTITY.to_owned()
            }
            Self::Damaged { .. } => {
                "`gorgen-backup verify --read-data` names everything that is damaged and every backup it hurts".to_owned()
            }
            Self::TargetNotEmpty { database, .. } => {
                format!("restore beside it, into a new database: --into {}", restored_name(database))
            }
            Self::Files(FilesError::NotEmpty { .. }) => {
                "export into a new folder, or empty this one yourself".to_owned()
            }
            Self::Incompatible { .. } => "restore into a server of the kind and version that was \
                backed up, or map collations with --map-collation FROM=TO"
                .to_owned(),
            Self::Keyring(KeyringError::DoesNotOpen { .. } | KeyringError::NotForUs { .. }) => {
                "GORGEN_KEYRING must name the keyring that the vault was written with".to_owned()
            }
            Self::OwnAccount { .. } => {
                "name another account: the administrator's is for making accounts alone".to_owned()
            }
            Self::ScratchLeft { database, .. } => format!(
                "let the scratch account drop databases of such names, and drop {database} from the scratch server, or let \
                the next test do it"
            ),
            Self::ScratchName { .. } => "give GORGEN_SCRATCH_URL a shorter database".to_owned(),
            Self::NotRecorded { source, .. } => return source.hint(),
            Self::NotCleanedUp { .. } => "drop the database that was restored into".to_owned(),
            Self::Unstable { .. } => {
                "run the backup when no schema migration is running".to_owned()
            }
            Self::LockLost => "run the backup again".to_owned(),
            Self::Vault(VaultError::Missing { .. }) => "bring it back from a copy of the vault; \
                `gorgen-backup verify` names everything that is missing and every backup it hurts"
                .to_owned(),
            Self::Vault(VaultError::Failed { vault, .. }) => remedy::of_vault(vault).to_owned(),
            Self::Keyring(KeyringError::Unusable { keyring, .. }) => {
                remedy::of_keyring(keyring)?.to_owned()
            }
            Self::Source(error) | Self::Target(TargetError::Source(error)) => {
                remedy::of_source(error)?.to_owned()
            }
            Self::Target(TargetError::Refused { .. }) => remedy::OF_REFUSAL.to_owned(),
            Self::Target(TargetError::RowTooLarge { .. }) => {
                "raise max_allowed_packet on the target server (on RDS in its parameter group)".to_owned()
            }
            Self::Files(FilesError::Write { .. }) => {
                "give --to a folder that is new or empty and that this account may write, on a disk with room".to_owned()
            }
            _ => return self.hint_of_copies().map(str::to_owned),
        })
    }

    /// The same about copies of the vault.
    fn hint_of_copies(&self) -> Option<&'static str> {
        Some(match self {
            Self::NeedsCloud { .. } => {
                "set GORGEN_OFFLINE_RECIPIENT to the recipient of an identity that lies in a safe, and run `gorgen-backup keys \
                 rewrap` once"
            }
            Self::NoReplica | Self::NotACopy { .. } => {
                "GORGEN_REPLICA_VAULT must name the copy of this vault, and GORGEN_REPLICA_KEYRING what opens its keys"
            }
            Self::OtherPackage { .. } => "export into a folder of its own",
            Self::NoSuchTenant { .. } => {
                "give the tenant as the tenant column holds it; `gorgen-backup keys status --json` names every key with whose it is"
            }
            Self::PackageNotWhole { .. } => {
                "run it again: what is damaged is written anew; if it stays so, the medium fails"
            }
            _ => return None,
        })
    }
}
