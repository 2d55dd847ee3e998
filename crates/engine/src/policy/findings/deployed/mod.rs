//! What is deployed on AWS: whether it still is what the stacks made, and whether it does its work.
//!
//! ```text
//! functions   all there, of one version, this program's
//! storage     both buckets: versions, lock, encryption, public access, policy, rules; and the copying
//! keys        both halves of the key: usable, rotated, guarded
//! schedules   on, and when they start their jobs next; events that were given up
//! history     the last backup, verification and restore test that succeeded, against their schedules
//! watches     alarms there are, and people who hear them
//! ```
//! What whoever asks has no right to see is not checked, and the finding names the right.

mod functions;
mod history;
mod keys;
mod schedules;
mod storage;
mod watches;

pub use history::{LOOKBACK, history, unseen as unseen_history};

use jiff::Timestamp;

use super::{Finding, server};
use crate::model::deployed::{Deployed, Seen, Statement, Unseen};

const CLOCK: &str = "clock";

/// All findings but those of [`history`], in the order in which they hang on each other. `program` is this program's
/// version.
pub fn judge(deployed: &Deployed, program: &str, now: Timestamp) -> Vec<Finding> {
    let functions = functions::judge(deployed, program);
    if deployed.functions.values().all(Result::is_err) {
        // Whatever else is not there is not there for the same reason.
        let later = storage::CHECKS.into_iter().chain(keys::CHECKS).chain(schedules::checks());
        let later = later.chain(watches::checks()).chain([CLOCK]);
        let skipped = later.map(|check| Finding::skipped(check, functions::CHECK));
        return [functions].into_iter().chain(skipped).collect();
    }
    let storage = match &deployed.storage {
        Some(storage) => [storage::judge(storage), keys::judge(storage)].concat(),
        None => storage::CHECKS
            .into_iter()
            .chain(keys::CHECKS)
            .map(|check| Finding::skipped(check, functions::CHECK))
            .collect(),
    };
    let clock = seen(&deployed.clock, CLOCK).map(|reading| server::clock_of_aws(*reading));
    [
        vec![functions],
        storage,
        schedules::judge(deployed, now),
        watches::judge(deployed),
        vec![clock.unwrap_or_else(|unseen| unseen)],
    ]
    .concat()
}

/// What spares those whom a denial is not meant for.
const WHO: &str = "aws:PrincipalArn";

/// Does a statement deny this action to everybody whom it does not spare by name, under a condition on `of`, or else under
/// none? What the conditions compare with is not looked at.
fn is_denied(statements: &[Statement], action: &str, of: Option<&str>) -> bool {
    statements.iter().any(|statement| {
        let fits = match of {
            Some(of) => statement.conditions.iter().any(|condition| condition == of),
            None => statement.conditions.iter().all(|condition| condition == WHO),
        };
        let is_named = statement.actions.iter().any(|named| named == action);
        statement.denies && statement.is_for_everybody && fits && is_named
    })
}

/// What was seen, or the finding for what was not.
fn seen<'a, T>(seen: &'a Seen<T>, check: &'static str) -> Result<&'a T, Finding> {
    seen.as_ref().map_err(|unseen| of_unseen(check, unseen))
}

fn of_unseen(check: &'static str, unseen: &Unseen) -> Finding {
    match unseen {
        Unseen::Forbidden(right) => Finding::unseen(check, right),
        Unseen::Missing => Finding::problem(check, "it is not there", DEPLOY),
        Unseen::Failed(text) => {
            let fact = format!("AWS could not be asked: {text}");
            Finding::problem(check, fact, "see to what it says, then look again")
        }
    }
}

/// What brings back what the stacks made.
const DEPLOY: &str =
    "deploy the stacks again (infra/README.md), and find in CloudTrail who changed it";

#[cfg(test)]
mod tests;
