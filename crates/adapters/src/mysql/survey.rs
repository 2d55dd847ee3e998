//! A look at rows before they are loaded: that they are whole, how many, and which need special care.

use std::{borrow::Cow, ops::Range};

use gorgen_engine::{
    model::{Column, Flavor, Table, ValueKind},
    stages::{rows::take_value, sql::json},
};

use super::{error::MySqlError, place::is_enum};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Number of rows.
    pub(super) rows: u64,
    /// Empty values of ENUM columns: for each that stands for no member the server issues a warning.
    pub(super) empty_enums: u64,
    /// Where the rows lie whose JSON holds numbers that would change if they were simply parsed.
    special: Vec<Range<usize>>,
}

impl Survey {
    /// Looks at all rows of a load into a server of this kind.
    pub(super) fn of(table: &Table, rows: &[u8], flavor: Flavor) -> Result<Self, MySqlError> {
        let cares: Vec<_> = table.columns.iter().map(|column| Care::of(column, flavor)).collect();
        let mut survey = Self::default();
        let mut rest = rows;
        while !rest.is_empty() {
            let start = rows.len() - rest.len();
            let mut is_special = false;
            for care in &cares {
                let value = take_value(&mut rest).map_err(|_| MySqlError::Rows)?;
                match (care, value) {
                    (Care::Enum, Some([])) => survey.empty_enums += 1,
                    (Care::Json, Some(text)) => {
                        is_special |= !json::numbers_that_change(text).is_empty();
                    }
                    _ => {}
                }
            }
            survey.rows += 1;
            if is_special {
                survey.special.push(start..rows.len() - rest.len());
            }
        }
        Ok(survey)
    }

    /// The rows without the special ones, and these.
    pub(super) fn divide<'a>(&self, rows: &'a [u8]) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
        if self.special.is_empty() {
            return (Cow::Borrowed(rows), Cow::Borrowed(&[]));
        }
        let (mut plain, mut special, mut copied) = (Vec::with_capacity(rows.len()), Vec::new(), 0);
        for range in &self.special {
            plain.extend_from_slice(&rows[copied..range.start]);
            special.extend_from_slice(&rows[range.clone()]);
            copied = range.end;
        }
        plain.extend_from_slice(&rows[copied..]);
        (Cow::Owned(plain), Cow::Owned(special))
    }
}

enum Care {
    None,
    Enum,
    Json,
}

impl Care {
    fn of(column: &Column, flavor: Flavor) -> Self {
        match column.kind {
            ValueKind::Json if flavor == Flavor::MySql => Self::Json,
            ValueKind::Text if is_enum(column) => Self::Enum,
            _ => Self::None,
        }
    }
}
