use std::{
    io::Write,
    process::{Command, Stdio},
};

use gorgen_engine::{
    model::{KeyId, KeyPurpose, Scope, VaultId},
    testing::keyring_contract,
};
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::keyring::FileKeyring;

fn context() -> KeyContext {
    let key = KeyId::new(KeyPurpose::Rows, Scope::tenant("7"), Timestamp::UNIX_EPOCH, [1; 4]);
    KeyContext { vault: VaultId::new([7; 16]), key }
}

/// An identity that the official tool made, and its recipient as that tool tells it.
fn official(folder: &TempDir) -> (std::path::PathBuf, Recipient) {
    let path = folder.path().join("identity.txt");
    let made = Command::new("age-keygen").arg("-o").arg(&path).output().expect("age-keygen");
    assert!(made.status.success());
    let told = Command::new("age-keygen").arg("-y").arg(&path).output().expect("age-keygen");
    let recipient = String::from_utf8(told.stdout).unwrap().trim().parse().unwrap();
    (path, recipient)
}

fn keyring_of(folder: &TempDir, recipient: Recipient) -> WithRecipient {
    let file = FileKeyring::create(&folder.path().join("gorgen.key")).unwrap();
    WithRecipient::new(Arc::new(file), recipient)
}

/// The wrapping that the identity opens, of a new key.
async fn generate(keyring: &dyn Keyring, identity: &dyn Keyring) -> (DataKey, WrappedKey) {
    let (key, wrapped) = keyring.generate(&context()).await.unwrap();
    (key, wrapped.into_iter().find(|wrapped| identity.opens(wrapped)).unwrap())
}

#[tokio::test]
async fn both_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    keyring_contract(&IdentityKeyring::open(&path).unwrap()).await;
    keyring_contract(&keyring_of(&folder, recipient)).await;
}

#[tokio::test]
async fn every_key_opens_with_the_identity_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    let keyring = keyring_of(&folder, recipient.clone());
    let identity = IdentityKeyring::open(&path).unwrap();
    assert_eq!(identity.recipient(), recipient.to_string());
    let (key, wrapped) = generate(&keyring, &identity).await;
    assert_eq!((wrapped.by.as_str(), wrapped.wrapping_key), ("age", recipient.to_string()));
    let (key_again, again) = (key, keyring.wrap(&DataKey::new([9; 32]), &context()).await.unwrap());
    assert_eq!(again.len(), 2);
    let opened = identity.unwrap(&again[1], &context()).await.unwrap();
    assert_eq!(opened.bytes(), &[9; 32]);
    assert_ne!(key_again.bytes(), &[9; 32]);
}

#[tokio::test]
async fn the_official_tool_opens_what_was_wrapped() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    let keyring = keyring_of(&folder, recipient.clone());
    let (key, wrapped) = generate(&keyring, &IdentityKeyring::open(&path).unwrap()).await;
    let text = age(&["--decrypt", "--identity", path.to_str().unwrap()], &wrapped.ciphertext);
    assert_eq!(
        text,
        format!(
            "gorgen-backup:1:wrapped-key\n\
             {recipient}\n\
             gorgen:key=rows.t-7.19700101T000000Z-01010101\n\
             gorgen:purpose=rows\n\
             gorgen:vault=07070707070707070707070707070707\n\
             {}\n",
            BASE64_STANDARD.encode(key.bytes())
        )
        .into_bytes()
    );
}

#[tokio::test]
async fn what_the_official_tool_wrapped_opens_and_nothing_else_about_it_may_differ() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    let identity = IdentityKeyring::open(&path).unwrap();
    let right = format!(
        "{}\n{}\n",
        binding(&recipient.to_string(), &context()),
        BASE64_STANDARD.encode([5; 32])
    );
    let short = right.replace(&BASE64_STANDARD.encode([5; 32]), &BASE64_STANDARD.encode([5; 31]));
    for (text, opens) in [
        (right.clone(), true),
        (right.trim_end().to_owned(), false),
        (right.replace("purpose=rows", "purpose=naming"), false),
        (right.replace(":1:", ":2:"), false),
        (short, false),
        (String::new(), false),
    ] {
        let sealed = age(&["--recipient", &recipient.to_string()], &BASE64_STANDARD.encode(&text));
        let wrapped = WrappedKey {
            by: "age".to_owned(),
            wrapping_key: recipient.to_string(),
            ciphertext: BASE64_STANDARD.encode(sealed),
        };
        let opened = identity.unwrap(&wrapped, &context()).await;
        assert_eq!(opened.is_ok_and(|key| key.bytes() == &[5; 32]), opens, "{text:?}");
    }
}

#[tokio::test]
async fn damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    let identity = IdentityKeyring::open(&path).unwrap();
    let (_, wrapped) = generate(&keyring_of(&folder, recipient), &identity).await;
    let sealed = BASE64_STANDARD.decode(&wrapped.ciphertext).unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        for damaged in [&damaged[..], &sealed[..at]] {
            let damaged =
                WrappedKey { ciphertext: BASE64_STANDARD.encode(damaged), ..wrapped.clone() };
            assert!(identity.unwrap(&damaged, &context()).await.is_err(), "byte {at}");
        }
    }
}

#[test]
fn what_is_no_identity_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = official(&folder);
    let good = std::fs::read_to_string(&path).unwrap();
    let no_identity = "it holds no identity of age: a line that begins with AGE-SECRET-KEY-1";
    let encrypted = "it is encrypted: decrypt it first, with age --decrypt";
    for (content, reason) in [
        (String::new(), no_identity),
        ("# only a comment\n".to_owned(), no_identity),
        (recipient.to_string(), no_identity),
        (good.to_lowercase().replace("age-secret-key-1", "x"), no_identity),
        ("age-encryption.org/v1\n-> scrypt".to_owned(), encrypted),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n".to_owned(), encrypted),
        (format!("{good}{good}"), "it holds several identities of age: give a file with one"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = IdentityKeyring::open(&path).err().unwrap();
        assert_eq!(error.to_string(), format!("cannot use age://{}: {reason}", path.display()));
    }
    std::fs::remove_file(&path).unwrap();
    let error = IdentityKeyring::open(&path).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("cannot use age://{}: it cannot be read", path.display())
    );
}

/// What the official tool makes of these bytes, given as base64.
fn age(arguments: &[&str], input: &str) -> Vec<u8> {
    let mut tool = Command::new("age")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("age");
    let input = BASE64_STANDARD.decode(input).unwrap();
    tool.stdin.take().unwrap().write_all(&input).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
