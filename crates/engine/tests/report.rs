//! Every number of a month's report, reckoned again from the raw records by somebody who knows nothing of how it is made.

mod history;
mod reckoned;
mod restore_tests;
mod rules;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use gorgen_engine::{jobs::report, testing::MemoryVault};
use history::{History, history};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::Value;

const CASES: u32 = 400;

/// In what two documents differ, each a pointer and both values.
fn differences(told: &Value, reckoned: &Value, at: &str) -> Vec<String> {
    match (told, reckoned) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            names
                .flat_map(|name| differences(&told[name], &reckoned[name], &format!("{at}/{name}")))
                .collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs
                .flat_map(|(place, (one, other))| differences(one, other, &format!("{at}/{place}")))
                .collect()
        }
        _ if told == reckoned => Vec::new(),
        _ => vec![format!("{at}: told {told}, reckoned {reckoned}")],
    }
}

/// The report of a history, out of a vault that holds it.
fn told(history: &History) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let vault = Arc::new(MemoryVault::new());
        history.write(&*vault).await;
        let month = history.month.parse().unwrap();
        let report = report::look(&*vault, month, &history.zone(), history.now).await.unwrap();
        serde_json::to_value(report).unwrap()
    })
}

#[test]
fn every_number_of_a_report_can_be_reckoned_from_the_records() {
    let config = Config {
        cases: CASES,
        rng_seed: RngSeed::Fixed(20_261_128),
        failure_persistence: None,
        ..Config::default()
    };
    let seen = RefCell::new(Seen::default());
    let compare = |history: History| {
        let reckoned = reckoned::report(&history);
        seen.borrow_mut().look(&reckoned);
        let wrong = differences(&told(&history), &reckoned, "");
        prop_assert!(wrong.is_empty(), "{wrong:#?}");
        Ok(())
    };
    let compared = TestRunner::new(config).run(&history(), compare);
    compared.unwrap_or_else(|error| panic!("{error}"));
    seen.into_inner().require_all();
}

/// What the histories had in them: a test that never meets a case proves nothing of it.
#[derive(Default)]
struct Seen(BTreeMap<String, u32>);

impl Seen {
    fn look(&mut self, report: &Value) {
        let mut note = |what: String| *self.0.entry(what).or_default() += 1;
        for line in report["conformity"].as_array().unwrap() {
            note(format!(
                "{} {}",
                line["rule"].as_str().unwrap(),
                line["verdict"].as_str().unwrap()
            ));
        }
        for backup in report["backups"].as_array().unwrap() {
            note(format!("backup {}", backup["state"].as_str().unwrap()));
        }
        for list in
            ["restore_tests", "verifications", "cleanups", "audit", "restores", "pins", "keys"]
        {
            if !report[list].as_array().unwrap().is_empty() {
                note(list.to_owned());
            }
        }
        for tally in report["runs"].as_array().unwrap() {
            note(format!("runs of {}", tally["job"].as_str().unwrap()));
        }
    }

    fn require_all(&self) {
        let rules = [
            "daily-backup",
            "newest-backup",
            "backup-time",
            "steady-size",
            "nothing-lost",
            "weekly-restore-test",
            "recovery-time",
            "weekly-verification",
            "all-data-read",
            "no-damage",
            "replica-complete",
            "replica-lag",
            "failures-made-up",
            "daily-cleanup",
            "keys-rotated",
        ];
        let verdicts = ["met", "not-met", "not-applicable"];
        let judged = rules
            .iter()
            .flat_map(|rule| verdicts.iter().map(move |verdict| format!("{rule} {verdict}")));
        let states =
            ["kept", "dropped", "lost", "unreadable"].map(|state| format!("backup {state}"));
        let lists =
            ["restore_tests", "verifications", "cleanups", "audit", "restores", "pins", "keys"];
        let jobs = ["backup", "restore", "verify", "restore-test", "report", "cleanup", "other"];
        let all = judged
            .chain(states)
            .chain(lists.map(str::to_owned))
            .chain(jobs.map(|job| format!("runs of {job}")));
        let missing: Vec<_> = all.filter(|what| !self.0.contains_key(what)).collect();
        assert_eq!(missing, [""; 0], "no history had these");
    }
}
