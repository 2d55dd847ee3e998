//! What stands in a database's secret: the JSON that RDS makes, or a URL as in the settings.

use serde::Deserialize;

use super::CredentialsError;
use crate::settings::{Address, DatabaseUrl, Known, Secret, SecretName};

/// The forms of a secret's content, as errors show them.
pub(super) const EXPECTED: &str = "JSON as RDS makes it, {\"username\", \"password\" and if need be \"host\", \"port\", \
    \"dbname\"}, or mysql://user:password@host:port/database";

const DEFAULT_PORT: u16 = 3306;

/// The engines that speak MySQL's protocol, as RDS names them in a secret.
const ENGINES: &[&str] = &["mysql", "mariadb", "aurora", "aurora-mysql"];

/// A secret as RDS makes it. What else stands in it is of no matter: RDS adds names of its own.
#[derive(Deserialize)]
struct Content {
    username: Option<String>,
    password: Option<Secret>,
    host: Option<String>,
    port: Option<Port>,
    dbname: Option<String>,
    engine: Option<String>,
}

/// A number; people also write it as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

/// Completes what is known with what the secret says.
pub(super) fn fill_in(
    known: &Known,
    secret: &SecretName,
    text: &str,
) -> Result<DatabaseUrl, CredentialsError> {
    let malformed = |given: &str| CredentialsError::Malformed {
        secret: secret.clone(),
        given: given.to_owned(),
    };
    let missing = |missing| CredentialsError::Incomplete { secret: secret.clone(), missing };
    let text = text.trim();
    if text.starts_with("mysql:") {
        let url: DatabaseUrl =
            text.parse().map_err(|_| malformed("a text that begins like the latter"))?;
        return Ok(overridden(known, url));
    }
    let content: Content = parse(text).map_err(malformed)?;
    if content.engine.as_ref().is_some_and(|engine| !ENGINES.contains(&engine.as_str())) {
        return Err(malformed("the secret of a database of another kind"));
    }
    let password = content.password.ok_or_else(|| malformed("JSON without \"password\""))?;
    let port = match content.port {
        None => DEFAULT_PORT,
        Some(Port::Number(port)) => port,
        Some(Port::Text(text)) => {
            text.parse().map_err(|_| malformed("JSON whose \"port\" is none"))?
        }
    };
    let user = known.user.clone().or(given(content.username)).ok_or_else(|| missing("a user"))?;
    let host = given(content.host).map(|host| Address::Tcp { host, port });
    let address = known.address.clone().or(host).ok_or_else(|| missing("a host"))?;
    let database = known.database.clone().or(given(content.dbname));
    let database = database.ok_or_else(|| missing("a database"))?;
    let tls = known.tls(&address);
    Ok(DatabaseUrl { user, password: password.into(), address, database, tls })
}

/// serde's own words would quote the text.
fn parse(text: &str) -> Result<Content, &'static str> {
    if !text.starts_with('{') {
        return Err("a text that is neither");
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "JSON with a value of the wrong kind",
        _ => "broken JSON",
    })
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A URL of a secret, with what the settings say instead. A secret may choose the encryption for its own server only.
fn overridden(known: &Known, url: DatabaseUrl) -> DatabaseUrl {
    let is_its_own = known.address.is_none() && !known.says_tls();
    let address = known.address.clone().unwrap_or(url.address);
    DatabaseUrl {
        user: known.user.clone().unwrap_or(url.user),
        password: url.password,
        database: known.database.clone().unwrap_or(url.database),
        tls: if is_its_own { url.tls } else { known.tls(&address) },
        address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Database, Password, Settings, Tls};

    const NAME: &str = "gorgen/db";

    fn known(url: Option<&str>) -> Known {
        let secret = ("GORGEN_DATABASE_SECRET".to_owned(), NAME.to_owned());
        let url = url.map(|url| ("GORGEN_DATABASE_URL".to_owned(), url.to_owned()));
        let settings = Settings::from_pairs([secret].into_iter().chain(url)).unwrap();
        match settings.database().unwrap() {
            Database::InSecret { known, .. } => known.clone(),
            other => panic!("{other}"),
        }
    }

    fn filled(url: Option<&str>, text: &str) -> Result<DatabaseUrl, CredentialsError> {
        fill_in(&known(url), &NAME.parse().unwrap(), text)
    }

    fn password(url: &DatabaseUrl) -> &str {
        let Password::Fixed(password) = &url.password else { panic!("a fixed password") };
        password.expose()
    }

    const MADE_BY_RDS: &str = r#"{"username":"gorgen","password":"s3gr@do/","engine":"mysql",
        "host":"db.example","port":3307,"dbname":"clinica","dbInstanceIdentifier":"clinica-1"}"#;

    #[test]
    fn the_secret_fills_in_what_the_url_leaves_open() {
        for (url, text, expected, is_encrypted) in [
            (None, MADE_BY_RDS, "gorgen@db.example:3307/clinica", true),
            (Some("mysql:///?ca=rds"), MADE_BY_RDS, "gorgen@db.example:3307/clinica", true),
            (Some("mysql:///?tls=off"), MADE_BY_RDS, "gorgen@db.example:3307/clinica", false),
            (Some("mysql:///outra"), MADE_BY_RDS, "gorgen@db.example:3307/outra", true),
            // A host brings its port along.
            (Some("mysql://replica.example/x"), MADE_BY_RDS, "gorgen@replica.example:3306/x", true),
            (Some("mysql://leitor@localhost/x"), MADE_BY_RDS, "leitor@localhost:3306/x", false),
            (
                Some("mysql://db:3308/x"),
                r#"{"username":"gorgen","password":"s3gr@do/"}"#,
                "gorgen@db:3308/x",
                true,
            ),
            (
                None,
                r#"{"username":"g","password":"s3gr@do/","host":"127.0.0.1","port":"3309","dbname":"d"}"#,
                "g@127.0.0.1:3309/d",
                false,
            ),
            (None, " mysql://g:s3gr%40do%2F@h/d\n", "g@h:3306/d", true),
            (None, "mysql://g:s3gr%40do%2F@h/d?tls=off", "g@h:3306/d", false),
            (Some("mysql://h2/"), "mysql://g:s3gr%40do%2F@localhost/d", "g@h2:3306/d", true),
            (Some("mysql://h2/?ca=rds"), "mysql://g:s3gr%40do%2F@h/d?tls=off", "g@h2:3306/d", true),
        ] {
            let url = filled(url, text).unwrap();
            assert_eq!(url.to_string(), expected, "{text}");
            assert_eq!(password(&url), "s3gr@do/", "{text}");
            assert_eq!(url.tls != Tls::Off, is_encrypted, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let account = r#"{"username":"gorgen","password":"segredo"}"#;
        for (url, text, missing) in [
            (None, account, "a host"),
            (Some("mysql://db.example"), account, "a database"),
            (Some("mysql://db.example/d"), r#"{"password":"segredo"}"#, "a user"),
        ] {
            let error = filled(url, text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("neither the secret gorgen/db nor the database's URL names {missing}")
            );
            assert!(!error.is_retryable() && error.hint().contains("GORGEN_DATABASE_URL"));
        }
    }

    #[test]
    fn a_secret_of_another_form_is_refused_and_not_shown() {
        for (text, given) in [
            ("segredo", "a text that is neither"),
            ("", "a text that is neither"),
            ("\"segredo\"", "a text that is neither"),
            ("{\"password\":\"segredo", "broken JSON"),
            ("{segredo}", "broken JSON"),
            (
                "{\"username\":\"u\",\"password\":{\"segredo\":1}}",
                "JSON with a value of the wrong kind",
            ),
            ("{\"username\":\"u\",\"passwort\":\"segredo\"}", "JSON without \"password\""),
            (
                "{\"username\":\"u\",\"password\":\"segredo\",\"port\":\"segredo\"}",
                "JSON whose \"port\" is none",
            ),
            (
                "{\"username\":\"u\",\"password\":\"segredo\",\"port\":-1}",
                "JSON with a value of the wrong kind",
            ),
            (
                "{\"username\":\"u\",\"password\":\"segredo\",\"engine\":\"postgres\"}",
                "the secret of a database of another kind",
            ),
            ("mysql://u:segredo@h", "a text that begins like the latter"),
        ] {
            let error = filled(Some("mysql://h/d"), text).unwrap_err();
            let shown = error.to_string();
            assert_eq!(
                shown,
                format!("the secret gorgen/db: expected {EXPECTED}, got {given}"),
                "{text}"
            );
            assert!(!format!("{error:?}").contains("segredo"), "{text}");
        }
    }
}
