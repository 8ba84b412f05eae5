//! Penalised logistic regression by Newton's method (iteratively reweighted least squares).

use super::INPUTS;
use crate::detect::logistic;

/// Inputs and the bias.
const SIZE: usize = INPUTS + 1;

/// Iterations; from zero, about eight are enough for separable data under a penalty.
const ITERATIONS: usize = 100;

type Vector = [f64; SIZE];
type Matrix = [[f64; SIZE]; SIZE];

/// Minimises sum(weight x logistic loss) + sum(penalty x coefficient squared) / 2; returns coefficients and bias. The
/// bias bears no penalty, but for a trace that keeps the equations solvable.
pub(super) fn fit(
    inputs: &[[f64; INPUTS]],
    labels: &[bool],
    weights: &[f64],
    penalties: &[f64; INPUTS],
) -> Result<([f64; INPUTS], f64), String> {
    let problem = Problem { inputs, labels, weights, penalties };
    let mut at: Vector = [0.0; SIZE];
    let mut loss = problem.loss(&at);
    for _ in 0..ITERATIONS {
        let (gradient, hessian) = problem.derivatives(&at);
        let step = solve(hessian, gradient)
            .ok_or("two features are the same, and the penalty is too small to choose")?;
        let (next, next_loss) = problem.descend(&at, &step, loss);
        let gain = loss - next_loss;
        (at, loss) = (next, next_loss);
        if !loss.is_finite() {
            return Err(String::from("the loss is not a number"));
        }
        if gain < 1e-12 {
            let mut coefficients = [0.0; INPUTS];
            coefficients.copy_from_slice(&at[..INPUTS]);
            return Ok((coefficients, at[INPUTS]));
        }
    }
    Err(format!("the loss still falls after {ITERATIONS} steps"))
}

struct Problem<'a> {
    inputs: &'a [[f64; INPUTS]],
    labels: &'a [bool],
    weights: &'a [f64],
    penalties: &'a [f64; INPUTS],
}

impl Problem<'_> {
    fn samples(&self) -> impl Iterator<Item = (Vector, bool, f64)> {
        self.inputs.iter().zip(self.labels).zip(self.weights).map(|((inputs, &label), &weight)| {
            let mut extended = [1.0; SIZE];
            extended[..INPUTS].copy_from_slice(inputs);
            (extended, label, weight)
        })
    }

    fn penalty(&self, index: usize) -> f64 {
        self.penalties.get(index).copied().unwrap_or(1e-9)
    }

    fn loss(&self, at: &Vector) -> f64 {
        let data: f64 = self
            .samples()
            .map(|(inputs, label, weight)| {
                let margin = if label { dot(&inputs, at) } else { -dot(&inputs, at) };
                // ln(1 + exp(-margin)) without overflow.
                weight * ((-margin).max(0.0) + (-margin.abs()).exp().ln_1p())
            })
            .sum();
        let penalty: f64 =
            at.iter().enumerate().map(|(index, value)| self.penalty(index) * value * value / 2.0).sum();
        data + penalty
    }

    fn derivatives(&self, at: &Vector) -> (Vector, Matrix) {
        let mut gradient: Vector = [0.0; SIZE];
        let mut hessian: Matrix = [[0.0; SIZE]; SIZE];
        for (inputs, label, weight) in self.samples() {
            let probability = logistic(dot(&inputs, at));
            let error = weight * (probability - f64::from(u8::from(label)));
            let curvature = weight * probability * (1.0 - probability);
            for row in 0..SIZE {
                gradient[row] += error * inputs[row];
                let scaled = curvature * inputs[row];
                for column in 0..=row {
                    hessian[row][column] += scaled * inputs[column];
                }
            }
        }
        for index in 0..SIZE {
            gradient[index] += self.penalty(index) * at[index];
            hessian[index][index] += self.penalty(index);
        }
        (gradient, hessian)
    }

    /// Newton's step, halved until the loss falls.
    fn descend(&self, at: &Vector, step: &Vector, loss: f64) -> (Vector, f64) {
        let mut rate = 1.0;
        for _ in 0..40 {
            let mut next = *at;
            next.iter_mut().zip(step).for_each(|(value, step)| *value -= rate * step);
            let next_loss = self.loss(&next);
            if next_loss <= loss {
                return (next, next_loss);
            }
            rate /= 2.0;
        }
        (*at, loss)
    }
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric positive definite system, given its lower triangle, by Cholesky's decomposition.
fn solve(mut matrix: Matrix, mut right: Vector) -> Option<Vector> {
    for row in 0..SIZE {
        for column in 0..=row {
            let sum: f64 = (0..column).map(|k| matrix[row][k] * matrix[column][k]).sum();
            let rest = matrix[row][column] - sum;
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                matrix[row][row] = rest.sqrt();
            } else {
                matrix[row][column] = rest / matrix[column][column];
            }
        }
    }
    for row in 0..SIZE {
        let sum: f64 = (0..row).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - sum) / matrix[row][row];
    }
    for row in (0..SIZE).rev() {
        let sum: f64 = (row + 1..SIZE).map(|k| matrix[k][row] * right[k]).sum();
        right[row] = (right[row] - sum) / matrix[row][row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn solves_a_known_system() {
        let mut matrix: Matrix = [[0.0; SIZE]; SIZE];
        for (index, row) in matrix.iter_mut().enumerate() {
            row[index] = 4.0;
            if index > 0 {
                row[index - 1] = 1.0;
            }
        }
        let right: Vector = std::array::from_fn(|index| match index {
            0 => 5.0,
            _ if index == SIZE - 1 => 5.0,
            _ => 6.0,
        });
        let solution = solve(matrix, right).unwrap();
        assert!(solution.iter().all(|value| (value - 1.0).abs() < 1e-12));
        assert!(solve([[0.0; SIZE]; SIZE], right).is_none());
    }

    #[test]
    fn finds_the_odds_of_a_table() {
        // One binary input: of those with it 3 in 4 are generated, of those without 1 in 4. Log-odds +-ln 3.
        let input = |value: f64| -> [f64; INPUTS] {
            std::array::from_fn(|index| if index == 0 { value } else { 0.0 })
        };
        let inputs = [[input(1.0); 4], [input(0.0); 4]].concat();
        let labels = [true, true, true, false, true, false, false, false];
        let (coefficients, bias) = fit(&inputs, &labels, &[0.125; 8], &[1e-9; INPUTS]).unwrap();
        assert!((bias + 3.0_f64.ln()).abs() < 1e-4, "{bias}");
        assert!((coefficients[0] - 2.0 * 3.0_f64.ln()).abs() < 1e-4);
        assert!(coefficients[1..].iter().all(|value| value.abs() < 1e-9));
    }

    #[test]
    fn separable_data_stay_finite() {
        let input = |value: f64| -> [f64; INPUTS] { std::array::from_fn(|_| value) };
        let inputs = [[input(1.0); 4], [input(-1.0); 4]].concat();
        let labels = [true, true, true, true, false, false, false, false];
        let (coefficients, _) = fit(&inputs, &labels, &[0.125; 8], &[1e-3; INPUTS]).unwrap();
        assert!(coefficients.iter().all(|value| value.is_finite() && *value > 0.0));
    }
}
