//! Where a database's server listens, and how the way there is protected.

use std::{fmt, net::IpAddr, path::PathBuf};

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
        /// Who must have signed it.
        ca: Authority,
    },
}

/// Whose signature below a server's certificate is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// The public authorities, as compiled in.
    Public,
    /// Amazon RDS's own, as compiled in.
    Rds,
    /// Those in a PEM file.
    File(PathBuf),
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
