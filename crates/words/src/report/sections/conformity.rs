//! Whether the month was what was promised.

use gorgen_engine::policy::conformity::{Line, Verdict};
use maud::{Markup, html};

use super::{Page, Section, heads_of, names};

/// Ids that are shown beside a rule; the others are in the data.
const EVIDENCE: usize = 4;

impl Page<'_> {
    pub(super) fn conformity(&self) -> Section {
        let lead = self.say(
            "O que foi prometido, o que foi medido e onde está a prova. Só é avaliado o que já podia ter acontecido: desde o início do sistema até o fim do período.",
            "What was promised, what was measured, and where the evidence is. Only what could have happened is judged: from the system's beginning to the end of the period.",
        );
        let heads = self.say(
            ["Regra", "Limite", "Medido", "Resultado", "Evidência"],
            ["Rule", "Limit", "Measured", "Result", "Evidence"],
        );
        let body = html! {
            table {
                (heads_of(&heads, ""))
                tbody { @for line in &self.report.conformity { (self.rule(line)) } }
            }
            @if self.report.began > self.report.from {
                p.small {
                    (self.say("O sistema começou em ", "The system began on "))
                    (self.moment(self.report.began)) "."
                }
            }
        };
        Section { id: "conformity", title: self.say("Conformidade", "Conformity"), lead, body }
    }

    fn rule(&self, line: &Line) -> Markup {
        let measured = line.measured.map(|measured| names::amount(&self.speech, measured));
        html! {
            tr {
                td { (names::rule(&self.speech, line.rule)) }
                td { (names::limit(&self.speech, line.rule, line.limit)) }
                td { (measured.unwrap_or_else(|| "–".to_owned())) }
                td.t { (self.mark(line.verdict)) }
                td {
                    @if !line.days.is_empty() {
                        div { (self.say("Faltam: ", "Missing: ")) (self.dates(&line.days)) }
                    }
                    @for id in line.evidence.iter().take(EVIDENCE) { div.id { (id) } }
                    @if line.evidence.len() > EVIDENCE {
                        div.small { "+ " (self.count((line.evidence.len() - EVIDENCE) as u64)) }
                    }
                }
            }
        }
    }

    fn mark(&self, verdict: Verdict) -> Markup {
        match verdict {
            Verdict::Met => html! { span.yes { "✓ " (self.say("cumprida", "met")) } },
            Verdict::NotMet => {
                html! { span.no-mark { "✗ " (self.say("não cumprida", "not met")) } }
            }
            Verdict::NotApplicable => {
                html! { span.na { (self.say("não se aplica", "not applicable")) } }
            }
        }
    }
}
