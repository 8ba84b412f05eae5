//! From labelled conversations to a model.
//!
//! Sources differ in style, and a classifier can tell the source instead of the scam. So the head is fitted on what the
//! wording says of a source that it was *not* trained on, source after source; calibration and thresholds come from the same
//! numbers. A fifth of all groups ([`is_held_out`]) is never looked at.

use super::{head, wording};
use crate::eval::scam::dataset::{Line, Talk, groups, is_held_out};
use bonafide_core::scam::judge::{LEAST_TACTICS, PLAIN};
use bonafide_core::scam::{BUCKETS, Conversation, Engine, Head, Model, Setting, Side};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Turns after which the numbers of a conversation are taken; those after the last one too.
const TAKEN: [usize; 9] = [1, 2, 3, 5, 8, 12, 20, 35, 60];
/// With fewer sources than this a part of all is left out in the place of a source.
const FEW_SOURCES: usize = 3;
const PARTS: u64 = 4;
/// N-grams that fewer conversations have teach nothing.
const LEAST_TALKS: u32 = 3;
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
    /// Sources that are left out part by part instead of as a whole: the only ones of their sort.
    pub parts: Vec<String>,
    /// Sources that count more than others of their size, and how many times.
    pub weigh: Vec<(String, f64)>,
    /// The wording's fit.
    pub wording: wording::Options,
    /// The head's fit.
    pub head: head::Options,
}

/// A conversation ready for training.
struct Ready {
    talk: Talk,
    /// What is left out together with it: its source, or a part of that.
    fold: Arc<str>,
    /// It is left out in parts.
    alone: bool,
    /// Of each message of the other side: its places.
    places: Vec<Vec<u32>>,
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
    /// Weights of wording that are not nothing.
    pub used: usize,
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
    let mut engine =
        Engine::built_in().map_err(str::to_owned).and_then(|engine| Engine::with(engine.model().clone()))?;
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
    for fold in &folds {
        say(&format!("wording without {fold}"));
        let fitted = fit_wording(&ready, |other| &other.fold != fold, least_sources, &options.wording);
        engine.set_model(model(
            &options.name,
            &fitted,
            &head::Fitted { bias: 0.0, weights: BTreeMap::new() },
        )?);
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
    let wording = ["wording", "wording_bag"].map(|name| index.get(name).copied());
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
    say("wording and head of all");
    let fitted = fit_wording(&ready, |_| true, least_sources, &options.wording);
    let mut model = model(&options.name, &fitted, &head::fit(&names, &rows, &options.head))?;
    model.head.calibration = calibration;
    let honest = |score: fn(&LeftOut) -> f64| -> Vec<(&str, f64)> {
        let sure = left_out.iter().filter(|one| !one.scam && !one.ambiguous);
        sure.map(|one| (&*one.source, score(one))).collect()
    };
    model.head.caution = threshold(&honest(|one| one.score), CAUTION_RATE);
    model.head.danger = threshold(&honest(|one| one.dangerous), DANGER_RATE).max(model.head.caution);
    model.head.wording_floor = WORDING_FLOOR;
    // A wrong accusation is the worst: none of the honest conversations that are the hardest may be one, learned or not.
    engine.set_model(model.clone());
    let own = head::Fitted { bias: model.head.bias, weights: model.head.weights.clone() };
    let hard = ready.par_iter().filter(|ready| ready.alone && !few && !ready.talk.scam);
    let highest = hard.flat_map_iter(|ready| take(&engine, ready, &index));
    let highest = highest.filter(|row| may_be_dangerous(row, tactics, wording));
    let highest = highest.map(|row| probability(total(&names, &own, &row))).reduce(|| 0.0, f64::max);
    model.head.danger = ((model.head.danger.max(highest) + MARGIN) * 1e3).ceil() / 1e3;
    Ok(Trained { model, counts, used: fitted.used, left_out })
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
            let in_parts = few || options.parts.iter().any(|name| **name == *talk.source);
            let fold = if in_parts {
                let name = if few { "all" } else { &talk.source };
                Arc::from(format!("part {} of {name}", group % PARTS + 1))
            } else {
                talk.source.clone()
            };
            let places = talk.turns.iter().filter(|line| line.side == Side::Them);
            let places = places.map(|line| engine.wording(&line.text)).collect();
            let size = sizes[&key(&talk)];
            let times = options
                .weigh
                .iter()
                .find(|(name, _)| **name == *talk.source)
                .map_or(1.0, |(_, times)| *times);
            let plain = 1000.0 * size.sqrt() / size / totals[&(talk.lang.clone(), talk.scam)];
            // Weights by the thousand would leave the wording nothing but these few; the head has few to learn.
            let (weight, of_wording) = (plain * times, plain * times.sqrt());
            Ready { talk, fold, alone: in_parts, places, weight, of_wording }
        })
        .collect()
}

/// Whether the numbers are taken after this turn of so many.
fn is_taken(turn: usize, turns: usize) -> bool {
    turn == turns || TAKEN.contains(&turn)
}

/// All n-grams of some messages, each once.
fn bag(places: &[Vec<u32>]) -> BTreeSet<u32> {
    places.iter().flatten().copied().collect()
}

/// The n-grams that the other side has used by some of its messages, each once.
fn bags(places: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut bag: BTreeSet<u32> = BTreeSet::new();
    let mut bags = Vec::new();
    for (at, message) in places.iter().enumerate() {
        bag.extend(message);
        if is_taken(at + 1, places.len()) {
            bags.push(bag.iter().copied().collect());
        }
    }
    bags
}

/// Fits the wording on some of the conversations.
fn fit_wording(
    ready: &[Ready],
    wanted: impl Fn(&Ready) -> bool,
    least_sources: u32,
    options: &wording::Options,
) -> wording::Fitted {
    let chosen: Vec<&Ready> =
        ready.iter().filter(|ready| wanted(ready) && !ready.talk.id.starts_with("chain ")).collect();
    let mut talks = vec![0_u32; BUCKETS];
    let mut sources = vec![0_u32; BUCKETS];
    let mut last: Vec<Option<Arc<str>>> = vec![None; BUCKETS];
    // The talks of one source follow each other.
    for ready in &chosen {
        for place in bag(&ready.places) {
            let place = place as usize;
            talks[place] += 1;
            if last[place].as_ref() != Some(&ready.talk.source) {
                last[place] = Some(ready.talk.source.clone());
                // The only source of its sort has nobody to agree with.
                sources[place] += if ready.alone { least_sources } else { 1 };
            }
        }
    }
    let telling =
        |place: &u32| talks[*place as usize] >= LEAST_TALKS && sources[*place as usize] >= least_sources;
    let kept: Vec<(Vec<u32>, usize, bool, f32)> = chosen
        .par_iter()
        .flat_map_iter(|ready| {
            let bags = bags(&ready.places);
            // As of the head's rows: half of the weight lies on the whole.
            let share = 0.5 * ready.of_wording / bags.len().max(1) as f64;
            let last = bags.len().saturating_sub(1);
            bags.into_iter().enumerate().map(move |(at, bag)| {
                let weight = if at == last { share + 0.5 * ready.of_wording } else { share };
                (bag, ready.talk.scam, weight as f32)
            })
        })
        .map(|(bag, scam, weight)| {
            let count = bag.len();
            (bag.into_iter().filter(telling).collect(), count, scam, weight)
        })
        .collect();
    let mean = kept.iter().map(|(_, _, _, weight)| weight).sum::<f32>() / kept.len().max(1) as f32;
    let messages: Vec<wording::Message<'_>> = kept
        .iter()
        .map(|(places, count, scam, weight)| wording::Message {
            places,
            count: *count,
            scam: *scam,
            weight: weight / mean,
        })
        .collect();
    wording::fit(&messages, options)
}

fn model(name: &str, wording: &wording::Fitted, head: &head::Fitted) -> Result<Model, String> {
    let head = Head {
        name: name.to_owned(),
        wording_bias: wording.bias,
        wording_step: wording.step,
        bias: head.bias,
        weights: head.weights.clone(),
        calibration: [1.0, 0.0],
        caution: 0.5,
        danger: 0.5,
        wording_floor: 0.0,
    };
    Model::new(head, wording.weights.clone())
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
    // Half of the weight lies on the whole conversation, the other half on its beginnings: at the second turn nobody can tell.
    let share = 0.5 * ready.weight / rows.len() as f64;
    rows.iter_mut().for_each(|row| row.weight = share as f32);
    if let Some(last) = rows.last_mut() {
        last.weight += (0.5 * ready.weight) as f32;
    }
    rows
}

fn total(names: &[(String, f64)], fitted: &head::Fitted, row: &head::Row) -> f64 {
    let weight = |name: u32| fitted.weights.get(&names[name as usize].0).copied().unwrap_or(0.0);
    fitted.bias + row.numbers.iter().map(|(name, number)| weight(*name) * f64::from(*number)).sum::<f64>()
}

/// Whether two tactics are plainly seen and the wording does not speak against it: what `danger` wants beside the probability.
fn may_be_dangerous(row: &head::Row, tactics: u32, wording: [Option<u32>; 2]) -> bool {
    let plain =
        row.numbers.iter().filter(|(name, number)| *name < tactics && f64::from(*number) >= PLAIN).count();
    let score = |wanted| {
        row.numbers.iter().find(|(name, _)| Some(*name) == wanted).map_or(0.0, |(_, number)| *number)
    };
    let score = f64::from(score(wording[0]).max(score(wording[1])));
    plain >= LEAST_TACTICS && score >= WORDING_FLOOR
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
