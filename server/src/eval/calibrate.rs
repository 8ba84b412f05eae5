//! From scored texts to a calibration, and to an honest account of it.
//!
//! Each text is scored once, up to [`MAX_TOKENS`]. A causal model's statistics of a prefix are the prefix of its
//! statistics, so that one pass gives training texts of every length: for each range of lengths of the conformal
//! tables below the text's own, one prefix whose length is spread evenly (by logarithm) over that range. No text has
//! more than one sample in a range, so that the samples of one table are independent.
//!
//! Texts are split by source document (`pair`, or else the text itself): some fit the head, others fill the conformal
//! tables, and the rest, which took part in nothing, measure. There each text counts once, at one of its lengths, so that
//! the intervals are those of independent texts.
//!
//! The number that a data set's own held-out texts give flatters: texts from elsewhere differ in more ways. So
//! [`leave_one_out`] makes a calibration without each data set in turn and measures it on that one.

use super::dataset::{Label, Sample as Labelled, hash};
use super::metrics::{self, Estimate};
use bonafide_core::calibration::fit::{self, FitError, Recipe, Sample, Weighed};
use bonafide_core::calibration::{self, BUCKET_EDGES, Calibration, ModelRef, Outcome};
use bonafide_core::detect::Stats;
use bonafide_core::judge::MIN_WORDS;
use bonafide_core::text::scoring::ScoringText;
use bonafide_core::text::{language, prose, words};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Tokens of a text that are scored: what the longest table's texts have at least, and half as much again.
pub const MAX_TOKENS: usize = 512;

/// Scored tokens of the shortest prefix: about as many as [`MIN_WORDS`] words have, the fewest that get a verdict.
pub const MIN_PREFIX: usize = 52;

/// What a text takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Fitting the head.
    Fit,
    /// Filling the conformal tables.
    Conformal,
    /// Measuring.
    HeldOut,
}

/// The part of a source document. Tables need most texts: a p-value below 1 % takes a hundred humans of each length.
#[must_use]
pub fn part(group: u64, seed: u64) -> Part {
    match hash(&[b"part", &group.to_le_bytes(), &seed.to_le_bytes()]) % 100 {
        0..35 => Part::Fit,
        35..80 => Part::Conformal,
        _ => Part::HeldOut,
    }
}

/// Whether a verdict would be given on a text: long enough, prose, and in one of the languages. Tables of texts that
/// are never judged would promise nothing about those that are.
#[must_use]
pub fn takes_part(labelled: &Labelled, languages: &[String]) -> bool {
    let scoring = ScoringText::new(&labelled.text);
    words::count(scoring.text()) >= MIN_WORDS
        && prose::objection(&labelled.text).is_none()
        && language::detect(scoring.text()).is_some_and(|known| languages.iter().any(|own| own == known))
}

/// One text at all its lengths.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its samples, at most one for each range of lengths, shortest first.
    pub samples: Vec<Sample>,
    /// What it takes part in.
    pub part: Part,
    /// Which of its samples measures, by a hash.
    pub measures: usize,
}

impl Text {
    /// `None` if there are too few tokens for a feature, or a statistic is not finite.
    #[must_use]
    pub fn new(labelled: &Labelled, stats: &[Stats], seed: u64) -> Option<Self> {
        let label = match labelled.label {
            Label::Human => calibration::Label::Human,
            Label::Ai => calibration::Label::Ai,
        };
        let own = hash(&[b"length", &seed.to_le_bytes(), labelled.text.as_bytes()]);
        let samples: Vec<Sample> = lengths(stats.len(), own)
            .into_iter()
            .filter_map(|length| Sample::new(&stats[..length], label, &*labelled.dataset))
            .map(|sample| sample.of_domain(labelled.field("domain").unwrap_or_default()))
            .collect();
        let measures = (own >> 32) as usize % samples.len().max(1);
        let part = part(labelled.group(), seed);
        (!samples.is_empty()).then_some(Self { samples, part, measures })
    }

    fn human(&self) -> bool {
        self.samples.iter().any(|sample| sample.label == calibration::Label::Human)
    }

    fn dataset(&self) -> &str {
        self.samples.first().map_or("", |sample| &sample.group)
    }
}

/// Keeps some data sets out of the fit: what would be fitted on fills tables instead.
pub fn guard_only(texts: &mut [Text], datasets: &[String]) -> Result<(), String> {
    for name in datasets {
        if !texts.iter().any(|text| text.dataset() == name) {
            let known: BTreeSet<&str> = texts.iter().map(Text::dataset).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!("--guard {name}: there is no such data set; there are {known}"));
        }
    }
    for text in texts.iter_mut().filter(|text| datasets.iter().any(|name| name == text.dataset())) {
        if text.part == Part::Fit {
            text.part = Part::Conformal;
        }
    }
    Ok(())
}

/// The whole length and, for each range of lengths below its own, one length of that range.
fn lengths(whole: usize, random: u64) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut low = MIN_PREFIX;
    for (index, &edge) in BUCKET_EDGES.iter().enumerate() {
        if whole < edge {
            break;
        }
        // Ten bits for each range: a number from 0 to 1.
        let at = ((random >> (10 * index)) & 1023) as f64 / 1024.0;
        let length = low as f64 * (edge as f64 / low as f64).powf(at);
        lengths.push(length as usize);
        low = edge;
    }
    lengths.push(whole);
    lengths
}

/// What a calibration is called and made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name.
    pub version: String,
    /// The model that scored.
    pub model: ModelRef,
    /// What tells the probe that read the texts from any other; `None` if none did.
    pub probe: Option<String>,
    /// ISO 639-1 codes.
    pub languages: Vec<String>,
    /// The features that the head weighs.
    pub weighed: Weighed,
    /// Strength of the L2 penalty.
    pub penalty: f64,
}

/// The penalty that serves texts of a data set the head has not seen best.
pub fn choose_penalty(texts: &[Text], weighed: Weighed) -> Result<f64, FitError> {
    let own = texts.iter().filter(|text| text.part == Part::Fit);
    fit::choose_penalty(&own.flat_map(|text| text.samples.iter().cloned()).collect::<Vec<_>>(), weighed)
}

/// Fits on the texts' own parts.
pub fn fit(texts: &[Text], settings: &Settings) -> Result<Calibration, FitError> {
    fit_some(&texts.iter().collect::<Vec<_>>(), settings)
}

fn fit_some(texts: &[&Text], settings: &Settings) -> Result<Calibration, FitError> {
    let of = |wanted| texts.iter().filter(move |text| text.part == wanted);
    let all = |wanted| of(wanted).flat_map(|text| text.samples.iter().cloned()).collect::<Vec<_>>();
    let once: Vec<Sample> = of(Part::HeldOut).map(|text| text.samples[text.measures].clone()).collect();
    fit::calibrate(&Recipe {
        version: settings.version.clone(),
        model: settings.model.clone(),
        probe: settings.probe.clone(),
        languages: settings.languages.clone(),
        data: datasets(texts.iter().copied()),
        fit: &all(Part::Fit),
        conformal: &all(Part::Conformal),
        held_out: &once,
        weighed: settings.weighed,
        penalty: settings.penalty,
    })
}

/// The data sets' names, in order.
#[must_use]
pub fn datasets<'a>(texts: impl IntoIterator<Item = &'a Text>) -> Vec<String> {
    let names: BTreeSet<&str> = texts.into_iter().map(Text::dataset).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What a calibration did on texts that took no part in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Measured {
    pub humans: usize,
    pub ais: usize,
    pub auroc: Option<f64>,
    pub auroc_ci: Option<[f64; 2]>,
    /// Share of humans called `likely_ai` or `mixed`.
    pub fpr: Option<f64>,
    pub fpr_ci: Option<[f64; 2]>,
    /// Share of models' texts called `likely_ai` or `mixed`.
    pub tpr: Option<f64>,
    pub tpr_ci: Option<[f64; 2]>,
    /// Share of models' texts called `likely_human`.
    pub missed: Option<f64>,
    /// Share of all that stayed `unclear`.
    pub unclear: Option<f64>,
}

/// Measures a calibration on samples; they should be of different texts.
#[must_use]
pub fn measure<'a>(calibration: &Calibration, samples: impl IntoIterator<Item = &'a Sample>) -> Measured {
    let samples: Vec<&Sample> = samples.into_iter().collect();
    let decisions: Vec<_> = samples
        .par_iter()
        .map(|sample| (sample.label, calibration.decide(&sample.features, &sample.parts)))
        .collect();
    let scores = |label| -> Vec<f64> {
        decisions.iter().filter(|(own, _)| *own == label).map(|(_, decision)| decision.log_odds).collect()
    };
    let (human, ai) = (scores(calibration::Label::Human), scores(calibration::Label::Ai));
    let count = |label: Option<calibration::Label>, outcomes: &[Outcome]| {
        let matches = |(own, decision): &&(calibration::Label, calibration::Decision)| {
            label.is_none_or(|label| label == *own) && outcomes.contains(&decision.outcome)
        };
        decisions.iter().filter(matches).count()
    };
    let flagged = [Outcome::LikelyAi, Outcome::Mixed];
    let value = |estimate: Option<Estimate>| estimate.map(|e| e.value);
    let interval = |estimate: Option<Estimate>| estimate.map(|e| e.interval);
    let auroc = metrics::auroc(&human, &ai);
    let fpr = metrics::rate(count(Some(calibration::Label::Human), &flagged), human.len());
    let tpr = metrics::rate(count(Some(calibration::Label::Ai), &flagged), ai.len());
    let missed = metrics::rate(count(Some(calibration::Label::Ai), &[Outcome::LikelyHuman]), ai.len());
    let unclear = metrics::rate(count(None, &[Outcome::Unclear]), samples.len());
    Measured {
        humans: human.len(),
        ais: ai.len(),
        auroc: value(auroc),
        auroc_ci: interval(auroc),
        fpr: value(fpr),
        fpr_ci: interval(fpr),
        tpr: value(tpr),
        tpr_ci: interval(tpr),
        missed: value(missed),
        unclear: value(unclear),
    }
}

/// The account of a calibration, stored beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// The calibration's name.
    pub version: String,
    /// Version of the program that made it.
    pub program: String,
    /// The command that made it.
    pub command: String,
    /// The model file.
    pub model: ModelRef,
    /// Strength of the L2 penalty on the head's weights.
    pub penalty: f64,
    /// What it was made from.
    pub data: Vec<DatasetAccount>,
    /// On held-out texts of the same data sets, each once.
    pub held_out: Measured,
    /// The same by the texts' number of scored tokens; here each text counts once in each range.
    pub held_out_by_tokens: BTreeMap<String, Measured>,
    /// The same by data set, each text once.
    pub held_out_by_dataset: BTreeMap<String, Measured>,
    /// On each data set, by a calibration made without it; absent with fewer than two data sets.
    pub left_out: BTreeMap<String, Measured>,
    /// On each generator's texts, by a detector that saw none of them; absent unless it was asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub generators_left_out: BTreeMap<String, Measured>,
}

/// What is known of a data set, and what was used of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatasetAccount {
    /// The file's name without `.jsonl`.
    pub name: String,
    /// Where it is from, as far as is known.
    pub origin: String,
    /// Its licence, as far as is known.
    pub licence: String,
    /// Human texts in each part.
    pub human: BTreeMap<Part, usize>,
    /// Models' texts in each part.
    pub ai: BTreeMap<Part, usize>,
}

/// Held-out texts by number of tokens, each text once in each range.
#[must_use]
pub fn measure_by_tokens(calibration: &Calibration, texts: &[Text]) -> BTreeMap<String, Measured> {
    let held_out: Vec<&Sample> =
        texts.iter().filter(|t| t.part == Part::HeldOut).flat_map(|t| &t.samples).collect();
    let starts = [0].into_iter().chain(BUCKET_EDGES);
    let ends = BUCKET_EDGES.into_iter().chain([usize::MAX]);
    let name = |start: usize, end: usize| match end {
        usize::MAX => format!("{start} and more"),
        _ => format!("{start:03} to {:03}", end - 1),
    };
    starts
        .zip(ends)
        .map(|(start, end)| {
            let inside = held_out.iter().copied().filter(|s| (start..end).contains(&s.features.tokens));
            (name(start, end), measure(calibration, inside))
        })
        .collect()
}

/// Held-out texts by data set, each text once.
#[must_use]
pub fn measure_by_dataset(calibration: &Calibration, texts: &[Text]) -> BTreeMap<String, Measured> {
    let of = |name: &str| {
        let own = texts.iter().filter(|t| t.part == Part::HeldOut && t.dataset() == name);
        measure(calibration, own.map(|text| &text.samples[text.measures]))
    };
    datasets(texts).into_iter().map(|name| (name.clone(), of(&name))).collect()
}

/// Each data set measured, all its texts once, by a calibration made without it.
pub fn leave_one_out(texts: &[Text], settings: &Settings) -> Result<BTreeMap<String, Measured>, FitError> {
    let names = datasets(texts);
    if names.len() < 2 {
        return Ok(BTreeMap::new());
    }
    names
        .into_iter()
        .map(|name| {
            let others: Vec<&Text> = texts.iter().filter(|t| t.dataset() != name).collect();
            let calibration = fit_some(&others, settings)?;
            // Nothing of the data set left out was fitted on, so that all of its parts may measure.
            let own = texts.iter().filter(|t| t.dataset() == name).map(|t| &t.samples[t.measures]);
            let measured = measure(&calibration, own);
            Ok((name, measured))
        })
        .collect()
}

/// Some texts, each once, and the held-out human texts of the same data sets, measured by a calibration made without the
/// former. `left_out` says of each text whether it is one of them.
pub fn leave_out(texts: &[Text], left_out: &[bool], settings: &Settings) -> Result<Measured, FitError> {
    let of = |out: bool| {
        let own = texts.iter().zip(left_out).filter(|(_, left_out)| **left_out == out);
        own.map(|(text, _)| text).collect::<Vec<_>>()
    };
    let (own, others) = (of(true), of(false));
    let calibration = fit_some(&others, settings)?;
    let datasets: BTreeSet<&str> = own.iter().map(|text| text.dataset()).collect();
    let humans =
        others.into_iter().filter(|t| t.human() && t.part == Part::HeldOut && datasets.contains(t.dataset()));
    Ok(measure(&calibration, own.iter().copied().chain(humans).map(|text| &text.samples[text.measures])))
}

/// Counts of the texts used, by data set, label and part.
#[must_use]
pub fn count(texts: &[Text]) -> Vec<DatasetAccount> {
    let mut accounts: BTreeMap<&str, DatasetAccount> = BTreeMap::new();
    for text in texts {
        let account = accounts.entry(text.dataset()).or_default();
        account.name = text.dataset().to_owned();
        let counts = if text.human() { &mut account.human } else { &mut account.ai };
        *counts.entry(text.part).or_default() += 1;
    }
    accounts.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    /// Tokens whose log-probabilities wander about a mean, differently for every text.
    fn stats(count: usize, mean: f64, text: u64) -> Vec<Stats> {
        let noise = |i: usize| (hash(&[&text.to_le_bytes(), &i.to_le_bytes()]) % 1000) as f64 / 1000.0;
        let style = noise(usize::MAX) - 0.5;
        (0..count)
            .map(|i| {
                let logprob = (mean + style + 4.0 * noise(i) - 2.0).min(-0.01) as f32;
                let rank = ((-logprob).exp() as u32).max(1);
                Stats {
                    logprob,
                    rank,
                    entropy: 3.0 - style as f32,
                    mean_logprob: -3.0,
                    variance: 2.0,
                    probe: None,
                }
            })
            .collect()
    }

    /// English of so many words.
    fn prose(first: usize, words: usize) -> String {
        let line = "The old bus was late again, so we walked down the hill and talked about what to cook for supper. \
                    My sister wanted soup; nobody else did, though all of us were cold, tired and hungry by then.";
        let rest = line.split_whitespace().cycle().take(words - 1);
        std::iter::once(first.to_string().as_str()).chain(rest).collect::<Vec<_>>().join(" ")
    }

    fn english() -> Vec<String> {
        vec!["en".to_owned()]
    }

    fn labelled(label: Label, dataset: &str, pair: usize) -> Labelled {
        Labelled {
            text: prose(pair, MIN_WORDS),
            label,
            dataset: dataset.into(),
            line: 1,
            fields: [("pair", pair.to_string())].into(),
        }
    }

    fn texts() -> Vec<Text> {
        let mut texts = Vec::new();
        for (set, dataset) in ["train.a", "train.b", "train.c"].into_iter().enumerate() {
            for pair in 0..400 {
                for (label, mean) in [(Label::Human, -3.5), (Label::Ai, -2.2)] {
                    let sample = labelled(label, dataset, pair);
                    let seed = (set * 1000 + 2 * pair + usize::from(label == Label::Ai)) as u64;
                    let stats = stats(60 + (pair * 37) % 400, mean, seed);
                    texts.extend(Text::new(&sample, &stats, 1));
                }
            }
        }
        texts
    }

    fn settings() -> Settings {
        Settings {
            version: "test".to_owned(),
            model: ModelRef { name: "m".to_owned(), sha256: "00".repeat(32) },
            probe: None,
            languages: vec!["en".to_owned()],
            weighed: Weighed::default(),
            penalty: 1e-2,
        }
    }

    #[test]
    fn parts_have_their_shares_and_follow_the_document() {
        let mut counts = BTreeMap::new();
        for group in 0..20_000 {
            *counts.entry(part(group, 0)).or_insert(0_i32) += 1;
        }
        assert!((counts[&Part::Fit] - 7000).abs() < 300, "{counts:?}");
        assert!((counts[&Part::Conformal] - 9000).abs() < 300, "{counts:?}");
        let (human, ai) = (labelled(Label::Human, "train.a", 7), labelled(Label::Ai, "train.a", 7));
        assert_eq!(part(human.group(), 3), part(ai.group(), 3));
        assert!((0..100).any(|group| part(group, 0) != part(group, 1)));
    }

    #[test]
    fn a_guard_is_never_fitted_on() {
        let mut texts = texts();
        guard_only(&mut texts, &["train.b".to_owned()]).unwrap();
        let parts =
            |name| texts.iter().filter(|t| t.dataset() == name).map(|t| t.part).collect::<BTreeSet<_>>();
        assert_eq!(parts("train.b"), BTreeSet::from([Part::Conformal, Part::HeldOut]));
        assert_eq!(parts("train.a").len(), 3);
        assert!(fit(&texts, &settings()).is_ok());
        let unknown = guard_only(&mut texts, &["train.x".to_owned()]).unwrap_err();
        assert!(unknown.contains("train.a, train.b, train.c"), "{unknown}");
    }

    #[test]
    fn a_text_without_a_verdict_takes_no_part() {
        let mut sample = labelled(Label::Ai, "train.a", 1);
        assert!(takes_part(&sample, &english()));
        assert!(!takes_part(&sample, &["zh".to_owned()]));
        assert!(Text::new(&sample, &stats(10, -2.0, 1), 0).is_none());
        sample.text = prose(1, MIN_WORDS - 1);
        assert!(!takes_part(&sample, &english()));
        sample.text = "never again ".repeat(MIN_WORDS);
        assert!(!takes_part(&sample, &english()));
    }

    #[test]
    fn a_calibration_holds_its_rate_on_texts_that_it_has_not_seen() {
        let texts = texts();
        let calibration = fit(&texts, &settings()).unwrap();
        assert_eq!(calibration.data, ["train.a", "train.b", "train.c"]);
        let held_out = texts.iter().filter(|text| text.part == Part::HeldOut);
        let measured = measure(&calibration, held_out.map(|text| &text.samples[text.measures]));
        assert!(measured.humans > 150 && measured.ais > 150, "{measured:?}");
        assert!(measured.auroc.unwrap() > 0.95, "{measured:?}");
        assert!(measured.fpr_ci.unwrap()[0] < 0.02, "{measured:?}");
        let json = serde_json::to_string(&calibration).unwrap();
        assert!(json.len() < 200_000, "{}", json.len());
        let back: Calibration = serde_json::from_str(&json).unwrap();
        back.validate().unwrap();
    }

    #[test]
    fn each_data_set_is_measured_whole_without_itself() {
        let texts = texts();
        let generated: Vec<bool> =
            texts.iter().map(|text| !text.human() && text.dataset() == "train.a").collect();
        let measured = leave_out(&texts, &generated, &settings()).unwrap();
        let held_out =
            texts.iter().filter(|t| t.human() && t.dataset() == "train.a" && t.part == Part::HeldOut);
        assert_eq!((measured.humans, measured.ais), (held_out.count(), 400));
        let left_out = leave_one_out(&texts, &settings()).unwrap();
        assert_eq!(left_out.keys().collect::<Vec<_>>(), ["train.a", "train.b", "train.c"]);
        assert!(left_out.values().all(|measured| (measured.humans, measured.ais) == (400, 400)));
    }

    #[test]
    fn counts_and_ranges_add_up() {
        let texts = texts();
        let counts = count(&texts);
        assert_eq!(counts.len(), 3);
        assert_eq!(counts[0].human.values().sum::<usize>(), 400);
        let calibration = fit(&texts, &settings()).unwrap();
        let by_tokens = measure_by_tokens(&calibration, &texts);
        let held_out = texts.iter().filter(|text| text.part == Part::HeldOut);
        let samples: usize = held_out.map(|text| text.samples.len()).sum();
        assert_eq!(by_tokens.values().map(|m| m.humans + m.ais).sum::<usize>(), samples);
        let by_dataset = measure_by_dataset(&calibration, &texts);
        let once: usize = by_dataset.values().map(|m| m.humans + m.ais).sum();
        assert_eq!(once, texts.iter().filter(|text| text.part == Part::HeldOut).count());
    }

    proptest! {
        #[test]
        fn a_text_has_one_length_in_each_range(whole in MIN_PREFIX..=MAX_TOKENS, random: u64) {
            let lengths = lengths(whole, random);
            let bucket = |length: usize| BUCKET_EDGES.iter().filter(|&&edge| length >= edge).count();
            let buckets: Vec<usize> = lengths.iter().copied().map(bucket).collect();
            prop_assert_eq!(buckets, (0..=bucket(whole)).collect::<Vec<_>>());
            prop_assert!(lengths[0] >= MIN_PREFIX);
            prop_assert_eq!(*lengths.last().unwrap(), whole);
        }
    }
}
