//! `manifests/<id>.manifest`: one backup. Written last: what no manifest names does not exist.
//!
//! ```text
//! "GORGENM1" | u32 length of the header (little endian) | header, clear JSON | sealed body
//! ```
//! The header can be read without a key and is bound into the seal of the body, so that it can't be
//! exchanged. The body is JSON, compressed, then sealed with the vault's manifest key.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::Arc,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, imported::Imported, known_version};
use crate::{
    error::FormatError,
    model::{Catalog, ChunkId, KeyId, PackId, Position, RunId, Scope, SourceIdentity, VaultId},
    ports::{Consistency, Entropy},
    stages::{
        compress::{compress, decompress},
        pack::Entry,
        rows::Digest,
        seal::{Binding, SealingKey},
    },
};

const MAGIC: &[u8; 8] = b"GORGENM1";
const HEADER_AT: usize = MAGIC.len() + 4;

/// What can be known of a backup without a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format: u32,
    /// The backup.
    pub backup: RunId,
    /// The vault.
    pub vault: VaultId,
    /// The source.
    pub source: SourceIdentity,
    /// When the run started.
    pub started: Timestamp,
    /// The moment that the backup shows, as far as the clock of this program tells.
    pub snapshot: Timestamp,
    /// When all was stored.
    pub ended: Timestamp,
    /// Sums over all tables.
    pub totals: Totals,
    /// The key that opens the body.
    pub key: KeyId,
    /// Raw length of the body, in bytes.
    pub body: u64,
    /// Program that wrote it, e.g. `gorgen-backup 0.1.0`.
    pub tool: String,
    /// Where it comes from, if it was made of another program's files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub imported: Option<Imported>,
}

/// Sums over a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Tables.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes of the canonical rows.
    pub raw_bytes: u64,
    /// Bytes of the sealed chunks that make up this backup.
    pub stored_bytes: u64,
    /// Bytes of sealed chunks that were not there before.
    pub new_bytes: u64,
}

/// One backup, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Where the snapshot stands in the server's history.
    pub position: Position,
    /// How it is known that all rows come from one moment.
    pub consistency: Consistency,
    /// Definitions of all tables and objects.
    pub catalog: Catalog,
    /// The rows of each table of the catalog, in the same order.
    pub tables: Vec<TablePart>,
    /// Every pack that a chunk lies in, and its size in bytes.
    pub packs: Vec<(PackId, u64)>,
}

/// The rows of one table. It stands by itself, so that parts made by many workers make one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePart {
    /// The table.
    pub table: String,
    /// Data keys that the chunks refer to by place.
    pub keys: Vec<KeyId>,
    /// Packs that the chunks refer to by place.
    pub packs: Vec<PackId>,
    /// The rows by tenant.
    pub groups: Vec<Group>,
    /// First and last key, where the key is one whole-number column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_range: Option<(String, String)>,
}

/// A chunk and where it was stored.
#[derive(Debug, Clone)]
pub struct PlacedChunk {
    /// The pack.
    pub pack: Arc<PackId>,
    /// Its place there.
    pub entry: Arc<Entry>,
    /// Its rows.
    pub rows: u32,
    /// The segment of the table that it was cut from, counted from 0.
    pub segment: u32,
}

/// A list in which each value has one place.
struct Places<T> {
    list: Vec<T>,
    places: HashMap<T, u32>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { list: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Places<T> {
    fn place_of(&mut self, value: &T) -> u32 {
        if let Some(&place) = self.places.get(value) {
            return place;
        }
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(value.clone());
        self.places.insert(value.clone(), place);
        place
    }
}

impl TablePart {
    /// What all the table's rows come down to.
    pub fn digest(&self) -> Digest {
        let mut whole = Digest::default();
        self.groups.iter().for_each(|group| whole.merge(&group.digest));
        whole
    }

    /// The pack that a chunk of this part lies in; `None` only in a manifest that is not ours.
    pub fn pack_of(&self, chunk: &ChunkRef) -> Option<&PackId> {
        self.packs.get(chunk.pack as usize)
    }

    /// The key that sealed a chunk of this part; `None` only in a manifest that is not ours.
    pub fn key_of(&self, chunk: &ChunkRef) -> Option<&KeyId> {
        self.keys.get(chunk.key as usize)
    }

    /// Sets the groups and the places of their keys and packs from where each chunk was stored.
    pub fn new(
        table: String,
        groups: impl IntoIterator<Item = (Scope, Digest, Vec<PlacedChunk>)>,
        key_range: Option<(String, String)>,
    ) -> Self {
        let (mut keys, mut packs) = (Places::<KeyId>::default(), Places::<PackId>::default());
        let groups = groups.into_iter().map(|(scope, digest, placed)| {
            let segments = placed.iter().map(|placed| placed.segment).collect();
            let chunks = placed.into_iter().map(|placed| ChunkRef {
                chunk: placed.entry.chunk,
                key: keys.place_of(&placed.entry.key),
                pack: packs.place_of(&placed.pack),
                offset: placed.entry.offset,
                length: placed.entry.length,
                raw: placed.entry.raw,
                rows: placed.rows,
            });
            Group { scope, digest, chunks: chunks.collect(), segments }
        });
        let mut groups: Vec<_> = groups.collect();
        if let [only] = groups.as_mut_slice() {
            only.segments.clear();
        }
        Self { table, keys: keys.list, packs: packs.list, groups, key_range }
    }

    /// The chunks of each segment, in the order of the table's key; those of one segment as they lie in packs.
    pub fn segments(&self) -> Vec<Vec<ChunkRef>> {
        let mut segments = BTreeMap::<u32, Vec<ChunkRef>>::new();
        for group in &self.groups {
            for (chunk, segment) in group.chunks.iter().zip(group.segments()) {
                segments.entry(segment).or_default().push(*chunk);
            }
        }
        for chunks in segments.values_mut() {
            chunks.sort_by_key(|chunk| (chunk.pack, chunk.offset));
        }
        segments.into_values().collect()
    }
}

/// The rows of one tenant in one table, or those without a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Whose rows.
    pub scope: Scope,
    /// What they come down to.
    pub digest: Digest,
    /// The chunks in the order of the table's key.
    pub chunks: Vec<ChunkRef>,
    /// The segment of the table that each chunk was cut from, counted from 0. Empty in a table with one group, where it is
    /// the chunk's place.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub segments: Vec<u32>,
}

impl Group {
    /// The segment of each chunk; its place where none is said.
    fn segments(&self) -> impl Iterator<Item = u32> {
        (0..).map(|place: u32| self.segments.get(place as usize).copied().unwrap_or(place))
    }
}

/// Where one chunk lies. In the manifest it is an array of these seven, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ChunkTuple", into = "ChunkTuple")]
pub struct ChunkRef {
    /// The chunk.
    pub chunk: ChunkId,
    /// Place of its key in the part's list.
    pub key: u32,
    /// Place of its pack in the part's list.
    pub pack: u32,
    /// Its first byte in the pack.
    pub offset: u32,
    /// Its sealed length.
    pub length: u32,
    /// Its raw length.
    pub raw: u32,
    /// Its rows.
    pub rows: u32,
}

impl ChunkRef {
    /// The same as the pack's table of contents says it.
    pub fn entry(&self, key: KeyId) -> Entry {
        let Self { chunk, offset, length, raw, .. } = *self;
        Entry { chunk, key, offset, length, raw }
    }
}

type ChunkTuple = (ChunkId, u32, u32, u32, u32, u32, u32);

impl From<ChunkTuple> for ChunkRef {
    fn from((chunk, key, pack, offset, length, raw, rows): ChunkTuple) -> Self {
        Self { chunk, key, pack, offset, length, raw, rows }
    }
}

impl From<ChunkRef> for ChunkTuple {
    fn from(r: ChunkRef) -> Self {
        (r.chunk, r.key, r.pack, r.offset, r.length, r.raw, r.rows)
    }
}

/// What a header says besides what it takes from the manifest.
#[derive(Debug, Clone)]
pub struct HeaderFacts {
    /// The backup.
    pub backup: RunId,
    /// The vault.
    pub vault: VaultId,
    /// The source.
    pub source: SourceIdentity,
    /// When the run started.
    pub started: Timestamp,
    /// The moment that the backup shows.
    pub snapshot: Timestamp,
    /// When all was stored.
    pub ended: Timestamp,
    /// Sums over all tables.
    pub totals: Totals,
    /// Program that writes it.
    pub tool: String,
    /// Where it comes from, if it is made of another program's files.
    pub imported: Option<Imported>,
}

impl Manifest {
    /// Sums over all tables; `new_bytes` is what the backup added to the vault.
    pub fn totals(&self, new_bytes: u64) -> Totals {
        let mut totals =
            Totals { tables: self.tables.len() as u64, new_bytes, ..Totals::default() };
        for part in &self.tables {
            let digest = part.digest();
            totals.rows += digest.rows;
            totals.raw_bytes += digest.bytes;
            for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
                totals.chunks += 1;
                totals.stored_bytes += u64::from(chunk.length);
            }
        }
        totals
    }

    /// Seals the manifest into one object, and gives its header as well.
    pub fn seal(
        &self,
        facts: HeaderFacts,
        key: &SealingKey,
        entropy: &dyn Entropy,
    ) -> Result<(Header, Bytes), FormatError> {
        let body = serde_json::to_vec(self)?;
        let header = Header {
            format: FORMAT,
            backup: facts.backup,
            vault: facts.vault,
            source: facts.source,
            started: facts.started,
            snapshot: facts.snapshot,
            ended: facts.ended,
            totals: facts.totals,
            key: key.id().clone(),
            body: body.len() as u64,
            tool: facts.tool,
            imported: facts.imported,
        };
        let clear = serde_json::to_vec(&header)?;
        let length = u32::try_from(clear.len()).map_err(|_| FormatError::Manifest)?;
        let mut object = MAGIC.to_vec();
        object.extend_from_slice(&length.to_le_bytes());
        object.extend_from_slice(&clear);
        let sealed = key.seal(
            &compress(&body)?,
            header.binding(&object, &header.backup.to_string()),
            entropy,
        );
        object.extend_from_slice(&sealed);
        Ok((header, object.into()))
    }
}

impl Header {
    /// Reads the header at the front of a manifest object.
    ///
    /// # Errors
    /// [`FormatError::Length`] with the bytes needed if `object` is a beginning that is too short.
    pub fn read(object: &[u8]) -> Result<Self, FormatError> {
        serde_json::from_slice::<super::Versioned>(Self::clear(object)?)
            .map_err(FormatError::from)
            .and_then(|version| known_version(version.format))?;
        Ok(serde_json::from_slice(Self::clear(object)?)?)
    }

    /// Opens the manifest behind this header.
    ///
    /// # Errors
    /// [`FormatError::Seal`] if header or body are not what was sealed.
    pub fn open(&self, object: &[u8], key: &SealingKey) -> Result<Manifest, FormatError> {
        let header_end = HEADER_AT + Self::clear(object)?.len();
        let (clear, sealed) = object.split_at(header_end);
        let body = key.open(sealed, self.binding(clear, &self.backup.to_string()))?;
        let length = usize::try_from(self.body).map_err(|_| FormatError::Manifest)?;
        Ok(serde_json::from_slice(&decompress(&body, length)?)?)
    }

    fn clear(object: &[u8]) -> Result<&[u8], FormatError> {
        let (magic, rest) = object.split_first_chunk::<8>().ok_or(FormatError::Manifest)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(FormatError::Manifest)?;
        if magic != MAGIC {
            return Err(FormatError::Manifest);
        }
        let length = u32::from_le_bytes(*length) as usize;
        rest.get(..length).ok_or(FormatError::Length {
            expected: (HEADER_AT + length) as u64,
            given: object.len() as u64,
        })
    }

    fn binding<'a>(&self, clear: &'a [u8], name: &'a str) -> Binding<'a> {
        Binding { vault: self.vault, kind: "manifest", name, beside: clear }
    }
}
