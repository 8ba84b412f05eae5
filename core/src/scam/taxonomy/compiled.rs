//! The taxonomy ready to read messages with.

use super::cue::{self, Choice, Part};
use super::matcher::{Group, Matcher};
use super::{Scope, Taxonomy, Term};
use crate::hash::fnv1a;
use crate::scam::few::Few;
use crate::scam::links;
use crate::scam::text::{Evasion, Kind, Tokens, Watch, disguise};
use crate::scam::turn::Side;
use crate::verdict::Span;
use std::collections::HashMap;
use std::ops::Range;

/// Classes of tokens that cues name like lists.
const CLASSES: [&str; 4] = ["number", "amount", "link", "phone"];
const NUMBER: Group = 0;
const AMOUNT: Group = 1;
const LINK: Group = 2;
const PHONE: Group = 3;

/// What a number is followed by where it is a sum of money.
const CURRENCIES: &[&str] = &[
    "usd", "usdt", "u", "dollar", "dollars", "buck", "bucks", "quid", "pound", "pounds", "gbp", "euro",
    "euros", "eur", "yuan", "rmb", "cny", "hkd", "hk", "ntd", "twd", "sgd", "rm", "myr", "php", "peso",
    "pesos", "rupee", "rupees", "inr", "baht", "yen", "jpy", "won", "krw", "naira", "aud", "cad", "grand",
    "btc", "eth", "bitcoin", "元", "块", "刀", "镑",
];
const HAN_CURRENCIES: &[&str] =
    &["美元", "美金", "港币", "港元", "台币", "人民币", "欧元", "英镑", "日元", "蚊", "文", "圆"];
const NUMERALS: &str = "零〇一二两三四五六七八九十百千万亿几多";

/// A tactic that one message shows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::scam) struct Seen {
    /// Its index in the taxonomy.
    pub(in crate::scam) tactic: usize,
    /// 1 for a plain cue, nothing for weak ones alone.
    pub(in crate::scam) strength: f64,
    /// Which weak cues, by numbers of their own, and what they count.
    pub(in crate::scam) weak: Vec<(u32, f64)>,
    /// The words that it rests on.
    pub(in crate::scam) span: Span,
}

/// What a sequence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Cue(usize),
    Weak(usize),
    Mine(usize),
    Unless(usize),
    Guard(Scope),
}

/// How much less a cue says in a message that is a warning as a whole.
const IN_A_WARNING: f64 = 0.1;
/// And in quotation marks.
const IN_QUOTES: f64 = 0.2;
/// How much less the user's own words say.
const OF_MINE: f64 = 0.7;

/// The taxonomy with its words in a trie.
#[derive(Debug)]
pub(in crate::scam) struct Compiled {
    pub(in crate::scam) taxonomy: Taxonomy,
    pub(in crate::scam) watch: Watch,
    matcher: Matcher,
    /// What each cue means, and how it is written.
    meanings: Vec<(Meaning, String)>,
    currencies: Vec<u64>,
    han_currencies: Vec<Vec<u64>>,
    numerals: Vec<u64>,
    tactics: Few<String, usize>,
    /// By class: groups of which it is one of several choices.
    unions: [Vec<Group>; CLASSES.len()],
}

impl Compiled {
    /// Compiles it, or says what in it can't be read.
    pub(in crate::scam) fn new(taxonomy: Taxonomy) -> Result<Self, String> {
        let mut watch = Watch::default();
        for term in taxonomy.terms.iter().filter(|term| term.disguised) {
            cue::all(&term.words).for_each(|word| watch.add(word));
        }
        let mut tactics = Few::default();
        for (index, tactic) in taxonomy.tactics.iter().enumerate() {
            if !tactics.insert(tactic.id.clone(), index) {
                return Err(format!("two tactics have the id {}", tactic.id));
            }
        }
        let mut builder = Builder::new(&taxonomy.terms)?;
        for (index, tactic) in taxonomy.tactics.iter().enumerate() {
            let wrong = |error: String| format!("tactic {}: {error}", tactic.id);
            for (lists, meaning) in [
                (&tactic.cues, Meaning::Cue(index)),
                (&tactic.weak, Meaning::Weak(index)),
                (&tactic.mine, Meaning::Mine(index)),
                (&tactic.unless, Meaning::Unless(index)),
            ] {
                cue::all(lists).try_for_each(|cue| builder.cue(cue, meaning)).map_err(wrong)?;
            }
        }
        for guard in &taxonomy.guards {
            cue::all(&guard.cues)
                .try_for_each(|cue| builder.cue(cue, Meaning::Guard(guard.scope)))
                .map_err(|error| format!("guard {}: {error}", guard.id))?;
        }
        builder.evasive_terms()?;
        let Builder { matcher, meanings, unions, .. } = builder;
        Ok(Self {
            watch,
            matcher,
            meanings,
            currencies: CURRENCIES.iter().map(|word| disguise::key(word)).collect(),
            han_currencies: HAN_CURRENCIES.iter().map(|word| keys(word)).collect(),
            numerals: NUMERALS.chars().map(|c| fnv1a(c.to_string().as_bytes())).collect(),
            tactics,
            unions,
            taxonomy,
        })
    }

    /// The index of a tactic.
    pub(in crate::scam) fn tactic(&self, id: &str) -> Option<usize> {
        self.tactics.get(id).copied()
    }

    /// Which tactics a message shows, each once.
    pub(in crate::scam) fn read(&self, tokens: &Tokens, side: Side) -> Vec<Seen> {
        let matches = self.matcher.matches(tokens, &self.classes(tokens));
        let span = |range: &Range<usize>| Span {
            start: tokens.tokens[range.start].span.start,
            end: tokens.tokens[range.end - 1].span.end,
        };
        let sentence = |range: &Range<usize>| tokens.tokens[range.start].sentence;
        let mut guarded: Vec<u32> = Vec::new();
        let mut unless: Vec<(usize, u32)> = Vec::new();
        let mut warning = false;
        for found in &matches.found {
            match self.meanings[found.meaning].0 {
                Meaning::Guard(Scope::Sentence) => guarded.push(sentence(&found.tokens)),
                Meaning::Guard(Scope::Message) => warning = true,
                Meaning::Unless(tactic) => unless.push((tactic, sentence(&found.tokens))),
                _ => {}
            }
        }
        let factor = if warning { IN_A_WARNING } else { 1.0 };
        let mut seen: Few<usize, Seen> = Few::default();
        for found in &matches.found {
            let (tactic, strength, mine) = match self.meanings[found.meaning].0 {
                Meaning::Cue(tactic) => (tactic, 1.0, false),
                Meaning::Weak(tactic) => (tactic, 0.0, false),
                Meaning::Mine(tactic) => (tactic, OF_MINE, true),
                Meaning::Guard(_) | Meaning::Unless(_) => continue,
            };
            let at = sentence(&found.tokens);
            if mine != (side == Side::Me) || guarded.contains(&at) || unless.contains(&(tactic, at)) {
                continue;
            }
            let quoted = tokens.tokens[found.tokens.clone()].iter().any(|token| token.quoted);
            let factor = if quoted { factor * IN_QUOTES } else { factor };
            let new = || Seen { tactic, strength: 0.0, weak: Vec::new(), span: span(&found.tokens) };
            let entry = seen.or_insert_with(tactic, new);
            if strength == 0.0 {
                entry.weak.push((found.meaning as u32, factor));
            } else if strength * factor > entry.strength {
                entry.strength = strength * factor;
                entry.span = span(&found.tokens);
            }
        }
        if side == Side::Them {
            let evasive = matches.evasive.iter().map(|range| (Evasion::Spelling, span(range)));
            for (how, span) in tokens.evasions.iter().copied().chain(evasive) {
                self.add(&mut seen, how.code(), span);
            }
            for token in tokens.tokens.iter().filter(|token| token.kind == Kind::Link) {
                for sign in links::signs(tokens.word(token), &self.taxonomy.links) {
                    self.add(&mut seen, sign.code(), token.span);
                }
            }
        }
        seen.into_entries().into_iter().map(|(_, seen)| seen).collect()
    }

    fn add(&self, seen: &mut Few<usize, Seen>, code: &str, span: Span) {
        if let Some(tactic) = self.tactic(code) {
            let entry =
                seen.or_insert_with(tactic, || Seen { tactic, strength: 1.0, weak: Vec::new(), span });
            entry.strength = 1.0;
        }
    }

    /// Which cues a message has, whatever stands around them: the tactic's id, and the cue as it is written.
    pub(in crate::scam) fn cues(&self, tokens: &Tokens) -> Vec<(&str, &str)> {
        let matches = self.matcher.matches(tokens, &self.classes(tokens));
        let cue = |found: &super::matcher::Match| {
            let (meaning, text) = &self.meanings[found.meaning];
            match meaning {
                Meaning::Cue(tactic) | Meaning::Weak(tactic) | Meaning::Mine(tactic) => {
                    Some((self.taxonomy.tactics[*tactic].id.as_str(), text.as_str()))
                }
                Meaning::Unless(_) | Meaning::Guard(_) => None,
            }
        };
        matches.found.iter().filter_map(cue).collect()
    }

    /// Numbers, sums, links and long numbers.
    fn classes(&self, tokens: &Tokens) -> Vec<(Group, Range<usize>)> {
        let list = &tokens.tokens;
        let mut out = Vec::new();
        let mut at = 0;
        while at < list.len() {
            match list[at].kind {
                Kind::Link => out.push((LINK, at..at + 1)),
                Kind::Long => out.extend([(PHONE, at..at + 1), (NUMBER, at..at + 1)]),
                Kind::Number | Kind::Han => {
                    let han = list[at].kind == Kind::Han;
                    let first = if han { at } else { at + 1 };
                    let run = list[first..]
                        .iter()
                        .take_while(|token| token.kind == Kind::Han && self.numerals.contains(&token.key))
                        .count();
                    let end = first + run;
                    if end > at {
                        let currency = self.currency(tokens, end);
                        let told = currency > 0 || list[at].currency || tokens.word(&list[at]).ends_with('w');
                        if !han || run >= 2 || currency > 0 {
                            out.push((NUMBER, at..end));
                        }
                        if told {
                            out.push((AMOUNT, at..end + currency));
                        }
                        at = end;
                        continue;
                    }
                }
                Kind::Word | Kind::Emoji => {}
            }
            at += 1;
        }
        for index in 0..out.len() {
            let (class, range) = out[index].clone();
            out.extend(self.unions[class as usize].iter().map(|group| (*group, range.clone())));
        }
        out
    }

    /// How many tokens name a currency here.
    fn currency(&self, tokens: &Tokens, at: usize) -> usize {
        let Some(next) = tokens.tokens.get(at) else { return 0 };
        let long = self.han_currencies.iter().find(|keys| {
            let list = tokens.tokens.get(at..at + keys.len()).unwrap_or_default();
            !list.is_empty() && list.iter().map(|token| token.key).eq(keys.iter().copied())
        });
        match long {
            Some(keys) => keys.len(),
            None => usize::from(self.currencies.contains(&next.key)),
        }
    }
}

impl Evasion {
    fn code(self) -> &'static str {
        match self {
            Self::Invisible => "evasion_invisible",
            Self::Homoglyph => "evasion_homoglyph",
            Self::Spelling => "evasion_spelling",
        }
    }
}

/// The keys of a phrase's tokens.
fn keys(phrase: &str) -> Vec<u64> {
    Tokens::of(phrase, &Watch::default()).tokens.iter().map(|token| token.key).collect()
}

/// A phrase of a list, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Phrase {
    keys: Vec<u64>,
    evasive: bool,
    disguised: bool,
}

struct Builder {
    terms: Few<String, Vec<Phrase>>,
    groups: HashMap<Vec<Vec<u64>>, Group>,
    matcher: Matcher,
    meanings: Vec<(Meaning, String)>,
    unions: [Vec<Group>; CLASSES.len()],
}

impl Builder {
    fn new(terms: &[Term]) -> Result<Self, String> {
        let mut lists: Few<String, Vec<Phrase>> = Few::default();
        for term in terms {
            let plain = cue::all(&term.words).map(|word| (word, false));
            let evasive = term.evasive.iter().map(|word| (word.as_str(), true));
            let mut phrases = Vec::new();
            for (word, evasive) in plain.chain(evasive) {
                // A list may take in another.
                if let Some(name) = word.strip_prefix('$') {
                    let other: &Vec<Phrase> = lists.get(name).ok_or_else(|| {
                        format!("the list {} takes in ${name}, which does not stand before it", term.name)
                    })?;
                    phrases.extend(other.iter().cloned());
                    continue;
                }
                let keys = keys(word);
                if keys.is_empty() {
                    return Err(format!("`{word}` in the list {} has no words", term.name));
                }
                phrases.push(Phrase { keys, evasive, disguised: term.disguised });
            }
            if CLASSES.contains(&term.name.as_str()) || !lists.insert(term.name.clone(), phrases) {
                return Err(format!("the list {} stands there twice", term.name));
            }
        }
        Ok(Self {
            terms: lists,
            groups: HashMap::new(),
            matcher: Matcher::default(),
            meanings: Vec::new(),
            unions: Default::default(),
        })
    }

    fn cue(&mut self, text: &str, meaning: Meaning) -> Result<(), String> {
        let index = self.meanings.len();
        self.meanings.push((meaning, text.to_owned()));
        for parts in cue::parse(text)? {
            let mut sequence = Vec::new();
            for Part { gap, choices } in &parts {
                let group = self.group(choices).map_err(|error| format!("the cue `{text}`: {error}"))?;
                sequence.push((*gap, group));
            }
            self.matcher.sequence(sequence, index);
        }
        Ok(())
    }

    fn group(&mut self, choices: &[Choice]) -> Result<Group, String> {
        if let [Choice::Term(name)] = choices
            && let Some(class) = CLASSES.iter().position(|class| class == name)
        {
            return Ok(class as Group);
        }
        let mut phrases: Few<Phrase, ()> = Few::default();
        let mut classes: Few<usize, ()> = Few::default();
        for choice in choices {
            match choice {
                Choice::Phrase(phrase) => {
                    let keys = keys(phrase);
                    if keys.is_empty() {
                        return Err(format!("`{phrase}` has no words"));
                    }
                    phrases.insert(Phrase { keys, evasive: false, disguised: false }, ());
                }
                Choice::Term(name) => {
                    if let Some(class) = CLASSES.iter().position(|class| class == name) {
                        classes.insert(class, ());
                        continue;
                    }
                    let list = self.terms.get(name).ok_or_else(|| format!("there is no list ${name}"))?;
                    for phrase in list {
                        phrases.insert(phrase.clone(), ());
                    }
                }
            }
        }
        let of_classes = classes.iter().map(|(class, ())| vec![*class as u64]);
        let id: Vec<Vec<u64>> =
            of_classes.chain(phrases.iter().map(|(phrase, ())| phrase.keys.clone())).collect();
        if let Some(group) = self.groups.get(&id) {
            return Ok(*group);
        }
        let group = (CLASSES.len() + self.groups.len()) as Group;
        self.groups.insert(id, group);
        classes.iter().for_each(|(class, ())| self.unions[*class].push(group));
        for (phrase, ()) in phrases.iter() {
            self.matcher.phrase(&phrase.keys, group, phrase.evasive, phrase.disguised);
        }
        Ok(group)
    }

    /// Spellings that evade count where no cue names their list, too.
    fn evasive_terms(&mut self) -> Result<(), String> {
        let evades = |phrases: &Vec<Phrase>| phrases.iter().any(|phrase| phrase.evasive || phrase.disguised);
        let evasive = self.terms.iter().filter(|(_, phrases)| evades(phrases));
        let names: Vec<String> = evasive.map(|(name, _)| name.clone()).collect();
        for name in names {
            self.group(&[Choice::Term(name)])?;
        }
        Ok(())
    }
}
