//! What is about to change places, kept where it outlives this process and the database.

use super::site::Site;
use crate::{
    jobs::Error,
    model::ObjectName,
    records::{
        journal::{Journal, JournalHeader},
        restore::{Live, Stage},
    },
};

/// Keeps the journal of the next change of places.
async fn write(site: &Site<'_>, number: u32, journal: &Journal) -> Result<(), Error> {
    let restore = &site.record.restore;
    let name = ObjectName::journal(restore, number);
    let key = site.keys.sealing(&site.key).await?;
    let sealed =
        journal.seal(restore.clone(), number, site.keys.vault(), &key, &*site.world.entropy);
    let sealed = sealed.map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    Ok(site.world.vault.put(&name, sealed).await?)
}

/// Writes down what is about to change places. From here on it is finished or taken back, never forgotten.
pub(super) async fn begin(
    site: &mut Site<'_>,
    journal: Journal,
    stage: Stage,
) -> Result<Journal, Error> {
    let number = site.record.journals + 1;
    write(site, number, &journal).await?;
    site.update(|record| {
        record.stage = stage;
        record.journals = number;
        if stage == Stage::Promoting {
            record.promotion = number;
        }
        record.live = Live::Unknown;
    })
    .await?;
    Ok(journal)
}

/// Opens the journal of the last change of places that was begun.
pub(super) async fn last(site: &Site<'_>) -> Result<Journal, Error> {
    at(site, site.record.journals).await
}

/// Opens the journal of the promotion that is in force.
pub(super) async fn of_promotion(site: &Site<'_>) -> Result<Journal, Error> {
    at(site, site.record.promotion).await
}

async fn at(site: &Site<'_>, number: u32) -> Result<Journal, Error> {
    let restore = &site.record.restore;
    let name = ObjectName::journal(restore, number);
    let object = site.world.vault.get(&name).await?;
    let damaged = |source| Error::Damaged { name: name.clone(), source };
    let header = JournalHeader::read(&object).map_err(damaged)?;
    if header.restore != *restore || header.number != number || header.vault != site.keys.vault() {
        return Err(damaged(crate::error::FormatError::Journal));
    }
    let key = site.keys.sealing(&header.key).await?;
    header.open(&object, &key).map_err(damaged)
}
