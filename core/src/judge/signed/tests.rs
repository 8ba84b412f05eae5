use super::*;
use crate::judge::{add, unread};
use crate::signature::carrier::Carrier;
use crate::signature::check::ParagraphReport;
use crate::signature::statement::{Author, Facts, Statement};
use crate::signature::time::Timestamp;

const ALL: [Outcome; 9] = [
    Outcome::Malformed,
    Outcome::Altered,
    Outcome::Revoked,
    Outcome::Expired,
    Outcome::KeyChanged,
    Outcome::UnknownKey,
    Outcome::Excerpt,
    Outcome::Trusted,
    Outcome::Published,
];

fn checked(result: Outcome) -> Report {
    let text = crate::signature::canonical::Stream::of_text("The ferry leaves at six.");
    let facts = Facts {
        author: Author { name: "Ada".to_owned(), identity: Some("https://ada.example".to_owned()) },
        language: "en".to_owned(),
        date: Timestamp::from_unix(1_795_593_600),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    };
    Report {
        result,
        message: String::new(),
        carrier: Carrier::Token,
        quotes: 0,
        key: None,
        statement: Statement::about(&text, facts).ok(),
        paragraphs: Some(ParagraphReport { found: vec![1], total: 1 }),
        covers: None,
        spans: Vec::new(),
        contact: (result == Outcome::Trusted).then(|| "A. L.".to_owned()),
        own_key: false,
        revoked: None,
    }
}

fn ai(strength: f64) -> Evidence {
    Evidence {
        kind: EvidenceKind::Declared,
        code: "label".to_owned(),
        strength,
        points_to: PointsTo::Ai,
        span: None,
        message: String::new(),
        values: BTreeMap::new(),
    }
}

fn block(verdict: Verdict) -> BlockReport {
    BlockReport { verdict, evidence: Vec::new(), ..unread("a", "The ferry leaves at six.") }
}

#[test]
fn only_green_of_the_whole_block_is_a_verdict() {
    for outcome in ALL {
        for whole in [true, false] {
            for before in [Verdict::Unclear, Verdict::LikelyAi, Verdict::LikelyHuman, Verdict::Mixed] {
                let mut report = block(before);
                sign(&mut report, &checked(outcome), whole);
                let green = whole && outcome.is_green();
                let after = if green { Verdict::HumanSigned } else { before };
                assert_eq!(report.verdict, after, "{outcome:?} {whole}");
                assert_eq!(report.evidence.len(), 1);
            }
        }
    }
}

#[test]
fn a_signature_and_a_declaration_contradict_each_other_in_any_order() {
    type Step = fn(&mut BlockReport);
    let steps: [Step; 4] = [
        |report| sign(report, &checked(Outcome::Published), true),
        |report| add(report, vec![ai(1.0)], true),
        |report| sign(report, &checked(Outcome::Altered), true),
        |report| add(report, vec![ai(0.7)], false),
    ];
    for first in 0..4 {
        for second in (0..4).filter(|&next| next != first) {
            for third in (0..4).filter(|&next| next != first && next != second) {
                let mut report = block(Verdict::LikelyHuman);
                // The one that is left, and the first again.
                for step in [first, second, third, 6 - first - second - third, first] {
                    steps[step](&mut report);
                }
                assert_eq!(report.verdict, Verdict::Unclear, "{first} {second} {third}");
            }
        }
    }
}

#[test]
fn hints_do_not_weigh_against_a_signature() {
    for hint_first in [true, false] {
        let mut report = block(Verdict::LikelyHuman);
        if hint_first {
            add(&mut report, vec![ai(0.7)], false);
        }
        sign(&mut report, &checked(Outcome::Trusted), true);
        if !hint_first {
            add(&mut report, vec![ai(0.7)], false);
        }
        assert_eq!(report.verdict, Verdict::HumanSigned);
        assert_eq!(report.evidence.len(), 2);
    }
}

#[test]
fn the_same_statement_counts_once() {
    let mut report = block(Verdict::Unclear);
    sign(&mut report, &checked(Outcome::Trusted), true);
    sign(&mut report, &checked(Outcome::Trusted), true);
    assert_eq!((report.verdict, report.evidence.len()), (Verdict::HumanSigned, 1));
}

#[test]
fn every_code_is_said_and_holds_its_values() {
    let own = Report { own_key: true, ..checked(Outcome::Trusted) };
    let mut said: Vec<Evidence> = ALL.iter().map(|&outcome| evidence(&checked(outcome), true)).collect();
    said.extend([evidence(&own, true), evidence(&own, false)]);
    let codes: std::collections::BTreeSet<&str> = said.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, Code::ALL.iter().map(|code| code.as_str()).collect());
    for found in said {
        assert!(found.values.values().all(|value| found.message.contains(value.as_str())), "{found:?}");
        assert!(found.message.ends_with('.'));
    }
}

#[test]
fn nothing_of_a_bad_signature_is_told() {
    for outcome in [Outcome::Altered, Outcome::Malformed] {
        let found = evidence(&checked(outcome), true);
        assert!(found.values.is_empty() && !found.message.contains("Ada"));
    }
}
