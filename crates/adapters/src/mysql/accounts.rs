//! The accounts of a server, as the port `Accounts`.

use async_trait::async_trait;
use gorgen_engine::{
    model::{AccountName, Flavor, Holder, Premises, SourceIdentity},
    ports::{Accounts, Clock, SourceError},
};
use tokio::sync::Mutex;

use super::{
    MySqlSurveyor,
    connect::Session,
    error::{MySqlError, Shown},
    privileges::Grants,
    schema::Schema,
    surveyor::is_on,
    wire,
};
use crate::settings::DatabaseUrl;

/// The code with which a server says that there is no such account.
const NO_SUCH_ACCOUNT: u16 = 1141;

/// The code whose message repeats a part of the statement.
const SYNTAX: u16 = 1064;

/// A server that speaks MySQL's protocol, for whoever administers its accounts.
pub struct MySqlAccounts {
    url: DatabaseUrl,
    session: Mutex<Session>,
}

impl MySqlAccounts {
    /// Connects to the server at this address; the database there is the one that the accounts are for.
    ///
    /// # Errors
    /// If that does not work.
    pub async fn connect(url: DatabaseUrl) -> Result<Self, SourceError> {
        let mut session = Session::open(&url).await?;
        // Without it MariaDB makes an account without a password for a GRANT to one that is not there. Others have no such
        // mode, and never do.
        session.try_run("SET SESSION sql_mode = 'NO_AUTO_CREATE_USER'").await?;
        Ok(Self { url, session: Mutex::new(session) })
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.session.into_inner().close().await;
    }
}

#[async_trait]
impl Accounts for MySqlAccounts {
    fn identity(&self) -> SourceIdentity {
        self.url.identity()
    }

    async fn premises(&self, clock: &dyn Clock) -> Result<Premises, SourceError> {
        let mut session = self.session.lock().await;
        let schema = Schema::find(&mut session).await?;
        let surveyor = MySqlSurveyor::new(self.url.clone());
        let survey = surveyor.look_at_server(&mut session, schema.as_ref(), clock).await?;
        let is_literal =
            session.flavor() == Flavor::MySql && is_on(&mut session, "partial_revokes").await?;
        Ok(Premises { survey, has_database: schema.is_some(), takes_patterns: !is_literal })
    }

    async fn find(&self, account: &AccountName) -> Result<Option<Holder>, SourceError> {
        let mut session = self.session.lock().await;
        let shown = session.ask(&format!("SHOW GRANTS FOR {}", account.as_sql())).await;
        let rows = match shown {
            Err(error) if error.code() == Some(NO_SUCH_ACCOUNT) => return Ok(None),
            Err(error) => {
                let action = format!("show what {account} may do");
                return Err(error.refused(session.identity(), &action));
            }
            Ok(rows) => rows,
        };
        let grants = Grants::parse(rows.iter().filter_map(|row| row.get(0)));
        let (requires_tls, plugin) = login(&mut session, account).await?;
        Ok(Some(Holder { grants: grants.held(), requires_tls, plugin }))
    }

    async fn run(&self, action: &str, statement: &str) -> Result<(), SourceError> {
        let mut session = self.session.lock().await;
        let done = session.conn.run(statement).await;
        done.map_err(|error| without_statement(error).refused(session.identity(), action))
    }
}

/// Does the account log in over TLS only, and with which plug-in? As far as the server lets us see.
async fn login(
    session: &mut Session,
    account: &AccountName,
) -> Result<(Option<bool>, Option<String>), SourceError> {
    let query = format!(
        "SELECT ssl_type, plugin FROM mysql.user WHERE CONCAT(User, '@', Host) = {}",
        super::names::literal(&account.to_string())
    );
    let rows = session.answers_if_allowed(&query).await?;
    let row = rows.first();
    let requires_tls = row.and_then(|row| row.get(0)).map(|kind| !kind.is_empty());
    let plugin = row.and_then(|row| row.get(1)).filter(|plugin| !plugin.is_empty());
    Ok((requires_tls, plugin.map(str::to_owned)))
}

/// What went wrong, without any part of the statement, which may hold a password.
fn without_statement(error: wire::Error) -> MySqlError {
    let shown = match &error {
        wire::Error::Server { code: SYNTAX, .. } => Shown::Rows,
        _ => Shown::Statement,
    };
    MySqlError::shown(error, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_repeats_a_part_of_the_statement() {
        let server = |code, message: &str| {
            let message = message.to_owned();
            without_statement(wire::Error::Server { code, message }).to_string()
        };
        assert_eq!(
            server(1064, "You have an error in your SQL syntax; near ''segredo' REQUIRE SSL'"),
            "syntax error (error 1064)"
        );
        assert_eq!(server(1227, "Access denied"), "Access denied (error 1227)");
    }
}
