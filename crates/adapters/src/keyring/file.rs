//! A keyring in a file, for where there is no AWS: one key that wraps all others.
//!
//! The file is JSON: `{"format": 1, "id": "<16 hex digits>", "key": "<base64 of 32 bytes>"}`. The id is the
//! first 8 bytes of HMAC-SHA-256, under the key, of the text `gorgen-backup:1:key-file`, so that a damaged
//! file is noticed. Nobody but its owner may have access to it.
//!
//! A wrapped key has `by` = `file` and `wrapping_key` = the file's id. Its `ciphertext` is the base64 of a
//! nonce of 12 bytes, the 32 bytes of the data key encrypted with AES-256-GCM, and the tag of 16 bytes. The
//! additional data are these five lines, joined by one line feed each, with none at the end:
//!
//! ```text
//! gorgen-backup:1:wrapped-key
//! <the file's id>
//! gorgen:key=<the data key's id>
//! gorgen:purpose=<the data key's purpose>
//! gorgen:vault=<the vault's id>
//! ```

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hmac,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use gorgen_engine::ports::{DataKey, Entropy, KeyContext, Keyring, KeyringError, WrappedKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{binding, new_key};
use crate::{ambient::SystemEntropy, disk};

const KIND: &str = "file";
const FORMAT: u32 = 1;
const KEY_LEN: usize = 32;
const ID_LEN: usize = 8;

/// What nobody but the owner may do, as bits of a file's mode.
const OTHERS: u32 = 0o077;

/// A keyring in a file.
#[derive(Debug)]
pub struct FileKeyring {
    path: PathBuf,
    id: String,
    key: LessSafeKey,
}

/// Why a key file can't be used, in words for the operator.
#[derive(Debug, thiserror::Error)]
enum KeyFileError {
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("it cannot be written (its folder must be there)")]
    Unwritable(#[source] io::Error),
    #[error("there is a file already, and it is left as it is: name another one")]
    Exists,
    #[error("others than its owner have access to it (mode {mode:04o}): run chmod 600 {}", path.display())]
    Open { path: PathBuf, mode: u32 },
    // The parser's own error could show a part of the key.
    #[error("it is no key file, or damaged")]
    Malformed,
    #[error("it is a key file of format {0}; this program reads format {FORMAT}")]
    Format(u32),
    #[error("it is damaged: its key is not the one of its id")]
    OtherKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u32,
    id: String,
    key: String,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl FileKeyring {
    /// Reads a key file.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        read(path).map_err(|error| unusable(path, error))
    }

    /// Makes a key file with a new key, readable by its owner only.
    pub fn create(path: &Path) -> Result<Self, KeyringError> {
        create(path, &SystemEntropy).map_err(|error| unusable(path, error))
    }

    /// The id of the file's key, which is not secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn new(path: &Path, key: &[u8; KEY_LEN]) -> Result<Self, KeyFileError> {
        let unbound = UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyFileError::OtherKey)?;
        Ok(Self { path: path.to_owned(), id: id_of(key), key: LessSafeKey::new(unbound) })
    }

    fn additional_data(&self, context: &KeyContext) -> Aad<Vec<u8>> {
        Aad::from(binding(&self.id, context).into_bytes())
    }

    fn wrap_under(
        &self,
        key: &DataKey,
        context: &KeyContext,
        nonce: [u8; NONCE_LEN],
    ) -> Result<String, Unspecified> {
        let mut text = Zeroizing::new(*key.bytes());
        let aad = self.additional_data(context);
        let unique = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(unique, aad, &mut text[..])?;
        Ok(BASE64_STANDARD.encode([&nonce[..], &text[..], tag.as_ref()].concat()))
    }

    fn open_wrapped(&self, ciphertext: &str, context: &KeyContext) -> Option<DataKey> {
        let mut sealed = Zeroizing::new(BASE64_STANDARD.decode(ciphertext).ok()?);
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = self.key.open_in_place(nonce, self.additional_data(context), text).ok()?;
        Some(DataKey::new(*key.first_chunk().filter(|whole| whole.len() == key.len())?))
    }
}

#[async_trait]
impl Keyring for FileKeyring {
    fn describe(&self) -> String {
        describe(&self.path)
    }

    fn opens(&self, wrapped: &WrappedKey) -> bool {
        wrapped.by == KIND && wrapped.wrapping_key == self.id
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
        let mut nonce = [0; NONCE_LEN];
        SystemEntropy.fill(&mut nonce);
        let ciphertext =
            self.wrap_under(key, context, nonce).map_err(|error| KeyringError::Unusable {
                keyring: self.describe(),
                reason: "a key could not be wrapped".to_owned(),
                retryable: false,
                source: Some(Box::new(error)),
            })?;
        Ok(vec![WrappedKey { by: KIND.to_owned(), wrapping_key: self.id.clone(), ciphertext }])
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
        self.open_wrapped(&wrapped.ciphertext, context).ok_or_else(does_not_open)
    }
}

fn describe(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn unusable(path: &Path, error: KeyFileError) -> KeyringError {
    let (reason, source) = (error.to_string(), cause(error));
    KeyringError::Unusable { keyring: describe(path), reason, retryable: false, source }
}

/// What the error itself does not tell.
fn cause(error: KeyFileError) -> Option<Box<dyn std::error::Error + Send + Sync>> {
    match error {
        KeyFileError::Unreadable(error) | KeyFileError::Unwritable(error) => Some(Box::new(error)),
        _ => None,
    }
}

fn read(path: &Path) -> Result<FileKeyring, KeyFileError> {
    let text = read_private(path)?;
    let file: KeyFile = serde_json::from_slice(&text).map_err(|_| KeyFileError::Malformed)?;
    if file.format != FORMAT {
        return Err(KeyFileError::Format(file.format));
    }
    let key = decode(&file.key).ok_or(KeyFileError::Malformed)?;
    if id_of(&key) != file.id {
        return Err(KeyFileError::OtherKey);
    }
    FileKeyring::new(path, &key)
}

/// Reads a file that nobody but its owner has access to.
fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut file = File::open(path).map_err(KeyFileError::Unreadable)?;
    let mode = file.metadata().map_err(KeyFileError::Unreadable)?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode: mode & 0o7777 });
    }
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(KeyFileError::Unreadable)?;
    Ok(text)
}

fn create(path: &Path, entropy: &dyn Entropy) -> Result<FileKeyring, KeyFileError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    entropy.fill(&mut key[..]);
    let file = KeyFile { format: FORMAT, id: id_of(&key), key: BASE64_STANDARD.encode(&key[..]) };
    let mut text = Zeroizing::new(serde_json::to_vec(&file).map_err(|_| KeyFileError::Malformed)?);
    text.push(b'\n');
    disk::create(path, &text, disk::MODE_PRIVATE).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists,
        _ => KeyFileError::Unwritable(error),
    })?;
    FileKeyring::new(path, &key)
}

fn decode(text: &str) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

fn id_of(key: &[u8; KEY_LEN]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, b"gorgen-backup:1:key-file");
    hex::encode(&tag.as_ref()[..ID_LEN])
}

#[cfg(test)]
mod tests;
