//! Where notices go, and which are sent.

use crate::aws::arn::Arn;

pub(super) const TOPIC: &str = "the ARN of a topic of Amazon SNS, such as arn:aws:sns:sa-east-1:111122223333:gorgen-prod-alarms";
pub(super) const WHICH: &str = "problems or all";

/// SNS allows so many characters.
const LONGEST_TOPIC: usize = 256;

/// Which notices are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notices {
    /// What went wrong or is odd, and what everybody must know: restores and the month's report.
    #[default]
    Problems,
    /// Also what went well.
    All,
}

/// A topic of a kind that sends e-mail; one that keeps an order (`.fifo`) does not.
pub(super) fn topic(text: &str) -> Option<String> {
    let Arn { partition, service, region, account, resource } = Arn::parse(text)?;
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let is_name = (1..=LONGEST_TOPIC).contains(&resource.len()) && resource.bytes().all(is_letter);
    let is_whole = ![partition, region, account].iter().any(|part| part.is_empty());
    (service == "sns" && is_name && is_whole).then(|| text.to_owned())
}

pub(super) fn which(text: &str) -> Option<Notices> {
    match text {
        "problems" => Some(Notices::Problems),
        "all" => Some(Notices::All),
        _ => None,
    }
}
