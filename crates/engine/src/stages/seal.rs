//! Sealing: AES-256-GCM, each seal bound to its vault, kind, key and name.
//!
//! A sealed text is a nonce of 12 bytes, the ciphertext, and a tag of 16. What it is bound to is not
//! stored but given again when it is opened, so that a seal that was moved, renamed or swapped for
//! another does not open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time, hmac,
};

use crate::{
    error::FormatError,
    model::{ChunkId, KeyId, VaultId},
    ports::{DataKey, Entropy, random},
};

/// Bytes that sealing adds.
pub const OVERHEAD: usize = NONCE_LEN + 16;

/// What a seal is bound to, besides its key.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The vault.
    pub vault: VaultId,
    /// What is sealed: `chunk`, `toc` or `manifest`.
    pub kind: &'static str,
    /// Its name: the chunk's, pack's or backup's id.
    pub name: &'a str,
    /// Clear bytes that must be as they were, e.g. a manifest's header.
    pub beside: &'a [u8],
}

impl Binding<'_> {
    fn aad(&self, key: &KeyId) -> Vec<u8> {
        let Self { vault, kind, name, beside } = self;
        let mut aad = format!("gorgen-backup:1:{vault}:{kind}:{key}:{name}:").into_bytes();
        aad.extend_from_slice(beside);
        aad
    }
}

/// A data key ready for use.
pub struct SealingKey {
    id: KeyId,
    aead: LessSafeKey,
}

impl SealingKey {
    /// The key with this id and these bytes.
    ///
    /// # Panics
    /// Never: AES-256 takes every key of 32 bytes.
    pub fn new(id: KeyId, key: &DataKey) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a data key has 32 bytes");
        Self { id, aead: LessSafeKey::new(unbound) }
    }

    /// The key's id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Seals `text` under a fresh random nonce.
    ///
    /// # Panics
    /// Never: AES-GCM seals everything below 64 GiB.
    pub fn seal(&self, text: &[u8], binding: Binding<'_>, entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random(entropy);
        let mut sealed = Vec::with_capacity(text.len() + OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let tag = self
            .aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding.aad(&self.id)),
                &mut sealed[NONCE_LEN..],
            )
            .expect("a text below 64 GiB can be sealed");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what was sealed under the same binding.
    ///
    /// # Errors
    /// [`FormatError::Seal`] if anything at all differs from what was sealed.
    pub fn open(&self, sealed: &[u8], binding: Binding<'_>) -> Result<Vec<u8>, FormatError> {
        let mut text = Vec::new();
        self.open_into(sealed, binding, &mut text)?;
        Ok(text)
    }

    /// The same, in the place of what `text` held.
    ///
    /// # Errors
    /// As [`Self::open`]; `text` means nothing then.
    pub fn open_into(
        &self,
        sealed: &[u8],
        binding: Binding<'_>,
        text: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let broken = || FormatError::Seal { kind: binding.kind, name: binding.name.to_owned() };
        let (nonce, hidden) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        text.clear();
        text.extend_from_slice(hidden);
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(binding.aad(&self.id)), &mut *text)
            .map_err(|_| broken())?
            .len();
        text.truncate(length);
        Ok(())
    }
}

/// Names chunks by their content, in a way that tells nothing to those without the key.
pub struct NamingKey(DataKey);

impl NamingKey {
    /// The naming key with these bytes.
    pub fn new(key: DataKey) -> Self {
        Self(key)
    }

    /// The name of a chunk: the first 16 bytes of keyed BLAKE3 over its canonical rows.
    pub fn name(&self, rows: &[u8]) -> ChunkId {
        ChunkId::new(first(blake3::keyed_hash(self.0.bytes(), rows).as_bytes()))
    }
}

/// The first 16 bytes of HMAC-SHA-256 over a fixed text: tells whether an unwrapped key is the right one, whatever the keyring says.
pub fn key_check(id: &KeyId, key: &DataKey) -> [u8; 16] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
    first(hmac::sign(&key, format!("gorgen-backup:1:key-check:{id}").as_bytes()).as_ref())
}

/// Are two key checks the same? Takes the same time either way.
pub fn same_check(one: &[u8; 16], other: &[u8; 16]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

fn first(tag: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&tag[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::{KeyPurpose, Scope},
        testing::SeededEntropy,
    };

    fn key(byte: u8) -> SealingKey {
        let id =
            KeyId::new(KeyPurpose::Rows, Scope::Shared, jiff::Timestamp::UNIX_EPOCH, [byte; 4]);
        SealingKey::new(id, &DataKey::new([byte; 32]))
    }

    fn binding(name: &str) -> Binding<'_> {
        Binding { vault: VaultId::new([7; 16]), kind: "chunk", name, beside: b"header" }
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_nothing_else(
            text in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8_u8
        ) {
            let sealed = key(1).seal(&text, binding("a"), &SeededEntropy::new(3));
            prop_assert_eq!(sealed.len(), text.len() + OVERHEAD);
            prop_assert_eq!(key(1).open(&sealed, binding("a")).unwrap(), text);

            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert!(key(1).open(&flipped, binding("a")).is_err());
            prop_assert!(key(1).open(&sealed[..at.index(sealed.len())], binding("a")).is_err());
        }
    }

    #[test]
    fn a_seal_opens_only_where_it_belongs() {
        let sealed = key(1).seal(b"text", binding("a"), &SeededEntropy::new(3));
        assert!(key(2).open(&sealed, binding("a")).is_err(), "another key");
        assert!(key(1).open(&sealed, binding("b")).is_err(), "another name");
        let moved = Binding { vault: VaultId::new([8; 16]), ..binding("a") };
        assert!(key(1).open(&sealed, moved).is_err(), "another vault");
        let kind = Binding { kind: "toc", ..binding("a") };
        assert!(key(1).open(&sealed, kind).is_err(), "another kind");
        let beside = Binding { beside: b"Header", ..binding("a") };
        assert!(key(1).open(&sealed, beside).is_err(), "another header");
    }

    #[test]
    fn nonces_never_repeat() {
        let entropy = SeededEntropy::new(3);
        let one = key(1).seal(b"text", binding("a"), &entropy);
        let two = key(1).seal(b"text", binding("a"), &entropy);
        assert_ne!(one[..NONCE_LEN], two[..NONCE_LEN]);
    }
}
