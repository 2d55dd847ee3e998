//! What the vault tells of earlier backups, for the metrics of this one.

use gorgen_engine::{Error, jobs::backups, ports::Vault, records::manifest::Header};
use jiff::Timestamp;

/// The headers of the backups of the source, oldest first; of what was imported there is no history.
pub struct History(Vec<Header>);

impl History {
    /// Reads the headers; a vault that is not there yet has none.
    ///
    /// # Errors
    /// If the vault can't be read.
    pub async fn of(vault: &dyn Vault) -> Result<Self, Error> {
        let listed = match backups::list(vault).await {
            Err(Error::NoVault { .. }) => Vec::new(),
            other => other?,
        };
        let headers = listed.into_iter().filter_map(|listed| listed.header.ok());
        Ok(Self(headers.filter(|header| header.imported.is_none()).collect()))
    }

    /// The age of the newest backup, in seconds.
    pub fn age(&self, now: Timestamp) -> Option<f64> {
        self.0.last().map(|newest| now.duration_since(newest.snapshot).as_secs_f64())
    }

    /// The moment of each backup, and the bytes of its rows.
    pub fn sizes(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.0.iter().map(|header| (header.snapshot, header.totals.raw_bytes))
    }
}
