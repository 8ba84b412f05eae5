//! Reads a GGUF file: its hyperparameters by name, its tensors one at a time.

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Why a model file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file can't be opened or read.
    #[error("the model file {path} can't be read: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file isn't GGUF, or is cut.
    #[error(
        "{path} is not a readable GGUF file ({reason}); fetch it again with `bonafide model pull`, or name another with --model"
    )]
    NotGguf {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A piece of metadata is absent or of the wrong type.
    #[error("the model file lacks a usable `{0}`; it may be cut or made for another program")]
    Metadata(String),
    /// The architecture can't be run.
    #[error("the architecture `{0}` is not supported; use a llama, qwen2, qwen3 or gemma3 model")]
    Architecture(String),
    /// Something about the model is not supported.
    #[error("this model can't be used: {0}")]
    Unsupported(String),
    /// A tensor is absent, cut or misshapen.
    #[error("the model's tensor `{name}` can't be used: {reason}; fetch the file again")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer can't be built.
    #[error("the model's tokenizer can't be built: {0}")]
    Tokenizer(String),
}

/// An open GGUF file.
pub(crate) struct Gguf {
    content: Content,
    reader: BufReader<File>,
}

impl Gguf {
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| LoadError::Read { path: name.clone(), source })?;
        let mut reader = BufReader::new(file);
        let content = Content::read(&mut reader)
            .map_err(|error| LoadError::NotGguf { path: name, reason: first_line(&error) })?;
        Ok(Self { content, reader })
    }

    fn value(&self, key: &str) -> Result<&Value, LoadError> {
        self.content.metadata.get(key).ok_or_else(|| LoadError::Metadata(key.to_owned()))
    }

    pub(crate) fn string(&self, key: &str) -> Result<&str, LoadError> {
        self.value(key)?.to_string().map(String::as_str).map_err(|_| LoadError::Metadata(key.to_owned()))
    }

    pub(crate) fn number(&self, key: &str) -> Result<usize, LoadError> {
        integer(self.value(key)?).ok_or_else(|| LoadError::Metadata(key.to_owned()))
    }

    pub(crate) fn float(&self, key: &str) -> Result<f64, LoadError> {
        match self.value(key)? {
            Value::F32(x) => Ok(f64::from(*x)),
            Value::F64(x) => Ok(*x),
            _ => Err(LoadError::Metadata(key.to_owned())),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.value(key).ok()?.to_bool().ok()
    }

    pub(crate) fn strings(&self, key: &str) -> Result<Vec<String>, LoadError> {
        self.list(key, |value| value.to_string().ok().cloned())
    }

    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<usize>, LoadError> {
        self.list(key, integer)
    }

    pub(crate) fn floats(&self, key: &str) -> Result<Vec<f32>, LoadError> {
        self.list(key, |value| value.to_f32().ok())
    }

    fn list<T>(&self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, LoadError> {
        let wrong = || LoadError::Metadata(key.to_owned());
        self.value(key)?
            .to_vec()
            .map_err(|_| wrong())?
            .iter()
            .map(|value| read(value).ok_or_else(wrong))
            .collect()
    }

    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Reads a tensor and turns it into f32, checking its shape (rows first).
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let wrong = |reason: String| LoadError::Tensor { name: name.to_owned(), reason };
        let tensor = self
            .content
            .tensor(&mut self.reader, name, &Device::Cpu)
            .and_then(|tensor| tensor.dequantize(&Device::Cpu))
            .map_err(|error| wrong(first_line(&error)))?;
        if tensor.dims() == shape {
            Ok(tensor)
        } else {
            Err(wrong(format!("its shape is {:?} where {shape:?} is expected", tensor.dims())))
        }
    }

    /// Like `tensor`, for one that a model may lack.
    pub(crate) fn optional(&mut self, name: &str, shape: &[usize]) -> Result<Option<Tensor>, LoadError> {
        if self.has_tensor(name) { self.tensor(name, shape).map(Some) } else { Ok(None) }
    }

    /// Number of columns of a matrix, without reading it.
    pub(crate) fn rows_of(&self, name: &str) -> Option<usize> {
        self.content.tensor_infos.get(name)?.shape.dims().first().copied()
    }
}

fn integer(value: &Value) -> Option<usize> {
    match value {
        Value::U8(x) => Some(usize::from(*x)),
        Value::U16(x) => Some(usize::from(*x)),
        Value::U32(x) => usize::try_from(*x).ok(),
        Value::U64(x) => usize::try_from(*x).ok(),
        Value::I8(x) => usize::try_from(*x).ok(),
        Value::I16(x) => usize::try_from(*x).ok(),
        Value::I32(x) => usize::try_from(*x).ok(),
        Value::I64(x) => usize::try_from(*x).ok(),
        _ => None,
    }
}

/// candle's errors can carry a backtrace; a person needs the first line.
pub(crate) fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
