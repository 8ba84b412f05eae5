#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use bonafide_core::verdict::{CalibrationIdentity, EvidenceKind, ModelIdentity, SentenceReport, TokenReport};
use proptest::prelude::*;

const TEXT: &str = "Plain 😀 words.\nSurprising zeugmas!";

fn found(code: &str, points_to: PointsTo, span: Option<Span>) -> Evidence {
    Evidence {
        kind: EvidenceKind::Model,
        code: code.to_owned(),
        strength: 0.5,
        points_to,
        span,
        message: format!("About {code}."),
        values: Default::default(),
    }
}

fn judged() -> BlockReport {
    let sentence = |start, end, probability| SentenceReport {
        span: Span { start, end },
        tokens: 3,
        mean_logprob: Some(-2.0),
        probability,
    };
    BlockReport {
        id: "notes.txt:1".to_owned(),
        verdict: Verdict::LikelyAi,
        probability: Some(0.9991),
        p_value: Some(0.00012),
        evidence: vec![
            found("combined_ai", PointsTo::Ai, None),
            found("sentence_human", PointsTo::Human, Some(Span { start: 15, end: 34 })),
            found("evenness_usual", PointsTo::Neither, None),
            found("caveat", PointsTo::Neither, None),
        ],
        sentences: vec![sentence(0, 14, Some(0.97)), sentence(15, 34, Some(0.05))],
        words: 120,
        token_count: 9,
        language: Some("en".to_owned()),
        detectors: Default::default(),
        tokens: None,
    }
}

fn shown(judged: Vec<BlockReport>, text: &str, view: View) -> String {
    let blocks: Vec<Block> =
        judged.iter().map(|block| Block { id: block.id.clone(), text: text.to_owned() }).collect();
    let whole = ScoreReport {
        blocks: judged,
        model: ModelIdentity {
            name: "small".to_owned(),
            sha256: String::new(),
            architecture: "llama".to_owned(),
            backend: "cpu-f32".to_owned(),
        },
        calibration: Some(CalibrationIdentity {
            version: "7".to_owned(),
            target_false_positive_rate: 0.01,
            measured_false_positive_rate: 0.009,
        }),
        version: "0.1.0".to_owned(),
    };
    let mut out = Vec::new();
    report(&mut out, &whole, &blocks, view).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn without_colour_every_sentence_has_its_number() {
    let text = plain(&shown(vec![judged()], TEXT, View { lang: Lang::En, colour: false }));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "● likely AI · probability of AI > 99 % · p-value < 0.001 · 120 words [notes.txt:1]"
    );
    assert_eq!(lines[1], "    97 %  Plain 😀 words.");
    assert_eq!(lines[2], "     5 %  Surprising zeugmas!");
    assert_eq!(
        &lines[3..6],
        ["  Why", "  ● About combined_ai.", "  ○ About sentence_human. \"Surprising zeugmas!\""]
    );
    assert!(!text.contains("evenness_usual"));
    assert_eq!(text.matches("About caveat.").count(), 1);
    assert!(text.contains("blocks: 1 likely AI · model small (cpu-f32) · calibration 7 · bonafide 0.1.0"));
}

#[test]
fn with_colour_the_text_runs_on_and_grounds_end_at_line_ends() {
    let text = shown(vec![judged()], TEXT, View { lang: Lang::En, colour: true });
    assert!(text.contains("48;5;214m") && text.contains("48;5;111m"), "{text:?}");
    assert!(
        text.lines()
            .all(|line| !line.contains('\u{1b}') || line.ends_with("\u{1b}[0m") || !line.contains("48;5"))
    );
    assert!(plain(&text).contains("  Plain 😀 words.\n  Surprising zeugmas!\n"));
}

#[test]
fn a_caveat_is_said_once_for_all_blocks() {
    let text = shown(vec![judged(), judged()], TEXT, View { lang: Lang::En, colour: false });
    assert_eq!(text.matches("About caveat.").count(), 1);
}

#[test]
fn a_block_that_is_too_short_takes_one_line() {
    let short = BlockReport {
        verdict: Verdict::Unclear,
        probability: None,
        p_value: None,
        evidence: vec![found("too_short", PointsTo::Neither, None)],
        sentences: vec![],
        words: 2,
        ..judged()
    };
    let text = plain(&shown(vec![short], "A heading", View { lang: Lang::En, colour: false }));
    assert_eq!(text.lines().next().unwrap(), "? A heading  (2 words: too short to judge)");
}

#[test]
fn tokens_are_a_table() {
    let token =
        TokenReport { span: Span { start: 0, end: 5 }, logprob: Some(-1.5), rank: Some(3), entropy: None };
    let with = BlockReport { tokens: Some(vec![token]), ..judged() };
    let text = plain(&shown(vec![with], TEXT, View { lang: Lang::En, colour: false }));
    assert!(text.contains("         -1.500       3        -  Plain\n"), "{text}");
}

#[test]
fn chinese_is_chinese() {
    let text = plain(&shown(vec![judged()], TEXT, View { lang: Lang::Zh, colour: false }));
    assert!(text.starts_with("● 像是 AI 写的 · AI 概率 > 99 %"), "{text}");
    assert!(text.contains("依据") && text.contains("这份结果不能说明什么"));
}

#[test]
fn probabilities_are_never_rounded_to_certainty() {
    assert_eq!(
        [0.0, 0.001, 0.01, 0.5, 0.994, 0.996, 1.0].map(percent),
        ["0 %", "< 1 %", "1 %", "50 %", "99 %", "> 99 %", "100 %"]
    );
}

#[test]
fn terminal_sequences_are_disarmed() {
    assert_eq!(
        clean("a\u{1b}]0;evil\u{7}b\u{9b}31m\u{202e}c\r\nd"),
        "a\u{fffd}]0;evil\u{fffd}b\u{fffd}31m\u{fffd}c\nd"
    );
    assert!(matches!(clean("مرحبا 😀\u{200d}\n\ttext"), Cow::Borrowed(_)));
}

proptest! {
    #[test]
    fn no_text_reaches_the_terminal_as_a_control(
        text in "([a-z. ]|\\PC|\\p{Cc}|\u{202e}|\u{1b}\\[31m){0,60}",
        spans in proptest::collection::vec((0usize..80, 0usize..80), 0..6),
    ) {
        let mut block = judged();
        block.id.clone_from(&text);
        block.sentences = spans
            .iter()
            .map(|&(start, end)| SentenceReport {
                span: Span { start, end },
                tokens: 1,
                mean_logprob: None,
                probability: None,
            })
            .collect();
        for colour in [false, true] {
            let shown = shown(vec![block.clone()], &text, View { lang: Lang::En, colour });
            // Our own sequences are all of the form ESC [ … m, and strip_str knows no others in clean text.
            let rest: String = shown.split('\u{1b}').enumerate().map(|(index, part)| match index {
                0 => part,
                _ => part.strip_prefix('[').and_then(|part| part.split_once('m')).expect("our own").1,
            }).collect();
            prop_assert!(!rest.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
            let reordered = shown.contains('\u{202e}');
            prop_assert!(!reordered);
        }
    }
}
