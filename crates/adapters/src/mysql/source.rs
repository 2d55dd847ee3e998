//! A database as the port `Source`.

use async_trait::async_trait;
use gorgen_engine::{
    model::{Catalog, SourceIdentity},
    ports::{Snapshot, Source, SourceError},
};

use super::{catalog, connect::Session, snapshot};
use crate::settings::DatabaseUrl;

/// A database on a server that speaks MySQL's protocol. Connects when it is asked for something.
#[derive(Debug, Clone)]
pub struct MySqlSource {
    url: DatabaseUrl,
}

impl MySqlSource {
    /// The database at this address.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url }
    }
}

#[async_trait]
impl Source for MySqlSource {
    fn identity(&self) -> SourceIdentity {
        self.url.identity()
    }

    async fn check(&self) -> Result<(), SourceError> {
        let mut session = Session::open(&self.url).await?;
        catalog::check(&mut session).await?;
        session.close().await;
        Ok(())
    }

    async fn catalog(&self) -> Result<Catalog, SourceError> {
        let mut session = Session::open(&self.url).await?;
        let catalog = catalog::read(&mut session).await?;
        session.close().await;
        Ok(catalog)
    }

    async fn catalog_since(&self, snapshot: &Catalog) -> Result<Catalog, SourceError> {
        let mut session = Session::open(&self.url).await?;
        let catalog = if snapshot::holds_tables(session.flavor()) {
            catalog::read_around(&mut session, &snapshot.tables).await?
        } else {
            catalog::read(&mut session).await?
        };
        session.close().await;
        Ok(catalog)
    }

    async fn snapshot(&self, readers: usize) -> Result<Snapshot, SourceError> {
        snapshot::begin(&self.url, readers).await
    }
}
