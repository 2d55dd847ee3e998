//! How fast each step is on this machine, in bytes of rows a second: `cargo bench --package gorgen-engine --all-features`.

mod steps;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use steps::{Data, STEPS};

const ROWS: u32 = 100_000;

fn stages(criterion: &mut Criterion) {
    let data = Data::new(ROWS);
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Bytes(data.bytes as u64));
    for (name, step) in STEPS {
        group.bench_function(name, |bencher| bencher.iter(|| step(&data)));
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
