//! Requests that carry a key of their own are done once, however often they are sent.
//!
//! The record is written before anything is begun, and completed with the answer afterwards. One without an
//! answer was cut off or is at work right now: for a while a repetition is told so, later it begins again,
//! under the same id, which those who do the work take for what was begun already.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::SignedDuration;

use super::{Error, World};
use crate::{
    model::{ObjectName, RunId},
    ports::{Revision, VaultError},
    records::request::{Answer, RequestRecord},
};

/// Whoever works on a request has given up by then: it is twice the longest time that a gateway waits.
const AT_WORK: SignedDuration = SignedDuration::from_mins(1);

/// A request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    name: ObjectName,
    body: String,
}

impl Request {
    /// The request of `subject` for `action`, under `key`, with this body.
    pub fn new(subject: &str, action: &str, key: &str, body: &[u8]) -> Self {
        let mut identity = Vec::new();
        for part in [subject, action, key] {
            identity.extend_from_slice(&(part.len() as u64).to_le_bytes());
            identity.extend_from_slice(part.as_bytes());
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &identity).as_ref());
        Self { name: ObjectName::request(&sha256), body: hex::encode(digest(&SHA256, body)) }
    }
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// It is new, or is to be begun again: under the id it was begun with, if it was.
    Open(Open),
    /// Somebody is at work on it.
    Busy,
    /// It was answered.
    Answered(Answer),
    /// The key was used for a request with another body.
    OtherBody,
}

/// A request that may be begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// What it begins was given this id when it was tried before.
    pub change: Option<RunId>,
    revision: Option<Revision>,
}

/// A request that was begun, to be completed with its answer.
#[derive(Debug)]
pub struct Begun {
    name: ObjectName,
    record: RequestRecord,
    revision: Revision,
}

/// Looks a request up.
pub async fn look_up(world: &World, request: &Request) -> Result<Known, Error> {
    let Some((bytes, revision)) = world.vault.read(&request.name).await? else {
        return Ok(Known::Open(Open { change: None, revision: None }));
    };
    let record = RequestRecord::read(&bytes);
    let record = record.map_err(|source| Error::Damaged { name: request.name.clone(), source })?;
    if record.body != request.body {
        return Ok(Known::OtherBody);
    }
    if let Some(answer) = record.answer {
        return Ok(Known::Answered(answer));
    }
    if !record.failed && world.clock.now().duration_since(record.at) < AT_WORK {
        return Ok(Known::Busy);
    }
    Ok(Known::Open(Open { change: Some(record.change), revision: Some(revision) }))
}

/// Begins a request as `change`; `None` if somebody else just did.
pub async fn begin(
    world: &World,
    request: Request,
    open: Open,
    change: RunId,
) -> Result<Option<Begun>, Error> {
    let record = RequestRecord::new(change, world.clock.now(), request.body);
    let written = write(world, &request.name, &record, open.revision.as_ref()).await;
    match written {
        Ok(revision) => Ok(Some(Begun { name: request.name, record, revision })),
        Err(Error::Vault(VaultError::Changed { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps the answer: from now on it is what repetitions get.
pub async fn answered(world: &World, begun: Begun, answer: Answer) -> Result<(), Error> {
    let mut record = begun.record;
    record.answer = Some(answer);
    write(world, &begun.name, &record, Some(&begun.revision)).await.map(drop)
}

/// Lets a repetition try again at once: the same, or `another` if it is certain that nothing was begun.
pub async fn failed(world: &World, begun: Begun, another: Option<RunId>) -> Result<(), Error> {
    let mut record = begun.record;
    record.failed = true;
    if let Some(another) = another {
        record.change = another;
    }
    write(world, &begun.name, &record, Some(&begun.revision)).await.map(drop)
}

async fn write(
    world: &World,
    name: &ObjectName,
    record: &RequestRecord,
    before: Option<&Revision>,
) -> Result<Revision, Error> {
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    Ok(world.vault.swap(name, before, content).await?)
}
