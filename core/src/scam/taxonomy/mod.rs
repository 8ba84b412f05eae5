//! The tactics of scams, their stages and the words that tell them, as [the data](README.md) has them.

mod compiled;
mod cue;
mod matcher;

#[cfg(test)]
mod tests;

pub(super) use compiled::{Compiled, Seen};

use super::report::Stage;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The files of `taxonomy/`, joined by the build script.
const JOINED: &str = include_str!(concat!(env!("OUT_DIR"), "/taxonomy.json"));

/// A text in several languages, by ISO 639-1 code.
pub(super) type Texts = BTreeMap<String, String>;
/// Lists of phrases or cues, by the language that they are in.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// All of it, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taxonomy {
    #[serde(rename = "tactic")]
    pub(super) tactics: Vec<Tactic>,
    #[serde(rename = "term", default)]
    pub(super) terms: Vec<Term>,
    #[serde(rename = "guard", default)]
    pub(super) guards: Vec<Guard>,
    #[serde(rename = "advice", default)]
    pub(super) advice: Vec<AdviceText>,
    #[serde(rename = "hotline", default)]
    pub(super) hotlines: Vec<HotlineText>,
    #[serde(flatten)]
    pub(super) links: Links,
}

/// Something that scammers do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tactic {
    pub(super) id: String,
    pub(super) stage: Stage,
    /// Kinds of scams that use it.
    pub(super) patterns: Vec<String>,
    /// Log-odds that it is thought to add where it is plainly seen once.
    pub(super) weight: f64,
    pub(super) say: Texts,
    #[serde(default)]
    pub(super) cues: Lists,
    #[serde(default)]
    pub(super) weak: Lists,
    #[serde(default)]
    pub(super) unless: Lists,
    #[serde(default)]
    pub(super) mine: Lists,
    /// Counts only among the first so many turns.
    pub(super) early: Option<usize>,
    /// The engine finds it without cues, or beside them.
    #[serde(default)]
    pub(super) builtin: bool,
}

/// A list of words that cues refer to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Term {
    pub(super) name: String,
    #[serde(default)]
    pub(super) disguised: bool,
    #[serde(default)]
    pub(super) words: Lists,
    #[serde(default)]
    pub(super) evasive: Vec<String>,
}

/// How far a guard reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    Sentence,
    Message,
}

/// What takes the meaning out of cues: warnings, refusals, reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    pub(super) id: String,
    pub(super) scope: Scope,
    pub(super) cues: Lists,
}

/// What to do in one kind of scam.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviceText {
    pub(super) pattern: String,
    pub(super) stage: Option<Stage>,
    pub(super) say: Texts,
}

/// Whom to call in one country.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HotlineText {
    pub(super) region: String,
    pub(super) number: String,
    pub(super) name: Texts,
}

/// What is known of links.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Links {
    #[serde(rename = "brand", default)]
    pub(super) brands: Vec<Brand>,
    #[serde(default)]
    pub(super) shorteners: Vec<String>,
    #[serde(default)]
    pub(super) odd_tlds: Vec<String>,
    #[serde(default)]
    pub(super) second_level: Vec<String>,
}

/// A name that is often imitated, and the domains that are truly its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Brand {
    #[serde(rename = "name")]
    #[cfg_attr(not(test), expect(dead_code, reason = "it names the brand for people"))]
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
}

impl Taxonomy {
    /// The one that comes with the program.
    pub(super) fn built_in() -> Result<Self, String> {
        Self::parse(JOINED)
    }

    pub(super) fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| format!("the taxonomy can't be read: {error}"))
    }
}
