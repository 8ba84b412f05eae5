//! `bonafide score`: a file, a page or what comes in on standard input, judged block by block.

mod author;

use super::Error;
use super::messages::Lang;
use super::render::{self, View, clean};
use crate::document::declared::declared;
use crate::document::fetch::{Fetcher, is_url};
use crate::document::read::{self, Format};
use crate::document::{Block, DocumentError};
use crate::engine::{BATCH_TOKENS, Engine, EngineOptions};
use crate::model::adapter::AdapterArgs;
use crate::model::compute::Compute;
use crate::paths::Paths;
use crate::train::style::Likeness;
use crate::watermark;
use author::Compared;
use bonafide_core::declared::Declared;
use bonafide_core::judge;
use bonafide_core::verdict::ScoreReport;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Say who made a text, with the reasons.
///
/// Reads plain text, HTML and Markdown and judges it block by block: paragraphs that are too short to be judged
/// alone are put together.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, addresses of pages (https://…), or - for standard input
    #[arg(value_name = "FILE|URL|-")]
    inputs: Vec<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Add the values of every token
    #[arg(long)]
    tokens: bool,
    /// Kind of the input, instead of a guess from its name and content
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Language of the report, instead of the environment's
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Name of a model (see `bonafide model list`) or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
    /// A second model with the same tokenizer: adds the detector `binoculars`
    #[arg(long, value_name = "NAME|FILE")]
    observer: Option<String>,
    /// A calibration file instead of the built-in one
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Compare each document with an author whom `bonafide train style` has learned; verdicts stay as they are
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

/// A kind of document, as an argument.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum FormatArg {
    Text,
    Html,
    Markdown,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Text,
            FormatArg::Html => Self::Html,
            FormatArg::Markdown => Self::Markdown,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// What can't be read, and what the engine can't do, each with the input's name.
pub fn run(args: &Args) -> Result<(), Error> {
    let inputs = read_all(args)?;
    let compared = match &args.author {
        Some(name) => Some(Compared::open(name, args.model.as_deref(), &inputs)?),
        None => None,
    };
    let engine = Engine::load(&EngineOptions {
        model: args.model.clone(),
        compute: args.compute,
        calibration: args.calibration.clone(),
        adapter: args.adapter.choice(None),
        observer: args.observer.clone(),
        watermarks: watermark::configured(&Paths::from_env()?)?,
    })?;
    for problem in engine.watermarks().problems() {
        anstream::eprintln!("warning: {problem}");
    }
    let lang = args.lang.unwrap_or_else(Lang::from_env);
    let report = score(&engine, &inputs, args.tokens, lang)?;
    let found = compared.map(|compared| compared.read(&inputs)).transpose()?;
    match print(&report, &inputs, found.as_deref(), args.json, lang) {
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// A document in blocks, and what it declares of all of them.
struct Input {
    name: String,
    blocks: Vec<Block>,
    declared: Declared,
}

/// Reads every input into blocks; with several inputs, a block's name begins with its input's.
fn read_all(args: &Args) -> Result<Vec<Input>, Error> {
    if args.inputs.is_empty() && io::stdin().is_terminal() {
        let message = "nothing to score: give a FILE, a URL, or - to type a text and end it with Ctrl-D\n\n\
                       Usage: bonafide score [OPTIONS] [FILE|URL|-]...\n\nFor more information, try '--help'.\n";
        clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, message).exit();
    }
    let standard = ["-".to_owned()];
    let inputs = if args.inputs.is_empty() { &standard[..] } else { &args.inputs };
    let mut documents = Vec::new();
    for input in inputs {
        let read = read_one(input, args.format.map(Format::from));
        let name = name(input);
        let mut read = read.map_err(|error| clean(&format!("{name}: {error}")).into_owned())?;
        if inputs.len() > 1 {
            read.blocks.iter_mut().for_each(|block| block.id = format!("{input}:{}", block.id));
        }
        documents.push(read);
    }
    Ok(documents)
}

fn read_one(input: &str, format: Option<Format>) -> Result<Input, Error> {
    if is_url(input) {
        let page = Fetcher::default().fetch(input)?;
        let format = format.unwrap_or(page.format);
        let blocks = format.blocks(&page.text, Some(&page.url))?;
        let declared = declared(&page.text, format, &blocks);
        return Ok(Input { name: name(input).to_owned(), blocks, declared });
    }
    let (text, format) = read_document(input, format)?;
    let blocks = format.blocks(&text, None)?;
    let declared = declared(&text, format, &blocks);
    Ok(Input { name: name(input).to_owned(), blocks, declared })
}

/// The text of a file or of standard input, and its kind.
///
/// # Errors
/// What can't be read, with the input's name.
pub(super) fn read_text(input: &str, format: Option<Format>) -> Result<(String, Format), Error> {
    let name = name(input);
    read_document(input, format).map_err(|error| clean(&format!("{name}: {error}")).into_owned().into())
}

/// What an input is called.
fn name(input: &str) -> &str {
    if input == "-" { "standard input" } else { input }
}

fn read_document(input: &str, format: Option<Format>) -> Result<(String, Format), Error> {
    let path = Path::new(input);
    let (bytes, named) = if input == "-" {
        (read::limited(io::stdin().lock())??, None)
    } else {
        (read_file(path)??, Format::of_extension(path))
    };
    let text = read::decode(bytes)?;
    let format = format.or(named).unwrap_or_else(|| Format::sniff(&text));
    Ok((text, format))
}

pub(super) fn read_file(path: &Path) -> Result<Result<Vec<u8>, DocumentError>, Error> {
    if path.is_dir() {
        return Err("this is a folder: give the files in it, for example with `*.txt`".into());
    }
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::from(
            "there is no such file: check the path, and begin the address of a page with https://",
        ),
        io::ErrorKind::PermissionDenied => Error::from("this file may not be read: check its permissions"),
        _ => Error::from(error),
    })?;
    Ok(read::limited(file)?)
}

/// Scores blocks with a progress bar if it takes long and someone is watching.
fn score(engine: &Engine, inputs: &[Input], tokens: bool, lang: Lang) -> Result<ScoreReport, Error> {
    let blocks: Vec<(&Block, &Input)> =
        inputs.iter().flat_map(|input| input.blocks.iter().map(move |block| (block, input))).collect();
    let plan = |(block, input): &(&Block, &Input)| {
        let cut = input.blocks.len() > 1;
        if cut { engine.plan_part(&block.text) } else { engine.plan(&block.text) }
    };
    let plans = blocks.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    let total: usize = plans.iter().flat_map(|plan| &plan.windows).map(|window| window.tokens.len()).sum();
    // indicatif draws nothing where standard error is no terminal.
    let bar = if total > BATCH_TOKENS { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {eta}") {
        bar.set_style(style);
    }
    bar.set_message(lang.texts().progress);
    let scored = engine.score_plans(&plans, |tokens| bar.inc(tokens as u64))?;
    bar.finish_and_clear();
    let judged = blocks.iter().zip(plans.iter().zip(&scored)).map(|((block, input), (plan, stats))| {
        let mut report = engine.judge(&block.id, plan, stats, tokens);
        judge::add_of_document(&mut report, &input.declared);
        report
    });
    Ok(engine.report(judged.collect()))
}

fn print(
    report: &ScoreReport,
    inputs: &[Input],
    found: Option<&[Likeness]>,
    json: bool,
    lang: Lang,
) -> io::Result<()> {
    if json {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match found {
            Some(found) => serde_json::to_writer_pretty(&mut out, &author::beside(report, inputs, found))?,
            None => serde_json::to_writer_pretty(&mut out, report)?,
        }
        writeln!(out)?;
        return out.flush();
    }
    let stdout = io::stdout();
    let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(stdout.lock()));
    let blocks: Vec<Block> = inputs.iter().flat_map(|input| input.blocks.iter().cloned()).collect();
    render::report(&mut out, report, &blocks, View { lang, colour })?;
    if let Some(found) = found {
        author::write(&mut out, inputs, found, lang)?;
    }
    out.flush()
}
