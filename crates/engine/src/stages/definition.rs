//! A table's definition, taken apart so that its secondary keys and foreign keys can be made after its rows.
//!
//! `SHOW CREATE TABLE` is kept verbatim. Taking it apart never rewrites a clause: each is moved whole, and
//! a definition that is not understood to the last byte is used whole.

use crate::model::Catalog;

/// A definition in the order of a fast restore: each part is empty if there is nothing to defer.
#[derive(Debug, PartialEq, Eq)]
pub struct Split {
    /// `CREATE TABLE` without what is deferred.
    pub create: String,
    /// Secondary keys, each as `KEY ...` or `UNIQUE KEY ...`.
    pub keys: Vec<String>,
    /// Foreign keys, each as `CONSTRAINT ... FOREIGN KEY ...`.
    pub foreign_keys: Vec<String>,
}

/// Takes a definition apart.
pub fn split(ddl: &str) -> Split {
    let whole = || Split { create: ddl.to_owned(), keys: Vec::new(), foreign_keys: Vec::new() };
    let Some(Clauses { head, body, tail }) = clauses(ddl) else {
        return whole();
    };
    let defer_keys = may_defer_keys(&body, tail);
    let mut split = Split { create: String::new(), keys: Vec::new(), foreign_keys: Vec::new() };
    let mut kept = Vec::new();
    for clause in body {
        let text = clause.trim();
        match kind_of(text) {
            Clause::ForeignKey => split.foreign_keys.push(text.to_owned()),
            Clause::SecondaryKey if defer_keys => split.keys.push(text.to_owned()),
            _ => kept.push(clause),
        }
    }
    if split.keys.is_empty() && split.foreign_keys.is_empty() {
        return whole();
    }
    split.create = format!("{head}{}\n{tail}", kept.join(",").trim_end());
    split
}

/// Names the first table or object whose definition differs, or which is in one catalog only. Counters
/// that move as rows are written are no difference.
pub fn first_change(before: &Catalog, after: &Catalog) -> Option<String> {
    let definitions = |catalog: &Catalog| {
        let tables = catalog
            .tables
            .iter()
            .map(|table| (format!("table {}", table.name), without_counter(&table.ddl)));
        let objects = catalog.objects.iter().map(|object| {
            let keyword = object.kind.keyword().to_lowercase();
            (format!("{keyword} {}", object.name), object.ddl.clone())
        });
        let database = (
            "the database's character set".to_owned(),
            format!("{} {}", catalog.charset, catalog.collation),
        );
        tables.chain(objects).chain([database]).collect::<std::collections::BTreeSet<_>>()
    };
    let (before, after) = (definitions(before), definitions(after));
    before.symmetric_difference(&after).next().map(|(what, _)| what.clone())
}

/// What is not the same in two definitions of a table: that of the first, and that of the second, either of which may be
/// empty. Counters are no difference, and neither is the order in which keys and constraints are shown, which may be
/// another after keys were made apart; that of the columns is.
pub fn table_difference(one: &str, other: &str) -> Option<(String, String)> {
    fn parts(ddl: &str) -> Vec<String> {
        let Some(Clauses { head, body, tail }) = clauses(ddl) else { return vec![ddl.to_owned()] };
        let clauses = body.into_iter().map(|clause| without_implied_charset(clause.trim()));
        let (columns, mut others): (Vec<_>, Vec<_>) =
            clauses.partition(|clause| column_name(clause).is_some());
        others.sort_unstable();
        [vec![head.to_owned()], columns, others, vec![tail.to_owned()]].concat()
    }
    let (one, other) = (parts(&without_counter(one)), parts(&without_counter(other)));
    if one == other {
        return None;
    }
    let only_in = |here: &[String], there: &[String]| {
        let only: Vec<_> = here.iter().filter(|part| !there.contains(part)).cloned().collect();
        only.join(", ")
    };
    Some((only_in(&one, &other), only_in(&other, &one)))
}

/// A column's clause without the character set that its collation implies: MySQL shows both for a column that was made
/// from a definition in which only the collation stood.
fn without_implied_charset(clause: &str) -> String {
    const WORDS: &str = " CHARACTER SET ";
    let mut quotes = Quotes::default();
    let outside =
        |(at, byte): (usize, u8)| (quotes.outside_after(byte) && byte == b' ').then_some(at);
    let found = clause.bytes().enumerate().filter_map(outside).find_map(|at| {
        let name = clause[at..].strip_prefix(WORDS)?;
        let rest = &name[name.find(' ')?..];
        rest.starts_with(" COLLATE ").then_some((at, rest))
    });
    match found {
        Some((at, rest)) => format!("{}{rest}", &clause[..at]),
        None => clause.to_owned(),
    }
}

/// The definition without the value of its `AUTO_INCREMENT` counter.
pub fn without_counter(ddl: &str) -> String {
    const OPTION: &str = " AUTO_INCREMENT=";
    let Some(Clauses { tail, .. }) = clauses(ddl) else {
        return ddl.to_owned();
    };
    let Some(at) = tail.find(OPTION) else {
        return ddl.to_owned();
    };
    let after = tail[at + OPTION.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{}{}{after}", &ddl[..ddl.len() - tail.len()], &tail[..at])
}

/// The value of the definition's `AUTO_INCREMENT` counter: the next number that is given.
pub fn counter(ddl: &str) -> Option<u64> {
    let Clauses { tail, .. } = clauses(ddl)?;
    let (_, after) = tail.split_once(" AUTO_INCREMENT=")?;
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().ok()
}

/// Whom restored views, triggers, routines and events run as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Definers {
    /// As whoever they ran before.
    #[default]
    Keep,
    /// As whoever restores them.
    Strip,
    /// As this `user@host`.
    Replace(String),
}

impl Definers {
    /// Changes the definer in an object's definition. `definer` is who it was, `user@host`. Objects that were
    /// made with `ANSI_QUOTES` are shown with the name between double quotes.
    pub fn apply(&self, ddl: &str, definer: Option<&str>) -> String {
        let found = definer.and_then(|definer| {
            let clauses = ['`', '"'].map(|quote| Some((clause_of(definer, quote)?, quote)));
            let mut clauses = clauses.into_iter().flatten();
            clauses.find(|(clause, _)| ddl.contains(clause.as_str()))
        });
        match (self, found) {
            (Self::Keep, _) | (_, None) => ddl.to_owned(),
            (Self::Strip, Some((clause, _))) => ddl.replacen(&clause, "", 1),
            (Self::Replace(other), Some((clause, quote))) => {
                let other = clause_of(other, quote).unwrap_or_else(|| format!("DEFINER={other} "));
                ddl.replacen(&clause, &other, 1)
            }
        }
    }
}

/// `` DEFINER=`user`@`host`  `` of `user@host`, with the space that follows it.
fn clause_of(account: &str, quote: char) -> Option<String> {
    let (user, host) = account.rsplit_once('@')?;
    let doubled = format!("{quote}{quote}");
    let quoted = |name: &str| format!("{quote}{}{quote}", name.replace(quote, &doubled));
    Some(format!("DEFINER={}@{} ", quoted(user), quoted(host)))
}

/// Replaces, or leaves out, the name of the database before names of what is in it, so that a definition holds
/// in another one: MariaDB names it beside the sequence that a column's default is drawn from.
pub fn in_database(ddl: &str, from: &str, to: Option<&str>) -> String {
    let qualifier = |database: &str| format!("{}.", quoted(database));
    let (name, other) = (qualifier(from), to.map(qualifier).unwrap_or_default());
    let (bytes, mut quotes) = (ddl.as_bytes(), Quotes::default());
    let (mut kept, mut copied) = (String::new(), 0);
    for (at, &byte) in bytes.iter().enumerate() {
        let starts = quotes.within.is_none() && (at == 0 || bytes[at - 1] != b'`');
        if starts && bytes[at..].starts_with(name.as_bytes()) {
            kept.push_str(&ddl[copied..at]);
            kept.push_str(&other);
            copied = at + name.len();
        }
        quotes.outside_after(byte);
    }
    kept + &ddl[copied..]
}

/// Is this the clause of the constraint of this name?
pub fn is_constraint(clause: &str, name: &str) -> bool {
    clause.starts_with(&format!("CONSTRAINT {} ", quoted(name)))
}

/// The clause of a foreign key under another name.
pub fn constraint_as(clause: &str, from: &str, to: &str) -> String {
    match clause.strip_prefix(&format!("CONSTRAINT {} ", quoted(from))) {
        Some(rest) => format!("CONSTRAINT {} {rest}", quoted(to)),
        None => clause.to_owned(),
    }
}

/// The clause of a foreign key to a table of this database, named with it.
pub fn referring_into(clause: &str, database: &str) -> String {
    const WORD: &str = " REFERENCES ";
    let mut quotes = Quotes::default();
    let outside =
        |(at, byte): (usize, u8)| (quotes.outside_after(byte) && byte == b' ').then_some(at);
    let mut spaces = clause.bytes().enumerate().filter_map(outside);
    match spaces.find(|&at| clause[at..].starts_with(WORD)) {
        Some(at) => {
            let (before, after) = clause.split_at(at + WORD.len());
            format!("{before}{}.{after}", quoted(database))
        }
        None => clause.to_owned(),
    }
}

/// A name between backticks.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Replaces a word wherever it stands by itself outside of quotes.
pub fn replace_word(ddl: &str, from: &str, to: &str) -> String {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let (bytes, mut quotes) = (ddl.as_bytes(), Quotes::default());
    let (mut replaced, mut copied) = (String::new(), 0);
    for (at, &byte) in bytes.iter().enumerate() {
        let outside = quotes.outside_after(byte);
        let end = at + from.len();
        let starts = at == 0 || !is_word(bytes.get(at - 1));
        if outside
            && at >= copied
            && starts
            && bytes[at..].starts_with(from.as_bytes())
            && !is_word(bytes.get(end))
        {
            replaced.push_str(&ddl[copied..at]);
            replaced.push_str(to);
            copied = end;
        }
    }
    replaced.push_str(&ddl[copied..]);
    replaced
}

/// A column's clause in a table's definition, as `IN ('a') DEFAULT uuid()` reads without its name and with `#` in
/// the place of every character within quotes.
pub fn bare_columns(ddl: &str) -> Vec<(String, String)> {
    bare_clauses(ddl)
        .into_iter()
        .filter_map(|(clause, bare)| {
            let name = column_name(clause)?;
            Some((unquoted(name), bare[name.len()..].to_owned()))
        })
        .collect()
}

/// The same with the clause as it stands: name, clause, and clause without what is within quotes, which is as long.
pub fn column_clauses(ddl: &str) -> Vec<(String, String, String)> {
    let clauses = bare_clauses(ddl).into_iter().filter_map(|(clause, bare)| {
        let name = column_name(clause)?;
        let text = clause[name.len()..].to_owned();
        Some((unquoted(name), text, bare[name.len()..].to_owned()))
    });
    clauses.collect()
}

/// Names of keys, and what follows them, with `#` in the place of every character within quotes.
pub fn bare_keys(ddl: &str) -> Vec<(String, String)> {
    let keys =
        bare_clauses(ddl).into_iter().filter(|(clause, _)| kind_of(clause) == Clause::SecondaryKey);
    keys.filter_map(|(clause, bare)| {
        let start = clause.find('`')?;
        let name = column_name(&clause[start..])?;
        Some((unquoted(name), bare[start + name.len()..].to_owned()))
    })
    .collect()
}

/// Clauses, and the same with `#` in the place of every byte within quotes.
fn bare_clauses(ddl: &str) -> Vec<(&str, String)> {
    let body = clauses(ddl).map(|clauses| clauses.body).unwrap_or_default();
    let bare = |clause: &str| {
        let mut quotes = Quotes::default();
        let masked = |byte| if quotes.outside_after(byte) { char::from(byte) } else { '#' };
        clause.bytes().map(masked).collect()
    };
    body.into_iter().map(str::trim).map(|clause| (clause, bare(clause))).collect()
}

fn unquoted(name: &str) -> String {
    name[1..name.len() - 1].replace("``", "`")
}

/// A definition at its seams: `head` ends with the opening parenthesis, `tail` starts with the closing one.
struct Clauses<'a> {
    head: &'a str,
    body: Vec<&'a str>,
    tail: &'a str,
}

#[derive(PartialEq)]
enum Clause {
    SecondaryKey,
    ForeignKey,
    Other,
}

fn kind_of(clause: &str) -> Clause {
    // All but FULLTEXT, which servers keep behind all others: what is deferred must not change places with what is not.
    let secondary = ["KEY ", "UNIQUE KEY ", "SPATIAL KEY "];
    if secondary.iter().any(|start| clause.starts_with(start)) {
        return Clause::SecondaryKey;
    }
    let after_name = clause.strip_prefix("CONSTRAINT ").and_then(|rest| {
        let mut quotes = Quotes::default();
        let end = rest.bytes().position(|byte| quotes.outside_after(byte) && byte == b' ')?;
        Some(&rest[end..])
    });
    match after_name {
        Some(rest) if rest.starts_with(" FOREIGN KEY ") => Clause::ForeignKey,
        _ => Clause::Other,
    }
}

/// Keys stay when a counter needs one of them, or when the table can't simply be altered.
fn may_defer_keys(body: &[&str], tail: &str) -> bool {
    let versioned = |text: &str| text.contains("SYSTEM VERSIONING") || text.contains("PERIOD FOR");
    if versioned(tail) || body.iter().any(|clause| versioned(clause)) {
        return false;
    }
    let counter = body.iter().find(|clause| has_counter(clause));
    counter.is_none_or(|clause| {
        let name = column_name(clause.trim());
        body.iter().any(|clause| {
            let first = clause.trim().strip_prefix("PRIMARY KEY (");
            first.zip(name).is_some_and(|(columns, name)| columns.starts_with(name))
        })
    })
}

/// Is this a column with `AUTO_INCREMENT`, as a word of its own and not within quotes?
fn has_counter(clause: &str) -> bool {
    let mut quotes = Quotes::default();
    let bare: String = clause.chars().filter(|&c| quotes.outside_after_char(c)).collect();
    column_name(clause.trim()).is_some()
        && bare.split_whitespace().any(|word| word == "AUTO_INCREMENT")
}

/// The quoted name that a column's clause starts with, quotes included.
fn column_name(clause: &str) -> Option<&str> {
    let mut quotes = Quotes::default();
    let end = clause.bytes().position(|byte| quotes.outside_after(byte) && byte == b' ')?;
    clause.starts_with('`').then_some(&clause[..end])
}

/// Finds the seams; `None` if this is not of the form that `SHOW CREATE TABLE` has.
fn clauses(ddl: &str) -> Option<Clauses<'_>> {
    let mut quotes = Quotes::default();
    let (mut depth, mut open, mut start) = (0_u32, None, 0);
    let mut body = Vec::new();
    for (at, byte) in ddl.bytes().enumerate() {
        if !quotes.outside_after(byte) {
            continue;
        }
        match byte {
            b'(' => {
                depth += 1;
                if depth == 1 {
                    open = Some(at);
                    start = at + 1;
                }
            }
            b',' if depth == 1 => {
                body.push(&ddl[start..at]);
                start = at + 1;
            }
            b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    body.push(&ddl[start..at]);
                    return Some(Clauses { head: &ddl[..=open?], body, tail: &ddl[at..] });
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a byte of SQL stands within a string or a quoted name.
#[derive(Default)]
struct Quotes {
    within: Option<u8>,
    escaped: bool,
}

impl Quotes {
    /// Takes the next byte and tells whether it stands outside of quotes (the quotes themselves do not).
    /// A doubled quote closes and opens again, which comes to the same.
    fn outside_after(&mut self, byte: u8) -> bool {
        match self.within {
            Some(_) if self.escaped => self.escaped = false,
            Some(quote) if byte == b'\\' && quote != b'`' => self.escaped = true,
            Some(quote) if byte == quote => self.within = None,
            Some(_) => {}
            None if matches!(byte, b'\'' | b'"' | b'`') => self.within = Some(byte),
            None => return true,
        }
        false
    }

    fn outside_after_char(&mut self, c: char) -> bool {
        self.outside_after(u8::try_from(c).unwrap_or(b'x'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "CREATE TABLE `a` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `n` varchar(9) DEFAULT 'a,) KEY \\' (' COMMENT 'x''y, KEY `z`',\n  `d` decimal(5,2) DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`n`),\n  KEY `k,(` (`d`,`n`(3)),\n  FULLTEXT KEY `f` (`n`),\n  CONSTRAINT `a ibfk FOREIGN KEY` CHECK (`d` > 0),\n  CONSTRAINT `fk` FOREIGN KEY (`d`) REFERENCES `b` (`id`) ON DELETE CASCADE\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4\n PARTITION BY HASH (`id`)";

    #[test]
    fn keys_and_foreign_keys_are_moved_whole() {
        let parts = split(PLAIN);
        assert_eq!(parts.keys, ["UNIQUE KEY `u` (`n`)", "KEY `k,(` (`d`,`n`(3))"]);
        assert_eq!(
            parts.foreign_keys,
            ["CONSTRAINT `fk` FOREIGN KEY (`d`) REFERENCES `b` (`id`) ON DELETE CASCADE"]
        );
        let without =
            PLAIN.replace(",\n  UNIQUE KEY `u` (`n`),\n  KEY `k,(` (`d`,`n`(3))", "").replace(
                ",\n  CONSTRAINT `fk` FOREIGN KEY (`d`) REFERENCES `b` (`id`) ON DELETE CASCADE",
                "",
            );
        assert_eq!(parts.create, without);
    }

    #[test]
    fn tables_are_the_same_whatever_the_order_of_keys_and_the_counter() {
        let changed = |from: &str, to: &str| table_difference(PLAIN, &PLAIN.replace(from, to));
        let is_same = |from, to| changed(from, to).is_none();
        let keys = "UNIQUE KEY `u` (`n`),\n  KEY `k,(` (`d`,`n`(3))";
        assert!(is_same(keys, "KEY `k,(` (`d`,`n`(3)),\n  UNIQUE KEY `u` (`n`)"));
        assert!(is_same("AUTO_INCREMENT=7", "AUTO_INCREMENT=8"));
        assert!(is_same(" AUTO_INCREMENT=7", ""));
        for (from, to) in [
            (keys, "KEY `k,(` (`d`,`n`(3))"),
            ("`n`(3)", "`n`(4)"),
            ("UNIQUE KEY", "KEY"),
            ("(5,2) DEFAULT NULL", "(5,2) NOT NULL"),
            ("CHECK (`d` > 0)", "CHECK (`d` > 1)"),
            ("ON DELETE CASCADE", "ON DELETE SET NULL"),
            ("HASH (`id`)", "KEY (`id`)"),
            ("utf8mb4", "latin1"),
            ("  `id` int(11) NOT NULL AUTO_INCREMENT,\n", ""),
        ] {
            assert!(!is_same(from, to), "{from} became {to}");
        }
        let (one, other) = ("`a` int,\n  `b` int", "`b` int,\n  `a` int");
        let table = |columns: &str| format!("CREATE TABLE `t` (\n  {columns}\n) ENGINE=InnoDB");
        let difference = table_difference(&table(one), &table(other));
        assert!(difference.is_some(), "rows have their columns in order");
        for (from, to) in [
            ("(9) DEFAULT", "(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT"),
            ("COMMENT 'x'", "COMMENT ' CHARACTER SET x COLLATE y"),
            ("(9)", "(9) CHARACTER SET latin1"),
        ] {
            assert!(!is_same(from, to), "{from} became {to}");
        }
        let collated = |charset| PLAIN.replace("(9)", &format!("(9){charset} COLLATE utf8mb4_bin"));
        assert_eq!(table_difference(&collated(""), &collated(" CHARACTER SET utf8mb4")), None);
        let pair = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        assert_eq!(
            changed("`k,(` (`d`,`n`(3))", "`k,(` (`d`)"),
            pair("KEY `k,(` (`d`,`n`(3))", "KEY `k,(` (`d`)")
        );
        assert_eq!(changed(",\n  FULLTEXT KEY `f` (`n`)", ""), pair("FULLTEXT KEY `f` (`n`)", ""));
    }

    #[test]
    fn clauses_are_read_without_what_stands_in_quotes() {
        let columns = bare_columns(PLAIN);
        let shown =
            [("id", " int(11) NOT NULL AUTO_INCREMENT"), ("d", " decimal(5,2) DEFAULT NULL")];
        for (name, clause) in shown {
            assert!(columns.contains(&(name.to_owned(), clause.to_owned())), "{columns:?}");
        }
        assert!(
            columns[1].1.starts_with(" varchar(9) DEFAULT ####") && !columns[1].1.contains("KEY")
        );
        let keys = bare_keys(PLAIN);
        assert_eq!(keys[0], ("u".to_owned(), " (###)".to_owned()));
        assert_eq!(keys[1], ("k,(".to_owned(), " (###,###(3))".to_owned()));
    }

    #[test]
    fn a_definition_without_anything_to_defer_stays_as_it_is() {
        let ddl = "CREATE TABLE `a` (\n  `b` int(11) DEFAULT NULL\n) ENGINE=InnoDB";
        assert_eq!(split(ddl).create, ddl);
        assert_eq!(split("nonsense").create, "nonsense");
    }

    #[test]
    fn a_counter_keeps_the_key_it_needs() {
        let ddl = "CREATE TABLE `a` (\n  `b` int NOT NULL,\n  `c` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`b`,`c`),\n  KEY `c` (`c`)\n) ENGINE=InnoDB";
        assert_eq!(split(ddl).create, ddl);
    }

    #[test]
    fn words_are_replaced_only_where_they_stand_by_themselves() {
        let ddl =
            "a latin1_bin, `latin1_bin` 'latin1_bin' latin1_bin2 x_latin1_bin COLLATE=latin1_bin";
        let expected =
            "a utf8_bin, `latin1_bin` 'latin1_bin' latin1_bin2 x_latin1_bin COLLATE=utf8_bin";
        assert_eq!(replace_word(ddl, "latin1_bin", "utf8_bin"), expected);
    }

    #[test]
    fn a_database_is_left_out_before_its_own_names() {
        let ddl = "CREATE TABLE `t` (\n  `a``b` int DEFAULT nextval(`a``b`.`s`),\n  `c` int DEFAULT nextval(`other`.`s`) \
            COMMENT 'nextval(`a``b`.`s`)'\n)";
        let expected = ddl.replacen("(`a``b`.`s`)", "(`s`)", 1);
        assert_eq!(in_database(ddl, "a`b", None), expected);
        assert_eq!(in_database(ddl, "b", None), ddl);
    }

    #[test]
    fn definers_are_kept_stripped_or_replaced() {
        let ddl =
            "CREATE DEFINER=`a b`@`%` TRIGGER `t` BEFORE INSERT ON `x` FOR EACH ROW SET @a = 1";
        let apply = |definers: Definers| definers.apply(ddl, Some("a b@%"));
        assert_eq!(apply(Definers::Keep), ddl);
        assert!(apply(Definers::Strip).starts_with("CREATE TRIGGER `t`"));
        let replaced = apply(Definers::Replace("gorgen@localhost".to_owned()));
        assert!(replaced.starts_with("CREATE DEFINER=`gorgen`@`localhost` TRIGGER"));
    }

    #[test]
    fn definers_between_double_quotes_are_found_too() {
        let ddl = r#"CREATE DEFINER="a b"@"%" PROCEDURE "p"() SELECT 'DEFINER=`a b`@`%`'"#;
        let apply = |definers: Definers| definers.apply(ddl, Some("a b@%"));
        assert!(apply(Definers::Strip).starts_with(r#"CREATE PROCEDURE "p"()"#));
        let replaced = apply(Definers::Replace("gorgen@localhost".to_owned()));
        assert!(replaced.starts_with(r#"CREATE DEFINER="gorgen"@"localhost" PROCEDURE"#));
    }

    #[test]
    fn a_moving_counter_is_no_change() {
        assert!(without_counter(PLAIN).contains("ENGINE=InnoDB DEFAULT CHARSET"));
        assert_eq!(
            without_counter(PLAIN),
            without_counter(&PLAIN.replace("AUTO_INCREMENT=7", "AUTO_INCREMENT=12"))
        );
        let quoted = "CREATE TABLE `a` (\n  `b` int COMMENT ' AUTO_INCREMENT=7'\n) ENGINE=InnoDB";
        assert_eq!(without_counter(quoted), quoted);
    }
}
