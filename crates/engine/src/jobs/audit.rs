//! The trail of calls: each leaves a record that nobody can change.

use jiff::Timestamp;

use super::{Error, World};
use crate::{
    model::{ObjectName, RunId, prefix},
    ports::{Vault, random},
    records::audit::{AuditRecord, Caller, Verdict},
};

/// What there is to say of one call.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who called.
    pub caller: Caller,
    /// What was wanted, as `POST /v1/restores`.
    pub action: String,
    /// The request, without secrets.
    pub request: Option<serde_json::Value>,
    /// What became of it.
    pub verdict: Verdict,
    /// The status of the answer.
    pub status: u16,
    /// What the caller was told, if it was refused or failed.
    pub reason: Option<String>,
    /// The restore or run that it began or is about.
    pub about: Option<String>,
}

/// Keeps a call for good.
pub async fn keep(world: &World, entry: Entry) -> Result<AuditRecord, Error> {
    let at = world.clock.now();
    let Entry { caller, action, request, verdict, status, reason, about } = entry;
    let id = RunId::new(at, random(&*world.entropy));
    let mut record = AuditRecord::new(id, at, caller, action, verdict, status);
    (record.request, record.reason, record.about) = (request, reason, about);
    let name = ObjectName::audit(&record.entry);
    let content =
        record.write().map_err(|source| Error::Unwritable { what: name.to_string(), source })?;
    world.vault.put(&name, content).await?;
    Ok(record)
}

/// The calls from `from` on and before `until`, oldest first.
pub async fn between(
    vault: &dyn Vault,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<AuditRecord>, Error> {
    let mut records = Vec::new();
    for object in vault.list(prefix::AUDIT).await? {
        let id =
            object.name.stem(prefix::AUDIT, ".json").and_then(|stem| stem.parse::<RunId>().ok());
        let at = id.as_ref().and_then(RunId::started);
        if at.is_some_and(|at| from <= at && at < until) {
            let bytes = vault.get(&object.name).await?;
            let record = AuditRecord::read(&bytes);
            records.push(record.map_err(|source| Error::Damaged { name: object.name, source })?);
        }
    }
    Ok(records)
}
