//! What a run that was stopped goes on from: the parameters, the optimiser's moments and where the run stands. It knows
//! names and numbers, not what is trained.

use super::model::numbers;
use super::optim::AdamW;
use crate::model::tensors::{Numbers, Tensors};
use crate::private;
use candle_core::{Device, Tensor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The version that is written and read.
const VERSION: u32 = 1;

/// Why a checkpoint can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file can't be read or written.
    #[error("the checkpoint {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its bytes are not those of a checkpoint of this training.
    #[error("the checkpoint {path} can't be used: {reason}; remove it to begin anew")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another run.
    #[error(
        "the checkpoint {path} is of a run with other data or options: name the same ones, or remove it to begin anew"
    )]
    OtherRun {
        /// The file.
        path: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header<S> {
    version: u32,
    /// A hash of everything that the run's course depends on.
    config: String,
    steps: u64,
    state: S,
}

/// Tensors that are kept beside the parameters and their moments, by name.
pub type Further = BTreeMap<String, Tensor>;

/// Writes a checkpoint in place of an older one, in one step.
pub fn save<S: Serialize>(
    path: &Path,
    config: &str,
    state: &S,
    optimiser: &AdamW,
    further: &Further,
) -> Result<(), CheckpointError> {
    let wrong = |reason: String| CheckpointError::Unusable { path: path.display().to_string(), reason };
    let mut tensors = BTreeMap::new();
    let mut put = |name: String, tensor: &Tensor| -> Result<(), CheckpointError> {
        let values = numbers(tensor).map_err(|error| wrong(error.to_string()))?;
        let values = values.into_iter().map(|x| x as f32).collect();
        tensors.insert(name, Numbers { shape: tensor.dims().to_vec(), values });
        Ok(())
    };
    for parameter in optimiser.parameters() {
        put(format!("value.{}", parameter.name), parameter.var.as_tensor())?;
    }
    for (name, [first, second]) in optimiser.moments() {
        put(format!("first.{name}"), &first)?;
        put(format!("second.{name}"), &second)?;
    }
    for (name, tensor) in further {
        put(format!("further.{name}"), tensor)?;
    }
    let header = Header { version: VERSION, config: config.to_owned(), steps: optimiser.steps(), state };
    let metadata = serde_json::to_string(&header).map_err(|error| wrong(error.to_string()))?;
    let bytes = Tensors { metadata, tensors }.write().map_err(wrong)?;
    private::replace(path, &bytes)
        .map_err(|source| CheckpointError::Io { path: path.display().to_string(), source })
}

/// Puts a checkpoint's numbers into the parameters and the optimiser, and gives the rest.
pub fn resume<S: DeserializeOwned>(
    path: &Path,
    config: &str,
    optimiser: &mut AdamW,
) -> Result<(S, Further), CheckpointError> {
    let name = || path.display().to_string();
    let wrong = |reason: String| CheckpointError::Unusable { path: name(), reason };
    let candle =
        |error: candle_core::Error| CheckpointError::Unusable { path: name(), reason: error.to_string() };
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io { path: name(), source })?;
    let mut file = Tensors::read(&bytes).map_err(wrong)?;
    let header: Header<serde_json::Value> =
        serde_json::from_str(&file.metadata).map_err(|error| wrong(error.to_string()))?;
    if header.version != VERSION {
        return Err(wrong(format!("its version is {}, and this program reads {VERSION}", header.version)));
    }
    if header.config != config {
        return Err(CheckpointError::OtherRun { path: name() });
    }
    let state = serde_json::from_value(header.state).map_err(|error| wrong(error.to_string()))?;
    let mut values = Vec::new();
    let mut moments = Vec::new();
    for parameter in optimiser.parameters() {
        let (var, name) = (&parameter.var, &parameter.name);
        let mut tensor = |kind: &str| {
            let values = file.take(&format!("{kind}.{name}"), var.dims()).map_err(wrong)?;
            let tensor = Tensor::from_vec(values, var.shape(), &Device::Cpu).map_err(candle)?;
            tensor.to_dtype(var.dtype()).and_then(|tensor| tensor.to_device(var.device())).map_err(candle)
        };
        values.push((var.clone(), tensor("value")?));
        moments.push([tensor("first")?, tensor("second")?]);
    }
    let mut further = Further::new();
    for (name, tensor) in &file.tensors {
        if let Some(name) = name.strip_prefix("further.") {
            let tensor = Tensor::from_vec(tensor.values.clone(), tensor.shape.as_slice(), &Device::Cpu);
            further.insert(name.to_owned(), tensor.map_err(candle)?);
        }
    }
    // Only now, when nothing can be amiss any more.
    optimiser.restore(header.steps, moments).map_err(candle)?;
    for (var, value) in values {
        var.set(&value).map_err(candle)?;
    }
    Ok((state, further))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::model::Gradients;
    use super::super::optim::Parameter;
    use super::*;
    use candle_core::Var;

    fn optimiser() -> (AdamW, Var) {
        let var = Var::from_tensor(&Tensor::new(&[[1.0_f32, -2.0]], &Device::Cpu).unwrap()).unwrap();
        let parameter = Parameter { name: "w".to_owned(), var: var.clone(), decays: true, rate: 1.0 };
        (AdamW::new(vec![parameter], 0.1).unwrap(), var)
    }

    fn step(optimiser: &mut AdamW, var: &Var) {
        let mut grads = Gradients::default();
        grads.add(var, &Tensor::new(&[[0.5_f32, 0.25]], &Device::Cpu).unwrap()).unwrap();
        optimiser.step(&grads, 0.1, 1.0).unwrap();
    }

    #[test]
    fn a_run_goes_on_from_its_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        let (mut first, var) = optimiser();
        step(&mut first, &var);
        let further = Further::from([("best".to_owned(), Tensor::new(&[3.0_f32], &Device::Cpu).unwrap())]);
        save(&path, "config", &vec![1, 2], &first, &further).unwrap();
        step(&mut first, &var);
        let (mut second, other) = optimiser();
        let (state, kept): (Vec<u32>, Further) = resume(&path, "config", &mut second).unwrap();
        assert_eq!((state, second.steps()), (vec![1, 2], 1));
        assert_eq!(kept["best"].to_vec1::<f32>().unwrap(), [3.0]);
        step(&mut second, &other);
        assert_eq!(var.to_vec2::<f32>().unwrap(), other.to_vec2::<f32>().unwrap());
    }

    #[test]
    fn other_runs_and_broken_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        let (mut optimiser, _) = optimiser();
        save(&path, "config", &1, &optimiser, &Further::new()).unwrap();
        let error = resume::<u32>(&path, "other", &mut optimiser).unwrap_err();
        assert!(matches!(error, CheckpointError::OtherRun { .. }), "{error}");
        assert!(matches!(
            resume::<String>(&path, "config", &mut optimiser),
            Err(CheckpointError::Unusable { .. })
        ));
        let bytes = std::fs::read(&path).unwrap();
        for len in [0, 7, 40, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..len]).unwrap();
            assert!(resume::<u32>(&path, "config", &mut optimiser).is_err(), "{len} bytes");
        }
        let absent = resume::<u32>(&folder.path().join("none"), "config", &mut optimiser);
        assert!(matches!(absent, Err(CheckpointError::Io { .. })));
    }
}
