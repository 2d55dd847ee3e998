//! Multi-row `INSERT`: the way in where `LOAD DATA LOCAL` is forbidden.

use gorgen_engine::{
    model::{Flavor, SourceIdentity, Table},
    ports::TargetError,
    stages::{rows::take_value, sql::json},
};

use super::{
    names::{ident_list, qualified},
    place::Place,
};

/// A statement is sent once it is this long.
const STATEMENT: usize = 1 << 20;

/// What the protocol adds to a statement, with a margin.
const OVERHEAD: usize = 64;

/// The statements that store some rows.
pub(super) struct Inserts<'a> {
    table: &'a str,
    head: Vec<u8>,
    values: Vec<Value>,
    rest: &'a [u8],
    /// The first row that did not fit into the last statement, spelled.
    waiting: Vec<u8>,
    max_packet: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Of(Place),
    /// JSON whose decimals are put back.
    Json,
}

impl<'a> Inserts<'a> {
    pub(super) fn new(
        target: &SourceIdentity,
        table: &'a Table,
        rows: &'a [u8],
        flavor: Flavor,
        max_packet: u64,
    ) -> Self {
        let columns = ident_list(table.columns.iter().map(|column| &column.name));
        let head =
            format!("INSERT INTO {} ({columns}) VALUES ", qualified(&target.database, &table.name));
        let values = table.columns.iter().map(|column| match column.kind {
            gorgen_engine::model::ValueKind::Json if flavor == Flavor::MySql => Value::Json,
            _ => Value::Of(Place::of(column)),
        });
        Self {
            table: &table.name,
            head: head.into_bytes(),
            values: values.collect(),
            rest: rows,
            waiting: Vec::new(),
            max_packet: usize::try_from(max_packet).unwrap_or(usize::MAX),
        }
    }

    /// The next statement; `None` after the last.
    ///
    /// # Errors
    /// [`TargetError::RowTooLarge`] if a row alone is more than the server takes.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, TargetError> {
        let limit = STATEMENT.min(self.max_packet.saturating_sub(OVERHEAD));
        let mut statement = self.head.clone();
        let mut is_empty = true;
        while !self.waiting.is_empty() || !self.rest.is_empty() {
            if self.waiting.is_empty() {
                self.spell_row();
            }
            if !is_empty && statement.len() + 1 + self.waiting.len() > limit {
                break;
            }
            if !is_empty {
                statement.push(b',');
            }
            statement.append(&mut self.waiting);
            is_empty = false;
        }
        let needed = statement.len() + OVERHEAD;
        if needed > self.max_packet {
            return Err(TargetError::RowTooLarge {
                table: self.table.to_owned(),
                needed: needed as u64,
                allowed: self.max_packet as u64,
            });
        }
        Ok((!is_empty).then_some(statement))
    }

    fn spell_row(&mut self) {
        for (place, value) in self.values.iter().enumerate() {
            self.waiting.push(if place == 0 { b'(' } else { b',' });
            // The rows were surveyed: they are whole.
            match take_value(&mut self.rest).ok().flatten() {
                None => self.waiting.extend_from_slice(b"NULL"),
                Some(bytes) => value.spell(bytes, &mut self.waiting),
            }
        }
        self.waiting.push(b')');
    }
}

impl Value {
    fn spell(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Of(Place::Plain) => quote(b"", bytes, out),
            Self::Of(Place::Raw) => quote(b"_binary", bytes, out),
            Self::Of(Place::Parsed) => quote(b"_utf8mb4", bytes, out),
            Self::Json => {
                let numbers = json::numbers_that_change(bytes);
                if numbers.is_empty() {
                    return quote(b"_utf8mb4", bytes, out);
                }
                out.extend_from_slice(b"JSON_SET(");
                quote(b"_utf8mb4", bytes, out);
                for number in numbers {
                    out.push(b',');
                    quote(b"", number.path.as_bytes(), out);
                    out.extend_from_slice(b",CAST(");
                    quote(b"", number.digits.as_bytes(), out);
                    let (precision, scale) = number.decimal();
                    out.extend_from_slice(format!(" AS DECIMAL({precision},{scale}))").as_bytes());
                }
                out.push(b')');
            }
        }
    }
}

/// A string literal. No byte of a character in UTF-8 but the character itself is a quote or a backslash.
fn quote(introducer: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(introducer);
    out.push(b'\'');
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'\'' | 0)) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', if rest[at] == 0 { b'0' } else { rest[at] }]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use gorgen_engine::{
        model::{Column, ValueKind},
        stages::rows::{put_null, put_value},
    };

    use super::*;

    fn table(kinds: &[ValueKind]) -> Table {
        let column = |(place, &kind): (usize, &ValueKind)| Column {
            name: format!("c{place}"),
            sql_type: "t".to_owned(),
            kind,
            charset: (kind == ValueKind::Text).then(|| "latin1".to_owned()),
            collation: None,
        };
        Table {
            name: "t".to_owned(),
            ddl: String::new(),
            collation: None,
            engine: None,
            columns: kinds.iter().enumerate().map(column).collect(),
            key: Vec::new(),
            key_index: None,
            relations: Vec::new(),
            estimated_bytes: 0,
        }
    }

    fn statements(table: &Table, rows: &[u8], max_packet: u64) -> Result<Vec<String>, TargetError> {
        let target = SourceIdentity { server: "s".to_owned(), database: "d".to_owned() };
        let mut inserts = Inserts::new(&target, table, rows, Flavor::MySql, max_packet);
        let mut all = Vec::new();
        while let Some(statement) = inserts.next()? {
            all.push(String::from_utf8(statement).unwrap());
        }
        Ok(all)
    }

    #[test]
    fn values_are_spelled_by_kind() {
        let mut rows = Vec::new();
        put_value(&mut rows, b"12");
        put_value(&mut rows, b"a'\\\0\n");
        put_value(&mut rows, b"{\"a\": 1.50}");
        put_null(&mut rows);
        let table = table(&[ValueKind::Number, ValueKind::Text, ValueKind::Json, ValueKind::Bytes]);
        assert_eq!(
            statements(&table, &rows, 1 << 20).unwrap(),
            [concat!(
                "INSERT INTO `d`.`t` (`c0`, `c1`, `c2`, `c3`) VALUES ('12',_binary'a\\'\\\\\\0\n',",
                "JSON_SET(_utf8mb4'{\"a\": 1.50}','$.\"a\"',CAST('1.50' AS DECIMAL(3,2))),NULL)"
            )]
        );
    }

    #[test]
    fn statements_stay_below_the_limit_and_hold_all_rows() {
        let mut rows = Vec::new();
        (0..100).for_each(|_| put_value(&mut rows, &[b'x'; 50]));
        let table = table(&[ValueKind::Bytes]);
        let all = statements(&table, &rows, 400).unwrap();
        assert!(all.len() > 10 && all.iter().all(|statement| statement.len() + OVERHEAD <= 400));
        assert_eq!(
            all.iter().map(|statement| statement.matches("_binary").count()).sum::<usize>(),
            100
        );
        assert!(statements(&table, &[], 400).unwrap().is_empty());
        let error = statements(&table, &rows, 120).unwrap_err();
        assert!(matches!(error, TargetError::RowTooLarge { allowed: 120, .. }));
    }
}
