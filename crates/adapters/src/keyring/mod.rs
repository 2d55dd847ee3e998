//! Keyrings: what wraps the data keys of backups, a key file or a key of AWS KMS.

mod file;
#[cfg(feature = "aws")]
mod kms;
mod none;

use std::sync::Arc;

use gorgen_engine::ports::{Keyring, KeyringError};

pub use file::FileKeyring;
#[cfg(feature = "aws")]
pub use kms::KmsKeyring;
pub use none::NoKeyring;

use crate::{aws::Aws, settings::KeyringUrl};

/// The keyring that the settings name. A key file is read now, KMS is asked when it is needed.
///
/// # Errors
/// [`KeyringError::Unusable`] if the key file can't be used, or if it is not said in which region KMS is.
pub async fn open(url: &KeyringUrl, aws: &Aws) -> Result<Arc<dyn Keyring>, KeyringError> {
    match url {
        KeyringUrl::File(path) => Ok(Arc::new(FileKeyring::open(path)?)),
        KeyringUrl::Kms(key) => open_kms(key, aws).await,
    }
}

#[cfg(feature = "aws")]
async fn open_kms(key: &str, aws: &Aws) -> Result<Arc<dyn Keyring>, KeyringError> {
    Ok(Arc::new(KmsKeyring::open(key, aws).await?))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "called like the one with AWS")]
async fn open_kms(key: &str, _aws: &Aws) -> Result<Arc<dyn Keyring>, KeyringError> {
    Err(KeyringError::Unusable {
        keyring: format!("kms:{key}"),
        reason: crate::aws::NotBuiltIn.to_string(),
        retryable: false,
        source: None,
    })
}
