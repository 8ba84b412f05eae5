//! Scores the same text with bonafide and with candle-transformers' own quantised llama, alternating, and
//! prints the ratio. `cargo xtask bench candle` runs it.
//!
//! candle's model returns the logits of the last position only, which is less than what bonafide computes.

use bonafide::engine::{Engine, EngineOptions, Window};
use bonafide::model::progress::Terminal;
use bonafide::model::store;
use bonafide::paths::Paths;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use std::io::Write;
use std::time::Instant;

const TOKENS: usize = 512;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let stored = store::resolve(&Paths::from_env()?, None, &mut Terminal::new())?;
    let engine = Engine::open(&stored, &EngineOptions::default())?;
    let mut tokens = engine.encode_raw(&"The ferry left the harbour before sunrise. ".repeat(TOKENS / 6))?;
    tokens.truncate(TOKENS);
    let window = Window { tokens: tokens.clone(), skip: 0, lens: 0 };

    let mut file = std::fs::File::open(&stored.path)?;
    let content = Content::read(&mut file)?;
    let mut candle = ModelWeights::from_gguf(content, &mut file, &Device::Cpu)?;
    let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(seconds(|| engine.score_windows(&[&window]).map(drop))?);
        theirs.push(seconds(|| candle.forward(&input, 0).map(drop))?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let speed = |seconds: f64| TOKENS as f64 / seconds;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{TOKENS} tokens, {} threads, median of {ROUNDS} rounds", engine.backend().threads())?;
    writeln!(out, "bonafide, statistics of every token:           {:>6.0} tokens/s", speed(ours))?;
    writeln!(out, "candle quantised llama, last position's logits: {:>6.0} tokens/s", speed(theirs))?;
    writeln!(out, "ratio {:.2}", theirs / ours)?;
    Ok(())
}

fn seconds<E>(work: impl FnOnce() -> Result<(), E>) -> Result<f64, E> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
