//! Who called.

use gorgen_engine::records::audit::Verdict as Answer;
use maud::html;

use super::{Page, Section, heads_of, names, sum};

/// Calls that are shown; the others are in the data. More than a month of people's work, and less than a browser minds.
const MOST_CALLS: usize = 1000;

impl Page<'_> {
    pub(super) fn audit(&self) -> Section {
        let audit = &self.report.audit;
        let of = |verdict| {
            self.count(audit.iter().filter(|call| call.verdict == verdict).count() as u64)
        };
        let heads = self.say(
            ["Data", "Quem", "De onde", "O quê", "Resultado"],
            ["Date", "Who", "From where", "What", "Result"],
        );
        let body = html! {
            @if audit.is_empty() { (self.none("Nenhuma chamada no período.", "No call in the period.")) }
            @else {
                div.sums {
                    (sum(&self.count(audit.len() as u64), self.say("chamadas", "calls")))
                    (sum(&of(Answer::Allowed), self.say("permitidas", "allowed")))
                    (sum(&of(Answer::Refused), self.say("recusadas", "refused")))
                    (sum(&of(Answer::Failed), self.say("falharam", "failed")))
                }
                table {
                    (heads_of(&heads, ""))
                    tbody {
                        @for call in audit.iter().take(MOST_CALLS) {
                            tr {
                                td.t { (self.moment(call.at)) }
                                td.any { (call.who) }
                                td.any {
                                    (call.address.as_deref().unwrap_or("–"))
                                    @if let Some(agent) = &call.agent { div.small { (agent) } }
                                }
                                td.any {
                                    (call.action)
                                    @if let Some(about) = &call.about { div.id { (about) } }
                                }
                                td {
                                    (names::answer(&self.speech, call.verdict)) " " span.small { (call.status) }
                                    @if let Some(reason) = &call.reason { div.small { (reason) } }
                                }
                            }
                        }
                    }
                }
                @if audit.len() > MOST_CALLS {
                    p.small { (self.calls_not_shown(audit.len())) }
                }
            }
        };
        Section {
            id: "audit",
            title: self.say("Auditoria", "Audit"),
            lead: self.say(
                "Toda chamada que mudou algo, ou que quis mudar e foi recusada: quem, quando, de onde e o quê. Estes registros não podem ser alterados.",
                "Every call that changed something, or wanted to and was refused: who, when, from where and what. Nobody can change these records.",
            ),
            body,
        }
    }

    fn calls_not_shown(&self, all: usize) -> String {
        let (all, rest) = (self.count(all as u64), self.count((all - MOST_CALLS) as u64));
        let shown = self.count(MOST_CALLS as u64);
        self.say(
            format!("Aqui estão as primeiras {shown} de {all} chamadas; as outras {rest} estão nos dados, em JSON."),
            format!("These are the first {shown} of {all} calls; the other {rest} are in the data, as JSON."),
        )
    }
}
