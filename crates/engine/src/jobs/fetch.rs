//! Fetching chunks back: neighbours in one read, each opened and checked, the rows of a segment in one order again.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::{Error, KeyChest, World, store::blocking};
use crate::{
    error::FormatError,
    model::{ObjectName, Table, VaultId},
    records::manifest::{ChunkRef, TablePart},
    stages::{
        compress::decompress,
        order::append_in_order,
        rows::check_rows,
        seal::{Binding, SealingKey},
    },
};

/// Sealed bytes that one read from the vault brings at the most, unless a single chunk is larger.
const READ: u64 = 2 << 20;

/// So many bytes between two chunks are read along: a read of its own would take longer.
const GAP: u64 = 32 << 10;

/// Reads of one portion that are on their way at once.
const READS_AT_ONCE: usize = 4;

/// Rows are passed on once they are this many bytes, or a portion ends.
const PIECE: u64 = 1 << 20;

/// Reads the rows of backups.
#[derive(Clone)]
pub struct Fetcher {
    world: World,
    keys: Arc<KeyChest>,
}

/// Neighbouring segments of a table, some megabytes of sealed chunks.
#[derive(Debug)]
pub struct Portion {
    segments: Vec<Vec<ChunkRef>>,
}

impl Portion {
    /// Bytes of the rows.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().flatten().map(|chunk| u64::from(chunk.raw)).sum()
    }
}

/// Some neighbouring segments, read and still sealed.
#[derive(Debug, Default)]
pub struct SealedPiece {
    segments: Vec<Vec<(ChunkRef, Bytes)>>,
    bytes: u64,
}

/// Rows of some neighbouring segments.
#[derive(Debug, Default)]
pub struct Piece {
    /// The canonical rows, one after the other, in the order of the table's key.
    pub rows: Vec<u8>,
    /// How many there are.
    pub count: u64,
}

impl Fetcher {
    /// A fetcher with the vault's keys.
    pub fn new(world: &World, keys: Arc<KeyChest>) -> Self {
        Self { world: world.clone(), keys }
    }

    /// All chunks of a table, in the order of its key.
    pub fn portions(part: &TablePart) -> Vec<Portion> {
        let mut portions: Vec<Portion> = Vec::new();
        let mut room = 0;
        for segment in part.segments() {
            let length = segment.iter().map(|chunk| u64::from(chunk.length)).sum();
            match portions.last_mut() {
                Some(portion) if length <= room => {
                    room -= length;
                    portion.segments.push(segment);
                }
                _ => {
                    room = READ.saturating_sub(length);
                    portions.push(Portion { segments: vec![segment] });
                }
            }
        }
        portions
    }

    /// Reads the chunks of a portion, those that lie near each other in a pack with one read.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the pack if a chunk is missing or cut short.
    pub async fn read(
        &self,
        part: &TablePart,
        portion: &Portion,
    ) -> Result<Vec<SealedPiece>, Error> {
        let stretches = stretches(portion.segments.iter().flatten());
        let reads = stretches.into_iter().map(|stretch| self.stretch(part, stretch));
        let sealed: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        let mut sealed = sealed.into_iter().flatten();
        let mut pieces: Vec<SealedPiece> = Vec::new();
        for segment in &portion.segments {
            let chunks = sealed.by_ref().take(segment.len()).collect();
            if pieces.last().is_none_or(|piece| piece.bytes >= PIECE) {
                pieces.push(SealedPiece::default());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.bytes += segment.iter().map(|chunk| u64::from(chunk.raw)).sum::<u64>();
                piece.segments.push(chunks);
            }
        }
        Ok(pieces)
    }

    async fn stretch(
        &self,
        part: &TablePart,
        chunks: Vec<ChunkRef>,
    ) -> Result<Vec<(ChunkRef, Bytes)>, Error> {
        let name = pack_name(part, &chunks[0])?;
        let start = u64::from(chunks[0].offset);
        let bytes = self.world.vault.get_range(&name, start..end(&chunks)).await?;
        let sealed = chunks.into_iter().map(|chunk| {
            let bytes = slice(&bytes, u64::from(chunk.offset) - start, chunk.length)
                .map_err(|source| Error::Damaged { name: name.clone(), source })?;
            Ok((chunk, bytes))
        });
        sealed.collect()
    }

    /// Opens the chunks of a piece, and puts the rows of each segment into the order of the table's key.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the pack if a chunk was swapped or altered, or holds other rows than the manifest says.
    pub async fn open(
        &self,
        table: &Table,
        part: &TablePart,
        sealed: SealedPiece,
    ) -> Result<Piece, Error> {
        let (columns, key_place) = (table.columns.len(), table.key_places().first().copied());
        let mut segments = Vec::with_capacity(sealed.segments.len());
        for chunks in sealed.segments {
            let mut segment = Vec::with_capacity(chunks.len());
            for (chunk, sealed) in chunks {
                let key = part.key_of(&chunk).ok_or(Error::Internal("a chunk without a key"))?;
                let (pack, key) = (pack_name(part, &chunk)?, self.keys.sealing(key).await?);
                segment.push(SealedChunk { chunk, sealed, key, pack });
            }
            segments.push(segment);
        }
        let vault = self.keys.vault();
        let opened = blocking(move || {
            let mut piece = Piece::default();
            for segment in segments {
                let mut chunks = Vec::with_capacity(segment.len());
                for chunk in segment {
                    piece.count += u64::from(chunk.chunk.rows);
                    chunks.push(chunk.open(vault, columns)?);
                }
                append_in_order(&mut piece.rows, chunks, columns, key_place).map_err(|source| {
                    Error::Unwritable { what: "a segment in order".to_owned(), source }
                })?;
            }
            Ok(piece)
        });
        opened.await?
    }
}

/// A chunk with all that is needed to open it.
struct SealedChunk {
    chunk: ChunkRef,
    sealed: Bytes,
    key: Arc<SealingKey>,
    pack: ObjectName,
}

impl SealedChunk {
    fn open(&self, vault: VaultId, columns: usize) -> Result<Vec<u8>, Error> {
        let name = self.chunk.chunk.to_string();
        let binding = Binding { vault, kind: "chunk", name: &name, beside: &[] };
        let opened = self.key.open(&self.sealed, binding).and_then(|frame| {
            let rows = decompress(&frame, self.chunk.raw as usize)?;
            check_rows(&rows, columns, self.chunk.rows)?;
            Ok(rows)
        });
        opened.map_err(|source| Error::Damaged { name: self.pack.clone(), source })
    }
}

fn pack_name(part: &TablePart, chunk: &ChunkRef) -> Result<ObjectName, Error> {
    let pack = part.pack_of(chunk).ok_or(Error::Internal("a chunk without a pack"))?;
    Ok(ObjectName::pack(pack))
}

/// Chunks that follow each other in one pack come together, with what is little between them, as long as they are not too
/// many bytes.
fn stretches<'a>(chunks: impl Iterator<Item = &'a ChunkRef>) -> Vec<Vec<ChunkRef>> {
    let mut stretches: Vec<Vec<ChunkRef>> = Vec::new();
    for chunk in chunks {
        match stretches.last_mut() {
            Some(stretch) if joins(stretch, chunk) => stretch.push(*chunk),
            _ => stretches.push(vec![*chunk]),
        }
    }
    stretches
}

fn joins(stretch: &[ChunkRef], chunk: &ChunkRef) -> bool {
    let start = stretch.first().map_or(0, |first| u64::from(first.offset));
    let gap = u64::from(chunk.offset).checked_sub(end(stretch));
    let is_near = stretch.last().is_some_and(|last| last.pack == chunk.pack)
        && gap.is_some_and(|gap| gap <= GAP);
    is_near && u64::from(chunk.offset) + u64::from(chunk.length) - start <= READ
}

fn end(stretch: &[ChunkRef]) -> u64 {
    stretch.last().map_or(0, |last| u64::from(last.offset) + u64::from(last.length))
}

fn slice(bytes: &Bytes, from: u64, length: u32) -> Result<Bytes, FormatError> {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let end = from.saturating_add(length as usize);
    if end <= bytes.len() {
        Ok(bytes.slice(from..end))
    } else {
        Err(FormatError::Length { expected: end as u64, given: bytes.len() as u64 })
    }
}
