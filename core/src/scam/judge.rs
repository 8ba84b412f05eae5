//! From the numbers of a conversation to what is said of it.

use super::conversation::{Conversation, Numbers};
use super::engine::Engine;
use super::few::Few;
use super::fields::Texts;
use super::report::{Advice, Finding, Hotline, Place, Report, Risk, Stage};
use super::taxonomy::Taxonomy;

/// Fewer distinct tactics, each plainly seen, never make a danger: one keyword is one tactic.
pub const LEAST_TACTICS: usize = 2;
/// A tactic is plainly seen from this sight on (see [`Conversation::numbers`], which go from 0 to 2).
pub const PLAIN: f64 = 0.95;
/// The wording of a whole conversation is as good as a tactic from this score on.
pub const CHAT_PLAIN: f64 = 0.6;
/// What it is worth in log-odds, as a finding.
const OF_CHATS: f64 = 2.5;
/// Turns up to which a conversation is short.
pub const LONG: f64 = 12.0;
/// Log-odds at which a finding has strength 1 - 1/e.
const STRONG: f64 = 1.5;
/// Weaker findings are not shown.
const LEAST_STRENGTH: f64 = 0.1;

/// The expert that says scam loudest after so many turns: its place, and the calibrated log-odds that it gives.
fn loudest(engine: &Engine, numbers: &Numbers, turns: usize) -> (usize, f64) {
    let experts = engine.model.head.experts.iter().zip(&engine.weights).enumerate();
    let experts = experts.filter(|(_, (expert, _))| turns.max(1) >= expert.first_turn);
    let said = experts.map(|(at, (expert, weights))| {
        let sum: f64 = numbers.iter().map(|(name, number)| weights[*name] * number).sum();
        let sum = expert.bias + sum - expert.fade * longer(turns);
        (at, expert.calibration[0] * sum + expert.calibration[1])
    });
    // Who has nobody to ask knows of nothing.
    said.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or((0, f64::NEG_INFINITY))
}

/// E-folds of turns beyond what is [`LONG`].
#[must_use]
pub fn longer(turns: usize) -> f64 {
    libm::log1p((turns as f64 / LONG - 1.0).max(0.0))
}

/// The report.
pub(super) fn report(conversation: &Conversation<'_>, language: &str) -> Report {
    let engine = conversation.engine();
    let head = &engine.model.head;
    let taxonomy = &engine.compiled.taxonomy;
    let numbers = conversation.numbers();
    let (expert, said_loudest) = loudest(engine, &numbers, conversation.turns());
    let probability = 1.0 / (1.0 + libm::exp(-said_loudest - conversation.opinion()));
    let weights = engine.weights.get(expert).map_or(&[][..], Vec::as_slice);

    let mut evidence = Vec::new();
    let mut plain = usize::from(conversation.chat_worded() >= CHAT_PLAIN);
    let mut patterns: Few<&str, f64> = Few::default();
    for (index, number) in &numbers {
        let (index, number) = (*index, *number);
        let Some(tactic) = taxonomy.tactics.get(index) else { continue };
        let adds = weights[index] * number;
        let said_by_messages = conversation.tally(index).is_some();
        plain += usize::from(number >= PLAIN && said_by_messages);
        let strength = 1.0 - libm::exp(-adds.max(0.0) / STRONG);
        // What was only hinted at is no finding.
        if strength < LEAST_STRENGTH || number < 0.55 {
            continue;
        }
        for pattern in &tactic.patterns {
            // A tactic that many scams use says little of which this is.
            *patterns.or_insert_with(pattern, f64::default) += adds / tactic.patterns.len() as f64;
        }
        evidence.push(Finding {
            code: tactic.id.clone(),
            stage: tactic.stage,
            strength,
            places: places(conversation, index),
            message: said(&tactic.say, language),
        });
    }
    evidence.extend(wording(conversation, engine.heeds_chats(expert), language));
    evidence.extend(opinion(conversation, language));
    evidence.sort_by(|one, other| other.strength.total_cmp(&one.strength).then(one.code.cmp(&other.code)));

    let worded = conversation.worded().max(conversation.chat_worded()) > head.wording_floor;
    let risk = if probability >= head.danger && plain >= LEAST_TACTICS && worded {
        Risk::Danger
    } else if probability >= head.caution && !evidence.is_empty() {
        Risk::Caution
    } else {
        Risk::None
    };
    let stage = stage(&evidence);
    let best = patterns.iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let pattern = best.map(|(pattern, _)| (*pattern).to_owned());
    let shown = risk != Risk::None;
    Report {
        risk,
        probability,
        stage: if shown { stage } else { None },
        advice: shown.then(|| advice(taxonomy, pattern.as_deref(), stage, language)),
        pattern: if shown { pattern } else { None },
        evidence,
        turns: conversation.turns(),
        model: head.name.clone(),
    }
}

fn places(conversation: &Conversation<'_>, tactic: usize) -> Vec<Place> {
    conversation
        .tally(tactic)
        .map(|tally| tally.first.iter().chain(&tally.last).copied().collect())
        .unwrap_or_default()
}

/// That messages are worded as scammers word them: the strangest, or those that tell most of a whole chat.
fn wording(conversation: &Conversation<'_>, of_chats: bool, language: &str) -> Option<Finding> {
    let (score, mut turns): (f64, Vec<usize>) = if of_chats {
        (OF_CHATS * conversation.chat_worded(), conversation.telling().collect())
    } else {
        let strange = conversation.strangest().iter().filter(|strange| strange.score > 0.5);
        (conversation.worded(), strange.map(|strange| strange.turn).collect())
    };
    turns.sort_unstable();
    if turns.is_empty() {
        return None;
    }
    let places = turns.into_iter().map(|turn| Place { turn, span: None }).collect();
    trained(conversation, "wording", score, places, language)
}

/// That a language model finds it to be a scam; it rests on the whole, and on no message alone.
fn opinion(conversation: &Conversation<'_>, language: &str) -> Option<Finding> {
    trained(conversation, "second_opinion", conversation.opinion(), Vec::new(), language)
}

/// What was trained finds something, unless it says little.
fn trained(
    conversation: &Conversation<'_>,
    id: &str,
    log_odds: f64,
    places: Vec<Place>,
    language: &str,
) -> Option<Finding> {
    let compiled = &conversation.engine().compiled;
    let tactic = &compiled.taxonomy.tactics[compiled.tactic(id)?];
    let strength = 1.0 - libm::exp(-log_odds.max(0.0) / STRONG);
    (strength >= 0.4).then(|| Finding {
        code: tactic.id.clone(),
        stage: tactic.stage,
        strength,
        places,
        message: said(&tactic.say, language),
    })
}

/// The furthest stage that something strong shows, or two weaker things.
fn stage(evidence: &[Finding]) -> Option<Stage> {
    let mut strengths: Few<Stage, f64> = Few::default();
    let trained = ["wording", "second_opinion"];
    for finding in evidence.iter().filter(|finding| !trained.contains(&finding.code.as_str())) {
        *strengths.or_insert_with(finding.stage, f64::default) += finding.strength;
    }
    let sure = strengths.iter().rev().find(|(_, strength)| *strength >= 0.45).map(|(stage, _)| *stage);
    sure.or_else(|| strengths.iter().next_back().map(|(stage, _)| *stage))
}

/// A text in the language of a tag, else in English.
fn said(texts: &Texts, language: &str) -> String {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let of = |wanted: &str| texts.iter().find(|(language, _)| language == wanted);
    of(&primary).or_else(|| of("en")).map(|(_, text)| text.clone()).unwrap_or_default()
}

/// The region that a tag names: two letters after the language (and the script).
fn region(language: &str) -> Option<String> {
    let tag = language.split(['.', '@']).next().unwrap_or_default();
    let named = tag
        .split(['-', '_'])
        .skip(1)
        .find(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic()));
    named.map(str::to_ascii_uppercase)
}

fn advice(taxonomy: &Taxonomy, pattern: Option<&str>, stage: Option<Stage>, language: &str) -> Advice {
    let of = |wanted: &str, at: Option<Stage>| {
        taxonomy.advice.iter().find(|advice| advice.pattern == wanted && advice.stage == at)
    };
    let for_pattern = pattern
        .and_then(|pattern| stage.and_then(|stage| of(pattern, Some(stage))).or_else(|| of(pattern, None)));
    let any = || stage.and_then(|stage| of("any", Some(stage))).or_else(|| of("any", None));
    let message = for_pattern.or_else(any).map(|advice| said(&advice.say, language)).unwrap_or_default();
    let hotline = region(language).and_then(|region| {
        let line = taxonomy.hotlines.iter().find(|line| line.region == region)?;
        Some(Hotline { region, number: line.number.clone(), name: said(&line.name, language) })
    });
    Advice { message, hotline }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_region_or_none() {
        for (tag, expected) in [
            ("zh-CN", Some("CN")),
            ("zh-Hant-TW", Some("TW")),
            ("zh_HK.UTF-8", Some("HK")),
            ("en", None),
            ("zh-Hans", None),
            ("en-gb", Some("GB")),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(region(tag).as_deref(), expected, "{tag}");
        }
    }
}
