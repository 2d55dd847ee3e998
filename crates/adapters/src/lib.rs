//! How the engine's ports reach the world: vaults, keyrings, databases, the clock, and the settings that name them.
//!
//! A composition root reads [`settings`] once, lets [`credentials`] ask for what they leave to AWS, opens what they name,
//! and hands the engine its ports.

pub mod ambient;
pub mod aws;
#[cfg(feature = "control")]
pub mod control;
pub mod credentials;
#[cfg(feature = "deployed")]
pub mod deployed;
mod disk;
pub mod files;
pub mod keyring;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "notices")]
pub mod notices;
pub mod package;
pub mod settings;
pub mod vault;
