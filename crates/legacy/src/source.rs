//! The rows of an import as a source, so that a backup is made of them as of a database.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use gorgen_engine::{
    model::{Catalog, Position, SourceIdentity, Table},
    ports::{Consistency, Reader, Snapshot, Source, SourceError},
    stages::rows::RowBatch,
};
use tokio::sync::mpsc::Sender;

type Rows = BTreeMap<String, Vec<Vec<u8>>>;

/// The definitions of a live database, and the rows of files.
pub struct LegacySource<S> {
    live: S,
    catalog: Catalog,
    rows: Arc<Rows>,
}

impl<S: Source> LegacySource<S> {
    pub(crate) fn new(live: S, catalog: Catalog, rows: Rows) -> Self {
        Self { live, catalog, rows: Arc::new(rows) }
    }
}

/// Of a catalog the tables that files have rows of, in so far as files can: they hold no view, trigger, routine or event.
pub(crate) fn narrowed(catalog: Catalog, is_wanted: impl Fn(&str) -> bool) -> Catalog {
    let tables = catalog.tables.into_iter().filter(|table| is_wanted(&table.name));
    Catalog { tables: tables.collect(), objects: Vec::new(), ..catalog }
}

#[async_trait]
impl<S: Source> Source for LegacySource<S> {
    fn identity(&self) -> SourceIdentity {
        self.live.identity()
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.live.check().await
    }

    async fn catalog(&self) -> Result<Catalog, SourceError> {
        let live = self.live.catalog().await?;
        Ok(narrowed(live, |table| self.rows.contains_key(table)))
    }

    /// The rows were typed by what the database held earlier: nothing was held still since.
    async fn catalog_since(&self, _snapshot: &Catalog) -> Result<Catalog, SourceError> {
        self.catalog().await
    }

    async fn snapshot(&self, readers: usize) -> Result<Snapshot, SourceError> {
        let reader = || -> Box<dyn Reader> { Box::new(LegacyReader(Arc::clone(&self.rows))) };
        Ok(Snapshot {
            catalog: self.catalog.clone(),
            position: Position::default(),
            consistency: Consistency::Unknown,
            readers: (0..readers.max(1)).map(|_| reader()).collect(),
        })
    }
}

struct LegacyReader(Arc<Rows>);

#[async_trait]
impl Reader for LegacyReader {
    async fn read(&mut self, table: &Table, sender: Sender<RowBatch>) -> Result<(), SourceError> {
        let rows = self.0.get(&table.name).ok_or_else(|| SourceError::Unexpected {
            what: format!("table {} is not in the files", table.name),
        })?;
        let mut batch = RowBatch::new();
        for row in rows {
            batch.push(|bytes| bytes.extend_from_slice(row));
            if batch.is_full()
                && sender.send(std::mem::replace(&mut batch, RowBatch::new())).await.is_err()
            {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            // A receiver that is gone has its reason, which is told elsewhere.
            let _ = sender.send(batch).await;
        }
        Ok(())
    }
}
