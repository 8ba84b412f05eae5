//! A million random changes of statements and of what carries them: nothing panics, and nothing is accepted but what
//! says the very same.

use super::Random;
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::token::Token;
use bonafide_core::signature::carrier::{Carrier, Signed, armour};
use bonafide_core::signature::check::{Outcome, Report};
use bonafide_core::signature::credential::Unsigned;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::statement::Statement;
use bonafide_tests::signer::Signer;

const MUTATIONS: usize = 1_000_000;
const TEXT: &str = "The ferry leaves at six, whether or not the baker has brought his bread for the island.";

/// Changes, takes out, doubles or moves a few bytes.
fn mutate(original: &str, random: &mut Random) -> String {
    let mut bytes = original.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(7),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, u8::try_from(random.below(95) + 32).unwrap()),
            3 => bytes.truncate(at),
            4 => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
            _ => {
                let end = (at + random.below(20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A carrier's text and how it becomes a page.
type Way = (String, fn(&str) -> Page);

fn ways(signed: &Signed, token: &str, vc: &str) -> Vec<Way> {
    let side = |json: &str| {
        let mut page = Page::of_text(TEXT).remove(0);
        page.add_side_file(Carrier::SideFile, json, true);
        page
    };
    let below = |carrier: &str| Page::of_text(&format!("{TEXT}\n\n{carrier}")).remove(0);
    vec![
        (signed.to_value().to_string(), side),
        (vc.to_owned(), side),
        (armour::print(signed), below),
        (token.to_owned(), below),
    ]
}

fn run(seed: u64, count: usize) {
    let (signer, stream) = (Signer::new(1), Stream::of_text(TEXT));
    let signed = signer.sign_message(&stream);
    let statement = signed.statement().clone();
    let token = Token::of(&signed).unwrap().print().unwrap();
    let unsigned = Unsigned::new(statement.clone(), &signer.key, false).unwrap();
    let signature = signer.sign(&unsigned.to_sign());
    let vc = unsigned.finish(&signature).to_json().to_string();
    let ways = ways(&signed, &token, &vc);
    for (carrier, page) in &ways {
        assert!(super::verifies(&page(carrier)), "{carrier}");
    }
    let same = |report: &Report, statement: &Statement| {
        report.statement.as_ref() == Some(statement)
            && report.key.as_ref().is_some_and(|key| key.public_key == signer.key)
    };
    let mut random = Random(seed);
    let mut accepted = 0;
    for number in 0..count {
        let (carrier, page) = &ways[number % ways.len()];
        let mutated = mutate(carrier, &mut random);
        for report in super::reports(&page(&mutated)) {
            if matches!(report.result, Outcome::Trusted | Outcome::Published | Outcome::Excerpt) {
                accepted += 1;
                assert!(same(&report, &statement), "{seed} {number}: {mutated}");
            }
        }
    }
    // Spaces in JSON and base64, and swaps of a byte with itself, say the same.
    eprintln!("{count} mutations, {accepted} of them said the very same");
    assert!(accepted < count / 10);
}

#[test]
fn a_million_mutations() {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || run(1125 + half, MUTATIONS / 2));
        }
    });
}
