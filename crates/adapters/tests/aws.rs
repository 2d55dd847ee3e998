//! Vault, keyring, databases' accounts, and what is started and switched on AWS, against the emulator at `TEST_S3_ENDPOINT`.
//!
//! Run by `python3 local/lab.py run --emulator -- ...`. Faults on the way come from a proxy in front of it.
#![cfg(feature = "aws")]

#[cfg(feature = "control")]
#[path = "aws/control.rs"]
mod control;
#[path = "aws/credentials.rs"]
mod credentials;
#[path = "aws/emulator.rs"]
mod emulator;
#[path = "aws/kms.rs"]
mod kms;
#[cfg(feature = "notices")]
#[path = "aws/notices.rs"]
mod notices;
#[path = "aws/proxy.rs"]
mod proxy;
#[path = "aws/s3.rs"]
mod s3;
