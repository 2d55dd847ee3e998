//! Cutting rows into chunks, at places that depend on row keys and not on positions.
//!
//! Rows come in the order of their key. A **segment** ends after a row whose key hash is small; how small
//! depends on the row's length only, so that cuts are equally likely at every byte, whatever the rows. An
//! insert, update or delete moves at most the end of the segment it falls into and, seldom, of the next
//! ones; then the cuts are again where they were. Within a segment the rows of each tenant make one
//! **chunk**, so that memory is bounded by one segment, not by the number of tenants.

use std::sync::Arc;

use super::{
    rows::{Digest, RowBatch, RowShape},
    spare::Spare,
};
use crate::{error::FormatError, model::Scope};

/// Sizes that decide the cuts, in raw bytes. Equal sizes give equal cuts; another choice stays readable.
#[derive(Debug, Clone, Copy)]
pub struct CutSizes {
    /// No cut before this.
    pub min: usize,
    /// Mean distance of the places where a cut is possible.
    pub usual: usize,
    /// From here on cuts are three times as likely.
    pub late: usize,
    /// A cut at the latest here (one row may still be larger).
    pub max: usize,
    /// Tenants in a segment before it is allowed to grow, so that their chunks do not become tiny.
    pub tenants: usize,
}

impl CutSizes {
    /// The sizes of every vault, some 0.7 MiB on average: large enough to compress well and to keep
    /// manifests small, small enough that one changed row costs little.
    pub const STANDARD: Self =
        Self { min: 192 << 10, usual: 512 << 10, late: 1536 << 10, max: 3 << 20, tenants: 4 };

    /// With very many tenants a segment grows up to this many times.
    const MOST_GROWTH: usize = 8;

    fn is_end(&self, size: usize, tenants: usize, row: usize, key_hash: u64) -> bool {
        let growth = tenants.div_ceil(self.tenants).clamp(1, Self::MOST_GROWTH);
        if size < self.min * growth {
            return false;
        }
        if size >= self.max * growth {
            return true;
        }
        let likely = if size < self.late * growth { 1 } else { 3 };
        let distance = (self.usual * growth) as u128;
        u128::from(key_hash) * distance < (row as u128 * likely) << 64
    }
}

/// Rows of one scope of one table, not yet compressed or sealed.
#[derive(Debug, PartialEq, Eq)]
pub struct RawChunk {
    /// Whose rows.
    pub scope: Scope,
    /// The segment of the table that it was cut from, counted from 0.
    pub segment: u32,
    /// The canonical rows, one after the other.
    pub rows: Vec<u8>,
    /// What they come down to.
    pub digest: Digest,
}

/// Cuts the rows of one table.
#[derive(Debug)]
pub struct Cutter {
    shape: RowShape,
    sizes: CutSizes,
    spare: Arc<Spare>,
    shared: Option<RawChunk>,
    tenants: Vec<OpenChunk>,
    size: usize,
    segment: u32,
}

/// Sorted by tenant, so that equal segments give equal chunks in equal order.
#[derive(Debug)]
struct OpenChunk {
    tenant: Vec<u8>,
    chunk: RawChunk,
}

impl Cutter {
    /// A cutter for rows of this shape, which makes chunks of spare memory.
    pub fn new(shape: RowShape, sizes: CutSizes, spare: Arc<Spare>) -> Self {
        Self { shape, sizes, spare, shared: None, tenants: Vec::new(), size: 0, segment: 0 }
    }

    /// Takes rows and gives each chunk that they complete to `chunk`.
    ///
    /// # Errors
    /// [`FormatError::Rows`] if a row is not one.
    pub fn push(
        &mut self,
        batch: &RowBatch,
        mut chunk: impl FnMut(RawChunk),
    ) -> Result<(), FormatError> {
        for row in batch.rows() {
            let (key_hash, tenant) = self.shape.inspect(row)?;
            self.open_chunk(tenant).add(row);
            self.size += row.len();
            if self.sizes.is_end(self.size, self.tenants.len(), row.len(), key_hash) {
                self.finish(&mut chunk);
            }
        }
        Ok(())
    }

    /// Ends the segment: what is open becomes chunks. Call it once more after the last row.
    pub fn finish(&mut self, mut chunk: impl FnMut(RawChunk)) {
        self.size = 0;
        self.segment += 1;
        let tenants = std::mem::take(&mut self.tenants).into_iter().map(|open| open.chunk);
        self.shared.take().into_iter().chain(tenants).for_each(&mut chunk);
    }

    fn open_chunk(&mut self, tenant: Option<&[u8]>) -> &mut RawChunk {
        let Some(tenant) = tenant else {
            let new = || RawChunk::new(Scope::Shared, self.segment, &self.spare);
            return self.shared.get_or_insert_with(new);
        };
        let place = match self.tenants.binary_search_by(|open| open.tenant.as_slice().cmp(tenant)) {
            Ok(place) => place,
            Err(place) => {
                let chunk = RawChunk::new(Scope::tenant(tenant), self.segment, &self.spare);
                self.tenants.insert(place, OpenChunk { tenant: tenant.to_vec(), chunk });
                place
            }
        };
        &mut self.tenants[place].chunk
    }
}

impl RawChunk {
    fn new(scope: Scope, segment: u32, spare: &Spare) -> Self {
        Self { scope, segment, rows: spare.take(), digest: Digest::default() }
    }

    fn add(&mut self, row: &[u8]) {
        self.rows.extend_from_slice(row);
        self.digest.add(row);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::stages::rows::put_value;

    const SMALL: CutSizes = CutSizes { min: 500, usual: 1500, late: 4000, max: 8000, tenants: 8 };

    type Row = (u64, u8, Vec<u8>);

    fn cut(rows: &[Row]) -> Vec<RawChunk> {
        let mut cutter =
            Cutter::new(RowShape::new(3, vec![0], Some(1)), SMALL, Arc::new(Spare::new(0)));
        let mut chunks = Vec::new();
        for part in rows.chunks(7) {
            let mut batch = RowBatch::new();
            for (key, tenant, text) in part {
                batch.push(|row| {
                    put_value(row, key.to_string().as_bytes());
                    put_value(row, &[b'0' + tenant % 2]);
                    put_value(row, text);
                });
            }
            cutter.push(&batch, |chunk| chunks.push(chunk)).unwrap();
        }
        cutter.finish(|chunk| chunks.push(chunk));
        chunks
    }

    fn table(rows: u64) -> Vec<Row> {
        (0..rows)
            .map(|key| (key, (key % 3) as u8, vec![b'a'; 20 + (key * 7 % 50) as usize]))
            .collect()
    }

    fn fresh(before: &[RawChunk], after: &[RawChunk]) -> usize {
        let known: BTreeSet<_> = before.iter().map(|chunk| &chunk.rows).collect();
        after.iter().filter(|chunk| !known.contains(&chunk.rows)).count()
    }

    #[test]
    fn one_changed_row_costs_one_or_two_chunks() {
        let rows = table(3000);
        let before = cut(&rows);
        let mut costs = Vec::new();
        for place in (5..3000).step_by(100) {
            let mut updated = rows.clone();
            updated[place].2 = b"another text of another length".to_vec();
            costs.push(fresh(&before, &cut(&updated)));
        }
        let cheap = costs.iter().filter(|&&cost| (1..=2).contains(&cost)).count();
        assert!(cheap * 10 >= costs.len() * 9, "updates cost {costs:?} chunks");
    }

    #[test]
    fn inserts_and_deletes_move_cuts_only_nearby() {
        let rows = table(3000);
        let before = cut(&rows);
        for place in (5..3000).step_by(300) {
            let mut deleted = rows.clone();
            deleted.remove(place);
            assert!(fresh(&before, &cut(&deleted)) <= 8);
            let mut inserted = rows.clone();
            inserted.insert(place, (1_000_000 + place as u64, 0, vec![b'n'; 40]));
            assert!(fresh(&before, &cut(&inserted)) <= 8);
        }
    }

    #[test]
    fn segments_keep_their_sizes() {
        let chunks = cut(&table(20_000));
        let mean = chunks.iter().map(|chunk| chunk.rows.len()).sum::<usize>() / chunks.len();
        assert!((500..2500).contains(&mean), "mean chunk of two tenants is {mean} bytes");
        assert!(chunks.iter().all(|chunk| chunk.rows.len() <= SMALL.max + 100));
    }

    proptest! {
        #[test]
        fn no_row_is_lost_added_or_given_to_another_tenant(
            rows in prop::collection::vec(
                (any::<u64>(), 0..2_u8, prop::collection::vec(any::<u8>(), 0..400)), 0..200)
        ) {
            let chunks = cut(&rows);
            for tenant in 0..2_u8 {
                let scope = Scope::tenant([b'0' + tenant]);
                let mut expected = Vec::new();
                for (key, _, text) in rows.iter().filter(|row| row.1 == tenant) {
                    put_value(&mut expected, key.to_string().as_bytes());
                    put_value(&mut expected, &[b'0' + tenant]);
                    put_value(&mut expected, text);
                }
                let got: Vec<u8> = chunks.iter().filter(|chunk| chunk.scope == scope)
                    .flat_map(|chunk| chunk.rows.clone()).collect();
                prop_assert_eq!(got, expected);
            }
            let total: u64 = chunks.iter().map(|chunk| chunk.digest.rows).sum();
            prop_assert_eq!(total, rows.len() as u64);
        }
    }
}
