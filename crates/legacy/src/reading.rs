//! The records of one table, from all files of a chain, as canonical rows in the order of the table's key.

use std::collections::BTreeMap;

use gorgen_engine::{
    model::{Column, Flavor, Table, ValueKind},
    stages::rows::{put_null, take_value},
};
use serde_json::value::RawValue;

use crate::{
    Error,
    columns::{Definition, Otherwise, definitions},
    file::FileTable,
    findings::Findings,
    members::Members,
    values::{Mismatch, Remark, Typing},
};

/// What rows are ordered by: numbers as numbers, all else by its bytes, rows without a key as they come.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Null,
    Number(i128),
    Bytes(Vec<u8>),
}

/// A row, and which record it was.
#[derive(Debug)]
struct Row {
    bytes: Vec<u8>,
    /// Which file of the chain, and which record of its table.
    file: usize,
    record: usize,
}

/// A table that is imported.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    pub(crate) table: &'a Table,
    definitions: BTreeMap<String, Definition>,
    typings: Vec<Typing>,
    key: Vec<usize>,
    /// The place of the tenant column, if there is one, and what each row must have there.
    tenant: Option<(usize, String)>,
    rows: BTreeMap<Vec<Rank>, Row>,
}

/// What a file has of a table.
pub(crate) struct Part<'a, 'b> {
    /// Its name.
    pub(crate) file: &'b str,
    /// Its place in the chain.
    pub(crate) place: usize,
    pub(crate) given: &'b FileTable<'a>,
}

/// Where a stored column's values come from.
enum Origin {
    /// The record's value in this place.
    Record(usize),
    /// It is the same in all rows, and spelled like this.
    Filled(Vec<u8>),
}

/// How records become rows.
struct Layout {
    names: Vec<String>,
    columns: Vec<Origin>,
    /// Places in a record of what the table has no column for.
    strange: Vec<usize>,
}

impl<'a> Gathered<'a> {
    /// Of a table whose rows must have the tenant in this place.
    pub(crate) fn of(table: &'a Table, flavor: Flavor, tenant: Option<(usize, String)>) -> Self {
        let definitions = definitions(table);
        let typing = |column: &Column| {
            Typing::of(column, definitions.get(&column.name.to_lowercase()), flavor)
        };
        let typings = table.columns.iter().map(typing).collect();
        Self { table, typings, key: table.key_places(), definitions, tenant, rows: BTreeMap::new() }
    }

    /// Takes the records of a file; those with a known key take the place of earlier ones.
    ///
    /// # Errors
    /// [`Error::Damaged`] if something is no record; what can't be imported is among the findings.
    pub(crate) fn add(
        &mut self,
        part: &Part<'_, '_>,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let Some(first) = part.given.records.first() else { return Ok(()) };
        let Some(layout) = self.layout(part, &members(part, 1, first)?, findings) else {
            return Ok(());
        };
        let (mut lost, mut others) = (0, 0);
        for (number, record) in (1..).zip(&part.given.records) {
            let record = members(part, number, record)?;
            if record.0.iter().map(|(name, _)| name).ne(&layout.names) {
                let what = format!(
                    "record {number} of table {} has other columns than the first",
                    self.table.name
                );
                return Err(Error::damaged(part.file, what));
            }
            lost +=
                usize::from(layout.strange.iter().any(|&place| record.0[place].1.get() != "null"));
            if let Some(bytes) = self.row(part, number, &record, &layout, findings) {
                others += usize::from(!self.is_of_tenant(&bytes));
                self.keep(part, number, bytes, findings);
            }
        }
        self.tell_strange(part, &layout, lost, findings);
        if let (Some((_, tenant)), 1..) = (&self.tenant, others) {
            findings.refuse(format!(
                "{}: {others} records of table {} are not of tenant {tenant}, whose file it is",
                part.file, self.table.name
            ));
        }
        Ok(())
    }

    /// Columns that the database does not have; `lost` records have values in them.
    fn tell_strange(
        &self,
        part: &Part<'_, '_>,
        layout: &Layout,
        lost: usize,
        findings: &mut Findings,
    ) {
        let table = &self.table.name;
        let strange: Vec<_> =
            layout.strange.iter().map(|&place| layout.names[place].as_str()).collect();
        let strange = strange.join(", ");
        if lost > 0 {
            findings.refuse(format!(
                "{}: table {table} has no column {strange} in the database, and {lost} records have values there",
                part.file
            ));
        } else if !strange.is_empty() {
            let sentence =
                "columns that the database does not have were empty in the files, and are left out";
            findings.note_of(sentence, format!("{table}.{strange}"));
        }
    }

    /// Is the row the tenant's by the tenant column, if the table has it?
    fn is_of_tenant(&self, row: &[u8]) -> bool {
        let Some((place, tenant)) = &self.tenant else { return true };
        let Some(value) = value_at(row, *place) else { return false };
        let is_number = self.table.columns[*place].kind == ValueKind::Number;
        // ZEROFILL puts zeros before a number.
        let zeros = value.iter().take_while(|byte| is_number && **byte == b'0').count();
        value == tenant.as_bytes() || zeros > 0 && value[zeros..] == *tenant.as_bytes()
    }

    /// How the records of a file become rows; `None` if they can't.
    fn layout(
        &self,
        part: &Part<'_, '_>,
        first: &Members<'_>,
        findings: &mut Findings,
    ) -> Option<Layout> {
        let names: Vec<_> = first.0.iter().map(|(name, _)| name.clone()).collect();
        let small: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
        let mut columns = Vec::new();
        for (column, typing) in self.table.columns.iter().zip(&self.typings) {
            let name = column.name.to_lowercase();
            let given: Vec<_> = (0..small.len()).filter(|&place| small[place] == name).collect();
            let place = || format!("{}.{}", self.table.name, column.name);
            columns.push(match given[..] {
                [place] => Origin::Record(place),
                [] => Origin::Filled(self.filling(&name, typing, &place(), part, findings)?),
                _ => {
                    findings.refuse(format!("{}: column {} is there twice", part.file, place()));
                    return None;
                }
            });
            if !given.is_empty() && typing.is_moment() {
                let sentence = "the files do not tell their time zone, and UTC was taken for that of TIMESTAMP columns";
                findings.note_of(sentence, place());
            }
            if !given.is_empty() && typing.is_single() {
                let sentence = "FLOAT columns have the digits that servers show of them, and not all that they keep";
                findings.note_of(sentence, place());
            }
        }
        // What the server computes has a definition, and no place in a row.
        let strange =
            (0..names.len()).filter(|&place| !self.definitions.contains_key(&small[place]));
        Some(Layout { columns, strange: strange.collect(), names })
    }

    /// What a column that the file lacks has in every row, as `ALTER TABLE` would have filled it.
    fn filling(
        &self,
        name: &str,
        typing: &Typing,
        place: &str,
        part: &Part<'_, '_>,
        findings: &mut Findings,
    ) -> Option<Vec<u8>> {
        let mut filling = Vec::new();
        let definition = self.definitions.get(name);
        let filled = match definition.map(|found| &found.otherwise) {
            Some(Otherwise::Text(text)) => {
                let text = serde_json::value::to_raw_value(text).ok()?;
                typing.put(&text, &mut filling).is_ok()
            }
            _ if definition.is_some_and(|found| found.nullable) => {
                put_null(&mut filling);
                true
            }
            _ => false,
        };
        if filled {
            let sentence = "columns that the files lack have their default, or NULL";
            findings.note_of(sentence, place);
            return Some(filling);
        }
        findings.refuse(format!(
            "{}: it lacks column {place}, which may not be NULL and has no default that is known here",
            part.file
        ));
        None
    }

    fn row(
        &self,
        part: &Part<'_, '_>,
        number: usize,
        record: &Members<'_>,
        layout: &Layout,
        findings: &mut Findings,
    ) -> Option<Vec<u8>> {
        let (mut row, mut fits) = (Vec::new(), true);
        for ((column, typing), from) in
            self.table.columns.iter().zip(&self.typings).zip(&layout.columns)
        {
            let put: Result<Remark, Mismatch> = match from {
                Origin::Record(place) => typing.put(record.0[*place].1, &mut row),
                Origin::Filled(spelled) => {
                    row.extend_from_slice(spelled);
                    Ok(Remark::Exact)
                }
            };
            let place = || format!("{}.{}", self.table.name, column.name);
            match put {
                Ok(remark) => findings.remark(remark, place),
                Err(mismatch) => {
                    findings.misfit(format!("{}: {}", part.file, place()), number, mismatch);
                    fits = false;
                }
            }
        }
        fits.then_some(row)
    }

    fn keep(
        &mut self,
        part: &Part<'_, '_>,
        record: usize,
        bytes: Vec<u8>,
        findings: &mut Findings,
    ) {
        let key = if self.key.is_empty() {
            vec![Rank::Number(self.rows.len() as i128)]
        } else {
            self.key.iter().map(|&place| self.rank(&bytes, place)).collect()
        };
        let row = Row { bytes, file: part.place, record };
        let earlier = self.rows.insert(key, row).filter(|earlier| earlier.file == part.place);
        if let Some(earlier) = earlier {
            findings.refuse(format!(
                "{}: records {} and {record} of table {} have the same key",
                part.file, earlier.record, self.table.name
            ));
        }
    }

    fn rank(&self, row: &[u8], place: usize) -> Rank {
        let Some(value) = value_at(row, place) else { return Rank::Null };
        let digits = std::str::from_utf8(value)
            .ok()
            .filter(|_| self.table.columns[place].kind == ValueKind::Number);
        // All values of a DECIMAL have as many digits after the point.
        let number = digits.and_then(|digits| digits.replace('.', "").parse().ok());
        number.map_or_else(|| Rank::Bytes(value.to_vec()), Rank::Number)
    }

    /// The rows that are there, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.values().map(|row| row.bytes.as_slice())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Lets go of the rows that are not wanted; says how many.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(&[u8]) -> bool) -> usize {
        let before = self.rows.len();
        self.rows.retain(|_, row| is_wanted(&row.bytes));
        before - self.rows.len()
    }

    pub(crate) fn into_rows(self) -> Vec<Vec<u8>> {
        self.rows.into_values().map(|row| row.bytes).collect()
    }
}

fn members<'a>(
    part: &Part<'_, '_>,
    number: usize,
    record: &'a RawValue,
) -> Result<Members<'a>, Error> {
    let table = &part.given.name;
    let damaged =
        |what: &str| Error::damaged(part.file, format!("record {number} of table {table} {what}"));
    let members = Members::read(record).ok_or_else(|| damaged("is no object"))?;
    match members.duplicate() {
        Some(_) => Err(damaged("has a column twice")),
        None => Ok(members),
    }
}

/// The value in this place of a row; `None` if it is NULL.
pub(crate) fn value_at(row: &[u8], place: usize) -> Option<&[u8]> {
    let mut rest = row;
    for _ in 0..place {
        take_value(&mut rest).ok()?;
    }
    take_value(&mut rest).ok()?
}
