//! What is to be said of the files: why they can't be imported, or what is not in the backup as it was in the database.

use std::collections::{BTreeMap, BTreeSet};

use crate::values::{Mismatch, Remark};

/// Reasons beyond these are only counted: the first tell enough.
const MOST_REASONS: usize = 20;

/// Values of one column of one file that don't fit.
#[derive(Debug)]
struct Misfit {
    /// The first record with such a value, counted from 1.
    record: usize,
    mismatch: Mismatch,
    records: usize,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    reasons: Vec<String>,
    misfits: BTreeMap<String, Misfit>,
    notes: Vec<String>,
    remarks: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Findings {
    /// Something that stands in the way of the import.
    pub(crate) fn refuse(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// Does anything stand in the way yet?
    pub(crate) fn refuses(&self) -> bool {
        !self.reasons.is_empty() || !self.misfits.is_empty()
    }

    /// A value that does not fit; `place` is its file, table and column.
    pub(crate) fn misfit(&mut self, place: String, record: usize, mismatch: Mismatch) {
        let misfit = self.misfits.entry(place).or_insert(Misfit { record, mismatch, records: 0 });
        misfit.records += 1;
    }

    /// A sentence about the backup.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// One and the same sentence about this place, which it ends with.
    pub(crate) fn note_of(&mut self, sentence: &'static str, place: impl Into<String>) {
        self.remarks.entry(sentence).or_default().insert(place.into());
    }

    /// What is to be said of a value that was taken.
    pub(crate) fn remark(&mut self, remark: Remark, place: impl FnOnce() -> String) {
        let sentence = match remark {
            Remark::Exact => return,
            Remark::BeyondExact => {
                "whole numbers beyond 2^53 were rounded by the old program, and are as it wrote them"
            }
            Remark::DocumentAsText => {
                "text in columns of documents was taken for the documents' own"
            }
        };
        self.note_of(sentence, place());
    }

    /// Why the files can't be imported; if nothing stands in the way, what is to be said of the backup.
    pub(crate) fn sum_up(self) -> Result<Vec<String>, Vec<String>> {
        let misfits = self.misfits.into_iter().map(|(place, misfit)| {
            let Misfit { record, mismatch: Mismatch { expected, got }, records } = misfit;
            let more = if records > 1 {
                format!(", and {} more records", records - 1)
            } else {
                String::new()
            };
            format!("{place}, record {record}: expected {expected}, got {got}{more}")
        });
        let mut reasons: Vec<_> = self.reasons.into_iter().chain(misfits).collect();
        if reasons.is_empty() {
            let remarks = self.remarks.into_iter().map(|(sentence, places)| {
                let places: Vec<_> = places.into_iter().collect();
                format!("{sentence}: {}", places.join(", "))
            });
            return Ok(self.notes.into_iter().chain(remarks).collect());
        }
        if let Some(more) = reasons.len().checked_sub(MOST_REASONS).filter(|more| *more > 0) {
            reasons.truncate(MOST_REASONS);
            reasons.push(format!("and {more} more reasons"));
        }
        Err(reasons)
    }
}
