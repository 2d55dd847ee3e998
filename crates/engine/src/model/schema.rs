//! What a source holds: tables with their columns, and the objects stored beside them.

use serde::{Deserialize, Serialize};

/// Which dialect of the MySQL protocol's servers this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavor {
    /// Oracle's MySQL and what is built from it (RDS, Aurora, Percona Server).
    MySql,
    /// MariaDB.
    MariaDb,
    /// TiDB.
    TiDb,
}

impl std::fmt::Display for Flavor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
            Self::TiDb => "TiDB",
        })
    }
}

/// The server as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerInfo {
    /// Dialect.
    pub flavor: Flavor,
    /// `SELECT VERSION()`, verbatim.
    pub version: String,
}

/// Where the snapshot stands in the server's history, as far as the server tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Executed GTID set (MySQL) or GTID position (MariaDB).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gtid: Option<String>,
    /// Binary log file and offset, `mysql-bin.000004:1234`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binlog: Option<String>,
    /// TiDB's timestamp of the snapshot.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tso: Option<u64>,
}

/// How a column's values travel: what text stands for them, and how that text is loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Whole and decimal numbers: the server's digits.
    Number,
    /// FLOAT and DOUBLE: the shortest text that gives the same 64-bit value again.
    Real,
    /// Dates and times (TIMESTAMP in UTC), with all their fractional digits.
    Temporal,
    /// CHAR, VARCHAR, TEXT, ENUM, SET: the stored bytes, in the column's own character set.
    Text,
    /// MySQL's JSON: its text in utf8mb4.
    Json,
    /// BINARY, VARBINARY, BLOB: the stored bytes.
    Bytes,
    /// BIT: the value's bytes, most significant first.
    Bit,
    /// Geometry: four bytes of SRID (little endian), then well-known binary.
    Geometry,
}

/// One stored column. Generated columns have no place here: the server computes them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Full type as the server writes it, e.g. `varchar(20)`.
    pub sql_type: String,
    /// How its values travel.
    pub kind: ValueKind,
    /// Character set of text columns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charset: Option<String>,
    /// Collation of text columns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collation: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Constraint name.
    pub name: String,
    /// Columns of this table.
    pub columns: Vec<String>,
    /// Database of the other table, when it is not this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent_database: Option<String>,
    /// The table pointed at.
    pub parent: String,
    /// Its columns, in the same order.
    pub parent_columns: Vec<String>,
}

/// One base table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name.
    pub name: String,
    /// `SHOW CREATE TABLE`, verbatim.
    pub ddl: String,
    /// Default collation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collation: Option<String>,
    /// Storage engine, e.g. `InnoDB`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub engine: Option<String>,
    /// Stored columns in the table's order, invisible ones too; a row has one value for each.
    pub columns: Vec<Column>,
    /// Columns of the key that orders the rows and decides where chunks end; empty if there is none.
    pub key: Vec<String>,
    /// Name of that key's index, `PRIMARY` or a unique one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_index: Option<String>,
    /// Foreign keys of this table.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub relations: Vec<Relation>,
    /// The server's estimate of data bytes: for order of work and progress, never for results.
    #[serde(skip)]
    pub estimated_bytes: u64,
}

impl Table {
    /// Places of the key's columns within a row; empty if the table has no key.
    pub fn key_places(&self) -> Vec<usize> {
        self.key.iter().filter_map(|name| self.place_of(name)).collect()
    }

    /// Place of the column with this name within a row, compared as MySQL does, without case.
    pub fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.to_lowercase() == column.to_lowercase())
    }
}

/// What kind of stored object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredObjectKind {
    /// MariaDB's SEQUENCE.
    Sequence,
    /// Stored function.
    Function,
    /// Stored procedure.
    Procedure,
    /// View.
    View,
    /// Trigger.
    Trigger,
    /// Scheduled event.
    Event,
}

impl StoredObjectKind {
    /// The SQL keyword, as in `CREATE VIEW`.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Sequence => "SEQUENCE",
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::View => "VIEW",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
        }
    }
}

/// The session settings under which an object was made, and must be made again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharsetContext {
    /// `sql_mode`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sql_mode: Option<String>,
    /// `character_set_client`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub character_set_client: Option<String>,
    /// `collation_connection`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collation_connection: Option<String>,
    /// Collation of the database when the object was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub database_collation: Option<String>,
    /// `time_zone`, for events.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
}

/// A view, trigger, routine, event or sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredObject {
    /// What it is.
    pub kind: StoredObjectKind,
    /// Name.
    pub name: String,
    /// The table a trigger hangs on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub table: Option<String>,
    /// `SHOW CREATE ...`, verbatim.
    pub ddl: String,
    /// Who it runs as, `user@host`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definer: Option<String>,
    /// The settings it was made under.
    #[serde(default)]
    pub context: CharsetContext,
    /// A statement that completes it: a sequence's next value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
}

/// All that a database holds but its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The server.
    pub server: ServerInfo,
    /// Name of the database.
    pub database: String,
    /// Default character set of the database.
    pub charset: String,
    /// Default collation of the database.
    pub collation: String,
    /// Base tables by name.
    pub tables: Vec<Table>,
    /// Objects in the order in which they can be made: sequences, routines, views, triggers (in firing order), events.
    pub objects: Vec<StoredObject>,
    /// What is there but not covered by a backup, each a sentence; never left out silently.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
}

impl Catalog {
    /// The warning of a view that names what is not there, and can't be used.
    pub fn invalid_view(name: &str) -> String {
        format!("view {name} is invalid: it names a table, a column or a routine that is not there")
    }
}
