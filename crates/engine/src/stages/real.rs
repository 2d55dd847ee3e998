//! The one spelling of FLOAT and DOUBLE: the shortest digits that give the same 64-bit value again.
//!
//! Plain from 1e-5 up to, not including, 1e17 (`0.1`, `-0`, `42`), else with an exponent (`5e-324`). Both servers
//! read every such text back exactly, whatever text they would write themselves.

use std::io::Write;

const PLAIN: std::ops::Range<f64> = 1e-5..1e17;

/// So many significant digits name one double only: no two texts of fewer give the same.
const EXACT_DIGITS: usize = 15;

/// Whether a server's text is the canonical spelling already, as that of most numbers is: such a one need not be
/// parsed. May say no to a text that is.
#[inline]
pub fn is_canonical(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &b""[..]),
    };
    let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || !is_number(fraction) || digits.len() > EXACT_DIGITS {
        return false;
    }
    let ends_well = whole.len() == digits.len() || matches!(fraction.last(), Some(b'1'..=b'9'));
    match whole {
        [] => false,
        // Below 1e-5 there is an exponent.
        b"0" => ends_well && (fraction.is_empty() || !fraction.starts_with(b"00000")),
        [b'0', ..] => false,
        _ => ends_well,
    }
}

/// Reads a server's text of a double.
#[inline]
pub fn parse(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// Appends the canonical spelling.
#[inline]
pub fn spell(value: f64, out: &mut Vec<u8>) {
    // Writing to a vector can't fail.
    let _ = if value == 0.0 || PLAIN.contains(&value.abs()) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(value: f64) -> String {
        let mut out = Vec::new();
        spell(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_value_has_one_short_spelling() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-42.5, "-42.5"),
            (0.1, "0.1"),
            (1e-5, "0.00001"),
            (9.999e-6, "9.999e-6"),
            (99_999_999_999_999_984.0, "99999999999999980"),
            (1e17, "1e17"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
            (f64::from(f32::MAX), "3.4028234663852886e38"),
            (f64::from(0.1_f32), "0.10000000149011612"),
        ];
        for (value, text) in cases {
            assert_eq!(spelled(value), text);
            assert_eq!(parse(text.as_bytes()).map(f64::to_bits), Some(value.to_bits()));
        }
    }

    #[test]
    fn most_texts_are_canonical_as_they_come_and_no_other_is_taken_for_one() {
        for text in ["0", "-0", "1", "-42.5", "0.1", "36.7", "0.00001", "12345678901234", "120"] {
            assert!(is_canonical(text.as_bytes()), "{text}");
        }
        let others = [
            "",
            "-",
            ".",
            ".5",
            "1.",
            "1.0",
            "01",
            "00",
            "0.000009",
            "1e17",
            "1.5e3",
            "+1",
            "--1",
            "1,5",
            "1.2.3",
            " 1",
            "0.100",
            "nan",
            "9007199254740993",
            "\u{ff11}",
        ];
        for text in others {
            assert!(!is_canonical(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_is_canonical_is_spelled_just_so(text in "-?[0-9]{0,17}([.][0-9]{0,17})?(e-?[0-9])?") {
            if is_canonical(text.as_bytes()) {
                prop_assert_eq!(spelled(parse(text.as_bytes()).unwrap()), text);
            }
        }
    }

    #[test]
    fn what_no_server_stores_is_refused() {
        for text in ["inf", "NaN", "", "1,5", "1e999"] {
            assert_eq!(parse(text.as_bytes()), None);
        }
    }
}
