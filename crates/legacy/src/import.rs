//! All files of one chain against the live schema: refused as a whole, or every row of the tenant as canonical bytes.

use std::collections::{BTreeMap, BTreeSet};

use gorgen_engine::{
    model::{Catalog, Table},
    policy::tenancy::DeclaredPath,
    ports::Source,
    records::imported::{Imported, ImportedFile},
};
use serde::Serialize;

use crate::{
    Error, LegacySource, Opened,
    chain::Chain,
    file::{Extent, FileTable, LegacyFile},
    findings::Findings,
    reading::{Gathered, Part},
    source::narrowed,
    tenants::{Taking, Tenants},
};

/// How the live database tells whose rows are whose.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The column that says whose row it is.
    pub tenant_column: &'a str,
    /// Ways by which rows are a tenant's, where foreign keys do not tell or leave a doubt.
    pub tenant_paths: &'a [DeclaredPath],
}

/// Files that were read and can be imported.
#[derive(Debug)]
pub struct Import {
    imported: Imported,
    catalog: Catalog,
    rows: BTreeMap<String, Vec<Vec<u8>>>,
}

/// A table of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedTable {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

impl Import {
    /// Reads the files, which must be one full one and any that go on from it, for a database with this catalog.
    ///
    /// # Errors
    /// [`Error::Damaged`] and [`Error::Refused`]; then nothing of the files is to be used.
    pub fn plan(opened: &[Opened], catalog: &Catalog, rules: Rules<'_>) -> Result<Self, Error> {
        let files = opened.iter().map(LegacyFile::read).collect::<Result<_, _>>()?;
        let chain = Chain::link(files)?;
        let mut plan = Planning::of(&chain, catalog, rules);
        for (place, file) in chain.files.iter().enumerate() {
            for given in &file.tables {
                plan.take(file, place, given)?;
            }
        }
        plan.finish(rules)
    }

    /// What the backup will say of itself.
    pub fn imported(&self) -> &Imported {
        &self.imported
    }

    /// The tables, by name, with their rows.
    pub fn tables(&self) -> Vec<ImportedTable> {
        let of = |(table, rows): (&String, &Vec<Vec<u8>>)| ImportedTable {
            table: table.clone(),
            rows: rows.len() as u64,
        };
        self.rows.iter().map(of).collect()
    }

    /// The canonical rows of a table, in the order of its key; none if it is not imported.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = &[u8]> {
        self.rows.get(table).into_iter().flatten().map(Vec::as_slice)
    }

    /// A source with these rows, for the live database that they were typed by.
    pub fn into_source<S: Source>(self, live: S) -> LegacySource<S> {
        LegacySource::new(live, self.catalog, self.rows)
    }
}

struct Planning<'a> {
    chain: &'a Chain<'a>,
    catalog: &'a Catalog,
    tenants: Tenants<'a>,
    given: BTreeSet<&'a str>,
    tables: BTreeMap<&'a str, Gathered<'a>>,
    /// Tables that are not taken, each with its number of records and the reason.
    left_out: BTreeMap<&'a str, (usize, String)>,
    findings: Findings,
}

impl<'a> Planning<'a> {
    fn of(chain: &'a Chain<'a>, catalog: &'a Catalog, rules: Rules<'a>) -> Self {
        let names = chain.files.iter().flat_map(|file| &file.tables);
        let mut planning = Self {
            chain,
            catalog,
            tenants: Tenants::of(catalog, rules.tenant_column, rules.tenant_paths),
            given: names.map(|table| table.name.as_str()).collect(),
            tables: BTreeMap::new(),
            left_out: BTreeMap::new(),
            findings: Findings::default(),
        };
        planning.tell_of_files();
        planning
    }

    fn tell_of_files(&mut self) {
        let findings = &mut self.findings;
        for file in &self.chain.files {
            if file.opened.by_default_secret {
                findings.note(format!(
                    "{} is encrypted with the old program's own secret: whoever knows that program can read it",
                    file.name()
                ));
            }
            if !file.unknown.is_empty() {
                let unknown = file.unknown.join(", ");
                findings.note(format!(
                    "{} has members that are not known, and are left out: {unknown}",
                    file.name()
                ));
            }
        }
        self.chain.notes.iter().for_each(|note| findings.note(note.clone()));
        if self.chain.is_incremental() {
            findings.note("rows that were deleted after the full file was made are here: incremental files do not tell of them");
        }
        findings.note("the old program took no snapshot: rows of different tables may be of different moments");
        if !self.catalog.objects.is_empty() {
            findings.note("views, triggers, routines and events are not in such files, and not in this backup");
        }
    }

    fn take(
        &mut self,
        file: &LegacyFile<'a>,
        place: usize,
        given: &'a FileTable<'a>,
    ) -> Result<(), Error> {
        let name = given.name.as_str();
        let Some(table) = self.catalog.tables.iter().find(|table| table.name == name) else {
            self.tell_of_unknown(file, given);
            return Ok(());
        };
        match self.tenants.taking(table, &self.given) {
            Taking::LeftOut(reason) => {
                self.left_out.entry(name).or_insert((0, reason)).0 += given.records.len();
                Ok(())
            }
            Taking::ByColumn(column) => self.add(file, place, given, table, Some(column)),
            Taking::ByParent => self.add(file, place, given, table, None),
        }
    }

    fn add(
        &mut self,
        file: &LegacyFile<'a>,
        place: usize,
        given: &'a FileTable<'a>,
        table: &'a Table,
        column: Option<usize>,
    ) -> Result<(), Error> {
        let goes_on = file.extent == Extent::Incremental;
        if goes_on && table.key.is_empty() && !given.records.is_empty() {
            self.findings.refuse(format!(
                "{}: table {} has no key, so that nobody knows which rows its changed ones replace",
                file.name(),
                table.name
            ));
        }
        if goes_on && !self.tables.contains_key(table.name.as_str()) {
            let sentence =
                "tables that only incremental files have may lack rows that did not change";
            self.findings.note_of(sentence, table.name.as_str());
        }
        let tenant = column.map(|column| (column, self.chain.tenant().to_owned()));
        let flavor = self.catalog.server.flavor;
        let gathered =
            self.tables.entry(&table.name).or_insert_with(|| Gathered::of(table, flavor, tenant));
        gathered.add(&Part { file: file.name(), place, given }, &mut self.findings)
    }

    fn tell_of_unknown(&mut self, file: &LegacyFile<'_>, given: &FileTable<'_>) {
        let (name, records) = (&given.name, given.records.len());
        if records == 0 {
            let sentence =
                "tables that the database does not have were empty in the files, and are left out";
            return self.findings.note_of(sentence, name.as_str());
        }
        self.findings.refuse(format!(
            "{} has {records} records of table {name}, which the database does not have",
            file.name()
        ));
    }

    fn finish(mut self, rules: Rules<'_>) -> Result<Import, Error> {
        for (table, (records, reason)) in &self.left_out {
            self.findings
                .note(format!("table {table} is left out with its {records} records: {reason}"));
        }
        self.tenants.sift(&mut self.tables, &mut self.findings);
        let absent = self.catalog.tables.iter().map(|table| table.name.as_str());
        let absent: Vec<_> = absent.filter(|name| !self.given.contains(name)).collect();
        if !absent.is_empty() {
            let absent = absent.join(", ");
            self.findings.note(format!(
                "tables that are not in the files, and not in this backup: {absent}"
            ));
        }
        if !self.findings.refuses() && self.tables.values().all(|table| table.len() == 0) {
            let (tenant, column) = (self.chain.tenant(), rules.tenant_column);
            self.findings.refuse(format!(
                "no record in the files is known to be of tenant {tenant}, by the column {column} of the database's tables"
            ));
        }
        let notes = self.findings.sum_up().map_err(|reasons| Error::Refused { reasons })?;
        let tables =
            self.tables.into_iter().map(|(name, table)| (name.to_owned(), table.into_rows()));
        let rows: BTreeMap<_, _> = tables.collect();
        let mut catalog = narrowed(self.catalog.clone(), |table| rows.contains_key(table));
        for table in &mut catalog.tables {
            table.estimated_bytes =
                rows.get(&table.name).into_iter().flatten().map(|row| row.len() as u64).sum();
        }
        Ok(Import { imported: imported(self.chain, notes)?, catalog, rows })
    }
}

fn imported(chain: &Chain<'_>, notes: Vec<String>) -> Result<Imported, Error> {
    let created = chain.files.iter().map(|file| file.created).max();
    let files = chain.files.iter().map(|file| ImportedFile {
        name: file.opened.name.clone(),
        sha256: file.opened.sha256.clone(),
    });
    Ok(Imported {
        tenant: chain.tenant().to_owned(),
        created: created.ok_or_else(|| Error::refused("no file was given"))?,
        files: files.collect(),
        notes,
    })
}
