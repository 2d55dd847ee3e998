//! A keyring that is a key of AWS KMS: data keys are made and opened there, bound to their context.
//!
//! A wrapped key has `by` = `kms`, `wrapping_key` = the ARN of the KMS key, and the base64 of what KMS
//! returned; the encryption context are the pairs of [`KeyContext::pairs`]. Of a multi-Region key every
//! replica opens what any of them wrapped, so that a backup can be read where the first region is gone.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use gorgen_engine::ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey};
use zeroize::Zeroizing;

use crate::aws::{Aws, AwsError, arn::Arn};

const KIND: &str = "kms";

/// What the id of a multi-Region key begins with.
const MULTI_REGION: &str = "mrk-";

/// A keyring that is a key of AWS KMS.
#[derive(Debug, Clone)]
pub struct KmsKeyring {
    client: Client,
    key: String,
    region: String,
}

impl KmsKeyring {
    /// The key with this ARN or id, or the one of this alias; in the ARN's region, or else in the one
    /// that AWS's own settings name.
    ///
    /// # Errors
    /// If it is not said in which region to look.
    pub async fn open(key: &str, aws: &Aws) -> Result<Self, KeyringError> {
        let config = match Arn::parse(key) {
            Some(arn) => aws.config_in(arn.region).await,
            None => aws.config().await.cloned().map_err(|error| KeyringError::Unusable {
                keyring: format!("{KIND}:{key}"),
                reason: error.to_string(),
                retryable: false,
                source: None,
            })?,
        };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self { client: Client::new(&config), key: key.to_owned(), region })
    }

    /// The key to open a wrapping with: the one that made it, or its replica where we are.
    fn opener(&self, wrapping_key: &str) -> String {
        match Arn::parse(wrapping_key) {
            Some(arn) if arn.resource.starts_with(&format!("key/{MULTI_REGION}")) => {
                Arn { region: &self.region, ..arn }.to_string()
            }
            _ => wrapping_key.to_owned(),
        }
    }

    /// What a failed call means for the operator.
    fn failed<E>(&self, context: &KeyContext, error: SdkError<E>) -> KeyringError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let error = AwsError::from(error);
        let (key, keyring) = (context.key.clone(), self.describe());
        let reason = match error.code() {
            Some("InvalidCiphertextException" | "IncorrectKeyException") => {
                return KeyringError::DoesNotOpen { key, keyring, source: Some(Box::new(error)) };
            }
            Some("DisabledException") => "the KMS key is disabled; enable it in KMS".to_owned(),
            Some("KMSInvalidStateException") => {
                "the state of the KMS key forbids its use (is it pending deletion?)".to_owned()
            }
            Some("NotFoundException") => format!("there is no such KMS key in {}", self.region),
            Some("AccessDeniedException") => {
                "access denied by the policy of the key or of the caller".to_owned()
            }
            _ => "KMS did not do what it was asked".to_owned(),
        };
        let retryable = error.is_retryable();
        KeyringError::Unusable { keyring, reason, retryable, source: Some(Box::new(error)) }
    }

    /// A wrapping as KMS gave it.
    fn wrapped(
        &self,
        ciphertext: Option<Blob>,
        wrapping_key: Option<String>,
    ) -> Result<WrappedKey, KeyringError> {
        let ciphertext = ciphertext.ok_or_else(|| self.unexpected("no wrapped key"))?;
        let wrapping_key = wrapping_key.ok_or_else(|| self.unexpected("no key id"))?;
        let ciphertext = BASE64_STANDARD.encode(ciphertext);
        Ok(WrappedKey { by: KIND.to_owned(), wrapping_key, ciphertext })
    }

    fn unexpected(&self, what: &str) -> KeyringError {
        KeyringError::Unusable {
            keyring: self.describe(),
            reason: format!("KMS answered with {what}"),
            retryable: false,
            source: None,
        }
    }
}

#[async_trait]
impl Keyring for KmsKeyring {
    fn describe(&self) -> String {
        format!("{KIND}:{}", self.key)
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        wrapped.by == KIND
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        let request =
            self.client.generate_data_key().key_id(&self.key).key_spec(DataKeySpec::Aes256);
        let answer = request.set_encryption_context(Some(encryption_context(context))).send().await;
        let answer = answer.map_err(|error| self.failed(context, error))?;
        let key = answer.plaintext.and_then(data_key);
        let key = key.ok_or_else(|| self.unexpected("no key of 32 bytes"))?;
        Ok((key, vec![self.wrapped(answer.ciphertext_blob, answer.key_id)?]))
    }

    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        let request = self.client.encrypt().key_id(&self.key).plaintext(Blob::new(*key.bytes()));
        let answer = request.set_encryption_context(Some(encryption_context(context))).send().await;
        let answer = answer.map_err(|error| self.failed(context, error))?;
        Ok(vec![self.wrapped(answer.ciphertext_blob, answer.key_id)?])
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        let does_not_open = || KeyringError::DoesNotOpen {
            key: context.key.clone(),
            keyring: self.describe(),
            source: None,
        };
        let ciphertext = BASE64_STANDARD.decode(&wrapped.ciphertext).ok();
        let ciphertext = ciphertext.filter(|bytes| !bytes.is_empty()).ok_or_else(does_not_open)?;
        let request = self.client.decrypt().key_id(self.opener(&wrapped.wrapping_key));
        let request = request.ciphertext_blob(Blob::new(ciphertext));
        let answer = request.set_encryption_context(Some(encryption_context(context))).send().await;
        let answer = answer.map_err(|error| self.failed(context, error))?;
        answer.plaintext.and_then(data_key).ok_or_else(does_not_open)
    }
}

fn encryption_context(context: &KeyContext) -> HashMap<String, String> {
    context.pairs().map(|(name, value)| (name.to_owned(), value)).into()
}

/// The key in an answer, whose own copy is wiped. (Copies in the buffers of HTTP and TLS can't be.)
fn data_key(plaintext: Blob) -> Option<DataKey> {
    let bytes = Zeroizing::new(plaintext.into_inner());
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    Some(DataKey::new(*key))
}
