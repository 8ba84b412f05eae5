//! The cheap way to a detector: the model as it is, and a linear probe of its hidden states.
//!
//! Each text is read once: its token statistics, and its hidden states pooled in chunks. The probe is fitted on texts of
//! several lengths. What is known about it must come from texts of kinds that it has not seen, or the calibration would
//! promise what holds at home only: so the domains are dealt into folds, a probe is fitted without each fold, and what
//! each text's statistics hold is said by the probe that has not seen its domain (cross-fitting; for the conformal tables
//! see Vovk 2015, "Cross-conformal predictors"). Weighing probe against statistics, the tables and the error rates all
//! rest on those; only the probe that is shipped has seen all.

pub mod extract;
pub mod logistic;

use crate::eval::dataset::hash;
use crate::model::probe::Probe;
use bonafide_core::calibration::fit::auroc;
use bonafide_core::detect::Stats;
use extract::Pooled;
use logistic::{Linear, Rows};
use std::collections::{BTreeMap, BTreeSet};

/// Scored tokens of which one vector is kept.
pub const CHUNK: usize = 32;
/// Lengths in chunks at which a text trains, besides its whole one: a probe of long texts only would be lost on short ones.
const LENGTHS: [usize; 2] = [2, 4];
/// Penalties that are tried.
const PENALTIES: [f64; 4] = [0.03, 0.1, 0.3, 1.0];

/// A text with its hidden states and where it is from.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its statistics and hidden states.
    pub pooled: Pooled,
    /// Whether a model wrote it.
    pub ai: bool,
    /// Its data set.
    pub dataset: String,
    /// What is left out together: data set and domain.
    pub domain: String,
    /// Whether the probe may be fitted on it.
    pub trains: bool,
}

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Parts that the domains are dealt into.
    pub folds: usize,
    /// How hard the weights are held down; chosen by unseen domains if `None`.
    pub penalty: Option<f64>,
    /// How domains are dealt.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The probe of all texts.
    pub linear: Linear,
    /// How hard the weights were held down.
    pub penalty: f64,
    /// Mean over data sets of the AUROC on unseen domains, for each penalty tried.
    pub tried: Vec<(f64, f64)>,
}

/// Why there is no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few domains to leave some out.
    #[error(
        "the texts are of {found} domains, and {folds} parts are to be left out in turn: give more data sets, or --folds"
    )]
    FewDomains {
        /// Domains of texts that train.
        found: usize,
        /// Parts asked for.
        folds: usize,
    },
    /// One label only.
    #[error("a probe needs texts of both labels, also when some domains are left out: give more data sets")]
    OneSided,
}

/// Fits the probe, and puts into each text's statistics what a probe says that has not seen its domain.
pub fn fit(texts: &mut [Text], settings: Settings, mut told: impl FnMut(&str)) -> Result<Fitted, FitError> {
    let fold = folds(texts, settings)?;
    let mut tried = Vec::new();
    let mut best: Option<(f64, f64, Vec<Linear>)> = None;
    let penalties = settings.penalty.map_or_else(|| PENALTIES.to_vec(), |penalty| vec![penalty]);
    for penalty in penalties {
        told(&format!("{} probes at a penalty of {penalty}, each without some domains", settings.folds));
        let probes = (0..settings.folds)
            .map(|left_out| train(texts, penalty, |text| fold[&text.domain] != left_out))
            .collect::<Result<Vec<_>, _>>()?;
        let area = unseen(texts, &fold, &probes);
        tried.push((penalty, area));
        if best.as_ref().is_none_or(|(_, most, _)| area > *most + 1e-4) {
            best = Some((penalty, area, probes));
        }
    }
    let (penalty, _, probes) = best.ok_or(FitError::OneSided)?;
    told("the probe of all texts");
    let linear = train(texts, penalty, |_| true)?;
    for text in texts {
        let own = if text.trains { &probes[fold[&text.domain]] } else { &linear };
        text.pooled.put(&own.weights);
    }
    Ok(Fitted { linear, penalty, tried })
}

/// Which fold each domain is in. Domains of texts that don't train are in one that is never asked.
fn folds(texts: &[Text], settings: Settings) -> Result<BTreeMap<String, usize>, FitError> {
    let training: BTreeSet<&str> = texts.iter().filter(|t| t.trains).map(|t| t.domain.as_str()).collect();
    if settings.folds < 2 || training.len() < settings.folds {
        return Err(FitError::FewDomains { found: training.len(), folds: settings.folds });
    }
    let mut order: Vec<&str> = training.iter().copied().collect();
    order.sort_by_key(|domain| hash(&[b"fold", &settings.seed.to_le_bytes(), domain.as_bytes()]));
    let mut fold: BTreeMap<String, usize> =
        order.into_iter().enumerate().map(|(at, domain)| (domain.to_owned(), at % settings.folds)).collect();
    for text in texts.iter().filter(|text| !text.trains) {
        fold.entry(text.domain.clone()).or_insert(settings.folds);
    }
    Ok(fold)
}

fn train(texts: &[Text], penalty: f64, wanted: impl Fn(&Text) -> bool) -> Result<Linear, FitError> {
    let own: Vec<&Text> = texts.iter().filter(|text| text.trains && wanted(text)).collect();
    let mut counts: BTreeMap<(&str, bool), f64> = BTreeMap::new();
    for text in &own {
        *counts.entry((text.dataset.as_str(), text.ai)).or_default() += 1.0;
    }
    let (mut inputs, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for text in &own {
        // Both labels of a data set weigh the same, and a data set by the root of its size.
        let of = |ai| counts.get(&(text.dataset.as_str(), ai)).copied().unwrap_or(0.0);
        let weight = (of(true) + of(false)).sqrt() / of(text.ai);
        let means = text.pooled.means(LENGTHS);
        for mean in &means {
            inputs.extend_from_slice(mean);
            labels.push(text.ai);
            weights.push(weight / means.len() as f64);
        }
    }
    if !labels.contains(&true) || !labels.contains(&false) {
        return Err(FitError::OneSided);
    }
    let width = inputs.len() / labels.len();
    Ok(logistic::fit(Rows { inputs: &inputs, width, labels: &labels, weights: &weights }, penalty))
}

/// Mean over data sets of the AUROC of whole texts, each scored by the probe that has not seen its domain.
fn unseen(texts: &[Text], fold: &BTreeMap<String, usize>, probes: &[Linear]) -> f64 {
    let mut scored: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
    for text in texts.iter().filter(|text| text.trains) {
        if let Some(mean) = text.pooled.means([]).pop() {
            scored
                .entry(&text.dataset)
                .or_default()
                .push((probes[fold[&text.domain]].log_odds(&mean), text.ai));
        }
    }
    let areas: Vec<f64> = scored.values().filter_map(|scored| auroc(scored)).collect();
    areas.iter().sum::<f64>() / areas.len().max(1) as f64
}

impl Fitted {
    /// The probe as the program reads it.
    #[must_use]
    pub fn probe(&self, model_sha256: &str, depths: &[usize]) -> Probe {
        Probe {
            model_sha256: model_sha256.to_owned(),
            depths: depths.to_vec(),
            weights: self.linear.weights.clone(),
        }
    }
}

impl Text {
    /// Its statistics, once [`fit`] has put a probe's word into them.
    #[must_use]
    pub fn stats(&self) -> &[Stats] {
        &self.pooled.stats
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Hidden states of two numbers: the first tells the label everywhere, the second the label in one domain only.
    fn text(index: usize) -> Text {
        let ai = index.is_multiple_of(2);
        let domain = (index / 2) % 6;
        let noise = |salt: &[u8]| (hash(&[salt, &index.to_le_bytes()]) % 1000) as f32 / 1000.0 - 0.5;
        let sign = if ai { 1.0 } else { -1.0 };
        let state = [0.8 * sign + noise(b"a"), if domain == 0 { 5.0 * sign } else { 5.0 * noise(b"b") }, 0.3];
        let tokens = 40 + index % 60;
        let sums =
            (0..tokens).step_by(CHUNK).flat_map(|from| state.map(|x| x * CHUNK.min(tokens - from) as f32));
        let pooled = Pooled { stats: vec![Stats::default(); tokens], sums: sums.collect(), width: 3 };
        Text { pooled, ai, dataset: format!("set{}", domain % 2), domain: format!("d{domain}"), trains: true }
    }

    const SETTINGS: Settings = Settings { folds: 3, penalty: None, seed: 0 };

    #[test]
    fn a_text_is_scored_by_a_probe_that_has_not_seen_its_domain() {
        let mut texts: Vec<Text> = (0..600).map(text).collect();
        let fitted = fit(&mut texts, SETTINGS, |_| {}).unwrap();
        assert_eq!(fitted.tried.len(), PENALTIES.len());
        assert!(fitted.linear.weights[0] > 0.0 && fitted.linear.weights[1] > 0.0);
        let word = |text: &Text| f64::from(text.stats()[0].probe.unwrap());
        let scored: Vec<(f64, bool)> = texts.iter().map(|text| (word(text), text.ai)).collect();
        assert!(auroc(&scored).unwrap() > 0.9);
        // What only the domain d0 tells is not in the word on its texts.
        let (own, all) = texts
            .iter()
            .filter(|text| text.domain == "d0")
            .map(|text| {
                let mean = text.pooled.means([]).pop().unwrap();
                let shipped: f32 = fitted.linear.weights.iter().zip(&mean).map(|(w, x)| w * x).sum();
                (word(text).abs(), f64::from(shipped).abs())
            })
            .fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        assert!(own < 0.8 * all, "{own} {all}");
    }

    #[test]
    fn too_few_domains_or_labels_are_refused() {
        let mut few: Vec<Text> = (0..40).map(text).filter(|text| text.domain.as_str() < "d2").collect();
        assert_eq!(fit(&mut few, SETTINGS, |_| {}).unwrap_err(), FitError::FewDomains { found: 2, folds: 3 });
        let mut ai: Vec<Text> = (0..80).map(text).filter(|text| text.ai).collect();
        assert_eq!(fit(&mut ai, SETTINGS, |_| {}).unwrap_err(), FitError::OneSided);
    }

    #[test]
    fn what_may_not_train_is_scored_all_the_same() {
        let mut texts: Vec<Text> = (0..300).map(text).collect();
        for text in texts.iter_mut().filter(|text| text.domain == "d5") {
            text.trains = false;
        }
        fit(&mut texts, SETTINGS, |_| {}).unwrap();
        assert!(texts.iter().all(|text| text.stats().iter().all(|stats| stats.probe.is_some())));
    }
}
