//! What is kept, and what went.

use gorgen_engine::jobs::report::CleanupLine;
use maud::{Markup, html};

use super::{Page, Section, heads_of};

impl Page<'_> {
    pub(super) fn retention(&self) -> Section {
        let heads = self.say(
            [
                "Data",
                "Status",
                "Guardados",
                "Descartados",
                "Liberado",
                "Ainda bloqueados",
                "Bloqueios estendidos",
            ],
            ["Date", "Status", "Kept", "Dropped", "Freed", "Still locked", "Locks extended"],
        );
        let body = html! {
            p {
                (self.say("Regra em vigor: ", "Rules in force: "))
                @if let Some(rules) = &self.report.retention { code.id { (rules) } }
                @else { (self.say("nenhuma limpeza a registrou no período.", "no cleanup recorded them in the period.")) }
            }
            @if !self.report.cleanups.is_empty() {
                table {
                    (heads_of(&heads, "  nnnnn"))
                    tbody { @for cleanup in &self.report.cleanups { (self.cleanup(cleanup)) } }
                }
            }
            @if !self.report.pins.is_empty() {
                h3 { (self.say("Backups fixados por uma pessoa", "Backups that a person pinned")) }
                table {
                    (heads_of(&self.say(["Backup", "Desde", "Motivo"], ["Backup", "Since", "Reason"]), ""))
                    tbody {
                        @for pin in &self.report.pins {
                            tr {
                                td { span.id { (pin.backup) } }
                                td.t { (self.moment(pin.since)) }
                                td.any { (pin.reason.as_deref().unwrap_or("–")) }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "retention",
            title: self.say("Retenção e limpeza", "Retention and cleanup"),
            lead: self.say(
                "Quantos backups são guardados e por quanto tempo, e o que a limpeza diária descartou. Nada que um backup guardado precise é removido.",
                "How many backups are kept and for how long, and what the daily cleanup dropped. Nothing that a kept backup needs is removed.",
            ),
            body,
        }
    }

    fn cleanup(&self, cleanup: &CleanupLine) -> Markup {
        html! {
            tr {
                td.t { (self.moment(cleanup.started)) }
                td {
                    @if cleanup.completed { (self.say("Sucesso", "Succeeded")) }
                    @else { span.no-mark { (self.say("Falhou", "Failed")) } }
                }
                td.n { (self.count(cleanup.kept)) }
                td.n { (self.count(cleanup.dropped)) }
                td.n { (self.speech.bytes(cleanup.removed_bytes)) }
                td.n { (self.count(cleanup.still_locked)) }
                td.n { (self.count(cleanup.locks_extended)) }
            }
        }
    }
}
