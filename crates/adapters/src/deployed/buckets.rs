//! Buckets, as S3 describes them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    types::{
        BucketVersioningStatus, ExpirationStatus, LifecycleRule, ReplicationRule,
        ReplicationRuleStatus,
    },
};
use gorgen_engine::{
    model::{
        ClockReading,
        deployed::{Bucket, CopyingRule, DefaultLock, Seen, Statement, Unseen},
    },
    ports::Clock,
};
use jiff::{Timestamp, fmt::rfc2822};

use super::{policy, unseen};
use crate::{ambient::SystemClock, aws::AwsError};

const DAYS_OF_A_YEAR: i32 = 365;
const ARN_OF_BUCKETS: &str = ":s3:::";

pub(super) struct Buckets {
    client: Client,
}

/// What S3 has to say, or `None` where it says that there is nothing of the kind.
fn or_none<T>(answer: Seen<T>) -> Seen<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Unseen::Missing) => Ok(None),
        Err(unseen) => Err(unseen),
    }
}

impl Buckets {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(config);
        let path_style = config.endpoint_url().is_some();
        Self { client: Client::from_conf(builder.force_path_style(path_style).build()) }
    }

    pub(super) async fn look(&self, name: &str, region: &str) -> Bucket {
        Bucket {
            name: name.to_owned(),
            region: region.to_owned(),
            keeps_versions: self.keeps_versions(name).await,
            lock: self.lock(name).await,
            encrypted_with: self.encrypted_with(name).await,
            shuts_public_out: self.shuts_public_out(name).await,
            policy: self.policy(name).await,
            expiring_rules: self.expiring_rules(name).await,
            copying_rules: self.copying_rules(name).await,
        }
    }

    async fn keeps_versions(&self, name: &str) -> Seen<bool> {
        let answer = self.client.get_bucket_versioning().bucket(name).send().await;
        let found = answer.map_err(|error| unseen(&error.into(), "s3:GetBucketVersioning"))?;
        Ok(found.status() == Some(&BucketVersioningStatus::Enabled))
    }

    async fn lock(&self, name: &str) -> Seen<Option<DefaultLock>> {
        let answer = self.client.get_object_lock_configuration().bucket(name).send().await;
        let right = "s3:GetBucketObjectLockConfiguration";
        let found = or_none(answer.map_err(|error| unseen(&error.into(), right)))?;
        let configuration = found.and_then(|found| found.object_lock_configuration);
        let rule = configuration.and_then(|configuration| configuration.rule);
        let kept = rule.and_then(|rule| rule.default_retention);
        Ok(kept.and_then(|kept| {
            let years = kept.years.map(|years| years.saturating_mul(DAYS_OF_A_YEAR));
            let days = kept.days.or(years)?;
            Some(DefaultLock { mode: kept.mode?.as_str().to_owned(), days: days.try_into().ok()? })
        }))
    }

    async fn encrypted_with(&self, name: &str) -> Seen<Option<String>> {
        let answer = self.client.get_bucket_encryption().bucket(name).send().await;
        let right = "s3:GetEncryptionConfiguration";
        let found = or_none(answer.map_err(|error| unseen(&error.into(), right)))?;
        let configuration = found.and_then(|found| found.server_side_encryption_configuration);
        let rules = configuration.map(|configuration| configuration.rules).unwrap_or_default();
        let mut defaults =
            rules.into_iter().filter_map(|rule| rule.apply_server_side_encryption_by_default);
        Ok(defaults.find_map(|default| default.kms_master_key_id))
    }

    async fn shuts_public_out(&self, name: &str) -> Seen<bool> {
        let answer = self.client.get_public_access_block().bucket(name).send().await;
        let right = "s3:GetBucketPublicAccessBlock";
        let found = or_none(answer.map_err(|error| unseen(&error.into(), right)))?;
        Ok(found.and_then(|found| found.public_access_block_configuration).is_some_and(|block| {
            [
                block.block_public_acls,
                block.ignore_public_acls,
                block.block_public_policy,
                block.restrict_public_buckets,
            ]
            .iter()
            .all(|blocked| *blocked == Some(true))
        }))
    }

    async fn policy(&self, name: &str) -> Seen<Vec<Statement>> {
        let answer = self.client.get_bucket_policy().bucket(name).send().await;
        let found = or_none(answer.map_err(|error| unseen(&error.into(), "s3:GetBucketPolicy")))?;
        found.and_then(|found| found.policy).map_or(Ok(Vec::new()), |text| policy::read(&text))
    }

    async fn expiring_rules(&self, name: &str) -> Seen<Vec<String>> {
        let answer = self.client.get_bucket_lifecycle_configuration().bucket(name).send().await;
        let right = "s3:GetLifecycleConfiguration";
        let found = or_none(answer.map_err(|error| unseen(&error.into(), right)))?;
        let rules = found.and_then(|found| found.rules).unwrap_or_default();
        Ok(rules.into_iter().filter(expires).map(|rule| rule.id.unwrap_or_default()).collect())
    }

    async fn copying_rules(&self, name: &str) -> Seen<Vec<CopyingRule>> {
        let answer = self.client.get_bucket_replication().bucket(name).send().await;
        let right = "s3:GetReplicationConfiguration";
        let found = or_none(answer.map_err(|error| unseen(&error.into(), right)))?;
        let configuration = found.and_then(|found| found.replication_configuration);
        let rules = configuration.map(|configuration| configuration.rules).unwrap_or_default();
        Ok(rules.iter().filter_map(copying).collect())
    }

    /// S3's clock, by the date it puts on an answer, whatever the answer is.
    pub(super) async fn clock(&self, name: &str) -> Seen<ClockReading> {
        let dates = Dates::default();
        let before = SystemClock.now();
        let request = self.client.head_bucket().bucket(name).customize();
        let answer = request.interceptor(dates.clone()).send().await;
        let after = SystemClock.now();
        match (dates.last(), answer) {
            (Some(server), _) => Ok(ClockReading { before, server, after }),
            (None, Err(error)) => Err(unseen(&AwsError::from(error), "s3:ListBucket")),
            (None, Ok(_)) => Err(Unseen::Failed("S3's answer has no date".to_owned())),
        }
    }
}

/// The date of the last answer.
#[derive(Debug, Clone, Default)]
struct Dates(Arc<Mutex<Option<Timestamp>>>);

impl Dates {
    fn last(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "dates of answers"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

/// Does a rule end what is current by itself?
fn expires(rule: &LifecycleRule) -> bool {
    let ends = |rule: &LifecycleRule| {
        let expiration = rule.expiration.as_ref()?;
        Some(expiration.days.is_some_and(|days| days > 0) || expiration.date.is_some())
    };
    rule.status == ExpirationStatus::Enabled && ends(rule).unwrap_or_default()
}

/// A rule in force.
fn copying(rule: &ReplicationRule) -> Option<CopyingRule> {
    let to = rule.destination()?.bucket();
    let to = to.split_once(ARN_OF_BUCKETS).map_or(to, |(_, name)| name);
    let is_for_all = rule.filter().is_none_or(|filter| {
        filter.prefix().unwrap_or_default().is_empty()
            && filter.tag().is_none()
            && filter.and().is_none()
    });
    let in_force = rule.status == ReplicationRuleStatus::Enabled;
    in_force.then(|| CopyingRule { to: to.to_owned(), is_for_all })
}
