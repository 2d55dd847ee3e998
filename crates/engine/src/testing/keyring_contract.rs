//! What every keyring must do.

use jiff::Timestamp;

use crate::{
    model::{KeyId, KeyPurpose, Scope, VaultId},
    ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey},
};

/// A context to wrap under.
pub(super) fn context() -> KeyContext {
    let key = KeyId::new(KeyPurpose::Rows, Scope::tenant("7.ã"), Timestamp::UNIX_EPOCH, [1; 4]);
    KeyContext { vault: VaultId::new([7; 16]), key }
}

/// Asserts every guarantee of [`Keyring`]. It does not damage wrappings: a keyring need not notice.
pub async fn keyring_contract(keyring: &dyn Keyring) {
    a_wrapped_key_opens_again_and_again(keyring).await;
    a_key_that_is_there_is_wrapped_as_a_new_one_is(keyring).await;
    keys_are_new_each_time(keyring).await;
    a_wrapping_opens_only_under_its_context(keyring).await;
    what_is_no_wrapping_does_not_open(keyring).await;
    wrappings_of_others_are_left_to_them(keyring).await;
}

/// A new key, and the wrapping of it that the keyring itself opens.
async fn generate(keyring: &dyn Keyring) -> (DataKey, WrappedKey) {
    let (key, wrapped) = keyring.generate(&context()).await.expect("a new key");
    (key, ours(keyring, wrapped))
}

fn ours(keyring: &dyn Keyring, wrapped: Vec<WrappedKey>) -> WrappedKey {
    let mut ours = wrapped.into_iter().filter(|wrapped| keyring.opens(wrapped));
    let one = ours.next().expect("a keyring opens what it wrapped");
    assert!(ours.next().is_none(), "one wrapping for itself is enough");
    one
}

async fn a_key_that_is_there_is_wrapped_as_a_new_one_is(keyring: &dyn Keyring) {
    let (_, made) = keyring.generate(&context()).await.expect("a new key");
    let key = DataKey::new([9; 32]);
    let wrapped = keyring.wrap(&key, &context()).await.expect("wrappings");
    let names = |wrapped: &[WrappedKey]| -> Vec<(String, String)> {
        wrapped.iter().map(|one| (one.by.clone(), one.wrapping_key.clone())).collect()
    };
    assert_eq!(names(&wrapped), names(&made), "by the same keys");
    let opened = keyring.unwrap(&ours(keyring, wrapped), &context()).await.expect("the same key");
    assert_eq!(opened.bytes(), key.bytes());
}

async fn a_wrapped_key_opens_again_and_again(keyring: &dyn Keyring) {
    let (key, wrapped) = generate(keyring).await;
    let kept = serde_json::to_string(&wrapped).expect("a wrapping as JSON");
    let kept: WrappedKey = serde_json::from_str(&kept).expect("a wrapping out of JSON");
    for _ in 0..2 {
        let opened = keyring.unwrap(&kept, &context()).await.expect("the same key");
        assert_eq!(opened.bytes(), key.bytes(), "the key that was wrapped");
    }
}

async fn keys_are_new_each_time(keyring: &dyn Keyring) {
    let (one, wrapped_one) = generate(keyring).await;
    let (two, wrapped_two) = generate(keyring).await;
    assert_ne!(one.bytes(), two.bytes(), "each key is drawn anew");
    assert_ne!(one.bytes(), &[0; 32], "a key is not empty");
    assert_ne!(wrapped_one.ciphertext, wrapped_two.ciphertext);
}

async fn a_wrapping_opens_only_under_its_context(keyring: &dyn Keyring) {
    let (_, wrapped) = generate(keyring).await;
    let other_vault = KeyContext { vault: VaultId::new([8; 16]), ..context() };
    let other_key = |purpose, scope| KeyContext {
        key: KeyId::new(purpose, scope, Timestamp::UNIX_EPOCH, [1; 4]),
        ..context()
    };
    let other_contexts = [
        other_vault,
        other_key(KeyPurpose::Manifest, Scope::tenant("7.ã")),
        other_key(KeyPurpose::Rows, Scope::Shared),
    ];
    for other in &other_contexts {
        let refused = keyring.unwrap(&wrapped, other).await;
        assert!(
            matches!(&refused, Err(KeyringError::DoesNotOpen { key, .. }) if *key == other.key),
            "opened under another context, or failed otherwise: {refused:?}"
        );
    }
}

async fn what_is_no_wrapping_does_not_open(keyring: &dyn Keyring) {
    let (_, wrapped) = generate(keyring).await;
    for nonsense in ["", "no base64!", "AAAA"] {
        let nonsense = WrappedKey { ciphertext: nonsense.to_owned(), ..wrapped.clone() };
        let refused = keyring.unwrap(&nonsense, &context()).await;
        assert!(
            matches!(refused, Err(KeyringError::DoesNotOpen { .. })),
            "{:?} is no wrapping: {refused:?}",
            nonsense.ciphertext
        );
    }
}

async fn wrappings_of_others_are_left_to_them(keyring: &dyn Keyring) {
    let (_, wrapped) = generate(keyring).await;
    let foreign = WrappedKey { by: "another".to_owned(), ..wrapped };
    assert!(!keyring.opens(&foreign), "a wrapping by another kind of keyring");
}
