//! How the values of each column get into it.

use gorgen_engine::model::{Column, ValueKind};

/// In what form a server takes a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// As text without any bytes beyond ASCII: numbers, dates and times.
    Plain,
    /// As the stored bytes: text in the column's character set, binaries, bits, geometry with its SRID.
    Raw,
    /// As text in UTF-8, which the server parses: MySQL's JSON, MariaDB's UUID and INET. They refuse, or take for
    /// something else, the same bytes as a binary string.
    Parsed,
}

impl Place {
    pub(super) fn of(column: &Column) -> Self {
        match column.kind {
            ValueKind::Number | ValueKind::Real | ValueKind::Temporal => Self::Plain,
            ValueKind::Json => Self::Parsed,
            ValueKind::Text if column.charset.is_none() => Self::Parsed,
            ValueKind::Text | ValueKind::Bytes | ValueKind::Bit | ValueKind::Geometry => Self::Raw,
        }
    }
}

/// Is this a FLOAT or DOUBLE that rounds to so many decimal digits?
pub(super) fn is_rounded_real(column: &Column) -> bool {
    column.kind == ValueKind::Real && column.sql_type.contains('(')
}

/// Is this a column whose empty text may stand for no member at all, which servers store under protest?
pub(super) fn is_enum(column: &Column) -> bool {
    column.sql_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("enum("))
}
