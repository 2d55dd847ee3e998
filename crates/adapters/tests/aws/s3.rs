//! Vaults in S3.

use aws_sdk_s3::{
    Client,
    config::Builder,
    types::{
        CreateBucketConfiguration, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled,
        ObjectLockRetentionMode, ObjectLockRule,
    },
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use gorgen_adapters::{ambient::SystemClock, settings::VaultUrl, vault, vault::S3Vault};
use gorgen_engine::{
    model::ObjectName,
    ports::{Clock, Copied, Locks, Removal, Remover, Revision, Vault, VaultError},
    testing::{locks_contract, remover_contract, vault_contract},
};
use jiff::{SignedDuration, Timestamp};

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

async fn client() -> Client {
    let config = Builder::from(&config(&endpoint()).await).force_path_style(true).build();
    Client::from_conf(config)
}

async fn bucket() -> String {
    let (bucket, client) = (fresh_name("vault"), client().await);
    let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
    client.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    bucket
}

/// A bucket that locks objects for a day, unless it is told to lock none by itself.
async fn bucket_with_locks(usual: Option<ObjectLockRetentionMode>) -> String {
    let (bucket, client) = (fresh_name("worm"), client().await);
    let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
    let request = client.create_bucket().bucket(&bucket).object_lock_enabled_for_bucket(true);
    request.create_bucket_configuration(place).send().await.unwrap();
    if let Some(mode) = usual {
        let usual = DefaultRetention::builder().mode(mode).days(1).build();
        let rule = ObjectLockRule::builder().default_retention(usual).build();
        let config = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .rule(rule)
            .build();
        let request = client.put_object_lock_configuration().bucket(&bucket);
        request.object_lock_configuration(config).send().await.unwrap();
    }
    bucket
}

async fn vault_at(endpoint: &str, bucket: &str) -> S3Vault {
    S3Vault::open(bucket, "clinica/prod", &aws(endpoint).await).await.unwrap()
}

async fn vault() -> S3Vault {
    vault_at(&endpoint(), &bucket().await).await
}

#[tokio::test]
async fn objects_of_a_bucket_are_removed_with_all_their_versions() {
    let plain = vault().await;
    remover_contract(&plain, &plain).await;
    assert!(!plain.are_kept().await.unwrap());

    let bucket = bucket_with_locks(None).await;
    let locking = vault_at(&endpoint(), &bucket).await;
    remover_contract(&locking, &locking).await;
    let versions = client().await.list_object_versions().bucket(&bucket).send().await.unwrap();
    assert!(versions.versions().is_empty() && versions.delete_markers().is_empty());
}

#[tokio::test]
async fn a_bucket_with_locks_keeps_the_contract() {
    // S3 tells whole seconds.
    let now = Timestamp::from_second(SystemClock.now().as_second()).unwrap();
    let vault = vault_at(&endpoint(), &bucket_with_locks(None).await).await;
    locks_contract(&vault, &vault, &vault, now).await;
}

#[tokio::test]
async fn what_a_bucket_locks_by_itself_is_seen_and_stays() {
    for mode in [ObjectLockRetentionMode::Governance, ObjectLockRetentionMode::Compliance] {
        let bucket = bucket_with_locks(Some(mode.clone())).await;
        let (vault, client) = (vault_at(&endpoint(), &bucket).await, client().await);
        let pack = name("packs/a.pack");
        vault.put(&pack, text("rows")).await.unwrap();
        let first = vault.locked_until(&pack).await.unwrap().expect("a lock");
        let in_hours = first.duration_since(SystemClock.now()).as_hours();
        assert!((23..=24).contains(&in_hours), "{in_hours}");

        let later = first + SignedDuration::from_hours(48);
        vault.lock_until(&pack, later).await.unwrap();
        vault.lock_until(&pack, first).await.expect_err("a shorter lock");
        let locked = vault.locked_until(&pack).await.unwrap().expect("a lock");
        assert_eq!(locked.as_second(), later.as_second());
        let key = format!("clinica/prod/{pack}");
        let kept = client.get_object_retention().bucket(&bucket).key(&key).send().await.unwrap();
        assert_eq!(kept.retention.unwrap().mode, Some(mode), "in the bucket's own mode");

        assert_eq!(vault.remove(&pack).await.unwrap(), Removal::Locked(Some(locked)));
        let overwritten = vault.put(&pack, text("other rows")).await;
        assert!(matches!(overwritten, Err(VaultError::Exists { .. })), "{overwritten:?}");
        assert_eq!(vault.get(&pack).await.unwrap(), "rows");
    }
}

#[tokio::test]
async fn an_upload_that_never_ended_is_given_up_once_it_is_old() {
    let bucket = bucket().await;
    let (vault, client) = (vault_at(&endpoint(), &bucket).await, client().await);
    for key in ["clinica/prod/packs/a.pack", "clinica/other/packs/a.pack"] {
        client.create_multipart_upload().bucket(&bucket).key(key).send().await.unwrap();
    }
    let hour = SignedDuration::from_hours(1);
    assert_eq!(vault.give_up_uploads(SystemClock.now() - hour).await.unwrap(), 0);
    assert_eq!(vault.give_up_uploads(SystemClock.now() + hour).await.unwrap(), 1);
    let left = client.list_multipart_uploads().bucket(&bucket).send().await.unwrap();
    let left: Vec<_> = left.uploads().iter().filter_map(|upload| upload.key()).collect();
    assert_eq!(left, ["clinica/other/packs/a.pack"], "those of others are none of ours");
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
