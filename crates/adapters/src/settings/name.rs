//! The names of all settings, what each accepts, and which one a misspelt name was meant to be.

use std::fmt;

use super::{api, database, keyring, notices, recipient, secret_name, vault};

/// How names of settings begin; all other names of the environment are none of ours.
pub(super) const PREFIX: &str = "GORGEN_";

/// A misspelt name has at most so many letters wrong, too many or too few.
const NEAR: usize = 3;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// The database to back up, or on whose server to restore.
    DatabaseUrl,
    /// The secret with that database's account.
    DatabaseSecret,
    /// Where backups are kept.
    Vault,
    /// What wraps their keys.
    Keyring,
    /// For whom they are wrapped as well.
    OfflineRecipient,
    /// Where the vault's copy is.
    ReplicaVault,
    /// What opens the keys there.
    ReplicaKeyring,
    /// The server on whose throw-away database restores are tested.
    ScratchUrl,
    /// The secret with that server's account.
    ScratchSecret,
    /// The column that tells whose a row is.
    TenantColumn,
    /// Tables whose later rows survive a restore.
    AppendOnly,
    /// Tables that are not worth restoring.
    RestoreSkip,
    /// Ways by which rows are a tenant's.
    TenantPaths,
    /// How long the old tables are kept.
    UndoHours,
    /// Where days and months begin.
    TimeZone,
    /// The language that people are written to in.
    Lang,
    /// How many backups of each kind are kept.
    Retention,
    /// How long a run that died blocks others.
    LockLease,
    /// How many connections read or load at once.
    Readers,
    /// The secret that the old program's files were encrypted under.
    LegacySecret,
    /// The topic that notices go to.
    NoticeTopic,
    /// Which notices are sent.
    Notices,
    /// The state machine that restores.
    RestoreMachine,
    /// The state machine that tests restores.
    RestoreTestMachine,
    /// What the names of the job functions begin with.
    JobFunctions,
    /// The group that the schedules are in.
    ScheduleGroup,
    /// The claim that holds a caller's roles.
    RoleClaim,
    /// The role that sees all and starts backups.
    AdminRole,
    /// The role that may do everything.
    MasterRole,
}

impl Setting {
    /// Every setting.
    pub const ALL: [Self; 29] = [
        Self::DatabaseUrl,
        Self::DatabaseSecret,
        Self::Vault,
        Self::Keyring,
        Self::OfflineRecipient,
        Self::ReplicaVault,
        Self::ReplicaKeyring,
        Self::ScratchUrl,
        Self::ScratchSecret,
        Self::TenantColumn,
        Self::AppendOnly,
        Self::RestoreSkip,
        Self::TenantPaths,
        Self::UndoHours,
        Self::TimeZone,
        Self::Lang,
        Self::Retention,
        Self::LockLease,
        Self::Readers,
        Self::LegacySecret,
        Self::NoticeTopic,
        Self::Notices,
        Self::RestoreMachine,
        Self::RestoreTestMachine,
        Self::JobFunctions,
        Self::ScheduleGroup,
        Self::RoleClaim,
        Self::AdminRole,
        Self::MasterRole,
    ];

    /// Its name in the environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DatabaseUrl => "GORGEN_DATABASE_URL",
            Self::DatabaseSecret => "GORGEN_DATABASE_SECRET",
            Self::Vault => "GORGEN_VAULT",
            Self::Keyring => "GORGEN_KEYRING",
            Self::OfflineRecipient => "GORGEN_OFFLINE_RECIPIENT",
            Self::ReplicaVault => "GORGEN_REPLICA_VAULT",
            Self::ReplicaKeyring => "GORGEN_REPLICA_KEYRING",
            Self::ScratchUrl => "GORGEN_SCRATCH_URL",
            Self::ScratchSecret => "GORGEN_SCRATCH_SECRET",
            Self::TenantColumn => "GORGEN_TENANT_COLUMN",
            Self::AppendOnly => "GORGEN_APPEND_ONLY",
            Self::RestoreSkip => "GORGEN_RESTORE_SKIP",
            Self::TenantPaths => "GORGEN_TENANT_PATHS",
            Self::UndoHours => "GORGEN_UNDO_HOURS",
            Self::TimeZone => "GORGEN_TIMEZONE",
            Self::Lang => "GORGEN_LANG",
            Self::Retention => "GORGEN_RETENTION",
            Self::LockLease => "GORGEN_LOCK_LEASE",
            Self::Readers => "GORGEN_READERS",
            Self::LegacySecret => "GORGEN_LEGACY_JWT_SECRET",
            Self::NoticeTopic => "GORGEN_NOTICE_TOPIC",
            Self::Notices => "GORGEN_NOTICES",
            Self::RestoreMachine => "GORGEN_RESTORE_MACHINE",
            Self::RestoreTestMachine => "GORGEN_RESTORE_TEST_MACHINE",
            Self::JobFunctions => "GORGEN_JOB_FUNCTIONS",
            Self::ScheduleGroup => "GORGEN_SCHEDULE_GROUP",
            Self::RoleClaim => "GORGEN_ROLE_CLAIM",
            Self::AdminRole => "GORGEN_ADMIN_ROLE",
            Self::MasterRole => "GORGEN_MASTER_ROLE",
        }
    }

    /// What it accepts, in words.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::DatabaseUrl | Self::ScratchUrl => database::EXPECTED,
            Self::DatabaseSecret | Self::ScratchSecret => secret_name::EXPECTED,
            Self::Vault | Self::ReplicaVault => vault::EXPECTED,
            Self::Keyring | Self::ReplicaKeyring => keyring::EXPECTED,
            Self::OfflineRecipient => recipient::EXPECTED,
            Self::TenantColumn => "the name of a column, up to 64 characters",
            Self::AppendOnly | Self::RestoreSkip => "names of tables with commas between them",
            Self::TenantPaths => {
                "ways from a column to another table's, as itens.pedido_id=pedidos.id, with commas between them"
            }
            Self::UndoHours => "a number of hours from 1 to 8760",
            Self::TimeZone => "the name of a time zone, such as America/Sao_Paulo",
            Self::Lang => "pt-BR or en",
            Self::Retention => {
                "how many are kept, as daily=30,weekly=12,monthly=12,yearly=20,last=3,within=2 (daily at least 1)"
            }
            Self::LockLease => "a number of seconds from 1 to 3600",
            Self::Readers => "a number of connections from 1 to 64",
            Self::LegacySecret => "the JWT secret that the app had when the files were made",
            Self::NoticeTopic => notices::TOPIC,
            Self::Notices => notices::WHICH,
            Self::RestoreMachine | Self::RestoreTestMachine => api::MACHINE,
            Self::JobFunctions => api::FUNCTIONS,
            Self::ScheduleGroup => api::GROUP,
            Self::RoleClaim => api::CLAIM,
            Self::AdminRole | Self::MasterRole => api::ROLE,
        }
    }

    /// The setting of this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// The setting that a wrong name was most likely meant to be.
    pub(super) fn nearest(name: &str) -> Option<Self> {
        let upper = name.to_uppercase();
        let near = Self::ALL.map(|setting| (distance(&upper, setting.name()), setting));
        let nearest = near.into_iter().min_by_key(|(distance, _)| *distance);
        nearest.filter(|(distance, _)| *distance <= NEAR).map(|(_, setting)| setting)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many letters must be put in, left out or replaced to get from one text to the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_none() {
        assert_eq!(Setting::nearest("GORGEN_VALT"), Some(Setting::Vault));
        assert_eq!(Setting::nearest("gorgen_vault"), Some(Setting::Vault));
        assert_eq!(Setting::nearest("GORGEN_DATABASEURL"), Some(Setting::DatabaseUrl));
        assert_eq!(Setting::nearest("GORGEN_READER"), Some(Setting::Readers));
        assert_eq!(Setting::nearest("GORGEN_COLOUR_SCHEME"), None);
    }
}
