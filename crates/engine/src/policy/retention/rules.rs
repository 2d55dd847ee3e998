//! How many backups of each kind are kept, as settings say it: `daily=30,weekly=12,monthly=12,yearly=20`.

use std::{fmt, str::FromStr};

/// More years than S3 locks an object for.
const MOST: u32 = 36_500;

/// How many backups of each kind are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Days of which the first backup is kept.
    pub daily: u32,
    /// Weeks, from Monday on, of which the first backup is kept.
    pub weekly: u32,
    /// Months of which the first backup is kept.
    pub monthly: u32,
    /// Years of which the first backup is kept.
    pub yearly: u32,
    /// So many of the newest backups are kept, whatever their days.
    pub last: u32,
    /// All backups of so many days are kept.
    pub within: u32,
}

impl Default for Rules {
    /// What the law asks of patients' records: twenty years.
    fn default() -> Self {
        Self { daily: 30, weekly: 12, monthly: 12, yearly: 20, last: 3, within: 2 }
    }
}

/// A text that is no set of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRules {
    /// A part is not `kind=number`.
    #[error(
        "expected daily, weekly, monthly, yearly, last or within, = and a number up to {MOST}, got {0:?}"
    )]
    Part(String),
    /// A kind is given twice.
    #[error("{0} is given twice")]
    Twice(String),
    /// Every kind would be empty.
    #[error("daily must be at least 1")]
    NoDays,
}

impl FromStr for Rules {
    type Err = NotRules;

    /// What is not named is as by default, so that nothing is dropped because it was forgotten.
    fn from_str(text: &str) -> Result<Self, NotRules> {
        let (mut rules, mut named) = (Self::default(), Vec::new());
        for part in text.split(',').map(str::trim) {
            let wrong = || NotRules::Part(part.to_owned());
            let (kind, number) = part.split_once('=').ok_or_else(wrong)?;
            let place = rules.of(kind).ok_or_else(wrong)?;
            *place = number.parse().ok().filter(|number| *number <= MOST).ok_or_else(wrong)?;
            if named.contains(&kind) {
                return Err(NotRules::Twice(kind.to_owned()));
            }
            named.push(kind);
        }
        if rules.daily == 0 { Err(NotRules::NoDays) } else { Ok(rules) }
    }
}

impl Rules {
    fn of(&mut self, kind: &str) -> Option<&mut u32> {
        Some(match kind {
            "daily" => &mut self.daily,
            "weekly" => &mut self.weekly,
            "monthly" => &mut self.monthly,
            "yearly" => &mut self.yearly,
            "last" => &mut self.last,
            "within" => &mut self.within,
            _ => return None,
        })
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { daily, weekly, monthly, yearly, last, within } = self;
        write!(
            f,
            "daily={daily},weekly={weekly},monthly={monthly},yearly={yearly},last={last},within={within}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_as_by_default() {
        let rules: Rules = "daily=7, yearly=0".parse().unwrap();
        assert_eq!(rules, Rules { daily: 7, yearly: 0, ..Rules::default() });
        assert_eq!(rules.to_string().parse(), Ok(rules));
    }

    #[test]
    fn what_is_no_rule_is_refused_by_its_text() {
        let said = |text: &str| text.parse::<Rules>().unwrap_err().to_string();
        for part in ["", "daily", "daily=", "daily=-1", "hourly=3", "Daily=3", "daily=99999"] {
            assert!(said(part).ends_with(&format!("got {part:?}")), "{}", said(part));
        }
        assert_eq!(said("daily=3,weekly=1,daily=4"), "daily is given twice");
        assert_eq!(said("daily=0"), "daily must be at least 1");
    }
}
