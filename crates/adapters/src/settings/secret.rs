//! Text that is never printed, and passwords, which are such texts or are made when they are needed.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::credentials::CredentialsError;

/// A password: wiped from memory when dropped, and shown only where it is asked for by [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one who must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What an account logs in with.
#[derive(Debug, Clone)]
pub enum Password {
    /// The same each time; empty if there is none.
    Fixed(Secret),
    /// Another one for each connection, as it is soon void.
    Fresh(Arc<dyn PasswordMaker>),
}

/// Makes passwords that are valid now.
#[async_trait]
pub trait PasswordMaker: fmt::Debug + Send + Sync {
    /// A password for one connection.
    ///
    /// # Errors
    /// If there is nothing to make it from.
    async fn make(&self) -> Result<Secret, CredentialsError>;
}

impl Password {
    /// The password for a connection that is to be made now.
    ///
    /// # Errors
    /// If it can't be made.
    pub async fn now(&self) -> Result<Secret, CredentialsError> {
        match self {
            Self::Fixed(password) => Ok(password.clone()),
            Self::Fresh(maker) => maker.make().await,
        }
    }
}

impl From<Secret> for Password {
    fn from(password: Secret) -> Self {
        Self::Fixed(password)
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fixed(one), Self::Fixed(other)) => one == other,
            (Self::Fresh(one), Self::Fresh(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Password {}
