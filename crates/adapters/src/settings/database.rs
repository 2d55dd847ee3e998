//! `GORGEN_DATABASE_URL` and `GORGEN_SCRATCH_URL`, each with its secret: where a database is and who logs in there.
//!
//! [`Database`] is what the settings say; [`DatabaseUrl`] what the MySQL adapter connects with. Between them stands
//! [`crate::credentials::resolve`], which asks AWS for what the settings leave to it.

use std::{fmt, path::PathBuf, str::FromStr};

use gorgen_engine::model::SourceIdentity;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::{Address, Authority, BadValue, Password, Secret, SecretName, Tls};

/// The form of a database's URL, as errors show it.
pub(super) const EXPECTED: &str = "mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: \
    tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, socket=/file.sock (in user and password, `%` and two hex \
    digits stand for any of : / ? # [ ] @ %)";

/// What of it errors show when the part before the `?` is wrong.
const FORM: &str = "mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any \
    of : / ? # [ ] @ %)";

/// What of it errors show when the part after the `?` is wrong.
const PARAMETERS: &str = "after the `?` any of tls=off, tls=required, ca=/file.pem, ca=rds, auth=rds-iam, \
    socket=/file.sock, joined by `&`";

const SCHEME: &str = "mysql";
const DEFAULT_PORT: u16 = 3306;

/// The word for Amazon RDS's authorities.
const RDS: &str = "rds";
/// The word for a login by IAM's leave.
const RDS_IAM: &str = "rds-iam";

/// A database as the settings describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// All of it.
    Given(DatabaseUrl),
    /// All but the password, which Amazon RDS takes from whom IAM lets in.
    RdsIam(DatabaseUrl),
    /// A part of it; the rest is in a secret.
    InSecret {
        /// The secret.
        secret: SecretName,
        /// What the settings say themselves, which counts more than what the secret says.
        known: Known,
    },
}

/// What a URL says that need not say all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    pub(crate) user: Option<String>,
    pub(crate) address: Option<Address>,
    pub(crate) database: Option<String>,
    tls: Option<bool>,
    ca: Option<Authority>,
}

/// A database and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// Account name.
    pub user: String,
    /// What the account logs in with.
    pub password: Password,
    /// The server.
    pub address: Address,
    /// Name of the database on that server.
    pub database: String,
    /// Encryption of the connection.
    pub tls: Tls,
}

impl Database {
    /// Which database this is, unless only its secret tells.
    pub fn identity(&self) -> Option<SourceIdentity> {
        match self {
            Self::Given(url) | Self::RdsIam(url) => Some(url.identity()),
            Self::InSecret { known, .. } => Some(SourceIdentity {
                server: known.address.as_ref()?.to_string(),
                database: known.database.clone()?,
            }),
        }
    }

    /// Another database on the same server, for the same account.
    #[must_use]
    pub fn with_database(&self, name: impl Into<String>) -> Self {
        match self {
            Self::Given(url) => Self::Given(url.with_database(name)),
            Self::RdsIam(url) => Self::RdsIam(url.with_database(name)),
            Self::InSecret { secret, known } => {
                let known = Known { database: Some(name.into()), ..known.clone() };
                Self::InSecret { secret: secret.clone(), known }
            }
        }
    }

    /// What is known of it without asking AWS: all but the password, and of an account in a secret the name. `None` if
    /// only its secret tells where it is.
    pub fn as_known(&self) -> Option<DatabaseUrl> {
        let no_password = || Password::Fixed(Secret::new(""));
        match self {
            Self::Given(url) | Self::RdsIam(url) => {
                Some(DatabaseUrl { password: no_password(), ..url.clone() })
            }
            Self::InSecret { known, .. } => {
                let address = known.address.clone()?;
                Some(DatabaseUrl {
                    user: known.user.clone().unwrap_or_default(),
                    password: no_password(),
                    database: known.database.clone()?,
                    tls: known.tls(&address),
                    address,
                })
            }
        }
    }

    /// Do rows and password cross a network in the clear? Possible on demand, and worth a warning.
    pub fn is_exposed(&self) -> bool {
        match self {
            Self::Given(url) | Self::RdsIam(url) => url.is_exposed(),
            Self::InSecret { known, .. } => {
                known.tls == Some(false) && !known.address.as_ref().is_some_and(Address::is_local)
            }
        }
    }

    /// What a URL and the name of a secret, either or both, say together.
    pub(super) fn of(url: UrlParts, secret: Option<SecretName>) -> Result<Self, BadValue> {
        match (secret, url.is_rds_iam) {
            (Some(_), true) => Err(bad_parameter("auth=rds-iam beside a secret")),
            (Some(_), false) if !url.password.expose().is_empty() => {
                Err(bad("one with a password, which a secret is to give"))
            }
            (Some(secret), false) => Ok(Self::InSecret { secret, known: url.known }),
            (None, true) => url.complete().map(Self::RdsIam),
            (None, false) => url.complete().map(Self::Given),
        }
    }
}

/// Without the password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(url) => url.fmt(f),
            Self::RdsIam(url) => write!(f, "{url}, by RDS IAM authentication"),
            Self::InSecret { secret, known } => match known.to_string() {
                nothing if nothing.is_empty() => write!(f, "as the secret {secret} says"),
                known => write!(f, "{known}, the rest as the secret {secret} says"),
            },
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if let Some(address) = &self.address {
            write!(f, "{address}")?;
        }
        self.database.iter().try_for_each(|database| write!(f, "/{database}"))
    }
}

impl Known {
    /// Is there a word about encryption?
    pub(crate) fn says_tls(&self) -> bool {
        self.tls.is_some() || self.ca.is_some()
    }

    /// The encryption that was asked for, or else what this address needs.
    pub(crate) fn tls(&self, address: &Address) -> Tls {
        let ca = self.ca.clone().unwrap_or(Authority::Public);
        match self.tls {
            Some(true) => Tls::Required { ca },
            None if self.ca.is_some() || !address.is_local() => Tls::Required { ca },
            Some(false) | None => Tls::Off,
        }
    }
}

impl DatabaseUrl {
    /// Which database this is, whoever reads it.
    pub fn identity(&self) -> SourceIdentity {
        SourceIdentity { server: self.address.to_string(), database: self.database.clone() }
    }

    /// Another database on the same server, for the same account.
    #[must_use]
    pub fn with_database(&self, name: impl Into<String>) -> Self {
        Self { database: name.into(), ..self.clone() }
    }

    /// The URL as a setting spells it, for whoever logs in with this password, or else by RDS IAM authentication. It
    /// shows the password.
    pub fn spelled(&self, user: &str, password: Option<&str>) -> String {
        let mut parameters = Vec::new();
        let host = match &self.address {
            Address::Socket(path) => {
                parameters.push(format!("socket={}", encoded(&path.to_string_lossy())));
                "localhost".to_owned()
            }
            tcp @ Address::Tcp { .. } => tcp.to_string(),
        };
        match &self.tls {
            Tls::Off if !self.address.is_local() => parameters.push("tls=off".to_owned()),
            Tls::Required { ca: Authority::Public } if !self.address.is_local() => {}
            Tls::Off => {}
            Tls::Required { ca: Authority::Public } => parameters.push("tls=required".to_owned()),
            Tls::Required { ca: Authority::Rds } => parameters.push(format!("ca={RDS}")),
            Tls::Required { ca: Authority::File(path) } => {
                parameters.push(format!("ca={}", encoded(&path.to_string_lossy())));
            }
        }
        let login = if let Some(password) = password {
            format!("{}:{}", encoded(user), encoded(password))
        } else {
            parameters.push(format!("auth={RDS_IAM}"));
            encoded(user)
        };
        let question = if parameters.is_empty() { "" } else { "?" };
        let parameters = parameters.join("&");
        format!("{SCHEME}://{login}@{host}/{}{question}{parameters}", encoded(&self.database))
    }

    /// Do rows and password cross a network in the clear? Possible on demand, and worth a warning.
    pub fn is_exposed(&self) -> bool {
        self.tls == Tls::Off && !self.address.is_local()
    }
}

/// Without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}/{}", self.user, self.address, self.database)
    }
}

/// A URL that says all itself.
impl FromStr for DatabaseUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match Database::of(text.parse()?, None)? {
            Database::Given(url) => Ok(url),
            _ => Err(bad_parameter("auth=rds-iam, which makes no password here")),
        }
    }
}

/// A URL's parts, well-formed each; which of them are needed depends on whether there is a secret.
#[derive(Debug)]
pub(super) struct UrlParts {
    known: Known,
    password: Secret,
    is_rds_iam: bool,
}

impl Default for UrlParts {
    fn default() -> Self {
        Self { known: Known::default(), password: Secret::new(""), is_rds_iam: false }
    }
}

impl UrlParts {
    fn complete(self) -> Result<DatabaseUrl, BadValue> {
        let Self { known, password, .. } = self;
        let user = known.user.clone().ok_or_else(|| bad("one without a user"))?;
        let address = known.address.clone().ok_or_else(|| bad("one without a host"))?;
        let database = known.database.clone().ok_or_else(|| bad("one without a database"))?;
        let tls = known.tls(&address);
        Ok(DatabaseUrl { user, password: password.into(), address, database, tls })
    }

    /// A token is as good as a password, and is sent as it is.
    fn check_rds_iam(&self) -> Result<(), BadValue> {
        if !self.password.expose().is_empty() {
            return Err(bad_parameter("auth=rds-iam beside a password"));
        }
        if matches!(self.known.address, Some(Address::Socket(_))) {
            return Err(bad_parameter("auth=rds-iam for a socket"));
        }
        if self.known.tls == Some(false) {
            return Err(bad_parameter("auth=rds-iam beside tls=off"));
        }
        Ok(())
    }
}

/// Errors never show more of the text than a part which can't be the password's.
impl FromStr for UrlParts {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let url = parse_url(text)?;
        if url.scheme() != SCHEME {
            return Err(bad(format!("one that starts with {}:", url.scheme())));
        }
        let user = some(decode("user", url.username())?);
        // A password with bare characters in it would be taken for host, database or parameters, and these are shown.
        if user.is_none() && text.contains('@') {
            return Err(bad("one without a user"));
        }
        let password = Secret::new(decode("password", url.password().unwrap_or_default())?);
        let host = host(&url)?;
        let port = url.port().unwrap_or(DEFAULT_PORT);
        let database = database(&url)?;
        let Parameters { socket, tls, ca, is_rds_iam } = Parameters::of(&url)?;
        let address = socket.map(Address::Socket).or(host.map(|host| Address::Tcp { host, port }));
        check_tls(tls, ca.as_ref(), address.as_ref())?;
        let tls = if is_rds_iam { tls.or(Some(true)) } else { tls };
        let parts =
            Self { known: Known { user, address, database, tls, ca }, password, is_rds_iam };
        if is_rds_iam {
            parts.check_rds_iam()?;
        }
        Ok(parts)
    }
}

/// Parses the text, with `localhost` for the host that may be left out where there is a socket.
fn parse_url(text: &str) -> Result<Url, BadValue> {
    let hostless = text.contains("socket=").then(|| text.replacen("@/", "@localhost/", 1));
    Url::parse(hostless.as_deref().unwrap_or(text))
        .map_err(|error| bad(format!("no URL ({error})")))
}

fn host(url: &Url) -> Result<Option<String>, BadValue> {
    match url.host() {
        Some(url::Host::Ipv6(address)) => Ok(Some(address.to_string())),
        Some(host) => decode("host", &host.to_string()).map(some),
        None => Ok(None),
    }
}

fn database(url: &Url) -> Result<Option<String>, BadValue> {
    let path = url.path().strip_prefix('/').unwrap_or_default();
    if path.contains('/') {
        return Err(bad("one with a `/` in the database's name"));
    }
    decode("database", path).map(some)
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// What stands after the `?`.
#[derive(Default)]
struct Parameters {
    socket: Option<PathBuf>,
    tls: Option<bool>,
    ca: Option<Authority>,
    is_rds_iam: bool,
}

impl Parameters {
    fn of(url: &Url) -> Result<Self, BadValue> {
        let mut found = Self::default();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "socket" => found.socket = Some(absolute("socket", &value)?),
                "ca" if value == RDS => found.ca = Some(Authority::Rds),
                "ca" => found.ca = Some(Authority::File(absolute("ca", &value)?)),
                "tls" => found.tls = Some(on_or_off(&value)?),
                "auth" if value == RDS_IAM => found.is_rds_iam = true,
                // Not shown, as it may be a password in the wrong place.
                "auth" => return Err(bad_parameter("auth= and a word that is not rds-iam")),
                other => return Err(bad_parameter(unknown_parameter(other))),
            }
        }
        Ok(found)
    }
}

fn absolute(name: &str, value: &str) -> Result<PathBuf, BadValue> {
    let path = PathBuf::from(value);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(bad_parameter(format!("{name}={value:?}, no absolute path")))
    }
}

fn on_or_off(value: &str) -> Result<bool, BadValue> {
    match value {
        "required" => Ok(true),
        "off" => Ok(false),
        // Not shown, as above.
        _ => Err(bad_parameter("tls= and a word that is neither off nor required")),
    }
}

/// A strange name may be the end of a password with a bare `?` in it.
fn unknown_parameter(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_plain { format!("the parameter {name:?}") } else { "an unknown parameter".to_owned() }
}

fn check_tls(
    asked: Option<bool>,
    ca: Option<&Authority>,
    address: Option<&Address>,
) -> Result<(), BadValue> {
    if asked == Some(false) && ca.is_some() {
        return Err(bad_parameter("tls=off beside ca="));
    }
    let is_socket = matches!(address, Some(Address::Socket(_)));
    if is_socket && (asked == Some(true) || ca.is_some()) {
        return Err(bad_parameter("TLS for a socket, which has none"));
    }
    Ok(())
}

/// All but what means nothing in a URL, as `%` and two hex digits.
fn encoded(text: &str) -> String {
    const MEANINGFUL: AsciiSet =
        NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, &MEANINGFUL).to_string()
}

fn decode(part: &str, text: &str) -> Result<String, BadValue> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| bad(format!("a {part} that is not UTF-8")))
}

fn bad(got: impl Into<String>) -> BadValue {
    BadValue::new(FORM, got)
}

fn bad_parameter(got: impl Into<String>) -> BadValue {
    BadValue::new(PARAMETERS, got)
}

#[cfg(test)]
mod tests;
