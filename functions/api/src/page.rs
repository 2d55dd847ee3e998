//! Lists are given a page at a time, the newest first.

use std::collections::BTreeMap;

use gorgen_engine::model::RunId;

use crate::answer::Answer;

/// Parameters of a request, by name.
pub(crate) type Query = BTreeMap<String, String>;

/// Items on a page, unless the caller says how many.
const USUAL: usize = 50;
const MOST: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    limit: usize,
    before: Option<RunId>,
}

impl Page {
    /// Reads `limit` and `before`; any other parameter is refused, as it would be passed over.
    pub(crate) fn of(query: &Query) -> Result<Self, Answer> {
        let refused = |detail: String| Answer::problem(400, "Bad Request", detail);
        let mut page = Self { limit: USUAL, before: None };
        for (name, value) in query {
            match name.as_str() {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    page.limit = limit.ok_or_else(|| {
                        refused(format!("limit: expected a number from 1 to {MOST}, got {value:?}"))
                    })?;
                }
                "before" => {
                    let before = value.parse();
                    page.before =
                        Some(before.map_err(|error| refused(format!("before: {error}")))?);
                }
                _ => {
                    let detail = format!("unknown parameter {name:?} (there are limit, before)");
                    return Err(refused(detail));
                }
            }
        }
        Ok(page)
    }

    /// The ids of this page, the newest first, and whether there are older ones.
    pub(crate) fn choose(&self, oldest_first: Vec<RunId>) -> (Vec<RunId>, bool) {
        let is_older = |id: &RunId| self.before.as_ref().is_none_or(|before| id < before);
        let mut rest = oldest_first.into_iter().rev().filter(is_older);
        let chosen: Vec<_> = rest.by_ref().take(self.limit).collect();
        (chosen, rest.next().is_some())
    }
}
