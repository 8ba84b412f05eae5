//! What came of a labelled conversation, read turn by turn.

use super::dataset::Talk;
use crate::scam::opinion::is_wanted;
use bonafide_core::scam::{Conversation, Engine, Report, Risk, Setting};

/// Turns after which it is asked what was known by then.
pub const BY_TURN: [usize; 3] = [3, 5, 10];

/// What came of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The data set.
    pub source: String,
    /// Its name there.
    pub id: String,
    /// What sort.
    pub kind: String,
    /// Its language.
    pub lang: String,
    /// The label.
    pub scam: bool,
    /// A single message.
    pub message: bool,
    /// Number of turns.
    pub turns: usize,
    /// The highest probability that it had after any turn: an alarm once given is given.
    pub score: f64,
    /// The highest up to some turns ([`BY_TURN`]).
    pub score_by: [f64; BY_TURN.len()],
    /// The highest risk after any turn.
    pub risk: Risk,
    /// The turn, from 1, at which caution or more was advised first.
    pub caution: Option<usize>,
    /// The turn at which danger was seen first.
    pub danger: Option<usize>,
    /// The turn in which money or access was handed over, as the data set says.
    pub money_turn: Option<usize>,
    /// The codes of the findings at the end, strongest first.
    pub codes: Vec<String>,
}

impl Outcome {
    /// Whether danger was seen before money moved.
    #[must_use]
    pub fn in_time(&self) -> Option<bool> {
        self.money_turn.map(|money| self.danger.is_some_and(|danger| danger < money))
    }
}

fn wants_opinion(engine: &Engine, report: &Report) -> bool {
    is_wanted(report.turns, report.probability, engine.model().head.danger)
}

/// Whether a second opinion is wanted after any message.
#[must_use]
pub fn ever_wants_opinion(engine: &Engine, talk: &Talk) -> bool {
    let setting = Setting { new_contact: talk.new_contact, ..Setting::default() };
    let mut conversation = Conversation::with(engine, setting);
    talk.turns.iter().any(|line| {
        conversation.add(line.turn());
        wants_opinion(engine, &conversation.report("en"))
    })
}

/// Reads a conversation as it grew.
#[must_use]
pub fn read(engine: &Engine, talk: &Talk) -> Outcome {
    read_with(engine, talk, &[])
}

/// The same with a second opinion after each of the last messages, where one is wanted.
#[must_use]
pub fn read_with(engine: &Engine, talk: &Talk, opinions: &[f64]) -> Outcome {
    let setting = Setting { new_contact: talk.new_contact, ..Setting::default() };
    let mut conversation = Conversation::with(engine, setting.clone());
    let unheard = talk.turns.len().saturating_sub(opinions.len());
    let mut outcome = Outcome {
        source: talk.source.to_string(),
        id: talk.id.clone(),
        kind: talk.kind.clone(),
        lang: talk.lang.clone(),
        scam: talk.scam,
        message: talk.message,
        turns: talk.turns.len(),
        score: 0.0,
        score_by: [0.0; BY_TURN.len()],
        risk: Risk::None,
        caution: None,
        danger: None,
        money_turn: talk.money_turn,
        codes: Vec::new(),
    };
    for (index, line) in talk.turns.iter().enumerate() {
        conversation.add(line.turn());
        let mut report = conversation.report("en");
        let turn = index + 1;
        let opinion = index.checked_sub(unheard).and_then(|at| opinions.get(at));
        if let Some(opinion) = opinion.filter(|_| wants_opinion(engine, &report)) {
            conversation.set(Setting { second_opinion: Some(*opinion), ..setting.clone() });
            report = conversation.report("en");
            conversation.set(setting.clone());
        }
        outcome.score = outcome.score.max(report.probability);
        for (by, score) in BY_TURN.iter().zip(&mut outcome.score_by) {
            if turn <= *by {
                *score = score.max(report.probability);
            }
        }
        outcome.risk = outcome.risk.max(report.risk);
        if report.risk >= Risk::Caution {
            outcome.caution.get_or_insert(turn);
        }
        if report.risk == Risk::Danger {
            outcome.danger.get_or_insert(turn);
        }
        if turn == talk.turns.len() {
            outcome.codes = report.evidence.into_iter().map(|finding| finding.code).collect();
        }
    }
    outcome
}
