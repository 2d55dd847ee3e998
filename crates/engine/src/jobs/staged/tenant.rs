//! One tenant's rows take the place of the live ones, in one transaction; nobody else's row is touched.
//!
//! The backup's rows lie in the staging database. Triggers must not fire for rows that come back: where there
//! are any, the tables are locked, and the triggers are gone only as long as nobody can write.

use std::collections::BTreeSet;

use super::{
    Rules, Servers,
    choice::is_asked_for,
    discard, journal, load,
    merge::equal,
    prepare, promote,
    site::{Site, require},
    swapping::{execute, retrying},
    verify,
};
use crate::{
    jobs::{Error, World, record::chain, restores},
    model::{Catalog, CharsetContext, Relation, StoredObject, StoredObjectKind, Table},
    policy::tenancy::Tenancy,
    ports::{Session, TargetError},
    records::{
        journal::{Journal, Swap},
        restore::{Live, RestoreRecord, Stage, Wish},
    },
    stages::definition::quoted,
};

/// How often a transaction is tried that others stand in the way of.
const ATTEMPTS: u32 = 5;

/// A table of the staging database that has a row if the transaction was committed, and only then.
const MARK: &str = "__gorgen_replaced";

/// Replaces the rows. Run again after it was cut off it finds out whether that was done, and finishes.
pub(super) async fn replace(site: &mut Site<'_>) -> Result<(), Error> {
    let live = if site.record.stage == Stage::Promoting {
        journal::last(site).await?.live
    } else {
        let live = site.server.database(&site.live().database).source().catalog().await?;
        let reasons = obstacles(site, &live);
        if !reasons.is_empty() {
            return Err(Error::Blocked { reasons });
        }
        let swap = Swap {
            live: live.database.clone(),
            from: site.names.staging.clone(),
            to: site.names.before.clone(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            children: Vec::new(),
        };
        journal::begin(site, Journal { swap, live }, Stage::Promoting).await?.live
    };
    let mut warnings = site.chosen.left_out.clone();
    let replacement = Replacement::of(site, &live)?;
    if !replacement.is_done().await? {
        replacement.try_often(&mut warnings).await?;
    }
    replacement.bring_back_triggers().await?;
    site.update(|record| {
        let news = warnings.iter().filter(|news| !record.warnings.contains(news)).cloned();
        let news: Vec<_> = news.collect();
        record.warnings.extend(news);
    })
    .await
}

/// Rows go from one table to the other as they are, which takes equal columns; and rows that were erased would leave nothing in
/// the place of the live ones.
pub(super) fn obstacles(site: &Site<'_>, live: &Catalog) -> Vec<String> {
    let mut reasons = Vec::new();
    if !site.chosen.erased.is_empty() {
        reasons.push("what the backup held of this tenant was erased".to_owned());
    }
    for table in &site.chosen.catalog.tables {
        match live.tables.iter().find(|now| now.name == table.name) {
            None => reasons.push(format!(
                "table {} is gone: restore it first, for all tenants, with --table {}",
                table.name, table.name
            )),
            Some(now) if now.columns != table.columns => reasons.push(format!(
                "the columns of table {} are not what they were in the backup",
                table.name
            )),
            Some(_) => {}
        }
    }
    reasons
}

/// All that the replacement of one tenant's rows works with.
struct Replacement<'a> {
    site: &'a Site<'a>,
    tenancy: &'a Tenancy,
    tenant: &'a str,
    /// The live database as it was.
    live: &'a Catalog,
    /// The tables whose rows are replaced or merged, those that others depend on first.
    tables: Vec<&'a Table>,
    action: String,
}

/// Rows that point nowhere, by table and foreign key.
type Strays = Vec<(String, String, u64)>;

impl<'a> Replacement<'a> {
    fn of(site: &'a Site<'a>, live: &'a Catalog) -> Result<Self, Error> {
        let no_tenant = Error::Internal("a restore of one tenant has no tenant");
        let (Some(tenancy), Some(tenant)) = (&site.tenancy, &site.record.wish.tenant) else {
            return Err(no_tenant);
        };
        let is_asked_for =
            |table: &&Table| is_asked_for(&site.record.wish, site.rules, &table.name);
        let mut tables: Vec<_> = site.chosen.catalog.tables.iter().filter(is_asked_for).collect();
        tables.sort_by_key(|table| tenancy.distance(&table.name));
        let action = format!("replace the rows of tenant {tenant}");
        Ok(Self { site, tenancy, tenant, live, tables, action })
    }

    /// Was the transaction committed?
    async fn is_done(&self) -> Result<bool, Error> {
        let staging = &self.site.names.staging;
        if !self.site.server.contents(staging).await?.tables.contains(MARK) {
            return Ok(false);
        }
        let mut session = self.site.server.session(staging).await?;
        let query = format!("SELECT COUNT(*) FROM {}", quoted(MARK));
        Ok(session.number("look whether the rows were replaced", &query).await? > 0)
    }

    /// Others may hold rows that we need, or we theirs: then all of it is tried again.
    async fn try_often(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {} (id INT PRIMARY KEY) ENGINE = InnoDB",
            quoted(MARK)
        );
        execute(self.site.server, &self.site.names.staging, &self.action, &create).await?;
        let mut attempt = 1;
        loop {
            match self.run().await {
                Err(Error::Target(TargetError::Busy { .. })) if attempt < ATTEMPTS => {
                    self.bring_back_triggers().await?;
                    attempt += 1;
                }
                Err(failure) => {
                    self.bring_back_triggers().await?;
                    return Err(failure);
                }
                Ok(news) => {
                    warnings.extend(news);
                    return Ok(());
                }
            }
        }
    }

    async fn run(&self) -> Result<Vec<String>, Error> {
        let mut session = self.site.server.sole_session(&self.live.database).await?;
        let session = &mut *session;
        // Other tenants' rows are not to be locked, only looked at.
        let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
        self.execute(session, isolation).await?;
        if self.triggers().next().is_some() {
            self.execute(session, "SET SESSION autocommit = 0").await?;
            let lock = self.lock();
            retrying(async || {
                session.execute(&self.action, &lock, &CharsetContext::default()).await
            })
            .await?;
            for object in self.triggers() {
                let drop = format!("DROP TRIGGER IF EXISTS {}", quoted(&object.name));
                self.execute(session, &drop).await?;
            }
        } else {
            self.execute(session, "START TRANSACTION").await?;
        }
        let news = self.transaction(session).await;
        // A session that is lost takes its transaction with it.
        let end = if news.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.execute(session, end).await;
        let news = news?;
        ended?;
        self.name_triggers(session).await?;
        Ok(news)
    }

    /// The tables of all statements of the transaction, under the names that they have there.
    fn lock(&self) -> String {
        let staging = &self.site.names.staging;
        let live = &self.live.database;
        let place = |database: &str, table: &str| format!("{}.{}", quoted(database), quoted(table));
        let mut locks = vec![format!("{} WRITE", place(staging, MARK))];
        for table in &self.site.chosen.catalog.tables {
            locks.push(format!("{} READ", place(staging, &table.name)));
        }
        let ours: BTreeSet<_> = self.tables.iter().map(|table| table.name.as_str()).collect();
        for (number, table) in self.tables.iter().enumerate() {
            locks.push(format!("{} WRITE", place(live, &table.name)));
            locks.push(format!("{} AS l{number} READ", place(live, &table.name)));
            locks.push(format!("{} AS s{number} READ", place(staging, &table.name)));
        }
        let lines = self.tables.iter().flat_map(|table| self.tenancy.line(&table.name));
        let parents: BTreeSet<_> = lines.filter(|name| !ours.contains(name)).collect();
        locks.extend(parents.iter().map(|table| format!("{} READ", place(live, table))));
        for (number, (table, relation)) in self.relations().enumerate() {
            locks.push(format!("{} AS child{number} READ", place(live, &table.name)));
            locks.push(format!("{} AS parent{number} READ", place(live, &relation.parent)));
        }
        format!("LOCK TABLES {}", locks.join(", "))
    }

    async fn transaction(&self, session: &mut dyn Session) -> Result<Vec<String>, Error> {
        let before = self.strays(session).await?;
        let mut gone = 0;
        for table in self.tables.iter().rev().filter(|table| !self.is_merged(table)) {
            let (place, condition) = self.rows(&self.live.database, table);
            gone +=
                self.execute(session, &format!("DELETE FROM {place} WHERE {condition}")).await?;
        }
        let (mut came, mut warnings) = (0, Vec::new());
        for (number, table) in self.tables.iter().enumerate() {
            came += self.bring(session, number, table).await?;
            self.compare(session, number, table, &mut warnings).await?;
        }
        if came == 0 {
            let reason = format!("the backup has no row of tenant {}", self.tenant);
            return Err(Error::Blocked { reasons: vec![reason] });
        }
        let after = self.strays(session).await?;
        let orphans = more_strays(&before, &after);
        if !orphans.is_empty() && !self.site.record.wish.accept_orphans {
            return Err(Error::Orphans { orphans });
        }
        warnings.extend(orphans);
        let staging = &self.site.names.staging;
        let mark = format!("INSERT INTO {}.{} VALUES (1)", quoted(staging), quoted(MARK));
        self.execute(session, &mark).await?;
        warnings.push(format!(
            "tenant {}: {gone} rows were replaced by {came} rows of the backup",
            self.tenant
        ));
        Ok(warnings)
    }

    fn is_merged(&self, table: &Table) -> bool {
        self.site.rules.append_only.contains(&table.name)
    }

    /// A table of a database, and the condition under which its rows are the tenant's.
    fn rows(&self, database: &str, table: &Table) -> (String, String) {
        let place = format!("{}.{}", quoted(database), quoted(&table.name));
        let condition = self.tenancy.condition(database, &table.name, &place, self.tenant);
        (place, condition)
    }

    /// Copies the tenant's rows out of the staging database.
    async fn bring(
        &self,
        session: &mut dyn Session,
        number: usize,
        table: &Table,
    ) -> Result<u64, Error> {
        let (from, condition) = self.rows(&self.site.names.staging, table);
        let (to, _) = self.rows(&self.live.database, table);
        let count = format!("SELECT COUNT(*) FROM {from} WHERE {condition}");
        let expected = session.number(&self.action, &count).await?;
        let columns: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
        let columns = columns.join(", ");
        let is_missing = if self.is_merged(table) {
            let live = format!("l{number}");
            let same = same_row(table, &live, &from);
            format!(" AND NOT EXISTS (SELECT 1 FROM {to} AS {live} WHERE {same})")
        } else {
            String::new()
        };
        let insert = format!(
            "INSERT INTO {to} ({columns}) SELECT {columns} FROM {from} WHERE {condition}{is_missing}"
        );
        let stored = self.execute(session, &insert).await?;
        if stored != expected && !self.is_merged(table) {
            let table = table.name.clone();
            return Err(TargetError::RowsLost { table, expected, stored }.into());
        }
        Ok(stored)
    }

    /// The tenant's rows are now those of the backup, each byte of them, and no others.
    async fn compare(
        &self,
        session: &mut dyn Session,
        number: usize,
        table: &Table,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (from, of_backup) = self.rows(&self.site.names.staging, table);
        let (to, of_live) = self.rows(&self.live.database, table);
        let count = |place: &str, condition: &str| {
            format!("SELECT COUNT(*) FROM {place} WHERE {condition}")
        };
        let expected = session.number(&self.action, &count(&from, &of_backup)).await?;
        let found = session.number(&self.action, &count(&to, &of_live)).await?;
        let differ = if table.key.is_empty() {
            0
        } else {
            let (staged, live) = (format!("s{number}"), format!("l{number}"));
            let names = &self.site.names;
            let condition =
                self.tenancy.condition(&names.staging, &table.name, &staged, self.tenant);
            let values: Vec<_> = table.columns.iter().map(|c| equal(c, &live, &staged)).collect();
            let query = format!(
                "SELECT COUNT(*) FROM {from} AS {staged} JOIN {to} AS {live} ON {} WHERE {condition} AND NOT ({})",
                same_row(table, &live, &staged),
                values.join(" AND ")
            );
            session.number(&self.action, &query).await?
        };
        if self.is_merged(table) {
            if differ > 0 {
                warnings.push(format!(
                    "{differ} rows of table {}, which only grows, are not what they were in the backup; they stay as they are",
                    table.name
                ));
            }
            return Ok(());
        }
        if expected == found && differ == 0 {
            return Ok(());
        }
        let difference = format!(
            "table {}: {expected} rows of tenant {} were to be there, {found} are, {differ} of them with other \
             content; was the tenant at work meanwhile?",
            table.name, self.tenant
        );
        Err(Error::Mismatch { differences: vec![difference] })
    }

    /// Foreign keys that lead to, or from, a table whose rows are replaced.
    fn relations(&self) -> impl Iterator<Item = (&'a Table, &'a Relation)> {
        let ours: BTreeSet<_> = self.tables.iter().map(|table| table.name.clone()).collect();
        let known = |name: &str| self.live.tables.iter().any(|table| table.name == name);
        let live = self.live;
        let known: BTreeSet<_> = live
            .tables
            .iter()
            .flat_map(|table| &table.relations)
            .map(|relation| relation.parent.clone())
            .filter(|parent| known(parent))
            .collect();
        live.tables.iter().flat_map(|table| table.relations.iter().map(move |r| (table, r))).filter(
            move |(table, relation)| {
                relation.parent_database.is_none()
                    && known.contains(&relation.parent)
                    && (ours.contains(&table.name) || ours.contains(&relation.parent))
            },
        )
    }

    async fn strays(&self, session: &mut dyn Session) -> Result<Strays, Error> {
        let mut strays = Vec::new();
        for (number, (table, relation)) in self.relations().enumerate() {
            let query = orphans(&self.live.database, number, &table.name, relation);
            let count = session.number(&self.action, &query).await?;
            strays.push((table.name.clone(), relation.name.clone(), count));
        }
        Ok(strays)
    }

    /// Triggers of the tables whose rows are replaced.
    fn triggers(&self) -> impl Iterator<Item = &'a StoredObject> {
        let ours: BTreeSet<_> = self.tables.iter().map(|table| table.name.as_str()).collect();
        self.live.objects.iter().filter(move |object| {
            object.kind == StoredObjectKind::Trigger
                && object.table.as_deref().is_some_and(|table| ours.contains(table))
        })
    }

    /// Makes the triggers that are not there, and lets the others in again.
    async fn name_triggers(&self, session: &mut dyn Session) -> Result<(), Error> {
        let there = self.site.server.contents(&self.live.database).await?.triggers;
        for object in self.triggers() {
            let table = object.table.clone().unwrap_or_default();
            if !there.contains(&(table, object.name.clone())) {
                let action = format!("create trigger {}", object.name);
                session.execute(&action, &object.ddl, &object.context).await?;
            }
        }
        self.execute(session, "UNLOCK TABLES").await.map(drop)
    }

    /// The same in a session of its own, after another one was lost.
    async fn bring_back_triggers(&self) -> Result<(), Error> {
        if self.triggers().next().is_none() {
            return Ok(());
        }
        let mut session = self.site.server.sole_session(&self.live.database).await?;
        self.name_triggers(&mut *session).await
    }

    async fn execute(&self, session: &mut dyn Session, statement: &str) -> Result<u64, Error> {
        Ok(session.execute(&self.action, statement, &CharsetContext::default()).await?)
    }
}

/// Is it the same row? By the key; without one only if all of it is the same.
fn same_row(table: &Table, one: &str, other: &str) -> String {
    let by_key = |name: &String| {
        let name = quoted(name);
        format!("{one}.{name} = {other}.{name}")
    };
    let terms: Vec<_> = if table.key.is_empty() {
        table.columns.iter().map(|column| equal(column, one, other)).collect()
    } else {
        table.key.iter().map(by_key).collect()
    };
    terms.join(" AND ")
}

fn orphans(database: &str, number: usize, table: &str, relation: &Relation) -> String {
    let place = |table: &str| format!("{}.{}", quoted(database), quoted(table));
    let (child, parent) = (format!("child{number}"), format!("parent{number}"));
    let pairs = relation.columns.iter().zip(&relation.parent_columns);
    let joined: Vec<_> =
        pairs.map(|(c, p)| format!("{child}.{} = {parent}.{}", quoted(c), quoted(p))).collect();
    let set: Vec<_> =
        relation.columns.iter().map(|c| format!("{child}.{} IS NOT NULL", quoted(c))).collect();
    let first = relation.parent_columns.first().map(|name| quoted(name)).unwrap_or_default();
    format!(
        "SELECT COUNT(*) FROM {} AS {child} LEFT JOIN {} AS {parent} ON {} WHERE {} AND {parent}.{first} IS NULL",
        place(table),
        place(&relation.parent),
        joined.join(" AND "),
        set.join(" AND "),
    )
}

fn more_strays(before: &Strays, after: &Strays) -> Vec<String> {
    let pairs = before.iter().zip(after);
    let more = pairs.filter(|((.., before), (.., after))| after > before);
    more.map(|((table, key, before), (.., after))| {
        format!("{} rows of table {table} would point nowhere (foreign key {key})", after - before)
    })
    .collect()
}

/// After a replacement was cut off: were the rows replaced?
pub(super) async fn is_replaced(site: &Site<'_>) -> Result<bool, Error> {
    let live = journal::last(site).await?.live;
    Replacement::of(site, &live)?.is_done().await
}

/// After a replacement was cut off: the triggers come back, whatever became of the rows.
pub(super) async fn bring_back_triggers(site: &Site<'_>) -> Result<(), Error> {
    let live = journal::last(site).await?.live;
    Replacement::of(site, &live)?.bring_back_triggers().await
}

/// The tenant's rows as they were: from the backup that was made before they were replaced.
pub(super) async fn undo(
    world: &World,
    servers: Servers<'_>,
    rules: &Rules,
    record: &RestoreRecord,
) -> Result<RestoreRecord, Error> {
    require(record, "to undo", "restored", &[Stage::Restored])?;
    let gone = Error::OldTablesGone { restore: record.restore.clone() };
    let safety = record.safety_backup.clone().ok_or(gone)?;
    let wish = Wish { backup: safety.to_string(), accept_orphans: true, ..record.wish.clone() };
    let back = restores::request(world, wish, record.asked_by.clone()).await?;
    let id = &back.restore;
    let done = async {
        let prepared = prepare(world, servers, rules, id, Some(safety)).await?;
        for group in 0..prepared.groups {
            load(world, servers, rules, id, group).await?;
        }
        verify(world, servers, rules, id).await?;
        promote(world, servers, rules, id).await
    };
    if let Err(failure) = Box::pin(done).await {
        Box::pin(discard(world, servers, rules, id, &chain(&failure))).await?;
        return Err(failure);
    }
    restores::update(world, &record.restore, |record| {
        (record.stage, record.live) = (Stage::Undone, Live::Untouched);
        Ok(())
    })
    .await
}
