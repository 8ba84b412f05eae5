//! The cheap way to a detector: the model as it is, and a linear probe of its hidden states.
//!
//! Each text is read once: its token statistics, and its hidden states pooled in chunks. The probe is fitted on texts of
//! several lengths. What is known about it must come from texts of kinds that it has not seen, or the calibration would
//! promise what holds at home only: so the texts are dealt into folds, a data set of few domains being one and the domains
//! of a wider one making several; a probe is fitted without each fold, and what each text's statistics hold is said by the
//! probe that has not seen its fold (cross-fitting; for the conformal tables see Vovk 2015, "Cross-conformal predictors").
//! Weighing probe against statistics, the tables and the error rates all rest on those; only the probe that is shipped has
//! seen all.

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
/// What a data set of one label weighs, compared with others: much of what tells its texts from the rest is its subject.
const ONE_SIDED: f64 = 0.3;
/// Penalties that are tried.
const PENALTIES: [f64; 4] = [0.1, 0.3, 1.0, 3.0];

/// A text with its hidden states and where it is from.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its statistics and hidden states.
    pub pooled: Pooled,
    /// Whether a model wrote it.
    pub ai: bool,
    /// Its data set.
    pub dataset: String,
    /// Its domain within the data set.
    pub domain: String,
}

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Parts that the domains of a data set are dealt into; one of fewer than twice as many domains is left out whole.
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
    /// Nothing can be left out.
    #[error(
        "all texts are of one data set of few domains, so that none could be left out: give another data set too, or a smaller --folds"
    )]
    OneFold,
    /// One label only.
    #[error("a probe needs texts of both labels, also when some domains are left out: give more data sets")]
    OneSided,
}

/// Fits the probe, and puts into each text's statistics what a probe says that has not seen its fold. A text that does not
/// teach (`teaches`, by its place) is read like any other, and nothing is learned from it.
pub fn fit(
    texts: &mut [Text],
    settings: Settings,
    teaches: impl Fn(usize) -> bool,
    mut told: impl FnMut(&str),
) -> Result<Fitted, FitError> {
    let Folds { of, count } = folds(texts, settings)?;
    let mut tried = Vec::new();
    let mut best: Option<(f64, f64, Vec<Linear>)> = None;
    let penalties = settings.penalty.map_or_else(|| PENALTIES.to_vec(), |penalty| vec![penalty]);
    for penalty in penalties {
        told(&format!("{count} probes at a penalty of {penalty}, each without one part of the texts"));
        let probes = (0..count)
            .map(|left_out| train(texts, penalty, |at| teaches(at) && of[at] != left_out))
            .collect::<Result<Vec<_>, _>>()?;
        let area = unseen(texts, &of, &probes);
        tried.push((penalty, area));
        if best.as_ref().is_none_or(|(_, most, _)| area > *most + 1e-4) {
            best = Some((penalty, area, probes));
        }
    }
    let (penalty, _, probes) = best.ok_or(FitError::OneSided)?;
    told("the probe of all texts");
    let linear = train(texts, penalty, &teaches)?;
    for (text, fold) in texts.iter_mut().zip(of) {
        text.pooled.put(&probes[fold].weights);
    }
    Ok(Fitted { linear, penalty, tried })
}

/// What is left out together.
struct Folds {
    /// Which fold each text is in.
    of: Vec<usize>,
    count: usize,
}

fn folds(texts: &[Text], settings: Settings) -> Result<Folds, FitError> {
    let mut domains: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for text in texts {
        domains.entry(&text.dataset).or_default().insert(&text.domain);
    }
    let mut fold: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut count = 0;
    for (dataset, domains) in domains {
        let parts = if domains.len() < 2 * settings.folds { 1 } else { settings.folds };
        let mut order: Vec<&str> = domains.into_iter().collect();
        order.sort_by_key(|domain| hash(&[b"fold", &settings.seed.to_le_bytes(), domain.as_bytes()]));
        fold.extend(
            order.into_iter().enumerate().map(|(at, domain)| ((dataset, domain), count + at % parts)),
        );
        count += parts;
    }
    if count < 2 {
        return Err(FitError::OneFold);
    }
    let of = texts.iter().map(|text| fold[&(text.dataset.as_str(), text.domain.as_str())]).collect();
    Ok(Folds { of, count })
}

/// The probe of the texts that are `wanted`, by their places.
fn train(texts: &[Text], penalty: f64, wanted: impl Fn(usize) -> bool) -> Result<Linear, FitError> {
    let own: Vec<&Text> =
        texts.iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, text)| text).collect();
    let mut counts: BTreeMap<(&str, bool), f64> = BTreeMap::new();
    for text in &own {
        *counts.entry((text.dataset.as_str(), text.ai)).or_default() += 1.0;
    }
    let (mut inputs, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for text in &own {
        // Both labels of a data set weigh the same, and a data set by the root of its size.
        let of = |ai| counts.get(&(text.dataset.as_str(), ai)).copied().unwrap_or(0.0);
        let scale = if of(!text.ai) > 0.0 { 1.0 } else { ONE_SIDED };
        let weight = scale * (of(true) + of(false)).sqrt() / of(text.ai);
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

/// Mean over data sets of the AUROC of whole texts, each scored by the probe that has not seen its fold.
fn unseen(texts: &[Text], fold: &[usize], probes: &[Linear]) -> f64 {
    let mut scored: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
    for (text, fold) in texts.iter().zip(fold) {
        if let Some(mean) = text.pooled.means([]).pop() {
            scored.entry(&text.dataset).or_default().push((probes[*fold].log_odds(&mean), text.ai));
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
        Text { pooled, ai, dataset: "wide".to_owned(), domain: format!("d{domain}") }
    }

    const SETTINGS: Settings = Settings { folds: 3, penalty: None, seed: 0 };

    #[test]
    fn a_text_is_scored_by_a_probe_that_has_not_seen_its_domain() {
        let mut texts: Vec<Text> = (0..600).map(text).collect();
        let fitted = fit(&mut texts, SETTINGS, |_| true, |_| {}).unwrap();
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
    fn a_data_set_of_few_domains_is_left_out_whole() {
        let mut texts: Vec<Text> = (0..48).map(text).collect();
        for text in &mut texts[24..] {
            text.dataset = if text.domain.as_str() < "d3" { "narrow" } else { "other" }.to_owned();
        }
        let Folds { of, count } = folds(&texts, SETTINGS).unwrap();
        assert_eq!(count, 5);
        let held = |wanted: &dyn Fn(&Text) -> bool| -> BTreeSet<usize> {
            texts.iter().zip(&of).filter(|(text, _)| wanted(text)).map(|(_, fold)| *fold).collect()
        };
        assert_eq!(held(&|text| text.dataset == "narrow").len(), 1);
        assert_eq!(held(&|text| text.dataset == "other").len(), 1);
        assert_eq!(held(&|text| text.dataset == "wide").len(), 3);
        for domain in 0..6 {
            assert_eq!(held(&|text| text.dataset == "wide" && text.domain == format!("d{domain}")).len(), 1);
        }
    }

    #[test]
    fn too_few_domains_or_labels_are_refused() {
        let mut few: Vec<Text> = (0..40).map(text).filter(|text| text.domain.as_str() < "d2").collect();
        assert_eq!(fit(&mut few, SETTINGS, |_| true, |_| {}).unwrap_err(), FitError::OneFold);
        let mut ai: Vec<Text> = (0..80).map(text).filter(|text| text.ai).collect();
        assert_eq!(fit(&mut ai, SETTINGS, |_| true, |_| {}).unwrap_err(), FitError::OneSided);
    }

    #[test]
    fn nothing_is_learned_from_a_text_that_does_not_teach() {
        let texts: Vec<Text> = (0..300).map(text).collect();
        let settings = Settings { folds: 2, penalty: Some(1.0), ..SETTINGS };
        let others: Vec<Text> = texts.iter().filter(|text| text.domain != "d0").cloned().collect();
        let without = fit(&mut others.clone(), settings, |_| true, |_| {}).unwrap();
        let mut read = texts.clone();
        let kept = fit(&mut read, settings, |at| texts[at].domain != "d0", |_| {}).unwrap();
        assert_eq!(kept.linear, without.linear);
        assert!(read.iter().all(|text| text.stats()[0].probe.is_some()));
    }

    #[test]
    fn texts_of_one_label_only_weigh_little() {
        // The second number tells the label in d0 alone; human texts that have it too should take that back.
        let weight = |guards: usize| {
            let mut texts: Vec<Text> = (0..300).map(text).collect();
            texts.extend((0..guards).map(|at| Text {
                ai: false,
                dataset: "guard".to_owned(),
                ..text(12 * at)
            }));
            fit(&mut texts, SETTINGS, |_| true, |_| {}).unwrap().linear.weights[1]
        };
        assert!(weight(300) < weight(0));
    }
}
