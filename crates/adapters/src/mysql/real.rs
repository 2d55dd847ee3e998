//! The one spelling of FLOAT and DOUBLE: the shortest digits that give the same 64-bit value again.
//!
//! Plain from 1e-5 up to, not including, 1e17 (`0.1`, `-0`, `42`), else with an exponent (`5e-324`). Both servers
//! read every such text back exactly, whatever text they would write themselves.

use std::io::Write;

const PLAIN: std::ops::Range<f64> = 1e-5..1e17;

/// Reads a server's text of a double.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// Appends the canonical spelling.
pub(super) fn spell(value: f64, out: &mut Vec<u8>) {
    // Writing to a vector can't fail.
    let _ = if value == 0.0 || PLAIN.contains(&value.abs()) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

#[cfg(test)]
mod tests {
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
    fn what_no_server_stores_is_refused() {
        for text in ["inf", "NaN", "", "1,5", "1e999"] {
            assert_eq!(parse(text.as_bytes()), None);
        }
    }
}
