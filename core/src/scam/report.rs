//! What comes out: how dangerous a conversation is, how far it has gone, on what that rests, and what to do.

use crate::verdict::Span;
use serde::{Deserialize, Serialize};

/// How dangerous a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// The default: nothing found, or not enough.
    None,
    /// Something that scams do, and that honest people do too: look twice before you pay, sign in or install.
    Caution,
    /// Much that scams do and honest people seldom do.
    Danger,
}

/// How far a scam has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// How it began: a wrong number, a chance acquaintance.
    Contact,
    /// Closeness or authority is being built.
    Trust,
    /// The offer, the story or the threat.
    Hook,
    /// Money, codes, documents or access are asked for.
    Ask,
    /// More and more of it: fees, taxes, loans, silence.
    Drain,
}

/// Where in a conversation a finding was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Place {
    /// Index of the turn, from 0.
    pub turn: usize,
    /// The words in its text, in code points; absent if it is all of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// One kind of finding, with the messages that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Stable name of the tactic or sign (for example `safe_account`).
    pub code: String,
    /// The stage to which it belongs.
    pub stage: Stage,
    /// How strong it is, from 0 (nothing) to 1 (conclusive).
    pub strength: f64,
    /// Where it was seen, first to last; at most some of the first and the last.
    pub places: Vec<Place>,
    /// The finding in one sentence for the reader, in the language asked for.
    pub message: String,
}

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hotline {
    /// The country or territory, as ISO 3166-1 alpha-2.
    pub region: String,
    /// The number, or an address on the web.
    pub number: String,
    /// Whose it is, in the language asked for.
    pub name: String,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Advice {
    /// One sentence, in the language asked for.
    pub message: String,
    /// Whom to call, if the language asked for names a country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hotline: Option<Hotline>,
}

/// Everything said about a conversation so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// How dangerous it is.
    pub risk: Risk,
    /// Calibrated probability that it is a scam, were scams and honest conversations equally frequent.
    pub probability: f64,
    /// How far it has gone; absent if the risk is `none`.
    pub stage: Option<Stage>,
    /// Which known kind of scam it resembles most (for example `investment`); absent if the risk is `none`.
    pub pattern: Option<String>,
    /// The findings, strongest first.
    pub evidence: Vec<Finding>,
    /// What to do; absent if the risk is `none`.
    pub advice: Option<Advice>,
    /// Number of turns read.
    pub turns: usize,
    /// Version of the taxonomy and the model behind it.
    pub model: String,
}
