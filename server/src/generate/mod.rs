//! Text from the local model, marked if a key is given: on the CPU, several texts at once.

pub mod sampling;

use crate::engine::EngineError;
use crate::model::compute::Compute;
use crate::model::tokenizer::TextTokenizer;
use crate::model::{self, store};
use crate::paths::Paths;
use crate::watermark::file::{Entry, TokenizerSpec};
use crate::watermark::{Problem, WatermarkError};
use bonafide_core::watermark::make::{Marker, sample, softmax};
use bonafide_core::watermark::random::numpy::Pcg64;
use bonafide_kernels::cpu::CpuBackend;
use sampling::Sampling;

/// A model that writes.
pub struct Generator {
    backend: CpuBackend,
    tokenizer: TextTokenizer,
    context: usize,
    /// Its name in the registry, or the file's.
    pub model: String,
}

/// A text that was made.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Generated {
    /// The text, without the prompt.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Whether the model ended it, rather than the limit.
    pub ended: bool,
}

/// What a text begins from.
pub struct Request {
    /// The prompt.
    pub prompt: String,
    /// Whether the prompt is a message to an assistant, rather than the beginning of the text.
    pub chat: bool,
    /// What marks the text.
    pub marker: Option<Marker>,
    /// What the draws begin with: the same seed, prompt and settings give the same text on the same machine.
    pub seed: u64,
}

/// A text while it is made.
struct Draft {
    ids: Vec<u32>,
    prompt: usize,
    marker: Option<Marker>,
    random: Pcg64,
    done: bool,
    ended: bool,
}

impl Generator {
    /// Loads a model, pulling it if it is in the registry and absent.
    ///
    /// # Errors
    /// If it can't be found, fetched or loaded.
    pub fn load(model: Option<&str>, compute: Compute) -> Result<Self, EngineError> {
        let mut progress = model::progress::Terminal::new();
        let stored = store::resolve(&Paths::from_env()?, model, &mut progress)?;
        let loaded = model::load(&stored.path)?;
        Ok(Self {
            backend: compute.cpu(&loaded.model, None)?,
            tokenizer: loaded.tokenizer,
            context: loaded.context,
            model: stored.name,
        })
    }

    /// What marks texts of this model with a key. `delta` goes before the key's own.
    ///
    /// # Errors
    /// If the key is about other tokens, or texts can't be marked with its scheme.
    pub fn marker(&self, key: &Entry, delta: Option<f64>) -> Result<Marker, WatermarkError> {
        let wrong = |source: Problem| WatermarkError { key: key.name.clone(), source };
        match &key.tokenizer {
            TokenizerSpec::Loaded => {}
            TokenizerSpec::Model(model) if *model == self.model => {}
            _ => return Err(wrong(Problem::OtherTokenizer(self.model.clone()))),
        }
        let vocabulary = key.vocabulary().unwrap_or_else(|| self.tokenizer.vocabulary());
        let scheme = key.scheme(vocabulary).map_err(|error| wrong(error.into()))?;
        Marker::new(&scheme, delta.unwrap_or_else(|| key.delta())).map_err(|error| wrong(error.into()))
    }

    /// Makes a text from each request, all at once. `heard` gets the number of the request and its text so far, each time
    /// that it grows, and says whether to go on.
    ///
    /// # Errors
    /// If a prompt can't be tokenised or is too long for the model.
    pub fn generate(
        &self,
        requests: Vec<Request>,
        sampling: &Sampling,
        mut heard: impl FnMut(usize, &str) -> bool,
    ) -> Result<Vec<Generated>, EngineError> {
        let mut drafts = Vec::new();
        for request in requests {
            let ids = self.tokenizer.prompt(&request.prompt, request.chat).map_err(EngineError::Tokenize)?;
            if ids.len() >= self.context {
                let (tokens, most) = (ids.len(), self.context - 1);
                return Err(EngineError::PromptTooLong { tokens, most });
            }
            drafts.push(Draft {
                prompt: ids.len(),
                ids,
                marker: request.marker,
                random: Pcg64::new(request.seed),
                done: sampling.max_tokens == 0,
                ended: false,
            });
        }
        let longest = drafts.iter().map(|draft| draft.prompt).max().unwrap_or(0);
        let capacity = longest.saturating_add(sampling.max_tokens).min(self.context);
        let mut session = self.backend.session(drafts.len(), capacity)?;
        let mut fed = vec![0; drafts.len()];
        loop {
            let open: Vec<usize> = (0..drafts.len()).filter(|at| !drafts[*at].done).collect();
            if open.is_empty() {
                break;
            }
            let new: Vec<(usize, &[u32])> =
                open.iter().map(|at| (*at, &drafts[*at].ids[fed[*at]..])).collect();
            let rows = session.extend(&new)?;
            let mut chosen = Vec::new();
            for (at, row) in open.iter().zip(rows) {
                chosen.push((*at, self.next(&mut drafts[*at], row, sampling)));
            }
            for (at, token) in chosen {
                fed[at] = drafts[at].ids.len();
                let draft = &mut drafts[at];
                match token {
                    Some(token) => draft.ids.push(token),
                    None => (draft.done, draft.ended) = (true, true),
                }
                let made = draft.ids.len() - draft.prompt;
                draft.done |= made >= sampling.max_tokens || draft.ids.len() >= capacity;
                draft.done |= !heard(at, &self.text(draft)?);
            }
        }
        drafts
            .iter()
            .map(|draft| {
                let tokens = draft.ids[draft.prompt..].to_vec();
                Ok(Generated { text: self.text(draft)?, tokens, ended: draft.ended })
            })
            .collect()
    }

    /// The next token; `None` at the text's end.
    fn next(&self, draft: &mut Draft, logits: &[f32], sampling: &Sampling) -> Option<u32> {
        let end = self.tokenizer.end;
        let candidates = sampling.candidates(logits, end.filter(|_| !sampling.stop));
        let uniform = draft.random.next_f64();
        let token = match &mut draft.marker {
            Some(marker) => marker.choose(&draft.ids, &candidates, uniform),
            None => {
                let logits: Vec<f32> = candidates.iter().map(|candidate| candidate.logit).collect();
                sample(&softmax(&logits), &candidates, uniform)
            }
        };
        token.filter(|token| Some(*token) != end)
    }

    /// The text of some tokens that were made.
    ///
    /// # Errors
    /// If they are none of the model's.
    pub fn text_of(&self, tokens: &[u32]) -> Result<String, EngineError> {
        self.tokenizer.decode(tokens).map_err(EngineError::Tokenize)
    }

    /// What a draft says so far, without a character that is not whole yet.
    fn text(&self, draft: &Draft) -> Result<String, EngineError> {
        let text = self.text_of(&draft.ids[draft.prompt..])?;
        Ok(if draft.done { text } else { text.trim_end_matches('\u{fffd}').to_owned() })
    }
}
