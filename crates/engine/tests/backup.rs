//! Backups come back as they were, cost what changed, and keep tenants apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    Clinic, catalog, chunks, chunks_of, content, noise, patient, request, text_of,
};
use gorgen_engine::{
    Error, Kind,
    jobs::{Fetcher, KeyChest, backup, backups},
    model::{KeyId, KeyPurpose, RunId, Scope, ValueKind, prefix},
    ports::Consistency,
    records::manifest::TablePart,
    stages::rows::{put_value, take_row, take_value},
    testing::{row, table},
};
use jiff::SignedDuration;

/// Enough large rows for some twenty chunks.
const ROWS: u32 = 20_000;
const TEXT: usize = 2000;

/// A table of many chunks: compressible, so that the test is quick, yet every row is another.
fn large_clinic() -> Clinic {
    let clinic = Clinic::new();
    let columns = [("id", ValueKind::Number), ("texto", ValueKind::Text)];
    clinic.source.define(table("notas", &columns, &["id"]));
    clinic.source.insert("notas", (0..ROWS).map(|id| note(id, "sem queixas")));
    clinic
}

fn note(id: u32, what: &str) -> Vec<u8> {
    let text = format!("{id}: {what}. ").repeat(TEXT / 8);
    row(&[Some(&id.to_string()), Some(&text[..TEXT])])
}

#[tokio::test]
async fn a_backup_comes_back_as_it_was() {
    let clinic = Clinic::new();
    let report = clinic.backup().await;
    assert_eq!(report.totals.tables, 2);
    assert_eq!(report.totals.rows, 7);
    assert_eq!(report.totals.chunks, 3, "two tenants, and rows that are nobody's");
    assert_eq!(report.totals.new_bytes, report.totals.stored_bytes);
    assert_eq!(report.consistency, Consistency::SingleTransaction);
    assert_eq!((report.readers, report.attempts), (1, 1));
    assert_eq!(report.warnings, [""; 0]);

    let world = clinic.world();
    let listed = backups::list(&*world.vault).await.unwrap();
    let header = listed[0].header.as_ref().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(header.backup, report.backup);
    assert_eq!(header.totals, report.totals);
    assert_eq!(header.source, report.source);
    assert_eq!(header.snapshot, report.snapshot);
    assert_eq!(header.tool, world.tool);
    for name in ["latest", report.backup.as_str()] {
        assert_eq!(backups::find(&*world.vault, name).await.unwrap(), report.backup);
    }
    let manifest = clinic.manifest(&report.backup).await;
    assert_eq!(manifest.catalog, catalog(&clinic.source).await);
    assert_eq!(manifest.position.gtid.as_deref(), Some("0-1-1"));
    assert_eq!(manifest.tables[1].key_range, Some(("1".into(), "4".into())));

    assert_eq!(clinic.restored(&report.backup).await, content(&clinic.source));
}

#[tokio::test]
async fn a_run_leaves_a_record_with_its_report() {
    let clinic = Clinic::new();
    let report = clinic.backup().await;
    let records = clinic.records();
    let summary = records[0].summary.clone().unwrap();
    assert_eq!(records[0].run, report.backup);
    assert_eq!(serde_json::from_value::<backup::Report>(summary).unwrap(), report);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let clinic = Clinic::new();
    let nothing = backups::find(&*clinic.world().vault, "latest").await.unwrap_err();
    assert_eq!(nothing.to_string(), "memory: holds no backups");
    assert!(matches!(backups::list(&*clinic.world().vault).await, Err(Error::NoVault { .. })));
    let (_, restored) = clinic.try_restore("latest").await;
    assert!(matches!(restored, Err(Error::NoVault { .. })));
    assert!(clinic.vault.objects().is_empty(), "what is no vault does not become one");

    clinic.backup().await;
    let (_, restored) = clinic.try_restore("20200101T000000Z-00000000").await;
    let message = restored.unwrap_err().to_string();
    assert_eq!(message, "there is no backup \"20200101T000000Z-00000000\" in memory:");
}

#[tokio::test]
async fn several_readers_make_the_same_backup_as_one() {
    let clinic = large_clinic();
    let one = clinic.backup().await;
    clinic.pass_a_minute();
    let request = backup::Request { readers: 4, ..request() };
    let four = backup::run(&clinic.world(), &clinic.source, &request).await.unwrap();
    assert_eq!((four.readers, four.consistency), (4, Consistency::LockedStart));
    assert_eq!(four.totals.new_bytes, 0);
    let (one, four) = (clinic.manifest(&one.backup).await, clinic.manifest(&four.backup).await);
    assert_eq!(one.tables, four.tables);
}

#[tokio::test]
async fn what_did_not_change_is_not_stored_again() {
    let clinic = large_clinic();
    let first = clinic.backup().await;
    assert!(first.totals.chunks > 15, "many chunks: {}", first.totals.chunks);
    let packs = clinic.objects(prefix::PACKS);

    let second = clinic.backup().await;
    assert_eq!(second.totals.new_bytes, 0);
    assert_eq!(second.totals.stored_bytes, first.totals.stored_bytes);
    assert_eq!(clinic.objects(prefix::PACKS), packs);
    assert_eq!(
        clinic.manifest(&first.backup).await.tables,
        clinic.manifest(&second.backup).await.tables
    );
}

#[tokio::test]
async fn one_changed_row_costs_one_or_two_chunks() {
    let clinic = large_clinic();
    let first = clinic.backup().await;
    let mut before = chunks(&clinic.manifest(&first.backup).await);
    for id in [0, 1, 777, ROWS / 2, ROWS - 1] {
        clinic.source.change("notas", |rows| rows[id as usize] = note(id, "melhorou"));
        let report = clinic.backup().await;
        let after = chunks(&clinic.manifest(&report.backup).await);
        let fresh = after.difference(&before).count();
        assert!((1..=2).contains(&fresh), "row {id} cost {fresh} chunks");
        assert!(report.totals.new_bytes > 0);
        assert!(report.totals.new_bytes < first.totals.new_bytes / 5);
        before = after;
    }
    let latest = clinic.backups().await.pop().unwrap();
    assert_eq!(clinic.restored(&latest).await, content(&clinic.source));
}

#[tokio::test]
async fn deletes_inserts_and_dropped_tables_are_seen() {
    let clinic = large_clinic();
    let mut kept = BTreeMap::<RunId, _>::new();
    kept.insert(clinic.backup().await.backup, content(&clinic.source));
    clinic.source.change("notas", |rows| drop(rows.drain(9000..9010)));
    clinic.source.change("pacientes", |rows| drop(rows.remove(2)));
    clinic.source.insert("cid", [row(&[Some("A00")]), row(&[None])]);
    let report = clinic.backup().await;
    assert_eq!(report.totals.rows, u64::from(ROWS) - 10 + 3 + 5);
    kept.insert(report.backup, content(&clinic.source));
    clinic.source.drop_table("notas");
    clinic.source.change("cid", Vec::clear);
    kept.insert(clinic.backup().await.backup, content(&clinic.source));
    for (backup, content) in kept {
        assert!(clinic.restored(&backup).await == content, "{backup} is not what it was");
    }
}

/// Every row of a group is its tenant's; no chunk and no key serves two.
#[tokio::test]
async fn tenants_share_neither_chunks_nor_keys() {
    let clinic = Clinic::new();
    clinic.source.change("pacientes", |rows| {
        // Rows that are the same but for the tenant, and one that is nobody's.
        rows.extend((10..20).map(|id| patient(id, id % 2, "homônimo")));
        rows.push(row(&[Some("99"), None, Some("homônimo")]));
    });
    let backup = clinic.backup().await.backup;
    let manifest = clinic.manifest(&backup).await;
    let world = clinic.world();
    let vault = backups::existing_identity(&*world.vault).await.unwrap().vault;
    let keys = KeyChest::open(&world, vault).await.unwrap();
    let fetcher = Fetcher::new(&world, keys.into());

    let mut owners = BTreeMap::new();
    for (table, part) in manifest.catalog.tables.iter().zip(&manifest.tables) {
        let tenant = table.place_of("clinica_id");
        for group in &part.groups {
            for chunk in &group.chunks {
                let owner = owners.entry(chunk.chunk).or_insert(&group.scope);
                assert_eq!(*owner, &group.scope, "one chunk of two tenants");
                assert_eq!(part.key_of(chunk).unwrap().scope(), &group.scope);
            }
        }
        for group in &part.groups {
            let alone = TablePart { groups: vec![group.clone()], ..part.clone() };
            let mut rows = 0;
            for portion in Fetcher::portions(&alone) {
                for sealed in fetcher.read(&alone, &portion).await.unwrap() {
                    let piece = fetcher.open(table, &alone, sealed).await.unwrap();
                    rows += piece.count;
                    let mut rest = piece.rows.as_slice();
                    while !rest.is_empty() {
                        let row = take_row(&mut rest, table.columns.len()).unwrap();
                        assert_eq!(scope_of(row, tenant), group.scope);
                    }
                }
            }
            assert_eq!(rows, group.digest.rows);
        }
    }
    let scopes: BTreeSet<_> = owners.values().map(ToString::to_string).collect();
    assert_eq!(scopes, ["shared", "t-0", "t-1"].map(String::from).into());
    for purpose in [KeyPurpose::Rows, KeyPurpose::Naming] {
        let of_purpose = keys_of(&clinic).into_iter().filter(|key| key.purpose() == purpose);
        let scopes: BTreeSet<_> = of_purpose.map(|key| key.scope().to_string()).collect();
        assert_eq!(scopes.len(), 3, "each scope has a key of its own for {purpose:?}");
    }
}

fn scope_of(mut row: &[u8], tenant: Option<usize>) -> Scope {
    let Some(place) = tenant else {
        return Scope::Shared;
    };
    (0..place).for_each(|_| _ = take_value(&mut row).unwrap());
    take_value(&mut row).unwrap().map_or(Scope::Shared, Scope::tenant)
}

fn keys_of(clinic: &Clinic) -> BTreeSet<KeyId> {
    let names = clinic.objects(prefix::KEYS);
    let stems = names.iter().filter_map(|name| name.stem(prefix::KEYS, ".json"));
    stems.map(|stem| stem.parse().expect("a key id")).collect()
}

#[tokio::test]
async fn without_a_tenant_column_all_rows_are_nobodys() {
    let clinic = Clinic::new();
    for (column, warnings) in [
        (None, vec![]),
        (
            Some("tenant".to_owned()),
            vec!["no table has the tenant column tenant: rows are kept under one key".to_owned()],
        ),
    ] {
        clinic.pass_a_minute();
        let request = backup::Request { tenant_column: column, ..request() };
        let report = backup::run(&clinic.world(), &clinic.source, &request).await.unwrap();
        assert_eq!(report.warnings, warnings);
        assert_eq!(report.totals.chunks, 2);
        let scopes: BTreeSet<_> = keys_of(&clinic).iter().map(|key| key.scope().clone()).collect();
        assert_eq!(scopes, [Scope::Shared].into());
    }
}

#[tokio::test]
async fn a_new_month_brings_new_keys_and_keeps_what_is_there() {
    let clinic = Clinic::new();
    let november = clinic.backup().await;
    let before = (content(&clinic.source), keys_of(&clinic));
    clinic.clock.set("2026-12-01T06:00:00Z".parse().unwrap());

    let unchanged = clinic.backup().await;
    assert_eq!(unchanged.totals.new_bytes, 0, "a new key alone stores nothing again");
    assert_eq!(fresh_keys(&clinic, &before.1), ["manifest.shared"], "made only when it is used");

    clinic.source.insert("pacientes", [patient(5, 1, "Eva")]);
    let december = clinic.backup().await;
    assert_eq!(fresh_keys(&clinic, &before.1), ["manifest.shared", "rows.t-1"]);
    let manifest = clinic.manifest(&december.backup).await;
    let sealed_by: BTreeSet<_> = manifest
        .tables
        .iter()
        .flat_map(|part| {
            let keys = chunks_of(part).map(|chunk| part.key_of(chunk).unwrap());
            keys.map(|key| (key.scope().to_string(), before.1.contains(key)))
        })
        .collect();
    let expected = [("shared", true), ("t-0", true), ("t-1", false)];
    assert_eq!(sealed_by, expected.map(|(scope, old)| (scope.to_owned(), old)).into());

    assert_eq!(clinic.restored(&november.backup).await, before.0);
    assert_eq!(clinic.restored(&unchanged.backup).await, before.0);
    assert_eq!(clinic.restored(&december.backup).await, content(&clinic.source));
    assert_eq!(clinic.verify().await.problems, []);
}

/// Purpose and scope of the keys that were not there before.
fn fresh_keys(clinic: &Clinic, before: &BTreeSet<KeyId>) -> Vec<String> {
    let fresh = keys_of(clinic);
    let fresh = fresh.difference(before);
    fresh.map(|key| format!("{}.{}", key.purpose().as_str(), key.scope())).collect()
}

#[tokio::test]
async fn a_vault_of_another_source_is_left_alone_unless_it_is_adopted() {
    let clinic = Clinic::new();
    let first = clinic.backup().await;
    let before = clinic.vault.objects();

    let moved =
        Clinic { source: gorgen_engine::testing::FakeSource::new("clinica2"), ..clinic.clone() };
    moved.source.define(crate::support::patients());
    let error = moved.try_backup().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        text_of(&error),
        "vault memory: belongs to clinica at memory:3306, not to clinica2 at memory:3306"
    );
    assert!(error.hint().unwrap().contains("--adopt"));
    assert_eq!(clinic.vault.objects(), before, "nothing was written");

    moved.pass_a_minute();
    let adopting = backup::Request { adopt: true, ..request() };
    let adopted = backup::run(&moved.world(), &moved.source, &adopting).await.unwrap();
    assert_eq!(adopted.source.database, "clinica2");
    moved.backup().await;
    assert!(matches!(clinic.try_backup().await, Err(Error::ForeignVault { .. })));
    assert_eq!(clinic.restored(&first.backup).await, content(&clinic.source), "old backups stay");
    assert_eq!(clinic.verify().await.problems, []);
}

/// The newest backup is the one that was made last, also within one second or with a clock that was set back.
#[tokio::test]
async fn the_latest_backup_is_the_one_made_last_whatever_the_clock_says() {
    let clinic = Clinic::new();
    let mut made = vec![clinic.backup().await];
    for hours_back in [0, 0, 3] {
        clinic.clock.advance(SignedDuration::from_hours(-hours_back));
        clinic.source.insert("cid", [row(&[Some("Z99")])]);
        let world = clinic.world();
        made.push(backup::run(&world, &clinic.source, &request()).await.unwrap());
        let latest = backups::find(&*world.vault, "latest").await.unwrap();
        assert_eq!(latest, made.last().unwrap().backup);
        assert_eq!(made.last().unwrap().started, clinic.world().clock.now());
        let again = backup::run(&world, &clinic.source, &request()).await.unwrap();
        assert_eq!(again.totals.new_bytes, 0, "it builds upon the latest");
        made.push(again);
    }
    assert_eq!(
        clinic.backups().await,
        made.into_iter().map(|report| report.backup).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn large_rows_are_stored_whole() {
    let clinic = Clinic::new();
    clinic.source.define(table("imagens", &[("imagem", ValueKind::Bytes)], &[]));
    let images = [20 << 20, 0, 1].map(|length| {
        let mut image = Vec::new();
        put_value(&mut image, &noise(5, length));
        image
    });
    clinic.source.insert("imagens", images);
    let backup = clinic.backup().await.backup;
    assert!(clinic.restored(&backup).await == content(&clinic.source));
    assert_eq!(clinic.backup().await.totals.new_bytes, 0);
}
