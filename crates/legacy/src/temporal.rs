//! Dates and times as servers write them, with as many fractional digits as the column has.

/// The last moment that a TIMESTAMP can hold, on the servers that reach furthest.
const LAST_TIMESTAMP: &str = "2106-02-07 06:28:15";
const FIRST_TIMESTAMP: &str = "1970-01-01 00:00:01";
const ZERO: &str = "0000-00-00 00:00:00";

/// `2026-11-23`; days that are no days, but for those that servers keep, are none.
pub(crate) fn date(text: &str) -> Option<String> {
    is_date(text).then(|| text.to_owned())
}

/// `2026-11-23 06:00:00.5`, with `digits` after the point.
pub(crate) fn datetime(text: &str, digits: usize) -> Option<String> {
    let (day, time) = text.split_once(' ')?;
    let (clock, fraction) = split_fraction(time)?;
    let [hours, minutes, seconds] = parts(clock, [2, 2, 2], ':')?;
    let is_time = hours < 24 && minutes < 60 && seconds < 60;
    let fraction = fitted(fraction, digits)?;
    (is_date(day) && is_time).then(|| format!("{day} {clock}{fraction}"))
}

/// The same within what a TIMESTAMP can hold.
pub(crate) fn timestamp(text: &str, digits: usize) -> Option<String> {
    let written = datetime(text, digits)?;
    let second = written.get(..ZERO.len())?;
    let is_moment =
        (FIRST_TIMESTAMP..=LAST_TIMESTAMP).contains(&second) && !second[..10].contains("-00");
    (is_moment || second == ZERO).then_some(written)
}

/// `-838:59:59.5`, with `digits` after the point.
pub(crate) fn time(text: &str, digits: usize) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (clock, fraction) = split_fraction(rest)?;
    let hours_digits = clock.find(':')?;
    let [hours, minutes, seconds] = parts(clock, [hours_digits, 2, 2], ':')?;
    let is_padded = hours_digits == 2 || hours_digits == 3 && hours > 99;
    let is_time = is_padded && hours <= 838 && minutes < 60 && seconds < 60;
    let fraction = fitted(fraction, digits)?;
    is_time.then(|| format!("{sign}{clock}{fraction}"))
}

/// `2026`, or `0000`.
pub(crate) fn year(text: &str) -> Option<String> {
    let [year] = parts(text, [text.len()], '-')?;
    (year == 0 || (1901..=2155).contains(&year)).then(|| format!("{year:04}"))
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = parts(text, [4, 2, 2], '-') else { return false };
    let last = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        // Servers that are not strict keep dates with parts that are zero.
        _ => 31,
    };
    month <= 12 && day <= last
}

/// Numbers of so many digits each, with `separator` between them.
fn parts<const N: usize>(text: &str, digits: [usize; N], separator: char) -> Option<[u32; N]> {
    let mut found = [0; N];
    let mut pieces = text.split(separator);
    for (number, digits) in found.iter_mut().zip(digits) {
        let piece = pieces.next().filter(|piece| piece.len() == digits)?;
        *number = piece.bytes().all(|byte| byte.is_ascii_digit()).then(|| piece.parse().ok())??;
    }
    pieces.next().is_none().then_some(found)
}

/// What stands before the point, and after it.
fn split_fraction(text: &str) -> Option<(&str, &str)> {
    match text.split_once('.') {
        None => Some((text, "")),
        Some((whole, fraction)) => {
            let is_number =
                !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some((whole, fraction))
        }
    }
}

/// A fraction of just so many digits, with its point; `None` if digits that are not zero would be lost.
pub(crate) fn fitted(fraction: &str, digits: usize) -> Option<String> {
    let (kept, lost) = fraction.split_at_checked(digits).unwrap_or((fraction, ""));
    if lost.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Some(if digits == 0 { String::new() } else { format!(".{kept:0<digits$}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_write_is_kept_with_all_digits_of_the_column() {
        assert_eq!(date("1980-02-29").unwrap(), "1980-02-29");
        assert_eq!(date("0000-00-00").unwrap(), "0000-00-00");
        assert_eq!(date("2026-00-00").unwrap(), "2026-00-00");
        assert_eq!(datetime("2026-01-15 14:06:00", 0).unwrap(), "2026-01-15 14:06:00");
        assert_eq!(datetime("2026-01-15 14:06:00", 3).unwrap(), "2026-01-15 14:06:00.000");
        assert_eq!(datetime("2026-01-15 14:06:00.120000", 2).unwrap(), "2026-01-15 14:06:00.12");
        assert_eq!(timestamp("0000-00-00 00:00:00", 1).unwrap(), "0000-00-00 00:00:00.0");
        assert_eq!(time("-838:59:59", 1).unwrap(), "-838:59:59.0");
        assert_eq!(time("06:00:00.5", 6).unwrap(), "06:00:00.500000");
        assert_eq!(year("2026").unwrap(), "2026");
        assert_eq!(year("0").unwrap(), "0000");
    }

    #[test]
    fn what_no_server_writes_is_refused() {
        for text in [
            "",
            "1980-2-29",
            "1981-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-04-31",
            "+980-02-28",
            "2026-01-15 ",
            "2026-01-15T00:00:00.000Z",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in [
            "2026-01-15",
            "2026-01-15T14:06:00",
            "2026-01-15 24:00:00",
            "2026-01-15 14:06",
            "2026-01-15 14:06:00.",
            "2026-01-15 14:06:00.0001",
            "2026-01-15 14:06:00+00",
        ] {
            assert_eq!(datetime(text, 3), None, "{text}");
        }
        for text in [
            "1969-12-31 23:59:59",
            "1970-01-01 00:00:00",
            "2106-02-07 06:28:16",
            "2026-00-10 00:00:00",
        ] {
            assert_eq!(timestamp(text, 0), None, "{text}");
        }
        for text in
            ["6:00:00", "839:00:00", "099:00:00", "--01:00:00", "01:60:00", ":00:00", "1é:00:00"]
        {
            assert_eq!(time(text, 0), None, "{text}");
        }
        for text in ["", "1900", "2156", "2026.5", "-1", "99999999999999"] {
            assert_eq!(year(text), None, "{text}");
        }
    }
}
