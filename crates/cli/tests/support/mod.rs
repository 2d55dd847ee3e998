//! What the end-to-end tests share: real servers, the real binary, and an oracle that knows neither.
//!
//! `server` runs SQL on the servers of the laboratory, `tool` runs `gorgen-backup` on a vault in a temporary
//! folder, `oracle` says whether two databases are equal.

#![allow(unreachable_pub, reason = "what the files beside it use")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]
#![allow(clippy::similar_names, reason = "text and test")]
#![allow(clippy::missing_panics_doc, reason = "tests panic")]

pub mod aws;
pub mod middle;
pub mod oracle;
pub mod passage;
pub mod server;
pub mod shown;
pub mod tool;

pub use oracle::{Rows, assert_equal};
pub use server::{Database, Flavor, Server};
pub use tool::{Outcome, PASSWORD, Tool, Workspace};

use std::time::Duration;

/// Makes a test of each function, once for each kind of server. A function takes the server, and its test is
/// skipped, with a line that says so, where no server of that kind can be had.
macro_rules! on_each_server {
    ($($test:ident),+ $(,)?) => {
        mod mariadb {
            $(#[test] fn $test() { $crate::support::run_on($crate::support::Flavor::MariaDb, stringify!($test), super::$test); })+
        }
        mod mysql {
            $(#[test] fn $test() { $crate::support::run_on($crate::support::Flavor::MySql, stringify!($test), super::$test); })+
        }
    };
}

/// Runs a test on the laboratory's server of this kind.
pub fn run_on(flavor: Flavor, name: &str, test: impl FnOnce(&Server)) {
    if let Some(server) = Server::of_the_laboratory(flavor, name) {
        test(&server);
    }
}

/// Waits until `done`, looking every few milliseconds.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain: {what}");
}

/// How long something takes, to spread over that time what a test does.
#[expect(clippy::disallowed_methods, reason = "tests are an edge")]
pub fn duration(work: impl FnOnce()) -> Duration {
    let begun = std::time::Instant::now();
    work();
    begun.elapsed()
}

/// Small numbers without a pattern, the same in each run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 up to, not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
