//! The way in when AWS is gone: every data key is also wrapped for an identity of age that lies in a safe.
//!
//! The recipient, `age1...`, is no secret: with it keys are wrapped, and none is opened. The identity belongs to it, opens all of
//! them without anything else, and is needed by nobody until that day.
//!
//! A wrapped key has `by` = `age` and `wrapping_key` = the recipient. Its `ciphertext` is the base64 of a file of age, for this one
//! recipient, of these six lines, each with a line feed at its end. age binds a file to nothing, so the first five do:
//!
//! ```text
//! gorgen-backup:1:wrapped-key
//! <the recipient>
//! gorgen:key=<the data key's id>
//! gorgen:purpose=<the data key's purpose>
//! gorgen:vault=<the vault's id>
//! <the data key, base64>
//! ```

mod identity;

use std::sync::Arc;

use age::x25519::{Identity, Recipient};
use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use gorgen_engine::ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey};
use zeroize::Zeroizing;

pub use identity::IdentityKeyring;

use super::binding;

const KIND: &str = "age";

/// A keyring whose data keys are all wrapped for an offline identity as well.
pub struct WithRecipient {
    keyring: Arc<dyn Keyring>,
    recipient: Recipient,
}

impl WithRecipient {
    /// The keyring that wraps as this one does, and for the recipient.
    pub fn new(keyring: Arc<dyn Keyring>, recipient: Recipient) -> Self {
        Self { keyring, recipient }
    }
}

#[async_trait]
impl Keyring for WithRecipient {
    fn describe(&self) -> String {
        self.keyring.describe()
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        self.keyring.opens(wrapped)
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        let (key, mut wrapped) = self.keyring.generate(context).await?;
        wrapped.push(wrap(&self.recipient, &key, context)?);
        Ok((key, wrapped))
    }

    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        let mut wrapped = self.keyring.wrap(key, context).await?;
        wrapped.push(wrap(&self.recipient, key, context)?);
        Ok(wrapped)
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        self.keyring.unwrap(wrapped, context).await
    }
}

fn wrap(
    recipient: &Recipient,
    key: &DataKey,
    context: &KeyContext,
) -> Result<WrappedKey, KeyringError> {
    let wrapping_key = recipient.to_string();
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(key.bytes()));
    let text = Zeroizing::new(format!("{}\n{}\n", binding(&wrapping_key, context), *encoded));
    let sealed = age::encrypt(recipient, text.as_bytes());
    let sealed = sealed.map_err(|error| KeyringError::Unusable {
        keyring: format!("{KIND}:{wrapping_key}"),
        reason: "a key could not be wrapped".to_owned(),
        retryable: false,
        source: Some(Box::new(error)),
    })?;
    let ciphertext = BASE64_STANDARD.encode(sealed);
    Ok(WrappedKey { by: KIND.to_owned(), wrapping_key, ciphertext })
}

/// The key, if the identity opens it and it is the one of this context.
fn open(identity: &Identity, wrapped: &WrappedKey, context: &KeyContext) -> Option<DataKey> {
    let sealed = BASE64_STANDARD.decode(&wrapped.ciphertext).ok()?;
    let text = Zeroizing::new(age::decrypt(identity, &sealed).ok()?);
    let bound = format!("{}\n", binding(&wrapped.wrapping_key, context));
    let encoded = text.strip_prefix(bound.as_bytes())?.strip_suffix(b"\n")?;
    let key = Zeroizing::new(BASE64_STANDARD.decode(encoded).ok()?);
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.as_slice().try_into().ok()?);
    Some(DataKey::new(*key))
}

#[cfg(test)]
mod tests;
