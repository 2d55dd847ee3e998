//! The steps of a backup that every byte goes through, each on the same made-up rows.

use std::{hint::black_box, sync::Arc};

use gorgen_engine::{
    model::{KeyId, VaultId},
    ports::DataKey,
    stages::{
        compress::Codec,
        cut::{CutSizes, Cutter, RawChunk},
        rows::{Digest, RowBatch, RowShape, put_null, put_value},
        seal::{Binding, NamingKey, SealingKey},
        spare::Spare,
    },
    testing::SeededEntropy,
};

const WORDS: [&str; 12] = [
    "paciente", "refere", "dor", "no", "joelho", "direito", "há", "três", "dias", "sem", "febre",
    "melhora",
];

/// All that the steps work on: rows, their chunks, frames and seals.
pub(crate) struct Data {
    /// Bytes of the rows.
    pub(crate) bytes: usize,
    values: Vec<[Option<String>; 6]>,
    batches: Vec<RowBatch>,
    chunks: Vec<Vec<u8>>,
    frames: Vec<Vec<u8>>,
    sealed: Vec<Vec<u8>>,
    naming: NamingKey,
    sealing: SealingKey,
}

/// A step, and its name.
pub(crate) type Step = (&'static str, fn(&Data));

/// All steps, in the order in which rows go through them; then the way back.
pub(crate) const STEPS: [Step; 8] = [
    ("rows", rows),
    ("digest", digest),
    ("cut", cut),
    ("name", name),
    ("compress", compress),
    ("seal", seal),
    ("open", open),
    ("decompress", decompress),
];

impl Data {
    /// `rows` rows of a table of visits, of two tenants; the same each time.
    pub(crate) fn new(rows: u32) -> Self {
        let values: Vec<_> = (0..rows).map(visit).collect();
        let batches = batches(&values);
        let bytes = batches.iter().flat_map(RowBatch::rows).map(<[u8]>::len).sum();
        let key = DataKey::new([7; 32]);
        let id: KeyId = "rows.t-1.20261101T060000Z-4f2a91c3".parse().expect("a key id");
        let mut data = Self {
            bytes,
            values,
            batches,
            chunks: Vec::new(),
            frames: Vec::new(),
            sealed: Vec::new(),
            naming: NamingKey::new(key.clone()),
            sealing: SealingKey::new(id, &key),
        };
        data.chunks = data.cut().into_iter().map(|chunk| chunk.rows).collect();
        data.frames = data.compress();
        data.sealed = data.seal();
        data
    }

    fn cut(&self) -> Vec<RawChunk> {
        let shape = RowShape::new(6, vec![0], Some(1));
        let mut cutter = Cutter::new(shape, CutSizes::STANDARD, Arc::new(Spare::new(0)));
        let mut chunks = Vec::new();
        for batch in &self.batches {
            cutter.push(batch, |chunk| chunks.push(chunk)).expect("rows");
        }
        cutter.finish(|chunk| chunks.push(chunk));
        chunks
    }

    fn compress(&self) -> Vec<Vec<u8>> {
        let mut codec = Codec::new().expect("memory");
        let frame = |rows: &Vec<u8>| {
            let mut frame = Vec::new();
            codec.compress(rows, &mut frame).expect("memory");
            frame
        };
        self.chunks.iter().map(frame).collect()
    }

    fn seal(&self) -> Vec<Vec<u8>> {
        let entropy = SeededEntropy::new(1);
        self.frames.iter().map(|frame| self.sealing.seal(frame, BINDING, &entropy)).collect()
    }
}

const BINDING: Binding<'static> = Binding {
    vault: VaultId::new([1; 16]),
    kind: "chunk",
    name: "5d5af6748dc8e7f65a4512d3c40f9493",
    beside: &[],
};

fn visit(number: u32) -> [Option<String>; 6] {
    let noise = number.wrapping_mul(2_654_435_761);
    let word = |place: u32| WORDS[(noise.rotate_left(place * 5) % 12) as usize];
    let text: Vec<_> = (0..3 + noise % 20).map(word).collect();
    [
        Some(number.to_string()),
        Some((1 + noise % 2).to_string()),
        Some((noise % 150_000).to_string()),
        Some(format!("2026-11-{:02} {:02}:{:02}:00", 1 + noise % 28, noise % 24, noise % 60)),
        (!noise.is_multiple_of(5)).then(|| text.join(" ")),
        Some(format!("{noise:08x}")),
    ]
}

fn batches(values: &[[Option<String>; 6]]) -> Vec<RowBatch> {
    let mut batches = vec![RowBatch::new()];
    for row in values {
        if batches.last().is_none_or(RowBatch::is_full) {
            batches.push(RowBatch::new());
        }
        let batch = batches.last_mut().expect("one is open");
        batch.push(|bytes| {
            for value in row {
                match value {
                    Some(value) => put_value(bytes, value.as_bytes()),
                    None => put_null(bytes),
                }
            }
        });
    }
    batches
}

fn rows(data: &Data) {
    black_box(batches(&data.values));
}

fn digest(data: &Data) {
    let mut digest = Digest::default();
    for row in data.batches.iter().flat_map(RowBatch::rows) {
        digest.add(row);
    }
    black_box(digest);
}

fn cut(data: &Data) {
    black_box(data.cut());
}

fn name(data: &Data) {
    for chunk in &data.chunks {
        black_box(data.naming.name(chunk));
    }
}

fn compress(data: &Data) {
    black_box(data.compress());
}

fn seal(data: &Data) {
    black_box(data.seal());
}

fn open(data: &Data) {
    for sealed in &data.sealed {
        black_box(data.sealing.open(sealed, BINDING).expect("it was sealed with this"));
    }
}

fn decompress(data: &Data) {
    let (mut codec, mut rows) = (Codec::new().expect("memory"), Vec::new());
    for (frame, chunk) in data.frames.iter().zip(&data.chunks) {
        codec.decompress(frame, chunk.len(), &mut rows).expect("it was compressed like this");
        black_box(&rows);
    }
}
