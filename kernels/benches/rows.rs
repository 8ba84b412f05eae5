//! What is done to each row between two products: one thread, rows of 1536 numbers, beside the bandwidth of memory.

#![allow(clippy::print_stdout)]

use bonafide_kernels::cpu::bench::{FORMS, Rows, bandwidth};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const DIM: usize = 1536;

fn rows(criterion: &mut Criterion) {
    println!("memory: {:.1} GB/s read by one core", bandwidth() / 1e9);
    let mut rows = Rows::new(DIM);
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Bytes((DIM * 4) as u64));
    group.bench_function("rms-norm", |bencher| bencher.iter(|| rows.norm()));
    for form in FORMS {
        group.bench_function(format!("into/{form}"), |bencher| bencher.iter(|| rows.put(form)));
    }
    group.bench_function("silu-mul", |bencher| bencher.iter(|| rows.activation()));
    group.bench_function("rotary", |bencher| bencher.iter(|| rows.rotary()));
    group.bench_function("softmax", |bencher| bencher.iter(|| rows.softmax()));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_millis(500))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = rows
}
criterion_main!(benches);
