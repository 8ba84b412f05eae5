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
    let kept = keep(talks, options);
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
                one.after.push((row.turns, probability));
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
    let hardest = hard.flat_map_iter(|ready| take_all(&engine, ready)).filter(|row| judge.allows_danger(row));
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
    take_after(engine, ready, Setting::default(), is_taken)
}

/// And after each of them, at the worst: of a stranger.
fn take_all(engine: &Engine, ready: &Ready) -> Vec<head::Row> {
    take_after(engine, ready, Setting { new_contact: Some(true), ..Setting::default() }, |_, _| true)
}

fn take_after(
    engine: &Engine,
    ready: &Ready,
    setting: Setting,
    wanted: fn(usize, usize) -> bool,
) -> Vec<head::Row> {
    let mut conversation = Conversation::with(engine, setting);
    let mut rows = Vec::new();
    for (at, line) in ready.talk.turns.iter().enumerate() {
        conversation.add(line.turn());
        if wanted(at + 1, ready.talk.turns.len()) {
            let numbers = conversation.numbers().into_iter();
            let numbers = numbers.map(|(name, number)| (name as u32, number as f32)).collect();
            rows.push(head::Row { numbers, scam: ready.talk.scam, share: 0.0, turns: at + 1 });
        }
    }
    let shares = shares(rows.len());
    rows.iter_mut().zip(shares).for_each(|(row, share)| row.share = share);
    rows
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::eval::scam::dataset::Line;
    use bonafide_core::scam::Side;
    use std::sync::Arc;

    /// Calls and chats, half of them scams, of sentences that differ a little.
    fn talks() -> Vec<Talk> {
        let mut talks = Vec::new();
        for at in 0..160_usize {
            let (scam, chat) = (at % 2 == 0, at % 4 < 2);
            let said = |turn: usize| match (scam, turn % 4) {
                (true, 0) => format!("the platform of my uncle pays well, number {} of us joined", at % 7),
                (true, 1) => format!("you must pay the tax before the withdrawal, day {}", (at + turn) % 9),
                (false, 0) => format!("shall we meet at the market on the {}th", at % 9),
                (false, 1) => format!("my sister has baked {} loaves", (at + turn) % 5),
                _ => format!("good, see you then, {}", (at * turn) % 11),
            };
            let count = if chat { 30 } else { 6 };
            let side = |turn: usize| if turn % 3 == 2 { Side::Me } else { Side::Them };
            talks.push(Talk {
                source: Arc::from(if chat { "days" } else { ["north", "south", "west"][at % 3] }),
                id: at.to_string(),
                turns: (0..count).map(|turn| Line { side: side(turn), text: said(turn), at: None }).collect(),
                scam,
                kind: String::new(),
                lang: "en".to_owned(),
                money_turn: None,
                new_contact: None,
                message: false,
                author: None,
            });
        }
        talks
    }

    #[test]
    fn the_engine_says_what_training_reckoned_with() {
        let options = Options {
            name: "test".to_owned(),
            all: true,
            chats: vec!["days".to_owned()],
            wording: ftrl::Options::default(),
            of_chats: ftrl::Options::of_chats(),
            head: head::Options { steps: 60, ..head::Options::default() },
        };
        let mut engine = Engine::with(model("test", &Wordings::default(), &Panel::default())).unwrap();
        let ready = ready(&engine, talks(), &options);
        let wordings = Wordings::fit(&ready, &options);
        assert!(!wordings.messages.weights.is_empty() && !wordings.chats.weights.is_empty());
        let rows = rows_left_out(&mut engine, &ready, &wordings, &options, &mut |_| ());
        let names = [head::names(&engine, false), head::names(&engine, true)];
        let (panel, _) = Panel::fit(names, &ready, &rows, &options);
        engine.set_model(model("test", &wordings, &panel));
        for ready in &ready {
            let mut rows = take(&engine, ready).into_iter().peekable();
            let mut conversation = Conversation::with(&engine, Setting::default());
            for line in &ready.talk.turns {
                conversation.add(line.turn());
                let Some(row) = rows.next_if(|row| row.turns == conversation.turns()) else { continue };
                let (here, there) =
                    (conversation.report("en").probability, panel.probability(&panel.sums(&row)));
                assert!(
                    (here - there).abs() < 1e-4,
                    "{} after {} turns: {here} and {there}",
                    ready.talk.id,
                    row.turns
                );
            }
            assert!(rows.next().is_none());
        }
    }
}
