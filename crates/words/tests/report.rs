//! The page of a month: its words in both languages, what it lets through, and that it is one whole document.

mod month;

use gorgen_engine::model::Language;
use gorgen_words::report::page;
use month::{HOSTILE, bad, busy, empty, full, proof, report};

const LANGUAGES: [Language; 2] = [Language::Portuguese, Language::English];

/// What a person reads, a line a block; drawings and styles left out.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let (mut rest, mut silent) = (page, false);
    while let Some((before, after)) = rest.split_once('<') {
        if !silent {
            text.push_str(before);
        }
        let (tag, after) = after.split_once('>').expect("a tag ends");
        let name = tag.split([' ', '>']).next().unwrap();
        match name {
            "style" | "svg" => silent = true,
            "/style" | "/svg" => silent = false,
            "/td" | "/th" | "/dt" => text.push_str(" | "),
            name if name.starts_with('/') && name != "/span" && name != "/a" => text.push('\n'),
            _ => {}
        }
        rest = after;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").replace('\u{a0}', " ")
}

#[test]
fn a_month_reads_well_in_both_languages() {
    for (language, name) in LANGUAGES.into_iter().zip(["pt-BR", "en"]) {
        for (month, records) in [("full", full()), ("empty", empty()), ("bad", bad())] {
            let text = text_of(&page(&report(&records), &proof(), language));
            insta::assert_snapshot!(format!("{month}_{name}"), text);
        }
    }
}

#[test]
fn what_comes_from_outside_is_text() {
    for language in LANGUAGES {
        let page = page(&report(&bad()), &proof(), language);
        assert!(!page.contains("<script"), "a name became a part of the page");
        let escaped = HOSTILE
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        assert!(page.matches(&escaped).count() >= 9, "it is shown, as text");
    }
}

#[test]
fn a_page_says_how_many_calls_it_does_not_show() {
    let text = |calls| text_of(&page(&report(&busy(calls)), &proof(), Language::Portuguese));
    let rows = |text: &str| text.lines().filter(|line| line.contains("POST /v1/backups")).count();
    let (all, some) = (text(1000), text(1203));
    assert!(!all.contains("primeiras"), "and shown");
    let said =
        "Aqui estão as primeiras 1.000 de 1.203 chamadas; as outras 203 estão nos dados, em JSON.";
    assert!(some.contains(said));
    assert_eq!(rows(&all), rows(&some));
}

/// For people who change the page: `cargo test -p gorgen-words -- --ignored` writes the months to look at.
#[test]
#[ignore = "writes files to look at"]
fn pages_to_look_at() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/pages");
    std::fs::create_dir_all(folder).unwrap();
    for (language, name) in LANGUAGES.into_iter().zip(["pt-BR", "en"]) {
        let months = [("full", full()), ("empty", empty()), ("bad", bad()), ("busy", busy(1000))];
        for (month, records) in months {
            let page = page(&report(&records), &proof(), language);
            std::fs::write(format!("{folder}/{month}.{name}.html"), page).unwrap();
        }
    }
}
