//! Both halves of the key that wraps data keys, and the way out if there is none left.

use super::{DEPLOY, is_denied, of_unseen, seen};
use crate::{
    model::deployed::{Seen, Statement, Storage, Unseen, WrappingKey},
    policy::findings::Finding,
};

const KEY: &str = "key";
const ROTATION: &str = "key-rotation";
const POLICY: &str = "key-policy";
const REPLICA: &str = "replica-key";
const REPLICA_POLICY: &str = "replica-key-policy";
const OFFLINE: &str = "offline-recipient";

/// All that are made, if it is not known which key it is.
pub(super) const CHECKS: [&str; 6] = [KEY, ROTATION, POLICY, REPLICA, REPLICA_POLICY, OFFLINE];

const ENABLED: &str = "Enabled";
/// What takes the key from everybody.
const DESTRUCTION: [&str; 2] = ["kms:ScheduleKeyDeletion", "kms:DisableKey"];

pub(super) fn judge(storage: &Storage) -> Vec<Finding> {
    let mut findings = match seen(&storage.key, KEY) {
        Ok(key) => vec![usable(key, KEY), rotation(key), policy(&key.policy, POLICY)],
        Err(unseen) => vec![unseen, Finding::skipped(ROTATION, KEY), Finding::skipped(POLICY, KEY)],
    };
    if let (Some(replica), Some(key)) = (&storage.replica, &storage.replica_key) {
        findings.extend(of_replica(&storage.key, &replica.region, key));
    }
    findings.push(offline(storage.has_offline_recipient));
    findings
}

fn usable(key: &WrappingKey, check: &'static str) -> Finding {
    if key.state == ENABLED {
        return Finding::ok(check, format!("{} is enabled", key.arn));
    }
    let fact = format!(
        "{} is not enabled but {}: no backup can be made or opened with it",
        key.arn, key.state
    );
    let remedy = "as an administrator: aws kms cancel-key-deletion, then aws kms enable-key; and find in CloudTrail who \
                  did it. Every day counts if it is to be deleted";
    Finding::problem(check, fact, remedy)
}

fn rotation(key: &WrappingKey) -> Finding {
    match seen(&key.rotates, ROTATION) {
        Ok(true) => Finding::ok(ROTATION, "KMS changes its material every year"),
        Ok(false) => Finding::warning(ROTATION, "KMS does not change its material", DEPLOY),
        Err(unseen) => unseen,
    }
}

fn policy(statements: &Seen<Vec<Statement>>, check: &'static str) -> Finding {
    let statements = match seen(statements, check) {
        Ok(statements) => statements,
        Err(unseen) => return unseen,
    };
    if DESTRUCTION.iter().all(|action| is_denied(statements, action, None)) {
        return Finding::ok(check, "it lets nobody delete or disable the key");
    }
    let fact = "it does not keep everybody from deleting or disabling the key, without which no backup opens";
    Finding::warning(check, fact, DEPLOY)
}

fn of_replica(first: &Seen<WrappingKey>, region: &str, key: &Seen<WrappingKey>) -> Vec<Finding> {
    let key = match key {
        Ok(key) => key,
        Err(Unseen::Missing) => {
            let fact = format!(
                "the key has no other half in {region}: the copy there can't be opened alone"
            );
            let missing = Finding::problem(REPLICA, fact, DEPLOY);
            return vec![missing, Finding::skipped(REPLICA_POLICY, REPLICA)];
        }
        Err(unseen) => {
            return vec![of_unseen(REPLICA, unseen), Finding::skipped(REPLICA_POLICY, REPLICA)];
        }
    };
    let is_half =
        first.as_ref().map_or(true, |first| first.replica_regions.iter().any(|of| of == region));
    let half = if is_half {
        usable(key, REPLICA)
    } else {
        let fact = format!("{} is not the other half of the key of the first region", key.arn);
        Finding::problem(REPLICA, fact, DEPLOY)
    };
    vec![half, policy(&key.policy, REPLICA_POLICY)]
}

fn offline(has_recipient: bool) -> Finding {
    if has_recipient {
        return Finding::ok(OFFLINE, "new data keys are wrapped for the identity in the safe, too");
    }
    let fact = "data keys are wrapped by KMS alone: without this AWS account no backup opens";
    let remedy = "make an identity and keep it in a safe (docs/operations.md, First deployment), set offlineRecipient in \
                  the environment's file, and deploy";
    Finding::warning(OFFLINE, fact, remedy)
}
