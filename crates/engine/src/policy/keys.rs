//! When a data key is due for replacement.

use jiff::{Timestamp, tz::TimeZone};

use crate::model::KeyId;

/// Does this key still seal new data at `now`? A new one is due each calendar month (UTC).
pub fn is_current(key: &KeyId, now: Timestamp) -> bool {
    let month = |at: Timestamp| {
        let day = TimeZone::UTC.to_datetime(at).date();
        (day.year(), day.month())
    };
    key.created().is_some_and(|created| month(created) == month(now))
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
}
