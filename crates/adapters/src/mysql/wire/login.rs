//! From an address to a session: TCP or a socket, TLS, and who we are.
//!
//! `mysql_native_password`, `caching_sha2_password`, and under TLS a password as it is.

use std::{io, time::Duration};

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use mysql_common::{
    collations::CollationId,
    constants::CapabilityFlags,
    io::ParseBuf,
    packets::{AuthPlugin, AuthSwitchRequest, HandshakeResponse, SslRequest},
    proto::MySerialize,
};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};
use zeroize::Zeroizing;

use super::{
    Connection, END, ERROR, Error, OK,
    link::{self, Duplex, Link},
    refusal, tls,
};
use crate::settings::{Address, DatabaseUrl, Tls};

/// What we use, where the server has it. Several statements at once, or several results, are never asked for.
const WANTED: CapabilityFlags = NEEDED
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_LOCAL_FILES)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH);

/// What any server has had since MySQL 4.1.
const NEEDED: CapabilityFlags =
    CapabilityFlags::CLIENT_PROTOCOL_41.union(CapabilityFlags::CLIENT_SECURE_CONNECTION);

/// The version of the protocol's greeting.
const VERSION: u8 = 10;

/// Of a greeting's challenge, and of every other one that we answer.
const NONCE: usize = 20;

/// Probes on an idle connection, so that a way that broke silently is noticed.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// What the client takes: as much as the protocol can carry.
#[expect(clippy::cast_possible_truncation, reason = "1 << 30")]
const LARGEST_PACKET: u32 = link::LARGEST_ROW as u32;

/// Servers of this version know utf8mb4, in which the login is spelled.
const KNOWS_UTF8MB4: (u16, u16, u16) = (5, 5, 3);

/// `caching_sha2_password`: the server knows the password, or asks for it; we ask for the key to lock it with.
const FAST_DONE: &[u8] = &[1, 3];
const SEND_WHOLE: &[u8] = &[1, 4];
const SEND_KEY: &[u8] = &[2];
const KEY: u8 = 1;

/// Who else may hear what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privacy {
    /// Whoever is on the way.
    Open,
    /// Nobody: it stays within this machine's kernel.
    Socket,
    /// Nobody: there is TLS.
    Encrypted,
}

/// Connects and logs in.
pub(in crate::mysql) async fn open(url: &DatabaseUrl, password: &str) -> Result<Connection, Error> {
    log_in(connect(&url.address).await?, url, password).await
}

async fn connect(address: &Address) -> io::Result<Box<dyn Duplex>> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
            SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
            Ok(Box::new(stream))
        }
        Address::Socket(path) => Ok(Box::new(UnixStream::connect(path).await?)),
    }
}

async fn log_in(
    stream: Box<dyn Duplex>,
    url: &DatabaseUrl,
    password: &str,
) -> Result<Connection, Error> {
    let mut link = Link::over(stream);
    let greeting = greeting(&link.packet().await?)?;
    let mut capabilities = greeting.capabilities & WANTED;
    let privacy = match (&url.tls, &url.address) {
        (Tls::Off, Address::Socket(_)) => Privacy::Socket,
        (Tls::Off, Address::Tcp { .. }) => Privacy::Open,
        (Tls::Required { .. }, Address::Socket(_)) => return Err(Error::NoTls),
        (Tls::Required { ca }, Address::Tcp { host, .. }) => {
            if !greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL) {
                return Err(Error::NoTls);
            }
            capabilities |= CapabilityFlags::CLIENT_SSL;
            link.send(&spelled(&tls_request(capabilities))).await?;
            link = tls::secured(link, host, ca).await?;
            Privacy::Encrypted
        }
    };
    let mut login =
        Login { link, plugin: greeting.plugin, nonce: greeting.nonce, password, privacy };
    login.introduce(&url.user, capabilities).await?;
    login.prove().await?;
    Ok(Connection::new(login.link, capabilities))
}

fn tls_request(capabilities: CapabilityFlags) -> SslRequest {
    SslRequest::new(capabilities, LARGEST_PACKET, CollationId::UTF8MB4_GENERAL_CI as u8)
}

fn spelled(packet: &impl MySerialize) -> Vec<u8> {
    let mut payload = Vec::new();
    packet.serialize(&mut payload);
    payload
}

/// What a server says first.
#[derive(Debug)]
struct Greeting {
    capabilities: CapabilityFlags,
    nonce: Vec<u8>,
    plugin: AuthPlugin<'static>,
}

fn greeting(packet: &[u8]) -> Result<Greeting, Error> {
    match packet.first() {
        // As when there are too many connections already.
        Some(&ERROR) => Err(refusal(packet)),
        _ => Greeting::read(packet)
            .filter(|greeting| greeting.capabilities.contains(NEEDED))
            .ok_or(Error::Protocol),
    }
}

impl Greeting {
    /// Not by `mysql_common`, which subtracts from a length that it was told.
    fn read(packet: &[u8]) -> Option<Self> {
        let mut rest = ParseBuf(packet);
        if rest.checked_eat_u8()? != VERSION {
            return None;
        }
        let _server_version = rest.eat_null_str();
        let _connection = rest.checked_eat_u32_le()?;
        let mut nonce = rest.checked_eat(8)?.to_vec();
        let _filler = rest.checked_eat_u8()?;
        let low = rest.checked_eat_u16_le()?;
        let _charset_and_status = rest.checked_eat(3)?;
        let high = rest.checked_eat_u16_le()?;
        let nonce_length = usize::from(rest.checked_eat_u8()?);
        let _reserved = rest.checked_eat(10)?;
        nonce.extend_from_slice(rest.checked_eat(nonce_length.saturating_sub(8).max(13))?);
        // It ends with a zero.
        nonce.truncate(NONCE);
        let bits = u32::from(high) << 16 | u32::from(low);
        let plugin = match AuthPlugin::from_bytes(rest.eat_all()) {
            AuthPlugin::CachingSha2Password => AuthPlugin::CachingSha2Password,
            // Whose account it is the server does not know yet: it will ask for another proof if it needs one.
            _ => AuthPlugin::MysqlNativePassword,
        };
        Some(Self { capabilities: CapabilityFlags::from_bits_truncate(bits), nonce, plugin })
    }
}

/// What has to be proved to the server, and by what.
struct Login<'a> {
    link: Link,
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
    password: &'a str,
    privacy: Privacy,
}

impl Login<'_> {
    /// Says who we are, with the proof that the greeting asked for.
    async fn introduce(&mut self, user: &str, capabilities: CapabilityFlags) -> Result<(), Error> {
        let named = capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH);
        let proof = self.plugin.gen_data(Some(self.password), &self.nonce);
        let response = HandshakeResponse::new(
            proof.as_deref(),
            KNOWS_UTF8MB4,
            Some(user.as_bytes()),
            None::<&[u8]>,
            named.then(|| self.plugin.borrow()),
            capabilities,
            None,
            LARGEST_PACKET,
        );
        let payload = spelled(&response);
        Ok(self.link.send(&payload).await?)
    }

    /// Answers until the server lets us in. It may ask for another proof than the one it was given, once.
    async fn prove(&mut self) -> Result<(), Error> {
        let mut packet = self.link.packet().await?;
        if packet.first() == Some(&END) {
            self.switch(&packet).await?;
            packet = self.link.packet().await?;
        }
        if matches!(self.plugin, AuthPlugin::CachingSha2Password) {
            if packet == SEND_WHOLE {
                self.send_whole().await?;
                packet = self.link.packet().await?;
            } else if packet == FAST_DONE {
                packet = self.link.packet().await?;
            }
        }
        match packet.first() {
            Some(&OK) => Ok(()),
            Some(&ERROR) => Err(refusal(&packet)),
            _ => Err(Error::Protocol),
        }
    }

    async fn switch(&mut self, packet: &[u8]) -> Result<(), Error> {
        if packet.len() == 1 {
            return Err(Error::Plugin { plugin: "mysql_old_password".to_owned() });
        }
        let wish = ParseBuf(packet).parse::<AuthSwitchRequest<'_>>(());
        let wish = wish.map_err(|_| Error::Protocol)?;
        self.plugin = wish.auth_plugin().into_owned();
        self.nonce = wish.plugin_data().to_vec();
        let answer = self.answer()?;
        Ok(self.link.send(&answer).await?)
    }

    fn answer(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.plugin {
            AuthPlugin::CachingSha2Password | AuthPlugin::MysqlNativePassword => {
                if self.nonce.len() != NONCE {
                    return Err(Error::Protocol);
                }
                let proof = self.plugin.gen_data(Some(self.password), &self.nonce);
                Ok(Zeroizing::new(proof.as_deref().unwrap_or_default().to_vec()))
            }
            // The account of RDS IAM authentication sends its token as it is, which only TLS makes safe.
            AuthPlugin::MysqlClearPassword if self.privacy == Privacy::Encrypted => {
                Ok(self.whole())
            }
            AuthPlugin::MysqlClearPassword => Err(Error::Cleartext),
            other => {
                let plugin = String::from_utf8_lossy(other.as_bytes()).into_owned();
                Err(Error::Plugin { plugin })
            }
        }
    }

    /// The password and a zero.
    fn whole(&self) -> Zeroizing<Vec<u8>> {
        let mut whole = Zeroizing::new(Vec::with_capacity(self.password.len() + 1));
        whole.extend_from_slice(self.password.as_bytes());
        whole.push(0);
        whole
    }

    /// The password itself: as it is where nobody hears it, else under the server's key.
    async fn send_whole(&mut self) -> Result<(), Error> {
        let mut whole = self.whole();
        if self.privacy != Privacy::Open {
            return Ok(self.link.send(&whole).await?);
        }
        self.link.send(SEND_KEY).await?;
        let key = self.link.packet().await?;
        if key.first() == Some(&ERROR) {
            return Err(refusal(&key));
        }
        let Some((&KEY, key)) = key.split_first() else { return Err(Error::Protocol) };
        for (byte, mask) in whole.iter_mut().zip(self.nonce.iter().cycle()) {
            *byte ^= mask;
        }
        let locked = locked(&whole, key).ok_or(Error::Protocol)?;
        Ok(self.link.send(&locked).await?)
    }
}

/// These bytes, readable to the owner of this key only. Not by `mysql_common`, which panics at a key that is none.
fn locked(bytes: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(key).ok()?;
    let key = PublicEncryptingKey::from_der(&key).ok()?;
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    let mut locked = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA1_MGF1SHA1, bytes, &mut locked, None).ok()?.len();
    locked.truncate(length);
    Some(locked)
}

#[cfg(test)]
mod tests;
