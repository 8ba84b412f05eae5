#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::signature::canonical::Stream;
use crate::signature::carrier::armour;
use crate::signature::published::ListedKey;
use crate::signature::testing::{NOW, TestKey, facts, now};

const TEXT: &str = "The ferry leaves at six, whether or not the baker has brought his bread.\n\n\
                    Nobody on the island could say who had painted the door green that night.";

fn listed() -> KeyFacts {
    let key = TestKey::new(1).public;
    let listed = ListedKey { key, name: None, valid_from: None, valid_until: None, revoked: None };
    KeyFacts { publication: Publication::Listed(listed), ..KeyFacts::default() }
}

fn report_of(text: &str, signed: &Signed, facts: &KeyFacts) -> Report {
    let pages = Page::of_text(&format!("{text}\n\n{}", armour::print(signed)));
    let checked = check(&pages[0]);
    checked[0].report(&pages[0], facts, now())
}

fn outcome(facts: &KeyFacts) -> Outcome {
    report_of(TEXT, &TestKey::new(1).sign_text(TEXT), facts).result
}

#[test]
fn the_first_that_applies() {
    let unknown = KeyFacts::default();
    assert_eq!(outcome(&unknown), Outcome::UnknownKey);
    assert_eq!(outcome(&listed()), Outcome::Published);
    let contact = KeyFacts { contact: Some("Ada".to_owned()), ..listed() };
    assert_eq!(outcome(&contact), Outcome::Trusted);
    assert_eq!(outcome(&KeyFacts { changed: true, ..listed() }), Outcome::KeyChanged);
    assert_eq!(outcome(&KeyFacts { changed: true, ..contact.clone() }), Outcome::Trusted);
    let signed = TestKey::new(1).sign_text(TEXT);
    let altered = report_of(&TEXT.replace("green", "blue"), &signed, &contact);
    assert_eq!((altered.result, altered.paragraphs.unwrap().found), (Outcome::Altered, vec![1]));
    let excerpt = TEXT.split("\n\n").next().unwrap();
    assert_eq!(report_of(excerpt, &signed, &contact).result, Outcome::Excerpt);
    assert_eq!(report_of(excerpt, &signed, &unknown).result, Outcome::UnknownKey);
    assert!(Outcome::Trusted.is_green() && !Outcome::Excerpt.is_green() && !Outcome::UnknownKey.is_green());
}

#[test]
fn revocations_and_dates() {
    let revoked = |at, reason| KeyFacts {
        revoked: Some(Revocation { at: Timestamp::from_unix(at), reason }),
        ..listed()
    };
    // The statement is an hour old.
    assert_eq!(outcome(&revoked(NOW - 7200, Reason::Superseded)), Outcome::Revoked);
    assert_eq!(outcome(&revoked(NOW - 3600, Reason::Unspecified)), Outcome::Revoked);
    assert_eq!(outcome(&revoked(NOW - 60, Reason::Compromised)), Outcome::Revoked);
    let later = report_of(TEXT, &TestKey::new(1).sign_text(TEXT), &revoked(NOW - 60, Reason::Retired));
    assert_eq!((later.result, later.revoked.is_some()), (Outcome::Published, true));

    let valid = |from: Option<u64>, until: Option<u64>| {
        let mut facts = listed();
        if let Publication::Listed(listed) = &mut facts.publication {
            listed.valid_from = from.map(Timestamp::from_unix);
            listed.valid_until = until.map(Timestamp::from_unix);
        }
        outcome(&facts)
    };
    assert_eq!(valid(Some(NOW - 3600), Some(NOW - 3599)), Outcome::Published);
    assert_eq!(valid(Some(NOW - 3599), None), Outcome::Expired);
    assert_eq!(valid(None, Some(NOW - 3600)), Outcome::Expired);

    let dated = |date: u64, expires: Option<u64>| {
        let facts = crate::signature::statement::Facts {
            date: Timestamp::from_unix(date),
            expires: expires.map(Timestamp::from_unix),
            ..facts()
        };
        let statement = Statement::about(&Stream::of_text(TEXT), facts).unwrap();
        report_of(TEXT, &TestKey::new(1).sign_statement(statement, 1), &listed()).result
    };
    assert_eq!(dated(NOW - 10, Some(NOW)), Outcome::Expired);
    assert_eq!(dated(NOW - 10, Some(NOW + 1)), Outcome::Published);
    assert_eq!(dated(NOW + 23 * 3600, None), Outcome::Published);
    assert_eq!(dated(NOW + 25 * 3600, None), Outcome::Malformed);
}

#[test]
fn a_hardware_key_must_have_been_touched() {
    let key = TestKey::hardware(1);
    let statement = || Statement::about(&Stream::of_text(TEXT), facts()).unwrap();
    let touched = report_of(TEXT, &key.sign_statement(statement(), 1), &KeyFacts::default());
    assert_eq!((touched.result, touched.key.unwrap().touched), (Outcome::UnknownKey, true));
    let untouched = report_of(TEXT, &key.sign_statement(statement(), 0), &KeyFacts::default());
    assert_eq!((untouched.result, untouched.key, untouched.statement), (Outcome::Malformed, None, None));
}

#[test]
fn a_bad_signature_shows_nothing_of_the_statement() {
    let Signed::Ssh { mut statement, signature } = TestKey::new(1).sign_text(TEXT) else { panic!() };
    statement.author.name = "Eve".to_owned();
    let contact = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    let report = report_of(TEXT, &Signed::Ssh { statement, signature }, &contact);
    assert_eq!((report.result, report.statement, report.contact), (Outcome::Malformed, None, None));
    assert!(report.spans.is_empty());
}

#[test]
fn spans_are_code_points_of_the_text() {
    let text = "Überschrift\n\n“Héllo”, said the ferryman, and nobody on the quay knew whom he meant.";
    let signed = TestKey::new(1).sign_text(text.split("\n\n").nth(1).unwrap());
    let report = report_of(text, &signed, &listed());
    assert_eq!(report.result, Outcome::Published);
    let span = report.spans[0];
    let shown: String = text.chars().skip(span.start).take(span.end - span.start).collect();
    assert_eq!(shown, text.split("\n\n").nth(1).unwrap());
}
