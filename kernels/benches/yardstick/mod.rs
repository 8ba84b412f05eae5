//! Prints what a benchmark reached of what the machine can do.

#![allow(dead_code, unreachable_pub, clippy::print_stdout)] // each benchmark uses its part

use bonafide_kernels::cpu::{Instructions, bench};
use std::time::Instant;

/// Sets of instructions that this CPU has and the form has a fast path for, with their peak; the scalar reference
/// first.
pub fn sets(form: &str) -> Vec<(Instructions, Option<f64>)> {
    let available = Instructions::ALL.into_iter().filter(|set| set.available());
    available
        .map(|set| (set, bench::peak(form, set)))
        .filter(|(set, peak)| *set == Instructions::Scalar || peak.is_some())
        .collect()
}

/// Runs the work for about a third of a second and prints its rate beside the peak.
pub fn share(name: &str, operations: f64, peak: Option<f64>, mut work: impl FnMut()) {
    work();
    let (start, mut fastest) = (Instant::now(), f64::INFINITY);
    while start.elapsed().as_millis() < 300 {
        let start = Instant::now();
        work();
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    let rate = operations / fastest;
    let of_peak =
        peak.map_or(String::new(), |peak| format!(", {:.0} % of {:.0}", 100.0 * rate / peak, peak / 1e9));
    println!("{name}: {:.1} G operations/s{of_peak}", rate / 1e9);
}
