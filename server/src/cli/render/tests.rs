#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use bonafide_core::verdict::{CalibrationIdentity, EvidenceKind, ModelIdentity, SentenceReport, TokenReport};
use proptest::prelude::*;
use std::borrow::Cow;

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
        calibration: None,
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
            languages: vec!["en".to_owned()],
            target_false_positive_rate: 0.01,
            measured_false_positive_rate: 0.009,
        }),
        calibrations: Vec::new(),
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
fn the_calibrations_are_named_that_blocks_were_compared_with() {
    let by = |version: &str| BlockReport { calibration: Some(version.to_owned()), ..judged() };
    let view = View { lang: Lang::En, colour: false };
    let text = plain(&shown(vec![by("b"), judged(), by("a"), by("b")], TEXT, view));
    assert!(text.contains(" · calibration a, b · "), "{text}");
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
        "a\u{fffd}]0;evil\u{fffd}b\u{fffd}31m⟨U+202E⟩c\nd"
    );
    for honest in
        ["Plain.", "مرحبا 😀\n\ttext", "👩\u{200d}🚒 می\u{200c}خواهم", "1\u{202f}000 und Schiff\u{ad}fahrt"]
    {
        assert!(matches!(clean(honest), Cow::Borrowed(_)), "{honest}");
    }
}

#[test]
fn what_cannot_be_seen_is_shown() {
    assert_eq!(clean("wo\u{200b}rd"), "wo⟨U+200B⟩rd");
    assert_eq!(clean("\u{feff}word\u{2060}"), "⟨U+FEFF⟩word⟨U+2060⟩");
    let long = format!("word{}.", "\u{200b}\u{200c}".repeat(40));
    assert_eq!(clean(&long), "word⟨U+200B⟩⟨U+200C⟩⟨U+200B⟩⟨U+200C⟩⟨+76⟩.");
    assert_eq!(clean("\u{e0041}"), "⟨U+E0041⟩");
}

fn other(kind: EvidenceKind, code: &str, strength: f64, span: Option<Span>) -> Evidence {
    Evidence { kind, strength, ..found(code, PointsTo::Ai, span) }
}

/// A block that is too short, with other findings beside it.
fn scrap(verdict: Verdict, evidence: Vec<Evidence>) -> BlockReport {
    let mut all = vec![found("too_short", PointsTo::Neither, None)];
    all.extend(evidence);
    BlockReport {
        verdict,
        probability: None,
        p_value: None,
        evidence: all,
        sentences: vec![],
        words: 2,
        ..judged()
    }
}

fn lines_of(block: BlockReport, text: &str) -> Vec<String> {
    let text = plain(&shown(vec![block], text, View { lang: Lang::En, colour: false }));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_label_on_a_short_block_is_not_swallowed() {
    let text = "（本文由AI生成）";
    let mut label = other(EvidenceKind::Declared, "label_visible", 1.0, Some(Span { start: 0, end: 9 }));
    label.values.insert("label".to_owned(), text.to_owned());
    let lines = lines_of(scrap(Verdict::DeclaredAi, vec![label]), text);
    assert_eq!(lines[0], "◆ declared AI · 2 words [notes.txt:1]");
    assert_eq!(lines[1], "  （本文由AI生成）");
    assert_eq!(&lines[2..5], ["  Why", "  · About too_short.", "  ◆ About label_visible."], "quoted once");
}

#[test]
fn stray_hidden_characters_leave_a_heading_on_one_line() {
    let stray = |strength| {
        other(EvidenceKind::HiddenCharacters, "hidden_zero_width", strength, Some(Span { start: 1, end: 2 }))
    };
    let lines = lines_of(scrap(Verdict::Unclear, vec![stray(0.1)]), "A\u{200b} heading");
    assert_eq!(lines[0], "? A⟨U+200B⟩ heading  (2 words: too short to judge)");
    let lines = lines_of(scrap(Verdict::Unclear, vec![stray(0.2)]), "A\u{200b} heading");
    assert_eq!(lines[0], "? unclear · 2 words [notes.txt:1]");
    assert_eq!(lines[4], "  ␣ About hidden_zero_width. \"A⟨U+200B⟩ heading\"");
}

#[test]
fn every_sort_of_finding_has_its_sign() {
    let signs = [
        (EvidenceKind::Watermark, "≈"),
        (EvidenceKind::HiddenCharacters, "␣"),
        (EvidenceKind::Leftover, "¶"),
        (EvidenceKind::Declared, "◆"),
    ];
    for (kind, sign) in signs {
        let block = BlockReport { evidence: vec![other(kind, "of_a_sort", 0.5, None)], ..judged() };
        assert!(lines_of(block, TEXT).contains(&format!("  {sign} About of_a_sort.")), "{kind:?}");
    }
    let example =
        Evidence { points_to: PointsTo::Neither, ..other(EvidenceKind::Declared, "label_inside", 0.2, None) };
    let block = BlockReport { evidence: vec![example], ..judged() };
    assert!(lines_of(block, TEXT).contains(&"  ◇ About label_inside.".to_owned()));
}

#[test]
fn few_of_the_findings_that_say_little_are_shown() {
    let weak = (0..5).map(|_| other(EvidenceKind::HiddenCharacters, "hidden_other", 0.1, None));
    let evidence = [found("plain_numbers", PointsTo::Neither, None)].into_iter().chain(weak).collect();
    let lines = lines_of(BlockReport { evidence, ..judged() }, TEXT);
    assert_eq!(lines.iter().filter(|line| line.contains("hidden_other")).count(), 3);
    assert!(lines.contains(&"  left out, because they say little: 2".to_owned()), "{lines:?}");
}

#[test]
fn of_a_long_stretch_the_first_and_last_words_are_quoted() {
    let quoted = |text: &str| {
        let end = text.chars().count();
        let mark = other(EvidenceKind::Watermark, "watermark", 1.0, Some(Span { start: 0, end }));
        let lines = lines_of(BlockReport { evidence: vec![mark], ..judged() }, text);
        lines.iter().find_map(|line| line.strip_prefix("  ≈ About watermark. ")).unwrap().to_owned()
    };
    let long = format!(
        "It was a quiet morning by the sea and {} until the last boat came home.",
        "nothing moved ".repeat(50)
    );
    assert_eq!(quoted(&long), "\"It was a quiet morning by the sea … last boat came home.\"");
    let ideographs = "今天的公交车又晚点了所以我走下山".repeat(20);
    let shown = quoted(&ideographs);
    assert!(
        shown.starts_with("\"今天的公交车") && shown.ends_with("走下山\"") && shown.contains(" … "),
        "{shown}"
    );
    assert!(shown.chars().count() <= 62, "{shown}");
    assert_eq!(quoted("Short."), "\"Short.\"");
}

#[test]
fn hidden_characters_are_quoted_with_what_is_around_them() {
    let quoted = |text: &str, start, end| {
        let hidden = other(EvidenceKind::HiddenCharacters, "hidden_message", 0.5, Some(Span { start, end }));
        let lines = lines_of(BlockReport { evidence: vec![hidden], ..judged() }, text);
        lines.iter().find_map(|line| line.strip_prefix("  ␣ About hidden_message. ")).unwrap().to_owned()
    };
    let text = format!("A sentence with wo{}rds in it, and more.", "\u{200b}".repeat(24));
    assert_eq!(quoted(&text, 18, 42), "\"…ence with wo⟨U+200B⟩⟨U+200B⟩⟨U+200B⟩⟨U+200B⟩⟨+20⟩rds in it, a…\"");
    assert_eq!(quoted("Narrow\u{202f}space", 6, 7), "\"Narrow⟨U+202F⟩space\"");
}

proptest! {
    #[test]
    fn no_text_reaches_the_terminal_as_a_control(
        text in "([a-z. ]|\\PC|\\p{Cc}|\u{202e}|\u{200b}|\u{2060}|\u{1b}\\[31m){0,60}",
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
        let kinds = [EvidenceKind::Watermark, EvidenceKind::HiddenCharacters, EvidenceKind::Leftover];
        block.evidence = spans
            .iter()
            .zip(kinds.into_iter().cycle())
            .map(|(&(start, end), kind)| other(kind, "of_a_sort", 0.5, Some(Span { start, end })))
            .collect();
        for colour in [false, true] {
            let shown = shown(vec![block.clone()], &text, View { lang: Lang::En, colour });
            // Our own sequences are all of the form ESC [ … m, and strip_str knows no others in clean text.
            let rest: String = shown.split('\u{1b}').enumerate().map(|(index, part)| match index {
                0 => part,
                _ => part.strip_prefix('[').and_then(|part| part.split_once('m')).expect("our own").1,
            }).collect();
            prop_assert!(!rest.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
            let unseen = shown.contains(['\u{202e}', '\u{2060}']);
            prop_assert!(!unseen);
        }
    }
}
