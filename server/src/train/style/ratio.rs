//! How much likelier each token of a text is under the adapted model than under the model as it is.

use super::file::Author;
use super::others::Likeness;
use super::{MOST_TOKENS, StyleError};
use crate::model::lora::file::Adapter;
use crate::model::lora::projection::Projection;
use crate::train::lora::adapter::Lora;
use crate::train::lora::data::{self, Example, Text, Tokenize};
use crate::train::lora::model::{Batch, Layout, Network};
use bonafide_kernels::weights::Model;
use candle_core::{DType, Device, Result as CandleResult, Tensor, Var};

/// Tokens that are computed at once, padding included.
const BATCH_TOKENS: usize = 1024;

/// The whole decoder with its output matrix.
pub(super) fn network(model: &Model) -> CandleResult<Network> {
    let depth = model.layers.len();
    let (dtype, device) = (DType::F32, Device::Cpu);
    Network::new(model, &Layout { depth, positions: MOST_TOKENS, language: true, dtype, device })
}

/// The texts' tokens from their beginnings; those of fewer than two tokens are left out.
pub(super) fn examples(texts: &[String], tokenizer: &impl Tokenize) -> Result<Vec<Example>, StyleError> {
    let texts: Vec<Text> = texts.iter().map(|text| plain(text)).collect();
    data::whole(&texts, tokenizer, MOST_TOKENS).map_err(StyleError::Input)
}

/// A text with nothing but its words.
pub(super) fn plain(text: &str) -> Text {
    Text { text: text.to_owned(), label: 0.0, weight: 1.0, extra: Vec::new() }
}

/// The rows of a batch's states that a token follows, and these tokens.
pub(super) fn followed(batch: &Batch) -> (Vec<u32>, Vec<u32>) {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for (sequence, length) in batch.lengths().iter().enumerate() {
        for at in (0..length.saturating_sub(1)).map(|at| sequence * batch.width() + at) {
            rows.push(at as u32);
            targets.extend(batch.ids().get(at + 1));
        }
    }
    (rows, targets)
}

/// log p(adapted) - log p(base) of every token but the first of each sequence; `told` hears how many sequences are done.
pub(super) fn ratios(
    network: &Network,
    lora: &Lora,
    examples: &[Example],
    told: &mut dyn FnMut(usize),
) -> Result<Vec<Vec<f64>>, StyleError> {
    let mut made = vec![Vec::new(); examples.len()];
    for batch in data::batches(examples, BATCH_TOKENS, None) {
        let sequences: Vec<&[u32]> = batch.iter().map(|at| examples[*at].tokens.as_slice()).collect();
        let packed = Batch::new(&sequences);
        let (rows, targets) = followed(&packed);
        let rows = Tensor::new(rows, network.device())?;
        let logprobs = |lora: Option<&Lora>| -> CandleResult<Vec<f64>> {
            let states = network.states(&packed, lora)?.index_select(&rows, 0)?;
            network.log_probabilities(&states, &targets)
        };
        let (base, adapted) = (logprobs(None)?, logprobs(Some(lora))?);
        let mut each = adapted.into_iter().zip(base).map(|(adapted, base)| adapted - base);
        for at in &batch {
            made[*at] = each.by_ref().take(examples[*at].tokens.len() - 1).collect();
        }
        told(batch.len());
    }
    if made.iter().flatten().all(|ratio| ratio.is_finite()) {
        return Ok(made);
    }
    Err(StyleError::Input(
        "the adapted model's numbers are not finite: learn the author anew with a lower --lr".to_owned(),
    ))
}

/// An adapter's matrices, ready for the network.
fn matrices(adapter: &Adapter, model: &Model) -> Result<Lora, StyleError> {
    adapter.check(&model.shape, model.layers.len())?;
    let meta = &adapter.meta;
    let layers = adapter.layers.len();
    let lora = Lora::new(&model.shape, layers, meta.rank, meta.alpha, 0, DType::F32, &Device::Cpu)?;
    for (index, layer) in adapter.layers.iter().enumerate() {
        for (which, low_rank) in Projection::ALL.into_iter().zip(layer) {
            let pair = &lora.layer(index)[which as usize];
            let set =
                |var: &Var, values: &[f32]| var.set(&Tensor::from_slice(values, var.shape(), &Device::Cpu)?);
            set(&pair.a, &low_rank.a)?;
            set(&pair.b, &low_rank.b)?;
        }
    }
    Ok(lora)
}

/// Compares texts with an author.
pub struct Reader<'a, T> {
    author: &'a Author,
    tokenizer: &'a T,
    network: Network,
    lora: Lora,
}

impl<'a, T: Tokenize> Reader<'a, T> {
    /// The model that the author was learned with, with its tokenizer.
    pub fn new(author: &'a Author, model: &Model, tokenizer: &'a T) -> Result<Self, StyleError> {
        let lora = matrices(&author.adapter, model)?;
        Ok(Self { author, tokenizer, network: network(model)?, lora })
    }

    /// How a text compares, from its beginning; `None` if it has fewer tokens than any length that is compared.
    pub fn read(&self, text: &str) -> Result<Option<Likeness>, StyleError> {
        let examples = examples(&[text.to_owned()], self.tokenizer)?;
        let ratios = ratios(&self.network, &self.lora, &examples, &mut |_| {})?;
        Ok(ratios.first().and_then(|ratios| self.author.others.place(&self.author.name, ratios)))
    }
}
