//! What the api is told: what it starts and switches, and whom it obeys.

/// The form of a state machine's ARN, as errors show it.
pub(super) const MACHINE: &str = "the ARN of a state machine of AWS Step Functions";
pub(super) const FUNCTIONS: &str =
    "what the names of the job functions begin with, such as gorgen-prod-";
pub(super) const GROUP: &str = "the name of a group of schedules, such as gorgen-prod-jobs";
pub(super) const CLAIM: &str = "the name of a claim, such as cognito:groups";
pub(super) const ROLE: &str = "the name of a role, without spaces, commas or brackets";

const DEFAULT_CLAIM: &str = "cognito:groups";
const DEFAULT_ADMIN: &str = "admin";
const DEFAULT_MASTER: &str = "admin_master";

/// Lambda allows 64 characters for a whole name; the longest job takes 12.
const LONGEST_PREFIX: usize = 52;
const LONGEST_GROUP: usize = 64;
const LONGEST_NAME: usize = 128;

/// The api's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// The state machine that restores, `GORGEN_RESTORE_MACHINE`.
    pub restore_machine: Option<String>,
    /// The state machine that tests restores, `GORGEN_RESTORE_TEST_MACHINE`.
    pub restore_test_machine: Option<String>,
    /// What the names of the job functions begin with, `GORGEN_JOB_FUNCTIONS`.
    pub job_functions: Option<String>,
    /// The group that the schedules are in, `GORGEN_SCHEDULE_GROUP`.
    pub schedule_group: Option<String>,
    /// The claim that holds a caller's roles, `GORGEN_ROLE_CLAIM`; `cognito:groups` by default.
    pub role_claim: String,
    /// The role that sees all and starts backups, `GORGEN_ADMIN_ROLE`; `admin` by default.
    pub admin_role: String,
    /// The role that may do everything, `GORGEN_MASTER_ROLE`; `admin_master` by default.
    pub master_role: String,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            restore_machine: None,
            restore_test_machine: None,
            job_functions: None,
            schedule_group: None,
            role_claim: DEFAULT_CLAIM.to_owned(),
            admin_role: DEFAULT_ADMIN.to_owned(),
            master_role: DEFAULT_MASTER.to_owned(),
        }
    }
}

/// `arn:<partition>:states:<region>:<account>:stateMachine:<name>`
pub(super) fn machine(text: &str) -> Option<String> {
    let is_one = match text.split(':').collect::<Vec<_>>()[..] {
        ["arn", partition, "states", region, account, "stateMachine", name] => {
            ![partition, region, account, name].iter().any(|part| part.is_empty())
        }
        _ => false,
    };
    is_one.then(|| text.to_owned())
}

pub(super) fn functions(text: &str) -> Option<String> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    named(text, LONGEST_PREFIX, is_letter)
}

pub(super) fn group(text: &str) -> Option<String> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    named(text, LONGEST_GROUP, is_letter)
}

pub(super) fn claim(text: &str) -> Option<String> {
    named(text, LONGEST_NAME, |b| b.is_ascii_graphic())
}

/// The gateway writes a list of roles as `[one other]`, so that a role with a space in it would be two.
pub(super) fn role(text: &str) -> Option<String> {
    named(text, LONGEST_NAME, |b| b.is_ascii_graphic() && !b"[],\"".contains(&b))
}

fn named(text: &str, longest: usize, is_letter: impl Fn(u8) -> bool) -> Option<String> {
    let fits = text.len() <= longest && text.bytes().all(is_letter);
    fits.then(|| text.to_owned())
}
