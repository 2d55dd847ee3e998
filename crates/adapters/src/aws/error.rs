//! AWS's errors in one readable line, with no more of their chain than tells something.

use std::error::Error;

use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};

/// Codes, besides those of status 5xx and 429, under which the same call may succeed later.
const PASSING: &[&str] = &[
    "KeyUnavailableException",
    "DependencyTimeoutException",
    "InternalServiceError",
    "KMSInternalException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ConditionalRequestConflict",
    "OperationAborted",
];

/// It is not said in which region to look.
#[derive(Debug, thiserror::Error)]
#[error("no AWS region is set (AWS_REGION, or the region of an AWS profile)")]
pub(crate) struct NoRegion;

/// Why a call to AWS failed. It holds what AWS said; AWS never repeats a secret.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct AwsError {
    text: String,
    /// AWS's name for the error, if it answered with one.
    code: Option<String>,
    status: Option<u16>,
    retryable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AwsError {
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// HTTP status of the answer, if there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// A failure on this side of the network, or in what came over it.
    fn local(text: &str, retryable: bool, source: Option<Box<dyn Error + Send + Sync>>) -> Self {
        Self { text: text.to_owned(), code: None, status: None, retryable, source }
    }

    fn answered(
        status: u16,
        code: Option<&str>,
        message: Option<&str>,
        request: Option<&str>,
    ) -> Self {
        let code = code.map(str::to_owned);
        let name = code.clone().unwrap_or_else(|| format!("HTTP status {status}"));
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        let request = request.map(|id| format!(" (request {id})")).unwrap_or_default();
        let passes = code.as_deref().is_some_and(|code| PASSING.contains(&code));
        Self {
            text: format!("{name}{message}{request}"),
            code,
            status: Some(status),
            retryable: passes || status >= 500 || status == 429,
            source: None,
        }
    }
}

impl<E> From<SdkError<E>> for AwsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (text, retryable) = match &error {
            SdkError::ServiceError(service) => {
                let (service, request) = (service.err(), error.request_id());
                return Self::answered(
                    status.unwrap_or_default(),
                    service.code(),
                    service.message(),
                    request,
                );
            }
            SdkError::ConstructionFailure(_) => ("the request could not be made", false),
            SdkError::TimeoutError(_) => ("no answer in time", true),
            SdkError::DispatchFailure(_) => ("the request could not be sent", true),
            _ => ("the answer could not be read", true),
        };
        Self::local(text, retryable, error.into_source().ok())
    }
}
