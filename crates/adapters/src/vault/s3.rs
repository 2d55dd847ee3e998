//! A vault in an S3 bucket: each object is one PUT, conditional, and with its SHA-256 checked by S3.
//!
//! The SDK repeats a call whose answer was lost. The repetition of a conditional write that had succeeded
//! is refused, by the object that it wrote itself; so, after a repetition, the object there is read and
//! counts as written if it is, byte for byte, what was to be written.

mod attempts;
mod custody;

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::digest;
use aws_sdk_s3::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
    operation::head_object::HeadObjectOutput,
    primitives::ByteStream,
    types::{ChecksumMode, ObjectLockMode, ReplicationStatus},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use gorgen_engine::{
    model::ObjectName,
    ports::{Copied, Mender, ObjectInfo, Revision, Vault, VaultError},
};
use tokio::sync::OnceCell;

use self::attempts::{Attempts, RepeatConflicts};
use crate::{
    aws::{Aws, AwsError},
    settings::VaultUrl,
};

/// HTTP status of a write whose condition does not hold.
const PRECONDITION_FAILED: u16 = 412;
/// HTTP status of a question about an object that is not there, which has no body to name the error.
const NOT_FOUND: u16 = 404;
/// HTTP status of a range that begins after the end.
const RANGE_NOT_SATISFIABLE: u16 = 416;
const NO_SUCH_KEY: &str = "NoSuchKey";

/// A vault in part of an S3 bucket.
#[derive(Debug, Clone)]
pub struct S3Vault {
    client: Client,
    bucket: String,
    prefix: String,
    /// In which mode the bucket locks objects, once that was asked; none if it locks none.
    lock_mode: Arc<OnceCell<Option<ObjectLockMode>>>,
}

/// What must be so for a write to take place.
#[derive(Debug, Clone, Copy)]
enum Condition<'a> {
    Absent,
    Still(&'a Revision),
}

impl S3Vault {
    /// The vault below `prefix`, which may be empty.
    ///
    /// # Errors
    /// If it is not said in which region to look.
    pub async fn open(bucket: &str, prefix: &str, aws: &Aws) -> Result<Self, VaultError> {
        let place =
            VaultUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned(), region: None };
        let config = aws.config().await.map_err(|error| VaultError::Failed {
            action: "look for objects".to_owned(),
            vault: place.to_string(),
            retryable: false,
            source: Box::new(error),
        })?;
        let client_config = Builder::from(config)
            .force_path_style(config.endpoint_url().is_some())
            .retry_classifier(RepeatConflicts)
            .build();
        Ok(Self {
            client: Client::from_conf(client_config),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            lock_mode: Arc::default(),
        })
    }

    fn key(&self, name: &ObjectName) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Writes an object; `None` if the condition does not hold.
    async fn write(
        &self,
        name: &ObjectName,
        content: &Bytes,
        condition: Condition<'_>,
    ) -> Result<Option<Revision>, VaultError> {
        let attempts = Attempts::default();
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(name))
            .checksum_sha256(BASE64_STANDARD.encode(digest::digest(&digest::SHA256, content)))
            .body(ByteStream::from(content.clone()));
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Still(Revision(tag)) => request.if_match(tag),
        };
        match request.customize().interceptor(attempts.clone()).send().await {
            Ok(written) => self.revision(name, written.e_tag).map(Some),
            Err(error) => {
                let error = AwsError::from(error);
                if !is_refusal(&error, condition) {
                    return Err(self.failed(format!("write {name}"), error));
                }
                if attempts.count() > 1 {
                    self.written_before(name, content).await
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// The revision of the object, if it holds just this: an earlier attempt wrote it.
    async fn written_before(
        &self,
        name: &ObjectName,
        content: &Bytes,
    ) -> Result<Option<Revision>, VaultError> {
        let found = self.read(name).await?;
        Ok(found.filter(|(there, _)| there == content).map(|(_, revision)| revision))
    }

    /// Reads an object or a range of it; `None` if there is none.
    async fn fetch(
        &self,
        name: &ObjectName,
        range: Option<String>,
    ) -> Result<Option<(Bytes, Option<String>)>, VaultError> {
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(name));
        let answer = match request.set_range(range).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::from(error);
                return match (error.code(), error.status()) {
                    (Some(NO_SUCH_KEY), _) => Ok(None),
                    (_, Some(RANGE_NOT_SATISFIABLE)) => Ok(Some((Bytes::new(), None))),
                    _ => Err(self.failed(format!("read {name}"), error)),
                };
            }
        };
        let content = answer.body.collect().await.map_err(|error| VaultError::Failed {
            action: format!("read {name}"),
            vault: self.describe(),
            retryable: true,
            source: Box::new(error),
        })?;
        Ok(Some((content.into_bytes(), answer.e_tag)))
    }

    /// What S3 says of an object without sending it.
    async fn look_at(&self, name: &ObjectName) -> Result<HeadObjectOutput, VaultError> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.key(name));
        let request = request.checksum_mode(ChecksumMode::Enabled);
        request.send().await.map_err(|error| {
            let error = AwsError::from(error);
            match error.status() {
                Some(NOT_FOUND) => self.missing(name),
                _ => self.failed(format!("look at {name}"), error),
            }
        })
    }

    fn revision(&self, name: &ObjectName, tag: Option<String>) -> Result<Revision, VaultError> {
        tag.map(Revision).ok_or_else(|| VaultError::Failed {
            action: format!("tell the revision of {name}"),
            vault: self.describe(),
            retryable: false,
            source: "the answer has no ETag".into(),
        })
    }

    fn failed(&self, action: String, error: AwsError) -> VaultError {
        VaultError::Failed {
            action,
            vault: self.describe(),
            retryable: error.is_retryable(),
            source: Box::new(error),
        }
    }

    fn failed_call<E>(&self, action: String, error: SdkError<E>) -> VaultError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.failed(action, error.into())
    }

    fn missing(&self, name: &ObjectName) -> VaultError {
        VaultError::Missing { name: name.clone(), vault: self.describe() }
    }
}

#[async_trait]
impl Vault for S3Vault {
    fn describe(&self) -> String {
        let prefix = self.prefix.trim_end_matches('/').to_owned();
        VaultUrl::S3 { bucket: self.bucket.clone(), prefix, region: None }.to_string()
    }

    async fn put(&self, name: &ObjectName, content: Bytes) -> Result<(), VaultError> {
        let exists = || VaultError::Exists { name: name.clone(), vault: self.describe() };
        let written = self.write(name, &content, Condition::Absent).await?;
        written.map(drop).ok_or_else(exists)
    }

    async fn get(&self, name: &ObjectName) -> Result<Bytes, VaultError> {
        let found = self.fetch(name, None).await?;
        found.map(|(content, _)| content).ok_or_else(|| self.missing(name))
    }

    async fn get_range(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes, VaultError> {
        // An empty range can't be asked for, but whether the object is there must be.
        let last = range.end.max(range.start.saturating_add(1)) - 1;
        let found = self.fetch(name, Some(format!("bytes={}-{last}", range.start))).await?;
        let (mut content, _) = found.ok_or_else(|| self.missing(name))?;
        if range.is_empty() {
            content.clear();
        }
        Ok(content)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, VaultError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket);
        let mut pages = request.prefix(format!("{}{prefix}", self.prefix)).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed_call(format!("list {prefix:?}"), error))?;
            found.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
                let name = object.key.as_deref()?.strip_prefix(&self.prefix)?;
                let size = u64::try_from(object.size?).ok()?;
                Some(ObjectInfo { name: ObjectName::from_listing(name)?, size })
            }));
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<(Bytes, Revision)>, VaultError> {
        match self.fetch(name, None).await? {
            Some((content, tag)) => Ok(Some((content, self.revision(name, tag)?))),
            None => Ok(None),
        }
    }

    async fn swap(
        &self,
        name: &ObjectName,
        expected: Option<&Revision>,
        content: Bytes,
    ) -> Result<Revision, VaultError> {
        let condition = expected.map_or(Condition::Absent, Condition::Still);
        let changed = || VaultError::Changed { name: name.clone(), vault: self.describe() };
        self.write(name, &content, condition).await?.ok_or_else(changed)
    }

    async fn checksum(&self, name: &ObjectName) -> Result<Option<String>, VaultError> {
        let answer = self.look_at(name).await?;
        // One of an upload in parts is the checksum of checksums; its form tells, and it is none of ours.
        let whole = answer.checksum_sha256.and_then(|text| BASE64_STANDARD.decode(text).ok());
        Ok(whole.map(|hash| format!("sha256:{}", hex::encode(hash))))
    }

    async fn copied(&self, name: &ObjectName) -> Result<Option<Copied>, VaultError> {
        let answer = self.look_at(name).await?;
        // Without one no rule covers the object; in the second region it is itself the copy.
        Ok(answer.replication_status.and_then(|status| match status {
            ReplicationStatus::Complete | ReplicationStatus::Completed => Some(Copied::Done),
            ReplicationStatus::Pending => Some(Copied::Waiting),
            ReplicationStatus::Failed => Some(Copied::Failed),
            _ => None,
        }))
    }
}

#[async_trait]
impl Mender for S3Vault {
    async fn replace(
        &self,
        name: &ObjectName,
        damaged: &Revision,
        content: Bytes,
    ) -> Result<(), VaultError> {
        self.swap(name, Some(damaged), content).await.map(drop)
    }
}

/// Does the error say that the condition does not hold? An object that is gone no longer is what it was.
fn is_refusal(error: &AwsError, condition: Condition<'_>) -> bool {
    let is_gone = matches!(condition, Condition::Still(_)) && error.code() == Some(NO_SUCH_KEY);
    error.status() == Some(PRECONDITION_FAILED) || is_gone
}
