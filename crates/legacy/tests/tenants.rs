//! Rows of other tenants are never taken.

use gorgen_engine::{model::Catalog, policy::tenancy::DeclaredPath};
use gorgen_legacy::{Import, Rules};
use serde_json::{Value, json};

use crate::support::{catalog, child, full, gzip, import_json, opened, refusal, rows_of, table};

const ID: (&str, &str) = ("id", "int(11) NOT NULL");

fn clinic() -> Catalog {
    catalog(vec![
        table("cep_coordenadas", &[ID, ("cep", "varchar(9) NOT NULL")], &["id"]),
        table("consultas", &[ID, ("tenant_id", "int(8) unsigned zerofill DEFAULT NULL")], &["id"]),
        child(
            table("itens", &[ID, ("consulta_id", "int(11) DEFAULT NULL")], &["id"]),
            "consulta_id",
            "consultas",
        ),
        table("mensagens", &[ID, ("tenant_id", "varchar(20) NOT NULL")], &["id"]),
        child(
            table("notas", &[ID, ("item_id", "int(11) DEFAULT NULL")], &["id"]),
            "item_id",
            "itens",
        ),
        table("tenants", &[ID, ("nome", "varchar(20) NOT NULL")], &["id"]),
        table("trocas", &[ID, ("de", "int(11) NOT NULL"), ("para", "int(11) NOT NULL")], &["id"]),
    ])
}

fn ids(import: &Import, table: &str) -> Vec<String> {
    rows_of(import, table).into_iter().map(|row| row[0].clone().unwrap()).collect()
}

fn visit(id: u32, tenant: impl Into<Value>) -> Value {
    let tenant: Value = tenant.into();
    json!({ "id": id, "tenant_id": tenant })
}

#[test]
fn a_record_of_another_tenant_makes_the_file_no_file_of_this_one() {
    for stranger in [json!(8), json!(77), json!(0), Value::Null] {
        let content = full(&[("consultas", vec![visit(1, json!(7)), visit(2, stranger)])]);
        let message = refusal(import_json(&clinic(), &content));
        assert!(
            message.contains("1 records of table consultas are not of tenant 7, whose file it is"),
            "{message}"
        );
    }
    for stranger in ["07", "7 ", "8", ""] {
        let content = full(&[("mensagens", vec![visit(1, json!(stranger))])]);
        let message = refusal(import_json(&clinic(), &content));
        assert!(message.contains("1 records of table mensagens are not of tenant 7"), "{message}");
    }
    let content =
        full(&[("consultas", vec![visit(1, json!(7))]), ("mensagens", vec![visit(1, json!("7"))])]);
    let import = import_json(&clinic(), &content).unwrap();
    assert_eq!(rows_of(&import, "consultas")[0][1].as_deref(), Some("00000007"));
}

#[test]
fn an_incremental_file_hides_no_stranger_either() {
    let whole = full(&[("consultas", vec![visit(1, json!(8))])]);
    let next = crate::support::incremental(
        "2026-01-17T06:00:00Z",
        "2026-01-16T06:00:05Z",
        &[("consultas", vec![visit(1, json!(7))])],
    );
    let files = [whole, next].map(|content| opened("f", &gzip(content.to_string().as_bytes())));
    let message = refusal(crate::support::import_into(&clinic(), &files));
    assert!(message.contains("1 records of table consultas are not of tenant 7"), "{message}");
}

#[test]
fn rows_that_hang_on_the_tenant_s_are_taken_and_no_others() {
    let item = |id: u32, visit: Value| json!({ "id": id, "consulta_id": visit });
    let note = |id: u32, item: u32| json!({ "id": id, "item_id": item });
    let content = full(&[
        ("notas", vec![note(1, 10), note(2, 11), note(3, 13)]),
        (
            "itens",
            vec![
                item(10, json!(1)),
                item(11, json!(2)),
                item(12, Value::Null),
                item(13, json!(99)),
            ],
        ),
        ("consultas", vec![visit(1, json!(7)), visit(2, json!(7))]),
    ]);
    let import = import_json(&clinic(), &content).unwrap();
    assert_eq!(ids(&import, "itens"), ["10", "11"]);
    assert_eq!(ids(&import, "notas"), ["1", "2"]);
    let notes = import.imported().notes.join("\n");
    for expected in [
        "2 of 4 records of table itens are left out: the rows of consultas that they belong to are not in the files",
        "1 of 3 records of table notas are left out: the rows of itens that they belong to are not in the files",
    ] {
        assert!(notes.contains(expected), "{expected}\n{notes}");
    }
}

#[test]
fn tables_of_everybody_are_left_out() {
    let content = full(&[
        ("consultas", vec![visit(1, json!(7))]),
        ("tenants", vec![json!({ "id": 7, "nome": "a" }), json!({ "id": 8, "nome": "SEGREDO" })]),
        ("cep_coordenadas", vec![json!({ "id": 1, "cep": "x" })]),
        ("notas", vec![json!({ "id": 1, "item_id": 1 })]),
    ]);
    let import = import_json(&clinic(), &content).unwrap();
    let tables: Vec<_> = import.tables().into_iter().map(|table| table.table).collect();
    assert_eq!(tables, ["consultas"]);
    let lost = "it has no column tenant_id, and no foreign key leads to a table that has";
    let notes = import.imported().notes.join("\n");
    for expected in [
        format!("table tenants is left out with its 2 records: {lost}"),
        format!("table cep_coordenadas is left out with its 1 records: {lost}"),
        "table notas is left out with its 1 records: whose they are only table itens tells, which is not in the files".to_owned(),
        "tables that are not in the files, and not in this backup: itens, mensagens, trocas".to_owned(),
    ] {
        assert!(notes.contains(&expected), "{expected}\n{notes}");
    }
}

#[test]
fn a_declared_way_is_a_way() {
    let content = full(&[
        ("consultas", vec![visit(1, json!(7))]),
        (
            "trocas",
            vec![json!({ "id": 1, "de": 1, "para": 5 }), json!({ "id": 2, "de": 5, "para": 1 })],
        ),
    ]);
    let path = DeclaredPath {
        table: "trocas".to_owned(),
        column: "de".to_owned(),
        parent: "consultas".to_owned(),
        parent_column: "id".to_owned(),
    };
    let rules = Rules { tenant_column: "tenant_id", tenant_paths: &[path] };
    let file = opened("f", &gzip(content.to_string().as_bytes()));
    let import = Import::plan(&[file], &clinic(), rules).unwrap();
    assert_eq!(ids(&import, "trocas"), ["1"]);
}

#[test]
fn a_file_without_a_row_of_the_tenant_is_refused() {
    for tables in [
        vec![],
        vec![("tenants", vec![json!({ "id": 7, "nome": "a" })])],
        vec![("consultas", vec![])],
    ] {
        let message = refusal(import_json(&clinic(), &full(&tables)));
        assert!(
            message.contains(
                "no record in the files is known to be of tenant 7, by the column tenant_id"
            ),
            "{message}"
        );
    }
}
