//! The tests of the engine, one binary: each more would link all of it once more.

mod support;

mod backup;
mod cleanup;
mod erase;
mod export;
mod faults;
mod golden;
mod importing;
mod integrity;
mod keeping;
mod keys;
mod layering;
mod lock;
mod model;
mod package;
mod properties;
mod remake;
mod replica;
mod report;
mod restore;
mod restore_test;
mod restore_test_steps;
mod runs;
mod shares;

/// A file that is not named above would be tested by nobody.
#[test]
fn every_file_is_named_here() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let named = include_str!("main.rs");
    for entry in std::fs::read_dir(here).expect("a folder") {
        let file = entry.expect("an entry").file_name().into_string().expect("a name");
        if let Some(name) = file.strip_suffix(".rs").filter(|name| *name != "main") {
            assert!(named.lines().any(|line| line == format!("mod {name};")), "{file}");
        }
    }
}
