//! `restores/<id>.<number>.journal`: what is about to change places, written before it does.
//!
//! ```text
//! "GORGENJ1" | u32 length of the header (little endian) | header, clear JSON | sealed body
//! ```
//! It holds definitions of the live database, so it is sealed as a manifest is, with a manifest key.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{FORMAT, known_version};
use crate::{
    error::FormatError,
    model::{Catalog, KeyId, RunId, StoredObject, VaultId},
    ports::Entropy,
    stages::{
        compress::{compress, decompress},
        seal::{Binding, SealingKey},
    },
};

const MAGIC: &[u8; 8] = b"GORGENJ1";
const HEADER_AT: usize = MAGIC.len() + 4;

/// What a journal says in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHeader {
    format: u32,
    /// The restore.
    pub restore: RunId,
    /// Which of its journals, from 1.
    pub number: u32,
    /// The vault.
    pub vault: VaultId,
    /// The key that opens the body.
    pub key: KeyId,
    /// Raw length of the body, in bytes.
    pub body: u64,
}

/// What is needed to finish a change of places, and to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// What changes places.
    pub swap: Swap,
    /// The live database as it was.
    pub live: Catalog,
}

/// A change of places, planned whole before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The live database.
    pub live: String,
    /// Where the new tables are.
    pub from: String,
    /// Where the old tables go.
    pub to: String,
    /// The new tables.
    pub incoming: Vec<Incoming>,
    /// The old tables.
    pub outgoing: Vec<Outgoing>,
    /// Foreign keys of tables that stay, to tables that change places.
    pub children: Vec<NewKey>,
}

/// A table that comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incoming {
    /// Its name.
    pub table: String,
    /// Its name in the live database until the swap, if it has triggers or replaces a table that has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hidden: Option<String>,
    /// Its triggers, in the order in which they fire.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub triggers: Vec<NewTrigger>,
    /// Its foreign keys whose names may still be taken when it comes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keys: Vec<NewKey>,
}

/// A trigger of a table that comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTrigger {
    /// Its name until the old one is gone.
    pub hidden: String,
    /// The trigger.
    pub object: StoredObject,
}

/// A foreign key that must be made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The table that has it.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its name in between.
    pub hidden: String,
    /// Its clause, as it is said in the live database.
    pub clause: String,
    /// The same, as it is said where the table comes from.
    pub clause_outside: String,
}

/// A table that goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Its name.
    pub table: String,
    /// Its name in the live database after the swap, until its triggers are gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hidden: Option<String>,
    /// Names of its triggers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub triggers: Vec<String>,
}

impl Journal {
    /// Seals the journal into one object.
    pub fn seal(
        &self,
        restore: RunId,
        number: u32,
        vault: VaultId,
        key: &SealingKey,
        entropy: &dyn Entropy,
    ) -> Result<Bytes, FormatError> {
        let body = serde_json::to_vec(self)?;
        let (key_id, length) = (key.id().clone(), body.len() as u64);
        let header =
            JournalHeader { format: FORMAT, restore, number, vault, key: key_id, body: length };
        let clear = serde_json::to_vec(&header)?;
        let mut object = MAGIC.to_vec();
        let length = u32::try_from(clear.len()).map_err(|_| FormatError::Journal)?;
        object.extend_from_slice(&length.to_le_bytes());
        object.extend_from_slice(&clear);
        let sealed = key.seal(&compress(&body)?, header.binding(&header.name(), &object), entropy);
        object.extend_from_slice(&sealed);
        Ok(object.into())
    }
}

impl JournalHeader {
    /// Reads the header at the front of a journal.
    pub fn read(object: &[u8]) -> Result<Self, FormatError> {
        let clear = clear(object)?;
        known_version(serde_json::from_slice::<super::Versioned>(clear)?.format)?;
        Ok(serde_json::from_slice(clear)?)
    }

    /// Opens the journal behind this header.
    ///
    /// # Errors
    /// [`FormatError::Seal`] if header or body are not what was sealed.
    pub fn open(&self, object: &[u8], key: &SealingKey) -> Result<Journal, FormatError> {
        let (front, sealed) = object.split_at(HEADER_AT + clear(object)?.len());
        let body = key.open(sealed, self.binding(&self.name(), front))?;
        let length = usize::try_from(self.body).map_err(|_| FormatError::Journal)?;
        Ok(serde_json::from_slice(&decompress(&body, length)?)?)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.restore, self.number)
    }

    fn binding<'a>(&self, name: &'a str, beside: &'a [u8]) -> Binding<'a> {
        Binding { vault: self.vault, kind: "journal", name, beside }
    }
}

fn clear(object: &[u8]) -> Result<&[u8], FormatError> {
    let (magic, rest) = object.split_first_chunk::<8>().ok_or(FormatError::Journal)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(FormatError::Journal)?;
    let length = u32::from_le_bytes(*length) as usize;
    if magic != MAGIC {
        return Err(FormatError::Journal);
    }
    rest.get(..length).ok_or(FormatError::Journal)
}
