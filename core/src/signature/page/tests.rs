#![allow(clippy::unwrap_used)]
use super::*;
use crate::signature::search::{Extent, search};
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
        let coverage = search(&page.stream, &find.scope, &signed.statement().text);
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
    let quote = |text: &str| text.lines().map(|line| format!("> {line}\n")).collect::<String>();
    let answer = format!("I agree.\n\n{}\nYours", quote(&mail));
    let again = format!("So?\n\n{}\n{}", quote(&answer), armour::print(&signed));
    let pages = Page::of_text(&again);
    let found: Vec<_> = pages.iter().map(|page| (page.quotes, verified(page))).collect();
    assert_eq!(found, [(0, vec![]), (1, vec![]), (2, vec![(Carrier::Armour, whole)])],);
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
