#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

fn texts(blocks: Result<Vec<Block>, DocumentError>) -> Vec<String> {
    blocks.unwrap().into_iter().map(|block| block.text).collect()
}

fn long(word: &str) -> String {
    format!("{word} {}", "the quick brown fox jumps over the lazy dog and runs away. ".repeat(8).trim())
}

#[test]
fn plain_text_is_cut_at_empty_lines() {
    assert_eq!(texts(text_blocks("\u{feff}One.\r\nTwo.\r\n \r\nThree.")), ["One.\nTwo.\n\nThree."]);
    assert_eq!(texts(text_blocks(&format!("{}\n\n{}\n\n{}", long("a"), long("b"), long("c")))).len(), 2);
    assert!(matches!(text_blocks(" \n\t\n"), Err(DocumentError::Empty)));
}

#[test]
fn markdown_keeps_prose_and_leaves_out_code_tables_and_front_matter() {
    let markdown = "---\ntitle: secret\n---\n# A *title*\n\nSee [the `guide`](https://example.org/x) first.\n\
                    Second line.\n\n```rust\nfn main() {}\n```\n\n| a | b |\n|---|---|\n| cell | cell |\n\n\
                    - one\n- two\n\n> A quotation.\n\n<p align=\"center\">Inline <b>HTML</b></p>\n\n## End\n\nDone.[^1]\n";
    assert_eq!(
        texts(markdown_blocks(markdown)),
        [
            "A title",
            "See the guide first. Second line.\n\none\ntwo\n\nA quotation.\n\nInline HTML",
            "End",
            "Done.[^1]"
        ]
    );
}

#[test]
fn hidden_parts_menus_and_code_of_a_page_are_left_out() {
    let html = format!(
        "<!doctype html><title>t</title><body><nav>Menu entry</nav><main><h1>Head</h1><p>{}<p hidden>no</p>\
         <p style='Display : NONE'>no</p><div aria-hidden=true>no</div><pre>no</pre><script>no</script>\
         <noscript>no</noscript><p>One<br>two<br><br>three &amp; <code>four</code></p></main><footer>Foot</footer>",
        long("Alpha")
    );
    let blocks = texts(html_blocks(&html, Some("https://example.org/page")));
    let all = blocks.join("|");
    assert!(all.contains("One\ntwo\n\nthree & four"), "{all}");
    assert!(all.starts_with("Head|Alpha the quick"), "{all}");
    for word in ["no", "Menu", "Foot"] {
        assert!(!all.split(|c: char| !c.is_alphabetic()).any(|part| part == word), "{word}: {all}");
    }
}

#[test]
fn a_fragment_without_main_content_is_taken_whole() {
    assert_eq!(texts(html_blocks("<p>Hello <b>wor</b>ld</p><p>Bye", None)), ["Hello world\n\nBye"]);
    assert_eq!(texts(html_blocks("no tags at all", None)), ["no tags at all"]);
    assert_eq!(texts(html_blocks("<h2>Only a heading</h2>", Some("not a url"))), ["Only a heading"]);
    assert!(matches!(html_blocks("<pre>x = 1</pre><img src=x>", None), Err(DocumentError::Empty)));
}

#[test]
fn every_post_of_several_is_a_block_of_its_own() {
    let html = format!(
        "<body><article><header>Ann</header><p>{}</p></article><article><p>{}</p></article><article>{}</article>",
        long("First"),
        long("Second"),
        "Third and short, but long enough to count as a sentence of prose, I think."
    );
    let blocks = texts(html_blocks(&html, None));
    assert_eq!(blocks.len(), 3, "{blocks:#?}");
    assert!(blocks[0].contains("First") && blocks[1].starts_with("Second") && blocks[2].starts_with("Third"));
}

#[test]
fn tables_of_data_are_left_out_and_tables_of_prose_are_kept() {
    let html = format!("<table><tr><td>12</td><td>kg</td></tr><tr><td>{}</td></tr></table>", long("Prose"));
    assert_eq!(texts(html_blocks(&html, None)), [long("Prose")]);
}

#[test]
fn footnote_marks_and_ruby_readings_are_left_out() {
    let html = "<p>Water<sup class=reference><a>[1]</a></sup> is wet. <ruby>漢<rt>kan</rt></ruby></p>";
    assert_eq!(texts(html_blocks(html, None)), ["Water is wet. 漢"]);
}

#[test]
fn deep_nesting_is_refused_and_wide_pages_are_not() {
    for tag in
        ["div", "b", "span", "blockquote", "ul><li", "a><p", "svg><g", "object><p", "template", "font size=1"]
    {
        let html = format!("<{tag}>").repeat(100_000) + "text";
        let error = html_blocks(&html, None).unwrap_err();
        assert!(
            matches!(error, DocumentError::TooDeep { .. } | DocumentError::TooComplex { .. }),
            "{tag}: {error}"
        );
    }
    assert!(matches!(
        markdown_blocks(&"> ".repeat(100_000)),
        Err(DocumentError::TooDeep { .. }) | Err(DocumentError::Empty)
    ));
    let nested = "<div>".repeat(400) + "<p>Still read.</p>" + &"</div>".repeat(400);
    assert_eq!(texts(html_blocks(&nested, None)), ["Still read."]);
    let wide = "<p>A line of this page.</p>\n".repeat(5000);
    assert!(html_blocks(&wide, None).unwrap().len() > 50);
}

#[test]
fn formatting_that_multiplies_elements_is_refused() {
    let opened: String = (0..400).map(|i| format!("<b id=x{i}>")).collect();
    let html = "<p>".to_owned() + &opened + &"<p>a".repeat(100_000);
    assert!(matches!(
        html_blocks(&html, None),
        Err(DocumentError::TooComplex { .. } | DocumentError::TooDeep { .. })
    ));
}

#[test]
fn too_much_text_is_refused() {
    let text = "word ".repeat(MAX_CHARS / 4);
    assert!(matches!(text_blocks(&text), Err(DocumentError::TooMuchText { .. })));
}

#[test]
fn hostile_but_small_texts_are_read() {
    for text in ["😀😀😀", "مرحبا بالعالم", "\u{202e}abc", "aaaa", "\u{0}x", "<", "&", "#", "[](", "|", "```"]
    {
        let _ = text_blocks(text).unwrap();
        let _ = markdown_blocks(text);
        let _ = html_blocks(text, None);
    }
    let word = "a".repeat(500_000);
    assert_eq!(texts(text_blocks(&word)), [word.as_str()]);
}

fn soup() -> impl Strategy<Value = String> {
    let tags = [
        "a",
        "b",
        "p",
        "div",
        "table",
        "tr",
        "td",
        "li",
        "ul",
        "svg",
        "math",
        "mi",
        "template",
        "select",
        "option",
        "h1",
        "article",
        "form",
        "button",
        "body",
        "html",
        "head",
        "title",
        "textarea",
        "script",
        "style",
        "frameset",
        "br",
        "hr",
        "sup",
        "code",
        "font",
        "object",
        "nobr",
        "foreignObject",
        "ruby",
    ];
    let tag = proptest::sample::select(tags.to_vec());
    let part = prop_oneof![
        tag.clone().prop_map(|tag| format!("<{tag}>")),
        tag.clone().prop_map(|tag| format!("</{tag}>")),
        (tag, "[a-z]{1,6}=\"?[a-z:; ]{0,12}\"?").prop_map(|(tag, attribute)| format!("<{tag} {attribute}>")),
        "[a-z .,]{0,40}",
        "[<>&!/\\-\\[\\]#x;\"' a]{0,8}",
        "\\PC{0,6}",
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("<![CDATA[".to_owned()),
    ];
    proptest::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn tag_soup_never_panics(html in soup()) {
        let _ = html_blocks(&html, Some("https://example.org/"));
        let _ = markdown_blocks(&html);
    }

    #[test]
    fn markdown_never_panics(markdown in "([ >#*_`|\\[\\]()!<\\-+=~:0-9a-c\\n\\\\]|\\PC){0,80}") {
        let _ = markdown_blocks(&markdown);
    }

    #[test]
    fn plain_text_loses_only_white_space(text in "[ -~\\n\\t中é]{0,400}") {
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        match text_blocks(&text) {
            Ok(blocks) => {
                let joined: String = blocks.iter().map(|block| block.text.as_str()).collect();
                prop_assert_eq!(bare(&joined), bare(&text));
            }
            Err(error) => prop_assert!(matches!(error, DocumentError::Empty) && bare(&text).is_empty()),
        }
    }
}
