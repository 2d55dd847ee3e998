//! Secrets of AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;

use super::{Aws, AwsError, arn::Arn};
use crate::{
    credentials::CredentialsError,
    settings::{Secret, SecretName},
};

/// The text of a secret: from the region in its ARN, or else from the one that AWS's own settings name.
pub(crate) async fn read(secret: &SecretName, aws: &Aws) -> Result<Secret, CredentialsError> {
    let unread = |reason: &str, error: Option<AwsError>| CredentialsError::Unread {
        secret: secret.clone(),
        reason: reason.to_owned(),
        retryable: error.as_ref().is_some_and(AwsError::is_retryable),
        source: error.map(Into::into),
    };
    let config = match Arn::parse(secret.as_str()) {
        Some(arn) => aws.config_in(arn.region).await,
        None => aws.config().await.cloned().map_err(|error| unread(&error.to_string(), None))?,
    };
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let answer = Client::new(&config).get_secret_value().secret_id(secret.as_str()).send().await;
    let answer = answer.map_err(|error| {
        let error = AwsError::from(error);
        let reason = match error.code() {
            Some("ResourceNotFoundException") => format!("there is no such secret in {region}"),
            Some("AccessDeniedException") => {
                "access denied by the policy of the secret or of the caller".to_owned()
            }
            Some("DecryptionFailure") => "its KMS key does not open it".to_owned(),
            Some("InvalidRequestException") => {
                "its state forbids its use (is it marked for deletion?)".to_owned()
            }
            _ => "Secrets Manager did not do what it was asked".to_owned(),
        };
        unread(&reason, Some(error))
    })?;
    let text = answer.secret_string.map(Secret::new);
    text.ok_or_else(|| unread("it holds bytes, and no text", None))
}
