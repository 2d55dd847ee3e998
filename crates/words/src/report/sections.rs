//! The sections, in the order in which an auditor asks.

mod about;
mod audit;
mod backups;
mod conformity;
mod keys;
mod restore_tests;
mod restores;
mod retention;
mod runs;
mod verifications;

use jiff::{Timestamp, civil::Date};
use maud::{Markup, html};

use super::{Page, Section, chart, names};

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
