//! A backup shows one moment, whatever happens meanwhile: writers, and changes of definitions.

#![allow(clippy::print_stderr, reason = "the test says how often which outcome was met")]

use std::{
    fmt::Write as _,
    io::Write as _,
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use crate::support::{
    Dice, Outcome, Server, Workspace, duration,
    middle::numbers,
    server::{Database, ident},
};

on_each_server!(
    money_stays_whole_with_one_reader,
    money_stays_whole_with_four_readers,
    four_readers_without_privileges,
    four_readers_under_a_lock,
    definitions_that_change,
    tables_that_change_places,
    tables_that_change_places_all_the_time,
    tables_not_yet_read_that_change_places,
    partitions_that_change_places,
);

const BANKS: u64 = 4;
const ACCOUNTS: u64 = 1500;
const START: u64 = 1000;

/// Four tables of accounts between which money moves, and a book of every move: the sum never changes, and the book
/// explains every balance. Rows of different tables that are not of one moment break both.
struct Banks<'a> {
    server: &'a Server,
    source: Database<'a>,
    writers: Vec<Writer>,
}

impl<'a> Banks<'a> {
    fn open(server: &'a Server) -> Self {
        let source = server.database("e2e banks");
        let mut script = "CREATE TABLE book (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, from_bank INT NOT NULL, \
            from_account INT NOT NULL, to_bank INT NOT NULL, to_account INT NOT NULL, amount INT NOT NULL) ENGINE=InnoDB;"
            .to_owned();
        for bank in 0..BANKS {
            let _ = write!(
                script,
                "CREATE TABLE bank_{bank} (id INT NOT NULL PRIMARY KEY, balance INT NOT NULL, filler VARCHAR(700)) ENGINE=InnoDB;
                 INSERT INTO bank_{bank} WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
                   SELECT i, {START}, REPEAT('x', 600) FROM n;
                 INSERT INTO bank_{bank} SELECT id + 1000, balance, filler FROM bank_{bank} WHERE id < {};",
                ACCOUNTS - 1000
            );
        }
        server.sql(&source.name, script);
        let writers = (1..=4).map(|seed| {
            let mut dice = Dice::new(seed);
            Writer::start(server, &source.name, move || transfer(&mut dice))
        });
        let writers = writers.collect();
        Self { server, source, writers }
    }

    fn moves(&self, database: &str) -> u64 {
        self.server.value(database, "SELECT COUNT(*) FROM book").parse().expect("a number")
    }

    /// What the four tables and the book of a database say.
    fn check(&self, database: &str) {
        let union =
            (0..BANKS).map(|bank| format!("SELECT {bank} AS bank, id, balance FROM bank_{bank}"));
        let accounts = union.collect::<Vec<_>>().join(" UNION ALL ");
        let sum = self
            .server
            .value(database, &format!("SELECT COUNT(*), SUM(balance) FROM ({accounts}) a"));
        assert_eq!(
            sum,
            format!("{}\t{}", BANKS * ACCOUNTS, BANKS * ACCOUNTS * START),
            "the sum of all money"
        );
        let unexplained = format!(
            "SELECT COUNT(*) FROM ({accounts}) a LEFT JOIN (
               SELECT bank, account, SUM(amount) AS gain FROM (
                 SELECT from_bank AS bank, from_account AS account, -amount AS amount FROM book
                 UNION ALL SELECT to_bank, to_account, amount FROM book) m GROUP BY bank, account
             ) b ON b.bank = a.bank AND b.account = a.id WHERE a.balance <> {START} + COALESCE(b.gain, 0)"
        );
        assert_eq!(
            self.server.value(database, &unexplained),
            "0",
            "balances that the book does not explain"
        );
    }
}

impl Drop for Banks<'_> {
    fn drop(&mut self) {
        self.writers.drain(..).for_each(Writer::stop);
    }
}

/// One connection that runs one script after the other.
struct Writer {
    stop: Arc<AtomicBool>,
    feeding: JoinHandle<Child>,
}

impl Writer {
    fn start(
        server: &Server,
        database: &str,
        mut script: impl FnMut() -> String + Send + 'static,
    ) -> Self {
        let mut client = server.client(Some(database));
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let feeding = std::thread::spawn(move || {
            let mut stdin = client.stdin.take().expect("it is piped");
            while !asked.load(Relaxed) && stdin.write_all(script().as_bytes()).is_ok() {}
            client
        });
        Self { stop, feeding }
    }

    /// Ends it in the middle of whatever it does.
    fn stop(self) {
        self.stop.store(true, Relaxed);
        let mut client = self.feeding.join().expect("no panic");
        let _ = client.kill();
        let _ = client.wait();
    }
}

/// Accounts are touched in one order, so that writers wait for each other but never in a circle.
fn transfer(dice: &mut Dice) -> String {
    let mut account = || (dice.below(BANKS), dice.below(ACCOUNTS));
    let (from, to) = (account(), account());
    let amount = dice.below(50);
    let change = |(bank, id): (u64, u64), sign: char| {
        format!("UPDATE bank_{bank} SET balance = balance {sign} {amount} WHERE id = {id};")
    };
    let (first, second) = if from <= to {
        (change(from, '-'), change(to, '+'))
    } else {
        (change(to, '+'), change(from, '-'))
    };
    format!(
        "START TRANSACTION; {first} {second} INSERT INTO book (from_bank, from_account, to_bank, to_account, amount) \
         VALUES ({}, {}, {}, {}, {amount}); COMMIT;\n",
        from.0, from.1, to.0, to.1
    )
}

fn money_stays_whole_with_one_reader(server: &Server) {
    let reports = move_money(server, "1", &["root", ""], 6);
    assert!(reports.iter().all(|consistency| consistency == "single-transaction"), "{reports:?}");
}

fn money_stays_whole_with_four_readers(server: &Server) {
    let reports = move_money(server, "4", &["root", ""], 6);
    assert!(reports.iter().any(|consistency| consistency == "locked-start"), "{reports:?}");
}

/// Without the right to lock tables, or to look at the binary log, several readers prove nothing: there is one.
fn four_readers_without_privileges(server: &Server) {
    let routines = if server.is_mariadb() { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    server.account(
        "e2e_reader",
        "s3gredo",
        &["SELECT, SHOW VIEW, TRIGGER, EVENT ON `e2e banks%`.*", routines],
    );
    let reports = move_money(server, "4", &["e2e_reader", "s3gredo"], 2);
    assert!(reports.iter().all(|consistency| consistency == "single-transaction"), "{reports:?}");
}

/// With the right to lock tables they begin while no one can write.
fn four_readers_under_a_lock(server: &Server) {
    let routines = if server.is_mariadb() { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    server.account(
        "e2e_locker",
        "s3gredo",
        &["SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `e2e banks%`.*", routines],
    );
    let reports = move_money(server, "4", &["e2e_locker", "s3gredo"], 3);
    assert!(reports.iter().any(|consistency| consistency == "locked-start"), "{reports:?}");
}

/// Backs up and restores while money moves; gives how each backup says that it shows one moment.
fn move_money(server: &Server, readers: &str, account: &[&str; 2], rounds: u32) -> Vec<String> {
    let (banks, workspace) = (Banks::open(server), Workspace::new());
    let [user, password] = account;
    let root = workspace.tool(server, &banks.source).with("GORGEN_READERS", readers);
    let tool =
        root.clone().with("GORGEN_DATABASE_URL", server.url_as(user, password, &banks.source.name));
    let (mut moved, mut proofs) = (0, Vec::new());
    for _ in 0..rounds {
        let before = banks.moves(&banks.source.name);
        let report = tool.json(&["backup"]);
        let after = banks.moves(&banks.source.name);
        let target = server.absent("e2e banks restored");
        root.restore(report["backup"].as_str().expect("an id"), &target);
        banks.check(&target.name);
        let shown = banks.moves(&target.name);
        assert!(
            (before..=after).contains(&shown),
            "{before} moves before, {after} after, {shown} in the backup"
        );
        moved += after - before;
        proofs.push(report["consistency"].as_str().expect("a word").to_owned());
        assert_eq!(report["warnings"], serde_json::json!([]));
    }
    assert!(
        moved > 20 * u64::from(rounds),
        "the writers stood still: {moved} moves in {rounds} backups"
    );
    proofs
}

/// A change of definitions, and every state of table `watched` that is one.
struct Change {
    name: &'static str,
    /// What happens while a backup runs.
    sql: &'static str,
    /// Puts things back.
    undo: &'static str,
    /// What may be found, as [`LOOK`] shows it.
    states: &'static [&'static str],
}

/// Everything about the tables that the changes touch: names with columns, and for each table rows and sums.
const ROWS: u32 = 12_000;

const CHANGES: [Change; 8] = [
    Change {
        name: "a column that is added at once, and then written",
        sql: "ALTER TABLE watched ADD COLUMN extra INT NOT NULL DEFAULT 5, ALGORITHM=INSTANT; UPDATE watched SET extra = id",
        undo: "ALTER TABLE watched DROP COLUMN extra",
        states: &[
            "watched(id,v):same",
            "watched(id,v,extra):same,five",
            "watched(id,v,extra):same,ids",
        ],
    },
    Change {
        name: "a column that is renamed",
        sql: "ALTER TABLE watched RENAME COLUMN v TO w",
        undo: "ALTER TABLE watched RENAME COLUMN w TO v",
        states: &["watched(id,v):same", "watched(id,w):same"],
    },
    Change {
        name: "a column of another type",
        sql: "ALTER TABLE watched MODIFY v BIGINT",
        undo: "ALTER TABLE watched MODIFY v INT",
        states: &["watched(id,v):same"],
    },
    Change {
        name: "a table that is renamed",
        sql: "RENAME TABLE watched TO renamed",
        undo: "RENAME TABLE renamed TO watched",
        states: &["watched(id,v):same", "renamed(id,v):same"],
    },
    Change {
        name: "a table that is dropped",
        sql: "RENAME TABLE watched TO kept.watched",
        undo: "RENAME TABLE kept.watched TO watched",
        states: &["watched(id,v):same", ""],
    },
    Change {
        name: "a table that is emptied",
        sql: "TRUNCATE TABLE watched",
        undo: "INSERT INTO watched SELECT * FROM kept.copy",
        states: &["watched(id,v):same", "watched(id,v):empty"],
    },
    Change {
        name: "a table that is dropped and made anew",
        sql: "DROP TABLE watched; CREATE TABLE watched (id INT NOT NULL PRIMARY KEY, v INT); INSERT INTO watched SELECT id, -v FROM kept.copy",
        undo: "DELETE FROM watched; INSERT INTO watched SELECT * FROM kept.copy",
        states: &["watched(id,v):same", "", "watched(id,v):empty", "watched(id,v):negative"],
    },
    Change {
        name: "a table that comes",
        sql: "CREATE TABLE renamed AS SELECT * FROM kept.copy",
        undo: "DROP TABLE renamed",
        states: &[
            "watched(id,v):same",
            "renamed(id,v):empty watched(id,v):same",
            "renamed(id,v):same watched(id,v):same",
        ],
    },
];

/// Each change, at moments that are spread over a backup: what is restored is one of the states, or the backup says
/// clearly that it could not be made, and leaves nothing behind.
fn definitions_that_change(server: &Server) {
    let (workspace, source, kept) =
        (Workspace::new(), server.database("e2e changes"), server.database("e2e kept"));
    let make = format!(
        "CREATE TABLE watched (id INT NOT NULL PRIMARY KEY, v INT) ENGINE=InnoDB; CREATE TABLE aside (id INT NOT NULL PRIMARY KEY, filler VARCHAR(500)) ENGINE=InnoDB;
         INSERT INTO watched SELECT i, i * 7 FROM ({0}) n; INSERT INTO aside SELECT i, REPEAT('x', 400) FROM ({0}) n;
         CREATE TABLE {1}.copy (id INT NOT NULL PRIMARY KEY, v INT) AS SELECT * FROM watched;",
        numbers(ROWS),
        ident(&kept.name)
    );
    server.sql(&source.name, make);
    let tool = workspace.tool(server, &source);
    tool.ok(&["backup"]);
    let usual = duration(|| drop(tool.ok(&["backup"])));
    let (mut dice, mut restarted, mut refused) = (Dice::new(7), 0, 0);
    for (place, change) in CHANGES.iter().enumerate() {
        for round in 0..4_u32 {
            let tool =
                tool.clone().with("GORGEN_READERS", ["1", "4"][(place + round as usize) % 2]);
            let before = workspace.backups();
            let running = tool.start(&["backup", "--json"]);
            std::thread::sleep(
                usual * round / 4 + usual * u32::try_from(dice.below(100)).unwrap_or(0) / 400,
            );
            server.sql(&source.name, named(change.sql, &kept));
            let outcome = running.outcome();
            if outcome.code() == 0 {
                let report = outcome.document();
                restarted += u32::from(report["attempts"] != 1);
                let target = server.absent("e2e changed");
                tool.restore(report["backup"].as_str().expect("an id"), &target);
                let state = state(server, &target.name);
                assert!(change.states.contains(&state.as_str()), "{}: mixed: {state}", change.name);
            } else {
                refused += 1;
                refuses_clearly(outcome, change.name);
                assert_eq!(
                    workspace.backups(),
                    before,
                    "{}: a failed backup does not exist",
                    change.name
                );
            }
            server.sql(&source.name, named(change.undo, &kept));
        }
    }
    eprintln!("of {} backups {restarted} began anew, {refused} were given up", CHANGES.len() * 4);
    workspace.keeper().verify_clean();
}

fn refuses_clearly(outcome: Outcome, change: &str) {
    let outcome = outcome.failed(1);
    assert!(
        outcome.stderr.contains("changed while the backup ran"),
        "{change}: {}",
        outcome.stderr
    );
}

fn named(sql: &str, kept: &Database<'_>) -> String {
    sql.replace("kept.", &format!("{}.", ident(&kept.name)))
}

/// The tables but `aside`, with their columns, and what their rows look like.
fn state(server: &Server, database: &str) -> String {
    let columns = "SELECT TABLE_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'aside' GROUP BY TABLE_NAME ORDER BY TABLE_NAME";
    let tables = server.sql(database, columns);
    let shown = tables.lines().map(|line| {
        let (table, columns) = line.split_once('\t').expect("two columns");
        format!("{table}({columns}):{}", rows(server, database, table, columns))
    });
    let aside = server.value(database, "SELECT COUNT(*), SUM(LENGTH(filler)) FROM aside");
    assert_eq!(aside, format!("{ROWS}\t{}", ROWS * 400), "the table that nobody touched");
    shown.collect::<Vec<_>>().join(" ")
}

fn rows(server: &Server, database: &str, table: &str, columns: &str) -> String {
    let value = columns.split(',').nth(1).expect("a second column");
    let count = |what: &str| -> u32 {
        let query = format!("SELECT COUNT(*) FROM {table} WHERE {what}");
        server.value(database, &query).parse().expect("a number")
    };
    let all = ROWS;
    let mut shown = match (
        count("TRUE"),
        count(&format!("{value} = id * 7")),
        count(&format!("{value} = -id * 7")),
    ) {
        (0, _, _) => "empty".to_owned(),
        (rows, same, _) if rows == all && same == all => "same".to_owned(),
        (rows, _, negative) if rows == all && negative == all => "negative".to_owned(),
        (rows, same, negative) => format!("{rows} rows, {same} same, {negative} negative"),
    };
    if columns.ends_with(",extra") {
        shown += match (count("extra = 5"), count("extra = id")) {
            (five, _) if five == all => ",five",
            (_, ids) if ids == all => ",ids",
            _ => ",mixed",
        };
    }
    shown
}

/// Rows of a table whose reading can be caught in the middle: what they hold does not compress, and makes some packs.
const CAUGHT_ROWS: u32 = 80_000;

fn caught_rows(columns: &str) -> String {
    format!("SELECT i, {columns}RANDOM_BYTES(500) FROM ({}) n", numbers(CAUGHT_ROWS))
}

/// Two tables are replaced by two others in one step, as a restore is promoted: all definitions stay the same, and
/// yet a backup that has read one of them must not take the other's successor.
fn tables_that_change_places(server: &Server) {
    let two_tables = |name: &str, version: u32| {
        format!(
            "CREATE TABLE {name}_large (id INT NOT NULL PRIMARY KEY, version INT, filler BLOB) ENGINE=InnoDB;
             CREATE TABLE {name}_small (id INT NOT NULL PRIMARY KEY, version INT) ENGINE=InnoDB;
             INSERT INTO {name}_large {};
             INSERT INTO {name}_small SELECT i, {version} FROM ({}) n; DO SLEEP(1.1);",
            caught_rows(&format!("{version}, ")),
            numbers(10)
        )
    };
    let swap = "RENAME TABLE live_large TO beside.old_large, beside.next_large TO live_large,
        live_small TO beside.old_small, beside.next_small TO live_small";
    in_the_middle(server, [&two_tables("live", 1), &two_tables("next", 2)], swap, &|database| {
        let versions = |table: &str| {
            let query = format!("SELECT MIN(version), MAX(version), COUNT(*) FROM {table}");
            server.value(database, &query)
        };
        let found = [versions("live_large"), versions("live_small")];
        let one_of = ["1\t1", "2\t2"]
            .map(|version| [format!("{version}\t{CAUGHT_ROWS}"), format!("{version}\t10")]);
        assert!(one_of.contains(&found), "tables of two versions: {found:?}");
    });
}

/// The same from before a backup begins until it ends, over and over: it may find no moment to begin, and then says so.
fn tables_that_change_places_all_the_time(server: &Server) {
    let (workspace, source, beside) =
        (Workspace::new(), server.database("e2e restless"), server.database("e2e beside"));
    for (database, version) in [(&source, 1), (&beside, 2)] {
        let table = |name: &str| {
            format!(
                "CREATE TABLE {name} (version INT NOT NULL PRIMARY KEY) ENGINE=InnoDB; INSERT INTO {name} VALUES ({version});"
            )
        };
        server.sql(&database.name, ["first", "second", "third"].map(table).concat());
    }
    let beside_name = ident(&beside.name);
    let swap = ["first", "second", "third"].map(|table| {
        format!(
            "{table} TO {beside_name}.old_{table}, {beside_name}.{table} TO {table}, {beside_name}.old_{table} TO {beside_name}.{table}"
        )
    });
    // With pauses in which a backup may begin.
    let script = format!("RENAME TABLE {}; DO SLEEP(0.05);\n", swap.join(", "));
    let writer = Writer::start(server, &source.name, move || script.clone());
    let (mut shown, mut refused) = (Vec::new(), 0);
    for readers in ["1", "2", "3"].repeat(3) {
        let tool = workspace.tool(server, &source).with("GORGEN_READERS", readers);
        let outcome = tool.run(&["backup", "--json"]);
        if outcome.code() != 0 {
            refuses_clearly(outcome, "tables that change places");
            refused += 1;
            continue;
        }
        let target = server.absent("e2e restless restored");
        tool.restore(outcome.document()["backup"].as_str().expect("an id"), &target);
        let versions = "SELECT GROUP_CONCAT(version) FROM (SELECT version FROM first UNION ALL SELECT version FROM second UNION ALL SELECT version FROM third) t";
        shown.push(server.value(&target.name, versions));
    }
    writer.stop();
    eprintln!("{refused} were given up; found {shown:?}");
    assert!(!shown.is_empty(), "no backup at all");
    assert!(shown.iter().all(|found| found == "1,1,1" || found == "2,2,2"), "mixed: {shown:?}");
}

/// Two tables that the backup has not come to yet are replaced, after what stands in another says so: rows are of the moment of
/// the snapshot, and so must the tables be. Nobody reads them at that time, so only a held definition stops the change.
fn tables_not_yet_read_that_change_places(server: &Server) {
    let two_tables = |version: u32| {
        let table = |name: &str| {
            format!(
                "CREATE TABLE {name} (id INT NOT NULL PRIMARY KEY, version INT) ENGINE=InnoDB;
                 INSERT INTO {name} SELECT i, {version} FROM ({}) n;",
                numbers(10)
            )
        };
        ["first", "second"].map(table).concat()
    };
    let large = format!(
        "CREATE TABLE large (id INT NOT NULL PRIMARY KEY, version INT, filler BLOB) ENGINE=InnoDB;
         INSERT INTO large {};",
        caught_rows("1, ")
    );
    let live = format!("{large} {} DO SLEEP(1.1);", two_tables(1));
    let next = format!("{} DO SLEEP(1.1);", two_tables(2));
    let swap = "UPDATE large SET version = 2;
        RENAME TABLE first TO beside.old_first, beside.first TO first,
        second TO beside.old_second, beside.second TO second";
    in_the_middle(server, [&live, &next], swap, &|database| {
        let versions = |table: &str| {
            let query = format!("SELECT CONCAT(MIN(version), MAX(version)) FROM {table}");
            server.value(database, &query)
        };
        let found = ["large", "first", "second"].map(versions);
        assert!(
            [["11"; 3], ["22", "11", "11"], ["22"; 3]].iter().any(|one| found == *one),
            "tables from after rows: {found:?}"
        );
    });
}

/// A partition and a table change places: no definition changes, and no row may be there twice, or not at all.
fn partitions_that_change_places(server: &Server) {
    let make = format!(
        "CREATE TABLE months (id INT NOT NULL PRIMARY KEY, filler BLOB) ENGINE=InnoDB
           PARTITION BY RANGE (id) (PARTITION past VALUES LESS THAN (1000), PARTITION present VALUES LESS THAN MAXVALUE);
         CREATE TABLE archive (id INT NOT NULL PRIMARY KEY, filler BLOB) ENGINE=InnoDB;
         INSERT INTO months {};",
        caught_rows("")
    );
    let exchange = "ALTER TABLE months EXCHANGE PARTITION past WITH TABLE archive";
    in_the_middle(server, [&make, ""], exchange, &|database| {
        let count = |table: &str| server.value(database, &format!("SELECT COUNT(*) FROM {table}"));
        let found = [count("months"), count("archive")];
        let one_of =
            [0, 1000].map(|moved| [CAUGHT_ROWS - moved, moved].map(|rows| rows.to_string()));
        assert!(one_of.contains(&found), "rows that are there twice, or not at all: {found:?}");
    });
}

/// Runs a change while the first, largest table is being read, so that it takes place as soon as that table is done.
/// What is made first is made in the source, the other in a database beside it.
fn in_the_middle(server: &Server, make: [&str; 2], change: &str, check: &dyn Fn(&str)) {
    for readers in ["1", "2"] {
        let (workspace, source, beside) =
            (Workspace::new(), server.database("e2e places"), server.database("e2e beside"));
        server.sql(&source.name, make[0]);
        server.sql(&beside.name, make[1]);
        // Statistics decide which table is the largest.
        server.sql(&source.name, "SELECT CONCAT('ANALYZE TABLE ', GROUP_CONCAT(TABLE_NAME)) INTO @a FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE(); PREPARE a FROM @a; EXECUTE a");
        let tool = workspace.tool(server, &source).with("GORGEN_READERS", readers);
        let mut running = tool.start(&["backup", "--json"]);
        crate::support::wait_until("a part of the large table is stored", || {
            assert!(running.is_running(), "the table is too small to be caught in the middle");
            !workspace.objects("packs/").is_empty()
        });
        running.signal("STOP");
        let change = change.replace("beside.", &format!("{}.", ident(&beside.name)));
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| server.sql(&source.name, &change));
            // A change that need not wait is made before the backup goes on.
            crate::support::wait_until("the change waits for the table, or is made", || {
                changing.is_finished() || is_waiting(server, &source)
            });
            running.signal("CONT");
            let outcome = running.outcome();
            changing.join().expect("the change is made");
            if outcome.code() == 0 {
                let target = server.absent("e2e places restored");
                tool.restore(outcome.document()["backup"].as_str().expect("an id"), &target);
                check(&target.name);
            } else {
                refuses_clearly(outcome, &change);
            }
        });
    }
}

fn is_waiting(server: &Server, source: &Database<'_>) -> bool {
    let waiting = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '{}' AND STATE LIKE 'Waiting for table metadata lock%'",
        source.name
    );
    server.value("", &waiting) != "0"
}
