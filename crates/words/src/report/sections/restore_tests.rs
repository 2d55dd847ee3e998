//! What restoring proved.

use gorgen_engine::jobs::report::TestLine;
use maud::{Markup, html};

use super::{
    Page, Section,
    chart::{Bar, Chart},
    heads_of, names,
};

/// A restore should take less.
const RECOVERY_SECONDS: f64 = 4.0 * 3600.0;

impl Page<'_> {
    pub(super) fn restore_tests(&self) -> Section {
        let tests = &self.report.restore_tests;
        let bar = |test: &TestLine| Bar {
            day: self.speech.day(test.started),
            value: test.seconds,
            dark: 0.0,
        };
        let chart = Chart {
            title: self.say("Tempo de recuperação medido (RTO)", "Recovery time measured (RTO)"),
            legend: self.say("· limite: 4 h", "· limit: 4 h"),
            first: self.first(),
            bars: tests.iter().filter(|test| test.passed).map(bar).collect(),
            limit: Some(RECOVERY_SECONDS),
            label: &|seconds| self.speech.duration(seconds),
        };
        let heads = self.say(
            [
                "Data",
                "Resultado",
                "RTO",
                "Tabelas",
                "Registros",
                "Chaves estr.",
                "Objetos",
                "Visões",
                "Backup",
            ],
            [
                "Date",
                "Result",
                "RTO",
                "Tables",
                "Rows",
                "Foreign keys",
                "Objects",
                "Views",
                "Backup",
            ],
        );
        let body = html! {
            @if tests.is_empty() { (self.none("Nenhum teste de restauração no período.", "No restore test in the period.")) }
            @else {
                (chart.draw())
                table {
                    (heads_of(&heads, "  nnnnnn"))
                    tbody { @for test in tests { (self.test(test)) } }
                }
                p.small { (self.say(
                    "Objetos: visões, gatilhos, rotinas, eventos e sequências que estão lá como no backup. Visões: as que puderam ser consultadas; estão entre os objetos. Chaves estrangeiras: as que não deixam nenhum registro solto.",
                    "Objects: views, triggers, routines, events and sequences that are there as they were backed up. Views: those that could be selected from; they are among the objects. Foreign keys: those that leave no row dangling.",
                )) }
                (self.phases_of_tests())
            }
        };
        Section {
            id: "restore-tests",
            title: self.say("Testes de Restauração", "Restore tests"),
            lead: self.say(
                "Um backup só vale o que a sua restauração prova: ele é carregado num banco descartável e cada tabela é comparada, registro por registro.",
                "A backup is worth what its restore proves: it is loaded into a throw-away database, and each table is compared, row by row.",
            ),
            body,
        }
    }

    fn test(&self, test: &TestLine) -> Markup {
        let pick = test.pick.as_deref().and_then(|pick| names::pick(&self.speech, pick));
        let place = test.place.as_deref().and_then(|place| names::place(&self.speech, place));
        let turn: Vec<_> = pick.into_iter().chain(place).collect();
        html! {
            tr {
                td.t { (self.moment(test.started)) }
                td.t {
                    @if test.passed { span.yes { "✓ " (self.say("APROVADO", "PASSED")) } }
                    @else { span.no-mark { "✗ " (self.say("FALHOU", "FAILED")) } }
                }
                td.n { @if test.passed { (self.speech.duration(test.seconds)) } @else { "–" } }
                td.n { (self.count(test.tables)) }
                td.n { (self.count(test.rows)) }
                td.n { (self.count(test.foreign_keys)) }
                td.n { (self.count(test.objects)) }
                td.n { (self.count(test.views)) }
                td.t {
                    span.id { @if let Some(backup) = &test.backup { (backup) } @else { (test.run) } }
                    @if !turn.is_empty() { div { (turn.join(", ")) } }
                }
            }
        }
    }

    /// How long each phase of each test took.
    fn phases_of_tests(&self) -> Markup {
        let tests = self.report.restore_tests.iter().filter(|test| !test.phases.is_empty());
        let tests: Vec<_> = tests.collect();
        let heads = self.say(["Data", "Fases"], ["Date", "Phases"]);
        html! {
            @if !tests.is_empty() {
                h3 { (self.say("Quanto levou cada fase", "How long each phase took")) }
                table {
                    (heads_of(&heads, ""))
                    tbody {
                        @for test in tests {
                            tr {
                                td.t { (self.moment(test.started)) }
                                td {
                                    @for (place, phase) in test.phases.iter().enumerate() {
                                        @if place > 0 { " · " }
                                        (names::phase(&self.speech, &phase.name)) " " (self.speech.duration(phase.seconds))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
