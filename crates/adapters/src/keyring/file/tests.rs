use std::{error::Error, fs, fs::Permissions};

use gorgen_engine::{
    model::{KeyId, KeyPurpose, Scope, VaultId},
    testing::{SeededEntropy, keyring_contract},
};
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gorgen.key");
    (folder, path)
}

fn context() -> KeyContext {
    let key = KeyId::new(KeyPurpose::Rows, Scope::tenant("7"), Timestamp::UNIX_EPOCH, [1; 4]);
    KeyContext { vault: VaultId::new([7; 16]), key }
}

/// The refusal's text after the file's name, and its cause's.
fn refusal(path: &Path) -> (String, String) {
    let error = FileKeyring::open(path).unwrap_err();
    let start = format!("cannot use file://{}: ", path.display());
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    (error.to_string().strip_prefix(&start).unwrap().to_owned(), cause)
}

/// A new key, and the one wrapping of it.
async fn generate(keyring: &FileKeyring) -> (DataKey, WrappedKey) {
    let (key, wrapped) = keyring.generate(&context()).await.unwrap();
    let [wrapped] = wrapped.try_into().unwrap();
    (key, wrapped)
}

#[tokio::test]
async fn a_key_file_keeps_the_contract() {
    let (_folder, path) = place();
    keyring_contract(&FileKeyring::create(&path).unwrap()).await;
}

#[tokio::test]
async fn what_was_wrapped_opens_after_the_file_is_read_again() {
    let (_folder, path) = place();
    let made = FileKeyring::create(&path).unwrap();
    let (key, wrapped) = generate(&made).await;
    let read = FileKeyring::open(&path).unwrap();
    assert_eq!(read.id(), made.id());
    assert_eq!(read.unwrap(&wrapped, &context()).await.unwrap().bytes(), key.bytes());
}

#[tokio::test]
async fn another_file_does_not_open_it_and_damage_is_noticed() {
    let ((_folder, path), (_other_folder, other_path)) = (place(), place());
    let keyring = FileKeyring::create(&path).unwrap();
    let other = FileKeyring::create(&other_path).unwrap();
    let (_, wrapped) = generate(&keyring).await;
    assert!(!other.opens(&wrapped));
    let error = other.unwrap(&wrapped, &context()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("data key {} does not open with file://{}", context().key, other_path.display())
    );
    let sealed = BASE64_STANDARD.decode(&wrapped.ciphertext).unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        for damaged in [&damaged[..], &sealed[..at]] {
            let damaged =
                WrappedKey { ciphertext: BASE64_STANDARD.encode(damaged), ..wrapped.clone() };
            assert!(keyring.unwrap(&damaged, &context()).await.is_err(), "byte {at}");
        }
    }
}

/// What other readers rely on, byte for byte; the expected values were made by another implementation (Python).
#[test]
fn the_layout_is_the_documented_one() {
    let (_folder, path) = place();
    let keyring = create(&path, &SeededEntropy::new(1)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        "{\"format\":1,\"id\":\"65a952edd62339b8\",\"key\":\"wVwCiewtCpFn7I5loY3rvl5VMvvuopP4C8lC7pCGwXE=\"}\n"
    );
    let aad = keyring.additional_data(&context());
    assert_eq!(
        str::from_utf8(aad.as_ref()).unwrap(),
        "gorgen-backup:1:wrapped-key\n\
         65a952edd62339b8\n\
         gorgen:key=rows.t-7.19700101T000000Z-01010101\n\
         gorgen:purpose=rows\n\
         gorgen:vault=07070707070707070707070707070707"
    );
    let wrapped = keyring.wrap_under(&DataKey::new([5; 32]), &context(), [9; NONCE_LEN]).unwrap();
    assert_eq!(
        wrapped,
        "CQkJCQkJCQkJCQkJBUK7AHW/YVUWTBALexhdzR5Dm4P2MmLDCF5TRWoajF9fp3W+76NXgePjdiaAzFVc"
    );
    assert_eq!(keyring.open_wrapped(&wrapped, &context()).unwrap().bytes(), &[5; 32]);
}

#[test]
fn a_key_file_is_never_overwritten() {
    let (_folder, path) = place();
    FileKeyring::create(&path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = FileKeyring::create(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot use file://{}: there is a file already, and it is left as it is: name another one",
            path.display()
        )
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_private_key_file_is_refused() {
    let (_folder, path) = place();
    let (reason, cause) = refusal(&path);
    assert_eq!(reason, "it cannot be read");
    assert_eq!(cause, "No such file or directory (os error 2)");

    let unwritable = FileKeyring::create(&path.join("x")).unwrap_err();
    assert!(unwritable.to_string().contains(": it cannot be written"), "{unwritable}");

    FileKeyring::create(&path).unwrap();
    for (mode, shown) in [(0o644, "0644"), (0o640, "0640"), (0o606, "0606")] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let expected = format!(
            "others than its owner have access to it (mode {shown}): run chmod 600 {}",
            path.display()
        );
        assert_eq!(refusal(&path), (expected, String::new()));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    FileKeyring::open(&path).unwrap();

    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let other_key = BASE64_STANDARD.encode([1; KEY_LEN]);
    for (text, expected) in [
        (String::new(), "it is no key file, or damaged"),
        (good[..40].to_owned(), "it is no key file, or damaged"),
        ("\"segredo\"".to_owned(), "it is no key file, or damaged"),
        (good.replace("\"key\":\"", "\"key\":\"A"), "it is no key file, or damaged"),
        (
            good.replace("\"format\":1", "\"format\":2"),
            "it is a key file of format 2; this program reads format 1",
        ),
        (
            format!("{},\"key\":\"{other_key}\"}}", good.split(",\"key\"").next().unwrap()),
            "it is damaged: its key is not the one of its id",
        ),
    ] {
        fs::write(&path, &text).unwrap();
        assert_eq!(refusal(&path), (expected.to_owned(), String::new()), "{text}");
    }
}
