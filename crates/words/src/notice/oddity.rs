//! What is odd about a run that succeeded.

use super::{
    Scene, Told,
    phrase::{Phrase, plain_job, span},
};

/// One odd thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Oddity {
    /// The backup's size is off by so many percent of the mean of seven days.
    Size {
        /// How much.
        percent: f64,
    },
    /// The backup took so many seconds.
    Slow {
        /// How long.
        seconds: f64,
    },
    /// There are so many warnings in the run's record.
    Warnings {
        /// How many.
        count: usize,
    },
    /// The restore that was tested took longer than the clinic can wait.
    SlowRestore {
        /// How long.
        seconds: f64,
    },
    /// The copy in the second region lacks the newest backup.
    ReplicaBehind {
        /// By how much its newest is older.
        seconds: f64,
    },
    /// The newest backup is so old.
    Stale {
        /// How old.
        seconds: f64,
    },
    /// A backup died and left its lease behind, which was freed.
    DeadRun,
}

pub(super) fn tell(scene: &Scene<'_>, oddities: &[Oddity]) -> Told {
    let job = scene.job_name();
    let plain = scene.in_(plain_job(scene.job));
    let mut happened = vec![scene.say(
        || format!("A tarefa \"{job}\" terminou, mas algo nela é incomum:"),
        || format!("The job \"{job}\" was done, but something about it is odd:"),
    )];
    happened.extend(oddities.iter().map(|oddity| format!("- {}", fact(scene, *oddity))));
    let mut means: Vec<_> =
        oddities.iter().map(|oddity| scene.in_(meaning(*oddity)).to_owned()).collect();
    means.push(scene.newest_line());
    let subject = scene.say(
        || format!("[gorgen-backup] {plain}: ATENCAO, algo incomum"),
        || format!("[gorgen-backup] {plain}: ATTENTION, something is odd"),
    );
    let todo = oddities.iter().map(|oddity| scene.in_(remedy(*oddity)).to_owned()).collect();
    Told { subject, happened, means, todo }
}

fn fact(scene: &Scene<'_>, oddity: Oddity) -> String {
    match oddity {
        Oddity::Size { percent } => scene.say(
            || format!("o tamanho difere {percent:.0} % da média de sete dias"),
            || format!("its size is off by {percent:.0} % from the mean of seven days"),
        ),
        Oddity::Slow { seconds } => scene.say(
            || format!("levou {}, mais que os 30 minutos combinados", span(seconds)),
            || format!("it took {}, more than the 30 minutes agreed on", span(seconds)),
        ),
        Oddity::Warnings { count } => scene.say(
            || format!("o registro da execução tem {count} aviso(s)"),
            || format!("the run's record holds {count} warning(s)"),
        ),
        Oddity::SlowRestore { seconds } => scene.say(
            || format!("a restauração levou {}, mais que o limite de 4 horas", span(seconds)),
            || format!("the restore took {}, more than the limit of 4 hours", span(seconds)),
        ),
        Oddity::ReplicaBehind { seconds } => scene.say(
            || format!("a cópia na segunda região está {} atrás", span(seconds)),
            || format!("the copy in the second region is {} behind", span(seconds)),
        ),
        Oddity::Stale { seconds } => scene.say(
            || format!("o backup mais recente tem {}", span(seconds)),
            || format!("the newest backup is {} old", span(seconds)),
        ),
        Oddity::DeadRun => scene
            .in_(Phrase {
                pt: "um backup anterior morreu no meio e deixou o cofre bloqueado; o bloqueio foi liberado",
                en: "an earlier backup died half-way and left the vault locked; the lock was freed",
            })
            .to_owned(),
    }
}

const fn meaning(oddity: Oddity) -> Phrase {
    match oddity {
        Oddity::Size { .. } => Phrase {
            pt: "O backup está inteiro e guardado. Mas dados podem ter sumido do banco de dados, ou chegado em massa: o backup guarda o que havia. Os anteriores têm o que havia antes.",
            en: "The backup is whole and kept. But data may have vanished from the database, or come in masses: the backup holds what was there. Earlier ones hold what was there before.",
        },
        Oddity::Slow { .. } => Phrase {
            pt: "O backup está inteiro. Se continuar crescendo, não termina no tempo da função.",
            en: "The backup is whole. If it keeps growing, it will not end within the function's time.",
        },
        Oddity::Warnings { .. } => Phrase {
            pt: "O trabalho foi feito, com ressalvas: algo pode não estar coberto (tabelas sem transações, objetos que não são copiados) ou não pôde ser removido.",
            en: "The work was done, with reservations: something may not be covered (tables without transactions, objects that are not backed up), or could not be removed.",
        },
        Oddity::SlowRestore { .. } => Phrase {
            pt: "O backup volta igual, mas depois de um desastre a clínica esperaria mais do que pode.",
            en: "The backup comes back as it was, but after a disaster the clinic would wait longer than it can.",
        },
        Oddity::ReplicaBehind { .. } => Phrase {
            pt: "Os backups estão inteiros aqui. Se esta região se perdesse agora, os mais novos se perderiam com ela.",
            en: "The backups are whole here. Were this region lost now, the newest of them would be lost with it.",
        },
        Oddity::Stale { .. } => Phrase {
            pt: "Os backups que existem continuam bons. O que mudou depois do mais recente não está protegido.",
            en: "The backups that exist are good. What changed since the newest one is not protected.",
        },
        Oddity::DeadRun => Phrase {
            pt: "O backup que morreu não existe; os anteriores estão inteiros, e o próximo pode começar.",
            en: "The backup that died does not exist; earlier ones are whole, and the next may begin.",
        },
    }
}

const fn remedy(oddity: Oddity) -> Phrase {
    match oddity {
        Oddity::Size { .. } => Phrase {
            pt: "Hoje: compare as tabelas com `gorgen-backup show latest` e com o anterior. Se dados sumiram sem motivo, guarde o backup anterior: `gorgen-backup pin ID --reason ...`.",
            en: "Today: compare the tables by `gorgen-backup show latest` and by the one before. If data vanished for no reason, keep the backup before it: `gorgen-backup pin ID --reason ...`.",
        },
        Oddity::Slow { .. } => Phrase {
            pt: "Esta semana: veja o que mudou (tamanho, carga do banco de dados) no painel do CloudWatch; aumente jobMemoryMb ou mude o horário.",
            en: "This week: see what changed (size, the database's load) on the CloudWatch dashboard; raise jobMemoryMb, or move the hour.",
        },
        Oddity::Warnings { .. } => Phrase {
            pt: "Esta semana: leia os avisos no registro da execução (GET /v1/runs/ID, ou o arquivo runs/ID.json do cofre).",
            en: "This week: read the warnings in the run's record (GET /v1/runs/ID, or the vault's file runs/ID.json).",
        },
        Oddity::SlowRestore { .. } => Phrase {
            pt: "Esta semana: um servidor maior para restaurar, ou mais conexões (GORGEN_READERS); até lá, conte com esse tempo no plano de emergência.",
            en: "This week: a larger server to restore into, or more connections (GORGEN_READERS); until then reckon with that time in the emergency plan.",
        },
        Oddity::ReplicaBehind { .. } => Phrase {
            pt: "Hoje: veja a regra de replicação do balde (console da AWS, S3, Management); o que falta, `gorgen-backup verify --repair` copia.",
            en: "Today: look at the bucket's replication rule (AWS console, S3, Management); what is missing `gorgen-backup verify --repair` copies.",
        },
        Oddity::Stale { .. } => Phrase {
            pt: "Agora: inicie um backup (console da AWS, Lambda, função backup, Test com {}; ou `gorgen-backup backup`) e veja no log dela por que o agendado não rodou.",
            en: "Now: start a backup (AWS console, Lambda, function backup, Test with {}; or `gorgen-backup backup`), and see in its log why the scheduled one did not run.",
        },
        Oddity::DeadRun => Phrase {
            pt: "Hoje: veja no log da função backup por que ela morreu (memória, tempo) e se houve um backup depois.",
            en: "Today: see in the log of the function backup why it died (memory, time), and whether there was a backup since.",
        },
    }
}
