//! What a server and an account on it are like, as far as `doctor` judges them. No row, no secret.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::ServerInfo;

/// A privilege that some job needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is what `as_sql` says")]
pub enum Privilege {
    Select,
    ShowView,
    Trigger,
    Event,
    LockTables,
    ShowRoutine,
    ShowCreateRoutine,
    ReplicationClient,
    BinlogMonitor,
    Create,
    Alter,
    Drop,
    Insert,
    Delete,
    Index,
    References,
    CreateView,
    CreateRoutine,
    AlterRoutine,
    Execute,
    SetUserId,
    SetAnyDefiner,
    SetUser,
    Super,
}

impl Privilege {
    /// Every one.
    pub const ALL: [Self; 24] = [
        Self::Select,
        Self::ShowView,
        Self::Trigger,
        Self::Event,
        Self::LockTables,
        Self::ShowRoutine,
        Self::ShowCreateRoutine,
        Self::ReplicationClient,
        Self::BinlogMonitor,
        Self::Create,
        Self::Alter,
        Self::Drop,
        Self::Insert,
        Self::Delete,
        Self::Index,
        Self::References,
        Self::CreateView,
        Self::CreateRoutine,
        Self::AlterRoutine,
        Self::Execute,
        Self::SetUserId,
        Self::SetAnyDefiner,
        Self::SetUser,
        Self::Super,
    ];

    /// The words of GRANT.
    pub const fn as_sql(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::ShowView => "SHOW VIEW",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
            Self::LockTables => "LOCK TABLES",
            Self::ShowRoutine => "SHOW_ROUTINE",
            Self::ShowCreateRoutine => "SHOW CREATE ROUTINE",
            Self::ReplicationClient => "REPLICATION CLIENT",
            Self::BinlogMonitor => "BINLOG MONITOR",
            Self::Create => "CREATE",
            Self::Alter => "ALTER",
            Self::Drop => "DROP",
            Self::Insert => "INSERT",
            Self::Delete => "DELETE",
            Self::Index => "INDEX",
            Self::References => "REFERENCES",
            Self::CreateView => "CREATE VIEW",
            Self::CreateRoutine => "CREATE ROUTINE",
            Self::AlterRoutine => "ALTER ROUTINE",
            Self::Execute => "EXECUTE",
            Self::SetUserId => "SET_USER_ID",
            Self::SetAnyDefiner => "SET_ANY_DEFINER",
            Self::SetUser => "SET USER",
            Self::Super => "SUPER",
        }
    }
}

/// What an account may do, by its own grants and those of its active roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileges {
    /// The account as the server knows it, `user@host`.
    pub account: String,
    /// Everywhere on the server.
    pub on_server: BTreeSet<Privilege>,
    /// In the whole of the protected database.
    pub on_database: BTreeSet<Privilege>,
    /// In a database that a restore would make, called [`restored_name`].
    pub on_restored: BTreeSet<Privilege>,
    /// May it read `mysql.proc`, where MariaDB keeps the bodies of routines?
    pub reads_routine_table: bool,
    /// Has it roles, and none of them is active?
    pub has_idle_roles: bool,
}

/// What an account may do on a server, and in the whole of one database, there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The account as the server knows it, `user@host`.
    pub account: String,
    /// Everywhere on the server.
    pub on_server: BTreeSet<Privilege>,
    /// In the database.
    pub on_database: BTreeSet<Privilege>,
}

/// The name of a database beside `database`, as it stands for those that restores make.
pub fn restored_name(database: &str) -> String {
    format!("{database}_restored")
}

/// How large the rows of a table may be, in bytes, as far as that is known without reading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSize {
    /// The table.
    pub table: String,
    /// The server's estimate of the mean.
    pub average: u64,
    /// No row is larger: what the columns can hold together, or all the table's data by the server's estimate.
    pub bound: u64,
}

/// Who can read what crosses a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Only the two ends: TLS, with this version and cipher.
    Tls(String),
    /// Only this machine.
    Local,
    /// Whoever is on the way.
    Exposed,
}

/// What a server that keeps a binary log makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinaryLog {
    /// Does the server tell a session at which place in the log its snapshot stands?
    pub tells_place: bool,
    /// May accounts without SUPER make functions and triggers, which go into the log?
    pub trusts_creators: bool,
}

/// A moment by the server's clock, and the moments by ours between which it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Ours, before the server was asked.
    pub before: Timestamp,
    /// The server's.
    pub server: Timestamp,
    /// Ours, after it answered.
    pub after: Timestamp,
}

/// What a server says of itself, of the connection, and of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The server.
    pub server: ServerInfo,
    /// Who can read what crosses the connection.
    pub channel: Channel,
    /// The server's time.
    pub clock: ClockReading,
    /// What the account may do.
    pub privileges: Privileges,
    /// The binary log, if it keeps one.
    pub binary_log: Option<BinaryLog>,
    /// Largest statement or row the server takes, in bytes.
    pub max_allowed_packet: u64,
    /// Does it take `LOAD DATA LOCAL`?
    pub local_infile: bool,
    /// The collations it knows.
    pub collations: BTreeSet<String>,
    /// How large rows may be, by table.
    pub rows: Vec<RowSize>,
}
