//! Snapshots and readers: one moment, whole tables or errors, and no lock that outlives its use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gorgen_engine::{
    model::Table,
    ports::{Consistency, Source, SourceError},
    stages::rows::RowBatch,
};
use mysql_async::{Conn, prelude::Queryable};
use tokio::sync::mpsc;

use crate::lab::{Database, Server, chain, quoted, read, values};

crate::on_both!(
    rows_come_in_the_order_of_the_key,
    a_killed_connection_is_no_end_of_a_table,
    a_reader_that_nobody_listens_to_hangs_up,
    definitions_are_held_still,
    a_table_that_comes_meanwhile_is_not_overlooked,
    a_change_that_waits_goes_first,
    several_readers_see_one_moment,
    without_a_proof_there_is_one_reader,
    a_held_up_lock_is_given_up,
    rows_of_twenty_megabytes,
);

fn table<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).expect("the table")
}

async fn rows_come_in_the_order_of_the_key(server: Server) {
    let database = server.database("ordered").await;
    database
        .run(&[
            "CREATE TABLE composite (b VARCHAR(20) NOT NULL, a INT NOT NULL, x INT, PRIMARY KEY (a, b))",
            "INSERT INTO composite VALUES ('z', 1, 1), ('a', 2, 2), ('b', 1, 3), ('ç', 1, 4), ('', 3, 5)",
            "CREATE TABLE text_key (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY)",
            "INSERT INTO text_key VALUES ('b'), ('ab'), ('Ä2'), ('a3'), ('B1'), ('😀'), ('')",
            "CREATE TABLE keyless (a INT, b TEXT)",
            "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (1, 'x'), (NULL, NULL)",
        ])
        .await;
    let content = database.content().await;
    let first = |table: &str, place: usize, columns: usize| -> Vec<String> {
        let value = |row: &Vec<u8>| {
            String::from_utf8(values(row, columns).swap_remove(place).unwrap()).unwrap()
        };
        content[table].iter().map(value).collect()
    };
    assert_eq!(first("composite", 2, 3), ["3", "1", "4", "2", "5"]);
    // The collation decides; where an emoji sorts is its own affair.
    let mut keys = first("text_key", 0, 1);
    keys.retain(|key| key != "😀");
    assert_eq!(keys, ["", "Ä2", "a3", "ab", "b", "B1"].map(str::to_owned));
    assert_eq!(content["keyless"].len(), 5);
    database.drop().await;
}

/// A table of a few ten thousand rows, too large for what is buffered on the way.
async fn long_table(server: Server) -> Database {
    let database = server.database("long").await;
    database
        .run(&[
            "CREATE TABLE long_one (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, filler TEXT NOT NULL)",
            "INSERT INTO long_one (filler) VALUES (REPEAT('x', 2000)), (REPEAT('y', 2000))",
        ])
        .await;
    let double = "INSERT INTO long_one (filler) SELECT filler FROM long_one";
    database.run(&[double; 14]).await;
    database
}

async fn a_killed_connection_is_no_end_of_a_table(server: Server) {
    let database = long_table(server).await;
    let mut snapshot = database.source().snapshot(1).await.unwrap();
    let table = snapshot.catalog.tables[0].clone();
    let (sender, mut batches) = mpsc::channel::<RowBatch>(1);
    let mut reader = snapshot.readers.remove(0);
    let reading = tokio::spawn(async move { reader.read(&table, sender).await });
    let mut rows = batches.recv().await.expect("a first batch").rows().count();
    kill_readers(&database).await;
    while let Some(batch) = batches.recv().await {
        rows += batch.rows().count();
    }
    let error = reading.await.unwrap().expect_err("a cut table");
    assert!(
        matches!(error, SourceError::Unreachable { .. }) && error.is_retryable(),
        "{}",
        chain(&error)
    );
    assert!(rows < 32768, "it was cut in the middle");
    database.drop().await;
}

async fn readers_of(database: &Database) -> Vec<u64> {
    let query = format!(
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT `id`%{}%'",
        database.name
    );
    database.connect().await.query(query).await.expect("the process list")
}

async fn kill_readers(database: &Database) {
    let readers = readers_of(database).await;
    assert_eq!(readers.len(), 1);
    database.connect().await.query_drop(format!("KILL {}", readers[0])).await.expect("a kill");
}

async fn a_reader_that_nobody_listens_to_hangs_up(server: Server) {
    let database = long_table(server).await;
    let mut snapshot = database.source().snapshot(1).await.unwrap();
    let (sender, mut batches) = mpsc::channel::<RowBatch>(1);
    let table = snapshot.catalog.tables[0].clone();
    let mut reader = snapshot.readers.remove(0);
    let reading = tokio::spawn(async move {
        let read = reader.read(&table, sender).await;
        (read, reader.read(&table, mpsc::channel(1).0).await)
    });
    batches.recv().await.expect("a first batch");
    drop(batches);
    let (read, again) = reading.await.unwrap();
    read.expect("stopping early is no error");
    assert!(matches!(again, Err(SourceError::Unexpected { .. })), "it can't be used again");
    for _ in 0..100 {
        if readers_of(&database).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(readers_of(&database).await, [0; 0], "the server need not send the rest");
    database.drop().await;
}

/// Definitions stand still from before the snapshot begins until it ends; rows may change, and so may counters.
async fn definitions_are_held_still(server: Server) {
    let changes = [
        "ALTER TABLE t ADD COLUMN y INT DEFAULT 7, ALGORITHM = INSTANT",
        "ALTER TABLE t RENAME COLUMN x TO y",
        "ALTER TABLE t ALTER COLUMN x SET DEFAULT 9",
        "ALTER TABLE t DROP COLUMN x",
        "ALTER TABLE t ADD INDEX (x)",
        "ALTER TABLE t COMMENT = 'other'",
        "ALTER TABLE t ENGINE = InnoDB",
        "TRUNCATE TABLE t",
        "DROP TABLE t",
        "RENAME TABLE t TO v",
        "RENAME TABLE t TO v, u TO t",
        "ALTER TABLE p EXCHANGE PARTITION low WITH TABLE u",
    ];
    let database = server.database("held").await;
    database
        .run(&[
            "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, x INT)",
            "INSERT INTO t (x) VALUES (1), (2), (3)",
            "CREATE TABLE u (id INT PRIMARY KEY)",
            "CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (9))",
        ])
        .await;
    let mut snapshot = database.source().snapshot(1).await.unwrap();
    let mut other = database.connect().await;
    other.query_drop("SET SESSION lock_wait_timeout = 1").await.unwrap();
    for change in changes {
        other.query_drop(change).await.expect_err(change);
    }
    database.run(&["INSERT INTO t VALUES (100, 1)"]).await;
    let t = table(&snapshot.catalog.tables, "t").clone();
    assert_eq!(read(&mut *snapshot.readers[0], &t).await.unwrap().len(), 3);
    let before = snapshot.catalog.clone();
    drop(snapshot);
    other.query_drop("SET SESSION lock_wait_timeout = 20").await.unwrap();
    other.query_drop("RENAME TABLE t TO v, u TO t").await.unwrap();
    let since = database.source().catalog_since(&before).await.unwrap();
    assert_eq!((&since.tables, &since.objects), (&before.tables, &before.objects));
    database.run(&["CREATE VIEW w AS SELECT 1"]).await;
    let since = database.source().catalog_since(&before).await.unwrap();
    assert_eq!((&since.tables, since.objects.len()), (&before.tables, 1), "a view is not held");
    database.drop().await;
}

/// A table that comes while the snapshot begins may be part of its moment: it is not overlooked.
async fn a_table_that_comes_meanwhile_is_not_overlooked(server: Server) {
    let database = server.database("comes").await;
    let names: Vec<_> = (0..200).map(|number| format!("t{number}")).collect();
    for name in &names {
        database.run(&[&format!("CREATE TABLE {name} (id INT PRIMARY KEY)")]).await;
    }
    let (source, mut maker) = (database.source(), database.connect().await);
    for round in 0..40_u64 {
        let begin = async {
            tokio::time::sleep(Duration::from_millis(round * 3 % 60)).await;
            maker.query_drop("CREATE TABLE new (id INT PRIMARY KEY)").await.unwrap();
            maker.query_drop("INSERT INTO new VALUES (1)").await.unwrap();
        };
        let (snapshot, ()) = tokio::join!(source.snapshot(1), begin);
        match snapshot {
            Ok(mut snapshot) => {
                let is_known = snapshot.catalog.tables.iter().any(|table| table.name == "new");
                let new = Table { name: "new".to_owned(), ..snapshot.catalog.tables[0].clone() };
                // A table that came after the moment is not there for a reader.
                let rows = read(&mut *snapshot.readers[0], &new).await.unwrap_or_default();
                assert!(
                    is_known || rows.is_empty(),
                    "its rows are seen, and it is not in the catalog"
                );
            }
            Err(error) => {
                assert!(
                    matches!(error, SourceError::DefinitionChanged { .. }),
                    "{}",
                    chain(&error)
                );
            }
        }
        maker.query_drop("DROP TABLE new").await.unwrap();
    }
    database.drop().await;
}

/// A change that waits for someone else has its turn first.
async fn a_change_that_waits_goes_first(server: Server) {
    let database = server.database("waits").await;
    database.run(&["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"]).await;
    let mut user = database.connect().await;
    user.query_drop("START TRANSACTION").await.unwrap();
    user.query_drop("SELECT * FROM t").await.unwrap();
    let mut changing = database.connect().await;
    let change = tokio::spawn(async move { changing.query_drop("TRUNCATE TABLE t").await });
    waiters(&mut user, &database, 1).await;
    let source = database.source();
    let beginning = tokio::spawn(async move { source.snapshot(1).await });
    waiters(&mut user, &database, 2).await;
    user.query_drop("COMMIT").await.unwrap();
    change.await.unwrap().unwrap();
    let mut snapshot = beginning.await.unwrap().unwrap_or_else(|error| panic!("{}", chain(&error)));
    let rows = read(&mut *snapshot.readers[0], &snapshot.catalog.tables[0]).await.unwrap();
    assert!(rows.is_empty(), "the table was emptied first");
    drop(snapshot);
    database.drop().await;
}

/// Waits until so many sessions wait for a table of this database.
async fn waiters(conn: &mut Conn, database: &Database, count: u64) {
    let query = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata%'
         AND (db = '{0}' OR info LIKE '%{0}%')",
        database.name
    );
    while conn.query_first(&query).await.unwrap() != Some(count) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

const ACCOUNTS: i64 = 50;
const TABLES: i64 = 4;

/// Tables of accounts, and money that moves between them all the time.
struct Bank {
    database: Database,
    open: Arc<AtomicBool>,
    writers: Vec<tokio::task::JoinHandle<u64>>,
}

impl Bank {
    async fn open(server: Server) -> Self {
        let database = server.database("bank").await;
        for table in 0..TABLES {
            let rows: Vec<_> = (0..ACCOUNTS).map(|id| format!("({id}, 1000)")).collect();
            database
                .run(&[
                    &format!(
                        "CREATE TABLE accounts{table} (id INT PRIMARY KEY, cents BIGINT NOT NULL)"
                    ),
                    &format!("INSERT INTO accounts{table} VALUES {}", rows.join(",")),
                ])
                .await;
        }
        let open = Arc::new(AtomicBool::new(true));
        let mut writers = Vec::new();
        for seed in 0..4_i64 {
            let (open, mut conn) = (Arc::clone(&open), database.connect().await);
            writers.push(tokio::spawn(async move {
                let (mut moved, mut state) = (0, seed * 7919 + 1);
                while open.load(Ordering::Relaxed) {
                    state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff;
                    let (from, to, id) =
                        (state % TABLES, (state / 7) % TABLES, (state / 31) % ACCOUNTS);
                    let transfer = [
                        "START TRANSACTION".to_owned(),
                        format!("UPDATE accounts{from} SET cents = cents - 5 WHERE id = {id}"),
                        format!("UPDATE accounts{to} SET cents = cents + 5 WHERE id = {id}"),
                        "COMMIT".to_owned(),
                    ];
                    let mut done = Ok(());
                    for statement in &transfer {
                        done = conn.query_drop(statement).await;
                        if done.is_err() {
                            conn.query_drop("ROLLBACK").await.expect("a rollback");
                            break;
                        }
                    }
                    moved += u64::from(done.is_ok());
                }
                moved
            }));
        }
        Self { database, open, writers }
    }

    async fn close(self) -> Database {
        self.open.store(false, Ordering::Relaxed);
        let mut moved = 0;
        for writer in self.writers {
            moved += writer.await.unwrap();
        }
        assert!(moved > 100, "money moved all the time");
        self.database
    }
}

/// Reads each table with another reader, and gives the sum of all money.
async fn total(database: &Database, readers: usize) -> (i64, usize, Consistency) {
    let snapshot = database.source().snapshot(readers).await.unwrap();
    let (tables, count, consistency) =
        (snapshot.catalog.tables, snapshot.readers.len(), snapshot.consistency);
    let mut connections = snapshot.readers;
    let mut sum = 0;
    for (place, table) in tables.iter().enumerate() {
        // Time for the moments to drift apart, if they could.
        tokio::time::sleep(Duration::from_millis(5)).await;
        for row in read(&mut *connections[place % count], table).await.unwrap() {
            let cents = values(&row, 2).swap_remove(1).unwrap();
            sum += String::from_utf8(cents).unwrap().parse::<i64>().unwrap();
        }
    }
    (sum, count, consistency)
}

async fn several_readers_see_one_moment(server: Server) {
    let bank = Bank::open(server).await;
    let mut together = 0;
    for round in 0..15 {
        let wanted = 1 + round % 4;
        let (sum, readers, consistency) = total(&bank.database, wanted).await;
        assert_eq!(sum, 1000 * ACCOUNTS * TABLES, "{consistency:?} with {readers} readers");
        // A lock that does not come in time, on a machine that is busy, is given up.
        let expected = match consistency {
            Consistency::SingleTransaction => readers == 1,
            Consistency::LockedStart => readers == wanted && wanted > 1,
            Consistency::SameTimestamp | Consistency::Unknown => false,
        };
        assert!(expected, "{consistency:?} for {readers} of {wanted} readers");
        together += usize::from(readers > 1);
    }
    assert!(together > 0, "each lock was given up");
    let database = bank.close().await;
    let snapshot = database.source().snapshot(8).await.unwrap();
    assert_eq!(snapshot.readers.len(), 4, "no more readers than tables");
    assert_eq!(snapshot.consistency, Consistency::LockedStart, "nobody writes now");
    let (binlog, gtid) =
        (snapshot.position.binlog.expect("a position"), snapshot.position.gtid.expect("a GTID"));
    assert!(binlog.starts_with("binlog.0") && binlog.contains(':'), "{binlog}");
    assert!(!gtid.is_empty() && !gtid.contains('\n'), "{gtid}");
    drop(snapshot.readers);
    database.drop().await;
}

/// An account that may read but not lock.
async fn reader_account(database: &Database) -> String {
    let user = format!("u{}", &database.name[database.name.len().saturating_sub(20)..]);
    let run = [
        format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'segredo'"),
        format!(
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON {}.* TO '{user}'@'%'",
            quoted(&database.name)
        ),
    ];
    for statement in run {
        database.run(&[&statement]).await;
    }
    user
}

async fn without_a_proof_there_is_one_reader(server: Server) {
    let database = server.database("unproved").await;
    database
        .run(&["CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)"])
        .await;
    let user = reader_account(&database).await;
    let source = gorgen_adapters::mysql::MySqlSource::new(database.url_as(&user, "segredo"));
    let snapshot = source.snapshot(2).await.unwrap();
    assert_eq!((snapshot.readers.len(), snapshot.consistency), (1, Consistency::SingleTransaction));
    drop(snapshot);
    database.run(&[&format!("DROP USER '{user}'@'%'")]).await;
    database.drop().await;
}

async fn a_held_up_lock_is_given_up(server: Server) {
    let database = server.database("heldup").await;
    database
        .run(&["CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)"])
        .await;
    let mut writer = database.connect().await;
    writer.query_drop("START TRANSACTION").await.unwrap();
    writer.query_drop("INSERT INTO b VALUES (1)").await.unwrap();
    let mut snapshot = database.source().snapshot(2).await.unwrap();
    assert_eq!(snapshot.readers.len(), 1);
    writer.query_drop("COMMIT").await.unwrap();
    let rows = read(&mut *snapshot.readers[0], table(&snapshot.catalog.tables, "b")).await.unwrap();
    assert!(rows.is_empty(), "committed after the snapshot");
    drop(snapshot);
    database.drop().await;
}

async fn rows_of_twenty_megabytes(server: Server) {
    let database = server.database("huge").await;
    database
        .run(&[
            "CREATE TABLE huge (t LONGTEXT NOT NULL, b LONGBLOB, id INT PRIMARY KEY)",
            "INSERT INTO huge VALUES (REPEAT('ção\\t\\n', 2500000), REPEAT(x'005c27ff', 500000), 1), ('', NULL, 2)",
        ])
        .await;
    let content = database.content().await;
    let row = values(&content["huge"][0], 3);
    assert_eq!(row[0].as_ref().unwrap().len(), 17_500_000);
    assert_eq!(content["huge"].len(), 2);
    crate::types::assert_round_trip(&database).await;
    database.drop().await;
}
