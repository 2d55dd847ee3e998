//! When a schedule starts its job next: the expressions of `EventBridge` Scheduler, reckoned in their time zone.
//!
//! A time that clocks skip in spring starts nothing that day; one that they show twice in autumn counts once.

use std::cmp::Ordering;

use croner::{
    CivilDateTime, CronDateTime, Resolution, Weekday,
    errors::CronError,
    parser::{CronParser, Year},
};
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The first moment after `now` at which `cron(...)` or `at(...)` is due in `zone`; `None` if there is none, or
/// if it can't be told, as for `rate(...)`, which counts from a moment that only the service knows.
pub fn next(expression: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let (kind, rest) = expression.trim().split_once('(')?;
    let content = rest.strip_suffix(')')?;
    match kind {
        "cron" => due(content, zone, now),
        "at" => moment(content.parse().ok()?, zone).filter(|at| *at > now),
        _ => None,
    }
}

/// The first moment after `now` that fits minutes, hours, day of month, month, day of week and year.
fn due(fields: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let parser = CronParser::builder()
        .year(Year::Required)
        .alternative_weekdays(true) // 1 is Sunday
        .sloppy_ranges(true) // 0/15 is from 0 on
        .build();
    let mut fields: Vec<_> = fields.split_whitespace().collect();
    // The last day of the week, which the parser knows only as the last such day of a month.
    if let Some(weekday @ &mut "L") = fields.get_mut(4) {
        *weekday = "SAT";
    }
    // The parser knows seconds, and wants them with years.
    let cron = parser.parse(&format!("0 {}", fields.join(" "))).ok()?;
    let shown = Shown::of(now.to_zoned_datetime(zone.clone()).datetime())?;
    // What clocks show is looked for, and when they do is ours to say: the crate moves a skipped time to a later one.
    cron.iter_after(shown).filter_map(|due| moment(due.clock, zone)).find(|due| *due > now)
}

/// When the clocks of the zone show this for the first time, if they ever do.
fn moment(due: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_timestamp(due);
    let skipped = matches!(shown.offset(), AmbiguousOffset::Gap { .. });
    if skipped { None } else { shown.compatible().ok() }
}

/// What a clock shows, wherever it hangs, in the words of both crates. (What `croner` brings for `jiff` is for an older
/// version of it.)
#[derive(Debug, Clone, Copy)]
struct Shown {
    clock: DateTime,
    civil: CivilDateTime,
}

impl Shown {
    fn of(clock: DateTime) -> Option<Self> {
        let part = |number: i8| u32::try_from(number).ok();
        let (month, day) = (part(clock.month())?, part(clock.day())?);
        let (hour, minute, second) =
            (part(clock.hour())?, part(clock.minute())?, part(clock.second())?);
        let year = i32::from(clock.year());
        let civil = CivilDateTime::from_ymd_hms_opt(year, month, day, hour, minute, second)?;
        Some(Self { clock, civil })
    }

    fn of_civil(civil: CivilDateTime) -> Option<Self> {
        let part = |number: u32| i8::try_from(number).ok();
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let (hour, minute, second) =
            (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        let year = civil.year().try_into().ok()?;
        let clock = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Some(Self { clock, civil })
    }
}

impl CronDateTime for Shown {
    fn to_civil(&self) -> CivilDateTime {
        self.civil
    }

    fn civil_weekday(&self) -> Weekday {
        let after_sunday = self.clock.weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(after_sunday.unsigned_abs().into())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        Self::of_civil(civil).map(Resolution::Single).ok_or(CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        Self::of(self.clock.checked_add(SignedDuration::from_secs(seconds)).ok()?)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.clock.cmp(&other.clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(expression: &str, zone: &str, now: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        next(expression, &zone, now.parse().unwrap()).map(|at| at.to_string())
    }

    fn here(expression: &str) -> String {
        // A Tuesday, 09:30 in São Paulo.
        let next = due(expression, "America/Sao_Paulo", "2026-11-24T12:30:00Z");
        next.unwrap_or_else(|| "never".to_owned())
    }

    #[test]
    fn the_owners_times_are_those_of_the_clinic() {
        for (expression, expected) in [
            ("cron(0 2 * * ? *)", "2026-11-25T05:00:00Z"),
            ("cron(0 3 * * ? *)", "2026-11-25T06:00:00Z"),
            ("cron(0 4 ? * SUN *)", "2026-11-29T07:00:00Z"),
            ("cron(0 6 ? * MON *)", "2026-11-30T09:00:00Z"),
            ("cron(0 5 1 * ? *)", "2026-12-01T08:00:00Z"),
            ("cron(0 9 ? * SUN#1 *)", "2026-12-06T12:00:00Z"),
        ] {
            assert_eq!(here(expression), expected, "{expression}");
        }
    }

    #[test]
    fn every_form_of_a_field_is_read() {
        for (expression, expected) in [
            ("cron(31 9 * * ? *)", "2026-11-24T12:31:00Z"),
            ("cron(30 9 * * ? *)", "2026-11-25T12:30:00Z"),
            ("cron(0/15 9 * * ? *)", "2026-11-24T12:45:00Z"),
            ("cron(0 8,10-12 * * ? *)", "2026-11-24T13:00:00Z"),
            ("cron(*/20 22-23 ? * MON-FRI *)", "2026-11-25T01:00:00Z"),
            ("cron(0 0 L * ? *)", "2026-11-30T03:00:00Z"),
            ("cron(0 0 L FEB ? 2028)", "2028-02-29T03:00:00Z"),
            ("cron(0 0 29 2 ? *)", "2028-02-29T03:00:00Z"),
            ("cron(0 0 LW 1 ? 2027)", "2027-01-29T03:00:00Z"),
            ("cron(0 0 28W * ? 2026)", "2026-11-27T03:00:00Z"),
            ("cron(0 0 1W 5 ? 2027)", "2027-05-03T03:00:00Z"),
            ("cron(0 0 31W 1 ? 2027)", "2027-01-29T03:00:00Z"),
            ("cron(0 0 ? * 6#1 *)", "2026-12-04T03:00:00Z"),
            ("cron(0 0 ? * THUL *)", "2026-11-26T03:00:00Z"),
            ("cron(0 0 ? * L *)", "2026-11-28T03:00:00Z"),
            ("cron(0 0 ? * 1 *)", "2026-11-29T03:00:00Z"),
            ("at(2026-11-24T09:31:00)", "2026-11-24T12:31:00Z"),
            ("at(2026-11-24T09:30:00)", "never"),
            ("cron(0 0 1 1 ? 2026)", "never"),
            ("cron(0 0 30 2 ? *)", "never"),
            ("rate(5 minutes)", "never"),
            ("cron(60 0 * * ? *)", "never"),
            ("cron(0 0 * *)", "never"),
            ("cron(x 0 * * ? *)", "never"),
            ("cron(0/0 0 * * ? *)", "never"),
            ("", "never"),
        ] {
            assert_eq!(here(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_skipped_time_starts_nothing_and_a_repeated_one_counts_once() {
        let york = |expression, now| due(expression, "America/New_York", now).unwrap();
        let half_past_two = "cron(30 2 * * ? *)";
        assert_eq!(york(half_past_two, "2026-03-08T05:00:00Z"), "2026-03-09T06:30:00Z");
        let half_past_one = "cron(30 1 * * ? *)";
        assert_eq!(york(half_past_one, "2026-11-01T04:00:00Z"), "2026-11-01T05:30:00Z");
        assert_eq!(york(half_past_one, "2026-11-01T05:30:00Z"), "2026-11-02T06:30:00Z");
    }
}
