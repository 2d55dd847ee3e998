//! A full file with incremental ones.

use gorgen_legacy::{Error, Import, Opened};
use serde_json::{Value, json};

use crate::support::{
    catalog, clinic, full, gzip, import_into, incremental, opened, refusal, rows_of, table,
};

fn file(name: &str, content: &Value) -> Opened {
    opened(name, &gzip(content.to_string().as_bytes()))
}

fn allergy(id: u32) -> Value {
    json!({ "id": id, "tenant_id": 7 })
}

fn note(id: u32, text: &str) -> Value {
    json!({ "id": id, "tenant_id": 7, "texto": text })
}

fn notes() -> gorgen_engine::model::Catalog {
    let columns = [
        ("id", "int(11) NOT NULL"),
        ("tenant_id", "int(11) NOT NULL"),
        ("texto", "text DEFAULT NULL"),
    ];
    catalog(vec![table("notas", &columns, &["id"])])
}

fn texts(import: &Import) -> Vec<(String, String)> {
    let row = |row: Vec<Option<String>>| (row[0].clone().unwrap(), row[2].clone().unwrap());
    rows_of(import, "notas").into_iter().map(row).collect()
}

fn import(files: &[Opened]) -> Result<Import, Error> {
    import_into(&notes(), files)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
}

const DAY_1: &str = "2026-01-17T06:00:00Z";
const DAY_2: &str = "2026-01-18T06:00:00Z";

#[test]
fn later_rows_take_the_place_of_earlier_ones_whatever_the_order_of_the_files() {
    let whole = file("full", &full(&[("notas", vec![note(10, "a"), note(9, "b")])]));
    let first = file(
        "one",
        &incremental(
            DAY_1,
            "2026-01-16T06:00:05Z",
            &[("notas", vec![note(9, "b2"), note(11, "c")])],
        ),
    );
    let second =
        file("two", &incremental(DAY_2, "2026-01-17T06:00:05Z", &[("notas", vec![note(9, "b3")])]));
    let import = import(&[second, whole, first]).unwrap();
    assert_eq!(texts(&import), pairs(&[("9", "b3"), ("10", "a"), ("11", "c")]));
    assert_eq!(import.imported().names(), "full, one, two");
}

#[test]
fn all_may_go_on_from_the_full_file() {
    let whole = file("full", &full(&[("notas", vec![note(1, "a")])]));
    let base = "2026-01-16T06:00:05Z";
    let first = file("one", &incremental(DAY_1, base, &[("notas", vec![note(1, "b")])]));
    let second = file("two", &incremental(DAY_2, base, &[("notas", vec![note(1, "c")])]));
    assert_eq!(texts(&import(&[whole, first, second]).unwrap()), pairs(&[("1", "c")]));
}

#[test]
fn a_checksum_proves_what_a_file_goes_on_from() {
    let whole = file("full", &full(&[("notas", vec![note(1, "a")])]));
    let mut next = incremental(DAY_1, "2025-01-01T00:00:00Z", &[("notas", vec![note(2, "b")])]);
    next["baseChecksum"] = json!(whole.sha256.to_uppercase());
    let import = import(&[whole, file("one", &next)]).unwrap();
    assert_eq!(texts(&import), pairs(&[("1", "a"), ("2", "b")]));
    assert!(!import.imported().notes.iter().any(|note| note.contains("checksum")));
}

#[test]
fn what_is_missing_of_a_chain_is_named() {
    let whole = || file("full", &full(&[("notas", vec![note(1, "a")])]));
    let second = || {
        file("two", &incremental(DAY_2, "2026-01-17T06:00:05Z", &[("notas", vec![note(1, "c")])]))
    };
    assert_eq!(
        refusal(import(&[whole(), second()])),
        "the files can't be imported: two goes on from backup 240001 of 2026-01-17T06:00:05Z, which is not among the files"
    );
    assert_eq!(
        refusal(import(&[second()])),
        "the files can't be imported: two holds only what changed: the full file that it goes on from is needed as well, \
         backup 240001 of 2026-01-17T06:00:05Z"
    );
    let early = file("early", &incremental("2026-01-15T06:00:00Z", "2026-01-16T06:00:05Z", &[]));
    assert!(import(&[whole(), early]).is_ok(), "clocks of the old program were not ours");
}

#[test]
fn files_that_are_not_of_one_chain_are_refused() {
    let whole = || file("full", &full(&[("notas", vec![note(1, "a")])]));
    assert!(refusal(import(&[whole(), whole()])).contains("full and full are the same file"));
    let other = file("other", &full(&[("notas", vec![note(2, "b")])]));
    assert!(
        refusal(import(&[whole(), other]))
            .contains("each hold all rows: import them one at a time")
    );
    let mut foreign = incremental(DAY_1, "2026-01-16T06:00:05Z", &[]);
    foreign["tenantId"] = json!(8);
    let message = refusal(import(&[whole(), file("one", &foreign)]));
    assert!(message.contains("full is of tenant 7, and one of tenant 8"), "{message}");
    assert!(refusal(import(&[])).contains("no file was given"));
}

#[test]
fn without_a_key_nobody_knows_what_changed() {
    let columns = [("tenant_id", "int(11) NOT NULL"), ("texto", "text DEFAULT NULL")];
    let live = catalog(vec![table("soltas", &columns, &[])]);
    let record = |text: &str| json!({ "tenant_id": 7, "texto": text });
    let whole = || file("full", &full(&[("soltas", vec![record("b"), record("a"), record("b")])]));
    let import = import_into(&live, &[whole()]).unwrap();
    let texts: Vec<_> =
        rows_of(&import, "soltas").into_iter().map(|row| row[1].clone().unwrap()).collect();
    assert_eq!(texts, ["b", "a", "b"], "all of them, in their order");
    let next =
        |records| file("one", &incremental(DAY_1, "2026-01-16T06:00:05Z", &[("soltas", records)]));
    assert!(import_into(&live, &[whole(), next(vec![])]).is_ok());
    let message = refusal(import_into(&live, &[whole(), next(vec![record("c")])]));
    assert!(message.contains("one: table soltas has no key"), "{message}");
}

#[test]
fn a_table_that_only_an_incremental_file_has_is_told() {
    let whole = file("full", &full(&[("audit_log", vec![])]));
    let next =
        file("one", &incremental(DAY_1, "2026-01-16T06:00:05Z", &[("alergias", vec![allergy(1)])]));
    let import = import_into(&clinic(), &[whole, next]).unwrap();
    let notes = import.imported().notes.join("\n");
    assert!(
        notes.contains("only incremental files have may lack rows that did not change: alergias"),
        "{notes}"
    );
}
