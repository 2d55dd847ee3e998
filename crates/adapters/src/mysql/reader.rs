//! One table of a snapshot, as canonical rows.

use std::{mem, sync::Arc};

use async_trait::async_trait;
use gorgen_engine::{
    model::{Column, Table, ValueKind},
    ports::{Reader, SourceError},
    stages::{
        real,
        rows::{RowBatch, is_row, is_row_where, put_null, put_value, take_value},
    },
};
use tokio::sync::mpsc::Sender;

use super::{
    connect::Session,
    error::MySqlError,
    names::{ident, ident_list, qualified},
    wire::{self, Connection},
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
        let conn = &mut self.session.conn;
        if conn.query(&query).await.map_err(failed)? != reals.len() {
            return Err(SourceError::Unexpected { what: not_its_columns(&table.name) });
        }
        let (mut spoken, mut batch) = (Vec::new(), RowBatch::new());
        // Only the server's word for the end of the rows ends them; a lost connection is an error.
        while let Some(is_understood) =
            take(conn, &reals, &mut spoken, &mut batch).await.map_err(failed)?
        {
            if !is_understood {
                return Err(SourceError::Unexpected { what: not_its_columns(&table.name) });
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

fn not_its_columns(table: &str) -> String {
    format!("a row of table {table} is not what its columns say")
}

/// Takes one row into the batch and tells whether it could be understood; `None` once there is no other. One with a real
/// that is spelled in another way goes through `spoken`.
async fn take(
    conn: &mut Connection,
    reals: &[bool],
    spoken: &mut Vec<u8>,
    batch: &mut RowBatch,
) -> Result<Option<bool>, wire::Error> {
    let row = batch.next_row();
    let start = row.len();
    if !conn.next_row(row).await? {
        return Ok(None);
    }
    let is_spelled = |place: usize, value: &[u8]| !reals[place] || real::is_canonical(value);
    let is_understood = is_row_where(&row[start..], reals.len(), is_spelled) || {
        spoken.clear();
        spoken.extend_from_slice(&row[start..]);
        row.truncate(start);
        is_row(spoken, reals.len()) && spell(spoken, reals, row)
    };
    if is_understood {
        batch.end_row();
    }
    Ok(Some(is_understood))
}

/// Appends a row in its canonical spelling; tells whether it could be understood.
fn spell(row: &[u8], reals: &[bool], out: &mut Vec<u8>) -> bool {
    let mut rest = row;
    let spelled = reals.iter().all(|is_real| match take_value(&mut rest) {
        Ok(Some(text)) if *is_real && !real::is_canonical(text) => spell_real(text, out),
        Ok(Some(value)) => {
            put_value(out, value);
            true
        }
        Ok(None) => {
            put_null(out);
            true
        }
        Err(_) => false,
    });
    spelled && rest.is_empty()
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

#[cfg(test)]
mod tests {
    use mysql_common::{
        io::ParseBuf,
        value::{TextValue, Value, ValueDeserializer},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::mysql::wire::testing::{both, connected};

    /// Whether these rows are understood, and all that came before.
    async fn taken(sent: &[&[u8]], reals: &[bool]) -> (bool, Vec<Vec<u8>>) {
        let (mut conn, mut server) = connected();
        let (mut spoken, mut batch) = (Vec::new(), RowBatch::new());
        let take_all = async {
            while let Some(is_understood) =
                take(&mut conn, reals, &mut spoken, &mut batch).await.unwrap()
            {
                if !is_understood {
                    return false;
                }
            }
            true
        };
        let serve = async {
            for row in sent {
                server.say(row).await;
            }
            server.say([0xfe, 0, 0, 2, 0, 0, 0]).await;
        };
        let (understood, ()) = both!(take_all, serve);
        (understood, batch.rows().map(<[u8]>::to_vec).collect())
    }

    #[tokio::test]
    async fn a_row_that_is_not_what_its_columns_say_is_not_taken() {
        let good: &[u8] = b"\x011\xfb";
        for reals in [[false, false], [true, false]] {
            assert_eq!(taken(&[good, good], &reals).await, (true, vec![good.to_vec(); 2]));
            for bad in [&b"\x011"[..], b"\x011\x09cut", b"\x011\xfb\xfb", b"\x011\x01"] {
                let expected = (false, vec![good.to_vec()]);
                assert_eq!(taken(&[good, bad, good], &reals).await, expected, "{bad:?}");
            }
        }
    }

    fn row(values: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut row = Vec::new();
        for value in values {
            match value {
                Some(value) => put_value(&mut row, value),
                None => put_null(&mut row),
            }
        }
        row
    }

    /// The values as the protocol's own library reads them.
    fn parsed(row: &[u8], columns: usize) -> Vec<Option<Vec<u8>>> {
        let mut rest = ParseBuf(row);
        let value = |_| match rest.parse::<ValueDeserializer<TextValue>>(()).unwrap().0 {
            Value::Bytes(bytes) => Some(bytes),
            Value::NULL => None,
            other => panic!("{other:?}"),
        };
        (0..columns).map(value).collect()
    }

    fn any_row() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
        let length = prop_oneof![0..300_usize, Just(0xffff), Just(0x1_0000)];
        let value = length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
        prop::collection::vec(prop::option::of(value), 1..5)
    }

    proptest! {
        #[test]
        fn a_row_is_what_was_sent(values in any_row()) {
            let sent = row(&values);
            prop_assert!(is_row(&sent, values.len()));
            prop_assert_eq!(parsed(&sent, values.len()), &values[..]);
            let mut spelled = Vec::new();
            prop_assert!(spell(&sent, &vec![false; values.len()], &mut spelled));
            prop_assert_eq!(spelled, sent);
        }

        #[test]
        fn any_bytes_are_a_row_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64), reals: [bool; 3]) {
            let mut spelled = Vec::new();
            if spell(&bytes, &reals, &mut spelled) {
                prop_assert!(is_row(&spelled, reals.len()));
            }
        }
    }

    #[test]
    fn reals_are_spelled_and_what_stands_beside_them_is_not() {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let sent = row(&[text("1.50"), text("1.50"), None, text("1e-7"), text("0.25")]);
        let mut spelled = Vec::new();
        assert!(spell(&sent, &[false, true, true, true, true], &mut spelled));
        assert_eq!(spelled, row(&[text("1.50"), text("1.5"), None, text("1e-7"), text("0.25")]));
        assert!(!spell(&row(&[text("much")]), &[true], &mut spelled));
        assert!(!spell(&row(&[text("1"), text("2")]), &[true], &mut spelled));
    }
}
