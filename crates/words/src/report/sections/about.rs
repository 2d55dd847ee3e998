//! Where the numbers come from.

use maud::html;

use super::{Page, Section};

impl Page<'_> {
    pub(super) fn about(&self) -> Section {
        let body = html! {
            p { (self.say(
                "Cada número desta página vem dos registros que as tarefas deixam no cofre e pode ser recalculado a partir deles; nenhum dado de paciente foi lido. Os mesmos dados, em JSON, estão no objeto abaixo, que traz o seu SHA-256; quem recalcular o resumo do campo “record” desse objeto deve obter o mesmo valor.",
                "Every number on this page comes from the records that jobs leave in the vault, and can be reckoned from them again; no patient's data was read. The same data, as JSON, are in the object below, which carries their SHA-256; whoever hashes that object's member “record” should get the same value.",
            )) }
            dl.facts {
                dt { (self.say("Objeto", "Object")) } dd { span.id { (self.proof.object) } }
                dt { "SHA-256" } dd { span.id { (self.proof.sha256) } }
                dt { (self.say("Fuso horário", "Time zone")) } dd { (self.report.time_zone) }
            }
        };
        Section {
            id: "about",
            title: self.say("Sobre este relatório", "About this report"),
            lead: self.say(
                "De onde vêm os números e como conferi-los.",
                "Where the numbers come from, and how to check them.",
            ),
            body,
        }
    }
}
