//! What was trained for a model, whichever way: a probe of its hidden states, or a low-rank adapter whose head is read as a
//! probe of the adapted model. Both are safetensors files; their metadata says which is which.

use super::lora::file::Adapter;
use super::lora::merge::merge;
use super::probe::{self, Probe};
use super::tensors;
use bonafide_kernels::weights::Model;
use safetensors::tensor::SafeTensors;
use std::path::Path;

/// No such file is longer.
const MOST_BYTES: u64 = 1 << 30;

/// How it was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The model stays as it is.
    Probe,
    /// The model's lower layers are adapted.
    Lora,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Lora => "lora",
        }
    }
}

/// What it learned from, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// Names of the data sets.
    pub data: Vec<String>,
    /// The name of a domain or data set that was measured instead.
    pub held_out: Option<String>,
}

impl Learned {
    /// Whether texts of a data set and of a domain in it may have been learned from.
    #[must_use]
    pub fn saw(&self, dataset: &str, domain: Option<&str>) -> bool {
        let held_out = self.held_out.as_deref();
        self.data.iter().any(|name| name == dataset) && (domain.is_none() || domain != held_out)
    }
}

/// What a file that `--adapter` names holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Trained {
    /// A probe, with what its file says that it learned from.
    Probe(Probe, Learned),
    /// An adapter with its head.
    Lora(Box<Adapter>),
}

/// What of it is there once the model is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    /// How it was trained.
    pub kind: Kind,
    /// What tells it from any other.
    pub id: String,
    /// What it learned from.
    pub learned: Learned,
    /// What reads the hidden states.
    pub probe: Probe,
}

impl Trained {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        if std::fs::metadata(path).map_err(said)?.len() > MOST_BYTES {
            return Err("it is too long for a probe or an adapter".to_owned());
        }
        Self::read(&std::fs::read(path).map_err(said)?)
    }

    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| {
            format!("it is no whole safetensors file ({error}): make one with `bonafide train detector`")
        })?;
        let fields = header.metadata().clone().unwrap_or_default();
        if fields.contains_key(tensors::KEY) {
            return match Adapter::read(bytes) {
                Ok(adapter) => Ok(Self::Lora(Box::new(adapter))),
                Err(error) => Err(error.to_string()),
            };
        }
        if !fields.contains_key(probe::FORMAT_KEY) {
            let what = "it is neither a probe nor an adapter: make one with `bonafide train detector`";
            return Err(what.to_owned());
        }
        let probe = Probe::read(bytes).map_err(|error| error.to_string())?;
        let names = fields.get(probe::DATA_KEY).map(String::as_str).unwrap_or_default();
        let data = names.split_whitespace().map(str::to_owned).collect();
        Ok(Self::Probe(probe, Learned { data, held_out: None }))
    }

    /// Whether it was trained on this very model file.
    #[must_use]
    pub fn fits(&self, model_sha256: &str) -> bool {
        match self {
            Self::Probe(probe, _) => probe.fits(model_sha256),
            Self::Lora(adapter) => adapter.meta.base.eq_ignore_ascii_case(model_sha256),
        }
    }

    /// Puts it to a model: the model with the adapter in its weights, and what reads its states.
    pub fn put(self, model: Model) -> Result<(Model, Reader), String> {
        let (model, reader) = match self {
            Self::Probe(probe, learned) => {
                (model, Reader { kind: Kind::Probe, id: probe.id(), learned, probe })
            }
            Self::Lora(adapter) => {
                let merged = merge(&model, &adapter).map_err(|error| error.to_string())?;
                let probe = adapter.probe(&model.shape).map_err(|error| error.to_string())?;
                let id = adapter.id();
                let learned = Learned { data: adapter.meta.data, held_out: adapter.meta.held_out };
                (merged, Reader { kind: Kind::Lora, id, learned, probe })
            }
        };
        let (dim, layers) = (model.shape.dim, model.layers.len());
        if reader.probe.width() != dim {
            let width = reader.probe.width();
            return Err(format!("it reads states of {width} numbers, and the model's have {dim}"));
        }
        match reader.probe.depths.last() {
            Some(deepest) if (1..layers).contains(deepest) => Ok((model, reader)),
            deepest => Err(format!(
                "it reads the states after {} of {layers} layers, and they can be read from 1 to {}: train it anew at \
                 such a depth",
                deepest.copied().unwrap_or(0),
                layers - 1
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::tensors::Tensors;
    use crate::train::lora::testing;
    use safetensors::tensor::{Dtype, TensorView};
    use std::collections::BTreeMap;

    fn probe(depths: &[usize], width: usize) -> Probe {
        let weights = vec![0.5; depths.len() * width];
        Probe { model_sha256: "ab".repeat(32), depths: depths.to_vec(), weights }
    }

    #[test]
    fn a_probe_is_known_by_its_metadata_and_says_what_it_learned_from() {
        let bytes = probe(&[1, 2], 24).write(&[("data", "train.a train.b".to_owned())]).unwrap();
        let trained = Trained::read(&bytes).unwrap();
        assert!(trained.fits(&"AB".repeat(32)) && !trained.fits(&"cd".repeat(32)));
        let (_, reader) = trained.put(testing::llama()).unwrap();
        assert_eq!((reader.kind, &reader.id), (Kind::Probe, &probe(&[1, 2], 24).id()));
        assert_eq!(reader.learned.data, ["train.a", "train.b"]);
    }

    #[test]
    fn what_is_neither_is_said_to_be_neither() {
        let said = |bytes: &[u8]| Trained::read(bytes).unwrap_err();
        assert!(said(b"{}").contains("no whole safetensors file"));
        let tensor = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
        let bare = safetensors::serialize([("probe.weights", tensor)], None).unwrap();
        assert!(said(&bare).contains("neither a probe nor an adapter"));
        let other = Tensors { metadata: "{}".to_owned(), tensors: BTreeMap::new() };
        assert!(said(&other.write().unwrap()).contains("train detector --lora"));
        assert!(!Trained::open(Path::new("no/such/file")).unwrap_err().is_empty());
    }

    #[test]
    fn a_probe_of_another_width_or_depth_does_not_fit() {
        let said = |probe: Probe| {
            Trained::Probe(probe, Learned::default()).put(testing::llama()).map(|(_, reader)| reader)
        };
        assert!(said(probe(&[2], 24)).is_ok());
        assert!(said(probe(&[2], 25)).unwrap_err().contains("25 numbers"));
        assert!(said(probe(&[3], 24)).unwrap_err().contains("from 1 to 2"));
    }

    #[test]
    fn what_was_held_out_was_not_seen() {
        let learned = Learned { data: vec!["train.a".to_owned()], held_out: Some("news".to_owned()) };
        assert!(learned.saw("train.a", Some("law")) && learned.saw("train.a", None));
        assert!(!learned.saw("train.a", Some("news")) && !learned.saw("train.b", Some("law")));
        assert!(Learned { held_out: None, ..learned }.saw("train.a", None));
    }
}
