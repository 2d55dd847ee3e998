//! Sessions: an address becomes a connection whose settings are all known.
//!
//! A server's configuration must not change what is read: a global `sql_select_limit`, `sql_mode` or time
//! zone would. Whatever matters is set for the session.

use std::{fs, time::Duration};

use gorgen_engine::{
    model::{Flavor, ServerInfo, SourceIdentity},
    ports::SourceError,
    stages::rows::take_value,
};
use tokio::time::timeout;

use super::{
    error::MySqlError,
    wire::{self, Connection},
};
use crate::settings::{Authority, DatabaseUrl, Secret, Tls};

/// How long a connection may take to be made, TLS and login included.
const CONNECT: Duration = Duration::from_secs(20);

/// How long a session waits for a lock on a table, in seconds, where nothing else is said.
pub(super) const LOCK_WAIT: u32 = 300;

/// What every session needs. A stalled upload must not make the server hang up.
const SETTINGS: &[&str] = &[
    "SET NAMES utf8mb4",
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = 1, \
     sql_select_limit = 18446744073709551615, sql_big_selects = 1, autocommit = 1, \
     net_read_timeout = 600, net_write_timeout = 600, wait_timeout = 86400",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
];

/// What a session gets where the server has it and lets us.
fn wishes(flavor: Flavor) -> &'static [&'static str] {
    match flavor {
        Flavor::MySql => &[
            "SET SESSION max_execution_time = 0",
            "SET SESSION show_gipk_in_create_table_and_information_schema = 1",
        ],
        Flavor::MariaDb => &[
            "SET SESSION max_statement_time = 0",
            "SET SESSION idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, \
             idle_write_transaction_timeout = 0",
        ],
        Flavor::TiDb => &["SET SESSION max_execution_time = 0"],
    }
}

/// One connection to the server of a database.
pub(super) struct Session {
    pub(super) conn: Connection,
    pub(super) server: ServerInfo,
    identity: SourceIdentity,
    user: String,
}

impl Session {
    /// Connects; the database need not exist.
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, SourceError> {
        let identity = url.identity();
        let failed = |error: MySqlError| error.login(&identity, &url.user);
        check_authority(&url.tls).map_err(failed)?;
        let password = password(url).await?;
        let conn = timeout(CONNECT, wire::open(url, password.expose())).await;
        let conn = conn.map_err(|_| MySqlError::Timeout { seconds: CONNECT.as_secs() });
        let conn = conn.and_then(|conn| Ok(conn?)).map_err(failed)?;
        let server = ServerInfo { flavor: Flavor::MySql, version: String::new() };
        let mut session = Self { conn, server, identity, user: url.user.clone() };
        session.set_up().await?;
        Ok(session)
    }

    async fn set_up(&mut self) -> Result<(), SourceError> {
        let says =
            self.answers("ask for its version", "SELECT VERSION(), @@version_comment").await?;
        let (version, comment) =
            says.first().map(|row| (row.text(0), row.text(1))).unwrap_or_default();
        self.server = ServerInfo { flavor: flavor(&version, &comment), version };
        for setting in SETTINGS {
            self.run("prepare the session", setting).await?;
        }
        self.wait_for_locks(LOCK_WAIT).await?;
        for wish in wishes(self.server.flavor) {
            self.try_run(wish).await?;
        }
        Ok(())
    }

    /// Limits the wait for a lock on a table, or on its definition.
    pub(super) async fn wait_for_locks(&mut self, seconds: u32) -> Result<(), SourceError> {
        let setting = format!("SET SESSION lock_wait_timeout = {seconds}");
        self.run("limit the wait for locks", &setting).await
    }

    /// Says goodbye; if that fails the server will notice by itself.
    pub(super) async fn close(self) {
        self.conn.quit().await;
    }

    /// Which database this session is for.
    pub(super) fn identity(&self) -> &SourceIdentity {
        &self.identity
    }

    /// The name of the account that is logged in.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// The dialect of the server.
    pub(super) fn flavor(&self) -> Flavor {
        self.server.flavor
    }

    /// Runs a statement that gives no rows.
    pub(super) async fn run(&mut self, action: &str, statement: &str) -> Result<(), SourceError> {
        let done = self.conn.run(statement).await;
        done.map_err(|error| MySqlError::from(error).refused(&self.identity, action))
    }

    /// Runs a statement that the server may refuse; tells whether it did not.
    pub(super) async fn try_run(&mut self, statement: &str) -> Result<bool, SourceError> {
        match self.conn.run(statement).await {
            Ok(()) => Ok(true),
            Err(wire::Error::Server { .. }) => Ok(false),
            Err(error) => Err(MySqlError::from(error).refused(&self.identity, "run a statement")),
        }
    }

    /// Asks for a few rows of text.
    pub(super) async fn answers(
        &mut self,
        action: &str,
        query: &str,
    ) -> Result<Vec<Answer>, SourceError> {
        self.ask(query).await.map_err(|error| error.refused(&self.identity, action))
    }

    /// Asks about an object, `what`, that may have changed or gone since it was seen.
    pub(super) async fn answers_about(
        &mut self,
        what: &str,
        query: &str,
    ) -> Result<Vec<Answer>, SourceError> {
        let answers = self.ask(query).await;
        answers.map_err(|error| error.source(&self.identity, &format!("describe {what}"), what))
    }

    /// Asks for what the server may refuse: then there is no answer.
    pub(super) async fn answers_if_allowed(
        &mut self,
        query: &str,
    ) -> Result<Vec<Answer>, SourceError> {
        match self.ask(query).await {
            Err(MySqlError::Server { .. }) => Ok(Vec::new()),
            other => other.map_err(|error| error.refused(&self.identity, "ask for its state")),
        }
    }

    /// The same, with what went wrong as the server said it.
    pub(super) async fn ask(&mut self, query: &str) -> Result<Vec<Answer>, MySqlError> {
        let (rows, columns) = self.conn.rows(query).await?;
        rows.iter().map(|row| Answer::of(row, columns)).collect()
    }
}

/// A row of the catalog: text, or NULL.
#[derive(Debug, Clone)]
pub(super) struct Answer(Vec<Option<String>>);

impl Answer {
    fn of(row: &[u8], columns: usize) -> Result<Self, MySqlError> {
        let mut rest = row;
        let text = |_| {
            let value = take_value(&mut rest).map_err(|_| MySqlError::Protocol)?;
            let text = value.map(|bytes| String::from_utf8(bytes.to_vec())).transpose();
            text.map_err(|_| MySqlError::Protocol)
        };
        let values = (0..columns).map(text).collect::<Result<_, _>>()?;
        if rest.is_empty() { Ok(Self(values)) } else { Err(MySqlError::Protocol) }
    }

    /// The value in this place, if it is there and not NULL.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        self.0.get(place)?.as_deref()
    }

    /// The last value, if it is not NULL.
    pub(super) fn last(&self) -> Option<&str> {
        self.0.last()?.as_deref()
    }

    /// The same as owned text; empty for NULL.
    pub(super) fn text(&self, place: usize) -> String {
        self.get(place).unwrap_or_default().to_owned()
    }

    /// The same as a number; 0 for NULL or no number.
    pub(super) fn number(&self, place: usize) -> u64 {
        self.get(place).and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

/// Says which file can't be read, before anything else is tried.
fn check_authority(tls: &Tls) -> Result<(), MySqlError> {
    let Tls::Required { ca: Authority::File(path) } = tls else { return Ok(()) };
    match fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(MySqlError::Authority { path: path.clone(), source }),
    }
}

/// What to log in with now.
async fn password(url: &DatabaseUrl) -> Result<Secret, SourceError> {
    url.password.now().await.map_err(|error| SourceError::Credentials {
        identity: url.identity(),
        user: url.user.clone(),
        retryable: error.is_retryable(),
        source: error.into(),
    })
}

/// Tells servers apart by what they call themselves.
fn flavor(version: &str, comment: &str) -> Flavor {
    let says =
        |name: &str| [version, comment].iter().any(|text| text.to_lowercase().contains(name));
    if says("tidb") {
        Flavor::TiDb
    } else if says("mariadb") {
        Flavor::MariaDb
    } else {
        Flavor::MySql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart_by_what_they_say() {
        assert_eq!(flavor("10.11.19-MariaDB-0+deb12u1-log", "Debian 12"), Flavor::MariaDb);
        assert_eq!(flavor("8.0.11-TiDB-v7.5.0", "TiDB Server (Apache License 2.0)"), Flavor::TiDb);
        assert_eq!(flavor("8.0.40", "Source distribution"), Flavor::MySql);
        assert_eq!(flavor("8.0.36-28", "Percona Server (GPL)"), Flavor::MySql);
        assert_eq!(
            flavor("10.6.14-log", "managed by https://aws.amazon.com/rds/ (MariaDB)"),
            Flavor::MariaDb
        );
    }
    #[test]
    fn an_answer_has_the_values_that_it_should_and_no_other() {
        let answer = Answer::of(b"\x01a\xfb\x0242", 3).unwrap();
        assert_eq!((answer.get(0), answer.get(1), answer.number(2)), (Some("a"), None, 42));
        assert_eq!(answer.last(), Some("42"));
        let nonsense =
            [(&b"\x01a"[..], 2), (b"\x01a\x01b", 1), (b"\x01\xff", 1), (b"\x05a", 1), (b"\xff", 1)];
        for (row, columns) in nonsense {
            assert!(matches!(Answer::of(row, columns), Err(MySqlError::Protocol)), "{row:?}");
        }
    }
}
