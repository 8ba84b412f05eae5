//! From a GGUF file to a decoder that the kernels can run.

use super::config::{Architecture, Config};
use super::gguf::{Gguf, LoadError};
use super::tokenizer::TextTokenizer;
use bonafide_kernels::weights::{Activation, Layer, Linear, Model, RotaryPairs, Shape};
use std::path::Path;

/// A model's weights, still in the file, with what goes with them.
pub(crate) struct Loaded {
    pub(crate) model: Model,
    pub(crate) tokenizer: TextTokenizer,
    /// The architecture, as GGUF names it.
    pub(crate) architecture: &'static str,
    /// Longest sequence that the model was made for.
    pub(crate) context: usize,
}

/// Reads a model and its tokenizer from one GGUF file.
pub(crate) fn load(path: &Path) -> Result<Loaded, LoadError> {
    let gguf = Gguf::open(path)?;
    let tokenizer = TextTokenizer::read(&gguf)?;
    let config = Config::read(&gguf)?;
    Ok(Loaded {
        model: model(&gguf, &config)?,
        tokenizer,
        architecture: config.architecture.name(),
        context: config.context,
    })
}

fn model(gguf: &Gguf, config: &Config) -> Result<Model, LoadError> {
    let Config { vocab, dim, .. } = *config;
    let embedding = gguf.matrix("token_embd.weight", vocab, dim)?;
    let output = gguf.optional_matrix("output.weight", vocab, dim)?.unwrap_or_else(|| embedding.clone());
    let factors = gguf.optional_vector("rope_freqs.weight", config.head_dim / 2)?;
    let model = Model {
        shape: shape(config, factors.as_deref()),
        embedding,
        output,
        output_norm: gguf.vector("output_norm.weight", dim)?,
        layers: (0..config.layers).map(|index| layer(gguf, config, index)).collect::<Result<_, _>>()?,
    };
    model.check()?;
    Ok(model)
}

fn shape(config: &Config, rope_factors: Option<&[f32]>) -> Shape {
    let gemma = config.architecture == Architecture::Gemma3;
    Shape {
        dim: config.dim,
        feed_forward: config.feed_forward,
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
        vocab: config.vocab,
        norm_eps: config.norm_eps as f32,
        activation: if gemma { Activation::Gelu } else { Activation::Silu },
        pairs: match config.architecture {
            // GGUF keeps llama's query and key rows permuted for neighbouring pairs.
            Architecture::Llama => RotaryPairs::Neighbours,
            _ => RotaryPairs::Halves,
        },
        // Gemma scales its embeddings by the square root of the width.
        embedding_scale: if gemma { (config.dim as f32).sqrt() } else { 1.0 },
        rotary: config.rope_frequencies(false, rope_factors),
        rotary_local: config.rope_frequencies(true, None),
        window: config.sliding_window,
    }
}

fn layer(gguf: &Gguf, config: &Config, index: usize) -> Result<Layer, LoadError> {
    let Config { dim, head_dim, feed_forward, .. } = *config;
    let (query_dim, kv_dim) = (config.heads * head_dim, config.kv_heads * head_dim);
    let name = |rest: &str| format!("blk.{index}.{rest}");
    let linear = |rest: &str, out: usize, input: usize| -> Result<Linear, LoadError> {
        Ok(Linear {
            weight: gguf.matrix(&name(&format!("{rest}.weight")), out, input)?,
            bias: gguf.optional_vector(&name(&format!("{rest}.bias")), out)?,
        })
    };
    let norm = |rest: &str, size: usize| gguf.optional_vector(&name(rest), size);
    Ok(Layer {
        attention_norm: gguf.vector(&name("attn_norm.weight"), dim)?,
        query: linear("attn_q", query_dim, dim)?,
        key: linear("attn_k", kv_dim, dim)?,
        value: linear("attn_v", kv_dim, dim)?,
        query_norm: norm("attn_q_norm.weight", head_dim)?,
        key_norm: norm("attn_k_norm.weight", head_dim)?,
        attention_output: linear("attn_output", dim, query_dim)?,
        post_attention_norm: norm("post_attention_norm.weight", dim)?,
        feed_forward_norm: gguf.vector(&name("ffn_norm.weight"), dim)?,
        gate: linear("ffn_gate", feed_forward, dim)?,
        up: linear("ffn_up", feed_forward, dim)?,
        down: linear("ffn_down", dim, feed_forward)?,
        post_feed_forward_norm: norm("post_ffw_norm.weight", dim)?,
        local: config.is_local(index),
    })
}

#[cfg(test)]
mod tests;
