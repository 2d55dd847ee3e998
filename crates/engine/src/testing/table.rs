//! Made-up tables and rows.

use crate::{
    model::{Column, Table, ValueKind},
    stages::rows::{put_null, put_value},
};

/// A table with these columns, ordered by those of them that are its key (none: it has no key).
pub fn table(name: &str, columns: &[(&str, ValueKind)], key: &[&str]) -> Table {
    let columns: Vec<_> = columns.iter().map(|(name, kind)| column(name, *kind)).collect();
    Table {
        name: name.to_owned(),
        ddl: ddl(name, &columns, key),
        collation: Some("utf8mb4_bin".to_owned()),
        engine: Some("InnoDB".to_owned()),
        columns,
        key: key.iter().map(|&column| column.to_owned()).collect(),
        key_index: (!key.is_empty()).then(|| "PRIMARY".to_owned()),
        relations: Vec::new(),
        estimated_bytes: 0,
    }
}

/// A row of these values in canonical form; `None` is NULL.
pub fn row(values: &[Option<&str>]) -> Vec<u8> {
    let mut row = Vec::new();
    for value in values {
        match value {
            Some(value) => put_value(&mut row, value.as_bytes()),
            None => put_null(&mut row),
        }
    }
    row
}

fn column(name: &str, kind: ValueKind) -> Column {
    let is_text = kind == ValueKind::Text;
    Column {
        name: name.to_owned(),
        sql_type: sql_type(kind).to_owned(),
        kind,
        charset: is_text.then(|| "utf8mb4".to_owned()),
        collation: is_text.then(|| "utf8mb4_bin".to_owned()),
    }
}

fn sql_type(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Number => "bigint(20)",
        ValueKind::Real => "double",
        ValueKind::Temporal => "datetime",
        ValueKind::Text => "text",
        ValueKind::Json => "json",
        ValueKind::Bytes => "longblob",
        ValueKind::Bit => "bit(64)",
        ValueKind::Geometry => "geometry",
    }
}

/// As `SHOW CREATE TABLE` would write it.
fn ddl(name: &str, columns: &[Column], key: &[&str]) -> String {
    let mut lines: Vec<_> = columns
        .iter()
        .map(|column| {
            let null =
                if key.contains(&column.name.as_str()) { "NOT NULL" } else { "DEFAULT NULL" };
            format!("  `{}` {} {null}", column.name, column.sql_type)
        })
        .collect();
    if !key.is_empty() {
        lines.push(format!("  PRIMARY KEY (`{}`)", key.join("`,`")));
    }
    let (lines, options) =
        (lines.join(",\n"), "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
    format!("CREATE TABLE `{name}` (\n{lines}\n) {options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_definition_a_server_would_show() {
        let table =
            table("notas", &[("id", ValueKind::Number), ("texto", ValueKind::Text)], &["id"]);
        assert_eq!(table.key_places(), [0]);
        assert_eq!(
            table.ddl,
            "CREATE TABLE `notas` (\n  `id` bigint(20) NOT NULL,\n  `texto` text DEFAULT NULL,\n  \
             PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
        );
    }
}
