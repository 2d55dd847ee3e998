//! The head of a trigger's definition, which MariaDB keeps as it was typed.
//!
//! `CREATE TRIGGER clinica.t BEFORE INSERT ON clinica.pacientes ...`, run inside another database, would
//! make the trigger in `clinica`, where the live data is. The database's name is cut out of the head.

use super::definition::quoted;

/// The definition without a database's name before the trigger's and the table's name.
pub fn without_database(ddl: &str) -> String {
    let head = Head::of(ddl);
    let mut kept = String::with_capacity(ddl.len());
    let mut copied = 0;
    for place in [head.trigger, head.table].into_iter().flatten() {
        if let [database, dot, rest, ..] = &head.tokens[place.min(head.tokens.len())..]
            && dot.text == "."
        {
            kept.push_str(&ddl[copied..database.at]);
            copied = rest.at;
        }
    }
    kept.push_str(&ddl[copied..]);
    kept
}

/// The definition of the same trigger under another name and on another table. Its head names no database
/// ([`without_database`]).
pub fn named(ddl: &str, trigger: &str, table: &str) -> String {
    let head = Head::of(ddl);
    let mut renamed = String::with_capacity(ddl.len());
    let mut copied = 0;
    for (place, name) in [(head.trigger, trigger), (head.table, table)] {
        if let Some(token) = place.and_then(|place| head.tokens.get(place)) {
            renamed.push_str(&ddl[copied..token.at]);
            renamed.push_str(&quoted(name));
            copied = token.at + token.text.len();
        }
    }
    renamed.push_str(&ddl[copied..]);
    renamed
}

/// All up to `FOR EACH ROW`, and where in it the names are.
struct Head<'a> {
    tokens: Vec<Token<'a>>,
    trigger: Option<usize>,
    table: Option<usize>,
}

impl<'a> Head<'a> {
    fn of(ddl: &'a str) -> Self {
        let tokens: Vec<_> =
            Tokens { text: ddl, at: 0 }.take_while(|token| !token.is("FOR")).collect();
        let Some(word) = tokens.iter().position(|token| token.is("TRIGGER")) else {
            return Self { tokens, trigger: None, table: None };
        };
        let words = tokens[word + 1..].iter().take(3).map(|token| token.text.to_uppercase());
        let conditional = words.eq(["IF", "NOT", "EXISTS"].map(str::to_owned));
        let name = word + if conditional { 4 } else { 1 };
        let on = tokens.iter().skip(name).position(|token| token.is("ON"));
        Self { trigger: Some(name), table: on.map(|at| name + at + 1), tokens }
    }
}

#[derive(Debug)]
struct Token<'a> {
    text: &'a str,
    at: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Words, quoted names and single signs, without white space and comments.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_gaps();
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let length = match first {
            '`' | '"' | '\'' => quoted_length(rest, first),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let token = Token { text: &rest[..length], at: self.at };
        self.at += length;
        Some(token)
    }
}

impl Tokens<'_> {
    fn skip_gaps(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let gap = if rest.starts_with(char::is_whitespace) {
                rest.find(|c: char| !c.is_whitespace())
            } else if rest.starts_with("/*") {
                rest.find("*/").map(|at| at + 2)
            } else if rest.starts_with('#') || rest.starts_with("-- ") {
                rest.find('\n')
            } else {
                return;
            };
            self.at += gap.unwrap_or(rest.len());
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A doubled quote does not end the name.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = signs.next() {
        if c == quote && signs.next_if(|&(_, next)| next == quote).is_none() {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_is_cut_out() {
        let cases = [
            (
                "CREATE DEFINER=`a.b`@`%` trigger y.t2 before insert on y . t for each row set @a = y.f()",
                "CREATE DEFINER=`a.b`@`%` trigger t2 before insert on t for each row set @a = y.f()",
            ),
            (
                "CREATE TRIGGER IF NOT EXISTS `d``.`/* on */.`t` AFTER UPDATE ON `d``.`.`on` FOR EACH ROW SET @a=1",
                "CREATE TRIGGER IF NOT EXISTS `t` AFTER UPDATE ON `on` FOR EACH ROW SET @a=1",
            ),
        ];
        for (ddl, expected) in cases {
            assert_eq!(without_database(ddl), expected);
        }
    }

    #[test]
    fn a_trigger_gets_another_name_and_table() {
        let ddl =
            "CREATE DEFINER=`a`@`%` trigger t2 before insert on `on` FOR EACH ROW SET @on = 't2'";
        let expected = "CREATE DEFINER=`a`@`%` trigger `x``1` before insert on `y` FOR EACH ROW SET @on = 't2'";
        assert_eq!(named(ddl, "x`1", "y"), expected);
    }

    #[test]
    fn plain_heads_and_nonsense_stay_as_they_are() {
        for ddl in [
            "CREATE DEFINER=`root`@`localhost` TRIGGER `a.b` BEFORE INSERT ON `c.d` FOR EACH ROW SET @x = a.b",
            "CREATE TRIGGER if not exists t4 after insert on t for each row set @a=1",
            "CREATE TRIGGER `unclosed",
            "TRIGGER",
            "",
        ] {
            assert_eq!(without_database(ddl), ddl);
        }
    }
}
