//! The database that is restored into: its states, its objects, its orphans.

use gorgen_adapters::mysql::LoadBy;
use gorgen_engine::{
    model::{Catalog, CharsetContext, StoredObject},
    ports::{Target, TargetError, TargetState},
};

use crate::{
    catalog::make_objects,
    lab::{Server, chain},
};

crate::on_both!(
    states,
    objects_come_back_as_they_were,
    orphans_are_counted,
    refusals_name_what_was_tried
);

async fn states(server: Server) {
    let database = server.database("states").await;
    let target = database.target(LoadBy::default());
    assert_eq!(target.state().await.unwrap(), TargetState::Empty);
    for (make, drop) in [
        ("CREATE VIEW x AS SELECT 1", "DROP VIEW x"),
        ("CREATE TABLE x (id INT)", "DROP TABLE x"),
        ("CREATE PROCEDURE x() SELECT 1", "DROP PROCEDURE x"),
        ("CREATE EVENT x ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM y", "DROP EVENT x"),
    ] {
        database.run(&[make]).await;
        assert_eq!(target.state().await.unwrap(), TargetState::Holds(1), "{make}");
        database.run(&[drop]).await;
    }
    target.drop_database().await.unwrap();
    assert_eq!(target.state().await.unwrap(), TargetState::Absent);
    target.create_database("latin1", "latin1_bin").await.unwrap();
    assert_eq!(target.state().await.unwrap(), TargetState::Empty);
    assert_eq!(target.source().catalog().await.unwrap().collation, "latin1_bin");

    let info = target.info().await.unwrap();
    assert_eq!(info.max_allowed_packet, 256 << 20);
    assert!(info.collations.contains("utf8mb4_bin"));
    let newest =
        if server == Server::MySql { "utf8mb4_0900_ai_ci" } else { "utf8mb4_uca1400_ai_ci" };
    assert!(info.collations.contains(newest), "{:?}", info.collations);
    database.drop().await;
}

async fn objects_come_back_as_they_were(server: Server) {
    let database = server.database("objects").await;
    make_objects(&database).await;
    let before = database.catalog().await;
    let copy = server.database("copy").await;
    let target = copy.target(LoadBy::default());
    target.drop_database().await.unwrap();
    target.create_database(&before.charset, &before.collation).await.unwrap();
    for table in &before.tables {
        target.execute("create a table", &table.ddl, &CharsetContext::default()).await.unwrap();
    }
    for object in &before.objects {
        let done = target.execute("create an object", &object.ddl, &object.context).await;
        if object.name == "invalid" {
            done.expect_err("a view on a table that is not there");
            continue;
        }
        done.unwrap_or_else(|error| panic!("{}: {}", object.name, chain(&error)));
        if let Some(after) = &object.after {
            target.execute("complete an object", after, &object.context).await.unwrap();
        }
    }
    let after = target.source().catalog().await.unwrap();
    let comparable = |catalog: &Catalog| -> Vec<StoredObject> {
        catalog.objects.iter().filter(|object| object.name != "invalid").cloned().collect()
    };
    for (before, after) in comparable(&before).iter().zip(comparable(&after)) {
        assert_eq!(*before, after);
    }
    assert_eq!((&before.charset, &before.collation), (&after.charset, &after.collation));
    // What the objects do is what they did.
    copy.run(&["INSERT INTO t VALUES (1, 'x')"]).await;
    assert_eq!(copy.value("SELECT nome FROM t").await, "xç2");
    assert_eq!(copy.value("SELECT `f 1`(5)").await, "x5");
    database.drop().await;
    copy.drop().await;
}

async fn orphans_are_counted(server: Server) {
    let database = server.database("orphans").await;
    let other = server.database("parents").await;
    other.run(&["CREATE TABLE far (id INT PRIMARY KEY)", "INSERT INTO far VALUES (1)"]).await;
    database
        .run(&[
            "CREATE TABLE p (a INT, b VARCHAR(9), PRIMARY KEY (a, b))",
            "INSERT INTO p VALUES (1, 'x'), (2, 'y')",
            &format!(
                "CREATE TABLE c (id INT PRIMARY KEY, a INT, b VARCHAR(9), up INT, f INT, \
                 CONSTRAINT ab FOREIGN KEY (a, b) REFERENCES p (a, b), \
                 CONSTRAINT up FOREIGN KEY (up) REFERENCES c (id), \
                 CONSTRAINT far FOREIGN KEY (f) REFERENCES {}.far (id))",
                other.quoted()
            ),
            "SET foreign_key_checks = 0",
            "INSERT INTO c VALUES (1, 1, 'x', NULL, 1), (2, 1, 'y', 1, 2), (3, NULL, 'z', 9, NULL), \
             (4, 9, NULL, 4, 3), (5, 9, '9', 77, 1)",
        ])
        .await;
    let target = database.target(LoadBy::default());
    let catalog = database.catalog().await;
    let table = catalog.tables.iter().find(|table| table.name == "c").unwrap();
    for (name, expected) in [("ab", 2), ("up", 2), ("far", 2)] {
        let relation = table.relations.iter().find(|relation| relation.name == name).unwrap();
        assert_eq!(target.orphans("c", relation).await.unwrap(), expected, "{name}");
    }
    database.drop().await;
    other.drop().await;
}

async fn refusals_name_what_was_tried(server: Server) {
    let database = server.database("refused").await;
    database
        .run(&[
            "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20))",
            "INSERT INTO t VALUES (1, 'segredo'), (2, 'segredo')",
        ])
        .await;
    let target = database.target(LoadBy::default());
    let error = target
        .execute(
            "build the keys of table t",
            "ALTER TABLE t ADD UNIQUE KEY u (s)",
            &CharsetContext::default(),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::Refused { .. }));
    let text = chain(&error);
    assert!(
        text.starts_with(
            "the target database refused to build the keys of table t: duplicate entry"
        ),
        "{text}"
    );
    assert!(!text.contains("segredo"), "{text}");
    let error = target.create_database("utf8mb4", "utf8mb4_bin").await.unwrap_err();
    assert!(chain(&error).contains("database exists"), "{}", chain(&error));
    let unknown = CharsetContext {
        collation_connection: Some("klingon_ci".to_owned()),
        ..CharsetContext::default()
    };
    let error =
        target.execute("create view v", "CREATE VIEW v AS SELECT 1", &unknown).await.unwrap_err();
    assert!(chain(&error).contains("klingon_ci"), "{}", chain(&error));
    // The session is none the worse for it.
    target
        .execute("create view v", "CREATE VIEW v AS SELECT 1", &CharsetContext::default())
        .await
        .unwrap();
    database.drop().await;
}
