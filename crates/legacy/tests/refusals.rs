//! Files that are damaged, of another kind, hostile, or not of this database: each is refused for what it is, and no
//! message shows a value.

use gorgen_engine::Kind;
use gorgen_legacy::{Error, open};
use serde_json::{Value, json};

use crate::support::{
    FULL, OFFLINE, SECRET, catalog, clinic, full, gzip, import_json, refusal, seal, table,
};

/// A patient's record as the clinic's table wants it, and a change of it.
fn patient(change: impl FnOnce(&mut Value)) -> Value {
    let mut record = json!({
        "id": 1, "tenant_id": 7, "nome": "SEGREDO", "data_nascimento": null, "cpf": null, "cpf_hash": null,
        "tempo_seguimento_anos": "12.50", "deleted_at": null, "created_at": "2026-01-15 14:06:00",
        "updated_at": "2026-01-15 14:06:00",
    });
    change(&mut record);
    record
}

#[track_caller]
fn refused(content: &Value) -> String {
    let result = import_json(&clinic(), content);
    assert_eq!(result.as_ref().err().map(Error::kind), Some(Kind::Refused));
    refusal(result)
}

#[track_caller]
fn damaged(content: &Value) -> String {
    let result = import_json(&clinic(), content);
    assert_eq!(result.as_ref().err().map(Error::kind), Some(Kind::Integrity));
    refusal(result)
}

fn not_opened(bytes: &[u8], tenant: Option<&str>, secret: Option<&str>) -> Error {
    open("f", bytes, tenant, secret).unwrap_err()
}

#[test]
fn what_does_not_open_says_why() {
    let wrong = not_opened(FULL, Some("7"), Some("another secret"));
    assert_eq!(wrong.kind(), Kind::Integrity);
    let expected = "f does not open: it is damaged or cut short, or was not encrypted for tenant 7 with this secret, nor with \
                    the old program's own";
    assert_eq!(wrong.to_string(), expected);
    assert_eq!(not_opened(&FULL[..FULL.len() - 1], Some("7"), Some(SECRET)).to_string(), expected);
    let other = not_opened(FULL, Some("8"), Some(SECRET)).to_string();
    assert!(other.contains("for tenant 8"), "{other}");
    let nobody = not_opened(FULL, None, Some(SECRET));
    assert_eq!(
        (nobody.kind(), nobody.to_string().as_str()),
        (Kind::Refused, "f is encrypted, and nothing tells whose it is")
    );
    assert!(nobody.hint().unwrap().contains("--tenant"));
    for short in [&b""[..], b"GORGENP1", &FULL[..64]] {
        let none = not_opened(short, Some("7"), Some(SECRET)).to_string();
        assert!(none.starts_with("f is no backup file of the old program"), "{none}");
    }
}

#[test]
fn damage_below_the_seal_is_told() {
    let of = |bytes: &[u8]| not_opened(bytes, None, None).to_string();
    let cut = of(&OFFLINE[..OFFLINE.len() - 9]);
    assert_eq!(cut, "f is damaged: what is compressed in it is damaged or cut short");
    let longer = of(&[OFFLINE, b"x"].concat());
    assert_eq!(longer, "f is damaged: something follows what is compressed in it");
    assert_eq!(of(&gzip(b"\xff\xfe")), "f is damaged: its text is not UTF-8");
    let bomb = of(&gzip(&vec![b' '; 20 << 20]));
    assert!(bomb.starts_with("f is damaged: it grows beyond"), "{bomb}");
    let sealed = seal(&OFFLINE[..100]);
    let sealed = not_opened(&sealed, Some("7"), Some(SECRET)).to_string();
    assert_eq!(sealed, "f is damaged: what is compressed in it is damaged or cut short");
}

#[test]
fn a_file_says_what_it_is_of() {
    let change = |name: &str, value: Value| {
        let mut content = full(&[]);
        content[name] = value;
        content
    };
    assert_eq!(
        refused(&change("version", json!("4.0"))),
        "the files can't be imported: full.json.gz is of version \"4.0\": only 3.0 is known"
    );
    assert!(
        refused(&change("type", json!("differential")))
            .contains("is of type \"differential\": only full")
    );
    for (name, value) in [
        ("version", json!(3)),
        ("tenantId", json!(-7)),
        ("tenantId", json!("07")),
        ("tenantId", Value::Null),
        ("createdAt", json!("ontem")),
        ("tables", json!([])),
    ] {
        let message = damaged(&change(name, value));
        assert_eq!(
            message,
            format!("full.json.gz is damaged: it has no {name}, or none that can be read")
        );
    }
    let mut other = full(&[]);
    other["tenantId"] = json!(8);
    let opened =
        open("f", &seal(&gzip(other.to_string().as_bytes())), Some("7"), Some(SECRET)).unwrap();
    let message = refusal(crate::support::import_into(&clinic(), &[opened]));
    assert_eq!(
        message,
        "f is damaged: it says that it is another tenant's than the one it is encrypted for"
    );
}

#[test]
fn counts_names_and_columns_must_fit() {
    let mut content = full(&[("pacientes", vec![patient(|_| ())])]);
    content["tables"]["pacientes"]["count"] = json!(2);
    assert_eq!(
        damaged(&content),
        "full.json.gz is damaged: table pacientes has 1 records, and 2 as their count"
    );
    content["tables"]["pacientes"]["count"] = json!(1);
    content["metadata"] = json!({ "totalRecords": 3 });
    assert_eq!(
        damaged(&content),
        "full.json.gz is damaged: it has 1 records, and 3 as their count"
    );
    content["metadata"] = json!({ "totalTables": 1, "totalRecords": 1, "x": [] });
    content["tables"]["pacientes"]["tableName"] = json!("alergias");
    assert!(damaged(&content).contains("does not have its own name as tableName"));
    let second = patient(|record| drop(record.as_object_mut().unwrap().remove("cpf")));
    let message = damaged(&full(&[("pacientes", vec![patient(|_| ()), second])]));
    assert_eq!(
        message,
        "full.json.gz is damaged: record 2 of table pacientes has other columns than the first"
    );
    assert!(
        damaged(&full(&[("pacientes", vec![json!("SEGREDO")])]))
            .contains("record 1 of table pacientes is no object")
    );
}

#[test]
fn what_is_there_twice_is_refused() {
    for (text, expected) in [
        (r#"{"version":"3.0","version":"3.0"}"#, "the file has \"version\" twice"),
        (
            r#"{"version":"3.0","type":"full","tenantId":7,"createdAt":"2026-01-16T06:00:01Z","tables":{"a":{},"a":{}}}"#,
            "tables has \"a\" twice",
        ),
        (
            r#"{"version":"3.0","type":"full","tenantId":7,"createdAt":"2026-01-16T06:00:01Z","tables":{"alergias":{"tableName":"alergias","records":[{"id":1,"id":2}],"count":1}}}"#,
            "record 1 of table alergias has a column twice",
        ),
        (
            r#"{"version":"3.0","type":"full","tenantId":7,"createdAt":"2026-01-16T06:00:01Z","tables":"#,
            "its JSON ends or breaks at line 1, column 88",
        ),
    ] {
        let opened = open("f", &gzip(text.as_bytes()), None, None).unwrap();
        let message = refusal(crate::support::import_into(&clinic(), &[opened]));
        assert_eq!(message, format!("f is damaged: {expected}"));
    }
    let records = vec![patient(|_| ()), patient(|record| record["cpf"] = json!("x"))];
    let message = refused(&full(&[("pacientes", records)]));
    assert!(message.contains("records 1 and 2 of table pacientes have the same key"), "{message}");
    let columns = vec![json!({ "id": 1, "ID": 1, "tenant_id": 7 })];
    assert!(refused(&full(&[("alergias", columns)])).contains("column alergias.id is there twice"));
}

#[test]
fn every_value_must_fit_its_column_and_none_is_shown() {
    let records = vec![
        patient(|record| record["nome"] = json!("SEGREDO".repeat(40))),
        patient(|record| (record["id"], record["nome"]) = (json!(2), json!("SEGREDO".repeat(40)))),
        patient(|record| (record["id"], record["data_nascimento"]) = (json!(3), json!("SEGREDO"))),
        patient(|record| {
            (record["id"], record["tempo_seguimento_anos"]) = (json!(4), json!("12.505"));
        }),
        patient(|record| (record["id"], record["created_at"]) = (json!(5), Value::Null)),
    ];
    assert_eq!(
        refused(&full(&[("pacientes", records)])),
        "the files can't be imported: \
         full.json.gz: pacientes.created_at, record 5: expected a value, got nothing (null); \
         full.json.gz: pacientes.data_nascimento, record 3: expected a date as 2026-11-23, got another text; \
         full.json.gz: pacientes.nome, record 1: expected text of up to 255 characters in utf8mb4, got another text, and 1 more records; \
         full.json.gz: pacientes.tempo_seguimento_anos, record 4: expected a decimal number of 5 digits, 2 of them after the point, \
         got another text"
    );
}

#[test]
fn what_the_database_has_no_place_for_is_refused_unless_it_is_empty() {
    let message = refused(&full(&[("receitas", vec![json!({ "id": 1, "tenant_id": 7 })])]));
    assert!(
        message.contains(
            "full.json.gz has 1 records of table receitas, which the database does not have"
        ),
        "{message}"
    );
    let with = |value: Value| {
        full(&[("alergias", vec![json!({ "id": 1, "tenant_id": 7, "grau": value })])])
    };
    let message = refused(&with(json!("SEGREDO")));
    assert!(
        message.contains(
            "table alergias has no column grau in the database, and 1 records have values there"
        ),
        "{message}"
    );
    let import = import_json(&clinic(), &with(Value::Null)).unwrap();
    let notes = import.imported().notes.join("\n");
    assert!(notes.contains("were empty in the files, and are left out: alergias.grau"), "{notes}");
    let import = import_json(
        &clinic(),
        &full(&[("receitas", vec![]), ("alergias", vec![json!({ "id": 1, "tenant_id": 7 })])]),
    );
    let notes = import.unwrap().imported().notes.join("\n");
    assert!(notes.contains("tables that the database does not have were empty in the files, and are left out: receitas"), "{notes}");
}

#[test]
fn columns_that_came_later_are_filled_as_the_server_would_have() {
    let columns = [
        ("id", "int(11) NOT NULL"),
        ("tenant_id", "int(11) NOT NULL"),
        ("grau", "enum('leve','grave') NOT NULL DEFAULT 'leve'"),
        ("valor", "decimal(5,2) NOT NULL DEFAULT 1.5"),
        ("obs", "text DEFAULT NULL"),
        ("visto", "timestamp NULL DEFAULT CURRENT_TIMESTAMP"),
    ];
    let live = |columns: &[(&str, &str)]| catalog(vec![table("alergias", columns, &["id"])]);
    let content = full(&[("alergias", vec![json!({ "id": 1, "tenant_id": 7 })])]);
    let import = import_json(&live(&columns), &content).unwrap();
    let expected = [Some("1"), Some("7"), Some("leve"), Some("1.50"), None, None];
    assert_eq!(
        crate::support::rows_of(&import, "alergias"),
        [expected.map(|value| value.map(str::to_owned)).to_vec()]
    );
    let notes = import.imported().notes.join("\n");
    assert!(notes.contains("have their default, or NULL: alergias.grau, alergias.obs, alergias.valor, alergias.visto"), "{notes}");

    for clause in ["int(11) NOT NULL", "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP"] {
        let columns =
            [("id", "int(11) NOT NULL"), ("tenant_id", "int(11) NOT NULL"), ("novo", clause)];
        let message = refusal(import_json(&live(&columns), &content));
        assert!(
            message.contains("it lacks column alergias.novo, which may not be NULL"),
            "{message}"
        );
    }
}

#[test]
fn members_that_nobody_knows_are_told() {
    let mut content = full(&[("alergias", vec![json!({ "id": 1, "tenant_id": 7 })])]);
    content["documents"] = json!(["SEGREDO"]);
    content["tables"]["alergias"]["deleted"] = json!([2]);
    let import = import_json(&clinic(), &content).unwrap();
    assert_eq!(
        import.imported().notes[0],
        "full.json.gz has members that are not known, and are left out: alergias.deleted, documents"
    );
}

#[test]
fn many_reasons_are_counted() {
    let tables: Vec<_> = (10..40).map(|number| format!("t{number}")).collect();
    let tables: Vec<_> =
        tables.iter().map(|name| (name.as_str(), vec![json!({ "id": 1 })])).collect();
    let message = refused(&full(&tables));
    assert!(message.contains("table t29,") && !message.contains("table t30,"), "{message}");
    assert!(message.ends_with("; and 10 more reasons"), "{message}");
}

#[test]
fn big_whole_numbers_and_text_in_place_of_documents_are_told() {
    let live = catalog(vec![table(
        "notas",
        &[
            ("id", "bigint(20) NOT NULL"),
            ("tenant_id", "int(11) NOT NULL"),
            ("doc", "json DEFAULT NULL"),
            ("peso", "float DEFAULT NULL"),
        ],
        &["id"],
    )]);
    let record = json!({ "id": 9_007_199_254_740_994_u64, "tenant_id": 7, "doc": "{\"a\":1}", "peso": 70.1 });
    let import = import_json(&live, &full(&[("notas", vec![record])])).unwrap();
    let expected = ["9007199254740994", "7", "{\"a\": 1}", "70.0999984741211"];
    assert_eq!(
        crate::support::rows_of(&import, "notas"),
        [expected.map(|value| Some(value.to_owned())).to_vec()]
    );
    let notes = import.imported().notes.join("\n");
    for expected in [
        "beyond 2^53 were rounded by the old program, and are as it wrote them: notas.id",
        "taken for the documents' own: notas.doc",
        "FLOAT columns have the digits that servers show of them, and not all that they keep: notas.peso",
    ] {
        assert!(notes.contains(expected), "{expected}\n{notes}");
    }
}
