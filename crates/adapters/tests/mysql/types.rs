//! Every column type with its extremes: read, loaded in either way, and read again.

use std::collections::BTreeMap;

use gorgen_adapters::mysql::LoadBy;
use gorgen_engine::{
    model::{Catalog, ValueKind},
    stages::rows::take_value,
};

use crate::lab::{Database, Server, values};

/// Loads the database's content into two others, by each way, and compares all that can be seen.
pub(crate) async fn assert_round_trip(database: &Database) {
    let catalog = database.catalog().await;
    let content = database.content().await;
    for load_by in [LoadBy::WhatTheServerTakes, LoadBy::Insert] {
        let copy = database.server.database("copy").await;
        copy.fill(&catalog, &content, load_by).await;
        assert_same(&catalog, &content, &copy, load_by).await;
        for table in &catalog.tables {
            let checksum = async |database: &Database| {
                let name = crate::lab::quoted(&table.name);
                let query = format!("CHECKSUM TABLE {}.{name}", database.quoted());
                let row: Option<(String, Option<u64>)> =
                    mysql_async::prelude::Queryable::query_first(
                        &mut database.connect().await,
                        query,
                    )
                    .await
                    .expect("a checksum");
                row.and_then(|row| row.1)
            };
            assert_eq!(
                checksum(database).await,
                checksum(&copy).await,
                "{load_by:?}: {}",
                table.name
            );
        }
        copy.drop().await;
    }
}

async fn assert_same(
    catalog: &Catalog,
    content: &BTreeMap<String, Vec<Vec<u8>>>,
    copy: &Database,
    load_by: LoadBy,
) {
    let copied = copy.content().await;
    assert_eq!(content.keys().collect::<Vec<_>>(), copied.keys().collect::<Vec<_>>());
    for table in &catalog.tables {
        let (before, after) = (&content[&table.name], &copied[&table.name]);
        for (row, (before, after)) in before.iter().zip(after).enumerate() {
            let (mut left, mut right) = (before.as_slice(), after.as_slice());
            for column in &table.columns {
                assert_eq!(
                    take_value(&mut left).unwrap(),
                    take_value(&mut right).unwrap(),
                    "{load_by:?}: row {row} of {}, column {}",
                    table.name,
                    column.name
                );
            }
        }
        assert_eq!(before.len(), after.len(), "{load_by:?}: rows of {}", table.name);
    }
}

/// The values of one column of one table, in the order of the key.
async fn column(database: &Database, table: &str, column: &str) -> Vec<Option<Vec<u8>>> {
    let catalog = database.catalog().await;
    let table = catalog.tables.iter().find(|found| found.name == table).expect("the table");
    let place = table.place_of(column).expect("the column");
    let rows = &database.content().await[&table.name];
    rows.iter().map(|row| values(row, table.columns.len()).swap_remove(place)).collect()
}

fn texts(values: &[Option<Vec<u8>>]) -> Vec<&str> {
    values
        .iter()
        .map(|value| value.as_deref().map_or("NULL", |text| std::str::from_utf8(text).unwrap()))
        .collect()
}

crate::on_both!(
    numbers,
    reals,
    times,
    texts_in_many_character_sets,
    bytes_and_bits,
    geometry,
    enums_and_sets,
    json
);

async fn numbers(server: Server) {
    let database = server.database("numbers").await;
    database
        .run(&[
            "CREATE TABLE n (id INT NOT NULL PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d MEDIUMINT UNSIGNED, \
             e INT, f BIGINT, g BIGINT UNSIGNED, h DECIMAL(65,30), i DECIMAL(10,2) UNSIGNED, j INT(5) ZEROFILL, k BOOLEAN)",
            "INSERT INTO n VALUES \
             (-1, -128, 0, -32768, 0, -2147483648, -9223372036854775808, 0, \
              -99999999999999999999999999999999999.999999999999999999999999999999, 0, 0, FALSE), \
             (0, 127, 255, 32767, 16777215, 2147483647, 9223372036854775807, 18446744073709551615, \
              99999999999999999999999999999999999.999999999999999999999999999999, 99999999.99, 4294967295, TRUE), \
             (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.000000000000000000000000000001, NULL, 42, NULL)",
            "CREATE TABLE counter (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO counter VALUES (0), (5)",
        ])
        .await;
    assert_eq!(texts(&column(&database, "n", "g").await), ["0", "18446744073709551615", "NULL"]);
    assert_eq!(texts(&column(&database, "n", "j").await)[2], "00042");
    assert_eq!(texts(&column(&database, "counter", "id").await), ["0", "5"]);
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn reals(server: Server) {
    let database = server.database("reals").await;
    database
        .run(&["CREATE TABLE r (id INT NOT NULL PRIMARY KEY, f FLOAT, d DOUBLE, fd FLOAT(7,3), dd DOUBLE(10,2), \
             fu FLOAT UNSIGNED, big DOUBLE(30,5))"])
        .await;
    let doubles = [
        "0",
        "-0e0",
        "1",
        "0.1",
        "-2.5",
        "5e-324",
        "-5e-324",
        "2.2250738585072014e-308",
        "2.225073858507201e-308",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "123456789012345680",
        "1e17",
        "0.00001",
        "1e-5",
        "9.999999999999999e22",
        "1e23",
        "16777217",
        "9007199254740993",
        "0.30000000000000004",
        "3.141592653589793",
    ];
    let floats = [
        "0",
        "-0e0",
        "1",
        "0.1",
        "-2.5",
        "1e-45",
        "-1e-45",
        "1.17549435e-38",
        "1.17549421e-38",
        "3.4028235e38",
        "-3.4028235e38",
        "16777216",
        "16777215",
        "8388608.5",
        "0.333333333",
        "1e10",
        "1e-5",
        "9.9999e22",
        "1e23",
        "3.1415927",
        "0.30000001",
    ];
    let mut rows: Vec<_> = doubles
        .iter()
        .zip(floats)
        .enumerate()
        .map(|(id, (double, float))| {
            format!(
                "({id}, {float}, {double}, {id}.4567891, {id}.455, 0.1, {id}123456789012.34567)"
            )
        })
        .collect();
    // Values all over the ranges, the same every time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for id in 100..2100 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = Some(f64::from_bits(state)).filter(|value| value.is_finite()).unwrap_or(1.5);
        let float = f32::from_bits((state >> 32) as u32);
        let float = f64::from(if float.is_finite() { float } else { 2.5 });
        let small = float % 9999.0;
        rows.push(format!(
            "({id}, {float:e}, {double:e}, {small:e}, {small:e}, {:e}, {small:e})",
            float.abs()
        ));
    }
    database.run(&[&format!("INSERT INTO r VALUES {}", rows.join(","))]).await;

    // MariaDB has no negative zero in its columns: it stores a zero.
    let stored = |value: f64| if value == 0.0 && server == Server::MariaDb { 0.0 } else { value };
    let read = column(&database, "r", "d").await;
    for (given, found) in doubles.iter().zip(texts(&read)) {
        let expected = stored(given.parse().unwrap());
        assert_eq!(expected.to_bits(), found.parse::<f64>().unwrap().to_bits(), "{given}");
    }
    let read = column(&database, "r", "f").await;
    for (given, found) in floats.iter().zip(texts(&read)) {
        let expected = stored(f64::from(given.parse::<f32>().unwrap()));
        assert_eq!(expected.to_bits(), found.parse::<f64>().unwrap().to_bits(), "{given}");
    }
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn times(server: Server) {
    let database = server.database("times").await;
    database
        .run(&[
            "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, d DATE, dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, \
             ts6 TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), \
             t TIME, t6 TIME(6), t3 TIME(3), y YEAR)",
            "INSERT INTO t VALUES \
             (1, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00.000000', '0000-00-00', '0000-00-00', '-838:59:59', \
              '-838:59:59.000000', '00:00:00', 0), \
             (2, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', \
              '2038-01-19 03:14:07.999999', '838:59:59', '838:59:59.000000', '-00:00:00.001', 2155), \
             (3, '2024-02-31', '2024-04-31 10:00:00', '2024-00-00 00:00:00.5', '1970-01-01 00:00:01', \
              '1970-01-01 00:00:01.000001', '-00:00:01', '-00:00:00.000001', '12:34:56.789', 1901), \
             (4, '1000-01-01', NULL, '2026-11-01 02:30:00.123456', NULL, '2026-03-08 02:30:00.5', NULL, NULL, NULL, NULL)",
        ])
        .await;
    assert_eq!(texts(&column(&database, "t", "y").await), ["0000", "2155", "1901", "NULL"]);
    assert_eq!(texts(&column(&database, "t", "d").await)[2], "2024-02-31");
    assert_eq!(texts(&column(&database, "t", "ts6").await)[1], "2038-01-19 03:14:07.999999");
    assert_eq!(texts(&column(&database, "t", "t6").await)[2], "-00:00:00.000001");
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn texts_in_many_character_sets(server: Server) {
    let database = server.database("texts").await;
    let all_bytes = hex::encode((0..=255).collect::<Vec<u8>>());
    let clinical = r#"'Dor de cabeça\n\t\r \\ \\N \0 '' " % _ 😀 \Z e ação; -- fim'"#;
    database
        .run(&[
            "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, c CHAR(20), v VARCHAR(200), tt TINYTEXT, t TEXT, mt MEDIUMTEXT, \
             lt LONGTEXT, l1 VARCHAR(256) CHARACTER SET latin1, u16 VARCHAR(100) CHARACTER SET utf16, \
             u2 VARCHAR(100) CHARACTER SET ucs2, u32 TEXT CHARACTER SET utf32, u3 VARCHAR(100) CHARACTER SET utf8mb3, \
             sj VARCHAR(20) CHARACTER SET sjis, g CHAR(10) CHARACTER SET gbk, a VARCHAR(20) CHARACTER SET ascii, \
             vb VARCHAR(20) COLLATE utf8mb4_bin, le VARCHAR(20) CHARACTER SET utf16le)",
            &format!(
                "INSERT INTO t VALUES (1, 'a', {clinical}, {clinical}, {clinical}, {clinical}, {clinical}, x'{all_bytes}', \
                 {clinical}, 'Ação', {clinical}, 'Ação €', _sjis x'835c835c', _gbk x'815c', 'a\\\\b', 'x ', '😀')"
            ),
            "INSERT INTO t (id) VALUES (2)",
            "INSERT INTO t VALUES (3, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '')",
            "INSERT INTO t VALUES (4, '  x', ' x ', 'NULL', '\\\\N', '\\\\', '\\n', '\\t', '\\\\', '\\\\N', '\\t\\n', '\\'', \
             '\\\\', '\\\\', '\\t', '\\0', '\\n')",
            "CREATE TABLE one (v TEXT)",
            "INSERT INTO one VALUES (''), (NULL), ('\\\\N'), ('NULL'), (''), ('\\n'), ('\\r\\n')",
        ])
        .await;
    let latin: Vec<u8> = (0..=255).collect();
    assert_eq!(column(&database, "t", "l1").await[0].as_deref(), Some(latin.as_slice()));
    assert_eq!(column(&database, "t", "u2").await[0].as_deref(), Some(&b"\0A\0\xe7\0\xe3\0o"[..]));
    assert_eq!(texts(&column(&database, "t", "vb").await), ["x ", "NULL", "", "\0"]);
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn bytes_and_bits(server: Server) {
    let database = server.database("bytes").await;
    let all_bytes = hex::encode((0..=255).collect::<Vec<u8>>());
    database
        .run(&[
            "CREATE TABLE b (id INT NOT NULL PRIMARY KEY, f BINARY(8), v VARBINARY(300), tb TINYBLOB, b BLOB, mb MEDIUMBLOB, \
             lb LONGBLOB, b1 BIT(1), b13 BIT(13), b64 BIT(64))",
            &format!(
                "INSERT INTO b VALUES (1, x'00ff5c0a09270d1a', x'{all_bytes}', x'00', x'{all_bytes}', x'5c4e', \
                 x'c328a0a1e28228f0288cbc', b'1', b'1010000011010', x'ffffffffffffffff')"
            ),
            "INSERT INTO b VALUES (2, 'a', '', '', '', '', '', b'0', b'0', b'0')",
            "INSERT INTO b (id) VALUES (3)",
            "INSERT INTO b VALUES (4, '\\t', '\\n', '\\\\', '\\0', '\\'', ' ', b'1', 0x0a09, 0x5c4e0a0900270d1a)",
            "INSERT INTO b VALUES (5, '\\n', '\\\\N', 'N', '\\\\\\\\', '\\t\\t', '\\n\\n', b'1', 0x005c, 0x5c)",
        ])
        .await;
    // Each byte first, last and alone in a field.
    let each: Vec<_> = (0..=255_u8)
        .map(|b| format!("({}, x'{b:02x}', x'{b:02x}41{b:02x}')", u32::from(b)))
        .collect();
    database
        .run(&[
            "CREATE TABLE each_byte (id INT NOT NULL PRIMARY KEY, a VARBINARY(1), b BLOB)",
            &format!("INSERT INTO each_byte VALUES {}", each.join(",")),
        ])
        .await;
    let every: Vec<u8> = (0..=255).collect();
    assert_eq!(column(&database, "b", "v").await[0].as_deref(), Some(every.as_slice()));
    assert_eq!(column(&database, "b", "b13").await[0].as_deref(), Some(&[0x14, 0x1a][..]));
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn geometry(server: Server) {
    let database = server.database("shapes").await;
    database
        .run(&[
            "CREATE TABLE g (id INT NOT NULL PRIMARY KEY, g GEOMETRY, p POINT, l LINESTRING, y POLYGON, mp MULTIPOINT, \
             ml MULTILINESTRING, my MULTIPOLYGON, gc GEOMETRYCOLLECTION)",
            "INSERT INTO g VALUES (1, ST_GeomFromText('POINT(9 10)', 4326), ST_GeomFromText('POINT(1.5 -2.25)'), \
             ST_GeomFromText('LINESTRING(0 0, 9 10, 92 39)'), \
             ST_GeomFromText('POLYGON((0 0,0 9,9 9,9 0,0 0),(1 1,1 2,2 2,2 1,1 1))', 3857), \
             ST_GeomFromText('MULTIPOINT(1 1,2 2)'), ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'), \
             ST_GeomFromText('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))', 4326), \
             ST_GeomFromText('GEOMETRYCOLLECTION(POINT(92 9),LINESTRING(0 0,1 1))'))",
            "INSERT INTO g (id) VALUES (2)",
        ])
        .await;
    let point = column(&database, "g", "g").await;
    let point = point[0].as_deref().expect("a point");
    assert_eq!(point[..4], 4326_u32.to_le_bytes(), "the SRID comes first");
    assert_eq!(point.len(), 4 + 1 + 4 + 16);
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn enums_and_sets(server: Server) {
    let database = server.database("enums").await;
    database
        .run(&[
            "CREATE TABLE e (id INT NOT NULL PRIMARY KEY, e ENUM('a','ç','não informado','it''s','b,c') , \
             s SET('x','é','a b','z'), n ENUM('só','um') NOT NULL, l ENUM('ã','b') CHARACTER SET latin1, \
             u ENUM('ã','b') CHARACTER SET utf16, us SET('ã','b') CHARACTER SET ucs2, `odd'``\"name` ENUM('q','w'))",
            "INSERT INTO e VALUES (1, 'ç', 'x,é,a b,z', 'só', 'ã', 'ã', 'ã,b', 'q'), (2, 0, '', 0, 0, 0, '', 0), \
             (3, NULL, NULL, 'um', NULL, NULL, NULL, NULL), (4, 'it''s', 'é', 'um', 'b', 'b', 'b', 'w'), \
             (5, 'b,c', 'z', 0, 'b', 'b', '', 0)",
        ])
        .await;
    assert_eq!(texts(&column(&database, "e", "e").await), ["ç", "", "NULL", "it's", "b,c"]);
    assert_eq!(column(&database, "e", "l").await[0].as_deref(), Some(&b"\xe3"[..]));
    assert_round_trip(&database).await;
    database.drop().await;
}

async fn json(server: Server) {
    let database = server.database("json").await;
    database
        .run(&[
            "CREATE TABLE j (id INT NOT NULL PRIMARY KEY, j JSON, k JSON)",
            r#"INSERT INTO j VALUES (1, '{"nome": "João \\"Zé\\" \\\\ 😀\\n", "n": [1, 2.5, -0.0, 1e300, null, true]}', '[]'),
               (2, NULL, '"texto"'), (3, '18446744073709551615', '-1.25e-8'), (4, 'null', '{"": {"a\\tb": []}}')"#,
            "INSERT INTO j SELECT 5, JSON_OBJECT('valor', CAST(10.50 AS DECIMAL(10,2)), 'x y \"z\"', JSON_ARRAY(1, \
             CAST(0.000 AS DECIMAL(5,3)), JSON_OBJECT('g', CAST(12345678901234567890.123456 AS DECIMAL(40,10))))), \
             JSON_ARRAY(CAST('2026-01-02' AS DATE), 1.0e0, CAST(99999999999999999999 AS DECIMAL(20,0)))",
        ])
        .await;
    let catalog = database.catalog().await;
    let kind = catalog.tables[0].columns[1].kind;
    assert_eq!(kind, if server == Server::MySql { ValueKind::Json } else { ValueKind::Text });
    if server == Server::MySql {
        let seen = column(&database, "j", "j").await;
        assert!(
            texts(&seen)[4].contains("12345678901234567890.1234560000"),
            "{:?}",
            texts(&seen)[4]
        );
    }
    let content = database.content().await;
    for load_by in [LoadBy::WhatTheServerTakes, LoadBy::Insert] {
        let copy = database.server.database("copy").await;
        copy.fill(&catalog, &content, load_by).await;
        assert_same(&catalog, &content, &copy, load_by).await;
        copy.drop().await;
    }
    database.drop().await;
}

mod only_here {
    use super::{Server, assert_round_trip, column, texts};

    #[tokio::test]
    async fn uuids_and_addresses_of_mariadb() {
        let database = Server::MariaDb.database("uuids").await;
        database
            .run(&[
                "CREATE TABLE u (id UUID NOT NULL PRIMARY KEY, a INET6, b INET4)",
                "INSERT INTO u VALUES ('123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '10.0.0.1'), \
                 ('00000000-0000-0000-0000-000000000000', '::', '0.0.0.0'), (UUID(), NULL, NULL), \
                 ('ffffffff-ffff-ffff-ffff-ffffffffffff', '::1', '255.255.255.255')",
            ])
            .await;
        assert!(texts(&column(&database, "u", "a").await).contains(&"2001:db8::ff00:42:8329"));
        assert_round_trip(&database).await;
        database.drop().await;
    }

    #[tokio::test]
    async fn vectors_and_fixed_srids_of_mysql() {
        if !Server::MySql.is_there() {
            return;
        }
        let database = Server::MySql.database("vectors").await;
        database
            .run(&[
                "CREATE TABLE v (id INT NOT NULL PRIMARY KEY, v VECTOR(3), p POINT NOT NULL SRID 4326, SPATIAL INDEX (p))",
                "INSERT INTO v VALUES (1, STRING_TO_VECTOR('[1.5,-2,3e-5]'), ST_GeomFromText('POINT(10 20)', 4326)), \
                 (2, NULL, ST_GeomFromText('POINT(-10 -20)', 4326))",
            ])
            .await;
        assert_round_trip(&database).await;
        database.drop().await;
    }
}
