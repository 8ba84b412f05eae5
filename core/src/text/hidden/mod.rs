//! Characters that a reader can't see.
//!
//! They come with copied pages, with some programs, and from people and machines who hide a message. Whoever put them
//! there, they say little of who wrote the words; so [`runs`] only reports them, leaves out those that a script or an
//! emoji needs, and decodes what can be read.

mod classes;
mod payload;
mod visible;

#[cfg(test)]
mod tests;

pub use classes::Class;
pub use payload::{Encoding, Payload};
pub use visible::Visible;

pub(crate) use classes::is_selector;
pub(crate) use payload::{byte_of, selector_of};

use crate::text::language;
use crate::verdict::Span;
use classes::Setting;

/// Fewest characters of a message that is spread over the text, a hidden character here and there.
const SPREAD: usize = 6;

/// Hidden characters of one class that stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What they are.
    pub class: Class,
    /// Where they stand. Every code point in it is one of them.
    pub span: Span,
    /// What they say, if that can be read.
    pub payload: Option<Payload>,
}

impl Run {
    /// How many characters it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.span.end - self.span.start
    }
}

/// A text's characters and what is known of all of them together.
struct Scanner {
    chars: Vec<char>,
    setting: Setting,
}

impl Scanner {
    fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let right_to_left = chars.iter().copied().any(classes::is_right_to_left);
        // Only then the question matters.
        let french = chars.contains(&'\u{202F}') && language::seems_french(text);
        Self { chars, setting: Setting { right_to_left, french } }
    }

    fn class_at(&self, at: usize) -> Option<Class> {
        classes::class_at(&self.chars, at, self.setting)
    }
}

/// All hidden characters of a text that have no work to do, in order.
#[must_use]
pub fn runs(text: &str) -> Vec<Run> {
    if text.is_ascii() {
        return Vec::new();
    }
    let scanner = Scanner::new(text);
    let mut runs: Vec<Run> = Vec::new();
    for at in 0..scanner.chars.len() {
        let Some(class) = scanner.class_at(at) else { continue };
        match runs.last_mut() {
            Some(run) if run.class == class && run.span.end == at => run.span.end += 1,
            _ => runs.push(Run { class, span: Span { start: at, end: at + 1 }, payload: None }),
        }
    }
    for run in &mut runs {
        run.payload = payload::decode(run.class, &scanner.chars[run.span.start..run.span.end]);
    }
    runs
}

/// A message written in characters without width that stand apart from each other, in all of the text together.
#[must_use]
pub fn spread(text: &str, runs: &[Run]) -> Option<Payload> {
    let apart: Vec<&Run> = runs.iter().filter(|run| run.class == Class::ZeroWidth).collect();
    if apart.len() < 2 || apart.iter().any(|run| run.payload.is_some()) {
        return None;
    }
    let mut rest = apart.iter().peekable();
    let hidden: Vec<char> = text
        .chars()
        .enumerate()
        .filter(|(at, _)| {
            while rest.next_if(|run| run.span.end <= *at).is_some() {}
            rest.peek().is_some_and(|run| run.span.start <= *at)
        })
        .map(|(_, c)| c)
        .collect();
    payload::bits(&hidden, SPREAD)
}
