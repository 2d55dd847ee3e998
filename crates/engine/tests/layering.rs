//! Holds the direction inside the engine, `jobs` -> `policy`, `records`, `stages`, `ports` ->
//! `model`, `error`, and keeps the world out of it.
//!
//! Reads the paths that begin with `crate::` or `super::` in the sources, and compares the room of
//! the file with the room that the path names. Between crates, `deny.toml` holds the direction.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What each room may name, besides itself and `testing`. What isn't listed here is forbidden, so
/// a new room, or a new way between two rooms, is a decision made on this page.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("error", &["model"]),
    ("ports", &["model", "error", "stages::rows"]),
    ("stages", &["model", "error", "ports"]),
    ("records", &["model", "error", "ports", "stages"]),
    (
        "policy",
        &["model", "error", "records", "ports::TargetInfo", "stages::definition", "stages::rows"],
    ),
    ("jobs", &["model", "error", "ports", "stages", "records", "policy"]),
];

/// The world, which the engine reaches through its ports only.
const WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "tokio::fs",
    "tokio::net",
    "tokio::process",
    "tokio::signal",
];

#[test]
fn rooms_name_only_the_rooms_below_them() {
    let mut wrong = Vec::new();
    for (file, source) in sources() {
        wrong.extend(upward_names(&file, &source));
    }
    assert!(wrong.is_empty(), "against the direction of the engine:\n{}", wrong.join("\n"));
}

#[test]
fn the_world_is_reached_through_ports_only() {
    let mut wrong = Vec::new();
    for (file, source) in sources() {
        wrong.extend(worldly_names(&file, &source));
    }
    assert!(wrong.is_empty(), "I/O inside the engine:\n{}", wrong.join("\n"));
}

#[test]
fn a_path_against_the_direction_is_found_however_it_is_written() {
    let source = r#"//! [`crate::jobs`]
use crate::{
    error::FormatError,
    ports::{Vault, vault::A as B},
};
pub(crate) use super::jobs;
let url = "s3://x"; // crate::jobs
let x = crate::records::read::<u8>();"#;
    assert_eq!(
        upward_names(Path::new("model/mod.rs"), source),
        [
            "src/model/mod.rs:3: `model` names `error::FormatError`",
            "src/model/mod.rs:4: `model` names `ports::Vault`",
            "src/model/mod.rs:4: `model` names `ports::vault::A`",
            "src/model/mod.rs:6: `model` names `jobs`",
            "src/model/mod.rs:8: `model` names `records::read`",
        ]
    );
    assert_eq!(
        upward_names(
            Path::new("ports/source.rs"),
            "use crate::stages::{rows::RowBatch, seal, rowsy};"
        ),
        [
            "src/ports/source.rs:1: `ports` names `stages::rowsy`",
            "src/ports/source.rs:1: `ports` names `stages::seal`",
        ]
    );
    assert_eq!(
        upward_names(Path::new("jobs/backup.rs"), "use super::lock; use crate::policy::*;"),
        [""; 0]
    );
    assert_eq!(
        upward_names(Path::new("cellar.rs"), "use crate::model;"),
        ["src/cellar.rs:1: `cellar` names `model`"]
    );
    assert_eq!(
        worldly_names(Path::new("jobs/backup.rs"), "use std::{fmt, fs::File};\nuse tokio::sync;"),
        ["src/jobs/backup.rs:1: `std::fs::File`"]
    );
}

/// Every source file of the engine, by its path below `src`, but `lib.rs` and `testing`.
fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect_files(&src, &mut files);
    assert!(files.len() > 10, "only {} source files below {}", files.len(), src.display());
    files.sort();
    files
        .into_iter()
        .map(|file| {
            (file.strip_prefix(&src).unwrap().to_owned(), fs::read_to_string(&file).unwrap())
        })
        .filter(|(file, _)| file != Path::new("lib.rs") && !file.starts_with("testing"))
        .collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The places in a file that name what its room may not name.
fn upward_names(file: &Path, source: &str) -> Vec<String> {
    let room = file.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
    let may_name =
        MAY_NAME.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, names)| names);
    let allowed = |name: &str| {
        is_within(name, room)
            || is_within(name, "testing")
            || may_name.iter().any(|room| is_within(name, room))
    };
    // `super::` may climb out of a room, and then a room's name follows; all else stays inside.
    let is_room = |name: &str| MAY_NAME.iter().any(|(room, _)| is_within(name, room));

    let source = without_comments(source);
    let mut named = paths_after(&source, "crate::");
    named.extend(paths_after(&source, "super::").into_iter().filter(|(_, name)| is_room(name)));
    named.sort();
    named
        .into_iter()
        .filter(|(_, name)| !allowed(name))
        .map(|(line, name)| format!("src/{}:{line}: `{room}` names `{name}`", file.display()))
        .collect()
}

/// The places in a file that name a part of the world.
fn worldly_names(file: &Path, source: &str) -> Vec<String> {
    let source = without_comments(source);
    ["std::", "tokio::"]
        .iter()
        .flat_map(|root| {
            paths_after(&source, root)
                .into_iter()
                .map(move |(line, path)| (line, format!("{root}{path}")))
        })
        .filter(|(_, path)| WORLD.iter().any(|world| is_within(path, world)))
        .map(|(line, path)| format!("src/{}:{line}: `{path}`", file.display()))
        .collect()
}

/// Is the path this module or something in it?
fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The source with its comments cut off, and its lines where they were.
fn without_comments(source: &str) -> String {
    let code = |line: &str| {
        let is_comment = line.trim_start().starts_with("//");
        if is_comment { String::new() } else { line.split(" //").next().unwrap_or("").to_owned() }
    };
    source.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The paths that follow a root such as `crate::`, each with its line.
fn paths_after(source: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in source.match_indices(root) {
        if !source[..start].ends_with(is_word) {
            expand(source, start + root.len(), "", &mut found);
        }
    }
    found.into_iter().map(|(at, path)| (source[..at].lines().count(), path)).collect()
}

/// Adds the paths that a use tree stands for: `a::{b, c::d}` is `a::b` and `a::c::d`. Returns
/// where the tree ends.
fn expand(source: &str, start: usize, parent: &str, found: &mut Vec<(usize, String)>) -> usize {
    let rest = &source[start..];
    if rest.starts_with('{') {
        return expand_list(source, start + 1, parent, found);
    }
    let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
    let path = [parent, word]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("::");
    let end = start + word.len();
    if !word.is_empty() && source[end..].starts_with("::") {
        return expand(source, end + 2, &path, found);
    }
    found.push((end, path));
    end
}

/// Does the same for what is between braces, from after the opening one.
fn expand_list(
    source: &str,
    start: usize,
    parent: &str,
    found: &mut Vec<(usize, String)>,
) -> usize {
    let mut at = start;
    loop {
        at += source[at..].len() - source[at..].trim_start().len();
        if source[at..].starts_with('}') {
            return at + 1;
        }
        at = expand(source, at, parent, found);
        // On to the next entry, over ` as name`.
        match source[at..].find([',', '}']) {
            Some(next) => at += next + usize::from(source[at + next..].starts_with(',')),
            None => return source.len(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
