//! The test vectors that SPEC.md promises. They are made here and compared here; another implementation
//! (`tests/interop/verify.py`) checks them from the specification alone.
#![allow(clippy::unwrap_used)]

use super::canonical::{Stream, words};
use super::carrier::Signed;
use super::carrier::token::Token;
use super::credential::Unsigned;
use super::sshsig::{HashAlgorithm, SshSignature, signed_data};
use super::statement::{Author, Facts, Statement, WrittenHere};
use super::testing::{TestKey, facts};
use serde_json::{Value, json};

const POEM: &str = "The lamp is out.\nThe rain has stopped.\n\nYes.\n\nWhoever comes up the stairs now — slowly, one hand on \
                    the wall — has been “expected” since morning…\n";
const CHINESE: &str = "今天天气很好，\n我们走到 river 边——水很低。\n\n“你看，”她说，“桥还在。”";

fn canonical(name: &str, input: &str) -> Value {
    let stream = Stream::of_text(input);
    json!({
        "name": name,
        "input": input,
        "canonical": stream.text(),
        "words": words(stream.text()),
        "hazard": stream.hazards().next().is_some(),
    })
}

fn statement(name: &str, text: &str, envelope: &Value, good: bool, why: &str) -> Value {
    json!({ "name": name, "text": text, "envelope": envelope, "good": good, "why": why })
}

fn about(text: &str, facts: Facts) -> Statement {
    Statement::about(&Stream::of_text(text), facts).unwrap()
}

fn credential(key: &TestKey, statement: Statement) -> Value {
    let unsigned = Unsigned::new(statement, &key.public, false).unwrap();
    let signature = key.sign(&unsigned.to_sign(), 0);
    unsigned.finish(&signature).to_json().clone()
}

fn signed_sha256(key: &TestKey, statement: Statement) -> Signed {
    let hash = HashAlgorithm::Sha256;
    let signature = key.sign(&signed_data(&statement.to_jcs(), hash), 1);
    Signed::Ssh { statement, signature: SshSignature { key: key.public.clone(), hash, signature } }
}

fn statements() -> Vec<Value> {
    let (plain, hardware) = (TestKey::new(1), TestKey::hardware(2));
    let full = Facts {
        author: Author { name: "Ada Lovelace".to_owned(), identity: Some("github:ada".to_owned()) },
        language: "zh-Hans".to_owned(),
        assistance: "My brother read it and moved two commas.".to_owned(),
        written_here: Some(WrittenHere {
            keystrokes: 912,
            deletions: 77,
            pasted_percent: 3,
            active_minutes: 41,
            revisions: 18,
        }),
        expires: Some(facts().date.plus(1_000_000)),
        ..facts()
    };
    let anonymous =
        Facts { author: Author { name: "Анна \"É\"".to_owned(), identity: None }, ..facts() };
    let good = plain.sign_text(POEM).to_value();
    let mut renamed = good.clone();
    renamed["statement"]["author"]["name"] = "Eve".into();
    let mut extended = good.clone();
    extended["statement"]["endorsed"] = true.into();
    resign(&mut extended, &plain);
    let forged = |member: &str, value: &str| {
        let mut forged = good.clone();
        forged["statement"]["author"][member] = value.into();
        resign(&mut forged, &plain);
        forged
    };
    let (filler, joiner) = (forged("name", "A\u{3164}da"), forged("name", "A\u{200D}da"));
    let address = forged("identity", "https://127.0.0x1");
    let persian = Facts { author: Author { name: "می\u{200C}نا".to_owned(), identity: None }, ..facts() };
    let mut foreign = good.clone();
    foreign["signature"] = plain.sign_text(CHINESE).to_value()["signature"].clone();
    let untouched = hardware.sign_statement(about(POEM, facts()), 0).to_value();
    let vc = credential(&plain, about(POEM, facts()));
    let mut changed_vc = vc.clone();
    changed_vc["credentialSubject"]["statement"]["assistance"] = "spelling".into();
    vec![
        statement("plain key", POEM, &good, true, ""),
        statement("reflowed", &POEM.replace(['\n', ' '], "\u{A0}\r\n"), &good, true, ""),
        statement(
            "all members",
            CHINESE,
            &plain.sign_statement(about(CHINESE, full), 1).to_value(),
            true,
            "",
        ),
        statement("no identity", POEM, &plain.sign_statement(about(POEM, anonymous), 1).to_value(), true, ""),
        statement("hardware key", POEM, &hardware.sign_text(POEM).to_value(), true, ""),
        statement("SHA-256", POEM, &signed_sha256(&plain, about(POEM, facts())).to_value(), true, ""),
        statement("credential", POEM, &vc, true, ""),
        statement("one letter", &POEM.replace("stairs", "stair"), &good, false, "the text was altered"),
        statement("a hidden override", &POEM.replace("lamp", "la\u{202E}mp"), &good, false, "a hazard"),
        statement("another name", POEM, &renamed, false, "the statement was altered"),
        statement(
            "a joiner that a name needs",
            POEM,
            &plain.sign_statement(about(POEM, persian), 1).to_value(),
            true,
            "",
        ),
        statement("an invisible letter in the name", POEM, &filler, false, "a name is visible"),
        statement("a joiner for nothing in the name", POEM, &joiner, false, "a name is visible"),
        statement("an address", POEM, &address, false, "an identity is a name"),
        statement("a member more", POEM, &extended, false, "unknown members are refused"),
        statement("another's signature", POEM, &foreign, false, "the signature is over something else"),
        statement("no touch", POEM, &untouched, false, "the user-presence flag is not set"),
        statement("changed credential", POEM, &changed_vc, false, "the proof is over something else"),
    ]
}

/// Signs a statement that this program would not make.
fn resign(envelope: &mut Value, key: &TestKey) {
    let jcs = serde_json_canonicalizer::to_vec(&envelope["statement"]).unwrap();
    let hash = HashAlgorithm::Sha512;
    let signature = key.sign(&signed_data(&jcs, hash), 1);
    envelope["signature"] = SshSignature { key: key.public.clone(), hash, signature }.to_armour().into();
}

fn token(name: &str, key: &TestKey, text: &str, facts: Facts) -> Value {
    let statement = Statement::about_message(&Stream::of_text(text), facts).unwrap();
    let signed = key.sign_statement(statement, 1);
    json!({
        "name": name,
        "text": text,
        "token": Token::of(&signed).unwrap().print().unwrap(),
        "good": true,
        "statement": signed.statement(),
    })
}

fn vectors() -> Value {
    let plain = TestKey::new(1);
    let mut tokens = vec![
        token("plain key", &plain, "See you at eight – at the old bridge.", facts()),
        token("hardware key", &TestKey::hardware(2), "见面再说。", facts()),
        token(
            "expiry and sentence",
            &plain,
            POEM,
            Facts {
                author: Author { name: "A".to_owned(), identity: Some("github:a-b".to_owned()) },
                assistance: "Dictated.".to_owned(),
                expires: Some(facts().date.plus(86_400)),
                ..facts()
            },
        ),
    ];
    let mut other = tokens[0].clone();
    other["name"] = "another message".into();
    other["text"] = "See you at nine – at the old bridge.".into();
    other["good"] = false.into();
    other.as_object_mut().unwrap().remove("statement");
    tokens.push(other);
    json!({
        "canonical": [
            canonical("white space", " a\u{A0}\r\n\tb\u{3000}c\n\n\nd "),
            canonical("dropped", "hy\u{AD}phen\u{200B} \u{FEFF}x\u{2060}y ❤\u{FE0F} \u{E0041}z"),
            canonical("folded", "“Don’t” — 1990–95… 6′2″ x−y"),
            canonical("composed", "Cafe\u{301} A\u{30A} \u{1112}\u{1161}\u{11AB} ² ½ ①"),
            canonical("joiners", "a\u{200D}b می\u{200C}خواهم क\u{94D}\u{200D}ष 👩\u{200D}🔬 x\u{200C}\u{200C}y"),
            canonical("a joiner between letter and accent", "e\u{200D}\u{301}"),
            canonical("joiners between marks", "< \u{301}\u{200C}\u{DCA}\u{200D} x\u{651}\u{200D}ل م\u{651}\u{200C}ن"),
            canonical("Chinese", CHINESE),
            canonical("dashes beside Chinese", "中文——\n\n段落--a --中"),
            canonical("hyphens", "word--word, so -- so---so; --force i-- ---- \"Wait--\" a---"),
            canonical("hyphens after punctuation", "(a)--b, c!--d 2%--3% \"e\"--f g,--“h” ...--i (--j [--k /--l m=--n (o--) p--"),
            canonical("ligatures", "oﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ"),
            canonical("half and full width", "ｶ ﾞ ﾊﾝ。１ ０ Ａ Ｂ （ c ）"),
            canonical("a joiner before a virama", "র\u{200D}\u{9CD}য র\u{200D}\u{9BC}\u{9CD}য ক\u{200D}\u{9BC}য র\u{200C}\u{9CD}\u{200D}য"),
            canonical("a virama that composes", "\u{DD9}\u{200C}\u{DCA}\u{200D}x \u{DD9}\u{200C}\u{DCF}\u{DCA}\u{200D}x ක\u{DCA}\u{200D}ෂ"),
            canonical("kept", "«a» 「b」 a\u{200F}b ＡＢ A a"),
            canonical("mark after a space", "中 \u{3099}か \u{3099}"),
            canonical("bidirectional control", "pay \u{202E}kcab\u{202C} me"),
            canonical("control character", "a\u{7}b"),
            canonical("thirty-one marks", &format!("a{}", "\u{301}".repeat(31))),
            canonical("words", "One, two - three. 今天 ภาษา x中y"),
            canonical("nothing", " \u{200B}\n"),
        ],
        "statements": statements(),
        "tokens": tokens,
    })
}

/// `BONAFIDE_WRITE_VECTORS=1 cargo test -p bonafide-core the_vectors` writes them anew.
#[test]
fn the_vectors_are_those_of_the_specification() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/signature/vectors.json");
    let made = format!("{:#}\n", vectors());
    if std::env::var_os("BONAFIDE_WRITE_VECTORS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made);
}
