//! Whose data a row is: one tenant's, or nobody's in particular.

use std::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::ParseIdError;

/// Rows of one scope share naming and data keys, so that erasing a tenant's keys erases the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Rows without a tenant: the table has no tenant column, or it is NULL. Also the vault's own keys.
    Shared,
    /// Rows of the tenant with this value (canonical bytes of the tenant column).
    Tenant(Vec<u8>),
}

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

impl Scope {
    /// The scope of the tenant with this value.
    pub fn tenant(value: impl AsRef<[u8]>) -> Self {
        Self::Tenant(value.as_ref().to_vec())
    }

    /// For messages: `tenant 7`.
    pub fn named(&self) -> String {
        match self {
            Self::Shared => "no tenant in particular".to_owned(),
            Self::Tenant(value) => format!("tenant {}", value.escape_ascii()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.write_str("shared"),
            Self::Tenant(value) => write!(f, "t-{}", percent_encode(value, KEPT)),
        }
    }
}

impl FromStr for Scope {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "shared" {
            return Ok(Self::Shared);
        }
        let scope =
            text.strip_prefix("t-").map(|value| Self::Tenant(percent_decode_str(value).collect()));
        scope.filter(|scope| scope.to_string() == text).ok_or_else(|| ParseIdError::scope(text))
    }
}

impl serde::Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
