//! The small documents of a vault, besides packs: each is read and written here and nowhere else.

pub mod audit;
pub mod cleanup;
pub mod identity;
pub mod imported;
pub mod journal;
pub mod key;
pub mod lock;
pub mod manifest;
pub mod pin;
pub mod report;
pub mod request;
pub mod restore;
pub mod run;

/// Version of the vault format that this program writes, and the only one it reads.
pub const FORMAT: u32 = 1;

use aws_lc_rs::digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::FormatError;

fn known_version(given: u32) -> Result<(), FormatError> {
    if given == FORMAT { Ok(()) } else { Err(FormatError::Version { given, known: FORMAT }) }
}

#[derive(serde::Deserialize)]
struct Versioned {
    format: u32,
}

/// A record and the SHA-256 of its bytes, so that accidental damage never goes unnoticed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digested {
    sha256: String,
    record: Box<RawValue>,
}

/// Reads a JSON record: its digest first, then its version, so that a later format is named as such.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormatError> {
    let Digested { sha256, record } = serde_json::from_slice(bytes)?;
    if sha256 != digest_of(&record) {
        return Err(FormatError::Digest);
    }
    known_version(serde_json::from_str::<Versioned>(record.get())?.format)?;
    Ok(serde_json::from_str(record.get())?)
}

fn write_json<T: Serialize>(record: &T) -> Result<Bytes, FormatError> {
    let record = serde_json::value::to_raw_value(record)?;
    let mut text = serde_json::to_vec(&Digested { sha256: digest_of(&record), record })?;
    text.push(b'\n');
    Ok(text.into())
}

fn digest_of(record: &RawValue) -> String {
    hex::encode(digest::digest(&digest::SHA256, record.get().as_bytes()))
}
