//! The engine: text in, report out. Everything that scores goes through here; it knows nothing of HTTP.

use bonafide_core::verdict::{BlockReport, CalibrationIdentity, ModelIdentity, ScoreReport};
use bonafide_kernels::backend::TokenStats;
use std::path::PathBuf;
use std::sync::Arc;

/// How to load an engine.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// A name of the registry or a path of a GGUF file; `None` is the default model.
    pub model: Option<String>,
    /// Threads for arithmetic; `None` is one a core.
    pub threads: Option<usize>,
    /// A calibration file instead of the one built in.
    pub calibration: Option<PathBuf>,
}

/// Why the engine can't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A text could not be tokenised.
    #[error("the text could not be tokenised: {0}")]
    Tokenize(String),
    /// The forward pass failed.
    #[error(transparent)]
    Backend(#[from] bonafide_kernels::backend::BackendError),
}

/// A stretch of tokens that is scored in one pass: the whole text if it is short.
#[derive(Debug, Clone)]
pub struct Window {
    /// Token ids, context first.
    pub tokens: Vec<u32>,
    /// How many leading statistics to leave out, because the window before counted them.
    pub skip: usize,
}

/// A tokenised text, ready to be scored window by window. Cheap to make; holds no statistics.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The text as it came.
    pub text: Arc<str>,
    /// The windows, in order.
    pub windows: Vec<Window>,
}

/// A loaded model with its tokenizer and calibration. Shared by all threads.
pub struct Engine {}

impl Engine {
    /// Loads the model (pulling it if it is in the registry and absent) and its calibration.
    pub fn load(_options: &EngineOptions) -> Result<Self, EngineError> {
        Ok(Self {})
    }

    /// Tokenises a text and cuts it into windows. Pure CPU work, off the scoring thread.
    pub fn plan(&self, _text: &str) -> Result<Plan, EngineError> {
        Err(EngineError::Tokenize(String::new()))
    }

    /// Scores windows of any plans in one packed pass; one list of statistics a window, in order.
    pub fn score_windows(&self, _windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        Ok(Vec::new())
    }

    /// Joins a plan's window statistics and judges the text.
    pub fn judge(
        &self,
        _id: &str,
        _plan: &Plan,
        _stats: &[Vec<TokenStats>],
        _tokens: bool,
    ) -> Result<BlockReport, EngineError> {
        Err(EngineError::Tokenize(String::new()))
    }

    /// The whole path for callers without a queue (the command line): plan, score, judge, block by block.
    pub fn score(&self, _blocks: &[(String, String)], _tokens: bool) -> Result<ScoreReport, EngineError> {
        Err(EngineError::Tokenize(String::new()))
    }

    /// Which model this is.
    pub fn model(&self) -> ModelIdentity {
        ModelIdentity {
            name: String::new(),
            sha256: String::new(),
            architecture: String::new(),
            backend: String::new(),
        }
    }

    /// Which calibration this is.
    pub fn calibration(&self) -> Option<CalibrationIdentity> {
        None
    }
}
