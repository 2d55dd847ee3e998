//! Which days and weeks of a month are judged.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::Facts;

pub(super) struct Calendar {
    zone: TimeZone,
    /// The first day of the month that is judged.
    first: Date,
    /// The first day that is not: of the next month, or today.
    end: Date,
    /// The day the vault began.
    began: Date,
}

impl Calendar {
    pub(super) fn of(facts: &Facts) -> Self {
        let zone = facts.zone.clone();
        let day = |at: Timestamp| at.to_zoned_datetime(zone.clone()).date();
        let began = day(facts.began);
        let first = day(facts.from).max(began);
        let end = day(facts.until).min(day(facts.now));
        Self { zone, first, end, began }
    }

    /// The day that a moment lies in.
    pub(super) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// The days that are judged.
    pub(super) fn days(&self) -> impl Iterator<Item = Date> {
        days(self.first).take_while(move |day| *day < self.end)
    }

    /// The days that are judged and before which the vault was there.
    pub(super) fn days_after_the_first(&self) -> impl Iterator<Item = Date> {
        self.days().filter(move |day| *day > self.began)
    }

    /// The Mondays of the weeks that are judged.
    pub(super) fn weeks(&self) -> impl Iterator<Item = Date> {
        let sundays = self.days().filter(|day| monday(*day) == *day - 6.days());
        sundays.map(monday).filter(move |monday| *monday >= self.began)
    }

    /// Of these days, those on which nothing of this happened.
    pub(super) fn without(
        of: impl Iterator<Item = Date>,
        happened: &BTreeSet<Date>,
    ) -> (u64, Vec<Date>) {
        let all: Vec<_> = of.collect();
        let count = all.len() as u64;
        (count, all.into_iter().filter(|day| !happened.contains(day)).collect())
    }
}

/// The Monday of a day's week.
pub(super) fn monday(day: Date) -> Date {
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

fn days(from: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |day| day.tomorrow().ok())
}
