#![allow(clippy::unwrap_used)]

use super::*;
use crate::signature::canonical::Stream;
use crate::signature::statement::{Author, Facts};
use crate::signature::testing::{NOW, TestKey, facts};
use proptest::prelude::*;

const TEXT: &str = "A person wrote these words.\n\nAnd these.";

fn statement() -> Statement {
    Statement::about(&Stream::of_text(TEXT), facts()).unwrap()
}

fn sign(statement: Statement, key: &TestKey, web: bool) -> Credential {
    let unsigned = Unsigned::new(statement, &key.public, web).unwrap();
    let signature = key.sign(&unsigned.to_sign(), 0);
    unsigned.finish(&signature)
}

/// A good credential after a change.
fn changed(change: impl Fn(&mut Value)) -> Result<Credential, CredentialError> {
    let mut value = sign(statement(), &TestKey::new(1), false).to_json().clone();
    change(&mut value);
    Credential::from_json(&value)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// "Data Integrity EdDSA Cryptosuites v1.0", appendix B.3: the document, the proof, what is signed, the signature.
#[test]
fn the_vector_of_the_w3c() {
    let context = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"];
    let document = json!({
        "@context": context,
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" }
    });
    let did = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    let proof = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": format!("{did}#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"),
        "proofPurpose": "assertionMethod",
        "@context": context
    });
    let hash = proof_hash(document.as_object().unwrap(), proof.as_object().unwrap()).unwrap();
    let expected = "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db\
                    59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19";
    assert_eq!(hash.as_slice(), unhex(expected));
    let value = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX";
    let bytes = proof_value(value).unwrap();
    let expected = "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b803\
                    51da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808";
    assert_eq!(bytes.as_slice(), unhex(expected));
    let key = PublicKey::from_did_key(did).unwrap();
    assert_eq!(ed25519::verify(&key, &hash, &RawSignature { bytes, touch: None }), Ok(()));
}

#[test]
fn has_the_form_of_the_specification() {
    let key = TestKey::new(1);
    let credential = sign(statement(), &key, false);
    let did = key.public.to_did_key().unwrap();
    let multibase = did.strip_prefix(DID_KEY).unwrap();
    let mut expected = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2",
            {"HumanStatementCredential": "urn:generated-by-human:1#HumanStatementCredential",
             "statement": {"@id": "urn:generated-by-human:1#statement", "@type": "@json"}}],
        "type": ["VerifiableCredential", "HumanStatementCredential"],
        "issuer": did,
        "validFrom": "2026-11-25T07:00:00Z",
        "credentialSubject": {"statement": statement()},
        "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2026-11-25T07:00:00Z",
            "verificationMethod": format!("{did}#{multibase}"), "proofPurpose": "assertionMethod"}
    });
    let value = credential.to_json()["proof"]["proofValue"].clone();
    assert!(value.as_str().unwrap().starts_with('z'));
    expected["proof"]["proofValue"] = value;
    assert_eq!(credential.to_json(), &expected);
    assert_eq!(credential.method(), &Method::Key(key.public.clone()));
    assert_eq!(credential.statement(), &statement());
    assert_eq!(credential.verify(&key.public), Ok(()));
}

#[test]
fn only_the_key_that_it_names_verifies_it() {
    let credential = sign(statement(), &TestKey::new(1), false);
    assert_eq!(credential.verify(&TestKey::new(2).public), Err(CredentialError::OtherKey));
    assert_eq!(credential.verify(&TestKey::hardware(1).public), Err(CredentialError::Hardware));
    let credential = sign(statement(), &TestKey::new(1), true);
    assert_eq!(credential.verify(&TestKey::new(1).public), Ok(()));
    assert_eq!(credential.verify(&TestKey::new(2).public), Err(SignatureError::Wrong.into()));
}

#[test]
fn a_did_web_is_that_of_the_author() {
    let key = TestKey::new(1);
    let by = |identity: Option<&str>| {
        let author = Author { name: "Ada".to_owned(), identity: identity.map(str::to_owned) };
        Statement::about(&Stream::of_text(TEXT), Facts { author, ..facts() }).unwrap()
    };
    for (origin, did) in [
        ("https://ada.example", "did:web:ada.example"),
        ("https://ada.example:8443", "did:web:ada.example%3A8443"),
    ] {
        let credential = sign(by(Some(origin)), &key, true);
        let value = credential.to_json();
        assert_eq!(value["issuer"], did);
        let id = format!("{did}#{}", key.public.to_multibase().unwrap());
        assert_eq!(value["proof"]["verificationMethod"], id.as_str());
        assert_eq!(credential.method(), &Method::Web { origin: origin.to_owned(), id: id.clone() });
        assert_eq!(Credential::from_json(value).as_ref(), Ok(&credential));
        let document = did_document(origin, std::slice::from_ref(&key.public));
        assert_eq!(key_in_did_document(&document, &id), Ok(key.public.clone()));
    }
    for identity in [None, Some("github:ada")] {
        let error = Unsigned::new(by(identity), &key.public, true).unwrap_err();
        assert_eq!(error, CredentialError::NoOrigin);
    }
    // Somebody else's site, or the site of an author who names none.
    for identity in [None, Some("github:ada"), Some("https://ada.example"), Some("https://mallory.example:1")]
    {
        let mut value = sign(by(identity), &key, false).to_json().clone();
        value["issuer"] = json!("did:web:mallory.example");
        value["proof"]["verificationMethod"] = json!("did:web:mallory.example#key");
        let error = Credential::from_json(&value).unwrap_err();
        assert!(matches!(error, CredentialError::Member { member: "issuer", .. }), "{error}");
    }
}

#[test]
fn keys_in_hardware_sign_none() {
    let error = Unsigned::new(statement(), &TestKey::hardware(1).public, false).unwrap_err();
    assert_eq!(error, CredentialError::Hardware);
}

#[test]
fn a_statement_must_be_sound() {
    let wrong = Statement { assistance: String::new(), ..statement() };
    let error = Unsigned::new(wrong, &TestKey::new(1).public, false).unwrap_err();
    assert!(matches!(error, CredentialError::Statement(_)), "{error}");
}

#[test]
fn the_end_stands_in_both_places() {
    let date = Timestamp::from_unix(NOW).plus(3600);
    let ending = Statement { expires: Some(date), ..statement() };
    let credential = sign(ending, &TestKey::new(1), false);
    assert_eq!(credential.to_json()["validUntil"], "2026-11-25T09:00:00Z");
    assert_eq!(Credential::from_json(credential.to_json()).as_ref(), Ok(&credential));
    let mut value = credential.to_json().clone();
    value.as_object_mut().unwrap().remove("validUntil");
    let error = Credential::from_json(&value).unwrap_err();
    assert!(matches!(error, CredentialError::Member { member: "validUntil", .. }), "{error}");
    let error = changed(|value| value["validUntil"] = json!("2026-11-25T09:00:00Z")).unwrap_err();
    assert!(matches!(error, CredentialError::Member { member: "validUntil", .. }), "{error}");
}

#[test]
fn the_context_may_be_repeated_in_the_proof() {
    let key = TestKey::new(1);
    let mut unsigned = Unsigned::new(statement(), &key.public, false).unwrap();
    unsigned.proof.insert("@context".to_owned(), context());
    unsigned.hash = proof_hash(&unsigned.document, &unsigned.proof).unwrap();
    let signature = key.sign(&unsigned.hash, 0);
    let made = unsigned.finish(&signature);
    let read = Credential::from_json(made.to_json()).unwrap();
    assert_eq!((&read, read.verify(&key.public)), (&made, Ok(())));
    // It is signed like all else.
    let read = changed(|value| value["proof"]["@context"] = context()).unwrap();
    assert_eq!(read.verify(&key.public), Err(SignatureError::Wrong.into()));
}

#[test]
fn every_rule_is_checked() {
    let key = TestKey::new(1).public.to_did_key().unwrap();
    let other = TestKey::new(2).public.to_did_key().unwrap();
    let [one, two] = [&key, &other].map(|did| did.strip_prefix(DID_KEY).unwrap());
    let long = format!("{key}#{}", "a".repeat(MAX_METHOD));
    for (pointer, wrong) in [
        ("", json!([])),
        ("", json!("text")),
        ("/@context", json!("https://www.w3.org/ns/credentials/v2")),
        ("/@context", json!(["https://www.w3.org/ns/credentials/v2"])),
        ("/@context/1/statement/@id", json!("urn:other")),
        ("/type", json!("VerifiableCredential")),
        ("/type", json!(["VerifiableCredential"])),
        ("/issuer", json!(other)),
        ("/issuer", json!({ "id": key })),
        ("/issuer", json!("https://ada.example")),
        ("/issuer", json!("did:web:ada.example")),
        ("/issuer", json!("")),
        ("/validFrom", json!("2026-11-25T07:00:01Z")),
        ("/validFrom", json!(null)),
        ("/credentialSubject", json!([])),
        ("/credentialSubject/statement", json!(null)),
        ("/credentialSubject/statement/date", json!("2026-11-25T07:00:01Z")),
        ("/credentialSubject/statement/text/length", json!(0)),
        ("/credentialSubject/statement/text/words", json!(7.0)),
        ("/credentialSubject/statement/assistance", json!("")),
        ("/proof", json!([])),
        ("/proof", json!([{}, {}])),
        ("/proof", json!(null)),
        ("/proof/type", json!("Ed25519Signature2020")),
        ("/proof/cryptosuite", json!("eddsa-rdfc-2022")),
        ("/proof/created", json!("yesterday")),
        ("/proof/created", json!("2026-11-25T07:00:00+00:00")),
        ("/proof/proofPurpose", json!("authentication")),
        ("/proof/verificationMethod", json!(key)),
        ("/proof/verificationMethod", json!(format!("{key}#"))),
        ("/proof/verificationMethod", json!(format!("{key}#{two}"))),
        ("/proof/verificationMethod", json!(format!("{key}#{one}#{one}"))),
        ("/proof/verificationMethod", json!(format!("{other}#{two}"))),
        ("/proof/verificationMethod", json!(format!("#{one}"))),
        ("/proof/verificationMethod", json!(long)),
        ("/proof/proofValue", json!("")),
        ("/proof/proofValue", json!("z")),
        ("/proof/proofValue", json!("u2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24")),
        ("/proof/proofValue", json!("z".repeat(100_000))),
        ("/proof/proofValue", json!(7)),
    ] {
        let read = changed(|value| *value.pointer_mut(pointer).unwrap() = wrong.clone());
        assert!(read.is_err(), "{pointer} {wrong:.200}");
    }
}

#[test]
fn nothing_is_signed_that_is_not_shown() {
    for pointer in ["", "/credentialSubject", "/proof", "/credentialSubject/statement", "/@context/1"] {
        let read = changed(|value| value.pointer_mut(pointer).unwrap()["id"] = json!("urn:x"));
        assert!(read.is_err(), "{pointer}");
    }
    // A null would be signed and then not be seen.
    for member in ["written_here", "expires"] {
        let read = changed(|value| value["credentialSubject"]["statement"][member] = json!(null));
        assert!(read.is_err(), "{member}");
    }
    assert_eq!(
        changed(|value| value["proof"]["nonce"] = json!(1)),
        Err(CredentialError::Unknown("proof.nonce".to_owned()))
    );
}

#[test]
fn every_member_is_needed() {
    let good = sign(statement(), &TestKey::new(1), false).to_json().clone();
    for object in ["", "/credentialSubject", "/proof"] {
        for member in good.pointer(object).unwrap().as_object().unwrap().keys() {
            let read = changed(|value| {
                value.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(member);
            });
            assert!(read.is_err(), "{object}/{member}");
        }
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    let key = TestKey::new(1).public;
    for (pointer, other) in [
        ("/proof/created", json!("2026-11-25T07:00:01Z")),
        ("/credentialSubject/statement/author/name", json!("Eve")),
        ("/credentialSubject/statement/assistance", json!("spelling")),
        ("/credentialSubject/statement/language", json!("de")),
        ("/credentialSubject/statement/text/sha256", json!("0".repeat(64))),
    ] {
        let read = changed(|value| *value.pointer_mut(pointer).unwrap() = other.clone()).unwrap();
        assert_eq!(read.verify(&key), Err(SignatureError::Wrong.into()), "{pointer}");
    }
}

#[test]
fn did_documents_say_which_keys_may_assert() {
    let (one, two, device) = (TestKey::new(1).public, TestKey::new(2).public, TestKey::hardware(3).public);
    let document = did_document("https://ada.example", &[one.clone(), two.clone(), device]);
    assert_eq!(document["verificationMethod"].as_array().map(Vec::len), Some(2));
    let id = format!("did:web:ada.example#{}", one.to_multibase().unwrap());
    let fragment = format!("#{}", one.to_multibase().unwrap());
    assert_eq!(key_in_did_document(&document, &id), Ok(one.clone()));

    type Change<'a> = &'a dyn Fn(&mut Value);
    let after = |change: Change| {
        let mut other = document.clone();
        change(&mut other);
        key_in_did_document(&other, &id)
    };
    let good: [Change; 4] = [
        &|d| d["verificationMethod"][0]["type"] = json!("Ed25519VerificationKey2020"),
        &|d| d["verificationMethod"][0]["id"] = json!(fragment),
        &|d| d["assertionMethod"][0] = json!(fragment),
        &|d| {
            d["assertionMethod"][0] = d["verificationMethod"][0].clone();
            d["verificationMethod"] = json!([]);
        },
    ];
    for (number, change) in good.into_iter().enumerate() {
        assert_eq!(after(change), Ok(one.clone()), "{number}");
    }
    let bad: [Change; 13] = [
        &|d| *d = json!(null),
        &|d| d["id"] = json!("did:web:mallory.example"),
        &|d| d["verificationMethod"] = json!(null),
        &|d| d["verificationMethod"][0]["id"] = json!("#other"),
        &|d| d["verificationMethod"][1]["id"] = json!(id),
        &|d| d["verificationMethod"][0]["type"] = json!("JsonWebKey2020"),
        &|d| d["verificationMethod"][0]["controller"] = json!("did:web:mallory.example"),
        &|d| d["verificationMethod"][0]["revoked"] = json!("2026-01-01T00:00:00Z"),
        &|d| d["verificationMethod"][0]["publicKeyMultibase"] = json!("z6Mk"),
        &|d| d["assertionMethod"] = json!([]),
        &|d| d["assertionMethod"] = json!(id),
        &|d| d["assertionMethod"] = json!(["#other"]),
        &|d| {
            d["authentication"] = d["assertionMethod"].clone();
            d["assertionMethod"] = json!(null);
        },
    ];
    for (number, change) in bad.into_iter().enumerate() {
        assert!(after(change).is_err(), "{number}");
    }
    assert!(key_in_did_document(&document, "did:web:ada.example").is_err());
    assert!(key_in_did_document(&document, "").is_err());
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let name = "[a-zA-Zäöü人 \"\\\\]{0,20}x";
    let identity = proptest::option::of("https://[a-z]{1,9}\\.[a-z]{2,5}(:[1-3][0-9]{3})?|github:[a-z]{1,9}");
    (name, identity, 0_u64..200_000_000_000, proptest::option::of(1_u64..1_000_000_000)).prop_map(
        |(name, identity, date, lasts)| {
            let date = Timestamp::from_unix(date);
            let expires = lasts.map(|seconds| date.plus(seconds));
            Facts { author: Author { name, identity }, date, expires, ..facts() }
        },
    )
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-z@#]{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Pointers to all that is in a value.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            places(value, &format!("{here}/{name}"), found);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(number, value)| places(value, &format!("{here}/{number}"), found));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn credentials_come_back(facts in any_facts(), seed: u8, web: bool) {
        let statement = Statement::about(&Stream::of_text(TEXT), facts).unwrap();
        let key = TestKey::new(seed);
        let unsigned = Unsigned::new(statement.clone(), &key.public, web && origin(&statement).is_some()).unwrap();
        let signature = key.sign(&unsigned.to_sign(), 0);
        let made = unsigned.finish(&signature);
        let text = serde_json::to_string(made.to_json()).unwrap();
        let read = Credential::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(&read, &made);
        prop_assert_eq!(read.statement(), &statement);
        prop_assert_eq!(read.verify(&key.public), Ok(()));
    }

    #[test]
    fn a_changed_byte_is_not_good(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7F) {
        let key = TestKey::new(1);
        let good = sign(statement(), &key, false);
        let mut text = serde_json::to_string(good.to_json()).unwrap().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Some(read) = serde_json::from_slice(&text).ok().and_then(|value| Credential::from_json(&value).ok()) {
            prop_assert!(read == good || read.verify(&key.public).is_err());
        }
    }

    #[test]
    fn nothing_panics(at in any::<prop::sample::Index>(), other in any_json()) {
        let key = TestKey::new(1);
        let good = sign(statement(), &key, true);
        let _ = Credential::from_json(&other);
        let mut all = Vec::new();
        places(good.to_json(), "", &mut all);
        let mut value = good.to_json().clone();
        *value.pointer_mut(&all[at.index(all.len())]).unwrap() = other.clone();
        if let Ok(read) = Credential::from_json(&value) {
            prop_assert!(read == good || read.verify(&key.public).is_err());
        }

        let id = value_of(good.method());
        let _ = key_in_did_document(&other, &id);
        let mut document = did_document("https://ada.example", std::slice::from_ref(&key.public));
        let mut all = Vec::new();
        places(&document, "", &mut all);
        *document.pointer_mut(&all[at.index(all.len())]).unwrap() = other;
        if let Ok(read) = key_in_did_document(&document, &id) {
            prop_assert_eq!(read, key.public);
        }
    }
}

fn value_of(method: &Method) -> String {
    match method {
        Method::Web { id, .. } => id.clone(),
        Method::Key(_) => String::new(),
    }
}
