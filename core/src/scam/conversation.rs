//! A conversation as it grows: what each message shows is added up, and nothing is read twice.

use super::engine::Engine;
use super::few::Few;
use super::pace::Pace;
use super::report::{Place, Report, Stage};
use super::taxonomy::Seen;
use super::turn::{Setting, Turn};
use super::wording::Bag;

/// Turns after which what was seen counts half. Honest people say odd things too, now and then, over the years; a scam says
/// them close together. How it began is not forgotten.
const HALF_LIFE: f64 = 150.0;

/// How many places of a finding are kept, at its beginning and at its end.
const PLACES: usize = 4;

/// Turns within which weak cues support each other.
const SUPPORT: usize = 60;
/// What different weak cues of one tactic are worth together: one is nearly nothing, three are a plain one.
const WEAK: [f64; 5] = [0.0, 0.15, 0.6, 1.0, 1.3];

/// Messages of the strangest wording that count.
const STRANGEST: usize = 3;

/// Fewer tokens have no wording of their own: hello, thank you.
const LEAST_WORDS: usize = 3;

/// A tactic, as far as it was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Sum of strengths, halved each [`HALF_LIFE`] turns.
    total: f64,
    /// Turn up to which that was done.
    until: usize,
    /// Weak cues, by number: what each counts, and when it was seen last.
    weak: Vec<(u32, f64, usize)>,
    pub(super) first: Vec<Place>,
    pub(super) last: Vec<Place>,
}

impl Tally {
    fn add(&mut self, seen: &Seen, place: Place, decays: bool) {
        self.total = self.plain(place.turn, decays) + seen.strength;
        self.until = place.turn;
        for (cue, counts) in &seen.weak {
            match self.weak.iter_mut().find(|(other, _, _)| other == cue) {
                Some(weak) => weak.2 = place.turn,
                None => self.weak.push((*cue, *counts, place.turn)),
            }
        }
        if seen.strength == 0.0 && self.weak.len() < 2 {
            // Kept for the time when a second one comes.
            self.last = vec![place];
            return;
        }
        if self.first.is_empty() {
            self.first.append(&mut self.last);
        }
        if self.first.len() < PLACES {
            self.first.push(place);
            return;
        }
        if self.last.len() == PLACES {
            self.last.remove(0);
        }
        self.last.push(place);
    }

    /// What it comes to at a turn.
    fn at(&self, turn: usize, decays: bool) -> f64 {
        let near = self.weak.iter().filter(|(_, _, seen)| !decays || turn.saturating_sub(*seen) <= SUPPORT);
        let (count, share) = near.fold((0, 0.0_f64), |(count, share), weak| (count + 1, share.max(weak.1)));
        self.plain(turn, decays) + share * WEAK[count.min(WEAK.len() - 1)]
    }

    fn plain(&self, turn: usize, decays: bool) -> f64 {
        if !decays {
            return self.total;
        }
        self.total * faded(turn.saturating_sub(self.until))
    }
}

fn faded(turns: usize) -> f64 {
    libm::exp2(-(turns as f64) / HALF_LIFE)
}

/// A message of strange wording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strange {
    pub(super) score: f64,
    pub(super) turn: usize,
}

/// A strange message's score after the turns since: what is above nothing fades.
fn faded_since(strange: &Strange, turns: usize) -> f64 {
    let age = turns.saturating_sub(strange.turn + 1);
    if strange.score > 0.0 { strange.score * faded(age) } else { strange.score }
}

/// Puts a message among the few highest.
fn keep(highest: &mut Vec<Strange>, new: Strange, score: impl Fn(&Strange) -> f64) {
    let at = highest.iter().take_while(|other| score(other) >= new.score).count();
    highest.insert(at, new);
    highest.truncate(STRANGEST);
}

/// A conversation that grows.
#[derive(Debug, Clone)]
pub struct Conversation<'e> {
    engine: &'e Engine,
    setting: Setting,
    /// Tactics that the link in the other side's profile shows.
    profile: Vec<usize>,
    turns: usize,
    tallies: Few<usize, Tally>,
    /// The strangest messages of the other side, strangest first.
    strangest: Vec<Strange>,
    wording_sum: f64,
    bag: Bag,
    /// As whole conversations are worded.
    chat_bag: Bag,
    /// The messages that speak most for a scam in the wording of the whole: how much, and their turn.
    telling: Vec<Strange>,
    worded: usize,
    pace: Pace,
}

/// The numbers of a conversation by which it is judged: the place of each among the names of its engine
/// ([`Engine::names`]), and itself.
pub type Numbers = Vec<(usize, f64)>;

/// Names of the numbers that are no tactics. In names that begin with `wording` it is the n-grams that speak: of the strangest
/// message, of the three strangest, of all on average, of all together as if they were one, and as those of a whole conversation.
pub const OTHERS: [&str; 12] = [
    "wording_first",
    "wording",
    "wording_mean",
    "wording_bag",
    "wording_chat",
    "breadth",
    "coherence",
    "stages",
    "trust_then_hook",
    "hook_then_ask",
    "ask_then_drain",
    "new_contact",
];
/// The place of the wording of whole conversations among them.
pub(super) const OF_CHATS: usize = 4;

#[cfg(feature = "scam-data")]
impl Conversation<'static> {
    /// Nothing said yet; it will be read with what comes with the program.
    ///
    /// # Errors
    /// See [`Engine::built_in`].
    pub fn new(setting: Setting) -> Result<Self, &'static str> {
        Ok(Self::with(Engine::built_in()?, setting))
    }
}

impl<'e> Conversation<'e> {
    /// Nothing said yet.
    #[must_use]
    pub fn with(engine: &'e Engine, setting: Setting) -> Self {
        let mut new = Self {
            engine,
            setting: Setting::default(),
            profile: Vec::new(),
            turns: 0,
            tallies: Few::default(),
            strangest: Vec::new(),
            wording_sum: 0.0,
            bag: Bag::default(),
            chat_bag: Bag::default(),
            telling: Vec::new(),
            worded: 0,
            pace: Pace::default(),
        };
        new.set(setting);
        new
    }

    /// What is known beside the messages has changed.
    pub fn set(&mut self, setting: Setting) {
        self.profile = setting.profile_link.as_deref().map(|link| self.engine.link(link)).unwrap_or_default();
        self.setting = setting;
    }

    /// Reads one message more. The cost is that of the message, however long the conversation.
    pub fn add(&mut self, turn: Turn<'_>) {
        let now = self.turns;
        self.turns += 1;
        self.pace.add(&turn);
        let read = self.engine.read(&turn);
        for seen in read.seen {
            let tactic = &self.engine.compiled.taxonomy.tactics[seen.tactic];
            if tactic.early.is_some_and(|early| now >= early) {
                continue;
            }
            let place = Place { turn: now, span: Some(seen.span) };
            self.tallies.or_insert_with(seen.tactic, Tally::default).add(&seen, place, decays(tactic.stage));
        }
        let [known, of_chats] = read.known;
        let model = &self.engine.model;
        self.bag.add(&known, &model.messages);
        let adds = self.chat_bag.add(&of_chats, &model.chats);
        if adds > 0 {
            let tells = Strange { score: adds as f64, turn: now };
            keep(&mut self.telling, tells, |other| other.score);
        }
        if known.is_empty() || read.words < LEAST_WORDS {
            return;
        }
        let score = model.messages.score(&known);
        self.wording_sum += score;
        self.worded += 1;
        let now = Strange { score, turn: now };
        let turns = self.turns;
        keep(&mut self.strangest, now, |other| faded_since(other, turns));
    }

    /// How far a tactic was seen, from 0 to 2: 1 after one plain sight.
    fn sight(&self, tactic: usize) -> f64 {
        let stage = self.engine.compiled.taxonomy.tactics[tactic].stage;
        let total = self.tallies.get(&tactic).map_or(0.0, |tally| tally.at(self.turns, decays(stage)));
        2.0 * (1.0 - libm::exp2(-total))
    }

    /// What the wording of messages says at most: of all together, or of the strangest.
    pub(super) fn worded(&self) -> f64 {
        self.strange().max(self.bag.score(&self.engine.model.messages))
    }

    /// What the wording says of the whole, as chats over days are worded.
    pub(super) fn chat_worded(&self) -> f64 {
        self.chat_bag.score(&self.engine.model.chats)
    }

    /// The mean score of the strangest messages, and nothing for those that are wanting.
    fn strange(&self) -> f64 {
        let sum: f64 = self.strangest.iter().map(|strange| faded_since(strange, self.turns)).sum();
        sum / STRANGEST as f64
    }

    /// All numbers that are not nothing.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let tactics = &self.engine.compiled.taxonomy.tactics;
        let mut numbers = Numbers::new();
        let mut stages: Few<Stage, f64> = Few::default();
        let mut patterns: Few<&str, f64> = Few::default();
        let mut breadth = 0.0;
        for (index, tactic) in tactics.iter().enumerate() {
            let profile = f64::from(u8::from(self.profile.contains(&index)));
            let sight = self.sight(index) + self.sign(&tactic.id) + profile;
            if sight <= 0.0 {
                continue;
            }
            numbers.push((index, sight.min(2.0)));
            let seen = sight.min(1.0);
            if tactic.builtin && tactic.cues.is_empty() {
                continue;
            }
            breadth += seen;
            let stage = stages.or_insert_with(tactic.stage, f64::default);
            *stage = stage.max(seen);
            for pattern in &tactic.patterns {
                *patterns.or_insert_with(pattern, f64::default) += seen;
            }
        }
        let stage = |stage| stages.get(&stage).copied().unwrap_or(0.0);
        let wording = self.strangest.first().map_or(0.0, |strange| faded_since(strange, self.turns));
        let model = &self.engine.model;
        let others: [f64; OTHERS.len()] = [
            wording.clamp(-LIMIT, LIMIT),
            self.strange().clamp(-LIMIT, LIMIT),
            (self.wording_sum / (self.worded as f64 + 6.0)).clamp(-1.0, LIMIT),
            self.bag.score(&model.messages).clamp(-1.0, LIMIT),
            self.chat_worded().clamp(-2.0, LIMIT),
            libm::log1p(breadth),
            libm::log1p(patterns.iter().map(|(_, sum)| *sum).fold(0.0, f64::max)),
            stages.iter().map(|(_, seen)| *seen).sum::<f64>(),
            stage(Stage::Trust).min(stage(Stage::Hook)),
            stage(Stage::Hook).min(stage(Stage::Ask)),
            stage(Stage::Ask).min(stage(Stage::Drain)),
            f64::from(u8::from(self.setting.new_contact == Some(true))),
        ];
        numbers.extend((tactics.len()..).zip(others).filter(|(_, number)| *number != 0.0));
        numbers
    }

    /// What is known of a sign that no message shows alone, from 0 to 1.
    fn sign(&self, id: &str) -> f64 {
        match id {
            "answers_inhumanly_fast" => self.pace.too_fast(),
            "never_sleeps" => self.pace.sleepless(),
            // Half of what a detector of texts says is chance.
            "reads_like_ai" => self.setting.ai_probability.map_or(0.0, |p| (2.0 * p - 1.0).clamp(0.0, 1.0)),
            _ => 0.0,
        }
    }

    /// What a second opinion adds to the log-odds.
    pub(super) fn opinion(&self) -> f64 {
        let opinion = self.setting.second_opinion.filter(|opinion| opinion.is_finite());
        opinion.map_or(0.0, |opinion| opinion.clamp(-MOST_OPINION, MOST_OPINION))
    }

    pub(super) fn engine(&self) -> &'e Engine {
        self.engine
    }

    pub(super) fn tally(&self, tactic: usize) -> Option<&Tally> {
        self.tallies.get(&tactic)
    }

    pub(super) fn strangest(&self) -> &[Strange] {
        &self.strangest
    }

    /// The turns that speak most for a scam in the wording of the whole.
    pub(super) fn telling(&self) -> impl Iterator<Item = usize> {
        self.telling.iter().map(|tells| tells.turn)
    }

    /// Number of turns read.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// What is to be said so far, in a language given as a BCP 47 tag (`en`, `en-GB`, `zh-CN`, …): its region chooses the
    /// hotline, and English stands in for a language that the taxonomy lacks.
    #[must_use]
    pub fn report(&self, language: &str) -> Report {
        super::judge::report(self, language)
    }
}

/// A second opinion is one among others: it adds no more log-odds than this, either way.
pub const MOST_OPINION: f64 = 3.0;

/// Beyond this a score says no more.
const LIMIT: f64 = 6.0;

fn decays(stage: Stage) -> bool {
    stage != Stage::Contact
}
