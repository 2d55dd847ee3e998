//! A look at what is deployed on AWS: every service is asked for what it has, and nothing is changed.
//!
//! It begins at the functions, whose settings say where backups lie and which key wraps theirs. What the stacks call
//! things is written down in `infra/lib/names.ts`, and once more here.

mod alarms;
mod buckets;
mod functions;
mod keys;
mod policy;
mod queue;
mod schedules;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use gorgen_engine::model::deployed::{Bucket, Deployed, Function, Seen, Storage, Unseen};

use self::{
    buckets::Buckets,
    functions::{Functions, Settings},
};
use crate::{
    aws::{Aws, AwsError, NoRegion, arn::Arn},
    settings::{Setting, VaultUrl},
};

/// Codes of AWS for what whoever asks may not.
const FORBIDDEN: [&str; 4] =
    ["AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"];

/// Codes of AWS, besides those of status 404, for what is not there.
const MISSING: [&str; 2] = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"];

const NOT_FOUND: u16 = 404;

/// An error of a call that needs this right.
fn unseen(error: &AwsError, right: &'static str) -> Unseen {
    let is_one_of = |codes: &[&str]| error.code().is_some_and(|code| codes.contains(&code));
    if is_one_of(&FORBIDDEN) {
        Unseen::Forbidden(right)
    } else if error.status() == Some(NOT_FOUND) || is_one_of(&MISSING) {
        Unseen::Missing
    } else {
        Unseen::Failed(told(error))
    }
}

/// An error and its causes on one line.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The ARN of the same in another region.
fn in_region(arn: &str, region: &str) -> Option<String> {
    Arn::parse(arn).map(|arn| Arn { region, ..arn }.to_string())
}

/// All that an environment has on AWS, in the region and the account that AWS's own settings name, and in the second
/// region that its functions know. `vault` is where its backups lie, if a function said so.
#[derive(Debug)]
pub struct Look {
    /// What was seen.
    pub deployed: Deployed,
    /// Where the functions write backups.
    pub vault: Option<VaultUrl>,
}

/// Looks at what the stacks made for this environment, e.g. `prod`. What can't be seen is said in its place.
pub async fn look(environment: &str, aws: &Aws) -> Look {
    let config = match aws.config().await {
        Ok(config) => config,
        Err(error) => return nothing(environment, &error),
    };
    let (functions, settings) = Functions::new(config, environment).look().await;
    let places = Places::of(&settings);
    let schedules = schedules::look(environment, aws);
    let (storage, schedules, dead_letters, watches) = tokio::join!(
        storage(&settings, &places, aws),
        schedules,
        queue::look(environment, config),
        alarms::look(environment, &settings, &places, aws),
    );
    let clock = match &places.vault {
        Some((bucket, region)) => Buckets::new(&aws.config_in(region).await).clock(bucket).await,
        None => Err(Unseen::Missing),
    };
    let vault = settings.get(Setting::Vault.name()).and_then(|url| url.parse().ok());
    let environment = environment.to_owned();
    let deployed =
        Deployed { environment, functions, storage, schedules, dead_letters, watches, clock };
    Look { deployed, vault }
}

/// Without a region nobody can be asked.
fn nothing(environment: &str, error: &NoRegion) -> Look {
    fn failed<T>(error: &NoRegion) -> Seen<T> {
        Err(Unseen::Failed(error.to_string()))
    }
    let deployed = Deployed {
        environment: environment.to_owned(),
        functions: functions::NAMES
            .into_iter()
            .map(|name| (name, failed::<Function>(error)))
            .collect::<BTreeMap<_, _>>(),
        storage: None,
        schedules: failed(error),
        dead_letters: failed(error),
        watches: Vec::new(),
        clock: failed(error),
    };
    Look { deployed, vault: None }
}

/// The buckets that the functions know, each with its region.
struct Places {
    vault: Option<(String, String)>,
    replica: Option<(String, String)>,
}

impl Places {
    fn of(settings: &Settings) -> Self {
        let place = |setting: Setting| match settings.get(setting.name())?.parse() {
            Ok(VaultUrl::S3 { bucket, region, .. }) => Some((bucket, region)),
            _ => None,
        };
        let home = settings
            .get(Setting::NoticeTopic.name())
            .and_then(|topic| Some(Arn::parse(topic)?.region.to_owned()));
        let vault = place(Setting::Vault)
            .and_then(|(bucket, region)| Some((bucket, region.or_else(|| home.clone())?)));
        let replica =
            place(Setting::ReplicaVault).and_then(|(bucket, region)| Some((bucket, region?)));
        Self { vault, replica }
    }
}

async fn storage(settings: &Settings, places: &Places, aws: &Aws) -> Option<Storage> {
    let (bucket, region) = places.vault.as_ref()?;
    let key = settings.get(Setting::Keyring.name())?.strip_prefix("kms:")?;
    let replica = async {
        let (bucket, region) = places.replica.as_ref()?;
        let there = aws.config_in(region).await;
        let other_half = in_region(key, region)?;
        Some(tokio::join!(look_into(bucket, region, &there), keys::look(&other_half, &there)))
    };
    let here = aws.config_in(region).await;
    let (vault, key, replica) =
        tokio::join!(look_into(bucket, region, &here), keys::look(key, &here), replica);
    let (replica, replica_key) = replica.unzip();
    let has_offline_recipient = settings.contains_key(Setting::OfflineRecipient.name());
    Some(Storage { vault, replica, key, replica_key, has_offline_recipient })
}

/// A bucket; the key it encrypts with by its ARN, if the bucket knows it by another name.
async fn look_into(name: &str, region: &str, config: &SdkConfig) -> Bucket {
    let mut bucket = Buckets::new(config).look(name, region).await;
    if let Ok(Some(key)) = &bucket.encrypted_with {
        bucket.encrypted_with = keys::arn_of(key, config).await.map(Some);
    }
    bucket
}
