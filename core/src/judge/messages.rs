//! Every sentence that a report can hold about a text's statistics, in one place.
//!
//! They are written for people who have never heard of perplexity, and none of them accuses: a text looks like, it never
//! is. [`Code`] lists them for translators; each documents the `values` that its message holds.

use super::{MIN_WORDS, TELLING};
use crate::calibration::{Calibration, Comparison, Decision, Measured};
use crate::codes::codes;
use crate::text::prose::NotProse;
use crate::verdict::{Evidence, EvidenceKind, PointsTo, SentenceReport, Span};
use std::collections::BTreeMap;

/// Spacing of the quantiles that features are compared with: no smaller share can be told.
const RESOLUTION: f64 = 0.005;

/// A feature points to one side if at most this share of the other side's texts goes as far.
const REMARKABLE: f64 = 0.1;

codes! {
    /// The stable names of all messages about a text's statistics.
    enum Code {
        /// The model gave no numbers. No values.
        NotScored = "not_scored",
        /// Not running prose. `reason`: `few_letters`, `long_words`, `code` or `repetitive`.
        NotProse = "not_prose",
        /// Too few words. `words`, `minimum`.
        TooShort = "too_short",
        /// The language could not be told. No values.
        LanguageUnknown = "language_unknown",
        /// A language that the calibration has not seen. `language`, `calibrated` (codes, separated by commas).
        LanguageNotCalibrated = "language_not_calibrated",
        /// No calibration for this model. No values.
        NoCalibration = "no_calibration",
        /// Numbers without a comparison. `perplexity`, `percent` (words among the ten likeliest).
        PlainNumbers = "plain_numbers",
        /// More predictable than all generated texts: perhaps famous or copied. `perplexity`.
        WellKnown = "well_known",
        /// The score is between the thresholds. `percent_human` (comparable human texts that look at least as much like a
        /// model's), `percent_ai` (comparable generated texts that look at least as much like a human's), `limit_human`,
        /// `limit_ai` (what these must not exceed).
        BetweenThresholds = "between_thresholds",
        /// The score is rare among human and generated texts alike. `percent_human`, `percent_ai` as above.
        UnlikeBoth = "unlike_both",
        /// All numbers together look like a model's. `per_thousand` (human texts), `probability` (in percent).
        CombinedAi = "combined_ai",
        /// All numbers together look like a human's. `per_thousand` (generated texts), `probability` (of a model, in percent).
        CombinedHuman = "combined_human",
        /// Some parts look like a model's and others like a human's. `sentences_ai`, `sentences_human`, `sentences`.
        MixedParts = "mixed_parts",
        /// How much a verdict is worth. `per_thousand` (human texts called likely_ai in the test).
        Caveat = "caveat",
        /// Words more predictable than usual for humans. `perplexity`, `percent` (human texts that are as predictable).
        PredictabilityAi = "predictability_ai",
        /// Words less predictable than usual for models. `perplexity`, `percent` (generated texts that are as unpredictable).
        PredictabilityHuman = "predictability_human",
        /// Neither. `perplexity`.
        PredictabilityUsual = "predictability_usual",
        /// More first guesses than usual for humans. `share` (of the words), `percent` (of human texts).
        FirstChoicesAi = "first_choices_ai",
        /// Fewer first guesses than usual for models. `share` (of the words), `percent` (of generated texts).
        FirstChoicesHuman = "first_choices_human",
        /// Neither. `share`.
        FirstChoicesUsual = "first_choices_usual",
        /// More even than usual for humans. `percent` (of human texts).
        EvennessAi = "evenness_ai",
        /// Less even than usual for models. `percent` (of generated texts).
        EvennessHuman = "evenness_human",
        /// Neither. No values.
        EvennessUsual = "evenness_usual",
        /// Words likelier than chance would choose, more than usual for humans. `percent` (of human texts).
        CurvatureAi = "curvature_ai",
        /// Words less likely than chance would choose, more than usual for models. `percent` (of generated texts).
        CurvatureHuman = "curvature_human",
        /// Neither. No values.
        CurvatureUsual = "curvature_usual",
        /// Much less predictable towards the end than at the beginning. `percent` (of human texts).
        FallsApart = "falls_apart",
        /// A sentence amid words that look like a model's; with its span. `probability` (in percent).
        SentenceAi = "sentence_ai",
        /// A sentence amid words that look like a human's; with its span. `probability` (of a model, in percent).
        SentenceHuman = "sentence_human",
    }
}

/// Which end of the scale a sentence is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    Ai,
    Human,
}

struct Draft {
    code: Code,
    points_to: PointsTo,
    strength: f64,
    span: Option<Span>,
    message: String,
}

impl Draft {
    fn new(code: Code, points_to: PointsTo, strength: f64, message: impl Into<String>) -> Self {
        Self { code, points_to, strength, span: None, message: message.into() }
    }

    fn with<const N: usize>(self, values: [(&str, String); N]) -> Evidence {
        Evidence {
            kind: EvidenceKind::Model,
            code: self.code.as_str().to_owned(),
            strength: self.strength.clamp(0.0, 1.0),
            points_to: self.points_to,
            span: self.span,
            message: self.message,
            values: BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value))),
        }
    }
}

/// A share as a percentage; tenths where whole numbers would hide the difference.
fn percent(share: f64) -> String {
    let percent = (share * 100.0).clamp(0.0, 100.0);
    let fine = !(2.0..=98.0).contains(&percent);
    let text = if fine { format!("{percent:.1}") } else { format!("{percent:.0}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A probability as a percentage, never nought or certainty: no statistics are worth that.
fn chance(probability: f64) -> String {
    percent(probability.clamp(0.001, 0.999))
}

/// A p-value as a number of texts in a thousand, rounded up: an upper bound stays one.
fn per_thousand(p_value: f64) -> String {
    format!("{:.0}", (p_value * 1000.0).ceil().clamp(1.0, 1000.0))
}

fn perplexity_text(perplexity: f64) -> String {
    if perplexity < 100.0 { format!("{perplexity:.1}") } else { format!("{:.0}", perplexity.min(1e9)) }
}

/// What limits the verdict is what the verdict rests on, so it comes first.
const DECISIVE: f64 = 1.0;

pub(super) fn not_scored() -> Evidence {
    Draft::new(
        Code::NotScored,
        PointsTo::Neither,
        DECISIVE,
        "The model gave no usable numbers for this text, so nothing can be said about it.",
    )
    .with([])
}

pub(super) fn not_prose(reason: NotProse) -> Evidence {
    let what = match reason {
        NotProse::FewLetters => "is mostly digits, symbols or emoji",
        NotProse::LongWords => "is mostly links or unbroken strings of characters",
        NotProse::Code => "looks like program code or markup",
        NotProse::Repetitive => "repeats itself a great deal, which is predictable whoever wrote it",
    };
    let message = format!("This text {what}; the statistics only mean something for running prose.");
    Draft::new(Code::NotProse, PointsTo::Neither, DECISIVE, message)
        .with([("reason", reason.as_str().to_owned())])
}

pub(super) fn too_short(words: usize) -> Evidence {
    let message = format!(
        "This text is too short to judge: it counts {words} words, and below {MIN_WORDS} chance decides too much."
    );
    Draft::new(Code::TooShort, PointsTo::Neither, DECISIVE, message)
        .with([("words", words.to_string()), ("minimum", MIN_WORDS.to_string())])
}

pub(super) fn language_unknown() -> Evidence {
    let message = "The language of this text could not be told for sure, so there is nothing to compare its numbers with.";
    Draft::new(Code::LanguageUnknown, PointsTo::Neither, DECISIVE, message).with([])
}

pub(super) fn language_not_calibrated(language: &str, known: &[String]) -> Evidence {
    let known = known.join(", ");
    let message = format!(
        "This text seems to be in the language '{language}', but the calibration has only seen: {known}. Its numbers can't be compared."
    );
    Draft::new(Code::LanguageNotCalibrated, PointsTo::Neither, DECISIVE, message)
        .with([("language", language.to_owned()), ("calibrated", known)])
}

pub(super) fn no_calibration() -> Evidence {
    let message =
        "There is no calibration for this language model, so there is nothing to compare the numbers with.";
    Draft::new(Code::NoCalibration, PointsTo::Neither, DECISIVE, message).with([])
}

pub(super) fn plain_numbers(perplexity: f64, top_10: f64) -> Evidence {
    let (perplexity, percent) = (perplexity_text(perplexity), percent(top_10));
    let message = format!(
        "To the language model, each next piece of text was about as uncertain as a choice between {perplexity} equally likely ones \
         (perplexity), and {percent} % of the pieces were among its ten first guesses."
    );
    Draft::new(Code::PlainNumbers, PointsTo::Neither, 0.0, message)
        .with([("perplexity", perplexity), ("percent", percent)])
}

pub(super) fn well_known(perplexity: f64) -> Evidence {
    let perplexity = perplexity_text(perplexity);
    let message = format!(
        "The model finds this text more predictable (perplexity {perplexity}) than any generated text it was compared with. Famous, \
         often-copied and boilerplate texts look like this, so its origin can't be told."
    );
    Draft::new(Code::WellKnown, PointsTo::Neither, DECISIVE, message).with([("perplexity", perplexity)])
}

pub(super) fn between_thresholds(decision: &Decision, calibration: &Calibration) -> Evidence {
    let human = percent(decision.p_human);
    let ai = percent(decision.p_ai);
    if decision.p_human <= calibration.alpha_ai && decision.p_ai <= calibration.alpha_human {
        let message = format!(
            "The numbers are unusual for both sides: at most {human} % of comparable human texts look this much like a model's, and at \
             most {ai} % of comparable generated texts look this human. This text is of a kind that the comparison doesn't cover."
        );
        return Draft::new(Code::UnlikeBoth, PointsTo::Neither, DECISIVE, message)
            .with([("percent_human", human), ("percent_ai", ai)]);
    }
    let (limit_human, limit_ai) = (percent(calibration.alpha_ai), percent(calibration.alpha_human));
    let message = format!(
        "The numbers don't settle it: up to {human} % of comparable human texts look at least this much like a model's (at most \
         {limit_human} % are allowed), and up to {ai} % of comparable generated texts look at least this human (at most {limit_ai} %)."
    );
    Draft::new(Code::BetweenThresholds, PointsTo::Neither, DECISIVE, message).with([
        ("percent_human", human),
        ("percent_ai", ai),
        ("limit_human", limit_human),
        ("limit_ai", limit_ai),
    ])
}

pub(super) fn combined_ai(decision: &Decision) -> Evidence {
    let count = per_thousand(decision.p_human);
    let probability = chance(decision.probability);
    let message = format!(
        "Taken together, the numbers look like a model's text: at most {count} in 1000 comparable human texts look as much like one. \
         Estimated probability: {probability} %."
    );
    Draft::new(Code::CombinedAi, PointsTo::Ai, decision.probability, message)
        .with([("per_thousand", count), ("probability", probability)])
}

pub(super) fn combined_human(decision: &Decision) -> Evidence {
    let count = per_thousand(decision.p_ai);
    let probability = chance(decision.probability);
    let message = format!(
        "Taken together, the numbers look like a human's text: at most {count} in 1000 comparable generated texts look as human. \
         Estimated probability that a model wrote it: {probability} %."
    );
    Draft::new(Code::CombinedHuman, PointsTo::Human, 1.0 - decision.probability, message)
        .with([("per_thousand", count), ("probability", probability)])
}

pub(super) fn mixed(sentences: &[SentenceReport]) -> Evidence {
    let probabilities = || sentences.iter().filter_map(|sentence| sentence.probability);
    let ai = probabilities().filter(|&probability| probability > TELLING).count().to_string();
    let human = probabilities().filter(|&probability| probability < 1.0 - TELLING).count().to_string();
    let all = sentences.len().to_string();
    let message = format!(
        "Some passages look like a model's text and others like a human's: of {all} sentences, {ai} stand amid words that look like \
         a model's and {human} amid words that look like a human's."
    );
    Draft::new(Code::MixedParts, PointsTo::Neither, DECISIVE, message).with([
        ("sentences", all),
        ("sentences_ai", ai),
        ("sentences_human", human),
    ])
}

pub(super) fn caveat(measured: &Measured) -> Evidence {
    // One more than was seen, so that a test without a mistake doesn't promise that there are none.
    let humans = measured.humans as f64;
    let rate = (measured.false_positive_rate * humans + 1.0) / (humans + 1.0);
    let count = per_thousand(rate);
    let message = format!(
        "This compares statistics and proves nothing: in the test, up to {count} in 1000 human texts were taken for a model's, and formal, \
         formulaic or often-copied writing is at greater risk."
    );
    Draft::new(Code::Caveat, PointsTo::Neither, 0.0, message).with([("per_thousand", count)])
}

/// The three codes of a measure, for its three directions.
struct Directions {
    ai: Code,
    human: Code,
    usual: Code,
}

/// Which side a measure is remarkable for, with the share of the other side's texts that go as far.
enum Standing {
    Ai(String, f64),
    Human(String, f64),
    Usual,
}

/// How strong a measure is that so large a share of the other side's texts have too; none outweighs the combined score.
fn strength(share: f64) -> f64 {
    0.5 * (1.0 - share / REMARKABLE / 2.0)
}

impl Standing {
    fn of(compared: &Comparison) -> Self {
        let (human, ai) = (compared.human_at_least.max(RESOLUTION), compared.ai_at_most.max(RESOLUTION));
        if human <= REMARKABLE && human < ai {
            Self::Ai(percent(human), human)
        } else if ai <= REMARKABLE && ai < human {
            Self::Human(percent(ai), ai)
        } else {
            Self::Usual
        }
    }

    /// A sentence for the direction, and its evidence without values; single measures never outweigh the combined score.
    fn draft(
        &self,
        codes: &Directions,
        opening: &str,
        ai: &str,
        human: &str,
        usual: &str,
    ) -> (Draft, Option<String>) {
        match self {
            Self::Ai(percent, share) => {
                let message = format!("{opening}{ai}; at most {percent} % of human texts go as far.");
                (Draft::new(codes.ai, PointsTo::Ai, strength(*share), message), Some(percent.clone()))
            }
            Self::Human(percent, share) => {
                let message = format!("{opening}{human}; at most {percent} % of generated texts go as far.");
                (Draft::new(codes.human, PointsTo::Human, strength(*share), message), Some(percent.clone()))
            }
            Self::Usual => {
                (Draft::new(codes.usual, PointsTo::Neither, 0.1, format!("{opening}{usual}.")), None)
            }
        }
    }
}

fn measure(drafted: (Draft, Option<String>), own: Option<(&str, String)>) -> Evidence {
    let (draft, percent) = drafted;
    let mut evidence = draft.with([]);
    evidence.values.extend(percent.map(|percent| (String::from("percent"), percent)));
    evidence.values.extend(own.map(|(name, value)| (name.to_owned(), value)));
    evidence
}

pub(super) fn predictability(perplexity: f64, compared: &Comparison) -> Evidence {
    let codes = Directions {
        ai: Code::PredictabilityAi,
        human: Code::PredictabilityHuman,
        usual: Code::PredictabilityUsual,
    };
    let perplexity = perplexity_text(perplexity);
    let drafted = Standing::of(compared).draft(
        &codes,
        &format!("The model found the words (perplexity {perplexity}) "),
        "easy to predict, as it does a model's text",
        "hard to predict, as it does a human's text",
        "neither easier nor harder to predict than is usual for both humans and models",
    );
    measure(drafted, Some(("perplexity", perplexity)))
}

pub(super) fn first_choices(share: f64, compared: &Comparison) -> Evidence {
    let codes = Directions {
        ai: Code::FirstChoicesAi,
        human: Code::FirstChoicesHuman,
        usual: Code::FirstChoicesUsual,
    };
    let share = percent(share);
    let drafted = Standing::of(compared).draft(
        &codes,
        &format!("{share} % of the words were among the model's ten first guesses, "),
        "more than is usual for a human",
        "fewer than is usual for a model",
        "which is usual for both humans and models",
    );
    measure(drafted, Some(("share", share)))
}

pub(super) fn evenness(compared: &Comparison) -> Evidence {
    let codes = Directions { ai: Code::EvennessAi, human: Code::EvennessHuman, usual: Code::EvennessUsual };
    let drafted = Standing::of(compared).draft(
        &codes,
        "Plain and surprising words ",
        "vary little, as in a model's even style",
        "vary a lot, as in a human's lively style",
        "vary as much as is usual for both humans and models",
    );
    measure(drafted, None)
}

pub(super) fn curvature(compared: &Comparison) -> Evidence {
    let codes =
        Directions { ai: Code::CurvatureAi, human: Code::CurvatureHuman, usual: Code::CurvatureUsual };
    let drafted = Standing::of(compared).draft(
        &codes,
        "Compared with words drawn at random from the model's own guesses, the words of this text ",
        "are remarkably likely ones",
        "are remarkably unlikely ones",
        "are as likely as is usual for both humans and models",
    );
    measure(drafted, None)
}

/// What a person's text hardly ever does; the other way says nothing, so that there is no message for it.
pub(super) fn falls_apart(compared: &Comparison) -> Option<Evidence> {
    let Standing::Ai(percent, share) = Standing::of(compared) else { return None };
    let message = format!(
        "The words grow much harder to predict towards the end, as when a model was made to choose too freely and its text falls \
         apart; at most {percent} % of human texts go as far."
    );
    let draft = Draft::new(Code::FallsApart, PointsTo::Ai, strength(share), message);
    Some(draft.with([("percent", percent)]))
}

pub(super) fn sentence(sentence: &SentenceReport, extreme: Extreme) -> Evidence {
    let probability = sentence.probability.unwrap_or(0.5);
    let text = chance(probability);
    let (code, points_to, towards, whose) = match extreme {
        Extreme::Ai => (Code::SentenceAi, PointsTo::Ai, probability, "a model's"),
        Extreme::Human => (Code::SentenceHuman, PointsTo::Human, 1.0 - probability, "a human's"),
    };
    let message = format!(
        "This sentence and the words around it look most like {whose} text (estimated probability of a model: {text} %)."
    );
    let mut draft = Draft::new(code, points_to, 0.5 * towards, message);
    draft.span = Some(sentence.span);
    draft.with([("probability", text)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_snake_case() {
        let names: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    }

    #[test]
    fn shares_are_never_rounded_to_certainty() {
        assert_eq!([0.003, 0.0, 0.37, 0.995, 1.0].map(percent), ["0.3", "0", "37", "99.5", "100"]);
        assert_eq!([0.0, 0.01, 0.5, 1.0].map(chance), ["0.1", "1", "50", "99.9"]);
        assert_eq!([0.0001, 0.0031, 0.01, 1.0].map(per_thousand), ["1", "4", "10", "1000"]);
    }

    #[test]
    fn only_a_text_that_falls_apart_is_said_to() {
        let compared =
            |human_at_least, ai_at_most| Comparison { human_at_least, ai_at_most, beyond_ai: false };
        // A text that does not decline is like nearly all of both kinds.
        assert!(falls_apart(&compared(1.0, 0.0)).is_none());
        let points = |found: Evidence| (found.points_to, found.values.get("percent").cloned());
        let found = falls_apart(&compared(0.002, 0.9)).map(points);
        assert_eq!(found, Some((PointsTo::Ai, Some("0.5".to_owned()))));
    }

    #[test]
    fn a_measure_that_is_rare_on_both_sides_points_to_the_nearer_one() {
        let compared =
            |human_at_least, ai_at_most| Comparison { human_at_least, ai_at_most, beyond_ai: false };
        assert_eq!(evenness(&compared(0.03, 0.6)).points_to, PointsTo::Ai);
        assert_eq!(evenness(&compared(0.7, 0.02)).points_to, PointsTo::Human);
        assert_eq!(evenness(&compared(0.4, 0.4)).points_to, PointsTo::Neither);
        assert_eq!(evenness(&compared(0.05, 0.02)).points_to, PointsTo::Human);
        let evidence = predictability(8.13, &compared(0.003, 0.5));
        assert_eq!(evidence.values["perplexity"], "8.1");
        assert_eq!(evidence.values["percent"], "0.5");
        assert!(evidence.message.contains("8.1") && evidence.message.contains("at most 0.5 %"));
    }
}
