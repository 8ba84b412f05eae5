//! From labelled conversations to a model.
//!
//! Sources differ in style, and a classifier can tell the source instead of the scam. So the head is fitted on what the
//! wording says of a source that it was *not* trained on, source after source; calibration and thresholds come from the same
//! numbers. A fifth of all groups ([`is_held_out`]) is never looked at.

use super::{head, wording};
use crate::eval::scam::dataset::{Line, Talk, groups, is_held_out};
use bonafide_core::scam::judge::{LEAST_TACTICS, PLAIN};
use bonafide_core::scam::{Conversation, Engine, Head, Model, Setting, Side};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Turns after which the numbers of a conversation are taken; those after the last one too.
const TAKEN: [usize; 9] = [1, 2, 3, 5, 8, 12, 20, 35, 60];
/// With fewer sources than this a part of all is left out in the place of a source.
const FEW_SOURCES: usize = 3;
const PARTS: u64 = 8;
/// N-grams that fewer conversations have teach nothing.
const LEAST_TALKS: u32 = 3;
/// The same of whole conversations, of which there are few.
const LEAST_CHATS: u32 = 2;
/// And those that only one source has teach its style.
const LEAST_SOURCES: u32 = 2;
/// Share of honest conversations that may rise to `caution` at any turn, and to `danger`.
const CAUTION_RATE: f64 = 0.01;
const DANGER_RATE: f64 = 0.001;
/// Least score of wording for `danger`: what was trained must not speak against what the rules say.
const WORDING_FLOOR: f64 = 0.0;
/// What is added to the probability for `danger`: beyond the honest conversations that were seen lie those that were not.
const MARGIN: f64 = 0.02;
/// Conversations that are made of honest messages, for each source of messages and language.
const CHAINS: usize = 300;

/// How to train.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name and version of the model.
    pub name: String,
    /// Fit on all groups, also those that are held out for measuring.
    pub all: bool,
    /// Sources of whole conversations over days: a wording of their own is learned from them, and they are left out part by
    /// part instead of as a whole.
    pub chats: Vec<String>,
    /// Sources that count more than others of their size, and how many times.
    pub weigh: Vec<(String, f64)>,
    /// The fit of messages' wording.
    pub wording: wording::Options,
    /// The fit of whole conversations' wording.
    pub of_chats: wording::Options,
    /// The head's fit.
    pub head: head::Options,
}

/// A conversation ready for training.
struct Ready {
    talk: Talk,
    /// What is left out together with it: its source, or a part of that.
    fold: Arc<str>,
    /// It is a whole conversation over days.
    chat: bool,
    /// Of each message of the other side: its n-grams, by hash.
    grams: Vec<Vec<u32>>,
    weight: f64,
    /// Its weight for the wording.
    of_wording: f64,
}

/// What training has made.
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Conversations and messages that it learned from, by source and label.
    pub counts: BTreeMap<String, [usize; 2]>,
    /// N-grams of messages and of whole conversations that have a weight.
    pub used: [usize; 2],
    /// What the sums over conversations came to where the source was left out, highest over all turns.
    pub left_out: Vec<LeftOut>,
}

/// How a conversation stood with a model that had seen nothing of its source.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// The source.
    pub source: Arc<str>,
    /// The label.
    pub scam: bool,
    /// The highest probability after any turn.
    pub score: f64,
    /// The highest among those at which nothing but the probability stood against `danger`.
    pub dangerous: f64,
    /// Even people don't agree what it is: it may rise to `caution`, and sets no threshold.
    pub ambiguous: bool,
}

/// Trains. `say` is told what is being done.
///
/// # Errors
/// The taxonomy can't be read, or there is not enough to learn from.
pub fn train(talks: Vec<Talk>, options: &Options, say: &mut dyn FnMut(&str)) -> Result<Trained, String> {
    let unfitted = head::Fitted::default();
    let mut engine = Engine::with(model(&options.name, &Wordings::default(), &unfitted))?;
    let kept = keep(talks, options.all);
    let few = kept.iter().map(|talk| &talk.source).collect::<BTreeSet<_>>().len() < FEW_SOURCES;
    for scam in [true, false] {
        if !kept.iter().any(|talk| talk.scam == scam) {
            let label = if scam { "scam" } else { "benign" };
            return Err(format!(
                "no conversation or message with the label \"{label}\": nothing to tell apart"
            ));
        }
    }
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for talk in &kept {
        counts.entry(talk.source.to_string()).or_default()[usize::from(talk.scam)] += 1;
    }
    say(&format!("reading {} conversations and messages", kept.len()));
    let ready = ready(&engine, with_chains(kept), few, options);
    let folds: BTreeSet<Arc<str>> = ready.iter().map(|ready| ready.fold.clone()).collect();
    let least_sources = if few { 1 } else { LEAST_SOURCES };
    let names = head::names(engine.tactics());
    let index: HashMap<&str, u32> =
        names.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at as u32)).collect();

    let mut rows = Vec::new();
    let mut of_source: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    say("wording");
    let of_all = Wordings::fit(&ready, |_| true, least_sources, options);
    for fold in &folds {
        say(&format!("wording without {fold}"));
        let wordings = of_all.without(fold, &ready, least_sources, options);
        engine.set_model(model(&options.name, &wordings, &unfitted));
        let members: Vec<usize> = (0..ready.len()).filter(|at| &ready[*at].fold == fold).collect();
        let taken: Vec<Vec<head::Row>> =
            members.par_iter().map(|at| take(&engine, &ready[*at], &index)).collect();
        for (at, taken) in members.into_iter().zip(taken) {
            let start = rows.len();
            rows.extend(taken);
            of_source.push((at, start..rows.len()));
        }
    }
    let tactics = names.len() as u32 - head::others() as u32;
    let wording = ["wording", "wording_bag", "wording_chat"].map(|name| index.get(name).copied());
    // For the thresholds the head, too, must not have seen the source.
    let mut left_out = Vec::new();
    let mut sums: Vec<(f64, bool, f64)> = Vec::new();
    for fold in &folds {
        say(&format!("head without {fold}"));
        let others: Vec<head::Row> = of_source
            .iter()
            .filter(|(at, _)| &ready[*at].fold != fold)
            .flat_map(|(_, range)| rows[range.clone()].iter().cloned())
            .collect();
        let fitted = head::fit(&names, &others, &options.head);
        for (at, range) in of_source.iter().filter(|(at, _)| &ready[*at].fold == fold) {
            let ready = &ready[*at];
            let mut score = f64::NEG_INFINITY;
            let mut dangerous = f64::NEG_INFINITY;
            for row in &rows[range.clone()] {
                let sum = total(&names, &fitted, row);
                score = score.max(sum);
                if may_be_dangerous(row, tactics, wording) {
                    dangerous = dangerous.max(sum);
                }
            }
            sums.push((score, ready.talk.scam, ready.weight));
            let source = ready.talk.source.clone();
            let ambiguous = ready.talk.kind.contains("ambiguous");
            left_out.push(LeftOut { source, scam: ready.talk.scam, score, dangerous, ambiguous });
        }
    }
    let calibration = head::calibrate(&sums);
    let probability = |sum: f64| 1.0 / (1.0 + (-(calibration[0] * sum + calibration[1])).exp());
    for one in &mut left_out {
        (one.score, one.dangerous) = (probability(one.score), probability(one.dangerous));
    }
    say("head");
    let mut model = model(&options.name, &of_all, &head::fit(&names, &rows, &options.head));
    model.head.calibration = calibration;
    let honest = |score: fn(&LeftOut) -> f64| -> Vec<(&str, f64)> {
        let sure = left_out.iter().filter(|one| !one.scam && !one.ambiguous);
        sure.map(|one| (&*one.source, score(one))).collect()
    };
    model.head.caution = threshold(&honest(|one| one.score), CAUTION_RATE);
    model.head.danger = threshold(&honest(|one| one.dangerous), DANGER_RATE).max(model.head.caution);
    // A wrong accusation is the worst: none of the honest conversations that are the hardest may be one, learned or not.
    engine.set_model(model.clone());
    let own = head::Fitted { bias: model.head.bias, weights: model.head.weights.clone() };
    let hard = ready.par_iter().filter(|ready| ready.chat && !few && !ready.talk.scam);
    let highest = hard.flat_map_iter(|ready| take(&engine, ready, &index));
    let highest = highest.filter(|row| may_be_dangerous(row, tactics, wording));
    let highest = highest.map(|row| probability(total(&names, &own, &row))).reduce(|| 0.0, f64::max);
    model.head.danger = ((model.head.danger.max(highest) + MARGIN) * 1e3).ceil() / 1e3;
    Ok(Trained { model, counts, used: [of_all.messages.weights.len(), of_all.chats.weights.len()], left_out })
}

/// The groups that training may see.
fn keep(talks: Vec<Talk>, all: bool) -> Vec<Talk> {
    if all {
        return talks;
    }
    let groups = groups(&talks);
    talks.into_iter().zip(groups).filter(|(_, group)| !is_held_out(*group)).map(|(talk, _)| talk).collect()
}

/// Adds conversations made of honest messages: real people's chats are long, and data sets of them are rare.
fn with_chains(mut talks: Vec<Talk>) -> Vec<Talk> {
    let mut honest: BTreeMap<(Arc<str>, String), Vec<&Talk>> = BTreeMap::new();
    for talk in talks.iter().filter(|talk| talk.message && !talk.scam) {
        honest.entry((talk.source.clone(), talk.lang.clone())).or_default().push(talk);
    }
    let mut chains = Vec::new();
    for ((source, lang), messages) in honest {
        let mut at = 0;
        for chain in 0..CHAINS.min(messages.len() / 10) {
            let turns: Vec<Line> = (0..10 + 7 * (chain % 12))
                .map(|turn| {
                    at = (at + 7919) % messages.len();
                    let side = if turn % 3 == 2 { Side::Me } else { Side::Them };
                    Line { side, ..messages[at].turns[0].clone() }
                })
                .collect();
            chains.push(Talk {
                id: format!("chain {chain}"),
                source: source.clone(),
                lang: lang.clone(),
                turns,
                message: false,
                ..messages[0].clone()
            });
        }
    }
    talks.extend(chains);
    talks
}

/// Reads all messages, and gives each source and label the weight of the root of its number; then scams and honest
/// conversations weigh the same in each language.
fn ready(engine: &Engine, talks: Vec<Talk>, few: bool, options: &Options) -> Vec<Ready> {
    let key = |talk: &Talk| (talk.source.clone(), talk.lang.clone(), talk.scam, talk.message);
    let mut sizes: HashMap<_, f64> = HashMap::new();
    for talk in &talks {
        *sizes.entry(key(talk)).or_default() += 1.0;
    }
    let mut totals: HashMap<(String, bool), f64> = HashMap::new();
    for ((_, lang, scam, _), size) in &sizes {
        *totals.entry((lang.clone(), *scam)).or_default() += size.sqrt();
    }
    let groups = groups(&talks);
    talks
        .into_par_iter()
        .zip(groups)
        .map(|(talk, group)| {
            let chat = options.chats.iter().any(|name| **name == *talk.source);
            let fold = if few || chat {
                let name = if few { "all" } else { &talk.source };
                Arc::from(format!("part {} of {name}", group % PARTS + 1))
            } else {
                talk.source.clone()
            };
            let theirs = talk.turns.iter().filter(|line| line.side == Side::Them);
            let grams = theirs.map(|line| engine.wording(&line.text)).collect();
            let size = sizes[&key(&talk)];
            let times = options
                .weigh
                .iter()
                .find(|(name, _)| **name == *talk.source)
                .map_or(1.0, |(_, times)| *times);
            let plain = 1000.0 * size.sqrt() / size / totals[&(talk.lang.clone(), talk.scam)];
            // Weights by the thousand would leave the wording nothing but these few; the head has few to learn.
            let (weight, of_wording) = (plain * times, plain * times.sqrt());
            Ready { talk, fold, chat, grams, weight, of_wording }
        })
        .collect()
}

/// Whether the numbers are taken after this turn of so many.
fn is_taken(turn: usize, turns: usize) -> bool {
    turn == turns || TAKEN.contains(&turn)
}

/// All n-grams of some messages, each once.
fn bag(grams: &[Vec<u32>]) -> BTreeSet<u32> {
    grams.iter().flatten().copied().collect()
}

/// The n-grams that the other side has used by some of its messages, each once.
fn bags(grams: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut bag: BTreeSet<u32> = BTreeSet::new();
    let mut bags = Vec::new();
    for (at, message) in grams.iter().enumerate() {
        bag.extend(message);
        if is_taken(at + 1, grams.len()) {
            bags.push(bag.iter().copied().collect());
        }
    }
    bags
}

/// What is learned of wording.
#[derive(Clone, Default)]
struct Wordings {
    messages: wording::Fitted,
    chats: wording::Fitted,
}

impl Wordings {
    /// Of some of the conversations.
    fn fit(ready: &[Ready], wanted: impl Fn(&Ready) -> bool, least_sources: u32, options: &Options) -> Self {
        let chosen = |chat: bool| -> Vec<&Ready> {
            let made_up = |ready: &Ready| ready.talk.id.starts_with("chain ");
            ready.iter().filter(|ready| ready.chat == chat && wanted(ready) && !made_up(ready)).collect()
        };
        let (messages, chats) = (chosen(false), chosen(true));
        let telling = |spread: &Spread| spread.talks >= LEAST_TALKS && spread.sources >= least_sources;
        Self {
            messages: fit_wording(&messages, telling, true, &options.wording),
            chats: fit_wording(&chats, |spread| spread.talks >= LEAST_CHATS, false, &options.of_chats),
        }
    }

    /// The same without what is left out together.
    fn without(&self, fold: &Arc<str>, ready: &[Ready], least_sources: u32, options: &Options) -> Self {
        let touched = |chat: bool| ready.iter().any(|ready| ready.fold == *fold && ready.chat == chat);
        let fit = |chat: bool| {
            Self::fit(ready, |ready| ready.chat == chat && ready.fold != *fold, least_sources, options)
        };
        Self {
            messages: if touched(false) { fit(false).messages } else { self.messages.clone() },
            chats: if touched(true) { fit(true).chats } else { self.chats.clone() },
        }
    }
}

/// In how many conversations, and sources, an n-gram stands.
#[derive(Default)]
struct Spread {
    talks: u32,
    sources: u32,
    last: Option<Arc<str>>,
}

/// Fits the weights of those n-grams that tell. What it gives names them by their hash.
fn fit_wording(
    chosen: &[&Ready],
    telling: impl Fn(&Spread) -> bool,
    beginnings: bool,
    options: &wording::Options,
) -> wording::Fitted {
    let mut spreads: HashMap<u32, Spread> = HashMap::new();
    // The talks of one source follow each other.
    for ready in chosen {
        for gram in bag(&ready.grams) {
            let spread = spreads.entry(gram).or_default();
            spread.talks += 1;
            if spread.last.as_ref() != Some(&ready.talk.source) {
                spread.last = Some(ready.talk.source.clone());
                spread.sources += 1;
            }
        }
    }
    let mut grams: Vec<u32> =
        spreads.iter().filter(|(_, spread)| telling(spread)).map(|(gram, _)| *gram).collect();
    grams.sort_unstable();
    let numbers: HashMap<u32, u32> = grams.iter().copied().zip(0..).collect();
    let mut messages: Vec<wording::Message> = chosen
        .par_iter()
        .flat_map_iter(|ready| {
            let bags = if beginnings { bags(&ready.grams) } else { vec![bag(&ready.grams).into_iter().collect()] };
            let weights = shares(ready.of_wording, bags.len());
            let numbers = &numbers;
            bags.into_iter().zip(weights).map(move |(bag, weight)| wording::Message {
                grams: bag.iter().filter_map(|gram| numbers.get(gram).copied()).collect(),
                scam: ready.talk.scam,
                weight,
            })
        })
        .collect();
    let mean = messages.iter().map(|message| message.weight).sum::<f32>() / messages.len().max(1) as f32;
    messages.iter_mut().for_each(|message| message.weight /= mean);
    let mut fitted = wording::fit(&messages, grams.len(), options);
    fitted.weights.iter_mut().for_each(|(gram, _)| *gram = grams[*gram as usize]);
    fitted
}

fn model(name: &str, wordings: &Wordings, head: &head::Fitted) -> Model {
    let Wordings { messages, chats } = wordings;
    let head = Head {
        name: name.to_owned(),
        wording_bias: messages.bias,
        wording_step: messages.step,
        chats_bias: chats.bias,
        chats_step: chats.step,
        bias: head.bias,
        weights: head.weights.clone(),
        calibration: [1.0, 0.0],
        caution: 0.5,
        danger: 0.5,
        wording_floor: WORDING_FLOOR,
    };
    Model::new(head, messages.weights.clone(), chats.weights.clone())
}

/// How the weight of a conversation is shared among its beginnings, of which the last is the whole: half of it lies on that, for
/// at the second turn nobody can tell.
fn shares(weight: f64, beginnings: usize) -> Vec<f32> {
    let share = 0.5 * weight / beginnings.max(1) as f64;
    let mut shares = vec![share as f32; beginnings];
    if let Some(last) = shares.last_mut() {
        *last = (share + 0.5 * weight) as f32;
    }
    shares
}

/// The numbers of a conversation after some of its turns.
fn take(engine: &Engine, ready: &Ready, index: &HashMap<&str, u32>) -> Vec<head::Row> {
    let mut conversation = Conversation::with(engine, Setting::default());
    let mut rows = Vec::new();
    for (at, line) in ready.talk.turns.iter().enumerate() {
        conversation.add(line.turn());
        let turn = at + 1;
        if is_taken(turn, ready.talk.turns.len()) {
            let numbers = conversation.numbers();
            let numbers =
                numbers.iter().filter_map(|(name, number)| Some((*index.get(name)?, *number as f32)));
            rows.push(head::Row { numbers: numbers.collect(), scam: ready.talk.scam, weight: 0.0 });
        }
    }
    let shares = shares(ready.weight, rows.len());
    rows.iter_mut().zip(shares).for_each(|(row, share)| row.weight = share);
    rows
}

fn total(names: &[(String, f64)], fitted: &head::Fitted, row: &head::Row) -> f64 {
    let weight = |name: u32| fitted.weights.get(&names[name as usize].0).copied().unwrap_or(0.0);
    fitted.bias + row.numbers.iter().map(|(name, number)| weight(*name) * f64::from(*number)).sum::<f64>()
}

/// Whether two tactics are plainly seen and the wording does not speak against it: what `danger` wants beside the probability.
fn may_be_dangerous(row: &head::Row, tactics: u32, wording: [Option<u32>; 3]) -> bool {
    let plain =
        row.numbers.iter().filter(|(name, number)| *name < tactics && f64::from(*number) >= PLAIN).count();
    let score = |wanted| {
        row.numbers.iter().find(|(name, _)| Some(*name) == wanted).map_or(0.0, |(_, number)| *number)
    };
    let score = wording.map(|wanted| f64::from(score(wanted))).into_iter().fold(f64::MIN, f64::max);
    plain >= LEAST_TACTICS && score > WORDING_FLOOR
}

/// The least probability that no more than a share of the honest conversations reaches, each source weighed by the root of
/// its number.
fn threshold(honest: &[(&str, f64)], rate: f64) -> f64 {
    let mut sizes: HashMap<&str, f64> = HashMap::new();
    for (source, _) in honest {
        *sizes.entry(source).or_default() += 1.0;
    }
    let mut honest: Vec<(f64, f64)> =
        honest.iter().map(|(source, score)| (*score, 1.0 / sizes[source].sqrt())).collect();
    honest.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all: f64 = honest.iter().map(|(_, weight)| weight).sum();
    let mut passed = 0.0;
    for (score, weight) in &honest {
        passed += weight;
        if passed > rate * all {
            // Just above the first that must not pass.
            return ((score + 1e-5) * 1e5).ceil() / 1e5;
        }
    }
    0.5
}
