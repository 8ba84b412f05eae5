//! The taxonomy and the model together: what reads messages.

use super::bundle;
use super::conversation::{OF_CHATS, OTHERS};
use super::links;
use super::model::Model;
use super::taxonomy::{Compiled, Seen, Taxonomy};
use super::text::{Tokens, fold};
use super::turn::{Side, Turn};
use super::wording;

/// What it adds, in log-odds, that the other side is a stranger: no data set of training knows it.
const NEW_CONTACT: f64 = 0.4;

/// What reads conversations. It is made once, and any number of conversations read with it.
#[derive(Debug)]
pub struct Engine {
    pub(super) compiled: Compiled,
    pub(super) model: Model,
    /// Weights of each expert, in the order of [`Engine::names`].
    pub(super) weights: Vec<Vec<f64>>,
}

#[cfg(feature = "scam-data")]
static BUILT_IN: std::sync::LazyLock<Result<Engine, String>> =
    std::sync::LazyLock::new(|| Engine::with(Model::built_in()?));

#[cfg(feature = "scam-data")]
impl Engine {
    /// The taxonomy and the model that come with the program.
    ///
    /// # Errors
    /// The taxonomy or the model can't be read: the program was built from files that don't fit together.
    pub fn built_in() -> Result<&'static Self, &'static str> {
        BUILT_IN.as_ref().map_err(String::as_str)
    }

    /// The built-in taxonomy with another model.
    ///
    /// # Errors
    /// What in the taxonomy can't be read.
    pub fn with(model: Model) -> Result<Self, String> {
        Ok(Self::of(Compiled::new(Taxonomy::built_in()?)?, model))
    }

    /// The data that come with the program as one file, for a program that is built without them.
    #[must_use]
    pub fn bundle() -> Vec<u8> {
        use super::{model, taxonomy};
        bundle::write([taxonomy::JOINED.as_bytes(), fold::PAIRS.as_bytes(), model::BUILT_IN])
    }
}

impl Engine {
    /// The taxonomy, the table of simplified characters and the model of a file that [`Engine::bundle`] made. All engines
    /// of one program share the table.
    ///
    /// # Errors
    /// It is no such file, it was cut off, or what can't be read in it.
    pub fn from_bundle(bytes: &[u8]) -> Result<Self, String> {
        let [taxonomy, pairs, model] = bundle::read(bytes)?;
        let text = |bytes| {
            std::str::from_utf8(bytes).map_err(|_| "the scam data hold something else than text".to_owned())
        };
        let (taxonomy, pairs) = (Taxonomy::parse(text(taxonomy)?)?, text(pairs)?);
        let model = Model::from_bytes(model)?;
        fold::simplify(pairs)?;
        Ok(Self::of(Compiled::new(taxonomy)?, model))
    }

    fn of(compiled: Compiled, model: Model) -> Self {
        let mut engine = Self { compiled, weights: Vec::new(), model };
        engine.resolve();
        engine
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Puts another model in the place of this one.
    pub fn set_model(&mut self, model: Model) {
        self.model = model;
        self.resolve();
    }

    fn resolve(&mut self) {
        let experts = self.model.head.experts.iter();
        let weights = experts.map(|expert| {
            self.names().map(|(name, given)| expert.weights.get(name).copied().unwrap_or(given)).collect()
        });
        self.weights = weights.collect();
    }

    /// The names of a conversation's numbers, and the weights that they have where nothing was learned of them: first the
    /// tactics, then [`OTHERS`].
    pub fn names(&self) -> impl Iterator<Item = (&str, f64)> {
        let tactics = self.compiled.taxonomy.tactics.iter().map(|tactic| (tactic.id.as_str(), tactic.weight));
        let untrained = |name: &str| if name == "new_contact" { NEW_CONTACT } else { 0.0 };
        tactics.chain(OTHERS.iter().map(move |name| (*name, untrained(name))))
    }

    /// Whether an expert heeds how whole chats are worded.
    pub(super) fn heeds_chats(&self, expert: usize) -> bool {
        let at = self.compiled.taxonomy.tactics.len() + OF_CHATS;
        self.weights.get(expert).and_then(|weights| weights.get(at)).is_some_and(|weight| *weight > 0.0)
    }

    /// Whether the engine itself finds what a name stands for, without words.
    #[must_use]
    pub fn is_sign(&self, name: &str) -> bool {
        self.compiled.tactic(name).is_some_and(|index| self.compiled.taxonomy.tactics[index].builtin)
    }

    /// What the engine reads in a message, as training wants it: the hashes of its n-grams, each once and in order.
    #[must_use]
    pub fn wording(&self, text: &str) -> Vec<u32> {
        wording::grams(&Tokens::of(text, &self.compiled.watch))
    }

    /// Which cues of the taxonomy a message has, each with the id of its tactic: for whoever extends the taxonomy and wants
    /// to know what fires where. Guards are not looked at.
    #[must_use]
    pub fn cues(&self, text: &str) -> Vec<(&str, &str)> {
        self.compiled.cues(&Tokens::of(text, &self.compiled.watch))
    }

    /// The tactics that a link alone shows.
    pub(super) fn link(&self, link: &str) -> Vec<usize> {
        let signs = links::signs(&link.to_lowercase(), &self.compiled.taxonomy.links);
        signs.into_iter().filter_map(|sign| self.compiled.tactic(sign.code())).collect()
    }

    /// Reads a message.
    pub(super) fn read(&self, turn: &Turn<'_>) -> Read {
        let tokens = Tokens::of(turn.text, &self.compiled.watch);
        let seen = self.compiled.read(&tokens, turn.side);
        // The user's own messages say nothing of the other side.
        let grams = match turn.side {
            Side::Them => wording::grams(&tokens),
            Side::Me => Vec::new(),
        };
        let known = [&self.model.messages, &self.model.chats].map(|wording| wording.known(&grams));
        Read { seen, known, words: tokens.tokens.len() }
    }
}

/// What one message shows.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) seen: Vec<Seen>,
    /// Which n-grams of the model it has: of messages, and of whole conversations.
    pub(super) known: [Vec<u32>; 2],
    /// Number of tokens.
    pub(super) words: usize,
}
