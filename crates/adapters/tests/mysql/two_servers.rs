//! The same rows are the same bytes on MariaDB and on MySQL, and load into the other one.

use gorgen_adapters::mysql::LoadBy;
use gorgen_engine::ports::Target;

use crate::lab::Server;

const TABLES: &[&str] = &[
    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, n DECIMAL(20,5), b BIGINT UNSIGNED, f FLOAT, d DOUBLE, ts TIMESTAMP(3) NULL, \
     dt DATETIME, dd DATE, ti TIME(6), y YEAR, v VARCHAR(50), l VARCHAR(50) CHARACTER SET latin1, u VARCHAR(50) CHARACTER SET utf16, \
     e ENUM('a','ç'), s SET('x','é'), bl BLOB, bi BIT(12), g GEOMETRY) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE keyless (a FLOAT(7,3), b DOUBLE(10,2), c CHAR(5), d BINARY(4)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
];

const ROWS: &[&str] = &[
    "INSERT INTO t VALUES (1, 12345.6789, 18446744073709551615, 0.1, 0.1, '2026-01-02 03:04:05.678', '0000-00-00', \
     '2024-02-31', '-838:59:59', 0, 'Ação 😀\\t\\n\\\\', 'Ação', 'Ação 😀', 'ç', 'x,é', x'00ff5c0a09', b'101010101010', \
     ST_GeomFromText('POINT(1 2)', 3857)), \
     (2, -0.5, 0, 16777216, 1.7976931348623157e308, NULL, '9999-12-31 23:59:59', '0000-00-00', '00:00:00.000001', 2155, '', '', \
     '', 0, '', '', b'0', NULL), \
     (3, NULL, NULL, 1e-45, 5e-324, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO keyless VALUES (1234.567, 0.145, 'a', 'b'), (1234.567, 0.145, 'a', 'b'), (NULL, 99999999.99, '', '')",
];

#[tokio::test]
async fn rows_are_the_same_and_cross_over() {
    if !Server::MySql.is_there() {
        return;
    }
    let (left, right) =
        (Server::MariaDb.database("left").await, Server::MySql.database("right").await);
    for database in [&left, &right] {
        database.run(TABLES).await;
        database.run(ROWS).await;
    }
    let content = left.content().await;
    assert_eq!(content, right.content().await);
    for (from, server) in [(&left, Server::MySql), (&right, Server::MariaDb)] {
        let catalog = from.catalog().await;
        for load_by in [LoadBy::WhatTheServerTakes, LoadBy::Insert] {
            let copy = server.database("crossed").await;
            copy.run(TABLES).await;
            let mut loader = copy.target(load_by).loader().await.unwrap();
            for table in &catalog.tables {
                let rows = &content[&table.name];
                loader.load(table, &rows.concat(), rows.len() as u64).await.unwrap();
            }
            assert_eq!(copy.content().await, content, "{load_by:?} into {server:?}");
            copy.drop().await;
        }
    }
    left.drop().await;
    right.drop().await;
}
