//! The backups of a vault: listed by their headers, opened by their manifests.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::{Error, KeyChest, World};
use crate::{
    error::FormatError,
    model::{ObjectName, RunId, prefix},
    ports::{Vault, VaultError},
    records::{
        identity::VaultIdentity,
        manifest::{Header, Manifest},
    },
};

/// Bytes read of each manifest to list it; enough for every header there is.
const HEADER_GUESS: u64 = 4096;
const PARALLEL_READS: usize = 8;

/// A manifest whose header was read but whose body was not opened.
pub struct Listed {
    /// The object.
    pub name: ObjectName,
    /// Its header, or why it can't be read.
    pub header: Result<Header, FormatError>,
}

/// The vault's identity, or `None` if there is no vault here yet.
pub async fn identity(vault: &dyn Vault) -> Result<Option<VaultIdentity>, Error> {
    let name = ObjectName::identity();
    match vault.get(&name).await {
        Ok(bytes) => {
            let read = VaultIdentity::read(&bytes);
            read.map(Some).map_err(|source| Error::Damaged { name, source })
        }
        Err(VaultError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The vault's identity; there must be one.
pub async fn existing_identity(vault: &dyn Vault) -> Result<VaultIdentity, Error> {
    match identity(vault).await? {
        Some(identity) => Ok(identity),
        None => Err(not_lost(vault).await.err().unwrap_or_else(|| none(vault))),
    }
}

/// Checks that a vault without an identity never had one: with backups in it, it was lost.
pub async fn not_lost(vault: &dyn Vault) -> Result<(), Error> {
    if ids(vault).await?.is_empty() {
        return Ok(());
    }
    Err(VaultError::Missing { name: ObjectName::identity(), vault: vault.describe() }.into())
}

fn none(vault: &dyn Vault) -> Error {
    Error::NoVault { vault: vault.describe() }
}

/// The ids of all backups, oldest first.
pub async fn ids(vault: &dyn Vault) -> Result<Vec<RunId>, Error> {
    let objects = vault.list(prefix::MANIFESTS).await?;
    let stems =
        objects.iter().filter_map(|object| object.name.stem(prefix::MANIFESTS, ".manifest"));
    Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
}

/// Every backup's header, oldest first. No key is needed, and nothing is proved: `verify` does that.
pub async fn list(vault: &dyn Vault) -> Result<Vec<Listed>, Error> {
    existing_identity(vault).await?;
    let reads = ids(vault).await?.into_iter().map(async |id| {
        let name = ObjectName::manifest(&id);
        let header = read_header(vault, &name).await?;
        Ok::<_, Error>(Listed { name, header })
    });
    stream::iter(reads).buffered(PARALLEL_READS).try_collect().await
}

/// The id that `text` means: itself, or the newest backup's for `latest`.
pub async fn find(vault: &dyn Vault, text: &str) -> Result<RunId, Error> {
    existing_identity(vault).await?;
    let missing = || Error::NoSuchBackup { id: text.to_owned(), vault: vault.describe() };
    let ids = ids(vault).await?;
    if text == "latest" {
        let empty = if ids.is_empty() { none(vault) } else { missing() };
        return newest_of(vault, &ids).await?.ok_or(empty);
    }
    ids.into_iter().find(|id| id.as_str() == text).ok_or_else(missing)
}

/// The newest backup of the source; what was imported is none.
pub async fn newest(vault: &dyn Vault) -> Result<Option<RunId>, Error> {
    newest_of(vault, &ids(vault).await?).await
}

/// A backup whose header can't be read counts: whoever wants it is told what is wrong with it.
async fn newest_of(vault: &dyn Vault, oldest_first: &[RunId]) -> Result<Option<RunId>, Error> {
    for id in oldest_first.iter().rev() {
        if !is_imported(vault, id).await? {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// The backups that were imported. Each was pinned before it was written, so that only those with a pin are looked at.
pub async fn imported(vault: &dyn Vault) -> Result<BTreeSet<RunId>, Error> {
    let pins = vault.list(prefix::PINS).await?;
    let pinned = pins.iter().filter_map(|pin| pin.name.stem(prefix::PINS, ".json")?.parse().ok());
    let looks = pinned.collect::<Vec<RunId>>().into_iter().map(async |id| {
        let imported = is_imported(vault, &id).await?;
        Ok::<_, Error>(imported.then_some(id))
    });
    let found: Vec<_> = stream::iter(looks).buffered(PARALLEL_READS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The ids of all backups of the source, oldest first, without those that were imported.
pub async fn own(vault: &dyn Vault) -> Result<Vec<RunId>, Error> {
    let imported = imported(vault).await?;
    Ok(ids(vault).await?.into_iter().filter(|id| !imported.contains(id)).collect())
}

/// Was this backup made of another program's files?
pub async fn is_imported(vault: &dyn Vault, id: &RunId) -> Result<bool, Error> {
    match header(vault, id).await {
        Ok(header) => Ok(header.is_ok_and(|header| header.imported.is_some())),
        Err(Error::Vault(VaultError::Missing { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The header of a backup, or why it can't be read. No key is needed, and nothing is proved.
pub async fn header(vault: &dyn Vault, id: &RunId) -> Result<Result<Header, FormatError>, Error> {
    read_header(vault, &ObjectName::manifest(id)).await
}

/// Opens the manifest of a backup.
///
/// # Errors
/// [`Error::Damaged`] if it is not exactly what was sealed under this id.
pub async fn open(world: &World, keys: &KeyChest, id: &RunId) -> Result<(Header, Manifest), Error> {
    let name = ObjectName::manifest(id);
    let object = world.vault.get(&name).await?;
    open_object(keys, id, &object).await.map_err(|error| match error {
        OpenError::Format(source) => Error::Damaged { name, source },
        OpenError::Other(error) => error,
    })
}

enum OpenError {
    Format(FormatError),
    Other(Error),
}

async fn open_object(
    keys: &KeyChest,
    id: &RunId,
    object: &Bytes,
) -> Result<(Header, Manifest), OpenError> {
    let header = Header::read(object).map_err(OpenError::Format)?;
    if header.backup != *id || header.vault != keys.vault() {
        let name = header.backup.to_string();
        return Err(OpenError::Format(FormatError::Seal { kind: "manifest", name }));
    }
    let key = keys.sealing(&header.key).await.map_err(OpenError::Other)?;
    let manifest = header.open(object, &key).map_err(OpenError::Format)?;
    Ok((header, manifest))
}

pub(super) async fn read_header(
    vault: &dyn Vault,
    name: &ObjectName,
) -> Result<Result<Header, FormatError>, Error> {
    let start = vault.get_range(name, 0..HEADER_GUESS).await?;
    match Header::read(&start) {
        Err(FormatError::Length { expected, given }) if given == HEADER_GUESS => {
            Ok(Header::read(&vault.get_range(name, 0..expected).await?))
        }
        other => Ok(other),
    }
}
