//! Rows as INSERT statements of several rows.

use super::{ColumnLiteral, ident};
use crate::{
    error::FormatError,
    model::{Column, Table},
    stages::rows::take_value,
};

/// Bytes after which a statement ends: well below every server's packet, yet few round trips.
const STATEMENT: usize = 1_000_000;
/// A row of so many canonical bytes gets a statement of its own, so that it fits whenever it can.
const LARGE_ROW: usize = STATEMENT / 4;

/// Writes the rows of one table as statements.
///
/// A statement is `INSERT INTO t (columns) VALUES(row)`, then one row a line that begins with a comma:
/// myloader can cut it there. Its only other line end is its last byte.
#[derive(Debug)]
pub struct Inserts {
    head: String,
    columns: Vec<(Column, ColumnLiteral)>,
    statement: Vec<u8>,
    inexact: Vec<u64>,
}

impl Inserts {
    /// For the rows of this table. Generated columns are none of its columns, and are left out.
    pub fn new(table: &Table) -> Self {
        let names: Vec<_> = table.columns.iter().map(|column| ident(&column.name)).collect();
        let literal = |column: &Column| (column.clone(), ColumnLiteral::of(column));
        Self {
            head: format!("INSERT INTO {} ({}) VALUES", ident(&table.name), names.join(",")),
            columns: table.columns.iter().map(literal).collect(),
            statement: Vec::with_capacity(STATEMENT + LARGE_ROW),
            inexact: vec![0; table.columns.len()],
        }
    }

    /// Adds a row; `write` takes each statement that is finished by it.
    ///
    /// # Errors
    /// Whatever `write` fails with, and what `damaged` makes of a row that can't be read.
    pub fn add<E>(
        &mut self,
        row: &[u8],
        damaged: impl FnOnce(FormatError) -> E,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let large = row.len() >= LARGE_ROW;
        if large {
            self.finish(&mut write)?;
        }
        self.put(row).map_err(damaged)?;
        if large || self.statement.len() >= STATEMENT {
            self.finish(write)?;
        }
        Ok(())
    }

    /// Ends the statement that is being made, if there is one, and gives it to `write`.
    ///
    /// # Errors
    /// Whatever `write` fails with.
    pub fn finish<E>(&mut self, write: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.statement.is_empty() {
            return Ok(());
        }
        self.statement.extend_from_slice(b";\n");
        write(&self.statement)?;
        self.statement.clear();
        self.statement.shrink_to(STATEMENT + LARGE_ROW);
        Ok(())
    }

    /// Columns with values that are no text in the column's character set, and how many.
    pub fn inexact(&self) -> impl Iterator<Item = (&Column, u64)> {
        let columns = self.columns.iter().map(|(column, _)| column);
        columns.zip(self.inexact.iter().copied()).filter(|&(_, count)| count > 0)
    }

    fn put(&mut self, mut row: &[u8]) -> Result<(), FormatError> {
        let between = if self.statement.is_empty() { self.head.as_str() } else { "\n," };
        self.statement.extend_from_slice(between.as_bytes());
        let mut sign = b'(';
        for ((_, literal), inexact) in self.columns.iter().zip(&mut self.inexact) {
            self.statement.push(sign);
            sign = b',';
            let value = take_value(&mut row)?;
            *inexact += u64::from(!literal.put(value, &mut self.statement));
        }
        self.statement.push(b')');
        if row.is_empty() {
            Ok(())
        } else {
            Err(FormatError::Rows("a row has more values than columns"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ValueKind,
        testing::{row, table},
    };

    fn statements(table: &Table, rows: &[Vec<u8>]) -> Vec<String> {
        let (mut inserts, mut found) = (Inserts::new(table), Vec::new());
        let mut write = |statement: &[u8]| {
            found.push(String::from_utf8_lossy(statement).into_owned());
            Ok::<_, FormatError>(())
        };
        for row in rows {
            inserts.add(row, |error| error, &mut write).unwrap();
        }
        inserts.finish(&mut write).unwrap();
        found
    }

    fn notes() -> Table {
        table("no`tas", &[("id", ValueKind::Number), ("texto", ValueKind::Text)], &["id"])
    }

    #[test]
    fn rows_stand_one_a_line() {
        let rows = [row(&[Some("1"), Some("a\nb")]), row(&[Some("2"), None])];
        assert_eq!(
            statements(&notes(), &rows),
            ["INSERT INTO `no``tas` (`id`,`texto`) VALUES(1,'a\\nb')\n,(2,NULL);\n"]
        );
        assert!(statements(&notes(), &[]).is_empty());
    }

    #[test]
    fn statements_are_bounded_and_a_large_row_stands_alone() {
        let text = "x".repeat(100_000);
        let mut rows: Vec<_> =
            (0..25).map(|id| row(&[Some(&id.to_string()), Some(&text)])).collect();
        rows.insert(12, row(&[Some("99"), Some(&"y".repeat(3_000_000))]));
        let statements = statements(&notes(), &rows);
        let sizes: Vec<_> =
            statements.iter().map(|statement| statement.matches("\n,").count() + 1).collect();
        assert_eq!(sizes, [10, 2, 1, 10, 3]);
        assert!(statements[2].contains("(99,'yyy"));
        let longest = statements.iter().map(String::len).filter(|len| *len < 3_000_000);
        assert!(longest.max().unwrap() < STATEMENT + LARGE_ROW);
    }

    #[test]
    fn values_that_are_no_text_are_counted() {
        let mut inserts = Inserts::new(&notes());
        let mut bad = row(&[Some("1")]);
        crate::stages::rows::put_value(&mut bad, b"\xff");
        inserts.add(&bad, |error| error, |_| Ok::<_, FormatError>(())).unwrap();
        let inexact: Vec<_> =
            inserts.inexact().map(|(column, count)| (column.name.as_str(), count)).collect();
        assert_eq!(inexact, [("texto", 1)]);
    }

    #[test]
    fn a_row_of_another_table_is_an_error() {
        let mut inserts = Inserts::new(&notes());
        for wrong in [row(&[Some("1")]), row(&[Some("1"), None, None])] {
            let added = inserts.add(&wrong, |error| error, |_| Ok::<_, FormatError>(()));
            assert!(matches!(added, Err(FormatError::Rows(_))));
        }
    }
}
