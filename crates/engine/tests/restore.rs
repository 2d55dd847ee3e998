//! A restore gives back what was backed up and proves it, or leaves the database as it was.

use std::collections::BTreeMap;

use crate::support::{Clinic, content, restoring, state_of, text_of};
use gorgen_engine::{
    Error, Kind,
    jobs::restore::{self, Request},
    model::{
        CharsetContext, Flavor, Relation, RunId, StoredObject, StoredObjectKind, Table, ValueKind,
    },
    ports::{Target, TargetError, TargetState},
    records::run::{Job, Outcome},
    stages::definition::Definers,
    testing::{FakeTarget, RowFault, row, table},
};

/// The clinic with a definition of every kind.
fn clinic() -> Clinic {
    let clinic = Clinic::new();
    let mut visits = table(
        "consultas",
        &[("id", ValueKind::Number), ("paciente_id", ValueKind::Number), ("obs", ValueKind::Text)],
        &["id"],
    );
    visits.ddl = [
        "CREATE TABLE `consultas` (",
        "  `id` bigint(20) NOT NULL,",
        "  `paciente_id` bigint(20) DEFAULT NULL,",
        "  `obs` text COLLATE utf8mb4_bin DEFAULT NULL,",
        "  PRIMARY KEY (`id`),",
        "  KEY `por_paciente` (`paciente_id`),",
        "  CONSTRAINT `fk_paciente` FOREIGN KEY (`paciente_id`) REFERENCES `pacientes` (`id`)",
        ") ENGINE=InnoDB",
    ]
    .join("\n");
    visits.relations.push(Relation {
        name: "fk_paciente".to_owned(),
        columns: vec!["paciente_id".to_owned()],
        parent_database: None,
        parent: "pacientes".to_owned(),
        parent_columns: vec!["id".to_owned()],
    });
    clinic.source.define(visits);
    let visit = |id: u32| row(&[Some(&id.to_string()), Some("1"), None]);
    clinic.source.insert("consultas", (1..=3).map(visit));
    clinic.source.define(table("vazia", &[("id", ValueKind::Number)], &["id"]));
    for object in [
        object(StoredObjectKind::Sequence, "numeros", "CREATE SEQUENCE `numeros`"),
        object(
            StoredObjectKind::Function,
            "idade",
            "CREATE DEFINER=`ana`@`%` FUNCTION `idade`() RETURNS int RETURN 1",
        ),
        object(StoredObjectKind::Procedure, "limpar", "CREATE PROCEDURE `limpar`() SELECT 1"),
        object(StoredObjectKind::View, "agenda", "CREATE VIEW `agenda` AS SELECT * FROM `lista`"),
        object(StoredObjectKind::View, "lista", "CREATE VIEW `lista` AS SELECT 1"),
        trigger(),
        object(
            StoredObjectKind::Event,
            "noite",
            "CREATE EVENT `noite` ON SCHEDULE EVERY 1 DAY DO CALL `limpar`()",
        ),
    ] {
        clinic.source.define_object(object);
    }
    clinic
}

fn object(kind: StoredObjectKind, name: &str, ddl: &str) -> StoredObject {
    StoredObject {
        kind,
        name: name.to_owned(),
        table: None,
        ddl: ddl.to_owned(),
        definer: Some("ana@%".to_owned()),
        context: CharsetContext::default(),
        after: (kind == StoredObjectKind::Sequence)
            .then(|| "SELECT SETVAL(`numeros`, 7)".to_owned()),
    }
}

fn trigger() -> StoredObject {
    StoredObject {
        table: Some("consultas".to_owned()),
        ..object(
            StoredObjectKind::Trigger,
            "auditar",
            "CREATE TRIGGER `auditar` BEFORE INSERT ON `consultas` FOR EACH ROW SET @a = 1",
        )
    }
}

async fn restore_as(
    clinic: &Clinic,
    target: &FakeTarget,
    request: &Request,
) -> Result<restore::Report, Error> {
    clinic.pass_a_minute();
    restore::run(&clinic.world(), target, "latest", request).await
}

async fn restore(clinic: &Clinic, target: &FakeTarget) -> Result<restore::Report, Error> {
    restore_as(clinic, target, &restoring()).await
}

/// A database that is there, and empty.
async fn empty_target() -> FakeTarget {
    let target = FakeTarget::new("copia");
    target.create_database("utf8mb4", "utf8mb4_general_ci").await.unwrap();
    target
}

/// The words that a statement begins with, and what it makes or alters.
fn heads(target: &FakeTarget) -> Vec<String> {
    let head =
        |statement: String| statement.split('(').next().unwrap_or_default().trim().to_owned();
    target.statements().into_iter().map(head).collect()
}

#[tokio::test]
async fn definitions_come_in_an_order_that_works() {
    let clinic = clinic();
    let backup = clinic.backup().await.backup;
    for target in [FakeTarget::new("copia"), empty_target().await] {
        let report = restore(&clinic, &target).await.unwrap();
        assert_eq!(report.backup, backup);
        assert_eq!(report.warnings, [""; 0]);
        assert_eq!((report.tables.len(), report.rows), (4, 10));
        let phases: Vec<_> = report.phases.iter().map(|phase| phase.name.as_str()).collect();
        let expected = [
            "create tables",
            "load rows",
            "build keys",
            "verify",
            "create views, triggers and routines",
        ];
        assert_eq!(phases, expected);
        assert_eq!(content(target.content()), content(&clinic.source));
        assert_eq!(
            heads(&target),
            [
                "CREATE SEQUENCE `numeros`",
                "SELECT SETVAL",
                "CREATE TABLE `cid`",
                "CREATE TABLE `consultas`",
                "CREATE TABLE `pacientes`",
                "CREATE TABLE `vazia`",
                "ALTER TABLE `consultas` ADD KEY `por_paciente`",
                "ALTER TABLE `consultas` ADD CONSTRAINT `fk_paciente` FOREIGN KEY",
                "CREATE DEFINER=`ana`@`%` FUNCTION `idade`",
                "CREATE PROCEDURE `limpar`",
                "CREATE VIEW `agenda` AS SELECT * FROM `lista`",
                "CREATE VIEW `lista` AS SELECT 1",
                "CREATE TRIGGER `auditar` BEFORE INSERT ON `consultas` FOR EACH ROW SET @a = 1",
                "CREATE EVENT `noite` ON SCHEDULE EVERY 1 DAY DO CALL `limpar`",
            ]
        );
        let record = clinic.records().pop().unwrap();
        assert_eq!(
            (record.run, record.job, record.outcome),
            (report.run.clone(), Job::Restore, Outcome::Succeeded)
        );
        let summary: restore::Report = serde_json::from_value(record.summary.unwrap()).unwrap();
        assert_eq!(summary, report);
    }
}

#[tokio::test]
async fn a_database_that_holds_anything_is_refused_and_left_alone() {
    let clinic = clinic();
    clinic.backup().await;
    let target = empty_target().await;
    target.content().define(crate::support::patients());
    target.content().insert("pacientes", [crate::support::patient(1, 1, "viva")]);
    let before = content(target.content());
    let error = restore(&clinic, &target).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "database copia is not empty: it holds 1 tables or other objects"
    );
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.hint().unwrap(),
        "restore beside it, into a new database: --into copia_restored"
    );
    assert_eq!(content(target.content()), before);
    assert_eq!(target.statements(), [""; 0]);
    let record = clinic.records().pop().unwrap();
    assert_eq!((record.outcome, record.error), (Outcome::Failed, vec![error.to_string()]));
}

#[tokio::test]
async fn a_row_that_is_lost_or_altered_on_its_way_is_found() {
    let clinic = clinic();
    clinic.backup().await;
    let lost = "the restored database differs from the backup: table pacientes: 4 rows were backed up, 3 are there";
    let altered = "the restored database differs from the backup: table pacientes: all 4 rows are there, \
                   but not all have the content that was backed up";
    for (fault, message) in [(RowFault::Lost, lost), (RowFault::Altered, altered)] {
        for target in [FakeTarget::new("copia"), empty_target().await] {
            let before = state_of(&target).await;
            target.spoil_row("pacientes", fault);
            let error = restore(&clinic, &target).await.unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.kind(), Kind::Integrity);
            assert_eq!(state_of(&target).await, before, "as it was");
            assert_eq!(clinic.records().pop().unwrap().outcome, Outcome::Failed);
            assert!(restore(&clinic, &target).await.is_ok(), "and can be restored into again");
        }
    }
}

#[tokio::test]
async fn all_tables_that_differ_are_named() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.spoil_row("cid", RowFault::Lost);
    target.spoil_row("consultas", RowFault::Altered);
    let error = restore(&clinic, &target).await.unwrap_err();
    let Error::Mismatch { differences } = error else { panic!("{error}") };
    assert_eq!(differences.len(), 2, "{differences:?}");
}

/// A view is the exception: one that can't be made was invalid in the source.
#[tokio::test]
async fn whatever_the_target_refuses_it_is_left_as_it_was() {
    let clinic = clinic();
    clinic.backup().await;
    let whole = FakeTarget::new("copia");
    restore(&clinic, &whole).await.unwrap();
    let is_view = |statement: &String| statement.starts_with("CREATE VIEW");
    let statements: Vec<_> = whole.statements().into_iter().filter(|s| !is_view(s)).collect();
    assert!(statements.len() > 10);
    for statement in statements {
        for target in [FakeTarget::new("copia"), empty_target().await] {
            let before = state_of(&target).await;
            target.fail_statement(&statement);
            let error = restore(&clinic, &target).await.expect_err(&statement);
            let text = text_of(&error);
            assert!(text.starts_with("the target database refused to "), "{text}");
            assert!(text.ends_with("\na fault that the test asked for"), "{text}");
            assert_eq!(error.kind(), Kind::Failed);
            assert_eq!(state_of(&target).await, before, "{statement}");
        }
    }
    let mut loads = 0;
    loop {
        let target = FakeTarget::new("copia");
        target.fail_load(loads + 1);
        let Err(error) = restore(&clinic, &target).await else { break };
        assert!(
            text_of(&error).starts_with("the target database refused to load table "),
            "{error}"
        );
        assert_eq!(state_of(&target).await, TargetState::Absent);
        loads += 1;
    }
    assert_eq!(loads, 3, "each table that has rows");
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_at_every_statement_views_too() {
    let clinic = clinic();
    clinic.backup().await;
    let whole = FakeTarget::new("copia");
    restore(&clinic, &whole).await.unwrap();
    for statement in whole.statements() {
        let target = FakeTarget::new("copia");
        target.break_at_statement(&statement);
        let error = restore(&clinic, &target).await.expect_err(&statement);
        assert!(text_of(&error).starts_with("cannot reach the database copia"), "{error}");
        assert_eq!(state_of(&target).await, TargetState::Absent, "{statement}");
    }
}

#[tokio::test]
async fn some_tables_come_with_their_triggers_and_without_views() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    let some = |tables: &[&str]| Request {
        tables: tables.iter().map(|&name| name.to_owned()).collect(),
        ..restoring()
    };
    let report = restore_as(&clinic, &target, &some(&["consultas", "vazia"])).await.unwrap();
    assert_eq!(target.content().tables(), ["consultas", "vazia"]);
    assert_eq!(target.content().rows("consultas"), clinic.source.rows("consultas"));
    let heads = heads(&target);
    assert!(heads.iter().any(|head| head.starts_with("CREATE TRIGGER `auditar`")));
    assert!(heads.iter().any(|head| head.starts_with("ALTER TABLE `consultas` ADD KEY")));
    assert!(!heads.iter().any(|head| head.contains("FOREIGN KEY") || head.contains("VIEW")));
    assert_eq!(
        report.warnings,
        [
            "function idade was not restored: only tables were asked for",
            "procedure limpar was not restored: only tables were asked for",
            "view agenda was not restored: only tables were asked for",
            "view lista was not restored: only tables were asked for",
            "event noite was not restored: only tables were asked for",
            "foreign key fk_paciente of table consultas was not restored: table pacientes was not asked for",
        ]
    );

    let both = FakeTarget::new("copia");
    restore_as(&clinic, &both, &some(&["pacientes", "consultas"])).await.unwrap();
    assert!(both.statements().iter().any(|statement| statement.contains("FOREIGN KEY")));

    let backup = clinic.backups().await.pop().unwrap();
    let nothing = FakeTarget::new("copia");
    let error = restore_as(&clinic, &nothing, &some(&["vazia", "Consultas"])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "backup {backup} has no table \"Consultas\" (it has cid, consultas, pacientes, vazia)"
        )
    );
    assert_eq!(state_of(&nothing).await, TargetState::Absent);
}

#[tokio::test]
async fn collations_that_the_target_does_not_know_are_named_before_anything_is_made() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.change_info(|info| {
        info.collations.remove("utf8mb4_bin");
        info.server.flavor = Flavor::MySql;
        info.server.version = "8.4.6".to_owned();
    });
    let error = restore(&clinic, &target).await.unwrap_err();
    let Error::Incompatible { target: server, problems } = &error else { panic!("{error}") };
    assert_eq!(server, "MySQL 8.4.6");
    let unknown = |what: &str| {
        format!("{what} has the collation utf8mb4_bin, which MySQL 8.4.6 does not know")
    };
    for what in ["the database", "table cid", "column consultas.obs", "column pacientes.nome"] {
        assert!(problems.contains(&unknown(what)), "{what} in {problems:?}");
    }
    assert!(problems.contains(&"sequence numeros: MySQL 8.4.6 knows no sequences".to_owned()));
    assert_eq!(state_of(&target).await, TargetState::Absent);
    assert_eq!(target.statements(), [""; 0]);
}

#[tokio::test]
async fn types_of_another_server_are_named_by_column() {
    let clinic = Clinic::new();
    let mut hosts = table("hosts", &[("id", ValueKind::Text)], &["id"]);
    hosts.columns[0].sql_type = "inet6".to_owned();
    clinic.source.define(hosts);
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.change_info(|info| info.server.flavor = Flavor::MySql);
    let error = restore(&clinic, &target).await.unwrap_err();
    assert!(error.to_string().contains("column hosts.id has the type inet6"), "{error}");
}

fn mapping() -> Request {
    let from_to = ("utf8mb4_bin".to_owned(), "utf8mb4_unicode_ci".to_owned());
    Request { collations: BTreeMap::from([from_to]), ..restoring() }
}

#[tokio::test]
async fn collations_are_replaced_where_that_is_asked_for() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.change_info(|info| _ = info.collations.remove("utf8mb4_bin"));
    restore_as(&clinic, &target, &mapping()).await.unwrap();
    assert_eq!(target.databases(), [("utf8mb4".to_owned(), "utf8mb4_unicode_ci".to_owned())]);
    let statements = target.statements();
    assert!(statements.iter().all(|statement| !statement.contains("utf8mb4_bin")));
    let visits = statements.iter().find(|s| s.starts_with("CREATE TABLE `consultas`")).unwrap();
    assert!(visits.contains("`obs` text COLLATE utf8mb4_unicode_ci"));
}

/// What is made again after a failure is an empty database that this server can have.
#[tokio::test]
async fn an_empty_database_is_there_again_after_a_failure_also_with_collations_replaced() {
    let clinic = clinic();
    clinic.backup().await;
    let target = empty_target().await;
    target.change_info(|info| _ = info.collations.remove("utf8mb4_bin"));
    target.fail_load(1);
    let error = restore_as(&clinic, &target, &mapping()).await.unwrap_err();
    assert!(matches!(error, Error::Target(TargetError::Refused { .. })), "{error}");
    assert_eq!(state_of(&target).await, TargetState::Empty);
}

#[tokio::test]
async fn what_could_not_be_removed_after_a_failure_is_said() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.spoil_row("cid", RowFault::Lost);
    target.fail_drop();
    let error = restore(&clinic, &target).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the restored database differs from the backup: table cid: 3 rows were backed up, 2 are there; \
         and what was restored so far could not be removed: the target database refused to drop the database"
    );
    assert_eq!(error.kind(), Kind::Integrity, "that of the failure itself");
    assert_eq!(error.hint().unwrap(), "drop the database that was restored into");
}

#[tokio::test]
async fn definers_are_kept_stripped_or_replaced() {
    let clinic = clinic();
    clinic.backup().await;
    for (definers, head) in [
        (Definers::Keep, "CREATE DEFINER=`ana`@`%` FUNCTION"),
        (Definers::Strip, "CREATE FUNCTION"),
        (
            Definers::Replace("gorgen@localhost".to_owned()),
            "CREATE DEFINER=`gorgen`@`localhost` FUNCTION",
        ),
    ] {
        let target = FakeTarget::new("copia");
        restore_as(&clinic, &target, &Request { definers, ..restoring() }).await.unwrap();
        assert!(target.statements().iter().any(|statement| statement.starts_with(head)), "{head}");
    }
}

#[tokio::test]
async fn views_are_made_in_rounds_and_invalid_ones_are_named() {
    let clinic = clinic();
    let invalid = object(
        StoredObjectKind::View,
        "quebrada",
        "CREATE VIEW `quebrada` AS SELECT * FROM `sumiu`",
    );
    clinic.source.define_object(invalid);
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.require("VIEW `agenda`", "VIEW `lista`");
    target.fail_statement("`sumiu`");
    let report = restore(&clinic, &target).await.unwrap();
    let heads = heads(&target);
    let views: Vec<_> = heads.iter().filter(|head| head.contains("VIEW")).collect();
    assert_eq!(
        views,
        ["CREATE VIEW `lista` AS SELECT 1", "CREATE VIEW `agenda` AS SELECT * FROM `lista`"]
    );
    let warning = "view quebrada is invalid and was not restored: a fault that the test asked for";
    assert_eq!(report.warnings, [warning]);
}

#[tokio::test]
async fn rows_that_point_nowhere_are_news_and_no_failure() {
    let clinic = clinic();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    target.set_orphans("consultas", 2);
    let report = restore(&clinic, &target).await.unwrap();
    let warning = "2 rows of table consultas point at no row of pacientes (foreign key fk_paciente), in the backup as well";
    assert_eq!(report.warnings, [warning]);
}

/// Rows of a table that lie one after the other in its key, of three tenants and of none, and again when some of them changed,
/// so that neighbours lie in packs of two backups.
#[tokio::test]
async fn rows_of_all_tenants_come_in_the_order_of_the_key() {
    let clinic = Clinic::empty();
    let columns =
        [("id", ValueKind::Number), ("clinica_id", ValueKind::Number), ("obs", ValueKind::Text)];
    clinic.source.define(table("consultas", &columns, &["id"]));
    let text = |id: usize, what: &str| format!("{what} {id} ").repeat(200);
    let visit = |id: usize, what: &str| {
        let tenant = [Some("1"), Some("2"), Some("30"), None][id * id % 7 % 4];
        row(&[Some(&id.to_string()), tenant, Some(&text(id, what))])
    };
    clinic.source.insert("consultas", (1..4000).map(|id| visit(id, "consulta")));
    let first = clinic.backup().await;
    assert!(first.totals.chunks > 12, "several segments: {} chunks", first.totals.chunks);
    clinic.source.change("consultas", |rows| rows[1700] = visit(1701, "retorno"));
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    restore_as(&clinic, &target, &Request { connections: 1, ..restoring() }).await.unwrap();
    assert!(target.content().rows("consultas") == clinic.source.rows("consultas"));
}

#[tokio::test]
async fn rows_without_a_key_keep_their_order_however_many_connections_load() {
    let clinic = Clinic::empty();
    let columns = [("quando", ValueKind::Temporal), ("oque", ValueKind::Text)];
    clinic.source.define(table("log", &columns, &[]));
    let line = |number: usize| row(&[Some("2026-11-23"), Some(&format!("{number} ").repeat(2000))]);
    clinic.source.insert("log", (0..1500).map(line));
    let report = clinic.backup().await;
    assert!(report.totals.chunks > 3);
    let target = FakeTarget::new("copia");
    restore_as(&clinic, &target, &Request { connections: 4, ..restoring() }).await.unwrap();
    assert!(target.content().rows("log") == clinic.source.rows("log"));
}

#[tokio::test]
async fn a_database_of_nothing_is_restored_to_nothing() {
    let clinic = Clinic::empty();
    clinic.backup().await;
    let target = FakeTarget::new("copia");
    let report = restore(&clinic, &target).await.unwrap();
    assert_eq!((report.tables.len(), report.rows), (0, 0));
    assert_eq!(state_of(&target).await, TargetState::Empty);
}

#[tokio::test]
async fn any_earlier_backup_can_be_restored_whatever_happened_since() {
    let clinic = clinic();
    let mut kept = BTreeMap::<RunId, _>::new();
    for day in 0..4 {
        kept.insert(clinic.backup().await.backup, content(&clinic.source));
        clinic.source.change("pacientes", |rows| drop(rows.pop()));
        clinic.source.insert("cid", [row(&[Some(&format!("C{day}"))])]);
    }
    for (backup, expected) in kept {
        assert_eq!(clinic.restored(&backup).await, expected);
    }
}

/// What a server says to a table that it can't make is the error, with the table's name.
#[tokio::test]
async fn errors_name_what_was_being_done() {
    let clinic = clinic();
    clinic.backup().await;
    for (part, action) in [
        ("CREATE TABLE `cid`", "create table cid"),
        ("ADD KEY", "build the keys of table consultas"),
        ("FOREIGN KEY", "add the foreign keys of table consultas"),
        ("TRIGGER", "create trigger auditar"),
    ] {
        let target = FakeTarget::new("copia");
        target.fail_statement(part);
        let error = restore(&clinic, &target).await.unwrap_err();
        assert!(matches!(&error, Error::Target(TargetError::Refused { .. })));
        assert_eq!(error.to_string(), format!("the target database refused to {action}"));
    }
}

/// (So that the other tests mean something: a table whose definition is taken apart has parts.)
#[tokio::test]
async fn the_clinic_has_keys_to_build() {
    let catalog = crate::support::catalog(&clinic().source).await;
    let visits: &Table = catalog.tables.iter().find(|table| table.name == "consultas").unwrap();
    let split = gorgen_engine::stages::definition::split(&visits.ddl);
    assert_eq!((split.keys.len(), split.foreign_keys.len()), (1, 1));
}
