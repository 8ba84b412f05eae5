#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sample(label: Label, text: &str, fields: &[(&'static str, &str)], line: usize) -> Sample {
    let fields: BTreeMap<_, _> = fields.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    Sample { text: text.to_owned(), label, dataset: "set".into(), line, fields }
}

/// Sentences that tell whose they are.
fn text(author: &str, sentences: usize) -> String {
    (0..sentences).map(|index| format!("{author} wrote sentence {index}. ")).collect()
}

fn couple(own: usize, other: usize) -> Vec<Sample> {
    vec![
        sample(Label::Human, &text("Anna", own), &[("pair", "1")], 1),
        sample(Label::Ai, &text("Botto", other), &[("pair", "1")], 2),
    ]
}

fn of(made: &Made, kind: Kind) -> &Spliced {
    made.texts.iter().find(|text| text.kind == kind).unwrap()
}

/// Label and number of sentences of each part.
fn blocks(text: &Spliced) -> Vec<(Label, usize)> {
    let chars: Vec<char> = text.text.chars().collect();
    let count = |span: &Span| chars[span.start..span.end].iter().filter(|&&c| c == '.').count();
    text.parts.iter().map(|(span, label)| (*label, count(span))).collect()
}

#[test]
fn a_couple_makes_one_text_of_every_kind() {
    let made = make(&couple(14, 12), None, 1);
    assert_eq!((made.texts.len(), made.left_out), (5, 0));
    assert_eq!(of(&made, Kind::Human).text, text("Anna", 14).trim());
    assert_eq!(of(&made, Kind::Ai).text, text("Botto", 12).trim());
    let continued = blocks(of(&made, Kind::Continued));
    assert!(matches!(continued[..], [(Label::Human, 3..,), (Label::Ai, 1..)]), "{continued:?}");
    let inserted = blocks(of(&made, Kind::Inserted));
    assert!(
        matches!(inserted[..], [(Label::Human, a), (Label::Ai, 1..=6), (Label::Human, b)] if a + b == 14 && a.min(b) >= 3),
        "{inserted:?}"
    );
    let alternating = blocks(of(&made, Kind::Alternating));
    assert!(
        alternating.len() > 1 && alternating.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "{alternating:?}"
    );
}

#[test]
fn most_blocks_have_three_sentences_and_some_have_fewer() {
    let lengths: Vec<usize> = (0..200)
        .flat_map(|seed| blocks(of(&make(&couple(20, 20), None, seed), Kind::Inserted)))
        .filter(|(label, _)| *label == Label::Ai)
        .map(|(_, sentences)| sentences)
        .collect();
    let short = lengths.iter().filter(|&&length| length < 3).count();
    assert!((20..60).contains(&short), "{short}");
    assert!(lengths.iter().all(|length| (1..=6).contains(length)));
}

#[test]
fn sentences_keep_their_author_however_the_text_is_cut_again() {
    let mut samples = couple(9, 9);
    // Without end marks and in lines, as headings are.
    samples[1].text = (0..9).map(|index| format!("Botto wrote line {index}\n")).collect();
    for text in make(&samples, None, 3).texts {
        let chars: Vec<char> = text.text.chars().collect();
        let spans = sentences::spans(&text.text);
        assert!(spans.len() >= 6, "{}", text.text);
        for span in spans {
            let own: String = chars[span.start..span.end].iter().collect();
            let label = if own.starts_with("Anna") { Label::Human } else { Label::Ai };
            assert_eq!(text.label(span), Some(label), "{own}");
            assert!(!(own.contains("Anna") && own.contains("Botto")), "{own}");
        }
    }
    assert_eq!(make(&samples, None, 3).texts[0].label(Span { start: 900, end: 910 }), None);
}

#[test]
fn the_nearest_partner_is_taken_and_none_twice_while_another_is_free() {
    let long = |author: &str| text(author, 8);
    let samples = [
        sample(Label::Human, &long("One"), &[("pair", "1"), ("domain", "a")], 1),
        sample(Label::Human, &long("Two"), &[("pair", "2"), ("domain", "b")], 2),
        sample(Label::Human, &long("Three"), &[("pair", "3"), ("domain", "b")], 3),
        sample(Label::Human, &long("Four"), &[("domain", "c")], 4),
        sample(Label::Human, &text("Five", 5), &[("pair", "1")], 5),
        sample(Label::Ai, &long("Pair"), &[("pair", "1"), ("domain", "z")], 6),
        sample(Label::Ai, &long("Domain"), &[("domain", "b")], 7),
        sample(Label::Ai, &long("Domain too"), &[("domain", "b")], 8),
        sample(Label::Ai, &text("Short", 3), &[("pair", "2"), ("domain", "c")], 9),
    ];
    let made = make(&samples, None, 0);
    assert_eq!((made.texts.len(), made.left_out), (20, 1));
    let partner = |human: &str| {
        let at = made.texts.iter().position(|text| text.text.starts_with(human)).unwrap();
        made.texts[at + 1].text.split(" wrote").next().unwrap().to_owned()
    };
    assert_eq!(partner("One"), "Pair");
    let mut both = [partner("Two"), partner("Three")];
    both.sort();
    assert_eq!(both, ["Domain", "Domain too"]);
    assert!(!partner("Four").is_empty());
}

#[test]
fn the_same_seed_makes_the_same_texts_in_any_order_and_a_limit_a_part_of_them() {
    let mut samples: Vec<Sample> = (0..8)
        .flat_map(|pair: usize| {
            let name = pair.to_string();
            let fields: [(&'static str, &str); 1] = [("pair", &name)];
            [
                sample(Label::Human, &text(&format!("Human {pair}"), 10), &fields, 2 * pair),
                sample(Label::Ai, &text(&format!("Model {pair}"), 10), &fields, 2 * pair + 1),
            ]
        })
        .collect();
    let made = make(&samples, None, 7);
    let part = make(&samples, Some(3), 7);
    samples.reverse();
    assert_eq!(make(&samples, None, 7), made);
    assert_eq!(part.texts[..], made.texts[..15]);
    assert_ne!(make(&samples, None, 8), made);
}

proptest! {
    #[test]
    fn parts_cover_all_that_is_visible(own in 6_usize..40, other in 6_usize..40, seed in 0_u64..1000) {
        for text in make(&couple(own, other), None, seed).texts {
            let mut end = 0;
            let chars: Vec<char> = text.text.chars().collect();
            for (span, label) in &text.parts {
                prop_assert!(span.start <= end + 1 && span.start < span.end && span.end <= chars.len());
                let author = if *label == Label::Human { "Anna" } else { "Botto" };
                let own: String = chars[span.start..span.end].iter().collect();
                prop_assert!(own.starts_with(author) && own.ends_with('.'));
                end = span.end;
            }
            prop_assert_eq!(end, chars.len());
            let both = text.parts.iter().any(|part| part.1 == Label::Ai) && text.parts.iter().any(|part| part.1 == Label::Human);
            prop_assert_eq!(both, !matches!(text.kind, Kind::Human | Kind::Ai));
        }
    }
}
