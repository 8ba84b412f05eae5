//! The engine: text in, report out. Everything that scores goes through here; it knows nothing of HTTP.

mod built_in;
mod chat;
mod lens;

pub use built_in::calibrations as built_in_calibrations;
pub use chat::{ChatPlan, Pooled};
use lens::Lens;

use crate::model::compute::Compute;
use crate::model::gguf::LoadError;
use crate::model::opinion::ChatProbe;
use crate::model::tokenizer::{TextToken, TextTokenizer};
use crate::model::trained::{Kind, Reader};
use crate::model::{self, store};
use crate::paths::{NoHome, Paths};
use crate::watermark::file::Entry;
use crate::watermark::{Found, Watermarks};
use crate::windows::{self, OVERLAP, WINDOW};
use bonafide_core::calibration::Calibration;
use bonafide_core::declared;
use bonafide_core::detect::{self, Stats};
use bonafide_core::judge::{self, ScoredBlock, Token, judge};
use bonafide_core::text::hidden::Visible;
use bonafide_core::text::scoring::ScoringText;
use bonafide_core::verdict::{BlockReport, CalibrationIdentity, Evidence, ModelIdentity, ScoreReport};
use bonafide_core::watermark::evidence::Mark;
use bonafide_core::watermark::scheme::{Entropy, spike_entropy};
use bonafide_kernels::backend::{Backend, BackendError, PackedBatch, TokenStats};
use bonafide_kernels::taps::Taps;
use std::path::PathBuf;
use std::sync::Arc;

/// Tokens in one packed pass of the command line: enough to keep all cores busy, few enough to show progress.
pub const BATCH_TOKENS: usize = 2048;

/// Most tokens of a text that the model is asked for entropies of in a pass of its own.
const MOST_ASKED: usize = 4096;

/// How to load an engine.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// A name of the registry or a path of a GGUF file; `None` is the default model.
    pub model: Option<String>,
    /// What computes, with how many threads, in which numbers.
    pub compute: Compute,
    /// A calibration file instead of the one built in.
    pub calibration: Option<PathBuf>,
    /// What was trained and is to be used.
    pub adapter: Adapter,
    /// A second model with the same tokenizer, named like `model`: adds the detector `binoculars`.
    pub observer: Option<String>,
    /// Watermark keys to look for (`cli::watermark::configured` gathers them).
    pub watermarks: Vec<Entry>,
}

/// What was trained and is to be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Adapter {
    /// The probes that come with the program for this model file, if there are any.
    #[default]
    BuiltIn,
    /// Nothing: the statistics alone decide.
    None,
    /// The probe or the low-rank adapter of a file.
    File(PathBuf),
}

/// Why the engine can't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A text could not be tokenised.
    #[error("the text could not be tokenised: {0}")]
    Tokenize(String),
    /// A prompt leaves no room for a text.
    #[error("the prompt has {tokens} tokens, and this model takes at most {most}: shorten it")]
    PromptTooLong {
        /// Its tokens.
        tokens: usize,
        /// As many as may be.
        most: usize,
    },
    /// The forward pass failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The model file could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model could not be found or fetched.
    #[error(transparent)]
    Store(#[from] store::ModelError),
    /// There is no place for models.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// A file of a probe or an adapter can't be used.
    #[error("{path}: {reason}")]
    Adapter {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A calibration file can't be used.
    #[error("the calibration {path} can't be used: {reason}")]
    Calibration {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A stretch of tokens that is scored in one pass: the whole text if it is short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Token ids, context first.
    pub tokens: Vec<u32>,
    /// How many leading statistics to leave out, because the window before counted them.
    pub skip: usize,
    /// Which of the engine's lenses reads it; 0 in an engine of one.
    pub lens: usize,
}

/// A window's statistics, and the sums of hidden states of its chunks.
pub type Tapped = (Vec<TokenStats>, Vec<f32>);

/// A tokenised text, ready to be scored window by window. Cheap to make; holds no statistics.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The text as it came.
    pub text: Arc<str>,
    /// The windows, in order.
    pub windows: Vec<Window>,
    scoring: ScoringText,
    tokens: Vec<TextToken>,
    visible: Visible,
    part: bool,
}

/// A loaded model with its tokenizer and calibrations. Shared by all threads.
pub struct Engine {
    backend: Box<dyn Backend>,
    tokenizer: TextTokenizer,
    window: usize,
    identity: ModelIdentity,
    /// At least one; the first reads what no other has a calibration for.
    lenses: Vec<Lens>,
    /// What reads chats, each of one language. To a window these are the lenses behind the others.
    chat_probes: Vec<ChatProbe>,
    watermarks: Watermarks,
}

impl Engine {
    /// Loads the model (pulling it if it is in the registry and absent) and its calibration.
    pub fn load(options: &EngineOptions) -> Result<Self, EngineError> {
        Self::open(&stored(options)?, options)
    }

    /// Loads the model and what was trained for texts in one of these languages (ISO 639-1), whatever state its calibration
    /// is in: this is how a new one is made.
    pub fn load_uncalibrated(options: &EngineOptions, languages: &[String]) -> Result<Self, EngineError> {
        let mut engine = Self::bare(&stored(options)?, options)?;
        let reads =
            |lens: &Lens| lens.reader.as_ref().is_some_and(|reader| built_in::is_for(&reader.id, languages));
        let own = engine.lenses.iter().position(reads).unwrap_or(0);
        engine.lenses = vec![engine.lenses.swap_remove(own)];
        Ok(engine)
    }

    /// Loads a model file that is already here.
    pub fn open(stored: &store::StoredModel, options: &EngineOptions) -> Result<Self, EngineError> {
        let mut engine = Self::bare(stored, options)?;
        if let Some(path) = &options.calibration {
            let readers = engine.lenses.drain(..).map(|lens| lens.reader);
            engine.lenses = vec![built_in::lens_from(path, &stored.sha256, readers)?];
            return Ok(engine);
        }
        let readers = std::mem::take(&mut engine.lenses).into_iter().map(|lens| lens.reader);
        engine.lenses = built_in::lenses(&stored.sha256, readers)?;
        Ok(engine)
    }

    fn bare(stored: &store::StoredModel, options: &EngineOptions) -> Result<Self, EngineError> {
        let trained = match &options.adapter {
            Adapter::None => Vec::new(),
            Adapter::BuiltIn => built_in::probes(&stored.sha256)?,
            Adapter::File(path) => vec![built_in::trained_from(path, &stored.sha256)?],
        };
        let mut loaded = model::load(&stored.path)?;
        let mut lenses = Vec::with_capacity(trained.len().max(1));
        for trained in trained {
            let put = trained.put(loaded.model);
            let (model, reader) = put.map_err(|reason| built_in::wrong(&options.adapter, reason))?;
            loaded.model = model;
            lenses.push(Lens { reader: Some(reader), calibration: None });
        }
        if lenses.is_empty() {
            lenses.push(Lens { reader: None, calibration: None });
        }
        // Adapted, the model has other states than those that chats were learned from.
        let adapted =
            lenses.iter().any(|lens| lens.reader.as_ref().is_some_and(|reader| reader.kind == Kind::Lora));
        let chat_probes = if adapted { Vec::new() } else { built_in::chat_probes(&stored.sha256)? };
        let model = loaded.model;
        let mut window = WINDOW.min(loaded.context);
        let observer = match &options.observer {
            Some(name) => {
                let observer = model::load(&find(Some(name))?.path)?;
                if !loaded.tokenizer.agrees_with(&observer.tokenizer) {
                    let reason = "the observer's tokens are not the model's: both must share one tokenizer";
                    return Err(LoadError::Unsupported(reason.to_owned()).into());
                }
                window = window.min(observer.context);
                Some(observer.model)
            }
            None => None,
        };
        let backend = options.compute.backend(&model, observer.as_ref())?;
        let identity = ModelIdentity {
            name: stored.name.clone(),
            sha256: stored.sha256.clone(),
            architecture: loaded.architecture.to_owned(),
            backend: backend.name(),
        };
        let tokenizer = loaded.tokenizer;
        let watermarks = Watermarks::prepare(options.watermarks.clone(), &identity.name, &tokenizer);
        Ok(Self { backend, tokenizer, window, identity, lenses, chat_probes, watermarks })
    }

    /// Puts a text into its scoring form, tokenises it and cuts it into windows. Off the scoring thread.
    pub fn plan(&self, text: &str) -> Result<Plan, EngineError> {
        self.planned(text, false)
    }

    /// The same for a text that is cut out of a longer one: its first and last lines are not that one's, so no label in it
    /// declares.
    pub fn plan_part(&self, text: &str) -> Result<Plan, EngineError> {
        self.planned(text, true)
    }

    fn planned(&self, text: &str, part: bool) -> Result<Plan, EngineError> {
        let scoring = ScoringText::new(text);
        let tokens = self.tokenizer.encode(scoring.text()).map_err(EngineError::Tokenize)?;
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let visible = Visible::new(text);
        let windows = self.windows(&ids, self.lens(scoring.text()));
        Ok(Plan { text: Arc::from(text), windows, scoring, tokens, visible, part })
    }

    /// The model's tokens of a text as it stands, with the leading token that the model wants, if any.
    pub fn encode_raw(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        let tokens = self.tokenizer.encode(text).map_err(EngineError::Tokenize)?;
        Ok(self.tokenizer.bos.into_iter().chain(tokens.iter().map(|token| token.id)).collect())
    }

    fn windows(&self, ids: &[u32], lens: usize) -> Vec<Window> {
        let bos = self.tokenizer.bos;
        let room = self.window - usize::from(bos.is_some());
        windows::cut(ids.len(), room, OVERLAP)
            .into_iter()
            .map(|stretch| {
                let context = stretch.counts_from - stretch.tokens.start;
                // Without a BOS a sequence's first token has no score.
                let skip = if bos.is_some() { context } else { context.saturating_sub(1) };
                let tokens = bos.into_iter().chain(ids[stretch.tokens].iter().copied()).collect();
                Window { tokens, skip, lens }
            })
            .collect()
    }

    /// The same with pooled hidden states: of each window, the chunks of those tokens that it counts, each a vector for
    /// each depth, one after the other.
    pub fn score_windows_tapped(
        &self,
        windows: &[&Window],
        depths: &[usize],
        chunk: usize,
    ) -> Result<Vec<Tapped>, EngineError> {
        let packed = Packed::new(windows);
        // A token's statistics stand at the position before it, its hidden state at its own.
        let first: Vec<usize> = windows.iter().map(|window| window.skip + 1).collect();
        let taps = Taps::new(depths, chunk, &first)?;
        let (stats, pooled) = self.backend.score_tapped(&packed.batch()?, &taps)?;
        let chunks = windows.iter().map(|window| taps.chunks(window.tokens.len(), window.skip + 1));
        let width = pooled.len().checked_div(chunks.clone().sum()).unwrap_or(0);
        let stats = shares(&stats, windows.iter().map(|window| scored(window)));
        let pooled = shares(&pooled, chunks.map(|chunks| chunks * width));
        Ok(stats.into_iter().zip(pooled).collect())
    }

    /// Joins a plan's window statistics into one list, a token each; no token is counted twice.
    #[must_use]
    pub fn join(&self, plan: &Plan, stats: &[Vec<TokenStats>]) -> Vec<Token> {
        let unscored = usize::from(self.tokenizer.bos.is_none());
        let counted = plan
            .windows
            .iter()
            .zip(stats)
            .flat_map(|(window, stats)| stats.iter().skip(window.skip).copied());
        let values =
            std::iter::repeat_n(None, unscored).chain(counted.map(Some)).chain(std::iter::repeat(None));
        let stats = values.map(|stats| stats.map(from_kernel));
        plan.tokens
            .iter()
            .zip(stats)
            .map(|(token, stats)| Token { bytes: token.start..token.end, stats })
            .collect()
    }

    /// Joins a plan's window statistics and judges the text.
    #[must_use]
    pub fn judge(&self, id: &str, plan: &Plan, stats: &[Vec<TokenStats>], with_tokens: bool) -> BlockReport {
        let tokens = self.join(plan, stats);
        let block = ScoredBlock { id, text: &plan.text, scoring: &plan.scoring, tokens: &tokens };
        let calibrations: Vec<&Calibration> = self.calibrations().collect();
        let mut report = judge(&block, &calibrations, with_tokens);
        if let Some(score) = paired_score(plan, stats) {
            report.detectors.insert("binoculars".to_owned(), score);
        }
        let (marks, marked) = self.mark_evidence(plan, &tokens);
        judge::add(&mut report, marks, marked);
        let declared = if plan.part {
            declared::read_part(&plan.text)
        } else {
            declared::read(&plan.text, &declared::Metadata::default())
        };
        judge::add(&mut report, declared.evidence, declared.declares_ai);
        report
    }

    /// What the watermarks in a text say, and whether one declares the text to be a model's.
    fn mark_evidence(&self, plan: &Plan, scored: &[Token]) -> (Vec<Evidence>, bool) {
        let keys = self.watermarks.len();
        let found = self.find_marks(plan, scored);
        let marks: Vec<Mark<'_>> = found
            .iter()
            .map(|found| Mark {
                key: &found.key.entry.name,
                who: found.key.entry.who.as_deref(),
                public: found.key.entry.public,
                scheme: found.key.detector.scheme().name(),
                finding: &found.finding,
                keys,
                unweighted: found.unweighted,
                span: plan.visible.span(found.bytes.clone()),
            })
            .collect();
        (marks.iter().filter_map(Mark::evidence).collect(), marks.iter().any(Mark::declares))
    }

    /// The text is taken as it stands, without what can't be seen: that is what a mark was made in, and hidden characters
    /// are how one is disturbed.
    fn find_marks(&self, plan: &Plan, scored: &[Token]) -> Vec<Found<'_>> {
        if self.watermarks.is_empty() {
            return Vec::new();
        }
        let visible = plan.visible.text();
        // The scoring form is often the text itself; then its entropies are there already.
        let same = plan.scoring.text() == visible;
        let own = if same { None } else { Some(self.tokenizer.encode(visible).unwrap_or_default()) };
        let tokens = own.as_deref().unwrap_or(&plan.tokens);
        let entropy = |token: &Token| token.stats.map_or(f32::NAN, |stats| stats.entropy);
        self.watermarks.find(visible, tokens, |key| match key.detector.needs() {
            Entropy::Shannon if same => Some(scored.iter().map(entropy).collect()),
            // Another pass is worth its time for a key of the user's, not for one that everybody knows.
            _ if key.entry.built_in => None,
            needs => self.entropies(tokens, needs),
        })
    }

    /// Looks for every key in a text, and asks the model for entropies if a key of the user's needs them.
    #[must_use]
    pub fn marks(&self, text: &str) -> Vec<Found<'_>> {
        let tokens = self.tokenizer.encode(text).unwrap_or_default();
        self.watermarks.find(text, &tokens, |key| {
            if key.entry.built_in { None } else { self.entropies(&tokens, key.detector.needs()) }
        })
    }

    /// What the model says of each token, in a pass of its own. `None` if it can't: then tokens count the same.
    fn entropies(&self, tokens: &[TextToken], needs: Entropy) -> Option<Vec<f32>> {
        // This pass is not in the queue's reckoning, so it stays a short one.
        if tokens.len() > MOST_ASKED {
            return None;
        }
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let mut entropies = Vec::with_capacity(ids.len());
        entropies.extend(self.tokenizer.bos.is_none().then_some(f32::NAN));
        for window in self.windows(&ids, 0) {
            match needs {
                Entropy::None => return None,
                Entropy::Shannon => {
                    let stats = self.score_windows(&[&window]).ok()?.pop()?;
                    entropies.extend(stats.iter().skip(window.skip).map(|stats| stats.entropy));
                }
                Entropy::Spike { modulus } => {
                    // The last token's row is about a token that is not there.
                    let (skip, end) = (window.skip, window.tokens.len() - 1);
                    let row = &mut |at: usize, logits: &[f32]| {
                        if (skip..end).contains(&at) {
                            entropies.push(spike_entropy(logits, modulus));
                        }
                    };
                    self.backend.each_logits(&window.tokens, row).ok()?;
                }
            }
        }
        Some(entropies)
    }

    /// The watermark keys that are looked for.
    #[must_use]
    pub fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    /// Scores plans in packed passes of as many tokens as fill the device; `progress` hears how many tokens are done.
    pub fn score_plans(
        &self,
        plans: &[Plan],
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Vec<Vec<TokenStats>>>, EngineError> {
        let windows: Vec<(usize, &Window)> = plans
            .iter()
            .enumerate()
            .flat_map(|(plan, plans)| plans.windows.iter().map(move |window| (plan, window)))
            .collect();
        let mut scored: Vec<Vec<Vec<TokenStats>>> = plans.iter().map(|_| Vec::new()).collect();
        let mut rest = windows.as_slice();
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(fill(rest, self.backend.preferred_batch_tokens()));
            rest = others;
            let stats = self.score_windows(&batch.iter().map(|(_, window)| *window).collect::<Vec<_>>())?;
            for ((plan, _), stats) in batch.iter().zip(stats) {
                scored[*plan].push(stats);
            }
            progress(batch.iter().map(|(_, window)| window.tokens.len()).sum());
        }
        Ok(scored)
    }

    /// The whole path for callers without a queue: plan, score, judge. Blocks are (id, text).
    pub fn score(
        &self,
        blocks: &[(String, String)],
        with_tokens: bool,
        progress: impl FnMut(usize),
    ) -> Result<ScoreReport, EngineError> {
        let plans = blocks.iter().map(|(_, text)| self.plan(text)).collect::<Result<Vec<_>, _>>()?;
        let scored = self.score_plans(&plans, progress)?;
        let reports = blocks
            .iter()
            .zip(plans.iter().zip(&scored))
            .map(|((id, _), (plan, stats))| self.judge(id, plan, stats, with_tokens));
        Ok(self.report(reports.collect()))
    }

    /// Puts judged blocks under the names and versions of what judged them.
    #[must_use]
    pub fn report(&self, blocks: Vec<BlockReport>) -> ScoreReport {
        ScoreReport {
            blocks,
            model: self.model(),
            calibration: self.calibration(),
            calibrations: self.calibrations().map(Calibration::identity).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Which model this is.
    #[must_use]
    pub fn model(&self) -> ModelIdentity {
        self.identity.clone()
    }

    /// The first calibration; absent if none fits the model.
    #[must_use]
    pub fn calibration(&self) -> Option<CalibrationIdentity> {
        self.calibrations().next().map(Calibration::identity)
    }

    /// The calibrations, each for other languages.
    pub fn calibrations(&self) -> impl Iterator<Item = &Calibration> {
        self.lenses.iter().filter_map(|lens| lens.calibration.as_ref())
    }

    /// What was trained and reads along: the first, if there are several.
    #[must_use]
    pub fn reader(&self) -> Option<&Reader> {
        self.readers().next()
    }

    /// All that was trained and reads along, each for other languages.
    pub fn readers(&self) -> impl Iterator<Item = &Reader> {
        self.lenses.iter().filter_map(|lens| lens.reader.as_ref())
    }

    /// What computes, and on how many threads.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        self.backend.as_ref()
    }
}

/// Windows end to end.
struct Packed {
    tokens: Vec<u32>,
    starts: Vec<usize>,
}

impl Packed {
    fn new(windows: &[&Window]) -> Self {
        let mut packed = Self { tokens: Vec::new(), starts: vec![0] };
        for window in windows {
            packed.tokens.extend_from_slice(&window.tokens);
            packed.starts.push(packed.tokens.len());
        }
        packed
    }

    fn batch(&self) -> Result<PackedBatch<'_>, BackendError> {
        PackedBatch::new(&self.tokens, &self.starts)
    }
}

/// How many statistics a window gets: its first token has none.
fn scored(window: &Window) -> usize {
    window.tokens.len().saturating_sub(1)
}

/// Cuts what a pass gave into what belongs to each window.
fn shares<T: Clone>(mut all: &[T], counts: impl Iterator<Item = usize>) -> Vec<Vec<T>> {
    let share = |count: usize| {
        let (own, rest) = all.split_at(count.min(all.len()));
        all = rest;
        own.to_vec()
    };
    counts.map(share).collect()
}

fn stored(options: &EngineOptions) -> Result<store::StoredModel, EngineError> {
    find(options.model.as_deref())
}

fn find(spec: Option<&str>) -> Result<store::StoredModel, EngineError> {
    let mut progress = model::progress::Terminal::new();
    Ok(store::resolve(&Paths::from_env()?, spec, &mut progress)?)
}

/// The detector that takes two models, if a second one scored.
fn paired_score(plan: &Plan, stats: &[Vec<TokenStats>]) -> Option<f64> {
    let counted = plan.windows.iter().zip(stats).flat_map(|(window, stats)| stats.iter().skip(window.skip));
    let (own, cross): (Vec<Stats>, Vec<Option<f32>>) =
        counted.map(|stats| (from_kernel(*stats), stats.cross_entropy)).unzip();
    detect::binoculars(&own, &cross.into_iter().collect::<Option<Vec<f32>>>()?)
}

/// How many of the first windows fit in a budget of tokens; at least one.
fn fill(windows: &[(usize, &Window)], budget: usize) -> usize {
    let mut total = 0;
    let fitting = windows.iter().take_while(|(_, window)| {
        total += window.tokens.len();
        total <= budget
    });
    fitting.count().max(1)
}

/// What a backend says of a token, as the detectors read it.
pub(crate) fn from_kernel(stats: TokenStats) -> Stats {
    Stats {
        logprob: stats.logprob,
        rank: stats.rank,
        entropy: stats.entropy,
        mean_logprob: stats.mean_logprob,
        variance: stats.variance,
        probe: stats.projection,
    }
}

#[cfg(test)]
mod tests;
