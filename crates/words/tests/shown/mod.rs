//! Every number that the page shows is the one of the data, written as the language does.

use gorgen_engine::model::Language;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{
    LANGUAGES,
    month::{bad, full, report},
    parsed,
    parsed::Document,
};

/// How one language writes; by rules of its own, not by those of the page.
struct Hand {
    language: Language,
}

impl Hand {
    fn is_english(&self) -> bool {
        self.language == Language::English
    }

    fn count(&self, value: &Value) -> String {
        let mut digits: Vec<_> = value.as_u64().unwrap().to_string().chars().rev().collect();
        let mark = if self.is_english() { ',' } else { '.' };
        for place in (1..digits.len().div_ceil(3)).rev() {
            digits.insert(place * 3, mark);
        }
        digits.into_iter().rev().collect()
    }

    fn decimal(&self, value: f64) -> String {
        let text = format!("{value:.1}");
        assert!(value < 1000.0, "no thousands here");
        if self.is_english() { text } else { text.replace('.', ",") }
    }

    fn bytes(&self, value: &Value) -> String {
        let bytes = value.as_f64().unwrap();
        for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
            if bytes >= size {
                return format!("{} {unit}", self.decimal(bytes / size));
            }
        }
        format!("{bytes} B")
    }

    fn duration(&self, value: &Value) -> String {
        let seconds = value.as_f64().unwrap();
        if seconds < 10.0 {
            return format!("{} s", self.decimal(seconds));
        }
        let whole = seconds.round();
        let (days, hours) = ((whole / 86_400.0).floor(), (whole / 3600.0).floor());
        let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
        let parts = if hours >= 48.0 {
            [(days, "d"), (hours % 24.0, "h")]
        } else if hours >= 1.0 {
            [(hours, "h"), (minutes % 60.0, "min")]
        } else {
            [(minutes, "min"), (rest, "s")]
        };
        let told = parts.iter().filter(|(number, _)| *number > 0.0);
        told.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
    }

    fn moment(&self, value: &Value) -> String {
        let at: Timestamp = value.as_str().unwrap().parse().unwrap();
        let at = at.to_zoned_datetime(TimeZone::get("America/Sao_Paulo").unwrap());
        let (day, month, year) = (at.day(), at.month(), at.year());
        let date = if self.is_english() {
            format!("{year}-{month:02}-{day:02}")
        } else {
            format!("{day:02}/{month:02}/{year}")
        };
        format!("{date} {:02}:{:02}", at.hour(), at.minute())
    }

    fn date(&self, value: &Value) -> String {
        self.moment(value).split(' ').next().unwrap().to_owned()
    }

    fn amount(&self, value: &Value) -> String {
        let (unit, number) = value.as_object().unwrap().iter().next().unwrap();
        let is_one = number == 1;
        let word = match (unit.as_str(), self.is_english(), is_one) {
            ("seconds", ..) => return self.duration(number),
            ("percent", ..) => return format!("{} %", self.decimal(number.as_f64().unwrap())),
            ("count", ..) => return self.count(number),
            ("days", true, true) => "day",
            ("days", true, false) => "days",
            ("days", false, true) => "dia",
            ("days", false, false) => "dias",
            ("weeks", true, true) => "week",
            ("weeks", true, false) => "weeks",
            ("weeks", false, true) => "semana",
            ("weeks", false, false) => "semanas",
            _ => panic!("{unit}"),
        };
        format!("{} {word}", self.count(number))
    }
}

/// Checks one row against the beginnings of its cells, from this column on.
#[track_caller]
fn assert_row(row: &[String], from: usize, expected: &[String]) {
    for (place, expected) in expected.iter().enumerate() {
        let cell = row[from + place].replace('\u{a0}', " ");
        assert_eq!(&cell, expected, "column {} of {row:?}", from + place);
    }
}

/// Checks a section's rows against the data, line by line.
#[track_caller]
fn assert_rows<'a>(
    document: &Document,
    section: &str,
    lines: impl IntoIterator<Item = &'a Value>,
    from: usize,
    cells: impl Fn(&Value) -> Vec<String>,
) {
    let lines: Vec<_> = lines.into_iter().collect();
    let rows = document.cells(section, 0);
    assert_eq!(rows.len(), lines.len(), "{section}");
    for (row, line) in rows.iter().zip(lines) {
        assert_row(row, from, &cells(line));
    }
}

fn list<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    report[name].as_array().unwrap()
}

fn assert_shown(document: &Document, report: &Value, hand: &Hand) {
    let count = |value: &Value| hand.count(value);
    assert_rows(document, "runs", list(report, "runs"), 1, |line| {
        ["succeeded", "failed", "died"].map(|name| count(&line[name])).into()
    });
    assert_rows(document, "backups", list(report, "backups"), 0, |line| {
        vec![
            hand.moment(&line["snapshot"]),
            hand.duration(&line["seconds"]),
            count(&line["rows"]),
            hand.bytes(&line["stored_bytes"]),
            hand.bytes(&line["new_bytes"]),
        ]
    });
    assert_rows(document, "restore-tests", list(report, "restore_tests"), 2, |line| {
        let passed = line["passed"] == true;
        let time = if passed { hand.duration(&line["seconds"]) } else { "–".to_owned() };
        let counts = ["tables", "rows", "foreign_keys", "objects", "views"];
        [time].into_iter().chain(counts.map(|name| count(&line[name]))).collect()
    });
    for (row, line) in document.cells("restore-tests", 0).iter().zip(list(report, "restore_tests"))
    {
        assert!(row[8].contains(line["backup"].as_str().unwrap()), "{row:?}");
    }
    let with_phases = list(report, "restore_tests").iter();
    let with_phases: Vec<_> = with_phases.filter(|line| !list(line, "phases").is_empty()).collect();
    let phases = document.cells("restore-tests", 1);
    assert_eq!(phases.len(), with_phases.len());
    for (row, line) in phases.iter().zip(with_phases) {
        let times = list(line, "phases").iter().map(|phase| hand.duration(&phase["seconds"]));
        let told = row[1].replace('\u{a0}', " ");
        let told: Vec<_> = told.split(" · ").collect();
        for (told, time) in told.iter().zip(times.collect::<Vec<_>>()) {
            assert!(told.ends_with(&format!(" {time}")), "{told}");
        }
        assert_eq!(told.len(), list(line, "phases").len());
    }
    assert_rows(document, "verifications", list(report, "verifications"), 2, |line| {
        let share = &line["share"];
        vec![
            count(&line["backups"]),
            count(&line["objects"]),
            hand.bytes(&line["raw_bytes_read"]),
            format!("{}/{}", share["number"], share["of"]),
            count(&line["problems"]),
            count(&line["repaired"]),
        ]
    });
    let replicas = list(report, "verifications").iter().map(|check| &check["replica"]);
    assert_rows(document, "replica", replicas.filter(|replica| !replica.is_null()), 1, |line| {
        let counts = ["objects", "missing", "damaged", "waiting"].map(|name| count(&line[name]));
        counts.into_iter().chain([hand.duration(&line["behind_seconds"])]).collect()
    });
    assert_rows(document, "retention", list(report, "cleanups"), 2, |line| {
        vec![
            count(&line["kept"]),
            count(&line["dropped"]),
            hand.bytes(&line["removed_bytes"]),
            count(&line["still_locked"]),
            count(&line["locks_extended"]),
        ]
    });
    assert_rows(document, "keys", list(report, "keys"), 1, |line| {
        let counts = ["keys", "scopes", "made"].map(|name| count(&line[name]));
        counts.into_iter().chain([hand.date(&line["oldest"]), hand.date(&line["newest"])]).collect()
    });
    assert_rows(document, "failures", list(report, "failures"), 0, |line| {
        vec![hand.moment(&line["started"])]
    });
    assert_rows(document, "restores", list(report, "restores"), 0, |line| {
        vec![hand.moment(&line["requested"])]
    });
    assert_rows(document, "audit", list(report, "audit"), 0, |line| vec![hand.moment(&line["at"])]);
    for (row, call) in document.cells("audit", 0).iter().zip(list(report, "audit")) {
        assert!(row[4].contains(&call["status"].to_string()), "{row:?}");
    }
    let rules = document.cells("conformity", 0);
    assert_eq!(rules.len(), list(report, "conformity").len());
    for (row, rule) in rules.iter().zip(list(report, "conformity")) {
        let cell = |place: usize| row[place].replace('\u{a0}', " ");
        let limit = hand.amount(&rule["limit"]);
        let none = if hand.is_english() { "none" } else { "nenhum" };
        assert!(cell(1).ends_with(&limit) || (limit == "0" && cell(1) == none), "{row:?}");
        let measured = &rule["measured"];
        let expected = if measured.is_null() { "–".to_owned() } else { hand.amount(measured) };
        assert_eq!(cell(2), expected, "{row:?}");
    }
}

/// The sums that stand above tables: a number, and what it is of.
fn assert_sums(document: &Document, report: &Value, hand: &Hand) {
    let backups = list(report, "backups");
    let sum = |name: &str| {
        Value::from(backups.iter().map(|line| line[name].as_u64().unwrap()).sum::<u64>())
    };
    let longest = backups.iter().map(|line| line["seconds"].as_f64().unwrap()).fold(0.0, f64::max);
    let audit = list(report, "audit");
    let calls = |verdict: &str| {
        let of = audit.iter().filter(|call| verdict.is_empty() || call["verdict"] == verdict);
        hand.count(&Value::from(of.count()))
    };
    let expected = [
        ("backups", hand.count(&Value::from(backups.len()))),
        ("backups", hand.count(&report["backups_kept"])),
        ("backups", hand.bytes(&backups.last().unwrap()["stored_bytes"])),
        ("backups", hand.bytes(&sum("new_bytes"))),
        ("backups", hand.duration(&Value::from(longest))),
        ("audit", calls("")),
        ("audit", calls("allowed")),
        ("audit", calls("refused")),
        ("audit", calls("failed")),
    ];
    for section in ["backups", "audit"] {
        let shown = document.inside(section, "b");
        let shown: Vec<_> = shown.iter().map(|sum| sum.text.replace('\u{a0}', " ")).collect();
        let expected: Vec<_> =
            expected.iter().filter(|(of, _)| *of == section).map(|(_, sum)| sum.clone()).collect();
        assert_eq!(shown, expected, "{section}");
    }
}

#[test]
fn every_number_that_is_shown_is_that_of_the_data() {
    for records in [full(), bad()] {
        let data = serde_json::to_value(report(&records)).unwrap();
        for (language, _) in LANGUAGES {
            let (document, hand) = (parsed(&records, language), Hand { language });
            assert_shown(&document, &data, &hand);
            assert_sums(&document, &data, &hand);
        }
    }
}
