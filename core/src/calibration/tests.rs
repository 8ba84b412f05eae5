#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::fit::{Recipe, Sample, Weighed, auroc, calibrate, choose_penalty, fit_head, left_out, measure};
use super::*;
use crate::detect::Stats;

/// Reproducible noise, uniform in [0, 1).
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// Tokens of a text: `ease` 0 is a hard human text, 1 an easy generated one.
pub(crate) fn stats(count: usize, ease: f32, noise: &mut Noise) -> Vec<Stats> {
    (0..count)
        .map(|_| {
            let surprise = -noise.next().max(1e-6).ln() * (4.2 - 1.8 * ease);
            Stats {
                logprob: -surprise,
                rank: 1 + (surprise.exp_m1() * (0.6 - 0.3 * ease)).min(40_000.0) as u32,
                entropy: 3.0 + noise.next(),
                mean_logprob: -3.0 - noise.next(),
                variance: 5.0 + noise.next(),
                probe: None,
            }
        })
        .collect()
}

pub(crate) fn samples(count: usize, seed: u64) -> Vec<Sample> {
    let mut noise = Noise::new(seed);
    (0..count)
        .map(|index| {
            let label = if index % 2 == 0 { Label::Human } else { Label::Ai };
            let group = if index % 4 < 2 { "essays" } else { "reviews" };
            let length = 60 + (noise.next() * 400.0) as usize;
            let shift = 0.3 * (noise.next() - 0.5);
            let ease = if label == Label::Ai { 1.0 + shift } else { shift };
            Sample::new(&stats(length, ease, &mut noise), label, group).unwrap()
        })
        .collect()
}

pub(crate) fn calibration() -> Calibration {
    let (fit, conformal, held_out) = (samples(600, 1), samples(3200, 2), samples(1200, 3));
    calibrate(&Recipe {
        version: String::from("test-1"),
        model: ModelRef { name: String::from("test"), sha256: "ab".repeat(32) },
        probe: None,
        languages: vec![String::from("en")],
        data: vec![String::from("synthetic")],
        fit: &fit,
        conformal: &conformal,
        held_out: &held_out,
        weighed: Weighed::all(),
        penalty: 1e-2,
    })
    .unwrap()
}

#[test]
fn keeps_its_promise_on_held_out_texts() {
    let calibration = calibration();
    let measured = calibration.measured;
    assert_eq!((measured.humans, measured.ais), (600, 600));
    assert!(measured.false_positive_rate <= 0.02, "{measured:?}");
    assert!(measured.true_positive_rate > 0.5, "{measured:?}");
    assert!(measured.missed_rate <= 0.08, "{measured:?}");
    let sum = measured.unclear_rate + measured.mixed_rate;
    assert!(sum < 0.5, "{measured:?}");
}

#[test]
fn survives_a_round_trip_through_json_and_stays_small() {
    let calibration = calibration();
    calibration.validate().unwrap();
    let json = serde_json::to_string(&calibration).unwrap();
    assert!(json.len() < 400_000, "{} bytes", json.len());
    let back: Calibration = serde_json::from_str(&json).unwrap();
    let probe = &samples(40, 9);
    for sample in probe {
        let decide = |calibration: &Calibration| calibration.decide(&sample.features, &sample.parts);
        let (first, second) = (decide(&calibration), decide(&back));
        assert_eq!((first.outcome, first.p_human, first.p_ai), (second.outcome, second.p_human, second.p_ai));
        assert!((first.log_odds - second.log_odds).abs() < 1e-9);
    }
    assert_eq!(measure(&calibration, probe), measure(&back, probe));
    assert!(calibration.fits(&"AB".repeat(32)) && !calibration.fits(&"00".repeat(32)));
}

#[test]
fn a_damaged_file_says_what_is_wrong() {
    let good = calibration();
    let complaint = |change: &dyn Fn(&mut Calibration)| {
        let mut bad = good.clone();
        change(&mut bad);
        bad.validate().unwrap_err().to_string()
    };
    assert!(complaint(&|c| c.format = 7).contains("format 7"));
    let clipped = Segmenter { clip: -1.0, ..Segmenter::default() };
    assert!(complaint(&|c| c.segmenter = Some(clipped)).contains("segmenter.clip"));
    assert!(complaint(&|c| c.head.features[0] = String::from("length")).contains("length"));
    assert!(complaint(&|c| c.head.weights.truncate(3)).contains("head.weights has 3 numbers"));
    assert!(complaint(&|c| c.head.scale[1] = 0.0).contains("head.scale"));
    assert!(complaint(&|c| c.head.mean[1] = f64::NAN).contains("head.mean"));
    assert!(complaint(&|c| c.model.sha256 = String::from("xyz")).contains("model.sha256"));
    assert!(complaint(&|c| c.alpha_ai = 0.9).contains("alpha_ai"));
    assert!(complaint(&|c| c.human.clear()).contains("human"));
    assert!(complaint(&|c| c.human[0].points.swap(0, 1)).contains("human (group"));
    assert!(complaint(&|c| c.human[0].points.clear()).contains("empty"));
    assert!(complaint(&|c| c.ai[0].bucket = 9).contains("bucket 9"));
    assert!(complaint(&|c| c.reference[0].human.truncate(4)).contains("201 levels"));
    assert!(complaint(&|c| c.measured.false_positive_rate = -1.0).contains("false_positive_rate"));
    assert!(complaint(&|c| c.languages.clear()).contains("languages"));
}

#[test]
fn an_unvalidated_wreck_does_not_panic() {
    let mut wreck = calibration();
    wreck.head.mean.clear();
    wreck.head.weights.clear();
    wreck.human.clear();
    wreck.reference.iter_mut().for_each(|reference| reference.human.clear());
    let sample = &samples(1, 5)[0];
    let decision = wreck.decide(&sample.features, &sample.parts);
    assert_eq!(decision.p_human, 1.0);
    assert_ne!(decision.outcome, Outcome::LikelyAi);
    assert!(wreck.compare("spread", &sample.features).is_some());
}

#[test]
fn length_alone_teaches_nothing() {
    // Generated texts are longer, but have the very same statistics.
    let mut noise = Noise::new(4);
    let length =
        |ai: bool, noise: &mut Noise| (60.0 + noise.next() * if ai { 600.0 } else { 150.0 }) as usize;
    let texts: Vec<Sample> = (0..800)
        .map(|index| {
            let label = if index % 2 == 0 { Label::Human } else { Label::Ai };
            let length = length(label == Label::Ai, &mut noise);
            Sample::new(&stats(length, 0.5, &mut noise), label, "one").unwrap()
        })
        .collect();
    let head = fit_head(&texts, Weighed::all(), 1e-2).unwrap();
    let fresh: Vec<(f64, bool)> = (0..400)
        .map(|index| {
            let ai = index % 2 == 1;
            let length = length(ai, &mut noise);
            let features = Features::extract(&stats(length, 0.5, &mut noise)).unwrap();
            (head.log_odds(&features), ai)
        })
        .collect();
    let auroc = auroc(&fresh).unwrap();
    assert!(auroc < 0.65, "{auroc}");
}

#[test]
fn one_sided_data_are_refused() {
    let humans: Vec<Sample> =
        samples(20, 1).into_iter().filter(|sample| sample.label == Label::Human).collect();
    let error = fit_head(&humans, Weighed::all(), 1e-2).unwrap_err().to_string();
    assert!(error.contains("no generated text"), "{error}");
}

#[test]
fn what_is_not_weighed_has_no_say_and_is_compared_all_the_same() {
    let texts = samples(400, 7);
    let head = fit_head(&texts, Weighed::default(), 0.0).unwrap();
    for (at, name) in head.features.iter().enumerate() {
        let weighed = Weighed::DEFAULT.contains(&name.as_str());
        assert!(weighed || (head.weights[at] == 0.0 && head.length_weights[at] == 0.0), "{name}");
        assert!(head.scale[at] > 0.0, "{name}");
    }
    let of = |name: &str| head.weights[head.features.iter().position(|own| own == name).unwrap()];
    assert!(of("winsorised_logprob") > 0.5);
    assert_eq!(Weighed::named(["spread", "no_such"]), None);
    assert_eq!(Weighed::named(Weighed::DEFAULT), Some(Weighed::default()));
}

#[test]
fn a_decline_alone_accuses_nobody() {
    let index = |name: &str| FEATURES.iter().position(|&feature| feature == name).unwrap();
    let mut calibration = calibration();
    calibration.head.weights[index("decline")] = 100.0;
    calibration.head.scale[index("decline")] = 1.0;
    let features = |ease: f32, decline: f64| {
        let mut features = Features::extract(&stats(300, ease, &mut Noise::new(8))).unwrap();
        features.values[index("decline")] = decline;
        calibration.decide(&features, &[])
    };
    let (human, fallen) = (features(0.2, 0.0), features(0.2, 3.0));
    assert!(human.p_human > 0.2 && fallen.log_odds > human.log_odds + 100.0);
    assert!(fallen.p_human >= human.p_human / 10.0 && fallen.outcome == Outcome::Unclear, "{fallen:?}");
    // What looks like a model's to some extent already is confirmed by it.
    let likely = features(1.0, 3.0);
    assert!(likely.p_human <= calibration.alpha_ai && likely.outcome == Outcome::LikelyAi, "{likely:?}");
}

#[test]
fn groups_left_out_are_scored_by_the_others() {
    let texts = samples(400, 6);
    let scores = left_out(&texts, Weighed::all(), 1e-2).unwrap();
    assert_eq!(scores.keys().collect::<Vec<_>>(), ["essays", "reviews"]);
    assert!(scores.values().all(|&auroc| auroc > 0.9), "{scores:?}");
    assert!((1e-3..=1e-1).contains(&choose_penalty(&texts, Weighed::all()).unwrap()));
}

#[test]
fn auroc_counts_ties_half() {
    assert_eq!(auroc(&[(1.0, false), (2.0, true)]), Some(1.0));
    assert_eq!(auroc(&[(2.0, false), (1.0, true)]), Some(0.0));
    assert_eq!(auroc(&[(1.0, false), (1.0, true)]), Some(0.5));
    assert_eq!(auroc(&[(1.0, false), (2.0, true), (3.0, false), (4.0, true)]), Some(0.75));
    assert_eq!(auroc(&[(1.0, true)]), None);
}

#[test]
fn quantiles_are_interpolated() {
    let levels: Vec<f32> = (0..201).map(|level| level as f32).collect();
    assert_eq!(share_below(&levels, -1.0), 0.0);
    assert_eq!(share_below(&levels, 50.0), 0.25);
    assert_eq!(share_below(&levels, 50.5), 0.2525);
    assert_eq!(share_below(&levels, 201.0), 1.0);
}
