//! Ways to a server: a socket, and TLS that is checked.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use gorgen_adapters::{
    credentials::CredentialsError,
    mysql::MySqlSource,
    settings::{Address, Authority, Password, PasswordMaker, Secret, Tls},
};
use gorgen_engine::ports::{Source, SourceError};

use crate::lab::{Server, chain, environment};

#[tokio::test]
async fn a_socket_leads_to_the_same_database() {
    let database = Server::MariaDb.database("socket").await;
    database.run(&["CREATE TABLE t (id INT PRIMARY KEY)"]).await;
    let socket =
        environment("TEST_MARIADB_SOCKET").expect("TEST_MARIADB_SOCKET, from local/lab.py");
    let mut url = database.url();
    url.address = Address::Socket(socket.clone().into());
    let source = MySqlSource::new(url.clone());
    assert_eq!(source.identity().server, socket);
    assert_eq!(source.catalog().await.unwrap().tables.len(), 1);
    url.address = Address::Socket("/nowhere/my.sock".into());
    let error = MySqlSource::new(url).catalog().await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{}", chain(&error));
    assert!(chain(&error).contains("No such file"), "{}", chain(&error));
    database.drop().await;
}

/// Gives the same password each time, as long as there are some left, and counts.
#[derive(Debug)]
struct Rationed {
    password: Secret,
    left: AtomicUsize,
}

#[async_trait::async_trait]
impl PasswordMaker for Rationed {
    async fn make(&self) -> Result<Secret, CredentialsError> {
        let left = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map(|_| self.password.clone()).map_err(|_| CredentialsError::Token {
            server: "here".to_owned(),
            user: "me".to_owned(),
            reason: "none is left".to_owned(),
            retryable: true,
            source: None,
        })
    }
}

#[tokio::test]
async fn each_connection_asks_for_its_password() {
    let database = Server::MariaDb.database("passwords").await;
    let user = format!("t{}", &database.name[database.name.len().saturating_sub(20)..]);
    database
        .run(&[
            &format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'segredo'"),
            &format!("GRANT ALL ON *.* TO '{user}'@'%'"),
        ])
        .await;
    let maker = Arc::new(Rationed { password: Secret::new("segredo"), left: AtomicUsize::new(2) });
    let mut url = database.url_as(&user, "");
    url.password = Password::Fresh(maker.clone());
    let source = MySqlSource::new(url);
    for left in [1, 0] {
        source.catalog().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!(maker.left.load(SeqCst), left);
    }
    let error = source.catalog().await.unwrap_err();
    assert!(matches!(error, SourceError::Credentials { .. }) && error.is_retryable());
    let told = chain(&error);
    assert!(
        told.starts_with("cannot log in to the database ") && told.ends_with("none is left"),
        "{told}"
    );
    database.run(&[&format!("DROP USER '{user}'@'%'")]).await;
    database.drop().await;
}

/// A certificate of its own for this name, valid for itself as an authority.
fn certificate(folder: &Path, name: &str, subject: &str) {
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-subj", "/CN=test", "-addext", &format!("subjectAltName={subject}"), "-keyout"])
        .arg(file("key"))
        .arg("-out")
        .arg(file("pem"))
        .output()
        .expect("openssl, from the package of that name");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn tls_is_checked() {
    if !Server::MySql.is_there() {
        return;
    }
    let database = Server::MySql.database("tls").await;
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "IP:127.0.0.1");
    certificate(folder.path(), "stranger", "IP:127.0.0.1");
    let path = |file: &str| folder.path().join(file);
    let set =
        |variable: &str, file: &str| format!("SET GLOBAL {variable} = '{}'", path(file).display());
    let user = format!("t{}", &database.name[database.name.len().saturating_sub(20)..]);
    database
        .run(&[
            &set("ssl_ca", "server.pem"),
            &set("ssl_cert", "server.pem"),
            &set("ssl_key", "server.key"),
            "ALTER INSTANCE RELOAD TLS",
            &format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'segredo' REQUIRE SSL"),
            &format!("GRANT ALL ON *.* TO '{user}'@'%'"),
        ])
        .await;
    let catalog = async |host: &str, tls: Tls| {
        let mut url = database.url_as(&user, "segredo");
        let Address::Tcp { port, .. } = url.address else { panic!("a port") };
        url.address = Address::Tcp { host: host.to_owned(), port };
        url.tls = tls;
        MySqlSource::new(url).catalog().await
    };
    let trusting = |file: &str| Tls::Required { ca: Authority::File(path(file)) };

    catalog("127.0.0.1", trusting("server.pem"))
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    let refused = catalog("127.0.0.1", Tls::Off).await.unwrap_err();
    assert!(
        matches!(refused, SourceError::Login { .. }),
        "the account requires TLS: {}",
        chain(&refused)
    );
    for (host, tls) in [
        ("127.0.0.1", trusting("stranger.pem")),
        ("127.0.0.1", Tls::Required { ca: Authority::Public }),
        ("127.0.0.1", Tls::Required { ca: Authority::Rds }),
        ("localhost", trusting("server.pem")),
        ("127.0.0.1", trusting("missing.pem")),
    ] {
        let error = catalog(host, tls.clone()).await.expect_err("an unchecked server");
        assert!(matches!(error, SourceError::Tls { .. }), "{host} {tls:?}: {}", chain(&error));
        assert!(!chain(&error).contains("segredo"));
    }
    database.run(&[&format!("DROP USER '{user}'@'%'")]).await;
    database.drop().await;
}
