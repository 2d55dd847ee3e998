//! Accounts of a server, and where a privilege holds, as GRANT spells both.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::Survey;

/// The longest name of an account that every server takes, in characters.
const LONGEST_USER: usize = 32;
/// The longest name of a host that every server takes, in characters.
const LONGEST_HOST: usize = 60;

/// Whoever comes from wherever.
const ANY_HOST: &str = "%";

/// An account: who logs in, and from which hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName {
    user: String,
    host: String,
}

/// A text that names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a user of 1 to {LONGEST_USER} characters, and after an @ the host that it comes from, of at most \
     {LONGEST_HOST}, as gorgen_backup@10.0.%; got {given}"
)]
pub struct AccountNameError {
    given: String,
}

impl AccountName {
    /// This user, from any host.
    pub fn anywhere(user: &str) -> Self {
        Self { user: user.to_owned(), host: ANY_HOST.to_owned() }
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The account as a statement spells it, for sessions without `NO_BACKSLASH_ESCAPES`.
    pub fn as_sql(&self) -> String {
        format!("{}@{}", literal(&self.user), literal(&self.host))
    }
}

/// `user`, or `user@host`; a user's name may have an @ in it, a host's has none.
impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let (user, host) = text.rsplit_once('@').unwrap_or((text, ANY_HOST));
        let fits = |part: &str, longest| {
            (1..=longest).contains(&part.chars().count()) && !part.contains(char::is_control)
        };
        if fits(user, LONGEST_USER) && fits(host, LONGEST_HOST) {
            Ok(Self { user: user.to_owned(), host: host.to_owned() })
        } else {
            Err(AccountNameError { given: format!("{text:?}") })
        }
    }
}

/// `user@host`, as servers show it.
impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

/// Privileges that an account has, and where: a line of `SHOW GRANTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Their names, as the server spells them, in capital letters; `ALL PRIVILEGES` stands for all.
    pub privileges: BTreeSet<String>,
    /// Where they hold.
    pub grounds: Grounds,
}

impl Held {
    /// Is the privilege among them?
    pub fn names(&self, privilege: &str) -> bool {
        [privilege, "ALL PRIVILEGES", "ALL"].iter().any(|name| self.privileges.contains(*name))
    }
}

/// Where a privilege holds: what stands after ON in a GRANT.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grounds {
    /// Everywhere on the server.
    Server,
    /// In all databases whose names are like this pattern, in which `%` and `_` stand for others.
    Databases(String),
    /// In one table.
    Table(String, String),
}

impl Grounds {
    /// The database of this name, and no other.
    pub fn database(name: &str) -> Self {
        Self::Databases(escaped(name))
    }

    /// All databases whose names begin like this.
    pub fn databases_from(beginning: &str) -> Self {
        Self::Databases(format!("{}%", escaped(beginning)))
    }

    /// Does what is given here hold there as well?
    pub fn cover(&self, there: &Self) -> bool {
        match (self, there) {
            (Self::Server, _) => true,
            (Self::Databases(here), Self::Databases(there)) => {
                here == there || is_like(&an_example(there), here)
            }
            (Self::Databases(here), Self::Table(database, _)) => is_like(database, here),
            (Self::Table(..), Self::Table(..)) => self == there,
            (Self::Databases(_) | Self::Table(..), _) => false,
        }
    }
}

/// As a statement spells it.
impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("*.*"),
            Self::Databases(pattern) => write!(f, "{}.*", quoted(pattern)),
            Self::Table(database, table) => write!(f, "{}.{}", quoted(database), quoted(table)),
        }
    }
}

/// A name that stands for itself where patterns are expected: `_` and `%` would stand for others, and so would the
/// sign that says they do not.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")
}

/// A name that is like this pattern, and like no narrower one that is not made for it.
fn an_example(pattern: &str) -> String {
    let (mut example, mut signs) = (String::new(), pattern.chars());
    while let Some(sign) = signs.next() {
        match sign {
            '%' => example.push_str("any"),
            '_' => example.push('x'),
            '\\' => example.extend(signs.next()),
            other => example.push(other),
        }
    }
    example
}

/// `LIKE`, as grants on databases use it.
pub fn is_like(name: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('%') => {
            let tails = name.char_indices().map(|(at, _)| &name[at..]).chain([""]);
            tails.into_iter().any(|tail| is_like(tail, rest.as_str()))
        }
        Some(first) => {
            let literal = match first {
                '\\' => rest.next(),
                '_' => None,
                other => Some(other),
            };
            let mut name = name.chars();
            name.next().is_some_and(|c| literal.is_none_or(|literal| literal == c))
                && is_like(name.as_str(), rest.as_str())
        }
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string as a statement spells it, for sessions without `NO_BACKSLASH_ESCAPES`.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// The server, as it matters for accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Premises {
    /// The server and the administrator's own account; of rows nothing is known if there is no database.
    pub survey: Survey,
    /// Is the database there?
    pub has_database: bool,
    /// Do `%` and `_` stand for others in the names of databases that privileges are given on?
    pub takes_patterns: bool,
}

/// An account that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// What it may do by itself, without roles.
    pub grants: Vec<Held>,
    /// Does it log in over TLS only? `None` if the server does not tell.
    pub requires_tls: Option<bool>,
    /// The plug-in that it logs in with, if the server tells.
    pub plugin: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_account_comes_from_anywhere_unless_a_host_is_named() {
        let sql = |text: &str| text.parse::<AccountName>().map(|account| account.as_sql());
        assert_eq!(sql("gorgen").unwrap(), "'gorgen'@'%'");
        assert_eq!(sql("gorgen@10.0.%").unwrap(), "'gorgen'@'10.0.%'");
        assert_eq!(sql("a@b@localhost").unwrap(), "'a@b'@'localhost'");
        assert_eq!(sql(r"it's `\@x").unwrap(), r"'it''s `\\'@'x'");
        let shown: AccountName = "gorgen@10.0.%".parse().unwrap();
        assert_eq!(shown.to_string(), "gorgen@10.0.%");
        for text in ["", "@", "@%", "gorgen@", "a\nb", &"a".repeat(33)] {
            let error = text.parse::<AccountName>().unwrap_err();
            assert!(error.to_string().ends_with(&format!("got {text:?}")), "{error}");
        }
    }

    #[test]
    fn a_database_stands_for_itself() {
        assert_eq!(Grounds::database("a_1%").to_string(), r"`a\_1\%`.*");
        assert_eq!(Grounds::database(r"a`\b").to_string(), r"`a``\\b`.*");
        assert_eq!(Grounds::databases_from("a_1__").to_string(), r"`a\_1\_\_%`.*");
        assert_eq!(Grounds::Server.to_string(), "*.*");
        let table = Grounds::Table("mysql".to_owned(), "proc".to_owned());
        assert_eq!(table.to_string(), "`mysql`.`proc`");
    }

    #[test]
    fn what_is_given_widely_holds_narrowly() {
        let (clinic, beside) = (Grounds::database("a_1"), Grounds::databases_from("a_1__"));
        let like = |pattern: &str| Grounds::Databases(pattern.to_owned());
        let table = Grounds::Table("a_1".to_owned(), "t".to_owned());
        for (wide, narrow) in [
            (&Grounds::Server, &clinic),
            (&Grounds::Server, &table),
            (&clinic, &clinic),
            (&clinic, &table),
            (&beside, &beside),
            (&like("a_1"), &clinic),
            (&like("a%"), &beside),
        ] {
            assert!(wide.cover(narrow), "{wide} {narrow}");
        }
        for (narrow, other) in [
            (&clinic, &Grounds::Server),
            (&clinic, &beside),
            (&beside, &clinic),
            (&table, &clinic),
            (&beside, &like("a%")),
            (&like(r"a\_1\_\_restore\_%"), &beside),
        ] {
            assert!(!narrow.cover(other), "{narrow} {other}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_name_is_like_itself_alone(name in ".{0,12}", other in ".{0,12}") {
            prop_assert!(is_like(&name, &escaped(&name)));
            prop_assert_eq!(is_like(&other, &escaped(&name)), name == other);
            prop_assert_eq!(an_example(&escaped(&name)), name);
        }
    }
}
