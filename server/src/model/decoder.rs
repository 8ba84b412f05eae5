//! The forward pass: packed token sequences in, hidden states of every position out.
//!
//! Sequences lie end to end, so that every product with a weight matrix runs over all tokens of the batch
//! at once and nothing is padded; attention alone is computed sequence by sequence.

use super::config::{Architecture, Config};
use super::gguf::{Gguf, LoadError, first_line};
use super::tokenizer::TextTokenizer;
use bonafide_kernels::backend::{Backend, BackendError, PackedBatch, TokenStats};
use bonafide_kernels::cpu::head::HeadWeights;
use bonafide_kernels::cpu::paired::{self, Side};
use bonafide_kernels::cpu::{activation, head};
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Tensor};
use candle_nn::{ops, rotary_emb};
use std::path::Path;
use std::sync::Arc;

type Candle<T> = candle_core::Result<T>;

/// Queries in one attention product: bounds the score matrix to this many rows, and skips most of the
/// masked upper triangle.
const QUERY_BLOCK: usize = 256;

/// A decoder in f32 on the CPU.
pub struct CpuModel {
    config: Config,
    embedding: Arc<Vec<f32>>,
    layers: Vec<Layer>,
    output_norm: Tensor,
    /// The embedding again where the two are tied.
    output: Arc<Vec<f32>>,
    rope_factors: Option<Vec<f32>>,
    pool: rayon::ThreadPool,
    /// A second model with the same tokenizer, for scores that compare two.
    observer: Option<Box<CpuModel>>,
}

struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

struct Layer {
    attention_norm: Tensor,
    query: Linear,
    key: Linear,
    value: Linear,
    query_norm: Option<Tensor>,
    key_norm: Option<Tensor>,
    attention_output: Linear,
    post_attention_norm: Option<Tensor>,
    feed_forward_norm: Tensor,
    gate: Linear,
    up: Linear,
    down: Linear,
    post_feed_forward_norm: Option<Tensor>,
    local: bool,
}

/// Reads a model and its tokenizer from one GGUF file.
pub(crate) fn load(path: &Path, threads: usize) -> Result<(CpuModel, TextTokenizer), LoadError> {
    let mut gguf = Gguf::open(path)?;
    let tokenizer = TextTokenizer::read(&gguf)?;
    let model = CpuModel::read(&mut gguf, threads)?;
    Ok((model, tokenizer))
}

impl Linear {
    fn read(gguf: &mut Gguf, name: &str, out: usize, input: usize) -> Result<Self, LoadError> {
        Ok(Self {
            weight: gguf.tensor(&format!("{name}.weight"), &[out, input])?,
            bias: gguf.optional(&format!("{name}.bias"), &[out])?,
        })
    }

    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let y = x.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

impl Layer {
    fn read(gguf: &mut Gguf, config: &Config, index: usize) -> Result<Self, LoadError> {
        let Config { dim, head_dim, feed_forward, .. } = *config;
        let (query_dim, kv_dim) = (config.heads * head_dim, config.kv_heads * head_dim);
        let name = |rest: &str| format!("blk.{index}.{rest}");
        let norm = |gguf: &mut Gguf, rest: &str, size| gguf.optional(&name(rest), &[size]);
        Ok(Self {
            attention_norm: gguf.tensor(&name("attn_norm.weight"), &[dim])?,
            query: Linear::read(gguf, &name("attn_q"), query_dim, dim)?,
            key: Linear::read(gguf, &name("attn_k"), kv_dim, dim)?,
            value: Linear::read(gguf, &name("attn_v"), kv_dim, dim)?,
            query_norm: norm(gguf, "attn_q_norm.weight", head_dim)?,
            key_norm: norm(gguf, "attn_k_norm.weight", head_dim)?,
            attention_output: Linear::read(gguf, &name("attn_output"), dim, query_dim)?,
            post_attention_norm: norm(gguf, "post_attention_norm.weight", dim)?,
            feed_forward_norm: gguf.tensor(&name("ffn_norm.weight"), &[dim])?,
            gate: Linear::read(gguf, &name("ffn_gate"), feed_forward, dim)?,
            up: Linear::read(gguf, &name("ffn_up"), feed_forward, dim)?,
            down: Linear::read(gguf, &name("ffn_down"), dim, feed_forward)?,
            post_feed_forward_norm: norm(gguf, "post_ffw_norm.weight", dim)?,
            local: config.is_local(index),
        })
    }
}

fn flat(tensor: &Tensor, name: &str) -> Result<Vec<f32>, LoadError> {
    let failed = |error| LoadError::Tensor { name: name.to_owned(), reason: first_line(&error) };
    tensor.flatten_all().and_then(|tensor| tensor.to_vec1()).map_err(failed)
}

impl CpuModel {
    fn read(gguf: &mut Gguf, threads: usize) -> Result<Self, LoadError> {
        let config = Config::read(gguf)?;
        let shape = [config.vocab, config.dim];
        let embedding = Arc::new(flat(&gguf.tensor("token_embd.weight", &shape)?, "token_embd.weight")?);
        let output = match gguf.optional("output.weight", &shape)? {
            Some(output) => Arc::new(flat(&output, "output.weight")?),
            None => Arc::clone(&embedding),
        };
        let rope_factors = match gguf.optional("rope_freqs.weight", &[config.head_dim / 2])? {
            Some(factors) => Some(flat(&factors, "rope_freqs.weight")?),
            None => None,
        };
        let layers =
            (0..config.layers).map(|index| Layer::read(gguf, &config, index)).collect::<Result<_, _>>()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("score-{index}"))
            .build()
            .map_err(|error| LoadError::Unsupported(format!("no threads for arithmetic: {error}")))?;
        let output_norm = gguf.tensor("output_norm.weight", &[config.dim])?;
        Ok(Self { config, embedding, layers, output_norm, output, rope_factors, pool, observer: None })
    }

    /// Adds a second model, whose expectations are compared with this one's.
    pub(crate) fn observed_by(self, observer: Self) -> Result<Self, LoadError> {
        let (own, other) = (self.config.vocab, observer.config.vocab);
        if own != other {
            return Err(LoadError::Unsupported(format!(
                "the observer has {other} tokens where the model has {own}: both must share one tokenizer"
            )));
        }
        Ok(Self { observer: Some(Box::new(observer)), ..self })
    }

    /// The architecture, as GGUF names it.
    #[must_use]
    pub fn architecture(&self) -> &'static str {
        self.config.architecture.name()
    }

    /// Longest sequence that the model was made for.
    #[must_use]
    pub fn context(&self) -> usize {
        self.config.context
    }

    /// Normalised hidden states of every position: tokens x dim, on the calling thread's pool.
    pub fn hidden_states(&self, batch: &PackedBatch<'_>) -> Candle<Tensor> {
        let Config { dim, head_dim, .. } = self.config;
        let mut x = self.embed(batch.tokens())?;
        let positions: Vec<usize> = batch.sequences().flat_map(|range| 0..range.len()).collect();
        let global = View::new(batch, &positions, self.frequencies(false), None, head_dim)?;
        let local = match self.config.sliding_window {
            Some(window) => {
                Some(View::new(batch, &positions, self.frequencies(true), Some(window), head_dim)?)
            }
            None => None,
        };
        for layer in &self.layers {
            let view = if layer.local { local.as_ref().unwrap_or(&global) } else { &global };
            x = self.layer(layer, view, &x)?;
        }
        debug_assert_eq!(x.dims(), &[batch.tokens().len(), dim]);
        self.norm(&x, &self.output_norm)
    }

    fn frequencies(&self, local: bool) -> Vec<f64> {
        let factors = if local { None } else { self.rope_factors.as_deref() };
        self.config.rope_frequencies(local, factors)
    }

    fn embed(&self, tokens: &[u32]) -> Candle<Tensor> {
        let dim = self.config.dim;
        // Gemma scales its embeddings by the square root of the width.
        let scale = if self.config.architecture == Architecture::Gemma3 { (dim as f32).sqrt() } else { 1.0 };
        let mut rows = Vec::with_capacity(tokens.len() * dim);
        for &token in tokens {
            let row = self.embedding.chunks_exact(dim).nth(token as usize);
            let row = row
                .ok_or_else(|| candle_core::Error::Msg(format!("token {token} is not in the vocabulary")))?;
            rows.extend(row.iter().map(|x| x * scale));
        }
        Tensor::from_vec(rows, (tokens.len(), dim), &Device::Cpu)
    }

    fn norm(&self, x: &Tensor, weight: &Tensor) -> Candle<Tensor> {
        ops::rms_norm(x, weight, self.config.norm_eps as f32)
    }

    fn optional_norm(&self, x: Tensor, weight: Option<&Tensor>) -> Candle<Tensor> {
        match weight {
            Some(weight) => self.norm(&x, weight),
            None => Ok(x),
        }
    }

    fn layer(&self, layer: &Layer, view: &View, x: &Tensor) -> Candle<Tensor> {
        let attended = self.attention(layer, view, &self.norm(x, &layer.attention_norm)?)?;
        let attended = self.optional_norm(attended, layer.post_attention_norm.as_ref())?;
        let x = (x + attended)?;
        let input = self.norm(&x, &layer.feed_forward_norm)?;
        let gate = layer.gate.forward(&input)?;
        gate.inplace_op2(
            &layer.up.forward(&input)?,
            &GatedActivation { architecture: self.config.architecture },
        )?;
        let out = layer.down.forward(&gate)?;
        x + self.optional_norm(out, layer.post_feed_forward_norm.as_ref())?
    }

    fn attention(&self, layer: &Layer, view: &View, x: &Tensor) -> Candle<Tensor> {
        let Config { heads, kv_heads, head_dim, .. } = self.config;
        let query = self.heads(layer.query.forward(x)?, heads, layer.query_norm.as_ref())?;
        let query = (self.rotate(&query, view)? * (head_dim as f64).powf(-0.5))?;
        let key =
            self.rotate(&self.heads(layer.key.forward(x)?, kv_heads, layer.key_norm.as_ref())?, view)?;
        let value = self.heads(layer.value.forward(x)?, kv_heads, None)?;
        let group = heads / kv_heads;
        let blocks = view.blocks.iter().map(|block| {
            let rows = block.queries.len();
            let q =
                query.narrow(2, block.queries.start, rows)?.reshape((kv_heads, group * rows, head_dim))?;
            let k = key.narrow(2, block.keys.start, block.keys.len())?.squeeze(0)?;
            let v = value.narrow(2, block.keys.start, block.keys.len())?.squeeze(0)?.contiguous()?;
            let scores = q.matmul(&k.transpose(1, 2)?)?.reshape((kv_heads, group, rows, block.keys.len()))?;
            let weights = ops::softmax_last_dim(&scores.broadcast_add(&block.mask)?)?;
            let mixed = weights.reshape((kv_heads, group * rows, block.keys.len()))?.matmul(&v)?;
            mixed.reshape((heads, rows, head_dim))?.transpose(0, 1)?.reshape((rows, heads * head_dim))
        });
        let mixed = Tensor::cat(&blocks.collect::<Candle<Vec<_>>>()?, 0)?;
        layer.attention_output.forward(&mixed)
    }

    /// tokens x (heads * head_dim) to 1 x heads x tokens x head_dim.
    fn heads(&self, x: Tensor, heads: usize, norm: Option<&Tensor>) -> Candle<Tensor> {
        let tokens = x.dim(0)?;
        let x = self.optional_norm(x.reshape((tokens * heads, self.config.head_dim))?, norm)?;
        x.reshape((1, tokens, heads, self.config.head_dim))?.transpose(1, 2)?.contiguous()
    }

    fn rotate(&self, x: &Tensor, view: &View) -> Candle<Tensor> {
        match self.config.architecture {
            // GGUF keeps llama's query and key rows permuted for neighbouring pairs.
            Architecture::Llama => rotary_emb::rope_i(x, &view.cos, &view.sin),
            _ => rotary_emb::rope(x, &view.cos, &view.sin),
        }
    }

    fn score_on_pool(&self, batch: &PackedBatch<'_>) -> Result<Vec<TokenStats>, BackendError> {
        let failed = |error| BackendError::Forward(first_line(&error));
        // The last position of a sequence predicts nothing that is in it.
        let predicting = batch.sequences().flat_map(|range| range.start..range.end.saturating_sub(1));
        let rows: Vec<u32> = predicting.map(|row| row as u32).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let targets: Vec<u32> = rows.iter().map(|row| batch.tokens()[*row as usize + 1]).collect();
        let index = Tensor::new(rows, &Device::Cpu).map_err(failed)?;
        let own = self.rows_of_states(batch, &index).map_err(failed)?;
        let mut stats = head::head(&own, self.head_weights()?, &targets)?;
        if let Some(observer) = &self.observer {
            let other = observer.rows_of_states(batch, &index).map_err(failed)?;
            let cross = paired::cross_entropy(
                Side { hidden: &other, weights: observer.head_weights()? },
                Side { hidden: &own, weights: self.head_weights()? },
            )?;
            for (stats, cross) in stats.iter_mut().zip(cross) {
                stats.cross_entropy = Some(cross);
            }
        }
        Ok(stats)
    }

    fn head_weights(&self) -> Result<HeadWeights<'_>, BackendError> {
        HeadWeights::new(&self.output, self.config.dim)
    }

    fn rows_of_states(&self, batch: &PackedBatch<'_>, rows: &Tensor) -> Candle<Vec<f32>> {
        self.hidden_states(batch)?.index_select(rows, 0)?.flatten_all()?.to_vec1()
    }
}

impl Backend for CpuModel {
    fn name(&self) -> String {
        "cpu-f32".to_owned()
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn score(&self, batch: &PackedBatch<'_>) -> Result<Vec<TokenStats>, BackendError> {
        self.pool.install(|| self.score_on_pool(batch))
    }
}

/// Which keys each block of queries sees, and at which angles: the same for all layers of a kind.
struct View {
    cos: Tensor,
    sin: Tensor,
    blocks: Vec<QueryBlock>,
}

struct QueryBlock {
    queries: std::ops::Range<usize>,
    keys: std::ops::Range<usize>,
    mask: Tensor,
}

impl View {
    fn new(
        batch: &PackedBatch<'_>,
        positions: &[usize],
        frequencies: Vec<f64>,
        window: Option<usize>,
        head_dim: usize,
    ) -> Candle<Self> {
        let angles = |f: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .iter()
                .flat_map(|position| {
                    frequencies.iter().map(move |frequency| f(*position as f64 * frequency) as f32)
                })
                .collect();
            Tensor::from_vec(values, (positions.len(), head_dim / 2), &Device::Cpu)
        };
        let blocks = batch.sequences().flat_map(|sequence| {
            sequence.clone().step_by(QUERY_BLOCK).map(move |first| {
                QueryBlock::new(&sequence, first..(first + QUERY_BLOCK).min(sequence.end), window)
            })
        });
        Ok(Self { cos: angles(f64::cos)?, sin: angles(f64::sin)?, blocks: blocks.collect::<Candle<_>>()? })
    }
}

impl QueryBlock {
    fn new(
        sequence: &std::ops::Range<usize>,
        queries: std::ops::Range<usize>,
        window: Option<usize>,
    ) -> Candle<Self> {
        let window = window.unwrap_or(usize::MAX);
        let first_seen = |query: usize| sequence.start.max((query + 1).saturating_sub(window));
        let keys = first_seen(queries.start)..queries.end;
        let mask: Vec<f32> = queries
            .clone()
            .flat_map(|query| {
                let first = first_seen(query);
                keys.clone()
                    .map(move |key| if key <= query && key >= first { 0.0 } else { f32::NEG_INFINITY })
            })
            .collect();
        let mask = Tensor::from_vec(mask, (queries.len(), keys.len()), &Device::Cpu)?;
        Ok(Self { queries, keys, mask })
    }
}

/// activation(gate) * up, into gate, without the three passes that separate tensor operations would make.
struct GatedActivation {
    architecture: Architecture,
}

impl InplaceOp2 for GatedActivation {
    fn name(&self) -> &'static str {
        "gated-activation"
    }

    fn cpu_fwd(
        &self,
        gate: &mut CpuStorage,
        gate_layout: &Layout,
        up: &CpuStorage,
        up_layout: &Layout,
    ) -> Candle<()> {
        let wrong = || candle_core::Error::Msg("gated activation needs contiguous f32 tensors".to_owned());
        let (gate_range, up_range) = (
            gate_layout.contiguous_offsets().ok_or_else(wrong)?,
            up_layout.contiguous_offsets().ok_or_else(wrong)?,
        );
        let (CpuStorage::F32(gate), CpuStorage::F32(up)) = (gate, up) else {
            return Err(wrong());
        };
        let (gate, up) = (&mut gate[gate_range.0..gate_range.1], &up[up_range.0..up_range.1]);
        match self.architecture {
            Architecture::Gemma3 => activation::gelu_mul(gate, up),
            _ => activation::silu_mul(gate, up),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
