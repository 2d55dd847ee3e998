//! The servers, and databases on them that a test has to itself.

use std::{
    collections::BTreeMap,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use gorgen_adapters::{
    mysql::{LoadBy, MySqlSource, MySqlTarget},
    settings::{Address, DatabaseUrl, Secret},
};
use gorgen_engine::{
    model::{Catalog, CharsetContext, Table},
    ports::{Reader, Source, SourceError, Target, TargetState},
    stages::rows::{RowBatch, take_row, take_value},
};
use mysql_async::{Conn, OptsBuilder, prelude::Queryable};
use tokio::sync::mpsc;

const HOW: &str = "run under `python3 local/lab.py run --mariadb --mysql -- ...`";

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    MariaDb,
    MySql,
}

/// Runs a test on both servers.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                super::$name($crate::lab::Server::MariaDb).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                if $crate::lab::Server::MySql.is_there() {
                    super::$name($crate::lab::Server::MySql).await;
                }
            }
        }
    )+};
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' edge: where the laboratory's servers are"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Server {
    /// Only a MySQL that can't be had may be missed.
    pub(crate) fn is_there(self) -> bool {
        let skip = environment("TEST_MYSQL_SKIP").filter(|_| self == Self::MySql);
        if let Some(why) = &skip {
            #[expect(clippy::print_stderr, reason = "nobody must miss it")]
            {
                eprintln!("SKIPPED: not tested on MySQL: {why}");
            }
        }
        skip.is_none()
    }

    fn url(self, database: &str) -> DatabaseUrl {
        let name = match self {
            Self::MariaDb => "TEST_MARIADB_URL",
            Self::MySql => "TEST_MYSQL_URL",
        };
        let base = environment(name).unwrap_or_else(|| panic!("{name} is not set: {HOW}"));
        let url: DatabaseUrl = format!("{base}some").parse().expect("the laboratory's URL");
        url.with_database(database)
    }

    /// A database with this beginning of a name, empty, for one test.
    pub(crate) async fn database(self, hint: &str) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{hint}_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let database = Database { server: self, name };
        let create = format!(
            "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            database.quoted()
        );
        connect(&self.url("mysql")).await.query_drop(create).await.expect("a new database");
        database
    }
}

/// A database of one test's own.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) server: Server,
    pub(crate) name: String,
}

impl Database {
    pub(crate) fn url(&self) -> DatabaseUrl {
        self.server.url(&self.name)
    }

    /// The same database for another account.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> DatabaseUrl {
        DatabaseUrl { user: user.to_owned(), password: Secret::new(password).into(), ..self.url() }
    }

    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    pub(crate) async fn connect(&self) -> Conn {
        let mut conn = connect(&self.url()).await;
        conn.query_drop(format!("USE {}", self.quoted())).await.expect("the test's database");
        conn
    }

    /// Runs statements, with everything allowed that ever was.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let mut conn = self.connect().await;
        conn.query_drop("SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'")
            .await
            .expect("a relaxed session");
        for statement in statements {
            let done = conn.query_drop(*statement).await;
            done.unwrap_or_else(|error| panic!("{statement:.200}: {error}"));
        }
    }

    /// One value, as text.
    pub(crate) async fn value(&self, query: &str) -> String {
        let value: Option<Option<String>> =
            self.connect().await.query_first(query).await.expect(query);
        value.flatten().unwrap_or_else(|| "NULL".to_owned())
    }

    pub(crate) fn source(&self) -> MySqlSource {
        MySqlSource::new(self.url())
    }

    pub(crate) fn target(&self, load_by: LoadBy) -> MySqlTarget {
        MySqlTarget::new(self.url(), load_by)
    }

    pub(crate) async fn catalog(&self) -> Catalog {
        self.source().catalog().await.expect("a catalog")
    }

    /// All rows of all tables, in the order in which they are read.
    pub(crate) async fn content(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let mut snapshot = self.source().snapshot(1).await.expect("a snapshot");
        let mut content = BTreeMap::new();
        for table in &snapshot.catalog.tables {
            let rows = read(&mut *snapshot.readers[0], table).await.expect("a readable table");
            content.insert(table.name.clone(), rows);
        }
        content
    }

    /// Makes the tables of a catalog here, and loads the content.
    pub(crate) async fn fill(
        &self,
        catalog: &Catalog,
        content: &BTreeMap<String, Vec<Vec<u8>>>,
        load_by: LoadBy,
    ) -> MySqlTarget {
        let target = self.target(load_by);
        for table in &catalog.tables {
            let action = format!("create table {}", table.name);
            target.execute(&action, &table.ddl, &CharsetContext::default()).await.expect("a table");
        }
        let mut loader = target.loader().await.expect("a loader");
        for table in &catalog.tables {
            let rows = &content[&table.name];
            let result = loader.load(table, &rows.concat(), rows.len() as u64).await;
            result.unwrap_or_else(|error| panic!("table {}: {}", table.name, chain(&error)));
        }
        target
    }

    pub(crate) async fn drop(self) {
        let target = self.target(LoadBy::default());
        target.drop_database().await.expect("a dropped database");
        assert_eq!(target.state().await.expect("a state"), TargetState::Absent);
    }
}

pub(crate) async fn connect(url: &DatabaseUrl) -> Conn {
    let Address::Tcp { host, port } = &url.address else {
        panic!("the laboratory listens on a port")
    };
    let password = url.password.now().await.expect("a password");
    let password = password.expose();
    let options = OptsBuilder::default()
        .user(Some(&url.user))
        .pass((!password.is_empty()).then_some(password))
        .ip_or_hostname(host)
        .tcp_port(*port)
        .prefer_socket(false)
        .max_allowed_packet(Some(1 << 30))
        .wait_timeout(Some(0));
    Conn::new(options).await.expect("a connection to the laboratory")
}

pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Reads a table to its end.
pub(crate) async fn read(
    reader: &mut dyn Reader,
    table: &Table,
) -> Result<Vec<Vec<u8>>, SourceError> {
    let (sender, mut batches) = mpsc::channel::<RowBatch>(4);
    let collect = async {
        let mut rows = Vec::new();
        while let Some(batch) = batches.recv().await {
            rows.extend(batch.rows().map(<[u8]>::to_vec));
        }
        rows
    };
    let (read, rows) = tokio::join!(reader.read(table, sender), collect);
    read.map(|()| rows)
}

/// The values of a row.
pub(crate) fn values(row: &[u8], columns: usize) -> Vec<Option<Vec<u8>>> {
    let mut rest = row;
    assert_eq!(take_row(&mut rest, columns).expect("a whole row").len(), row.len());
    assert!(rest.is_empty(), "a row has no more than its values");
    let mut rest = row;
    (0..columns).map(|_| take_value(&mut rest).expect("a value").map(<[u8]>::to_vec)).collect()
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
