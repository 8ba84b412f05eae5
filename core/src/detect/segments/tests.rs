#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::fit::{Example, OneSided, fit, loss};
use super::*;
use crate::calibration::tests::Noise;
use crate::detect::{MIN_TOKENS, stretches as windows};
use proptest::prelude::*;

/// Units of 32 tokens, each with a window of its own.
fn units(count: usize) -> Vec<Range<usize>> {
    (0..count).map(|unit| 32 * unit..32 * (unit + 1)).collect()
}

fn readings(log_odds: &[f64]) -> Vec<Reading> {
    let of = |(range, &log_odds): (Range<usize>, &f64)| Reading { range, log_odds };
    units(log_odds.len()).into_iter().zip(log_odds).map(of).collect()
}

fn smooth(segmenter: &Segmenter, log_odds: &[f64]) -> Smoothed {
    segmenter.smooth(&readings(log_odds), &units(log_odds.len()))
}

/// The weight of one labelling by the definition of the model, at a shift in standard deviations.
fn weight_at(segmenter: &Segmenter, log_odds: &[f64], labels: &[bool], place: f64) -> f64 {
    let prior = |label: bool| if label { segmenter.prior } else { 1.0 - segmenter.prior };
    let mut chain = prior(labels[0]);
    for pair in labels.windows(2) {
        let change = 2.0 * segmenter.switch * prior(!pair[0]);
        chain *= if pair[0] == pair[1] { 1.0 - change } else { change };
    }
    let constant = if labels.iter().all(|&label| label == labels[0]) { prior(labels[0]) } else { 0.0 };
    let density: f64 = log_odds
        .iter()
        .zip(labels)
        .map(|(log_odds, &label)| {
            let cut = (log_odds - segmenter.offset).clamp(-segmenter.clip, segmenter.clip);
            let side = if label { 0.5 } else { -0.5 };
            let off = cut - segmenter.shift * place - side * segmenter.separation;
            -off * off / (2.0 * segmenter.temperature * segmenter.separation)
        })
        .sum();
    (segmenter.whole * constant + (1.0 - segmenter.whole) * chain) * (density - place * place / 2.0).exp()
}

fn weight(segmenter: &Segmenter, log_odds: &[f64], labels: &[bool]) -> f64 {
    places(segmenter, log_odds).into_iter().map(|place| weight_at(segmenter, log_odds, labels, place)).sum()
}

fn places(segmenter: &Segmenter, log_odds: &[f64]) -> Vec<f64> {
    segmenter.places(&segmenter.observed(&readings(log_odds), &units(log_odds.len())))
}

fn labellings(count: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1_u32 << count).map(move |bits| (0..count).map(|unit| bits >> unit & 1 == 1).collect())
}

fn segmenters() -> impl Strategy<Value = Segmenter> {
    let seen = (0.5..8.0, -2.0..2.0, 1.0..8.0, 0.5..6.0, 0.0..2.0);
    (seen, 0.01..0.3, 0.2..0.8, 0.0..0.95).prop_map(|(seen, switch, prior, whole)| {
        let (temperature, offset, clip, separation, shift) = seen;
        Segmenter { temperature, offset, clip, separation, shift, switch, prior, whole }
    })
}

proptest! {
    #[test]
    fn it_is_the_sum_over_all_labellings(segmenter in segmenters(), log_odds in prop::collection::vec(-9.0..9.0, 1..8)) {
        segmenter.validate().unwrap();
        let smoothed = smooth(&segmenter, &log_odds);
        let all: Vec<(Vec<bool>, f64)> =
            labellings(log_odds.len()).map(|labels| (labels.clone(), weight(&segmenter, &log_odds, &labels))).collect();
        let total: f64 = all.iter().map(|(_, weight)| weight).sum();
        for (unit, &probability) in smoothed.probabilities.iter().enumerate() {
            let by_model: f64 = all.iter().filter(|(labels, _)| labels[unit]).map(|(_, weight)| weight).sum();
            prop_assert!((probability - by_model / total).abs() < 1e-9, "{probability} {}", by_model / total);
        }
        let at = |place: f64, labels: &[bool]| weight_at(&segmenter, &log_odds, labels, place);
        let sum = |place: f64| labellings(log_odds.len()).map(|labels| at(place, &labels)).sum::<f64>();
        let place = places(&segmenter, &log_odds).into_iter().max_by(|&a, &b| sum(a).total_cmp(&sum(b))).unwrap();
        let best = labellings(log_odds.len()).map(|labels| at(place, &labels)).fold(0.0, f64::max);
        prop_assert!(at(place, &smoothed.labels) >= best * (1.0 - 1e-9));
        let one = Segmenter { whole: 0.0, ..segmenter };
        let chain: f64 = labellings(log_odds.len()).map(|labels| weight(&one, &log_odds, &labels)).sum();
        prop_assert!((smoothed.mixed - (1.0 - segmenter.whole) * chain / total).abs() < 1e-9);
    }

    #[test]
    fn turning_the_sides_turns_the_answer(segmenter in segmenters(), log_odds in prop::collection::vec(-9.0..9.0, 1..40)) {
        let turned = Segmenter { offset: -segmenter.offset, prior: 1.0 - segmenter.prior, ..segmenter };
        let minus: Vec<f64> = log_odds.iter().map(|log_odds| -log_odds).collect();
        let (one, other) = (smooth(&segmenter, &log_odds), smooth(&turned, &minus));
        for (a, b) in one.probabilities.iter().zip(&other.probabilities) {
            prop_assert!((a + b - 1.0).abs() < 1e-9);
        }
        prop_assert!((one.mixed - other.mixed).abs() < 1e-9);
    }

    #[test]
    fn any_input_gives_probabilities(
        segmenter in segmenters(),
        log_odds in prop::collection::vec(
            prop::sample::select(vec![0.0, -1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, f64::MIN_POSITIVE]), 0..50),
        ranges in prop::collection::vec((0_usize..500, 0_usize..500), 50),
        cuts in prop::collection::btree_set(0_usize..600, 0..40),
    ) {
        let readings: Vec<Reading> =
            log_odds.iter().zip(ranges).map(|(&log_odds, (start, end))| Reading { range: start..end, log_odds }).collect();
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let units: Vec<Range<usize>> = cuts.windows(2).map(|pair| pair[0]..pair[1]).chain(std::iter::once(0..0)).collect();
        let smoothed = segmenter.smooth(&readings, &units);
        prop_assert_eq!((smoothed.probabilities.len(), smoothed.labels.len()), (units.len(), units.len()));
        prop_assert!(smoothed.probabilities.iter().chain([&smoothed.mixed]).all(|p| (0.0..=1.0).contains(p)), "{smoothed:?}");
        let segments = smoothed.segments(&units);
        prop_assert_eq!(segments.iter().map(|segment| segment.units.len()).sum::<usize>(), units.len());
        prop_assert!(segments.windows(2).all(|pair| pair[0].by_model != pair[1].by_model));
        prop_assert!(segments.iter().all(|segment| (0.0..=1.0 + 1e-9).contains(&segment.probability)));
    }
}

#[test]
fn a_weak_window_alone_is_smoothed_away_and_a_strong_run_is_not() {
    let segmenter = Segmenter::default();
    let mut log_odds = vec![-3.0; 21];
    log_odds[10] = 1.5;
    let smoothed = smooth(&segmenter, &log_odds);
    assert!(smoothed.probabilities.iter().all(|&p| p < 0.3), "{smoothed:?}");
    assert_eq!(smoothed.segments(&units(21)).len(), 1);
    log_odds[8..16].fill(5.0);
    let smoothed = smooth(&segmenter, &log_odds);
    assert!(smoothed.probabilities[9..15].iter().all(|&p| p > 0.8), "{smoothed:?}");
    assert!(smoothed.probabilities[..6].iter().all(|&p| p < 0.2) && smoothed.mixed > 0.9, "{smoothed:?}");
    let segments = smoothed.segments(&units(21));
    let seen: Vec<(Range<usize>, bool)> =
        segments.iter().map(|segment| (segment.units.clone(), segment.by_model)).collect();
    assert_eq!(seen, [(0..8, false), (8..16, true), (16..21, false)]);
    assert!(segments[1].probability > 0.8 && segments[0].probability < 0.2);
}

#[test]
fn a_text_that_leans_all_over_is_not_certain_but_its_parts_show() {
    let segmenter = Segmenter { shift: 1.0, ..Segmenter::default() };
    let certain = Segmenter { shift: 0.0, ..segmenter };
    let leans = vec![0.6; 60];
    let (with, without) = (smooth(&segmenter, &leans), smooth(&certain, &leans));
    assert!(without.probabilities.iter().all(|&p| p > 0.99), "{without:?}");
    assert!(with.probabilities.iter().all(|&p| p > 0.5 && p < 0.95), "{with:?}");
    // Both halves lean to a human's side, and one far less than the other.
    let parts: Vec<f64> = (0..60).map(|unit| if unit < 30 { -2.0 } else { -0.2 }).collect();
    let with = smooth(&segmenter, &parts);
    assert!(with.probabilities[..25].iter().all(|&p| p < 0.2), "{with:?}");
    assert!(with.probabilities[35..].iter().all(|&p| p > 0.5) && with.mixed > 0.5, "{with:?}");
    assert!(smooth(&certain, &parts).probabilities.iter().all(|&p| p < 0.5));
}

#[test]
fn where_the_places_of_a_shift_lie_does_not_decide() {
    // By the formula: of one author only, the mean is normal about either side with the shift's and the units' variance.
    let segmenter = Segmenter { shift: 0.7, whole: 0.999, ..Segmenter::default() };
    for (count, mean) in
        (1..40).flat_map(|count| [(10 * count, 0.13), (10 * count, -0.31), (10 * count, 0.7)])
    {
        let smoothed = smooth(&segmenter, &vec![mean; count]);
        let variance = 0.49 + 2.0 / count as f64;
        let expected = logistic(2.0 * mean / variance);
        let off = smoothed.probabilities[count / 2] - expected;
        assert!(off.abs() < 0.03, "{count} {mean} {expected} {off}");
    }
}

#[test]
fn nothing_read_leaves_the_prior() {
    let segmenter = Segmenter { prior: 0.3, ..Segmenter::default() };
    let smoothed = segmenter.smooth(&[], &units(9));
    assert!(smoothed.probabilities.iter().all(|p| (p - 0.3).abs() < 1e-12), "{smoothed:?}");
    assert!((smoothed.mixed - (1.0 - segmenter.whole)).abs() < 1e-12);
    assert!(segmenter.smooth(&readings(&[1.0]), &[]).probabilities.is_empty());
}

#[test]
fn each_token_hears_the_nearest_window_over_it() {
    let segmenter = Segmenter { temperature: 2.0, offset: 0.5, clip: 3.0, ..Segmenter::default() };
    let reading = |range, log_odds| Reading { range, log_odds };
    let read =
        [reading(32..128, 9.0), reading(0..96, 2.5), reading(64..128, f64::NAN), reading(150..160, -0.5)];
    let heard = segmenter.heard(&read, 170);
    let runs: Vec<(Option<f64>, usize)> =
        heard.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    // The middles are 48 and 80.
    assert_eq!(runs, [(Some(2.0), 64), (Some(3.0), 54), (None, 32), (Some(-1.0), 10), (None, 10)]);
    let seen = segmenter.observed(&read, &[0..32, 32..96, 96..112, 112..112, 140..170, 170..180]);
    assert_eq!(
        seen.iter().map(|unit| unit.weight * 32.0).collect::<Vec<_>>(),
        [32.0, 64.0, 16.0, 0.0, 10.0, 0.0]
    );
    let evidence = segmenter.evidence(&seen, 0.0);
    let expected = [1.0, 2.5, 0.75, 0.0, -10.0 / 64.0, 0.0];
    assert!(evidence.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{evidence:?}");
    // Of windows in one place the last is heard, and one that ends before it begins is not.
    let twice = [
        reading(0..10, 1.5),
        reading(0..10, 2.5),
        Reading { range: Range { start: 9, end: 3 }, log_odds: 9.0 },
    ];
    assert_eq!(segmenter.heard(&twice, 10)[9], Some(2.0));
}

#[test]
fn windows_are_those_of_the_scan_and_cover_short_texts() {
    let stats = |count| vec![super::super::Stats { rank: 1, variance: 1.0, ..Default::default() }; count];
    for tokens in [192, 193, 224, 500, 511] {
        let scanned: Vec<Range<usize>> =
            super::super::scan(&stats(tokens)).into_iter().map(|window| window.range).collect();
        assert_eq!(windows(tokens), scanned, "{tokens}");
    }
    assert!(windows(MIN_TOKENS - 1).is_empty());
    assert_eq!(windows(50), std::slice::from_ref(&(0..50)));
    assert_eq!(windows(96), std::slice::from_ref(&(0..96)));
    assert_eq!(windows(150), [0..96, 32..128, 54..150]);
}

#[test]
fn the_nearest_window_is_the_one_around() {
    let read: Vec<Reading> = windows(300).into_iter().map(|range| Reading { range, log_odds: 0.0 }).collect();
    assert_eq!(nearest(&read, &(0..10)).unwrap().range, 0..96);
    assert_eq!(nearest(&read, &(100..120)).unwrap().range, 64..160);
    assert_eq!(nearest(&read, &(290..300)).unwrap().range, 204..300);
    assert_eq!(nearest(&[], &(0..10)), None);
}

#[test]
fn parameters_are_checked_and_survive_json() {
    let good = Segmenter::default();
    good.validate().unwrap();
    let complaint = |change: fn(&mut Segmenter)| {
        let mut bad = good;
        change(&mut bad);
        bad.validate().unwrap_err().to_string()
    };
    assert!(complaint(|s| s.temperature = 0.0).starts_with("temperature"));
    assert!(complaint(|s| s.offset = f64::NAN).starts_with("offset"));
    assert!(complaint(|s| s.clip = f64::INFINITY).starts_with("clip"));
    assert!(complaint(|s| s.separation = 0.0).starts_with("separation"));
    assert!(complaint(|s| s.shift = -0.1).starts_with("shift"));
    assert!(complaint(|s| s.switch = 0.0).starts_with("switch"));
    assert!(complaint(|s| s.prior = 1.0).starts_with("prior"));
    assert!(complaint(|s| s.whole = 1.0).starts_with("whole"));
    let json = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<Segmenter>(&json).unwrap(), good);
    assert!(serde_json::from_str::<Segmenter>(&json.replace("clip", "klip")).is_err());
}

/// Texts whose windows are as sure as `strength` says and wrong now and then.
fn examples(count: usize, strength: f64, offset: f64) -> Vec<Example> {
    let mut noise = Noise::new(5);
    (0..count)
        .map(|index| {
            let change = 4 + index % 5;
            let labels: Vec<bool> =
                (0..12).map(|unit| index % 3 == 0 || (index % 3 == 1 && unit >= change)).collect();
            let log_odds: Vec<f64> = labels
                .iter()
                .map(|&label| {
                    let side = if label { strength } else { -strength };
                    offset + side + 6.0 * (f64::from(noise.next()) - 0.5)
                })
                .collect();
            Example { readings: readings(&log_odds), sentences: units(12).into_iter().zip(labels).collect() }
        })
        .collect()
}

#[test]
fn fitting_finds_the_offset_and_lowers_the_loss() {
    let start = Segmenter { temperature: 20.0, ..Segmenter::default() };
    let (train, test) = (examples(60, 1.5, 2.0), examples(90, 1.5, 2.0));
    let fitted = fit(&start, &train).unwrap();
    fitted.validate().unwrap();
    assert!((1.0..3.0).contains(&fitted.offset), "{fitted:?}");
    assert!(loss(&fitted, &test).unwrap() < 0.7 * loss(&start, &test).unwrap());
    assert_eq!(fitted.prior, start.prior);
    assert_eq!(fit(&start, &train).unwrap(), fitted);
}

#[test]
fn windows_that_overstate_are_believed_less() {
    let mut overstated = examples(60, 1.0, 0.0);
    let honest = fit(&Segmenter::default(), &overstated).unwrap();
    for reading in overstated.iter_mut().flat_map(|example| &mut example.readings) {
        reading.log_odds *= 3.0;
    }
    let fitted = fit(&Segmenter::default(), &overstated).unwrap();
    assert!(fitted.temperature > 1.5 * honest.temperature, "{fitted:?} {honest:?}");
}

#[test]
fn one_sided_texts_teach_nothing() {
    let humans: Vec<Example> = examples(3, 1.0, 0.0)
        .into_iter()
        .filter(|example| example.sentences.iter().all(|(_, label)| !label))
        .collect();
    assert!(!humans.is_empty());
    assert_eq!(fit(&Segmenter::default(), &humans), Err(OneSided));
    assert_eq!(fit(&Segmenter::default(), &[]), Err(OneSided));
}
