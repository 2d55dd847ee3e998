//! An export: a backup as files that need nothing of ours to be loaded, and no database to be made.
//!
//! One task fetches and opens chunks ahead; a thread of its own spells them as SQL and writes. Every
//! table's digest is computed on the way and compared with the backup's: any damage ends the export.
//! What makes the files a whole (the one file's name, the folder's `metadata`) is written last.

mod mydumper;
mod output;
mod single;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    Error, Fetcher, KeyChest, World, backups,
    erased::{self, Gone},
    fetch::Piece,
    store::blocking,
};
use crate::{
    error::FormatError,
    model::{Catalog, ObjectName, RunId, StoredObject, StoredObjectKind, Table},
    ports::{Files, Progress},
    records::manifest::{Header, Manifest},
    stages::{
        definition,
        rows::{Digest, take_row},
        sql::Inserts,
    },
};
use output::Output;

/// Pieces of a table that wait, fetched and opened, for the writer.
const FETCHED_AHEAD: usize = 1;

/// What kind of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A folder as mydumper writes it, for myloader.
    MyDumper,
    /// One SQL file, for the mysql or mariadb client.
    Sql,
}

/// What an export came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The backup that was exported.
    pub backup: RunId,
    /// As what.
    pub format: Layout,
    /// When the export started.
    pub started: Timestamp,
    /// When it ended, all written and compared.
    pub ended: Timestamp,
    /// Tables.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Raw bytes of all tables.
    pub raw_bytes: u64,
    /// The files, in the order in which they were written.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// What is not in them or will not be as one might expect, each a sentence.
    pub warnings: Vec<String>,
}

/// Exports a backup.
///
/// # Errors
/// [`Error::Damaged`] if anything of the backup is not what was stored; [`Error::Files`] if the folder
/// is not empty or can't be written. Files that were finished before stay.
pub async fn run(
    world: &World,
    files: Arc<dyn Files>,
    backup: &str,
    layout: Layout,
) -> Result<Report, Error> {
    let started = world.clock.now();
    let backup = backups::find(&*world.vault, backup).await?;
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let keys = Arc::new(KeyChest::open(world, vault).await?);
    let (header, mut manifest) = backups::open(world, &keys, &backup).await?;
    let gone = erased::leave_out(&keys, &mut manifest.tables).await?;
    let content = Arc::new(Content { header, manifest, tool: world.tool.clone(), started });

    let (sender, pieces) = mpsc::channel(FETCHED_AHEAD);
    let rows =
        Rows { content: Arc::clone(&content), pieces, progress: Arc::clone(&world.progress) };
    let written = {
        let content = Arc::clone(&content);
        blocking(move || content.write(layout, rows, files))
    };
    let (fetched, written) = tokio::join!(fetch(world, keys, &content, sender), written);
    // Without all rows the writer fails as well, but does not know why.
    fetched?;
    let output = written??;

    let totals = content.manifest.totals(0);
    Ok(Report {
        backup,
        format: layout,
        started,
        ended: world.clock.now(),
        tables: totals.tables,
        rows: totals.rows,
        raw_bytes: totals.raw_bytes,
        files: output.files,
        bytes: output.bytes,
        warnings: [
            content.manifest.catalog.warnings.clone(),
            gone.iter().map(Gone::sentence).collect(),
            output.warnings,
        ]
        .concat(),
    })
}

/// Fetches the rows of every table, in the order of its key; stops early only if nobody takes them.
async fn fetch(
    world: &World,
    keys: Arc<KeyChest>,
    content: &Content,
    sender: mpsc::Sender<Piece>,
) -> Result<(), Error> {
    let fetcher = Fetcher::new(world, keys);
    let manifest = &content.manifest;
    let raw_bytes = manifest.totals(0).raw_bytes;
    world.progress.expect(manifest.tables.len() as u64, raw_bytes);
    for (table, part) in manifest.catalog.tables.iter().zip(&manifest.tables) {
        for portion in Fetcher::portions(part) {
            for sealed in fetcher.read(part, &portion).await? {
                let piece = fetcher.open(table, part, sealed).await?;
                if sender.send(piece).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// What is exported.
struct Content {
    header: Header,
    manifest: Manifest,
    tool: String,
    started: Timestamp,
}

impl Content {
    fn write(
        &self,
        layout: Layout,
        mut rows: Rows,
        files: Arc<dyn Files>,
    ) -> Result<Output, Error> {
        let mut output = Output::open(files)?;
        match layout {
            Layout::Sql => single::write(self, &mut rows, &mut output)?,
            Layout::MyDumper => mydumper::write(self, &mut rows, &mut output)?,
        }
        Ok(output)
    }

    fn catalog(&self) -> &Catalog {
        &self.manifest.catalog
    }

    /// A table's definition as it holds in a database of any name.
    fn definition(&self, table: &Table) -> String {
        definition::in_database(&table.ddl, &self.catalog().database, None)
    }

    fn objects(&self, kind: StoredObjectKind) -> impl Iterator<Item = &StoredObject> {
        let objects = self.catalog().objects.iter();
        objects.filter(move |object| object.kind == kind)
    }

    /// What the files say about themselves: lines without a comment sign.
    fn about(&self) -> [String; 3] {
        let (header, catalog) = (&self.header, self.catalog());
        [
            format!(
                "Backup {} of database {:?} ({} {}), as of {}",
                header.backup,
                catalog.database,
                catalog.server.flavor,
                // A version is one line, but nothing here depends on it.
                catalog.server.version.escape_debug(),
                header.snapshot
            ),
            format!("Made by {}, exported at {} by {}", header.tool, self.started, self.tool),
            "These files are not encrypted: whoever can read them can read every row.".to_owned(),
        ]
    }
}

/// The rows of all tables, in order, as they come out of the vault.
struct Rows {
    content: Arc<Content>,
    pieces: mpsc::Receiver<Piece>,
    progress: Arc<Progress>,
}

impl Rows {
    /// Spells the rows of the table in this place as statements for `write`, and compares their digest.
    fn insert(
        &mut self,
        place: usize,
        output: &mut Output,
        mut write: impl FnMut(&mut Output, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let content = Arc::clone(&self.content);
        let table = &content.catalog().tables[place];
        let part = &content.manifest.tables[place];
        let (mut inserts, mut digest) = (Inserts::new(table), Digest::default());
        let damaged =
            |source| Error::Damaged { name: ObjectName::manifest(&content.header.backup), source };
        while digest.rows < part.digest().rows {
            let piece = self.pieces.blocking_recv();
            let Piece { rows, count } = piece.ok_or(Error::Internal("not all rows came"))?;
            let mut rest = rows.as_slice();
            while !rest.is_empty() {
                let row = take_row(&mut rest, table.columns.len()).map_err(damaged)?;
                digest.add(row);
                inserts.add(row, damaged, |statement| write(output, statement))?;
            }
            self.progress.rows_done(count, rows.len() as u64);
        }
        inserts.finish(|statement| write(output, statement))?;
        if digest != part.digest() {
            return Err(damaged(FormatError::Content(format!("of table {}", table.name))));
        }
        output.warnings.extend(inserts.inexact().map(|(column, count)| {
            format!(
                "table {}, column {}: {count} values are no {} text; servers cut such values when they load them",
                table.name,
                column.name,
                column.charset.as_deref().unwrap_or("utf8mb4"),
            )
        }));
        self.progress.table_done();
        Ok(())
    }
}
