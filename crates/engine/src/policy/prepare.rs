//! The accounts that backups, restores and restore tests log in with: what each must be allowed to do, and no more.
//!
//! ```text
//! statements   what makes an account and gives it its rights
//! judgement    what an account that is there lacks, and what it has beyond
//! ```
//! What is needed is said where it is checked: [`super::findings::privileges`] for backups, [`super::rights`] for
//! restores.

mod judgement;
mod statements;

use super::{
    findings::privileges::{exists, of_definers, of_position, of_routines, reading},
    rights::{Room, ever_needed},
};
use crate::model::{AccountName, Flavor, Grounds, Privilege, ServerInfo, restored_name};

pub use judgement::{account, server};
pub use statements::{create, encrypt, grants, renew, script, server_settings};

/// What names of databases of restore tests begin with, unless somebody says otherwise.
pub const SCRATCH: &str = "gorgen_scratch";

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads the protected database.
    Backup,
    /// Writes it, and databases beside it.
    Restore,
    /// Makes databases for restore tests, and drops them.
    Scratch,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Backup, Self::Restore, Self::Scratch];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Scratch => "scratch",
        }
    }

    /// Who logs in, unless somebody says otherwise.
    pub fn usual_account(self) -> AccountName {
        AccountName::anywhere(&format!("gorgen_{}", self.as_str()))
    }

    /// What it is for, in words that go on from a name.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Backup => "reads the database, for backups",
            Self::Restore => "writes the database and those beside it, for restores",
            Self::Scratch => "makes databases for restore tests, and drops them",
        }
    }
}

/// An account that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What for.
    pub role: Role,
    /// Its name.
    pub account: AccountName,
}

/// How accounts log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// With a password.
    Password,
    /// With a token that IAM lets make, on Amazon RDS; over TLS only.
    RdsIam,
}

/// What lets an account see the procedures and functions that others made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutinesBy {
    /// The privilege that is there for it.
    Name,
    /// On `MySQL` leave to read all databases: what an administrator can give who does not have that privilege, as on
    /// Amazon RDS.
    ReadingAll,
}

/// Which accounts are wanted, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The accounts, no two alike.
    pub accounts: Vec<Wanted>,
    /// The protected database.
    pub database: String,
    /// What names of databases of restore tests begin with.
    pub scratch: String,
    /// How they log in.
    pub login: Login,
    /// Over TLS only?
    pub tls: bool,
    /// How they see routines.
    pub routines: RoutinesBy,
}

/// Something that an account must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What.
    pub privilege: Privilege,
    /// Where.
    pub grounds: Grounds,
    /// What can be done without it, if the job can: it is worse for it.
    pub without: Option<&'static str>,
}

const WITHOUT_LOCKS: &str = "one connection reads instead of several";
const WITHOUT_POSITION: &str = "a backup does not know its place in the binary log";
const WITHOUT_DEFINERS: &str = "what runs as another account is restored with --definer strip only";

/// All that an account must be allowed, the needed before the useful.
pub fn rights(role: Role, wish: &Wish, server: &ServerInfo) -> Vec<Right> {
    let flavor = server.flavor;
    let home = || Grounds::database(&wish.database);
    let mut rights = Vec::new();
    match role {
        Role::Backup => {
            rights.extend(reading(flavor).map(|privilege| needed(privilege, home())));
            rights.extend(routines(wish, flavor));
            rights.push(useful(Privilege::LockTables, home(), WITHOUT_LOCKS));
            rights.push(useful(of_position(flavor), Grounds::Server, WITHOUT_POSITION));
        }
        Role::Restore => {
            let both = |one, other| &ever_needed(one) | &ever_needed(other);
            let mut live = both(Room::Live, Room::LiveRows);
            live.extend(reading(flavor));
            let beside = Grounds::databases_from(&format!("{}__", wish.database));
            let copies = Grounds::databases_from(&restored_name(&wish.database));
            for (privileges, grounds) in [
                (live, home()),
                (both(Room::Staging, Room::Before), beside),
                (ever_needed(Room::Copy), copies),
            ] {
                rights.extend(privileges.into_iter().map(|one| needed(one, grounds.clone())));
            }
            rights.extend(routines(wish, flavor));
            rights.push(useful(of_definers(server), Grounds::Server, WITHOUT_DEFINERS));
            rights.push(useful(of_position(flavor), Grounds::Server, WITHOUT_POSITION));
        }
        Role::Scratch => {
            let grounds = Grounds::databases_from(&format!("{}_", wish.scratch));
            let mut privileges = ever_needed(Room::Copy);
            privileges.extend([Privilege::Execute, Privilege::AlterRoutine]);
            rights.extend(privileges.into_iter().map(|one| needed(one, grounds.clone())));
        }
    }
    rights.retain(|right| is_given(right.privilege, flavor));
    rights
}

/// On TiDB a snapshot needs no locks, there is no binary log, and SUPER would be too much for the sake of definers.
fn is_given(privilege: Privilege, flavor: Flavor) -> bool {
    let needless = [Privilege::LockTables, Privilege::ReplicationClient, Privilege::Super];
    exists(privilege, flavor) && (flavor != Flavor::TiDb || !needless.contains(&privilege))
}

fn routines(wish: &Wish, flavor: Flavor) -> Option<Right> {
    let (privilege, scope) = of_routines(flavor)?;
    Some(match (scope.split_once('.'), wish.routines) {
        (Some(("*", _)) | None, RoutinesBy::Name) => needed(privilege, Grounds::Server),
        (Some(("*", _)) | None, RoutinesBy::ReadingAll) => {
            needed(Privilege::Select, Grounds::Server)
        }
        (Some((database, table)), _) => {
            needed(privilege, Grounds::Table(database.to_owned(), table.to_owned()))
        }
    })
}

fn needed(privilege: Privilege, grounds: Grounds) -> Right {
    Right { privilege, grounds, without: None }
}

fn useful(privilege: Privilege, grounds: Grounds, without: &'static str) -> Right {
    Right { privilege, grounds, without: Some(without) }
}

/// Would an account for restore tests reach the protected database, or what restores keep beside it?
pub fn is_too_near(scratch: &str, database: &str) -> bool {
    let beginning = format!("{scratch}_").to_lowercase();
    [database.to_owned(), format!("{database}__"), restored_name(database)]
        .iter()
        .any(|name| name.to_lowercase().starts_with(&beginning))
}

#[cfg(test)]
mod tests;
