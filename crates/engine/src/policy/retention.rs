//! Which backups are kept, which may go, and why: grandfather, father and son by the source's calendar.
//!
//! Of each day, week, month and year the first backup is kept, for as many of them as the rules say. It is the first,
//! not the last, so that no later backup takes an earlier one's place: what was chosen once stays chosen, and when a
//! backup is made it is known how long it is to be locked. Days without a backup don't count, so that a gap costs none.
//!
//! Backups that nobody verified, or that are damaged, are chosen besides the good ones and never in their place: the
//! choice is made three times, among the good ones, among those not known to be damaged, and among all.

mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{SignedDuration, Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Serialize, Serializer};

pub use rules::{NotRules, Rules};

use crate::model::RunId;

/// Clocks differ, and backups of one second are numbered on by seconds ([`RunId::after`]): a little ahead is not the future.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The most that an object is locked beyond what is needed.
const MOST_ROOM: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is known of a backup's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The last verification that looked found something missing or damaged.
    Damaged,
    /// No verification or restore test has looked at it since it was made.
    Unverified,
    /// The last that looked found it whole.
    Good,
}

/// A backup as retention sees it. When it was made its id tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Candidate {
    /// The backup.
    pub backup: RunId,
    /// What is known of its content.
    pub state: State,
    /// Was it restored and proved equal?
    pub tested: bool,
    /// Was it made of another program's files? Then no rule counts it: it stays as long as somebody wants it.
    pub imported: bool,
    /// Did somebody ask to keep it?
    pub pinned: bool,
    /// Does a restore that is not at its end use it?
    pub in_use: bool,
    /// Until when the store lets nobody remove it.
    pub locked_until: Option<Timestamp>,
}

impl Candidate {
    /// A backup that was just made.
    pub const fn new(backup: RunId) -> Self {
        Self {
            backup,
            state: State::Unverified,
            tested: false,
            imported: false,
            pinned: false,
            in_use: false,
            locked_until: None,
        }
    }
}

/// A part of the calendar that a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
    /// From January 1 on.
    Year,
}

impl Period {
    const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    fn wanted(self, rules: &Rules) -> u32 {
        match self {
            Self::Day => rules.daily,
            Self::Week => rules.weekly,
            Self::Month => rules.monthly,
            Self::Year => rules.yearly,
        }
    }

    /// The first day of the period that this day lies in.
    fn begin(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).unwrap_or(Date::MIN)
            }
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        }
    }

    /// So many of these. The calendar's own: a month is as long as it is.
    fn times(self, count: u32) -> Span {
        let count = i64::from(count);
        match self {
            Self::Day => count.days(),
            Self::Week => count.weeks(),
            Self::Month => count.months(),
            Self::Year => count.years(),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// Why a backup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is the first of its period, and the period is among those that count.
    First(Period, Date),
    /// It is among the newest.
    Last,
    /// It is younger than the days of which all are kept.
    Within,
    /// The newest, on which the next backup may build, or the newest that is not known to be damaged.
    Newest,
    /// The newest good one.
    NewestGood,
    /// The newest that a restore proved.
    NewestTested,
    /// Somebody asked to keep it.
    Pinned,
    /// A restore uses it.
    InUse,
    /// It claims to come from the future, so that its age can't be judged.
    Future,
    /// The store lets nobody remove it before then.
    Locked(Timestamp),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(period, begin) => match period {
                Period::Day => write!(f, "first of {begin}"),
                Period::Week => write!(f, "first of the week of {begin}"),
                Period::Month => write!(f, "first of {}", begin.strftime("%Y-%m")),
                Period::Year => write!(f, "first of {}", begin.year()),
            },
            Self::Last => f.write_str("among the last"),
            Self::Within => f.write_str("recent"),
            Self::Newest => f.write_str("the newest"),
            Self::NewestGood => f.write_str("the newest good one"),
            Self::NewestTested => f.write_str("the newest that a restore proved"),
            Self::Pinned => f.write_str("pinned"),
            Self::InUse => f.write_str("a restore uses it"),
            Self::Future => f.write_str("dated in the future"),
            Self::Locked(until) => write!(f, "locked until {until:.0}"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The backup.
    pub backup: RunId,
    /// What is known of its content.
    pub state: State,
    /// Why it is kept; if nothing keeps it, it may go.
    pub kept: BTreeSet<Reason>,
    /// Why it may go, a sentence; none if it is kept.
    pub goes: Option<String>,
    /// Until when it is to be locked.
    pub lock_until: Option<Timestamp>,
}

impl Verdict {
    /// Is it kept?
    pub fn is_kept(&self) -> bool {
        !self.kept.is_empty()
    }
}

/// Decides for every backup whether it is kept at `now`, by the calendar of `zone`. Oldest first.
pub fn plan(
    candidates: &[Candidate],
    rules: &Rules,
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Verdict> {
    let mut dated: Vec<_> =
        candidates.iter().map(|candidate| Dated::new(candidate, zone)).collect();
    dated.sort_by(|one, other| one.candidate.backup.cmp(&other.candidate.backup));
    let soon = now.saturating_add(AHEAD).unwrap_or(now);
    let (past, future): (Vec<_>, Vec<_>) = dated.into_iter().partition(|dated| dated.at <= soon);
    let choice = Choice::among(&past, rules, zone, now);
    let judge = |dated: &Dated<'_>| choice.verdict(dated, rules, zone, now);
    let unjudged = |dated: &Dated<'_>| Verdict {
        kept: BTreeSet::from([Reason::Future]),
        goes: None,
        lock_until: None,
        ..judge(dated)
    };
    past.iter().map(judge).chain(future.iter().map(unjudged)).collect()
}

/// Until when a backup is to be locked that is being made, beside those that are there.
pub fn lock_of_new(
    new: &RunId,
    others: &[Candidate],
    rules: &Rules,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let made = new.started()?;
    let new_one = Candidate::new(new.clone());
    let all: Vec<_> = others.iter().cloned().chain([new_one]).collect();
    let verdict = plan(&all, rules, zone, made).into_iter().find(|verdict| verdict.backup == *new);
    verdict.and_then(|verdict| verdict.lock_until)
}

/// How long a lock is to be and to be made, for an object that many backups share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// A lock that ends before this is too short.
    pub at_least: Timestamp,
    /// Where a lock that is too short is to end.
    pub until: Timestamp,
}

impl Need {
    /// A lock that ends there.
    pub const fn exactly(until: Timestamp) -> Self {
        Self { at_least: until, until }
    }

    /// A lock that lasts until then, and when it is made longer a quarter more, up to 90 days: so each day's backup
    /// finds most of what it shares with earlier ones locked long enough.
    pub fn with_room(at_least: Timestamp, now: Timestamp) -> Self {
        let room = (at_least.duration_since(now) / 4).clamp(SignedDuration::ZERO, MOST_ROOM);
        Self { at_least, until: at_least.saturating_add(room).unwrap_or(at_least) }
    }
}

/// For how long keys are locked at any time: as long as daily backups are kept, and no longer, since to erase a tenant
/// is to remove its keys.
pub fn lock_of_keys(rules: &Rules, zone: &TimeZone, now: Timestamp) -> Need {
    Need::with_room(after(now, zone, Period::Day.times(rules.daily)), now)
}

/// A candidate and its place in the calendar.
struct Dated<'a> {
    candidate: &'a Candidate,
    at: Timestamp,
    day: Date,
}

impl<'a> Dated<'a> {
    fn new(candidate: &'a Candidate, zone: &TimeZone) -> Self {
        let at = candidate.backup.started().unwrap_or(Timestamp::MAX);
        Self { candidate, at, day: zone.to_datetime(at).date() }
    }
}

/// Which backups the rules choose.
struct Choice<'a> {
    reasons: BTreeMap<&'a RunId, BTreeSet<Reason>>,
    /// The first backups of all periods, whether they count or not.
    firsts: BTreeMap<(Period, Date), &'a RunId>,
}

impl<'a> Choice<'a> {
    /// `past` is in the order of time.
    fn among(past: &[Dated<'a>], rules: &Rules, zone: &TimeZone, now: Timestamp) -> Self {
        let mut choice = Self { reasons: BTreeMap::new(), firsts: BTreeMap::new() };
        let counted = || past.iter().filter(|one| !one.candidate.imported);
        for least in [State::Good, State::Unverified, State::Damaged] {
            let level: Vec<_> = counted().filter(|one| one.candidate.state >= least).collect();
            choice.by_calendar(&level, rules);
            let last = level.iter().rev().take(rules.last as usize);
            last.for_each(|one| choice.keep(one, Reason::Last));
        }
        let since = ago(now, zone, rules.within);
        counted()
            .filter(|one| rules.within > 0 && one.at >= since)
            .for_each(|one| choice.keep(one, Reason::Within));
        choice.newest(past, Reason::Newest, |_| true);
        choice.newest(past, Reason::Newest, |one| one.state > State::Damaged);
        choice.newest(past, Reason::NewestGood, |one| one.state == State::Good);
        choice.newest(past, Reason::NewestTested, |one| one.tested && one.state == State::Good);
        for one in past {
            choice.by_circumstance(one, now);
        }
        choice
    }

    fn keep(&mut self, one: &Dated<'a>, reason: Reason) {
        self.reasons.entry(&one.candidate.backup).or_default().insert(reason);
    }

    fn by_calendar(&mut self, level: &[&Dated<'a>], rules: &Rules) {
        for period in Period::ALL {
            let mut firsts = BTreeMap::<Date, &Dated<'a>>::new();
            for one in level {
                firsts.entry(period.begin(one.day)).or_insert(one);
            }
            for (begin, one) in &firsts {
                self.firsts.entry((period, *begin)).or_insert(&one.candidate.backup);
            }
            let counted = firsts.into_iter().rev().take(period.wanted(rules) as usize);
            counted.for_each(|(begin, one)| self.keep(one, Reason::First(period, begin)));
        }
    }

    fn newest(&mut self, past: &[Dated<'a>], reason: Reason, is: impl Fn(&Candidate) -> bool) {
        let is = |one: &Candidate| !one.imported && is(one);
        if let Some(one) = past.iter().rfind(|one| is(one.candidate)) {
            self.keep(one, reason);
        }
    }

    fn by_circumstance(&mut self, one: &Dated<'a>, now: Timestamp) {
        let Candidate { pinned, in_use, locked_until, .. } = one.candidate;
        if *pinned {
            self.keep(one, Reason::Pinned);
        }
        if *in_use {
            self.keep(one, Reason::InUse);
        }
        if let Some(until) = locked_until.filter(|until| *until > now) {
            self.keep(one, Reason::Locked(until));
        }
    }

    fn verdict(&self, one: &Dated<'_>, rules: &Rules, zone: &TimeZone, now: Timestamp) -> Verdict {
        let Candidate { backup, state, .. } = one.candidate;
        let kept = self.reasons.get(backup).cloned().unwrap_or_default();
        let goes = kept.is_empty().then(|| self.farewell(one));
        // A damaged backup is not worth a lock that nobody can take back.
        let locks = kept.iter().filter(|_| *state > State::Damaged);
        let ends = locks.filter_map(|reason| match reason {
            Reason::First(period, _) => {
                Some(after(one.at, zone, period.times(period.wanted(rules))))
            }
            Reason::Within => Some(after(one.at, zone, Period::Day.times(rules.within))),
            _ => None,
        });
        let lock_until = ends.max().filter(|until| *until > now);
        Verdict { backup: backup.clone(), state: *state, kept, goes, lock_until }
    }

    /// Why nothing keeps it.
    fn farewell(&self, one: &Dated<'_>) -> String {
        let backup = &one.candidate.backup;
        if one.candidate.imported {
            return "it was imported, and nobody asks to keep it any more".to_owned();
        }
        let is_first = |period: &Period| {
            self.firsts.get(&(*period, period.begin(one.day))).is_some_and(|first| *first == backup)
        };
        match Period::ALL.iter().rfind(|period| is_first(period)) {
            Some(period) => {
                format!("first of its {0}, but no rule reaches back to that {0}", period.as_str())
            }
            None => match self.firsts.get(&(Period::Day, one.day)) {
                Some(first) => format!("{first} is the first of its day"),
                None => "no rule keeps it".to_owned(),
            },
        }
    }
}

/// The moment so many days before this one, by the calendar.
fn ago(now: Timestamp, zone: &TimeZone, days: u32) -> Timestamp {
    after(now, zone, Period::Day.times(days).negate())
}

/// The moment a span after this one, by the calendar; the end of time if there is none.
fn after(at: Timestamp, zone: &TimeZone, span: Span) -> Timestamp {
    let end = at.to_zoned_datetime(zone.clone()).checked_add(span);
    end.map_or(if span.is_negative() { Timestamp::MIN } else { Timestamp::MAX }, |end| {
        end.timestamp()
    })
}

#[cfg(test)]
mod tests;
