//! The two places that a backup lies in.

use serde::{Deserialize, Serialize};

/// One of the two copies of a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The vault.
    Vault,
    /// Its copy.
    Replica,
}

impl Place {
    /// The word used in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Replica => "replica",
        }
    }
}
