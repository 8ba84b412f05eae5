//! Training of the probes that give a second opinion on chats, one a language.
//!
//! [`read`] takes chats through the model; here a probe is fitted on their mean states, brought to the scale of the scam
//! engine, and weakened and held down so that no more honest chats are warned of than without it and the most scams are. All
//! of that rests on what a probe says of authors that it has not seen, beside what an engine says that has not seen them either.

pub mod read;

use super::probe::logistic::{self, Linear, Rows};
use super::scam::ready::PARTS;
use crate::scam::opinion::is_wanted;
use bonafide_core::calibration::fit::auroc;
use bonafide_core::detect::logistic as probability;
use bonafide_core::scam::MOST_OPINION;

/// Half of a chat's weight lies on the whole of it.
const ON_THE_WHOLE: f64 = 0.5;
/// What all conversations that are no chats over days weigh, as a share of the chats.
const OTHERS: f64 = 0.5;
/// Shares of its scale at which the second opinion is tried.
const SHARES: [f64; 4] = [1.0, 0.75, 0.5, 0.35];
/// How far it is held down at most, and in what steps.
const HELD_DOWN: f64 = 4.0;
const STEP: f64 = 0.05;

/// A conversation after some of its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Beginning {
    /// Messages read.
    pub messages: usize,
    /// Its mean hidden state.
    pub state: Vec<f32>,
    /// Log-odds that an engine gives which has not seen its author; of chats only.
    pub engine: Option<f64>,
}

/// A conversation that is learned from.
#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    /// Its data set.
    pub source: String,
    /// ISO 639-1.
    pub language: String,
    /// The label.
    pub scam: bool,
    /// The part in which it is left out; a conversation that is no chat over days is never.
    pub part: Option<usize>,
    /// The last is the whole.
    pub beginnings: Vec<Beginning>,
}

/// Where the scam engine begins to warn, as probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From here on `caution`.
    pub caution: f64,
    /// From here on `danger`, if the rest is there.
    pub danger: f64,
}

/// How chats fare, each with its highest probability after any of its beginnings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fares {
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Shares of scams that rise to `caution` and to the probability of `danger`.
    pub scams: [f64; 2],
    /// The same of honest chats.
    pub honest: [f64; 2],
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The probe of all chats; its log-odds are what is added to the engine's.
    pub linear: Linear,
    /// AUROC of whole chats by the probe alone.
    pub alone: f64,
    /// How chats fare without a second opinion, and with it.
    pub fares: [Fares; 2],
    /// The share of its scale that was best.
    pub share: f64,
    /// How far it was held down.
    pub held_down: f64,
}

/// Why there is no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// One label only.
    #[error(
        "a probe of {0} chats needs scams and honest ones of several authors: give more scenarios with --chats"
    )]
    TooFew(String),
    /// The engine's word is missing.
    #[error(
        "no chat in {0} has a line in the file of --left-out: make it with `bonafide train scam --left-out` on the same chats"
    )]
    NoEngine(String),
}

/// Fits the probe of a language.
///
/// # Errors
/// There is too little to learn from.
pub fn fit(chats: &[Chat], language: &str, penalty: f64, thresholds: Thresholds) -> Result<Fitted, FitError> {
    let own: Vec<&Chat> = chats.iter().filter(|chat| chat.language == language).collect();
    let few = || FitError::TooFew(language.to_owned());
    let of_days = |chat: &&&Chat| chat.part.is_some();
    for scam in [true, false] {
        if own.iter().filter(of_days).filter(|chat| chat.scam == scam).count() < PARTS {
            return Err(few());
        }
    }
    let linear = train(&own, penalty, None).ok_or_else(few)?;
    let parts = (0..PARTS).map(|part| train(&own, penalty, Some(part))).collect::<Option<Vec<_>>>();
    let parts = parts.ok_or_else(few)?;
    let left_out: Vec<Judged> = own
        .iter()
        .filter_map(|chat| {
            let probe = &parts[chat.part?];
            let said =
                chat.beginnings.iter().map(|one| (one.messages, one.engine, probe.log_odds(&one.state)));
            Some(Judged { scam: chat.scam, said: said.collect() })
        })
        .collect();
    let alone: Vec<(f64, bool)> =
        left_out.iter().filter_map(|one| Some((one.said.last()?.2, one.scam))).collect();
    let alone = auroc(&alone).ok_or_else(few)?;
    let (slope, offset) = common_scale(&left_out).ok_or_else(|| FitError::NoEngine(language.to_owned()))?;

    let without = fares(&left_out, thresholds, |_| 0.0);
    let held_at = |share: f64| {
        let mut held_down = 0.0;
        loop {
            let adds = |said: f64| share * (slope * said + offset) - held_down;
            let with = fares(&left_out, thresholds, adds);
            let is_fair = with.honest.iter().zip(&without.honest).all(|(with, without)| with <= without);
            if is_fair || held_down >= HELD_DOWN {
                return (with, share, held_down);
            }
            held_down += STEP;
        }
    };
    let found = |(with, ..): &(Fares, f64, f64)| with.scams.iter().sum::<f64>();
    let tried = SHARES.into_iter().map(held_at);
    let (with, share, held_down) =
        tried.max_by(|one, other| found(one).total_cmp(&found(other))).ok_or_else(few)?;
    let (slope, offset) = (share * slope, share * offset);
    let scaled = Linear {
        weights: linear.weights.iter().map(|weight| (slope * f64::from(*weight)) as f32).collect(),
        bias: slope * linear.bias + offset - held_down,
    };
    Ok(Fitted { linear: scaled, alone, fares: [without, with], share, held_down })
}

/// What is said of a chat by who has not seen its author: after so many messages, the engine and the probe.
struct Judged {
    scam: bool,
    said: Vec<(usize, Option<f64>, f64)>,
}

/// The probe of all, or of all but a part.
fn train(chats: &[&Chat], penalty: f64, left_out: Option<usize>) -> Option<Linear> {
    let wanted = || chats.iter().filter(|chat| chat.part.is_none() || chat.part != left_out);
    let days = wanted().filter(|chat| chat.part.is_some()).count() as f64;
    // Each source of other conversations has the same, and so has each label of it.
    let others = |chat: &Chat| (chat.source.clone(), chat.scam);
    let mut sizes = std::collections::BTreeMap::new();
    for chat in wanted().filter(|chat| chat.part.is_none()) {
        *sizes.entry(others(chat)).or_insert(0.0_f64) += 1.0;
    }
    let (mut inputs, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for chat in wanted() {
        let whole = match chat.part {
            Some(_) => 1.0,
            None => OTHERS * days / sizes.len() as f64 / sizes.get(&others(chat))?,
        };
        let each = (1.0 - ON_THE_WHOLE) / chat.beginnings.len() as f64;
        for (at, one) in chat.beginnings.iter().enumerate() {
            let last = at + 1 == chat.beginnings.len();
            inputs.extend_from_slice(&one.state);
            labels.push(chat.scam);
            weights.push(whole * (each + if last { ON_THE_WHOLE } else { 0.0 }));
        }
    }
    if !labels.contains(&true) || !labels.contains(&false) {
        return None;
    }
    let width = inputs.len() / labels.len();
    Some(logistic::fit(Rows { inputs: &inputs, width, labels: &labels, weights: &weights }, penalty))
}

/// Slope and offset that make the probe's word into what is added to the engine's.
fn common_scale(judged: &[Judged]) -> Option<(f64, f64)> {
    let (mut inputs, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for one in judged {
        let both: Vec<(f64, f64)> =
            one.said.iter().filter_map(|(_, engine, said)| Some(((*engine)?, *said))).collect();
        for (engine, said) in &both {
            inputs.extend([*engine as f32, *said as f32]);
            labels.push(one.scam);
            weights.push(1.0 / both.len() as f64);
        }
    }
    if labels.is_empty() {
        return None;
    }
    let linear = logistic::fit(Rows { inputs: &inputs, width: 2, labels: &labels, weights: &weights }, 1e-3);
    let [engine, said] = linear.weights[..] else { return None };
    let engine = f64::from(engine);
    (engine > 0.0 && said > 0.0).then(|| (f64::from(said) / engine, linear.bias / engine))
}

/// How chats fare with what is added to the engine's log-odds where that is wanted.
fn fares(judged: &[Judged], thresholds: Thresholds, adds: impl Fn(f64) -> f64) -> Fares {
    let highest = |one: &Judged| {
        let each = one.said.iter().filter_map(|(messages, engine, said)| {
            let engine = (*engine)?;
            let wanted = is_wanted(*messages, probability(engine), thresholds.danger);
            Some(engine + if wanted { adds(*said).clamp(-MOST_OPINION, MOST_OPINION) } else { 0.0 })
        });
        each.fold(f64::NEG_INFINITY, f64::max)
    };
    let scored: Vec<(f64, bool)> = judged.iter().map(|one| (highest(one), one.scam)).collect();
    let above = |scam: bool, least: f64| {
        let of: Vec<f64> = scored.iter().filter(|one| one.1 == scam).map(|one| probability(one.0)).collect();
        of.iter().filter(|score| **score >= least).count() as f64 / of.len().max(1) as f64
    };
    let each = |scam| [thresholds.caution, thresholds.danger].map(|least| above(scam, least));
    Fares { auroc: auroc(&scored).unwrap_or(0.5), scams: each(true), honest: each(false) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::eval::dataset::hash;

    const THRESHOLDS: Thresholds = Thresholds { caution: 0.8, danger: 0.99 };

    /// Scams and honest chats by turns. The first number of a state tells them apart, with noise; the engine knows a little.
    fn chat(index: usize) -> Chat {
        let scam = index.is_multiple_of(2);
        let noise = |salt: &[u8]| (hash(&[salt, &index.to_le_bytes()]) % 1000) as f32 / 500.0 - 1.0;
        let sign = if scam { 1.0 } else { -1.0 };
        let beginning = |messages: usize| Beginning {
            messages,
            state: vec![0.8 * sign + noise(b"state"), 0.3, noise(b"other")],
            engine: Some(f64::from(0.5 * sign + 1.5 * noise(b"engine"))),
        };
        Chat {
            source: "days".to_owned(),
            language: "en".to_owned(),
            scam,
            part: Some(index / 2 % PARTS),
            beginnings: [12, 20].map(beginning).to_vec(),
        }
    }

    #[test]
    fn it_tells_more_scams_and_warns_of_no_more_honest_chats() {
        let chats: Vec<Chat> = (0..400).map(chat).collect();
        let fitted = fit(&chats, "en", 0.03, THRESHOLDS).unwrap();
        let [without, with] = fitted.fares;
        assert!(fitted.alone > 0.8 && with.auroc > without.auroc + 0.05, "{fitted:?}");
        assert!(with.scams[0] > without.scams[0], "{fitted:?}");
        assert!(with.honest[0] <= without.honest[0] && with.honest[1] <= without.honest[1], "{fitted:?}");
        // Its log-odds are those of the engine: the states of a scam add to them.
        assert!(fitted.linear.log_odds(&[1.8, 0.3, 0.0]) > 0.5, "{fitted:?}");
        assert!(fitted.linear.log_odds(&[-1.8, 0.3, 0.0]) < -0.5, "{fitted:?}");
    }

    #[test]
    fn a_part_is_told_by_who_has_not_seen_it() {
        // In one part the second number gives the label away; who is left out can't know.
        let told = |part: usize| {
            let mut chats: Vec<Chat> = (0..160).map(chat).collect();
            for chat in &mut chats {
                let tells = if chat.part == Some(part) { f32::from(u8::from(chat.scam)) } else { 0.5 };
                for one in &mut chat.beginnings {
                    one.state = vec![tells];
                }
            }
            fit(&chats, "en", 0.03, THRESHOLDS)
        };
        // Nothing is told apart by those that have not seen it, so that there is no common scale.
        assert!(matches!(told(3), Err(FitError::NoEngine(_)) | Ok(Fitted { alone: ..0.6, .. })));
    }

    #[test]
    fn what_is_wanting_is_named() {
        let of = |count: usize| (0..count).map(chat).collect::<Vec<_>>();
        assert_eq!(fit(&of(8), "en", 0.03, THRESHOLDS).unwrap_err(), FitError::TooFew("en".to_owned()));
        assert_eq!(fit(&of(400), "zh", 0.03, THRESHOLDS).unwrap_err(), FitError::TooFew("zh".to_owned()));
        let mut silent = of(400);
        silent.iter_mut().flat_map(|chat| &mut chat.beginnings).for_each(|one| one.engine = None);
        assert_eq!(fit(&silent, "en", 0.03, THRESHOLDS).unwrap_err(), FitError::NoEngine("en".to_owned()));
    }
}
