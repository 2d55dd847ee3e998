//! What an account may not do that a job needs, and the statements that let it.

use super::Finding;
use crate::model::{Flavor, Privilege, Privileges, ServerInfo, Survey, restored_name};

/// What a backup needs in the database, and what it would miss without.
const BACKUP: [(Privilege, &str); 4] = [
    (Privilege::Select, "tables"),
    (Privilege::ShowView, "views"),
    (Privilege::Trigger, "triggers"),
    (Privilege::Event, "events"),
];

/// What a restore needs in the database it makes.
const RESTORE: [Privilege; 11] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Create,
    Privilege::Drop,
    Privilege::Alter,
    Privilege::Index,
    Privilege::References,
    Privilege::CreateView,
    Privilege::CreateRoutine,
    Privilege::Trigger,
    Privilege::Event,
];

/// Where MariaDB keeps the bodies of routines.
const ROUTINE_TABLE: &str = "mysql.proc";

/// May it read everything? A server does not refuse to show a trigger that the account may not see: it
/// leaves it out.
pub fn backup(survey: &Survey, database: &str) -> Finding {
    let (check, privileges) = ("backup-privileges", &survey.privileges);
    let is_missing =
        |&&(privilege, _): &&(Privilege, &str)| !privileges.on_database.contains(&privilege);
    let known = BACKUP.iter().filter(|(privilege, _)| exists(*privilege, survey.server.flavor));
    let (missing, mut unseen): (Vec<_>, Vec<_>) = known.filter(is_missing).copied().unzip();
    let mut words: Vec<_> = missing.iter().map(|privilege| privilege.as_sql().to_owned()).collect();
    let mut grants = Vec::new();
    if !missing.is_empty() {
        grants.push(grant(&missing, &format!("{}.*", quoted(database)), &privileges.account));
    }
    if let Some((privilege, scope)) = missing_for_routines(survey) {
        unseen.push("procedures and functions");
        words.push(format!("{} on {scope}", privilege.as_sql()));
        grants.push(grant(&[privilege], scope, &privileges.account));
    }
    if words.is_empty() {
        return Finding::ok(
            check,
            format!("{} may read all that {database} holds", privileges.account),
        );
    }
    let fact = format!(
        "{} lacks {}: the {} of {database} can't all be seen, and a backup refuses to leave any out",
        privileges.account,
        words.join(", "),
        enumerated(&unseen)
    );
    Finding::problem(check, fact, as_administrator(survey, &grants))
}

/// What a backup reads in the database itself.
pub(in crate::policy) fn reading(flavor: Flavor) -> impl Iterator<Item = Privilege> {
    let known = BACKUP.iter().map(|(privilege, _)| *privilege);
    known.filter(move |privilege| exists(*privilege, flavor))
}

/// The privilege, and where, that shows the bodies of procedures and functions made by others.
pub(in crate::policy) fn of_routines(flavor: Flavor) -> Option<(Privilege, &'static str)> {
    match flavor {
        Flavor::TiDb => None,
        Flavor::MariaDb => Some((Privilege::Select, ROUTINE_TABLE)),
        Flavor::MySql => Some((Privilege::ShowRoutine, "*.*")),
    }
}

/// The same, if the account has neither this privilege nor another that does as well.
fn missing_for_routines(survey: &Survey) -> Option<(Privilege, &'static str)> {
    let Privileges { on_server, on_database, reads_routine_table, .. } = &survey.privileges;
    let missing = of_routines(survey.server.flavor)?;
    let shown = match survey.server.flavor {
        Flavor::MariaDb => {
            *reads_routine_table || on_database.contains(&Privilege::ShowCreateRoutine)
        }
        Flavor::MySql | Flavor::TiDb => {
            on_server.contains(&Privilege::ShowRoutine) || on_server.contains(&Privilege::Select)
        }
    };
    // With these all are listed, and the definitions tell whether one is hidden.
    let lists = [Privilege::Execute, Privilege::AlterRoutine, Privilege::CreateRoutine];
    let listed = lists.iter().any(|privilege| on_database.contains(privilege));
    (!shown && !listed).then_some(missing)
}

/// May it make everything again in another database on the same server? A backup needs none of this.
pub fn restore(survey: &Survey, database: &str) -> Finding {
    let (check, privileges) = ("restore-privileges", &survey.privileges);
    let known =
        RESTORE.iter().copied().filter(|privilege| exists(*privilege, survey.server.flavor));
    let missing: Vec<_> =
        known.filter(|privilege| !privileges.on_restored.contains(privilege)).collect();
    let example = restored_name(database);
    if missing.is_empty() {
        return Finding::ok(check, format!("{} may restore into {example}", privileges.account));
    }
    let writers = [Privilege::Insert, Privilege::Create];
    let fact = if writers.iter().all(|privilege| missing.contains(privilege)) {
        format!(
            "{} can't restore into {example}, which is as it should be if it is for backups only",
            privileges.account
        )
    } else {
        format!(
            "{} can't restore into {example}, as it lacks {}",
            privileges.account,
            words(&missing)
        )
    };
    let grants = [grant(&missing, &format!("{}.*", quoted(&example)), &privileges.account)];
    let remedy = format!("restore with another account, or {}", as_administrator(survey, &grants));
    Finding::warning(check, fact, remedy)
}

/// May it make views, triggers, routines and events that run as somebody else?
pub fn definers(survey: &Survey) -> Finding {
    let (check, privileges) = ("restore-definers", &survey.privileges);
    let asked = of_definers(&survey.server);
    let any_of: &[Privilege] = match survey.server.flavor {
        Flavor::MariaDb => &[Privilege::SetUser, Privilege::Super],
        Flavor::TiDb => &[Privilege::Super],
        Flavor::MySql => &[Privilege::SetAnyDefiner, Privilege::SetUserId, Privilege::Super],
    };
    if any_of.iter().any(|privilege| privileges.on_server.contains(privilege)) {
        let fact =
            "views, triggers, routines and events can be restored with the definers they have";
        return Finding::ok(check, fact);
    }
    let names: Vec<_> = any_of.iter().map(|privilege| privilege.as_sql()).collect();
    let fact = format!(
        "{} has none of {}: it can't restore what runs as another account",
        privileges.account,
        names.join(", ")
    );
    let grants = [grant(&[asked], "*.*", &privileges.account)];
    let remedy = format!("restore with --definer strip, or {}", as_administrator(survey, &grants));
    Finding::warning(check, fact, remedy)
}

/// The least privilege with which one makes what runs as somebody else.
pub(in crate::policy) fn of_definers(server: &ServerInfo) -> Privilege {
    match server.flavor {
        Flavor::MariaDb => Privilege::SetUser,
        Flavor::TiDb => Privilege::Super,
        Flavor::MySql if is_before(&server.version, (8, 2)) => Privilege::SetUserId,
        Flavor::MySql => Privilege::SetAnyDefiner,
    }
}

/// May it make functions and triggers although they could make a replica differ?
pub fn function_creators(survey: &Survey) -> Finding {
    let check = "restore-routines";
    let is_super = survey.privileges.on_server.contains(&Privilege::Super);
    if is_super || survey.binary_log.is_none_or(|log| log.trusts_creators) {
        return Finding::ok(check, "functions and triggers can be made");
    }
    Finding::warning(
        check,
        "log_bin_trust_function_creators is off: only an account with SUPER can restore functions and triggers",
        "restore with such an account, or run as an administrator: SET GLOBAL log_bin_trust_function_creators = 1; \
         (on RDS set it in the parameter group)",
    )
}

/// Does a backup know its place in the binary log? A server that does not tell it with a snapshot tells it
/// under the read lock with which several connections begin.
pub fn position(survey: &Survey, readers: usize) -> Finding {
    let (check, privileges) = ("binlog-position", &survey.privileges);
    let any_of = [Privilege::ReplicationClient, Privilege::BinlogMonitor, Privilege::Super];
    let Some(log) = survey.binary_log else {
        return Finding::ok(check, "the server keeps no binary log");
    };
    if log.tells_place {
        return Finding::ok(check, "a backup knows its place in the binary log");
    }
    if any_of.iter().any(|privilege| privileges.on_server.contains(privilege)) {
        let is_locked = readers > 1 && privileges.on_database.contains(&Privilege::LockTables);
        let when =
            if is_locked { "" } else { ", once several connections can begin under a read lock" };
        return Finding::ok(check, format!("a backup knows its place in the binary log{when}"));
    }
    let asked = of_position(survey.server.flavor);
    let fact = format!(
        "{} lacks {}: a backup does not know its place in the binary log, from where one could roll forward",
        privileges.account,
        asked.as_sql()
    );
    let grants = [grant(&[asked], "*.*", &privileges.account)];
    Finding::warning(check, fact, as_administrator(survey, &grants))
}

/// The privilege with which one sees how far the binary log is.
pub(in crate::policy) fn of_position(flavor: Flavor) -> Privilege {
    match flavor {
        Flavor::MariaDb => Privilege::BinlogMonitor,
        Flavor::MySql | Flavor::TiDb => Privilege::ReplicationClient,
    }
}

/// TiDB knows no triggers, events, procedures or functions.
pub(in crate::policy) fn exists(privilege: Privilege, flavor: Flavor) -> bool {
    let unknown = matches!(
        privilege,
        Privilege::Trigger
            | Privilege::Event
            | Privilege::CreateRoutine
            | Privilege::AlterRoutine
            | Privilege::Execute
    );
    flavor != Flavor::TiDb || !unknown
}

/// The statements, and what else would help.
pub(super) fn as_administrator(survey: &Survey, grants: &[String]) -> String {
    let account = account(&survey.privileges.account);
    let role = match survey.server.flavor {
        _ if !survey.privileges.has_idle_roles => String::new(),
        Flavor::MariaDb => {
            format!(" (or, if a role of its has them: SET DEFAULT ROLE the_role FOR {account};)")
        }
        Flavor::MySql | Flavor::TiDb => {
            format!(" (or, if a role of its has them: SET DEFAULT ROLE ALL TO {account};)")
        }
    };
    format!("run as an administrator: {}{role}", grants.join(" "))
}

pub(in crate::policy) fn grant(privileges: &[Privilege], scope: &str, to: &str) -> String {
    format!("GRANT {} ON {scope} TO {};", words(privileges), account(to))
}

pub(in crate::policy) fn words(privileges: &[Privilege]) -> String {
    privileges.iter().map(|privilege| privilege.as_sql()).collect::<Vec<_>>().join(", ")
}

/// `a`, `a and b`, `a, b and c`.
fn enumerated(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `user@host` as a statement spells it.
fn account(name: &str) -> String {
    let (user, host) = name.rsplit_once('@').unwrap_or((name, "%"));
    let literal = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", literal(user), literal(host))
}

/// Is the version, `8.0.40-log`, an older one?
fn is_before(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut numbers =
        version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (major, minor)
}
