use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;

use super::*;
use crate::{
    model::{
        AccountName, BinaryLog, Channel, ClockReading, Flavor, Held, Privileges, SourceIdentity,
        Survey,
    },
    policy::prepare::{RoutinesBy, SCRATCH},
    testing::{FixedClock, SeededEntropy},
};

/// A server that keeps accounts as statements make them, and refuses what it is told to.
#[derive(Default)]
struct FakeAccounts {
    accounts: Mutex<BTreeMap<String, Holder>>,
    passwords: Mutex<BTreeMap<String, String>>,
    /// Statements with this in them are refused.
    refused: Option<&'static str>,
    lacks_database: bool,
}

impl FakeAccounts {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, Holder>> {
        self.accounts.lock().unwrap()
    }

    fn password(&self, account: &str) -> Option<String> {
        self.passwords.lock().unwrap().get(account).cloned()
    }
}

/// What stands between these two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

#[async_trait]
impl Accounts for FakeAccounts {
    fn identity(&self) -> SourceIdentity {
        SourceIdentity { server: "db:3306".to_owned(), database: "clinica".to_owned() }
    }

    async fn premises(&self, clock: &dyn Clock) -> Result<Premises, SourceError> {
        let now = clock.now();
        Ok(Premises {
            survey: Survey {
                server: ServerInfo { flavor: Flavor::MySql, version: "8.4.3".to_owned() },
                channel: Channel::Local,
                clock: ClockReading { before: now, server: now, after: now },
                privileges: Privileges {
                    account: "root@localhost".to_owned(),
                    on_server: BTreeSet::new(),
                    on_database: BTreeSet::new(),
                    on_restored: BTreeSet::new(),
                    reads_routine_table: true,
                    has_idle_roles: false,
                },
                binary_log: Some(BinaryLog { tells_place: false, trusts_creators: true }),
                max_allowed_packet: 64 << 20,
                local_infile: true,
                collations: BTreeSet::new(),
                rows: Vec::new(),
            },
            has_database: !self.lacks_database,
            takes_patterns: true,
        })
    }

    async fn find(&self, account: &AccountName) -> Result<Option<Holder>, SourceError> {
        Ok(self.accounts().get(&account.as_sql()).cloned())
    }

    async fn run(&self, action: &str, statement: &str) -> Result<(), SourceError> {
        if self.refused.is_some_and(|refused| statement.contains(refused)) {
            let source = "access denied".into();
            return Err(SourceError::Refused { action: action.to_owned(), source });
        }
        let (verb, rest) = statement.trim_end_matches(';').split_once(' ').unwrap();
        if verb == "GRANT" {
            let (privileges, rest) = rest.split_once(" ON ").unwrap();
            let (grounds, account) = rest.split_once(" TO ").unwrap();
            let grounds = match grounds {
                "*.*" => Grounds::Server,
                databases => Grounds::Databases(between(databases, "`", "`").to_owned()),
            };
            let privileges = privileges.split(", ").map(str::to_owned).collect();
            let mut accounts = self.accounts();
            let holder = accounts.get_mut(account).expect("an account that is there");
            holder.grants.push(Held { privileges, grounds });
            return Ok(());
        }
        let account = rest.split(' ').nth(1).unwrap().to_owned();
        if verb == "CREATE" {
            assert!(!self.accounts().contains_key(&account), "{account} is there");
        }
        let mut accounts = self.accounts();
        let holder = accounts.entry(account.clone()).or_default();
        holder.requires_tls = Some(
            rest.ends_with("REQUIRE SSL") || holder.requires_tls.is_some_and(|requires| requires),
        );
        if rest.contains("IDENTIFIED BY") {
            let password = between(rest, "IDENTIFIED BY '", "'").to_owned();
            self.passwords.lock().unwrap().insert(account, password);
        }
        Ok(())
    }
}

fn wish() -> Wish {
    let wanted = |role: Role| Wanted { role, account: role.usual_account() };
    Wish {
        accounts: Role::ALL.into_iter().map(wanted).collect(),
        database: "clinica".to_owned(),
        scratch: SCRATCH.to_owned(),
        login: Login::Password,
        tls: true,
        routines: RoutinesBy::Name,
    }
}

fn clock() -> FixedClock {
    FixedClock::new("2026-11-23T03:00:00Z".parse().unwrap())
}

async fn run(accounts: &FakeAccounts, wish: &Wish, renew: bool) -> (Vec<Planned>, Vec<Done>) {
    let preparation = Preparation { accounts, clock: &clock(), wish };
    let planned = plan(&preparation, &SeededEntropy::new(7), renew).await.unwrap();
    let done = carry_out(accounts, &planned).await;
    (planned, done)
}

async fn checked(accounts: &FakeAccounts, wish: &Wish) -> Checked {
    check(&Preparation { accounts, clock: &clock(), wish }).await.unwrap()
}

#[tokio::test]
async fn once_made_nothing_is_missing_and_the_second_time_nothing_changes() {
    let (accounts, wish) = (FakeAccounts::default(), wish());
    assert!(checked(&accounts, &wish).await.has_problem());
    let (planned, done) = run(&accounts, &wish, false).await;
    assert!(done.iter().all(|done| done.access == Some(Access::Made) && done.refused.is_empty()));
    let passwords: BTreeSet<_> = planned.iter().filter_map(Planned::password).collect();
    assert_eq!(passwords.len(), 3, "one each");
    let of_backup = accounts.password("'gorgen_backup'@'%'");
    assert_eq!(of_backup.as_deref(), planned[0].password());
    for finding in checked(&accounts, &wish).await.findings {
        assert_eq!(finding.status, Status::Ok, "{finding:?}");
    }

    let (planned, done) = run(&accounts, &wish, false).await;
    assert!(planned.iter().all(|planned| planned.password().is_none()));
    assert!(done.iter().all(|done| done.access == Some(Access::Kept)));
    assert_eq!(accounts.password("'gorgen_backup'@'%'"), of_backup);
    let on_server = |done: &Done| done.statements.iter().any(|one| one.contains(" ON *.* "));
    assert!(!done.iter().any(on_server), "what holds everywhere is there: {done:?}");

    let (planned, done) = run(&accounts, &wish, true).await;
    assert!(done.iter().all(|done| done.access == Some(Access::Renewed)));
    assert_eq!(accounts.password("'gorgen_backup'@'%'").as_deref(), planned[0].password());
}

#[tokio::test]
async fn passwords_are_long_and_shown_nowhere() {
    let (accounts, wish) = (FakeAccounts::default(), wish());
    let (planned, done) = run(&accounts, &wish, false).await;
    for planned in &planned {
        let password = planned.password().unwrap();
        assert!(password.len() >= 48 && password.ends_with(ENDING));
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        assert!(!format!("{planned:?}{done:?}").contains(password));
    }
    assert!(done[0].statements[0].contains("IDENTIFIED BY <PASSWORD>"), "{done:?}");
}

#[tokio::test]
async fn what_is_refused_is_told_and_the_rest_is_done() {
    let accounts = FakeAccounts { refused: Some("SHOW_ROUTINE"), ..FakeAccounts::default() };
    let wish = wish();
    let (_, done) = run(&accounts, &wish, false).await;
    assert_eq!(
        done[0].refused,
        [Refused {
            statement: "GRANT SHOW_ROUTINE ON *.* TO 'gorgen_backup'@'%';".to_owned(),
            error: "the database refused to give gorgen_backup@% its rights: access denied"
                .to_owned(),
        }]
    );
    assert!(done[0].statements.iter().any(|one| one.contains("REPLICATION CLIENT")));
    let findings = checked(&accounts, &wish).await.findings;
    let problems: Vec<_> = findings
        .iter()
        .filter(|finding| finding.status == Status::Problem)
        .map(|finding| finding.check)
        .collect();
    assert_eq!(problems, ["backup-rights", "restore-rights"]);

    let by_all = Wish { routines: RoutinesBy::ReadingAll, ..wish };
    let (_, done) = run(&accounts, &by_all, false).await;
    assert!(done.iter().all(|done| done.refused.is_empty()), "{done:?}");
    assert!(!checked(&accounts, &by_all).await.has_problem());
}

#[tokio::test]
async fn an_account_that_can_not_be_made_is_given_nothing() {
    let accounts =
        FakeAccounts { refused: Some("CREATE USER 'gorgen_restore'"), ..FakeAccounts::default() };
    let (_, done) = run(&accounts, &wish(), false).await;
    let access: Vec<_> = done.iter().map(|done| done.access).collect();
    assert_eq!(access, [Some(Access::Made), None, Some(Access::Made)]);
    assert!(done[1].statements.is_empty());
    assert_eq!(done[1].refused.len(), 1);
}

#[tokio::test]
async fn a_password_that_can_not_be_given_is_not_told() {
    let accounts = FakeAccounts::default();
    run(&accounts, &wish(), false).await;
    let accounts = FakeAccounts { refused: Some("ALTER USER"), ..accounts };
    let (_, done) = run(&accounts, &wish(), true).await;
    assert!(done.iter().all(|done| done.access == Some(Access::Kept) && done.refused.len() == 1));
}

#[tokio::test]
async fn the_administrators_own_account_is_left_alone() {
    let accounts = FakeAccounts::default();
    let own = Wanted { role: Role::Backup, account: "root@localhost".parse().unwrap() };
    let wish = Wish { accounts: vec![own], ..wish() };
    let preparation = Preparation { accounts: &accounts, clock: &clock(), wish: &wish };
    let error = plan(&preparation, &SeededEntropy::new(7), true).await.unwrap_err();
    assert!(matches!(error, Error::OwnAccount { account } if account == "root@localhost"));
    assert!(accounts.accounts().is_empty());
}

#[tokio::test]
async fn a_database_must_be_there_unless_it_is_only_for_tests() {
    let accounts = FakeAccounts { lacks_database: true, ..FakeAccounts::default() };
    let mut wish = wish();
    let preparation = Preparation { accounts: &accounts, clock: &clock(), wish: &wish };
    for error in [
        check(&preparation).await.unwrap_err(),
        plan(&preparation, &SeededEntropy::new(7), false).await.unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "there is no database clinica at db:3306 that root@localhost may see"
        );
    }
    wish.accounts.retain(|wanted| wanted.role == Role::Scratch);
    run(&accounts, &wish, false).await;
    assert!(!checked(&accounts, &wish).await.has_problem());
}
