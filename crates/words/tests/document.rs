//! The page as a browser reads it: by a real parser, which forgives much and tells of all that it forgave.

mod month;
mod parsed;
mod shown;

use std::collections::BTreeSet;

use gorgen_engine::{jobs::report::Records, model::Language};
use gorgen_words::report::{CONTENT_SECURITY_POLICY, page};
use month::{HOSTILE, bad, bad_by, busy, empty, full, proof, report};
use parsed::{Document, Element};

const LANGUAGES: [(Language, &str); 2] =
    [(Language::Portuguese, "pt-BR"), (Language::English, "en")];

fn parsed(records: &Records, language: Language) -> Document {
    Document::of(&page(&report(records), &proof(), language))
}

/// Each month in each language.
fn each(check: impl Fn(&Document, &str)) {
    for records in [full(), empty(), bad(), busy(1203)] {
        for (language, tag) in LANGUAGES {
            check(&parsed(&records, language), tag);
        }
    }
}

#[test]
fn the_parser_has_nothing_to_forgive() {
    each(|document, _| assert_eq!(document.errors, [""; 0]));
}

#[test]
fn the_parser_tells_of_what_it_forgives() {
    let good = page(&report(&bad()), &proof(), Language::English);
    for (what, with) in [("</h1>", "</h2>"), ("<tbody>", "<tbody><p>"), ("&amp;", "&nosuch;")] {
        assert!(good.contains(what));
        let broken = Document::of(&good.replacen(what, with, 1));
        assert!(!broken.errors.is_empty(), "{with}");
    }
}

#[test]
fn a_page_refers_to_nothing_but_itself() {
    // Whatever loads, runs, sends or is told where from.
    const NEVER: [&str; 13] = [
        "script", "link", "img", "image", "iframe", "frame", "object", "embed", "base", "form",
        "audio", "video", "use",
    ];
    each(|document, _| {
        let ids: BTreeSet<_> =
            document.elements.iter().filter_map(|element| element.attributes.get("id")).collect();
        let mut links = 0;
        for Element { name, attributes, .. } in &document.elements {
            assert!(!NEVER.contains(&name.as_str()), "{name}");
            for (attribute, value) in attributes {
                let at = format!("{name} {attribute}={value:?}");
                assert!(!attribute.starts_with("on") && attribute != "style", "{at}");
                assert!(
                    !["src", "srcset", "action", "data", "xlink:href"]
                        .contains(&attribute.as_str()),
                    "{at}"
                );
                assert!(!value.contains("url(") && !value.contains("//"), "{at}");
                if attribute == "href" {
                    let inside = value.strip_prefix('#').expect(&at);
                    assert!(ids.iter().any(|id| *id == inside), "{at}");
                    links += 1;
                }
            }
        }
        assert_eq!(links, document.named("section").len(), "each section is in the contents");
        let styles = document.named("style");
        assert_eq!(styles.len(), 1);
        for outside in ["url(", "@import", "//", "expression", "src"] {
            assert!(!styles[0].text.contains(outside), "{outside}");
        }
        let told: Vec<_> = document
            .named("meta")
            .iter()
            .filter_map(|meta| meta.attributes.get("http-equiv"))
            .collect();
        assert_eq!(told, ["Content-Security-Policy"]);
        let policy = document.named("meta").iter().find_map(|meta| {
            meta.attributes.get("http-equiv").and_then(|_| meta.attributes.get("content"))
        });
        assert_eq!(policy.unwrap(), CONTENT_SECURITY_POLICY);
    });
}

#[test]
fn headings_are_in_order_and_the_language_is_told() {
    each(|document, tag| {
        assert_eq!(document.named("html")[0].attributes["lang"], tag);
        let level = |element: &Element| match element.name.as_bytes() {
            [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
            _ => None,
        };
        let levels: Vec<_> = document.elements.iter().filter_map(level).collect();
        assert_eq!(levels[0], 1);
        assert_eq!(document.named("h1").len(), 1);
        for pair in levels.windows(2) {
            assert!(pair[1] <= pair[0] + 1, "{levels:?}");
        }
        assert_eq!(document.named("title").len(), 1);
        assert_eq!(document.named("main").len(), 1);
        for section in document.named("section") {
            let id = &section.attributes["id"];
            assert_eq!(document.inside(id, "h2").len(), 1, "{id}");
        }
        for drawing in document.named("svg") {
            assert_eq!(drawing.attributes["role"], "img");
            assert!(!drawing.attributes["aria-label"].is_empty());
        }
    });
}

#[test]
fn each_table_tells_what_its_columns_are() {
    each(|document, _| {
        for table in document.tables() {
            assert!(!table.heads.is_empty());
            for head in &table.heads {
                assert_eq!(head.name, "th");
                assert_eq!(head.attributes["scope"], "col");
                assert!(!head.text.trim().is_empty());
            }
            assert!(!table.rows.is_empty(), "{:?}", table.heads);
            for row in &table.rows {
                assert_eq!(row.len(), table.heads.len(), "{row:?}");
            }
        }
    });
    assert!(parsed(&full(), Language::English).tables().len() > 10);
}

#[test]
fn names_that_try_to_be_more_than_text_change_nothing_but_text() {
    const ATTEMPTS: [&str; 8] = [
        HOSTILE,
        "</td></tr></table><img src=x onerror=alert(1)>",
        "</style><script>alert(1)</script>",
        "<!--",
        "--><script>alert(1)</script>",
        "\" onmouseover=\"alert(1)\" x=\"",
        "&lt;b&gt; &#60;script&#62;",
        "<![CDATA[<b>]]> \u{202e}</section></main></body></html>",
    ];
    for (language, _) in LANGUAGES {
        let plain = parsed(&bad_by("Zwq"), language);
        for attempt in ATTEMPTS {
            let document = parsed(&bad_by(attempt), language);
            assert_eq!(document.errors, [""; 0], "{attempt}");
            assert_eq!(document.skeleton(), plain.skeleton(), "{attempt}");
            let shown = document.texts.iter().filter(|text| text.contains(attempt)).count();
            let expected = plain.texts.iter().filter(|text| text.contains("Zwq")).count();
            // As what it is, to the last character.
            assert_eq!(shown, expected, "{attempt}");
            assert!(shown >= 9);
        }
    }
}
