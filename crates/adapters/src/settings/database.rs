//! `GORGEN_DATABASE_URL`: where the database is and who reads it there; what the MySQL adapter connects with.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use gorgen_engine::model::SourceIdentity;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{BadValue, Secret};

/// The form of a database's URL, as errors show it.
pub(super) const EXPECTED: &str = "mysql://user:password@host:port/database, and after a `?` what applies, joined by `&`: \
    tls=off, tls=required, ca=/file.pem, socket=/file.sock (in user and password, `%` and two hex digits stand for any \
    of : / ? # [ ] @ %)";

/// What of it errors show when the part before the `?` is wrong.
const FORM: &str = "mysql://user:password@host:port/database (in user and password, `%` and two hex digits stand for any \
    of : / ? # [ ] @ %)";

/// What of it errors show when the part after the `?` is wrong.
const PARAMETERS: &str =
    "after the `?` any of tls=off, tls=required, ca=/file.pem, socket=/file.sock, joined by `&`";

const SCHEME: &str = "mysql";
const DEFAULT_PORT: u16 = 3306;

/// A database and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// Account name.
    pub user: String,
    /// The account's password; empty if there is none.
    pub password: Secret,
    /// The server.
    pub address: Address,
    /// Name of the database on that server.
    pub database: String,
    /// Encryption of the connection.
    pub tls: Tls,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A port of a host.
    Tcp {
        /// Name or address, an IPv6 address without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket of this machine.
    Socket(PathBuf),
}

/// Encryption of the connection to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// In the clear: within the machine, or because `tls=off` says so.
    Off,
    /// TLS, with the server's name and certificate checked.
    Required {
        /// The authority to trust, PEM; without it the public ones.
        ca: Option<PathBuf>,
    },
}

impl Address {
    /// Does what is sent there stay within this machine?
    pub fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
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

/// Errors never show more of the text than a part which can't be the password's.
impl FromStr for DatabaseUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let url = parse_url(text)?;
        if url.scheme() != SCHEME {
            return Err(bad(format!("one that starts with {}:", url.scheme())));
        }
        let user = decode("user", url.username())?;
        if user.is_empty() {
            return Err(bad("one without a user"));
        }
        let password = Secret::new(decode("password", url.password().unwrap_or_default())?);
        let host = host(&url)?;
        let port = url.port().unwrap_or(DEFAULT_PORT);
        let database = database(&url)?;
        let Parameters { socket, tls, ca } = Parameters::of(&url)?;
        let address = socket.map_or(Address::Tcp { host, port }, Address::Socket);
        let tls = choose_tls(tls, ca, &address)?;
        Ok(Self { user, password, address, database, tls })
    }
}

/// Parses the text, with `localhost` for the host that may be left out where there is a socket.
fn parse_url(text: &str) -> Result<Url, BadValue> {
    let hostless = text.contains("socket=").then(|| text.replacen("@/", "@localhost/", 1));
    Url::parse(hostless.as_deref().unwrap_or(text))
        .map_err(|error| bad(format!("no URL ({error})")))
}

fn host(url: &Url) -> Result<String, BadValue> {
    match url.host() {
        Some(url::Host::Ipv6(address)) => Ok(address.to_string()),
        Some(host) if !host.to_string().is_empty() => decode("host", &host.to_string()),
        _ => Err(bad("one without a host")),
    }
}

fn database(url: &Url) -> Result<String, BadValue> {
    let path = url.path().strip_prefix('/').unwrap_or_default();
    match path {
        "" => Err(bad("one without a database")),
        path if path.contains('/') => Err(bad("one with a `/` in the database's name")),
        path => decode("database", path),
    }
}

/// What stands after the `?`.
#[derive(Default)]
struct Parameters {
    socket: Option<PathBuf>,
    tls: Option<bool>,
    ca: Option<PathBuf>,
}

impl Parameters {
    fn of(url: &Url) -> Result<Self, BadValue> {
        let mut found = Self::default();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "socket" => found.socket = Some(absolute("socket", &value)?),
                "ca" => found.ca = Some(absolute("ca", &value)?),
                "tls" => found.tls = Some(on_or_off(&value)?),
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
        // Not shown, as it may be a password in the wrong place.
        _ => Err(bad_parameter("tls= and a word that is neither off nor required")),
    }
}

/// A strange name may be the end of a password with a bare `?` in it.
fn unknown_parameter(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_plain { format!("the parameter {name:?}") } else { "an unknown parameter".to_owned() }
}

fn choose_tls(
    asked: Option<bool>,
    ca: Option<PathBuf>,
    address: &Address,
) -> Result<Tls, BadValue> {
    let is_socket = matches!(address, Address::Socket(_));
    match (asked, ca) {
        (Some(false), Some(_)) => Err(bad_parameter("tls=off beside ca=")),
        (Some(true), _) | (None, Some(_)) if is_socket => {
            Err(bad_parameter("TLS for a socket, which has none"))
        }
        (Some(true), ca) | (None, ca @ Some(_)) => Ok(Tls::Required { ca }),
        (None, None) if !address.is_local() => Ok(Tls::Required { ca: None }),
        (Some(false) | None, None) => Ok(Tls::Off),
    }
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
