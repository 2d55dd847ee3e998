//! Reminders: what no schedule can do, as it takes a hand that holds a drive.

use super::{Scene, Told, phrase::Phrase};

/// What a person is reminded of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminder {
    /// The copy in the safe, which needs no AWS.
    OfflineCopy,
}

impl Reminder {
    /// Every reminder.
    pub const ALL: [Self; 1] = [Self::OfflineCopy];

    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OfflineCopy => "offline-copy",
        }
    }

    /// The reminder of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reminder| reminder.name() == name)
    }
}

pub(super) fn tell(scene: &Scene<'_>, reminder: Reminder) -> Told {
    let Words { subject, happened, means, todo } = words(reminder);
    Told {
        subject: format!("[gorgen-backup] {}", scene.in_(subject)),
        happened: vec![scene.in_(happened).to_owned()],
        means: vec![scene.in_(means).to_owned(), scene.newest_line()],
        todo: todo.iter().map(|step| scene.in_(*step).to_owned()).collect(),
    }
}

struct Words {
    subject: Phrase,
    happened: Phrase,
    means: Phrase,
    todo: &'static [Phrase],
}

const fn words(reminder: Reminder) -> Words {
    match reminder {
        Reminder::OfflineCopy => Words {
            subject: Phrase { pt: "LEMBRETE: copia offline", en: "REMINDER: offline copy" },
            happened: Phrase {
                pt: "É hora da cópia offline: nenhum agendamento a faz, pois ela fica fora da AWS.",
                en: "It is time for the offline copy: no schedule makes it, as it is kept outside AWS.",
            },
            means: Phrase {
                pt: "A cópia no cofre físico é o que resta se a conta da AWS ou a chave dela se perder. Ela vale até o dia em que foi feita.",
                en: "The copy in the safe is what is left if the AWS account or its key is lost. It is as new as the day it was made.",
            },
            todo: &[
                Phrase {
                    pt: "Conecte o disco a um computador que alcança o cofre e copie, com a pasta do disco no lugar de DIR: `gorgen-backup export latest --format offline --to DIR`.",
                    en: "Connect the drive to a computer that reaches the vault, and copy, with the drive's folder for DIR: `gorgen-backup export latest --format offline --to DIR`.",
                },
                Phrase {
                    pt: "De tempos em tempos, prove que a identidade guardada abre as chaves: `gorgen-backup keys drill --identity FILE`.",
                    en: "Now and then, prove that the identity in the safe opens the keys: `gorgen-backup keys drill --identity FILE`.",
                },
                Phrase {
                    pt: "Guarde de novo o disco e a identidade, em dois lugares diferentes.",
                    en: "Put the drive and the identity away again, in two different places.",
                },
            ],
        },
    }
}
