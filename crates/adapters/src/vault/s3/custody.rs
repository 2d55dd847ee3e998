//! Object Lock, and removal of objects with all their versions.

use async_trait::async_trait;
use aws_sdk_s3::{
    primitives::DateTime,
    types::{
        ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    },
};
use gorgen_engine::{
    model::ObjectName,
    ports::{Clock, Locks, Removal, Remover, Vault, VaultError},
};
use jiff::Timestamp;

use super::{NO_SUCH_KEY, S3Vault};
use crate::{ambient::SystemClock, aws::AwsError};

/// The bucket has no Object Lock.
const NO_LOCKS: &str = "ObjectLockConfigurationNotFoundError";
/// The object has no lock.
const NO_LOCK: &str = "NoSuchObjectLockConfiguration";
/// So S3 calls an object that is not there, where a version is meant.
const NO_SUCH_VERSION: &str = "NoSuchVersion";
/// What S3 says of a version that Object Lock keeps, and of any other that may not be removed.
const ACCESS_DENIED: &str = "AccessDenied";

/// Locks that can be lifted by nobody but those whom the bucket's policy names, where the bucket has no default.
const USUAL_MODE: ObjectLockMode = ObjectLockMode::Governance;

impl S3Vault {
    /// The mode in which the bucket locks objects; none if it locks none.
    async fn lock_mode(&self) -> Result<Option<&ObjectLockMode>, VaultError> {
        let ask = async || {
            let request = self.client.get_object_lock_configuration().bucket(&self.bucket);
            let answer = match request.send().await.map_err(AwsError::from) {
                Ok(answer) => answer,
                Err(error) if error.code() == Some(NO_LOCKS) => return Ok(None),
                Err(error) => {
                    return Err(self.failed("ask how objects are locked".to_owned(), error));
                }
            };
            let rule = answer.object_lock_configuration.and_then(|config| config.rule);
            let mode = rule.and_then(|rule| rule.default_retention).and_then(|usual| usual.mode);
            Ok(Some(match mode {
                Some(ObjectLockRetentionMode::Compliance) => ObjectLockMode::Compliance,
                _ => USUAL_MODE,
            }))
        };
        Ok(self.lock_mode.get_or_try_init(ask).await?.as_ref())
    }

    /// Until when a version of the object, or the newest, was once locked.
    async fn retention(
        &self,
        name: &ObjectName,
        version: Option<&str>,
    ) -> Result<Option<Timestamp>, VaultError> {
        let request = self.client.get_object_retention().bucket(&self.bucket).key(self.key(name));
        let request = request.set_version_id(version.map(str::to_owned));
        let action = || format!("ask how long {name} is locked");
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::from(error);
                return match error.code() {
                    Some(NO_LOCK) => Ok(None),
                    _ => Err(self.failed_on(name, action(), error)),
                };
            }
        };
        let until = answer.retention.and_then(|retention| retention.retain_until_date);
        until.map(|until| moment(until).ok_or_else(|| self.unreadable(action()))).transpose()
    }

    async fn is_held(&self, name: &ObjectName, version: &str) -> Result<bool, VaultError> {
        let request = self.client.get_object_legal_hold().bucket(&self.bucket).key(self.key(name));
        match request.version_id(version).send().await.map_err(AwsError::from) {
            Ok(answer) => {
                let status = answer.legal_hold.and_then(|hold| hold.status);
                Ok(status == Some(ObjectLockLegalHoldStatus::On))
            }
            Err(error) if error.code() == Some(NO_LOCK) => Ok(false),
            Err(error) => Err(self.failed(format!("ask whether {name} is held"), error)),
        }
    }

    /// The versions of an object, markers of deletion among them, the oldest first. The last is the one that is read: times alone
    /// do not tell, which are of whole seconds.
    async fn versions(&self, name: &ObjectName) -> Result<Vec<String>, VaultError> {
        let key = self.key(name);
        let request = self.client.list_object_versions().bucket(&self.bucket).prefix(&key);
        let (mut versions, mut key_marker, mut version_marker) = (Vec::new(), None, None);
        loop {
            let page =
                request.clone().set_key_marker(key_marker).set_version_id_marker(version_marker);
            let page = page
                .send()
                .await
                .map_err(|error| self.failed_call(format!("list the versions of {name}"), error))?;
            let objects = page.versions.unwrap_or_default().into_iter();
            let markers = page.delete_markers.unwrap_or_default().into_iter();
            let objects =
                objects.map(|one| (one.key, one.is_latest, one.last_modified, one.version_id));
            let markers =
                markers.map(|one| (one.key, one.is_latest, one.last_modified, one.version_id));
            let ours = objects.chain(markers).filter(|(of, ..)| of.as_ref() == Some(&key));
            versions.extend(
                ours.filter_map(|(_, latest, modified, id)| Some((latest, modified?, id?))),
            );
            (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            // Names are listed in their order: when another comes first, all of this one were seen.
            let is_done = key_marker.as_ref().is_none_or(|next| *next != key);
            if !page.is_truncated.unwrap_or_default() || is_done {
                break;
            }
        }
        versions.sort();
        Ok(versions.into_iter().map(|(_, _, id)| id).collect())
    }

    /// Removes one version; `None` if it is locked.
    async fn remove_version(
        &self,
        name: &ObjectName,
        version: &str,
    ) -> Result<Option<()>, VaultError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(self.key(name));
        let Err(error) = request.version_id(version).send().await else { return Ok(Some(())) };
        let error = AwsError::from(error);
        if error.code() == Some(ACCESS_DENIED) && self.is_held(name, version).await? {
            return Ok(None);
        }
        Err(self.failed(format!("remove {name}"), error))
    }

    fn failed_on(&self, name: &ObjectName, action: String, error: AwsError) -> VaultError {
        match error.code() {
            Some(NO_SUCH_KEY | NO_SUCH_VERSION) => self.missing(name),
            _ => self.failed(action, error),
        }
    }

    fn unreadable(&self, action: String) -> VaultError {
        VaultError::Failed {
            action,
            vault: self.describe(),
            retryable: false,
            source: "the answer holds no such time".into(),
        }
    }
}

#[async_trait]
impl Locks for S3Vault {
    async fn are_kept(&self) -> Result<bool, VaultError> {
        Ok(self.lock_mode().await?.is_some())
    }

    async fn locked_until(&self, name: &ObjectName) -> Result<Option<Timestamp>, VaultError> {
        if !self.are_kept().await? {
            return Ok(None);
        }
        let until = self.retention(name, None).await?;
        Ok(until.filter(|until| *until > SystemClock.now()))
    }

    async fn lock_until(&self, name: &ObjectName, until: Timestamp) -> Result<(), VaultError> {
        let Some(mode) = self.lock_mode().await? else { return Ok(()) };
        let retention = ObjectLockRetention::builder()
            .mode(mode.as_str().into())
            .retain_until_date(DateTime::from_secs(until.as_second()))
            .build();
        let request = self.client.put_object_retention().bucket(&self.bucket).key(self.key(name));
        let locked = request.retention(retention).send().await;
        locked.map(drop).map_err(|error| self.failed_on(name, format!("lock {name}"), error.into()))
    }
}

#[async_trait]
impl Remover for S3Vault {
    async fn remove(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        let locked = match self.locked_until(name).await {
            Err(VaultError::Missing { .. }) => None,
            other => other?,
        };
        if locked.is_some() {
            return Ok(Removal::Locked(locked));
        }
        // The newest goes last, so that none before it is seen in its place.
        for version in self.versions(name).await? {
            if self.remove_version(name, &version).await?.is_none() {
                return Ok(Removal::Locked(None));
            }
        }
        Ok(Removal::Done)
    }

    async fn remove_older(&self, name: &ObjectName) -> Result<Removal, VaultError> {
        let mut versions = self.versions(name).await?;
        versions.pop();
        let (mut removal, are_kept) = (Removal::Done, self.are_kept().await?);
        for version in versions {
            let locked = if are_kept { self.retention(name, Some(&version)).await? } else { None };
            let locked = locked.filter(|until| *until > SystemClock.now());
            if locked.is_some() {
                removal = longer(removal, locked);
            } else if self.remove_version(name, &version).await?.is_none() {
                removal = longer(removal, None);
            }
        }
        Ok(removal)
    }

    async fn give_up_uploads(&self, before: Timestamp) -> Result<u64, VaultError> {
        // One page: what it does not hold is given up by the next cleanup.
        let request = self.client.list_multipart_uploads().bucket(&self.bucket);
        let page = request.prefix(&self.prefix).send().await;
        let page = page.map_err(|error| self.failed_call("list uploads".to_owned(), error))?;
        let mut given_up = 0;
        for upload in page.uploads.unwrap_or_default() {
            let is_old = upload.initiated.and_then(moment).is_some_and(|begun| begun < before);
            let (Some(key), Some(id), true) = (upload.key, upload.upload_id, is_old) else {
                continue;
            };
            let request = self.client.abort_multipart_upload().bucket(&self.bucket);
            let aborted = request.key(key).upload_id(id).send().await;
            aborted.map_err(|error| self.failed_call("give up an upload".to_owned(), error))?;
            given_up += 1;
        }
        Ok(given_up)
    }
}

/// The lock that lasts longer; one that somebody must lift does.
fn longer(removal: Removal, locked: Option<Timestamp>) -> Removal {
    Removal::Locked(match removal {
        Removal::Locked(None) => None,
        Removal::Locked(Some(until)) => locked.map(|locked| locked.max(until)),
        Removal::Done => locked,
    })
}

fn moment(time: DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
