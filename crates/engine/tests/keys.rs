//! Data keys: looked at, replaced before their month ends, and put under another wrapping key.

use std::{collections::BTreeSet, sync::Arc};

use gorgen_engine::{
    jobs::{
        World,
        keys::{rewrap, rotate, status},
    },
    model::{KeyId, KeyPurpose, ObjectName, RunId, Scope, prefix},
    ports::Vault,
    records::key::KeyRecord,
    testing::{FailingVault, Fault, MemoryKeyring},
};
use jiff::SignedDuration;

use crate::support::{Clinic, patient};

async fn state(clinic: &Clinic) -> status::Report {
    status::run(&clinic.world()).await.expect("a status")
}

/// A vault's world that is opened with this keyring alone.
fn world_of(clinic: &Clinic, keyring: &MemoryKeyring) -> World {
    World { keyring: Arc::new(keyring.clone()), ..clinic.world() }
}

/// The same clinic with another keyring.
fn opened_with(clinic: &Clinic, keyring: &MemoryKeyring) -> Clinic {
    Clinic { keyring: keyring.clone(), ..clinic.clone() }
}

fn record(clinic: &Clinic, name: &ObjectName) -> KeyRecord {
    KeyRecord::read(&clinic.vault.objects()[name]).expect("a record")
}

/// By which keys of keyrings each data key is wrapped, each once.
fn wrapping_keys(clinic: &Clinic) -> BTreeSet<Vec<String>> {
    let records = clinic.objects(prefix::KEYS).into_iter().map(|name| record(clinic, &name));
    let names = |record: KeyRecord| -> Vec<String> {
        record.wrapped.into_iter().map(|wrapped| wrapped.wrapping_key).collect()
    };
    records.map(names).collect()
}

/// The keys that a backup names.
async fn keys_of(clinic: &Clinic, backup: &RunId) -> BTreeSet<KeyId> {
    let manifest = clinic.manifest(backup).await;
    manifest.tables.iter().flat_map(|table| table.keys.clone()).collect()
}

#[tokio::test]
async fn every_key_is_told_with_what_wraps_it_and_what_needs_it() {
    let clinic = Clinic::new();
    let first = clinic.backup().await.backup;
    clinic.clock.advance(SignedDuration::from_hours(24 * 10));
    clinic.source.insert("pacientes", [patient(9, 1, "Eva")]);
    let second = clinic.backup().await.backup;

    let report = state(&clinic).await;
    assert!(report.all_open());
    assert_eq!(report.keyring, "memory:one");
    assert_eq!(report.keys.len(), clinic.objects(prefix::KEYS).len());
    let [wrapping] = report.wrapping_keys.as_slice() else { panic!("{report:?}") };
    assert_eq!((wrapping.by.as_str(), wrapping.wrapping_key.as_str()), ("memory", "one"));
    assert_eq!((wrapping.keys, wrapping.ours), (report.keys.len() as u64, true));

    let (of_first, of_second) = (keys_of(&clinic, &first).await, keys_of(&clinic, &second).await);
    for key in &report.keys {
        let needed: Vec<&RunId> = match key.key.purpose() {
            KeyPurpose::Naming => Vec::new(),
            KeyPurpose::Manifest => {
                // Made in November; the second backup is of December.
                let of = if key.key.created() == first.started() { &first } else { &second };
                vec![of]
            }
            KeyPurpose::Rows => [(&first, &of_first), (&second, &of_second)]
                .into_iter()
                .filter(|(_, keys)| keys.contains(&key.key))
                .map(|(backup, _)| backup)
                .collect(),
        };
        assert_eq!(key.backups, needed.len() as u64, "{key:?}");
        assert_eq!(key.last_backup.as_ref(), needed.last().copied(), "{key:?}");
        assert_eq!(key.wrapped_by, ["memory:one"]);
    }
    let in_use = report.keys.iter().filter(|key| key.current).map(|key| &key.key);
    let oldest_naming = report.keys.iter().filter(|key| key.key.purpose() == KeyPurpose::Naming);
    let mut expected: BTreeSet<&KeyId> = oldest_naming.map(|key| &key.key).collect();
    let of_december = |key: &&status::Key| key.key.created() >= second.started();
    expected.extend(report.keys.iter().filter(of_december).map(|key| &key.key).collect::<Vec<_>>());
    assert_eq!(in_use.collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn a_lost_key_is_told_with_the_backups_that_it_takes_along() {
    let clinic = Clinic::new();
    let whole = clinic.backup().await.backup;
    let of_tenant = |name: &ObjectName| name.as_str().starts_with("keys/rows.t-1.");
    let of_manifest = |name: &ObjectName| name.as_str().starts_with("keys/manifest.");
    for (which, wholly) in
        [(&of_tenant as &dyn Fn(&ObjectName) -> bool, false), (&of_manifest, true)]
    {
        // One whose wrapping is of nobody, and one that is gone.
        for gone in [false, true] {
            let hurt = clinic.with_copied_vault().await;
            let name = hurt.objects(prefix::KEYS).into_iter().find(which).expect("a key");
            let id: KeyId = name.stem(prefix::KEYS, ".json").unwrap().parse().unwrap();
            if gone {
                hurt.vault.lose(&name);
            } else {
                let mut foreign = record(&hurt, &name);
                foreign.wrapped[0].wrapping_key = "another".to_owned();
                let (_, revision) = hurt.vault.read(&name).await.unwrap().unwrap();
                let written = foreign.write().unwrap();
                hurt.vault.swap(&name, Some(&revision), written).await.unwrap();
            }
            let report = state(&hurt).await;
            assert!(!report.all_open());
            let [lost] = report.lost.as_slice() else { panic!("{report:?}") };
            assert_eq!(
                (&lost.backup, &lost.keys, lost.wholly),
                (&whole, &vec![id.clone()], wholly)
            );
            let told = report.keys.iter().find(|key| key.key == id);
            let problem = told.and_then(|key| key.problem.as_deref());
            let expected = format!(
                "data key {id} is not wrapped for memory:one (it is wrapped for memory:another)"
            );
            assert_eq!(problem, (!gone).then_some(expected.as_str()));
        }
    }
}

#[tokio::test]
async fn a_disabled_keyring_is_told_for_every_key_and_backup() {
    let clinic = Clinic::new();
    clinic.backup().await;
    clinic.backup().await;
    clinic.keyring.disable(true);
    let report = state(&clinic).await;
    assert_eq!(report.lost.len(), 2);
    assert!(report.lost.iter().all(|lost| lost.wholly));
    let problems: BTreeSet<_> = report.keys.iter().map(|key| key.problem.as_deref()).collect();
    let problems: Vec<_> = problems.into_iter().collect();
    assert_eq!(
        problems,
        [Some("cannot use memory:one: the key is disabled: a fault that the test asked for")]
    );
}

#[tokio::test]
async fn new_keys_seal_what_comes_and_leave_what_is_there() {
    let clinic = Clinic::new();
    let before = clinic.backup().await.backup;
    let content = clinic.restored(&before).await;
    // In the same second: the new keys must be the newer ones all the same.
    let made = rotate::run(&clinic.world()).await.expect("new keys").keys;
    let kinds: BTreeSet<_> = made.iter().map(|key| (key.purpose(), key.scope().clone())).collect();
    let scopes = [Scope::Shared, Scope::tenant("0"), Scope::tenant("1")];
    let mut expected: BTreeSet<_> =
        scopes.into_iter().map(|scope| (KeyPurpose::Rows, scope)).collect();
    expected.insert((KeyPurpose::Manifest, Scope::Shared));
    assert_eq!(kinds, expected, "one for all that is sealed, and none that names");
    assert_eq!(made.len(), kinds.len());

    clinic.source.insert("pacientes", [patient(9, 1, "Eva")]);
    let after = clinic.backup().await.backup;
    let header = |clinic: &Clinic, id: &RunId| {
        let bytes = clinic.vault.objects()[&ObjectName::manifest(id)].clone();
        gorgen_engine::records::manifest::Header::read(&bytes).expect("a header").key
    };
    assert!(made.contains(&header(&clinic, &after)));
    assert!(!made.contains(&header(&clinic, &before)));
    let of_after = keys_of(&clinic, &after).await;
    assert!(made.iter().any(|key| of_after.contains(key)), "a changed chunk is sealed anew");
    assert_eq!(clinic.restored(&before).await, content);
    assert_eq!(clinic.restored(&after).await["pacientes"].len(), 5);

    let report = state(&clinic).await;
    let in_use: BTreeSet<_> =
        report.keys.iter().filter(|key| key.current).map(|key| key.key.clone()).collect();
    assert!(made.iter().all(|key| in_use.contains(key)));
}

#[tokio::test]
async fn after_a_rewrap_everything_opens_with_the_new_keyring_alone() {
    let clinic = Clinic::new();
    let backups = [clinic.backup().await.backup, clinic.backup().await.backup];
    let packs = clinic.objects(prefix::PACKS);
    let contents = [clinic.restored(&backups[0]).await, clinic.restored(&backups[1]).await];
    let new = MemoryKeyring::new("two", 2);

    let report = rewrap::run(&clinic.world(), &new).await.expect("a rewrap");
    let keys = clinic.objects(prefix::KEYS).len() as u64;
    assert_eq!(report.keyring, "memory:two");
    assert_eq!((report.keys, report.rewrapped, report.released), (keys, keys, keys));
    assert_eq!(report.unopened, []);
    assert_eq!(wrapping_keys(&clinic), BTreeSet::from([vec!["two".to_owned()]]));
    assert_eq!(clinic.objects(prefix::PACKS), packs, "not one chunk was touched");

    clinic.keyring.disable(true);
    let moved = opened_with(&clinic, &new);
    for (backup, content) in backups.iter().zip(&contents) {
        assert_eq!(&moved.restored(backup).await, content);
    }
    assert!(moved.verify().await.problems.is_empty());
    assert!(state(&moved).await.all_open());
    moved.backup().await;

    // Again, also with the old keyring that opens nothing any more: nothing is left to do.
    for world in [moved.world(), clinic.world()] {
        let again = rewrap::run(&world, &new).await.expect("a rewrap");
        assert_eq!((again.rewrapped, again.released, again.unopened), (0, 0, vec![]));
    }
}

#[tokio::test]
async fn a_rewrap_that_is_cut_off_anywhere_leaves_every_key_opening_and_goes_on() {
    let clinic = Clinic::new();
    let backup = clinic.backup().await.backup;
    let content = clinic.restored(&backup).await;
    let new = MemoryKeyring::new("two", 2);
    let mut broken_off = 0;
    for (write, fault) in (1..).zip([Fault::Outage, Fault::After].into_iter().cycle()) {
        let hurt = clinic.with_copied_vault().await;
        let failing = FailingVault::new(Arc::new(hurt.vault.clone()), write, fault);
        let world = hurt.world_with(Arc::new(failing));
        let cut_off = rewrap::run(&world, &new).await.is_err();
        let opens_all_as_of_old = state(&hurt).await.all_open();
        let is_done = wrapping_keys(&hurt) == BTreeSet::from([vec!["two".to_owned()]]);
        if !cut_off {
            assert!(is_done);
            break;
        }
        broken_off += 1;
        // Some old wrappings go only when all new ones are there.
        let moved = opened_with(&hurt, &new);
        assert!(opens_all_as_of_old || state(&moved).await.all_open(), "write {write}");
        rewrap::run(&world_of(&hurt, &clinic.keyring), &new).await.expect("the rest");
        assert_eq!(wrapping_keys(&hurt), BTreeSet::from([vec!["two".to_owned()]]));
        assert_eq!(moved.restored(&backup).await, content);
    }
    assert!(broken_off > 10, "{broken_off}");
}

#[tokio::test]
async fn a_key_that_nothing_opens_is_told_and_left_as_it_is() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let name = clinic.objects(prefix::KEYS).into_iter().next_back().expect("a key");
    let mut foreign = record(&clinic, &name);
    foreign.wrapped[0].by = "another".to_owned();
    let (_, revision) = clinic.vault.read(&name).await.unwrap().unwrap();
    clinic.vault.swap(&name, Some(&revision), foreign.write().unwrap()).await.unwrap();

    let new = MemoryKeyring::new("two", 2);
    let report = rewrap::run(&clinic.world(), &new).await.expect("a rewrap");
    let [unopened] = report.unopened.as_slice() else { panic!("{report:?}") };
    assert_eq!(ObjectName::key(&unopened.key), name);
    assert_eq!(
        unopened.why,
        format!(
            "data key {} is not wrapped for memory:one (it is wrapped for another:one)",
            unopened.key
        )
    );
    assert_eq!(record(&clinic, &name), foreign);
    assert_eq!((report.rewrapped, report.released), (report.keys - 1, report.keys - 1));
}

#[tokio::test]
async fn nothing_goes_if_the_new_keyring_wraps_nothing() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let before = clinic.vault.objects();
    let new = MemoryKeyring::new("two", 2);
    new.disable(true);
    let error = rewrap::run(&clinic.world(), &new).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot use memory:two: the key is disabled");
    assert_eq!(clinic.vault.objects(), before);
}
