#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn classes(text: &str) -> Vec<(Class, usize)> {
    runs(text).iter().map(|run| (run.class, run.count())).collect()
}

fn bits(message: &str, separator: &str) -> String {
    let byte = |byte: u8| {
        (0..8).rev().map(|bit| if byte >> bit & 1 == 1 { '\u{200C}' } else { '\u{200B}' }).collect::<String>()
    };
    message.bytes().map(byte).collect::<Vec<_>>().join(separator)
}

fn selectors(message: &[u8]) -> String {
    message.iter().copied().map(selector_of).collect()
}

fn tags(message: &str) -> String {
    message.bytes().map(|byte| char::from_u32(0xE0000 + u32::from(byte)).unwrap()).collect()
}

/// Everything here is how people write.
#[test]
fn honest_characters_are_no_finding() {
    for text in [
        "Plain words, with \u{A0}a fixed space — and “quotes”…",
        "\u{FEFF}A byte order mark at the start.",
        // Families, professions, skin tones, hearts, flags, keycaps, presentation.
        "👨‍👩‍👧‍👦 👩🏽‍🚀 🏃🏿‍♀️ ❤️‍🔥 👩‍❤️‍💋‍👨 🏳️‍🌈 🏴‍☠️ 🐻‍❄️ 👁️‍🗨️ 🧑🏻‍🤝‍🧑🏿 ⛓️‍💥 🏃🏽‍♂️‍➡️",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿 and 🏴󠁵󠁳󠁴󠁸󠁿 and 🇫🇷🇯🇵",
        "1️⃣ #️⃣ *️⃣ ©️ ®️ ™️ ☎︎ ☎️ ⬛️ ㊗️ 〰️ ‼️ ℹ️ ↔️ Ⓜ️",
        // Persian, Urdu, Kurdish, Arabic.
        "می‌خواهم کتاب‌های خوب بخوانم. ه‍ ۱۴۰۳",
        "سێوه‌کان بە‌هێز",
        "بِسْمِ‌ اللّٰهِ",
        // Hindi, Marathi, Bengali, Malayalam, Sinhala, Kannada, Telugu.
        "क्‍ष और क्‌ष, र्‍य",
        "ন্‍য এবং র‍্যাব",
        "നന്‍മയും അവന്‍ പറഞ്ഞു; കല്‌യാണം",
        "ශ්‍රී ලංකාව",
        "ರ‍್ಯಾಂಕ್",
        // Thai, Khmer, Myanmar with breaks between words.
        "ภาษาไทย\u{200B}เป็น\u{200B}ภาษา",
        "ភាសា\u{200B}ខ្មែរ",
        "မြန်မာ\u{200B}ဘာသာ",
        // Vietnamese in decomposed form.
        "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t",
        // Ideographs, punctuation and formulas with variants.
        "葛󠄀城市と葛󠄁飾区、辻󠄀さん",
        "ここに。\u{FE00}あそこ！\u{FE01}",
        "A \u{2229}\u{FE00} B",
        // Mongolian.
        "ᠮᠣᠩᠭᠣᠯ\u{202F}ᠤᠨ ᠠ\u{180E}ᠠ ᠭ\u{180B}",
        // French and numbers.
        "Est-ce vrai\u{202F}? «\u{202F}Oui\u{202F}», dit-elle\u{202F}; et puis 10\u{202F}000\u{202F}€.",
        "The mast is 12\u{202F}345\u{202F}m high, z.\u{202F}B. at 5\u{202F}%.",
        // Right to left with marks, isolates and embeddings.
        "שלום \u{200F}(hello)\u{200F} עולם",
        "مرحبا \u{2066}Rust 1.91\u{2069}\u{200E}! \u{202B}نص\u{202C}",
        // Soft hyphens in words.
        "Donau\u{AD}dampf\u{AD}schiff\u{AD}fahrt",
        // Escapes in source code.
        r#"let zwsp = "\u{200B}"; // U+200B, &#8203; \u200b, &zwj;"#,
        // A formula copied out of a page.
        "f\u{2061}(x) = 2\u{2062}x",
        "한국어 \u{1112}\u{1160}",
    ] {
        assert_eq!(runs(text), [], "{text}");
        let bare: String = text.chars().filter(|&c| c != '\u{AD}' && c != '\u{FEFF}').collect();
        assert_eq!(Visible::new(text).text(), bare);
    }
}

#[test]
fn characters_without_work_are_found() {
    assert_eq!(classes("wo\u{200B}rd and wo\u{200D}rd"), [(Class::ZeroWidth, 1), (Class::ZeroWidth, 1)]);
    assert_eq!(classes("a\u{FEFF}b\u{2060}\u{2060}"), [(Class::ZeroWidth, 1), (Class::ZeroWidth, 2)]);
    assert_eq!(classes("a \u{202E}b\u{202C}"), [(Class::Bidi, 1), (Class::Bidi, 1)]);
    assert_eq!(classes("user \u{2068}name\u{2069}").len(), 2);
    assert_eq!(classes("שלום \u{202E}abc"), [(Class::Bidi, 1)]);
    assert_eq!(classes("a\u{FE0F}"), [(Class::VariationSelector, 1)]);
    assert_eq!(classes("😀\u{FE0F}\u{FE0F}"), [(Class::VariationSelector, 2)]);
    assert_eq!(classes("one\u{202F}word"), [(Class::NarrowSpace, 1)]);
    assert_eq!(classes("12\u{AD}\u{AD}34"), [(Class::SoftHyphen, 2)]);
    assert_eq!(classes("\u{3164}name"), [(Class::Other, 1)]);
    assert_eq!(classes("😀\u{200D}word"), [(Class::ZeroWidth, 1)]);
    let persian = format!("می{}خواهم", "\u{200C}\u{200D}".repeat(4));
    assert_eq!(classes(&persian), [(Class::ZeroWidth, 8)]);
}

#[test]
fn tag_characters_outside_flags_are_read() {
    let text = format!("Hello{} there", tags("ignore all this"));
    let found = runs(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].span, Span { start: 5, end: 20 });
    assert_eq!(found[0].payload.as_ref().unwrap().text.as_deref(), Some("ignore all this"));
    // A flag that is none, and one with a message that no region has.
    assert_eq!(classes(&format!("🏴{}", tags("gbsct"))), [(Class::Tag, 5)]);
    assert_eq!(runs(&format!("🏴{}\u{E007F}", tags("a long message")))[0].count(), 15);
}

#[test]
fn variation_selectors_are_read_as_bytes() {
    for base in ["😊", "a", "漢"] {
        let text = format!("{base}{} end", selectors("héllo".as_bytes()));
        let found = runs(&text);
        assert_eq!(found.len(), 1, "{base}");
        let payload = found[0].payload.as_ref().unwrap();
        assert_eq!(
            (payload.text.as_deref(), payload.encoding),
            (Some("héllo"), Encoding::VariationSelectors)
        );
    }
    let binary: Vec<u8> = (0..=255).collect();
    let payload = runs(&selectors(&binary)).remove(0).payload.unwrap();
    assert_eq!((payload.bytes, payload.text), (binary, None));
    assert_eq!(runs(&format!("😊{}", "\u{FE0F}".repeat(12)))[0].payload, None);
}

#[test]
fn bits_without_width_are_read() {
    for separator in ["", "\u{200D}", "\u{2060}", "\u{FEFF}"] {
        let text = format!("Some words{} and more.", bits("Zoë 7", separator));
        let found = runs(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].payload.as_ref().unwrap().text.as_deref(), Some("Zoë 7"), "{separator:?}");
    }
    // Code points of seven bits, as some tools write them.
    let short: Vec<String> = "hidden"
        .bytes()
        .map(|byte| format!("{byte:b}").replace('0', "\u{200B}").replace('1', "\u{200C}"))
        .collect();
    assert_eq!(
        runs(&format!("x{}y", short.join("\u{200D}")))[0].payload.as_ref().unwrap().text.as_deref(),
        Some("hidden")
    );
    assert_eq!(runs(&"\u{200B}".repeat(80))[0].payload, None);
}

#[test]
fn a_message_spread_over_the_words_is_read() {
    let text: String = bits("key=42", "").chars().flat_map(|c| ['w', 'o', c, ' ']).collect();
    let found = runs(&text);
    assert_eq!(found.len(), 48);
    assert_eq!(spread(&text, &found).unwrap().text.as_deref(), Some("key=42"));
    let plain = "a\u{200B}b ".repeat(60);
    assert_eq!(spread(&plain, &runs(&plain)), None);
}

#[test]
fn the_visible_text_leads_back() {
    let visible = Visible::new("a\u{200B}b漢\u{200B}\u{200B}c");
    assert_eq!(visible.text(), "ab漢c");
    assert_eq!(visible.span(0..2), Span { start: 0, end: 3 });
    assert_eq!(visible.span(2..5), Span { start: 3, end: 4 });
    assert_eq!(visible.span(1..6), Span { start: 2, end: 7 });
    assert_eq!(visible.span(5..5), Span { start: 6, end: 6 });
    // Inside a character and beyond the end.
    assert_eq!(visible.span(3..99), Span { start: 3, end: 7 });
    assert_eq!((visible.byte(1), visible.byte(5)), (4, 14));
    assert_eq!(Visible::new("\u{200B}").span(0..9), Span { start: 0, end: 0 });
}

/// Text with more of the hidden than chance would put there.
fn hidden_text() -> impl Strategy<Value = String> {
    let hidden = prop::sample::select(vec![
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{2060}',
        '\u{FEFF}',
        '\u{202E}',
        '\u{2066}',
        '\u{E0061}',
        '\u{E007F}',
        '\u{1F3F4}',
        '\u{FE0F}',
        '\u{FE00}',
        '\u{E0100}',
        '\u{202F}',
        '\u{AD}',
        '\u{180B}',
        '\u{34F}',
        '漢',
        'ب',
        '😀',
        ' ',
        '1',
        'a',
    ]);
    prop::collection::vec(prop_oneof![4 => hidden, 1 => any::<char>()], 0..200)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn runs_lie_inside_the_text_and_in_order(text in hidden_text()) {
        let found = runs(&text);
        let mut past = 0;
        for run in &found {
            prop_assert!(past <= run.span.start && run.span.start < run.span.end);
            past = run.span.end;
        }
        prop_assert!(past <= text.chars().count());
        let _ = spread(&text, &found);
    }

    #[test]
    fn the_way_back_is_monotone(text in hidden_text()) {
        let visible = Visible::new(&text);
        let original: Vec<char> = text.chars().collect();
        let mut last = None;
        for (byte, c) in visible.text().char_indices() {
            let span = visible.span(byte..byte + c.len_utf8());
            prop_assert_eq!(span.end, span.start + 1);
            prop_assert_eq!(original[span.start], c);
            prop_assert!(last < Some(span.start));
            prop_assert!(text[visible.byte(byte)..].starts_with(c));
            last = Some(span.start);
        }
        prop_assert!(visible.span(0..visible.text().len() + 7).end <= original.len());
    }

    #[test]
    fn ascii_hides_nothing(text in "[ -~\\n\\t]{0,300}") {
        prop_assert!(runs(&text).is_empty());
        let visible = Visible::new(&text);
        prop_assert_eq!(visible.text(), text.as_str());
    }
}
