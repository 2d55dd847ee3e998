//! A keyring in memory, which wraps by obscuring: bound to its context, and no secret at all.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::{Injected, SeededEntropy};
use crate::ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey, random};

const KIND: &str = "memory";

/// A keyring for tests; clones share its counters.
#[derive(Debug, Clone)]
pub struct MemoryKeyring(Arc<State>);

#[derive(Debug)]
struct State {
    id: String,
    entropy: SeededEntropy,
    disabled: AtomicBool,
    unwraps: AtomicU64,
}

impl MemoryKeyring {
    /// The keyring of this name, whose data keys depend on the seed.
    pub fn new(id: &str, seed: u64) -> Self {
        Self(Arc::new(State {
            id: id.to_owned(),
            entropy: SeededEntropy::new(seed),
            disabled: AtomicBool::new(false),
            unwraps: AtomicU64::new(0),
        }))
    }

    /// Makes every call fail, or work again.
    pub fn disable(&self, disabled: bool) {
        self.0.disabled.store(disabled, SeqCst);
    }

    /// How many wrappings were opened.
    pub fn unwraps(&self) -> u64 {
        self.0.unwraps.load(SeqCst)
    }

    fn check_enabled(&self) -> Result<(), KeyringError> {
        if !self.0.disabled.load(SeqCst) {
            return Ok(());
        }
        Err(KeyringError::Unusable {
            keyring: self.describe(),
            reason: "the key is disabled".to_owned(),
            retryable: false,
            source: Some(Box::new(Injected)),
        })
    }

    /// 32 bytes over the key, and 16 that tell whether what came back is the key.
    fn obscure(&self, bytes: &[u8; 32], context: &KeyContext) -> ([u8; 32], [u8; 16]) {
        let bound = format!("{}{:?}", self.0.id, context.pairs());
        let mut obscured = *bytes;
        for (seed, half) in (0..).zip(obscured.chunks_mut(16)) {
            let mask = xxh3_128_with_seed(bound.as_bytes(), seed).to_le_bytes();
            half.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        }
        let check = xxh3_128_with_seed(bound.as_bytes(), 2);
        (obscured, check.to_le_bytes())
    }
}

#[async_trait]
impl Keyring for MemoryKeyring {
    fn describe(&self) -> String {
        format!("{KIND}:{}", self.0.id)
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        wrapped.by == KIND && wrapped.wrapping_key == self.0.id
    }

    async fn generate(
        &self,
        context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        let key = DataKey::new(random(&self.0.entropy));
        let wrapped = self.wrap(&key, context).await?;
        Ok((key, wrapped))
    }

    async fn wrap(
        &self,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        self.check_enabled()?;
        let (obscured, check) = self.obscure(key.bytes(), context);
        Ok(vec![WrappedKey {
            by: KIND.to_owned(),
            wrapping_key: self.0.id.clone(),
            ciphertext: BASE64_STANDARD.encode([&obscured[..], &check].concat()),
        }])
    }

    async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        self.check_enabled()?;
        self.0.unwraps.fetch_add(1, SeqCst);
        let given = BASE64_STANDARD.decode(&wrapped.ciphertext).unwrap_or_default();
        if let Some((obscured, given_check)) = given.split_first_chunk() {
            let (bytes, check) = self.obscure(obscured, context);
            if self.opens(wrapped) && given_check == check {
                return Ok(DataKey::new(bytes));
            }
        }
        let key = context.key.clone();
        Err(KeyringError::DoesNotOpen { key, keyring: self.describe(), source: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::keyring_contract;

    #[tokio::test]
    async fn a_keyring_in_memory_keeps_the_contract() {
        let keyring = MemoryKeyring::new("one", 1);
        keyring_contract(&keyring).await;
        assert!(keyring.unwraps() > 0);
    }

    #[tokio::test]
    async fn a_disabled_keyring_says_so() {
        let keyring = MemoryKeyring::new("one", 1);
        keyring.disable(true);
        let context = keyring_contract::context();
        let error = keyring.generate(&context).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot use memory:one: the key is disabled");
        keyring.disable(false);
        assert!(keyring.generate(&context).await.is_ok());
    }
}
