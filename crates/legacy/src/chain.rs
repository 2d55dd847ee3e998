//! A full file and the incremental ones that go on from it, in the order in which they were made.
//!
//! An incremental file names the one it goes on from by a number that no file carries, a date, and a SHA-256 that may be
//! of anything. So a checksum that fits proves the link, and where none does the date is taken: the old program noted it
//! when a backup ended, soon after it had written `createdAt` into the file.

use jiff::SignedDuration;

use crate::{
    Error,
    file::{Base, Extent, LegacyFile},
};

/// The old program held all in memory: a backup of it took seconds, or minutes.
const LONGEST_BACKUP: SignedDuration = SignedDuration::from_hours(1);

/// Files in the order in which they were made, the first of them with all rows.
#[derive(Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) files: Vec<LegacyFile<'a>>,
    /// What was assumed, each a sentence.
    pub(crate) notes: Vec<String>,
}

impl<'a> Chain<'a> {
    /// Puts the files in order.
    ///
    /// # Errors
    /// [`Error::Refused`] if they are not one whole chain of one tenant.
    pub(crate) fn link(mut files: Vec<LegacyFile<'a>>) -> Result<Self, Error> {
        files.sort_by_key(|file| (file.extent == Extent::Incremental, file.created));
        let mut reasons = strangers(&files);
        let mut notes = Vec::new();
        match files.iter().filter(|file| file.extent != Extent::Incremental).collect::<Vec<_>>()[..]
        {
            [_] => {}
            [] => reasons.extend(files.first().map(lacks_full)),
            [first, second, ..] => reasons.push(format!(
                "{} and {} each hold all rows: import them one at a time",
                first.name(),
                second.name()
            )),
        }
        if reasons.is_empty() {
            for (place, file) in files.iter().enumerate() {
                let Some(base) = &file.base else { continue };
                match link_of(file, base, &files[..place]) {
                    Ok(note) => notes.extend(note),
                    Err(reason) => reasons.push(reason),
                }
            }
        }
        if reasons.is_empty() { Ok(Self { files, notes }) } else { Err(Error::Refused { reasons }) }
    }

    /// Whose rows they are.
    pub(crate) fn tenant(&self) -> &str {
        self.files.first().map_or("", |file| &file.tenant)
    }

    pub(crate) fn is_incremental(&self) -> bool {
        self.files.len() > 1
    }
}

/// Files that can't be of one chain with the first.
fn strangers(files: &[LegacyFile<'_>]) -> Vec<String> {
    let Some((first, others)) = files.split_first() else {
        return vec!["no file was given".to_owned()];
    };
    let mut reasons = Vec::new();
    for (place, other) in others.iter().enumerate() {
        if other.tenant != first.tenant {
            reasons.push(format!(
                "{} is of tenant {}, and {} of tenant {}",
                first.name(),
                first.tenant,
                other.name(),
                other.tenant
            ));
        }
        let same = files[..=place]
            .iter()
            .find(|file| file.opened.inner_sha256 == other.opened.inner_sha256);
        reasons.extend(
            same.map(|same| format!("{} and {} are the same file", same.name(), other.name())),
        );
    }
    reasons
}

fn lacks_full(incremental: &LegacyFile<'_>) -> String {
    let base =
        incremental.base.as_ref().map(|base| format!(", backup {} of {}", base.id, base.date));
    format!(
        "{} holds only what changed: the full file that it goes on from is needed as well{}",
        incremental.name(),
        base.unwrap_or_default()
    )
}

/// Finds what a file goes on from among those before it; says what was assumed for that.
fn link_of(
    file: &LegacyFile<'_>,
    base: &Base,
    before: &[LegacyFile<'_>],
) -> Result<Option<String>, String> {
    let is_named = |other: &&LegacyFile<'_>| {
        let [gzip, json] = &other.opened.inner_sha256;
        [&other.opened.sha256, gzip, json].contains(&&base.checksum)
    };
    if before.iter().any(|other| is_named(&other)) {
        return Ok(None);
    }
    let is_in_time = |other: &&LegacyFile<'_>| {
        let took = base.date.duration_since(other.created);
        SignedDuration::ZERO <= took && took <= LONGEST_BACKUP
    };
    match before.iter().rfind(is_in_time) {
        Some(other) => Ok(Some(format!(
            "{} says that it goes on from backup {} of {}, and no file has its checksum: {}, made at {}, was taken for it",
            file.name(),
            base.id,
            base.date,
            other.name(),
            other.created
        ))),
        None => Err(format!(
            "{} goes on from backup {} of {}, which is not among the files",
            file.name(),
            base.id,
            base.date
        )),
    }
}
