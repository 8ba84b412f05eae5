//! What was trained, in the engine: from training to a file, to scores, to a calibration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::model::compute::{Device, Precision};
use crate::model::lora::file::Adapter as Lora;
use crate::model::probe::Probe;
use crate::model::trained::Kind;
use crate::scam::opinion::{MOST_BYTES, Spoken};
use crate::train::lora::data::Text;
use crate::train::lora::head::pool;
use crate::train::lora::model::{Batch, Layout, Network};
use crate::train::lora::run::{Inputs, Settings, train};
use crate::train::lora::testing;
use bonafide_core::detect::{FEATURES, Features, STATISTICS};
use bonafide_core::scam::Side;
use candle_core::DType;
use std::path::Path;

const TEXTS: [&str; 4] = [
    "The tide came in over the thin mud, and with it the boats that had lain there.",
    "As a matter of fact, the aforementioned considerations remain the same throughout.",
    "Then they went to bed; nothing else happened that night, or the night after that.",
    "This comprehensive overview highlights the key aspects that shape the theme today.",
];

struct Case {
    folder: tempfile::TempDir,
    stored: store::StoredModel,
    adapter: Lora,
}

impl Case {
    /// A model's file, and an adapter of a few steps, its first layers adapted.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.gguf");
        testing::write_wide_llama(&path);
        let stored = store::StoredModel { name: "tiny".to_owned(), path, sha256: "ab".repeat(32) };
        let loaded = model::load(&stored.path).unwrap();
        let text = |at: usize| Text {
            text: TEXTS[at].to_owned(),
            label: (at % 2) as f64,
            weight: 1.0,
            // The engine has no such number: it takes the states' part of the head.
            extra: vec![at as f32],
        };
        let texts: Vec<Text> = (0..TEXTS.len()).map(text).collect();
        let inputs = Inputs {
            model: &loaded.model,
            tokenizer: &loaded.tokenizer,
            base: &stored.sha256,
            data: vec!["train.a".to_owned()],
            held_out: "tides",
            learn: &texts,
            measure: &texts,
            device: candle_core::Device::Cpu,
            checkpoint: None,
            resume: false,
        };
        let settings = Settings {
            rank: 2,
            depth: 2,
            rate: 1e-2,
            steps: Some(6),
            batch_tokens: 256,
            max_tokens: 96,
            warm_texts: 4,
            // Nothing is told apart before the last step, so that what comes out has moved.
            evaluate_every: 6,
            ..Settings::default()
        };
        let (adapter, history) = train(&inputs, &settings, &mut |_| {}).unwrap();
        assert_eq!(history.steps.len(), 6);
        Self { folder, stored, adapter }
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn kept(&self, adapter: &Lora) -> Adapter {
        Adapter::File(self.keep("adapter.safetensors", &adapter.write().unwrap()))
    }

    /// A calibration of this model with a probe or without, for a language; what it makes of a text is senseless.
    fn calibration(&self, probe: Option<&str>, language: &str) -> Calibration {
        let mut made: serde_json::Value =
            serde_json::from_str(include_str!("../../calibration/smollm2-135m.json")).unwrap();
        made["version"] = language.into();
        made["languages"] = vec![language].into();
        made["model"]["sha256"] = self.stored.sha256.clone().into();
        made["probe"] = probe.into();
        let features = &FEATURES[..if probe.is_some() { FEATURES.len() } else { STATISTICS }];
        made["head"]["features"] = features.into();
        for (list, number) in
            [("mean", 0.0), ("slope", 0.0), ("scale", 1.0), ("weights", 0.1), ("length_weights", 0.0)]
        {
            made["head"][list] = vec![number; features.len()].into();
        }
        serde_json::from_value(made).unwrap()
    }

    fn open(&self, adapter: Adapter, calibration: Option<&Path>) -> Result<Engine, EngineError> {
        let compute =
            Compute { threads: Some(1), device: Some(Device::Cpu), precision: Some(Precision::F32) };
        let calibration = calibration.map(Path::to_owned);
        Engine::open(
            &self.stored,
            &EngineOptions { compute, adapter, calibration, ..EngineOptions::default() },
        )
    }
}

/// The statistics of a text of one window.
fn stats(engine: &Engine, text: &str) -> (Vec<u32>, Vec<TokenStats>) {
    let plan = engine.plan(text).unwrap();
    let scored = engine.score_windows(&plan.windows.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(plan.windows.len(), 1);
    (plan.windows[0].tokens.clone(), scored.into_iter().next().unwrap())
}

#[test]
fn a_trained_adapter_scores_as_its_head_does() {
    let case = Case::new();
    // As it is, and stirred so that its matrices change much.
    let mut stirred = case.adapter.clone();
    for (at, pair) in stirred.layers.iter_mut().flatten().enumerate() {
        pair.b.iter_mut().enumerate().for_each(|(row, x)| *x += 0.2 * ((at + 7 * row) as f32).sin());
    }
    let plain = case.open(Adapter::None, None).unwrap();
    for adapter in [case.adapter.clone(), stirred.clone()] {
        let engine = case.open(case.kept(&adapter), None).unwrap();
        let reader = engine.reader().unwrap();
        assert_eq!((reader.kind, &reader.id), (Kind::Lora, &adapter.id()));
        assert_eq!(reader.learned.data, ["train.a"]);
        let loaded = model::load(&case.stored.path).unwrap().model;
        let dim = loaded.shape.dim;
        let (depth, device) = (adapter.meta.layers, candle_core::Device::Cpu);
        let layout = Layout { depth, positions: 128, language: false, dtype: DType::F32, device };
        let network = Network::new(&loaded, &layout).unwrap();
        let lora = testing::variables_of(&adapter, &loaded.shape);
        let head = adapter.head.as_ref().unwrap();
        let mut words = Vec::new();
        for (at, text) in TEXTS.into_iter().enumerate() {
            let (tokens, stats) = stats(&engine, text);
            assert_eq!(tokens[0], 1);
            let batch = Batch::new(&[&tokens]);
            let states = network.states(&batch, Some(&lora)).unwrap();
            let pooled = pool(&states, &batch).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let features = |extra: f32| -> Vec<f32> { pooled.iter().copied().chain([extra]).collect() };
            // What the head says, without what it adds to all texts and the further number's part.
            let constant = head.log_odds(&vec![0.0; dim + 1]);
            let further = head.log_odds(&[vec![0.0; dim], vec![at as f32]].concat()) - constant;
            let own = head.log_odds(&features(at as f32)) - constant - further;
            let stats: Vec<Stats> = stats.into_iter().map(from_kernel).collect();
            let word = Features::extract(&stats).unwrap().get("probe").unwrap();
            assert!((word - own).abs() < 1e-3 * (1.0 + own.abs()), "{word} {own}");
            words.push(word);
        }
        let spread =
            words.iter().copied().fold(f64::MIN, f64::max) - words.iter().copied().fold(f64::MAX, f64::min);
        assert!(spread > 0.1, "{words:?}");
    }
    // The statistics are those of the adapted model.
    let engine = case.open(case.kept(&stirred), None).unwrap();
    let moved = stats(&plain, TEXTS[0]).1.iter().zip(&stats(&engine, TEXTS[0]).1).any(|(plain, own)| {
        plain.projection.is_none() && own.projection.is_some() && (plain.logprob - own.logprob).abs() > 0.05
    });
    assert!(moved);
}

#[test]
fn files_for_another_model_are_refused_with_the_way_out() {
    let case = Case::new();
    let said = |adapter: &Lora| case.open(case.kept(adapter), None).err().unwrap().to_string();
    let mut other = case.adapter.clone();
    other.meta.base = "cd".repeat(32);
    let message = said(&other);
    assert!(message.contains("adapter.safetensors: it was trained for another model"), "{message}");
    assert!(message.contains("train detector"), "{message}");
    let mut wide = case.adapter.clone();
    wide.layers[0][0].outputs += 8;
    wide.layers[0][0].b.extend([0.0; 16]);
    assert!(said(&wide).contains("q of layer 0"));
    let mut deep = case.adapter.clone();
    deep.meta.layers = 3;
    deep.layers.push(deep.layers[1].clone());
    assert!(said(&deep).contains("from 1 to 2"));
    let bare = Lora { head: None, ..case.adapter.clone() };
    assert!(said(&bare).contains("no head"));
    let text = Adapter::File(case.keep("text.safetensors", b"not a file of tensors"));
    assert!(case.open(text, None).err().unwrap().to_string().contains("train detector"));
    let absent = Adapter::File(case.folder.path().join("none"));
    assert!(case.open(absent, None).err().unwrap().to_string().contains("none"));
}

#[test]
fn an_adapter_needs_a_calibration_of_its_own() {
    let case = Case::new();
    let text = TEXTS.concat();
    let engine = case.open(case.kept(&case.adapter), None).unwrap();
    assert!(engine.calibration().is_none());
    let report = engine.score(&[("0".to_owned(), text)], false, |_| {}).unwrap();
    assert_eq!(report.blocks[0].verdict, bonafide_core::verdict::Verdict::Unclear);

    let of = |probe: Option<&str>| {
        case.keep("calibration.json", &serde_json::to_vec(&case.calibration(probe, "en")).unwrap())
    };
    let with = |adapter: Adapter, probe: Option<&str>| {
        case.open(adapter, Some(&of(probe))).map(|engine| engine.calibration().is_some())
    };
    let lora = || case.kept(&case.adapter);
    let id = case.adapter.id();
    assert!(with(lora(), Some(&id)).unwrap());
    assert!(with(lora(), Some("another")).unwrap_err().to_string().contains("calibrate --adapter"));
    // An adapter changes the statistics, so that a calibration without it says nothing of them.
    assert!(with(lora(), None).unwrap_err().to_string().contains("without the adapter"));
    assert!(with(Adapter::None, Some(&id)).is_err());

    let dim = testing::wide_llama().shape.dim;
    let probe = Probe { model_sha256: case.stored.sha256.clone(), depths: vec![1], weights: vec![0.1; dim] };
    let file = || Adapter::File(case.keep("probe.safetensors", &probe.write(&[]).unwrap()));
    assert!(with(file(), Some(&probe.id())).unwrap() && with(file(), None).unwrap());
    assert!(with(file(), Some(&id)).is_err());
}

#[test]
fn each_language_is_read_through_a_lens_of_its_own() {
    let case = Case::new();
    let dim = testing::wide_llama().shape.dim;
    let engine = |lenses: &[(&str, f32)]| {
        let mut engine = case.open(Adapter::None, None).unwrap();
        let lens = |&(language, weight): &(&str, f32)| {
            let weights = (0..dim).map(|at| weight * (at as f32).sin()).collect();
            let probe = Probe { model_sha256: case.stored.sha256.clone(), depths: vec![1], weights };
            let id = probe.id();
            let calibration = Some(case.calibration(Some(&id), language));
            let learned = crate::model::trained::Learned::default();
            Lens { reader: Some(Reader { kind: Kind::Probe, id, learned, probe }), calibration }
        };
        engine.lenses = lenses.iter().map(lens).collect();
        engine
    };
    let (english, dutch) = (("en", 0.5), ("nl", 2.0));
    let both = engine(&[english, dutch]);
    let texts = [
        TEXTS.join(" "),
        "De bus was weer te laat, dus ik liep de heuvel af en mijn linkerschoen begaf het voorgoed, terwijl een vrouw die haar \
         rozen water gaf hardop lachte. We praatten tien minuten over schoenmakers. Die zijn er hier niet meer, zei ze, alleen \
         het apparaat in het winkelcentrum dat sleutels snijdt."
            .to_owned(),
    ];
    // Both in one batch, and each by an engine that knows its language only.
    let plans: Vec<Plan> = texts.iter().map(|text| both.plan(text).unwrap()).collect();
    assert_eq!(plans.iter().map(|plan| plan.windows[0].lens).collect::<Vec<_>>(), [0, 1]);
    let together = both.score_plans(&plans, |_| {}).unwrap();
    for ((text, stats), lens) in texts.iter().zip(&together).zip([english, dutch]) {
        let own = engine(&[lens]);
        let alone = own.score_plans(&[own.plan(text).unwrap()], |_| {}).unwrap();
        let words = |stats: &[Vec<TokenStats>]| -> Vec<f32> {
            stats.concat().iter().map(|token| token.projection.unwrap()).collect()
        };
        let (together, alone) = (words(stats), words(&alone[0]));
        assert!(together.len() > 20 && together.len() == alone.len());
        assert!(together.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b.abs())));
    }
    let blocks: Vec<(String, String)> = texts.iter().map(|text| (String::new(), text.clone())).collect();
    let report = both.score(&blocks, false, |_| {}).unwrap();
    let versions: Vec<&str> = report.calibrations.iter().map(|known| known.version.as_str()).collect();
    assert_eq!((versions, report.calibration.unwrap().version.as_str()), (vec!["en", "nl"], "en"));
    let compared: Vec<_> = report.blocks.iter().map(|block| block.calibration.as_deref()).collect();
    assert_eq!(compared, [Some("en"), Some("nl")]);
    // What no lens is for is read through the first.
    let italian = "Quando arriva la pioggia nessuno ha con se un ombrello, e tutti restano sotto il portico ad aspettare.";
    assert_eq!(both.plan(italian).unwrap().windows[0].lens, 0);
}

#[test]
fn each_built_in_probe_is_for_its_language() {
    let probes: Vec<&[u8]> = vec![
        include_bytes!("../../calibration/smollm2-135m.detector.safetensors"),
        include_bytes!("../../calibration/smollm2-135m.detector-zh.safetensors"),
    ];
    for (bytes, language) in probes.into_iter().zip(["en", "zh"]) {
        let id = Probe::read(bytes).unwrap().id();
        let languages =
            |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        assert!(built_in::is_for(&id, &languages(&["fr", language])));
        assert!(
            !built_in::is_for(&id, &languages(&["fr"]))
                && !built_in::is_for("another", &languages(&[language]))
        );
    }
}

#[test]
fn a_second_opinion_is_the_probes_word_on_the_mean_state() {
    let case = Case::new();
    let mut engine = case.open(Adapter::None, None).unwrap();
    assert!(engine.chat_probes.is_empty(), "none was made for this model");
    let dim = model::load(&case.stored.path).unwrap().model.shape.dim;
    let weights: Vec<f32> = (0..dim).map(|at| (at as f32).sin()).collect();
    let probe = Probe { model_sha256: case.stored.sha256.clone(), depths: vec![2], weights: weights.clone() };
    engine.chat_probes.push(ChatProbe::new("en", -0.5, probe));
    // Long enough for several windows, whose tokens count once.
    let turns = TEXTS.iter().cycle().take(60).enumerate();
    let turns = turns.map(|(at, text)| (if at % 3 == 2 { Side::Me } else { Side::Them }, *text));
    let spoken = Spoken::of(turns.collect::<Vec<_>>().into_iter(), MOST_BYTES);
    let plan = engine.plan_chat(&spoken).unwrap().unwrap();
    assert!(plan.windows.len() > 1 && plan.windows.iter().all(|window| window.lens == 1));
    let said = engine.opinions_on(&spoken).unwrap().unwrap();
    let pooled = engine.pool_chat(&spoken, 2, |_| true).unwrap();
    assert_eq!((said.len(), pooled.len()), (60, 60));
    for (said, pooled) in said.iter().zip(&pooled) {
        let product: f32 = weights.iter().zip(&pooled.state).map(|(weight, x)| weight * x).sum();
        let wanted = f64::from(product) - 0.5;
        assert!((said - wanted).abs() < 1e-3, "after {}: {said} and {wanted}", pooled.messages);
    }
    let french =
        [(Side::Them, "Bonjour, comment allez-vous ? Nous sommes arrivés hier soir avec les enfants.")];
    assert!(engine.opinions_on(&Spoken::of(french.into_iter(), MOST_BYTES)).unwrap().is_none());
}
