//! What a restore would change, and what stands in its way. It changes nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    Rules, Servers,
    loading::{Roles, begun},
    merge, objects,
    promotion::foreigners,
    site::Site,
    tenant,
};
use crate::{
    jobs::{Error, Fetcher, World, restores, runs},
    model::{Catalog, RunId, SourceIdentity, Table},
    policy::{
        difference::{Difference, Fingerprints},
        rights::{self, Room},
    },
    ports::{Session, Target, TargetState, random},
    records::{
        manifest::TablePart,
        restore::{RestoreRecord, Wish},
        run::{Job, Outcome},
    },
    stages::{
        definition::{quoted, without_counter},
        rows::{Digest, RowBatch},
    },
};

/// Tables of no more than so many rows and bytes are compared row by row.
const MOST_ROWS: u64 = 500_000;
const MOST_BYTES: u64 = 64 << 20;

/// Restores and restore tests of so long ago tell how fast one is.
const MEMORY: SignedDuration = SignedDuration::from_hours(24 * 62);

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The backup.
    pub backup: RunId,
    /// The moment it shows.
    pub snapshot: Timestamp,
    /// Where it would be restored to.
    pub target: SourceIdentity,
    /// What becomes of each table.
    pub tables: Vec<TableChange>,
    /// Rows that would be restored.
    pub rows: u64,
    /// Bytes of these rows.
    pub raw_bytes: u64,
    /// Views, routines and events that would be made anew, changed or dropped.
    pub objects: Vec<String>,
    /// Bytes that the server needs while old and new tables are there, by its own estimate of the old ones.
    pub needed_bytes: u64,
    /// Bytes that are free on the server; most do not tell.
    pub free_bytes: Option<u64>,
    /// How long it would take, in seconds, by how fast earlier restores were; nothing if there were none.
    pub seconds: Option<u64>,
    /// What is not as one might expect, each a sentence.
    pub warnings: Vec<String>,
    /// What stands in the way, each a sentence; the restore would be refused.
    pub blocked_by: Vec<String>,
}

/// What becomes of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChange {
    /// The table.
    pub table: String,
    /// What becomes of it.
    pub change: Change,
    /// Its rows now; nothing if it is not there.
    pub rows_now: Option<u64>,
    /// Its rows in the backup; nothing if it is not in it.
    pub rows_in_backup: Option<u64>,
    /// How the rows differ, if that was cheap to find out.
    pub difference: Option<Difference>,
    /// Is it defined otherwise now than in the backup?
    pub defined_otherwise: bool,
}

/// What becomes of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is replaced by the backup's.
    Replaced,
    /// It is not there, and comes back.
    BroughtBack,
    /// It is not in the backup, and is set aside with the old tables.
    SetAside,
    /// It gets the rows that it lacks, and keeps the others.
    Merged,
    /// It stays as it is.
    Kept,
    /// It is not there, and comes back without rows.
    Emptied,
    /// The rows of one tenant are replaced.
    TenantRows,
}

/// Plans a restore that nobody asked for yet, and leaves no trace of it.
///
/// # Errors
/// As [`plan`].
pub async fn dry_run(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    wish: Wish,
) -> Result<Plan, Error> {
    let now = world.clock.now();
    let id = RunId::new(now, random(&*world.entropy));
    let record = RestoreRecord::new(id, wish, None, now);
    let record = begun(world, servers, rules, record).await?;
    of(Site::of(world, servers, rules, record).await?).await
}

/// Plans a restore that was begun.
///
/// # Errors
/// If the backup or the database can't be read; what stands in the way of a restore is in the plan.
pub async fn plan(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    id: &RunId,
) -> Result<Plan, Error> {
    of(Site::open(world, servers, rules, id).await?).await
}

async fn of(mut site: Site<'_>) -> Result<Plan, Error> {
    let is_in_place = site.is_in_place();
    let live = if is_in_place {
        Some(site.server.database(&site.live().database).source().catalog().await?)
    } else {
        None
    };
    let roles = match &live {
        Some(live) if site.is_whole() || site.record.wish.tenant.is_none() => {
            Roles::of(&site, &names(live))
        }
        _ => Roles::default(),
    };
    let mut blocked_by = blockers(&site, live.as_ref()).await?;
    let tables = changes(&site, live.as_ref(), &roles).await?;
    let room = site.server.room(&site.live().database).await?;
    let (rows, raw_bytes) = sums(&site.chosen.parts);
    let needed_bytes = room.used.max(raw_bytes);
    if let Some(free) = room.free.filter(|free| *free < needed_bytes) {
        let reason =
            format!("{free} bytes are free on the server, where {needed_bytes} are needed");
        blocked_by.push(reason);
    }
    let objects = match &live {
        Some(live) if site.is_whole() => objects::changes(&site.chosen.catalog.objects, live),
        _ => Vec::new(),
    };
    let target = site.record.target.clone().ok_or(Error::Internal("a restore without a target"))?;
    let seconds = seconds(site.world, raw_bytes).await?;
    let warnings = site.chosen.left_out.clone();
    let backup = site.record.backup.take().ok_or(Error::Internal("a restore has no backup"))?;
    Ok(Plan {
        backup,
        snapshot: site.snapshot,
        target,
        tables,
        rows,
        raw_bytes,
        objects,
        needed_bytes,
        free_bytes: room.free,
        seconds,
        warnings,
        blocked_by,
    })
}

fn names(catalog: &Catalog) -> BTreeSet<String> {
    catalog.tables.iter().map(|table| table.name.clone()).collect()
}

fn sums(parts: &[TablePart]) -> (u64, u64) {
    let digests = parts.iter().map(TablePart::digest);
    digests.fold((0, 0), |(rows, bytes), digest| (rows + digest.rows, bytes + digest.bytes))
}

/// Everything that would refuse the restore, at once.
async fn blockers(site: &Site<'_>, live: Option<&Catalog>) -> Result<Vec<String>, Error> {
    let mut reasons = Vec::new();
    if !site.names.fit() {
        reasons
            .push(format!("the name of the staging database {} is too long", site.names.staging));
    }
    let staging = site.staging();
    if let TargetState::Holds(objects) = staging.state().await? {
        let database = site.names.staging.clone();
        reasons.push(Error::TargetNotEmpty { database, objects }.to_string());
    }
    if let Err(Error::Incompatible { problems, .. }) =
        site.work(&*staging, |_| true).await?.refuse_incompatible_target()
    {
        reasons.extend(problems);
    }
    reasons.extend(missing_rights(site).await?);
    if let Some(live) = live {
        reasons.extend(foreigners(site, &live.database).await?);
        if site.record.wish.tenant.is_some() {
            reasons.extend(tenant::obstacles(site, live));
        } else {
            let append_only = |table: &&Table| site.rules.append_only.contains(&table.name);
            for table in site.chosen.catalog.tables.iter().filter(append_only) {
                let now = live.tables.iter().find(|now| now.name == table.name);
                reasons.extend(now.into_iter().flat_map(|now| merge::lost_columns(table, now)));
            }
        }
        for other in unfinished(site).await? {
            reasons.push(format!("restore {} is {}", other.restore, other.stage.as_str()));
        }
    }
    Ok(reasons)
}

/// What the account may not do that the restore takes.
async fn missing_rights(site: &Site<'_>) -> Result<Vec<String>, Error> {
    let (names, live) = (&site.names, &site.live().database);
    let rooms = match (site.is_in_place(), site.record.wish.tenant.is_some()) {
        (false, _) => vec![(Room::Copy, &names.staging)],
        (true, true) => vec![(Room::Staging, &names.staging), (Room::LiveRows, live)],
        (true, false) => {
            vec![(Room::Staging, &names.staging), (Room::Live, live), (Room::Before, &names.before)]
        }
    };
    let objects = &site.chosen.catalog.objects;
    let mut reasons = BTreeSet::new();
    for (room, database) in rooms {
        let allowed = site.server.allowed(database).await?;
        let scope = match room {
            Room::Staging | Room::Before => format!("`{}\\_\\_%`.*", like(live)),
            _ => format!("{}.*", quoted(database)),
        };
        reasons.extend(rights::lacked(&allowed, &rights::needed(room, objects), database, &scope));
        reasons.extend(rights::foreign_definers(&allowed, objects, &site.rules.definers));
    }
    Ok(reasons.into_iter().collect())
}

/// A database's name as GRANT takes it where `_` and `%` stand for others.
fn like(database: &str) -> String {
    database.replace('`', "``").replace('_', "\\_").replace('%', "\\%")
}

async fn unfinished(site: &Site<'_>) -> Result<Vec<RestoreRecord>, Error> {
    let mut others = restores::list(&*site.world.vault).await?;
    others.retain(|other| other.restore != site.record.restore && other.is_at_work());
    Ok(others)
}

async fn changes(
    site: &Site<'_>,
    live: Option<&Catalog>,
    roles: &Roles,
) -> Result<Vec<TableChange>, Error> {
    let mut changes = Vec::new();
    let mut comparing = match live {
        Some(live) => Some(Comparing::of(site, live).await?),
        None => None,
    };
    for (table, part) in site.chosen.catalog.tables.iter().zip(&site.chosen.parts) {
        let now = live.and_then(|live| live.tables.iter().find(|now| now.name == table.name));
        let is_in = |list: &[String]| list.contains(&table.name);
        let change = match now {
            _ if site.record.wish.tenant.is_some() => Change::TenantRows,
            None if is_in(&roles.emptied) => Change::Emptied,
            None => Change::BroughtBack,
            Some(_) if is_in(&roles.kept) => Change::Kept,
            Some(_) if is_in(&roles.merged) => Change::Merged,
            Some(_) => Change::Replaced,
        };
        let (rows_now, difference) = match (now, &mut comparing) {
            (Some(now), Some(comparing)) => comparing.compare(table, now, part).await?,
            _ => (None, None),
        };
        changes.push(TableChange {
            table: table.name.clone(),
            change,
            rows_now,
            rows_in_backup: Some(part.digest().rows),
            difference,
            defined_otherwise: now
                .is_some_and(|now| without_counter(&now.ddl) != without_counter(&table.ddl)),
        });
    }
    if let (Some(live), Some(comparing), true) = (live, &mut comparing, site.is_whole()) {
        let known = names(&site.chosen.catalog);
        for table in live.tables.iter().filter(|table| !known.contains(&table.name)) {
            changes.push(TableChange {
                table: table.name.clone(),
                change: Change::SetAside,
                rows_now: Some(comparing.count(&table.name).await?),
                rows_in_backup: None,
                difference: None,
                defined_otherwise: false,
            });
        }
    }
    Ok(changes)
}

/// Looks at the live tables without locking any of them.
struct Comparing<'a> {
    site: &'a Site<'a>,
    live: std::sync::Arc<dyn Target>,
    session: Box<dyn Session>,
    fetcher: Fetcher,
}

impl<'a> Comparing<'a> {
    async fn of(site: &'a Site<'a>, live: &Catalog) -> Result<Self, Error> {
        Ok(Self {
            site,
            live: site.server.database(&live.database),
            session: site.server.session(&live.database).await?,
            fetcher: Fetcher::new(site.world, std::sync::Arc::clone(&site.keys)),
        })
    }

    async fn count(&mut self, table: &str) -> Result<u64, Error> {
        let query = format!("SELECT COUNT(*) FROM {}", quoted(table));
        Ok(self.session.number(&format!("count the rows of {table}"), &query).await?)
    }

    /// How many rows there are, and how they differ, if both sides are small and spelled alike.
    async fn compare(
        &mut self,
        table: &Table,
        now: &Table,
        part: &TablePart,
    ) -> Result<(Option<u64>, Option<Difference>), Error> {
        let (rows, digest) = (self.count(&table.name).await?, part.digest());
        let is_small = rows.max(digest.rows) <= MOST_ROWS && digest.bytes <= MOST_BYTES;
        let is_comparable = now.columns == table.columns && !table.key.is_empty();
        if !is_small || !is_comparable || self.site.record.wish.tenant.is_some() {
            return Ok((Some(rows), None));
        }
        let (live, found) = self.read_live(now).await?;
        if found == digest {
            return Ok((Some(rows), Some(Difference::default())));
        }
        let mut backup = Fingerprints::default();
        for portion in Fetcher::portions(part) {
            for sealed in self.fetcher.read(part, &portion).await? {
                let piece = self.fetcher.open(table, part, sealed).await?;
                add(&mut backup, table, &piece.rows)?;
            }
        }
        Ok((Some(rows), Some(backup.difference(&live))))
    }

    async fn read_live(&self, table: &Table) -> Result<(Fingerprints, Digest), Error> {
        let mut reader = self.live.reader().await?;
        let (sender, mut batches) = mpsc::channel::<RowBatch>(4);
        let take = async {
            let (mut prints, mut digest) = (Fingerprints::default(), Digest::default());
            while let Some(batch) = batches.recv().await {
                for row in batch.rows() {
                    digest.add(row);
                    add(&mut prints, table, row)?;
                }
            }
            Ok::<_, Error>((prints, digest))
        };
        let (read, taken) = tokio::join!(reader.read(table, sender), take);
        read?;
        taken
    }
}

fn add(prints: &mut Fingerprints, table: &Table, rows: &[u8]) -> Result<(), Error> {
    let what = || format!("a fingerprint of table {}", table.name);
    prints.add(table, rows).map_err(|source| Error::Unwritable { what: what(), source })
}

/// How long it would take at the pace of the last restore or restore test that succeeded.
async fn seconds(world: &World, bytes: u64) -> Result<Option<u64>, Error> {
    let now = world.clock.now();
    let from = now.checked_sub(MEMORY).map_err(|_| Error::Internal("no such time"))?;
    let runs = runs::between(&*world.vault, from, now).await?;
    let pace = runs.iter().rev().find_map(|run| {
        let is_one = matches!(run.job, Job::Restore | Job::RestoreTest);
        let summary =
            run.summary.as_ref().filter(|_| is_one && run.outcome == Outcome::Succeeded)?;
        let places = ["/raw_bytes", "/restore/raw_bytes", "/progress/bytes_done"];
        let bytes = places.iter().find_map(|place| summary.pointer(place)?.as_u64())?;
        let seconds = run.ended.duration_since(run.started).as_secs_f64();
        (bytes > 0 && seconds > 0.0).then(|| seconds / bytes as f64)
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate in seconds"
    )]
    Ok(pace.map(|pace| (bytes as f64 * pace).ceil() as u64))
}
