//! Canonical rows: one spelling of a row, whatever server it came from.
//!
//! A row is its values in the order of the table's stored columns. A value is NULL (one byte, `fb`) or a
//! length and that many bytes. Lengths are written as the MySQL protocol writes them, in the shortest form:
//! one byte below `fb`; `fc` and two bytes; `fd` and three; `fe` and eight; little endian. What the bytes of
//! each kind of value are is said at [`crate::model::ValueKind`] and in docs/format.md.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::error::FormatError;

const NULL: u8 = 0xfb;
const TWO_BYTES: u8 = 0xfc;
const THREE_BYTES: u8 = 0xfd;
const EIGHT_BYTES: u8 = 0xfe;

/// Appends NULL to a row.
pub fn put_null(row: &mut Vec<u8>) {
    row.push(NULL);
}

/// Appends a value to a row.
pub fn put_value(row: &mut Vec<u8>, value: &[u8]) {
    let length = value.len() as u64;
    match length {
        0..0xfb => row.push(length.to_le_bytes()[0]),
        0xfb..0x1_0000 => {
            row.push(TWO_BYTES);
            row.extend_from_slice(&length.to_le_bytes()[..2]);
        }
        0x1_0000..0x100_0000 => {
            row.push(THREE_BYTES);
            row.extend_from_slice(&length.to_le_bytes()[..3]);
        }
        _ => {
            row.push(EIGHT_BYTES);
            row.extend_from_slice(&length.to_le_bytes());
        }
    }
    row.extend_from_slice(value);
}

/// Takes one value off the front: `None` is NULL.
///
/// # Errors
/// [`FormatError::Rows`] if the bytes end within the value, or begin none.
pub fn take_value<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, FormatError> {
    let Some((&first, mut tail)) = rest.split_first() else {
        return Err(FormatError::Rows("a value is missing"));
    };
    let length_bytes = match first {
        NULL => {
            *rest = tail;
            return Ok(None);
        }
        TWO_BYTES => 2,
        THREE_BYTES => 3,
        EIGHT_BYTES => 8,
        0xff => return Err(FormatError::Rows("a value starts with ff")),
        _ => 0,
    };
    let length = if length_bytes == 0 {
        u64::from(first)
    } else {
        let Some((length, after)) = tail.split_at_checked(length_bytes) else {
            return Err(FormatError::Rows("a length is cut short"));
        };
        tail = after;
        let mut padded = [0; 8];
        padded[..length_bytes].copy_from_slice(length);
        u64::from_le_bytes(padded)
    };
    let split = usize::try_from(length).ok().and_then(|length| tail.split_at_checked(length));
    let Some((value, after)) = split else {
        return Err(FormatError::Rows("a value is cut short"));
    };
    *rest = after;
    Ok(Some(value))
}

/// Takes one row of `columns` values off the front and gives its bytes.
///
/// # Errors
/// [`FormatError::Rows`] if the bytes end within the row.
pub fn take_row<'a>(rest: &mut &'a [u8], columns: usize) -> Result<&'a [u8], FormatError> {
    let start = *rest;
    for _ in 0..columns {
        take_value(rest)?;
    }
    Ok(&start[..start.len() - rest.len()])
}

/// Is this one canonical row of `columns` values, to the byte, and nothing more?
pub fn is_row(bytes: &[u8], columns: usize) -> bool {
    is_row_where(bytes, columns, |_, _| true)
}

/// The same, and is each value that is not NULL good where it stands?
pub fn is_row_where(
    bytes: &[u8],
    columns: usize,
    mut is_good: impl FnMut(usize, &[u8]) -> bool,
) -> bool {
    let mut rest = bytes;
    let is_value = |place| {
        let before = rest.len();
        match take_value(&mut rest) {
            Ok(Some(value)) => {
                before - rest.len() == spelled_length(value.len()) && is_good(place, value)
            }
            Ok(None) => true,
            Err(_) => false,
        }
    };
    (0..columns).all(is_value) && rest.is_empty()
}

/// How long a value of this length is in a row.
fn spelled_length(length: usize) -> usize {
    length
        + match length {
            0..0xfb => 1,
            0xfb..0x1_0000 => 3,
            0x1_0000..0x100_0000 => 4,
            _ => 9,
        }
}

/// Are these exactly `count` rows of `columns` values?
///
/// # Errors
/// [`FormatError::Rows`] if there are more or fewer, or the bytes end within one.
pub fn check_rows(rows: &[u8], columns: usize, count: u32) -> Result<(), FormatError> {
    let mut rest = rows;
    for _ in 0..count {
        take_row(&mut rest, columns)?;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(FormatError::Rows("a chunk has more rows than the manifest says"))
    }
}

/// Some hundred KiB of rows on their way from the source, in one piece of memory.
#[derive(Debug, Default)]
pub struct RowBatch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowBatch {
    /// A batch is full, and sent on, once it holds this many bytes.
    pub const FULL: usize = 256 << 10;

    /// An empty batch with room for a full one.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(Self::FULL + (16 << 10)), ends: Vec::with_capacity(1024) }
    }

    /// Appends one row, which `write` spells with [`put_value`] and [`put_null`].
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Where the next row is written: what is appended is a row with [`Self::end_row`], and nothing without it.
    pub fn next_row(&mut self) -> &mut Vec<u8> {
        self.bytes.truncate(self.ends.last().copied().unwrap_or_default());
        &mut self.bytes
    }

    /// What was appended since the last row is a row.
    pub fn end_row(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Is it time to send the batch on?
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= Self::FULL
    }

    /// Does it hold no row?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

/// What a set of rows comes down to: their number, their bytes, and a digest that does not depend on
/// their order but does count duplicates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Number of rows.
    pub rows: u64,
    /// Bytes of the canonical rows.
    pub bytes: u64,
    /// Sum, modulo 2^128, of the XXH3-128 hash of each row; 32 hex digits as text.
    #[serde(with = "hex_u128")]
    pub sum: u128,
}

impl Digest {
    /// Counts one row in.
    pub fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.sum = self.sum.wrapping_add(xxh3_128(row));
    }

    /// Counts the rows of another digest in.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

mod hex_u128 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{sum:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// What decides where chunks end and whose rows they hold: found in a row without decoding it.
#[derive(Debug, Clone)]
pub struct RowShape {
    columns: usize,
    key: Vec<usize>,
    tenant: Option<usize>,
    last: usize,
}

impl RowShape {
    /// Rows of `columns` values, the key in the places `key` (none: the whole row is the key), the tenant in place `tenant`.
    pub fn new(columns: usize, key: Vec<usize>, tenant: Option<usize>) -> Self {
        let last = key.iter().chain(&tenant).copied().max().unwrap_or(0);
        Self { columns, key, tenant, last }
    }

    /// Values in a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Hash of the row's key, and the value of its tenant column.
    ///
    /// # Errors
    /// [`FormatError::Rows`] if the row has fewer values than it should.
    pub fn inspect<'a>(&self, row: &'a [u8]) -> Result<(u64, Option<&'a [u8]>), FormatError> {
        let mut hash = if self.key.is_empty() { xxh3_64(row) } else { 0 };
        let mut tenant = None;
        let mut rest = row;
        for place in 0..=self.last {
            let before = rest;
            let value = take_value(&mut rest)?;
            if self.key.contains(&place) {
                let spelled = &before[..before.len() - rest.len()];
                hash = hash.rotate_left(1) ^ xxh3_64(spelled);
            }
            if self.tenant == Some(place) {
                tenant = value;
            }
        }
        Ok((hash, tenant))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spell(values: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut row = Vec::new();
        for value in values {
            match value {
                Some(value) => put_value(&mut row, value),
                None => put_null(&mut row),
            }
        }
        row
    }

    fn any_row() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
        prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..600)), 1..8)
    }

    proptest! {
        #[test]
        fn a_row_reads_back_as_it_was_written(values in any_row()) {
            let spelled = spell(&values);
            let mut rest = spelled.as_slice();
            for value in &values {
                prop_assert_eq!(take_value(&mut rest).unwrap(), value.as_deref());
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_row_is_one_if_it_is_spelled_just_so(values in any_row(), bytes in prop::collection::vec(any::<u8>(), 0..32)) {
            let row = spell(&values);
            prop_assert!(is_row(&row, values.len()));
            prop_assert!(!is_row(&row, values.len() + 1) && !is_row(&row[..row.len() - 1], values.len()));
            prop_assert!(!is_row(&[&row, &bytes[..]].concat(), values.len()) || bytes.is_empty());
            for columns in 0..4 {
                if is_row(&bytes, columns) {
                    let mut rest = &bytes[..];
                    let values: Vec<_> =
                        (0..columns).map(|_| take_value(&mut rest).unwrap().map(<[u8]>::to_vec)).collect();
                    prop_assert_eq!(spell(&values), &bytes[..]);
                }
            }
        }

        #[test]
        fn damaged_rows_are_errors_or_other_rows_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut rest = bytes.as_slice();
            while take_row(&mut rest, 3).is_ok_and(|row| !row.is_empty()) {}
        }

        #[test]
        fn the_digest_ignores_order_and_counts_duplicates(mut rows in prop::collection::vec(any_row(), 1..20)) {
            let digest = |rows: &[Vec<Option<Vec<u8>>>]| {
                let mut digest = Digest::default();
                for row in rows {
                    digest.add(&spell(row));
                }
                digest
            };
            let before = digest(&rows);
            rows.reverse();
            prop_assert_eq!(digest(&rows), before);
            rows.push(rows[0].clone());
            prop_assert_ne!(digest(&rows).sum, before.sum);
        }
    }

    #[test]
    fn rows_are_as_many_as_they_should_be() {
        let rows = [spell(&[Some(b"1".into()), None]), spell(&[None, Some(b"x".into())])].concat();
        check_rows(&rows, 2, 2).unwrap();
        for (rows, count) in [(&rows[..], 1), (&rows[..], 3), (&rows[..rows.len() - 1], 2)] {
            let error = check_rows(rows, 2, count).unwrap_err();
            assert!(matches!(error, FormatError::Rows(_)), "{error}");
        }
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        for (length, head) in
            [(0, 1), (0xfa, 1), (0xfb, 3), (0xffff, 3), (0x1_0000, 4), (0x100_0000, 9)]
        {
            let mut row = Vec::new();
            put_value(&mut row, &vec![b'x'; length]);
            assert_eq!(row.len(), head + length);
            assert_eq!(take_value(&mut row.as_slice()).unwrap().unwrap().len(), length);
        }
    }

    #[test]
    fn a_length_that_could_be_shorter_is_no_row() {
        for row in [&b"\xfc\x01\x00a"[..], b"\xfd\x01\x00\x00a", b"\xfe\x01\0\0\0\0\0\0\0a"] {
            assert_eq!(take_value(&mut &*row).unwrap(), Some(&b"a"[..]));
            assert!(!is_row(row, 1));
        }
        for length in [0, 0xfa, 0xfb, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000] {
            assert!(is_row(&spell(&[Some(vec![b'a'; length]), None]), 2), "{length}");
        }
    }

    #[test]
    fn what_is_not_ended_is_no_row_of_a_batch() {
        let mut batch = RowBatch::new();
        batch.next_row().extend_from_slice(b"\x01a");
        batch.end_row();
        batch.next_row().extend_from_slice(b"\x09cut");
        batch.next_row().extend_from_slice(b"\x01b");
        batch.end_row();
        batch.next_row().extend_from_slice(b"\x01c");
        assert!(batch.rows().eq([&b"\x01a"[..], b"\x01b"]));
    }

    #[test]
    fn key_and_tenant_are_found_in_their_places() {
        let row = spell(&[Some(b"1".into()), Some(b"other".into()), Some(b"7".into()), None]);
        let shape = RowShape::new(4, vec![0], Some(2));
        let (hash, tenant) = shape.inspect(&row).unwrap();
        assert_eq!(tenant, Some(b"7".as_slice()));
        let changed = spell(&[Some(b"1".into()), Some(b"changed".into()), Some(b"7".into()), None]);
        assert_eq!(shape.inspect(&changed).unwrap().0, hash, "only the key decides");
    }
}
