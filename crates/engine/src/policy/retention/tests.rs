use jiff::{SignedDuration, civil::DateTime};
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The moment of a local time; where clocks skip it, the one after.
fn local(text: &str, zone: &TimeZone) -> Timestamp {
    text.parse::<DateTime>().unwrap().to_zoned_datetime(zone.clone()).unwrap().timestamp()
}

fn good(at: Timestamp) -> Candidate {
    Candidate { state: State::Good, ..Candidate::new(RunId::new(at, [0; 4])) }
}

fn utc(text: &str) -> Timestamp {
    local(text, &TimeZone::UTC)
}

/// The local times of what is kept, each with its reasons.
fn kept(candidates: &[Candidate], rules: &str, now: &str) -> Vec<String> {
    let rules = rules.parse().unwrap();
    let verdicts = plan(candidates, &rules, &TimeZone::UTC, utc(now));
    let kept = verdicts.iter().filter(|verdict| verdict.is_kept());
    kept.map(|verdict| {
        let reasons: Vec<_> = verdict.kept.iter().map(ToString::to_string).collect();
        let at = verdict.backup.started().unwrap().strftime("%Y-%m-%dT%H").to_string();
        format!("{at}: {}", reasons.join(", "))
    })
    .collect()
}

const ONLY_DAYS: &str = "daily=2,weekly=0,monthly=0,yearly=0,last=0,within=0";

#[test]
fn every_reason_is_told() {
    let days =
        ["2026-01-05T03", "2026-02-01T03", "2026-02-02T03", "2026-02-02T09", "2026-02-03T03"];
    let mut all: Vec<_> = days.map(|day| good(utc(&format!("{day}:00:00")))).into();
    all[3].state = State::Damaged;
    assert_eq!(
        kept(&all, "daily=2,weekly=1,monthly=2,yearly=1,last=1,within=1", "2026-02-03T12:00:00"),
        [
            "2026-01-05T03: first of 2026-01, first of 2026",
            "2026-02-01T03: first of 2026-02",
            "2026-02-02T03: first of 2026-02-02, first of the week of 2026-02-02",
            "2026-02-03T03: first of 2026-02-03, among the last, recent, the newest, the newest good one",
        ]
    );
}

#[test]
fn the_first_of_a_day_stays_chosen_whatever_is_made_after_it() {
    let mut day: Vec<_> =
        (0..20).map(|hour| good(utc(&format!("2026-05-01T{hour:02}:00:00")))).collect();
    day.extend([good(utc("2026-05-02T03:00:00")), good(utc("2026-05-03T03:00:00"))]);
    let kept =
        kept(&day, "daily=3,weekly=0,monthly=0,yearly=0,last=0,within=0", "2026-05-03T04:00:00");
    assert_eq!(
        kept,
        [
            "2026-05-01T00: first of 2026-05-01",
            "2026-05-02T03: first of 2026-05-02",
            "2026-05-03T03: first of 2026-05-03, the newest, the newest good one",
        ]
    );
}

#[test]
fn days_without_a_backup_cost_none() {
    let all = ["2025-03-01T03", "2025-03-02T03", "2026-06-01T03"];
    let all = all.map(|day| good(utc(&format!("{day}:00:00"))));
    let kept = kept(&all, ONLY_DAYS, "2026-06-20T00:00:00");
    assert_eq!(
        kept,
        [
            "2025-03-02T03: first of 2025-03-02",
            "2026-06-01T03: first of 2026-06-01, the newest, the newest good one",
        ]
    );
}

#[test]
fn what_is_not_known_to_be_good_pushes_nothing_good_out() {
    let day =
        |day: u32, state| Candidate { state, ..good(utc(&format!("2026-05-{day:02}T03:00:00"))) };
    let mut all = vec![day(1, State::Good), day(2, State::Good)];
    let before = kept(&all, ONLY_DAYS, "2026-05-31T00:00:00");
    all.extend((3..20).map(|at| day(at, State::Damaged)));
    all.extend((20..31).map(|at| day(at, State::Unverified)));
    let after = kept(&all, ONLY_DAYS, "2026-05-31T00:00:00");
    assert_eq!(before[0], "2026-05-01T03: first of 2026-05-01");
    assert_eq!(
        after,
        [
            "2026-05-01T03: first of 2026-05-01",
            "2026-05-02T03: first of 2026-05-02, the newest good one",
            "2026-05-29T03: first of 2026-05-29",
            "2026-05-30T03: first of 2026-05-30, the newest",
        ]
    );
}

#[test]
fn all_of_the_last_days_stay_by_the_local_clock() {
    let new_york = zone("America/New_York");
    let rules = "daily=1,weekly=0,monthly=0,yearly=0,last=0,within=2".parse().unwrap();
    // The clock sprang forward at 02:00 on the 8th: two days ago is 47 hours ago.
    let times = ["07T11:59:59", "07T12:00:00", "07T12:00:01", "08T03:00:00", "09T12:00:00"];
    let all = times.map(|time| good(local(&format!("2026-03-{time}"), &new_york)));
    let now = local("2026-03-09T12:00:00", &new_york);
    let kept: Vec<_> = plan(&all, &rules, &new_york, now)
        .iter()
        .map(|verdict| verdict.kept.contains(&Reason::Within))
        .collect();
    assert_eq!(kept, [false, true, true, true, true]);

    // However many there are, and whatever is known of them.
    let mut flood: Vec<_> = (0..24 * 60)
        .map(|minute| good(utc("2026-03-08T12:00:00") + SignedDuration::from_mins(minute)))
        .collect();
    flood[7].state = State::Damaged;
    flood[8].state = State::Unverified;
    let verdicts = plan(&flood, &rules, &TimeZone::UTC, utc("2026-03-09T12:00:00"));
    assert!(verdicts.iter().all(|verdict| verdict.kept.contains(&Reason::Within)));
}

#[test]
fn what_is_dated_in_the_future_neither_goes_nor_counts() {
    let mut all = vec![good(utc("2026-05-01T03:00:00")), good(utc("2026-05-02T03:00:00"))];
    let before = kept(&all, ONLY_DAYS, "2026-05-03T00:00:00");
    all.extend((4..30).map(|day| good(utc(&format!("2026-05-{day:02}T03:00:00")))));
    let after = kept(&all, ONLY_DAYS, "2026-05-03T00:00:00");
    assert_eq!(after[..2], before);
    assert!(after[2..].iter().all(|kept| kept.ends_with(": dated in the future")), "{after:?}");
}

#[test]
fn what_is_pinned_used_tested_or_locked_stays_and_says_so() {
    let mut all: Vec<_> =
        (1..9).map(|day| good(utc(&format!("2026-05-{day:02}T03:00:00")))).collect();
    all[0].pinned = true;
    all[1].in_use = true;
    all[2].tested = true;
    all[3].tested = true;
    all[4].locked_until = Some(utc("2026-05-08T05:00:00"));
    all[5].locked_until = Some(utc("2026-05-08T04:00:00"));
    let kept = kept(&all, ONLY_DAYS, "2026-05-08T04:00:00");
    assert_eq!(
        kept,
        [
            "2026-05-01T03: pinned",
            "2026-05-02T03: a restore uses it",
            "2026-05-04T03: the newest that a restore proved",
            "2026-05-05T03: locked until 2026-05-08T05:00:00Z",
            "2026-05-07T03: first of 2026-05-07",
            "2026-05-08T03: first of 2026-05-08, the newest, the newest good one",
        ]
    );
}

#[test]
fn what_goes_is_told_why() {
    let all = ["2026-04-01T03", "2026-05-01T03", "2026-05-01T04", "2026-05-02T03", "2026-05-03T03"];
    let all = all.map(|day| good(utc(&format!("{day}:00:00"))));
    let verdicts =
        plan(&all, &ONLY_DAYS.parse().unwrap(), &TimeZone::UTC, utc("2026-05-03T04:00:00"));
    let goes: Vec<_> = verdicts.iter().filter_map(|verdict| verdict.goes.as_deref()).collect();
    assert_eq!(
        goes,
        [
            "first of its year, but no rule reaches back to that year",
            "first of its month, but no rule reaches back to that month",
            "20260501T030000Z-00000000 is the first of its day",
        ]
    );
}

/// From the rules of the calendar alone, without the code above.
fn expected(days: &[Date], rules: &Rules) -> BTreeSet<Date> {
    let newest = |wanted: u32, is_first: &dyn Fn(Date) -> bool| {
        let firsts = days.iter().rev().copied().filter(|day| is_first(*day));
        firsts.take(wanted as usize).collect::<Vec<_>>()
    };
    let oldest = days[0];
    let [daily, weekly, monthly, yearly] = [
        newest(rules.daily, &|_| true),
        newest(rules.weekly, &|day| day.weekday() == jiff::civil::Weekday::Monday || day == oldest),
        newest(rules.monthly, &|day| day.day() == 1 || day == oldest),
        newest(rules.yearly, &|day| day.day_of_year() == 1 || day == oldest),
    ];
    [daily, weekly, monthly, yearly].concat().into_iter().collect()
}

/// Each night a backup, then a cleanup: for twenty years, through summer times and leap years.
#[test]
fn twenty_years_of_nights_leave_exactly_the_expected_set() {
    // In São Paulo clocks went from 00:00 to 01:00 until 2018, in Berlin they go from 02:00 to 03:00.
    for (name, time) in [("America/Sao_Paulo", "00:30:00"), ("Europe/Berlin", "02:30:00")] {
        let (zone, rules) = (zone(name), Rules { yearly: 15, ..Rules::default() });
        let (mut there, mut days) = (Vec::<Candidate>::new(), Vec::new());
        let mut day: Date = "2004-02-28".parse().unwrap();
        while day < "2024-03-02".parse().unwrap() {
            let now = local(&format!("{day}T{time}"), &zone);
            days.push(day);
            there.push(good(now));
            let verdicts = plan(&there, &rules, &zone, now);
            there.retain(|one| {
                verdicts.iter().any(|verdict| verdict.backup == one.backup && verdict.is_kept())
            });
            day = day.tomorrow().unwrap();
        }
        let left: BTreeSet<_> = there.iter().map(|one| Dated::new(one, &zone).day).collect();
        assert_eq!(left, expected(&days, &rules), "{name}");
        assert_eq!(left.len(), there.len(), "{name}: one a day");
        // Weeks, months and years share some of their first days with those before them: 30 + 8 + 9 + 14.
        assert_eq!(there.len(), 61, "{name}");
    }
}

#[test]
fn a_lock_lasts_as_long_as_the_rule_that_keeps_a_backup() {
    let zone = zone("America/Sao_Paulo");
    let lock = |day: &str, others: &[&str]| {
        let others: Vec<_> = others.iter().map(|day| good(local(day, &zone))).collect();
        let new = RunId::new(local(day, &zone), [1; 4]);
        let until = lock_of_new(&new, &others, &Rules::default(), &zone).unwrap();
        until.to_zoned_datetime(zone.clone()).datetime().to_string()
    };
    assert_eq!(lock("2028-02-29T03:00:00", &[]), "2048-02-29T03:00:00", "the first of all");
    let new_year = "2026-01-01T03:00:00";
    assert_eq!(lock("2026-02-01T03:00:00", &[new_year]), "2027-02-01T03:00:00", "of a month");
    let both = [new_year, "2026-02-01T03:00:00"];
    assert_eq!(lock("2026-02-02T03:00:00", &both), "2026-04-27T03:00:00", "of a week");
    let week = [new_year, "2026-02-01T03:00:00", "2026-02-02T03:00:00"];
    assert_eq!(lock("2026-02-03T03:00:00", &week), "2026-03-05T03:00:00", "of a day");
    assert_eq!(lock("2026-02-02T19:00:00", &week), "2026-02-04T19:00:00", "one more of a day");
}

#[test]
fn a_bad_first_hands_its_lock_on() {
    let mut all = vec![good(utc("2026-01-01T03:00:00")), good(utc("2026-01-02T03:00:00"))];
    all[0].state = State::Damaged;
    let verdicts = plan(&all, &Rules::default(), &TimeZone::UTC, utc("2026-01-02T04:00:00"));
    assert_eq!(verdicts[0].lock_until, None);
    assert_eq!(verdicts[1].lock_until, Some(utc("2046-01-02T03:00:00")));
}

const DAYS: i64 = 3 * 366;

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let state = prop_oneof![Just(State::Good), Just(State::Unverified), Just(State::Damaged)];
    let candidate = (0..DAYS * 24, any::<[u8; 4]>(), state, any::<[bool; 3]>());
    let candidate = candidate.prop_map(|(hour, random, state, [tested, pinned, in_use])| {
        let at = utc("2026-01-01T00:00:00") + SignedDuration::from_hours(hour);
        let few = |flag: bool, nth: u8| flag && random[0] % 16 == nth;
        Candidate {
            state,
            tested,
            pinned: few(pinned, 1),
            in_use: few(in_use, 2),
            ..Candidate::new(RunId::new(at, random))
        }
    });
    prop::collection::vec(candidate, 0..120)
}

fn rules() -> impl Strategy<Value = Rules> {
    (1..9_u32, 0..5_u32, 0..5_u32, 0..4_u32, 0..4_u32, 0..3_u32).prop_map(
        |(daily, weekly, monthly, yearly, last, within)| Rules {
            daily,
            weekly,
            monthly,
            yearly,
            last,
            within,
        },
    )
}

fn at(hour: i64) -> Timestamp {
    utc("2026-01-01T00:00:00") + SignedDuration::from_hours(hour)
}

fn names(verdicts: &[Verdict]) -> BTreeSet<RunId> {
    verdicts.iter().filter(|one| one.is_kept()).map(|one| one.backup.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_plan_drops_the_newest_good_one_or_what_was_asked_to_stay(
        all in candidates(), rules in rules(), hour in 0..DAYS * 24,
    ) {
        let now = at(hour);
        let kept = names(&plan(&all, &rules, &zone("America/Sao_Paulo"), now));
        let past = || all.iter().filter(|one| one.backup.started().unwrap() <= now + AHEAD);
        let newest = |is: &dyn Fn(&&Candidate) -> bool| past().filter(is).map(|one| one.backup.clone()).max();
        for must in [
            newest(&|one| one.state == State::Good),
            newest(&|_| true),
            newest(&|one| one.state > State::Damaged),
            newest(&|one| one.tested && one.state == State::Good),
        ] {
            prop_assert!(must.is_none_or(|must| kept.contains(&must)));
        }
        for one in all.iter().filter(|one| one.pinned || one.in_use) {
            prop_assert!(kept.contains(&one.backup));
        }
    }

    #[test]
    fn more_backups_that_are_not_good_never_push_a_good_one_out(
        all in candidates(), more in candidates(), rules in rules(), hour in 0..DAYS * 24,
    ) {
        let zone = zone("America/Sao_Paulo");
        // As the newest ones are kept for another reason, which may well be another backup's by then.
        let chosen = |all: &[Candidate]| -> BTreeSet<RunId> {
            let verdicts = plan(all, &rules, &zone, at(hour));
            let good = verdicts.into_iter().filter(|one| one.state == State::Good);
            good.filter(Verdict::is_kept).map(|one| one.backup).collect()
        };
        let among_good: Vec<_> =
            all.iter().filter(|one| one.state == State::Good).cloned().collect();
        let bad = more.into_iter().map(|one| Candidate { state: one.state.min(State::Unverified), ..one });
        let flooded: Vec<_> = all.iter().cloned().chain(bad).collect();
        prop_assert!(chosen(&among_good).is_subset(&chosen(&flooded)));
    }

    #[test]
    fn a_flood_within_the_days_there_are_pushes_nothing_chosen_out(
        all in candidates(), rules in rules(), hour in 0..DAYS * 24, flood in prop::collection::vec(0..24_i64 * 60, 0..60),
    ) {
        let (zone, now) = (TimeZone::UTC, at(hour));
        let by_calendar = |all: &[Candidate]| -> BTreeSet<RunId> {
            let is_first = |one: &Verdict| one.kept.iter().any(|why| matches!(why, Reason::First(..)));
            plan(all, &rules, &zone, now).into_iter().filter(is_first).map(|one| one.backup).collect()
        };
        // As good as real ones, and later than the real one of their day.
        let flood = all.iter().flat_map(|real| {
            let made = real.backup.started().unwrap();
            flood.iter().map(move |minutes| made + SignedDuration::from_mins(*minutes))
                .filter(move |fake| zone_day(*fake) == zone_day(made))
                .map(|fake| Candidate { state: real.state, ..good(fake + SignedDuration::from_secs(1)) })
        });
        let flooded: Vec<_> = all.iter().cloned().chain(flood).collect();
        prop_assert!(by_calendar(&all).is_subset(&by_calendar(&flooded)));
    }

    #[test]
    fn to_drop_now_and_later_leaves_what_dropping_later_does(
        all in candidates(), rules in rules(), hours in (0..DAYS * 24, 0..DAYS * 24),
    ) {
        let zone = zone("America/Sao_Paulo");
        let (sooner, later) = (at(hours.0.min(hours.1)), at(hours.0.max(hours.1)));
        let dropped = names(&plan(&all, &rules, &zone, sooner));
        let left: Vec<_> = all.iter().filter(|one| dropped.contains(&one.backup)).cloned().collect();
        let at_once = names(&plan(&all, &rules, &zone, later));
        let in_steps = names(&plan(&left, &rules, &zone, later));
        prop_assert_eq!(at_once, in_steps);
    }

    #[test]
    fn what_is_chosen_is_locked_until_the_rule_would_let_it_go(
        all in candidates(), rules in rules(), hour in 0..DAYS * 24,
    ) {
        for verdict in plan(&all, &rules, &TimeZone::UTC, at(hour)) {
            let made = verdict.backup.started().unwrap();
            if let Some(until) = verdict.lock_until {
                prop_assert!(until > at(hour) && made < until);
                prop_assert!(verdict.is_kept() && verdict.state > State::Damaged);
            }
        }
    }
}

fn zone_day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

#[test]
fn a_lock_that_is_made_longer_is_made_a_quarter_longer_than_needed() {
    let now = utc("2026-05-01T00:00:00");
    let need = |days: i64| {
        let Need { at_least, until } =
            Need::with_room(now + SignedDuration::from_hours(24 * days), now);
        [at_least, until].map(|end| end.duration_since(now).as_hours() / 24)
    };
    assert_eq!(need(-1), [-1, -1]);
    assert_eq!(need(28), [28, 35]);
    assert_eq!(need(7305), [7305, 7395]);
}
