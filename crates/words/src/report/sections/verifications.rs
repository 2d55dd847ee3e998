//! Whether all is there and as it was written, here and in the replica.

use gorgen_engine::jobs::report::VerificationLine;
use maud::{Markup, html};

use super::{Page, Section, heads_of};

impl Page<'_> {
    pub(super) fn verifications(&self) -> Section {
        let heads = self.say(
            [
                "Data",
                "Resultado",
                "Backups",
                "Objetos",
                "Dados relidos",
                "Parte",
                "Problemas",
                "Reparados",
            ],
            ["Date", "Result", "Backups", "Objects", "Data read", "Share", "Problems", "Repaired"],
        );
        let body = html! {
            @if self.report.verifications.is_empty() {
                (self.none("Nenhuma verificação no período.", "No integrity check in the period."))
            } @else {
                table {
                    (heads_of(&heads, "  nnn nn"))
                    tbody { @for check in &self.report.verifications { (self.verification(check)) } }
                }
            }
            @if !self.report.unreadable.is_empty() {
                h3 { (self.say("Não pôde ser lido para este relatório", "Could not be read for this report")) }
                @for line in &self.report.unreadable { p.err { (line) } }
            }
        };
        Section {
            id: "verifications",
            title: self.say("Verificações de integridade", "Integrity checks"),
            lead: self.say(
                "Tudo o que os backups precisam existe e é o que foi gravado? A cada semana uma parte dos dados é relida por inteiro, autenticada e conferida.",
                "Is all there that the backups need, and is it what was written? Every week a share of the data is read in full, authenticated and proved.",
            ),
            body,
        }
    }

    fn verification(&self, check: &VerificationLine) -> Markup {
        let share = match (check.read_data, check.share) {
            (false, _) => "–".to_owned(),
            (true, Some(share)) => format!("{}/{}", share.number, share.of),
            (true, None) => self.say("tudo", "all").to_owned(),
        };
        let well = check.completed && check.problems == 0;
        html! {
            tr {
                td.t { (self.moment(check.started)) }
                td.t {
                    @if well { span.yes { "✓ " (self.say("Sucesso", "Succeeded")) } }
                    @else { span.no-mark { "✗ " (self.say("Falhou", "Failed")) } }
                }
                td.n { (self.count(check.backups)) }
                td.n { (self.count(check.objects)) }
                td.n { (self.speech.bytes(check.raw_bytes_read)) }
                td { (share) }
                td.n { (self.count(check.problems)) }
                td.n { (self.count(check.repaired)) }
            }
        }
    }

    pub(super) fn replica(&self) -> Section {
        let looked = || {
            self.report
                .verifications
                .iter()
                .filter_map(|check| Some((check, check.replica.as_ref()?)))
        };
        let heads = self.say(
            [
                "Data",
                "Objetos",
                "Em falta",
                "Danificados",
                "A caminho",
                "Atraso",
                "Backup mais novo lá",
            ],
            [
                "Date",
                "Objects",
                "Missing",
                "Damaged",
                "On their way",
                "Behind",
                "Newest backup there",
            ],
        );
        let body = html! {
            @if looked().next().is_none() {
                (self.none("Nenhuma verificação olhou uma réplica no período.", "No check looked at a replica in the period."))
            } @else {
                table {
                    (heads_of(&heads, " nnnnn"))
                    tbody {
                        @for (check, replica) in looked() {
                            tr {
                                td.t { (self.moment(check.started)) }
                                td.n { (self.count(replica.objects)) }
                                td.n { (self.count(replica.missing)) }
                                td.n { (self.count(replica.damaged)) }
                                td.n { (self.count(replica.waiting)) }
                                td.n { (replica.behind_seconds.map_or_else(|| "–".to_owned(), |behind| self.speech.duration(behind as f64))) }
                                td { @if let Some(newest) = &replica.newest_backup { span.id { (newest) } } @else { "–" } }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "replica",
            title: self.say("Réplica em outra região", "Replica in another region"),
            lead: self.say(
                "Uma segunda cópia, longe da primeira, protege contra a perda de uma região inteira. Aqui está se ela estava completa e em dia.",
                "A second copy, far from the first, protects against the loss of a whole region. Here is whether it was complete and up to date.",
            ),
            body,
        }
    }
}
