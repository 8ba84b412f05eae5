//! From which probability on something is said, and what `danger` wants besides.

use super::head;
use super::ready::Ready;
use bonafide_core::scam::judge::{CHAT_PLAIN, LEAST_TACTICS, PLAIN};
use bonafide_core::scam::{Engine, OTHERS};
use std::collections::HashMap;
use std::sync::Arc;

/// Least score of wording for `danger`: what was trained must not speak against what the rules say.
pub(super) const WORDING_FLOOR: f64 = 0.0;
/// Share of honest conversations that may rise to `caution` at any turn, of the hard ones among them (chats over days), and to
/// `danger`.
const CAUTION_RATE: f64 = 0.007;
const CAUTION_RATE_OF_CHATS: f64 = 0.1;
const DANGER_RATE: f64 = 0.001;
/// What is added to the log-odds for `danger`: beyond the honest conversations that were seen lie those that were not.
const MARGIN: f64 = 0.4;

/// How a conversation stood with a model that had seen nothing of its source.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// The source.
    pub source: Arc<str>,
    /// Its name there.
    pub id: String,
    /// It is a whole conversation over days.
    pub chat: bool,
    /// The label.
    pub scam: bool,
    /// Numbers of turns, and the probability after so many.
    pub after: Vec<(usize, f64)>,
    /// The highest probability after any turn.
    pub score: f64,
    /// The highest among those at which nothing but the probability stood against `danger`.
    pub dangerous: f64,
    /// Even people don't agree what it is: it may rise to `caution`, and sets no threshold.
    pub ambiguous: bool,
}

impl LeftOut {
    pub(super) fn of(ready: &Ready) -> Self {
        Self {
            source: ready.talk.source.clone(),
            id: ready.talk.id.clone(),
            after: Vec::new(),
            chat: ready.chat,
            scam: ready.talk.scam,
            score: 0.0,
            dangerous: 0.0,
            ambiguous: ready.is_ambiguous(),
        }
    }
}

/// The probabilities from which on there is `caution` and `danger`. No honest conversation of training may have more than
/// `hardest` says it has.
pub(super) fn thresholds(left_out: &[LeftOut], hardest: f64) -> (f64, f64) {
    let honest = |chat: bool, score: fn(&LeftOut) -> f64| -> Vec<(&str, f64)> {
        let sure = left_out.iter().filter(|one| !one.scam && !one.ambiguous && (one.chat || !chat));
        sure.map(|one| (&*one.source, score(one))).collect()
    };
    let caution = threshold(&honest(false, |one| one.score), CAUTION_RATE);
    let caution = caution.max(threshold(&honest(true, |one| one.score), CAUTION_RATE_OF_CHATS));
    let danger = threshold(&honest(false, |one| one.dangerous), DANGER_RATE).max(caution).max(hardest);
    let danger = danger / (danger + (1.0 - danger) * (-MARGIN).exp());
    (caution, (danger * 1e5).ceil() / 1e5)
}

/// What `danger` wants beside the probability.
pub(super) struct Judge {
    /// Names before this one are tactics.
    tactics: u32,
    wording: Vec<u32>,
    chat: u32,
}

impl Judge {
    pub(super) fn new(engine: &Engine) -> Self {
        let tactics = (engine.names().count() - OTHERS.len()) as u32;
        let known = |wanted: &[&str]| -> Vec<u32> {
            (tactics..).zip(OTHERS).filter(|(_, name)| wanted.contains(name)).map(|(at, _)| at).collect()
        };
        let chat = known(&["wording_chat"]).first().copied().unwrap_or(u32::MAX);
        Self { tactics, wording: known(&["wording", "wording_bag", "wording_chat"]), chat }
    }

    /// Whether two tactics are plainly seen, or one and the wording of the whole, and the wording says scam too.
    pub(super) fn allows_danger(&self, row: &head::Row) -> bool {
        let plain = |(name, number): &&(u32, f32)| {
            let least = if *name == self.chat { CHAT_PLAIN } else { PLAIN };
            (*name < self.tactics || *name == self.chat) && f64::from(*number) >= least
        };
        let says =
            |(name, number): &(u32, f32)| self.wording.contains(name) && f64::from(*number) > WORDING_FLOOR;
        row.numbers.iter().filter(plain).count() >= LEAST_TACTICS && row.numbers.iter().any(says)
    }
}

/// The least probability that no more than a share of the honest conversations reaches, each source weighed by the root of
/// its number.
pub(super) fn threshold(honest: &[(&str, f64)], rate: f64) -> f64 {
    let mut sizes: HashMap<&str, f64> = HashMap::new();
    for (source, _) in honest {
        *sizes.entry(source).or_default() += 1.0;
    }
    let mut honest: Vec<(f64, f64)> =
        honest.iter().map(|(source, score)| (*score, 1.0 / sizes[source].sqrt())).collect();
    honest.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all: f64 = honest.iter().map(|(_, weight)| weight).sum();
    let mut passed = 0.0;
    for (score, weight) in &honest {
        passed += weight;
        if passed > rate * all {
            // Just above the first that must not pass.
            return ((score + 1e-5) * 1e5).ceil() / 1e5;
        }
    }
    0.5
}
