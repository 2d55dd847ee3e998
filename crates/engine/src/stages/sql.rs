//! SQL text that a server turns back into what was backed up, for exports.
//!
//! [`Inserts`] spells canonical rows as statements, each value as a [`ColumnLiteral`] that says its own
//! character set; [`InContext`] makes an object under the settings it was made under; [`view`],
//! [`statement`] and [`json`] know what a text means without being a server. All of it is for a session in
//! [`SQL_MODE`], with time zone UTC and foreign key checks off.

mod context;
mod insert;
pub mod json;
mod literal;
mod scan;
pub mod statement;
pub mod view;

pub use context::{InContext, settings};
pub use insert::Inserts;
pub use literal::ColumnLiteral;

/// The mode that takes every stored value as it is, zero in counters, zero dates, days that no month has;
/// and makes no table in another engine than its own.
pub const SQL_MODE: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

/// A name between backticks.
pub fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal, for sessions in which a backslash escapes.
pub fn string(text: &str) -> String {
    let mut spelled = Vec::with_capacity(text.len() + 2);
    literal::put_quoted(text.as_bytes(), &mut spelled);
    // Escaping takes ASCII for ASCII.
    String::from_utf8_lossy(&spelled).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_strings_are_quoted() {
        assert_eq!(ident("a`b c"), "`a``b c`");
        assert_eq!(string("it's\n\\ ção"), r"'it\'s\n\\ ção'");
    }
}
