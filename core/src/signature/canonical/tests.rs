#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn canonical(text: &str) -> String {
    Stream::of_text(text).text().to_owned()
}

#[test]
fn the_same_words_give_the_same_bytes() {
    for (name, one, other) in [
        ("reflow", "A line\nbroken  here.", "A line broken\n   here. "),
        ("paragraphs", "One.\n\nTwo.", "One. Two."),
        ("CRLF and NBSP", "a\r\nb\u{A0}c", "a b c"),
        ("soft hyphen and zero width", "hy\u{AD}phen\u{200B}ated\u{FEFF}", "hyphenated"),
        ("decomposed", "Cafe\u{301} a\u{308}", "Caf\u{E9} \u{E4}"),
        ("quotes", "“I’m ‘here’,” she said…", "\"I'm 'here',\" she said..."),
        ("primes", "6′2″", "6'2\""),
        ("dashes", "1990–1995 — a ‑ b − c", "1990-1995 - a - b - c"),
        ("typewriter dashes", "word--word and -- so --- on", "word—word and – so — on"),
        ("Chinese dashes", "水很低——桥还在", "水很低—桥还在"),
        ("an interrupted speaker", "\"Wait--\" he said", "“Wait—” he said"),
        ("dashes after punctuation", "(see below)--then Hello!--he A,--B", "(see below)—then Hello!—he A,—B"),
        ("dashes after signs", "2%--3% 5°--7° ...--a \"word\"--x", "2%–3% 5°–7° …—a “word”—x"),
        ("ligatures", "oﬀ ﬁﬂ ﬃ ﬄ ﬅ ﬆ", "off fifl ffi ffl st st"),
        ("half-width lines", "ﾊﾝ\nｶ", "ﾊﾝｶ"),
        ("emoji variation", "❤\u{FE0F} ok", "❤ ok"),
        ("Chinese lines", "今天天气\n很好。\n\n我们 走吧", "今天天气很好。我们走吧"),
        ("Chinese and Latin", "使用 Rust 语言", "使用Rust语言"),
        ("joiner that does nothing", "ab\u{200D}c\u{200C}d", "abcd"),
        ("joiner at the beginning of a word", "x \u{200D}\u{645}", "x \u{645}"),
        ("decomposed Hangul", "\u{1112}\u{1161}\u{11AB}", "한"),
        ("ideographic space", "a\u{3000}b", "a b"),
    ] {
        assert_eq!(canonical(one), canonical(other), "{name}");
    }
}

#[test]
fn other_words_give_other_bytes() {
    for (name, one, other) in [
        ("case", "Polish", "polish"),
        ("digits", "x² ① ½", "x2 1 1/2"),
        ("a space within a word", "therapist", "the rapist"),
        ("options", "--force", "-force"),
        ("decrement", "i--;", "i-;"),
        ("arguments", "(--x [--x {--x </--x a=--x /--x", "(-x [-x {-x </-x a=-x /-x"),
        ("a decrement in brackets", "(i--)", "(i-)"),
        ("a decrement at the end", "i--", "i-"),
        ("rules", "----", "-"),
        ("full width", "ＡＢＣ", "ABC"),
        ("full-width digits", "１ ０", "１０"),
        ("a joiner before a virama", "র\u{200D}\u{9CD}য", "র\u{9CD}য"),
        ("guillemets", "«a»", "\"a\""),
        ("Persian joiner", "می\u{200C}خواهم", "میخواهم"),
        ("conjunct", "क\u{94D}\u{200D}ष", "क\u{94D}ष"),
        ("family", "👩\u{200D}👧", "👩👧"),
        ("direction marks", "a\u{200F}b", "ab"),
        ("look-alikes", "раураl", "paypal"),
        ("skin", "👍🏽", "👍"),
    ] {
        assert_ne!(canonical(one), canonical(other), "{name}");
    }
}

#[test]
fn a_paragraph_is_the_same_alone_and_in_its_text() {
    let pieces = [
        "中文——",
        "--",
        "段落。",
        "Wait--",
        "--",
        "文",
        "end -- ",
        "a—b",
        "“中”",
        "x--",
        "\"y\"",
        "z!--",
        "q",
        "!",
        "--r",
        "中",
        "--s",
        "ｶ--",
        "１--",
        "２",
        "(--",
        "t",
        "%",
        "--\"u\"",
        "--v",
        "文",
    ];
    let stream = Stream::of_text(&pieces.join("\n\n"));
    let within: Vec<&str> = stream.paragraphs().iter().map(|block| &stream.text()[block.clone()]).collect();
    let alone: Vec<String> = pieces.iter().map(|piece| canonical(piece)).collect();
    assert_eq!(within, alone);
}

#[test]
fn hazards_are_found() {
    let hazards = |text: &str| Stream::of_text(text).hazards().collect::<Vec<_>>();
    assert_eq!(hazards("pay \u{202E}kcab"), [Hazard::Bidirectional('\u{202E}')]);
    assert_eq!(hazards("a\u{2067}b"), [Hazard::Bidirectional('\u{2067}')]);
    assert_eq!(hazards("a\0b\u{7F}"), [Hazard::Control('\0'), Hazard::Control('\u{7F}')]);
    assert_eq!(hazards(&format!("a{}", "\u{301}".repeat(31))), [Hazard::Marks]);
    // The letter itself brings one.
    assert_eq!(hazards(&format!("\u{E9}{}", "\u{300}".repeat(30))), [Hazard::Marks]);
    assert!(hazards(&format!("a{}", "\u{301}".repeat(30))).is_empty());
    assert!(hazards("Tab\tand\r\nlines, ‏עברית 👩‍👧").is_empty());
}

#[test]
fn words_are_counted() {
    for (text, count) in [
        ("", 0),
        ("One, two - three.", 4),
        ("今天天气很好。", 6),
        ("使用Rust语言", 5),
        ("ab中cd", 3),
        ("สวัสดี", 6),
        ("안녕 하세요", 2),
        ("ｶﾀｶﾅ １２ ＡＢ", 6),
    ] {
        assert_eq!(words(&canonical(text)), count, "{text}");
    }
}

#[test]
fn only_pictures_are_emoji() {
    for text in [
        "😀",
        "👩\u{200D}👧",
        "❤\u{FE0F}",
        "1\u{FE0F}\u{20E3}",
        "#\u{20E3}",
        "©",
        "🏴\u{E0067}\u{E007F}",
        "‼\u{FE0F}",
    ] {
        assert!(is_emoji_text(text), "{text:?}");
    }
    for text in [
        "",
        "😀 no",
        "1",
        "😀1",
        "1\u{FE0F}",
        "\u{FE0F}",
        "\u{200D}",
        "\u{20E3}",
        "→ not",
        "a\u{20E3}",
        &"😀".repeat(17),
    ] {
        assert!(!is_emoji_text(text), "{text:?}");
    }
}

#[test]
fn blocks_are_kept_apart_from_lines() {
    let stream = Stream::of_text("\n\nOne\nline.\n \t\n\n二。\n\n三。\n");
    let texts: Vec<&str> = stream.paragraphs().iter().map(|block| &stream.text()[block.clone()]).collect();
    assert_eq!(texts, ["One line.", "二。", "三。"]);
    assert_eq!(stream.text(), "One line.二。三。");
    let mut builder = Builder::default();
    builder.block_break();
    builder.text("a");
    builder.line_break();
    builder.text("b");
    builder.block_break();
    builder.block_break();
    builder.text(" c");
    let stream = builder.finish();
    assert_eq!((stream.text(), stream.paragraphs().to_vec()), ("a b c", vec![0..3, 4..5]));
}

#[test]
fn holes_part_blocks() {
    let mut builder = Builder::default();
    builder.text("before TOKEN after");
    let stream = builder.finish_without(std::slice::from_ref(&(7..12)));
    assert_eq!((stream.text(), stream.paragraphs().to_vec()), ("before after", vec![0..6, 7..12]));
    assert_eq!((stream.canonical_place(7), stream.canonical_place(12)), (6, 6));
}

#[test]
fn every_range_leads_back() {
    let raw = "  He\u{AD}llo…  Cafe\u{301}  “x”";
    let stream = Stream::of_text(raw);
    assert_eq!(stream.text(), "Hello... Caf\u{E9} \"x\"");
    let back = |canonical: &str| {
        let at = stream.text().find(canonical).unwrap();
        &raw[stream.raw_range(&(at..at + canonical.len()))]
    };
    assert_eq!(back("Hello"), "He\u{AD}llo");
    assert_eq!(back("..."), "…");
    assert_eq!(back("Caf\u{E9}"), "Cafe\u{301}");
    assert_eq!(back("x"), "x");
    assert_eq!(stream.canonical_place(0), 0);
    assert_eq!(stream.canonical_place(raw.len()), stream.text().len());
}

#[test]
fn long_runs_of_anything_take_no_long_time() {
    for c in [
        "\u{200D}",
        "\u{301}\u{200D}",
        "র\u{200D}\u{9BC}\u{200D}",
        "\u{301}",
        "-",
        " ",
        "\u{AD}",
        "ـ\u{200C}",
    ] {
        let stream = Stream::of_text(&format!("a{}b", c.repeat(300_000)));
        assert!(!stream.text().is_empty(), "{c:?}");
    }
}

/// Characters that the steps look at, and some that they don't.
fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "- -'\".…–—’“ \u{A0}\n\u{AD}\u{200B}\u{200C}\u{200D}\u{FE0F}a1中。か\u{3099}ー한\u{1112}\u{1161}e\u{301}\
         \u{323}👩🏽❤<\u{301}\u{200C}\u{DCA}\u{200D}क\u{94D}\u{93C}\u{651}مي\u{654}ا\u{202E}\u{200F}\u{0}ｶﾞ\u{E0041}<&\
         ﬁ１%(/=!\u{9B0}\u{9CD}\u{9BC}\u{DD9}\u{DCF}\u{DDC}\u{DCA}→\u{338}"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![4 => special, 1 => any::<char>()], 0..60)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn twice_is_the_same_as_once(text in text()) {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once);
    }

    #[test]
    fn the_way_back_stays_in_the_text(text in text()) {
        let stream = Stream::of_text(&text);
        let mut last = 0;
        for (at, c) in stream.text().char_indices() {
            let range = stream.raw_range(&(at..at + c.len_utf8()));
            prop_assert!(range.start >= last && text.get(range.clone()).is_some(), "{:?} {:?}", c, range);
            last = range.start;
        }
    }

    #[test]
    fn breaks_change_blocks_and_not_text(parts in prop::collection::vec("[a-z中。 ]{0,6}", 0..6)) {
        let mut blocks = Builder::default();
        let mut lines = Builder::default();
        for part in &parts {
            blocks.text(part);
            blocks.block_break();
            lines.text(part);
            lines.line_break();
        }
        let (blocks, lines) = (blocks.finish(), lines.finish());
        prop_assert_eq!(blocks.text(), lines.text());
        prop_assert!(lines.paragraphs().len() <= 1);
        let filled = parts.iter().filter(|part| !part.trim().is_empty()).count();
        prop_assert_eq!(blocks.paragraphs().len(), filled);
    }
}
