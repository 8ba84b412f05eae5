//! `bonafide generate`: text from the local model, with a mark that its key finds again.

use super::Error;
use super::render::clean;
use crate::generate::sampling::{MOST_CANDIDATES, Sampling};
use crate::generate::{Generator, Request};
use crate::model::compute::Compute;
use crate::paths::Paths;
use crate::watermark;
use std::io::{self, IsTerminal, Read, Write};

/// Longest prompt, in bytes.
const MAX_PROMPT: u64 = 1_000_000;

/// Write a text with the local model, with a watermark if you name a key.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to write about, or - for standard input
    #[arg(value_name = "PROMPT|-", default_value = "-")]
    prompt: String,
    /// Name of the key to mark the text with (see `bonafide watermark keys list`)
    #[arg(long, value_name = "KEY")]
    watermark: Option<String>,
    /// How much more likely green tokens become, for marks that have them [default: the key's, else 2]
    #[arg(long, value_name = "NATS", requires = "watermark")]
    delta: Option<f64>,
    /// How freely words are drawn; 0 always takes the likeliest, which leaves no room for most marks
    #[arg(long, default_value_t = Sampling::default().temperature, value_parser = non_negative)]
    temperature: f32,
    /// Draw from the fewest of the likeliest tokens that together have this share
    #[arg(long, value_name = "SHARE", default_value_t = Sampling::default().top_p, value_parser = share)]
    top_p: f64,
    /// Draw from so many of the likeliest tokens; 0 for all that can be
    #[arg(long, value_name = "N", default_value_t = Sampling::default().top_k, value_parser = top_k)]
    top_k: usize,
    /// Most tokens to write
    #[arg(long, value_name = "N", default_value_t = Sampling::default().max_tokens)]
    max_tokens: usize,
    /// The same seed and settings give the same text on the same machine [default: a random one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Go on from the prompt, instead of answering it as an assistant
    #[arg(long = "continue")]
    go_on: bool,
    /// Print the text with its tokens as JSON
    #[arg(long)]
    json: bool,
    /// Name of a model (see `bonafide model list`) or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
}

/// The JSON of a text.
#[derive(serde::Serialize)]
struct Reply<'a> {
    #[serde(flatten)]
    generated: &'a crate::generate::Generated,
    watermark: Option<&'a str>,
    model: &'a str,
    seed: u64,
}

/// Runs the command.
///
/// # Errors
/// What keeps the text from being made.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let prompt = prompt(&args.prompt)?;
    let seed = match args.seed {
        Some(seed) => seed,
        None => random_seed()?,
    };
    let key = match &args.watermark {
        Some(name) => Some(watermark::find_key(&Paths::from_env()?, name)?),
        None => None,
    };
    let generator = Generator::load(args.model.as_deref(), args.compute)?;
    let marker = key.map(|key| generator.marker(&key, args.delta)).transpose()?;
    let sampling = Sampling {
        temperature: args.temperature,
        top_k: args.top_k,
        top_p: args.top_p,
        max_tokens: args.max_tokens,
        stop: true,
    };
    let mut shown = String::new();
    let mut stdout = io::stdout().lock();
    let mut failed = None;
    let request = Request { prompt, chat: !args.go_on, marker, seed };
    let generated = generator.generate(vec![request], &sampling, |_, text| {
        // A character of several tokens can look like others until it is whole: then nothing is shown.
        if let Some(new) = text.strip_prefix(shown.as_str()).filter(|new| !args.json && !new.is_empty()) {
            failed = failed
                .take()
                .or_else(|| write!(stdout, "{}", clean(new)).and_then(|()| stdout.flush()).err());
            shown = text.to_owned();
        }
        failed.is_none()
    })?;
    match failed {
        // Whoever read the output has seen enough.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Some(error) => return Err(error.into()),
        None => {}
    }
    if args.json {
        let model = generator.model.as_str();
        let watermark = args.watermark.as_deref();
        for generated in &generated {
            serde_json::to_writer_pretty(&mut stdout, &Reply { generated, watermark, model, seed })?;
        }
    }
    writeln!(stdout)?;
    Ok(())
}

fn prompt(given: &str) -> Result<String, Error> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    if io::stdin().is_terminal() {
        anstream::eprintln!("type a prompt and end it with Ctrl-D");
    }
    let mut prompt = String::new();
    let read = io::stdin().lock().take(MAX_PROMPT + 1).read_to_string(&mut prompt);
    read.map_err(|error| format!("standard input: {error}"))?;
    if prompt.len() as u64 > MAX_PROMPT {
        return Err(format!("the prompt is longer than {MAX_PROMPT} bytes: shorten it").into());
    }
    if prompt.trim().is_empty() {
        return Err("the prompt is empty: say what to write about".into());
    }
    Ok(prompt.trim_end().to_owned())
}

fn random_seed() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    // So that JSON's readers, whose numbers are floats, read it as it is.
    Ok(u64::from_le_bytes(bytes) >> 11)
}

fn non_negative(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("must be from 0 to 100".to_owned()) }
}

fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if number > 0.0 && number <= 1.0 { Ok(number) } else { Err("must be above 0 and at most 1".to_owned()) }
}

fn top_k(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "must be a whole number".to_owned())?;
    if number <= MOST_CANDIDATES { Ok(number) } else { Err(format!("must be at most {MOST_CANDIDATES}")) }
}
