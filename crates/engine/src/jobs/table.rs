//! Reading one table into the vault: rows are cut into chunks, chunks stored side by side.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, Receiver},
    },
    task::JoinHandle,
};

use super::{
    Error, World,
    store::{ChunkStore, Stored},
};
use crate::{
    error::FormatError,
    model::{Scope, Table, ValueKind},
    ports::Reader,
    records::manifest::{PlacedChunk, TablePart},
    stages::{
        cut::{CutSizes, Cutter, RawChunk},
        rows::{Digest, RowBatch, RowShape, take_value},
    },
};

/// Batches that wait between the reader and the cutter.
const WAITING_BATCHES: usize = 2;

/// Raw bytes of chunks that are being named, compressed and sealed at once, over all tables.
const BYTES_AT_WORK: usize = 8 << 20;
const PERMIT_BYTES: usize = 64 << 10;

/// What reading tables shares: the store, the memory it may use, the time it has.
#[derive(Clone)]
pub(super) struct TableJob {
    world: World,
    store: Arc<ChunkStore>,
    memory: Arc<Semaphore>,
    tenant_column: Option<String>,
    deadline: Option<Timestamp>,
}

impl TableJob {
    pub(super) fn new(
        world: &World,
        store: Arc<ChunkStore>,
        tenant_column: Option<String>,
        deadline: Option<Timestamp>,
    ) -> Self {
        let memory = Arc::new(Semaphore::new(BYTES_AT_WORK / PERMIT_BYTES));
        Self { world: world.clone(), store, memory, tenant_column, deadline }
    }

    /// Reads the table to its last row and stores it.
    pub(super) async fn run(
        &self,
        reader: &mut dyn Reader,
        table: &Table,
    ) -> Result<TablePart, Error> {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let (read, part) =
            tokio::join!(reader.read(table, sender), self.cut_and_store(table, receiver));
        // When storing failed, the reader stopped early and has nothing to say.
        let part = part?;
        read?;
        self.world.progress.table_done();
        Ok(part)
    }

    async fn cut_and_store(
        &self,
        table: &Table,
        mut batches: Receiver<RowBatch>,
    ) -> Result<TablePart, Error> {
        let tenant = self.tenant_column.as_deref().and_then(|column| table.place_of(column));
        let shape = RowShape::new(table.columns.len(), table.key_places(), tenant);
        let mut cutter = Cutter::new(shape, CutSizes::STANDARD, self.store.spare());
        let (mut range, mut pending, mut ready) = (KeyRange::of(table), Vec::new(), Vec::new());
        while let Some(batch) = batches.recv().await {
            self.check_deadline()?;
            let bad_row = |source| Error::Unwritable {
                what: format!("a row of table {}", table.name),
                source,
            };
            range.see(&batch).map_err(bad_row)?;
            cutter.push(&batch, |chunk| ready.push(chunk)).map_err(bad_row)?;
            for chunk in ready.drain(..) {
                pending.push(self.start(chunk).await?);
            }
        }
        cutter.finish(|chunk| ready.push(chunk));
        for chunk in ready {
            pending.push(self.start(chunk).await?);
        }
        let groups = collect(pending).await?;
        Ok(TablePart::new(table.name.clone(), groups, range.found()))
    }

    /// Starts storing a chunk as soon as there is memory for it.
    async fn start(&self, chunk: RawChunk) -> Result<Pending, Error> {
        self.world.progress.rows_done(chunk.digest.rows, chunk.digest.bytes);
        let permits =
            chunk.rows.len().div_ceil(PERMIT_BYTES).clamp(1, BYTES_AT_WORK / PERMIT_BYTES);
        let permits = u32::try_from(permits).unwrap_or(1);
        let permit = Arc::clone(&self.memory).acquire_many_owned(permits).await;
        let permit = permit.map_err(|_| Error::Internal("memory accounting is closed"))?;
        let (scope, segment, digest) = (chunk.scope.clone(), chunk.segment, chunk.digest);
        let store = Arc::clone(&self.store);
        let stored = tokio::spawn(async move {
            let stored = store.store(chunk).await;
            drop(permit);
            stored
        });
        Ok(Pending { scope, segment, digest, stored })
    }

    fn check_deadline(&self) -> Result<(), Error> {
        let late = self.deadline.is_some_and(|deadline| self.world.clock.now() >= deadline);
        if late { Err(Error::Deadline) } else { Ok(()) }
    }
}

struct Pending {
    scope: Scope,
    segment: u32,
    digest: Digest,
    /// Left to itself when the table fails: a task that is stopped halfway could lose a pack that others
    /// already count on.
    stored: JoinHandle<Result<Stored, Error>>,
}

/// Waits for all chunks of a table and puts them together by scope, in the order of the key.
async fn collect(pending: Vec<Pending>) -> Result<Vec<(Scope, Digest, Vec<PlacedChunk>)>, Error> {
    let mut groups = BTreeMap::<Scope, (Digest, Vec<PlacedChunk>)>::new();
    for Pending { scope, segment, digest, stored } in pending {
        let task = stored.await;
        let Stored { pack, entry } =
            task.map_err(|_| Error::Internal("storing a chunk stopped"))??;
        let rows =
            u32::try_from(digest.rows).map_err(|_| Error::Internal("too many rows in a chunk"))?;
        let (whole, chunks) = groups.entry(scope).or_default();
        whole.merge(&digest);
        chunks.push(PlacedChunk { pack, entry, rows, segment });
    }
    Ok(groups.into_iter().map(|(scope, (digest, chunks))| (scope, digest, chunks)).collect())
}

/// First and last key of the rows seen, where the key is one whole-number column (which says nothing
/// about a person, as a text key might).
struct KeyRange {
    place: Option<usize>,
    first: Option<String>,
    last: Option<String>,
}

impl KeyRange {
    fn of(table: &Table) -> Self {
        let place = match table.key_places()[..] {
            [place] if table.columns[place].kind == ValueKind::Number => Some(place),
            _ => None,
        };
        Self { place, first: None, last: None }
    }

    fn see(&mut self, batch: &RowBatch) -> Result<(), FormatError> {
        let Some(place) = self.place else {
            return Ok(());
        };
        let Some(last) = batch.rows().last() else {
            return Ok(());
        };
        if self.first.is_none() {
            self.first = batch.rows().next().map(|row| key_at(row, place)).transpose()?;
        }
        self.last = Some(key_at(last, place)?);
        Ok(())
    }

    fn found(self) -> Option<(String, String)> {
        self.first.zip(self.last)
    }
}

fn key_at(row: &[u8], place: usize) -> Result<String, FormatError> {
    let mut rest = row;
    for _ in 0..place {
        take_value(&mut rest)?;
    }
    let value = take_value(&mut rest)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(value).into_owned())
}
