#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::signature::search::{Budget, Extent, search};
use crate::signature::testing::TestKey;

const ONE: &str = "The ferry leaves at six, whether or not the baker has brought his bread.";
const TWO: &str = "Nobody on the island could say who had painted the door green that night.";

fn token(text: &str) -> String {
    Token::of(&TestKey::new(1).sign_message(text)).unwrap().print().unwrap()
}

/// The texts that verify, each with its carrier.
fn verified(page: &Page) -> Vec<(Carrier, String)> {
    let mut found = Vec::new();
    for find in &page.finds {
        let (Scope::Before(range) | Scope::Exactly(range) | Scope::Within(range)) = &find.scope;
        let text = &page.stream.text()[range.clone()];
        let signed = match &find.content {
            Content::Signed(signed) => signed.as_ref().as_ref().unwrap().clone(),
            Content::Token(token) => {
                let token = token.as_ref().as_ref().unwrap();
                let Some(digest) = token.digest_of(text.trim_end()) else { continue };
                token.signed(digest).unwrap()
            }
        };
        let budget = &mut Budget::of_page(&page.stream);
        let coverage = search(&page.stream, &find.scope, &signed.statement().text, budget);
        if coverage.extent == Extent::Whole && signed.verify(signed.key().unwrap()).is_ok() {
            found.push((find.carrier, page.stream.text()[coverage.ranges[0].clone()].to_owned()));
        }
    }
    found
}

#[test]
fn each_message_gets_its_own_token() {
    let chat = format!("{ONE} {}\n\nNo idea.\n\n{TWO}\n{}\n", token(ONE), token(TWO));
    let pages = Page::of_text(&chat);
    assert_eq!(pages.len(), 1);
    assert_eq!(verified(&pages[0]), [(Carrier::Token, ONE.to_owned()), (Carrier::Token, TWO.to_owned())],);
    assert!(!pages[0].stream.text().contains("human1"));
}

#[test]
fn a_token_does_not_reach_over_another_or_into_a_paragraph() {
    let both = format!("{ONE} {TWO}");
    let stolen = format!("{ONE} {}\n\n{TWO} {}", token(ONE), token(&both));
    assert_eq!(verified(&Page::of_text(&stolen)[0]).len(), 1);
    let prefixed = format!("Don't believe this. {ONE} {}", token(ONE));
    assert!(verified(&Page::of_text(&prefixed)[0]).is_empty());
}

#[test]
fn armour_covers_the_text_above() {
    let text = format!("{ONE}\n\n{TWO}");
    let signed = TestKey::new(1).sign_text(&text);
    let mail = format!("{text}\n\n{}\n-- \nAda", armour::print(&signed));
    let whole = format!("{ONE} {TWO}");
    assert_eq!(verified(&Page::of_text(&mail)[0]), [(Carrier::Armour, whole.clone())]);
    // The same, quoted in an answer, twice over.
    for mark in ["> ", ">", " > ", "   >"] {
        let quote = |text: &str| text.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
        let answer = format!("I agree.\n\n{}\nYours", quote(&mail));
        let again = format!("So?\n\n{}\n{}", quote(&answer), armour::print(&signed));
        let pages = Page::of_text(&again);
        let found: Vec<_> = pages.iter().map(|page| (page.quotes, verified(page))).collect();
        assert_eq!(
            found,
            [(0, vec![]), (1, vec![]), (2, vec![(Carrier::Armour, whole.clone())])],
            "{mark:?}"
        );
    }
    // Code, not a quote.
    let code: String = mail.lines().map(|line| format!("    > {line}\n")).collect();
    assert_eq!(Page::of_text(&code).len(), 1);
}

#[test]
fn elements_scripts_and_side_files_cover_what_they_should() {
    let signed = TestKey::new(1).sign_text(&format!("{ONE}\n\n{TWO}")).to_value().to_string();
    let message = TestKey::new(1).sign_message(ONE).to_value().to_string();
    let mut page = PageBuilder::default();
    page.enter(Element::Root, None);
    page.link("/a.human.json");
    page.script(&signed);
    page.enter(Element::Block, None);
    page.text("Menu");
    page.leave();
    page.enter(Element::Block, None);
    for text in [ONE, TWO] {
        page.enter(Element::Block, None);
        page.text(text);
        page.leave();
    }
    page.leave();
    page.enter(Element::Block, Some(&message));
    page.text(ONE);
    page.leave();
    page.enter(Element::Inline, Some(&token(TWO)));
    page.text(TWO);
    page.leave();
    page.enter(Element::Block, None);
    page.script(&signed);
    page.text("Nothing here.");
    page.leave();
    page.leave();
    let mut page = page.finish();
    assert_eq!(page.links, ["/a.human.json"]);
    page.add_side_file(Carrier::Link, &signed, false);
    page.add_side_file(Carrier::SideFile, &signed, true);
    let whole = format!("{ONE} {TWO}");
    assert_eq!(
        verified(&page),
        [
            (Carrier::Attribute, ONE.to_owned()),
            (Carrier::Attribute, TWO.to_owned()),
            (Carrier::Script, whole.clone()),
            (Carrier::Link, whole),
        ],
    );
    assert_eq!(page.finds.len(), 6);
}

#[test]
fn what_only_looks_like_a_carrier_stays_text() {
    let signed = TestKey::new(1).sign_text(ONE).to_value().to_string();
    let words = "HeIsAThiefAndAMurdererAndIKnewItAllTheTime".repeat(4);
    for fake in [
        "-----BEGIN GENERATED BY HUMAN----- who is a thief -----END GENERATED BY HUMAN-----".to_owned(),
        format!("human1{words}"),
    ] {
        let mut page = PageBuilder::default();
        page.enter(Element::Block, Some(&signed));
        page.text(ONE);
        page.text(" ");
        page.text(&fake);
        page.leave();
        let page = page.finish();
        assert!(page.stream.text().contains("hief"), "{fake}");
        let carriers: Vec<Carrier> = page.finds.iter().map(|find| find.carrier).collect();
        assert!(carriers.len() == 2 && carriers.contains(&Carrier::Attribute), "the fake one is told of");
        let budget = &mut Budget::of_page(&page.stream);
        let find = page.finds.iter().find(|find| find.carrier == Carrier::Attribute).unwrap();
        let Content::Signed(signed) = &find.content else { panic!() };
        let text = &signed.as_ref().as_ref().unwrap().statement().text;
        assert_eq!(search(&page.stream, &find.scope, text, budget).extent, Extent::Altered);
    }
}

#[test]
fn no_carrier_is_ever_highlighted() {
    let whole = format!("{ONE} {TWO}");
    let signed = TestKey::new(1).sign_text(&format!("{ONE}\n\n{TWO}")).to_value().to_string();
    let mut page = PageBuilder::default();
    page.enter(Element::Block, Some(&signed));
    page.text(&format!("{ONE} {} {TWO}", token(ONE)));
    page.leave();
    let page = page.finish();
    assert_eq!(page.stream.text(), whole);
    let ranges = page.stream.raw_ranges(&(0..whole.len()));
    let shown: Vec<&str> = ranges.into_iter().map(|range| &page.stream.raw()[range]).collect();
    assert_eq!(shown, [ONE, TWO]);
}

#[test]
fn quoted_armour_and_punctuation_after_a_token_are_read() {
    let block = armour::print(&TestKey::new(1).sign_text(ONE));
    let quoted: String = block.lines().map(|line| format!("> {line}\n")).collect();
    let mut page = PageBuilder::default();
    page.text(&format!("{ONE}\n{quoted}"));
    let page = page.finish();
    assert!(matches!(&page.finds[0].content, Content::Signed(signed) if signed.is_ok()));
    for end in [".", ",", " ok", "。"] {
        let pages = Page::of_text(&format!("{ONE} {}{end}", token(ONE)));
        assert_eq!(verified(&pages[0]).len(), 1, "{end}");
    }
}

#[test]
fn many_marks_of_carriers_take_no_long_time() {
    let begin = "-----BEGIN GENERATED BY HUMAN-----";
    let end = "-----END GENERATED BY HUMAN-----";
    let started = std::time::Instant::now();
    for text in [
        begin.repeat(100_000) + end,
        format!("{begin}{end}").repeat(60_000),
        format!("human1{} ", "z".repeat(200)).repeat(20_000),
    ] {
        assert!(!Page::of_text(&text).is_empty());
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
