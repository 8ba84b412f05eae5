//! AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101): Adam with bias correction, and weight decay beside it rather than
//! in the gradient. It knows parameters and gradients, not what they are of.

use super::model::{Gradients, numbers};
use candle_core::{Result, Tensor, Var};

/// How fast the mean of gradients forgets.
const BETA_1: f64 = 0.9;
/// How fast the mean of squared gradients forgets; less slowly than Adam's 0.999, because runs are short.
const BETA_2: f64 = 0.99;
/// Keeps what divides from zero.
const EPS: f64 = 1e-8;

/// What an optimiser moves.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name in files.
    pub name: String,
    /// The variable.
    pub var: Var,
    /// Whether it decays; biases don't.
    pub decays: bool,
    /// Multiplies the learning rate.
    pub rate: f64,
}

/// The optimiser's state: the two moments of each parameter, and the number of steps made.
#[derive(Debug)]
pub struct AdamW {
    parameters: Vec<Parameter>,
    moments: Vec<[Tensor; 2]>,
    steps: u64,
    decay: f64,
}

impl AdamW {
    /// Moments of zero; `decay` is the share of a weight, times the learning rate, that a step takes off it.
    pub fn new(parameters: Vec<Parameter>, decay: f64) -> Result<Self> {
        let zeros = |p: &Parameter| Ok([p.var.zeros_like()?.detach(), p.var.zeros_like()?.detach()]);
        let moments = parameters.iter().map(zeros).collect::<Result<_>>()?;
        Ok(Self { parameters, moments, steps: 0, decay })
    }

    /// What it moves.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Steps made.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The first and second moment of each parameter, by its name.
    #[must_use]
    pub fn moments(&self) -> Vec<(String, [Tensor; 2])> {
        self.parameters.iter().map(|p| p.name.clone()).zip(self.moments.iter().cloned()).collect()
    }

    /// Goes on from a state that was kept. The moments are in the parameters' order.
    pub fn restore(&mut self, steps: u64, moments: Vec<[Tensor; 2]>) -> Result<()> {
        let fits = moments.len() == self.parameters.len()
            && self
                .parameters
                .iter()
                .zip(&moments)
                .all(|(p, [m, v])| m.shape() == p.var.shape() && v.shape() == p.var.shape());
        if !fits {
            return Err(candle_core::Error::Msg("moments that are not those of the parameters".to_owned()));
        }
        self.steps = steps;
        self.moments = moments;
        Ok(())
    }

    /// One step with the gradients times `scale`. A parameter without a gradient only decays.
    pub fn step(&mut self, gradients: &Gradients, rate: f64, scale: f64) -> Result<()> {
        self.steps += 1;
        let time = self.steps as f64;
        let (first, second) = (1.0 - BETA_1.powf(time), 1.0 - BETA_2.powf(time));
        for (parameter, [m, v]) in self.parameters.iter().zip(&mut self.moments) {
            let rate = rate * parameter.rate;
            let value = parameter.var.as_detached_tensor();
            let kept = if parameter.decays { 1.0 - rate * self.decay } else { 1.0 };
            let mut next = (value * kept)?;
            if let Some(grad) = gradients.of(&parameter.var) {
                let grad = (grad * scale)?;
                *m = ((&*m * BETA_1)? + (&grad * (1.0 - BETA_1))?)?;
                *v = ((&*v * BETA_2)? + (grad.sqr()? * (1.0 - BETA_2))?)?;
                let step = ((&*m * (rate / first))? / ((&*v / second)?.sqrt()? + EPS)?)?;
                next = (next - step)?;
            }
            parameter.var.set(&next)?;
        }
        Ok(())
    }

    /// The length of all gradients together.
    pub fn norm(&self, gradients: &Gradients) -> Result<f64> {
        let mut square = 0.0;
        for parameter in &self.parameters {
            if let Some(grad) = gradients.of(&parameter.var) {
                square +=
                    numbers(&grad.to_dtype(candle_core::DType::F64)?.sqr()?.sum_all()?)?.iter().sum::<f64>();
            }
        }
        Ok(square.sqrt())
    }
}

/// What gradients of this length are multiplied by, so that it is at most `most`.
#[must_use]
pub fn clip(norm: f64, most: f64) -> f64 {
    if norm > most { most / norm } else { 1.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use candle_core::Device;

    fn parameter(value: &[f64], decays: bool) -> Parameter {
        let var = Var::from_tensor(&Tensor::new(value, &Device::Cpu).unwrap()).unwrap();
        Parameter { name: "x".to_owned(), var, decays, rate: 1.0 }
    }

    /// The published recursion, number by number.
    #[test]
    fn steps_are_those_of_the_paper() {
        let p = parameter(&[1.0, -2.0], true);
        let mut optimiser = AdamW::new(vec![p.clone()], 0.1).unwrap();
        let (mut x, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
        for step in 1..=5 {
            let g = [0.3 * f64::from(step), -0.01];
            let mut gradients = Gradients::default();
            gradients.add(&p.var, &Tensor::new(&g, &Device::Cpu).unwrap()).unwrap();
            optimiser.step(&gradients, 0.05, 0.5).unwrap();
            for i in 0..2 {
                let g = 0.5 * g[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                let (mh, vh) = (m[i] / (1.0 - 0.9_f64.powi(step)), v[i] / (1.0 - 0.99_f64.powi(step)));
                x[i] = x[i] - 0.05 * 0.1 * x[i] - 0.05 * mh / (vh.sqrt() + 1e-8);
            }
        }
        let got: Vec<f64> = p.var.to_vec1().unwrap();
        assert!(got.iter().zip(x).all(|(got, x)| (got - x).abs() < 1e-12), "{got:?} {x:?}");
        assert_eq!(optimiser.steps(), 5);
    }

    #[test]
    fn a_restored_state_goes_on_alike() {
        let run = |kept: bool| {
            let p = parameter(&[1.0, -2.0], false);
            let mut optimiser = AdamW::new(vec![p.clone()], 0.0).unwrap();
            for step in 0..6 {
                if kept && step == 3 {
                    let moments = optimiser.moments().into_iter().map(|(_, moments)| moments).collect();
                    let mut fresh = AdamW::new(vec![p.clone()], 0.0).unwrap();
                    fresh.restore(optimiser.steps(), moments).unwrap();
                    optimiser = fresh;
                }
                let mut gradients = Gradients::default();
                gradients
                    .add(&p.var, &Tensor::new(&[1.0, 0.1 * f64::from(step)], &Device::Cpu).unwrap())
                    .unwrap();
                optimiser.step(&gradients, 0.1, 1.0).unwrap();
            }
            p.var.to_vec1::<f64>().unwrap()
        };
        assert_eq!(run(true), run(false));
        let mut optimiser = AdamW::new(vec![parameter(&[1.0], false)], 0.0).unwrap();
        assert!(optimiser.restore(1, Vec::new()).is_err());
    }

    #[test]
    fn gradients_are_measured_and_clipped_together() {
        let (p, q) = (parameter(&[0.0, 0.0], false), parameter(&[0.0], false));
        let optimiser = AdamW::new(vec![p.clone(), q.clone()], 0.0).unwrap();
        let mut gradients = Gradients::default();
        gradients.add(&p.var, &Tensor::new(&[1.0, 2.0], &Device::Cpu).unwrap()).unwrap();
        gradients.add(&q.var, &Tensor::new(&[1.0], &Device::Cpu).unwrap()).unwrap();
        gradients.add(&q.var, &Tensor::new(&[1.0], &Device::Cpu).unwrap()).unwrap();
        let norm = optimiser.norm(&gradients).unwrap();
        assert!((norm - 3.0).abs() < 1e-12);
        assert!((clip(norm, 1.0) - 1.0 / 3.0).abs() < 1e-12 && clip(norm, 4.0) == 1.0);
    }
}
