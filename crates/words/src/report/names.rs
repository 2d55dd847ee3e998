//! What things are called, in the words of the app.

use gorgen_engine::{
    jobs::report::State,
    policy::conformity::{Amount, Rule},
    records::{
        audit::Verdict,
        restore::Stage,
        run::{Job, Outcome},
    },
};

use crate::speech::Speech;

pub(super) fn job(speech: &Speech, job: Job) -> &'static str {
    match job {
        Job::Backup => "Backup",
        Job::Restore => speech.say("Restauração", "Restore"),
        Job::Verify => speech.say("Verificação de integridade", "Integrity check"),
        Job::RestoreTest => speech.say("Teste de Restauração", "Restore test"),
        Job::Report => speech.say("Relatório", "Report"),
        Job::Cleanup => speech.say("Limpeza", "Cleanup"),
        Job::Import => speech.say("Importação", "Import"),
        Job::Erase => speech.say("Eliminação de inquilino", "Erasure of a tenant"),
        Job::Other => speech.say("Outro", "Other"),
    }
}

pub(super) fn outcome(speech: &Speech, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => speech.say("Sucesso", "Succeeded"),
        Outcome::Failed | Outcome::Other => speech.say("Falhou", "Failed"),
        Outcome::Died => speech.say("Interrompido", "Cut off"),
    }
}

pub(super) fn state(speech: &Speech, state: State) -> &'static str {
    match state {
        State::Kept => speech.say("Guardado", "Kept"),
        State::Dropped => speech.say("Descartado", "Dropped"),
        State::Lost => speech.say("PERDIDO", "LOST"),
        State::Unreadable => speech.say("ILEGÍVEL", "UNREADABLE"),
    }
}

/// Which backup a restore test took; nothing, if that is no word we know.
pub(super) fn pick(speech: &Speech, pick: &str) -> Option<&'static str> {
    Some(match pick {
        "latest" => speech.say("o mais novo", "the newest"),
        "random" => speech.say("sorteado", "a random one"),
        "named" => speech.say("escolhido", "one that was named"),
        _ => return None,
    })
}

/// Where a restore test read it.
pub(super) fn place(speech: &Speech, place: &str) -> Option<&'static str> {
    Some(match place {
        "replica" => speech.say("da réplica", "from the replica"),
        "vault" => speech.say("do cofre", "from the vault"),
        _ => return None,
    })
}

/// A phase of a restore test. Records hold them in English.
pub(super) fn phase(speech: &Speech, phase: &str) -> String {
    let portuguese = match phase {
        "open the backup" => "abrir o backup",
        "create tables" => "criar tabelas",
        "load rows" => "carregar registros",
        "build keys" => "montar índices",
        "verify" => "conferir",
        "create views, triggers and routines" => "criar visões, gatilhos e rotinas",
        "follow foreign keys" => "seguir chaves estrangeiras",
        "compare definitions and try views" => "comparar definições e consultar visões",
        "drop the scratch database" => "apagar o banco descartável",
        other => other,
    };
    speech.say(portuguese, phase).to_owned()
}

pub(super) fn stage(speech: &Speech, stage: Stage) -> &'static str {
    match stage {
        Stage::Requested => speech.say("Solicitada", "Requested"),
        Stage::Planned => speech.say("Planejada", "Planned"),
        Stage::Loading | Stage::Promoting | Stage::Undoing => {
            speech.say("Em execução", "In progress")
        }
        Stage::Staged => speech.say("Pronta para troca", "Ready to swap in"),
        Stage::Restored => speech.say("Sucesso", "Succeeded"),
        Stage::Undone => speech.say("Desfeita", "Undone"),
        Stage::Cancelled => speech.say("Cancelada", "Cancelled"),
        Stage::Failed => speech.say("Falhou", "Failed"),
        Stage::Other => speech.say("Outro", "Other"),
    }
}

pub(super) fn answer(speech: &Speech, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => speech.say("Permitido", "Allowed"),
        Verdict::Refused => speech.say("Recusado", "Refused"),
        Verdict::Failed => speech.say("Falhou", "Failed"),
        Verdict::Other => speech.say("Outro", "Other"),
    }
}

pub(super) fn purpose(speech: &Speech, purpose: &str) -> String {
    match purpose {
        "manifest" => speech.say("Índices dos backups", "Indexes of backups").to_owned(),
        "rows" => speech
            .say("Registros dos pacientes e demais dados", "Patients' and other rows")
            .to_owned(),
        "naming" => speech.say("Nomes dos blocos", "Names of blocks").to_owned(),
        other => other.to_owned(),
    }
}

pub(super) fn rule(speech: &Speech, rule: Rule) -> &'static str {
    match rule {
        Rule::DailyBackup => {
            speech.say("Um backup bom em cada dia (RPO)", "A good backup of every day (RPO)")
        }
        Rule::NewestBackup => speech.say(
            "Idade do backup mais novo no fim do período",
            "Age of the newest backup at the end",
        ),
        Rule::BackupTime => {
            speech.say("Duração do backup mais longo", "Duration of the longest backup")
        }
        Rule::SteadySize => {
            speech.say("Tamanho próximo da média de 7 dias", "Size close to the mean of 7 days")
        }
        Rule::NothingLost => speech.say(
            "Backups sumidos sem que a retenção os descartasse",
            "Backups gone that retention did not drop",
        ),
        Rule::WeeklyRestoreTest => speech.say(
            "Teste de Restauração APROVADO em cada semana",
            "A restore test PASSED in every week",
        ),
        Rule::RecoveryTime => {
            speech.say("Tempo de recuperação medido (RTO)", "Recovery time measured (RTO)")
        }
        Rule::WeeklyVerification => speech
            .say("Verificação de integridade em cada semana", "An integrity check in every week"),
        Rule::AllDataRead => speech.say(
            "Todos os dados relidos no período (partes)",
            "All data read again in the period (shares)",
        ),
        Rule::NoDamage => speech.say(
            "Objetos danificados ou ausentes nas verificações",
            "Objects found damaged or missing",
        ),
        Rule::ReplicaComplete => {
            speech.say("Objetos em falta na réplica", "Objects that the replica lacks")
        }
        Rule::ReplicaLag => speech.say("Atraso da réplica", "How far the replica is behind"),
        Rule::FailuresMadeUp => speech
            .say("Falhas sem uma execução boa em 24 h", "Failures without a good run within 24 h"),
        Rule::DailyCleanup => {
            speech.say("Retenção aplicada em cada dia", "Retention carried out every day")
        }
        Rule::KeysRotated => {
            speech.say("Chaves de dados renovadas no mês", "Data keys replaced in the month")
        }
    }
}

pub(super) fn amount(speech: &Speech, amount: Amount) -> String {
    match amount {
        Amount::Seconds(seconds) => speech.duration(seconds),
        Amount::Percent(percent) => format!("{}\u{a0}%", speech.decimal(percent)),
        Amount::Count(count) => speech.count(count),
        Amount::Days(days) => {
            let word =
                if days == 1 { speech.say("dia", "day") } else { speech.say("dias", "days") };
            format!("{}\u{a0}{word}", speech.count(days))
        }
        Amount::Weeks(weeks) => {
            let word = if weeks == 1 {
                speech.say("semana", "week")
            } else {
                speech.say("semanas", "weeks")
            };
            format!("{}\u{a0}{word}", speech.count(weeks))
        }
    }
}

/// What the limit is, as a person would say it: under so long, at least so many, none.
pub(super) fn limit(speech: &Speech, rule: Rule, limit: Amount) -> String {
    let amount = amount(speech, limit);
    match (rule, limit) {
        (Rule::KeysRotated, _) => {
            speech.say(format!("pelo menos {amount}"), format!("at least {amount}"))
        }
        (_, Amount::Seconds(_)) => {
            speech.say(format!("menos de {amount}"), format!("under {amount}"))
        }
        (_, Amount::Percent(_)) => speech.say(format!("até {amount}"), format!("up to {amount}")),
        (_, Amount::Count(0)) => speech.say("nenhum", "none").to_owned(),
        _ => amount,
    }
}
