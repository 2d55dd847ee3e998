//! A server that says what it is told to say, and tells what it heard.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use bytes::{BufMut, BytesMut};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use mysql_common::constants::CapabilityFlags;

use super::{
    Connection,
    link::{Duplex, Link},
};

/// Waits for both sides of a conversation. Two that wait for each other fail the test.
macro_rules! both {
    ($client:expr, $server:expr $(,)?) => {
        tokio::time::timeout($crate::mysql::wire::testing::PATIENCE, async {
            tokio::join!($client, $server)
        })
        .await
        .expect("an end of the conversation")
    };
}
pub(in crate::mysql) use both;

pub(in crate::mysql) const PATIENCE: Duration = Duration::from_secs(30);

/// What is under way between the two.
const ROOM: usize = 64 << 10;

pub(in crate::mysql) struct Fake {
    stream: Box<dyn Duplex>,
    /// The number of its next packet.
    pub(in crate::mysql) number: u8,
}

/// A server, and the stream that leads to it.
pub(in crate::mysql) fn fake() -> (Fake, DuplexStream) {
    let (there, here) = duplex(ROOM);
    (Fake { stream: Box::new(there), number: 0 }, here)
}

/// A session with a server that ends rows in the new way.
pub(in crate::mysql) fn connected() -> (Connection, Fake) {
    let (server, stream) = fake();
    let link = Link::over(Box::new(stream));
    (Connection::new(link, CapabilityFlags::CLIENT_DEPRECATE_EOF), server)
}

impl Fake {
    /// Sends a packet, in as many pieces as it takes.
    pub(in crate::mysql) async fn say(&mut self, payload: impl AsRef<[u8]>) {
        let mut rest = payload.as_ref();
        loop {
            let (piece, after) = rest.split_at(rest.len().min(0xff_ffff));
            self.say_raw(&framed(self.number, piece)).await;
            self.number = self.number.wrapping_add(1);
            rest = after;
            if piece.len() < 0xff_ffff {
                return;
            }
        }
    }

    /// Sends bytes that need not be packets.
    pub(in crate::mysql) async fn say_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a client that listens");
        self.stream.flush().await.expect("a client that listens");
    }

    /// Takes one piece of a packet; `None` if the client hung up.
    pub(in crate::mysql) async fn hear_piece(&mut self) -> Option<(u8, Vec<u8>)> {
        let header = self.stream.read_u32_le().await.ok()?;
        let [low, middle, high, number] = header.to_le_bytes();
        let length = u32::from_le_bytes([low, middle, high, 0]);
        let mut piece = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut piece).await.ok()?;
        self.number = number.wrapping_add(1);
        Some((number, piece))
    }

    /// Takes a whole packet.
    pub(in crate::mysql) async fn hear(&mut self) -> Vec<u8> {
        let mut payload = Vec::new();
        loop {
            let (_, piece) = self.hear_piece().await.expect("a packet");
            payload.extend_from_slice(&piece);
            if piece.len() < 0xff_ffff {
                return payload;
            }
        }
    }

    /// Did the client hang up, having said nothing more?
    pub(in crate::mysql) async fn hears_nothing(&mut self) -> bool {
        self.hear_piece().await.is_none()
    }

    /// Goes on under TLS, if the client likes the certificate `name` in this folder.
    pub(in crate::mysql) async fn secured(
        self,
        folder: &Path,
        name: &str,
    ) -> std::io::Result<Self> {
        let read = |kind: &str| fs::read(folder.join(format!("{name}.{kind}"))).unwrap();
        let certificate = CertificateDer::from_pem_slice(&read("pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&read("key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let stream = TlsAcceptor::from(Arc::new(config)).accept(self.stream).await?;
        Ok(Self { stream: Box::new(stream), number: self.number })
    }
}

/// A packet of one piece.
pub(in crate::mysql) fn framed(number: u8, piece: &[u8]) -> Vec<u8> {
    let mut packet = BytesMut::new();
    let length = u32::try_from(piece.len()).unwrap();
    packet.put_u32_le(length | u32::from(number) << 24);
    packet.put_slice(piece);
    packet.to_vec()
}

/// An error as servers send it to those who are logged in.
pub(in crate::mysql) fn error(code: u16, message: &str) -> Vec<u8> {
    let [low, high] = code.to_le_bytes();
    [&[0xff, low, high], &b"#HY000"[..], message.as_bytes()].concat()
}

/// A certificate of its own for this subject, valid for itself as an authority.
pub(in crate::mysql) fn certificate(folder: &Path, name: &str, subject: &str) {
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-subj", "/CN=test", "-addext", &format!("subjectAltName={subject}"), "-keyout"])
        .arg(file("key"))
        .arg("-out")
        .arg(file("pem"))
        .output()
        .expect("openssl, from the package of that name");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
