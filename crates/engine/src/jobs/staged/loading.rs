//! Until all is loaded and proved, beside the live tables, which nobody touches.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Rules, Servers, choice, locked,
    site::{self, Site, is_in_place, lap, require},
};
use crate::{
    jobs::{Error, World, backups, deadline::within, restores},
    model::{Relation, RunId, StoredObjectKind},
    policy::groups::groups,
    ports::{Target, TargetState},
    records::{
        imported::Imported,
        manifest::TablePart,
        restore::{Progress, RestoreRecord, Stage},
    },
};

/// A restore made ready to be loaded.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The restore.
    pub record: RestoreRecord,
    /// How many groups of tables there are to load, each for itself.
    pub groups: usize,
}

/// Decides once and for all which backup `latest` means, and where it goes.
pub async fn begin(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<RestoreRecord, Error> {
    let record = restores::find(&*world.vault, id).await?;
    require(&record, "to begin", "requested", &[Stage::Requested, Stage::Loading])?;
    if record.backup.is_some() {
        return Ok(record);
    }
    if is_in_place(&record.wish) {
        refuse_beside_other(world, id).await?;
    }
    let begun = begun(world, servers, rules, record).await?;
    restores::update(world, id, |record| {
        record.backup.clone_from(&begun.backup);
        record.target.clone_from(&begun.target);
        record.staging.clone_from(&begun.staging);
        record.before.clone_from(&begun.before);
        Ok(())
    })
    .await
}

/// The record with what is decided at the beginning.
pub(super) async fn begun(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    mut record: RestoreRecord,
) -> Result<RestoreRecord, Error> {
    if let Some(tenant) = &record.wish.tenant {
        choice::check(rules, &record.wish, tenant)?;
    }
    let backup = backups::find(&*world.vault, &record.wish.backup).await?;
    if is_in_place(&record.wish) {
        refuse_others_rows(world, &backup, record.wish.tenant.as_deref()).await?;
    }
    record.backup = Some(backup);
    let server = servers.of(&record.wish)?;
    let names = site::names(server, &record.wish, &record.restore);
    let mut target = server.live();
    if is_in_place(&record.wish) {
        record.before = Some(names.before);
    } else {
        target.database.clone_from(&names.staging);
    }
    record.staging = Some(names.staging);
    record.target = Some(target);
    Ok(record)
}

/// Whole tables of an imported backup would take the place of all tenants' rows: it holds one tenant's alone.
async fn refuse_others_rows(
    world: &World,
    backup: &RunId,
    wanted: Option<&str>,
) -> Result<(), Error> {
    // A header that can't be read is damage, which is told when the backup is opened.
    let header = backups::header(&*world.vault, backup).await?.ok();
    let Some(Imported { tenant, .. }) = header.and_then(|header| header.imported) else {
        return Ok(());
    };
    if wanted == Some(tenant.as_str()) {
        return Ok(());
    }
    let reason = format!(
        "backup {backup} was imported and holds rows of tenant {tenant} alone: in place it is restored with --tenant \
         {tenant}, and as a whole only --into another database"
    );
    Err(Error::Blocked { reasons: vec![reason] })
}

/// Makes the staging database, and decides what becomes of each table.
///
/// # Errors
/// [`Error::RestoreUnfinished`] if another restore of the same database is at work.
pub async fn prepare(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
    safety_backup: Option<RunId>,
) -> Result<Prepared, Error> {
    begin(world, servers, rules, id).await?;
    locked(world, rules, id, async || {
        refuse_beside_other(world, id).await?;
        let mut site = Site::open(world, servers, rules, id).await?;
        if site.record.stage == Stage::Requested {
            decide(&mut site, safety_backup.as_ref()).await?;
            // Only now does it know which tables are left out.
            site = Site::open(world, servers, rules, id).await?;
        }
        make_database(&site).await?;
        let groups = groups_of(&site.chosen.parts).len();
        Ok(Prepared { record: site.record, groups })
    })
    .await
}

/// Of two restores at work each would take the other's tables for the live ones.
async fn refuse_beside_other(world: &World, id: &RunId) -> Result<(), Error> {
    for other in restores::list(&*world.vault).await? {
        if other.restore != *id && other.is_at_work() {
            let (restore, stage) = (other.restore, other.stage.as_str());
            let target = other.target.ok_or(Error::Internal("a restore without a target"))?;
            return Err(Error::RestoreUnfinished { restore, target, stage });
        }
    }
    Ok(())
}

async fn decide(site: &mut Site<'_>, safety_backup: Option<&RunId>) -> Result<(), Error> {
    if !site.names.fit() {
        let reason = format!("the name of the staging database {} is too long", site.names.staging);
        return Err(Error::Blocked { reasons: vec![reason] });
    }
    let staging = site.staging();
    if let TargetState::Holds(objects) = staging.state().await? {
        return Err(Error::TargetNotEmpty { database: site.names.staging.clone(), objects });
    }
    site.work(&*staging, |_| true).await?.refuse_incompatible_target()?;
    let mut roles = Roles::default();
    if site.is_in_place() && site.record.wish.tenant.is_none() {
        let live = site.server.contents(&site.live().database).await?.tables;
        roles = Roles::of(site, &live);
    }
    let wanted = site.chosen.parts.iter().filter(|part| !roles.kept.contains(&part.table));
    let mut progress = Progress::default();
    for part in wanted {
        let digest = part.digest();
        progress.tables += 1;
        if !roles.emptied.contains(&part.table) {
            progress.rows += digest.rows;
            progress.bytes += digest.bytes;
        }
    }
    let left_out = site.chosen.left_out.clone();
    site.update(|record| {
        record.stage = Stage::Loading;
        record.safety_backup = safety_backup.cloned();
        (record.kept, record.emptied, record.merged) =
            (roles.kept.clone(), roles.emptied.clone(), roles.merged.clone());
        record.progress = progress;
        record.warnings.clone_from(&left_out);
    })
    .await
}

/// What becomes of tables that the settings name.
#[derive(Default)]
pub(super) struct Roles {
    pub(super) kept: Vec<String>,
    pub(super) emptied: Vec<String>,
    pub(super) merged: Vec<String>,
}

impl Roles {
    pub(super) fn of(site: &Site<'_>, live: &BTreeSet<String>) -> Self {
        let mut roles = Self::default();
        for table in &site.chosen.catalog.tables {
            let name = &table.name;
            let is_named = |list: &[String]| list.contains(name);
            match live.contains(name) {
                true if is_named(&site.rules.append_only) => roles.merged.push(name.clone()),
                true if is_named(&site.rules.skip) => roles.kept.push(name.clone()),
                false if is_named(&site.rules.skip) => roles.emptied.push(name.clone()),
                _ => {}
            }
        }
        roles
    }
}

async fn make_database(site: &Site<'_>) -> Result<(), Error> {
    let staging = site.staging();
    let work = site.work(&*staging, |_| true).await?;
    if staging.state().await? == TargetState::Absent {
        work.create_database().await?;
    }
    let there = site.server.contents(&site.names.staging).await?.tables;
    for sequence in work.objects_of(StoredObjectKind::Sequence) {
        if !there.contains(&sequence.name) && (site.is_whole() || !site.is_in_place()) {
            work.create_object(sequence).await?;
        }
    }
    Ok(())
}

/// What each step loads; the same for the same backup.
fn groups_of(parts: &[TablePart]) -> Vec<Vec<&str>> {
    groups(parts.iter().map(|part| (part.table.as_str(), part.digest().bytes)))
}

/// Loads one group of tables, builds their keys, reads them back and compares them with the backup.
///
/// # Errors
/// [`Error::Mismatch`] if a table is not what the backup holds.
pub async fn load(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
    group: usize,
) -> Result<RestoreRecord, Error> {
    let mut site = Site::open(world, servers, rules, id).await?;
    site.require("to load", "loading", &[Stage::Loading])?;
    let started = world.clock.now();
    let chosen = Arc::clone(&site.chosen);
    let groups = groups_of(&chosen.parts);
    let group: &[&str] = groups.get(group).map(Vec::as_slice).unwrap_or_default();
    let is_done = |name: &str| site.record.verified.iter().any(|known| known.table == name);
    let tables: BTreeSet<&str> = group.iter().copied().filter(|name| !is_done(name)).collect();
    if tables.is_empty() {
        return Ok(site.record);
    }
    let staging = site.staging();
    let loading = async {
        let work = site.work(&*staging, |name| tables.contains(name)).await?;
        work.drop_tables().await?;
        work.create_tables().await?;
        work.load_rows().await?;
        work.add_secondary_keys().await?;
        work.read_back().await
    };
    let proved = within(world, rules.deadline, loading).await.flatten()?;
    site.note_verified(&proved).await?;
    let lap = lap(world, "load", started);
    site.update(|record| record.laps.push(lap.clone())).await?;
    Ok(site.record)
}

/// Adds foreign keys, and looks for rows that point at rows that are not there.
///
/// # Errors
/// [`Error::Orphans`] if there would be such rows in the live database that were not there before.
pub async fn verify(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<RestoreRecord, Error> {
    let mut site = Site::open(world, servers, rules, id).await?;
    if site.record.stage == Stage::Staged {
        return Ok(site.record);
    }
    site.require("to verify", "loading", &[Stage::Loading])?;
    let started = world.clock.now();
    if site.record.verified.len() != site.chosen.parts.len() {
        return Err(Error::Internal("not all tables are loaded"));
    }
    let staging = site.staging();
    let mut warnings = Vec::new();
    let mut orphans = Vec::new();
    if site.record.wish.tenant.is_none() {
        let there = site.server.contents(&site.names.staging).await?.foreign_keys;
        let work = site.work(&*staging, |_| true).await?;
        let has_keys = |name: &str| there.iter().any(|(table, _)| table == name);
        // A table that is merged stays here when the others leave: its keys would follow them.
        let leaves = |name: &str| !site.record.merged.iter().any(|merged| merged == name);
        let is_due = |name: &str| leaves(name) && !has_keys(name);
        work.add_foreign_keys(is_due, &mut warnings).await?;
        work.look_for_orphans(&mut warnings).await?;
        if site.is_in_place() {
            orphans = strays(&site, &*staging, &mut warnings).await?;
        }
    }
    if !orphans.is_empty() && !site.record.wish.accept_orphans {
        return Err(Error::Orphans { orphans });
    }
    warnings.extend(orphans);
    let lap = lap(world, "foreign keys", started);
    site.update(|record| {
        record.stage = Stage::Staged;
        record.warnings.extend(warnings.iter().cloned());
        record.laps.push(lap.clone());
    })
    .await?;
    Ok(site.record)
}

/// Rows that would point nowhere between tables that are replaced and tables that stay: each kind a sentence.
async fn strays(
    site: &Site<'_>,
    staging: &dyn Target,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>, Error> {
    let live = site.server.database(&site.live().database);
    let catalog = live.source().catalog().await?;
    let replaced: BTreeSet<_> = site.replaced().map(|table| table.name.as_str()).collect();
    let stays =
        |name: &str| !replaced.contains(name) && catalog.tables.iter().any(|t| t.name == name);
    let led = |relation: &Relation, database: &str| Relation {
        parent_database: Some(database.to_owned()),
        ..relation.clone()
    };
    let mut orphans = Vec::new();
    for table in site.replaced() {
        for relation in table.relations.iter().filter(|relation| stays(&relation.parent)) {
            let count = staging.orphans(&table.name, &led(relation, &catalog.database)).await?;
            if count > 0 {
                orphans.push(format!(
                    "{count} rows of table {} would point at no row of {}, which stays as it is (foreign key {})",
                    table.name, relation.parent, relation.name
                ));
            }
        }
    }
    for table in catalog.tables.iter().filter(|table| stays(&table.name)) {
        let leads_to_replaced = |relation: &&Relation| {
            relation.parent_database.is_none() && replaced.contains(relation.parent.as_str())
        };
        for relation in table.relations.iter().filter(leads_to_replaced) {
            let before = live.orphans(&table.name, relation).await?;
            let after = live.orphans(&table.name, &led(relation, &site.names.staging)).await?;
            if after <= before {
                continue;
            }
            let sentence = format!(
                "{} rows of table {}, which stays as it is, would point at no row of {} (foreign key {})",
                after - before,
                table.name,
                relation.parent,
                relation.name
            );
            // What settings keep as it is was never meant to fit together with the past.
            if site.record.merged.contains(&table.name) || site.record.kept.contains(&table.name) {
                warnings.push(sentence);
            } else {
                orphans.push(sentence);
            }
        }
    }
    Ok(orphans)
}
