//! Keyrings in KMS. The emulator does not authenticate what it decrypts: damage is the engine's to notice.

use aws_sdk_kms::{Client, types::KeySpec};
use gorgen_adapters::{aws::Aws, keyring, keyring::KmsKeyring, settings::KeyringUrl};
use gorgen_engine::{
    model::{KeyId, KeyPurpose, Scope, VaultId},
    ports::{DataKey, KeyContext, Keyring, KeyringError, WrappedKey},
    testing::keyring_contract,
};
use jiff::Timestamp;

use crate::{
    emulator::{REGION, aws, chain, config, endpoint, fresh_name},
    proxy::{Fault, Proxy, REQUEST_ID},
};

const OTHER_REGION: &str = "us-east-1";

fn context() -> KeyContext {
    let key = KeyId::new(KeyPurpose::Rows, Scope::Shared, Timestamp::UNIX_EPOCH, [1; 4]);
    KeyContext { vault: VaultId::new([7; 16]), key }
}

async fn client() -> Client {
    Client::new(&config(&endpoint()).await)
}

/// Makes a key, and returns its ARN.
async fn make_key(client: &Client, multi_region: bool) -> String {
    let request =
        client.create_key().key_spec(KeySpec::SymmetricDefault).multi_region(multi_region);
    request.send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}

async fn open(key: &str) -> KmsKeyring {
    KmsKeyring::open(key, &aws(&endpoint()).await).await.unwrap()
}

/// A new key, and the one wrapping of it.
async fn generate(keyring: &dyn Keyring) -> (DataKey, WrappedKey) {
    let (key, wrapped) = keyring.generate(&context()).await.unwrap();
    let [wrapped] = wrapped.try_into().unwrap();
    (key, wrapped)
}

/// The refusal of a new key.
async fn refusal(keyring: &KmsKeyring) -> KeyringError {
    keyring.generate(&context()).await.unwrap_err()
}

#[tokio::test]
async fn a_kms_key_keeps_the_contract_by_arn_and_by_alias() {
    let client = client().await;
    let arn = make_key(&client, false).await;
    let alias = format!("alias/{}", fresh_name("gorgen"));
    client.create_alias().alias_name(&alias).target_key_id(&arn).send().await.unwrap();
    for key in [&arn, &alias] {
        let url: KeyringUrl = format!("kms:{key}").parse().unwrap();
        let keyring = keyring::open(&url, &aws(&endpoint()).await).await.unwrap();
        assert_eq!(keyring.describe(), format!("kms:{key}"));
        keyring_contract(keyring.as_ref()).await;
        let (_, wrapped) = generate(keyring.as_ref()).await;
        assert_eq!((wrapped.by.as_str(), &wrapped.wrapping_key), ("kms", &arn));
    }
}

#[tokio::test]
async fn what_one_key_wrapped_opens_after_the_alias_moved_to_another() {
    let client = client().await;
    let (old, new) = (make_key(&client, false).await, make_key(&client, false).await);
    let alias = format!("alias/{}", fresh_name("gorgen"));
    client.create_alias().alias_name(&alias).target_key_id(&old).send().await.unwrap();
    let keyring = open(&alias).await;
    let (key, wrapped) = generate(&keyring).await;
    client.update_alias().alias_name(&alias).target_key_id(&new).send().await.unwrap();
    let (_, later) = generate(&keyring).await;
    assert_eq!((&wrapped.wrapping_key, &later.wrapping_key), (&old, &new));
    assert_eq!(keyring.unwrap(&wrapped, &context()).await.unwrap().bytes(), key.bytes());
}

#[tokio::test]
async fn a_replica_in_another_region_opens_what_the_first_wrapped() {
    let client = client().await;
    let arn = make_key(&client, true).await;
    let id = arn.rsplit_once('/').unwrap().1;
    assert!(id.starts_with("mrk-"), "{arn}");
    client.replicate_key().key_id(&arn).replica_region(OTHER_REGION).send().await.unwrap();
    let (key, wrapped) = generate(&open(&arn).await).await;
    let replica = open(&arn.replace(REGION, OTHER_REGION)).await;
    assert!(replica.opens(&wrapped));
    assert_eq!(replica.unwrap(&wrapped, &context()).await.unwrap().bytes(), key.bytes());
}

#[tokio::test]
async fn a_key_that_cannot_be_used_says_why() {
    let client = client().await;
    let (disabled, dying) = (make_key(&client, false).await, make_key(&client, false).await);
    let keyring = open(&disabled).await;
    let (_, wrapped) = generate(&keyring).await;
    client.disable_key().key_id(&disabled).send().await.unwrap();
    client.schedule_key_deletion().key_id(&dying).pending_window_in_days(7).send().await.unwrap();
    let missing = "alias/no-such-key";
    for (error, key, reason) in [
        (refusal(&keyring).await, disabled.as_str(), "the KMS key is disabled; enable it in KMS"),
        (
            keyring.unwrap(&wrapped, &context()).await.unwrap_err(),
            &disabled,
            "the KMS key is disabled; enable it in KMS",
        ),
        (
            refusal(&open(&dying).await).await,
            &dying,
            "the state of the KMS key forbids its use (is it pending deletion?)",
        ),
        (refusal(&open(missing).await).await, missing, "there is no such KMS key in sa-east-1"),
    ] {
        assert_eq!(error.to_string(), format!("cannot use kms:{key}: {reason}"));
        assert!(!error.is_retryable());
        assert!(std::error::Error::source(&error).is_some(), "AWS's own words");
    }
}

#[tokio::test]
async fn denied_access_is_told_with_amazons_words() {
    let denied = Fault::Answer(
        "400 Bad Request",
        "application/x-amz-json-1.1",
        "{\"__type\":\"AccessDeniedException\",\"message\":\"User: x is not authorized to perform: kms:GenerateDataKey\"}",
    );
    let proxy = Proxy::start("POST", &[denied]);
    let keyring = KmsKeyring::open("alias/gorgen", &aws(&proxy.endpoint).await).await.unwrap();
    assert_eq!(
        chain(&refusal(&keyring).await),
        format!(
            "cannot use kms:alias/gorgen: access denied by the policy of the key or of the caller: \
             AccessDeniedException: User: x is not authorized to perform: kms:GenerateDataKey \
             (request {REQUEST_ID})"
        )
    );
}

#[tokio::test]
async fn without_a_region_there_is_no_alias_but_an_arn_has_its_own() {
    let nowhere = Aws::with_config(config(&endpoint()).await.to_builder().region(None).build());
    let error = KmsKeyring::open("alias/gorgen", &nowhere).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use kms:alias/gorgen: no AWS region is set (AWS_REGION, or the region of an AWS profile)"
    );
    let arn = make_key(&client().await, false).await;
    let keyring = KmsKeyring::open(&arn, &nowhere).await.unwrap();
    keyring.generate(&context()).await.unwrap();
}
