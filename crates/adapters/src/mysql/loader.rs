//! Canonical rows into a table: all of them, unaltered, or none.

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use gorgen_engine::{
    model::{Column, Flavor, Table},
    ports::{Loader, TargetError},
};

use super::{
    connect::{Answer, Session},
    error::{MySqlError, Shown, without_values},
    insert::Inserts,
    load_data,
    place::{is_enum, is_rounded_real},
    survey::Survey,
    wire,
};

/// How rows get into tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoadBy {
    /// `LOAD DATA LOCAL` where the server takes it, else `INSERT`.
    #[default]
    WhatTheServerTakes,
    /// `INSERT`, always.
    Insert,
}

/// A conflict with another loader of the same table goes away when that one has committed.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// `Data truncated for column`.
const DATA_TRUNCATED: u16 = 1265;

/// `Out of range value for column`.
const OUT_OF_RANGE: u16 = 1264;

/// Values are stored as they are: zero as a counter, dates that are none, keys that are checked later.
const SETTINGS: &str = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', \
     foreign_key_checks = 0, unique_checks = 0";

/// As many warnings are told as MySQL tells by itself, where only few accounts may ask for it; MariaDB tells fewer.
const WARNINGS: &str = "SET SESSION max_error_count = 1024";

fn wishes(flavor: Flavor) -> &'static [&'static str] {
    match flavor {
        Flavor::MySql | Flavor::TiDb => &["SET SESSION innodb_lock_wait_timeout = 600", WARNINGS],
        Flavor::MariaDb => &[
            "SET SESSION innodb_lock_wait_timeout = 600",
            WARNINGS,
            "SET SESSION check_constraint_checks = 0",
        ],
    }
}

/// One connection that loads.
pub(super) struct MySqlLoader {
    session: Session,
    by_load_data: bool,
    max_packet: u64,
}

/// Why rows are not in the table.
enum Failure {
    Server(MySqlError),
    Target(TargetError),
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl From<wire::Error> for Failure {
    fn from(error: wire::Error) -> Self {
        Self::Server(MySqlError::shown(error, Shown::Rows))
    }
}

impl MySqlLoader {
    pub(super) async fn new(mut session: Session, load_by: LoadBy) -> Result<Self, TargetError> {
        session.run("prepare to load rows", SETTINGS).await?;
        for wish in wishes(session.flavor()) {
            session.try_run(wish).await?;
        }
        let by_load_data =
            load_by == LoadBy::WhatTheServerTakes && load_data::is_allowed(&mut session).await?;
        let packet =
            session.answers("ask for its packet size", "SELECT @@max_allowed_packet").await?;
        let max_packet = packet.first().map(|row| row.number(0)).unwrap_or_default();
        Ok(Self { session, by_load_data, max_packet })
    }

    /// One transaction: stored and counted, or as if it had not been.
    async fn attempt(
        &mut self,
        table: &Table,
        rows: &[u8],
        survey: &Survey,
    ) -> Result<(), Failure> {
        self.session.conn.run("START TRANSACTION").await?;
        match self.store(table, rows, survey).await {
            Ok(()) => Ok(self.session.conn.run("COMMIT").await?),
            Err(failure) => {
                // What failed is the news, not that the way back is broken as well.
                let _ = self.session.conn.run("ROLLBACK").await;
                Err(failure)
            }
        }
    }

    async fn store(&mut self, table: &Table, rows: &[u8], survey: &Survey) -> Result<(), Failure> {
        let (by_load_data, by_insert) = if self.by_load_data {
            survey.divide(rows)
        } else {
            (Cow::Borrowed(&[][..]), Cow::Borrowed(rows))
        };
        let mut stored = 0;
        let mut warnings = Warnings::default();
        if !by_load_data.is_empty() {
            stored += load_data::load(&mut self.session, table, &by_load_data).await?;
            warnings.collect(&mut self.session).await?;
        }
        let target = self.session.identity().clone();
        let flavor = self.session.flavor();
        let mut statements = Inserts::new(&target, table, &by_insert, flavor, self.max_packet);
        while let Some(statement) = statements.next()? {
            self.session.conn.run(statement).await?;
            stored += self.session.conn.affected_rows;
            warnings.collect(&mut self.session).await?;
        }
        if stored != survey.rows {
            let table = table.name.clone();
            return Err(TargetError::RowsLost { table, expected: survey.rows, stored }.into());
        }
        warnings.check(table, survey).map_err(Failure::Server)
    }
}

#[async_trait]
impl Loader for MySqlLoader {
    async fn load(&mut self, table: &Table, rows: &[u8], count: u64) -> Result<(), TargetError> {
        let identity = self.session.identity().clone();
        let refused = |error: MySqlError| {
            error.target(&identity, &format!("load rows into table {}", table.name))
        };
        let survey = Survey::of(table, rows, self.session.flavor()).map_err(refused)?;
        if survey.rows != count {
            let table = table.name.clone();
            return Err(TargetError::RowsLost { table, expected: count, stored: survey.rows });
        }
        let mut attempt = 1;
        loop {
            match self.attempt(table, rows, &survey).await {
                Ok(()) => return Ok(()),
                Err(Failure::Server(error)) if error.is_conflict() && attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                Err(Failure::Server(error)) => return Err(refused(error)),
                Err(Failure::Target(error)) => return Err(error),
            }
        }
    }
}

/// A warning's code; none of MySQL's own is 0.
fn code(warning: &Answer) -> u16 {
    warning.get(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}

/// What the server said beside storing the rows.
#[derive(Default)]
struct Warnings {
    count: u64,
    shown: Vec<(u16, String)>,
}

impl Warnings {
    /// Takes note of the last statement's warnings.
    async fn collect(&mut self, session: &mut Session) -> Result<(), Failure> {
        let count = session.conn.warnings;
        if count > 0 {
            let shown = session.ask("SHOW WARNINGS").await.map_err(Failure::Server)?;
            self.count += u64::from(count);
            // Level, code, message.
            self.shown.extend(shown.iter().map(|row| (code(row), row.text(2))));
        }
        Ok(())
    }

    /// A warning says that a value was altered. Only two kinds of values can't be stored without one: an
    /// ENUM's empty value, which stands for no member, and a FLOAT(7,4) that was rounded up to 1000 when it
    /// was first stored, which is rounded the same way again.
    fn check(&self, table: &Table, survey: &Survey) -> Result<(), MySqlError> {
        let names_one = |message: &str, is_such: fn(&Column) -> bool| {
            let mut such = table.columns.iter().filter(|column| is_such(column));
            such.any(|column| message.contains(&format!("for column '{}'", column.name)))
        };
        let is_expected = |code: u16, message: &str| match code {
            DATA_TRUNCATED => names_one(message, is_enum),
            OUT_OF_RANGE => names_one(message, is_rounded_real),
            _ => false,
        };
        let bad = self.shown.iter().find(|(code, message)| !is_expected(*code, message));
        let unseen = self.count > survey.empty_enums && !table.columns.iter().any(is_rounded_real);
        match bad.or(self.shown.first().filter(|_| unseen)) {
            None => Ok(()),
            Some((code, message)) => Err(MySqlError::Altered {
                code: *code,
                message: without_values(*code, message, Shown::Rows),
            }),
        }
    }
}
