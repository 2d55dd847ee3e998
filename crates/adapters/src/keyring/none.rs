//! A keyring without a key, for jobs that plan and report: they can't open a row, whatever they try.

use async_trait::async_trait;
use gorgen_engine::ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey};

/// A keyring without a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyring;

fn refused() -> KeyringError {
    KeyringError::Unusable {
        keyring: "none".to_owned(),
        reason: "this job works without keys".to_owned(),
        retryable: false,
        source: None,
    }
}

#[async_trait]
impl Keyring for NoKeyring {
    fn describe(&self) -> String {
        "none".to_owned()
    }

    fn opens(&self, _wrapped: &WrappedKey) -> bool {
        false
    }

    async fn generate(
        &self,
        _context: &KeyContext,
    ) -> Result<(DataKey, Vec<WrappedKey>), KeyringError> {
        Err(refused())
    }

    async fn wrap(
        &self,
        _key: &DataKey,
        _context: &KeyContext,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        Err(refused())
    }

    async fn unwrap(
        &self,
        _wrapped: &WrappedKey,
        _context: &KeyContext,
    ) -> Result<DataKey, KeyringError> {
        Err(refused())
    }
}
