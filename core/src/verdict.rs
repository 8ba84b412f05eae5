//! What is said about a text: blocks, their evidence and their verdicts.
//!
//! These types are the one JSON shape of the project: the command line, the REST endpoint and the browser
//! extension all speak it.

use serde::{Deserialize, Serialize};

/// A half-open range of Unicode scalar values (code points) in the block's text.
///
/// Code points, not bytes and not UTF-16 units, so that a client in any language can index with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
}

/// What all evidence on a block adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A human being signed it, and the signature is good.
    HumanSigned,
    /// The evidence points to a human author.
    LikelyHuman,
    /// The default: too short, an uncalibrated language, or a score between the thresholds.
    Unclear,
    /// Parts by a human and parts by a model.
    Mixed,
    /// The evidence points to a model.
    LikelyAi,
    /// A watermark of a private key, or a label that speaks for the whole text, says that a model made it.
    DeclaredAi,
}

/// What sort of finding a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Statistics of the text under the language model.
    Model,
    /// A statistical watermark.
    Watermark,
    /// Characters that a reader can't see.
    HiddenCharacters,
    /// Words that a chat model leaves behind.
    Leftover,
    /// A label that declares the text generated.
    Declared,
    /// A signature by an author.
    Signature,
}

/// Which way a piece of evidence points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PointsTo {
    /// To a model.
    Ai,
    /// To a human author.
    Human,
    /// To neither: it explains, or it limits what can be said.
    Neither,
}

/// One finding, with a sentence that a person can read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// What sort of finding it is.
    pub kind: EvidenceKind,
    /// A stable name of the message (for example `too_short`), for translators and programs.
    pub code: String,
    /// How strong it is, from 0 (nothing) to 1 (conclusive).
    pub strength: f64,
    /// Which way it points.
    pub points_to: PointsTo,
    /// The part of the block that it rests on; absent if it rests on all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The finding in one English sentence.
    pub message: String,
    /// The numbers and names in the message, by name, so that an interface can translate it.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub values: std::collections::BTreeMap<String, String>,
}

/// A sentence with its own score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SentenceReport {
    /// Where it stands in the block.
    pub span: Span,
    /// Number of scored tokens that begin in it.
    pub tokens: usize,
    /// Mean log-probability of its tokens (nats), absent if none was scored.
    pub mean_logprob: Option<f64>,
    /// Probability that a model wrote this sentence, from the windows over it and over the sentences around it: who writes
    /// seldom changes, so a single odd sentence is taken for its neighbours'. Absent if the text can't be judged.
    pub probability: Option<f64>,
}

/// One token as the language model saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenReport {
    /// Where it stands in the block.
    pub span: Span,
    /// Natural logarithm of its probability; absent for the first token, which has no context.
    pub logprob: Option<f32>,
    /// 1 for the likeliest token.
    pub rank: Option<u32>,
    /// Entropy of the model's distribution at this place (nats).
    pub entropy: Option<f32>,
}

/// Everything said about one block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockReport {
    /// The caller's name for the block, or its index.
    pub id: String,
    /// What the evidence adds up to.
    pub verdict: Verdict,
    /// Calibrated probability that a model wrote it; absent if the text can't be judged.
    pub probability: Option<f64>,
    /// Share of comparable human texts that look at least as much like a model's (split conformal);
    /// absent if the text can't be judged.
    pub p_value: Option<f64>,
    /// The findings, strongest first.
    pub evidence: Vec<Evidence>,
    /// The block sentence by sentence.
    pub sentences: Vec<SentenceReport>,
    /// Number of words (Unicode word boundaries).
    pub words: usize,
    /// Number of tokens of the model.
    pub token_count: usize,
    /// Detected language as an ISO 639-1 code where there is one, else ISO 639-3; absent if unknown.
    pub language: Option<String>,
    /// Version of the calibration that it was compared with; absent if the text can't be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// Each detector's score, by name; higher means more like a model's text, whatever the detector.
    pub detectors: std::collections::BTreeMap<String, f64>,
    /// Per-token values, if asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<TokenReport>>,
}

/// The model behind a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelIdentity {
    /// Name in the registry, or the file's name.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Architecture, as GGUF names it: `llama`, `qwen2`, `qwen3`, `gemma3`.
    pub architecture: String,
    /// What computes: for example `cpu-f32`.
    pub backend: String,
}

/// The calibration behind a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalibrationIdentity {
    /// Its version.
    pub version: String,
    /// The languages that it has seen, as ISO 639-1 codes.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The share of human texts called `likely_ai` that its thresholds were set for.
    pub target_false_positive_rate: f64,
    /// The share that was measured on held-out human texts.
    pub measured_false_positive_rate: f64,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScoreReport {
    /// The blocks, in the order in which they came.
    pub blocks: Vec<BlockReport>,
    /// The model that scored.
    pub model: ModelIdentity,
    /// The first of the calibrations; absent if none fits the model, in which case the statistics give no other verdict than
    /// `unclear`.
    pub calibration: Option<CalibrationIdentity>,
    /// All calibrations, each for other languages. A block says which one it was compared with.
    #[serde(default)]
    pub calibrations: Vec<CalibrationIdentity>,
    /// Version of the program.
    pub version: String,
}
