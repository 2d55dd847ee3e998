//! Canonical values as SQL literals.
//!
//! A literal names its character set, so that it means the same whatever the session's is, and holds no
//! line end and no NUL: loaders cut files at lines and strings at NULs. How it is spelled depends on the
//! column only, see [`crate::model::ValueKind`] for what the bytes are.

use super::json;
use crate::model::{Column, ValueKind};

/// Bytes from which on a binary value is not spelled in hex, which doubles it: it has to fit into a packet.
const LONGEST_HEX: usize = 1 << 20;

/// Character sets of one byte a character, but for `swe7` all with ASCII in them.
const SINGLE_BYTE: [&str; 25] = [
    "armscii8", "ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8",
    "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5",
    "latin7", "macce", "macroman", "swe7", "tis620",
];

/// How the values of one column are spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLiteral(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Bare digits.
    Number,
    /// ASCII between quotes.
    Quoted,
    /// Text in UTF-8.
    Utf8,
    /// Text of single bytes, with the introducer for what is not ASCII.
    SingleByte { introducer: String, ascii: bool },
    /// Text of several bytes, in hex.
    MultiByte { introducer: String },
    /// JSON, which servers take only as utf8mb4.
    Json,
    /// Bytes without a character set.
    Bytes,
}

impl ColumnLiteral {
    /// For the values of this column.
    pub fn of(column: &Column) -> Self {
        Self(match column.kind {
            ValueKind::Number => Form::Number,
            // Bare, `-0` would lose its sign.
            ValueKind::Real | ValueKind::Temporal => Form::Quoted,
            ValueKind::Text => text_form(column.charset.as_deref()),
            ValueKind::Json => Form::Json,
            ValueKind::Bytes | ValueKind::Bit | ValueKind::Geometry => Form::Bytes,
        })
    }

    /// Appends the literal of a value, `None` for NULL. `false` says that the bytes are no text in the
    /// column's character set: they are spelled exactly, but servers will hardly take them whole.
    pub fn put(&self, value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
        let Some(value) = value else {
            out.extend_from_slice(b"NULL");
            return true;
        };
        match &self.0 {
            Form::Number if is_number(value) => out.extend_from_slice(value),
            Form::Number | Form::Quoted => put_quoted(value, out),
            Form::Utf8 => return put_utf8(value, out),
            Form::SingleByte { introducer, ascii } => {
                if !(*ascii && value.is_ascii()) {
                    out.extend_from_slice(introducer.as_bytes());
                }
                put_quoted(value, out);
            }
            Form::MultiByte { .. } if value.is_empty() => put_quoted(value, out),
            Form::MultiByte { introducer } => {
                out.extend_from_slice(introducer.as_bytes());
                out.push(b' ');
                put_hex(value, out);
            }
            Form::Json => put_json(value, out),
            Form::Bytes => put_bytes(value, out),
        }
        true
    }
}

fn text_form(charset: Option<&str>) -> Form {
    let introducer = |name: &str| format!("_{name}");
    match charset {
        // Without a character set are types such as UUID and INET6.
        None | Some("utf8" | "utf8mb3" | "utf8mb4") => Form::Utf8,
        Some(name) if SINGLE_BYTE.contains(&name) => {
            Form::SingleByte { introducer: introducer(name), ascii: name != "swe7" }
        }
        Some(name) => Form::MultiByte { introducer: introducer(name) },
    }
}

/// Only what can't be read as anything but a number is left bare.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_part = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    match digits.iter().position(|&byte| byte == b'.') {
        Some(point) => is_part(&digits[..point]) && is_part(&digits[point + 1..]),
        None => is_part(digits),
    }
}

fn put_utf8(value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.is_ascii() {
        put_quoted(value, out);
    } else if std::str::from_utf8(value).is_ok() {
        out.extend_from_slice(b"_utf8mb4");
        put_quoted(value, out);
    } else {
        // With the introducer it would be an error wherever it stands.
        put_hex(value, out);
        return false;
    }
    true
}

fn put_bytes(value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        out.extend_from_slice(b"''");
    } else if value.len() <= LONGEST_HEX {
        put_hex(value, out);
    } else {
        out.extend_from_slice(b"_binary");
        put_quoted(value, out);
    }
}

/// A document, in which numbers that parsing would change are put back.
fn put_json(value: &[u8], out: &mut Vec<u8>) {
    let numbers = json::numbers_that_change(value);
    if !numbers.is_empty() {
        out.extend_from_slice(b"JSON_SET(");
    }
    out.extend_from_slice(b"_utf8mb4");
    put_quoted(value, out);
    for number in &numbers {
        out.extend_from_slice(b",_utf8mb4");
        put_quoted(number.path.as_bytes(), out);
        let (precision, scale) = number.decimal();
        let cast = format!(",CAST('{}' AS DECIMAL({precision},{scale}))", number.digits);
        out.extend_from_slice(cast.as_bytes());
    }
    if !numbers.is_empty() {
        out.push(b')');
    }
}

fn put_hex(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(b"0x");
    let digit = |value: u8| DIGITS[usize::from(value)];
    out.extend(value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Appends the bytes between quotes. What a server reads differently, or a loader stumbles over, is escaped.
pub(super) fn put_quoted(value: &[u8], out: &mut Vec<u8>) {
    out.reserve(value.len() + 2);
    out.push(b'\'');
    let mut rest = value;
    while let Some(at) = rest.iter().position(|&byte| escape(byte).is_some()) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.extend(escape(rest[at]));
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'\'');
}

/// What stands for the byte after a backslash, if it can't stand for itself.
const fn escape(byte: u8) -> Option<u8> {
    match byte {
        0 => Some(b'0'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        0x1a => Some(b'Z'),
        b'\'' | b'\\' => Some(byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(kind: ValueKind, charset: Option<&str>) -> ColumnLiteral {
        ColumnLiteral::of(&Column {
            name: "c".to_owned(),
            sql_type: "x".to_owned(),
            kind,
            charset: charset.map(str::to_owned),
            collation: None,
        })
    }

    fn spelled(kind: ValueKind, charset: Option<&str>, value: &[u8]) -> String {
        let mut out = Vec::new();
        column(kind, charset).put(Some(value), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Reads a literal as a server's lexer does, in a session whose character set is utf8mb4 or binary.
    fn read(mut literal: &[u8]) -> Vec<u8> {
        if literal.first() == Some(&b'_') {
            let end = literal.iter().position(|byte| b" '".contains(byte)).unwrap();
            literal = literal[end..].trim_ascii_start();
        }
        if let Some(digits) = literal.strip_prefix(b"0x") {
            return hex::decode(digits).unwrap();
        }
        let inner = literal.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'")).unwrap();
        let (mut value, mut bytes) = (Vec::new(), inner.iter());
        while let Some(&byte) = bytes.next() {
            assert!(!b"'\n\r\0\x1a".contains(&byte), "raw {byte:#x}");
            value.push(match byte {
                b'\\' => match bytes.next().unwrap() {
                    b'0' => 0,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'Z' => 0x1a,
                    &other => other,
                },
                other => other,
            });
        }
        value
    }

    #[test]
    fn each_kind_has_its_spelling() {
        use ValueKind::{Bit, Bytes, Geometry, Json, Number, Real, Temporal, Text};
        let utf8 = Some("utf8mb4");
        let cases: [(ValueKind, Option<&str>, &[u8], &str); 22] = [
            (Number, None, b"-12.50", "-12.50"),
            (Number, None, b"00042", "00042"),
            (Number, None, b"1 OR 1", "'1 OR 1'"),
            (Number, None, b"-", "'-'"),
            (Number, None, b"1.", "'1.'"),
            (Real, None, b"-0", "'-0'"),
            (Real, None, b"5e-324", "'5e-324'"),
            (Temporal, None, b"0000-00-00 00:00:00.000000", "'0000-00-00 00:00:00.000000'"),
            (Text, utf8, b"", "''"),
            (Text, utf8, b"d'agua\n;", r"'d\'agua\n;'"),
            (Text, utf8, "ação 😀".as_bytes(), "_utf8mb4'ação 😀'"),
            (Text, None, b"::1", "'::1'"),
            (Text, Some("latin1"), b"abc", "'abc'"),
            (Text, Some("latin1"), "é".as_bytes(), "_latin1'é'"),
            (Text, Some("swe7"), b"abc", "_swe7'abc'"),
            (Text, Some("utf16"), b"\0a\0'", "_utf16 0x00610027"),
            (Text, Some("utf16"), b"", "''"),
            (Json, None, br#"{"a": "\"\n"}"#, r#"_utf8mb4'{"a": "\\"\\n"}'"#),
            (
                Json,
                None,
                br#"{"a": 1.50}"#,
                r#"JSON_SET(_utf8mb4'{"a": 1.50}',_utf8mb4'$."a"',CAST('1.50' AS DECIMAL(3,2)))"#,
            ),
            (Bytes, None, b"\0\xff'", "0x00FF27"),
            (Bit, None, b"\x05", "0x05"),
            (Geometry, None, b"\xe6\x10\0\0\x01", "0xE610000001"),
        ];
        for (kind, charset, value, expected) in cases {
            assert_eq!(spelled(kind, charset, value), expected, "{kind:?} {charset:?}");
        }
        assert_eq!(spelled(Bytes, None, b""), "''");
        let mut out = Vec::new();
        assert!(column(Text, utf8).put(None, &mut out));
        assert_eq!(out, b"NULL");
    }

    #[test]
    fn text_that_is_none_is_spelled_exactly_and_said_so() {
        let mut out = Vec::new();
        assert!(!column(ValueKind::Text, Some("utf8mb4")).put(Some(b"a\xff"), &mut out));
        assert_eq!(out, b"0x61FF");
    }

    #[test]
    fn long_binary_values_are_not_doubled() {
        let long = vec![b'x'; LONGEST_HEX + 1];
        let literal = spelled(ValueKind::Bytes, None, &long);
        assert!(literal.starts_with("_binary'xxx"));
        assert_eq!(literal.len(), long.len() + 9);
    }

    proptest! {
        #[test]
        fn a_literal_reads_back_as_the_value(
            value in prop::collection::vec(any::<u8>(), 0..200),
            charset in prop::option::of(prop::sample::select(vec!["utf8mb4", "utf8mb3", "latin1", "swe7", "gbk", "utf16", "ascii"])),
            kind in prop::sample::select(vec![ValueKind::Text, ValueKind::Bytes, ValueKind::Bit, ValueKind::Real]),
        ) {
            let mut out = Vec::new();
            column(kind, charset).put(Some(&value), &mut out);
            prop_assert_eq!(read(&out), value);
        }

        #[test]
        fn quoted_bytes_read_back(value in prop::collection::vec(prop::sample::select(b"\0\n\r\x1a'\"\\;ab\xc3\x5c\xff".to_vec()), 0..60)) {
            let mut out = Vec::new();
            put_quoted(&value, &mut out);
            prop_assert_eq!(read(&out), value);
        }
    }
}
