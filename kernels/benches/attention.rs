//! Causal attention of one head of 64 numbers, one thread.

mod yardstick;

use bonafide_kernels::cpu::{Instructions, bench};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn attention(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attention");
    let best = Instructions::best();
    for tokens in [128, 512, 1024] {
        for tiles in [false, true] {
            if tiles && !Instructions::Amx.available() {
                continue;
            }
            let form = if tiles { "bf16" } else { "f32" };
            let peak = bench::peak(form, best);
            let mut attention = bench::Attention::new(tiles, tokens, 64);
            let id = format!("{form}/{tokens}");
            yardstick::share(&format!("attention/{id}"), attention.operations(), peak, || attention.run());
            group.throughput(Throughput::Elements(tokens as u64));
            group.bench_function(id, |bencher| bencher.iter(|| attention.run()));
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_millis(800))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = attention
}
criterion_main!(benches);
