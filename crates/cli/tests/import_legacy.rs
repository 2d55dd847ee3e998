//! Files of the program before this one become a backup of their tenant, which restores to the letter; those that are damaged,
//! hostile or of another secret are refused before anything is written.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::support::{Database, Server, Tool, Workspace, server::ident};

on_each_server!(
    the_samples_come_back_to_the_letter,
    what_the_old_program_wrote_of_a_clinic_is_what_the_clinic_had,
    one_tenant_comes_back_and_the_others_stay,
    what_cannot_be_imported_is_refused_and_leaves_nothing,
);

const SECRET: &str = "test-jwt-secret-0123456789abcdef";
pub(crate) const FULL: &[u8] = include_bytes!("../../legacy/tests/vectors/full.json.gz.enc");
const INCREMENTAL: &[u8] = include_bytes!("../../legacy/tests/vectors/incremental.json.gz.enc");
const OFFLINE: &[u8] = include_bytes!("../../legacy/tests/vectors/offline.json.gz");

/// What clinical text is full of.
const TEXT: &str = "João d'Ávila \\ \"x\" \\n \\' %_\r\n\tfim; -- 😀 ç\u{1}\u{7f}";

/// The tables of the samples, and some that they don't have.
const CLINIC: &str = r"
CREATE TABLE tenants (id INT PRIMARY KEY, nome VARCHAR(40)) ENGINE=InnoDB;
CREATE TABLE alergias (id INT PRIMARY KEY, tenant_id INT NOT NULL, grau ENUM('leve','média') NOT NULL DEFAULT 'leve') ENGINE=InnoDB;
CREATE TABLE audit_log (id INT PRIMARY KEY AUTO_INCREMENT, tenant_id INT NOT NULL, old_values JSON, new_values JSON,
  changed_fields JSON, created_at TIMESTAMP NULL) ENGINE=InnoDB;
CREATE TABLE pacientes (id INT PRIMARY KEY AUTO_INCREMENT, tenant_id INT NOT NULL, nome VARCHAR(255) NOT NULL,
  data_nascimento DATE, cpf VARCHAR(255), cpf_hash VARCHAR(64), iniciais VARCHAR(1) GENERATED ALWAYS AS (LEFT(nome, 1)) STORED,
  tempo_seguimento_anos DECIMAL(5,2), deleted_at TIMESTAMP NULL, created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL,
  CONSTRAINT pacientes_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)) ENGINE=InnoDB;
CREATE TABLE medidas (id BIGINT PRIMARY KEY, paciente_id INT NOT NULL, peso DOUBLE, latitude DECIMAL(10,8), valor DECIMAL(15,6),
  feito DATETIME(3), ativo BOOLEAN, obs LONGTEXT, bruto VARBINARY(16),
  CONSTRAINT medidas_paciente FOREIGN KEY (paciente_id) REFERENCES pacientes (id)) ENGINE=InnoDB;
CREATE TABLE cep_coordenadas (id INT PRIMARY KEY, cep VARCHAR(9)) ENGINE=InnoDB;
INSERT INTO tenants VALUES (7, 'Sete'), (8, 'Oito');
";

pub(crate) fn clinic(server: &Server) -> Database<'_> {
    let live = server.database("antigo");
    server.sql(&live.name, CLINIC);
    live
}

pub(crate) fn tool(server: &Server, workspace: &Workspace, live: &Database<'_>) -> Tool {
    let tool = workspace.tool(server, live).with("GORGEN_TENANT_COLUMN", "tenant_id");
    tool.with("GORGEN_LEGACY_JWT_SECRET", SECRET)
}

/// Writes a file where the old program would have.
pub(crate) fn file(workspace: &Workspace, name: &str, content: &[u8]) -> String {
    let folder = workspace.path().join("backup/tenant_7");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    told(&path)
}

fn told(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// The same with gzip around it.
fn gzipped(workspace: &Workspace, name: &str, content: &Value) -> String {
    let plain = PathBuf::from(file(workspace, name, content.to_string().as_bytes()));
    let status = Command::new("gzip").arg("-nf").arg(&plain).status().expect("gzip runs");
    assert!(status.success());
    format!("{}.gz", told(&plain))
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

fn document() -> Value {
    json!({ "nome": TEXT, "n": [1, 2.5, null, true], "vazio": {} })
}

/// Rows of both tenants, as the clinic has them.
pub(crate) fn fill(server: &Server, live: &Database<'_>) {
    let (text, document) = (hex(TEXT), hex(&document().to_string()));
    server.sql(
        &live.name,
        format!(
            "SET time_zone = '+00:00';
             INSERT INTO pacientes (id, tenant_id, nome, data_nascimento, cpf, tempo_seguimento_anos, created_at) VALUES
               (30001, 7, CONVERT(0x{text} USING utf8mb4), '1980-02-29', '', 12.5, '2026-01-15 14:06:00'),
               (30002, 7, 'Bia', NULL, NULL, -0.05, NULL), (30003, 8, 'Caio', NULL, NULL, NULL, NULL);
             INSERT INTO audit_log VALUES
               (240001, 7, CONVERT(0x{document} USING utf8mb4), NULL, '[\"nome\"]', '2026-01-15 14:06:00'),
               (240002, 8, NULL, NULL, NULL, NULL);
             INSERT INTO medidas VALUES
               (1, 30001, 70.1, -23.55052, 1234.5, '2026-01-15 14:06:00.5', TRUE, CONVERT(0x{text} USING utf8mb4), 0x00ff27),
               (2, 30003, 1, 1, 1, NULL, FALSE, 'de outro', NULL);
             INSERT INTO alergias VALUES (1, 7, 'média');
             INSERT INTO cep_coordenadas VALUES (1, '01310-100');"
        ),
    );
}

/// What the old program would have written of [`fill`]: tables without the tenant column came whole.
fn written() -> Value {
    let table = |name: &str, records: Value| json!({ "tableName": name, "count": records.as_array().map_or(0, Vec::len), "records": records });
    let patient = |id: u32, name: &str, born: Value, cpf: Value, years: &str, created: Value| {
        json!({
            "id": id, "tenant_id": 7, "nome": name, "data_nascimento": born, "cpf": cpf, "cpf_hash": null,
            "iniciais": &name[..1], "tempo_seguimento_anos": years, "deleted_at": null, "created_at": created, "updated_at": null,
        })
    };
    let at = "2026-01-15 14:06:00";
    json!({
        "version": "3.0", "type": "offline", "tenantId": 7, "createdAt": "2026-01-16T06:00:01.234Z",
        "tables": {
            "pacientes": table("pacientes", json!([
                patient(30002, "Bia", Value::Null, Value::Null, "-0.05", Value::Null),
                patient(30001, TEXT, json!("1980-02-29"), json!(""), "12.50", json!(at)),
            ])),
            "audit_log": table("audit_log", json!([
                { "id": 240_001, "tenant_id": 7, "old_values": document(), "new_values": null, "changed_fields": ["nome"], "created_at": at },
            ])),
            "medidas": table("medidas", json!([
                { "id": 1, "paciente_id": 30001, "peso": 70.1, "latitude": "-23.55052000", "valor": "1234.500000",
                  "feito": "2026-01-15 14:06:00.500", "ativo": 1, "obs": TEXT, "bruto": { "type": "Buffer", "data": [0, 255, 39] } },
                { "id": 2, "paciente_id": 30003, "peso": 1, "latitude": "1.00000000", "valor": "1.000000",
                  "feito": null, "ativo": 0, "obs": "de outro", "bruto": null },
            ])),
            "alergias": table("alergias", json!([{ "id": 1, "tenant_id": 7, "grau": "média" }])),
            "cep_coordenadas": table("cep_coordenadas", json!([{ "id": 1, "cep": "01310-100" }])),
        },
    })
}

/// The rows of a tenant and what hangs on them, byte for byte.
pub(crate) fn rows_of(server: &Server, database: &str, tenant: u32) -> Vec<String> {
    let tables = [
        ("pacientes", format!("tenant_id = {tenant}")),
        ("audit_log", format!("tenant_id = {tenant}")),
        ("alergias", format!("tenant_id = {tenant}")),
        (
            "medidas",
            format!("paciente_id IN (SELECT id FROM pacientes WHERE tenant_id = {tenant})"),
        ),
    ];
    let rows = tables.map(|(table, condition)| {
        let columns = format!(
            "SELECT GROUP_CONCAT('IFNULL(HEX(CONCAT('''', `', COLUMN_NAME, '`)), ''-'')' ORDER BY ORDINAL_POSITION) \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{database}' AND TABLE_NAME = '{table}'"
        );
        let columns = server.value(database, &columns);
        let query = format!("SET time_zone = '+00:00'; SELECT {columns} FROM {table} WHERE {condition} ORDER BY id");
        server.sql(database, query)
    });
    rows.to_vec()
}

fn id_of(report: &Value) -> String {
    report["backup"].as_str().expect("an id").to_owned()
}

fn the_samples_come_back_to_the_letter(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = tool(server, &workspace, &live);
    let full = file(&workspace, "full_2026-01-16T06-00-01-234Z.json.gz.enc", FULL);
    let next = file(&workspace, "incremental_2026-01-17T06-00-01-234Z.json.gz.enc", INCREMENTAL);
    let offline = file(&workspace, "offline_2026-01-16T06-00-01-234Z.json.gz", OFFLINE);
    for (files, rows) in
        [(vec!["import-legacy", &*full, &*next], 2), (vec!["import-legacy", &*offline], 2)]
    {
        let plan = tool.json(&[&files[..], &["--dry-run"]].concat());
        assert_eq!((&plan["dry_run"], &plan["backup"]), (&json!(true), &Value::Null), "{plan:#}");
        let before = workspace.backups();
        let report = tool.json(&files);
        assert_eq!(workspace.backups(), before + 1);
        assert_eq!(report["totals"]["rows"], rows, "{report:#}");
        assert_eq!(report["imported"], plan["imported"]);
        let copy = server.absent("copia");
        tool.restore(&id_of(&report), &copy);
        let name = "SELECT HEX(nome) FROM pacientes WHERE id = 1";
        assert_eq!(server.value(&copy.name, name), hex("João d'Ávila \\ \"x\""));
        let rest = "SELECT CONCAT_WS('|', data_nascimento, cpf, tempo_seguimento_anos, iniciais) FROM pacientes";
        assert_eq!(server.value(&copy.name, rest), "1980-02-29|enc:v1:AAAA:BBBB:CCCC|12.50|J");
        let entry = "SELECT JSON_UNQUOTE(JSON_EXTRACT(new_values, '$.nome')) FROM audit_log WHERE id = 240001";
        assert_eq!(server.value(&copy.name, entry), "B");
    }
    let listed = tool.json(&["list"]);
    assert!(
        listed["backups"]
            .as_array()
            .unwrap()
            .iter()
            .all(|backup| backup["imported"]["tenant"] == "7")
    );
    assert!(tool.ok(&["list"]).stdout.contains("imported, tenant 7 alone"));
    tool.run(&["show", "latest"]).failed(1).says(&["there is no backup \"latest\""]);
}

fn what_the_old_program_wrote_of_a_clinic_is_what_the_clinic_had(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    fill(server, &live);
    let tool = tool(server, &workspace, &live);
    let offline = gzipped(&workspace, "offline.json", &written());
    let report = tool.json(&["import-legacy", &offline]);
    let id = id_of(&report);
    let copy = server.absent("copia");
    tool.restore(&id, &copy);
    assert_eq!(rows_of(server, &copy.name, 7), rows_of(server, &live.name, 7));
    assert_eq!(
        server.value(&copy.name, "SELECT COUNT(*) FROM medidas"),
        "1",
        "another tenant's row was taken"
    );
    let notes = report["imported"]["notes"].to_string();
    for expected in [
        "table cep_coordenadas is left out with its 1 records",
        "1 of 2 records of table medidas are left out",
        "not in this backup: tenants",
        "UTC was taken",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
    let shown = tool.ok(&["show", &id]).stdout;
    assert!(shown.contains("imported from offline.json.gz: rows of tenant 7 alone"), "{shown}");
    assert!(shown.contains("UTC was taken"), "{shown}");
    tool.ok(&["verify", "--read-data"]);
}

fn one_tenant_comes_back_and_the_others_stay(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    fill(server, &live);
    let tool = tool(server, &workspace, &live);
    let own = tool.backup();
    let offline = gzipped(&workspace, "offline.json", &written());
    let id = id_of(&tool.json(&["import-legacy", &offline]));
    assert_eq!(tool.json(&["show", "latest"])["backup"], own.as_str());
    let (seven, eight) = (rows_of(server, &live.name, 7), rows_of(server, &live.name, 8));
    server.sql(
        &live.name,
        "UPDATE pacientes SET nome = 'ruined', cpf = '1' WHERE tenant_id = 7; DELETE FROM medidas WHERE id = 1; \
         DELETE FROM audit_log WHERE tenant_id = 7; INSERT INTO cep_coordenadas VALUES (2, 'x')",
    );
    let in_place = ["restore", &id, "--in-place", "--confirm", "RESTAURAR"];
    let refused = tool.run(&in_place).failed(4);
    refused.says(&["holds rows of tenant 7 alone", "--tenant 7"]);
    tool.run(&[&in_place[..], &["--tenant", "8"]].concat()).failed(4);
    tool.run(&["restore", &id, "--stage"]).failed(4);
    assert_ne!(rows_of(server, &live.name, 7), seven, "nothing was restored yet");
    let record = tool.json(&[&in_place[..], &["--tenant", "7"]].concat());
    assert_eq!(record["stage"], "restored", "{record:#}");
    assert_eq!(rows_of(server, &live.name, 7), seven);
    assert_eq!(rows_of(server, &live.name, 8), eight);
    assert_eq!(server.value(&live.name, "SELECT COUNT(*) FROM cep_coordenadas"), "2");
    for name in [&record["staging"], &record["before"]] {
        let name = name.as_str().expect("a name");
        server.sql("mysql", format!("DROP DATABASE IF EXISTS {}", ident(name)));
    }
}

fn what_cannot_be_imported_is_refused_and_leaves_nothing(server: &Server) {
    let (workspace, live) = (Workspace::new(), clinic(server));
    let tool = tool(server, &workspace, &live);
    let full = file(&workspace, "full.json.gz.enc", FULL);
    let next = file(&workspace, "incremental.json.gz.enc", INCREMENTAL);
    let cut = file(&workspace, "cut.json.gz.enc", &FULL[..FULL.len() - 1]);
    let tool_of = |secret: &str| tool.clone().with("GORGEN_LEGACY_JWT_SECRET", secret);

    tool_of("abacaxi")
        .run(&["import-legacy", &full])
        .failed(3)
        .says(&["does not open", "check GORGEN_LEGACY_JWT_SECRET"]);
    tool.clone()
        .without("GORGEN_LEGACY_JWT_SECRET")
        .run(&["import-legacy", &full])
        .failed(3)
        .says(&["set GORGEN_LEGACY_JWT_SECRET"]);
    tool.run(&["import-legacy", &cut]).failed(3).says(&["damaged or cut short"]);
    tool.run(&["import-legacy", &full, "--tenant", "8"]).failed(3).says(&["for tenant 8"]);
    tool.run(&["import-legacy", &next])
        .failed(4)
        .says(&["the full file that it goes on from is needed"]);
    tool.run(&["import-legacy", &workspace.key_file().to_string_lossy()])
        .failed(4)
        .says(&["nothing tells whose it is"]);
    tool.run(&["import-legacy", "/none"]).failed(1).says(&["cannot read /none"]);
    tool.run(&["import-legacy", &full, "--tenant", "sete"])
        .failed(2)
        .says(&["the number of a tenant"]);
    tool.clone()
        .without("GORGEN_TENANT_COLUMN")
        .run(&["import-legacy", &full])
        .failed(2)
        .says(&["GORGEN_TENANT_COLUMN"]);

    let change = |table: &str, column: &str, value: Value| {
        let mut content = written();
        content["tables"][table]["records"][0][column] = value;
        gzipped(&workspace, "hostile.json", &content)
    };
    let stranger = change("pacientes", "tenant_id", json!(8));
    tool.run(&["import-legacy", &stranger])
        .failed(4)
        .says(&["1 records of table pacientes are not of tenant 7"]);
    let long = change("pacientes", "nome", json!("Abacate".repeat(99)));
    tool.run(&["import-legacy", &long])
        .failed(4)
        .says(&["pacientes.nome, record 1", "text of up to 255 characters"]);
    let unknown = change("pacientes", "novo", json!(1));
    let mut content = written();
    content["tables"]["pacientes"]["count"] = json!(7);
    let miscounted = gzipped(&workspace, "miscounted.json", &content);
    tool.run(&["import-legacy", &unknown]).failed(3);
    tool.run(&["import-legacy", &miscounted])
        .failed(3)
        .says(&["has 2 records, and 7 as their count"]);
    assert_eq!(workspace.objects(""), Vec::<String>::new());
}
