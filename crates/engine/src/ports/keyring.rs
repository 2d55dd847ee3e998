//! What wraps and unwraps data keys: KMS, or a key file where there is no AWS.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{KeyId, VaultId};

/// A data key in the clear: 256 bits, wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// The key made of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key's bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// What a wrapping is bound to: it opens only for this key of this vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyContext {
    /// The vault.
    pub vault: VaultId,
    /// The data key.
    pub key: KeyId,
}

impl KeyContext {
    /// The context as pairs, the encryption context that KMS authenticates (docs/format.md).
    pub fn pairs(&self) -> [(&'static str, String); 3] {
        [
            ("gorgen:key", self.key.to_string()),
            ("gorgen:purpose", self.key.purpose().as_str().to_owned()),
            ("gorgen:vault", self.vault.to_string()),
        ]
    }
}

/// A data key as it is kept: wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    /// The kind of keyring, `kms`, `file` or `age`.
    pub by: String,
    /// The wrapping key: the KMS key's ARN, the key file's id, or the recipient.
    pub wrapping_key: String,
    /// The wrapped key, base64.
    pub ciphertext: String,
}

impl WrappedKey {
    /// Does it open only where AWS is?
    pub fn needs_cloud(&self) -> bool {
        self.by == "kms"
    }
}

/// Why a keyring did not wrap or unwrap.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// No wrapping of the key is for this keyring.
    #[error("data key {key} is not wrapped for {keyring} (it is wrapped for {wrapped_for})")]
    NotForUs {
        /// The data key.
        key: KeyId,
        /// This keyring.
        keyring: String,
        /// The keyrings it is wrapped for.
        wrapped_for: String,
    },
    /// The wrapping does not open: another key, another context, or damage.
    #[error("data key {key} does not open with {keyring}")]
    DoesNotOpen {
        /// The data key.
        key: KeyId,
        /// The keyring.
        keyring: String,
        /// The keyring's own error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The keyring can't be used: key disabled, access denied, service unreachable.
    #[error("cannot use {keyring}: {reason}")]
    Unusable {
        /// The keyring.
        keyring: String,
        /// Why, in words for the operator.
        reason: String,
        /// May the same call succeed later?
        retryable: bool,
        /// The keyring's own error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl KeyringError {
    /// May the same call succeed later?
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unusable { retryable: true, .. })
    }
}

/// Makes data keys and opens wrapped ones. It is trusted to keep secrets, not to detect damage: the
/// engine checks every key it gets (docs/format.md, "key check").
#[async_trait]
pub trait Keyring: Send + Sync {
    /// The keyring as settings name it, e.g. `kms:alias/gorgen`.
    fn describe(&self) -> String;

    /// Is this wrapping one that this keyring opens?
    fn opens(&self, wrapped: &WrappedKey) -> bool;

    /// A new random data key, and its wrappings bound to the context; each of them is enough to open it.
    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError>;

    /// Wraps a data key that is there already, as [`Keyring::generate`] would have.
    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError>;

    /// Opens a wrapping under the context it was made for.
    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError>;
}
