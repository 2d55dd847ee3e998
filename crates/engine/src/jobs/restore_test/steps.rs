//! The steps of a test, for a machine that takes them one by one. Each can be asked for again, and by another process.
//!
//! What is done already is found in the scratch database and in the record, and nowhere else: whatever a step needs to
//! know of those before it, the machine hands on. [`Steps::end`] comes always, also after a step that failed.

use super::{
    Chosen, Ended, Evidence, Loaded, Prepared, Proved, Report, Request, TestRun, bench::Bench,
    choice, ending, site::Site,
};
use crate::{
    jobs::{Error, World, deadline::within, runs, verify::Replica},
    ports::Scratch,
    records::run::Job,
};

/// A test at work, as one step sees it.
#[derive(Clone, Copy)]
pub struct Steps<'a> {
    bench: Bench<'a>,
    run: &'a TestRun,
}

impl<'a> Steps<'a> {
    /// The steps of this run. Of the request, `choose` takes what was asked for, and all take how.
    pub fn of(
        world: &'a World,
        replica: Option<&'a Replica>,
        scratch: &'a dyn Scratch,
        request: &'a Request,
        run: &'a TestRun,
    ) -> Self {
        world.progress.begin(&run.run);
        Self { bench: Bench { world, replica, scratch, request }, run }
    }

    /// Drops what dead tests left, and chooses what is tested; nothing, if an earlier run tested for the same schedule.
    pub async fn choose(self) -> Result<Option<Chosen>, Error> {
        let Self { bench, run } = self;
        let vault = bench.identity(bench.request.place).await?.vault;
        let done = runs::done::<Report>(bench.world, Job::RestoreTest, run.scheduled).await?;
        if done.is_some() {
            return Ok(None);
        }
        choice::choose(bench, vault).await.map(Some)
    }

    /// Opens the backup and makes the scratch database.
    ///
    /// # Errors
    /// [`Error::NothingTested`] if there is nothing to prove.
    pub async fn prepare(self, chosen: &Chosen) -> Result<Prepared, Error> {
        let opening = self.bench.world.clock.now();
        self.limited(async {
            let site = self.open(chosen).await?;
            site.prepare(opening).await
        })
        .await
    }

    /// Loads one group of tables and proves them equal.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a table is not what the backup holds.
    pub async fn load(self, chosen: &Chosen, group: usize) -> Result<Loaded, Error> {
        self.limited(async {
            let site = self.open(chosen).await?;
            let groups = site.groups();
            let tables = groups.get(group).map(Vec::as_slice).unwrap_or_default();
            site.load(|name| tables.contains(&name)).await
        })
        .await
    }

    /// Makes foreign keys and objects, and proves what is to be proved beyond rows.
    pub async fn prove(self, chosen: &Chosen) -> Result<Proved, Error> {
        self.limited(async { self.open(chosen).await?.prove().await }).await
    }

    /// Drops the scratch database and writes the record, of what the steps came to or of why one of them failed.
    ///
    /// # Errors
    /// If the record could not be written.
    pub async fn end(
        self,
        chosen: Option<&Chosen>,
        came_to: Result<Evidence, Error>,
    ) -> Result<Ended, Error> {
        let Self { bench, run } = self;
        let identity = bench.identity(chosen.map(|chosen| chosen.turn.place)).await;
        let result = match (chosen, came_to) {
            (None, Ok(_)) => Err(Error::Internal("a test of no backup")),
            (None, Err(failure)) => Err(failure),
            (Some(chosen), came_to) => {
                let result = match came_to {
                    Ok(evidence) => self.report(chosen, evidence).await,
                    Err(failure) => Err(failure),
                };
                // Rows of patients do not stay there because the vault is out of reach.
                let vault = identity.as_ref().map_or(chosen.vault, |identity| identity.vault);
                ending::clear(bench, vault, run, chosen, result).await
            }
        };
        ending::record_once(bench, run, &identity?, chosen, result).await
    }

    async fn report(self, chosen: &Chosen, evidence: Evidence) -> Result<Report, Error> {
        self.open(chosen).await?.report(self.run, chosen, evidence)
    }

    async fn open(self, chosen: &Chosen) -> Result<Site, Error> {
        let vault = self.bench.identity(Some(chosen.turn.place)).await?.vault;
        Site::open(self.bench, vault, self.run, chosen).await
    }

    async fn limited<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        within(self.bench.world, self.bench.request.deadline, work).await.flatten()
    }
}
