//! Statements run under the settings that an object was made under.

use gorgen_engine::{
    model::{CharsetContext, Flavor},
    ports::{SourceError, TargetError},
    stages::rows::take_value,
};

use super::{
    connect::Session,
    error::MySqlError,
    names::{ident, literal},
    wire,
};

/// For tables: what was once allowed in a definition is allowed again.
pub(super) const TABLE_MODE: &str =
    "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

const UNICODE: &str = "utf8mb4";

/// Back to what every session has.
const LEAVE: &[&str] = &["SET NAMES utf8mb4", "SET SESSION sql_mode = '', time_zone = '+00:00'"];

/// What a session that changes definitions needs.
pub(super) const SETTINGS: &str = "SET SESSION foreign_key_checks = 0, unique_checks = 0";

/// What it gets where the server has it and lets us: tables come back without keys that they did not have,
/// and timestamps without properties.
pub(super) fn wishes(flavor: Flavor) -> &'static [&'static str] {
    match flavor {
        Flavor::MySql => &[
            "SET SESSION sql_generate_invisible_primary_key = 0",
            "SET SESSION sql_require_primary_key = 0",
            "SET SESSION explicit_defaults_for_timestamp = 1",
        ],
        Flavor::MariaDb => &["SET SESSION explicit_defaults_for_timestamp = 1"],
        Flavor::TiDb => &[],
    }
}

/// Runs the statement and puts the session back as it was. Gives the number of rows that it changed.
pub(super) async fn run(
    session: &mut Session,
    action: &str,
    statement: &str,
    context: &CharsetContext,
) -> Result<u64, TargetError> {
    let identity = session.identity().clone();
    let failed = |error| MySqlError::from(error).target(&identity, action);
    let client = context.character_set_client.as_deref().unwrap_or(UNICODE);
    let spelled = spelled_in(session, statement, client).await.map_err(failed)?;
    let (statement, client) =
        spelled.map_or((statement.as_bytes().to_vec(), UNICODE), |bytes| (bytes, client));
    session.conn.run(enter(session.flavor(), context, client)).await.map_err(failed)?;
    let done = session.conn.run(statement).await;
    let changed = session.conn.affected_rows;
    let left = leave(session).await;
    done.and(left).map(|()| changed).map_err(failed)
}

/// Puts a session for good under the settings of what was made under none of its own, such as a table.
pub(super) async fn stay(session: &mut Session) -> Result<(), SourceError> {
    let enter = enter(session.flavor(), &CharsetContext::default(), UNICODE);
    session.run("prepare the session", &enter).await
}

async fn leave(session: &mut Session) -> Result<(), wire::Error> {
    for setting in LEAVE {
        session.conn.run(setting).await?;
    }
    Ok(())
}

fn enter(flavor: Flavor, context: &CharsetContext, client: &str) -> String {
    let mode = known_modes(flavor, context.sql_mode.as_deref().unwrap_or(TABLE_MODE));
    let settings = [
        ("sql_mode", Some(mode.as_str())),
        ("time_zone", context.time_zone.as_deref()),
        ("character_set_client", Some(client)),
        ("collation_connection", context.collation_connection.as_deref()),
    ];
    let settings = settings
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} = {}", literal(value?))));
    format!("SET SESSION {}", settings.collect::<Vec<_>>().join(", "))
}

/// MariaDB still has a mode about GRANT that MySQL no longer knows; no object depends on it.
fn known_modes(flavor: Flavor, modes: &str) -> String {
    let known =
        modes.split(',').filter(|mode| flavor == Flavor::MariaDb || *mode != "NO_AUTO_CREATE_USER");
    known.collect::<Vec<_>>().join(",")
}

/// The statement in the character set of the object's client, `None` if that can't spell it: then it is sent
/// in UTF-8, which is the same for everything but a later look at the object's settings.
async fn spelled_in(
    session: &mut Session,
    statement: &str,
    client: &str,
) -> Result<Option<Vec<u8>>, wire::Error> {
    if statement.is_ascii() || matches!(client, UNICODE | "utf8mb3" | "utf8" | "binary") {
        return Ok(Some(statement.as_bytes().to_vec()));
    }
    let (text, client) = (literal(statement), ident(client));
    let query = format!(
        "SELECT CAST(CONVERT(_utf8mb4 {text} USING {client}) AS BINARY), \
         CAST(CONVERT(CONVERT(_utf8mb4 {text} USING {client}) USING utf8mb4) AS BINARY)"
    );
    let (rows, _) = session.conn.rows(&query).await?;
    let mut rest = rows.first().map_or(&[][..], Vec::as_slice);
    Ok(match (take_value(&mut rest), take_value(&mut rest)) {
        (Ok(Some(spelled)), Ok(Some(back))) if back == statement.as_bytes() => {
            Some(spelled.to_vec())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_entered_with_one_statement() {
        let context = CharsetContext {
            sql_mode: Some("ANSI_QUOTES,NO_AUTO_CREATE_USER".to_owned()),
            time_zone: Some("SYSTEM".to_owned()),
            collation_connection: Some("latin1_bin".to_owned()),
            ..CharsetContext::default()
        };
        assert_eq!(
            enter(Flavor::MySql, &context, "latin1"),
            "SET SESSION sql_mode = 'ANSI_QUOTES', time_zone = 'SYSTEM', character_set_client = 'latin1', \
             collation_connection = 'latin1_bin'"
        );
        assert!(enter(Flavor::MariaDb, &context, "latin1").contains("NO_AUTO_CREATE_USER"));
    }
}
