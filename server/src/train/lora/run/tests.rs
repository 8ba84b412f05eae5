//! Whole runs on a tiny model and made-up texts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::train::lora::testing::{self, Letters};

/// Words of the first half of the alphabet by humans, of the second by models, but for one word of ten.
fn texts(seed: u64, count: usize) -> Vec<Text> {
    let mut random = Random::new(&[b"texts", &seed.to_le_bytes()]);
    let mut text = |ai: bool| {
        let words = (0..12).map(|_| {
            let late = if random.happens(0.1) { !ai } else { ai };
            let first = if late { b'n' } else { b'a' };
            (0..4).map(|_| char::from(first + random.below(13) as u8)).collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let label = |at: usize| at % 2 == 1;
    (0..count)
        .map(|at| Text { text: text(label(at)), label: f64::from(label(at)), weight: 1.0, extra: vec![0.5] })
        .collect()
}

fn settings() -> Settings {
    Settings {
        rank: 2,
        alpha: 4.0,
        depth: 2,
        rate: 1e-2,
        steps: Some(30),
        batch_tokens: 512,
        accumulate: 2,
        max_tokens: 64,
        // So few that the head alone can't do it.
        warm_texts: 2,
        evaluate_every: 10,
        checkpoint_every: 20,
        ..Settings::default()
    }
}

struct Case {
    model: Model,
    learn: Vec<Text>,
    measure: Vec<Text>,
}

impl Case {
    fn new() -> Self {
        Self { model: testing::wide_llama(), learn: texts(1, 80), measure: texts(2, 40) }
    }

    fn train(&self, settings: &Settings, checkpoint: Option<&Path>, resume: bool) -> (Adapter, History) {
        self.try_train(settings, checkpoint, resume).unwrap()
    }

    fn try_train(
        &self,
        settings: &Settings,
        checkpoint: Option<&Path>,
        resume: bool,
    ) -> Result<(Adapter, History), TrainError> {
        let inputs = Inputs {
            model: &self.model,
            tokenizer: &Letters,
            base: "base",
            data: vec!["letters".to_owned()],
            held_out: "later letters",
            learn: &self.learn,
            measure: &self.measure,
            device: Device::Cpu,
            checkpoint,
            resume,
        };
        train(&inputs, settings, &mut |_| {})
    }
}

#[test]
fn the_loss_falls_and_what_was_not_seen_is_told_apart() {
    let (adapter, history) = Case::new().train(&settings(), None, false);
    let mean = |steps: &[Step]| steps.iter().map(|step| step.loss).sum::<f64>() / steps.len() as f64;
    let (first, last) = (mean(&history.steps[..5]), mean(&history.steps[25..]));
    assert!(last < 0.6 * first, "from {first} to {last}");
    let (before, best) = (history.measurements[0], history.best().unwrap());
    assert!(best.auroc > 0.9 && best.auroc > before.auroc + 0.2, "{before:?} {best:?}");
    adapter.check(&testing::wide_llama().shape, 3).unwrap();
    assert_eq!(adapter.head.unwrap().weight.len(), 24 + 1);
    assert!(adapter.layers[0][0].b.iter().any(|x| x.abs() > 1e-3));
}

#[test]
fn a_resumed_run_ends_where_the_whole_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.checkpoint");
    let case = Case::new();
    let whole = case.train(&settings(), Some(&path), false);
    // The file holds what was after 20 of 30 steps.
    let resumed = case.train(&settings(), Some(&path), true);
    assert_eq!(whole, resumed);
    let other = Settings { seed: 1, ..settings() };
    assert!(matches!(case.try_train(&other, Some(&path), true), Err(TrainError::Checkpoint(_))));
}

#[test]
fn less_memory_gives_the_same_numbers_and_patience_ends_a_run() {
    let case = Case::new();
    let short = Settings { steps: Some(4), ..settings() };
    let kept = case.train(&short, None, false);
    let anew = case.train(&Settings { recompute: true, ..short }, None, false);
    assert_eq!(kept, anew);
    // Nothing gets better at a rate of nothing.
    let still = Settings { rate: 1e-12, evaluate_every: 2, patience: 2, ..settings() };
    let (_, history) = case.train(&still, None, false);
    assert!(history.steps.len() < 30 && history.steps.len() >= 4, "{}", history.steps.len());
}

#[test]
fn texts_and_options_that_make_no_run_are_errors() {
    let case = Case::new();
    let wrong = |settings: Settings| assert!(case.try_train(&settings, None, false).is_err());
    wrong(Settings { rank: 0, ..settings() });
    wrong(Settings { depth: 3, ..settings() });
    wrong(Settings { depth: 0, ..settings() });
    wrong(Settings { batch_tokens: 40, ..settings() });
    let mut one_label = Case::new();
    one_label.measure.retain(|text| text.label > 0.5);
    assert!(one_label.try_train(&settings(), None, false).is_err());
    let mut uneven = Case::new();
    uneven.learn[3].extra.clear();
    assert!(uneven.try_train(&settings(), None, false).is_err());
}
