//! Ten thousand edits of one character that a reader could see: none verifies.

use super::{Random, texts, verifies};
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::token::Token;
use bonafide_core::signature::carrier::{Carrier, armour};
use bonafide_core::signature::page::Page;
use bonafide_tests::signer::Signer;

const EDITS: usize = 10_000;
/// What is put in or in place of something: nothing that looks like another one of these.
const VISIBLE: &str = "aZ7.,?&%é日本ا\u{0915}😀";

/// White space, the typographic forms of one character and the invisible are what a reader can't tell apart.
fn look(c: char) -> char {
    match c {
        '\u{2018}'..='\u{201B}' | '\u{2032}' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Whether a character by itself is one that can be seen to come or go. Hyphens are not: two stand for a dash.
fn is_seen(c: char) -> bool {
    let invisible = matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}');
    !c.is_whitespace() && !invisible && look(c) != '-'
}

fn edit(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let visible: Vec<char> = VISIBLE.chars().collect();
    loop {
        let at = random.below(chars.len());
        let new = visible[random.below(visible.len())];
        match random.below(4) {
            0 => chars.insert(at, new),
            1 if is_seen(chars[at]) && look(chars[at]) != look(new) => chars[at] = new,
            2 if is_seen(chars[at]) => drop(chars.remove(at)),
            // A word cut in two.
            3 if at > 0 && chars[at - 1].is_ascii_alphabetic() && chars[at].is_ascii_alphabetic() => {
                chars.insert(at, ' ');
            }
            _ => continue,
        }
        return chars.into_iter().collect();
    }
}

#[test]
fn no_visible_edit_verifies() {
    let (signer, texts) = (Signer::new(1), texts());
    let mut random = Random(20_261_125);
    let mut signed = Vec::new();
    for text in &texts {
        let stream = Stream::of_text(&text.text);
        let whole = signer.sign_stream(&stream);
        let token = Token::of(&signer.sign_message(&stream)).unwrap().print().unwrap();
        let mut page = Page::of_text(&text.text).remove(0);
        page.add_side_file(Carrier::SideFile, &whole.to_value().to_string(), true);
        assert!(verifies(&page), "{}", text.id);
        signed.push((whole.to_value().to_string(), armour::print(&whole), token));
    }
    for number in 0..EDITS {
        let index = random.below(texts.len());
        let (json, block, token) = &signed[index];
        let changed = edit(&texts[index].text, &mut random);
        let mut side = Page::of_text(&changed).remove(0);
        side.add_side_file(Carrier::SideFile, json, true);
        assert!(!verifies(&side), "{number}, side file: {changed}");
        assert!(
            !verifies(&Page::of_text(&format!("{changed}\n\n{block}"))[0]),
            "{number}, armour: {changed}"
        );
        assert!(!verifies(&Page::of_text(&format!("{changed}\n{token}"))[0]), "{number}, token: {changed}");
        let mut page = Page::of_text(&changed).remove(0);
        page.add_side_file(Carrier::Script, json, false);
        assert!(!verifies(&page), "{number}, page: {changed}");
    }
}
