//! What of a run's end is news, and whether it was told already.
//!
//! A failure is told at once, and not again for the same reason while AWS tries it again. What may pass by itself is held
//! back on the first try of a schedule, for the minute until the second.

use std::collections::VecDeque;

use gorgen_adapters::settings::Notices;
use gorgen_engine::{model::RunId, records::run::Job};
use gorgen_words::notice::{Cause, Figures, MonthFigures, News, Oddity, Reminder, Tries, Turn};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{ErrorType, Failure, Measure, Metric};

/// AWS tries an event again after a minute: a failure so soon after its moment is its first try.
const FIRST_TRY: SignedDuration = SignedDuration::from_secs(90);
/// AWS tries an event so often in all.
const MOST_TRIES: u32 = 3;
/// One cause is told once in this time, whoever calls.
const QUIET: SignedDuration = SignedDuration::from_mins(5);
/// Calls that are remembered; a function serves one at a time.
const REMEMBERED: usize = 8;

const SIZE_PERCENT: f64 = 30.0;
const BACKUP_SECONDS: f64 = 30.0 * 60.0;
const RTO_SECONDS: f64 = 4.0 * 3600.0;
const BACKUP_AGE_SECONDS: f64 = 26.0 * 3600.0;
/// S3 copies within minutes: a backup of an hour ago must be in the second region.
const REPLICA_SECONDS: f64 = 3600.0;

/// What was asked of the function, as far as it matters for notices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The call; AWS's further tries have the same.
    pub(crate) request: String,
    /// The moment a schedule wanted it.
    pub(crate) scheduled: Option<Timestamp>,
    /// Which step of a restore.
    step: Option<String>,
    /// Which restore.
    restore: Option<String>,
    /// Why that restore failed.
    cause: Option<Cause>,
}

impl Asked {
    pub(crate) fn of(event: &Value, request: &str) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let scheduled = event["scheduled_time"].as_str().or_else(|| event["time"].as_str());
        Self {
            request: request.to_owned(),
            scheduled: scheduled.and_then(|time| time.parse().ok()),
            step: text(&event["step"]),
            // An id of ours and nothing else: a caller may write what he likes.
            restore: text(&event["restore"]).filter(|id| id.parse::<RunId>().is_ok()),
            cause: event["error"]["Error"].as_str().map(Cause::of_name),
        }
    }
}

/// How a call ended.
pub(crate) struct Ended<'a> {
    pub(crate) job: Job,
    pub(crate) asked: &'a Asked,
    pub(crate) measures: &'a [Measure],
    pub(crate) result: Result<&'a Value, &'a Failure>,
    pub(crate) now: Timestamp,
}

/// What there is to tell, held until it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Failed { cause: Cause, told: Option<String>, tries: Tries },
    Recovered,
    Odd(Vec<Oddity>),
    Succeeded(Figures),
    Restore { turn: Turn, restore: String, cause: Option<Cause> },
    Report(MonthFigures),
    Reminder(Reminder),
}

impl Item {
    pub(crate) fn news(&self) -> News<'_> {
        match self {
            Self::Failed { cause, told, tries } => {
                News::Failed { cause: *cause, told: told.as_deref(), tries: *tries }
            }
            Self::Recovered => News::Recovered,
            Self::Odd(oddities) => News::Odd(oddities),
            Self::Succeeded(figures) => News::Succeeded(figures),
            Self::Restore { turn, restore, cause } => {
                News::Restore { turn: *turn, restore, cause: *cause }
            }
            Self::Report(month) => News::Report(month),
            Self::Reminder(reminder) => News::Reminder(*reminder),
        }
    }
}

/// What this process told of its last calls.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    calls: VecDeque<Remembered>,
}

#[derive(Debug)]
struct Remembered {
    request: String,
    tries: u32,
    told: Option<(ErrorType, Option<String>, Timestamp)>,
}

impl Memory {
    /// The call, which was tried once more.
    fn call(&mut self, request: &str) -> &mut Remembered {
        let place = self.calls.iter().position(|call| call.request == request);
        let mut call = place
            .and_then(|place| self.calls.remove(place))
            .unwrap_or_else(|| Remembered { request: request.to_owned(), tries: 0, told: None });
        call.tries += 1;
        self.calls.truncate(REMEMBERED - 1);
        self.calls.push_front(call);
        &mut self.calls[0]
    }

    /// Was the same told of this call, or a few minutes ago of another?
    fn was_told(&self, request: &str, failure: &Failure, now: Timestamp) -> bool {
        self.calls.iter().any(|call| {
            call.told.as_ref().is_some_and(|(kind, told, at)| {
                let same = *kind == failure.kind && *told == failure.told;
                same && (call.request == request || now.duration_since(*at) < QUIET)
            })
        })
    }
}

/// What is to be told of this end, if anything is.
pub(crate) fn of(ended: &Ended<'_>, wanted: Notices, memory: &mut Memory) -> Option<Item> {
    match ended.result {
        Ok(summary) => of_success(ended, summary, wanted, memory),
        Err(failure) => of_failure(ended, failure, memory),
    }
}

fn of_failure(ended: &Ended<'_>, failure: &Failure, memory: &mut Memory) -> Option<Item> {
    let asked = ended.asked;
    if is_told_later(asked, failure) || is_at_work(ended, failure) {
        return None;
    }
    let was_told = memory.was_told(&asked.request, failure, ended.now);
    let call = memory.call(&asked.request);
    let may_pass = failure.kind.is_retryable() && call.tries == 1;
    let is_first = asked.scheduled.is_some_and(|at| ended.now.duration_since(at) < FIRST_TRY);
    if was_told || (may_pass && is_first) {
        return None;
    }
    call.told = Some((failure.kind, failure.told.clone(), ended.now));
    // A machine tries steps again, never what they came to.
    let is_end = asked.step.as_deref() == Some("end");
    let tries = match (asked.scheduled, call.tries) {
        _ if is_end => Tries::Last,
        (None, _) => Tries::ByHand,
        (Some(_), MOST_TRIES..) => Tries::Last,
        (Some(_), _) => Tries::MoreToCome,
    };
    Some(Item::Failed { cause: failure.kind.cause(), told: failure.told.clone(), tries })
}

/// A step of a restore that fails is tried again, or leads to the step `discard`, which knows how it ended; and a step of a
/// restore test to the step `end`.
fn is_told_later(asked: &Asked, failure: &Failure) -> bool {
    match asked.step.as_deref() {
        Some("plan" | "choose" | "prepare" | "load" | "verify" | "prove") => true,
        Some("promote" | "undo" | "discard") => failure.kind.is_retryable(),
        _ => false,
    }
}

/// Is another run at work for the same moment, or was this one started by somebody who sees that it had to wait?
fn is_at_work(ended: &Ended<'_>, failure: &Failure) -> bool {
    if failure.kind != ErrorType::Locked {
        return false;
    }
    let Some(moment) = ended.asked.scheduled else { return true };
    let began = failure.holder.as_ref().and_then(RunId::started);
    // An id tells whole seconds.
    ended.job == Job::Backup && began.is_some_and(|at| at.as_second() >= moment.as_second())
}

fn of_success(
    ended: &Ended<'_>,
    summary: &Value,
    wanted: Notices,
    memory: &mut Memory,
) -> Option<Item> {
    let had_failed = memory.call(&ended.asked.request).told.take().is_some();
    let is = |name: &str| summary[name].as_bool() == Some(true);
    if had_failed {
        return Some(Item::Recovered);
    }
    if is("already_done") || (ended.job == Job::Cleanup && is("dry_run")) {
        return None;
    }
    match ended.job {
        Job::Restore => return of_restore(ended.asked, summary),
        Job::Report => return Some(of_report(summary)),
        _ => {}
    }
    let oddities = oddities(ended, summary);
    if !oddities.is_empty() {
        return Some(Item::Odd(oddities));
    }
    (wanted == Notices::All).then(|| Item::Succeeded(figures(ended, summary)))
}

fn of_restore(asked: &Asked, summary: &Value) -> Option<Item> {
    let (turn, restore) = match asked.step.as_deref() {
        None => (Turn::Done, summary["restored"]["into"].as_str()?.to_owned()),
        Some("plan") if summary["dry_run"].as_bool() == Some(false) => {
            (Turn::Begun, asked.restore.clone()?)
        }
        Some("promote" | "undo" | "discard") => {
            let turn = match summary["stage"].as_str()? {
                "restored" => Turn::Done,
                "undone" => Turn::Undone,
                "cancelled" => Turn::Cancelled,
                "failed" => Turn::Failed,
                _ => return None,
            };
            (turn, asked.restore.clone()?)
        }
        _ => return None,
    };
    let cause = asked.cause.filter(|_| turn == Turn::Failed);
    Some(Item::Restore { turn, restore, cause })
}

fn oddities(ended: &Ended<'_>, summary: &Value) -> Vec<Oddity> {
    let measured = |metric| {
        let found = ended.measures.iter().find(|(measured, _)| *measured == metric);
        found.map_or(0.0, |(_, value)| *value)
    };
    let (seconds, percent) =
        (measured(Metric::DurationSeconds), measured(Metric::SizeDeviationPercent));
    let (restore, behind) =
        (measured(Metric::RestoreSeconds), measured(Metric::ReplicaBehindSeconds));
    let age = measured(Metric::LastGoodBackupAgeSeconds);
    let count = summary["warnings"].as_array().map_or(0, Vec::len);
    let is_backup = ended.job == Job::Backup;
    [
        (is_backup && percent > SIZE_PERCENT).then_some(Oddity::Size { percent }),
        (is_backup && seconds > BACKUP_SECONDS).then_some(Oddity::Slow { seconds }),
        (restore > RTO_SECONDS).then_some(Oddity::SlowRestore { seconds: restore }),
        (behind > 0.0 && age > REPLICA_SECONDS)
            .then_some(Oddity::ReplicaBehind { seconds: behind }),
        (age > BACKUP_AGE_SECONDS).then_some(Oddity::Stale { seconds: age }),
        summary["lease_of_the_dead"].is_string().then_some(Oddity::DeadRun),
        (count > 0).then_some(Oddity::Warnings { count }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn figures(ended: &Ended<'_>, summary: &Value) -> Figures {
    let number = |name: &str| summary[name].as_u64();
    let seconds = ended.measures.iter().find(|(metric, _)| *metric == Metric::DurationSeconds);
    Figures {
        seconds: seconds.map_or(0.0, |(_, value)| *value),
        tables: number("tables"),
        rows: number("rows"),
        bytes: number("raw_bytes"),
    }
}

fn of_report(summary: &Value) -> Item {
    let reminder = summary["reminder"].as_str().and_then(Reminder::of_name);
    reminder.map_or_else(|| Item::Report(month(summary)), Item::Reminder)
}

fn month(summary: &Value) -> MonthFigures {
    let count = |name: &str| summary[name].as_array().map_or(0, |list| list.len() as u64);
    MonthFigures {
        month: summary["month"].as_str().unwrap_or_default().to_owned(),
        backups: count("backups"),
        restore_tests: count("restore_tests"),
        failures: count("failures"),
        link: summary["page"].as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MOMENT: &str = "2026-11-23T06:00:00Z";
    const RESTORE: &str = "20261123T060000Z-4f2a91c3";

    fn seconds_later(seconds: i64) -> Timestamp {
        MOMENT.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    fn scheduled(request: &str) -> Asked {
        Asked::of(&json!({ "scheduled_time": MOMENT }), request)
    }

    fn by_hand(request: &str) -> Asked {
        Asked::of(&json!({}), request)
    }

    fn failure(kind: ErrorType) -> Failure {
        Failure::new(kind, "said to the log")
    }

    struct Story {
        job: Job,
        memory: Memory,
    }

    impl Story {
        fn of(job: Job) -> Self {
            Self { job, memory: Memory::default() }
        }

        fn fails(&mut self, asked: &Asked, failure: &Failure, after: i64) -> Option<Item> {
            let now = seconds_later(after);
            let ended = Ended { job: self.job, asked, measures: &[], result: Err(failure), now };
            of(&ended, Notices::Problems, &mut self.memory)
        }

        fn succeeds(
            &mut self,
            asked: &Asked,
            summary: &Value,
            measures: &[Measure],
            wanted: Notices,
        ) -> Option<Item> {
            let now = seconds_later(200);
            let ended = Ended { job: self.job, asked, measures, result: Ok(summary), now };
            of(&ended, wanted, &mut self.memory)
        }
    }

    fn is_failure(item: Option<&Item>, expected: Cause, expected_tries: Tries) -> bool {
        matches!(item, Some(Item::Failed { cause, tries, .. })
            if *cause == expected && *tries == expected_tries)
    }

    #[test]
    fn a_failure_that_stays_is_told_at_once_and_not_again_while_it_is_tried_again() {
        let (mut story, asked) = (Story::of(Job::Verify), scheduled("a"));
        let damaged = failure(ErrorType::Integrity);
        let first = story.fails(&asked, &damaged, 20);
        assert!(is_failure(first.as_ref(), Cause::Integrity, Tries::MoreToCome), "{first:?}");
        assert_eq!(story.fails(&asked, &damaged, 80), None);
        assert_eq!(story.fails(&asked, &damaged, 4000), None, "however long the tries take");
        let other = story.fails(&asked, &failure(ErrorType::Failed), 4100);
        assert!(is_failure(other.as_ref(), Cause::Failed, Tries::Last), "{other:?}");
    }

    #[test]
    fn what_may_pass_is_told_from_the_second_try_on() {
        for kind in [ErrorType::Unavailable, ErrorType::Locked, ErrorType::OutOfTime] {
            let (mut story, asked) = (Story::of(Job::Cleanup), scheduled("a"));
            assert_eq!(story.fails(&asked, &failure(kind), 20), None);
            let second = story.fails(&asked, &failure(kind), 80);
            assert!(is_failure(second.as_ref(), kind.cause(), Tries::MoreToCome), "{second:?}");
        }
    }

    #[test]
    fn nothing_is_held_back_for_longer_than_until_the_second_try() {
        let away = failure(ErrorType::Unavailable);
        for (asked, after) in [(scheduled("a"), 91), (by_hand("b"), 1)] {
            assert!(Story::of(Job::Backup).fails(&asked, &away, after).is_some());
        }
    }

    #[test]
    fn one_cause_is_told_once_in_five_minutes_whoever_calls() {
        let mut story = Story::of(Job::Backup);
        let away = failure(ErrorType::Unavailable);
        assert!(story.fails(&by_hand("a"), &away, 0).is_some());
        assert_eq!(story.fails(&by_hand("b"), &away, 299), None);
        let other = Failure { told: Some("another sentence".to_owned()), ..away.clone() };
        assert!(story.fails(&by_hand("c"), &other, 299).is_some());
        assert!(story.fails(&by_hand("d"), &away, 301).is_some());
    }

    #[test]
    fn a_schedule_that_was_delivered_twice_is_no_news() {
        let locked = |holder: &str| Failure {
            holder: Some(holder.parse().unwrap()),
            ..failure(ErrorType::Locked)
        };
        let mut story = Story::of(Job::Backup);
        for after in [1, 70, 200] {
            let ours = locked("20261123T060000Z-4f2a91c3");
            assert_eq!(story.fails(&scheduled("b"), &ours, after), None);
        }
        // One that has held the lock since before this moment is no twin of this run.
        let old = locked("20261123T053000Z-4f2a91c3");
        assert!(story.fails(&scheduled("c"), &old, 200).is_some());
        assert_eq!(story.fails(&by_hand("d"), &old, 200), None, "who started it by hand sees it");
        // What holds up another job is no twin of it, whenever it began.
        let ours = locked("20261123T060000Z-4f2a91c3");
        assert!(Story::of(Job::Cleanup).fails(&scheduled("e"), &ours, 200).is_some());
    }

    #[test]
    fn a_success_after_a_failure_that_was_told_is_told() {
        let (mut story, asked) = (Story::of(Job::Backup), scheduled("a"));
        assert!(story.fails(&asked, &failure(ErrorType::Failed), 10).is_some());
        let done = json!({ "warnings": [] });
        let told = story.succeeds(&asked, &done, &[], Notices::Problems);
        assert_eq!(told, Some(Item::Recovered));
        let told = story.succeeds(&scheduled("b"), &done, &[], Notices::Problems);
        assert_eq!(told, None);
    }

    #[test]
    fn a_success_is_told_only_to_those_who_want_to_hear_it() {
        let mut story = Story::of(Job::Backup);
        let done = json!({ "tables": 13, "rows": 7, "raw_bytes": 9, "warnings": [] });
        let measures = [(Metric::DurationSeconds, 5.0)];
        assert_eq!(story.succeeds(&by_hand("a"), &done, &measures, Notices::Problems), None);
        let figures = Figures { seconds: 5.0, tables: Some(13), rows: Some(7), bytes: Some(9) };
        let told = story.succeeds(&by_hand("b"), &done, &measures, Notices::All);
        assert_eq!(told, Some(Item::Succeeded(figures)));
        let again = json!({ "already_done": true, "warnings": ["old"] });
        assert_eq!(story.succeeds(&by_hand("c"), &again, &measures, Notices::All), None);
    }

    #[test]
    fn a_reminder_is_told_to_everybody_and_is_no_report() {
        let mut story = Story::of(Job::Report);
        let asked = Asked::of(&json!({ "remind": "offline-copy" }), "a");
        let reminded = json!({ "reminder": "offline-copy" });
        let told = story.succeeds(&asked, &reminded, &[], Notices::Problems);
        assert_eq!(told, Some(Item::Reminder(Reminder::OfflineCopy)));
        let reported = json!({ "month": "2026-10" });
        let told = story.succeeds(&by_hand("b"), &reported, &[], Notices::Problems);
        assert!(matches!(told, Some(Item::Report(_))), "{told:?}");
    }

    #[test]
    fn what_is_odd_about_a_success_is_told_unasked() {
        let odd = |job, summary: Value, measures: &[Measure]| match Story::of(job).succeeds(
            &by_hand("a"),
            &summary,
            measures,
            Notices::Problems,
        ) {
            Some(Item::Odd(oddities)) => oddities,
            None => Vec::new(),
            other => panic!("{other:?}"),
        };
        let measured = |job, metric, value| odd(job, json!({}), &[(metric, value)]);
        for (job, metric, limit, expected) in [
            (Job::Backup, Metric::SizeDeviationPercent, 30.0, Oddity::Size { percent: 30.5 }),
            (Job::Backup, Metric::DurationSeconds, 1800.0, Oddity::Slow { seconds: 1800.5 }),
            (
                Job::RestoreTest,
                Metric::RestoreSeconds,
                14_400.0,
                Oddity::SlowRestore { seconds: 14_400.5 },
            ),
            (
                Job::Verify,
                Metric::LastGoodBackupAgeSeconds,
                93_600.0,
                Oddity::Stale { seconds: 93_600.5 },
            ),
        ] {
            assert_eq!(measured(job, metric, limit), [], "{metric:?}");
            assert_eq!(measured(job, metric, limit + 0.5), [expected]);
        }
        assert_eq!(measured(Job::Verify, Metric::DurationSeconds, 5000.0), []);
        let behind = |age| {
            let two =
                [(Metric::ReplicaBehindSeconds, 86_400.0), (Metric::LastGoodBackupAgeSeconds, age)];
            odd(Job::Verify, json!({}), &two)
        };
        assert_eq!(behind(600.0), [], "S3 has some time to copy it");
        assert_eq!(behind(10_800.0), [Oddity::ReplicaBehind { seconds: 86_400.0 }]);
        assert_eq!(
            odd(Job::Cleanup, json!({ "warnings": ["x", "y"] }), &[]),
            [Oddity::Warnings { count: 2 }]
        );
        assert_eq!(
            odd(Job::Cleanup, json!({ "lease_of_the_dead": RESTORE }), &[]),
            [Oddity::DeadRun]
        );
        assert_eq!(odd(Job::Cleanup, json!({ "dry_run": true, "warnings": ["x"] }), &[]), []);
    }

    #[test]
    fn every_turn_of_a_restore_is_told_and_no_step_between() {
        let step = |step: &str, said: Value| {
            let event =
                json!({ "restore": RESTORE, "step": step, "error": { "Error": "Refused" } });
            let told = Story::of(Job::Restore).succeeds(
                &Asked::of(&event, "a"),
                &said,
                &[],
                Notices::Problems,
            );
            match told {
                Some(Item::Restore { turn, restore, cause }) => {
                    assert_eq!(restore, RESTORE);
                    assert_eq!(cause, (turn == Turn::Failed).then_some(Cause::Refused));
                    Some(turn)
                }
                None => None,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(step("plan", json!({ "dry_run": false })), Some(Turn::Begun));
        assert_eq!(step("plan", json!({ "dry_run": true })), None);
        for (name, stage, turn) in [
            ("promote", "restored", Some(Turn::Done)),
            ("undo", "undone", Some(Turn::Undone)),
            ("discard", "failed", Some(Turn::Failed)),
            ("discard", "cancelled", Some(Turn::Cancelled)),
            ("discard", "restored", Some(Turn::Done)),
            ("verify", "staged", None),
            ("load", "loading", None),
        ] {
            assert_eq!(step(name, json!({ "stage": stage })), turn, "{name} {stage}");
        }
    }

    #[test]
    fn steps_that_fail_are_no_news_where_another_tells_how_it_ended() {
        let fails = |step: &str, kind| {
            let event = json!({ "restore": RESTORE, "step": step });
            Story::of(Job::Restore).fails(&Asked::of(&event, "a"), &failure(kind), 5).is_some()
        };
        for step in ["plan", "choose", "prepare", "load", "verify", "prove"] {
            assert!(
                !fails(step, ErrorType::Integrity) && !fails(step, ErrorType::Locked),
                "{step}"
            );
        }
        for step in ["promote", "undo", "discard"] {
            assert!(!fails(step, ErrorType::Unavailable), "{step} is tried again");
            assert!(fails(step, ErrorType::Failed), "{step}: nobody else tells it");
        }
        assert!(fails("clean-up", ErrorType::Failed));
    }

    #[test]
    fn an_event_can_put_no_words_of_its_own_into_a_notice() {
        let event =
            json!({ "restore": "maria da silva", "step": "plan", "error": { "Error": "maria" } });
        let asked = Asked::of(&event, "a");
        assert_eq!((asked.restore, asked.cause), (None, Some(Cause::Failed)));
    }
}
