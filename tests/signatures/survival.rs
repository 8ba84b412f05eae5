//! Two hundred texts through what the web does to text: every one still verifies.

use super::{Text, reports, texts, verifies};
use bonafide::document::read::Format;
use bonafide::document::signed::pages;
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::token::Token;
use bonafide_core::signature::carrier::{Carrier, Signed, armour};
use bonafide_core::signature::page::Page;
use bonafide_tests::signer::Signer;
use pulldown_cmark::{Options, Parser};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// As a content management system shows it.
fn html(text: &Text) -> String {
    if text.id.starts_with("code") {
        return format!("<pre><code>{}</code></pre>", escape(&text.text));
    }
    text.text.split("\n\n").fold(String::new(), |mut html, paragraph| {
        let _ = writeln!(html, "<p>{}</p>", escape(paragraph).replace('\n', "<br>\n"));
        html
    })
}

fn markdown(text: &Text) -> String {
    let source =
        if text.id.starts_with("code") { format!("```\n{}\n```\n", text.text) } else { text.text.clone() };
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, Parser::new_ext(&source, Options::ENABLE_SMART_PUNCTUATION));
    html
}

/// Quotes, dashes and ellipses as editors and filters set them.
fn typographic(text: &str) -> String {
    let mut made = String::new();
    let mut before = ' ';
    for c in text.replace("...", "…").chars() {
        let opens = before.is_whitespace() || matches!(before, '(' | '[' | '{' | '=' | '-');
        made.push(match c {
            '"' if opens => '“',
            '"' => '”',
            '\'' if opens => '‘',
            '\'' => '’',
            c => c,
        });
        before = c;
    }
    made.replace(" - ", " – ")
}

/// Lines of at most so many characters, broken at spaces, and anywhere between Han characters.
fn reflowed(text: &str, columns: usize) -> String {
    let mut made = String::new();
    let mut column = 0;
    let mut before = ' ';
    for c in text.chars() {
        let han = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
        if column >= columns && c == ' ' {
            made.push('\n');
            column = 0;
        } else {
            if column >= columns && han(before) && han(c) {
                made.push('\n');
                column = 0;
            }
            made.push(c);
            column = if c == '\n' { 0 } else { column + 1 };
        }
        before = c;
    }
    made
}

/// Something between two letters of each long word.
fn within_words(text: &str, put: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut made = String::new();
    for (index, &c) in chars.iter().enumerate() {
        made.push(c);
        let letters =
            |from: usize| chars.get(from..from + 3).is_some_and(|c| c.iter().all(char::is_ascii_alphabetic));
        if index >= 2 && letters(index - 2) && letters(index + 1) {
            made.push_str(put);
        }
    }
    made
}

fn plain_ways(text: &str) -> Vec<(&'static str, String)> {
    use unicode_normalization::UnicodeNormalization;
    vec![
        ("as it is", text.to_owned()),
        ("CRLF", text.replace('\n', "\r\n")),
        ("NBSP", text.replace(' ', "\u{A0}")),
        ("soft hyphens", within_words(text, "\u{AD}")),
        ("zero-width spaces", within_words(text, "\u{200B}")),
        ("justification", text.replace(' ', "   ")),
        ("typographic", typographic(text)),
        ("reflow at 40", reflowed(text, 40)),
        ("one line", text.split('\n').collect::<Vec<_>>().join(" ")),
        ("decomposed", text.nfd().collect()),
        ("byte order mark", format!("\u{FEFF}{text}\n\n")),
    ]
}

/// Links made of addresses, as chats make them.
fn linked(html: &str) -> String {
    let mut made = String::new();
    let mut rest = html;
    while let Some(start) = rest.find("https://") {
        let end = rest[start..].find([' ', '<', '\n', ')', ',']).map_or(rest.len(), |length| start + length);
        let url = &rest[start..end];
        let _ = write!(made, "{}<a href=\"{url}\" rel=\"nofollow\">{url}</a>", &rest[..start]);
        rest = &rest[end..];
    }
    made + rest
}

fn html_ways(text: &Text) -> Vec<(&'static str, String)> {
    let html = html(text);
    vec![
        ("HTML", html.clone()),
        ("Markdown", markdown(text)),
        ("links", linked(&html)),
        (
            "another template",
            format!(
                "<main><section><div class=c>{}</div></section></main>",
                html.replace("<p>", "<div><span>").replace("</p>", "</span></div>")
            ),
        ),
        (
            "hidden text and comments",
            format!("<!-- x --><p hidden>no</p><style>p{{}}</style>{html}<script>let a</script>"),
        ),
    ]
}

fn with_side_file(mut pages: Vec<Page>, signed: &Signed, exactly: bool) -> Page {
    let mut page = pages.remove(0);
    page.add_side_file(Carrier::SideFile, &signed.to_value().to_string(), exactly);
    page
}

#[test]
fn every_text_survives_what_is_done_to_plain_text() {
    let signer = Signer::new(1);
    let mut failed = Vec::new();
    for text in &texts() {
        let stream = Stream::of_text(&text.text);
        let (signed, message) = (signer.sign_stream(&stream), signer.sign_message(&stream));
        let token = Token::of(&message).unwrap().print().unwrap();
        let hardware = Token::of(&Signer::hardware(1).sign_message(&stream)).unwrap().print().unwrap();
        for (way, changed) in plain_ways(&text.text) {
            let mut check = |carrier: &str, page: &Page| {
                if !verifies(page) {
                    failed.push(format!(
                        "{} {way} {carrier}: {:?}",
                        text.id,
                        reports(page).first().map(|r| r.message.clone())
                    ));
                }
            };
            check("side file", &with_side_file(Page::of_text(&changed), &signed, true));
            check("token", &Page::of_text(&format!("{changed}\n{token}"))[0]);
            check("token in a line", &Page::of_text(&format!("{changed} {hardware} "))[0]);
            check("armour", &Page::of_text(&format!("{changed}\n\n{}\n-- \nAda", armour::print(&signed)))[0]);
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_text_survives_what_is_done_to_html() {
    let signer = Signer::new(1);
    let mut failed = Vec::new();
    for text in &texts() {
        let stream = Stream::of_text(&text.text);
        let signed = signer.sign_stream(&stream);
        let json = signed.to_value().to_string();
        let token = Token::of(&signer.sign_message(&stream)).unwrap().print().unwrap();
        let script = format!(
            "<script type=\"application/human-statement+json\">{}</script>",
            json.replace('<', "\\u003c")
        );
        for (way, html) in html_ways(text) {
            let page = |html: &str| pages(html, Format::Html).unwrap();
            let around = format!("<nav>Menu</nav>{html}<footer>Contact us</footer>");
            let ways = [
                ("side file", with_side_file(page(&around), &signed, false)),
                ("script", page(&format!("<head>{script}</head><body>{around}")).remove(0)),
                (
                    "script beside",
                    page(&format!("<nav>Menu</nav><article>{html}{script}</article>")).remove(0),
                ),
                (
                    "attribute",
                    page(&format!("<p>x<div data-human-statement=\"{}\">{html}</div>y", escape(&json)))
                        .remove(0),
                ),
                ("token", page(&format!("<nav>Menu</nav>{html}<p>{token}</p>")).remove(0)),
            ];
            for (carrier, page) in ways {
                if !verifies(&page) {
                    failed.push(format!(
                        "{} {way} {carrier}: {:?}",
                        text.id,
                        reports(&page).first().map(|r| r.message.clone())
                    ));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

/// The browser's own idea of the text: `innerText`, and what a reader copies.
#[test]
fn every_text_survives_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    if !bonafide_tests::browser_is_ready(&folder) {
        return;
    }
    let texts = texts();
    let pages: Vec<(String, String)> = texts
        .iter()
        .flat_map(|text| html_ways(text).into_iter().map(|(way, html)| (format!("{} {way}", text.id), html)))
        .collect();
    let mut node = Command::new("node")
        .arg("copy.mjs")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut stdin = node.stdin.take().expect("stdin");
    let input = serde_json::to_string(&pages).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = node.wait_with_output().expect("node ends");
    writer.join().expect("writer").expect("node reads");
    assert!(output.status.success());
    let copied: Vec<(String, String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(copied.len(), pages.len());
    let signer = Signer::new(1);
    let mut failed = Vec::new();
    for (index, (name, inner, selected)) in copied.iter().enumerate() {
        let signed = signer.sign_stream(&Stream::of_text(&texts[index * texts.len() / copied.len()].text));
        for (way, text) in [("innerText", inner), ("selection", selected)] {
            let page = with_side_file(Page::of_text(text), &signed, true);
            if !verifies(&page) {
                failed.push(format!("{name} {way}: {text:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
