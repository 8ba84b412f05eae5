//! Trained probes: linear classifiers of the model's hidden states, a few kilobytes each.
//!
//! A probe is a safetensors file with one tensor `probe.weights` (f32, depths by width): for each depth, what the
//! normalised residual stream after so many layers is multiplied with. Its metadata says which model file it was trained
//! on and which depths it reads. A probe gives one number a token; what that number is worth the calibration says that
//! was made with it.

use bonafide_core::hex::hex;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The key of the metadata that every probe has.
pub(crate) const FORMAT_KEY: &str = "format";
/// The key of the names of the data sets that it learned from, one after the other.
pub(crate) const DATA_KEY: &str = "data";
/// What the file's metadata has under `format`.
const FORMAT: &str = "bonafide-probe-1";
/// More would cost more than the forward pass.
const MOST_DEPTHS: usize = 8;

/// A linear classifier of hidden states.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// SHA-256 of the model file that it reads, in hexadecimal.
    pub model_sha256: String,
    /// Numbers of layers after which it reads the stream, rising.
    pub depths: Vec<usize>,
    /// A vector as wide as the stream for each depth, one after the other.
    pub weights: Vec<f32>,
}

/// Why a probe file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the probe can't be used: {0}; make one with `bonafide train detector --probe`")]
pub struct ProbeError(String);

impl Probe {
    /// Reads a safetensors file.
    pub fn read(bytes: &[u8]) -> Result<Self, ProbeError> {
        let wrong = |what: String| ProbeError(what);
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| wrong(format!("it is no safetensors file ({error})")))?;
        let fields = metadata.metadata().clone().unwrap_or_default();
        let field =
            |name: &str| fields.get(name).ok_or_else(|| wrong(format!("its metadata has no `{name}`")));
        if field(FORMAT_KEY)? != FORMAT {
            return Err(wrong(format!(
                "its format is {:?}, and this program reads {FORMAT:?}",
                field(FORMAT_KEY)?
            )));
        }
        let model_sha256 = field("model_sha256")?.to_ascii_lowercase();
        if model_sha256.len() != 64 || !model_sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("its `model_sha256` is not 64 hexadecimal digits".to_owned()));
        }
        let depths = field("depths")?
            .split(',')
            .map(|depth| depth.trim().parse().ok().filter(|depth| *depth > 0))
            .collect::<Option<Vec<usize>>>()
            .filter(|depths| depths.len() <= MOST_DEPTHS && depths.windows(2).all(|pair| pair[0] < pair[1]))
            .ok_or_else(|| wrong("its `depths` are no rising numbers of layers".to_owned()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(error.to_string()))?;
        let tensor = file.tensor("probe.weights").map_err(|error| wrong(error.to_string()))?;
        if tensor.dtype() != Dtype::F32
            || !matches!(tensor.shape(), [rows, width] if *rows == depths.len() && *width > 0)
        {
            let shape = tensor.shape();
            return Err(wrong(format!(
                "`probe.weights` is not an f32 matrix of {} rows: {shape:?}",
                depths.len()
            )));
        }
        let weights: Vec<f32> = tensor
            .data()
            .chunks_exact(4)
            .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        if !weights.iter().all(|weight| weight.is_finite()) {
            return Err(wrong("a weight is not a number".to_owned()));
        }
        Ok(Self { model_sha256, depths, weights })
    }

    /// The same as a file, byte by byte the same each time; `notes` go into its metadata, for people.
    pub fn write(&self, notes: &[(&str, String)]) -> Result<Vec<u8>, ProbeError> {
        let depths: Vec<String> = self.depths.iter().map(ToString::to_string).collect();
        let mut metadata: HashMap<String, String> =
            notes.iter().map(|(name, note)| ((*name).to_owned(), note.clone())).collect();
        metadata.insert(FORMAT_KEY.to_owned(), FORMAT.to_owned());
        metadata.insert("model_sha256".to_owned(), self.model_sha256.clone());
        metadata.insert("depths".to_owned(), depths.join(","));
        let bytes: Vec<u8> = self.weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
        let shape = vec![self.depths.len(), self.width()];
        let failed = |error: safetensors::SafeTensorError| ProbeError(error.to_string());
        let tensor = TensorView::new(Dtype::F32, shape, &bytes).map_err(failed)?;
        safetensors::serialize([("probe.weights", tensor)], Some(metadata)).map(in_order).map_err(failed)
    }

    /// Width of the stream that it reads.
    #[must_use]
    pub fn width(&self) -> usize {
        self.weights.len() / self.depths.len().max(1)
    }

    /// Whether it was trained on this very model file.
    #[must_use]
    pub fn fits(&self, model_sha256: &str) -> bool {
        self.model_sha256.eq_ignore_ascii_case(model_sha256)
    }

    /// What tells this probe from any other: a hash of all that decides what it gives.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.model_sha256.as_bytes());
        for depth in &self.depths {
            hasher.update((*depth as u64).to_le_bytes());
        }
        for weight in &self.weights {
            hasher.update(weight.to_le_bytes());
        }
        hex(&hasher.finalize())
    }
}

/// A safetensors file with its header's names in order: the library writes metadata as its hash map happens to hold it.
fn in_order(mut file: Vec<u8>) -> Vec<u8> {
    let length = file.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
    let Some(header) = file.get_mut(8..8 + length) else { return file };
    let sorted =
        serde_json::from_slice::<serde_json::Value>(header).and_then(|value| serde_json::to_vec(&value));
    // The same names and values take the same room; what is over is the library's padding, spaces.
    if let Some(sorted) = sorted.ok().filter(|sorted| sorted.len() <= header.len()) {
        header.fill(b' ');
        header[..sorted.len()].copy_from_slice(&sorted);
    }
    file
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn probe() -> Probe {
        Probe {
            model_sha256: "ab".repeat(32),
            depths: vec![3, 5],
            weights: vec![1.0, -2.0, 0.5, 4.0, 0.0, 3.0],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = probe().write(&[("data", "train.a".to_owned())]).unwrap();
        let back = Probe::read(&bytes).unwrap();
        assert_eq!((back.width(), &back), (3, &probe()));
        assert!(back.fits(&"AB".repeat(32)) && !back.fits(&"cd".repeat(32)));
        assert_eq!(back.id(), probe().id());
        assert_ne!(Probe { depths: vec![3, 6], ..probe() }.id(), probe().id());
    }

    #[test]
    fn the_same_probe_is_the_same_file() {
        let notes: Vec<(&str, String)> =
            ["data", "seed", "name", "bias", "penalty"].map(|name| (name, name.to_owned())).into();
        let first = probe().write(&notes).unwrap();
        assert!((0..20).all(|_| probe().write(&notes).unwrap() == first));
        assert_eq!(Probe::read(&first).unwrap(), probe());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |probe: Probe| Probe::read(&probe.write(&[]).unwrap()).unwrap_err().to_string();
        assert!(said(Probe { model_sha256: "xy".to_owned(), ..probe() }).contains("model_sha256"));
        assert!(said(Probe { depths: vec![5, 3], ..probe() }).contains("depths"));
        assert!(said(Probe { weights: vec![f32::NAN; 6], ..probe() }).contains("not a number"));
        assert!(Probe::read(b"{}").unwrap_err().to_string().contains("train detector --probe"));
    }

    proptest! {
        #[test]
        fn damaged_files_are_refused_or_read_without_panic(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
            let mut bytes = probe().write(&[]).unwrap();
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = Probe::read(&bytes);
            prop_assert!(Probe::read(&bytes[..cut % length]).is_err());
        }
    }
}
