//! A model's hyperparameters, read from GGUF metadata.

use super::gguf::{Gguf, LoadError};

/// The families that differ in what a layer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
}

impl Architecture {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }

    fn parse(name: &str) -> Result<Self, LoadError> {
        match name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            "qwen3" => Ok(Self::Qwen3),
            "gemma3" => Ok(Self::Gemma3),
            other => Err(LoadError::Architecture(other.to_owned())),
        }
    }
}

/// Shape and constants of a decoder.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) architecture: Architecture,
    pub(crate) layers: usize,
    pub(crate) dim: usize,
    pub(crate) feed_forward: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) vocab: usize,
    pub(crate) context: usize,
    pub(crate) norm_eps: f64,
    pub(crate) rope_base: f64,
    /// Positions are divided by this in layers that see the whole context (linear scaling).
    pub(crate) rope_scale: f64,
    /// Tokens that a local layer sees, itself included; `None` where every layer sees all.
    pub(crate) sliding_window: Option<usize>,
}

/// Every sixth Gemma 3 layer sees the whole context, the others a window (Gemma 3 report, section 2).
const GEMMA3_GLOBAL_EVERY: usize = 6;
/// Gemma 3's rotary base in local layers (Gemma 3 report, section 2).
const GEMMA3_LOCAL_ROPE_BASE: f64 = 10_000.0;

impl Config {
    pub(crate) fn read(gguf: &Gguf) -> Result<Self, LoadError> {
        let name = gguf.string("general.architecture")?.to_owned();
        let architecture = Architecture::parse(&name)?;
        let key = |rest: &str| format!("{name}.{rest}");
        let dim = gguf.number(&key("embedding_length"))?;
        let heads = gguf.number(&key("attention.head_count"))?;
        let kv_heads = gguf.number(&key("attention.head_count_kv")).unwrap_or(heads);
        if heads == 0 || kv_heads == 0 || !heads.is_multiple_of(kv_heads) || dim == 0 {
            return Err(LoadError::Unsupported(format!("{heads} heads over {kv_heads} key-value heads")));
        }
        let head_dim = gguf.number(&key("attention.key_length")).unwrap_or(dim / heads);
        let rotated = gguf.number(&key("rope.dimension_count")).unwrap_or(head_dim);
        if rotated != head_dim || !head_dim.is_multiple_of(2) {
            return Err(LoadError::Unsupported(format!(
                "rotary embedding of {rotated} of {head_dim} dimensions"
            )));
        }
        if gguf.number(&key("expert_count")).is_ok_and(|experts| experts > 0) {
            return Err(LoadError::Unsupported("mixture-of-experts layers are not supported".to_owned()));
        }
        let vocab = gguf
            .rows_of("token_embd.weight")
            .ok_or_else(|| LoadError::Metadata("token_embd.weight".to_owned()))?;
        Ok(Self {
            architecture,
            layers: gguf.number(&key("block_count"))?,
            dim,
            feed_forward: gguf.number(&key("feed_forward_length"))?,
            heads,
            kv_heads,
            head_dim,
            vocab,
            context: gguf.number(&key("context_length"))?,
            norm_eps: gguf.float(&key("attention.layer_norm_rms_epsilon"))?,
            rope_base: gguf.float(&key("rope.freq_base")).unwrap_or(10_000.0),
            rope_scale: rope_scale(gguf, &key)?,
            sliding_window: match architecture {
                Architecture::Gemma3 => Some(gguf.number(&key("attention.sliding_window"))?),
                _ => None,
            },
        })
    }

    /// Whether a layer sees a window only.
    pub(crate) fn is_local(&self, layer: usize) -> bool {
        self.sliding_window.is_some() && !(layer + 1).is_multiple_of(GEMMA3_GLOBAL_EVERY)
    }

    /// Rotary angle per position for each pair of dimensions.
    pub(crate) fn rope_frequencies(&self, local: bool, factors: Option<&[f32]>) -> Vec<f64> {
        let (base, scale) =
            if local { (GEMMA3_LOCAL_ROPE_BASE, 1.0) } else { (self.rope_base, self.rope_scale) };
        (0..self.head_dim / 2)
            .map(|pair| {
                let factor = factors.and_then(|factors| factors.get(pair)).map_or(1.0, |f| f64::from(*f));
                base.powf(-2.0 * pair as f64 / self.head_dim as f64) / (scale * factor)
            })
            .collect()
    }
}

fn rope_scale(gguf: &Gguf, key: &dyn Fn(&str) -> String) -> Result<f64, LoadError> {
    match gguf.string(&key("rope.scaling.type")) {
        Err(_) | Ok("none") => Ok(1.0),
        Ok("linear") => gguf.float(&key("rope.scaling.factor")),
        Ok(other) => Err(LoadError::Unsupported(format!("rotary scaling `{other}` is not supported"))),
    }
}
