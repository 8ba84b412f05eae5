//! Penalised logistic regression on many inputs: L-BFGS (Liu and Nocedal 1989) on standardised columns.

use bonafide_core::detect::logistic;
use rayon::prelude::*;
use std::collections::VecDeque;

/// Pairs of steps and gradients that stand for the curvature.
const MEMORY: usize = 10;
/// Most steps; the penalties in use need about thirty.
const STEPS: usize = 200;
/// The gradient's largest component, relative to that at the start, at which it is done.
const TOLERANCE: f64 = 1e-4;
/// A column whose deviation is a smaller share of its mean is taken for a constant: rounding makes as much.
const LEAST_SPREAD: f64 = 1e-4;
/// Rows that one thread takes at a time.
const ROWS: usize = 256;

/// Labelled rows of inputs.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// `inputs.len() / width` rows, one after the other.
    pub inputs: &'a [f32],
    /// Numbers in a row.
    pub width: usize,
    /// Whether a model wrote the row's text.
    pub labels: &'a [bool],
    /// What each row counts.
    pub weights: &'a [f64],
}

/// A linear classifier of rows as they came: the standardisation is in its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// One an input.
    pub weights: Vec<f32>,
    /// Log-odds of a row of zeros.
    pub bias: f64,
}

impl Linear {
    /// Log-odds of a row.
    #[must_use]
    pub fn log_odds(&self, row: &[f32]) -> f64 {
        self.bias + self.weights.iter().zip(row).map(|(weight, x)| f64::from(weight * x)).sum::<f64>()
    }
}

/// Minimises the weighted mean of the logistic loss plus `penalty / 2` times the squared weights of standardised columns.
///
/// Which thread adds what up decides the last digits of a sum, so rows are summed in blocks of a fixed size and blocks in
/// order: the result is the same on any number of threads.
#[must_use]
pub fn fit(rows: Rows<'_>, penalty: f64) -> Linear {
    let total: f64 = rows.weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let Scale { mean, deviation } = standardise(rows, total);
    let standard: Vec<f32> = rows
        .inputs
        .par_chunks(rows.width.max(1))
        .flat_map_iter(|row| {
            row.iter()
                .zip(&mean)
                .zip(&deviation)
                .map(|((x, mean), deviation)| ((f64::from(*x) - mean) / deviation) as f32)
        })
        .collect();
    let rows = Rows { inputs: &standard, ..rows };
    let solution = minimise(rows.width + 1, |at| loss(rows, total, penalty, at));
    let (weights, bias) = solution.split_at(rows.width);
    let weights: Vec<f64> =
        weights.iter().zip(&deviation).map(|(weight, deviation)| weight / deviation).collect();
    let shift: f64 = weights.iter().zip(&mean).map(|(weight, mean)| weight * mean).sum();
    let bias = bias.first().copied().unwrap_or_default() - shift;
    Linear { weights: weights.into_iter().map(|weight| weight as f32).collect(), bias }
}

struct Scale {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

fn standardise(rows: Rows<'_>, total: f64) -> Scale {
    let mut mean = vec![0.0; rows.width];
    let mut square = vec![0.0; rows.width];
    for (row, weight) in rows.inputs.chunks_exact(rows.width.max(1)).zip(rows.weights) {
        for ((mean, square), x) in mean.iter_mut().zip(&mut square).zip(row) {
            *mean += weight * f64::from(*x) / total;
            *square += weight * f64::from(*x).powi(2) / total;
        }
    }
    // A column that hardly varies tells nothing: divided by infinity it stays at 0 and gets no weight.
    let spread = |(square, mean): (&f64, &f64)| {
        let deviation = (square - mean * mean).max(0.0).sqrt();
        if deviation > LEAST_SPREAD * mean.abs() { deviation } else { f64::INFINITY }
    };
    let deviation = square.iter().zip(&mean).map(spread).collect();
    Scale { mean, deviation }
}

/// Loss and gradient; the last component is the constant's.
fn loss(rows: Rows<'_>, total: f64, penalty: f64, at: &[f64]) -> (f64, Vec<f64>) {
    let width = rows.width;
    let (weights, bias) = (&at[..width], at[width]);
    let narrow: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
    let blocks: Vec<(f64, Vec<f64>)> = rows
        .inputs
        .par_chunks(ROWS * width.max(1))
        .zip(rows.labels.par_chunks(ROWS).zip(rows.weights.par_chunks(ROWS)))
        .map(|(inputs, (labels, shares))| {
            let mut loss = 0.0;
            let mut gradient = vec![0.0_f32; width];
            let mut constant = 0.0;
            for ((row, label), share) in inputs.chunks_exact(width.max(1)).zip(labels).zip(shares) {
                let odds =
                    bias + f64::from(row.iter().zip(&narrow).map(|(x, weight)| x * weight).sum::<f32>());
                let signed = if *label { odds } else { -odds };
                // log(1 + exp(-s)), and its derivative, without overflow.
                loss += share * ((-signed.abs()).exp().ln_1p() + (-signed).max(0.0));
                let slope = share * (logistic(odds) - f64::from(u8::from(*label)));
                constant += slope;
                let slope = slope as f32;
                gradient.iter_mut().zip(row).for_each(|(gradient, x)| *gradient += slope * x);
            }
            (loss, gradient.into_iter().map(f64::from).chain([constant]).collect())
        })
        .collect();
    let mut value = 0.5 * penalty * weights.iter().map(|weight| weight * weight).sum::<f64>();
    let mut gradient: Vec<f64> = weights.iter().map(|weight| penalty * weight).chain([0.0]).collect();
    for (loss, own) in blocks {
        value += loss / total;
        gradient.iter_mut().zip(own).for_each(|(sum, own)| *sum += own / total);
    }
    (value, gradient)
}

fn minimise(dimensions: usize, function: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let mut at = vec![0.0; dimensions];
    let (mut value, mut gradient) = function(&at);
    let start = largest(&gradient);
    let mut history: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    for _ in 0..STEPS {
        if largest(&gradient) <= TOLERANCE * start {
            break;
        }
        let direction = direction(&gradient, &history);
        let slope = dot(&direction, &gradient);
        let mut step = if history.is_empty() { 1.0 / largest(&gradient).max(1.0) } else { 1.0 };
        let mut next = None;
        for _ in 0..40 {
            let tried: Vec<f64> = at.iter().zip(&direction).map(|(at, by)| at + step * by).collect();
            let (loss, slopes) = function(&tried);
            if loss <= value + 1e-4 * step * slope {
                next = Some((tried, loss, slopes));
                break;
            }
            step /= 2.0;
        }
        let Some((tried, loss, slopes)) = next else { break };
        let moved: Vec<f64> = tried.iter().zip(&at).map(|(new, old)| new - old).collect();
        let turned: Vec<f64> = slopes.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let curvature = dot(&moved, &turned);
        if curvature > 1e-12 {
            history.push_back((moved, turned, 1.0 / curvature));
            if history.len() > MEMORY {
                history.pop_front();
            }
        }
        (at, value, gradient) = (tried, loss, slopes);
    }
    at
}

/// Downhill, by the two loops of L-BFGS.
fn direction(gradient: &[f64], history: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut by: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(history.len());
    for (moved, turned, inverse) in history.iter().rev() {
        let share = inverse * dot(moved, &by);
        by.iter_mut().zip(turned).for_each(|(by, turned)| *by -= share * turned);
        shares.push(share);
    }
    if let Some((_, turned, inverse)) = history.back() {
        let scale = 1.0 / (inverse * dot(turned, turned)).max(1e-300);
        by.iter_mut().for_each(|by| *by *= scale);
    }
    for ((moved, turned, inverse), share) in history.iter().zip(shares.iter().rev()) {
        let other = inverse * dot(turned, &by);
        by.iter_mut().zip(moved).for_each(|(by, moved)| *by += (share - other) * moved);
    }
    by
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(at: usize) -> f32 {
        let mixed = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1 << 24) as f32 - 0.5
    }

    fn rows(count: usize, width: usize) -> (Vec<f32>, Vec<bool>) {
        let mut inputs: Vec<f32> = (0..count * width).map(noise).collect();
        let labels: Vec<bool> = (0..count).map(|row| row % 3 == 0).collect();
        for (row, label) in inputs.chunks_exact_mut(width).zip(&labels) {
            row[0] = 40.0 + 3.0 * row[0] + if *label { 1.5 } else { 0.0 };
            row[2] *= 1e-3;
        }
        (inputs, labels)
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (inputs, labels) = rows(700, 5);
        let weights: Vec<f64> = (0..700).map(|row| 1.0 + f64::from(row % 4)).collect();
        let rows = Rows { inputs: &inputs, width: 5, labels: &labels, weights: &weights };
        let at = [0.02, -0.3, 0.1, 0.4, 0.2, -0.5];
        let total = weights.iter().sum();
        let (_, gradient) = loss(rows, total, 0.1, &at);
        for (index, slope) in gradient.iter().enumerate() {
            let beside = |by: f64| {
                let mut at = at;
                at[index] += by;
                loss(rows, total, 0.1, &at).0
            };
            let difference = (beside(1e-3) - beside(-1e-3)) / 2e-3;
            assert!((difference - slope).abs() < 1e-3 * (1.0 + slope.abs()), "{index}: {difference} {slope}");
        }
    }

    #[test]
    fn what_is_found_is_the_least() {
        let (inputs, labels) = rows(700, 5);
        let weights = vec![1.0; 700];
        let given = Rows { inputs: &inputs, width: 5, labels: &labels, weights: &weights };
        let Scale { mean, deviation } = standardise(given, 700.0);
        let found = fit(given, 0.05);
        let standard: Vec<f32> = inputs
            .chunks_exact(5)
            .flat_map(|row| {
                (0..5).map(|at| ((f64::from(row[at]) - mean[at]) / deviation[at]) as f32).collect::<Vec<_>>()
            })
            .collect();
        let mut at: Vec<f64> = found.weights.iter().zip(&deviation).map(|(w, d)| f64::from(*w) * d).collect();
        at.push(found.bias + found.weights.iter().zip(&mean).map(|(w, m)| f64::from(*w) * m).sum::<f64>());
        let (_, gradient) = loss(Rows { inputs: &standard, ..given }, 700.0, 0.05, &at);
        assert!(largest(&gradient) < 1e-3, "{gradient:?}");
        let right =
            inputs.chunks_exact(5).zip(&labels).filter(|(row, label)| (found.log_odds(row) > 0.0) == **label);
        assert!(right.count() > 560);
    }

    #[test]
    fn a_constant_gets_no_weight() {
        let (mut inputs, labels) = rows(700, 5);
        for (at, row) in inputs.chunks_exact_mut(5).enumerate() {
            row[1] = 0.3 * (1 + at % 7) as f32 / (1 + at % 7) as f32;
            row[3] = 0.0;
        }
        let found = fit(Rows { inputs: &inputs, width: 5, labels: &labels, weights: &vec![1.0; 700] }, 0.05);
        assert_eq!((found.weights[1], found.weights[3]), (0.0, 0.0));
        assert!(found.weights[0] > 0.1 && found.bias.is_finite());
    }

    #[test]
    fn a_heavy_penalty_leaves_the_share_of_labels() {
        let (inputs, labels) = rows(300, 5);
        let given = Rows { inputs: &inputs, width: 5, labels: &labels, weights: &vec![1.0; 300] };
        let found = fit(given, 1e6);
        assert!((found.log_odds(&inputs[..5]) - (100.0_f64 / 200.0).ln()).abs() < 0.01);
    }
}
