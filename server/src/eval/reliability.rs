//! Whether a probability says what it claims: a reliability diagram, the expected calibration error and the Brier score.
//!
//! * The expected calibration error (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017) is the mean distance between
//!   the share of models' texts in a bin and the mean probability in it, bins counting by their texts. There are ten bins
//!   of equal width, of which each holds its lower end and the last one both. It is never quite zero, even for perfect
//!   probabilities, because the shares are those of few texts.
//! * The Brier score (Brier 1950) is the mean square of probability minus outcome: 0 is perfect, and always saying one
//!   half gives 0.25.
//!
//! The program's probability is that of a text drawn from two classes of equal size. Data are not mixed like that, and in
//! data of which four fifths are models' texts the best such probability looks too low. So everything is given twice: of
//! the texts as they are, and *balanced*, each class counting one half. The balanced share of a bin follows from the plain
//! one by odds, and so do the ends of its Wilson interval. The diagram shows the balanced one where there are both classes.

use super::chart::{Anchor, Labels, Plane, Svg};
use super::dataset::Label;
use super::metrics;
use serde::Serialize;

/// Number of bins, as in Naeini et al. 2015; more would hold too few texts of a file each.
pub const BINS: usize = 10;

/// The texts with a probability in one range.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Bin {
    pub low: f64,
    pub high: f64,
    pub n_human: usize,
    pub n_ai: usize,
    pub predicted: Option<f64>,
    pub observed: Option<f64>,
    pub observed_ci: Option<[f64; 2]>,
    pub predicted_balanced: Option<f64>,
    pub observed_balanced: Option<f64>,
    pub observed_balanced_ci: Option<[f64; 2]>,
}

/// Errors of the probabilities of some texts; see the module's page. Balanced values are null without both classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Reliability {
    pub n_human: usize,
    pub n_ai: usize,
    pub ece: f64,
    pub ece_balanced: Option<f64>,
    pub brier: f64,
    pub brier_balanced: Option<f64>,
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Of texts with their probabilities, from 0 to 1; `None` of no texts.
    #[must_use]
    pub fn of(texts: &[(Label, f64)]) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        let count = |label| texts.iter().filter(|text| text.0 == label).count();
        let (n_human, n_ai) = (count(Label::Human), count(Label::Ai));
        let plain = 1.0 / texts.len() as f64;
        let weights = (n_human > 0 && n_ai > 0).then(|| [0.5 / n_human as f64, 0.5 / n_ai as f64]);
        let mut binned: Vec<Vec<(Label, f64)>> = vec![Vec::new(); BINS];
        for &(label, probability) in texts {
            let index = ((probability * BINS as f64) as usize).min(BINS - 1);
            if let Some(bin) = binned.get_mut(index) {
                bin.push((label, probability));
            }
        }
        let bins = binned.iter().enumerate();
        Some(Self {
            n_human,
            n_ai,
            ece: calibration_error(&binned, [plain; 2]),
            ece_balanced: weights.map(|weights| calibration_error(&binned, weights)),
            brier: brier(texts, [plain; 2]),
            brier_balanced: weights.map(|weights| brier(texts, weights)),
            bins: bins.map(|(index, texts)| bin(index, texts, weights)).collect(),
        })
    }

    /// The diagram as SVG: share of models' texts over probability with 95 % intervals, and below it the number of texts
    /// of either class.
    #[must_use]
    pub fn diagram(&self, title: &str) -> String {
        let balanced = self.ece_balanced.zip(self.brier_balanced);
        let (ece, brier) = balanced.unwrap_or((self.ece, self.brier));
        let counted = if balanced.is_some() { "classes counting alike" } else { "one class only" };
        let figures = format!(
            "ECE {ece:.3}, Brier {brier:.3}, {} human and {} AI texts, {counted}",
            self.n_human, self.n_ai
        );
        let labels = Labels {
            title,
            description: &format!(
                "Reliability diagram: the share of models' texts among those of about the same probability, with 95 % \
                 Wilson intervals; on the diagonal the probability is right. Below, the number of texts. {figures}."
            ),
            x: "probability that a model wrote it",
            y: "share that a model wrote",
        };
        let mut svg = Svg::new(520.0, 640.0, &labels);
        svg.text((260.0, 42.0), &figures, Anchor::Middle, 11.0);
        let unit = [0.0, 1.0];
        let above = Plane { area: [70.0, 56.0, 420.0, 380.0], x: unit, y: unit };
        svg.axes(&above, "", labels.y);
        svg.path(&[above.at((0.0, 0.0)), above.at((1.0, 1.0))], "#888888", 1.0, "5 4");
        let mut curve = Vec::new();
        for bin in &self.bins {
            let shown = if balanced.is_some() {
                (bin.predicted_balanced, bin.observed_balanced, bin.observed_balanced_ci)
            } else {
                (bin.predicted, bin.observed, bin.observed_ci)
            };
            let (Some(predicted), Some(observed), Some([low, high])) = shown else { continue };
            svg.path(&[above.at((predicted, low)), above.at((predicted, high))], BLUE, 1.5, "");
            curve.push(above.at((predicted, observed)));
        }
        svg.path(&curve, BLUE, 1.5, "");
        for place in curve {
            svg.dot(place, 3.5, BLUE);
        }
        self.histogram(&mut svg, labels.x);
        svg.finish()
    }

    fn histogram(&self, svg: &mut Svg, x: &str) {
        let most = self.bins.iter().map(|bin| bin.n_human + bin.n_ai).max().unwrap_or(0).max(1);
        let plane = Plane { area: [70.0, 476.0, 420.0, 110.0], x: [0.0, 1.0], y: [0.0, most as f64] };
        svg.axes(&plane, x, "texts");
        for bin in &self.bins {
            let mut from = 0;
            for (count, colour) in [(bin.n_human, ORANGE), (bin.n_ai, BLUE)] {
                let (left, top) = plane.at((bin.low, (from + count) as f64));
                let (right, bottom) = plane.at((bin.high, from as f64));
                if count > 0 {
                    svg.rectangle([left + 1.0, top, right - left - 2.0, bottom - top], colour);
                }
                from += count;
            }
        }
        for (left, name, colour) in [(80.0, "human", ORANGE), (150.0, "AI", BLUE)] {
            svg.rectangle([left, 460.0, 10.0, 10.0], colour);
            svg.text((left + 15.0, 469.0), name, Anchor::Start, 11.0);
        }
    }
}

const BLUE: &str = "#0072b2";
const ORANGE: &str = "#e69f00";

fn outcome(label: Label) -> f64 {
    f64::from(label == Label::Ai)
}

fn weight(label: Label, weights: [f64; 2]) -> f64 {
    match label {
        Label::Human => weights[0],
        Label::Ai => weights[1],
    }
}

fn brier(texts: &[(Label, f64)], weights: [f64; 2]) -> f64 {
    let one = |&(label, probability): &(Label, f64)| {
        weight(label, weights) * (probability - outcome(label)).powi(2)
    };
    texts.iter().map(one).sum()
}

/// A bin's weight times the distance of its two means is the distance of the weighted sums.
fn calibration_error(binned: &[Vec<(Label, f64)>], weights: [f64; 2]) -> f64 {
    let one = |texts: &Vec<(Label, f64)>| {
        let gap =
            |&(label, probability): &(Label, f64)| weight(label, weights) * (probability - outcome(label));
        texts.iter().map(gap).sum::<f64>().abs()
    };
    binned.iter().map(one).sum()
}

fn bin(index: usize, texts: &[(Label, f64)], weights: Option<[f64; 2]>) -> Bin {
    let n_ai = texts.iter().filter(|text| text.0 == Label::Ai).count();
    let observed = metrics::rate(n_ai, texts.len());
    let predicted = |weights: [f64; 2]| {
        let total: f64 = texts.iter().map(|text| weight(text.0, weights)).sum();
        let sum: f64 = texts.iter().map(|text| weight(text.0, weights) * text.1).sum();
        (total > 0.0).then(|| sum / total)
    };
    let shift = |[human, ai]: [f64; 2]| move |share: f64| share * ai / (share * ai + (1.0 - share) * human);
    Bin {
        low: index as f64 / BINS as f64,
        high: (index + 1) as f64 / BINS as f64,
        n_human: texts.len() - n_ai,
        n_ai,
        predicted: predicted([1.0; 2]),
        observed: observed.map(|share| share.value),
        observed_ci: observed.map(|share| share.interval),
        predicted_balanced: weights.and_then(predicted),
        observed_balanced: weights.zip(observed).map(|(weights, share)| shift(weights)(share.value)),
        observed_balanced_ci: weights
            .zip(observed)
            .map(|(weights, share)| share.interval.map(shift(weights))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use Label::{Ai, Human};

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    /// Five texts in two bins: (.02, .04 | a model's .03) and (.9 | a human's .92).
    fn five() -> Reliability {
        Reliability::of(&[(Human, 0.02), (Human, 0.04), (Ai, 0.03), (Ai, 0.9), (Human, 0.92)]).unwrap()
    }

    #[test]
    fn errors_of_five_texts_by_hand() {
        let r = five();
        assert_eq!((r.n_human, r.n_ai), (3, 2));
        // Bin 0: three texts, mean .03, one a model's; bin 9: two texts, mean .91, one a model's.
        close(r.ece, 3.0 / 5.0 * (1.0 / 3.0 - 0.03) + 2.0 / 5.0 * (0.91 - 0.5));
        close(r.brier, (0.0004 + 0.0016 + 0.97 * 0.97 + 0.01 + 0.92 * 0.92) / 5.0);
        // Balanced: a human's text weighs 1/6, a model's 1/4.
        let [first, second] =
            [(0.02 / 6.0 + 0.04 / 6.0 - 0.97 / 4.0_f64).abs(), (-0.1 / 4.0 + 0.92 / 6.0_f64).abs()];
        close(r.ece_balanced.unwrap(), first + second);
        close(r.brier_balanced.unwrap(), (0.0004 + 0.0016 + 0.8464) / 6.0 + (0.9409 + 0.01) / 4.0);
    }

    #[test]
    fn bins_by_hand() {
        let r = five();
        let first = &r.bins[0];
        assert_eq!((first.n_human, first.n_ai, r.bins[9].n_human, r.bins[9].n_ai), (2, 1, 1, 1));
        close(first.predicted.unwrap(), 0.03);
        close(first.observed.unwrap(), 1.0 / 3.0);
        assert_eq!(first.observed_ci, metrics::rate(1, 3).map(|share| share.interval));
        // 1/4 of a model's weight beside 2/6 of the humans'.
        close(first.observed_balanced.unwrap(), 0.25 / (0.25 + 1.0 / 3.0));
        close(first.predicted_balanced.unwrap(), (0.06 / 6.0 + 0.03 / 4.0) / (0.25 + 1.0 / 3.0));
        let [low, high] = first.observed_balanced_ci.unwrap();
        let [plain_low, plain_high] = first.observed_ci.unwrap();
        let odds = |share: f64| share / (1.0 - share);
        close(odds(low), odds(plain_low) * 1.5);
        close(odds(high), odds(plain_high) * 1.5);
        assert_eq!(
            (r.bins[5].observed, r.bins[5].observed_balanced, r.bins[5].predicted),
            (None, None, None)
        );
        assert_eq!(r.bins.len(), BINS);
    }

    #[test]
    fn classes_of_one_size_are_balanced_as_they_are() {
        let r = Reliability::of(&[(Human, 0.3), (Ai, 0.3), (Ai, 0.8), (Human, 0.1)]).unwrap();
        close(r.ece, r.ece_balanced.unwrap());
        close(r.brier, r.brier_balanced.unwrap());
        close(r.bins[3].observed.unwrap(), r.bins[3].observed_balanced.unwrap());
    }

    #[test]
    fn the_ends_and_a_lonely_class() {
        let r = Reliability::of(&[(Ai, 1.0), (Ai, 0.0)]).unwrap();
        assert_eq!((r.bins[0].n_ai, r.bins[9].n_ai), (1, 1));
        assert_eq!((r.ece, r.brier, r.ece_balanced, r.brier_balanced), (0.5, 0.5, None, None));
        assert_eq!(Reliability::of(&[]), None);
    }

    #[test]
    fn perfect_probabilities_have_no_error() {
        let r = Reliability::of(&[(Human, 0.0), (Ai, 1.0), (Ai, 1.0)]).unwrap();
        assert_eq!((r.ece, r.brier, r.ece_balanced), (0.0, 0.0, Some(0.0)));
    }

    #[test]
    fn the_diagram_shows_each_bin_that_has_texts() {
        let svg = five().diagram("Reliability");
        // A point in each of two bins, and in each a bar of either class; further the ground and the legend.
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("fill=\"#e69f00\"").count(), 2 + 1);
        assert_eq!(svg.matches("<rect").count(), 1 + 4 + 2);
        assert!(svg.contains("3 human and 2 AI texts, classes counting alike"), "{svg}");
        assert!(svg.contains("<title id=\"title\">Reliability</title>"));
        let lonely = Reliability::of(&[(Ai, 0.99)]).unwrap().diagram("One");
        assert!(lonely.contains("one class only") && lonely.contains("<circle"), "{lonely}");
    }
}
