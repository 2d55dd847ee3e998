//! When a schedule starts its job next: the expressions of `EventBridge` Scheduler, reckoned in their time zone.
//!
//! A time that clocks skip in spring starts nothing that day; one that they show twice in autumn counts once.

use std::ops::RangeInclusive;

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// Days looked ahead: the 29th of February is never further away.
const MOST_DAYS: usize = 366 * 8 + 1;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The first moment after `now` at which `cron(...)` or `at(...)` is due in `zone`; `None` if there is none, or
/// if it can't be told, as for `rate(...)`, which counts from a moment that only the service knows.
pub fn next(expression: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let (kind, rest) = expression.trim().split_once('(')?;
    let content = rest.strip_suffix(')')?;
    match kind {
        "cron" => Cron::parse(content)?.next(zone, now),
        "at" => moment(content.parse().ok()?, zone).filter(|at| *at > now),
        _ => None,
    }
}

/// Minutes, hours, day of month, month, day of week, year.
struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    day: Days,
    months: Vec<i16>,
    weekday: Weekdays,
    years: Vec<i16>,
}

/// Days of a month.
enum Days {
    Any,
    Of(Vec<i16>),
    Last,
    LastWorkday,
    /// The workday nearest to this one, within the month.
    WorkdayNear(i8),
}

/// Days of a week, 1 for Sunday.
enum Weekdays {
    Any,
    Of(Vec<i16>),
    /// The last such day of the month.
    Last(i16),
    /// The n-th such day of the month.
    Nth(i16, i8),
}

impl Cron {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [minutes, hours, day, months, weekday, years] = fields[..] else { return None };
        Some(Self {
            minutes: values(minutes, 0..=59, &[])?,
            hours: values(hours, 0..=23, &[])?,
            day: Days::parse(day)?,
            months: values(months, 1..=12, &MONTHS)?,
            weekday: Weekdays::parse(weekday)?,
            years: values(years, 1970..=2199, &[])?,
        })
    }

    fn next(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned_datetime(zone.clone()).date();
        let days = std::iter::successors(Some(today), |day| day.tomorrow().ok());
        days.take(MOST_DAYS)
            .filter(|day| self.is_due_on(*day))
            .flat_map(|day| self.times().map(move |time| day.to_datetime(time)))
            .filter_map(|due| moment(due, zone))
            .find(|due| *due > now)
    }

    fn is_due_on(&self, day: Date) -> bool {
        self.years.contains(&day.year())
            && self.months.contains(&day.month().into())
            && self.day.contain(day)
            && self.weekday.contain(day)
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        self.hours.iter().flat_map(|&hour| {
            self.minutes.iter().filter_map(move |&minute| {
                Time::new(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()
            })
        })
    }
}

impl Days {
    fn parse(field: &str) -> Option<Self> {
        Some(match field {
            "?" | "*" => Self::Any,
            "L" => Self::Last,
            "LW" => Self::LastWorkday,
            _ => match field.strip_suffix('W') {
                Some(day) => Self::WorkdayNear(day.parse().ok()?),
                None => Self::Of(values(field, 1..=31, &[])?),
            },
        })
    }

    fn contain(&self, day: Date) -> bool {
        match self {
            Self::Any => true,
            Self::Of(days) => days.contains(&day.day().into()),
            Self::Last => day == day.last_of_month(),
            Self::LastWorkday => Some(day) == workday_near(day.last_of_month()),
            Self::WorkdayNear(number) => {
                let wanted = Date::new(day.year(), day.month(), *number);
                wanted.ok().and_then(workday_near) == Some(day)
            }
        }
    }
}

/// The nearest day from Monday to Friday in the same month.
fn workday_near(day: Date) -> Option<Date> {
    match day.weekday() {
        Weekday::Saturday if day.day() == 1 => day.tomorrow().ok()?.tomorrow().ok(),
        Weekday::Saturday => day.yesterday().ok(),
        Weekday::Sunday if day == day.last_of_month() => day.yesterday().ok()?.yesterday().ok(),
        Weekday::Sunday => day.tomorrow().ok(),
        _ => Some(day),
    }
}

impl Weekdays {
    fn parse(field: &str) -> Option<Self> {
        if matches!(field, "?" | "*") {
            return Some(Self::Any);
        }
        if let Some((day, nth)) = field.split_once('#') {
            return Some(Self::Nth(value(day, &WEEKDAYS, 1)?, nth.parse().ok()?));
        }
        match field.strip_suffix('L') {
            Some("") => Some(Self::Of(vec![7])),
            Some(day) => Some(Self::Last(value(day, &WEEKDAYS, 1)?)),
            None => Some(Self::Of(values(field, 1..=7, &WEEKDAYS)?)),
        }
    }

    fn contain(&self, day: Date) -> bool {
        let weekday = i16::from(day.weekday().to_sunday_one_offset());
        match self {
            Self::Any => true,
            Self::Of(days) => days.contains(&weekday),
            Self::Last(wanted) => weekday == *wanted && day.day() + 7 > day.days_in_month(),
            Self::Nth(wanted, nth) => weekday == *wanted && (day.day() - 1) / 7 + 1 == *nth,
        }
    }
}

/// The values that a field names, in order: `*`, numbers, words, ranges and steps, by commas.
fn values(field: &str, all: RangeInclusive<i16>, words: &[&str]) -> Option<Vec<i16>> {
    let mut values = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (*all.start(), *all.end()),
            Some((first, last)) => {
                (value(first, words, *all.start())?, value(last, words, *all.start())?)
            }
            None => {
                let only = value(range, words, *all.start())?;
                (only, if part.contains('/') { *all.end() } else { only })
            }
        };
        if !all.contains(&first) || !all.contains(&last) {
            return None;
        }
        values.extend((first..=last).step_by(step));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}

/// A number, or a word that counts from `least`.
fn value(text: &str, words: &[&str], least: i16) -> Option<i16> {
    let place = words.iter().position(|word| word.eq_ignore_ascii_case(text));
    match place {
        Some(place) => Some(least + i16::try_from(place).ok()?),
        None => text.parse().ok(),
    }
}

/// When the clocks of the zone show this for the first time, if they ever do.
fn moment(due: jiff::civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_timestamp(due);
    let skipped = matches!(shown.offset(), AmbiguousOffset::Gap { .. });
    if skipped { None } else { shown.compatible().ok() }
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
