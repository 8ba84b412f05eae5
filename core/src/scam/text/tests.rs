#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn watch() -> Watch {
    let mut watch = Watch::default();
    ["telegram", "whatsapp", "usdt"].iter().for_each(|word| watch.add(word));
    watch
}

fn read(text: &str) -> Tokens {
    Tokens::of(text, &watch())
}

fn words(text: &str) -> Vec<String> {
    let tokens = read(text);
    tokens.tokens.iter().map(|token| tokens.word(token).to_owned()).collect()
}

#[test]
fn a_message_is_cut_into_what_means_something() {
    assert_eq!(words("Hi, it's 5pm!"), ["hi", "it", "s", "5pm"]);
    assert_eq!(words("加微信abc123"), ["加", "微", "信", "abc123"]);
    assert_eq!(words("ＵＳＤＴ　Café"), ["usdt", "cafe"]);
    assert_eq!(words("轉帳給老師"), ["转", "帐", "给", "老", "师"]);
    assert_eq!(words("see https://a.example/b?c=1."), ["see", "https://a.example/b?c=1"]);
    assert_eq!(words("20% of 500usdt"), ["20", "percent", "of", "500", "usdt"]);
    assert_eq!(words("ok 👍🏽 ❤️"), ["ok", "👍", "🏽", "❤"]);
}

#[test]
fn numbers_are_of_three_sorts() {
    let kinds = |text: &str| read(text).tokens.iter().map(|token| token.kind).collect::<Vec<_>>();
    assert_eq!(kinds("3.5 or 1,000, 12:30"), [Kind::Number, Kind::Word, Kind::Number, Kind::Number]);
    assert_eq!(kinds("+44 20 7946 0958"), [Kind::Long]);
    assert_eq!(kinds("13800000000"), [Kind::Long]);
    assert_eq!(kinds("10 and 20 and 30").iter().filter(|kind| **kind == Kind::Number).count(), 3);
    assert!(read("$ 500").tokens[0].currency && !read("500").tokens[0].currency);
}

#[test]
fn disguises_are_undone_and_noted() {
    for (text, how) in [
        ("t e l e g r a m", Evasion::Spelling),
        ("t.e.l.e.g.r.a.m", Evasion::Spelling),
        ("te1egr4m", Evasion::Spelling),
        ("wh@tsapp", Evasion::Spelling),
        ("tele\u{200B}gram", Evasion::Invisible),
        ("tеlеgram", Evasion::Homoglyph),
        ("𝐭𝐞𝐥𝐞𝐠𝐫𝐚𝐦", Evasion::Homoglyph),
    ] {
        let tokens = read(text);
        let word = tokens.word(&tokens.tokens[0]);
        assert!(["telegram", "whatsapp"].contains(&word) && tokens.tokens.len() == 1, "{text}: {word}");
        assert_eq!(tokens.evasions.iter().map(|(how, _)| *how).collect::<Vec<_>>(), [how], "{text}");
    }
}

#[test]
fn honest_writing_is_no_disguise() {
    for text in [
        "телеграм",
        "Привет, как дела?",
        "Ελλάδα",
        "a b c d",
        "i am a fan of u",
        "👨‍👩‍👧 family",
        "می‌خواهم",
        "2nd 4k h2o",
        "mañana",
        "e.g. i.e.",
        "WhatsApp",
        "ok\u{FE0F}",
        "\u{FEFF}hello",
    ] {
        assert!(read(text).evasions.is_empty(), "{text}: {:?}", read(text).evasions);
    }
}

#[test]
fn sentences_and_quotations_are_known() {
    let tokens = read("one. two\nthree? \"four five\" six");
    let at: Vec<(u32, bool)> = tokens.tokens.iter().map(|token| (token.sentence, token.quoted)).collect();
    assert_eq!(at, [(0, false), (1, false), (2, false), (3, true), (3, true), (3, false)]);
    assert!(read("> quoted\nnot").tokens[0].quoted);
    assert!(!read("it's 5\" wide").tokens[2].quoted);
}

proptest! {
    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        let tokens = read(&text);
        let count = text.chars().count();
        for token in &tokens.tokens {
            prop_assert!(token.span.start < token.span.end && token.span.end <= count);
            prop_assert!(tokens.text.get(token.text.clone()).is_some());
        }
        for (_, span) in &tokens.evasions {
            prop_assert!(span.end <= count);
        }
    }

    #[test]
    fn letters_of_all_sorts_can_be_read(text in "[a-z0-9 .@$!微信加\u{200B}\u{430}\u{1D41A}:/-]{0,60}") {
        let tokens = read(&text);
        let count = text.chars().count();
        prop_assert!(tokens.tokens.iter().all(|token| token.span.end <= count));
    }
}
