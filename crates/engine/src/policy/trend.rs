//! Is a backup as large as those before it?

use jiff::{SignedDuration, Timestamp};

/// How far back backups are compared with.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// By how many percent `size` differs from the mean of the sizes of the last seven days before `now`;
/// `None` if there is nothing to compare with.
pub fn deviation_percent(
    before: impl IntoIterator<Item = (Timestamp, u64)>,
    now: Timestamp,
    size: u64,
) -> Option<f64> {
    let recent =
        before.into_iter().filter(|(at, _)| *at < now && now.duration_since(*at) <= WINDOW);
    let (count, sum) =
        recent.fold((0_u32, 0.0), |(count, sum), (_, size)| (count + 1, sum + size as f64));
    let mean = sum / f64::from(count);
    (mean > 0.0).then(|| (size as f64 - mean).abs() / mean * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        "2026-11-01T06:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
    }

    #[test]
    fn a_backup_is_measured_by_the_mean_of_a_week() {
        let history = [(at(0), 5000), (at(5), 90), (at(6), 110)];
        let percent = |size| deviation_percent(history, at(10), size);
        assert_eq!(percent(100), Some(0.0));
        assert_eq!(percent(130), Some(30.0));
        assert_eq!(percent(65), Some(35.0), "less is as odd as more");
    }

    #[test]
    fn without_a_week_before_there_is_nothing_to_say() {
        assert_eq!(deviation_percent([], at(0), 10), None);
        assert_eq!(deviation_percent([(at(0), 10)], at(8), 10), None, "too long ago");
        assert_eq!(deviation_percent([(at(0), 10)], at(0), 10), None, "itself");
        assert_eq!(deviation_percent([(at(0), 0)], at(1), 10), None, "no ratio to nothing");
    }
}
