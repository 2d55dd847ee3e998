//! The stored columns of all tables.

use std::collections::HashMap;

use gorgen_engine::{
    model::{Column, ValueKind},
    ports::SourceError,
};

use super::{
    connect::{Answer, Session},
    schema::Schema,
};

/// Stored columns by table, in order; and what can't be trusted about some of them.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) of: HashMap<String, Vec<Column>>,
    pub(super) warnings: Vec<String>,
}

const QUERY: &str = "TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, \
     EXTRA, GENERATION_EXPRESSION, COLUMN_DEFAULT";

/// Reads the columns of every table; those of views are among them and do no harm.
pub(super) async fn read(session: &mut Session, schema: &Schema) -> Result<Columns, SourceError> {
    let rows =
        schema.ask(session, "COLUMNS", QUERY, "ORDER BY TABLE_NAME, ORDINAL_POSITION").await?;
    let mut columns = Columns::default();
    for row in &rows {
        let place = columns.of.entry(row.text(0)).or_default();
        if !is_generated(row) {
            place.push(column(row)?);
            columns.warnings.extend(doubt(row, schema.shows_defaults_whole));
        }
    }
    Ok(columns)
}

fn column(row: &Answer) -> Result<Column, SourceError> {
    let kind = kind_of(row.get(2).unwrap_or_default()).ok_or_else(|| SourceError::Unexpected {
        what: format!(
            "column {} of {} has the unknown type {}",
            row.text(1),
            row.text(0),
            row.text(3)
        ),
    })?;
    Ok(Column {
        name: row.text(1),
        sql_type: row.text(3),
        kind,
        charset: row.get(4).map(str::to_owned),
        collation: row.get(5).map(str::to_owned),
    })
}

/// `DEFAULT_GENERATED` only says that a default is an expression.
fn is_generated(row: &Answer) -> bool {
    let extra = row.text(6).to_uppercase();
    let says_so = ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"];
    says_so.iter().any(|words| extra.contains(words))
        || row.get(7).is_some_and(|text| !text.is_empty())
}

/// Servers show `?` for characters beyond U+FFFF in the members of ENUM and SET, MariaDB in defaults too.
fn doubt(row: &Answer, shows_defaults_whole: bool) -> Option<String> {
    let is_list = matches!(row.get(2), Some("enum" | "set"));
    let default = row.get(8).filter(|_| !shows_defaults_whole && row.get(4).is_some());
    let shown = default.into_iter().chain(row.get(3).filter(|_| is_list));
    shown.into_iter().any(|text| text.contains('?')).then(|| {
        format!(
            "column {} of table {}: the server shows `?` in its definition, which may stand for a character \
             that it cannot show, such as an emoji",
            row.text(1),
            row.text(0)
        )
    })
}

/// How values of a type travel; `None` for a type this program does not know.
fn kind_of(data_type: &str) -> Option<ValueKind> {
    Some(match data_type.to_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal"
        | "numeric" => ValueKind::Number,
        "float" | "double" | "real" => ValueKind::Real,
        "date" | "datetime" | "timestamp" | "time" | "year" => ValueKind::Temporal,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        | "uuid" | "inet4" | "inet6" | "xmltype" => ValueKind::Text,
        "json" => ValueKind::Json,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => {
            ValueKind::Bytes
        }
        "bit" => ValueKind::Bit,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => ValueKind::Geometry,
        _ => return None,
    })
}
