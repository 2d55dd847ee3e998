//! Names and strings, spelled so that a server reads them as what they are.

/// A name between backticks.
pub(super) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A table, view or routine with its database.
pub(super) fn qualified(database: &str, name: &str) -> String {
    format!("{}.{}", ident(database), ident(name))
}

/// A string literal, for sessions without `NO_BACKSLASH_ESCAPES`.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Names between backticks, with commas between them.
pub(super) fn ident_list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| ident(name)).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_are_doubled() {
        assert_eq!(qualified("a`b", "c.d"), "`a``b`.`c.d`");
        assert_eq!(literal(r"it's \ fine"), r"'it''s \\ fine'");
        assert_eq!(ident_list(&["a".to_owned(), "`".to_owned()]), "`a`, ````");
    }
}
