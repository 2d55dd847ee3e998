//! Vaults in S3.

use aws_sdk_s3::types::CreateBucketConfiguration;
use bytes::Bytes;
use futures::{StreamExt, stream};
use gorgen_adapters::{settings::VaultUrl, vault, vault::S3Vault};
use gorgen_engine::{
    model::ObjectName,
    ports::{Copied, Revision, Vault, VaultError},
    testing::vault_contract,
};

use crate::{
    emulator::{REGION, aws, chain, config, endpoint, fresh_name},
    proxy::{Fault, Proxy, REQUEST_ID},
};

const XML: &str = "application/xml";
const CONFLICT: Fault = Fault::Answer(
    "409 Conflict",
    XML,
    "<Error><Code>ConditionalRequestConflict</Code><Message>A conflicting operation.</Message></Error>",
);
const UNAVAILABLE: Fault = Fault::Answer(
    "503 Slow Down",
    XML,
    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
);
const DENIED: Fault = Fault::Answer(
    "403 Forbidden",
    XML,
    "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized to perform: \
     s3:PutObject</Message></Error>",
);

fn name(text: &str) -> ObjectName {
    ObjectName::from_listing(text).unwrap()
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn bucket() -> String {
    let bucket = fresh_name("vault");
    let client = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&config(&endpoint()).await)
            .force_path_style(true)
            .build(),
    );
    let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
    client.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    bucket
}

async fn vault_at(endpoint: &str, bucket: &str) -> S3Vault {
    S3Vault::open(bucket, "clinica/prod", &aws(endpoint).await).await.unwrap()
}

async fn vault() -> S3Vault {
    vault_at(&endpoint(), &bucket().await).await
}

#[tokio::test]
async fn a_bucket_keeps_the_contract() {
    let bucket = bucket().await;
    for url in [format!("s3://{bucket}"), format!("s3://{bucket}/a/b")] {
        let url: VaultUrl = url.parse().unwrap();
        let vault = vault::open(&url, &aws(&endpoint()).await).await.unwrap();
        assert_eq!(vault.describe(), url.to_string());
        vault_contract(vault.as_ref()).await;
    }
}

#[tokio::test]
async fn vaults_of_one_bucket_do_not_see_each_other() {
    let (bucket, aws) = (bucket().await, aws(&endpoint()).await);
    let open = async |prefix| S3Vault::open(&bucket, prefix, &aws).await.unwrap();
    let (one, two, whole) = (open("one").await, open("on").await, open("").await);
    one.put(&name("packs/a.pack"), text("1")).await.unwrap();
    assert_eq!(two.list("").await.unwrap(), []);
    assert_eq!(whole.list("").await.unwrap()[0].name, name("one/packs/a.pack"));
    two.put(&name("packs/a.pack"), text("2")).await.unwrap();
    assert_eq!(one.get(&name("packs/a.pack")).await.unwrap(), "1");
}

#[tokio::test]
async fn a_list_goes_on_after_its_first_thousand() {
    let vault = vault().await;
    let names: Vec<_> = (0..1_003).map(|number| name(&format!("packs/{number:04}"))).collect();
    stream::iter(&names)
        .for_each_concurrent(16, async |name| {
            vault.put(name, Bytes::new()).await.unwrap();
        })
        .await;
    let listed = vault.list("packs/").await.unwrap();
    assert!(listed.iter().map(|info| &info.name).eq(&names), "{} listed", listed.len());
}

#[tokio::test]
async fn names_with_percent_signs_and_the_like_stay_what_they_are() {
    let vault = vault().await;
    let odd = name("keys/rows.t-7%2Ea%20+b c&d=e.20261101T000000Z-00000000.json");
    vault.put(&odd, text("key")).await.unwrap();
    assert_eq!(vault.list("keys/").await.unwrap()[0].name, odd);
    assert_eq!(vault.get(&odd).await.unwrap(), "key");
}

#[tokio::test]
async fn how_far_the_copy_of_an_object_is_is_what_s3_says_of_it() {
    let bucket = bucket().await;
    let there = name("manifests/a.manifest");
    let vault = vault_at(&endpoint(), &bucket).await;
    vault.put(&there, text("a")).await.unwrap();
    assert_eq!(vault.copied(&there).await.unwrap(), None, "no rule copies it");
    let missing = vault.copied(&name("manifests/b.manifest")).await.unwrap_err();
    assert!(matches!(missing, VaultError::Missing { .. }), "{}", chain(&missing));
    for (header, expected) in [
        ("application/xml\r\nx-amz-replication-status: COMPLETED", Some(Copied::Done)),
        ("application/xml\r\nx-amz-replication-status: PENDING", Some(Copied::Waiting)),
        ("application/xml\r\nx-amz-replication-status: FAILED", Some(Copied::Failed)),
        ("application/xml\r\nx-amz-replication-status: REPLICA", None),
    ] {
        let proxy = Proxy::start("HEAD", &[Fault::Answer("200 OK", header, "")]);
        let vault = vault_at(&proxy.endpoint, &bucket).await;
        assert_eq!(vault.copied(&there).await.unwrap(), expected, "{header}");
    }
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_has_succeeded() {
    for faults in [
        &[Fault::AnswerLost][..],
        &[UNAVAILABLE, Fault::AnswerLost],
        &[Fault::AnswerLost, CONFLICT],
    ] {
        let proxy = Proxy::start("PUT", faults);
        let vault = vault_at(&proxy.endpoint, &bucket().await).await;
        vault.put(&name("packs/a.pack"), text("content")).await.unwrap();
        assert_eq!(proxy.seen(), faults.len() + 1);
        assert_eq!(vault.get(&name("packs/a.pack")).await.unwrap(), "content");
    }
}

#[tokio::test]
async fn a_repeated_put_is_refused_by_what_others_wrote() {
    let bucket = bucket().await;
    let name = name("packs/a.pack");
    vault_at(&endpoint(), &bucket).await.put(&name, text("theirs")).await.unwrap();
    let proxy = Proxy::start("PUT", &[UNAVAILABLE]);
    let refused = vault_at(&proxy.endpoint, &bucket).await.put(&name, text("ours")).await;
    assert!(matches!(refused, Err(VaultError::Exists { .. })), "{refused:?}");
    assert_eq!(proxy.seen(), 2);
}

#[tokio::test]
async fn a_swap_whose_answer_was_lost_has_succeeded() {
    let bucket = bucket().await;
    let lock = ObjectName::lock();
    let direct = vault_at(&endpoint(), &bucket).await;
    let proxy = Proxy::start("PUT", &[Fault::AnswerLost]);
    let vault = vault_at(&proxy.endpoint, &bucket).await;
    let first = vault.swap(&lock, None, text("1")).await.unwrap();
    assert_eq!(direct.read(&lock).await.unwrap(), Some((text("1"), first.clone())));

    let proxy = Proxy::start("PUT", &[Fault::AnswerLost]);
    let vault = vault_at(&proxy.endpoint, &bucket).await;
    let second = vault.swap(&lock, Some(&first), text("2")).await.unwrap();
    assert_eq!(direct.read(&lock).await.unwrap(), Some((text("2"), second.clone())));

    let proxy = Proxy::start("PUT", &[CONFLICT]);
    let vault = vault_at(&proxy.endpoint, &bucket).await;
    let late = vault.swap(&lock, Some(&first), text("3")).await;
    assert!(matches!(late, Err(VaultError::Changed { .. })), "{late:?}");
    vault.swap(&lock, Some(&second), text("4")).await.unwrap();
}

#[tokio::test]
async fn what_does_not_pass_is_tried_five_times_and_said_to_be_worth_another_try() {
    let proxy = Proxy::start("PUT", &[UNAVAILABLE; 9]);
    let vault = vault_at(&proxy.endpoint, &bucket().await).await;
    let error = vault.put(&name("packs/a.pack"), text("x")).await.unwrap_err();
    assert_eq!(proxy.seen(), 5);
    assert!(error.is_retryable());
    let place = vault.describe();
    assert_eq!(
        chain(&error),
        format!(
            "cannot write packs/a.pack in {place}: SlowDown: Please reduce your request rate. (request {REQUEST_ID})"
        )
    );
}

#[tokio::test]
async fn denied_access_is_told_in_amazons_words() {
    let proxy = Proxy::start("PUT", &[DENIED]);
    let vault = vault_at(&proxy.endpoint, &bucket().await).await;
    let error = vault.put(&name("packs/a.pack"), text("x")).await.unwrap_err();
    assert!(!error.is_retryable());
    assert_eq!(
        chain(&error),
        format!(
            "cannot write packs/a.pack in {}: AccessDenied: User: arn:aws:iam::1:user/x is not authorized to \
             perform: s3:PutObject (request {REQUEST_ID})",
            vault.describe()
        )
    );
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_no_missing_object() {
    let vault = vault_at(&endpoint(), "no-such-bucket").await;
    let lock = ObjectName::lock();
    let stranger = Revision("\"0\"".to_owned());
    let errors = [
        vault.put(&lock, text("x")).await.unwrap_err(),
        vault.get(&lock).await.unwrap_err(),
        vault.get_range(&lock, 0..1).await.unwrap_err(),
        vault.list("").await.unwrap_err(),
        vault.read(&lock).await.unwrap_err(),
        vault.swap(&lock, Some(&stranger), text("x")).await.unwrap_err(),
    ];
    for (error, action) in errors.iter().zip(["write", "read", "read", "list", "read", "write"]) {
        let text = chain(error);
        assert!(text.starts_with(&format!("cannot {action} ")), "{text}");
        assert!(text.contains(" in s3://no-such-bucket/clinica/prod: NoSuchBucket: "), "{text}");
        assert!(!error.is_retryable(), "{text}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_reached_is_worth_another_try() {
    let vault = vault_at("http://127.0.0.1:1", "vault").await;
    let error = vault.get(&ObjectName::lock()).await.unwrap_err();
    assert!(error.is_retryable());
    let text = chain(&error);
    let start =
        "cannot read locks/backup.json in s3://vault/clinica/prod: the request could not be sent: ";
    assert!(text.starts_with(start) && text.contains("refused"), "{text}");
}
