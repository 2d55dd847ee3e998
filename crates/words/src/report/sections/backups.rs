//! The backups that were made.

use gorgen_engine::jobs::report::{BackupLine, State};
use maud::{Markup, html};

use super::{
    Page, Section,
    chart::{Bar, Chart},
    heads_of, names, sum,
};

/// A backup should take less.
const BACKUP_SECONDS: f64 = 30.0 * 60.0;

impl Page<'_> {
    pub(super) fn backups(&self) -> Section {
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
}
