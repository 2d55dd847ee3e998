//! What a column's type says of its values: how large they may be, in which character set, with which labels.

use crate::temporal::fitted;

/// A whole number or a DECIMAL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// Digits in all, or the width that ZEROFILL fills up to; the number of bits of a BIT.
    pub(crate) precision: usize,
    /// Digits after the point.
    scale: usize,
    unsigned: bool,
    zerofill: bool,
    /// Bits of a whole number.
    bits: u32,
}

impl Number {
    /// Of a type in small letters, `decimal(10,2) unsigned zerofill`.
    pub(crate) fn of(base: &str, sql_type: &str) -> Self {
        let mut sizes = sizes(sql_type);
        let bits = match base {
            "tinyint" => 8,
            "smallint" => 16,
            "mediumint" => 24,
            "bigint" => 64,
            _ => 32,
        };
        let is_decimal = matches!(base, "decimal" | "numeric");
        Self {
            precision: sizes.next().unwrap_or(if is_decimal { 10 } else { 1 }),
            scale: sizes.next().unwrap_or(0),
            unsigned: sql_type.contains(" unsigned"),
            zerofill: sql_type.contains(" zerofill"),
            bits,
        }
    }

    /// The digits as the server writes them, and how large the number is.
    pub(crate) fn whole(&self, given: &str) -> Option<(String, u128)> {
        let (is_negative, digits) = split_sign(given)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let magnitude: u128 = is_number.then(|| digits.parse().ok())??;
        let half = 1_u128 << (self.bits - 1);
        let most = match (self.unsigned, is_negative) {
            (true, true) => 0,
            (true, false) => 2 * half - 1,
            (false, true) => half,
            (false, false) => half - 1,
        };
        let sign = if is_negative && magnitude > 0 { "-" } else { "" };
        let width = if self.zerofill { self.precision } else { 0 };
        (magnitude <= most).then(|| (format!("{sign}{magnitude:0>width$}"), magnitude))
    }

    /// The digits as the server writes them, with all that the scale wants.
    pub(crate) fn decimal(&self, given: &str) -> Option<String> {
        let (is_negative, digits) = split_sign(given)?;
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let most = self.precision.checked_sub(self.scale)?;
        let fraction = fitted(fraction, self.scale)?;
        let is_zero = whole.is_empty() && fraction.bytes().all(|byte| b"0.".contains(&byte));
        let sign = if is_negative && !is_zero { "-" } else { "" };
        let is_held = whole.len() <= most && !(self.unsigned && sign == "-");
        let width = if self.zerofill { most.max(1) } else { 1 };
        is_held.then(|| format!("{sign}{whole:0>width$}{fraction}"))
    }

    pub(crate) fn expected_whole(&self) -> String {
        let sign = if self.unsigned { " without a sign" } else { "" };
        format!("a whole number of {} bits{sign}", self.bits)
    }

    pub(crate) fn expected_decimal(&self) -> String {
        let sign = if self.unsigned { ", not negative" } else { "" };
        format!(
            "a decimal number of {} digits, {} of them after the point{sign}",
            self.precision, self.scale
        )
    }
}

fn split_sign(given: &str) -> Option<(bool, &str)> {
    match given.strip_prefix('-') {
        Some(digits) => (!digits.starts_with('-')).then_some((true, digits)),
        None => Some((false, given)),
    }
}

/// The numbers between the parentheses of a type.
fn sizes(sql_type: &str) -> impl Iterator<Item = usize> {
    let within = sql_type.split_once('(').and_then(|(_, rest)| rest.split(')').next());
    within.unwrap_or_default().split(',').filter_map(|size| size.trim().parse().ok())
}

/// Digits after the point of a temporal type's seconds.
pub(crate) fn fraction_of(sql_type: &str) -> usize {
    sizes(sql_type).next().unwrap_or(0)
}

/// How long the values of a text or of bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Characters(usize),
    Bytes(usize),
    /// BINARY: just so many.
    Exactly(usize),
    /// Only the server knows.
    Any,
}

/// The size of a type in small letters, of which `base` is the first word.
pub(crate) fn size_of(base: &str, sql_type: &str) -> Size {
    let size = sizes(sql_type).next();
    match (base, size) {
        ("char" | "varchar", size) => Size::Characters(size.unwrap_or(1)),
        ("binary", size) => Size::Exactly(size.unwrap_or(1)),
        ("varbinary", Some(size)) => Size::Bytes(size),
        ("tinytext" | "tinyblob", _) => Size::Bytes(0xff),
        ("text" | "blob", _) => Size::Bytes(0xffff),
        ("mediumtext" | "mediumblob", _) => Size::Bytes(0xff_ffff),
        ("longtext" | "longblob", _) => Size::Bytes(0xffff_ffff),
        _ => Size::Any,
    }
}

impl Size {
    /// The bytes of a text, if there is room for it.
    pub(crate) fn checked(self, text: &str, charset: &Charset) -> Option<Vec<u8>> {
        let bytes = charset.encode(text)?;
        let fits = match self {
            Self::Characters(most) => text.chars().count() <= most,
            other => other.fits(bytes.len()),
        };
        fits.then_some(bytes)
    }

    /// Is there room for so many bytes, and are there as many as there must be?
    pub(crate) fn fits(self, length: usize) -> bool {
        match self {
            Self::Exactly(size) => length == size,
            other => other.holds(length),
        }
    }

    /// Is there room for so many bytes?
    pub(crate) fn holds(self, length: usize) -> bool {
        match self {
            Self::Characters(most) | Self::Bytes(most) | Self::Exactly(most) => length <= most,
            Self::Any => true,
        }
    }

    pub(crate) fn expected(self, unit: &str) -> String {
        match self {
            Self::Characters(most) => format!(" of up to {most} characters"),
            Self::Bytes(most) => format!(" of up to {most} bytes"),
            Self::Exactly(size) => format!(" of {size} {unit}"),
            Self::Any => String::new(),
        }
    }
}

/// A column's character set, as far as text can be put into it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Charset {
    /// All of Unicode.
    Utf8,
    /// Without characters beyond U+FFFF.
    ShortUtf8,
    /// `latin1`, which is Windows' 1252 to these servers.
    Latin1,
    /// Another one: only ASCII is known to be the same in it.
    Ascii(String),
    /// One in which even ASCII is not ASCII.
    Unknown(String),
}

/// What `latin1` has from 80 to 9f; where Windows has nothing, these servers have the control.
const LATIN1: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

impl Charset {
    /// Of a column; types without one are ASCII.
    pub(crate) fn of(name: Option<&str>) -> Self {
        match name {
            Some("utf8mb4") => Self::Utf8,
            Some("utf8" | "utf8mb3") => Self::ShortUtf8,
            Some("latin1") => Self::Latin1,
            Some(wide @ ("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7")) => {
                Self::Unknown(wide.to_owned())
            }
            Some(other) => Self::Ascii(other.to_owned()),
            None => Self::Ascii("ascii".to_owned()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Utf8 => "utf8mb4",
            Self::ShortUtf8 => "utf8mb3",
            Self::Latin1 => "latin1",
            Self::Ascii(name) => name,
            Self::Unknown(_) => "a character set that is known here",
        }
    }

    /// The text's bytes; `None` if it has characters that the set lacks, or may lack.
    pub(crate) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let fits = match self {
            Self::Utf8 => true,
            Self::ShortUtf8 => text.chars().all(|letter| letter <= '\u{ffff}'),
            Self::Ascii(_) => text.is_ascii(),
            Self::Unknown(_) => text.is_empty(),
            Self::Latin1 => return text.chars().map(latin1).collect(),
        };
        fits.then(|| text.as_bytes().to_vec())
    }
}

fn latin1(letter: char) -> Option<u8> {
    if let Some(place) = LATIN1.chars().position(|special| special == letter) {
        return u8::try_from(0x80 + place).ok();
    }
    u8::try_from(letter).ok().filter(|byte| !(0x80..0xa0).contains(byte))
}

/// The labels of an ENUM or a SET.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Labels(Vec<String>);

impl Labels {
    /// Of a type as the server writes it, `enum('a','it''s')`.
    pub(crate) fn of(sql_type: &str) -> Self {
        let (mut labels, mut within) = (Vec::new(), None::<String>);
        let mut letters = sql_type.chars().peekable();
        while let Some(letter) = letters.next() {
            match (&mut within, letter) {
                (None, '\'') => within = Some(String::new()),
                (None, _) => {}
                (Some(label), '\'') if letters.next_if_eq(&'\'').is_some() => label.push('\''),
                (Some(_), '\'') => labels.extend(within.take()),
                (Some(label), other) => label.push(other),
            }
        }
        Self(labels)
    }

    pub(crate) fn has(&self, label: &str) -> bool {
        self.0.iter().any(|known| known == label)
    }

    /// Labels with commas between them, in their order, each once; none is the empty text.
    pub(crate) fn has_in_order(&self, members: &str) -> bool {
        let mut known = self.0.iter();
        members.is_empty() || members.split(',').all(|member| known.any(|label| label == member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_put_into_the_column_s_own_character_set() {
        let encode = |name, text: &str| Charset::of(Some(name)).encode(text);
        assert_eq!(encode("utf8mb4", "é😀").unwrap(), "é😀".as_bytes());
        assert_eq!(encode("utf8mb3", "😀"), None);
        assert_eq!(encode("latin1", "é€\u{81}Ÿ").unwrap(), [0xe9, 0x80, 0x81, 0x9f]);
        assert_eq!(encode("latin1", "\u{80}"), None);
        assert_eq!(encode("latin1", "ł"), None);
        assert_eq!(encode("cp850", "abc").unwrap(), b"abc");
        assert_eq!(encode("cp850", "é"), None);
        assert_eq!(encode("utf16", "a"), None);
    }

    #[test]
    fn labels_are_read_with_their_quotes_and_commas() {
        let labels = Labels::of("enum('Masculino','não, sei','it''s','')");
        for label in ["Masculino", "não, sei", "it's", ""] {
            assert!(labels.has(label), "{label}");
        }
        assert!(!labels.has("masculino") && !labels.has("não"));
        let set = Labels::of("set('a','b','c')");
        for (members, expected) in
            [("", true), ("a,c", true), ("c,a", false), ("a,a", false), ("a,", false)]
        {
            assert_eq!(set.has_in_order(members), expected, "{members}");
        }
    }
}
