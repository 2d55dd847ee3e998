//! A change of places, taken to its end or back to its beginning from wherever it was cut off.
//!
//! Where it stands is asked of the database, never remembered: every step does only what is not done yet.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    jobs::Error,
    model::{CharsetContext, StoredObject},
    policy::swap::rename,
    ports::{Contents, Server, Session, TargetError},
    records::journal::{Incoming, NewKey, Swap},
    stages::{
        definition::{constraint_as, quoted},
        trigger,
    },
};

/// Others may use the tables for a while; between two attempts all who waited behind us get their turn.
const ATTEMPTS: u32 = 12;
const PAUSE: Duration = Duration::from_secs(1);

/// Have the tables changed places?
pub(super) async fn is_done(server: &dyn Server, swap: &Swap) -> Result<bool, Error> {
    let live = server.contents(&swap.live).await?.tables;
    let from = server.contents(&swap.from).await?.tables;
    let to = server.contents(&swap.to).await?.tables;
    Ok(swap.is_done(&live, &from, &to))
}

/// Waits until no statement of an earlier step is at work on the server any more, whose connection was lost: it may
/// still change what is asked for here.
pub(super) async fn wait_for_lost(server: &dyn Server) -> Result<(), Error> {
    server.sole_session(&server.live().database).await?;
    Ok(())
}

/// Takes the change of places to its end.
///
/// # Errors
/// Before the tables changed places all are where they were, but for what waits under hidden names.
pub(super) async fn advance(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    if !is_done(server, swap).await? {
        enter(server, swap).await?;
        let statement = swap.statement();
        execute(server, &swap.live, "put the tables in their places", &statement).await?;
    }
    leave(server, swap).await?;
    take_names(server, swap).await?;
    lead_children(server, swap).await
}

/// Takes back what was done before the tables changed places. They must not have.
pub(super) async fn retreat(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    let live = server.contents(&swap.live).await?;
    let hidden: Vec<_> = hidden(swap).filter(|(_, name)| live.tables.contains(*name)).collect();
    for (new, name) in &hidden {
        for new in &new.triggers {
            if live.triggers.contains(&((*name).clone(), new.hidden.clone())) {
                drop_trigger(server, &swap.live, &new.hidden).await?;
            }
        }
    }
    if hidden.is_empty() {
        return Ok(());
    }
    let moves = hidden.iter().map(|(new, name)| ((&swap.live, *name), (&swap.from, &new.table)));
    execute(server, &swap.live, "move tables back", &rename(moves)).await
}

/// Brings what has triggers into the live database, under hidden names.
async fn enter(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    let from = server.contents(&swap.from).await?;
    for new in &swap.incoming {
        let is_due =
            |key: &&NewKey| from.foreign_keys.contains(&(key.table.clone(), key.name.clone()));
        let due: Vec<_> = new.keys.iter().filter(is_due).collect();
        if due.is_empty() {
            continue;
        }
        let clauses = due.iter().flat_map(|key| {
            [drop_key(&key.name), add_key(&key.clause_outside, &key.name, &key.hidden)]
        });
        alter(server, &swap.from, &new.table, clauses).await?;
    }
    let outside: Vec<_> =
        hidden(swap).filter(|(new, _)| from.tables.contains(&new.table)).collect();
    if !outside.is_empty() {
        let moves =
            outside.iter().map(|(new, name)| ((&swap.from, &new.table), (&swap.live, *name)));
        execute(server, &swap.live, "bring tables in under hidden names", &rename(moves)).await?;
    }
    let live = server.contents(&swap.live).await?;
    for (new, name) in hidden(swap) {
        for new in &new.triggers {
            if !live.triggers.contains(&(name.clone(), new.hidden.clone())) {
                let session = server.sole_session(&swap.live).await?;
                let ddl = trigger::named(&new.object.ddl, &new.hidden, name);
                create_trigger(session, &new.object, &ddl).await?;
            }
        }
    }
    Ok(())
}

/// Takes old tables that had triggers out of the live database.
async fn leave(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    let live = server.contents(&swap.live).await?;
    let mut moves = Vec::new();
    for old in &swap.outgoing {
        let Some(hidden) = old.hidden.as_ref().filter(|name| live.tables.contains(*name)) else {
            continue;
        };
        for (_, name) in live.triggers.iter().filter(|(table, _)| table == hidden) {
            drop_trigger(server, &swap.live, name).await?;
        }
        moves.push(((&swap.live, hidden), (&swap.to, &old.table)));
    }
    if moves.is_empty() {
        return Ok(());
    }
    execute(server, &swap.live, "move the old tables away", &rename(moves)).await
}

/// Gives foreign keys and triggers their names, which are free now.
async fn take_names(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    let live = server.contents(&swap.live).await?;
    for new in &swap.incoming {
        rename_keys(server, &swap.live, &live, &new.keys).await?;
        name_triggers(server, &swap.live, &live, new).await?;
    }
    Ok(())
}

async fn rename_keys(
    server: &dyn Server,
    database: &str,
    live: &Contents,
    keys: &[NewKey],
) -> Result<(), Error> {
    let is_due =
        |key: &&NewKey| live.foreign_keys.contains(&(key.table.clone(), key.hidden.clone()));
    let due: Vec<_> = keys.iter().filter(is_due).collect();
    let Some(first) = due.first() else { return Ok(()) };
    let clauses = due.iter().flat_map(|key| [drop_key(&key.hidden), format!("ADD {}", key.clause)]);
    alter(server, database, &first.table, clauses).await
}

/// No writer gets to the table in between: it never lacks a trigger, nor has one twice.
async fn name_triggers(
    server: &dyn Server,
    database: &str,
    live: &Contents,
    new: &Incoming,
) -> Result<(), Error> {
    let has = |name: &String| live.triggers.contains(&(new.table.clone(), name.clone()));
    if new.triggers.iter().all(|new| has(&new.object.name) && !has(&new.hidden)) {
        return Ok(());
    }
    let mut session = server.sole_session(database).await?;
    let lock = format!("LOCK TABLES {} WRITE", quoted(&new.table));
    let action = format!("give the triggers of table {} their names", new.table);
    let plain = CharsetContext::default();
    retrying(async || session.execute(&action, &lock, &plain).await).await?;
    for due in new.triggers.iter().filter(|due| !has(&due.object.name)) {
        session.execute(&action, &due.object.ddl, &due.object.context).await?;
    }
    for due in new.triggers.iter().filter(|due| has(&due.hidden)) {
        let drop = format!("DROP TRIGGER IF EXISTS {}", quoted(&due.hidden));
        session.execute(&action, &drop, &plain).await?;
    }
    session.execute(&action, "UNLOCK TABLES", &plain).await?;
    Ok(())
}

/// Foreign keys of tables that stayed followed the old tables: leads them to the new ones.
async fn lead_children(server: &dyn Server, swap: &Swap) -> Result<(), Error> {
    for child in &swap.children {
        let astray = server.references(&swap.to).await?.into_iter().any(|reference| {
            reference.database == swap.live
                && reference.table == child.table
                && reference.relation.name == child.name
        });
        if astray {
            let clauses =
                [drop_key(&child.name), add_key(&child.clause, &child.name, &child.hidden)];
            alter(server, &swap.live, &child.table, clauses.into_iter()).await?;
        }
        let live = server.contents(&swap.live).await?;
        rename_keys(server, &swap.live, &live, std::slice::from_ref(child)).await?;
    }
    Ok(())
}

fn hidden(swap: &Swap) -> impl Iterator<Item = (&Incoming, &String)> {
    swap.incoming.iter().filter_map(|new| Some((new, new.hidden.as_ref()?)))
}

fn drop_key(name: &str) -> String {
    format!("DROP FOREIGN KEY {}", quoted(name))
}

fn add_key(clause: &str, name: &str, other: &str) -> String {
    format!("ADD {}", constraint_as(clause, name, other))
}

async fn alter(
    server: &dyn Server,
    database: &str,
    table: &str,
    clauses: impl Iterator<Item = String>,
) -> Result<(), Error> {
    let clauses: Vec<_> = clauses.collect();
    let statement = format!("ALTER TABLE {} {}", quoted(table), clauses.join(", "));
    let action = format!("make the foreign keys of table {table} anew");
    execute(server, database, &action, &statement).await
}

async fn drop_trigger(server: &dyn Server, database: &str, name: &str) -> Result<(), Error> {
    let statement = format!("DROP TRIGGER IF EXISTS {}.{}", quoted(database), quoted(name));
    execute(server, database, &format!("drop trigger {name}"), &statement).await
}

/// Runs the definition of a trigger, under the settings that it was made under.
pub(super) async fn create_trigger(
    mut session: Box<dyn Session>,
    object: &StoredObject,
    ddl: &str,
) -> Result<(), Error> {
    let action = format!("create trigger {}", object.name);
    retrying(async || session.execute(&action, ddl, &object.context).await).await.map(drop)
}

pub(super) async fn execute(
    server: &dyn Server,
    database: &str,
    action: &str,
    statement: &str,
) -> Result<(), Error> {
    let mut session = server.sole_session(database).await?;
    let context = CharsetContext::default();
    retrying(async || session.execute(action, statement, &context).await).await.map(drop)
}

/// Tries again while others use the tables: a statement that waits makes everybody wait.
pub(super) async fn retrying<T>(
    mut statement: impl AsyncFnMut() -> Result<T, TargetError>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        match statement().await {
            Err(TargetError::Busy { .. }) if attempt < ATTEMPTS => {
                sleep(PAUSE).await;
                attempt += 1;
            }
            other => return Ok(other?),
        }
    }
}
