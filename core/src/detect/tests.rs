#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

/// The first lines of another implementation's output on a real model: 24 tokens of an English text.
const LOGPROBS: [f32; 8] = [-13.10866, -2.80399, -4.5002, -5.55884, -0.89952, -1.60661, -0.83847, -4.59273];
const RANKS: [u32; 8] = [7676, 1, 15, 28, 1, 2, 1, 19];

fn sample() -> Vec<Stats> {
    LOGPROBS
        .into_iter()
        .zip(RANKS)
        .map(|(logprob, rank)| Stats {
            logprob,
            rank,
            entropy: 3.0,
            mean_logprob: -3.0,
            variance: 4.0,
            probe: None,
        })
        .collect()
}

/// Tokens of which only the log-probability matters.
fn certain(logprobs: &[f32]) -> Vec<Stats> {
    logprobs.iter().map(|&logprob| Stats { logprob, rank: 1, ..Stats::default() }).collect()
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-4)
}

#[test]
fn follow_their_formulas() {
    let stats = sample();
    let sum = -33.909_02;
    let log_ranks: f64 = RANKS.iter().map(|&rank| f64::from(rank).ln()).sum();
    assert!(close(mean_logprob(&stats), sum / 8.0));
    assert!(close(perplexity(&stats), (-sum / 8.0).exp()));
    assert!(close(log_rank(&stats), -log_ranks / 8.0));
    assert!(close(lrr(&stats), -sum / log_ranks));
    assert!(close(entropy(&stats), -3.0));
    assert!(close(fast_detectgpt(&stats), (sum + 24.0) / 32.0_f64.sqrt()));
    assert!(close(normalised_curvature(&stats), (sum + 24.0) / 8.0 / 2.0));
    assert_eq!(
        [1, 10, 100, 1000].map(|top| top_share(&stats, top)),
        [Some(0.375), Some(0.5), Some(0.875), Some(0.875)]
    );
    assert!(close(min_k(&stats), (-13.10866 - 5.55884) / 2.0));
}

#[test]
fn spread_is_the_negative_standard_deviation() {
    let stats = certain;
    assert!(close(spread(&stats(&[-1.0, -3.0])), -2.0_f64.sqrt()));
    assert_eq!(spread(&stats(&[-1.0])), None);
    let even = stats(&[[-1.0; 16], [-1.0; 16]].concat());
    let uneven = stats(&[[-1.0; 16], [-3.0; 16]].concat());
    assert_eq!(window_spread(&even), Some(0.0));
    assert!(close(window_spread(&uneven), -2.0_f64.sqrt()));
    assert_eq!(window_spread(&even[..31]), None);
}

#[test]
fn binoculars_divides_the_perplexities() {
    let stats = sample();
    assert!(close(binoculars(&stats, &[4.0; 8]), -33.909_02 / 8.0 / 4.0));
    assert_eq!(binoculars(&stats, &[4.0; 7]), None);
    assert_eq!(binoculars(&stats, &[0.0; 8]), None);
    assert_eq!(binoculars(&[], &[]), None);
}

#[test]
fn nothing_to_measure_is_none() {
    assert!(detectors(&[]).is_empty());
    assert_eq!(detector("length", &sample()), None);
    // Only first choices, with certainty: the ratios have nothing to divide by.
    let sure = [Stats { logprob: 0.0, rank: 1, ..Stats::default() }; 40];
    assert_eq!(fast_detectgpt(&sure), None);
    assert_eq!(lrr(&sure), Some(0.0));
}

/// Every detector is to score text that a model finds easy above text that it finds hard.
#[test]
fn all_point_the_same_way() {
    let easy: Vec<Stats> = (0..64)
        .map(|i| Stats {
            logprob: -1.0 - 0.1 * (i % 5) as f32,
            rank: 1 + i % 3,
            entropy: 2.0,
            mean_logprob: -2.0,
            variance: 3.0,
            probe: None,
        })
        .collect();
    let hard: Vec<Stats> = (0..64)
        .map(|i| Stats {
            logprob: if i % 7 < 3 { -9.0 - (i / 16) as f32 } else { -2.0 },
            rank: if i % 7 < 3 { 3000 } else { 5 },
            entropy: 4.0,
            mean_logprob: -4.0,
            variance: 5.0,
            probe: None,
        })
        .collect();
    for name in NAMES
        .into_iter()
        .filter(|name| !matches!(*name, "lrr" | "diversity" | "lastde" | "decline" | "probe"))
    {
        assert!(detector(name, &easy) > detector(name, &hard), "{name}");
    }
}

#[test]
fn agrees_with_the_oracle() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracles/lm");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: the oracle files are not there ({})", folder.display());
        return;
    };
    let mut checked = 0;
    for entry in entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "json")) {
        let texts: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(entry.path()).unwrap()).unwrap();
        for text in texts.as_array().unwrap() {
            let numbers = |name: &str| -> Vec<f64> {
                text[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
            };
            let (logprobs, ranks) = (numbers("logprob"), numbers("rank"));
            let (entropies, variances) = (numbers("entropy"), numbers("logprob_variance"));
            let stats: Vec<Stats> = (0..logprobs.len())
                .map(|i| Stats {
                    logprob: logprobs[i] as f32,
                    rank: ranks[i] as u32,
                    entropy: entropies[i] as f32,
                    mean_logprob: -entropies[i] as f32,
                    variance: variances[i] as f32,
                    probe: None,
                })
                .collect();
            let near = |name: &str, ours: Option<f64>| {
                let theirs = text[name].as_f64().unwrap();
                assert!(
                    (ours.unwrap() - theirs).abs() < 1e-3,
                    "{name} of {}: {ours:?}, not {theirs}",
                    text["name"]
                );
            };
            near("mean_logprob", mean_logprob(&stats));
            near("fast_detectgpt", fast_detectgpt(&stats));
            // All but the probe, for which there are no hidden states.
            assert_eq!(detectors(&stats).len(), NAMES.len() - 1);
            assert!(Features::extract(&stats).is_some());
            checked += 1;
        }
    }
    assert!(checked > 0, "no oracle in {}", folder.display());
}

proptest! {
    #[test]
    fn finite_statistics_give_finite_scores(
        values in prop::collection::vec((-60.0_f32..0.0, 0_u32..100_000, 0.0_f32..12.0, 0.0_f32..50.0), 0..200),
    ) {
        let stats: Vec<Stats> = values
            .into_iter()
            .map(|(logprob, rank, entropy, variance)| Stats { logprob, rank, entropy, mean_logprob: -entropy, variance, probe: None })
            .collect();
        prop_assert!(detectors(&stats).values().all(|score| score.is_finite()));
        if let Some(features) = Features::extract(&stats) {
            prop_assert!(features.values.iter().all(|value| value.is_finite()));
            prop_assert_eq!(features.tokens, stats.len());
        }
    }
}

#[test]
fn the_surprise_of_one_word_is_bounded() {
    let plain = certain(&[-1.0; 20]);
    let mut odd = plain.clone();
    odd[7].logprob = -20.0;
    assert!((winsorised_logprob(&plain).unwrap() + 1.0).abs() < 1e-9);
    assert!((winsorised_logprob(&odd).unwrap() + 1.1).abs() < 1e-9);
    assert_eq!(winsorised_logprob(&[]), None);
}

#[test]
fn a_text_that_falls_apart_declines_and_an_even_one_does_not() {
    // Two values in turn, so that there is a spread: mean -2, then mean -5.
    let halves = |second: f32| {
        let first = [[-1.0, -3.0]; 64].concat();
        certain(&[first, [[second + 1.0, second - 1.0]; 64].concat()].concat())
    };
    assert_eq!(decline(&halves(-2.0)), Some(0.0));
    assert_eq!(decline(&halves(-1.0)), Some(0.0));
    let fallen = decline(&halves(-5.0)).unwrap();
    // Three nats less two standard errors: the spread is about sqrt(1 + 1.5^2).
    assert!((fallen - (3.0 - 2.0 * 3.25_f64.sqrt() * (2.0 / 128.0_f64).sqrt())).abs() < 0.01, "{fallen}");
    assert_eq!(decline(&certain(&[-1.0])), None);
}
