//! Reports that are kept in the vault: which there are, what each says of itself, and its page, once that is proved.

use aws_lc_rs::digest;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    jobs::{Error, runs},
    model::{ObjectName, RunId, prefix},
    policy::{
        conformity::{Line, Summary},
        month::Month,
    },
    ports::Vault,
    records::{report::ReportRecord, run::RunRecord},
};

/// A month that was told, and the newest report of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The month.
    pub month: Month,
    /// The run that told it last.
    pub run: RunId,
    /// The object that holds the data.
    pub report: ObjectName,
    /// The object that is the page.
    pub page: ObjectName,
}

/// What a kept report says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// When the month was told.
    pub at: Timestamp,
    /// The SHA-256 that the data carry, and that the page names.
    pub sha256: String,
    /// How many rules were kept, if they are such as this version knows.
    pub conformity: Option<Summary>,
}

/// The months that were told, each with its newest report that has a page; the one that was told first comes first.
///
/// # Errors
/// If the vault can't be listed.
pub async fn kept(vault: &dyn Vault) -> Result<Vec<Kept>, Error> {
    let mut newest: Vec<Kept> = Vec::new();
    // In the order of their names: by month, and in each month by run.
    for object in vault.list(prefix::REPORTS).await? {
        let Some((month, run)) = named(&object.name) else { continue };
        newest.retain(|kept| kept.month != month);
        let report = ObjectName::report(&month.to_string(), &run);
        newest.push(Kept { month, run, report, page: object.name });
    }
    newest.sort_by(|one, other| one.run.cmp(&other.run));
    Ok(newest)
}

/// The newest report of a month that has a page.
///
/// # Errors
/// [`Error::NoSuchReport`] if there is none, or if the vault can't be listed.
pub async fn kept_of(vault: &dyn Vault, month: Month) -> Result<Kept, Error> {
    let found = kept(vault).await?.into_iter().find(|kept| kept.month == month);
    found.ok_or_else(|| Error::NoSuchReport { month: month.to_string(), vault: vault.describe() })
}

impl Kept {
    /// What the report says of itself.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the data are not what was written, [`Error::PageUnproved`] if they are another report's,
    /// or if the vault can't be read.
    pub async fn label(&self, vault: &dyn Vault) -> Result<Label, Error> {
        let bytes = vault.get(&self.report).await?;
        let damaged = |source| Error::Damaged { name: self.report.clone(), source };
        let (record, sha256) = ReportRecord::read(&bytes).map_err(damaged)?;
        let is_ours = record.run == self.run && record.report["month"] == self.month.to_string();
        if !is_ours {
            return Err(self.unproved("the data are another report's"));
        }
        let lines = Vec::<Line>::deserialize(&record.report["conformity"]).ok();
        let conformity = lines.as_deref().map(Summary::of);
        Ok(Label { at: record.at, sha256, conformity })
    }

    /// The page, proved: its data are whole, it names them by their digest, and it is the one that the run wrote, if the
    /// run's record is there to tell.
    ///
    /// # Errors
    /// As [`Kept::label`]; [`Error::PageUnproved`] if the page is not that of the data.
    pub async fn page(&self, vault: &dyn Vault) -> Result<String, Error> {
        let Label { sha256, .. } = self.label(vault).await?;
        let bytes = vault.get(&self.page).await?;
        let own = digest_of(&bytes);
        let page = std::str::from_utf8(&bytes).unwrap_or_default();
        if !page.contains(self.report.as_str()) || !page.contains(&sha256) {
            return Err(self.unproved("it does not name its data and their digest"));
        }
        match self.written(vault).await? {
            Some(written) if written != own => Err(self.unproved("it was altered")),
            _ => Ok(page.to_owned()),
        }
    }

    /// The SHA-256 of the page as the run wrote it. A run that was cut off after the page, or whose record is damaged,
    /// does not tell.
    async fn written(&self, vault: &dyn Vault) -> Result<Option<String>, Error> {
        let record = match runs::find(vault, &self.run).await {
            Ok(RunRecord { summary, .. }) => summary,
            Err(Error::NoSuchRun { .. } | Error::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        let told = record.as_ref().and_then(|summary| summary["page_sha256"].as_str());
        Ok(told.map(str::to_owned))
    }

    fn unproved(&self, why: &'static str) -> Error {
        Error::PageUnproved { page: self.page.clone(), why }
    }
}

/// Which month's page this is, and of which run.
fn named(page: &ObjectName) -> Option<(Month, RunId)> {
    let (month, run) = page.stem(prefix::REPORTS, ".html")?.split_once('/')?;
    Some((month.parse().ok()?, run.parse().ok()?))
}

pub(super) fn digest_of(page: &Bytes) -> String {
    hex::encode(digest::digest(&digest::SHA256, page))
}
