//! A target in memory, which can fail, and can lose or alter rows without saying so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::{FakeSource, Injected, lock, table};
use crate::{
    model::{CharsetContext, Flavor, Relation, ServerInfo, Table},
    ports::{Loader, Reader, Source, SourceError, Target, TargetError, TargetInfo, TargetState},
    stages::rows::{take_row, take_value},
};

/// What happens to the last row of the next load of a table, while the server says that all went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// It is not stored.
    Lost,
    /// A bit of it flips.
    Altered,
}

/// A database in memory that is restored into; clones share its content.
///
/// It takes statements on trust: it remembers them, and looks into them only for `CREATE TABLE`, to
/// know the tables that get no row, and for what is dropped if it exists.
#[derive(Debug, Clone)]
pub struct FakeTarget {
    source: FakeSource,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    exists: bool,
    info: TargetInfo,
    statements: Vec<String>,
    failing_statement: Option<String>,
    breaking_statement: Option<String>,
    requirements: Vec<(String, String)>,
    drop_fails: bool,
    databases: Vec<(String, String)>,
    failing_load: u64,
    loads: u64,
    row_faults: BTreeMap<String, RowFault>,
    orphans: BTreeMap<String, u64>,
    broken_views: BTreeMap<String, String>,
    definitions: Option<FakeSource>,
    forgotten: Option<String>,
}

impl FakeTarget {
    /// A server without a database of this name.
    pub fn new(database: &str) -> Self {
        let state = State {
            exists: false,
            info: default_info(),
            statements: Vec::new(),
            failing_statement: None,
            breaking_statement: None,
            requirements: Vec::new(),
            drop_fails: false,
            databases: Vec::new(),
            failing_load: 0,
            loads: 0,
            row_faults: BTreeMap::new(),
            orphans: BTreeMap::new(),
            broken_views: BTreeMap::new(),
            definitions: None,
            forgotten: None,
        };
        Self { source: FakeSource::new(database), state: Arc::new(Mutex::new(state)) }
    }

    /// A server that understands the definitions of this source: it shows what it was told to make.
    pub fn like(database: &str, source: &FakeSource) -> Self {
        let target = Self::new(database);
        lock(&target.state).definitions = Some(source.clone());
        target
    }

    /// Says that it made this object or table, and does not show it.
    pub fn forget(&self, name: &str) {
        lock(&self.state).forgotten = Some(name.to_owned());
    }

    /// What it holds, to look at or to change behind the restore's back.
    pub fn content(&self) -> &FakeSource {
        &self.source
    }

    /// The statements it ran, in order.
    pub fn statements(&self) -> Vec<String> {
        lock(&self.state).statements.clone()
    }

    /// Changes what the server says about itself.
    pub fn change_info(&self, change: impl FnOnce(&mut TargetInfo)) {
        change(&mut lock(&self.state).info);
    }

    /// Refuses every statement that holds this text.
    pub fn fail_statement(&self, part: &str) {
        lock(&self.state).failing_statement = Some(part.to_owned());
    }

    /// Loses the connection at every statement that holds this text.
    pub fn break_at_statement(&self, part: &str) {
        lock(&self.state).breaking_statement = Some(part.to_owned());
    }

    /// Refuses statements that hold `part` until one that holds `before` was run.
    pub fn require(&self, part: &str, before: &str) {
        let requirement = (part.to_owned(), before.to_owned());
        lock(&self.state).requirements.push(requirement);
    }

    /// Refuses to drop the database.
    pub fn fail_drop(&self) {
        lock(&self.state).drop_fails = true;
    }

    /// Drops the database again when it is asked to.
    pub fn allow_drop(&self) {
        lock(&self.state).drop_fails = false;
    }

    /// The character sets and collations of the databases that were made, in order.
    pub fn databases(&self) -> Vec<(String, String)> {
        lock(&self.state).databases.clone()
    }

    /// Refuses load number `nth`, counted from 1 over all loaders.
    pub fn fail_load(&self, nth: u64) {
        lock(&self.state).failing_load = nth;
    }

    /// Treats the last row of the table's next load like this, in silence.
    pub fn spoil_row(&self, table: &str, fault: RowFault) {
        lock(&self.state).row_faults.insert(table.to_owned(), fault);
    }

    /// Counts so many orphans of a table, by each of its relations.
    pub fn set_orphans(&self, table: &str, count: u64) {
        lock(&self.state).orphans.insert(table.to_owned(), count);
    }

    /// Makes a view one that can't be selected from.
    pub fn break_view(&self, view: &str, why: &str) {
        lock(&self.state).broken_views.insert(view.to_owned(), why.to_owned());
    }
}

impl State {
    fn lacks_requirement(&self, statement: &str) -> bool {
        let was_run = |part: &String| self.statements.iter().any(|run| run.contains(part));
        self.requirements.iter().any(|(part, before)| statement.contains(part) && !was_run(before))
    }
}

fn default_info() -> TargetInfo {
    let collations = ["binary", "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"];
    TargetInfo {
        server: ServerInfo { flavor: Flavor::MariaDb, version: "10.11.19-MariaDB".to_owned() },
        collations: collations.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>(),
        max_allowed_packet: 64 << 20,
        local_infile: true,
    }
}

fn refused(action: &str) -> TargetError {
    TargetError::Refused { action: action.to_owned(), source: Box::new(Injected) }
}

#[async_trait]
impl Target for FakeTarget {
    async fn info(&self) -> Result<TargetInfo, TargetError> {
        Ok(lock(&self.state).info.clone())
    }

    async fn state(&self) -> Result<TargetState, TargetError> {
        let (exists, held) = (lock(&self.state).exists, self.source.len() as u64);
        Ok(match (exists, held) {
            (false, 0) => TargetState::Absent,
            (true, 0) => TargetState::Empty,
            (_, held) => TargetState::Holds(held),
        })
    }

    async fn create_database(&self, charset: &str, collation: &str) -> Result<(), TargetError> {
        let mut state = lock(&self.state);
        if !state.info.collations.contains(collation) {
            return Err(refused("create a database with an unknown collation"));
        }
        if std::mem::replace(&mut state.exists, true) {
            return Err(refused("create the database again"));
        }
        let database = (charset.to_owned(), collation.to_owned());
        state.databases.push(database);
        Ok(())
    }

    async fn drop_database(&self) -> Result<(), TargetError> {
        let mut state = lock(&self.state);
        if state.drop_fails {
            return Err(refused("drop the database"));
        }
        self.source.clear();
        state.exists = false;
        Ok(())
    }

    async fn execute(
        &self,
        action: &str,
        statement: &str,
        _context: &CharsetContext,
    ) -> Result<(), TargetError> {
        let mut state = lock(&self.state);
        let holds = |part: &Option<String>| part.as_ref().is_some_and(|p| statement.contains(p));
        if holds(&state.breaking_statement) {
            let identity = self.source.identity();
            return Err(TargetError::Source(SourceError::Unreachable {
                identity,
                source: Box::new(Injected),
            }));
        }
        if holds(&state.failing_statement) || state.lacks_requirement(statement) {
            return Err(refused(action));
        }
        state.statements.push(statement.to_owned());
        if let Some((kind, name)) = dropped(statement) {
            self.source.forget(kind, name);
        } else if let Some(definitions) = &state.definitions {
            self.source.define_like(definitions, statement, state.forgotten.as_deref());
        } else if let Some(name) = created_table(statement) {
            self.source.define(Table { ddl: statement.to_owned(), ..table(&name, &[], &[]) });
        }
        Ok(())
    }

    async fn loader(&self) -> Result<Box<dyn Loader>, TargetError> {
        Ok(Box::new(FakeLoader(self.clone())))
    }

    async fn reader(&self) -> Result<Box<dyn Reader>, TargetError> {
        let readers = self.source.snapshot(1).await?.readers;
        readers.into_iter().next().ok_or_else(|| refused("open a reader"))
    }

    async fn orphans(&self, table: &str, _relation: &Relation) -> Result<u64, TargetError> {
        Ok(lock(&self.state).orphans.get(table).copied().unwrap_or(0))
    }

    async fn try_view(&self, view: &str) -> Result<Option<String>, TargetError> {
        Ok(lock(&self.state).broken_views.get(view).cloned())
    }

    fn source(&self) -> &dyn Source {
        &self.source
    }
}

/// The name in ``CREATE TABLE `name` (``.
pub(super) fn created_table(statement: &str) -> Option<String> {
    let mut rest = statement.strip_prefix("CREATE TABLE `")?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        // A backtick within a name is doubled.
        let Some(more) = after.strip_prefix('`') else {
            return Some(name);
        };
        name.push('`');
        rest = more;
    }
}

/// Kind and name in ``DROP TABLE IF EXISTS `name` ``.
fn dropped(statement: &str) -> Option<(&str, &str)> {
    let (kind, name) = statement.strip_prefix("DROP ")?.split_once(" IF EXISTS `")?;
    Some((kind, name.strip_suffix('`')?))
}

struct FakeLoader(FakeTarget);

impl FakeLoader {
    /// Counts a load, and says what happens to its last row.
    fn next_fault(&self, table: &str) -> Result<Option<RowFault>, TargetError> {
        let mut state = lock(&self.0.state);
        state.loads += 1;
        if state.loads == state.failing_load {
            return Err(refused(&format!("load table {table}")));
        }
        Ok(state.row_faults.remove(table))
    }
}

#[async_trait]
impl Loader for FakeLoader {
    async fn load(&mut self, table: &Table, rows: &[u8], count: u64) -> Result<(), TargetError> {
        let fault = self.next_fault(&table.name)?;
        let mut split = split(table, rows);
        if split.len() as u64 != count {
            let (table, stored) = (table.name.clone(), split.len() as u64);
            return Err(TargetError::RowsLost { table, expected: count, stored });
        }
        match (fault, split.last_mut()) {
            (Some(RowFault::Lost), _) => drop(split.pop()),
            (Some(RowFault::Altered), Some(row)) => alter(row, table.columns.len()),
            _ => {}
        }
        let content = self.0.content();
        if lock(&self.0.state).definitions.is_none() {
            content.define(table.clone());
        }
        content.insert(&table.name, split);
        Ok(())
    }
}

fn split(table: &Table, mut rows: &[u8]) -> Vec<Vec<u8>> {
    let mut split = Vec::new();
    while !rows.is_empty() {
        let row = take_row(&mut rows, table.columns.len()).expect("canonical rows");
        split.push(row.to_vec());
    }
    split
}

/// Flips the last bit of the last value that has one.
fn alter(row: &mut [u8], columns: usize) {
    let (mut rest, mut last) = (&*row, None);
    for _ in 0..columns {
        let value = take_value(&mut rest).expect("a canonical row");
        if value.is_some_and(|value| !value.is_empty()) {
            last = Some(row.len() - rest.len() - 1);
        }
    }
    row[last.expect("a value to alter")] ^= 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::ValueKind, testing::row};

    fn notes() -> Table {
        table("notas", &[("id", ValueKind::Number)], &["id"])
    }

    async fn load(target: &FakeTarget) -> Result<(), TargetError> {
        let rows = [row(&[Some("1")]), row(&[Some("2")])].concat();
        target.loader().await?.load(&notes(), &rows, 2).await
    }

    #[tokio::test]
    async fn what_is_loaded_can_be_read_back() {
        let target = FakeTarget::new("copia");
        assert_eq!(target.state().await.unwrap(), TargetState::Absent);
        target.create_database("utf8mb4", "utf8mb4_bin").await.unwrap();
        assert_eq!(target.state().await.unwrap(), TargetState::Empty);
        let context = CharsetContext::default();
        let create = "CREATE TABLE `a``b` (\n `id` int)";
        target.execute("create table", create, &context).await.unwrap();
        load(&target).await.unwrap();
        assert_eq!(target.state().await.unwrap(), TargetState::Holds(2));
        assert_eq!(target.content().tables(), ["a`b", "notas"]);
        assert_eq!(target.content().rows("notas"), [row(&[Some("1")]), row(&[Some("2")])]);
        assert_eq!(target.statements(), [create]);
        let database = ("utf8mb4".to_owned(), "utf8mb4_bin".to_owned());
        assert_eq!(target.databases(), [database]);
        target.drop_database().await.unwrap();
        assert_eq!(target.state().await.unwrap(), TargetState::Absent);
    }

    #[tokio::test]
    async fn it_fails_and_lies_when_told_to() {
        let target = FakeTarget::new("copia");
        target.fail_load(1);
        assert!(load(&target).await.is_err());
        target.spoil_row("notas", RowFault::Lost);
        load(&target).await.unwrap();
        assert_eq!(target.content().rows("notas").len(), 1);
        target.spoil_row("notas", RowFault::Altered);
        load(&target).await.unwrap();
        assert_eq!(target.content().rows("notas")[2], row(&[Some("3")]));
        target.fail_statement("TRIGGER");
        let context = CharsetContext::default();
        assert!(target.execute("create trigger", "CREATE TRIGGER x", &context).await.is_err());
        target.require("VIEW b", "VIEW a");
        for (view, taken) in [("VIEW b", false), ("VIEW a", true), ("VIEW b", true)] {
            let outcome = target.execute("create view", view, &context).await;
            assert_eq!(outcome.is_ok(), taken, "{view}");
        }
        target.break_at_statement("EVENT");
        let lost = target.execute("create event", "EVENT", &context).await;
        assert!(matches!(lost, Err(TargetError::Source(_))));
        let uneven = target.loader().await.unwrap().load(&notes(), &row(&[None]), 2).await;
        assert_eq!(
            uneven.unwrap_err().to_string(),
            "table notas: 2 rows were sent, the server stored 1"
        );
    }
}
