use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    model::{
        BinaryLog, Catalog, Channel, CharsetContext, ClockReading, Column, Flavor, Privilege,
        Privileges, RowSize, RunId, ServerInfo, SourceIdentity, StoredObject, StoredObjectKind,
        Survey, Table, ValueKind, VaultId,
    },
    records::{
        identity::VaultIdentity,
        lock::Lease,
        run::{Job, Outcome, RunRecord},
    },
};

const DATABASE: &str = "clinica";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A server as it should be, asked by an account that may do everything.
fn survey(flavor: Flavor, version: &str) -> Survey {
    let all: BTreeSet<_> = Privilege::ALL.into_iter().collect();
    let now = at("2026-11-23T03:00:00Z");
    Survey {
        server: ServerInfo { flavor, version: version.to_owned() },
        channel: Channel::Tls("TLSv1.3 (TLS_AES_256_GCM_SHA384)".to_owned()),
        clock: ClockReading { before: now, server: now, after: now },
        privileges: Privileges {
            account: "gorgen@10.0.%".to_owned(),
            on_server: all.clone(),
            on_database: all.clone(),
            on_restored: all,
            reads_routine_table: true,
            has_idle_roles: false,
        },
        binary_log: Some(BinaryLog { tells_place: false, trusts_creators: true }),
        max_allowed_packet: 64 << 20,
        local_infile: true,
        collations: ["utf8mb4_bin", "utf8mb3_bin"].map(str::to_owned).into(),
        rows: Vec::new(),
    }
}

fn mysql() -> Survey {
    survey(Flavor::MySql, "8.0.40")
}

/// The same, asked by an account that may do no more than this in the database, and nothing elsewhere.
fn restricted(mut survey: Survey, on_database: &[Privilege]) -> Survey {
    let privileges = &mut survey.privileges;
    privileges.on_server.clear();
    privileges.on_restored.clear();
    privileges.on_database = on_database.iter().copied().collect();
    privileges.reads_routine_table = false;
    survey
}

#[track_caller]
fn assert_finding(finding: &Finding, status: Status, fact: &str, remedy: &str) {
    assert_eq!(finding.status, status, "{finding:?}");
    assert_eq!(finding.fact, fact);
    assert_eq!(finding.remedy.as_deref().unwrap_or_default(), remedy);
}

#[track_caller]
fn assert_ok(finding: &Finding, fact: &str) {
    assert_finding(finding, Status::Ok, fact, "");
}

#[test]
fn what_is_not_ok_says_what_to_do_and_json_has_no_more_than_four_fields() {
    let json = |finding| serde_json::to_string(&finding).unwrap();
    assert_eq!(
        json(Finding::ok("vault", "fine")),
        r#"{"check":"vault","status":"ok","fact":"fine","remedy":null}"#
    );
    assert_eq!(
        json(Finding::skipped("vault-owner", "vault")),
        r#"{"check":"vault-owner","status":"warning","fact":"not checked: it needs vault","remedy":"see to vault first"}"#
    );
    assert_eq!(Finding::problem("a", "b", "c").status, Status::Problem);
}

#[test]
fn long_lists_are_cut() {
    assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
    assert_eq!(listed(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e and 1 more");
    assert_eq!(counted(1, "table"), "1 table");
    assert_eq!(counted(0, "table"), "0 tables");
}

#[test]
fn an_account_that_may_do_everything_is_fine_on_every_server() {
    for survey in [
        mysql(),
        survey(Flavor::MariaDb, "10.11.19-MariaDB"),
        survey(Flavor::TiDb, "8.0.11-TiDB-v7.5.0"),
    ] {
        for finding in [
            privileges::backup(&survey, DATABASE),
            privileges::restore(&survey, DATABASE),
            privileges::definers(&survey),
            privileges::function_creators(&survey),
            privileges::position(&survey, 4),
            server::snapshot(&survey, DATABASE, 4),
        ] {
            assert_eq!(finding.status, Status::Ok, "{finding:?}");
        }
    }
}

#[test]
fn what_a_backup_would_not_see_is_named_with_the_statements_that_show_it() {
    let few = [Privilege::Select, Privilege::LockTables];
    let on_mysql = privileges::backup(&restricted(mysql(), &few), DATABASE);
    assert_finding(
        &on_mysql,
        Status::Problem,
        "gorgen@10.0.% lacks SHOW VIEW, TRIGGER, EVENT, SHOW_ROUTINE on *.*: the views, triggers, events and \
         procedures and functions of clinica can't all be seen, and a backup refuses to leave any out",
        "run as an administrator: GRANT SHOW VIEW, TRIGGER, EVENT ON `clinica`.* TO 'gorgen'@'10.0.%'; GRANT \
         SHOW_ROUTINE ON *.* TO 'gorgen'@'10.0.%';",
    );
    let mut most = restricted(survey(Flavor::MariaDb, "10.11.19-MariaDB"), &few);
    let needed = [Privilege::ShowView, Privilege::Trigger, Privilege::Event];
    most.privileges.on_database.extend(needed);
    most.privileges.has_idle_roles = true;
    assert_finding(
        &privileges::backup(&most, "a`b"),
        Status::Problem,
        "gorgen@10.0.% lacks SELECT on mysql.proc: the procedures and functions of a`b can't all be seen, and a \
         backup refuses to leave any out",
        "run as an administrator: GRANT SELECT ON mysql.proc TO 'gorgen'@'10.0.%'; (or, if a role of its has them: \
         SET DEFAULT ROLE the_role FOR 'gorgen'@'10.0.%';)",
    );
    most.privileges.on_database.insert(Privilege::Execute);
    assert_ok(
        &privileges::backup(&most, DATABASE),
        "gorgen@10.0.% may read all that clinica holds",
    );
}

#[test]
fn tidb_has_no_triggers_and_events_to_see() {
    let tidb = survey(Flavor::TiDb, "8.0.11-TiDB-v7.5.0");
    let may = [Privilege::Select, Privilege::ShowView];
    let finding = privileges::backup(&restricted(tidb, &may), DATABASE);
    assert_eq!(finding.status, Status::Ok, "{finding:?}");
}

#[test]
fn an_account_for_backups_only_is_warned_about_restores() {
    let mut some = restricted(mysql(), &[]);
    let nothing = privileges::restore(&some, DATABASE);
    assert_eq!(nothing.status, Status::Warning);
    assert_eq!(
        nothing.fact,
        "gorgen@10.0.% can't restore into clinica_restored, which is as it should be if it is for backups only"
    );
    let kept = Privilege::ALL.into_iter().filter(|privilege| {
        !matches!(privilege, Privilege::Create | Privilege::Drop | Privilege::Event)
    });
    some.privileges.on_restored = kept.collect();
    assert_finding(
        &privileges::restore(&some, DATABASE),
        Status::Warning,
        "gorgen@10.0.% can't restore into clinica_restored, as it lacks CREATE, DROP, EVENT",
        "restore with another account, or run as an administrator: GRANT CREATE, DROP, EVENT ON `clinica_restored`.* \
         TO 'gorgen'@'10.0.%';",
    );
}

#[test]
fn the_privilege_for_definers_has_another_name_on_each_server() {
    for (flavor, version, expected) in [
        (Flavor::MySql, "8.0.40", "SET_USER_ID"),
        (Flavor::MySql, "8.2.0-log", "SET_ANY_DEFINER"),
        (Flavor::MySql, "9.7.4", "SET_ANY_DEFINER"),
        (Flavor::MariaDb, "10.11.19-MariaDB", "SET USER"),
    ] {
        let finding = privileges::definers(&restricted(survey(flavor, version), &[]));
        assert_eq!(finding.status, Status::Warning);
        let remedy = format!(
            "restore with --definer strip, or run as an administrator: GRANT {expected} ON *.* TO 'gorgen'@'10.0.%';"
        );
        assert_eq!(finding.remedy, Some(remedy));
    }
}

#[test]
fn functions_can_be_made_if_the_server_trusts_or_keeps_no_log() {
    let mut some = restricted(mysql(), &[]);
    assert_eq!(privileges::function_creators(&some).status, Status::Ok);
    some.binary_log = Some(BinaryLog { tells_place: false, trusts_creators: false });
    let finding = privileges::function_creators(&some);
    assert_eq!(finding.status, Status::Warning);
    assert!(finding.fact.starts_with("log_bin_trust_function_creators is off"));
    some.privileges.on_server.insert(Privilege::Super);
    assert_eq!(privileges::function_creators(&some).status, Status::Ok);
    some.privileges.on_server.clear();
    some.binary_log = None;
    assert_eq!(privileges::function_creators(&some).status, Status::Ok);
}

#[test]
fn a_place_in_the_binary_log_needs_a_log_and_a_way_to_see_it() {
    let with = |tells_place, privileges: &[Privilege]| {
        let mut some = restricted(mysql(), privileges);
        some.binary_log = Some(BinaryLog { tells_place, trusts_creators: true });
        some
    };
    let known = "a backup knows its place in the binary log";
    assert_ok(&privileges::position(&with(true, &[]), 1), known);
    assert_finding(
        &privileges::position(&with(false, &[]), 4),
        Status::Warning,
        "gorgen@10.0.% lacks REPLICATION CLIENT: a backup does not know its place in the binary log, from where one \
         could roll forward",
        "run as an administrator: GRANT REPLICATION CLIENT ON *.* TO 'gorgen'@'10.0.%';",
    );
    let mut may_see = with(false, &[Privilege::LockTables]);
    may_see.privileges.on_server.insert(Privilege::ReplicationClient);
    assert_ok(&privileges::position(&may_see, 4), known);
    let fact = privileges::position(&may_see, 1).fact;
    assert!(fact.ends_with("once several connections can begin under a read lock"));
    let none = Survey { binary_log: None, ..with(false, &[]) };
    assert_ok(&privileges::position(&none, 4), "the server keeps no binary log");
}

#[test]
fn snapshots_begin_in_the_best_way_there_is() {
    let one = "one connection in one transaction";
    let mut some = restricted(mysql(), &[Privilege::LockTables]);
    assert_ok(
        &server::snapshot(&some, DATABASE, 4),
        &format!("up to 4 connections begun under a short read lock, else {one}"),
    );
    assert_ok(&server::snapshot(&some, DATABASE, 1), &format!("{one}, as GORGEN_READERS is 1"));
    some.privileges.on_database.clear();
    let finding = server::snapshot(&some, DATABASE, 4);
    assert_finding(
        &finding,
        Status::Warning,
        "one connection in one transaction: right, but slower than several; gorgen@10.0.% lacks LOCK TABLES, with \
         which several can begin at one moment",
        "run as an administrator: GRANT LOCK TABLES ON `clinica`.* TO 'gorgen'@'10.0.%';",
    );
    some.server.flavor = Flavor::TiDb;
    assert_ok(
        &server::snapshot(&some, DATABASE, 4),
        &format!("up to 4 connections at the same timestamp, else {one}"),
    );
}

#[test]
fn the_server_says_who_it_is_and_tidb_is_not_tested() {
    assert_ok(
        &server::answers(&mysql()),
        "MySQL 8.0.40 answers gorgen@10.0.%, over TLSv1.3 (TLS_AES_256_GCM_SHA384)",
    );
    let local = Survey { channel: Channel::Local, ..mysql() };
    assert!(server::answers(&local).fact.ends_with("within this machine"));
    let tidb = server::answers(&survey(Flavor::TiDb, "8.0.11-TiDB-v7.5.0"));
    assert_eq!(tidb.status, Status::Warning);
    assert!(tidb.remedy.unwrap().contains("nobody tested"));
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let judged = |before: &str, server: &str, after: &str| {
        let [before, server, after] =
            [before, server, after].map(|time| at(&format!("2026-11-23T03:{time}Z")));
        server::clock(ClockReading { before, server, after })
    };
    for server in ["00:30", "01:00", "01:05", "02:05"] {
        let finding = judged("01:00", server, "01:05");
        assert_eq!(finding.status, Status::Ok, "{server}: {finding:?}");
    }
    let remedy = "set both by a time server (chrony, systemd-timesyncd or the like)";
    assert_finding(
        &judged("01:00", "02:06", "01:05"),
        Status::Warning,
        "the database server's clock is 61 s ahead of this machine's (it shows 2026-11-23 03:02:06 UTC)",
        remedy,
    );
    assert_finding(
        &judged("59:00", "00:00", "59:05"),
        Status::Warning,
        "the database server's clock is 59 min behind this machine's (it shows 2026-11-23 03:00:00 UTC)",
        remedy,
    );
}

#[test]
fn rows_must_fit_a_packet() {
    let judged = |packet: u64, sizes: &[(&str, u64, u64)]| {
        let rows = sizes.iter().map(|&(table, average, bound)| RowSize {
            table: table.to_owned(),
            average,
            bound,
        });
        server::packet(&Survey { max_allowed_packet: packet, rows: rows.collect(), ..mysql() })
    };
    assert_ok(
        &judged(4 << 20, &[("a", 100, 4 << 20)]),
        "4 MiB, and by the server's estimates no row is larger",
    );
    assert_ok(
        &judged(64 << 20, &[("a", 100, 1 << 30), ("b", 1, 2)]),
        "64 MiB; a row could be larger in a",
    );
    let small = judged(16 << 20, &[("a", 100, 1 << 30)]);
    assert_eq!(small.status, Status::Warning, "{small:?}");
    let surely = judged(512 << 10, &[("a", 1 << 20, 1 << 20), ("b", 1, 1 << 30)]);
    assert_finding(
        &surely,
        Status::Warning,
        "512 KiB, and by the server's estimates most rows are larger in a",
        "set max_allowed_packet = 1G on every server that is to hold the data (on RDS in the parameter group)",
    );
}

#[test]
fn without_local_infile_restores_are_slower() {
    assert_eq!(server::local_infile(&mysql()).status, Status::Ok);
    let off = Survey { local_infile: false, ..mysql() };
    assert_eq!(server::local_infile(&off).status, Status::Warning);
}

fn table(name: &str, engine: &str, key: &[&str], text: &[(&str, &str)]) -> Table {
    let column = |(place, &(charset, collation)): (usize, &(&str, &str))| Column {
        name: format!("c{place}"),
        sql_type: "text".to_owned(),
        kind: ValueKind::Text,
        charset: Some(charset.to_owned()),
        collation: Some(collation.to_owned()),
    };
    Table {
        name: name.to_owned(),
        ddl: String::new(),
        collation: None,
        engine: Some(engine.to_owned()),
        columns: text.iter().enumerate().map(column).collect(),
        key: key.iter().map(|&name| name.to_owned()).collect(),
        key_index: None,
        relations: Vec::new(),
        estimated_bytes: 0,
    }
}

fn catalog(tables: Vec<Table>) -> Catalog {
    let view = StoredObject {
        kind: StoredObjectKind::View,
        name: "v".to_owned(),
        table: None,
        ddl: String::new(),
        definer: None,
        context: CharsetContext::default(),
        after: None,
    };
    Catalog {
        server: mysql().server,
        database: DATABASE.to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        objects: if tables.is_empty() { Vec::new() } else { vec![view.clone(), view] },
        tables,
        warnings: vec!["library x is not backed up".to_owned()],
    }
}

#[test]
fn what_a_database_holds_is_counted_and_an_empty_one_is_strange() {
    let some = catalog(vec![table("a", "InnoDB", &["c0"], &[])]);
    assert_ok(&content::definitions(&some), "1 table, 2 views: all definitions can be read");
    assert_finding(
        &content::definitions(&catalog(Vec::new())),
        Status::Warning,
        "database clinica is empty",
        "check the name of the database in GORGEN_DATABASE_URL",
    );
    let doubts = content::doubts(&some);
    assert_eq!(doubts.len(), 1);
    assert_eq!(doubts[0].fact, "library x is not backed up");
}

#[test]
fn tables_without_snapshot_or_key_are_named() {
    let good = || table("a", "InnoDB", &["c0"], &[]);
    let fine = catalog(vec![good()]);
    assert_eq!(content::engines(&fine).status, Status::Ok);
    assert_eq!(content::keys(&fine).status, Status::Ok);
    let odd = catalog(vec![good(), table("b", "MyISAM", &[], &[]), table("c", "Aria", &[], &[])]);
    let engines = content::engines(&odd);
    assert_eq!(engines.status, Status::Warning);
    assert!(
        engines.fact.starts_with("no snapshot covers 2 tables")
            && engines.fact.ends_with(" in b (MyISAM), c (Aria)"),
        "{engines:?}"
    );
    let doubtful = Catalog {
        warnings: [
            "table b has the engine MyISAM, which knows no snapshots",
            "table bc has the engine MyISAM, too",
        ]
        .map(str::to_owned)
        .into(),
        ..odd.clone()
    };
    let doubts = content::doubts(&doubtful);
    assert_eq!(doubts.len(), 1, "said once is enough: {doubts:?}");
    let keys = content::keys(&odd);
    assert_eq!(keys.status, Status::Warning);
    assert!(keys.fact.starts_with("no primary or unique key in b, c: "), "{keys:?}");
}

#[test]
fn character_sets_are_counted_and_unknown_collations_found() {
    let known = mysql().collations;
    let text = [
        ("utf8mb4", "utf8mb4_bin"),
        ("utf16", "utf8mb4_bin"),
        ("utf8mb4", "utf8mb4_bin"),
        ("utf8", "utf8_bin"),
    ];
    let fine = catalog(vec![table("a", "InnoDB", &["c0"], &text)]);
    assert_ok(&content::text(&fine, &known), "text columns: 2 utf8mb4, 1 utf16, 1 utf8");
    let odd = catalog(vec![table("a", "InnoDB", &["c0"], &[("x", "klingon_ci")])]);
    let finding = content::text(&odd, &known);
    assert_eq!(finding.status, Status::Problem);
    assert_eq!(finding.fact, "collations that the server does not know: column a.c0 (klingon_ci)");
}

#[test]
fn a_tenant_column_that_no_table_has_is_a_slip() {
    let some = catalog(vec![table("a", "InnoDB", &[], &[("utf8mb4", "utf8mb4_bin")])]);
    assert_eq!(content::tenant_column(&some, None), None);
    let judged = |column| content::tenant_column(&some, Some(column)).unwrap();
    assert_ok(&judged("C0"), "1 of 1 table have the column C0");
    assert_eq!(judged("clinica_id").status, Status::Warning);
}

fn run(id: &str) -> RunId {
    id.parse().unwrap()
}

#[test]
fn a_vault_has_one_owner() {
    let source =
        |server: &str| SourceIdentity { server: server.to_owned(), database: DATABASE.to_owned() };
    let identity =
        VaultIdentity::new(VaultId::new([0; 16]), source("db:3306"), at("2026-01-01T00:00:00Z"));
    let judged = |identity, source, backups| vault::owner(identity, source, backups);
    assert_ok(&vault::reached("file:///v", 0), "file:///v holds no backup yet");
    assert_ok(&vault::reached("file:///v", 2), "file:///v holds 2 backups");
    let (own, other) = (source("db:3306"), source("new:3306"));
    assert_ok(&judged(Some(&identity), Some(&own), 1), "it belongs to clinica at db:3306");
    assert_ok(&judged(Some(&identity), None, 1), "it belongs to clinica at db:3306");
    assert_eq!(judged(None, Some(&own), 0).status, Status::Ok);
    assert_finding(
        &judged(Some(&identity), Some(&other), 1),
        Status::Problem,
        "the vault belongs to clinica at db:3306, not to clinica at new:3306",
        "check GORGEN_VAULT and GORGEN_DATABASE_URL; if the database moved, run once: gorgen-backup backup --adopt",
    );
    let lost = judged(None, Some(&own), 2);
    assert_eq!(lost.status, Status::Problem);
    assert_eq!(lost.fact, "vault.json is missing, although there are 2 backups");
}

#[test]
fn a_backup_grows_old() {
    let id = run("20261123T030000Z-4f2a91c3");
    let made = at("2026-11-23T03:00:01Z");
    let judged = |age: SignedDuration| vault::last_backup(Some((&id, made)), made + age);
    let minutes = SignedDuration::from_mins;
    for (age, status, spelled) in [
        (SignedDuration::from_secs(-299), Status::Ok, "0 s"),
        (SignedDuration::from_secs(119), Status::Ok, "119 s"),
        (minutes(26 * 60 - 1), Status::Ok, "25 h"),
        (minutes(26 * 60), Status::Warning, "26 h"),
        (minutes(48 * 60 - 1), Status::Warning, "47 h"),
        (minutes(48 * 60), Status::Problem, "2 days"),
        (minutes(24 * 60 * 400), Status::Problem, "400 days"),
    ] {
        let finding = judged(age);
        assert_eq!(finding.status, status, "{age}");
        let fact =
            format!("20261123T030000Z-4f2a91c3 is {spelled} old (of 2026-11-23 03:00:01 UTC)");
        assert_eq!(finding.fact, fact);
    }
    let future = judged(minutes(-6));
    assert_eq!(future.status, Status::Warning);
    assert!(future.fact.ends_with("which is in the future"));
    assert_finding(
        &vault::last_backup(None, made),
        Status::Warning,
        "there is no backup yet",
        "make one now: gorgen-backup backup",
    );
}

#[test]
fn the_last_run_of_each_job_counts() {
    let record = |id: &str, job, outcome, error: &[&str]| {
        let mut record = RunRecord::new(
            run(id),
            job,
            outcome,
            run(id).started().unwrap(),
            run(id).started().unwrap() + jiff::SignedDuration::from_mins(10),
        );
        record.error = error.iter().map(|&text| text.to_owned()).collect();
        record
    };
    let failed = record(
        "20261123T030000Z-00000000",
        Job::Backup,
        Outcome::Failed,
        &["the vault is locked", "by whom"],
    );
    let good = record("20261123T030100Z-00000000", Job::Backup, Outcome::Succeeded, &[]);
    let died = record("20261123T030200Z-00000000", Job::Backup, Outcome::Died, &[]);
    let checked = record("20261123T020000Z-00000000", Job::Verify, Outcome::Succeeded, &[]);
    assert_eq!(vault::last_runs(&[]), []);
    let findings = vault::last_runs(&[good.clone(), failed.clone(), checked]);
    assert_eq!(
        findings.iter().map(|finding| (finding.check, finding.status)).collect::<Vec<_>>(),
        [("last-backup-run", Status::Ok), ("last-verify", Status::Ok)]
    );
    assert_finding(
        &vault::last_runs(&[failed])[0],
        Status::Problem,
        "run 20261123T030000Z-00000000 of 2026-11-23 03:00:00 UTC failed: the vault is locked: by whom",
        "see to what it says, then make one now: gorgen-backup backup",
    );
    assert_eq!(vault::last_runs(&[good, died])[0].status, Status::Problem);
}

#[test]
fn a_lock_is_held_left_or_given_back() {
    let (now, id) = (at("2026-11-23T03:00:00Z"), run("20261123T025900Z-00000000"));
    let held = |until: &str| Lease::held(id.clone(), Job::Backup, at(until));
    let judged = |lease: &Lease| vault::lock(Some(lease), now);
    assert_eq!(vault::lock(None, now), None);
    let later = held("2026-11-23T03:01:00Z");
    assert_eq!(judged(&later.clone().given_back(now)), None);
    assert_ok(&judged(&later).unwrap(), "run 20261123T025900Z-00000000 is writing a backup now");
    let left = judged(&held("2026-11-23T02:59:59Z")).unwrap();
    assert_eq!(left.status, Status::Warning);
    assert!(left.fact.contains("without giving its lock back"));
}
