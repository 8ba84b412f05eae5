//! From labelled conversations to a model.
//!
//! Sources differ in style, and a classifier can tell the source instead of the scam. So the head is fitted on what the
//! wording says of a source that it was *not* trained on, source after source; calibration and thresholds come from the same
//! numbers. A fifth of all groups ([`is_held_out`]) is never looked at.

use super::{head, wording};
use crate::eval::scam::dataset::{Line, Talk, groups, is_held_out};
use bonafide_core::scam::judge::{LEAST_TACTICS, PLAIN};
use bonafide_core::scam::{self, Conversation, Engine, Head, Model, OTHERS, Setting, Side};
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
/// What all other honest conversations together weigh against the chats over days, for their wording and for their expert:
/// enough that what is merely another manner of speaking is no sign of a scam.
const OTHERS_OF_WORDING: f64 = 0.1;
const OTHERS_OF_EXPERT: f64 = 1.0;
/// How sure the assumed weights of the expert of chats are, as a number of chats.
const SURENESS_OF_CHATS: f64 = 30.0;
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
}

impl Ready {
    fn is_made_up(&self) -> bool {
        self.talk.id.starts_with("chain ")
    }

    /// A conversation of honest people that is no chat over days.
    fn is_other_honest(&self) -> bool {
        !self.chat && !self.talk.message && !self.talk.scam
    }
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
    /// The one after the last turn.
    pub last: f64,
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
    let mut engine = Engine::with(model(&options.name, &Wordings::default(), &[], &[]))?;
    let names = head::names(&engine, false);
    let ready = ready(&engine, with_chains(kept), few, options);
    let folds: BTreeSet<Arc<str>> = ready.iter().map(|ready| ready.fold.clone()).collect();
    let least_sources = if few { 1 } else { LEAST_SOURCES };

    say("wording");
    let wordings = Wordings::fit(&ready, |_| true, least_sources, options);
    let mut rows: Vec<Vec<head::Row>> = vec![Vec::new(); ready.len()];
    for fold in &folds {
        say(&format!("wording without {fold}"));
        let without = wordings.without(fold, &ready, least_sources, options);
        engine.set_model(model(&options.name, &without, &[], &[]));
        let members = rows.par_iter_mut().zip(&ready).filter(|(_, ready)| ready.fold == *fold);
        members.for_each(|(rows, ready)| *rows = take(&engine, ready));
    }
    // For calibration and thresholds the head, too, must not have seen the source.
    say("heads, each source left out");
    let experts: Vec<Expert> = Expert::ALL.into_iter().filter(|expert| expert.has_own(&ready)).collect();
    let fit = |expert: &Expert, wanted: &(dyn Fn(&Ready) -> bool + Sync)| {
        let names = head::names(&engine, *expert == Expert::Slow);
        head::fit(&names, &expert.rows(&ready, &rows, wanted), &expert.options(options))
    };
    let heads: BTreeMap<&Arc<str>, Vec<head::Fitted>> = folds
        .par_iter()
        .map(|fold| (fold, experts.iter().map(|expert| fit(expert, &|ready| ready.fold != *fold)).collect()))
        .collect();
    let sums = |at: usize, row: &head::Row| -> Vec<f64> {
        heads[&ready[at].fold].iter().map(|fitted| fitted.of(row)).collect()
    };
    let mut fitted = Vec::new();
    for (index, expert) in experts.iter().enumerate() {
        let own = (0..ready.len()).filter(|at| expert.is_own(&ready[*at]));
        let highest = own.map(|at| {
            let all = rows[at].iter().map(|row| sums(at, row)[index]);
            (all.fold(f64::MIN, f64::max), ready[at].talk.scam, ready[at].weight)
        });
        let calibration = head::calibrate(&highest.collect::<Vec<_>>());
        fitted.push((expert.name().to_owned(), fit(expert, &|_| true), calibration));
    }
    let probability = |sums: Vec<f64>| -> f64 {
        let calibrated = sums.into_iter().zip(&fitted).map(|(sum, (_, _, by))| by[0] * sum + by[1]);
        1.0 / (1.0 + (-calibrated.fold(f64::MIN, f64::max)).exp())
    };
    let judge = Judge::new(&names);
    let left_out: Vec<LeftOut> = (0..ready.len())
        .map(|at| {
            let talk = &ready[at].talk;
            let mut one = LeftOut {
                source: talk.source.clone(),
                scam: talk.scam,
                score: 0.0,
                dangerous: 0.0,
                last: 0.0,
                ambiguous: talk.kind.contains("ambiguous"),
            };
            for row in &rows[at] {
                one.last = probability(sums(at, row));
                one.score = one.score.max(one.last);
                if judge.allows_danger(row) {
                    one.dangerous = one.dangerous.max(one.last);
                }
            }
            one
        })
        .collect();
    //DBG
    {
        let dump: Vec<serde_json::Value> = ready.iter().zip(&rows).map(|(r, rows)| serde_json::json!({"s": &*r.talk.source, "id": r.talk.id, "l": r.talk.lang, "y": r.talk.scam, "c": r.chat, "f": &*r.fold, "w": r.weight, "m": r.talk.message, "r": rows.iter().map(|row| &row.numbers).collect::<Vec<_>>()})).collect();
        let all = serde_json::json!({"names": names.iter().map(|n| (&n.name, n.assumed)).collect::<Vec<_>>(), "talks": dump});
        std::fs::write("/tmp/rows.json", all.to_string()).unwrap();
    }
    for lang in ["en", "zh"] {
        let a = |f: &dyn Fn(usize) -> f64| {
            let mut v: [Vec<f64>; 2] = Default::default();
            for at in 0..ready.len() {
                if ready[at].chat && ready[at].talk.lang == lang { v[usize::from(ready[at].talk.scam)].push(f(at)); }
            }
            v.iter_mut().for_each(|v| v.sort_by(f64::total_cmp));
            crate::eval::metrics::auroc(&v[0], &v[1]).map_or(0.0, |a| a.value)
        };
        for name in ["wording", "wording_mean", "wording_bag", "wording_chat", "breadth", "coherence"] {
            let id = names.iter().position(|n| n.name == name).unwrap_or(0) as u32;
            let get = |row: &head::Row| row.numbers.iter().find(|(n, _)| *n == id).map_or(0.0, |(_, v)| f64::from(*v));
            eprintln!("DBG {lang} {name} last {:.3} max {:.3}", a(&|at| get(rows[at].last().unwrap())), a(&|at| rows[at].iter().map(get).fold(-9.0, f64::max)));
        }
        for (e, x) in experts.iter().enumerate() {
            eprintln!("DBG {lang} expert {x:?} last {:.3} max {:.3}", a(&|at| sums(at, rows[at].last().unwrap())[e]), a(&|at| rows[at].iter().map(|r| sums(at, r)[e]).fold(-9.0, f64::max)));
        }
        eprintln!("DBG {lang} total last {:.3} max {:.3}", a(&|at| left_out[at].last), a(&|at| left_out[at].score));
    }
    for f in &fitted { eprintln!("DBG {} {:?}", f.0, f.2); let mut w: Vec<_> = names.iter().zip(&f.1.weights).collect(); w.sort_by(|a,b| b.1.total_cmp(a.1)); for (n, w) in w { eprint!("{} {w}; ", n.name); } eprintln!(); }
    //DBGEND
    let honest = |score: fn(&LeftOut) -> f64| -> Vec<(&str, f64)> {
        let sure = left_out.iter().filter(|one| !one.scam && !one.ambiguous);
        sure.map(|one| (&*one.source, score(one))).collect()
    };
    let caution = threshold(&honest(|one| one.score), CAUTION_RATE);
    let danger = threshold(&honest(|one| one.dangerous), DANGER_RATE).max(caution);
    // A wrong accusation is the worst: none of the honest conversations that are the hardest may be one, learned or not.
    let mut model = model(&options.name, &wordings, &names, &fitted);
    engine.set_model(model.clone());
    let hard = ready.par_iter().filter(|ready| ready.chat && !ready.talk.scam);
    let hardest = hard.flat_map_iter(|ready| take(&engine, ready)).filter(|row| judge.allows_danger(row));
    let hardest = hardest.map(|row| probability(fitted.iter().map(|(_, fitted, _)| fitted.of(&row)).collect()));
    let danger = danger.max(hardest.reduce(|| 0.0, f64::max)) + MARGIN;
    model.head.caution = caution;
    model.head.danger = (danger * 1e3).ceil() / 1e3;
    let used = [wordings.messages.weights.len(), wordings.chats.weights.len()];
    Ok(Trained { model, counts, used, left_out })
}

/// Who judges: one for scams that come to the point, one for those that take days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expert {
    Direct,
    Slow,
}

impl Expert {
    const ALL: [Self; 2] = [Self::Direct, Self::Slow];

    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Slow => "slow",
        }
    }

    /// Whether it is calibrated on such conversations.
    fn is_own(self, ready: &Ready) -> bool {
        ready.chat == (self == Self::Slow)
    }

    fn has_own(self, ready: &[Ready]) -> bool {
        [true, false].into_iter().all(|scam| ready.iter().any(|one| self.is_own(one) && one.talk.scam == scam))
    }

    fn options(self, options: &Options) -> head::Options {
        match self {
            Self::Direct => options.head,
            Self::Slow => head::Options { sureness: SURENESS_OF_CHATS, ..options.head },
        }
    }

    /// What it learns from: the slow one also from what else honest people say.
    fn rows<'r>(
        self,
        ready: &[Ready],
        rows: &'r [Vec<head::Row>],
        wanted: &(dyn Fn(&Ready) -> bool + Sync),
    ) -> Vec<head::Weighted<'r>> {
        let chosen: Vec<(&Ready, &Vec<head::Row>)> =
            ready.iter().zip(rows).filter(|(ready, _)| wanted(ready)).collect();
        let own: Vec<_> = chosen.iter().filter(|(ready, _)| self.is_own(ready)).collect();
        let mut weighted: Vec<(f64, &Vec<head::Row>)> = Vec::new();
        match self {
            Self::Direct => weighted.extend(own.iter().map(|(ready, rows)| (ready.weight, *rows))),
            Self::Slow => {
                weighted.extend(own.iter().map(|(_, rows)| (1.0, *rows)));
                let others: Vec<_> = chosen.iter().filter(|(ready, _)| ready.is_other_honest()).collect();
                let all: f64 = others.iter().map(|(ready, _)| ready.weight).sum();
                let each = OTHERS_OF_EXPERT * own.len() as f64 / all;
                weighted.extend(others.iter().map(|(ready, rows)| (each * ready.weight, *rows)));
            }
        }
        let each = |(weight, rows): (f64, &'r Vec<head::Row>)| {
            rows.iter().map(move |row| (row, weight * f64::from(row.share)))
        };
        weighted.into_iter().flat_map(each).collect()
    }
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
            let weight = 1000.0 * size.sqrt() / size / totals[&(talk.lang.clone(), talk.scam)];
            Ready { talk, fold, chat, grams, weight }
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
fn bags(grams: &[Vec<u32>]) -> Vec<BTreeSet<u32>> {
    let mut bag: BTreeSet<u32> = BTreeSet::new();
    let mut bags = Vec::new();
    for (at, message) in grams.iter().enumerate() {
        bag.extend(message);
        if is_taken(at + 1, grams.len()) {
            bags.push(bag.clone());
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
        let wanted: Vec<&Ready> = ready.iter().filter(|ready| wanted(ready)).collect();
        Self { messages: Self::of_messages(&wanted, least_sources, options), chats: Self::of_chats(&wanted, options) }
    }

    /// Of messages: of all that are no chats over days, and of their beginnings.
    fn of_messages(ready: &[&Ready], least_sources: u32, options: &Options) -> wording::Fitted {
        let chosen: Vec<&Ready> =
            ready.iter().copied().filter(|ready| !ready.chat && !ready.is_made_up()).collect();
        let grams = telling(&chosen, |spread| spread.talks >= LEAST_TALKS && spread.sources >= least_sources);
        let texts = chosen.par_iter().flat_map_iter(|ready| {
            let bags = bags(&ready.grams);
            let shares = shares(bags.len());
            bags.into_iter().zip(shares).map(|(bag, share)| Text {
                bag,
                scam: ready.talk.scam,
                weight: ready.weight * f64::from(share),
            })
        });
        fit_wording(&grams, texts.collect(), &options.wording)
    }

    /// Of whole chats over days; other honest conversations speak against what is no more than everyday.
    fn of_chats(ready: &[&Ready], options: &Options) -> wording::Fitted {
        let chosen: Vec<&Ready> = ready.iter().copied().filter(|ready| ready.chat).collect();
        let others: Vec<&Ready> = ready.iter().copied().filter(|ready| ready.is_other_honest()).collect();
        let grams = telling(&chosen, |spread| spread.talks >= LEAST_CHATS);
        let all: f64 = others.iter().map(|ready| ready.weight).sum();
        let each = OTHERS_OF_WORDING * chosen.len() as f64 / all;
        let weighted = chosen.iter().map(|ready| (ready, 1.0));
        let weighted = weighted.chain(others.iter().map(|ready| (ready, each * ready.weight)));
        let texts = weighted.map(|(ready, weight)| Text { bag: bag(&ready.grams), scam: ready.talk.scam, weight });
        fit_wording(&grams, texts.collect(), &options.of_chats)
    }

    /// The same without what is left out together.
    fn without(&self, fold: &Arc<str>, ready: &[Ready], least_sources: u32, options: &Options) -> Self {
        let rest: Vec<&Ready> = ready.iter().filter(|ready| ready.fold != *fold).collect();
        let touched = |of: fn(&Ready) -> bool| ready.iter().any(|ready| ready.fold == *fold && of(ready));
        Self {
            messages: if touched(|ready| !ready.chat) {
                Self::of_messages(&rest, least_sources, options)
            } else {
                self.messages.clone()
            },
            chats: if touched(|ready| ready.chat || ready.is_other_honest()) {
                Self::of_chats(&rest, options)
            } else {
                self.chats.clone()
            },
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

/// The n-grams of some conversations that tell enough, by hash and in order.
fn telling(chosen: &[&Ready], enough: impl Fn(&Spread) -> bool) -> Vec<u32> {
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
        spreads.iter().filter(|(_, spread)| enough(spread)).map(|(gram, _)| *gram).collect();
    grams.sort_unstable();
    grams
}

/// All n-grams of some messages.
struct Text {
    bag: BTreeSet<u32>,
    scam: bool,
    weight: f64,
}

/// Fits the weights of some n-grams. What it gives names them by their hash.
fn fit_wording(grams: &[u32], texts: Vec<Text>, options: &wording::Options) -> wording::Fitted {
    let numbers: HashMap<u32, u32> = grams.iter().copied().zip(0..).collect();
    let mean = texts.iter().map(|text| text.weight).sum::<f64>() / texts.len().max(1) as f64;
    let messages: Vec<wording::Message> = texts
        .into_par_iter()
        .map(|text| wording::Message {
            grams: text.bag.iter().filter_map(|gram| numbers.get(gram).copied()).collect(),
            scam: text.scam,
            weight: (text.weight / mean) as f32,
        })
        .collect();
    let mut fitted = wording::fit(&messages, grams.len(), options);
    fitted.weights.iter_mut().for_each(|(gram, _)| *gram = grams[*gram as usize]);
    fitted
}

/// A model of what was learned, with the name, the head and the calibration of each expert.
fn model(
    name: &str,
    wordings: &Wordings,
    names: &[head::Name],
    experts: &[(String, head::Fitted, [f64; 2])],
) -> Model {
    let Wordings { messages, chats } = wordings;
    let experts = experts.iter().map(|(name, fitted, calibration)| scam::Expert {
        name: name.clone(),
        bias: fitted.bias,
        weights: names.iter().zip(&fitted.weights).map(|(name, weight)| (name.name.clone(), *weight)).collect(),
        calibration: *calibration,
    });
    let head = Head {
        name: name.to_owned(),
        wording_bias: messages.bias,
        wording_step: messages.step,
        chats_bias: chats.bias,
        chats_step: chats.step,
        experts: experts.collect(),
        caution: 0.5,
        danger: 0.5,
        wording_floor: WORDING_FLOOR,
    };
    Model::new(head, messages.weights.clone(), chats.weights.clone())
}

/// How the weight of a conversation is shared among its beginnings, of which the last is the whole: half of it lies on that,
/// for at the second turn nobody can tell.
fn shares(beginnings: usize) -> Vec<f32> {
    let share = 0.5 / beginnings.max(1) as f32;
    let mut shares = vec![share; beginnings];
    if let Some(last) = shares.last_mut() {
        *last += 0.5;
    }
    shares
}

/// The numbers of a conversation after some of its turns.
fn take(engine: &Engine, ready: &Ready) -> Vec<head::Row> {
    let mut conversation = Conversation::with(engine, Setting::default());
    let mut rows = Vec::new();
    for (at, line) in ready.talk.turns.iter().enumerate() {
        conversation.add(line.turn());
        if is_taken(at + 1, ready.talk.turns.len()) {
            let numbers = conversation.numbers().into_iter();
            let numbers = numbers.map(|(name, number)| (name as u32, number as f32)).collect();
            rows.push(head::Row { numbers, scam: ready.talk.scam, share: 0.0 });
        }
    }
    let shares = shares(rows.len());
    rows.iter_mut().zip(shares).for_each(|(row, share)| row.share = share);
    rows
}

/// What `danger` wants beside the probability.
struct Judge {
    /// Names before this one are tactics.
    tactics: u32,
    wording: Vec<u32>,
}

impl Judge {
    fn new(names: &[head::Name]) -> Self {
        let tactics = (names.len() - OTHERS.len()) as u32;
        let known = ["wording", "wording_bag", "wording_chat"];
        let wording = (0..).zip(names).filter(|(_, name)| known.contains(&name.name.as_str()));
        Self { tactics, wording: wording.map(|(at, _)| at).collect() }
    }

    /// Whether two tactics are plainly seen and the wording says scam too.
    fn allows_danger(&self, row: &head::Row) -> bool {
        let plain = |(name, number): &&(u32, f32)| *name < self.tactics && f64::from(*number) >= PLAIN;
        let says = |(name, number): &(u32, f32)| self.wording.contains(name) && f64::from(*number) > WORDING_FLOOR;
        row.numbers.iter().filter(plain).count() >= LEAST_TACTICS && row.numbers.iter().any(says)
    }
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
