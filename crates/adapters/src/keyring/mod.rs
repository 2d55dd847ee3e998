//! Keyrings: what wraps the data keys of backups, a key file, a key of AWS KMS, or an offline identity of age.

mod file;
#[cfg(feature = "aws")]
mod kms;
mod none;
mod offline;

use std::sync::Arc;

use gorgen_engine::ports::{DataKey, Entropy, KeyContext, Keyring, KeyringError};
use zeroize::Zeroizing;

pub use file::FileKeyring;
#[cfg(feature = "aws")]
pub use kms::KmsKeyring;
pub use none::NoKeyring;
pub use offline::{IdentityKeyring, WithRecipient};

use crate::{
    ambient::SystemEntropy,
    aws::Aws,
    settings::{KeyringUrl, Recipient},
};

/// The keyring that the settings name. A file is read now, KMS is asked when it is needed.
///
/// # Errors
/// [`KeyringError::Unusable`] if the file can't be used, or if it is not said in which region KMS is.
pub async fn open(url: &KeyringUrl, aws: &Aws) -> Result<Arc<dyn Keyring>, KeyringError> {
    match url {
        KeyringUrl::File(path) => Ok(Arc::new(FileKeyring::open(path)?)),
        KeyringUrl::Kms(key) => open_kms(key, aws).await,
        KeyringUrl::Age(path) => Ok(Arc::new(IdentityKeyring::open(path)?)),
    }
}

/// The keyring that also wraps every data key for the offline recipient, if there is one.
pub fn for_recipient(keyring: Arc<dyn Keyring>, recipient: Option<&Recipient>) -> Arc<dyn Keyring> {
    match recipient {
        Some(recipient) => Arc::new(WithRecipient::new(keyring, recipient.clone())),
        None => keyring,
    }
}

/// What a wrapping that is made here is bound to: the wrapping key, and the context.
fn binding(wrapping_key: &str, context: &KeyContext) -> String {
    let pairs = context.pairs().map(|(name, value)| format!("{name}={value}"));
    format!("gorgen-backup:1:wrapped-key\n{wrapping_key}\n{}", pairs.join("\n"))
}

/// A new random data key.
fn new_key() -> DataKey {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemEntropy.fill(&mut bytes[..]);
    DataKey::new(*bytes)
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
