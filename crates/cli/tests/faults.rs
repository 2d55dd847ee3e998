//! What breaks while a backup runs: the process, a connection, the disk, another run. There is never half a backup, it
//! is said what happened, and the next backup succeeds.

#![allow(clippy::print_stderr, reason = "a test says how often which outcome was met")]

use std::{
    fs,
    process::{Command, Output},
    time::Duration,
};

use crate::support::{
    Database, Outcome, Rows, Server, Tool, Workspace, assert_equal, duration,
    middle::{numbers, readers},
    server::skip,
    tool::Running,
};

on_each_server!(
    heavy_killed_at_every_moment,
    a_connection_is_dropped_with_one_reader,
    a_connection_is_dropped_with_four_readers,
    a_file_cannot_grow,
    nothing_can_be_written,
    the_disk_is_full,
    the_second_of_two_backups_is_refused,
    the_lock_of_a_dead_run_is_taken_over,
    the_lock_of_a_slow_run_is_not,
    a_run_that_slept_too_long_makes_no_backup,
);

/// A database that is read long enough to be caught: 16 MB of rows that do not compress, in two packs.
fn measurements(server: &Server) -> Database<'_> {
    measurements_of(server, 4000)
}

/// So many rows, of a kilobyte, in each of the tables.
fn measurements_of(server: &Server, rows: u32) -> Database<'_> {
    let (source, numbers) = (server.database("faults"), numbers(rows));
    for table in TABLES {
        server.sql(
            &source.name,
            format!(
                "CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, sample VARBINARY(1000)) ENGINE=InnoDB;
                 INSERT INTO {table} SELECT i, RANDOM_BYTES(1000) FROM ({numbers}) n; ANALYZE TABLE {table};"
            ),
        );
    }
    source
}

const TABLES: [&str; 4] = ["pressure", "pulse", "oxygen", "glucose"];

/// Most rows become others, so that the next backup has a pack and more to store.
fn measure_again(server: &Server, source: &Database<'_>) {
    for table in &TABLES[1..] {
        server.sql(&source.name, format!("UPDATE {table} SET sample = RANDOM_BYTES(1000)"));
    }
}

/// The newest backup holds what the database holds, and all of the vault is whole.
#[track_caller]
fn assert_backed_up(server: &Server, tool: &Tool, source: &Database<'_>) {
    tool.verify_clean();
    let target = server.absent("faults restored");
    tool.restore("latest", &target);
    assert_equal(server, &source.name, &target.name, Rows::Ordered);
}

/// A backup that is stopped, as by `Ctrl-Z`, once it has stored its first pack; and its id.
fn stopped_in_the_middle(workspace: &Workspace, tool: &Tool) -> (Running, String) {
    let running = tool.start(&["backup", "--json"]);
    crate::support::wait_until("a pack is stored", || !workspace.objects("packs/").is_empty());
    running.signal("STOP");
    assert_eq!(workspace.backups(), 0, "it was caught too late");
    (running, workspace.lock_holder().expect("it has the lock"))
}

/// Runs a backup as soon as the lock of a dead run lets it.
fn backup_once_free(tool: &Tool) -> Outcome {
    loop {
        let outcome = tool.run(&["backup", "--json"]);
        if outcome.code() != 4 {
            return outcome.succeeded(&["backup"]);
        }
        outcome.says(&["the vault is locked by run"]);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs that are killed in each of the vaults.
const ROUNDS: u32 = 5;
/// Vaults: while the lock of a dead run is waited for in one, it is in the others as well.
const VAULTS: u32 = 5;

/// `kill -9`, at moments spread over the time that a backup takes, of first backups and later ones.
fn heavy_killed_at_every_moment(server: &Server) {
    let source = measurements(server);
    let lanes: Vec<_> = (0..VAULTS).map(|_| Lane::new(server, &source)).collect();
    let times = ["1", "4"].map(|readers| {
        let tool = Workspace::new();
        let tool = tool.tool(server, &source).with("GORGEN_READERS", readers);
        (readers, duration(|| drop(tool.ok(&["backup"]))))
    });
    let (mut died, mut left_packs) = (0, 0);
    for round in 0..ROUNDS {
        measure_again(server, &source);
        let mut killed = Vec::new();
        for (lane, number) in lanes.iter().zip(0..) {
            let moment = number * ROUNDS + round;
            let (readers, time) = &times[moment as usize % 2];
            let time = *time * moment / (ROUNDS * VAULTS);
            killed.push(lane.kill(readers, Some(time).filter(|_| number < VAULTS - 1)));
        }
        for (lane, killed) in lanes.iter().zip(killed) {
            died += u32::from(killed.holder.is_some());
            left_packs += u32::from(killed.left_packs);
            lane.recover_from(&killed);
        }
        if round % 2 == 0 {
            assert_backed_up(server, &lanes[(round % VAULTS) as usize].tool, &source);
        }
    }
    for lane in lanes {
        lane.tool.verify_clean();
    }
    eprintln!("of {} runs {died} died with the lock, {left_packs} left packs", ROUNDS * VAULTS);
    assert!(died > 0 && left_packs > 0, "no run was killed in the middle");
}

/// A vault in which one run after the other is killed.
struct Lane {
    workspace: Workspace,
    tool: Tool,
}

/// What a killed run left.
struct Killed {
    /// It, if it had the lock.
    holder: Option<String>,
    /// Whether it had written down how it ended.
    recorded: bool,
    left_packs: bool,
    backups: Vec<String>,
}

impl Lane {
    fn new(server: &Server, source: &Database<'_>) -> Self {
        let workspace = Workspace::new();
        let tool = workspace.tool(server, source).with("GORGEN_LOCK_LEASE", "1");
        Self { workspace, tool }
    }

    /// Kills a run after this time, or else as soon as it has stored a pack.
    fn kill(&self, readers: &str, time: Option<Duration>) -> Killed {
        let [before, packs] = ["manifests/", "packs/"].map(|kind| self.workspace.objects(kind));
        let mut running = self.tool.clone().with("GORGEN_READERS", readers).start(&["backup"]);
        match time {
            Some(time) => std::thread::sleep(time),
            None => crate::support::wait_until("a pack is stored", || {
                !running.is_running() || self.workspace.objects("packs/").len() > packs.len()
            }),
        }
        running.kill();

        let (backups, holder) =
            (self.workspace.objects("manifests/"), self.workspace.lock_holder());
        assert!(backups.starts_with(&before) && backups.len() <= before.len() + 1);
        let run = holder.as_deref().unwrap_or("none");
        let made_none = !backups.contains(&format!("manifests/{run}.manifest"));
        let left_packs = made_none && !self.workspace.objects(&format!("packs/{run}")).is_empty();
        Killed { recorded: self.outcome_of(run).is_some(), left_packs, holder, backups }
    }

    /// The next backup succeeds, is one more, and says of the killed run that it died.
    fn recover_from(&self, killed: &Killed) {
        let made = backup_once_free(&self.tool).document();
        let made = format!("manifests/{}.manifest", made["backup"].as_str().expect("an id"));
        let expected = [killed.backups.as_slice(), &[made]].concat();
        assert_eq!(self.workspace.objects("manifests/"), expected);
        if let Some(run) = &killed.holder {
            let expected = if killed.recorded { "succeeded" } else { "died" };
            assert_eq!(self.outcome_of(run).as_deref(), Some(expected), "of run {run}");
        }
        let report = self.tool.json(&["verify"]);
        assert_eq!(report["problems"], serde_json::json!([]), "{report:#}");
    }

    fn outcome_of(&self, run: &str) -> Option<String> {
        let record = self.workspace.record(&format!("runs/{run}.json"))?;
        Some(record["outcome"].as_str().expect("a word").to_owned())
    }
}

fn a_connection_is_dropped_with_one_reader(server: &Server) {
    drop_a_connection(server, "1");
}

fn a_connection_is_dropped_with_four_readers(server: &Server) {
    drop_a_connection(server, "4");
}

fn drop_a_connection(server: &Server, number: &str) {
    let (workspace, source) = (Workspace::new(), measurements(server));
    // More than the buffers of a connection hold, so that the server waits for who reads it.
    server.sql(
        &source.name,
        format!(
            "CREATE TABLE notes (id INT NOT NULL PRIMARY KEY, text VARCHAR(2000)) ENGINE=InnoDB;
             INSERT INTO notes SELECT i, REPEAT(i, 300) FROM ({}) n; ANALYZE TABLE notes;",
            numbers(20_000)
        ),
    );
    let tool = workspace.tool(server, &source).with("GORGEN_READERS", number);
    let mut running = tool.start(&["backup"]);
    kill_a_reader(server, &source, &mut running);
    running.outcome().failed(1).says(&["cannot reach", &server.address, &source.name]);

    assert_eq!(workspace.backups(), 0);
    tool.ok(&["backup"]);
    assert_backed_up(server, &tool, &source);
}

/// Lets a backup run for moments only, until the server is found in the middle of sending it the large table. Of a
/// small one all rows may be on their way already, and the backup would rightly succeed.
fn kill_a_reader(server: &Server, source: &Database<'_>, running: &mut Running) {
    let mut killed = false;
    while !killed {
        running.signal("STOP");
        killed = readers(server, source, "`notes`")
            .iter()
            .any(|session| server.try_sql(None, format!("KILL CONNECTION {session}")).is_ok());
        running.signal("CONT");
        std::thread::sleep(Duration::from_millis(5));
        assert!(killed || running.is_running(), "the table is too small to be caught");
    }
}

/// A pack is larger than a file may be.
fn a_file_cannot_grow(server: &Server) {
    limit_files(server, &measurements(server), 1024, "cannot write packs/");
}

/// Not even the lock can be written.
fn nothing_can_be_written(server: &Server) {
    limit_files(
        server,
        &measurements_of(server, 10),
        0,
        "cannot write locks/backup.json in file://",
    );
}

/// Writes as to a full disk, but for what the system calls the cause, and without privileges: the system lets no file
/// grow larger than so many KiB.
fn limit_files(server: &Server, source: &Database<'_>, kib: u32, said: &str) {
    let workspace = Workspace::new();
    let tool = workspace.tool(server, source);
    let mut shell = Command::new("bash");
    let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$GORGEN\" backup --json");
    tool.shell(shell.args(["-c", &limited]));
    let failed = Outcome::of(shell.output().expect("bash runs")).failed(1);
    failed.says(&[said, "File too large (os error 27)"]);
    assert_eq!(workspace.backups(), 0);
    let packs = fs::read_dir(workspace.object("packs")).map_or(0, Iterator::count);
    assert_eq!(packs, 0, "what could not be written whole takes up room");

    tool.ok(&["backup"]);
    tool.verify_clean();
}

/// A file system of 4 MiB, for who may mount one in a namespace of its own. It is gone when the script ends.
fn the_disk_is_full(server: &Server) {
    let script = r#"
        mount -t tmpfs -o size=4m none "$VAULT" 2> /dev/null || { echo 'no mount' ; exit; }
        "$GORGEN" backup && exit 40
        ls "$VAULT"/manifests/* 2> /dev/null && exit 41
        mount -o remount,size=64m "$VAULT"
        "$GORGEN" backup > "$VAULT/report" && "$GORGEN" verify --read-data"#;
    let (workspace, source) = (Workspace::new(), measurements(server));
    fs::create_dir(workspace.vault()).expect("a folder to mount on");
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "bash", "-c", script]);
    workspace.tool(server, &source).shell(&mut shell);
    let ran = shell.env("VAULT", workspace.vault()).output();
    let may_mount =
        |ran: &Output| !ran.stderr.starts_with(b"unshare") && ran.stdout != b"no mount\n";
    let Some(ran) = ran.ok().filter(may_mount) else {
        return skip("the_disk_is_full", "this account may not mount");
    };
    let outcome =
        Outcome::of(ran).says(&["cannot write packs/", "No space left on device (os error 28)"]);
    assert_eq!(outcome.code(), 0, "{outcome:?}");
    assert!(outcome.stdout.contains("verified 1 backups"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("all is well"), "{}", outcome.stdout);
}

fn the_second_of_two_backups_is_refused(server: &Server) {
    let (workspace, source) = (Workspace::new(), measurements(server));
    let tool = workspace.tool(server, &source);
    let (first, holder) = stopped_in_the_middle(&workspace, &tool);
    let packs = workspace.objects("");
    tool.run(&["backup"]).failed(4).says(&["locked", &format!("by run {holder}"), "wait for"]);
    assert_eq!(workspace.objects(""), packs, "who is refused leaves nothing");

    first.signal("CONT");
    let report = first.outcome().succeeded(&["backup"]).document();
    assert_eq!(report["backup"], *holder);
    tool.verify_clean();
    assert_eq!(workspace.backups(), 1);
}

fn the_lock_of_a_dead_run_is_taken_over(server: &Server) {
    let (workspace, source) = (Workspace::new(), measurements(server));
    let tool = workspace.tool(server, &source).with("GORGEN_LOCK_LEASE", "1");
    let (dead, holder) = stopped_in_the_middle(&workspace, &tool);
    dead.kill();
    let cut_off = format!("run {holder} ended without giving its lock back");
    crate::support::wait_until("doctor says that the run died", || {
        tool.run(&["doctor"]).stdout.contains(&cut_off)
    });
    tool.ok(&["backup"]);
    let record =
        workspace.record(&format!("runs/{holder}.json")).expect("a record of the dead run");
    assert_eq!(record["outcome"], "died");
    assert_backed_up(server, &tool, &source);
    assert_eq!(workspace.backups(), 1);
}

/// A run that waits for the database longer than its lease is alive, and renews it.
fn the_lock_of_a_slow_run_is_not(server: &Server) {
    let (workspace, source) = (Workspace::new(), measurements_of(server, 10));
    let tool = workspace.tool(server, &source).with("GORGEN_LOCK_LEASE", "1");
    let tool = tool.with("GORGEN_READERS", "1");
    let locked = format!("LOCK TABLES {} WRITE; DO SLEEP(3)", TABLES.join(" WRITE, "));
    std::thread::scope(|scope| {
        let locking = scope.spawn(|| server.sql(&source.name, locked));
        let sleeping =
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'DO SLEEP(3)'";
        crate::support::wait_until("the tables are locked", || server.value("", sleeping) != "0");
        let slow = tool.start(&["backup", "--json"]);
        crate::support::wait_until("it has the lock", || workspace.lock_holder().is_some());
        let holder = workspace.lock_holder().expect("it has the lock");
        let mut refused = 0;
        loop {
            let outcome = tool.run(&["backup"]);
            if locking.is_finished() {
                break;
            }
            outcome.failed(4).says(&[&format!("by run {holder}")]);
            refused += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(refused > 0);
        let report = slow.outcome().succeeded(&["backup"]).document();
        assert_eq!(report["backup"], *holder);
    });
    tool.verify_clean();
}

/// A run that was asleep, as in a machine that was, while another took its lock over.
fn a_run_that_slept_too_long_makes_no_backup(server: &Server) {
    let (workspace, source) = (Workspace::new(), measurements(server));
    let tool = workspace.tool(server, &source).with("GORGEN_LOCK_LEASE", "1");
    let (asleep, _) = stopped_in_the_middle(&workspace, &tool);
    backup_once_free(&tool);
    let backups = workspace.objects("manifests/");
    asleep.signal("CONT");
    asleep.outcome().failed(1).says(&["lost its lock"]);
    assert_eq!(workspace.objects("manifests/"), backups);
    assert_backed_up(server, &tool, &source);
}
