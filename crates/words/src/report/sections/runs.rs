//! What ran, and what did not end well.

use maud::html;

use super::{Page, Section, heads_of, names};

impl Page<'_> {
    pub(super) fn runs(&self) -> Section {
        let heads = self.say(
            ["Tipo", "Sucesso", "Falhou", "Interrompido"],
            ["Job", "Succeeded", "Failed", "Cut off"],
        );
        let body = html! {
            @if self.report.runs.is_empty() { (self.none("Nenhuma execução no período.", "Nothing ran in the period.")) }
            @else {
                table {
                    (heads_of(&heads, " nnn"))
                    tbody {
                        @for tally in &self.report.runs {
                            tr {
                                td { (names::job(&self.speech, tally.job)) }
                                td.n { (self.count(tally.succeeded)) }
                                td.n { (self.count(tally.failed)) }
                                td.n { (self.count(tally.died)) }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "runs",
            title: self.say("Execuções", "Runs"),
            lead: self.say(
                "Quantas vezes cada tarefa foi executada e como terminou. Toda execução deixa um registro, também a que falha.",
                "How often each job ran, and how it ended. Every run leaves a record, also one that fails.",
            ),
            body,
        }
    }

    pub(super) fn failures(&self) -> Section {
        let body = html! {
            @if self.report.failures.is_empty() { (self.none("Nenhuma falha no período.", "Nothing failed in the period.")) }
            @else {
                table {
                    (heads_of(&self.say(["Data", "Tipo", "Status", "Execução e erro"], ["Date", "Job", "Status", "Run and error"]), ""))
                    tbody {
                        @for failure in &self.report.failures {
                            tr {
                                td.t { (self.moment(failure.started)) }
                                td { (names::job(&self.speech, failure.job)) }
                                td.t { (names::outcome(&self.speech, failure.outcome)) }
                                td {
                                    span.id { (failure.run) }
                                    @for line in &failure.error { p.err { (line) } }
                                }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "failures",
            title: self.say("Falhas", "Failures"),
            lead: self.say(
                "Toda execução que não terminou bem, com o erro tal como foi registrado.",
                "Every run that did not end well, with the error as it was recorded.",
            ),
            body,
        }
    }
}
