//! Statements on their way through programs that know no SQL.

use super::scan::{Place, Scan};

/// A statement as myloader can load it, or `None` if it is fine as it is.
///
/// myloader ends a statement at every `;` before a line end, within a routine's body and even within a
/// string. A space after the `;` is what mydumper itself puts there; within a string, where it would
/// change the value, the line end is escaped instead. `sql_mode` is the one the statement is made under.
pub fn uncut(statement: &str, sql_mode: &str) -> Option<String> {
    if !statement.contains(";\n") {
        return None;
    }
    let has = |mode: &str| sql_mode.split(',').any(|part| part.eq_ignore_ascii_case(mode));
    let escapes = !has("NO_BACKSLASH_ESCAPES");
    let is_name = |quote: char| quote == '`' || quote == '"' && has("ANSI_QUOTES");
    let (mut safe, mut before) = (String::with_capacity(statement.len() + 16), None);
    for (_, c, place) in Scan::new(statement, escapes) {
        match place {
            _ if c != '\n' || before != Some(';') => safe.push(c),
            // A name that no loader of this kind can load.
            Place::Quoted(quote) if is_name(quote) => safe.push('\n'),
            Place::Quoted(_) if escapes => safe.push_str("\\n"),
            // Strings beside each other are one string.
            Place::Quoted(quote) => safe.extend([quote, ' ', quote, '\n']),
            Place::Code | Place::Comment => safe.push_str(" \n"),
        }
        before = Some(c);
    }
    Some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_follows_each_semicolon_at_the_end_of_a_line() {
        let body = "BEGIN\n  SET @a = 1;\n  SET @b = 2; -- done;\nEND";
        let safe = uncut(body, "").unwrap();
        assert_eq!(safe, "BEGIN\n  SET @a = 1; \n  SET @b = 2; -- done; \nEND");
        assert_eq!(uncut("SELECT 1;\r\nSELECT ';'", ""), None);
    }

    #[test]
    fn the_values_of_strings_stay() {
        let body = "SET @a = 'x;\ny', @b = \"z;\n\";\n";
        assert_eq!(uncut(body, "ANSI").unwrap(), "SET @a = 'x;\\ny', @b = \"z;\\n\"; \n");
        assert_eq!(
            uncut(body, "STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES").unwrap(),
            "SET @a = 'x;' '\ny', @b = \"z;\" \"\n\"; \n"
        );
    }
}
