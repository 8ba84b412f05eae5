//! Whether a conversation is a scam: how dangerous, at which stage, and why, early enough to matter.

pub mod report;
pub mod turn;

pub use report::{Advice, Finding, Hotline, Place, Report, Risk, Stage};
pub use turn::{Setting, Side, Turn};

/// A conversation that grows.
#[derive(Debug)]
pub struct Conversation {
    setting: Setting,
    turns: usize,
}

impl Conversation {
    /// Nothing said yet.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        Self { setting, turns: 0 }
    }

    /// What is known beside the messages has changed.
    pub fn set(&mut self, setting: Setting) {
        self.setting = setting;
    }

    /// Reads one message more.
    pub fn add(&mut self, _turn: Turn<'_>) {
        self.turns += 1;
    }

    /// What is to be said so far, in a language given as a BCP 47 tag (`en`, `en-GB`, `zh-CN`, …): its region chooses the
    /// hotline, and English stands in for a language that the taxonomy lacks.
    #[must_use]
    pub fn report(&self, _language: &str) -> Report {
        let _ = &self.setting;
        Report {
            risk: Risk::None,
            probability: 0.0,
            stage: None,
            pattern: None,
            evidence: Vec::new(),
            advice: None,
            turns: self.turns,
            model: String::new(),
        }
    }
}
