//! Products of activations with packed weights, one thread, the shapes of SmolLM2-135M.

mod yardstick;

use bonafide_kernels::cpu::bench::{FORMS, Product};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn product(criterion: &mut Criterion) {
    for form in FORMS {
        for (name, outputs, cols) in [("gate-up", 1536, 576), ("down", 576, 1536)] {
            let mut group = criterion.benchmark_group(format!("product/{name}"));
            for (set, peak) in yardstick::sets(form) {
                // The reference takes its time: fewer rows.
                let rows = if peak.is_none() && form != "f32" { 16 } else { 256 };
                let Ok(mut product) = Product::new(form, set, rows, outputs, cols) else { continue };
                let id = format!("{form}/{}", set.name());
                yardstick::share(&format!("product/{name}/{id}"), product.operations(), peak, || {
                    product.run();
                });
                group.throughput(Throughput::Elements(product.operations() as u64));
                group.bench_function(id, |bencher| bencher.iter(|| product.run()));
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_millis(800))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = product
}
criterion_main!(benches);
