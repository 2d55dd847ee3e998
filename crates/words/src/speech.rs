//! How a language writes numbers, times and months; both languages of a sentence stand side by side.

use gorgen_engine::model::Language;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// People say 24 and 36 hours, but not 51.
const TWO_DAYS: u64 = 2 * DAY;

const MONTHS: [(&str, &str); 12] = [
    ("janeiro", "January"),
    ("fevereiro", "February"),
    ("março", "March"),
    ("abril", "April"),
    ("maio", "May"),
    ("junho", "June"),
    ("julho", "July"),
    ("agosto", "August"),
    ("setembro", "September"),
    ("outubro", "October"),
    ("novembro", "November"),
    ("dezembro", "December"),
];

/// A language, and the clock it tells times by.
#[derive(Debug, Clone)]
pub(crate) struct Speech {
    language: Language,
    zone: TimeZone,
}

impl Speech {
    pub(crate) fn new(language: Language, zone: &str) -> Self {
        Self { language, zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC) }
    }

    /// The text in the language that is spoken.
    pub(crate) fn say<T>(&self, portuguese: T, english: T) -> T {
        match self.language {
            Language::Portuguese => portuguese,
            Language::English => english,
        }
    }

    /// The language's tag.
    pub(crate) fn tag(&self) -> &'static str {
        self.say("pt-BR", "en")
    }

    /// `1.234.567` or `1,234,567`.
    pub(crate) fn count(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(self.say('.', ','));
            }
            text.push(digit);
        }
        text
    }

    /// `1.234,5` or `1,234.5`.
    pub(crate) fn decimal(&self, number: f64) -> String {
        let text = format!("{number:.1}");
        let (whole, tenths) = text.split_once('.').unwrap_or((&text, "0"));
        match whole.parse() {
            Ok(whole) => format!("{}{}{tenths}", self.count(whole), self.say(',', '.')),
            // Negative, or no number: nothing that is told here is.
            Err(_) => text.clone(),
        }
    }

    /// `1.234,5 MB`: thousands, as disks are sold.
    pub(crate) fn bytes(&self, bytes: u64) -> String {
        if bytes < 1000 {
            return format!("{bytes}\u{a0}B");
        }
        let mut size = bytes as f64 / 1000.0;
        let mut unit = "kB";
        for larger in ["MB", "GB", "TB"] {
            if size < 1000.0 {
                break;
            }
            (size, unit) = (size / 1000.0, larger);
        }
        format!("{}\u{a0}{unit}", self.decimal(size))
    }

    /// `4,2 s`, `12 min 5 s`, `3 h 12 min`, `2 d 3 h`: two parts at most.
    pub(crate) fn duration(&self, seconds: f64) -> String {
        if seconds < 10.0 {
            return format!("{}\u{a0}s", self.decimal(seconds.max(0.0)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 10, and saturating"
        )]
        let whole = seconds.round() as u64;
        let (large, name, small, small_name) = match whole {
            ..MINUTE => return format!("{whole}\u{a0}s"),
            MINUTE..HOUR => (whole / MINUTE, "min", whole % MINUTE, "s"),
            HOUR..TWO_DAYS => (whole / HOUR, "h", whole % HOUR / MINUTE, "min"),
            TWO_DAYS.. => (whole / DAY, "d", whole % DAY / HOUR, "h"),
        };
        let rest = if small > 0 { format!(" {small}\u{a0}{small_name}") } else { String::new() };
        format!("{large}\u{a0}{name}{rest}")
    }

    /// `28/11/2026` or `2026-11-28`.
    pub(crate) fn date(&self, day: Date) -> String {
        self.say(day.strftime("%d/%m/%Y"), day.strftime("%Y-%m-%d")).to_string()
    }

    /// The same with hour and minute, in the clinic's zone.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        let shown = at.to_zoned_datetime(self.zone.clone());
        self.say(shown.strftime("%d/%m/%Y %H:%M"), shown.strftime("%Y-%m-%d %H:%M")).to_string()
    }

    /// The day of a moment, in the clinic's zone.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// `outubro de 2026` or `October 2026`.
    pub(crate) fn month(&self, day: Date) -> String {
        let place = usize::try_from(day.month() - 1).unwrap_or_default();
        let (portuguese, english) = MONTHS.get(place).copied().unwrap_or_default();
        let year = day.year();
        self.say(format!("{portuguese} de {year}"), format!("{english} {year}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [Speech; 2] {
        [Language::Portuguese, Language::English]
            .map(|language| Speech::new(language, "America/Sao_Paulo"))
    }

    #[test]
    fn numbers_are_written_as_the_language_does() {
        let told = |what: &dyn Fn(&Speech) -> String| both().map(|speech| what(&speech));
        assert_eq!(told(&|speech| speech.count(1_234_567)), ["1.234.567", "1,234,567"]);
        assert_eq!(told(&|speech| speech.count(999)), ["999", "999"]);
        assert_eq!(told(&|speech| speech.bytes(1_234_500_000)), ["1,2\u{a0}GB", "1.2\u{a0}GB"]);
        assert_eq!(told(&|speech| speech.bytes(999)), ["999\u{a0}B", "999\u{a0}B"]);
        assert_eq!(told(&|speech| speech.decimal(30.04)), ["30,0", "30.0"]);
    }

    #[test]
    fn times_are_those_of_the_clinics_clock() {
        let at: Timestamp = "2026-11-28T02:30:00Z".parse().unwrap();
        assert_eq!(
            both().map(|speech| speech.moment(at)),
            ["27/11/2026 23:30", "2026-11-27 23:30"]
        );
        assert_eq!(
            both().map(|speech| speech.month(speech.day(at))),
            ["novembro de 2026", "November 2026"]
        );
    }

    #[test]
    fn a_duration_has_two_parts_at_most() {
        let [speech, _] = both();
        let told = [0.0, 4.25, 59.6, 725.0, 3600.0, 11_520.0, 183_600.0];
        assert_eq!(
            told.map(|seconds| speech.duration(seconds).replace('\u{a0}', " ")),
            ["0,0 s", "4,2 s", "1 min", "12 min 5 s", "1 h", "3 h 12 min", "2 d 3 h"]
        );
    }
}
