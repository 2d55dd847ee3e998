//! What `doctor` finds: facts judged, each with what to do about it.
//!
//! ```text
//! server       the connection, the clock, packets, how a snapshot is begun
//! privileges   what the account may not do that a job needs
//! content      tables, columns and their character sets
//! vault        whose it is, how old its newest backup is, how the last runs ended
//! deployed     what is on AWS: buckets, keys, functions, schedules, alarms
//! ```
//! What could not be looked at is a finding too: [`Finding::skipped`].

pub mod content;
pub mod deployed;
pub mod privileges;
pub mod server;
pub mod vault;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Backups can be made, but something is amiss or is not known.
    Warning,
    /// A job fails, or what it makes can't be relied on.
    Problem,
}

impl Status {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a setting's name, or words with hyphens that stay the same from version to version.
    pub check: &'static str,
    /// How bad it is.
    pub status: Status,
    /// What was seen. Never a secret, never a row's value.
    pub fact: String,
    /// What to do; for everything that is not ok.
    pub remedy: Option<String>,
    #[serde(skip)]
    is_skipped: bool,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, fact: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, fact: fact.into(), remedy: None, is_skipped: false }
    }

    /// Something is amiss.
    pub fn warning(
        check: &'static str,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { check, status: Status::Warning, fact: fact.into(), remedy, is_skipped: false }
    }

    /// Something does not work.
    pub fn problem(
        check: &'static str,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status: Status::Problem, ..Self::warning(check, fact, remedy) }
    }

    /// Not looked at, because what `needs` names is not as it should be.
    pub fn skipped(check: &'static str, needs: &str) -> Self {
        let fact = format!("not checked: it needs {needs}");
        let remedy = format!("see to {needs} first");
        Self { is_skipped: true, ..Self::warning(check, fact, remedy) }
    }

    /// Not looked at, because whoever asks lacks this right.
    pub fn unseen(check: &'static str, right: &str) -> Self {
        let fact = format!("not checked: it needs the right {right}");
        let remedy = format!("grant {right}, or look as somebody who has it");
        Self { is_skipped: true, ..Self::warning(check, fact, remedy) }
    }

    /// The same, but counted among what was not looked at.
    #[must_use]
    pub fn not_looked_at(self) -> Self {
        Self { is_skipped: true, ..self }
    }

    /// Was this not looked at?
    pub fn is_skipped(&self) -> bool {
        self.is_skipped
    }
}

/// How many names are spelled out before the rest is counted.
const NAMED: usize = 5;

/// `a, b and 3 more`.
pub(in crate::policy) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let spelled: Vec<_> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    match names.len() - spelled.len() {
        0 => spelled.join(", "),
        more => format!("{} and {more} more", spelled.join(", ")),
    }
}

/// `1 table`, `2 tables`.
fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests;
