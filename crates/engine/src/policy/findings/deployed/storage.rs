//! The buckets of the vault and of its copy: what the stacks promise of them, by what S3 says today.

use super::{DEPLOY, is_denied, seen};
use crate::{
    model::deployed::{Bucket, Seen, Statement, Storage, WrappingKey},
    policy::findings::{Finding, counted, listed},
};

/// What the checks of one bucket are called.
struct Checks {
    versioning: &'static str,
    lock: &'static str,
    encryption: &'static str,
    public: &'static str,
    policy: &'static str,
    lifecycle: &'static str,
}

const OF_VAULT: Checks = Checks {
    versioning: "vault-versioning",
    lock: "vault-object-lock",
    encryption: "vault-encryption",
    public: "vault-public-access",
    policy: "vault-policy",
    lifecycle: "vault-lifecycle",
};

const OF_REPLICA: Checks = Checks {
    versioning: "replica-versioning",
    lock: "replica-object-lock",
    encryption: "replica-encryption",
    public: "replica-public-access",
    policy: "replica-policy",
    lifecycle: "replica-lifecycle",
};

const REPLICATION: &str = "replication";

/// All that are made, if it is not known where backups lie.
pub(super) const CHECKS: [&str; 13] = [
    OF_VAULT.versioning,
    OF_VAULT.lock,
    OF_VAULT.encryption,
    OF_VAULT.public,
    OF_VAULT.policy,
    OF_VAULT.lifecycle,
    REPLICATION,
    OF_REPLICA.versioning,
    OF_REPLICA.lock,
    OF_REPLICA.encryption,
    OF_REPLICA.public,
    OF_REPLICA.policy,
    OF_REPLICA.lifecycle,
];

/// What a bucket's policy must deny, under which condition, and what could be done otherwise.
const DENIED: [(&str, Option<&str>, &str); 7] = [
    ("s3:*", Some("aws:SecureTransport"), "read and write without TLS"),
    ("s3:PutObject", Some("s3:x-amz-server-side-encryption"), "encrypt without KMS"),
    (
        "s3:PutObject",
        Some("s3:x-amz-server-side-encryption-aws-kms-key-id"),
        "encrypt with another key",
    ),
    ("s3:PutObject", Some("s3:if-none-match"), "overwrite what is written once"),
    ("s3:BypassGovernanceRetention", None, "shorten locks"),
    ("s3:DeleteObjectVersion", None, "remove versions"),
    ("s3:PutBucketObjectLockConfiguration", None, "loosen the bucket"),
];

pub(super) fn judge(storage: &Storage) -> Vec<Finding> {
    let mut findings = bucket(&storage.vault, &storage.key, &OF_VAULT);
    findings.push(replication(storage));
    if let (Some(replica), Some(key)) = (&storage.replica, &storage.replica_key) {
        findings.extend(bucket(replica, key, &OF_REPLICA));
    }
    findings
}

fn bucket(bucket: &Bucket, key: &Seen<WrappingKey>, checks: &Checks) -> Vec<Finding> {
    let findings = [
        versioning(bucket, checks.versioning),
        lock(bucket, checks.lock),
        encryption(bucket, key, checks.encryption),
        public_access(bucket, checks.public),
        policy(bucket, checks.policy),
        lifecycle(bucket, checks.lifecycle),
    ];
    findings.into_iter().map(|judged| judged.unwrap_or_else(|unseen| unseen)).collect()
}

type Judged = Result<Finding, Finding>;

fn versioning(bucket: &Bucket, check: &'static str) -> Judged {
    let name = &bucket.name;
    Ok(if *seen(&bucket.keeps_versions, check)? {
        let region = &bucket.region;
        Finding::ok(
            check,
            format!("{name} in {region} keeps versions of what is overwritten or deleted"),
        )
    } else {
        let fact = format!("{name} does not keep versions: what is overwritten or deleted is gone");
        Finding::problem(check, fact, DEPLOY)
    })
}

fn lock(bucket: &Bucket, check: &'static str) -> Judged {
    let Some(lock) = seen(&bucket.lock, check)? else {
        let fact =
            format!("{} locks nothing: a backup can be removed as it is written", bucket.name);
        return Ok(Finding::problem(check, fact, DEPLOY));
    };
    let days = counted(usize::try_from(lock.days).unwrap_or(usize::MAX), "day");
    Ok(Finding::ok(check, format!("what is written is locked for {days} ({})", lock.mode)))
}

fn encryption(bucket: &Bucket, key: &Seen<WrappingKey>, check: &'static str) -> Judged {
    let (name, used) = (&bucket.name, seen(&bucket.encrypted_with, check)?);
    let Some(used) = used else {
        let fact = format!("{name} does not encrypt with a KMS key");
        return Ok(Finding::problem(check, fact, DEPLOY));
    };
    // What can't be seen of the key is a finding of the key's.
    Ok(match key {
        Ok(key) if key.arn != *used => {
            let fact =
                format!("{name} encrypts with {used}, and the functions' key is {}", key.arn);
            Finding::problem(check, fact, DEPLOY)
        }
        _ => Finding::ok(check, format!("with {used}")),
    })
}

fn public_access(bucket: &Bucket, check: &'static str) -> Judged {
    Ok(if *seen(&bucket.shuts_public_out, check)? {
        Finding::ok(check, "all four ways are blocked")
    } else {
        let fact = format!("{} does not block all that is public", bucket.name);
        Finding::problem(check, fact, DEPLOY)
    })
}

fn policy(bucket: &Bucket, check: &'static str) -> Judged {
    let statements = seen(&bucket.policy, check)?;
    let open: Vec<_> = DENIED
        .iter()
        .filter(|(action, of, _)| !is_denied(statements, action, *of))
        .map(|(action, _, what)| format!("{what} ({action})"))
        .collect();
    let others: Vec<_> = statements.iter().filter(|statement| !statement.denies).collect();
    Ok(if !open.is_empty() {
        let fact = format!("it does not keep everybody from what nobody may: {}", listed(&open));
        Finding::problem(check, fact, DEPLOY)
    } else if others.is_empty() {
        Finding::ok(check, "it denies what nobody may, and opens nothing")
    } else {
        let named: Vec<_> = others.iter().map(|statement| spelled(statement)).collect();
        let fact = format!("it allows what the stacks do not: {}", listed(&named));
        Finding::problem(check, fact, DEPLOY)
    })
}

fn spelled(statement: &Statement) -> String {
    let name = if statement.name.is_empty() { "a statement" } else { &statement.name };
    format!("{name} ({})", listed(&statement.actions))
}

fn lifecycle(bucket: &Bucket, check: &'static str) -> Judged {
    let rules = seen(&bucket.expiring_rules, check)?;
    Ok(if rules.is_empty() {
        Finding::ok(check, "no rule ends what is current")
    } else {
        let fact = format!("rules end backups by age, whatever retention says: {}", listed(rules));
        Finding::problem(check, fact, DEPLOY)
    })
}

fn replication(storage: &Storage) -> Finding {
    let rules = match seen(&storage.vault.copying_rules, REPLICATION) {
        Ok(rules) => rules,
        Err(unseen) => return unseen,
    };
    if let Some(replica) = &storage.replica {
        let copies_all =
            |bucket: &str| rules.iter().any(|rule| rule.to == bucket && rule.is_for_all);
        if copies_all(&replica.name) {
            let fact = format!("everything is copied to {} in {}", replica.name, replica.region);
            return Finding::ok(REPLICATION, fact);
        }
    }
    match rules.as_slice() {
        [] => Finding::problem(REPLICATION, "nothing is copied to another region", DEPLOY),
        rules if storage.replica.is_some() || !rules.iter().any(|rule| rule.is_for_all) => {
            let to: Vec<_> = rules.iter().map(|rule| rule.to.as_str()).collect();
            let fact = format!("not everything is copied where it should be: {}", listed(&to));
            Finding::problem(REPLICATION, fact, DEPLOY)
        }
        rules => {
            let to: Vec<_> = rules.iter().map(|rule| rule.to.as_str()).collect();
            let fact = format!(
                "everything is copied to {}, but no function says where that is, so the copy is not looked at",
                listed(&to)
            );
            let remedy = "see that the function verify has GORGEN_REPLICA_VAULT, and deploy again";
            Finding::warning(REPLICATION, fact, remedy)
        }
    }
}
