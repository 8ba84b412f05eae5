//! Power: how many of our own marked texts are found, whole, cut, damaged, and inside other text.

use super::{engine, human_texts, keys};
use bonafide::engine::Engine;
use bonafide::generate::sampling::Sampling;
use bonafide::generate::{Generator, Request};
use bonafide::model::compute::Compute;
use bonafide_core::watermark::random::numpy::Pcg64;

const TEXTS: usize = 50;
const TOKENS: usize = 200;
const LEVEL: f64 = 1e-5;

const KEYS: &str = "
[[key]]
name = 'kgw lefthash, delta 2'
scheme = 'kgw'
gamma = 0.25
key = 20241105
[[key]]
name = 'kgw lefthash, delta 2.5'
scheme = 'kgw'
gamma = 0.25
delta = 2.5
key = 20241106
[[key]]
name = 'kgw selfhash, delta 2.5'
scheme = 'kgw'
seeding = 'selfhash'
context = 4
gamma = 0.25
delta = 2.5
key = 20241107
[[key]]
name = 'unigram, delta 2'
scheme = 'unigram'
gamma = 0.25
key = 20241108
[[key]]
name = 'synthid, 30 layers'
scheme = 'synthid'
keys = [901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911, 912, 913, 914, 915, 916, 917, 918, 919, 920, 921, 922, 923, 924, 925, 926, 927, 928, 929, 930]
[[key]]
name = 'exp'
scheme = 'exp'
key = 20241109
";

pub(super) fn run() {
    let human = human_texts(40);
    if human.len() < TEXTS {
        return;
    }
    let sampling = Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, max_tokens: TOKENS, stop: false };
    println!(
        "\nOur own marked texts found at p <= {LEVEL:.0e}, of {TEXTS}: continuations of human texts, temperature {}",
        sampling.temperature
    );
    println!(
        "{:<26} {:>6} {:>6} {:>6} {:>14} {:>17} {:>9}",
        "mark", "50", "100", "200", "200 - 20 % words", "100 in 900 human", "unmarked"
    );
    let generator = Generator::load(None, Compute::default()).expect("the default model");
    let prompts: Vec<String> =
        (0..TEXTS).map(|at| first_words(&human[at * human.len() / TEXTS], 25)).collect();
    for key in keys(KEYS) {
        let marked = |marked: bool| {
            let requests = prompts.iter().enumerate().map(|(at, prompt)| Request {
                prompt: prompt.clone(),
                chat: false,
                marker: marked.then(|| generator.marker(&key, None).expect("a scheme that marks")),
                seed: at as u64,
            });
            generator.generate(requests.collect(), &sampling, |_, _| true).expect("texts")
        };
        let texts = marked(true);
        let engine = engine(vec![key.clone()]);
        let cut = |tokens: usize| {
            texts.iter().map(|text| generator.text_of(&text.tokens[..tokens]).unwrap()).collect()
        };
        let whole: Vec<String> = cut(TOKENS);
        let damaged: Vec<String> =
            whole.iter().enumerate().map(|(at, text)| without_words(text, at as u64)).collect();
        let hundred: Vec<String> = cut(100);
        let pasted: Vec<String> =
            hundred.iter().enumerate().map(|(at, text)| inside(&engine, text, &human, at)).collect();
        let plain: Vec<String> = marked(false).into_iter().map(|text| text.text).collect();
        println!(
            "{:<26} {:>6} {:>6} {:>6} {:>14} {:>17} {:>9}",
            key.name,
            found(&engine, &cut(50)),
            found(&engine, &hundred),
            found(&engine, &whole),
            found(&engine, &damaged),
            found(&engine, &pasted),
            found(&engine, &plain),
        );
    }
}

fn found(engine: &Engine, texts: &[String]) -> usize {
    texts.iter().filter(|text| engine.marks(text).iter().any(|mark| mark.finding.p <= LEVEL)).count()
}

fn first_words(text: &str, words: usize) -> String {
    text.split_whitespace().take(words).collect::<Vec<_>>().join(" ")
}

/// Every word is lost with a chance of one in five.
fn without_words(text: &str, seed: u64) -> String {
    let mut random = Pcg64::new(seed);
    text.split_inclusive(' ').filter(|_| random.next_f64() >= 0.2).collect()
}

/// A text in the middle of about 900 tokens of human text.
fn inside(engine: &Engine, text: &str, human: &[String], at: usize) -> String {
    let (mut before, mut after, mut tokens) = (String::new(), String::new(), 0);
    for (turn, human) in human.iter().cycle().skip(at * 7).enumerate() {
        let half = if turn % 2 == 0 { &mut before } else { &mut after };
        let length = engine.encode_raw(human).map_or(0, |ids| ids.len());
        let room = 900 - tokens;
        let take = if length <= room { human.len() } else { human.len() * room / length };
        let take = human.floor_char_boundary(take);
        half.push_str(&human[..take]);
        half.push_str("\n\n");
        tokens += length.min(room);
        if tokens >= 900 {
            break;
        }
    }
    format!("{before}{text}\n\n{after}")
}
