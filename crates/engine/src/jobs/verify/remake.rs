//! Remaking: chunks that are whole nowhere any more are read from the database once more, if their rows are as they
//! were, and put back in their places.
//!
//! A chunk is known by its name, a keyed hash of its rows, so that nothing else is taken for it. It is sealed anew under
//! the key that manifests name, and must fill its old place to the byte, as manifests never change. All else in a pack
//! stays as it is: none gets worse.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::mpsc::{self, Receiver};

use super::{
    blame::blame,
    packs::{open_entry, read_contents, read_pack},
};
use crate::{
    jobs::{
        Error, KeyChest, World, backups,
        store::{Workbench, blocking},
    },
    model::{ChunkId, KeyPurpose, ObjectName, PackId, Scope, Table},
    ports::{Mender, Revision, Snapshot, Source},
    records::manifest::Manifest,
    stages::{
        cut::{CutSizes, Cutter, RawChunk},
        pack::{self, Entry},
        rows::{RowBatch, RowShape},
        seal::Binding,
        spare::Spare,
    },
};

/// Packs that are put together at once, in memory. For more of them the database is read again.
const PACKS_AT_ONCE: usize = 8;

/// Batches that wait between the reader and the cutter.
const WAITING_BATCHES: usize = 4;

/// Of the memory of a chunk no more than this is kept for the next one.
const LARGEST_SPARE: usize = 3 << 20;

/// The protected database, as backups read it.
pub struct Database<'a> {
    /// Where its rows come from.
    pub source: &'a dyn Source,
    /// The column that says whose row it is: another one gives other chunks.
    pub tenant_column: Option<String>,
}

/// What became of a pack.
pub(super) enum Remade {
    /// It is whole.
    Whole {
        /// Whether there was a damaged one.
        was_there: bool,
    },
    /// It is not, and why; what could be had of it is back.
    Not(String),
}

/// Puts packs of the vault together from what is left of them here and in the replica, and from the database.
pub(super) async fn remake(
    world: &World,
    keys: &KeyChest,
    replica: Option<&World>,
    mender: &dyn Mender,
    database: &Database<'_>,
    packs: &BTreeSet<PackId>,
) -> Result<Vec<(PackId, Remade)>, Error> {
    let needed = needed(world, keys, packs).await?;
    let mut done = Vec::new();
    let nobody = packs.iter().filter(|pack| !needed.contains_key(*pack));
    done.extend(nobody.map(|pack| (pack.clone(), Remade::Not("no backup needs it".to_owned()))));
    let needed: Vec<_> = needed.into_iter().collect();
    for group in needed.chunks(PACKS_AT_ONCE) {
        let mut broken = Vec::new();
        for (pack, needed) in group {
            broken.push(Broken::look_at(world, keys, replica, pack, needed).await?);
        }
        read_again(world, keys, database, &mut broken).await?;
        for pack in broken {
            let id = pack.id.clone();
            done.push((id, pack.put(world, keys, mender).await?));
        }
    }
    Ok(done)
}

/// What manifests say of a pack.
#[derive(Default)]
struct Needed {
    /// Its size, in bytes.
    size: usize,
    /// The chunks that they look for in it, each with its table.
    chunks: BTreeMap<Entry, String>,
}

async fn needed(
    world: &World,
    keys: &KeyChest,
    packs: &BTreeSet<PackId>,
) -> Result<BTreeMap<PackId, Needed>, Error> {
    let mut needed = BTreeMap::<PackId, Needed>::new();
    for id in backups::ids(&*world.vault).await? {
        match backups::open(world, keys, &id).await {
            Ok((_, manifest)) => look_for(&manifest, packs, &mut needed)?,
            // What can't be opened needs nothing that is known.
            Err(error) => _ = blame(error)?,
        }
    }
    Ok(needed)
}

fn look_for(
    manifest: &Manifest,
    packs: &BTreeSet<PackId>,
    needed: &mut BTreeMap<PackId, Needed>,
) -> Result<(), Error> {
    for (pack, size) in manifest.packs.iter().filter(|(pack, _)| packs.contains(pack)) {
        let size = usize::try_from(*size).map_err(|_| Error::Internal("a pack beyond memory"))?;
        needed.entry(pack.clone()).or_default().size = size;
    }
    for part in &manifest.tables {
        for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
            let (Some(pack), Some(key)) = (part.pack_of(chunk), part.key_of(chunk)) else {
                return Err(Error::Internal("a manifest that does not list its packs and keys"));
            };
            if let Some(needed) = needed.get_mut(pack) {
                needed.chunks.insert(chunk.entry(key.clone()), part.table.clone());
            }
        }
    }
    Ok(())
}

/// A pack that is being put together.
struct Broken {
    id: PackId,
    /// What is there.
    revision: Option<Revision>,
    /// What it was, and what it becomes.
    before: Vec<u8>,
    bytes: Vec<u8>,
    /// Whether its table of contents is in its place.
    has_table: bool,
    /// Chunks that manifests look for.
    needed: Vec<Entry>,
    /// Chunks that were whole nowhere, and those that were read again.
    lost: BTreeSet<Entry>,
    found: BTreeSet<Entry>,
    /// Where lost rows were.
    tables: BTreeSet<String>,
}

impl Broken {
    /// Puts together what is whole here or in the replica.
    async fn look_at(
        world: &World,
        keys: &KeyChest,
        replica: Option<&World>,
        id: &PackId,
        needed: &Needed,
    ) -> Result<Self, Error> {
        let name = ObjectName::pack(id);
        let (before, revision) = world.vault.read(&name).await?.unzip();
        let before = before.unwrap_or_default();
        let mut copies = vec![before.clone()];
        if let Some(replica) = replica {
            copies.extend(replica.vault.read(&name).await?.map(|(copy, _)| copy));
        }
        let mut bytes = before.to_vec();
        bytes.resize(needed.size, 0);
        if let Some(start) = bytes.get_mut(..pack::MAGIC.len()) {
            start.copy_from_slice(pack::MAGIC);
        }

        let mut entries: BTreeSet<Entry> = needed.chunks.keys().cloned().collect();
        let mut has_table = false;
        for copy in copies.iter().filter(|copy| copy.len() == needed.size) {
            match read_contents(keys, id, copy).await {
                Ok(listed) if !has_table => {
                    let end = listed.last().map_or(pack::MAGIC.len(), end_of);
                    bytes[end..].copy_from_slice(&copy[end..]);
                    entries.extend(listed);
                    has_table = true;
                }
                Ok(_) => {}
                Err(error) => _ = blame(error)?,
            }
        }
        let (mut lost, mut tables) = (BTreeSet::new(), BTreeSet::new());
        for entry in entries {
            let (mut whole, mut is_locked) = (None, false);
            for copy in &copies {
                match open_entry(keys, &name, &entry, copy).await {
                    Ok(()) => whole = whole.or(Some(copy)),
                    // Behind a key that is lost nothing can be looked at, or sealed.
                    Err(error) => is_locked |= blame(error)?.0 != name,
                }
            }
            match whole {
                _ if is_locked => {}
                Some(copy) => patch(&mut bytes, &entry, &copy[offset(&entry)..end_of(&entry)]),
                None => {
                    tables.extend(needed.chunks.get(&entry).cloned());
                    lost.insert(entry);
                }
            }
        }
        Ok(Self {
            id: id.clone(),
            revision,
            before: before.to_vec(),
            bytes,
            has_table,
            needed: needed.chunks.keys().cloned().collect(),
            lost,
            found: BTreeSet::new(),
            tables,
        })
    }

    /// Writes what could be had, and looks at it as a verification does.
    async fn put(
        mut self,
        world: &World,
        keys: &KeyChest,
        mender: &dyn Mender,
    ) -> Result<Remade, Error> {
        let name = ObjectName::pack(&self.id);
        self.seal_table(world, keys).await?;
        if self.bytes == self.before || (self.revision.is_none() && self.is_empty()) {
            return Ok(Remade::Not(self.what_is_lost()));
        }
        let was_there = self.revision.is_some();
        let content = std::mem::take(&mut self.bytes).into();
        match &self.revision {
            Some(revision) => mender.replace(&name, revision, content).await?,
            None => world.vault.put(&name, content).await?,
        }
        let now = read_pack(world, keys, &self.id, self.needed.clone()).await?;
        Ok(match now.damage {
            None => Remade::Whole { was_there },
            Some(what) if self.lost.is_empty() => Remade::Not(format!(
                "all that backups look for in it is back, but for its table of contents: {what}"
            )),
            Some(_) => Remade::Not(self.what_is_lost()),
        })
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.needed.iter().all(|entry| self.lost.contains(entry))
    }

    fn what_is_lost(&self) -> String {
        let (lost, found) = (self.lost.len(), self.found.len());
        format!(
            "of {} chunks that are lost the database still has {found} as they were; these are back",
            lost + found
        )
    }

    /// Makes a new table of contents, if the chunks that are known leave no gap.
    async fn seal_table(&mut self, world: &World, keys: &KeyChest) -> Result<(), Error> {
        let mut entries = self.needed.clone();
        entries.sort_by_key(|entry| entry.offset);
        let mut end = pack::MAGIC.len();
        let is_whole = entries.iter().all(|entry| {
            let joins = offset(entry) == end;
            end = end_of(entry);
            joins
        });
        if self.has_table || !self.lost.is_empty() || !is_whole {
            return Ok(());
        }
        let key = keys.current(KeyPurpose::Manifest, &Scope::Shared).await?;
        let table = pack::table(&self.id, entries, keys.vault(), &key, &*world.entropy);
        let table =
            table.map_err(|source| Error::Unwritable { what: self.id.to_string(), source })?;
        if end + table.len() == self.bytes.len() {
            self.bytes[end..].copy_from_slice(&table);
        }
        Ok(())
    }
}

fn offset(entry: &Entry) -> usize {
    entry.offset as usize
}

fn end_of(entry: &Entry) -> usize {
    offset(entry) + entry.length as usize
}

fn patch(bytes: &mut [u8], entry: &Entry, sealed: &[u8]) {
    if let Some(place) = bytes.get_mut(offset(entry)..end_of(entry)) {
        place.copy_from_slice(sealed);
    }
}

/// Reads the tables that lost rows, in one snapshot, and puts every chunk in its place that is as it was.
async fn read_again(
    world: &World,
    keys: &KeyChest,
    database: &Database<'_>,
    broken: &mut [Broken],
) -> Result<(), Error> {
    let tables: BTreeSet<_> = broken.iter().flat_map(|pack| pack.tables.clone()).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let Snapshot { catalog, mut readers, .. } = database.source.snapshot(1).await?;
    let reader = readers.first_mut().ok_or(Error::Internal("a snapshot without a reader"))?;
    for table in catalog.tables.iter().filter(|table| tables.contains(&table.name)) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let sifting = sift(world, keys, database, table, receiver, broken);
        let (read, sifted) = tokio::join!(reader.read(table, sender), sifting);
        sifted?;
        read?;
    }
    Ok(())
}

async fn sift(
    world: &World,
    keys: &KeyChest,
    database: &Database<'_>,
    table: &Table,
    mut batches: Receiver<RowBatch>,
    broken: &mut [Broken],
) -> Result<(), Error> {
    let tenant = database.tenant_column.as_deref().and_then(|column| table.place_of(column));
    let shape = RowShape::new(table.columns.len(), table.key_places(), tenant);
    let spare = Arc::new(Spare::new(LARGEST_SPARE));
    let mut cutter = Cutter::new(shape, CutSizes::STANDARD, Arc::clone(&spare));
    let mut ready = Vec::new();
    loop {
        let batch = batches.recv().await;
        let is_last = batch.is_none();
        match batch {
            Some(batch) => {
                let what = || format!("a row of table {}", table.name);
                let cut = cutter.push(&batch, |chunk| ready.push(chunk));
                cut.map_err(|source| Error::Unwritable { what: what(), source })?;
            }
            None => cutter.finish(|chunk| ready.push(chunk)),
        }
        for chunk in ready.drain(..) {
            spare.give_back(put_back(world, keys, chunk, broken).await?);
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Puts a chunk in every place where it is missing, and gives its memory back.
async fn put_back(
    world: &World,
    keys: &KeyChest,
    chunk: RawChunk,
    broken: &mut [Broken],
) -> Result<Vec<u8>, Error> {
    let naming = match keys.kept_naming(&chunk.scope).await {
        Ok(Some(naming)) => naming,
        Ok(None) | Err(Error::Erased { .. }) => return Ok(chunk.rows),
        Err(error) => return Err(error),
    };
    let (rows, id) = blocking(move || {
        let id = naming.name(&chunk.rows);
        (chunk.rows, id)
    })
    .await?;
    for pack in broken {
        let places: Vec<_> = pack.lost.iter().filter(|entry| entry.chunk == id).cloned().collect();
        for entry in places {
            if let Some(sealed) = seal(world, keys, &entry, id, &rows).await? {
                patch(&mut pack.bytes, &entry, &sealed);
                pack.lost.remove(&entry);
                pack.found.insert(entry);
            }
        }
    }
    Ok(rows)
}

/// The chunk as it was sealed, but for its nonce; nothing if it would not fit in its place.
async fn seal(
    world: &World,
    keys: &KeyChest,
    entry: &Entry,
    id: ChunkId,
    rows: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let key = keys.sealing(&entry.key).await?;
    let name = id.to_string();
    let binding = Binding { vault: keys.vault(), kind: "chunk", name: &name, beside: &[] };
    let sealed = Workbench::new()
        .and_then(|mut bench| bench.seal_and_open_again(rows, &key, binding, &*world.entropy))
        .map_err(|source| Error::Unwritable { what: format!("chunk {id}"), source })?;
    let fits = sealed.len() == entry.length as usize && rows.len() == entry.raw as usize;
    Ok(fits.then_some(sealed))
}
