//! What people had restored.

use maud::html;

use super::{Page, Section, heads_of, names};

impl Page<'_> {
    pub(super) fn restores(&self) -> Section {
        let heads = self.say(
            ["Solicitada", "Por", "Backup", "O quê e para onde", "Status", "Desfazer até"],
            ["Asked", "By", "Backup", "What and where to", "Status", "Undo until"],
        );
        let body = html! {
            @if self.report.restores.is_empty() { (self.none("Nenhuma restauração foi solicitada no período.", "No restore was asked for in the period.")) }
            @else {
                table {
                    (heads_of(&heads, ""))
                    tbody {
                        @for restore in &self.report.restores {
                            tr {
                                td.t { (self.moment(restore.requested)) }
                                td.any { (restore.asked_by.as_deref().unwrap_or("–")) }
                                td { span.id { (restore.backup) } }
                                td.any {
                                    @if let Some(database) = &restore.database { (database) }
                                    @else { (self.say("no lugar dos dados atuais", "in place of the live data")) }
                                    @if restore.dry_run { " · " (self.say("só plano", "plan only")) }
                                    @if let Some(tenant) = &restore.tenant { " · " (self.say("clínica ", "clinic ")) (tenant) }
                                    @if !restore.tables.is_empty() { " · " (restore.tables.join(", ")) }
                                }
                                td { (names::stage(&self.speech, restore.stage)) }
                                td.t { (restore.undo_until.map_or_else(|| "–".to_owned(), |until| self.moment(until))) }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "restores",
            title: self.say("Restaurações", "Restores"),
            lead: self.say(
                "Quem pediu que dados fossem restaurados, quais, e como terminou.",
                "Who asked for data to be restored, which, and how it ended.",
            ),
            body,
        }
    }
}
