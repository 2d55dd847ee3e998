//! A scratch server in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::{FakeTarget, Injected, lock};
use crate::ports::{Scratch, Target, TargetError, TargetState};

/// A server for throw-away databases; clones share them. A database that nobody has named yet is the one that the
/// test prepared, if it did.
#[derive(Debug, Clone)]
pub struct FakeScratch {
    prefix: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    databases: BTreeMap<String, FakeTarget>,
    prepared: Option<FakeTarget>,
    refuses_to_list: bool,
}

impl FakeScratch {
    /// A server without databases; names are to begin with this.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), state: Arc::default() }
    }

    /// The database that the next new name will stand for.
    pub fn prepare(&self, target: FakeTarget) {
        lock(&self.state).prepared = Some(target);
    }

    /// Puts a database there.
    pub fn put(&self, name: &str, target: FakeTarget) {
        lock(&self.state).databases.insert(name.to_owned(), target);
    }

    /// Does not tell any more which databases there are.
    pub fn refuse_to_list(&self) {
        lock(&self.state).refuses_to_list = true;
    }

    /// Names of the databases that are there.
    pub async fn names(&self) -> Vec<String> {
        let known = lock(&self.state).databases.clone();
        let mut names = Vec::new();
        for (name, target) in known {
            if target.state().await.expect("a fake's state") != TargetState::Absent {
                names.push(name);
            }
        }
        names
    }
}

#[async_trait]
impl Scratch for FakeScratch {
    fn prefix(&self) -> String {
        self.prefix.clone()
    }

    async fn databases(&self) -> Result<Vec<String>, TargetError> {
        if lock(&self.state).refuses_to_list {
            let action = "list databases".to_owned();
            return Err(TargetError::Refused { action, source: Box::new(Injected) });
        }
        Ok(self.names().await)
    }

    fn database(&self, name: &str) -> Arc<dyn Target> {
        let mut state = lock(&self.state);
        if !state.databases.contains_key(name) {
            let target = state.prepared.take().unwrap_or_else(|| FakeTarget::new(name));
            state.databases.insert(name.to_owned(), target);
        }
        Arc::new(state.databases[name].clone())
    }
}
