//! When a data key is due for replacement.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::model::{KeyId, RunId};

/// Does this key still seal new data at `now`? A new one is due each calendar month (UTC).
pub fn is_current(key: &KeyId, now: Timestamp) -> bool {
    let month = |at: Timestamp| {
        let day = TimeZone::UTC.to_datetime(at).date();
        (day.year(), day.month())
    };
    key.created().is_some_and(|created| month(created) == month(now))
}

/// A run seals what it read within this time of its start.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(48);

/// Can what this run wrote have been sealed with this key, which seals in its own month alone ([`is_current`])?
pub fn may_have_sealed(key: &KeyId, run: &RunId) -> bool {
    let (Some(created), Some(started)) = (key.created(), run.started()) else { return true };
    is_current(key, started) && created <= started
        || (started..=started.saturating_add(LONGEST_RUN).unwrap_or(started)).contains(&created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeyPurpose, Scope};

    #[test]
    fn a_key_lasts_to_the_end_of_its_month() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let key = KeyId::new(KeyPurpose::Rows, Scope::Shared, at("2026-11-30T23:59:59Z"), [0; 4]);
        assert!(is_current(&key, at("2026-11-30T23:59:59Z")));
        assert!(!is_current(&key, at("2026-12-01T00:00:00Z")));
        assert!(!is_current(&key, at("2027-11-30T00:00:00Z")));
    }

    #[test]
    fn a_key_sealed_what_was_written_in_its_month_once_it_was_made() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let made = at("2026-11-05T06:00:07Z");
        let key = KeyId::new(KeyPurpose::Rows, Scope::Shared, made, [0; 4]);
        let sealed = |text: &str| may_have_sealed(&key, &RunId::new(at(text), [1; 4]));
        assert!(sealed("2026-11-05T06:00:00Z"), "the run that made it");
        assert!(sealed("2026-11-03T07:00:00Z"), "a run that was long at work");
        assert!(sealed("2026-11-30T23:59:59Z"));
        assert!(!sealed("2026-11-02T06:00:00Z"));
        assert!(!sealed("2026-12-01T00:00:00Z"));
    }
}
