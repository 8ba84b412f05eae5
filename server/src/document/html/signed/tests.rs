#![allow(clippy::unwrap_used, clippy::panic)]
use super::super::{signed_page, signed_page_of_markdown};
use bonafide_core::signature::carrier::{Signed, armour};
use bonafide_core::signature::check::{Outcome, Report, check};
use bonafide_core::signature::ed25519::RawSignature;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use bonafide_core::signature::statement::{Author, Facts, Statement};
use bonafide_core::signature::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};

fn sign(page: &Page) -> String {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let facts = Facts {
        author: Author { name: "Ada".to_owned(), identity: None },
        language: "und".to_owned(),
        date: Timestamp::from_unix(1_795_593_600),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    };
    let statement = Statement::about(&page.stream, facts).unwrap();
    let hash = HashAlgorithm::Sha512;
    let bytes = secret.sign(&signed_data(&statement.to_jcs(), hash)).to_bytes();
    let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let signature = SshSignature { key, hash, signature: RawSignature { bytes, touch: None } };
    Signed::Ssh { statement, signature }.to_value().to_string().replace('&', "&amp;").replace('\'', "&#39;")
}

fn report(page: &Page) -> Report {
    let facts = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    let checked = check(page);
    assert_eq!(checked.len(), 1);
    checked[0].report(page, &facts, Timestamp::from_unix(1_795_600_000))
}

/// What comes of plain words that are signed and then shown as in `shown`, within `around` at `$`.
fn outcome_in(around: &str, words: &str, shown: &str) -> Report {
    let statement = sign(&signed_page(&format!("<p>{words}")).unwrap());
    let article = format!("<article data-human-statement='{statement}'>{shown}</article>");
    report(&signed_page(&around.replace('$', &article)).unwrap())
}

const WORDS: &str = "I eat no meat.";

#[track_caller]
fn altered_for(shown: &str, why: &str) {
    let report = outcome_in("<!DOCTYPE html><body>$</body>", WORDS, shown);
    assert_eq!(report.result, Outcome::Altered, "{shown}");
    assert!(report.message.contains(why), "{shown}: {}", report.message);
}

#[track_caller]
fn altered(shown: &str) {
    altered_for(shown, "a reader may see other words");
}

#[track_caller]
fn trusted(shown: &str) {
    let report = outcome_in("<!DOCTYPE html><body>$</body>", WORDS, shown);
    assert_eq!(report.result, Outcome::Trusted, "{shown}: {}", report.message);
}

#[test]
fn a_shadow_tree_replaces_what_is_signed() {
    altered_for("<template shadowrootmode=open><p>attacker</p></template>I eat no meat.", "a shadow tree");
    altered("I eat no meat.<template ShadowRootMode=CLOSED><p>attacker</p></template>");
    altered("I eat no meat.<div><template shadowrootmode=open>I eat meat.</template></div>");
    trusted("<template><p>attacker</p></template>I eat no meat.");
    let around = "<div><template shadowrootmode=open>attacker</template>$</div>";
    assert_eq!(outcome_in(around, WORDS, WORDS).result, Outcome::Altered);
    // Another element's shadow tree is nobody's business.
    for around in [
        "<div><template shadowrootmode=open>menu</template></div>$",
        "$<x-a><template shadowrootmode=open>a</template></x-a>",
    ] {
        assert_eq!(outcome_in(around, WORDS, WORDS).result, Outcome::Trusted, "{around}");
    }
}

#[test]
fn noscript_is_one_text_as_in_a_browser() {
    // A browser that runs scripts ends it at the first end tag, wherever that stands.
    let shown = "<noscript><p title=\"</noscript><b>But I lie.</b>\"></noscript>I eat no meat.";
    let report = outcome_in("<body>$", WORDS, shown);
    assert_eq!(report.result, Outcome::Altered);
    trusted("<noscript><img src=pixel>Enable scripts</noscript>I eat no meat.");
}

#[test]
fn hidden_words_that_are_shown() {
    altered("I eat no meat.<p hidden style='display:block'>I do.");
    altered("I eat no meat.<p hidden style='display:bl\\ock'>I do.");
    altered("I eat no meat.<p hidden style='all:initial'>I do.");
    altered("I eat no meat.<p hidden=until-found>I do.");
    altered("I eat no meat.<style style='display:block'>I do.</style>");
    trusted("I eat no meat.<p hidden>I do.");
    trusted("I eat no meat.<p hidden style='color:red'>I do.");
    trusted("I eat no meat.<p style='display:none'>I do.");
    trusted("I eat no meat.<p style='color:red;display : NONE ! important'>I do.");
}

#[test]
fn styles_that_hide_or_turn_words() {
    for style in [
        "visibility:hidden",
        "visibility:collapse!important",
        "display:none;display:inline",
        "display:/**/none",
        "dis\\play:none",
        "display:\u{a0}none",
        "font-family:\";display:none;\";display:block none",
        "background:url(a&quot;b);display:none;x:(&quot;)",
        "background:url(a(b);display:none;x:)",
        "x:{;display:none}",
        "display:none;font-family:&quot;a&quot;",
        "display:table-footer-group",
        "content-visibility:hidden",
        "opacity:0",
        "opacity:1e-9",
        "font-size:0",
        "font-size:0.001em",
        "font-size:1e-9em",
        "font:0/0 a",
        "direction:rtl",
        "unicode-bidi:bidi-override",
        "flex-direction:row-reverse",
        "-webkit-flex-flow:wrap column-reverse",
        "order:-1",
        "content:url(other.png)",
        "list-style-type:&quot;I don't &quot;",
        "all:revert",
    ] {
        let style = style.replace('"', "&quot;").replace('\'', "&#39;");
        altered_or_other(&format!("I eat <span style=\"{style}\">no</span> meat."));
    }
    for style in [
        "float:left;position:relative;font-size:11pt;font-family:Arial;color:#000000;opacity:.8",
        "display:inline !important;border:none;box-shadow:none",
        "font-size:clamp(14.6px, 0.9rem + ((1vw - 3.2px) * 0.696), 22px);border-order:0",
        "background:url(data:image/png;base64,AAAA) no-repeat;font:italic 700 12px/1.5 &quot;Times New Roman&quot;, serif",
        "font-family:&quot;Open Sans&quot;;font-size:14px;visibility:visible;order:0;transition:all .3s",
        "display:-webkit-box;display:flex;flex-direction:column",
        "",
    ] {
        trusted(&format!("I eat <span style=\"{style}\">no</span> meat."));
    }
}

#[test]
fn a_field_between_a_text_and_what_ends_it() {
    const ONE: &str = "The ferry leaves at six, whether or not the baker has brought his bread.";
    const TWO: &str = "Nobody on the island could say who had painted the door green that night.";
    let statement = sign(&Page::of_text(&format!("{ONE}\n\n{TWO}"))[0]);
    let signed = Signed::from_value(serde_json::from_str(&statement).unwrap()).unwrap();
    let block = armour::print(&signed).replace('\n', "<br>");
    let field = "<p><input value='Not really.'></p>";
    let result = |shown: String| report(&signed_page(&format!("{shown}{block}")).unwrap()).result;
    assert_eq!(result(format!("<p>{ONE}</p><p>{TWO}</p>")), Outcome::Trusted);
    assert_eq!(result(format!("{field}<p>{ONE}</p><p>{TWO}</p>")), Outcome::Trusted);
    assert_eq!(result(format!("<p>{ONE}</p><p>{TWO}</p>{field}")), Outcome::Altered);
    assert_eq!(result(format!("<p>{ONE}</p><p>{TWO}</p><div><p></p>{field}</div>")), Outcome::Altered);
    assert_eq!(result(format!("<p>{ONE}</p>{field}<p>{TWO}</p>")), Outcome::Altered);
    // A paragraph is left out, and there is a field in its place.
    assert_eq!(result(format!("<p>{TWO}</p>")), Outcome::Excerpt);
    assert_eq!(result(format!("{field}<p>{TWO}</p>")), Outcome::Altered);
    assert_eq!(result(format!("<p>{ONE}</p>")), Outcome::Excerpt);
    assert_eq!(result(format!("<p>{ONE}</p>{field}")), Outcome::Altered);
}

/// A style that is understood as hiding leaves the word out, and another one spoils it: neither is ever trusted.
#[track_caller]
fn altered_or_other(shown: &str) {
    let report = outcome_in("<body>$", WORDS, shown);
    assert_eq!(report.result, Outcome::Altered, "{shown}");
    // And where the hidden word is one that was not signed, it must not vanish.
    let report = outcome_in("<body>$", "I eat meat.", shown);
    assert_eq!(report.result, Outcome::Altered, "{shown}");
}

#[test]
fn fields_and_pictures_that_show_words() {
    for other in [
        "<textarea>I do.</textarea>",
        "<textarea placeholder='I do.'></textarea>",
        "<select><option>I do.</select>",
        "<select><option label='I do.'></select>",
        "<option>I do.</option>",
        "<input value='I do.'>",
        "<input type=TEXT placeholder='I do.'>",
        "<input type=submit value='I do.'>",
        "<object>I do.</object>",
        "<iframe srcdoc='I do.'></iframe>",
        "<svg><text>I do.</text></svg>",
        "<svg><g><text><tspan>I do.</tspan></text></g></svg>",
        "<svg><foreignObject><p>I do.</p></foreignObject></svg>",
    ] {
        altered(&format!("I eat no meat. {other}"));
        altered(&format!("<p>I eat no meat.</p><section><p>{other}</p></section>"));
        // Beside a signed text it changes nothing.
        for around in [format!("<p>Menu</p>{other}$"), format!("$<p>{other}"), format!("{other}$")] {
            let report = outcome_in(&around, WORDS, WORDS);
            assert_eq!(report.result, Outcome::Trusted, "{around}: {}", report.message);
        }
    }
    for other in [
        "<input type=checkbox value=a>",
        "<input type=hidden value=token>",
        "<input>",
        "<input type=submit>",
        "<textarea></textarea>",
        "<svg viewBox='0 0 16 16'><title>Link</title><path d='M0 0'></path></svg>",
        "<iframe src='https://video.example'></iframe>",
    ] {
        trusted(&format!("I eat no meat. {other}"));
    }
}

#[test]
fn numbers_that_nobody_signed() {
    altered("<ol start=7><li>I eat no meat.</ol>");
    altered("<ol reversed><li>I eat no meat.</ol>");
    altered("<ol><li value=3>I eat no meat.</ol>");
    altered("<ol start=' 2x'><li>I eat no meat.</ol>");
    altered("<ol><li>I eat<li>no</ol><p>red</p><ol start=4><li>meat.</ol>");
    altered("<ol start=-1><li>I eat<li>no</ol><ol start=1><li>meat.</ol>");
    altered("<ol><li>I eat<li>no</ol><ol start='\u{a0}3'><li>meat.</ol>");
    altered("<ol start=18446744073709551615><li>I eat</ol><ol start=18446744073709551616><li>no meat.</ol>");
    trusted("<ol><li>I eat no meat.</ol>");
    trusted("<ol start=1><li>I eat no meat.</ol>");
    trusted("<ol><li>I eat<li>no</ol><p hidden>red</p><ol start=3><li>meat.</ol>");
}

#[test]
fn signed_words_that_are_not_shown() {
    altered("I eat <dialog>no</dialog> meat.");
    altered("I eat <b popover>no</b> meat.");
    altered("<details><summary>I eat</summary>no meat.</details>");
    altered("<details open>I eat<summary>no meat.</summary></details>");
    altered("I eat <math><semantics><annotation>no</annotation></semantics></math> meat.");
    altered("I eat no <math><semantics><mi></mi><mi>meat.</mi></semantics></math>");
    altered(
        "I eat no meat.<math><semantics><mi></mi><annotation style='display:block'>I do.</annotation></math>",
    );
    altered("I eat <math><annotation-xml>no</annotation-xml></math> meat.");
    altered("I eat <math><mphantom><mtext>no</mtext></mphantom></math> meat.");
    altered("I eat <math><mrow>no</mrow></math> meat.");
    altered("I eat <math><mtext hidden>no</mtext></math> meat.");
    altered("I eat no meat.<math><svg><mtext>I do.</mtext></svg></math>");
    trusted("<details open><summary>I eat</summary>no meat.</details>");
    trusted("<dialog open>I eat no meat.</dialog>");
    trusted("I eat <math><mrow> <mtext>no</mtext> </mrow></math> meat.");
    // As KaTeX writes it.
    trusted(
        "I eat no <math><semantics><mrow><mtext>meat.</mtext></mrow><annotation encoding='application/x-tex'>\
         \\text{meat.}</annotation></semantics></math>",
    );
}

#[test]
fn words_in_another_order() {
    altered("I eat <bdo>no</bdo> meat.");
    altered("I eat <bdo dir=ltr>no</bdo> meat.");
    altered("I eat <span dir=rtl>no</span> meat.");
    altered("I eat <bdi dir=RTL>no</bdi> meat.");
    altered("<table dir=rtl><tr><td>I eat<td>no meat.</table>");
    altered("<table><tbody><tr><td>I eat<tbody><thead><tr><td>no meat.</table>");
    altered("<table><tfoot><tr><td>I eat</tfoot><tbody><tr><td>no meat.</table>");
    altered("<table><tr><td>I eat</tr><caption>no meat.</caption></table>");
    altered("<fieldset>I eat<legend>no meat.</legend></fieldset>");
    trusted("<blockquote dir=rtl>I eat <span dir=rtl>no</span> meat.</blockquote>");
    trusted("<p dir=auto>I eat <bdi>no</bdi> <span dir=ltr>meat.</span>");
    trusted("<table><caption>I</caption><thead><tr><td>eat<tbody><tr><td>no<tfoot><tr><td>meat.</table>");
}

#[test]
fn markdown_has_no_block_of_metadata() {
    for fence in ["---", "+++"] {
        let markdown = format!("{fence}\ntitle: I eat meat\n{fence}\n\nI eat no meat.\n");
        let page = signed_page_of_markdown(&markdown).unwrap();
        assert!(page.stream.text().contains("title: I eat meat"), "{}", page.stream.text());
    }
}

#[test]
fn honest_pages_still_verify() {
    let wordpress = r#"<header class="entry-header"><h1 class="entry-title">Bread</h1></header>
        <div class="entry-content"><p class="has-large-font-size" style="font-size:clamp(1rem, 2vw, 3rem)">I bake
        <em>every</em> day. <img src="x.svg" alt="🙂" class="wp-smiley" style="height: 1em; max-height: 1em;"></p>
        <figure class="wp-block-image alignleft" style="float:left"><img src="a.jpg" alt="A loaf"><figcaption>Fig. 1
        </figcaption></figure><ul><li>Flour</li><li>Salt</li></ul>
        <div style="display:none" class="sharing">Share this</div></div>"#;
    let mastodon = r#"<div class="status__content" lang="en" dir="auto"><p>I bake <span class="h-card"
        translate="no"><a href="https://a.example/@b" class="u-url mention">@<span>b</span></a></span></p><p>
        <a href="https://a.example"><span class="invisible">https://</span><span class="">a.example</span></a>
        </p></div>"#;
    let github = r#"<td class="d-block comment-body markdown-body js-comment-body"><p dir="auto">I bake.
        <a class="anchor" aria-hidden="true" href="\#x"><svg class="octicon octicon-link" viewBox="0 0 16 16"
        aria-hidden="true"><path d="m7.775 3.275"></path></svg></a></p><details open><summary>How</summary>
        <p dir="auto">With flour.</p><ul class="contains-task-list"><li class="task-list-item">
        <input type="checkbox" class="task-list-item-checkbox" checked disabled>Done</li></ul></details></td>"#;
    for shown in [wordpress, mastodon, github] {
        let statement = sign(&signed_page(&format!("<div>{shown}</div>")).unwrap());
        let page = format!(
            "<!DOCTYPE html><html><head><title>x</title></head><body><nav>Menu<form role=search><input type=search \
             placeholder='Search…'></form></nav><article data-human-statement='{statement}'>{shown}</article>\
             <noscript>Enable scripts</noscript><footer><select><option>Language</select></footer></body></html>"
        );
        let report = report(&signed_page(&page).unwrap());
        assert_eq!(report.result, Outcome::Trusted, "{}", report.message);
    }
}
