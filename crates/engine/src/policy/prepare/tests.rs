use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::{
    model::{BinaryLog, Channel, ClockReading, Held, Holder, Premises, Privileges, Survey},
    policy::findings::{Finding, Status},
};

fn wish(database: &str) -> Wish {
    let wanted = |role: Role| Wanted { role, account: role.usual_account() };
    Wish {
        accounts: Role::ALL.into_iter().map(wanted).collect(),
        database: database.to_owned(),
        scratch: SCRATCH.to_owned(),
        login: Login::Password,
        tls: true,
        routines: RoutinesBy::Name,
    }
}

fn on(flavor: Flavor, version: &str) -> ServerInfo {
    ServerInfo { flavor, version: version.to_owned() }
}

/// All statements for the accounts of a wish, one a line.
fn told(wish: &Wish, server: &ServerInfo) -> String {
    let scripts = wish.accounts.iter().flat_map(|wanted| script(wanted, wish, server));
    scripts.collect::<Vec<_>>().join("\n")
}

#[test]
fn mysql() {
    let expected = r"CREATE USER IF NOT EXISTS 'gorgen_backup'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `clinica`.* TO 'gorgen_backup'@'%';
GRANT SHOW_ROUTINE ON *.* TO 'gorgen_backup'@'%';
GRANT REPLICATION CLIENT ON *.* TO 'gorgen_backup'@'%';
CREATE USER IF NOT EXISTS 'gorgen_restore'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, CREATE, ALTER, DROP, INSERT, DELETE, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE ON `clinica`.* TO 'gorgen_restore'@'%';
GRANT SELECT, LOCK TABLES, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES ON `clinica\_\_%`.* TO 'gorgen_restore'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE ON `clinica\_restored%`.* TO 'gorgen_restore'@'%';
GRANT SHOW_ROUTINE ON *.* TO 'gorgen_restore'@'%';
GRANT SET_ANY_DEFINER ON *.* TO 'gorgen_restore'@'%';
GRANT REPLICATION CLIENT ON *.* TO 'gorgen_restore'@'%';
CREATE USER IF NOT EXISTS 'gorgen_scratch'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON `gorgen\_scratch\_%`.* TO 'gorgen_scratch'@'%';";
    assert_eq!(told(&wish("clinica"), &on(Flavor::MySql, "8.4.3")), expected);
    let older = expected.replace("SET_ANY_DEFINER", "SET_USER_ID");
    assert_eq!(told(&wish("clinica"), &on(Flavor::MySql, "8.0.40")), older);
}

#[test]
fn mariadb() {
    let expected = r"CREATE USER IF NOT EXISTS 'gorgen_backup'@'%' IDENTIFIED BY <PASSWORD>;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `clinica`.* TO 'gorgen_backup'@'%';
GRANT SELECT ON `mysql`.`proc` TO 'gorgen_backup'@'%';
GRANT BINLOG MONITOR ON *.* TO 'gorgen_backup'@'%';
CREATE USER IF NOT EXISTS 'gorgen_restore'@'%' IDENTIFIED BY <PASSWORD>;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, CREATE, ALTER, DROP, INSERT, DELETE, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE ON `clinica`.* TO 'gorgen_restore'@'%';
GRANT SELECT, LOCK TABLES, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES ON `clinica\_\_%`.* TO 'gorgen_restore'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE ON `clinica\_restored%`.* TO 'gorgen_restore'@'%';
GRANT SELECT ON `mysql`.`proc` TO 'gorgen_restore'@'%';
GRANT SET USER ON *.* TO 'gorgen_restore'@'%';
GRANT BINLOG MONITOR ON *.* TO 'gorgen_restore'@'%';";
    let mut wish = Wish { tls: false, ..wish("clinica") };
    wish.accounts.pop();
    assert_eq!(told(&wish, &on(Flavor::MariaDb, "10.11.9-MariaDB")), expected);
    let by_all = Wish { routines: RoutinesBy::ReadingAll, ..wish };
    let told = told(&by_all, &on(Flavor::MariaDb, "10.11.9-MariaDB"));
    assert_eq!(told, expected, "there is a narrower way");
}

#[test]
fn tidb_is_asked_for_nothing_that_it_has_not() {
    let expected = r"CREATE USER IF NOT EXISTS 'gorgen_backup'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW ON `clinica`.* TO 'gorgen_backup'@'%';
CREATE USER IF NOT EXISTS 'gorgen_restore'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW, CREATE, ALTER, DROP, INSERT, DELETE, INDEX, REFERENCES, CREATE VIEW ON `clinica`.* TO 'gorgen_restore'@'%';
GRANT SELECT, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES ON `clinica\_\_%`.* TO 'gorgen_restore'@'%';
GRANT SELECT, SHOW VIEW, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES, CREATE VIEW ON `clinica\_restored%`.* TO 'gorgen_restore'@'%';
CREATE USER IF NOT EXISTS 'gorgen_scratch'@'%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;
GRANT SELECT, SHOW VIEW, CREATE, ALTER, DROP, INSERT, INDEX, REFERENCES, CREATE VIEW ON `gorgen\_scratch\_%`.* TO 'gorgen_scratch'@'%';";
    assert_eq!(told(&wish("clinica"), &on(Flavor::TiDb, "8.0.11-TiDB-v8.5.0")), expected);
    assert!(server_settings(Flavor::TiDb).iter().all(|setting| !setting.contains("log_bin")));
}

#[test]
fn on_rds_accounts_may_log_in_by_iam_and_read_everything() {
    let mut wish =
        Wish { login: Login::RdsIam, routines: RoutinesBy::ReadingAll, ..wish("clinica") };
    wish.accounts.truncate(1);
    assert_eq!(
        told(&wish, &on(Flavor::MySql, "8.0.40")),
        r"CREATE USER IF NOT EXISTS 'gorgen_backup'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `clinica`.* TO 'gorgen_backup'@'%';
GRANT SELECT ON *.* TO 'gorgen_backup'@'%';
GRANT REPLICATION CLIENT ON *.* TO 'gorgen_backup'@'%';"
    );
}

#[test]
fn hostile_names_stay_names() {
    let account = r"o'mal\ley`@10.0.%".parse().unwrap();
    let mut wish = wish(r"a_1%`\b");
    wish.accounts = vec![Wanted { role: Role::Backup, account }];
    let server = on(Flavor::MySql, "8.4.3");
    let told = told(&wish, &server);
    let lines: Vec<_> = told.lines().take(2).collect();
    assert_eq!(
        lines,
        [
            r"CREATE USER IF NOT EXISTS 'o''mal\\ley`'@'10.0.%' IDENTIFIED BY <PASSWORD> REQUIRE SSL;",
            r"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `a\_1\%``\\b`.* TO 'o''mal\\ley`'@'10.0.%';",
        ]
    );
    let account = &wish.accounts[0].account;
    let created = create(account, &wish, Some(r"it's \ fine"));
    assert!(created.contains(r"IDENTIFIED BY 'it''s \\ fine' REQUIRE SSL;"), "{created}");
    let renewed = renew(account, Some("abc"));
    assert_eq!(renewed, r"ALTER USER 'o''mal\\ley`'@'10.0.%' IDENTIFIED BY 'abc';");
}

#[test]
fn databases_of_restore_tests_are_not_those_of_restores() {
    for (scratch, database) in
        [("clinica", "clinica"), ("Clinica", "clinica"), ("cli", "cli_nica"), ("a", "A_b")]
    {
        assert!(is_too_near(scratch, database), "{scratch} {database}");
    }
    for (scratch, database) in
        [(SCRATCH, "clinica"), ("cli", "clinica"), ("clinica_teste", "clinica")]
    {
        assert!(!is_too_near(scratch, database), "{scratch} {database}");
    }
}

/// An account that has just what it needs.
fn holder(role: Role, wish: &Wish, server: &ServerInfo) -> Holder {
    let held = |right: Right| Held {
        privileges: [right.privilege.as_sql().to_owned()].into(),
        grounds: right.grounds,
    };
    let mut grants: Vec<_> = rights(role, wish, server).into_iter().map(held).collect();
    let nothing = Held { privileges: ["USAGE".to_owned()].into(), grounds: Grounds::Server };
    grants.push(nothing);
    Holder { grants, requires_tls: Some(true), plugin: Some("caching_sha2_password".to_owned()) }
}

fn give(holder: &mut Holder, privilege: &str, grounds: Grounds) {
    holder.grants.push(Held { privileges: [privilege.to_owned()].into(), grounds });
}

#[track_caller]
fn assert_finding(finding: &Finding, status: Status, fact: &str, remedy: &str) {
    assert_eq!(finding.status, status, "{finding:?}");
    assert_eq!(finding.fact, fact);
    assert_eq!(finding.remedy.as_deref().unwrap_or_default(), remedy);
}

#[test]
fn what_the_statements_give_is_all_that_is_needed_and_no_more() {
    let servers =
        [on(Flavor::MySql, "8.0.40"), on(Flavor::MariaDb, "10.11"), on(Flavor::TiDb, "8.5")];
    let wish = wish("clinica_1");
    for (server, wanted) in
        servers.iter().flat_map(|server| wish.accounts.iter().map(move |one| (server, one)))
    {
        let holder = holder(wanted.role, &wish, server);
        for finding in account(wanted, &wish, server, Some(&holder)) {
            assert_eq!(finding.status, Status::Ok, "{finding:?}");
        }
    }
}

#[test]
fn an_account_that_is_not_there_is_a_problem_and_nothing_else_is_looked_at() {
    let wish = wish("clinica");
    let findings = account(&wish.accounts[0], &wish, &on(Flavor::MySql, "8.4.3"), None);
    assert_finding(
        &findings[0],
        Status::Problem,
        "there is no account gorgen_backup@%",
        "make it as an administrator: gorgen-backup prepare, or gorgen-backup prepare --print for the statements",
    );
    assert!(findings[1].is_skipped() && findings[2].is_skipped());
}

#[test]
fn what_is_missing_is_named_and_what_is_only_useful_is_no_problem() {
    let (wish, server) = (wish("clinica"), on(Flavor::MySql, "8.4.3"));
    let without = |missing: &[&str]| {
        let mut holder = holder(Role::Backup, &wish, &server);
        let is_there = |name: &String| !missing.contains(&name.as_str());
        holder.grants.iter_mut().for_each(|held| held.privileges.retain(is_there));
        account(&wish.accounts[0], &wish, &server, Some(&holder)).swap_remove(1)
    };
    assert_finding(
        &without(&["EVENT", "TRIGGER", "SHOW_ROUTINE"]),
        Status::Problem,
        "gorgen_backup@% lacks TRIGGER, EVENT on `clinica`.*; SHOW_ROUTINE on *.*",
        "run as an administrator: GRANT TRIGGER, EVENT ON `clinica`.* TO 'gorgen_backup'@'%'; GRANT SHOW_ROUTINE ON \
         *.* TO 'gorgen_backup'@'%'; (if the administrator may not give SHOW_ROUTINE, as on Amazon RDS: gorgen-backup \
         prepare --read-all)",
    );
    assert_finding(
        &without(&["LOCK TABLES", "REPLICATION CLIENT"]),
        Status::Warning,
        "gorgen_backup@% lacks LOCK TABLES on `clinica`.*; REPLICATION CLIENT on *.*: a backup does not know its place \
         in the binary log; one connection reads instead of several",
        "run as an administrator: GRANT LOCK TABLES ON `clinica`.* TO 'gorgen_backup'@'%'; GRANT REPLICATION CLIENT ON \
         *.* TO 'gorgen_backup'@'%';",
    );
}

#[test]
fn what_an_account_has_beyond_its_need_is_told() {
    let (wish, server) = (wish("clinica"), on(Flavor::MySql, "8.4.3"));
    let excess =
        |holder: &Holder| account(&wish.accounts[0], &wish, &server, Some(holder)).swap_remove(2);
    let mut some = holder(Role::Backup, &wish, &server);
    give(&mut some, "UPDATE", Grounds::database("clinica"));
    give(&mut some, "SELECT", Grounds::database("outra"));
    give(&mut some, "SELECT", Grounds::Table("clinica".to_owned(), "pacientes".to_owned()));
    assert_finding(
        &excess(&some),
        Status::Warning,
        "gorgen_backup@% may do more than its part takes: UPDATE on `clinica`.*, SELECT on `outra`.*",
        "if nothing else needs it: REVOKE UPDATE ON `clinica`.* FROM 'gorgen_backup'@'%'; REVOKE SELECT ON `outra`.* \
         FROM 'gorgen_backup'@'%';",
    );
    let mut all = Holder { grants: Vec::new(), ..some };
    give(&mut all, "ALL PRIVILEGES", Grounds::Server);
    let findings = account(&wish.accounts[0], &wish, &server, Some(&all));
    assert_eq!(findings[1].status, Status::Ok);
    assert!(findings[2].fact.ends_with("ALL PRIVILEGES on *.*"), "{findings:?}");
}

#[test]
fn another_privilege_may_do_as_well() {
    let (wish, server) = (wish("clinica"), on(Flavor::MySql, "8.0.40"));
    let mut some = holder(Role::Restore, &wish, &server);
    for held in &mut some.grants {
        held.privileges.retain(|name| name != "SHOW_ROUTINE" && name != "SET_USER_ID");
    }
    assert_eq!(account(&wish.accounts[1], &wish, &server, Some(&some))[1].status, Status::Problem);
    give(&mut some, "SELECT", Grounds::Server);
    give(&mut some, "SET_ANY_DEFINER", Grounds::Server);
    assert_eq!(account(&wish.accounts[1], &wish, &server, Some(&some))[1].status, Status::Ok);
}

#[test]
fn how_an_account_logs_in_is_looked_at_too() {
    let server = on(Flavor::MySql, "8.0.40");
    let judged = |wish: &Wish, change: &dyn Fn(&mut Holder)| {
        let mut holder = holder(Role::Backup, wish, &server);
        change(&mut holder);
        account(&wish.accounts[0], wish, &server, Some(&holder)).swap_remove(0)
    };
    let by_password = wish("clinica");
    assert_finding(
        &judged(&by_password, &|holder| holder.requires_tls = Some(false)),
        Status::Warning,
        "gorgen_backup@% may log in without TLS, for others to read along",
        "run as an administrator: ALTER USER 'gorgen_backup'@'%' REQUIRE SSL;",
    );
    let no_tls = Wish { tls: false, ..by_password.clone() };
    assert_eq!(judged(&no_tls, &|holder| holder.requires_tls = Some(false)).status, Status::Ok);
    let unknown = judged(&by_password, &|holder| holder.requires_tls = None);
    assert_finding(&unknown, Status::Ok, "gorgen_backup@% is there", "");
    let by_iam = Wish { login: Login::RdsIam, ..by_password.clone() };
    assert_eq!(judged(&by_iam, &|_| ()).status, Status::Problem);
    let with_iam = |holder: &mut Holder| {
        holder.plugin = Some("AWSAuthenticationPlugin".to_owned());
    };
    assert_eq!(judged(&by_iam, &with_iam).status, Status::Ok);
    assert_eq!(judged(&by_password, &with_iam).status, Status::Warning);
}

#[test]
fn the_server_is_looked_at_where_rows_are_loaded_into_it() {
    let now: Timestamp = "2026-11-23T03:00:00Z".parse().unwrap();
    let premises = Premises {
        survey: Survey {
            server: on(Flavor::MySql, "8.0.40"),
            channel: Channel::Local,
            clock: ClockReading { before: now, server: now, after: now },
            privileges: Privileges {
                account: "root@localhost".to_owned(),
                on_server: [Privilege::Super].into(),
                on_database: BTreeSet::new(),
                on_restored: BTreeSet::new(),
                reads_routine_table: true,
                has_idle_roles: false,
            },
            binary_log: Some(BinaryLog { tells_place: false, trusts_creators: false }),
            max_allowed_packet: 64 << 20,
            local_infile: false,
            collations: BTreeSet::new(),
            rows: Vec::new(),
        },
        has_database: true,
        takes_patterns: false,
    };
    let mut wish = wish("clinica");
    let found: Vec<_> =
        server(&wish, &premises).iter().map(|finding| (finding.check, finding.status)).collect();
    assert_eq!(
        found,
        [
            ("max-allowed-packet", Status::Ok),
            ("local-infile", Status::Warning),
            ("restore-routines", Status::Warning),
            ("patterns", Status::Warning)
        ],
        "the administrator's SUPER does not count"
    );
    wish.accounts.truncate(1);
    assert_eq!(server(&wish, &premises), []);
}
