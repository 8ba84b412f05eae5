//! Scores the same texts with bonafide and with llama.cpp, alternating, and prints the ratios.
//! `cargo xtask bench llama` builds llama.cpp and runs this.
//!
//! llama.cpp runs in a Python process (`tests/bench/llama.py`) that takes its orders here. Its time is that of
//! `llama_decode` with the logits of all positions; turning them into log-probabilities is timed apart, because
//! numpy is not llama.cpp. bonafide's time includes all statistics.

use bonafide::engine::{Engine, EngineOptions, Window};
use bonafide::model::compute::{Compute, Device, Precision};
use bonafide::model::progress::Terminal;
use bonafide::model::store::{self, StoredModel};
use bonafide::paths::Paths;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Lengths of the texts, in tokens.
const LENGTHS: [usize; 2] = [512, 1024];
/// Formats that llama.cpp makes of the model file. The file's own comes first, under its own name.
const FORMATS: [&str; 4] = ["Q4_0", "Q8_0", "F16", "BF16"];
/// Tokens that llama.cpp puts through its layers at once; 512 is its default.
const UBATCHES: [usize; 3] = [256, 512, 1024];
/// Rounds in which llama.cpp's best setting is picked.
const PICKING: usize = 3;
/// How often a process whose memory is asked for scores the texts.
const MEMORY_ROUNDS: usize = 3;
/// So long a side rests before it is timed, so that the other one's threads have stopped spinning.
const PAUSE: Duration = Duration::from_millis(30);

/// Prose of many kinds of sentence, for speed only: what it says plays no part.
const PROSE: &str = "\
Nobody in the village could say when the mill had stopped. Old Harriet claimed it was the winter her brother \
sailed for Valparaíso, which would make it 1931, but the parish book has flour sold from it until the spring of \
1934, at two shillings a sack. What is certain is that the wheel was taken down and carted off by a dealer from \
Exeter, who paid in cash and never gave his name. The children swam in the race afterwards; one of them, a boy \
called Tom Pellow, found a brass token in the mud with a ship on one side and nothing at all on the other.

Measuring how quickly a river carries its sand away sounds simple, and isn't. You lower a bottle, let it fill, \
dry what you caught and weigh it. But the grains travel in pulses: an hour after rain there may be forty times as \
much as in the morning, and most of it goes past at night when everyone who owns a bottle is asleep. So the older \
tables, compiled by careful people with notebooks, are wrong by a factor that depends on how early they rose. \
\"We had the averages of good weather,\" one engineer wrote to his successor, \"and the floods had the rest.\"

If you are baking this for the first time, keep the oven door shut. The crust should blister after about twenty \
minutes; turn the tin once, lower the heat to 180 degrees and wait until a skewer comes out clean. Salted butter \
works, though then leave out the pinch of salt. My aunt used lard, swore by it, and lived to be ninety-six. Serve \
it warm with sharp cheese (not the mild sort that supermarkets cut into slices) and a glass of something cold.

The committee met again on Thursday. Three members were absent, two had sent letters, and the treasurer, whose \
report was the only item on the agenda, arrived so late that the vote had to be put off until June. Did anybody \
mind? Apparently not. There was some talk of the roof, which leaks above the piano, and of a fund for repairing \
it, to which Mrs Okafor promised fifty pounds provided that the piano was tuned as well. ";

fn main() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    let stored = store::resolve(&Paths::from_env()?, options.model.as_deref(), &mut Terminal::new())?;
    if options.self_once { self_once(&options, &stored) } else { compare(&options, &stored) }
}

/// Compares everything and prints a report.
fn compare(options: &Options, stored: &StoredModel) -> Result<(), Error> {
    let engine = open(options, stored)?;
    let texts = texts(&engine)?;
    let files = files(options, stored)?;
    let own = Setup { file: 0, ubatch: UBATCHES[0] };

    let mut out = std::io::stdout().lock();
    writeln!(out, "\nCPU        {}; {} threads for each side", cpu_name(), options.threads)?;
    writeln!(out, "model      {}, {}", stored.name, file_name(&stored.path))?;
    writeln!(out, "bonafide   {}", engine.backend().name())?;
    let mut sides = Vec::new();
    for file in &files {
        sides.push(Llama::load(options, &file.path)?);
    }
    writeln!(out, "llama.cpp  {}", sides[own.file].system)?;
    for (file, side) in files.iter().zip(&mut sides) {
        let buffers = side.buffers()?;
        writeln!(out, "           {:6} {}; {buffers}", file.format, side.about)?;
    }

    if let Some(busy) = busy().filter(|busy| *busy > 0.05) {
        writeln!(
            out,
            "warning    other programs keep this machine {:.0} % busy: stop them, or these figures mean little",
            busy * 100.0
        )?;
    }

    eprintln!("Picking llama.cpp's fastest settings ({PICKING} rounds and one to warm up)");
    let all: Vec<Setup> = (0..files.len())
        .flat_map(|file| UBATCHES.into_iter().map(move |ubatch| Setup { file, ubatch }))
        .collect();
    let picked = measure(&engine, &texts, &all, &mut sides.iter_mut().collect::<Vec<_>>(), PICKING)?;
    writeln!(out, "\nllama.cpp's settings, tokens/s (median of {PICKING} rounds)")?;
    writeln!(out, "  format  micro-batch {}", heads("tokens"))?;
    for (setup, result) in all.iter().zip(&picked.theirs) {
        writeln!(
            out,
            "  {:7} {:>11} {}",
            files[setup.file].format,
            setup.ubatch,
            speeds(&result.decode_medians())
        )?;
    }
    writeln!(out, "  bonafide beside it {}", speeds(&picked.ours.decode_medians()))?;
    drop(sides);

    // The file's own format with its best micro-batch first, then whichever was fastest at some length.
    let mut finalists = vec![all[picked.fastest(|i| all[i].file == own.file, None)]];
    for length in 0..LENGTHS.len() {
        let setup = all[picked.fastest(|_| true, Some(length))];
        if !finalists.contains(&setup) {
            finalists.push(setup);
        }
    }
    let mut sides = Vec::new();
    for setup in &finalists {
        sides.push(Llama::load(options, &files[setup.file].path)?);
    }
    eprintln!("Measuring ({} rounds and one to warm up)", options.rounds);
    let setups: Vec<Setup> =
        finalists.iter().enumerate().map(|(file, setup)| Setup { file, ubatch: setup.ubatch }).collect();
    let result =
        measure(&engine, &texts, &setups, &mut sides.iter_mut().collect::<Vec<_>>(), options.rounds)?;
    drop(sides);
    drop(engine);

    eprintln!("Measuring memory in fresh processes");
    let own_peak = own_peak()?;
    let mut peaks = Vec::new();
    for setup in &finalists {
        peaks.push(Llama::load(options, &files[setup.file].path)?.peak(&texts, setup.ubatch)?);
    }

    let ours = result.ours.decode_medians();
    writeln!(out, "\nSide by side, tokens/s (median of {} rounds)", options.rounds)?;
    writeln!(out, "  {:34} {} {} {:>9}", "", heads("tokens"), heads("ratio"), "peak MiB")?;
    writeln!(
        out,
        "  {:34} {} {} {:>9}",
        format!("bonafide {}, all statistics", files[0].format),
        speeds(&ours),
        ratios(&[1.0; LENGTHS.len()]),
        mebibytes(own_peak)
    )?;
    for ((setup, theirs), peak) in finalists.iter().zip(&result.theirs).zip(&peaks) {
        let name = format!("llama.cpp {}, micro-batch {}", files[setup.file].format, setup.ubatch);
        let decode = theirs.decode_medians();
        writeln!(
            out,
            "  {name:34} {} {} {:>9}",
            speeds(&decode),
            ratios(&quotients(&decode, &ours)),
            mebibytes(peak.all)
        )?;
        let whole = theirs.whole_medians();
        writeln!(
            out,
            "  {:34} {} {}",
            "  and log-probabilities in numpy",
            speeds(&whole),
            ratios(&quotients(&whole, &ours))
        )?;
    }
    if let Some(python) = peaks.first().and_then(|peak| peak.python) {
        writeln!(
            out,
            "  of llama.cpp's peaks {python:.0} MiB are Python, numpy and the libraries before loading"
        )?;
    }
    writeln!(out, "\nMean difference of a token's log-probability between the two (nats)")?;
    for (setup, theirs) in finalists.iter().zip(&result.theirs) {
        let differences =
            theirs.logprobs.iter().zip(&result.ours.logprobs).map(|(theirs, ours)| difference(theirs, ours));
        let shown = LENGTHS.iter().zip(differences).fold(String::new(), |mut line, (length, value)| {
            let _ = write!(line, "  {value:.4} at {length} tokens");
            line
        });
        writeln!(out, "  {:7}{shown}", files[setup.file].format)?;
    }

    let same = quotients(&result.theirs[0].decode_medians(), &ours);
    let best: Vec<f64> = (0..LENGTHS.len())
        .map(|length| {
            let times = result.theirs.iter().map(|theirs| theirs.decode_medians()[length]);
            times.fold(f64::INFINITY, f64::min) / ours[length]
        })
        .collect();
    writeln!(
        out,
        "\nA ratio is llama.cpp's median time over bonafide's, without the log-probabilities in numpy."
    )?;
    writeln!(out, "Below stands the smaller one of the two lengths; best-format takes llama.cpp's fastest")?;
    writeln!(out, "setting at each length.")?;
    writeln!(out, "same-file ratio {:.2}", least(&same))?;
    writeln!(out, "best-format ratio {:.2}", least(&best))?;
    Ok(())
}

/// What a fresh process does whose memory is asked for: the same work as llama.cpp's.
fn self_once(options: &Options, stored: &StoredModel) -> Result<(), Error> {
    let engine = open(options, stored)?;
    for _ in 0..MEMORY_ROUNDS {
        for window in texts(&engine)? {
            engine.score_windows(&[&window])?;
        }
    }
    let peak = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
    });
    writeln!(std::io::stdout(), "{}", json!({ "peak_mib": peak }))?;
    Ok(())
}

fn own_peak() -> Result<Option<f64>, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).arg("--self-once");
    let output = command.stderr(Stdio::inherit()).output()?;
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    Ok(answer["peak_mib"].as_f64())
}

fn open(options: &Options, stored: &StoredModel) -> Result<Engine, Error> {
    let own = EngineOptions {
        model: options.model.clone(),
        // llama.cpp has the CPU only, as it is built here.
        compute: Compute {
            threads: Some(options.threads),
            device: Some(Device::Cpu),
            precision: options.precision,
        },
        ..EngineOptions::default()
    };
    Ok(Engine::open(stored, &own)?)
}

/// The prose, repeated and cut to each length.
fn texts(engine: &Engine) -> Result<Vec<Window>, Error> {
    let longest = LENGTHS.into_iter().max().unwrap_or(0);
    let mut tokens = Vec::new();
    for copies in 1.. {
        tokens = engine.encode_raw(&PROSE.repeat(copies))?;
        if tokens.len() >= longest {
            break;
        }
    }
    Ok(LENGTHS.iter().map(|&length| Window { tokens: tokens[..length].to_vec(), skip: 0, lens: 0 }).collect())
}

/// A model file in one format.
struct ModelFile {
    format: String,
    path: PathBuf,
}

/// The model file itself, and what llama.cpp makes of it in other formats, once.
fn files(options: &Options, stored: &StoredModel) -> Result<Vec<ModelFile>, Error> {
    let stem = stored.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let own = stem.rsplit_once(['.', '-']).map_or(stem.as_str(), |(_, format)| format).to_owned();
    let mut files = vec![ModelFile { format: own.clone(), path: stored.path.clone() }];
    std::fs::create_dir_all(&options.folder)?;
    for format in FORMATS.into_iter().filter(|format| *format != own) {
        let path = options.folder.join(format!("{}.{format}.gguf", &stored.sha256[..12]));
        if !path.is_file() {
            eprintln!("Making {format} of {}", file_name(&stored.path));
            let part = path.with_extension("part");
            Llama::start(options)?.ask(&json!({
                "do": "quantise", "from": stored.path, "to": part, "format": format, "threads": options.threads
            }))?;
            std::fs::rename(part, &path)?;
        }
        files.push(ModelFile { format: format.to_owned(), path });
    }
    Ok(files)
}

/// A way to run llama.cpp: which of the loaded files, and how many tokens at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setup {
    file: usize,
    ubatch: usize,
}

/// Times of one side, by text, and what it said last.
#[derive(Default)]
struct Times {
    decode: Vec<Vec<f64>>,
    whole: Vec<Vec<f64>>,
    logprobs: Vec<Vec<f64>>,
}

impl Times {
    fn new() -> Self {
        let empty = vec![Vec::new(); LENGTHS.len()];
        Self { decode: empty.clone(), whole: empty.clone(), logprobs: empty }
    }

    fn add(&mut self, text: usize, score: Score, counts: bool) {
        if counts {
            self.decode[text].push(score.decode);
            self.whole[text].push(score.whole);
        }
        self.logprobs[text] = score.logprobs;
    }

    fn decode_medians(&self) -> Vec<f64> {
        self.decode.iter().map(|times| median(times)).collect()
    }

    fn whole_medians(&self) -> Vec<f64> {
        self.whole.iter().map(|times| median(times)).collect()
    }
}

/// Times of both sides; `theirs` by setup.
struct Measured {
    ours: Times,
    theirs: Vec<Times>,
}

impl Measured {
    /// The fastest of some setups at one length, or over all.
    fn fastest(&self, wanted: impl Fn(usize) -> bool, length: Option<usize>) -> usize {
        let time = |i: usize| -> f64 {
            let medians = self.theirs[i].decode_medians();
            length.map_or_else(|| medians.iter().sum(), |length| medians[length])
        };
        let wanted = (0..self.theirs.len()).filter(|&i| wanted(i));
        wanted.min_by(|&a, &b| time(a).total_cmp(&time(b))).unwrap_or(0)
    }
}

/// One scored text.
struct Score {
    decode: f64,
    whole: f64,
    logprobs: Vec<f64>,
}

/// Scores all texts on all sides in turn, round by round. Odd rounds go backwards, so that no side always comes
/// after the same other one.
fn measure(
    engine: &Engine,
    texts: &[Window],
    setups: &[Setup],
    sides: &mut [&mut Llama],
    rounds: usize,
) -> Result<Measured, Error> {
    let mut found = Measured { ours: Times::new(), theirs: setups.iter().map(|_| Times::new()).collect() };
    for round in 0..=rounds {
        for (text, window) in texts.iter().enumerate() {
            // Place 0 is bonafide, the others are the setups.
            let mut order: Vec<usize> = (0..=setups.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for place in order {
                std::thread::sleep(PAUSE);
                // The first round warms caches and threads.
                if let Some(setup) = place.checked_sub(1).map(|place| setups[place]) {
                    let score = sides[setup.file].score(window, setup.ubatch)?;
                    found.theirs[place - 1].add(text, score, round > 0);
                } else {
                    found.ours.add(text, own_score(engine, window)?, round > 0);
                }
            }
        }
    }
    Ok(found)
}

fn own_score(engine: &Engine, window: &Window) -> Result<Score, Error> {
    let start = Instant::now();
    let stats = engine.score_windows(&[window])?;
    let seconds = start.elapsed().as_secs_f64();
    let logprobs = stats.iter().flatten().map(|stats| f64::from(stats.logprob)).collect();
    Ok(Score { decode: seconds, whole: seconds, logprobs })
}

/// A Python process with llama.cpp. It ends when its input does.
struct Llama {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    about: String,
    system: String,
    python_mib: Option<f64>,
}

/// Peak memory of a process, and what of it was there before the model.
struct Peak {
    all: Option<f64>,
    python: Option<f64>,
}

impl Llama {
    fn start(options: &Options) -> Result<Self, Error> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/llama.py");
        let mut child = Command::new(&options.python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!("{} can't be run: {error}; use `cargo xtask bench llama`", options.python.display())
            })?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("the child has no output")?);
        Ok(Self { child, requests, answers, about: String::new(), system: String::new(), python_mib: None })
    }

    fn load(options: &Options, path: &Path) -> Result<Self, Error> {
        let mut side = Self::start(options)?;
        let context = LENGTHS.into_iter().max().unwrap_or(0);
        let answer = side.ask(&json!({
            "do": "load", "path": path, "threads": options.threads, "context": context
        }))?;
        answer["about"].as_str().unwrap_or_default().clone_into(&mut side.about);
        answer["system"].as_str().unwrap_or_default().clone_into(&mut side.system);
        side.python_mib = answer["python_mib"].as_f64();
        Ok(side)
    }

    fn ask(&mut self, request: &Value) -> Result<Value, Error> {
        let mut line = String::new();
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{request}")?;
            requests.flush()?;
        }
        if self.answers.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(format!(
                "llama.cpp's process ended without an answer ({status}); if it was built on another machine, remove \
                 target/bench-llama and run `cargo xtask bench llama` again"
            )
            .into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned().into()),
            None => Ok(answer),
        }
    }

    fn score(&mut self, window: &Window, ubatch: usize) -> Result<Score, Error> {
        let answer = self.ask(&json!({ "do": "score", "tokens": window.tokens, "ubatch": ubatch }))?;
        let number = |key: &str| answer[key].as_f64().ok_or_else(|| format!("llama.py gave no {key}"));
        let decode = number("decode_s")?;
        let logprobs = answer["logprobs"].as_array().ok_or("llama.py gave no logprobs")?;
        Ok(Score {
            decode,
            whole: decode + number("logprob_s")?,
            logprobs: logprobs.iter().filter_map(Value::as_f64).collect(),
        })
    }

    /// Where the weights went: AMX and other repacked forms have buffers of their own.
    fn buffers(&mut self) -> Result<String, Error> {
        let answer = self.ask(&json!({ "do": "buffers" }))?;
        let lines = answer["lines"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let short = lines.map(|line| {
            let line = line.split_once(':').map_or(line, |(_, rest)| rest).replace(" model buffer size", "");
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        Ok(short.collect::<Vec<_>>().join(", "))
    }

    fn peak(mut self, texts: &[Window], ubatch: usize) -> Result<Peak, Error> {
        for _ in 0..MEMORY_ROUNDS {
            for window in texts {
                self.score(window, ubatch)?;
            }
        }
        let all = self.ask(&json!({ "do": "memory" }))?["peak_mib"].as_f64();
        Ok(Peak { all, python: self.python_mib })
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        drop(self.requests.take());
        // Nothing is left to do for it, however it ended.
        let _ = self.child.wait();
    }
}

/// The command line, by hand: `cargo xtask bench llama` fills in the first two.
struct Options {
    python: PathBuf,
    folder: PathBuf,
    model: Option<String>,
    threads: usize,
    precision: Option<Precision>,
    rounds: usize,
    self_once: bool,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            python: PathBuf::new(),
            folder: PathBuf::new(),
            model: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            precision: None,
            rounds: 7,
            self_once: false,
        };
        let mut rest = arguments;
        while let Some(argument) = rest.next() {
            if argument == "--self-once" {
                options.self_once = true;
                continue;
            }
            let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
            let number = |text: String| {
                text.parse::<usize>()
                    .ok()
                    .filter(|number| *number > 0)
                    .ok_or_else(|| format!("{argument} wants a number from 1, not {text:?}"))
            };
            match argument.as_str() {
                "--python" => options.python = value()?.into(),
                "--folder" => options.folder = value()?.into(),
                "--model" => options.model = Some(value()?),
                "--threads" => options.threads = number(value()?)?,
                "--precision" => {
                    options.precision = Some(serde_json::from_value(Value::String(value()?))?);
                }
                "--rounds" => options.rounds = number(value()?)?,
                _ => {
                    return Err(format!(
                        "there is no argument {argument:?}; there are --model, --threads, --precision and --rounds"
                    )
                    .into());
                }
            }
        }
        if options.python.as_os_str().is_empty() || options.folder.as_os_str().is_empty() {
            return Err("run this with `cargo xtask bench llama`, which builds llama.cpp first".into());
        }
        Ok(options)
    }
}

fn cpu_name() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        line.split_once(':').map(|(_, name)| name.trim().to_owned())
    });
    known.unwrap_or_else(|| format!("unknown ({})", std::env::consts::ARCH))
}

/// The share of all processor time that is in use while both sides rest, where the system tells it (Linux).
/// llama.cpp's threads wait for each other by spinning, so that it loses far more to company than its share.
fn busy() -> Option<f64> {
    let read = || -> Option<(f64, f64)> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let numbers = text.lines().next()?.split_whitespace().skip(1).take(8);
        let times = numbers.map(str::parse).collect::<Result<Vec<f64>, _>>().ok()?;
        // The fourth is idle, the fifth waits for disks.
        Some((times.iter().sum(), times.get(3)? + times.get(4)?))
    };
    let (all, idle) = read()?;
    std::thread::sleep(Duration::from_secs(2));
    let (all_later, idle_later) = read()?;
    Some(1.0 - (idle_later - idle) / (all_later - all).max(1.0))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn heads(what: &str) -> String {
    LENGTHS.map(|length| format!("{:>11}", format!("{length} {what}"))).join(" ")
}

fn speeds(seconds: &[f64]) -> String {
    let cells: Vec<String> = LENGTHS
        .iter()
        .zip(seconds)
        .map(|(&length, seconds)| format!("{:>11.0}", length as f64 / seconds))
        .collect();
    cells.join(" ")
}

fn ratios(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:>11.2}")).collect::<Vec<_>>().join(" ")
}

fn quotients(theirs: &[f64], ours: &[f64]) -> Vec<f64> {
    theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect()
}

fn mebibytes(peak: Option<f64>) -> String {
    peak.map_or_else(|| "unknown".to_owned(), |peak| format!("{peak:.0}"))
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len().max(1) as f64
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
