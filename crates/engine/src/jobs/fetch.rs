//! Fetching chunks back: neighbours in one read, each opened and checked.

use std::sync::Arc;

use bytes::Bytes;

use super::{Error, KeyChest, World, store::blocking};
use crate::{
    error::FormatError,
    model::{ObjectName, PackId},
    records::manifest::{ChunkRef, TablePart},
    stages::{compress::decompress, seal::Binding},
};

/// Bytes that one read from the vault brings at the most, unless a single chunk is larger.
const READ: u64 = 2 << 20;

/// Reads the rows of backups.
#[derive(Clone)]
pub struct Fetcher {
    world: World,
    keys: Arc<KeyChest>,
}

/// Chunks that lie side by side in one pack.
#[derive(Debug, Clone)]
pub struct Stretch {
    pack: PackId,
    /// The chunks, in the order of the table's key.
    pub chunks: Vec<ChunkRef>,
}

impl Stretch {
    fn start(&self) -> u64 {
        self.chunks.first().map_or(0, |chunk| u64::from(chunk.offset))
    }

    fn end(&self) -> u64 {
        self.chunks.last().map_or(0, |chunk| u64::from(chunk.offset) + u64::from(chunk.length))
    }
}

impl Fetcher {
    /// A fetcher with the vault's keys.
    pub fn new(world: &World, keys: Arc<KeyChest>) -> Self {
        Self { world: world.clone(), keys }
    }

    /// All chunks of a table, in few reads, in the manifest's order.
    ///
    /// # Errors
    /// [`Error::Internal`] if the manifest refers to a pack that it does not list, which no sealed one does.
    pub fn stretches(part: &TablePart) -> Result<Vec<Stretch>, Error> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
            let pack = part.pack_of(chunk).ok_or(Error::Internal("a chunk without a pack"))?;
            match stretches.last_mut() {
                Some(last) if last.pack == *pack && joins(last, chunk) => last.chunks.push(*chunk),
                _ => stretches.push(Stretch { pack: pack.clone(), chunks: vec![*chunk] }),
            }
        }
        Ok(stretches)
    }

    /// Reads a stretch and gives the rows of each of its chunks.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the pack if a chunk is missing, cut short, swapped or altered.
    pub async fn rows(&self, part: &TablePart, stretch: &Stretch) -> Result<Vec<Vec<u8>>, Error> {
        let name = ObjectName::pack(&stretch.pack);
        let range = stretch.start()..stretch.end();
        let bytes = self.world.vault.get_range(&name, range).await?;
        let mut rows = Vec::with_capacity(stretch.chunks.len());
        for chunk in &stretch.chunks {
            let from = u64::from(chunk.offset) - stretch.start();
            let sealed = slice(&bytes, from, chunk.length)
                .map_err(|source| Error::Damaged { name: name.clone(), source })?;
            rows.push(self.open(part, chunk, sealed, &name).await?);
        }
        Ok(rows)
    }

    async fn open(
        &self,
        part: &TablePart,
        chunk: &ChunkRef,
        sealed: Bytes,
        name: &ObjectName,
    ) -> Result<Vec<u8>, Error> {
        let key_id = part.key_of(chunk).ok_or(Error::Internal("a chunk without a key"))?;
        let key = self.keys.sealing(key_id).await?;
        let (vault, chunk) = (self.keys.vault(), *chunk);
        let opened = blocking(move || {
            let name = chunk.chunk.to_string();
            let binding = Binding { vault, kind: "chunk", name: &name, beside: &[] };
            decompress(&key.open(&sealed, binding)?, chunk.raw as usize)
        });
        opened.await?.map_err(|source| Error::Damaged { name: name.clone(), source })
    }
}

fn joins(stretch: &Stretch, chunk: &ChunkRef) -> bool {
    let end = u64::from(chunk.offset) + u64::from(chunk.length);
    stretch.end() == u64::from(chunk.offset) && end - stretch.start() <= READ
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
