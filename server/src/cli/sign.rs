//! `bonafide sign`: a statement by the author about a text.

use super::Error;
use super::key::texts::prompts;
use super::messages::Lang;
use super::score::{self, FormatArg};
use crate::document::read::Format;
use crate::keystore::FromUser;
use crate::paths::Paths;
use crate::signatures::{Form, Order, Signatures, SignedText};
use bonafide_core::signature::time::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Sign a text as written by a human being.
///
/// Without --as a file gets a side file, NAME.human.json, and standard input gets an armoured block.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The text: plain, Markdown or HTML; - for standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    input: String,
    /// How the statement goes with the text
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// Name of the key (see `bonafide key list`), instead of the default one
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Where to write, instead of standard output or NAME.human.json; an existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which help you had: none, spelling, translation, or a sentence
    #[arg(long, value_name = "none|spelling|translation|SENTENCE", default_value = "none")]
    assistance: String,
    /// Language of the text as a BCP 47 tag, instead of a guess
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// When the statement ends, such as 2030-01-01T00:00:00Z
    #[arg(long, value_name = "DATE")]
    expires: Option<Timestamp>,
    /// With --as vc: name your site as the issuer (did:web), which must serve `bonafide key publish --did`
    #[arg(long)]
    did_web: bool,
    /// Kind of the input, instead of a guess from its name and content
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
}

/// Runs the command.
///
/// # Errors
/// What keeps the text from being signed.
pub fn run(args: Args) -> Result<(), Error> {
    let (text, format) = score::read_text(&args.input, args.format.map(Format::from))?;
    let piped = args.input == "-";
    let form = args.form.unwrap_or(if piped { Form::Armour } else { Form::Side });
    let signatures = Signatures::new(&Paths::from_env()?, false);
    let order = Order {
        text,
        format,
        form,
        key: args.key,
        language: args.language,
        assistance: Some(args.assistance),
        expires: args.expires,
        written_here: None,
        did_web: args.did_web,
    };
    let prepared = signatures.prepare(order)?;
    let signed = signatures.sign_asking(&prepared, &FromUser(prompts(Lang::from_env())))?;
    let place = args.output.or_else(|| {
        (form.is_side_file() && !piped).then(|| PathBuf::from(format!("{}.human.json", args.input)))
    });
    match place {
        Some(path) => {
            write(&path, signed.output.as_bytes())?;
            anstream::eprintln!("{}", done(&path, &signed, Lang::from_env()));
        }
        None => std::io::stdout().lock().write_all(signed.output.as_bytes())?,
    }
    Ok(())
}

/// Replaces a file in one step, so that a failure leaves the old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut builder = tempfile::Builder::new();
        // What is published is for everyone to read, as far as the user's umask has it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(".bonafide").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| format!("{} can't be written: {error}", path.display()).into())
}

fn done(path: &Path, signed: &SignedText, lang: Lang) -> String {
    let (path, name) = (path.display(), &signed.statement.author.name);
    let (words, paragraphs) = (signed.statement.text.words, signed.statement.text.paragraphs.len());
    match lang {
        Lang::En => format!("{path}: {words} words in {paragraphs} paragraphs, signed as {name}"),
        Lang::Zh => format!("{path}：{words} 词，{paragraphs} 段，署名 {name}"),
    }
}
