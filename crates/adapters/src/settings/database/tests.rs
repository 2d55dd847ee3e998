use super::*;

fn parse(text: &str) -> DatabaseUrl {
    text.parse().unwrap()
}

/// What comes after what was expected.
fn given(text: &str) -> String {
    let message = text.parse::<DatabaseUrl>().unwrap_err().to_string();
    let (expected, given) = message.split_once(", got ").unwrap();
    let expected = expected.strip_prefix("expected ").unwrap();
    assert!([FORM, PARAMETERS].contains(&expected), "{expected}");
    given.to_owned()
}

#[test]
fn a_url_names_user_password_address_and_database() {
    let url = parse("mysql://gorgen:s3gr%40do%2F@DB.example:3307/cl%C3%ADnica%2F1");
    assert_eq!(url.user, "gorgen");
    assert_eq!(url.password.expose(), "s3gr@do/");
    assert_eq!(url.address, Address::Tcp { host: "DB.example".to_owned(), port: 3307 });
    assert_eq!(url.database, "clínica/1");
    assert_eq!(url.identity().to_string(), "clínica/1 at DB.example:3307");
    assert_eq!(url.to_string(), "gorgen@DB.example:3307/clínica/1");
    assert_eq!(parse("mysql://root@localhost/x").password.expose(), "");
}

#[test]
fn hosts_are_names_and_addresses_of_either_kind() {
    for (text, server, is_local) in [
        ("mysql://u@localhost/d", "localhost:3306", true),
        ("mysql://u@LOCALHOST/d", "LOCALHOST:3306", true),
        ("mysql://u@127.0.0.1:33060/d", "127.0.0.1:33060", true),
        ("mysql://u@[::1]/d", "[::1]:3306", true),
        ("mysql://u@[2001:db8::1]:3307/d", "[2001:db8::1]:3307", false),
        ("mysql://u@10.0.0.1/d", "10.0.0.1:3306", false),
        ("mysql://u@localhost.example/d", "localhost.example:3306", false),
    ] {
        let url = parse(text);
        assert_eq!(url.identity().server, server);
        assert_eq!(url.address.is_local(), is_local, "{text}");
    }
}

#[test]
fn tls_is_required_wherever_a_network_is_crossed() {
    let required = |ca: Option<&str>| Tls::Required { ca: ca.map(PathBuf::from) };
    for (text, tls, is_exposed) in [
        ("mysql://u@db.example/d", required(None), false),
        ("mysql://u@db.example/d?tls=required", required(None), false),
        ("mysql://u@db.example/d?ca=/etc/rds.pem", required(Some("/etc/rds.pem")), false),
        ("mysql://u@db.example/d?tls=off", Tls::Off, true),
        ("mysql://u@localhost/d", Tls::Off, false),
        ("mysql://u@localhost/d?tls=off", Tls::Off, false),
        ("mysql://u@localhost/d?tls=required", required(None), false),
        (
            "mysql://u@127.0.0.1/d?tls=required&ca=/etc/a%20b.pem",
            required(Some("/etc/a b.pem")),
            false,
        ),
        ("mysql://u@localhost/d?socket=/run/mysqld.sock", Tls::Off, false),
    ] {
        let url = parse(text);
        assert_eq!((&url.tls, url.is_exposed()), (&tls, is_exposed), "{text}");
    }
}

#[test]
fn with_a_socket_the_host_may_be_left_out() {
    for text in
        ["mysql://root:p@/d?socket=/run/a.sock", "mysql://root:p@localhost/d?socket=/run/a.sock"]
    {
        let url = parse(text);
        assert_eq!(url.address, Address::Socket("/run/a.sock".into()));
        assert_eq!(url.identity().server, "/run/a.sock");
        assert_eq!(url.password.expose(), "p");
    }
}

#[test]
fn another_database_of_the_server_keeps_all_else() {
    let url = parse("mysql://u:p@db.example/one?tls=off");
    let other = url.with_database("two");
    assert_eq!(other, parse("mysql://u:p@db.example/two?tls=off"));
}

#[test]
fn what_is_wrong_is_named() {
    for (text, expected) in [
        ("clinica", "no URL (relative URL without a base)"),
        ("postgres://u:segredo@h/d", "one that starts with postgres:"),
        ("mysql://h/d", "one without a user"),
        ("mysql://u@h", "one without a database"),
        ("mysql://u@h/", "one without a database"),
        ("mysql://u@h/a/b", "one with a `/` in the database's name"),
        ("mysql://u@h:99999/d", "no URL (invalid port number)"),
        ("mysql://u@/d", "no URL (empty host)"),
        ("mysql://%ff@h/d", "a user that is not UTF-8"),
        ("mysql://u@h/d?tls=on", "tls= and a word that is neither off nor required"),
        ("mysql://u@h/d?sslmode=require", "the parameter \"sslmode\""),
        ("mysql://u@h/d?ca=rds.pem", "ca=\"rds.pem\", no absolute path"),
        ("mysql://u@h/d?socket=", "socket=\"\", no absolute path"),
        ("mysql://u@h/d?tls=off&ca=/a.pem", "tls=off beside ca="),
        ("mysql://u@h/d?tls=required&socket=/a", "TLS for a socket, which has none"),
    ] {
        assert_eq!(given(text), expected, "{text}");
    }
}

#[test]
fn no_error_shows_a_part_of_a_password() {
    for password in [
        "se:gre:do",
        "se/gre/do",
        "se?gre?do",
        "se#gre#do",
        "se@gre@do",
        "12/gre/do",
        "12?gre=do",
        "[gre]do",
    ] {
        for rest in ["@host/database", "@/database?socket=/a", "@host"] {
            let text = format!("mysql://user:{password}{rest}");
            match text.parse::<DatabaseUrl>() {
                Ok(url) => assert!(!format!("{url:?} {url}").contains("gre"), "{text}"),
                Err(error) => assert!(!error.to_string().contains("gre"), "{text}: {error}"),
            }
        }
    }
}
