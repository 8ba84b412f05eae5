//! The file of an adapter: its low-rank matrices and, for a detector, its head.
//!
//! Safetensors in f32: `layers.{i}.{q|k|v|o|gate|up|down}.a` of `[rank, in]` and `.b` of `[out, rank]` for every layer
//! below `layers`, and `head.weight`, `head.mean`, `head.scale` of `[features]` with `head.bias` of `[1]`. Rows and columns
//! stand as in the GGUF file, the rows of q and k too. The metadata is the JSON of [`Meta`] under the key `bonafide`.

use super::projection::{Projection, tensor_name};
use crate::model::probe::Probe;
use crate::model::tensors::{Numbers, Tensors};
use bonafide_core::hex::hex;
use bonafide_kernels::weights::Shape;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The version that is written and read.
pub const VERSION: u32 = 1;
/// No adapter has a higher rank.
const MOST_RANK: usize = 512;
/// No model has more layers.
const MOST_LAYERS: usize = 512;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// [`VERSION`].
    pub version: u32,
    /// SHA-256 of the model file that it adapts, in hexadecimal.
    pub base: String,
    /// Rank of the matrices.
    pub rank: usize,
    /// What B A is multiplied by, times the rank.
    pub alpha: f64,
    /// Layers that are adapted; for a detector also the depth at which states are pooled.
    pub layers: usize,
    /// What the training drew by.
    pub seed: u64,
    /// Names of the data sets that it learned from.
    pub data: Vec<String>,
    /// The name of the domain or data set that it was measured on, whole, and did not learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<String>,
}

/// The two matrices of one projection, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct LowRank {
    /// `[rank, inputs]`.
    pub a: Vec<f32>,
    /// `[outputs, rank]`.
    pub b: Vec<f32>,
    /// Rows of the adapted matrix.
    pub outputs: usize,
    /// Its columns.
    pub inputs: usize,
}

/// A linear head over standardised features.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    /// One number a feature.
    pub weight: Vec<f32>,
    /// Added to the sum.
    pub bias: f32,
    /// What is taken off each feature.
    pub mean: Vec<f32>,
    /// What each feature is then divided by; above 0.
    pub scale: Vec<f32>,
}

impl LinearHead {
    /// Log-odds that a text is a model's, of its features: the pooled states, then the further numbers.
    #[must_use]
    pub fn log_odds(&self, features: &[f32]) -> f64 {
        let standard = features
            .iter()
            .zip(&self.mean)
            .zip(&self.scale)
            .map(|((x, mean), scale)| (f64::from(*x) - f64::from(*mean)) / f64::from(*scale));
        f64::from(self.bias) + standard.zip(&self.weight).map(|(x, w)| x * f64::from(*w)).sum::<f64>()
    }
}

/// An adapter as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// What it says of itself.
    pub meta: Meta,
    /// The pairs of each layer, in the order of [`Projection::ALL`].
    pub layers: Vec<[LowRank; 7]>,
    /// The head; a language model's adapter has none.
    pub head: Option<LinearHead>,
}

/// Why an adapter can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The bytes are not those of an adapter.
    #[error(
        "the adapter can't be used: {0}; train it again with `bonafide train detector --lora`, or fetch it anew"
    )]
    Malformed(String),
    /// It was made for another model.
    #[error("the adapter doesn't fit this model: {0}; name the model that it was trained on with --model")]
    Unfitting(String),
}

impl Adapter {
    /// The file's bytes: the same for the same adapter.
    pub fn write(&self) -> Result<Vec<u8>, AdapterError> {
        self.tensors()?.write().map_err(malformed)
    }

    /// What is written.
    pub(crate) fn tensors(&self) -> Result<Tensors, AdapterError> {
        let rank = self.meta.rank;
        let mut tensors = BTreeMap::new();
        let mut put = |name: String, shape: Vec<usize>, values: &[f32]| {
            tensors.insert(name, Numbers { shape, values: values.to_vec() });
        };
        for (index, layer) in self.layers.iter().enumerate() {
            for (which, pair) in Projection::ALL.into_iter().zip(layer) {
                put(tensor_name(index, which, "a"), vec![rank, pair.inputs], &pair.a);
                put(tensor_name(index, which, "b"), vec![pair.outputs, rank], &pair.b);
            }
        }
        if let Some(head) = &self.head {
            for (name, values) in [("weight", &head.weight), ("mean", &head.mean), ("scale", &head.scale)] {
                put(format!("head.{name}"), vec![values.len()], values);
            }
            put("head.bias".to_owned(), vec![1], &[head.bias]);
        }
        let metadata = serde_json::to_string(&self.meta).map_err(|error| malformed(error.to_string()))?;
        Ok(Tensors { metadata, tensors })
    }

    /// Reads an adapter and checks that it is whole: every pair is there, of one rank, every number finite, and nothing
    /// else is in the file.
    pub fn read(bytes: &[u8]) -> Result<Self, AdapterError> {
        Self::of_tensors(Tensors::read(bytes).map_err(malformed)?)
    }

    /// The same of what was read already.
    pub(crate) fn of_tensors(mut file: Tensors) -> Result<Self, AdapterError> {
        let meta: Meta = serde_json::from_str(&file.metadata)
            .map_err(|error| malformed(format!("its metadata can't be read ({error})")))?;
        let Meta { version, rank, alpha, layers, .. } = meta;
        if version != VERSION {
            return Err(malformed(format!("its version is {version}, and this program reads {VERSION}")));
        }
        if !(1..=MOST_RANK).contains(&rank) || layers > MOST_LAYERS || !alpha.is_finite() {
            return Err(malformed(format!("no adapter has rank {rank}, alpha {alpha} and {layers} layers")));
        }
        let mut made = Vec::with_capacity(layers);
        for index in 0..layers {
            let [q, k, v, o, gate, up, down] =
                Projection::ALL.map(|which| pair(&mut file, rank, index, which));
            made.push([q?, k?, v?, o?, gate?, up?, down?]);
        }
        let head = head(&mut file)?;
        match file.tensors.keys().next() {
            Some(name) => Err(malformed(format!("it holds a tensor `{name}` that no adapter has"))),
            None => Ok(Self { meta, layers: made, head }),
        }
    }

    /// What the head reads of the states, as a probe of the adapted model: the mean over a text's positions of what it says
    /// is the head's log-odds without what is added to every text alike, and without the further numbers' part.
    pub fn probe(&self, shape: &Shape) -> Result<Probe, AdapterError> {
        let head = self.head.as_ref().ok_or_else(|| {
            malformed("it has no head, so that it tells nothing apart: it adapts a language model".to_owned())
        })?;
        let each = head.weight.iter().zip(&head.scale).take(shape.dim);
        let weights: Vec<f32> =
            each.map(|(weight, scale)| (f64::from(*weight) / f64::from(*scale)) as f32).collect();
        if !weights.iter().all(|weight| weight.is_finite()) {
            return Err(malformed("its head divides by a scale that is next to nothing".to_owned()));
        }
        Ok(Probe {
            model_sha256: self.meta.base.to_ascii_lowercase(),
            depths: vec![self.meta.layers],
            weights,
        })
    }

    /// What tells this adapter from any other: a hash of all that decides what it gives.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.meta.base.to_ascii_lowercase());
        hasher.update((self.meta.rank as u64).to_le_bytes());
        hasher.update(self.meta.alpha.to_le_bytes());
        let mut add = |values: &[f32]| {
            hasher.update((values.len() as u64).to_le_bytes());
            values.iter().for_each(|value| hasher.update(value.to_le_bytes()));
        };
        for pair in self.layers.iter().flatten() {
            add(&pair.a);
            add(&pair.b);
        }
        if let Some(head) = &self.head {
            add(&head.weight);
            add(&head.scale);
        }
        hex(&hasher.finalize())
    }

    /// Whether it fits a model's sizes.
    pub fn check(&self, shape: &Shape, layers: usize) -> Result<(), AdapterError> {
        if self.layers.len() > layers {
            let own = self.layers.len();
            return Err(AdapterError::Unfitting(format!("it adapts {own} layers of {layers}")));
        }
        for (index, layer) in self.layers.iter().enumerate() {
            for (which, pair) in Projection::ALL.into_iter().zip(layer) {
                let (own, expected) = ((pair.outputs, pair.inputs), which.size(shape));
                if own != expected {
                    let name = which.name();
                    return Err(AdapterError::Unfitting(format!(
                        "{name} of layer {index} is {own:?} where {expected:?} is expected"
                    )));
                }
            }
        }
        match &self.head {
            Some(head) if head.weight.len() < shape.dim => Err(AdapterError::Unfitting(format!(
                "its head reads {} features, and the model's states alone are {}",
                head.weight.len(),
                shape.dim
            ))),
            _ => Ok(()),
        }
    }
}

fn malformed(reason: String) -> AdapterError {
    AdapterError::Malformed(reason)
}

fn pair(file: &mut Tensors, rank: usize, index: usize, which: Projection) -> Result<LowRank, AdapterError> {
    let mut side = |side: &str| {
        let name = tensor_name(index, which, side);
        let tensor = file.tensors.remove(&name);
        let tensor = tensor.ok_or_else(|| malformed(format!("the tensor `{name}` is absent")))?;
        match (side, tensor.shape.as_slice()) {
            ("a", &[own, size]) | ("b", &[size, own]) if own == rank && size > 0 => Ok((tensor.values, size)),
            (_, shape) => Err(malformed(format!("the tensor `{name}` of rank {rank} is {shape:?}"))),
        }
    };
    let ((a, inputs), (b, outputs)) = (side("a")?, side("b")?);
    Ok(LowRank { a, b, outputs, inputs })
}

fn head(file: &mut Tensors) -> Result<Option<LinearHead>, AdapterError> {
    if !file.tensors.keys().any(|name| name.starts_with("head.")) {
        return Ok(None);
    }
    let features = file.tensors.get("head.weight").map_or(0, |tensor| tensor.values.len());
    let mut vector = |name: &str, size: usize| file.take(&format!("head.{name}"), &[size]).map_err(malformed);
    let head = LinearHead {
        weight: vector("weight", features)?,
        bias: vector("bias", 1)?.first().copied().unwrap_or(0.0),
        mean: vector("mean", features)?,
        scale: vector("scale", features)?,
    };
    if head.scale.iter().all(|scale| *scale > 0.0) {
        Ok(Some(head))
    } else {
        Err(malformed("its head divides by a scale that is not above 0".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::train::lora::testing;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn adapter() -> Adapter {
        let shape = testing::llama().shape;
        let pair = |which: Projection| {
            let (outputs, inputs) = which.size(&shape);
            LowRank { a: vec![0.25; 2 * inputs], b: vec![-0.5; 2 * outputs], outputs, inputs }
        };
        let size = shape.dim + 2;
        let weight = (0..size).map(|at| at as f32 - 7.0).collect();
        let head = LinearHead { weight, bias: 0.5, mean: vec![1.0; size], scale: vec![2.0; size] };
        let meta = Meta {
            version: VERSION,
            base: "ab".repeat(32),
            rank: 2,
            alpha: 4.0,
            layers: 2,
            seed: 7,
            data: vec!["train.a".to_owned()],
            held_out: Some("news".to_owned()),
        };
        Adapter { meta, layers: vec![Projection::ALL.map(pair), Projection::ALL.map(pair)], head: Some(head) }
    }

    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| adapter().write().unwrap());

    fn problem(change: impl Fn(&mut Tensors)) -> String {
        let mut file = Tensors::read(&BYTES).unwrap();
        change(&mut file);
        Adapter::read(&file.write().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let adapter = adapter();
        assert_eq!(Adapter::read(&BYTES).unwrap(), adapter);
        assert_eq!(*BYTES, adapter.write().unwrap());
        let bare = Adapter { head: None, ..adapter };
        assert_eq!(Adapter::read(&bare.write().unwrap()).unwrap(), bare);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        assert!(
            problem(|file| drop(file.tensors.remove("layers.1.up.b"))).contains("`layers.1.up.b` is absent")
        );
        assert!(problem(|file| file.metadata = file.metadata.replace(":1,", ":9,")).contains("version is 9"));
        assert!(problem(|file| file.metadata.clear()).contains("metadata"));
        assert!(
            problem(|file| file.metadata = file.metadata.replace("\"rank\":2", "\"rank\":0"))
                .contains("rank 0")
        );
        assert!(
            problem(|file| file.metadata = file.metadata.replace("\"rank\":2", "\"rank\":3"))
                .contains("rank 3")
        );
        let scale = |file: &mut Tensors| file.tensors.get_mut("head.scale").unwrap().values[3] = 0.0;
        assert!(problem(scale).contains("scale"));
        let nan = |file: &mut Tensors| file.tensors.get_mut("head.mean").unwrap().values[3] = f32::NAN;
        assert!(problem(nan).contains("not finite"));
        let short = Numbers { shape: vec![2], values: vec![0.0; 2] };
        assert!(
            problem(|file| drop(file.tensors.insert("head.mean".into(), short.clone())))
                .contains("head.mean")
        );
        assert!(problem(|file| drop(file.tensors.insert("other".into(), short.clone()))).contains("`other`"));
    }

    #[test]
    fn the_states_part_of_the_head_is_a_probe() {
        let (adapter, shape) = (adapter(), testing::llama().shape);
        let probe = adapter.probe(&shape).unwrap();
        assert_eq!((probe.depths.as_slice(), probe.weights.len()), ([2].as_slice(), 24));
        assert!(probe.fits(&"AB".repeat(32)));
        assert_eq!(probe.weights[0], -3.5);
        let bare = Adapter { head: None, ..adapter.clone() };
        assert!(bare.probe(&shape).unwrap_err().to_string().contains("no head"));
        let mut steep = adapter;
        steep.head.as_mut().unwrap().scale[3] = 1e-40;
        assert!(steep.probe(&shape).is_err());
    }

    #[test]
    fn an_id_hangs_on_all_that_is_computed_and_on_nothing_else() {
        let own = adapter();
        let changed = |change: fn(&mut Adapter)| {
            let mut other = own.clone();
            change(&mut other);
            other.id() != own.id()
        };
        assert!(changed(|other| other.meta.alpha = 5.0));
        assert!(changed(|other| other.layers[1][6].b[0] = 1.0));
        assert!(changed(|other| other.head.as_mut().unwrap().weight[0] = 1.0));
        assert!(changed(|other| other.head.as_mut().unwrap().scale[0] = 1.0));
        assert!(!changed(|other| other.meta.seed = 8));
        assert!(!changed(|other| other.head.as_mut().unwrap().bias = 1.0));
    }

    #[test]
    fn an_adapter_of_another_shape_does_not_fit() {
        let (adapter, shape) = (adapter(), testing::llama().shape);
        adapter.check(&shape, 3).unwrap();
        assert!(adapter.check(&shape, 1).is_err());
        assert!(adapter.check(&Shape { heads: 2, ..shape.clone() }, 3).is_err());
    }

    #[test]
    fn a_head_is_linear_in_standardised_features() {
        let head =
            LinearHead { weight: vec![2.0, -1.0], bias: 0.5, mean: vec![1.0, 0.0], scale: vec![2.0, 4.0] };
        assert!((head.log_odds(&[3.0, 2.0]) - (0.5 + 2.0 - 0.5)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn cut_files_are_refused(len in 0..BYTES.len()) {
            prop_assert!(Adapter::read(&BYTES[..len]).is_err());
        }

        #[test]
        fn garbled_files_are_refused_or_whole(at in 0..BYTES.len(), byte: u8) {
            let mut bytes = BYTES.clone();
            bytes[at] = byte;
            if let Ok(adapter) = Adapter::read(&bytes) {
                adapter.check(&testing::llama().shape, 3).unwrap();
            }
        }
    }
}
