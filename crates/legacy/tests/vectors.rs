//! The files that the old program's owner gave as samples.

use gorgen_legacy::{DEFAULT_SECRET, open};

use crate::support::{
    FULL, INCREMENTAL, OFFLINE, SECRET, clinic, import_into, opened, rows_of, seal,
};

const PATIENT: [Option<&str>; 10] = [
    Some("1"),
    Some("7"),
    Some("João d'Ávila \\ \"x\""),
    Some("1980-02-29"),
    Some("enc:v1:AAAA:BBBB:CCCC"),
    Some("0000000000000000000000000000000000000000000000000000000000000000"),
    Some("12.50"),
    None,
    Some("2026-01-15 14:06:00"),
    Some("2026-01-15 14:06:00"),
];

fn patient() -> Vec<Option<String>> {
    PATIENT.map(|value| value.map(str::to_owned)).to_vec()
}

#[test]
fn a_full_and_an_offline_file_give_their_rows_to_the_letter() {
    for (name, file) in [("full.json.gz.enc", FULL), ("offline.json.gz", OFFLINE)] {
        let import = import_into(&clinic(), &[opened(name, file)]).unwrap();
        assert_eq!(rows_of(&import, "pacientes"), [patient()], "{name}");
        let audit = [
            "240001",
            "7",
            "{\"nome\": \"A\"}",
            "{\"nome\": \"B\"}",
            "[\"nome\"]",
            "2026-01-15 14:06:00",
        ];
        assert_eq!(
            rows_of(&import, "audit_log"),
            [audit.map(|value| Some(value.to_owned())).to_vec()]
        );
        let tables: Vec<_> =
            import.tables().into_iter().map(|table| (table.table, table.rows)).collect();
        let expected = [("alergias", 0), ("audit_log", 1), ("pacientes", 1)];
        assert_eq!(tables, expected.map(|(table, rows)| (table.to_owned(), rows)));
        let imported = import.imported();
        assert_eq!(imported.tenant, "7");
        assert_eq!(imported.created.to_string(), "2026-01-16T06:00:01.234Z");
        assert_eq!((imported.names().as_str(), imported.files[0].sha256.len()), (name, 64));
        assert_eq!(
            imported.notes,
            [
                "the old program took no snapshot: rows of different tables may be of different moments",
                "tables that are not in the files, and not in this backup: tenants",
                "the files do not tell their time zone, and UTC was taken for that of TIMESTAMP columns: \
                 audit_log.created_at, pacientes.created_at, pacientes.deleted_at, pacientes.updated_at",
            ]
        );
    }
}

#[test]
fn an_incremental_file_goes_on_from_the_full_one() {
    let files = [opened("incremental.json.gz.enc", INCREMENTAL), opened("full.json.gz.enc", FULL)];
    let import = import_into(&clinic(), &files).unwrap();
    assert_eq!(rows_of(&import, "pacientes"), [patient()]);
    let imported = import.imported();
    assert_eq!(imported.created.to_string(), "2026-01-17T06:00:01.234Z");
    assert_eq!(imported.names(), "full.json.gz.enc, incremental.json.gz.enc");
    assert_eq!(
        imported.notes[..2],
        [
            "incremental.json.gz.enc says that it goes on from backup 240001 of 2026-01-16T06:00:05Z, and no file has its \
             checksum: full.json.gz.enc, made at 2026-01-16T06:00:01.234Z, was taken for it",
            "rows that were deleted after the full file was made are here: incremental files do not tell of them",
        ]
    );
}

#[test]
fn what_tests_seal_is_what_the_old_program_sealed() {
    let file = opened("full.json.gz.enc", FULL);
    let (_, body) = FULL.split_at(64);
    assert_eq!(opened("x", FULL).sha256, file.sha256);
    assert!(!body.is_empty());
    let again = seal(OFFLINE);
    assert_eq!(open("x", &again, Some("7"), Some(SECRET)).unwrap().name, "x");
}

#[test]
fn the_old_program_s_own_secret_is_tried_and_told() {
    let refused = open("full.json.gz.enc", FULL, Some("7"), None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "full.json.gz.enc does not open: it is damaged or cut short, or was not encrypted for tenant 7 with the old program's \
         own secret"
    );
    assert!(refused.hint().unwrap().contains("GORGEN_LEGACY_JWT_SECRET"));
    let opened = open("full.json.gz.enc", FULL, Some("7"), Some(SECRET)).unwrap();
    assert!(!opened.by_default_secret);
    assert_ne!(DEFAULT_SECRET, SECRET);
}
