//! Cleanup: what the rules no longer keep is removed, and locks are made longer where they are too short.
//!
//! All is planned first, with a reason for each backup. Then manifests go, and only then what nothing names any more:
//! cut off anywhere, it leaves whole backups and objects that nobody needs, for the next cleanup. A backup may be made
//! at the same time: what that may build on is left alone.

mod candidates;
mod drops;
mod leases;
mod marks;

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use marks::Marks;

use super::{
    Error, KeyChest, World, backups,
    custody::{Custody, Needs},
    deadline::within,
    record,
    record::Run,
    runs,
};
use crate::{
    model::{ObjectName, RunId, VaultId, prefix},
    policy::retention::{self, Candidate, Verdict},
    ports::{ObjectInfo, Removal, Remover, VaultError},
    records::run::Job,
};

pub use crate::records::cleanup::Dropped;

/// Objects removed, or asked about, at once.
const PARALLEL_CALLS: usize = 8;

/// So many backups one run drops without being told so: after a night, or a few nights off.
const MOST_DROPPED: u64 = 10;

/// An upload that was begun so long ago will not end.
const LONGEST_UPLOAD: SignedDuration = SignedDuration::from_hours(48);

/// What a cleanup is told besides where everything is.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only plan: change nothing.
    pub dry_run: bool,
    /// So many backups may go, as a person read in the plan; a few may without that.
    pub confirmed: Option<u64>,
    /// When to stop, for a job whose time is limited.
    pub deadline: Option<Timestamp>,
    /// The moment this was scheduled for; it is done once, however often it is asked for.
    pub scheduled: Option<Timestamp>,
}

/// What a cleanup came to, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it only planned.
    pub dry_run: bool,
    /// The rules it went by.
    pub rules: String,
    /// The backups that are kept, oldest first, and why.
    pub kept: Vec<Kept>,
    /// The backups that were dropped, oldest first, and why.
    pub dropped: Vec<Dropped>,
    /// Packs and keys that nothing needed and that were removed.
    pub removed: Sum,
    /// Objects that nothing needs but that are locked for some time yet, as they should be.
    pub still_locked: Sum,
    /// When the first of these locks ends.
    pub next_unlock: Option<Timestamp>,
    /// Locks that were made longer.
    pub locks_extended: u64,
    /// Uploads that never ended and were given up.
    pub uploads_given_up: u64,
    /// A run that died with the lock of backups, which was taken from it.
    pub lease_of_the_dead: Option<RunId>,
    /// What is not as it should be, each a sentence.
    pub problems: Vec<String>,
    /// An earlier run cleaned up for the same schedule; this one did nothing.
    #[serde(skip)]
    pub already_done: bool,
}

/// A backup that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The backup.
    pub backup: RunId,
    /// Why, each a few words.
    pub why: Vec<String>,
    /// Until when the rules want it locked.
    pub lock_until: Option<Timestamp>,
}

/// So many objects and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Sum {
    fn of<'a>(objects: impl IntoIterator<Item = &'a ObjectInfo>) -> Self {
        let mut sum = Self::default();
        for object in objects {
            sum.objects += 1;
            sum.bytes += object.size;
        }
        sum
    }
}

/// Cleans up, or plans it.
///
/// # Errors
/// [`Error::TooMuchToDrop`] if more backups would go than may without being told, and nothing was removed. After other
/// errors some of what was planned was done.
pub async fn run(
    world: &World,
    custody: &Custody,
    remover: &dyn Remover,
    request: &Request,
) -> Result<Report, Error> {
    let identity = backups::existing_identity(&*world.vault).await?;
    if let Some(report) = runs::done::<Report>(world, Job::Cleanup, request.scheduled).await? {
        return Ok(Report { already_done: true, ..report });
    }
    let run = Run::start(world, request.scheduled);
    let work = clean_up(world, identity.vault, custody, remover, request, &run);
    let result = within(world, request.deadline, work).await.flatten();
    // A plan changes nothing, and leaves nothing.
    if !request.dry_run {
        record::ended(world, &run, Job::Cleanup, &identity.source, &result).await?;
    }
    result
}

async fn clean_up(
    world: &World,
    vault: VaultId,
    custody: &Custody,
    remover: &dyn Remover,
    request: &Request,
    run: &Run,
) -> Result<Report, Error> {
    let plan = Plan::make(world, vault, custody).await?;
    let mut report = plan.report(run, custody, request.dry_run);
    if request.dry_run {
        report.ended = world.clock.now();
        return Ok(report);
    }
    // Locking more takes nothing away: it is done also where dropping is refused.
    report.locks_extended = custody.hold(plan.needs.clone()).await?;
    plan.refuse_too_much(request.confirmed)?;
    let planned = std::mem::take(&mut report.dropped);
    let all = planned.len();
    report.dropped = drops::carry_out(world, remover, run, &report.rules, planned).await?;
    report.removed = Sum::default();
    if report.dropped.len() == all {
        report.removed = sweep(remover, &plan).await?;
    } else {
        let spared = all - report.dropped.len();
        let problem = format!(
            "{spared} backups were pinned, used or locked meanwhile: what they need is swept next time"
        );
        report.problems.push(problem);
    }
    let before = world.clock.now().saturating_sub(LONGEST_UPLOAD).unwrap_or(Timestamp::MIN);
    report.uploads_given_up = remover.give_up_uploads(before).await?;
    report.lease_of_the_dead = leases::free(world).await?;
    report.ended = world.clock.now();
    Ok(report)
}

/// Removes what nothing needs. A key goes after all that it sealed.
async fn sweep(remover: &dyn Remover, plan: &Plan) -> Result<Sum, Error> {
    let packs = remove(remover, &plan.packs).await?;
    if packs.len() < plan.packs.len() {
        return Ok(Sum::of(packs));
    }
    let keys = remove(remover, &plan.keys).await?;
    Ok(Sum::of(packs.into_iter().chain(keys)))
}

/// What is to be done.
struct Plan {
    verdicts: Vec<Verdict>,
    packs: Vec<ObjectInfo>,
    keys: Vec<ObjectInfo>,
    locked: Vec<(ObjectInfo, Timestamp)>,
    needs: Needs,
    problems: Vec<String>,
}

impl Plan {
    async fn make(world: &World, vault: VaultId, custody: &Custody) -> Result<Self, Error> {
        let now = world.clock.now();
        // Before what they name: what is written meanwhile is then seen as belonging to nobody yet, and is young.
        let packs = world.vault.list(prefix::PACKS).await?;
        let key_objects = world.vault.list(prefix::KEYS).await?;
        let (candidates, mut problems) = candidates::all(world, now).await?;
        let verdicts = judge(custody, candidates, now).await?;

        let keys = KeyChest::open(world, vault).await?;
        let mut marks = Marks::of(world, &keys, &verdicts, now).await?;
        problems.extend(marks.unreadable.iter().map(|backup| {
            format!("backup {backup} can't be opened: no pack that it may need is removed")
        }));
        let unused = marks.unused_packs(&packs, now);
        let (locked, unused) = part_locked(custody, unused).await?;
        let going: BTreeSet<_> = unused.iter().map(|pack| &pack.name).collect();
        let staying = packs.iter().map(|pack| &pack.name).filter(|name| !going.contains(name));
        let unused_keys = marks.unused_keys(&key_objects, &staying.cloned().collect(), now);
        let (locked_keys, unused_keys) = part_locked(custody, unused_keys).await?;

        let mut needs = std::mem::take(&mut marks.needs);
        let need = retention::lock_of_keys(&custody.rules, &custody.zone, now);
        let going: BTreeSet<_> = unused_keys
            .iter()
            .chain(locked_keys.iter().map(|(key, _)| key))
            .map(|key| &key.name)
            .collect();
        let used = key_objects.iter().map(|key| &key.name).filter(|name| !going.contains(name));
        needs.extend(used.map(|name| (name.clone(), need)));
        if !custody.locks.are_kept().await? {
            needs.clear();
        }
        let locked = locked.into_iter().chain(locked_keys).collect();
        Ok(Self { verdicts, packs: unused, keys: unused_keys, locked, needs, problems })
    }

    fn dropped(&self) -> impl Iterator<Item = Dropped> {
        self.verdicts.iter().filter_map(|verdict| {
            let why = verdict.goes.clone()?;
            Some(Dropped { backup: verdict.backup.clone(), why })
        })
    }

    fn refuse_too_much(&self, confirmed: Option<u64>) -> Result<(), Error> {
        let (planned, all) = (self.dropped().count() as u64, self.verdicts.len() as u64);
        if planned <= confirmed.unwrap_or(MOST_DROPPED) {
            return Ok(());
        }
        Err(Error::TooMuchToDrop { planned, all, confirmed })
    }

    fn report(&self, run: &Run, custody: &Custody, dry_run: bool) -> Report {
        let kept = self.verdicts.iter().filter(|verdict| verdict.is_kept()).map(|verdict| Kept {
            backup: verdict.backup.clone(),
            why: verdict.kept.iter().map(ToString::to_string).collect(),
            lock_until: verdict.lock_until,
        });
        Report {
            run: run.id.clone(),
            started: run.started,
            ended: run.started,
            dry_run,
            rules: custody.rules.to_string(),
            kept: kept.collect(),
            dropped: self.dropped().collect(),
            removed: Sum::of(self.packs.iter().chain(&self.keys)),
            still_locked: Sum::of(self.locked.iter().map(|(object, _)| object)),
            next_unlock: self.locked.iter().map(|(_, until)| *until).min(),
            locks_extended: 0,
            uploads_given_up: 0,
            lease_of_the_dead: None,
            problems: self.problems.clone(),
            already_done: false,
        }
    }
}

/// Only of what nothing else keeps it is asked whether it is locked.
async fn judge(
    custody: &Custody,
    mut candidates: Vec<Candidate>,
    now: Timestamp,
) -> Result<Vec<Verdict>, Error> {
    let verdicts = retention::plan(&candidates, &custody.rules, &custody.zone, now);
    let going: BTreeSet<_> =
        verdicts.iter().filter(|one| !one.is_kept()).map(|one| one.backup.clone()).collect();
    let asked = candidates.iter_mut().filter(|one| going.contains(&one.backup)).map(async |one| {
        one.locked_until = locked_until(custody, &ObjectName::manifest(&one.backup)).await?;
        Ok::<_, Error>(())
    });
    stream::iter(asked.collect::<Vec<_>>()).buffered(PARALLEL_CALLS).try_collect::<()>().await?;
    Ok(retention::plan(&candidates, &custody.rules, &custody.zone, now))
}

/// Those that are locked, and the others.
async fn part_locked(
    custody: &Custody,
    objects: Vec<ObjectInfo>,
) -> Result<(Vec<(ObjectInfo, Timestamp)>, Vec<ObjectInfo>), Error> {
    let asked = objects.into_iter().map(async |object| {
        let until = locked_until(custody, &object.name).await?;
        Ok::<_, Error>((object, until))
    });
    let (mut locked, mut free) = (Vec::new(), Vec::new());
    let mut asked = stream::iter(asked).buffered(PARALLEL_CALLS);
    while let Some((object, until)) = asked.try_next().await? {
        match until {
            Some(until) => locked.push((object, until)),
            None => free.push(object),
        }
    }
    Ok((locked, free))
}

async fn locked_until(custody: &Custody, name: &ObjectName) -> Result<Option<Timestamp>, Error> {
    match custody.locks.locked_until(name).await {
        Err(VaultError::Missing { .. }) => Ok(None),
        other => Ok(other?),
    }
}

/// Removes objects, and says which; not those that were locked since the plan was made.
async fn remove<'a>(
    remover: &dyn Remover,
    objects: &'a [ObjectInfo],
) -> Result<Vec<&'a ObjectInfo>, Error> {
    let removals = objects.iter().map(async |object| {
        let removal = remover.remove(&object.name).await?;
        Ok::<_, Error>((removal == Removal::Done).then_some(object))
    });
    let removals = removals.collect::<Vec<_>>();
    let gone: Vec<_> =
        stream::iter(removals).buffer_unordered(PARALLEL_CALLS).try_collect().await?;
    Ok(gone.into_iter().flatten().collect())
}
