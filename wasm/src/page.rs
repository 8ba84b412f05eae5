//! A walk or a text in, statements out.

use crate::look::MAX_BYTES;
use bonafide_core::signature::check::{Checked, Report, check};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::{Element, Page, PageBuilder};
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A page, or a text with its quotations, checked as far as it can be without knowing the keys.
pub(crate) struct Signed {
    pages: Vec<(Page, Vec<Checked>)>,
}

/// A key, and who is said to publish it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Wanted {
    public_key: PublicKey,
    identity: Option<String>,
}

#[derive(Deserialize)]
struct Known {
    public_key: PublicKey,
    identity: Option<String>,
    facts: KeyFacts,
}

#[derive(Serialize)]
struct Reply {
    statements: Vec<Report>,
}

impl Signed {
    /// Follows a walk. What was entered and not left ends with the page.
    pub(crate) fn of_walk(walk: &str) -> Result<Self, String> {
        check_length(walk)?;
        let steps: Vec<Vec<Value>> =
            serde_json::from_str(walk).map_err(|error| format!("the walk can't be read: {error}"))?;
        let mut builder = PageBuilder::default();
        let mut depth = 0_usize;
        for (index, step) in steps.iter().enumerate() {
            let unknown = || format!("step {index} of the walk is none that is known");
            let [Value::String(name), rest @ ..] = step.as_slice() else { return Err(unknown()) };
            match (name.as_str(), rest) {
                ("text", [Value::String(text)]) => builder.text(text),
                ("br", []) => builder.line_break(),
                ("enter", [Value::String(kind), attribute]) => {
                    let attribute = match attribute {
                        Value::Null => None,
                        Value::String(value) => Some(value.as_str()),
                        _ => return Err(unknown()),
                    };
                    builder.enter(element(kind).ok_or_else(unknown)?, attribute);
                    depth += 1;
                }
                ("leave", []) => {
                    builder.leave();
                    depth = depth.saturating_sub(1);
                }
                ("hazard", [Value::String(what)]) => builder.hazard(hazard(what).ok_or_else(unknown)?),
                ("hazardous", [Value::String(what)]) => {
                    builder.hazardous(hazard(what).ok_or_else(unknown)?);
                }
                ("script", [Value::String(json)]) => builder.script(json),
                ("link", [Value::String(address)]) => builder.link(address),
                _ => return Err(unknown()),
            }
        }
        for _ in 0..depth {
            builder.leave();
        }
        Ok(Self::new(vec![builder.finish()]))
    }

    /// Plain text, and every quotation in it that holds a statement.
    pub(crate) fn of_text(text: &str) -> Result<Self, String> {
        check_length(text)?;
        Ok(Self::new(Page::of_text(text)))
    }

    fn new(pages: Vec<Page>) -> Self {
        let checked = |page| {
            let checked = check(&page);
            (page, checked)
        };
        Self { pages: pages.into_iter().map(checked).collect() }
    }

    /// The keys to find out about, each once.
    pub(crate) fn wants(&self) -> Result<String, String> {
        let statements = self.pages.iter().flat_map(|(_, checked)| checked);
        let mut wanted: Vec<Wanted> = statements.filter_map(wanted).collect();
        let mut seen = HashSet::new();
        wanted.retain(|key| seen.insert(key.clone()));
        serde_json::to_string(&wanted).map_err(|error| error.to_string())
    }

    /// What the statements come to.
    pub(crate) fn report(&self, facts: &str, now: f64) -> Result<String, String> {
        check_length(facts)?;
        let known: Vec<Known> = serde_json::from_str(facts)
            .map_err(|error| format!("what is known of the keys can't be read: {error}"))?;
        let known: HashMap<Wanted, KeyFacts> = known
            .into_iter()
            .map(|Known { public_key, identity, facts }| (Wanted { public_key, identity }, facts))
            .collect();
        if !now.is_finite() || now < 0.0 {
            return Err("the time must be in seconds since 1970".to_owned());
        }
        let now = Timestamp::from_unix(now as u64);
        let nothing = KeyFacts::default();
        let statements = self.pages.iter().flat_map(|(page, checked)| {
            let (known, nothing) = (&known, &nothing);
            checked.iter().map(move |checked| {
                let facts = wanted(checked).and_then(|wanted| known.get(&wanted)).unwrap_or(nothing);
                checked.report(page, facts, now)
            })
        });
        serde_json::to_string(&Reply { statements: statements.collect() }).map_err(|error| error.to_string())
    }
}

/// The fingerprint of a key in OpenSSH's form.
pub(crate) fn fingerprint(public_key: &str) -> Result<String, String> {
    let key = PublicKey::from_openssh(public_key).map_err(|error| error.to_string())?;
    Ok(key.fingerprint())
}

fn wanted(checked: &Checked) -> Option<Wanted> {
    let identity = checked.identity().map(|identity| identity.text());
    Some(Wanted { public_key: checked.key()?.clone(), identity })
}

fn check_length(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("this page is too long to be checked: {MAX_BYTES} bytes at most"));
    }
    Ok(())
}

fn element(kind: &str) -> Option<Element> {
    match kind {
        "inline" => Some(Element::Inline),
        "block" => Some(Element::Block),
        "root" => Some(Element::Root),
        _ => None,
    }
}

/// The sentence of a hazard.
fn hazard(name: &str) -> Option<&'static str> {
    Some(match name {
        "shadow" => "a shadow tree replaces the content of an element",
        "embedded" => "another document is embedded in the text",
        "field" => "a field that can be filled in stands in the text",
        "picture" => "a picture that may show words stands in the text",
        "generated" => "a style puts words into the text",
        "order" => "a style may change the order of words",
        "direction" => "a style may turn the direction of words",
        "hidden" => "a style may hide words",
        "closed" => "a part of the text is folded away",
        "list" => "a style puts words before the items of a list",
        "formula" => "a formula stands in the text",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
