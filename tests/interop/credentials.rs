//! Digital Bazaar's libraries (`data-integrity`, `eddsa-jcs-2022-cryptosuite`, `ed25519-multikey`, `jsonld-signatures`)
//! verify our credentials offline, and we verify theirs.

use super::{TEXT, fails, folder, succeeds, there};
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::{Carrier, Signed};
use bonafide_core::signature::check::{Outcome, check};
use bonafide_core::signature::credential::Unsigned;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::statement::Statement;
use bonafide_tests::signer::Signer;
use serde_json::Value;
use std::process::Command;

fn is_there() -> bool {
    let installed = folder().join("node_modules/jsonld-signatures").is_dir();
    there(
        bonafide_tests::starts("node") && installed,
        "Node.js or the npm packages are not installed: run `npm ci` in tests/interop",
    )
}

fn node(arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.arg("credential.mjs").args(arguments).current_dir(folder());
    command
}

fn credential(signer: &Signer) -> Value {
    let statement = Statement::about(&Stream::of_text(TEXT), Signer::facts()).unwrap();
    let unsigned = Unsigned::new(statement, &signer.key, false).unwrap();
    let signature = signer.sign(&unsigned.to_sign());
    unsigned.finish(&signature).to_json().clone()
}

fn outcome(json: &str) -> Outcome {
    let mut page = Page::of_text(TEXT).remove(0);
    page.add_side_file(Carrier::SideFile, json, true);
    let known = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    check(&page)[0].report(&page, &known, Signer::facts().date).result
}

#[test]
fn they_accept_ours() {
    if !is_there() {
        return;
    }
    let credential = credential(&Signer::new(3));
    assert_eq!(outcome(&credential.to_string()), Outcome::Trusted);
    let said = succeeds(&mut node(&["verify"]), credential.to_string().as_bytes());
    assert_eq!(serde_json::from_slice::<Value>(&said).unwrap()["verified"], true);
    let mut changed = credential;
    changed["credentialSubject"]["statement"]["author"]["name"] = "Eve".into();
    fails(&mut node(&["verify"]), changed.to_string().as_bytes());
    assert_eq!(outcome(&changed.to_string()), Outcome::Malformed);
}

#[test]
fn we_accept_theirs() {
    if !is_there() {
        return;
    }
    let seed = "05".repeat(32);
    let did = String::from_utf8(succeeds(&mut node(&["did", &seed]), b"")).unwrap();
    let key = PublicKey::from_did_key(did.trim()).unwrap();
    let signer = Signer::new(5);
    assert_eq!(key, signer.key);
    let mut unsecured = credential(&signer);
    unsecured.as_object_mut().unwrap().remove("proof");
    let secured = succeeds(&mut node(&["sign", &seed]), unsecured.to_string().as_bytes());
    let secured: Value = serde_json::from_slice(&secured).unwrap();
    let signed = Signed::from_value(secured.clone()).unwrap();
    assert_eq!(signed.key(), Some(&key));
    assert_eq!(outcome(&secured.to_string()), Outcome::Trusted);
    let mut changed = secured;
    changed["credentialSubject"]["statement"]["assistance"] = "spelling".into();
    assert_eq!(outcome(&changed.to_string()), Outcome::Malformed);
}
