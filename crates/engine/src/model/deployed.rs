//! What is deployed on AWS, as its services tell it: facts without judgement.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ClockReading;

/// What was seen, or why nothing was.
pub type Seen<T> = Result<T, Unseen>;

/// Why something was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// Whoever asks may not; this is the right that is missing, e.g. `kms:DescribeKey`.
    Forbidden(&'static str),
    /// It is not there.
    Missing,
    /// Nobody answered, or something else than was asked.
    Failed(String),
}

/// All that one environment has on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// What the stacks call it, e.g. `prod`.
    pub environment: String,
    /// The functions, by what comes after the environment in their names.
    pub functions: BTreeMap<&'static str, Seen<Function>>,
    /// Where the functions write backups, and what wraps their keys; none if no function said so.
    pub storage: Option<Storage>,
    /// The schedules of the jobs.
    pub schedules: Seen<Vec<Schedule>>,
    /// How many events were given up and wait for somebody to look.
    pub dead_letters: Seen<u64>,
    /// Who is told when something goes wrong, in each region.
    pub watches: Vec<Watch>,
    /// AWS's clock beside ours.
    pub clock: Seen<ClockReading>,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The version of this program that it was deployed from; none if it does not say.
    pub version: Option<String>,
    /// When its code or its settings were last changed.
    pub changed: Option<Timestamp>,
    /// Why its last change failed or it can't be started, if so.
    pub failure: Option<String>,
}

/// Both buckets and both keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// The bucket that backups are written to.
    pub vault: Bucket,
    /// Its copy in the second region; none if no function knows of one.
    pub replica: Option<Bucket>,
    /// The key of the first region.
    pub key: Seen<WrappingKey>,
    /// Its other half; none if the vault has no copy.
    pub replica_key: Option<Seen<WrappingKey>>,
    /// Is every data key wrapped for an identity outside AWS, too?
    pub has_offline_recipient: bool,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// Does it keep what is overwritten or deleted?
    pub keeps_versions: Seen<bool>,
    /// How long what is written can't be removed.
    pub lock: Seen<Option<DefaultLock>>,
    /// The ARN of the KMS key it encrypts with; none if with none of ours.
    pub encrypted_with: Seen<Option<String>>,
    /// Is all that is public shut out?
    pub shuts_public_out: Seen<bool>,
    /// What its policy says.
    pub policy: Seen<Vec<Statement>>,
    /// The rules in force by which what is current ends by itself.
    pub expiring_rules: Seen<Vec<String>>,
    /// The rules in force by which it is copied.
    pub copying_rules: Seen<Vec<CopyingRule>>,
}

/// How a bucket locks what is written into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultLock {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// For how many days.
    pub days: u32,
}

/// One statement of a policy, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is called; empty if it is not.
    pub name: String,
    /// Does it deny, rather than allow?
    pub denies: bool,
    /// Is it about everybody?
    pub is_for_everybody: bool,
    /// The actions, as they are written, e.g. `s3:Put*`.
    pub actions: Vec<String>,
    /// What its conditions look at, e.g. `aws:SecureTransport`.
    pub conditions: Vec<String>,
}

/// One rule of replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyingRule {
    /// The bucket it copies to.
    pub to: String,
    /// Is it for all objects, or only for some?
    pub is_for_all: bool,
}

/// A key of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappingKey {
    /// Its ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion` and the like.
    pub state: String,
    /// The regions in which it has other halves.
    pub replica_regions: Vec<String>,
    /// Does KMS change its material by itself?
    pub rotates: Seen<bool>,
    /// What its policy says.
    pub policy: Seen<Vec<Statement>>,
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its name within its group.
    pub name: String,
    /// When it starts its job, e.g. `cron(0 3 * * ? *)`.
    pub expression: String,
    /// The time zone of the expression.
    pub time_zone: String,
    /// Whether it starts anything at all.
    pub enabled: bool,
}

/// The alarms of a region, and the topic that mails them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The region.
    pub region: String,
    /// The topic's ARN.
    pub topic: String,
    /// Who is told by it.
    pub listeners: Seen<Vec<Listener>>,
    /// The alarms.
    pub alarms: Seen<Vec<Alarm>>,
}

/// Somebody who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// How, e.g. `email`.
    pub protocol: String,
    /// Where.
    pub address: String,
    /// Did they say that they want it? Without that nothing is sent.
    pub is_confirmed: bool,
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Is it off at this moment because something is wrong?
    pub is_ringing: bool,
    /// The topics it tells when it goes off; none if its actions are switched off.
    pub tells: Vec<String>,
}
