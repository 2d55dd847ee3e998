//! What loaders promise: all rows, unaltered, or none; and tables come back as they were.

use gorgen_adapters::mysql::LoadBy;
use gorgen_engine::{
    model::{Catalog, Table},
    ports::{Target, TargetError},
    stages::rows::{put_null, put_value},
};

use crate::{
    lab::{Database, Server, chain},
    types::assert_round_trip,
};

crate::on_both!(
    columns_that_are_not_simply_stored,
    keyless_duplicates_and_unusual_names,
    a_lost_row_is_an_error_and_nothing_stays,
    an_altered_value_is_an_error_and_nothing_stays,
    rows_that_break_rules_come_back_as_they_were,
    loaders_of_one_table_do_not_get_in_each_others_way,
    inserts_where_load_data_is_forbidden,
);

const WAYS: [LoadBy; 2] = [LoadBy::WhatTheServerTakes, LoadBy::Insert];

async fn columns_that_are_not_simply_stored(server: Server) {
    let database = server.database("unusual").await;
    let invisible = "x INT INVISIBLE DEFAULT 7";
    database
        .run(&[
            &format!(
                "CREATE TABLE u (id INT NOT NULL PRIMARY KEY, a INT, v INT GENERATED ALWAYS AS (a * 2) VIRTUAL, \
                 s VARCHAR(20) GENERATED ALWAYS AS (CONCAT('n', a)) STORED, {invisible}, \
                 d VARCHAR(40) DEFAULT (CONCAT('ex', 'pression')), m DATETIME DEFAULT CURRENT_TIMESTAMP \
                 ON UPDATE CURRENT_TIMESTAMP, KEY (s))"
            ),
            "INSERT INTO u (id, a, x, d, m) VALUES (1, 10, 70, 'given', '2020-01-01'), (2, NULL, NULL, NULL, NULL)",
            "INSERT INTO u (id, a) VALUES (3, 5)",
            "CREATE TABLE only_invisible (a INT, b INT INVISIBLE DEFAULT 0 PRIMARY KEY)",
            "INSERT INTO only_invisible (a, b) VALUES (1, 2), (3, 4)",
            "CREATE TABLE p (id INT NOT NULL, d DATE NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d)) \
             (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO p VALUES (2, '2019-05-05'), (1, '2025-01-01'), (3, '0000-00-00')",
        ])
        .await;
    let catalog = database.catalog().await;
    let names = |table: &str| -> Vec<String> {
        let table = catalog.tables.iter().find(|found| found.name == table).unwrap();
        table.columns.iter().map(|column| column.name.clone()).collect()
    };
    assert_eq!(names("u"), ["id", "a", "x", "d", "m"]);
    assert_eq!(names("only_invisible"), ["a", "b"]);
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn keyless_duplicates_and_unusual_names(server: Server) {
    let database = server.database("odd `.%/ ção").await;
    let long = "n".repeat(64);
    database
        .run(&[
            "CREATE TABLE keyless (a INT, b VARCHAR(10))",
            "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (1, 'x'), (NULL, NULL), (2, '')",
            "CREATE TABLE `a.b/c %``d ção ñ` (`id ``.%/` INT PRIMARY KEY, `select` JSON, `ã'\"\\\\x` TEXT)",
            "INSERT INTO `a.b/c %``d ção ñ` VALUES (1, '[1]', 'x'), (2, NULL, NULL)",
            &format!("CREATE TABLE `{long}` (`{long}` INT PRIMARY KEY)"),
            &format!("INSERT INTO `{long}` VALUES (1)"),
            "CREATE TABLE no_rows (a INT PRIMARY KEY)",
        ])
        .await;
    assert_eq!(database.content().await["keyless"].len(), 6);
    assert_round_trip(&database).await;
    database.drop().await;
}

/// A database with the tables of another, and no rows.
async fn same_tables(database: &Database) -> (Database, Catalog) {
    let catalog = database.catalog().await;
    let copy = database.server.database("copy").await;
    let nothing = catalog.tables.iter().map(|table| (table.name.clone(), Vec::new())).collect();
    copy.fill(&catalog, &nothing, LoadBy::default()).await;
    (copy, catalog)
}

fn row(values: &[Option<&str>]) -> Vec<u8> {
    let mut row = Vec::new();
    for value in values {
        match value {
            Some(value) => put_value(&mut row, value.as_bytes()),
            None => put_null(&mut row),
        }
    }
    row
}

async fn load(copy: &Database, table: &Table, rows: &[Vec<u8>], way: LoadBy) -> TargetError {
    let mut loader = copy.target(way).loader().await.unwrap();
    loader.load(table, &rows.concat(), rows.len() as u64).await.expect_err("a refused load")
}

async fn a_lost_row_is_an_error_and_nothing_stays(server: Server) {
    let database = server.database("lost").await;
    database
        .run(&["CREATE TABLE t (id INT PRIMARY KEY, email VARCHAR(40), UNIQUE KEY email (email))"])
        .await;
    let (copy, catalog) = same_tables(&database).await;
    let rows = ["maria@segredo.example", "jose@segredo.example", "maria@segredo.example"];
    let rows: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(id, email)| row(&[Some(&id.to_string()), Some(email)]))
        .collect();
    for way in WAYS {
        let error = load(&copy, &catalog.tables[0], &rows, way).await;
        let text = chain(&error);
        assert!(!text.contains("segredo"), "{text}");
        // MariaDB fills an empty table at once, and sees duplicates only when it commits.
        let is_lost = matches!(error, TargetError::RowsLost { expected: 3, stored: 2, .. });
        assert!(
            is_lost
                || text.contains("duplicate entry for key")
                || text.contains("a key is there twice"),
            "{text}"
        );
        assert_eq!(copy.value("SELECT COUNT(*) FROM t").await, "0", "{way:?}");
    }
    let mut loader = copy.target(LoadBy::default()).loader().await.unwrap();
    let error = loader.load(&catalog.tables[0], &rows[..2].concat(), 5).await.unwrap_err();
    assert!(matches!(error, TargetError::RowsLost { expected: 5, stored: 2, .. }));
    loader.load(&catalog.tables[0], &[], 0).await.expect("no rows are all rows");
    let error = loader.load(&catalog.tables[0], &[0x20], 1).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "the target database refused to load rows into table t: the rows do not fit the table's columns"
    );
    database.drop().await;
    copy.drop().await;
}

async fn an_altered_value_is_an_error_and_nothing_stays(server: Server) {
    let database = server.database("altered").await;
    database
        .run(&["CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(5), n TINYINT, d DATE, u VARCHAR(9), e ENUM('a','b'))"])
        .await;
    let (copy, catalog) = same_tables(&database).await;
    let good = [Some("1"), Some("abc"), Some("1"), Some("2020-01-01"), Some("x"), Some("a")];
    let cases: [(usize, &str); 5] =
        [(1, "segredos!"), (2, "1000"), (3, "segredo"), (2, "segredo"), (5, "segredo")];
    for way in WAYS {
        for (place, bad) in cases {
            let mut values = good;
            values[place] = Some(bad);
            let error = load(&copy, &catalog.tables[0], &[row(&values)], way).await;
            let text = chain(&error);
            assert!(matches!(error, TargetError::Refused { .. }), "{text}");
            assert!(!text.contains("segredo") && text.contains("load rows into table t"), "{text}");
            assert!(text.contains("column"), "the column is named: {text}");
            assert_eq!(copy.value("SELECT COUNT(*) FROM t").await, "0", "{way:?}: {bad}");
        }
        // Bytes that are no UTF-8.
        let mut values = row(&good);
        let at = values.iter().position(|byte| *byte == b'x').unwrap();
        values[at] = 0xff;
        let error = load(&copy, &catalog.tables[0], &[values], way).await;
        assert!(matches!(error, TargetError::Refused { .. }), "{}", chain(&error));
        // An ENUM's empty value among others is fine; another text that is no member is not.
        let mut values = good;
        values[5] = Some("");
        let mut loader = copy.target(way).loader().await.unwrap();
        loader.load(&catalog.tables[0], &row(&values), 1).await.expect("an empty ENUM");
        values[5] = Some("segredo");
        values[0] = Some("2");
        let mut other = good;
        (other[5], other[0]) = (Some(""), Some("3"));
        load(&copy, &catalog.tables[0], &[row(&other), row(&values)], way).await;
        assert_eq!(copy.value("SELECT GROUP_CONCAT(id) FROM t").await, "1");
        copy.run(&["DELETE FROM t"]).await;
    }
    database.drop().await;
    copy.drop().await;
}

async fn rows_that_break_rules_come_back_as_they_were(server: Server) {
    let database = server.database("rules").await;
    database
        .run(&[
            "CREATE TABLE parent (id INT PRIMARY KEY, other INT, FOREIGN KEY (other) REFERENCES parent (id))",
            "CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id))",
            "SET foreign_key_checks = 0",
            "INSERT INTO child VALUES (1, 99), (2, NULL)",
            "INSERT INTO parent VALUES (1, 2), (2, 1), (3, 77)",
            "CREATE TABLE checked (id INT PRIMARY KEY, a INT, CONSTRAINT positive CHECK (a > 0))",
            "INSERT INTO checked VALUES (1, 1)",
        ])
        .await;
    if server == Server::MariaDb {
        database
            .run(&["SET check_constraint_checks = 0", "INSERT INTO checked VALUES (2, -1)"])
            .await;
    }
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn loaders_of_one_table_do_not_get_in_each_others_way(server: Server) {
    let database = server.database("together").await;
    database
        .run(&[
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(30), UNIQUE KEY (b), KEY (a))",
        ])
        .await;
    for way in WAYS {
        let (copy, catalog) = same_tables(&database).await;
        let target = copy.target(way);
        let mut loading = Vec::new();
        for lane in 0..4 {
            let (mut loader, table) = (target.loader().await.unwrap(), catalog.tables[0].clone());
            loading.push(tokio::spawn(async move {
                for chunk in 0..10 {
                    let rows: Vec<_> = (0..200)
                        .map(|place| {
                            let id = (lane * 10 + chunk) * 200 + place;
                            row(&[
                                Some(&id.to_string()),
                                Some(&(id % 7).to_string()),
                                Some(&format!("b{}", id * 7919 % 8000)),
                            ])
                        })
                        .collect();
                    loader
                        .load(&table, &rows.concat(), 200)
                        .await
                        .unwrap_or_else(|error| panic!("{}", chain(&error)));
                }
            }));
        }
        for lane in loading {
            lane.await.unwrap();
        }
        assert_eq!(copy.value("SELECT COUNT(*) FROM t").await, "8000");
        copy.drop().await;
    }
    database.drop().await;
}

async fn inserts_where_load_data_is_forbidden(server: Server) {
    let database = server.database("forbidden").await;
    database
        .run(&[
            "CREATE TABLE t (id INT PRIMARY KEY, s TEXT)",
            "INSERT INTO t VALUES (1, 'a\\tb'), (2, NULL)",
        ])
        .await;
    let target = database.target(LoadBy::default());
    assert!(target.info().await.unwrap().local_infile);
    database.run(&["SET GLOBAL local_infile = 0"]).await;
    let (info, catalog, content) =
        (target.info().await, database.catalog().await, database.content().await);
    let copy = server.database("copy").await;
    copy.fill(&catalog, &content, LoadBy::WhatTheServerTakes).await;
    database.run(&["SET GLOBAL local_infile = 1"]).await;
    assert!(!info.unwrap().local_infile);
    assert_eq!(copy.content().await, content);
    copy.drop().await;
    database.drop().await;
}
