//! A month of the calendar that the clinic lives by.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One month, e.g. `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    first: Date,
}

/// A text that names no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a month as 2026-10, got {given:?}")]
pub struct NotAMonth {
    given: String,
}

impl Month {
    /// The month before the one that `now` lies in.
    pub fn before(now: Timestamp, zone: &TimeZone) -> Self {
        let this = now.to_zoned_datetime(zone.clone()).date().first_of_month();
        Self { first: this.yesterday().unwrap_or(this).first_of_month() }
    }

    /// When it begins, and when the next one does.
    pub fn span(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let next = self.first.last_of_month().tomorrow().unwrap_or(Date::MAX);
        (start(self.first, zone, Timestamp::MIN), start(next, zone, Timestamp::MAX))
    }
}

/// The first moment of a day; at the ends of time there is none, and `otherwise` is as good.
fn start(day: Date, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    day.to_zoned_datetime(zone.clone()).map_or(otherwise, |start| start.timestamp())
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let wrong = || NotAMonth { given: text.to_owned() };
        let first: Date = format!("{text}-01").parse().map_err(|_| wrong())?;
        let month = Self { first };
        if month.to_string() == text { Ok(month) } else { Err(wrong()) }
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sao_paulo() -> TimeZone {
        TimeZone::get("America/Sao_Paulo").unwrap()
    }

    #[test]
    fn the_month_before_is_the_clinics_not_greenwichs() {
        let at = |text: &str| Month::before(text.parse().unwrap(), &sao_paulo()).to_string();
        assert_eq!(at("2026-11-01T08:00:00Z"), "2026-10");
        assert_eq!(at("2026-11-01T02:59:59Z"), "2026-09", "in Sao Paulo it is still October");
        assert_eq!(at("2027-01-15T00:00:00Z"), "2026-12");
    }

    #[test]
    fn a_month_spans_from_midnight_to_midnight_there() {
        let span = |text: &str| {
            let (from, until) = text.parse::<Month>().unwrap().span(&sao_paulo());
            [from.to_string(), until.to_string()]
        };
        assert_eq!(span("2026-02"), ["2026-02-01T03:00:00Z", "2026-03-01T03:00:00Z"]);
        assert_eq!(
            span("2018-11"),
            ["2018-11-01T03:00:00Z", "2018-12-01T02:00:00Z"],
            "summer time began within it"
        );
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-1", "2026-10-01", "10-2026", " 2026-10"] {
            let refused = text.parse::<Month>().unwrap_err().to_string();
            assert_eq!(refused, format!("expected a month as 2026-10, got {text:?}"));
        }
    }
}
