//! Reads a GGUF file: its hyperparameters by name, its tensors one at a time.

use bonafide_kernels::backend::BackendError;
use bonafide_kernels::weights::{Bytes, Format, Matrix};
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, TensorInfo, Value};
use std::io::Cursor;
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
    /// The kernels can't run the model.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The tokenizer can't be built.
    #[error("the model's tokenizer can't be built: {0}")]
    Tokenizer(String),
}

/// An open GGUF file, mapped into memory.
pub(crate) struct Gguf {
    content: Content,
    bytes: Bytes,
}

impl Gguf {
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let bytes = Bytes::map(path).map_err(|source| LoadError::Read { path: name.clone(), source })?;
        let content = Content::read(&mut Cursor::new(&bytes[..]))
            .map_err(|error| LoadError::NotGguf { path: name, reason: first_line(&error) })?;
        Ok(Self { content, bytes })
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

    /// A matrix as it stands in the file, checking its shape.
    pub(crate) fn matrix(&self, name: &str, rows: usize, cols: usize) -> Result<Matrix, LoadError> {
        let wrong = |reason: String| LoadError::Tensor { name: name.to_owned(), reason };
        let info = self.info(name, &[rows, cols])?;
        let Some(format) = format(info.ggml_dtype) else {
            let values = self.dequantized(name)?;
            return Matrix::from_f32(rows, cols, &values).map_err(|error| wrong(error.to_string()));
        };
        let bytes =
            self.tensor_bytes(info, format, rows, cols).ok_or_else(|| wrong("it is cut".to_owned()))?;
        Matrix::new(format, rows, cols, bytes).map_err(|error| wrong(error.to_string()))
    }

    fn tensor_bytes(&self, info: &TensorInfo, format: Format, rows: usize, cols: usize) -> Option<Bytes> {
        let len = format.row_bytes(cols)?.checked_mul(rows)?;
        let at = self.content.tensor_data_offset.checked_add(info.offset)?;
        self.bytes.part(usize::try_from(at).ok()?, len)
    }

    /// Like `matrix`, for one that a model may lack.
    pub(crate) fn optional_matrix(
        &self,
        name: &str,
        rows: usize,
        cols: usize,
    ) -> Result<Option<Matrix>, LoadError> {
        if self.has_tensor(name) { self.matrix(name, rows, cols).map(Some) } else { Ok(None) }
    }

    /// A vector in f32, checking its length.
    pub(crate) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        self.info(name, &[len])?;
        self.dequantized(name)
    }

    /// Like `vector`, for one that a model may lack.
    pub(crate) fn optional_vector(&self, name: &str, len: usize) -> Result<Option<Vec<f32>>, LoadError> {
        if self.has_tensor(name) { self.vector(name, len).map(Some) } else { Ok(None) }
    }

    fn info(&self, name: &str, shape: &[usize]) -> Result<&TensorInfo, LoadError> {
        let wrong = |reason: String| LoadError::Tensor { name: name.to_owned(), reason };
        let info = self.content.tensor_infos.get(name).ok_or_else(|| wrong("it is absent".to_owned()))?;
        if info.shape.dims() == shape {
            return Ok(info);
        }
        Err(wrong(format!("its shape is {:?} where {shape:?} is expected", info.shape.dims())))
    }

    fn dequantized(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        self.content
            .tensor(&mut Cursor::new(&self.bytes[..]), name, &Device::Cpu)
            .and_then(|tensor| tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1())
            .map_err(|error| LoadError::Tensor { name: name.to_owned(), reason: first_line(&error) })
    }

    /// Number of columns of a matrix, without reading it.
    pub(crate) fn rows_of(&self, name: &str) -> Option<usize> {
        self.content.tensor_infos.get(name)?.shape.dims().first().copied()
    }
}

/// The formats that the kernels read themselves; candle turns any other into f32.
fn format(dtype: GgmlDType) -> Option<Format> {
    Some(match dtype {
        GgmlDType::F32 => Format::F32,
        GgmlDType::F16 => Format::F16,
        GgmlDType::BF16 => Format::BF16,
        GgmlDType::Q4_0 => Format::Q4_0,
        GgmlDType::Q4_1 => Format::Q4_1,
        GgmlDType::Q5_0 => Format::Q5_0,
        GgmlDType::Q5_1 => Format::Q5_1,
        GgmlDType::Q8_0 => Format::Q8_0,
        GgmlDType::Q4K => Format::Q4_K,
        GgmlDType::Q5K => Format::Q5_K,
        GgmlDType::Q6K => Format::Q6_K,
        _ => return None,
    })
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
