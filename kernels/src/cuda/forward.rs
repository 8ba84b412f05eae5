//! The forward pass: packed sequences in, statistics of each token out.
//!
//! All tokens of all sequences are one matrix, so that every product with the weights is as large as the batch
//! allows. The residual stream stays f32 on the device; products take bf16 and sum in f32. Where nothing comes
//! between a product and the stream, the product itself adds to it.

use super::chip::{Arg, Chip, Kernel, Output, Product};
use super::head_tiles;
use super::plan::{Layout, STATS, Scratch, rotary_table};
use super::weights::{DeviceLayer, DeviceLinear, DeviceWeights, bytes, numbers};
use crate::backend::{BackendError, PackedBatch, TokenStats};
use crate::taps::Taps;
use crate::weights::{Activation, Model, RotaryPairs, Shape};

/// The rotary tables cover at least so many positions from the first.
const POSITIONS: usize = 2048;
/// log2 e: the attention kernel raises 2 to the power of the scores.
const LOG2_E: f32 = std::f32::consts::LOG2_E;

/// A model on a device, and the memory it works in.
pub(super) struct Forward<C: Chip> {
    chip: C,
    shape: Shape,
    weights: DeviceWeights<C::Memory>,
    tables: Tables<C::Memory>,
    scratch: C::Memory,
    scratch_bytes: usize,
}

struct Tables<M> {
    positions: usize,
    global: M,
    local: M,
}

impl<M> Tables<M> {
    fn new<C: Chip<Memory = M>>(chip: &C, shape: &Shape, positions: usize) -> Result<Self, BackendError> {
        Ok(Self {
            positions,
            global: numbers(chip, &rotary_table(&shape.rotary, positions))?,
            local: numbers(chip, &rotary_table(&shape.rotary_local, positions))?,
        })
    }
}

/// The addresses of one pass.
struct Places {
    stream: u64,
    normed: u64,
    qkv: u64,
    mixed: u64,
    gate_up: u64,
    gated: u64,
    added: u64,
    logits: u64,
    moments: u64,
    target_logits: u64,
    stats: u64,
    tokens: u64,
    positions: u64,
    rows: u64,
    targets: u64,
    tiles: u64,
}

impl Places {
    fn new(base: u64, scratch: &Scratch, layout: &Layout) -> Self {
        let at = |offset: usize| base + offset as u64;
        let number = |index: usize| at(scratch.numbers + 4 * index);
        Self {
            stream: at(scratch.stream),
            normed: at(scratch.normed),
            qkv: at(scratch.qkv),
            mixed: at(scratch.mixed),
            gate_up: at(scratch.gate_up),
            gated: at(scratch.gated),
            added: at(scratch.added),
            logits: at(scratch.logits),
            moments: at(scratch.moments),
            target_logits: at(scratch.target_logits),
            stats: at(scratch.stats),
            tokens: number(0),
            positions: number(layout.positions_at()),
            rows: number(layout.rows_at()),
            targets: number(layout.targets_at()),
            tiles: number(layout.tiles_at()),
        }
    }
}

impl<C: Chip> Forward<C> {
    /// Copies the model to the device. The model has been checked.
    pub(super) fn new(chip: C, model: &Model) -> Result<Self, BackendError> {
        let shape = model.shape.clone();
        let widest = [
            shape.dim,
            2 * shape.feed_forward,
            (shape.heads + 2 * shape.kv_heads) * shape.head_dim,
            shape.vocab,
            shape.window.unwrap_or(0),
        ];
        // The kernels count in 32 bits within a row.
        if widest.iter().any(|width| i32::try_from(*width).is_err()) || shape.heads > 65_535 {
            return Err(BackendError::Weights("the model is too wide for the GPU's kernels".to_owned()));
        }
        let weights = DeviceWeights::upload(&chip, model)?;
        let tables = Tables::new(&chip, &shape, POSITIONS)?;
        let scratch = chip.take(1)?;
        Ok(Self { chip, shape, weights, tables, scratch, scratch_bytes: 1 })
    }

    /// The device.
    pub(super) fn chip(&self) -> &C {
        &self.chip
    }

    /// Bytes that a pass over so many tokens works in.
    pub(super) fn scratch_bytes_for(&self, tokens: usize) -> usize {
        let layout = Layout { numbers: vec![0; 4 * tokens], tokens, rows: tokens, tiles: 0, longest: 0 };
        Scratch::new(&self.shape, &layout, self.weights.indirect()).bytes
    }

    /// Scores one batch in one pass, and pools hidden states on the way if some are asked for.
    pub(super) fn score(
        &mut self,
        batch: &PackedBatch<'_>,
        taps: Option<&Taps<'_>>,
    ) -> Result<(Vec<TokenStats>, Vec<f32>), BackendError> {
        let layout = Layout::new(batch, self.shape.vocab)?;
        if layout.rows == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut pooled = Pooled::new(batch, taps, self.shape.dim);
        let scratch = Scratch::new(&self.shape, &layout, self.weights.indirect());
        self.make_room(&scratch, &layout)?;
        self.chip.upload(&mut self.scratch, scratch.numbers, bytes(&layout.numbers))?;
        let places = Places::new(C::address(&self.scratch), &scratch, &layout);

        let embedding = Arg::Address(C::address(&self.weights.embedding));
        let scale = Arg::Float(self.shape.embedding_scale);
        let (tokens, stream) = (Arg::Address(places.tokens), Arg::Address(places.stream));
        self.rows(Kernel::Embed, layout.tokens, &[tokens, embedding, stream, self.dim(), scale])?;
        for (index, layer) in self.weights.layers.iter().enumerate() {
            if let Some(slot) = pooled.slot(index) {
                let mut rows = vec![0; 4 * layout.tokens * self.shape.dim];
                self.chip.download(&self.scratch, scratch.stream, &mut rows)?;
                pooled.add(slot, &rows);
            }
            self.attention(layer, &layout, &places)?;
            self.feed_forward(layer, &layout, &places)?;
        }
        self.norm(&self.weights.output_norm, layout.rows, Some(places.rows), &places)?;
        self.head(&layout, &places)?;

        let mut bytes = vec![0; STATS * layout.rows];
        self.chip.download(&self.scratch, scratch.stats, &mut bytes)?;
        let stats = bytes.chunks_exact(STATS).map(read_stats).collect::<Result<_, _>>()?;
        Ok((stats, pooled.numbers))
    }

    /// Grows the working memory and the rotary tables where the batch needs more than any before.
    fn make_room(&mut self, scratch: &Scratch, layout: &Layout) -> Result<(), BackendError> {
        if scratch.bytes > self.scratch_bytes {
            // The old memory first: both may not fit.
            self.scratch = self.chip.take(1)?;
            self.scratch_bytes = 1;
            self.scratch = self.chip.take(scratch.bytes)?;
            self.scratch_bytes = scratch.bytes;
        }
        if layout.longest > self.tables.positions {
            self.tables = Tables::new(&self.chip, &self.shape, layout.longest.next_power_of_two())?;
        }
        Ok(())
    }

    fn attention(
        &self,
        layer: &DeviceLayer<C::Memory>,
        layout: &Layout,
        places: &Places,
    ) -> Result<(), BackendError> {
        let Shape { dim, heads, kv_heads, head_dim, .. } = self.shape;
        let width = (heads + 2 * kv_heads) * head_dim;
        self.norm(&layer.attention_norm, layout.tokens, None, places)?;
        self.product(&layer.qkv, places.normed, places.qkv, layout.tokens, width, dim, Output::Bf16)?;

        let local = layer.local && self.shape.window.is_some();
        let table = if local { &self.tables.local } else { &self.tables.global };
        let window = if local { self.shape.window } else { None };
        let (heads_arg, kv_heads_arg) = (int(heads), int(kv_heads));
        let qkv = Arg::Address(places.qkv);
        self.rows(
            Kernel::Rotate,
            layout.tokens,
            &[
                qkv,
                optional::<C>(layer.qkv.bias.as_ref()),
                optional::<C>(layer.query_norm.as_ref()),
                optional::<C>(layer.key_norm.as_ref()),
                Arg::Address(C::address(table)),
                Arg::Address(places.positions),
                heads_arg,
                kv_heads_arg,
                Arg::Float(self.shape.norm_eps),
                Arg::Int(i32::from(self.shape.pairs == RotaryPairs::Neighbours)),
            ],
        )?;
        self.launch(
            Kernel::Attention,
            (layout.tiles, heads),
            &[
                qkv,
                Arg::Address(places.tiles),
                Arg::Address(places.mixed),
                heads_arg,
                kv_heads_arg,
                Arg::Int(window.and_then(|window| i32::try_from(window).ok()).unwrap_or(i32::MAX)),
                Arg::Float(LOG2_E / (head_dim as f32).sqrt()),
            ],
        )?;
        let post_norm = layer.post_attention_norm.as_ref();
        self.add(&layer.attention_output, post_norm, places.mixed, heads * head_dim, layout, places)
    }

    fn feed_forward(
        &self,
        layer: &DeviceLayer<C::Memory>,
        layout: &Layout,
        places: &Places,
    ) -> Result<(), BackendError> {
        let Shape { dim, feed_forward, .. } = self.shape;
        let tokens = layout.tokens;
        self.norm(&layer.feed_forward_norm, tokens, None, places)?;
        let linear = &layer.gate_up;
        self.product(linear, places.normed, places.gate_up, tokens, 2 * feed_forward, dim, Output::Bf16)?;
        let pairs_of_a_block = 2 * Kernel::Gate.threads() as usize;
        self.launch(
            Kernel::Gate,
            (tokens, feed_forward.div_ceil(pairs_of_a_block)),
            &[
                Arg::Address(places.gate_up),
                optional::<C>(linear.bias.as_ref()),
                Arg::Address(places.gated),
                int(feed_forward),
                Arg::Int(i32::from(self.shape.activation == Activation::Gelu)),
            ],
        )?;
        let post_norm = layer.post_feed_forward_norm.as_ref();
        self.add(&layer.down, post_norm, places.gated, feed_forward, layout, places)
    }

    /// Adds a product to the stream, straight where nothing comes between.
    fn add(
        &self,
        linear: &DeviceLinear<C::Memory>,
        post_norm: Option<&C::Memory>,
        inputs: u64,
        width: usize,
        layout: &Layout,
        places: &Places,
    ) -> Result<(), BackendError> {
        let dim = self.shape.dim;
        if linear.bias.is_none() && post_norm.is_none() {
            return self.product(linear, inputs, places.stream, layout.tokens, dim, width, Output::AddF32);
        }
        self.product(linear, inputs, places.added, layout.tokens, dim, width, Output::F32)?;
        self.rows(
            Kernel::Residual,
            layout.tokens,
            &[
                Arg::Address(places.stream),
                Arg::Address(places.added),
                optional::<C>(linear.bias.as_ref()),
                optional::<C>(post_norm),
                self.dim(),
                Arg::Float(self.shape.norm_eps),
            ],
        )
    }

    /// RMSNorm of the stream, or of the given rows of it, into `normed`.
    fn norm(
        &self,
        weight: &C::Memory,
        count: usize,
        rows: Option<u64>,
        places: &Places,
    ) -> Result<(), BackendError> {
        self.rows(
            Kernel::Norm,
            count,
            &[
                Arg::Address(places.stream),
                Arg::Address(rows.unwrap_or(0)),
                Arg::Address(C::address(weight)),
                Arg::Address(places.normed),
                self.dim(),
                Arg::Float(self.shape.norm_eps),
            ],
        )
    }

    /// Statistics of the rows in `normed`, tile by tile.
    fn head(&self, layout: &Layout, places: &Places) -> Result<(), BackendError> {
        let Shape { dim, vocab, .. } = self.shape;
        let weights = C::address(self.weights.output());
        let rows_of_a_block = (Kernel::TargetLogits.threads() / 32) as usize;
        self.rows(
            Kernel::TargetLogits,
            layout.rows.div_ceil(rows_of_a_block),
            &[
                Arg::Address(places.normed),
                Arg::Address(weights),
                Arg::Address(places.targets),
                Arg::Address(places.target_logits),
                int(layout.rows),
                self.dim(),
            ],
        )?;
        for (rows, words) in head_tiles::tiles(layout.rows, vocab) {
            let skip = |bytes: usize| (bytes * rows.start) as u64;
            let product = Product {
                weights: weights + (2 * dim * words.start) as u64,
                inputs: places.normed + skip(2 * dim),
                out: places.logits,
                rows: rows.len(),
                outputs: words.len(),
                dim,
                output: Output::F32,
            };
            self.multiply(product)?;
            self.rows(
                Kernel::HeadTile,
                rows.len(),
                &[
                    Arg::Address(places.logits),
                    int(words.len()),
                    int(words.start),
                    Arg::Address(places.targets + skip(4)),
                    Arg::Address(places.target_logits + skip(4)),
                    Arg::Address(places.moments + skip(super::plan::MOMENTS)),
                ],
            )?;
        }
        self.rows(
            Kernel::HeadFinish,
            layout.rows.div_ceil(Kernel::HeadFinish.threads() as usize),
            &[
                Arg::Address(places.moments),
                Arg::Address(places.target_logits),
                Arg::Address(places.stats),
                int(layout.rows),
            ],
        )
    }

    fn dim(&self) -> Arg {
        int(self.shape.dim)
    }

    #[allow(clippy::too_many_arguments)]
    fn product(
        &self,
        linear: &DeviceLinear<C::Memory>,
        inputs: u64,
        out: u64,
        rows: usize,
        outputs: usize,
        dim: usize,
        output: Output,
    ) -> Result<(), BackendError> {
        let weights = C::address(&linear.weight);
        self.multiply(Product { weights, inputs, out, rows, outputs, dim, output })
    }

    fn multiply(&self, product: Product) -> Result<(), BackendError> {
        // SAFETY: the weights have the sizes that `Model::check` found, `Scratch` has sized every buffer for
        // this batch, and both live as long as `self`, whose memory waits for all work before it goes.
        unsafe { self.chip.multiply(product) }
    }

    fn rows(&self, kernel: Kernel, blocks: usize, args: &[Arg]) -> Result<(), BackendError> {
        self.launch(kernel, (blocks, 1), args)
    }

    fn launch(&self, kernel: Kernel, blocks: (usize, usize), args: &[Arg]) -> Result<(), BackendError> {
        let count = |blocks: usize| {
            u32::try_from(blocks).map_err(|_| BackendError::Batch("too many tokens at once".to_owned()))
        };
        let blocks = (count(blocks.0)?, count(blocks.1)?);
        // SAFETY: the callers above pass what the kernel of that name takes, in its order; tokens, targets,
        // rows and tiles come from `Layout`, which keeps them inside the vocabulary and the batch; sizes and
        // lifetimes are as for products.
        unsafe { self.chip.launch(kernel, blocks, args) }
    }
}

/// What is pooled of the hidden states, on the host: a pass downloads the stream once a depth, which takes less time than
/// a layer.
struct Pooled<'a> {
    taps: Option<Taps<'a>>,
    pieces: Vec<std::ops::Range<usize>>,
    dim: usize,
    numbers: Vec<f32>,
}

impl<'a> Pooled<'a> {
    fn new(batch: &PackedBatch<'_>, taps: Option<&Taps<'a>>, dim: usize) -> Self {
        let pieces = taps.map_or_else(Vec::new, |taps| taps.pieces(batch));
        let numbers = vec![0.0; taps.map_or(0, |taps| taps.width(dim) * pieces.len())];
        Self { taps: taps.copied(), pieces, dim, numbers }
    }

    fn slot(&self, layer: usize) -> Option<usize> {
        self.taps?.depths().iter().position(|depth| *depth == layer)
    }

    /// `rows` are the whole stream in f32, as the device holds it.
    fn add(&mut self, slot: usize, rows: &[u8]) {
        let Some(taps) = self.taps else { return };
        let dim = self.dim;
        let width = taps.width(dim);
        let mut values = vec![0.0; dim];
        for (numbers, range) in self.numbers.chunks_exact_mut(width).zip(&self.pieces) {
            for row in rows[4 * dim * range.start..4 * dim * range.end].chunks_exact(4 * dim) {
                for (value, bytes) in values.iter_mut().zip(row.chunks_exact(4)) {
                    *value = f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
                taps.add(numbers, slot, &values);
            }
        }
    }
}

/// Widths have been checked to fit.
fn int(number: usize) -> Arg {
    Arg::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

fn optional<C: Chip>(memory: Option<&C::Memory>) -> Arg {
    Arg::Address(memory.map_or(0, C::address))
}

/// `Stats` of head.cu.
fn read_stats(bytes: &[u8]) -> Result<TokenStats, BackendError> {
    let word = |index: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[4 * index..4 * index + 4]);
        word
    };
    let number = |index| f32::from_le_bytes(word(index));
    let stats = TokenStats {
        logprob: number(0),
        entropy: number(1),
        mean_logprob: number(2),
        variance: number(3),
        rank: u32::from_le_bytes(word(4)),
        cross_entropy: None,
        projection: None,
    };
    if [stats.logprob, stats.entropy, stats.variance].iter().all(|number| number.is_finite()) {
        Ok(stats)
    } else {
        Err(BackendError::Forward(
            "the GPU's result is not a number; please report the model file".to_owned(),
        ))
    }
}
