//! Which object an error is about, and what was found wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use crate::{
    error::FormatError,
    jobs::Error,
    model::{ObjectName, RunId},
    ports::{KeyringError, VaultError},
};

/// What was found wrong: each object and what is wrong with it, once.
#[derive(Default)]
pub(super) struct Findings(BTreeMap<(String, String), Affected>);

#[derive(Default)]
struct Affected {
    /// Backups that can't be restored whole because of it.
    hurt: BTreeSet<RunId>,
    /// Backups whose manifests led to it.
    needed_by: BTreeSet<RunId>,
}

impl Findings {
    /// Adds a problem that hurts these backups.
    pub(super) fn add(
        &mut self,
        object: &impl ToString,
        what: impl Into<String>,
        hurt: impl IntoIterator<Item = RunId>,
    ) {
        let affected = self.0.entry((object.to_string(), what.into())).or_default();
        affected.hurt.extend(hurt);
    }

    /// Adds a problem that hurts none of the backups that led to it.
    pub(super) fn add_harmless(
        &mut self,
        (object, what): (String, String),
        needed_by: impl IntoIterator<Item = RunId>,
    ) {
        self.0.entry((object, what)).or_default().needed_by.extend(needed_by);
    }

    /// Forgets what concerns only backups that are gone, which hurts nobody.
    pub(super) fn forget(&mut self, gone: &BTreeSet<RunId>) {
        self.0.retain(|_, Affected { hurt, needed_by }| {
            let concerned_some = !(hurt.is_empty() && needed_by.is_empty());
            hurt.retain(|backup| !gone.contains(backup));
            needed_by.retain(|backup| !gone.contains(backup));
            !(concerned_some && hurt.is_empty() && needed_by.is_empty())
        });
    }

    /// Keeps problems of the objects that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.0.retain(|(object, _), _| wanted(object));
    }

    /// Is anything wrong with the object?
    pub(super) fn blames(&self, object: &ObjectName) -> bool {
        self.0.keys().any(|(blamed, _)| blamed == object.as_str())
    }

    /// Adds what was found elsewhere.
    pub(super) fn join(&mut self, other: Self) {
        for ((object, what), affected) in other.0 {
            let ours = self.0.entry((object, what)).or_default();
            ours.hurt.extend(affected.hurt);
            ours.needed_by.extend(affected.needed_by);
        }
    }

    /// How many problems there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems, by object.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let problem = |((object, what), affected): (_, Affected)| Problem {
            object,
            what,
            backups: affected.hurt.into_iter().collect(),
        };
        self.0.into_iter().map(problem).collect()
    }
}

/// Which key an object names in clear, if there is none of that name: the key may be lost, or the name damaged.
pub(super) fn lost_key_of(object: &ObjectName, error: &Error) -> Option<String> {
    match error {
        Error::Vault(VaultError::Missing { name, .. }) if name != object => {
            Some(format!("cannot be opened: it names {name}, which is missing"))
        }
        _ => None,
    }
}

/// The object that an error is about, and what is wrong with it; an error about no object is passed on.
pub(in crate::jobs) fn blame(error: Error) -> Result<(ObjectName, String), Error> {
    match error {
        Error::Damaged { name, source } => Ok((name, describe(&source))),
        Error::Vault(VaultError::Missing { name, .. }) => Ok((name, "missing".to_owned())),
        Error::Keyring(
            error @ (KeyringError::DoesNotOpen { .. } | KeyringError::NotForUs { .. }),
        ) => {
            let (KeyringError::DoesNotOpen { key, .. } | KeyringError::NotForUs { key, .. }) =
                &error
            else {
                return Err(error.into());
            };
            Ok((ObjectName::key(key), error.to_string()))
        }
        Error::Erased { ref key, .. } => Ok((ObjectName::key(key), error.to_string())),
        other => Err(other),
    }
}

pub(super) fn describe(error: &FormatError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
