//! The languages that people are written to in.

use serde::{Deserialize, Serialize};

/// The language of reports and notices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// Portuguese, as Brazil writes it.
    #[default]
    #[serde(rename = "pt-BR")]
    Portuguese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Portuguese, Self::English];

    /// Its tag by BCP 47, as settings and pages name it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Portuguese => "pt-BR",
            Self::English => "en",
        }
    }

    /// The language of this tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }
}
