//! Notices as e-mail: what happened, what it means, and what to do, for someone who reads them in the morning.
//!
//! A notice holds what the engine itself says, in names, numbers and ids: no row, no server's message, no secret. Subjects
//! are ASCII, as the service that mails them wants it; accents are for the text.

mod advice;
mod figures;
mod oddity;
mod phrase;
mod reminder;
mod restore;

#[cfg(test)]
mod tests;

use gorgen_engine::{
    model::{Language, RunId},
    records::run::Job,
};
use jiff::{Timestamp, tz::TimeZone};

pub use figures::{Figures, MonthFigures};
pub use oddity::Oddity;
use phrase::{Phrase, age, moment};
pub use reminder::Reminder;
pub use restore::Turn;

/// Less than a hundred characters, says Amazon SNS.
const LONGEST_SUBJECT: usize = 99;

/// Longer than any line of ours; what is longer is cut.
const LONGEST_LINE: usize = 400;

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its subject: ASCII, one line.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// Why a run failed, by the name that callers and alarms know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The event is none that the function takes.
    InvalidEvent,
    /// The settings are wrong.
    InvalidSettings,
    /// Another run is at work.
    Locked,
    /// Refused, to protect something.
    Refused,
    /// What was asked for is not there.
    NotFound,
    /// Stored data is missing or damaged.
    Integrity,
    /// The time limit was reached.
    OutOfTime,
    /// Something outside did not answer.
    Unavailable,
    /// Any other failure.
    Failed,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::InvalidEvent,
        Self::InvalidSettings,
        Self::Locked,
        Self::Refused,
        Self::NotFound,
        Self::Integrity,
        Self::OutOfTime,
        Self::Unavailable,
        Self::Failed,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidEvent => "InvalidEvent",
            Self::InvalidSettings => "InvalidSettings",
            Self::Locked => "Locked",
            Self::Refused => "Refused",
            Self::NotFound => "NotFound",
            Self::Integrity => "Integrity",
            Self::OutOfTime => "OutOfTime",
            Self::Unavailable => "Unavailable",
            Self::Failed => "Failed",
        }
    }

    /// The cause of this name; a name that is none of ours, a crash among them, is any other failure.
    pub fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.name() == name).unwrap_or(Self::Failed)
    }
}

/// Whether a run is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// A schedule started it: AWS tries it twice more.
    MoreToCome,
    /// That was the last of them.
    Last,
    /// A person or the API started it.
    ByHand,
}

/// The newest backup, which a restore would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newest {
    /// The vault could not be asked.
    Unknown,
    /// There is none.
    None,
    /// It shows this moment.
    At(Timestamp),
}

/// For whom, and about which run.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The reader's language.
    pub language: Language,
    /// The reader's clock.
    pub zone: &'a TimeZone,
    /// The vault, as settings name it.
    pub vault: &'a str,
    /// The function's name.
    pub function: &'a str,
    /// Which job.
    pub job: Job,
    /// The run, if it came so far that it had an id.
    pub run: Option<&'a RunId>,
    /// When it began.
    pub started: Timestamp,
    /// When this is written.
    pub now: Timestamp,
    /// The newest backup.
    pub newest: Newest,
}

/// What there is to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum News<'a> {
    /// A run failed.
    Failed {
        /// Why.
        cause: Cause,
        /// The engine's own words for it, and the server's number.
        told: Option<&'a str>,
        /// Whether it is tried again.
        tries: Tries,
    },
    /// A run that had failed succeeded when it was tried again.
    Recovered,
    /// A run succeeded, and something about it is odd.
    Odd(&'a [Oddity]),
    /// A run succeeded, and that is all.
    Succeeded(&'a Figures),
    /// A restore took a turn that everybody should know.
    Restore {
        /// Which turn.
        turn: Turn,
        /// The restore, or the database that was restored into.
        restore: &'a str,
        /// Why it failed, where it did.
        cause: Option<Cause>,
    },
    /// A month's report is there.
    Report(&'a MonthFigures),
    /// A person has to do what no schedule can.
    Reminder(Reminder),
}

/// Writes the notice.
pub fn write(scene: &Scene<'_>, news: &News<'_>) -> Notice {
    let Told { subject, happened, means, todo } = match news {
        News::Failed { cause, told, tries } => advice::failed(scene, *cause, *told, *tries),
        News::Recovered => advice::recovered(scene),
        News::Odd(oddities) => oddity::tell(scene, oddities),
        News::Succeeded(figures) => figures::succeeded(scene, figures),
        News::Restore { turn, restore, cause } => restore::tell(scene, *turn, restore, *cause),
        News::Report(month) => figures::report(scene, month),
        News::Reminder(reminder) => reminder::tell(scene, *reminder),
    };
    let mut text = String::new();
    section(&mut text, scene.in_(HAPPENED), &[happened, facts(scene)].concat(), None);
    section(&mut text, scene.in_(MEANS), &means, None);
    section(&mut text, scene.in_(WHAT_TO_DO), &todo, Some(1));
    text.push_str(scene.in_(FOOT));
    text.push('\n');
    Notice { subject: subject_of(&subject), text }
}

/// The parts of a notice.
struct Told {
    subject: String,
    happened: Vec<String>,
    means: Vec<String>,
    todo: Vec<String>,
}

const HAPPENED: Phrase = Phrase { pt: "O QUE ACONTECEU", en: "WHAT HAPPENED" };
const MEANS: Phrase = Phrase { pt: "O QUE ISSO SIGNIFICA", en: "WHAT IT MEANS" };
const WHAT_TO_DO: Phrase = Phrase { pt: "O QUE FAZER", en: "WHAT TO DO" };
const FOOT: Phrase = Phrase {
    pt: "-- gorgen-backup. Esta mensagem não contém dados de pacientes; os detalhes estão no registro da execução e no log da função.",
    en: "-- gorgen-backup. This message holds no patient's data; details are in the run's record and in the function's log.",
};

fn section(text: &mut String, title: &str, lines: &[String], numbered: Option<usize>) {
    if lines.is_empty() {
        return;
    }
    text.push_str(title);
    text.push('\n');
    for (place, line) in lines.iter().enumerate() {
        if let Some(first) = numbered {
            text.push_str(&(place + first).to_string());
            text.push_str(". ");
        }
        text.push_str(&one_line(line));
        text.push('\n');
    }
    text.push('\n');
}

/// Which run it was, and when.
fn facts(scene: &Scene<'_>) -> Vec<String> {
    let pt = scene.is_portuguese();
    let name = |pt_name: &str, en_name: &str, value: &str| {
        format!("{}: {value}", if pt { pt_name } else { en_name })
    };
    let mut lines = vec![
        name("Tarefa", "Job", scene.job_name()),
        name("Cofre", "Vault", scene.vault),
        name("Início", "Began", &scene.moment(scene.started)),
    ];
    lines.extend(scene.run.map(|run| name("Execução", "Run", &run.to_string())));
    lines
}

impl Scene<'_> {
    fn is_portuguese(&self) -> bool {
        self.language == Language::Portuguese
    }

    fn in_(&self, phrase: Phrase) -> &'static str {
        if self.is_portuguese() { phrase.pt } else { phrase.en }
    }

    /// The one or the other, made only if it is wanted.
    fn say(&self, pt: impl FnOnce() -> String, en: impl FnOnce() -> String) -> String {
        if self.is_portuguese() { pt() } else { en() }
    }

    fn moment(&self, at: Timestamp) -> String {
        moment(self.language, self.zone, at)
    }

    fn job_name(&self) -> &'static str {
        self.in_(phrase::job(self.job))
    }

    /// What the newest backup is, and how old.
    fn newest_line(&self) -> String {
        match self.newest {
            Newest::Unknown => self.in_(NEWEST_UNKNOWN).to_owned(),
            Newest::None => self.in_(NEWEST_NONE).to_owned(),
            Newest::At(at) => {
                let (when, age) = (self.moment(at), age(self.language, at, self.now));
                self.say(
                    || format!("O backup mais recente é de {when} (há {age})."),
                    || format!("The newest backup is of {when} ({age} old)."),
                )
            }
        }
    }
}

const NEWEST_UNKNOWN: Phrase = Phrase {
    pt: "Não foi possível consultar qual é o backup mais recente: veja com `gorgen-backup list`.",
    en: "The vault could not be asked for its newest backup: look with `gorgen-backup list`.",
};
const NEWEST_NONE: Phrase =
    Phrase { pt: "O cofre ainda não tem nenhum backup.", en: "The vault holds no backup yet." };

/// In one line, and no longer than a person reads.
fn one_line(text: &str) -> String {
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= LONGEST_LINE {
        return clean;
    }
    clean.chars().take(LONGEST_LINE - 3).chain("...".chars()).collect()
}

/// A subject as the service takes it: what is no plain ASCII is left out, what is too long cut.
fn subject_of(text: &str) -> String {
    let plain = text.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ');
    plain.take(LONGEST_SUBJECT).collect()
}
