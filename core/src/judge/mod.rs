//! From numbers to a report on one block.
//!
//! `unclear` is the default and every other verdict has to be earned: enough words, prose, a language and a model that
//! the calibration has seen, and a score that few texts of the other kind reach. A text that fails one of the
//! conditions still gets its numbers, and a sentence that says which.

mod layout;
mod messages;
mod sentences;
pub mod signed;

pub use messages::Code;
pub use sentences::readings;

use crate::calibration::{Calibration, Decision, Outcome};
use crate::declared::Declared;
use crate::detect::{Features, Stats, Window, detectors, perplexity, scan, top_share};
use crate::text::prose::{NotProse, objection};
use crate::text::scoring::ScoringText;
use crate::text::{language, words};
use crate::verdict::{BlockReport, Evidence, PointsTo, SentenceReport, Verdict};
use layout::Layout;
use messages::Extreme;
use sentences::{named, sentences};
use std::ops::Range;

/// Fewest words that a verdict is given on.
pub const MIN_WORDS: usize = 40;

/// What a sentence's probability must exceed to be named as a model's; a human's lies below one minus this.
const TELLING: f64 = 0.8;

/// From this strength on a finding that points to a model contradicts `likely_human`.
const STRONG: f64 = 0.5;

/// One token of the scoring text.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Where it stands in the scoring text, in bytes.
    pub bytes: Range<usize>,
    /// What the model says of it; `None` for a token without context.
    pub stats: Option<Stats>,
}

/// A block that the model has read.
#[derive(Debug, Clone, Copy)]
pub struct ScoredBlock<'a> {
    /// The caller's name for it.
    pub id: &'a str,
    /// The text as it came.
    pub text: &'a str,
    /// Its scoring form: what was tokenised.
    pub scoring: &'a ScoringText,
    /// The tokens of the scoring form, in order.
    pub tokens: &'a [Token],
}

/// Why a text can't be judged, whatever its numbers.
#[derive(Debug, Clone, PartialEq)]
enum Obstacle {
    NotScored,
    NotProse(NotProse),
    TooShort,
    LanguageUnknown,
    LanguageNotCalibrated(&'static str, Vec<String>),
    NoCalibration,
}

/// A text that can be judged: its features, its windows and the calibration to compare them with.
struct Case<'a> {
    calibration: &'a Calibration,
    features: Features,
    /// Those of [`scan`].
    windows: Vec<Window>,
    decision: Decision,
}

/// Judges a block. The `calibrations` are those that fit the model ([`Calibration::fits`]), of which the first that has seen
/// the block's language counts; `with_tokens` puts the per-token values into the report.
#[must_use]
pub fn judge(block: &ScoredBlock<'_>, calibrations: &[&Calibration], with_tokens: bool) -> BlockReport {
    let words = words::count(block.scoring.text());
    let language = language::detect(block.scoring.text());
    let stats: Vec<Stats> = block.tokens.iter().filter_map(|token| token.stats).collect();
    let layout = Layout::new(block);
    let case = case(block, &stats, words, language, calibrations);
    let sentences = sentences(&layout, &stats, case.as_ref().ok());
    let (verdict, mut evidence) = match &case {
        Ok(case) => verdict(case, &stats, &sentences),
        Err(obstacle) => (Verdict::Unclear, vec![limit(obstacle, words)]),
    };
    if case.is_err() {
        evidence.extend(plain_numbers(&stats));
    }
    evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    BlockReport {
        id: block.id.to_owned(),
        verdict,
        probability: case.as_ref().ok().map(|case| case.decision.probability),
        p_value: case.as_ref().ok().map(|case| case.decision.p_human),
        evidence,
        sentences,
        words,
        token_count: block.tokens.len(),
        language: language.map(str::to_owned),
        calibration: case.as_ref().ok().map(|case| case.calibration.version.clone()),
        detectors: detectors(&stats),
        tokens: with_tokens.then(|| layout.tokens(block)),
    }
}

/// Adds findings that don't come from the model's statistics: watermarks, labels, hidden characters.
///
/// They are evidence of their own kind and never change the probability. What `declares` a text to be a model's decides
/// the verdict; a strong hint at a model takes back a `likely_human`, because the two together are unclear.
pub fn add(report: &mut BlockReport, evidence: Vec<Evidence>, declares: bool) {
    let hinted = evidence.iter().any(|found| found.points_to == PointsTo::Ai && found.strength >= STRONG);
    if declares && (report.verdict == Verdict::HumanSigned || signed::vouches(report)) {
        // The two contradict each other, and which is wrong can't be seen from here.
        report.verdict = Verdict::Unclear;
    } else if declares {
        report.verdict = Verdict::DeclaredAi;
    } else if hinted && report.verdict == Verdict::LikelyHuman {
        report.verdict = Verdict::Unclear;
    }
    report.evidence.extend(evidence);
    report.evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
}

/// Adds what the document declares to the report on one of its blocks, unless the block says so itself.
pub fn add_of_document(report: &mut BlockReport, declared: &Declared) {
    let new = declared
        .evidence
        .iter()
        .filter(|found| !report.evidence.iter().any(|own| own.code == found.code))
        .cloned()
        .collect();
    add(report, new, declared.declares_ai);
}

/// The report on a block that no model has read: all that can be told is how long it is. Its language matters only to the
/// calibration of a model.
#[must_use]
pub fn unread(id: &str, text: &str) -> BlockReport {
    let scoring = ScoringText::new(text);
    let words = words::count(scoring.text());
    BlockReport {
        id: id.to_owned(),
        verdict: Verdict::Unclear,
        probability: None,
        p_value: None,
        evidence: (words < MIN_WORDS).then(|| messages::too_short(words)).into_iter().collect(),
        sentences: Vec::new(),
        words,
        token_count: 0,
        language: None,
        calibration: None,
        detectors: std::collections::BTreeMap::new(),
        tokens: None,
    }
}

fn case<'a>(
    block: &ScoredBlock<'_>,
    stats: &[Stats],
    words: usize,
    language: Option<&'static str>,
    calibrations: &[&'a Calibration],
) -> Result<Case<'a>, Obstacle> {
    if stats.is_empty() {
        return Err(if words < MIN_WORDS { Obstacle::TooShort } else { Obstacle::NotScored });
    }
    // The original, because the scoring form of a program looks less like one.
    if let Some(objection) = objection(block.text) {
        return Err(Obstacle::NotProse(objection));
    }
    if words < MIN_WORDS {
        return Err(Obstacle::TooShort);
    }
    if calibrations.is_empty() {
        return Err(Obstacle::NoCalibration);
    }
    let language = language.ok_or(Obstacle::LanguageUnknown)?;
    let calibration = calibrations.iter().copied().find(|calibration| calibration.knows(language));
    let calibration = calibration.ok_or_else(|| {
        let known = calibrations.iter().flat_map(|calibration| calibration.languages.iter().cloned());
        Obstacle::LanguageNotCalibrated(language, known.collect())
    })?;
    let features = Features::extract(stats).ok_or(Obstacle::NotScored)?;
    let windows = scan(stats);
    let parts: Vec<Features> = windows.iter().map(|window| window.features.clone()).collect();
    let decision = calibration.decide(&features, &parts);
    Ok(Case { calibration, features, windows, decision })
}

fn limit(obstacle: &Obstacle, words: usize) -> Evidence {
    match obstacle {
        Obstacle::NotScored => messages::not_scored(),
        Obstacle::NotProse(reason) => messages::not_prose(*reason),
        Obstacle::TooShort => messages::too_short(words),
        Obstacle::LanguageUnknown => messages::language_unknown(),
        Obstacle::LanguageNotCalibrated(language, known) => {
            messages::language_not_calibrated(language, known)
        }
        Obstacle::NoCalibration => messages::no_calibration(),
    }
}

fn plain_numbers(stats: &[Stats]) -> Option<Evidence> {
    Some(messages::plain_numbers(perplexity(stats)?, top_share(stats, 10)?))
}

fn verdict(case: &Case<'_>, stats: &[Stats], sentences: &[SentenceReport]) -> (Verdict, Vec<Evidence>) {
    let decision = &case.decision;
    let mut evidence = measures(case, stats);
    let beyond =
        case.calibration.compare("mean_logprob", &case.features).is_some_and(|compared| compared.beyond_ai);
    if beyond {
        // The famous, the copied and the boilerplate: more predictable than anything a model wrote for the calibration.
        evidence.push(messages::well_known(perplexity(stats).unwrap_or_default()));
        return (Verdict::Unclear, evidence);
    }
    match decision.outcome {
        Outcome::LikelyAi => {
            evidence.push(messages::combined_ai(decision));
            evidence.extend(named(sentences, Extreme::Ai));
            evidence.push(messages::caveat(&case.calibration.measured));
            (Verdict::LikelyAi, evidence)
        }
        Outcome::LikelyHuman => {
            evidence.push(messages::combined_human(decision));
            evidence.extend(named(sentences, Extreme::Human));
            (Verdict::LikelyHuman, evidence)
        }
        Outcome::Mixed => {
            evidence.push(messages::mixed(sentences));
            evidence.extend(named(sentences, Extreme::Ai));
            evidence.extend(named(sentences, Extreme::Human));
            evidence.push(messages::caveat(&case.calibration.measured));
            (Verdict::Mixed, evidence)
        }
        Outcome::Unclear => {
            evidence.push(messages::between_thresholds(decision, case.calibration));
            (Verdict::Unclear, evidence)
        }
    }
}

/// The single measures that a person can picture, each compared with texts of known origin.
fn measures(case: &Case<'_>, stats: &[Stats]) -> Vec<Evidence> {
    let compare = |feature| case.calibration.compare(feature, &case.features);
    let perplexity = perplexity(stats).zip(compare("mean_logprob"));
    let choices = top_share(stats, 10).zip(compare("top_10"));
    [
        perplexity.map(|(perplexity, compared)| messages::predictability(perplexity, &compared)),
        choices.map(|(share, compared)| messages::first_choices(share, &compared)),
        compare("spread").map(|compared| messages::evenness(&compared)),
        compare("curvature").map(|compared| messages::curvature(&compared)),
        compare("decline").and_then(|compared| messages::falls_apart(&compared)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests;
