//! Logins at Amazon RDS by IAM authentication: the password is a token, a signed request that is never sent to AWS.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::config::{Credentials, ProvideCredentials};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use url::Url;

use super::Aws;
use crate::{
    credentials::CredentialsError,
    settings::{DatabaseUrl, Password, PasswordMaker, Secret},
};

/// How long a token lets in; a connection that was made with it lives on.
const LIFETIME: Duration = Duration::from_mins(15);

/// What IAM policies (`rds-db:connect`) call it.
const SERVICE: &str = "rds-db";
const SCHEME: &str = "https://";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The database, with a token for each connection.
pub(crate) async fn with_tokens(
    url: &DatabaseUrl,
    aws: &Aws,
) -> Result<DatabaseUrl, CredentialsError> {
    let (server, user) = (url.address.to_string(), url.user.clone());
    let config = aws.config().await.map_err(|error| CredentialsError::Token {
        server: server.clone(),
        user: user.clone(),
        reason: error.to_string(),
        retryable: false,
        source: None,
    })?;
    let tokens = Tokens { config: config.clone(), server, user };
    Ok(DatabaseUrl { password: Password::Fresh(Arc::new(tokens)), ..url.clone() })
}

/// Makes tokens for one account of one server.
#[derive(Debug)]
struct Tokens {
    config: SdkConfig,
    server: String,
    user: String,
}

impl Tokens {
    fn failed(&self, reason: &str, retryable: bool, source: Option<Cause>) -> CredentialsError {
        CredentialsError::Token {
            server: self.server.clone(),
            user: self.user.clone(),
            reason: reason.to_owned(),
            retryable,
            source,
        }
    }
}

#[async_trait]
impl PasswordMaker for Tokens {
    async fn make(&self) -> Result<Secret, CredentialsError> {
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| self.failed("no AWS credentials", false, None))?;
        let credentials = provider.provide_credentials().await.map_err(|error| {
            // Asked again they may come: a role's are fetched over the network.
            self.failed("AWS credentials are missing or expired", true, Some(error.into()))
        })?;
        let region = self.config.region().map(ToString::to_string).unwrap_or_default();
        let time = self.config.time_source().unwrap_or_default().now();
        token(&self.server, &self.user, &region, credentials, time)
            .map_err(|error| self.failed("it can't be signed", false, Some(error)))
    }
}

/// A token: the address that would be asked, signed in its query, without `https://`.
fn token(
    server: &str,
    user: &str,
    region: &str,
    credentials: Credentials,
    time: SystemTime,
) -> Result<Secret, Cause> {
    let mut url = Url::parse(&format!("{SCHEME}{server}/"))?;
    url.query_pairs_mut().append_pair("Action", "connect").append_pair("DBUser", user);
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(LIFETIME);
    settings.signature_location = SignatureLocation::QueryParams;
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(time)
        .settings(settings)
        .build()?;
    let request =
        SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &params.into())?.into_parts();
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(Secret::new(url.as_str().trim_start_matches(SCHEME)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn made(session: Option<&str>) -> String {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session.map(str::to_owned),
            None,
            "test",
        );
        // 2026-11-23T03:00:00Z
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(498_723);
        let token = token("db.example:3306", "gorgen", "sa-east-1", credentials, time);
        token.unwrap().expose().to_owned()
    }

    /// Its parameters; in which order they stand is of no matter.
    fn parts(token: &str) -> BTreeSet<&str> {
        token.split('&').collect()
    }

    #[test]
    fn tokens_are_those_of_amazons_other_tools() {
        // What botocore's `generate_db_auth_token` makes of the same.
        let start = "db.example:3306/?Action=connect&DBUser=gorgen&X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fsa-east-1%2Frds-db%2Faws4_request\
            &X-Amz-Date=20261123T030000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host";
        for (session, end) in [
            (
                None,
                "&X-Amz-Signature=462bac19111b84e8d6720c861fbfff49aacdaa11a4f2e81dec9be34e6373bfc9",
            ),
            (
                Some("IQoJb3/JpZ2lu+X2VjE=="),
                "&X-Amz-Security-Token=IQoJb3%2FJpZ2lu%2BX2VjE%3D%3D\
                 &X-Amz-Signature=be71763e6d523b5b3e93ca1bcf3b0be22bdf97282c5c7e68832d73a758b50760",
            ),
        ] {
            assert_eq!(parts(&made(session)), parts(&format!("{start}{end}")));
        }
    }
}
