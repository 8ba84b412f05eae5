#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

fn outcome(label: Label, probability: Option<f64>, verdict: Verdict, generator: &str) -> Outcome {
    Outcome {
        label,
        verdict,
        probability,
        detectors: probability.map(|p| ("entropy".to_owned(), -p)).into_iter().collect(),
        words: 120,
        groups: [("generator", generator.to_owned()), ("dataset", "one".to_owned())].into(),
    }
}

pub(crate) fn report() -> Report {
    Report::of(&[
        outcome(Label::Human, Some(0.1), Verdict::LikelyHuman, "human"),
        outcome(Label::Human, Some(0.6), Verdict::Mixed, "human"),
        outcome(Label::Human, None, Verdict::Unclear, "human"),
        outcome(Label::Ai, Some(0.9), Verdict::LikelyAi, "a"),
        outcome(Label::Ai, Some(0.3), Verdict::Unclear, "b"),
    ])
}

#[test]
fn overall_counts_and_rates() {
    let m = report().overall;
    assert_eq!((m.n, m.n_human, m.n_ai, m.n_scored), (5, 3, 2, 4));
    assert_eq!((m.auroc, m.fpr, m.tpr, m.unclear), (Some(0.75), Some(1.0 / 3.0), Some(0.5), Some(0.4)));
    assert_eq!((m.unclear_human, m.unclear_ai), (Some(1.0 / 3.0), Some(0.5)));
    assert_eq!(m.tpr_at_fpr_1, Some(0.5));
}

#[test]
fn a_generator_is_set_against_all_humans() {
    let by = report().by;
    let generators = &by["generator"];
    assert_eq!((generators["a"].auroc, generators["b"].auroc), (Some(1.0), Some(0.5)));
    assert_eq!((generators["a"].n, generators["a"].fpr, generators["a"].tpr), (1, None, Some(1.0)));
    assert_eq!((generators["human"].auroc, generators["human"].tpr), (Some(0.75), None));
    assert!(!by.contains_key("dataset") && !by.contains_key("domain"));
}

#[test]
fn the_json_has_the_fixed_shape_and_null_for_an_absent_class() {
    let lonely = Report::of(&[outcome(Label::Ai, Some(0.9), Verdict::LikelyAi, "a")]);
    let json = serde_json::to_value(&lonely).unwrap();
    for key in ["n", "auroc", "tpr_at_fpr_1", "tpr_at_fpr_5", "fpr", "tpr", "unclear", "auroc_ci", "fpr_ci"] {
        assert!(json["overall"].get(key).is_some(), "{key}");
    }
    assert!(json["overall"]["auroc"].is_null() && json["overall"]["fpr"].is_null());
    assert_eq!(json["overall"]["tpr"], 1.0);
    assert!(json["detectors"]["entropy"]["auroc"].is_null());
    assert_eq!(json["by"]["generator"]["a"]["n"], 1);
}

#[test]
fn a_detector_is_measured_where_it_has_a_value() {
    let detectors = report().detectors;
    assert_eq!((detectors["entropy"].n, detectors["entropy"].auroc), (4, Some(0.25)));
}

fn text(file: &str, kind: &str, words: usize, probability: f64, verdict: Verdict) -> Outcome {
    let label = if kind == "human" { Label::Human } else { Label::Ai };
    Outcome {
        label,
        verdict,
        probability: Some(probability),
        words,
        detectors: [("lrr".to_owned(), 1.0 - probability), ("top_1".to_owned(), 0.5)].into(),
        groups: [("kind", kind.to_owned()), ("dataset", file.to_owned())].into(),
    }
}

/// In file `one` everything looks less like a model's than in file `two`, and an attack in either is just above a human.
pub(crate) fn two_files() -> Report {
    Report::of(&two_files_texts())
}

fn two_files_texts() -> [Outcome; 7] {
    use Verdict::{LikelyAi, LikelyHuman, Mixed, Unclear};
    [
        text("one", "human", 200, 0.10, LikelyHuman),
        text("one", "human", 100, 0.30, Mixed),
        text("one", "attack:x|y", 101, 0.20, LikelyHuman),
        text("one", "ai", 90, 0.40, Unclear),
        text("two", "human", 151, 0.60, LikelyAi),
        text("two", "human", 150, 0.70, Unclear),
        text("two", "attack:x|y", 300, 0.95, LikelyAi),
    ]
}

#[test]
fn a_kind_is_set_against_its_own_files() {
    let kinds = &two_files().by["kind"];
    let attack = &kinds["attack:x|y"];
    // Against all humans: above one of four, and above four of four.
    assert_eq!(attack.auroc, Some(5.0 / 8.0));
    let same = attack.same_file.as_ref().unwrap();
    // Within files: above one of two, and above two of two; flagged at the files' own thresholds: the second.
    assert_eq!((same.all.auroc, same.all.tpr_at_fpr_1), (Some(0.75), Some(0.5)));
    assert_eq!((same.all.n_human, same.all.n_ai), (4, 2));
    // Over 150 words only file two has both: .95 against .60.
    let long = &same.over_150_words;
    assert_eq!((long.n_human, long.n_ai, long.auroc), (1, 1, Some(1.0)));
    // The humans: in file one (2 of 4 pairs: .2 > .1, .4 > both: 3 of 4), in file two 2 of 2.
    let human = kinds["human"].same_file.as_ref().unwrap();
    assert_eq!((human.all.auroc, human.all.n_human, human.all.n_ai), (Some(0.875), 4, 3));
    assert_eq!(two_files().overall.same_file, None);
}

#[test]
fn flagged_missed_and_unclear_are_apart() {
    let report = two_files();
    let m = &report.datasets["one"].metrics;
    assert_eq!((m.fpr, m.likely_ai_human, m.tpr, m.missed), (Some(0.5), Some(0.0), Some(0.0), Some(0.5)));
    assert_eq!(m.missed_ci, metrics::rate(1, 2).map(|rate| rate.interval));
    let m = &report.datasets["two"].metrics;
    assert_eq!((m.fpr, m.likely_ai_human, m.missed), (Some(0.5), Some(0.5), Some(0.0)));
    assert_eq!(report.overall.missed, Some(1.0 / 3.0));
    // A human text that is called a human's is nobody's miss.
    assert_eq!(report.by["kind"]["human"].missed, None);
}

#[test]
fn longer_texts_are_measured_apart() {
    let m = two_files().overall;
    // Over 100 words: 200, 101, 151, 150 and 300, of which the one of 150 is unclear.
    assert_eq!((m.n_over_100_words, m.unclear_over_100_words), (5, Some(0.2)));
    let long = &m.over_150_words;
    assert_eq!((long.n_human, long.n_ai, long.auroc, long.tpr_at_fpr_1), (2, 1, Some(1.0), Some(1.0)));
    let none = &two_files().datasets["one"].metrics.over_150_words;
    assert_eq!((none.n_human, none.n_ai, none.auroc), (1, 0, None));
}

#[test]
fn detectors_stand_beside_the_calibrated_on_the_same_texts() {
    let mut texts = two_files_texts().to_vec();
    texts[0].probability = None;
    for text in &mut texts[4..] {
        text.probability = None;
    }
    let report = Report::of(&texts);
    let one = &report.datasets["one"].beside;
    // Without the first: a human's .30 between .20 and .40.
    assert_eq!((one["calibrated"].n, one["calibrated"].auroc), (3, Some(0.5)));
    assert_eq!((one["lrr"].n, one["lrr"].auroc), (3, Some(0.5)));
    // Where nothing has a probability the detectors are measured all the same.
    let two = &report.datasets["two"].beside;
    assert_eq!((two["calibrated"].n, two["calibrated"].auroc), (0, None));
    assert_eq!((two["lrr"].n, two["lrr"].auroc), (3, Some(0.0)));
    assert_eq!(report.datasets["two"].reliability, None);
    assert_eq!(report.detectors["lrr"].n, 7);
}

#[test]
fn a_file_has_its_own_groups_and_reliability() {
    let report = two_files();
    let attack = &report.datasets["one"].by["kind"]["attack:x|y"];
    assert_eq!((attack.n, attack.auroc), (1, Some(0.5)));
    let own = report.datasets["one"].reliability.as_ref().unwrap();
    // .10 and .30 of humans, .20 and .40 of models' texts: each alone in its bin.
    assert!((own.ece - (0.1 + 0.3 + 0.8 + 0.6) / 4.0).abs() < 1e-12, "{own:?}");
    assert!((own.brier - (0.01 + 0.09 + 0.64 + 0.36) / 4.0).abs() < 1e-12, "{own:?}");
    assert_eq!(report.reliability.as_ref().map(|all| (all.n_human, all.n_ai)), Some((4, 3)));
}

#[test]
fn the_json_adds_and_does_not_take_away() {
    let json = serde_json::to_value(two_files().with_targets()).unwrap();
    assert_eq!(json["by"]["kind"]["attack:x|y"]["same_file"]["auroc"], 0.75);
    assert_eq!(json["by"]["kind"]["attack:x|y"]["same_file"]["over_150_words"]["n_ai"], 1);
    assert!(json["by"]["dataset"]["one"]["same_file"].is_null());
    assert_eq!(json["datasets"]["one"]["metrics"]["auroc"], json["by"]["dataset"]["one"]["auroc"]);
    assert!(json["datasets"]["one"]["reliability"]["bins"][0]["observed"].is_null());
    assert_eq!(json["targets"][0]["by"], "dataset");
    assert_eq!(json["targets"][0]["auroc"]["met"], false);
    assert!(serde_json::to_value(two_files()).unwrap().get("targets").is_none());
}
