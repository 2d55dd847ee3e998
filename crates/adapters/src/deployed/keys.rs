//! Keys, as KMS describes them.

use aws_config::SdkConfig;
use aws_sdk_kms::{Client, types::MultiRegionConfiguration};
use gorgen_engine::model::deployed::{Seen, Statement, Unseen, WrappingKey};

use super::{policy, unseen};

/// The one that every key has.
const POLICY: &str = "default";
const ALIAS: &str = "alias/";

/// The key of this ARN, in the region of the configuration.
pub(super) async fn look(arn: &str, config: &SdkConfig) -> Seen<WrappingKey> {
    let client = Client::new(config);
    let answer = client.describe_key().key_id(arn).send().await;
    let found = answer.map_err(|error| missing_if(unseen(&error.into(), "kms:DescribeKey")))?;
    let key = found.key_metadata.ok_or(Unseen::Missing)?;
    let halves = key.multi_region_configuration();
    let halves = halves.map(MultiRegionConfiguration::replica_keys).unwrap_or_default();
    Ok(WrappingKey {
        arn: key.arn().unwrap_or(arn).to_owned(),
        state: key.key_state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        replica_regions: halves.iter().filter_map(|half| half.region.clone()).collect(),
        rotates: rotates(&client, arn).await,
        policy: policy_of(&client, arn).await,
    })
}

/// The ARN of a key that may be named by its alias.
pub(super) async fn arn_of(key: &str, config: &SdkConfig) -> Seen<String> {
    if !key.contains(ALIAS) {
        return Ok(key.to_owned());
    }
    let answer = Client::new(config).describe_key().key_id(key).send().await;
    let found = answer.map_err(|error| missing_if(unseen(&error.into(), "kms:DescribeKey")))?;
    found.key_metadata.and_then(|key| key.arn).ok_or(Unseen::Missing)
}

/// KMS answers with status 400 for what is not there.
fn missing_if(unseen: Unseen) -> Unseen {
    match unseen {
        Unseen::Failed(text) if text.starts_with("NotFoundException") => Unseen::Missing,
        other => other,
    }
}

async fn rotates(client: &Client, arn: &str) -> Seen<bool> {
    let answer = client.get_key_rotation_status().key_id(arn).send().await;
    let found = answer.map_err(|error| unseen(&error.into(), "kms:GetKeyRotationStatus"))?;
    Ok(found.key_rotation_enabled)
}

async fn policy_of(client: &Client, arn: &str) -> Seen<Vec<Statement>> {
    let answer = client.get_key_policy().key_id(arn).policy_name(POLICY).send().await;
    let found = answer.map_err(|error| unseen(&error.into(), "kms:GetKeyPolicy"))?;
    policy::read(&found.policy.unwrap_or_default())
}
