//! Sessions that see the database at one moment.
//!
//! One transaction sees one moment, always. Several do only if it can be proved, in one of these ways:
//! - they began while a helper held `LOCK TABLES ... READ` on every table;
//! - they read as of the same timestamp (TiDB).
//!
//! Where none of these works there is one reader.
//!
//! A snapshot is of rows only, not of definitions: those are held still from before it begins until it ends.

use std::{collections::HashSet, sync::Arc};

use futures::future::try_join_all;
use gorgen_engine::{
    model::{Catalog, Flavor, Position},
    ports::{Consistency, Reader, Snapshot, SourceError},
};

use super::{
    catalog,
    connect::{LOCK_WAIT, Session},
    names::{ident, literal, qualified},
    reader::MySqlReader,
};
use crate::settings::DatabaseUrl;

/// How long writers may be held up by a lock that waits for a long transaction, in seconds.
const WRITERS_WAIT: u32 = 3;

/// How long a change of definitions that is under way may take, in seconds.
const CHANGE_WAIT: u32 = 60;

/// How long readers wait for a change that waits for them in turn, which the server does not see, in seconds.
const CIRCLE_WAIT: u32 = 1;

/// Tables that one statement opens: a database of thousands of small ones should not cost as many round trips.
const OPENED_AT_ONCE: usize = 50;

const START: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Reads the catalog, then begins a snapshot with up to `wanted` readers. No table's definition changes from before
/// the catalog is read until the last reader is gone.
pub(super) async fn begin(url: &DatabaseUrl, wanted: usize) -> Result<Snapshot, SourceError> {
    let mut holder = Session::open(url).await?;
    let (catalog, names) = held_catalog(&mut holder).await?;
    let mut sessions = vec![Session::open(url).await?];
    // Readers without a table to read would only stand around.
    while sessions.len() < wanted.min(catalog.tables.len()) {
        let Ok(session) = Session::open(url).await else { break };
        sessions.push(session);
    }
    let moment = if let Some(moment) = prove(url, &mut sessions, &catalog).await? {
        moment
    } else {
        sessions.truncate(1);
        single(&mut sessions[0]).await?
    };
    let tables: Vec<_> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
    try_join_all(sessions.iter_mut().map(|session| hold(session, &tables, CIRCLE_WAIT))).await?;
    refuse_newcomers(&mut holder, &names).await?;
    holder.close().await;

    let guard = Arc::new(moment.guard);
    let readers = sessions.into_iter().map(|session| MySqlReader::new(session, Arc::clone(&guard)));
    let readers = try_join_all(readers).await?;
    let readers = readers.into_iter().map(|reader| Box::new(reader) as Box<dyn Reader>).collect();
    Ok(Snapshot { catalog, position: moment.position, consistency: moment.consistency, readers })
}

/// The catalog, whose tables can't be changed from now on until this session's transaction ends, and the names of all
/// tables and views there were just before it was read.
async fn held_catalog(session: &mut Session) -> Result<(Catalog, HashSet<String>), SourceError> {
    // The catalog is to be what it is now, whenever the transaction began.
    session
        .run("choose an isolation", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    let names = catalog::table_names(session).await?;
    session.run("hold definitions", "START TRANSACTION READ ONLY").await?;
    hold(session, &names, CHANGE_WAIT).await?;
    let all_names = all_names(session).await?;
    let catalog = catalog::read(session).await?;
    let held: HashSet<_> = names.into_iter().collect();
    match catalog.tables.iter().find(|table| !held.contains(&table.name)) {
        Some(new) => Err(SourceError::DefinitionChanged { what: format!("table {}", new.name) }),
        None => Ok((catalog, all_names)),
    }
}

/// Refuses if a table came before the snapshot began and after the catalog was read: its rows may be part of the moment,
/// and nobody would read them.
async fn refuse_newcomers(
    session: &mut Session,
    known: &HashSet<String>,
) -> Result<(), SourceError> {
    match all_names(session).await?.into_iter().find(|name| !known.contains(name)) {
        Some(new) => Err(SourceError::DefinitionChanged { what: format!("table {new}") }),
        None => Ok(()),
    }
}

/// Names of tables and views. Only names: to know more, a server opens the tables, and waits behind changes that wait for us.
async fn all_names(session: &mut Session) -> Result<HashSet<String>, SourceError> {
    let query = format!("SHOW TABLES FROM {}", ident(&session.identity().database));
    let rows = session.answers("list tables", &query).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect())
}

/// Do definitions of tables stand still in a snapshot? TiDB reads them as of its timestamp, whatever they are by now.
pub(super) fn holds_tables(flavor: Flavor) -> bool {
    match flavor {
        Flavor::MySql | Flavor::MariaDb => true,
        Flavor::TiDb => false,
    }
}

/// Opens each table, so that its definition stands still until this session's transaction ends.
async fn hold(
    session: &mut Session,
    tables: &[impl AsRef<str>],
    wait: u32,
) -> Result<(), SourceError> {
    if !holds_tables(session.flavor()) {
        return Ok(());
    }
    session.wait_for_locks(wait).await?;
    let database = session.identity().database.clone();
    let opening = |table: &str| format!("(SELECT 1 FROM {} LIMIT 0)", qualified(&database, table));
    for some in tables.chunks(OPENED_AT_ONCE) {
        let each: Vec<_> = some.iter().map(|table| opening(table.as_ref())).collect();
        match session.ask(&each.join(" UNION ALL ")).await {
            Ok(_) => continue,
            // It has waited long enough, for whichever it was.
            Err(error) if error.is_conflict() => {
                return Err(error.source(session.identity(), "hold definitions", "a table"));
            }
            Err(_) => {}
        }
        // Which of them was refused, and why, only its own statement tells.
        for table in some {
            let table = table.as_ref();
            session.answers_about(&format!("table {table}"), &opening(table)).await?;
        }
    }
    session.wait_for_locks(LOCK_WAIT).await
}

/// The moment at which all sessions stand.
struct Moment {
    consistency: Consistency,
    position: Position,
    /// A session that must stay open as long as the snapshot is read.
    guard: Option<Session>,
}

impl Moment {
    fn at(consistency: Consistency, position: Position) -> Self {
        Self { consistency, position, guard: None }
    }
}

async fn prove(
    url: &DatabaseUrl,
    sessions: &mut [Session],
    catalog: &Catalog,
) -> Result<Option<Moment>, SourceError> {
    if sessions.len() == 1 {
        return Ok(None);
    }
    if catalog.server.flavor == Flavor::TiDb {
        return same_timestamp(url, sessions).await;
    }
    locked_start(url, sessions, catalog).await
}

async fn single(session: &mut Session) -> Result<Moment, SourceError> {
    start(session).await?;
    let position = match binlog_snapshot(session).await? {
        Some(binlog) => told_position(session, binlog).await?,
        None => Position::default(),
    };
    Ok(Moment::at(Consistency::SingleTransaction, position))
}

async fn start(session: &mut Session) -> Result<(), SourceError> {
    let statement = match session.flavor() {
        Flavor::TiDb => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        Flavor::MySql | Flavor::MariaDb => START,
    };
    session.run("begin a snapshot", statement).await
}

/// Where this session's snapshot stands in the binary log, on servers that tell. What they tell is near, but sessions
/// at one place were seen to show different moments: it proves nothing.
pub(super) async fn binlog_snapshot(
    session: &mut Session,
) -> Result<Option<(String, u64)>, SourceError> {
    let rows = session.answers_if_allowed("SHOW STATUS LIKE 'binlog_snapshot_%'").await?;
    let value = |name: &str| {
        let row =
            rows.iter().find(|row| row.get(0).is_some_and(|text| text.eq_ignore_ascii_case(name)));
        row.map(|row| row.text(1)).filter(|text| !text.is_empty())
    };
    let position = value("binlog_snapshot_position").and_then(|text| text.parse().ok());
    Ok(value("binlog_snapshot_file").zip(position))
}

/// File, position, and the databases that the log is limited to; nothing if the account may not see it.
async fn log_status(session: &mut Session) -> Result<Option<super::connect::Answer>, SourceError> {
    for statement in ["SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"] {
        if let Some(row) = session.answers_if_allowed(statement).await?.into_iter().next() {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

async fn told_position(
    session: &mut Session,
    binlog: (String, u64),
) -> Result<Position, SourceError> {
    let (file, offset) = binlog;
    let gtid = match session.flavor() {
        Flavor::MariaDb => {
            let query = format!("SELECT BINLOG_GTID_POS({}, {offset})", literal(&file));
            first_text(session, &query).await?
        }
        Flavor::MySql | Flavor::TiDb => None,
    };
    Ok(Position { gtid, binlog: Some(format!("{file}:{offset}")), tso: None })
}

async fn first_text(session: &mut Session, query: &str) -> Result<Option<String>, SourceError> {
    let rows = session.answers_if_allowed(query).await?;
    Ok(rows.first().map(|row| row.text(0)).filter(|text| !text.is_empty()))
}

/// Lets all sessions begin while no table can be written. Gives up rather than hold up the application.
async fn locked_start(
    url: &DatabaseUrl,
    sessions: &mut [Session],
    catalog: &Catalog,
) -> Result<Option<Moment>, SourceError> {
    let Ok(mut helper) = Session::open(url).await else { return Ok(None) };
    let database = &helper.identity().database;
    let tables: Vec<_> = catalog
        .tables
        .iter()
        .map(|table| format!("{} READ", qualified(database, &table.name)))
        .collect();
    helper.wait_for_locks(WRITERS_WAIT).await?;
    if !helper.try_run(&format!("LOCK TABLES {}", tables.join(", "))).await? {
        return Ok(None);
    }
    try_join_all(sessions.iter_mut().map(start)).await?;
    let position = position_under_lock(&mut helper).await?;
    helper.run("unlock the tables", "UNLOCK TABLES").await?;
    helper.close().await;
    Ok(Some(Moment::at(Consistency::LockedStart, position)))
}

/// Writes to other databases may be in it or not; those to this one are.
async fn position_under_lock(helper: &mut Session) -> Result<Position, SourceError> {
    let log = log_status(helper).await?;
    let gtid = match helper.flavor() {
        Flavor::MySql => "SELECT @@GLOBAL.gtid_executed",
        Flavor::MariaDb | Flavor::TiDb => "SELECT @@GLOBAL.gtid_binlog_pos",
    };
    Ok(Position {
        gtid: first_text(helper, gtid).await?.map(|gtid| gtid.replace('\n', "")),
        binlog: log.map(|row| format!("{}:{}", row.text(0), row.number(1))),
        tso: None,
    })
}

/// TiDB: the timestamp of a transaction, which also holds garbage collection back as long as it is open.
async fn same_timestamp(
    url: &DatabaseUrl,
    sessions: &mut [Session],
) -> Result<Option<Moment>, SourceError> {
    let mut guard = Session::open(url).await?;
    start(&mut guard).await?;
    let Some(tso) = first_text(&mut guard, "SELECT @@tidb_current_ts").await? else {
        return Ok(None);
    };
    let Ok(number) = tso.parse() else { return Ok(None) };
    let statement = format!("SET SESSION tidb_snapshot = {}", literal(&tso));
    for session in &mut *sessions {
        if !session.try_run(&statement).await? {
            return Ok(None);
        }
    }
    let position = Position { tso: Some(number), ..Position::default() };
    Ok(Some(Moment { consistency: Consistency::SameTimestamp, position, guard: Some(guard) }))
}
