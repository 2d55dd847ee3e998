//! What a database holds is seen whole, or it is said what is missing.

use gorgen_adapters::mysql::MySqlSource;
use gorgen_engine::{
    model::{Catalog, Flavor, StoredObjectKind, Table},
    ports::{Source, SourceError},
    stages::definition,
};

use crate::lab::{Database, Server, chain, quoted};

crate::on_both!(
    keys_and_relations,
    objects_with_their_settings,
    an_instant_change_is_seen,
    what_is_not_covered_is_said,
    what_may_be_hidden_is_refused,
    unreachable_and_unknown_databases,
    many_tables,
);

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.tables.iter().find(|table| table.name == name).expect(name)
}

async fn keys_and_relations(server: Server) {
    let database = server.database("keys").await;
    let long = "f".repeat(64);
    database
        .run(&[
            "CREATE TABLE plain (a INT, b INT NOT NULL, c TEXT, PRIMARY KEY (b, a), UNIQUE KEY (a))",
            "CREATE TABLE clustered (a INT, b INT NOT NULL, c INT NOT NULL, UNIQUE KEY nullable (a), \
             UNIQUE KEY z (c), UNIQUE KEY y (b))",
            "CREATE TABLE prefix (a TEXT NOT NULL, b VARCHAR(20) NOT NULL, UNIQUE KEY (a(10)), UNIQUE KEY (b(5)))",
            "CREATE TABLE prefixed_primary (a VARCHAR(20) NOT NULL, b INT NOT NULL, PRIMARY KEY (a(5)), UNIQUE KEY u (b))",
            "CREATE TABLE computed (a INT, g INT GENERATED ALWAYS AS (a + 1) STORED, UNIQUE KEY (g))",
            "CREATE TABLE none (a INT, KEY (a))",
            &format!(
                "CREATE TABLE child (id INT PRIMARY KEY, b INT, a INT, up INT, CONSTRAINT `{long}` FOREIGN KEY (b, a) \
                 REFERENCES plain (b, a), CONSTRAINT self FOREIGN KEY (up) REFERENCES child (id) ON DELETE CASCADE)"
            ),
        ])
        .await;
    let other = server.database("other").await;
    other.run(&["CREATE TABLE far (id INT PRIMARY KEY)"]).await;
    let far = format!(
        "CREATE TABLE abroad (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES {}.far (id))",
        other.quoted()
    );
    database.run(&[&far]).await;

    let catalog = database.catalog().await;
    let key = |name: &str| {
        let table = table(&catalog, name);
        (table.key_index.clone().unwrap_or_default(), table.key.join(","))
    };
    let expected = [
        ("plain", "PRIMARY", "b,a"),
        ("clustered", "z", "c"),
        ("prefix", "", ""),
        ("prefixed_primary", "u", "b"),
        ("computed", "", ""),
        ("none", "", ""),
    ];
    for (name, index, columns) in expected {
        assert_eq!(key(name), (index.to_owned(), columns.to_owned()), "{name}");
    }
    let relations = &table(&catalog, "child").relations;
    assert_eq!(relations.len(), 2);
    let composite = relations.iter().find(|relation| relation.name == long).unwrap();
    assert_eq!(
        (composite.columns.join(","), composite.parent_columns.join(",")),
        ("b,a".into(), "b,a".into())
    );
    assert_eq!((composite.parent.as_str(), &composite.parent_database), ("plain", &None));
    assert_eq!(relations.iter().find(|relation| relation.name == "self").unwrap().parent, "child");
    let abroad = &table(&catalog, "abroad").relations[0];
    assert_eq!(abroad.parent_database.as_ref(), Some(&other.name));
    database.drop().await;
    other.drop().await;
}

/// Objects of all kinds, made under settings that are not the usual ones.
pub(crate) async fn make_objects(database: &Database) {
    let mut conn = database.connect().await;
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, nome VARCHAR(40) CHARACTER SET latin1)",
        "CREATE TABLE u (a INT)",
        "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', time_zone = '-03:00'",
        "CREATE VIEW b_base AS SELECT id, nome FROM t",
        "CREATE VIEW a_above AS SELECT id FROM b_base WHERE nome <> 'ação 😀'",
        "CREATE VIEW invalid AS SELECT a FROM u",
        "DROP TABLE u",
        "CREATE FUNCTION \"f 1\"(x INT) RETURNS VARCHAR(20) DETERMINISTIC RETURN 'x' || x",
        "CREATE PROCEDURE p(IN a INT, OUT b VARCHAR(9)) BEGIN SELECT 'é; -- fim' INTO b; END",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' DISABLE COMMENT 'à noite' DO DELETE FROM t",
        "CREATE TRIGGER t_second BEFORE INSERT ON t FOR EACH ROW SET NEW.nome = NEW.nome || '2'",
        "CREATE TRIGGER t_first BEFORE INSERT ON t FOR EACH ROW PRECEDES t_second SET NEW.nome = NEW.nome || 'ç'",
        "SET SESSION sql_mode = ''",
    ];
    for statement in statements {
        mysql_async::prelude::Queryable::query_drop(&mut conn, statement).await.expect(statement);
    }
    let qualified = format!(
        "CREATE TRIGGER {0}.t_third BEFORE INSERT ON {0}.t FOR EACH ROW FOLLOWS t_second SET @a = 1",
        database.quoted()
    );
    database.run(&[&qualified]).await;
    // A client that speaks latin1: what it types is stored as it typed it.
    let mut conn = database.connect().await;
    mysql_async::prelude::Queryable::query_drop(&mut conn, "SET NAMES latin1").await.unwrap();
    let typed =
        b"CREATE TRIGGER latin AFTER INSERT ON t FOR EACH ROW SET @x = 'a\xe7\xe3o'".to_vec();
    mysql_async::prelude::Queryable::query_drop(&mut conn, typed).await.unwrap();
    let other_collation = format!("ALTER DATABASE {} COLLATE latin1_bin", database.quoted());
    database.run(&[&other_collation, "CREATE PROCEDURE old(IN a VARCHAR(9)) SELECT a"]).await;
    if database.server == Server::MariaDb {
        database
            .run(&[
                "CREATE SEQUENCE seq START WITH 10 INCREMENT BY 5 MAXVALUE 1000 CYCLE",
                "DO NEXTVAL(seq)",
            ])
            .await;
    }
}

async fn objects_with_their_settings(server: Server) {
    let database = server.database("objects").await;
    make_objects(&database).await;
    let catalog = database.catalog().await;
    let named = |name: &str| catalog.objects.iter().find(|object| object.name == name).expect(name);
    let all_of = |kind| -> Vec<&str> {
        let objects = catalog.objects.iter().filter(|object| object.kind == kind);
        objects.map(|object| object.name.as_str()).collect()
    };
    assert_eq!(all_of(StoredObjectKind::View), ["b_base", "invalid", "a_above"]);
    let mut triggers = all_of(StoredObjectKind::Trigger);
    triggers.retain(|name| *name != "latin");
    assert_eq!(triggers, ["t_first", "t_second", "t_third"], "in the order in which they fire");
    assert_eq!(all_of(StoredObjectKind::Function), ["f 1"]);
    assert_eq!(all_of(StoredObjectKind::Procedure), ["old", "p"]);
    assert_eq!(all_of(StoredObjectKind::Event), ["e"]);
    let kinds: Vec<_> = catalog.objects.iter().map(|object| object.kind).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");

    let function = named("f 1");
    assert!(
        function.ddl.contains("'x' || x")
            && function.definer.as_deref().is_some_and(|d| d.starts_with("root@"))
    );
    assert!(function.context.sql_mode.as_deref().is_some_and(|mode| mode.contains("ANSI_QUOTES")));
    let event = named("e");
    assert_eq!(event.context.time_zone.as_deref(), Some("-03:00"));
    assert!(
        event.ddl.contains("2030-01-01 03:00:00") && event.ddl.contains("à noite"),
        "{}",
        event.ddl
    );
    let latin = named("latin");
    assert!(latin.ddl.contains("'ação'"), "{}", latin.ddl);
    assert_eq!(latin.context.character_set_client.as_deref(), Some("latin1"));
    assert_eq!(latin.table.as_deref(), Some("t"));
    assert_eq!(named("old").context.database_collation.as_deref(), Some("latin1_bin"));
    let third = named("t_third");
    assert!(!third.ddl.contains(&database.name), "{}", third.ddl);
    assert!(!named("a_above").ddl.contains(&database.name), "{}", named("a_above").ddl);
    if server == Server::MariaDb {
        let sequence = named("seq");
        assert!(sequence.ddl.to_lowercase().contains("create sequence"), "{}", sequence.ddl);
        // The server keeps a cache of values; what it may have handed out is not handed out again.
        assert!(
            sequence.after.as_deref().is_some_and(|after| after.starts_with("DO SETVAL(`seq`, "))
        );
    }
    assert_eq!(catalog.collation, "latin1_bin");
    database.drop().await;
}

async fn an_instant_change_is_seen(server: Server) {
    let database = server.database("instant").await;
    database
        .run(&["CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)", "CREATE VIEW v AS SELECT 1"])
        .await;
    let before = database.catalog().await;
    database.run(&["INSERT INTO t VALUES (7)"]).await;
    assert_eq!(definition::first_change(&before, &database.catalog().await), None);
    database.run(&["ALTER TABLE t ADD COLUMN x INT DEFAULT 1, ALGORITHM = INSTANT"]).await;
    let changed = definition::first_change(&before, &database.catalog().await);
    assert_eq!(changed.as_deref(), Some("table t"));
    database.drop().await;
}

async fn what_is_not_covered_is_said(server: Server) {
    let database = server.database("uncovered").await;
    let other = server.database("other").await;
    other.run(&["CREATE TABLE o (id INT)"]).await;
    database
        .run(&[
            "CREATE TABLE m (id INT) ENGINE = MyISAM",
            "CREATE TABLE i (id INT, e ENUM('a','😀'), d VARCHAR(9) DEFAULT '😀')",
            &format!(
                "CREATE VIEW v AS SELECT i.id FROM i JOIN {}.o ON i.id = o.id",
                other.quoted()
            ),
        ])
        .await;
    if server == Server::MariaDb {
        database.run(&["CREATE TABLE s (id INT) WITH SYSTEM VERSIONING"]).await;
    }
    let catalog = database.catalog().await;
    let warned = |words: &[&str]| {
        catalog.warnings.iter().any(|text| words.iter().all(|word| text.contains(word)))
    };
    assert!(warned(&["table m", "MyISAM"]), "{:?}", catalog.warnings);
    assert!(warned(&["column e of table i", "`?`"]), "{:?}", catalog.warnings);
    assert_eq!(catalog.server.flavor == Flavor::MariaDb, warned(&["column d of table i"]));
    assert_eq!(server == Server::MariaDb, warned(&["table s", "history"]));
    // Only MariaDB spells the database's own name out as well.
    assert_eq!(server == Server::MariaDb, warned(&["view v"]), "{:?}", catalog.warnings);
    database.drop().await;
    other.drop().await;
}

async fn what_may_be_hidden_is_refused(server: Server) {
    let database = server.database("hidden").await;
    database
        .run(&[
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "CREATE VIEW v AS SELECT id FROM t",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "CREATE PROCEDURE p() SELECT 1",
        ])
        .await;
    let user = format!("h{}", &database.name[database.name.len().saturating_sub(20)..]);
    database.run(&[&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'segredo'")]).await;
    let source = MySqlSource::new(database.url_as(&user, "segredo"));
    let routines = match server {
        Server::MariaDb => "SELECT ON mysql.proc",
        Server::MySql => "SHOW_ROUTINE ON *.*",
    };
    let on_database = |privilege: &str| format!("{privilege} ON {}.*", quoted(&database.name));
    let mut seen = Vec::new();
    for grant in [
        on_database("SHOW VIEW"),
        on_database("SELECT"),
        on_database("TRIGGER"),
        on_database("EVENT"),
        on_database("EXECUTE"),
        routines.to_owned(),
    ] {
        let error = source.catalog().await.expect_err("something may be hidden");
        assert!(
            matches!(error, SourceError::Refused { .. } | SourceError::NoDatabase { .. }),
            "{}",
            chain(&error)
        );
        seen.push(chain(&error));
        database.run(&[&format!("GRANT {grant} TO '{user}'@'%'")]).await;
    }
    let expected = [
        "there is no database",
        "privilege SELECT",
        "privilege TRIGGER",
        "privilege EVENT",
        "show all procedures",
        "definition of procedure p",
    ];
    for (text, words) in seen.iter().zip(expected) {
        assert!(text.contains(words) && !text.contains("segredo"), "{text} should say {words}");
    }
    let catalog = source.catalog().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(catalog.objects.len(), 3);
    database.run(&[&format!("DROP USER '{user}'@'%'")]).await;
    database.drop().await;
}

async fn unreachable_and_unknown_databases(server: Server) {
    let database = server.database("gone").await;
    let missing = MySqlSource::new(database.url().with_database("não existe"));
    let error = missing.catalog().await.unwrap_err();
    assert!(
        matches!(error, SourceError::NoDatabase { .. }) && chain(&error).contains("não existe"),
        "{}",
        chain(&error)
    );

    let denied =
        MySqlSource::new(database.url_as("nobody", "segredo")).catalog().await.unwrap_err();
    let text = chain(&denied);
    assert!(
        matches!(denied, SourceError::Login { .. }) && text.contains("refused to let nobody in"),
        "{text}"
    );
    // MySQL does not tell a stranger that there is no such account.
    assert!(text.contains("Access denied") || text.contains("there is no such account"), "{text}");
    assert!(!text.contains("segredo"), "{text}");

    let denied = MySqlSource::new(database.url_as("root", "segredo")).catalog().await.unwrap_err();
    let text = chain(&denied);
    assert!(
        matches!(denied, SourceError::Login { .. }) && text.contains("Access denied"),
        "{text}"
    );
    assert!(!text.contains("segredo"), "{text}");

    let mut url = database.url();
    url.address = gorgen_adapters::settings::Address::Tcp { host: "127.0.0.1".to_owned(), port: 1 };
    let error = MySqlSource::new(url).catalog().await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }) && error.is_retryable());
    assert!(chain(&error).contains("Connection refused"), "{}", chain(&error));

    let mut url = database.url();
    url.tls = gorgen_adapters::settings::Tls::Required {
        ca: gorgen_adapters::settings::Authority::Public,
    };
    let error = MySqlSource::new(url).catalog().await.unwrap_err();
    assert!(matches!(error, SourceError::Tls { .. }), "never in the clear: {}", chain(&error));
    database.drop().await;
}

async fn many_tables(server: Server) {
    let database = server.database("many").await;
    let mut conn = database.connect().await;
    for number in 0..300 {
        let create =
            format!("CREATE TABLE t{number} (id INT PRIMARY KEY, a VARCHAR(10), UNIQUE KEY (a))");
        mysql_async::prelude::Queryable::query_drop(&mut conn, create).await.unwrap();
    }
    let questions = async || -> u64 {
        let query = "SHOW GLOBAL STATUS LIKE 'Questions'";
        let row: Option<(String, u64)> =
            mysql_async::prelude::Queryable::query_first(&mut database.connect().await, query)
                .await
                .unwrap();
        row.unwrap().1
    };
    let before = questions().await;
    let catalog = database.catalog().await;
    let asked = questions().await - before;
    assert_eq!(catalog.tables.len(), 300);
    // Other tests ask as well; five for each table would be 1500.
    assert!(asked < 1200, "{asked} questions for 300 tables");
    database.drop().await;
}
