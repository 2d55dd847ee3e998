//! What the database holds: what a snapshot covers, what can be cut by key, and how text is spelled.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, counted, listed};
use crate::{
    model::{Catalog, StoredObjectKind, Table},
    policy::{compatibility::knows, coverage::is_transactional},
};

const KINDS: [(StoredObjectKind, &str); 6] = [
    (StoredObjectKind::View, "view"),
    (StoredObjectKind::Trigger, "trigger"),
    (StoredObjectKind::Procedure, "procedure"),
    (StoredObjectKind::Function, "function"),
    (StoredObjectKind::Event, "event"),
    (StoredObjectKind::Sequence, "sequence"),
];

/// What there is, once all definitions could be read.
pub fn definitions(catalog: &Catalog) -> Finding {
    let check = "definitions";
    let of_kind = |kind| catalog.objects.iter().filter(|object| object.kind == kind).count();
    let objects =
        KINDS.iter().map(|&(kind, noun)| (of_kind(kind), noun)).filter(|&(count, _)| count > 0);
    let counts: Vec<_> = std::iter::once((catalog.tables.len(), "table")).chain(objects).collect();
    let held =
        counts.iter().map(|&(count, noun)| counted(count, noun)).collect::<Vec<_>>().join(", ");
    if counts == [(0, "table")] {
        let remedy = "check the name of the database in GORGEN_DATABASE_URL";
        return Finding::warning(check, format!("database {} is empty", catalog.database), remedy);
    }
    Finding::ok(check, format!("{held}: all definitions can be read"))
}

/// What the source says it does not cover, or not fully, besides what [`engines`] finds.
pub fn doubts(catalog: &Catalog) -> Vec<Finding> {
    let remedy = "see whether you can do without it; every backup says it again";
    let outside = || catalog.tables.iter().filter(|table| !is_transactional(table));
    let is_of_engine = |doubt: &String| {
        outside().any(|table| {
            let engine = table.engine.as_deref().unwrap_or_default();
            doubt.starts_with(&format!("table {} has the engine {engine},", table.name))
        })
    };
    let doubts = catalog.warnings.iter().filter(|doubt| !is_of_engine(doubt));
    doubts.map(|doubt| Finding::warning("coverage", doubt, remedy)).collect()
}

/// Tables that take part in no snapshot.
pub fn engines(catalog: &Catalog) -> Finding {
    let check = "engines";
    let spelled = |table: &Table| {
        format!("{} ({})", table.name, table.engine.as_deref().unwrap_or("engine unknown"))
    };
    let outside: Vec<_> =
        catalog.tables.iter().filter(|table| !is_transactional(table)).map(spelled).collect();
    if outside.is_empty() {
        return Finding::ok(check, "every table takes part in a snapshot");
    }
    let fact = format!(
        "no snapshot covers {}: rows written during a backup may be missing or half there in {}",
        counted(outside.len(), "table"),
        listed(&outside)
    );
    Finding::warning(
        check,
        fact,
        "ALTER TABLE .. ENGINE = InnoDB; or let nothing write to it while a backup runs",
    )
}

/// Tables whose rows have no order by which they could be cut into lasting chunks.
pub fn keys(catalog: &Catalog) -> Finding {
    let check = "keys";
    let keyless: Vec<_> = catalog
        .tables
        .iter()
        .filter(|table| table.key.is_empty())
        .map(|table| table.name.as_str())
        .collect();
    if keyless.is_empty() {
        return Finding::ok(check, "every table has a primary or unique key");
    }
    let fact = format!(
        "no primary or unique key in {}: backed up right, but after a rebuild (ALTER, OPTIMIZE) stored whole again",
        listed(&keyless)
    );
    Finding::warning(check, fact, "give them a primary key")
}

/// Character sets in use, and collations that the server itself does not know.
pub fn text(catalog: &Catalog, known: &BTreeSet<String>) -> Finding {
    let check = "character-sets";
    let columns = || {
        catalog
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
    };
    let of_columns = columns().filter_map(|(table, column)| {
        let collation = column.collation.as_ref()?;
        Some((format!("column {}.{}", table.name, column.name), collation))
    });
    let of_tables = catalog
        .tables
        .iter()
        .filter_map(|table| Some((format!("table {}", table.name), table.collation.as_ref()?)));
    let of_database = std::iter::once(("the database".to_owned(), &catalog.collation));
    let unknown: Vec<_> = of_database
        .chain(of_tables)
        .chain(of_columns)
        .filter(|(_, collation)| !knows(known, collation))
        .map(|(what, collation)| format!("{what} ({collation})"))
        .collect();
    if !unknown.is_empty() {
        let fact = format!("collations that the server does not know: {}", listed(&unknown));
        return Finding::problem(
            check,
            fact,
            "a restore would fail: ALTER TABLE .. CONVERT TO CHARACTER SET utf8mb4",
        );
    }
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for charset in columns().filter_map(|(_, column)| column.charset.as_deref()) {
        *tally.entry(charset).or_default() += 1;
    }
    let mut tally: Vec<_> = tally.into_iter().collect();
    tally.sort_by_key(|&(charset, count)| (std::cmp::Reverse(count), charset));
    let tally: Vec<_> = tally.iter().map(|(charset, count)| format!("{count} {charset}")).collect();
    Finding::ok(
        check,
        if tally.is_empty() {
            "no text columns".to_owned()
        } else {
            format!("text columns: {}", tally.join(", "))
        },
    )
}

/// Do some tables have the tenant column?
pub fn tenant_column(catalog: &Catalog, tenant_column: Option<&str>) -> Option<Finding> {
    let (check, column) = ("tenant-column", tenant_column?);
    let having = catalog.tables.iter().filter(|table| table.place_of(column).is_some()).count();
    let all = counted(catalog.tables.len(), "table");
    Some(if having == 0 {
        let fact =
            format!("no table has the column {column}: rows of all tenants are kept under one key");
        Finding::warning(check, fact, "check GORGEN_TENANT_COLUMN")
    } else {
        Finding::ok(check, format!("{having} of {all} have the column {column}"))
    })
}
