//! A second opinion on a chat: how the local language model reads it, and when it is asked.
//!
//! The model reads the chat as one text, a line a message. A linear probe of its hidden states says for each token how much
//! it speaks for a scam; the mean of that over all tokens, each weighed by its place, is the opinion: what was said later
//! counts more, for a scam that takes days begins like any acquaintance.

use bonafide_core::scam::{Engine, Report, Side};

/// Bytes of the latest messages that the model reads at most. No text has more tokens than bytes.
pub const MOST_BYTES: usize = 8000;
/// Fewer turns are too little to have an opinion of.
pub const LEAST_TURNS: usize = 8;
/// Lower probabilities are certain enough.
const LEAST_PROBABILITY: f64 = 0.1;

/// Whether a second opinion is wanted after so many turns with such a probability, where `danger` begins at another.
#[must_use]
pub fn is_wanted(turns: usize, probability: f64, danger: f64) -> bool {
    turns >= LEAST_TURNS && (LEAST_PROBABILITY..danger).contains(&probability)
}

/// Whether a second opinion is wanted on what the built-in engine reports.
///
/// # Errors
/// See [`Engine::built_in`].
pub fn is_wanted_on(report: &Report) -> Result<bool, &'static str> {
    Ok(is_wanted(report.turns, report.probability, Engine::built_in()?.model().head.danger))
}

/// A chat as the model reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// A line a message.
    pub text: String,
    /// What the messages say, without who said it: by this the language is told.
    pub words: String,
    /// One past the last byte of each message in `text`.
    pub ends: Vec<usize>,
    /// Messages before the first one, for which there was no room.
    pub left_out: usize,
}

impl Spoken {
    /// The latest messages that have at most so many bytes together.
    #[must_use]
    pub fn of<'t>(turns: impl DoubleEndedIterator<Item = (Side, &'t str)> + Clone, most: usize) -> Self {
        let mut room = most;
        let latest = turns.clone().rev().take_while(|turn| {
            let left = room.checked_sub(line(*turn).len());
            room = left.unwrap_or(0);
            left.is_some()
        });
        let (all, taken) = (turns.clone().count(), latest.count());
        let mut spoken = Self { left_out: all - taken, ..Self::default() };
        for turn in turns.skip(spoken.left_out) {
            spoken.text.push_str(&line(turn));
            spoken.ends.push(spoken.text.len());
            spoken.words.push_str(turn.1);
            spoken.words.push('\n');
        }
        spoken
    }
}

fn line((side, text): (Side, &str)) -> String {
    let who = match side {
        Side::Them => "Them",
        Side::Me => "Me",
    };
    format!("{who}: {}\n", text.trim())
}

/// A mean of numbers, each weighed by its place, as far as it has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rising {
    places: usize,
    sum: f64,
    weight: f64,
}

impl Rising {
    /// One number more; gives what it weighs.
    pub fn add(&mut self, number: f64) -> f64 {
        self.places += 1;
        let weight = self.places as f64;
        self.sum += weight * number;
        self.weight += weight;
        weight
    }

    /// What all numbers weigh together.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The mean; nothing of nothing.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.places == 0 { 0.0 } else { self.sum / self.weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_messages_are_read_with_their_ends() {
        let turns = [(Side::Them, "hello you"), (Side::Me, " hi "), (Side::Them, "用Line吗")];
        let all = Spoken::of(turns.into_iter(), 1000);
        assert_eq!(all.text, "Them: hello you\nMe: hi\nThem: 用Line吗\n");
        assert_eq!((all.ends.as_slice(), all.left_out), (&[16, 23, 40][..], 0));
        let last = Spoken::of(turns.into_iter(), 24);
        assert_eq!((last.text.as_str(), last.left_out), ("Me: hi\nThem: 用Line吗\n", 1));
        assert_eq!(Spoken::of(turns.into_iter(), 3), Spoken { left_out: 3, ..Spoken::default() });
    }

    #[test]
    fn what_comes_later_counts_more() {
        let mut rising = Rising::default();
        assert_eq!(rising.mean(), 0.0);
        let weights = [3.0, 0.0, 6.0].map(|number| rising.add(number));
        assert_eq!(weights, [1.0, 2.0, 3.0]);
        assert_eq!(rising.mean(), 21.0 / 6.0);
    }

    #[test]
    fn it_is_asked_where_it_may_matter() {
        assert!(is_wanted(8, 0.5, 0.9) && is_wanted(80, 0.1, 0.9));
        assert!(!is_wanted(7, 0.5, 0.9) && !is_wanted(8, 0.05, 0.9) && !is_wanted(8, 0.9, 0.9));
    }
}
