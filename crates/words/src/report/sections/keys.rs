//! The data keys.

use jiff::Timestamp;
use maud::html;

use super::{Page, Section, heads_of, names};

impl Page<'_> {
    pub(super) fn keys(&self) -> Section {
        let heads = self.say(
            [
                "Finalidade",
                "Chaves",
                "Escopos",
                "Novas no mês",
                "Mais antiga",
                "Mais nova",
                "Protegidas por",
            ],
            ["Purpose", "Keys", "Scopes", "New in the month", "Oldest", "Newest", "Wrapped by"],
        );
        let date = |at: Option<Timestamp>| {
            at.map_or_else(|| "–".to_owned(), |at| self.speech.date(self.speech.day(at)))
        };
        let body = html! {
            p { (self.say(
                "Parte cifrada: 100 %. O formato do cofre não conhece backup sem criptografia: cada bloco de dados e cada índice é selado com AES-256-GCM antes de sair da memória, e a restauração e a verificação só aceitam o que abrem com a chave.",
                "Encrypted share: 100 %. The vault's format knows no backup without encryption: each block of data and each index is sealed with AES-256-GCM before it leaves memory, and restores and checks accept only what the key opens.",
            )) }
            @if self.report.keys.is_empty() { (self.none("Ainda não há chaves.", "There are no keys yet.")) }
            @else {
                table {
                    (heads_of(&heads, " nnn"))
                    tbody {
                        @for key in &self.report.keys {
                            tr {
                                td { (names::purpose(&self.speech, &key.purpose)) }
                                td.n { (self.count(key.keys)) }
                                td.n { (self.count(key.scopes)) }
                                td.n { (self.count(key.made)) }
                                td.t { (date(key.oldest)) }
                                td.t { (date(key.newest)) }
                                td { @for by in &key.wrapped_by { div.id { (by) } } }
                            }
                        }
                    }
                }
            }
        };
        Section {
            id: "keys",
            title: self.say("Criptografia e chaves", "Encryption and keys"),
            lead: self.say(
                "Que chaves de dados existem, de quando são e que chave-mestra as protege. Nenhuma chave precisa ser aberta para este relatório.",
                "Which data keys there are, how old they are, and which master key protects them. No key needs to be opened for this report.",
            ),
            body,
        }
    }
}
