//! Databases' accounts in Secrets Manager, and tokens for RDS.

use aws_sdk_secretsmanager::{Client, primitives::Blob};
use gorgen_adapters::{
    aws::Aws,
    credentials::{CredentialsError, resolve},
    settings::{DatabaseUrl, Secret, Settings},
};

use crate::{
    emulator::{aws, chain, config, endpoint, fresh_name},
    proxy::{Fault, Proxy, REQUEST_ID},
};

/// What the settings say of the database, with what AWS adds.
async fn resolved(
    url: &str,
    secret: Option<&str>,
    aws: &Aws,
) -> Result<DatabaseUrl, CredentialsError> {
    let pairs = [("GORGEN_DATABASE_URL", Some(url)), ("GORGEN_DATABASE_SECRET", secret)];
    let pairs =
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let settings = Settings::from_pairs(pairs).unwrap();
    resolve(settings.database().unwrap(), aws).await
}

async fn refusal(secret: &str, aws: &Aws) -> CredentialsError {
    resolved("mysql://db.example/clinica", Some(secret), aws).await.unwrap_err()
}

async fn client() -> Client {
    Client::new(&config(&endpoint()).await)
}

/// Makes a secret, and returns its name and its ARN.
async fn make_secret(text: &str) -> (String, String) {
    let name = fresh_name("gorgen/db");
    let made = client().await.create_secret().name(&name).secret_string(text).send().await.unwrap();
    (name, made.arn.unwrap())
}

#[tokio::test]
async fn a_secret_gives_the_account_by_its_arn_and_by_its_name() {
    let (name, arn) = make_secret(r#"{"username":"gorgen","password":"s3gr@do/"}"#).await;
    let nowhere = Aws::with_config(config(&endpoint()).await.to_builder().region(None).build());
    for (secret, aws) in [(&name, aws(&endpoint()).await), (&arn, nowhere)] {
        let url = resolved("mysql://db.example/clinica", Some(secret), &aws).await;
        let url = url.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!(url.to_string(), "gorgen@db.example:3306/clinica");
        assert_eq!(url.password, Secret::new("s3gr@do/").into());
    }
}

#[tokio::test]
async fn a_changed_secret_is_read_anew() {
    let (name, _) = make_secret(r#"{"username":"gorgen","password":"old"}"#).await;
    let aws = aws(&endpoint()).await;
    let text = r#"{"username":"gorgen","password":"new"}"#;
    let password =
        async || resolved("mysql://h/d", Some(&name), &aws).await.map(|url| url.password).unwrap();
    assert_eq!(password().await, Secret::new("old").into());
    client().await.put_secret_value().secret_id(&name).secret_string(text).send().await.unwrap();
    assert_eq!(password().await, Secret::new("new").into());
}

#[tokio::test]
async fn a_secret_that_cannot_be_used_says_why_and_is_not_shown() {
    let (malformed, _) = make_secret("segredo").await;
    let (deleted, _) = make_secret("segredo").await;
    let (client, aws) = (client().await, aws(&endpoint()).await);
    client.delete_secret().secret_id(&deleted).send().await.unwrap();
    let bytes = fresh_name("gorgen/db");
    let blob = Blob::new(b"segredo".to_vec());
    client.create_secret().name(&bytes).secret_binary(blob).send().await.unwrap();
    for (secret, reason) in [
        (
            "no/such/secret",
            "cannot read the secret no/such/secret: there is no such secret in sa-east-1",
        ),
        (&deleted, "its state forbids its use (is it marked for deletion?)"),
        (&bytes, "it holds bytes, and no text"),
        (&malformed, "got a text that is neither"),
    ] {
        let error = refusal(secret, &aws).await;
        assert!(error.to_string().ends_with(reason), "{}", chain(&error));
        assert!(error.to_string().contains(secret), "{}", chain(&error));
        assert!(!chain(&error).contains("segredo"), "{}", chain(&error));
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn denied_access_is_told_with_amazons_words_and_a_busy_service_is_asked_again() {
    let answer = |status, content| Fault::Answer(status, "application/x-amz-json-1.1", content);
    let denied = answer(
        "400 Bad Request",
        "{\"__type\":\"AccessDeniedException\",\"message\":\"User: x is not authorized to perform: secretsmanager:GetSecretValue\"}",
    );
    let proxy = Proxy::start("POST", &[denied]);
    let error = refusal("gorgen/db", &aws(&proxy.endpoint).await).await;
    assert_eq!(
        chain(&error),
        format!(
            "cannot read the secret gorgen/db: access denied by the policy of the secret or of the caller: \
             AccessDeniedException: User: x is not authorized to perform: secretsmanager:GetSecretValue \
             (request {REQUEST_ID})"
        )
    );
    assert!(!error.is_retryable() && error.hint().contains("secretsmanager:GetSecretValue"));

    let (name, _) = make_secret(r#"{"username":"gorgen","password":"x"}"#).await;
    let busy = answer("500 Internal Server Error", "{\"__type\":\"InternalServiceError\"}");
    let proxy = Proxy::start("POST", &[busy]);
    let aws = aws(&proxy.endpoint).await;
    resolved("mysql://h/d", Some(&name), &aws).await.unwrap();
    assert_eq!(proxy.seen(), 2);
}

#[tokio::test]
async fn without_a_region_or_a_network_nothing_is_read() {
    let nowhere = Aws::with_config(config(&endpoint()).await.to_builder().region(None).build());
    let error = refusal("gorgen/db", &nowhere).await;
    let no_region = "no AWS region is set (AWS_REGION, or the region of an AWS profile)";
    assert_eq!(error.to_string(), format!("cannot read the secret gorgen/db: {no_region}"));
    let error = resolved("mysql://u@h/d?auth=rds-iam", None, &nowhere).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot make a token to log in at h:3306 as u: {no_region}")
    );
    let error = refusal("gorgen/db", &aws("http://127.0.0.1:1").await).await;
    assert!(error.is_retryable(), "{}", chain(&error));
}

#[tokio::test]
async fn each_connection_to_rds_has_a_token_made_for_it() {
    let url = "mysql://gorgen@db.example:3307/clinica?auth=rds-iam&ca=rds";
    let url = resolved(url, None, &aws(&endpoint()).await).await.unwrap();
    assert_eq!(url.to_string(), "gorgen@db.example:3307/clinica");
    let token = url.password.now().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let token = token.expose();
    assert!(token.starts_with("db.example:3307/?Action=connect&DBUser=gorgen&X-Amz-"), "{token}");
    for part in ["%2Fsa-east-1%2Frds-db%2Faws4_request", "&X-Amz-Expires=900&", "&X-Amz-Signature="]
    {
        assert!(token.contains(part), "{token}");
    }
    assert!(!format!("{url:?}").contains("X-Amz-Signature"));
}

#[tokio::test]
async fn without_credentials_there_is_no_token() {
    let mut config = config(&endpoint()).await.to_builder();
    config.set_credentials_provider(None);
    let aws = Aws::with_config(config.build());
    let url = resolved("mysql://u@h/d?auth=rds-iam", None, &aws).await.unwrap();
    let error = url.password.now().await.unwrap_err();
    let expected = "cannot make a token to log in at h:3306 as u: no AWS credentials";
    assert_eq!(error.to_string(), expected);
}
