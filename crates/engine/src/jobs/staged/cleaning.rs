//! What restores leave beside the live database, and for how long: old tables until undo is no longer promised, and what a
//! restore that was cut off had loaded.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Rules, Servers, discard, locked};
use crate::{
    jobs::{Error, World, restores},
    model::RunId,
    policy::swap::Names,
    ports::{Server, TargetState},
    records::restore::{Destination, RestoreRecord, Stage},
};

/// A restore that has not moved for so long is dead: its longest step takes minutes.
const DEAD: SignedDuration = SignedDuration::from_hours(24);

/// What was dropped beside the live database, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleaned {
    /// Databases with old tables, whose restores can no longer be undone.
    pub dropped: Vec<OldTables>,
    /// Databases with old tables that are kept for some time yet.
    pub waiting: Vec<OldTables>,
    /// Restores that were cut off before they changed anything, and were taken back.
    pub taken_back: Vec<RunId>,
    /// What could not be done, each a sentence.
    pub problems: Vec<String>,
}

/// Databases beside the live one that belong to a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldTables {
    /// The restore.
    pub restore: RunId,
    /// The databases.
    pub databases: Vec<String>,
    /// Until when undo was promised.
    pub undo_until: Timestamp,
}

/// Drops what restores left behind that nobody is promised any more. One that fails does not keep the others.
///
/// # Errors
/// If the vault does not answer.
pub async fn clean(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    dry_run: bool,
) -> Result<Cleaned, Error> {
    let mut cleaned = Cleaned::default();
    for id in restores::ids(&*world.vault).await? {
        let record = match restores::find(&*world.vault, &id).await {
            Err(Error::Damaged { name, .. }) => {
                cleaned.problems.push(format!("{name} is damaged: what it left is not known"));
                continue;
            }
            other => other?,
        };
        let done = match due(&record, world.clock.now()) {
            Due::Nothing => Ok(()),
            Due::Later(old) => {
                cleaned.waiting.push(old);
                Ok(())
            }
            Due::OldTables(old) => {
                let dropped =
                    if dry_run { Ok(()) } else { drop_old(world, servers, rules, &old).await };
                dropped.map(|()| cleaned.dropped.push(old))
            }
            Due::TakeBack => {
                let error = ["it was cut off, and cleaned up".to_owned()];
                let taken_back = if dry_run {
                    Ok(())
                } else {
                    discard(world, servers, rules, &id, &error).await.map(drop)
                };
                taken_back.map(|()| cleaned.taken_back.push(id.clone()))
            }
        };
        if let Err(error) = done {
            cleaned.problems.push(format!("restore {id}: {error}"));
        }
    }
    Ok(cleaned)
}

/// What is to be done about a restore.
enum Due {
    Nothing,
    Later(OldTables),
    OldTables(OldTables),
    TakeBack,
}

fn due(record: &RestoreRecord, now: Timestamp) -> Due {
    let is_dead = now.duration_since(record.updated) > DEAD;
    match record.stage {
        Stage::Requested | Stage::Loading if is_dead => Due::TakeBack,
        Stage::Restored | Stage::Undone if !record.dropped => match old_tables(record) {
            Some(old) if old.undo_until <= now => Due::OldTables(old),
            Some(old) => Due::Later(old),
            None => Due::Nothing,
        },
        _ => Due::Nothing,
    }
}

/// The databases of a restore over the live one. What was restored into a database of its own is somebody's.
fn old_tables(record: &RestoreRecord) -> Option<OldTables> {
    let in_place = matches!(record.wish.destination, Destination::InPlace { .. });
    let databases: Vec<_> = record.before.iter().chain(&record.staging).cloned().collect();
    let undo_until = record.undo_until.filter(|_| in_place && !databases.is_empty())?;
    Some(OldTables { restore: record.restore.clone(), databases, undo_until })
}

/// Under the lock of restores, so that none is being undone meanwhile.
async fn drop_old(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    old: &OldTables,
) -> Result<(), Error> {
    locked(world, rules, &old.restore, async || {
        let record = restores::find(&*world.vault, &old.restore).await?;
        if !matches!(due(&record, world.clock.now()), Due::OldTables(_)) {
            return Ok(());
        }
        for database in &old.databases {
            drop_beside(servers.primary, &old.restore, database).await?;
        }
        let note = |record: &mut RestoreRecord| {
            record.dropped = true;
            Ok(())
        };
        restores::update(world, &old.restore, note).await.map(drop)
    })
    .await
}

/// Only what this restore made, whatever its record says.
async fn drop_beside(server: &dyn Server, restore: &RunId, name: &str) -> Result<(), Error> {
    let own = Names::of(&server.live().database, restore);
    if name != own.staging && name != own.before {
        return Err(Error::Internal("a record names a database that its restore did not make"));
    }
    let database = server.database(name);
    match database.state().await? {
        TargetState::Absent => Ok(()),
        _ => Ok(database.drop_database().await?),
    }
}
