//! The tactics of scams, their stages and the words that tell them, as [the data](README.md) has them.

mod compiled;
mod cue;
mod matcher;

#[cfg(test)]
mod tests;

pub(super) use compiled::{Compiled, Seen};

use super::fields::{Fields, Lists, Texts};
use super::report::Stage;

/// The files of `taxonomy/`, joined by the build script.
#[cfg(feature = "scam-data")]
pub(super) const JOINED: &str = include_str!(concat!(env!("OUT_DIR"), "/taxonomy.json"));

/// All of it, as written.
#[derive(Debug, Clone)]
pub(super) struct Taxonomy {
    pub(super) tactics: Vec<Tactic>,
    pub(super) terms: Vec<Term>,
    pub(super) guards: Vec<Guard>,
    pub(super) advice: Vec<AdviceText>,
    pub(super) hotlines: Vec<HotlineText>,
    pub(super) links: Links,
}

/// Something that scammers do.
#[derive(Debug, Clone)]
pub(super) struct Tactic {
    pub(super) id: String,
    pub(super) stage: Stage,
    /// Kinds of scams that use it.
    pub(super) patterns: Vec<String>,
    /// Log-odds that it is thought to add where it is plainly seen once.
    pub(super) weight: f64,
    pub(super) say: Texts,
    pub(super) cues: Lists,
    pub(super) weak: Lists,
    pub(super) unless: Lists,
    pub(super) mine: Lists,
    /// Counts only among the first so many turns.
    pub(super) early: Option<usize>,
    /// The engine finds it without cues, or beside them.
    pub(super) builtin: bool,
}

/// A list of words that cues refer to.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) name: String,
    pub(super) disguised: bool,
    pub(super) words: Lists,
    pub(super) evasive: Vec<String>,
}

/// How far a guard reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Sentence,
    Message,
}

/// What takes the meaning out of cues: warnings, refusals, reports.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) id: String,
    pub(super) scope: Scope,
    pub(super) cues: Lists,
}

/// What to do in one kind of scam.
#[derive(Debug, Clone)]
pub(super) struct AdviceText {
    pub(super) pattern: String,
    pub(super) stage: Option<Stage>,
    pub(super) say: Texts,
}

/// Whom to call in one country.
#[derive(Debug, Clone)]
pub(super) struct HotlineText {
    pub(super) region: String,
    pub(super) number: String,
    pub(super) name: Texts,
}

/// What is known of links.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) brands: Vec<Brand>,
    pub(super) shorteners: Vec<String>,
    pub(super) odd_tlds: Vec<String>,
    pub(super) second_level: Vec<String>,
}

/// A name that is often imitated, and the domains that are truly its own.
#[derive(Debug, Clone)]
pub(super) struct Brand {
    #[expect(dead_code, reason = "it names the brand for people")]
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
}

impl Taxonomy {
    /// The one that comes with the program.
    #[cfg(feature = "scam-data")]
    pub(super) fn built_in() -> Result<Self, String> {
        Self::parse(JOINED)
    }

    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let mut all = Fields::parse(json.as_bytes(), "taxonomy")?;
        let mut links = Fields::of(all.within("links")?.into(), "links")?;
        let read = Self {
            tactics: all.objects("tactic", tactic)?,
            terms: all.objects("term", term)?,
            guards: all.objects("guard", guard)?,
            advice: all.objects("advice", advice)?,
            hotlines: all.objects("hotline", hotline)?,
            links: Links {
                brands: links.objects("brand", brand)?,
                shorteners: links.list("shorteners")?,
                odd_tlds: links.list("odd_tlds")?,
                second_level: links.list("second_level")?,
            },
        };
        links.end()?;
        all.end()?;
        if read.tactics.is_empty() {
            Err("the taxonomy can't be read: it has no tactics".to_owned())
        } else {
            Ok(read)
        }
    }
}

fn tactic(fields: &mut Fields) -> Result<Tactic, String> {
    Ok(Tactic {
        id: fields.text("id")?,
        stage: stage(&fields.text("stage")?)?,
        patterns: fields.list("patterns")?,
        weight: fields.number("weight")?,
        say: fields.texts("say")?,
        cues: fields.lists("cues")?,
        weak: fields.lists("weak")?,
        unless: fields.lists("unless")?,
        mine: fields.lists("mine")?,
        early: fields.optional_count("early")?,
        builtin: fields.flag("builtin")?,
    })
}

fn term(fields: &mut Fields) -> Result<Term, String> {
    Ok(Term {
        name: fields.text("name")?,
        disguised: fields.flag("disguised")?,
        words: fields.lists("words")?,
        evasive: fields.list("evasive")?,
    })
}

fn guard(fields: &mut Fields) -> Result<Guard, String> {
    let scope = match fields.text("scope")?.as_str() {
        "sentence" => Scope::Sentence,
        "message" => Scope::Message,
        other => return Err(format!("there is no scope `{other}`: sentence or message")),
    };
    Ok(Guard { id: fields.text("id")?, scope, cues: fields.lists("cues")? })
}

fn advice(fields: &mut Fields) -> Result<AdviceText, String> {
    let stage = fields.optional_text("stage")?.map(|name| stage(&name)).transpose()?;
    Ok(AdviceText { pattern: fields.text("pattern")?, stage, say: fields.texts("say")? })
}

fn hotline(fields: &mut Fields) -> Result<HotlineText, String> {
    Ok(HotlineText {
        region: fields.text("region")?,
        number: fields.text("number")?,
        name: fields.texts("name")?,
    })
}

fn brand(fields: &mut Fields) -> Result<Brand, String> {
    Ok(Brand { name: fields.text("name")?, hosts: fields.list("hosts")? })
}

fn stage(name: &str) -> Result<Stage, String> {
    Ok(match name {
        "contact" => Stage::Contact,
        "trust" => Stage::Trust,
        "hook" => Stage::Hook,
        "ask" => Stage::Ask,
        "drain" => Stage::Drain,
        other => return Err(format!("there is no stage `{other}`: contact, trust, hook, ask or drain")),
    })
}
