#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::backend::{Backend, PackedBatch};
use crate::cpu::{CpuOptions, Instructions, Precision};
use crate::testing::{models, text};
use crate::weights::Model;

fn backend(model: &Model, precision: Precision, instructions: Instructions) -> CpuBackend {
    let options = CpuOptions { threads: 2, precision, instructions: Some(instructions) };
    CpuBackend::new(model, None, options).unwrap()
}

fn plain(model: &Model) -> CpuBackend {
    backend(model, Precision::F32, Instructions::best())
}

fn logprob(logits: &[f32], token: u32) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
    (f64::from(logits[token as usize] - max) - sum.ln()) as f32
}

/// What one pass over the whole text says of each token but the first.
fn whole(backend: &CpuBackend, tokens: &[u32]) -> Vec<f32> {
    let batch = [0, tokens.len()];
    let stats = backend.score(&PackedBatch::new(tokens, &batch).unwrap()).unwrap();
    stats.iter().map(|stats| stats.logprob).collect()
}

#[track_caller]
fn near(what: &str, got: f32, want: f32, tolerance: f32) {
    assert!((got - want).abs() <= tolerance * (1.0 + want.abs()), "{what}: {got} where {want} is expected");
}

/// Every form that this CPU can run, and how far apart it may take a session and a whole pass: attention is f32 in
/// a session alone where it is in tiles else, and what is rounded may be so otherwise for a bit's difference.
fn forms() -> Vec<(Precision, Instructions, f32)> {
    let mut forms = Vec::new();
    for instructions in Instructions::ALL.into_iter().filter(|set| set.available()) {
        let tiles = instructions == Instructions::Amx;
        forms.push((Precision::F32, instructions, 1e-4));
        forms.push((Precision::Int8, instructions, 2e-3));
        forms.push((Precision::Bf16, instructions, if tiles { 0.05 } else { 0.02 }));
        forms.push((Precision::Auto, instructions, if tiles { 0.03 } else { 2e-3 }));
    }
    forms
}

/// Feeds a text in pieces of so many tokens and compares what comes after each.
fn in_pieces(name: &str, backend: &CpuBackend, tokens: &[u32], size: usize, tolerance: f32) {
    let want = whole(backend, tokens);
    let mut session = backend.session(1, tokens.len()).unwrap();
    for piece in tokens.chunks(size) {
        let logits = session.extend(&[(0, piece)]).unwrap();
        assert_eq!((logits.len(), logits[0].len()), (1, backend.decoder.shape.vocab));
        let row = logits[0].to_vec();
        let at = session.len(0);
        if at < tokens.len() {
            near(&format!("{name}, {at}"), logprob(&row, tokens[at]), want[at - 1], tolerance);
        }
    }
    assert_eq!(session.len(0), tokens.len());
}

#[test]
fn a_session_may_go_to_another_thread() {
    fn send<T: Send>() {}
    send::<Session<'static>>();
}

#[test]
fn a_text_in_pieces_gives_what_it_gives_whole() {
    for (name, model) in models() {
        let tokens = text(model.shape.vocab, 140, 1);
        let backend = plain(&model);
        for size in [1, 7, 64, 140] {
            in_pieces(&format!("{name} by {size}"), &backend, &tokens, size, 1e-4);
        }
    }
}

#[test]
fn so_it_does_in_every_form() {
    for (precision, instructions, tolerance) in forms() {
        for (name, model) in models() {
            let backend = backend(&model, precision, instructions);
            let tokens = text(model.shape.vocab, 70, 2);
            for size in [1, 33] {
                let name = format!("{name} by {size}, {}", backend.name());
                in_pieces(&name, &backend, &tokens, size, tolerance);
            }
        }
    }
}

#[test]
fn sequences_side_by_side_see_nothing_of_one_another() {
    for (name, model) in models() {
        let backend = plain(&model);
        let texts: Vec<Vec<u32>> = [90, 1, 40, 131]
            .iter()
            .enumerate()
            .map(|(seed, len)| text(model.shape.vocab, *len, seed))
            .collect();
        let want: Vec<Vec<f32>> = texts.iter().map(|text| whole(&backend, text)).collect();
        let mut session = backend.session(texts.len() + 1, 200).unwrap();
        for round in 0.. {
            // Pieces of different sizes, from the last sequence to the first, each sequence in most rounds.
            let mut new: Vec<(usize, &[u32])> = Vec::new();
            for (at, text) in texts.iter().enumerate().rev().filter(|(at, _)| (round + at) % 5 != 4) {
                let rest = &text[session.len(at)..];
                let piece = rest.len().min(1 + (round * 3 + at * 5) % 11);
                if piece > 0 {
                    new.push((at, &rest[..piece]));
                }
            }
            if new.is_empty() {
                if texts.iter().enumerate().all(|(at, text)| session.len(at) == text.len()) {
                    break;
                }
                continue;
            }
            let rows: Vec<Vec<f32>> =
                session.extend(&new).unwrap().into_iter().map(|row| row.to_vec()).collect();
            assert_eq!(rows.len(), new.len());
            for ((at, _), row) in new.iter().zip(rows) {
                let next = session.len(*at);
                if let Some(token) = texts[*at].get(next) {
                    near(&format!("{name}, {at}"), logprob(&row, *token), want[*at][next - 1], 1e-4);
                }
            }
        }
        assert_eq!(session.len(texts.len()), 0);
    }
}

#[test]
fn logits_come_after_every_token_if_asked_for() {
    for (name, model) in models() {
        let backend = plain(&model);
        // More than goes through the model together.
        let texts = [text(model.shape.vocab, CHUNK - 5, 1), text(model.shape.vocab, 90, 2)];
        let want = texts.each_ref().map(|text| whole(&backend, text));
        let mut session = backend.session(2, CHUNK).unwrap();
        session.extend(&[(1, &texts[1][..3])]).unwrap();
        let mut seen = Vec::new();
        session
            .each_logits(&[(0, &texts[0]), (1, &texts[1][3..])], |sequence, position, row| {
                assert_eq!(row.len(), model.shape.vocab);
                if let Some(token) = texts[sequence].get(position + 1) {
                    near(
                        &format!("{name}, {position}"),
                        logprob(row, *token),
                        want[sequence][position],
                        1e-4,
                    );
                }
                seen.push((sequence, position));
            })
            .unwrap();
        let all = (0..texts[0].len()).map(|at| (0, at)).chain((3..90).map(|at| (1, at)));
        assert_eq!(seen, all.collect::<Vec<_>>());
        assert_eq!((session.len(0), session.len(1)), (texts[0].len(), 90));
    }
}

#[test]
fn many_texts_are_longer_than_a_chunk_together() {
    let (_, model) = models().swap_remove(3);
    let backend = plain(&model);
    let texts: Vec<Vec<u32>> = (0..40).map(|seed| text(model.shape.vocab, 30, seed)).collect();
    let mut session = backend.session(40, 30).unwrap();
    let new: Vec<(usize, &[u32])> = texts.iter().enumerate().map(|(at, text)| (at, &text[..29])).collect();
    let rows = session.extend(&new).unwrap();
    assert_eq!(rows.len(), 40);
    for (row, text) in rows.iter().zip(&texts) {
        near("its last", logprob(row, text[29]), whole(&backend, text)[28], 1e-4);
    }
}

#[test]
fn what_was_cut_off_leaves_nothing_behind() {
    for (name, model) in models() {
        let backend = plain(&model);
        let (one, other) = (text(model.shape.vocab, 100, 1), text(model.shape.vocab, 100, 2));
        let joined: Vec<u32> = [&one[..30], &other[30..]].concat();
        let want = whole(&backend, &joined);
        let mut session = backend.session(1, 100).unwrap();
        session.extend(&[(0, &one)]).unwrap();
        let bytes = session.cache_bytes();
        session.truncate(0, 200).unwrap();
        assert_eq!(session.len(0), 100);
        session.truncate(0, 30).unwrap();
        let row = session.extend(&[(0, &joined[30..70])]).unwrap().remove(0).to_vec();
        near(name, logprob(&row, joined[70]), want[69], 1e-4);
        session.truncate(0, 0).unwrap();
        assert_eq!((session.len(0), session.cache_bytes()), (0, bytes));
        let row = session.extend(&[(0, &joined[..99])]).unwrap().remove(0).to_vec();
        near(name, logprob(&row, joined[99]), want[98], 1e-4);
        assert_eq!(session.cache_bytes(), bytes);
    }
}

#[test]
fn scores_between_the_tokens_disturb_nothing() {
    let (_, model) = models().swap_remove(0);
    let backend = plain(&model);
    let (tokens, other) = (text(model.shape.vocab, 60, 1), text(model.shape.vocab, 200, 9));
    let (want, want_other) = (whole(&backend, &tokens), whole(&backend, &other));
    std::thread::scope(|scope| {
        let scoring = scope.spawn(|| {
            for _ in 0..10 {
                let got = whole(&backend, &other);
                // Which worker takes which part of the vocabulary shows in the last bits.
                got.iter().zip(&want_other).for_each(|(got, want)| near("scores", *got, *want, 1e-5));
            }
        });
        let (mut first, mut second) = (backend.session(1, 60).unwrap(), backend.session(1, 60).unwrap());
        for at in 0..59 {
            for session in [&mut first, &mut second] {
                let row = session.extend(&[(0, &tokens[at..=at])]).unwrap().remove(0).to_vec();
                near("between scores", logprob(&row, tokens[at + 1]), want[at], 1e-4);
            }
        }
        scoring.join().unwrap();
    });
}

#[test]
fn what_can_not_be_is_an_error_and_changes_nothing() {
    let (_, model) = models().swap_remove(1);
    let backend = plain(&model);
    assert!(backend.session(0, 5).is_err() && backend.session(5, 0).is_err());
    let vocab = model.shape.vocab as u32;
    let mut session = backend.session(2, 5).unwrap();
    assert_eq!((session.sequences(), session.capacity()), (2, 5));
    session.extend(&[(0, &[1, 2, 3])]).unwrap();
    type New<'a> = &'a [(usize, &'a [u32])];
    let wrong: [(New<'_>, &str); 7] = [
        (&[], "no sequence"),
        (&[(1, &[])], "no token"),
        (&[(2, &[1])], "no sequence 2"),
        (&[(1, &[1]), (1, &[1])], "twice"),
        (&[(1, &[1, vocab])], "vocabulary"),
        (&[(1, &[1]), (0, &[1, 2, 3])], "room for 5"),
        (&[(1, &[1; 6])], "room for 5"),
    ];
    for (new, part) in wrong {
        for error in [session.extend(new).err(), session.each_logits(new, |_, _, _| {}).err()] {
            let error = error.unwrap();
            assert!(matches!(error, BackendError::Batch(_)) && error.to_string().contains(part), "{error}");
        }
        assert_eq!((session.len(0), session.len(1), session.len(2)), (3, 0, 0));
    }
    assert!(session.truncate(2, 0).is_err());
    session.extend(&[(0, &[1, 2])]).unwrap();
    assert!(session.extend(&[(0, &[1])]).is_err());
}
