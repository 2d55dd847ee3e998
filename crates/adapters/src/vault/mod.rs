//! Vaults: where backups are kept, a folder or part of an S3 bucket.

mod folder;
#[cfg(feature = "aws")]
mod s3;

use std::sync::Arc;

use gorgen_engine::ports::{Locks, Mender, Remover, Vault, VaultError};

pub use folder::FolderVault;
#[cfg(feature = "aws")]
pub use s3::S3Vault;

use crate::{aws::Aws, settings::VaultUrl};

/// All that can be done with a place for objects; what is handed out of it is less.
trait Store: Vault + Mender + Locks + Remover {}

impl<T: Vault + Mender + Locks + Remover> Store for T {}

/// The vault that the settings name. Nothing is written, nor looked for, until it is used.
///
/// # Errors
/// If AWS is needed, and it is not said in which region.
pub async fn open(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Vault>, VaultError> {
    Ok(store(url, aws).await?)
}

/// What replaces that vault's damaged objects: for an operator's repair alone.
///
/// # Errors
/// As of [`open`].
pub async fn mender(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Mender>, VaultError> {
    Ok(store(url, aws).await?)
}

/// What locks that vault's objects.
///
/// # Errors
/// As of [`open`].
pub async fn locks(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Locks>, VaultError> {
    Ok(store(url, aws).await?)
}

/// What removes that vault's objects.
///
/// # Errors
/// As of [`open`].
pub async fn remover(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Remover>, VaultError> {
    Ok(store(url, aws).await?)
}

async fn store(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Store>, VaultError> {
    match url {
        VaultUrl::Folder(path) => Ok(Arc::new(FolderVault::new(path.clone()))),
        VaultUrl::S3 { bucket, prefix, region: None } => open_s3(bucket, prefix, aws).await,
        VaultUrl::S3 { bucket, prefix, region: Some(region) } => {
            open_s3(bucket, prefix, &aws.in_region(region).await).await
        }
    }
}

#[cfg(feature = "aws")]
async fn open_s3(bucket: &str, prefix: &str, aws: &Aws) -> Result<Arc<dyn Store>, VaultError> {
    Ok(Arc::new(S3Vault::open(bucket, prefix, aws).await?))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "called like the one with AWS")]
async fn open_s3(bucket: &str, prefix: &str, _aws: &Aws) -> Result<Arc<dyn Store>, VaultError> {
    Err(VaultError::Failed {
        action: "open".to_owned(),
        vault: format!("s3://{bucket}/{prefix}"),
        retryable: false,
        source: Box::new(crate::aws::NotBuiltIn),
    })
}
