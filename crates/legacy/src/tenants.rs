//! Which rows of a file are its tenant's. Tables without the tenant column came whole, with everybody's rows.

use std::collections::{BTreeMap, BTreeSet};

use gorgen_engine::{
    model::{Catalog, Table},
    policy::tenancy::{DeclaredPath, Tenancy, Way},
};

use crate::{
    findings::Findings,
    reading::{Gathered, value_at},
};

/// Whose rows are whose in the live database.
#[derive(Debug)]
pub(crate) struct Tenants<'a> {
    column: &'a str,
    tenancy: Tenancy,
}

/// How a table of the files is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    /// Each row must have the tenant in this place.
    ByColumn(usize),
    /// Rows that hang on rows of another table that are taken.
    ByParent,
    /// Not at all, for this reason.
    LeftOut(String),
}

impl<'a> Tenants<'a> {
    pub(crate) fn of(catalog: &Catalog, column: &'a str, paths: &[DeclaredPath]) -> Self {
        Self { column, tenancy: Tenancy::of(catalog, column, paths) }
    }

    /// How a table is taken from files that hold these tables.
    pub(crate) fn taking(&self, table: &Table, given: &BTreeSet<&str>) -> Taking {
        if let Some(place) = table.place_of(self.column) {
            return Taking::ByColumn(place);
        }
        if let Some(reason) = self.tenancy.not_covered.get(&table.name) {
            return Taking::LeftOut(reason.clone());
        }
        match self.tenancy.line(&table.name).into_iter().find(|parent| !given.contains(parent)) {
            None => Taking::ByParent,
            Some(parent) => Taking::LeftOut(format!(
                "whose they are only table {parent} tells, which is not in the files"
            )),
        }
    }

    /// Leaves of the tables that hang on others the rows whose parents are there; parents come first.
    pub(crate) fn sift(&self, tables: &mut BTreeMap<&str, Gathered<'_>>, findings: &mut Findings) {
        let mut names: Vec<_> = tables.keys().copied().collect();
        names.sort_by_key(|name| self.tenancy.distance(name));
        for name in names {
            let Some(Way::Parent { columns, parent, parent_columns }) = self.tenancy.way(name)
            else {
                continue;
            };
            let parents = tables.get(parent.as_str()).map(|parent| keys_of(parent, parent_columns));
            let (Some(parents), Some(child)) = (parents, tables.get_mut(name)) else { continue };
            let places = places(child.table, columns);
            let all = child.len();
            let is_ours = |row: &[u8]| {
                let key = places.as_ref().and_then(|places| key(row, places));
                key.is_some_and(|key| parents.contains(&key))
            };
            let gone = child.retain(is_ours);
            if gone > 0 {
                findings.note(format!(
                    "{gone} of {all} records of table {name} are left out: the rows of {parent} that they belong to are \
                     not in the files, or not the tenant's"
                ));
            }
        }
    }
}

/// The values of these columns in all rows of a table.
fn keys_of(table: &Gathered<'_>, columns: &[String]) -> BTreeSet<Vec<Vec<u8>>> {
    let Some(places) = places(table.table, columns) else { return BTreeSet::new() };
    table.rows().filter_map(|row| key(row, &places)).collect()
}

fn places(table: &Table, columns: &[String]) -> Option<Vec<usize>> {
    columns.iter().map(|column| table.place_of(column)).collect()
}

/// The values in these places; none if one of them is NULL, which leads nowhere.
fn key(row: &[u8], places: &[usize]) -> Option<Vec<Vec<u8>>> {
    places.iter().map(|&place| value_at(row, place).map(<[u8]>::to_vec)).collect()
}
