//! The proof: every table is read back and compared with the backup; rows that point nowhere are counted.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use super::{RestoredTable, Work, choice::Chosen};
use crate::{
    jobs::Error,
    model::{Relation, Table},
    ports::Reader,
    stages::rows::{Digest, RowBatch},
};

impl Work<'_> {
    /// Reads every table back and compares it with the backup.
    pub(in crate::jobs) async fn read_back(&self) -> Result<Vec<RestoredTable>, Error> {
        let mut queue: Vec<usize> = (0..self.chosen.parts.len()).collect();
        queue.sort_by_key(|&place| std::cmp::Reverse(self.chosen.parts[place].digest().bytes));
        let queue = Arc::new(Mutex::new(VecDeque::from(queue)));
        let mut work = JoinSet::new();
        for _ in 0..self.request.connections.max(1).min(self.chosen.parts.len()) {
            let reader = self.target.reader().await?;
            work.spawn(digest_from_queue(reader, Arc::clone(&self.chosen), Arc::clone(&queue)));
        }
        let mut found = BTreeMap::new();
        while let Some(done) = work.join_next().await {
            found.extend(done.map_err(|_| Error::Internal("a reader stopped"))??);
        }
        self.compare(&found)
    }

    fn compare(&self, found: &BTreeMap<usize, Digest>) -> Result<Vec<RestoredTable>, Error> {
        let (mut tables, mut differences) = (Vec::new(), Vec::new());
        for (place, part) in self.chosen.parts.iter().enumerate() {
            let expected = part.digest();
            match found.get(&place) {
                Some(digest) if *digest == expected => {
                    tables.push(RestoredTable { table: part.table.clone(), digest: *digest });
                }
                Some(digest) => differences.push(difference(&part.table, &expected, digest)),
                None => return Err(Error::Internal("a table was not read back")),
            }
        }
        if differences.is_empty() { Ok(tables) } else { Err(Error::Mismatch { differences }) }
    }

    /// Rows that point nowhere were so in the source as well, since all digests are equal; they are still news.
    pub(in crate::jobs) async fn look_for_orphans(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        for table in &self.chosen.catalog.tables {
            let outwards: BTreeSet<_> =
                self.relations_outwards(table).map(|relation| &relation.name).collect();
            for relation in
                table.relations.iter().filter(|relation| !outwards.contains(&relation.name))
            {
                if self.leads_nowhere(relation) {
                    warnings.push(format!(
                        "foreign key {} of table {} leads to table {}, which the backup does not have",
                        relation.name, table.name, relation.parent
                    ));
                    continue;
                }
                let orphans = self.target.orphans(&table.name, relation).await?;
                if orphans > 0 {
                    let why = if self.chosen.erased.contains(&relation.parent) {
                        "of which rows were erased"
                    } else {
                        "in the backup as well"
                    };
                    warnings.push(format!(
                        "{orphans} rows of table {} point at no row of {} (foreign key {}), {why}",
                        table.name, relation.parent, relation.name
                    ));
                }
            }
        }
        Ok(())
    }

    /// Was the table that it leads to gone when the backup was made?
    fn leads_nowhere(&self, relation: &Relation) -> bool {
        let tables = &self.chosen.catalog.tables;
        relation.parent_database.is_none()
            && !tables.iter().any(|table| table.name == relation.parent)
    }
}

async fn digest_from_queue(
    mut reader: Box<dyn Reader>,
    chosen: Arc<Chosen>,
    queue: Arc<Mutex<VecDeque<usize>>>,
) -> Result<Vec<(usize, Digest)>, Error> {
    let mut found = Vec::new();
    loop {
        let next = queue.lock().await.pop_front();
        let Some(place) = next else { return Ok(found) };
        found.push((place, digest(&mut *reader, &chosen.catalog.tables[place]).await?));
    }
}

pub(in crate::jobs) async fn digest(
    reader: &mut dyn Reader,
    table: &Table,
) -> Result<Digest, Error> {
    let (sender, mut batches) = mpsc::channel::<RowBatch>(4);
    let add_up = async {
        let mut digest = Digest::default();
        while let Some(batch) = batches.recv().await {
            batch.rows().for_each(|row| digest.add(row));
        }
        digest
    };
    let (read, digest) = tokio::join!(reader.read(table, sender), add_up);
    read?;
    Ok(digest)
}

fn difference(table: &str, expected: &Digest, found: &Digest) -> String {
    if expected.rows == found.rows {
        format!(
            "table {table}: all {} rows are there, but not all have the content that was backed up",
            found.rows
        )
    } else {
        format!("table {table}: {} rows were backed up, {} are there", expected.rows, found.rows)
    }
}
