//! From labelled conversations to a model.
//!
//! Sources differ in style, and a classifier can tell the source instead of the scam. So the head is fitted on what the
//! wording says of a source that it was *not* trained on, source after source; calibration and thresholds come from the same
//! numbers. A fifth of all groups ([`is_held_out`](crate::eval::scam::dataset::is_held_out)) is never looked at.

use super::expert::Panel;
use super::ready::{Ready, folds, is_taken, keep, ready, shares};
use super::threshold::{Judge, LeftOut, WORDING_FLOOR, thresholds};
use super::wordings::Wordings;
use super::{ftrl, head};
use crate::eval::scam::dataset::Talk;
use bonafide_core::scam::{Conversation, Engine, Head, Model, Setting};
use rayon::prelude::*;
use std::collections::BTreeMap;

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
    pub wording: ftrl::Options,
    /// The fit of whole conversations' wording.
    pub of_chats: ftrl::Options,
    /// The head's fit.
    pub head: head::Options,
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

/// Trains. `say` is told what is being done.
///
/// # Errors
/// The taxonomy can't be read, or there is not enough to learn from.
pub fn train(talks: Vec<Talk>, options: &Options, say: &mut dyn FnMut(&str)) -> Result<Trained, String> {
    let kept = keep(talks, options.all);
    let counts = counted(&kept)?;
    say(&format!("reading {} conversations and messages", kept.len()));
    let mut engine = Engine::with(model(&options.name, &Wordings::default(), &Panel::default()))?;
    let ready = ready(&engine, kept, options);

    say("wording");
    let wordings = Wordings::fit(&ready, options);
    let rows = rows_left_out(&mut engine, &ready, &wordings, options, say);
    say("experts, each source left out");
    let names = [head::names(&engine, false), head::names(&engine, true)];
    let (panel, sums) = Panel::fit(names, &ready, &rows, options);
    let judge = Judge::new(&engine);
    let left_out: Vec<LeftOut> = (0..ready.len())
        .map(|at| {
            let mut one = LeftOut::of(&ready[at]);
            for (row, sums) in rows[at].iter().zip(&sums[at]) {
                let probability = panel.probability(sums);
                one.score = one.score.max(probability);
                if judge.allows_danger(row) {
                    one.dangerous = one.dangerous.max(probability);
                }
            }
            one
        })
        .collect();

    let mut model = model(&options.name, &wordings, &panel);
    engine.set_model(model.clone());
    // A wrong accusation is the worst: none of the honest conversations that are the hardest may be one, learned or not.
    let hard = ready.par_iter().filter(|ready| ready.chat && !ready.talk.scam);
    let hardest = hard.flat_map_iter(|ready| take(&engine, ready)).filter(|row| judge.allows_danger(row));
    let hardest = hardest.map(|row| panel.probability(&panel.sums(&row))).reduce(|| 0.0, f64::max);
    (model.head.caution, model.head.danger) = thresholds(&left_out, hardest);
    let used = [wordings.messages.weights.len(), wordings.chats.weights.len()];
    Ok(Trained { model, counts, used, left_out })
}

/// Scams and honest ones of each source.
fn counted(talks: &[Talk]) -> Result<BTreeMap<String, [usize; 2]>, String> {
    for (scam, label) in [(true, "scam"), (false, "benign")] {
        if !talks.iter().any(|talk| talk.scam == scam) {
            return Err(format!(
                "no conversation or message with the label \"{label}\": nothing to tell apart"
            ));
        }
    }
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for talk in talks {
        counts.entry(talk.source.to_string()).or_default()[usize::from(talk.scam)] += 1;
    }
    Ok(counts)
}

/// The numbers of each conversation, as a wording gives them that was learned without what is left out together with it.
fn rows_left_out(
    engine: &mut Engine,
    ready: &[Ready],
    wordings: &Wordings,
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> Vec<Vec<head::Row>> {
    let mut rows: Vec<Vec<head::Row>> = vec![Vec::new(); ready.len()];
    for fold in folds(ready) {
        say(&format!("wording without {fold}"));
        let without = wordings.without(&fold, ready, options);
        engine.set_model(model(&options.name, &without, &Panel::default()));
        let members = rows.par_iter_mut().zip(ready).filter(|(_, ready)| ready.fold == fold);
        members.for_each(|(rows, ready)| *rows = take(engine, ready));
    }
    rows
}

/// A model of what was learned.
fn model(name: &str, wordings: &Wordings, panel: &Panel) -> Model {
    let Wordings { messages, chats } = wordings;
    let head = Head {
        name: name.to_owned(),
        wording_bias: messages.bias,
        wording_step: messages.step,
        chats_bias: chats.bias,
        chats_step: chats.step,
        experts: panel.experts(),
        caution: 0.5,
        danger: 0.5,
        wording_floor: WORDING_FLOOR,
    };
    Model::new(head, messages.weights.clone(), chats.weights.clone())
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
            rows.push(head::Row { numbers, scam: ready.talk.scam, share: 0.0, turns: at + 1 });
        }
    }
    let shares = shares(rows.len());
    rows.iter_mut().zip(shares).for_each(|(row, share)| row.share = share);
    rows
}
