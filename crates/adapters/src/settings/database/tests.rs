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
    assert_eq!(url.password, Secret::new("s3gr@do/").into());
    assert_eq!(url.address, Address::Tcp { host: "DB.example".to_owned(), port: 3307 });
    assert_eq!(url.database, "clínica/1");
    assert_eq!(url.identity().to_string(), "clínica/1 at DB.example:3307");
    assert_eq!(url.to_string(), "gorgen@DB.example:3307/clínica/1");
    assert_eq!(parse("mysql://root@localhost/x").password, Secret::new("").into());
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
    let required = |ca: Option<&str>| Tls::Required {
        ca: ca.map_or(Authority::Public, |path| Authority::File(path.into())),
    };
    for (text, tls, is_exposed) in [
        ("mysql://u@db.example/d", required(None), false),
        ("mysql://u@db.example/d?tls=required", required(None), false),
        ("mysql://u@db.example/d?ca=/etc/rds.pem", required(Some("/etc/rds.pem")), false),
        ("mysql://u@db.example/d?ca=rds", Tls::Required { ca: Authority::Rds }, false),
        ("mysql://u@localhost/d?ca=rds", Tls::Required { ca: Authority::Rds }, false),
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
        assert_eq!(url.password, Secret::new("p").into());
    }
}

#[test]
fn another_database_of_the_server_keeps_all_else() {
    let url = parse("mysql://u:p@db.example/one?tls=off");
    let other = url.with_database("two");
    assert_eq!(other, parse("mysql://u:p@db.example/two?tls=off"));
}

#[test]
fn a_spelled_url_is_read_back() {
    for text in [
        "mysql://root@localhost/clinica",
        "mysql://root@localhost/clinica?tls=required",
        "mysql://root@db.example:3307/cl%C3%ADnica%2F1%3F",
        "mysql://root@[2001:db8::1]:3307/d?tls=off",
        "mysql://root@db.example/d?ca=rds",
        "mysql://root@db.example/d?ca=/etc/my%20ca%26.pem",
        "mysql://root@/d?socket=/run/my%3Fsql.sock",
    ] {
        let url = parse(text);
        for (user, password) in [("gorgen_backup", "abc-aZ9"), ("a@b:c/d?e#f'g%", "@:/?#[]%&'é")] {
            let back = parse(&url.spelled(user, Some(password)));
            let password = Password::from(Secret::new(password));
            assert_eq!(back, DatabaseUrl { user: user.to_owned(), password, ..url.clone() });
        }
    }
    let url = parse("mysql://root@db.example/clinica?ca=rds");
    assert_eq!(
        url.spelled("gorgen", Some("s3gr@do")),
        "mysql://gorgen:s3gr%40do@db.example:3306/clinica?ca=rds"
    );
    let by_iam = url.spelled("gorgen", None);
    assert_eq!(by_iam, "mysql://gorgen@db.example:3306/clinica?ca=rds&auth=rds-iam");
    let read = database(&by_iam, None).unwrap();
    assert!(matches!(read, Database::RdsIam(back) if back.tls == url.tls));
}

#[test]
fn what_is_known_without_asking_anyone_is_all_but_the_password() {
    let known = |url, secret| database(url, secret).unwrap().as_known();
    let url = "mysql://gorgen:segredo@db.example/clinica";
    assert_eq!(known(url, None).unwrap(), parse("mysql://gorgen@db.example/clinica"));
    let in_secret = known("mysql://db.example/clinica?ca=rds", Some("clinic/db")).unwrap();
    assert_eq!((&*in_secret.user, &*in_secret.database), ("", "clinica"));
    assert_eq!(known("mysql://db.example", Some("clinic/db")), None);
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
        ("mysql://u@h/d?auth=segredo", "auth= and a word that is not rds-iam"),
        ("mysql://u@h/d?auth=rds-iam", "auth=rds-iam, which makes no password here"),
        ("mysql:///d", "one without a user"),
        ("mysql:///d?socket=/a", "one without a user"),
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
        "12/gre",
        "12?gre",
        "[gre]do",
    ] {
        for rest in ["@host/database", "@/database?socket=/a", "@host"] {
            let text = format!("mysql://user:{password}{rest}");
            match text.parse::<DatabaseUrl>() {
                Ok(url) => assert!(!format!("{url:?} {url}").contains("gre"), "{text}"),
                Err(error) => assert!(!error.to_string().contains("gre"), "{text}: {error}"),
            }
            let shown = format!("{:?}", database(&text, Some("s")).map(|url| url.to_string()));
            assert!(!shown.contains("gre"), "{text}: {shown}");
        }
    }
}

/// A database out of URL and secret, or what is said about them.
fn database(url: &str, secret: Option<&str>) -> Result<Database, String> {
    let secret = secret.map(|name| name.parse().unwrap());
    let parts = url.parse::<UrlParts>();
    let database = parts.and_then(|parts| Database::of(parts, secret));
    database.map_err(|error| error.to_string().split_once(", got ").unwrap().1.to_owned())
}

#[test]
fn iam_stands_for_the_password_and_wants_tls() {
    for url in ["mysql://u@db.example/d?auth=rds-iam&ca=rds", "mysql://u@localhost/d?auth=rds-iam"]
    {
        let Ok(Database::RdsIam(url)) = database(url, None) else { panic!("{url}") };
        assert_ne!(url.tls, Tls::Off);
        assert_eq!(url.password, Secret::new("").into());
    }
    let shown = database("mysql://u@db.example/d?auth=rds-iam", None).unwrap().to_string();
    assert_eq!(shown, "u@db.example:3306/d, by RDS IAM authentication");
    for (url, secret, expected) in [
        ("mysql://u:segredo@h/d?auth=rds-iam", None, "auth=rds-iam beside a password"),
        ("mysql://u@h/d?auth=rds-iam&tls=off", None, "auth=rds-iam beside tls=off"),
        ("mysql://u@/d?auth=rds-iam&socket=/a", None, "auth=rds-iam for a socket"),
        ("mysql://h/d?auth=rds-iam", None, "one without a user"),
        ("mysql://u@h/d?auth=rds-iam", Some("s"), "auth=rds-iam beside a secret"),
    ] {
        assert_eq!(database(url, secret).unwrap_err(), expected, "{url}");
    }
}

#[test]
fn beside_a_secret_a_url_may_say_less() {
    let server = |name: &str| name.to_owned();
    for (url, shown, identity) in [
        ("mysql://", "as the secret s says", None),
        ("mysql:///d", "/d, the rest as the secret s says", None),
        ("mysql://h", "h:3306, the rest as the secret s says", None),
        ("mysql://h:3307/d", "h:3307/d, the rest as the secret s says", Some(server("h:3307"))),
        ("mysql://u@h/d", "u@h:3306/d, the rest as the secret s says", Some(server("h:3306"))),
        ("mysql:///d?socket=/a", "/a/d, the rest as the secret s says", Some(server("/a"))),
    ] {
        let database = database(url, Some("s")).unwrap();
        assert_eq!(database.to_string(), shown, "{url}");
        assert_eq!(database.identity().map(|identity| identity.server), identity, "{url}");
    }
    let other = database("mysql://h", Some("s")).unwrap().with_database("outra");
    assert_eq!(other.identity().unwrap().to_string(), "outra at h:3306");
    assert!(database("mysql://h/d?tls=off", Some("s")).unwrap().is_exposed());
    assert!(!database("mysql://localhost/d?tls=off", Some("s")).unwrap().is_exposed());
    for (url, expected) in [
        ("mysql://u:segredo@h/d", "one with a password, which a secret is to give"),
        ("mysql://h/a/b", "one with a `/` in the database's name"),
        ("mysql://h/d?ca=x", "ca=\"x\", no absolute path"),
    ] {
        assert_eq!(database(url, Some("s")).unwrap_err(), expected, "{url}");
    }
}
