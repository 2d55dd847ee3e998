//! The records that a month is told from, read.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    error::FormatError,
    jobs::{Error, backups},
    model::{ObjectName, RunId, prefix},
    ports::{Vault, VaultError},
    records::{
        audit::AuditRecord, cleanup::CleanupRecord, identity::VaultIdentity, key::KeyRecord,
        manifest::Header, pin::PinRecord, restore::RestoreRecord, run::RunRecord,
    },
};

/// Objects that are read at the same time.
const PARALLEL_READS: usize = 8;

/// A size is judged by the week before, and a week may have begun in the month before.
const BEFORE: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What failed may be made up for on the day after.
const AFTER: SignedDuration = SignedDuration::from_hours(25);

/// All that a month is told from.
#[derive(Debug, Clone)]
pub struct Records {
    /// The vault.
    pub identity: VaultIdentity,
    /// Runs of the month, of the week before and the day after, oldest first.
    pub runs: Vec<RunRecord>,
    /// Headers of all backups of the source in the vault, oldest first; of none that was imported.
    pub headers: Vec<Header>,
    /// Backups in the vault whose headers can't be read.
    pub damaged_backups: Vec<RunId>,
    /// All cleanups that dropped something.
    pub cleanups: Vec<CleanupRecord>,
    /// Restores that were asked for in the month.
    pub restores: Vec<RestoreRecord>,
    /// Calls of the month.
    pub audit: Vec<AuditRecord>,
    /// All pins.
    pub pins: Vec<PinRecord>,
    /// All keys, wrapped.
    pub keys: Vec<KeyRecord>,
    /// Objects that can't be read, each a sentence.
    pub unreadable: Vec<String>,
}

impl Records {
    /// Reads what there is of a month.
    pub(super) async fn read(
        vault: &dyn Vault,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self, Error> {
        let identity = backups::existing_identity(vault).await?;
        let mut reading = Reading { vault, unreadable: Vec::new() };
        let wide = |id: &RunId| {
            let (from, until) = (from.saturating_sub(BEFORE), until.saturating_add(AFTER));
            matches!((from, until), (Ok(from), Ok(until)) if is_of(id, from, until))
        };
        let narrow = |id: &RunId| is_of(id, from, until);
        let runs = reading.all(prefix::RUNS, wide, RunRecord::read).await?;
        let restores = reading.all(prefix::RESTORES, narrow, RestoreRecord::read).await?;
        let audit = reading.all(prefix::AUDIT, narrow, AuditRecord::read).await?;
        let cleanups = reading.all(prefix::CLEANUPS, |_| true, CleanupRecord::read).await?;
        let pins = reading.all(prefix::PINS, |_| true, PinRecord::read).await?;
        let keys = reading.keys().await?;
        let mut unreadable = reading.unreadable;
        let (mut headers, mut damaged_backups) = (Vec::new(), Vec::new());
        for listed in backups::list(vault).await? {
            match listed.header {
                // It is none of the source's backups, and has nothing to do with what was promised of them.
                Ok(header) if header.imported.is_some() => {}
                Ok(header) => headers.push(header),
                Err(error) => {
                    unreadable.push(format!("{}: {error}", listed.name));
                    let id = listed.name.stem(prefix::MANIFESTS, ".manifest");
                    damaged_backups.extend(id.and_then(|id| id.parse().ok()));
                }
            }
        }
        Ok(Self {
            identity,
            runs,
            headers,
            damaged_backups,
            cleanups,
            restores,
            audit,
            pins,
            keys,
            unreadable,
        })
    }
}

fn is_of(id: &RunId, from: Timestamp, until: Timestamp) -> bool {
    id.started().is_some_and(|at| from <= at && at < until)
}

struct Reading<'a> {
    vault: &'a dyn Vault,
    unreadable: Vec<String>,
}

impl Reading<'_> {
    /// The records of a folder whose ids are wanted, oldest first.
    async fn all<T>(
        &mut self,
        folder: &str,
        wanted: impl Fn(&RunId) -> bool,
        read: impl Fn(&[u8]) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, Error> {
        let objects = self.vault.list(folder).await?;
        let names = objects.into_iter().map(|object| object.name).filter(|name| {
            let id = name.stem(folder, ".json").and_then(|stem| stem.parse().ok());
            id.as_ref().is_some_and(&wanted)
        });
        self.read(names.collect(), read).await
    }

    async fn keys(&mut self) -> Result<Vec<KeyRecord>, Error> {
        let objects = self.vault.list(prefix::KEYS).await?;
        self.read(objects.into_iter().map(|object| object.name).collect(), KeyRecord::read).await
    }

    /// What is damaged is told of, and hides nothing else; what went meanwhile is gone.
    async fn read<T>(
        &mut self,
        names: Vec<ObjectName>,
        read: impl Fn(&[u8]) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, Error> {
        let vault = self.vault;
        let reads = names.into_iter().map(async |name: ObjectName| match vault.get(&name).await {
            Ok(bytes) => Ok::<_, Error>(Some((name, bytes))),
            Err(VaultError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        });
        let found: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
        let mut records = Vec::new();
        for (name, bytes) in found.into_iter().flatten() {
            match read(&bytes) {
                Ok(record) => records.push(record),
                Err(error) => self.unreadable.push(format!("{name}: {error}")),
            }
        }
        Ok(records)
    }
}
