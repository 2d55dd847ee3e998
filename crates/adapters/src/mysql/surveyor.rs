//! A look at a database for `doctor`, as the port `Surveyor`: nothing is changed, and no row is read.

use std::collections::HashMap;

use async_trait::async_trait;
use gorgen_engine::{
    model::{
        BinaryLog, Channel, ClockReading, Privileges, RowSize, SourceIdentity, Survey,
        restored_name,
    },
    ports::{Clock, SourceError, Surveyor, Target, TargetError},
};
use jiff::Timestamp;

use super::{
    LoadBy, MySqlTarget,
    connect::Session,
    privileges::{Grants, account, grant_lines},
    schema::Schema,
    snapshot,
};
use crate::settings::DatabaseUrl;

/// A database on a server that speaks MySQL's protocol, to be looked at.
#[derive(Debug, Clone)]
pub struct MySqlSurveyor {
    url: DatabaseUrl,
}

impl MySqlSurveyor {
    /// The database at this address.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url }
    }

    async fn look(&self, session: &mut Session, clock: &dyn Clock) -> Result<Survey, SourceError> {
        let schema = Schema::find_existing(session).await?;
        self.look_at_server(session, Some(&schema), clock).await
    }

    /// The same, whether the database is there or not.
    pub(super) async fn look_at_server(
        &self,
        session: &mut Session,
        schema: Option<&Schema>,
        clock: &dyn Clock,
    ) -> Result<Survey, SourceError> {
        let taken = MySqlTarget::new(self.url.clone(), LoadBy::default())
            .info()
            .await
            .map_err(of_target)?;
        let rows = match schema {
            Some(schema) => row_sizes(session, schema).await?,
            None => Vec::new(),
        };
        let database = schema.map_or(&*self.url.database, |schema| &*schema.name);
        Ok(Survey {
            server: session.server.clone(),
            channel: self.channel(session).await?,
            clock: read_clock(session, clock).await?,
            privileges: privileges(session, database).await?,
            binary_log: binary_log(session).await?,
            max_allowed_packet: taken.max_allowed_packet,
            local_infile: taken.local_infile,
            collations: taken.collations,
            rows,
        })
    }

    async fn channel(&self, session: &mut Session) -> Result<Channel, SourceError> {
        let rows = session.answers_if_allowed("SHOW SESSION STATUS LIKE 'Ssl_%'").await?;
        let value = |name: &str| {
            let row = rows
                .iter()
                .find(|row| row.get(0).is_some_and(|text| text.eq_ignore_ascii_case(name)));
            row.map(|row| row.text(1)).unwrap_or_default()
        };
        let cipher = value("Ssl_cipher");
        Ok(if !cipher.is_empty() {
            Channel::Tls(format!("{} ({cipher})", value("Ssl_version")))
        } else if self.url.is_exposed() {
            Channel::Exposed
        } else {
            Channel::Local
        })
    }
}

#[async_trait]
impl Surveyor for MySqlSurveyor {
    fn identity(&self) -> SourceIdentity {
        self.url.identity()
    }

    async fn survey(&self, clock: &dyn Clock) -> Result<Survey, SourceError> {
        let mut session = Session::open(&self.url).await?;
        let survey = self.look(&mut session, clock).await?;
        session.close().await;
        Ok(survey)
    }
}

fn of_target(error: TargetError) -> SourceError {
    match error {
        TargetError::Source(error) => error,
        TargetError::Refused { action, source } => SourceError::Refused { action, source },
        other => SourceError::Unexpected { what: other.to_string() },
    }
}

async fn read_clock(session: &mut Session, clock: &dyn Clock) -> Result<ClockReading, SourceError> {
    let before = clock.now();
    let rows = session.answers("ask for its time", "SELECT UNIX_TIMESTAMP(NOW(6))").await?;
    let after = clock.now();
    let server = rows.first().and_then(|row| timestamp(row.get(0)?)).ok_or_else(|| {
        SourceError::Unexpected { what: "the server's time is no time".to_owned() }
    })?;
    Ok(ClockReading { before, server, after })
}

/// Reads seconds since 1970, `1790000000.123456`, as well as is enough here.
fn timestamp(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Timestamp::from_microsecond(
        seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?,
    )
    .ok()
}

async fn privileges(session: &mut Session, database: &str) -> Result<Privileges, SourceError> {
    let account = account(session).await?;
    let role = session.answers_if_allowed("SELECT CURRENT_ROLE()").await?;
    let lines = grant_lines(session).await?;
    let grants = Grants::parse(lines.iter().map(String::as_str));
    let has_active_role =
        role.first().and_then(|row| row.get(0)).is_some_and(|role| role != "NONE");
    Ok(Privileges {
        account,
        on_server: grants.all_on(None),
        on_database: grants.all_on(Some((database, None))),
        on_restored: grants.all_on(Some((&restored_name(database), None))),
        reads_routine_table: grants.gives("SELECT", Some(("mysql", Some("proc")))),
        has_idle_roles: !has_active_role && lines.iter().any(|line| is_role(line)),
    })
}

/// A role's name comes in quotes where privileges are words.
fn is_role(line: &str) -> bool {
    line.starts_with("GRANT `")
}

async fn binary_log(session: &mut Session) -> Result<Option<BinaryLog>, SourceError> {
    if !is_on(session, "log_bin").await? {
        return Ok(None);
    }
    let tells_place = snapshot::binlog_snapshot(session).await?.is_some();
    let trusts_creators = is_on(session, "log_bin_trust_function_creators").await?;
    Ok(Some(BinaryLog { tells_place, trusts_creators }))
}

pub(super) async fn is_on(session: &mut Session, variable: &str) -> Result<bool, SourceError> {
    let rows = session.answers_if_allowed(&format!("SELECT @@GLOBAL.{variable}")).await?;
    Ok(rows.first().is_some_and(|row| row.number(0) == 1))
}

/// What values of a type take at most that has no declared length of its own: 4 GiB, or a number's few bytes.
const DECLARED: &str = "TABLE_NAME, SUM(COALESCE(CHARACTER_OCTET_LENGTH, IF(DATA_TYPE IN ('json', 'geometry', \
     'point', 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon', 'geometrycollection', \
     'geomcollection'), 4294967295, 32)))";

async fn row_sizes(session: &mut Session, schema: &Schema) -> Result<Vec<RowSize>, SourceError> {
    let declared =
        schema.ask(session, "COLUMNS", DECLARED, "GROUP BY TABLE_NAME, TABLE_SCHEMA").await?;
    let declared: HashMap<_, _> = declared.iter().map(|row| (row.text(0), row.number(1))).collect();
    let columns = "TABLE_NAME, AVG_ROW_LENGTH, DATA_LENGTH";
    let tables = schema
        .ask(session, "TABLES", columns, "AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME")
        .await?;
    let sizes = tables.iter().map(|row| {
        let table = row.text(0);
        let declared = declared.get(&table).copied().unwrap_or(u64::MAX);
        RowSize { table, average: row.number(1), bound: declared.min(row.number(2)) }
    });
    Ok(sizes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_time_is_read_with_and_without_a_fraction() {
        let read = |text| timestamp(text).map(|at| at.to_string());
        assert_eq!(read("1790000000.250000").as_deref(), Some("2026-09-21T14:13:20.25Z"));
        assert_eq!(read("1790000000.5").as_deref(), Some("2026-09-21T14:13:20.5Z"));
        assert_eq!(read("1790000000").as_deref(), Some("2026-09-21T14:13:20Z"));
        for text in ["", "now", "1.x", "99999999999999999999"] {
            assert_eq!(timestamp(text), None, "{text:?}");
        }
    }

    #[test]
    fn roles_are_told_from_privileges() {
        assert!(is_role("GRANT `leitor`@`%` TO `gorgen`@`%`"));
        assert!(!is_role("GRANT SELECT ON `clinica`.* TO `gorgen`@`%`"));
        assert!(!is_role("GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION"));
    }
}
