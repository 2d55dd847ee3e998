//! Whether a server can hold what a backup of another server holds; said before anything is loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Catalog, Flavor, Table};
use crate::ports::TargetInfo;
use crate::stages::definition;

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
    for object in &catalog.objects {
        let context = &object.context;
        let mut collations = vec![&context.collation_connection, &context.database_collation];
        collations.dedup();
        for collation in collations.into_iter().flatten() {
            let kind = object.kind.keyword().to_lowercase();
            unknown(format!("the session that made {kind} {}", object.name), collation);
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
    let of_table = match target.server.flavor {
        Flavor::MariaDb => only_in_mysql,
        Flavor::MySql | Flavor::TiDb => only_in_mariadb,
    };
    let mut problems: Vec<_> = tables
        .iter()
        .flat_map(|table| of_table(table))
        .map(|what| format!("{what}, which {} does not know", name_of(target)))
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

fn only_in_mysql(table: &Table) -> Vec<String> {
    let keys = definition::bare_keys(&table.ddl).into_iter();
    // A column's name would stand between quotes.
    let expressions = keys.filter(|(_, key)| key.contains("((") || key.contains(",("));
    expressions
        .map(|(name, _)| format!("key {name} of table {} indexes an expression", table.name))
        .collect()
}

fn only_in_mariadb(table: &Table) -> Vec<String> {
    let (mut found, name) = (Vec::new(), &table.name);
    if table.ddl.contains("WITH SYSTEM VERSIONING") {
        found.push(format!("table {name} is system-versioned"));
    } else if table.ddl.contains("PERIOD FOR") {
        found.push(format!("table {name} has a period"));
    }
    for (key, clause) in definition::bare_keys(&table.ddl) {
        if clause.ends_with(" IGNORED") {
            found.push(format!("key {key} of table {name} is ignored"));
        }
    }
    for (column, clause) in definition::bare_columns(&table.ddl) {
        let default = clause.split_once(" DEFAULT ").map(|(_, default)| default);
        if default.is_some_and(|default| is_default_of_mariadb(&clause, default)) {
            found.push(format!("column {name}.{column} has a kind of default"));
        }
    }
    found
}

/// A function without parentheses around it, or a constant for a long text: `default` is what follows the word, in a
/// clause with `#` within quotes.
fn is_default_of_mariadb(clause: &str, default: &str) -> bool {
    let word =
        default.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    let is_null = word.eq_ignore_ascii_case("NULL");
    let is_known = is_null
        || ["current_timestamp", "b", "x"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let is_function = word.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_known;
    let sql_type = clause.split_whitespace().next().unwrap_or_default();
    let is_long = sql_type.ends_with("text") || sql_type.ends_with("blob");
    is_function || is_long && !is_null && !default.starts_with('(')
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
