//! One table of a snapshot, as canonical rows.

use std::{mem, sync::Arc};

use async_trait::async_trait;
use futures::FutureExt;
use gorgen_engine::{
    model::{Column, Table, ValueKind},
    ports::{Reader, SourceError},
    stages::rows::{RowBatch, put_null, put_value},
};
use mysql_async::{Row, Value, prelude::Queryable};
use tokio::sync::mpsc::Sender;

use super::{
    connect::Session,
    error::MySqlError,
    names::{ident, ident_list, qualified},
    real,
};

/// Text as it is stored, in whatever character set, and numbers as ASCII.
const RAW_RESULTS: &str = "SET SESSION character_set_results = NULL";

/// One session within a snapshot. Its transaction holds the definition of every table until it ends: two tables that
/// change places meanwhile would otherwise be read as one state that never was.
pub(super) struct MySqlReader {
    session: Session,
    /// Rows of an unfinished table may still be on their way: this session can't be used for anything else.
    midway: bool,
    _guard: Arc<Option<Session>>,
}

impl MySqlReader {
    /// Takes over a session whose snapshot has begun.
    pub(super) async fn new(
        mut session: Session,
        guard: Arc<Option<Session>>,
    ) -> Result<Self, SourceError> {
        session.run("prepare to read rows", RAW_RESULTS).await?;
        Ok(Self { session, midway: false, _guard: guard })
    }

    /// Sends all rows; `false` if nobody wants them any more.
    async fn send(&mut self, table: &Table, rows: &Sender<RowBatch>) -> Result<bool, SourceError> {
        let (what, action) =
            (format!("table {}", table.name), format!("read table {}", table.name));
        let query = select(&self.session.identity().database, table);
        let identity = self.session.identity().clone();
        let failed = |error| MySqlError::from(error).source(&identity, &action, &what);
        let reals: Vec<bool> =
            table.columns.iter().map(|column| column.kind == ValueKind::Real).collect();
        let mut result = self.session.conn.query_iter(query).await.map_err(failed)?;
        let mut batch = RowBatch::new();
        // `next` gives the end only for the server's end-of-rows packet; a lost connection is an error.
        while let Some(row) = result.next().await.map_err(failed)? {
            let mut understood = false;
            batch.push(|out| understood = spell(&row, &reals, out));
            if !understood {
                let what = format!("a row of table {} is not what its columns say", table.name);
                return Err(SourceError::Unexpected { what });
            }
            if batch.is_full()
                && rows.send(mem::replace(&mut batch, RowBatch::new())).await.is_err()
            {
                return Ok(false);
            }
        }
        Ok(batch.is_empty() || rows.send(batch).await.is_ok())
    }
}

#[async_trait]
impl Reader for MySqlReader {
    async fn read(&mut self, table: &Table, rows: Sender<RowBatch>) -> Result<(), SourceError> {
        if self.midway {
            let what =
                "a connection that stopped in the middle of a table was to read another".to_owned();
            return Err(SourceError::Unexpected { what });
        }
        self.midway = true;
        self.midway = !self.send(table, &rows).await?;
        Ok(())
    }
}

/// The driver would read the rest of an unfinished table before it closes the connection. It does not once a
/// command was begun and given up.
impl Drop for MySqlReader {
    fn drop(&mut self) {
        if self.midway {
            let _ = self.session.conn.ping().now_or_never();
        }
    }
}

/// The query for all stored columns of a table in the order of its key.
fn select(database: &str, table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(selected).collect();
    let from = format!("SELECT {} FROM {}", columns.join(", "), qualified(database, &table.name));
    match &table.key_index {
        Some(index) if !table.key.is_empty() => {
            format!("{from} FORCE INDEX ({}) ORDER BY {}", ident(index), ident_list(&table.key))
        }
        _ => from,
    }
}

/// As text, FLOAT has six digits and the sign of zero is lost; multiplied by one it is an exact DOUBLE.
fn selected(column: &Column) -> String {
    let name = ident(&column.name);
    if column.kind == ValueKind::Real { format!("{name} * 1e0") } else { name }
}

/// Appends a row in its canonical spelling; tells whether it could be understood.
fn spell(row: &Row, reals: &[bool], out: &mut Vec<u8>) -> bool {
    row.len() == reals.len()
        && reals.iter().enumerate().all(|(place, is_real)| match row.as_ref(place) {
            Some(Value::NULL) => {
                put_null(out);
                true
            }
            Some(Value::Bytes(text)) if *is_real => spell_real(text, out),
            Some(Value::Bytes(bytes)) => {
                put_value(out, bytes);
                true
            }
            _ => false,
        })
}

fn spell_real(text: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(value) = real::parse(text) else { return false };
    // At most some 25 digits: the length takes one byte, filled in when it is known.
    let length = out.len();
    out.push(0);
    real::spell(value, out);
    let spelled = out.len() - length - 1;
    out[length] = spelled.to_le_bytes()[0];
    true
}
