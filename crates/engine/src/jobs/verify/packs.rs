//! Packs, read as a whole: every byte is authenticated, decompressed and hashed again.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::blame::{blame, lost_key_of};
use crate::{
    error::FormatError,
    jobs::{Error, KeyChest, World, store::blocking},
    model::{ObjectName, PackId, Scope, VaultId, prefix},
    ports::VaultError,
    stages::{
        compress::decompress,
        pack::{self, Entry, SealedContents},
        seal::{Binding, NamingKey, SealingKey},
    },
};

/// What a pack turned out to hold.
#[derive(Default)]
pub(super) struct PackContent {
    /// Chunks that are whole.
    pub(super) good: BTreeSet<Entry>,
    /// Chunks whose key is lost or erased, which says nothing of the pack.
    pub(super) locked: BTreeSet<Entry>,
    /// What is wrong with the pack itself.
    pub(super) damage: Option<String>,
    /// Whether it is not there any more.
    pub(super) is_gone: bool,
    /// What is wrong with the keys it needs: the object, and what.
    pub(super) keys: BTreeSet<(String, String)>,
}

/// Reads a pack: which of its chunks are whole, and what is wrong with it.
pub(super) async fn read_pack(
    world: &World,
    keys: &KeyChest,
    id: &PackId,
    needed: Vec<Entry>,
) -> Result<PackContent, Error> {
    let name = ObjectName::pack(id);
    let mut content = PackContent::default();
    let object = match world.vault.get(&name).await {
        Ok(object) => object,
        Err(VaultError::Missing { .. }) => {
            content.damage = Some("missing".to_owned());
            content.is_gone = true;
            return Ok(content);
        }
        Err(error) => return Err(error.into()),
    };
    // A restore does not need the table of contents: if it is damaged, chunks may still be whole.
    let entries = match read_contents(keys, id, &object).await {
        Ok(entries) => entries,
        Err(error) => {
            content.damage = lost_key_of(&name, &error);
            content.blame(&name, error)?;
            needed
        }
    };
    for scope in entries.iter().map(|entry| entry.key.scope()).collect::<BTreeSet<_>>() {
        content.keys.extend(naming_problem(keys, scope).await?);
    }
    let mut broken = 0;
    for entry in entries {
        match open_entry(keys, &name, &entry, &object).await {
            Ok(()) => _ = content.good.insert(entry),
            Err(Error::Erased { .. }) => _ = content.locked.insert(entry),
            Err(error) => {
                if content.blame(&name, error)? {
                    broken += 1;
                } else {
                    content.locked.insert(entry);
                }
            }
        }
    }
    if let Some(what) = content.damage.as_mut().filter(|_| broken > 1) {
        *what = format!("{what} (and {} more of its chunks)", broken - 1);
    }
    Ok(content)
}

impl PackContent {
    /// Takes down what an error says, and whether it says it of the pack and not of a key.
    fn blame(&mut self, pack: &ObjectName, error: Error) -> Result<bool, Error> {
        let (object, what) = blame(error)?;
        if object == *pack {
            self.damage.get_or_insert(what);
            return Ok(true);
        }
        self.keys.insert((object.to_string(), what));
        Ok(false)
    }
}

pub(super) async fn read_contents(
    keys: &KeyChest,
    id: &PackId,
    object: &Bytes,
) -> Result<Vec<Entry>, Error> {
    let damaged = |source| Error::Damaged { name: ObjectName::pack(id), source };
    let sealed = SealedContents::find(object).map_err(damaged)?;
    let key = keys.sealing(&sealed.key).await?;
    let entries = sealed.open(keys.vault(), id, &key).map_err(damaged)?;
    pack::check_layout(object, &sealed, entries).map_err(damaged)
}

/// What is wrong with the key that names the chunks of this scope, if anything: its object, and what.
pub(super) async fn naming_problem(
    keys: &KeyChest,
    scope: &Scope,
) -> Result<Option<(String, String)>, Error> {
    match keys.kept_naming(scope).await {
        Ok(Some(_)) | Err(Error::Erased { .. }) => Ok(None),
        Ok(None) => {
            let object = format!("{}naming.{scope}.*", prefix::KEYS);
            Ok(Some((object, "missing".to_owned())))
        }
        Err(error) => blame(error).map(|(object, what)| Some((object.to_string(), what))),
    }
}

/// Opens a chunk, and hashes it again if its naming key is there.
pub(super) async fn open_entry(
    keys: &KeyChest,
    name: &ObjectName,
    entry: &Entry,
    object: &Bytes,
) -> Result<(), Error> {
    let key = keys.sealing(&entry.key).await?;
    let naming = match keys.kept_naming(entry.key.scope()).await {
        Ok(naming) => naming,
        Err(error) => blame(error).map(|_| None)?,
    };
    let (start, end) = (u64::from(entry.offset), u64::from(entry.offset) + u64::from(entry.length));
    let sealed = if end <= object.len() as u64 {
        // Both fit in memory, as the object does.
        object.slice(usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0))
    } else {
        Bytes::new()
    };
    let (vault, entry) = (keys.vault(), entry.clone());
    let opened = blocking(move || open_and_hash(vault, &key, naming.as_deref(), &entry, &sealed));
    opened.await?.map_err(|source| Error::Damaged { name: name.clone(), source })
}

fn open_and_hash(
    vault: VaultId,
    key: &SealingKey,
    naming: Option<&NamingKey>,
    entry: &Entry,
    sealed: &[u8],
) -> Result<(), FormatError> {
    let name = entry.chunk.to_string();
    let binding = Binding { vault, kind: "chunk", name: &name, beside: &[] };
    let rows = decompress(&key.open(sealed, binding)?, entry.raw as usize)?;
    if naming.is_none_or(|naming| naming.name(&rows) == entry.chunk) {
        Ok(())
    } else {
        Err(FormatError::Content(name))
    }
}
