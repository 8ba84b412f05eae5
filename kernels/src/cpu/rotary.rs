//! Rotary position embedding (Su et al. 2021, arXiv 2104.09864).

use super::math::mul_add;
use super::simd::dispatch;
use crate::weights::RotaryPairs;

/// Cosines and sines of every position so far, one a pair of numbers; grows and never shrinks.
#[derive(Default)]
pub(crate) struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Angles {
    /// Makes sure of all positions below `positions`.
    pub(crate) fn ensure(&mut self, positions: usize, frequencies: &[f64]) {
        let known = self.cos.len() / frequencies.len().max(1);
        for position in known..positions {
            for frequency in frequencies {
                let angle = position as f64 * frequency;
                self.cos.push(angle.cos() as f32);
                self.sin.push(angle.sin() as f32);
            }
        }
    }

    /// Turns a head in place.
    pub(crate) fn rotate(&self, head: &mut [f32], position: usize, pairs: RotaryPairs) {
        let half = head.len() / 2;
        let range = position * half..(position + 1) * half;
        let (cos, sin) = (&self.cos[range.clone()], &self.sin[range]);
        match pairs {
            RotaryPairs::Neighbours => neighbours(head, cos, sin),
            RotaryPairs::Halves => halves(head, cos, sin),
        }
    }
}

dispatch!(fn neighbours(head: &mut [f32], cos: &[f32], sin: &[f32]) = neighbours_body);
dispatch!(fn halves(head: &mut [f32], cos: &[f32], sin: &[f32]) = halves_body);

#[inline(always)]
fn neighbours_body<const FUSED: bool>(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(cos.iter().zip(sin)) {
        let (x, y) = (pair[0], pair[1]);
        pair[0] = mul_add::<FUSED>(x, *cos, -(y * sin));
        pair[1] = mul_add::<FUSED>(x, *sin, y * cos);
    }
}

#[inline(always)]
fn halves_body<const FUSED: bool>(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (left, right) = head.split_at_mut(cos.len());
    for ((x, y), (cos, sin)) in left.iter_mut().zip(right).zip(cos.iter().zip(sin)) {
        let (a, b) = (*x, *y);
        *x = mul_add::<FUSED>(a, *cos, -(b * sin));
        *y = mul_add::<FUSED>(a, *sin, b * cos);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_pairs_by_position_times_frequency() {
        let frequencies = [1.0, 0.25];
        let mut angles = Angles::default();
        angles.ensure(2, &frequencies);
        angles.ensure(5, &frequencies);
        let head = [1.0_f32, 2.0, 3.0, 4.0];
        for (pairs, places) in
            [(RotaryPairs::Neighbours, [(0, 1), (2, 3)]), (RotaryPairs::Halves, [(0, 2), (1, 3)])]
        {
            for position in 0..5 {
                let mut got = head;
                angles.rotate(&mut got, position, pairs);
                for ((a, b), frequency) in places.into_iter().zip(frequencies) {
                    let (sin, cos) = (position as f64 * frequency).sin_cos();
                    let (x, y) = (f64::from(head[a]), f64::from(head[b]));
                    assert!((f64::from(got[a]) - (x * cos - y * sin)).abs() < 1e-6);
                    assert!((f64::from(got[b]) - (x * sin + y * cos)).abs() < 1e-6);
                }
            }
        }
    }
}
