//! The locks under which backups are written, or the live database is changed, by one run at a time: a lease, renewed while the run lives.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{Error, World};
use crate::{
    error::FormatError,
    model::{ObjectName, RunId},
    ports::{Revision, VaultError},
    records::{lock::Lease, run::Job},
};

/// Whoever loses the race for a free lock finds it held at the next look, unless it is given back at once.
const ATTEMPTS: u32 = 10;

/// A held lock. It is renewed in the background until it is released or dropped; when it is dropped
/// without being released, it expires.
pub(super) struct Lock {
    held: Arc<Held>,
    renewal: JoinHandle<()>,
    /// The lease that was there before, if its run died without giving it back.
    pub(super) died: Option<Lease>,
}

struct Held {
    world: World,
    name: ObjectName,
    run: RunId,
    job: Job,
    length: Duration,
    revision: Mutex<Option<Revision>>,
}

impl Lock {
    /// Takes the lock `name` for `run`.
    ///
    /// # Errors
    /// [`Error::Locked`] if another run holds it, or takes it at the same moment.
    pub(super) async fn acquire(
        world: &World,
        name: ObjectName,
        run: &RunId,
        job: Job,
        length: Duration,
    ) -> Result<Self, Error> {
        let (found, revision) = take(world, &name, run, job, length).await?;
        let died = found.filter(|lease| !lease.released);
        let revision = Mutex::new(Some(revision));
        let held =
            Arc::new(Held { world: world.clone(), name, run: run.clone(), job, length, revision });
        let renewal = tokio::spawn(renew_forever(Arc::clone(&held)));
        Ok(Self { held, renewal, died })
    }

    /// Renews the lease now: `Ok` means that no other run wrote since this one took the lock.
    ///
    /// # Errors
    /// [`Error::LockLost`] if another run took the lock.
    pub(super) async fn confirm(&self) -> Result<(), Error> {
        self.held.renew().await
    }

    /// Gives the lock back. A renewal on its way is waited for: cut off, it might have taken effect and
    /// left a revision that is not known here.
    pub(super) async fn release(self) -> Result<(), Error> {
        let mut revision = self.held.revision.lock().await;
        self.renewal.abort();
        let Some(current) = revision.take() else {
            return Ok(());
        };
        let world = &self.held.world;
        let now = world.clock.now();
        let lease = Lease::held(self.held.run.clone(), self.held.job, now).given_back(now);
        write(world, &self.held.name, &lease, Some(&current)).await.map(drop)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Held {
    async fn renew(&self) -> Result<(), Error> {
        let mut revision = self.revision.lock().await;
        let current = revision.as_ref().ok_or(Error::LockLost)?;
        let until = self.world.clock.now() + signed(self.length);
        let lease = Lease::held(self.run.clone(), self.job, until);
        match write(&self.world, &self.name, &lease, Some(current)).await {
            Ok(next) => *revision = Some(next),
            Err(Error::Vault(VaultError::Changed { .. })) => {
                if !self.is_ours(&mut revision).await? {
                    *revision = None;
                    return Err(Error::LockLost);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A write whose answer was lost leaves our own lease under a revision that we do not know.
    async fn is_ours(&self, revision: &mut Option<Revision>) -> Result<bool, Error> {
        let found = read(&self.world, &self.name).await?;
        let ours = found.filter(|(lease, _)| lease.run == self.run && !lease.released);
        *revision = ours.map(|(_, revision)| revision);
        Ok(revision.is_some())
    }
}

/// Renews thrice per lease. A failed renewal is tried again at the next tick; whether the lock was
/// kept is decided by [`Lock::confirm`] before anything counts.
async fn renew_forever(held: Arc<Held>) {
    let mut ticks = interval(held.length / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if matches!(held.renew().await, Err(Error::LockLost)) {
            return;
        }
    }
}

/// Writes a lease for `run` in the place of one that is free, and gives that one.
async fn take(
    world: &World,
    name: &ObjectName,
    run: &RunId,
    job: Job,
    length: Duration,
) -> Result<(Option<Lease>, Revision), Error> {
    for _ in 0..ATTEMPTS {
        let (now, found) = (world.clock.now(), read(world, name).await?);
        if let Some((lease, _)) = found.as_ref().filter(|(lease, _)| !lease.is_free(now)) {
            return Err(Error::Locked { run: lease.run.clone(), until: lease.until });
        }
        let lease = Lease::held(run.clone(), job, now + signed(length));
        let before = found.as_ref().map(|(_, revision)| revision);
        match write(world, name, &lease, before).await {
            // Another took it, or gave it back for a run that died: the next look tells.
            Err(Error::Vault(VaultError::Changed { .. })) => {}
            other => return Ok((found.map(|(lease, _)| lease), other?)),
        }
    }
    Err(Error::Internal("the lock is never at rest"))
}

async fn read(world: &World, name: &ObjectName) -> Result<Option<(Lease, Revision)>, Error> {
    let Some((bytes, revision)) = world.vault.read(name).await? else {
        return Ok(None);
    };
    let lease = Lease::read(&bytes).map_err(|source| damaged(name, source))?;
    Ok(Some((lease, revision)))
}

async fn write(
    world: &World,
    name: &ObjectName,
    lease: &Lease,
    before: Option<&Revision>,
) -> Result<Revision, Error> {
    let content = lease.write().map_err(|source| damaged(name, source))?;
    Ok(world.vault.swap(name, before, content).await?)
}

fn damaged(name: &ObjectName, source: FormatError) -> Error {
    Error::Damaged { name: name.clone(), source }
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}
