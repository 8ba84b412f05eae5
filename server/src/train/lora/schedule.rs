//! How the learning rate rises and falls.

/// Rises linearly, then falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub rate: f64,
    /// Steps until it is reached.
    pub warm_up: u64,
    /// All steps.
    pub steps: u64,
    /// The share of the highest rate that is left at the end.
    pub floor: f64,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        if step < self.warm_up {
            return self.rate * (step + 1) as f64 / self.warm_up as f64;
        }
        let falling = self.steps.saturating_sub(self.warm_up).max(1);
        let share = ((step - self.warm_up) as f64 / falling as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
        self.rate * (self.floor + (1.0 - self.floor) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn the_rate_rises_and_falls() {
        let schedule = Schedule { rate: 2.0, warm_up: 4, steps: 24, floor: 0.1 };
        let close = |step: u64, rate: f64| (schedule.at(step) - rate).abs() < 1e-12;
        assert!(close(0, 0.5) && close(3, 2.0) && close(4, 2.0));
        assert!(close(14, 2.0 * 0.55) && close(24, 0.2) && close(99, 0.2));
        assert!((4..24).all(|step| schedule.at(step + 1) < schedule.at(step)));
        let none = Schedule { rate: 1.0, warm_up: 0, steps: 0, floor: 0.0 };
        assert!((none.at(0) - 1.0).abs() < 1e-12);
    }
}
