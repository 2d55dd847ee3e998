//! Logins to a server that asks for what it is told to, with certificates made for the test.

use std::{io::ErrorKind, path::Path};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::FutureExt;
use mysql_common::{io::ParseBuf, packets::HandshakePacket};
use proptest::prelude::*;
use rustls::RootCertStore;

use super::*;
use crate::{
    mysql::wire::testing::{Fake, both, certificate, error, fake, framed},
    settings::Authority,
};

const PASSWORD: &str = "segredo";
const FIRST: &[u8; 20] = b"abcdefghijklmnopqrst";
const SECOND: &[u8; 20] = b"ABCDEFGHIJKLMNOPQRST";
const DONE: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

/// All that a server may say that it can do.
fn able() -> CapabilityFlags {
    CapabilityFlags::all().difference(CapabilityFlags::CLIENT_SSL)
}

fn greets(plugin: &str, capabilities: CapabilityFlags) -> Vec<u8> {
    let (start, rest) = FIRST.split_first_chunk::<8>().unwrap();
    let mut nonce = rest.to_vec();
    nonce.push(0);
    spelled(&HandshakePacket::new(
        VERSION,
        &b"9.0.0-test"[..],
        7,
        *start,
        Some(nonce),
        capabilities,
        45,
        mysql_common::constants::StatusFlags::SERVER_STATUS_AUTOCOMMIT,
        Some(plugin.as_bytes().to_vec()),
    ))
}

fn switches_to(plugin: &str) -> Vec<u8> {
    [&[END], plugin.as_bytes(), &[0], SECOND, &[0]].concat()
}

fn proof(plugin: &AuthPlugin<'_>, nonce: &[u8]) -> Vec<u8> {
    plugin.gen_data(Some(PASSWORD), nonce).unwrap().to_vec()
}

fn open_way() -> DatabaseUrl {
    url("mysql://eu@127.0.0.1:3306/clinica")
}

fn url(text: &str) -> DatabaseUrl {
    text.parse().unwrap()
}

fn trusting(host: &str, folder: &Path, name: &str) -> DatabaseUrl {
    url(&format!("mysql://eu@{host}:3306/clinica?ca={}/{name}.pem", folder.display()))
}

/// A login to a server that does this.
async fn login<T>(
    url: &DatabaseUrl,
    serve: impl AsyncFnOnce(Fake) -> T,
) -> (Result<Connection, Error>, T) {
    let (server, stream) = fake();
    both!(log_in(Box::new(stream), url, PASSWORD), serve(server))
}

/// A login to a server that greets, hears who we are, and says these.
async fn login_hearing(url: &DatabaseUrl, plugin: &str, says: &[&[u8]]) -> Result<(), Error> {
    let (done, ()) = login(url, async |mut server| {
        server.say(greets(plugin, able())).await;
        server.hear().await;
        for (place, payload) in says.iter().enumerate() {
            if place > 0 && server.hear_piece().await.is_none() {
                return;
            }
            server.say(payload).await;
        }
    })
    .await;
    done.map(drop)
}

#[tokio::test]
async fn who_we_are_is_proved_by_the_greetings_plugin() {
    for (name, plugin) in [
        ("mysql_native_password", AuthPlugin::MysqlNativePassword),
        ("caching_sha2_password", AuthPlugin::CachingSha2Password),
        // Not known here: the server will say what it needs.
        ("sha256_password", AuthPlugin::MysqlNativePassword),
    ] {
        let (done, heard) = login(&open_way(), async |mut server| {
            server.say(greets(name, able())).await;
            let heard = server.hear().await;
            server.say(DONE).await;
            heard
        })
        .await;
        assert!(done.is_ok());
        let heard = ParseBuf(&heard).parse::<HandshakeResponse<'_>>(()).unwrap();
        assert_eq!(heard.user(), b"eu");
        assert_eq!(heard.scramble_buf(), proof(&plugin, FIRST));
        assert_eq!(heard.auth_plugin(), Some(&plugin));
        assert_eq!(heard.collation(), 45, "utf8mb4");
        assert_eq!(
            heard.capabilities(),
            WANTED,
            "no other, several statements at once least of all"
        );
    }
}

#[tokio::test]
async fn without_a_password_there_is_no_proof() {
    let (server, stream) = fake();
    let serve = async |mut server: Fake| {
        server.say(greets("caching_sha2_password", able())).await;
        let heard = server.hear().await;
        server.say(switches_to("mysql_native_password")).await;
        assert!(server.hear().await.is_empty());
        server.say(DONE).await;
        heard
    };
    let way = open_way();
    let (done, heard) = both!(log_in(Box::new(stream), &way, ""), serve(server));
    assert!(done.is_ok());
    let heard = ParseBuf(&heard).parse::<HandshakeResponse<'_>>(()).unwrap();
    assert!(heard.scramble_buf().is_empty());
}

#[tokio::test]
async fn another_proof_is_given_once() {
    for (name, plugin) in [
        ("mysql_native_password", AuthPlugin::MysqlNativePassword),
        ("caching_sha2_password", AuthPlugin::CachingSha2Password),
    ] {
        let (done, ()) = login(&open_way(), async |mut server| {
            server.say(greets("other", able())).await;
            server.hear().await;
            server.say(switches_to(name)).await;
            assert_eq!(server.hear().await, proof(&plugin, SECOND));
            if plugin == AuthPlugin::CachingSha2Password {
                server.say(FAST_DONE).await;
            }
            server.say(DONE).await;
        })
        .await;
        assert!(done.is_ok(), "{name}");
    }
    let again = switches_to("mysql_native_password");
    let twice = login_hearing(&open_way(), "caching_sha2_password", &[&again, &again]).await;
    assert!(matches!(twice, Err(Error::Protocol)));
}

#[tokio::test]
async fn a_refusal_is_the_servers_own() {
    let denied = error(1045, "Access denied for user 'eu'");
    for says in [&[&denied[..]][..], &[&switches_to("mysql_native_password"), &denied]] {
        let refused = login_hearing(&open_way(), "caching_sha2_password", says).await;
        assert!(matches!(refused, Err(Error::Server { code: 1045, .. })));
    }
    // To one who is not known yet a server speaks without its state.
    let (full, ()) = login(&open_way(), async |mut server| {
        server.say(b"\xff\x10\x04Too many connections").await;
    })
    .await;
    let full = full.map(drop).unwrap_err();
    assert!(
        matches!(&full, Error::Server { code: 1040, message } if message == "Too many connections"),
        "{full:?}"
    );
}

#[tokio::test]
async fn plugins_that_are_not_known_are_named() {
    for (says, name) in [
        (switches_to("client_ed25519"), "client_ed25519"),
        (switches_to("parsec"), "parsec"),
        (switches_to("mysql_old_password"), "mysql_old_password"),
        (switches_to("sha256_password"), "sha256_password"),
        (vec![END], "mysql_old_password"),
    ] {
        let refused = login_hearing(&open_way(), "mysql_native_password", &[&says]).await;
        assert!(matches!(refused, Err(Error::Plugin { plugin }) if plugin == name), "{name}");
    }
}

#[tokio::test]
async fn nonsense_is_an_error() {
    let nonce_missing = [&[END], &b"mysql_native_password\0"[..], &[0]].concat();
    let endless = [&[END], &b"mysql_native_password"[..]].concat();
    let says: &[&[u8]] = &[&[], &[3], &[1, 9], FAST_DONE, SEND_WHOLE, &nonce_missing, &endless];
    for payload in says {
        let refused = login_hearing(&open_way(), "mysql_native_password", &[payload]).await;
        assert!(matches!(refused, Err(Error::Protocol)), "{payload:?}");
    }
    let old = greets("mysql_native_password", CapabilityFlags::CLIENT_PLUGIN_AUTH);
    let whole = greets("mysql_native_password", able());
    for greeting in [&old[..], b"", b"\x09old", &whole[..40]] {
        let (refused, ()) = login(&open_way(), async |mut server| server.say(greeting).await).await;
        assert!(matches!(refused, Err(Error::Protocol)), "{greeting:?}");
    }
}

/// A key as a server sends it.
fn pem(key: &PrivateDecryptingKey) -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("\x01-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").into_bytes()
}

#[tokio::test]
async fn where_others_hear_it_the_password_goes_under_the_servers_key() {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let (done, locked) = login(&open_way(), async |mut server| {
        server.say(greets("caching_sha2_password", able())).await;
        server.hear().await;
        server.say(SEND_WHOLE).await;
        assert_eq!(server.hear().await, SEND_KEY);
        server.say(pem(&key)).await;
        let locked = server.hear().await;
        server.say(DONE).await;
        locked
    })
    .await;
    assert!(done.is_ok());
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let mut opened = vec![0; key.min_output_size()];
    let opened = key.decrypt(&OAEP_SHA1_MGF1SHA1, &locked, &mut opened, None).unwrap();
    let expected: Vec<u8> =
        b"segredo\0".iter().zip(FIRST).map(|(byte, mask)| byte ^ mask).collect();
    assert_eq!(opened, expected);
}

#[tokio::test]
async fn no_key_no_password() {
    let keys: &[&[u8]] = &[
        b"",
        b"\x01",
        b"\x02key",
        b"\x01-----BEGIN PUBLIC KEY-----\n%%%\n-----END PUBLIC KEY-----\n",
        b"\x01-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
        b"\x01-----BEGIN RSA PUBLIC KEY-----\nMAA=\n-----END RSA PUBLIC KEY-----\n",
    ];
    for key in keys {
        let says = [SEND_WHOLE, key];
        let refused = login_hearing(&open_way(), "caching_sha2_password", &says).await;
        assert!(matches!(refused, Err(Error::Protocol)), "{key:?}");
    }
}

#[tokio::test]
async fn over_a_socket_the_password_goes_as_it_is() {
    let socket = url("mysql://eu@/clinica?socket=/run/my.sock");
    let (done, ()) = login(&socket, async |mut server| {
        server.say(greets("caching_sha2_password", able())).await;
        server.hear().await;
        server.say(SEND_WHOLE).await;
        assert_eq!(server.hear().await, b"segredo\0");
        server.say(DONE).await;
    })
    .await;
    assert!(done.is_ok());
}

#[tokio::test]
async fn a_token_goes_nowhere_without_tls() {
    for way in [open_way(), url("mysql://eu@db.example/d?tls=off"), url("mysql://eu@/d?socket=/s")]
    {
        let (refused, ()) = login(&way, async |mut server| {
            server.say(greets("mysql_native_password", able())).await;
            server.hear().await;
            server.say(switches_to("mysql_clear_password")).await;
            assert!(server.hears_nothing().await, "{way}");
        })
        .await;
        assert!(matches!(refused, Err(Error::Cleartext)), "{way}");
    }
}

#[tokio::test]
async fn tls_that_is_asked_for_and_not_offered_is_an_error_before_anything_is_said() {
    for way in ["db.example/c", "db.example/c?ca=rds", "127.0.0.1/c?tls=required"] {
        let way = url(&format!("mysql://eu@{way}"));
        let (refused, ()) = login(&way, async |mut server| {
            server.say(greets("mysql_native_password", able())).await;
            assert!(server.hears_nothing().await, "{way}");
        })
        .await;
        assert!(matches!(refused, Err(Error::NoTls)), "{way}");
    }
}

/// A server that offers TLS with this certificate, up to the word that it begins.
async fn offers_tls(server: &mut Fake) {
    server.say(greets("mysql_native_password", CapabilityFlags::all())).await;
    let request = server.hear().await;
    assert_eq!(request.len(), 32, "nothing of who we are");
    let request = ParseBuf(&request).parse::<SslRequest>(()).unwrap();
    assert_eq!(request.capabilities(), WANTED | CapabilityFlags::CLIENT_SSL);
}

#[tokio::test]
async fn under_tls_a_token_goes_to_the_server_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "IP:127.0.0.1,DNS:db.example");
    for host in ["127.0.0.1", "db.example"] {
        let way = trusting(host, folder.path(), "server");
        let (done, ()) = login(&way, async |mut server| {
            offers_tls(&mut server).await;
            let mut server = server.secured(folder.path(), "server").await.unwrap();
            let (number, _) = server.hear_piece().await.unwrap();
            assert_eq!(number, 2, "the count goes on");
            server.say(switches_to("mysql_clear_password")).await;
            assert_eq!(server.hear().await, b"segredo\0");
            server.say(DONE).await;
        })
        .await;
        assert!(done.is_ok(), "{host}");
    }
}

#[tokio::test]
async fn under_tls_the_whole_password_goes_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "DNS:db.example");
    let way = trusting("db.example", folder.path(), "server");
    let (done, ()) = login(&way, async |mut server| {
        offers_tls(&mut server).await;
        let mut server = server.secured(folder.path(), "server").await.unwrap();
        server.hear().await;
        server.say(switches_to("caching_sha2_password")).await;
        server.hear().await;
        server.say(SEND_WHOLE).await;
        assert_eq!(server.hear().await, b"segredo\0");
        server.say(DONE).await;
    })
    .await;
    assert!(done.is_ok());
}

#[tokio::test]
async fn a_server_that_can_not_prove_who_it_is_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "DNS:db.example");
    certificate(folder.path(), "stranger", "DNS:db.example");
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    let public = url("mysql://eu@db.example/c");
    let rds = url("mysql://eu@db.example/c?ca=rds");
    for way in [
        trusting("db.example", folder.path(), "stranger"),
        trusting("db.example", folder.path(), "empty"),
        trusting("other.example", folder.path(), "server"),
        trusting("127.0.0.1", folder.path(), "server"),
        public,
        rds,
    ] {
        let (refused, ()) = login(&way, async |mut server| {
            offers_tls(&mut server).await;
            if let Ok(mut server) = server.secured(folder.path(), "server").await {
                assert!(server.hears_nothing().await, "{way}");
            }
        })
        .await;
        assert!(matches!(refused, Err(Error::Tls(_))), "{way}");
    }
}

#[tokio::test]
async fn what_is_said_before_tls_begins_does_not_pass_for_what_is_said_under_it() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "DNS:db.example");
    let way = trusting("db.example", folder.path(), "server");
    let (refused, ()) = login(&way, async |mut server| {
        let greeting = greets("mysql_native_password", CapabilityFlags::all());
        let both = [framed(0, &greeting), b"\x07\0\0\x03".to_vec()];
        server.say_raw(&both.concat()).await;
        server.hear().await;
        assert!(server.hears_nothing().await);
    })
    .await;
    assert!(matches!(refused, Err(Error::Protocol)));
}

#[tokio::test]
async fn a_network_that_breaks_under_tls_is_the_network() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "DNS:db.example");
    let way = trusting("db.example", folder.path(), "server");
    let (lost, ()) = login(&way, async |mut server| offers_tls(&mut server).await).await;
    let lost = lost.map(drop).unwrap_err();
    assert!(
        matches!(&lost, Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_file_of_authorities_that_is_none_is_an_error_of_tls() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nonsense.pem"), "nonsense").unwrap();
    for name in ["missing", "nonsense"] {
        let way = trusting("db.example", folder.path(), name);
        let (refused, ()) = login(&way, async |mut server| offers_tls(&mut server).await).await;
        assert!(matches!(refused, Err(Error::Tls(_))), "{name}");
    }
}

#[test]
fn only_authorities_that_were_chosen_are_trusted() {
    let public = tls::roots(&Authority::Public).unwrap();
    let rds = tls::roots(&Authority::Rds).unwrap();
    assert!(public.len() > 50 && rds.len() > 50);
    let names = |roots: &RootCertStore| -> Vec<Vec<u8>> {
        roots.subjects().iter().map(|name| name.as_ref().to_vec()).collect()
    };
    let public = names(&public);
    assert!(names(&rds).iter().all(|name| !public.contains(name)));
}

#[test]
fn a_certificate_may_be_spelled_as_text_or_as_bytes() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "DNS:db.example");
    let (text, bytes) = (folder.path().join("server.pem"), folder.path().join("server.der"));
    let der = rustls::pki_types::CertificateDer::from_pem_file(&text).unwrap();
    std::fs::write(&bytes, &der).unwrap();
    let roots = |path| tls::roots(&Authority::File(path)).unwrap();
    let name = |path| roots(path).subjects()[0].as_ref().to_vec();
    assert_eq!((roots(text.clone()).len(), name(text)), (1, name(bytes)));
}

proptest! {
    #[test]
    fn whatever_a_server_greets_with_there_is_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0..100_usize, place in 0..90_usize, byte: u8
    ) {
        let _ = greeting(&bytes);
        let mut damaged = greets("caching_sha2_password", able());
        if let Some(hit) = damaged.get_mut(place) {
            *hit = byte;
        }
        damaged.truncate(cut);
        let _ = greeting(&damaged);
    }

    #[test]
    fn whatever_a_server_asks_for_there_is_an_answer(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for start in [vec![], SEND_WHOLE.to_vec(), switches_to("caching_sha2_password")] {
                let (mut server, stream) = fake();
                server.say(greets("caching_sha2_password", able())).await;
                server.number = 2;
                for packet in std::iter::once(&start).chain(&packets) {
                    server.say(packet).await;
                    server.number = server.number.wrapping_add(1);
                }
                let _ = log_in(Box::new(stream), &open_way(), PASSWORD).now_or_never();
            }
        });
    }
}
