//! What the HTTP layer needs of an engine. The engine is one; tests bring a small one of their own.

use crate::engine::{Engine, EngineError, Window};
use crate::queue::Scorer;
use crate::scam::opinion::Spoken;
use bonafide_core::calibration::Calibration;
use bonafide_core::verdict::{BlockReport, CalibrationIdentity, ModelIdentity};
use bonafide_kernels::backend::TokenStats;
use std::sync::Arc;

/// Scores windows, and makes texts into windows and statistics into reports.
pub trait Judge: Scorer {
    /// Tokenises a text. CPU work: milliseconds to a second.
    /// `part` says that the text is cut out of a longer one.
    fn plan(self: Arc<Self>, text: &str, part: bool) -> Result<Planned, EngineError>;

    /// Tokenises a chat for a second opinion; `None` if there is none on chats in its language.
    fn plan_chat(self: Arc<Self>, spoken: &Spoken) -> Result<Option<PlannedChat>, EngineError>;

    /// Which model this is.
    fn model(&self) -> ModelIdentity;

    /// The calibrations, each for other languages; none if none fits the model.
    fn calibrations(&self) -> Vec<CalibrationIdentity>;

    /// Tokens that a batch must hold at least to fill the device; 0 where it makes no difference.
    fn batch_tokens(&self) -> usize {
        0
    }
}

/// Turns a block's id, its windows' statistics and the wish for tokens into its report.
type Finish = dyn FnOnce(&str, &[Vec<TokenStats>], bool) -> BlockReport + Send;

/// A text on its way: what the model must score, and what is to be done with the scores.
pub struct Planned {
    windows: Vec<Window>,
    finish: Box<Finish>,
}

impl Planned {
    /// A plan with its end.
    pub fn new(
        windows: Vec<Window>,
        finish: impl FnOnce(&str, &[Vec<TokenStats>], bool) -> BlockReport + Send + 'static,
    ) -> Self {
        Self { windows, finish: Box::new(finish) }
    }

    /// Takes the windows out, for the queue.
    pub fn take_windows(&mut self) -> Vec<Window> {
        std::mem::take(&mut self.windows)
    }

    /// Judges. CPU work.
    #[must_use]
    pub fn judge(self, id: &str, stats: &[Vec<TokenStats>], tokens: bool) -> BlockReport {
        (self.finish)(id, stats, tokens)
    }
}

/// Turns the statistics of a chat's windows into what a second opinion adds to the log-odds of a scam.
type Opine = dyn FnOnce(&[Vec<TokenStats>]) -> Option<f64> + Send;

/// A chat on its way to a second opinion.
pub struct PlannedChat {
    /// What the model must score.
    pub windows: Vec<Window>,
    /// What is to be done with the scores.
    pub opine: Box<Opine>,
}

impl Scorer for Engine {
    fn score(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        self.score_windows(windows)
    }
}

impl Judge for Engine {
    fn plan(self: Arc<Self>, text: &str, part: bool) -> Result<Planned, EngineError> {
        let plan = if part { self.plan_part(text)? } else { Engine::plan(&self, text)? };
        let windows = plan.windows.clone();
        Ok(Planned::new(windows, move |id, stats, tokens| self.judge(id, &plan, stats, tokens)))
    }

    fn plan_chat(self: Arc<Self>, spoken: &Spoken) -> Result<Option<PlannedChat>, EngineError> {
        let Some(plan) = Engine::plan_chat(&self, spoken)? else { return Ok(None) };
        let windows = plan.windows.clone();
        let opine = Box::new(move |stats: &[Vec<TokenStats>]| self.opinions(&plan, stats).last().copied());
        Ok(Some(PlannedChat { windows, opine }))
    }

    fn model(&self) -> ModelIdentity {
        Engine::model(self)
    }

    fn calibrations(&self) -> Vec<CalibrationIdentity> {
        Engine::calibrations(self).map(Calibration::identity).collect()
    }

    fn batch_tokens(&self) -> usize {
        // A CPU is full with much less than a GPU: there a short text should not wait for so many others.
        let preferred = self.backend().preferred_batch_tokens();
        if preferred > crate::engine::BATCH_TOKENS { preferred } else { 0 }
    }
}
