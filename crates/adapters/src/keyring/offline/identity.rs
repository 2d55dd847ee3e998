//! An offline identity as a keyring: it opens what was wrapped for it, without AWS and without a key file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use age::x25519::Identity;
use async_trait::async_trait;
use gorgen_engine::ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey};
use zeroize::Zeroizing;

use super::{KIND, open, wrap};
use crate::keyring::new_key;

/// How an identity encrypted by age begins, in its two forms.
const ENCRYPTED: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// A file of identities, as `age-keygen` writes it: comments, and a line that begins with `AGE-SECRET-KEY-1`.
pub struct IdentityKeyring {
    path: PathBuf,
    identity: Identity,
    recipient: String,
}

/// Why a file of identities can't be used, in words for the operator.
#[derive(Debug, thiserror::Error)]
enum IdentityError {
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("it is encrypted: decrypt it first, with age --decrypt")]
    Encrypted,
    // What stands there instead could be a secret.
    #[error("it holds no identity of age: a line that begins with AGE-SECRET-KEY-1")]
    NoIdentity,
    #[error("it holds several identities of age: give a file with one")]
    Several,
}

impl IdentityKeyring {
    /// Reads the identity.
    ///
    /// # Errors
    /// [`KeyringError::Unusable`] if the file holds not exactly one.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        let identity = read(path).map_err(|error| KeyringError::Unusable {
            keyring: describe(path),
            reason: error.to_string(),
            retryable: false,
            source: match error {
                IdentityError::Unreadable(error) => Some(Box::new(error)),
                _ => None,
            },
        })?;
        let recipient = identity.to_public().to_string();
        Ok(Self { path: path.to_owned(), identity, recipient })
    }

    /// The recipient that the identity belongs to, which is not secret.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }
}

fn describe(path: &Path) -> String {
    format!("{KIND}://{}", path.display())
}

fn read(path: &Path) -> Result<Identity, IdentityError> {
    let text = Zeroizing::new(fs::read(path).map_err(IdentityError::Unreadable)?);
    if ENCRYPTED.iter().any(|start| text.starts_with(start)) {
        return Err(IdentityError::Encrypted);
    }
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut identities = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let first = identities.next().and_then(|line| str::from_utf8(line).ok()?.parse().ok());
    let identity = first.ok_or(IdentityError::NoIdentity)?;
    match identities.next() {
        None => Ok(identity),
        Some(_) => Err(IdentityError::Several),
    }
}

#[async_trait]
impl Keyring for IdentityKeyring {
    fn describe(&self) -> String {
        describe(&self.path)
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        wrapped.by == KIND && wrapped.wrapping_key == self.recipient
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        let key = new_key();
        let wrapped = self.wrap(&key, context).await?;
        Ok((key, wrapped))
    }

    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        Ok(vec![wrap(&self.identity.to_public(), key, context)?])
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        open(&self.identity, wrapped, context).ok_or_else(|| KeyringError::DoesNotOpen {
            key: context.key.clone(),
            keyring: self.describe(),
            source: None,
        })
    }
}
