//! A source in memory, whose tables a test fills, changes and breaks.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tokio::sync::mpsc::Sender;

use super::{Injected, lock, target::created_table};
use crate::{
    model::{
        Catalog, Flavor, Position, ServerInfo, SourceIdentity, StoredObject, Table, ValueKind,
    },
    ports::{Consistency, Reader, Snapshot, Source, SourceError},
    stages::{
        definition::Definers,
        rows::{RowBatch, take_value},
    },
};

const SERVER: &str = "memory:3306";

/// A database in memory; clones share its content. A snapshot keeps what it saw.
#[derive(Debug, Clone)]
pub struct FakeSource {
    identity: SourceIdentity,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    database: Database,
    readers: usize,
    /// Tables whose reading fails, each with the number of rows that come before.
    failures: BTreeMap<String, usize>,
    /// Tables whose definition changes while they are read, each with how many times more.
    changes: BTreeMap<String, u32>,
    snapshots: u64,
}

#[derive(Debug, Clone, Default)]
struct Database {
    tables: BTreeMap<String, (Table, Vec<Vec<u8>>)>,
    objects: Vec<StoredObject>,
}

impl FakeSource {
    /// An empty database with this name.
    pub fn new(database: &str) -> Self {
        let state = State {
            database: Database::default(),
            readers: usize::MAX,
            failures: BTreeMap::new(),
            changes: BTreeMap::new(),
            snapshots: 0,
        };
        Self {
            identity: SourceIdentity { server: SERVER.to_owned(), database: database.to_owned() },
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Adds an empty table, or redefines one and keeps its rows.
    pub fn define(&self, table: Table) {
        let mut state = lock(&self.state);
        let rows = state.database.tables.remove(&table.name).map(|(_, rows)| rows);
        let name = table.name.clone();
        state.database.tables.insert(name, (table, rows.unwrap_or_default()));
    }

    /// Takes a table away.
    pub fn drop_table(&self, name: &str) {
        lock(&self.state).database.tables.remove(name).expect("a table to drop");
    }

    /// Adds a view, trigger, routine, event or sequence.
    pub fn define_object(&self, object: StoredObject) {
        lock(&self.state).database.objects.push(object);
    }

    /// Adds rows to a table.
    pub fn insert(&self, table: &str, rows: impl IntoIterator<Item = Vec<u8>>) {
        self.change(table, |kept| kept.extend(rows));
    }

    /// Changes the rows of a table in any way.
    pub fn change(&self, table: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut state = lock(&self.state);
        let (_, rows) = state.database.tables.get_mut(table).expect("a table to change");
        change(rows);
    }

    /// The rows of a table, in the order of its key.
    pub fn rows(&self, table: &str) -> Vec<Vec<u8>> {
        let state = lock(&self.state);
        let (table, rows) = &state.database.tables[table];
        in_key_order(table, rows.clone())
    }

    /// The names of its tables, ordered.
    pub fn tables(&self) -> Vec<String> {
        lock(&self.state).database.tables.keys().cloned().collect()
    }

    /// Hands out no more than this many readers of one snapshot.
    pub fn limit_readers(&self, readers: usize) {
        lock(&self.state).readers = readers;
    }

    /// Breaks the connection after so many rows of a table, every time it is read; `None` mends it.
    pub fn fail_read(&self, table: &str, after_rows: Option<usize>) {
        let failures = &mut lock(&self.state).failures;
        match after_rows {
            Some(rows) => failures.insert(table.to_owned(), rows),
            None => failures.remove(table),
        };
    }

    /// Changes a table's definition in the middle of its next so many readings.
    pub fn redefine_during_read(&self, table: &str, times: u32) {
        lock(&self.state).changes.insert(table.to_owned(), times);
    }

    /// How many snapshots were taken.
    pub fn snapshots(&self) -> u64 {
        lock(&self.state).snapshots
    }

    /// Drops a table, or an object of this kind, if it is there.
    pub(super) fn forget(&self, kind: &str, name: &str) {
        let database = &mut lock(&self.state).database;
        if kind == "TABLE" {
            database.tables.remove(name);
        }
        database.objects.retain(|object| object.kind.keyword() != kind || object.name != name);
    }

    /// Drops all tables and objects.
    pub(super) fn clear(&self) {
        lock(&self.state).database = Database::default();
    }

    /// Defines the table or object of `other` that this statement makes.
    pub(super) fn define_like(&self, other: &Self, statement: &str, forgotten: Option<&str>) {
        let catalog = other.catalog_of(&lock(&other.state).database);
        let table = created_table(statement);
        let known = catalog.tables.into_iter().find(|known| Some(&known.name) == table.as_ref());
        if let Some(table) = known {
            self.define(table);
        }
        let of = |object: &StoredObject| {
            Definers::Strip.apply(&object.ddl, object.definer.as_deref()) == statement
        };
        let known =
            catalog.objects.into_iter().find(|object| of(object) || object.ddl == statement);
        if let Some(object) = known.filter(|object| Some(object.name.as_str()) != forgotten) {
            self.define_object(object);
        }
    }

    /// How many tables and objects there are.
    pub(super) fn len(&self) -> usize {
        let state = lock(&self.state);
        state.database.tables.len() + state.database.objects.len()
    }

    fn catalog_of(&self, database: &Database) -> Catalog {
        Catalog {
            server: ServerInfo { flavor: Flavor::MariaDb, version: "10.11.19-MariaDB".to_owned() },
            database: self.identity.database.clone(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            tables: database.tables.values().map(|(table, _)| table.clone()).collect(),
            objects: database.objects.clone(),
            warnings: Vec::new(),
        }
    }
}

#[async_trait]
impl Source for FakeSource {
    fn identity(&self) -> SourceIdentity {
        self.identity.clone()
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn catalog(&self) -> Result<Catalog, SourceError> {
        Ok(self.catalog_of(&lock(&self.state).database))
    }

    /// Nothing is held still here.
    async fn catalog_since(&self, _snapshot: &Catalog) -> Result<Catalog, SourceError> {
        self.catalog().await
    }

    async fn snapshot(&self, readers: usize) -> Result<Snapshot, SourceError> {
        let mut state = lock(&self.state);
        state.snapshots += 1;
        let seen = Arc::new(state.database.clone());
        let reader = || -> Box<dyn Reader> {
            Box::new(FakeReader { source: self.clone(), seen: Arc::clone(&seen) })
        };
        let readers = readers.min(state.readers).max(1);
        Ok(Snapshot {
            catalog: self.catalog_of(&seen),
            position: Position {
                gtid: Some(format!("0-1-{}", state.snapshots)),
                ..Position::default()
            },
            consistency: if readers == 1 {
                Consistency::SingleTransaction
            } else {
                Consistency::LockedStart
            },
            readers: (0..readers).map(|_| reader()).collect(),
        })
    }
}

struct FakeReader {
    source: FakeSource,
    seen: Arc<Database>,
}

impl FakeReader {
    fn seen(&self, table: &str) -> Result<&(Table, Vec<Vec<u8>>), SourceError> {
        let unknown = || SourceError::Refused {
            action: format!("read table {table}"),
            source: "no such table".into(),
        };
        self.seen.tables.get(table).ok_or_else(unknown)
    }

    /// After how many rows the connection breaks.
    fn failure(&self, table: &str) -> Option<usize> {
        lock(&self.source.state).failures.get(table).copied()
    }

    /// Changes the definition if it is time to.
    fn redefine(&self, table: &str) {
        let state = &mut *lock(&self.source.state);
        let left = state.changes.get_mut(table).filter(|left| **left > 0);
        if let (Some(left), Some((live, _))) = (left, state.database.tables.get_mut(table)) {
            *left -= 1;
            live.ddl.push_str(" COMMENT='altered'");
        }
    }

    fn check_definition(&self, table: &str) -> Result<(), SourceError> {
        let (seen, _) = self.seen(table)?;
        let state = lock(&self.source.state);
        let live = state.database.tables.get(table);
        if live.is_some_and(|(live, _)| live.ddl == seen.ddl) {
            Ok(())
        } else {
            Err(SourceError::DefinitionChanged { what: format!("table {table}") })
        }
    }
}

#[async_trait]
impl Reader for FakeReader {
    async fn read(&mut self, table: &Table, sender: Sender<RowBatch>) -> Result<(), SourceError> {
        self.check_definition(&table.name)?;
        let (seen, rows) = self.seen(&table.name)?.clone();
        let failure = self.failure(&table.name);
        let mut batch = RowBatch::new();
        for (number, row) in in_key_order(&seen, rows).into_iter().enumerate() {
            if failure == Some(number) {
                break;
            }
            batch.push(|bytes| bytes.extend_from_slice(&row));
            if batch.is_full() && sender.send(std::mem::take(&mut batch)).await.is_err() {
                return Ok(());
            }
        }
        if !batch.is_empty() && sender.send(batch).await.is_err() {
            return Ok(());
        }
        if failure.is_some() {
            let identity = self.source.identity();
            return Err(SourceError::Unreachable { identity, source: Box::new(Injected) });
        }
        self.redefine(&table.name);
        self.check_definition(&table.name)
    }
}

/// Numbers by value, all else by bytes, NULL first; rows without a key stay as they are.
fn in_key_order(table: &Table, mut rows: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let places = table.key_places();
    rows.sort_by(|one, other| {
        let of_place = |&place: &usize| {
            let is_number = table.columns[place].kind == ValueKind::Number;
            compare(value_at(one, place), value_at(other, place), is_number)
        };
        places.iter().map(of_place).fold(Ordering::Equal, Ordering::then)
    });
    rows
}

fn value_at(mut row: &[u8], place: usize) -> Option<&[u8]> {
    for _ in 0..place {
        take_value(&mut row).expect("a canonical row");
    }
    take_value(&mut row).expect("a canonical row")
}

fn compare(one: Option<&[u8]>, other: Option<&[u8]>, is_number: bool) -> Ordering {
    let number =
        |digits: Option<&[u8]>| -> Option<i128> { str::from_utf8(digits?).ok()?.parse().ok() };
    if is_number { number(one).cmp(&number(other)) } else { one.cmp(&other) }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::testing::{row, table};

    fn source() -> FakeSource {
        let source = FakeSource::new("clinica");
        source.define(table(
            "notas",
            &[("id", ValueKind::Number), ("texto", ValueKind::Text)],
            &["id"],
        ));
        source.insert("notas", ["10", "9", "-1"].map(|id| row(&[Some(id), None])));
        source
    }

    async fn read_first(
        source: &FakeSource,
        snapshot: &mut Snapshot,
    ) -> (Vec<Vec<u8>>, Result<(), SourceError>) {
        let (sender, mut receiver) = mpsc::channel(16);
        let table = source.catalog().await.unwrap().tables[0].clone();
        let outcome = snapshot.readers[0].read(&table, sender).await;
        let mut rows = Vec::new();
        while let Some(batch) = receiver.recv().await {
            rows.extend(batch.rows().map(<[u8]>::to_vec));
        }
        (rows, outcome)
    }

    #[tokio::test]
    async fn a_snapshot_keeps_what_it_saw_in_the_order_of_the_key() {
        let source = source();
        let mut snapshot = source.snapshot(3).await.unwrap();
        assert_eq!(snapshot.readers.len(), 3);
        source.change("notas", Vec::clear);
        let (rows, outcome) = read_first(&source, &mut snapshot).await;
        outcome.unwrap();
        assert_eq!(rows, ["-1", "9", "10"].map(|id| row(&[Some(id), None])));
        source.limit_readers(1);
        assert_eq!(source.snapshot(3).await.unwrap().readers.len(), 1);
    }

    #[tokio::test]
    async fn a_read_breaks_in_the_middle_when_told_to() {
        let source = source();
        let mut snapshot = source.snapshot(1).await.unwrap();
        source.fail_read("notas", Some(2));
        let (rows, outcome) = read_first(&source, &mut snapshot).await;
        assert_eq!(rows.len(), 2);
        assert!(matches!(outcome, Err(SourceError::Unreachable { .. })));
        source.fail_read("notas", None);
        read_first(&source, &mut snapshot).await.1.unwrap();
    }

    #[tokio::test]
    async fn a_definition_changes_during_so_many_reads() {
        let source = source();
        source.redefine_during_read("notas", 1);
        let mut snapshot = source.snapshot(1).await.unwrap();
        for _ in 0..2 {
            let (_, outcome) = read_first(&source, &mut snapshot).await;
            let message = outcome.unwrap_err().to_string();
            assert_eq!(message, "table notas changed while the backup ran");
        }
        let mut again = source.snapshot(1).await.unwrap();
        read_first(&source, &mut again).await.1.unwrap();
    }
}
