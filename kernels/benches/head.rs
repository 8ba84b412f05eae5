//! The fused head, one thread: products, exponentials and sums over a vocabulary of 49 152 words.

mod yardstick;

use bonafide_kernels::cpu::bench::{FORMS, Head};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 128;

fn head(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    for form in FORMS {
        for (set, peak) in yardstick::sets(form) {
            // The reference takes its time: a smaller vocabulary.
            let vocab = if peak.is_none() && form != "f32" { 1024 } else { 49_152 };
            let Ok(mut head) = Head::new(form, set, ROWS, vocab, 576) else { continue };
            let id = format!("{form}/{}", set.name());
            yardstick::share(&format!("head/{id}"), head.operations(), peak, || {
                let _ = head.run();
            });
            group.throughput(Throughput::Elements(head.operations() as u64));
            group.bench_function(id, |bencher| bencher.iter(|| head.run()));
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_millis(800))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = head
}
criterion_main!(benches);
