//! The sections, in the order in which an auditor asks.

use gorgen_engine::{
    jobs::report::{BackupLine, CleanupLine, State, TestLine, VerificationLine},
    policy::conformity::{Line, Verdict},
    records::audit::Verdict as Answer,
};
use jiff::{Timestamp, civil::Date};
use maud::{Markup, html};

use super::{
    Page, Section,
    chart::{Bar, Chart},
    names,
};

/// A backup should take less.
const BACKUP_SECONDS: f64 = 30.0 * 60.0;
/// A restore should.
const RECOVERY_SECONDS: f64 = 4.0 * 3600.0;

impl Page<'_> {
    pub(super) fn sections(&self) -> Vec<Section> {
        vec![
            self.conformity(),
            self.runs(),
            self.backups(),
            self.restore_tests(),
            self.verifications(),
            self.replica(),
            self.failures(),
            self.restores(),
            self.retention(),
            self.keys(),
            self.audit(),
            self.about(),
        ]
    }

    fn conformity(&self) -> Section {
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

    fn runs(&self) -> Section {
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

    fn backups(&self) -> Section {
        let all = &self.report.backups;
        let body = html! {
            @if all.is_empty() { (self.none("Nenhum backup foi feito no período.", "No backup was made in the period.")) }
            @else {
                (self.sums_of_backups())
                (self.chart_of_sizes())
                (self.chart_of_durations())
                (self.table_of_backups())
            }
        };
        Section {
            id: "backups",
            title: "Backups",
            lead: self.say(
                "Cada backup é completo e guarda o banco de dados como estava num só instante; só o que mudou ocupa espaço novo. Os que a retenção já descartou também aparecem.",
                "Each backup is complete and shows the database as it was at one moment; only what changed takes new space. Those that retention has dropped since are told as well.",
            ),
            body,
        }
    }

    fn sums_of_backups(&self) -> Markup {
        let all = &self.report.backups;
        let new = all.iter().map(|backup| backup.new_bytes).sum();
        let longest = all.iter().map(|backup| backup.seconds).fold(0.0, f64::max);
        let last = all.last().map_or(0, |backup| backup.stored_bytes);
        html! {
            div.sums {
                (sum(&self.count(all.len() as u64), self.say("backups no período", "backups in the period")))
                (sum(&self.count(self.report.backups_kept), self.say("guardados hoje, de todos os meses", "kept today, of all months")))
                (sum(&self.speech.bytes(last), self.say("tamanho do último", "size of the last")))
                (sum(&self.speech.bytes(new), self.say("espaço novo no período", "new space in the period")))
                (sum(&self.speech.duration(longest), self.say("o mais longo", "the longest")))
            }
        }
    }

    fn chart_of_sizes(&self) -> Markup {
        let bar = |backup: &BackupLine| Bar {
            day: self.speech.day(backup.snapshot),
            value: backup.stored_bytes as f64,
            dark: backup.new_bytes as f64,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating, of bytes"
        )]
        let label = |bytes: f64| self.speech.bytes(bytes as u64);
        Chart {
            title: self.say("Tamanho por dia", "Size by day"),
            legend: self.say("· claro: guardado; escuro: novo", "· light: stored; dark: new"),
            first: self.first(),
            bars: self.report.backups.iter().map(bar).collect(),
            limit: None,
            label: &label,
        }
        .draw()
    }

    fn chart_of_durations(&self) -> Markup {
        let bar = |backup: &BackupLine| Bar {
            day: self.speech.day(backup.snapshot),
            value: backup.seconds,
            dark: 0.0,
        };
        Chart {
            title: self.say("Duração por dia", "Duration by day"),
            legend: self.say("· limite: 30 min", "· limit: 30 min"),
            first: self.first(),
            bars: self.report.backups.iter().map(bar).collect(),
            limit: Some(BACKUP_SECONDS),
            label: &|seconds| self.speech.duration(seconds),
        }
        .draw()
    }

    fn table_of_backups(&self) -> Markup {
        let heads = self.say(
            ["Data", "Duração", "Registros", "Tamanho", "Novo", "Status", "Backup"],
            ["Date", "Duration", "Rows", "Size", "New", "Status", "Backup"],
        );
        html! {
            table {
                (heads_of(&heads, " nnnn"))
                tbody {
                    @for backup in &self.report.backups {
                        tr {
                            td.t { (self.moment(backup.snapshot)) }
                            td.n { (self.speech.duration(backup.seconds)) }
                            td.n { (self.count(backup.rows)) }
                            td.n { (self.speech.bytes(backup.stored_bytes)) }
                            td.n { (self.speech.bytes(backup.new_bytes)) }
                            td {
                                @if matches!(backup.state, State::Lost | State::Unreadable) {
                                    span.no-mark { (names::state(&self.speech, backup.state)) }
                                } @else { (names::state(&self.speech, backup.state)) }
                                @if let Some(dropped) = &backup.dropped {
                                    div.small { (self.moment(dropped.at)) " · " (dropped.why) }
                                }
                            }
                            td.t { span.id { (backup.backup) } }
                        }
                    }
                }
            }
        }
    }

    fn restore_tests(&self) -> Section {
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
            ["Data", "Resultado", "RTO", "Tabelas", "Registros", "Chaves estr.", "Backup e fases"],
            ["Date", "Result", "RTO", "Tables", "Rows", "Foreign keys", "Backup and phases"],
        );
        let body = html! {
            @if tests.is_empty() { (self.none("Nenhum teste de restauração no período.", "No restore test in the period.")) }
            @else {
                (chart.draw())
                table {
                    (heads_of(&heads, "  nnnn"))
                    tbody { @for test in tests { (self.test(test)) } }
                }
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
        let from = match test.place.as_deref() {
            Some("replica") => Some(self.say("da réplica", "from the replica")),
            Some("vault") => Some(self.say("do cofre", "from the vault")),
            _ => None,
        };
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
                td {
                    span.id { @if let Some(backup) = &test.backup { (backup) } @else { (test.run) } }
                    @if let Some(from) = from { " " (from) }
                    @if !test.phases.is_empty() {
                        div.small {
                            @for (place, phase) in test.phases.iter().enumerate() {
                                @if place > 0 { " · " } (phase.name) " " (self.speech.duration(phase.seconds))
                            }
                        }
                    }
                }
            }
        }
    }

    fn verifications(&self) -> Section {
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

    fn replica(&self) -> Section {
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

    fn failures(&self) -> Section {
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

    fn restores(&self) -> Section {
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
                                td { (restore.asked_by.as_deref().unwrap_or("–")) }
                                td { span.id { (restore.backup) } }
                                td {
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

    fn retention(&self) -> Section {
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
                                td { (pin.reason.as_deref().unwrap_or("–")) }
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

    fn keys(&self) -> Section {
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

    fn audit(&self) -> Section {
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
                        @for call in audit {
                            tr {
                                td.t { (self.moment(call.at)) }
                                td { (call.who) }
                                td {
                                    (call.address.as_deref().unwrap_or("–"))
                                    @if let Some(agent) = &call.agent { div.small { (agent) } }
                                }
                                td {
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

    fn about(&self) -> Section {
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

    fn none(&self, portuguese: &'static str, english: &'static str) -> Markup {
        html! { p.none { (self.say(portuguese, english)) } }
    }

    fn count(&self, number: u64) -> String {
        self.speech.count(number)
    }

    fn moment(&self, at: Timestamp) -> String {
        self.speech.moment(at)
    }

    /// Days, and from the first to the last of those that follow each other.
    fn dates(&self, days: &[Date]) -> String {
        let follow = |one: &Date, next: &Date| one.tomorrow().is_ok_and(|day| day == *next);
        let runs = days.chunk_by(follow).filter_map(|run| Some((run.first()?, run.last()?)));
        let told = runs.map(|(first, last)| {
            if first == last {
                self.speech.date(*first)
            } else {
                format!("{} – {}", self.speech.date(*first), self.speech.date(*last))
            }
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// Ids that are shown beside a rule; the others are in the data.
const EVIDENCE: usize = 4;

/// The head of a table; `n` at a column's place sets it to the right.
fn heads_of(heads: &[&str], kinds: &str) -> Markup {
    let is_number = |place: usize| kinds.as_bytes().get(place) == Some(&b'n');
    html! {
        thead {
            tr { @for (place, head) in heads.iter().enumerate() { th.n[is_number(place)] scope="col" { (head) } } }
        }
    }
}

fn sum(figure: &str, of: &str) -> Markup {
    html! { div { b { (figure) } span { (of) } } }
}
