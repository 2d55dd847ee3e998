//! `LOAD DATA LOCAL INFILE`: the fastest way in. Rows are streamed, there is no file.

use bytes::Bytes;
use futures::stream;
use gorgen_engine::{
    model::{SourceIdentity, Table},
    ports::SourceError,
    stages::rows::take_value,
};

use super::{
    connect::Session,
    error::MySqlError,
    names::{ident, qualified},
    place::Place,
    wire,
};

/// What goes to the server at once.
const PIECE: usize = 256 << 10;

/// Codes with which servers say that they don't take `LOAD DATA LOCAL`.
const FORBIDDEN: &[u16] = &[1148, 3948, 4166];

/// Does the server take it? It looks whether it is allowed before it looks for the table.
pub(super) async fn is_allowed(session: &mut Session) -> Result<bool, SourceError> {
    let switch = session.answers_if_allowed("SELECT @@GLOBAL.local_infile").await?;
    if switch.first().is_none_or(|row| row.number(0) == 0) {
        return Ok(false);
    }
    let nowhere = "LOAD DATA LOCAL INFILE 'probe' INTO TABLE \
         information_schema.there_is_no_such_table_gorgen FIELDS TERMINATED BY '\\t'";
    match session.conn.load(nowhere, stream::empty()).await.map_err(MySqlError::from) {
        Ok(()) => Ok(true),
        Err(MySqlError::Server { code, .. }) => Ok(!FORBIDDEN.contains(&code)),
        Err(error) => Err(error.refused(session.identity(), "try LOAD DATA LOCAL")),
    }
}

/// Loads the rows and gives the number that the server says it stored.
pub(super) async fn load(
    session: &mut Session,
    table: &Table,
    rows: &[u8],
) -> Result<u64, wire::Error> {
    let (rows, columns) = (Bytes::copy_from_slice(rows), table.columns.len());
    let pieces = stream::unfold(0, move |from| {
        let piece = spell(&rows, from, columns);
        futures::future::ready(piece.map(|(piece, next)| (Bytes::from(piece), next)))
    });
    let statement = statement(session.identity(), table);
    session.conn.load(&statement, pieces).await?;
    Ok(session.conn.affected_rows)
}

fn statement(target: &SourceIdentity, table: &Table) -> String {
    let (mut fields, mut parsed) = (Vec::new(), Vec::new());
    for (place, column) in table.columns.iter().enumerate() {
        let name = ident(&column.name);
        if Place::of(column) == Place::Parsed {
            fields.push(format!("@gorgen_{place}"));
            parsed.push(format!("{name} = CONVERT(@gorgen_{place} USING utf8mb4)"));
        } else {
            fields.push(name);
        }
    }
    let set = if parsed.is_empty() { String::new() } else { format!(" SET {}", parsed.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'rows' INTO TABLE {} CHARACTER SET binary \
         FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' \
         LINES STARTING BY '' TERMINATED BY '\\n' ({}){set}",
        qualified(&target.database, &table.name),
        fields.join(", ")
    )
}

/// Some rows from this place on, spelled for the server, and the place after them; `None` at the end.
fn spell(rows: &[u8], from: usize, columns: usize) -> Option<(Vec<u8>, usize)> {
    let mut rest = rows.get(from..).filter(|rest| !rest.is_empty())?;
    let mut piece = Vec::with_capacity(PIECE + (PIECE >> 3));
    while piece.len() < PIECE && !rest.is_empty() {
        for place in 0..columns {
            if place > 0 {
                piece.push(b'\t');
            }
            match take_value(&mut rest).ok()? {
                None => piece.extend_from_slice(b"\\N"),
                Some(value) => escape(value, &mut piece),
            }
        }
        piece.push(b'\n');
    }
    Some((piece, rows.len() - rest.len()))
}

/// Only what would end a field or a line, and the escape itself, must be escaped.
fn escape(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'\t' | b'\n')) {
        out.extend_from_slice(&rest[..at]);
        let letter = match rest[at] {
            b'\t' => b't',
            b'\n' => b'n',
            other => other,
        };
        out.extend_from_slice(&[b'\\', letter]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use gorgen_engine::stages::rows::{put_null, put_value};

    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped_and_nothing_else() {
        let mut rows = Vec::new();
        put_value(&mut rows, b"a\tb\nc\\N\0\r'\xff");
        put_null(&mut rows);
        put_value(&mut rows, b"");
        put_value(&mut rows, b"x");
        let (piece, next) = spell(&rows, 0, 2).unwrap();
        assert_eq!(piece, b"a\\tb\\nc\\\\N\0\r'\xff\t\\N\n\tx\n");
        assert_eq!(next, rows.len());
        assert!(spell(&rows, next, 2).is_none());
    }
}
