//! Tables that only ever grow: rows of the backup that are gone come back, later ones stay.

use super::{site::Site, swapping::retrying};
use crate::{
    jobs::Error,
    model::{Catalog, CharsetContext, Column, StoredObject, StoredObjectKind, Table, ValueKind},
    stages::definition::quoted,
};

/// Gives every table that is merged the rows that it lacks. Its own triggers must not fire for them.
///
/// `before` is the live database as it was before any of this.
pub(super) async fn merge(
    site: &Site<'_>,
    before: &Catalog,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    for name in &site.record.merged {
        let staged = site.chosen.catalog.tables.iter().find(|table| table.name == *name);
        let live = before.tables.iter().find(|table| table.name == *name);
        let (Some(staged), Some(live)) = (staged, live) else { continue };
        let is_its_trigger = |object: &&StoredObject| {
            object.kind == StoredObjectKind::Trigger && object.table.as_ref() == Some(name)
        };
        let triggers: Vec<_> = before.objects.iter().filter(is_its_trigger).collect();
        let (came_back, differ) = rows(site, staged, live, &triggers).await?;
        if came_back > 0 {
            warnings.push(format!(
                "{came_back} rows of table {name} that were gone came back; those that came later stay"
            ));
        }
        if differ > 0 {
            warnings.push(format!(
                "{differ} rows of table {name}, which only grows, are not what they were in the backup; they stay as they are"
            ));
        }
    }
    Ok(())
}

/// Why rows can't be merged, each a sentence: columns of the backup that the live table has no more.
pub(super) fn lost_columns(staged: &Table, live: &Table) -> Vec<String> {
    let lost = staged.columns.iter().filter(|column| live.place_of(&column.name).is_none());
    lost.map(|column| {
        format!("table {} only grows, and has no column {} any more", staged.name, column.name)
    })
    .collect()
}

async fn rows(
    site: &Site<'_>,
    staged: &Table,
    live: &Table,
    triggers: &[&StoredObject],
) -> Result<(u64, u64), Error> {
    let database = site.live().database;
    let there = site.server.contents(&database).await?.triggers;
    let mut session = site.server.sole_session(&database).await?;
    let (table, plain) = (quoted(&staged.name), CharsetContext::default());
    let action = format!("merge table {}", staged.name);
    let source = format!("{}.{table}", quoted(&site.names.staging));
    if !triggers.is_empty() {
        let lock = format!("LOCK TABLES {table} WRITE, {table} AS l READ, {source} AS s READ");
        retrying(async || session.execute(&action, &lock, &plain).await).await?;
        for object in triggers {
            let drop = format!("DROP TRIGGER IF EXISTS {}", quoted(&object.name));
            if there.contains(&(staged.name.clone(), object.name.clone())) {
                session.execute(&action, &drop, &plain).await?;
            }
        }
    }
    let insert = missing_rows(&table, &source, staged, live);
    let merged = retrying(async || session.execute(&action, &insert, &plain).await).await;
    let differ = match different_rows(&table, &source, staged, live) {
        Some(query) if merged.is_ok() => session.number(&action, &query).await.map_err(Error::from),
        _ => Ok(0),
    };
    for object in triggers {
        session.execute(&action, &object.ddl, &object.context).await?;
    }
    if !triggers.is_empty() {
        session.execute(&action, "UNLOCK TABLES", &plain).await?;
    }
    Ok((merged?, differ?))
}

fn missing_rows(table: &str, source: &str, staged: &Table, live: &Table) -> String {
    let columns: Vec<_> = staged.columns.iter().map(|column| quoted(&column.name)).collect();
    let values: Vec<_> = columns.iter().map(|column| format!("s.{column}")).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    format!(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {source} AS s WHERE NOT EXISTS \
         (SELECT 1 FROM {table} AS l WHERE {})",
        one_row(staged, live)
    )
}

/// Rows that are there, but not as they were; `None` without a key, by which alone a row is the same one.
fn different_rows(table: &str, source: &str, staged: &Table, live: &Table) -> Option<String> {
    if live.key.is_empty() {
        return None;
    }
    let equal: Vec<_> = staged.columns.iter().map(|column| equal(column, "l", "s")).collect();
    Some(format!(
        "SELECT COUNT(*) FROM {source} AS s JOIN {table} AS l ON {} WHERE NOT ({})",
        one_row(staged, live),
        equal.join(" AND ")
    ))
}

/// Is it the same row? By the key; without one only if all of it is the same.
fn one_row(staged: &Table, live: &Table) -> String {
    let by_key = |name: &String| format!("l.{0} = s.{0}", quoted(name));
    let has_key = !live.key.is_empty() && live.key.iter().all(|key| staged.place_of(key).is_some());
    let terms: Vec<_> = if has_key {
        live.key.iter().map(by_key).collect()
    } else {
        staged.columns.iter().map(|column| equal(column, "l", "s")).collect()
    };
    terms.join(" AND ")
}

/// Are the values of a column the same, byte for byte? NULL is the same as NULL.
pub(super) fn equal(column: &Column, one: &str, other: &str) -> String {
    let name = quoted(&column.name);
    let cast = |to: &str| format!("CAST({one}.{name} AS {to}) <=> CAST({other}.{name} AS {to})");
    match column.kind {
        ValueKind::Text => cast("BINARY"),
        ValueKind::Json => cast("CHAR"),
        _ => format!("{one}.{name} <=> {other}.{name}"),
    }
}
