//! What the account may see. A server leaves out silently what it may not: a trigger without the privilege
//! TRIGGER is not refused, it is simply not in the list. So what a backup must see is asked for first.

use std::collections::BTreeSet;

use gorgen_engine::{
    model::{Flavor, Grounds, Held, Privilege, is_like},
    ports::SourceError,
};

use super::{connect::Session, error::MySqlError, names::ident};

/// Refuses if tables, triggers, routines or events of the database could be hidden from this account.
pub(super) async fn require_sight(
    session: &mut Session,
    database: &str,
) -> Result<(), SourceError> {
    let flavor = session.flavor();
    if flavor == Flavor::TiDb {
        return Ok(());
    }
    let lines = grant_lines(session).await?;
    let grants = Grants::parse(lines.iter().map(String::as_str));
    for need in needs(flavor) {
        if !need.any_of.iter().any(|(privilege, scope)| grants.gives(privilege, scope.on(database)))
        {
            let grant = format!("run GRANT {} ON {}", need.privilege, need.scope.spelled(database));
            let error = MySqlError::Privilege { privilege: need.privilege, grant };
            return Err(error.refused(session.identity(), need.action));
        }
    }
    Ok(())
}

/// Who we are to the server, `user@host`.
pub(super) async fn account(session: &mut Session) -> Result<String, SourceError> {
    let rows = session.answers("ask who we are", "SELECT CURRENT_USER()").await?;
    Ok(rows.first().map(|row| row.text(0)).unwrap_or_default())
}

/// The lines of `SHOW GRANTS`.
pub(super) async fn grant_lines(session: &mut Session) -> Result<Vec<String>, SourceError> {
    let lines = session.answers("show the account's privileges", "SHOW GRANTS").await?;
    Ok(lines.iter().filter_map(|line| line.get(0)).map(str::to_owned).collect())
}

/// One thing that must be visible, and any privilege that makes it so.
struct Need {
    action: &'static str,
    /// The privilege to ask for, and where.
    privilege: &'static str,
    scope: Scope,
    any_of: &'static [(&'static str, Scope)],
}

#[derive(Clone, Copy)]
enum Scope {
    Global,
    Database,
    Proc,
}

impl Scope {
    fn on(self, database: &str) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Global => None,
            Self::Database => Some((database, None)),
            Self::Proc => Some(("mysql", Some("proc"))),
        }
    }

    fn spelled(self, database: &str) -> String {
        match self {
            Self::Global => "*.*".to_owned(),
            Self::Database => format!("{}.*", ident(database)),
            Self::Proc => "mysql.proc".to_owned(),
        }
    }
}

const TABLES: Need = Need {
    action: "show all tables",
    privilege: "SELECT",
    scope: Scope::Database,
    any_of: &[("SELECT", Scope::Database)],
};

const TRIGGERS: Need = Need {
    action: "show all triggers",
    privilege: "TRIGGER",
    scope: Scope::Database,
    any_of: &[("TRIGGER", Scope::Database)],
};

const EVENTS: Need = Need {
    action: "show all events",
    privilege: "EVENT",
    scope: Scope::Database,
    any_of: &[("EVENT", Scope::Database)],
};

const ROUTINES_OF_MYSQL: Need = Need {
    action: "show all procedures and functions",
    privilege: "SHOW_ROUTINE",
    scope: Scope::Global,
    any_of: &[
        ("SHOW_ROUTINE", Scope::Global),
        ("SELECT", Scope::Global),
        ("EXECUTE", Scope::Database),
        ("ALTER ROUTINE", Scope::Database),
        ("CREATE ROUTINE", Scope::Database),
    ],
};

const ROUTINES_OF_MARIADB: Need = Need {
    action: "show all procedures and functions",
    privilege: "SELECT",
    scope: Scope::Proc,
    any_of: &[
        ("SELECT", Scope::Proc),
        ("SHOW CREATE ROUTINE", Scope::Database),
        ("EXECUTE", Scope::Database),
        ("ALTER ROUTINE", Scope::Database),
        ("CREATE ROUTINE", Scope::Database),
    ],
};

fn needs(flavor: Flavor) -> [&'static Need; 4] {
    let routines =
        if flavor == Flavor::MariaDb { &ROUTINES_OF_MARIADB } else { &ROUTINES_OF_MYSQL };
    [&TABLES, &TRIGGERS, &EVENTS, routines]
}

/// The lines of `SHOW GRANTS`, with those of the active roles among them.
#[derive(Debug, Default)]
pub(super) struct Grants {
    given: Vec<Line>,
    revoked: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    privileges: Vec<String>,
    /// Pattern of databases, and a table; `None` for all databases.
    on: Option<(String, Option<String>)>,
    /// May the account give them to others?
    is_grantable: bool,
}

/// What ends a line whose privileges the account may give to others.
const GRANTABLE: &str = " WITH GRANT OPTION";
/// That leave as a privilege of its own, as REVOKE names it.
const GRANT_OPTION: &str = "GRANT OPTION";

impl Grants {
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut grants = Self::default();
        for line in lines {
            if let Some(rest) = line.strip_prefix("GRANT ") {
                grants.given.extend(Line::parse(rest));
            } else if let Some(rest) = line.strip_prefix("REVOKE ") {
                grants.revoked.extend(Line::parse(rest));
            }
        }
        grants
    }

    /// Each line that gives something.
    pub(super) fn held(&self) -> Vec<Held> {
        let held = |line: &Line| {
            let mut privileges: BTreeSet<_> = line.privileges.iter().cloned().collect();
            if line.is_grantable {
                privileges.insert(GRANT_OPTION.to_owned());
            }
            let grounds = match &line.on {
                None => Grounds::Server,
                Some((pattern, None)) => Grounds::Databases(pattern.clone()),
                Some((database, Some(table))) => Grounds::Table(database.clone(), table.clone()),
            };
            Held { privileges, grounds }
        };
        self.given.iter().map(held).collect()
    }

    /// All that is given there.
    pub(super) fn all_on(&self, on: Option<(&str, Option<&str>)>) -> BTreeSet<Privilege> {
        let all = Privilege::ALL.into_iter();
        all.filter(|privilege| self.gives(privilege.as_sql(), on)).collect()
    }

    /// Is the privilege given for all databases (`None`), a whole database, or a table of it?
    pub(super) fn gives(&self, privilege: &str, on: Option<(&str, Option<&str>)>) -> bool {
        let covers = |line: &&Line| line.names(privilege) && line.covers(on);
        self.given.iter().any(|line| covers(&line))
            && !self.revoked.iter().any(|line| covers(&line))
    }
}

impl Line {
    /// Reads what follows GRANT or REVOKE; `None` for roles, proxies and single routines.
    fn parse(rest: &str) -> Option<Self> {
        let (privileges, rest) = split_outside_quotes(rest, " ON ")?;
        let target = ["TO", "FROM"].iter().find_map(|word| {
            split_outside_quotes(rest, &format!(" {word} ")).map(|(target, _)| target)
        })?;
        let privileges = split_list(privileges);
        let on = if target == "*.*" {
            None
        } else {
            let (database, table) = split_outside_quotes(target, ".")?;
            Some((unquoted(database)?, if table == "*" { None } else { Some(unquoted(table)?) }))
        };
        Some(Self { privileges, on, is_grantable: rest.ends_with(GRANTABLE) })
    }

    fn names(&self, privilege: &str) -> bool {
        self.privileges
            .iter()
            .any(|name| name == privilege || name == "ALL PRIVILEGES" || name == "ALL")
    }

    fn covers(&self, on: Option<(&str, Option<&str>)>) -> bool {
        match (&self.on, on) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((pattern, None)), Some((database, _))) => is_like(database, pattern),
            (Some((here, Some(table))), Some((database, wanted))) => {
                is_like(database, here) && wanted == Some(table.as_str())
            }
        }
    }
}

/// Splits at the first `separator` that does not stand between backticks.
fn split_outside_quotes<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut within = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'`' {
            within = !within;
        } else if !within && text[at..].starts_with(separator) {
            return Some((&text[..at], &text[at + separator.len()..]));
        }
    }
    None
}

/// Privileges without those for single columns.
fn split_list(list: &str) -> Vec<String> {
    let (mut depth, mut within, mut names, mut name) = (0_u32, false, Vec::new(), String::new());
    for c in list.chars() {
        match c {
            '`' => within = !within,
            '(' if !within => depth += 1,
            ')' if !within => depth = depth.saturating_sub(1),
            ',' if !within && depth == 0 => names.push(std::mem::take(&mut name)),
            _ => {}
        }
        name.push(c);
    }
    names.push(name);
    let names = names.iter().map(|name| name.trim_start_matches(',').trim().to_uppercase());
    names.filter(|name| !name.ends_with(')')).collect()
}

fn unquoted(name: &str) -> Option<String> {
    let inner = name.strip_prefix('`')?.strip_suffix('`')?;
    Some(inner.replace("``", "`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(lines: &[&str]) -> Grants {
        Grants::parse(lines.iter().copied())
    }

    const CLINIC: Option<(&str, Option<&str>)> = Some(("clinica_1", None));

    #[test]
    fn grants_count_where_they_cover_the_whole_database() {
        let given = grants(&[
            "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*00'",
            "GRANT SELECT, LOCK TABLES, SHOW VIEW ON `clinica\\_1`.* TO `u`@`%`",
            "GRANT TRIGGER ON `clinica_1`.`a ON b` TO `u`@`%`",
            "GRANT INSERT (`EVENT`, `x`), UPDATE ON `clinica%`.* TO `u`@`%`",
            "GRANT EXECUTE ON PROCEDURE `clinica_1`.`p` TO `u`@`%`",
            "GRANT `r1`@`%` TO `u`@`%`",
            "GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION",
        ]);
        assert!(given.gives("SELECT", CLINIC));
        assert!(given.gives("LOCK TABLES", CLINIC));
        assert!(given.gives("UPDATE", CLINIC));
        for missing in ["TRIGGER", "EVENT", "INSERT", "EXECUTE"] {
            assert!(!given.gives(missing, CLINIC), "{missing}");
        }
        assert!(!given.gives("SELECT", Some(("clinicax1", None))), "an escaped _ is no wildcard");
        assert!(!given.gives("SELECT", None));
        assert!(given.gives("TRIGGER", Some(("clinica_1", Some("a ON b")))));
    }

    #[test]
    fn each_line_is_told_with_where_it_holds() {
        let held = grants(&[
            "GRANT USAGE ON *.* TO `u`@`%`",
            "GRANT SELECT, LOCK TABLES ON `clinica\\_1`.* TO `u`@`%` WITH GRANT OPTION",
            "GRANT SELECT ON `mysql`.`proc` TO `u`@`%`",
            "GRANT `r1`@`%` TO `u`@`%`",
        ])
        .held();
        let told: Vec<_> = held
            .iter()
            .map(|held| {
                let privileges: Vec<_> = held.privileges.iter().map(String::as_str).collect();
                format!("{} ON {}", privileges.join(", "), held.grounds)
            })
            .collect();
        assert_eq!(
            told,
            [
                "USAGE ON *.*",
                r"GRANT OPTION, LOCK TABLES, SELECT ON `clinica\_1`.*",
                "SELECT ON `mysql`.`proc`"
            ]
        );
    }

    #[test]
    fn all_means_all_and_revoked_means_not() {
        let all = grants(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"]);
        assert!(all.gives("TRIGGER", CLINIC) && all.gives("SHOW_ROUTINE", None));
        let most = grants(&[
            "GRANT SELECT, TRIGGER ON *.* TO `u`@`%`",
            "REVOKE TRIGGER ON `clinica_1`.* FROM `u`@`%`",
        ]);
        assert!(most.gives("SELECT", CLINIC) && !most.gives("TRIGGER", CLINIC));
    }
}
