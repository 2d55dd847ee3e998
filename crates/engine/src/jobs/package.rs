//! An offline package: a backup with all that opens it, in a folder that needs no cloud.
//!
//! The package is a vault of its own, of this one backup or of several: objects are copied sealed as they are, and what is there
//! already, from an earlier package or from one that was cut off, is compared and not copied again. Then every byte of it is read
//! and authenticated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Error, KeyChest, World, backups, keys,
    verify::{self, Problem},
};
use crate::{
    model::{KeyId, KeyPurpose, ObjectName, RunId, Scope, SourceIdentity, VaultId},
    ports::Vault,
    records::manifest::Manifest,
};

const PARALLEL_COPIES: usize = 4;

/// What a package came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The backup in it.
    pub backup: RunId,
    /// The moment that it shows.
    pub snapshot: Timestamp,
    /// What was backed up.
    pub source: SourceIdentity,
    /// When the work started.
    pub started: Timestamp,
    /// When all was there, read and authenticated.
    pub ended: Timestamp,
    /// What opens it without a cloud, each enough by itself: `age:` and a recipient, or `file:` and the id of a key file.
    pub opened_by: Vec<String>,
    /// Objects of the backup.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were not in the package before.
    pub copied_objects: u64,
    /// Their bytes.
    pub copied_bytes: u64,
    /// Raw bytes of the rows that were read back and authenticated.
    pub raw_bytes: u64,
    /// The SHA-256 of each object of the backup, in hex.
    pub sha256: BTreeMap<String, String>,
}

/// Copies a backup into a package, and proves it whole there.
///
/// # Errors
/// [`Error::NeedsCloud`] if some of its keys open with KMS alone, [`Error::OtherPackage`] if the package is of another vault; then nothing was
/// written. After any other error the same call goes on where this one was.
pub async fn run(world: &World, package: Arc<dyn Vault>, backup: &str) -> Result<Report, Error> {
    let started = world.clock.now();
    let backup = backups::find(&*world.vault, backup).await?;
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let chest = KeyChest::open(world, vault).await?;
    let (header, manifest) = backups::open(world, &chest, &backup).await?;
    let needed = keys_of(world, &header.key, &manifest).await?;
    let opened_by = opened_by(world, vault, &backup, &needed).await?;
    if let Some(identity) = backups::identity(&*package).await?.filter(|one| one.vault != vault) {
        let (package, owner) = (package.describe(), identity.vault);
        return Err(Error::OtherPackage { package, owner, vault });
    }

    let copying = Copying::begin(world, &package).await?;
    let keys = needed.iter().map(ObjectName::key);
    let packs = manifest.packs.iter().map(|(pack, _)| ObjectName::pack(pack));
    let first: Vec<_> = [ObjectName::identity()].into_iter().chain(keys).chain(packs).collect();
    let mut copies = copying.all(first).await?;
    // Last, as in every vault: what no manifest names does not exist.
    copies.extend(copying.all(vec![ObjectName::manifest(&backup)]).await?);
    let raw_bytes = prove(world, package, &backup).await?;

    let fresh = || copies.iter().filter(|copy| copy.is_new);
    Ok(Report {
        snapshot: header.snapshot,
        source: header.source,
        started,
        ended: world.clock.now(),
        opened_by,
        objects: copies.len() as u64,
        bytes: copies.iter().map(|copy| copy.bytes).sum(),
        copied_objects: fresh().count() as u64,
        copied_bytes: fresh().map(|copy| copy.bytes).sum(),
        raw_bytes,
        sha256: copies.into_iter().map(|copy| (copy.name.to_string(), copy.sha256)).collect(),
        backup,
    })
}

/// The keys that open the backup's objects, and those that name its chunks. The tables of contents of its packs may be sealed with
/// the manifests' key of any month.
async fn keys_of(
    world: &World,
    manifest_key: &KeyId,
    manifest: &Manifest,
) -> Result<BTreeSet<KeyId>, Error> {
    let rows: BTreeSet<&KeyId> = manifest.tables.iter().flat_map(|table| &table.keys).collect();
    let scopes: BTreeSet<&Scope> = rows.iter().map(|key| key.scope()).collect();
    let all = keys::ids(&*world.vault).await?;
    let is_needed = |key: &KeyId| match key.purpose() {
        KeyPurpose::Manifest => true,
        KeyPurpose::Rows => rows.contains(key),
        KeyPurpose::Naming => scopes.contains(key.scope()),
    };
    let mut needed: BTreeSet<KeyId> = all.into_iter().filter(is_needed).collect();
    // One that is missing is to be an error when it is copied.
    needed.insert(manifest_key.clone());
    needed.extend(rows.into_iter().cloned());
    Ok(needed)
}

/// What opens all of these keys without a cloud.
async fn opened_by(
    world: &World,
    vault: VaultId,
    backup: &RunId,
    needed: &BTreeSet<KeyId>,
) -> Result<Vec<String>, Error> {
    let mut common: Option<BTreeSet<String>> = None;
    for key in needed {
        let record = keys::read(&*world.vault, vault, key).await?;
        // Nothing opens it anywhere.
        if record.erased.is_some() {
            continue;
        }
        let offline = record.wrapped.iter().filter(|wrapped| !wrapped.needs_cloud());
        let names: BTreeSet<String> =
            offline.map(|wrapped| format!("{}:{}", wrapped.by, wrapped.wrapping_key)).collect();
        common = Some(match common {
            None => names,
            Some(common) => common.intersection(&names).cloned().collect(),
        });
    }
    let common: Vec<String> = common.into_iter().flatten().collect();
    if common.is_empty() {
        return Err(Error::NeedsCloud { backup: backup.clone() });
    }
    Ok(common)
}

/// An object in the package.
struct Copy {
    name: ObjectName,
    bytes: u64,
    sha256: String,
    is_new: bool,
}

struct Copying<'a> {
    world: &'a World,
    package: &'a Arc<dyn Vault>,
    /// The sizes of what is in the package.
    there: BTreeMap<ObjectName, u64>,
}

impl<'a> Copying<'a> {
    async fn begin(world: &'a World, package: &'a Arc<dyn Vault>) -> Result<Self, Error> {
        let there = package.list("").await?;
        let there = there.into_iter().map(|object| (object.name, object.size)).collect();
        Ok(Self { world, package, there })
    }

    async fn all(&self, names: Vec<ObjectName>) -> Result<Vec<Copy>, Error> {
        let copies = names.into_iter().map(|name| self.copy(name));
        stream::iter(copies.collect::<Vec<_>>())
            .buffer_unordered(PARALLEL_COPIES)
            .try_collect()
            .await
    }

    /// Copies an object, unless the package has it.
    async fn copy(&self, name: ObjectName) -> Result<Copy, Error> {
        let (vault, package) = (&self.world.vault, self.package);
        let there = self.there.get(&name).copied();
        let have = if there.is_some() { package.checksum(&name).await? } else { None };
        if let (Some(bytes), Some(have)) = (there, &have) {
            // Where the store knows it, gigabytes need not be read to be compared.
            if vault.checksum(&name).await?.as_ref() == Some(have) {
                return Ok(Copy { name, bytes, sha256: digits(have), is_new: false });
            }
        }
        let content = vault.get(&name).await?;
        let (bytes, sha256) = (content.len() as u64, sha256(&content));
        if have.as_deref().map(digits).as_ref() == Some(&sha256) {
            return Ok(Copy { name, bytes, sha256, is_new: false });
        }
        self.write(&name, content).await?;
        Ok(Copy { name, bytes, sha256, is_new: true })
    }

    /// Writes what is not there, and replaces what is another: a record that changed since, or an object that the medium lost.
    async fn write(&self, name: &ObjectName, content: Bytes) -> Result<(), Error> {
        if !self.there.contains_key(name) {
            return Ok(self.package.put(name, content).await?);
        }
        let found = self.package.read(name).await?;
        let revision = found.map(|(_, revision)| revision);
        self.package.swap(name, revision.as_ref(), content).await?;
        Ok(())
    }
}

/// Reads all of the backup out of the package; gives the raw bytes of its rows.
async fn prove(world: &World, package: Arc<dyn Vault>, backup: &RunId) -> Result<u64, Error> {
    let place = package.describe();
    let world = World { vault: package, ..world.clone() };
    let request =
        verify::Request { only: Some(backup.clone()), read_data: true, ..Default::default() };
    let report = verify::run(&world, &request).await?;
    if report.is_well() {
        return Ok(report.raw_bytes_read);
    }
    let told = |problem: &Problem| format!("{}: {}", problem.object, problem.what);
    let problems = report.all_problems().map(told).collect();
    Err(Error::PackageNotWhole { package: place, problems })
}

/// The digits of a checksum as vaults tell it.
fn digits(checksum: &str) -> String {
    checksum.trim_start_matches("sha256:").to_owned()
}

fn sha256(content: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, content))
}
