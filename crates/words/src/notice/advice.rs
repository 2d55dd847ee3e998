//! What a failure means, and what to do about it: by the job, and by why it failed.

use gorgen_engine::records::run::Job;
use jiff::SignedDuration;

use super::{
    Cause, Newest, Scene, Told, Tries,
    phrase::{Phrase, plain_job},
};

/// No backup for so long is an alarm.
const BACKUP_DUE: SignedDuration = SignedDuration::from_hours(26);

pub(super) fn failed(scene: &Scene<'_>, cause: Cause, told: Option<&str>, tries: Tries) -> Told {
    let name = cause.name();
    let plain = scene.in_(plain_job(scene.job));
    let job = scene.job_name();
    let why = scene.in_(why(cause));
    let mut happened = vec![scene.say(
        || format!("A tarefa \"{job}\" falhou ({name}): {why}."),
        || format!("The job \"{job}\" failed ({name}): {why}."),
    )];
    happened.extend(
        told.map(|told| scene.say(|| format!("Erro: {told}"), || format!("Error: {told}"))),
    );
    happened.push(scene.in_(tried(tries)).to_owned());
    let mut means = vec![scene.in_(meaning(scene.job, cause)).to_owned()];
    if !matches!(scene.job, Job::Report) {
        means.push(scene.newest_line());
    }
    let mut todo = vec![scene.in_(remedy(scene.job, cause)).to_owned()];
    todo.push(again(scene, cause));
    todo.push(by_when(scene, cause));
    let subject = scene.say(
        || format!("[gorgen-backup] {plain} FALHOU: {name}"),
        || format!("[gorgen-backup] {plain} FAILED: {name}"),
    );
    Told { subject, happened, means, todo }
}

pub(super) fn recovered(scene: &Scene<'_>) -> Told {
    let (job, plain) = (scene.job_name(), scene.in_(plain_job(scene.job)));
    Told {
        subject: scene.say(
            || format!("[gorgen-backup] {plain}: resolvido, deu certo na nova tentativa"),
            || format!("[gorgen-backup] {plain}: resolved, it succeeded when tried again"),
        ),
        happened: vec![scene.say(
            || format!("A tarefa \"{job}\", que tinha falhado, deu certo na nova tentativa."),
            || format!("The job \"{job}\", which had failed, succeeded when it was tried again."),
        )],
        means: vec![scene.newest_line()],
        todo: vec![
            scene
                .in_(Phrase {
                    pt: "Nada é urgente. Se isso se repetir, procure a causa no log da função.",
                    en: "Nothing is urgent. If this happens again, look for the cause in the function's log.",
                })
                .to_owned(),
        ],
    }
}

const fn why(cause: Cause) -> Phrase {
    match cause {
        Cause::InvalidEvent => Phrase {
            pt: "a função foi chamada com um evento que ela não aceita",
            en: "the function was called with an event that it does not take",
        },
        Cause::InvalidSettings => Phrase {
            pt: "as configurações da função estão erradas ou incompletas",
            en: "the function's settings are wrong or incomplete",
        },
        Cause::Locked => Phrase {
            pt: "outra execução está usando o cofre",
            en: "another run is using the vault",
        },
        Cause::Refused => Phrase {
            pt: "foi recusada para proteger algo",
            en: "it was refused, to protect something",
        },
        Cause::NotFound => Phrase {
            pt: "o que foi pedido não está no cofre",
            en: "what was asked for is not in the vault",
        },
        Cause::Integrity => Phrase {
            pt: "dados guardados faltam, estão danificados ou não são iguais aos originais",
            en: "stored data is missing, damaged, or not equal to what was backed up",
        },
        Cause::OutOfTime => Phrase {
            pt: "o tempo da função acabou antes do trabalho",
            en: "the function's time was over before its work was",
        },
        Cause::Unavailable => Phrase {
            pt: "algo de fora (banco de dados, S3 ou KMS) não respondeu",
            en: "something outside (database, S3 or KMS) did not answer",
        },
        Cause::Failed => Phrase { pt: "um erro a interrompeu", en: "an error stopped it" },
    }
}

const fn tried(tries: Tries) -> Phrase {
    match tries {
        Tries::MoreToCome => Phrase {
            pt: "A AWS tenta de novo sozinha, até duas vezes, um e três minutos depois. Pelo mesmo motivo, em geral, não vem outra mensagem.",
            en: "AWS tries it again by itself, up to twice, one and three minutes later. For the same reason there is usually no other message.",
        },
        Tries::Last => Phrase {
            pt: "Foi a última tentativa: a AWS não tenta de novo.",
            en: "That was the last try: AWS does not try it again.",
        },
        Tries::ByHand => Phrase {
            pt: "Se foi a API que a iniciou, a AWS tenta até duas vezes mais; iniciada à mão, ninguém tenta de novo.",
            en: "If the API started it, AWS tries it up to twice more; started by hand, nobody tries it again.",
        },
    }
}

/// Is data in danger, and what of the backups that there are?
const fn meaning(job: Job, cause: Cause) -> Phrase {
    match (job, cause) {
        (Job::Backup, Cause::Integrity) => Phrase {
            pt: "O banco de dados da clínica não foi alterado. Algo no cofre falta ou está danificado: não conte com os backups antes de verificá-los, nem com um backup desta execução.",
            en: "The clinic's database was not changed. Something in the vault is missing or damaged: don't count on the backups before they are verified, nor on a backup of this run.",
        },
        (Job::Backup, _) => Phrase {
            pt: "O banco de dados da clínica só é lido e está como estava; os backups anteriores continuam inteiros. Não conte com um backup desta execução: o que mudou depois do mais recente ainda não está protegido.",
            en: "The clinic's database is only read and is as it was; earlier backups are as whole as before. Don't count on a backup of this run: what changed since the newest one is not protected yet.",
        },
        (Job::Verify, Cause::Integrity) => Phrase {
            pt: "Parte do que está guardado falta ou está danificada, aqui ou na cópia da segunda região. O banco de dados da clínica não é afetado. Os backups que o registro da execução lista podem não ser restauráveis por inteiro até o reparo; a outra região pode ter o que falta.",
            en: "Part of what is stored is missing or damaged, here or in the second region's copy. The clinic's database is not affected. Backups that the run's record lists may not be restorable as a whole until they are repaired; the other region may have what is missing.",
        },
        (Job::Verify, _) => Phrase {
            pt: "Não se sabe se o cofre está inteiro: a verificação não terminou. Nada foi alterado, nem no banco de dados nem nos backups.",
            en: "It is not known whether the vault is whole: the verification did not end. Nothing was changed, neither the database nor the backups.",
        },
        (Job::RestoreTest, Cause::Integrity) => Phrase {
            pt: "Um backup não voltou igual ao que era, ou tem linhas que apontam para o nada: uma restauração de verdade deste backup pode falhar. O banco de dados da clínica não foi tocado.",
            en: "A backup did not come back as it was, or has rows that point nowhere: a real restore of it may fail. The clinic's database was not touched.",
        },
        (Job::RestoreTest, _) => Phrase {
            pt: "Desta vez não ficou provado que um backup pode ser restaurado. Os backups e o banco de dados da clínica não foram tocados.",
            en: "This time it was not proved that a backup can be restored. Neither the backups nor the clinic's database were touched.",
        },
        (Job::Restore, _) => Phrase {
            pt: "As tabelas em uso têm todas as linhas antigas ou todas as restauradas, nunca uma mistura: `gorgen-backup status` diz quais. Os backups não foram alterados.",
            en: "The live tables hold all the old rows or all the restored ones, never a mix: `gorgen-backup status` says which. The backups were not changed.",
        },
        (Job::Cleanup, Cause::Integrity) => Phrase {
            pt: "Nada que ainda deve ser guardado foi removido. Mas algo no cofre falta ou está danificado: backups podem estar afetados.",
            en: "Nothing that is still to be kept was removed. But something in the vault is missing or damaged: backups may be hurt.",
        },
        (Job::Cleanup, _) => Phrase {
            pt: "Nada que ainda deve ser guardado foi removido. Backups vencidos ficam mais tempo e custam espaço, e proteções (Object Lock) que deviam ser prolongadas podem não ter sido.",
            en: "Nothing that is still to be kept was removed. Backups that are due stay longer and cost space, and locks that should be longer may not be yet.",
        },
        // Nobody is written to about an import or an erasure: whoever runs one looks on.
        (Job::Report | Job::Import | Job::Erase | Job::Other, _) => Phrase {
            pt: "Só o relatório falta. Backups e banco de dados não são afetados; os registros de que ele é feito estão guardados.",
            en: "Only the report is missing. Backups and database are not affected; the records that it is made of are kept.",
        },
    }
}

const fn remedy(job: Job, cause: Cause) -> Phrase {
    match (job, cause) {
        (_, Cause::InvalidEvent) => Phrase {
            pt: "Se você a chamou: use {} ou um dos eventos em functions/*/events. Se foi o agendamento: publique de novo com `make deploy ENV=...`.",
            en: "If you called it: give it {} or one of the events in functions/*/events. If a schedule did: deploy again with `make deploy ENV=...`.",
        },
        (_, Cause::InvalidSettings) => Phrase {
            pt: "Compare as variáveis GORGEN_* da função (console da AWS, Lambda, Configuration) com a tabela do README, corrija o ambiente e publique de novo com `make deploy ENV=...`.",
            en: "Compare the function's GORGEN_* variables (AWS console, Lambda, Configuration) with the table in the README, correct the environment and deploy again with `make deploy ENV=...`.",
        },
        (_, Cause::Locked) => Phrase {
            pt: "Espere a outra execução terminar. Se ela morreu, o bloqueio fica livre sozinho em cerca de um minuto.",
            en: "Wait until the other run ends. If it died, its lock is free by itself after about a minute.",
        },
        (Job::Cleanup, Cause::Refused) => Phrase {
            pt: "Leia `gorgen-backup cleanup --dry-run`: ele mostra cada backup que sairia e o motivo. Só se todos podem sair: `gorgen-backup cleanup --confirm N`. Se não devem, alguém pode ter mudado a retenção: procure quem.",
            en: "Read `gorgen-backup cleanup --dry-run`: it shows each backup that would go, and why. Only if all of them may: `gorgen-backup cleanup --confirm N`. If they should not, somebody may have changed the retention: find out who.",
        },
        (Job::Backup, Cause::Refused) => Phrase {
            pt: "Rode `gorgen-backup doctor`. Se o erro fala de outro banco de dados, confira GORGEN_VAULT e GORGEN_DATABASE_URL antes de qualquer coisa: não force nada.",
            en: "Run `gorgen-backup doctor`. If the error speaks of another database, check GORGEN_VAULT and GORGEN_DATABASE_URL before anything else: force nothing.",
        },
        (_, Cause::Refused) => Phrase {
            pt: "Leia o erro: ele diz o que foi protegido. `gorgen-backup status` e `gorgen-backup doctor` dizem o que falta. Não force nada antes de saber por quê.",
            en: "Read the error: it says what was protected. `gorgen-backup status` and `gorgen-backup doctor` say what is missing. Force nothing before you know why.",
        },
        (_, Cause::NotFound) => Phrase {
            pt: "Veja com `gorgen-backup list` e `gorgen-backup status` o que existe. Se o cofre parece vazio e não devia estar, confira GORGEN_VAULT: pode ser outro balde.",
            en: "See with `gorgen-backup list` and `gorgen-backup status` what there is. If the vault looks empty and should not be, check GORGEN_VAULT: it may be another bucket.",
        },
        (Job::RestoreTest, Cause::Integrity) => Phrase {
            pt: "Rode `gorgen-backup verify --read-data`. Se o cofre está inteiro, o registro da execução diz qual tabela difere; guarde o backup anterior com `gorgen-backup pin` até saber a causa.",
            en: "Run `gorgen-backup verify --read-data`. If the vault is whole, the run's record says which table differs; keep the backup before it with `gorgen-backup pin` until the cause is known.",
        },
        (_, Cause::Integrity) => Phrase {
            pt: "Rode `gorgen-backup verify --read-data` para ver tudo o que está danificado, depois `gorgen-backup verify --repair`, que copia o que falta da outra região, ou o lê de novo do banco de dados onde as linhas ainda são as mesmas. Não apague nada.",
            en: "Run `gorgen-backup verify --read-data` to see all that is damaged, then `gorgen-backup verify --repair`, which copies what is missing from the other region, or reads it from the database again where the rows are still the same. Delete nothing.",
        },
        (_, Cause::OutOfTime) => Phrase {
            pt: "O que foi feito está guardado, e a próxima execução continua daí. Se isso se repetir, aumente jobMemoryMb no ambiente ou use a linha de comando, que não tem limite de tempo.",
            en: "What was done is kept, and the next run goes on from there. If this happens again, raise jobMemoryMb in the environment, or use the command line, which has no time limit.",
        },
        (_, Cause::Unavailable) => Phrase {
            pt: "Veja se o banco de dados está no ar e aceita conexões (console da AWS, RDS), se o segredo do usuário vale e se há avisos em AWS Health. `gorgen-backup doctor` testa tudo de uma vez.",
            en: "See whether the database is up and takes connections (AWS console, RDS), whether its user's secret is good, and whether AWS Health has news. `gorgen-backup doctor` tries it all at once.",
        },
        (_, Cause::Failed) => Phrase {
            pt: "Leia o log da função (console da AWS, Lambda, Monitor, View CloudWatch logs): a última linha ERROR diz a causa e o remédio. `gorgen-backup doctor` diz o que mais falta.",
            en: "Read the function's log (AWS console, Lambda, Monitor, View CloudWatch logs): the last line ERROR says the cause and the remedy. `gorgen-backup doctor` says what else is missing.",
        },
    }
}

/// How to start it again.
fn again(scene: &Scene<'_>, cause: Cause) -> String {
    let (function, command) = (scene.function, command(scene.job));
    if scene.job == Job::Restore {
        return scene
            .in_(Phrase {
                pt: "Veja a restauração com `gorgen-backup status` (ou GET /v1/restores): termine-a com `gorgen-backup promote`, ou desfaça com `gorgen-backup undo` ou `gorgen-backup cancel`, como ele indica.",
                en: "Look at the restore with `gorgen-backup status` (or GET /v1/restores): finish it by `gorgen-backup promote`, or take it back by `gorgen-backup undo` or `gorgen-backup cancel`, as it says.",
            })
            .to_owned();
    }
    if cause == Cause::Locked {
        return scene.say(
            || format!("Se nenhuma outra execução deu certo, inicie de novo: console da AWS, Lambda, {function}, Test com {{}}; ou `{command}`."),
            || format!("If no other run succeeded, start it again: AWS console, Lambda, {function}, Test with {{}}; or `{command}`."),
        );
    }
    scene.say(
        || format!("Depois inicie de novo: console da AWS, Lambda, {function}, Test com {{}}; ou `{command}`."),
        || format!("Then start it again: AWS console, Lambda, {function}, Test with {{}}; or `{command}`."),
    )
}

const fn command(job: Job) -> &'static str {
    match job {
        Job::Backup => "gorgen-backup backup",
        Job::Restore => "gorgen-backup status",
        Job::Verify => "gorgen-backup verify --read-share",
        Job::RestoreTest => "gorgen-backup restore-test",
        Job::Cleanup => "gorgen-backup cleanup",
        Job::Report | Job::Other => "gorgen-backup report",
        Job::Import => "gorgen-backup import-legacy",
        Job::Erase => "gorgen-backup keys erase",
    }
}

/// Until when it must be done.
fn by_when(scene: &Scene<'_>, cause: Cause) -> String {
    let soon = Phrase { pt: "Prazo: hoje.", en: "By when: today." };
    match (scene.job, cause, scene.newest) {
        (Job::Restore, ..) => {
            let now = Phrase {
                pt: "Prazo: agora. Alguém espera por esta restauração.",
                en: "By when: now. Somebody waits for this restore.",
            };
            scene.in_(now).to_owned()
        }
        (_, Cause::Integrity, _) => scene.in_(soon).to_owned(),
        (Job::Backup, _, Newest::At(at)) => {
            let due = at.saturating_add(BACKUP_DUE).unwrap_or(at);
            if due <= scene.now {
                let over = Phrase {
                    pt: "Prazo: agora. O backup mais recente já passou de 26 horas.",
                    en: "By when: now. The newest backup is more than 26 hours old.",
                };
                return scene.in_(over).to_owned();
            }
            let due = scene.moment(due);
            scene.say(
                || format!("Prazo: {due}, quando o backup mais recente completa 26 horas."),
                || format!("By when: {due}, when the newest backup is 26 hours old."),
            )
        }
        (Job::Backup, ..) => scene.in_(soon).to_owned(),
        _ => scene.in_(Phrase { pt: "Prazo: esta semana.", en: "By when: this week." }).to_owned(),
    }
}
