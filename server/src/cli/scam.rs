//! `bonafide scam`: whether a chat is a scam, and why.

mod render;
mod texts;

use super::Error;
use super::messages::{self, Lang};
use super::render::clean;
use crate::chats::{self, Chat, Choice};
use crate::engine::{Engine, EngineOptions};
use crate::scam::{Tag, opinion};
use bonafide_core::scam::{Report, Setting};
use std::io::{self, Write};
use std::path::Path;

/// Say whether a chat is a scam, with the messages that show it.
///
/// Reads WhatsApp's exported chat (.txt or .zip), Telegram Desktop's result.json and messages.html, turns as JSON, and lines
/// that begin with `them:` or `me:`. It needs no model unless --second-opinion asks one, and nothing leaves the machine. The
/// exit code is 0 whatever the chat is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A chat export, or - for standard input
    #[arg(value_name = "FILE|-")]
    input: String,
    /// Your own name in the chat, where the export doesn't tell
    #[arg(long, value_name = "NAME")]
    me: Option<String>,
    /// Which chat, in a Telegram export of all chats: its name or its id
    #[arg(long, value_name = "NAME")]
    chat: Option<String>,
    /// Language of the report as a tag (en-GB, zh-CN, …), instead of the environment's; its country chooses whom to call
    #[arg(long, value_name = "TAG")]
    lang: Option<Tag>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// The other side was a stranger who wrote first
    #[arg(long)]
    new_contact: bool,
    /// Ask the language model too where the engine is not sure: better, and seconds instead of milliseconds
    #[arg(long)]
    second_opinion: bool,
    /// With --second-opinion: another model than the default
    #[arg(long, value_name = "NAME|FILE", requires = "second_opinion")]
    model: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// What can't be read, with the input's name.
pub fn run(args: &Args) -> Result<(), Error> {
    let name = if args.input == "-" { "standard input" } else { &args.input };
    let chat = read(args).map_err(|error| clean(&format!("{name}: {error}")).into_owned())?;
    let setting = Setting { new_contact: args.new_contact.then_some(true), ..Setting::default() };
    let tag = args.lang.clone().unwrap_or_else(|| Tag::of_locale(&messages::locale()));
    let mut report = chat.report(setting.clone(), tag.as_str())?;
    if args.second_opinion {
        let texts = texts::of(Lang::of(tag.as_str()));
        if !opinion::is_wanted_on(&report)? {
            anstream::eprintln!("{}", texts.not_asked);
        } else if let Some(opinion) = second_opinion(args, &chat)? {
            report = chat.report(Setting { second_opinion: Some(opinion), ..setting }, tag.as_str())?;
        } else {
            anstream::eprintln!("{}", texts.no_opinion);
        }
    }
    match print(&report, &chat, args.json, Lang::of(tag.as_str())) {
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// What the language model adds to the log-odds of a scam; `None` if it has no opinion on chats in this language.
fn second_opinion(args: &Args, chat: &Chat) -> Result<Option<f64>, Error> {
    let turns = chat.turns.iter().map(|turn| (turn.side, turn.text.as_str()));
    let spoken = opinion::Spoken::of(turns, opinion::MOST_BYTES);
    let engine = Engine::load(&EngineOptions { model: args.model.clone(), ..EngineOptions::default() })?;
    Ok(engine.opinions_on(&spoken)?.and_then(|opinions| opinions.last().copied()))
}

fn read(args: &Args) -> Result<Chat, Error> {
    let is_file = args.input != "-";
    let bytes =
        if is_file { read_file(Path::new(&args.input))? } else { chats::limited(io::stdin().lock())?? };
    let file = is_file.then_some(args.input.as_str());
    Ok(chats::read(bytes, Choice { file, me: args.me.as_deref(), chat: args.chat.as_deref() })?)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    if path.is_dir() {
        return Err("this is a folder: give the file with the messages in it, for example result.json".into());
    }
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::from("there is no such file: check the path"),
        io::ErrorKind::PermissionDenied => Error::from("this file may not be read: check its permissions"),
        _ => Error::from(error),
    })?;
    Ok(chats::limited(file)??)
}

fn print(report: &Report, chat: &Chat, json: bool, lang: Lang) -> io::Result<()> {
    if json {
        let mut out = io::BufWriter::new(io::stdout().lock());
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
        return out.flush();
    }
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    render::report(&mut out, report, chat, lang)?;
    out.flush()
}
