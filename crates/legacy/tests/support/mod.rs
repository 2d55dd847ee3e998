//! What the tests share: a live database as its server would describe it, and files as the old program wrote them.

use std::io::Write;

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{AeadInOut, consts::U16},
    aes::Aes256,
};
use flate2::{Compression, write::GzEncoder};
use gorgen_engine::{
    model::{Catalog, Column, Flavor, Relation, ServerInfo, Table, ValueKind},
    stages::rows::take_value,
};
use gorgen_legacy::{Error, Import, Opened, Rules, open};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "test-jwt-secret-0123456789abcdef";
pub(crate) const TENANT: &str = "7";
pub(crate) const FULL: &[u8] = include_bytes!("../vectors/full.json.gz.enc");
pub(crate) const INCREMENTAL: &[u8] = include_bytes!("../vectors/incremental.json.gz.enc");
pub(crate) const OFFLINE: &[u8] = include_bytes!("../vectors/offline.json.gz");

/// What the vectors say of themselves.
pub(crate) fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/vector.json")).expect("JSON")
}

fn bytes_of(vector: &Value, name: &str) -> Vec<u8> {
    hex::decode(vector[name].as_str().expect("hex")).expect("hex")
}

/// A table of columns, each with what its definition says after the name; those that are computed are not stored.
pub(crate) fn table(name: &str, columns: &[(&str, &str)], key: &[&str]) -> Table {
    let lines: Vec<_> =
        columns.iter().map(|(name, clause)| format!("  `{name}` {clause}")).collect();
    let key_line = if key.is_empty() {
        String::new()
    } else {
        format!(",\n  PRIMARY KEY (`{}`)", key.join("`,`"))
    };
    let stored = columns.iter().filter(|(_, clause)| !clause.contains(" GENERATED ALWAYS AS "));
    Table {
        name: name.to_owned(),
        ddl: format!("CREATE TABLE `{name}` (\n{}{key_line}\n) ENGINE=InnoDB", lines.join(",\n")),
        collation: None,
        engine: Some("InnoDB".to_owned()),
        columns: stored.map(|(name, clause)| column(name, clause)).collect(),
        key: key.iter().map(|&name| name.to_owned()).collect(),
        key_index: (!key.is_empty()).then(|| "PRIMARY".to_owned()),
        relations: Vec::new(),
        estimated_bytes: 0,
    }
}

fn column(name: &str, clause: &str) -> Column {
    let ends = [" NOT NULL", " NULL", " DEFAULT", " CHECK"];
    let end = ends.iter().filter_map(|word| clause.find(word)).min().unwrap_or(clause.len());
    let sql_type = clause[..end].to_owned();
    let kind = match sql_type.split(['(', ' ']).next().unwrap_or_default() {
        "tinyint" | "int" | "bigint" | "decimal" => ValueKind::Number,
        "float" | "double" => ValueKind::Real,
        "date" | "datetime" | "timestamp" | "time" => ValueKind::Temporal,
        "json" => ValueKind::Json,
        "varbinary" | "blob" => ValueKind::Bytes,
        _ => ValueKind::Text,
    };
    let charset = (kind == ValueKind::Text).then(|| "utf8mb4".to_owned());
    Column {
        name: name.to_owned(),
        sql_type,
        kind,
        collation: charset.clone().map(|_| "utf8mb4_bin".to_owned()),
        charset,
    }
}

/// The same with a foreign key to the `id` of another.
pub(crate) fn child(table: Table, column: &str, parent: &str) -> Table {
    let relation = Relation {
        name: format!("fk_{}_{column}", table.name),
        columns: vec![column.to_owned()],
        parent_database: None,
        parent: parent.to_owned(),
        parent_columns: vec!["id".to_owned()],
    };
    Table { relations: [table.relations, vec![relation]].concat(), ..table }
}

pub(crate) fn catalog(tables: Vec<Table>) -> Catalog {
    Catalog {
        server: ServerInfo { flavor: Flavor::MySql, version: "9.7.0".to_owned() },
        database: "clinica".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        tables,
        objects: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The tables of the vectors, and one that they don't have.
pub(crate) fn clinic() -> Catalog {
    catalog(vec![
        table(
            "alergias",
            &[("id", "int(11) NOT NULL"), ("tenant_id", "int(11) NOT NULL")],
            &["id"],
        ),
        table(
            "audit_log",
            &[
                ("id", "int(11) NOT NULL AUTO_INCREMENT"),
                ("tenant_id", "int(11) NOT NULL"),
                ("old_values", "json DEFAULT NULL"),
                ("new_values", "json DEFAULT NULL"),
                ("changed_fields", "json DEFAULT NULL"),
                ("created_at", "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP"),
            ],
            &["id"],
        ),
        table(
            "pacientes",
            &[
                ("id", "int(11) NOT NULL AUTO_INCREMENT"),
                ("tenant_id", "int(11) NOT NULL"),
                ("nome", "varchar(255) NOT NULL"),
                ("data_nascimento", "date DEFAULT NULL"),
                ("cpf", "varchar(255) DEFAULT NULL"),
                ("cpf_hash", "varchar(64) DEFAULT NULL"),
                ("idade", "int(11) GENERATED ALWAYS AS (1) VIRTUAL"),
                ("tempo_seguimento_anos", "decimal(5,2) DEFAULT NULL"),
                ("deleted_at", "timestamp NULL DEFAULT NULL"),
                ("created_at", "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP"),
                ("updated_at", "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP"),
            ],
            &["id"],
        ),
        table("tenants", &[("id", "int(11) NOT NULL"), ("nome", "varchar(255) NOT NULL")], &["id"]),
    ])
}

pub(crate) const RULES: Rules<'static> = Rules { tenant_column: "tenant_id", tenant_paths: &[] };

pub(crate) fn opened(name: &str, bytes: &[u8]) -> Opened {
    open(name, bytes, Some(TENANT), Some(SECRET)).expect("a file that opens")
}

/// Imports files into a database.
pub(crate) fn import_into(catalog: &Catalog, files: &[Opened]) -> Result<Import, Error> {
    Import::plan(files, catalog, RULES)
}

/// Imports one plain file with this content into a database.
pub(crate) fn import_json(catalog: &Catalog, content: &Value) -> Result<Import, Error> {
    import_into(catalog, &[opened("full.json.gz", &gzip(content.to_string().as_bytes()))])
}

/// The message with which files are refused, which shows no value.
#[track_caller]
pub(crate) fn refusal(result: Result<Import, Error>) -> String {
    let message = result.expect_err("a refusal").to_string();
    assert!(!message.contains("SEGREDO"), "a value is told: {message}");
    message
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

/// A gzip stream encrypted as the old program did, with salt, IV and key of the vectors.
pub(crate) fn seal(gzip: &[u8]) -> Vec<u8> {
    let vector = vector();
    let (salt, iv) = (bytes_of(&vector, "pbkdf2_salt_hex"), bytes_of(&vector, "iv_hex"));
    let key: [u8; 32] = bytes_of(&vector, "key_hex").try_into().expect("32 bytes");
    let nonce: [u8; 16] = iv.clone().try_into().expect("16 bytes");
    let mut body = gzip.to_vec();
    let cipher = AesGcm::<Aes256, U16>::new((&key).into());
    let sealed = cipher.encrypt_inout_detached((&nonce).into(), &[], body.as_mut_slice().into());
    let tag = sealed.expect("short enough");
    [salt, iv, tag.to_vec(), body].concat()
}

/// A full file of tenant 7 with these tables.
pub(crate) fn full(tables: &[(&str, Vec<Value>)]) -> Value {
    json!({
        "version": "3.0", "type": "full", "tenantId": 7, "createdAt": "2026-01-16T06:00:01.234Z", "tables": parts(tables),
    })
}

/// An incremental file that goes on from what was made at this moment.
pub(crate) fn incremental(created: &str, base: &str, tables: &[(&str, Vec<Value>)]) -> Value {
    json!({
        "version": "3.0", "type": "incremental", "tenantId": 7, "createdAt": created,
        "baseBackupId": 240_001, "baseBackupDate": base, "baseChecksum": "f".repeat(64), "tables": parts(tables),
    })
}

fn parts(tables: &[(&str, Vec<Value>)]) -> Value {
    let part = |(name, records): &(&str, Vec<Value>)| {
        (
            (*name).to_owned(),
            json!({ "tableName": name, "records": records, "count": records.len() }),
        )
    };
    Value::Object(tables.iter().map(part).collect())
}

/// The rows of a table of an import, each value as text; those of a table that is not in it are none.
pub(crate) fn rows_of(import: &Import, table: &str) -> Vec<Vec<Option<String>>> {
    let values = |mut row: &[u8]| {
        let mut values = Vec::new();
        while !row.is_empty() {
            let value = take_value(&mut row).expect("a canonical row");
            values.push(value.map(|value| String::from_utf8_lossy(value).into_owned()));
        }
        values
    };
    import.rows(table).map(values).collect()
}
