//! Turns of a restore: whoever works with the data must hear that it is being, or was, replaced.

use super::{Cause, Scene, Told, phrase::Phrase};

/// A turn of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It began: nothing is replaced yet.
    Begun,
    /// It is done: what was restored is there.
    Done,
    /// It failed, and nothing is left of it.
    Failed,
    /// It was taken back.
    Undone,
    /// It was given up before it changed anything, as somebody wished.
    Cancelled,
}

impl Turn {
    /// Every turn.
    pub const ALL: [Self; 5] =
        [Self::Begun, Self::Done, Self::Failed, Self::Undone, Self::Cancelled];
}

pub(super) fn tell(scene: &Scene<'_>, turn: Turn, restore: &str, cause: Option<Cause>) -> Told {
    let Words { subject, happened, means, todo } = words(turn);
    let mut lines = vec![scene.in_(happened).to_owned()];
    lines.push(scene.say(|| format!("Restauração: {restore}"), || format!("Restore: {restore}")));
    lines.extend(cause.map(|cause| {
        let name = cause.name();
        scene.say(|| format!("Erro: {name}"), || format!("Error: {name}"))
    }));
    Told {
        subject: format!("[gorgen-backup] {}", scene.in_(subject)),
        happened: lines,
        means: vec![scene.in_(means).to_owned()],
        todo: vec![scene.in_(todo).to_owned()],
    }
}

struct Words {
    subject: Phrase,
    happened: Phrase,
    means: Phrase,
    todo: Phrase,
}

const fn words(turn: Turn) -> Words {
    match turn {
        Turn::Begun => Words {
            subject: Phrase { pt: "restauracao INICIADA", en: "restore BEGUN" },
            happened: Phrase {
                pt: "Uma restauração começou: alguém com o direito a pediu.",
                en: "A restore has begun: somebody who may asked for it.",
            },
            means: Phrase {
                pt: "Os dados em uso estão como estavam. O backup é carregado ao lado, conferido linha por linha, e só então trocado de uma vez; antes disso é feito um backup do que há agora, a não ser que o pedido dispense.",
                en: "The live data is as it was. The backup is loaded beside it, proved row by row, and only then swapped in at once; before that, what is there now is backed up, unless the request does without.",
            },
            todo: Phrase {
                pt: "Se você não esperava isso, cancele agora: `gorgen-backup cancel ID` (ou POST /v1/restores/ID/cancel). Quem pediu está no registro: `gorgen-backup status`.",
                en: "If you did not expect this, cancel it now: `gorgen-backup cancel ID` (or POST /v1/restores/ID/cancel). Who asked for it is in its record: `gorgen-backup status`.",
            },
        },
        Turn::Done => Words {
            subject: Phrase { pt: "restauracao CONCLUIDA", en: "restore DONE" },
            happened: Phrase {
                pt: "Uma restauração terminou: o que foi restaurado foi lido de volta e é igual ao backup.",
                en: "A restore is done: what was restored was read back and is equal to the backup.",
            },
            means: Phrase {
                pt: "Se foi sobre os dados em uso, eles são agora os do backup: o que foi digitado depois dele não está mais nas tabelas, mas está nas antigas, que ficam guardadas por um tempo.",
                en: "If it was over the live data, that is now the backup's: what was entered since is no longer in the tables, but it is in the old ones, which are kept for a while.",
            },
            todo: Phrase {
                pt: "Confira o sistema hoje. Para voltar atrás enquanto as tabelas antigas existem: `gorgen-backup undo ID` (ou POST /v1/restores/ID/undo); `gorgen-backup status` diz até quando.",
                en: "Check the system today. To go back while the old tables are kept: `gorgen-backup undo ID` (or POST /v1/restores/ID/undo); `gorgen-backup status` says until when.",
            },
        },
        Turn::Failed => Words {
            subject: Phrase { pt: "restauracao FALHOU", en: "restore FAILED" },
            happened: Phrase {
                pt: "Uma restauração falhou de vez, e o que ela tinha carregado foi removido.",
                en: "A restore failed for good, and what it had loaded was removed.",
            },
            means: Phrase {
                pt: "Os dados em uso estão como estavam antes dela: nenhuma tabela foi restaurada pela metade. Os backups não foram alterados.",
                en: "The live data is as it was before: no table is half restored. The backups were not changed.",
            },
            todo: Phrase {
                pt: "Agora: leia a causa com `gorgen-backup status` (ou GET /v1/restores/ID), corrija-a e peça a restauração de novo; `gorgen-backup restore ID --dry-run` mostra antes o que a impede.",
                en: "Now: read the cause by `gorgen-backup status` (or GET /v1/restores/ID), put it right and ask for the restore again; `gorgen-backup restore ID --dry-run` shows beforehand what stands in its way.",
            },
        },
        Turn::Undone => Words {
            subject: Phrase { pt: "restauracao DESFEITA", en: "restore UNDONE" },
            happened: Phrase {
                pt: "Uma restauração foi desfeita: as tabelas antigas estão de volta.",
                en: "A restore was taken back: the old tables are live again.",
            },
            means: Phrase {
                pt: "Os dados em uso são os de antes da restauração. O que foi digitado entre a restauração e agora não está mais nas tabelas.",
                en: "The live data is that from before the restore. What was entered between the restore and now is no longer in the tables.",
            },
            todo: Phrase {
                pt: "Confira o sistema hoje, e avise quem digitou algo nesse meio-tempo.",
                en: "Check the system today, and tell those who entered something meanwhile.",
            },
        },
        Turn::Cancelled => Words {
            subject: Phrase { pt: "restauracao CANCELADA", en: "restore CANCELLED" },
            happened: Phrase {
                pt: "Uma restauração foi cancelada antes de mudar algo, e o que ela tinha carregado foi removido.",
                en: "A restore was cancelled before it changed anything, and what it had loaded was removed.",
            },
            means: Phrase {
                pt: "Os dados em uso estão como estavam.",
                en: "The live data is as it was.",
            },
            todo: Phrase {
                pt: "Nada. Se você não esperava isso, veja quem a pediu: `gorgen-backup status`.",
                en: "Nothing. If you did not expect this, see who asked for it: `gorgen-backup status`.",
            },
        },
    }
}
