//! Storing chunks: what is there already is not stored again, what is new is sealed and packed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, Semaphore},
    task::{JoinSet, spawn_blocking},
};

use super::{Error, KeyChest, World, backups, suspects::suspects};
use crate::{
    error::FormatError,
    model::{ChunkId, KeyId, KeyPurpose, ObjectName, PackId, RunId, Scope, prefix},
    ports::{Entropy, VaultError},
    stages::{
        compress::Codec,
        cut::RawChunk,
        pack::{self, Entry, OpenPack, SealedContents},
        seal::{Binding, SealingKey},
        spare::Spare,
    },
};

/// Packs on their way to the vault at once: enough to keep a network busy, few enough for little memory.
const PARALLEL_UPLOADS: usize = 2;

/// Of the memory of a chunk no more than this is kept for the next one: few are larger.
const LARGEST_SPARE: usize = 3 << 20;

/// Bytes read from the end of a pack to find its table of contents.
const CONTENTS_GUESS: u64 = 64 << 10;

/// Where a chunk lies.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) pack: Arc<PackId>,
    pub(super) entry: Arc<Entry>,
}

/// The chunks of a vault while a backup adds to them.
pub(super) struct ChunkStore {
    world: World,
    keys: KeyChest,
    run: RunId,
    known: Arc<Mutex<HashMap<ChunkId, Stored>>>,
    sizes: Arc<Mutex<BTreeMap<PackId, u64>>>,
    packing: AsyncMutex<Packing>,
    uploads: Arc<Semaphore>,
    /// One for each core: more at once would not be quicker, and each takes memory of its own.
    workers: Arc<Semaphore>,
    benches: Arc<Mutex<Vec<Workbench>>>,
    spare: Arc<Spare>,
    spare_packs: Arc<Spare>,
    new_bytes: AtomicU64,
}

#[derive(Default)]
struct Packing {
    open: Option<OpenPack>,
    packs: u32,
    uploading: JoinSet<Result<(), Error>>,
}

impl ChunkStore {
    /// Looks what is there: the chunks of the newest backup that can be opened, and those of packs
    /// written since, by runs that were cut off. What a verification found damaged is none.
    pub(super) async fn open(world: &World, keys: KeyChest, run: RunId) -> Result<Self, Error> {
        let store = Self {
            world: world.clone(),
            keys,
            run,
            known: Arc::default(),
            sizes: Arc::default(),
            packing: AsyncMutex::default(),
            uploads: Arc::new(Semaphore::new(PARALLEL_UPLOADS)),
            workers: Arc::new(Semaphore::new(Handle::current().metrics().num_workers())),
            benches: Arc::default(),
            spare: Arc::new(Spare::new(LARGEST_SPARE)),
            spare_packs: Arc::new(Spare::new(2 * pack::FULL)),
            new_bytes: AtomicU64::new(0),
        };
        let mut packs = store.list_packs().await?;
        let suspects = suspects(world).await?;
        packs.retain(|pack, _| !suspects.contains(pack));
        let newest = store.learn_newest_manifest(&packs).await?;
        for (pack, size) in packs {
            if newest.as_ref().is_none_or(|newest| pack.run() > newest) {
                store.learn_pack(pack, size).await?;
            }
        }
        Ok(store)
    }

    pub(super) fn keys(&self) -> &KeyChest {
        &self.keys
    }

    /// Bytes of sealed chunks that were not there before.
    pub(super) fn new_bytes(&self) -> u64 {
        self.new_bytes.load(Relaxed)
    }

    /// Size of a pack, if it is safe in the vault. Nothing may be said to lie in one that is not.
    pub(super) fn size_of(&self, pack: &PackId) -> Option<u64> {
        lock(&self.sizes).get(pack).copied()
    }

    /// Memory for rows of chunks, which comes back here once they are stored.
    pub(super) fn spare(&self) -> Arc<Spare> {
        Arc::clone(&self.spare)
    }

    /// Stores a chunk, unless it is there, and says where it lies. It is safe only after [`Self::finish`].
    pub(super) async fn store(&self, chunk: RawChunk) -> Result<Stored, Error> {
        let worker = Arc::clone(&self.workers).acquire_owned().await;
        let worker = worker.map_err(|_| Error::Internal("workers are gone"))?;
        let naming = self.keys.naming(&chunk.scope).await?;
        let (chunk, id) = blocking(move || {
            let id = naming.name(&chunk.rows);
            (chunk, id)
        })
        .await?;
        if let Some(stored) = self.find(id).await? {
            self.spare.give_back(chunk.rows);
            return Ok(stored);
        }
        let key = self.keys.current(KeyPurpose::Rows, &chunk.scope).await?;
        let sealed = self.seal(id, Arc::clone(&key), chunk.rows).await?;
        drop(worker);
        self.new_bytes.fetch_add(sealed.bytes.len() as u64, Relaxed);
        self.lay(id, key.id(), &sealed).await
    }

    async fn seal(
        &self,
        id: ChunkId,
        key: Arc<SealingKey>,
        rows: Vec<u8>,
    ) -> Result<Sealed, Error> {
        let (world, vault, benches) =
            (self.world.clone(), self.keys.vault(), Arc::clone(&self.benches));
        let spare = self.spare();
        blocking(move || {
            let name = id.to_string();
            let binding = Binding { vault, kind: "chunk", name: &name, beside: &[] };
            let mut bench = lock(&benches).pop().map_or_else(Workbench::new, Ok)?;
            let sealed = bench.seal_and_open_again(&rows, &key, binding, &*world.entropy)?;
            lock(&benches).push(bench);
            let raw = rows.len();
            spare.give_back(rows);
            Ok(Sealed { bytes: sealed, raw })
        })
        .await?
        .map_err(|source| unwritable(format!("chunk {id}"), source))
    }

    /// Where a chunk lies that is there already. One whose key is lost is none: nobody could open it.
    async fn find(&self, id: ChunkId) -> Result<Option<Stored>, Error> {
        let Some(stored) = lock(&self.known).get(&id).cloned() else {
            return Ok(None);
        };
        let key = self.keys.sealing(&stored.entry.key).await;
        Ok(unless_lost(key)?.map(|_| stored))
    }

    /// Stores what is still open and waits until every pack is safe in the vault.
    pub(super) async fn finish(&self) -> Result<(), Error> {
        let mut packing = self.packing.lock().await;
        if packing.open.as_ref().is_some_and(|open| !open.is_empty()) {
            self.upload(&mut packing).await?;
        }
        while let Some(done) = packing.uploading.join_next().await {
            done.map_err(|_| Error::Internal("an upload stopped"))??;
        }
        Ok(())
    }

    async fn lay(&self, id: ChunkId, key: &KeyId, sealed: &Sealed) -> Result<Stored, Error> {
        let mut packing = self.packing.lock().await;
        if packing.open.is_none() {
            packing.packs += 1;
            if packing.packs > PackId::MOST {
                return Err(Error::Internal("a backup of more packs than ids can number"));
            }
            packing.open = Some(OpenPack::new(
                PackId::new(self.run.clone(), packing.packs),
                &self.spare_packs,
            ));
        }
        let open = packing.open.as_mut().ok_or(Error::Internal("no open pack"))?;
        let entry = open
            .add(id, key, &sealed.bytes, sealed.raw)
            .map_err(|source| unwritable(format!("chunk {id}"), source))?;
        let stored = Stored { pack: Arc::new(open.id().clone()), entry: Arc::new(entry) };
        lock(&self.known).insert(id, stored.clone());
        if open.is_full() {
            self.upload(&mut packing).await?;
        }
        Ok(stored)
    }

    /// Starts to upload the open pack, once there are few enough uploads; fails if an earlier one failed.
    /// The pack stays open until nothing can fail any more, since its chunks are known already.
    async fn upload(&self, packing: &mut Packing) -> Result<(), Error> {
        while let Some(done) = packing.uploading.try_join_next() {
            done.map_err(|_| Error::Internal("an upload stopped"))??;
        }
        let permit = Arc::clone(&self.uploads).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Internal("uploads are closed"))?;
        let key = self.keys.current(KeyPurpose::Manifest, &Scope::Shared).await?;
        let Some(pack) = packing.open.take() else {
            return Ok(());
        };
        let id = pack.id().clone();
        let content = pack
            .close(self.keys.vault(), &key, &*self.world.entropy)
            .map_err(|source| unwritable(format!("pack {id}"), source))?;
        let (vault, size) = (Arc::clone(&self.world.vault), content.len() as u64);
        let (known, sizes) = (Arc::clone(&self.known), Arc::clone(&self.sizes));
        let spare = Arc::clone(&self.spare_packs);
        packing.uploading.spawn(async move {
            let content = Bytes::from(content);
            let stored = vault.put(&ObjectName::pack(&id), content.clone()).await;
            if content.is_unique() {
                spare.give_back(content.into());
            }
            drop(permit);
            match &stored {
                Ok(()) => _ = lock(&sizes).insert(id, size),
                // A backup that begins anew stores these chunks again.
                Err(_) => lock(&known).retain(|_, stored| *stored.pack != id),
            }
            Ok(stored?)
        });
        Ok(())
    }

    async fn list_packs(&self) -> Result<BTreeMap<PackId, u64>, Error> {
        let objects = self.world.vault.list(prefix::PACKS).await?;
        let packs = objects.iter().filter_map(|object| {
            let id = object.name.stem(prefix::PACKS, ".pack")?.parse().ok()?;
            Some((id, object.size))
        });
        Ok(packs.collect())
    }

    /// Learns the chunks of the newest backup of the source whose manifest is whole, and gives its id. A damaged one
    /// is passed over here: `verify` reports it, and this backup must not fail for it.
    async fn learn_newest_manifest(
        &self,
        packs: &BTreeMap<PackId, u64>,
    ) -> Result<Option<RunId>, Error> {
        for id in backups::ids(&*self.world.vault).await?.into_iter().rev() {
            let opened = backups::open(&self.world, &self.keys, &id).await;
            let Some((header, manifest)) = unless_lost(opened)? else {
                continue;
            };
            // It holds little of what the next backup of the source needs.
            if header.imported.is_some() {
                continue;
            }
            for part in &manifest.tables {
                for chunk in part.groups.iter().flat_map(|group| &group.chunks) {
                    let (Some(pack), Some(key)) = (part.pack_of(chunk), part.key_of(chunk)) else {
                        continue;
                    };
                    self.learn(pack, packs.get(pack).copied(), chunk.entry(key.clone()));
                }
            }
            let sizes: BTreeMap<_, _> = manifest.packs.into_iter().collect();
            self.forget_damaged_packs(&sizes);
            return Ok(Some(id));
        }
        Ok(None)
    }

    /// A pack that is missing or has another size than the manifest says is not built upon.
    fn forget_damaged_packs(&self, expected: &BTreeMap<PackId, u64>) {
        let sizes = lock(&self.sizes);
        lock(&self.known).retain(|_, stored| {
            sizes.get(&*stored.pack).is_some_and(|size| expected.get(&*stored.pack) == Some(size))
        });
    }

    async fn learn_pack(&self, pack: PackId, size: u64) -> Result<(), Error> {
        let Some(entries) = read_contents(&self.world, &self.keys, &pack, size).await? else {
            return Ok(());
        };
        for entry in entries {
            self.learn(&pack, Some(size), entry);
        }
        Ok(())
    }

    fn learn(&self, pack: &PackId, size: Option<u64>, entry: Entry) {
        let Some(size) = size else { return };
        lock(&self.sizes).insert(pack.clone(), size);
        let stored = Stored { pack: Arc::new(pack.clone()), entry: Arc::new(entry) };
        lock(&self.known).insert(stored.entry.chunk, stored);
    }
}

/// The table of contents of a pack; `None` if it is damaged, and the pack is then not used.
async fn read_contents(
    world: &World,
    keys: &KeyChest,
    pack: &PackId,
    size: u64,
) -> Result<Option<Vec<Entry>>, Error> {
    let name = ObjectName::pack(pack);
    let mut end = world.vault.get_range(&name, size.saturating_sub(CONTENTS_GUESS)..size).await?;
    if let Err(FormatError::Length { expected, .. }) = SealedContents::find(&end) {
        end = world.vault.get_range(&name, size.saturating_sub(expected)..size).await?;
    }
    open_contents(keys, pack, &end).await
}

async fn open_contents(
    keys: &KeyChest,
    pack: &PackId,
    end: &Bytes,
) -> Result<Option<Vec<Entry>>, Error> {
    let Ok(sealed) = SealedContents::find(end) else {
        return Ok(None);
    };
    let key = unless_lost(keys.sealing(&sealed.key).await)?;
    Ok(key.and_then(|key| sealed.open(keys.vault(), pack, &key).ok()))
}

/// What is missing, damaged or erased is none; that it could not be looked for is an error.
fn unless_lost<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(
            Error::Damaged { .. } | Error::Erased { .. } | Error::Vault(VaultError::Missing { .. }),
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A sealed chunk, and how long its rows are.
struct Sealed {
    bytes: Vec<u8>,
    raw: usize,
}

/// What sealing a chunk needs besides it, used again for the next one.
pub(super) struct Workbench {
    codec: Codec,
    frame: Vec<u8>,
    opened: Vec<u8>,
    again: Vec<u8>,
}

impl Workbench {
    pub(super) fn new() -> Result<Self, FormatError> {
        let [frame, opened, again] = [const { Vec::new() }; 3];
        Ok(Self { codec: Codec::new()?, frame, opened, again })
    }

    /// Compresses and seals, then opens, decompresses and compares: what goes into the vault is known to come out
    /// again.
    pub(super) fn seal_and_open_again(
        &mut self,
        rows: &[u8],
        key: &SealingKey,
        binding: Binding<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, FormatError> {
        self.codec.compress(rows, &mut self.frame)?;
        let sealed = key.seal(&self.frame, binding, entropy);
        key.open_into(&sealed, binding, &mut self.opened)?;
        self.codec.decompress(&self.opened, rows.len(), &mut self.again)?;
        let is_same = self.again == rows;
        for piece in [&mut self.frame, &mut self.opened, &mut self.again] {
            piece.clear();
            piece.shrink_to(LARGEST_SPARE);
        }
        if is_same { Ok(sealed) } else { Err(FormatError::Content(binding.name.to_owned())) }
    }
}

/// Runs work for the processor where it does not hold up the network.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|_| Error::Internal("a worker stopped"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(what: String, source: FormatError) -> Error {
    Error::Unwritable { what, source }
}
