//! How fast and at which hours the other side answers: faster than a person can type, and never asleep.

use super::turn::{Side, Turn};

/// Letters a second beyond which nobody types on a telephone for long (the fastest of 37 000 typists reached 85 words a
/// minute, 7 letters a second, with two thumbs; Palin et al., MobileHCI 2019), doubled.
const LETTERS_A_SECOND: f64 = 14.0;
/// The same for Chinese characters, of which each takes about three keys.
const HAN_A_SECOND: f64 = 5.0;
/// Shorter answers may have been ready.
const LEAST_SECONDS_OF_TYPING: f64 = 4.0;
/// An answer that came later says nothing about the hour at which somebody is awake by chance.
const PROMPT_MS: i64 = 5 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What the times of a conversation have shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// When the user wrote last, if the other side has not answered since.
    asked: Option<i64>,
    measured: u32,
    fast: u32,
    /// Hours of the day (UTC) in which the other side answered promptly, as bits.
    hours: u32,
    prompt: u32,
    first: Option<i64>,
    last: i64,
}

impl Pace {
    pub(super) fn add(&mut self, turn: &Turn<'_>) {
        let Some(at) = turn.at else {
            self.asked = None;
            return;
        };
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
        if turn.side == Side::Me {
            self.asked = Some(at);
            return;
        }
        let Some(asked) = self.asked.take() else { return };
        let took = at.saturating_sub(asked);
        if !(0..PROMPT_MS).contains(&took) {
            return;
        }
        self.prompt += 1;
        self.hours |= 1 << at.rem_euclid(24 * HOUR_MS).div_euclid(HOUR_MS);
        let han = turn.text.chars().filter(|c| super::text::fold::is_han(*c)).count();
        let others = turn.text.chars().count() - han;
        let typing = han as f64 / HAN_A_SECOND + others as f64 / LETTERS_A_SECOND;
        // Times without seconds can't tell.
        if typing >= LEAST_SECONDS_OF_TYPING && took % 60_000 != 0 {
            self.measured += 1;
            self.fast += u32::from((took as f64 / 1000.0) < typing);
        }
    }

    /// From 0 to 1: most long answers came faster than a person types.
    pub(super) fn too_fast(&self) -> f64 {
        if self.measured < 5 {
            return 0.0;
        }
        (2.0 * f64::from(self.fast) / f64::from(self.measured) - 1.0).max(0.0)
    }

    /// From 0 to 1: prompt answers came at nearly all hours of the day, over several days.
    pub(super) fn sleepless(&self) -> f64 {
        let days = self.first.map_or(0, |first| self.last.saturating_sub(first) / (24 * HOUR_MS));
        if days < 3 || self.prompt < 30 {
            return 0.0;
        }
        // A person who sleeps six hours leaves as many empty.
        let hours = f64::from(self.hours.count_ones());
        ((hours - 18.0) / 5.0).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(pace: &mut Pace, side: Side, text: &str, at: i64) {
        pace.add(&Turn { side, text, at: Some(at) });
    }

    const LONG: &str =
        "I was thinking about what you said yesterday and I believe that we could really do this together.";

    #[test]
    fn a_person_needs_time_to_type() {
        for (seconds, fast) in [(2, 1.0), (30, 0.0)] {
            let mut pace = Pace::default();
            for turn in 0..8 {
                add(&mut pace, Side::Me, "and you?", turn * 1_000_000 + 123);
                add(&mut pace, Side::Them, LONG, turn * 1_000_000 + 123 + seconds * 1000);
            }
            assert_eq!(pace.too_fast(), fast, "{seconds}");
        }
    }

    #[test]
    fn times_in_whole_minutes_tell_nothing_of_typing() {
        let mut pace = Pace::default();
        for turn in 0..8 {
            add(&mut pace, Side::Me, "and you?", turn * 600_000);
            add(&mut pace, Side::Them, LONG, turn * 600_000);
        }
        assert_eq!(pace.too_fast(), 0.0);
    }

    #[test]
    fn who_answers_at_all_hours_never_sleeps() {
        for (hours, sleepless) in [(24, true), (16, false)] {
            let mut pace = Pace::default();
            for hour in 0..24 * 6 {
                if hour % 24 < hours {
                    add(&mut pace, Side::Me, "hi", hour * HOUR_MS);
                    add(&mut pace, Side::Them, "hello", hour * HOUR_MS + 20_000);
                }
            }
            assert_eq!(pace.sleepless() > 0.9, sleepless, "{hours}");
        }
    }

    #[test]
    fn odd_times_do_no_harm() {
        let mut pace = Pace::default();
        for at in [i64::MIN, i64::MAX, 0, -1, i64::MAX] {
            add(&mut pace, Side::Me, "x", at);
            add(&mut pace, Side::Them, LONG, at);
        }
        assert!(pace.too_fast() >= 0.0 && pace.sleepless() >= 0.0);
    }
}
