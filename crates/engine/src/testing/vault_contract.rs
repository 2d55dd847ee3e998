//! What every vault must do.

use bytes::Bytes;
use futures::future::join_all;

use crate::{
    model::ObjectName,
    ports::{Revision, Vault, VaultError},
};

/// Writers that race for one object.
const RACERS: usize = 16;
/// Larger than any pack.
const LARGE: usize = 20 << 20;

/// Asserts every guarantee of [`Vault`]. It writes below `contract/`, which must be empty.
pub async fn vault_contract(vault: &dyn Vault) {
    a_new_vault_is_empty(vault).await;
    an_object_is_put_once(vault).await;
    what_is_missing_is_said_to_be(vault).await;
    objects_come_back_whole_whatever_their_size(vault).await;
    checksums_tell_contents_apart(vault).await;
    ranges_end_where_the_object_ends(vault).await;
    lists_are_ordered_and_complete(vault).await;
    an_object_is_swapped_only_for_what_it_was(vault).await;
    one_of_many_puts_wins(vault).await;
    one_of_many_swaps_wins(vault, None).await;
    one_of_many_swaps_wins(vault, Some("first")).await;
}

fn name(rest: &str) -> ObjectName {
    ObjectName::from_listing(&format!("contract/{rest}")).expect("a name of an object")
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn patterned(length: usize) -> Bytes {
    (0..length).map(|at| at.to_le_bytes()[at % 3]).collect()
}

async fn put(vault: &dyn Vault, name: &ObjectName, content: Bytes) {
    vault.put(name, content).await.expect("a free name can be put");
}

async fn a_new_vault_is_empty(vault: &dyn Vault) {
    assert_eq!(
        vault.list("contract/").await.expect("a list"),
        [],
        "the contract needs a new vault"
    );
}

async fn an_object_is_put_once(vault: &dyn Vault) {
    let name = name("once/a.pack");
    put(vault, &name, text("first")).await;
    for again in ["first", "second", ""] {
        let refused = vault.put(&name, text(again)).await;
        assert!(
            matches!(&refused, Err(VaultError::Exists { name: named, .. }) if *named == name),
            "a taken name was put: {refused:?}"
        );
    }
    assert_eq!(vault.get(&name).await.expect("the object"), "first", "untouched");
}

async fn what_is_missing_is_said_to_be(vault: &dyn Vault) {
    let name = name("missing/a.pack");
    assert_missing(&vault.get(&name).await, &name);
    assert_missing(&vault.get_range(&name, 0..1).await, &name);
    assert_missing(&vault.get_range(&name, 1..1).await, &name);
    assert!(vault.read(&name).await.expect("an answer").is_none(), "nothing to read");
    assert_eq!(vault.list("contract/missing/").await.expect("a list"), []);
}

fn assert_missing(answer: &Result<Bytes, VaultError>, name: &ObjectName) {
    assert!(
        matches!(answer, Err(VaultError::Missing { name: named, .. }) if named == name),
        "a missing object was found, or failed otherwise: {answer:?}"
    );
}

async fn objects_come_back_whole_whatever_their_size(vault: &dyn Vault) {
    for size in [0, 1, LARGE] {
        let name = name(&format!("size/{size}"));
        let content = patterned(size);
        put(vault, &name, content.clone()).await;
        let back = vault.get(&name).await.expect("the object");
        assert!(back == content, "{size} bytes came back as {} or with others", back.len());
        let listed = vault.list(name.as_str()).await.expect("a list");
        assert_eq!(listed[0].size, size as u64);
    }
}

/// A store may know none; one that it knows is the content's SHA-256.
async fn checksums_tell_contents_apart(vault: &dyn Vault) {
    let contents = [("a", "one"), ("b", "two"), ("c", "one")];
    let mut known = Vec::new();
    for (rest, content) in contents {
        let name = name(&format!("checksum/{rest}"));
        put(vault, &name, text(content)).await;
        known.push(vault.checksum(&name).await.expect("an answer"));
    }
    match vault.checksum(&name("checksum/missing")).await {
        Ok(None) | Err(VaultError::Missing { .. }) => {}
        other => panic!("a checksum of what is missing: {other:?}"),
    }
    let [Some(one), Some(two), Some(same)] = known.as_slice() else {
        assert_eq!(known, [None, None, None], "a store knows all or none");
        return;
    };
    assert_eq!(one, same, "equal contents");
    assert_ne!(one, two, "other contents");
    let sha256_of_one = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert_eq!(one, sha256_of_one);
}

async fn ranges_end_where_the_object_ends(vault: &dyn Vault) {
    let name = name("range/a.pack");
    put(vault, &name, text("0123456789")).await;
    for (range, expected) in [
        (0..10, "0123456789"),
        (0..1, "0"),
        (3..6, "345"),
        (8..20, "89"),
        (0..u64::MAX, "0123456789"),
        (10..12, ""),
        (100..200, ""),
        (4..4, ""),
    ] {
        let read = vault.get_range(&name, range.clone()).await.expect("a range");
        assert_eq!(read, expected, "{range:?}");
    }
    let empty = ObjectName::from_listing("contract/range/empty").expect("a name");
    put(vault, &empty, Bytes::new()).await;
    assert_eq!(vault.get_range(&empty, 0..5).await.expect("a range"), "");
}

async fn lists_are_ordered_and_complete(vault: &dyn Vault) {
    let names = ["b/2", "a", "b/1", "b-1", "b/%2E/t-7", "c/d/e/f"];
    let names = names.map(|rest| name(&format!("list/{rest}")));
    for name in &names {
        put(vault, name, text(name.as_str())).await;
    }
    for prefix in [
        "contract/list/",
        "contract/list/b/",
        "contract/list/b",
        "contract/list/c/d/e/f",
        "contract/li",
        "contract/list/none",
    ] {
        let mut expected: Vec<_> =
            names.iter().filter(|name| name.as_str().starts_with(prefix)).collect();
        expected.sort();
        let listed = vault.list(prefix).await.expect("a list");
        assert_eq!(listed.iter().map(|info| &info.name).collect::<Vec<_>>(), expected, "{prefix}");
        for info in &listed {
            assert_eq!(info.size, info.name.as_str().len() as u64, "size of {}", info.name);
        }
    }
    let all = vault.list("").await.expect("a list of everything");
    assert!(names.iter().all(|name| all.iter().any(|info| info.name == *name)));
}

async fn an_object_is_swapped_only_for_what_it_was(vault: &dyn Vault) {
    let name = name("swap/lock.json");
    let stranger = Revision("stranger".to_owned());
    assert_changed(&vault.swap(&name, Some(&stranger), text("x")).await, &name);
    assert!(vault.read(&name).await.expect("an answer").is_none(), "still nothing there");

    let one = vault.swap(&name, None, text("one")).await.expect("the first");
    assert_eq!(vault.read(&name).await.expect("an answer"), Some((text("one"), one.clone())));
    assert_changed(&vault.swap(&name, None, text("x")).await, &name);

    let two = vault.swap(&name, Some(&one), text("two")).await.expect("the second");
    assert_ne!(one, two, "another content has another revision");
    assert_changed(&vault.swap(&name, Some(&one), text("x")).await, &name);
    assert_changed(&vault.swap(&name, Some(&stranger), text("x")).await, &name);
    assert_eq!(vault.read(&name).await.expect("an answer"), Some((text("two"), two)));
    assert_eq!(vault.get(&name).await.expect("the object"), "two");
    assert_eq!(vault.list("contract/swap/").await.expect("a list").len(), 1);
}

fn assert_changed(answer: &Result<Revision, VaultError>, name: &ObjectName) {
    assert!(
        matches!(answer, Err(VaultError::Changed { name: named, .. }) if named == name),
        "swapped for something else, or failed otherwise: {answer:?}"
    );
}

async fn one_of_many_puts_wins(vault: &dyn Vault) {
    let name = name("race/put.pack");
    let puts = (0..RACERS).map(|racer| vault.put(&name, text(&format!("racer {racer}"))));
    let outcomes = join_all(puts).await;
    let is_loss =
        |outcome: &Result<(), VaultError>| matches!(outcome, Err(VaultError::Exists { .. }));
    let winner = only_winner(&outcomes, is_loss);
    assert_eq!(vault.get(&name).await.expect("the object"), format!("racer {winner}"));
}

async fn one_of_many_swaps_wins(vault: &dyn Vault, before: Option<&str>) {
    let name = name(&format!("race/swap-from-{}.json", before.unwrap_or("nothing")));
    let expected = match before {
        Some(before) => Some(vault.swap(&name, None, text(before)).await.expect("a first state")),
        None => None,
    };
    let contents = (0..RACERS).map(|racer| text(&format!("racer {racer}")));
    let swaps = contents.map(|content| vault.swap(&name, expected.as_ref(), content));
    let outcomes = join_all(swaps).await;
    let is_loss =
        |outcome: &Result<Revision, VaultError>| matches!(outcome, Err(VaultError::Changed { .. }));
    let winner = only_winner(&outcomes, is_loss);
    let (content, revision) =
        vault.read(&name).await.expect("an answer").expect("the winner's object");
    assert_eq!(content, format!("racer {winner}"));
    assert_eq!(outcomes[winner].as_ref().expect("a revision"), &revision);
}

fn only_winner<T: std::fmt::Debug>(
    outcomes: &[Result<T, VaultError>],
    is_loss: impl Fn(&Result<T, VaultError>) -> bool,
) -> usize {
    let others: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.is_err() && !is_loss(outcome)).collect();
    assert!(others.is_empty(), "some neither won nor lost: {others:?}");
    let winners: Vec<_> = (0..outcomes.len()).filter(|&racer| outcomes[racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    winners[0]
}
