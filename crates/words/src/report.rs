//! A month as a page: one document that needs nothing else, on a screen or on A4.
//!
//! No script, nothing from elsewhere, readable in grey. Whatever comes from outside (names, reasons, errors) is text.

mod chart;
mod names;
mod sections;

use gorgen_engine::{
    jobs::report::{Proof, Report},
    model::Language,
    policy::conformity::Summary,
};
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::speech::Speech;

const STYLE: &str = include_str!("report/style.css");

/// What a browser may load for the page: nothing; and which styles it may apply: those inside.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes a month as a page.
pub fn page(report: &Report, proof: &Proof, language: Language) -> String {
    let speech = Speech::new(language, &report.time_zone);
    Page { report, proof, speech }.document().into_string()
}

/// A page being written.
struct Page<'a> {
    report: &'a Report,
    proof: &'a Proof,
    speech: Speech,
}

impl Page<'_> {
    fn say<T>(&self, portuguese: T, english: T) -> T {
        self.speech.say(portuguese, english)
    }

    fn document(&self) -> Markup {
        let title = format!("{} · {}", self.title(), self.speech.month(self.first()));
        let sections = self.sections();
        html! {
            (DOCTYPE)
            html lang=(self.speech.tag()) {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(CONTENT_SECURITY_POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.cover(&sections))
                    main {
                        @for (number, section) in (1..).zip(&sections) {
                            section id=(section.id) {
                                h2 { span.no { (number) } (section.title) }
                                p.lead { (section.lead) }
                                (section.body)
                            }
                        }
                    }
                }
            }
        }
    }

    fn title(&self) -> &'static str {
        self.say("Relatório mensal de backup", "Monthly backup report")
    }

    /// The first day of the month.
    fn first(&self) -> Date {
        self.speech.day(self.report.from)
    }

    /// The last day that is told: of the month, or the day of the telling.
    fn last(&self) -> Date {
        let last = self.first().last_of_month();
        last.min(self.speech.day(self.report.told)).max(self.first())
    }

    fn cover(&self, sections: &[Section]) -> Markup {
        let Report { source, time_zone, told, until, .. } = self.report;
        let (from, last) = (self.speech.date(self.first()), self.speech.date(self.last()));
        let part = if told < until {
            self.say(" (mês ainda não encerrado)", " (the month is not over)")
        } else {
            ""
        };
        html! {
            header.cover {
                p.brand { "gorgen-backup" }
                h1 { (self.title()) }
                p.period { (self.speech.month(self.first())) }
                dl.facts {
                    dt { (self.say("Banco de dados", "Database")) }
                    dd { (source.database) " · " (source.server) }
                    dt { (self.say("Período", "Period")) }
                    dd { (from) " – " (last) (part) }
                    dt { (self.say("Fuso horário", "Time zone")) }
                    dd { (time_zone) }
                    dt { (self.say("Emitido em", "Told on")) }
                    dd { (self.speech.moment(*told)) }
                    dt { (self.say("Dados", "Data")) }
                    dd { span.id { (self.proof.object) } }
                    dt { "SHA-256" }
                    dd { span.id { (self.proof.sha256) } }
                }
                (self.verdict())
                h2.minor { (self.say("Conteúdo", "Contents")) }
                ol.contents {
                    @for (number, section) in (1..).zip(sections) {
                        li { a href=(format!("#{}", section.id)) { span.no { (number) } (section.title) } }
                    }
                }
            }
        }
    }

    fn verdict(&self) -> Markup {
        let Summary { met, not_met, not_applicable } = Summary::of(&self.report.conformity);
        let judged = met + not_met.len() as u64;
        let word = match (judged, not_met.is_empty()) {
            (0, _) => self.say("Nada a avaliar", "Nothing to judge"),
            (_, true) => self.say("Conforme", "Conforms"),
            (_, false) => self.say("Não conforme", "Does not conform"),
        };
        let sum = self.say(
            format!("{met} de {judged} regras cumpridas; {not_applicable} não se aplicam a este período."),
            format!("{met} of {judged} rules were met; {not_applicable} do not apply to this period."),
        );
        html! {
            div.verdict.bad[!not_met.is_empty()] {
                strong { (word) }
                (sum)
                @if !not_met.is_empty() {
                    ul { @for rule in &not_met { li { (names::rule(&self.speech, *rule)) } } }
                }
            }
        }
    }
}

/// One section of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    lead: &'static str,
    body: Markup,
}
