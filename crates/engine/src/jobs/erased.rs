//! Rows that can't be read again because their keys were erased: whoever reads a backup leaves them out, and says so.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{Error, KeyChest};
use crate::{
    model::{KeyId, Scope},
    records::manifest::{Group, TablePart},
};

const PARALLEL_KEYS: usize = 8;

/// The rows of one tenant that were left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    /// Whose.
    pub(super) scope: Scope,
    /// When the last of their keys was erased.
    pub(super) at: Timestamp,
    /// How many there were.
    pub(super) rows: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// The tables they were in.
    pub(super) tables: BTreeSet<String>,
}

impl Gone {
    /// For the report of a job that read the rest.
    pub(super) fn sentence(&self) -> String {
        let Self { scope, at, rows, tables, .. } = self;
        let tables = tables.len();
        format!(
            "{rows} rows of {} in {tables} tables were left out: their keys were erased at {at}",
            scope.named()
        )
    }
}

/// Takes the rows out of these parts whose keys were erased. Of rows of one tenant and table all are gone if one of their keys is.
///
/// # Errors
/// If a key of the others does not open.
pub(super) async fn leave_out(
    keys: &KeyChest,
    parts: &mut [TablePart],
) -> Result<Vec<Gone>, Error> {
    let erased = erased_among(keys, parts).await?;
    let mut gone = BTreeMap::<Scope, Gone>::new();
    for part in parts.iter_mut().filter(|_| !erased.is_empty()) {
        let (left, left_out): (Vec<Group>, Vec<Group>) = std::mem::take(&mut part.groups)
            .into_iter()
            .partition(|group| !keys_of(part, group).any(|key| erased.contains_key(key)));
        for group in left_out {
            let at = keys_of(part, &group).filter_map(|key| erased.get(key)).max().copied();
            let of_scope = gone.entry(group.scope.clone()).or_insert_with(|| Gone {
                scope: group.scope.clone(),
                at: at.unwrap_or_default(),
                rows: 0,
                bytes: 0,
                tables: BTreeSet::new(),
            });
            of_scope.at = of_scope.at.max(at.unwrap_or_default());
            of_scope.rows += group.digest.rows;
            of_scope.bytes += group.digest.bytes;
            of_scope.tables.insert(part.table.clone());
        }
        part.groups = left;
    }
    Ok(gone.into_values().collect())
}

fn keys_of<'a>(part: &'a TablePart, group: &'a Group) -> impl Iterator<Item = &'a KeyId> {
    group.chunks.iter().filter_map(|chunk| part.key_of(chunk))
}

/// Which of the keys that these parts need were erased, and when.
async fn erased_among(
    keys: &KeyChest,
    parts: &[TablePart],
) -> Result<BTreeMap<KeyId, Timestamp>, Error> {
    let needed: BTreeSet<KeyId> = parts
        .iter()
        .flat_map(|part| part.groups.iter().flat_map(|group| keys_of(part, group)))
        .filter(|key| *key.scope() != Scope::Shared)
        .cloned()
        .collect();
    let looks = needed.into_iter().map(async |id| match keys.sealing(&id).await {
        Ok(_) => Ok(None),
        Err(Error::Erased { key, at }) => Ok(Some((key, at))),
        Err(error) => Err(error),
    });
    let looks = stream::iter(looks).buffer_unordered(PARALLEL_KEYS);
    let found: Vec<_> = looks.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}
