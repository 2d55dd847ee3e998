//! The server where restores are tested, as the port `Scratch`.

use std::sync::Arc;

use async_trait::async_trait;
use gorgen_engine::ports::{Scratch, Target, TargetError};

use super::{LoadBy, connect::Session, target::MySqlTarget};
use crate::settings::DatabaseUrl;

/// A server that speaks MySQL's protocol, with room for throw-away databases.
pub struct MySqlScratch {
    url: DatabaseUrl,
}

impl MySqlScratch {
    /// The server at this address; the database there says what names of throw-away databases begin with.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url }
    }
}

#[async_trait]
impl Scratch for MySqlScratch {
    fn prefix(&self) -> String {
        self.url.database.clone()
    }

    async fn databases(&self) -> Result<Vec<String>, TargetError> {
        let mut session = Session::open(&self.url).await?;
        let query = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA";
        let rows = session.answers("list databases", query).await?;
        session.close().await;
        Ok(rows.iter().map(|row| row.text(0)).collect())
    }

    fn database(&self, name: &str) -> Arc<dyn Target> {
        Arc::new(MySqlTarget::new(self.url.with_database(name.to_owned()), LoadBy::default()))
    }
}
