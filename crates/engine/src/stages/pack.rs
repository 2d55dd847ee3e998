//! Packs: sealed chunks laid one after the other in one object, with a sealed table of contents.
//!
//! ```text
//! "GORGENP1" | sealed chunk ... | sealed table of contents | key id | u32 length of the table
//!            | u16 length of the key id | "GORGENP1"                       (little endian)
//! ```
//! The manifest says where each chunk lies; the table of contents lets a later backup find and use
//! chunks of a run that was cut off before its manifest.

use serde::{Deserialize, Serialize};

use super::{
    seal::{Binding, SealingKey},
    spare::Spare,
};
use crate::{
    error::FormatError,
    model::{ChunkId, KeyId, PackId, VaultId},
    ports::Entropy,
};

/// A pack is closed once it holds this much.
pub const FULL: usize = 8 << 20;

/// First and last bytes of a pack.
pub const MAGIC: &[u8; 8] = b"GORGENP1";

const TAIL: usize = 4 + 2 + MAGIC.len();

/// Where a sealed chunk lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The chunk.
    pub chunk: ChunkId,
    /// The key that sealed it.
    pub key: KeyId,
    /// Its first byte in the pack.
    pub offset: u32,
    /// Its sealed length.
    pub length: u32,
    /// Its raw length.
    pub raw: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    chunks: Vec<Entry>,
}

/// A pack being filled.
#[derive(Debug)]
pub struct OpenPack {
    id: PackId,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl OpenPack {
    /// An empty pack, made of spare memory.
    pub fn new(id: PackId, spare: &Spare) -> Self {
        let mut bytes = spare.take();
        bytes.reserve(FULL + (1 << 20));
        bytes.extend_from_slice(MAGIC);
        Self { id, bytes, entries: Vec::new() }
    }

    /// The pack's id.
    pub fn id(&self) -> &PackId {
        &self.id
    }

    /// Lays a sealed chunk into the pack.
    ///
    /// # Errors
    /// [`FormatError::Length`] if the chunk lies or ends beyond 4 GiB.
    pub fn add(
        &mut self,
        chunk: ChunkId,
        key: &KeyId,
        sealed: &[u8],
        raw: usize,
    ) -> Result<Entry, FormatError> {
        let entry = Entry {
            chunk,
            key: key.clone(),
            offset: narrow(self.bytes.len())?,
            length: narrow(sealed.len())?,
            raw: narrow(raw)?,
        };
        self.bytes.extend_from_slice(sealed);
        self.entries.push(entry.clone());
        Ok(entry)
    }

    /// Is it time to close the pack?
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// Does it hold nothing?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Seals the table of contents and gives the finished object.
    ///
    /// # Errors
    /// [`FormatError::Length`] if the table is larger than 4 GiB.
    pub fn close(
        mut self,
        vault: VaultId,
        key: &SealingKey,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, FormatError> {
        let end = table(&self.id, self.entries, vault, key, entropy)?;
        self.bytes.extend_from_slice(&end);
        Ok(self.bytes)
    }
}

/// What a pack ends with: its table of contents, sealed, and how to find it.
///
/// # Errors
/// [`FormatError::Length`] if the table is larger than 4 GiB.
pub fn table(
    pack: &PackId,
    entries: Vec<Entry>,
    vault: VaultId,
    key: &SealingKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, FormatError> {
    let contents = serde_json::to_vec(&Contents { chunks: entries })?;
    let mut end = key.seal(&contents, binding(vault, &pack.to_string()), entropy);
    let (sealed, key_id) = (narrow(end.len())?, key.id().to_string());
    end.extend_from_slice(key_id.as_bytes());
    end.extend_from_slice(&sealed.to_le_bytes());
    let key_length = u16::try_from(key_id.len()).map_err(|_| too_long(key_id.len()))?;
    end.extend_from_slice(&key_length.to_le_bytes());
    end.extend_from_slice(MAGIC);
    Ok(end)
}

/// The sealed table of contents, as found at the end of a pack.
#[derive(Debug, PartialEq, Eq)]
pub struct SealedContents<'a> {
    /// The key that opens it.
    pub key: KeyId,
    sealed: &'a [u8],
}

impl<'a> SealedContents<'a> {
    /// Finds the table in the last bytes of a pack, or how many of them are needed.
    ///
    /// # Errors
    /// [`FormatError::Pack`] if this is no pack's end; [`FormatError::Length`] with the bytes needed if
    /// `end` is too short to hold the table.
    pub fn find(end: &'a [u8]) -> Result<Self, FormatError> {
        let (rest, magic) = end.split_last_chunk::<8>().ok_or(FormatError::Pack)?;
        let (rest, key_length) = rest.split_last_chunk::<2>().ok_or(FormatError::Pack)?;
        let (rest, length) = rest.split_last_chunk::<4>().ok_or(FormatError::Pack)?;
        if magic != MAGIC {
            return Err(FormatError::Pack);
        }
        let key_length = usize::from(u16::from_le_bytes(*key_length));
        let length = u32::from_le_bytes(*length) as usize;
        let start = rest.len().checked_sub(length + key_length).ok_or(FormatError::Length {
            expected: (length + key_length + TAIL) as u64,
            given: end.len() as u64,
        })?;
        let (sealed, key) = rest[start..].split_at(length);
        let key = std::str::from_utf8(key).ok().and_then(|key| key.parse().ok());
        Ok(Self { key: key.ok_or(FormatError::Pack)?, sealed })
    }

    /// Where the chunks end and the table begins, given the size of the whole pack.
    pub fn start(&self, pack_size: usize) -> usize {
        pack_size.saturating_sub(self.sealed.len() + self.key.to_string().len() + TAIL)
    }

    /// Opens the table.
    ///
    /// # Errors
    /// [`FormatError::Seal`] if it is not the table of this pack of this vault, sealed with this key.
    pub fn open(
        &self,
        vault: VaultId,
        pack: &PackId,
        key: &SealingKey,
    ) -> Result<Vec<Entry>, FormatError> {
        let contents = key.open(self.sealed, binding(vault, &pack.to_string()))?;
        Ok(serde_json::from_slice::<Contents>(&contents)?.chunks)
    }
}

/// Checks that chunks and table fill a pack without a gap, so that there is no byte that nothing authenticates.
///
/// # Errors
/// [`FormatError::Pack`] if they do not.
pub fn check_layout(
    pack: &[u8],
    contents: &SealedContents<'_>,
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, FormatError> {
    let mut end = MAGIC.len();
    for entry in &entries {
        if entry.offset as usize != end {
            return Err(FormatError::Pack);
        }
        end = end.saturating_add(entry.length as usize);
    }
    if pack.starts_with(MAGIC) && end == contents.start(pack.len()) {
        Ok(entries)
    } else {
        Err(FormatError::Pack)
    }
}

fn binding(vault: VaultId, name: &str) -> Binding<'_> {
    Binding { vault, kind: "toc", name, beside: &[] }
}

fn narrow(size: usize) -> Result<u32, FormatError> {
    u32::try_from(size).map_err(|_| too_long(size))
}

fn too_long(size: usize) -> FormatError {
    FormatError::Length { expected: u64::from(u32::MAX), given: size as u64 }
}
