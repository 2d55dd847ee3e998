//! How the rows of a live table differ from those of a backup, told by their keys.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    error::FormatError,
    model::Table,
    stages::rows::{take_row, take_value},
};

/// Rows that are on one side only, or on both with other content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Rows that are live and not in the backup: a restore takes them away.
    pub added: u64,
    /// Rows of the backup that are not live: a restore brings them back.
    pub missing: u64,
    /// Rows that are both, and not the same.
    pub different: u64,
}

/// Rows by their keys, each as a fingerprint.
#[derive(Debug, Default)]
pub struct Fingerprints(HashMap<u128, u128>);

impl Fingerprints {
    /// Takes canonical rows of `table` in, which must have a key.
    ///
    /// # Errors
    /// [`FormatError::Rows`] if they are none.
    pub fn add(&mut self, table: &Table, mut rows: &[u8]) -> Result<(), FormatError> {
        let places = table.key_places();
        while !rows.is_empty() {
            let row = take_row(&mut rows, table.columns.len())?;
            let (mut rest, mut key) = (row, Vec::new());
            let mut values = Vec::with_capacity(table.columns.len());
            for _ in 0..table.columns.len() {
                let before = rest;
                take_value(&mut rest)?;
                values.push(&before[..before.len() - rest.len()]);
            }
            for &place in &places {
                key.extend_from_slice(values[place]);
            }
            self.0.insert(xxh3_128(&key), xxh3_128(row));
        }
        Ok(())
    }

    /// How `live` differs from these, which are the backup's.
    pub fn difference(&self, live: &Self) -> Difference {
        let mut difference = Difference::default();
        for (key, row) in &live.0 {
            match self.0.get(key) {
                None => difference.added += 1,
                Some(other) if other != row => difference.different += 1,
                Some(_) => {}
            }
        }
        let is_missing = |key: &&u128| !live.0.contains_key(*key);
        difference.missing = self.0.keys().filter(is_missing).count() as u64;
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ValueKind,
        testing::{row, table},
    };

    fn of(rows: &[(&str, &str)]) -> Fingerprints {
        let notes =
            table("notas", &[("texto", ValueKind::Text), ("id", ValueKind::Number)], &["id"]);
        let mut fingerprints = Fingerprints::default();
        for (id, text) in rows {
            fingerprints.add(&notes, &row(&[Some(text), Some(id)])).unwrap();
        }
        fingerprints
    }

    #[test]
    fn rows_are_told_apart_by_their_keys() {
        let backup = of(&[("1", "a"), ("2", "b"), ("3", "c")]);
        let live = of(&[("2", "b"), ("3", "d"), ("4", "e"), ("5", "f")]);
        let expected = Difference { added: 2, missing: 1, different: 1 };
        assert_eq!(backup.difference(&live), expected);
        assert_eq!(backup.difference(&backup), Difference::default());
    }
}
