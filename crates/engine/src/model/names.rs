//! Names of the objects in a vault.

use std::fmt;

use super::{KeyId, PackId, RunId};

/// Folders of the vault, each ending in `/`.
pub mod prefix {
    /// Manifests, one a backup.
    pub const MANIFESTS: &str = "manifests/";
    /// Packs of sealed chunks.
    pub const PACKS: &str = "packs/";
    /// Wrapped data keys.
    pub const KEYS: &str = "keys/";
    /// Records of runs that ended.
    pub const RUNS: &str = "runs/";
    /// Leases of running jobs.
    pub const LOCKS: &str = "locks/";
    /// Restores, each over its whole life.
    pub const RESTORES: &str = "restores/";
    /// Calls that changed something, or would have.
    pub const AUDIT: &str = "audit/";
    /// What cleanups dropped, and why.
    pub const CLEANUPS: &str = "cleanups/";
    /// Backups that somebody asked to keep.
    pub const PINS: &str = "pins/";
    /// Months as they were told, as data and as pages.
    pub const REPORTS: &str = "reports/";
    /// Answers to requests that carried a key of their own.
    pub const REQUESTS: &str = "requests/";
}

/// The name of one object, relative to the vault: `/` between folders, ASCII, no `.` or `..` part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// The vault's identity.
    pub fn identity() -> Self {
        Self("vault.json".to_owned())
    }

    /// The manifest of a backup.
    pub fn manifest(backup: &RunId) -> Self {
        Self(format!("{}{backup}.manifest", prefix::MANIFESTS))
    }

    /// A pack.
    pub fn pack(pack: &PackId) -> Self {
        Self(format!("{}{pack}.pack", prefix::PACKS))
    }

    /// A wrapped data key.
    pub fn key(key: &KeyId) -> Self {
        Self(format!("{}{key}.json", prefix::KEYS))
    }

    /// The record of a run.
    pub fn run(run: &RunId) -> Self {
        Self(format!("{}{run}.json", prefix::RUNS))
    }

    /// The record of a restore.
    pub fn restore(restore: &RunId) -> Self {
        Self(format!("{}{restore}.json", prefix::RESTORES))
    }

    /// What is about to change places in a restore, for the `number`th time.
    pub fn journal(restore: &RunId, number: u32) -> Self {
        Self(format!("{}{restore}.{number}.journal", prefix::RESTORES))
    }

    /// The record of a call.
    pub fn audit(entry: &RunId) -> Self {
        Self(format!("{}{entry}.json", prefix::AUDIT))
    }

    /// What a cleanup drops.
    pub fn cleanup(run: &RunId) -> Self {
        Self(format!("{}{run}.json", prefix::CLEANUPS))
    }

    /// Whether a backup is pinned.
    pub fn pin(backup: &RunId) -> Self {
        Self(format!("{}{backup}.json", prefix::PINS))
    }

    /// A month as a run told it, e.g. `reports/2026-10/<run>.json`.
    pub fn report(month: &str, run: &RunId) -> Self {
        Self(format!("{}{month}/{run}.json", prefix::REPORTS))
    }

    /// The page of that report.
    pub fn report_page(month: &str, run: &RunId) -> Self {
        Self(format!("{}{month}/{run}.html", prefix::REPORTS))
    }

    /// The answer to a request that carried a key, by the SHA-256 of who asked for what under which key.
    pub fn request(sha256: &[u8; 32]) -> Self {
        Self(format!("{}{}.json", prefix::REQUESTS, hex::encode(sha256)))
    }

    /// The lease under which live tables are changed, by one restore at a time.
    pub fn restore_lock() -> Self {
        Self(format!("{}restore.json", prefix::LOCKS))
    }

    /// The lease under which jobs that write backups run, one at a time.
    pub fn lock() -> Self {
        Self(format!("{}backup.json", prefix::LOCKS))
    }

    /// A probe that `doctor` writes and overwrites to see that the vault takes writes.
    pub fn probe() -> Self {
        Self(format!("{}doctor.json", prefix::LOCKS))
    }

    /// A name as a listing gave it, if it is one that a vault can hold.
    pub fn from_listing(name: &str) -> Option<Self> {
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != "..";
        (name.is_ascii() && name.split('/').all(part_ok)).then(|| Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What lies between a folder and an ending: `packs/X.pack` gives `X`.
    pub fn stem<'a>(&'a self, prefix: &str, suffix: &str) -> Option<&'a str> {
        self.0.strip_prefix(prefix)?.strip_suffix(suffix)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for ObjectName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
