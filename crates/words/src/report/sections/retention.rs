//! What is kept, and what went.

use gorgen_engine::jobs::report::{CleanupLine, ErasureLine};
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
            @if !self.report.erasures.is_empty() {
                h3 { (self.say("Inquilinos eliminados de todos os backups", "Tenants erased from all backups")) }
                table {
                    (heads_of(&self.say(
                        ["Data", "Status", "Inquilino", "Chaves", "Backups afetados", "Bloqueios até"],
                        ["Date", "Status", "Tenant", "Keys", "Backups concerned", "Locks until"],
                    ), "   nn"))
                    tbody { @for erasure in &self.report.erasures { (self.erasure(erasure)) } }
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

    fn erasure(&self, erasure: &ErasureLine) -> Markup {
        let tenant = erasure.tenant.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let locks = match (erasure.still_locked, erasure.locked_until) {
            (0, _) => "–".to_owned(),
            (_, Some(until)) => self.speech.date(self.speech.day(until)),
            (_, None) => self.say("sem data", "no date").to_owned(),
        };
        html! {
            tr {
                td.t { (self.moment(erasure.started)) }
                td { (self.outcome(erasure.completed)) }
                td { span.id { (tenant.trim_start_matches("t-")) } }
                td.n { (self.count(erasure.keys)) }
                td.n { (self.count(erasure.backups)) }
                td.t { (locks) }
            }
        }
    }

    fn outcome(&self, completed: bool) -> Markup {
        html! {
            @if completed { (self.say("Sucesso", "Succeeded")) }
            @else { span.no-mark { (self.say("Falhou", "Failed")) } }
        }
    }

    fn cleanup(&self, cleanup: &CleanupLine) -> Markup {
        html! {
            tr {
                td.t { (self.moment(cleanup.started)) }
                td { (self.outcome(cleanup.completed)) }
                td.n { (self.count(cleanup.kept)) }
                td.n { (self.count(cleanup.dropped)) }
                td.n { (self.speech.bytes(cleanup.removed_bytes)) }
                td.n { (self.count(cleanup.still_locked)) }
                td.n { (self.count(cleanup.locks_extended)) }
            }
        }
    }
}
