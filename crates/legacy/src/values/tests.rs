use gorgen_engine::stages::rows::take_value;
use proptest::prelude::*;

use super::*;
use crate::columns::Otherwise;

/// A column of this type, as a server would tell of it.
fn column(sql_type: &str) -> Column {
    let base = sql_type.split(['(', ' ']).next().unwrap();
    let kind = match base {
        "decimal" | "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ValueKind::Number,
        "float" | "double" => ValueKind::Real,
        "date" | "datetime" | "timestamp" | "time" | "year" => ValueKind::Temporal,
        "json" => ValueKind::Json,
        "binary" | "varbinary" | "blob" => ValueKind::Bytes,
        "bit" => ValueKind::Bit,
        "point" => ValueKind::Geometry,
        _ => ValueKind::Text,
    };
    let charset = (kind == ValueKind::Text).then(|| "utf8mb4".to_owned());
    Column { name: "c".to_owned(), sql_type: sql_type.to_owned(), kind, charset, collation: None }
}

fn typing(sql_type: &str) -> Typing {
    Typing::of(&column(sql_type), None, Flavor::MySql)
}

fn put(typing: &Typing, json: &str) -> Result<(Option<Vec<u8>>, Remark), Mismatch> {
    let mut row = Vec::new();
    let remark = typing.put(serde_json::from_str(json).unwrap(), &mut row)?;
    let value = take_value(&mut row.as_slice()).unwrap().map(<[u8]>::to_vec);
    Ok((value, remark))
}

#[track_caller]
fn becomes(sql_type: &str, json: &str, expected: impl AsRef<[u8]>) {
    let (value, remark) = put(&typing(sql_type), json).unwrap();
    assert_eq!(value.as_deref(), Some(expected.as_ref()), "{sql_type} {json}");
    assert_eq!(remark, Remark::Exact, "{sql_type} {json}");
}

#[track_caller]
fn refuses(sql_type: &str, given: &[&str]) {
    for json in given {
        assert!(put(&typing(sql_type), json).is_err(), "{sql_type} {json}");
    }
}

#[test]
fn numbers_are_spelled_with_all_digits_of_the_column() {
    becomes("int(11)", "30001", "30001");
    becomes("int", "\"-240001\"", "-240001");
    becomes("tinyint(1)", "true", "1");
    becomes("tinyint(1)", "false", "0");
    becomes("tinyint(4)", "-128", "-128");
    becomes("int(5) unsigned zerofill", "42", "00042");
    becomes("bigint(20) unsigned", "\"18446744073709551615\"", "18446744073709551615");
    becomes("bigint(20)", "9007199254740992", "9007199254740992");
    becomes("decimal(15,6)", "\"12.5\"", "12.500000");
    becomes("decimal(10,8)", "\"-23.55052000\"", "-23.55052000");
    becomes("decimal(5,2)", "\"-0.00\"", "0.00");
    becomes("decimal(5,2)", "12.5", "12.50");
    becomes("decimal(5,2)", "7", "7.00");
    becomes("decimal(3,3)", "\"0.125\"", "0.125");
    becomes("decimal(8,2) unsigned zerofill", "\"1.5\"", "000001.50");
    becomes("decimal(65,0)", &format!("\"{}\"", "9".repeat(65)), "9".repeat(65));
    refuses(
        "int(11)",
        &[
            "2147483648",
            "1.0",
            "1e3",
            "\"\"",
            "\"1 \"",
            "\"+1\"",
            "\"--1\"",
            "{}",
            "[1]",
            "\"0x10\"",
        ],
    );
    refuses("int(10) unsigned", &["-1", "4294967296"]);
    refuses("tinyint(4)", &["128", "-129"]);
    refuses(
        "decimal(5,2)",
        &[
            "\"1.005\"",
            "\"1000.00\"",
            "\"1,5\"",
            "\"1.\"",
            "\".5\"",
            "\"1e2\"",
            "\"\"",
            "\"-\"",
            "1.5e1",
        ],
    );
    refuses("decimal(20,10)", &["1234567890.1234567"]);
}

#[test]
fn whole_numbers_beyond_what_doubles_hold_are_remarked() {
    let (value, remark) = put(&typing("bigint(20)"), "9007199254740993").unwrap();
    assert_eq!(value.unwrap(), b"9007199254740993");
    assert_eq!(remark, Remark::BeyondExact);
}

#[test]
fn floats_are_spelled_as_the_server_s_value_widened() {
    becomes("double", "0.1", "0.1");
    becomes("double", "1e21", "1e21");
    becomes("double", "-1.5e-7", "-1.5e-7");
    becomes("float", "0.1", "0.10000000149011612");
    becomes("double(8,2)", "12.25", "12.25");
    refuses("double", &["1e999", "\"inf\"", "\"NaN\"", "\"\"", "[]"]);
    refuses("float", &["1e39"]);
    refuses("double unsigned", &["-1"]);
    refuses("double(8,2)", &["12.255", "1e2"]);
}

#[test]
fn dates_and_times_are_those_of_the_server() {
    becomes("date", "\"1980-02-29\"", "1980-02-29");
    becomes("timestamp", "\"2026-01-15 14:06:00\"", "2026-01-15 14:06:00");
    becomes("datetime(6)", "\"2026-01-15 14:06:00\"", "2026-01-15 14:06:00.000000");
    becomes("time(3)", "\"-01:00:00.5\"", "-01:00:00.500");
    becomes("year(4)", "2026", "2026");
    becomes("year(4)", "\"2026\"", "2026");
    refuses("date", &["19800229", "\"1980-02-30\"", "\"29/02/1980\"", "true"]);
    refuses("timestamp", &["\"2026-01-15\"", "\"2026-01-15T14:06:00.000Z\"", "1768485960"]);
}

#[test]
fn text_stays_as_it_is() {
    let text = "João d'Ávila \\ \"x\"\r\n\tfim \u{1f600} \\n %_ 0x41";
    let json = serde_json::to_string(text).unwrap();
    becomes("varchar(255)", &json, text);
    becomes("text", &json, text);
    becomes("longtext", "\"{\\\"a\\\": 1}\"", "{\"a\": 1}");
    becomes("varchar(3)", "\"çãé\"", "çãé");
    becomes("char(5)", "\"ab  \"", "ab");
    becomes("varchar(9)", "\"ab  \"", "ab  ");
    becomes("enum('sim','não')", "\"não\"", "não");
    becomes("enum('sim','não')", "\"\"", "");
    becomes("set('a','b','c')", "\"a,c\"", "a,c");
    refuses("varchar(3)", &["\"abcd\"", "1", "true", "{}", "[]", "\"\\ud800\""]);
    refuses("tinytext", &[&format!("\"{}\"", "ç".repeat(128))]);
    refuses("enum('sim','não')", &["\"NÃO\"", "1"]);
    refuses("set('a','b','c')", &["\"c,a\"", "\"a,d\"", "\"a,\""]);
}

#[test]
fn bytes_come_as_buffers() {
    let buffer = "{\"type\":\"Buffer\",\"data\":[0,255,39]}";
    becomes("varbinary(3)", buffer, [0, 255, 39]);
    becomes("binary(3)", buffer, [0, 255, 39]);
    becomes("blob", "{\"type\":\"Buffer\",\"data\":[]}", []);
    becomes("bit(9)", "{\"type\":\"Buffer\",\"data\":[1,254]}", [1, 254]);
    refuses("binary(4)", &[buffer]);
    refuses("varbinary(2)", &[buffer]);
    refuses(
        "bit(9)",
        &[
            "{\"type\":\"Buffer\",\"data\":[2,0]}",
            "{\"type\":\"Buffer\",\"data\":[1]}",
            "{\"type\":\"Buffer\",\"data\":[]}",
            "1",
        ],
    );
    refuses(
        "blob",
        &[
            "\"abc\"",
            "{\"type\":\"Buffer\",\"data\":[256]}",
            "{\"type\":\"Buffer\",\"data\":\"\"}",
            "{\"type\":\"Buffer\"}",
            "{\"data\":[1],\"type\":\"Buffer\",\"x\":1}",
        ],
    );
    refuses("point", &["{\"x\":1,\"y\":2}"]);
}

#[test]
fn documents_are_nested_or_their_own_text() {
    becomes("json", "{\"nome\": \"A\",\n \"a\": [1, 2.50]}", "{\"a\": [1, 2.5], \"nome\": \"A\"}");
    becomes("json", "\"só texto\"", "\"só texto\"");
    becomes("json", "7", "7");
    let (value, remark) = put(&typing("json"), "\"{\\\"a\\\":1}\"").unwrap();
    assert_eq!((value.unwrap(), remark), (b"{\"a\": 1}".to_vec(), Remark::DocumentAsText));
    refuses("json", &["{\"a\":1,\"a\":2}"]);

    let definition =
        Definition { nullable: false, otherwise: Otherwise::Unknown, is_document: true };
    let document = Typing::of(&column("longtext"), Some(&definition), Flavor::MariaDb);
    let of = |json: &str| put(&document, json).map(|(value, _)| value.unwrap());
    assert_eq!(of("{\n  \"nome\": \"A \\\\ b\"\n}").unwrap(), b"{\"nome\":\"A \\\\ b\"}");
    assert_eq!(of("\" { \\\"a\\\": 1.50 } \"").unwrap(), b" { \"a\": 1.50 } ");
    assert_eq!(of("\"solto\"").unwrap(), b"\"solto\"");
    assert_eq!(of("null").unwrap(), b"null", "where there can be no NULL");
}

#[test]
fn nothing_is_null_where_it_may_be() {
    assert_eq!(put(&typing("int(11)"), "null").unwrap().0, None);
    let definition =
        Definition { nullable: false, otherwise: Otherwise::Unknown, is_document: false };
    let strict = Typing::of(&column("int(11)"), Some(&definition), Flavor::MySql);
    assert_eq!(put(&strict, "null").unwrap_err().got, "nothing (null)");
}

#[test]
fn what_does_not_fit_is_told_without_the_value() {
    let mismatch = put(&typing("varchar(3)"), "\"Maria da Silva\"").unwrap_err();
    assert_eq!(
        format!("expected {}, got {}", mismatch.expected, mismatch.got),
        "expected text of up to 3 characters in utf8mb4, got another text"
    );
}

const TYPES: [&str; 18] = [
    "int(11)",
    "bigint(20) unsigned",
    "decimal(15,6)",
    "double",
    "float",
    "date",
    "datetime(3)",
    "timestamp",
    "time(6)",
    "year(4)",
    "varchar(20)",
    "char(4)",
    "enum('a','b')",
    "set('a','b')",
    "json",
    "blob",
    "bit(9)",
    "point",
];

proptest! {
    #[test]
    fn any_json_is_a_value_or_a_mismatch(json in "[-0-9.eE+\"a-c\\\\ {}\\[\\]:,tfnu]{0,24}", place in 0..TYPES.len()) {
        if let Ok(value) = serde_json::from_str::<&RawValue>(&json) {
            let mut row = Vec::new();
            match typing(TYPES[place]).put(value, &mut row) {
                Ok(_) => prop_assert!(gorgen_engine::stages::rows::is_row(&row, 1)),
                Err(_) => prop_assert!(row.is_empty()),
            }
        }
    }

    #[test]
    fn any_text_of_a_server_comes_through(text in "\\PC{0,20}|[\\x00-\\x1f'\"\\\\]{0,20}") {
        let json = serde_json::to_string(&text).unwrap();
        let (value, _) = put(&typing("varchar(20)"), &json).unwrap();
        prop_assert_eq!(value.unwrap(), text.into_bytes());
    }

    #[test]
    fn decimals_come_through(whole in 0_u64..1_000_000_000, fraction in 0_u32..1_000_000, negative: bool) {
        let sign = if negative && (whole, fraction) != (0, 0) { "-" } else { "" };
        let text = format!("{sign}{whole}.{fraction:06}");
        becomes("decimal(15,6)", &format!("\"{text}\""), &text);
    }
}
