//! From a page to results: is the signature good, is the text what was signed, whose key is it.

use super::canonical::words;
use super::carrier::token::Token;
use super::carrier::{Carrier, CarrierError, Signed};
use super::credential::Method;
use super::key::PublicKey;
use super::page::{Content, Find, Page};
use super::published::{KeyFacts, Publication, Reason, Revocation};
use super::search::{Budget, Coverage, Extent, Scope, search};
use super::statement::{Identity, Statement};
use super::time::Timestamp;
use crate::verdict::Span;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How far ahead of ours a signer's clock may be, in seconds.
const CLOCK_SKEW: u64 = 24 * 3600;

/// What is known of a statement: the first of these that applies (SPEC.md, section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not a statement, or a bad signature.
    Malformed,
    /// The text is not what was signed.
    Altered,
    /// The key was revoked.
    Revoked,
    /// The statement or its key is out of its time.
    Expired,
    /// The identity was known with another key before.
    KeyChanged,
    /// A good signature by somebody.
    UnknownKey,
    /// Some paragraphs of a text, by a key that is known.
    Excerpt,
    /// By a contact of the reader's.
    Trusted,
    /// By a key that the identity publishes.
    Published,
}

impl Outcome {
    /// Whether it may be shown in green.
    #[must_use]
    pub fn is_green(self) -> bool {
        matches!(self, Self::Trusted | Self::Published)
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Altered => "altered",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::KeyChanged => "key_changed",
            Self::UnknownKey => "unknown_key",
            Self::Excerpt => "excerpt",
            Self::Trusted => "trusted",
            Self::Published => "published",
        }
    }
}

/// What is said of one statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// What it comes to.
    pub result: Outcome,
    /// The same in one English sentence.
    pub message: String,
    /// What it came in.
    pub carrier: Carrier,
    /// How deeply its text is quoted in plain text: 0 for the text itself.
    pub quotes: usize,
    /// The key; absent if none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyReport>,
    /// What the author states; absent if it could not be read, or nothing says that it is the author's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// Which paragraphs of the statement were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paragraphs: Option<ParagraphReport>,
    /// How the verified text begins and ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<Covers>,
    /// Where the verified text stands, in code points of the text that was walked over. Nothing else may be
    /// highlighted.
    pub spans: Vec<Span>,
    /// The name of the reader's contact whose key it is, or of the reader's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether it is the reader's own key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_key: bool,
    /// That the key was revoked, also where the result does not rest on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// A key as a report has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyReport {
    /// Its fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// The key itself, as OpenSSH writes it.
    pub public_key: PublicKey,
    /// Whether somebody touched a device for this signature.
    pub touched: bool,
}

/// How a verified text begins and ends, so that a reader can tell which words it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Covers {
    /// Its words.
    pub words: u64,
    /// Its beginning, at most forty characters of the canonical form.
    pub begins: String,
    /// Its end, likewise.
    pub ends: String,
}

/// Which paragraphs were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParagraphReport {
    /// Their numbers in the statement, from 1.
    pub found: Vec<usize>,
    /// How many there are.
    pub total: usize,
}

/// A statement whose signature and text were checked; only whose key it is remains.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it came in.
    pub carrier: Carrier,
    is_token: bool,
    signed: Option<Signed>,
    key: Option<PublicKey>,
    state: State,
    coverage: Option<Coverage>,
    scope: Scope,
}

#[derive(Debug, Clone)]
enum State {
    Good,
    /// The signature is by a `did:web` whose key is not known yet.
    Open {
        origin: String,
        id: String,
    },
    Malformed(String),
    /// A token whose text, or which itself, was changed: that can't be told apart.
    Altered,
}

/// Checks all statements of a page.
#[must_use]
pub fn check(page: &Page) -> Vec<Checked> {
    let mut budget = Budget::of_page(&page.stream);
    page.finds.iter().map(|find| Checked::new(page, find, &mut budget)).collect()
}

impl Checked {
    fn new(page: &Page, find: &Find, budget: &mut Budget) -> Self {
        let mut made = Self {
            carrier: find.carrier,
            is_token: matches!(find.content, Content::Token(_)),
            signed: None,
            key: None,
            state: State::Good,
            coverage: None,
            scope: find.scope.clone(),
        };
        match &find.content {
            Content::Signed(signed) => match signed.as_ref() {
                Ok(signed) => made.take(page, signed.clone(), budget),
                Err(error) => made.state = State::Malformed(error.to_string()),
            },
            Content::Token(token) => match token.as_ref() {
                Ok(token) => made.take_token(page, token, budget),
                Err(error) => made.state = State::Malformed(error.to_string()),
            },
        }
        made
    }

    fn take(&mut self, page: &Page, signed: Signed, budget: &mut Budget) {
        if let Signed::Credential(credential) = &signed
            && let Method::Web { origin, id } = credential.method()
        {
            self.state = State::Open { origin: origin.clone(), id: id.clone() };
        }
        let key = signed.key().cloned();
        self.signed = Some(signed);
        if let Some(key) = key {
            self.verify(page, key, budget);
        }
    }

    fn take_token(&mut self, page: &Page, token: &Token, budget: &mut Budget) {
        let (Scope::Before(range) | Scope::Exactly(range) | Scope::Within(range)) = &self.scope;
        let text = page.stream.text().get(range.clone()).unwrap_or_default();
        let Some(digest) = token.digest_of(text.trim_end_matches(' ')) else {
            self.state = State::Altered;
            return;
        };
        match token.signed(digest) {
            Ok(signed) => self.take(page, signed, budget),
            Err(error) => self.state = State::Malformed(error.to_string()),
        }
    }

    /// The origin and the whole name of the `did:web` key that is needed to go on.
    #[must_use]
    pub fn wants_key(&self) -> Option<(&str, &str)> {
        match &self.state {
            State::Open { origin, id } => Some((origin, id)),
            _ => None,
        }
    }

    /// Gives the key that was wanted, or says why there is none.
    pub fn resolve(&mut self, page: &Page, key: Result<PublicKey, String>) {
        match key {
            Ok(key) => self.verify(page, key, &mut Budget::of_page(&page.stream)),
            Err(why) => self.state = State::Malformed(why),
        }
    }

    fn verify(&mut self, page: &Page, key: PublicKey, budget: &mut Budget) {
        let Some(signed) = &self.signed else { return };
        match signed.verify(&key) {
            Ok(()) => {
                self.state = State::Good;
                self.find(page, budget);
                self.key = Some(key);
            }
            Err(error) => {
                let touch = matches!(&error, CarrierError::Signature(error) if error.is_about_touch());
                // A token's statement is made from the text, so that a changed text is a bad signature.
                self.state = if self.is_token && !touch {
                    State::Altered
                } else {
                    State::Malformed(error.to_string())
                };
                self.signed = None;
            }
        }
    }

    fn find(&mut self, page: &Page, budget: &mut Budget) {
        let Some(signed) = &self.signed else { return };
        if budget.is_spent() {
            let why = "the page holds so many statements that the rest was not checked";
            self.state = State::Malformed(why.to_owned());
            return;
        }
        self.coverage = Some(search(&page.stream, &self.scope, &signed.statement().text, budget));
    }

    /// The key, if the signature is good.
    #[must_use]
    pub fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// Who the statement says publishes the key, if the signature is good.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.key.as_ref()?;
        Identity::parse(self.signed.as_ref()?.statement().author.identity.as_deref()?)
    }

    /// What all this comes to.
    #[must_use]
    pub fn report(&self, page: &Page, facts: &KeyFacts, now: Timestamp) -> Report {
        let (result, message) = self.outcome(facts, now);
        let good = self.key.is_some();
        let signed = self.signed.as_ref().filter(|_| good);
        let coverage = self.coverage.as_ref().filter(|_| good);
        Report {
            result,
            message,
            carrier: self.carrier,
            quotes: page.quotes,
            key: self.key.clone().map(|key| KeyReport {
                fingerprint: key.fingerprint(),
                touched: signed.is_some_and(Signed::touched),
                public_key: key,
            }),
            statement: signed.map(|signed| signed.statement().clone()),
            paragraphs: signed.zip(coverage).map(|(signed, coverage)| ParagraphReport {
                found: coverage.found.iter().map(|index| index + 1).collect(),
                total: signed.statement().text.paragraphs.len(),
            }),
            covers: coverage.and_then(|coverage| covers(page, &coverage.ranges)),
            spans: coverage.map_or_else(Vec::new, |coverage| spans(page, &coverage.ranges)),
            contact: facts.contact.clone().filter(|_| good),
            own_key: facts.own && good,
            revoked: facts.revoked.filter(|_| good),
        }
    }

    fn outcome(&self, facts: &KeyFacts, now: Timestamp) -> (Outcome, String) {
        let says = |outcome, message: &str| (outcome, message.to_owned());
        match &self.state {
            State::Malformed(why) => return (Outcome::Malformed, format!("not a good statement: {why}")),
            State::Open { origin, .. } => {
                let message = format!("not checked: the key of this statement is published by {origin}");
                return (Outcome::UnknownKey, message);
            }
            State::Altered => {
                return says(Outcome::Altered, "the text is not what was signed, or the token was damaged");
            }
            State::Good => {}
        }
        let (Some(signed), Some(coverage)) = (&self.signed, &self.coverage) else {
            return says(Outcome::Malformed, "not a good statement");
        };
        let statement = signed.statement();
        if statement.date > now.plus(CLOCK_SKEW) {
            return (
                Outcome::Malformed,
                format!("the statement is dated in the future ({})", statement.date),
            );
        }
        let total = statement.text.paragraphs.len();
        let found = coverage.found.len();
        if coverage.extent == Extent::Altered {
            let message = match coverage.hazard {
                _ if coverage.contradicts => {
                    return says(
                        Outcome::Malformed,
                        "the statement's words or paragraphs are not those of its text",
                    );
                }
                Some(hazard) => format!("the text can't be relied on: {hazard}"),
                None if found == total => {
                    "the signed text is here, but other words stand in it or with it".to_owned()
                }
                None if found == 0 => "the text is not what was signed".to_owned(),
                None => {
                    format!("the text was altered: {found} of {total} paragraphs are as they were signed")
                }
            };
            return (Outcome::Altered, message);
        }
        if let Some(bad) = self.bad_key(statement, facts, now) {
            return bad;
        }
        if facts.changed && facts.contact.is_none() {
            let identity = statement.author.identity.as_deref().unwrap_or_default();
            let message = format!("the key is not the one that {identity} was known by before");
            return (Outcome::KeyChanged, message);
        }
        let name = &statement.author.name;
        let by = match (&facts.contact, &facts.publication) {
            (Some(key), _) if facts.own => (Outcome::Trusted, format!("signed with your own key {key}")),
            (Some(contact), Publication::Absent) => {
                let identity = statement.author.identity.as_deref().unwrap_or_default();
                let doubt =
                    format!("signed by your contact {contact}, but {identity} does not publish this key");
                (Outcome::Trusted, doubt)
            }
            (Some(contact), _) => (Outcome::Trusted, format!("signed by your contact {contact}")),
            (None, Publication::Listed(_)) => {
                let identity = statement.author.identity.as_deref().unwrap_or_default();
                (Outcome::Published, format!("signed by {name} with a key that {identity} publishes"))
            }
            (None, publication) => return (Outcome::UnknownKey, unknown(name, statement, publication)),
        };
        if coverage.extent == Extent::Excerpt {
            return (Outcome::Excerpt, format!("{found} of {total} paragraphs of a text {}", by.1));
        }
        by
    }

    /// Whether time or a revocation speaks against the key or the statement.
    fn bad_key(&self, statement: &Statement, facts: &KeyFacts, now: Timestamp) -> Option<(Outcome, String)> {
        if let Some(Revocation { at, reason }) = facts.revoked {
            if reason == Reason::Compromised {
                let message = format!("the key was revoked on {at} because others may have it");
                return Some((Outcome::Revoked, message));
            }
            if statement.date >= at {
                let message = format!("the key was revoked on {at}, before the statement was signed");
                return Some((Outcome::Revoked, message));
            }
        }
        if let Some(end) = statement.expires.filter(|&end| end <= now) {
            return Some((Outcome::Expired, format!("the statement ended on {end}")));
        }
        let Publication::Listed(listed) = &facts.publication else { return None };
        if let Some(start) = listed.valid_from.filter(|&start| statement.date < start) {
            let message = format!("the key is valid from {start}, and the statement is older");
            return Some((Outcome::Expired, message));
        }
        let end = listed.valid_until.filter(|&end| statement.date >= end)?;
        Some((Outcome::Expired, format!("the key was valid until {end}, and the statement is younger")))
    }
}

fn unknown(name: &str, statement: &Statement, publication: &Publication) -> String {
    let identity = statement.author.identity.as_deref().unwrap_or_default();
    match publication {
        Publication::Absent => {
            format!("signed by someone who calls himself {name}; {identity} does not publish this key")
        }
        Publication::Unreachable(why) => {
            format!("signed by someone who calls himself {name}; {identity} could not be asked: {why}")
        }
        _ => format!("signed by someone who calls himself {name}; nothing is known of the key"),
    }
}

/// Ranges of the canonical form as code points of the collected text.
fn spans(page: &Page, ranges: &[Range<usize>]) -> Vec<Span> {
    let place = |byte| page.stream.code_points_before(byte);
    ranges
        .iter()
        .flat_map(|range| page.stream.raw_ranges(range))
        .map(|bytes| Span { start: place(bytes.start), end: place(bytes.end) })
        .collect()
}

fn covers(page: &Page, ranges: &[Range<usize>]) -> Option<Covers> {
    const MOST: usize = 40;
    let texts = || ranges.iter().filter_map(|range| page.stream.text().get(range.clone()));
    let ends: String = texts().next_back()?.chars().rev().take(MOST).collect();
    Some(Covers {
        words: texts().map(words).sum(),
        begins: texts().next()?.chars().take(MOST).collect(),
        ends: ends.chars().rev().collect(),
    })
}

#[cfg(test)]
mod tests;
