//! What goes in: a conversation, turn by turn, and what the site knows of it.

use serde::{Deserialize, Serialize};

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The other side's, or one of the others'.
    Them,
    /// The reader's own.
    Me,
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Whose it is.
    pub side: Side,
    /// Its words.
    pub text: &'a str,
    /// When it was sent, in milliseconds since 1970; absent if that is not known.
    pub at: Option<i64>,
}

/// What is known of a conversation beside its messages. What is absent is not known, and tells nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Whether the other side is in nobody's address book: a stranger who wrote first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_contact: Option<bool>,
    /// A link in the other side's profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_link: Option<String>,
    /// Probability (0 to 1) that a language model wrote the other side's messages, if one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai_probability: Option<f64>,
    /// What a language model that read the conversation adds to the log-odds that it is a scam, if one was asked; no more than
    /// 3 either way counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<f64>,
}
