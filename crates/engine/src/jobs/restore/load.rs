//! Rows into tables: fetched, opened and loaded by several connections at once.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use super::{Work, choice::Chosen};
use crate::{
    jobs::{Error, Fetcher, World, fetch::Stretch},
    ports::Loader,
};

/// Chunks that wait, fetched and opened, for a loader.
const FETCHED_AHEAD: usize = 1;

impl Work<'_> {
    /// Loads all rows, with several connections at once.
    pub(in crate::jobs) async fn load_rows(&self) -> Result<(), Error> {
        let bytes = self.chosen.parts.iter().map(|part| part.digest().bytes).sum();
        let connections = self.request.connections.max(1);
        let lanes = Arc::new(Mutex::new(lanes(&self.chosen, connections)?));
        let left = Arc::new(lanes_left(&self.chosen, &*lanes.lock().await));
        let with_rows = left.iter().filter(|left| left.load(Relaxed) > 0).count();
        self.world.progress.expect(with_rows as u64, bytes);
        let mut work = JoinSet::new();
        for _ in 0..connections {
            let loading = Loading {
                left: Arc::clone(&left),
                world: self.world.clone(),
                fetcher: self.fetcher.clone(),
                chosen: Arc::clone(&self.chosen),
                lanes: Arc::clone(&lanes),
                loader: self.target.loader().await?,
            };
            work.spawn(loading.run());
        }
        while let Some(done) = work.join_next().await {
            done.map_err(|_| Error::Internal("a loader stopped"))??;
        }
        Ok(())
    }
}

/// Stretches of one table that one connection loads, in order.
struct Lane {
    place: usize,
    stretches: Vec<Stretch>,
}

impl Lane {
    fn bytes(&self) -> u64 {
        self.stretches
            .iter()
            .flat_map(|stretch| &stretch.chunks)
            .map(|chunk| u64::from(chunk.raw))
            .sum()
    }
}

/// Divides the work: a table with a key between all connections, one without as a whole, so that its rows
/// keep their order. The largest lanes come first.
fn lanes(chosen: &Chosen, connections: usize) -> Result<VecDeque<Lane>, Error> {
    let mut lanes = Vec::new();
    for (place, (table, part)) in chosen.catalog.tables.iter().zip(&chosen.parts).enumerate() {
        let stretches = Fetcher::stretches(part)?;
        let parts = if table.key.is_empty() { 1 } else { connections };
        let length = stretches.len().div_ceil(parts).max(1);
        lanes.extend(stretches.chunks(length).map(|part| Lane { place, stretches: part.to_vec() }));
    }
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.bytes()));
    Ok(lanes.into())
}

fn lanes_left(chosen: &Chosen, lanes: &VecDeque<Lane>) -> Vec<AtomicUsize> {
    let count = |place| lanes.iter().filter(|lane| lane.place == place).count();
    (0..chosen.parts.len()).map(|place| AtomicUsize::new(count(place))).collect()
}

struct Loading {
    world: World,
    fetcher: Fetcher,
    chosen: Arc<Chosen>,
    lanes: Arc<Mutex<VecDeque<Lane>>>,
    /// Lanes of each table that are not loaded yet.
    left: Arc<Vec<AtomicUsize>>,
    loader: Box<dyn Loader>,
}

impl Loading {
    async fn run(mut self) -> Result<(), Error> {
        loop {
            let next = self.lanes.lock().await.pop_front();
            let Some(lane) = next else { return Ok(()) };
            let place = lane.place;
            self.lane(lane).await?;
            if self.left[place].fetch_sub(1, Relaxed) == 1 {
                self.world.progress.table_done();
            }
        }
    }

    /// Fetches ahead while the server is busy with what it has.
    async fn lane(&mut self, lane: Lane) -> Result<(), Error> {
        let place = lane.place;
        let (sender, mut opened) = mpsc::channel(FETCHED_AHEAD);
        let fetcher = self.fetcher.clone();
        let chosen = Arc::clone(&self.chosen);
        let mut fetching = JoinSet::new();
        fetching.spawn(async move {
            let part = &chosen.parts[lane.place];
            for stretch in &lane.stretches {
                let rows = fetcher.rows(part, stretch).await?;
                for (chunk, rows) in stretch.chunks.iter().zip(rows) {
                    if sender.send((rows, u64::from(chunk.rows))).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Ok::<_, Error>(())
        });
        while let Some((rows, count)) = opened.recv().await {
            self.loader.load(&self.chosen.catalog.tables[place], &rows, count).await?;
            self.world.progress.rows_done(count, rows.len() as u64);
        }
        while let Some(done) = fetching.join_next().await {
            done.map_err(|_| Error::Internal("a fetcher stopped"))??;
        }
        Ok(())
    }
}
