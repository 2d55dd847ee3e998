//! Any bytes are a file, or an error that says why not; never a panic, and never other rows than were written.

use gorgen_engine::stages::rows::is_row;
use gorgen_legacy::{Import, open};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};

use crate::support::{
    FULL, OFFLINE, RULES, SECRET, clinic, full, gzip, import_into, opened, rows_of, seal,
};

/// Opens and imports; what comes of it is right, or an error with a text.
fn try_all(bytes: &[u8]) -> Option<Import> {
    let opened = match open("f", bytes, Some("7"), Some(SECRET)) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(error.to_string().starts_with("f "), "{error}");
            return None;
        }
    };
    try_import(&[opened])
}

fn try_import(files: &[gorgen_legacy::Opened]) -> Option<Import> {
    let catalog = clinic();
    match Import::plan(files, &catalog, RULES) {
        Ok(import) => {
            for table in &catalog.tables {
                assert!(import.rows(&table.name).all(|row| is_row(row, table.columns.len())));
            }
            Some(import)
        }
        Err(error) => {
            assert!(error.to_string().len() < 20_000, "{error}");
            None
        }
    }
}

/// A change of bytes: one is flipped, some are cut, some are put in.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        3 => (place(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => place().prop_map(Damage::Cut),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (place(), place()).prop_map(|(one, other)| Damage::Swap(one, other)),
    ]
}

fn damaged(bytes: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Flip(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Swap(one, other) => {
                let (one, other) = (one.index(bytes.len()), other.index(bytes.len()));
                bytes.swap(one, other);
            }
        }
    }
    bytes
}

fn expected() -> Vec<Vec<Option<String>>> {
    rows_of(&import_into(&clinic(), &[opened("full", FULL)]).unwrap(), "pacientes")
}

fn plain() -> String {
    let patient = json!({
        "id": 1, "tenant_id": 7, "nome": "João d'Ávila \\ \"x\"\n", "data_nascimento": "1980-02-29", "cpf": null,
        "cpf_hash": null, "tempo_seguimento_anos": "12.50", "deleted_at": null, "created_at": "2026-01-15 14:06:00",
        "updated_at": "2026-01-15 14:06:00",
    });
    full(&[("pacientes", vec![patient])]).to_string()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("7"),
            Just("12.50"),
            Just("2026-01-15 14:06:00"),
            Just("3.0"),
            Just("full")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{0,4}|id|tenant_id|records|count", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    // Each takes two derivations of a key, of a tenth of a second.
    #![proptest_config(Config::with_cases(24))]

    #[test]
    fn a_damaged_encrypted_file_never_opens(damages in prop::collection::vec(damage(), 1..3)) {
        let bytes = damaged(FULL, &damages);
        let import = try_all(&bytes);
        if bytes == FULL {
            prop_assert_eq!(rows_of(&import.unwrap(), "pacientes"), expected());
        } else {
            prop_assert!(import.is_none());
        }
    }

    #[test]
    fn damage_that_was_sealed_is_found_below_the_seal(damages in prop::collection::vec(damage(), 1..3)) {
        let bytes = damaged(OFFLINE, &damages);
        try_all(&seal(&bytes));
    }
}

proptest! {
    #![proptest_config(Config::with_cases(1500))]

    #[test]
    fn any_bytes_after_gzip_s_mark_are_no_file(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(try_all(&[&[0x1f, 0x8b][..], &bytes].concat()).is_none());
    }

    #[test]
    fn a_damaged_gzip_file_is_an_error_or_the_same(damages in prop::collection::vec(damage(), 1..4)) {
        // Some bytes of gzip's head, its time for one, say nothing of the content.
        if let Some(import) = try_all(&damaged(OFFLINE, &damages)) {
            prop_assert_eq!(rows_of(&import, "pacientes"), expected());
        }
    }

    #[test]
    fn damaged_json_is_an_error_or_other_rows(damages in prop::collection::vec(damage(), 1..4)) {
        try_all(&gzip(&damaged(plain().as_bytes(), &damages)));
    }

    #[test]
    fn any_value_in_any_place_is_an_error_or_a_row(value in any_json(), place in any::<prop::sample::Index>(), record: bool) {
        let mut content: Value = serde_json::from_str(&plain()).unwrap();
        let target = if record { &mut content["tables"]["pacientes"]["records"][0] } else { &mut content };
        let members = target.as_object_mut().unwrap();
        let name = members.keys().nth(place.index(members.len())).unwrap().clone();
        members.insert(name, value);
        try_all(&gzip(content.to_string().as_bytes()));
    }

    #[test]
    fn any_tables_are_an_error_or_rows(tables in any_json(), records in prop::collection::vec(any_json(), 0..3)) {
        let mut content: Value = serde_json::from_str(&plain()).unwrap();
        content["tables"]["alergias"] = json!({ "tableName": "alergias", "count": records.len(), "records": records });
        try_all(&gzip(content.to_string().as_bytes()));
        content["tables"] = tables;
        try_all(&gzip(content.to_string().as_bytes()));
    }

    #[test]
    fn any_text_of_a_patient_comes_through(name in "\\PC{1,60}|[\\x00-\\x1f'\"\\\\%_]{1,60}", rest in "\\PC{0,60}") {
        let mut content: Value = serde_json::from_str(&plain()).unwrap();
        let record = &mut content["tables"]["pacientes"]["records"][0];
        record["nome"] = Value::from(name.clone());
        record["cpf"] = Value::from(rest.clone());
        let import = try_all(&gzip(content.to_string().as_bytes())).unwrap();
        let row = &rows_of(&import, "pacientes")[0];
        prop_assert_eq!((row[2].as_deref(), row[4].as_deref()), (Some(name.as_str()), Some(rest.as_str())));
    }
}

#[test]
fn a_document_of_any_depth_is_an_error_or_a_row() {
    for depth in [50, 100, 127, 128, 1000, 200_000] {
        let mut content: Value = serde_json::from_str(&plain()).unwrap();
        content["tables"]["audit_log"] = json!({
            "tableName": "audit_log", "count": 1,
            "records": [{ "id": 1, "tenant_id": 7, "old_values": "@", "new_values": null, "changed_fields": null, "created_at": "2026-01-15 14:06:00" }],
        });
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let text = content.to_string().replace("\"@\"", &deep);
        assert_eq!(try_all(&gzip(text.as_bytes())).is_some(), depth <= 100, "{depth}");
    }
}
