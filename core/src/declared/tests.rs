#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::c2pa::tests::store;
use super::*;
use crate::verdict::PointsTo;
use proptest::prelude::*;

const PROSE: &str = "The bus was late again, so I walked. Halfway down the hill my left shoe gave up, and I went on in my socks, singing.";

fn codes(text: &str) -> Vec<String> {
    read(text, &Metadata::default()).evidence.into_iter().map(|evidence| evidence.code).collect()
}

fn generated() -> Aigc {
    Aigc { label: "1".into(), content_producer: "001".into(), produce_id: "42".into(), ..Aigc::default() }
}

#[test]
fn prose_declares_nothing() {
    assert_eq!(read(PROSE, &Metadata::default()), Declared::default());
    assert_eq!(read("", &Metadata::default()), Declared::default());
}

#[test]
fn manifests_are_provenance_and_no_hidden_characters() {
    let with = |store: &[u8]| format!("{PROSE}{}", c2pa::wrap(store).unwrap());
    let read = |store: &[u8]| read(&with(store), &Metadata::default());
    let ai = read(&store("trainedAlgorithmicMedia"));
    assert_eq!(
        (ai.declares_ai, ai.evidence.len(), ai.evidence[0].code.as_str()),
        (true, 1, "c2pa_generated")
    );
    assert!(ai.evidence[0].message.contains("signature"));
    for (term, code) in
        [("humanEdits", "c2pa_other"), ("digitalCapture", "c2pa_other"), ("none", "c2pa_manifest")]
    {
        let human = read(&store(term));
        assert_eq!((human.declares_ai, human.evidence.len()), (false, 1));
        assert_eq!((human.evidence[0].code.as_str(), human.evidence[0].points_to), (code, PointsTo::Neither));
    }
    let composite = read(&store("compositeSynthetic"));
    assert_eq!((composite.declares_ai, composite.evidence[0].code.as_str()), (false, "c2pa_composite"));
    assert_eq!((composite.evidence[0].strength, composite.evidence[0].points_to), (0.5, PointsTo::Neither));
    assert_eq!(read(b"no store").evidence[0].values["reason"], "not_a_store");
    // A wrapper that opens the text is no byte order mark.
    assert_eq!(codes(&c2pa::wrap(&store("print")).unwrap()), ["c2pa_other"]);
}

#[test]
fn source_types_in_a_manifest_must_agree() {
    let two = |one: &str, other: &str| {
        let mut inside = store(one)[8..].to_vec();
        inside.extend_from_slice(&store(other)[8..]);
        let mut both = u32::try_from(inside.len() + 8).unwrap().to_be_bytes().to_vec();
        both.extend(b"jumb");
        both.extend(inside);
        read(&format!("{PROSE}{}", c2pa::wrap(&both).unwrap()), &Metadata::default())
    };
    assert!(two("trainedAlgorithmicMedia", "trainedAlgorithmicMedia").declares_ai);
    for other in ["humanEdits", "digitalCapture", "compositeSynthetic"] {
        let found = two("trainedAlgorithmicMedia", other);
        assert_eq!((found.declares_ai, found.evidence[0].code.as_str()), (false, "c2pa_unclear"), "{other}");
        assert_eq!((found.evidence[0].strength, found.evidence[0].points_to), (0.2, PointsTo::Neither));
    }
}

#[test]
fn a_hidden_label_declares_at_an_edge() {
    let hidden: String = generated().json().bytes().map(crate::text::hidden::selector_of).collect();
    let found = read(&format!("{PROSE} 😊{hidden}"), &Metadata::default());
    assert!(found.declares_ai);
    assert_eq!(found.evidence[0].values["place"], "hidden");
    assert_eq!(found.evidence[1].code, "hidden_message");
    let inside = read(&format!("{PROSE} 😊{hidden} {PROSE}"), &Metadata::default());
    let found: Vec<&str> = inside.evidence.iter().map(|found| found.code.as_str()).collect();
    assert_eq!((inside.declares_ai, found), (false, vec!["hidden_message", "aigc_inside"]));
    assert!(read(&format!("{hidden}{PROSE}"), &Metadata::default()).declares_ai);
}

#[test]
fn hidden_characters_are_counted_by_class() {
    let text = "a\u{200B}b c\u{200B}d e\u{202F}f \u{2068}g\u{2069} 12\u{AD}";
    let found = read(text, &Metadata::default());
    assert!(!found.declares_ai);
    let counts: Vec<(&str, &str)> = found
        .evidence
        .iter()
        .map(|evidence| (evidence.code.as_str(), evidence.values["count"].as_str()))
        .collect();
    assert_eq!(
        counts,
        [
            ("hidden_zero_width", "2"),
            ("hidden_bidi", "2"),
            ("hidden_narrow_spaces", "1"),
            ("hidden_soft_hyphens", "1")
        ]
    );
    assert_eq!(found.evidence[0].span, Some(Span { start: 1, end: 2 }));
    assert_eq!(codes(&format!("a{}b", "\u{2064}\u{2061}".repeat(20))), ["hidden_run"]);
}

#[test]
fn only_certain_labels_declare() {
    let field = |label: &str| {
        let aigc = Aigc { label: label.into(), ..generated() };
        read(PROSE, &Metadata { meta: vec![("AIGC".into(), aigc.json())], json_ld: vec![] })
    };
    for (label, code, declares) in
        [("1", "aigc_generated", true), ("2", "aigc_possible", false), ("3", "aigc_suspected", false)]
    {
        let found = field(label);
        assert_eq!((found.evidence[0].code.as_str(), found.declares_ai), (code, declares));
    }
    assert_eq!(field("value1"), Declared::default());
    let article = format!(
        "GB 45438 wants a field `{}` in files, and 本文由AI生成 or the like in texts.",
        generated().json()
    );
    assert_eq!(codes(&article), ["aigc_inside"]);
}

/// Two articles by people, one about leftovers and one about labels.
#[test]
fn articles_about_the_matter_weigh_next_to_nothing() {
    for article in [
        "How ChatGPT gives itself away. Look for “turn0search0”, for :contentReference[oaicite:0]{index=0} and for links that end in \
         ?utm_source=chatgpt.com. Gemini leaves [cite: 1] and [span_1](start_span). Some even paste: “As an AI language model, I cannot”.",
        "《人工智能生成合成内容标识办法》要求在文本的起始、末尾或者中间适当位置添加文字提示，例如“本文由AI生成”或者“人工智能合成”。文件元数据中应当包含\
         {\"AIGC\":{\"Label\":\"1\",\"ContentProducer\":\"00119111\"}}这样的字段，其中1表示属于人工智能生成合成内容。标识示例：\n\n（本文由AI生成）\n\n以上便是全部要求。",
        "IPTC's term http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia marks generated pictures. A text manifest \
         begins with -----BEGIN C2PA MANIFEST----- and ends with -----END C2PA MANIFEST-----.",
    ] {
        let found = read(article, &Metadata::default());
        assert!(!found.declares_ai);
        assert!(found.evidence.iter().all(|evidence| evidence.strength <= 0.2), "{:?}", found.evidence);
        assert!(found.evidence.iter().all(|evidence| evidence.points_to == PointsTo::Neither));
    }
}

#[test]
fn marks_stand_where_they_should_and_only_once() {
    let marks = Marks {
        visible: Some(Language::Chinese),
        metadata: Some(generated()),
        manifest: Some(store("trainedAlgorithmicMedia")),
    };
    let marked = mark(PROSE, &marks);
    assert!(marked.starts_with("---\nAIGC:\n  Label: \"1\"\n  ContentProducer: \"001\"\n"));
    assert!(marked.contains("---\n（本文由AI生成）\n\nThe bus"));
    assert_eq!(mark(&marked, &marks), marked);
    assert_eq!(codes(&marked), ["c2pa_generated", "label_visible", "aigc_generated"]);
    // New values replace the old ones.
    let other = Marks { metadata: Some(Aigc { produce_id: "43".into(), ..generated() }), ..Marks::default() };
    let again = mark(&marked, &other);
    assert_eq!(aigc::find(&again).len(), 1);
    assert_eq!(aigc::find(&again)[0].aigc.produce_id, "43");
    // A label in the last line may be somebody else's.
    let below = format!("{PROSE}\n\n（本文由AI生成）");
    let visible = Marks { visible: Some(Language::Chinese), ..Marks::default() };
    assert_eq!(mark(&below, &visible), format!("（本文由AI生成）\n\n{below}"));
    // A text with front matter keeps it.
    let page = mark("---\ntitle: Bus\n---\nText", &marks);
    assert!(page.contains("title: Bus\n---\n（本文由AI生成）\n\nText"), "{page}");
    assert_eq!(mark("Text", &Marks::default()), "Text");
}

#[test]
fn a_piece_declares_nothing() {
    let marks = Marks {
        visible: Some(Language::English),
        metadata: Some(generated()),
        manifest: Some(store("trainedAlgorithmicMedia")),
    };
    let hidden: String = generated().json().bytes().map(crate::text::hidden::selector_of).collect();
    for text in [
        mark(PROSE, &marks),
        format!("（本文由AI生成）\n\n{PROSE}"),
        format!("{PROSE}\n\n(This text was generated by AI)"),
        format!("{PROSE}\n\n(This text was generated by AI and reviewed by an editor)"),
        format!("{PROSE}\n\nAI-generated"),
        format!("{PROSE}\n\n{}", generated().json()),
        format!("{PROSE}\n\n{{\"AIGC\":{{\"Label\":\"1\"}}}}"),
        format!("---\n{}---\n{PROSE}", generated().front_matter()),
        format!("{PROSE}{hidden}"),
    ] {
        let found = read_part(&text);
        assert!(!found.declares_ai && !found.evidence.is_empty(), "{text}");
        for evidence in found.evidence.iter().filter(|found| found.kind == EvidenceKind::Declared) {
            assert!(evidence.strength <= 0.2 && evidence.points_to == PointsTo::Neither, "{evidence:?}");
        }
    }
    // The rest is as in a whole text.
    for text in ["Go to https://a.example/?utm_source=chatgpt.com now.", "a\u{200B}b", PROSE] {
        assert_eq!(read_part(text), read(text, &Metadata::default()));
    }
}

#[test]
fn what_speaks_for_all_pieces_has_no_place() {
    let codes = |text: &str, metadata: &Metadata| -> Vec<String> {
        let found = speaks_for_all(text, metadata);
        assert_eq!(found.declares_ai, !found.evidence.is_empty());
        assert!(found.evidence.iter().all(|found| found.span.is_none()));
        found.evidence.into_iter().map(|found| found.code).collect()
    };
    let none = Metadata::default();
    let marks = Marks {
        visible: Some(Language::English),
        metadata: Some(generated()),
        manifest: Some(store("trainedAlgorithmicMedia")),
    };
    assert_eq!(codes(&mark(PROSE, &marks), &none), ["c2pa_generated", "label_visible", "aigc_generated"]);
    let disclosed = Metadata { meta: vec![("ai-disclosure".into(), "ai-generated".into())], json_ld: vec![] };
    assert_eq!(codes("", &disclosed), ["page_disclosure"]);
    let hidden: String = generated().json().bytes().map(crate::text::hidden::selector_of).collect();
    let generator = Metadata { meta: vec![("generator".into(), "ChatGPT".into())], json_ld: vec![] };
    for text in [
        format!("{PROSE}\n\n(This text was generated by AI)"),
        format!("AI-generated\n\n{PROSE}"),
        format!("{PROSE}\n\n{}", generated().json()),
        format!("{PROSE}{hidden}"),
        format!("{PROSE}{}{PROSE}", c2pa::wrap(&store("trainedAlgorithmicMedia")).unwrap()),
        PROSE.to_owned(),
    ] {
        assert!(codes(&text, &generator).is_empty(), "{text}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        3 => any::<String>(),
        2 => "[ -~]{0,30}",
        2 => prop::sample::select(vec![
            "---\n", "AIGC:\n  Label: '2'\n", "AI生成", "\n", "```\n", "\u{FEFF}", "\u{FE00}", "\u{E0133}", "\u{200B}", ": ",
            "(This text was generated by AI)", "{\"AIGC\":{\"Label\":\"1\"}}", "turn0search0", "-----BEGIN C2PA MANIFEST-----", "\r\n",
            "\u{202F}",
        ]).prop_map(str::to_owned),
        1 => Just(c2pa::wrap(&store("humanEdits")).unwrap()),
    ];
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn what_is_marked_is_declared(text in texts(), visible in 0..3_u8, metadata: bool, manifest: bool) {
        prop_assume!(visible > 0 || metadata || manifest);
        let marks = Marks {
            visible: [None, Some(Language::Chinese), Some(Language::English)][usize::from(visible)],
            metadata: metadata.then(generated),
            manifest: manifest.then(|| store("trainedAlgorithmicMedia")),
        };
        let marked = mark(&text, &marks);
        prop_assert_eq!(mark(&marked, &marks), marked);
        // In an open block of code a manifest is an example.
        prop_assume!(visible > 0 || metadata || !text.contains("```") && !text.contains("~~~"));
        let marked = mark(&format!("{text}\n{PROSE}"), &marks);
        prop_assert!(read(&marked, &Metadata::default()).declares_ai, "{:?}", marked);
        prop_assert!(speaks_for_all(&marked, &Metadata::default()).declares_ai, "{:?}", marked);
        prop_assert!(!read_part(&marked).declares_ai, "{:?}", marked);
    }

    #[test]
    fn spans_lie_inside_the_text(text in texts()) {
        let length = text.chars().count();
        for evidence in read(&text, &Metadata::default()).evidence {
            let span = evidence.span.unwrap();
            prop_assert!(span.start < span.end && span.end <= length);
            prop_assert!((0.0..=1.0).contains(&evidence.strength));
        }
    }

    #[test]
    fn ascii_prose_gives_nothing(text in "([A-Za-z]{1,9}[ ,.;:!?\\n'-]{1,2}|[0-9]{1,4} |\"|\\()*") {
        prop_assert_eq!(codes(&text), Vec::<String>::new());
    }
}
