//! What a backup does not, or not fully, cover; said aloud with every backup.

use crate::model::{Catalog, Table};

/// Engines whose tables are part of a snapshot.
const TRANSACTIONAL: [&str; 4] = ["innodb", "rocksdb", "tokudb", "ndbcluster"];

/// What the source says of itself, the tables that no snapshot covers, and a tenant column that no table has.
pub fn warnings(catalog: &Catalog, tenant_column: Option<&str>) -> Vec<String> {
    let mut warnings = catalog.warnings.clone();
    for table in &catalog.tables {
        if !is_transactional(table) {
            let engine = table.engine.as_deref().unwrap_or("an unknown engine");
            warnings.push(format!(
                "table {} uses {engine}, which takes no part in a snapshot: rows written while the backup \
                 ran may be missing or half there",
                table.name
            ));
        }
    }
    if let Some(column) = tenant_column.filter(|column| no_table_has(catalog, column)) {
        warnings
            .push(format!("no table has the tenant column {column}: rows are kept under one key"));
    }
    warnings
}

/// Are the table's rows part of a snapshot?
pub(super) fn is_transactional(table: &Table) -> bool {
    table
        .engine
        .as_ref()
        .is_some_and(|engine| TRANSACTIONAL.contains(&engine.to_lowercase().as_str()))
}

fn no_table_has(catalog: &Catalog, column: &str) -> bool {
    catalog.tables.iter().all(|table| table.place_of(column).is_none())
}
