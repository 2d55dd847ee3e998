//! Whether a server can hold what a backup of another server holds; said before anything is loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Catalog, Flavor, Table};
use crate::ports::TargetInfo;

/// Column types that only MariaDB knows.
const MARIADB_TYPES: [&str; 6] = ["uuid", "inet4", "inet6", "vector", "xmltype", "row"];
/// Column types that only MySQL knows.
const MYSQL_TYPES: [&str; 1] = ["vector"];

/// Every reason why `target` can't hold these tables, each naming table and column. `mapped` are the
/// collations that the operator replaces.
pub fn problems(
    catalog: &Catalog,
    tables: &[&Table],
    target: &TargetInfo,
    mapped: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut unknown = |what: String, collation: &str| {
        let wanted = mapped.get(collation).map_or(collation, String::as_str);
        if !knows(&target.collations, wanted) {
            problems.push(format!(
                "{what} has the collation {wanted}, which {} does not know",
                name_of(target)
            ));
        }
    };
    unknown("the database".to_owned(), &catalog.collation);
    for table in tables {
        if let Some(collation) = &table.collation {
            unknown(format!("table {}", table.name), collation);
        }
        for column in &table.columns {
            if let Some(collation) = &column.collation {
                unknown(format!("column {}.{}", table.name, column.name), collation);
            }
        }
    }
    if catalog.server.flavor != target.server.flavor {
        let foreign = match catalog.server.flavor {
            Flavor::MariaDb => &MARIADB_TYPES[..],
            Flavor::MySql | Flavor::TiDb => &MYSQL_TYPES[..],
        };
        problems.extend(foreign_types(tables, foreign, target));
        problems.extend(foreign_features(catalog, tables, target));
    }
    problems
}

fn foreign_types(tables: &[&Table], foreign: &[&str], target: &TargetInfo) -> Vec<String> {
    let columns =
        tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let is_foreign = |sql_type: &str| {
        let base = sql_type.split(['(', ' ']).next().unwrap_or_default().to_lowercase();
        foreign.contains(&base.as_str())
    };
    columns
        .filter(|(_, column)| is_foreign(&column.sql_type))
        .map(|(table, column)| {
            format!(
                "column {}.{} has the type {}, which {} does not know",
                table.name,
                column.name,
                column.sql_type,
                name_of(target)
            )
        })
        .collect()
}

fn foreign_features(catalog: &Catalog, tables: &[&Table], target: &TargetInfo) -> Vec<String> {
    let versioned = tables.iter().filter(|table| table.ddl.contains("WITH SYSTEM VERSIONING"));
    let mut problems: Vec<_> = versioned
        .map(|table| {
            format!(
                "table {} is system-versioned, which {} does not know",
                table.name,
                name_of(target)
            )
        })
        .collect();
    let sequences = catalog
        .objects
        .iter()
        .filter(|object| object.kind == crate::model::StoredObjectKind::Sequence);
    problems.extend(sequences.map(|sequence| {
        format!("sequence {}: {} knows no sequences", sequence.name, name_of(target))
    }));
    problems
}

pub(super) fn knows(collations: &BTreeSet<String>, collation: &str) -> bool {
    collations.contains(collation)
        || collation
            .strip_prefix("utf8mb3_")
            .is_some_and(|rest| collations.contains(&format!("utf8_{rest}")))
        || collation
            .strip_prefix("utf8_")
            .is_some_and(|rest| collations.contains(&format!("utf8mb3_{rest}")))
}

/// The server as it is called in messages.
pub fn name_of(target: &TargetInfo) -> String {
    format!("{} {}", target.server.flavor, target.server.version)
}
