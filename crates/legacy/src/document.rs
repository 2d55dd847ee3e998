//! JSON documents, spelled as the live server would show them.

use gorgen_engine::model::Flavor;
use serde_json::value::RawValue;

use crate::members::{Members, text};

/// MySQL takes documents that are no deeper, and so nothing here needs more of the stack.
const DEEPEST: u32 = 100;

/// The document as `JSON.stringify` writes it: the same without white space between its parts. MariaDB keeps text as it is.
pub(crate) fn compact(document: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let is_kept = |letter: &char| {
        let is_kept = within || !letter.is_ascii_whitespace();
        match letter {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            _ => {}
        }
        is_kept
    };
    document.chars().filter(is_kept).collect()
}

/// The document as MySQL and TiDB show it; `None` if they would take it for another: a name twice, or too deep.
pub(crate) fn canonical(document: &RawValue, flavor: Flavor) -> Option<String> {
    let mut written = String::new();
    write(document, flavor, 0, &mut written)?;
    Some(written)
}

fn write(value: &RawValue, flavor: Flavor, depth: u32, out: &mut String) -> Option<()> {
    if depth >= DEEPEST {
        return None;
    }
    match value.get().as_bytes().first()? {
        b'{' => {
            let mut members = Members::read(value)?;
            if members.duplicate().is_some() {
                return None;
            }
            // MySQL looks members up by length first.
            let length = |name: &str| if flavor == Flavor::TiDb { 0 } else { name.len() };
            members
                .0
                .sort_by(|(one, _), (other, _)| (length(one), one).cmp(&(length(other), other)));
            out.push('{');
            for (place, (name, value)) in members.0.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                quote(name, out);
                out.push_str(": ");
                write(value, flavor, depth + 1, out)?;
            }
            out.push('}');
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            out.push('[');
            for (place, element) in elements.into_iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write(element, flavor, depth + 1, out)?;
            }
            out.push(']');
        }
        b'"' => quote(&text(value)?, out),
        b'-' | b'0'..=b'9' => out.push_str(&number(value.get())?),
        _ => out.push_str(value.get()),
    }
    Some(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                out.push_str("\\u00");
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                out.extend([digit(u32::from(control) >> 4), digit(u32::from(control) & 0xf)]);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

/// Integers of 64 bits as they are, all else as doubles, shown as servers show these.
fn number(digits: &str) -> Option<String> {
    if digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok() {
        return Some(digits.to_owned());
    }
    let value: f64 = digits.parse().ok().filter(|value: &f64| value.is_finite())?;
    let is_plain = value == 0.0 || (1e-14..1e15).contains(&value.abs());
    Some(if !is_plain {
        format!("{value:e}")
    } else if value.fract() == 0.0 {
        format!("{value:.1}")
    } else {
        value.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(document: &str, flavor: Flavor) -> Option<String> {
        canonical(serde_json::from_str(document).unwrap(), flavor)
    }

    #[test]
    fn white_space_goes_and_all_else_stays() {
        let document = "{\n  \"a b\" : [ 1.50 ,\t-0 , \"x \\\" y\\\\\" , null ],\r\n \"é\": {} }";
        assert_eq!(compact(document), "{\"a b\":[1.50,-0,\"x \\\" y\\\\\",null],\"é\":{}}");
    }

    #[test]
    fn documents_are_spelled_as_each_server_shows_them() {
        let document = r#"{"bb":[1,2.50,-3e2,1e21,true,null,{}],"c":"aç\u0001\/\n\"\\","a\u0062c":18446744073709551615}"#;
        assert_eq!(
            shown(document, Flavor::MySql).unwrap(),
            r#"{"c": "aç\u0001/\n\"\\", "bb": [1, 2.5, -300.0, 1e21, true, null, {}], "abc": 18446744073709551615}"#
        );
        assert!(shown(document, Flavor::TiDb).unwrap().starts_with(r#"{"abc": "#));
    }

    #[test]
    fn what_a_server_would_take_for_another_document_is_none() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(shown(&deep(100), Flavor::MySql).is_some());
        for document in [
            deep(101),
            r#"{"a":1,"\u0061":2}"#.to_owned(),
            "1e999".to_owned(),
            r#""\ud800""#.to_owned(),
        ] {
            assert_eq!(shown(&document, Flavor::MySql), None, "{document}");
        }
    }
}
