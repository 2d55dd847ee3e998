//! What is wrong with the settings, all of it at once.

use std::fmt;

use super::Setting;

/// A text that does not say what it should: what was expected, and what was given as far as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {given}")]
pub struct BadValue {
    expected: &'static str,
    given: String,
}

impl BadValue {
    /// `given` may be printed: it must not hold a password.
    pub(super) fn new(expected: &'static str, given: impl Into<String>) -> Self {
        Self { expected, given: given.into() }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No setting has this name.
    #[error("{name}: no such setting{}", suggestion(*nearest))]
    Unknown {
        /// The name.
        name: String,
        /// What may have been meant.
        nearest: Option<Setting>,
    },
    /// A setting's value is not accepted.
    #[error("{setting}: {value}")]
    Bad {
        /// The setting.
        setting: Setting,
        /// What was expected and given.
        value: BadValue,
    },
    /// A setting that is needed for what is to be done has no value.
    #[error("{setting} is not set: expected {}", setting.expected())]
    Missing {
        /// The setting.
        setting: Setting,
    },
}

fn suggestion(nearest: Option<Setting>) -> String {
    match nearest {
        Some(setting) => format!(" (did you mean {setting}?)"),
        None => format!(" (there are {})", Setting::ALL.map(Setting::name).join(", ")),
    }
}

/// The settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// Everything that is wrong, at least one thing.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => only.fmt(f),
            several => {
                write!(f, "{} settings need attention:", several.len())?;
                several.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for SettingsError {}

impl From<Problem> for SettingsError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}
