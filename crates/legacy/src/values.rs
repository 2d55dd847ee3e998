//! One JSON value of a file as the canonical bytes of a live column, or why it can't be.
//!
//! Nothing is rounded, cut or guessed: what the column could not hold exactly is a [`Mismatch`], which says what was
//! expected and what kind of thing came, and never the value.

use gorgen_engine::{
    model::{Column, Flavor, ValueKind},
    stages::{
        real,
        rows::{put_null, put_value},
    },
};
use serde_json::value::RawValue;

use crate::{
    columns::Definition,
    document,
    members::{Members, text},
    temporal,
    types::{Charset, Labels, Number, Size, fraction_of, size_of},
};

/// A value that its column can't hold as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) expected: String,
    pub(crate) got: &'static str,
}

/// What is to be said of a value that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remark {
    /// It is what it was.
    Exact,
    /// A whole number beyond 2^53, which the old program could not hold exactly.
    BeyondExact,
    /// A text where a document was expected: it was taken for the document's text.
    DocumentAsText,
}

/// JavaScript's numbers are exact up to here.
const EXACT: u128 = 1 << 53;

/// The values of one column.
#[derive(Debug)]
pub(crate) struct Typing {
    shape: Shape,
    nullable: bool,
}

#[derive(Debug)]
enum Shape {
    Whole(Number),
    Decimal(Number),
    /// FLOAT, if `single`; with digits after the point that it rounds to, if there are any.
    Real {
        single: bool,
        unsigned: bool,
        digits: Option<usize>,
    },
    Date,
    Time(usize),
    DateTime(usize),
    Timestamp(usize),
    Year,
    Text(Charset, Size),
    /// CHAR: servers take spaces at the end away.
    Padded(Charset, Size),
    Enum(Charset, Labels),
    Set(Charset, Labels),
    /// JSON as MySQL and TiDB have it.
    Json(Flavor),
    /// JSON as MariaDB has it: text that is checked.
    Document(Size),
    Bytes(Size),
    Bit(usize),
    Geometry,
}

impl Typing {
    pub(crate) fn of(column: &Column, definition: Option<&Definition>, flavor: Flavor) -> Self {
        let sql_type = column.sql_type.to_lowercase();
        let base = sql_type.split(['(', ' ']).next().unwrap_or_default();
        let size = || size_of(base, &sql_type);
        let charset = || Charset::of(column.charset.as_deref());
        let shape = match (column.kind, base) {
            (ValueKind::Number, "decimal" | "numeric") => {
                Shape::Decimal(Number::of(base, &sql_type))
            }
            (ValueKind::Number, _) => Shape::Whole(Number::of(base, &sql_type)),
            (ValueKind::Real, _) => Shape::Real {
                single: base == "float",
                unsigned: sql_type.contains(" unsigned"),
                digits: sql_type
                    .split_once(',')
                    .and_then(|(_, rest)| rest.split(')').next()?.trim().parse().ok()),
            },
            (ValueKind::Temporal, "date") => Shape::Date,
            (ValueKind::Temporal, "time") => Shape::Time(fraction_of(&sql_type)),
            (ValueKind::Temporal, "year") => Shape::Year,
            (ValueKind::Temporal, "timestamp") => Shape::Timestamp(fraction_of(&sql_type)),
            (ValueKind::Temporal, _) => Shape::DateTime(fraction_of(&sql_type)),
            (ValueKind::Text, "enum") => Shape::Enum(charset(), Labels::of(&column.sql_type)),
            (ValueKind::Text, "set") => Shape::Set(charset(), Labels::of(&column.sql_type)),
            (ValueKind::Text, "char") => Shape::Padded(charset(), size()),
            (ValueKind::Text, _) if definition.is_some_and(|found| found.is_document) => {
                Shape::Document(size())
            }
            (ValueKind::Text, _) => Shape::Text(charset(), size()),
            (ValueKind::Json, _) => Shape::Json(flavor),
            (ValueKind::Bytes, _) => Shape::Bytes(size()),
            (ValueKind::Bit, _) => Shape::Bit(Number::of(base, &sql_type).precision),
            (ValueKind::Geometry, _) => Shape::Geometry,
        };
        Self { shape, nullable: definition.is_none_or(|found| found.nullable) }
    }

    /// Does it hold moments, which without their time zone are none?
    pub(crate) fn is_moment(&self) -> bool {
        matches!(self.shape, Shape::Timestamp(_))
    }

    /// Does it hold numbers of which servers show fewer digits than they keep?
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.shape, Shape::Real { single: true, .. })
    }

    /// Appends NULL, if the column may hold it.
    pub(crate) fn put_null(&self, row: &mut Vec<u8>) -> Result<Remark, Mismatch> {
        if self.nullable {
            put_null(row);
            return Ok(Remark::Exact);
        }
        // Where there can be no NULL it was the document of that name.
        match self.shape {
            Shape::Json(_) | Shape::Document(_) => put_value(row, b"null"),
            _ => return Err(Mismatch { expected: "a value".to_owned(), got: "nothing (null)" }),
        }
        Ok(Remark::Exact)
    }

    /// Appends a value of a file to a row.
    pub(crate) fn put(&self, value: &RawValue, row: &mut Vec<u8>) -> Result<Remark, Mismatch> {
        let given = value.get();
        if given == "null" {
            return self.put_null(row);
        }
        let (bytes, remark) = self.spell(value).ok_or_else(|| self.mismatch(given))?;
        put_value(row, &bytes);
        Ok(remark)
    }

    fn spell(&self, value: &RawValue) -> Option<(Vec<u8>, Remark)> {
        let exact = |bytes: Vec<u8>| Some((bytes, Remark::Exact));
        let written = || text(value);
        match &self.shape {
            Shape::Whole(number) => whole(number, value),
            Shape::Decimal(number) => exact(decimal(number, value)?.into_bytes()),
            Shape::Real { single, unsigned, digits } => {
                exact(real_of(value, *single, *unsigned, *digits)?)
            }
            Shape::Date => exact(temporal::date(&written()?)?.into_bytes()),
            Shape::Time(digits) => exact(temporal::time(&written()?, *digits)?.into_bytes()),
            Shape::DateTime(digits) => {
                exact(temporal::datetime(&written()?, *digits)?.into_bytes())
            }
            Shape::Timestamp(digits) => {
                exact(temporal::timestamp(&written()?, *digits)?.into_bytes())
            }
            Shape::Year => exact(temporal::year(&digits_of(value)?)?.into_bytes()),
            Shape::Text(charset, size) => exact(size.checked(&written()?, charset)?),
            Shape::Padded(charset, size) => {
                let written = written()?;
                exact(size.checked(written.trim_end_matches(' '), charset)?)
            }
            Shape::Enum(charset, labels) => {
                let label = written()?;
                (label.is_empty() || labels.has(&label))
                    .then(|| charset.encode(&label))?
                    .and_then(exact)
            }
            Shape::Set(charset, labels) => {
                let members = written()?;
                labels.has_in_order(&members).then(|| charset.encode(&members))?.and_then(exact)
            }
            // A nested value is the document, and so is the text of one, which MariaDB gives. Another text is one by itself.
            Shape::Json(flavor) => match written().filter(|kept| is_document(kept)) {
                Some(kept) => {
                    let document = serde_json::from_str(&kept).ok()?;
                    Some((
                        document::canonical(document, *flavor)?.into_bytes(),
                        Remark::DocumentAsText,
                    ))
                }
                None => exact(document::canonical(value, *flavor)?.into_bytes()),
            },
            Shape::Document(size) => {
                let taken = match written().filter(|kept| is_document(kept)) {
                    Some(kept) => (kept.into_bytes(), Remark::DocumentAsText),
                    None => (document::compact(value.get()).into_bytes(), Remark::Exact),
                };
                size.holds(taken.0.len()).then_some(taken)
            }
            Shape::Bytes(size) => {
                let bytes = buffer(value)?;
                size.fits(bytes.len()).then_some((bytes, Remark::Exact))
            }
            Shape::Bit(bits) => {
                let bytes = buffer(value)?;
                let spare = (bytes.len() * 8).checked_sub(*bits).filter(|spare| *spare < 8)?;
                let is_clear =
                    bytes.first().is_none_or(|first| u32::from(*first) >> (8 - spare) == 0);
                is_clear.then_some((bytes, Remark::Exact))
            }
            Shape::Geometry => None,
        }
    }

    fn mismatch(&self, given: &str) -> Mismatch {
        let got = match given.as_bytes().first() {
            Some(b'"') => "another text",
            Some(b't' | b'f') => "true or false",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            _ => "another number",
        };
        Mismatch { expected: self.shape.expected(), got }
    }
}

impl Shape {
    fn expected(&self) -> String {
        match self {
            Self::Whole(number) => number.expected_whole(),
            Self::Decimal(number) => number.expected_decimal(),
            Self::Real { unsigned: true, .. } => "a number that is not negative".to_owned(),
            Self::Real { digits: Some(digits), .. } => {
                format!("a number with {digits} digits after the point")
            }
            Self::Real { .. } => "a number".to_owned(),
            Self::Date => "a date as 2026-11-23".to_owned(),
            Self::Time(digits) => {
                format!("a time as 06:00:00 with up to {digits} digits after a point")
            }
            Self::DateTime(digits) | Self::Timestamp(digits) => {
                format!("a time as 2026-11-23 06:00:00 with up to {digits} digits after a point")
            }
            Self::Year => "a year".to_owned(),
            Self::Text(charset, size) | Self::Padded(charset, size) => {
                format!("text{} in {}", size.expected("characters"), charset.name())
            }
            Self::Enum(..) => "one of the column's labels".to_owned(),
            Self::Set(..) => "some of the column's labels, in their order".to_owned(),
            Self::Json(_) => {
                "a document no deeper than 100 without names that come twice".to_owned()
            }
            Self::Document(size) => format!("a document{}", size.expected("bytes")),
            Self::Bytes(size) => {
                format!("bytes{} as {{\"type\":\"Buffer\",\"data\":[...]}}", size.expected("bytes"))
            }
            Self::Bit(bits) => format!("{bits} bits as {{\"type\":\"Buffer\",\"data\":[...]}}"),
            Self::Geometry => "nothing: such files can't hold geometry".to_owned(),
        }
    }
}

/// The digits of a number, which may stand in a text, or be `true` and `false` for 1 and 0.
fn digits_of(value: &RawValue) -> Option<String> {
    match value.get() {
        "true" => Some("1".to_owned()),
        "false" => Some("0".to_owned()),
        other if other.starts_with('"') => text(value),
        other if other.starts_with(['{', '[']) => None,
        other => Some(other.to_owned()),
    }
}

fn whole(number: &Number, value: &RawValue) -> Option<(Vec<u8>, Remark)> {
    let (digits, magnitude) = number.whole(&digits_of(value)?)?;
    let is_text = value.get().starts_with('"');
    let remark = if magnitude > EXACT && !is_text { Remark::BeyondExact } else { Remark::Exact };
    Some((digits.into_bytes(), remark))
}

/// A DECIMAL comes as text. One that comes as a number is what it was only as far as doubles are exact.
fn decimal(number: &Number, value: &RawValue) -> Option<String> {
    const EXACT_DIGITS: usize = 15;
    let digits = digits_of(value)?;
    let is_text = value.get().starts_with('"');
    let is_exact = is_text || digits.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS;
    is_exact.then(|| number.decimal(&digits))?
}

fn real_of(
    value: &RawValue,
    single: bool,
    unsigned: bool,
    digits: Option<usize>,
) -> Option<Vec<u8>> {
    let given = digits_of(value)?;
    // What JSON takes for a number, and no other word that Rust would: `inf`.
    if !given.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let number =
        if single { f64::from(given.parse::<f32>().ok()?) } else { real::parse(given.as_bytes())? };
    let decimals = given.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let is_rounded = digits.is_some_and(|digits| decimals > digits || given.contains(['e', 'E']));
    if !number.is_finite() || unsigned && number < 0.0 || is_rounded {
        return None;
    }
    let mut spelled = Vec::new();
    real::spell(number, &mut spelled);
    Some(spelled)
}

fn is_document(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// `{"type":"Buffer","data":[...]}`
fn buffer(value: &RawValue) -> Option<Vec<u8>> {
    let members = Members::read(value).filter(|members| members.0.len() == 2)?;
    let is_buffer = members.get("type").and_then(text)? == "Buffer";
    let bytes = members.get("data")?;
    is_buffer.then(|| serde_json::from_str(bytes.get()).ok())?
}

#[cfg(test)]
mod tests;
