//! Rows into tables: fetched, opened and loaded by several connections at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::mpsc, task::JoinSet};

use super::{Work, choice::Chosen};
use crate::{
    jobs::{
        Error, Fetcher, World,
        fetch::{Piece, Portion},
    },
    ports::Loader,
};

/// Pieces that wait, opened, for a loader.
const OPENED_AHEAD: usize = 1;

impl Work<'_> {
    /// Loads all rows, with several connections at once.
    pub(in crate::jobs) async fn load_rows(&self) -> Result<(), Error> {
        let queue = Queue::of(&self.chosen);
        self.world.progress.expect(queue.tables_with_rows(), queue.bytes());
        let queue = Arc::new(Mutex::new(queue));
        let mut work = JoinSet::new();
        for _ in 0..self.request.connections.max(1) {
            let loading = Loading {
                world: self.world.clone(),
                fetcher: self.fetcher.clone(),
                chosen: Arc::clone(&self.chosen),
                queue: Arc::clone(&queue),
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

/// What is left to load.
struct Queue {
    tables: Vec<Waiting>,
}

/// One table's part of the queue.
struct Waiting {
    /// In the order of the key.
    portions: VecDeque<Portion>,
    /// Bytes of the rows in them.
    bytes: u64,
    /// Rows that are not loaded yet.
    rows: u64,
    /// Has a connection begun with it?
    begun: bool,
    /// May several connections load it? Without a key its rows keep their order.
    is_shared: bool,
}

impl Queue {
    fn of(chosen: &Chosen) -> Self {
        let tables = chosen.catalog.tables.iter().zip(&chosen.parts).map(|(table, part)| {
            let portions = Fetcher::portions(part);
            Waiting {
                bytes: portions.iter().map(Portion::bytes).sum(),
                rows: part.digest().rows,
                begun: false,
                is_shared: !table.key.is_empty(),
                portions: portions.into(),
            }
        });
        Self { tables: tables.collect() }
    }

    fn tables_with_rows(&self) -> u64 {
        self.tables.iter().filter(|table| table.rows > 0).count() as u64
    }

    fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }

    /// The next portion for a connection that loaded the table in the place `current`. It stays with its table; after that it
    /// takes one that nobody has begun, the largest first, and at last it helps where most is left.
    fn take(&mut self, current: Option<usize>) -> Option<(usize, Portion)> {
        let is_left = |place: &usize| !self.tables[*place].portions.is_empty();
        let largest = |is_it: fn(&Waiting) -> bool| {
            let places = 0..self.tables.len();
            let such = places.filter(|place| is_left(place) && is_it(&self.tables[*place]));
            such.max_by_key(|place| self.tables[*place].bytes)
        };
        let place = current
            .filter(is_left)
            .or_else(|| largest(|table| !table.begun))
            .or_else(|| largest(|table| table.is_shared))?;
        let table = &mut self.tables[place];
        table.begun = true;
        let portion = table.portions.pop_front()?;
        table.bytes -= portion.bytes();
        Some((place, portion))
    }

    /// Notes that rows are loaded; were they the table's last?
    fn loaded(&mut self, place: usize, rows: u64) -> bool {
        let left = self.tables[place].rows.saturating_sub(rows);
        self.tables[place].rows = left;
        left == 0
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Loading {
    world: World,
    fetcher: Fetcher,
    chosen: Arc<Chosen>,
    queue: Arc<Mutex<Queue>>,
    loader: Box<dyn Loader>,
}

impl Loading {
    /// Fetches ahead while the server is busy with what it has.
    async fn run(mut self) -> Result<(), Error> {
        let (sender, mut opened) = mpsc::channel(OPENED_AHEAD);
        let (fetcher, chosen) = (self.fetcher.clone(), Arc::clone(&self.chosen));
        let mut fetching = JoinSet::new();
        fetching.spawn(fetch(fetcher, chosen, Arc::clone(&self.queue), sender));
        while let Some((place, Piece { rows, count })) = opened.recv().await {
            self.loader.load(&self.chosen.catalog.tables[place], &rows, count).await?;
            self.world.progress.rows_done(count, rows.len() as u64);
            if lock(&self.queue).loaded(place, count) {
                self.world.progress.table_done();
            }
        }
        while let Some(done) = fetching.join_next().await {
            done.map_err(|_| Error::Internal("a fetcher stopped"))??;
        }
        Ok(())
    }
}

/// Takes portions from the queue and opens them piece by piece, each once there is room for it.
async fn fetch(
    fetcher: Fetcher,
    chosen: Arc<Chosen>,
    queue: Arc<Mutex<Queue>>,
    opened: mpsc::Sender<(usize, Piece)>,
) -> Result<(), Error> {
    let mut current = None;
    loop {
        let Some((place, portion)) = lock(&queue).take(current) else { return Ok(()) };
        current = Some(place);
        let (table, part) = (&chosen.catalog.tables[place], &chosen.parts[place]);
        for sealed in fetcher.read(part, &portion).await? {
            let Ok(room) = opened.reserve().await else { return Ok(()) };
            room.send((place, fetcher.open(table, part, sealed).await?));
        }
    }
}
