//! Vaults: where backups are kept, a folder or part of an S3 bucket.

mod folder;
#[cfg(feature = "aws")]
mod s3;

use std::sync::Arc;

use gorgen_engine::ports::{Vault, VaultError};

pub use folder::FolderVault;
#[cfg(feature = "aws")]
pub use s3::S3Vault;

use crate::{aws::Aws, settings::VaultUrl};

/// The vault that the settings name. Nothing is written, nor looked for, until it is used.
///
/// # Errors
/// If AWS is needed, and it is not said in which region.
pub async fn open(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Vault>, VaultError> {
    match url {
        VaultUrl::Folder(path) => Ok(Arc::new(FolderVault::new(path.clone()))),
        VaultUrl::S3 { bucket, prefix } => open_s3(bucket, prefix, aws).await,
    }
}

#[cfg(feature = "aws")]
async fn open_s3(bucket: &str, prefix: &str, aws: &Aws) -> Result<Arc<dyn Vault>, VaultError> {
    Ok(Arc::new(S3Vault::open(bucket, prefix, aws).await?))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "called like the one with AWS")]
async fn open_s3(bucket: &str, prefix: &str, _aws: &Aws) -> Result<Arc<dyn Vault>, VaultError> {
    Err(VaultError::Failed {
        action: "open".to_owned(),
        vault: format!("s3://{bucket}/{prefix}"),
        retryable: false,
        source: Box::new(crate::aws::NotBuiltIn),
    })
}
