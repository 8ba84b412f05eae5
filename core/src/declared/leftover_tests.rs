#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::leftover::{Leftover, Sort, find};
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<(&'static str, bool)> {
    find(text).iter().map(|leftover| (leftover.kind, leftover.quoted)).collect()
}

fn only(text: &str) -> (Leftover, &str) {
    let mut found = find(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let leftover = found.remove(0);
    let matched = &text[leftover.bytes.clone()];
    (leftover, matched)
}

#[test]
fn leftovers_are_found_whole() {
    for (text, kind, matched) in [
        ("The bridge opened in 1932.citeturn0search0", "search_reference", "citeturn0search0"),
        (
            "Opened in 1932 \u{E200}cite\u{E202}turn0search0\u{E201}.",
            "search_reference",
            "\u{E200}cite\u{E202}turn0search0\u{E201}",
        ),
        ("Storms hit turn0news12 the coast.", "search_reference", "turn0news12"),
        ("See iturn0image0turn0image1 here", "search_reference", "iturn0image0"),
        (
            "It grew :contentReference[oaicite:3]{index=3} fast.",
            "content_reference",
            ":contentReference[oaicite:3]{index=3}",
        ),
        ("It grew contentReference[oaicite:12] fast.", "content_reference", "contentReference[oaicite:12]"),
        ("([oai_citation:0‡Site](https://site.example))", "oai_citation", "oai_citation"),
        (
            "Text ({\"attribution\":{\"attributableIndex\":\"1009-1\"}})",
            "attributable_index",
            "({\"attribution\":{\"attributableIndex\":\"1009-1\"",
        ),
        (
            "See https://a.example/b?x=1&utm_source=chatgpt.com for it.",
            "link_source",
            "utm_source=chatgpt.com",
        ),
        ("[1]: https://a.example/?utm_source=openai", "link_source", "utm_source=openai"),
        ("https://a.example/?utm_source=copilot.com.", "link_source", "utm_source=copilot.com"),
        ("https://a.example/?referrer=grok.com", "link_referrer", "referrer=grok.com"),
        ("It opened in 1932. [cite: 1, 22]", "cite_mark", "[cite: 1, 22]"),
        ("[cite_start]It opened in 1932.", "cite_start", "[cite_start]"),
        ("[span_1](start_span)It opened.", "span_mark", "[span_1](start_span)"),
        ("It opened【12†source】 late.", "source_mark", "【12†source】"),
        ("It opened【85†L261-L269】 late.", "source_mark", "【85†L261-L269】"),
        ("Said so.<grok:render card_id=\"a\">", "grok_render", "<grok:render"),
        ("A grok_card stood here", "grok_card", "grok_card"),
        ("He wrote it [attached_file:1].", "attached_file", "[attached_file:1]"),
        ("He wrote it [web:1].", "web_mark", "[web:1]"),
        ("[Download](sandbox:/mnt/data/report.pdf) it", "sandbox_link", "(sandbox:/mnt/data/report.pdf)"),
        (
            "Great pan.\nAs an AI language model, I have not used it.",
            "language_model",
            "As an AI language model, I ",
        ),
    ] {
        let (leftover, found) = only(text);
        assert_eq!((leftover.kind, found, leftover.quoted), (kind, matched, false), "{text}");
        assert!((0.3..=0.6).contains(&leftover.strength));
    }
}

#[test]
fn what_only_looks_alike_is_none() {
    for text in [
        "It's your turn 0 search 0. A return2search4 of turnips; turn0searches; turn1left2; nocturn0search0s",
        "utm_source=newsletter, https://a.example/?utm_source=chatgptfan, utm_source=openai-blog",
        "https://a.example/?utm_source=chatgpt.computer and the plain word utm_source=chatgpt.com",
        "【注意】これは†です。【12】source [cite: Smith] [cite:] [span_a](start_span) [web:about]",
        "contentReference[oaicite:] oai_citations attributableIndex grok_cards my_grok_card",
        "He answered as an AI language model, I think. As an AI language model it fails.",
        "",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn quotations_say_little() {
    for text in [
        "The mark `citeturn0search0` appears.",
        "The mark “citeturn0search0” appears.",
        "The mark \"【12†source】\" appears.",
        "Example:\n```\ncite turn0search0\n```\nEnd.",
        "Example:\n\n    [cite: 1]\n",
        "<code>:contentReference[oaicite:0]{index=0}</code>",
        "ChatGPT leaves turn0search0 in texts.",
        "Texts by chatbots have [cite: 1] in them.",
        "聊天机器人会留下 turn0search0 这样的痕迹。",
    ] {
        let (leftover, _) = only(text);
        assert!(leftover.quoted && leftover.strength <= 0.1, "{text}");
    }
    // One of two is no quotation.
    let (leftover, _) = only("The mark `turn0search0` appears.\nAs did turn0search4 here.");
    assert_eq!((leftover.quoted, leftover.count, leftover.bytes.start), (false, 2, 40));
}

/// As a guide for editors has it.
#[test]
fn a_list_of_leftovers_is_a_list() {
    let guide = "Editors look for turn0search0, for contentReference[oaicite:0], for oai_citation:1 and for \
        [cite: 1]. Links with ?utm_source=openai are another sign, and so is grok_card.";
    let found = find(guide);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|leftover| leftover.quoted));
}

#[test]
fn a_copied_answer_keeps_its_strength() {
    let answer = "The bridge was opened in 1932 and carries eight lanes of traffic.citeturn0search0 It was \
        designed by an engineer of the state ([oai_citation:1‡Roads](https://r.example/?utm_source=chatgpt.com)).";
    assert_eq!(kinds(answer), [("search_reference", false), ("oai_citation", false), ("link_source", false)]);
    assert!(find(answer).iter().any(|leftover| leftover.sort == Sort::Link && leftover.strength == 0.3));
}

proptest! {
    #[test]
    fn any_text_is_read(parts in prop::collection::vec(prop_oneof![
        any::<String>(),
        prop::sample::select(vec!["turn", "0search", "cite", "【1", "†", "】", "[cite:", "]", "utm_source=", "openai", "1", "```\n",
            "<code>", "\u{E200}", "contentReference[oaicite:", "{index=", "}", "[span_", "](start_span)"]).prop_map(str::to_owned),
    ], 0..30)) {
        let text = parts.concat();
        for leftover in find(&text) {
            prop_assert!(text.get(leftover.bytes.clone()).is_some_and(|found| !found.is_empty()));
            prop_assert!(leftover.count > 0 && leftover.strength > 0.0 && leftover.strength <= 0.6);
        }
    }

    #[test]
    fn prose_leaves_nothing(text in "([A-Za-z]{1,9}[ ,.;:!?\\n-]{1,2}|[0-9]{1,4} |\"|\\()*") {
        prop_assert_eq!(find(&text), vec![]);
    }
}
