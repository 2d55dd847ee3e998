//! Damage anywhere in a vault is found, named, and never restored or built upon.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::support::{
    Clinic, chunks_of, content, patient, reading, request, restoring, state_of, text_of,
};
use async_trait::async_trait;
use gorgen_engine::{
    Error, Kind,
    jobs::{
        World, audit, backup, backups,
        requests::{self, Known, Request},
        restore, restores, verify,
    },
    model::{ObjectName, RunId, prefix},
    ports::{DataKey, KeyContext, Keyring, KeyringError, TargetState, WrappedKey},
    records::{
        audit::{Caller, Verdict},
        manifest::Manifest,
        restore::{Destination, Wish},
    },
    testing::{FailingVault, FakeTarget, Fault, MemoryKeyring, SeededEntropy},
};

/// A clinic with two backups that share some chunks, and what each of them needs.
struct Kept {
    clinic: Clinic,
    backups: BTreeMap<RunId, Needs>,
}

struct Needs {
    key: String,
    manifest: Manifest,
}

impl Kept {
    async fn new() -> Self {
        Self::of(Clinic::new()).await
    }

    async fn of(clinic: Clinic) -> Self {
        clinic.backup().await;
        clinic.source.change("pacientes", |rows| rows[0] = patient(1, 1, "Ana Maria"));
        clinic.clock.set("2026-12-01T06:00:00Z".parse().unwrap());
        clinic.backup().await;
        let mut kept = BTreeMap::new();
        for listed in backups::list(&clinic.vault).await.unwrap() {
            let header = listed.header.unwrap();
            let manifest = clinic.manifest(&header.backup).await;
            kept.insert(header.backup, Needs { key: header.key.to_string(), manifest });
        }
        assert_eq!(kept.len(), 2);
        Self { clinic, backups: kept }
    }

    fn needing(&self, needs: impl Fn(&RunId, &Needs) -> bool) -> BTreeSet<RunId> {
        let needing = self.backups.iter().filter(|(backup, parts)| needs(backup, parts));
        needing.map(|(backup, _)| backup.clone()).collect()
    }

    /// The backups that can't be restored without this byte of this object.
    fn hurt_by_byte(&self, object: &ObjectName, at: u64) -> BTreeSet<RunId> {
        let Some(pack) = object.stem(prefix::PACKS, ".pack") else { return self.hurt_by(object) };
        self.needing(|_, needs| {
            needs.manifest.tables.iter().any(|part| {
                chunks_of(part).any(|chunk| {
                    let start = u64::from(chunk.offset);
                    let is_within = (start..start + u64::from(chunk.length)).contains(&at);
                    is_within && part.pack_of(chunk).unwrap().to_string() == pack
                })
            })
        })
    }

    /// The backups that can't be restored without this object.
    fn hurt_by(&self, object: &ObjectName) -> BTreeSet<RunId> {
        let (key, pack) = (object.stem(prefix::KEYS, ".json"), object.stem(prefix::PACKS, ".pack"));
        let is = |name: Option<&str>, other: &dyn ToString| name == Some(&other.to_string());
        self.needing(|backup, needs| {
            object.stem(prefix::MANIFESTS, ".manifest") == Some(backup.as_str())
                || is(key, &needs.key)
                || needs.manifest.packs.iter().any(|(id, _)| is(pack, id))
                || needs.manifest.tables.iter().flat_map(|part| &part.keys).any(|id| is(key, id))
        })
    }

    /// The same in a vault of its own, to be damaged.
    async fn copy(&self) -> Clinic {
        self.clinic.with_copied_vault().await
    }

    /// All objects, with their sizes.
    fn objects(&self) -> Vec<(ObjectName, usize)> {
        let objects = self.clinic.vault.objects();
        objects.into_iter().map(|(name, bytes)| (name, bytes.len())).collect()
    }

    /// Objects that backups are made of.
    fn parts(&self) -> Vec<ObjectName> {
        let folders = [prefix::MANIFESTS, prefix::PACKS, prefix::KEYS];
        folders.iter().flat_map(|folder| self.clinic.objects(folder)).collect()
    }
}

fn hurt(report: &verify::Report) -> BTreeSet<RunId> {
    report.problems.iter().flat_map(|problem| problem.backups.clone()).collect()
}

fn named(report: &verify::Report) -> BTreeSet<&str> {
    report.problems.iter().map(|problem| problem.object.as_str()).collect()
}

async fn verify(clinic: &Clinic, read_data: bool) -> Result<verify::Report, Error> {
    clinic.pass_a_minute();
    verify::run(&clinic.world(), &verify::Request { read_data, ..reading() }).await
}

/// Restores every backup: those that are hurt fail and leave nothing behind, the others come back.
async fn assert_restores(clinic: &Clinic, hurt: &BTreeSet<RunId>, what: &str) {
    for backup in clinic.backups().await {
        let (target, result) = clinic.try_restore(backup.as_str()).await;
        match result {
            Ok(_) => assert!(!hurt.contains(&backup), "{what}: {backup} was restored"),
            Err(error) => {
                assert!(hurt.contains(&backup), "{what}: {backup}: {}", text_of(&error));
                assert_eq!(error.kind(), Kind::Integrity, "{what}: {error}");
                assert_eq!(state_of(&target).await, TargetState::Absent, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn all_is_well_with_a_vault_that_was_left_alone() {
    let kept = Kept::new().await;
    let before = kept.objects();
    let report = verify(&kept.clinic, true).await.unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.backups, kept.backups.keys().cloned().collect::<Vec<_>>());
    assert_eq!(report.objects, before.len() as u64);
    assert_eq!(report.bytes, before.iter().map(|(_, size)| *size as u64).sum::<u64>());
    assert_eq!((report.chunks_read, report.unreferenced_packs), (4, 0));
    assert!(report.read_data);
    let report = verify(&kept.clinic, false).await.unwrap();
    assert_eq!((report.problems.as_slice(), report.chunks_read), (&[][..], 0));
}

/// Flips one bit in every `step`th byte of the objects whose names begin like this, and counts the flips.
async fn assert_flips_are_found(kept: &Kept, start: &str, step: usize) -> usize {
    let mut flips = 0;
    for (object, size) in kept.objects() {
        if !object.as_str().starts_with(start) {
            continue;
        }
        for at in (0..size).step_by(step) {
            let what = format!("byte {at} of {object}");
            let clinic = kept.copy().await;
            clinic.vault.corrupt(&object, |bytes| bytes[at] ^= 1 << (at % 8));
            let expected = kept.hurt_by_byte(&object, at as u64);
            match verify(&clinic, true).await {
                Err(Error::Damaged { name, .. }) => {
                    assert_eq!(
                        (name, &object),
                        (ObjectName::identity(), &ObjectName::identity()),
                        "{what}"
                    );
                }
                Err(error) => panic!("{what}: {}", text_of(&error)),
                Ok(report) => {
                    assert!(
                        named(&report).contains(object.as_str()),
                        "{what}: {:?}",
                        report.problems
                    );
                    assert_eq!(hurt(&report), expected, "{what}: {:?}", report.problems);
                    if at % 7 == 0 {
                        assert_restores(&clinic, &expected, &what).await;
                    }
                }
            }
            flips += 1;
        }
    }
    flips
}

#[tokio::test]
async fn one_flipped_bit_is_found_anywhere_in_a_pack() {
    assert!(assert_flips_are_found(&Kept::new().await, prefix::PACKS, 1).await > 800);
}

#[tokio::test]
async fn one_flipped_bit_in_a_pack_of_many_chunks_hurts_those_who_need_the_chunk() {
    let clinic = Clinic::new();
    let rows = (10..40).map(|id| patient(id, id % 10, "Fulano"));
    clinic.source.insert("pacientes", rows);
    let kept = Kept::of(clinic).await;
    assert!(assert_flips_are_found(&kept, prefix::PACKS, 3).await > 700);
}

#[tokio::test]
async fn one_flipped_bit_is_found_anywhere_in_a_manifest() {
    assert!(assert_flips_are_found(&Kept::new().await, prefix::MANIFESTS, 1).await > 2000);
}

#[tokio::test]
async fn one_flipped_bit_is_found_anywhere_in_a_key() {
    assert!(assert_flips_are_found(&Kept::new().await, prefix::KEYS, 1).await > 2000);
}

#[tokio::test]
async fn one_flipped_bit_is_found_anywhere_in_a_record() {
    let kept = Kept::new().await;
    for record in [prefix::RUNS, prefix::LOCKS, "vault.json"] {
        assert!(assert_flips_are_found(&kept, record, 1).await > 100);
    }
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_backups_it_hurts() {
    let kept = Kept::new().await;
    for object in kept.parts() {
        for read_data in [false, true] {
            let clinic = kept.copy().await;
            clinic.vault.lose(&object);
            let report = verify(&clinic, read_data).await.unwrap();
            let expected = kept.hurt_by(&object);
            assert_eq!(hurt(&report), expected, "{object}: {:?}", report.problems);
            let is_it = |name: &str| name == object.as_str() || is_naming_key(&object, name);
            let problem = report.problems.iter().find(|problem| is_it(&problem.object));
            let problem = problem.unwrap_or_else(|| panic!("{object}: {:?}", report.problems));
            assert_eq!(problem.what, "missing");
            assert_restores(&clinic, &expected, object.as_str()).await;
        }
    }
}

/// No manifest names the keys that name chunks, so all that can be said is whose is missing.
fn is_naming_key(object: &ObjectName, named: &str) -> bool {
    let scope = named.strip_prefix("keys/naming.").and_then(|rest| rest.strip_suffix(".*"));
    scope.is_some_and(|scope| object.as_str().starts_with(&format!("keys/naming.{scope}.")))
}

#[tokio::test]
async fn verifying_writes_nothing_but_its_record() {
    let kept = Kept::new().await;
    let mut vaults = vec![kept.copy().await];
    for object in kept.parts() {
        let clinic = kept.copy().await;
        clinic.vault.lose(&object);
        vaults.push(clinic);
    }
    for clinic in vaults {
        let before = clinic.vault.objects();
        let report = verify(&clinic, true).await.unwrap();
        let mut after = clinic.vault.objects();
        assert!(after.remove(&ObjectName::run(&report.run)).is_some());
        assert!(after == before, "something else was written");
    }
}

#[tokio::test]
async fn damaged_records_of_restores_and_of_calls_are_found() {
    let clinic = Clinic::new();
    clinic.backup().await;
    let wish = Wish {
        backup: "latest".to_owned(),
        destination: Destination::InPlace { stage_only: false },
        tables: Vec::new(),
        tenant: None,
        no_safety_backup: false,
        accept_orphans: false,
        dry_run: true,
    };
    let restore = restores::request(&clinic.world(), wish, None).await.unwrap().restore;
    let caller = Caller {
        subject: "maria".to_owned(),
        name: None,
        roles: Vec::new(),
        address: None,
        agent: None,
    };
    let entry = audit::Entry {
        caller,
        action: "POST /v1/restores".to_owned(),
        request: None,
        verdict: Verdict::Allowed,
        status: 202,
        reason: None,
        about: Some(restore.to_string()),
    };
    let entry = audit::keep(&clinic.world(), entry).await.unwrap().entry;
    let asked = Request::new("maria", "POST /v1/restores", "k1", b"{}");
    let Known::Open(open) = requests::look_up(&clinic.world(), &asked).await.unwrap() else {
        panic!("nobody asked before");
    };
    requests::begin(&clinic.world(), asked, open, restore.clone()).await.unwrap().unwrap();
    assert_eq!(named(&verify(&clinic, false).await.unwrap()), BTreeSet::new());

    let mut names = clinic.vault.objects().into_keys();
    let request = names.find(|name| name.as_str().starts_with(prefix::REQUESTS)).unwrap();
    let records = [ObjectName::restore(&restore), ObjectName::audit(&entry), request];
    for name in &records {
        clinic.vault.corrupt(name, |bytes| bytes[100] ^= 1);
    }
    let report = verify(&clinic, false).await.unwrap();
    assert_eq!(named(&report), records.iter().map(ObjectName::as_str).collect());
    assert_eq!(hurt(&report), BTreeSet::new());
}

#[tokio::test]
async fn a_truncated_or_grown_object_is_found() {
    let kept = Kept::new().await;
    for object in kept.parts() {
        let clinic = kept.copy().await;
        let size = clinic.vault.objects()[&object].len();
        for length in [0, 1, size / 2, size - 2, size + 1] {
            let what = format!("{object}, {length} of {size} bytes");
            let clinic = kept.copy().await;
            clinic.vault.corrupt(&object, |bytes| bytes.resize(length, b'x'));
            let report = verify(&clinic, true).await.unwrap();
            assert!(named(&report).contains(object.as_str()), "{what}: {:?}", report.problems);
            assert_eq!(hurt(&report), kept.hurt_by(&object), "{what}: {:?}", report.problems);
            if object.as_str().starts_with(prefix::PACKS) {
                let report = verify(&clinic, false).await.unwrap();
                assert_eq!(
                    named(&report),
                    [object.as_str()].into(),
                    "{what}: found by its size alone"
                );
                assert_eq!(hurt(&report), kept.hurt_by(&object), "{what}");
            } else if length < size {
                assert_restores(&clinic, &kept.hurt_by(&object), &what).await;
            }
        }
    }
}

#[tokio::test]
async fn swapped_objects_are_found() {
    let kept = Kept::new().await;
    let mut swaps = 0;
    for folder in [prefix::MANIFESTS, prefix::PACKS, prefix::KEYS, prefix::RUNS] {
        let objects = kept.clinic.objects(folder);
        for (place, one) in objects.iter().enumerate() {
            for other in &objects[place + 1..] {
                let clinic = kept.copy().await;
                let content = clinic.vault.objects();
                clinic.vault.corrupt(one, |bytes| *bytes = content[other].to_vec());
                clinic.vault.corrupt(other, |bytes| *bytes = content[one].to_vec());
                let report = verify(&clinic, true).await.unwrap();
                let what = format!("{one} and {other} swapped: {:?}", report.problems);
                for object in [one, other] {
                    assert!(named(&report).contains(object.as_str()), "{what}");
                }
                let expected: BTreeSet<_> =
                    kept.hurt_by(one).union(&kept.hurt_by(other)).cloned().collect();
                assert_eq!(hurt(&report), expected, "{what}");
                assert_restores(&clinic, &expected, &what).await;
                swaps += 1;
            }
        }
    }
    assert!(swaps > 10, "{swaps} swaps");
}

/// An object that is whole, but of another vault of the same source and keyring.
#[tokio::test]
async fn objects_of_another_vault_are_found() {
    let other = Clinic { entropy: SeededEntropy::new(8), ..Clinic::new() };
    let (kept, other) = (Kept::new().await, Kept::of(other).await);
    for folder in [prefix::MANIFESTS, prefix::PACKS, prefix::KEYS] {
        let (ours, theirs) = (kept.clinic.objects(folder), other.clinic.vault.objects());
        for object in ours {
            let theirs =
                theirs.iter().find(|(name, _)| name.as_str().starts_with(folder)).unwrap().1;
            let clinic = kept.copy().await;
            clinic.vault.corrupt(&object, |bytes| *bytes = theirs.to_vec());
            let report = verify(&clinic, true).await.unwrap();
            assert!(named(&report).contains(object.as_str()), "{object}: {:?}", report.problems);
            assert_eq!(hurt(&report), kept.hurt_by(&object), "{object}: {:?}", report.problems);
        }
    }
}

#[tokio::test]
async fn one_backup_is_verified_by_itself() {
    let kept = Kept::new().await;
    let [first, second] = kept.backups.keys().collect::<Vec<_>>()[..] else {
        panic!("two backups")
    };
    let clinic = kept.copy().await;
    clinic.vault.lose(&ObjectName::manifest(first));
    let only = |backup: &RunId| {
        let request = verify::Request { only: Some(backup.clone()), ..reading() };
        let world = clinic.world();
        async move { verify::run(&world, &request).await.unwrap() }
    };
    let report = only(second).await;
    assert_eq!(
        (report.problems.as_slice(), report.backups.as_slice()),
        (&[][..], &[second.clone()][..])
    );
    let report = only(first).await;
    assert_eq!(hurt(&report), [first.clone()].into());
}

#[tokio::test]
async fn a_verification_leaves_a_record_with_its_report() {
    let kept = Kept::new().await;
    let clinic = kept.copy().await;
    clinic.vault.lose(&kept.clinic.objects(prefix::PACKS)[0]);
    let report = verify(&clinic, false).await.unwrap();
    let record = clinic.records().into_iter().find(|record| record.run == report.run).unwrap();
    assert_eq!(serde_json::from_value::<verify::Report>(record.summary.unwrap()).unwrap(), report);
}

/// Packs of a run that was cut off are not needed, and no problem; damage in them is one that hurts nobody.
#[tokio::test]
async fn spare_packs_are_counted_and_read_but_hurt_nobody() {
    let clinic = Clinic::new();
    clinic.source.fail_read("pacientes", Some(3));
    clinic.try_backup().await.unwrap_err();
    clinic.source.fail_read("pacientes", None);
    clinic.source.change("pacientes", Vec::clear);
    clinic.source.change("cid", |rows| rows.truncate(1));
    clinic.backup().await;
    let spare = clinic.objects(prefix::PACKS)[0].clone();
    let report = verify(&clinic, true).await.unwrap();
    assert_eq!((report.problems.as_slice(), report.unreferenced_packs), (&[][..], 1));
    clinic.vault.corrupt(&spare, |bytes| bytes[20] ^= 1);
    let report = verify(&clinic, true).await.unwrap();
    assert_eq!(named(&report), [spare.as_str()].into());
    assert!(hurt(&report).is_empty());
}

/// What is missing, or of another size than it should be, is stored again.
#[tokio::test]
async fn a_backup_does_not_build_upon_what_is_missing() {
    let kept = Kept::new().await;
    for object in kept.parts() {
        for length in [None, Some(0), Some(100)] {
            let clinic = kept.copy().await;
            match length {
                None => clinic.vault.lose(&object),
                Some(length) => clinic.vault.corrupt(&object, |bytes| bytes.truncate(length)),
            }
            let what = format!("{object} cut to {length:?}");
            match clinic.try_backup().await {
                Ok(report) => {
                    let (_, restored) = clinic.try_restore(report.backup.as_str()).await;
                    restored.unwrap_or_else(|error| panic!("{what}: {}", text_of(&error)));
                }
                // It may be refused, if that is said to be for the damage.
                Err(error) => assert!(text_of(&error).contains(object.as_str()), "{what}: {error}"),
            }
        }
    }
}

/// A flipped bit within a chunk is seen only by reading it. Once `verify` has, the next backup is whole by itself.
#[tokio::test]
async fn a_backup_does_not_build_upon_what_a_verification_found_damaged() {
    let kept = Kept::new().await;
    for pack in kept.clinic.objects(prefix::PACKS) {
        let clinic = kept.copy().await;
        clinic.vault.corrupt(&pack, |bytes| bytes[20] ^= 1);
        let found = verify(&clinic, true).await.unwrap();
        assert_eq!(named(&found), BTreeSet::from([pack.as_str()]));
        let report = clinic.backup().await;
        let (_, restored) = clinic.try_restore(report.backup.as_str()).await;
        restored.unwrap_or_else(|error| panic!("{pack}: {}", text_of(&error)));
        let still = verify(&clinic, true).await.unwrap();
        assert!(!hurt(&still).contains(&report.backup), "{pack}: {still:#?}");
        // A verification that reads nothing takes back nothing.
        verify(&clinic, false).await.unwrap();
        let next = clinic.backup().await;
        assert_eq!(next.totals.new_bytes, 0, "what is whole is not stored again");
        assert!(clinic.try_restore(next.backup.as_str()).await.1.is_ok());
    }
}

/// The packs of a cut-off run are found by their contents, and are no better when a verification named them.
#[tokio::test]
async fn a_pack_of_a_run_that_was_cut_off_is_not_built_upon_when_it_is_damaged() {
    let clinic = Clinic::new();
    let first = clinic.backup().await;
    // What is left when the manifest could not be written.
    clinic.vault.lose(&ObjectName::manifest(&first.backup));
    clinic.vault.lose(&ObjectName::run(&first.backup));
    let pack = clinic.objects(prefix::PACKS)[0].clone();
    clinic.vault.corrupt(&pack, |bytes| bytes[20] ^= 1);
    let found = verify(&clinic, true).await.unwrap();
    assert!(named(&found).contains(pack.as_str()), "{found:#?}");
    let report = clinic.backup().await;
    let (_, restored) = clinic.try_restore(report.backup.as_str()).await;
    restored.unwrap_or_else(|error| panic!("{}", text_of(&error)));
}

/// The same for every flipped bit but those within chunks, which only `verify` finds.
#[tokio::test]
async fn a_backup_does_not_build_upon_what_it_cannot_open() {
    let kept = Kept::new().await;
    kept.clinic.source.fail_read("pacientes", Some(3));
    kept.clinic.source.insert("cid", [support_row()]);
    kept.clinic.try_backup().await.unwrap_err();
    kept.clinic.source.fail_read("pacientes", None);
    let spare = kept.clinic.objects(prefix::PACKS).pop().unwrap();
    for (object, size) in kept.objects() {
        for at in (0..size).step_by(7) {
            let is_spare = object == spare && at > 200;
            if object.as_str().starts_with(prefix::PACKS) && !is_spare {
                continue;
            }
            let what = format!("byte {at} of {object}");
            let clinic = kept.copy().await;
            clinic.vault.corrupt(&object, |bytes| bytes[at] ^= 1 << (at % 8));
            match clinic.try_backup().await {
                Ok(report) => {
                    let (_, restored) = clinic.try_restore(report.backup.as_str()).await;
                    restored.unwrap_or_else(|error| panic!("{what}: {}", text_of(&error)));
                }
                Err(error) => {
                    assert!(
                        text_of(&error).contains(object.as_str()),
                        "{what}: {}",
                        text_of(&error)
                    );
                    assert!(
                        !object.as_str().starts_with(prefix::PACKS),
                        "{what}: {}",
                        text_of(&error)
                    );
                    assert!(
                        !object.as_str().starts_with(prefix::MANIFESTS),
                        "{what}: {}",
                        text_of(&error)
                    );
                }
            }
        }
    }
}

fn support_row() -> Vec<u8> {
    gorgen_engine::testing::row(&[Some("Z99")])
}

/// A keyring with the right name and the wrong key, which opens everything and gives nonsense.
struct Impostor(MemoryKeyring);

#[async_trait]
impl Keyring for Impostor {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        self.0.opens(wrapped)
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        self.0.generate(context).await
    }

    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        self.0.wrap(key, context).await
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        let mut bytes = *self.0.unwrap(wrapped, context).await?.bytes();
        bytes[31] ^= 1;
        Ok(DataKey::new(bytes))
    }
}

fn world_with(clinic: &Clinic, keyring: impl Keyring + 'static) -> World {
    World { keyring: Arc::new(keyring), ..clinic.world() }
}

/// What each job says with this keyring; none of them changes or restores anything.
async fn errors_with(clinic: &Clinic, world: &World) -> [Error; 2] {
    let (backups, keys) = (clinic.backups().await, clinic.objects(prefix::KEYS));
    let packs = clinic.objects(prefix::PACKS);
    clinic.pass_a_minute();
    let backup = backup::run(world, &clinic.source, &request()).await.unwrap_err();
    let target = FakeTarget::new("copia");
    let restore = restore::run(world, &target, "latest", &restoring()).await.unwrap_err();
    assert_eq!(state_of(&target).await, TargetState::Absent);
    assert_eq!(clinic.backups().await, backups);
    assert_eq!((clinic.objects(prefix::KEYS), clinic.objects(prefix::PACKS)), (keys, packs));
    [backup, restore]
}

#[tokio::test]
async fn a_keyring_that_does_not_open_the_vault_is_said_to_be_wrong() {
    let kept = Kept::new().await;
    let wrong_key = world_with(&kept.clinic, Impostor(kept.clinic.keyring.clone()));
    for error in errors_with(&kept.clinic, &wrong_key).await {
        assert!(matches!(error, Error::Keyring(KeyringError::DoesNotOpen { .. })), "{error}");
        assert_eq!(error.kind(), Kind::Integrity);
        assert_eq!(
            error.hint().unwrap(),
            "GORGEN_KEYRING must name the keyring that the vault was written with"
        );
    }
    let other = world_with(&kept.clinic, MemoryKeyring::new("other", 1));
    for error in errors_with(&kept.clinic, &other).await {
        let text = error.to_string();
        assert!(
            text.ends_with(" is not wrapped for memory:other (it is wrapped for memory:one)"),
            "{text}"
        );
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.hint().is_some());
    }
    let clinic = &kept.clinic;
    assert_eq!(
        clinic.restored(clinic.backups().await.last().unwrap()).await,
        content(&clinic.source)
    );
}

/// What can't be tried is no damage.
#[tokio::test]
async fn a_keyring_that_is_out_of_reach_is_an_error_and_no_problem_of_the_vault() {
    let kept = Kept::new().await;
    kept.clinic.keyring.disable(true);
    for error in errors_with(&kept.clinic, &kept.clinic.world()).await {
        assert_eq!(error.to_string(), "cannot use memory:one: the key is disabled");
        assert_eq!(error.kind(), Kind::Failed);
    }
    let error = verify(&kept.clinic, true).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot use memory:one: the key is disabled");
    kept.clinic.keyring.disable(false);
    assert_eq!(verify(&kept.clinic, true).await.unwrap().problems, []);
}

/// Records of other jobs do not depend on a vault that takes no writes: the first error is the one that is told.
#[tokio::test]
async fn a_restore_that_fails_tells_why_also_when_its_record_cannot_be_written() {
    let kept = Kept::new().await;
    let clinic = kept.copy().await;
    clinic.vault.lose(&kept.clinic.objects(prefix::PACKS)[0]);
    let failing = FailingVault::new(Arc::new(clinic.vault.clone()), 1, Fault::Outage);
    let target = FakeTarget::new("copia");
    let error =
        restore::run(&clinic.world_with(Arc::new(failing)), &target, "latest", &restoring())
            .await
            .unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity, "{error}");
}

/// A run's id tells the second in which it started; reports and records tell more.
#[tokio::test]
async fn runs_are_timed_to_the_fraction_of_a_second() {
    let clinic = Clinic::new();
    clinic.clock.advance(jiff::SignedDuration::from_millis(750));
    let time = |started, ended| {
        (started, ended) == (clinic.world().clock.now(), clinic.world().clock.now())
    };
    let report = backup::run(&clinic.world(), &clinic.source, &request()).await.unwrap();
    assert!(time(report.started, report.ended), "{} to {}", report.started, report.ended);
    let record = clinic.records().pop().expect("the backup's record");
    assert!(time(record.started, record.ended), "{} to {}", record.started, record.ended);
    let report = verify::run(&clinic.world(), &verify::Request::default()).await.unwrap();
    assert!(time(report.started, report.ended), "{} to {}", report.started, report.ended);
}
