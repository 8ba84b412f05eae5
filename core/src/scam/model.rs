//! What was trained: the weights of wording, the head that weighs it with the tactics, the calibration and the thresholds.

use super::fields::Fields;
use super::wording::{ASSUMED_OF_CHATS, Wording};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The file that comes with the program: made by `bonafide train scam`; [its account](MODEL_CARD.md) says of what.
#[cfg(feature = "scam-data")]
pub(super) const BUILT_IN: &[u8] = include_bytes!("model.bin");

/// The first bytes of a model file.
const MAGIC: &[u8; 8] = b"BFSCAM05";

/// A logistic regression over the numbers of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expert {
    /// What it knows best.
    pub name: String,
    /// The number of turns from which on it has a say.
    pub first_turn: usize,
    /// How much less it says for each e-fold of turns beyond [`LONG`](super::judge::LONG): the longer people talk, the more
    /// they touch upon.
    pub fade: f64,
    /// Bias of the sum over a conversation.
    pub bias: f64,
    /// Weights of tactics by id, and of the other numbers of a conversation by name. A tactic that is not here has the
    /// weight that the taxonomy gives it.
    pub weights: BTreeMap<String, f64>,
    /// Slope and offset of the calibration: probability = 1 / (1 + exp(-(slope * sum + offset))).
    pub calibration: [f64; 2],
}

impl Expert {
    fn read(fields: &mut Fields) -> Result<Self, String> {
        let mut weights = BTreeMap::new();
        for (name, value) in fields.within("weights")? {
            let weight = value.as_f64().ok_or_else(|| format!("the weight of {name} is no number"))?;
            weights.insert(name, weight);
        }
        let calibration: Vec<f64> = fields.values("calibration")?.iter().filter_map(Value::as_f64).collect();
        Ok(Self {
            name: fields.text("name")?,
            first_turn: fields.optional_count("first_turn")?.unwrap_or(0),
            fade: fields.number("fade")?,
            bias: fields.number("bias")?,
            weights,
            calibration: calibration.try_into().map_err(|_| "the calibration is not two numbers")?,
        })
    }
}

/// All but the n-grams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// Name and version.
    pub name: String,
    /// Bias of the wording's score.
    pub wording_bias: f64,
    /// What one step of a weight of wording is worth.
    pub wording_step: f64,
    /// Bias of the score of whole conversations' wording.
    pub chats_bias: f64,
    /// What one step of a weight of it is worth.
    pub chats_step: f64,
    /// Who judges: the one that says scam loudest is believed. Scams that come to the point (calls, letters, short messages)
    /// and those that take days share tactics and no manner, and what tells the one is nothing in the other.
    pub experts: Vec<Expert>,
    /// Least probability for `caution`.
    pub caution: f64,
    /// Least probability for `danger`.
    pub danger: f64,
    /// What the score of wording (of all messages together, or the mean of the three strangest) must be above for `danger`:
    /// tactics alone never give it.
    pub wording_floor: f64,
}

impl Head {
    fn read(json: &[u8]) -> Result<Self, String> {
        let mut fields = Fields::parse(json, "head")?;
        let experts = fields.objects("experts", Expert::read)?;
        if experts.is_empty() {
            return Err("the head has no expert".to_owned());
        }
        let head = Self {
            name: fields.text("name")?,
            wording_bias: fields.number("wording_bias")?,
            wording_step: fields.number("wording_step")?,
            chats_bias: fields.number("chats_bias")?,
            chats_step: fields.number("chats_step")?,
            experts,
            caution: fields.number("caution")?,
            danger: fields.number("danger")?,
            wording_floor: fields.number("wording_floor")?,
        };
        fields.end()?;
        Ok(head)
    }
}

/// A trained model.
#[derive(Debug, Clone)]
pub struct Model {
    /// All but the n-grams.
    pub head: Head,
    /// Of messages.
    pub(super) messages: Wording,
    /// Of whole conversations.
    pub(super) chats: Wording,
}

/// N-grams by hash, and their weights.
pub type Learned = Vec<(u32, i8)>;

impl Model {
    /// The one that comes with the program.
    #[cfg(feature = "scam-data")]
    pub(super) fn built_in() -> Result<Self, String> {
        Self::from_bytes(BUILT_IN)
    }

    /// One that knows these n-grams of messages, and of whole conversations.
    #[must_use]
    pub fn new(head: Head, mut messages: Learned, mut chats: Learned) -> Self {
        for learned in [&mut messages, &mut chats] {
            learned.sort_unstable_by_key(|(gram, _)| *gram);
            learned.dedup_by_key(|(gram, _)| *gram);
        }
        Self::in_order(head, messages, chats)
    }

    fn in_order(head: Head, messages: Learned, chats: Learned) -> Self {
        let messages = Wording::new(messages, head.wording_bias, 0.0, head.wording_step);
        let chats = Wording::new(chats, head.chats_bias, ASSUMED_OF_CHATS, head.chats_step);
        Self { head, messages, chats }
    }

    /// Reads a file: a mark; the head's length (32 bits, little-endian) and the head as JSON; then, for messages and for whole
    /// conversations, the number of n-grams (32 bits) and of each, in order, how much its hash is above the one before (LEB128)
    /// and its weight.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || "this is no model of `bonafide train scam`, or one of another version".to_owned();
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(wrong)?;
        let length = length(&mut rest).ok_or_else(wrong)?;
        let (head, mut rest) = rest.split_at_checked(length).ok_or_else(wrong)?;
        let head = Head::read(head).map_err(|error| format!("{}: {error}", wrong()))?;
        let broken = || format!("{}: it is cut off, or its n-grams are out of order", wrong());
        let messages = learned(&mut rest).ok_or_else(broken)?;
        let chats = learned(&mut rest).ok_or_else(broken)?;
        if rest.is_empty() { Ok(Self::in_order(head, messages, chats)) } else { Err(broken()) }
    }

    /// Makes a file.
    ///
    /// # Errors
    /// The head holds a number that JSON has no form for.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let head = serde_json::to_vec(&self.head).map_err(|error| error.to_string())?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        for wording in [&self.messages, &self.chats] {
            bytes.extend((wording.grams.len() as u32).to_le_bytes());
            let mut before = 0;
            for (gram, weight) in wording.grams.iter().zip(&wording.weights) {
                let mut above = gram - before;
                while above >= 0x80 {
                    bytes.push(above as u8 | 0x80);
                    above >>= 7;
                }
                bytes.extend([above as u8, weight.cast_unsigned()]);
                before = *gram;
            }
        }
        Ok(bytes)
    }
}

fn length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*length) as usize)
}

fn learned(bytes: &mut &[u8]) -> Option<Learned> {
    let count = length(bytes)?;
    let mut learned = Learned::new();
    let mut gram = 0_u32;
    for _ in 0..count {
        gram = gram.checked_add(leb128(bytes)?)?;
        let (weight, rest) = bytes.split_first()?;
        learned.push((gram, weight.cast_signed()));
        *bytes = rest;
    }
    Some(learned)
}

/// Takes a number of seven bits a byte, the least first; none if it has no end, or more than 32 bits.
fn leb128(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return number.try_into().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        Head {
            name: "test".to_owned(),
            wording_bias: 0.25,
            wording_step: 0.5,
            chats_bias: 0.125,
            chats_step: 2.0,
            experts: vec![Expert {
                name: "all".to_owned(),
                first_turn: 1,
                fade: 0.5,
                bias: -2.0,
                weights: BTreeMap::from([("a".to_owned(), 1.5)]),
                calibration: [1.0, 0.0],
            }],
            caution: 0.5,
            danger: 0.75,
            wording_floor: 0.0,
        }
    }

    fn some() -> impl Strategy<Value = Learned> {
        proptest::collection::btree_map(any::<u32>(), any::<i8>(), 0..50)
            .prop_map(|learned| learned.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_file_reads_as_it_was_written(messages in some(), chats in some()) {
            let model = Model::new(head(), messages, chats);
            let read = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
            prop_assert_eq!((read.head, read.messages, read.chats), (model.head, model.messages, model.chats));
        }

        #[test]
        fn what_is_no_file_is_an_error_and_never_a_panic(tail in proptest::collection::vec(any::<u8>(), 0..40)) {
            let start = Model::new(head(), Learned::new(), Learned::new()).to_bytes().unwrap();
            let start = &start[..start.len() - 8];
            if let Ok(model) = Model::from_bytes(&[start, &tail].concat()) {
                prop_assert!(model.messages.grams.is_sorted() && model.chats.grams.is_sorted());
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_of_another_kind_says_so() {
        let model = Model::new(head(), vec![(2_000_000, -7), (1000, 7)], vec![(5, 1)]);
        let bytes = model.to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Model::from_bytes(&bytes[..length]).unwrap_err().contains("no model"), "{length}");
        }
        assert!(Model::from_bytes(&[&bytes[..], b"x"].concat()).unwrap_err().contains("cut off"));
        assert!(Model::from_bytes(b"BFSCAM01....").unwrap_err().contains("another version"));
    }
}
