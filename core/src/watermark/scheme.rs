//! The watermarking schemes, and what must be known of a mark to look for it.

/// A scheme with its key: all that a detector needs beside the tokenizer.
#[derive(Debug, Clone, PartialEq)]
pub enum Scheme {
    /// Green lists that depend on the tokens before (Kirchenbauer et al. 2023, arXiv 2301.10226 and 2306.04634), with the
    /// ways of weighing tokens by entropy.
    Kgw(Kgw),
    /// One green list for all places (Zhao et al. 2023, arXiv 2306.17439).
    Unigram(Unigram),
    /// Tournament sampling (Dathathri et al. 2024, doi 10.1038/s41586-024-08025-4).
    SynthId(SynthId),
    /// Exponential sampling (Aaronson 2022; Fernandez et al. 2023, arXiv 2308.00113).
    Exp(Exp),
    /// Exponential sampling along a fixed sequence of numbers (Kuditipudi et al. 2023, arXiv 2307.15593).
    ExpEdit(ExpEdit),
    /// Distribution-preserving reweighting (Wu et al. 2023, arXiv 2310.07710).
    Dip(Dip),
}

/// Whose arithmetic a mark follows, where implementations differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Hugging Face transformers.
    Transformers,
    /// The authors' own repository.
    Original,
    /// MarkLLM.
    MarkLlm,
    /// Meta's three_bricks.
    ThreeBricks,
}

/// What a green list is seeded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seeding {
    /// Key times the token before (also called `simple_1`).
    LeftHash,
    /// The least hash of so many tokens, the one that is asked about the last of them. The papers and the authors'
    /// repository take 4; transformers takes 1 unless told otherwise.
    SelfHash(usize),
    /// The least hash of so many tokens before.
    MinHash(usize),
    /// The hash of the first of so many tokens before.
    SkipGram(usize),
    /// Key times the product of so many tokens before, modulo the vocabulary (MarkLLM).
    Product(usize),
    /// The same, but the product is looked up in a permutation of the vocabulary first (MarkLLM's own KGW since 0.1).
    Permuted(usize),
    /// So many tokens before, folded one by one, beginning with the key (three_bricks).
    Fold(usize),
}

/// Which tokens count, and how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    /// All the same.
    Plain,
    /// Those whose entropy under a model exceeds so many nats (SWEET: Lee et al. 2024, arXiv 2305.15060).
    Sweet(f64),
    /// By spike entropy, for a mark made with this delta (EWD: Lu et al. 2024, arXiv 2403.13485).
    Ewd(f64),
}

/// Green lists that depend on the tokens before.
#[derive(Debug, Clone, PartialEq)]
pub struct Kgw {
    /// Tokens in the vocabulary, as the mark's maker counted them.
    pub vocabulary: u32,
    /// Share of the vocabulary that is green.
    pub gamma: f64,
    /// The key.
    pub key: u64,
    /// What the lists are seeded with.
    pub seeding: Seeding,
    /// Whose hash table: [`Flavour::Transformers`] makes it from the key, the others from a constant.
    pub flavour: Flavour,
    /// Whether the last part of the permutation is green instead of the first.
    pub last: bool,
    /// Which tokens count.
    pub weighting: Weighting,
}

/// One green list for all places.
#[derive(Debug, Clone, PartialEq)]
pub struct Unigram {
    /// Tokens in the vocabulary.
    pub vocabulary: u32,
    /// Share of the vocabulary that is green.
    pub gamma: f64,
    /// The key.
    pub key: u64,
}

/// Tournament sampling.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthId {
    /// One key a layer of the tournament.
    pub keys: Vec<u64>,
    /// Tokens that a number depends on, its own among them.
    pub ngram: usize,
    /// [`Flavour::Transformers`] looks numbers up in a table, [`Flavour::Original`] hashes on (since June 2025).
    pub flavour: Flavour,
    /// Seed of the table.
    pub table_seed: u32,
    /// Contexts that are remembered: a token after a repeated one is not marked.
    pub history: usize,
}

/// Exponential sampling.
#[derive(Debug, Clone, PartialEq)]
pub struct Exp {
    /// Tokens in the vocabulary.
    pub vocabulary: u32,
    /// Tokens before, that the numbers depend on.
    pub width: usize,
    /// The key.
    pub key: u64,
    /// [`Flavour::MarkLlm`] multiplies the tokens, [`Flavour::ThreeBricks`] folds them.
    pub flavour: Flavour,
}

/// Exponential sampling along a fixed sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpEdit {
    /// Tokens in the vocabulary.
    pub vocabulary: u32,
    /// Length of the sequence.
    pub length: usize,
    /// The key.
    pub key: u32,
    /// Bits of a number: 32 (MarkLLM) or 24 (`torch.rand`).
    pub bits: u32,
}

/// Distribution-preserving reweighting.
#[derive(Debug, Clone, PartialEq)]
pub struct Dip {
    /// Tokens in the vocabulary.
    pub vocabulary: u32,
    /// Share of the permutation that is not green.
    pub gamma: f64,
    /// The key.
    pub key: Vec<u8>,
    /// Tokens before, that the permutation depends on.
    pub width: usize,
}

/// What is wrong with a scheme's parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` {problem}")]
pub struct SchemeError {
    /// Which parameter.
    pub parameter: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// Greatest vocabulary: sixteen times the largest that models have, and PyTorch permutes far more in another way.
pub const MOST_TOKENS: u32 = 1 << 22;
/// Most tokens before one, that a seed may depend on.
pub const MOST_WIDTH: usize = 32;
/// Most layers of a tournament.
pub const MOST_LAYERS: usize = 64;
/// Longest sequence of exponential sampling with edits.
pub const MOST_LENGTH: usize = 1024;

impl Scheme {
    /// Its name, as it stands in key files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kgw(kgw) => match kgw.weighting {
                Weighting::Plain => "kgw",
                Weighting::Sweet(_) => "sweet",
                Weighting::Ewd(_) => "ewd",
            },
            Self::Unigram(_) => "unigram",
            Self::SynthId(_) => "synthid",
            Self::Exp(_) => "exp",
            Self::ExpEdit(_) => "exp-edit",
            Self::Dip(_) => "dip",
        }
    }

    /// Whether a language model must be asked for entropies.
    #[must_use]
    pub fn needs(&self) -> Entropy {
        match self {
            Self::Kgw(Kgw { weighting: Weighting::Sweet(_), .. }) => Entropy::Shannon,
            Self::Kgw(Kgw { weighting: Weighting::Ewd(delta), gamma, .. }) => {
                Entropy::Spike { modulus: spike_modulus(*gamma, *delta) }
            }
            _ => Entropy::None,
        }
    }

    /// The scheme without its weighting by entropy: what is left of it where no model can be asked.
    #[must_use]
    pub fn unweighted(&self) -> Self {
        match self {
            Self::Kgw(kgw) => Self::Kgw(Kgw { weighting: Weighting::Plain, ..kgw.clone() }),
            other => other.clone(),
        }
    }

    /// Whether the parameters can be used.
    ///
    /// # Errors
    /// Names the first that can't.
    pub fn check(&self) -> Result<(), SchemeError> {
        match self {
            Self::Kgw(kgw) => kgw.check(),
            Self::Unigram(unigram) => {
                vocabulary(unigram.vocabulary)?;
                share("gamma", unigram.gamma, unigram.vocabulary)
            }
            Self::SynthId(synthid) => synthid.check(),
            Self::Exp(exp) => {
                vocabulary(exp.vocabulary)?;
                width("context", exp.width, 1)?;
                flavour(exp.flavour, &[Flavour::MarkLlm, Flavour::ThreeBricks])
            }
            Self::ExpEdit(edit) => {
                vocabulary(edit.vocabulary)?;
                if edit.length == 0 || edit.length > MOST_LENGTH {
                    return wrong("length", format!("must be from 1 to {MOST_LENGTH}"));
                }
                if edit.bits == 24 || edit.bits == 32 { Ok(()) } else { wrong("bits", "must be 24 or 32") }
            }
            Self::Dip(dip) => {
                vocabulary(dip.vocabulary)?;
                share("gamma", dip.gamma, dip.vocabulary)?;
                width("context", dip.width, 1)
            }
        }
    }
}

/// Entropies that a scheme weighs tokens by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entropy {
    /// None.
    None,
    /// Shannon's, in nats.
    Shannon,
    /// Spike entropy: the sum of p / (1 + modulus p).
    Spike {
        /// The modulus.
        modulus: f64,
    },
}

/// The modulus of EWD's spike entropy, in f32 where the reference has it so.
#[must_use]
pub fn spike_modulus(gamma: f64, delta: f64) -> f64 {
    let alpha = f64::from((delta as f32).exp());
    (1.0 - gamma) * (alpha - 1.0) / (1.0 - gamma + alpha * gamma)
}

/// The spike entropy of a distribution that is given by its logits.
#[must_use]
pub fn spike_entropy(logits: &[f32], modulus: f64) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: &f32| f64::from(logit - most).exp();
    let all: f64 = logits.iter().map(weight).sum();
    let spikes = logits.iter().map(|logit| {
        let share = weight(logit) / all;
        share / (1.0 + modulus * share)
    });
    spikes.sum::<f64>() as f32
}

impl Kgw {
    /// Green tokens: the whole part of gamma times the vocabulary.
    #[must_use]
    pub fn greens(&self) -> u32 {
        (f64::from(self.vocabulary) * self.gamma) as u32
    }

    /// Tokens that a seed depends on, without the one that is asked about.
    #[must_use]
    pub fn width(&self) -> usize {
        match self.seeding {
            Seeding::LeftHash => 1,
            Seeding::SelfHash(window) => window.saturating_sub(1),
            Seeding::MinHash(width)
            | Seeding::SkipGram(width)
            | Seeding::Product(width)
            | Seeding::Permuted(width)
            | Seeding::Fold(width) => width,
        }
    }

    fn check(&self) -> Result<(), SchemeError> {
        vocabulary(self.vocabulary)?;
        share("gamma", self.gamma, self.vocabulary)?;
        match self.seeding {
            Seeding::SelfHash(window) => width("context", window, 1)?,
            _ => width("context", self.width(), 1)?,
        }
        let allowed: &[Flavour] = match self.seeding {
            Seeding::LeftHash => &[Flavour::Transformers, Flavour::Original, Flavour::MarkLlm],
            Seeding::SelfHash(_) => &[Flavour::Transformers, Flavour::Original],
            Seeding::MinHash(_) | Seeding::SkipGram(_) => &[Flavour::Original],
            Seeding::Product(_) | Seeding::Permuted(_) => &[Flavour::MarkLlm],
            Seeding::Fold(_) => &[Flavour::ThreeBricks],
        };
        flavour(self.flavour, allowed)?;
        if self.key == 0 && !matches!(self.seeding, Seeding::Fold(_)) {
            return wrong("key", "must not be 0: then all seeds are the same");
        }
        match self.weighting {
            Weighting::Sweet(least) if !least.is_finite() || least < 0.0 => {
                wrong("entropy", "must be 0 or more nats")
            }
            Weighting::Ewd(delta) if !delta.is_finite() || delta <= 0.0 || delta > 50.0 => {
                wrong("delta", "must be more than 0 and at most 50")
            }
            _ => Ok(()),
        }
    }
}

impl SynthId {
    fn check(&self) -> Result<(), SchemeError> {
        if self.keys.is_empty() || self.keys.len() > MOST_LAYERS {
            return wrong("keys", format!("must be from 1 to {MOST_LAYERS} numbers, one a layer"));
        }
        // Equal keys give equal numbers, which count as one and not as two.
        if (1..self.keys.len()).any(|at| self.keys[..at].contains(&self.keys[at])) {
            return wrong("keys", "must be different from each other");
        }
        width("ngram", self.ngram, 2)?;
        flavour(self.flavour, &[Flavour::Transformers, Flavour::Original])
    }
}

fn wrong<T>(parameter: &'static str, problem: impl Into<String>) -> Result<T, SchemeError> {
    Err(SchemeError { parameter, problem: problem.into() })
}

fn vocabulary(tokens: u32) -> Result<(), SchemeError> {
    if (2..=MOST_TOKENS).contains(&tokens) {
        return Ok(());
    }
    wrong("vocabulary", format!("must be from 2 to {MOST_TOKENS} tokens"))
}

fn share(parameter: &'static str, share: f64, vocabulary: u32) -> Result<(), SchemeError> {
    let tokens = f64::from(vocabulary) * share;
    if share.is_finite() && share < 1.0 && tokens >= 1.0 {
        return Ok(());
    }
    wrong(parameter, "must be a share of the vocabulary, between 0 and 1")
}

fn width(parameter: &'static str, tokens: usize, least: usize) -> Result<(), SchemeError> {
    if (least..=MOST_WIDTH).contains(&tokens) {
        return Ok(());
    }
    wrong(parameter, format!("must be from {least} to {MOST_WIDTH} tokens"))
}

fn flavour(flavour: Flavour, allowed: &[Flavour]) -> Result<(), SchemeError> {
    if allowed.contains(&flavour) {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(|flavour| flavour.name()).collect();
    wrong("flavour", format!("must be {} for this scheme", names.join(" or ")))
}

impl Flavour {
    /// All flavours.
    pub const ALL: [Self; 4] = [Self::Transformers, Self::Original, Self::MarkLlm, Self::ThreeBricks];

    /// Its name, as it stands in key files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformers => "transformers",
            Self::Original => "original",
            Self::MarkLlm => "markllm",
            Self::ThreeBricks => "three_bricks",
        }
    }
}
