//! What was trained: the weights of wording, the head that weighs it with the tactics, the calibration and the thresholds.

use super::fields::Fields;
use super::wording::{BUCKETS, Wording};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The file that comes with the program: made by `bonafide train scam`; [its account](MODEL_CARD.md) says of what.
#[cfg(feature = "scam-data")]
pub(super) const BUILT_IN: &[u8] = include_bytes!("model.bin");

/// The first bytes of a model file.
const MAGIC: &[u8; 8] = b"BFSCAM01";

/// All but the table of wording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// Name and version.
    pub name: String,
    /// Bias of the wording's score.
    pub wording_bias: f64,
    /// What one step of a weight of wording is worth.
    pub wording_step: f64,
    /// Bias of the sum over a conversation.
    pub bias: f64,
    /// Weights of tactics by id, and of the other numbers of a conversation by name. A tactic that is not here has the
    /// weight that the taxonomy gives it.
    pub weights: BTreeMap<String, f64>,
    /// Slope and offset of the calibration: probability = 1 / (1 + exp(-(slope * sum + offset))).
    pub calibration: [f64; 2],
    /// Least probability for `caution`.
    pub caution: f64,
    /// Least probability for `danger`.
    pub danger: f64,
    /// Least score of wording (of all messages together, or the mean of the three strangest) for `danger`: tactics alone never give it.
    pub wording_floor: f64,
}

impl Head {
    fn read(json: &[u8]) -> Result<Self, String> {
        let mut fields = Fields::parse(json, "head")?;
        let mut weights = BTreeMap::new();
        for (name, value) in fields.within("weights")? {
            let weight = value.as_f64().ok_or_else(|| format!("the weight of {name} is no number"))?;
            weights.insert(name, weight);
        }
        let calibration: Vec<f64> = fields.values("calibration")?.iter().filter_map(Value::as_f64).collect();
        let head = Self {
            name: fields.text("name")?,
            wording_bias: fields.number("wording_bias")?,
            wording_step: fields.number("wording_step")?,
            bias: fields.number("bias")?,
            weights,
            calibration: calibration.try_into().map_err(|_| "the calibration is not two numbers")?,
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
    /// All but the table.
    pub head: Head,
    pub(super) wording: Wording,
}

impl Model {
    /// The one that comes with the program.
    #[cfg(feature = "scam-data")]
    pub(super) fn built_in() -> Result<Self, String> {
        Self::from_bytes(BUILT_IN)
    }

    /// One with these weights of wording; there must be [`BUCKETS`] of them.
    ///
    /// # Errors
    /// There are not.
    pub fn new(head: Head, weights: Vec<i8>) -> Result<Self, String> {
        if weights.len() != BUCKETS {
            return Err(format!("the model has {} weights of wording instead of {BUCKETS}", weights.len()));
        }
        let wording = Wording { bias: head.wording_bias, step: head.wording_step, weights };
        Ok(Self { head, wording })
    }

    /// Reads a file: a mark, the head's length (32 bits, little-endian), the head as JSON, the weights.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || "this is no model of `bonafide train scam`, or one of another version".to_owned();
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(wrong)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (head, weights) =
            rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(wrong)?;
        let head = Head::read(head).map_err(|error| format!("{}: {error}", wrong()))?;
        Self::new(head, weights.iter().map(|byte| byte.cast_signed()).collect())
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
        bytes.extend(self.wording.weights.iter().map(|weight| weight.cast_unsigned()));
        Ok(bytes)
    }
}
