//! The small parts that notices are made of: a text in both languages, names of jobs, moments and spans.

use gorgen_engine::{model::Language, records::run::Job};
use jiff::{Timestamp, tz::TimeZone};

/// A text in each language: one without the other can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) pt: &'static str,
    pub(super) en: &'static str,
}

/// A job as people call it.
pub(super) const fn job(job: Job) -> Phrase {
    match job {
        Job::Backup => Phrase { pt: "backup", en: "backup" },
        Job::Restore => Phrase { pt: "restauração", en: "restore" },
        Job::Verify => Phrase { pt: "verificação", en: "verification" },
        Job::RestoreTest => Phrase { pt: "teste de restauração", en: "restore test" },
        Job::Report => Phrase { pt: "relatório", en: "report" },
        Job::Cleanup => Phrase { pt: "limpeza", en: "cleanup" },
        Job::Import => Phrase { pt: "importação", en: "import" },
        Job::Erase => Phrase { pt: "eliminação", en: "erasure" },
        Job::Other => Phrase { pt: "tarefa", en: "job" },
    }
}

/// The same without accents, for subjects.
pub(super) const fn plain_job(job_: Job) -> Phrase {
    match job_ {
        Job::Restore => Phrase { pt: "restauracao", en: "restore" },
        Job::Verify => Phrase { pt: "verificacao", en: "verification" },
        Job::RestoreTest => Phrase { pt: "teste de restauracao", en: "restore test" },
        Job::Report => Phrase { pt: "relatorio", en: "report" },
        Job::Import => Phrase { pt: "importacao", en: "import" },
        Job::Erase => Phrase { pt: "eliminacao", en: "erasure" },
        _ => job(job_),
    }
}

/// A moment on the reader's clock, with the clock's name.
pub(super) fn moment(language: Language, zone: &TimeZone, at: Timestamp) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    let form = match language {
        Language::Portuguese => "%d/%m/%Y %H:%M",
        Language::English => "%Y-%m-%d %H:%M",
    };
    let place = zone.iana_name().unwrap_or("UTC");
    format!("{} ({place})", local.strftime(form))
}

/// How long it is from one moment to a later one, in hours, or in days when there are many.
pub(super) fn age(language: Language, from: Timestamp, until: Timestamp) -> String {
    let hours = until.duration_since(from).as_hours();
    match (language, hours) {
        (Language::Portuguese, ..1) => "menos de 1 hora".to_owned(),
        (Language::English, ..1) => "less than 1 hour".to_owned(),
        (Language::Portuguese, 1) => "1 hora".to_owned(),
        (Language::English, 1) => "1 hour".to_owned(),
        (Language::Portuguese, 2..72) => format!("{hours} horas"),
        (Language::English, 2..72) => format!("{hours} hours"),
        (Language::Portuguese, _) => format!("{} dias", hours / 24),
        (Language::English, _) => format!("{} days", hours / 24),
    }
}

/// Seconds as minutes, or as hours when there are many.
pub(super) fn span(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

/// Bytes in the unit in which people think of them.
pub(super) fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} GiB")
}
