//! The laboratory's database servers, through their own client programs.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use serde_json::Value;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    MariaDb,
    MySql,
}

impl Flavor {
    /// Its name in names of files and databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        }
    }
}

/// One running server, and the programs that talk to it.
pub struct Server {
    pub flavor: Flavor,
    /// `127.0.0.1:port`.
    pub address: String,
    client: Vec<String>,
    dump: Vec<String>,
    #[expect(dead_code, reason = "ends the server when it is dropped")]
    keeper: Option<Keeper>,
}

/// The process that keeps a private server until it is dropped.
struct Keeper {
    process: Child,
    held: Option<ChildStdin>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.held.take());
        let _ = self.process.wait();
    }
}

impl Server {
    /// The server that all tests share; `None`, with a line that says so, where it can't be had.
    pub fn of_the_laboratory(flavor: Flavor, test: &str) -> Option<Self> {
        if let (Flavor::MySql, Some(why)) = (flavor, env("TEST_MYSQL_SKIP")) {
            skip(test, &why);
            return None;
        }
        Some(match flavor {
            Flavor::MariaDb => Self::new(
                flavor,
                &needed("TEST_MARIADB_URL"),
                mariadb_programs(&needed("TEST_MARIADB_SOCKET")),
                None,
            ),
            Flavor::MySql => {
                let programs = [vec![needed("TEST_MYSQL_CLIENT")], vec![needed("TEST_MYSQL_DUMP")]];
                Self::new(flavor, &needed("TEST_MYSQL_URL"), programs, None)
            }
        })
    }

    /// A server of its own for one test, with these options.
    pub fn private(flavor: Flavor, test: &str, options: &[&str]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/private_server.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(flavor.name())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server's keeper speaks");
        let held = process.stdin.take();
        let keeper = Some(Keeper { process, held });
        let said: Value =
            serde_json::from_str(&line).expect("the server started, see the lines above");
        if let Some(why) = said["skipped"].as_str() {
            skip(test, why);
            return None;
        }
        let text = |name: &str| said[name].as_str().expect(name).to_owned();
        let programs = match flavor {
            Flavor::MariaDb => mariadb_programs(&text("socket")),
            Flavor::MySql => [vec![text("client")], vec![text("dump")]],
        };
        Some(Self::new(flavor, &text("url"), programs, keeper))
    }

    fn new(flavor: Flavor, url: &str, programs: [Vec<String>; 2], keeper: Option<Keeper>) -> Self {
        let [client, dump] = programs;
        let address =
            url.strip_prefix("mysql://root@").expect("the form of the laboratory's addresses");
        Self { flavor, address: address.trim_end_matches('/').to_owned(), client, dump, keeper }
    }

    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// The port alone.
    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("there is a port")
    }

    /// `GORGEN_DATABASE_URL` of a database, for root.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@{}/{}", self.address, percent(database))
    }

    /// The same for another account.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "mysql://{}:{}@{}/{}",
            percent(user),
            percent(password),
            self.address,
            percent(database)
        )
    }

    /// Runs SQL as root and gives the rows, tab-separated; the client's error if there is one.
    pub fn try_sql(
        &self,
        database: Option<&str>,
        text: impl AsRef<[u8]>,
    ) -> Result<String, String> {
        let mut client = self.client(database);
        let mut stdin = client.stdin.take().expect("it is piped");
        let text = text.as_ref().to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&text));
        let output = client.wait_with_output().expect("the client ends");
        let _ = writer.join();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs SQL that can't fail.
    #[track_caller]
    pub fn sql(&self, database: &str, text: impl AsRef<[u8]>) -> String {
        let database = Some(database).filter(|name| !name.is_empty());
        self.try_sql(database, &text).unwrap_or_else(|error| {
            panic!(
                "{error}\nin {}",
                String::from_utf8_lossy(&text.as_ref()[..text.as_ref().len().min(2000)])
            )
        })
    }

    /// One value.
    #[track_caller]
    pub fn value(&self, database: &str, query: &str) -> String {
        self.sql(database, query).trim_end_matches('\n').to_owned()
    }

    /// The client program and what it is told first: root, and where the server is.
    pub fn client_command(&self) -> (&str, &[String]) {
        (&self.client[0], &self.client[1..])
    }

    /// A running client that takes SQL on its standard input.
    pub fn client(&self, database: Option<&str>) -> Child {
        Command::new(&self.client[0])
            .args(&self.client[1..])
            .args([
                "--batch",
                "--skip-column-names",
                "--comments",
                "--default-character-set=utf8mb4",
                "--max-allowed-packet=256M",
            ])
            .args(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client runs")
    }

    /// What the server's own dump program makes of a database.
    pub fn dump(&self, database: &str, options: &[&str]) -> Vec<u8> {
        let output = Command::new(&self.dump[0])
            .args(&self.dump[1..])
            .args(options)
            .arg("--")
            .arg(database)
            .output();
        let output = output.expect("the dump program runs");
        assert!(
            output.status.success(),
            "dump of {database}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// A new empty database, dropped when its guard is.
    pub fn database(&self, name: &str) -> Database<'_> {
        self.database_as(name, "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    }

    /// The same with a character set.
    pub fn database_as(&self, name: &str, options: &str) -> Database<'_> {
        let database = self.absent(name);
        self.sql("", format!("CREATE DATABASE {} {options}", ident(&database.name)));
        database
    }

    /// The name of a database that does not exist yet.
    pub fn absent(&self, name: &str) -> Database<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        Database { server: self, name: format!("{name}_{}_{number}", std::process::id()) }
    }

    /// Runs a fixture of `tests/sql`, and the part of it that is for this kind of server, whatever the server's own
    /// modes are.
    #[track_caller]
    pub fn load_fixture(&self, database: &str, fixture: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
        let names = [format!("{fixture}.sql"), format!("{fixture}.{}.sql", self.flavor.name())];
        let mut found = 0;
        for text in names.iter().filter_map(|name| std::fs::read_to_string(folder.join(name)).ok())
        {
            self.sql(
                database,
                format!(
                    "SET sql_mode = 'STRICT_TRANS_TABLES';\n{}",
                    text.replace("@OWNER@", OWNER)
                ),
            );
            found += 1;
        }
        assert!(found > 0, "no fixture {fixture}");
    }

    /// Makes an account with a password, and these privileges on everything that its URL may need.
    pub fn account(&self, name: &str, password: &str, grants: &[&str]) {
        let mut text =
            format!("CREATE USER IF NOT EXISTS '{name}'@'%' IDENTIFIED BY '{password}';");
        for grant in grants {
            let _ = write!(text, "GRANT {grant} TO '{name}'@'%';");
        }
        self.sql("", text);
    }

    /// An account that fixtures name as the one that programs run as.
    pub fn make_owner(&self) {
        self.sql("", format!("CREATE USER IF NOT EXISTS {OWNER}; GRANT ALL ON *.* TO {OWNER}"));
    }
}

/// Who owns the programs of fixtures.
pub const OWNER: &str = "'dona de tudo'@'localhost'";

/// A database that is dropped at the end of its test.
pub struct Database<'a> {
    server: &'a Server,
    pub name: String,
}

impl Database<'_> {
    /// Whether it is there.
    pub fn exists(&self) -> bool {
        let query = format!(
            "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{}'",
            self.name
        );
        self.server.value("", &query) != "0"
    }

    /// Drops it now, if it is there.
    pub fn remove(&self) {
        let _ = self.server.try_sql(None, format!("DROP DATABASE IF EXISTS {}", ident(&self.name)));
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A name between backticks.
pub fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A name as a part of a URL.
pub fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn mariadb_programs(socket: &str) -> [Vec<String>; 2] {
    ["mariadb", "mariadb-dump"].map(|program| {
        let socket = format!("--socket={socket}");
        [program, "--no-defaults", &socket, "--user=root"].map(str::to_owned).to_vec()
    })
}

/// Says loudly that a test did not run.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests learn from the environment where the laboratory is"
)]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[track_caller]
pub fn needed(name: &str) -> String {
    let hint = "run the tests with `make test`, or beside `python3 local/lab.py run --mariadb --mysql --emulator -- ...`";
    env(name).unwrap_or_else(|| panic!("{name} is not set: {hint}"))
}
