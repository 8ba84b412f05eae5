//! `bonafide watermark keys`: which marks are looked for, adding one, and trying one on a text.

use super::Error;
use super::messages::Lang;
use super::render::clean;
use super::score::read_text;
use crate::engine::{Engine, EngineOptions};
use crate::model::compute::Compute;
use crate::paths::Paths;
use crate::watermark::file::{self, Entry, RawKey, RawNumber, TokenizerSpec};
use crate::watermark::{self, Found};
use bonafide_core::hex::hex;
use bonafide_core::text::hidden::Visible;
use bonafide_core::watermark::edit::EditReader;
use bonafide_core::watermark::evidence::FOUND;
use bonafide_core::watermark::scheme::Scheme;
use std::io::Write;

/// Random sequences that an edit cost is compared with.
const RUNS: usize = 199;

/// Watermarks: the keys that texts are searched for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The keys
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Debug, clap::Subcommand)]
enum Keys {
    /// Add a key to watermark-keys.toml in the config folder; a daemon that runs reads it at its next start
    Add(Box<Add>),
    /// List the keys: yours, and the public ones that come with the program
    List {
        /// As JSON, without the secrets
        #[arg(long)]
        json: bool,
    },
    /// Look for one key in a text, and print what was found, however little
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// What reports call it
    name: String,
    /// kgw, sweet, ewd, unigram, synthid, exp, exp-edit or dip
    #[arg(long, default_value = "kgw")]
    scheme: String,
    /// Whose arithmetic: transformers, original, markllm or three_bricks
    #[arg(long)]
    flavour: Option<String>,
    /// What green lists are seeded with: lefthash, selfhash, minhash, skipgram, product, permuted or fold
    #[arg(long)]
    seeding: Option<String>,
    /// Tokens before, that a seed depends on
    #[arg(long, value_name = "N")]
    context: Option<usize>,
    /// Share of the vocabulary that is green [default: 0.25]
    #[arg(long, value_name = "SHARE")]
    gamma: Option<f64>,
    /// How much green tokens gain when texts are marked
    #[arg(long, value_name = "NATS")]
    delta: Option<f64>,
    /// For sweet: the least entropy of a token that counts
    #[arg(long, value_name = "NATS")]
    entropy: Option<f64>,
    /// The key, or - to read it from standard input, where no list of processes shows it; a new random one if absent
    #[arg(long, allow_hyphen_values = true)]
    key: Option<String>,
    /// For synthid: the keys of its layers, separated by commas; thirty random ones if absent
    #[arg(long, value_delimiter = ',')]
    keys: Option<Vec<String>>,
    /// For synthid: tokens that a number depends on
    #[arg(long, value_name = "N")]
    ngram: Option<usize>,
    /// For exp-edit: length of the sequence
    #[arg(long, value_name = "N")]
    length: Option<usize>,
    /// A model of the registry, or a tokenizer.json; the loaded model's if absent
    #[arg(long, value_name = "NAME|FILE")]
    tokenizer: Option<String>,
    /// Tokens in the vocabulary, if they are not as many as the tokenizer has
    #[arg(long, value_name = "N")]
    vocabulary: Option<u32>,
    /// Who marks texts with it
    #[arg(long)]
    who: Option<String>,
    /// Anyone could know it: then it declares nothing
    #[arg(long)]
    public: bool,
}

#[derive(Debug, clap::Args)]
struct Test {
    /// The key
    name: String,
    /// The text, or - for standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    input: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Name of a model (see `bonafide model list`) or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with a key, its file or the text.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let Command::Keys(keys) = args.command;
    let paths = Paths::from_env()?;
    match keys {
        Keys::Add(add) => self::add(&paths, *add),
        Keys::List { json } => list(&paths, json),
        Keys::Test(test) => self::test(&paths, &test),
    }
}

fn add(paths: &Paths, args: Add) -> Result<(), Error> {
    if file::built_in()?.iter().any(|key| key.name == args.name) {
        return Err(format!(
            "a key that comes with the program is called `{}`: take another name",
            args.name
        )
        .into());
    }
    let synthid = args.scheme == "synthid";
    let key = match args.key {
        Some(key) if key == "-" => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Some(number(line.trim()))
        }
        Some(key) => Some(number(&key)),
        None if synthid => None,
        None if args.scheme == "dip" => Some(RawNumber::Text(hex(&random::<64>()?))),
        None => Some(random_number()?),
    };
    let keys = match args.keys {
        Some(keys) => Some(keys.iter().map(|key| number(key)).collect()),
        None if synthid => Some((0..30).map(|_| random_number()).collect::<Result<_, _>>()?),
        None => None,
    };
    let has_gamma = !synthid && !args.scheme.starts_with("exp");
    // A relative path is one from here, not from the key file.
    let tokenizer = match args.tokenizer {
        Some(name) if name.ends_with(".json") => Some(std::path::absolute(&name)?.display().to_string()),
        other => other,
    };
    let raw = RawKey {
        name: args.name,
        who: args.who,
        flavour: args.flavour,
        seeding: args.seeding,
        context: args.context,
        gamma: args.gamma.or(has_gamma.then_some(0.25)),
        key,
        keys,
        entropy: args.entropy,
        delta: args.delta,
        ngram: args.ngram,
        length: args.length.or((args.scheme == "exp-edit").then_some(256)),
        tokenizer,
        vocabulary: args.vocabulary,
        public: args.public.then_some(true),
        scheme: args.scheme,
        ..RawKey::default()
    };
    let path = file::add(&paths.config, &raw)?;
    anstream::println!("{}", path.display());
    Ok(())
}

/// A number, or what TOML must hold as text.
fn number(text: &str) -> RawNumber {
    text.parse().map_or_else(|_| RawNumber::Text(text.to_owned()), RawNumber::Number)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

/// Thirty-two bits, because no more of a seed reach the generators.
fn random_number() -> Result<RawNumber, Error> {
    Ok(RawNumber::Number(i64::from(u32::from_le_bytes(random()?).max(1))))
}

fn list(paths: &Paths, json: bool) -> Result<(), Error> {
    let own = file::load(&paths.config)?;
    let all: Vec<Entry> = own.into_iter().chain(file::built_in()?).collect();
    if json {
        let all: Vec<_> = all
            .iter()
            .map(|key| {
                serde_json::json!({
                    "name": key.name,
                    "scheme": key.scheme_name(),
                    "tokenizer": tokenizer(key),
                    "vocabulary": key.vocabulary(),
                    "who": key.who,
                    "public": key.public,
                    "built_in": key.built_in,
                    "only_when_asked": key.slow(),
                })
            })
            .collect();
        anstream::println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    let width = all.iter().map(|key| key.name.chars().count()).max().unwrap_or(0);
    let note = if Lang::from_env() == Lang::Zh {
        "在 GPU 上生成的标记使用另一种随机数，在这里找不到。"
    } else {
        "Marks that were made on a GPU come from other random numbers, and are not found here."
    };
    for key in &all {
        let kind = if key.public { "public " } else { "private" };
        let asked = if key.slow() { " (looked for by `keys test` only: slow)" } else { "" };
        let who = clean(key.who.as_deref().unwrap_or("-")).into_owned();
        let name = clean(&key.name);
        anstream::println!(
            "{name:<width$}  {kind}  {:<8}  {:<12}  {who}{asked}",
            key.scheme_name(),
            tokenizer(key)
        );
    }
    anstream::eprintln!("{note}");
    Ok(())
}

fn tokenizer(key: &Entry) -> String {
    match &key.tokenizer {
        TokenizerSpec::Loaded => "loaded model".to_owned(),
        TokenizerSpec::Model(name) => name.clone(),
        TokenizerSpec::File(path) => path.display().to_string(),
    }
}

fn test(paths: &Paths, args: &Test) -> Result<(), Error> {
    let mut entry = watermark::find_key(paths, &args.name)?;
    let (text, _) = read_text(&args.input, None)?;
    // The user asked for this one, so it gets whatever it needs.
    entry.built_in = false;
    let engine = Engine::load(&EngineOptions {
        model: args.model.clone(),
        compute: args.compute,
        watermarks: vec![entry],
        ..EngineOptions::default()
    })?;
    let visible = Visible::new(&text);
    let found = engine.marks(visible.text());
    if let Some(problem) = engine.watermarks().problems().first() {
        return Err(problem.to_string().into());
    }
    let Some(found) = found.first() else {
        return Err("the text is too short: too few of its tokens tell anything of this key".into());
    };
    let edit = match found.key.detector.scheme() {
        Scheme::ExpEdit(edit) => {
            let ids: Vec<u32> = engine.encode_raw(visible.text())?;
            Some(EditReader::new(edit).permutation_p(&ids, RUNS, 0))
        }
        _ => None,
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &json(found, &visible, edit))?;
        writeln!(out)?;
        return Ok(());
    }
    plain(&mut out, found, &visible, edit)
}

fn json(found: &Found<'_>, visible: &Visible, edit: Option<f64>) -> serde_json::Value {
    let finding = &found.finding;
    let span = visible.span(found.bytes.clone());
    serde_json::json!({
        "key": found.key.entry.name,
        "scheme": found.key.detector.scheme().name(),
        "found": finding.p < FOUND,
        "p": finding.p,
        "z": finding.z,
        "tokens": finding.scored,
        "value": finding.value,
        "expected": finding.expected,
        "windows": finding.windows,
        "span": { "start": span.start, "end": span.end },
        "edit_cost_p": edit,
    })
}

fn plain(out: &mut impl Write, found: &Found<'_>, visible: &Visible, edit: Option<f64>) -> Result<(), Error> {
    let zh = Lang::from_env() == Lang::Zh;
    let say = |en: &'static str, in_zh: &'static str| if zh { in_zh } else { en };
    let Found { finding, key, bytes, .. } = found;
    let verdict = if finding.p < FOUND { say("found", "已找到") } else { say("not found", "未找到") };
    writeln!(out, "{} ({}): {verdict}", clean(&key.entry.name), key.detector.scheme().name())?;
    let (p, windows) = (finding.p, finding.windows);
    if zh {
        writeln!(out, "  p         {p:.2e}（已按 {windows} 个片段校正；低于 {FOUND:.0e} 视为找到）")?;
    } else {
        writeln!(out, "  p         {p:.2e} (corrected for {windows} stretches; found below {FOUND:.0e})")?;
    }
    writeln!(out, "  z         {:.2}", finding.z)?;
    writeln!(out, "  {}    {}", say("tokens", "词元  "), finding.scored)?;
    let unmarked = say("unmarked text", "无水印文本");
    writeln!(
        out,
        "  {}     {:.4} ({unmarked}: {:.4})",
        say("value", "均值 "),
        finding.value,
        finding.expected
    )?;
    if let Some(p) = edit {
        let of = say("of random sequences", "随机序列数");
        writeln!(out, "  {}  {p:.3} ({of}: {})", say("edit p ", "编辑 p "), RUNS + 1)?;
    }
    let text = visible.text().get(bytes.clone()).unwrap_or_default();
    let shown: String = text.chars().take(200).collect();
    let more = if shown.len() < text.len() { " …" } else { "" };
    writeln!(out, "  {}     {}{more}", say("where", "位置 "), clean(&shown.replace('\n', " ")))?;
    Ok(())
}
