//! The binary under test, with a vault and a key file of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tempfile::TempDir;

use super::server::{Database, Server, env};

const BINARY: &str = env!("CARGO_BIN_EXE_gorgen-backup");

/// The password of accounts that tests make, with every character that has a meaning in URLs.
pub const PASSWORD: &str = "Xisto-41%/Abacate?52@Quati#63:&";

/// Words of it: no outcome of any test may show one, however it is spelled.
const SECRETS: [&str; 3] = ["xisto", "abacate", "quati"];

/// A folder with a vault and a key file.
pub struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub fn new() -> Self {
        let workspace = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        workspace.bare().ok(&["keys", "create", workspace.key_file().to_str().expect("UTF-8")]);
        workspace
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn vault(&self) -> PathBuf {
        self.path().join("vault")
    }

    pub fn key_file(&self) -> PathBuf {
        self.path().join("key")
    }

    /// The tool with no settings at all.
    pub fn bare(&self) -> Tool {
        Tool { folder: self.path().to_owned(), settings: BTreeMap::new() }
    }

    /// The tool with vault and keyring, but no database.
    pub fn keeper(&self) -> Tool {
        self.bare()
            .with("GORGEN_VAULT", format!("file://{}", self.vault().display()))
            .with("GORGEN_KEYRING", format!("file://{}", self.key_file().display()))
    }

    /// The tool on this database.
    pub fn tool(&self, server: &Server, database: &Database<'_>) -> Tool {
        self.keeper().with("GORGEN_DATABASE_URL", server.url(&database.name))
    }

    /// Names of the vault's objects below a folder of it, in order, without the tool's help.
    pub fn objects(&self, prefix: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.vault(), "", &mut found);
        found.retain(|name| name.starts_with(prefix));
        found.sort();
        found
    }

    pub fn object(&self, name: &str) -> PathBuf {
        self.vault().join(name)
    }

    /// What a record of the vault says, an object that is JSON in clear; `None` if it is not there.
    pub fn record(&self, name: &str) -> Option<Value> {
        let bytes = fs::read(self.object(name)).ok()?;
        let record: Value = serde_json::from_slice(&bytes).expect("a record is JSON");
        Some(record["record"].clone())
    }

    /// The run that holds the lock, or died with it.
    pub fn lock_holder(&self) -> Option<String> {
        let lease = self.record("locks/backup.json").filter(|lease| lease["released"] != true)?;
        Some(lease["run"].as_str().expect("an id").to_owned())
    }

    /// The backups there are, from the names of their manifests.
    pub fn backups(&self) -> usize {
        self.objects("manifests/").len()
    }
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), found);
        } else if !name.starts_with('.') {
            found.push(format!("{prefix}{name}"));
        }
    }
}

/// `gorgen-backup` with settings.
#[derive(Clone)]
pub struct Tool {
    folder: PathBuf,
    settings: BTreeMap<String, String>,
}

impl Tool {
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.settings.remove(name);
        self
    }

    /// The command that would run, for tests that run it in a way of their own. It knows nothing of the
    /// environment but what a program needs to be found.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args);
        self.prepare(&mut command);
        command
    }

    /// Another program in the tool's place, which then runs it as `$GORGEN`.
    pub fn shell(&self, shell: &mut Command) {
        self.prepare(shell);
        shell.env("GORGEN", BINARY);
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", env("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("RUST_BACKTRACE", "1")
            .envs(&self.settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Runs it to its end, whatever that is.
    pub fn run(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.command(args).output().expect("the binary runs"))
    }

    /// Runs it; it must succeed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Outcome {
        self.run(args).succeeded(args)
    }

    /// Runs it with `--json`; it must succeed.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        self.ok(&[args, &["--json"]].concat()).document()
    }

    /// Starts it and leaves it running.
    pub fn start(&self, args: &[&str]) -> Running {
        Running(self.command(args).spawn().expect("the binary runs"))
    }

    /// Makes a backup and gives its id.
    #[track_caller]
    pub fn backup(&self) -> String {
        self.json(&["backup"])["backup"].as_str().expect("an id").to_owned()
    }

    /// Restores a backup into a database; gives the report.
    #[track_caller]
    pub fn restore(&self, id: &str, into: &Database<'_>) -> Value {
        self.json(&["restore", id, "--into", &into.name])
    }

    /// Reads and authenticates everything; nothing may be wrong.
    #[track_caller]
    pub fn verify_clean(&self) -> Value {
        let report = self.json(&["verify", "--read-data"]);
        assert_eq!(report["problems"], serde_json::json!([]), "{report:#}");
        report
    }

    /// Verifies, which must find something: the objects that are not as they should be, and the backups that each of
    /// them hurts.
    #[track_caller]
    pub fn verify_hurt(&self, args: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let report = self.run(&[&["verify", "--json"], args].concat()).failed(3).document();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut hurt: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for problem in report["problems"].as_array().expect("a list") {
            let backups = problem["backups"].as_array().expect("a list");
            hurt.entry(text(&problem["object"])).or_default().extend(backups.iter().map(text));
        }
        assert!(!hurt.is_empty(), "exit status 3, and no problem: {report:#}");
        hurt
    }
}

/// The tool while it runs; killed when it is dropped.
pub struct Running(Child);

impl Running {
    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("it is our child").is_none()
    }

    /// `SIGKILL`, and nothing of it is left.
    pub fn kill(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for its end.
    pub fn outcome(mut self) -> Outcome {
        let (mut stdout, mut stderr) =
            (self.0.stdout.take().expect("piped"), self.0.stderr.take().expect("piped"));
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut stderr, &mut bytes).map(|_| bytes)
        });
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut bytes).expect("its output");
        let stderr = reading.join().expect("no panic").expect("its errors");
        let status = self.0.wait().expect("it is our child");
        Outcome::of(std::process::Output { status, stdout: bytes, stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(output: std::process::Output) -> Self {
        let outcome = Self {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        for sign in ["panicked at", "stack backtrace", "RUST_BACKTRACE"] {
            assert!(!outcome.stderr.contains(sign), "the tool broke down: {}", outcome.stderr);
        }
        outcome.assert_tells_no_secret();
        outcome
    }

    #[track_caller]
    fn assert_tells_no_secret(&self) {
        let said = format!("{}{}", self.stdout, self.stderr);
        let decoded = percent_decode_str(&said).decode_utf8_lossy();
        for text in [said.to_lowercase(), decoded.to_lowercase()] {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} is told: {said}");
            }
        }
    }

    /// The exit status; a signal's is negative.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Checks that it succeeded, and that nothing was said that should make one wonder.
    #[track_caller]
    pub fn succeeded(self, args: &[&str]) -> Self {
        assert_eq!(self.code(), 0, "{args:?}: {}{}", self.stdout, self.stderr);
        for sign in ["ERROR", "WARN"] {
            assert!(!self.stderr.contains(sign), "{args:?} said: {}", self.stderr);
        }
        self
    }

    /// Checks the exit status.
    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Checks that the error names all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "nothing of {word:?} in: {}", self.stderr);
        }
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
