//! Which key orders a table's rows, and which tables its rows point at.

use std::collections::{BTreeMap, HashMap};

use gorgen_engine::{
    model::{Column, Relation},
    ports::SourceError,
};

use super::{connect::Session, names::ident, schema::Schema};

/// A unique index that can order rows: no column of it can be NULL, none is a part or an expression.
#[derive(Debug)]
pub(super) struct UniqueKey {
    pub(super) index: String,
    pub(super) columns: Vec<String>,
}

/// The usable unique keys of every table.
pub(super) async fn read_unique(
    session: &mut Session,
    schema: &Schema,
) -> Result<HashMap<String, Vec<UniqueKey>>, SourceError> {
    let is_hidden = hidden_expression(session).await?;
    let query = format!(
        "TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART IS NULL AND NULLABLE <> 'YES' \
         AND INDEX_TYPE NOT IN ('HASH', 'FULLTEXT', 'SPATIAL', 'RTREE') AND COLUMN_NAME IS NOT NULL \
         AND NOT {is_hidden}"
    );
    let tail = "AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
    let mut indexes: BTreeMap<(String, String), Option<Vec<String>>> = BTreeMap::new();
    for row in schema.ask(session, "STATISTICS", &query, tail).await? {
        let columns = indexes.entry((row.text(0), row.text(1))).or_insert_with(|| Some(Vec::new()));
        match columns {
            Some(columns) if row.number(3) == 1 => columns.push(row.text(2)),
            _ => *columns = None,
        }
    }
    let mut keys: HashMap<_, Vec<_>> = HashMap::new();
    for ((table, index), columns) in indexes {
        keys.entry(table).or_default().extend(columns.map(|columns| UniqueKey { index, columns }));
    }
    Ok(keys)
}

/// An index that the optimizer may not use can't be forced. How a server says so, if it has such a thing.
async fn hidden_expression(session: &mut Session) -> Result<&'static str, SourceError> {
    let query = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema' \
         AND TABLE_NAME = 'STATISTICS' AND COLUMN_NAME IN ('IS_VISIBLE', 'IGNORED')";
    let columns = session.answers("describe indexes", query).await?;
    Ok(match columns.first().map(|row| row.text(0).to_uppercase()).as_deref() {
        Some("IS_VISIBLE") => "IS_VISIBLE = 'NO'",
        Some("IGNORED") => "IGNORED = 'YES'",
        _ => "FALSE",
    })
}

/// The primary key, or the unique key that comes first in the definition: the one that InnoDB clusters by.
/// Its columns must all be stored ones.
pub(super) fn choose<'a>(
    keys: &'a [UniqueKey],
    columns: &[Column],
    definition: &str,
) -> Option<&'a UniqueKey> {
    let is_stored = |name: &String| columns.iter().any(|column| column.name == *name);
    let place = |key: &&UniqueKey| {
        let clause = format!("UNIQUE KEY {} ", ident(&key.index));
        (key.index != "PRIMARY", definition.find(&clause).unwrap_or(usize::MAX))
    };
    keys.iter().filter(|key| key.columns.iter().all(is_stored)).min_by_key(place)
}

const FOREIGN_KEYS: &str = "TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, \
     REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME";

/// The foreign keys of every table.
pub(super) async fn read_relations(
    session: &mut Session,
    schema: &Schema,
) -> Result<HashMap<String, Vec<Relation>>, SourceError> {
    let tail = "AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";
    let mut relations: HashMap<_, Vec<Relation>> = HashMap::new();
    for row in schema.ask(session, "KEY_COLUMN_USAGE", FOREIGN_KEYS, tail).await? {
        let of_table = relations.entry(row.text(0)).or_default();
        if of_table.last().is_none_or(|last| last.name != row.text(1)) {
            of_table.push(Relation {
                name: row.text(1),
                columns: Vec::new(),
                parent_database: row.get(3).filter(|name| *name != schema.name).map(str::to_owned),
                parent: row.text(4),
                parent_columns: Vec::new(),
            });
        }
        if let Some(relation) = of_table.last_mut() {
            relation.columns.push(row.text(2));
            relation.parent_columns.push(row.text(5));
        }
    }
    Ok(relations)
}

#[cfg(test)]
mod tests {
    use gorgen_engine::model::ValueKind;

    use super::*;

    fn key(index: &str, columns: &[&str]) -> UniqueKey {
        UniqueKey {
            index: index.to_owned(),
            columns: columns.iter().map(|&c| c.to_owned()).collect(),
        }
    }

    #[test]
    fn the_clustering_key_is_chosen() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            sql_type: "int".to_owned(),
            kind: ValueKind::Number,
            charset: None,
            collation: None,
        };
        let columns = [column("a"), column("b")];
        let ddl = "CREATE TABLE `t` (\n  UNIQUE KEY `z` (`b`),\n  UNIQUE KEY `y` (`a`)\n)";
        let chosen = |keys: &[UniqueKey]| choose(keys, &columns, ddl).map(|key| key.index.clone());
        assert_eq!(chosen(&[key("y", &["a"]), key("z", &["b"])]), Some("z".to_owned()));
        assert_eq!(chosen(&[key("y", &["a"]), key("PRIMARY", &["b"])]), Some("PRIMARY".to_owned()));
        assert_eq!(
            chosen(&[key("PRIMARY", &["generated"]), key("y", &["a"])]),
            Some("y".to_owned())
        );
        assert_eq!(chosen(&[]), None);
    }
}
