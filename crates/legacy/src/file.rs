//! The JSON of a file, taken apart down to its records.

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{
    Error, Opened,
    members::{Members, count, text},
};

const VERSION: &str = "3.0";

/// Members that are known, besides those of incremental files.
const MEMBERS: [&str; 7] =
    ["version", "type", "tenantId", "createdAt", "tables", "metadata", "restoreInstructions"];
const OF_INCREMENTAL: [&str; 3] = ["baseBackupId", "baseBackupDate", "baseChecksum"];
const OF_TABLE: [&str; 5] = ["tableName", "records", "count", "modifiedCount", "newCount"];

/// How much of the database a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All rows of the tenant.
    Full,
    /// All of them, to be kept away from any network.
    Offline,
    /// Rows that changed since another file.
    Incremental,
}

/// The file that an incremental one goes on from, as the old program kept it.
#[derive(Debug)]
pub(crate) struct Base {
    /// Its number in the old program's own list.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) date: Timestamp,
    /// A SHA-256.
    pub(crate) checksum: String,
}

/// One file.
#[derive(Debug)]
pub(crate) struct LegacyFile<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) extent: Extent,
    pub(crate) tenant: String,
    pub(crate) created: Timestamp,
    /// What an incremental file goes on from.
    pub(crate) base: Option<Base>,
    pub(crate) tables: Vec<FileTable<'a>>,
    /// Members that nobody knows.
    pub(crate) unknown: Vec<String>,
}

/// The rows of one table in a file.
#[derive(Debug)]
pub(crate) struct FileTable<'a> {
    pub(crate) name: String,
    pub(crate) records: Vec<&'a RawValue>,
}

impl<'a> LegacyFile<'a> {
    /// Takes a file apart.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not whole, [`Error::Refused`] if it is of a kind that is not known.
    pub(crate) fn read(opened: &'a Opened) -> Result<Self, Error> {
        Parts::of(opened)?.read()
    }

    pub(crate) fn name(&self) -> &'a str {
        &self.opened.name
    }
}

struct Parts<'a> {
    opened: &'a Opened,
    members: Members<'a>,
    unknown: Vec<String>,
}

impl<'a> Parts<'a> {
    fn of(opened: &'a Opened) -> Result<Self, Error> {
        let members: Members<'a> = serde_json::from_str(&opened.json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::damaged(
                &opened.name,
                format!("its JSON ends or breaks at line {line}, column {column}"),
            )
        })?;
        let parts = Self { opened, members, unknown: Vec::new() };
        parts.once(&parts.members, "the file")?;
        Ok(parts)
    }

    fn read(mut self) -> Result<LegacyFile<'a>, Error> {
        let version = self.needed("version", text)?;
        if version != VERSION {
            return Err(self.unknown_kind("version", &version, "3.0"));
        }
        let kind = self.needed("type", text)?;
        let extent = match kind.as_str() {
            "full" => Extent::Full,
            "offline" => Extent::Offline,
            "incremental" => Extent::Incremental,
            _ => return Err(self.unknown_kind("type", &kind, "full, incremental or offline")),
        };
        let tenant = self.needed("tenantId", number)?;
        if self.opened.tenant.as_ref().is_some_and(|expected| *expected != tenant) {
            return Err(self
                .damaged("it says that it is another tenant's than the one it is encrypted for"));
        }
        let base = match extent {
            Extent::Incremental => Some(Base {
                id: self.needed("baseBackupId", number)?,
                date: self.needed("baseBackupDate", timestamp)?,
                checksum: self.needed("baseChecksum", text)?.to_lowercase(),
            }),
            Extent::Full | Extent::Offline => None,
        };
        let created = self.needed("createdAt", timestamp)?;
        let tables = self.tables()?;
        self.check_sums(&tables)?;
        let own: &[&str] = if base.is_some() { &OF_INCREMENTAL } else { &[] };
        let is_known = |name: &str| MEMBERS.contains(&name) || own.contains(&name);
        let unknown = self.members.0.iter().map(|(name, _)| name).filter(|name| !is_known(name));
        self.unknown.extend(unknown.cloned());
        Ok(LegacyFile {
            opened: self.opened,
            extent,
            tenant,
            created,
            base,
            tables,
            unknown: self.unknown,
        })
    }

    fn tables(&mut self) -> Result<Vec<FileTable<'a>>, Error> {
        let tables = self.needed("tables", Members::read)?;
        self.once(&tables, "tables")?;
        tables.0.into_iter().map(|(name, table)| self.table(name, table)).collect()
    }

    fn table(&mut self, name: String, table: &'a RawValue) -> Result<FileTable<'a>, Error> {
        let place = format!("table {name}");
        let broken = |what: &str| self.damaged(format!("{place} {what}"));
        let members = Members::read(table).ok_or_else(|| broken("is no object"))?;
        self.once(&members, &place)?;
        let called = members.get("tableName").and_then(text);
        if called.as_ref() != Some(&name) {
            return Err(broken("does not have its own name as tableName"));
        }
        let records = members
            .get("records")
            .and_then(list)
            .ok_or_else(|| broken("has no list of records"))?;
        let counted = members.get("count").and_then(count);
        if counted != Some(records.len() as u64) {
            let counted =
                counted.map_or_else(|| "no number".to_owned(), |counted| counted.to_string());
            return Err(broken(&format!(
                "has {} records, and {counted} as their count",
                records.len()
            )));
        }
        let unknown = members
            .0
            .iter()
            .map(|(member, _)| member)
            .filter(|member| !OF_TABLE.contains(&member.as_str()));
        self.unknown.extend(unknown.map(|member| format!("{name}.{member}")));
        Ok(FileTable { name, records })
    }

    /// The old program counted over all tables as well.
    fn check_sums(&self, tables: &[FileTable<'_>]) -> Result<(), Error> {
        let Some(metadata) = self.members.get("metadata").and_then(Members::read) else {
            return Ok(());
        };
        let records: usize = tables.iter().map(|table| table.records.len()).sum();
        for (member, what, found) in
            [("totalTables", "tables", tables.len()), ("totalRecords", "records", records)]
        {
            let counted = metadata.get(member).and_then(count);
            if let Some(counted) = counted.filter(|counted| *counted != found as u64) {
                return Err(
                    self.damaged(format!("it has {found} {what}, and {counted} as their count"))
                );
            }
        }
        Ok(())
    }

    fn needed<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<T, Error> {
        let found = self.members.get(name).and_then(read);
        found.ok_or_else(|| self.damaged(format!("it has no {name}, or none that can be read")))
    }

    fn once(&self, members: &Members<'_>, place: &str) -> Result<(), Error> {
        match members.duplicate() {
            Some(name) => Err(self.damaged(format!("{place} has {name:?} twice"))),
            None => Ok(()),
        }
    }

    fn damaged(&self, what: impl Into<String>) -> Error {
        Error::damaged(&self.opened.name, what)
    }

    fn unknown_kind(&self, what: &str, found: &str, known: &str) -> Error {
        let shown: String = found.chars().take(40).collect();
        Error::refused(format!(
            "{} is of {what} {shown:?}: only {known} is known",
            self.opened.name
        ))
    }
}

fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn timestamp(value: &RawValue) -> Option<Timestamp> {
    text(value)?.parse().ok()
}

/// A whole number, written as one or as a text.
fn number(value: &RawValue) -> Option<String> {
    let digits = text(value).unwrap_or_else(|| value.get().to_owned());
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = digits == "0" || !digits.starts_with('0');
    (is_plain && is_short).then_some(digits)
}
