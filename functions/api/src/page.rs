//! Lists are given a page at a time, the newest first; and no parameter is passed over.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use gorgen_engine::model::RunId;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{api::Shared, problem::Problem};

/// Items on a page, unless the caller says how many.
const USUAL: usize = 50;
pub(crate) const MOST: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    limit: usize,
    before: Option<RunId>,
}

impl Page {
    /// The ids of this page, the newest first, and the one from which the next page goes on, if there is one.
    pub(crate) fn choose(&self, oldest_first: Vec<RunId>) -> (Vec<RunId>, Option<RunId>) {
        let is_older = |id: &RunId| self.before.as_ref().is_none_or(|before| id < before);
        let mut rest = oldest_first.into_iter().rev().filter(is_older);
        let chosen: Vec<_> = rest.by_ref().take(self.limit).collect();
        let next = rest.next().and(chosen.last().cloned());
        (chosen, next)
    }
}

/// A page of a list as it is answered.
pub(crate) fn listed(name: &str, items: &[Value], next: Option<&RunId>) -> Value {
    json!({ name: items, "next": next })
}

impl FromRequestParts<Shared> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let mut given = parameters(parts, &["limit", "before"])?;
        let mut page = Self { limit: USUAL, before: None };
        if let Some(value) = given.remove("limit") {
            let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            page.limit = limit.ok_or_else(|| {
                let detail = format!("limit: expected a number from 1 to {MOST}, got {value:?}");
                Problem::bad_request(detail)
            })?;
        }
        if let Some(value) = given.remove("before") {
            let before = value.parse();
            let before = before.map_err(|error| Problem::bad_request(format!("before: {error}")));
            page.before = Some(before?);
        }
        Ok(page)
    }
}

/// A request without parameters.
pub(crate) struct Plain;

impl FromRequestParts<Shared> for Plain {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        parameters(parts, &[]).map(|_| Self)
    }
}

/// The parameters of a request, each of these at most once and no others.
fn parameters(parts: &Parts, known: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let mut given = BTreeMap::new();
    let query = parts.uri.query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !known.contains(&&*name) {
            let there = if known.is_empty() { "there are none" } else { "there are limit, before" };
            return Err(Problem::bad_request(format!("unknown parameter {name:?} ({there})")));
        }
        if given.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(Problem::bad_request(format!("{name}: given more than once")));
        }
    }
    Ok(given)
}

/// The part of the path that says which one. Where that is no text it is the whole path as it was sent, which names nothing:
/// a refusal comes from whoever looks for it, and is recorded like any other.
pub(crate) struct Which(pub(crate) String);

impl FromRequestParts<Shared> for Which {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        Ok(Self(path.map_or_else(|_| parts.uri.path().to_owned(), |Path(text)| text)))
    }
}

/// The id that a path names.
pub(crate) fn id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| {
        let expected = "expected an id of the form 20261123T060000Z-4f2a91c3";
        Problem::bad_request(format!("{expected}, got {text:?}"))
    })
}
