//! The tests of the program on real servers, one binary: each more would link all of it once more.

#[macro_use]
mod support;

mod bad_input;
mod cleanup;
mod consistency;
mod crossing;
mod damage;
mod doctor;
mod erase;
mod export;
mod faults;
mod fidelity;
mod import_legacy;
mod keys;
mod operations;
mod prepare;
mod restore_faults;
mod restore_tests;
mod restores;
mod s3;

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
