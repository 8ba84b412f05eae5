//! Safetensors files of f32 tensors with one JSON text of metadata: the form of adapters and of checkpoints.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};

/// The key of the metadata.
pub(crate) const KEY: &str = "bonafide";

/// A tensor's shape and its numbers, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Tensors by name, and what is said of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensors {
    pub(crate) metadata: String,
    pub(crate) tensors: BTreeMap<String, Numbers>,
}

impl Tensors {
    /// The file's bytes: the same for the same tensors.
    pub(crate) fn write(&self) -> Result<Vec<u8>, String> {
        let bytes: Vec<(&str, &[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let bytes = tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect();
                (name.as_str(), tensor.shape.as_slice(), bytes)
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| error.to_string())?;
        let metadata = HashMap::from([(KEY.to_owned(), self.metadata.clone())]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
    }

    /// Reads such a file; every number is finite.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes)
            .map_err(|error| format!("no whole safetensors file: {error}"))?;
        let metadata = header.metadata().as_ref().and_then(|all| all.get(KEY)).cloned();
        let metadata = metadata.ok_or_else(|| format!("no metadata `{KEY}` in it"))?;
        let file =
            SafeTensors::deserialize(bytes).map_err(|error| format!("no whole safetensors file: {error}"))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(format!("the tensor `{name}` is not in f32"));
            }
            let numbers = view.data().chunks_exact(4);
            let values: Vec<f32> = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            if !values.iter().all(|x| x.is_finite()) {
                return Err(format!("the tensor `{name}` holds numbers that are not finite"));
            }
            tensors.insert(name, Numbers { shape: view.shape().to_vec(), values });
        }
        Ok(Self { metadata, tensors })
    }

    /// Takes a tensor of this shape out.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let tensor = self.tensors.remove(name).ok_or_else(|| format!("the tensor `{name}` is absent"))?;
        if tensor.shape == shape {
            return Ok(tensor.values);
        }
        Err(format!("the tensor `{name}` is {:?} where {shape:?} is expected", tensor.shape))
    }
}
