#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use bonafide_core::declared::{self, Metadata};
use bonafide_core::verdict::{EvidenceKind, PointsTo, Span};
use bonafide_core::watermark::evidence::{CODE_PRIVATE, CODE_PUBLIC, CODE_WEAK, Mark};
use bonafide_core::watermark::find;
use std::collections::{BTreeMap, BTreeSet};

const WATERMARKS: [&str; 3] = [CODE_PRIVATE, CODE_PUBLIC, CODE_WEAK];

fn read(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// What stands between backticks in the description of each code: its values, and the words that these may be.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let source = read("core/src/declared/messages.rs");
    let list = source.split_once("\ncodes! {").unwrap().1.split_once("\n}").unwrap().0;
    let mut found = BTreeMap::new();
    let mut last: BTreeSet<String> = BTreeSet::new();
    let mut doc = String::new();
    for line in list.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            doc.push_str(more);
        } else if let Some((_, name)) = line.split_once(" = ") {
            let named: BTreeSet<String> = doc.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            if !doc.contains("as above") {
                last = named;
            }
            found.insert(name.trim_matches(['"', ',']).to_owned(), last.clone());
            doc.clear();
        }
    }
    found
}

fn templates_of(code: &str) -> Vec<&'static str> {
    let kind_of =
        |name: &str| name == code || name.strip_prefix(code).is_some_and(|rest| rest.starts_with('.'));
    FINDINGS.iter().filter(|(name, _)| kind_of(name)).map(|(_, template)| *template).collect()
}

#[test]
fn every_code_about_statistics_is_translated() {
    for code in bonafide_core::judge::Code::ALL {
        assert!(statistics(code.as_str(), "code").is_some(), "{}", code.as_str());
    }
}

#[test]
fn every_code_about_labels_is_translated_with_values_that_it_has() {
    let documented = documented();
    for code in declared::Code::ALL.iter().map(|code| code.as_str()) {
        let templates = templates_of(code);
        assert!(!templates.is_empty(), "{code}");
        let values = documented.get(code).unwrap_or_else(|| panic!("{code} is described"));
        for name in templates.into_iter().flat_map(names) {
            assert!(values.contains(name), "{code} has no {name}");
        }
    }
    let values = ["key", "who", "scheme", "p", "one_in", "z", "tokens", "keys"];
    for code in WATERMARKS {
        assert_eq!(templates_of(code).len(), 1, "{code}");
        assert!(templates_of(code).into_iter().flat_map(names).all(|name| values.contains(&name)), "{code}");
    }
}

#[test]
fn every_word_that_a_value_may_be_is_translated() {
    let documented = documented();
    for (code, name) in
        [("hidden_message", "encoding"), ("aigc_generated", "place"), ("c2pa_damaged", "reason")]
    {
        let known = WORDS.iter().filter_map(|(word, _)| word.strip_prefix(name)?.strip_prefix('.'));
        let known: BTreeSet<&str> = known.collect();
        // The rest of what is described are the names of values.
        let values: BTreeSet<&str> =
            ["encoding", "message", "bytes", "producer", "number", "place", "reason"].into();
        let words: BTreeSet<&str> =
            documented[code].iter().map(String::as_str).filter(|word| !values.contains(word)).collect();
        assert_eq!(known, words, "{name}");
    }
    let documented = &documented["label_visible"];
    for extent in ["whole", "part"] {
        assert!(
            documented.contains(extent) && look_up(FINDINGS, &format!("label_visible.{extent}")).is_some()
        );
    }
}

#[test]
fn the_page_says_the_same() {
    let page = read("server/src/http/web/reasons.js");
    for (name, text) in FINDINGS.iter().chain(WORDS) {
        let name = if name.contains('.') { format!("'{name}'") } else { (*name).to_owned() };
        assert!(page.contains(&format!("\n  {name}: '{text}',\n")), "{name}");
    }
}

#[test]
fn texts_with_labels_are_spoken_of_in_chinese() {
    let bits: String = b"hi!"
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .map(|bit| if bit == 1 { '\u{200C}' } else { '\u{200B}' })
        .collect();
    let text = format!(
        "（本文由AI生成）\n\nWords{bits} and more\u{2063} words.\u{2060}\u{2060} See turn0search1 and https://a.example/?utm_source=chatgpt.com \
         for \u{E0001} more, and for the words that a label needs beside itself.\n\n{}",
        r#"{"AIGC":{"Label":"1","ContentProducer":"","ProduceID":"7","ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""}}"#,
    );
    let found = declared::read(&text, &Metadata::default()).evidence;
    let codes: BTreeSet<&str> = found.iter().map(|found| found.code.as_str()).collect();
    for code in ["label_visible", "hidden_message", "hidden_zero_width", "leftover_link", "aigc_generated"] {
        assert!(codes.contains(code), "{code} of {codes:?}");
    }
    for found in &found {
        let said = finding(found).unwrap_or_else(|| panic!("{found:?}"));
        assert!(
            !said.contains(['{', '[', ']']) || found.values.values().any(|value| value.contains(['{', '['])),
            "{said}"
        );
        assert!(!said.contains("（：") && !said.contains("：）") && !said.contains("（）"), "{said}");
    }
}

#[test]
fn watermarks_are_spoken_of_with_and_without_whose_they_are() {
    let finding_of = |p, who, public| {
        let found =
            find::Finding { p, z: 7.25, scored: 100, value: 0.6, expected: 0.25, tokens: 0..100, windows: 1 };
        let span = Span { start: 0, end: 9 };
        let mark = Mark {
            key: "acme",
            who,
            public,
            scheme: "kgw",
            finding: &found,
            keys: 2,
            unweighted: false,
            span,
        };
        finding(&mark.evidence().unwrap()).unwrap()
    };
    assert_eq!(
        finding_of(2.2e-9, Some("Acme"), false),
        "此处带有密钥“acme”（Acme）的水印：在没有水印的文本中，偶然达到这种程度的至多占 2.27 亿分之一（100 个词元，z = 7.2，共试 2 个密钥）。"
    );
    let public = finding_of(1e-40, None, true);
    assert!(
        public.contains("密钥“acme”的水印") && public.contains("10^39 分之一") && public.contains("公开"),
        "{public}"
    );
    assert!(finding_of(1e-5, None, false).starts_with("此处可能带有密钥“acme”的水印"));
}

#[test]
fn shares_are_in_the_units_of_chinese() {
    for (english, chinese) in [
        ("1 in 10000", Some("10000 分之一")),
        ("1 in 4 million", Some("400 万分之一")),
        ("1 in 250 million", Some("2.5 亿分之一")),
        ("1 in 7 billion", Some("70 亿分之一")),
        ("1 in 10^32", Some("10^32 分之一")),
        ("1 in a few", None),
        ("often", None),
    ] {
        assert_eq!(one_in(english).as_deref(), chinese);
    }
}

#[test]
fn words_of_tomorrow_stay_english_and_nothing_is_filled_twice() {
    let make = |code: &str, values: &[(&str, &str)]| Evidence {
        kind: EvidenceKind::Declared,
        code: code.to_owned(),
        strength: 1.0,
        points_to: PointsTo::Neither,
        span: None,
        message: String::new(),
        values: values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    assert_eq!(finding(&make("c2pa_damaged", &[("reason", "of_tomorrow")])), None);
    assert_eq!(finding(&make("label_visible", &[("label", "x"), ("extent", "of_tomorrow")])), None);
    let hostile = finding(&make("label_visible", &[("label", "{extent}[x]"), ("extent", "whole")]));
    assert_eq!(hostile.as_deref(), Some("这段文本自己标明由 AI 生成：“{extent}[x]”。"));
    let bare = [("place", "page"), ("producer", ""), ("number", "7")];
    assert_eq!(
        finding(&make("aigc_generated", &bare)).as_deref(),
        Some(
            "网页中有中国国家标准 GB 45438-2025 规定的机器可读标识，注明内容由模型生成（编号：7）。任何人都可以添加或去掉这种标识。"
        )
    );
}
