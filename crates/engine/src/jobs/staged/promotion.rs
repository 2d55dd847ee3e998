//! The loaded tables take the place of the live ones, or give it back; what was begun is finished or taken back.

use jiff::Timestamp;

use super::{
    Rules, Servers, journal, locked, merge, objects,
    site::{Site, is_in_place, lap, record_end, require},
    swapping, tenant,
};
use crate::{
    jobs::{Error, World, deadline::within, restore::choice::Chosen, restores},
    model::{Catalog, RunId, StoredObject, StoredObjectKind},
    policy::swap::{Arrival, Departure, sequences},
    ports::{Target, TargetState},
    records::{
        journal::{Journal, Swap},
        restore::{Live, RestoreRecord, Stage},
    },
    stages::definition::{counter, quoted},
};

/// Puts the loaded tables in the place of the live ones, in one moment; what follows is finished whenever this
/// is run again.
///
/// # Errors
/// Until the tables changed places the live database is as it was.
pub async fn promote(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<RestoreRecord, Error> {
    locked(world, rules, id, async || {
        let site = Site::open(world, servers, rules, id).await?;
        if site.record.stage == Stage::Restored {
            return Ok(site.record);
        }
        let possible = [Stage::Staged, Stage::Promoting, Stage::Undone];
        site.require("to promote", "staged, promoting or undone", &possible)?;
        put_in_place(site).await
    })
    .await
}

async fn put_in_place(mut site: Site<'_>) -> Result<RestoreRecord, Error> {
    let started = site.world.clock.now();
    if site.is_in_place() {
        swapping::wait_for_lost(site.server).await?;
    }
    if site.record.stage == Stage::Staged && site.has_waited() {
        prove_again(&site).await?;
    }
    if site.record.wish.tenant.is_some() {
        tenant::replace(&mut site).await?;
    } else if site.is_in_place() {
        swap_in(&mut site).await?;
    } else {
        complete_copy(&mut site).await?;
    }
    let (lap, undo_until) = (lap(site.world, "promote", started), undo_until(&site));
    site.update(|record| {
        record.stage = Stage::Restored;
        record.live = Live::Restored;
        record.undo_until = undo_until;
        record.laps.push(lap.clone());
        record.error.clear();
    })
    .await?;
    record_end(site.world, &site.record).await?;
    Ok(site.record)
}

/// Whoever looked at the loaded tables while they waited may have changed them.
async fn prove_again(site: &Site<'_>) -> Result<(), Error> {
    let staging = site.staging();
    let there = site.server.contents(&site.names.staging).await?.tables;
    let gone = site.chosen.parts.iter().filter(|part| !there.contains(&part.table));
    let differences: Vec<_> = gone
        .map(|part| format!("table {} is gone from {}", part.table, site.names.staging))
        .collect();
    if !differences.is_empty() {
        return Err(Error::Mismatch { differences });
    }
    let work = site.work(&*staging, |_| true).await?;
    within(site.world, site.rules.deadline, work.read_back()).await.flatten().map(drop)
}

fn undo_until(site: &Site<'_>) -> Option<Timestamp> {
    let now = site.world.clock.now();
    site.is_in_place().then(|| now.saturating_add(site.rules.undo).unwrap_or(now))
}

/// A copy in another database also gets its views, triggers and routines.
async fn complete_copy(site: &mut Site<'_>) -> Result<(), Error> {
    let staging = site.staging();
    let now = staging.source().catalog().await?;
    let wanted = objects_of(&site.chosen.catalog, |kind| kind != StoredObjectKind::Sequence);
    let is_there = |object: &StoredObject| {
        now.objects.iter().any(|there| there.kind == object.kind && there.name == object.name)
    };
    let missing = wanted.into_iter().filter(|object| !is_there(object)).collect();
    let mut warnings = Vec::new();
    with_objects(site, &*staging, missing, async |work| work.create_objects(&mut warnings).await)
        .await?;
    site.update(|record| record.warnings.extend(warnings.iter().cloned())).await
}

async fn swap_in(site: &mut Site<'_>) -> Result<(), Error> {
    let journal = match site.record.stage {
        Stage::Promoting => journal::last(site).await?,
        _ => plan_promotion(site).await?,
    };
    let swap = &journal.swap;
    make_room(site, swap, &journal.live).await?;
    if !swapping::is_done(site.server, swap).await? {
        raise_counters(site, &journal.live).await?;
    }
    swapping::advance(site.server, swap).await?;
    let mut warnings = Vec::new();
    if site.is_whole() {
        let wanted = site.chosen.catalog.objects.clone();
        conform(site, &wanted, &mut warnings).await?;
    }
    merge::merge(site, &journal.live, &mut warnings).await?;
    site.update(|record| record.warnings.extend(warnings.iter().cloned())).await
}

async fn plan_promotion(site: &mut Site<'_>) -> Result<Journal, Error> {
    let database = site.live().database;
    let live = site.server.database(&database).source().catalog().await?;
    let mut reasons = foreigners(site, &database).await?;
    for table in site.chosen.catalog.tables.iter().filter(|t| site.record.merged.contains(&t.name))
    {
        let now = live.tables.iter().find(|now| now.name == table.name);
        let lost = now.map(|now| merge::lost_columns(table, now)).unwrap_or_default();
        reasons.extend(lost);
    }
    if !reasons.is_empty() {
        return Err(Error::Blocked { reasons });
    }
    let stays =
        |name: &String| site.record.kept.contains(name) || site.record.merged.contains(name);
    let replaced: Vec<_> = site.replaced().collect();
    let departing = if site.is_whole() {
        let all = live.tables.iter().map(|table| &table.name).chain(sequences(&live));
        all.filter(|name| !stays(name)).cloned().collect()
    } else {
        replaced.iter().map(|table| table.name.clone()).collect()
    };
    let triggers: Vec<_> = site
        .chosen
        .catalog
        .objects
        .iter()
        .filter(|object| object.kind == StoredObjectKind::Trigger)
        .filter(|object| object.table.as_ref().is_some_and(|table| !stays(table)))
        .map(|object| StoredObject {
            ddl: site.rules.definers.apply(&object.ddl, object.definer.as_deref()),
            ..object.clone()
        })
        .collect();
    let arrival = Arrival {
        database: &site.names.staging,
        tables: &replaced,
        sequences: &site.sequences(),
        triggers: &triggers.iter().collect::<Vec<_>>(),
    };
    let departure = Departure { database: &site.names.before, tables: &departing };
    let swap = Swap::plan(&live, &site.names.tag, arrival, departure);
    journal::begin(site, Journal { swap, live }, Stage::Promoting).await
}

/// Foreign keys of other databases: they would follow the old tables, which are to be dropped one day.
pub(super) async fn foreigners(site: &Site<'_>, database: &str) -> Result<Vec<String>, Error> {
    let ours = [database, &site.names.staging, &site.names.before];
    let references = site.server.references(database).await?;
    let foreign = references.into_iter().filter(|r| !ours.contains(&r.database.as_str()));
    let sentence = |r: crate::ports::Reference| {
        let (database, table, name) = (r.database, r.table, r.relation.name);
        format!(
            "table {table} of database {database} points into this database (foreign key {name}): drop that key first"
        )
    };
    Ok(foreign.map(sentence).collect())
}

/// The database that the old tables go to.
async fn make_room(site: &Site<'_>, swap: &Swap, live: &Catalog) -> Result<(), Error> {
    let room = site.server.database(&swap.to);
    if room.state().await? == TargetState::Absent {
        room.create_database(&live.charset, &live.collation).await?;
    }
    Ok(())
}

/// Numbers that the application gave to rows after the backup are not given to others.
async fn raise_counters(site: &Site<'_>, live: &Catalog) -> Result<(), Error> {
    for table in site.replaced() {
        let now = live.tables.iter().find(|now| now.name == table.name);
        let Some(next) = now.and_then(|now| counter(&now.ddl)) else { continue };
        if counter(&table.ddl).is_none_or(|backed_up| backed_up < next) {
            let statement = format!("ALTER TABLE {} AUTO_INCREMENT = {next}", quoted(&table.name));
            let action = format!("raise the counter of table {}", table.name);
            let there = site.server.contents(&site.names.staging).await?.tables;
            if there.contains(&table.name) {
                swapping::execute(site.server, &site.names.staging, &action, &statement).await?;
            }
        }
    }
    Ok(())
}

/// Views, routines and events as they are wanted.
async fn conform(
    site: &Site<'_>,
    wanted: &[StoredObject],
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let database = site.server.database(&site.live().database);
    let live = database.source().catalog().await?;
    let missing = objects::missing(wanted, &live);
    with_objects(site, &*database, missing, async |work| {
        objects::conform(site.server, work, &live, wanted, warnings).await
    })
    .await
}

async fn with_objects(
    site: &Site<'_>,
    target: &dyn Target,
    objects: Vec<StoredObject>,
    todo: impl AsyncFnOnce(&crate::jobs::restore::Work<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut work = site.work(target, |_| true).await?;
    let Chosen { catalog, parts, left_out, erased } = (*work.chosen).clone();
    let catalog = Catalog { objects, ..catalog };
    work.chosen = std::sync::Arc::new(Chosen { catalog, parts, left_out, erased });
    todo(&work).await
}

fn objects_of(
    catalog: &Catalog,
    is_wanted: impl Fn(StoredObjectKind) -> bool,
) -> Vec<StoredObject> {
    catalog.objects.iter().filter(|object| is_wanted(object.kind)).cloned().collect()
}

/// Gives the old tables their places back.
///
/// # Errors
/// [`Error::OldTablesGone`] if they were dropped; whatever else, running it again goes on where it ended.
pub async fn undo(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<RestoreRecord, Error> {
    let record = restores::find(&*world.vault, id).await?;
    if record.wish.tenant.is_some() {
        return tenant::undo(world, servers, rules, &record).await;
    }
    locked(world, rules, id, async || {
        let site = Site::open(world, servers, rules, id).await?;
        if site.record.stage == Stage::Undone {
            return Ok(site.record);
        }
        site.require("to undo", "restored", &[Stage::Restored, Stage::Undoing])?;
        if !site.is_in_place() {
            let (restore, stage) = (id.clone(), "restored into a database of its own");
            let possible = "restored in place; drop that database instead";
            return Err(Error::WrongStage { restore, stage, action: "to undo", possible });
        }
        if site.record.dropped {
            return Err(Error::OldTablesGone { restore: id.clone() });
        }
        give_back(site).await
    })
    .await
}

async fn give_back(mut site: Site<'_>) -> Result<RestoreRecord, Error> {
    swapping::wait_for_lost(site.server).await?;
    swap_back(&mut site).await?;
    site.update(|record| {
        record.stage = Stage::Undone;
        record.live = Live::Untouched;
        record.error.clear();
    })
    .await?;
    Ok(site.record)
}

async fn swap_back(site: &mut Site<'_>) -> Result<(), Error> {
    let promotion = journal::of_promotion(site).await?;
    let journal = match site.record.stage {
        Stage::Undoing => journal::last(site).await?,
        _ => plan_undoing(site, &promotion).await?,
    };
    make_room(site, &journal.swap, &journal.live).await?;
    swapping::advance(site.server, &journal.swap).await?;
    if site.is_whole() {
        conform(site, &promotion.live.objects, &mut Vec::new()).await?;
    }
    Ok(())
}

async fn plan_undoing(site: &mut Site<'_>, done: &Journal) -> Result<Journal, Error> {
    let live = site.server.database(&site.live().database).source().catalog().await?;
    let (before, swap) = (&done.live, &done.swap);
    let back: Vec<&str> = swap.outgoing.iter().map(|old| old.table.as_str()).collect();
    let there = site.server.contents(&swap.to).await?.tables;
    if back.iter().any(|table| !there.contains(*table)) {
        return Err(Error::OldTablesGone { restore: site.record.restore.clone() });
    }
    let comes_back = |name: &str| back.contains(&name);
    let tables: Vec<_> = before.tables.iter().filter(|table| comes_back(&table.name)).collect();
    let sequences: Vec<_> =
        sequences(before).map(String::as_str).filter(|name| comes_back(name)).collect();
    let triggers: Vec<_> = before
        .objects
        .iter()
        .filter(|object| object.kind == StoredObjectKind::Trigger)
        .filter(|object| object.table.as_deref().is_some_and(comes_back))
        .collect();
    let departing = swap.incoming.iter().map(|new| new.table.clone()).collect();
    let arrival =
        Arrival { database: &swap.to, tables: &tables, sequences: &sequences, triggers: &triggers };
    let departure = Departure { database: &swap.from, tables: &departing };
    let swap = Swap::plan(&live, &site.names.tag, arrival, departure);
    journal::begin(site, Journal { swap, live }, Stage::Undoing).await
}

/// Takes back a restore that has not changed anything yet. One that was cut off while tables changed places is
/// finished instead if they had, and taken back if they had not. With an `error` it has failed.
pub async fn discard(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
    error: &[String],
) -> Result<RestoreRecord, Error> {
    let record = restores::find(&*world.vault, id).await?;
    match record.stage {
        Stage::Failed | Stage::Cancelled => return Ok(record),
        Stage::Requested => return forget(world, id, error).await,
        _ => require_unsettled(&record)?,
    }
    locked(world, rules, id, async || {
        // Whoever had the lock may have come to an end.
        let record = restores::find(&*world.vault, id).await?;
        require_unsettled(&record)?;
        match record.stage {
            Stage::Promoting if is_in_place(&record.wish) => {
                let site = Site::open(world, servers, rules, id).await?;
                if is_carried_out(&site).await? {
                    return put_in_place(site).await;
                }
                step_back(&site).await?;
            }
            Stage::Undoing => {
                let site = Site::open(world, servers, rules, id).await?;
                if is_carried_out(&site).await? {
                    return give_back(site).await;
                }
                step_back(&site).await?;
                return still_restored(world, id).await;
            }
            _ => {}
        }
        forget_loaded(world, id).await?;
        let staging = record.staging.as_deref().ok_or(Error::Internal("no staging database"))?;
        servers.of(&record.wish)?.database(staging).drop_database().await?;
        forget(world, id, error).await
    })
    .await
}

/// Before the loaded tables are dropped nobody may count on them any more.
async fn forget_loaded(world: &World, id: &RunId) -> Result<(), Error> {
    let forget = |record: &mut RestoreRecord| {
        (record.stage, record.live) = (Stage::Loading, Live::Untouched);
        record.verified.clear();
        Ok(())
    };
    restores::update(world, id, forget).await.map(drop)
}

fn require_unsettled(record: &RestoreRecord) -> Result<(), Error> {
    let stages = [Stage::Loading, Stage::Staged, Stage::Promoting, Stage::Undoing];
    require(record, "to take it back", "not yet restored", &stages)
}

/// Did that happen which can't be taken back by dropping the staging database? Nobody may be at work on it but those
/// whose connections are lost.
async fn is_carried_out(site: &Site<'_>) -> Result<bool, Error> {
    swapping::wait_for_lost(site.server).await?;
    has_happened(site).await
}

async fn has_happened(site: &Site<'_>) -> Result<bool, Error> {
    if site.record.wish.tenant.is_some() {
        return tenant::is_replaced(site).await;
    }
    let journal = journal::last(site).await?;
    swapping::is_done(site.server, &journal.swap).await
}

/// All is where it was before the change of places was begun.
async fn step_back(site: &Site<'_>) -> Result<(), Error> {
    if site.record.wish.tenant.is_some() {
        return tenant::bring_back_triggers(site).await;
    }
    let journal = journal::last(site).await?;
    swapping::retreat(site.server, &journal.swap).await?;
    let room = site.server.database(&journal.swap.to);
    if site.record.stage == Stage::Promoting && room.state().await? == TargetState::Empty {
        room.drop_database().await?;
    }
    Ok(())
}

/// Which rows the live tables hold: if the record does not know, the database is asked.
pub async fn which_rows(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    record: &RestoreRecord,
) -> Result<Live, Error> {
    if record.live != Live::Unknown {
        return Ok(record.live);
    }
    let site = Site::of(world, servers, rules, record.clone()).await?;
    let is_to_be_restored = record.stage == Stage::Promoting;
    let is_restored = has_happened(&site).await? == is_to_be_restored;
    Ok(if is_restored { Live::Restored } else { Live::Untouched })
}

async fn still_restored(world: &World, id: &RunId) -> Result<RestoreRecord, Error> {
    restores::update(world, id, |record| {
        record.stage = Stage::Restored;
        record.live = Live::Restored;
        Ok(())
    })
    .await
}

async fn forget(world: &World, id: &RunId, error: &[String]) -> Result<RestoreRecord, Error> {
    let record = restores::update(world, id, |record| {
        let stage = if error.is_empty() { Stage::Cancelled } else { Stage::Failed };
        (record.stage, record.live) = (stage, Live::Untouched);
        record.error = error.to_vec();
        Ok(())
    })
    .await?;
    record_end(world, &record).await?;
    Ok(record)
}
