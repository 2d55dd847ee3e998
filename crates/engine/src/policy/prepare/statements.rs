//! The statements that make an account and give it its rights, and what else is to be set on the server.
//!
//! All may be run again: an account that is there is left as it is, and a privilege that is there stays.

use super::{Login, Right, Wanted, Wish, rights};
use crate::{
    model::{AccountName, Flavor, Grounds, ServerInfo, literal},
    policy::findings::privileges::words,
};

/// What stands in the place of a password that is not shown. A server refuses it: nobody gets it for a password by
/// mistake.
const PLACEHOLDER: &str = "<PASSWORD>";

/// Makes an account that is not there; without a password to show.
pub fn create(account: &AccountName, wish: &Wish, password: Option<&str>) -> String {
    format!("CREATE USER {};", defined(account, wish, password))
}

/// Gives an account another password.
pub fn renew(account: &AccountName, password: Option<&str>) -> String {
    format!("ALTER USER {} IDENTIFIED BY {};", account.as_sql(), spelled(password))
}

/// A password as a statement spells it.
fn spelled(password: Option<&str>) -> String {
    password.map_or_else(|| PLACEHOLDER.to_owned(), literal)
}

/// Lets an account log in over TLS only.
pub fn encrypt(account: &AccountName) -> String {
    format!("ALTER USER {} REQUIRE SSL;", account.as_sql())
}

/// Gives an account these rights. What holds in some databases is one statement; what holds everywhere is one each,
/// as an administrator may have leave to give the one and not the other.
pub fn grants(account: &AccountName, rights: &[Right]) -> Vec<String> {
    let mut statements = Vec::new();
    let mut left: Vec<_> = rights.iter().collect();
    while let Some(first) = left.first().copied() {
        let is_alone = first.grounds == Grounds::Server;
        let goes = |right: &&Right| {
            if is_alone { *right == first } else { right.grounds == first.grounds }
        };
        let (now, later): (Vec<_>, Vec<_>) = left.into_iter().partition(goes);
        let mut privileges: Vec<_> = now.iter().map(|right| right.privilege).collect();
        privileges.sort_unstable();
        statements.push(format!(
            "GRANT {} ON {} TO {};",
            words(&privileges),
            first.grounds,
            account.as_sql()
        ));
        left = later;
    }
    statements
}

/// All statements for an account, whether it is there or not, without its password.
pub fn script(wanted: &Wanted, wish: &Wish, server: &ServerInfo) -> Vec<String> {
    let defined = defined(&wanted.account, wish, None);
    let mut statements = vec![format!("CREATE USER IF NOT EXISTS {defined};")];
    statements.extend(grants(&wanted.account, &rights(wanted.role, wish, server)));
    statements
}

fn defined(account: &AccountName, wish: &Wish, password: Option<&str>) -> String {
    let login = match wish.login {
        Login::Password => format!("BY {}", spelled(password)),
        Login::RdsIam => format!("WITH {} AS 'RDS'", super::judgement::RDS_IAM),
    };
    let tls = if wish.tls { " REQUIRE SSL" } else { "" };
    format!("{} IDENTIFIED {login}{tls}", account.as_sql())
}

/// What is to be set on a server of this kind that is restored into, each with a reason.
pub fn server_settings(flavor: Flavor) -> &'static [&'static str] {
    const PACKET: &str = "max_allowed_packet = 64M or more: what the largest row takes";
    const INFILE: &str = "local_infile = ON: restores load rows the quick way";
    const CREATORS: &str = "log_bin_trust_function_creators = 1, if the server keeps a binary log (Amazon RDS does, for its \
        own backups): accounts without SUPER restore functions and triggers";
    match flavor {
        Flavor::MySql | Flavor::MariaDb => &[INFILE, PACKET, CREATORS],
        Flavor::TiDb => &[INFILE, PACKET],
    }
}
