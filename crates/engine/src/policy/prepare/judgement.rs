//! Accounts that are there, judged: what they lack, and what they have beyond their need.

use std::collections::BTreeSet;

use super::{Login, Right, Role, Wanted, Wish, rights, statements};
use crate::{
    model::{Grounds, Held, Holder, Premises, Privilege, ServerInfo, Survey},
    policy::findings::{Finding, listed, privileges::function_creators, server as of_server},
};

/// The plug-in of accounts that log in by IAM's leave.
pub(super) const RDS_IAM: &str = "AWSAuthenticationPlugin";

/// The name of privileges that are none.
const NOTHING: &str = "USAGE";

/// Is the account there, as it should be, with all that it needs and no more?
pub fn account(
    wanted: &Wanted,
    wish: &Wish,
    server: &ServerInfo,
    holder: Option<&Holder>,
) -> Vec<Finding> {
    let [of_account, of_rights, of_excess] = checks(wanted.role);
    let Some(holder) = holder else {
        let fact = format!("there is no account {}", wanted.account);
        let remedy = "make it as an administrator: gorgen-backup prepare, or gorgen-backup prepare --print for the \
                      statements";
        return vec![
            Finding::problem(of_account, fact, remedy),
            Finding::skipped(of_rights, of_account),
            Finding::skipped(of_excess, of_account),
        ];
    };
    let rights = rights(wanted.role, wish, server);
    vec![
        login(of_account, wanted, wish, holder),
        missing(of_rights, wanted, &rights, holder),
        excess(of_excess, wanted, &rights, holder),
    ]
}

const fn checks(role: Role) -> [&'static str; 3] {
    match role {
        Role::Backup => ["backup-account", "backup-rights", "backup-excess"],
        Role::Restore => ["restore-account", "restore-rights", "restore-excess"],
        Role::Scratch => ["scratch-account", "scratch-rights", "scratch-excess"],
    }
}

fn login(check: &'static str, wanted: &Wanted, wish: &Wish, holder: &Holder) -> Finding {
    let account = &wanted.account;
    let is_by_iam = holder.plugin.as_deref().map(|plugin| plugin.eq_ignore_ascii_case(RDS_IAM));
    match (wish.login, is_by_iam) {
        (Login::RdsIam, Some(false)) => {
            let fact = format!("{account} logs in with a password, not by RDS IAM authentication");
            let statement = format!(
                "ALTER USER {} IDENTIFIED WITH {RDS_IAM} AS 'RDS' REQUIRE SSL;",
                account.as_sql()
            );
            return Finding::problem(check, fact, as_administrator(&statement));
        }
        (Login::Password, Some(true)) => {
            let fact = format!("{account} logs in by RDS IAM authentication, not with a password");
            let remedy =
                "say --auth rds-iam, and use GORGEN_DATABASE_URL with auth=rds-iam and no password";
            return Finding::warning(check, fact, remedy);
        }
        _ => {}
    }
    match holder.requires_tls {
        Some(false) if wish.tls => {
            let fact = format!("{account} may log in without TLS, for others to read along");
            let remedy = as_administrator(&statements::encrypt(account));
            Finding::warning(check, fact, remedy)
        }
        Some(true) => Finding::ok(check, format!("{account} is there, and logs in over TLS only")),
        _ => Finding::ok(check, format!("{account} is there")),
    }
}

fn missing(check: &'static str, wanted: &Wanted, rights: &[Right], holder: &Holder) -> Finding {
    let (account, role) = (&wanted.account, wanted.role.as_str());
    let missing: Vec<_> = rights.iter().filter(|right| !holder.has(right)).cloned().collect();
    let remedy = as_administrator(&statements::grants(account, &missing).join(" "));
    let lacks = format!("{account} lacks {}", spelled(&missing));
    if missing.is_empty() {
        return Finding::ok(check, format!("{account} may do all that its part takes ({role})"));
    }
    if missing.iter().any(|right| right.without.is_none()) {
        let aside = if missing.iter().any(|right| right.privilege == Privilege::ShowRoutine) {
            " (if the administrator may not give SHOW_ROUTINE, as on Amazon RDS: gorgen-backup prepare --read-all)"
        } else {
            ""
        };
        return Finding::problem(check, lacks, format!("{remedy}{aside}"));
    }
    let without: BTreeSet<_> = missing.iter().filter_map(|right| right.without).collect();
    let without = without.into_iter().collect::<Vec<_>>().join("; ");
    Finding::warning(check, format!("{lacks}: {without}"), remedy)
}

fn excess(check: &'static str, wanted: &Wanted, rights: &[Right], holder: &Holder) -> Finding {
    let account = &wanted.account;
    let beyond: Vec<_> = holder
        .grants
        .iter()
        .filter_map(|held| {
            let beyond: Vec<_> = held.beyond(rights).collect();
            (!beyond.is_empty()).then(|| (beyond.join(", "), &held.grounds))
        })
        .collect();
    if beyond.is_empty() {
        return Finding::ok(check, format!("{account} may do no more than that"));
    }
    let named: Vec<_> =
        beyond.iter().map(|(privileges, grounds)| format!("{privileges} on {grounds}")).collect();
    let taken: Vec<_> = beyond
        .iter()
        .map(|(privileges, grounds)| {
            format!("REVOKE {privileges} ON {grounds} FROM {};", account.as_sql())
        })
        .collect();
    let fact = format!("{account} may do more than its part takes: {}", listed(&named));
    let remedy = format!("if nothing else needs it: {}", taken.join(" "));
    Finding::warning(check, fact, remedy)
}

impl Holder {
    /// Has it this right, or one that does as well?
    pub(crate) fn has(&self, right: &Right) -> bool {
        let own = [right.privilege];
        let names: Vec<_> = own.iter().chain(alternatives(right.privilege)).collect();
        let gives = |held: &Held| {
            names.iter().any(|privilege| held.names(privilege.as_sql()))
                && held.grounds.cover(&right.grounds)
        };
        self.grants.iter().any(gives)
    }
}

impl Held {
    /// Privileges that are part of no right there.
    fn beyond(&self, rights: &[Right]) -> impl Iterator<Item = &str> {
        let is_part = |name: &str| {
            rights
                .iter()
                .any(|right| right.privilege.as_sql() == name && right.grounds.cover(&self.grounds))
        };
        let names = self.privileges.iter().map(String::as_str);
        names.filter(move |name| *name != NOTHING && !is_part(name))
    }
}

/// Privileges with which one may do the same; what else they let one do is another matter.
const fn alternatives(privilege: Privilege) -> &'static [Privilege] {
    match privilege {
        Privilege::ShowRoutine => &[Privilege::Select],
        Privilege::SetAnyDefiner => &[Privilege::SetUserId, Privilege::Super],
        Privilege::SetUserId => &[Privilege::SetAnyDefiner, Privilege::Super],
        Privilege::SetUser => &[Privilege::Super],
        Privilege::ReplicationClient => &[Privilege::BinlogMonitor, Privilege::Super],
        Privilege::BinlogMonitor => &[Privilege::ReplicationClient, Privilege::Super],
        _ => &[],
    }
}

/// Is the server as those need it who load rows into it?
pub fn server(wish: &Wish, premises: &Premises) -> Vec<Finding> {
    let roles: Vec<_> = wish.accounts.iter().map(|wanted| wanted.role).collect();
    if roles.iter().all(|role| *role == Role::Backup) {
        return Vec::new();
    }
    // The administrator may do what the accounts may not.
    let mut survey: Survey = premises.survey.clone();
    survey.privileges.on_server.clear();
    let mut findings = vec![
        of_server::packet(&survey),
        of_server::local_infile(&survey),
        function_creators(&survey),
    ];
    if !premises.takes_patterns {
        findings.push(Finding::warning(
            "patterns",
            "partial_revokes is on: what is granted on databases of names that begin alike holds in none of them",
            "SET PERSIST partial_revokes = OFF; (on RDS set it in the parameter group)",
        ));
    }
    findings
}

/// `SELECT, EVENT on a; SHOW_ROUTINE on b`.
fn spelled(rights: &[Right]) -> String {
    let mut grounds: Vec<&Grounds> = Vec::new();
    for right in rights {
        if !grounds.contains(&&right.grounds) {
            grounds.push(&right.grounds);
        }
    }
    let of = |there: &&Grounds| {
        let privileges: Vec<_> = rights
            .iter()
            .filter(|right| right.grounds == **there)
            .map(|right| right.privilege.as_sql())
            .collect();
        format!("{} on {there}", privileges.join(", "))
    };
    grounds.iter().map(of).collect::<Vec<_>>().join("; ")
}

fn as_administrator(statements: &str) -> String {
    format!("run as an administrator: {statements}")
}
